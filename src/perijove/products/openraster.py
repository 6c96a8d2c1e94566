"""Layers as OpenRaster, which GIMP, Krita and MyPaint open.

Source: OpenRaster 0.0.5 (openraster.org).
"""

import os
import zipfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final
from xml.etree import ElementTree

import numpy as np

from perijove.darkroom.unstacked import Codes, Sheet
from perijove.files import replacing
from perijove.products.about import About
from perijove.products.raster import Pixels, encode_png, to_depth
from perijove.products.xmp import packet

#: What OpenRaster calls a blend mode. Its ``svg:plus`` is no mode of a layer that covers partly, but an addition of
#: light: it is not the mode ``add``.
MODES: Final = MappingProxyType(
    {"normal": "svg:src-over"}
    | {
        name: f"svg:{name}"
        for name in (
            "multiply",
            "screen",
            "overlay",
            "darken",
            "lighten",
            "color-dodge",
            "color-burn",
            "hard-light",
            "soft-light",
            "difference",
            "color",
            "luminosity",
            "hue",
            "saturation",
        )
    }
)
_MIMETYPE: Final = b"image/openraster"
#: Longest side of the thumbnail, pixels.
_THUMBNAIL_PX: Final = 256
#: The time of all entries: the earliest that ZIP can tell.
_NO_TIME: Final = (1980, 1, 1, 0, 0, 0)


def check_installed() -> None:
    """Nothing more is needed."""


def write(path: Path, sheets: Sequence[Sheet], picture: Pixels, about: About, gamut: str = "srgb") -> None:
    """Write layers.

    Parameters
    ----------
    path : Path
    sheets : sequence of Sheet
        The lowest first, in modes of `MODES`.
    picture : ndarray, (height, width, 3), uint8 or uint16
        What they give over black.
    about : About
        Goes into the merged image as XMP.
    gamut : {"srgb", "p3"}
        Whose ICC profile is embedded in every image.
    """
    height, width = picture.shape[:2]
    root = ElementTree.Element("image", {"version": "0.0.5", "w": str(width), "h": str(height)})
    stack = ElementTree.SubElement(root, "stack")
    # A group of their own lies over black: modes see what is in it, and nothing of the black.
    inner = ElementTree.SubElement(stack, "stack", {"name": about.title, "isolation": "isolate"})
    images: dict[str, Codes] = {}
    _tell(inner, sheets, images)
    black = np.zeros((height, width, 4), picture.dtype)
    black[..., 3] = np.iinfo(picture.dtype).max
    _tell(stack, [Sheet("sky", "normal", 1.0, black)], images)
    with (
        replacing(path) as temporary,
        zipfile.ZipFile(temporary, "w") as file,
        ThreadPoolExecutor(os.cpu_count()) as workers,
    ):
        encoded = workers.map(lambda pixels: encode_png(pixels, {}, gamut), images.values())
        _put(file, "mimetype", _MIMETYPE)
        _put(file, "stack.xml", ElementTree.tostring(root, encoding="utf-8", xml_declaration=True))
        for name, content in zip(images, encoded, strict=True):
            _put(file, name, content)
        _put(file, "mergedimage.png", encode_png(picture, about.text(), gamut, packet(about)))
        _put(file, "Thumbnails/thumbnail.png", _thumbnail(picture, gamut))


def _tell(stack: ElementTree.Element, sheets: Sequence[Sheet], images: dict[str, Codes]) -> None:
    """Add layers to a stack, the upper ones first, and their pixels to the images."""
    for sheet in reversed(sheets):
        told = {
            "name": sheet.name,
            "opacity": f"{sheet.opacity:.6g}",
            "visibility": "visible",
            "composite-op": MODES[sheet.blend],
        }
        if sheet.is_group:
            _tell(ElementTree.SubElement(stack, "stack", {**told, "isolation": "isolate"}), sheet.inside, images)
            continue
        name = f"data/layer{len(images):03d}.png"
        images[name] = sheet.pixels
        ElementTree.SubElement(stack, "layer", {**told, "src": name, "x": "0", "y": "0"})


def _put(file: zipfile.ZipFile, name: str, content: bytes) -> None:
    entry = zipfile.ZipInfo(name, _NO_TIME)
    entry.create_system = 3
    # Stored as they are: images are packed already, and XMP is found by those who search for it.
    file.writestr(entry, content, zipfile.ZIP_STORED)


def _thumbnail(picture: Pixels, gamut: str) -> bytes:
    import cv2

    height, width = picture.shape[:2]
    factor = min(1.0, _THUMBNAIL_PX / max(height, width))
    size = (max(round(width * factor), 1), max(round(height * factor), 1))
    small: Any = cv2.resize(to_depth(picture, 8), size, interpolation=cv2.INTER_AREA)
    return encode_png(small, {}, gamut)
