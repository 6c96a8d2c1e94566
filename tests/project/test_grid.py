"""Map grids against pyproj."""

from dataclasses import replace

import numpy as np
import pyproj
import pytest

from perijove.errors import OptionError
from perijove.geometry.ellipsoid import from_lat_lon, lat_centric_deg, lat_graphic_deg, to_lat_lon
from perijove.project.crs import PROJECTIONS
from perijove.project.grid import BODIES, GLOBE, MAX_SIDE_PX, Cutout, MapGrid, Region, map_grid, scale_of

NORTH, SOUTH = Region(20.0, 80.0, 30.0, 120.0), Region(-80.0, -20.0, 200.0, 290.0)


def grids() -> list[tuple[str, str]]:
    # PROJ's series for these do not converge on Jupiter's ellipsoid: they are refused there.
    unknown = {("north-stereographic", "graphic"), ("south-stereographic", "graphic")}
    unknown |= {("stereographic", "graphic"), ("equal-area", "graphic")}
    return [(p, kind) for p in PROJECTIONS for kind in ("centric", "graphic") if (p, kind) not in unknown]


def by_pyproj(grid: MapGrid, ground_km: np.ndarray) -> np.ndarray:
    """Pixel coordinates from the file's CRS and transform alone."""
    crs = pyproj.CRS(grid.wkt)
    graphic, lon_w = to_lat_lon(ground_km)
    latitude = graphic if grid.latitudes == "graphic" else lat_centric_deg(graphic)
    x, y = pyproj.Transformer.from_crs(crs.geodetic_crs, crs, always_xy=True).transform(-lon_w, latitude)
    a, _, left, _, e, top = grid.transform
    return np.stack([(x - left) / a, (y - top) / e], axis=-1)


@pytest.mark.parametrize(("projection", "latitudes"), grids())
def test_pixels_are_where_pyproj_has_them(projection: str, latitudes: str) -> None:
    grid = map_grid(projection, SOUTH if "south" in projection else NORTH, 200e3, latitudes=latitudes)  # type: ignore[arg-type]
    ground = grid.ground()
    known = np.isfinite(ground[..., 0])
    assert known.mean() > 0.5
    rows, columns = np.nonzero(known)
    expected = np.stack([columns + 0.5, rows + 0.5], axis=-1)
    np.testing.assert_allclose(by_pyproj(grid, ground[known]), expected, atol=0.01)
    np.testing.assert_allclose(grid.pixel(ground[known]), expected, atol=0.01)


@pytest.mark.parametrize("projection", ["north-stereographic", "north-equidistant", "equal-area"])
def test_interpolated_ground_is_on_the_ellipsoid(projection: str) -> None:
    grid = map_grid(projection, NORTH, 50e3)
    ground = grid.ground(slice(100, 140), slice(200, 300))
    graphic, lon_w = to_lat_lon(ground)
    # A thousandth of a pixel of 50 km.
    np.testing.assert_allclose(from_lat_lon(graphic, lon_w), ground, atol=0.05)
    np.testing.assert_array_equal(grid.ground()[100:140, 200:300][5, 7].round(1), ground[5, 7].round(1))


def test_a_globe_of_25_pixels_a_degree() -> None:
    grid = map_grid("equirectangular", GLOBE, scale_of(25.0))
    assert (grid.width, grid.height) == (9000, 4500)
    assert pyproj.CRS(grid.wkt).to_authority() == ("IAU_2015", "59910")
    graphic, lon_w = to_lat_lon(grid.ground(slice(0, 1), slice(0, 1))[0, 0])
    assert lon_w == pytest.approx(180.0 - 0.02)
    assert lat_centric_deg(graphic) == pytest.approx(90.0 - 0.02)


def test_a_region_across_the_cut_moves_the_cut() -> None:
    grid = map_grid("equirectangular", Region(-30.0, 0.0, 170.0, 200.0), scale_of(10.0))
    assert grid.width == pytest.approx(300, abs=2)
    grid = map_grid("equirectangular", Region(-30.0, 0.0, 350.0, 370.0), scale_of(10.0))
    assert grid.width == pytest.approx(200, abs=2)


def test_ground_beyond_the_horizon_is_left_out() -> None:
    observer = from_lat_lon(10.0, 100.0, 50e3)
    grid = replace(map_grid("equirectangular", GLOBE, scale_of(1.0)), seen_from_km=observer)
    ground = grid.ground()
    known = np.isfinite(ground[..., 0])
    up = ground[known] / np.array([71492.0, 71492.0, 66854.0]) ** 2
    # The outward normal looks at the observer.
    assert (np.sum(up * (observer - ground[known]), axis=-1) > 0).all()
    # A cap of half-angle arccos(R / (R + h)): 54 degrees on a sphere.
    beside = ground[known] @ observer / np.linalg.norm(ground[known], axis=-1) / np.linalg.norm(observer)
    assert np.degrees(np.arccos(beside.min())) == pytest.approx(54.0, abs=2.5)


def test_tiles_hold_all_points() -> None:
    grid = map_grid("north-stereographic", NORTH, 100e3)
    ground = from_lat_lon(*np.random.default_rng(0).uniform((40.0, 50.0), (60.0, 80.0), (500, 2)).T)
    covered = np.zeros((grid.height, grid.width), bool)
    for rows, columns in grid.tiles(64, ground):
        covered[rows, columns] = True
    x, y = grid.pixel(ground).T.astype(int)
    assert covered[y, x].all()
    assert not covered.all()


@pytest.mark.parametrize("projection", ["north-stereographic", "equal-area"])
def test_what_proj_cannot_invert_is_refused(projection: str) -> None:
    with pytest.raises(OptionError, match="PROJ cannot invert"):
        map_grid(projection, NORTH, 50e3, latitudes="graphic")


def test_any_projection_of_jupiter_is_taken() -> None:
    grid = map_grid("+proj=sinu +lon_0=0 +R=71492000 +units=m", Region(-60.0, 60.0, 0.0, 360.0), 500e3)
    ground = grid.ground()
    known = np.isfinite(ground[..., 0])
    rows, columns = np.nonzero(known)
    np.testing.assert_allclose(by_pyproj(grid, ground[known]), np.stack([columns, rows], -1) + 0.5, atol=0.01)
    assert grid.latitudes == "centric"
    assert map_grid("+proj=merc +a=71492000 +b=66854000", NORTH, 500e3).latitudes == "graphic"


@pytest.mark.parametrize(
    ("projection", "told"),
    [
        ("mollweide", "there is no projection"),
        ("EPSG:3857", "no projection of Jupiter"),
        ("+proj=eqc +a=71492000 +b=71000000", "ellipsoid"),
        ("IAU_2015:59911", "grow to the west"),
    ],
)
def test_other_projections_are_refused(projection: str, told: str) -> None:
    with pytest.raises(OptionError, match=told):
        map_grid(projection, NORTH, 500e3)


def test_scales_and_regions_that_are_none() -> None:
    with pytest.raises(OptionError, match="positive"):
        map_grid("mercator", NORTH, 0.0)
    with pytest.raises(OptionError, match=str(MAX_SIDE_PX)):
        map_grid("mercator", NORTH, 1.0)
    with pytest.raises(OptionError, match="south before north"):
        Region(30.0, 10.0, 0.0, 10.0)
    with pytest.raises(OptionError, match="360"):
        Region(10.0, 30.0, 350.0, 10.0)


@pytest.mark.parametrize("name", ["Io", "Europa", "Ganymede", "Callisto"])
def test_maps_of_moons(name: str) -> None:
    body = BODIES[name]
    grid = map_grid("equirectangular", GLOBE, scale_of(4.0, body), body=body)
    crs = pyproj.CRS(grid.wkt)
    assert (grid.width, grid.height) == (1440, 720)
    assert crs.to_authority() == ("IAU_2015", str(100 * body.code + 10))
    assert crs.ellipsoid.semi_major_metre == body.equator_km * 1e3
    grid = map_grid("stereographic", Cutout(500.0), 2e3, centre=(30.0, 100.0), body=body)
    assert (grid.width, grid.height) == (500, 500)
    assert name in pyproj.CRS(grid.wkt).name
    ground = grid.ground(slice(100, 120), slice(200, 230))
    np.testing.assert_allclose(np.linalg.norm(ground, axis=-1), body.equator_km, rtol=1e-9)
    crs = pyproj.CRS(grid.wkt)
    lat, lon = (np.degrees(a) for a in (np.arcsin(ground[..., 2] / body.equator_km), np.arctan2(*ground.T[1::-1]).T))
    x, y = pyproj.Transformer.from_crs(crs.geodetic_crs, crs, always_xy=True).transform(lon, lat)
    columns, rows = np.meshgrid(np.arange(200, 230) + 0.5, np.arange(100, 120) + 0.5)
    np.testing.assert_allclose((x - grid.left_m) / 2e3, columns, atol=0.01)
    np.testing.assert_allclose((grid.top_m - y) / 2e3, rows, atol=0.01)


def test_a_moon_is_not_jupiter() -> None:
    with pytest.raises(OptionError, match="no projection of Io"):
        map_grid("+proj=eqc +R=71492000", NORTH, 500e3, body=BODIES["Io"])


@pytest.mark.parametrize("latitudes", ["centric", "graphic"])
def test_places_of_a_body(latitudes: str) -> None:
    body = BODIES["Jupiter"]
    lat, lon = np.random.default_rng(0).uniform((-89.0, -179.0), (89.0, 179.0), (100, 2)).T
    points = body.points(lat, lon, latitudes)  # type: ignore[arg-type]
    graphic = lat_graphic_deg(lat) if latitudes == "centric" else lat
    np.testing.assert_allclose(points, from_lat_lon(graphic, -lon), rtol=1e-12, atol=1e-7)
    np.testing.assert_allclose(body.places(points, latitudes), (lat, lon), atol=1e-9)  # type: ignore[arg-type]


def test_a_square_about_a_centre() -> None:
    grid = map_grid("equal-area", Cutout(10_000.0), 100e3, centre=(40.0, 150.0))
    assert (grid.width, grid.height) == (200, 200)
    middle = grid.ground(slice(99, 101), slice(99, 101)).mean(axis=(0, 1))
    graphic, lon_w = to_lat_lon(middle)
    assert lat_centric_deg(graphic) == pytest.approx(40.0, abs=0.01)
    assert lon_w == pytest.approx(150.0, abs=0.01)
    # Beyond the limb of an orthographic map there is nothing.
    wide = map_grid("orthographic", Cutout(80_000.0), 1000e3, centre=(0.0, 0.0))
    assert (wide.width, wide.height) == (160, 160)
    ground = np.isfinite(wide.ground()[..., 0])
    assert ground.mean() == pytest.approx(np.pi * 71492**2 / 160_000**2, abs=0.01)
    with pytest.raises(OptionError, match="needs a centre"):
        map_grid("mercator", Cutout(10_000.0), 100e3, centre=(40.0, 150.0))
    with pytest.raises(OptionError, match="positive"):
        Cutout(-1.0)


def test_points_every_so_many_pixels() -> None:
    for projection in ("equirectangular", "north-stereographic"):
        grid = map_grid(projection, NORTH, 50e3)
        some = grid.ground(slice(3, 200, 7), slice(0, None, 5))
        # Interpolated otherwise: a thousandth of a pixel.
        np.testing.assert_allclose(some, grid.ground()[3:200:7, ::5], atol=0.1)


@pytest.mark.parametrize("projection", ["equirectangular", "north-stereographic", "equal-area"])
@pytest.mark.parametrize("size", [2, 77, 500])
def test_a_map_has_the_size_that_is_asked_for(projection: str, size: int) -> None:
    grid = map_grid(projection, NORTH, None, size=size)
    assert max(grid.width, grid.height) == size
    finer = map_grid(projection, NORTH, grid.scale_m / 8)
    # It still holds all that it shows, as far as the finer one, whose edges are multiples, tells.
    assert grid.left_m <= finer.left_m + 1.001 * finer.scale_m
    assert grid.top_m >= finer.top_m - 1.001 * finer.scale_m


def test_a_size_or_a_scale_is_told() -> None:
    for scale, size in ((None, None), (50e3, 100)):
        with pytest.raises(OptionError, match="give one of them"):
            map_grid("equirectangular", GLOBE, scale, size=size)
    with pytest.raises(OptionError, match="1 pixels long"):
        map_grid("equirectangular", GLOBE, None, size=1)


def test_a_part_of_a_map_lies_where_it_did() -> None:
    grid = map_grid("north-equidistant", NORTH, 400e3)
    part = grid.cropped(0.25, 0.5, 0.75, 1.0)
    rows, columns = round(0.5 * grid.height), round(0.25 * grid.width)
    # Ground is interpolated between other points: a thousandth of a pixel of 400 km.
    np.testing.assert_allclose(part.ground(), grid.ground()[rows:, columns : columns + part.width], atol=0.4)
    twice = part.zoomed(2)
    assert (twice.width, twice.height) == (2 * part.width, 2 * part.height)
    place = part.ground()[3:4, 5:6]
    np.testing.assert_allclose(twice.pixel(place), 2 * part.pixel(place), atol=1e-6)
    with pytest.raises(OptionError, match="leaves no pixel"):
        grid.cropped(0.5, 0, 0.5001, 1)


def test_where_north_is_on_maps() -> None:
    assert map_grid("equirectangular", NORTH, 400e3).north_angle_deg() == pytest.approx(0, abs=1e-6)
    pole = map_grid("north-stereographic", Region(50, 90, 0, 360), 400e3)
    assert pole.pole_in_the_middle == "north"
    assert map_grid("south-equidistant", Region(-90, -50, 0, 360), 400e3).pole_in_the_middle == "south"
    assert pole.north_angle_deg() == 0.0
    # A part right of the pole has it to the left, one below it above.
    assert pole.cropped(0.7, 0.4, 0.9, 0.6).north_angle_deg() == pytest.approx(-90)
    assert pole.cropped(0.4, 0.7, 0.6, 0.9).north_angle_deg() == pytest.approx(0, abs=1e-6)
    assert not pole.cropped(0.7, 0.4, 0.9, 0.6).pole_in_the_middle
