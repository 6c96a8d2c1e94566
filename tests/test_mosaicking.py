"""From raw images and maps to a mosaic on disk, and from it to views, on a planet whose truth is known."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from typer.testing import CliRunner

from perijove.cli import app
from perijove.errors import OptionError
from perijove.geometry.ellipsoid import lat_centric_deg, to_lat_lon
from perijove.geometry.winds import blown
from perijove.mapping import MapPlan, Region
from perijove.mosaic_inputs import Cells, carried
from perijove.mosaicking import AS_SEEN, MosaicPlan, draw_mosaic, photometry_from, photometry_report
from perijove.photometry.photometry import Photometry
from perijove.products.map_file import open_map
from perijove.products.xmp import documents_in
from perijove.project.grid import GLOBE, map_grid
from perijove.register.pointing_file import Solved, pointing_path, write_pointing
from perijove.shelving import Given, Shelf, shelve
from perijove.story.credit import Credit
from perijove.viewing import ViewPlan, draw_view, view_of

REGION = Region(10.0, 80.0, 190.0, 380.0)
LAMBERT = MosaicPlan(MapPlan("north-stereographic", REGION, 250.0), photometry="lambert")


@pytest.fixture(scope="module")
def scenes(synthetic: Any, tilted_scene: Any) -> list[Any]:
    """Two images of a pass, ten minutes and 17,000 km apart."""
    second = synthetic.make_scene(
        10.0,
        product_id=synthetic.ProductId.parse("JNCE_2022229_44C00002_V01"),
        start_time="2022-08-17T13:26:10.000",
        altitude_km=118000.0,
        sub_spacecraft_lat_graphic_deg=42.0,
        sub_spacecraft_lon_w_sys3_deg=288.0,
    )
    return [tilted_scene, second]


@pytest.fixture(scope="module")
def pair(scenes: list[Any], write_set: Callable[..., Path], tmp_path_factory: Any) -> list[Path]:
    return [write_set(tmp_path_factory.mktemp(f"set{n}"), scene) for n, scene in enumerate(scenes)]


@pytest.fixture(scope="module")
def given(pair: list[Path], tmp_path_factory: Any) -> Given:
    """Pointing that was solved once, of both together."""
    folder = tmp_path_factory.mktemp("solved")
    for path, image in zip(pair, shelve(pair, Shelf(), Given()), strict=True):
        found = Solved(
            str(image.label.product_id), image.provenance["inputs"][0]["sha256"], "perijove X", image.located
        )
        assert path.name.startswith(str(image.label.product_id))
        assert image.located.axis_source == "2 images of the perijove"
        write_pointing(pointing_path(folder, image.label), found)
    return Given(pointing=folder)


@pytest.fixture(scope="module")
def mosaic(pair: list[Path], given: Given, tmp_path_factory: Any) -> tuple[Path, dict[str, Any]]:
    path = tmp_path_factory.mktemp("mosaic") / "mosaic.tif"
    return path, draw_mosaic(pair, path, LAMBERT, given)


def truth(synthetic: Any, ground: np.ndarray) -> np.ndarray:
    lat, lon_w = to_lat_lon(ground)
    # The clouds of the synthetic planet are cut at 180 degrees.
    clouds = synthetic.clouds(lat, np.where(lon_w > 180, lon_w - 360, lon_w))
    return np.stack([synthetic.ALBEDO[band] * clouds for band in ("RED", "GREEN", "BLUE")], axis=-1)


def incidence_deg(scene: Any, ground: np.ndarray) -> np.ndarray:
    normal = ground / np.array([71492.0, 71492.0, 66854.0]) ** 2
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    return np.degrees(np.arccos(normal @ scene.pointing.sun_fixed))


def test_the_mosaic_is_the_planets_albedo(synthetic: Any, scenes: list[Any], mosaic: Any) -> None:
    path, report = mosaic
    file = open_map(path)
    assert file.planes == ("RED", "GREEN", "BLUE", "weight", "source")
    read = file.read(slice(0, file.grid.height), slice(0, file.grid.width))
    ratio = read[..., :3] / truth(synthetic, file.grid.ground())
    well = np.isfinite(ratio).all(axis=-1) & (incidence_deg(scenes[0], file.grid.ground()) < 75)
    assert well.sum() > 50_000
    # What the project asks of simulated passes: 3 % where incidence is below 75 degrees.
    assert np.sqrt(np.mean((ratio[well] - 1) ** 2)) < 0.03
    source = read[..., 4]
    assert set(np.unique(source[np.isfinite(source)])) == {1.0, 2.0}
    # Where the source changes, from one pixel to the next, nothing else does: the median step of the ratio.
    for axis in (0, 1):
        seam = np.diff(source, axis=axis) != 0
        step = np.diff(np.where(well, ratio[..., 1], np.nan), axis=axis)
        step = step[seam & np.isfinite(step) & np.isfinite(np.diff(source, axis=axis))]
        assert len(step) > 50
        assert abs(np.median(step)) < 0.005
        assert abs(np.mean(step)) < 0.005
    assert report["unit"] == "reflectance"


def test_the_file_tells_what_it_is_made_of(mosaic: Any, pair: list[Path]) -> None:
    path, report = mosaic
    with rasterio.open(path) as file:
        told = json.loads(file.tags()["PERIJOVE"])
        assert file.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
    assert report["files"] == [str(path)]
    assert [s["product"] for s in told["sources"]] == [p.name.removesuffix("-raw.png") for p in pair]
    assert [s["number"] for s in told["sources"]] == [1, 2]
    assert {entry["file"] for entry in told["inputs"]} >= {p.name for p in pair}
    assert told["credit"] == "Image data: NASA/JPL-Caltech/SwRI/MSSS"
    assert told["photometry"]["model"] == "lambert"
    for band in ("RED", "GREEN", "BLUE"):
        gains = [source["gains"][band] for source in told["sources"]]
        # Both images are made by one law and one calibration.
        assert np.prod(gains) == pytest.approx(1.0, abs=1e-6)
        assert gains[0] == pytest.approx(1.0, abs=0.01)
        assert told["overlaps"][band][0]["after"] == pytest.approx(1.0, abs=0.005)
    outer = np.array(told["sources"][0]["footprint"][0][0])
    assert outer.shape[1] == 2
    # The map's corners lie south of its region.
    assert (outer[:, 1] > -20).all()
    assert outer[0].tolist() == outer[-1].tolist()


def test_an_image_is_fed_into_a_mosaic(
    scenes: list[Any], pair: list[Path], given: Given, mosaic: Any, tmp_path: Path
) -> None:
    first, fed = tmp_path / "first.tif", tmp_path / "fed.tif"
    credit = Credit().by("Jane Doe")
    draw_mosaic(pair[:1], first, MosaicPlan(LAMBERT.map, photometry="lambert", credit=credit), given)
    report = draw_mosaic([first, pair[1]], fed, MosaicPlan(like_first=True), given)
    assert [s["number"] for s in report["sources"]] == [1, 2]
    assert report["photometry"]["model"] == "lambert"
    assert report["processing"] == ["Jane Doe"]
    for key in ("transform", "width", "height", "latitudes"):
        assert report["map"][key] == mosaic[1]["map"][key]
    once, again = (open_map(path) for path in (mosaic[0], fed))
    both = [each.read(slice(0, each.grid.height), slice(0, each.grid.width)) for each in (once, again)]
    ratio = both[1][..., :3] / both[0][..., :3]
    ratio[incidence_deg(scenes[0], once.grid.ground()) > 75] = np.nan
    # As in one go, but that the weights of the first image went through a map: where another one is chosen, noise is.
    assert np.nanpercentile(np.abs(ratio - 1), 95) < 0.02
    assert abs(np.nanmedian(ratio) - 1) < 0.005
    assert (np.isfinite(both[0]) == np.isfinite(both[1])).mean() > 0.995
    same = np.isfinite(both[0][..., 4])
    assert (both[0][..., 4] == both[1][..., 4])[same].mean() > 0.85


def test_another_projection_of_a_mosaic(synthetic: Any, mosaic: Any, tmp_path: Path) -> None:
    path = tmp_path / "other.tif"
    draw_mosaic([mosaic[0]], path, MosaicPlan(MapPlan("equirectangular", Region(20.0, 50.0, 305.0, 340.0), 250.0)))
    file = open_map(path)
    read = file.read(slice(0, file.grid.height), slice(0, file.grid.width))
    ratio = read[..., :3] / truth(synthetic, file.grid.ground())
    assert np.isfinite(ratio).mean() > 0.9
    assert np.nanmedian(np.abs(ratio - 1)) < 0.02
    assert set(np.unique(read[..., 4][np.isfinite(read[..., 4])])) <= {1.0, 2.0}


def test_i_over_f_as_it_was_seen(pair: list[Path], given: Given, mosaic: Any, tmp_path: Path) -> None:
    path = tmp_path / "seen.tif"
    report = draw_mosaic(pair[:1], path, MosaicPlan(LAMBERT.map, photometry=AS_SEEN), given)
    assert report["unit"] == "I/F"
    assert report["photometry"] is None
    with pytest.raises(OptionError, match="I/F and others reflectances"):
        draw_mosaic([path, mosaic[0]], tmp_path / "x.tif")
    with pytest.raises(OptionError, match="holds I/F as it was seen"):
        draw_mosaic([path, pair[1]], tmp_path / "x.tif", MosaicPlan(like_first=True), given)
    with pytest.raises(OptionError, match="lit again"):
        draw_view(path, tmp_path / "x.png", ViewPlan(phase_deg=90.0, size=64))


def test_wrong_inputs(pair: list[Path], given: Given, mosaic: Any, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="twice"):
        draw_mosaic([pair[0], pair[0]], tmp_path / "x.tif", LAMBERT, given)
    with pytest.raises(OptionError, match="is an input, too"):
        draw_mosaic([mosaic[0], pair[0]], mosaic[0], LAMBERT, given)
    with pytest.raises(OptionError, match=r"\.tif"):
        draw_mosaic(pair, tmp_path / "x.jpg", LAMBERT, given)
    south = MapPlan("south-stereographic", Region(-90.0, -70.0, 0.0, 360.0), 500.0)
    with pytest.raises(OptionError, match="nothing of the images"):
        draw_mosaic(pair[:1], tmp_path / "x.tif", MosaicPlan(south, photometry="lambert"), given)
    with pytest.raises(OptionError, match="winds"):
        draw_mosaic(pair[:1], tmp_path / "x.tif", MosaicPlan(time_utc="2022-08-17T13:00:00"), given)
    assert not list(tmp_path.iterdir())


def test_clouds_go_with_the_wind() -> None:
    ground = map_grid("equirectangular", GLOBE, 2000e3).ground()
    # Of a table of 8193 latitudes, over an hour: metres.
    np.testing.assert_allclose(carried(ground, 3600.0), blown(ground, 3600.0), atol=0.5)


@pytest.mark.parametrize(
    ("projection", "region", "wraps"),
    [("equirectangular", GLOBE, True), ("equirectangular", REGION, False), ("north-stereographic", REGION, False)],
)
def test_cells_cover_the_map(projection: str, region: Region, wraps: bool) -> None:
    # 360 degrees are a whole number of such pixels.
    grid = map_grid(projection, region, 2 * np.pi * 71492e3 / 9000)
    cells = Cells.over(grid)
    assert cells.wraps == wraps
    assert cells.grid.scale_m == cells.step * grid.scale_m <= 500e3
    assert cells.grid.width * cells.step >= grid.width
    corner = cells.grid.ground(slice(3, 4), slice(5, 6))[0, 0]
    place = grid.pixel(corner)
    np.testing.assert_allclose(place, [5.5 * cells.step, 3.5 * cells.step], atol=1e-3)


def test_photometry_goes_through_the_file() -> None:
    law = Photometry("minnaert", {"RED": (0.9,), "BLUE": (0.8,)}, {"images": 2})
    again = photometry_from(json.loads(json.dumps(photometry_report(law))))
    assert (again.model, dict(again.parameters)) == (law.model, dict(law.parameters))
    with pytest.raises(OptionError, match="nothing usable"):
        photometry_from({"model": "minnaert"})


def test_a_view_shows_the_ground_in_its_place(synthetic: Any, mosaic: Any, tmp_path: Path) -> None:
    import tifffile

    path = tmp_path / "view.tif"
    report = draw_view(mosaic[0], path, ViewPlan(centre=(35.0, 320.0), size=400))
    values = tifffile.imread(path)
    assert values.shape == (400, 400, 3)
    # The middle of the picture is the place that was asked for.
    middle = values[196:204, 196:204, 1].mean() / synthetic.ALBEDO["GREEN"]
    assert middle == pytest.approx(float(synthetic.clouds(np.array(35.0), np.array(-40.0))), rel=0.03)
    assert np.isnan(values[0]).all()
    assert report["view"]["projection"] == "orthographic"
    with tifffile.TiffFile(path) as file:
        told = json.loads(file.pages.first.description)
    assert told["inputs"][0] == {"file": mosaic[0].name, "sha256": hashlib.sha256(mosaic[0].read_bytes()).hexdigest()}
    assert told["inputs"][1:] == mosaic[1]["inputs"]
    assert told["software"].startswith("perijove ")


def test_a_crescent_from_nearby(mosaic: Any, tmp_path: Path) -> None:
    import tifffile

    plan = {"projection": "perspective", "centre": (35.0, 320.0), "size": 400, "distance_km": 300e3}
    plain, lit = tmp_path / "plain.tif", tmp_path / "lit.tif"
    draw_view(mosaic[0], plain, ViewPlan(**plan))
    draw_view(mosaic[0], lit, ViewPlan(**plan, phase_deg=60.0))
    full, crescent = (tifffile.imread(path)[..., 1] for path in (plain, lit))
    ground = view_of(open_map(mosaic[0]), ViewPlan(**plan)).ground()
    normal = ground / np.array([71492.0, 71492.0, 66854.0]) ** 2
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    # Above 35 N, 320 W, with the Sun 60 degrees off to the right, which is east.
    lat, lon = np.radians(lat_centric_deg(35.0)), np.radians(-320.0)
    above = np.array([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])
    east = np.array([-np.sin(lon), np.cos(lon), 0.0])
    mu0 = normal @ (0.5 * above + np.sqrt(0.75) * east)
    day = np.isfinite(crescent) & (mu0 > 0.1)
    assert day.sum() > 2000
    # By Lambert's law, in single precision and with bilinear samples at its border.
    np.testing.assert_allclose((crescent / full)[day], mu0[day], atol=5e-3)
    night = np.isfinite(crescent) & (mu0 < -0.04)
    assert night.sum() > 500
    assert (crescent[night] == 0).all()


def test_pictures(pair: list[Path], mosaic: Any, tmp_path: Path) -> None:
    report = draw_mosaic([mosaic[0]], tmp_path / "m.png", MosaicPlan(like_first=True))
    assert [Path(p).name for p in report["files"]] == ["m.png", "m.pgw"]
    with rasterio.open(tmp_path / "m.png") as file:
        np.testing.assert_allclose(tuple(file.transform)[:6], report["map"]["transform"], rtol=1e-12)
        picture = file.read()
    seen = np.isfinite(open_map(mosaic[0]).read(slice(0, file.height), slice(0, file.width), ("RED",))[..., 0])
    assert (picture.max(axis=0)[~seen] == 0).all()
    assert (picture.max(axis=0)[seen] > 0).mean() > 0.99
    draw_view(mosaic[0], tmp_path / "e.png", ViewPlan(centre=(35.0, 320.0), size=200, style="enhanced"))
    assert (tmp_path / "e.png").stat().st_size > 20_000
    for name in ("m.png", "e.png"):
        found = documents_in((tmp_path / name).read_bytes(), name)
        inputs = json.loads(found["Provenance"])["inputs"]
        assert {entry["file"] for entry in inputs} >= {p.name for p in pair}
        assert str(tmp_path) not in found["Provenance"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"sun": (0.0, 0.0), "phase_deg": 10.0}, "one of them"),
        ({"projection": "perspective"}, "needs a distance"),
        ({"projection": "perspective", "distance_km": 70e3}, "too near"),
        ({"projection": "flat"}, "no view"),
        ({"size": 4}, "size"),
    ],
)
def test_views_that_cannot_be(change: dict[str, Any], told: str) -> None:
    with pytest.raises(OptionError, match=told):
        ViewPlan(**change)


def test_the_commands(pair: list[Path], given: Given, tmp_path: Path) -> None:
    path = tmp_path / "mosaic.tif"
    arguments = ["mosaic", str(pair[0]), "-o", str(path), "--json", "--pointing", str(given.pointing)]
    arguments += ["--projection", "north-stereographic", "--region", "40,80,190,380", "--scale", "500"]
    result = CliRunner().invoke(
        app, [*arguments, "--photometry", "lambert", "--by", "Jane Doe"], catch_exceptions=False
    )
    assert result.exit_code == 0, result.stderr
    report = json.loads(result.stdout)
    assert "Jane Doe" in report["credit"]
    result = CliRunner().invoke(app, ["view", str(path), "-o", str(tmp_path / "v.png"), "--size", "100"])
    assert result.exit_code == 0, result.stderr
    assert str(tmp_path / "v.png") in result.stdout.replace("\n", "")
    result = CliRunner().invoke(app, ["mosaic", str(path), "-o", str(tmp_path / "again.tif")])
    assert result.exit_code == 0, result.stderr
    assert open_map(tmp_path / "again.tif").grid.width == report["map"]["width"]
    result = CliRunner().invoke(app, ["mosaic", str(path), "-o", "x.tif", "--scale", "3", "--ppd", "4"])
    assert result.exit_code == 2
