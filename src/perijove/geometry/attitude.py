"""How the spacecraft was turned: from a CK, or from the model of a steady spin.

The spacecraft turns about its +Z axis, counter-clockwise seen from the Earth, at about 2 rpm. A spin attitude
is ``turn @ Rz(rate * (t - epoch))``, where ``turn`` takes the de-spun spacecraft frame of the epoch to J2000.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from perijove.geometry.camera_keywords import principal_row_beside
from perijove.geometry.kernels import OWN_PREFIX, KernelFolder, read_attitude
from perijove.geometry.rotation import frame_with_z, rotation_about

Floats = npt.NDArray[np.float64]

#: Spin rate from which a fit starts and the spread over the mission, rad/s. Measured: 0.20449 at perijove 1
#: (CK), 0.2080 at perijoves 43 and 44 (this project's fits).
TYPICAL_SPIN_RAD_S: Final = 0.2065
SPIN_RATE_SPREAD_RAD_S: Final = 0.0020
#: A frame of 0.374 s turns the spacecraft by this much, whatever the spin rate of the day: the interframe
#: delay is commanded to match it. Eichstädt measured 0.0778355 rad, the fits of perijoves 43 and 44
#: give 0.0778 too.
TURN_PER_FRAME_RAD: Final = 0.0778


@dataclass(frozen=True)
class Attitude:
    """Attitude at given times.

    Attributes
    ----------
    spacecraft_to_j2000 : ndarray, (n, 3, 3)
    source : str
        The CK's file name, or "spin model".
    measured : bool
        True when it comes from a CK.
    principal_row_px : float or None
        Where the CK is one of our own: row of the optical axis that was solved with it.
    """

    spacecraft_to_j2000: Floats
    source: str
    measured: bool
    principal_row_px: float | None = None

    def __post_init__(self) -> None:
        frozen = np.array(self.spacecraft_to_j2000, float)
        frozen.flags.writeable = False
        object.__setattr__(self, "spacecraft_to_j2000", frozen)

    @property
    def spin_axis(self) -> Floats:
        """Mean direction of the spacecraft's +Z axis, J2000, (3,)."""
        mean = self.spacecraft_to_j2000[:, :, 2].mean(axis=0)
        return np.asarray(mean / np.linalg.norm(mean))


def spin_attitude(turn: Floats, rate_rad_s: float, seconds: Floats) -> Attitude:
    """Attitude of a steady spin.

    Parameters
    ----------
    turn : ndarray, (3, 3)
        De-spun spacecraft frame to J2000.
    rate_rad_s : float
    seconds : ndarray, (n,)
        Times since the epoch at which the de-spun frame and the spacecraft coincide.
    """
    return Attitude(turn @ rotation_about("z", rate_rad_s * seconds), "spin model", measured=False)


def attitude_from_kernels(kernels: KernelFolder, et: Floats) -> Attitude | None:
    """Attitude from the CK that covers all times, or None."""
    read = read_attitude(kernels, et)
    if read is None:
        return None
    path = read[2]
    own = path.name.startswith(OWN_PREFIX)
    return Attitude(read[0], path.name, True, principal_row_beside(path) if own else None)


def turn_from_target(target_despun: Floats, target_j2000: Floats, axis_hint: Floats) -> Floats:
    """Find the turn that puts a seen target where it is, with the spin axis as near a hint as it can be.

    Parameters
    ----------
    target_despun : ndarray, (3,)
        Direction of the target in the de-spun spacecraft frame, as seen in the image.
    target_j2000 : ndarray, (3,)
        Where it is.
    axis_hint : ndarray, (3,)
        Expected spin axis, J2000: the Earth, or a neighbour image's axis.

    Returns
    -------
    ndarray, (3, 3)

    Notes
    -----
    The angle between target and axis is seen; the axis may lie anywhere on the cone of that angle about the
    target, and the point of the cone nearest the hint is taken.
    """
    cosine = float(np.clip(target_despun[2], -1.0, 1.0))
    lean = axis_hint - (axis_hint @ target_j2000) * target_j2000
    lean /= np.linalg.norm(lean)
    axis = cosine * target_j2000 + np.sqrt(1 - cosine**2) * lean
    return frame_with_z(target_j2000, axis) @ frame_with_z(target_despun, np.array([0.0, 0.0, 1.0])).T
