"""The layout of a cloud-optimised GeoTIFF: directories first, then overviews from the smallest on, then the map.

Source: TIFF 6.0; BigTIFF; "COG -- Cloud Optimized GeoTIFF generator", GDAL's documentation, for the order and for the
area of structural metadata behind the header, which tells readers that each tile is led by its length.
"""

import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

import numpy as np

from perijove.products.pyramid import Pyramid

_STRUCTURE: Final = (
    b"LAYOUT=IFDS_BEFORE_DATA\nBLOCK_ORDER=ROW_MAJOR\nBLOCK_LEADER=SIZE_AS_UINT4\n"
    b"BLOCK_TRAILER=LAST_4_BYTES_REPEATED\nKNOWN_INCOMPATIBLE_EDITION=NO\n "
)
#: Numbers of tags that are written anew.
_SUBFILE, _WIDTH, _LENGTH, _OFFSETS, _COUNTS = 254, 256, 257, 324, 325
#: Those that belong to the map alone: description, software, artist, XMP, copyright, scale, tie point, keys of the CRS,
#: metadata.
_OF_THE_MAP: Final = (270, 305, 315, 700, 33432, 33550, 33922, 34264, 34735, 34736, 34737, 42112)
#: TIFF's types: 32 and 64 bits without sign.
_LONG, _LONG8 = 4, 16
#: Files up to this are classic TIFF, whose offsets have 32 bits; with room for the directories.
_CLASSIC_BYTES: Final = 2**32 - 2**24
#: Bytes of a tile's length before it and of its repeated end after it.
_LEADER = 4


@dataclass(frozen=True)
class _Tag:
    code: int
    kind: int
    count: int
    raw: bytes


def write_cog(out: BinaryIO, template: bytes, pyramid: Pyramid) -> None:
    """Write the tiles of a finished pyramid as a cloud-optimised GeoTIFF.

    Parameters
    ----------
    out : file
    template : bytes
        A TIFF without tiles whose first directory says all of the map but where its tiles are.
    pyramid : Pyramid
        Its tiles are coded as the template says.
    """
    tags = _tags_of(template)
    levels = range(len(pyramid.sizes))
    placed = {level: _row_major(pyramid, level) for level in levels}
    total = sum(length + 2 * _LEADER for tiles in placed.values() for _, length in tiles.values())
    big = total > _CLASSIC_BYTES
    head = b"GDAL_STRUCTURAL_METADATA_SIZE=%06d bytes\n" % len(_STRUCTURE) + _STRUCTURE
    head = _header(big, len(head)) + head
    head += b"\0" * (len(head) % 2)
    # The lengths of directories do not depend on the numbers in them: they are made twice.
    offsets = {level: np.zeros(_count(pyramid, level), np.uint64) for level in levels}
    start = len(head) + sum(len(_directory(tags, pyramid, n, offsets[n], (0, big))) for n in levels)
    for level in reversed(levels):
        for at, (_, length) in placed[level].items():
            offsets[level][at] = start + _LEADER
            start += length + 2 * _LEADER
    for level in levels:
        head += _directory(tags, pyramid, level, offsets[level], (len(head), big))
    out.write(head)
    for level in reversed(levels):
        for place, length in placed[level].values():
            pyramid.scratch.seek(place)
            content = pyramid.scratch.read(length)
            out.write(struct.pack("<I", length) + content + content[-_LEADER:])


def _row_major(pyramid: Pyramid, level: int) -> dict[int, tuple[int, int]]:
    """Places of a level's tiles by number, counted along the rows."""
    across = -(-pyramid.sizes[level][1] // pyramid.side)
    places = sorted((key, place) for key, place in pyramid.places.items() if key.level == level)
    return {key.row * across + key.column: place for key, place in places}


def _count(pyramid: Pyramid, level: int) -> int:
    height, width = pyramid.sizes[level]
    return -(-height // pyramid.side) * -(-width // pyramid.side)


def _tags_of(template: bytes) -> list[_Tag]:
    import tifffile

    with tifffile.TiffFile(io.BytesIO(template)) as file:
        found = file.pages.first.tags.values()
        return [
            _Tag(tag.code, int(tag.dtype), tag.count, template[tag.valueoffset : tag.valueoffset + tag.valuebytecount])
            for tag in found
        ]


def _header(big: bool, after: int) -> bytes:
    if not big:
        first = 8 + after
        return struct.pack("<2sHI", b"II", 42, first + first % 2)
    first = 16 + after
    return struct.pack("<2sHHHQ", b"II", 43, 8, 0, first + first % 2)


def _directory(tags: list[_Tag], pyramid: Pyramid, level: int, offsets: "np.ndarray", place: tuple[int, bool]) -> bytes:
    """A level's directory with all that it points to, as it stands at a place of a file that is big or not."""
    start, big = place
    height, width = pyramid.sizes[level]
    lengths = np.zeros(len(offsets), np.uint32)
    for at, (_, length) in _row_major(pyramid, level).items():
        lengths[at] = length
    wanted = {tag.code: tag for tag in tags if level == 0 or tag.code not in _OF_THE_MAP}
    for code, value in ((_SUBFILE, int(level > 0)), (_WIDTH, width), (_LENGTH, height)):
        wanted[code] = _Tag(code, _LONG, 1, struct.pack("<I", value))
    wanted[_OFFSETS] = _Tag(
        _OFFSETS, _LONG8 if big else _LONG, len(offsets), offsets.astype("<u8" if big else "<u4").tobytes()
    )
    wanted[_COUNTS] = _Tag(_COUNTS, _LONG, len(lengths), lengths.astype("<u4").tobytes())
    last = level + 1 == len(pyramid.sizes)
    return b"".join(_coded([wanted[code] for code in sorted(wanted)], start, big, last))


def _coded(tags: list[_Tag], start: int, big: bool, last: bool) -> Iterator[bytes]:
    """Parts of a directory: its entries, the offset of the next one, and the values that do not fit in entries."""
    room, head, entry, link = (8, "<Q", "<HHQ", "<Q") if big else (4, "<H", "<HHI", "<I")
    after = start + struct.calcsize(head) + len(tags) * (struct.calcsize(entry) + room) + room
    entries, beyond = b"", b""
    for tag in tags:
        entries += struct.pack(entry, tag.code, tag.kind, tag.count)
        if len(tag.raw) <= room:
            entries += tag.raw.ljust(room, b"\0")
        else:
            entries += struct.pack(link, after + len(beyond))
            beyond += tag.raw + b"\0" * (len(tag.raw) % 2)
    beyond += b"\0" * ((after + len(beyond)) % 2)
    yield struct.pack(head, len(tags)) + entries
    yield struct.pack(link, 0 if last else after + len(beyond))
    yield beyond
