"""Maps in each format: what is the same for all of them."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from perijove.errors import MissingExtraError, OptionError
from perijove.products.map_files import WRITERS, check_suffix, write_map


@pytest.fixture(scope="module")
def maps(load_module):  # type: ignore[no-untyped-def]
    return load_module(Path(__file__).with_name("maps.py"))


@pytest.mark.parametrize("suffix", WRITERS)
def test_a_failure_leaves_nothing(maps, tmp_path: Path, suffix: str) -> None:
    with pytest.raises(OptionError, match="no more"):
        write_map(tmp_path / f"map{suffix}", maps.failing())
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("suffix", WRITERS)
def test_a_failure_keeps_what_was_there(maps, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"map{suffix}"
    write_map(path, maps.planes())
    before = {p: p.read_bytes() for p in [path, *path.rglob("*")] if p.is_file()}
    with pytest.raises(OptionError, match="no more"):
        write_map(path, maps.failing())
    assert {p: p.read_bytes() for p in [path, *path.rglob("*")] if p.is_file()} == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("suffix", WRITERS)
def test_the_same_map_gives_the_same_bytes(maps, tmp_path: Path, suffix: str) -> None:
    written = []
    for _ in range(2):
        path = tmp_path / f"map{suffix}"
        write_map(path, maps.planes())
        written.append({p: p.read_bytes() for p in [path, *path.rglob("*")] if p.is_file()})
    assert written[0] == written[1]
    assert list(tmp_path.iterdir()) == [path]


def test_suffixes() -> None:
    for suffix in (".tif", ".TIFF", ".nc", ".zarr", ".fits", ".cub"):
        check_suffix(Path(f"map{suffix}"))
    with pytest.raises(OptionError, match=r"map\.jpg.*\.tif, \.tiff, \.nc, \.zarr, \.fits, \.cub"):
        check_suffix(Path("map.jpg"))


def test_an_unknown_suffix_is_refused_before_anything_is_drawn(maps, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="gif"):
        write_map(tmp_path / "map.gif", maps.failing())


@pytest.mark.parametrize(
    ("suffix", "library"), [(".tif", "rasterio"), (".nc", "h5netcdf"), (".zarr", "zarr"), (".cub", "rasterio")]
)
def test_a_missing_library_is_told(maps, tmp_path: Path, monkeypatch, suffix: str, library: str) -> None:
    content = maps.planes()
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(MissingExtraError, match=rf"{library}.*perijove\[geo\]"):
        write_map(tmp_path / f"map{suffix}", content)
    assert not list(tmp_path.iterdir())


_BIG = """
import resource, sys
from pathlib import Path
import numpy as np
from perijove.products.map_files import write_map
from perijove.products.map_planes import MapPlanes, Plane
from perijove.project.grid import GLOBE, map_grid
def content(width, places):
    grid = map_grid("equirectangular", GLOBE, 2 * np.pi * 71492e3 / width)
    noise = np.random.default_rng(0).random((512, 512, 2), np.float32)
    tiles = ((slice(r, r + 512), slice(c, c + 512), noise) for r, c in places)
    return MapPlanes(grid, (Plane("RED", "1", "I/F"), Plane("weight", "1", "weight")), tiles, {})
path, width = Path(sys.argv[1]), int(sys.argv[2])
write_map(path.with_name("small" + path.suffix), content(2000, [(0, 0)]))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
write_map(path, content(width, [(512 * k, 1024 * k) for k in range(9)]))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


# Without gaps 40,000 x 20,000 pixels of two planes are 6.4 GB; FITS has no gaps, so that its map is smaller: 576 MB.
@pytest.mark.parametrize(
    ("suffix", "width"), [(".tif", 40_000), (".nc", 40_000), (".zarr", 40_000), (".fits", 12_000), (".cub", 12_000)]
)
def test_maps_larger_than_memory(tmp_path: Path, suffix: str, width: int) -> None:
    path = tmp_path / f"big{suffix}"
    done = subprocess.run([sys.executable, "-c", _BIG, str(path), str(width)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    # Kilobytes. GDAL keeps blocks up to a 20th of the machine's memory.
    assert int(done.stdout) < 350_000


def test_a_tile_that_is_not_a_tile(maps, tmp_path: Path) -> None:
    """Parts of any size may come."""
    from dataclasses import replace

    import xarray as xr

    rows, columns = slice(100, 700), slice(37, 600)
    part = replace(maps.planes(), tiles=[(rows, columns, maps.value(rows, columns))])
    write_map(tmp_path / "map.nc", part)
    with xr.open_dataset(tmp_path / "map.nc", engine="h5netcdf") as read:
        np.testing.assert_array_equal(read["RED"].values[rows, columns], maps.value(rows, columns)[..., 0])
        assert np.isfinite(read["range_km"].values).sum() == 600 * 563


def test_a_map_of_a_moon(maps, tmp_path: Path) -> None:
    """Every format says whose map it is."""
    import rasterio
    import xarray as xr
    from astropy.io import fits

    from perijove.products.stac import stac_item
    from perijove.project.body import BODIES
    from perijove.project.grid import GLOBE, map_grid

    grid = map_grid("equirectangular", GLOBE, 20e3, body=BODIES["Europa"])
    for suffix in (".nc", ".fits", ".cub"):
        write_map(tmp_path / f"europa{suffix}", maps.planes(grid))
    with xr.open_dataset(tmp_path / "europa.nc", engine="h5netcdf", decode_coords="all") as read:
        assert read["spatial_ref"].attrs["target"] == "Europa"
        assert list(read["spatial_ref"].attrs["target_radii_m"]) == [1560.8e3] * 3
        assert "System III" not in read["lon"].attrs["long_name"]
    header = fits.getheader(tmp_path / "europa.fits", "RED")
    assert (header["CTYPE1"], header["A_RADIUS"]) == ("STLN-CAR", 1560.8e3)
    with rasterio.open(tmp_path / "europa.cub") as file:
        assert "a=1560800" in file.crs.to_proj4() or "R=1560800" in file.crs.to_proj4()
    assert b"TargetName           = Europa" in (tmp_path / "europa.cub").read_bytes()[:65536]
    item = stac_item(tmp_path / "europa.nc", maps.planes(grid))["properties"]
    assert (item["ssys:targets"], item["ssys:target_class"]) == (["Europa"], "satellite")
    assert "view:sun_elevation" not in item
