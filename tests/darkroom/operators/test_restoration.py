import cv2
import numpy as np
import pytest

from perijove.compose.illumination import Illumination
from perijove.darkroom.canvas import Canvas
from perijove.darkroom.operators.restoration import Deconvolve, Denoise


def planet(colour, sky_from=None, planes=None):
    """Ground seen from above, with black sky on the right."""
    colour = np.array(colour, np.float32)
    if colour.ndim == 2:
        colour = np.repeat(colour[..., None], 3, axis=-1)
    angle = np.ones(colour.shape[:2], np.float32)
    if sky_from is not None:
        angle[:, sky_from:] = np.nan
        colour[:, sky_from:] = 0
    return Canvas(colour, np.ones_like(angle), Illumination(angle, angle, angle * 0), planes or {})


@pytest.fixture(scope="module")
def truth():
    """Clouds with detail of all sizes."""
    rng = np.random.default_rng(7)
    total = np.zeros((256, 256), np.float32)
    for sigma in (1, 2, 4, 8, 16):
        octave = cv2.GaussianBlur(rng.normal(size=total.shape).astype(np.float32), (0, 0), sigma)
        total += octave / octave.std() * sigma**0.5
    return 0.35 + 0.05 * total / total.std()


def rms(a, b):
    return float(np.sqrt(np.mean(np.square(a - b)[16:-16, 16:-16])))


SIGMA_PX = 1.2


def test_deconvolution_comes_nearer_to_the_truth(truth):
    seen = planet(cv2.GaussianBlur(truth, (0, 0), SIGMA_PX))
    step = Deconvolve(sigma=100 * SIGMA_PX / 256, iterations=15, damping=0)
    after = step.apply(seen.colour, seen)[..., 0]
    assert rms(after, truth) < 0.7 * rms(seen.colour[..., 0], truth)


def test_damped_deconvolution_of_a_noisy_picture_comes_nearer_and_holds_noise(truth):
    noise = np.random.default_rng(1).normal(0, 0.002, truth.shape).astype(np.float32)
    blurred = cv2.GaussianBlur(truth, (0, 0), SIGMA_PX)
    seen = planet(blurred + noise)
    step = Deconvolve(sigma=100 * SIGMA_PX / 256, iterations=15)
    after = step.apply(seen.colour, seen)[..., 0]
    assert rms(after, truth) < 0.9 * rms(seen.colour[..., 0], truth)
    even = planet(0.35 + noise)
    # Where there is nothing but noise, it grows by no more than a quarter.
    assert step.apply(even.colour, even)[..., 0].std() < 1.25 * noise.std()


def test_camera_pixels_set_the_blur(truth):
    size = np.full(truth.shape, SIGMA_PX / 0.45, np.float32)
    seen = planet(truth, planes={"camera_pixel": lambda: size})
    by_plane = Deconvolve(sigma=1).apply(seen.colour, seen)
    by_size = Deconvolve(sigma=100 * SIGMA_PX / 256).apply(seen.colour, planet(truth))
    np.testing.assert_allclose(by_plane, by_size, atol=1e-5)
    # A tenth of a camera's pixel on one of the picture, as in a preview: nothing to win.
    preview = planet(truth, planes={"camera_pixel": lambda: size / 10})
    np.testing.assert_array_equal(Deconvolve().apply(preview.colour, preview), preview.colour)


def test_deconvolution_does_not_ring_at_the_limb():
    seen = planet(np.full((128, 128), 0.5), sky_from=80)
    after = Deconvolve(sigma=1, iterations=30, damping=0).apply(seen.colour, seen)
    np.testing.assert_allclose(after[:, :80], 0.5, atol=1e-3)


@pytest.mark.parametrize("method", ["wavelet", "nl-means", "bilateral"])
def test_denoising_comes_nearer_to_the_truth(method, truth):
    smooth = cv2.GaussianBlur(truth, (0, 0), 4)
    noise = np.random.default_rng(2).normal(0, 0.02, (*truth.shape, 3)).astype(np.float32)
    seen = planet(smooth[..., None] + noise)
    after = Denoise(method=method, lightness=1, chroma=1, size=1).apply(seen.colour, seen)
    assert rms(after, smooth[..., None]) < 0.6 * rms(seen.colour, smooth[..., None])


@pytest.mark.parametrize("method", ["wavelet", "nl-means", "bilateral"])
def test_chroma_is_denoised_without_lightness(method, truth):
    noise = np.random.default_rng(2).normal(0, 0.02, (*truth.shape, 3)).astype(np.float32)
    seen = planet(truth[..., None] + noise)
    after = Denoise(method=method, lightness=0, chroma=1, size=1).apply(seen.colour, seen)
    weights = np.array([0.299, 0.587, 0.114])
    # OpenCV's conversion to YCrCb and back rounds its coefficients to three digits.
    np.testing.assert_allclose(after @ weights, seen.colour @ weights, atol=2e-3)
    assert (after[..., 0] - after[..., 2]).std() < 0.6 * (seen.colour[..., 0] - seen.colour[..., 2]).std()


@pytest.mark.parametrize("method", ["wavelet", "nl-means", "bilateral"])
def test_edges_stay(method):
    step = np.where(np.arange(128) < 64, 0.3, 0.6) * np.ones((128, 1))
    noise = np.random.default_rng(2).normal(0, 0.01, (128, 128))
    seen = planet(step + noise)
    after = Denoise(method=method, lightness=1, chroma=1, size=1).apply(seen.colour, seen)[..., 0]
    # The jump is 0.3; its first pixels on either side keep nine tenths of it.
    assert after[:, 64].mean() - after[:, 63].mean() > 0.27
