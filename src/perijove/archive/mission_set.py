"""Image sets of the mission's web site: ``<id>-raw.png`` and ``NNNNN-Metadata.json``, loose or zipped."""

import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from perijove.archive.inputs import InputFile, check_file, hash_file, read_file
from perijove.archive.keywords import LABEL_LIMIT_BYTES, Keywords, LabelSource, parse_json, read_label_file
from perijove.archive.png import PNG_LIMIT_BYTES
from perijove.archive.product_id import ProductId
from perijove.archive.zipped import ZIP_LIMIT_BYTES, list_members, read_member
from perijove.errors import ImageFileError, LabelError

#: Endings of the pictures that the mission makes of the raw framelets.
_MADE: Final = re.compile(r"-(mapprojected|red|green|blue)\.png$", re.IGNORECASE)
#: Folder that a Data zip unpacks to.
_DATA_FOLDER: Final = "DataSet"


@dataclass(frozen=True)
class RawPicture:
    """A raw PNG on disk, or a member of a zip.

    Attributes
    ----------
    path : Path
        The file on disk: the PNG, or the zip that holds it.
    member : str or None
        Name within the zip.
    """

    path: Path
    member: str | None = None

    @property
    def source(self) -> str:
        """Name for messages."""
        return str(self.path) if self.member is None else f"{self.path}:{self.member}"

    @property
    def product_id(self) -> ProductId | None:
        """Product that the file name states."""
        name = self.path.name if self.member is None else PurePosixPath(self.member).name
        return ProductId.find(name)

    def read(self) -> tuple[bytes, InputFile]:
        """Bytes of the PNG, with the hash of the file on disk."""
        if self.member is None:
            return read_file(self.path, PNG_LIMIT_BYTES, ImageFileError)
        data = read_member(self.path, self.member, PNG_LIMIT_BYTES, ImageFileError)
        return data, hash_file(self.path, ZIP_LIMIT_BYTES, ImageFileError)


def find_picture(path: Path) -> RawPicture:
    """Find the raw PNG in what the user gave: the PNG itself or an ImageSet zip.

    Raises
    ------
    ImageFileError
        If it is another picture of the set, or a zip without exactly one raw PNG.
    """
    if path.suffix.lower() == ".png":
        _refuse_made(path)
        return RawPicture(path)
    raw = list_members(path, "-raw.png", ImageFileError)
    if not raw:
        raise ImageFileError(f"{path} holds no <id>-raw.png; give the NNNNN-ImageSet.zip of the image")
    if len(raw) > 1:
        raise ImageFileError(f"{path} holds {len(raw)} raw images ({', '.join(raw[:3])}, ...); unpack it, give one")
    return RawPicture(path, raw[0])


def _refuse_made(path: Path) -> None:
    made = _MADE.search(path.name)
    if made is not None:
        raw = path.name[: made.start()] + "-raw.png"
        raise ImageFileError(f"{path} is a picture made of the framelets ({made[1].lower()}); give {raw}")


def find_label(picture: RawPicture, metadata: Path | None = None) -> LabelSource:
    """Find the label of a raw PNG.

    Parameters
    ----------
    picture : RawPicture
    metadata : Path, optional
        JSON, Data zip or LBL to take it from. Without it, all JSON files and zips beside the picture, and all
        in ``DataSet`` beside it or beside its folder, are searched for the product id in the picture's name.

    Raises
    ------
    LabelError
        If no label, the label of another product, or labels that contradict each other are found.
    """
    wanted = picture.product_id
    if metadata is not None:
        return _given_label(metadata, wanted)
    if wanted is None:
        raise LabelError(f"{picture.source}: the name holds no product id to find its label by; give the metadata")
    folder = picture.path.absolute().parent
    search = _Search(wanted, (folder, folder / _DATA_FOLDER, folder.parent / _DATA_FOLDER))
    matches = [(words, path) for words, path in search.labels if _stated(words) == wanted]
    if not matches:
        raise LabelError(search.failure())
    return _only(matches)


def sole_label(path: Path) -> LabelSource:
    """Label in a Data zip that holds no other.

    Raises
    ------
    LabelError
        If the zip holds no label, or several.
    """
    return _given_label(path, None)


class _Search:
    """Labels of any version of an image in some folders, and files that could not be looked into."""

    def __init__(self, wanted: ProductId, folders: tuple[Path, ...]) -> None:
        self.wanted = wanted
        self.folders = tuple(dict.fromkeys(folders))
        self.labels: list[tuple[Keywords, Path]] = []
        self.unreadable: list[Path] = []
        for path in (path for folder in self.folders for path in sorted(folder.glob("*"))):
            try:
                self.labels += [(words, path) for words in self._labels(path)]
            except LabelError:
                self.unreadable.append(path)

    def _labels(self, path: Path) -> list[Keywords]:
        suffix = path.suffix.lower()
        if suffix == ".zip":
            texts = _texts_in_zip(path)
        elif suffix == ".json":
            texts = [(str(path), read_file(path, LABEL_LIMIT_BYTES, LabelError)[0])]
        else:
            return []
        # Folders may hold thousands of labels: look for the name before parsing.
        key = self.wanted.image_key
        labels = [parse_json(data, source) for source, data in texts if key.encode() in data]
        return [words for words in labels if key in str(_stated(words))]

    def failure(self) -> str:
        """Say what was searched for, where, and what came near."""
        message = (
            f"no label of {self.wanted} (NNNNN-Metadata.json or NNNNN-Data.zip) in "
            f"{', '.join(str(folder) for folder in self.folders)}; download it there, or give it as metadata"
        )
        if self.labels:
            message += f". Other products of the image: {', '.join(words.source for words, _ in self.labels)}"
        if self.unreadable:
            message += f". Damaged: {', '.join(str(path) for path in self.unreadable)}"
        return message


def _given_label(path: Path, wanted: ProductId | None) -> LabelSource:
    if path.suffix.lower() != ".zip":
        return read_label_file(path)
    check_file(path, ZIP_LIMIT_BYTES, LabelError)
    labels = [(parse_json(data, source), path) for source, data in _texts_in_zip(path)]
    if not labels:
        raise LabelError(f"{path} holds no label; give the NNNNN-Data.zip of the image")
    return _only([pair for pair in labels if _stated(pair[0]) == wanted] or labels)


def _only(labels: list[tuple[Keywords, Path]]) -> LabelSource:
    """Give the one label, or the first of equal copies."""
    words, path = labels[0]
    if any(other.values != words.values for other, _ in labels[1:]):
        names = ", ".join(f"{other.source} ({_stated(other)})" for other, _ in labels)
        raise LabelError(f"several labels differ: {names}; give the right one as metadata")
    return LabelSource(words, hash_file(path, ZIP_LIMIT_BYTES, LabelError))


def _texts_in_zip(path: Path) -> list[tuple[str, bytes]]:
    """Names and bytes of the labels in a zip."""
    return [
        (f"{path}:{name}", read_member(path, name, LABEL_LIMIT_BYTES, LabelError))
        for name in list_members(path, "metadata.json", LabelError)
    ]


def _stated(words: Keywords) -> ProductId | None:
    """Product that a label says it is of."""
    for key in ("PRODUCT_ID", "FILE_NAME"):
        found = ProductId.find(str(words.values.get(key)))
        if found is not None:
            return found
    return None
