"""Brightness of many small pieces of ground, each the same in all images that see it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from perijove.calibrate.quality import Quality
from perijove.calibrate.stack import CalibratedStack
from perijove.geometry.ellipsoid import RADII_KM, to_lat_lon
from perijove.geometry.pointing import Pointing
from perijove.photometry.angles import Angles

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]

#: Distance of neighbouring pieces, degrees of the globe: some 600 km, which winds cross in hours.
SPACING_DEG: Final = 0.5
#: A piece is the mean of a square of so many points a side.
_PATCH: Final = 4
#: Pieces lit or seen more obliquely than this are not asked.
_LEAST_MU0, _LEAST_MU = 0.04, 0.06
#: What spoils a value.
_BAD: Final = Quality.SATURATED | Quality.MISSING | Quality.BLOCK | Quality.DARK_COLUMN
_GOLDEN: Final = np.pi * (3.0 - np.sqrt(5.0))


@dataclass(frozen=True)
class Samples:
    """What one image tells of pieces of the ground; read-only.

    Attributes
    ----------
    name : str
        The image.
    bands : tuple of str
    piece : ndarray, (n,), int
        Which pieces: the same number is the same ground in all images.
    values : ndarray, (n, band)
        I/F, means over the piece; NaN where not all of it is known and unsaturated.
    angles : Angles, (n,)
    lat_graphic_deg, lon_w_sys3_deg : ndarray, (n,)
    """

    name: str
    bands: tuple[str, ...]
    piece: Indices
    values: Floats
    angles: Angles
    lat_graphic_deg: Floats
    lon_w_sys3_deg: Floats

    def __post_init__(self) -> None:
        for name in ("piece", "values", "lat_graphic_deg", "lon_w_sys3_deg"):
            frozen: npt.NDArray[Any] = np.asarray(getattr(self, name)).view()
            frozen.flags.writeable = False
            object.__setattr__(self, name, frozen)


def lattice(spacing_deg: float = SPACING_DEG) -> Floats:
    """Directions spread evenly over the globe: a Fibonacci lattice, from north to south.

    Returns
    -------
    ndarray, (n, 3)
        Unit vectors; times the radii they are points of the ellipsoid.

    Examples
    --------
    >>> lattice(1.0).shape
    (41253, 3)
    """
    count = round(4.0 * np.pi / np.radians(spacing_deg) ** 2)
    z = 1.0 - (2.0 * np.arange(count) + 1.0) / count
    turn = np.arange(count) * _GOLDEN
    ring = np.sqrt(1.0 - z * z)
    return np.stack([ring * np.cos(turn), ring * np.sin(turn), z], axis=-1)


def sample(calibrated: CalibratedStack, pointing: Pointing, spacing_deg: float = SPACING_DEG) -> Samples:
    """Draw an image on the pieces of the ground.

    Parameters
    ----------
    calibrated : CalibratedStack
    pointing : Pointing
    spacing_deg : float

    Returns
    -------
    Samples
        Of pieces that any band sees in daylight.
    """
    from perijove.project.resample import Framelets, gather

    label = calibrated.label
    directions = lattice(spacing_deg)
    observer, sun = pointing.position_fixed_km[pointing.mid_frame], pointing.sun_fixed
    angles = Angles.of_ground(directions * RADII_KM, observer, sun)
    piece = np.flatnonzero((angles.mu0 > _LEAST_MU0) & (angles.mu > _LEAST_MU))
    known = np.where((calibrated.quality & np.uint8(_BAD)) > 0, np.float32(np.nan), calibrated.i_over_f)
    framelets = Framelets.of(known, label.bands, pointing)
    drawn, weight = gather(_patches(directions[piece], spacing_deg), framelets)
    values = np.where(weight > 0, drawn, np.nan).mean(axis=1, dtype=float)
    seen = np.isfinite(values).any(axis=1)
    piece, values = piece[seen], values[seen]
    ground = directions[piece] * RADII_KM
    latitude, longitude = to_lat_lon(ground)
    name = str(label.product_id)
    return Samples(name, label.bands, piece, values, Angles.of_ground(ground, observer, sun), latitude, longitude)


def _patches(directions: Floats, spacing_deg: float) -> Floats:
    """Points of the ellipsoid that fill a square about each direction, (n, points, 3)."""
    steps = (np.arange(_PATCH) + 0.5) / _PATCH - 0.5
    east = np.cross([0.0, 0.0, 1.0], directions)
    east /= np.linalg.norm(east, axis=-1, keepdims=True)
    north = np.cross(directions, east)
    a, b = (axis.ravel() * np.radians(spacing_deg) for axis in np.meshgrid(steps, steps))
    points = directions[:, None] + a[:, None] * east[:, None] + b[:, None] * north[:, None]
    return np.asarray(points / np.linalg.norm(points, axis=-1, keepdims=True) * RADII_KM)


def bands_of(samples: Sequence[Samples]) -> tuple[str, ...]:
    """All bands, in the order in which they come."""
    return tuple(dict.fromkeys(band for part in samples for band in part.bands))
