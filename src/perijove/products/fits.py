"""Maps as FITS with world coordinates, one image extension to a plane, written tile by tile.

Source: FITS Standard 4.0.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np

from perijove.errors import MissingExtraError
from perijove.files import replacing
from perijove.products.map_planes import MapPlanes, Plane
from perijove.products.raster import plain
from perijove.products.wcs import Value, wcs_cards
from perijove.project.grid import MapGrid

Cards = Mapping[str, tuple[Value, str]]

#: Files consist of blocks of this many bytes, headers of cards of 80.
_BLOCK: Final = 2880
#: Bytes of unknown pixels that are written at a time.
_FILL_BYTES: Final = 4_000_000
#: Characters of a long string that go on one card.
_PIECE: Final = 60
#: Units as FITS has them.
_UNITS: Final = {"1": "", "degrees": "deg", "degree": "deg"}


def write_fits(path: Path, content: MapPlanes) -> None:
    """Write planes of a map as image extensions of a FITS file.

    Parameters
    ----------
    path : Path
    content : MapPlanes
        Its metadata become JSON in the table PERIJOVE.

    Raises
    ------
    MissingExtraError
        pyproj is not installed.
    OptionError
        The file cannot be written.

    Notes
    -----
    Float32, NaN where nothing is known, not compressed: such a map takes all its pixels' room on disk. The first row is
    the southern one, as FITS viewers have it. `perijove.products.wcs` tells which projections lead to longitudes and
    latitudes.
    """
    try:
        cards = wcs_cards(content.grid)
    except ImportError as missing:
        raise MissingExtraError("FITS maps need pyproj: pip install 'perijove[geo]'") from missing
    with replacing(path) as final, final.open("r+b") as file:
        file.write(_header(_primary(content)))
        starts = [_blank(file, plane, content.grid, cards) for plane in content.planes]
        _write_table(file, json.dumps(plain(content.metadata), allow_nan=False).encode("ascii"))
        for rows, columns, values in content.tiles:
            big_endian = np.ascontiguousarray(np.moveaxis(values, -1, 0), ">f4")
            for start, part in zip(starts, big_endian, strict=True):
                _write_part(file, start, content.grid, (rows, columns, part))


def _write_part(file: BinaryIO, start: int, grid: MapGrid, tile: "tuple[slice, slice, np.ndarray]") -> None:
    rows, columns, part = tile
    if not np.isfinite(part).any():
        return
    for row, pixels in zip(range(rows.start, rows.stop), part, strict=True):
        place = (grid.height - 1 - row) * grid.width + columns.start
        file.seek(start + 4 * place)
        file.write(pixels.data)


def _primary(content: MapPlanes) -> dict[str, tuple[Value, str]]:
    known = content.metadata
    cards: dict[str, tuple[Value, str]] = {
        "SIMPLE": (True, "FITS 4.0"),
        "BITPIX": (8, ""),
        "NAXIS": (0, "planes are in the extensions"),
        "EXTEND": (True, ""),
        "OBJECT": (content.grid.body.name, ""),
    }
    told = {
        "TITLE": known.get("title"),
        "PRODUCT": known.get("product"),
        "DATE-OBS": known.get("start_time_utc"),
        "CREDIT": known.get("credit"),
        "LICENCE": known.get("licence"),
        "CREATOR": known.get("software"),
    }
    cards |= {key: (str(value).removesuffix("Z"), "") for key, value in told.items() if value}
    cards["MAPWKT"] = (content.grid.wkt, "")
    return cards


def _blank(file: BinaryIO, plane: Plane, grid: MapGrid, wcs: Cards) -> int:
    """Write an extension without content; where its pixels begin."""
    cards: dict[str, tuple[Value, str]] = {
        "XTENSION": ("IMAGE", ""),
        "BITPIX": (-32, ""),
        "NAXIS": (2, ""),
        "NAXIS1": (grid.width, ""),
        "NAXIS2": (grid.height, ""),
        "PCOUNT": (0, ""),
        "GCOUNT": (1, ""),
        "EXTNAME": (plane.name, ""),
        "BUNIT": (_UNITS.get(plane.unit, plane.unit), ""),
        "LONGNAME": (plane.long_name, ""),
        **wcs,
        "MAPWKT": (grid.wkt, ""),
    }
    file.write(_header(cards))
    start = file.tell()
    unknown = np.full(_FILL_BYTES // 4, np.nan, ">f4").tobytes()
    left = 4 * grid.width * grid.height
    pad = -left % _BLOCK
    while left > 0:
        left -= file.write(unknown[: min(left, _FILL_BYTES)])
    file.write(b"\0" * pad)
    return start


def _write_table(file: BinaryIO, text: bytes) -> None:
    """Write a table of one cell."""
    cards: dict[str, tuple[Value, str]] = {
        "XTENSION": ("BINTABLE", ""),
        "BITPIX": (8, ""),
        "NAXIS": (2, ""),
        "NAXIS1": (len(text), ""),
        "NAXIS2": (1, ""),
        "PCOUNT": (0, ""),
        "GCOUNT": (1, ""),
        "TFIELDS": (1, ""),
        "TTYPE1": ("JSON", "all that is known of the map"),
        "TFORM1": (f"{len(text)}A", ""),
        "EXTNAME": ("PERIJOVE", ""),
    }
    file.write(_header(cards) + text + b"\0" * (-len(text) % _BLOCK))


def _header(cards: Cards) -> bytes:
    lines = [line for key, (value, comment) in cards.items() for line in _card(key, value, comment)]
    raw = "".join(line.ljust(80) for line in (*lines, "END")).encode("ascii")
    return raw + b" " * (-len(raw) % _BLOCK)


def _card(key: str, value: Value, comment: str) -> Iterator[str]:
    """A keyword's cards: more than one for a long string."""
    note = f" / {comment}" if comment else ""
    if isinstance(value, bool):
        yield f"{key:8}= {'T' if value else 'F':>20}{note}"
    elif not isinstance(value, str):
        yield f"{key:8}= {_number(value):>20}{note}"[:80]
    else:
        text = "".join(value.encode("ascii", "replace").decode("ascii").split("\n")).replace("'", "''")
        if len(text) <= 68:
            line = f"{key:8}= '{text:8}'"
            yield line + note if len(line + note) <= 80 else line
            return
        pieces = list(_pieces(text))
        for number, piece in enumerate(pieces):
            more = "&" if number + 1 < len(pieces) else ""
            yield f"{'CONTINUE' if number else key:8}{'  ' if number else '= '}'{piece}{more}'"


def _number(value: int | float) -> str:
    return str(value) if isinstance(value, int) else repr(float(value)).upper()


def _pieces(text: str) -> Iterator[str]:
    """Parts of a string that do not cut a doubled quote."""
    while text:
        end = _PIECE
        # An odd number of quotes at the end is half of one.
        while (len(text[:end]) - len(text[:end].rstrip("'"))) % 2:
            end += 1
        yield text[:end]
        text = text[end:]
