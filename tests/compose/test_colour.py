"""The natural picture: what it may change in the linear planes, and what it must not."""

import numpy as np
import pytest

from perijove.compose.colour import BAND_SCALE, EYE_FROM_BANDS, encode_srgb, natural

RGB = ("RED", "GREEN", "BLUE")
#: Far above any value: nothing is saturated.
OPEN = dict.fromkeys(RGB, 10.0)
#: Reflectance of the model's clouds by band.
CLOUD = np.array([0.6, 0.5, 0.35])


def decode(codes: np.ndarray) -> np.ndarray:
    """Linear light of 16-bit sRGB codes, by the inverse curve of IEC 61966-2-1."""
    v = codes / 65535.0
    return np.where(v <= 0.04045, v / 12.92, ((v + 0.055) / 1.055) ** 2.4)


def seen(planes: np.ndarray) -> np.ndarray:
    """Linear colours that planes in calibrated I/F are shown in, before exposure."""
    scale = np.array([BAND_SCALE[band] for band in RGB])
    return (planes * scale) @ np.asarray(EYE_FROM_BANDS).T


def globe(colour: np.ndarray = CLOUD, size: int = 200) -> np.ndarray:
    """Half-lit ball in a black sky, (size, size, 3), float32."""
    y, x = (np.mgrid[:size, :size] + 0.5) / size * 2.4 - 1.2
    z = np.sqrt(np.maximum(1 - x * x - y * y, 0.0))
    light = np.where(z > 0, np.clip(0.8 * x + 0.6 * z, 0.0, None), 0.0)
    return (light[..., None] * colour).astype(np.float32)


def test_encoding_is_the_standards() -> None:
    linear = np.concatenate([np.linspace(0, 0.01, 500), np.linspace(0.01, 1, 5000)])
    curve = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    codes = encode_srgb(linear.astype(np.float32))
    assert codes.dtype == np.uint16
    # Rounding to a code, and single precision of a power: one code more.
    assert np.abs(codes.astype(float) - 65535 * curve).max() < 1.0


def test_encoding_climbs_and_clips() -> None:
    codes = encode_srgb(np.linspace(0, 1, 100001, dtype=np.float32)).astype(int)
    assert (np.diff(codes) >= 0).all()
    # From 0 on every step of 1e-5 of full light is at least a quarter of a code, and none skips ten.
    assert np.diff(codes).max() < 10
    assert encode_srgb(np.array([-0.5, 1.5, np.inf], np.float32)).tolist() == [0, 65535, 65535]


def test_brightness_keeps_its_order() -> None:
    ramp = np.linspace(0.0, 0.5, 1000, dtype=np.float32)
    picture = natural(np.tile(ramp[:, None, None], (1, 50, 3)), RGB, OPEN)
    codes = picture.pixels[:, 25, 1].astype(int)
    # Beyond the darkest 2 %, which may be sky, brighter ground is brighter in the picture, up to the brightest.
    assert (np.diff(codes[30:]) > 0).all()


def test_unsaturated_input_is_not_clipped() -> None:
    picture = natural(globe(), RGB, OPEN)
    assert picture.pixels.dtype == np.uint16
    assert picture.pixels.max() < 65535
    # Bright enough to look at, too: 0.8 of full light is 0.906 of the code's range.
    assert picture.pixels.max() > 0.88 * 65535
    assert picture.saturated == {}


def test_the_picture_is_linear_below_the_shoulder() -> None:
    planes = globe()
    picture = natural(planes, RGB, OPEN)
    linear = decode(picture.pixels)
    expected = picture.gain * seen(planes)
    below = (expected.max(axis=-1) < 0.7) & (planes.max(axis=-1) > 0.02)
    assert below.mean() > 0.2
    # Half a code of 65535, where the curve is steepest 12.92 times finer.
    np.testing.assert_allclose(linear[below], expected[below], rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("level", [0.02, 0.5, 3.0])
def test_exposure_does_not_change_the_picture(level: float) -> None:
    reference = natural(globe(), RGB, OPEN).pixels.astype(int)
    scaled = natural(level * globe(), RGB, OPEN).pixels.astype(int)
    # Single precision of the gain moves codes by one or two.
    assert np.abs(scaled - reference).max() <= 3


def test_neutral_stays_neutral() -> None:
    grey = np.array([0.5 / BAND_SCALE[band] for band in RGB])
    pixels = natural(globe(grey), RGB, OPEN).pixels.astype(int)
    # Single precision of three products.
    assert np.ptp(pixels, axis=-1).max() <= 2


def test_hue_is_kept_up_to_the_brightest() -> None:
    planes = globe()
    linear = decode(natural(planes, RGB, OPEN).pixels)
    lit = planes.max(axis=-1) > 0.05
    # The shoulder divides all three channels alike; codes of dim light are known to 1e-3.
    red, _, blue = seen(CLOUD)
    np.testing.assert_allclose(linear[lit, 2] / linear[lit, 0], blue / red, rtol=3e-3)


def test_a_few_hot_pixels_do_not_set_the_exposure() -> None:
    planes = globe()
    planes[3, 3] = 50.0
    hot = natural(planes, RGB, dict.fromkeys(RGB, 100.0))
    assert hot.gain == pytest.approx(natural(globe(), RGB, OPEN).gain, rel=0.01)


@pytest.mark.parametrize("lost", [0, 1, 2])
def test_a_pixel_that_lacks_a_band_is_black(lost: int) -> None:
    planes = globe()
    planes[80:100, 100:140, lost] = np.nan
    picture = natural(planes, RGB, OPEN)
    assert not picture.pixels[80:100, 100:140].any()
    whole = natural(globe(), RGB, OPEN).pixels
    rest = np.ones(whole.shape[:2], bool)
    rest[80:100, 100:140] = False
    # What is left is as it was, but for an exposure read from 3 % fewer pixels.
    np.testing.assert_allclose(decode(picture.pixels[rest]), decode(whole[rest]), rtol=0.02, atol=1e-4)


def test_stray_light_in_the_sky_becomes_black() -> None:
    planes = globe() + np.array([0.004, 0.002, 0.001], np.float32)
    sky = decode(natural(planes, RGB, OPEN).pixels)[:20, :20]
    assert sky.max() < 1e-3


# Saturation


def saturated_globe(red_clip: float = 0.42) -> tuple[np.ndarray, np.ndarray, dict[str, float]]:
    """A globe whose red is clipped where it is brightest, its truth, and the clipping levels."""
    truth = globe()
    planes = truth.copy()
    planes[..., 0] = np.minimum(planes[..., 0], red_clip)
    return planes, truth, {"RED": red_clip, "GREEN": 10.0, "BLUE": 10.0}


def test_saturated_red_is_filled_with_the_clouds_colour() -> None:
    planes, truth, clipping = saturated_globe()
    clipped = truth[..., 0] > 0.43
    assert 0.1 < clipped.mean() < 0.5
    picture = natural(planes, RGB, clipping)
    linear = decode(picture.pixels)
    # One colour all over: what is filled has the colour of the ground around; at the onset a part is believed yet.
    ratio = linear[clipped, 0] / linear[clipped, 2]
    red, _, blue = seen(CLOUD)
    np.testing.assert_allclose(ratio, red / blue, rtol=0.02)
    lit = truth.max(axis=-1) > 0.05 * truth.max()
    share = np.count_nonzero(truth[lit][:, 0] > 0.95 * 0.42) / np.count_nonzero(lit)
    assert picture.saturated == {"RED": pytest.approx(share, rel=0.01)}


def test_filling_never_turns_a_pixel_bluer() -> None:
    planes, _, clipping = saturated_globe()
    rng = np.random.default_rng(5)
    # Clouds of different colour: the estimate is wrong here and there.
    planes[..., 2] *= gentle(rng, planes.shape[:2])
    linear = decode(natural(planes, RGB, clipping).pixels)
    lit = planes.max(axis=-1) > 0.1
    unfilled = seen(planes[lit])
    after = linear[lit, 0] / linear[lit, 2]
    assert (after > 0.99 * unfilled[:, 0] / unfilled[:, 2]).all()


def gentle(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    from scipy.ndimage import gaussian_filter

    field = gaussian_filter(rng.normal(size=shape), 6)
    return (1 + 0.1 * field / np.abs(field).max()).astype(np.float32)


def test_bloomed_charge_beyond_the_limb_is_removed() -> None:
    planes, truth, clipping = saturated_globe()
    # Charge that ran out of a full well along the columns, across the limb and into the sky.
    column = 150
    bloomed = np.zeros(truth.shape[:2], bool)
    bloomed[:, column - 2 : column + 3] = True
    sky = bloomed & (truth[..., 2] == 0)
    planes[bloomed, 0] = 0.42
    assert sky.sum() > 200
    linear = decode(natural(planes, RGB, clipping).pixels)
    assert linear[sky].max() < 0.01
    # On the disc the bright ground stays bright.
    bright = truth[:, column, 0] > 0.45
    red, _, blue = seen(CLOUD)
    np.testing.assert_allclose(linear[bright, column, 0] / linear[bright, column, 2], red / blue, rtol=0.06)


def test_ground_that_saturates_every_band_stays_bright() -> None:
    planes = globe()
    clip = {"RED": 0.4, "GREEN": 0.35, "BLUE": 0.25}
    for index, band in enumerate(RGB):
        planes[..., index] = np.minimum(planes[..., index], clip[band])
    picture = natural(planes, RGB, clip)
    everywhere = (globe() > [0.4, 0.35, 0.25]).all(axis=-1)
    assert everywhere.sum() > 500
    assert decode(picture.pixels)[everywhere].min() > 0.3
    assert set(picture.saturated) == set(RGB)


# Fewer bands, and none


@pytest.mark.parametrize("bands", [("METHANE",), ("GREEN",), ("RED", "BLUE")])
def test_without_three_colours_the_picture_is_grey(bands: tuple[str, ...]) -> None:
    planes = globe()[..., : len(bands)]
    picture = natural(planes, bands, dict.fromkeys(bands, 10.0))
    assert picture.pixels.shape == planes.shape[:2]
    linear = decode(picture.pixels)
    mean = planes.mean(axis=-1)
    below = (picture.gain * mean < 0.7) & (mean > 0.02)
    np.testing.assert_allclose(linear[below], picture.gain * mean[below], rtol=1e-3, atol=1e-5)


def test_methane_beside_colour_does_not_tint_it() -> None:
    planes = globe()
    four = np.concatenate([planes, np.full_like(planes[..., :1], 0.9)], axis=-1)
    with_methane = natural(four, (*RGB, "METHANE"), {**OPEN, "METHANE": 10.0})
    np.testing.assert_array_equal(with_methane.pixels, natural(planes, RGB, OPEN).pixels)


def test_bands_are_taken_by_name() -> None:
    planes = globe()
    turned = natural(planes[..., ::-1], RGB[::-1], OPEN)
    np.testing.assert_array_equal(turned.pixels, natural(planes, RGB, OPEN).pixels)


@pytest.mark.parametrize("fill", [np.nan, 0.0])
@pytest.mark.parametrize("bands", [RGB, ("METHANE",)])
def test_nothing_gives_black(fill: float, bands: tuple[str, ...]) -> None:
    picture = natural(np.full((20, 30, len(bands)), fill, np.float32), bands, dict.fromkeys(bands, 1.0))
    assert picture.pixels.shape[:2] == (20, 30)
    assert not picture.pixels.any()
    assert np.isfinite(picture.gain)
