"""Offsets and gains of single columns, told by the image itself."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from perijove.archive.framelets import FrameletStack
from perijove.calibrate.columns import column_response, even_columns
from perijove.calibrate.radiance import white_dn
from perijove.calibrate.repair import Repairs
from perijove.calibrate.stack import CalibratedStack, calibrate

Make = Callable[..., FrameletStack]
DISTANCE, STAGES = 7.4172e8, 32
FRAMES = 24
#: A long exposure, so that counts are codes below 24.
LONG = {"bands": ("METHANE",), "exposure_s": 0.1024, "tdi_stages": STAGES}


def image(make_stack: Make, offset: np.ndarray, gain: np.ndarray, seed: int) -> CalibratedStack:
    """Sky in every third frame, clouds of about 15 counts in the others; columns as told."""
    rng = np.random.default_rng(seed)
    dn = np.empty((FRAMES, 1, 128, 1648))
    for frame in range(FRAMES):
        texture = cv2.GaussianBlur(rng.normal(0.0, 1.0, (128, 1648)), (0, 0), 6.0)
        clouds = 15.0 * (1.0 + 0.05 * texture / texture.std())
        light = np.where(frame % 3 == 0, 1.5, 1.0 + clouds)
        light = light * (1.0 + gain) + offset
        light[:, :23] = light[:, 1631:] = 1.0
        dn[frame, 0] = rng.poisson(light * 16.0) / 16.0 + rng.normal(0.0, 0.8, light.shape)
    codes = np.clip(np.rint(dn), 0, 23).astype(np.uint8)
    return calibrate(make_stack(codes, **LONG), repairs=Repairs.none())


def spread(calibrated: CalibratedStack, frames: np.ndarray) -> float:
    """Scatter of the columns about their neighbours, DN."""
    white = white_dn("METHANE", 0.1024, DISTANCE, 44)
    columns = calibrated.i_over_f[frames, 0, 4:124, 40:1600].mean(axis=(0, 1)) * white
    return float(np.std(columns[1:-1] - (columns[2:] + columns[:-2]) / 2)) / np.sqrt(1.5)


def test_offsets_and_gains_are_taken_off(make_stack: Make) -> None:
    rng = np.random.default_rng(8)
    offset, gain = rng.normal(0.0, 0.15, 1648), rng.normal(0.0, 0.012, 1648)
    before = image(make_stack, offset, gain, 1)
    after = even_columns(before)
    sky, day = np.arange(FRAMES) % 3 == 0, np.arange(FRAMES) % 3 != 0
    # Chance of a column: 1.2 DN over 120 lines of 8 frames in the sky, 1.4 DN of 16 in daylight, is 0.04 DN.
    assert spread(before, sky) == pytest.approx(0.16, abs=0.02)
    assert spread(after, sky) < 0.05
    assert spread(before, day) > 0.2
    assert spread(after, day) < 0.08
    assert "columns" in after.notes[-1]
    # The level stays.
    assert np.nanmean(after.i_over_f) == pytest.approx(np.nanmean(before.i_over_f), rel=1e-3)


def test_an_even_detector_is_left_alone(make_stack: Make) -> None:
    before = image(make_stack, np.zeros(1648), np.zeros(1648), 2)
    after = even_columns(before)
    # What chance makes look real is small against the 0.04 DN of one column's chance.
    white = white_dn("METHANE", 0.1024, DISTANCE, 44)
    assert np.sqrt(np.square(after.i_over_f - before.i_over_f).mean()) * white < 0.015


def test_clouds_along_a_column_are_no_gain() -> None:
    rng = np.random.default_rng(3)
    off, around = rng.normal(0.0, 2.0, (60, 400)), np.full((60, 400), 100.0)
    # A streak of cloud that a third of the means see.
    off[:20, 200] += 15.0
    offset, gain = column_response(off, around, 1000.0)
    assert not offset.any()
    assert np.abs(gain).max() < 0.01


def test_what_is_not_known_stays() -> None:
    off = np.full((60, 400), 0.2)
    off[:, 100:] = np.nan
    offset, gain = column_response(off, np.ones((60, 400)), 1000.0)
    assert not offset[100:].any()
    assert not gain.any()
