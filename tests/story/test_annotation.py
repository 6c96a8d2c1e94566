"""What is drawn over a picture lies where geometry has it."""

from dataclasses import replace
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from perijove.errors import OptionError
from perijove.geometry.ellipsoid import RADII_KM
from perijove.project.grid import GLOBE, Region, map_grid
from perijove.project.view import View, orthographic_view, spacecraft_view
from perijove.story.annotation import PARTS, annotation_of
from perijove.story.scene import scene_of


@pytest.fixture(params=["spacecraft", "orthographic"])
def view(request: Any, earth_scene: Any) -> View:
    make = spacecraft_view if request.param == "spacecraft" else orthographic_view
    return make(earth_scene.pointing, size=500)


def annotated(scene: Any, view: Any, *parts: str, texts: tuple[str, ...] = ()) -> Any:
    return annotation_of(scene.pointing, view, scene_of(scene.pointing, view), texts, parts)


def test_the_limb_is_the_edge_of_the_planet(earth_scene: Any, view: View) -> None:
    lines = annotated(earth_scene, view, "limb").lines
    whole = View(view.projection, view.origin_km, view.axes, view.scale, view.width, view.height, view.centre)
    ground = whole.ground()
    on_planet = np.einsum("...i,i->...", ground * ground, RADII_KM**-2) < 1 + 1e-9
    points = np.concatenate(lines)
    assert len(points) > 200
    inner = (points > 3).all(axis=1) & (points < 497).all(axis=1)
    for x, y in points[inner][::20]:
        near = on_planet[int(y) - 2 : int(y) + 3, int(x) - 2 : int(x) + 3]
        assert near.any()
        assert not near.all()


def test_the_terminator_parts_day_and_night(earth_scene: Any, view: View) -> None:
    lines = annotated(earth_scene, view, "terminator").lines
    points = np.concatenate(lines)
    assert len(points) > 100
    ground = view.ground()
    normal = ground / RADII_KM**2
    height = normal @ earth_scene.pointing.sun_fixed / np.linalg.norm(normal, axis=-1)
    at = points.astype(int)
    inner = (points > 40).all(axis=1) & (points < 460).all(axis=1)
    heights = height[at[inner, 1], at[inner, 0]]
    # Within a pixel, which is up to some degrees wide towards the limb.
    assert np.nanmedian(np.abs(heights)) < 0.01


def test_the_bar_is_as_long_as_it_says(earth_scene: Any, view: View) -> None:
    found = annotated(earth_scene, view, "scale")
    (bar,), (label,) = found.lines, found.labels
    pixels = bar[2, 0] - bar[1, 0]
    length = float(label.text.split(" km")[0].replace(",", ""))
    if view.projection == "orthographic":
        assert length == pytest.approx(pixels * view.scale)
    else:
        # Two points of the nearest ground so far apart are so many pixels apart.
        observer = view.origin_km
        nearest = observer / np.linalg.norm(observer / RADII_KM)
        seen = scene_of(earth_scene.pointing, view).nearest_range_km
        assert seen == pytest.approx(np.linalg.norm(observer - nearest), rel=0.03)
        assert length == pytest.approx(pixels * seen * view.scale)
    assert 0.08 * view.width < pixels <= 0.2 * view.width


def test_the_arrow_points_north(earth_scene: Any, view: View) -> None:
    turned = view.turned(40)
    shaft, _ = annotated(earth_scene, turned, "north").lines
    way = shaft[1] - shaft[0]
    assert np.degrees(np.arctan2(way[0], -way[1])) == pytest.approx(turned.north_angle_deg())


def test_pixels_and_drawing(earth_scene: Any, view: View) -> None:
    text = (
        "A caption that is longer than the picture is wide, so that it takes more than a single line; A / B © CC BY <&>"
    )
    found = annotated(earth_scene, view, *PARTS, texts=(text,))
    assert len(found.strip) > 1
    assert " ".join(found.strip) == text
    pixels = np.full((view.height, view.width, 3), 30000, np.uint16)
    out = found.drawn_on(pixels)
    assert out.shape == (view.height + found.strip_height, view.width, 3)
    assert (pixels == 30000).all()
    assert out[view.height :].max() > 50000
    for line in found.lines:
        x, y = line[len(line) // 2].astype(int)
        assert out[max(y - 2, 0) : y + 3, max(x - 2, 0) : x + 3].max() > 45000
    drawing = ElementTree.fromstring(found.svg())
    assert drawing.get("height") == str(out.shape[0])
    assert len(drawing.findall("{*}path")) == len(found.lines)
    assert found.strip[-1] in [node.text for node in drawing.findall("{*}text")]


def test_unknown_parts_are_refused(earth_scene: Any, view: View) -> None:
    with pytest.raises(OptionError, match="limb, terminator"):
        annotated(earth_scene, view, "rings")


def test_maps_have_a_terminator_but_no_limb(earth_scene: Any) -> None:
    pointing = earth_scene.pointing
    globe = map_grid("equirectangular", GLOBE, None, size=720)
    assert annotated(earth_scene, globe, "limb", "moons").lines == ()
    lines = annotated(earth_scene, globe, "terminator").lines
    points = np.concatenate(lines)
    # No line crosses the map from its left to its right edge.
    assert max(np.abs(np.diff(line[:, 0])).max() for line in lines) < 20
    ground = globe.ground()[np.clip(points[:, 1].astype(int), 0, 359), np.clip(points[:, 0].astype(int), 0, 719)]
    normal = ground / RADII_KM**2
    height = normal @ pointing.sun_fixed / np.linalg.norm(normal, axis=-1)
    # A pixel is half a degree wide.
    assert np.abs(height).max() < np.radians(0.75)
    seen = replace(globe, seen_from_km=pointing.position_fixed_km[pointing.mid_frame])
    assert 0 < len(np.concatenate(annotated(earth_scene, seen, "terminator").lines)) < len(points)


def test_the_bar_of_a_map_is_as_long_as_it_says(earth_scene: Any) -> None:
    globe = map_grid("equirectangular", GLOBE, None, size=720)
    (bar,), (label,) = (getattr(annotated(earth_scene, globe, "scale"), name) for name in ("lines", "labels"))
    length = float(label.text.split(" km")[0].replace(",", ""))
    assert length == pytest.approx((bar[2, 0] - bar[1, 0]) * 2 * np.pi * RADII_KM[0] / 720)


def test_a_map_about_a_pole_has_no_arrow(earth_scene: Any) -> None:
    pole = map_grid("north-stereographic", Region(50, 90, 0, 360), None, size=300)
    assert annotated(earth_scene, pole, "north").lines == ()
    assert len(annotated(earth_scene, pole.cropped(0.7, 0.4, 0.9, 0.6), "north").lines) == 2
