"""Blend modes against psd-tools, which wrote them for itself, and against the definitions where it differs."""

import numpy as np
import psd_tools.composite.blend as other
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perijove.darkroom.blend import MODES, blended, composite, luminosity, saturation
from perijove.errors import OptionError

#: What one level of 8 bits is.
LEVEL = 1 / 255
INDEPENDENT = {
    "normal": other.normal,
    "multiply": other.multiply,
    "screen": other.screen,
    "overlay": other.overlay,
    "darken": other.darken,
    "lighten": other.lighten,
    "color-dodge": other.color_dodge,
    "color-burn": other.color_burn,
    "hard-light": other.hard_light,
    "soft-light": other.soft_light,
    "difference": other.difference,
    "exclusion": other.exclusion,
    "linear-light": other.linear_light,
    "add": other.linear_dodge,
    "subtract": other.subtract,
    "hue": other.hue,
    "saturation": other.saturation,
    "color": other.color,
    "luminosity": other.luminosity,
}


@pytest.fixture(scope="module")
def colours() -> tuple[np.ndarray, np.ndarray]:
    """Pairs of 8-bit colours, with black, white and greys among them."""
    rng = np.random.default_rng(5)
    levels = rng.integers(0, 256, (2, 200, 200, 3))
    levels[:, :20] = rng.choice([0, 255], (2, 20, 200, 3))
    levels[0, 20:40] = levels[0, 20:40, :, :1]
    return tuple((levels / 255).astype(np.float32))  # type: ignore[return-value]


@pytest.mark.parametrize("mode", MODES)
def test_modes_are_those_of_another_implementation(mode: str, colours: tuple[np.ndarray, np.ndarray]) -> None:
    below, above = colours
    expected = INDEPENDENT[mode](below, above)
    assert np.abs(blended(mode, below, above) - expected).max() <= LEVEL


def test_every_mode_is_compared() -> None:
    assert set(INDEPENDENT) == set(MODES)


@pytest.mark.parametrize("mode", MODES)
def test_modes_stay_within_the_scale(mode: str, colours: tuple[np.ndarray, np.ndarray]) -> None:
    mixed = blended(mode, *colours)
    assert mixed.dtype == np.float32
    assert mixed.min() >= -1e-5
    assert mixed.max() <= 1 + 1e-5


def test_what_the_colour_modes_keep(colours: tuple[np.ndarray, np.ndarray]) -> None:
    below, above = colours
    for mode in ("hue", "saturation", "color"):
        np.testing.assert_allclose(luminosity(blended(mode, below, above)), luminosity(below), atol=1e-4)
    np.testing.assert_allclose(luminosity(blended("luminosity", below, above)), luminosity(above), atol=1e-4)
    grey = np.repeat(above[..., :1], 3, axis=-1)
    assert saturation(blended("color", below, grey)).max() < 1e-5


UNIT = st.floats(0, 1, width=32)


@given(st.lists(UNIT, min_size=8, max_size=8), UNIT, st.sampled_from(sorted(MODES)))
def test_covers_add_up(numbers: list[float], opacity: float, mode: str) -> None:
    below = (np.array([numbers[:3]], np.float32), np.array([numbers[3]], np.float32))
    above = (np.array([numbers[4:7]], np.float32), np.array([numbers[7]], np.float32))
    colour, cover = composite(below, above, mode, opacity)
    a, b = numbers[7] * opacity, numbers[3]
    # W3C, 5.1 and 10: premultiplied, one channel after the other.
    assert cover[0] == pytest.approx(a + b - a * b, abs=1e-5)
    mixed = (1 - b) * above[0] + b * blended(mode, below[0], above[0])
    np.testing.assert_allclose(colour * cover[:, None], a * mixed + (1 - a) * b * below[0], atol=1e-4)


def test_unknown_modes_are_refused() -> None:
    with pytest.raises(OptionError, match="dissolve"):
        blended("dissolve", np.zeros((1, 3), np.float32), np.zeros((1, 3), np.float32))
