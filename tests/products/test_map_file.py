"""Maps read back: those of perijove, and GeoTIFF that rasterio wrote alone."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio

from perijove.errors import ImageFileError
from perijove.products.geotiff import write_geotiff
from perijove.products.map_file import is_map, open_map
from perijove.products.map_planes import MapPlanes, Plane
from perijove.project.grid import GLOBE, MapGrid, Region, map_grid

GRID = map_grid("equirectangular", Region(-60.0, 60.0, 20.0, 140.0), 200e3)
SPHERE = "+proj=eqc +R=71492000 +units=m"


def planes(grid: MapGrid = GRID) -> np.ndarray:
    """A plane that tells its place, with a hole, and one of numbers."""
    row, column = np.mgrid[: grid.height, : grid.width].astype(np.float32)
    value = 1000 * row + column
    value[100:120, 200:230] = np.nan
    return np.stack([value, 1 + (column > 300)], axis=-1)


def written(path: Path, grid: MapGrid = GRID, content: np.ndarray | None = None) -> Path:
    content = planes(grid) if content is None else content
    names = (Plane("RED", "1", "I/F"), Plane("source", "1", "image", averaged=False))[: content.shape[-1]]
    tiles = []
    for top in range(0, grid.height, 512):
        for left in range(0, grid.width, 512):
            rows = slice(top, min(top + 512, grid.height))
            columns = slice(left, min(left + 512, grid.width))
            tiles.append((rows, columns, np.ascontiguousarray(content[rows, columns], np.float32)))
    write_geotiff(path, MapPlanes(grid, names, tiles, {"product": "x"}))
    return path


def foreign(path: Path, values: np.ndarray, crs: str = SPHERE, **profile: Any) -> Path:
    """A GeoTIFF of others."""
    transform = profile.pop("transform", rasterio.Affine(200e3, 0, -5e6, 0, -200e3, 4e6))
    count, height, width = values.shape
    with rasterio.open(
        path, "w", driver="GTiff", width=width, height=height, count=count, dtype=values.dtype, crs=crs,
        transform=transform, **profile,
    ) as file:  # fmt: skip
        file.write(values)
    return path


def test_what_was_written_comes_back(tmp_path: Path) -> None:
    file = open_map(written(tmp_path / "map.tif"))
    assert file.planes == ("RED", "source")
    assert file.bands == ("RED",)
    assert file.metadata["product"] == "x"
    for name in ("scale_m", "left_m", "top_m", "width", "height", "latitudes"):
        assert getattr(file.grid, name) == pytest.approx(getattr(GRID, name)) if name != "latitudes" else "centric"
    place = GRID.ground(slice(10, 300, 50), slice(10, 700, 50))
    np.testing.assert_allclose(file.grid.pixel(place), GRID.pixel(place), atol=1e-6)
    np.testing.assert_array_equal(file.read(slice(90, 130), slice(190, 250)), planes()[90:130, 190:250])


def test_beyond_the_map_nothing_is_known(tmp_path: Path) -> None:
    file = open_map(written(tmp_path / "map.tif"))
    read = file.read(slice(-3, 4), slice(GRID.width - 2, GRID.width + 5), ("RED",))
    assert read.shape == (7, 7, 1)
    np.testing.assert_array_equal(np.isfinite(read[..., 0]), np.pad(np.ones((4, 2), bool), ((3, 0), (0, 5))))
    assert np.isnan(file.read(slice(-9, -3), slice(0, 4))).all()


def test_larger_pixels_are_means_and_numbers_are_not(tmp_path: Path) -> None:
    file = open_map(written(tmp_path / "map.tif")).reduced(4)
    assert file.grid.scale_m == pytest.approx(4 * GRID.scale_m)
    read = file.read(slice(4, 20), slice(60, 100))
    expected = planes()[16:80, 240:400].reshape(16, 4, 40, 4, 2).mean(axis=(1, 3))
    np.testing.assert_allclose(read[..., 0], expected[..., 0], rtol=1e-5)
    assert set(np.unique(read[..., 1])) <= {1.0, 2.0}


def test_points_of_the_ground(tmp_path: Path) -> None:
    file = open_map(written(tmp_path / "map.tif"))
    ground = GRID.ground(slice(10, 20), slice(10, 30))
    read = file.at(ground, ("RED", "source"), GRID.scale_m)
    np.testing.assert_allclose(read[..., 0], planes()[10:20, 10:30, 0], rtol=1e-6)
    between = map_grid("north-stereographic", Region(20.0, 50.0, 60.0, 100.0), 150e3)
    read = file.at(between.ground(), ("RED",), 150e3)
    place = GRID.pixel(between.ground()) - 0.5
    # The plane is linear in row and column, so that bilinear samples are exact.
    expected = 1000 * place[..., 1] + place[..., 0]
    known = np.isfinite(read[..., 0])
    assert known.mean() > 0.2
    np.testing.assert_allclose(read[..., 0][known], expected[known], rtol=1e-4)


def test_a_globe_has_no_gap_where_it_is_cut(tmp_path: Path) -> None:
    grid = map_grid("equirectangular", GLOBE, 1000e3)
    content = np.ones((grid.height, grid.width, 1), np.float32)
    file = open_map(written(tmp_path / "globe.tif", grid, content))
    view = map_grid("orthographic", Region(-60.0, 60.0, 120.0, 240.0), 100e3, centre=(0.0, 180.0))
    ground = view.ground()
    read = file.at(ground, ("RED",), 100e3)[..., 0]
    assert (np.isfinite(read) == np.isfinite(ground[..., 0])).all()


def test_maps_of_others(tmp_path: Path) -> None:
    values = np.linspace(0.0, 1.0, 3 * 20 * 30, dtype=np.float32).reshape(3, 20, 30)
    file = open_map(foreign(tmp_path / "float.tif", values))
    assert file.bands == ("RED", "GREEN", "BLUE")
    assert dict(file.metadata) == {}
    np.testing.assert_array_equal(file.read(slice(0, 20), slice(0, 30)), np.moveaxis(values, 0, -1))
    codes = np.array([[[0, 118, 255]]], np.uint8).repeat(20, axis=1)
    file = open_map(foreign(tmp_path / "codes.tif", codes, nodata=0))
    # Code 118 of 255 on the sRGB curve is 0.1812.
    np.testing.assert_allclose(file.read(slice(0, 1), slice(0, 3))[0, :, 0], [np.nan, 0.1812, 1.0], atol=1e-4)
    assert (
        open_map(foreign(tmp_path / "flat.tif", codes, "+proj=eqc +a=71492000 +b=66854000")).grid.latitudes == "graphic"
    )


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"crs": "+proj=eqc +R=1737400"}, "not of Jupiter"),
        ({"crs": "+proj=longlat +R=71492000"}, "not in a projection"),
        ({"crs": ""}, "no CRS"),
        ({"transform": rasterio.Affine(200e3, 0, 0, 0, -100e3, 0)}, "oblong"),
    ],
)
def test_what_is_no_map_is_refused(tmp_path: Path, change: dict[str, Any], told: str) -> None:
    path = foreign(tmp_path / "x.tif", np.ones((1, 4, 4), np.float32), **change)
    with pytest.raises(ImageFileError, match=told):
        open_map(path)


def test_other_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "text.tif").write_text("nothing")
    with pytest.raises(ImageFileError, match=r"no GeoTIFF"):
        open_map(tmp_path / "text.tif")
    with pytest.raises(ImageFileError, match="does not exist"):
        open_map(tmp_path / "none.tif")
    path = written(tmp_path / "map.tif")
    with rasterio.open(path, "r+", IGNORE_COG_LAYOUT_BREAK="YES") as file:
        file.update_tags(PERIJOVE="{")
    with pytest.raises(ImageFileError, match="PERIJOVE"):
        open_map(path)
    assert is_map(Path("a.TIF"))
    assert not is_map(Path("a.png"))
