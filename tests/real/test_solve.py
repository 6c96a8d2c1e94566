"""Three images of perijove 44 solved together, through the command."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from typer.testing import CliRunner

from perijove.archive.framelets import read_label
from perijove.cli import app
from perijove.constants import FOCAL_LENGTH_PX
from perijove.geometry.kernels import KernelFolder
from perijove.products.solve_report import kernel_difference
from perijove.register.pointing_file import read_pointing

COLOUR = ("JNCE_2022229_44C00029_V01", "JNCE_2022229_44C00032_V01")
METHANE = "JNCE_2022229_44M00040_V01"


@dataclass(frozen=True)
class Run:
    """What the command left."""

    folder: Path
    report: dict[str, Any]
    stdout: str


def invoke(*arguments: str | Path) -> str:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def run(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("solved")
    raws = [real_data / "raw" / f"{name}-raw.png" for name in (*COLOUR, METHANE)]
    stdout = invoke("solve", *raws, "--kernels", real_data / "spice", "-o", folder)
    return Run(folder, json.loads((folder / "pj44.solve.json").read_text()), stdout)


def test_residuals(run: Run) -> None:
    assert [image["product"] for image in run.report["images"]] == [*COLOUR, METHANE]
    for image in run.report["images"]:
        colour = image["product"] in COLOUR
        # The project's promise, and half a pixel where the haze of the methane band fades over tens of km.
        assert image["limb"]["residual_median_px"] <= (0.25 if colour else 0.5)
        assert image["ties"]["ties"] - image["ties"]["rejected"] > 100 or not colour
        if colour:
            assert image["ties"]["residual_median_px"] <= 0.25
        # The instrument kernel's jitter of the start: 20 ms.
        assert abs(image["parameters"]["start_time_offset"]["value"]) < 0.06
        assert image["product"] in run.stdout


def test_expected_errors(run: Run) -> None:
    for image in run.report["images"]:
        error = image["position_error"]
        # Half a pixel for colour, one for methane; 58 to 100 km above 40,000 to 110,000 km, and slants.
        assert error["median_px"] < (0.5 if image["product"] in COLOUR else 1.0)
        assert 3.0 < error["median_km"] < 60.0
        assert error["median_km"] < error["p95_km"]


def test_the_predicted_kernel_is_some_seconds_off(run: Run) -> None:
    for image in run.report["images"]:
        assert image["position_source"].startswith("spk_pre_220614")
        found = image["from_kernels"]
        assert found["attitude"] is None
        along = found["trajectory"]
        # The labels are 5.8 to 6.3 s along track from this prediction, at 33 to 53 km/s; along_track is what lies
        # across the radius.
        assert 5.0 * 33.0 < along["distance_km"] < 7.0 * 54.0
        assert along["distance_km"] == pytest.approx(
            np.linalg.norm([along[name] for name in ("radial_km", "along_track_km", "normal_km")])
        )


def test_the_axis_is_that_of_the_pass(run: Run) -> None:
    # Solved by itself, each colour image has it to a degree.
    assert run.report["spin"]["axis_sigma_deg"] < 0.1
    assert run.report["spin"]["axis_prior"] == "3 images of the perijove"


def test_kernels_hold_the_solution(run: Run, real_data: Path) -> None:
    # The CK was written with the mission's clock.
    for name in ("naif0012.tls", "jno_sclkscet_00090.tsc"):
        (run.folder / name).write_bytes((real_data / "spice" / name).read_bytes())
    kernels = KernelFolder.find(run.folder)
    for name in (*COLOUR, METHANE):
        pointing = read_pointing(run.folder / f"{name}.pointing.json")[0].located.solution.pointing
        label = read_label(real_data / "raw" / f"{name}-raw.png")
        found = kernel_difference(label, pointing, kernels)
        assert found["trajectory"]["distance_km"] < 1e-3
        # The frames kernel's seven digits: 1e-7 rad.
        assert found["attitude"]["boresight_px"] < 2e-7 * FOCAL_LENGTH_PX


def test_drawn_from_the_files_with_backplanes(run: Run, real_data: Path, tmp_path: Path) -> None:
    options = ["--pointing", run.folder, "--linear", "--backplanes", "-q", "--size", 500]
    for name in (COLOUR[0], METHANE):
        invoke("process", real_data / "raw" / f"{name}-raw.png", *options, "-o", tmp_path)
        told = json.loads((tmp_path / f"{name}.report.json").read_text())
        assert told["inputs"][-1]["file"] == f"{name}.pointing.json"
        with tifffile.TiffFile(tmp_path / f"{name}-backplanes.tif") as file:
            planes = {page.tags["PageName"].value: page.asarray() for page in file.pages}
        band = "methane" if name == METHANE else "green"
        error = np.where(np.isfinite(planes[f"frame_{band}"]), planes["position_error_km"], np.nan)
        # A view spreads its pixels otherwise than framelets that overlap do: the median is of other places.
        assert 0.5 < np.nanmedian(error) / told["geometry"]["position_error"]["median_km"] < 2.0
        # Where the camera looks straight down an error is that of the line of sight, a pixel at most.
        down = planes["emission_deg"] < 30.0
        if down.any():
            assert np.nanmedian((error / planes["pixel_scale_km"])[down]) < 1.0


def test_another_raw_file_is_refused(run: Run, real_data: Path, tmp_path: Path) -> None:
    raw = real_data / "raw" / f"{COLOUR[0]}-raw.png"
    path = run.folder / f"{METHANE}.pointing.json"
    result = CliRunner().invoke(app, ["process", str(raw), "--pointing", str(path), "-o", str(tmp_path / "out")])
    assert result.exit_code == 2
    assert f"holds the pointing of {METHANE}" in result.stderr
    assert not (tmp_path / "out").exists()
