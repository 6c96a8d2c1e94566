"""The rendered scene against plain formulas, pixel by pixel."""

import dataclasses
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from perijove.geometry.ellipsoid import limb_altitude_km, normals, to_lat_lon
from perijove.geometry.ephemeris import direction_from_jupiter
from perijove.geometry.pointing import Pointing
from perijove.simulate.atlas import make_atlas, needed_scale
from perijove.simulate.flyby import Flyby, SimulatedImage
from perijove.simulate.scene import render


def expected(standin: Any, pointing: Pointing, band: str, frame: int, x: Any, y: Any) -> tuple[Any, Any, Any]:
    """Minnaert's law at pixel centres, and the cosines of incidence and emission."""
    ground = pointing.ground(band, frame, x, y)
    # The sun and the emission as they stand at reception: the ground turns by 1e-4 rad on the way.
    normal = normals(ground)
    mu0 = normal @ (pointing.jupiter_from_j2000[frame] @ pointing.sun)
    mu = -np.sum(normal * pointing.rays(band, frame, x, y), axis=-1)
    albedo = standin.BRIGHTNESS[band] * standin.pattern(*to_lat_lon(ground))
    with np.errstate(invalid="ignore"):
        return albedo * mu0**0.95 * mu**-0.05, mu0, mu


@pytest.mark.parametrize("index", [0, 3, 5])
def test_minnaert_on_the_planet(index: int, standin: Any, flyby: Flyby) -> None:
    image = flyby.images[index]
    pointing = image.pointing
    keep = slice(pointing.mid_frame - 2, pointing.mid_frame + 3)
    cut = dataclasses.replace(
        pointing,
        et=pointing.et[keep],
        camera_to_j2000=pointing.camera_to_j2000[keep],
        position_km=pointing.position_km[keep],
        velocity_km_s=pointing.velocity_km_s[keep],
    )
    values = render(standin.StandIn(), cut, image.label.bands, 128, 1648)
    y, x = np.mgrid[3:125:7, 30:1620:13]
    checked = 0
    for frame in range(cut.frames):
        for band_index, band in enumerate(image.label.bands):
            wanted, mu0, mu = expected(standin, cut, band, frame, x + 0.5, y + 0.5)
            inside = (mu0 > 0.2) & (mu > 0.35)
            found = values[frame, band_index, y, x]
            # Waves of six degrees on maps as fine as the pixels, bilinear: a part in a hundred at worst from afar,
            # where a pixel is a seventh of a degree or more.
            if not inside.any():
                continue
            np.testing.assert_allclose(found[inside], wanted[inside], rtol=0.02)
            assert np.sqrt(np.mean((found[inside] / wanted[inside] - 1) ** 2)) < 0.005
            checked += np.count_nonzero(inside)
    assert checked > 500


def test_sky_and_haze(standin: Any, first: SimulatedImage) -> None:
    pointing = first.pointing
    values = render(standin.StandIn(even=True), pointing, ("GREEN",), 128, 1648)[:, 0]
    assert not values[0].any()
    assert not values[-1].any()
    y, x = np.mgrid[0:128, 0:1648]
    shares = []
    for frame in range(pointing.frames):
        origin = pointing.position_fixed_km[frame]
        altitude, way = limb_altitude_km(origin, rays := pointing.rays("GREEN", frame, x + 0.5, y + 0.5))
        mu0 = normals(origin + way[..., None] * rays) @ (pointing.jupiter_from_j2000[frame] @ pointing.sun)
        # Pixels of 200 km; twenty scale heights up it is black.
        assert not values[frame][altitude > 700].any()
        # Half of the limb's light at 0.37 scale heights above the top, wherever the pixel's edges are.
        half = (np.abs(altitude - 137.3) < 8.0) & (mu0 > 0.3)
        plateau = standin.BRIGHTNESS["GREEN"] * mu0[half] ** 0.95 * 0.04**-0.05
        shares.append(values[frame][half] / plateau)
    shares = np.concatenate(shares)
    assert len(shares) > 20
    # Inside, within a pixel of the limb, emission brings the law's factor down by some percent.
    assert shares.mean() == pytest.approx(0.5, abs=0.05)


def test_night_is_dark_and_the_terminator_soft(standin: Any, first: SimulatedImage, light: np.ndarray) -> None:
    pointing = first.pointing
    y, x = np.mgrid[2:126:3, 30:1620:5]
    night, dusk = [], []
    for frame in range(pointing.frames):
        _, mu0, mu = expected(standin, pointing, "GREEN", frame, x + 0.5, y + 0.5)
        values = light[frame, 1, y, x]
        night.append(values[(mu0 < -0.3) & (mu > 0.3)])
        dusk.append(values[(np.abs(mu0) < 0.005) & (mu > 0.3)])
    assert np.concatenate(night).max() < 1e-6
    # ln 2 times the width of the twilight, 0.014, and half the albedo.
    middle = np.concatenate(dusk)
    assert len(middle) > 5
    assert 0.002 < middle.mean() < 0.02


def test_a_moon(standin: Any, first: SimulatedImage) -> None:
    pointing = first.pointing
    frame, x, y = 1, 700.0, 60.0
    ray = pointing.camera_to_j2000[frame] @ pointing.cameras["GREEN"].directions(x, y)
    true = ray - pointing.velocity_km_s[frame] / 299792.458
    true /= np.linalg.norm(true)
    distance = 1.5e5
    moon = SimpleNamespace(
        name="Io",
        position_km=pointing.position_km[frame] + distance * true,
        radius_km=1821.5,
        albedo=standin.BRIGHTNESS,
    )
    dark = render(standin.StandIn(), pointing, ("GREEN",), 128, 1648)
    seen = render(standin.StandIn(bodies=(moon,)), pointing, ("GREEN",), 128, 1648) - dark
    patch = seen[frame, 0]
    radius = 1821.5 / distance * 1480.6
    lit = patch > 0
    phase = np.arccos(np.clip(-true @ direction_from_jupiter("Sun", pointing.et[0]), -1, 1))
    share = (1 + np.cos(phase)) / 2
    # Pixels on the edge count as lit: a ring of half a pixel.
    assert np.count_nonzero(lit) == pytest.approx(share * np.pi * radius**2, rel=0.35)
    rows, columns = np.nonzero(lit)
    assert np.hypot(columns - x, rows - y).max() < radius + 2
    assert 0.1 < patch.max() <= 0.5


def test_the_atlas_is_as_fine_as_the_pixels(standin: Any, flyby: Flyby) -> None:
    near = min(flyby.images, key=lambda image: image.label.altitude_km)
    far = flyby.images[0]
    for image in (near, far):
        needed = needed_scale(image.pointing)
        planet = standin.StandIn()
        atlas = make_atlas(planet, image.pointing, ("GREEN",))
        # Straight below, a pixel measures altitude / 1480.6 km, a degree 1250 to 1330 km.
        finest = 1300.0 / (image.label.altitude_km / 1480.6)
        assert needed.max() < 1.5 * finest
        assert atlas.pixels.size < 16e6
        # All that is seen has a tile of its own, at least nearly as fine as asked where it fits the budget.
        tiles = atlas.index[needed > 0]
        assert np.all(tiles > 0)
        scale = atlas.places[tiles, 2] / needed[needed > 0]
        assert np.percentile(scale, 1) > 0.4
        assert max(planet.asked) == atlas.places[:, 2].max()


def test_rendering_repeats(standin: Any, first: SimulatedImage, light: np.ndarray) -> None:
    assert np.array_equal(render(standin.StandIn(), first.pointing, first.label.bands, 128, 1648), light)
