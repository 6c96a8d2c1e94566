"""Maps of a real image, through the files alone: their CRS by pyproj, their pixels by rasterio."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyproj
import pytest
import rasterio
from typer.testing import CliRunner

import perijove
from perijove.cli import app
from perijove.errors import OptionError
from perijove.geometry.ellipsoid import from_lat_lon, lat_graphic_deg
from perijove.mapping import GLOBE, Cutout, Drawing, MapPlan, Region, draw_map, scale_of


@pytest.fixture(scope="module")
def image(real_data: Path) -> Any:
    return perijove.open(real_data / "raw" / "JNCE_2022229_44C00032_V01-raw.png")


def seen_by_framelets(image: Any, ground_km: np.ndarray) -> np.ndarray:
    """I/F of the green pixel that sees each point nearest to the middle of its framelet; NaN near their edges."""
    pointing, values = image.located.solution.pointing, image.calibrated.i_over_f[:, image.label.bands.index("GREEN")]
    best, found = np.full(len(ground_km), 40.0), np.full(len(ground_km), np.nan)
    for frame in range(pointing.frames):
        x, y = pointing.pixels("GREEN", np.full(len(ground_km), frame), ground_km)
        good = (np.abs(y - 64) < best) & (x > 30) & (x < 1620)
        best[good] = np.abs(y - 64)[good]
        found[good] = values[frame, y[good].astype(int), x[good].astype(int)]
    return found


@pytest.mark.parametrize("projection", ["equirectangular", "north-stereographic", "orthographic"])
def test_the_file_says_where_its_pixels_are(image: Any, projection: str, tmp_path: Path) -> None:
    path = tmp_path / "map.tif"
    plan = MapPlan(projection, Region(20.0, 70.0, 0.0, 360.0), scale_of(8.0) / 1e3, kernel="bilinear")
    report = draw_map(image, path, plan)
    assert report["files"] == [str(path)]
    with rasterio.open(path) as file:
        green = file.read(file.descriptions.index("GREEN") + 1)
        rows, columns = np.nonzero(np.isfinite(green) & (green > 0.02))
        x, y = rasterio.transform.xy(file.transform, rows, columns)
        crs = pyproj.CRS(file.crs.to_wkt())
        assert json.loads(file.tags()["PERIJOVE"])["product"] == "JNCE_2022229_44C00032_V01"
    assert len(rows) > 10_000
    lon, lat = pyproj.Transformer.from_crs(crs, crs.geodetic_crs, always_xy=True).transform(x, y)
    expected = seen_by_framelets(image, from_lat_lon(lat_graphic_deg(lat), -np.asarray(lon)))
    ratio = green[rows, columns] / expected
    known = np.isfinite(ratio)
    assert known.mean() > 0.3
    # A map pixel of 156 km against the nearest pixel of 38 km: alike but for the clouds within it.
    assert np.median(ratio[known]) == pytest.approx(1.0, abs=0.005)
    assert 1.4826 * np.median(np.abs(ratio[known] - 1.0)) < 0.03


def test_a_picture_has_its_world_file(image: Any, tmp_path: Path) -> None:
    report = draw_map(image, tmp_path / "map.png", MapPlan("equirectangular", Region(0.0, 80.0, 0.0, 360.0), 500.0))
    with rasterio.open(tmp_path / "map.png") as file:
        np.testing.assert_allclose(tuple(file.transform)[:6], report["map"]["transform"], rtol=1e-12)
        assert (file.width, file.height) == (report["map"]["width"], report["map"]["height"])


def test_tiles_hold_all_that_the_image_sees(image: Any) -> None:
    from perijove.project.coverage import tiles_seen
    from perijove.project.resample import Framelets, gather

    plan = MapPlan(region=GLOBE, scale_km=scale_of(4.0) / 1e3)
    grid = plan.grid(image)
    framelets = Framelets.of(image.calibrated.i_over_f, image.label.bands, image.located.solution.pointing)
    seen = gather(grid.ground(), framelets)[1].any(axis=-1)
    drawn = np.zeros_like(seen)
    for rows, columns in tiles_seen(grid, framelets, np.empty((0, 3)), 32):
        drawn[rows, columns] = True
    assert not (seen & ~drawn).any()
    # Not much more than is needed: whole tiles, and their neighbours here and there.
    assert drawn.sum() < 1.5 * seen.sum()


def test_backplanes_are_those_of_the_pixels(image: Any, tmp_path: Path) -> None:
    names = ("lon_w_sys3_deg", "lat_centric_deg", "incidence_deg", "position_error_km")
    plan = MapPlan("north-stereographic", Region(50.0, 80.0, 0.0, 360.0), 200.0, backplanes=names)
    draw_map(image, tmp_path / "map.tif", plan)
    with rasterio.open(tmp_path / "map.tif") as file:
        assert file.descriptions == ("RED", "GREEN", "BLUE", "weight", *names)
        assert file.tags(5)["UNIT"] == "deg"
        lon, lat, incidence, error = (file.read(k) for k in (5, 6, 7, 8))
        rows, columns = np.nonzero(np.isfinite(file.read(2)))
        crs = pyproj.CRS(file.crs.to_wkt())
        place = rasterio.transform.xy(file.transform, rows, columns)
    expected = pyproj.Transformer.from_crs(crs, crs.geodetic_crs, always_xy=True).transform(*place)
    off = (lon[rows, columns] + expected[0] + 180.0) % 360.0 - 180.0
    # Single precision, and 0.002 pixels of 200 km.
    assert np.abs(off * np.cos(np.radians(expected[1]))).max() < 5e-4
    np.testing.assert_allclose(lat[rows, columns], expected[1], atol=5e-4)
    assert 30 < np.nanmin(incidence) < np.nanmax(incidence) < 180
    assert np.isfinite(error[rows, columns]).mean() > 0.99


@pytest.mark.parametrize("law", ["lambert", "polynomial"])
def test_photometry_takes_the_light_out(image: Any, law: str, tmp_path: Path) -> None:
    plan = MapPlan("equirectangular", Region(30.0, 75.0, 0.0, 360.0), 400.0, backplanes=("incidence_deg",))
    draw_map(image, tmp_path / "plain.tif", plan)
    report = draw_map(image, tmp_path / "flat.tif", replace(plan, photometry=law))
    assert report["map"]["photometry"]["model"] == law
    with rasterio.open(tmp_path / "plain.tif") as file:
        plain, weight, incidence = file.read(2), file.read(4), file.read(5)
    with rasterio.open(tmp_path / "flat.tif") as file:
        flat, trusted = file.read(2), file.read(4)
        assert json.loads(file.tags()["PERIJOVE"])["map"]["photometry"]["parameters"].keys() == {"RED", "GREEN", "BLUE"}
        assert "reflectance" in file.tags(2)["LONG_NAME"]
    high, low = (np.isfinite(flat) & (incidence > a) & (incidence < b) for a, b in ((40, 55), (68, 76)))
    assert min(high.sum(), low.sum()) > 1000
    # The same clouds, on the whole, in high and in low light: within a fifth, where I/F is half as bright.
    assert np.median(plain[low]) / np.median(plain[high]) < 0.7
    assert 0.8 < np.median(flat[low]) / np.median(flat[high]) < 1.25
    if law == "lambert":
        ratio = (flat / plain * np.cos(np.radians(incidence)))[high | low]
        assert np.abs(ratio - ratio[0]).max() < 0.01 * ratio[0]
    # It is not followed to the terminator.
    assert np.nanmax(incidence[np.isfinite(flat)]) < 88
    known = np.isfinite(trusted)
    assert (trusted[known] <= weight[known] + 1e-6).all()


def test_another_sun(image: Any, tmp_path: Path) -> None:
    plan = MapPlan("equirectangular", Region(30.0, 75.0, 0.0, 360.0), 400.0, photometry="lambert")
    draw_map(image, tmp_path / "flat.tif", plan)
    draw_map(image, tmp_path / "relit.tif", replace(plan, relight=(50.0, 10.0)))
    flat, relit = (rasterio.open(tmp_path / f"{name}.tif") for name in ("flat", "relit"))
    with flat, relit:
        ratio = relit.read(2) / flat.read(2)
        assert "Sun over 50, 10 W" in relit.tags(2)["LONG_NAME"]
    # Lambert's law: brightest below that Sun, by the cosine elsewhere.
    grid = plan.grid(image)
    up = grid.ground() / np.array([71492.0, 71492.0, 66854.0]) ** 2
    up /= np.linalg.norm(up, axis=-1, keepdims=True)
    sun = from_lat_lon(lat_graphic_deg(50.0), 10.0) / np.array([71492.0, 71492.0, 66854.0]) ** 2
    cosine = up @ (sun / np.linalg.norm(sun))
    lit = np.isfinite(ratio) & (cosine > 0.2)
    assert lit.sum() > 10_000
    np.testing.assert_allclose(ratio[lit], cosine[lit], atol=2e-3)


def test_pictures_with_lines(image: Any, tmp_path: Path) -> None:
    from PIL import Image as Pillow

    plan = MapPlan("orthographic", Cutout(20_000.0), 100.0, centre=(60.0, 350.0))
    bare = draw_map(image, tmp_path / "bare.png", plan)
    draw_map(image, tmp_path / "lines.png", replace(plan, graticule_deg=10.0))
    assert (bare["map"]["width"], bare["map"]["height"]) == (400, 400)
    pictures = [np.asarray(Pillow.open(tmp_path / f"{name}.png")).astype(int) for name in ("bare", "lines")]
    changed = (pictures[0] != pictures[1]).any(axis=-1)
    assert 0.03 < changed.mean() < 0.4


def test_pictures_that_gis_programs_open(image: Any, tmp_path: Path) -> None:
    from perijove.compose.options import PictureOptions

    plan = MapPlan("north-stereographic", Region(50.0, 90.0, 0.0, 360.0), 300.0, picture=PictureOptions(depth=8))
    report = draw_map(image, tmp_path / "map.tif", replace(plan, stac=True))
    assert [Path(file).name for file in report["files"]] == ["map.tif", "map.stac.json", "collection.json"]
    draw_map(image, tmp_path / "map.png", plan)
    with rasterio.open(tmp_path / "map.tif") as tiff, rasterio.open(tmp_path / "map.png") as png:
        assert tiff.dtypes[0] == "uint8"
        np.testing.assert_allclose(tuple(tiff.transform)[:6], tuple(png.transform)[:6])
        np.testing.assert_array_equal(tiff.read([1, 2, 3]), png.read())
    item = json.loads((tmp_path / "map.stac.json").read_text())
    assert item["properties"]["datetime"].startswith("2022-08-17")


@pytest.mark.parametrize("name", ["map.nc", "map.fits"])
def test_the_same_planes_in_other_files(image: Any, name: str, tmp_path: Path) -> None:
    plan = MapPlan("equirectangular", Region(30.0, 75.0, 0.0, 360.0), 800.0)
    draw_map(image, tmp_path / "map.tif", plan)
    draw_map(image, tmp_path / name, plan)
    with rasterio.open(tmp_path / "map.tif") as file:
        green = file.read(2)
    if name.endswith(".nc"):
        import xarray

        with xarray.open_dataset(tmp_path / name) as other:
            found = other["GREEN"].to_numpy()
    else:
        from astropy.io import fits

        with fits.open(tmp_path / name) as other:
            found = next(np.array(hdu.data) for hdu in other if hdu.name == "GREEN")
    # Files count rows from the top or from the bottom.
    assert any(np.array_equal(green, rows, equal_nan=True) for rows in (found, found[::-1]))


def test_a_law_leaves_no_pixel_of_a_picture_that_is_not_trusted(image: Any) -> None:
    from perijove.compose.options import PictureOptions

    plan = MapPlan("equirectangular", Region(30.0, 80.0, 0.0, 360.0), 500.0, photometry="minnaert")
    drawing = Drawing(image, plan.grid(image), plan)
    seen = np.zeros((drawing.grid.height, drawing.grid.width), bool)
    for rows, columns, planes in drawing.tiles():
        seen[rows, columns] = np.isfinite(planes[..., 3])
    for style in ("natural", "enhanced"):
        pixels = drawing.picture(PictureOptions(style)).pixels
        assert not pixels[~seen].any()
        assert pixels[seen].any(axis=-1).mean() > 0.95


@pytest.mark.parametrize(
    ("name", "plan", "told"),
    [
        ("map.tif", MapPlan(graticule_deg=10.0), "graticule is drawn over pictures"),
        ("map.png", MapPlan(backplanes=("all",)), "no room for backplanes"),
        ("map.tif", MapPlan(backplanes=("height",)), "there is no backplane 'height'"),
        ("map.tif", MapPlan(region=Cutout(100.0)), "a radius needs a centre"),
        ("map.png", MapPlan(graticule_deg=7.0), "part of 90 degrees"),
        ("map.tif", MapPlan(photometry="mirror"), "no photometric model"),
    ],
)
def test_what_does_not_go_together_is_refused(image: Any, name: str, plan: MapPlan, told: str, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=told):
        draw_map(image, tmp_path / name, replace(plan, scale_km=500.0))
    assert not list(tmp_path.iterdir())


def test_another_sun_needs_a_law() -> None:
    with pytest.raises(OptionError, match="--photometry"):
        MapPlan(relight=(0.0, 0.0))


def test_other_files_are_refused(image: Any, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"\.tif.* or \.png|\.png"):
        draw_map(image, tmp_path / "map.jpg", MapPlan())


def test_the_command(real_data: Path, tmp_path: Path) -> None:
    path = tmp_path / "pole.tif"
    arguments = ["map", str(real_data / "raw" / "JNCE_2022229_44C00032_V01-raw.png"), "-o", str(path), "--json"]
    arguments += ["--projection", "north-equidistant", "--region", "60,90,0,360", "--scale", "500"]
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.stderr
    report = json.loads(result.stdout)
    with rasterio.open(path) as file:
        assert (file.width, file.height) == (report["map"]["width"], report["map"]["height"])
        assert report["map"]["scale_km_per_px"] == 500.0
        assert {Path(file).name for file in report["files"]} == {"pole.tif", "pole.stac.json", "collection.json"}
        # Thirty degrees to either side of the pole, 1250 km each.
        assert file.width == pytest.approx(2 * 30 * 1247.8 / 500, abs=2)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--ppd", "4", "--scale", "100"], "give one of them"),
        (["--region", "10,20"], "--region"),
        (["--projection", "flat"], "there is no projection"),
        (["--style", "enhanced"], "--picture"),
        (["--radius", "100", "--region", "globe"], "give one of them"),
        (["--relight", "10"], "--relight"),
    ],
)
def test_wrong_options(real_data: Path, tmp_path: Path, options: list[str], told: str) -> None:
    raw = real_data / "raw" / "JNCE_2022229_44C00032_V01-raw.png"
    result = CliRunner().invoke(app, ["map", str(raw), "-o", str(tmp_path / "map.tif"), *options])
    assert result.exit_code == 2
    assert told in result.stderr
    assert not list(tmp_path.iterdir())
