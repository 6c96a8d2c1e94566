"""Steady spin, the turn onto a target, and attitudes from a CK that was made here."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from perijove.geometry.attitude import (
    TURN_PER_FRAME_RAD,
    TYPICAL_SPIN_RAD_S,
    attitude_from_kernels,
    spin_attitude,
    turn_from_target,
)
from perijove.geometry.kernels import KernelFolder

UNIT = st.tuples(*[st.floats(-1.0, 1.0)] * 3).map(np.array).filter(lambda v: np.linalg.norm(v) > 0.1)


def test_spin_is_counter_clockwise_about_z() -> None:
    turn = Rotation.from_rotvec([0.3, -1.2, 0.7]).as_matrix()
    seconds = np.linspace(-20.0, 20.0, 9)
    attitude = spin_attitude(turn, 0.2, seconds)
    assert not attitude.measured
    assert attitude.spacecraft_to_j2000.shape == (9, 3, 3)
    np.testing.assert_allclose(attitude.spin_axis, turn[:, 2], atol=1e-15)
    expected = Rotation.from_rotvec(np.outer(0.2 * seconds, turn[:, 2])) * Rotation.from_matrix(turn)
    np.testing.assert_allclose(attitude.spacecraft_to_j2000, expected.as_matrix(), atol=1e-14)
    assert not attitude.spacecraft_to_j2000.flags.writeable


def test_spin_constants() -> None:
    # Two turns a minute; a turn of 80.7 frames (Eichstädt).
    turns_a_minute = TYPICAL_SPIN_RAD_S * 60 / (2 * np.pi)
    assert turns_a_minute == pytest.approx(2.0, rel=0.02)
    frames_a_turn = 2 * np.pi / TURN_PER_FRAME_RAD
    assert frames_a_turn == pytest.approx(80.724, rel=1e-3)


@given(UNIT, UNIT, UNIT)
def test_turn_onto_a_target(seen: np.ndarray, target: np.ndarray, hint: np.ndarray) -> None:
    seen, target, hint = (v / np.linalg.norm(v) for v in (seen, target, hint))
    if np.hypot(seen[0], seen[1]) < 1e-3 or np.linalg.norm(np.cross(target, hint)) < 1e-3:
        return
    turn = turn_from_target(seen, target, hint)
    np.testing.assert_allclose(turn.T @ turn, np.eye(3), atol=1e-9)
    assert np.linalg.det(turn) == pytest.approx(1.0)
    np.testing.assert_allclose(turn @ seen, target, atol=1e-9)
    # Walk round the cone of axes that keep the angle to the target: none is nearer to the hint.
    round_the_cone = Rotation.from_rotvec(np.outer(np.linspace(0, 2 * np.pi, 721), target))
    assert (round_the_cone.apply(turn[:, 2]) @ hint).max() <= turn[:, 2] @ hint + 1e-9


def test_turn_finds_the_axis_it_was_made_with() -> None:
    truth = Rotation.from_rotvec([-0.4, 0.9, 2.0]).as_matrix()
    seen = np.array([-0.97, 0.05, 0.24])
    seen /= np.linalg.norm(seen)
    np.testing.assert_allclose(turn_from_target(seen, truth @ seen, truth[:, 2]), truth, atol=1e-12)


def test_attitude_from_kernels(
    tmp_path: Path, ck_writer: Callable[..., None], clock_writer: Callable[[Path], None]
) -> None:
    turn = Rotation.from_rotvec([1.0, 0.5, -0.2]).as_matrix()
    knots = 7e8 + np.arange(0.0, 61.0)
    truth = spin_attitude(turn, 0.21, knots - 7e8).spacecraft_to_j2000
    rate = np.tile(0.21 * turn[:, 2], (61, 1))
    ck_writer(tmp_path / "juno_sc_rec.bc", knots, truth, rate)
    clock_writer(tmp_path)
    et = 7e8 + np.array([0.0, 10.25, 33.3, 60.0])
    found = attitude_from_kernels(KernelFolder.find(tmp_path), et)
    assert found is not None
    assert found.measured
    assert found.source == "juno_sc_rec.bc"
    expected = spin_attitude(turn, 0.21, et - 7e8).spacecraft_to_j2000
    # The clock counts to 6e-8 s, which the spin turns into 1e-8 rad.
    np.testing.assert_allclose(found.spacecraft_to_j2000, expected, atol=1e-7)
    assert attitude_from_kernels(KernelFolder.find(tmp_path), et + 30.0) is None
