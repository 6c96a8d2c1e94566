import cv2
import numpy as np
import pytest
from pydantic import ValidationError
from scipy.interpolate import PchipInterpolator

from perijove.compose.illumination import Illumination
from perijove.darkroom.canvas import Canvas
from perijove.darkroom.operators import OPERATORS

TONE = ("exposure", "levels", "curves", "contrast", "gamma", "shadows-highlights", "tone-mapping")


def canvas_of(colour, cover=None):
    shape = colour.shape[:2]
    flat = np.ones(shape, np.float32)
    return Canvas(colour, flat if cover is None else cover, Illumination(flat, flat, 0 * flat))


def applied(name, colour, cover=None, **given):
    colour = np.asarray(colour, np.float32)
    return OPERATORS[name](**given).apply(colour, canvas_of(colour, cover))


def greys(values):
    return np.repeat(np.asarray(values, np.float32).reshape(1, -1, 1), 3, axis=-1)


@pytest.fixture(scope="module")
def noise():
    return np.random.default_rng(3).uniform(-0.2, 1.5, (40, 50, 3)).astype(np.float32)


@pytest.mark.parametrize("name", TONE)
def test_defaults_do_nothing(name, noise):
    assert np.array_equal(applied(name, noise), noise)


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("exposure", {"stops": 9}),
        ("levels", {"black": 0.5, "white": 0.5}),
        ("levels", {"red": {"gamma": 0}}),
        ("curves", {"rgb": [[0, 0]]}),
        ("curves", {"rgb": [[0.5, 0], [0.2, 1]]}),
        ("curves", {"rgb": [[0, 0], [1, 2]]}),
        ("curves", {"rgb": [[k / 20, 0.5] for k in range(17)]}),
        ("contrast", {"pivot": 0}),
        ("gamma", {"gamma": float("nan")}),
        ("shadows-highlights", {"radius": 0}),
        ("tone-mapping", {"curve": "magic"}),
        ("tone-mapping", {"whites": 2}),
    ],
)
def test_nonsense_is_refused(name, given):
    with pytest.raises(ValidationError):
        OPERATORS[name](**given)


def test_levels_map_their_ends_and_middle():
    out = applied("levels", greys([0.0, 0.1, 0.5, 0.9, 1.3]), black=0.1, white=0.9, gamma=2.0)
    # (0.5 - 0.1) / 0.8 = 1/2, its root 0.7071; (1.3 - 0.1) / 0.8 = 1.5.
    assert out[0, :, 0] == pytest.approx([0, 0, 0.70711, 1, 1.22474], abs=1e-5)


def test_levels_of_a_channel_leave_the_others_alone():
    out = applied("levels", greys([0.4]), green={"white": 0.8})
    assert out[0, 0] == pytest.approx([0.4, 0.5, 0.4], abs=1e-6)


def test_a_curve_is_the_monotone_cubic_through_its_points():
    points = ((0.1, 0.0), (0.3, 0.15), (0.35, 0.6), (0.8, 0.62), (1.0, 0.9))
    x = np.linspace(0.1, 1, 3001)
    out = applied("curves", greys(x), green=points)
    # Linear between 8192 cells: a fraction of one 16-bit level where the curve bends most.
    assert out[0, :, 1] == pytest.approx(PchipInterpolator(*zip(*points, strict=True))(x), abs=1.5e-5)
    assert np.array_equal(out[0, :, 0], greys(x)[0, :, 0])
    assert (np.diff(out[0, :, 1]) >= -1e-6).all()


def test_a_curve_of_luminance_gives_that_luma_and_keeps_proportions():
    colour = np.array([[[0.30, 0.20, 0.10], [0.5, 0.5, 0.4]]], np.float32)
    out = applied("curves", colour, luminance=((0, 0), (0.3, 0.4), (1, 1)))
    weights = np.array([0.2126, 0.7152, 0.0722])
    wanted = PchipInterpolator([0, 0.3, 1], [0, 0.4, 1])(colour @ weights)
    assert out @ weights == pytest.approx(wanted, abs=1e-4)
    assert out[0, 0] / out[0, 0, 0] == pytest.approx(colour[0, 0] / 0.30, abs=1e-5)


def test_a_curve_of_luminance_does_not_clip_strong_colours():
    colour = np.array([[[0.9, 0.3, 0.1]]], np.float32)
    out = applied("curves", colour, luminance=((0, 0), (0.4, 0.8), (1, 1)))
    wanted = PchipInterpolator([0, 0.4, 1], [0, 0.8, 1])(float(colour[0, 0] @ [0.2126, 0.7152, 0.0722]))
    assert out.max() <= 1 + 1e-5
    assert out[0, 0] @ [0.2126, 0.7152, 0.0722] == pytest.approx(wanted, abs=1e-4)
    assert out[0, 0, 0] > out[0, 0, 1] > out[0, 0, 2]


def test_contrast_has_its_slope_at_the_pivot_and_keeps_the_ends():
    x = np.array([0.0, 0.399, 0.4, 0.401, 1.0])
    out = applied("contrast", greys(x), amount=1.0, pivot=0.4, channels=True)[0, :, 0]
    assert out[[0, 2, 4]] == pytest.approx([0, 0.4, 1], abs=1e-4)
    # c = 2; the curve bends on within the 0.001, by up to 0.3 %.
    assert (out[3] - out[1]) / 0.002 == pytest.approx(2.0, rel=0.01)


def test_gamma_keeps_its_pivot():
    out = applied("gamma", greys([0.25, 0.5, 1.0]), gamma=2.0, pivot=0.25)[0, :, 0]
    assert out == pytest.approx([0.25, 0.25 * np.sqrt(2), 0.5], abs=1e-5)


@pytest.mark.parametrize("shadows", [-1, 0, 1])
@pytest.mark.parametrize("highlights", [-1, 0, 1])
@pytest.mark.parametrize("width", [0.2, 0.6])
def test_shadows_and_highlights_keep_the_order_of_tones(shadows, highlights, width):
    given = {"shadows": shadows, "highlights": highlights, "shadows_width": width, "highlights_width": width}
    # Even grounds: each its own picture, whose base it is.
    levels = np.linspace(0, 1, 41)
    out = [applied("shadows-highlights", np.full((4, 4, 3), v), **given)[1, 1, 1] for v in levels]
    assert (np.diff(out) > -1e-5).all()
    if shadows > 0:
        assert out[4] > 1.05 * levels[4]
    if highlights < 0:
        assert out[40] < 0.95


def test_shadows_are_lifted_with_the_detail_in_them():
    x = np.arange(200, dtype=np.float32)
    plane = 0.15 + 0.02 * np.sin(x / 2)[None, :] * np.ones((200, 1), np.float32)
    colour = np.repeat(plane[..., None], 3, axis=-1)
    out = applied("shadows-highlights", colour, shadows=1.0, radius=10)[60:140, 60:140, 0]
    before = colour[60:140, 60:140, 0]
    assert out.mean() > 1.4 * before.mean()
    # The same contrast about a higher mean: the base is smooth, so that all is multiplied alike.
    assert out.std() / out.mean() == pytest.approx(before.std() / before.mean(), rel=0.1)


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("shadows-highlights", {"shadows": 1.0, "highlights": -1.0}),
        ("tone-mapping", {"white": 4.0, "local": 1.0}),
    ],
)
def test_what_is_unknown_does_not_bleed_in(name, given):
    rng = np.random.default_rng(1)
    colour = rng.uniform(0.2, 0.6, (160, 160, 3)).astype(np.float32)
    cover = np.ones((160, 160), np.float32)
    cover[:, 80:] = 0
    one, other = colour.copy(), colour.copy()
    one[:, 80:], other[:, 80:] = 0, 50
    first, second = (applied(name, c, cover, radius=10, **given)[:, :80] for c in (one, other))
    assert np.array_equal(first, second)


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("shadows-highlights", {"shadows": 1.0, "highlights": -1.0, "radius": 5}),
        ("tone-mapping", {"white": 4.0, "local": 1.0, "radius": 5}),
    ],
)
def test_a_look_is_the_same_at_half_the_size(name, given):
    rng = np.random.default_rng(5)
    coarse = rng.uniform(0.05, 0.95, (12, 12, 3)).astype(np.float32)
    large = np.clip(cv2.resize(coarse, (480, 480), interpolation=cv2.INTER_CUBIC), 0, 1)
    small = cv2.resize(large, (240, 240), interpolation=cv2.INTER_AREA)
    full = cv2.resize(applied(name, large, **given), (240, 240), interpolation=cv2.INTER_AREA)
    away = np.abs(applied(name, small, **given) - full)
    # Squares of whole cells differ by a part of a cell in a radius of five.
    assert away.mean() < 0.004
    assert np.percentile(away, 99) < 0.02


def test_reinhard_has_its_published_values():
    # Equation 4 of Reinhard et al. with white 4: L = 1 gives (1 + 1/16) / 2, L = 4 gives 1.
    out = applied("tone-mapping", greys([0.0, 1.0, 4.0]), white=4.0)[0, :, 0]
    assert out == pytest.approx([0, 0.53125, 1], abs=1e-6)


def test_filmic_is_hables_curve():
    def hable(x):
        a, b, c, d, e, f = 0.15, 0.50, 0.10, 0.20, 0.02, 0.30
        return (x * (a * x + c * b) + d * e) / (x * (a * x + b) + d * f) - e / f

    x = np.array([0.0, 0.1, 0.7, 2.0, 5.6])
    out = applied("tone-mapping", greys(x), curve="filmic", white=5.6)[0, :, 0]
    assert out == pytest.approx(hable(2 * x) / hable(11.2), abs=1e-5)


def test_local_tone_mapping_keeps_more_contrast_of_clouds():
    x = np.arange(300, dtype=np.float32)
    plane = 1.5 * (1 + 0.1 * np.sin(x / 2))[None, :] * np.ones((300, 1), np.float32)
    colour = np.repeat(plane[..., None], 3, axis=-1)
    flat, local = (applied("tone-mapping", colour, white=8.0, local=k, radius=8)[100:200, 100:200, 0] for k in (0, 1))
    assert local.std() / local.mean() > 1.5 * flat.std() / flat.mean()
    assert local.mean() == pytest.approx(flat.mean(), rel=0.03)


@pytest.mark.parametrize("name", TONE)
def test_results_are_finite(name, noise):
    strong = {
        "exposure": {"stops": 8},
        "levels": {"black": 0.4, "white": 0.45, "gamma": 10},
        "curves": {"luminance": [[0, 1], [0.01, 0], [1, 1]]},
        "contrast": {"amount": -2},
        "gamma": {"gamma": 10, "pivot": 0.05},
        "shadows-highlights": {"shadows": 1, "highlights": 1, "radius": 0.2},
        "tone-mapping": {"curve": "filmic", "stops": 8, "white": 100, "local": 1},
    }
    given = strong[name]
    for cover in (np.ones(noise.shape[:2], np.float32), np.zeros(noise.shape[:2], np.float32)):
        assert np.isfinite(applied(name, noise, cover, **given)).all()
