"""Coordinate reference systems of maps, by PROJ: those of the IAU where it has them.

Eastings grow to the east. Latitudes are planetocentric on a sphere of the equator's radius, as the IAU_2015 codes
"Sphere / Ocentric" have it, or planetographic on the 1-bar ellipsoid.
"""

import functools
from typing import Any, Final

import numpy as np

from perijove.errors import MissingExtraError, OptionError
from perijove.project.body import Body, Latitudes

#: Projections by name, as PROJ has them.
PROJECTIONS: Final = {
    "equirectangular": "+proj=eqc +lat_ts=0 +lon_0={lon}",
    "mercator": "+proj=merc +lon_0={lon}",
    "north-stereographic": "+proj=stere +lat_0=90 +lon_0={lon} +k=1",
    "south-stereographic": "+proj=stere +lat_0=-90 +lon_0={lon} +k=1",
    "north-equidistant": "+proj=aeqd +lat_0=90 +lon_0={lon}",
    "south-equidistant": "+proj=aeqd +lat_0=-90 +lon_0={lon}",
    "orthographic": "+proj=ortho +lat_0={lat} +lon_0={lon}",
    "stereographic": "+proj=stere +lat_0={lat} +lon_0={lon} +k=1",
    "equal-area": "+proj=laea +lat_0={lat} +lon_0={lon}",
}
#: Ends of the IAU_2015 codes of those on the sphere whose central meridian is 0.
_IAU_CODES: Final = {"equirectangular": 10, "north-stereographic": 30, "south-stereographic": 35}


def _pyproj() -> Any:
    try:
        import pyproj
    except ImportError as missing:
        raise MissingExtraError("maps need pyproj: pip install 'perijove[geo]'") from missing
    return pyproj


def named_crs(projection: str, latitudes: Latitudes, centre: tuple[float, float], body: Body) -> Any:
    """CRS of one of `PROJECTIONS` about a latitude and a System III west longitude, degrees.

    Raises
    ------
    OptionError
        The centre is none.
    MissingExtraError
        pyproj is not installed.
    """
    pyproj = _pyproj()
    lat, lon_w = centre
    a, b = body.equator_km * 1e3, body.pole_km * 1e3
    if not (-90 <= lat <= 90 and np.isfinite(lon_w)):
        raise OptionError(f"a map cannot be centred at latitude {lat:g}, longitude {lon_w:g}: give degrees")
    lon = -lon_w % 360.0
    lon -= 360.0 if lon > 180.0 else 0.0
    if latitudes == "centric" and lon == 0.0 and projection in _IAU_CODES:
        return pyproj.CRS.from_authority("IAU_2015", 100 * body.code + _IAU_CODES[projection])
    surface = f"+R={a:.0f}" if latitudes == "centric" else f"+a={a:.0f} +b={b:.0f}"
    text = f"{PROJECTIONS[projection].format(lat=f'{lat:.9g}', lon=f'{lon:.9g}')} {surface} +units=m +no_defs +type=crs"
    told = pyproj.CRS(text).to_json_dict()
    kind = "Sphere / Ocentric" if latitudes == "centric" else "Ographic, east longitudes"
    told["name"] = f"{body.name} (2015) - {kind} / {projection}"
    told["base_crs"]["name"] = f"{body.name} (2015) - {kind}"
    told["base_crs"]["datum"]["name"] = f"{body.name} (2015)"
    told["base_crs"]["datum"]["ellipsoid"]["name"] = f"{body.name} (2015)"
    return pyproj.CRS.from_json_dict(told)


def given_crs(text: str, body: Body) -> tuple[Any, Latitudes]:
    """CRS from whatever PROJ understands, and what its latitudes are.

    Raises
    ------
    OptionError
        PROJ does not understand it, or it is of another body.
    MissingExtraError
        pyproj is not installed.
    """
    pyproj = _pyproj()
    try:
        crs = pyproj.CRS(text)
    except pyproj.exceptions.CRSError as error:
        known = ", ".join(PROJECTIONS)
        raise OptionError(f"there is no projection {text!r}; choose from {known}, or give a PROJ string") from error
    shape, a, b = crs.ellipsoid, body.equator_km * 1e3, body.pole_km * 1e3
    if not crs.is_projected or shape is None or not abs(shape.semi_major_metre / a - 1) < 1e-3:
        raise OptionError(f"{text!r} is no projection of {body.name}: it needs +proj and +R={a:.0f}, or +a and +b")
    if any(axis.direction.lower() == "west" for axis in crs.axis_info):
        raise OptionError(f"the axes of {text!r} grow to the west; choose a projection with eastings")
    sphere = shape.semi_major_metre == shape.semi_minor_metre
    if not sphere and abs(shape.semi_minor_metre / b - 1) > 1e-3:
        raise OptionError(f"the ellipsoid of {text!r} is not that of {body.name}: give +a={a:.0f} +b={b:.0f}")
    return crs, "centric" if sphere else "graphic"


@functools.lru_cache(maxsize=16)
def to_map(wkt: str) -> Any:
    """Transformer from east longitude and latitude to the map's coordinates."""
    pyproj = _pyproj()
    crs = pyproj.CRS(wkt)
    return pyproj.Transformer.from_crs(crs.geodetic_crs, crs, always_xy=True)


@functools.lru_cache(maxsize=16)
def from_map(wkt: str) -> Any:
    """Transformer from the map's coordinates to east longitude and latitude."""
    pyproj = _pyproj()
    crs = pyproj.CRS(wkt)
    return pyproj.Transformer.from_crs(crs, crs.geodetic_crs, always_xy=True)
