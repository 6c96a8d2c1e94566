from typing import Any

import numpy as np
import pytest

from perijove.calibrate.gradient import Gradient
from perijove.calibrate.stack import CalibratedStack
from perijove.project.overlap import levelled, overlap_pairs

SLOPES = {"BLUE": 0.010, "GREEN": -0.006, "RED": -0.016}


def _stack(scene: Any, response: bool) -> CalibratedStack:
    values = scene.values.astype(np.float32)
    if response:
        for index, band in enumerate(scene.label.bands):
            plane = Gradient((24.0, 1630.0), (SLOPES[band],) * 2).plane(*values.shape[2:], scene.label.sampling_factor)
            values[:, index] *= plane
    quality = np.zeros(values.shape, np.uint8)
    return CalibratedStack(scene.label, values, quality, dict.fromkeys(scene.label.bands, 2.0), ("before",))


def test_pairs_see_the_same_ground(tilted_scene: Any) -> None:
    values = tilted_scene.values.astype(np.float32)
    for pairs in overlap_pairs(values, tilted_scene.label.bands, tilted_scene.pointing).values():
        assert len(pairs.edge) > 200
        # Framelets are some 114 lines apart.
        assert (np.abs(np.abs(pairs.line_b - pairs.line_a) - 114.0) < 6.0).all()
        # 0.2 % of noise in means of 27 pixels; clouds and limb across half a pixel leave more.
        assert np.median(np.abs(np.log(pairs.value_b / pairs.value_a))) < 0.005


def test_a_known_response_is_divided_out(tilted_scene: Any) -> None:
    truth = tilted_scene.values
    seen = _stack(tilted_scene, response=True)
    found = levelled(seen, tilted_scene.pointing, tilted_scene.label.bands)
    lit = truth > 0.1
    for index in range(3):
        before = np.abs(np.log(seen.i_over_f[:, index][lit[:, index]] / truth[:, index][lit[:, index]]))
        after = np.abs(np.log(found.i_over_f[:, index][lit[:, index]] / truth[:, index][lit[:, index]]))
        assert np.percentile(before, 95) > 0.005
        # What is asked of calibrated images: 0.5 %.
        assert np.percentile(after, 95) < 0.0025
    assert found.notes[0] == "before"
    assert "BLUE" in found.notes[-1]
    assert not found.i_over_f.flags.writeable


def test_an_even_response_is_left_alone(tilted_scene: Any) -> None:
    seen = _stack(tilted_scene, response=False)
    found = levelled(seen, tilted_scene.pointing, tilted_scene.label.bands)
    np.testing.assert_allclose(found.i_over_f, seen.i_over_f, rtol=2e-3)


def test_only_bands_that_are_asked_for_change(tilted_scene: Any) -> None:
    seen = _stack(tilted_scene, response=True)
    found = levelled(seen, tilted_scene.pointing, ("RED",))
    np.testing.assert_array_equal(found.i_over_f[:, :2], seen.i_over_f[:, :2])
    assert not np.array_equal(found.i_over_f[:, 2], seen.i_over_f[:, 2], equal_nan=True)


@pytest.mark.parametrize("part", [0.0, np.nan])
def test_an_image_without_light_is_left_alone(tilted_scene: Any, part: float) -> None:
    seen = _stack(tilted_scene, response=True)
    dark = CalibratedStack(seen.label, seen.i_over_f * np.float32(part), seen.quality, seen.saturation_i_over_f, ())
    assert levelled(dark, tilted_scene.pointing, tilted_scene.label.bands) is dark


def test_uncertainty_and_clipping_are_levelled_too(tilted_scene: Any) -> None:
    plain = _stack(tilted_scene, response=True)
    sigma = (0.01 * plain.i_over_f).astype(np.float32)
    seen = CalibratedStack(
        plain.label, plain.i_over_f, plain.quality, plain.saturation_i_over_f, plain.notes, sigma=sigma
    )
    found = levelled(seen, tilted_scene.pointing, ("BLUE",))
    assert found.sigma is not None
    known = np.isfinite(found.i_over_f) & (found.i_over_f > 0.01)
    np.testing.assert_allclose(found.sigma[known], 0.01 * found.i_over_f[known], rtol=1e-4)
    # Counts that clip mean the least I/F where the response is greatest: 1 % above the mean at one end.
    assert found.saturation_i_over_f["BLUE"] == pytest.approx(2.0 / 1.01, rel=0.003)
    assert found.saturation_i_over_f["RED"] == 2.0
