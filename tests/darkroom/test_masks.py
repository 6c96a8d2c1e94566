"""Masks: what they hold, by the numbers they are drawn from."""

from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from perijove.compose.spaces import to_oklab
from perijove.darkroom.canvas import Canvas
from perijove.darkroom.curve import to_display, to_linear
from perijove.darkroom.masks import Mask
from perijove.errors import RecipeError


def weight(canvas: Canvas, **mask: Any) -> np.ndarray:
    return Mask.model_validate(mask).weight(canvas)


def test_ranges_hold_what_geometry_says(canvas: Canvas) -> None:
    light = canvas.light
    latitude = np.nan_to_num(light.latitude_deg, nan=-999)
    np.testing.assert_array_equal(weight(canvas, latitude={"above": 30}), latitude >= 30)
    np.testing.assert_array_equal(
        weight(canvas, latitude={"above": -20, "below": 40}), (latitude >= -20) & (latitude <= 40)
    )
    day = np.nan_to_num(light.mu0, nan=-1) >= np.cos(np.radians(70))
    assert (weight(canvas, incidence={"below": 70}) == day).mean() > 0.99
    seen = np.nan_to_num(light.mu, nan=-1) >= np.cos(np.radians(50))
    assert (weight(canvas, emission={"below": 50}) == seen).mean() > 0.99
    np.testing.assert_array_equal(weight(canvas, confidence={"above": 0.5}), canvas.plane("confidence") >= 0.5)


def test_a_feather_is_half_at_its_limit_and_ends_with_its_width(canvas: Canvas) -> None:
    soft = weight(canvas, latitude={"above": 30, "feather": 20})
    latitude = canvas.light.latitude_deg
    ground = np.isfinite(latitude)
    assert np.all(soft[ground & (latitude > 40)] == 1)
    assert np.all(soft[ground & (latitude < 20)] == 0)
    assert np.interp(30, latitude[::-1, 0], soft[::-1, 0]) == pytest.approx(0.5, abs=0.02)
    assert np.all(soft[~ground] == 0)


def test_arcs_run_around_the_circle(canvas: Canvas) -> None:
    longitude = canvas.plane("longitude")
    held = weight(canvas, longitude={"centre": 350, "width": 60})
    np.testing.assert_array_equal(held, (longitude >= 320) | (longitude <= 20))


def test_luminance_and_hue_are_oklabs(canvas: Canvas) -> None:
    lab = to_oklab(to_linear(canvas.colour))
    np.testing.assert_array_equal(weight(canvas, luminance={"above": 0.6}), lab[..., 0] >= 0.6)
    red = np.zeros_like(canvas.colour)
    red[:60], red[60:] = (0.8, 0.1, 0.1), (0.1, 0.1, 0.8)
    painted = Canvas(red, canvas.cover, canvas.light)
    held = weight(painted, hue={"centre": 27, "width": 40})
    assert held[:60].all()
    assert not held[60:].any()


def test_drawn_masks_lie_where_they_are_drawn(canvas: Canvas) -> None:
    square = weight(canvas, polygon={"points": [[0.25, 0.25], [0.75, 0.25], [0.75, 0.75], [0.25, 0.75]]})
    # OpenCV adds a third of a pixel around what it fills.
    assert square.sum() == pytest.approx(0.25 * square.size, rel=0.05)
    assert square[60, 80] == 1
    assert square[10, 10] == 0
    dot = weight(canvas, brush={"strokes": [{"points": [[0.5, 0.5]], "width": 20}], "feather": 0})
    assert dot.sum() == pytest.approx(np.pi * 16**2, rel=0.06)
    y, x = np.average(np.mgrid[:120, :160].reshape(2, -1) + 0.5, axis=1, weights=dot.ravel())
    assert (x, y) == (pytest.approx(80, abs=0.6), pytest.approx(60, abs=0.6))


def test_a_ramp_is_level_across_its_way(canvas: Canvas) -> None:
    ramp = weight(canvas, gradient={"start": [0, 0], "end": [1, 0]})
    assert np.ptp(ramp, axis=0).max() == 0
    assert ramp[0, 0] < 0.001
    assert ramp[0, -1] > 0.999
    assert ramp[0, 80] == pytest.approx(0.5, abs=0.01)


def test_parts_are_multiplied_and_inverted(canvas: Canvas) -> None:
    parts = {"latitude": {"above": 0, "feather": 30}, "confidence": {"below": 0.8, "feather": 0.3}}
    both = weight(canvas, **parts)
    one_by_one = [weight(canvas, **{name: part}) for name, part in parts.items()]
    np.testing.assert_allclose(both, one_by_one[0] * one_by_one[1])
    np.testing.assert_allclose(weight(canvas, invert=True, **parts), 1 - both)


def test_masks_are_the_same_at_every_size(canvas_of: Any) -> None:
    import cv2

    mask = Mask.model_validate(
        {
            "brush": {"strokes": [{"points": [[0.2, 0.3], [0.6, 0.7]], "width": 8}], "feather": 6},
            "gradient": {"start": [0.1, 0.9], "end": [0.8, 0.2]},
        }
    )
    small, large = mask.weight(canvas_of(150, 200)), mask.weight(canvas_of(600, 800))
    assert np.abs(cv2.resize(large, (200, 150), interpolation=cv2.INTER_AREA) - small).max() < 0.08


@pytest.mark.parametrize(
    "mask",
    [
        {"latitude": {}},
        {"latitude": {"above": "north"}},
        {"polygon": {"points": [[0, 0], [1, 1]]}},
        {"gradient": {"start": [0, 0], "end": [0, 0]}},
        {"longitude": {"centre": 0, "width": 0}},
        {"altitude": {"above": 3}},
        {"latitude": {"above": float("nan")}},
    ],
)
def test_masks_that_are_none(mask: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Mask.model_validate(mask)


def test_a_plane_that_is_not_there(canvas: Canvas) -> None:
    bare = Canvas(canvas.colour, canvas.cover, canvas.light)
    with pytest.raises(RecipeError, match="no plane 'phase'"):
        weight(bare, phase={"below": 40})


def test_curve_and_back() -> None:
    values = np.linspace(0, 1.5, 1001, dtype=np.float32)
    # A quarter of a level of 16 bits.
    np.testing.assert_allclose(to_display(to_linear(values)), values, rtol=0, atol=4e-6)
    # IEC 61966-2-1.
    exact = np.where(values <= 0.04045, values / 12.92, ((values.astype(float) + 0.055) / 1.055) ** 2.4)
    np.testing.assert_allclose(to_linear(values), exact, rtol=0, atol=1e-6)
