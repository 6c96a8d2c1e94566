"""Noise of faint images."""

from collections.abc import Callable

import numpy as np
import pytest

from perijove.archive.framelets import FrameletStack
from perijove.calibrate.faint import noise_of_lit, quieted_if_faint
from perijove.calibrate.radiance import white_dn
from perijove.calibrate.repair import Repairs
from perijove.calibrate.stack import CalibratedStack, calibrate

Make = Callable[..., FrameletStack]
DISTANCE = 7.4172e8
LONG = {"bands": ("METHANE",), "exposure_s": 0.1024, "tdi_stages": 32}
WHITE = white_dn("METHANE", 0.1024, DISTANCE, 44)


def clouds() -> np.ndarray:
    """Counts above dark: night, 12 counts with clouds of 12 %, whose sides are 10 pixels wide."""
    x, y = np.meshgrid(np.arange(1648), np.arange(128))
    light = 12.0 * (1.0 + 0.12 * np.tanh(3.0 * np.sin(x / 20.0) * np.sin(y / 15.0)))
    light[:, 1200:] = 0.0
    light[:, :23] = light[:, 1631:] = 0.0
    return light


def seen(make_stack: Make, light: np.ndarray, seed: int = 1) -> CalibratedStack:
    rng = np.random.default_rng(seed)
    frames = np.broadcast_to(light + 1.0, (5, 1, *light.shape))
    dn = rng.poisson((frames - 1.0) * 16.0) / 16.0 + 1.0 + rng.normal(0.0, 1.04, frames.shape)
    codes = np.clip(np.rint(dn), 0, 22).astype(np.uint8)
    return calibrate(make_stack(codes, **LONG), repairs=Repairs.none())


def test_noise_is_taken_out_and_clouds_stay(make_stack: Make) -> None:
    light = clouds()
    before = seen(make_stack, light)
    after = quieted_if_faint(before)
    day = slice(4, 124), slice(40, 1180)
    errors = [x.i_over_f[:, 0, *day] * WHITE - light[day] for x in (before, after)]
    # Read and shot noise of 12 counts, and rounding: 1.39 DN.
    assert errors[0].std() == pytest.approx(1.39, abs=0.03)
    assert errors[1].std() < 0.4 * errors[0].std()
    assert errors[1].mean() == pytest.approx(errors[0].mean(), abs=0.02)
    # The clouds keep their contrast.
    parts = [x.i_over_f[:, 0, *day].mean(axis=0) * WHITE for x in (before, after)]
    pattern = light[day] - light[day].mean()
    slopes = [(part * pattern).sum() / np.square(pattern).sum() for part in parts]
    assert slopes[1] == pytest.approx(slopes[0], rel=0.05)
    assert after.confidence is not None
    assert after.confidence[:, 0, *day].mean() > 0.7
    assert "faint" in after.notes[-1]


def test_night_keeps_its_noise(make_stack: Make) -> None:
    before = seen(make_stack, clouds())
    after = quieted_if_faint(before)
    night = (slice(None), 0, slice(4, 124), slice(1300, 1600))
    assert after.i_over_f[night].std() > 0.8 * before.i_over_f[night].std()


def test_bright_images_are_left_alone(make_stack: Make) -> None:
    codes = np.full((5, 1, 128, 1648), 100, np.uint8)
    codes[..., ::2, ::2] = 101
    codes[..., :23] = codes[..., 1631:] = 0
    bright = calibrate(make_stack(codes), repairs=Repairs.none())
    # 331 and 339 DN: 4.7 of noise.
    assert noise_of_lit(bright) == pytest.approx(0.014, abs=0.001)
    assert quieted_if_faint(bright) is bright


def test_an_image_of_the_sky_is_not_faint(make_stack: Make) -> None:
    dark = seen(make_stack, np.zeros((128, 1648)))
    assert noise_of_lit(dark) == 0.0
    assert quieted_if_faint(dark) is dark
