"""SPICE kernels of a simulated flyby: clock, leap seconds, trajectories, attitude.

They are self-contained: with a PCK they are all that SPICE needs to intersect rays with the simulated planet.
"""

from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from perijove.constants import AU_KM
from perijove.geometry.kernel_files import AttitudeSegment, StateSegment, write_ck, write_clock, write_spk
from perijove.geometry.kernels import Clock
from perijove.simulate.flyby import Flyby

Floats = npt.NDArray[np.float64]

_JUNO: Final = -61
_JUPITER, _BARYCENTRE, _SUN, _EARTH, _ORIGIN = 599, 5, 10, 399, 0
_DAY_S: Final = 86400.0
#: Attitude is written around each image, so far and so densely.
_ATTITUDE_MARGIN_S: Final = 40.0
_ATTITUDE_STEP_S: Final = 1.0
_PLANET_STEP_S: Final = 600.0
_SEGMENT: Final = "simulated"
_COMMENT: Final = ("Simulated by perijove; no data of the Juno mission.",)


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
    name = f"pj{flyby.perijove:02d}"
    predicted = predicted_offset_s != 0.0
    clock = Clock(folder / "simulated.tls", folder / "simulated.tsc")
    planets = folder / f"simulated_planets_{name}.bsp"
    spk = folder / f"simulated_juno_{'pre' if predicted else 'rec'}_{name}.bsp"
    write_clock(clock, _COMMENT)
    write_spk(planets, _planet_segments(flyby), _COMMENT)
    write_spk(spk, [_juno_segment(flyby, predicted_offset_s)], _COMMENT)
    written = [clock.lsk, clock.sclk, planets, spk]
    if not predicted:
        ck = folder / f"simulated_juno_rec_{name}.bc"
        write_ck(ck, _attitude_segments(flyby), clock, _COMMENT)
        written.append(ck)
    return written


def _juno_segment(flyby: Flyby, late_s: float) -> StateSegment:
    """Juno against Jupiter's centre."""
    trajectory = flyby.trajectory
    states = np.hstack([trajectory.position_km, trajectory.velocity_km_s])
    return StateSegment(_JUNO, _JUPITER, trajectory.et + late_s, states, _SEGMENT)


def _planet_segments(flyby: Flyby) -> list[StateSegment]:
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

    bodies = ((_BARYCENTRE, "Jupiter"), (_SUN, "Sun"), (_EARTH, "Earth"))
    return [
        StateSegment(_JUPITER, _BARYCENTRE, et, np.zeros((len(et), 6)), _SEGMENT),
        *(StateSegment(number, _ORIGIN, et, states(astronomy.Body[name]), _SEGMENT) for number, name in bodies),
    ]


def _attitude_segments(flyby: Flyby) -> list[AttitudeSegment]:
    """Attitude and angular velocity around each image, interpolated within and not between them."""
    segments = []
    for first, last in _attitude_spans(flyby):
        et = np.arange(first, last + _ATTITUDE_STEP_S, _ATTITUDE_STEP_S)
        segments.append(AttitudeSegment(et, *flyby.spin.attitude(et), _SEGMENT))
    return segments


def _attitude_spans(flyby: Flyby) -> list[tuple[float, float]]:
    """Times around the images; those that overlap are joined."""
    spans: list[tuple[float, float]] = []
    for image in flyby.images:
        first, last = image.pointing.et[0] - _ATTITUDE_MARGIN_S, image.pointing.et[-1] + _ATTITUDE_MARGIN_S
        if spans and first <= spans[-1][1]:
            first = spans.pop()[0]
        spans.append((first, last))
    return spans
