"""Maps on disk: cloud-optimised GeoTIFF, written block by block."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from perijove.errors import MissingExtraError
from perijove.files import replacing
from perijove.products.raster import plain
from perijove.project.grid import MapGrid

Planes = npt.NDArray[np.float32]

#: Side of a tile, pixels.
TILE_PX: Final = 512


def write_geotiff(
    path: Path,
    grid: MapGrid,
    tiles: Iterable[tuple[slice, slice, Planes]],
    names: Sequence[str],
    metadata: Mapping[str, Any],
) -> None:
    """Write planes of a map with overviews, CRS and metadata.

    Parameters
    ----------
    path : Path
    grid : MapGrid
    tiles : iterable of tuple of slice, slice and ndarray
        Rows, columns and their planes, (rows, columns, plane), float32; NaN where nothing is known, as it is where no
        tile comes. Tiles of ``TILE_PX`` from the upper left corner are written fastest.
    names : sequence of str
        Of the planes.
    metadata : mapping
        Becomes JSON in the item PERIJOVE of the file.

    Raises
    ------
    MissingExtraError
        rasterio is not installed.
    OptionError
        The file cannot be written.

    Notes
    -----
    Float32, deflate with the floating-point predictor; tiles where nothing is known take no room. GeoTIFF cannot say
    "planetocentric": the items LATITUDES and LONGITUDES do.
    """
    try:
        import rasterio
        from rasterio.shutil import copy
        from rasterio.windows import Window
    except ImportError as missing:
        raise MissingExtraError("GeoTIFF needs rasterio: pip install 'perijove[geo]'") from missing
    profile = {
        "driver": "GTiff",
        "width": grid.width,
        "height": grid.height,
        "count": len(names),
        "dtype": "float32",
        "nodata": float("nan"),
        "crs": rasterio.crs.CRS.from_wkt(grid.wkt),
        "transform": rasterio.Affine(*grid.transform),
        "tiled": True,
        "blockxsize": TILE_PX,
        "blockysize": TILE_PX,
        "interleave": "band",
        "sparse_ok": True,
        "bigtiff": "if_safer",
    }
    packed = {"compress": "deflate", "predictor": 3, "level": 1, "overview_resampling": "average"}
    with replacing(path) as final, replacing(path.with_suffix(".tiles.tif"), kept=False) as plain_file:
        with rasterio.open(plain_file, "w", **profile) as file:
            for rows, columns, planes in tiles:
                if np.isfinite(planes).any():
                    window = Window.from_slices(rows, columns)
                    file.write(np.ascontiguousarray(np.moveaxis(planes, -1, 0)), window=window)
            for index, name in enumerate(names, start=1):
                file.set_band_description(index, name)
            file.update_tags(**_items(grid, metadata))
        copy(plain_file, final, driver="COG", blocksize=TILE_PX, sparse_ok=True, num_threads="all_cpus", **packed)


def _items(grid: MapGrid, metadata: Mapping[str, Any]) -> dict[str, str]:
    """Metadata of the file."""
    latitudes = {
        "centric": "planetocentric, on a sphere of the equator's radius",
        "graphic": "planetographic, on the 1-bar ellipsoid",
    }
    return {
        "LATITUDES": latitudes[grid.latitudes],
        "LONGITUDES": "System III; the CRS counts them to the east, west longitude = 360 - east longitude",
        "PERIJOVE": json.dumps(plain(metadata), allow_nan=False),
        "TIFFTAG_SOFTWARE": "perijove",
    }
