"""Maps on disk: cloud-optimised GeoTIFF, written block by block."""

import json
from pathlib import Path

import numpy as np

from perijove.errors import MissingExtraError
from perijove.files import replacing
from perijove.products.map_planes import TILE_PX, MapPlanes
from perijove.products.raster import plain


def write_geotiff(path: Path, content: MapPlanes) -> None:
    """Write planes of a map with overviews, CRS and metadata.

    Parameters
    ----------
    path : Path
    content : MapPlanes
        Its metadata become JSON in the item PERIJOVE of the file.

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
    grid = content.grid
    profile = {
        "driver": "GTiff",
        "width": grid.width,
        "height": grid.height,
        "count": len(content.planes),
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
            for rows, columns, planes in content.tiles:
                if np.isfinite(planes).any():
                    window = Window.from_slices(rows, columns)
                    file.write(np.ascontiguousarray(np.moveaxis(planes, -1, 0)), window=window)
            for index, plane in enumerate(content.planes, start=1):
                file.set_band_description(index, plane.name)
                file.update_tags(index, UNIT=plane.unit, LONG_NAME=plane.long_name)
            file.update_tags(**_items(content))
        copy(plain_file, final, driver="COG", blocksize=TILE_PX, sparse_ok=True, num_threads="all_cpus", **packed)


def _items(content: MapPlanes) -> dict[str, str]:
    """Metadata of the file."""
    latitudes = {
        "centric": "planetocentric, on a sphere of the equator's radius",
        "graphic": "planetographic, on the 1-bar ellipsoid",
    }
    return {
        "LATITUDES": latitudes[content.grid.latitudes],
        "LONGITUDES": "System III; the CRS counts them to the east, west longitude = 360 - east longitude",
        "PERIJOVE": json.dumps(plain(content.metadata), allow_nan=False),
        "TIFFTAG_SOFTWARE": "perijove",
    }
