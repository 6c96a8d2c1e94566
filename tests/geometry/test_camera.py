"""The camera against the corners of the instrument kernel and the matrices of the frames kernel."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perijove.constants import BANDS
from perijove.geometry.camera import MAX_IDEAL_RADIUS_PX, PRINCIPAL_ROW_PX, Camera, spacecraft_to_camera

# Band, x, y, unit vector, by the instrument kernel's recipe; the corners are its FOV_BOUNDARY_CORNERS.
VECTORS = [
    ("METHANE", 814.21, 64.0, (0.00000000, -0.16805517, 0.98577759)),
    ("METHANE", 23.50, 0.5, (-0.47351727, -0.18862601, 0.86034971)),
    ("METHANE", 1630.50, 127.5, (0.49067337, -0.11299511, 0.86398596)),
    ("BLUE", 814.21, 64.0, (0.00000000, -0.06371652, 0.99796804)),
    ("BLUE", 23.50, 0.5, (-0.47934991, -0.09577177, 0.87238262)),
    ("BLUE", 1630.50, 127.5, (0.49346247, -0.01872799, 0.86956544)),
    ("GREEN", 814.21, 64.0, (0.00000000, 0.04085037, 0.99916528)),
    ("GREEN", 23.50, 0.5, (-0.48132762, -0.00181401, 0.87653889)),
    ("GREEN", 1630.50, 127.5, (0.49229026, 0.07479430, 0.86721169)),
    ("RED", 814.21, 64.0, (0.00000000, 0.14443085, 0.98951490)),
    ("RED", 23.50, 0.5, (-0.47949606, 0.09218676, 0.87268845)),
    ("RED", 1630.50, 127.5, (0.48724863, 0.16654879, 0.85723408)),
]
CHIP = {"band": st.sampled_from(BANDS), "x": st.floats(0.0, 1648.0), "y": st.floats(0.0, 128.0)}


@pytest.mark.parametrize(("band", "x", "y", "vector"), VECTORS)
def test_vectors_of_the_instrument_kernel(band: str, x: float, y: float, vector: tuple[float, float, float]) -> None:
    camera = Camera.for_band(band)
    # The kernel prints eight digits.
    np.testing.assert_allclose(camera.directions(x, y), vector, atol=1e-8)
    # The way back is a polynomial. Eight digits of a direction are 1.5e-5 px, five rounds of the way there
    # 1e-6.
    np.testing.assert_allclose(camera.pixels(camera.directions(x, y)), (x, y), rtol=0, atol=1e-6)
    np.testing.assert_allclose(camera.pixels(3.0 * np.array(vector)), (x, y), rtol=0, atol=2e-5)


@given(**CHIP, factor=st.sampled_from((1, 2)), offset=st.sampled_from((0.0, PRINCIPAL_ROW_PX, 40.0)))
def test_round_trip(band: str, x: float, y: float, factor: int, offset: float) -> None:
    camera = Camera.for_band(band, factor).with_principal_row(offset)
    direction = camera.directions(x / factor, y / factor)
    assert np.linalg.norm(direction) == pytest.approx(1.0, abs=1e-14)
    # Five rounds of the inversion leave 6e-7 px at the chip's corner and more beyond it.
    np.testing.assert_allclose(camera.pixels(direction), (x / factor, y / factor), rtol=0, atol=1e-5)


@given(**CHIP)
def test_summed_pixels_are_pairs(band: str, x: float, y: float) -> None:
    np.testing.assert_allclose(
        Camera.for_band(band, 2).directions(x / 2, y / 2), Camera.for_band(band).directions(x, y), atol=1e-15
    )


def test_axes_and_broadcasting() -> None:
    camera = Camera.for_band("GREEN")
    seen = camera.directions(np.arange(1648)[None, :] + 0.5, np.arange(128)[:, None] + 0.5)
    assert seen.shape == (128, 1648, 3)
    assert (np.diff(seen[..., 0], axis=1) > 0).all()
    assert (np.diff(seen[..., 1], axis=0) > 0).all()
    x, y = camera.pixels(seen)
    assert x.shape == y.shape == (128, 1648)


def test_strips_follow_each_other() -> None:
    # Row distances of the strips on the chip: 157, 155, 155 (instrument kernel).
    for first, second, rows in (("METHANE", "BLUE", 157), ("BLUE", "GREEN", 155), ("GREEN", "RED", 155)):
        np.testing.assert_allclose(
            Camera.for_band(first).directions(300.0, 20.0 + rows),
            Camera.for_band(second).directions(300.0, 20.0),
            atol=1e-14,
        )


def test_moved_methane_window() -> None:
    usual, moved = Camera.for_band("METHANE"), Camera.for_band("METHANE", distortion_y_px=405.48)
    np.testing.assert_allclose(moved.directions(100.0, 110.0), usual.directions(100.0, 20.0), atol=1e-14)
    turn = np.arctan2(*usual.directions(814.21, 64.0)[1:]) - np.arctan2(*moved.directions(814.21, 64.0)[1:])
    # 90 rows of 0.675 mrad, which shrink with the square of the cosine 12 degrees off the boresight; the
    # distortion adds 2 %.
    assert turn == pytest.approx(90 / 1480.59 * np.cos(np.radians(12)) ** 2, rel=0.03)


@pytest.mark.parametrize("direction", [(0, 0, -1), (0.1, 0.1, -1), (1, 0, 0), (0, 0, 0), (np.nan, 0, 1)])
def test_nothing_is_seen_behind(direction: tuple[float, float, float]) -> None:
    assert np.isnan(Camera.for_band("RED").pixels(direction)).all()


def test_nothing_is_seen_far_off_the_chip() -> None:
    camera = Camera.for_band("BLUE")
    inside, outside = MAX_IDEAL_RADIUS_PX - 0.1, MAX_IDEAL_RADIUS_PX + 0.1
    for x, y in ((1, 0), (-0.6, 0.8), (0, -1)):
        assert np.isfinite(camera.pixels((inside * x, inside * y, camera.focal_length_px))).all()
        assert np.isnan(camera.pixels((outside * x, outside * y, camera.focal_length_px))).all()
    assert np.isnan(camera.pixels((1.0, 1.0, 1e-300))).all()


@pytest.mark.parametrize("factor", [1, 2])
@pytest.mark.parametrize("band", BANDS)
def test_principal_row_keeps_the_boresight(band: str, factor: int) -> None:
    kernel = Camera.for_band(band, factor)
    x, y = kernel.cx_px / factor, kernel.cy_px / factor
    np.testing.assert_allclose(kernel.directions(x, y), (0, 0, 1), atol=1e-15)
    for offset in (PRINCIPAL_ROW_PX, -5.0, 30.0):
        moved = kernel.with_principal_row(offset)
        assert moved.cy_px == kernel.cy_px + offset
        # 1e-9 rad is a millionth of a pixel.
        np.testing.assert_allclose(moved.directions(x, y), (0, 0, 1), atol=1e-9)
        np.testing.assert_allclose(moved.pixels((0, 0, 1)), (x, y), rtol=0, atol=1e-6)
    assert kernel.with_principal_row(0.0).tilt_rad == pytest.approx(0.0, abs=1e-15)


@given(first=st.floats(-40, 40), second=st.floats(-40, 40), band=st.sampled_from(BANDS))
def test_principal_rows_add_up(first: float, second: float, band: str) -> None:
    kernel = Camera.for_band(band)
    twice = kernel.with_principal_row(first).with_principal_row(second)
    once = kernel.with_principal_row(first + second)
    x, y = np.array([23.5, 814.0, 1630.5]), np.array([0.5, 64.0, 127.5])
    np.testing.assert_allclose(twice.directions(x, y), once.directions(x, y), atol=1e-9)


def test_principal_row_bends_bands_apart() -> None:
    # Moving the principal point by -28 rows pulls the strips' columns by dx = -28 x y / f**2, which differs
    # between bands as a twist does: of 155 rows by 155 * 28 / 1480.6**2 = 2.0e-3 of the column at the edge.
    def column(band: str, offset: float) -> float:
        camera = Camera.for_band(band).with_principal_row(offset)
        return float(camera.pixels(Camera.for_band(band).directions(1500.0, 64.0))[0])

    moved = [column(band, -28.0) - 1500.0 for band in ("BLUE", "GREEN", "RED")]
    steps = np.diff(moved)
    assert np.sign(steps[0]) == np.sign(steps[1])
    np.testing.assert_allclose(np.abs(steps), 155 * 28 / 1480.6**2 * (1500 - 814), rtol=0.2)


def test_mounting_of_the_frames_kernel() -> None:
    # JUNO_SPACECRAFT to JUNO_JUNOCAM as SPICE gives it; the frames kernel writes seven digits.
    expected = [
        [0.00224097, -0.00222056, -0.99999502],
        [0.0124863, -0.99991952, 0.00224837],
        [-0.99991953, -0.01249128, -0.00221306],
    ]
    found = spacecraft_to_camera()
    np.testing.assert_allclose(found, expected, atol=1e-7)
    np.testing.assert_allclose(found @ found.T, np.eye(3), atol=2e-7)
    assert np.linalg.det(found) == pytest.approx(1.0, abs=2e-7)
    # Boresight near -X, rows near -Y, columns near -Z of the spacecraft: 0.738 degrees from nominal.
    nominal = np.array([[0, 0, -1], [0, -1, 0], [-1, 0, 0]])
    angle = np.degrees(np.arccos((np.trace(found @ nominal.T) - 1) / 2))
    assert angle == pytest.approx(0.738, abs=0.001)


def test_signs_of_the_mounting_angles() -> None:
    x, y, z = spacecraft_to_camera() @ [-0.9, 0.3, 0.2]
    twisted = spacecraft_to_camera(twist_rad=1e-4) @ [-0.9, 0.3, 0.2]
    # To first order; the second is 5e-9.
    np.testing.assert_allclose(twisted, (x - 1e-4 * y, y + 1e-4 * x, z), atol=1e-8)
    coned = spacecraft_to_camera(cone_rad=1e-4) @ [-0.9, 0.3, 0.2]
    np.testing.assert_allclose(coned, (x + 1e-4 * z, y, z - 1e-4 * x), atol=1e-8)


def test_spin_carries_a_star_to_lower_rows() -> None:
    # The spacecraft turns counter-clockwise about +Z, so that RED (the last strip) meets a star first.
    star = spacecraft_to_camera().T @ Camera.for_band("RED").directions(800.0, 100.0)
    rows = []
    for angle in (0.0, 0.02, 0.04):
        seen_in_spacecraft = np.array(
            [[np.cos(angle), np.sin(angle), 0], [-np.sin(angle), np.cos(angle), 0], [0, 0, 1]]
        )
        rows.append(Camera.for_band("RED").pixels(spacecraft_to_camera() @ seen_in_spacecraft @ star)[1])
    assert rows[0] > rows[1] > rows[2]
    # 0.02 rad of spin at 0.675 mrad a row, and 1.2 % more off the boresight.
    assert rows[0] - rows[1] == pytest.approx(0.02 / 6.7541e-4, rel=0.03)
