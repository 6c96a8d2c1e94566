"""A pass from raw files to pointing files, kernels and a report, on a planet whose truth is known."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import perijove
from perijove.cli import app
from perijove.geometry.kernels import KernelFolder
from perijove.products.solve_report import kernel_difference
from perijove.register.pointing_file import read_pointing

NAMES = [f"JNCE_2022229_44C0000{k}_V01" for k in (1, 2)]


@pytest.fixture(scope="module")
def scenes(synthetic: Any, earth_scene: Any) -> list[Any]:
    """Two images of a pass, ten minutes apart."""
    second = synthetic.make_scene(
        0.03,
        product_id=synthetic.ProductId.parse(NAMES[1]),
        start_time="2022-08-17T13:26:10.000",
        altitude_km=118000.0,
        sub_spacecraft_lat_graphic_deg=42.0,
        sub_spacecraft_lon_w_sys3_deg=288.0,
    )
    return [earth_scene, second]


@pytest.fixture(scope="module")
def raws(scenes: list[Any], write_set: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("raw")
    return [write_set(folder / str(k), scene) for k, scene in enumerate(scenes)]


@pytest.fixture(scope="module")
def solved(raws: list[Path], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Folder of what the command wrote, and what it printed."""
    folder = tmp_path_factory.mktemp("out") / "new"
    # Later images first: files and report are in the order of time.
    result = CliRunner().invoke(app, ["solve", *map(str, reversed(raws)), "-o", str(folder)], catch_exceptions=False)
    assert result.exit_code == 0, result.stderr
    return folder, result.stdout


def test_files(solved: tuple[Path, str]) -> None:
    folder, _ = solved
    names = {path.name for path in folder.iterdir()}
    kernels = {name for name in names if name.startswith("perijove_")}
    assert names - kernels == {"pj44.solve.json", *(f"{name}.pointing.json" for name in NAMES)}
    assert {"perijove_pj44_44C00001-44C00002.bc", "perijove_pj44_44C00001-44C00002.bsp"} < kernels
    report = json.loads((folder / "pj44.solve.json").read_text())
    assert sorted(Path(path).name for path in report["files"]) == sorted(names)
    assert Path(report["files"][-1]).name == "pj44.solve.json"


def test_report(solved: tuple[Path, str], scenes: list[Any]) -> None:
    def refuse(constant: str) -> None:
        raise ValueError(f"{constant} is not JSON")

    report = json.loads((solved[0] / "pj44.solve.json").read_text(), parse_constant=refuse)
    assert report["perijove"] == 44
    assert [image["product"] for image in report["images"]] == NAMES
    axis = np.array(report["spin"]["axis_j2000"])
    assert np.degrees(np.arccos(axis @ scenes[0].axis)) < 0.1
    for image in report["images"]:
        # The promise for limbs. The clouds of this planet are waves of 10 px in noise of 2 %, which few ties find.
        assert image["limb"]["residual_median_px"] < 0.25
        # It is the median of 2 to 12 and was 0.08 to 0.59 with five seeds of the noise.
        assert image["ties"]["residual_median_px"] < 0.8
        assert image["from_kernels"] is None
        # Start and phase look alike; together they know the start to its jitter of 20 ms.
        start = image["parameters"]["start_time_offset"]
        assert abs(start["value"] - 0.008) < 3 * start["sigma"]
        assert [len(entry["sha256"]) for entry in image["inputs"]] == [64, 64]
    row = report["parameters"]["principal_row"]
    # Scenes have -27.
    assert abs(row["value"] + 27.0) < 3 * row["sigma"]
    assert "start_time_offset" not in report["parameters"]


def test_pixels_lie_where_they_should(solved: tuple[Path, str], scenes: list[Any], synthetic: Any) -> None:
    """Ground points that pixels truly saw, through the solved pointing: within what the report expects."""
    report = json.loads((solved[0] / "pj44.solve.json").read_text())
    for image, scene in zip(report["images"], scenes, strict=True):
        entry, _ = read_pointing(solved[0] / f"{image['product']}.pointing.json")
        frame, pixel, ground = synthetic.disc_grid(scene, "GREEN")
        found = np.stack(entry.located.solution.pointing.pixels("GREEN", frame, ground), axis=-1)
        error = np.median(np.linalg.norm(found - pixel, axis=-1))
        # Three standard errors; half a pixel is the project's promise for a pass.
        assert error < min(3 * image["position_error"]["median_px"], 0.5)


def test_the_table_is_for_people(solved: tuple[Path, str]) -> None:
    words = [line.split() for line in solved[1].splitlines()]
    rows = {line[0]: line[1:] for line in words if line and line[0] in NAMES}
    assert set(rows) == set(NAMES)
    report = json.loads((solved[0] / "pj44.solve.json").read_text())
    for image in report["images"]:
        limb, ties, start, px, km = map(float, rows[image["product"]])
        assert limb == pytest.approx(image["limb"]["residual_median_px"], abs=0.005)
        assert ties == pytest.approx(image["ties"]["residual_median_px"], abs=0.005)
        assert start == pytest.approx(1000 * image["parameters"]["start_time_offset"]["value"], abs=0.05)
        assert px == pytest.approx(image["position_error"]["median_px"], abs=0.005)
        assert km == pytest.approx(image["position_error"]["median_km"], abs=0.05)


def test_process_draws_from_the_files(solved: tuple[Path, str], raws: list[Path], tmp_path: Path) -> None:
    options = ["--pointing", str(solved[0]), "--size", "64", "--json", "-o", str(tmp_path)]
    result = CliRunner().invoke(app, ["process", str(raws[1]), *options], catch_exceptions=False)
    assert result.exit_code == 0, result.stderr
    told = json.loads(result.stdout)
    assert told["inputs"][-1]["file"] == f"{NAMES[1]}.pointing.json"
    report = json.loads((solved[0] / "pj44.solve.json").read_text())
    # Residuals are kept to 1e-4 px.
    limb = report["images"][1]["limb"]["residual_median_px"]
    assert told["geometry"]["limb"]["residual_median_px"] == pytest.approx(limb, abs=1e-4)
    assert told["geometry"]["position_error"] == report["images"][1]["position_error"]


def test_the_pass_is_the_same_from_one_image(solved: tuple[Path, str], raws: list[Path]) -> None:
    """process --with and solve are one way: the same fit, whichever image is asked for."""
    entry, _ = read_pointing(solved[0] / f"{NAMES[0]}.pointing.json")
    pointing = perijove.open(raws[0], with_others=raws[1:]).located.solution.pointing
    np.testing.assert_allclose(
        pointing.camera_to_j2000, entry.located.solution.pointing.camera_to_j2000, rtol=0, atol=1e-9
    )


def test_the_kernels_hold_the_solution(solved: tuple[Path, str], scenes: list[Any]) -> None:
    kernels = KernelFolder.find(solved[0])
    for name, scene in zip(NAMES, scenes, strict=True):
        pointing = read_pointing(solved[0] / f"{name}.pointing.json")[0].located.solution.pointing
        found = kernel_difference(scene.label, pointing, kernels)
        assert found["trajectory"]["distance_km"] < 1e-3
        # The frames kernel's seven digits.
        assert found["attitude"]["boresight_px"] < 1e-3
    comments = _comments(next(solved[0].glob("*.bc")))
    assert "Accuracy" in comments
    assert all(name in comments for name in NAMES)


def _comments(path: Path) -> str:
    import spiceypy

    handle = spiceypy.dafopr(str(path))
    try:
        return "\n".join(spiceypy.dafec(handle, 1000)[1])
    finally:
        spiceypy.dafcls(handle)


def test_kernels_are_a_start_and_their_difference_is_told(
    solved: tuple[Path, str], raws: list[Path], tmp_path: Path
) -> None:
    """Our own kernels, given back to the solver: it begins there and comes out near."""
    options = ["--kernels", str(solved[0]), "--json", "-o", str(tmp_path)]
    result = CliRunner().invoke(app, ["solve", str(raws[0]), *options], catch_exceptions=False)
    assert result.exit_code == 0, result.stderr
    (image,) = json.loads(result.stdout)["images"]
    assert image["attitude_source"] == "perijove_pj44_44C00001-44C00002.bc"
    assert image["position_source"] == "perijove_pj44_44C00001-44C00002.bsp"
    found = image["from_kernels"]
    # One image by itself, with the same limb and ties: nearer than the error to be expected of it.
    assert found["attitude"]["boresight_px"] < 1.0
    assert found["trajectory"]["source"] == "perijove_pj44_44C00001-44C00002.bsp"


# What is refused


def refused(folder: Path, *arguments: str | Path) -> str:
    result = CliRunner().invoke(app, ["solve", *map(str, arguments), "-o", str(folder / "out")])
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert result.stderr.startswith("perijove: error: ")
    assert result.stderr.count("\n") == 1
    assert not (folder / "out").exists()
    return result.stderr


def test_two_perijoves(synthetic: Any, earth_scene: Any, raws: list[Path], tmp_path: Path) -> None:
    label = synthetic.make_label(
        product_id=synthetic.ProductId.parse("JNCE_2022186_43C00002_V01"),
        orbit=43,
        start_time="2022-07-05T12:00:00.000",
    )
    other = tmp_path / "1-Metadata.json"
    other.write_text(json.dumps(synthetic.json_label(label, 816)))
    message = refused(tmp_path, raws[0], "--label", other)
    assert "is of perijove 43" in message
    assert "solve each perijove by itself" in message


def test_an_image_twice(raws: list[Path], tmp_path: Path) -> None:
    assert "are the same image; give it once" in refused(tmp_path, raws[0], raws[1], raws[0])


def test_what_cannot_be_read(raws: list[Path], tmp_path: Path) -> None:
    assert "does not exist" in refused(tmp_path, raws[0], tmp_path / f"{NAMES[1]}-raw.png")
    assert "kernel folder" in refused(tmp_path, raws[0], "--kernels", tmp_path / "none")
