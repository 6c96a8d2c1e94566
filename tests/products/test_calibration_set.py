import json
from pathlib import Path

import numpy as np
import pytest

from perijove.calibrate.build import BandResult
from perijove.calibrate.calibration_set import SetPlane, load_calibration
from perijove.calibrate.gradient import Gradient
from perijove.errors import OptionError
from perijove.products.calibration_set import picture_of, write_set

MADE = {"products": ["JNCE_2022229_44C00032_V01"], "inputs": [], "left_out": []}


def _planes(level: float = 0.95) -> tuple[SetPlane, ...]:
    flat = np.full((128, 1648), level, np.float32)
    bad = np.zeros((128, 1648), np.bool_)
    bad[5, 700] = True
    return (
        SetPlane("flat", "RED", (40, 44), 1, flat),
        SetPlane("dark", "RED", (40, 44), 1, np.full((128, 1648), 12.5, np.float32)),
        SetPlane("bad_pixel", "RED", (40, 44), 1, bad),
    )


def _result() -> BandResult:
    return BandResult("RED", 1, ("x",), 9, 0.5, Gradient(), 0.0, float("nan"), 0, 0, 1)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    report = write_set(tmp_path / "set", _planes(), [_result()], MADE)
    read = {plane.kind: plane for plane in load_calibration(tmp_path / "set").choices}
    for plane in _planes():
        np.testing.assert_array_equal(read[plane.kind].plane, plane.plane)
        assert read[plane.kind].orbits == (40, 44)
    assert all(Path(name).is_file() for name in report["files"])
    assert json.loads(Path(report["files"][-1]).read_text())["bands"][0]["bad_pixels"] == 1
    assert sum(Path(name).suffix == ".png" for name in report["files"]) == 3


def test_a_set_is_replaced_as_a_whole(tmp_path: Path) -> None:
    folder = tmp_path / "set"
    write_set(folder, _planes(), [_result()], MADE)
    write_set(folder, _planes(0.9)[:1], [_result()], MADE)
    (plane,) = load_calibration(folder).choices
    assert plane.plane[3, 3] == np.float32(0.9)
    assert not list(folder.glob("dark*"))
    assert [path.name for path in tmp_path.iterdir()] == ["set"]


def test_other_things_are_not_touched(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("mine")
    with pytest.raises(OptionError, match="other things"):
        write_set(tmp_path, _planes(), [_result()], MADE)
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OptionError, match="no folder"):
        write_set(tmp_path / "file", _planes(), [_result()], MADE)


def test_pictures_show_what_is_there() -> None:
    flat, dark, bad = (picture_of(plane) for plane in _planes())
    # 0.95 lies a quarter of the way from 0.9 to 1.1; 12.5 of 50 DN is half on a square-root scale.
    assert flat[0, 0] == 64
    assert dark[0, 0] == 128
    assert bad[5, 700] == 255
    assert bad.sum() == 255
