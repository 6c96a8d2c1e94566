"""EDR and RDR images of the PDS: a detached ``.LBL`` and the ``.IMG`` that it names."""

import hashlib
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from perijove.archive.inputs import InputFile, check_file, read_file
from perijove.archive.keywords import Keywords, LabelSource, read_label_file
from perijove.archive.layout import RasterLayout
from perijove.errors import ImageFileError, LabelError

#: Largest IMG that is read, bytes; a full turn in four bands takes 138 MB as RDR.
IMG_LIMIT_BYTES: Final = 1 << 30


def find_label(path: Path, metadata: Path | None = None) -> LabelSource:
    """Label of an IMG or LBL.

    Parameters
    ----------
    path : Path
        The ``.LBL`` itself, or an ``.IMG`` with its ``.LBL`` beside it.
    metadata : Path, optional
        The ``.LBL`` of an ``.IMG`` that lies elsewhere.

    Raises
    ------
    LabelError
        If there is no such label, or it names another image.
    """
    if path.suffix.lower() == ".lbl":
        if metadata is not None:
            raise LabelError(f"{path} is a label already; leave the metadata {metadata} away")
        return read_label_file(path)
    label_path = metadata or _beside(path, path.stem + ".LBL")
    if label_path is None:
        raise LabelError(f"{path} has no label {path.stem}.LBL beside it; download it, or give it as metadata")
    found = read_label_file(label_path)
    named = _image_name(found.keywords)
    if named.lower() != path.name.lower():
        raise LabelError(f"{label_path} describes {named}, not {path.name}; give the label of the image")
    return found


def find_image(path: Path, keywords: Keywords) -> Path:
    """IMG of a LBL; an IMG is its own.

    Raises
    ------
    LabelError
        If the label does not name a file beside it.
    ImageFileError
        If that file is not there.
    """
    if path.suffix.lower() == ".img":
        return path
    name = _image_name(keywords)
    image = _beside(path, name)
    if image is None:
        raise ImageFileError(f"{path} describes {name}, which is not beside it; download it to {path.parent}")
    return image


def read_image(path: Path, layout: RasterLayout) -> tuple[npt.NDArray[np.uint8] | npt.NDArray[np.uint16], InputFile]:
    """Read the samples of an IMG.

    Returns
    -------
    samples : ndarray, (line, sample), uint8 or uint16 in native byte order
    file : InputFile

    Raises
    ------
    ImageFileError
        If the file has another size than its label says, or another MD5.
    """
    size = check_file(path, IMG_LIMIT_BYTES, ImageFileError)
    expected = layout.lines * layout.row_bytes
    if size != expected:
        raise ImageFileError(
            f"{path} holds {size} bytes, its label promises {expected}: {layout.describe()} "
            f"of {layout.row_bytes} bytes; download both again"
        )
    data, file = read_file(path, IMG_LIMIT_BYTES, ImageFileError)
    if layout.md5 is not None:
        found = hashlib.md5(data, usedforsecurity=False).hexdigest()
        if found != layout.md5:
            raise ImageFileError(
                f"{path} has MD5 {found}, its label promises {layout.md5}: it is damaged; download it again"
            )
    rows = np.frombuffer(data, np.uint8).reshape(layout.lines, layout.row_bytes)
    stop = layout.prefix_bytes + layout.samples * layout.sample_bytes
    samples = rows[:, layout.prefix_bytes : stop].view(layout.dtype)
    if layout.sample_bytes == 1:
        return np.ascontiguousarray(samples, dtype=np.uint8), file
    return np.ascontiguousarray(samples, dtype=np.uint16), file


def _image_name(keywords: Keywords) -> str:
    """File that ^IMAGE points to, from its first byte."""
    pointer = keywords.values.get("^IMAGE")
    if isinstance(pointer, (list, tuple)) and len(pointer) == 2 and pointer[1] == 1:
        pointer = pointer[0]
    if not isinstance(pointer, str) or not pointer or Path(pointer).name != pointer or "\\" in pointer:
        raise keywords.error(
            "^IMAGE", f"is {pointer!r}, not the name of an IMG beside the label; get the detached .LBL"
        )
    return pointer


def _beside(path: Path, name: str) -> Path | None:
    """File of that name in the same folder; the case of letters is free, an exact match goes first."""
    exact = path.with_name(name)
    if exact.is_file():
        return exact
    found = sorted(other for other in path.absolute().parent.glob("*") if other.name.lower() == name.lower())
    return path.with_name(found[0].name) if found else None
