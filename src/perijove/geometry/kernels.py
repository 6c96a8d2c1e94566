"""The only reader of SPICE kernels; `perijove.geometry.kernel_files` is the only writer.

CSPICE is neither thread-safe nor fork-safe and fails silently, so every call happens under one lock, kernels
are loaded for the time of one reading, and only arrays leave. Kernels that the caller has loaded stay loaded;
variables that the caller has put into the pool by hand (``pdpool``) are lost when a clock kernel is unloaded.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from perijove.errors import KernelError
from perijove.geometry.rotation import rotation_vector_matrix

Floats = npt.NDArray[np.float64]

#: Held by whoever calls SPICE.
SPICE_LOCK: Final = threading.Lock()
_JUNO, _JUPITER, _SPACECRAFT_FRAME = -61, 599, -61000
#: Tolerance of a CK look-up, seconds: telemetry comes every second or so, a hole is longer. The angular
#: velocity carries the attitude over so short a time to 5e-6 rad (measured on the CK of perijove 1).
_CK_TOLERANCE_S: Final = 2.0

_SUFFIXES: Final = {
    ".tls": "lsk",
    ".tsc": "sclk",
    ".bsp": "spk",
    ".bc": "ck",
}
_CONTENT: Final = {
    ".tls": ("KPL", "LSK"),
    ".tsc": ("KPL", "SCLK"),
    ".bsp": ("DAF", "SPK"),
    ".bc": ("DAF", "CK"),
}


#: How the names of kernels begin that were made from our own pointing.
OWN_PREFIX: Final = "perijove_"


@dataclass(frozen=True)
class Clock:
    """The kernels that turn clock counts into time.

    Attributes
    ----------
    lsk, sclk : Path
        Leap seconds and spacecraft clock.
    """

    lsk: Path
    sclk: Path


@dataclass(frozen=True)
class KernelFolder:
    """Kernels found below a folder, in load order (the last loaded wins).

    Attributes
    ----------
    lsk, sclk, spk, ck : tuple of Path
        Leap seconds, spacecraft clock, trajectories, attitudes.
    """

    lsk: tuple[Path, ...]
    sclk: tuple[Path, ...]
    spk: tuple[Path, ...]
    ck: tuple[Path, ...]

    @classmethod
    def find(cls, folder: Path) -> "KernelFolder":
        """Collect the kernels below ``folder``.

        Predicted trajectories come before reconstructed ones, and within each kind the names' order decides,
        so that a reconstruction is preferred. Those made from our own pointing come last, but our own clock
        first: whoever has the mission's uses that.

        Raises
        ------
        KernelError
            If the folder does not exist or holds no kernel.
        """
        if not folder.is_dir():
            raise KernelError(f"kernel folder {folder} does not exist; give a folder of .bsp/.bc/.tls/.tsc files")
        found: dict[str, list[Path]] = {kind: [] for kind in _SUFFIXES.values()}
        for path in sorted(folder.rglob("*")):
            kind = _SUFFIXES.get(path.suffix.lower())
            if kind and path.is_file():
                found[kind].append(path)
        if not any(found.values()):
            raise KernelError(f"no SPICE kernels (.bsp, .bc, .tls, .tsc) below {folder}")
        found["spk"].sort(key=lambda p: (_is_own(p), "rec" in p.name.lower(), p.name))
        found["ck"].sort(key=_is_own)
        for kind in ("lsk", "sclk"):
            found[kind].sort(key=_is_own, reverse=True)
        return cls(**{kind: tuple(paths) for kind, paths in found.items()})

    @property
    def clock(self) -> Clock | None:
        """The clock that was loaded last, or None where half of it is missing."""
        return Clock(self.lsk[-1], self.sclk[-1]) if self.lsk and self.sclk else None

    @property
    def clocks(self) -> tuple[Clock, ...]:
        """Clocks that a CK may have been written with: the last loaded, and our own."""
        if self.clock is None:
            return ()
        own = [path for path in self.sclk if _is_own(path)]
        return tuple(dict.fromkeys([self.clock, *(Clock(self.clock.lsk, path) for path in own)]))


def _is_own(path: Path) -> bool:
    return path.name.lower().startswith(OWN_PREFIX)


@contextmanager
def _loaded(paths: tuple[Path, ...]) -> Iterator[Any]:
    """SPICE with ``paths`` loaded, under the lock; unloads them, and nothing else, at the end."""
    import spiceypy

    with SPICE_LOCK:
        done: list[str] = []
        try:
            for path in paths:
                _check_content(spiceypy, path)
                spiceypy.furnsh(str(path))
                done.append(str(path))
            yield spiceypy
        except spiceypy.exceptions.SpiceyError as error:
            names = ", ".join(str(path) for path in paths)
            raise KernelError(f"cannot read {names}: {error.short}; download the kernel again") from error
        finally:
            for name in reversed(done):
                spiceypy.unload(name)


def _check_content(spice: Any, path: Path) -> None:
    """Refuse what SPICE would take for an empty text kernel without a word, such as a saved web page."""
    expected = _CONTENT[path.suffix.lower()]
    try:
        found = spice.getfat(str(path))
    except spice.exceptions.SpiceyError as error:
        raise KernelError(f"{path} is no readable SPICE kernel: {error.short}; download it again") from error
    if tuple(found) != expected:
        raise KernelError(f"{path} is no SPICE {expected[1]} kernel ({'/'.join(found)}); download it again")


def clock_ticks(clock: Clock, et: Floats) -> Floats:
    """Encoded, continuous counts of the spacecraft clock, (n,), at TDB times (n,).

    Raises
    ------
    KernelError
        If the clock kernels are damaged or do not cover the times.
    """
    with _loaded((clock.lsk, clock.sclk)) as spice:
        return np.array([spice.sce2c(_JUNO, float(t)) for t in et])


def read_states(folder: KernelFolder, et: Floats) -> tuple[Floats, Floats, Path] | None:
    """Geometric states of Juno relative to Jupiter's centre, J2000.

    Parameters
    ----------
    folder : KernelFolder
    et : ndarray, (n,)

    Returns
    -------
    position_km, velocity_km_s : ndarray, (n, 3)
    source : Path
        The trajectory that covers all times: the last in load order that does.
    None
        If no single SPK covers all times with both Juno and Jupiter.

    Raises
    ------
    KernelError
        If a kernel is damaged, or is no SPK.
    """
    for spk in reversed(folder.spk):
        with _loaded((spk,)) as spice:
            covered = spice.spkcov(str(spk), _JUNO)
            # Asked first, for a kernel that the caller has loaded would answer in this one's place.
            if not all(spice.wnelmd(float(t), covered) for t in et):
                continue
            try:
                states = np.array([spice.spkgeo(_JUNO, float(t), "J2000", _JUPITER)[0] for t in et])
            except spice.exceptions.SpiceSPKINSUFFDATA:
                # Jupiter's own centre is missing: another file may have it.
                continue
        return states[:, :3], states[:, 3:], spk
    return None


def read_attitude(folder: KernelFolder, et: Floats) -> tuple[Floats, Floats, Path] | None:
    """Attitude of Juno from a CK.

    Parameters
    ----------
    folder : KernelFolder
    et : ndarray, (n,)

    Returns
    -------
    spacecraft_to_j2000 : ndarray, (n, 3, 3)
    angular_velocity : ndarray, (n, 3)
        J2000, rad/s.
    source : Path
    None
        If no CK covers all times, or the leap-second or clock kernel it needs is missing.

    Raises
    ------
    KernelError
        If a kernel is damaged, or is not what its name says.
    """
    for ck in reversed(folder.ck):
        for clock in folder.clocks:
            found = _attitude_from(ck, clock, et)
            if found is not None:
                return *found, ck
    return None


def _attitude_from(ck: Path, clock: Clock, et: Floats) -> tuple[Floats, Floats] | None:
    """Matrices and angular velocities from one CK, or None where it does not cover all times by this clock."""
    with _loaded((clock.lsk, clock.sclk, ck)) as spice:
        tolerance = spice.sctiks(_JUNO, f"{int(_CK_TOLERANCE_S)}:0")
        covered = spice.ckcov(str(ck), _SPACECRAFT_FRAME, True, "SEGMENT", tolerance, "TDB")
        if not all(spice.wnelmd(float(t), covered) for t in et):
            return None
        try:
            found = [_attitude_at(spice, float(t), tolerance) for t in et]
        except spice.exceptions.NotFoundError:
            return None
    return np.array([f[0] for f in found]), np.array([f[1] for f in found])


def _attitude_at(spice: Any, et: float, tolerance: float) -> tuple[Floats, Floats]:
    """Spacecraft to J2000, (3, 3), and angular velocity, J2000, (3,), from the CK in the pool."""
    ticks = spice.sce2c(_JUNO, et)
    to_spacecraft, rate, ticks_found = spice.ckgpav(_SPACECRAFT_FRAME, ticks, tolerance, "J2000")
    # Beside a hole SPICE answers with the attitude of the hole's edge: 2 s of spin are 23 degrees.
    late = 0.0 if ticks_found == ticks else et - spice.sct2e(_JUNO, ticks_found)
    return rotation_vector_matrix(rate * late) @ to_spacecraft.T, np.asarray(rate)
