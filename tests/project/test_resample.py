"""The gather kernel against a plain loop over frames, and on planes whose values are known."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from perijove.project.resample import EDGE_ROWS, USED_SAMPLES, Framelets, gather
from perijove.project.view import View, orthographic_view, spacecraft_view

Kernel = Literal["bilinear", "bicubic"]
#: Points nearer than this to the edge of a framelet's window may fall on either side of it, pixels.
BORDER_PX = 0.05


@dataclass(frozen=True)
class Sights:
    """Where each frame sees each point: pixel coordinates and distance from the window's edges, inside positive."""

    xy: np.ndarray
    inside: np.ndarray

    @property
    def sure(self) -> np.ndarray:
        """Points that no frame sees near the edge of its window."""
        return np.all(~(np.abs(self.inside) < BORDER_PX), axis=0)

    @property
    def count(self) -> np.ndarray:
        """How many frames see each point."""
        return np.count_nonzero(self.inside > 0, axis=0)

    @property
    def first(self) -> np.ndarray:
        """The first frame that sees each point."""
        return np.argmax(self.inside > 0, axis=0)


@pytest.fixture(scope="session")
def sights(synthetic: Any, earth_scene: Any) -> Callable[[np.ndarray, str], Sights]:
    lines, factor = earth_scene.values.shape[2], earth_scene.label.sampling_factor

    def see(ground: np.ndarray, band: str) -> Sights:
        xy = synthetic.project(earth_scene.pointing, band, ground)
        x, y = np.moveaxis(xy, -1, 0)
        left, right = USED_SAMPLES[0] / factor + 0.5, USED_SAMPLES[1] / factor - 0.5
        top, bottom = EDGE_ROWS / factor + 0.5, lines - EDGE_ROWS / factor - 0.5
        inside = np.minimum(np.minimum(x - left, right - x), np.minimum(y - top, bottom - y))
        return Sights(xy, np.where(np.isfinite(inside), inside, -np.inf))

    return see


def bilinear(plane: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Bilinear sample at pixel coordinates, centres at + 0.5."""
    i, j = np.floor(x - 0.5).astype(int), np.floor(y - 0.5).astype(int)
    fx, fy = x - 0.5 - i, y - 0.5 - j
    top = plane[j, i] * (1 - fx) + plane[j, i + 1] * fx
    return (1 - fy) * top + fy * (plane[j + 1, i] * (1 - fx) + plane[j + 1, i + 1] * fx)


@pytest.fixture(scope="session")
def ground(earth_scene: Any) -> np.ndarray:
    """Points of the disc and the sky around it, in no order: (n, 1, 3), so that each is projected by itself."""
    view = spacecraft_view(earth_scene.pointing, 220)
    points = view.ground().reshape(-1, 3)
    return np.random.default_rng(6).permutation(points)[:, None]


@pytest.fixture(scope="session")
def texture(earth_scene: Any) -> np.ndarray:
    """Smooth noise around 1, another in every framelet."""
    noise = np.random.default_rng(12).normal(size=earth_scene.values.shape)
    smooth = gaussian_filter(noise, (0, 0, 2, 2))
    return (1 + 0.2 * smooth / smooth.std()).astype(np.float32)


def framelets(scene: Any, values: np.ndarray) -> Framelets:
    return Framelets.of(values.astype(np.float32), scene.label.bands, scene.pointing)


def coordinate_planes(scene: Any, axis: Literal["x", "y"]) -> np.ndarray:
    y, x = np.mgrid[: scene.values.shape[2], : scene.values.shape[3]] + 0.5
    return np.broadcast_to(x if axis == "x" else y, scene.values.shape)


def test_bilinear_equals_a_plain_loop(
    earth_scene: Any, ground: np.ndarray, texture: np.ndarray, sights: Callable[..., Sights]
) -> None:
    values, weight = gather(ground, framelets(earth_scene, texture))
    assert values.shape == weight.shape == (len(ground), 1, 3)
    assert values.dtype == weight.dtype == np.float32
    for index, band in enumerate(earth_scene.label.bands):
        seen = sights(ground[:, 0], band)
        got, sure = values[:, 0, index], seen.sure
        np.testing.assert_array_equal(np.isfinite(got)[sure], (seen.count > 0)[sure])
        once = np.flatnonzero(sure & (seen.count == 1))
        frame = seen.first[once]
        x, y = seen.xy[frame, once].T
        want = np.array([bilinear(texture[f, index], u, v) for f, u, v in zip(frame, x, y, strict=True)])
        assert len(once) > 10000
        # Single precision of sums, and coordinates that agree to 1e-4 px.
        np.testing.assert_allclose(got[once], want, rtol=1e-4)


def test_where_framelets_overlap_the_value_lies_between_theirs(
    earth_scene: Any, ground: np.ndarray, texture: np.ndarray, sights: Callable[..., Sights]
) -> None:
    values, _ = gather(ground, framelets(earth_scene, texture))
    for index, band in enumerate(earth_scene.label.bands):
        seen = sights(ground[:, 0], band)
        # Summed framelets of 64 rows stand 57 rows apart: never three see a point.
        assert seen.count.max() == 2
        twice = np.flatnonzero(seen.sure & (seen.count == 2))
        assert len(twice) > 1000
        both = []
        for later in (0, 1):
            frame = seen.first[twice] + later
            x, y = seen.xy[frame, twice].T
            both.append([bilinear(texture[f, index], u, v) for f, u, v in zip(frame, x, y, strict=True)])
        low, high = np.min(both, axis=0), np.max(both, axis=0)
        got = values[twice, 0, index]
        assert np.all(got >= low - 1e-4)
        assert np.all(got <= high + 1e-4)


@pytest.mark.parametrize("kernel", ["bilinear", "bicubic"])
@pytest.mark.parametrize("size", [60, 500])
def test_a_constant_stays_constant(earth_scene: Any, kernel: Kernel, size: int) -> None:
    view = spacecraft_view(earth_scene.pointing, size)
    values, weight = gather(view.ground(), framelets(earth_scene, np.full(earth_scene.values.shape, 0.7)), kernel)
    known = np.isfinite(values)
    assert known.mean() > 0.5
    np.testing.assert_allclose(values[known], 0.7, rtol=1e-5)
    np.testing.assert_array_equal(weight > 0, known)
    assert weight.min() == 0.0
    assert weight.max() == 1.0


def test_seams_fade_without_a_step(earth_scene: Any, sights: Callable[..., Sights]) -> None:
    # Framelets that hold their own number: across a seam the value climbs by one, in small steps.
    scene = earth_scene
    number = np.broadcast_to(np.arange(scene.label.frames)[:, None, None, None], scene.values.shape)
    pointing = scene.pointing
    y = np.linspace(20.0, 63.5, 175)
    line = pointing.ground("GREEN", np.full(len(y), 5), np.full(len(y), 400.0), y)
    assert np.isfinite(line).all()
    values, weight = gather(line[:, None], framelets(scene, number))
    green = values[:, 0, 1]
    assert green[0] == 5.0
    assert green[-1] == 6.0
    # Three and a half summed rows overlap: fourteen quarters of a row, of which a fade may use as few as seven.
    assert np.all(np.diff(green) >= -1e-6)
    assert np.diff(green).max() < 1 / 7
    assert weight[:, 0, 1].min() == 1.0


@pytest.mark.parametrize("north_up", [False, True])
@pytest.mark.parametrize("size", [40, 150, 400, None])
def test_views_of_all_scales_are_covered(
    earth_scene: Any, sights: Callable[..., Sights], north_up: bool, size: int | None
) -> None:
    # Runs of output pixels may cross many framelets in coarse views: none may be left out.
    points = spacecraft_view(earth_scene.pointing, size, north_up).ground()
    values, _ = gather(points, framelets(earth_scene, np.ones(earth_scene.values.shape)))
    step = max(1, len(points) // 200)
    for index, band in enumerate(earth_scene.label.bands):
        seen = sights(points[::step], band)
        got = np.isfinite(values[::step, :, index])
        np.testing.assert_array_equal(got[seen.sure], (seen.count > 0)[seen.sure])


@pytest.mark.parametrize("north_up", [False, True])
@pytest.mark.parametrize("size", [150, 400, None])
def test_coordinates_of_runs_are_those_of_points(
    earth_scene: Any, sights: Callable[..., Sights], north_up: bool, size: int | None
) -> None:
    scene = earth_scene
    points = spacecraft_view(scene.pointing, size, north_up).ground()
    step = max(1, len(points) // 150)
    on_planet = np.abs(np.linalg.norm(points[::step] / [71492.0, 71492.0, 66854.0], axis=-1) - 1) < 1e-9
    for axis in ("x", "y"):
        values, _ = gather(points, framelets(scene, coordinate_planes(scene, axis)))
        for index, band in enumerate(scene.label.bands):
            seen = sights(points[::step], band)
            once = on_planet & seen.sure & (seen.count == 1)
            exact = np.take_along_axis(seen.xy, seen.first[None, ..., None], axis=0)[0, ..., "xy".index(axis)]
            error = np.abs(values[::step, :, index][once] - exact[once])
            # A fiftieth of a pixel is a fifth of the best registration between bands.
            assert error.max() < 0.02
            assert np.median(error) < 0.001


@pytest.mark.parametrize("kernel", ["bilinear", "bicubic"])
def test_planes_are_reproduced_to_the_kernels_order(
    earth_scene: Any, ground: np.ndarray, sights: Callable[..., Sights], kernel: Kernel
) -> None:
    scene = earth_scene
    y, x = np.mgrid[: scene.values.shape[2], : scene.values.shape[3]] + 0.5

    def surface(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        u, v = (x - 408) / 408, (y - 32) / 32
        return 1 + 0.3 * u - 0.2 * v + (0.4 * u * u - 0.1 * v * v + 0.2 * u * v if kernel == "bicubic" else 0 * u)

    values, _ = gather(ground, framelets(scene, np.broadcast_to(surface(x, y), scene.values.shape)), kernel)
    seen = sights(ground[:, 0], "GREEN")
    # The bicubic kernel needs two pixels around; next to a framelet's edge it has them, inside the window.
    once = np.flatnonzero(seen.sure & (seen.count == 1) & (seen.inside.max(axis=0) > 2))
    u, v = seen.xy[seen.first[once], once].T
    # Catmull-Rom reproduces quadratics: bilinear would be off by up to 0.1 / 32**2 / 4 = 2.4e-5.
    np.testing.assert_allclose(values[once, 0, 1], surface(u, v), atol=4e-6)


def test_unknown_pixels_stay_unknown(earth_scene: Any, ground: np.ndarray, sights: Callable[..., Sights]) -> None:
    scene = earth_scene
    planes = np.ones(scene.values.shape, np.float32)
    planes[:, :, 20:30, 300:320] = np.nan
    for kernel in ("bilinear", "bicubic"):
        values, weight = gather(ground, framelets(scene, planes), kernel)
        np.testing.assert_array_equal(np.isnan(values), weight == 0)
        seen = sights(ground[:, 0], "GREEN")
        once = np.flatnonzero(seen.sure & (seen.count == 1))
        x, y = seen.xy[seen.first[once], once].T
        got = values[once, 0, 1]
        hole = (x > 300) & (x < 320) & (y > 20) & (y < 30)
        far = (x < 299) | (x > 321) | (y < 19) | (y > 31)
        assert hole.sum() > 20
        assert np.isnan(got[hole]).mean() > 0.9
        # Values beside the hole come from known pixels alone.
        np.testing.assert_allclose(got[np.isfinite(got)], 1.0, rtol=1e-6)
        assert np.isfinite(got[far]).all()


def test_what_one_framelet_lacks_the_other_gives(
    earth_scene: Any, ground: np.ndarray, sights: Callable[..., Sights]
) -> None:
    planes = np.ones(earth_scene.values.shape, np.float32)
    planes[5] = np.nan
    values, _ = gather(ground, framelets(earth_scene, planes))
    seen = sights(ground[:, 0], "GREEN")
    shared = seen.sure & (seen.count == 2) & ((seen.first == 4) | (seen.first == 5))
    assert shared.sum() > 100
    np.testing.assert_allclose(values[shared, 0, 1], 1.0, rtol=1e-6)
    alone = seen.sure & (seen.count == 1) & (seen.first == 5)
    assert np.isnan(values[alone, 0, 1]).all()


def test_a_lost_block_is_seen_by_the_other_framelet(
    earth_scene: Any, sights: Callable[..., Sights], monkeypatch: pytest.MonkeyPatch
) -> None:
    # In a picture, which is drawn run by run, and most of what is shared by one framelet alone if the fade is short.
    monkeypatch.setattr("perijove.project.resample.FADE_ROWS", 2)
    view = spacecraft_view(earth_scene.pointing)
    ground = view.ground()
    planes = np.ones(earth_scene.values.shape, np.float32)
    planes[5, :, -12:, 200:600] = np.nan
    values, _ = gather(ground, framelets(earth_scene, planes))
    seen = sights(ground.reshape(-1, 3), "GREEN")
    x, y = seen.xy[5].T
    lost = (x > 202) & (x < 598) & (y > planes.shape[2] - 10) & (seen.inside[5] > BORDER_PX)
    shared = lost & (np.delete(seen.inside, 5, axis=0).max(axis=0) > BORDER_PX)
    assert shared.sum() > 100
    np.testing.assert_allclose(values[..., 1].ravel()[shared], 1.0, rtol=1e-6)


def test_points_behind_the_camera_are_unknown(earth_scene: Any) -> None:
    pointing = earth_scene.pointing
    away = 2 * pointing.position_fixed_km[pointing.mid_frame] - spacecraft_view(pointing, 64).ground()
    values, weight = gather(away, framelets(earth_scene, np.ones(earth_scene.values.shape)))
    assert np.isnan(values).all()
    assert not weight.any()


def test_nan_points_are_unknown_and_harm_no_other(earth_scene: Any, texture: np.ndarray) -> None:
    points = spacecraft_view(earth_scene.pointing, 400).ground(slice(190, 200))
    whole, _ = gather(points, framelets(earth_scene, texture))
    holed = points.copy()
    gone = np.random.default_rng(1).random(points.shape[:2]) < 0.1
    holed[gone] = np.nan
    values, weight = gather(holed, framelets(earth_scene, texture))
    assert np.isnan(values[gone]).all()
    assert not weight[gone].any()
    # Point by point or by run: the coordinates differ by a few thousandths of a pixel at most, the texture by 0.2 a px.
    np.testing.assert_array_equal(np.isnan(values[~gone]), np.isnan(whole[~gone]))
    np.testing.assert_allclose(values[~gone], whole[~gone], atol=0.005)


def test_a_view_wider_than_the_image(earth_scene: Any) -> None:
    view = spacecraft_view(earth_scene.pointing, 200)
    wide = View(view.projection, view.origin_km, view.axes, 4 * view.scale, 200, 200, view.centre)
    points = wide.ground()
    values, weight = gather(points, framelets(earth_scene, np.ones(earth_scene.values.shape)))
    assert np.isnan(values[0]).all()
    assert np.isnan(values[:, 0]).all()
    assert np.isfinite(values[90:110, 90:110]).all()
    np.testing.assert_array_equal(np.isnan(values), weight == 0)


def test_one_frame_alone(synthetic: Any, earth_scene: Any, texture: np.ndarray) -> None:
    pointing = earth_scene.pointing
    names = ("et", "camera_to_j2000", "position_km", "velocity_km_s")
    one = replace(pointing, **{name: getattr(pointing, name)[6:7] for name in names})
    points = spacecraft_view(one, 120).ground()
    values, weight = gather(points, Framelets.of(texture[6:7], earth_scene.label.bands, one))
    x, y = np.moveaxis(synthetic.project(one, "GREEN", points)[0], -1, 0)
    left, right = USED_SAMPLES[0] / 2 + 0.5, USED_SAMPLES[1] / 2 - 0.5
    inside = np.minimum(np.minimum(x - left, right - x), np.minimum(y - 1.5, 62.5 - y))
    sure = np.abs(inside) > BORDER_PX
    np.testing.assert_array_equal(np.isfinite(values[..., 1])[sure], (inside > 0)[sure])
    got = inside > BORDER_PX
    want = [bilinear(texture[6, 1], u, v) for u, v in zip(x[got], y[got], strict=True)]
    np.testing.assert_allclose(values[..., 1][got], want, atol=0.005)
    # Where the image ends the weight falls to the edge.
    middle = got & (np.abs(y - 32) < 20)
    assert weight[..., 1][middle].min() == 1.0
    assert weight[..., 1][got & (np.minimum(y - 1.5, 62.5 - y) < 0.5)].max() < 0.8


def test_the_far_side_of_the_globe_is_unknown(earth_scene: Any) -> None:
    scene = earth_scene
    hidden = orthographic_view(
        scene.pointing,
        -scene.label.sub_spacecraft_lat_graphic_deg,
        (scene.label.sub_spacecraft_lon_w_sys3_deg + 180) % 360,
        size=100,
    )
    points = hidden.ground(slice(40, 60))[:, 40:60]
    values, weight = gather(points, framelets(scene, np.ones(scene.values.shape)))
    assert np.isnan(values).all()
    assert not weight.any()
