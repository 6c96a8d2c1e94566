"""A simulated flyby on disk: read by the archive room, located by the whole way."""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import perijove
from perijove.archive.framelets import read_framelets
from perijove.calibrate.decompand import decompand
from perijove.calibrate.radiance import new_camera_white_dn
from perijove.errors import OptionError
from perijove.simulate.detector import expose
from perijove.simulate.era import ERAS
from perijove.simulate.flyby import Flyby
from perijove.simulate.truth import ground_error_px
from perijove.simulate.write import reflectance, simulate_flyby


@pytest.fixture(scope="module")
def written(alone: Flyby, standin: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("flyby")
    return simulate_flyby(folder, flyby=alone, seed=5, era="pj30", planet=standin.StandIn())


def test_mission_set(written: dict[str, Any], alone: Flyby, light: np.ndarray) -> None:
    (path,) = written["images"]
    stack = read_framelets(path)
    assert stack.label == alone.images[0].label
    exposure = expose(light, stack.label, alone.spin.rate_rad_s, ERAS["pj30"], 5)
    assert np.array_equal(stack.dn, exposure.codes)
    assert sorted(p.name for p in path.parent.iterdir()) == sorted(
        ["43020-Metadata.json", path.name, "kernels", "truth.json"]
    )


@pytest.mark.parametrize("kind", ["edr", "rdr"])
def test_pds3(kind: Any, written: dict[str, Any], alone: Flyby, standin: Any, tmp_path: Path) -> None:
    again = simulate_flyby(
        tmp_path, flyby=alone, seed=5, era="pj30", format=kind, planet=standin.StandIn(), kernels=False
    )
    assert not again["kernels"]
    (path,) = again["images"]
    codes = read_framelets(written["images"][0]).dn
    for given in (path, path.with_suffix(".LBL")):
        stack = read_framelets(given)
        label = alone.images[0].label
        if kind == "edr":
            assert np.array_equal(stack.dn, codes)
            continue
        assert stack.label.pixel_scale == "reflectance"
        assert np.array_equal(stack.dn, reflectance(codes, label))
        for index, band in enumerate(label.bands):
            white = new_camera_white_dn(band, label.exposure_s, label.solar_distance_km)
            counts = decompand(np.ascontiguousarray(codes[:, index]), "SQROOT")
            np.testing.assert_allclose(stack.dn[:, index] / 10000.0, counts / white, atol=1e-4)


def test_truth(written: dict[str, Any], alone: Flyby) -> None:
    from scipy.spatial.transform import Rotation

    truth = json.loads(written["truth"].read_text())
    (image,) = truth["images"]
    pointing = alone.images[0].pointing
    assert image["et"] == pointing.et.tolist()
    assert image["file"] == written["images"][0].name
    quaternions = np.array(image["spacecraft_to_j2000_quaternions_wxyz"])
    to_j2000 = Rotation.from_quat(quaternions, scalar_first=True).as_matrix()
    np.testing.assert_allclose(to_j2000, alone.images[0].spacecraft_to_j2000, atol=1e-12)
    assert truth["spin"]["rate_rad_s"] == alone.spin.rate_rad_s
    assert truth["mounting"]["principal_row_px"] == alone.mounting.principal_row_px
    assert image["hot_pixels"] > 0


def test_from_the_raw_image_to_the_truth(written: dict[str, Any], alone: Flyby) -> None:
    image = perijove.open(written["images"][0])
    view = image.view(400)
    assert np.isfinite(view.values).mean() > 0.2
    errors = ground_error_px(image.located.solution.pointing, alone.images[0].pointing)
    # Without kernels, from the label and the limb alone.
    assert np.median(errors) < 0.3


def test_with_its_kernels(written: dict[str, Any], alone: Flyby) -> None:
    image = perijove.open(written["images"][0], kernels=written["truth"].parent / "kernels")
    assert image.located.attitude_source.startswith("simulated_juno_rec")
    errors = ground_error_px(image.located.solution.pointing, alone.images[0].pointing)
    assert np.median(errors) < 0.3


def test_the_same_seed_gives_the_same_bytes(
    written: dict[str, Any], alone: Flyby, standin: Any, tmp_path: Path
) -> None:
    told: list[str] = []
    again = simulate_flyby(tmp_path, flyby=alone, seed=5, era="pj30", planet=standin.StandIn(), progress=told.append)

    def digest(path: Path) -> str:
        return hashlib.sha256(path.read_bytes()).hexdigest()

    assert digest(again["images"][0]) == digest(written["images"][0])
    assert digest(again["truth"]) == digest(written["truth"])
    assert told[0] == f"simulating {alone.images[0].label.product_id}"


def test_unknown_format(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="there is no format 'fits'"):
        simulate_flyby(tmp_path / "new", format="fits")  # type: ignore[arg-type]
    assert not (tmp_path / "new").exists()
