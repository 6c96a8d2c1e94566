"""The enhanced picture: what it must bring out, and what it must not make up."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import distance_transform_edt, gaussian_filter

from perijove.compose.colour import natural
from perijove.compose.enhance import enhanced
from perijove.compose.options import Style
from perijove.compose.spaces import to_oklab
from perijove.errors import OptionError

RGB = ("RED", "GREEN", "BLUE")
OPEN = dict.fromkeys(RGB, 10.0)
CLOUD = np.array([0.55, 0.47, 0.40])


def decode(codes: np.ndarray) -> np.ndarray:
    """Linear light of 16-bit sRGB codes, by the inverse curve of IEC 61966-2-1."""
    v = codes / 65535.0
    return np.where(v <= 0.04045, v / 12.92, ((v + 0.055) / 1.055) ** 2.4)


def clouded(ball, seed: int = 0, noise: float = 0.0) -> np.ndarray:  # type: ignore[no-untyped-def]
    """Belts and clouds of 15 % and a few per cent of colour, with noise in I/F."""
    rng = np.random.default_rng(seed)
    belt = np.sin(np.nan_to_num(ball.light.latitude_deg) / 7)
    cloud = gaussian_filter(rng.normal(size=belt.shape), 3)
    cloud /= np.abs(cloud).max()
    pattern = 0.10 * belt + 0.10 * cloud
    albedo = CLOUD * np.exp(pattern[..., None] * np.array([0.6, 0.9, 1.4]))
    return (ball.lit(albedo) + noise * rng.normal(size=albedo.shape)).astype(np.float32)


def test_nothing_is_clipped(ball) -> None:  # type: ignore[no-untyped-def]
    for style in (Style(), Style(saturation=10, contrast=5, detail=5)):
        pixels = enhanced(clouded(ball), RGB, OPEN, ball.light, style).pixels
        assert pixels.max() < 65535
        day = ball.light.on_ground & (ball.light.mu0 > 0.1) & (ball.light.mu > 0.1)
        # Of the reddest brown blue may be little, but there is some.
        assert (pixels[day] > 0).all()


def test_light_is_flattened_as_far_as_asked(ball) -> None:  # type: ignore[no-untyped-def]
    planes = ball.lit(CLOUD)
    day = ball.light.on_ground & (ball.light.mu0 > 0.2) & (ball.light.mu > 0.3)
    spread = []
    for flatten in (1.0, 0.5, 0.0):
        linear = decode(enhanced(planes, RGB, OPEN, ball.light, Style(flatten=flatten)).pixels)[day][:, 1]
        spread.append(np.log(np.percentile(linear, 98) / np.percentile(linear, 2)))
    before = np.log(np.percentile(planes[day][:, 1], 98) / np.percentile(planes[day][:, 1], 2))
    # Flat to the softened limb; the rest in proportion.
    assert spread[0] < 0.15 * before
    assert spread[0] < spread[1] < spread[2]
    assert spread[2] > 0.8 * before


def test_colours_and_contrasts_are_raised(ball) -> None:  # type: ignore[no-untyped-def]
    planes = clouded(ball)
    day = ball.light.on_ground & (ball.light.mu0 > 0.3) & (ball.light.mu > 0.4)
    plain = to_oklab(decode(natural(planes, RGB, OPEN).pixels).astype(np.float32))
    rich = to_oklab(decode(enhanced(planes, RGB, OPEN, ball.light).pixels).astype(np.float32))
    chroma = [np.hypot(*np.std(lab[day][:, 1:], axis=0)) for lab in (plain, rich)]
    # Less than the factor asked for: the eye's matrix spreads the natural colours by half, and blues are held back.
    assert chroma[1] > 1.7 * chroma[0]
    fine = [np.std((lab[..., 0] - gaussian_filter(lab[..., 0], 4))[day]) for lab in (plain, rich)]
    assert fine[1] > 1.7 * fine[0]
    # Still the same clouds.
    assert np.corrcoef(*((lab[..., 0] - gaussian_filter(lab[..., 0], 4))[day] for lab in (plain, rich)))[0, 1] > 0.9


@pytest.mark.parametrize("name", ["saturation", "detail", "contrast"])
def test_a_parameter_does_what_it_says(ball, name: str) -> None:  # type: ignore[no-untyped-def]
    planes = clouded(ball)
    day = ball.light.on_ground & (ball.light.mu0 > 0.3) & (ball.light.mu > 0.4)

    def measure(style: Style) -> float:
        lab = to_oklab(decode(enhanced(planes, RGB, OPEN, ball.light, style).pixels).astype(np.float32))
        if name == "saturation":
            return float(np.std(lab[day][:, 2]))
        return float(np.std((lab[..., 0] - gaussian_filter(lab[..., 0], 4))[day]))

    style = replace(Style(), contrast=1.2, detail=1.2)
    less, more = (measure(replace(style, **{name: factor})) for factor in (1.0, 2.0))
    assert more > 1.25 * less


def test_no_halo_at_the_limb(ball) -> None:  # type: ignore[no-untyped-def]
    linear = decode(enhanced(ball.lit(CLOUD), RGB, OPEN, ball.light).pixels)[..., 1]
    middle = linear[200]
    left = int(np.flatnonzero(ball.light.on_ground[200])[0])
    inside = np.median(middle[left + 40 : left + 60])
    # Even ground: neither a bright nor a dark rim beyond what is left of the shading (0.22 of the law, and the limb's).
    assert middle[left + 3 : left + 40].max() < 1.05 * inside
    assert middle[left + 6 : left + 40].min() > 0.75 * inside
    assert middle[: left - 2].max() == 0


def test_no_coloured_fringe_at_the_terminator(ball) -> None:  # type: ignore[no-untyped-def]
    # Blue reaches farther into the night, as over real hazes.
    planes = ball.lit(CLOUD, k=(1.05, 0.97, 0.85))
    night = ball.light.on_ground & ~(ball.light.mu0 > 0)
    distance = distance_transform_edt(~night)
    day = ball.light.on_ground & (ball.light.mu0 > 0) & (ball.light.mu > 0.2)
    edge, inside = day & (distance <= 20), day & (distance > 90) & (distance < 110)

    def fringe(linear: np.ndarray) -> float:
        sums = [linear[where].sum(axis=0) for where in (edge, inside)]
        return float(np.abs(sums[0] / sums[0][1] / (sums[1] / sums[1][1]) - 1).max())

    assert fringe(planes) > 0.2
    assert fringe(decode(enhanced(planes, RGB, OPEN, ball.light).pixels)) < 0.1


def test_noise_is_not_amplified_in_twilight(ball) -> None:  # type: ignore[no-untyped-def]
    noise = 0.002
    clean, noisy = (decode(enhanced(clouded(ball, 0, level), RGB, OPEN, ball.light).pixels) for level in (0.0, noise))
    twilight = ball.light.on_ground & (ball.light.mu0 > 0.0) & (ball.light.mu0 < 0.06) & (ball.light.mu > 0.3)
    day = ball.light.on_ground & (ball.light.mu0 > 0.5) & (ball.light.mu > 0.3)

    def seen_noise(where: np.ndarray) -> float:
        off = noisy[..., 1] - clean[..., 1]
        off -= gaussian_filter(off, 5)
        return float(np.std(off[where]) / np.mean(clean[where][:, 1]))

    def raw_noise(where: np.ndarray) -> float:
        return float(noise / np.mean(clouded(ball)[where][:, 1]))

    # Detail raises what there is by day, noise with it; where noise is a tenth of the light it is not raised.
    assert raw_noise(twilight) > 15 * raw_noise(day)
    assert seen_noise(day) > 1.5 * raw_noise(day)
    assert seen_noise(twilight) < 1.1 * raw_noise(twilight)


@pytest.mark.parametrize("lost", [0, 2])
def test_what_a_band_lacks_is_black_and_taints_nothing(ball, lost: int) -> None:  # type: ignore[no-untyped-def]
    planes = clouded(ball)
    whole = decode(enhanced(planes, RGB, OPEN, ball.light).pixels)
    planes[180:220, 80:140, lost] = np.nan
    holed = decode(enhanced(planes, RGB, OPEN, ball.light).pixels)
    assert not holed[180:220, 80:140].any()
    ring = np.zeros(ball.x.shape, bool)
    ring[170:230, 70:150] = True
    ring[180:220, 80:140] = False
    # The coarse scale lacks part of its neighbourhood there.
    assert np.abs(holed[ring] - whole[ring]).max() < 0.1
    assert np.median(np.abs(holed[ring] - whole[ring])) < 0.01


def test_grey_stays_grey(ball) -> None:  # type: ignore[no-untyped-def]
    planes = clouded(ball)[..., 1:2]
    picture = enhanced(planes, ("METHANE",), {"METHANE": 10.0}, ball.light)
    assert picture.pixels.shape == planes.shape[:2]
    assert 0.2 * 65535 < np.median(picture.pixels[ball.light.on_ground & (ball.light.mu0 > 0.2)]) < 65535


def test_nothing_gives_black(ball) -> None:  # type: ignore[no-untyped-def]
    planes = np.full((*ball.x.shape, 3), np.nan, np.float32)
    assert not enhanced(planes, RGB, OPEN, ball.light).pixels.any()
    assert not enhanced(np.zeros_like(planes), RGB, OPEN, ball.light).pixels.any()


def test_a_wider_gamut_holds_the_same_colours(ball) -> None:  # type: ignore[no-untyped-def]
    planes = clouded(ball)
    pictures = [enhanced(planes, RGB, OPEN, ball.light, gamut=gamut) for gamut in ("srgb", "p3")]  # type: ignore[arg-type]
    assert [picture.gamut for picture in pictures] == ["srgb", "p3"]
    # Linear sRGB of linear Display P3 (CSS Color 4).
    turn = np.array([[1.2249, -0.2249, 0.0], [-0.0420, 1.0420, 0.0], [-0.0197, -0.0786, 1.0979]])
    srgb, p3 = (decode(picture.pixels) for picture in pictures)
    day = ball.light.on_ground & (ball.light.mu0 > 0.3)
    assert np.abs(p3[day] @ turn.T - srgb[day]).max() < 0.01


@pytest.mark.parametrize("wrong", [{"flatten": 1.5}, {"saturation": -1.0}, {"detail": float("nan")}])
def test_a_style_beyond_its_range_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(OptionError, match="give a number from 0 to"):
        Style(**wrong)


def chroma_of(picture) -> np.ndarray:  # type: ignore[no-untyped-def]
    return to_oklab(decode(picture.pixels).astype(np.float32))[..., 1:]


def test_blotches_of_noise_are_no_colours(ball) -> None:  # type: ignore[no-untyped-def]
    rng = np.random.default_rng(5)
    # As compression leaves noise: most from pixel to pixel, some over blocks of eight.
    fine = rng.normal(size=(*ball.x.shape, 3))
    blocks = np.repeat(np.repeat(rng.normal(size=(50, 50, 3)), 8, axis=0), 8, axis=1)
    planes = ball.lit(CLOUD)
    away = np.hypot(ball.x + 0.55, ball.y)
    spot, ring = away < 0.035, (away > 0.06) & (away < 0.12)
    planes[spot] *= np.array([1.05, 1.0, 0.85], np.float32)
    day = ball.light.on_ground & (ball.light.mu0 > 0.3) & (ball.light.mu > 0.4) & ~spot
    seen, blotches = [], []
    for noise in (0.0, 0.012 * fine + 0.003 * blocks):
        picture = enhanced((planes * (1 + noise)).astype(np.float32), RGB, OPEN, ball.light, Style(warmth=0))
        shown = chroma_of(picture)
        seen.append(np.hypot(*(np.median(shown[spot], axis=0) - np.median(shown[ring], axis=0))))
        smooth = np.stack([gaussian_filter(shown[..., k], 4) for k in range(2)], axis=-1)
        blotches.append(np.hypot(*smooth[day].std(axis=0)))
    # A cloud 6 pixels wide and 15 % redder is seen as well as without noise, blotches are a seventh of it.
    assert seen[1] > 0.8 * seen[0] > 0.02
    assert blotches[1] < seen[1] / 4


def test_the_limb_has_the_colour_of_the_ground(ball) -> None:  # type: ignore[no-untyped-def]
    # A limb that is blue within a narrow rim, as hazes are.
    planes = clouded(ball)
    rim = np.clip(1.0 - np.nan_to_num(ball.light.mu, nan=1.0) / 0.15, 0.0, 1.0)
    planes *= (1 + 0.15 * rim[..., None] * np.array([-1.0, 0.0, 1.0])).astype(np.float32)
    shown = chroma_of(enhanced(planes, RGB, OPEN, ball.light))
    day = ball.light.on_ground & (ball.light.mu0 > 0.3)
    edge = np.median(shown[day & (ball.light.mu > 0.02) & (ball.light.mu < 0.12)], axis=0)
    inside = np.median(shown[day & (ball.light.mu > 0.4) & (ball.light.mu < 0.6)], axis=0)
    # Less bluish than in the natural picture, though colours are spread fourfold.
    plain = chroma_of(natural(planes, RGB, OPEN))
    before = np.median(plain[day & (ball.light.mu > 0.02) & (ball.light.mu < 0.12)], axis=0)
    before = before - np.median(plain[day & (ball.light.mu > 0.4) & (ball.light.mu < 0.6)], axis=0)
    assert before[1] < -0.02
    assert edge[1] - inside[1] > 0.5 * before[1]


def test_the_brightest_ground_is_bright(ball) -> None:  # type: ignore[no-untyped-def]
    light = ball.light
    cut = (slice(100, 300), slice(180, 260))
    # Nothing but ground near the terminator.
    dim = type(light)(light.mu0[cut], light.mu[cut], light.latitude_deg[cut])
    picture = enhanced(clouded(ball)[cut], RGB, OPEN, dim)
    day = dim.mu0 > 0.1
    assert 0.8 * 65535 < np.percentile(picture.pixels[day].max(axis=-1), 99) < 65535


def test_no_parameter_breaks_the_picture(ball) -> None:  # type: ignore[no-untyped-def]
    planes = clouded(ball, noise=0.002)
    for style in (Style(0, 0, 0, 0, 0), Style(1, 10, 3, 5, 5), Style(1, 0, 0, 0, 5), Style(0, 10, 0, 5, 0)):
        pixels = enhanced(planes, RGB, OPEN, ball.light, style).pixels
        assert pixels.max() < 65535
        day = ball.light.on_ground & (ball.light.mu0 > 0.3) & (ball.light.mu > 0.3)
        assert (np.median(pixels[day], axis=0) > 0.1 * 65535).any()
        assert not pixels[:20, :20].any()
