"""From where a map was seen and lit, as the extension view 1.0.0 of STAC tells it."""

import numpy as np
import numpy.typing as npt

from perijove.geometry.ellipsoid import above, from_lat_lon, normals
from perijove.geometry.orientation import j2000_to_jupiter
from perijove.geometry.sunlight import sunlight_at
from perijove.geometry.timescale import utc_to_et
from perijove.project.body import JUPITER
from perijove.project.grid import MapGrid

Floats = npt.NDArray[np.float64]


def view_angles(grid: MapGrid, utc: str) -> dict[str, float]:
    """Angles at the middle of what an image shows of a map.

    Parameters
    ----------
    grid : MapGrid
        Without an observer only the Sun is told, and nothing of other bodies than Jupiter.
    utc : str
        When it was seen.

    Returns
    -------
    dict
        ``view:off_nadir``, ``view:azimuth`` (of the place, from the sub-spacecraft point), ``view:incidence_angle``
        (which is the emission angle), ``view:sun_azimuth``, ``view:sun_elevation``, degrees.
    """
    middle = _middle(grid) if grid.body == JUPITER else None
    if middle is None:
        return {}
    et = utc_to_et(utc.removesuffix("Z"))
    sun = j2000_to_jupiter(et) @ sunlight_at(et).sun_km
    told = {
        "view:sun_azimuth": _azimuth(middle, sun),
        "view:sun_elevation": 90.0 - _angle(normals(middle), sun - middle),
    }
    observer = grid.seen_from_km
    if observer is not None:
        lat, lon_w, _ = above(observer)
        below = from_lat_lon(lat, lon_w)
        told |= {
            "view:off_nadir": _angle(below - observer, middle - observer),
            "view:azimuth": _azimuth(below, middle - below),
            "view:incidence_angle": _angle(normals(middle), observer - middle),
        }
    return {key: round(value, 3) for key, value in told.items()}


def _middle(grid: MapGrid) -> Floats | None:
    """The point of the map nearest to the mean of all that is seen."""
    rows, columns = (np.unique(np.linspace(0, side - 1, 33).astype(int)) for side in (grid.height, grid.width))
    points = np.concatenate([grid.ground(slice(row, row + 1))[0, columns] for row in rows])
    seen = points[np.isfinite(points).all(axis=-1)]
    if not len(seen):
        return None
    return np.asarray(seen[np.argmin(np.linalg.norm(seen - seen.mean(axis=0), axis=-1))])


def _angle(one: Floats, other: Floats) -> float:
    across = np.linalg.norm(np.cross(one, other))
    return float(np.degrees(np.arctan2(across, one @ other)))


def _azimuth(place: Floats, direction: Floats) -> float:
    """Of a direction, as seen from a place, clockwise from north."""
    up = normals(place)
    east = np.cross([0.0, 0.0, 1.0], up)
    north = np.cross(up, east)
    return float(np.degrees(np.arctan2(direction @ east, direction @ north)) % 360.0)
