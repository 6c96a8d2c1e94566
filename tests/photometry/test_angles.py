"""Angles of the light against angles between vectors."""

import numpy as np
import pytest

from perijove.geometry.ellipsoid import from_lat_lon, normals
from perijove.photometry.angles import Angles

SUN = np.array([0.9, -0.4, 0.05]) / np.linalg.norm([0.9, -0.4, 0.05])
OBSERVER = np.array([120000.0, 60000.0, 90000.0])


def angle(a: np.ndarray, b: np.ndarray) -> float:
    """Between two vectors, degrees, by their cross product."""
    return float(np.degrees(np.arctan2(np.linalg.norm(np.cross(a, b)), a @ b)))


def test_angles_are_those_between_vectors() -> None:
    lat, lon = np.meshgrid(np.linspace(-80, 80, 9), np.linspace(0, 350, 8))
    ground = from_lat_lon(lat, lon)
    angles = Angles.of_ground(ground, OBSERVER, SUN)
    for at in np.ndindex(lat.shape):
        up, look = normals(ground[at]), OBSERVER - ground[at]
        # float32 cosines: 1e-6, which is a thousandth of a degree but near 0 and 180.
        assert angles.mu0[at] == pytest.approx(np.cos(np.radians(angle(up, SUN))), abs=2e-6)
        assert angles.mu[at] == pytest.approx(np.cos(np.radians(angle(up, look))), abs=2e-6)
        assert angles.phase_deg[at] == pytest.approx(angle(look, SUN), abs=0.01)


def test_sky_is_not_a_number() -> None:
    beside = np.array([[np.nan, np.nan, np.nan], [71492.0, 900.0, 0.0], [71492.0, 0.0, 0.0]])
    angles = Angles.of_ground(beside, OBSERVER, SUN)
    for plane in (angles.mu0, angles.mu, angles.phase_deg):
        assert np.isnan(plane[:2]).all()
        assert np.isfinite(plane[2])
        assert not plane.flags.writeable


def test_from_above() -> None:
    above = Angles.from_above((2, 3))
    assert (above.mu0 == 1).all()
    assert (above.mu == 1).all()
    assert (above.phase_deg == 0).all()
