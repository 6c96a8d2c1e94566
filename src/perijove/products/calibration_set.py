"""A calibration set on disk: planes, description, report and pictures, written whole or not at all."""

import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from perijove import __version__
from perijove.calibrate.build import BandResult
from perijove.calibrate.calibration_set import SetPlane
from perijove.calibrate.set_file import FORMAT, SET_FILE, SetDescription, plane_name, write_planes
from perijove.errors import OptionError
from perijove.products.raster import write_json, write_png
from perijove.products.report import CREDIT

REPORT_FILE: Final = "calibration.report.json"
#: Range of the flat's pictures about 1, and of the darks' in DN.
_FLAT_RANGE: Final = 0.1
_DARK_RANGE_DN: Final = 50.0


def check_set_folder(folder: Path) -> None:
    """Refuse a place where no set can be written, before work is done.

    Raises
    ------
    OptionError
        The place is no folder, cannot be written to, or holds other things than a set.
    """
    existing = folder.absolute()
    while not existing.exists() and existing != existing.parent:
        existing = existing.parent
    if not existing.is_dir() or not os.access(existing, os.W_OK):
        raise OptionError(
            f"cannot write a set to {folder}: {existing} is no folder to write to; choose another with -o"
        )
    if folder.is_dir() and any(folder.iterdir()) and not (folder / SET_FILE).is_file():
        raise OptionError(
            f"{folder} holds other things than a calibration set; choose a new or an empty folder with -o"
        )


def write_set(
    folder: Path, planes: Sequence[SetPlane], results: Sequence[BandResult], made: Mapping[str, Any]
) -> dict[str, Any]:
    """Write a set; one that was there before is replaced as a whole.

    Parameters
    ----------
    folder : Path
    planes : sequence of SetPlane
    results : sequence of BandResult
    made : mapping
        ``products`` (list of str), ``inputs`` and ``left_out``, for description and report.

    Returns
    -------
    dict
        The report; its ``files`` are the paths written, the report's own last.

    Raises
    ------
    OptionError
        As for `check_set_folder`.
    """
    check_set_folder(folder)
    folder = folder.absolute()
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    except OSError as error:
        raise OptionError(f"cannot write to {folder.parent}: {error.strerror}; choose another place with -o") from error
    try:
        report = _fill(temporary, folder, tuple(planes), results, made)
        mask = os.umask(0)
        os.umask(mask)
        temporary.chmod(0o777 & ~mask)
        _exchange(temporary, folder)
    except OSError as error:
        raise OptionError(f"cannot write {folder}: {error.strerror}; choose another place with -o") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return report


def _exchange(temporary: Path, folder: Path) -> None:
    """Put a new folder in the place of one that may exist."""
    if not folder.exists():
        temporary.rename(folder)
        return
    former = temporary.with_name(temporary.name + ".former")
    folder.rename(former)
    try:
        temporary.rename(folder)
    except OSError:
        former.rename(folder)
        raise
    shutil.rmtree(former, ignore_errors=True)


def _fill(
    temporary: Path,
    folder: Path,
    planes: tuple[SetPlane, ...],
    results: Sequence[BandResult],
    made: Mapping[str, Any],
) -> dict[str, Any]:
    """Write all files into a folder that is to become another."""
    products = list(made["products"])
    orbits = sorted({orbit for plane in planes for orbit in plane.orbits})
    software = f"perijove {__version__}"
    described = SetDescription(
        format=FORMAT,
        title=f"Flats, darks and bad pixels of orbits {orbits[0]} to {orbits[-1]}, made of {len(products)} images",
        made_by=software,
        made_from=tuple(products),
        credit=CREDIT,
        licence="made of public-domain images; keep the credit line",
        plane=write_planes(temporary, planes),
    )
    (temporary / SET_FILE).write_text(described.to_toml(), encoding="utf-8")
    text = {"Source": ", ".join(products), "Copyright": CREDIT, "Software": software}
    for plane in planes:
        picture = (temporary / plane_name(plane)).with_suffix(".png")
        write_png(picture, picture_of(plane), {**text, "Title": f"{plane.kind} of {plane.band}"})
    names = sorted(path.name for path in temporary.iterdir())
    report = {
        "software": software,
        "credit": CREDIT,
        **made,
        "bands": [result.told() for result in results],
        "files": [str(folder / name) for name in (*names, REPORT_FILE)],
    }
    write_json(temporary / REPORT_FILE, report)
    return report


def picture_of(plane: SetPlane) -> npt.NDArray[np.uint8]:
    """A plane to look at: flats from 0.9 to 1.1, darks from 0 to 50 DN, bad pixels white.

    Returns
    -------
    ndarray, (line, sample), uint8
    """
    values = plane.plane.astype(np.float32)
    if plane.kind == "flat":
        scaled = (values - 1.0 + _FLAT_RANGE) / (2.0 * _FLAT_RANGE)
    elif plane.kind == "dark":
        scaled = np.sqrt(np.maximum(values, 0.0) / _DARK_RANGE_DN)
    else:
        scaled = values
    return np.asarray(np.rint(255.0 * np.clip(scaled, 0.0, 1.0)), np.uint8)
