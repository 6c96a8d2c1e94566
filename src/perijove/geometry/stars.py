"""Bright stars: where they stand in the sky, by the catalogue of PyEphem."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from perijove.errors import MissingExtraError
from perijove.geometry.timescale import et_to_utc

Floats = npt.NDArray[np.float64]

#: Colour index B - V of spectral classes, about the middle of each (Cox 2000, Allen's Astrophysical Quantities,
#: table 15.7).
_COLOUR_INDEX: Final = {"O": -0.3, "B": -0.15, "A": 0.1, "F": 0.4, "G": 0.65, "K": 1.1, "M": 1.6}


@dataclass(frozen=True)
class BrightStars:
    """About a hundred stars that have names of their own, the brightest first.

    Attributes
    ----------
    names : tuple of str
    directions : ndarray, (n, 3)
        J2000, unit vectors; proper motion is applied, aberration is not.
    magnitudes : ndarray, (n,)
        Visual.
    colour_index : ndarray, (n,)
        B - V by the spectral class alone.
    """

    names: tuple[str, ...]
    directions: Floats
    magnitudes: Floats
    colour_index: Floats

    def __post_init__(self) -> None:
        for name in ("directions", "magnitudes", "colour_index"):
            getattr(self, name).flags.writeable = False


def bright_stars(et: float) -> BrightStars:
    """Stars at a time.

    Parameters
    ----------
    et : float
        TDB seconds past J2000.

    Raises
    ------
    MissingExtraError
        PyEphem is not installed.

    Examples
    --------
    >>> bright_stars(0.0).names[:3]
    ('Sirius', 'Canopus', 'Arcturus')
    """
    try:
        import ephem
        import ephem.stars
    except ImportError as missing:
        raise MissingExtraError("stars by catalogue need ephem: pip install 'perijove[stars]'") from missing
    when = et_to_utc(et).rstrip("Z").replace("-", "/").replace("T", " ")
    rows: dict[tuple[float, float], tuple[float, str, str]] = {}
    for name in sorted(ephem.stars.stars):
        star = ephem.star(name)
        star.compute(when, epoch="2000")
        # Some stars have several names: the one that comes first in the alphabet is taken.
        rows.setdefault((float(star.a_ra), float(star.a_dec)), (float(star.mag), name, str(star._spect)[:1]))
    (places, told) = zip(*sorted(rows.items(), key=lambda row: row[1]), strict=True)
    ra, dec = np.array(places).T
    directions = np.stack([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)], axis=-1)
    colours = np.array([_COLOUR_INDEX.get(kind, 0.5) for _, _, kind in told])
    return BrightStars(tuple(name for _, name, _ in told), directions, np.array([m for m, _, _ in told]), colours)
