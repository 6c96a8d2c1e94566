import numpy as np
import pytest

from perijove.calibrate.decompand import code_step, companding_table
from perijove.calibrate.defects import detail_of, sigma_table
from perijove.calibrate.response import ResponseSums, column_gain, dust

SHAPE = (128, 1608)
FRAMES = 30
MOTES = ((30, 300, 6.0, 0.05), (70, 900, 4.0, 0.12), (100, 1300, 2.0, 0.5))


def _flat(gain: float) -> np.ndarray:
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    flat = 1.0 + gain * np.random.default_rng(8).normal(size=SHAPE[1]) + 0.0 * y
    for line, sample, radius, depth in MOTES:
        flat = flat * (1.0 - depth * np.exp(-((((y - line) ** 2 + (x - sample) ** 2) / radius**2) ** 2)))
    return flat


def _learned(flat: np.ndarray, hot: np.ndarray | None = None) -> ResponseSums:
    """Sums over frames of clouds that move on by 114 lines a frame."""
    import cv2

    rng = np.random.default_rng(4)
    clouds = cv2.GaussianBlur(rng.normal(size=(114 * FRAMES + 128, SHAPE[1])), (0, 0), 8.0)
    fine = cv2.GaussianBlur(rng.normal(size=clouds.shape), (0, 0), 2.0)
    scene = 300.0 * np.exp(0.06 * clouds / clouds.std() + 0.01 * fine / fine.std())
    levels = companding_table("SQROOT")
    sigma = sigma_table(levels, code_step("SQROOT"))
    sums = ResponseSums()
    for frame in range(FRAMES):
        seen = scene[114 * frame : 114 * frame + 128] * flat
        seen = seen + np.sqrt(1.1 + seen / 16.0) * rng.normal(size=SHAPE)
        code = np.searchsorted((levels[1:].astype(float) + levels[:-1]) / 2, seen)
        sums.add(
            detail_of(levels[code].astype(np.uint16), sigma), 0.0, np.zeros(SHAPE, np.bool_) if hot is None else hot
        )
    return sums


@pytest.fixture(scope="module")
def dusty() -> ResponseSums:
    return _learned(_flat(0.003))


def test_motes_are_found_and_measured(dusty: ResponseSums) -> None:
    response = dust(dusty, dusty.response()[2])
    for line, sample, _, depth in MOTES:
        # Scene and noise of 3 % in 30 frames leave 0.6 % of a pixel; wide motes darken their surroundings a little.
        assert response[line, sample] == pytest.approx(1.0 - depth, abs=0.02)


def test_little_else_is_touched(dusty: ResponseSums) -> None:
    response = dust(dusty, dusty.response()[2])
    false = (response < 1.0) & (_flat(0.0) > 0.999)
    # The bound for falsely touched pixels is 0.05 %.
    assert false.mean() < 5e-4


def test_column_gain_is_measured(dusty: ResponseSums) -> None:
    mean, error, known = dusty.response()
    gain, chance = column_gain(mean, error, known)
    truth = _flat(0.003)[0]
    truth = truth / np.convolve(np.pad(truth, 20, mode="reflect"), np.full(41, 1 / 41), mode="valid")
    assert truth.std() > 0.0025
    # 3 % of clouds in 30 frames of some 16 independent patches leave 0.14 % of the 0.3 %.
    assert (gain / truth).std() < 0.0018
    assert chance < 0.0018


def test_no_gain_is_invented() -> None:
    sums = _learned(np.ones(SHAPE))
    gain, _ = column_gain(*sums.response())
    # Half of the chance of 0.14 %: what is not more than chance is shrunk.
    assert gain.std() < 7e-4


def test_hot_pixels_are_not_asked() -> None:
    hot = np.zeros(SHAPE, np.bool_)
    hot[50, 700] = True
    _, _, known = _learned(np.ones(SHAPE), hot).response()
    assert not known[50, 700]
    assert known[60, 700]


def test_nothing_is_known_of_the_dark() -> None:
    sums = ResponseSums()
    mean, error, known = sums.response()
    assert not known.any()
    assert (dust(sums, known) == 1.0).all()
    gain, chance = column_gain(mean, error, known)
    assert (gain == 1.0).all()
    assert np.isnan(chance)
