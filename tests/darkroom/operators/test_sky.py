"""Real stars, in the sky alone."""

import numpy as np
import pytest

from perijove.compose.illumination import Illumination
from perijove.darkroom.canvas import Canvas
from perijove.darkroom.operators.sky import StarField


def canvas(stars: dict[tuple[int, int], tuple[float, float]], side: int = 200) -> Canvas:
    """Ground on the left half, sky on the right."""
    mu = np.full((side, side), 0.8, np.float32)
    mu[:, side // 2 :] = np.nan
    magnitude, colour = (np.full((side, side), np.nan, np.float32) for _ in range(2))
    for place, (bright, index) in stars.items():
        magnitude[place], colour[place] = bright, index
    light = Illumination(mu, mu, np.zeros_like(mu))
    planes = {"star_magnitude": lambda: magnitude, "star_colour": lambda: colour}
    return Canvas(np.zeros((side, side, 3), np.float32), np.ones((side, side), np.float32), light, planes)


def test_stars_shine_where_they_stand_but_not_through_the_planet() -> None:
    sky = canvas({(50, 150): (0.0, 0.3), (120, 160): (2.0, 0.3), (60, 40): (0.0, 0.3)})
    black = np.zeros((200, 200, 3), np.float32)
    found = StarField(size=0.5, contrast=1).apply(black, sky)
    assert not found[:, :100].any()
    assert np.unravel_index(found.sum(axis=-1).argmax(), (200, 200)) == (50, 150)
    # Two magnitudes are a factor of 10^0.8.
    assert found[50, 150, 0] / found[120, 160, 0] == pytest.approx(10**0.8, rel=1e-4)
    assert StarField(size=0.5, faintest=1.0).apply(black, sky)[120, 160].max() == 0


def test_hot_stars_are_blue_and_cool_ones_red() -> None:
    sky = canvas({(50, 150): (1.0, -0.2), (120, 160): (1.0, 1.6)})
    found = StarField().apply(np.zeros((200, 200, 3), np.float32), sky)
    hot, cool = found[50, 150], found[120, 160]
    assert hot[2] > hot[0]
    assert cool[0] > cool[2]


def test_it_is_told_as_artistic_and_leaves_a_sky_without_stars() -> None:
    assert StarField.artistic
    colour = np.full((200, 200, 3), 0.1, np.float32)
    np.testing.assert_array_equal(StarField().apply(colour, canvas({})), colour)
