"""Saturated bands filled: hue runs on across the edge, and follows the latitudes."""

import numpy as np
import pytest
from scipy.ndimage import distance_transform_edt

from perijove.compose.saturation import fill_saturated

CLIP = np.array([0.30, 0.33, 5.0], np.float32)


def belted(ball) -> np.ndarray:  # type: ignore[no-untyped-def]
    """Latitudes of different colour, brighter towards the left."""
    lat = np.nan_to_num(ball.light.latitude_deg)
    red, blue = 1.10 + 0.10 * np.sin(lat / 9), 0.85 - 0.12 * np.sin(lat / 9)
    return ball.lit(0.5 * np.stack([red, np.ones_like(red), blue], axis=-1), k=(0.95, 0.95, 0.95))


def clipped(ball, bend: float = 0.0) -> tuple[np.ndarray, np.ndarray]:  # type: ignore[no-untyped-def]
    truth = belted(ball)
    over = np.maximum(truth - CLIP, 0)
    return np.minimum(truth, CLIP) + bend * np.minimum(over, 0.3 * CLIP), truth


@pytest.mark.parametrize("bend", [0.0, 0.15])
def test_hue_runs_on_over_saturated_belts(ball, bend: float) -> None:  # type: ignore[no-untyped-def]
    planes, truth = clipped(ball, bend)
    filled, share = fill_saturated(
        planes.astype(np.float32), CLIP, np.ones(truth.shape[:2], bool), ball.light.latitude_deg
    )
    lost = (truth[..., :2] > CLIP[:2]).all(axis=-1) & (ball.light.mu > 0.15)
    assert 0.3 < share["RED"] < 0.9
    assert lost.mean() > 0.1
    error = filled[lost][:, :2] / filled[lost][:, 2:] / (truth[lost][:, :2] / truth[lost][:, 2:]) - 1
    # Colours differ by 35 % from belt to belt; those of the saturated part are met to 2 % in the median.
    assert np.median(np.abs(error)) < 0.02
    assert np.percentile(np.abs(error), 98) < 0.10


def test_without_latitudes_the_nearest_colour_runs_on(ball) -> None:  # type: ignore[no-untyped-def]
    planes, truth = clipped(ball)
    known = np.ones(truth.shape[:2], bool)
    filled, _ = fill_saturated(planes.astype(np.float32), CLIP, known)
    lost = (truth[..., :2] > CLIP[:2]).all(axis=-1) & (ball.light.mu > 0.15)
    ground = np.maximum(truth, 1e-6)
    ratio = filled[..., 0] / ground[..., 2] / (ground[..., 0] / ground[..., 2])
    # Colours differ by 60 %; no latitude tells which belt goes on.
    assert np.percentile(np.abs(ratio[lost] - 1), 50) < 0.15
    # No step where saturation begins: just inside the colour is that of just outside.
    onset = (truth[..., 0] > CLIP[0]) & (truth[..., 0] < 1.1 * CLIP[0]) & (ball.light.mu > 0.15)
    assert onset.sum() > 100
    assert np.median(np.abs(ratio[onset] - 1)) < 0.03


def test_what_is_not_saturated_is_left_alone(ball) -> None:  # type: ignore[no-untyped-def]
    planes, truth = clipped(ball)
    filled, _ = fill_saturated(planes.astype(np.float32), CLIP, np.ones(truth.shape[:2], bool), ball.light.latitude_deg)
    free = (truth < 0.94 * CLIP).all(axis=-1)
    np.testing.assert_array_equal(filled[free], planes.astype(np.float32)[free])


def test_charge_in_the_sky_tells_no_colour(ball) -> None:  # type: ignore[no-untyped-def]
    planes, truth = clipped(ball)
    sky = ~ball.light.on_ground
    # Bloomed charge beside the bright limb: red half full, green nothing, blue nothing.
    planes[sky & (ball.x < 0)] = (0.15, 0.05, 0.0005)
    known = np.ones(truth.shape[:2], bool)
    filled, _ = fill_saturated(planes.astype(np.float32), CLIP, known, ball.light.latitude_deg)
    lost = (truth[..., :2] > CLIP[:2]).all(axis=-1) & (ball.light.mu > 0.15)
    error = filled[lost][:, 0] / filled[lost][:, 2] / (truth[lost][:, 0] / truth[lost][:, 2]) - 1
    assert np.median(np.abs(error)) < 0.02


def test_nothing_saturated_changes_nothing(ball) -> None:  # type: ignore[no-untyped-def]
    truth = belted(ball)
    filled, share = fill_saturated(truth, np.full(3, 9.0, np.float32), np.ones(truth.shape[:2], bool))
    assert share == {}
    np.testing.assert_array_equal(filled, truth)


def test_what_a_kernel_undershoots_beside_a_saturated_limb_is_filled(ball) -> None:  # type: ignore[no-untyped-def]
    planes, _ = clipped(ball)
    # Scattered light beyond the limb, one colour; red and green dip below it beside the saturated ground.
    sky = ~ball.light.on_ground
    distance = distance_transform_edt(sky)
    planes[sky] = (0.011, 0.010, 0.0085)
    rim = sky & (distance < 2.5) & (ball.x < -0.8) & (np.abs(ball.y) < 0.4)
    planes[rim] = (-0.005, 0.001, 0.0085)
    filled, _ = fill_saturated(planes.astype(np.float32), CLIP, np.ones(sky.shape, bool), ball.light.latitude_deg)
    # The colour of the limb's ground, no dark blue line: belts have red over blue of 1.1 to 1.7.
    ratio = filled[rim][:, :2] / filled[rim][:, 2:]
    assert ratio.min() > 0.8
    assert ratio.max() < 2.0
