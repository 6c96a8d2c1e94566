"""Pointing on disk: what was solved comes back, and what does not belong together is refused."""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from perijove.archive.inputs import InputFile
from perijove.errors import PointingFileError
from perijove.register.locate import Knowledge, Located, locate
from perijove.register.pointing_file import Solved, pointing_of, pointing_path, read_pointing, write_pointing

RAW = InputFile(Path("JNCE_2022229_44C00001_V01-raw.png"), "ab" * 32)


@pytest.fixture(scope="module")
def located(earth_scene: Any) -> Located:
    return locate(earth_scene.label, earth_scene.values, Knowledge())


@pytest.fixture
def path(located: Located, earth_scene: Any, tmp_path: Path) -> Path:
    path = pointing_path(tmp_path, earth_scene.label)
    write_pointing(path, Solved(str(earth_scene.label.product_id), RAW.sha256, "perijove X", located))
    return path


@pytest.fixture
def change(path: Path) -> Callable[..., Path]:
    """Change entries of the file; those that are None are taken out."""

    def changed(where: tuple[Any, ...] = (), **entries: Any) -> Path:
        content = json.loads(path.read_text(encoding="utf-8"))
        part = content
        for key in where:
            part = part[key]
        for name, value in entries.items():
            part.pop(name, None)
            if value is not None:
                part[name] = value
        path.write_text(json.dumps(content), encoding="utf-8")
        return path

    return changed


def assert_same(one: Any, other: Any, where: str = "") -> None:
    """Every field alike to the last bit, but for residuals, which are rounded to 1e-4 px."""
    if dataclasses.is_dataclass(one):
        for field in dataclasses.fields(one):
            if where.endswith("trajectory") and field.name in ("et", "position_km", "velocity_km_s"):
                continue
            assert_same(getattr(one, field.name), getattr(other, field.name), f"{where}.{field.name}")
    elif isinstance(one, dict):
        assert list(one) == list(other), where
        for key in one:
            assert_same(one[key], other[key], f"{where}.{key}")
    elif isinstance(one, np.ndarray):
        atol = 0.5001e-4 if where.endswith("residual_px") else 0.0
        assert one.dtype == other.dtype, where
        np.testing.assert_allclose(other, one, rtol=0, atol=atol, err_msg=where)
    else:
        assert one == other, where


def test_everything_comes_back(path: Path, located: Located, earth_scene: Any) -> None:
    found, file = pointing_of(path, earth_scene.label, RAW)
    assert_same(located, found)
    assert file.path == path
    # The trajectory is that of the frames, which the fit moved by its offsets.
    np.testing.assert_array_equal(found.trajectory.position_km, located.solution.pointing.position_km)


def test_a_folder_is_searched_for_the_image(path: Path, earth_scene: Any) -> None:
    assert pointing_of(path.parent, earth_scene.label, RAW)[1].path == path
    path.rename(path.with_name("other.pointing.json"))
    with pytest.raises(PointingFileError, match=r"no JNCE_2022229_44C00001_V01\.pointing\.json in .*perijove solve"):
        pointing_of(path.parent, earth_scene.label, RAW)


def test_no_limb_and_no_ties(located: Located, tmp_path: Path) -> None:
    none = dataclasses.replace(
        located.solution,
        residual_px=np.zeros(0),
        residual_band=np.zeros(0, np.int64),
        tie_residual_px=np.zeros((0, 2)),
    )
    bare = dataclasses.replace(located, solution=none, warnings=("NO LIMB \N{DEGREE SIGN}",))
    write_pointing(tmp_path / "x.json", Solved("p", "h", "s", bare))
    assert_same(bare, read_pointing(tmp_path / "x.json")[0].located)


def test_another_version_is_refused(change: Callable[..., Path]) -> None:
    path = change(format_version=2)
    with pytest.raises(PointingFileError, match=r"version 2 of the format, this perijove reads version 1; solve"):
        read_pointing(path)


def test_another_image_is_refused(path: Path, synthetic: Any, earth_scene: Any) -> None:
    product = synthetic.ProductId.parse("JNCE_2022229_44C00002_V01")
    label = dataclasses.replace(earth_scene.label, product_id=product)
    with pytest.raises(PointingFileError, match=r"holds the pointing of JNCE_2022229_44C00001_V01, the image is JNCE_"):
        pointing_of(path, label, RAW)


def test_another_raw_file_is_refused(path: Path, earth_scene: Any) -> None:
    with pytest.raises(PointingFileError, match=r"SHA-256 abababababab\.\.\., not cdcdcdcdcdcd"):
        pointing_of(path, earth_scene.label, InputFile(RAW.path, "cd" * 32))


def test_a_label_of_other_frames_is_refused(path: Path, earth_scene: Any) -> None:
    with pytest.raises(PointingFileError, match=r"holds 13 frames of BLUE, GREEN, RED, the label of .* says 12"):
        pointing_of(path, dataclasses.replace(earth_scene.label, frames=12), RAW)


@pytest.mark.parametrize(
    ("where", "entries", "what"),
    [
        ((), {"format": "something else"}, "is no pointing file"),
        ((), {"author": "me"}, "author is unknown"),
        ((), {"covariance": None}, "covariance is missing"),
        ((), {"covariance": [[1.0]]}, r"covariance has shape \(1, 1\)"),
        ((), {"turn_axes": [[1.0, 0.0], [0.0]]}, "turn_axes is no array"),
        ((), {"spin_axis": [1.0, 0.0, "north"]}, "spin_axis is no array"),
        ((), {"spin_rate_rad_s": True}, "spin_rate_rad_s is no number"),
        ((), {"spin_rate_rad_s": float("inf")}, "spin_rate_rad_s is not finite"),
        ((), {"limb_points": -1}, "limb_points is negative"),
        ((), {"limb_points": 1.5}, "limb_points is no whole number"),
        ((), {"warnings": [1]}, "warnings holds more than text"),
        (("trajectory",), {"from_kernel": "no"}, r"trajectory\.from_kernel is no truth value"),
        (("pointing",), {"et": []}, r"pointing\.et holds no frames"),
        (("pointing",), {"position_km": [[0.0, 0.0, 0.0]]}, r"pointing\.position_km has shape"),
        (("pointing", "cameras", 0), {"focus": 1.0}, r"pointing\.cameras\[0\]\.focus is unknown"),
        (("pointing", "cameras", 1), {"tilt_rad": None}, r"pointing\.cameras\[1\]\.tilt_rad is missing"),
        (("parameters", "principal_row"), {"unit": 3}, r"parameters\.principal_row\.unit is no text"),
    ],
)
def test_damage_is_told(
    change: Callable[..., Path], where: tuple[Any, ...], entries: dict[str, Any], what: str
) -> None:
    path = change(where, **entries)
    with pytest.raises(PointingFileError, match=what) as told:
        read_pointing(path)
    assert str(path) in str(told.value)


def test_no_json(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("{")
    with pytest.raises(PointingFileError, match="is no pointing file"):
        read_pointing(tmp_path / "a.json")
    (tmp_path / "a.json").write_text("[1]")
    with pytest.raises(PointingFileError, match="is no pointing file"):
        read_pointing(tmp_path / "a.json")
    with pytest.raises(PointingFileError, match="does not exist"):
        read_pointing(tmp_path / "b.json")
