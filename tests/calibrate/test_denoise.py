"""Noise of known size on scenes of known truth."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, median_filter

from perijove.calibrate.denoise import Noise, calm, dark_noise, smooth
from perijove.calibrate.repair import Repairs
from perijove.errors import OptionError

SHAPE = (128, 400)
NEW = np.sqrt(1.1 + np.arange(4096) / 16.0).astype(np.float32)
DARK = (slice(2, 21), slice(380, 396))


def _scene(rng: np.random.Generator) -> np.ndarray:
    clouds = gaussian_filter(rng.normal(size=SHAPE), 1.6)
    lines, samples = np.mgrid[: SHAPE[0], : SHAPE[1]]
    disc = np.hypot(lines - 64.0, samples - 160.0) < 130.0
    return gaussian_filter(np.where(disc, 250.0 * (1.0 + 0.08 * clouds / clouds.std()), 0.0), 0.5)


def _noisy(size: float = 5.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(61)
    truth = _scene(rng)
    return truth, (truth + rng.normal(0.0, size, SHAPE)).astype(np.float32), np.full(SHAPE, size, np.float32)


def _rms(values: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(values))))


def test_better_than_a_median() -> None:
    truth, values, sigma = _noisy()
    out, _ = smooth(values, sigma)
    assert _rms(out - truth) < 0.7 * _rms(median_filter(values, 3) - truth)
    assert _rms(out - truth) < 0.5 * _rms(values - truth)


def test_the_limb_stays_sharp() -> None:
    truth, values, sigma = _noisy()
    out, _ = smooth(values, sigma)
    lines, samples = np.mgrid[: SHAPE[0], : SHAPE[1]]
    edge = np.abs(np.hypot(lines - 64.0, samples - 160.0) - 130.0) < 2.0
    assert _rms((out - truth)[edge]) < _rms((values - truth)[edge])
    assert _rms((out - truth)[edge]) < 0.2 * _rms((gaussian_filter(values, 1.5) - truth)[edge])


def test_the_level_is_kept() -> None:
    truth, values, sigma = _noisy()
    out, _ = smooth(values, sigma)
    # 5 counts over 128 x 400 pixels: 0.02.
    assert np.mean(out - truth) == pytest.approx(0.0, abs=0.1)


def test_the_stated_error_is_the_error() -> None:
    truth, values, sigma = _noisy()
    out, error = smooth(values, sigma)
    assert _rms(error) == pytest.approx(_rms(out - truth), rel=0.3)


def test_a_clean_scene_passes() -> None:
    truth, _, _ = _noisy()
    out, _ = smooth(truth.astype(np.float32), np.full(SHAPE, 0.05, np.float32))
    assert _rms(out - truth) < 0.05


def test_confidence() -> None:
    truth, values, sigma = _noisy()
    values[40:56, 200:216] = np.nan
    doubt = np.zeros(SHAPE, np.float32)
    doubt[80, 150] = 50.0
    new = np.full(SHAPE, 3.0, np.float32)
    confidence = calm(values, sigma, new, doubt)
    assert np.isnan(values[40:56, 200:216]).all()
    assert (confidence[40:56, 200:216] == 0.0).all()
    known = np.isfinite(values)
    assert _rms((values - truth)[known]) < 0.6 * 5.0
    assert ((confidence[known] > 0.0) & (confidence[known] <= 1.0)).all()
    # Errors of half the new camera's noise: 9 / (9 + 2) and thereabouts; none where the value was filled in.
    assert 0.5 < np.median(confidence[known]) < 0.98
    assert confidence[80, 150] < 0.01


def test_noise_is_measured_beside_stripes_and_hits() -> None:
    rng = np.random.default_rng(62)
    dn = 45.0 + rng.normal(0.0, 10.0, SHAPE[1]) + rng.normal(0.0, 2.5, (6, *SHAPE))
    dn += 400.0 * (rng.random(dn.shape) < 0.002)
    assert dark_noise(np.rint(dn).astype(np.uint16), DARK) == pytest.approx(2.5, rel=0.1)


@pytest.mark.parametrize(
    ("size", "mode", "heavy"), [(1.0, "auto", False), (2.5, "auto", True), (2.5, "off", False), (1.0, "heavy", True)]
)
def test_the_mode_follows_the_noise_or_the_wish(size: float, mode: str, heavy: bool) -> None:
    rng = np.random.default_rng(63)
    dn = np.rint(np.maximum(20.0 + rng.normal(0.0, size, (6, 3, *SHAPE)), 0.0)).astype(np.uint16)
    noise = Noise.of(dn, DARK, NEW, mode)
    assert noise.heavy is heavy
    assert ("taken out" in noise.note.split(":")[1]) is heavy or "left in" in noise.note
    assert noise.by_dn[20] >= NEW[20]


def test_an_unknown_mode_is_refused() -> None:
    with pytest.raises(OptionError, match="auto, off, heavy"):
        Repairs(noise="loud")  # type: ignore[arg-type]
