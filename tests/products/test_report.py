"""Reports: strict JSON that says where an image came from and how well it is pointed."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import perijove
from perijove.archive.inputs import InputFile
from perijove.products.raster import write_json
from perijove.products.report import geometry_report, provenance, view_report
from perijove.project.view import orthographic_view, spacecraft_view
from perijove.register.locate import Knowledge, Located, locate


@pytest.fixture(scope="session")
def located(earth_scene: Any) -> Located:
    return locate(earth_scene.label, earth_scene.values, Knowledge())


def through_json(tmp_path: Path, content: Any) -> Any:
    def refuse(constant: str) -> None:
        raise ValueError(f"{constant} is not JSON")

    write_json(tmp_path / "report.json", content)
    return json.loads((tmp_path / "report.json").read_text(encoding="utf-8"), parse_constant=refuse)


def test_provenance_names_product_credit_software_and_inputs(earth_scene: Any) -> None:
    inputs = (InputFile(Path("/somewhere/a.png"), "ab" * 32), InputFile(Path("b.json"), "cd" * 32))
    told = provenance(earth_scene.label, inputs)
    assert told["product"] == "JNCE_2022229_44C00001_V01"
    assert told["credit"] == "Image data: NASA/JPL-Caltech/SwRI/MSSS"
    assert told["software"] == f"perijove {perijove.__version__}"
    # File names only: a product must not tell the folders of whoever made it.
    assert told["inputs"] == [{"file": "a.png", "sha256": "ab" * 32}, {"file": "b.json", "sha256": "cd" * 32}]


def test_geometry_is_told_as_it_is(tmp_path: Path, earth_scene: Any, located: Located) -> None:
    told = through_json(tmp_path, geometry_report(earth_scene.label, located))
    scene = earth_scene
    # START_TIME 13:16:10, 13 frames of 0.373 s: the middle is 2.4 s later.
    assert told["mid_time_utc"].startswith("2022-08-17T13:16:12.")
    distance = np.linalg.norm(scene.pointing.position_km[scene.pointing.mid_frame])
    assert told["position"]["range_to_centre_km"] == pytest.approx(distance, abs=10.0)
    axis = np.array(told["attitude"]["spin_axis_j2000"])
    assert np.degrees(np.arccos(axis @ scene.axis)) < 0.1
    assert told["attitude"]["spin_axis_from_earth_deg"] < 0.2
    assert told["limb"]["points"] == located.limb_points
    assert told["limb"]["residual_median_px"] < 0.15
    assert set(told["limb"]["residual_median_px_by_band"]) == {"BLUE", "GREEN", "RED"}
    ties = told["ties"]
    assert ties["ties"] > 10
    assert ties["ties"] - ties["rejected"] == len(located.solution.tie_residual_px)
    assert 0 < ties["residual_median_px"] < 0.3
    assert ties["residual_median_px"] < ties["residual_p95_px"]
    error = told["position_error"]
    # A pixel of the summed image is 94 km where it is seen from straight above, more beside.
    assert 80 < error["median_km"] / error["median_px"] < 400
    assert set(told["parameters"]) == set(located.solution.parameters)
    assert told["warnings"] == []


def test_a_report_without_a_limb_has_no_nan(tmp_path: Path, earth_scene: Any, located: Located) -> None:
    none = dataclasses.replace(
        located.solution,
        residual_px=np.zeros(0),
        residual_band=np.zeros(0, np.int64),
        rejected=0,
        tie_residual_px=np.zeros((0, 2)),
        ties_rejected=0,
    )
    bare = dataclasses.replace(located, solution=none, limb_points=0, warnings=("NO LIMB",))
    told = through_json(tmp_path, geometry_report(earth_scene.label, bare))
    assert told["limb"] == {
        "points": 0,
        "rejected": 0,
        "residual_median_px": None,
        "residual_p95_px": None,
        "residual_median_px_by_band": {},
    }
    assert told["ties"] == {"ties": 0, "rejected": 0, "residual_median_px": None, "residual_p95_px": None}
    assert told["warnings"] == ["NO LIMB"]


def test_a_view_can_be_made_again_from_its_report(tmp_path: Path, earth_scene: Any) -> None:
    for view in (spacecraft_view(earth_scene.pointing, 100), orthographic_view(earth_scene.pointing, size=100)):
        told = through_json(tmp_path, view_report(view))
        globe = view.projection == "orthographic"
        y, x = 20, 60
        right, down = (x + 0.5 - told["centre_px"][0]), (y + 0.5 - told["centre_px"][1])
        scale = told["scale_km_per_px" if globe else "scale_rad_per_px"]
        axes, origin = np.array(told["axes_right_down_forward"]), np.array(told["origin_km"])
        across = scale * (right * axes[0] + down * axes[1])
        start, ray = (origin + across, axes[2]) if globe else (origin, axes[2] + across)
        # The pixel's point lies on the line that the report describes.
        point = view.ground(slice(y, y + 1))[0, x]
        away = np.linalg.norm(np.cross(point - start, ray)) / np.linalg.norm(ray)
        assert away < 1e-3
