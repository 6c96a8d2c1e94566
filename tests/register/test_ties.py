"""Ties on a planet whose clouds stand still: where a tie says that ground is seen again, against where it is."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from perijove.geometry.pointing import Pointing
from perijove.geometry.rotation import rotation_about
from perijove.register.ties import Ties, band_ties, image_ties


def fine_clouds(lat_deg: np.ndarray, lon_deg: np.ndarray) -> np.ndarray:
    """Waves from 1000 to 6000 km, six to thirty pixels of the scenes here, in all directions."""
    rng = np.random.default_rng(8)
    lat, lon = np.radians(lat_deg), np.radians(lon_deg)
    place = np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])
    out = np.ones(lat.shape)
    for _ in range(16):
        way = rng.standard_normal(3)
        length = np.exp(rng.uniform(np.log(0.014), np.log(0.085)))
        wave = np.tensordot(way / np.linalg.norm(way), place, 1)
        out += 0.3 * length / 0.085 * np.cos(2 * np.pi * wave / length + rng.uniform(0, 6))
    return out


@pytest.fixture(scope="module")
def cloudy(synthetic: Any) -> Any:
    """The whole disc in four of its frames or so."""
    return synthetic.make_scene(albedo=fine_clouds)


@pytest.fixture(scope="module")
def ties(cloudy: Any) -> Ties:
    return band_ties(cloudy.values, cloudy.label.bands, cloudy.pointing)


def errors(ties: Ties, first: tuple[Any, Pointing], second: tuple[Any, Pointing]) -> np.ndarray:
    """Where ties found ground again, minus where the truth sees it, (n, 2)."""
    out = np.full((len(ties), 2), np.nan)
    for i, from_band in enumerate(first[0]):
        for j, to_band in enumerate(second[0]):
            at = (ties.band_a == i) & (ties.band_b == j)
            ground = first[1].ground(from_band, ties.frame_a[at], ties.x_a[at], ties.y_a[at])
            seen = second[1].pixels(to_band, ties.frame_b[at], ground)
            out[at] = np.stack([ties.x_b[at], ties.y_b[at]], axis=-1) - np.stack(seen, axis=-1)
    return out


def own_errors(ties: Ties, scene: Any) -> np.ndarray:
    side = (scene.label.bands, scene.pointing)
    return errors(ties, side, side)


def test_bands_are_tied_to_a_few_hundredths_of_a_pixel(cloudy: Any, ties: Ties) -> None:
    assert len(ties) > 70
    off = own_errors(ties, cloudy)
    # Noise of 0.002 under clouds of 0.1 leaves a hundredth; a wrong chart or interpolation would leave a tenth.
    assert np.median(np.hypot(*off.T)) < 0.04
    for pair in ((2, 1), (0, 1), (2, 0)):
        at = (ties.band_a == pair[0]) & (ties.band_b == pair[1])
        assert np.count_nonzero(at) > 20
        # What is asked of the mean; the medians of twenty ties scatter by a quarter of this.
        assert np.all(np.abs(np.median(off[at], axis=0)) < 0.02)


def test_standard_errors_are_honest(cloudy: Any, ties: Ties) -> None:
    relative = own_errors(ties, cloudy) / ties.sigma_px[:, None]
    spread = 1.4826 * np.median(np.abs(relative))
    # Never smaller than the errors by more than a fifth; the floor may make them larger where clouds are sharp.
    assert 0.2 < spread < 1.2
    assert np.mean(np.abs(relative) > 5) < 0.02


def test_ties_are_spread_over_well_used_pixels(cloudy: Any, ties: Ties) -> None:
    lines = cloudy.values.shape[2]
    assert len(np.unique(ties.frame_a)) > 4
    for x, y in ((ties.x_a, ties.y_a), (ties.x_b, ties.y_b)):
        # The outermost row and the masked columns of a summed framelet take no part.
        assert np.all((x > 13) & (x < 814) & (y > 1) & (y < lines - 1))
    assert not ties.x_b.flags.writeable


@pytest.mark.parametrize("wrong", ["row", "rate"])
def test_wrong_pointing_does_not_matter(cloudy: Any, wrong: str) -> None:
    pointing = cloudy.pointing
    if wrong == "row":
        cameras = {band: camera.with_principal_row(60.0) for band, camera in pointing.cameras.items()}
        off = replace(pointing, cameras=cameras)
    else:
        late = pointing.et - pointing.et.mean()
        turns = np.stack([rotation_about("x", angle) for angle in 0.0015 * late])
        off = replace(pointing, camera_to_j2000=pointing.camera_to_j2000 @ turns)
    found = band_ties(cloudy.values, cloudy.label.bands, off)
    predicted = np.hypot(*errors(found, (cloudy.label.bands, off), (cloudy.label.bands, off)).T)
    assert np.median(predicted) > 0.3, "the pointing is not wrong enough for the test"
    error = own_errors(found, cloudy)
    assert np.median(np.hypot(*error.T)) < 0.04
    # As with the true pointing, and a fifteenth of what the wrong one is off by.
    assert np.all(np.abs(np.median(error, axis=0)) < 0.02)


def test_unknown_pixels_make_no_ties(cloudy: Any) -> None:
    values = cloudy.values.copy()
    values[:, :, :, 300:] = np.nan
    left = band_ties(values, cloudy.label.bands, cloudy.pointing)
    assert np.all((left.x_a < 300) & (left.x_b < 300))
    assert len(band_ties(np.full_like(values, np.nan), cloudy.label.bands, cloudy.pointing)) == 0


def test_planet_without_features_is_left_out(cloudy: Any) -> None:
    noise = 0.002 * np.random.default_rng(2).standard_normal(cloudy.values.shape)
    plain = (0.3 + noise).astype(np.float32)
    assert len(band_ties(plain, cloudy.label.bands, cloudy.pointing)) == 0


def test_limit_is_kept_and_one_band_has_no_partner(cloudy: Any) -> None:
    few = band_ties(cloudy.values, cloudy.label.bands, cloudy.pointing, limit=30)
    assert 0 < len(few) <= 30
    assert len(band_ties(cloudy.values[:, 1:2], ("GREEN",), cloudy.pointing)) == 0


@pytest.fixture(scope="module")
def later(synthetic: Any) -> Any:
    """The same planet from a third nearer, off to the side."""
    return synthetic.make_scene(
        albedo=fine_clouds,
        altitude_km=95000.0,
        sub_spacecraft_lat_graphic_deg=25.0,
        sub_spacecraft_lon_w_sys3_deg=287.0,
        frames=15,
    )


@pytest.mark.parametrize("order", [1, -1])
def test_images_at_different_scales_are_tied(cloudy: Any, later: Any, order: int) -> None:
    first, second = (cloudy, later)[::order]
    sides = [(scene.values, scene.label.bands, scene.pointing) for scene in (first, second)]
    found = image_ties(sides[0], sides[1], search_px=4)
    assert 30 < len(found) <= 400
    assert set(found.band_a) == set(found.band_b) == {1}
    off = errors(found, sides[0][1:], sides[1][1:])
    assert np.median(np.hypot(*off.T)) < 0.04
    # The bend of the ground over a patch leaves this much at slants up to 75 degrees.
    assert np.all(np.abs(np.median(off, axis=0)) < 0.03)


def test_images_without_a_common_band_are_not_tied(cloudy: Any) -> None:
    side = (cloudy.values[:, 1:2], ("GREEN",), cloudy.pointing)
    other = (cloudy.values[:, 2:3], ("RED",), cloudy.pointing)
    assert len(image_ties(side, other)) == 0


def test_joined_keeps_order_and_takes_parts(ties: Ties) -> None:
    both = Ties.joined([ties.take(np.arange(3)), Ties.none(), ties.take(np.arange(3, 5))])
    np.testing.assert_array_equal(both.x_b, ties.x_b[:5])
    assert both.frame_a.dtype == np.int64
