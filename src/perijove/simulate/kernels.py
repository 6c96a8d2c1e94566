"""SPICE kernels of a simulated flyby: clock, leap seconds, trajectories, attitude.

They are self-contained: with a PCK they are all that SPICE needs to intersect rays with the simulated planet.
"""

from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from perijove.constants import AU_KM
from perijove.errors import KernelError
from perijove.geometry.kernels import SPICE_LOCK
from perijove.geometry.timescale import LEAP_SECONDS, TT_MINUS_TAI_S
from perijove.products.raster import replacing
from perijove.simulate.flyby import Flyby

Floats = npt.NDArray[np.float64]

_JUNO, _SPACECRAFT_FRAME = -61, -61000
_JUPITER, _BARYCENTRE, _SUN, _EARTH, _ORIGIN = 599, 5, 10, 399, 0
_DAY_S: Final = 86400.0
#: Clock counts a second.
TICKS: Final = 256
#: Attitude is written around each image, so far and so densely.
_ATTITUDE_MARGIN_S: Final = 40.0
_ATTITUDE_STEP_S: Final = 1.0
_PLANET_STEP_S: Final = 600.0
_COMMENT: Final = "Simulated by perijove; no data of the Juno mission."


def write_kernels(folder: Path, flyby: Flyby, predicted_offset_s: float = 0.0) -> list[Path]:
    """Write the kernels of a flyby.

    Parameters
    ----------
    folder : Path
        Made if it does not exist.
    flyby : Flyby
    predicted_offset_s : float
        Where it is not zero, the trajectory is a predicted one that runs so many seconds late along its track, and
        there is no attitude yet: what is known in the hours after a pass.

    Returns
    -------
    list of Path
        lsk, sclk, planets' SPK, Juno's SPK, and the CK if there is one.

    Raises
    ------
    KernelError
        If SPICE cannot write them.
    OptionError
        If the folder cannot be written to.
    """
    import spiceypy

    name = f"pj{flyby.perijove:02d}"
    predicted = predicted_offset_s != 0.0
    lsk, sclk = folder / "simulated.tls", folder / "simulated.tsc"
    for path, text in ((lsk, leap_second_kernel()), (sclk, clock_kernel())):
        with replacing(path) as temporary:
            temporary.write_text(text, encoding="ascii")
    planets = folder / f"simulated_planets_{name}.bsp"
    spk = folder / f"simulated_juno_{'pre' if predicted else 'rec'}_{name}.bsp"
    written = [lsk, sclk, planets, spk]
    try:
        with SPICE_LOCK:
            _write_planets(spiceypy, planets, flyby)
            _write_spk(spiceypy, spk, flyby, predicted_offset_s)
            if not predicted:
                ck = folder / f"simulated_juno_rec_{name}.bc"
                _write_ck(spiceypy, ck, flyby)
                written.append(ck)
    except spiceypy.exceptions.SpiceyError as error:
        raise KernelError(f"cannot write kernels to {folder}: {error.short}; choose another folder") from error
    return written


def leap_second_kernel() -> str:
    """Text of a leap-second kernel with the numbers of `perijove.geometry.timescale`."""
    table = ", ".join(f"{seconds}, @{since:%Y-%b-%d}".upper() for since, seconds in LEAP_SECONDS)
    return (
        f"KPL/LSK\n{_COMMENT}\n\\begindata\nDELTET/DELTA_T_A = {TT_MINUS_TAI_S}\nDELTET/K = 1.657D-3\n"
        "DELTET/EB = 1.671D-2\nDELTET/M = ( 6.239996D0 1.99096871D-7 )\n"
        f"DELTET/DELTA_AT = ( {table} )\n\\begintext\n"
    )


def clock_kernel() -> str:
    """Text of a clock kernel: 256ths of seconds of TDB past J2000."""
    values = {
        "SCLK_KERNEL_ID": "( @2020-01-01 )",
        "SCLK_DATA_TYPE_61": "( 1 )",
        "SCLK01_TIME_SYSTEM_61": "( 1 )",
        "SCLK01_N_FIELDS_61": "( 2 )",
        "SCLK01_MODULI_61": f"( 4294967296 {TICKS} )",
        "SCLK01_OFFSETS_61": "( 0 0 )",
        "SCLK01_OUTPUT_DELIM_61": "( 2 )",
        "SCLK_PARTITION_START_61": "( 0.0 )",
        "SCLK_PARTITION_END_61": "( 1.0E+12 )",
        "SCLK01_COEFFICIENTS_61": "( 0.0 0.0 1.0 )",
    }
    lines = "\n".join(f"{key} = {value}" for key, value in values.items())
    return f"KPL/SCLK\n{_COMMENT}\n\\begindata\n{lines}\n\\begintext\n"


def _write_spk(spice: Any, path: Path, flyby: Flyby, late_s: float) -> None:
    """Juno against Jupiter's centre."""
    trajectory = flyby.trajectory
    states = np.hstack([trajectory.position_km, trajectory.velocity_km_s])
    with replacing(path) as temporary:
        # SPICE refuses to write to a file that exists.
        temporary.unlink()
        handle = spice.spkopn(str(temporary), path.stem[:60], 0)
        _segment(spice, handle, (_JUNO, _JUPITER), trajectory.et + late_s, states)
        spice.spkcls(handle)


def _write_planets(spice: Any, path: Path, flyby: Flyby) -> None:
    """Jupiter, Sun and Earth against the barycentre of the solar system (astronomy-engine).

    Jupiter's centre is put into the barycentre of its system, some hundred kilometres off.
    """
    import astronomy

    ends = flyby.trajectory.et[[0, -1]] + [-3600.0, 3600.0]
    et = np.arange(ends[0], ends[1] + _PLANET_STEP_S, _PLANET_STEP_S)
    times = [astronomy.Time.FromTerrestrialTime(t / _DAY_S) for t in et]

    def states(body: Any) -> Floats:
        found = [astronomy.BaryState(body, time) for time in times]
        au = np.array([(s.x, s.y, s.z, s.vx, s.vy, s.vz) for s in found])
        return np.asarray(au * AU_KM / ([1.0] * 3 + [_DAY_S] * 3))

    with replacing(path) as temporary:
        temporary.unlink()
        handle = spice.spkopn(str(temporary), path.stem[:60], 0)
        _segment(spice, handle, (_JUPITER, _BARYCENTRE), et, np.zeros((len(et), 6)))
        bodies = ((_BARYCENTRE, "Jupiter"), (_SUN, "Sun"), (_EARTH, "Earth"))
        for number, name in bodies:
            _segment(spice, handle, (number, _ORIGIN), et, states(astronomy.Body[name]))
        spice.spkcls(handle)


def _segment(spice: Any, handle: int, pair: tuple[int, int], et: Floats, states: Floats) -> None:
    """Type 13: Hermite polynomials of degree 7 through four states."""
    first, last = float(et[0]), float(et[-1])
    spice.spkw13(handle, *pair, "J2000", first, last, "simulated", 7, len(et), states.tolist(), et.tolist())


def _write_ck(spice: Any, path: Path, flyby: Flyby) -> None:
    """Attitude and angular velocity around each image, interpolated within and not between them."""
    with replacing(path) as temporary:
        temporary.unlink()
        handle = spice.ckopn(str(temporary), path.stem[:60], 0)
        for first, last in _attitude_spans(flyby):
            et = np.arange(first, last + _ATTITUDE_STEP_S, _ATTITUDE_STEP_S)
            to_j2000, rate = flyby.spin.attitude(et)
            quaternions = np.array([spice.m2q(np.ascontiguousarray(m.T)) for m in to_j2000])
            ticks = et * TICKS
            records = (len(ticks), ticks, quaternions, rate, 1, ticks[:1])
            spice.ckw03(handle, ticks[0], ticks[-1], _SPACECRAFT_FRAME, "J2000", True, "simulated", *records)
        spice.ckcls(handle)


def _attitude_spans(flyby: Flyby) -> list[tuple[float, float]]:
    """Times around the images; those that overlap are joined."""
    spans: list[tuple[float, float]] = []
    for image in flyby.images:
        first, last = image.pointing.et[0] - _ATTITUDE_MARGIN_S, image.pointing.et[-1] + _ATTITUDE_MARGIN_S
        if spans and first <= spans[-1][1]:
            first = spans.pop()[0]
        spans.append((first, last))
    return spans
