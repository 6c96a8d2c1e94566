import cv2
import numpy as np
import pytest

from perijove.calibrate import detector
from perijove.calibrate.decompand import companding_table
from perijove.calibrate.quality import FrameletLayout, Quality

LAYOUT = FrameletLayout.of(128, 1648, 1)
LEVELS = companding_table("SQROOT")


def test_layout_follows_the_instrument_kernel() -> None:
    flags = LAYOUT.flags()
    dark = (flags & Quality.DARK_COLUMN) > 0
    # 23 dark columns on the left, 17 on the right (IK note 1).
    assert dark[:, :23].all()
    assert not dark[:, 23:1631].any()
    assert dark[:, 1631:].all()
    kept = flags == 0
    assert kept[2:126, 25:1629].all()
    assert kept.sum() == 124 * 1604


def test_layout_of_summed_images_holds_no_mixed_column() -> None:
    layout = FrameletLayout.of(64, 816, 2)
    # A summed column i covers columns 2 i and 2 i + 1.
    assert 2 * layout.active.start >= 23
    assert 2 * layout.active.stop <= 1631
    assert layout.kept_lines == slice(1, 63)


def test_dark_level_among_hits() -> None:
    rng = np.random.default_rng(1)
    truth = np.array([[0.4], [3.0]])
    dn = rng.poisson(truth[:, :, None, None], (2, 1, 128, 1648)).astype(np.uint16)
    dn[:, :, ::7, 5] = 900
    level = detector.dark_level(dn, LAYOUT)
    # 4096 pixels of standard deviation 1.7 leave 0.03; trimming a skew distribution shifts it by 0.1 or less.
    np.testing.assert_allclose(level, truth, atol=0.15)


def test_saturation_is_the_foot_of_the_pile() -> None:
    histogram = np.zeros(256, np.int64)
    histogram[180:238] = 1000
    histogram[238:244] = [2500, 6000, 20000, 15000, 3000, 40]
    assert detector.saturation_level(histogram, LEVELS) == LEVELS[238]


@pytest.mark.parametrize("counts", [0, 3, 1000])
def test_no_pile_no_clipping_below_the_known_level(counts: int) -> None:
    histogram = np.full(256, counts, np.int64)
    histogram[228:] = 0
    assert detector.saturation_level(histogram, LEVELS) == detector.CLIP_DN


def test_linear_modes_clip_at_their_last_code() -> None:
    levels = companding_table("LIN1")
    assert detector.saturation_level(np.ones(256, np.int64), levels) == 255


def _lit() -> np.ndarray:
    return np.random.default_rng(2).poisson(400, (128, 1648)).astype(np.uint16)


def test_a_lost_block_is_found() -> None:
    dn = _lit()
    dn[32:48, 800:816] = 0
    expected = np.zeros(dn.shape, bool)
    expected[32:48, 800:816] = True
    np.testing.assert_array_equal(detector.lost_blocks(dn, LAYOUT), expected)


def test_constant_blocks_of_sky_and_of_clipped_cloud_are_not_lost() -> None:
    dn = _lit()
    dn[:, 816:] = 0
    dn[:, 700:832] = np.clip(15 - np.abs(np.arange(700, 832) - 700) // 8, 0, 15)  # a soft edge
    dn[:64, 200:264] = 2495
    dn[:, :23] = 0
    dn[:, 1631:] = 0
    lost = detector.lost_blocks(dn, LAYOUT)
    assert not lost[:, 816:].any()
    assert not lost[:64, 208:256].any()
    assert not lost[:, :23].any()


def test_missing_framelets() -> None:
    dn = np.random.default_rng(3).poisson(1.0, (3, 2, 128, 1648)).astype(np.uint16)
    dn[1, 0] = 0
    dn[2, 1] = 255
    dn[0, 0, 0] = 0  # one constant line is not a missing framelet
    expected = [[False, False], [True, False], [False, True]]
    np.testing.assert_array_equal(detector.missing_framelets(dn, LAYOUT), expected)


def test_counts_that_ran_over_the_codes_are_recognised() -> None:
    y, x = np.mgrid[:128, :300]
    # Light that rises to 1.2 times what the codes hold, with a limb: what is above begins again at 0.
    light = 3450.0 * np.exp(-((x - 170.0) ** 2 + (y - 60.0) ** 2) / 2500.0)
    true = light > LEVELS[-1] + 16
    codes = np.searchsorted(LEVELS, light, side="right") - 1
    codes = np.where(true, ((light - LEVELS[-1]) / 32).astype(int), codes)
    found = detector.wrapped(LEVELS[codes], LEVELS)
    assert true.sum() > 300
    assert (found & true).sum() > 0.95 * true.sum()
    assert not (found & ~true).any()


def test_the_sky_beside_a_clipped_limb_did_not_wrap() -> None:
    scene = np.where(np.arange(300) < 150, 4000.0, 0.0) * np.ones((128, 1))
    seen = np.minimum(cv2.GaussianBlur(scene, (0, 0), 0.45), 2879.0)
    dn = LEVELS[np.searchsorted(LEVELS, seen, side="right") - 1]
    assert not detector.wrapped(dn, LEVELS).any()
    assert not detector.wrapped(np.where(scene > 0.0, LEVELS[-1], 1).astype(np.uint16), LEVELS).any()
