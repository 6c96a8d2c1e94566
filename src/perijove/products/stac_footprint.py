"""Where on the planet a map lies, as GeoJSON has it.

Longitudes grow to the east, from -180 to 180; what crosses the antimeridian is cut there.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from perijove.project.crs import to_map
from perijove.project.grid import MapGrid

Floats = npt.NDArray[np.float64]

#: Points along a side of the map.
_SAMPLES: Final = 65
#: So far inside the map's edges points lie, pixels: on the edges longitudes of -180 and 180 could be either.
_INSET_PX: Final = 1e-3
_WHOLE_DEG: Final = 359.99
_SAME_DEG: Final = 1e-6


def outline(grid: MapGrid) -> tuple[list[float], dict[str, Any]]:
    """The bounding box and the outline of a map.

    Parameters
    ----------
    grid : MapGrid

    Returns
    -------
    bbox : list of float
        West, south, east, north, degrees; west is more than east where the antimeridian lies between.
    geometry : dict
        Polygon or MultiPolygon of GeoJSON, in the map's latitudes. Maps with a pole in them, or with places off the
        world, have a box.
    """
    x = grid.left_m + np.linspace(_INSET_PX, grid.width - _INSET_PX, _SAMPLES) * grid.scale_m
    y = grid.top_m - np.linspace(_INSET_PX, grid.height - _INSET_PX, _SAMPLES) * grid.scale_m
    lon, lat = grid.lon_lat(*np.meshgrid(x, y))
    poles = [side for side in (-90.0, 90.0) if _holds(grid, side)]
    both = np.stack([lon, lat], axis=-1)
    ring = np.concatenate([both[0, :-1], both[:-1, -1], both[-1, :0:-1], both[:0:-1, 0]])
    if (box := _of_cylinder(lon, lat)) is not None:
        return _boxed(*box)
    south, north = float(np.nanmin(lat)), float(np.nanmax(lat))
    if poles:
        return _boxed(-180.0, 180.0, -90.0 if -90.0 in poles else south, 90.0 if 90.0 in poles else north)
    if not np.isfinite(ring).all():
        return _boxed(*_span(lon[np.isfinite(lon)]), south, north)
    ring[:, 0] = np.unwrap(ring[:, 0], period=360.0)
    ring[:, 0] -= 360.0 * np.floor((ring[:, 0].min() + 180.0) / 360.0)
    # Counter-clockwise, as GeoJSON asks.
    return _told(ring[::-1], south, north)


def of_polygons(polygons: Sequence[Sequence[Sequence[Sequence[float]]]]) -> tuple[list[float], dict[str, Any]]:
    """The bounding box and the geometry of what is seen.

    Parameters
    ----------
    polygons : sequence
        As `perijove.compose.mosaic_footprint.footprint` gives them: rings of east longitude and latitude that may cross
        the antimeridian or run around a pole. Holes are left out.

    Returns
    -------
    bbox, geometry
        As of `outline`.
    """
    parts: list[Any] = []
    south, north = 90.0, -90.0
    spans: list[tuple[float, float]] = []
    for outer, *_ in polygons:
        ring = _around_pole(np.array(outer, float))
        ring[:, 0] -= 360.0 * np.floor((ring[:, 0].min() + 180.0) / 360.0)
        bbox, geometry = _told(ring, float(ring[:, 1].min()), float(ring[:, 1].max()))
        south, north = min(south, bbox[1]), max(north, bbox[3])
        spans.append((bbox[0], bbox[2]))
        parts += geometry["coordinates"] if geometry["type"] == "MultiPolygon" else [geometry["coordinates"]]
    crossing = any(west > east for west, east in spans)
    west, east = (-180.0, 180.0) if crossing else (min(s[0] for s in spans), max(s[1] for s in spans))
    box = list(spans[0]) if len(spans) == 1 else [west, east]
    return [box[0], south, box[1], north], {"type": "MultiPolygon", "coordinates": parts}


def _around_pole(ring: Floats) -> Floats:
    """A closed ring, opened and with longitudes that go on; one that runs around a pole goes there and back."""
    ring = ring.copy()
    ring[:, 0] = np.unwrap(ring[:, 0], period=360.0)
    if abs(ring[-1, 0] - ring[0, 0]) < _WHOLE_DEG:
        return ring[:-1]
    pole = 90.0 if ring[:, 1].mean() > 0 else -90.0
    return np.vstack([ring, [ring[-1, 0], pole], [ring[0, 0], pole]])


def _of_cylinder(lon: Floats, lat: Floats) -> tuple[float, float, float, float] | None:
    """West, east, south and north where longitude depends on x alone and latitude on y alone; None where not so."""
    on_world = np.asarray(np.isfinite(lon).all(axis=1))
    if not on_world.any():
        return None
    lon, known = lon[on_world], lat[on_world]
    if np.ptp(lon, axis=0).max() > _SAME_DEG or np.ptp(known, axis=1).max() > _SAME_DEG:
        return None
    along = np.unwrap(lon[0], period=360.0)
    # The edge of a pixel that a pole lies in is off the world.
    north = float(known[0, 0]) if on_world[0] else 90.0
    south = float(known[-1, 0]) if on_world[-1] else -90.0
    return float(along[0]), float(along[-1]), south, north


def _holds(grid: MapGrid, latitude: float) -> bool:
    """Whether a pole lies on the map, as a point."""
    x, y = to_map(grid.wkt).transform(np.array([0.0, 90.0, 180.0]), np.full(3, latitude))
    if not (np.isfinite(x).all() and np.ptp(x) < 1e-3 * grid.scale_m and np.ptp(y) < 1e-3 * grid.scale_m):
        return False
    column, row = (x[0] - grid.left_m) / grid.scale_m, (grid.top_m - y[0]) / grid.scale_m
    return bool(0 <= column <= grid.width and 0 <= row <= grid.height)


def _span(lon: Floats) -> tuple[float, float]:
    """West and east of longitudes: across all but the widest gap between them."""
    some = np.sort(lon % 360.0)
    gaps = np.diff(some, append=some[0] + 360.0)
    widest = int(np.argmax(gaps))
    west = float(some[(widest + 1) % len(some)])
    return west, west + 360.0 - float(gaps[widest])


def _boxed(west: float, east: float, south: float, north: float) -> tuple[list[float], dict[str, Any]]:
    if east - west > _WHOLE_DEG:
        west, east = -180.0, 180.0
    turn = 360.0 * np.floor((west + 180.0) / 360.0)
    west, east = west - turn, east - turn
    corners = np.array([[west, south], [east, south], [east, north], [west, north]])
    return _told(corners, south, north)


def _told(ring: Floats, south: float, north: float) -> tuple[list[float], dict[str, Any]]:
    """Box and geometry of an open ring whose longitudes go on beyond 180 degrees."""
    west, east = float(ring[:, 0].min()), float(ring[:, 0].max())
    parts = [ring]
    if east > 180.0 + 1e-6:
        here = _clipped(ring, lambda lon: 180.0 - lon)
        there = _clipped(ring, lambda lon: lon - 180.0)
        parts = [here, there - (360.0, 0.0)]
        west, east = (-180.0, 180.0) if east - west > _WHOLE_DEG else (west, east - 360.0)
    polygons = [[[*part.round(6).tolist(), part[0].round(6).tolist()]] for part in parts]
    bbox = [round(value, 6) for value in (west, south, east, north)]
    if len(polygons) == 1:
        return bbox, {"type": "Polygon", "coordinates": polygons[0]}
    return bbox, {"type": "MultiPolygon", "coordinates": polygons}


def _clipped(ring: Floats, inside: Callable[[float], float]) -> Floats:
    """The part of an open ring where a function of longitude is not negative (Sutherland & Hodgman 1974)."""
    out = []
    for (lon, lat), (next_lon, next_lat) in zip(ring, np.roll(ring, -1, axis=0), strict=True):
        here, there = inside(lon), inside(next_lon)
        if here >= 0:
            out.append((lon, lat))
        if here * there < 0:
            part = here / (here - there)
            out.append((lon + part * (next_lon - lon), lat + part * (next_lat - lat)))
    return np.array(out)
