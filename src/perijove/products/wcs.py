"""World coordinates of maps as FITS has them.

Source: Marmo et al. 2018, "FITS Format for Planetary Surfaces", Earth and Space Science 5:640, for the names of
Jupiter's coordinates, the radii and the coordinates in metres; Calabretta & Greisen 2002, A&A 395:1077, for
projections.
"""

import warnings
from dataclasses import dataclass
from typing import Final

import numpy as np

from perijove.project.body import JUPITER
from perijove.project.grid import MapGrid

Value = str | int | float | bool

#: FITS codes of PROJ's projections about a point, and of those along the equator.
_ZENITHAL: Final = {"stere": "STG", "aeqd": "ARC", "laea": "ZEA", "ortho": "SIN", "gnom": "TAN"}
_CYLINDRICAL: Final = {"eqc": "CAR", "merc": "MER", "sinu": "SFL"}
#: Parameters of PROJ that are understood here.
_KNOWN: Final = frozenset(
    ("proj", "lat_0", "lat_ts", "lon_0", "k", "k_0", "x_0", "y_0", "R", "units", "no_defs", "type")
)


@dataclass(frozen=True)
class _Celestial:
    """A projection on the sphere: code, place of its origin, native pole, metres to a degree, offset of its origin."""

    code: str
    lon: float
    lat: float
    lon_pole: float
    metres: tuple[float, float]
    origin_m: tuple[float, float]


def wcs_cards(grid: MapGrid) -> dict[str, tuple[Value, str]]:
    """Keywords of a map whose first row in the file is the southern one, with their comments.

    Parameters
    ----------
    grid : MapGrid

    Returns
    -------
    dict of str to tuple
        Longitude to the east and planetocentric latitude where FITS has the projection, with metres of the CRS as the
        alternative P; metres alone otherwise.
    """
    found = _celestial(grid)
    radii = (grid.body.radii_km * 1e3).tolist()
    cards: dict[str, tuple[Value, str]] = {"WCSAXES": (2, "")}
    if found is None:
        cards |= _linear(grid, "")
        cards["WCSNAME"] = ("Projected metres", "FITS has no name for this projection: see MAPWKT")
    else:
        cards |= _angular(grid, found) | _linear(grid, "P")
        cards["WCSNAMEP"] = ("Projected metres", "of the CRS in MAPWKT")
    for name, radius in zip("ABC", radii, strict=True):
        cards[f"{name}_RADIUS"] = (radius, "[m] 1 bar")
    return cards


def _prefix(grid: MapGrid) -> str:
    """Marmo et al.'s code of the body: all satellites share one."""
    return "JU" if grid.body == JUPITER else "ST"


def _angular(grid: MapGrid, found: _Celestial) -> dict[str, tuple[Value, str]]:
    bottom = grid.top_m - grid.height * grid.scale_m
    x, y = found.origin_m
    return {
        "CTYPE1": (f"{_prefix(grid)}LN-{found.code}", "longitude, growing to the east"),
        "CTYPE2": (f"{_prefix(grid)}LT-{found.code}", "planetocentric latitude"),
        "CRPIX1": ((x - grid.left_m) / grid.scale_m + 0.5, ""),
        "CRPIX2": ((y - bottom) / grid.scale_m + 0.5, ""),
        "CRVAL1": (found.lon, "[deg]"),
        "CRVAL2": (found.lat, "[deg]"),
        "CDELT1": (grid.scale_m / found.metres[0], "[deg]"),
        "CDELT2": (grid.scale_m / found.metres[1], "[deg]"),
        "CUNIT1": ("deg", ""),
        "CUNIT2": ("deg", ""),
        "LONPOLE": (found.lon_pole, "[deg]"),
        "LATPOLE": (90.0, "[deg]"),
        # By this word astropy takes latitudes for planetocentric.
        "WCSNAME": ("Bodycentric", ""),
    }


def _linear(grid: MapGrid, letter: str) -> dict[str, tuple[Value, str]]:
    bottom = grid.top_m - grid.height * grid.scale_m
    return {
        f"CTYPE1{letter}": (f"{_prefix(grid)}PX", "easting"),
        f"CTYPE2{letter}": (f"{_prefix(grid)}PY", "northing"),
        f"CRPIX1{letter}": (0.5, "lower left corner"),
        f"CRPIX2{letter}": (0.5, "lower left corner"),
        f"CRVAL1{letter}": (grid.left_m, "[m]"),
        f"CRVAL2{letter}": (bottom, "[m]"),
        f"CDELT1{letter}": (grid.scale_m, "[m]"),
        f"CDELT2{letter}": (grid.scale_m, "[m]"),
        f"CUNIT1{letter}": ("m", ""),
        f"CUNIT2{letter}": ("m", ""),
    }


def _celestial(grid: MapGrid) -> _Celestial | None:
    """The projection as FITS has it; None where it has not."""
    import pyproj

    with warnings.catch_warnings():
        # PROJ's short form loses names, which are not needed.
        warnings.simplefilter("ignore", UserWarning)
        told = pyproj.CRS(grid.wkt).to_dict()
    # Longitudes and latitudes of FITS are those of a sphere.
    if not set(told) <= _KNOWN or "R" not in told or told.get("units", "m") != "m":
        return None
    kind = told.get("proj")
    lat, lat_true = float(told.get("lat_0", 0.0)), told.get("lat_ts")
    degree = float(np.radians(1.0)) * float(told["R"]) * float(told.get("k", told.get("k_0", 1.0)))
    across = degree
    if kind in _CYLINDRICAL:
        if lat != 0.0:
            return None
        across *= float(np.cos(np.radians(float(lat_true or 0.0))))
        down = across if kind == "merc" else degree
        code, pole = _CYLINDRICAL[kind], 0.0
    elif kind in _ZENITHAL:
        if lat_true is not None and kind == "stere":
            # True to scale along a parallel instead of at the pole.
            across *= (1.0 + np.sin(np.radians(abs(float(lat_true))))) / 2.0
        down = across
        code, pole = _ZENITHAL[kind], 180.0
    else:
        return None
    origin = (float(told.get("x_0", 0.0)), float(told.get("y_0", 0.0)))
    return _Celestial(code, float(told.get("lon_0", 0.0)), lat, pole, (across, down), origin)
