"""Maps of a real image, through the files alone: their CRS by pyproj, their pixels by rasterio."""

import json
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
from perijove.mapping import MapPlan, Region, draw_map, scale_of


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


def test_other_files_are_refused(image: Any, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"\.tif or \.png"):
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
        # Thirty degrees to either side of the pole, 1250 km each.
        assert file.width == pytest.approx(2 * 30 * 1247.8 / 500, abs=2)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--ppd", "4", "--scale", "100"], "give one of them"),
        (["--region", "10,20"], "--region"),
        (["--projection", "flat"], "there is no projection"),
    ],
)
def test_wrong_options(real_data: Path, tmp_path: Path, options: list[str], told: str) -> None:
    raw = real_data / "raw" / "JNCE_2022229_44C00032_V01-raw.png"
    result = CliRunner().invoke(app, ["map", str(raw), "-o", str(tmp_path / "map.tif"), *options])
    assert result.exit_code == 2
    assert told in result.stderr
    assert not list(tmp_path.iterdir())
