"""Pointing at the label's times: the ground below a pixel stays the same."""

import numpy as np
import pytest

from perijove.geometry.camera import Camera, spacecraft_to_camera
from perijove.geometry.label_time import Margin, attitude_segment, state_segment
from perijove.geometry.orbit import Orbit, propagate
from perijove.geometry.orientation import j2000_to_jupiter
from perijove.geometry.pointing import Pointing
from perijove.geometry.rotation import rotation_about

T0 = 7.1e8
FRAMES = 24
LATE, DELAY = 0.035, 4e-5
NOMINAL = T0 + 0.375 * np.arange(FRAMES)
SPIN = 0.2077


def fly(et: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The orbit of perijove 44, from 100 s before these times."""
    position, velocity = Orbit.of(44).perijove_state(T0)
    p, v = propagate(position, velocity, np.concatenate([[0.0], et - T0 + 100.0]))
    return p[1:], v[1:]


def spin(et: np.ndarray) -> np.ndarray:
    return rotation_about("y", 0.7) @ rotation_about("z", SPIN * (et - T0))


def made(et: np.ndarray, mounting: np.ndarray) -> Pointing:
    cameras = {"GREEN": Camera.for_band("GREEN")}
    return Pointing(et, spin(et) @ mounting.T, *fly(et), np.array([1.0, 0, 0]), np.array([1.0, 0, 0]), cameras)


def true_times(nominal: np.ndarray) -> np.ndarray:
    return nominal + LATE + DELAY * (nominal - T0) / 0.375


def test_body_fixed_geometry_is_that_of_the_true_times() -> None:
    pointing = made(true_times(NOMINAL), spacecraft_to_camera(0.002, -0.001))
    states = state_segment(pointing, NOMINAL, Margin(), "image")
    attitude = attitude_segment(pointing, NOMINAL, Margin(), "image")
    fixed = j2000_to_jupiter(NOMINAL)
    at, turned = np.searchsorted(states.et, NOMINAL), np.searchsorted(attitude.et, NOMINAL)
    np.testing.assert_array_equal(states.et[at], NOMINAL)
    found = np.einsum("nij,nj->ni", fixed, states.states[at, :3])
    np.testing.assert_allclose(found, pointing.position_fixed_km, rtol=0, atol=1e-6)
    camera = fixed @ attitude.spacecraft_to_j2000[turned] @ spacecraft_to_camera().T
    # The matrix of the frames kernel has seven digits, and is a rotation to 1e-7.
    np.testing.assert_allclose(camera, np.swapaxes(pointing.camera_from_jupiter, 1, 2), rtol=0, atol=2e-7)


def test_rates_and_velocities_belong_to_attitudes_and_positions() -> None:
    pointing = made(true_times(NOMINAL), spacecraft_to_camera())
    states = state_segment(pointing, NOMINAL, Margin(), "image")
    middle = (states.et > NOMINAL[0] - 0.01) & (states.et < NOMINAL[-1] + 0.01)
    et, p, v = states.et[middle], states.states[middle, :3], states.states[middle, 3:]
    difference = (p[2:] - p[:-2]) / (et[2:] - et[:-2])[:, None]
    # Central differences miss a sixth of the third derivative, 5e-5 km/s**3, times the step squared.
    np.testing.assert_allclose(v[1:-1], difference, rtol=0, atol=2e-5)
    attitude = attitude_segment(pointing, NOMINAL, Margin(), "image")
    pace = 1 + DELAY / 0.375
    axis = rotation_about("y", 0.7)[:, 2]
    # Jupiter turns by 2e-4 rad/s of the drift only; a double holds the time to 1.2e-7 s.
    np.testing.assert_allclose(attitude.angular_velocity @ axis, pace * SPIN, rtol=0, atol=3e-7)


def test_beyond_the_frames() -> None:
    pointing = made(true_times(NOMINAL), spacecraft_to_camera())
    attitude = attitude_segment(pointing, NOMINAL, Margin(), "image")
    states = state_segment(pointing, NOMINAL, Margin(), "image")
    assert attitude.et[0] < NOMINAL[0] - 2 * 0.375
    assert attitude.et[-1] > NOMINAL[-1] + 2 * 0.375
    # What a trajectory around an image asks for.
    assert states.et[0] < NOMINAL[0] - 33.0
    assert states.et[-1] > NOMINAL[-1] + 33.0
    assert np.all(np.diff(states.et) > 0)
    assert np.all(np.diff(attitude.et) > 0)
    for et, late in ((states.et[:3], LATE), (states.et[-3:], true_times(NOMINAL)[-1] - NOMINAL[-1])):
        turn = np.swapaxes(j2000_to_jupiter(et), 1, 2) @ j2000_to_jupiter(et + late)
        expected = np.einsum("nij,nj->ni", turn, fly(et + late)[0])
        np.testing.assert_allclose(states.states[np.isin(states.et, et), :3], expected, rtol=0, atol=1e-3)
    for et, late in ((attitude.et[:3], LATE), (attitude.et[-3:], true_times(NOMINAL)[-1] - NOMINAL[-1])):
        turn = np.swapaxes(j2000_to_jupiter(et), 1, 2) @ j2000_to_jupiter(et + late)
        found = attitude.spacecraft_to_j2000[np.isin(attitude.et, et)]
        # The delay's error goes on: 3 s of it are 3e-4 s, or 7e-5 rad.
        np.testing.assert_allclose(found, turn @ spin(et + late), rtol=0, atol=1e-4)


def test_a_neighbour_takes_its_half() -> None:
    pointing = made(true_times(NOMINAL), spacecraft_to_camera())
    margin = Margin(before_s=1.0, after_s=7.5)
    states, attitude = (make(pointing, NOMINAL, margin, "image") for make in (state_segment, attitude_segment))
    assert states.et[[0, -1]] == pytest.approx([NOMINAL[0] - 1.0, NOMINAL[-1] + 7.5], abs=1e-6)
    assert attitude.et[[0, -1]] == pytest.approx([NOMINAL[0] - 1.0, NOMINAL[-1] + 3.0], abs=1e-6)


def test_a_single_frame_spins_as_usual() -> None:
    pointing = made(true_times(NOMINAL[:1]), spacecraft_to_camera())
    attitude = attitude_segment(pointing, NOMINAL[:1], Margin(), "image")
    np.testing.assert_allclose(attitude.angular_velocity @ rotation_about("y", 0.7)[:, 2], 0.2065, rtol=0, atol=1e-6)
    assert len(state_segment(pointing, NOMINAL[:1], Margin(), "image").et) == 41
