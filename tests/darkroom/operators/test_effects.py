import numpy as np
import pytest

from perijove.compose.illumination import Illumination
from perijove.darkroom.canvas import Canvas
from perijove.darkroom.operators import OPERATORS
from perijove.darkroom.operators.effects import Grain, LensFlare
from perijove.darkroom.operators.sky import Stars


def space(height, width, cover=None):
    """Nothing but known, black sky."""
    nan = np.full((height, width), np.nan, np.float32)
    cover = np.ones((height, width), np.float32) if cover is None else cover
    return Canvas(np.zeros((height, width, 3), np.float32), cover, Illumination(nan, nan, nan))


def test_those_that_add_what_was_not_seen_say_so():
    artistic = {name for name, step in OPERATORS.items() if step.artistic}
    assert {"lens-flare", "grain", "stars", "depth-blur"} <= artistic
    assert not artistic & {"unsharp", "wavelet", "local-contrast", "deconvolve", "denoise", "exposure"}


def test_a_flare_is_at_its_light_and_ghosts_on_the_line_through_the_centre():
    canvas = space(300, 400)
    plain = LensFlare(light=(0.25, 0.2), ghosts=0, streak=0, strength=1).apply(canvas.colour, canvas)
    top = np.unravel_index(plain.sum(axis=-1).argmax(), (300, 400))
    np.testing.assert_allclose(top, (60, 100), atol=1.5)
    step = LensFlare(light=(0.25, 0.2), ghosts=8, streak=0, strength=1, dispersion=0)
    ghosts = (step.apply(canvas.colour, canvas) - plain).sum(axis=-1)
    assert ghosts.max() > 0.02
    y, x = np.mgrid[:300, :400] + 0.5
    # Line from (100, 60) through (200, 150); discs are symmetric about it, of radii of 6 % of 400 at most.
    normal = np.array([-90.0, 100.0]) / np.hypot(90, 100)
    across = (x - 200) * normal[0] + (y - 150) * normal[1]
    assert abs((ghosts * across).sum() / ghosts.sum()) < 0.5
    assert np.abs(across[ghosts > 1e-3]).max() < 1.2 * 24 + 1


def test_red_ghosts_are_larger_than_blue_ones():
    canvas = space(300, 300)
    step = LensFlare(light=(0.35, 0.35), ghosts=1, streak=0, strength=1, dispersion=0.2, seed=3)
    plain = step.model_copy(update={"ghosts": 0}).apply(canvas.colour, canvas)
    ghost = step.apply(canvas.colour, canvas) - plain
    red, blue = ((ghost[..., k] > 0.2 * ghost[..., k].max()).sum() for k in (0, 2))
    # Radii are as 1.2 to 0.8.
    assert red / blue == pytest.approx(1.5**2, rel=0.15)


def test_grain_has_its_strength_and_leaves_black_and_white():
    canvas = space(500, 500)
    grey = np.full((500, 500, 3), 0.5, np.float32)
    grain = Grain(strength=0.1, size=0.2).apply(grey, canvas) - grey
    assert abs(float(grain.mean())) < 1e-3
    # Cells as large as pixels: the noise itself, 4 Y (1 - Y) = 1.
    assert grain.std() == pytest.approx(0.1, rel=0.02)
    np.testing.assert_array_equal(grain[..., 0], grain[..., 2])
    for level in (0.0, 1.0):
        flat = np.full((500, 500, 3), level, np.float32)
        # The weights of the channels add up to 1 but for rounding.
        np.testing.assert_allclose(Grain(strength=0.5).apply(flat, canvas), flat, atol=1e-6)


def test_grain_is_the_same_in_a_preview():
    large, small = space(800, 800), space(400, 400)
    step = Grain(strength=0.1, size=1.0)
    one, two = (step.apply(np.full((*c.cover.shape, 3), 0.5, np.float32), c)[..., 0] for c in (large, small))
    halved = one.reshape(400, 2, 400, 2).mean(axis=(1, 3))
    assert np.corrcoef(halved.ravel(), two.ravel())[0, 1] > 0.99
    assert halved.std() == pytest.approx(two.std(), rel=0.05)


def test_colour_of_grain_and_seeds():
    canvas = space(200, 200)
    grey = np.full((200, 200, 3), 0.5, np.float32)
    coloured = Grain(strength=0.1, colour=1, size=0.5).apply(grey, canvas)
    assert abs(np.corrcoef(coloured[..., 0].ravel(), coloured[..., 2].ravel())[0, 1]) < 0.05
    again = Grain(strength=0.1, colour=1, size=0.5).apply(grey, canvas)
    np.testing.assert_array_equal(coloured, again)
    assert not np.array_equal(coloured, Grain(strength=0.1, colour=1, size=0.5, seed=2).apply(grey, canvas))


def peaks(picture):
    grey = picture.sum(axis=-1)
    inner = grey[1:-1, 1:-1]
    around = [grey[1 + i : grey.shape[0] - 1 + i, 1 + j : grey.shape[1] - 1 + j]
              for i in (-1, 0, 1) for j in (-1, 0, 1) if (i, j) != (0, 0)]  # fmt: skip
    return int(((inner > np.max(around, axis=0)) & (inner > 1e-5)).sum())


def test_stars_are_as_many_as_asked_for():
    canvas = space(800, 800)
    stars = Stars(density=300, size=0.06).apply(canvas.colour, canvas)
    # Some overlap, some stand at the edge.
    assert 270 <= peaks(stars) <= 300
    assert stars.max() <= 1


def test_stars_get_ten_times_as_many_in_two_magnitudes():
    canvas = space(1600, 1600)
    stars = Stars(density=4000, size=0.05, brightness=0.9).apply(canvas.colour, canvas).max(axis=-1)
    # Few enough to be told apart; peaks above 0.9 x 10^(-0.4 m).
    inner = stars[1:-1, 1:-1]
    tops = inner[
        np.all(
            [inner > stars[1 + i : 1599 + i, 1 + j : 1599 + j] for i, j in ((0, 1), (1, 0), (0, -1), (-1, 0))], axis=0
        )
    ]
    faint, bright = ((tops > 0.85 * 10 ** (-0.4 * m)).sum() for m in (5.0, 3.0))
    # 127 bright ones: three deviations of their number are 27 %.
    assert faint / bright == pytest.approx(10, rel=0.3)


def test_stars_are_only_in_the_sky_that_was_chosen(canvas):
    black = np.zeros_like(canvas.colour)
    ground, known = canvas.light.on_ground, canvas.cover > 0
    for where, may in (("sky", known & ~ground), ("unknown", ~known), ("both", ~(known & ground))):
        after = Stars(density=20_000, where=where, size=0.3).apply(black, canvas).sum(axis=-1)
        assert after[may].max() > 0.1
        np.testing.assert_array_equal(after[~may], 0)


def test_nothing_is_drawn_over_what_is_bright_in_the_sky():
    canvas = space(200, 200)
    moon = np.zeros((200, 200, 3), np.float32)
    moon[50:100, 50:100] = 0.5
    after = Stars(density=20_000, size=0.3).apply(moon, canvas)
    np.testing.assert_array_equal(after[50:100, 50:100], 0.5)
