"""Dust on the detector, while clouds move past."""

from collections.abc import Callable

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from perijove.calibrate import defects
from perijove.calibrate.decompand import code_step, companding_table, decompand
from perijove.calibrate.motes import dust_response

Expose = Callable[[np.ndarray, np.random.Generator], np.ndarray]
Encode = Callable[[np.ndarray], np.ndarray]

SIGMA = np.concatenate(
    [defects.sigma_table(companding_table("SQROOT"), code_step("SQROOT")), np.full(2000, 20.0, np.float32)]
)
SHAPE = (128, 400)
NO_HOT = np.zeros(SHAPE, bool)


def _mote(depth: float) -> np.ndarray:
    lines, samples = np.mgrid[: SHAPE[0], : SHAPE[1]]
    return 1.0 - depth * np.exp(-((((lines - 60) ** 2 + (samples - 200) ** 2) / 9.0) ** 2))


def _details(response: np.ndarray, level: float, frames: int, expose: Expose, encode: Encode) -> list[defects.Detail]:
    rng = np.random.default_rng(41)
    found = []
    for _ in range(frames):
        clouds = gaussian_filter(rng.normal(size=SHAPE), 2.0)
        scene = level * (1.0 + 0.06 * clouds / clouds.std())
        found.append(defects.detail_of(decompand(encode(expose(scene * response, rng)), "SQROOT"), SIGMA))
    return found


@pytest.mark.parametrize("depth", [0.3, 0.6])
def test_a_mote_is_measured(depth: float, expose: Expose, encode: Encode) -> None:
    true = _mote(depth)
    response = dust_response(_details(true, 500.0, 20, expose, encode), np.zeros(20), NO_HOT)
    core = true < 1.0 - 0.5 * depth
    # Clouds of 6 % over twenty frames leave 1.3 %; five of them, and what the surroundings feel of the mote.
    np.testing.assert_allclose(response[core], true[core], atol=0.08)
    assert (response[true > 0.999] < 1.0).mean() < 1e-3


def test_clouds_alone_are_no_dust(expose: Expose, encode: Encode) -> None:
    response = dust_response(_details(np.ones(SHAPE), 500.0, 20, expose, encode), np.zeros(20), NO_HOT)
    assert (response < 1.0).mean() < 1e-3


def test_in_the_dark_and_with_few_frames_nothing_is_said(expose: Expose, encode: Encode) -> None:
    true = _mote(0.6)
    assert (dust_response(_details(true, 5.0, 20, expose, encode), np.zeros(20), NO_HOT) == 1.0).all()
    assert (dust_response(_details(true, 500.0, 4, expose, encode), np.zeros(4), NO_HOT) == 1.0).all()
    assert (dust_response([], np.zeros(0), NO_HOT) == 1.0).all()
