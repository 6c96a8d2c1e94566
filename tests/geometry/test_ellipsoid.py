"""The ellipsoid against a scaled sphere, tangents drawn by hand and published latitudes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import brentq, minimize_scalar

from perijove.geometry.ellipsoid import (
    RADII_KM,
    from_lat_lon,
    intersect,
    lat_centric_deg,
    limb_altitude_km,
    normals,
    to_lat_lon,
)

RADII = np.array([71492.0, 71492.0, 66854.0])
LATITUDE, LONGITUDE = st.floats(-90.0, 90.0), st.floats(0.0, 360.0, exclude_max=True)


def _off(point: np.ndarray) -> np.ndarray:
    """Zero on the ellipsoid, negative inside."""
    return np.sum((point / RADII) ** 2, axis=-1) - 1


def test_radii_are_read_only() -> None:
    assert np.array_equal(RADII_KM, RADII)
    with pytest.raises(ValueError, match="read-only"):
        RADII_KM[0] = 1.0


def test_rays_meet_the_ellipsoid_at_its_near_side() -> None:
    rng = np.random.default_rng(3)
    origin = rng.normal(size=(500, 3))
    origin *= rng.uniform(1.05, 8.0, (500, 1)) * 71492 / np.linalg.norm(origin, axis=1, keepdims=True)
    direction = rng.normal(size=(500, 3)) * 0.25 - origin / np.linalg.norm(origin, axis=1, keepdims=True)
    point = intersect(origin, direction)
    hit = np.isfinite(point).all(axis=1)
    assert 50 < hit.sum() < 450
    for k in range(500):
        # Independent: march for the lowest point of the ray and for the root before it.
        def height(t: float, k: int = k) -> float:
            return float(_off(origin[k] + t * direction[k]))

        lowest = minimize_scalar(height, bounds=(0.0, 1e6), method="bounded", options={"xatol": 1e-6}).x
        assert hit[k] == (height(lowest) < 0)
        if hit[k]:
            t = brentq(height, 0.0, lowest, xtol=1e-9)
            np.testing.assert_allclose(point[k], origin[k] + t * direction[k], atol=1e-5)
    np.testing.assert_allclose(_off(point[hit]), 0.0, atol=1e-12)
    # What is seen faces the observer.
    assert (np.sum(normals(point[hit]) * (origin[hit] - point[hit]), axis=1) > 0).all()


@pytest.mark.parametrize(
    "direction",
    [(1.0, 0.0, 0.0), (-1.0, 1.0, 0.0), (0.0, 0.0, 1.0), (np.nan, 0.0, 0.0)],
    ids=["behind", "beside", "across", "nan"],
)
def test_misses_are_nan(direction: tuple[float, float, float]) -> None:
    assert np.isnan(intersect((2e5, 0.0, 0.0), direction)).all()


def test_known_points_and_broadcasting() -> None:
    np.testing.assert_allclose(intersect((2e5, 0, 0), (-3, 0, 0)), (71492, 0, 0))
    np.testing.assert_allclose(intersect((0, 0, -2e5), (0, 0, 0.1)), (0, 0, -66854))
    points = intersect(np.array([0.0, 2e5, 0.0]), np.array([[0, -1, 0.0], [0, 1, 0], [0, -1, 0.01]]))
    assert points.shape == (3, 3)
    assert np.isnan(points[1]).all()
    assert np.isfinite(points[[0, 2]]).all()


@pytest.mark.parametrize(("altitude", "tolerance"), [(0.0, 1e-6), (30.0, 1e-4), (100.0, 1e-3), (-50.0, 1e-3)])
@given(lat=LATITUDE, lon=LONGITUDE, course=st.floats(0.0, 6.3))
def test_tangents_of_known_altitude(altitude: float, tolerance: float, lat: float, lon: float, course: float) -> None:
    g, w = np.radians(lat), np.radians(lon)
    normal = np.array([np.cos(g) * np.cos(w), -np.cos(g) * np.sin(w), np.sin(g)])
    east = np.array([np.sin(w), np.cos(w), 0.0])
    tangent = np.cos(course) * east + np.sin(course) * np.cross(normal, east)
    foot = normal * RADII**2 / np.sqrt(np.sum((normal * RADII) ** 2))
    origin = foot + altitude * normal - 2e5 * tangent
    found, distance = limb_altitude_km(origin, 7.0 * tangent)
    # The error grows with the square of the altitude and of the flattening: h**2 / r * f**2 / 2.
    assert found == pytest.approx(altitude, abs=tolerance)
    # The nearest point is that of the scaled space, which slides along the ray by altitude * flattening.
    assert distance == pytest.approx(2e5, abs=0.1 * abs(altitude) + 1e-3)


def test_limb_altitude_tells_hits_from_misses() -> None:
    rng = np.random.default_rng(4)
    origin = np.array([1.5e5, 4e4, 3e4])
    direction = rng.normal(size=(2000, 3)) * 0.4 - origin / np.linalg.norm(origin)
    altitude, distance = limb_altitude_km(origin, direction)
    ahead = distance > 0
    hit = np.isfinite(intersect(origin, direction)[:, 0])
    assert 100 < hit.sum() < 1900
    assert np.array_equal((altitude < 0)[ahead], hit[ahead])


@given(lat=LATITUDE, lon=LONGITUDE)
def test_latitude_and_longitude_round_trip(lat: float, lon: float) -> None:
    point = from_lat_lon(lat, lon)
    assert abs(_off(point)) < 1e-13
    back = to_lat_lon(point)
    # Rounding of coordinates of 7e4 km is 1e-11 km, 1e-14 rad; on the pole longitudes meet.
    assert back[0] == pytest.approx(lat, abs=1e-11)
    away = (back[1] - lon + 180) % 360 - 180
    assert abs(away) * np.cos(np.radians(lat)) < 1e-11
    assert 0.0 <= back[1] < 360.0


def test_longitudes_stay_below_360() -> None:
    assert to_lat_lon((7e4, 1e-20, 0.0))[1] == 0.0
    assert to_lat_lon((7e4, 0.0, 0.0))[1] == 0.0
    assert to_lat_lon((7e4, -0.0, 0.0))[1] == 0.0
    assert np.isnan(to_lat_lon((np.nan, 0.0, 0.0))).all()


def test_longitude_counts_west() -> None:
    # Body-fixed +Y is 90 degrees east, 270 west: seen from the north, west longitude grows clockwise.
    for point, west in (((1, 0, 0), 0), ((0, -1, 0), 90), ((-1, 0, 0), 180), ((0, 1, 0), 270)):
        assert to_lat_lon(7e4 * np.array(point)) == pytest.approx((0.0, west))
    clockwise = [to_lat_lon((np.cos(a), -np.sin(a), 0.3))[1] for a in (0.1, 0.2, 0.3)]
    np.testing.assert_allclose(clockwise, np.degrees([0.1, 0.2, 0.3]))
    # East is where the ground goes: the way of the spin about +Z.
    ground = from_lat_lon(20.0, 40.0)
    east = np.cross((0, 0, 1), ground)
    assert to_lat_lon(ground + 1e-3 * east)[1] < 40.0
    assert to_lat_lon(ground + np.array([0, 0, 100.0]))[0] > 20.0


def test_published_latitudes() -> None:
    # tan(graphic) = 1.14357 tan(centric), whose last digit is 2e-4 degrees; the difference reaches 3.8
    # degrees between 45 and 48.
    graphic = np.linspace(-90, 90, 1801)
    centric = lat_centric_deg(graphic)
    gap = graphic - centric
    assert gap.max() == pytest.approx(3.84, abs=0.01)
    assert 45 < graphic[gap.argmax()] < 49
    assert lat_centric_deg(45.0) == pytest.approx(np.degrees(np.arctan(1 / 1.14357)), abs=3e-4)
    np.testing.assert_allclose(lat_centric_deg([-90, 0, 90]), [-90, 0, 90])
    point = from_lat_lon(graphic, 10.0)
    angle = np.degrees(np.arcsin(point[:, 2] / np.linalg.norm(point, axis=1)))
    np.testing.assert_allclose(centric, angle, atol=1e-11)


@given(lat=LATITUDE, lon=LONGITUDE, altitude=st.floats(-1000.0, 1e6))
def test_altitude_is_along_the_normal(lat: float, lon: float, altitude: float) -> None:
    foot = from_lat_lon(lat, lon)
    np.testing.assert_allclose(from_lat_lon(lat, lon, altitude), foot + altitude * normals(foot), atol=1e-8)
    # The planetographic latitude is that of the normal.
    assert normals(foot)[2] == pytest.approx(np.sin(np.radians(lat)), abs=1e-14)
    # The normal is the gradient: steps across it stay on the surface to second order.
    across = np.cross(normals(foot), (0.3, 0.4, -0.5))
    assert abs(_off(foot + across)) < 1e-8


def test_shapes_broadcast() -> None:
    assert from_lat_lon(np.zeros((2, 1)), np.zeros(3)).shape == (2, 3, 3)
    assert from_lat_lon(10.0, 20.0, np.zeros(4)).shape == (4, 3)
    assert to_lat_lon(np.ones((5, 2, 3)))[0].shape == (5, 2)
