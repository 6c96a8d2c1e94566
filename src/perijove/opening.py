"""How an image is opened, as data: so that it can be opened again, and what has changed meanwhile is noticed."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from perijove.archive.inputs import hash_file
from perijove.calibrate.repair import NoiseMode
from perijove.errors import OptionError, RecipeError
from perijove.pipeline import Image, open_image
from perijove.solving import Progress, silent
from perijove.story.credit import Credit

if TYPE_CHECKING:
    from perijove.darkroom.recipe import ImageRecord, Input

#: No file that an image is made from is larger, bytes.
_LIMIT: Final = 1 << 32
#: What may be given beside the raw image.
_BESIDE: Final = ("metadata", "kernels", "calibration", "pointing")


@dataclass(frozen=True)
class Opening:
    """Everything that `perijove.open` is given.

    Attributes
    ----------
    raw : Path
    metadata, kernels, calibration, pointing : Path or None
    with_others : tuple of Path
    noise_mode : str
    self_calibration : bool
    """

    raw: Path
    metadata: Path | None = None
    kernels: Path | None = None
    calibration: Path | None = None
    pointing: Path | None = None
    with_others: tuple[Path, ...] = ()
    noise_mode: NoiseMode = "auto"
    self_calibration: bool = True

    def open(self, progress: Progress = silent, credit: Credit | None = None) -> Image:
        """Open the image."""
        return open_image(
            self.raw,
            self.metadata,
            kernels=self.kernels,
            calibration=self.calibration,
            with_others=self.with_others,
            pointing=self.pointing,
            progress=progress,
            self_calibration=self.self_calibration,
            noise_mode=self.noise_mode,
            credit=credit,
        )

    def record(self, image: Image) -> "ImageRecord":
        """What it was, with the hashes of all files and folders."""
        from perijove.darkroom.recipe import ImageRecord

        label = [entry.path for entry in image.stack.inputs[1:]]
        full = replace(self, metadata=self.metadata or (label[0] if label else None))
        found = {name: getattr(full, name) for name in _BESIDE}
        return ImageRecord(
            product=str(image.label.product_id),
            raw=_record(self.raw),
            **{name: None if path is None else _record(path) for name, path in found.items()},
            with_others=tuple(_record(path) for path in self.with_others),
            noise_mode=self.noise_mode,
            self_calibration=self.self_calibration,
        )

    @classmethod
    def again(cls, record: "ImageRecord", folders: Sequence[Path]) -> "Opening":
        """Find the files of a record.

        Parameters
        ----------
        record : ImageRecord
        folders : sequence of Path
            Where to look, in this order.

        Raises
        ------
        RecipeError
            Tells which file is missing, or is not what it was.
        """
        found = {name: getattr(record, name) for name in _BESIDE}
        return cls(
            _find(record.raw, folders),
            **{name: None if entry is None else _find(entry, folders) for name, entry in found.items()},
            with_others=tuple(_find(entry, folders) for entry in record.with_others),
            noise_mode=record.noise_mode,
            self_calibration=record.self_calibration,
        )


def hash_of(path: Path) -> str:
    """SHA-256 of a file; of a folder, that of the names and hashes of its files."""
    if not path.is_dir():
        return hash_file(path, _LIMIT, OptionError).sha256
    lines = [f"{file.relative_to(path).as_posix()} {hash_of(file)}\n" for file in _files(path)]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _record(path: Path) -> "Input":
    from perijove.darkroom.recipe import Input

    return Input(file=path.name, sha256=hash_of(path))


def _files(folder: Path) -> Iterable[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _find(entry: "Input", folders: Sequence[Path]) -> Path:
    there = [folder / entry.file for folder in folders if (folder / entry.file).exists()]
    for path in there:
        if hash_of(path) == entry.sha256:
            return path
    if there:
        raise RecipeError(f"{there[0]} is not the file that the picture was made from: its SHA-256 differs")
    looked = ", ".join(map(str, dict.fromkeys(folders)))
    raise RecipeError(f"{entry.file}, which the picture was made from, is not in {looked}; tell where with --in")
