"""Limb points against the model's own limb."""

from typing import Any

import numpy as np
import pytest

from perijove.register.limb import LimbPoints, find_limb

#: Columns and rows of a summed framelet away from its margins.
WINDOW = (1, (13, 814))


def true_distance(synthetic: Any, scene: Any, limb: LimbPoints) -> np.ndarray:
    """Distance of each point from the true limb of its band, pixels, positive outside."""
    out = np.full(len(limb), np.nan)
    for index, band in enumerate(scene.label.bands):
        for frame in range(scene.label.frames):
            at = (limb.band == index) & (limb.frame == frame)
            out[at] = synthetic.limb_distance_px(scene.pointing, band, frame, limb.x[at], limb.y[at])
    return out


def test_points_lie_on_the_limb(synthetic: Any, scene: Any) -> None:
    limb = find_limb(scene.values, *WINDOW)
    distance = true_distance(synthetic, scene, limb)
    assert all(np.count_nonzero(limb.band == index) > 250 for index in range(3))
    offset = np.median(distance)
    # Smoothing pulls the steepest point of a curved, shaded edge inwards or outwards alike: a common height.
    assert abs(offset) < 0.2
    # A seventh of a pixel: below what a kilometre-scale haze leaves uncertain (0.1 px is 23 km here).
    assert np.median(np.abs(distance - offset)) < 0.15


def test_outward_points_to_the_sky(synthetic: Any, earth_scene: Any) -> None:
    limb = find_limb(earth_scene.values, *WINDOW)
    np.testing.assert_allclose(np.hypot(*limb.outward.T), 1.0, atol=1e-6)
    stepped = LimbPoints(
        limb.frame, limb.band, limb.x + 3 * limb.outward[:, 0], limb.y + 3 * limb.outward[:, 1], limb.outward
    )
    gained = true_distance(synthetic, earth_scene, stepped) - true_distance(synthetic, earth_scene, limb)
    # Three pixels outwards are 3 cos(error) pixels; noise turns single gradients by up to 20 degrees.
    assert np.median(gained) == pytest.approx(3.0, abs=0.05)
    assert gained.min() > 3 * np.cos(np.radians(40))


def test_the_terminator_is_never_taken(synthetic: Any, scene: Any) -> None:
    # Half of the disc is night (phase angle 96 degrees), so that the terminator crosses every framelet.
    assert np.degrees(np.arccos(-scene.pointing.sun @ _down(scene))) > 80
    distance = true_distance(synthetic, scene, find_limb(scene.values, *WINDOW))
    # The terminator lies up to hundreds of pixels inside; two pixels are the width of the smoothed edge.
    assert np.abs(distance).max() < 2.0


def test_a_terminator_alone_gives_nothing(synthetic: Any) -> None:
    # From 12,000 km five frames see no limb, but the terminator from end to end.
    near = synthetic.make_scene(
        albedo=synthetic.even, altitude_km=12000.0, frames=5, sub_spacecraft_lon_w_sys3_deg=291.0
    )
    assert 0.2 < np.mean(near.values > 0.05) < 0.5
    assert len(find_limb(near.values, *WINDOW)) == 0


def test_a_far_planet_is_found_in_much_sky(synthetic: Any) -> None:
    # From 800,000 km the lit half disc, 60 pixels in radius, is 1.7 % of five frames.
    far = synthetic.make_scene(altitude_km=800000.0, frames=5)
    assert np.mean(far.values > 0.05) < 0.02
    limb = find_limb(far.values, *WINDOW)
    distance = true_distance(synthetic, far, limb)
    near = np.abs(distance) < 2.0
    assert np.median(np.abs(distance[near] - np.median(distance[near]))) < 0.15
    # Its terminator is as steep as a limb: what is taken of it is a minority, which the fit throws out.
    assert np.count_nonzero(near) > 300
    assert np.mean(near) > 0.75


def _down(scene: Any) -> np.ndarray:
    position = scene.pointing.position_km[scene.pointing.mid_frame]
    return -position / np.linalg.norm(position)


def test_hot_pixels_make_no_points(synthetic: Any, earth_scene: Any) -> None:
    values = earth_scene.values.copy()
    rng = np.random.default_rng(3)
    # Ten hot pixels a framelet, as bright as the disc.
    hot = rng.random(values.shape) < 0.0002
    values[hot] += 0.5
    limb = find_limb(values, *WINDOW)
    distance = true_distance(synthetic, earth_scene, limb)
    clean = len(find_limb(earth_scene.values, *WINDOW))
    # Four hundred of them could add points by the thousand; only two that stand together by chance may.
    assert np.count_nonzero(np.abs(distance) > 2.0) <= 2
    assert len(limb) > 0.95 * clean


@pytest.mark.parametrize("fill", [0.0, np.nan, "noise"])
def test_an_empty_image_gives_nothing(fill: float | str) -> None:
    shape = (3, 2, 64, 816)
    if fill == "noise":
        values = np.random.default_rng(1).normal(0.0, 0.01, shape).astype(np.float32)
    else:
        values = np.full(shape, fill, np.float32)
    limb = find_limb(values, *WINDOW)
    assert len(limb) == 0
    assert limb.outward.shape == (0, 2)
    assert limb.frame.dtype == limb.band.dtype == np.int64


def test_unknown_pixels_are_sky_not_limb(synthetic: Any, earth_scene: Any) -> None:
    values = earth_scene.values.copy()
    # A lost compression block on the disc: its edges are as steep as the limb.
    lit = np.argwhere(values[6, 1] > 0.3)
    line, sample = lit[len(lit) // 2] // 16 * 16
    values[6, 1, line : line + 16, sample : sample + 16] = np.nan
    limb = find_limb(values, *WINDOW)
    distance = true_distance(synthetic, earth_scene, limb)
    assert np.count_nonzero(distance < -2.0) == 0


def test_points_are_thinned_evenly(earth_scene: Any) -> None:
    many = np.concatenate([earth_scene.values] * 3)
    limb = find_limb(many, *WINDOW)
    assert all(400 < np.count_nonzero(limb.band == index) <= 700 for index in range(3))
    thirds = np.bincount(limb.frame // earth_scene.label.frames, minlength=3)
    assert thirds.min() > 0.9 * thirds.max()


def test_a_framelet_full_of_edges_is_no_failure() -> None:
    noise = np.random.default_rng(5).random((2, 1, 128, 1648)).astype(np.float32)
    # More steep pixels than fit into one line of the sampler: 210,000 of them.
    assert len(find_limb(np.where(noise > 0.5, noise, 0.0))) < 50
