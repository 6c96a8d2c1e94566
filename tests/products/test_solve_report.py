"""Reports of passes: what kernels said before, and how good what was solved is."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from perijove.constants import FOCAL_LENGTH_PX
from perijove.geometry.kernels import KernelFolder
from perijove.geometry.rotation import rotation_about
from perijove.products.kernels import ImagePointing, write_pointing_kernels
from perijove.products.solve_report import accuracy_told, kernel_difference
from perijove.simulate.flyby import SimulatedImage, plan_flyby


@pytest.fixture(scope="module")
def image() -> SimulatedImage:
    return plan_flyby(44, 1, seed=0).images[0]


def test_difference_to_the_missions_kernels(image: SimulatedImage, tmp_path: Path) -> None:
    """Kernels of the true times, under names as the mission's; the solution is moved and turned against them."""
    truth = image.pointing
    write_pointing_kernels(tmp_path, [ImagePointing(image.label, truth.et, truth)])
    for path in list(tmp_path.glob("perijove_pj44*.b*")):
        path.rename(path.with_name(f"juno_rec{path.suffix}"))
    kernels = KernelFolder.find(tmp_path)

    k = truth.mid_frame
    radial = truth.position_km[k] / np.linalg.norm(truth.position_km[k])
    normal = np.cross(radial, truth.velocity_km_s[k])
    normal /= np.linalg.norm(normal)
    moved = 3.0 * radial + 12.0 * np.cross(normal, radial) - 4.0 * normal
    turn = rotation_about("y", 1e-3) @ rotation_about("z", np.radians(0.2))
    solved = dataclasses.replace(
        truth, position_km=truth.position_km + moved, camera_to_j2000=truth.camera_to_j2000 @ turn
    )
    found = kernel_difference(image.label, solved, kernels)
    trajectory, attitude = found["trajectory"], found["attitude"]
    assert trajectory["source"] == "juno_rec.bsp"
    # Kernels hold the positions to a metre.
    assert trajectory["radial_km"] == pytest.approx(3.0, abs=2e-3)
    assert trajectory["along_track_km"] == pytest.approx(12.0, abs=2e-3)
    assert trajectory["normal_km"] == pytest.approx(-4.0, abs=2e-3)
    assert trajectory["distance_km"] == pytest.approx(13.0, abs=2e-3)
    assert attitude["source"] == "juno_rec.bc"
    # The frames kernel's seven digits are 3e-4 px.
    pixel = 1e-3 * FOCAL_LENGTH_PX / image.label.sampling_factor
    assert attitude["boresight_px"] == pytest.approx(pixel, abs=1e-3)
    assert attitude["about_boresight_deg"] == pytest.approx(0.2, abs=1e-4)


def test_no_difference_to_our_own_kernels(image: SimulatedImage, tmp_path: Path) -> None:
    write_pointing_kernels(tmp_path, [ImagePointing.of(image.label, image.pointing)])
    found = kernel_difference(image.label, image.pointing, KernelFolder.find(tmp_path))
    assert found["trajectory"]["source"].startswith("perijove_pj44")
    assert found["trajectory"]["distance_km"] < 1e-3
    assert found["attitude"]["boresight_px"] < 1e-3
    assert abs(found["attitude"]["about_boresight_deg"]) < 1e-4


def test_kernels_that_do_not_cover_the_image(image: SimulatedImage, tmp_path: Path) -> None:
    write_pointing_kernels(tmp_path, [ImagePointing.of(image.label, image.pointing)])
    later = dataclasses.replace(image.pointing, et=image.pointing.et + 86400.0)
    found = kernel_difference(image.label, later, KernelFolder.find(tmp_path))
    assert found == {"trajectory": None, "attitude": None}


def test_accuracy_in_words() -> None:
    images = [
        {
            "product": "JNCE_2022229_44C00001_V01",
            "position_error": {"median_km": 12.345, "p95_km": 40.0, "median_px": 0.1},
            "limb": {"residual_median_px": 0.25},
            "ties": {"residual_median_px": 0.125},
        },
        {
            "product": "JNCE_2022229_44C00002_V01",
            "position_error": None,
            "limb": {"residual_median_px": None},
            "ties": {"residual_median_px": None},
        },
    ]
    told = accuracy_told({"images": json.loads(json.dumps(images))})
    assert told[-2].split() == ["JNCE_2022229_44C00001_V01", "12.35", "0.100", "0.250", "0.125"]
    assert told[-1].split() == ["JNCE_2022229_44C00002_V01", "-", "-", "-", "-"]
    assert all(line.isascii() for line in told)
