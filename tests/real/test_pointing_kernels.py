"""Kernels from our pointing, used by SPICE with the mission's frames, instrument, clock and planet kernels."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from perijove.geometry.kernels import KernelFolder
from perijove.products.kernels import ImagePointing, write_pointing_kernels
from perijove.simulate.flyby import Flyby, plan_flyby
from perijove.simulate.kernels import write_kernels

NUMBERS = {"BLUE": -61501, "GREEN": -61502, "RED": -61503, "METHANE": -61504}
PIXEL_RAD = 0.0074 / 10.95637


@pytest.fixture(scope="module")
def flyby() -> Flyby:
    """Four images whose start, frame delay, mounting and optical axis depart from what the labels and kernels say."""
    return plan_flyby(44, 4, seed=0)


@pytest.fixture
def ours(flyby: Flyby, real_data: Path, tmp_path: Path) -> list[Path]:
    images = [ImagePointing.of(image.label, image.pointing) for image in flyby.images]
    folder = real_data / "spice"
    clock = KernelFolder((folder / "naif0012.tls",), (folder / "jno_sclkscet_00090.tsc",), (), ())
    return write_pointing_kernels(tmp_path / "ours", images, clock=clock)


@pytest.fixture
def spice(flyby: Flyby, ours: list[Path], real_data: Path, tmp_path: Path) -> Iterator[Any]:
    """SPICE with the mission's kernels, the planets, and our CK and SPK."""
    import spiceypy

    spiceypy.kclear()
    folder = real_data / "spice"
    names = ("naif0012.tls", "jno_sclkscet_00090.tsc", "pck00010.tpc", "juno_v12.tf", "juno_junocam_v03.ti")
    planets = write_kernels(tmp_path / "planets", flyby)[2]
    spiceypy.furnsh([str(path) for path in (*(folder / name for name in names), planets, *ours[:2])])
    yield spiceypy
    spiceypy.kclear()


def direction(spice: Any, band: str, x: float, y: float) -> np.ndarray:
    """The instrument kernel's recipe, with what is in the pool."""
    cx, cy, k1, k2, focal, pitch = (
        spice.gdpool(f"INS{NUMBERS[band]}_{key}", 0, 1)[0]
        for key in ("DISTORTION_X", "DISTORTION_Y", "DISTORTION_K1", "DISTORTION_K2", "FOCAL_LENGTH", "PIXEL_SIZE")
    )
    xd, yd = x - cx, y - cy
    for _ in range(5):
        r2 = xd**2 + yd**2
        dr = 1 + k1 * r2 + k2 * r2 * r2
        xd, yd = (x - cx) / dr, (y - cy) / dr
    return np.array([xd, yd, focal / pitch])


def start(spice: Any, label: Any) -> float:
    """Middle of the first exposure, as readers of the instrument kernel compute it."""
    return float(spice.str2et(label.start_time) + 0.06188 + label.exposure_s / 2)


def camera_kernel(ours: list[Path], image: Any) -> Path:
    """The text kernel of an image: that of colour or of methane."""
    (path,) = [p for p in ours if p.suffix == ".ti" and ("M000" in p.name) == (image.label.bands == ("METHANE",))]
    return path


def misses_px(spice: Any, image: Any, seed: int) -> dict[str, np.ndarray]:
    """By band: how far SPICE's ground points are from ours, across the line of sight."""
    pointing, label = image.pointing, image.label
    rng = np.random.default_rng(seed)
    out = {}
    for band in label.bands:
        frame = rng.integers(0, pointing.frames, 150)
        x, y = rng.uniform(23.5, 1630.5, 150), rng.uniform(0.5, 127.5, 150)
        ground = pointing.ground(band, frame, x, y)
        errors = []
        for i in np.flatnonzero(np.isfinite(ground[:, 0])):
            et = start(spice, label) + int(frame[i]) * (label.interframe_delay_s + 0.001)
            look = direction(spice, band, x[i], y[i])
            try:
                point, _, sight = spice.sincpt(
                    "ELLIPSOID", "JUPITER", et, "IAU_JUPITER", "CN+S", "JUNO", "JUNO_JUNOCAM", look
                )
            except spice.exceptions.NotFoundError:
                continue
            normal = point / np.array([71492.0, 71492.0, 66854.0]) ** 2
            if -normal @ sight / np.linalg.norm(normal) / np.linalg.norm(sight) < 0.1:
                continue
            way = np.linalg.norm(sight)
            errors.append(np.linalg.norm(np.cross(ground[i] - point, sight / way)) / way / PIXEL_RAD)
        out[band] = np.array(errors)
    return out


@pytest.mark.parametrize("index", range(4))
def test_ground_against_sincpt(index: int, flyby: Flyby, spice: Any, ours: list[Path]) -> None:
    image = flyby.images[index]
    without = misses_px(spice, image, index)
    camera = camera_kernel(ours, image)
    spice.furnsh(str(camera))
    found = misses_px(spice, image, index)
    assert sum(map(len, found.values())) > 20
    for band, errors in found.items():
        # Seven digits of the frames kernel: 1e-7 rad are 1.5e-4 px.
        assert errors.max() < 0.001, band
        # Without the camera's kernel: what its comments say of the framelet at most.
        (said,) = [row for row in map(str.split, camera.read_text().splitlines()) if row[:1] == [band]]
        assert 0.5 * float(said[1]) < without[band].max() < float(said[2]) + 0.02


def test_the_frame_is_the_solved_camera(flyby: Flyby, spice: Any) -> None:
    """Without the camera's kernel, frame by frame."""
    for image in flyby.images:
        # Rows as they are numbered: the frame is turned with those of TDI.
        label, pointing = image.label, ImagePointing.of(image.label, image.pointing).pointing
        for frame in (0, pointing.frames // 2, pointing.frames - 1):
            et = start(spice, label) + frame * (label.interframe_delay_s + 0.001)
            to_jupiter = spice.pxform("JUNO_JUNOCAM", "IAU_JUPITER", et)
            # The frames kernel's seven digits.
            np.testing.assert_allclose(to_jupiter, pointing.camera_from_jupiter[frame].T, rtol=0, atol=3e-7)
            position = spice.spkpos("JUNO", et, "IAU_JUPITER", "NONE", "JUPITER")[0]
            np.testing.assert_allclose(
                position, pointing.position_fixed_km[frame], rtol=0, atol=1e-3 + 0.06 * 2e-7 * 1e3
            )


def test_spin_rate(flyby: Flyby, spice: Any) -> None:
    image = flyby.images[0]
    et = start(spice, image.label) + 1.0
    ticks = spice.sce2c(-61, et)
    rate = spice.ckgpav(-61000, ticks, 0.0, "J2000")[1]
    # A nutation of 1e-5 rad at 1.6 times the spin, and a frame delay off by 1e-4 of itself.
    np.testing.assert_allclose(rate, flyby.spin.rate_rad_s * flyby.spin.axis, rtol=0, atol=5e-5)


def test_fields_of_view(flyby: Flyby, spice: Any, ours: list[Path]) -> None:
    """SPICE's own reader of instruments finds the boresight where the recipe has it."""
    spice.furnsh(str(ours[2]))
    for band, number in NUMBERS.items():
        shape, frame, boresight, _, corners = spice.getfov(number, 16)
        assert (shape, frame) == ("RECTANGLE", "JUNO_JUNOCAM")
        expected = direction(spice, band, 827.0, 64.0)
        np.testing.assert_allclose(boresight, expected / np.linalg.norm(expected), rtol=0, atol=1e-8)
        expected = direction(spice, band, 1630.5, 127.5)
        np.testing.assert_allclose(corners[2], expected / np.linalg.norm(expected), rtol=0, atol=1e-8)
    assert len(spice.getfov(-61500, 16)[4]) == 16
