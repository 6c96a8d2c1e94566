"""When to open the shutter, and for how many frames, so that a spinning camera sweeps over the planet."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from perijove.constants import ACTIVE_SAMPLES, FRAMELET_LINES, JUPITER_RADII_KM, START_TIME_BIAS_S, TDI_STEP_S
from perijove.geometry.ellipsoid import intersect, normals
from perijove.geometry.ephemeris import direction_from_jupiter
from perijove.geometry.orientation import j2000_to_jupiter

if TYPE_CHECKING:
    from perijove.simulate.flyby import Flyby

Floats = npt.NDArray[np.float64]

#: Frames of sky at either end, so that start jitter costs nothing.
_SPARE_FRAMES: Final = 2
#: One turn of the spacecraft.
_MAX_FRAMES: Final = 81
#: Least part of the cone directions that must meet the planet.
_MIN_IN_VIEW: Final = 0.3
#: Least part of the planet in the field that must be lit, and the cosine of incidence from which it is.
_MIN_LIT: Final = 0.15
_LIT: Final = 0.0


@dataclass(frozen=True)
class Scan:
    """START_TIME before it is rounded (TDB) and number of frames."""

    start_et: float
    frames: int


def scan_over(flyby: "Flyby", bands: Sequence[str], step_s: float, moment: float) -> Scan:
    """Scan nearest to a moment in which all bands sweep over the whole planet.

    Parameters
    ----------
    flyby : Flyby
        Its trajectory, spin and mounting.
    bands : sequence of str
    step_s : float
        Spacing of the frames.
    moment : float
        TDB; the planet must be in view.
    """
    azimuth, met, _, toward = _sweep(flyby, moment)
    _, trail, lead = _field(flyby, bands)
    hit = azimuth[met.any(axis=1)]
    first, last = (toward + float(hit.min()), toward + float(hit.max())) if len(hit) else (toward, toward)
    spin = flyby.spin
    frames = int(np.ceil((last - first + lead - trail) / (spin.rate_rad_s * step_s))) + 2 * _SPARE_FRAMES
    frames = min(frames, _MAX_FRAMES)
    # The middle of the field stands at the middle of the planet at the middle of the scan.
    wanted = (first + last - lead - trail) / 2
    phase = spin.rate_rad_s * (moment - spin.epoch)
    behind = np.remainder(wanted - phase + np.pi, 2 * np.pi) - np.pi
    middle = moment + behind / spin.rate_rad_s
    return Scan(float(middle - (frames - 1) / 2 * step_s - TDI_STEP_S / 2 - START_TIME_BIAS_S), frames)


def view_of(flyby: "Flyby", moment: float) -> float | None:
    """Part of the planet in the field that is lit, or None where little of it is in the field or lit."""
    _, met, rays, _ = _sweep(flyby, moment)
    if np.mean(met.any(axis=0)) < _MIN_IN_VIEW:
        return None
    to_fixed = j2000_to_jupiter(moment)
    ground = intersect(to_fixed @ flyby.trajectory.state(moment)[0], rays[met] @ (to_fixed @ flyby.spin.turn).T)
    lit = normals(ground) @ (to_fixed @ direction_from_jupiter("Sun", moment)) > _LIT
    part = float(np.mean(lit))
    return part if part > _MIN_LIT else None


def _sweep(flyby: "Flyby", moment: float) -> tuple[Floats, npt.NDArray[np.bool_], Floats, float]:
    """Sweep the field once around the de-spun axis.

    Returns
    -------
    azimuth : ndarray, (n,)
        Radians from that of Jupiter's centre.
    met : ndarray, (n, cone), bool
        Which rays meet the planet.
    rays : ndarray, (n, cone, 3)
        De-spun frame.
    toward : float
        Azimuth of Jupiter's centre.
    """
    cones = _field(flyby, ("GREEN",))[0]
    position = flyby.trajectory.state(moment)[0]
    distance = float(np.linalg.norm(position))
    nadir = flyby.spin.turn.T @ (-position / distance)
    toward = float(np.arctan2(nadir[1], nadir[0]))
    azimuth = np.radians(np.arange(-180.0, 180.0, 1.0))
    around = (azimuth + toward)[:, None]
    up = np.cos(cones) * np.ones_like(around)
    rays = np.stack([np.sin(cones) * np.cos(around), np.sin(cones) * np.sin(around), up], axis=-1)
    reach = np.arcsin(min(JUPITER_RADII_KM[0] / distance, 1.0))
    return azimuth, rays @ nadir > np.cos(reach), rays, toward


def _field(flyby: "Flyby", bands: Sequence[str]) -> tuple[Floats, float, float]:
    """Cone angles of the columns about the spin axis; least and greatest azimuth of all pixels, radians."""
    from_camera = flyby.mounting.spacecraft_to_camera.T
    x = np.linspace(*ACTIVE_SAMPLES, 9)
    azimuths, cones = [], []
    for band in bands:
        for y in (0.0, float(FRAMELET_LINES)):
            seen = flyby.mounting.camera(band).directions(x, y) @ from_camera.T
            # The boresight looks along -X of the spacecraft.
            azimuths.append(np.arctan2(-seen[:, 1], -seen[:, 0]) + np.pi)
            cones.append(np.arccos(seen[:, 2]))
    both = np.concatenate(azimuths)
    ends = np.concatenate(cones)
    return np.linspace(ends.min(), ends.max(), 21), float(both.min()), float(both.max())
