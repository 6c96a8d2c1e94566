"""Maps on disk: cloud-optimised GeoTIFF, written tile by tile."""

import json
import os
import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from perijove.errors import MissingExtraError
from perijove.files import replacing
from perijove.products.about import About
from perijove.products.cog import write_cog
from perijove.products.map_planes import TILE_PX, MapPlanes
from perijove.products.pyramid import Pyramid
from perijove.products.raster import plain
from perijove.products.xmp import packet
from perijove.project.grid import JUPITER

#: Higher levels of deflate make noise of the detector no smaller.
_LEVEL: Final = 1


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
    "planetocentric": the items LATITUDES and LONGITUDES do. Tiles are compressed while the next ones are drawn.
    """
    template = _template(content)
    shape = (content.grid.height, content.grid.width, len(content.planes))
    averaged = tuple(plane.averaged for plane in content.planes)
    with (
        replacing(path) as final,
        tempfile.TemporaryFile(dir=final.parent) as scratch,
        ThreadPoolExecutor(os.cpu_count()) as workers,
    ):
        pyramid = Pyramid(shape, TILE_PX, averaged, _encoded, _decoder(shape[2]), scratch, workers)
        for rows, columns, planes in content.tiles:
            pyramid.add(rows, columns, planes)
        pyramid.finish()
        with final.open("wb") as out:
            write_cog(out, template, pyramid)


def _template(content: MapPlanes) -> bytes:
    """A GeoTIFF that says all of a map and holds none of it."""
    try:
        import rasterio
        from rasterio.io import MemoryFile
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
        "interleave": "pixel",
        "compress": "deflate",
        "predictor": 3,
        "sparse_ok": True,
    }
    with MemoryFile() as memory:
        with memory.open(**profile) as file:
            for index, plane in enumerate(content.planes, start=1):
                file.set_band_description(index, plane.name)
                file.update_tags(index, UNIT=plane.unit, LONG_NAME=plane.long_name)
            file.update_tags(**_items(content))
            tell(file, content.metadata, "Map of Jupiter: " + ", ".join(plane.name for plane in content.planes))
        return bytes(memory.read())


def tell(file: Any, metadata: Mapping[str, Any], caption: str) -> None:
    """Write into an open GeoTIFF who made it, under which licence, and what it shows.

    Parameters
    ----------
    file : rasterio.io.DatasetWriter
    metadata : mapping
        Of the map; becomes JSON in the item PERIJOVE, and the credit in it XMP and TIFF's own tags.
    caption : str
    """
    title = str(metadata.get("title") or metadata.get("product") or "Map of Jupiter")
    about = About(title, metadata, caption, taken_utc=str(metadata.get("start_time_utc", "")))
    items = {
        "PERIJOVE": json.dumps(plain(metadata), allow_nan=False),
        "TIFFTAG_SOFTWARE": "perijove",
        "TIFFTAG_IMAGEDESCRIPTION": caption,
        "TIFFTAG_ARTIST": ", ".join(about.creators),
        "TIFFTAG_COPYRIGHT": about.credit,
    }
    file.update_tags(**{name: text for name, text in items.items() if text})
    # What rasterio writes as XMP is a name and a value with an equals sign between them; every packet has one.
    name, _, value = packet(about, documents=False).decode().partition("=")
    file.update_tags(ns="xml:XMP", **{name: value})


def _encoded(tile: npt.NDArray[np.float32]) -> bytes:
    import imagecodecs

    predicted = imagecodecs.floatpred_encode(np.ascontiguousarray(tile), axis=-2)
    return bytes(imagecodecs.deflate_encode(predicted.tobytes(), _LEVEL))


def _decoder(planes: int) -> Any:
    def decoded(content: bytes) -> npt.NDArray[np.float32]:
        import imagecodecs

        shape = (TILE_PX, TILE_PX, planes)
        raw = np.frombuffer(imagecodecs.deflate_decode(content), np.float32).reshape(shape)
        return np.asarray(imagecodecs.floatpred_decode(raw, axis=-2))

    return decoded


def _items(content: MapPlanes) -> dict[str, str]:
    """Metadata of the file."""
    latitudes = {
        "centric": "planetocentric, on a sphere of the equator's radius",
        "graphic": "planetographic, on the 1-bar ellipsoid",
    }
    system = "System III" if content.grid.body == JUPITER else content.grid.body.name
    return {
        "LATITUDES": latitudes[content.grid.latitudes],
        "LONGITUDES": f"{system}; the CRS counts them to the east, west longitude = 360 - east longitude",
    }
