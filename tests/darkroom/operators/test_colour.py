import numpy as np
import pytest
from pydantic import ValidationError

from perijove.compose.illumination import Illumination
from perijove.compose.spaces import from_oklab, to_oklab
from perijove.darkroom.canvas import Canvas
from perijove.darkroom.curve import to_display
from perijove.darkroom.operators import OPERATORS

COLOUR = ("white-balance", "colour-matrix", "saturation", "hue-selective", "defringe", "flatten-light", "black-sky")
WEIGHTS = np.array([0.2126, 0.7152, 0.0722])


def applied(name, colour, light=None, cover=None, **given):
    colour = np.asarray(colour, np.float32)
    flat = np.ones(colour.shape[:2], np.float32)
    canvas = Canvas(colour, flat if cover is None else cover, light or Illumination(flat, flat, 0 * flat))
    return OPERATORS[name](**given).apply(colour, canvas)


def hues_of(linear):
    lab = to_oklab(np.asarray(linear, np.float32))
    return np.degrees(np.arctan2(lab[..., 2], lab[..., 1])), np.hypot(lab[..., 1], lab[..., 2]), lab[..., 0]


def colours(hues_deg, chroma=0.05, lightness=0.6):
    at = np.radians(np.asarray(hues_deg, float))
    lab = np.stack([np.full_like(at, lightness), chroma * np.cos(at), chroma * np.sin(at)], axis=-1)
    return from_oklab(lab.astype(np.float32))[None]


def sphere(side=240, sun_deg=50.0):
    """A ball lit from the right, in a picture a little larger than it."""
    y, x = (np.mgrid[:side, :side] + 0.5 - side / 2) / (0.42 * side)
    square = x * x + y * y
    z = np.sqrt(np.clip(1 - square, 0, None))
    sun = np.radians(sun_deg)
    mu0 = np.where(square < 1, x * np.sin(sun) + z * np.cos(sun), np.nan)
    mu = np.where(square < 1, z, np.nan)
    latitude = np.where(square < 1, np.degrees(np.arcsin(np.clip(-y, -1, 1))), np.nan)
    return Illumination(*(plane.astype(np.float32) for plane in (mu0, mu, latitude)))


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("white-balance", {}),
        ("colour-matrix", {}),
        ("saturation", {}),
        ("hue-selective", {}),
        ("hue-selective", {"bands": [{"centre": 40}]}),
        ("defringe", {"purple": 0, "green": 0}),
        ("flatten-light", {"amount": 0}),
        ("black-sky", {"amount": 0}),
    ],
)
def test_neutral_parameters_do_nothing(name, given):
    noise = np.random.default_rng(3).uniform(-0.2, 1.5, (40, 50, 3)).astype(np.float32)
    assert applied(name, noise, **given) == pytest.approx(noise, abs=1e-6)


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("white-balance", {"neutral": [0, 0.5, 0.5]}),
        ("colour-matrix", {"rows": [[1, -1, 0], [0, 1, 0], [0, 0, 1]], "keep_grey": True}),
        ("colour-matrix", {"rows": [[1, 0], [0, 1]]}),
        ("saturation", {"saturation": -1}),
        ("hue-selective", {"bands": [{"width": 20}]}),
        ("defringe", {"radius": 0}),
        ("flatten-light", {"amount": 2}),
        ("black-sky", {"halo": 1}),
    ],
)
def test_nonsense_is_refused(name, given):
    with pytest.raises(ValidationError):
        OPERATORS[name](**given)


def test_white_balance_makes_a_neutral_grey_of_its_luminance():
    linear = np.array([0.4, 0.3, 0.1], np.float32)
    neutral = tuple(float(v) for v in to_display(linear))
    out = applied("white-balance", linear[None, None], neutral=neutral)[0, 0]
    assert out == pytest.approx([linear @ WEIGHTS] * 3, rel=1e-4)


def test_warmth_is_stops_of_red_over_blue_at_the_luminance_of_white():
    out = applied("white-balance", np.ones((1, 1, 3)), temperature=1.0, tint=0.25)[0, 0]
    assert np.log2(out[0] / out[2]) == pytest.approx(1.0, abs=1e-5)
    assert np.log2(out[1] / np.sqrt(out[0] * out[2])) == pytest.approx(-0.25, abs=1e-5)
    assert out @ WEIGHTS == pytest.approx(1, abs=1e-5)


def test_a_matrix_is_undone_by_its_inverse():
    rows = np.array([[1.2, -0.1, 0.0], [0.1, 0.9, 0.2], [0.0, -0.3, 1.1]])
    colour = np.random.default_rng(1).uniform(0, 1, (5, 5, 3))
    there = applied("colour-matrix", colour, rows=rows.tolist())
    assert there[2, 3] == pytest.approx(rows @ colour[2, 3], abs=1e-6)
    assert applied("colour-matrix", there, rows=np.linalg.inv(rows).tolist()) == pytest.approx(colour, abs=1e-5)
    grey = applied("colour-matrix", np.full((1, 1, 3), 0.3), rows=rows.tolist(), keep_grey=True)
    assert grey[0, 0] == pytest.approx([0.3] * 3, abs=1e-6)


def test_saturation_multiplies_chroma_alone():
    before = colours(np.arange(0, 360, 15), chroma=0.03)
    hue, chroma, lightness = hues_of(applied("saturation", before, saturation=1.5))
    assert chroma == pytest.approx(0.045, abs=1e-4)
    assert lightness == pytest.approx(0.6, abs=1e-4)
    assert np.cos(np.radians(hue - np.arange(0, 360, 15))) == pytest.approx(1, abs=1e-5)


def test_no_saturation_is_grey_and_much_of_it_can_be_shown():
    before = colours(np.arange(0, 360, 15), chroma=0.1)
    grey = applied("saturation", before, saturation=0)
    assert grey.max(axis=-1) == pytest.approx(grey.min(axis=-1), abs=1e-4)
    vivid = applied("saturation", before, saturation=4)
    assert vivid.min() >= -1e-5
    assert vivid.max() <= 1 + 1e-5


def test_vibrance_helps_pale_colours_more_and_keeps_their_order():
    chroma = np.array([0.01, 0.03, 0.06, 0.1])
    before = np.concatenate([colours([50], c, 0.7) for c in chroma], axis=1)
    _, after, _ = hues_of(applied("saturation", before, vibrance=1.0))
    assert (after[0] / chroma) == pytest.approx(1 + np.exp(-chroma / 0.12), rel=2e-3)
    assert (np.diff(after[0]) > 0).all()


def test_one_hue_turns_and_others_stay():
    before = colours([40, 200, 300])
    band = {"centre": 40, "width": 60, "shift": 30, "saturation": 1.5, "lightness": 0.1}
    out = applied("hue-selective", before, bands=[band])
    hue, chroma, lightness = hues_of(out)
    # The hue is looked up to 0.3 degrees, which loses 3e-4 of the weight near the centre.
    assert hue[0, 0] == pytest.approx(70, abs=0.1)
    assert chroma[0, 0] == pytest.approx(0.05 * 1.5 * 1.1, rel=3e-3)
    assert lightness[0, 0] == pytest.approx(0.66, rel=2e-3)
    assert out[0, 1:] == pytest.approx(before[0, 1:], abs=1e-5)


def test_bands_of_hue_work_around_the_circle_and_spare_grey():
    before = np.concatenate([colours([355, 5]), np.full((1, 1, 3), 0.2, np.float32)], axis=1)
    out = applied("hue-selective", before, bands=[{"centre": -360, "width": 90, "saturation": 0.0, "lightness": 0.4}])
    _, chroma, lightness = hues_of(out)
    assert (chroma[0, :2] < 0.01).all()
    assert (lightness[0, :2] > 0.75).all()
    assert out[0, 2] == pytest.approx([0.2] * 3, abs=1e-3)


def fringed(side=200):
    """Bright ground beside black, a purple line on the edge, purple ground far from it."""
    colour = np.full((side, side, 3), 0.5, np.float32)
    colour[:, : side // 2] = 0.002
    purple = from_oklab(np.array([0.6, 0.1 * np.cos(np.radians(310)), 0.1 * np.sin(np.radians(310))], np.float32))
    colour[:, side // 2] = colour[:, -side // 4 :] = purple
    return colour


def test_a_fringe_goes_and_purple_ground_stays():
    before = fringed()
    after = applied("defringe", before, radius=1.0)
    assert hues_of(after[:, 100])[1].max() < 0.01
    assert hues_of(after[:, 100])[2] == pytest.approx(0.6, abs=1e-3)
    assert after[:, 160:] == pytest.approx(before[:, 160:], abs=1e-5)


def test_the_limb_gets_the_colour_of_the_ground_within():
    cream = from_oklab(np.array([0.8, -0.01, 0.04], np.float32))
    colour = np.broadcast_to(cream, (200, 200, 3)).copy()
    colour[:, :100] = 0.0
    colour[:, 100] = from_oklab(np.array([0.6, 0.0, -0.1], np.float32))
    after = to_oklab(applied("defringe", colour, radius=1.0, others=1.0))
    # Chroma over lightness is that of the ground; the ground itself stays.
    assert after[:, 100] == pytest.approx(np.tile([0.6, -0.0075, 0.03], (200, 1)), abs=1e-3)
    assert after[:, 101:] == pytest.approx(np.broadcast_to([0.8, -0.01, 0.04], (200, 99, 3)), abs=1e-3)


def test_a_gap_is_no_edge():
    colour, cover = fringed(), np.ones((200, 200), np.float32)
    cover[:, :100] = 0
    colour[:, 100] = colour[:, -1]
    colour[:, 101:150] = colour[0, -1]
    assert applied("defringe", colour, cover=cover, radius=1.0)[:, 100:] == pytest.approx(colour[:, 100:], abs=1e-5)


def test_even_ground_gets_even():
    light = sphere()
    known = light.on_ground
    truth = np.where(known, 0.3 * np.clip(np.nan_to_num(light.mu0), 0, None), 0).astype(np.float32)
    colour = truth[..., None] * np.array([1.0, 0.9, 0.7], np.float32)
    out = applied("flatten-light", colour, light, amount=1.0, most_stops=5.0)
    well = known & (np.nan_to_num(light.mu0) > 0.2) & (np.nan_to_num(light.mu) > 0.15)
    # Lambert's ground, which the law contains: what is left is the pull of the fit and the dusk.
    assert out[well].std(axis=0) / out[well].mean(axis=0) == pytest.approx([0] * 3, abs=0.03)
    lit = known & (np.nan_to_num(light.mu0) > 0.1)
    assert np.median(out[lit, 1]) == pytest.approx(np.median(colour[lit, 1]), rel=0.05)
    half = applied("flatten-light", colour, light, amount=0.5, most_stops=5.0)
    spread = [np.log(c[well][:, 1]).std() for c in (colour, half)]
    assert spread[1] == pytest.approx(spread[0] / 2, rel=0.1)


def test_night_stays_dark_and_sky_has_no_halo():
    light = sphere()
    known = light.on_ground
    rng = np.random.default_rng(2)
    stray = np.abs(rng.normal(0.002, 0.0005, known.shape))
    colour = np.where(known, 0.3 * np.clip(np.nan_to_num(light.mu0), 0, None), 0) + stray
    colour = np.repeat(colour[..., None], 3, axis=-1)
    out = applied("flatten-light", colour, light, amount=1.0)
    night = known & (np.nan_to_num(light.mu0) < -0.1)
    assert out[night].max() < 0.002
    # At most eight times, and beside the lit limb less than the ground there.
    assert out[~known].max() <= 8 * colour[~known].max()
    assert out[~known].max() < 0.1 * np.median(out[known & (np.nan_to_num(light.mu0) > 0.5)])


def test_coloured_light_goes_with_tint():
    light = sphere()
    known = light.on_ground
    mu0 = np.clip(np.nan_to_num(light.mu0), 0.001, None)
    red = np.where(mu0 < 0.6, (0.6 / mu0) ** 0.2, 1.0)
    colour = np.stack([mu0 * red, mu0, mu0 / red], axis=-1) * 0.2 * known[..., None]
    out = applied("flatten-light", colour, light, amount=1.0, tint=1.0)
    well = known & (mu0 > 0.1) & (np.nan_to_num(light.mu) > 0.15)
    ratio = np.log(out[well, 0] / out[well, 2])
    # Of a cast of up to 2 x 0.2 ln 6 = 0.7 what knots of a table cannot follow is left.
    assert np.ptp(np.percentile(ratio, [1, 99])) < 0.2 * np.ptp(np.log(colour[well, 0] / colour[well, 2]))


def test_sky_is_black_but_for_the_haze_and_ground_is_as_it_was():
    light = sphere(400)
    out = applied("black-sky", np.full((400, 400, 3), 0.5), light, haze=2.0)[..., 0]
    y, x = np.mgrid[:400, :400] + 0.5 - 200
    away = np.hypot(x, y) - 168
    lit = (x > 0) & (np.abs(y) < 40)
    assert (out[away > 18] == 0).all()
    # Up to 2 % of 400, less a pixel of the limb's stairs, all stays.
    assert out[lit & (away > 0) & (away < 6)] == pytest.approx(0.5, abs=1e-5)
    ring = out[lit & (away > 9) & (away < 15)]
    assert 0.05 < ring.mean() < 0.45
    mu0 = np.nan_to_num(light.mu0, nan=-9)
    assert (out[mu0 > 0] == 0.5).all()
    assert (out[light.on_ground & (mu0 < -0.14)] == 0).all()


@pytest.mark.parametrize("name", ["flatten-light", "black-sky", "defringe"])
def test_looks_are_the_same_at_half_the_size(name):
    import cv2

    given = {"flatten-light": {"amount": 1.0}, "black-sky": {"haze": 3.0}, "defringe": {"radius": 1.0, "others": 1.0}}
    large, small = sphere(480), sphere(240)
    pictures = []
    for light in (large, small):
        mu0 = np.clip(np.nan_to_num(light.mu0), 0, None)
        colour = 0.02 + mu0[..., None] * np.array([0.5, 0.4, 0.2])
        pictures.append(applied(name, colour, light, **given[name]))
    full = cv2.resize(pictures[0], (240, 240), interpolation=cv2.INTER_AREA)
    away = np.abs(full - pictures[1])
    # Only the stairs of the limb differ.
    assert away.mean() < 0.004
    assert np.percentile(away, 95) < 0.02


@pytest.mark.parametrize("name", COLOUR)
def test_results_are_finite_even_without_ground(name):
    noise = np.random.default_rng(3).uniform(-0.2, 1.5, (40, 50, 3)).astype(np.float32)
    strong = {
        "saturation": {"saturation": 4, "vibrance": 2},
        "hue-selective": {"bands": [{"centre": 0, "width": 360, "shift": 180, "saturation": 4, "lightness": -0.5}]},
        "flatten-light": {"amount": 1, "tint": 1},
        "white-balance": {"temperature": -2, "tint": 2, "neutral": [0.02, 1, 0.02]},
    }.get(name, {})
    nowhere = np.full(noise.shape[:2], np.nan, np.float32)
    for light in (None, Illumination(nowhere, nowhere, nowhere), sphere(50)):
        if light is not None and light.mu0.shape != noise.shape[:2]:
            light = Illumination(light.mu0[:40], light.mu[:40], light.latitude_deg[:40])
        for cover in (np.ones(noise.shape[:2], np.float32), np.zeros(noise.shape[:2], np.float32)):
            assert np.isfinite(applied(name, noise, light, cover, **strong)).all()
