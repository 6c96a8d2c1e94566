"""Specks of one to four pixels, while clouds move past."""

from collections.abc import Callable

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from perijove.calibrate import defects
from perijove.calibrate.decompand import code_step, companding_table, decompand
from perijove.calibrate.specks import speck_response

Expose = Callable[[np.ndarray, np.random.Generator], np.ndarray]
Encode = Callable[[np.ndarray], np.ndarray]

SIGMA = np.concatenate(
    [defects.sigma_table(companding_table("SQROOT"), code_step("SQROOT")), np.full(2000, 20.0, np.float32)]
)
SHAPE = (128, 400)
FREE = np.zeros(SHAPE, bool)
PLACES = [(20, 50), (60, 200), (90, 330)]


def _response(depth: float) -> np.ndarray:
    """Specks of 2 x 2 pixels."""
    response = np.ones(SHAPE)
    for line, sample in PLACES:
        response[line : line + 2, sample : sample + 2] = 1.0 - depth
    return response


def _details(
    response: np.ndarray, frames: tuple[int, int], level: float, expose: Expose, encode: Encode
) -> list[defects.Detail]:
    """So many frames of moving clouds, and of night."""
    rng, found = np.random.default_rng(8), []
    for number in range(sum(frames)):
        clouds = gaussian_filter(rng.normal(size=SHAPE), 2.5)
        scene = (level if number < frames[0] else 2.0) * (1.0 + 0.05 * clouds / clouds.std())
        found.append(defects.detail_of(decompand(encode(expose(scene * response, rng)), "SQROOT"), SIGMA))
    return found


@pytest.mark.parametrize(("depth", "lit"), [(0.06, 12), (0.12, 6)])
def test_specks_are_measured_in_the_few_frames_that_light_them(
    depth: float, lit: int, expose: Expose, encode: Encode
) -> None:
    true = _response(depth)
    details = _details(true, (lit, 20), 500.0, expose, encode)
    response = speck_response(details, np.zeros(len(details)), FREE)
    # Noise of 1.3 % a frame and clouds: 0.6 % in the mean of six.
    np.testing.assert_allclose(response[true < 1.0], 1.0 - depth, atol=0.03)
    assert (response[true == 1.0] < 1.0).mean() < 1e-4


def test_clouds_alone_are_no_specks(expose: Expose, encode: Encode) -> None:
    details = _details(np.ones(SHAPE), (12, 0), 500.0, expose, encode)
    assert (speck_response(details, np.zeros(12), FREE) < 1.0).mean() < 1e-4


def test_what_something_else_explains_is_not_measured(expose: Expose, encode: Encode) -> None:
    true = _response(0.12)
    details = _details(true, (12, 0), 500.0, expose, encode)
    assert (speck_response(details, np.zeros(12), true < 1.0)[true < 1.0] == 1.0).all()


def test_in_the_dark_and_with_few_frames_nothing_is_said(expose: Expose, encode: Encode) -> None:
    true = _response(0.3)
    for frames, level in (((12, 0), 8.0), ((3, 9), 500.0)):
        details = _details(true, frames, level, expose, encode)
        assert (speck_response(details, np.zeros(len(details)), FREE) == 1.0).all()
    assert (speck_response([], np.zeros(0), FREE) == 1.0).all()
