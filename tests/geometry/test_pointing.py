"""Pixels to the ground against photons that are followed from the ground to the camera."""

from collections.abc import Callable

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.spatial.transform import Rotation

from perijove.constants import BANDS
from perijove.geometry.camera import Camera
from perijove.geometry.ellipsoid import from_lat_lon, normals, to_lat_lon
from perijove.geometry.orientation import j2000_to_jupiter
from perijove.geometry.pointing import Pointing, ground_from_apparent

C = 299792.458
T0 = 7.14e8
FRAMES = 5
VELOCITY = np.array([12.0, -40.0, 30.0])


def fly(height_km: float, velocity: np.ndarray = VELOCITY, offset: float = -28.0) -> Pointing:
    """Five frames half a second apart; the camera looks a little off the planet's centre and rolls."""
    et = T0 + 0.5 * np.arange(FRAMES)
    start = j2000_to_jupiter(T0).T @ from_lat_lon(35.0, 120.0, height_km)
    position = start + np.outer(et - T0, velocity)
    attitude = []
    for k in range(FRAMES):
        down = -position[k] / np.linalg.norm(position[k])
        across = np.cross(down, [0.3, 0.5, 0.8])
        across /= np.linalg.norm(across)
        looking = np.stack([across, np.cross(down, across), down], axis=1)
        attitude.append(looking @ Rotation.from_euler("xyz", [0.02 * k, 0.05, 0.4]).as_matrix())
    cameras = {band: Camera.for_band(band).with_principal_row(offset) for band in BANDS}
    sun = np.array([0.6, -0.8, 0.0])
    earth = np.array([0.64, -0.76, 0.1])
    return Pointing(
        et=et,
        camera_to_j2000=np.array(attitude),
        position_km=position,
        velocity_km_s=np.tile(velocity, (FRAMES, 1)),
        sun=sun,
        earth=earth,
        cameras=cameras,
    )


def photon(pointing: Pointing, frame: int, ground: np.ndarray) -> np.ndarray:
    """Direction in the camera frame from which light of a ground point arrives, without approximation."""
    et, observer = pointing.et[frame], pointing.position_km[frame]

    def late(travel: float) -> float:
        point = j2000_to_jupiter(et - travel).T @ ground
        return float(np.linalg.norm(point - observer) - C * travel)

    travel = brentq(late, 0.0, 30.0, xtol=1e-13)
    sight = j2000_to_jupiter(et - travel).T @ ground - observer
    sight /= np.linalg.norm(sight)
    # Einstein's aberration for an observer who moves with beta.
    beta = pointing.velocity_km_s[frame] / C
    gamma = 1 / np.sqrt(1 - beta @ beta)
    along = sight @ beta
    seen = (sight / gamma + beta + gamma / (gamma + 1) * along * beta) / (1 + along)
    return pointing.camera_to_j2000[frame].T @ seen


@pytest.mark.parametrize("height_km", [4000.0, 30000.0, 270000.0])
def test_ground_sent_the_light_that_pixels_saw(height_km: float) -> None:
    pointing = fly(height_km)
    rng = np.random.default_rng(7)
    tried = 0
    spread = min(20.0, height_km / 2000)
    for north, west in rng.normal(scale=spread, size=(400, 2)):
        lat, lon = 35 + north, 120 + west
        ground = from_lat_lon(lat, lon)
        frame = int(rng.integers(FRAMES))
        away = j2000_to_jupiter(pointing.et[frame]) @ pointing.position_km[frame] - ground
        slant = np.linalg.norm(away)
        emission = normals(ground) @ away / slant
        band = str(rng.choice(BANDS))
        x, y = pointing.cameras[band].pixels(photon(pointing, frame, ground))
        if emission < 0.2 or not (0 < x < 1648 and -100 < y < 228):
            continue
        tried += 1
        found = pointing.ground(band, frame, x, y)
        # First order in velocity over c: the square, 3e-8, times the distance; pixels invert to 1e-9 rad.
        assert np.linalg.norm(found - ground) < 3e-8 * slant / emission + 1e-4
    assert tried > 20


def test_light_time_and_aberration_matter() -> None:
    pointing, still = fly(270000.0), fly(270000.0, np.zeros(3))
    moving, at_rest = (p.ground("GREEN", 0, 800.0, 20.0) for p in (pointing, still))
    # What a moving camera sees stands forward of where it is, by the speed across over that of light.
    ray = still.rays("GREEN", 0, 800.0, 20.0)
    beta = pointing.aberration_fixed[0]
    distance = np.linalg.norm(at_rest - still.position_fixed_km[0])
    shift = moving - at_rest
    across = -distance * (beta - (beta @ ray) * ray)
    assert np.linalg.norm(across) > 10.0
    np.testing.assert_allclose(shift - (shift @ ray) * ray, across, atol=0.02 * np.linalg.norm(across))
    ground = at_rest
    sight = still.camera_to_j2000[0] @ still.cameras["GREEN"].directions(800.0, 20.0)
    start = still.position_km[0]
    # Without light time the ray meets the same inertial point, whose longitude is that of reception.
    distance = np.linalg.norm(j2000_to_jupiter(T0 - 0.9).T @ ground - start)
    naive = j2000_to_jupiter(T0) @ (start + distance * sight)
    west = to_lat_lon(ground)[1] - to_lat_lon(naive)[1]
    # The light left when less of the west had turned by: seen from one spot, west longitude grows with time.
    assert west == pytest.approx(-np.degrees(1.7585e-4) * distance / C, rel=0.01)


def test_rotation_during_the_light_time() -> None:
    observer = np.array([71492 + C, 0.0, 0.0])
    point = ground_from_apparent(np.array([71492.0, 0.0, 0.0]), observer)
    # One second of light: the ground that is now at longitude 0 came from the west, that now there was east.
    angle = 2 * np.pi / 35729.71
    np.testing.assert_allclose(point, 71492 * np.array([np.cos(angle), np.sin(angle), 0.0]), atol=1e-2)
    assert np.isnan(ground_from_apparent(np.full(3, np.nan), observer)).all()


def test_sky_is_nan_and_shapes_broadcast() -> None:
    pointing = fly(270000.0)
    x = np.linspace(0.5, 1647.5, 30)
    ground = pointing.ground("RED", np.arange(FRAMES)[:, None], x, np.full((FRAMES, 30), 64.0))
    assert ground.shape == (FRAMES, 30, 3)
    sky = np.isnan(ground).any(axis=-1)
    assert sky.any()
    assert not sky.all()
    assert np.isnan(ground[sky]).all()
    rays = pointing.rays("RED", 2, x[:, None], np.array([0.5, 127.5]))
    assert rays.shape == (30, 2, 3)
    np.testing.assert_allclose(np.linalg.norm(rays, axis=-1), 1.0)
    one = pointing.ground("RED", 3, x[15], 64.0)
    np.testing.assert_allclose(one, ground[3, 15], atol=1e-6)


def test_frames_and_derived_vectors() -> None:
    pointing = fly(30000.0)
    assert (pointing.frames, pointing.mid_frame) == (FRAMES, 2)
    for k in range(FRAMES):
        to_jupiter = j2000_to_jupiter(pointing.et[k])
        np.testing.assert_allclose(pointing.position_fixed_km[k], to_jupiter @ pointing.position_km[k])
        np.testing.assert_allclose(pointing.aberration_fixed[k], to_jupiter @ VELOCITY / C)
        chain = to_jupiter @ pointing.camera_to_j2000[k]
        np.testing.assert_allclose(pointing.camera_from_jupiter[k], chain.T, atol=1e-15)
    np.testing.assert_allclose(pointing.sun_fixed, j2000_to_jupiter(T0 + 1.0) @ [0.6, -0.8, 0.0])


@pytest.mark.parametrize("name", ["et", "camera_to_j2000", "position_km", "velocity_km_s", "sun", "earth"])
def test_arrays_are_read_only_copies(name: str) -> None:
    pointing = fly(30000.0)
    with pytest.raises(ValueError, match="read-only"):
        getattr(pointing, name)[0] = 0.0


@pytest.fixture
def above_the_equator() -> Callable[[float], Pointing]:
    """A camera 100,000 km above longitude 30 west; its +Y is south, then turned about the boresight."""

    def look(roll_deg: float) -> Pointing:
        place = from_lat_lon(0.0, 30.0, 1e5)
        down = -place / np.linalg.norm(place)
        south = np.array([0.0, 0.0, -1.0])
        looking = np.stack([np.cross(south, down), south, down], axis=1)
        looking = looking @ Rotation.from_euler("z", roll_deg, degrees=True).as_matrix()
        to_j2000 = j2000_to_jupiter(T0).T
        return Pointing(
            et=np.array([T0]),
            camera_to_j2000=(to_j2000 @ looking)[None],
            position_km=(to_j2000 @ place)[None],
            velocity_km_s=np.zeros((1, 3)),
            sun=np.array([1.0, 0, 0]),
            earth=np.array([1.0, 0, 0]),
            cameras={"GREEN": Camera.for_band("GREEN")},
        )

    return look


def test_north_is_up_and_west_is_left(above_the_equator: Callable[[float], Pointing]) -> None:
    pointing = above_the_equator(0.0)
    x, y = [814.2, 814.2, 700.0, 930.0], [3.48, 120.0, 3.48, 3.48]
    lat, lon = to_lat_lon(pointing.ground("GREEN", 0, x, y))
    assert (lat[0], lon[0]) == pytest.approx((0.0, 30.0), abs=0.01)
    # Rows grow southward, and columns eastward, where west longitude falls.
    assert lat[1] < -5.0
    assert lon[2] > 35.0
    assert lon[3] < 25.0
    # Upside down, both turn round.
    lat, lon = to_lat_lon(above_the_equator(180.0).ground("GREEN", 0, [814.2, 700.0], [120.0, 3.48]))
    assert lat[0] > 5.0
    assert lon[1] < 25.0
