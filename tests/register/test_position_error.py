"""Expected errors on the ground, against what a known turn does to lines of sight."""

import dataclasses
from typing import Any

import numpy as np
import pytest

from perijove.constants import FOCAL_LENGTH_PX
from perijove.project.view import orthographic_view, spacecraft_view
from perijove.register.locate import Knowledge, locate
from perijove.register.position_error import position_error, position_error_km
from perijove.register.solve import Solution
from perijove.register.uncertainty import ground_sigma_km

TURN_RAD = 1e-4


@pytest.fixture(scope="module")
def solution(earth_scene: Any) -> Solution:
    return locate(earth_scene.label, earth_scene.values, Knowledge()).solution


@pytest.fixture(scope="module")
def turned(solution: Solution) -> Solution:
    """Nothing is unknown but a turn of 1e-4 rad about an axis square to the middle line of sight."""
    pointing = solution.pointing
    nadir = -pointing.position_km[pointing.mid_frame]
    nadir /= np.linalg.norm(nadir)
    axis = np.cross(nadir, [0.0, 0.0, 1.0])
    axis /= np.linalg.norm(axis)
    names = list(solution.parameters)
    sigma = np.full(len(names), 1e-15)
    sigma[names.index("turn_across_scan")] = TURN_RAD
    axes = np.stack([nadir, np.cross(axis, nadir), axis])
    return dataclasses.replace(solution, covariance=np.diag(sigma**2), turn_axes=axes)


def test_a_turn_moves_the_ground_by_range_and_slant(turned: Solution) -> None:
    pointing = turned.pointing
    view = spacecraft_view(pointing, 300)
    ground = view.ground()
    found = position_error_km(turned, ground)
    on_ground = np.abs(np.linalg.norm(ground / [71492.0, 71492.0, 66854.0], axis=-1) - 1) < 1e-9
    np.testing.assert_array_equal(np.isfinite(found), on_ground)
    middle = pointing.mid_frame
    observer, axis = pointing.position_fixed_km[middle], pointing.jupiter_from_j2000[middle] @ turned.turn_axes[2]
    sight = ground - observer
    way = np.linalg.norm(sight, axis=-1)
    up = ground / np.array([71492.0, 71492.0, 66854.0]) ** 2
    up /= np.linalg.norm(up, axis=-1, keepdims=True)
    # A small turn moves the end of the line of sight by turn x sight; along the line it is carried to the ground.
    moved = TURN_RAD * np.cross(axis, sight)
    steep = on_ground & (-np.sum(sight * up, axis=-1) / way > 0.05)
    assert steep.sum() > 10000
    moved, sight, up = moved[steep], sight[steep], up[steep]
    moved -= (np.sum(moved * up, axis=-1) / np.sum(sight * up, axis=-1))[:, None] * sight
    expected = np.linalg.norm(moved, axis=-1)
    # Frames are up to 2.4 s from the middle: 60 km of 1e5, 0.1 % of the range, and more of the slant near the limb.
    np.testing.assert_allclose(found[steep], expected, rtol=0.02)
    assert found[on_ground].max() > 5 * found[on_ground].min()


def test_the_median_of_a_turn(turned: Solution) -> None:
    error = position_error(turned)
    assert error is not None
    # A turn of 1e-4 rad is 0.074 px of the summed image where the line of sight is square to the axis, and less beside.
    pixel = TURN_RAD * FOCAL_LENGTH_PX / 2
    assert 0.7 * pixel < error.median_px < 1.1 * pixel
    height = np.linalg.norm(turned.pointing.position_km[6]) - 69000.0
    assert TURN_RAD * height < error.median_km < 3 * TURN_RAD * height
    assert error.median_km < error.p95_km


@pytest.mark.parametrize("globe", [False, True])
def test_views_agree_with_pixels(solution: Solution, globe: bool) -> None:
    """Interpolated over a view against the same pixels one by one, all parameters with their covariance."""
    pointing = solution.pointing
    view = orthographic_view(pointing, size=300) if globe else spacecraft_view(pointing, 300)
    rng = np.random.default_rng(5)
    frame, x, y = rng.integers(2, 11, 3000), rng.uniform(40, 780, 3000), rng.uniform(4, 60, 3000)
    ground = pointing.ground("GREEN", frame, x, y)
    sigma = ground_sigma_km(solution, "GREEN", frame, x, y)
    field = position_error_km(solution, view.ground())
    column, row = np.nan_to_num(view.pixel(ground), nan=-1).T.astype(int)
    inside = (column >= 0) & (column < 300) & (row >= 0) & (row < 300)
    there = field[row[inside], column[inside]]
    ratio = (there / sigma[inside])[np.isfinite(there) & np.isfinite(sigma[inside])]
    assert ratio.size > 500
    # Half a pixel of a coarse view is a percent of the slant, much more at the limb.
    assert abs(np.median(ratio) - 1) < 0.01
    assert np.all(np.abs(np.percentile(ratio, [10, 90]) - 1) < 0.05)


def test_blocks_of_a_view_fit_together(solution: Solution) -> None:
    ground = spacecraft_view(solution.pointing, 200).ground()
    whole = position_error_km(solution, ground)
    parts = np.concatenate([position_error_km(solution, ground[rows]) for rows in (slice(0, 70), slice(70, 200))])
    known = np.isfinite(whole)
    np.testing.assert_array_equal(known, np.isfinite(parts))
    # The places between which it is interpolated differ; a percent, and a little more in a pixel on the limb.
    np.testing.assert_allclose(parts[known], whole[known], rtol=0.02)


def test_no_ground(solution: Solution) -> None:
    away = dataclasses.replace(solution.pointing, camera_to_j2000=-solution.pointing.camera_to_j2000)
    assert position_error(dataclasses.replace(solution, pointing=away)) is None
    sky = np.full((4, 5, 3), np.nan)
    assert np.isnan(position_error_km(solution, sky)).all()
