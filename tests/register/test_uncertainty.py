"""What small changes of the solved parameters move, against the model that was solved."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from perijove.geometry.attitude import spin_attitude
from perijove.geometry.ephemeris import frame_times, mid_time
from perijove.register.limb import LimbPoints
from perijove.register.model import AxisPrior, Pass, Problem
from perijove.register.solve import Solution, _Fit, solve
from perijove.register.uncertainty import GEOMETRIC, ground_sigma_km, likely_pointings, moved, pixel_sigma

#: Of each parameter, in its unit: what moves pixels by about a tenth.
STEPS = dict.fromkeys(GEOMETRIC, 1e-4) | {
    "spin_rate_offset": 1e-5,
    "principal_row": 3.0,
    "trajectory_offset": 0.5,
    "trajectory_radial": 20.0,
    "trajectory_normal": 20.0,
    "start_time_offset": 1e-3,
    "frame_delay_error": 1e-4,
}


@pytest.fixture(scope="module")
def fitted(synthetic: Any, earth_scene: Any) -> tuple[_Fit, Solution]:
    """A fit of an exact limb, and its solution."""
    scene = earth_scene
    limb = LimbPoints(**synthetic.true_limb(scene.pointing, scene.label.frames, scene.values.shape[2:]))
    et = frame_times(scene.label)
    attitude = spin_attitude(scene.turn, synthetic.SPIN_RATE_RAD_S, et - mid_time(scene.label))
    sun, earth = scene.pointing.sun, scene.pointing.earth
    image = Problem(scene.label, et, scene.trajectory, sun, earth, attitude, synthetic.SPIN_RATE_RAD_S, limb)
    problem = Pass((image,), AxisPrior(scene.axis, 1e-3, "truth"))
    return _Fit(problem), solve(problem)[0]


def grid(solution: Solution) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Frames, columns and rows of pixels that see ground, and the ground."""
    pointing = solution.pointing
    x, y, frame = np.meshgrid(np.linspace(40, 780, 9), [4.0, 32.0, 60.0], np.arange(pointing.frames))
    ground = pointing.ground("GREEN", frame.astype(int), x, y)
    seen = np.isfinite(ground[..., 0])
    return frame[seen].astype(int), x[seen], y[seen], ground[seen]


@pytest.mark.parametrize("name", [name for name in GEOMETRIC if name not in ("phase",) and "drift" not in name])
def test_moved_is_the_model(fitted: tuple[_Fit, Solution], name: str) -> None:
    fit, solution = fitted
    v = np.array([parameter.value for parameter in solution.parameters.values()])
    changed = v.copy()
    changed[fit.models[0].at[name]] += STEPS[name]
    frame, x, y, ground = grid(solution)
    first = np.stack(solution.pointing.pixels("GREEN", frame, ground), axis=-1) - np.stack([x, y], axis=-1)
    assert np.abs(first).max() < 1e-4
    model = np.stack(fit.models[0].pointing(changed).pixels("GREEN", frame, ground), axis=-1)
    ours = np.stack(moved(solution, {name: STEPS[name]}).pixels("GREEN", frame, ground), axis=-1)
    way = model - np.stack([x, y], axis=-1)
    assert np.abs(way).max() > 0.01
    # Light time and the frame times are left as they were: a thousandth and less, but where time itself is changed.
    slack = 0.03 if name in ("start_time_offset", "frame_delay_error") else 0.01
    np.testing.assert_allclose(ours - model, 0.0, atol=slack * np.abs(way).max())


def test_variances_add_up(fitted: tuple[_Fit, Solution]) -> None:
    """Draws from the covariance scatter as the principal axes say."""
    _, solution = fitted
    frame, x, y, ground = (part[::7] for part in grid(solution))
    names = [name for name in GEOMETRIC if name in solution.parameters]
    places = [list(solution.parameters).index(name) for name in names]
    rng = np.random.default_rng(5)
    drawn = rng.multivariate_normal(np.zeros(len(names)), solution.covariance[np.ix_(places, places)], 400)
    offsets = []
    for draw in drawn:
        pointing = moved(solution, dict(zip(names, draw.tolist(), strict=True)))
        offsets.append(np.stack(pointing.pixels("GREEN", frame, ground), axis=-1) - np.stack([x, y], axis=-1))
    sigma = pixel_sigma(solution, "GREEN", frame, ground)
    # 400 draws tell a standard error to 3.5 %; the larger ones leave the linear part a little.
    np.testing.assert_allclose(np.sqrt(np.mean(np.square(offsets), axis=0)), sigma, rtol=0.2)
    assert len(list(likely_pointings(solution))) == len(names)


def test_ground_follows_pixels_below_the_spacecraft(fitted: tuple[_Fit, Solution]) -> None:
    _, solution = fitted
    only = np.zeros_like(solution.covariance)
    place = list(solution.parameters).index("turn_along_scan")
    only[place, place] = 1e-8
    solution = replace(solution, covariance=only)
    frame, x, y, ground = grid(solution)
    observer = solution.pointing.position_fixed_km[frame]
    cosine = np.sum((observer - ground) * ground / np.array([71492.0, 71492.0, 66854.0]) ** 2, axis=-1)
    cosine /= np.linalg.norm(observer - ground, axis=-1)
    cosine /= np.linalg.norm(ground / np.array([71492.0, 71492.0, 66854.0]) ** 2, axis=-1)
    nadir = cosine > 0.95
    assert nadir.sum() > 5
    km = ground_sigma_km(solution, "GREEN", frame, x, y)[nadir]
    px = np.linalg.norm(pixel_sigma(solution, "GREEN", frame, ground), axis=-1)[nadir]
    scale = np.linalg.norm(observer - ground, axis=-1)[nadir] * 2 / 1480.6
    # Slant (5 %), and the scale of the camera away from its axis (up to 20 %).
    np.testing.assert_allclose(km, px * scale, rtol=0.25)
