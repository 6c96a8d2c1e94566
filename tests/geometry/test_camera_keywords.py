"""The camera's keywords, used as the instrument kernel's own recipe uses them."""

import numpy as np
import pytest

from perijove.constants import BANDS
from perijove.geometry.camera import Camera
from perijove.geometry.camera_keywords import all_bands, camera_keywords, misfit_px

NUMBERS = {"BLUE": -61501, "GREEN": -61502, "RED": -61503, "METHANE": -61504}


def from_recipe(values: dict, band: str, x: float, y: float) -> np.ndarray:
    """Direction of a pixel by the recipe of the instrument kernel."""
    cx, cy, k1, k2 = (values[f"INS{NUMBERS[band]}_DISTORTION_{key}"] for key in ("X", "Y", "K1", "K2"))
    xd, yd = x - cx, y - cy
    for _ in range(5):
        r2 = xd**2 + yd**2
        dr = 1 + k1 * r2 + k2 * r2 * r2
        xd, yd = (x - cx) / dr, (y - cy) / dr
    v = np.array([xd, yd, values[f"INS{NUMBERS[band]}_FOCAL_LENGTH"] / 0.0074])
    return v / np.linalg.norm(v)


def turned(values: dict) -> np.ndarray:
    """From the keywords' frame to that of the frames kernel: both end in the cube's."""
    a, b = np.radians([values["TKFRAME_-61500_ANGLES"][2], 0.583])
    c, s = np.cos(b - a), np.sin(b - a)
    return np.array([[1, 0, 0], [0, c, -s], [0, s, c]])


def test_keywords_are_the_camera() -> None:
    cameras = all_bands({"GREEN": Camera.for_band("GREEN", 2).with_principal_row(-27.3)})
    values = camera_keywords(cameras)
    assert tuple(values["TKFRAME_-61500_ANGLES"][:2]) == (0.69, -0.469)
    for band in BANDS:
        assert values[f"INS{NUMBERS[band]}_DISTORTION_Y"] == pytest.approx(Camera.for_band(band).cy_px - 27.3, abs=1e-9)
        for x, y in ((23.5, 0.5), (814.0, 64.0), (1630.5, 127.5)):
            found = turned(values) @ from_recipe(values, band, x, y)
            # The focal length of the kernel has seven digits; that of red and blue is scaled.
            np.testing.assert_allclose(found, cameras[band].directions(x, y), rtol=0, atol=1e-9)
    assert values["INS-61500_DISTORTION_Y"] == pytest.approx(78.48 - 27.3)
    assert values["INS-61500_BORESIGHT_LINE"] == pytest.approx(600 - 27.3)


def test_fields_of_view_turn_with_the_frame() -> None:
    values = camera_keywords(all_bands({"RED": Camera.for_band("RED").with_principal_row(-28.0)}))
    outline = ((23.5, 0.5), (23.5, 127.5), (1630.5, 127.5), (1630.5, 0.5))
    for band, number in NUMBERS.items():
        corners = np.reshape(values[f"INS{number}_FOV_BOUNDARY_CORNERS"], (4, 3))
        recipe = [from_recipe(values, band, x, y) for x, y in outline]
        np.testing.assert_allclose(corners, recipe, rtol=0, atol=1e-9)
    assert len(values["INS-61500_FOV_BOUNDARY_CORNERS"]) == 48
    # The pixel that looks along +Z of the frames kernel's frame, in the turned one.
    np.testing.assert_allclose(turned(values) @ values["INS-61500_BORESIGHT"], [0, 0, 1], rtol=0, atol=1e-9)


def test_the_instrument_kernels_own_camera() -> None:
    values = camera_keywords({band: Camera.for_band(band) for band in BANDS})
    assert values["INS-61501_FOCAL_LENGTH"] == pytest.approx(10.95637, abs=1e-6)
    assert tuple(values["TKFRAME_-61500_ANGLES"]) == (0.69, -0.469, 0.583)
    assert values["INS-61500_BORESIGHT"] == [0.0, 0.0, 1.0]
    # Printed in the kernel, with eight digits.
    np.testing.assert_allclose(values["INS-61501_BORESIGHT"], [0.00862523, -0.06371477, 0.99793088], rtol=0, atol=1e-8)
    np.testing.assert_allclose(
        np.reshape(values["INS-61500_FOV_BOUNDARY_CORNERS"], (16, 3))[[0, 8]],
        [[-0.47351727, -0.18862601, 0.86034971], [0.48724863, 0.16654879, 0.85723408]],
        rtol=0,
        atol=1e-8,
    )


@pytest.mark.parametrize("band", ["METHANE", "GREEN"])
def test_a_moved_methane_window(band: str) -> None:
    base = Camera.for_band(band, 1, 405.48 if band == "METHANE" else None)
    values = camera_keywords(all_bands({band: base.with_principal_row(-28.0)}, methane_y_px=405.48))
    assert values["INS-61504_DISTORTION_Y"] == pytest.approx(405.48 - 28.0)
    assert values["INS-61502_DISTORTION_Y"] == pytest.approx(3.48 - 28.0)
    # On the chip the window lies 90 rows higher.
    assert values["INS-61504_FILTER_OFFSET"] == pytest.approx(284.52 - 90.0)


def test_misfit() -> None:
    # Five rounds of the undistortion.
    assert misfit_px(Camera.for_band("RED")).max() < 1e-6
    cameras = {band: Camera.for_band(band).with_principal_row(-28.0) for band in BANDS}
    # In the middle column, h rows from the kernel's axis and g from the moved one: the tangents of two angles do not
    # add up to that of their sum, and the distortion of h is not that of g and of the 28 rows between.
    for band, h, row in (("METHANE", 314.98, 0), ("RED", 279.02, -1)):
        g = h - 28 if band == "METHANE" else h + 28
        tangents = h * g * 28 / 1480.6**2
        radial = [5.9624e-8 * abs(h**3 - g**3), 2.7382e-14 * abs(h**5 - g**5)]
        found = misfit_px(cameras[band])[row, 20]
        assert found == pytest.approx(tangents - radial[0] + radial[1], rel=0.05)
    # The pixel that the kernel has on the boresight is in the first rows of the green band.
    assert misfit_px(cameras["GREEN"])[0, 20] < 0.01
