"""The fit on limb points that lie exactly on the model's limb, and on points that do not."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from perijove.errors import GeometryError
from perijove.geometry.attitude import spin_attitude
from perijove.geometry.ephemeris import frame_times, mid_time
from perijove.register.limb import LimbPoints
from perijove.register.model import AxisPrior, Pass, Problem
from perijove.register.solve import Solution, solve

#: The start stands off by this, degrees about J2000's axes; its size is what `target_from_limb` leaves.
START_ERROR_DEG = (0.6, -0.8, 0.4)


@pytest.fixture(scope="session")
def exact(synthetic: Any) -> tuple[Any, LimbPoints]:
    """Scene whose mounting is the nominal one, and its true limb at the haze the fit starts from."""
    scene = synthetic.make_scene(
        0.0, albedo=synthetic.even, mounting=synthetic.Mounting(0.0, 0.0, principal_row=-28.0, start_s=0.0)
    )
    limb = LimbPoints(**synthetic.true_limb(scene.pointing, scene.label.frames, scene.values.shape[2:]))
    assert len(limb) > 1000
    return scene, limb


def problem_of(synthetic: Any, scene: Any, limb: LimbPoints, **changes: Any) -> Pass:
    et = frame_times(scene.label)
    turn = Rotation.from_rotvec(np.radians(START_ERROR_DEG)).as_matrix() @ scene.turn
    attitude = spin_attitude(turn, synthetic.SPIN_RATE_RAD_S, et - mid_time(scene.label))
    prior = AxisPrior(scene.axis, 1e-4, "truth")
    pointing = scene.pointing
    rate = synthetic.SPIN_RATE_RAD_S
    problem = Problem(scene.label, et, scene.trajectory, pointing.sun, pointing.earth, attitude, rate, limb)
    return replace(Pass((problem,), prior, trajectory_sigma_s=0.1), **changes)


def test_an_exact_limb_gives_the_exact_pointing(synthetic: Any, compare: Any, exact: tuple[Any, LimbPoints]) -> None:
    scene, limb = exact
    (solution,) = solve(problem_of(synthetic, scene, limb))
    assert solution.rejected == 0
    # The fit sets light time and limb to first order and knows the haze of each band only as a prior.
    # What it knows of where the steepest point is found (0 +- 0.2 px) lets the heights of the bands come 0.01 px near.
    assert np.abs(solution.residual_px).max() < 0.04
    error = compare.disc(scene, solution.pointing)
    # 0.02 px are 5 km here, a tenth of the spread of the limb's height.
    assert np.abs(error).max() < 0.05
    assert np.abs(np.median(error, axis=0)).max() < 0.02
    assert abs(compare.roll(scene, solution.pointing)) < 1e-4


def test_haze_of_each_band_is_recovered(synthetic: Any, exact: tuple[Any, LimbPoints]) -> None:
    scene, limb = exact
    (solution,) = solve(problem_of(synthetic, scene, limb))
    for band in scene.label.bands:
        own = solution.parameters[f"limb_height_{band.lower()}"]
        height = solution.parameters["limb_height"].value + own.value
        # The prior of 15 km on each band's own height draws differences of 10 km half together; how far outside the
        # steepest points lie, known to 0.2 px, moves all of them: a pixel is 230 km here.
        assert height == pytest.approx(synthetic.HAZE_KM[band], abs=8.0)


def test_stray_points_are_thrown_out(synthetic: Any, compare: Any, exact: tuple[Any, LimbPoints]) -> None:
    scene, limb = exact
    rng = np.random.default_rng(8)
    stray = rng.random(len(limb)) < 0.1
    # Inside the disc only, as clouds and terminator would have it: they would pull the fit.
    inwards = np.where(stray, rng.uniform(3, 10, len(limb)), 0.0)[:, None] * limb.outward
    spoilt = replace(limb, x=limb.x - inwards[:, 0], y=limb.y - inwards[:, 1])
    (solution,) = solve(problem_of(synthetic, scene, spoilt))
    assert solution.rejected == np.count_nonzero(stray)
    assert np.abs(np.median(compare.disc(scene, solution.pointing), axis=0)).max() < 0.03


def test_noise_stays_within_the_stated_errors(synthetic: Any, compare: Any, exact: tuple[Any, LimbPoints]) -> None:
    scene, limb = exact
    rng = np.random.default_rng(9)
    noisy = replace(limb, x=limb.x + rng.normal(0, 0.3, len(limb)), y=limb.y + rng.normal(0, 0.3, len(limb)))
    loose = AxisPrior(scene.axis, 0.1, "loose")
    (solution,) = solve(problem_of(synthetic, scene, noisy, axis_prior=loose))
    roll = solution.parameters["roll_about_target"]
    assert abs(compare.roll(scene, solution.pointing)) < 3 * roll.sigma
    # Flattening does tell the roll: far better than the prior of 0.1, far worse than the angle across the scan.
    # Along the scan the unknown start, 0.02 s of a turn in 30 s, is told apart by nothing, and does no harm; nor does
    # an error of the frame delay.
    assert 0.003 < roll.sigma < 0.05
    assert solution.parameters["turn_along_scan"].sigma == pytest.approx(0.02 * 0.21, rel=0.2)
    assert solution.parameters["turn_across_scan"].sigma < 0.2 * roll.sigma


def test_without_a_limb_the_priors_come_back(synthetic: Any, exact: tuple[Any, LimbPoints]) -> None:
    scene, limb = exact
    none = LimbPoints(limb.frame[:0], limb.band[:0], limb.x[:0], limb.y[:0], limb.outward[:0])
    turns = (0.05, 0.03, 0.01)
    start = problem_of(synthetic, scene, none, turn_sigma_rad=turns)
    start = replace(start, axis_prior=AxisPrior(start.images[0].attitude.spin_axis, 0.5, "itself"))
    (solution,) = solve(start)
    assert solution.residual_px.shape == (0,)
    for name, prior in zip(("roll_about_target", "turn_along_scan", "turn_across_scan"), turns, strict=True):
        parameter = solution.parameters[name]
        assert parameter.value == pytest.approx(0.0, abs=1e-6)
        assert parameter.sigma == pytest.approx(prior, rel=0.01)
    for name in ("mounting_twist", "mounting_cone", "principal_row", "start_time_offset", "limb_height"):
        assert solution.parameters[name].sigma == pytest.approx(solution.parameters[name].prior_sigma, rel=1e-3)


def test_a_late_start_turns_the_spacecraft_on(synthetic: Any) -> None:
    # With the attitude known as a function of time, all that can move the limb is the moment of the exposure.
    mounting = synthetic.Mounting(0.0, 0.0, principal_row=-28.0, start_s=0.02)
    late = synthetic.make_scene(0.0, albedo=synthetic.even, mounting=mounting)
    limb = LimbPoints(**synthetic.true_limb(late.pointing, late.label.frames, late.values.shape[2:]))
    start = problem_of(synthetic, late, limb, turn_sigma_rad=(1e-6, 1e-6, 1e-6))
    et = frame_times(late.label)
    known = spin_attitude(late.turn, synthetic.SPIN_RATE_RAD_S, et - mid_time(late.label))
    image = replace(start.images[0], attitude=known)
    (solution,) = solve(replace(start, images=(image,), axis_prior=AxisPrior(late.axis, 1e-6, "truth")))
    # The priors of mounting and principal row take a tenth of it, an error of the frame delay some at the ends.
    middle = solution.pointing.mid_frame
    assert solution.pointing.et[middle] == pytest.approx(late.pointing.et[middle], abs=3e-3)
    assert solution.parameters["start_time_offset"].value == pytest.approx(0.02, abs=6e-3)


def test_points_on_no_limb_are_refused(synthetic: Any, exact: tuple[Any, LimbPoints]) -> None:
    scene, limb = exact
    rng = np.random.default_rng(4)
    scattered = replace(limb, x=rng.uniform(20, 800, len(limb)), y=rng.uniform(2, 62, len(limb)))
    with pytest.raises(GeometryError, match=r"JNCE_2022229_44C00001_V01 does not fit Jupiter.*check that the label"):
        solve(problem_of(synthetic, scene, scattered))


def test_the_solution_is_told_as_it_is(synthetic: Any, exact: tuple[Any, LimbPoints]) -> None:
    scene, limb = exact
    solution: Solution
    (solution,) = solve(problem_of(synthetic, scene, limb))
    assert len(solution.residual_px) == len(solution.residual_band) == len(limb)
    assert np.degrees(np.arccos(min(1.0, solution.spin_axis @ scene.axis))) < 0.01
    # The fit starts at the truth and may move it within its spread of 0.002 rad/s; a disc of ten frames tells it.
    assert solution.spin_rate_rad_s == pytest.approx(
        synthetic.SPIN_RATE_RAD_S, abs=3 * solution.parameters["spin_rate_offset"].sigma
    )
    for array in (solution.pointing.et, solution.pointing.camera_to_j2000):
        assert not array.flags.writeable
