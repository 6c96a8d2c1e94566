"""Colour and methane together."""

import numpy as np
import pytest

from perijove.compose.illumination import Illumination
from perijove.compose.options import PictureOptions
from perijove.compose.spaces import to_oklab
from perijove.compose.styles import Scene, picture
from perijove.errors import OptionError

RGB = ("RED", "GREEN", "BLUE")
OPEN = dict.fromkeys((*RGB, "METHANE"), 10.0)


def decode(codes: np.ndarray) -> np.ndarray:
    v = codes / 65535.0
    return np.where(v <= 0.04045, v / 12.92, ((v + 0.055) / 1.055) ** 2.4)


def scenes(ball) -> tuple[Scene, Scene]:  # type: ignore[no-untyped-def]
    """Even colours, and a methane image under other light with a bright hood in the north; it sees the left only."""
    lat = np.nan_to_num(ball.light.latitude_deg)
    colour = ball.lit(np.array([0.55, 0.47, 0.40]))
    light = Illumination(np.clip(ball.light.mu0 * 0.8 + 0.1, -1, 1), ball.light.mu, ball.light.latitude_deg)
    shade = np.where(light.on_ground, np.maximum(light.mu0, 0.0) ** 0.9, 0.0)
    methane = (shade * np.where(lat > 40, 0.10, 0.05))[..., None].astype(np.float32)
    methane[ball.x > 0.3] = np.nan
    return Scene(colour, RGB, OPEN, ball.light), Scene(methane, ("METHANE",), OPEN, light)


def places(ball) -> tuple[np.ndarray, np.ndarray]:  # type: ignore[no-untyped-def]
    good = ball.light.on_ground & (ball.light.mu0 > 0.3) & (ball.light.mu > 0.4) & (ball.x < 0.25)
    lat = np.nan_to_num(ball.light.latitude_deg)
    return good & (lat > 45) & (lat < 60), good & (np.abs(lat) < 30)


def test_high_hazes_are_red_in_false_colour(ball) -> None:  # type: ignore[no-untyped-def]
    linear = decode(picture("methane-red", *scenes(ball)).pixels)
    hood, rest = places(ball)
    ratio = [np.median(linear[where][:, 0] / linear[where][:, 1]) for where in (hood, rest)]
    # Methane doubles there, green does not.
    assert ratio[0] > 1.5 * ratio[1]


def test_methane_is_the_lightness_and_colour_stays(ball) -> None:  # type: ignore[no-untyped-def]
    lab = to_oklab(decode(picture("methane-luminance", *scenes(ball)).pixels).astype(np.float32))
    hood, rest = places(ball)
    assert np.median(lab[hood][:, 0]) > np.median(lab[rest][:, 0]) + 0.08
    # One colour all over.
    assert np.abs(np.median(lab[hood][:, 1:], axis=0) - np.median(lab[rest][:, 1:], axis=0)).max() < 0.02


@pytest.mark.parametrize("style", ["methane-red", "methane-luminance"])
def test_only_what_both_see_is_shown(ball, style: str) -> None:  # type: ignore[no-untyped-def]
    pixels = picture(style, *scenes(ball)).pixels
    assert not pixels[ball.x > 0.31].any()
    assert pixels[places(ball)[1]].all()
    assert pixels.max() < 65535


def test_images_that_share_no_ground_are_refused(ball) -> None:  # type: ignore[no-untyped-def]
    colour, methane = scenes(ball)
    empty = Scene(np.full_like(methane.values, np.nan), methane.bands, OPEN, methane.light)
    with pytest.raises(OptionError, match="share 0 pixels of sunlit ground"):
        picture("methane-red", colour, empty)


def test_what_a_style_needs_is_told(ball) -> None:  # type: ignore[no-untyped-def]
    colour, methane = scenes(ball)
    with pytest.raises(OptionError, match="give it with --methane"):
        picture("methane-red", colour)
    with pytest.raises(OptionError, match="needs a methane image; the one given has RED, GREEN, BLUE"):
        picture("methane-red", colour, colour)
    with pytest.raises(OptionError, match="needs an image with RED, GREEN and BLUE"):
        picture("methane-red", methane, methane)
    with pytest.raises(OptionError, match="no style 'sepia'; choose from natural, enhanced"):
        PictureOptions("sepia")
