"""Smoothing with weights: nothing leaks from where nothing is known."""

import numpy as np
import pytest

from perijove.compose import smooth
from perijove.compose.smooth import box_mean, coarse_mean, continued, fill_around, guided


def test_a_mean_takes_what_has_weight_only() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(40, 50)).astype(np.float32)
    weight = (rng.random((40, 50)) < 0.4).astype(np.float32)
    values[weight == 0] = 1e6
    found = box_mean(values, weight, 3)
    for y, x in ((0, 0), (20, 25), (39, 10)):
        square = (slice(max(y - 3, 0), y + 4), slice(max(x - 3, 0), x + 4))
        expected = np.average(values[square].astype(float), weights=weight[square])
        # Single-precision sums.
        assert found[y, x] == pytest.approx(expected, abs=1e-4)


def test_an_edge_is_kept_and_noise_is_not() -> None:
    rng = np.random.default_rng(1)
    clean = np.where(np.arange(100) < 50, 0.2, 0.8)[None].repeat(100, axis=0)
    noisy = (clean + 0.01 * rng.normal(size=clean.shape)).astype(np.float32)
    smooth = guided(noisy, np.ones_like(noisy), 4, 0.05)
    assert np.std((smooth - clean)[:, 10:40]) < 0.4 * 0.01
    # The step of 0.6 stays within two pixels of where it was.
    assert np.abs(smooth - clean)[:, [47, 52]].max() < 0.03


def test_beyond_a_limb_nothing_leaks() -> None:
    values = np.where(np.arange(80) < 40, 0.7, 0.0)[None].repeat(60, axis=0).astype(np.float32)
    weight = (values > 0).astype(np.float32)
    smooth = guided(values, weight, 8, 0.02)
    np.testing.assert_allclose(smooth[:, :40], 0.7, atol=1e-4)


def test_filling_keeps_what_is_known_and_runs_on() -> None:
    y, x = np.mgrid[:90, :120] / 100.0
    truth = (0.5 + 0.3 * x - 0.2 * y).astype(np.float32)
    weight = np.ones_like(truth)
    weight[30:60, 40:90] = 0
    found = fill_around(np.where(weight > 0, truth, 99).astype(np.float32), weight)
    np.testing.assert_array_equal(found[weight > 0], truth[weight > 0])
    # A ramp of 0.15 across the hole is met to a fifth of itself.
    assert np.abs(found - truth).max() < 0.03


def test_where_nothing_is_known_filling_gives_nothing() -> None:
    assert not fill_around(np.full((9, 7), 5.0, np.float32), np.zeros((9, 7), np.float32)).any()


@pytest.mark.parametrize("bands", [1, 2, 3])
def test_means_of_several_bands_are_those_of_each(bands: int) -> None:
    rng = np.random.default_rng(4)
    planes = rng.random((60, 50, bands)).astype(np.float32)
    weight = (rng.random((60, 50)) > 0.3).astype(np.float32)
    for mean in (box_mean, coarse_mean):
        together = mean(planes, weight, 8)
        assert together.shape == planes.shape
        for k in range(bands):
            np.testing.assert_allclose(together[..., k], mean(planes[..., k], weight, 8), atol=1e-6)


def test_the_coarse_mean_is_nearly_the_mean() -> None:
    y, x = np.mgrid[:200, :160]
    values = (1.0 + 0.3 * np.sin(x / 25) * np.cos(y / 30)).astype(np.float32)
    weight = np.ones_like(values)
    weight[60:120, 40:100] = 0
    near = box_mean(values, weight, 8)
    inside = weight > 0
    # Squares whose edges lie up to 2 pixels elsewhere, over a slope of 0.012 a pixel.
    assert np.abs(coarse_mean(values, weight, 8) - near)[inside].max() < 0.05
    assert np.abs(coarse_mean(values, weight, 8) - near)[inside].mean() < 0.005


def test_wide_guided_filters_are_nearly_those_of_every_pixel(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(5)
    y, x = np.mgrid[:240, :300]
    clean = np.where(x + 0.3 * y < 160, 0.3, 0.6) + 0.02 * np.sin(x / 40)
    values = (clean + 0.01 * rng.normal(size=clean.shape)).astype(np.float32)
    weight = np.ones_like(values)
    weight[:, 250:] = 0
    values[:, 250:] = 9
    by_cells = guided(values, weight, 24, 0.03)
    monkeypatch.setattr(smooth, "_CELLS", 100)
    exact = guided(values, weight, 24, 0.03)
    off = (by_cells - exact)[:, :250]
    # The edge is 0.3, the noise 0.01.
    assert np.abs(off).max() < 0.03
    assert np.sqrt(np.mean(off**2)) < 0.003


def test_what_is_continued_over_cells_runs_on_as_well() -> None:
    x = np.arange(300)[None].repeat(200, axis=0)
    truth = (1 + 0.002 * x).astype(np.float32)
    weight = (x < 200).astype(np.float32)
    found = continued(np.where(weight > 0, truth, 0).astype(np.float32), weight, 4)
    # Beyond the last known column all has about its value.
    np.testing.assert_allclose(found[:, 205:], truth[0, 199], atol=0.02)
    # Within, means over cells of 4 pixels.
    np.testing.assert_allclose(found[:, 4:190], truth[:, 4:190], atol=0.004)
