"""Map grids: where the pixels of a map lie on the planet.

A map has a coordinate reference system (CRS), which PROJ knows, and square pixels. Latitudes are planetocentric on a
sphere of the equator's radius, as the IAU_2015 codes "Sphere / Ocentric" have it, or planetographic on the 1-bar
ellipsoid. Eastings grow to the east; System III longitudes grow to the west.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from perijove.errors import OptionError
from perijove.project.body import BODIES, JUPITER, Body, Latitudes
from perijove.project.crs import PROJECTIONS, from_map, given_crs, named_crs, to_map
from perijove.project.regions import GLOBE, Cutout, Region
from perijove.project.spread import between

Floats = npt.NDArray[np.float64]

#: Pixels of the longest side of a map.
MAX_SIDE_PX: Final = 200_000
#: Pixels between points that are unprojected one by one, and by how much of a pixel those between may be off.
_STEP: Final = 16
_TOLERANCE_PX: Final = 0.002
#: An edge so near to a multiple of the scale is on it, pixels.
_SNAP_PX: Final = 1e-3
#: A pole so near the middle of a map is in it.
_NEAR_POLE_DEG: Final = 89.9
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
    body : Body
    projection : str
        What it was asked for as; "" where that is not known.
    """

    wkt: str
    latitudes: Latitudes
    scale_m: float
    left_m: float
    top_m: float
    width: int
    height: int
    seen_from_km: Floats | None = None
    body: Body = JUPITER
    projection: str = ""

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
            out[out @ (self.seen_from_km / self.body.radii_km**2) < 1.0] = np.nan
        return out

    def pixel(self, ground_km: Floats) -> Floats:
        """Pixel coordinates (x, y) of body-fixed points, (..., 2); NaN where the map does not show them."""
        latitude, longitude = self.body.places(ground_km, self.latitudes)
        x, y = to_map(self.wkt).transform(longitude, latitude)
        seen = np.stack([(x - self.left_m) / self.scale_m, (self.top_m - y) / self.scale_m], axis=-1)
        return np.asarray(np.where(np.isfinite(seen), seen, np.nan))

    @property
    def pole_in_the_middle(self) -> str:
        """Which pole is there: north, south, or ""."""
        _, lat = self._middle()
        if not abs(lat) >= _NEAR_POLE_DEG:
            return ""
        return "north" if lat > 0 else "south"

    def _middle(self) -> tuple[float, float]:
        """East longitude and latitude of the middle of the map."""
        middle = self.left_m + self.width * self.scale_m / 2, self.top_m - self.height * self.scale_m / 2
        lon, lat = self.lon_lat(*middle)
        return float(lon), float(lat)

    def north_angle_deg(self) -> float:
        """Direction of the planet's north in the middle of the map, degrees clockwise from up; 0 at a pole."""
        lon, lat = self._middle()
        if not abs(lat) < _NEAR_POLE_DEG:
            return 0.0
        x, y = to_map(self.wkt).transform([lon, lon], [lat, lat + 90.0 - _NEAR_POLE_DEG])
        return float(np.degrees(np.arctan2(x[1] - x[0], y[1] - y[0])))

    def cropped(self, left: float, top: float, right: float, bottom: float) -> "MapGrid":
        """A part of the map; edges are parts of its width and height, moved to whole pixels.

        Raises
        ------
        OptionError
            Nothing is left.
        """
        columns, rows = _cut((left, right), self.width), _cut((top, bottom), self.height)
        left_m, top_m = self.left_m + columns[0] * self.scale_m, self.top_m - rows[0] * self.scale_m
        return replace(self, left_m=left_m, top_m=top_m, width=columns[1] - columns[0], height=rows[1] - rows[0])

    def zoomed(self, factor: float) -> "MapGrid":
        """The same map with more pixels, or fewer."""
        width, height = (max(round(n * factor), 1) for n in (self.width, self.height))
        return replace(self, scale_m=self.scale_m / factor, width=width, height=height)

    def blocks(self, rows: int) -> Iterator[slice]:
        """Slices of at most ``rows`` rows that cover the map."""
        for first in range(0, self.height, rows):
            yield slice(first, min(first + rows, self.height))

    def tiles(self, side: int, ground_km: Floats, reach_px: int | None = None) -> Iterator[tuple[slice, slice]]:
        """Square tiles (rows, columns) in which points lie, or which they reach; row by row.

        Parameters
        ----------
        side : int
            Pixels.
        ground_km : ndarray, (n, 3)
            Body-fixed.
        reach_px : int, optional
            How far from a point there may be something. Default: a tile.
        """
        reach = side if reach_px is None else reach_px
        held = np.zeros((-(-self.height // side), -(-self.width // side)), bool)
        place = self.pixel(ground_km)
        place = place[((place >= 0) & (place < (self.width, self.height))).all(axis=-1)]
        for way in np.ndindex(3, 3):
            column, row = ((place + (np.array(way) - 1) * reach) // side).astype(int).T
            held[np.clip(row, 0, held.shape[0] - 1), np.clip(column, 0, held.shape[1] - 1)] = True
        for j, i in np.argwhere(held):
            rows = slice(j * side, min((j + 1) * side, self.height))
            yield rows, slice(i * side, min((i + 1) * side, self.width))

    def lon_lat(self, x: npt.ArrayLike, y: npt.ArrayLike) -> tuple[Floats, Floats]:
        """East longitude and the map's latitude of places on it, degrees; NaN off its world."""
        lon, lat = from_map(self.wkt).transform(np.asarray(x, float), np.asarray(y, float))
        outside = ~np.isfinite(lon) | ~np.isfinite(lat) | (np.abs(lat) > 90.0)
        return np.where(outside, np.nan, lon), np.where(outside, np.nan, lat)

    def _unprojected(self, x: Floats, y: Floats) -> Floats:
        lon, lat = self.lon_lat(x, y)
        # Beside the world some projections go on with longitudes that are those of other places.
        again = to_map(self.wkt).transform(lon, lat)
        elsewhere = ~(np.hypot(again[0] - x, again[1] - y) < _MAX_INVERSE_PX * self.scale_m)
        return self.body.points(lat, np.where(elsewhere, np.nan, lon), self.latitudes)

    def _of_cylinder(self, x: Floats, y: Floats) -> Floats | None:
        """Ground where longitude depends on x alone and latitude on y alone; None where it is not so."""
        few = np.linspace(0, 1, 3)
        lon, lat = self.lon_lat(*np.meshgrid(x[0] + few * (x[-1] - x[0]), y[0] + few * (y[-1] - y[0])))
        if not (np.ptp(lon, axis=0).max() < 1e-9 and np.ptp(lat, axis=1).max() < 1e-9):
            return None
        lon, _ = self.lon_lat(x, np.full_like(x, y[len(y) // 2]))
        _, lat = self.lon_lat(np.full_like(y, x[len(x) // 2]), y)
        meridian = self.body.points(lat, np.zeros_like(lat), self.latitudes)
        turn = np.radians(lon)
        out = np.empty((len(y), len(x), 3))
        np.multiply.outer(meridian[:, 0], np.cos(turn), out=out[..., 0])
        np.multiply.outer(meridian[:, 0], np.sin(turn), out=out[..., 1])
        out[..., 2] = np.where(np.isfinite(turn), meridian[:, 2, None], np.nan)
        return out

    def _spread(self, x: Floats, y: Floats) -> Floats | None:
        """Ground by cubic interpolation between points ``_STEP`` pixels apart; None where it is not smooth enough."""
        nodes = [np.arange(-1, -(-len(axis) // _STEP) + 2) * _STEP for axis in (x, y)]
        step = [axis[1] - axis[0] if len(axis) > 1 else self.scale_m for axis in (x, y)]
        at = [axis[0] + node * way for axis, node, way in zip((x, y), nodes, step, strict=True)]
        coarse = self._unprojected(*np.meshgrid(*at))
        if not np.isfinite(coarse).all():
            return None
        middle = self._unprojected(
            *np.meshgrid(*(axis[1:-2] + way * _STEP / 2 for axis, way in zip(at, step, strict=True)))
        )
        guess = between(coarse, np.array([0.5]), middle.shape[:2], self.body.radii_km)
        if not np.linalg.norm(guess - middle, axis=-1).max() < _TOLERANCE_PX * self.scale_m * 1e-3:
            return None
        return between(coarse, np.arange(_STEP) / _STEP, (len(y), len(x)), self.body.radii_km)


def map_grid(
    projection: str,
    shown: Region | Cutout | Floats,
    scale_m: float | None,
    *,
    latitudes: Latitudes = "centric",
    centre: tuple[float, float] | None = None,
    body: Body = JUPITER,
    size: int | None = None,
) -> MapGrid:
    """A grid that holds a region.

    Parameters
    ----------
    projection : str
        One of `PROJECTIONS`, or whatever PROJ understands (``+proj=...``, ``IAU_2015:59912``).
    shown : Region, Cutout or ndarray, (n, 3)
        What the map shows: a region, a square about its centre, or the points of the ground, body-fixed, that it has to
        hold.
    scale_m : float or None
        Side of a pixel, metres of the projection. Edges fall on multiples of it, so that maps of one scale and
        projection fit.
    latitudes : {"centric", "graphic"}
        Of what PROJ understands, its own ellipsoid decides.
    centre : tuple of float, optional
        Latitude of that kind and System III west longitude, degrees, of the middle of the projection. Default: for
        orthographic and equal-area maps the middle of what is shown; for others the meridian of 0 degrees, or that of
        180 if the map would be cut there.
    body : Body
        One of `BODIES`.
    size : int, optional
        In place of the scale: pixels of the longer side; what is shown is in the middle of them.

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
    if (scale_m is None) == (size is None):
        raise OptionError("the scale of a map and its size both tell how many pixels it has; give one of them")
    if scale_m is not None and not (np.isfinite(scale_m) and scale_m > 0):
        raise OptionError(f"a scale of {scale_m / 1e3:g} km per pixel is none; give a positive number")
    if isinstance(shown, Cutout) and (centre is None or "{lat}" not in PROJECTIONS.get(projection, "")):
        known = ", ".join(name for name, text in PROJECTIONS.items() if "{lat}" in text)
        raise OptionError(f"a radius needs a centre, and a projection that has one: {known}; {projection} was chosen")
    if projection in PROJECTIONS:
        crs = named_crs(projection, latitudes, centre or _middle(projection, shown, latitudes, body), body)
    else:
        crs, latitudes = given_crs(projection, body)
    wkt = crs.to_wkt("WKT2_2019")
    x, y = _places(wkt, shown, latitudes, body)
    if not len(x):
        raise OptionError(f"nothing of what is to be shown lies on the map ({projection}); choose another projection")
    if scale_m is None:
        scale_m = _scale_of_size((x, y), size)
    # The corners of a square may lie beyond the world.
    inside = np.isfinite(from_map(wkt).transform(x, y)[0]) if isinstance(shown, Cutout) else np.isfinite(x)
    _check_inverse(wkt, (x[inside], y[inside]), scale_m, projection)
    if size is None:
        (left, right), (low, top) = _edges(x, scale_m), _edges(y, scale_m)
        width, height = max(int(right - left), 1), max(int(top - low), 1)
    else:
        width, height = (max(int(np.ceil(np.ptp(axis) / scale_m - _SNAP_PX)), 1) for axis in (x, y))
        left = (x.min() + x.max()) / (2 * scale_m) - width / 2
        top = (y.min() + y.max()) / (2 * scale_m) + height / 2
    if max(width, height) > MAX_SIDE_PX:
        raise OptionError(
            f"at {scale_m / 1e3:.4g} km per pixel the map would be {width} x {height} pixels; "
            f"choose a coarser scale or a smaller region: {MAX_SIDE_PX} is the most"
        )
    corner = float(left) * scale_m, float(top) * scale_m
    return MapGrid(wkt, latitudes, scale_m, *corner, width, height, None, body, projection)


def _edges(places: Floats, scale_m: float) -> tuple[float, float]:
    """Multiples of the scale between which places lie."""
    return float(np.floor(places.min() / scale_m + _SNAP_PX)), float(np.ceil(places.max() / scale_m - _SNAP_PX))


def _scale_of_size(places: tuple[Floats, Floats], size: int | None) -> float:
    """The scale at which the longer side of what holds places has so many pixels, metres."""
    longer = max(float(np.ptp(axis)) for axis in places)
    if size is None or not 2 <= size <= MAX_SIDE_PX or not longer > 0:
        raise OptionError(f"a map cannot be {size} pixels long; give 2 to {MAX_SIDE_PX}")
    return longer / size


def _cut(parts: tuple[float, float], pixels: int) -> tuple[int, int]:
    """First pixel, and that after the last, of a part of a side.

    Raises
    ------
    OptionError
        Nothing is left.
    """
    first, last = round(parts[0] * pixels), round(parts[1] * pixels)
    if first >= last:
        raise OptionError(f"a crop from {parts[0]:g} to {parts[1]:g} leaves no pixel of {pixels}")
    return first, last


def _places(wkt: str, shown: Region | Cutout | Floats, latitudes: Latitudes, body: Body) -> tuple[Floats, Floats]:
    """Places of the map, metres, all over what it shows."""
    if isinstance(shown, Cutout):
        sides = np.linspace(-1e3, 1e3, 33) * shown.radius_km
        x, y = (axis.ravel() for axis in np.meshgrid(sides, sides))
        return x, y
    if isinstance(shown, Region):
        # A map may be cut at the meridian opposite of its own: it is as wide as both sides of the cut are apart.
        lon, lat = shown.points(*(from_map(wkt).transform(0.0, 0.0)[0] + way for way in (0.0, 180.0)))
    else:
        lat, lon = body.places(shown, latitudes)
    x, y = to_map(wkt).transform(lon, lat)
    good = np.isfinite(x) & np.isfinite(y)
    return x[good], y[good]


def _check_inverse(wkt: str, places: tuple[Floats, Floats], scale_m: float, projection: str) -> None:
    """Refuse what PROJ cannot take back: some of its series are made for bodies less flattened than Jupiter."""
    x, y = to_map(wkt).transform(*from_map(wkt).transform(*places))
    off = np.hypot(x - places[0], y - places[1]).max() / scale_m
    if not off < _MAX_INVERSE_PX:
        raise OptionError(
            f"PROJ cannot invert {projection} on an ellipsoid as flat as this to {_MAX_INVERSE_PX} pixels; "
            "take planetocentric latitudes (a sphere), or another projection"
        )


def scale_of(pixels_per_degree: float, body: Body = JUPITER) -> float:
    """Metres to a pixel, along the equator.

    Examples
    --------
    >>> round(scale_of(25.0))
    49911
    """
    return float(np.radians(1.0) * body.equator_km * 1e3 / pixels_per_degree)


def _middle(projection: str, shown: Region | Cutout | Floats, latitudes: Latitudes, body: Body) -> tuple[float, float]:
    """Latitude and west longitude of a map's middle, degrees."""
    assert not isinstance(shown, Cutout)
    if isinstance(shown, Region):
        lon, lat = shown.points()
    else:
        lat, lon = body.places(shown, latitudes)
    if "{lat}" in PROJECTIONS[projection]:
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


__all__ = [
    "BODIES",
    "GLOBE",
    "JUPITER",
    "MAX_SIDE_PX",
    "PROJECTIONS",
    "Body",
    "Cutout",
    "Latitudes",
    "MapGrid",
    "Region",
    "map_grid",
    "scale_of",
]
