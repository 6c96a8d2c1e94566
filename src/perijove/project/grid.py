"""Map grids: where the pixels of a map lie on the planet.

A map has a coordinate reference system (CRS), which PROJ knows, and square pixels. Latitudes are planetocentric on a
sphere of the equator's radius, as the IAU_2015 codes "Sphere / Ocentric" have it, or planetographic on the 1-bar
ellipsoid. Eastings grow to the east; System III longitudes grow to the west.
"""

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal

import numba
import numpy as np
import numpy.typing as npt

from perijove.constants import JUPITER_RADII_KM
from perijove.errors import MissingExtraError, OptionError
from perijove.geometry.ellipsoid import RADII_KM, from_lat_lon, lat_centric_deg, lat_graphic_deg, to_lat_lon

Floats = npt.NDArray[np.float64]
Latitudes = Literal["centric", "graphic"]

_EQUATOR_M: Final = JUPITER_RADII_KM[0] * 1e3
_POLE_M: Final = JUPITER_RADII_KM[2] * 1e3
#: Projections by name, as PROJ has them.
PROJECTIONS: Final = {
    "equirectangular": "+proj=eqc +lat_ts=0 +lon_0={lon}",
    "mercator": "+proj=merc +lon_0={lon}",
    "north-stereographic": "+proj=stere +lat_0=90 +lon_0={lon} +k=1",
    "south-stereographic": "+proj=stere +lat_0=-90 +lon_0={lon} +k=1",
    "north-equidistant": "+proj=aeqd +lat_0=90 +lon_0={lon}",
    "south-equidistant": "+proj=aeqd +lat_0=-90 +lon_0={lon}",
    "orthographic": "+proj=ortho +lat_0={lat} +lon_0={lon}",
    "equal-area": "+proj=laea +lat_0={lat} +lon_0={lon}",
}
#: IAU_2015 codes of those on the sphere whose central meridian is 0.
_IAU_CODES: Final = {"equirectangular": 59910, "north-stereographic": 59930, "south-stereographic": 59935}
#: Pixels of the longest side of a map.
MAX_SIDE_PX: Final = 200_000
#: Pixels between points that are unprojected one by one, and by how much of a pixel those between may be off.
_STEP: Final = 16
_TOLERANCE_PX: Final = 0.002
#: An edge so near to a multiple of the scale is on it, pixels.
_SNAP_PX: Final = 1e-3
#: By how much of a pixel a place may be off that PROJ has taken to latitude and longitude and back.
_MAX_INVERSE_PX: Final = 0.01


@dataclass(frozen=True)
class MapGrid:
    """Pixels of a map.

    Attributes
    ----------
    wkt : str
        CRS, WKT 2.
    latitudes : {"centric", "graphic"}
        What its latitudes are.
    scale_m : float
        Side of a pixel, metres of the CRS.
    left_m, top_m : float
        Outer corner of the upper left pixel.
    width, height : int
    seen_from_km : ndarray, (3,), or None
        Observer of the image that is drawn, body-fixed: ground beyond its horizon is left out.
    """

    wkt: str
    latitudes: Latitudes
    scale_m: float
    left_m: float
    top_m: float
    width: int
    height: int
    seen_from_km: Floats | None = None

    def __post_init__(self) -> None:
        if self.seen_from_km is not None:
            frozen = np.array(self.seen_from_km, float)
            frozen.flags.writeable = False
            object.__setattr__(self, "seen_from_km", frozen)

    @property
    def transform(self) -> tuple[float, float, float, float, float, float]:
        """Coefficients a to f of x = a column + b row + c, y = d column + e row + f, pixel corners to metres."""
        return (self.scale_m, 0.0, self.left_m, 0.0, -self.scale_m, self.top_m)

    def ground(self, rows: slice = slice(None), columns: slice = slice(None)) -> Floats:
        """Body-fixed points of pixel centres, (rows, columns, 3), km; NaN off the world and beyond the horizon."""
        x = np.asarray(self.left_m + (np.arange(self.width)[columns] + 0.5) * self.scale_m, float)
        y = np.asarray(self.top_m - (np.arange(self.height)[rows] + 0.5) * self.scale_m, float)
        out = self._of_cylinder(x, y)
        if out is None:
            out = self._spread(x, y)
        if out is None:
            out = self._unprojected(*np.meshgrid(x, y))
        if self.seen_from_km is not None:
            # In the ellipsoid's metric the horizon of an observer S is the plane S . P = 1.
            out[out @ (self.seen_from_km / RADII_KM**2) < 1.0] = np.nan
        return out

    def pixel(self, ground_km: Floats) -> Floats:
        """Pixel coordinates (x, y) of body-fixed points, (..., 2); NaN where the map does not show them."""
        graphic, lon_w = to_lat_lon(ground_km)
        latitude = lat_centric_deg(graphic) if self.latitudes == "centric" else graphic
        x, y = _to_map(self.wkt).transform(-lon_w, latitude)
        seen = np.stack([(x - self.left_m) / self.scale_m, (self.top_m - y) / self.scale_m], axis=-1)
        return np.asarray(np.where(np.isfinite(seen), seen, np.nan))

    def blocks(self, rows: int) -> Iterator[slice]:
        """Slices of at most ``rows`` rows that cover the map."""
        for first in range(0, self.height, rows):
            yield slice(first, min(first + rows, self.height))

    def tiles(self, side: int, ground_km: Floats) -> Iterator[tuple[slice, slice]]:
        """Square tiles (rows, columns) in which points lie, and those next to them; row by row.

        Parameters
        ----------
        side : int
            Pixels.
        ground_km : ndarray, (n, 3)
            Body-fixed, at most a tile from each other.
        """
        down, across = -(-self.height // side), -(-self.width // side)
        held = np.zeros((down + 2, across + 2), bool)
        place = self.pixel(ground_km)
        on_map = ((place >= 0) & (place < (self.width, self.height))).all(axis=-1)
        column, row = (place[on_map] // side).astype(int).T
        for way in np.ndindex(3, 3):
            held[row + way[0], column + way[1]] = True
        for j, i in np.argwhere(held[1:-1, 1:-1]):
            rows = slice(j * side, min((j + 1) * side, self.height))
            yield rows, slice(i * side, min((i + 1) * side, self.width))

    def lon_lat(self, x: npt.ArrayLike, y: npt.ArrayLike) -> tuple[Floats, Floats]:
        """East longitude and the map's latitude of places on it, degrees; NaN off its world."""
        lon, lat = _from_map(self.wkt).transform(np.asarray(x, float), np.asarray(y, float))
        outside = ~np.isfinite(lon) | ~np.isfinite(lat) | (np.abs(lat) > 90.0)
        return np.where(outside, np.nan, lon), np.where(outside, np.nan, lat)

    def _unprojected(self, x: Floats, y: Floats) -> Floats:
        lon, lat = self.lon_lat(x, y)
        # Beside the world some projections go on with longitudes that are those of other places.
        again = _to_map(self.wkt).transform(lon, lat)
        elsewhere = ~(np.hypot(again[0] - x, again[1] - y) < _MAX_INVERSE_PX * self.scale_m)
        return self._point(np.where(elsewhere, np.nan, lon), lat)

    def _point(self, lon: Floats, lat: Floats) -> Floats:
        return from_lat_lon(lat_graphic_deg(lat) if self.latitudes == "centric" else lat, -lon)

    def _of_cylinder(self, x: Floats, y: Floats) -> Floats | None:
        """Ground where longitude depends on x alone and latitude on y alone; None where it is not so."""
        few = np.linspace(0, 1, 3)
        lon, lat = self.lon_lat(*np.meshgrid(x[0] + few * (x[-1] - x[0]), y[0] + few * (y[-1] - y[0])))
        if not (np.ptp(lon, axis=0).max() < 1e-9 and np.ptp(lat, axis=1).max() < 1e-9):
            return None
        lon, _ = self.lon_lat(x, np.full_like(x, y[len(y) // 2]))
        _, lat = self.lon_lat(np.full_like(y, x[len(x) // 2]), y)
        meridian = self._point(np.zeros_like(lat), lat)
        turn = np.radians(lon)
        out = np.empty((len(y), len(x), 3))
        np.multiply.outer(meridian[:, 0], np.cos(turn), out=out[..., 0])
        np.multiply.outer(meridian[:, 0], np.sin(turn), out=out[..., 1])
        out[..., 2] = np.where(np.isfinite(turn), meridian[:, 2, None], np.nan)
        return out

    def _spread(self, x: Floats, y: Floats) -> Floats | None:
        """Ground by cubic interpolation between points ``_STEP`` pixels apart; None where it is not smooth enough."""
        nodes = [np.arange(-1, -(-len(axis) // _STEP) + 2) * _STEP for axis in (x, y)]
        step = self.scale_m * np.array([1.0, -1.0])
        at = [axis[0] + node * way for axis, node, way in zip((x, y), nodes, step, strict=True)]
        coarse = self._unprojected(*np.meshgrid(*at))
        if not np.isfinite(coarse).all():
            return None
        middle = self._unprojected(
            *np.meshgrid(*(axis[1:-2] + way * _STEP / 2 for axis, way in zip(at, step, strict=True)))
        )
        guess = np.empty_like(middle)
        _fill_between(coarse, _cubic_weights(np.array([0.5])), guess)
        if not np.linalg.norm(guess - middle, axis=-1).max() < _TOLERANCE_PX * self.scale_m * 1e-3:
            return None
        out = np.empty((len(y), len(x), 3))
        _fill_between(coarse, _cubic_weights(np.arange(_STEP) / _STEP), out)
        return out


@dataclass(frozen=True)
class Region:
    """A part of the planet.

    Attributes
    ----------
    south_deg, north_deg : float
        Latitudes, of the kind that the map has.
    from_w_deg, to_w_deg : float
        System III longitudes of its eastern and western side: it reaches from the first westward to the second.
    """

    south_deg: float
    north_deg: float
    from_w_deg: float
    to_w_deg: float

    def __post_init__(self) -> None:
        if not -90 <= self.south_deg < self.north_deg <= 90:
            raise OptionError(
                f"a region from latitude {self.south_deg:g} to {self.north_deg:g} is none: give south before north"
            )
        if not 0 < self.to_w_deg - self.from_w_deg <= 360:
            raise OptionError(
                f"a region from {self.from_w_deg:g} to {self.to_w_deg:g} degrees west is none: longitudes grow to the "
                "west; across the meridian of 0 go on beyond 360, as in 350,370"
            )

    def points(self, *meridians_deg: float) -> tuple[Floats, Floats]:
        """East longitudes and latitudes of points all over it, degrees; also on either side of some meridians."""
        lon = -np.linspace(self.from_w_deg, self.to_w_deg, 181)
        beside = np.add.outer(np.array(meridians_deg), (-1e-9, 1e-9)).ravel()
        beside = -self.from_w_deg - (-self.from_w_deg - beside) % 360.0
        lon = np.concatenate([lon, beside[beside >= -self.to_w_deg]])
        at = np.meshgrid(lon, np.linspace(self.south_deg, self.north_deg, 91))
        return at[0].ravel(), at[1].ravel()


GLOBE: Final = Region(-90.0, 90.0, 0.0, 360.0)


def map_grid(
    projection: str,
    shown: Region | Floats,
    scale_m: float,
    *,
    latitudes: Latitudes = "centric",
    centre: tuple[float, float] | None = None,
) -> MapGrid:
    """A grid that holds a region.

    Parameters
    ----------
    projection : str
        One of `PROJECTIONS`, or whatever PROJ understands (``+proj=...``, ``IAU_2015:59912``).
    shown : Region or ndarray, (n, 3)
        What the map shows: a region, or the points of the ground, body-fixed, that it has to hold.
    scale_m : float
        Side of a pixel, metres of the projection. Edges fall on multiples of it, so that maps of one scale and
        projection fit.
    latitudes : {"centric", "graphic"}
        Of what PROJ understands, its own ellipsoid decides.
    centre : tuple of float, optional
        Latitude of that kind and System III west longitude, degrees, of the middle of the projection. Default: for
        orthographic and equal-area maps the middle of what is shown; for others the meridian of 0 degrees, or that of
        180 if the map would be cut there.

    Returns
    -------
    MapGrid

    Raises
    ------
    OptionError
        There is no such projection, the scale is not usable, or nothing of what is shown lies on the map.
    MissingExtraError
        pyproj is not installed.
    """
    if not (np.isfinite(scale_m) and scale_m > 0):
        raise OptionError(f"a scale of {scale_m / 1e3:g} km per pixel is none; give a positive number")
    if projection in PROJECTIONS:
        crs = _named(projection, latitudes, centre or _middle(projection, shown, latitudes))
    else:
        crs, latitudes = _given(projection)
    wkt = crs.to_wkt("WKT2_2019")
    if isinstance(shown, Region):
        # A map may be cut at the meridian opposite of its own: it is as wide as both sides of the cut are apart.
        lon, lat = shown.points(*(_from_map(wkt).transform(0.0, 0.0)[0] + way for way in (0.0, 180.0)))
    else:
        lon, lat = _lon_lat_of(shown, latitudes)
    x, y = _to_map(wkt).transform(lon, lat)
    good = np.isfinite(x) & np.isfinite(y)
    if not good.any():
        raise OptionError(f"nothing of what is to be shown lies on the map ({projection}); choose another projection")
    _check_inverse(wkt, (x[good], y[good]), scale_m, projection)
    left, right = np.floor(x[good].min() / scale_m + _SNAP_PX), np.ceil(x[good].max() / scale_m - _SNAP_PX)
    low, top = np.floor(y[good].min() / scale_m + _SNAP_PX), np.ceil(y[good].max() / scale_m - _SNAP_PX)
    width, height = max(int(right - left), 1), max(int(top - low), 1)
    if max(width, height) > MAX_SIDE_PX:
        raise OptionError(
            f"at {scale_m / 1e3:.4g} km per pixel the map would be {width} x {height} pixels; "
            f"choose a coarser scale or a smaller region: {MAX_SIDE_PX} is the most"
        )
    return MapGrid(wkt, latitudes, scale_m, float(left) * scale_m, float(top) * scale_m, width, height)


def _check_inverse(wkt: str, places: tuple[Floats, Floats], scale_m: float, projection: str) -> None:
    """Refuse what PROJ cannot take back: some of its series are made for bodies less flattened than Jupiter."""
    x, y = _to_map(wkt).transform(*_from_map(wkt).transform(*places))
    off = np.hypot(x - places[0], y - places[1]).max() / scale_m
    if not off < _MAX_INVERSE_PX:
        raise OptionError(
            f"PROJ cannot invert {projection} on an ellipsoid as flat as Jupiter's to {_MAX_INVERSE_PX} pixels; "
            "take planetocentric latitudes (a sphere), or another projection"
        )


def scale_of(pixels_per_degree: float) -> float:
    """Metres to a pixel, along the equator.

    Examples
    --------
    >>> round(scale_of(25.0))
    49911
    """
    return float(np.radians(1.0) * _EQUATOR_M / pixels_per_degree)


def _lon_lat_of(ground_km: Floats, latitudes: Latitudes) -> tuple[Floats, Floats]:
    graphic, lon_w = to_lat_lon(ground_km)
    return -lon_w, lat_centric_deg(graphic) if latitudes == "centric" else graphic


def _middle(projection: str, shown: Region | Floats, latitudes: Latitudes) -> tuple[float, float]:
    """Latitude and west longitude of a map's middle, degrees."""
    if isinstance(shown, Region):
        lon, lat = shown.points()
    else:
        lon, lat = _lon_lat_of(shown, latitudes)
    if projection in ("orthographic", "equal-area"):
        turn, rise = np.radians(lon), np.radians(lat)
        mean = np.array([np.cos(rise) * np.cos(turn), np.cos(rise) * np.sin(turn), np.sin(rise)]).mean(axis=1)
        if np.linalg.norm(mean) < 1e-6:
            return 0.0, 0.0
        return float(np.degrees(np.arctan2(mean[2], np.hypot(*mean[:2])))), float(
            np.degrees(-np.arctan2(mean[1], mean[0]))
        )
    if projection in ("equirectangular", "mercator"):
        # Cut where less is lost: at 180 degrees, or at 0.
        at_180 = np.abs((lon + 180.0) % 360.0 - 180.0) > 150.0
        return 0.0, 180.0 if at_180.any() and not (np.abs((lon + 180.0) % 360.0 - 180.0) < 30.0).any() else 0.0
    return 0.0, 0.0


def _pyproj() -> Any:
    try:
        import pyproj
    except ImportError as missing:
        raise MissingExtraError("maps need pyproj: pip install 'perijove[geo]'") from missing
    return pyproj


def _named(projection: str, latitudes: Latitudes, centre: tuple[float, float]) -> Any:
    """CRS of one of our projections."""
    pyproj = _pyproj()
    lat, lon_w = centre
    if not (-90 <= lat <= 90 and np.isfinite(lon_w)):
        raise OptionError(f"a map cannot be centred at latitude {lat:g}, longitude {lon_w:g}: give degrees")
    lon = -lon_w % 360.0
    lon -= 360.0 if lon > 180.0 else 0.0
    if latitudes == "centric" and lon == 0.0 and projection in _IAU_CODES:
        return pyproj.CRS.from_authority("IAU_2015", _IAU_CODES[projection])
    body = f"+R={_EQUATOR_M:.0f}" if latitudes == "centric" else f"+a={_EQUATOR_M:.0f} +b={_POLE_M:.0f}"
    text = f"{PROJECTIONS[projection].format(lat=f'{lat:.9g}', lon=f'{lon:.9g}')} {body} +units=m +no_defs +type=crs"
    told = pyproj.CRS(text).to_json_dict()
    kind = "Sphere / Ocentric" if latitudes == "centric" else "Ographic, east longitudes"
    told["name"] = f"Jupiter (2015) - {kind} / {projection}"
    told["base_crs"]["name"] = f"Jupiter (2015) - {kind}"
    told["base_crs"]["datum"]["name"] = "Jupiter (2015)"
    told["base_crs"]["datum"]["ellipsoid"]["name"] = "Jupiter (2015)"
    return pyproj.CRS.from_json_dict(told)


def _given(text: str) -> tuple[Any, Latitudes]:
    """CRS from whatever PROJ understands, and what its latitudes are."""
    pyproj = _pyproj()
    try:
        crs = pyproj.CRS(text)
    except pyproj.exceptions.CRSError as error:
        known = ", ".join(PROJECTIONS)
        raise OptionError(f"there is no projection {text!r}; choose from {known}, or give a PROJ string") from error
    body = crs.ellipsoid
    if not crs.is_projected or body is None or not abs(body.semi_major_metre / _EQUATOR_M - 1) < 1e-3:
        raise OptionError(f"{text!r} is no projection of Jupiter: it needs +proj and +R={_EQUATOR_M:.0f}, or +a and +b")
    if any(axis.direction.lower() == "west" for axis in crs.axis_info):
        raise OptionError(f"the axes of {text!r} grow to the west; choose a projection with eastings")
    sphere = body.semi_major_metre == body.semi_minor_metre
    if not sphere and abs(body.semi_minor_metre / _POLE_M - 1) > 1e-3:
        raise OptionError(f"the ellipsoid of {text!r} is not Jupiter's: give +a={_EQUATOR_M:.0f} +b={_POLE_M:.0f}")
    return crs, "centric" if sphere else "graphic"


@functools.lru_cache(maxsize=16)
def _to_map(wkt: str) -> Any:
    """Transformer from east longitude and latitude to the map's coordinates."""
    pyproj = _pyproj()
    crs = pyproj.CRS(wkt)
    return pyproj.Transformer.from_crs(crs.geodetic_crs, crs, always_xy=True)


@functools.lru_cache(maxsize=16)
def _from_map(wkt: str) -> Any:
    pyproj = _pyproj()
    crs = pyproj.CRS(wkt)
    return pyproj.Transformer.from_crs(crs, crs.geodetic_crs, always_xy=True)


def _cubic_weights(at: Floats) -> Floats:
    """Weights of four points, -1 to 2, at places between the second and the third, (n, 4): Lagrange's cubic."""
    t = at[:, None]
    return np.hstack(
        [
            -t * (t - 1) * (t - 2) / 6,
            (t + 1) * (t - 1) * (t - 2) / 2,
            -(t + 1) * t * (t - 2) / 2,
            (t + 1) * t * (t - 1) / 6,
        ]
    )


@numba.njit(cache=True, parallel=True)
def _fill_between(coarse, weights, out):  # type: ignore[no-untyped-def]
    """Interpolate a grid of points; its second row and column are the first of ``out``, every len(weights)-th one."""
    step = len(weights)
    for j in numba.prange(out.shape[0]):
        row, down = j // step, weights[j % step]
        line = np.zeros((coarse.shape[1], 3))
        for k in range(4):
            for i in range(coarse.shape[1]):
                for c in range(3):
                    line[i, c] += down[k] * coarse[row + k, i, c]
        for i in range(out.shape[1]):
            column, across = i // step, weights[i % step]
            for c in range(3):
                value = 0.0
                for k in range(4):
                    value += across[k] * line[column + k, c]
                out[j, i, c] = value
