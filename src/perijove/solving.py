"""All images of a perijove solved together, from their files to files of pointing."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from perijove import __version__
from perijove.archive.framelets import InputFile, read_framelets, read_label
from perijove.archive.label import ImageLabel
from perijove.errors import OptionError
from perijove.geometry.kernels import KernelFolder

Planes = npt.NDArray[np.float32]
Progress = Callable[[str], None]


def silent(_: str) -> None:
    """Report no progress."""


@dataclass(frozen=True)
class RawFile:
    """An image on disk: its label, and its pixels whenever they are asked for, so that many need no memory.

    Attributes
    ----------
    path : Path
    label : ImageLabel
    inputs : tuple of InputFile
        The files that were read, the raw one first.
    calibration : CalibrationSet or None
    """

    path: Path
    label: ImageLabel
    inputs: tuple[InputFile, ...]
    calibration: Any = None

    @classmethod
    def read(cls, path: Path, calibration: Any = None) -> "RawFile":
        """Look at an image and let its pixels go again; errors as for `read_framelets`."""
        stack = read_framelets(path)
        return cls(path, stack.label, stack.inputs, calibration)

    def calibrated(self) -> Any:
        """The framelets in I/F (`CalibratedStack`), read anew."""
        from perijove.calibrate.stack import calibrate

        return calibrate(read_framelets(self.path), self.calibration)


@dataclass(frozen=True)
class Source:
    """An image to be solved.

    Attributes
    ----------
    label : ImageLabel
    calibrated : callable
        Gives its `CalibratedStack`.
    """

    label: ImageLabel
    calibrated: Callable[[], Any]


def solve_pass(
    sources: Sequence[Source],
    kernels: KernelFolder | None = None,
    labels: Sequence[ImageLabel] = (),
    progress: Progress = silent,
    *,
    refine: bool = False,
) -> tuple[Any, ...]:
    """Solve the pointing of one image, or of several of a perijove together.

    Parameters
    ----------
    sources : sequence of Source
    kernels : KernelFolder, optional
    labels : sequence of ImageLabel
        Of further images of the perijove.
    progress : callable, optional
        Told what is done to which image.
    refine : bool
        Whether kernels that were made of an earlier solution are but a start.

    Returns
    -------
    tuple of Located
        In the order of the sources.

    Raises
    ------
    GeometryError
        If the pointing cannot be found.
    """
    from perijove.register.bundle import Observation, locate_pass
    from perijove.register.locate import Knowledge

    observations = []
    for number, source in enumerate(sources, 1):
        name = str(source.label.product_id)
        told = name if len(sources) == 1 else f"{name} ({number} of {len(sources)})"
        observations.append(Observation(source.label, _Pixels(source, told, progress)))
    # An image may be there with its pixels and once more as a label.
    known = {label.product_id.image_key: label for label in (*labels, *(source.label for source in sources))}
    return locate_pass(observations, Knowledge(kernels, tuple(known.values()), refine=refine))


@dataclass
class _Pixels:
    """Pixels of an image for the fit; tells each time what they are wanted for."""

    source: Source
    name: str
    progress: Progress
    asked: int = 0

    def __call__(self) -> Planes:
        calibrated = self.source.calibrated()
        self.progress(f"{'tying' if self.asked else 'locating'} {self.name}")
        self.asked += 1
        return _unsaturated(calibrated)


def _unsaturated(calibrated: Any) -> Planes:
    """I/F without clipped pixels: there the edge of the disc moves outward, and bloomed charge makes its own."""
    from perijove.calibrate.quality import Quality

    values: Planes = calibrated.i_over_f
    saturated = (calibrated.quality & np.uint8(Quality.SATURATED)) > 0
    return np.where(saturated, np.float32(np.nan), values) if saturated.any() else values


def solve(
    paths: Sequence[Path],
    folder: Path,
    *,
    kernels: Path | None = None,
    calibration: Path | None = None,
    labels: Sequence[Path] = (),
    progress: Progress = silent,
) -> dict[str, Any]:
    """Solve images of a perijove together; write pointing files, kernels and a report.

    Parameters
    ----------
    paths : sequence of Path
        Raw images.
    folder : Path
        Made if it does not exist.
    kernels : Path, optional
        Folder of SPICE kernels: a start, and the clock that the new kernels are written with.
    calibration : Path, optional
        Folder of darks and flats.
    labels : sequence of Path
        Labels of further images: they refine the velocity where there is no SPK.
    progress : callable, optional

    Returns
    -------
    dict
        The report; its ``files`` are the paths written, the report's own last.

    Raises
    ------
    InputError
        Of the kind that tells what is wrong.
    GeometryError
        If the pointing cannot be found.
    """
    from perijove.products.raster import check_folder, write_json
    from perijove.products.solve_report import SolvedImage, solve_report

    # Refuse at once what could only fail after the work is done.
    check_folder(folder)
    found = KernelFolder.find(kernels) if kernels is not None else None
    raws, left_out = _of_jupiter(_read(paths, calibration, progress))
    others = tuple(read_label(path) for path in labels)
    _check_perijove(raws, labels, others)
    sources = [Source(raw.label, raw.calibrated) for raw in raws]
    located = solve_pass(sources, found, others, progress, refine=True)
    images = [SolvedImage(raw.label, raw.inputs, each) for raw, each in zip(raws, located, strict=True)]
    progress("writing pointing and kernels")
    report = {**solve_report(images, found), "left_out": left_out}
    path = folder / f"pj{raws[0].label.orbit:02d}.solve.json"
    files = [*_write(images, folder, report, found), path]
    report = {**report, "files": [str(file) for file in files]}
    write_json(path, report)
    return report


def _read(paths: Sequence[Path], calibration: Path | None, progress: Progress) -> list[RawFile]:
    """Images in the order of their times."""
    calibration_set = None
    if calibration is not None:
        from perijove.calibrate.calibration_set import load_calibration

        calibration_set = load_calibration(calibration)
    raws = []
    for path in paths:
        progress(f"reading {path.name}")
        raws.append(RawFile.read(path, calibration_set))
    return sorted(raws, key=lambda raw: raw.label.start_time)


def _of_jupiter(raws: Sequence[RawFile]) -> tuple[list[RawFile], list[str]]:
    """Images of Jupiter, and what is said of the others: a folder of a perijove holds moons as well."""
    shown = [raw for raw in raws if raw.label.target in ("JUPITER", "")]
    others = [f"{raw.label.product_id}: shows {raw.label.target}" for raw in raws if raw not in shown]
    if not shown:
        raise OptionError(f"none of the images shows Jupiter ({'; '.join(others)}); only Jupiter can be solved so far")
    return shown, others


def _check_perijove(raws: Sequence[RawFile], paths: Sequence[Path], labels: Sequence[ImageLabel]) -> None:
    """All images are of one perijove, and none is there twice."""
    orbit, seen = raws[0].label.orbit, dict[str, Path]()
    files = [(raw.path, raw.label) for raw in raws] + list(zip(paths, labels, strict=True))
    for path, label in files:
        if label.orbit != orbit:
            raise OptionError(
                f"{path} is of perijove {label.orbit}, {raws[0].path} of perijove {orbit}; "
                "solve each perijove by itself"
            )
    for raw in raws:
        key = raw.label.product_id.image_key
        if key in seen:
            raise OptionError(f"{raw.path} and {seen[key]} are the same image; give it once")
        seen[key] = raw.path


def _write(images: Sequence[Any], folder: Path, report: dict[str, Any], kernels: KernelFolder | None) -> list[Path]:
    """Write pointing files and kernels; return their paths."""
    from perijove.products.kernels import ImagePointing, write_pointing_kernels
    from perijove.products.solve_report import accuracy_told
    from perijove.register.pointing_file import Solved, pointing_path, write_pointing

    pointings = [ImagePointing.of(image.label, image.located.solution.pointing) for image in images]
    files = write_pointing_kernels(folder, pointings, {"Accuracy": accuracy_told(report)}, kernels)
    for image in images:
        path = pointing_path(folder, image.label)
        solved = Solved(str(image.label.product_id), image.inputs[0].sha256, f"perijove {__version__}", image.located)
        write_pointing(path, solved)
        files.append(path)
    return files
