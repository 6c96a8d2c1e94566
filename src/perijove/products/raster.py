"""Pictures and planes on disk: PNG with its colour profile, floating-point TIFF."""

import json
import os
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from perijove.errors import OptionError
from perijove.files import replacing
from perijove.products.icc import icc_profile

Planes = npt.NDArray[np.float32]
Pixels = npt.NDArray[np.uint16] | npt.NDArray[np.uint8]
Depth = Literal[8, 16]

#: Keyword of XMP in PNG (Adobe, "XMP Specification Part 3").
_XMP_KEYWORD: Final = "XML:com.adobe.xmp"


def check_folder(folder: Path) -> None:
    """Refuse a folder for products that could not be made or written to, without making it.

    Raises
    ------
    OptionError
    """
    existing = folder
    while not existing.exists() and existing != existing.parent:
        existing = existing.parent
    if not existing.is_dir() or not os.access(existing, os.W_OK):
        raise OptionError(f"cannot write to {folder}: {existing} is no folder to write to; choose another with -o")


def to_depth(pixels: Pixels, depth: Depth) -> Pixels:
    """Codes of 8 or 16 bits as codes of 8 or 16.

    Raises
    ------
    OptionError
        For other depths.

    Examples
    --------
    >>> to_depth(np.array([0, 128, 129, 65535], np.uint16), 8)
    array([  0,   0,   1, 255], dtype=uint8)
    """
    if depth not in (8, 16):
        raise OptionError(f"pictures have 8 or 16 bits a channel, not {depth}")
    if pixels.dtype.itemsize * 8 == depth:
        return pixels
    if depth == 16:
        return pixels.astype(np.uint16) * np.uint16(257)
    return ((pixels.astype(np.uint32) + 128) // 257).astype(np.uint8)


def write_png(
    path: Path, pixels: Pixels, text: Mapping[str, str], gamut: str = "srgb", packet: bytes | None = None
) -> None:
    """Write a picture as PNG.

    Parameters
    ----------
    path : Path
    pixels, text, gamut, packet
        As for `encode_png`.
    """
    encoded = encode_png(pixels, text, gamut, packet)
    with replacing(path) as temporary:
        temporary.write_bytes(encoded)


def encode_png(pixels: Pixels, text: Mapping[str, str], gamut: str = "srgb", packet: bytes | None = None) -> bytes:
    """A picture as PNG.

    Parameters
    ----------
    pixels : ndarray, (height, width, 3), (height, width, 4) or (height, width), uint16 or uint8
        On the sRGB curve; a fourth channel tells how far they cover.
    text : mapping of str to str
        Becomes iTXt chunks: credit, source, software.
    gamut : {"srgb", "p3"}
        Whose ICC profile is embedded; grey pictures have one of their own.
    packet : bytes, optional
        XMP.
    """
    import imagecodecs

    encoded = bytes(imagecodecs.png_encode(np.ascontiguousarray(pixels), level=1))
    header = 8 + 25
    profile = zlib.compress(icc_profile(colour_space(pixels, gamut)), 9)
    chunks = [_chunk(b"iCCP", b"ICC profile\x00\x00" + profile), _chunk(b"gAMA", struct.pack(">I", 45455))]
    texts = {key: value.encode() for key, value in text.items()}
    if packet is not None:
        texts[_XMP_KEYWORD] = packet
    chunks += [_chunk(b"iTXt", key.encode("latin-1") + b"\x00\x00\x00\x00\x00" + value) for key, value in texts.items()]
    return b"".join([encoded[:header], *chunks, encoded[header:]])


def colour_space(pixels: Pixels, gamut: str) -> str:
    """Name of the ICC profile of a picture: grey ones have their own."""
    return gamut if pixels.ndim == 3 else "grey"


def write_tiff(path: Path, values: Planes, metadata: Mapping[str, Any]) -> None:
    """Write linear planes, channels last, float32, NaN where nothing is known.

    Parameters
    ----------
    path : Path
    values : ndarray, (height, width, band), float32
    metadata : mapping
        Becomes JSON in the ImageDescription tag; non-finite numbers become null.
    """
    import tifffile

    colour = values.shape[-1] == 3
    with replacing(path) as temporary:
        tifffile.imwrite(
            temporary,
            values if values.shape[-1] > 1 else values[..., 0],
            photometric="rgb" if colour else "minisblack",
            planarconfig="contig" if values.shape[-1] > 1 else None,
            description=json.dumps(plain(metadata), allow_nan=False),
            software="perijove",
            metadata=None,
        )


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON document, indented; non-finite numbers become null."""
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(plain(content), indent=2, allow_nan=False) + "\n", encoding="utf-8")


def plain(value: Any) -> Any:
    """The same of numbers, strings, lists and dictionaries only, as JSON has them; non-finite numbers become None."""
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [plain(v) for v in value]
    if isinstance(value, (float, np.floating)):
        return float(value) if np.isfinite(value) else None
    if isinstance(value, (np.integer, np.bool_)):
        return value.item()
    return str(value) if isinstance(value, Path) else value


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
