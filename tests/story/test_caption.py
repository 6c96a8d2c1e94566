"""What a view shows and how it is told, on an image whose geometry is known."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from perijove.errors import OptionError
from perijove.geometry.ellipsoid import RADII_KM
from perijove.geometry.moons import MoonState
from perijove.geometry.orientation import j2000_to_jupiter
from perijove.project.grid import MapGrid, Region, map_grid
from perijove.project.view import View, orthographic_view, spacecraft_view
from perijove.story import scene as scenes
from perijove.story.caption import caption_of, distance, speed
from perijove.story.scene import SIDES, scene_of, side_of


def rolled(view: View, degrees: float) -> View:
    """The view, its picture turned clockwise."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    right, down, forward = view.axes
    return replace(view, axes=np.stack([c * right - s * down, s * right + c * down, forward]))


@pytest.mark.parametrize("roll", range(0, 360, 45))
def test_limb_and_terminator_stand_towards_and_away_from_the_sun(earth_scene: Any, roll: float) -> None:
    pointing = earth_scene.pointing
    view = rolled(spacecraft_view(pointing, 600), roll)
    found = scene_of(pointing, view)
    sun = pointing.sun_fixed @ view.axes.T
    bearing = np.degrees(np.arctan2(sun[0], -sun[1]))
    near = [SIDES[round((bearing + turn) / 45.0) % 8] for turn in (-25.0, 25.0)]
    away = [SIDES[round((bearing + 180.0 + turn) / 45.0) % 8] for turn in (-25.0, 25.0)]
    assert len(found.limb) == len(found.terminator) == 1
    assert found.limb[0] in near
    assert found.terminator[0] in away
    north = np.array([0.0, 0.0, 1.0]) @ view.axes.T
    assert found.north_deg_clockwise == pytest.approx(np.degrees(np.arctan2(north[0], -north[1])))


def test_latitudes_are_those_of_the_lit_side(earth_scene: Any) -> None:
    pointing = earth_scene.pointing
    found = scene_of(pointing, spacecraft_view(pointing, 600))
    # From 135,000 km above the north the lit disc reaches from the south temperate latitudes to the pole's side.
    rng = np.random.default_rng(0)
    points = rng.normal(size=(200_000, 3))
    points = points / np.linalg.norm(points / RADII_KM, axis=1, keepdims=True)
    normal = points / RADII_KM**2
    observer = pointing.position_fixed_km[pointing.mid_frame]
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    visible = (normal @ pointing.sun_fixed > 0) & (points @ (observer / RADII_KM**2) > 1.0)
    latitude = np.degrees(np.arcsin(normal[visible, 2]))
    assert latitude.min() - 1.0 < found.south_deg < latitude.min() + 12.0
    assert latitude.max() - 12.0 < found.north_deg < latitude.max() + 1.0
    height = np.linalg.norm(observer) - 71492.0
    assert found.nearest_scale_km == pytest.approx(2 * height / 1480.59, rel=0.05)


def moon_at(pointing: Any, place_fixed_km: np.ndarray) -> Any:
    et = float(pointing.et[pointing.mid_frame])
    return lambda _: [MoonState("Io", j2000_to_jupiter(et).T @ place_fixed_km, 1821.5)]


def test_a_moon_is_where_it_stands(earth_scene: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    pointing = earth_scene.pointing
    view = spacecraft_view(pointing, 600)
    ground = view.ground()
    sky = np.argwhere(np.einsum("...i,i->...", ground * ground, RADII_KM**-2) > 1.2)
    row, column = sky[len(sky) // 3]
    observer = pointing.position_fixed_km[pointing.mid_frame]
    beyond = observer + 2.0 * (ground[row, column] - observer)
    monkeypatch.setattr(scenes, "galilean_moons", moon_at(pointing, beyond))
    (moon,) = scene_of(pointing, view).moons
    assert (moon.x, moon.y) == pytest.approx((column + 0.5, row + 0.5), abs=0.01)
    assert moon.side == side_of(moon.x, moon.y, 600, 600)
    assert moon.size_px == pytest.approx(2 * 1821.5 / np.linalg.norm(beyond - observer) / view.scale)
    # Behind the planet, and in an orthographic view, there is none.
    monkeypatch.setattr(scenes, "galilean_moons", moon_at(pointing, -3.0 * observer))
    assert scene_of(pointing, view).moons == ()
    monkeypatch.setattr(scenes, "galilean_moons", moon_at(pointing, beyond))
    assert scene_of(pointing, orthographic_view(pointing, size=600)).moons == ()


def test_a_caption_tells_the_facts(earth_scene: Any) -> None:
    view = spacecraft_view(earth_scene.pointing, 600)
    told = caption_of(earth_scene.label, earth_scene.pointing, view)
    facts = told.facts
    for text in (told.short, told.long):
        assert distance(facts["altitude_km"]) in text
        assert f"perijove {earth_scene.label.orbit}" in text
    assert speed(facts["speed_km_s"]) in told.long
    assert facts["time_utc"][11:16] in told.long
    assert facts["limb"][0] in told.alt
    with pytest.raises(OptionError, match="America/Los_Angeles"):
        caption_of(earth_scene.label, earth_scene.pointing, view, "Nowhere")


def test_a_published_pair_of_lengths() -> None:
    # NASA: "2,600 miles (4,200 kilometers)".
    assert distance(4200.0) == "4,200 kilometers (2,600 miles)"


def test_a_date_that_differs_in_the_zone(earth_scene: Any) -> None:
    view = spacecraft_view(earth_scene.pointing, 600)
    utc = caption_of(earth_scene.label, earth_scene.pointing, view).facts["time_utc"]
    far = "Pacific/Kiritimati" if int(utc[11:13]) >= 10 else "Pacific/Pago_Pago"
    told = caption_of(earth_scene.label, earth_scene.pointing, view, far).long
    assert "UTC of " in told


def polar_map(scene: Any, size: int = 300) -> MapGrid:
    pointing = scene.pointing
    grid = map_grid("north-stereographic", Region(50, 90, 0, 360), None, size=size)
    return replace(grid, seen_from_km=pointing.position_fixed_km[pointing.mid_frame])


def test_a_map_is_told_as_one(earth_scene: Any) -> None:
    grid = polar_map(earth_scene)
    told = caption_of(earth_scene.label, earth_scene.pointing, grid)
    assert told.facts["map"] == "north-stereographic"
    assert told.facts["limb"] == ()
    assert told.short.startswith("Map of Jupiter's northern hemisphere from ")
    assert "drawn as a polar stereographic map, with Jupiter's north pole in the middle" in told.long
    assert f"a pixel of the map stands for {distance(grid.scale_m / 1e3)}" in told.long
    assert told.alt.startswith("A colour map of Jupiter's northern hemisphere, polar stereographic; the north pole")
    assert "limb" not in told.long
    beside = caption_of(earth_scene.label, earth_scene.pointing, grid.cropped(0.7, 0.4, 0.9, 0.6))
    assert "equirectangular" not in beside.long
    assert "Jupiter's north to the left" in beside.long
    view = spacecraft_view(earth_scene.pointing, 300)
    assert caption_of(earth_scene.label, earth_scene.pointing, view).facts["map"] is None


def test_the_terminator_of_a_map_is_where_the_day_ends(earth_scene: Any) -> None:
    found = scene_of(earth_scene.pointing, polar_map(earth_scene))
    # The meridian of 0 degrees runs down, so that x grows with the sine of the longitude to the east.
    sun = earth_scene.pointing.sun_fixed
    bearing = np.degrees(np.arctan2(sun[1], -sun[0]))
    across = {SIDES[round((bearing + turn) / 45.0) % 8] for turn in (-135.0, -90.0, 90.0, 135.0)}
    assert len(found.terminator) == 2
    assert set(found.terminator) <= across
