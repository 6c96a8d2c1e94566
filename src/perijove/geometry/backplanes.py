"""Backplanes: longitude, latitude, angles, distance and time of every pixel of a view or a framelet."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from perijove.errors import OptionError
from perijove.geometry.camera import Camera
from perijove.geometry.ellipsoid import RADII_KM, intersect
from perijove.geometry.pointing import Pointing, ground_from_apparent
from perijove.geometry.sight import Sight
from perijove.geometry.sighting import Sightings
from perijove.geometry.sunlight import Sunlight, sunlight_at

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
About = tuple[str, str, type[np.floating[Any]]]
Values = npt.NDArray[np.float32] | npt.NDArray[np.float64]

#: Unit, meaning and type of the planes that a point has once, and of those that it has in each band.
_PLANES: Final[Mapping[str, About]] = {
    "lon_w_sys3_deg": ("deg", "System III longitude, west positive, 0 to 360", np.float64),
    "lat_graphic_deg": ("deg", "planetographic latitude", np.float64),
    "lat_centric_deg": ("deg", "planetocentric latitude", np.float64),
    "incidence_deg": ("deg", "angle between the normal and the apparent Sun", np.float32),
    "emission_deg": ("deg", "angle between the normal and the apparent spacecraft", np.float32),
    "phase_deg": ("deg", "angle between the apparent Sun and the apparent spacecraft", np.float32),
    "range_km": ("km", "distance of the spacecraft", np.float32),
    "pixel_scale_km": ("km/px", "size of a pixel of the camera across the line of sight", np.float32),
    "pixel_scale_slant_km": ("km/px", "size of a pixel of the camera on the ground, along the slant", np.float32),
    "local_time_h": ("h", "local true solar time, 0 to 24", np.float32),
}
_BAND_PLANES: Final[Mapping[str, About]] = {
    "frame_{}": ("1", "frame of {} that sees the point nearest to its middle, counted from 0", np.float32),
    "time_{}_s": ("s", "time of that frame of {}, from the middle of the image", np.float32),
}
#: Planes of raw framelets where no others are asked for.
FRAMELET_NAMES: Final = ("lon_w_sys3_deg", "lat_graphic_deg", "incidence_deg", "emission_deg", "phase_deg", "range_km")
#: Points whose coordinates over the radii have a larger square belong to a line of sight that misses the ellipsoid.
_ON_GROUND: Final = 1.0 + 1e-9


@dataclass(frozen=True)
class Backplane:
    """One number for each pixel.

    Attributes
    ----------
    name, unit : str
    long_name : str
        What it is, in words.
    values : ndarray, float32 or float64
        NaN where the pixel has none.
    """

    name: str
    unit: str
    long_name: str
    values: Values

    def __post_init__(self) -> None:
        frozen = np.asarray(self.values).view()
        frozen.flags.writeable = False
        object.__setattr__(self, "values", frozen)


def plane_names(bands: Sequence[str] = ()) -> tuple[str, ...]:
    """Names of all planes of an image with these bands.

    Examples
    --------
    >>> plane_names(["RED"])[-2:]
    ('frame_red', 'time_red_s')
    """
    return (*_PLANES, *(name for band in bands for name in _band_planes(band)))


def mid_et(pointing: Pointing) -> float:
    """The middle of an image, which times are counted from: mean time of its frames, TDB seconds past J2000."""
    return float(pointing.et.mean())


def reference_band(pointing: Pointing) -> str:
    """Band at whose frames the planes that have no band are taken where no other is asked for: GREEN, or the first."""
    return "GREEN" if "GREEN" in pointing.cameras else next(iter(pointing.cameras))


def backplanes(
    pointing: Pointing,
    ground_km: Floats,
    bands: Sequence[str],
    names: Collection[str] | None = None,
    *,
    reference: str | None = None,
    window: Floats | None = None,
    sunlight: Sunlight | None = None,
) -> dict[str, Backplane]:
    """Backplanes of ground points, such as those of a view.

    Parameters
    ----------
    pointing : Pointing
    ground_km : ndarray, (..., 3)
        Body-fixed, as `perijove.project.view.View.ground` gives them. Points beside the ellipsoid are sky.
    bands : sequence of str
        Bands that frame and time are given for.
    names : collection of str, optional
        Some of `plane_names`; default: all.
    reference : str, optional
        Band at whose frames the angles, distances and the local time are taken: bands see a point up to seconds
        apart. Default: `reference_band`.
    window : ndarray, (4,), optional
        Usable part of a framelet, as for `Sightings`.
    sunlight : Sunlight, optional
        Default: that of the middle of the image.

    Returns
    -------
    dict of str to Backplane
        Values of shape (...), NaN in the sky; frame and time also where no framelet of the band sees the point. What
        the image does not reach is taken as its first or last frame would see it.

    Raises
    ------
    OptionError
        If there is no plane or no band of a name.
    """
    chosen = _chosen(names, plane_names(bands))
    reference = reference or reference_band(pointing)
    for band in (reference, *bands):
        if band not in pointing.cameras:
            raise OptionError(f"the image has no band {band!r}; choose from {', '.join(pointing.cameras)}")
    ground_km = np.asarray(ground_km, float)
    on_ground = _on_ground(ground_km)
    ground = ground_km[on_ground]
    sightings = Sightings(pointing, ground, window)
    timed = [band for band in bands if not _band_planes(band).keys().isdisjoint(chosen)]
    frames = {band: sightings.nearest_frame(band) for band in dict.fromkeys((reference, *timed))}
    sight = Sight(pointing, ground, frames[reference][0], sunlight or sunlight_at(mid_et(pointing)))
    planes = _of_sight(sight, chosen, on_ground)
    late = pointing.et - mid_et(pointing)
    for band in timed:
        frame, seen = frames[band]
        for (name, about), values in zip(_band_planes(band).items(), (frame, late[frame]), strict=True):
            planes[name] = _plane(name, about, np.where(seen, values, np.nan), on_ground)
    return {name: planes[name] for name in chosen}


def framelet_backplanes(
    pointing: Pointing,
    band: str,
    frame: int,
    shape: tuple[int, int],
    names: Collection[str] = FRAMELET_NAMES,
    *,
    sunlight: Sunlight | None = None,
) -> dict[str, Backplane]:
    """Backplanes of the pixels of one raw framelet, at their centres.

    Parameters
    ----------
    pointing : Pointing
    band : str
    frame : int
    shape : tuple of int
        Lines and samples of the framelet.
    names : collection of str
        Some of `plane_names` without bands.
    sunlight : Sunlight, optional
        Default: that of the middle of the image.

    Returns
    -------
    dict of str to Backplane
        Values of shape (line, sample), NaN in the sky; dark columns look as if they were photoactive.

    Raises
    ------
    OptionError
        If there is no plane of a name.
    """
    chosen = _chosen(names, plane_names())
    directions = _directions(pointing.cameras[band], shape)
    # As `Pointing.ground`, which would find the same directions anew for each frame.
    rays = directions @ pointing.camera_from_jupiter[frame] - pointing.aberration_fixed[frame]
    observer = pointing.position_fixed_km[frame]
    apparent = intersect(observer, rays)
    on_ground = np.isfinite(apparent[..., 0])
    ground = ground_from_apparent(apparent[on_ground], observer)
    sight = Sight(pointing, ground, np.full(len(ground), frame), sunlight or sunlight_at(mid_et(pointing)))
    return _of_sight(sight, chosen, on_ground)


def _band_planes(band: str) -> dict[str, About]:
    return {
        name.format(band.lower()): (unit, meaning.format(band), kind)
        for name, (unit, meaning, kind) in _BAND_PLANES.items()
    }


def _chosen(names: Collection[str] | None, known: Sequence[str]) -> tuple[str, ...]:
    if names is None:
        return tuple(known)
    for name in names:
        if name not in known:
            raise OptionError(f"there is no backplane {name!r}; choose from {', '.join(known)}")
    return tuple(dict.fromkeys(names))


def _on_ground(ground_km: Floats) -> Flags:
    return np.asarray(np.einsum("...i,i->...", ground_km * ground_km, RADII_KM**-2) < _ON_GROUND)


def _of_sight(sight: Sight, names: Sequence[str], on_ground: Flags) -> dict[str, Backplane]:
    return {name: _plane(name, _PLANES[name], getattr(sight, name), on_ground) for name in names if name in _PLANES}


def _plane(name: str, about: About, known: npt.NDArray[Any], on_ground: Flags) -> Backplane:
    unit, meaning, kind = about
    values: npt.NDArray[Any] = np.full(on_ground.shape, np.nan, kind)
    values[on_ground] = known
    return Backplane(name, unit, meaning, values)


@lru_cache(maxsize=4)
def _directions(camera: Camera, shape: tuple[int, int]) -> Floats:
    """Where the pixels of a framelet look, (line, sample, 3)."""
    lines, samples = shape
    directions = camera.directions(np.arange(samples) + 0.5, np.arange(lines)[:, None] + 0.5)
    directions.flags.writeable = False
    return directions
