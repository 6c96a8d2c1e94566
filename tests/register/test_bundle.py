"""What images of a perijove share: the clock of the spin, the axis, the scenes solved together."""

import dataclasses
from typing import Any

import numpy as np
import pytest

from perijove.errors import GeometryError
from perijove.geometry.rotation import frame_with_z, rotation_about
from perijove.register.bundle import Observation, _SpinClock, locate_pass
from perijove.register.locate import Knowledge

AXIS = np.array([0.1, -0.2, 0.97]) / np.linalg.norm([0.1, -0.2, 0.97])
RATE = 0.2071
TIMES = np.array([0.0, 300.0, 750.0, 1800.0, 4000.0])


def turns(late_s: np.ndarray) -> list[np.ndarray]:
    """De-spun frames of images that began so much later than their times say."""
    base = frame_with_z(AXIS, [0.0, 0.0, 1.0])
    return [base @ rotation_about("z", 1.0 + RATE * (t + late)) for t, late in zip(TIMES, late_s, strict=True)]


def test_whole_turns_are_counted() -> None:
    late = np.array([0.012, -0.02, 0.004, 0.015, -0.011])
    # Known to 1e-3 rad/s by the images: 0.3 rad after the first gap, 2 turns at the last if it did not improve.
    clock = _SpinClock(AXIS, TIMES.tolist(), turns(late), RATE + 8e-4, 1e-3)
    assert clock.steady
    assert clock.rate == pytest.approx(RATE, abs=3e-6)
    turn, sigma = clock.turn(1200.0)
    expected = frame_with_z(AXIS, [0.0, 0.0, 1.0]) @ rotation_about("z", 1.0 + RATE * 1200.0)
    off = np.arccos(np.clip((np.trace(turn @ expected.T) - 1) / 2, -1, 1))
    # The jitter of 0.02 s, in the mean of five.
    assert off < 0.02 * RATE
    assert sigma < 3 * 0.02 * RATE


def test_order_does_not_matter() -> None:
    late = np.array([0.012, -0.02, 0.004, 0.015, -0.011])
    mixed = [3, 0, 4, 2, 1]
    clock = _SpinClock(AXIS, TIMES[mixed].tolist(), [turns(late)[k] for k in mixed], RATE + 8e-4, 1e-3)
    assert clock.steady
    assert clock.rate == pytest.approx(RATE, abs=3e-6)


def test_a_break_is_seen() -> None:
    # Half a second of spin lost between the third and the fourth.
    clock = _SpinClock(AXIS, TIMES.tolist(), turns(np.array([0.0, 0.0, 0.0, 0.5, 0.5])), RATE, 1e-4)
    assert not clock.steady


def test_one_image_sets_no_rate() -> None:
    clock = _SpinClock(AXIS, [100.0], turns(np.zeros(5))[:1], RATE, 5e-4)
    assert not clock.steady
    assert clock.rate == RATE
    assert clock.turn(100.0)[1] < 0.01
    # After an hour the rate of one image says nothing of the phase.
    assert clock.turn(3700.0)[1] > 1.5


def later(synthetic: Any, scene: Any, seconds: float, **changes: Any) -> Any:
    """A scene of the same perijove and axis, some time after."""
    start = np.datetime64(scene.label.start_time) + np.timedelta64(round(1000 * seconds), "ms")
    return synthetic.make_scene(10.0, start_time=str(start), **changes)


@pytest.fixture(scope="module")
def both(synthetic: Any, tilted_scene: Any) -> list[Any]:
    """Two scenes of a tilted pass, from different sides."""
    return [
        tilted_scene,
        later(synthetic, tilted_scene, 1500.0, sub_spacecraft_lat_graphic_deg=62.0, altitude_km=80000.0, frames=15),
    ]


def observations(scenes: list[Any]) -> list[Observation]:
    return [Observation(scene.label, lambda values=scene.values: values) for scene in scenes]


def test_two_images_tell_the_roll(both: list[Any], compare: Any) -> None:
    found = locate_pass(observations(both), Knowledge())
    for scene, located in zip(both, found, strict=True):
        axis_error = np.degrees(np.linalg.norm(np.cross(located.solution.spin_axis, scene.axis)))
        # Alone each tells it to a degree.
        assert axis_error < 3 * np.degrees(located.solution.spin_axis_sigma_rad) < 1.0
        assert located.axis_source == "2 images of the perijove"
        assert located.warnings == ()
        error = compare.disc(scene, located.solution.pointing)
        assert np.median(np.hypot(*error.T)) < 0.4


def test_an_image_without_a_limb_follows_the_spin(both: list[Any]) -> None:
    dark = dataclasses.replace(both[1], values=np.zeros_like(both[1].values))
    found = locate_pass(observations([both[0], dark]), Knowledge())
    assert found[0].warnings == ()
    (warning,) = found[1].warnings
    assert "cannot be located by itself" in warning
    assert found[1].solution.residual_px.size == 0
    # It spins about the same axis.
    np.testing.assert_allclose(found[1].solution.spin_axis, found[0].solution.spin_axis, atol=1e-4)


def test_nothing_to_begin_with(both: list[Any]) -> None:
    dark = [dataclasses.replace(scene, values=np.zeros_like(scene.values)) for scene in both]
    with pytest.raises(GeometryError, match="NO LIMB"):
        locate_pass(observations(dark), Knowledge())
