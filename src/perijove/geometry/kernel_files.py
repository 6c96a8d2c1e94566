"""The only writer of SPICE kernels: trajectories, attitudes, clocks and text kernels.

Every kernel takes its place only when it is complete, and says in its comments what it is.
"""

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from textwrap import wrap
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from perijove.errors import KernelError
from perijove.files import replacing
from perijove.geometry.kernels import SPICE_LOCK, Clock, clock_ticks
from perijove.geometry.timescale import LEAP_SECONDS, TT_MINUS_TAI_S

Floats = npt.NDArray[np.float64]
Value = float | str | Sequence[float | str]

_SPACECRAFT_FRAME: Final = -61000
#: Hermite polynomials of degree 7 through four states, or as many as there are.
_SPK_DEGREE: Final = 7
#: Internal names of binary kernels may be this long (DAF).
_NAME_CHARACTERS: Final = 60
_COMMENT_WIDTH: Final = 78
#: Text kernels may have no longer lines.
_TABLE_WIDTH: Final = 132
#: Clock counts a second, as those of the spacecraft's clock.
_TICKS: Final = 256
#: Where our own clock counts from, TDB seconds past J2000 (July 2009). The spacecraft's counts from 2000: a CK that is
#: read with the other clock lies ten years off, and is missed rather than misread.
_CLOCK_ZERO_S: Final = 3.0e8


@dataclass(frozen=True)
class StateSegment:
    """States of a body along one piece of its way.

    Attributes
    ----------
    body, centre : int
        NAIF numbers.
    et : ndarray, (n,)
        Ascending, TDB; the segment holds from the first to the last.
    states : ndarray, (n, 6)
        Position and velocity in J2000, km and km/s.
    name : str
        At most 40 characters.
    """

    body: int
    centre: int
    et: Floats
    states: Floats
    name: str


@dataclass(frozen=True)
class AttitudeSegment:
    """Attitude of the spacecraft over one time that is interpolated without a break.

    Attributes
    ----------
    et : ndarray, (n,)
        Ascending, TDB.
    spacecraft_to_j2000 : ndarray, (n, 3, 3)
    angular_velocity : ndarray, (n, 3)
        J2000, rad/s.
    name : str
        At most 40 characters.
    """

    et: Floats
    spacecraft_to_j2000: Floats
    angular_velocity: Floats
    name: str


def write_spk(path: Path, segments: Sequence[StateSegment], comments: Sequence[str] = ()) -> None:
    """Write trajectories (type 13); where segments overlap the last one holds.

    Raises
    ------
    KernelError
        If SPICE refuses the records.
    OptionError
        If the folder cannot be written to.
    """
    with _binary_kernel(path, "spk", comments) as (spice, handle):
        for piece in segments:
            n = len(piece.et)
            ends = (float(piece.et[0]), float(piece.et[-1]))
            records = (min(_SPK_DEGREE, 2 * n - 1), n, piece.states.tolist(), piece.et.tolist())
            spice.spkw13(handle, piece.body, piece.centre, "J2000", *ends, piece.name, *records)


def write_ck(path: Path, segments: Sequence[AttitudeSegment], clock: Clock, comments: Sequence[str] = ()) -> None:
    """Write the spacecraft's attitude (type 3, with angular velocity), each segment one interpolation interval.

    Parameters
    ----------
    path : Path
    segments : sequence of AttitudeSegment
    clock : Clock
        Encodes the times; the CK can be read with this clock alone.
    comments : sequence of str

    Raises
    ------
    KernelError
        If the clock cannot be read, or SPICE refuses the records.
    OptionError
        If the folder cannot be written to.
    """
    ticks = [clock_ticks(clock, piece.et) for piece in segments]
    with _binary_kernel(path, "ck", comments) as (spice, handle):
        for piece, count in zip(segments, ticks, strict=True):
            quaternions = np.array([spice.m2q(np.ascontiguousarray(m.T)) for m in piece.spacecraft_to_j2000])
            names = (_SPACECRAFT_FRAME, "J2000", True, piece.name)
            records = (len(count), count, quaternions, piece.angular_velocity, 1, count[:1])
            spice.ckw03(handle, count[0], count[-1], *names, *records)


def write_text_kernel(path: Path, kind: str, values: Mapping[str, Value], comments: Sequence[str] = ()) -> None:
    r"""Write a text kernel.

    Parameters
    ----------
    path : Path
    kind : str
        LSK, SCLK, IK or FK.
    values : mapping of str to number, str, or sequence of these
        A string that begins with ``@`` is a date and goes without quotes.
    comments : sequence of str
        Paragraphs. Made ASCII, without the backslash, which could begin data.

    Raises
    ------
    OptionError
        If the folder cannot be written to.
    """
    data = [f"   {name} = {_written(value)}" for name, value in values.items()]
    lines = [f"KPL/{kind}", "", *comment_lines(comments), "", "\\begindata", "", *data, "", "\\begintext", ""]
    with replacing(path) as temporary:
        temporary.write_text("\n".join(lines), encoding="ascii", newline="\n")


def write_clock(clock: Clock, comments: Sequence[str] = ()) -> None:
    """Write a leap-second kernel and a clock of our own, for those who have none of the mission's.

    The clock counts 256ths of seconds of TDB past J2000 + 3e8 s; `perijove.geometry.timescale` has the leap seconds.
    """
    table: list[float | str] = []
    for since, seconds in LEAP_SECONDS:
        table += [seconds, f"@{since:%Y}-{since:%b}-{since.day}".upper()]
    leap: dict[str, Value] = {
        "DELTET/DELTA_T_A": TT_MINUS_TAI_S,
        "DELTET/K": 1.657e-3,
        "DELTET/EB": 1.671e-2,
        "DELTET/M": (6.239996, 1.99096871e-7),
        "DELTET/DELTA_AT": table,
    }
    ticking: dict[str, Value] = {
        "SCLK_KERNEL_ID": ("@2020-01-01",),
        "SCLK_DATA_TYPE_61": 1,
        "SCLK01_TIME_SYSTEM_61": 1,
        "SCLK01_N_FIELDS_61": 2,
        "SCLK01_MODULI_61": (4294967296, _TICKS),
        "SCLK01_OFFSETS_61": (0, 0),
        "SCLK01_OUTPUT_DELIM_61": 2,
        "SCLK_PARTITION_START_61": 0.0,
        "SCLK_PARTITION_END_61": 1e12,
        "SCLK01_COEFFICIENTS_61": (0.0, _CLOCK_ZERO_S, 1.0),
    }
    write_text_kernel(clock.lsk, "LSK", leap, comments)
    write_text_kernel(clock.sclk, "SCLK", ticking, comments)


def comment_lines(paragraphs: Sequence[str]) -> list[str]:
    """Paragraphs as lines that a comment area may hold: ASCII, short, no backslash.

    What is set in by two spaces is a table, whose lines stay whole.

    Examples
    --------
    >>> comment_lines(["after G. Eichstädt", "", "  a   table"])
    ['after G. Eichstadt', '', '  a   table']
    """
    lines: list[str] = []
    for paragraph in paragraphs:
        plain = unicodedata.normalize("NFKD", paragraph).encode("ascii", "ignore").decode().replace("\\", "/")
        if plain.startswith("  "):
            lines.append("".join(c for c in plain if c.isprintable())[:_TABLE_WIDTH].rstrip())
        else:
            lines += wrap(plain, _COMMENT_WIDTH) or [""]
    return lines


@contextmanager
def _binary_kernel(path: Path, kind: Literal["spk", "ck"], comments: Sequence[str]) -> Iterator[tuple[Any, int]]:
    """SPICE, under the lock, and the handle of a new kernel with its comments."""
    import spiceypy

    begin, end = {"spk": (spiceypy.spkopn, spiceypy.spkcls), "ck": (spiceypy.ckopn, spiceypy.ckcls)}[kind]
    lines = comment_lines(comments)
    with replacing(path) as temporary, SPICE_LOCK:
        # SPICE refuses to write to a file that exists.
        temporary.unlink()
        handle = None
        try:
            handle = begin(str(temporary), path.stem[:_NAME_CHARACTERS], 0)
            if lines:
                # No line may be empty to the C interface.
                spiceypy.dafac(handle, [line or " " for line in lines])
            yield spiceypy, handle
            end(handle)
            handle = None
        except spiceypy.exceptions.SpiceyError as error:
            raise KernelError(f"cannot write {path}: {error.short}; choose another folder") from error
        finally:
            if handle is not None:
                spiceypy.dafcls(handle)


def _written(value: Value) -> str:
    """One value, or several in brackets on lines of their own."""
    if isinstance(value, str):
        return value if value.startswith("@") else "'" + value.replace("'", "''") + "'"
    if isinstance(value, (int, float, np.number)):
        return repr(value if isinstance(value, int) else float(value)).upper()
    return "(\n" + "".join(f"      {_written(one)}\n" for one in value) + "   )"
