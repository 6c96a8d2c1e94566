"""Rotations against scipy's and against cases done by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from perijove.geometry.rotation import (
    frame_with_z,
    nearest_rotation,
    rotation_about,
    rotation_vector,
    rotation_vector_matrix,
)

COMPONENT = st.floats(-10.0, 10.0)
VECTOR = st.tuples(COMPONENT, COMPONENT, COMPONENT).map(np.array)


@pytest.mark.parametrize("axis", ["x", "y", "z"])
def test_coordinate_axes(axis: str) -> None:
    angles = np.linspace(-7.0, 7.0, 29).reshape(1, 29)
    found = rotation_about(axis, angles)
    assert found.shape == (1, 29, 3, 3)
    np.testing.assert_allclose(found[0], Rotation.from_euler(axis, angles.T).as_matrix(), atol=1e-15)


def test_quarter_turns_are_counter_clockwise() -> None:
    x, y, z = np.eye(3)
    quarter = np.pi / 2
    np.testing.assert_allclose(rotation_about("x", quarter) @ y, z, atol=1e-16)
    np.testing.assert_allclose(rotation_about("y", quarter) @ z, x, atol=1e-16)
    np.testing.assert_allclose(rotation_about("z", quarter) @ x, y, atol=1e-16)


@given(VECTOR)
def test_rotation_vectors(vector: np.ndarray) -> None:
    np.testing.assert_allclose(rotation_vector_matrix(vector), Rotation.from_rotvec(vector).as_matrix(), atol=1e-13)


def test_rotation_vectors_in_a_stack() -> None:
    vectors = np.random.default_rng(1).normal(size=(4, 5, 3))
    vectors[0, 0] = 0.0
    vectors[0, 1] = [0.0, 1e-12, 0.0]
    found = rotation_vector_matrix(vectors)
    expected = Rotation.from_rotvec(vectors.reshape(-1, 3)).as_matrix().reshape(4, 5, 3, 3)
    np.testing.assert_allclose(found, expected, atol=1e-14)
    assert np.array_equal(found[0, 0], np.eye(3))
    assert found[0, 1, 0, 2] == 1e-12


@given(VECTOR, VECTOR)
def test_frame_with_z(axis: np.ndarray, towards: np.ndarray) -> None:
    lengths = np.linalg.norm(axis) * np.linalg.norm(towards)
    # Nearly parallel vectors define no frame.
    if lengths < 1e-6 or np.linalg.norm(np.cross(axis, towards)) < 1e-6 * lengths:
        return
    frame = frame_with_z(axis, towards)
    np.testing.assert_allclose(frame.T @ frame, np.eye(3), atol=1e-9)
    assert np.linalg.det(frame) == pytest.approx(1.0)
    np.testing.assert_allclose(frame @ [0, 0, np.linalg.norm(axis)], axis, atol=1e-13)
    seen = frame.T @ towards
    # The second vector lies in the half plane of +X.
    assert seen[0] > 0
    assert abs(seen[1]) < 1e-9 * np.linalg.norm(towards)


@given(VECTOR, st.floats(0.0, 3.1))
def test_vectors_of_rotations(axis: np.ndarray, angle: float) -> None:
    if np.linalg.norm(axis) < 1e-3:
        axis = np.array([0.0, 0.0, 1.0])
    vector = angle * axis / np.linalg.norm(axis)
    # The sine, by which it is divided, falls to 0.04 at 3.1 rad.
    np.testing.assert_allclose(rotation_vector(Rotation.from_rotvec(vector).as_matrix()), vector, atol=1e-12)


def test_small_rotations_have_vectors() -> None:
    vectors = np.array([[0.0, 0.0, 0.0], [0.0, 1e-12, 0.0], [1e-7, 0.0, -2e-7]])
    np.testing.assert_allclose(rotation_vector(rotation_vector_matrix(vectors)), vectors, rtol=0, atol=1e-16)


def test_nearest_rotation() -> None:
    turned = Rotation.random(5, random_state=1).as_matrix()
    stretch = np.eye(3) + 1e-3 * np.array([[1.0, 0.2, 0.0], [0.2, -1.0, 0.5], [0.0, 0.5, 0.3]])
    # A stretch without a turn is taken off whole.
    np.testing.assert_allclose(nearest_rotation(turned @ stretch), turned, atol=1e-14)
