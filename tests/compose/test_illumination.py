"""The law of the light, found again in planets that were lit by a known one."""

from typing import Any

import numpy as np
import pytest

from perijove.compose.illumination import Illumination, fit_light
from perijove.geometry.backplanes import backplanes
from perijove.project.view import spacecraft_view

LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)


def belts(ball) -> np.ndarray:  # type: ignore[no-untyped-def]
    lat = np.nan_to_num(ball.light.latitude_deg)
    return np.stack([0.5 + 0.10 * np.sin(lat / 6), 0.45 + 0.12 * np.sin(lat / 6), 0.35 + 0.15 * np.sin(lat / 6)], -1)


@pytest.mark.parametrize("k", [0.8, 0.9, 1.05])
def test_minnaerts_law_is_found_under_belts(ball, k: float) -> None:  # type: ignore[no-untyped-def]
    planes = ball.lit(belts(ball), k=(k, k, k))
    planes *= 1 + 0.01 * np.random.default_rng(0).normal(size=planes.shape).astype(np.float32)
    light = ball.light
    law = fit_light(planes, planes @ LUMINANCE, light, light.on_ground)
    day = light.on_ground & (light.mu0 > 0.1) & (light.mu > 0.15)
    truth = light.mu0[day] ** k * light.mu[day] ** (k - 1)
    off = np.log(law.brightness(light)[day] / truth)
    # Exponents stand for each other in part, brightness does not: over a factor of 10 it is met to 2 %, most of it
    # belts within a bin of latitude.
    assert np.std(off) < 0.02


def test_even_ground_comes_out_even(ball) -> None:  # type: ignore[no-untyped-def]
    planes = ball.lit(np.array([0.5, 0.45, 0.35]))
    law = fit_light(planes, planes @ LUMINANCE, ball.light, ball.light.on_ground)
    day = ball.light.on_ground & (ball.light.mu0 > 0.05) & (ball.light.mu > 0.15)
    even = (planes @ LUMINANCE / law.brightness(ball.light))[day]
    # Before: a factor of 20 from the brightest to the darkest.
    assert np.std(even) / np.mean(even) < 0.03
    before = planes / np.maximum(planes @ LUMINANCE, 1e-9)[..., None]
    colour = before / law.tint(ball.light)
    # Blue of twilight is taken out to a third.
    assert np.ptp(np.percentile(colour[day][:, 2], (2, 98))) < 0.34 * np.ptp(np.percentile(before[day][:, 2], (2, 98)))


def test_too_little_ground_is_lamberts() -> None:
    dark = np.full((30, 30), np.nan, np.float32)
    light = Illumination(dark, dark, dark)
    law = fit_light(np.ones((30, 30, 3), np.float32), np.ones((30, 30), np.float32), light, light.on_ground)
    assert (law.incidence, law.emission, law.diffuse) == (1.0, 0.0, 0.0)
    assert not law.colour.any()


def test_angles_are_those_of_the_backplanes(earth_scene: Any) -> None:
    pointing = earth_scene.pointing
    ground = spacecraft_view(pointing, 64).ground()
    light = Illumination.of_ground(ground, pointing.position_fixed_km[pointing.mid_frame], pointing.sun_fixed)
    planes = backplanes(pointing, ground, (), ("incidence_deg", "emission_deg", "lat_graphic_deg"))
    incidence, emission, latitude = (plane.values for plane in planes.values())
    # The spacecraft moves during the image, by 30 km/s of 135,000 km.
    np.testing.assert_allclose(light.mu0, np.cos(np.radians(incidence)), atol=1e-3)
    np.testing.assert_allclose(light.mu, np.cos(np.radians(emission)), atol=5e-3)
    np.testing.assert_allclose(light.latitude_deg, latitude, atol=1e-3)
    np.testing.assert_array_equal(light.on_ground, np.isfinite(emission) & (emission < 90.0))
    assert not light.mu0.flags.writeable


def test_blocks_are_joined() -> None:
    row = np.ones((1, 3), np.float32)
    light = Illumination.joined([Illumination(row, row, row), Illumination(2 * row, row, row)])
    assert light.mu0[:, 0].tolist() == [1.0, 2.0]


def test_ground_that_is_low_in_the_sun_and_seen_obliquely_comes_out_even(ball) -> None:  # type: ignore[no-untyped-def]
    light = ball.light
    # The law of Lommel and Seeliger: bright where terminator and limb meet.
    mu0, mu = np.maximum(np.nan_to_num(light.mu0), 0.0), np.maximum(np.nan_to_num(light.mu, nan=1.0), 1e-3)
    planes = ((mu0 / (mu0 + mu))[..., None] * belts(ball)).astype(np.float32)
    law = fit_light(planes, planes @ LUMINANCE, light, light.on_ground)
    assert law.diffuse < -0.6
    even = planes @ LUMINANCE / (belts(ball) @ LUMINANCE) / law.brightness(light)
    corner = light.on_ground & (light.mu0 > 0.03) & (light.mu0 < 0.10) & (light.mu > 0.12) & (light.mu < 0.25)
    open_ground = light.on_ground & (light.mu0 > 0.3) & (light.mu > 0.5)
    # Powers of the two cosines alone leave the corner too bright by a factor of 2.5.
    assert np.median(even[corner]) == pytest.approx(np.median(even[open_ground]), rel=0.10)
