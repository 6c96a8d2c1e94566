"""Backplanes on disk: one TIFF, a page a plane."""

import json
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any, Final
from xml.sax.saxutils import escape

import numpy as np
import numpy.typing as npt

from perijove.errors import OptionError
from perijove.files import replacing
from perijove.geometry.backplanes import Backplane, mid_et, reference_band
from perijove.geometry.pointing import Pointing
from perijove.geometry.timescale import et_to_utc
from perijove.products.raster import plain

Block = Mapping[str, Backplane]

#: Rows of a strip.
_STRIP_ROWS: Final = 64
#: Steps of double-precision degrees: 7 cm on the ground. Digits beyond are noise, which does not compress.
_DEGREE_STEP: Final = 2.0**-24
#: Files of more than this many bytes, uncompressed, get the 64-bit offsets of BigTIFF.
_BIG: Final = 2**32 - 2**25
#: TIFF tags: PageName, and those in which GDAL keeps metadata and the value of no data.
_PAGE_NAME, _GDAL_METADATA, _GDAL_NODATA = 285, 42112, 42113


def backplane_metadata(pointing: Pointing, reference: str | None = None) -> dict[str, Any]:
    """What the planes of an image need to be understood.

    Parameters
    ----------
    pointing : Pointing
    reference : str, optional
        As given to `perijove.geometry.backplanes.backplanes`.

    Returns
    -------
    dict
        ``mid_time_utc`` and ``mid_time_tdb_s``, which times are counted from; ``reference_band``; ``conventions``.
    """
    return {
        "mid_time_utc": et_to_utc(mid_et(pointing)),
        "mid_time_tdb_s": mid_et(pointing),
        "reference_band": reference or reference_band(pointing),
        "conventions": "IAU_JUPITER, ellipsoid of 1 bar; light time and stellar aberration as SPICE's CN+S",
    }


def write_backplanes(path: Path, blocks: Iterable[Block], metadata: Mapping[str, Any]) -> None:
    """Write backplanes, block by block, so that large ones need not be in memory.

    Parameters
    ----------
    path : Path
    blocks : iterable of mapping of str to Backplane
        The same planes of consecutive rows, top to bottom; ``[planes]`` where they are whole.
    metadata : mapping
        What holds for all planes; becomes JSON in the first page.

    Raises
    ------
    OptionError
        If there are no planes, they differ in shape or from block to block, or the file cannot be written.

    Notes
    -----
    A page a plane, float32 or float64, NaN where there is no value; PageName is the plane's name, ImageDescription
    JSON with its ``name``, ``unit`` and ``long_name``. Degrees in float64 are rounded to 2**-24. Strips are compressed
    (deflate, floating-point predictor) in a temporary file beside ``path`` until all of them are known.
    """
    import tifffile

    with replacing(path) as temporary, TemporaryFile(dir=temporary.parent) as file:
        spool = _spooled(blocks, file)
        size = sum(page.values.itemsize for page in spool.planes) * spool.rows * spool.planes[0].values.shape[1]
        with tifffile.TiffWriter(temporary, bigtiff=size > _BIG) as tiff:
            for index, plane in enumerate(spool.planes):
                told = {"planes": [p.name for p in spool.planes], **metadata} if index == 0 else {}
                _write_page(tiff, plane, spool, index, told)


@dataclass
class _Spool:
    """Compressed strips in a file, in the order in which they came.

    Attributes
    ----------
    file : binary file
    planes : list of Backplane
        The first strip of each plane: what it is called, its unit, type and width.
    places : list of list of tuple
        Of each plane's strips, where they begin and their length.
    rows : int
    """

    file: IO[bytes]
    planes: list[Backplane]
    places: list[list[tuple[int, int]]] = field(default_factory=list)
    rows: int = 0

    def add(self, strips: list[bytes], rows: int) -> None:
        """Append the strips of all planes for the next rows."""
        for place, strip in zip(self.places, strips, strict=True):
            place.append((self.file.tell(), self.file.write(strip)))
        self.rows += rows

    def strips(self, plane: int) -> Iterator[bytes]:
        """The strips of one plane."""
        for start, length in self.places[plane]:
            self.file.seek(start)
            yield self.file.read(length)


def _spooled(blocks: Iterable[Block], file: IO[bytes]) -> _Spool:
    spool: _Spool | None = None
    with ThreadPoolExecutor() as pool:
        for strip in _strips(blocks):
            planes = list(strip.values())
            if spool is None:
                spool = _Spool(file, planes, [[] for _ in planes])
            spool.add(list(pool.map(_encoded, planes)), len(planes[0].values))
    if spool is None:
        raise OptionError("there are no backplanes to write; ask for one at least")
    return spool


def _strips(blocks: Iterable[Block]) -> Iterator[dict[str, Backplane]]:
    """The planes in strips of equal height, except for the last."""
    held: dict[str, Backplane] = {}
    for block in blocks:
        _check(block, held)
        held = {name: _joined(held.get(name), plane) for name, plane in block.items()}
        rows = len(next(iter(held.values())).values) if held else 0
        whole = rows - rows % _STRIP_ROWS
        for first in range(0, whole, _STRIP_ROWS):
            yield {name: _rows(plane, slice(first, first + _STRIP_ROWS)) for name, plane in held.items()}
        held = {name: _rows(plane, slice(whole, rows)) for name, plane in held.items()}
    if any(len(plane.values) for plane in held.values()):
        yield held


def _check(block: Block, held: Block) -> None:
    shapes = {name: plane.values.shape for name, plane in block.items()}
    if any(len(shape) != 2 for shape in shapes.values()) or len(set(shapes.values())) > 1:
        raise OptionError(f"backplanes of one file have one shape of rows and columns, not {shapes}")
    if held and list(held) != list(block):
        raise OptionError(f"the planes of a block, {', '.join(block)}, are not those before, {', '.join(held)}")


def _joined(above: Backplane | None, below: Backplane) -> Backplane:
    if above is None or not len(above.values):
        return below
    return Backplane(below.name, below.unit, below.long_name, np.concatenate([above.values, below.values]))


def _rows(plane: Backplane, rows: slice) -> Backplane:
    return Backplane(plane.name, plane.unit, plane.long_name, plane.values[rows])


def _encoded(plane: Backplane) -> bytes:
    """A strip as the TIFF holds it."""
    import imagecodecs

    values: npt.NDArray[Any] = plane.values
    if values.dtype == np.float64 and plane.unit == "deg":
        values = np.rint(values / _DEGREE_STEP) * _DEGREE_STEP
    predicted = imagecodecs.floatpred_encode(np.ascontiguousarray(values, values.dtype.newbyteorder("<")), axis=-1)
    return bytes(imagecodecs.deflate_encode(predicted.tobytes(), level=1, raw=False))


def _write_page(tiff: Any, plane: Backplane, spool: _Spool, index: int, told: Mapping[str, Any]) -> None:
    about = {"name": plane.name, "unit": plane.unit, "long_name": plane.long_name}
    items = {"DESCRIPTION": ("description", plane.name), "UNITTYPE": ("unittype", plane.unit)}
    gdal = "".join(
        f'<Item name="{key}" sample="0" role="{role}">{escape(text)}</Item>' for key, (role, text) in items.items()
    )
    tiff.write(
        spool.strips(index),
        shape=(spool.rows, plane.values.shape[1]),
        dtype=plane.values.dtype,
        rowsperstrip=_STRIP_ROWS,
        compression="zlib",
        predictor="floatingpoint",
        photometric="minisblack",
        description=json.dumps(plain({**about, **told}), allow_nan=False),
        software="perijove",
        metadata=None,
        extratags=[
            (_PAGE_NAME, "s", 0, plane.name, True),
            (_GDAL_METADATA, "s", 0, f"<GDALMetadata>{gdal}</GDALMetadata>", True),
            (_GDAL_NODATA, "s", 0, "nan", True),
        ],
    )
