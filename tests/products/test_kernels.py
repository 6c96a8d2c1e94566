"""Solved pointing written as kernels, read as any others."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from perijove import __version__
from perijove.errors import OptionError
from perijove.geometry.attitude import attitude_from_kernels
from perijove.geometry.camera import Camera, spacecraft_to_camera
from perijove.geometry.ephemeris import frame_times, trajectory_from_kernels
from perijove.geometry.kernels import KernelFolder, read_attitude, read_states
from perijove.geometry.orientation import j2000_to_jupiter
from perijove.geometry.rotation import rotation_about
from perijove.products.kernels import ImagePointing, write_pointing_kernels
from perijove.simulate.flyby import Flyby, Mounting, plan_flyby
from perijove.simulate.kernels import write_kernels


@pytest.fixture(scope="module")
def flyby() -> Flyby:
    """Four images of perijove 44, the last one methane."""
    return plan_flyby(44, 4, seed=0)


@pytest.fixture(scope="module")
def images(flyby: Flyby) -> list[ImagePointing]:
    return [ImagePointing.of(image.label, image.pointing) for image in flyby.images]


@pytest.fixture
def spice() -> Iterator[Any]:
    import spiceypy

    spiceypy.kclear()
    yield spiceypy
    spiceypy.kclear()


def with_rows(image: ImagePointing, rows: float) -> ImagePointing:
    """The same with its optical axis so many rows further on."""
    cameras = {band: camera.with_principal_row(rows) for band, camera in image.pointing.cameras.items()}
    return dataclasses.replace(image, pointing=dataclasses.replace(image.pointing, cameras=cameras))


def moved(image: ImagePointing, seconds: float) -> ImagePointing:
    """An image that was taken so many seconds later, with the pointing it had."""
    pointing = dataclasses.replace(image.pointing, et=image.pointing.et + seconds)
    product = dataclasses.replace(image.label.product_id, number=90)
    label = dataclasses.replace(image.label, product_id=product)
    return ImagePointing(label, image.nominal_et + seconds, pointing)


def assert_same_geometry(folder: KernelFolder, image: ImagePointing) -> None:
    """The body-fixed geometry of the frames, to 1e-9 rad (2e-7 with the frames kernel's digits) and a metre."""
    pointing, et = image.pointing, image.nominal_et
    states, attitude = read_states(folder, et), read_attitude(folder, et)
    assert states is not None
    assert attitude is not None
    fixed = j2000_to_jupiter(et)
    found = np.einsum("nij,nj->ni", fixed, states[0])
    np.testing.assert_allclose(found, pointing.position_fixed_km, rtol=0, atol=1e-3)
    camera = fixed @ attitude[0] @ spacecraft_to_camera().T
    np.testing.assert_allclose(camera, np.swapaxes(pointing.camera_from_jupiter, 1, 2), rtol=0, atol=2e-7)
    # The velocity makes the aberration: 1e-3 km/s are 5e-6 px; the error of the frame delay takes part in it.
    velocity = np.einsum("nij,nj->ni", fixed, states[1])
    true = np.einsum("nij,nj->ni", pointing.jupiter_from_j2000, pointing.velocity_km_s)
    np.testing.assert_allclose(velocity, true, rtol=0, atol=0.02)


def test_round_trip_with_our_own_clock(images: list[ImagePointing], tmp_path: Path) -> None:
    written = write_pointing_kernels(tmp_path, images)
    assert [path.name for path in written] == [
        "perijove_leapseconds.tls",
        "perijove_clock.tsc",
        "perijove_pj44_44C00020-44M00023.bc",
        "perijove_pj44_44C00020-44M00023.bsp",
        # Methane has more stages: its rows were elsewhere at mid-exposure.
        "perijove_pj44_44C00020-44C00022.ti",
        "perijove_pj44_44M00023.ti",
    ]
    assert sorted(tmp_path.iterdir()) == sorted(written)
    folder = KernelFolder.find(tmp_path)
    for image in images:
        assert_same_geometry(folder, image)
        attitude = attitude_from_kernels(folder, image.nominal_et)
        assert attitude is not None
        assert attitude.source == "perijove_pj44_44C00020-44M00023.bc"
        trajectory = trajectory_from_kernels(image.label, folder)
        assert trajectory is not None
        # Within the rounding of the label and what its start is off.
        assert abs(trajectory.label_offset_s) < 0.08
    gap = np.array([(images[0].nominal_et[-1] + images[1].nominal_et[0]) / 2])
    assert attitude_from_kernels(folder, gap) is None


def test_the_spacecraft_of_a_camera_that_is_mounted_as_published(tmp_path: Path) -> None:
    flyby = plan_flyby(44, 1, seed=3, mounting=Mounting(0.0, 0.0, -28.0))
    image = flyby.images[0]
    write_pointing_kernels(tmp_path, [ImagePointing.of(image.label, image.pointing)])
    folder = KernelFolder.find(tmp_path)
    nominal = frame_times(image.label)
    read = read_attitude(folder, nominal)
    assert read is not None
    # (Within 2e-7 rad: the scales of the bands differ, and with them by what half a row turns.)
    # With two stages the row on the boresight was half a row elsewhere at mid-exposure: the frame is turned by that.
    assert image.label.tdi_stages == 2
    camera = Camera.in_flight("GREEN")
    x, y = camera.pixels([0.0, 0.0, 1.0])
    looks = camera.directions(x, y - 0.5)
    rows = spacecraft_to_camera().T @ rotation_about("x", -np.arctan2(looks[1], looks[2])) @ spacecraft_to_camera()
    turn = np.swapaxes(j2000_to_jupiter(nominal), 1, 2) @ j2000_to_jupiter(image.pointing.et)
    np.testing.assert_allclose(read[0], turn @ image.spacecraft_to_j2000 @ rows, rtol=0, atol=3e-7)
    # Half way, and beyond the ends as far as the interpolation goes.
    step = nominal[1] - nominal[0]
    pace = 1 + image.delay_error_s / step
    for late, tolerance in ((nominal[:-1] + step / 2, 4e-7), (nominal[[0, -1]] + [-2 * step, 2 * step], 2e-6)):
        true = image.pointing.et[0] + pace * (late - nominal[0])
        read = read_attitude(folder, late)
        assert read is not None
        turn = np.swapaxes(j2000_to_jupiter(late), 1, 2) @ j2000_to_jupiter(true)
        # The axis nutates by 1e-5 rad; a double holds the time to 1.2e-7 s.
        np.testing.assert_allclose(read[0], turn @ flyby.spin.attitude(true)[0] @ rows, rtol=0, atol=tolerance)


def test_the_users_clock(flyby: Flyby, images: list[ImagePointing], tmp_path: Path, spice: Any) -> None:
    write_kernels(tmp_path / "mission", flyby, predicted_offset_s=6.0)
    mission = KernelFolder.find(tmp_path / "mission")
    written = write_pointing_kernels(tmp_path / "mission" / "ours", images, clock=mission)
    assert [path.suffix for path in written] == [".bc", ".bsp", ".ti", ".ti"]
    # Beside a prediction, ours is preferred.
    assert_same_geometry(KernelFolder.find(tmp_path / "mission"), images[2])
    assert "simulated.tls and simulated.tsc" in " ".join(comments_of(spice, written[0]))
    alone = KernelFolder.find(tmp_path / "mission" / "ours")
    assert attitude_from_kernels(alone, images[0].nominal_et) is None


def comments_of(spice: Any, path: Path) -> list[str]:
    handle = spice.dafopr(str(path))
    count, lines, _ = spice.dafec(handle, 200, 200)
    spice.dafcls(handle)
    return [line.rstrip() for line in lines[:count]]


def test_kernels_say_what_they_are(images: list[ImagePointing], tmp_path: Path, spice: Any) -> None:
    written = write_pointing_kernels(tmp_path, images[:2], {"Accuracy": ["Limb: 0.06 px in the median."]})
    ck, spk, camera = (written[k] for k in (2, 3, 4))
    for path in (ck, spk):
        said = comments_of(spice, path)
        text = " ".join(said)
        assert f"Made by perijove {__version__}" in text
        assert "not a kernel of the Juno mission" in text
        assert "START_TIME + 0.06188 s" in text
        assert "Limb: 0.06 px" in text
        assert "NASA/JPL-Caltech/SwRI/MSSS" in text
        assert "perijove_clock.tsc" in text
        (row,) = [line.split() for line in said if "44C00021" in line]
        late = images[1].pointing.et - images[1].nominal_et
        # Frames, time since the shutter opened, start error, delay error.
        opening = images[1].label.exposure_s * 500
        expected = [len(late), opening, late[0] * 1e3, (late[-1] - late[0]) / (len(late) - 1) * 1e6]
        assert [float(word) for word in row[2:]] == pytest.approx(expected, abs=0.006)
    said = camera.read_text("ascii").split("\\begindata")[0]
    assert "44C00020" in said
    assert "44C00021" in said
    assert "Limb: 0.06 px" in said
    assert [line.split()[0] for line in said.splitlines() if line.startswith("  ") and "44C" not in line] == [
        "band",
        "METHANE",
        "BLUE",
        "GREEN",
        "RED",
    ]


def test_a_text_kernel_for_each_camera(images: list[ImagePointing], tmp_path: Path) -> None:
    mixed = [images[0], with_rows(images[1], 1.5), images[2], with_rows(images[3], 1e-9)]
    written = write_pointing_kernels(tmp_path, mixed)
    assert [path.name for path in written if path.suffix == ".ti"] == [
        "perijove_pj44_44C00020-44C00022.ti",
        "perijove_pj44_44C00021.ti",
        "perijove_pj44_44M00023.ti",
    ]
    said = [path.read_text("ascii") for path in written if path.suffix == ".ti"]
    assert "44C00021" not in said[0]
    assert "44C00021" in said[1]
    assert "44M00023" in said[2]
    for product in ("44C00020", "44C00022"):
        assert product in said[0]
        assert product not in said[1] + said[2]


def test_neighbours_do_not_speak_for_each_other(images: list[ImagePointing], tmp_path: Path) -> None:
    """Two images nine seconds apart: the margins of the later one end half way."""
    first = images[0]
    length = first.nominal_et[-1] - first.nominal_et[0]
    second = moved(first, length + 9.0)
    # The same position at another time: a trajectory that jumps half way, where no frame is.
    write_pointing_kernels(tmp_path, [second, first])
    folder = KernelFolder.find(tmp_path)
    for image in (first, second):
        assert_same_geometry(folder, image)
        assert trajectory_from_kernels(image.label, folder) is not None


def test_for_readers_of_the_opening_of_the_shutter(flyby: Flyby, tmp_path: Path) -> None:
    methane = flyby.images[3]
    image = ImagePointing.of(methane.label, methane.pointing, "opening")
    assert frame_times(methane.label)[0] - image.nominal_et[0] == pytest.approx(methane.label.exposure_s / 2)
    write_pointing_kernels(tmp_path, [image])
    assert_same_geometry(KernelFolder.find(tmp_path), image)


def test_nothing_to_write(images: list[ImagePointing], tmp_path: Path) -> None:
    other = dataclasses.replace(images[1], label=dataclasses.replace(images[1].label, orbit=43))
    for given, message in (
        ([], "no images"),
        ([images[0], other], "perijoves 43, 44 in one kernel"),
        ([images[0], images[1], images[0]], "44C00020_V01 overlap in time"),
        ([images[0], moved(images[0], 1.0)], "overlap in time"),
    ):
        with pytest.raises(OptionError, match=message):
            write_pointing_kernels(tmp_path, given)
    assert list(tmp_path.iterdir()) == []
