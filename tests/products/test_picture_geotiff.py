"""Picture GeoTIFF of maps, read back by rasterio and tifffile."""

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pyproj
import pytest
import rasterio
import tifffile
from rasterio.enums import ColorInterp

from perijove.errors import OptionError
from perijove.products.icc import icc_profile
from perijove.products.picture_geotiff import write_picture_geotiff


@pytest.fixture(scope="module")
def maps(load_module):  # type: ignore[no-untyped-def]
    return load_module(Path(__file__).with_name("maps.py"))


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_pixels_come_back(maps, tmp_path: Path, kind: type, channels: int) -> None:
    grid = maps.GRID
    codes = np.random.default_rng(1).integers(0, np.iinfo(kind).max, (grid.height, grid.width, channels), kind, True)
    path = tmp_path / "picture.tif"
    write_picture_geotiff(path, grid, codes if channels > 1 else codes[..., 0], maps.METADATA)
    with rasterio.open(path) as file:
        np.testing.assert_array_equal(np.moveaxis(file.read(), 0, -1), codes)
        assert file.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert file.overviews(1)
        assert file.colorinterp[0] == (ColorInterp.gray if channels == 1 else ColorInterp.red)
        assert file.colorinterp[-1] == {1: ColorInterp.gray, 3: ColorInterp.blue, 4: ColorInterp.alpha}[channels]
        assert json.loads(file.tags()["PERIJOVE"]) == maps.METADATA
        assert file.tags()["LATITUDES"] == "planetocentric"
        np.testing.assert_allclose(tuple(file.transform)[:6], grid.transform)
        told, meant = (pyproj.CRS(wkt) for wkt in (file.crs.to_wkt(), grid.wkt))
        place = np.array([[-1.5e8, -3e7], [2e7, -5e7]])
        degrees = [
            pyproj.Transformer.from_crs(c, c.geodetic_crs, always_xy=True).transform(*place) for c in (told, meant)
        ]
        np.testing.assert_allclose(degrees[0], degrees[1], atol=1e-9)
    with tifffile.TiffFile(path) as tiff:
        assert tiff.pages.first.tags["InterColorProfile"].value == icc_profile("grey" if channels == 1 else "srgb")


def test_a_picture_of_another_size_is_refused(maps, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="does not fit a map"):
        write_picture_geotiff(tmp_path / "p.tif", maps.GRID, np.zeros((5, 5, 3), np.uint8), {})
    codes = np.zeros((maps.GRID.height, maps.GRID.width), np.float32)
    with pytest.raises(OptionError, match="8 or 16 bits"):
        write_picture_geotiff(tmp_path / "p.tif", maps.GRID, codes, {})  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())


def test_a_picture_of_a_map_tells_who_made_it(maps, tmp_path: Path) -> None:
    metadata = {
        **maps.METADATA,
        "credit": "Image data: NASA; Image processing: Seán © CC BY 4.0",
        "processing": ["Seán"],
    }
    write_picture_geotiff(
        tmp_path / "p.tif", maps.GRID, np.zeros((maps.GRID.height, maps.GRID.width), np.uint8), metadata
    )
    with tifffile.TiffFile(tmp_path / "p.tif") as tiff:
        tags = tiff.pages.first.tags
        xmp = bytes(tags[700].value).rstrip(b"\0").decode()
        assert tags["Artist"].value == "Seán"
        assert tags["Copyright"].value == metadata["credit"]
    assert xmp.startswith("<?xpacket begin=")
    root = ET.fromstring(xmp)
    assert [item.text for item in root.iterfind(".//{http://purl.org/dc/elements/1.1/}creator//*") if item.text] == [
        "Seán"
    ]
