"""netCDF and Zarr of maps, read back by xarray and GDAL."""

import json
from pathlib import Path

import numpy as np
import pyproj
import pytest
import rasterio
import xarray as xr

from perijove.errors import OptionError
from perijove.products.map_files import write_map
from perijove.project.grid import Region, map_grid


@pytest.fixture(scope="module")
def maps(load_module):  # type: ignore[no-untyped-def]
    return load_module(Path(__file__).with_name("maps.py"))


def opened(path: Path) -> xr.Dataset:
    if path.suffix == ".zarr":
        return xr.open_zarr(path, decode_coords="all", chunks=None)
    return xr.open_dataset(path, engine="h5netcdf", decode_coords="all")


@pytest.mark.parametrize("suffix", [".nc", ".zarr"])
def test_xarray_reads_it(maps, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"map{suffix}"
    write_map(path, maps.planes())
    with opened(path) as read:
        truth = maps.known(maps.GRID)
        assert set(read.data_vars) == {"RED", "range_km"}
        np.testing.assert_array_equal(read["RED"].values, truth[..., 0])
        np.testing.assert_array_equal(read["range_km"].values, truth[..., 1])
        assert read["range_km"].dims == ("y", "x")
        assert read["range_km"].attrs == {"units": "km", "long_name": "distance from the camera"}
        assert all(
            {"units", "long_name"} <= set(read[name].attrs) for name in (*read.data_vars, "x", "y", "lat", "lon")
        )
        assert read.attrs["Conventions"] == "CF-1.11"
        assert read.attrs["credit"] == maps.METADATA["credit"]
        assert json.loads(read.attrs["perijove"]) == maps.METADATA
        mapping = read["spatial_ref"].attrs
        assert list(mapping["target_radii_m"]) == [71492e3, 71492e3, 66854e3]
        assert mapping["semi_major_axis"] == 71492e3
        # The CRS of the file takes its x and y to its longitudes and latitudes.
        crs = pyproj.CRS(mapping["crs_wkt"])
        to_degrees = pyproj.Transformer.from_crs(crs, crs.geodetic_crs, always_xy=True)
        lon, lat = to_degrees.transform(read["x"].values[::50], np.full_like(read["x"].values[::50], 3e7))
        np.testing.assert_allclose((read["lon"].values[::50] - lon + 180) % 360 - 180, 0, atol=1e-9)
        _, lat = to_degrees.transform(np.full_like(read["y"].values, -5e7), read["y"].values)
        np.testing.assert_allclose(read["lat"].values, lat, atol=1e-9)
        # 60 degrees north are the upper edge; longitudes of 140 W to 20 W grow to the right.
        assert read["lat"].values[0] == pytest.approx(60.0, abs=0.2)
        assert read["lon"].values[0] == pytest.approx(-140.0, abs=0.2)


def test_gdal_reads_the_same_crs(maps, tmp_path: Path) -> None:
    write_map(tmp_path / "map.nc", maps.planes())
    with rasterio.open(f"netcdf:{tmp_path / 'map.nc'}:RED") as file:
        assert tuple(file.transform)[:6] == pytest.approx(maps.GRID.transform)
        told, meant = (pyproj.CRS(wkt) for wkt in (file.crs.to_wkt(), maps.GRID.wkt))
        place = np.array([[-1.5e8, -3e7], [2e7, -5e7]])
        degrees = [
            pyproj.Transformer.from_crs(c, c.geodetic_crs, always_xy=True).transform(*place) for c in (told, meant)
        ]
        np.testing.assert_allclose(degrees[0], degrees[1], atol=1e-9)
        np.testing.assert_array_equal(file.read(1), maps.known(maps.GRID)[..., 0])
        assert np.isnan(file.nodata)


def test_cf_has_a_name_for_the_pole(maps, tmp_path: Path) -> None:
    grid = map_grid("north-stereographic", Region(60.0, 90.0, 0.0, 360.0), 200e3)
    write_map(tmp_path / "pole.nc", maps.planes(grid))
    with opened(tmp_path / "pole.nc") as read:
        mapping = read["spatial_ref"].attrs
        assert mapping["grid_mapping_name"] == "polar_stereographic"
        assert mapping["latitude_of_projection_origin"] == 90.0
        # The pole is where x and y are 0, at the corner of four pixels; there are no coordinates of one dimension.
        assert np.abs(read["x"].values).min() == np.abs(read["y"].values).min() == 100e3
        assert "lat" not in read.coords


def test_longitudes_go_on_across_the_antimeridian(maps, tmp_path: Path) -> None:
    grid = map_grid("equirectangular", Region(-10.0, 20.0, 150.0, 220.0), 200e3)
    write_map(tmp_path / "map.nc", maps.planes(grid))
    with opened(tmp_path / "map.nc") as read:
        lon = read["lon"].values
        assert np.ptp(np.diff(lon)) < 1e-9
        np.testing.assert_allclose((lon[[0, -1]] + 360) % 360, [140.0, 210.0], atol=0.2)


def test_a_grid_seen_from_a_spacecraft(maps, tmp_path: Path) -> None:
    from dataclasses import replace

    grid = map_grid("orthographic", Region(-30.0, 50.0, 0.0, 60.0), 200e3, latitudes="graphic")
    grid = replace(grid, seen_from_km=np.array([90e3, 0.0, 0.0]))
    write_map(tmp_path / "map.nc", maps.planes(grid))
    with opened(tmp_path / "map.nc") as read:
        assert read["spatial_ref"].attrs["latitudes"] == "planetographic"
        assert read["spatial_ref"].attrs["semi_minor_axis"] == pytest.approx(66854e3)


def test_long_metadata(maps, tmp_path: Path) -> None:
    from dataclasses import replace

    # Attributes of HDF5 are short where they are not strings of their own.
    long = replace(maps.planes(), metadata={"story": "x" * 200_000})
    write_map(tmp_path / "map.nc", long)
    with opened(tmp_path / "map.nc") as read:
        assert len(json.loads(read.attrs["perijove"])["story"]) == 200_000


def test_another_folder_is_not_replaced(maps, tmp_path: Path) -> None:
    path = tmp_path / "holiday.zarr"
    path.mkdir()
    (path / "photo.jpg").write_bytes(b"x")
    with pytest.raises(OptionError, match="would be lost"):
        write_map(path, maps.planes())
    assert (path / "photo.jpg").read_bytes() == b"x"


def test_unknown_tiles_take_no_room(maps, tmp_path: Path) -> None:
    write_map(tmp_path / "map.zarr", maps.planes())
    tiles = len(list(maps.every_tile(maps.GRID)))
    assert len([p for p in (tmp_path / "map.zarr" / "RED" / "c").rglob("*") if p.is_file()]) == tiles - 1
