import numpy as np
import pytest

from perijove.compose.illumination import Illumination
from perijove.darkroom.canvas import Canvas
from perijove.darkroom.operators.lens import DepthBlur, Glow, Vignette


def dark(height, width, planes=None):
    """A black picture of ground seen from above."""
    ones = np.ones((height, width), np.float32)
    return Canvas(np.zeros((height, width, 3), np.float32), ones, Illumination(ones, ones, ones), planes or {})


def test_glow_of_a_point_is_gaussian_and_keeps_its_light():
    canvas = dark(201, 201)
    point = canvas.colour.copy()
    point[100, 100] = 0.9
    after = Glow(strength=0.5, radius=2, threshold=0.5).apply(point, canvas)
    shine = (after - point)[..., 1]
    shine[100, 100] /= 1 - 0.9
    # Half of 0.9, spread: screening over black adds it in full.
    assert shine.sum() == pytest.approx(0.45, rel=0.01)
    x = np.arange(201) - 100.0
    spread = (shine * x * x).sum() / shine.sum()
    # A kernel of three deviations lacks 3 % of the variance.
    assert np.sqrt(spread) == pytest.approx(canvas.pixels(2), rel=0.05)


def test_glow_never_exceeds_white_and_dim_places_do_not_shine(canvas):
    after = Glow(strength=1, radius=5, threshold=0).apply(canvas.colour, canvas)
    assert (after >= canvas.colour).all()
    assert after.max() <= 1
    dim = np.minimum(canvas.colour, 0.2)
    np.testing.assert_array_equal(Glow(strength=1, threshold=0.4).apply(dim, canvas), dim)


def test_gaps_neither_shine_nor_darken_a_glow():
    canvas = dark(100, 100)
    cover = canvas.cover.copy()
    cover[:, :40] = 0
    gap = Canvas(canvas.colour, cover, canvas.light)
    even = np.full((100, 100, 3), 0.5, np.float32) * cover[..., None]
    after = Glow(strength=1, radius=10, threshold=0).apply(even, gap)
    # 1 - (1 - 0.5)^2 wherever it is known.
    np.testing.assert_allclose(after[:, 40:], 0.75, atol=1e-3)
    np.testing.assert_array_equal(after[:, :40], 0)


def test_vignette_takes_its_stops_from_the_corners():
    canvas = dark(301, 401)
    even = np.full((301, 401, 3), 0.8, np.float32)
    after = Vignette(stops=2, start=0.4).apply(even, canvas)
    # The corner pixel's centre lies half a pixel inside: the step is flat there.
    assert after[0, 0, 0] == pytest.approx(0.2, rel=1e-3)
    assert after[150, 200, 0] == pytest.approx(0.8)
    np.testing.assert_allclose(after, after[::-1, ::-1], atol=1e-6)
    # Half way between start and corner a smooth step is one half.
    at = 0.7 * np.array([150.5, 200.5])
    row, column = np.round(150 - at[0]).astype(int), np.round(200 - at[1]).astype(int)
    assert after[row, column, 0] == pytest.approx(0.4, rel=0.02)


def test_a_vignette_may_lie_elsewhere():
    canvas = dark(100, 100)
    after = Vignette(stops=1, start=0, centre=(0.25, 0.75)).apply(np.ones((100, 100, 3), np.float32), canvas)
    assert np.unravel_index(after[..., 0].argmax(), (100, 100)) in [(74, 24), (74, 25), (75, 24), (75, 25)]


def spread(line):
    x = np.arange(len(line)) - (line * np.arange(len(line))).sum() / line.sum()
    return float(np.sqrt((line * x * x).sum() / line.sum()))


def test_depth_blur_grows_along_a_line():
    canvas = dark(300, 300)
    lines = np.zeros((300, 300, 3), np.float32)
    lines[:, 150] = 0.5
    step = DepthBlur(radius=2, by="line", line={"start": (0.5, 0.1), "end": (0.5, 0.9)})
    after = step.apply(lines, canvas)
    np.testing.assert_allclose(after[10], lines[10], atol=1e-6)
    widths = [spread(after[row, :, 1]) for row in (10, 100, 180, 290)]
    assert widths == sorted(widths)
    assert widths[-1] == pytest.approx(canvas.pixels(2), rel=0.05)
    # Blurring moves light, it makes none.
    np.testing.assert_allclose(after.sum(axis=1), lines.sum(axis=1), rtol=0.02)


def test_range_sets_the_focus_and_the_limb_gets_soft():
    away = np.repeat(np.linspace(1, np.e, 200, dtype=np.float32)[:, None], 200, axis=1)
    canvas = dark(200, 200, {"range_km": lambda: away * 1000})
    lines = np.zeros((200, 200, 3), np.float32)
    lines[:, 100] = 0.5
    after = DepthBlur(radius=1, focus=1, by="range").apply(lines, canvas)
    assert spread(after[0, :, 0]) == pytest.approx(2, rel=0.06)
    assert spread(after[-1, :, 0]) < 0.3
    x = (np.arange(200) + 0.5) / 150
    mu = np.where(x < 1, np.sqrt(np.maximum(1 - x**2, 1e-6)), np.nan).astype(np.float32) * np.ones((200, 1), np.float32)
    globe = Canvas(canvas.colour, canvas.cover, Illumination(mu, mu, mu))
    even = np.where(np.isfinite(mu), 0.5, 0).astype(np.float32)[..., None] * np.ones(3, np.float32)
    after = DepthBlur(radius=1, by="emission").apply(even, globe)[100, :, 0]
    np.testing.assert_allclose(after[:20], 0.5, atol=1e-3)
    # Both sides of the limb are blurred alike: half of the light at the edge, none lost.
    assert after[149:151].mean() == pytest.approx(0.25, abs=0.02)
    assert (np.diff(after[130:170]) <= 1e-4).all()
