import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

import perijove.products.backplanes as room
from perijove.errors import OptionError
from perijove.geometry.backplanes import Backplane
from perijove.products.backplanes import backplane_metadata, write_backplanes


@pytest.fixture
def planes() -> dict[str, Backplane]:
    rng = np.random.default_rng(0)
    lon = rng.uniform(0, 360, (150, 40))
    distance = rng.uniform(1e4, 1e5, (150, 40)).astype(np.float32)
    lon[:30], distance[:30] = np.nan, np.nan
    return {
        "lon_w_sys3_deg": Backplane("lon_w_sys3_deg", "deg", "longitude", lon),
        "range_km": Backplane("range_km", "km", "distance <of> Juno", distance),
    }


def cut(planes: dict[str, Backplane], rows: slice) -> dict[str, Backplane]:
    return {n: Backplane(n, p.unit, p.long_name, p.values[rows]) for n, p in planes.items()}


Read = Callable[[Path], dict[str, tuple[np.ndarray, dict[str, Any]]]]


@pytest.fixture
def read() -> Read:
    def pages(path: Path) -> dict[str, tuple[np.ndarray, dict[str, Any]]]:
        with tifffile.TiffFile(path) as file:
            return {p.tags["PageName"].value: (p.asarray(), json.loads(p.description)) for p in file.pages}

    return pages


@pytest.mark.parametrize("height", [1, 7, 64, 100, 150])
def test_planes_come_back(height: int, planes: dict[str, Backplane], read: Read, tmp_path: Path) -> None:
    path = tmp_path / "new" / "planes.tif"
    blocks = (cut(planes, slice(first, first + height)) for first in range(0, 150, height))
    write_backplanes(path, blocks, {"product": "P", "missing": np.nan})
    found = read(path)
    assert list(found) == list(planes)
    lon, told = found["lon_w_sys3_deg"]
    assert lon.dtype == np.float64
    # Steps of 2**-24 degrees.
    np.testing.assert_allclose(lon, planes["lon_w_sys3_deg"].values, rtol=0, atol=2.0**-25)
    assert (told["product"], told["missing"], told["planes"]) == ("P", None, list(planes))
    distance, told = found["range_km"]
    assert distance.dtype == np.float32
    np.testing.assert_array_equal(distance, planes["range_km"].values)
    assert told == {"name": "range_km", "unit": "km", "long_name": "distance <of> Juno"}
    assert [p.name for p in path.parent.iterdir()] == ["planes.tif"]


def test_gdal_is_told(planes: dict[str, Backplane], tmp_path: Path) -> None:
    write_backplanes(tmp_path / "p.tif", [planes], {})
    with tifffile.TiffFile(tmp_path / "p.tif") as file:
        tags = file.pages[1].tags
        assert tags[42113].value == "nan"
        assert '<Item name="DESCRIPTION" sample="0" role="description">range_km</Item>' in tags[42112].value
        assert '<Item name="UNITTYPE" sample="0" role="unittype">km</Item>' in tags[42112].value


def test_large_files_are_big(
    planes: dict[str, Backplane], read: Read, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # 150 x 40 pixels of 12 bytes.
    for limit, big in ((72000, False), (71999, True)):
        monkeypatch.setattr(room, "_BIG", limit)
        write_backplanes(tmp_path / "p.tif", [planes], {})
        with tifffile.TiffFile(tmp_path / "p.tif") as file:
            assert file.is_bigtiff is big
        np.testing.assert_array_equal(read(tmp_path / "p.tif")["range_km"][0], planes["range_km"].values)


def test_what_cannot_be_one_file(planes: dict[str, Backplane], tmp_path: Path) -> None:
    path = tmp_path / "p.tif"
    with pytest.raises(OptionError, match="no backplanes"):
        write_backplanes(path, [], {})
    with pytest.raises(OptionError, match="no backplanes"):
        write_backplanes(path, [{}], {})
    error = Backplane("position_error_km", "km", "error", np.zeros((150, 41), np.float32))
    with pytest.raises(OptionError, match=r"position_error_km.*150, 41"):
        write_backplanes(path, [{**planes, error.name: error}], {})
    fewer = {"range_km": planes["range_km"]}
    with pytest.raises(OptionError, match="range_km, are not those before"):
        write_backplanes(path, [planes, fewer], {})
    assert not list(tmp_path.iterdir())


def test_planes_of_ones_own(planes: dict[str, Backplane], read: Read, tmp_path: Path) -> None:
    error = Backplane("position_error_km", "km", "standard error", np.full((150, 40), 3.5, np.float32))
    write_backplanes(tmp_path / "p.tif", [{**planes, error.name: error}], {})
    values, told = read(tmp_path / "p.tif")["position_error_km"]
    assert np.all(values == 3.5)
    assert told["long_name"] == "standard error"


def test_times_can_be_understood(earth_scene: Any) -> None:
    told = backplane_metadata(earth_scene.pointing)
    # START_TIME + 0.06188 s + half of 6.4 ms + 6 * 0.374 s + 8 ms that the scene starts late.
    assert told["mid_time_utc"] == "2022-08-17T13:16:12.317"
    assert told["mid_time_tdb_s"] == pytest.approx(float(earth_scene.pointing.et[6]), abs=1e-6)
    assert told["reference_band"] == "GREEN"
    assert backplane_metadata(earth_scene.pointing, "RED")["reference_band"] == "RED"
