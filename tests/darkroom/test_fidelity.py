"""Colour distance against published pairs, and badges that cannot be had by asking."""

from typing import Any

import numpy as np

from perijove.darkroom.canvas import Canvas
from perijove.darkroom.fidelity import ciede2000, fidelity_of, to_lab
from perijove.darkroom.layers import Easel
from perijove.darkroom.recipe import recipe_of

# Sharma, Wu and Dalal (2005), table 1: L, a, b of two colours, distance; of all cases that the formula tells apart.
PAIRS = np.array(
    [
        (50.0, 2.6772, -79.7751, 50.0, 0.0, -82.7485, 2.0425),
        (50.0, 3.1571, -77.2803, 50.0, 0.0, -82.7485, 2.8615),
        (50.0, 2.8361, -74.0200, 50.0, 0.0, -82.7485, 3.4412),
        (50.0, -1.3802, -84.2814, 50.0, 0.0, -82.7485, 1.0000),
        (50.0, 0.0, 0.0, 50.0, -1.0, 2.0, 2.3669),
        (50.0, 2.4900, -0.0010, 50.0, -2.4900, 0.0009, 7.1792),
        (50.0, 2.4900, -0.0010, 50.0, -2.4900, 0.0011, 7.2195),
        (50.0, -0.0010, 2.4900, 50.0, 0.0009, -2.4900, 4.8045),
        (50.0, -0.0010, 2.4900, 50.0, 0.0011, -2.4900, 4.7461),
        (50.0, 2.5, 0.0, 50.0, 0.0, -2.5, 4.3065),
        (50.0, 2.5, 0.0, 73.0, 25.0, -18.0, 27.1492),
        (50.0, 2.5, 0.0, 58.0, 24.0, 15.0, 19.4535),
        (60.2574, -34.0099, 36.2677, 60.4626, -34.1751, 39.4387, 1.2644),
        (63.0109, -31.0961, -5.8663, 62.8187, -29.7946, -4.0864, 1.2630),
        (22.7233, 20.0904, -46.6940, 23.0331, 14.9730, -42.5619, 2.0373),
        (90.8027, -2.0831, 1.4410, 91.1528, -1.6435, 0.0447, 1.4441),
        (2.0776, 0.0795, -1.1350, 0.9033, -0.0636, -0.5514, 0.9082),
    ]
)


def test_published_distances() -> None:
    np.testing.assert_allclose(ciede2000(PAIRS[:, :3], PAIRS[:, 3:6]), PAIRS[:, 6], atol=5e-5)
    np.testing.assert_allclose(ciede2000(PAIRS[:, 3:6], PAIRS[:, :3]), PAIRS[:, 6], atol=5e-5)


def test_lab_of_known_colours() -> None:
    # sRGB's white, middle grey and red under D65.
    told = to_lab(np.array([[1, 1, 1], [0.5, 0.5, 0.5], [1, 0, 0]], np.float32), "srgb")
    np.testing.assert_allclose(told, [[100, 0, 0], [53.39, 0, 0], [53.24, 80.09, 67.20]], atol=0.02)


def judged(canvas: Canvas, *layers: dict[str, Any], name: str = "natural") -> Any:
    recipe = recipe_of({"perijove_recipe": 2, "name": name, "layers": list(layers)})
    colour, _ = Easel(lambda _: canvas).develop(recipe.layers)
    return fidelity_of(recipe, colour, canvas)


def test_badges_are_earned(canvas: Canvas) -> None:
    plain = judged(canvas, {"picture": {}})
    assert (plain.badge, round(plain.distance, 3)) == ("natural", 0.0)
    changed = judged(canvas, {"picture": {}, "operators": [{"exposure": {"stops": 1}}]})
    assert changed.badge == "enhanced"
    assert changed.distance > 5
    painted = judged(canvas, {"picture": {}}, {"colour": [0, 0, 0], "opacity": 0.01})
    assert painted.badge == "artistic"
    assert "plain colour" in painted.reasons[0]
    hidden = judged(canvas, {"picture": {}}, {"colour": [0, 0, 0], "visible": False})
    assert hidden.badge == "natural"
    group = judged(canvas, {"layers": [{"picture": {}}, {"colour": [1, 1, 1], "opacity": 0.1}]})
    assert group.badge == "artistic"
    brush = {"strokes": [{"points": [[0.5, 0.5]]}]}
    drawn = judged(canvas, {"picture": {}, "mask": {"brush": brush, "invert": True}})
    assert drawn.badge == "artistic"


def test_a_night_side_has_no_distance(canvas_of: Any) -> None:
    canvas = canvas_of()
    dark = Canvas(canvas.colour, np.zeros_like(canvas.cover), canvas.light)
    assert np.isnan(judged(dark, {"picture": {}}).distance)
