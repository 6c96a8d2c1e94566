"""Solved pointing as kernels need it: at the times that the label alone gives.

Whoever reads a kernel asks for the times that follow from the label; what they saw then was exposed a little earlier
or later. The position and the attitude of the true time are therefore handed out at the label's, both turned about
Jupiter's pole by what the planet turns in between: on the planet's ground nothing changes.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from perijove.geometry.attitude import TYPICAL_SPIN_RAD_S
from perijove.geometry.camera import spacecraft_to_camera
from perijove.geometry.kernel_files import AttitudeSegment, StateSegment
from perijove.geometry.orbit import pole_vector, propagate
from perijove.geometry.orientation import SPIN_RATE_RAD_S, j2000_to_jupiter
from perijove.geometry.pointing import Pointing
from perijove.geometry.rotation import nearest_rotation, rotation_vector, rotation_vector_matrix

Floats = npt.NDArray[np.float64]

_JUNO: Final = -61
_JUPITER: Final = 599
#: Attitude goes on so long before the first and after the last frame at the rate it has there, in so many records:
#: long exposures are read at their middle, and some readers ask for a little more than the image.
ATTITUDE_MARGIN_S: Final = 3.0
_ATTITUDE_RECORDS: Final = 8
#: Trajectories go on so long, in free fall: what `perijove.geometry.ephemeris` asks for around an image, and more.
STATE_MARGIN_S: Final = 40.0
_STATE_STEP_S: Final = 2.0


@dataclass(frozen=True)
class Margin:
    """Room before the first and after the last frame of an image, seconds.

    A neighbour takes half of what lies between two images.
    """

    before_s: float = np.inf
    after_s: float = np.inf

    def knots(self, limit_s: float, records: int) -> tuple[Floats, Floats]:
        """Seconds from the first and the last frame of evenly spaced knots, without the frames, ascending."""
        steps = np.arange(1, records + 1) / records
        return -min(self.before_s, limit_s) * steps[::-1], min(self.after_s, limit_s) * steps


def attitude_segment(pointing: Pointing, nominal_et: Floats, margin: Margin, name: str) -> AttitudeSegment:
    """Attitude of a spacecraft with the camera mounted as in the frames kernel.

    The camera's frame is then the solved one whatever mounting was solved.

    Parameters
    ----------
    pointing : Pointing
    nominal_et : ndarray, (frames,)
        Times of the frames by the label alone.
    margin : Margin
    name : str

    Returns
    -------
    AttitudeSegment
        A record at each frame, and some beyond either end. The angular velocity is the mean of the turns to the
        frames before and after; a single frame has the usual spin.
    """
    to_j2000 = nearest_rotation(_turn(nominal_et, pointing.et) @ pointing.camera_to_j2000 @ spacecraft_to_camera())
    if len(nominal_et) > 1:
        turns = rotation_vector(to_j2000[1:] @ np.swapaxes(to_j2000[:-1], -1, -2)) / np.diff(nominal_et)[:, None]
        rate = (np.concatenate([turns[:1], turns]) + np.concatenate([turns, turns[-1:]])) / 2
    else:
        rate = TYPICAL_SPIN_RAD_S * to_j2000[:, :, 2]
    before, after = margin.knots(ATTITUDE_MARGIN_S, _ATTITUDE_RECORDS)
    et = np.concatenate([nominal_et[0] + before, nominal_et, nominal_et[-1] + after])
    matrices = [
        rotation_vector_matrix(before[:, None] * rate[0]) @ to_j2000[0],
        to_j2000,
        rotation_vector_matrix(after[:, None] * rate[-1]) @ to_j2000[-1],
    ]
    padded = np.pad(rate, ((len(before), len(after)), (0, 0)), mode="edge")
    return AttitudeSegment(et, np.concatenate(matrices), padded, name)


def state_segment(pointing: Pointing, nominal_et: Floats, margin: Margin, name: str) -> StateSegment:
    """Juno about Jupiter's centre: the solved states at the frames, free fall beyond them.

    Parameters
    ----------
    pointing : Pointing
    nominal_et : ndarray, (frames,)
        Times of the frames by the label alone.
    margin : Margin
    name : str

    Returns
    -------
    StateSegment
        The velocities are the derivatives of the positions in the label's time.

    Notes
    -----
    The free fall leaves out the harmonics beyond the second: some 10 m at its ends near perijove.
    """
    before, after = margin.knots(STATE_MARGIN_S, _state_records(margin))
    slope = _pace(pointing.et, nominal_et)
    position, velocity = pointing.position_km, pointing.velocity_km_s
    early = _fall(position[0], -velocity[0], -before[::-1])
    late = _fall(position[-1], velocity[-1], after)
    nominal = np.concatenate([nominal_et[0] + before, nominal_et, nominal_et[-1] + after])
    true = np.concatenate([pointing.et[0] + before, pointing.et, pointing.et[-1] + after])
    turn = _turn(nominal, true)
    p = np.einsum("nij,nj->ni", turn, np.concatenate([early[0][::-1], position, late[0]]))
    v = np.einsum("nij,nj->ni", turn, np.concatenate([-early[1][::-1], velocity, late[1]]))
    # Between the frames the true time runs away from the label's, and the turn about the pole with it.
    pace = np.concatenate([np.ones(len(before)), np.full(len(nominal_et), slope), np.ones(len(after))])[:, None]
    drift = (1 - pace) * SPIN_RATE_RAD_S * np.cross(pole_vector(float(nominal_et[0])), p)
    return StateSegment(_JUNO, _JUPITER, nominal, np.hstack([p, pace * v + drift]), name)


def _state_records(margin: Margin) -> int:
    reach = min(STATE_MARGIN_S, max(margin.before_s, margin.after_s))
    return max(int(np.ceil(reach / _STATE_STEP_S)), 1)


def _turn(nominal_et: Floats, et: Floats) -> Floats:
    """What Jupiter turns from the true to the label's time, (n, 3, 3), J2000."""
    return np.asarray(np.swapaxes(j2000_to_jupiter(nominal_et), -1, -2) @ j2000_to_jupiter(et))


def _pace(et: Floats, nominal_et: Floats) -> float:
    """Seconds of true time a second of the label's: the error of the frame delay."""
    if len(et) == 1:
        return 1.0
    since = nominal_et - nominal_et[0]
    return float(1 + np.polyfit(since, et - nominal_et, 1)[0])


def _fall(position: Floats, velocity: Floats, ahead: Floats) -> tuple[Floats, Floats]:
    """States of the free fall at times after a state, ascending, (n, 3) each."""
    p, v = propagate(position, velocity, np.concatenate([[0.0], ahead]))
    return p[1:], v[1:]
