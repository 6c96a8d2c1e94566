"""Views: where pixels look, and which pixel sees a point."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from perijove.errors import GeometryError, OptionError
from perijove.geometry.ellipsoid import from_lat_lon
from perijove.project.view import View, orthographic_view, seen_ground, spacecraft_view

RADII = np.array([71492.0, 71492.0, 66854.0])


@pytest.fixture(params=["perspective", "equidistant", "orthographic"])
def view(request: pytest.FixtureRequest, earth_scene: Any) -> View:
    if request.param == "orthographic":
        # The geometry of the view alone, without regard to who saw what.
        return replace(orthographic_view(earth_scene.pointing, size=120), seen_from_km=None)
    seen = spacecraft_view(earth_scene.pointing, 120)
    return replace(seen, projection=request.param, height=90, centre=(60.0, 45.0))


def scaled_radius(points: np.ndarray) -> np.ndarray:
    return np.linalg.norm(points / RADII, axis=-1)


def test_pixel_finds_back_where_ground_came_from(view: View) -> None:
    ground = view.ground()
    assert ground.shape == (view.height, view.width, 3)
    assert np.isfinite(ground).all()
    y, x = np.mgrid[: view.height, : view.width] + 0.5
    # Points on the ellipsoid and points of the sky alike; rounding of 1e5 km in double precision.
    np.testing.assert_allclose(view.pixel(ground), np.stack([x, y], axis=-1), atol=1e-6)


def test_rays_end_on_the_ellipsoid_or_pass_it(view: View) -> None:
    radius = scaled_radius(view.ground())
    hit = np.abs(radius - 1) < 1e-9
    assert 0.3 < hit.mean() < 0.95
    assert (radius[~hit] > 1).all()


def test_the_near_side_is_hit(view: View) -> None:
    ground = view.ground()
    hit = np.abs(scaled_radius(ground) - 1) < 1e-9
    towards = view.origin_km - ground if view.projection != "orthographic" else -view.axes[2]
    facing = np.sum(ground / RADII**2 * towards, axis=-1)
    assert (facing[hit] > 0).all()


def test_missed_rays_give_their_nearest_point(view: View) -> None:
    ground = view.ground()
    missed = scaled_radius(ground) > 1 + 1e-9
    along = (
        ground - view.origin_km if view.projection != "orthographic" else np.broadcast_to(view.axes[2], ground.shape)
    )
    along = along / np.linalg.norm(along, axis=-1, keepdims=True)
    for step in (-500.0, 500.0):
        assert (scaled_radius(ground + step * along) > scaled_radius(ground))[missed].all()


def test_points_behind_have_no_pixel(view: View) -> None:
    behind = view.pixel(view.origin_km - 1000.0 * view.axes[2] + 10.0 * view.axes[0])
    # Parallel rays have no beginning: nothing is behind them.
    assert np.isnan(behind).all() == (view.projection != "orthographic")


def test_rows_may_be_asked_for_in_blocks(view: View) -> None:
    blocks = list(view.blocks(37))
    assert [block.start for block in blocks] == list(range(0, view.height, 37))
    assert blocks[-1].stop == view.height
    np.testing.assert_array_equal(np.concatenate([view.ground(rows) for rows in blocks]), view.ground())


def test_axes_are_right_handed(view: View) -> None:
    np.testing.assert_allclose(view.axes @ view.axes.T, np.eye(3), atol=1e-12)
    np.testing.assert_allclose(np.cross(view.axes[0], view.axes[1]), view.axes[2], atol=1e-12)


def test_the_spacecraft_sees_its_pixels_where_they_are(earth_scene: Any) -> None:
    """The picture stands as on the detector: columns to the right, the scan downwards."""
    pointing = earth_scene.pointing
    view = spacecraft_view(pointing)
    middle = pointing.mid_frame
    x = np.array([300.0, 400.0, 500.0])
    columns = view.pixel(pointing.ground("GREEN", np.full(3, middle), x, np.full(3, 32.0)))
    # Native scale: a step of the camera is a step of the picture, but for the tangent (6 % at 20 degrees) and, off the
    # camera's axis, its distortion (2 %).
    np.testing.assert_allclose(np.diff(columns[:, 0]), 100.0, rtol=0.1)
    assert np.abs(np.diff(columns[:, 1])).max() < 5
    rows = view.pixel(pointing.ground("GREEN", np.full(2, middle), np.full(2, 400.0), np.array([20.0, 40.0])))
    assert np.diff(rows[:, 1])[0] == pytest.approx(20.0, rel=0.1)
    later = view.pixel(pointing.ground("GREEN", np.array([middle, middle + 1]), np.full(2, 400.0), np.full(2, 32.0)))
    # From frame to frame the scan goes on, by the turn of 0.0777 rad over the pixel's 1/740 rad.
    assert np.diff(later[:, 1])[0] == pytest.approx(0.2077 * 0.374 * 740.3, rel=0.1)


def test_native_scale_is_the_cameras(earth_scene: Any) -> None:
    # 1480.590541 px of focal length (instrument kernel), summed by two.
    assert spacecraft_view(earth_scene.pointing).scale == pytest.approx(2 / 1480.590541, rel=1e-12)


def test_the_native_view_holds_all_that_is_lit(earth_scene: Any) -> None:
    pointing = earth_scene.pointing
    view = spacecraft_view(pointing)
    seen = seen_ground(pointing)
    assert len(seen) > 500
    pixels = view.pixel(seen)
    size = np.array([view.width, view.height])
    assert (pixels > 0).all()
    assert (pixels < size).all()
    # And little more: 2 % of margin at each side, and what rounding to the sparse sample leaves.
    assert (pixels.min(axis=0) < 0.05 * size).all()
    assert (pixels.max(axis=0) > 0.95 * size).all()


def test_size_makes_a_square_of_the_same_ground(earth_scene: Any) -> None:
    native = spacecraft_view(earth_scene.pointing)
    small = spacecraft_view(earth_scene.pointing, 250)
    assert (small.width, small.height) == (250, 250)
    assert 250 * small.scale == pytest.approx(max(native.width, native.height) * native.scale, rel=0.01)
    np.testing.assert_allclose(small.axes, native.axes)


def east_of_centre(view: View, lat: float, lon_w: float) -> tuple[np.ndarray, np.ndarray]:
    """Steps in the picture of a degree to the east and of a degree to the north."""
    here = view.pixel(from_lat_lon(lat, lon_w))
    return view.pixel(from_lat_lon(lat, lon_w - 1.0)) - here, view.pixel(from_lat_lon(lat + 1.0, lon_w)) - here


def test_north_up_has_north_up_and_east_right(earth_scene: Any) -> None:
    view = spacecraft_view(earth_scene.pointing, 400, north_up=True)
    # Framing what was seen moves the line of sight a little after north was set up: a quarter of a degree.
    assert view.north_angle_deg() == pytest.approx(0.0, abs=0.25)
    east, north = east_of_centre(view, 20.0, earth_scene.label.sub_spacecraft_lon_w_sys3_deg)
    assert east[0] > 0.9 * np.hypot(*east)
    assert north[1] < -0.9 * np.hypot(*north)


def test_the_unturned_view_is_not_mirrored(earth_scene: Any) -> None:
    view = spacecraft_view(earth_scene.pointing, 400)
    east, north = east_of_centre(view, 20.0, earth_scene.label.sub_spacecraft_lon_w_sys3_deg)
    # East is clockwise of north in the picture (y downwards): the planet is seen from outside.
    assert north[0] * east[1] - north[1] * east[0] > 0
    turned = np.degrees(np.arctan2(north[0], -north[1]))
    # The meridian through the middle leans from the pole's direction by its own perspective, not by more.
    assert (turned - view.north_angle_deg() + 180) % 360 - 180 == pytest.approx(0.0, abs=25.0)


@pytest.mark.parametrize(("lat", "lon"), [(0.0, 0.0), (42.0, 283.0), (-65.0, 120.0), (90.0, 0.0), (-90.0, 10.0)])
def test_the_globe_is_seen_from_above_the_point_asked_for(earth_scene: Any, lat: float, lon: float) -> None:
    view = orthographic_view(earth_scene.pointing, lat, lon, size=201)
    # The planet's centre and the point lie behind one another, in the middle of the picture, the point in front.
    np.testing.assert_allclose(view.pixel(np.zeros(3)), [100.5, 100.5], atol=1e-6)
    point = from_lat_lon(lat, lon)
    # The direction is taken from so far away that a millionth of a pixel is left.
    np.testing.assert_allclose(view.pixel(point), [100.5, 100.5], atol=0.05)
    assert point @ view.axes[2] < 0
    if abs(lat) < 90:
        assert view.north_angle_deg() == pytest.approx(0.0, abs=1e-9)
        east, north = east_of_centre(view, lat, lon)
        assert east[0] > 0.99 * np.hypot(*east)
        assert north[1] < -0.99 * np.hypot(*north)


def test_the_globe_fits_its_picture(earth_scene: Any) -> None:
    view = replace(orthographic_view(earth_scene.pointing, 10.0, 280.0, size=300), seen_from_km=None)
    hit = np.abs(scaled_radius(view.ground()) - 1) < 1e-9
    rows, columns = np.flatnonzero(hit.any(axis=1)), np.flatnonzero(hit.any(axis=0))
    # Equator 142,984 km wide with 2 % of margin at each side; from 10 degrees north hardly less high than the poles.
    assert len(columns) == pytest.approx(300 / 1.04, abs=2)
    assert len(rows) == pytest.approx(300 / 1.04 * 66854 / 71492, rel=0.01)
    assert columns[0] > 0
    assert rows[0] > 0


def test_a_globe_has_no_ground_where_the_image_could_see_none(earth_scene: Any) -> None:
    view = orthographic_view(earth_scene.pointing, 10.0, 280.0, size=200)
    ground, whole = view.ground(), replace(view, seen_from_km=None).ground()
    known = np.isfinite(ground[..., 0])
    assert 0.05 < known.mean() < 0.75
    np.testing.assert_allclose(scaled_radius(ground[known]), 1, atol=1e-9)
    spacecraft = earth_scene.pointing.position_fixed_km[earth_scene.pointing.mid_frame]
    on_planet = np.abs(scaled_radius(whole) - 1) < 1e-9
    above_horizon = np.sum((spacecraft - whole) * whole / RADII**2, axis=-1) > 0
    np.testing.assert_array_equal(known, on_planet & above_horizon)


def test_the_globes_native_scale_is_that_of_the_nearest_ground(earth_scene: Any) -> None:
    view = orthographic_view(earth_scene.pointing)
    # Lit ground lies away from the point below the spacecraft: from 135,000 km on, up to the limb at 190,000 km.
    assert 135000 * 2 / 1480.59 < view.scale < 190000 * 2 / 1480.59


@pytest.mark.parametrize("size", [0, 15, -3, 16385, 10**9])
def test_silly_sizes_are_refused(earth_scene: Any, size: int) -> None:
    with pytest.raises(OptionError, match=f"size {size} is not between 16 and 16384"):
        spacecraft_view(earth_scene.pointing, size)
    with pytest.raises(OptionError, match="not between 16 and 16384"):
        orthographic_view(earth_scene.pointing, size=size)


@pytest.mark.parametrize(
    ("centre", "message"),
    [((91.0, 0.0), "91.0"), ((-90.5, 0.0), "-90.5"), ((np.nan, 0.0), "nan"), ((0.0, np.inf), "not")],
)
def test_silly_centres_are_refused(earth_scene: Any, centre: tuple[float, float], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        orthographic_view(earth_scene.pointing, *centre)


def test_half_a_centre_is_refused(earth_scene: Any) -> None:
    with pytest.raises(OptionError, match="both the latitude and the longitude"):
        orthographic_view(earth_scene.pointing, 20.0)
    with pytest.raises(OptionError, match="both the latitude and the longitude"):
        orthographic_view(earth_scene.pointing, lon_w_sys3_deg=20.0)


def test_an_image_of_the_sky_cannot_be_drawn(earth_scene: Any) -> None:
    pointing = earth_scene.pointing
    # Half a turn about the spin axis: the camera looks away.
    turned = pointing.camera_to_j2000 @ np.diag([1.0, -1.0, -1.0])
    with pytest.raises(GeometryError, match="no pixel of the image sees the sunlit planet"):
        spacecraft_view(replace(pointing, camera_to_j2000=turned))


def test_a_close_pass_is_drawn_equidistant(synthetic: Any) -> None:
    label = synthetic.make_label(altitude_km=5000.0, frames=40, sub_spacecraft_lon_w_sys3_deg=330.0)
    _, pointing, _ = synthetic.fly(label, synthetic.tilted_axis(label, 0.0, 0.0))
    view = spacecraft_view(pointing, 200)
    assert view.projection == "equidistant"
    seen = seen_ground(pointing)
    pixels = view.pixel(seen)
    assert (pixels > -1).all()
    assert (pixels < 201).all()


@pytest.fixture(scope="session")
def close_view(synthetic: Any) -> View:
    label = synthetic.make_label(altitude_km=5000.0, frames=40, sub_spacecraft_lon_w_sys3_deg=330.0)
    _, pointing, _ = synthetic.fly(label, synthetic.tilted_axis(label, 0.0, 0.0))
    return spacecraft_view(pointing, 200)


def test_wide_fields_come_back_to_their_pixels(close_view: View) -> None:
    ground = close_view.ground()
    y, x = np.mgrid[:200, :200] + 0.5
    ahead = (ground - close_view.origin_km) @ close_view.axes[2] > 0
    assert ahead.mean() > 0.7
    np.testing.assert_allclose(close_view.pixel(ground[ahead]), np.stack([x, y], axis=-1)[ahead], atol=1e-5)


def test_rays_find_nothing_behind_them(close_view: View) -> None:
    ground = close_view.ground()
    behind = (ground - close_view.origin_km) @ close_view.axes[2] <= 0
    assert not behind.any()


def test_turned_cropped_and_zoomed_pixels_see_the_same_ground(earth_scene: Any) -> None:
    view = spacecraft_view(earth_scene.pointing, 200)
    ground = view.ground()
    np.testing.assert_allclose(view.turned(90).ground(), np.rot90(ground, -1), atol=1e-6)
    np.testing.assert_allclose(view.turned(30).turned(-30).ground(), ground, atol=1e-6)
    np.testing.assert_allclose(view.cropped(0.25, 0.1, 0.75, 0.6).ground(), ground[20:120, 50:150], atol=1e-6)
    fine = view.zoomed(3)
    assert (fine.width, fine.height) == (600, 600)
    # The middle one of three times three pixels lies where the one was.
    np.testing.assert_allclose(fine.ground()[1::3, 1::3], ground, atol=1e-6)
    cut = view.cropped(0.25, 0.0, 1.0, 1.0).turned(90)
    np.testing.assert_allclose(cut.pixel(cut.ground()[40:60, 40:60])[0, 0], (40.5, 40.5), atol=1e-6)
    assert view.turned(25).north_angle_deg() == pytest.approx(view.north_angle_deg() + 25)


def test_views_without_pixels_are_refused(earth_scene: Any) -> None:
    view = spacecraft_view(earth_scene.pointing, 200)
    with pytest.raises(OptionError, match="leaves no pixel"):
        view.cropped(0.5, 0.0, 0.501, 1.0)
    for factor in (0.001, 1000):
        with pytest.raises(OptionError, match="zoom"):
            view.zoomed(factor)
