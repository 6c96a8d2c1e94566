"""The whole room, on framelets of known truth."""

import math
from collections.abc import Callable
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest

from perijove.archive.framelets import FrameletStack
from perijove.calibrate.calibration_set import CalibrationSet
from perijove.calibrate.quality import Quality
from perijove.calibrate.radiance import new_camera_white_dn, white_dn
from perijove.calibrate.stack import calibrate
from perijove.errors import ImageFileError, LabelError

Make = Callable[..., FrameletStack]
Expose = Callable[[np.ndarray, np.random.Generator], np.ndarray]
Encode = Callable[[np.ndarray], np.ndarray]
DISTANCE = 7.4172e8
SHAPE = (6, 1, 128, 1648)


def _scene(reflectance: float = 0.3, band: str = "GREEN", dark: float = 2.0) -> np.ndarray:
    """Counts of an even cloud in front of dark columns."""
    dn = np.full(SHAPE, dark)
    dn[..., 23:1631] += reflectance * white_dn(band, 0.0032, DISTANCE, 44)
    return dn


@pytest.mark.parametrize("band", ["BLUE", "GREEN", "RED"])
def test_i_over_f_of_an_even_cloud(band: str, make_stack: Make, expose: Expose, encode: Encode) -> None:
    codes = encode(expose(_scene(0.3, band), np.random.default_rng(1)))
    result = calibrate(make_stack(codes, bands=(band,)))
    seen = result.i_over_f[result.quality == 0]
    # A code gives the lower end of its interval of up to 16 counts: half of that, of 200 to 500 counts.
    assert np.median(seen) == pytest.approx(0.3, rel=0.025)
    assert abs(float(result.i_over_f[..., 2:21].mean())) * white_dn(band, 0.0032, DISTANCE, 44) < 0.3
    assert result.i_over_f.dtype == np.float32


def test_rdr_reflectance(make_stack: Make) -> None:
    rdr = np.full(SHAPE, 3000, np.uint16)
    rdr[..., :64, :] = 3100
    rdr[..., :23] = rdr[..., 1631:] = 0
    result = calibrate(make_stack(rdr, pixel_scale="reflectance"))
    # White is 10,000 for the camera as launched; green has 1.05 - 0.00787 x 44 of it left. These are made with the
    # table values of codes, upper ends of ranges: with steps of 8 the mean lies 3.5 counts below. Rounding to counts
    # moves by half of one in 1860.
    white = new_camera_white_dn("GREEN", 0.0032, DISTANCE)
    expected = (np.where(np.arange(128) < 64, 0.31, 0.30) - 3.5 / white) / (1.05 - 0.00787 * 44)
    values = np.median(result.i_over_f[0, 0, :, 100:1500], axis=1)
    np.testing.assert_allclose(values, expected, atol=0.6 / white)


def test_defects_are_repaired_and_flagged(make_stack: Make, expose: Expose, encode: Encode) -> None:
    rng = np.random.default_rng(2)
    scene = _scene(0.02)
    scene[:, 0, 30, 200] += 60.0
    scene[2, 0, 70, 900] += 400.0
    result = calibrate(make_stack(encode(expose(scene, rng))))
    hot, hit = result.quality[:, 0, 30, 200], result.quality[2, 0, 70, 900]
    assert (hot & Quality.HOT).all()
    assert (hot & Quality.REPAIRED).all()
    assert hit == Quality.COSMIC | Quality.REPAIRED
    white = white_dn("GREEN", 0.0032, DISTANCE, 44)
    # Shot noise of 90 counts is 2.4 counts; five of them.
    np.testing.assert_allclose(result.i_over_f[:, 0, 30, 200], 0.02, atol=12.0 / white)
    assert result.i_over_f[2, 0, 70, 900] == pytest.approx(0.02, abs=12.0 / white)
    assert any("hit by radiation" in note for note in result.notes)


def test_flat_is_divided_out_as_tdi_smears_it(make_stack: Make, expose: Expose, encode: Encode) -> None:
    response = np.ones((128, 1648), np.float32)
    response[40:48, 500:508] = 0.5
    seen = np.mean([np.roll(response, shift, axis=0) for shift in range(4)], axis=0)
    scene = _scene(0.05)
    scene[..., 23:1631] = 2.0 + (scene[..., 23:1631] - 2.0) * seen[:, 23:1631]
    flat = MappingProxyType({"GREEN": response})
    calibration = CalibrationSet("test", "a mote of dust", flat=flat)
    codes = encode(expose(scene, np.random.default_rng(3)))
    result = calibrate(make_stack(codes, tdi_stages=4), calibration)
    mote = result.i_over_f[:, 0, 38:54, 500:508].mean(axis=(0, 2))
    # 48 pixels of 4 counts of noise, half a step of 4 counts, at half response, on 70 counts of signal.
    np.testing.assert_allclose(mote, 0.05, rtol=0.06)


def test_bad_pixels_are_filled(make_stack: Make, expose: Expose, encode: Encode) -> None:
    scene = _scene(0.3)
    scene[..., 60, 700] = 900.0
    bad = np.zeros((128, 1648), bool)
    bad[60, 700] = True
    calibration = CalibrationSet("test", "one pixel", bad_pixel=MappingProxyType({"GREEN": bad}))
    result = calibrate(make_stack(encode(expose(scene, np.random.default_rng(4)))), calibration)
    assert (result.quality[:, 0, 60, 700] & (Quality.HOT | Quality.REPAIRED)).all()
    np.testing.assert_allclose(result.i_over_f[:, 0, 60, 700], 0.3, rtol=0.03)


def test_saturation(make_stack: Make, expose: Expose, encode: Encode) -> None:
    scene = _scene(0.3)
    scene[..., 23:1631] = np.linspace(0.0, 5000.0, 1608)
    codes = encode(np.minimum(expose(scene, np.random.default_rng(5)), 2500))
    result = calibrate(make_stack(codes))
    clipped = (result.quality[..., 23:1631] & Quality.SATURATED) > 0
    # Codes are 32 counts wide there: the pile of 2500 is the code of 2495.
    level = result.saturation_i_over_f["GREEN"] * white_dn("GREEN", 0.0032, DISTANCE, 44) + 2.0
    assert level == pytest.approx(2495.0, abs=33.0)
    assert clipped[..., 900:].mean() > 0.999
    assert not clipped[..., :700].any()


def test_lost_blocks_and_framelets_are_nan(make_stack: Make, expose: Expose, encode: Encode) -> None:
    codes = encode(expose(_scene(0.3), np.random.default_rng(6)))
    codes[1] = 0
    codes[3, 0, 16:32, 320:336] = 0
    result = calibrate(make_stack(codes))
    assert np.isnan(result.i_over_f[1]).all()
    assert (result.quality[1] & Quality.MISSING).all()
    assert np.isnan(result.i_over_f[3, 0, 16:32, 320:336]).all()
    assert (result.quality[3, 0, 16:32, 320:336] & Quality.BLOCK).all()
    others = np.delete(result.i_over_f, 1, axis=0)
    assert np.isnan(others).sum() == 256
    assert any("without content: 1" in note for note in result.notes)
    assert any("lost compression blocks" in note for note in result.notes)


@pytest.mark.parametrize("samples", [816, 824])
def test_summed_images(samples: int, make_stack: Make, expose: Expose, encode: Encode) -> None:
    scene = _scene(0.3)[:, :, ::2, ::2][..., :samples]
    flat = MappingProxyType({"GREEN": np.ones((128, 1648), np.float32)})
    codes = encode(expose(scene, np.random.default_rng(7)))
    result = calibrate(make_stack(codes, sampling_factor=2), CalibrationSet("test", "even", flat=flat))
    assert result.i_over_f.shape == (6, 1, 64, samples)
    assert np.median(result.i_over_f[result.quality == 0]) == pytest.approx(0.3, rel=0.025)


def test_few_frames_say_so(make_stack: Make, expose: Expose, encode: Encode) -> None:
    dark = np.zeros((128, 1648), np.float32)
    dark[50, 800] = 40.0
    calibration = CalibrationSet("test", "a dark", dark=MappingProxyType({"GREEN": dark}))
    codes = encode(expose(_scene(0.3)[:2], np.random.default_rng(8)))
    result = calibrate(make_stack(codes), calibration)
    assert (result.quality[:, 0, 50, 800] & Quality.HOT).all()
    assert any("too few" in note for note in result.notes)


def test_unknown_distance_is_noted(make_stack: Make, expose: Expose, encode: Encode) -> None:
    codes = encode(expose(_scene(0.3), np.random.default_rng(9)))
    notes = calibrate(make_stack(codes, solar_distance_km=math.nan)).notes
    assert any("5.2 AU" in note for note in notes)


@pytest.mark.parametrize(
    ("changes", "error", "fragment"),
    [
        ({"bit_mode": "CUBE"}, LabelError, "SAMPLE_BIT_MODE_ID"),
        ({"exposure_s": 0.0}, LabelError, "EXPOSURE_DURATION"),
        ({"sampling_factor": 2}, ImageFileError, "shape"),
        ({"bands": ("RED", "GREEN")}, ImageFileError, "shape"),
    ],
)
def test_refused(
    changes: dict[str, Any], error: type[Exception], fragment: str, make_stack: Make, encode: Encode
) -> None:
    codes = encode(_scene() + 60 * (np.arange(1648) % 2))
    with pytest.raises(error, match=fragment):
        calibrate(make_stack(codes, **changes))


def test_an_empty_image_is_refused(make_stack: Make) -> None:
    with pytest.raises(ImageFileError, match="no content"):
        calibrate(make_stack(np.zeros(SHAPE, np.uint8)))


def test_result_cannot_be_changed(make_stack: Make, encode: Encode) -> None:
    result = calibrate(make_stack(encode(_scene() + 60 * (np.arange(1648) % 2))))
    with pytest.raises(ValueError, match="read-only"):
        result.i_over_f[0, 0, 0, 0] = 0.0
    with pytest.raises(ValueError, match="read-only"):
        result.quality[0, 0, 0, 0] = 0
