"""From an image and what is known about it to its pointing: the one door of the room."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from perijove.archive.label import ImageLabel
from perijove.errors import GeometryError
from perijove.geometry.attitude import (
    TURN_PER_FRAME_RAD,
    Attitude,
    attitude_from_kernels,
    spin_attitude,
    turn_from_target,
)
from perijove.geometry.camera import spacecraft_to_camera
from perijove.geometry.ephemeris import (
    Trajectory,
    direction_from_jupiter,
    frame_times,
    mid_time,
    trajectory_from_kernels,
    trajectory_from_label,
)
from perijove.geometry.kernels import KernelFolder
from perijove.geometry.rotation import rotation_about
from perijove.register.limb import LimbPoints, find_limb
from perijove.register.solve import (
    FREE_TURN_RAD,
    MEASURED_TURN_RAD,
    MIN_LIMB_POINTS,
    AxisPrior,
    Problem,
    Solution,
    cameras_of,
    solve,
)
from perijove.register.start import target_from_limb, turn_from_shading

Floats = npt.NDArray[np.float64]
Planes = npt.NDArray[np.float32]

#: A spin axis seen nearer to the Earth than this is taken to be pointed at it; passes with an offset have degrees.
_EARTH_POINTED_RAD: Final = np.radians(0.75)
#: How well an Earth-pointed axis is pointed, and how far an axis may stand from the one nearest the Earth otherwise.
EARTH_POINTING_SIGMA_RAD: Final = np.radians(0.2)
_OFFSET_SIGMA_RAD: Final = 0.1
#: A fit beyond this has gone wrong: the largest offsets flown are 30 and 20 degrees at once (perijoves 12 and 16).
MAX_TILT_RAD: Final = np.radians(40.0)
_NEAREST: Final = "nearest to the Earth"
#: Priors when only the shading was used: roll, along the scan, across. Clouds shift where a disc without a limb looks
#: brightest by up to 20 degrees along the scan (tests/register/test_locate.py).
_SHADED_TURN_RAD: Final = (0.05, 0.2, 0.01)
#: How far the predicted trajectory may be off after its offset was solved, seconds.
_KERNEL_SIGMA_S: Final = 0.3


@dataclass(frozen=True)
class Located:
    """The pointing of an image with everything that tells how good it is.

    Attributes
    ----------
    solution : Solution
    trajectory : Trajectory
    attitude_source, axis_source : str
    limb_points : int
    warnings : tuple of str
    """

    solution: Solution
    trajectory: Trajectory
    attitude_source: str
    axis_source: str
    limb_points: int
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class Knowledge:
    """What may help to locate an image besides itself.

    Attributes
    ----------
    kernels : KernelFolder or None
    labels : tuple of ImageLabel
        Of other images of the perijove.
    neighbours : tuple of Solution
        Of other images of the perijove; their spin axis is this image's.
    tdi_epoch : str
        One of ``TDI_EPOCHS``.
    """

    kernels: KernelFolder | None = None
    labels: tuple[ImageLabel, ...] = ()
    neighbours: tuple[Solution, ...] = ()
    tdi_epoch: str = "first-stage"


def locate(label: ImageLabel, values: Planes, knowledge: Knowledge) -> Located:
    """Find the pointing of an image.

    Parameters
    ----------
    label : ImageLabel
    values : ndarray, (frame, band, line, sample), float32
        Calibrated pixels, sky near zero, NaN where unknown.
    knowledge : Knowledge

    Returns
    -------
    Located

    Raises
    ------
    GeometryError
        If nothing tells where the spacecraft was, or the limb does not fit.
    """
    if label.target not in ("JUPITER", ""):
        raise GeometryError(f"{label.product_id} shows {label.target}; only images of Jupiter can be located so far")
    warnings: list[str] = []
    et = frame_times(label, knowledge.tdi_epoch)
    middle = mid_time(label)
    trajectory = _trajectory(label, knowledge, warnings)
    sun, earth = (direction_from_jupiter(body, middle) for body in ("Sun", "Earth"))
    limb = find_limb(values, *_window(label))
    hint = _axis_hint(knowledge.neighbours, earth)
    attitude = attitude_from_kernels(knowledge.kernels, et) if knowledge.kernels else None
    turn_sigma = MEASURED_TURN_RAD
    if attitude is None:
        attitude, turn_sigma = _spin_from_image(label, values, limb, trajectory, sun, hint, warnings)
        if turn_sigma is _SHADED_TURN_RAD:
            limb = _empty()
    prior = _axis_prior(attitude, hint, bool(knowledge.neighbours), turn_sigma)
    problem = Problem(
        label,
        et,
        trajectory,
        sun,
        earth,
        attitude,
        prior,
        limb,
        turn_sigma,
        0.1 if knowledge.kernels is None else _KERNEL_SIGMA_S,
    )
    solution = solve(problem)
    tilt = _angle(solution.spin_axis, earth)
    if tilt > MAX_TILT_RAD:
        raise GeometryError(
            f"the limb of {label.product_id} would turn the spin axis {np.degrees(tilt):.0f} degrees off the Earth, "
            "farther than Juno ever points; check that the label belongs to the image"
        )
    if prior.source == _NEAREST:
        if _may_point_at_earth(solution, trajectory.state(middle)[0], earth):
            prior = AxisPrior(earth, EARTH_POINTING_SIGMA_RAD, "Earth")
            solution = solve(replace(problem, axis_prior=prior))
        else:
            warnings.append(
                f"the spin axis stands about {np.degrees(tilt):.1f} degrees off the Earth; its direction about "
                "Jupiter is known from the limb's flattening alone. Another image of the perijove helps: --with"
            )
    return Located(solution, trajectory, attitude.source, prior.source, len(limb), tuple(warnings))


def _window(label: ImageLabel) -> tuple[int, tuple[int, int]]:
    factor = label.sampling_factor
    return max(1, 2 // factor), (26 // factor, 1628 // factor)


def _trajectory(label: ImageLabel, knowledge: Knowledge, warnings: list[str]) -> Trajectory:
    if knowledge.kernels is not None:
        trajectory = trajectory_from_kernels(label, knowledge.kernels)
        if trajectory is not None:
            if abs(trajectory.label_offset_s) > 0.5:
                warnings.append(
                    f"{trajectory.source} is {trajectory.label_offset_s:+.2f} s along track from the label; "
                    "the label was followed"
                )
            if trajectory.label_distance_km > 50:
                warnings.append(
                    f"{trajectory.source} passes {trajectory.label_distance_km:.0f} km from the label's position"
                )
            return trajectory
        warnings.append("no trajectory kernel covers the image; its position is taken from the label")
    return trajectory_from_label(label, knowledge.labels)


def _axis_hint(neighbours: Sequence[Solution], earth: Floats) -> AxisPrior:
    """Spin axis to expect: the best determined of the neighbours, else the Earth."""
    if neighbours:
        best = min(neighbours, key=lambda s: s.spin_axis_sigma_rad)
        return AxisPrior(best.spin_axis, max(best.spin_axis_sigma_rad, 5e-4), "another image of the perijove")
    return AxisPrior(earth, EARTH_POINTING_SIGMA_RAD, "Earth")


def _spin_from_image(
    label: ImageLabel,
    values: Planes,
    limb: LimbPoints,
    trajectory: Trajectory,
    sun: Floats,
    hint: AxisPrior,
    warnings: list[str],
) -> tuple[Attitude, tuple[float, float, float]]:
    """Spin attitude from the limb, or, where there is none, from the shading."""
    seconds = frame_times(label) - mid_time(label)
    rate = TURN_PER_FRAME_RAD / (seconds[1] - seconds[0]) if len(seconds) > 1 else 0.0
    position = trajectory.state(mid_time(label))[0]
    distance = float(np.linalg.norm(position))
    cameras = cameras_of(label)
    target = None
    if len(limb) >= MIN_LIMB_POINTS:
        target = target_from_limb(limb, label.bands, cameras, rate * seconds, distance)
    if target is not None:
        turn = turn_from_target(target, -position / distance, hint.axis)
        return spin_attitude(turn, rate, seconds), FREE_TURN_RAD
    warnings.append(
        f"NO LIMB was found ({len(limb)} points): the pointing rests on where the image is bright and on the spin axis "
        f"({hint.source}); expect errors of tens to hundreds of pixels. Other images of the perijove help: --with"
    )
    frames, _, lines, samples = values.shape
    frame, line, sample = np.meshgrid(
        np.arange(frames), np.arange(8, lines, 16), np.arange(40, samples - 20, 48), indexing="ij"
    )
    directions, brightness = [], []
    for index, band in enumerate(label.bands):
        seen = cameras[band].directions(sample + 0.5, line + 0.5) @ spacecraft_to_camera()
        despun = np.einsum("fij,flsj->flsi", rotation_about("z", rate * seconds), seen)
        directions.append(despun.reshape(-1, 3))
        seen_there = np.nan_to_num(values[frame, index, line, sample]).ravel()
        # Bands differ in albedo, not in where the light comes from.
        brightness.append(seen_there / max(float(seen_there.mean()), 1e-6))
    turn = turn_from_shading(
        np.concatenate(brightness).astype(float),
        np.concatenate(directions),
        position,
        sun,
        hint.axis,
        mid_time(label),
    )
    return spin_attitude(turn, rate, seconds), _SHADED_TURN_RAD


def _axis_prior(
    attitude: Attitude, hint: AxisPrior, from_neighbour: bool, turn_sigma: tuple[float, float, float]
) -> AxisPrior:
    if attitude.measured:
        return AxisPrior(attitude.spin_axis, 2e-4, attitude.source)
    if from_neighbour:
        return hint
    if turn_sigma is _SHADED_TURN_RAD:
        # Nothing says that this pass is Earth-pointed: on some the axis stands about ten degrees off.
        return replace(hint, sigma_rad=_OFFSET_SIGMA_RAD)
    return AxisPrior(attitude.spin_axis, _OFFSET_SIGMA_RAD, _NEAREST)


def _may_point_at_earth(solution: Solution, position: Floats, earth: Floats) -> bool:
    """Whether a spin axis that was solved from the limb alone agrees with one pointed at the Earth.

    The limb tells the angle between axis and target well, and the roll about the target badly: the first must
    agree closely, the whole within three standard errors.
    """
    lean = abs(_angle(solution.spin_axis, position) - _angle(earth, position))
    reach = max(_EARTH_POINTED_RAD, 3 * solution.spin_axis_sigma_rad)
    return bool(lean < _EARTH_POINTED_RAD and _angle(solution.spin_axis, earth) < reach)


def _angle(a: Floats, b: Floats) -> float:
    return float(np.arctan2(np.linalg.norm(np.cross(a, b)), a @ b))


def _empty() -> LimbPoints:
    none = np.zeros(0)
    index = np.zeros(0, np.int64)
    return LimbPoints(index, index, none, none, np.zeros((0, 2)))
