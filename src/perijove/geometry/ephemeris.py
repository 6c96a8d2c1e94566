"""Where Juno, the Sun and the Earth are as seen from Jupiter: from an SPK, or from labels alone.

Without kernels the label's altitude and sub-spacecraft point give the position at mid-image. The velocity
comes from the labels of the same perijove where there are any (an orbit through their positions), else from
the orbit's period, its perijove distance and its plane, which change slowly from orbit to orbit.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from operator import itemgetter
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from perijove.archive.label import ImageLabel
from perijove.constants import (
    INTERFRAME_DELTA_S,
    JUPITER_GM_KM3_S2,
    START_TIME_BIAS_S,
)
from perijove.errors import GeometryError
from perijove.geometry.ellipsoid import from_lat_lon
from perijove.geometry.kernels import OWN_PREFIX, KernelFolder, read_states
from perijove.geometry.orbit import ARGUMENT_SPREAD_RAD, PERIJOVE_SPREAD, Orbit, pole_vector, propagate
from perijove.geometry.orientation import j2000_to_jupiter
from perijove.geometry.timescale import utc_to_et

Floats = npt.NDArray[np.float64]

_DAY_S: Final = 86400.0
#: Knots reach this far beyond the image, so that time offsets can be solved.
_MARGIN_S: Final = 30.0
_KNOT_STEP_S: Final = 2.0
#: Other labels further than this do not join the orbit fit: moons and high harmonics would bend it.
_ORBIT_FIT_SPAN_S: Final = 2.5 * 3600.0
#: Labels that an orbit misses are told to disagree by what the misses grow to in this time.
_MISS_SPAN_S: Final = 600.0


@dataclass(frozen=True)
class Trajectory:
    """States at knots, interpolated by cubic Hermite polynomials.

    Attributes
    ----------
    et : ndarray, (n,)
    position_km, velocity_km_s : ndarray, (n, 3)
        Geometric, relative to Jupiter's centre, J2000.
    source : str
        What it was made from, for reports.
    label_offset_s : float
        What was added to the time of an SPK to bring it nearest the label, seconds along track.
    label_distance_km : float
        Distance from the label's position that remains, km; of a trajectory through labels, by how much they disagree.
    from_kernel : bool
        Whether it comes from an SPK.
    """

    et: Floats
    position_km: Floats
    velocity_km_s: Floats
    source: str
    label_offset_s: float = 0.0
    label_distance_km: float = 0.0
    from_kernel: bool = False

    def __post_init__(self) -> None:
        for name in ("et", "position_km", "velocity_km_s"):
            frozen = np.array(getattr(self, name), float)
            frozen.flags.writeable = False
            object.__setattr__(self, name, frozen)

    def state(self, et: npt.ArrayLike) -> tuple[Floats, Floats]:
        """Position and velocity at times within the knots, (..., 3) each, km and km/s."""
        et = np.asarray(et, float)
        i = np.clip(np.searchsorted(self.et, et, side="right") - 1, 0, len(self.et) - 2)
        h = (self.et[i + 1] - self.et[i])[..., None]
        s = (et - self.et[i])[..., None] / h
        p0, p1 = self.position_km[i], self.position_km[i + 1]
        m0, m1 = self.velocity_km_s[i] * h, self.velocity_km_s[i + 1] * h
        s2, s3 = s * s, s * s * s
        position = (2 * s3 - 3 * s2 + 1) * p0 + (s3 - 2 * s2 + s) * m0 + (3 * s2 - 2 * s3) * p1 + (s3 - s2) * m1
        velocity = ((6 * s2 - 6 * s) * (p0 - p1) + (3 * s2 - 4 * s + 1) * m0 + (3 * s2 - 2 * s) * m1) / h
        return position, velocity


def frame_times(label: ImageLabel) -> Floats:
    """Middle of the exposure of each frame, TDB seconds past J2000, (frames,).

    Notes
    -----
    START_TIME + 0.06188 s + i (INTERFRAME_DELAY + 0.001 s), from the instrument kernel, plus half of the exposure. The
    rows that are exposed then lie half of the TDI stages before those that are read: `tdi_shift_px`.
    """
    step = label.interframe_delay_s + INTERFRAME_DELTA_S
    opening = utc_to_et(label.start_time) + START_TIME_BIAS_S
    return np.asarray(opening + label.exposure_s / 2 + np.arange(label.frames) * step, np.float64)


def mid_time(label: ImageLabel) -> float:
    """Time to which the label's position belongs: halfway from START_TIME to STOP_TIME, TDB."""
    return utc_to_et(label.start_time) + label.frames * label.interframe_delay_s / 2


def label_position(label: ImageLabel) -> Floats:
    """Juno at mid-image from the label's altitude and sub-spacecraft point, J2000, km, (3,).

    Raises
    ------
    GeometryError
        If the label does not state them, as for images taken in cruise, or states them for a moon.
    """
    hints = (label.sub_spacecraft_lat_graphic_deg, label.sub_spacecraft_lon_w_sys3_deg, label.altitude_km)
    if not np.all(np.isfinite(hints)):
        raise GeometryError(
            f"the label of {label.product_id} states no altitude and sub-spacecraft point; "
            "give kernels that cover the image with --kernels"
        )
    if not _has_position(label):
        raise GeometryError(
            f"the position in the label of {label.product_id} is above {label.target}, not Jupiter; "
            "give kernels that cover the image with --kernels"
        )
    return np.asarray(j2000_to_jupiter(mid_time(label)).T @ from_lat_lon(*hints))


def _has_position(label: ImageLabel) -> bool:
    return label.target == "JUPITER" and bool(np.isfinite(label.altitude_km))


def trajectory_from_label(label: ImageLabel, others: Sequence[ImageLabel] = ()) -> Trajectory:
    """Trajectory around an image from labels alone.

    Parameters
    ----------
    label : ImageLabel
        Of the image.
    others : sequence of ImageLabel
        Of other images; those of the same orbit within 2.5 hours refine the velocity.

    Returns
    -------
    Trajectory
    """
    et = mid_time(label)
    position = label_position(label)
    velocity = _velocity_from_orbit(position, label.orbit, et)
    source, off = f"label of {label.product_id}", 0.0
    fixes = [
        (mid_time(o), label_position(o))
        for o in others
        if o.orbit == label.orbit
        and abs(mid_time(o) - et) < _ORBIT_FIT_SPAN_S
        and abs(mid_time(o) - et) > 30.0
        and _has_position(o)
    ]
    if fixes:
        velocity, off = _velocity_through(position, velocity, et, fixes)
        source += f" and {len(fixes)} more of the perijove"
    else:
        source += " and the orbit's period"
    reach = label.frames * label.interframe_delay_s / 2 + _MARGIN_S
    ahead = np.arange(0.0, reach + _KNOT_STEP_S, _KNOT_STEP_S)
    after = propagate(position, velocity, ahead)
    before = propagate(position, -velocity, ahead)
    knots = np.concatenate([-ahead[:0:-1], ahead])
    p = np.concatenate([before[0][:0:-1], after[0]])
    v = np.concatenate([-before[1][:0:-1], after[1]])
    return Trajectory(et + knots, p, v, source, label_distance_km=off)


def trajectory_from_kernels(label: ImageLabel, kernels: KernelFolder) -> Trajectory | None:
    """Trajectory around an image from an SPK, moved along track onto the label's position.

    A predicted SPK may be seconds off along track. The label, made with the best trajectory of its day,
    tells: the offset that brings the SPK nearest to it is applied and kept in the result. One that was made from our
    own pointing is taken as it is: it holds what was solved.

    Returns
    -------
    Trajectory or None
        None if no SPK below the folder covers the image.
    """
    reach = label.frames * label.interframe_delay_s / 2 + _MARGIN_S
    knots = mid_time(label) + np.arange(-reach, reach + _KNOT_STEP_S, _KNOT_STEP_S)
    read = read_states(kernels, knots)
    if read is None:
        return None
    trajectory = Trajectory(knots, read[0], read[1], Path(read[2]).name, from_kernel=True)
    if not _has_position(label):
        return trajectory
    target = label_position(label)
    if trajectory.source.lower().startswith(OWN_PREFIX):
        apart = trajectory.state(mid_time(label))[0] - target
        return replace(trajectory, label_distance_km=float(np.linalg.norm(apart)))
    offset = 0.0
    for _ in range(4):
        p, v = trajectory.state(mid_time(label) + offset)
        offset += float((target - p) @ v / (v @ v))
        if abs(offset) > _MARGIN_S - 2 * _KNOT_STEP_S:
            # Not a small slip: label and kernel speak of different things; keep the kernel as it is.
            p, _ = trajectory.state(mid_time(label))
            return replace(trajectory, label_distance_km=float(np.linalg.norm(target - p)))
    p, _ = trajectory.state(mid_time(label) + offset)
    return replace(
        trajectory,
        et=knots - offset,
        label_offset_s=offset,
        label_distance_km=float(np.linalg.norm(target - p)),
    )


def direction_from_jupiter(body: str, et: float) -> Floats:
    """Geometric unit vector from Jupiter to the Sun or the Earth, J2000, (3,).

    Parameters
    ----------
    body : {"Sun", "Earth"}
    et : float

    Notes
    -----
    Analytic ephemeris of astronomy-engine (VSOP87, truncated).
    """
    import astronomy

    time = astronomy.Time.FromTerrestrialTime(et / _DAY_S)
    jupiter = astronomy.HelioVector(astronomy.Body.Jupiter, time)
    other = astronomy.HelioVector(astronomy.Body[body], time)
    v = np.array([other.x - jupiter.x, other.y - jupiter.y, other.z - jupiter.z])
    return np.asarray(v / np.linalg.norm(v))


def _velocity_from_orbit(position: Floats, orbit: int, et: float) -> Floats:
    """Velocity of an orbit of known period, perijove and plane through ``position``, km/s.

    The plane is taken nearest to the one interpolated between orbits. Within 0.4 km/s and 1 % of the SPKs of
    orbits 1, 4 and 43 to 46.
    """
    known = Orbit.of(orbit)
    plane = known.normal(et)
    r = np.linalg.norm(position)
    radial = position / r
    plane = plane - (plane @ radial) * radial
    plane /= np.linalg.norm(plane)
    along = np.cross(plane, radial)

    semi_major, eccentricity = known.semi_major_km, known.eccentricity
    ascending = np.cross(pole_vector(et), plane)
    ascending /= np.linalg.norm(ascending)
    argument = np.arctan2(position @ np.cross(plane, ascending), position @ ascending)
    by_argument = np.remainder(argument - known.argument_rad + np.pi, 2 * np.pi) - np.pi
    cosine = (semi_major * (1 - eccentricity**2) / r - 1) / eccentricity
    by_distance = np.copysign(np.arccos(np.clip(cosine, -1.0, 1.0)), by_argument)
    # The distance tells the anomaly well but near perijove, where it hardly changes.
    s2, c2 = np.sin(by_argument / 2) ** 2, np.cos(by_argument / 2) ** 2
    trust = s2 / (s2 + (PERIJOVE_SPREAD / ARGUMENT_SPREAD_RAD) ** 2 * c2)
    anomaly = by_argument + trust * (by_distance - by_argument)
    heading = eccentricity * np.sin(anomaly) * radial + (1 + eccentricity * np.cos(anomaly)) * along
    # The approach of 2016, from beyond any apojove, was open.
    bound = 1 / semi_major if r < 1.9 * semi_major else 0.0
    speed = np.sqrt(JUPITER_GM_KM3_S2 * (2 / r - bound))
    return np.asarray(speed * heading / np.linalg.norm(heading))


def _velocity_through(
    position: Floats, guess: Floats, et: float, fixes: Sequence[tuple[float, Floats]]
) -> tuple[Floats, float]:
    """Velocity of the orbit through ``position`` that passes nearest to later and earlier fixes, km/s.

    And by how much the fixes disagree with it after ten minutes, km.
    """
    from scipy.optimize import least_squares

    def misses(velocity: Floats) -> Floats:
        out = []
        for sign in (1.0, -1.0):
            side = sorted(((sign * (t - et), p) for t, p in fixes if sign * (t - et) > 0), key=itemgetter(0))
            if side:
                times = np.array([0.0] + [t for t, _ in side])
                reached = propagate(position, sign * velocity, times)[0][1:]
                # Weighted by the span, so that a far fix does not drown the near ones.
                out.append((reached - np.array([p for _, p in side])) / times[1:, None])
        return np.concatenate(out).ravel()

    velocity = least_squares(misses, guess, loss="soft_l1", f_scale=1e-3, x_scale=1.0).x
    drift = misses(velocity).reshape(-1, 3)
    return velocity, float(_MISS_SPAN_S * np.sqrt(np.median(np.sum(drift**2, axis=1))))
