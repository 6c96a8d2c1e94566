"""ISIS cubes of maps, read back by GDAL and pvl."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pyproj
import pytest
import rasterio

from perijove.errors import OptionError
from perijove.products.isis import write_isis
from perijove.project.grid import Region, map_grid


@pytest.fixture(scope="module")
def maps(load_module):  # type: ignore[no-untyped-def]
    return load_module(Path(__file__).with_name("maps.py"))


def label_of(path: Path) -> Any:
    with warnings.catch_warnings():
        # pvl tells of a library that it can do without, and of its own past.
        warnings.simplefilter("ignore")
        import pvl
    return pvl.loads(path.read_bytes()[:65536].rstrip(b"\0").decode("ascii"))


def test_gdal_reads_it(maps, tmp_path: Path) -> None:
    write_isis(tmp_path / "map.cub", maps.planes())
    with rasterio.open(tmp_path / "map.cub") as file:
        assert file.driver == "ISIS3"
        truth = maps.known(maps.GRID)
        read = np.moveaxis(file.read(masked=True).filled(np.nan), 0, -1)
        np.testing.assert_array_equal(read, truth)
        assert file.descriptions == ("RED", "range_km")
        np.testing.assert_allclose(tuple(file.transform)[:6], maps.GRID.transform)
    assert [p.name for p in tmp_path.iterdir()] == ["map.cub"]


@pytest.mark.parametrize(
    ("projection", "latitudes"),
    [
        ("equirectangular", "centric"),
        ("equirectangular", "graphic"),
        ("mercator", "centric"),
        ("mercator", "graphic"),
        ("north-stereographic", "centric"),
        ("south-stereographic", "centric"),
        ("orthographic", "centric"),
        ("+proj=sinu +R=71492000", "centric"),
    ],
)
def test_georeferencing_comes_back(maps, tmp_path: Path, projection: str, latitudes: str) -> None:
    region = Region(-80.0, -50.0, 100.0, 160.0) if "south" in projection else Region(50.0, 80.0, 100.0, 160.0)
    grid = map_grid(projection, region, 300e3, latitudes=latitudes)  # type: ignore[arg-type]
    write_isis(tmp_path / "map.cub", maps.planes(grid))
    with rasterio.open(tmp_path / "map.cub") as file:
        places = [(0.5 * file.width, 0.4 * file.height), (0.5 * file.width + 17.0, 0.5 * file.height)]
        x, y = np.transpose([file.transform @ place for place in places])
        told, meant = (pyproj.CRS(wkt) for wkt in (file.crs.to_wkt(), grid.wkt))
        lon, lat = pyproj.Transformer.from_crs(told, told.geodetic_crs, always_xy=True).transform(x, y)
        column, row = pyproj.Transformer.from_crs(meant.geodetic_crs, meant, always_xy=True).transform(lon, lat)
    np.testing.assert_allclose((column - grid.left_m) / grid.scale_m, [place[0] for place in places], atol=0.01)
    np.testing.assert_allclose((grid.top_m - row) / grid.scale_m, [place[1] for place in places], atol=0.01)
    mapping = label_of(tmp_path / "map.cub")["IsisCube"]["Mapping"]
    assert mapping["TargetName"] == "Jupiter"
    assert mapping["LatitudeType"] == f"Planeto{latitudes}"
    assert mapping["LongitudeDirection"] == "PositiveEast"
    assert mapping["PolarRadius"].value == pytest.approx(66854e3 if latitudes == "graphic" else 71492e3)


def test_the_label_tells_bands_and_credit(maps, tmp_path: Path) -> None:
    write_isis(tmp_path / "map.cub", maps.planes())
    cube = label_of(tmp_path / "map.cub")["IsisCube"]
    assert cube["BandBin"]["FilterName"] == ["RED", "range_km"]
    assert cube["BandBin"]["Unit"] == ["1", "km"]
    assert cube["Archive"]["Credit"] == maps.METADATA["credit"]


@pytest.mark.parametrize("projection", ["north-equidistant", "equal-area", "+proj=moll +R=71492000"])
def test_projections_that_isis_has_not(maps, tmp_path: Path, projection: str) -> None:
    grid = map_grid(projection, Region(50.0, 80.0, 100.0, 160.0), 300e3)
    with pytest.raises(OptionError, match="no such projection; take equirectangular"):
        write_isis(tmp_path / "map.cub", maps.failing(grid))
    assert not list(tmp_path.iterdir())
