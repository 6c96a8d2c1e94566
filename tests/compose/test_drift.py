"""Colour weights, found again in planets whose colour is known."""

import numpy as np
import pytest

from perijove.compose.drift import Colour, colour_weights, measure_colour, same_ground
from perijove.errors import OptionError

RGB = ("RED", "GREEN", "BLUE")
OPEN = dict.fromkeys(RGB, 10.0)


def planet(ball, red: float, blue: float, seed: int) -> np.ndarray:  # type: ignore[no-untyped-def]
    """Belts and clouds whose mean ratios to green are `red` and `blue`; limb and terminator have their own colours."""
    rng = np.random.default_rng(seed)
    belt = 0.06 * np.sin(np.nan_to_num(ball.light.latitude_deg) / 5)
    green = 0.5 * np.exp(0.05 * rng.normal(size=belt.shape))
    planes = ball.lit(
        np.stack([red * green * np.exp(belt), green, blue * green * np.exp(-belt)], -1), (0.99, 0.95, 0.90)
    )
    # Light of the disc that colours are referred to: mu0 = mu = 0.75.
    return (planes / 0.75 ** (2 * np.array([0.99, 0.95, 0.90]) - 2 * 0.95)).astype(np.float32)


def measured(ball, red: float, blue: float, seed: int, perijove: int) -> Colour:  # type: ignore[no-untyped-def]
    return measure_colour(planet(ball, red, blue, seed), RGB, ball.light, OPEN, (f"image {seed}", perijove))


def test_the_ratios_of_the_disc_are_found(ball) -> None:  # type: ignore[no-untyped-def]
    ratio, sigma = measured(ball, 1.05, 0.88, 0, 44).mean()
    # Pixels' colours are alike; what remains is the belts' weighting, and the prior of the slopes.
    assert ratio == pytest.approx([1.05, 0.88], rel=0.012)
    assert (sigma < 0.04).all()
    assert (np.abs(ratio - [1.05, 0.88]) < sigma).all()


def test_weights_of_two_perijoves_are_told_apart(ball) -> None:  # type: ignore[no-untyped-def]
    colours = [measured(ball, 1.05, 0.88, 0, 44), measured(ball, 1.05, 0.88, 1, 44), measured(ball, 1.15, 0.80, 2, 60)]
    weights = colour_weights(colours, (0.95, 0.88))
    assert [w.perijove for w in weights] == [44, 60]
    for w, (red, blue) in zip(weights, ((1.05, 0.88), (1.15, 0.80)), strict=True):
        assert w.red == pytest.approx(0.95 / red, rel=0.012)
        assert w.blue == pytest.approx(0.88 / blue, rel=0.012)
        # Never surer than the published albedo.
        assert 0.02 * w.red <= w.red_sigma < 0.06
    assert weights[0].images == ("image 0", "image 1")


def test_images_that_disagree_widen_the_error(ball) -> None:  # type: ignore[no-untyped-def]
    one, other = measured(ball, 1.00, 0.88, 0, 44), measured(ball, 1.25, 0.88, 1, 44)
    (weights,) = colour_weights([one, other])
    assert weights.chi2 > 4
    assert weights.red_sigma > 1.5 * colour_weights([one])[0].red_sigma


def test_the_same_ground_is_compared(ball) -> None:  # type: ignore[no-untyped-def]
    ratio, sigma, latitudes = same_ground(measured(ball, 1.10, 0.85, 0, 44), measured(ball, 1.00, 0.90, 1, 44))
    assert ratio == pytest.approx([1.10, 0.85 / 0.90], rel=0.004)
    assert latitudes > 15
    assert (sigma < 0.06).all()


def test_images_without_common_ground_are_not(ball) -> None:  # type: ignore[no-untyped-def]
    whole = measured(ball, 1.0, 0.9, 0, 44)
    planes = (whole.latitude_deg, whole.log_ratio, whole.sigma, whole.light, whole.light_sigma)
    halves = [
        Colour("half", 44, *(plane[part] for plane in planes), whole.slope)
        for part in (whole.latitude_deg > 0, whole.latitude_deg < 0)
    ]
    ratio, _, latitudes = same_ground(*halves)
    assert latitudes == 0
    assert np.isnan(ratio).all()
    # Half of the disc is known less well.
    assert (halves[0].mean()[1] > 1.2 * whole.mean()[1]).all()


def test_saturated_ground_does_not_count(ball) -> None:  # type: ignore[no-untyped-def]
    planes = planet(ball, 1.05, 0.88, 0)
    clipping = {"RED": 0.30, "GREEN": 10.0, "BLUE": 10.0}
    planes[..., 0] = np.minimum(planes[..., 0], 0.30)
    ratio, _ = measure_colour(planes, RGB, ball.light, clipping, ("image", 44)).mean()
    assert ratio == pytest.approx([1.05, 0.88], rel=0.02)


def test_an_image_without_colour_is_refused(ball) -> None:  # type: ignore[no-untyped-def]
    planes = planet(ball, 1.0, 0.9, 0)
    with pytest.raises(OptionError, match="X has RED, BLUE; its colour needs RED, GREEN and BLUE"):
        measure_colour(planes[..., :2], ("RED", "BLUE"), ball.light, OPEN, ("X", 44))
    with pytest.raises(OptionError, match="shows no sunlit ground that is not saturated"):
        measure_colour(planes, RGB, ball.light, dict.fromkeys(RGB, 1e-4), ("X", 44))
