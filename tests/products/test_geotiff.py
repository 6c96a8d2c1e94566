"""GeoTIFF of maps, read back by rasterio."""

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pyproj
import pytest
import rasterio
import tifffile

from perijove.errors import OptionError
from perijove.products import cog, pyramid
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


def halved(values: np.ndarray) -> np.ndarray:
    """Mean of the known ones of every four, by plain means."""
    height, width = (n + n % 2 for n in values.shape[:2])
    even = np.full((height, width, values.shape[2]), np.nan)
    even[: values.shape[0], : values.shape[1]] = values
    fours = np.stack([even[j::2, i::2] for j in (0, 1) for i in (0, 1)])
    count = np.isfinite(fours).sum(axis=0)
    return np.where(count > 0, np.nansum(fours, axis=0) / np.maximum(count, 1), np.nan)


def whole_map() -> np.ndarray:
    values = np.random.default_rng(0).normal(0.2, 0.05, (GRID.height, GRID.width, 2)).astype(np.float32)
    values[300:520, 200:800] = np.nan
    values[..., 1] = np.floor(100 * values[..., 1])
    return values


def pieces(side: int) -> list[tuple[slice, slice]]:
    down, across = range(0, GRID.height, side), range(0, GRID.width, side)
    return [(slice(j, min(j + side, GRID.height)), slice(i, min(i + side, GRID.width))) for j in down for i in across]


@pytest.mark.parametrize("side", [TILE_PX, 300])
@pytest.mark.parametrize("held", [10**9, 1])
def test_overviews_are_means(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, side: int, held: int) -> None:
    monkeypatch.setattr(pyramid, "_HELD_BYTES", held)
    values, parts = whole_map(), pieces(side)
    np.random.default_rng(1).shuffle(parts)  # type: ignore[arg-type]
    names = (Plane("RED", "1", "I/F"), Plane("frame", "1", "frame", averaged=False))
    write_geotiff(tmp_path / "map.tif", MapPlanes(GRID, names, ((*at, values[at]) for at in parts), {}))
    with rasterio.open(tmp_path / "map.tif") as file:
        np.testing.assert_array_equal(np.moveaxis(file.read(), 0, -1), values)
        assert file.overviews(1) == [2, 4]
    expected = values.astype(float)
    for level in (0, 1):
        expected = halved(expected)
        with rasterio.open(tmp_path / "map.tif", overview_level=level) as file:
            # Single precision, twice.
            np.testing.assert_allclose(file.read(1), expected[..., 0], rtol=3e-7)
            frames = file.read(2)
        assert (frames[np.isfinite(frames)] % 1 == 0).all()
        np.testing.assert_array_equal(np.isfinite(frames), np.isfinite(expected[..., 1]))


def test_parts_that_come_twice_are_taken_from_the_last(tmp_path: Path) -> None:
    values = whole_map()
    again = slice(600, 700), slice(100, 300)
    tiles = [(*at, values[at]) for at in pieces(TILE_PX)] + [(*again, np.full((100, 200, 2), 7, np.float32))]
    names = (Plane("RED", "1", "I/F"), Plane("GREEN", "1", "I/F"))
    write_geotiff(tmp_path / "map.tif", MapPlanes(GRID, names, tiles, {}))
    values[again] = 7
    with rasterio.open(tmp_path / "map.tif") as file:
        np.testing.assert_array_equal(np.moveaxis(file.read(), 0, -1), values)
    with rasterio.open(tmp_path / "map.tif", overview_level=0) as file:
        np.testing.assert_allclose(file.read(1), halved(values.astype(float))[..., 0], rtol=3e-7)


def test_large_files_are_bigtiff(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names, values = (Plane("RED", "1", "I/F"), Plane("GREEN", "1", "I/F")), whole_map()
    for limit, version in ((2**32, 42), (0, 43)):
        monkeypatch.setattr(cog, "_CLASSIC_BYTES", limit)
        write_geotiff(tmp_path / "map.tif", MapPlanes(GRID, names, ((*at, values[at]) for at in pieces(512)), {}))
        assert (tmp_path / "map.tif").read_bytes()[2] == version
        with rasterio.open(tmp_path / "map.tif") as file:
            np.testing.assert_array_equal(np.moveaxis(file.read(), 0, -1), values)
            assert file.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"


def test_the_layout_is_that_of_a_cloud_optimised_file(tmp_path: Path) -> None:
    import tifffile

    names, values = (Plane("RED", "1", "I/F"), Plane("GREEN", "1", "I/F")), whole_map()
    write_geotiff(tmp_path / "map.tif", MapPlanes(GRID, names, ((*at, values[at]) for at in pieces(512)), {}))
    raw = (tmp_path / "map.tif").read_bytes()
    with tifffile.TiffFile(tmp_path / "map.tif") as file:
        pages = file.pages
        # Directories stand before all tiles, and smaller overviews before larger ones.
        firsts = [min(offset for offset in page.dataoffsets if offset) for page in pages]
        assert [page.offset for page in pages] == sorted(page.offset for page in pages)
        assert max(page.offset for page in pages) < min(firsts)
        assert firsts == sorted(firsts, reverse=True)
        np.testing.assert_array_equal(pages[0].asarray(), values)
        for page in pages:
            for offset, length in zip(page.dataoffsets, page.databytecounts, strict=True):
                # Each tile is led by its length and followed by its last four bytes again.
                assert int.from_bytes(raw[offset - 4 : offset], "little") == length
                assert raw[offset + length - 4 : offset + length] == raw[offset + length : offset + length + 4]


def test_a_map_tells_who_made_it_once(tmp_path: Path) -> None:
    credit = "Image data: NASA; Image processing: Jane Doe © CC BY"
    every = [(rows, columns) for rows, columns in GRID.tiles(TILE_PX, GRID.ground()[::50, ::50].reshape(-1, 3))]
    names = (Plane("RED", "1", "I/F"), Plane("weight", "1", "weight"))
    metadata = {"product": "x", "credit": credit, "processing": ["Jane Doe"]}
    write_geotiff(tmp_path / "m.tif", MapPlanes(GRID, names, ((*tile, planes(*tile)) for tile in every), metadata))
    with tifffile.TiffFile(tmp_path / "m.tif") as file:
        pages = list(file.pages)
        xmp = bytes(pages[0].tags[700].value).rstrip(b"\0").decode()
        assert pages[0].tags["Copyright"].value == credit
        assert pages[0].tags["Artist"].value == "Jane Doe"
        assert len(pages) > 1
        # Overviews do not say it again.
        assert not any(tag in page.tags for page in pages[1:] for tag in (270, 315, 700, 33432))
    assert xmp.startswith("<?xpacket begin=")
    (rights,) = ET.fromstring(xmp).iterfind(".//{http://purl.org/dc/elements/1.1/}rights/*/*")
    assert rights.text == credit
