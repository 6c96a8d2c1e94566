"""A calibration set from raw images: read, located where they can be, learned from, written."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from perijove.archive.framelets import FrameletStack, InputFile, read_framelets
from perijove.errors import CalibrationError, GeometryError, OptionError
from perijove.solving import Progress, Source, silent, solve_pass


def calibrate_set(
    raws: Sequence[Path],
    output: Path,
    *,
    pointing: Path | None = None,
    orbits: tuple[int, int] | None = None,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Make a calibration set of raw images of one or several perijoves.

    Parameters
    ----------
    raws : sequence of path
        As for `read_framelets`.
    output : Path
        Folder of the set; a set that is there is replaced.
    pointing : Path, optional
        Folder of pointing that was solved before; images that it does not hold are solved one by one.
    orbits : tuple of int, optional
        First and last orbit for which the set holds; by default those of the images.
    progress : callable, optional
        Told what is done to which image.

    Returns
    -------
    dict
        The report; its ``files`` are the paths written, the report's own last.

    Raises
    ------
    InputError
        A file cannot be read, no image tells of the detector, or the set cannot be written.
    """
    from perijove.calibrate.build import SetBuilder, widened
    from perijove.products.calibration_set import check_set_folder, write_set

    check_set_folder(output)
    builder = SetBuilder()
    products: list[str] = []
    inputs: list[dict[str, str]] = []
    left_out: list[str] = []
    for number, path in enumerate(raws, 1):
        progress(f"reading {path.name} ({number} of {len(raws)})")
        stack = read_framelets(path)
        name = str(stack.label.product_id)
        if name in products:
            left_out.append(f"{name}: given twice")
            continue
        try:
            pairs = _shared_ground(stack, pointing, progress)
        except GeometryError as error:
            pairs = {}
            left_out.append(f"{name}: no ground shared by framelets, as its pointing could not be found ({error})")
        progress(f"learning from {name}")
        try:
            builder.add(stack, pairs)
        except CalibrationError as error:
            left_out.append(str(error))
            continue
        products.append(name)
        inputs += [_told(entry) for entry in stack.inputs]
    if not products:
        raise CalibrationError(f"no set can be made of these images: {'; '.join(left_out) or 'none was given'}")
    planes, results = builder.build()
    progress(f"writing {output}")
    return write_set(
        output, widened(planes, orbits), results, {"products": products, "inputs": inputs, "left_out": left_out}
    )


def orbits_of(text: str | None) -> tuple[int, int] | None:
    """First and last orbit, from ``FIRST,LAST``.

    Raises
    ------
    OptionError
        The text is something else.

    Examples
    --------
    >>> orbits_of("40,48")
    (40, 48)
    """
    if text is None:
        return None
    try:
        first, last = (int(part) for part in text.split(","))
    except ValueError as error:
        raise OptionError(f"--orbits {text!r} is not FIRST,LAST; give it like --orbits 40,48") from error
    if not 0 <= first <= last:
        raise OptionError(f"--orbits {text} is no range of orbits; give the first, then the last")
    return first, last


def _told(entry: InputFile) -> dict[str, str]:
    return {"file": entry.path.name, "sha256": entry.sha256}


def _shared_ground(stack: FrameletStack, pointing: Path | None, progress: Progress) -> Any:
    """Pairs of framelets over the same ground, by band."""
    from perijove.calibrate.stack import calibrate
    from perijove.errors import PointingFileError
    from perijove.project.overlap import unclipped_pairs
    from perijove.register.pointing_file import pointing_of

    if stack.label.target not in ("JUPITER", ""):
        raise GeometryError(f"it shows {stack.label.target}")
    calibrated = calibrate(stack)
    located = None
    if pointing is not None:
        try:
            located = pointing_of(pointing, stack.label, stack.inputs[0])[0]
        except PointingFileError:
            progress(f"{stack.label.product_id} is not in {pointing}")
    if located is None:
        located = solve_pass([Source(stack.label, lambda: calibrated)], progress=progress)[0]
    return unclipped_pairs(calibrated, located.solution.pointing, stack.label.bands)
