"""GeoTIFF of maps, read back by rasterio."""

import json
from pathlib import Path

import numpy as np
import pyproj
import pytest
import rasterio

from perijove.errors import OptionError
from perijove.products.geotiff import write_geotiff
from perijove.products.map_planes import TILE_PX, MapPlanes, Plane
from perijove.project.grid import Region, map_grid

GRID = map_grid("equirectangular", Region(-60.0, 60.0, 20.0, 140.0), 100e3)


def planes(rows: slice, columns: slice) -> np.ndarray:
    row, column = np.mgrid[rows, columns].astype(np.float32)
    value = np.where(row > 700, np.nan, row * 3 + column)
    return np.stack([value, -value], axis=-1)


def test_planes_come_back(tmp_path: Path) -> None:
    path = tmp_path / "map.tif"
    every = [(rows, columns) for rows, columns in GRID.tiles(TILE_PX, GRID.ground()[::50, ::50].reshape(-1, 3))]
    names = (Plane("RED", "1", "I/F"), Plane("weight", "1", "weight"))
    write_geotiff(path, MapPlanes(GRID, names, ((*tile, planes(*tile)) for tile in every[:-1]), {"product": "x"}))
    with rasterio.open(path) as file:
        assert (file.width, file.height, file.count) == (GRID.width, GRID.height, 2)
        assert file.descriptions == ("RED", "weight")
        assert file.tags(1)["UNIT"] == "1"
        assert file.overviews(1)[0] == 2
        assert file.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        place = np.array([[-1.5e8, 0.0, 2.0e7], [3.0e7, 0.0, -5.0e7]])
        told, meant = (pyproj.CRS(wkt) for wkt in (file.crs.to_wkt(), GRID.wkt))
        degrees = [
            pyproj.Transformer.from_crs(c, c.geodetic_crs, always_xy=True).transform(*place) for c in (told, meant)
        ]
        np.testing.assert_allclose(degrees[0], degrees[1], atol=1e-9)
        np.testing.assert_allclose(tuple(file.transform)[:6], GRID.transform)
        assert json.loads(file.tags()["PERIJOVE"]) == {"product": "x"}
        assert "planetocentric" in file.tags()["LATITUDES"]
        read = np.moveaxis(file.read(), 0, -1)
    for rows, columns in every[:-1]:
        np.testing.assert_array_equal(read[rows, columns], planes(rows, columns))
    assert np.isnan(read[every[-1][0], every[-1][1]]).all()
    assert [p.name for p in tmp_path.iterdir()] == ["map.tif"]


def test_a_failure_leaves_nothing(tmp_path: Path) -> None:
    def failing():  # type: ignore[no-untyped-def]
        raise OptionError("no")
        yield

    with pytest.raises(OptionError):
        write_geotiff(tmp_path / "map.tif", MapPlanes(GRID, (Plane("RED", "1", "I/F"),), failing(), {}))
    assert not list(tmp_path.iterdir())
