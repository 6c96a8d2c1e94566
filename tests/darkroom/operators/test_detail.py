import numpy as np
import pytest
from pydantic import ValidationError

from perijove.compose.illumination import Illumination
from perijove.compose.spaces import to_oklab
from perijove.darkroom.canvas import Canvas
from perijove.darkroom.operators import OPERATORS
from perijove.darkroom.operators.detail import HighPass, LocalContrast, Unsharp, Wavelet
from perijove.darkroom.operators.neighbourhood import blurred
from perijove.darkroom.operators.tables import luminance
from perijove.darkroom.operators.wavelets import scales_of, summed


def planet(colour, sky_from=None, unknown_to=0):
    """Ground seen from above, with black sky on the right and a gap on the left."""
    colour = np.array(colour, np.float32)
    if colour.ndim == 2:
        colour = np.repeat(colour[..., None], 3, axis=-1)
    shape = colour.shape[:2]
    angle = np.ones(shape, np.float32)
    cover = np.ones(shape, np.float32)
    if sky_from is not None:
        angle[:, sky_from:] = np.nan
        colour[:, sky_from:] = 0
    cover[:, :unknown_to] = 0
    colour[:, :unknown_to] = 0
    return Canvas(colour, cover, Illumination(angle, angle, angle * 0))


def clouds(side, seed=3, periods=((3, 5), (7, -4), (11, 9))):
    """A picture defined by waves, so that it is the same at every size."""
    rng = np.random.default_rng(seed)
    y, x = (np.mgrid[:side, :side].astype(np.float32) + 0.5) / side
    waves = sum(np.sin(2 * np.pi * (a * x + b * y) + rng.uniform(0, 6)) for a, b in periods)
    return np.asarray(0.5 + 0.08 * waves, np.float32)


def halved(picture):
    side = picture.shape[0] // 2
    return picture.reshape(side, 2, side, 2, -1).mean(axis=(1, 3)).astype(np.float32)


STRONG = {
    "local-contrast": {"strength": 1, "limit": 3},
    "unsharp": {"amount": 2, "radius": 1.5},
    "wavelet": {"gains": (1, 2, 2, 2, 1), "finest": 0.2, "gate": 0.0},
    "high-pass": {"gain": 2, "radius": 1.5},
    # Noise is one of pixels, and what is damped by it is, too.
    "deconvolve": {"sigma": 0.5, "iterations": 10, "damping": 0},
    "denoise": {"lightness": 1, "chroma": 1, "size": 1},
    "glow": {"strength": 0.5, "radius": 3},
    "vignette": {"stops": 2},
    "depth-blur": {"radius": 1, "by": "line", "line": {"start": (0, 0), "end": (1, 1)}},
    "lens-flare": {"strength": 1},
}
NEUTRAL = {
    "local-contrast": {"strength": 0},
    "unsharp": {"amount": 0},
    "wavelet": {"gains": (1, 1, 1)},
    "deconvolve": {"iterations": 0},
    "denoise": {"lightness": 0, "chroma": 0},
    "glow": {"strength": 0},
    "vignette": {},
    "depth-blur": {"radius": 0},
    "lens-flare": {"strength": 0},
    "grain": {"strength": 0},
    "stars": {},
}
#: Operators that are to change ground alone.
OF_GROUND = ("local-contrast", "unsharp", "wavelet", "deconvolve", "denoise")


@pytest.mark.parametrize("name", NEUTRAL)
def test_neutral_parameters_leave_the_picture(name, canvas):
    after = OPERATORS[name](**NEUTRAL[name]).apply(canvas.colour, canvas)
    np.testing.assert_array_equal(after, canvas.colour)


@pytest.mark.parametrize("name", [*STRONG, "grain", "stars"])
def test_finite_on_noise_flat_black_and_tiny_pictures(name, canvas):
    step = OPERATORS[name](**STRONG.get(name, {"seed": 5}))
    for colour in (canvas.colour, np.zeros_like(canvas.colour), np.ones_like(canvas.colour)):
        assert np.isfinite(step.apply(colour, canvas)).all()
    tiny = planet(np.full((3, 5), 0.5))
    assert step.apply(tiny.colour, tiny).shape == (3, 5, 3)


@pytest.mark.parametrize("name", STRONG)
def test_same_look_at_half_the_size(name):
    large, small = (planet(clouds(side)) for side in (512, 256))
    # The waves are sampled at points; their means over two by two pixels differ by less than this.
    np.testing.assert_allclose(halved(large.colour), small.colour, atol=2e-3)
    step = OPERATORS[name](**STRONG[name])
    after_large, after_small = (step.apply(c.colour, c) for c in (large, small))
    change = np.abs(after_small - small.colour).max()
    off = halved(after_large) - after_small
    # Taps, histograms and small drawings fall differently on the two grids; the look may differ by a tenth at most.
    assert np.sqrt(np.mean(off**2)) < 0.1 * max(change, 0.01)


@pytest.mark.parametrize("name", OF_GROUND)
def test_even_ground_gets_no_halo_beside_black_sky_and_gaps(name):
    even = planet(np.full((200, 200), 0.6), sky_from=140, unknown_to=30)
    after = OPERATORS[name](**STRONG[name]).apply(even.colour, even)
    ground = after[:, 30:140]
    # Even ground has no detail: whatever is next to it, it stays even.
    assert np.ptp(ground) < 2e-3
    np.testing.assert_array_equal(after[:, 140:], 0)
    np.testing.assert_array_equal(after[:, :30], 0)


def test_what_is_unknown_has_no_influence(canvas):
    other = np.where(canvas.cover[..., None] > 0, canvas.colour, np.float32(0.9))
    known = canvas.cover > 0
    for name in OF_GROUND:
        step = OPERATORS[name](**STRONG[name])
        one, two = (step.apply(colour.astype(np.float32), canvas) for colour in (canvas.colour, other))
        np.testing.assert_allclose(one[known], two[known], atol=1e-6)


def test_unsharp_raises_a_wave_as_its_formula_says():
    side, period = 400, 20.0
    x = np.arange(side) + 0.5
    wave = 0.02 * np.sin(2 * np.pi * x / period)
    even = planet(np.repeat(0.5 + wave[None], side, axis=0))
    sigma_px = 4.0
    after = Unsharp(amount=1, radius=100 * sigma_px / side, halo=1.0).apply(even.colour, even)[200, 100:300, 0] - 0.5
    # A Gaussian keeps exp(-2 pi^2 sigma^2 / period^2) of a wave.
    gain = 2 - np.exp(-2 * np.pi**2 * sigma_px**2 / period**2)
    # The limit of 1 costs less than a part in a thousand; the smaller picture that the blur is made of, five.
    np.testing.assert_allclose(after, gain * wave[100:300], atol=0.005 * 0.03)


def test_unsharp_keeps_to_the_halo_limit_and_leaves_small_differences():
    step = np.where(np.arange(200) < 100, 0.2, 0.8) * np.ones((200, 1))
    edge = planet(step)
    change = Unsharp(amount=5, radius=2, halo=0.05).apply(edge.colour, edge) - edge.colour
    assert 0.03 < np.abs(change).max() <= 0.05 + 1e-5
    faint = planet(0.5 + 0.002 * np.sign(np.sin(np.arange(200)))[None] * np.ones((200, 1)))
    change = Unsharp(amount=5, radius=2, threshold=0.05).apply(faint.colour, faint) - faint.colour
    assert np.abs(change).max() < 0.1 * 5 * 0.002


def test_hue_and_saturation_stay():
    grey = clouds(128)
    coloured = planet(grey[..., None] * np.array([1.0, 0.8, 0.5], np.float32))
    for step in (Unsharp(amount=2, radius=2), Wavelet(gains=(2, 2, 2), finest=1, gate=0)):
        after = step.apply(coloured.colour, coloured)
        np.testing.assert_allclose(after / after[..., :1], coloured.colour / coloured.colour[..., :1], rtol=1e-3)


def test_local_contrast_keeps_oklab_hue_and_mean_and_spreads_lightness():
    pale = 0.4 + 0.2 * (clouds(256) - 0.5)
    canvas = planet(pale[..., None] * np.array([1.0, 0.85, 0.7], np.float32))
    after = LocalContrast(strength=1, limit=4).apply(canvas.colour, canvas)
    before_lab, after_lab = to_oklab(canvas.colour), to_oklab(after)
    np.testing.assert_allclose(
        after_lab[..., 2] / after_lab[..., 1], before_lab[..., 2] / before_lab[..., 1], rtol=0.01
    )
    assert after_lab[..., 0].std() > 1.8 * before_lab[..., 0].std()
    assert abs(float(after_lab[..., 0].mean() - before_lab[..., 0].mean())) < 0.02
    # No slope exceeds the limit and what is spread evenly.
    assert after_lab[..., 0].std() < 5 * before_lab[..., 0].std()


def test_textbook_equalisation_of_even_histograms_changes_nothing():
    """Where every tile has all levels equally often, the mapping is the identity."""
    lightness = np.random.default_rng(2).uniform(0.0, 1.0, (400, 400)).astype(np.float32)
    grey = planet(lightness**3)
    after = np.cbrt(LocalContrast(strength=1, flatten=1, tile=50).apply(grey.colour, grey)[..., 0])
    # 40,000 pixels a tile: cumulative shares deviate by 1 / (2 sqrt(40,000)) = 0.0025, four such are allowed.
    np.testing.assert_allclose(after, lightness, atol=0.01)


def direct(values, count):
    """The a-trous transform as it is defined, on the full grid, by sums of shifted pictures."""
    scales = []
    for scale in range(count):
        smooth = values
        for axis in (0, 1):
            reach = 2 << scale
            pad = [(0, 0), (0, 0)]
            pad[axis] = (reach, reach)
            wide = np.pad(smooth, pad, mode="symmetric")
            taps = zip((1, 4, 6, 4, 1), range(0, 2 * reach + 1, 1 << scale), strict=True)
            n = values.shape[axis]
            smooth = sum(w / 16 * np.take(wide, np.arange(at, at + n), axis=axis) for w, at in taps)
        scales.append(values - smooth)
        values = smooth
    return scales


def test_wavelets_are_the_a_trous_transform():
    picture = np.random.default_rng(1).normal(0.5, 0.1, (256, 256)).astype(np.float32)
    scales = scales_of(picture, 5)
    for at, expected in enumerate(direct(picture.astype(float), 5)):
        only = summed(scales, lambda scale, at=at: scale.detail if scale is scales[at] else None, picture.shape)
        inner = np.s_[64:-64, 64:-64]
        # Finest two exactly; coarser grids hold the rest to a fifth of it, in noise of all frequencies.
        allowed = 1e-5 if at < 2 else 0.2 * expected.std()
        assert np.sqrt(np.mean((only - expected)[inner] ** 2)) < allowed


def test_wavelet_noise_is_that_of_normal_noise():
    picture = np.random.default_rng(1).normal(0.5, 0.1, (512, 512)).astype(np.float32)
    ones = np.ones_like(picture)
    # Deviations of white noise in the spline's scales (Starck & Murtagh 2006).
    for scale, part in zip(scales_of(picture, 2), (0.889, 0.200), strict=True):
        assert scale.noise(ones) == pytest.approx(0.1 * part, rel=0.03)


def test_the_gate_holds_noise_back_and_lets_detail_through():
    rng = np.random.default_rng(4)
    noise = rng.normal(0, 0.01, (256, 256)).astype(np.float32)
    star = np.zeros_like(noise)
    star[128, 128] = 0.3
    canvas = planet(0.5 + noise + star)
    gains = {"gains": (3.0, 3.0), "finest": 100 / 256, "halo": 1.0}
    free, gated = (Wavelet(gate=gate, **gains).apply(canvas.colour, canvas)[..., 0] for gate in (0.0, 4.0))
    away = np.s_[:100]
    assert free[away].std() > 2 * noise[away].std()
    assert gated[away].std() < 1.15 * noise[away].std()
    assert gated[128, 128] - 0.8 > 0.8 * (free[128, 128] - 0.8)


def test_high_pass_is_grey_on_even_ground_and_gives_detail_back():
    canvas = planet(clouds(200), sky_from=150)
    step = HighPass(radius=2)
    after = step.apply(canvas.colour, canvas)
    np.testing.assert_array_equal(after[:, 150:], 0.5)
    ground = (canvas.light.on_ground * canvas.cover).astype(np.float32)
    mean = blurred(luminance(canvas.colour), ground, canvas.pixels(2))
    # Linear light of it over the mean is the picture: c = mean + (h - 0.5).
    np.testing.assert_allclose((mean[..., None] + after - 0.5)[:, :150], canvas.colour[:, :150], atol=1e-5)


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("unsharp", {"amount": -1}),
        ("unsharp", {"radius": 0}),
        ("unsharp", {"radius": float("nan")}),
        ("wavelet", {"gains": ()}),
        ("wavelet", {"gains": (1,) * 7}),
        ("wavelet", {"gains": (9,)}),
        ("local-contrast", {"limit": 0.5}),
        ("high-pass", {"sharpness": 1}),
        ("deconvolve", {"iterations": 1000}),
        ("denoise", {"method": "median"}),
        ("glow", {"strength": 2}),
        ("depth-blur", {"by": "line"}),
        ("depth-blur", {"line": {"start": (0, 0), "end": (1, 1)}}),
        ("stars", {"density": -1}),
        ("grain", {"size": 0}),
        ("lens-flare", {"light": (9, 0)}),
    ],
)
def test_nonsense_is_refused(name, wrong):
    with pytest.raises(ValidationError):
        OPERATORS[name](**wrong)
