"""Pole and rotation of Jupiter against published numbers; SPICE is asked in the tests on real data."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perijove.geometry.ellipsoid import to_lat_lon
from perijove.geometry.orientation import SPIN_RATE_RAD_S, j2000_to_jupiter, pole_j2000

PERIOD_S = 9 * 3600 + 55 * 60 + 29.71


@given(st.floats(0.0, 9e8))
def test_matrices_are_rotations(et: float) -> None:
    m = j2000_to_jupiter(et)
    np.testing.assert_allclose(m @ m.T, np.eye(3), atol=1e-14)
    assert np.linalg.det(m) == pytest.approx(1.0)


def test_pole() -> None:
    ra, dec = pole_j2000(0.0)
    # IAU 2009: 268.0566, 64.4953 degrees, with nutation of at most 0.004.
    assert np.degrees(ra) == pytest.approx(268.0566, abs=0.004)
    assert np.degrees(dec) == pytest.approx(64.4953, abs=0.002)
    axis = np.array([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)])
    np.testing.assert_allclose(j2000_to_jupiter(0.0) @ axis, (0, 0, 1), atol=1e-14)


def test_prime_meridian() -> None:
    # W = 284.95 degrees at J2000, eastward from the node of Jupiter's equator on that of J2000.
    ra, _ = pole_j2000(0.0)
    node = np.array([-np.sin(ra), np.cos(ra), 0.0])
    _, west = to_lat_lon(j2000_to_jupiter(0.0) @ node)
    assert west == pytest.approx(284.95, abs=1e-9)


def test_rotation_of_system_iii() -> None:
    assert 2 * np.pi / SPIN_RATE_RAD_S == pytest.approx(PERIOD_S, abs=0.01)
    et = 7.1e8
    star = np.array([0.6, -0.7, 0.1])
    before, after = (to_lat_lon(j2000_to_jupiter(t) @ star) for t in (et, et + 3600.0))
    # The ground turns east, so that a star wanders west by 36.2723 degrees an hour and keeps its latitude.
    assert (after[1] - before[1]) % 360 == pytest.approx(36.2723, abs=1e-4)
    assert after[0] == pytest.approx(before[0], abs=1e-5)
    turns = j2000_to_jupiter(np.array([et, et + 100 * PERIOD_S]))
    # The period is given to 0.01 s: after 100 turns 1 s, 0.01 degrees.
    np.testing.assert_allclose(turns[1], turns[0], atol=2e-4)


def test_shapes() -> None:
    assert j2000_to_jupiter(np.zeros((4, 2))).shape == (4, 2, 3, 3)
    assert pole_j2000(np.zeros(5))[0].shape == (5,)
