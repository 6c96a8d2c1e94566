"""Raw framelets in memory, and how they are read."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from perijove.archive import mission_set, pds3
from perijove.archive.inputs import InputFile, check_file
from perijove.archive.keywords import LabelSource, read_label_file
from perijove.archive.label import ImageLabel, label_from_keywords
from perijove.archive.layout import RasterLayout, layout_from_keywords
from perijove.archive.png import decode_codes
from perijove.archive.product_id import ProductId
from perijove.archive.zipped import ZIP_LIMIT_BYTES, list_members
from perijove.constants import ACTIVE_SAMPLES
from perijove.errors import ImageFileError, LabelError

__all__ = ["FrameletStack", "InputFile", "read_framelets", "read_label"]

_WEB: Final = (".png", ".zip")
_PDS: Final = (".lbl", ".img")
_WANTED: Final = "give <id>-raw.png, NNNNN-ImageSet.zip, <id>.LBL or <id>.IMG"
#: An image with fewer different values has no content; the darkest single framelet of four real images
#: (PJ43, PJ44) holds 25.
_MIN_VALUES: Final = 8
#: Least part of rows that vary along themselves, and from the row above. In four real images all rows do.
#: 24C00039 lost most of its blocks but kept 672 good rows, 2 % of the longest image (a full turn).
_MIN_VARYING_ROWS: Final = 0.01


@dataclass(frozen=True)
class FrameletStack:
    """Raw framelets with their label.

    Attributes
    ----------
    label : ImageLabel
    dn : ndarray, (frame, band, line, sample), uint8 or uint16, read-only
        Codes (mission PNG, EDR) or 16-bit reflectance (RDR); see ``label.pixel_scale``.
    inputs : tuple of InputFile
        The files that were read.
    """

    label: ImageLabel
    dn: npt.NDArray[np.uint8] | npt.NDArray[np.uint16]
    inputs: tuple[InputFile, ...]

    @property
    def bands(self) -> tuple[str, ...]:
        """Bands along the second axis of ``dn``."""
        return self.label.bands


def read_framelets(path: str | Path, metadata: str | Path | None = None) -> FrameletStack:
    """Read one image with its label, whatever form it was downloaded in.

    Parameters
    ----------
    path : path
        A mission ``<id>-raw.png`` or ``NNNNN-ImageSet.zip``, or a PDS3 ``<id>.LBL`` or ``<id>.IMG``.
    metadata : path, optional
        Its label: ``NNNNN-Metadata.json``, ``NNNNN-Data.zip`` or ``<id>.LBL``. Without it the label is found
        by product id beside the image, in ``DataSet`` beside it, or in ``DataSet`` beside its folder.

    Returns
    -------
    FrameletStack
        ``dn`` is read-only and in native byte order. ``inputs`` holds the image file first, then the label.

    Raises
    ------
    ImageFileError
        If the image is missing, damaged, truncated, of another size than its label says, not made of raw
        framelets, or without content (constant, or a pattern of constant rows).
    LabelError
        If the label is missing, of another product, incomplete or absurd.

    Notes
    -----
    Sources: SIS 1.3 for EDR and RDR, their bits and byte order; the mission's image sets as downloaded.
    """
    path, given = Path(path), _given(metadata)
    check_file(path, ZIP_LIMIT_BYTES, ImageFileError)
    if path.suffix.lower() in _WEB:
        picture = mission_set.find_picture(path)
        label_source = mission_set.find_label(picture, given)
        label, layout = _described(label_source, picture.product_id)
        if label.pixel_scale != "codes":
            raise LabelError(f"{label_source.keywords.source} is of an RDR; a raw PNG has an EDR label")
        data, file = picture.read()
        pixels = decode_codes(data, (layout.lines, layout.samples), picture.source)
        return _stack(label, layout, pixels, (file, label_source.file))
    if path.suffix.lower() in _PDS:
        label_source = pds3.find_label(path, given)
        label, layout = _described(label_source, ProductId.find(path.name))
        image = pds3.find_image(path, label_source.keywords)
        samples, file = pds3.read_image(image, layout)
        return _stack(label, layout, samples, (file, label_source.file))
    raise ImageFileError(f"{path} is not an image of framelets; {_WANTED}")


def read_label(path: str | Path, metadata: str | Path | None = None) -> ImageLabel:
    """Read only the label of an image, without its pixels.

    Parameters
    ----------
    path : path
        Anything that ``read_framelets`` takes, or the label itself: a ``.json``, ``.LBL`` or Data zip.
    metadata : path, optional
        As for ``read_framelets``.

    Raises
    ------
    ImageFileError, LabelError
        As for ``read_framelets``, as far as the label goes.
    """
    path, given = Path(path), _given(metadata)
    suffix = path.suffix.lower()
    if suffix not in (*_WEB, *_PDS, ".json"):
        raise LabelError(f"{path} is neither a label nor an image; {_WANTED}, or NNNNN-Metadata.json")
    check_file(path, ZIP_LIMIT_BYTES, LabelError if suffix in (".json", ".lbl") else ImageFileError)
    if suffix == ".json":
        if given is not None:
            raise LabelError(f"{path} is a label already; leave the metadata {given} away")
        return _described(read_label_file(path), None)[0]
    if suffix in _PDS:
        return _described(pds3.find_label(path, given), ProductId.find(path.name))[0]
    if suffix == ".zip" and given is None and not list_members(path, "-raw.png", LabelError):
        return _described(mission_set.sole_label(path), None)[0]
    picture = mission_set.find_picture(path)
    return _described(mission_set.find_label(picture, given), picture.product_id)[0]


def _given(metadata: str | Path | None) -> Path | None:
    return None if metadata is None else Path(metadata)


def _described(found: LabelSource, named: ProductId | None) -> tuple[ImageLabel, RasterLayout]:
    """Label and layout; ``named`` is the product that the image's file name states."""
    label = label_from_keywords(found.keywords.values, found.keywords.source)
    if named is not None and named != label.product_id:
        raise LabelError(
            f"{found.keywords.source} is the label of {label.product_id}, the file name says {named}; "
            "give the label of the image"
        )
    return label, layout_from_keywords(found.keywords, label)


def _stack(
    label: ImageLabel,
    layout: RasterLayout,
    pixels: npt.NDArray[np.uint8] | npt.NDArray[np.uint16],
    inputs: tuple[InputFile, ...],
) -> FrameletStack:
    _check_content(pixels, label.sampling_factor, inputs[0].path)
    pixels.flags.writeable = False
    return FrameletStack(label, pixels.reshape(layout.shape), inputs)


def _check_content(pixels: npt.NDArray[np.uint8] | npt.NDArray[np.uint16], sampling_factor: int, path: Path) -> None:
    """Refuse an image in which nothing is to be seen, however dark a real one may be.

    From PJ74 on products without content were released: constant, or made of constant rows (PDS errata).
    """
    first, last = (edge // sampling_factor for edge in ACTIVE_SAMPLES)
    active = pixels[:, first:last]
    again = "the product holds no content; look for a later version of it"
    # Every fourth row is enough for nearly all images; the others are looked at whole.
    values = int(np.count_nonzero(np.bincount(active[::4].ravel())))
    if values < _MIN_VALUES:
        values = np.unique(active).size
    if values < _MIN_VALUES:
        raise ImageFileError(f"{path} holds only {values} different values: {again}")
    along = float(np.mean(active.max(axis=1) != active.min(axis=1)))
    if along < _MIN_VARYING_ROWS:
        raise ImageFileError(f"{path} is made of constant rows ({along:.1%} vary): {again}")
    across = float(np.mean(np.any(active[1:] != active[:-1], axis=1)))
    if across < _MIN_VARYING_ROWS:
        raise ImageFileError(f"{path} repeats one row ({across:.1%} differ from the row above): {again}")
