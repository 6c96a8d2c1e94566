"""Images kept outside of memory, whose pointing was solved together."""

import mmap
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from perijove.archive.framelets import read_label
from perijove.errors import OptionError
from perijove.geometry.kernels import KernelFolder
from perijove.pipeline import Image, open_image
from perijove.solving import Progress, RawFile, Source, silent, solve_pass


@dataclass
class Shelf:
    """Arrays outside of memory, in nameless files that vanish with them."""

    _maps: list[mmap.mmap] = field(default_factory=list)

    def put(self, array: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """The same array, read-only, in a file."""
        with tempfile.TemporaryFile(prefix="perijove-") as file:
            np.ascontiguousarray(array).tofile(file)
            file.flush()
            self._maps.append(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        return np.frombuffer(self._maps[-1], array.dtype).reshape(array.shape)

    def let_go(self) -> None:
        """Give back the memory of what was read; it is read again when it is needed."""
        for each in self._maps:
            if hasattr(mmap, "MADV_DONTNEED"):
                each.madvise(mmap.MADV_DONTNEED)


@dataclass(frozen=True)
class Shelved:
    """An image whose framelets lie on a shelf; it has what `perijove.pipeline.Image` has of these names."""

    label: Any
    located: Any
    calibrated: Any
    credit: Any
    provenance: dict[str, Any]
    progress: Progress = silent

    @classmethod
    def of(cls, image: Image, shelf: Shelf) -> "Shelved":
        """Calibrate an image and put it on a shelf."""
        done = image.calibrated
        kept = replace(
            done, i_over_f=shelf.put(done.i_over_f), quality=shelf.put(done.quality), confidence=None, sigma=None
        )
        return cls(image.label, image.located, kept, image.credit, image.provenance, image.progress)


@dataclass(frozen=True)
class _Solved(Image):
    """An image that was solved together with others."""

    found: Any = None

    @property
    def located(self) -> Any:
        """The pointing and how good it is."""
        return self.found


@dataclass(frozen=True)
class Given:
    """What images are opened with: see `perijove.pipeline.open_image`."""

    kernels: Path | None = None
    calibration: Path | None = None
    pointing: Path | None = None
    labels: tuple[Path, ...] = ()
    self_calibration: bool = True
    noise_mode: Any = "auto"
    progress: Progress = silent


def shelve(paths: Sequence[Path], shelf: Shelf, given: Given) -> list[Shelved]:
    """Open images, solve those of a perijove together, calibrate them and put them on a shelf.

    Returns
    -------
    list of Shelved
        In the order of the paths.
    """
    found = {} if given.pointing is not None else _solved_together(paths, given)
    images = []
    for path in paths:
        image = open_image(
            path, kernels=given.kernels, calibration=given.calibration, pointing=given.pointing,
            progress=given.progress, self_calibration=given.self_calibration, noise_mode=given.noise_mode,
        )  # fmt: skip
        if path in found:
            image = _Solved(**{f.name: getattr(image, f.name) for f in fields(image)}, found=found[path])
        images.append(Shelved.of(image, shelf))
        shelf.let_go()
    return images


def _solved_together(paths: Sequence[Path], given: Given) -> dict[Path, Any]:
    """Pointing of images, perijove by perijove."""
    calibration = None
    if given.calibration is not None:
        from perijove.calibrate.calibration_set import load_calibration

        calibration = load_calibration(given.calibration)
    kernels = KernelFolder.find(given.kernels) if given.kernels is not None else None
    others = [read_label(path) for path in given.labels]
    passes: dict[int, dict[Path, RawFile]] = {}
    for path in paths:
        given.progress(f"reading {path.name}")
        raw = RawFile.read(path, calibration)
        if raw.label.target not in ("JUPITER", ""):
            raise OptionError(f"{path} shows {raw.label.target}; a mosaic is of Jupiter: leave it out")
        passes.setdefault(raw.label.orbit, {})[path] = raw
    found: dict[Path, Any] = {}
    for orbit, raws in passes.items():
        sources = [Source(raw.label, raw.calibrated) for raw in raws.values()]
        labels = [label for label in others if label.orbit == orbit]
        found.update(zip(raws, solve_pass(sources, kernels, labels, given.progress), strict=True))
    return found
