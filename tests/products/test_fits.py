"""FITS maps, read back by astropy, whose world coordinates are compared with pyproj's."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyproj
import pytest
from astropy.io import fits
from astropy.wcs import WCS

from perijove.products.fits import write_fits
from perijove.project.grid import GLOBE, Region, map_grid


@pytest.fixture(scope="module")
def maps(load_module):  # type: ignore[no-untyped-def]
    return load_module(Path(__file__).with_name("maps.py"))


def test_astropy_reads_it(maps, tmp_path: Path) -> None:
    write_fits(tmp_path / "map.fits", maps.planes())
    with fits.open(tmp_path / "map.fits") as file:
        file.verify("exception")
        assert [hdu.name for hdu in file] == ["PRIMARY", "RED", "range_km", "PERIJOVE"]
        truth = maps.known(maps.GRID)
        # The first row of the file is the southern one.
        np.testing.assert_array_equal(file["RED"].data[::-1], truth[..., 0])
        np.testing.assert_array_equal(file["RANGE_KM"].data[::-1], truth[..., 1])
        assert file["RED"].data.dtype == np.dtype(">f4")
        assert file["RANGE_KM"].header["BUNIT"] == "km"
        assert file["RANGE_KM"].header["LONGNAME"] == "distance from the camera"
        assert pyproj.CRS(file[0].header["MAPWKT"]) == pyproj.CRS(maps.GRID.wkt)
        assert file[0].header["TITLE"] == "Jupiter's north"
        assert file[0].header["DATE-OBS"] == "2022-08-17T14:39:58.123"
        assert json.loads(file["PERIJOVE"].data["JSON"][0]) == maps.METADATA
        assert [file["RED"].header[f"{axis}_RADIUS"] for axis in "ABC"] == [71492e3, 71492e3, 66854e3]


PROJECTIONS: list[tuple[str, Region, dict[str, Any], str | None]] = [
    ("equirectangular", GLOBE, {}, "CAR"),
    ("equirectangular", Region(-20.0, 40.0, 100.0, 260.0), {"centre": (0.0, 180.0)}, "CAR"),
    ("mercator", Region(-60.0, 70.0, 10.0, 200.0), {}, "MER"),
    ("north-stereographic", Region(50.0, 90.0, 0.0, 360.0), {}, "STG"),
    ("south-stereographic", Region(-90.0, -40.0, 0.0, 360.0), {"centre": (-90.0, 70.0)}, "STG"),
    ("stereographic", Region(30.0, 50.0, 140.0, 160.0), {"centre": (41.0, 150.0)}, "STG"),
    ("north-equidistant", Region(50.0, 90.0, 0.0, 360.0), {"centre": (90.0, 30.0)}, "ARC"),
    ("south-equidistant", Region(-90.0, -50.0, 0.0, 360.0), {}, "ARC"),
    ("equal-area", Region(-60.0, -10.0, 170.0, 220.0), {"centre": (-30.0, 190.0)}, "ZEA"),
    ("orthographic", Region(20.0, 70.0, 20.0, 100.0), {"centre": (30.0, 60.0)}, "SIN"),
    ("+proj=sinu +lon_0=20 +R=71492000", Region(-50.0, 50.0, 300.0, 380.0), {}, "SFL"),
    ("+proj=eqc +lat_ts=40 +lon_0=-150 +R=71492000", Region(30.0, 50.0, 120.0, 180.0), {}, "CAR"),
    ("+proj=stere +lat_0=90 +lat_ts=70 +lon_0=10 +R=71492000", Region(60.0, 90.0, 0.0, 360.0), {}, "STG"),
    ("+proj=laea +lat_0=10 +lon_0=5 +x_0=1e6 +y_0=-2e6 +R=71492000", Region(0.0, 20.0, 340.0, 370.0), {}, "ZEA"),
    ("+proj=moll +R=71492000", Region(-50.0, 50.0, 200.0, 300.0), {}, None),
    ("equirectangular", GLOBE, {"latitudes": "graphic"}, None),
    ("orthographic", Region(20.0, 70.0, 20.0, 100.0), {"latitudes": "graphic"}, None),
]


@pytest.mark.parametrize(("projection", "region", "more", "code"), PROJECTIONS)
def test_world_coordinates(
    maps, tmp_path: Path, projection: str, region: Region, more: dict[str, Any], code: str | None
) -> None:
    grid = map_grid(projection, region, 300e3, **more)
    write_fits(tmp_path / "map.fits", maps.planes(grid))
    header = fits.getheader(tmp_path / "map.fits", "RED")
    # Pixel centres, counted from 0, as the arrays of astropy are: the last row is the northern one.
    column, row = (
        v.ravel() for v in np.meshgrid(np.linspace(0, grid.width - 1, 23), np.linspace(0, grid.height - 1, 19))
    )
    x = grid.left_m + (column + 0.5) * grid.scale_m
    y = grid.top_m - (grid.height - row - 0.5) * grid.scale_m
    crs = pyproj.CRS(grid.wkt)
    lon, lat = pyproj.Transformer.from_crs(crs, crs.geodetic_crs, always_xy=True).transform(x, y)
    metres = WCS(header, key="P" if code else " ").all_pix2world(column, row, 0)
    np.testing.assert_allclose(metres, [x, y], atol=1.0)
    if code is None:
        assert header["CTYPE1"] == "JUPX"
        assert "CTYPE1P" not in header
        return
    assert (header["CTYPE1"], header["CTYPE2"]) == (f"JULN-{code}", f"JULT-{code}")
    wcs = WCS(header)
    assert "body" in wcs.wcs.name.lower()
    on_world = np.isfinite(lon) & (np.abs(lat) <= 90)
    assert on_world.any()
    # At a pole longitudes mean nothing: places are compared in pixels.
    back = wcs.all_world2pix(lon[on_world], lat[on_world], 0)
    np.testing.assert_allclose(back, [column[on_world], row[on_world]], atol=0.01)
    told_lon, told_lat = wcs.all_pix2world(column[on_world], row[on_world], 0)
    off = np.radians((told_lon - lon[on_world] + 180) % 360 - 180) * np.cos(np.radians(told_lat))
    assert np.abs(off).max() * 71492e3 < 0.01 * grid.scale_m
    assert np.abs(np.radians(told_lat - lat[on_world])).max() * 71492e3 < 0.01 * grid.scale_m


def test_long_texts_with_quotes(maps, tmp_path: Path) -> None:
    from dataclasses import replace

    for length in range(55, 66):
        title = "a" * length + "'''" + "b" * 70 + "'"
        write_fits(tmp_path / "map.fits", replace(maps.planes(), metadata={"title": title}))
        assert fits.getheader(tmp_path / "map.fits")["TITLE"] == title
