"""Pictures of maps on disk: cloud-optimised GeoTIFF of 8 or 16 bits."""

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from perijove.errors import MissingExtraError, OptionError
from perijove.files import replacing
from perijove.products.geotiff import tell
from perijove.products.icc import icc_profile
from perijove.products.map_planes import TILE_PX
from perijove.products.raster import Pixels
from perijove.project.grid import MapGrid

#: What channels are, by how many there are.
_CHANNELS: Final = {1: ("gray",), 3: ("red", "green", "blue"), 4: ("red", "green", "blue", "alpha")}


def write_picture_geotiff(
    path: Path, grid: MapGrid, pixels: Pixels, metadata: Mapping[str, Any], gamut: str = "srgb"
) -> None:
    """Write a picture of a map with overviews, CRS and colour profile.

    Parameters
    ----------
    path : Path
    grid : MapGrid
    pixels : ndarray, (height, width), (height, width, 3) or (height, width, 4), uint8 or uint16
        On the sRGB curve; a fourth channel tells how opaque they are.
    metadata : mapping
        Becomes JSON in the item PERIJOVE of the file.
    gamut : {"srgb", "p3"}
        Whose ICC profile is embedded; grey pictures have one of their own.

    Raises
    ------
    OptionError
        The picture does not fit the grid, or the file cannot be written.
    MissingExtraError
        rasterio is not installed.
    """
    try:
        import rasterio
        from rasterio.enums import ColorInterp
    except ImportError as missing:
        raise MissingExtraError("GeoTIFF needs rasterio: pip install 'perijove[geo]'") from missing
    channels = pixels[..., None] if pixels.ndim == 2 else pixels
    kind = channels.dtype
    if channels.shape[:2] != (grid.height, grid.width) or channels.shape[2] not in _CHANNELS:
        raise OptionError(
            f"a picture of shape {pixels.shape} does not fit a map of {grid.height} rows and {grid.width} columns; "
            "give 1, 3 or 4 channels of its size"
        )
    if kind not in (np.uint8, np.uint16):
        raise OptionError(f"a picture has codes of 8 or 16 bits, not {kind}; convert it first")
    profile = {
        "driver": "COG",
        "width": grid.width,
        "height": grid.height,
        "count": channels.shape[2],
        "dtype": kind.name,
        "crs": rasterio.crs.CRS.from_wkt(grid.wkt),
        "transform": rasterio.Affine(*grid.transform),
        "blocksize": TILE_PX,
        "compress": "deflate",
        "predictor": "yes",
        "overview_resampling": "average",
    }
    colours = icc_profile("grey" if channels.shape[2] == 1 else gamut)
    with replacing(path) as final, rasterio.open(final, "w", **profile) as file:
        file.colorinterp = [ColorInterp[name] for name in _CHANNELS[channels.shape[2]]]
        file.update_tags(LATITUDES=f"planeto{grid.latitudes}")
        tell(file, metadata, f"Map of Jupiter, style {metadata.get('style', 'natural')}")
        file.update_tags(ns="COLOR_PROFILE", SOURCE_ICC_PROFILE=base64.b64encode(colours).decode("ascii"))
        file.write(np.moveaxis(channels, -1, 0))
