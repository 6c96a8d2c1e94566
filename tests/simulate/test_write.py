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
from perijove.simulate.flyby import Flyby, Programme, plan_flyby
from perijove.simulate.planet import EPOCH_SPAN_S, Planet, Region
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


@pytest.fixture(scope="module")
def programmed(standin: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """One summed image through each combination of filters, as PDS3 EDR and as the mission's PNG."""
    flyby = plan_flyby(43, 7, 5, programme=Programme("CAMBGRT", 2))
    images: dict[str, Any] = {"flyby": flyby}
    for kind in ("mission", "edr", "rdr"):
        folder = tmp_path_factory.mktemp(kind)
        images[kind] = simulate_flyby(
            folder, flyby=flyby, seed=5, era="pj30", format=kind, planet=standin.StandIn(), kernels=False
        )["images"]
    return images


@pytest.mark.parametrize("index", range(7))
def test_summed_images_of_all_filters(index: int, programmed: dict[str, Any]) -> None:
    label = programmed["flyby"].images[index].label
    mission, edr, rdr = (read_framelets(programmed[kind][index]) for kind in ("mission", "edr", "rdr"))
    assert mission.label == label
    assert mission.dn.shape == (label.frames, len(label.bands), 64, 816)
    assert np.array_equal(mission.dn, edr.dn)
    assert np.array_equal(rdr.dn, reflectance(mission.dn, label))
    # Columns up to 22 and from 1631 on are dark: a count of dark level and the noise. The planet is between them.
    lit = decompand(mission.dn, "SQROOT")[:, -1].max(axis=(0, 1))
    assert lit[:11].max() < 8 < 100 < lit[12:815].max()


def test_a_summed_image_is_located(programmed: dict[str, Any]) -> None:
    image = perijove.open(programmed["mission"][0])
    errors = ground_error_px(image.located.solution.pointing, programmed["flyby"].images[0].pointing)
    assert np.median(errors) < 0.3


def test_no_jump_within_a_pass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The planet that a flyby sees by default keeps one epoch, also where two days of the usual epochs meet."""
    taken: list[Planet] = []

    def blank(planet: Planet, pointing: Any, bands: Any, lines: int, samples: int) -> np.ndarray:
        taken.append(planet)
        return np.zeros((pointing.frames, len(bands), lines, samples), np.float32)

    monkeypatch.setattr("perijove.simulate.write.render", blank)
    flyby = plan_flyby(43, 1, seed=5)
    simulate_flyby(tmp_path, flyby=flyby, seed=5, kernels=False)
    # Wherever a boundary lies: a planet without an epoch does jump there, this one does not.
    boundary = EPOCH_SPAN_S * np.ceil(flyby.perijove_et / EPOCH_SPAN_S)
    region = Region(20.0, 10.0, 120.0, 110.0)

    def change(planet: Planet) -> float:
        before, after = (planet.albedo_map(("RED",), boundary + s, 5.0, region) for s in (-0.5, 0.5))
        return float(np.abs(after - before).max())

    # In a second the fastest jet moves 150 m, a thousandth of a pixel.
    assert change(taken[0]) < 1e-3 < 1e-2 < change(Planet(5))
    assert taken[0].epoch_of(0.0) == flyby.perijove_et


def test_unknown_format(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="there is no format 'fits'"):
        simulate_flyby(tmp_path / "new", format="fits")  # type: ignore[arg-type]
    assert not (tmp_path / "new").exists()
