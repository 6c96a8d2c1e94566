"""Layers for other programs, laid upon each other again by formulas written out here."""

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from perijove.darkroom.blend import MODES
from perijove.darkroom.canvas import Canvas
from perijove.darkroom.layers import Easel, Layer, Memory
from perijove.darkroom.unstacked import Sheet, unstacked

#: Modes whose formulas are written out here.
FORMULAS = {
    "normal": lambda _, s: s,
    "multiply": lambda b, s: b * s,
    "screen": lambda b, s: b + s - b * s,
    "difference": lambda b, s: np.abs(b - s),
    "lighten": np.maximum,
}
RAMP = {"ramp": {"start": [0, 0], "end": [1, 1]}, "first": [0, 0, 0], "last": [1, 1, 1]}
SOUTH = {"latitude": {"below": 10, "feather": 30}}
DARKER: list[Any] = [{"exposure": {"stops": -0.7}}]


def layers_of(*given: dict[str, Any]) -> list[Layer]:
    return [Layer.model_validate(each) for each in given]


def picture_of(easel: Easel, layers: list[Layer]) -> np.ndarray:
    colour, cover = easel.develop(layers)
    return (colour * cover[..., None] * 65535 + 0.5).astype(np.uint16)


def laid(sheets: tuple[Sheet, ...], shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Source-over of the W3C, in premultiplied colours."""
    light, cover = np.zeros((*shape, 3)), np.zeros(shape)
    for sheet in sheets:
        if sheet.is_group:
            inner, share = laid(sheet.inside, shape)
            colour = inner / np.maximum(share, 1e-9)[..., None]
        else:
            codes = sheet.pixels / 65535
            colour, share = codes[..., :3], codes[..., 3]
        share = share * sheet.opacity
        below = light / np.maximum(cover, 1e-9)[..., None]
        mixed = FORMULAS[sheet.blend](below, colour)
        over = share[..., None] * ((1 - cover)[..., None] * colour + cover[..., None] * mixed)
        light, cover = over + (1 - share)[..., None] * light, share + (1 - share) * cover
    return light, cover


RECIPES: dict[str, list[dict[str, Any]]] = {
    "plain": [{"picture": {}}],
    "modes": [{"picture": {}}, {"colour": [0.8, 0.2, 0.4], "blend": "multiply", "opacity": 0.6, "mask": SOUTH}],
    "baked mode": [{"picture": {}}, {"colour": [0.8, 0.2, 0.4], "blend": "linear-light", "mask": SOUTH}],
    "mode on half of nothing": [{"picture": {}, "opacity": 0.5}, {"colour": [0.8, 0.2, 0.4], "blend": "exclusion"}],
    "adjustment": [{"picture": {}}, {"operators": DARKER, "mask": SOUTH, "opacity": 0.7}],
    "adjustment in a mode": [{"picture": {}}, {"operators": DARKER, "blend": "overlay"}],
    "adjustment of half a cover": [
        {"picture": {}, "opacity": 0.5, "mask": SOUTH},
        {"operators": DARKER, "opacity": 0.5},
        {"colour": [1, 1, 1], "opacity": 0.25},
    ],
    "mask on what lies below": [{"picture": {}}, {"operators": DARKER, "mask": {"luminance": {"above": 0.5}}}],
    "group": [
        {"colour": [0.2, 0.3, 0.4]},
        {"layers": [{"picture": {}}, {"operators": DARKER}], "blend": "screen", "opacity": 0.5},
    ],
    "group within": [
        {"layers": [{"layers": [{"picture": {}}], "blend": "lighten"}, {"colour": [1, 0, 0], "mask": SOUTH}]}
    ],
    "group with a mask": [{"picture": {}}, {"layers": [{"colour": [1, 0, 0]}], "mask": SOUTH, "blend": "difference"}],
    "hidden": [{"picture": {}}, {"colour": [1, 0, 0], "visible": False}, {"colour": [0, 1, 0], "opacity": 0}],
}


@pytest.mark.parametrize("name", RECIPES)
def test_sheets_give_the_picture(canvas: Canvas, name: str) -> None:
    easel, layers = Easel(lambda _: canvas, Memory()), layers_of(*RECIPES[name])
    picture = picture_of(easel, layers)
    sheets = unstacked(easel, layers, picture, FORMULAS)
    light, _ = laid(sheets, canvas.cover.shape)
    # Codes of 16 bits, rounded once per layer.
    assert np.abs(light * 65535 - picture).max() < 8
    assert not any("remains" in sheet.name for sheet in sheets)


def test_what_is_baked_is_told(canvas: Canvas) -> None:
    easel = Easel(lambda _: canvas)
    layers = layers_of(
        {"picture": {}, "name": "base"},
        {"operators": DARKER},
        {"colour": [1, 0, 0], "blend": "subtract", "name": "red"},
        {"layers": [{"picture": {}}], "operators": DARKER},
        {"layers": [{"picture": {}}, {"gradient": RAMP}]},
    )
    sheets = unstacked(easel, layers, picture_of(easel, layers), FORMULAS)
    assert [sheet.name for sheet in sheets] == [
        "base",
        "exposure (baked: adjustment)",
        "red (baked: subtract)",
        "group: exposure (baked: group)",
        "group",
    ]
    assert [bool(sheet.baked) for sheet in sheets] == [False, True, True, True, False]
    assert [inner.name for inner in sheets[-1].inside] == ["natural", "gradient"]
    known = unstacked(easel, layers, picture_of(easel, layers), MODES)
    assert known[2].blend == "subtract"
    assert not known[2].baked


def test_what_layers_cannot_tell_is_laid_over_them(canvas: Canvas) -> None:
    # What is brighter than white comes back when it is darkened through a veil.
    layers = layers_of(
        {"picture": {}, "operators": []},
        {"operators": [{"exposure": {"stops": 3}}]},
        {"colour": [0, 0, 0], "opacity": 0.5},
    )
    easel = Easel(lambda _: canvas)
    picture = picture_of(easel, layers)
    sheets = unstacked(easel, layers, picture, FORMULAS)
    assert sheets[-1].name.startswith("what remains (baked: ")
    assert sheets[-1].baked.endswith(" % of the picture")
    light, _ = laid(sheets, canvas.cover.shape)
    assert np.abs(light * 255 - picture / 257).max() < 1.3


def test_codes_are_as_deep_as_the_picture(canvas: Canvas) -> None:
    easel, layers = Easel(lambda _: canvas), layers_of({"picture": {}})
    picture = (picture_of(easel, layers) // 257).astype(np.uint8)
    (sheet,) = unstacked(easel, layers, picture, FORMULAS)
    assert sheet.pixels.dtype == np.uint8
    assert (sheet.pixels[canvas.cover == 0] == 0).all()


one_layer = st.fixed_dictionaries(
    {
        "blend": st.sampled_from(sorted(MODES)),
        "opacity": st.sampled_from([0.3, 0.8, 1.0]),
    },
    optional={"mask": st.just(SOUTH), "operators": st.just(DARKER)},
)
sources = st.sampled_from([{}, {"picture": {}}, {"colour": [0.9, 0.3, 0.1]}, {"layers": [{"picture": {}}]}])


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(one_layer, sources), max_size=4))
def test_any_stack_comes_out_as_it_is(canvas: Canvas, drawn: list[tuple[dict[str, Any], dict[str, Any]]]) -> None:
    layers = layers_of({"picture": {}}, *({**each, **source} for each, source in drawn))
    easel = Easel(lambda _: canvas, Memory())
    picture = picture_of(easel, layers)
    light, _ = laid(unstacked(easel, layers, picture, FORMULAS), canvas.cover.shape)
    # As far as a last sheet sets it right.
    assert np.abs(light * 255 - picture / 257).max() < 1.5
