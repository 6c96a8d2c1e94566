"""Colours of the real images: the published ones, hue over saturated ground, no fringe, pairs with methane."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.ndimage import distance_transform_edt

from perijove.compose.colour import BAND_SCALE, reflectance
from perijove.compose.drift import colour_weights, measure_colour, same_ground
from perijove.compose.options import PictureOptions
from perijove.pipeline import Image, Raster, open_image

COLOUR = ("JNCE_2022229_44C00032_V01", "JNCE_2022229_44C00029_V01", "JNCE_2022186_43C00078_V01")
METHANE = "JNCE_2022229_44M00040_V01"
SIZE = 800
#: Karkoschka 1994, weighted by sunlight and the detector's efficiency (docs/colour.md).
PUBLISHED = np.array([0.947, 0.882])


@pytest.fixture(scope="module")
def images(real_data: Path) -> dict[str, Image]:
    return {name: open_image(real_data / "raw" / f"{name}-raw.png") for name in (*COLOUR, METHANE)}


@pytest.fixture(scope="module")
def rasters(images: dict[str, Image]) -> dict[str, Raster]:
    return {name: images[name].view(SIZE) for name in COLOUR}


def decode(codes: np.ndarray) -> np.ndarray:
    v = codes / 65535.0
    return np.where(v <= 0.04045, v / 12.92, ((v + 0.055) / 1.055) ** 2.4)


def colour_of(raster: Raster) -> Any:
    label = raster.image.label
    clipping = raster.image.calibrated.saturation_i_over_f
    return measure_colour(raster.values, raster.bands, raster.light, clipping, (str(label.product_id), label.orbit))


def test_the_sunlit_mean_is_the_published_one_in_perijove_44(rasters: dict[str, Raster]) -> None:
    scale = np.array([BAND_SCALE["RED"], BAND_SCALE["BLUE"]]) / BAND_SCALE["GREEN"]
    for name in COLOUR[:2]:
        ratio, sigma = colour_of(rasters[name]).mean()
        assert np.abs(ratio * scale - PUBLISHED).max() < 0.03
        assert (sigma < 0.04).all()


def test_weights_agree_with_the_scale_within_their_errors(rasters: dict[str, Raster]) -> None:
    weights = colour_weights([colour_of(raster) for raster in rasters.values()])
    assert [w.perijove for w in weights] == [43, 44]
    for w in weights:
        assert abs(w.red - BAND_SCALE["RED"]) < 2.5 * w.red_sigma
        assert abs(w.blue - BAND_SCALE["BLUE"]) < 2.5 * w.blue_sigma


def test_two_images_of_the_same_ground_agree(rasters: dict[str, Raster]) -> None:
    ratio, _, latitudes = same_ground(colour_of(rasters[COLOUR[1]]), colour_of(rasters[COLOUR[0]]))
    assert latitudes > 10
    # Without a flat they differ by up to 4 % in red.
    assert np.abs(ratio - 1).max() < 0.06


@pytest.mark.parametrize("style", ["natural", "enhanced"])
@pytest.mark.parametrize("name", COLOUR)
def test_no_fringe_no_clipping(rasters: dict[str, Raster], name: str, style: str) -> None:
    raster = rasters[name]
    pixels = raster.picture(PictureOptions(style)).pixels
    assert pixels.max() < 65535
    light = raster.light
    distance = distance_transform_edt(~(light.on_ground & (light.mu0 <= 0)))
    day = light.on_ground & (light.mu0 > 0) & (light.mu > 0.2) & pixels.any(axis=-1)
    # 20 and 100 pixels of a picture of 1600.
    linear, part = decode(pixels), SIZE / 1600
    sums = [
        linear[day & (distance > low * part) & (distance <= high * part)].sum(axis=0)
        for low, high in ((0, 20), (90, 110))
    ]
    change = sums[0] / sums[0][1] / (sums[1] / sums[1][1]) - 1
    assert np.abs(change).max() <= 0.10


def test_hue_runs_on_over_the_saturated_half_of_perijove_43(rasters: dict[str, Raster]) -> None:
    raster = rasters[COLOUR[2]]
    clipping = raster.image.calibrated.saturation_i_over_f
    planes, known, saturated = reflectance(raster.values, raster.bands, clipping, raster.light)
    assert saturated["RED"] > 0.4
    level = raster.values[..., 0] / clipping["RED"]
    red_over_green = planes[..., 0] / np.maximum(planes[..., 1], 1e-6)
    ground = known & raster.light.on_ground & (raster.light.mu > 0.2)
    lat = raster.light.latitude_deg
    steps = []
    for south in range(-70, -40, 5):
        here = ground & (lat >= south) & (lat < south + 5)
        below, above = here & (level > 0.75) & (level < 0.93), here & (level > 1.03)
        if min(below.sum(), above.sum()) > 300:
            steps.append(np.median(red_over_green[above]) / np.median(red_over_green[below]) - 1)
    # Unfilled, red over green falls by 25 % there: the pale green belt.
    assert len(steps) >= 4
    assert np.abs(steps).max() < 0.04


def test_a_real_pair_with_methane(images: dict[str, Image], rasters: dict[str, Raster]) -> None:
    raster = rasters[COLOUR[0]]
    for style in ("methane-red", "methane-luminance"):
        pixels = raster.picture(PictureOptions(style, methane=images[METHANE])).pixels
        shown = pixels.any(axis=-1)
        # Both see the north between 40 and 90 degrees, no more.
        assert 0.005 < shown.mean() < 0.3
        assert np.nanmin(raster.light.latitude_deg[shown]) > 20
        assert pixels.max() < 65535
