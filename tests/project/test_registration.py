"""Bands of one image, gathered with the true pointing, lie upon one another."""

from typing import Any, Literal

import numpy as np
import pytest

from perijove.project.resample import Framelets, gather
from perijove.project.view import orthographic_view, spacecraft_view


def shift_px(reference: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Shift (x, y) of ``other`` against ``reference``, gain and offset free, by least squares; NaN is left out.

    Other = gain * (reference - shift . gradient) + offset, to first order, with gradients of both, so that the
    estimate is not drawn to zero by what one of them lacks.
    """
    half = (reference / np.nanmean(reference) + other / np.nanmean(other)) / 2
    gy, gx = np.gradient(half)
    known = np.isfinite(reference) & np.isfinite(other) & np.isfinite(gx) & np.isfinite(gy)
    columns = np.stack([-gx, -gy, half, np.ones_like(half)], axis=-1)[known]
    difference = (other / np.nanmean(other) - reference / np.nanmean(reference))[known]
    return np.linalg.lstsq(columns, difference, rcond=None)[0][:2]


def test_the_measure_finds_a_known_shift(synthetic: Any) -> None:
    y, x = np.mgrid[:100, :120].astype(float)
    lat, lon = y / 5, x / 5
    moved = 0.6 * synthetic.clouds(lat - 0.21 / 5, lon - 0.34 / 5)
    # First order in the shift: a third of a pixel on waves of 10 pixels and more.
    np.testing.assert_allclose(shift_px(synthetic.clouds(lat, lon), moved), [0.34, 0.21], atol=0.02)


@pytest.mark.parametrize("kernel", ["bilinear", "bicubic"])
@pytest.mark.parametrize("globe", [False, True])
def test_bands_lie_upon_one_another(
    synthetic: Any, earth_scene: Any, globe: bool, kernel: Literal["bilinear", "bicubic"]
) -> None:
    scene = earth_scene
    view = orthographic_view(scene.pointing) if globe else spacecraft_view(scene.pointing)
    ground = view.ground()
    values, _ = gather(ground, Framelets.of(scene.values, scene.label.bands, scene.pointing), kernel)
    truth = illuminated(synthetic, scene, ground)
    well_lit = (truth > 0.15) & (foreshortening(scene, ground) > 0.3)
    assert np.count_nonzero(well_lit) > 50000
    for index in range(3):
        plane = np.where(well_lit, values[..., index], np.nan)
        # A tenth of a pixel is what registration is judged by; noise of 1 % over 50,000 pixels leaves a hundredth.
        assert np.abs(shift_px(np.where(well_lit, truth, np.nan), plane)).max() < 0.1
        for other in range(index):
            first = np.where(well_lit, values[..., other], np.nan)
            assert np.abs(shift_px(first, plane)).max() < 0.05


def test_values_are_those_of_the_ground(synthetic: Any, earth_scene: Any) -> None:
    scene = earth_scene
    ground = spacecraft_view(scene.pointing).ground()
    values, _ = gather(ground, Framelets.of(scene.values, scene.label.bands, scene.pointing), "bicubic")
    truth = illuminated(synthetic, scene, ground)
    well_lit = (truth > 0.15) & (foreshortening(scene, ground) > 0.3)
    for index, band in enumerate(scene.label.bands):
        error = values[..., index][well_lit] / (synthetic.ALBEDO[band] * truth[well_lit]) - 1
        assert abs(np.median(error)) < 0.002
        # Noise of 0.002 over 0.1 to 0.5, and waves of ten pixels that single rays a pixel sample well.
        assert np.percentile(np.abs(error), 95) < 0.04


def illuminated(synthetic: Any, scene: Any, ground: np.ndarray) -> np.ndarray:
    """Clouds in sunlight at ground points, body-fixed; NaN in the sky."""
    on_planet = np.abs(np.linalg.norm(ground / synthetic.RADII, axis=-1) - 1) < 1e-9
    normal = ground / synthetic.RADII**2
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    lat = np.degrees(np.arctan2(normal[..., 2], np.hypot(normal[..., 0], normal[..., 1])))
    lon_w = np.degrees(-np.arctan2(ground[..., 1], ground[..., 0]))
    light = synthetic.clouds(lat, lon_w) * np.clip(normal @ scene.pointing.sun_fixed, 0.0, None)
    return np.where(on_planet, light, np.nan)


def foreshortening(scene: Any, ground: np.ndarray) -> np.ndarray:
    """Cosine of the emission angle."""
    normal = ground / np.array([71492.0, 71492.0, 66854.0]) ** 2
    to_juno = scene.pointing.position_fixed_km[scene.pointing.mid_frame] - ground
    return np.sum(normal * to_juno, axis=-1) / np.linalg.norm(normal, axis=-1) / np.linalg.norm(to_juno, axis=-1)
