"""Raw framelets from the mission's PNG, checked before anything is allocated."""

import struct
import zlib
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from perijove.errors import ImageFileError

#: Largest PNG that is read, bytes; real raw images have 1 to 15 MB.
PNG_LIMIT_BYTES: Final = 256 << 20
_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
#: Deflate cannot shrink more than this (RFC 1951: 258 bytes from 2 bits).
_DEFLATE_RATIO: Final = 1032
_COLOURS: Final = {0: "grey", 2: "RGB", 3: "palette", 4: "grey with alpha", 6: "RGB with alpha"}


@dataclass(frozen=True)
class PngHeader:
    """Size and pixel type from the IHDR chunk."""

    width: int
    height: int
    bit_depth: int
    colour_type: int


def read_header(data: bytes, source: str) -> PngHeader:
    """Header of a PNG; nothing is decoded.

    Raises
    ------
    ImageFileError
        If the bytes do not begin as a PNG does.
    """
    if not data.startswith(_SIGNATURE):
        raise ImageFileError(f"{source} is not a PNG file (wrong signature); give the mission's <id>-raw.png")
    if len(data) < 33 or data[8:16] != b"\x00\x00\x00\x0dIHDR":
        raise ImageFileError(f"{source} is truncated: it has no whole header; download it again")
    return PngHeader(*struct.unpack(">IIBB", data[16:26]))


def decode_codes(data: bytes, shape: tuple[int, int], source: str) -> npt.NDArray[np.uint8]:
    """Decode an 8-bit grey PNG of a known size.

    Parameters
    ----------
    data : bytes
    shape : tuple of int
        (lines, samples) that the label promises.
    source : str
        Name of the file, for messages.

    Returns
    -------
    ndarray, (line, sample), uint8
        On-board codes.

    Raises
    ------
    ImageFileError
        If the file is truncated or damaged anywhere, has another size, or is no 8-bit grey image. Never
        returns a partly decoded image.
    """
    header = read_header(data, source)
    _check_header(header, shape, source)
    packed = _check_chunks(data, source)
    if packed * _DEFLATE_RATIO < shape[0] * (shape[1] + 1):
        raise ImageFileError(f"{source} is damaged: {packed} packed bytes cannot hold {shape[0]} lines")
    import imagecodecs

    try:
        codes = imagecodecs.png_decode(data)
    except imagecodecs.PngError as problem:
        raise ImageFileError(f"{source} is damaged ({problem}); download it again") from problem
    if codes.shape != shape or codes.dtype != np.uint8:
        raise ImageFileError(f"{source} decodes to {codes.shape} {codes.dtype}, not to {shape} uint8")
    return np.asarray(codes, dtype=np.uint8)


def _check_header(header: PngHeader, shape: tuple[int, int], source: str) -> None:
    wanted = "give the mission's <id>-raw.png"
    if (header.bit_depth, header.colour_type) != (8, 0):
        kind = _COLOURS.get(header.colour_type, f"colour type {header.colour_type}")
        raise ImageFileError(f"{source} is a {header.bit_depth}-bit {kind} PNG; raw framelets are 8-bit grey: {wanted}")
    lines, samples = shape
    if header.width != samples:
        raise ImageFileError(f"{source} is {header.width} pixels wide, raw framelets of its label {samples}: {wanted}")
    if header.height != lines:
        raise ImageFileError(
            f"{source} is {header.height} pixels high, its label promises {lines} lines; "
            "the download is incomplete or the label is of another image"
        )


def _check_chunks(data: bytes, source: str) -> int:
    """Walk all chunks, compare their checksums; bytes of packed pixels."""
    view = memoryview(data)
    position = len(_SIGNATURE)
    packed = 0
    while True:
        if position + 12 > len(data):
            raise ImageFileError(f"{source} is truncated at byte {len(data)}; download it again")
        length, name = struct.unpack_from(">I4s", data, position)
        end = position + 12 + length
        if end > len(data):
            raise ImageFileError(f"{source} is truncated at byte {len(data)}; download it again")
        (checksum,) = struct.unpack_from(">I", data, end - 4)
        if zlib.crc32(view[position + 4 : end - 4]) != checksum:
            raise ImageFileError(
                f"{source} is damaged: chunk {name!r} at byte {position} fails its checksum; download it again"
            )
        packed += length if name == b"IDAT" else 0
        position = end
        if name == b"IEND":
            return packed
