"""Night and sky: what is taken out of them, and what must stay."""

import numpy as np
import pytest
from scipy.ndimage import distance_transform_edt, gaussian_filter

from perijove.compose.colour import natural, reflectance
from perijove.compose.darkness import black_level, noise_of, quieted

RGB = ("RED", "GREEN", "BLUE")
OPEN = dict.fromkeys(RGB, 10.0)
CLOUD = np.array([0.55, 0.47, 0.40])


def decode(codes: np.ndarray) -> np.ndarray:
    """Linear light of 16-bit sRGB codes, by the inverse curve of IEC 61966-2-1."""
    v = codes / 65535.0
    return np.where(v <= 0.04045, v / 12.92, ((v + 0.055) / 1.055) ** 2.4)


def sky_distance(ball) -> np.ndarray:  # type: ignore[no-untyped-def]
    """Pixels from the limb, in the sky; 0 on the ground."""
    return np.asarray(distance_transform_edt(~ball.light.on_ground))


def stray(ball) -> np.ndarray:  # type: ignore[no-untyped-def]
    """A blue patch in one corner and a red one in another, as the lens casts them, up to 1 % of the ground."""
    blue = np.exp(-((ball.x + 1) ** 2 + (ball.y + 1) ** 2) / 0.2)
    red = np.exp(-((ball.x + 1) ** 2 + (ball.y - 1) ** 2) / 0.3)
    return np.where(ball.light.on_ground, 0.0, 1.0)[..., None] * np.stack(
        [0.004 * red, 0.001 + 0 * red, 0.005 * blue], -1
    )


def test_patches_of_stray_light_in_the_sky_become_black(ball) -> None:  # type: ignore[no-untyped-def]
    planes = (ball.lit(CLOUD) + stray(ball)).astype(np.float32)
    plain, freed = (natural(planes, RGB, OPEN, light=light).pixels for light in (None, ball.light))
    far = sky_distance(ball) > 15
    # One level for all of the sky leaves the patches; they are of some 1 % of full light.
    assert decode(plain[far]).max() > 5e-3
    assert decode(freed[far]).max() < 5e-4


def test_haze_beyond_the_limb_stays(ball) -> None:  # type: ignore[no-untyped-def]
    distance = sky_distance(ball)
    # 3 pixels of scale height over the lit limb, bluish.
    lit_side = np.clip(-ball.x, 0.0, 1.0)
    haze = np.where(distance > 0, lit_side * np.exp(-distance / 3), 0.0)[..., None] * np.array([0.06, 0.07, 0.09])
    planes = (ball.lit(CLOUD) + haze + stray(ball)).astype(np.float32)
    freed, known, _ = reflectance(planes, RGB, OPEN, ball.light, quiet=True)
    wanted, _, _ = reflectance((ball.lit(CLOUD) + haze).astype(np.float32), RGB, OPEN, None)
    ring = (distance > 0) & (distance < 6) & (ball.x < -0.5)
    assert known.all()
    # Stray light changes over the margin that is left for the haze: a twentieth of it.
    np.testing.assert_allclose(freed[ring], wanted[ring], atol=0.05 * 0.06)


def test_level_of_the_night_is_taken_from_the_ground(ball) -> None:  # type: ignore[no-untyped-def]
    planes = ball.lit(CLOUD) + np.float32(0.002)
    level = black_level(planes, np.ones(ball.x.shape, bool), 0.02, ball.light)
    assert level.shape == planes.shape
    # The model's night is soft: it still has 1e-4 where it begins.
    np.testing.assert_allclose(level[ball.light.on_ground], 0.002, atol=2e-4)


def test_a_small_night_tells_its_level_and_a_bright_sky_does_not(ball) -> None:  # type: ignore[no-untyped-def]
    ground = ball.light.on_ground
    planes = ball.lit(CLOUD) + np.where(ground, 0.002, 0.008)[..., None].astype(np.float32)
    night = ground & (ball.light.mu0 < -0.12)
    # Of the night only 0.3 % of the picture were seen.
    known = ~night
    known.ravel()[np.flatnonzero(night)[:: int(np.count_nonzero(night) / (0.003 * night.size))]] = True
    level = black_level(np.where(known[..., None], planes, 0).astype(np.float32), known, 0.02, ball.light)
    np.testing.assert_allclose(level[ground], 0.002, atol=2e-4)


def test_steps_of_the_sky_are_found_where_they_are(ball) -> None:  # type: ignore[no-untyped-def]
    ground, rows = ball.light.on_ground, np.arange(len(ball.x))[:, None]
    step = 60
    added = np.where(ground, 0.0, np.where(rows < step, 0.004, 0.001))[..., None]
    freed, _, _ = reflectance((ball.lit(CLOUD) + added).astype(np.float32), RGB, OPEN, ball.light)
    # Told by cells of 4 pixels: two of them from the step nothing of it is left; the haze's margin is not sky.
    clear = (sky_distance(ball) > len(ball.x) / 20) & (np.abs(rows - step + 0.5) > 8)
    assert clear[step - 20 : step + 20].any()
    assert freed[clear].max() < 0.1 * 0.003


def noisy(ball, noise: float) -> np.ndarray:  # type: ignore[no-untyped-def]
    rng = np.random.default_rng(1)
    return (ball.lit(CLOUD) + noise * rng.normal(size=(*ball.x.shape, 3))).astype(np.float32)


def test_the_noise_is_found(ball) -> None:  # type: ignore[no-untyped-def]
    everywhere = np.ones(ball.x.shape, bool)
    found = noise_of(noisy(ball, 0.003)[..., 1], everywhere, ball.light)
    night = ball.light.on_ground & (ball.light.mu0 < -0.2)
    # The mean of some 200 distances; the brightest hundredth is left out of that of the dark.
    assert np.median(found[night]) == pytest.approx(0.003, rel=0.1)


def test_what_drowns_in_noise_is_quiet_and_the_day_is_untouched(ball) -> None:  # type: ignore[no-untyped-def]
    planes = noisy(ball, 0.006)
    quiet = quieted(planes, np.ones(ball.x.shape, bool), ball.light)
    light = ball.light
    day = light.on_ground & (light.mu0 > 0.25) & (light.mu > 0.3)
    np.testing.assert_array_equal(quiet[day], planes[day])
    night = light.on_ground & (light.mu0 < -0.2)
    assert np.std(quiet[night]) < 0.05 * np.std(planes[night])
    twilight = light.on_ground & (light.mu0 > 0.0) & (light.mu0 < 0.02) & (light.mu > 0.4)
    off = [(plane - ball.lit(CLOUD))[twilight] for plane in (planes, quiet)]
    # Nearer to the truth: the mean of the bands is 2 to 5 times its noise there.
    assert np.sqrt(np.mean(off[1] ** 2)) < 0.6 * np.sqrt(np.mean(off[0] ** 2))


def test_a_moon_in_the_sky_stays(ball) -> None:  # type: ignore[no-untyped-def]
    planes = noisy(ball, 0.001)
    moon = np.exp(-((ball.x + 0.95) ** 2 + (ball.y + 0.95) ** 2) / (2 * 0.01**2))
    planes += (0.3 * moon[..., None] * np.array([1.0, 0.9, 0.6])).astype(np.float32)
    at = np.unravel_index(moon.argmax(), moon.shape)
    shown = decode(natural(planes, RGB, OPEN, light=ball.light).pixels)
    assert shown[at].min() > 0.1
    assert shown[at][0] > 1.2 * shown[at][2]


def test_noise_beyond_the_limb_takes_no_colour(ball) -> None:  # type: ignore[no-untyped-def]
    pixels = natural(noisy(ball, 0.002), RGB, OPEN, light=ball.light).pixels.astype(float)
    far = sky_distance(ball) > 15
    # A hundredth of the code's range: unseen.
    assert np.percentile(np.ptp(pixels[far], axis=-1), 99.9) < 0.01 * 65535
    assert np.percentile(pixels[far], 99.9) < 0.02 * 65535


def test_a_picture_without_sky_or_night_is_left_alone(ball) -> None:  # type: ignore[no-untyped-def]
    cut = (slice(150, 250), slice(40, 160))
    light = type(ball.light)(ball.light.mu0[cut], ball.light.mu[cut], ball.light.latitude_deg[cut])
    planes = ball.lit(
        CLOUD * (1 + 0.05 * gaussian_filter(np.random.default_rng(3).normal(size=ball.x.shape), 3)[..., None])
    )
    planes = planes[cut]
    level = black_level(planes, np.ones(light.mu0.shape, bool), 0.02, light)
    assert not level.any()
    np.testing.assert_allclose(quieted(planes, np.ones(light.mu0.shape, bool), light), planes, rtol=0.02)


def test_a_bright_limb_throws_no_halo(ball) -> None:  # type: ignore[no-untyped-def]
    planes = noisy(ball, 0.0005)
    linear = decode(natural(planes, RGB, OPEN, light=ball.light).pixels)
    ring = (sky_distance(ball) > 2) & (sky_distance(ball) < 30)
    # The widest means reach 8 pixels; noise of single pixels is a thousandth of full light.
    assert linear[ring].max() < 2e-3


def test_a_single_band_is_freed_and_quieted_too(ball) -> None:  # type: ignore[no-untyped-def]
    rng = np.random.default_rng(2)
    # Methane: faint, noisy, in stray light of a tenth of it.
    stray_light = np.where(ball.light.on_ground, 0.0, 0.0015 * (1.2 + ball.y))
    planes = ball.lit(0.1 * CLOUD)[..., :1] + stray_light[..., None] + 0.001 * rng.normal(size=(*ball.x.shape, 1))
    picture = natural(planes.astype(np.float32), ("METHANE",), {"METHANE": 10.0}, light=ball.light)
    assert picture.pixels.shape == ball.x.shape
    far = sky_distance(ball) > 15
    assert np.percentile(decode(picture.pixels[far]), 99) < 0.01
    night = ball.light.on_ground & (ball.light.mu0 < -0.2)
    assert np.percentile(decode(picture.pixels[night]), 99) < 0.01
    day = ball.light.on_ground & (ball.light.mu0 > 0.3)
    assert np.median(decode(picture.pixels[day])) > 0.2
