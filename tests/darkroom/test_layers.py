"""Layers upon layers, against what their formulas give."""

from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from perijove.darkroom.blend import blended
from perijove.darkroom.canvas import Canvas
from perijove.darkroom.curve import to_display, to_linear
from perijove.darkroom.layers import Easel, Layer, Memory, PictureSource


def layer(**given: Any) -> Layer:
    return Layer.model_validate(given)


PICTURE = {"picture": {}}


@pytest.fixture
def easel(canvas: Canvas) -> Easel:
    return Easel(lambda _: canvas)


def test_one_layer_is_the_picture(easel: Easel, canvas: Canvas) -> None:
    colour, cover = easel.develop([layer(**PICTURE)])
    np.testing.assert_allclose(colour, canvas.colour, atol=1e-6)
    np.testing.assert_array_equal(cover, canvas.cover)


def test_operators_follow_each_other(easel: Easel, canvas: Canvas) -> None:
    steps = [{"exposure": {"stops": 0.5}}, {"exposure": {"stops": -1.5}}]
    colour, _ = easel.develop([layer(**PICTURE, operators=steps)])
    np.testing.assert_allclose(colour, to_display(to_linear(canvas.colour) / 2), atol=1e-5)


def test_blend_and_opacity(easel: Easel, canvas: Canvas) -> None:
    red = np.broadcast_to(np.array([0.8, 0.2, 0.1], np.float32), canvas.colour.shape)
    colour, cover = easel.develop([layer(**PICTURE), layer(colour=[0.8, 0.2, 0.1], blend="overlay", opacity=0.4)])
    known = canvas.cover == 1
    expected = 0.6 * canvas.colour + 0.4 * blended("overlay", canvas.colour, red)
    np.testing.assert_allclose(colour[known], expected[known], atol=1e-5)
    # Where nothing lies below, the layer is seen as it is.
    np.testing.assert_allclose(colour[~known], red[~known], atol=1e-5)
    np.testing.assert_allclose(cover[~known], 0.4, atol=1e-6)


def test_masks_show_a_part(easel: Easel, canvas: Canvas) -> None:
    colour, _ = easel.develop([layer(**PICTURE), layer(colour=[1, 1, 1], mask={"latitude": {"above": 0}})])
    north = np.nan_to_num(canvas.light.latitude_deg, nan=-1) >= 0
    assert np.all(colour[north] == 1)
    np.testing.assert_allclose(colour[~north], canvas.colour[~north], atol=1e-6)


def test_an_adjustment_works_on_all_below(easel: Easel, canvas: Canvas) -> None:
    below = [layer(**PICTURE), layer(colour=[0.5, 0.5, 0.5], opacity=0.5, mask={"latitude": {"above": 0}})]
    plain, cover = easel.develop(below)
    adjusted, kept = easel.develop([*below, layer(operators=[{"exposure": {"stops": -1}}])])
    np.testing.assert_allclose(adjusted, to_display(to_linear(plain) / 2), atol=1e-5)
    np.testing.assert_array_equal(kept, cover)
    half, _ = easel.develop([*below, layer(operators=[{"exposure": {"stops": -1}}], opacity=0.5)])
    np.testing.assert_allclose(half, (plain + adjusted) / 2, atol=1e-5)


def test_a_group_is_mixed_as_one(easel: Easel, canvas: Canvas) -> None:
    inside = [layer(**PICTURE), layer(colour=[0.2, 0.4, 0.6], blend="screen", opacity=0.7)]
    alone, cover = easel.develop(inside)
    colour, _ = easel.develop([layer(colour=[0.1, 0.1, 0.1]), layer(layers=inside, opacity=0.3)])
    share = (0.3 * cover)[..., None]
    np.testing.assert_allclose(colour, (1 - share) * np.float32(0.1) + share * alone, atol=1e-5)


def test_what_is_not_visible_does_not_count(easel: Easel) -> None:
    plain, _ = easel.develop([layer(**PICTURE)])
    same, _ = easel.develop(
        [layer(**PICTURE), layer(colour=[1, 0, 0], visible=False), layer(colour=[1, 0, 0], opacity=0)]
    )
    np.testing.assert_array_equal(plain, same)


def test_a_change_costs_what_comes_after_it(canvas: Canvas, monkeypatch: pytest.MonkeyPatch) -> None:
    from perijove.darkroom.operators.lens import Vignette

    applied: list[float] = []
    original = Vignette._applied

    def counted(self: Vignette, colour: np.ndarray, on: Canvas) -> np.ndarray:
        applied.append(self.stops)
        return original(self, colour, on)

    monkeypatch.setattr(Vignette, "_applied", counted)
    easel = Easel(lambda _: canvas, Memory())

    def stack(last: float, top: float) -> list[Layer]:
        steps = [{"vignette": {"stops": s}} for s in (0.1, 0.2, last)]
        return [
            layer(**PICTURE, operators=steps),
            layer(**PICTURE, operators=[{"vignette": {"stops": top}}], opacity=0.5),
        ]

    first = easel.develop(stack(0.3, 1.0))
    assert applied == [0.1, 0.2, 0.3, 1.0]
    applied.clear()
    changed = easel.develop(stack(0.4, 1.0))
    assert applied == [0.4]
    applied.clear()
    again = easel.develop(stack(0.3, 1.0))
    assert applied == []
    np.testing.assert_array_equal(first[0], again[0])
    fresh = Easel(lambda _: canvas).develop(stack(0.4, 1.0))
    np.testing.assert_array_equal(changed[0], fresh[0])


LATE = {"vignette": {"stops": 0.5}}


@pytest.mark.parametrize("between", [(), (LATE,), ("unsharp", LATE)])
def test_steps_of_pixels_are_done_together_as_one_by_one(canvas_of: Any, between: tuple[Any, ...]) -> None:
    """By rows or whole, at the end or in between: as the operators by themselves, light and curve in their turn."""
    tall = canvas_of(2000, 160)
    steps = [{"exposure": {"stops": 0.4}}, {"contrast": {"amount": 0.3}}, *between, {"saturation": {"saturation": 1.3}}]
    only = layer(**PICTURE, operators=steps)
    made, _ = Easel(lambda _: tall).develop([only])
    colour, domain = tall.colour, "display"
    for step in only.operators:
        if step.domain != domain:
            colour = (to_linear if step.domain == "linear" else to_display)(colour)
        colour, domain = step.apply(colour, tall), step.domain
    expected = np.clip(to_display(colour) if domain == "linear" else colour, 0, 1) * (tall.cover > 0)[..., None]
    # OpenCV rounds rows by themselves otherwise; two levels of 16 bits.
    np.testing.assert_allclose(made, expected, rtol=0, atol=3e-5)


def test_memory_forgets_the_oldest() -> None:
    memory = Memory(most_bytes=3 * 8 * 4)
    made: list[str] = []

    def make(key: str) -> tuple[np.ndarray, np.ndarray]:
        made.append(key)
        return np.zeros(4, np.float32), np.zeros(4, np.float32)

    for key in ("a", "b", "c", "a", "d", "b", "a"):
        memory.get(key, lambda key=key: make(key))
    assert made == ["a", "b", "c", "d", "b"]


def test_images_are_asked_for_by_name(canvas: Canvas) -> None:
    asked: list[PictureSource] = []

    def pictures(source: PictureSource) -> Canvas:
        asked.append(source)
        return canvas

    Easel(pictures).develop([layer(picture={"image": "methane", "style": "natural"})])
    assert {source.image for source in asked} == {"main", "methane"}


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"picture": {}, "colour": [0, 0, 0]}, "one thing"),
        ({"blend": "dissolve"}, "no blend mode"),
        ({"operators": [{"sharpen": {}}]}, "no operator 'sharpen'"),
        ({"operators": [{"exposure": {"stops": 99}}]}, "less than or equal"),
        ({"operators": [{"exposure": {"stop": 1}}]}, "Extra inputs"),
        ({"operators": {"exposure": {}}}, "are a list"),
        ({"picture": {"look": {"fog": 1}}}, "no such look"),
        ({"opacity": 1.5}, "less than or equal"),
        ({"colour": [0, 2, 0]}, "less than or equal"),
    ],
)
def test_layers_that_are_none(given: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        layer(**given)
