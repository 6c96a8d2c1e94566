"""Solved pointing as a file, so that an image can be drawn again without being solved again.

A file belongs to one image, known by its product id and the hash of its raw file, and to one version of the format.
What does not belong together is refused, never mixed.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from perijove.archive.inputs import InputFile, read_file
from perijove.archive.label import ImageLabel
from perijove.errors import PointingFileError
from perijove.files import replacing
from perijove.geometry.camera import Camera
from perijove.geometry.ephemeris import Trajectory
from perijove.geometry.pointing import Pointing
from perijove.register.locate import Located
from perijove.register.solve import Parameter, Solution

Floats = npt.NDArray[np.float64]

FORMAT: Final = "perijove pointing"
#: Raised whenever a reader of older files would misunderstand newer ones, or the other way round.
FORMAT_VERSION: Final = 1
SUFFIX: Final = ".pointing.json"
#: Residuals are kept for their statistics: 1e-4 px.
_RESIDUAL_DIGITS: Final = 4
#: The longest image, 111 frames and some 40 parameters, makes 0.5 MB.
_LIMIT_BYTES: Final = 64 * 2**20
_AGAIN: Final = "solve the image again with `perijove solve`"
_TRAJECTORY: Final = ("source", "label_offset_s", "label_distance_km", "from_kernel")
_FRAMES: Final = ("et", "camera_to_j2000", "position_km", "velocity_km_s", "sun", "earth")


@dataclass(frozen=True)
class Solved:
    """The solved pointing of an image, and what it was solved from.

    Attributes
    ----------
    product : str
        Product id.
    raw_sha256 : str
        Of the raw file.
    software : str
        What solved it.
    located : Located
        A trajectory that was read from a file holds the states of the frames only.
    """

    product: str
    raw_sha256: str
    software: str
    located: Located


def pointing_path(folder: Path, label: ImageLabel) -> Path:
    """Where the pointing of an image lies in a folder."""
    return folder / f"{label.product_id}{SUFFIX}"


def write_pointing(path: Path, solved: Solved) -> None:
    """Write a pointing file: JSON, a line for each entry.

    Raises
    ------
    OptionError
        If it cannot be written.
    """
    located, solution = solved.located, solved.located.solution
    pointing, trajectory = solution.pointing, located.trajectory
    kept = {name: getattr(trajectory, name) for name in _TRAJECTORY}
    frames = {name: getattr(pointing, name).tolist() for name in _FRAMES}
    content = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "software": solved.software,
        "product": solved.product,
        "raw_sha256": solved.raw_sha256,
        "attitude_source": located.attitude_source,
        "axis_source": located.axis_source,
        "limb_points": located.limb_points,
        "warnings": list(located.warnings),
        "trajectory": kept,
        "pointing": {**frames, "cameras": [asdict(camera) for camera in pointing.cameras.values()]},
        "parameters": {name: asdict(parameter) for name, parameter in solution.parameters.items()},
        "covariance": solution.covariance.tolist(),
        "turn_axes": solution.turn_axes.tolist(),
        "spin_epoch": solution.spin_epoch,
        "axis_epoch": solution.axis_epoch,
        "limb_residual_px": np.round(solution.residual_px, _RESIDUAL_DIGITS).tolist(),
        "limb_residual_band": solution.residual_band.tolist(),
        "limb_rejected": solution.rejected,
        "tie_residual_px": np.round(solution.tie_residual_px, _RESIDUAL_DIGITS).tolist(),
        "ties_rejected": solution.ties_rejected,
        "spin_axis": solution.spin_axis.tolist(),
        "spin_axis_sigma_rad": solution.spin_axis_sigma_rad,
        "spin_rate_rad_s": solution.spin_rate_rad_s,
    }
    with replacing(path) as temporary:
        temporary.write_text(_lines(content), encoding="utf-8")


def read_pointing(path: Path) -> tuple[Solved, InputFile]:
    """Read a pointing file.

    Returns
    -------
    solved : Solved
    file : InputFile
        The file, with its hash.

    Raises
    ------
    PointingFileError
        If there is no such file, it is none of pointing, of another version, or damaged.
    """
    data, file = read_file(path, _LIMIT_BYTES, PointingFileError)
    try:
        content = json.loads(data)
    except ValueError as error:
        raise PointingFileError(f"{path} is no pointing file: {error}; {_AGAIN}") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise PointingFileError(f"{path} is no pointing file; give a file or folder that `perijove solve` wrote")
    if content.get("format_version") != FORMAT_VERSION:
        raise PointingFileError(
            f"{path} has version {content.get('format_version')} of the format, this perijove reads version "
            f"{FORMAT_VERSION}; {_AGAIN}"
        )
    entry = _Entry(path, "", {k: v for k, v in content.items() if k not in ("format", "format_version")})
    solution = _solution(entry)
    located = Located(
        solution,
        _trajectory(entry.part("trajectory"), solution.pointing),
        entry.text("attitude_source"),
        entry.text("axis_source"),
        entry.count("limb_points"),
        entry.texts("warnings"),
    )
    solved = Solved(entry.text("product"), entry.text("raw_sha256"), entry.text("software"), located)
    entry.end()
    return solved, file


def pointing_of(path: Path, label: ImageLabel, raw: InputFile) -> tuple[Located, InputFile]:
    """The pointing of one image, from its file or from a folder that holds its file.

    Parameters
    ----------
    path : Path
    label : ImageLabel
    raw : InputFile
        The image's raw file.

    Returns
    -------
    located : Located
    file : InputFile
        The pointing file, with its hash.

    Raises
    ------
    PointingFileError
        Also if the pointing is that of another image, or was solved from another file than this.
    """
    if path.is_dir():
        folder, path = path, pointing_path(path, label)
        if not path.is_file():
            raise PointingFileError(f"no {path.name} in {folder}; solve the image with `perijove solve`")
    solved, file = read_pointing(path)
    if solved.product != str(label.product_id):
        raise PointingFileError(f"{path} holds the pointing of {solved.product}, the image is {label.product_id}")
    if solved.raw_sha256 != raw.sha256:
        raise PointingFileError(
            f"{path} was solved from another file of {label.product_id} than {raw.path} (SHA-256 "
            f"{solved.raw_sha256[:12]}..., not {raw.sha256[:12]}...); give that file, or {_AGAIN}"
        )
    pointing = solved.located.solution.pointing
    if pointing.frames != label.frames or tuple(pointing.cameras) != label.bands:
        raise PointingFileError(
            f"{path} holds {pointing.frames} frames of {', '.join(pointing.cameras)}, the label of {label.product_id} "
            f"says {label.frames} of {', '.join(label.bands)}; {_AGAIN}"
        )
    return solved.located, file


def _lines(content: Mapping[str, Any]) -> str:
    """JSON with a line for each entry of the outermost two levels: arrays stay in one."""
    told = []
    for name, value in content.items():
        if isinstance(value, dict) and value:
            inner = [f"  {json.dumps(key)}: {json.dumps(entry, allow_nan=False)}" for key, entry in value.items()]
            told.append(f"{json.dumps(name)}: {{\n" + ",\n".join(inner) + "\n}")
        else:
            told.append(f"{json.dumps(name)}: {json.dumps(value, allow_nan=False)}")
    return "{\n" + ",\n".join(told) + "\n}\n"


def _solution(entry: "_Entry") -> Solution:
    pointing = _pointing(entry.part("pointing"))
    words = entry.part("parameters")
    parameters = {name: _parameter(words.part(name)) for name in list(words.left)}
    words.end()
    points = entry.array("limb_residual_px", -1)
    return Solution(
        pointing,
        parameters,
        entry.array("covariance", len(parameters), len(parameters)),
        entry.array("turn_axes", 3, 3),
        entry.number("spin_epoch"),
        entry.number("axis_epoch"),
        points,
        entry.array("limb_residual_band", len(points)).astype(np.int64),
        entry.count("limb_rejected"),
        entry.array("tie_residual_px", -1, 2),
        entry.count("ties_rejected"),
        entry.array("spin_axis", 3),
        entry.number("spin_axis_sigma_rad"),
        entry.number("spin_rate_rad_s"),
    )


def _parameter(entry: "_Entry") -> Parameter:
    found = Parameter(entry.number("value"), entry.number("sigma"), entry.number("prior_sigma"), entry.text("unit"))
    entry.end()
    return found


def _pointing(entry: "_Entry") -> Pointing:
    et = entry.array("et", -1)
    if not len(et):
        raise entry.fault("et", "holds no frames")
    shapes = [(len(et), 3, 3), (len(et), 3), (len(et), 3), (3,), (3,)]
    arrays = {name: entry.array(name, *shape) for name, shape in zip(_FRAMES[1:], shapes, strict=True)}
    cameras = [_camera(camera) for camera in entry.parts("cameras")]
    entry.end()
    return Pointing(et, **arrays, cameras={camera.band: camera for camera in cameras})


def _camera(entry: "_Entry") -> Camera:
    names = [field.name for field in fields(Camera) if field.name not in ("band", "sampling_factor")]
    numbers = {name: entry.number(name) for name in names}
    camera = Camera(band=entry.text("band"), sampling_factor=entry.count("sampling_factor"), **numbers)
    entry.end()
    return camera


def _trajectory(entry: "_Entry", pointing: Pointing) -> Trajectory:
    source, from_kernel = entry.text("source"), entry.flag("from_kernel")
    offset, distance = entry.number("label_offset_s"), entry.number("label_distance_km")
    entry.end()
    states = pointing.et, pointing.position_km, pointing.velocity_km_s
    return Trajectory(*states, source, offset, distance, from_kernel)


class _Entry:
    """Names and values of a JSON object, taken out one by one; what is left over at the end is refused."""

    def __init__(self, path: Path, where: str, content: Any) -> None:
        self.path, self.where = path, where
        if not isinstance(content, dict):
            raise PointingFileError(f"{path}: {where.rstrip('.')} is no object; {_AGAIN}")
        self.left = dict(content)

    def fault(self, name: str, what: str) -> PointingFileError:
        """The error that says what is wrong with an entry."""
        return PointingFileError(f"{self.path}: {self.where}{name} {what}; the file is damaged: {_AGAIN}")

    def _taken(self, name: str, kind: type | tuple[type, ...], what: str) -> Any:
        if name not in self.left:
            raise self.fault(name, "is missing")
        value = self.left.pop(name)
        # A truth value is a number to Python, not to us.
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise self.fault(name, f"is no {what}")
        return value

    def text(self, name: str) -> str:
        """Take a string."""
        return str(self._taken(name, str, "text"))

    def texts(self, name: str) -> tuple[str, ...]:
        """Take strings."""
        found = self._taken(name, list, "list")
        if not all(isinstance(text, str) for text in found):
            raise self.fault(name, "holds more than text")
        return tuple(found)

    def flag(self, name: str) -> bool:
        """Take true or false."""
        return bool(self._taken(name, bool, "truth value"))

    def count(self, name: str) -> int:
        """Take a whole number from zero on."""
        found = int(self._taken(name, int, "whole number"))
        if found < 0:
            raise self.fault(name, "is negative")
        return found

    def number(self, name: str) -> float:
        """Take a finite number."""
        found = float(self._taken(name, (int, float), "number"))
        if not np.isfinite(found):
            raise self.fault(name, "is not finite")
        return found

    def array(self, name: str, *shape: int) -> Floats:
        """Take an array of finite numbers; a size of -1 may be any."""
        nested = self._taken(name, list, "array")
        try:
            found = np.array(nested, float).reshape(shape if not nested else np.shape(nested))
        except (ValueError, TypeError) as error:
            raise self.fault(name, "is no array of numbers") from error
        fits = found.ndim == len(shape) and all(
            wanted in (-1, size) for wanted, size in zip(shape, found.shape, strict=True)
        )
        if not fits or not np.isfinite(found).all():
            raise self.fault(name, f"has shape {found.shape}, or numbers that are not finite")
        return found

    def part(self, name: str) -> "_Entry":
        """Take an object."""
        return _Entry(self.path, f"{self.where}{name}.", self._taken(name, dict, "object"))

    def parts(self, name: str) -> list["_Entry"]:
        """Take a list of objects."""
        found = self._taken(name, list, "list")
        return [_Entry(self.path, f"{self.where}{name}[{i}].", each) for i, each in enumerate(found)]

    def end(self) -> None:
        """Refuse what nobody asked for."""
        for name in self.left:
            raise self.fault(name, "is unknown")
