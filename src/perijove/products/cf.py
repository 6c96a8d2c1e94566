"""Maps as the CF conventions describe them: coordinates, grid mapping and attributes of netCDF and Zarr.

Source: NetCDF Climate and Forecast (CF) Metadata Conventions 1.11, chapters 2, 3, 5 and appendix F.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from perijove.products.map_planes import TILE_PX, MapPlanes, Plane
from perijove.products.raster import plain
from perijove.project.body import JUPITER
from perijove.project.grid import MapGrid

Floats = npt.NDArray[np.float64]

CONVENTIONS: Final = "CF-1.11"
#: Name of the variable that holds the CRS, which the readers of xarray look for.
GRID_MAPPING: Final = "spatial_ref"


@dataclass(frozen=True)
class Coordinate:
    """Values along one dimension.

    Attributes
    ----------
    dimension : {"x", "y"}
    values : ndarray, (n,), float64
    attributes : dict
    """

    dimension: str
    values: Floats
    attributes: dict[str, str]


def coordinates(grid: MapGrid) -> dict[str, Coordinate]:
    """Coordinates of pixel centres: x and y, and longitude and latitude where they depend on one of them alone."""
    x = np.asarray(grid.left_m + (np.arange(grid.width) + 0.5) * grid.scale_m, float)
    y = np.asarray(grid.top_m - (np.arange(grid.height) + 0.5) * grid.scale_m, float)
    found = {
        axis: Coordinate(
            axis,
            values,
            {
                "standard_name": f"projection_{axis}_coordinate",
                "long_name": f"{way} of pixel centres",
                "units": "m",
                "axis": axis.upper(),
            },
        )
        for axis, values, way in (("x", x, "easting"), ("y", y, "northing"))
    }
    return {**found, **_of_cylinder(grid, x, y)}


def _of_cylinder(grid: MapGrid, x: Floats, y: Floats) -> dict[str, Coordinate]:
    some_x, some_y = np.linspace(x[0], x[-1], 5), np.linspace(y[0], y[-1], 5)
    lon, lat = grid.lon_lat(*np.meshgrid(some_x, some_y))
    straight = np.ptp(lon, axis=0).max() < 1e-9 and np.ptp(lat, axis=1).max() < 1e-9
    if not straight:
        return {}
    lon, _ = grid.lon_lat(x, np.full_like(x, y[len(y) // 2]))
    _, lat = grid.lon_lat(np.full_like(y, x[len(x) // 2]), y)
    longitudes = "System III longitude" if grid.body == JUPITER else "planetocentric longitude"
    return {
        "lat": Coordinate(
            "y",
            lat,
            {"standard_name": "latitude", "long_name": f"planeto{grid.latitudes} latitude", "units": "degrees_north"},
        ),
        "lon": Coordinate(
            "x",
            # Across the meridian of 180 degrees, too, they go on.
            np.unwrap(lon, period=360.0),
            {
                "standard_name": "longitude",
                "long_name": f"{longitudes}, growing to the east; west longitude = 360 - this",
                "units": "degrees_east",
            },
        ),
    }


def grid_mapping(grid: MapGrid) -> dict[str, Any]:
    """Attributes of the variable that holds the CRS, as CF and as GDAL have it."""
    import pyproj

    crs = pyproj.CRS(grid.wkt)
    body = crs.ellipsoid
    assert body is not None
    a, b, left, d, e, top = grid.transform
    return {
        "semi_major_axis": body.semi_major_metre,
        "semi_minor_axis": body.semi_minor_metre,
        # CF has no name for some projections; the WKT says all.
        "grid_mapping_name": "unknown",
        **crs.to_cf(),
        "long_name": "coordinate reference system",
        "spatial_ref": grid.wkt,
        "GeoTransform": " ".join(f"{value!r}" for value in (left, a, b, top, d, e)),
        "target": grid.body.name,
        "target_radii_m": (grid.body.radii_km * 1e3).tolist(),
        "latitudes": f"planeto{grid.latitudes}",
    }


def plane_attributes(plane: Plane, known: Mapping[str, Coordinate]) -> dict[str, str]:
    """Attributes of a plane's variable among coordinates."""
    beside = [name for name, found in known.items() if name != found.dimension]
    told = {"long_name": plane.long_name, "units": plane.unit, "grid_mapping": GRID_MAPPING}
    return {**told, "coordinates": " ".join(beside)} if beside else told


def global_attributes(content: MapPlanes) -> dict[str, str]:
    """Attributes of the whole: title, source, credit, licence, history, and all that is known as JSON."""
    known = content.metadata
    told = {
        "Conventions": CONVENTIONS,
        "title": known.get("title"),
        "source": known.get("product"),
        "history": known.get("software"),
        "credit": known.get("credit"),
        "license": known.get("licence"),
        "perijove": json.dumps(plain(known), allow_nan=False),
    }
    return {key: str(value) for key, value in told.items() if value}


def chunk(grid: MapGrid) -> tuple[int, int]:
    """Rows and columns of a chunk: a tile, or the map where it is smaller."""
    return min(TILE_PX, grid.height), min(TILE_PX, grid.width)
