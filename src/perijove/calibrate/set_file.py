"""The file that describes a calibration set: ``calibration.toml`` in the set's folder.

It says which file holds what, for which band, orbits and TDI stages, what the planes were made of and whom to credit.
Unknown keys, other versions and changed files are refused.
"""

import hashlib
import io
import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Self

import numpy as np

from perijove.calibrate.calibration_set import CalibrationSet, SetPlane
from perijove.constants import BANDS, FRAMELET_LINES, FRAMELET_SAMPLES
from perijove.errors import CalibrationError

SET_FILE: Final = "calibration.toml"
#: Version of the file's form.
FORMAT: Final = 1
#: What the numbers of each kind mean.
UNITS: Final = MappingProxyType({"flat": "relative response", "dark": "DN", "bad_pixel": "mask"})
#: Values that a kind can have: responses outside are no response, DN outside are none of a 12-bit converter.
_SANE: Final = MappingProxyType({"flat": (0.1, 3.0), "dark": (-4096.0, 4096.0), "bad_pixel": (0.0, 255.0)})
_FILE_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*\.tif")
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_LAST_ORBIT: Final = 99
_MAX_STAGES: Final = 128


@dataclass(frozen=True)
class PlaneEntry:
    """One plane: a TIFF of 128 x 1648 pixels beside the file.

    Attributes
    ----------
    kind : {"flat", "dark", "bad_pixel"}
    band : str
    file : str
        Name, without folder.
    sha256 : str
        Of the file.
    unit : str
        As in `UNITS`.
    orbits : tuple of int
        First and last.
    tdi_stages : int
        Stages over which the plane is summed already.
    """

    kind: str
    band: str
    file: str
    sha256: str
    unit: str
    orbits: tuple[int, int]
    tdi_stages: int

    @classmethod
    def of(cls, table: Mapping[str, Any]) -> Self:
        """From what TOML says, checked; ValueError says what is wrong."""
        given = _only_known(table, cls)
        orbits = given["orbits"]
        wrong = {
            "kind": given["kind"] not in UNITS,
            "band": given["band"] not in BANDS,
            "file": not _matches(_FILE_NAME, given["file"]),
            "sha256": not _matches(_SHA256, given["sha256"]),
            "unit": given["unit"] != UNITS.get(str(given["kind"])),
            "orbits": not (_whole_numbers(orbits, 2) and 0 <= orbits[0] <= orbits[1] <= _LAST_ORBIT),
            "tdi_stages": not (_whole_numbers([given["tdi_stages"]], 1) and 1 <= given["tdi_stages"] <= _MAX_STAGES),
        }
        for name, bad in wrong.items():
            if bad:
                raise ValueError(f"'{name}' cannot be {given[name]!r:.80}")
        return cls(**{**given, "orbits": (orbits[0], orbits[1])})


@dataclass(frozen=True)
class SetDescription:
    """All that ``calibration.toml`` says.

    Attributes
    ----------
    title : str
    made_by : str
        Software and its version.
    made_from : tuple of str
        Product ids.
    credit, licence : str
    plane : tuple of PlaneEntry
    format : int
        Version of the form.
    """

    title: str
    made_by: str
    made_from: tuple[str, ...]
    credit: str
    licence: str
    plane: tuple[PlaneEntry, ...]
    format: int = FORMAT

    @classmethod
    def of(cls, table: Mapping[str, Any]) -> Self:
        """From what TOML says, checked; ValueError says what is wrong."""
        if table.get("format") != FORMAT:
            raise ValueError(f"'format' is {table.get('format')!r:.80}, and this perijove reads {FORMAT}")
        given = _only_known(table, cls)
        no_text = [name for name in ("title", "made_by", "credit", "licence") if not isinstance(given[name], str)]
        if no_text:
            raise ValueError(f"'{no_text[0]}' cannot be {given[no_text[0]]!r:.80}")
        sources, entries = given["made_from"], given["plane"]
        if not isinstance(sources, list) or not all(isinstance(source, str) for source in sources):
            raise ValueError(f"'made_from' is to be a list of product ids, not {sources!r:.80}")
        if not isinstance(entries, list) or not entries or not all(isinstance(entry, dict) for entry in entries):
            raise ValueError("'plane' is to be [[plane]] tables, one at least")
        planes = []
        for number, entry in enumerate(entries, 1):
            try:
                planes.append(PlaneEntry.of(entry))
            except ValueError as error:
                raise ValueError(f"plane {number}: {error}") from error
        return cls(**{**given, "made_from": tuple(sources), "plane": tuple(planes)})

    def to_toml(self) -> str:
        """As text; the inverse of reading it."""
        content = asdict(self)
        planes = content.pop("plane")
        head = {"format": content.pop("format"), **content}
        return "\n".join([_lines(head), *("[[plane]]\n" + _lines(entry) for entry in planes)])


def _only_known(table: Mapping[str, Any], of: type[Any]) -> dict[str, Any]:
    """The entries of a table that has exactly the fields of a class."""
    names = {field.name for field in fields(of)}
    if unknown := sorted(set(table) - names):
        raise ValueError(f"unknown key '{unknown[0]}'")
    if absent := sorted(names - set(table)):
        raise ValueError(f"'{absent[0]}' is missing")
    return dict(table)


def _matches(pattern: re.Pattern[str], value: Any) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


def _whole_numbers(values: Any, count: int) -> bool:
    return isinstance(values, list) and len(values) == count and all(type(value) is int for value in values)


def _lines(table: Mapping[str, Any]) -> str:
    # Strings, whole numbers and lists of them look the same in JSON and TOML, but for DEL.
    return "".join(
        f"{name} = {json.dumps(value, ensure_ascii=False)}\n".replace("\x7f", "\\u007f")
        for name, value in table.items()
    )


def read_description(folder: Path) -> SetDescription:
    """Read and check the description of a set.

    Raises
    ------
    CalibrationError
        The file is missing, damaged, of another version, or says what no set can say.
    """
    path = folder / SET_FILE
    try:
        return SetDescription.of(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise CalibrationError(f"{path} cannot be read ({error.strerror}): name the folder of a set") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CalibrationError(f"{path} is not TOML ({error}): mend it, or make the set again") from error
    except ValueError as error:
        raise CalibrationError(f"{path}: {error}: mend it, or make the set again") from error


def read_set(folder: Path) -> CalibrationSet:
    """Read a set that is described by a ``calibration.toml``.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    CalibrationSet
        With all its planes as ``choices``.

    Raises
    ------
    CalibrationError
        As for `read_description`; or a file is missing, changed, or not what its entry says.
    """
    described = read_description(folder)
    planes = tuple(_read_plane(folder, entry) for entry in described.plane)
    return CalibrationSet(str(folder), f"{described.title} ({described.credit})", choices=planes)


def _read_plane(folder: Path, entry: PlaneEntry) -> SetPlane:
    import tifffile

    path = folder / entry.file
    try:
        content = path.read_bytes()
        if hashlib.sha256(content).hexdigest() != entry.sha256:
            raise CalibrationError(
                f"{path} is not the file that {SET_FILE} was written for: fetch or make the set again"
            )
        values = tifffile.imread(io.BytesIO(content))
    except OSError as error:
        raise CalibrationError(f"{path} cannot be read ({error.strerror}): fetch or make the set again") from error
    except (ValueError, tifffile.TiffFileError) as error:
        raise CalibrationError(f"{path} is not a TIFF that can be read ({error}): make the set again") from error
    if values.shape != (FRAMELET_LINES, FRAMELET_SAMPLES) or values.dtype.kind not in "fu":
        raise CalibrationError(
            f"{path} has shape {values.shape} and type {values.dtype}, not "
            f"({FRAMELET_LINES}, {FRAMELET_SAMPLES}) numbers: take a set made for JunoCam"
        )
    low, high = _SANE[entry.kind]
    # Written so that NaN is refused as well.
    if not ((values >= low) & (values <= high)).all():
        raise CalibrationError(f"{path} holds values that no {entry.kind} has: make the set again")
    plane: Any = values > 0 if entry.kind == "bad_pixel" else values.astype(np.float32)
    plane.flags.writeable = False
    # The kind was checked against the known ones when the entry was read.
    return SetPlane(entry.kind, entry.band, entry.orbits, entry.tdi_stages, plane)  # type: ignore[arg-type]


def plane_name(plane: SetPlane) -> str:
    """File name of a plane of a set."""
    first, last = plane.orbits
    return f"{plane.kind}_{plane.band.lower()}_orbits{first}-{last}_tdi{plane.tdi_stages}.tif"


def write_planes(folder: Path, planes: Sequence[SetPlane]) -> tuple[PlaneEntry, ...]:
    """Write planes into a folder, in the order of the bands.

    Returns
    -------
    tuple of PlaneEntry
    """
    import tifffile

    entries = []
    for plane in sorted(planes, key=lambda p: (p.kind, BANDS.index(p.band), p.orbits, p.tdi_stages)):
        path = folder / plane_name(plane)
        values = plane.plane.astype(np.uint8) * np.uint8(255) if plane.kind == "bad_pixel" else plane.plane
        tifffile.imwrite(path, values, compression="zlib", software=False, metadata=None)
        entries.append(
            PlaneEntry(
                kind=plane.kind,
                band=plane.band,
                file=path.name,
                sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
                unit=UNITS[plane.kind],
                orbits=plane.orbits,
                tdi_stages=plane.tdi_stages,
            )
        )
    return tuple(entries)
