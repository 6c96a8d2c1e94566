"""Refinement beyond the camera's pixels, against truths that are seen through an optics of their own."""

from typing import Any

import cv2
import numpy as np
import pytest

from perijove.project import upscale
from perijove.project.upscale import LEAST_ZOOM, Measured, measured, refined, zoom_of
from perijove.project.view import spacecraft_view

#: Fine pixels of the truth on one of the camera, and camera pixels of the scene.
FINE, SIDE = 12, 72
#: Optics whose Gaussian, with the square pixel, has a transfer of 0.47 at the Nyquist frequency.
OPTICS_PX = 0.247


def filaments() -> np.ndarray:
    """Folded streaks with detail on both sides of the camera's limit, fine pixels."""
    rng = np.random.default_rng(5)
    side = FINE * SIDE
    smooth = [cv2.GaussianBlur(rng.standard_normal((side, side)), (0, 0), s * FINE) * s * FINE for s in (6, 2, 1)]
    x = np.mgrid[:side, :side][1] / FINE
    bent = np.sin((x + 4 * smooth[0]) / 3) * 0.05 + 0.03 * smooth[1] + 0.012 * smooth[2]
    return np.asarray(0.5 + bent + 0.08 * (smooth[0] > 0.3), np.float32)


def seen(truth: np.ndarray, shift: float, noise: float, seed: int) -> np.ndarray:
    """Means over the camera's pixels of a blurred scene, moved by a part of a pixel."""
    blurred = cv2.GaussianBlur(truth, (0, 0), OPTICS_PX * FINE)
    moved = np.roll(blurred, -round(shift * FINE), axis=(0, 1))
    pixels = moved.reshape(SIDE, FINE, SIDE, FINE).mean(axis=(1, 3))
    return np.asarray(pixels * (1 + noise * np.random.default_rng(seed).standard_normal(pixels.shape)), np.float32)


def told_of(frames: dict[float, np.ndarray], zoom: int, noise: float) -> Measured:
    parts = []
    for shift, pixels in frames.items():
        y, x = (np.mgrid[:SIDE, :SIDE] + 0.5 + shift) * zoom
        kept = (x > 1) & (x < SIDE * zoom - 1) & (y > 1) & (y < SIDE * zoom - 1)
        parts.append((x[kept], y[kept], pixels[kept]))
    x, y, values = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Measured(x, y, values, np.full_like(values, noise * 0.5))


def off(picture: np.ndarray, truth: np.ndarray, zoom: int) -> float:
    inner = (slice(6 * zoom, -6 * zoom),) * 2
    return float(np.sqrt(np.mean((picture - truth)[inner] ** 2)))


def at_zoom(truth: np.ndarray, zoom: int) -> np.ndarray:
    part = FINE // zoom
    return np.asarray(truth.reshape(SIDE * zoom, part, SIDE * zoom, part).mean(axis=(1, 3)))


def lanczos(pixels: np.ndarray, zoom: int) -> np.ndarray:
    return np.asarray(cv2.resize(pixels, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_LANCZOS4))


@pytest.mark.parametrize("zoom", [2, 3])
@pytest.mark.parametrize("noise", [0.002, 0.006])
def test_it_is_nearer_to_the_truth_than_lanczos(zoom: int, noise: float) -> None:
    truth = filaments()
    pixels = seen(truth, 0.0, noise, 1)
    rival = lanczos(pixels, zoom)
    found = refined(rival, told_of({0.0: pixels}, zoom, noise), zoom)
    expected = at_zoom(truth, zoom)
    assert off(found, expected, zoom) < 0.95 * off(rival, expected, zoom)


def test_two_framelets_at_two_phases_tell_more_than_one() -> None:
    truth, zoom, noise = filaments(), 3, 0.002
    frames = {shift: seen(truth, shift, noise, 2) for shift in (0.0, 0.5)}
    expected = at_zoom(truth, zoom)
    start = lanczos(frames[0.0], zoom)
    one = refined(start, told_of({0.0: frames[0.0]}, zoom, noise), zoom)
    both = refined(start, told_of(frames, zoom, noise), zoom)
    assert off(both, expected, zoom) < 0.9 * off(one, expected, zoom)


@pytest.mark.parametrize("zoom", [2, 3])
def test_an_edge_does_not_ring(zoom: int) -> None:
    side = FINE * SIDE
    y, x = np.mgrid[:side, :side]
    # Slanted, so that all phases of the pixels meet it, and a staircase would show.
    truth = np.where(x + 0.3 * y > 0.6 * side, 0.7, 0.3).astype(np.float32)
    pixels = seen(truth, 0.0, 0.0, 0)
    rival = lanczos(pixels, zoom)
    found = refined(rival, told_of({0.0: pixels}, zoom, 0.004), zoom)
    inner = (slice(6 * zoom, -6 * zoom),) * 2

    def beyond(picture: np.ndarray) -> float:
        return float(max(picture[inner].max() - 0.7, 0.3 - picture[inner].min()))

    # Lanczos goes beyond by a twentieth of the step of 0.4, this by rounding.
    assert beyond(rival) > 0.015
    assert beyond(found) < 1e-6
    # It is steeper all the same.
    assert np.abs(np.diff(found[inner], axis=1)).max() > 1.1 * np.abs(np.diff(rival[inner], axis=1)).max()


def test_noise_alone_makes_no_texture() -> None:
    noise, zoom = 0.01, 3
    pixels = seen(np.full((FINE * SIDE,) * 2, 0.5, np.float32), 0.0, noise, 3)
    start = lanczos(pixels, zoom)
    found = refined(start, told_of({0.0: pixels}, zoom, noise), zoom)
    inner = (slice(6 * zoom, -6 * zoom),) * 2
    assert found[inner].std() < 0.7 * start[inner].std()


def test_what_nothing_tells_of_stays_as_it_was() -> None:
    pixels = seen(filaments(), 0.0, 0.0, 0)
    start = lanczos(pixels, 3)
    start[:40] = np.nan
    told = told_of({0.0: pixels}, 3, 0.004)
    half = told.x < 108
    left = Measured(told.x[half], told.y[half], told.values[half], told.sigma[half])
    found = refined(start, left, 3)
    np.testing.assert_array_equal(np.isnan(found), np.isnan(start))
    # Beyond the reach of the blurs that share what is told.
    np.testing.assert_array_equal(found[41:, 130:], start[41:, 130:])
    assert np.abs(found - start)[60:160, 20:90].max() > 0.005
    np.testing.assert_array_equal(refined(start, told, LEAST_ZOOM - 0.01), start)
    nothing = Measured(*(np.empty(0) for _ in range(2)), *(np.empty(0, np.float32) for _ in range(2)))
    np.testing.assert_array_equal(refined(start, nothing, 3), start)


def test_sampling_and_spreading_are_transposes() -> None:
    rng = np.random.default_rng(0)
    plane, values = rng.standard_normal((20, 30)).astype(np.float32), rng.standard_normal(50).astype(np.float32)
    x, y = rng.uniform(1, 29, 50), rng.uniform(1, 19, 50)
    taken, spread = np.empty(50, np.float32), np.zeros((20, 30), np.float32)
    upscale._sampled(plane, x, y, taken)
    upscale._spread(values, x, y, spread)
    assert float(taken @ values) == pytest.approx(float((plane * spread).sum()), rel=1e-5)


def test_the_slope_of_smoothness_is_its_derivative() -> None:
    rng = np.random.default_rng(1)
    plane, noise = rng.standard_normal((9, 11)).astype(np.float32), np.full((9, 11), 0.5, np.float32)
    kappa, epsilon = 0.7, 0.9

    def price(u: np.ndarray) -> float:
        u = u.astype(float)
        total = 0.0
        for second in (
            u[:, :-2] - 2 * u[:, 1:-1] + u[:, 2:],
            u[:-2] - 2 * u[1:-1] + u[2:],
            (u[:-2, :-2] - u[:-2, 2:] - u[2:, :-2] + u[2:, 2:]) / np.sqrt(8),
        ):
            total += kappa / 0.5 * np.sqrt(second**2 + (epsilon * 0.5) ** 2).sum()
        return total

    bent, slope = np.empty((3, 9, 11), np.float32), np.empty((9, 11), np.float32)
    upscale._bend(plane, noise, np.float32(kappa), np.float32(epsilon), bent)
    upscale._straighten(bent, slope)
    for place in ((0, 0), (4, 5), (8, 10), (1, 9)):
        step = np.zeros_like(plane)
        step[place] = 1e-3
        assert slope[place] == pytest.approx((price(plane + step) - price(plane - step)) / 2e-3, abs=2e-3)


def test_pixels_lie_where_their_ground_is_drawn(earth_scene: Any) -> None:
    pointing, label = earth_scene.pointing, earth_scene.label
    view = spacecraft_view(pointing).cropped(0.4, 0.4, 0.6, 0.6).zoomed(2)
    band = label.bands[0]
    frames, lines, samples = pointing.frames, 64, 816
    assert zoom_of(view, label.sampling_factor) == pytest.approx(2)
    # Values that tell which pixel they are of.
    number = np.arange(frames * lines * samples, dtype=np.float32).reshape(frames, lines, samples)
    told = measured(view, pointing, band, number, np.ones_like(number))
    assert len(told.x) > 1000
    at = told.values.astype(int)[::501]
    frame, rest = np.divmod(at, lines * samples)
    line, sample = np.divmod(rest, samples)
    place = view.pixel(pointing.ground(band, frame, sample + 0.5, line + 0.5))
    # Between nodes sixteen pixels apart places are interpolated.
    assert np.abs(place - np.stack([told.x, told.y], axis=-1)[::501]).max() < 0.03
