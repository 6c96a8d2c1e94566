"""Fixed defects planted in scenes of known truth."""

from collections.abc import Callable

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from perijove.calibrate import defects
from perijove.calibrate.decompand import code_step, companding_table, decompand
from perijove.calibrate.hits import find_hits

Expose = Callable[[np.ndarray, np.random.Generator], np.ndarray]
Encode = Callable[[np.ndarray], np.ndarray]

SIGMA = np.concatenate(
    [defects.sigma_table(companding_table("SQROOT"), code_step("SQROOT")), np.full(2000, 20.0, np.float32)]
)
SHAPE = (128, 600)
NOTHING = defects.FixedPattern(np.zeros(SHAPE, np.float32), np.zeros(SHAPE, bool))


def _terminator(peak: float = 900.0) -> np.ndarray:
    """From full light on the left to the dark on the right, as in a real framelet."""
    return np.broadcast_to(peak * np.clip(1.0 - np.arange(SHAPE[1]) / 400.0, 0.0, None) ** 1.5, SHAPE)


def _clouds(rng: np.random.Generator) -> np.ndarray:
    """Clouds with detail as fine as the optics let through: 10 % contrast, Gaussian blur of 0.8 px."""
    fine = gaussian_filter(rng.normal(size=SHAPE), 0.8)
    coarse = gaussian_filter(rng.normal(size=SHAPE), 4.0)
    return 600.0 * (1.0 + 0.1 * fine / fine.std() + 0.1 * coarse / coarse.std())


def _detail(dn: np.ndarray, encode: Encode) -> defects.Detail:
    return defects.detail_of(decompand(encode(dn), "SQROOT"), SIGMA)


def _pattern(frames: np.ndarray, encode: Encode) -> defects.FixedPattern:
    details = [_detail(frame, encode) for frame in frames]
    score = np.mean([defects.score_of(detail) for detail in details], axis=0)
    return defects.fixed_pattern(score, details)


@pytest.mark.parametrize("stages", [1, 2, 32])
def test_hot_pixels_are_measured_through_tdi(stages: int, expose: Expose, encode: Encode) -> None:
    rng = np.random.default_rng(17)
    excess = np.zeros(SHAPE)
    at = rng.integers(2, 126, 40), rng.integers(5, 595, 40)
    for line, sample, value in zip(*at, rng.uniform(15.0, 60.0, 40), strict=True):
        excess[line : line + stages, sample] = value
    frames = np.stack([expose(_clouds(rng) * _terminator(0.6) + excess, rng) for _ in range(16)])
    pattern = _pattern(frames, encode)
    dark = np.arange(SHAPE[1]) > 300  # towards the light, fifteen counts drown in shot noise and texture
    planted = (excess > 0.0) & dark
    assert pattern.hot[planted].mean() > 0.97
    assert (pattern.hot & (excess == 0.0)).sum() < 20
    night = planted & (np.arange(SHAPE[1]) > 400) & pattern.hot
    # Read noise 1 count over 16 frames, doubled where the local median feels the smear.
    np.testing.assert_allclose(pattern.excess[night], excess[night], atol=2.0, rtol=0.05)


def test_what_a_hot_pixel_adds_is_no_hit(expose: Expose, encode: Encode) -> None:
    rng = np.random.default_rng(18)
    excess = np.zeros(SHAPE)
    excess[20:110:9, 20:580:31] = 30.0
    frames = np.stack([expose(_terminator() + excess, rng) for _ in range(12)])
    pattern = _pattern(frames, encode)
    found = find_hits(_detail(frames[0], encode), pattern)
    assert found[excess > 0.0].mean() < 0.02


def test_hits_make_no_hot_pixels(expose: Expose, encode: Encode) -> None:
    rng = np.random.default_rng(19)
    frames = []
    for _ in range(12):
        hit = rng.random(SHAPE) < 0.01  # more than in the worst real image
        frames.append(expose(_terminator() + 200.0 * hit, rng))
    pattern = _pattern(np.stack(frames), encode)
    assert pattern.hot.mean() < 1e-4
    assert pattern.cold.mean() < 1e-4


def test_dull_pixels(expose: Expose, encode: Encode) -> None:
    rng = np.random.default_rng(20)
    response = np.ones(SHAPE)
    response[10:120:10, 10:250:20] = 0.6
    frames = np.stack([expose(response * _terminator(), rng) for _ in range(10)])
    pattern = _pattern(frames, encode)
    assert pattern.cold[response < 1.0].mean() > 0.97
    assert (pattern.cold & (response == 1.0)).sum() < 10


def test_too_few_frames_repeat_nothing(expose: Expose, encode: Encode) -> None:
    rng = np.random.default_rng(21)
    excess = np.zeros(SHAPE)
    excess[50, 500] = 60.0
    pattern = _pattern(np.stack([expose(_terminator() + excess, rng) for _ in range(3)]), encode)
    assert not pattern.hot.any()


def test_fill_follows_a_slope() -> None:
    lines, samples = np.mgrid[:40, :50]
    values = (3.0 * lines - 2.0 * samples).astype(np.float32)
    truth = values.copy()
    bad = np.zeros(values.shape, bool)
    bad[10, 10] = bad[20:22, 30] = True
    values[bad] = 1e6
    at_lines, at_samples, filled = defects.fill(values, bad)
    # A symmetric neighbourhood gives a plane back; beside another bad pixel a part of one step is lost.
    np.testing.assert_allclose(filled, truth[at_lines, at_samples], atol=1.5)
    assert filled[0] == pytest.approx(truth[10, 10], abs=1e-4)


def test_fill_follows_an_edge() -> None:
    lines, samples = np.mgrid[:60, :60]
    values = gaussian_filter(np.where(lines + 2.0 * samples > 90.0, 1000.0, 0.0), 0.6).astype(np.float32)
    near = np.abs(lines + 2.0 * samples - 90.0) < 3.0
    bad = np.zeros(values.shape, bool)
    bad[6:54:4, :] = near[6:54:4, :] & (samples[6:54:4, :] % 3 == 0)
    at_lines, at_samples, filled = defects.fill(np.where(bad, np.float32(5e3), values), bad)
    error = filled - values[at_lines, at_samples]
    plain = [
        np.mean([values[y + i, x + j] for i in (-1, 0, 1) for j in (-1, 0, 1) if i or j])
        for y, x in zip(at_lines, at_samples, strict=True)
    ]
    # The mean of the eight neighbours is what an edge blurs; pairs along it are not.
    assert np.sqrt(np.mean(error**2)) < 0.8 * np.sqrt(np.mean((np.array(plain) - values[at_lines, at_samples]) ** 2))


def test_fill_invents_nothing() -> None:
    bad = np.zeros((20, 20), bool)
    bad[4:15, 4:15] = True
    lines, samples, filled = defects.fill(np.ones((20, 20), np.float32), bad)
    centre = (lines == 9) & (samples == 9)
    assert np.isnan(filled[centre]).all()
    assert filled[(lines == 4) & (samples == 4)] == pytest.approx(1.0)


def test_fill_does_not_spread_nan() -> None:
    values = np.ones((9, 9), np.float32)
    values[:4] = np.nan
    bad = np.zeros((9, 9), bool)
    bad[4, 4] = True
    assert defects.fill(values, bad)[2].tolist() == [1.0]
