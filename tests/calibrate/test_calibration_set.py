from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile

from perijove.calibrate.calibration_set import load_calibration
from perijove.errors import CalibrationError

NAMES = ("BLUE", "GREEN", "RED")


def _vignetting() -> np.ndarray:
    return 1.0 - 0.2 * ((np.arange(1648) - 814.0) / 814.0) ** 2


def _stacked(folder: Path, dust: tuple[int, int, float] | None = None) -> None:
    plane = np.empty((3, 128, 1648), np.float32)
    for index, level in enumerate((0.1, 0.25, 0.3)):
        plane[index] = level * _vignetting()
    plane[:, :, 22] = 0.001
    if dust:
        line, sample, depth = dust
        plane[1, line - 2 : line + 3, sample - 2 : sample + 3] *= depth
    tifffile.imwrite(folder / "flatFieldsSmooth12to16.tiff", plane.reshape(384, 1648))


def _singles(folder: Path) -> None:
    rng = np.random.default_rng(5)
    for index in range(3):
        noisy = 47000.0 * _vignetting() * (1.0 + 0.005 * rng.normal(size=(128, 1648)))
        cv2.imwrite(str(folder / f"junocam_rgb_flatfield_v3_{index}.png"), noisy.astype(np.uint16))


def test_flat_is_relative_to_each_band(tmp_path: Path) -> None:
    _stacked(tmp_path)
    calibration = load_calibration(tmp_path)
    expected = _vignetting()[23:1631]
    low, high = np.percentile(expected, (5, 95))
    expected = expected / expected[(expected >= low) & (expected <= high)].mean()
    for band in NAMES:
        np.testing.assert_allclose(calibration.flat[band][64, 23:1631], expected, rtol=1e-4)
        assert (calibration.flat[band][:, :23] == 1.0).all()
        assert not calibration.bad_pixel[band].any()


def test_noise_of_a_flat_is_not_passed_on(tmp_path: Path) -> None:
    (tmp_path / "pj28").mkdir()
    _singles(tmp_path / "pj28")
    flat = load_calibration(tmp_path).flat["RED"][20:108, 100:1500]
    shape = _vignetting()[100:1500]
    # 0.5 % of noise over a median of 25 and a Gaussian of 8 px (400 pixels) leaves less than 0.05 %.
    assert (flat / shape).std() / (flat / shape).mean() < 5e-4


def test_dust_of_one_flat_and_slope_of_the_other(tmp_path: Path) -> None:
    _singles(tmp_path)
    _stacked(tmp_path, dust=(60, 700, 0.7))
    calibration = load_calibration(tmp_path)
    flat = calibration.flat["GREEN"]
    # The noise of the other flat is smoothed to 0.05 %, that of its own surroundings in 8 bits to 0.5 %.
    assert flat[60, 700] / flat[60, 720] == pytest.approx(0.7, abs=0.01)
    assert calibration.flat["RED"][60, 700] / calibration.flat["RED"][60, 720] == pytest.approx(1.0, abs=0.01)
    assert not calibration.bad_pixel["GREEN"].any()


def test_opaque_dust_is_bad(tmp_path: Path) -> None:
    _stacked(tmp_path, dust=(60, 700, 0.1))
    calibration = load_calibration(tmp_path)
    assert calibration.bad_pixel["GREEN"].sum() == 25
    assert (calibration.flat["GREEN"][58:63, 698:703] == 1.0).all()


def test_mask_yields_to_a_known_response(tmp_path: Path) -> None:
    mask = np.full((384, 1648), 255, np.uint8)
    mask[128 + 60, 700] = 0
    mask[128 + 10, 300] = 0
    cv2.imwrite(str(tmp_path / "BAD_PIXEL_MASK.png"), mask)
    assert load_calibration(tmp_path).bad_pixel["GREEN"].sum() == 2
    _stacked(tmp_path, dust=(60, 700, 0.7))
    assert np.argwhere(load_calibration(tmp_path).bad_pixel["GREEN"]).tolist() == [[10, 300]]


def test_dark_is_in_counts(tmp_path: Path) -> None:
    dark = np.zeros((128, 1648), np.uint16)
    dark[3, 400] = 65535
    tifffile.imwrite(tmp_path / "junocam_dark_pj28_v1_red.tif", dark)
    calibration = load_calibration(tmp_path)
    assert set(calibration.dark) == {"RED"}
    assert calibration.dark["RED"][3, 400] == pytest.approx(2879.0)


def test_planes_cannot_be_changed(tmp_path: Path) -> None:
    _stacked(tmp_path)
    calibration = load_calibration(tmp_path)
    with pytest.raises(ValueError, match="read-only"):
        calibration.flat["RED"][0, 0] = 2.0
    with pytest.raises(TypeError):
        calibration.flat["RED"] = calibration.flat["BLUE"]  # type: ignore[index]


def test_nothing_usable(tmp_path: Path) -> None:
    with pytest.raises(CalibrationError, match="holds none of"):
        load_calibration(tmp_path)
    with pytest.raises(CalibrationError, match="does not exist"):
        load_calibration(tmp_path / "away")


def test_wrong_shape(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "flatFieldsSmooth12to16.tiff", np.ones((384, 1600), np.float32))
    with pytest.raises(CalibrationError, match=r"\(384, 1600\)"):
        load_calibration(tmp_path)


@pytest.mark.parametrize("name", ["BAD_PIXEL_MASK.png", "flatFieldsSmooth12to16.tiff"])
def test_damaged_file(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"not an image")
    with pytest.raises(CalibrationError, match=name):
        load_calibration(tmp_path)


def test_not_finite(tmp_path: Path) -> None:
    plane = np.ones((384, 1648), np.float32)
    plane[5, 5] = np.nan
    tifffile.imwrite(tmp_path / "debias18.tiff", plane)
    with pytest.raises(CalibrationError, match="not finite"):
        load_calibration(tmp_path)
