"""From an image and what is known about it to its pointing: the one door of the room."""

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
from perijove.geometry.camera import TDI_NUMBERINGS, Camera, spacecraft_to_camera, tdi_shift_px
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
from perijove.register.model import FREE_TURN_RAD, MEASURED_TURN_RAD, AxisPrior, Pass, Problem, cameras_of, weighed
from perijove.register.solve import MIN_LIMB_POINTS, Solution, solve
from perijove.register.start import target_from_limb, turn_from_shading
from perijove.register.ties import band_ties

Floats = npt.NDArray[np.float64]
Planes = npt.NDArray[np.float32]

#: A spin axis seen nearer to the Earth than this is taken to be pointed at it; passes with an offset have degrees.
EARTH_POINTED_RAD: Final = np.radians(0.75)
#: How well an Earth-pointed axis is pointed, and how far an axis may stand from the one nearest the Earth otherwise.
EARTH_POINTING_SIGMA_RAD: Final = np.radians(0.2)
OFFSET_SIGMA_RAD: Final = 0.1
#: How well a CK tells the spin axis.
MEASURED_AXIS_RAD: Final = 2e-4
#: A fit beyond this has gone wrong: the largest offsets flown are 30 and 20 degrees at once (perijoves 12 and 16).
MAX_TILT_RAD: Final = np.radians(40.0)
NEAREST: Final = "nearest to the Earth"
#: Priors when only the shading was used: roll, along the scan, across. Clouds shift where a disc without a limb looks
#: brightest by up to 20 degrees along the scan (tests/register/test_locate.py).
_SHADED_TURN_RAD: Final = (0.05, 0.2, 0.01)
#: How far a position may be off along track, seconds, and across, km, if labels agree with each other; an SPK is moved
#: along its track onto the label, and without a position there a prediction is some seconds off.
_LABEL_SIGMA_S, _LABEL_SIGMA_KM = 0.01, 0.3
_UNMOVED_SIGMA_S: Final = 5.0


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
    tdi_numbering : str
        One of ``TDI_NUMBERINGS``.
    refine : bool
        Whether kernels that were made of an earlier solution are but a start; else they are taken as they are.
    """

    kernels: KernelFolder | None = None
    labels: tuple[ImageLabel, ...] = ()
    tdi_numbering: str = TDI_NUMBERINGS[0]
    refine: bool = False


@dataclass(frozen=True)
class Start:
    """An image made ready for a fit.

    Attributes
    ----------
    problem : Problem
    axis_prior : AxisPrior
    turn_sigma_rad : tuple of float
    trajectory_sigma_s, trajectory_sigma_km : float
    warnings : tuple of str
    """

    problem: Problem
    axis_prior: AxisPrior
    turn_sigma_rad: tuple[float, float, float]
    trajectory_sigma_s: float
    trajectory_sigma_km: float
    warnings: tuple[str, ...]

    def alone(self) -> Pass:
        """The image as a pass of its own."""
        return Pass(
            (self.problem,),
            self.axis_prior,
            self.turn_sigma_rad,
            self.trajectory_sigma_s,
            self.trajectory_sigma_km,
            solved_row_px=self.problem.attitude.principal_row_px,
        )

    def located(self, solution: Solution) -> Located:
        """A solution with where it came from."""
        problem = self.problem
        return Located(
            solution,
            problem.trajectory,
            problem.attitude.source,
            self.axis_prior.source,
            len(problem.limb),
            self.warnings,
        )


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
    start, solution = locate_by_limb(label, values, knowledge)
    if len(start.problem.limb):
        ties = weighed(band_ties(values, label.bands, solution.pointing))
        start = replace(start, problem=replace(start.problem, ties=ties))
        (solution,) = solve(start.alone(), (solution,))
    if start.axis_prior.source == NEAREST:
        tilt = np.degrees(angle_between(solution.spin_axis, start.problem.earth))
        warning = (
            f"the spin axis stands about {tilt:.1f} degrees off the Earth; its direction about "
            "Jupiter is known from the limb's flattening alone. Another image of the perijove helps: --with"
        )
        start = replace(start, warnings=(*start.warnings, warning))
    return start.located(solution)


def locate_by_limb(label: ImageLabel, values: Planes, knowledge: Knowledge) -> tuple[Start, Solution]:
    """Find the pointing of an image from its limb, without ties: see :func:`locate`."""
    start = _start(label, values, knowledge)
    earth = start.problem.earth
    (solution,) = solve(start.alone())
    tilt = angle_between(solution.spin_axis, earth)
    if tilt > MAX_TILT_RAD:
        raise GeometryError(
            f"the limb of {label.product_id} would turn the spin axis {np.degrees(tilt):.0f} degrees off the Earth, "
            "farther than Juno ever points; check that the label belongs to the image"
        )
    position = start.problem.trajectory.state(mid_time(label))[0]
    if start.axis_prior.source == NEAREST and _may_point_at_earth(solution, position, earth):
        start = replace(start, axis_prior=AxisPrior(earth, EARTH_POINTING_SIGMA_RAD, "Earth"))
        (solution,) = solve(start.alone())
    return start, solution


def prepare(label: ImageLabel, values: Planes, knowledge: Knowledge) -> Start:
    """All that is known of an image before it is fitted, but its attitude: that is the identity.

    Raises
    ------
    GeometryError
        If nothing tells where the spacecraft was.
    """
    if label.target not in ("JUPITER", ""):
        raise GeometryError(f"{label.product_id} shows {label.target}; only images of Jupiter can be located so far")
    warnings: list[str] = []
    et = frame_times(label)
    trajectory = _trajectory(label, knowledge, warnings)
    sun, earth = (direction_from_jupiter(body, mid_time(label)) for body in ("Sun", "Earth"))
    rate = TURN_PER_FRAME_RAD / float(et[1] - et[0]) if len(et) > 1 else 0.0
    unknown = spin_attitude(np.eye(3), rate, et - mid_time(label))
    limb = find_limb(values, *_window(label))
    if len(label.bands) > 1 and "METHANE" in label.bands:
        # In methane the edge of the polar hood, before a disc that is all but black, looks like a limb.
        limb = limb.take(limb.band != label.bands.index("METHANE"))
    problem = Problem(label, et, trajectory, sun, earth, unknown, rate, limb, tdi_numbering=knowledge.tdi_numbering)
    unmoved = trajectory.from_kernel and trajectory.label_offset_s == 0.0
    sigma_s = _UNMOVED_SIGMA_S if unmoved else _LABEL_SIGMA_S
    sigma_km = max(_LABEL_SIGMA_KM, trajectory.label_distance_km)
    prior = AxisPrior(earth, EARTH_POINTING_SIGMA_RAD, "Earth")
    return Start(problem, prior, FREE_TURN_RAD, sigma_s, sigma_km, tuple(warnings))


def _start(label: ImageLabel, values: Planes, knowledge: Knowledge) -> Start:
    """All that is known of an image before it is fitted, with an attitude to begin from."""
    start = prepare(label, values, knowledge)
    problem, hint = start.problem, start.axis_prior
    measured = attitude_from_kernels(knowledge.kernels, problem.et) if knowledge.kernels else None
    if measured is not None and measured.principal_row_px is not None and problem.trajectory.from_kernel:
        given = _given(start, measured)
        if not knowledge.refine:
            return given
        free = replace(given.problem.attitude, principal_row_px=None)
        return replace(given, problem=replace(given.problem, attitude=free), warnings=start.warnings)
    if measured is not None:
        prior = AxisPrior(measured.spin_axis, MEASURED_AXIS_RAD, measured.source)
        problem = replace(problem, attitude=measured)
        return replace(start, problem=problem, axis_prior=prior, turn_sigma_rad=MEASURED_TURN_RAD)
    found = _spin_from_limb(problem, hint)
    if found is not None:
        prior = AxisPrior(found.spin_axis, OFFSET_SIGMA_RAD, NEAREST)
        return replace(start, problem=replace(problem, attitude=found), axis_prior=prior)
    warning = (
        f"NO LIMB was found ({len(problem.limb)} points): the pointing rests on where the image is bright and on the "
        f"spin axis ({hint.source}); expect errors of tens to hundreds of pixels. Other images of the perijove help: "
        "--with"
    )
    attitude = _spin_from_shading(problem, values, hint)
    return replace(
        start,
        problem=replace(problem, attitude=attitude, limb=_empty()),
        # Nothing says that this pass is Earth-pointed: on some the axis stands about ten degrees off.
        axis_prior=replace(hint, sigma_rad=OFFSET_SIGMA_RAD),
        turn_sigma_rad=_SHADED_TURN_RAD,
        warnings=(*start.warnings, warning),
    )


def _given(start: Start, attitude: Attitude) -> Start:
    """Begin from one of our own solutions, read back from the kernels that were written of it."""
    label = start.problem.label
    rows = tdi_shift_px(label.tdi_stages)
    # Kernels turn the frame with the rows of TDI.
    axis = Camera.in_flight("GREEN", principal_row_px=attitude.principal_row_px or 0.0)
    turned = axis.with_principal_row(rows).tilt_rad - axis.tilt_rad
    mounting = spacecraft_to_camera()
    to_j2000 = attitude.spacecraft_to_j2000 @ mounting.T @ rotation_about("x", turned) @ mounting
    found = replace(attitude, spacecraft_to_j2000=to_j2000)
    warning = f"the pointing is that of {attitude.source}: its error is told there"
    return replace(
        start,
        problem=replace(start.problem, attitude=found),
        axis_prior=AxisPrior(found.spin_axis, MEASURED_AXIS_RAD, attitude.source),
        turn_sigma_rad=MEASURED_TURN_RAD,
        warnings=(*start.warnings, warning),
    )


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


def _spin_from_limb(problem: Problem, hint: AxisPrior) -> Attitude | None:
    """Spin attitude that puts the planet where the limb shows it; None without a limb."""
    if len(problem.limb) < MIN_LIMB_POINTS:
        return None
    label = problem.label
    seconds = problem.et - mid_time(label)
    position = problem.trajectory.state(mid_time(label))[0]
    distance = float(np.linalg.norm(position))
    spin_angle = problem.rate_rad_s * seconds
    target = target_from_limb(problem.limb, label.bands, cameras_of(label, problem.tdi_numbering), spin_angle, distance)
    if target is None:
        return None
    turn = turn_from_target(target, -position / distance, hint.axis)
    return spin_attitude(turn, problem.rate_rad_s, seconds)


def _spin_from_shading(problem: Problem, values: Planes, hint: AxisPrior) -> Attitude:
    """Spin attitude whose lit disc looks most like the image."""
    label = problem.label
    seconds = problem.et - mid_time(label)
    cameras = cameras_of(label, problem.tdi_numbering)
    frames, _, lines, samples = values.shape
    frame, line, sample = np.meshgrid(
        np.arange(frames), np.arange(8, lines, 16), np.arange(40, samples - 20, 48), indexing="ij"
    )
    directions, brightness = [], []
    for index, band in enumerate(label.bands):
        seen = cameras[band].directions(sample + 0.5, line + 0.5) @ spacecraft_to_camera()
        despun = np.einsum("fij,flsj->flsi", rotation_about("z", problem.rate_rad_s * seconds), seen)
        directions.append(despun.reshape(-1, 3))
        seen_there = np.nan_to_num(values[frame, index, line, sample]).ravel()
        # Bands differ in albedo, not in where the light comes from.
        brightness.append(seen_there / max(float(seen_there.mean()), 1e-6))
    turn = turn_from_shading(
        np.concatenate(brightness).astype(float),
        np.concatenate(directions),
        problem.trajectory.state(mid_time(label))[0],
        problem.sun,
        hint.axis,
        mid_time(label),
    )
    return spin_attitude(turn, problem.rate_rad_s, seconds)


def _may_point_at_earth(solution: Solution, position: Floats, earth: Floats) -> bool:
    """Whether a spin axis that was solved from the limb alone agrees with one pointed at the Earth.

    The limb tells the angle between axis and target well, and the roll about the target badly: the first must
    agree closely, the whole within three standard errors.
    """
    lean = abs(angle_between(solution.spin_axis, position) - angle_between(earth, position))
    reach = max(EARTH_POINTED_RAD, 3 * solution.spin_axis_sigma_rad)
    return bool(lean < EARTH_POINTED_RAD and angle_between(solution.spin_axis, earth) < reach)


def angle_between(a: Floats, b: Floats) -> float:
    """Angle between two vectors, radians."""
    return float(np.arctan2(np.linalg.norm(np.cross(a, b)), a @ b))


def _empty() -> LimbPoints:
    none = np.zeros(0)
    index = np.zeros(0, np.int64)
    return LimbPoints(index, index, none, none, np.zeros((0, 2)))
