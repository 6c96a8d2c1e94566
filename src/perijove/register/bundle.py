"""All images of a perijove in one fit: they share the spacecraft, and the ground below it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from perijove.archive.label import ImageLabel
from perijove.constants import FOCAL_LENGTH_PX, JUPITER_RADII_KM
from perijove.errors import GeometryError
from perijove.geometry.attitude import spin_attitude, turn_from_target
from perijove.geometry.camera import spacecraft_to_camera
from perijove.geometry.ephemeris import mid_time
from perijove.geometry.rotation import frame_with_z, rotation_about, rotation_vector_matrix
from perijove.register.locate import (
    EARTH_POINTED_RAD,
    EARTH_POINTING_SIGMA_RAD,
    OFFSET_SIGMA_RAD,
    Knowledge,
    Located,
    Start,
    angle_between,
    locate,
    locate_by_limb,
    prepare,
)
from perijove.register.model import START_JITTER_S, STEADY_PHASE_RAD, AxisPrior, Link, Pass, Problem, weighed
from perijove.register.solve import Solution, solve
from perijove.register.ties import Ties, band_ties, image_ties

Floats = npt.NDArray[np.float64]
Planes = npt.NDArray[np.float32]

#: How well a single limb tells the angle between the spin axis and the direction to Jupiter, and how well, at the best,
#: the roll about that direction: what it says beyond is not believed where several images are compared.
_CONE_SIGMA_RAD: Final = 1e-3
_ROLL_FLOOR_RAD: Final = 5e-3
#: Error of a predicted phase up to which whole turns are not mistaken.
_SURE_PHASE_RAD: Final = 1.0
#: Images further apart than this share no ties: clouds have moved too far.
_LINK_SPAN_S: Final = 2400.0
#: Bands in which images are linked, the first that both have.
_LINK_BANDS: Final = ("GREEN", "RED", "BLUE", "METHANE")
#: How far a cloud may stray from the mean wind of its latitude, m/s.
_WIND_SIGMA_M_S: Final = 12.0


@dataclass(frozen=True)
class Observation:
    """One image of a pass.

    Attributes
    ----------
    label : ImageLabel
    values : callable
        Gives the calibrated pixels, (frame, band, line, sample), float32, NaN where unknown. Called at most twice, so
        that not all images need be in memory at once.
    """

    label: ImageLabel
    values: Callable[[], Planes]


def locate_pass(observations: Sequence[Observation], knowledge: Knowledge) -> tuple[Located, ...]:
    """Find the pointing of all images of a perijove together.

    Parameters
    ----------
    observations : sequence of Observation
        In any order.
    knowledge : Knowledge

    Returns
    -------
    tuple of Located
        In the order of the observations.

    Raises
    ------
    GeometryError
        If no image can be located by itself, or the images do not fit together.
    """
    if len(observations) == 1:
        return (locate(observations[0].label, observations[0].values(), knowledge),)
    alone = [_alone(observation, knowledge) for observation in observations]
    if not any(image.solution for image in alone):
        raise next(image.failure for image in alone if image.failure)
    axis = _common_axis(alone)
    # Turns refer to the image that tells the spin axis best.
    order = sorted(range(len(alone)), key=lambda k: s.spin_axis_sigma_rad if (s := alone[k].solution) else np.inf)
    pass_ = _together([alone[k] for k in order], axis)
    first = solve(pass_)
    pass_ = _tied(pass_, [observations[k] for k in order], first)
    solutions = solve(pass_)
    found = dict(zip(order, (_told(alone[k], s, axis) for k, s in zip(order, solutions, strict=True)), strict=True))
    return tuple(found[k] for k in range(len(alone)))


def _told(image: "_Alone", solution: Solution, axis: AxisPrior) -> Located:
    """A solution with where it came from, and with what is not sure of it."""
    located = replace(image.start.located(solution), axis_source=axis.source)
    if image.solution is not None:
        return located
    sigma = solution.parameters["phase"].sigma
    warning = (
        f"the image cannot be located by itself ({image.failure}): it follows the spin of the others, "
        f"its phase known to {np.degrees(sigma):.2g} degrees"
    )
    return replace(located, warnings=(*located.warnings, warning))


@dataclass(frozen=True)
class _Alone:
    """An image by itself: solved, or not, and then why."""

    start: Start
    solution: Solution | None
    failure: GeometryError | None = None


def _alone(observation: Observation, knowledge: Knowledge) -> _Alone:
    label, values = observation.label, observation.values()
    try:
        start, solution = locate_by_limb(label, values, knowledge)
    except GeometryError as failure:
        return _Alone(prepare(label, values, knowledge), None, failure)
    if len(start.problem.limb) or start.problem.attitude.measured:
        return _Alone(start, solution)
    return _Alone(prepare(label, values, knowledge), None, GeometryError(start.warnings[-1]))


def _common_axis(alone: Sequence[_Alone]) -> AxisPrior:
    """Spin axis of the pass, to begin with: each limb tells its angle from the direction to Jupiter well."""
    from scipy.optimize import least_squares

    solved = [(image.start, image.solution) for image in alone if image.solution]
    measured = next((start.axis_prior for start, _ in solved if start.problem.attitude.measured), None)
    if measured is not None:
        return measured
    earth = solved[0][0].problem.earth
    targets = np.array([_target(start) for start, _ in solved])
    axes = np.array([solution.spin_axis for _, solution in solved])
    cones = np.arccos(np.sum(targets * axes, axis=1))
    sigmas = np.array([max(solution.spin_axis_sigma_rad, _ROLL_FLOOR_RAD) for _, solution in solved])
    best = axes[sigmas.argmin()]
    frame = frame_with_z(best, earth if angle_between(best, earth) > 1e-6 else targets[0])

    def misses(tilt: Floats) -> Floats:
        axis = _tilted(frame, tilt)
        cone = (np.arccos(np.clip(targets @ axis, -1.0, 1.0)) - cones) / _CONE_SIGMA_RAD
        near = (axes - axis) / sigmas[:, None]
        return np.concatenate([cone, near.ravel(), (axis - earth) / OFFSET_SIGMA_RAD])

    axis = _tilted(frame, least_squares(misses, np.zeros(2), loss="soft_l1").x)
    if angle_between(axis, earth) < EARTH_POINTED_RAD:
        return AxisPrior(earth, EARTH_POINTING_SIGMA_RAD, "Earth")
    return AxisPrior(axis, OFFSET_SIGMA_RAD, f"{len(solved)} images of the perijove")


def _tilted(frame: Floats, tilt: Floats) -> Floats:
    return np.asarray(frame @ rotation_vector_matrix([*tilt, 0.0])[:, 2])


def _target(start: Start) -> Floats:
    """Direction from Juno to Jupiter at the middle of an image, J2000."""
    position = start.problem.trajectory.state(mid_time(start.problem.label))[0]
    return np.asarray(-position / np.linalg.norm(position))


def _despun(start: Start, solution: Solution) -> Floats:
    """De-spun spacecraft frame of the middle of an image to J2000, from what was solved."""
    twist, cone = (solution.parameters[name].value for name in ("mounting_twist", "mounting_cone"))
    k = solution.pointing.mid_frame
    spacecraft = solution.pointing.camera_to_j2000[k] @ spacecraft_to_camera(twist, cone)
    seconds = start.problem.et[k] - mid_time(start.problem.label)
    return np.asarray(spacecraft @ rotation_about("z", -solution.spin_rate_rad_s * seconds))


def _onto_axis(turn: Floats, target: Floats, axis: Floats) -> Floats:
    """Turn a de-spun frame so that it spins about an axis and still sees the target where it did."""
    seen = turn_from_target(turn.T @ target, target, axis)
    return np.asarray(rotation_vector_matrix(np.cross(seen[:, 2], axis)) @ seen)


def _together(alone: Sequence[_Alone], axis: AxisPrior) -> Pass:
    """Images with attitudes that share an axis and a rate; those that were not solved follow the spin."""
    solved = [(image.start, image.solution) for image in alone if image.solution]
    weights = np.array([solution.parameters["spin_rate_offset"].sigma ** -2 for _, solution in solved])
    rates = np.array([solution.spin_rate_rad_s for _, solution in solved])
    rate, rate_sigma = float(weights @ rates / weights.sum()), float(weights.sum() ** -0.5)
    turns = {id(start): _onto_axis(_despun(start, found), _target(start), axis.axis) for start, found in solved}
    times = [mid_time(start.problem.label) for start, _ in solved]
    clock = _SpinClock(axis.axis, times, list(turns.values()), rate, rate_sigma)
    problems = []
    for image in alone:
        problem = replace(image.start.problem, rate_rad_s=clock.rate)
        middle = mid_time(problem.label)
        turn, sigma = clock.turn(middle)
        if image.solution is None:
            problem = replace(problem, phase_sigma_rad=sigma, limb_trusted=False)
        if clock.steady:
            problem = replace(problem, phase_sigma_rad=STEADY_PHASE_RAD)
        elif image.solution is not None:
            turn = turns[id(image.start)]
        if not problem.attitude.measured:
            problem = replace(problem, attitude=spin_attitude(turn, clock.rate, problem.et - middle))
        problems.append(problem)
    first = alone[0].start
    distance = max(image.start.trajectory_sigma_km for image in alone)
    epoch = float(clock.times.mean()) if clock.steady else None
    return Pass(tuple(problems), axis, first.turn_sigma_rad, first.trajectory_sigma_s, distance, spin_epoch=epoch)


class _SpinClock:
    """Phase of the spin against time, through the images whose turn is known.

    Attributes
    ----------
    rate : float
        Rad/s.
    steady : bool
        Whether one rate leads through all images: what is left is the jitter of their start times.
    """

    def __init__(self, axis: Floats, times: Sequence[float], turns: Sequence[Floats], rate: float, sigma: float):
        self.base = frame_with_z(axis, [0.0, 0.0, 1.0])
        order = np.argsort(times)
        self.times, self.rate, self.sigma, self.steady = np.asarray(times)[order], rate, sigma, False
        seen = [self.base.T @ turns[k] for k in order]
        phases = np.arctan2([s[1, 0] for s in seen], [s[0, 0] for s in seen])
        for k in range(1, len(phases)):
            # The rate improves with every image that it leads to: whole turns can be told over ever longer gaps.
            reached = phases[k - 1] + self.rate * (self.times[k] - self.times[k - 1])
            phases[k] += 2 * np.pi * np.round((reached - phases[k]) / (2 * np.pi))
            if self.sigma * (self.times[k] - self.times[k - 1]) > _SURE_PHASE_RAD:
                break
            self.rate = float(np.polyfit(self.times[: k + 1], phases[: k + 1], 1)[0])
            self.sigma = min(sigma, rate * START_JITTER_S * np.sqrt(2.0) / (self.times[k] - self.times[0]))
        else:
            self._lay_line(phases)
        self.phases = phases

    def _lay_line(self, phases: Floats) -> None:
        """Move the phases onto one rate, if one leads through all of them."""
        if len(phases) < 2:
            return
        since = self.times - self.times.mean()
        line = np.polyfit(since, phases, 1)
        off = phases - np.polyval(line, since)
        self.steady = bool(np.abs(off).max() < 5 * self.rate * START_JITTER_S)
        if self.steady:
            self.rate = float(line[0])
            phases -= off

    def turn(self, time: float) -> tuple[Floats, float]:
        """De-spun spacecraft frame at a time to J2000, and the standard error of its phase, radians."""
        nearest = int(np.abs(self.times - time).argmin())
        apart = time - self.times[nearest]
        error = np.hypot(np.sqrt(2.0) * self.rate * START_JITTER_S, self.sigma * apart)
        turn = self.base @ rotation_about("z", self.phases[nearest] + self.rate * apart)
        return np.asarray(turn), min(float(error), np.pi)


def _tied(pass_: Pass, observations: Sequence[Observation], solutions: Sequence[Solution]) -> Pass:
    """Add ties within images, and between each and the one before that shows the same band."""
    problems, links = list(pass_.images), []
    before: dict[str, tuple[int, Planes]] = {}
    for k in np.argsort([problem.et[0] for problem in problems]):
        problem, pointing = problems[k], solutions[k].pointing
        values, bands = observations[k].values(), problem.label.bands
        problems[k] = replace(problem, ties=weighed(band_ties(values, bands, pointing)))
        band = next(band for band in _LINK_BANDS if band in bands)
        plane = np.ascontiguousarray(values[:, [bands.index(band)]])
        if band in before:
            other, its_plane = before[band]
            if problem.et[0] - problems[other].et[0] < _LINK_SPAN_S:
                found = image_ties((its_plane, (band,), solutions[other].pointing), (plane, (band,), pointing))
                places = [problems[i].label.bands.index(band) for i in (other, k)]
                links.append(_link(other, int(k), found, places, problems))
        before[band] = int(k), plane
    return replace(pass_, images=tuple(problems), links=tuple(link for link in links if len(link.ties)))


def _link(first: int, second: int, found: Ties, places: Sequence[int], problems: Sequence[Problem]) -> Link:
    """Ties of two images, with what clouds may have strayed in between added to their errors."""
    a, b = problems[first], problems[second]
    apart = abs(mid_time(b.label) - mid_time(a.label))
    range_km = float(np.linalg.norm(b.trajectory.state(mid_time(b.label))[0])) - JUPITER_RADII_KM[2]
    stray_px = _WIND_SIGMA_M_S * 1e-3 * apart / range_km * FOCAL_LENGTH_PX / b.label.sampling_factor
    ties = replace(
        found,
        band_a=np.full(len(found), places[0]),
        band_b=np.full(len(found), places[1]),
        sigma_px=np.hypot(found.sigma_px, stray_px),
    )
    return Link(first, second, weighed(ties))
