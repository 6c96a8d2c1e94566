"""First attitudes against the one the image was made with."""

from typing import Any

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from perijove.errors import GeometryError
from perijove.geometry.camera import spacecraft_to_camera
from perijove.geometry.ephemeris import frame_times, mid_time
from perijove.geometry.rotation import rotation_about
from perijove.register.limb import LimbPoints, find_limb
from perijove.register.model import cameras_of
from perijove.register.start import target_from_limb, turn_from_shading


def seconds(scene: Any) -> np.ndarray:
    return frame_times(scene.label) - mid_time(scene.label)


def target_of(synthetic: Any, scene: Any, limb: LimbPoints, range_factor: float = 1.0) -> np.ndarray | None:
    distance = np.linalg.norm(scene.trajectory.state(mid_time(scene.label))[0])
    angle = synthetic.SPIN_RATE_RAD_S * seconds(scene)
    return target_from_limb(limb, scene.label.bands, cameras_of(scene.label), angle, range_factor * distance)


def error_deg(compare: Any, scene: Any, found: np.ndarray | None) -> float:
    assert found is not None
    true = scene.turn.T @ compare.target(scene)
    return float(np.degrees(np.arccos(found @ true)))


def test_the_centre_is_found_from_the_lit_limb(synthetic: Any, compare: Any, scene: Any) -> None:
    limb = find_limb(scene.values, 1, (13, 814))
    # Half of the limb is lit. A circle through half of an ellipse whose axes differ by 6.5 % of 20 degrees is off
    # its centre by up to that difference.
    assert error_deg(compare, scene, target_of(synthetic, scene, limb)) < 0.065 * 20


def test_stray_points_are_outvoted(synthetic: Any, compare: Any, earth_scene: Any) -> None:
    limb = find_limb(earth_scene.values, 1, (13, 814))
    rng = np.random.default_rng(2)
    n = len(limb) // 3
    spoilt = LimbPoints(
        np.concatenate([limb.frame, rng.integers(0, 13, n)]),
        np.concatenate([limb.band, rng.integers(0, 3, n)]),
        np.concatenate([limb.x, rng.uniform(20, 800, n)]),
        np.concatenate([limb.y, rng.uniform(2, 62, n)]),
        np.concatenate([limb.outward, np.zeros((n, 2))]),
    )
    assert error_deg(compare, earth_scene, target_of(synthetic, earth_scene, spoilt)) < 0.065 * 20


@pytest.mark.parametrize("factor", [0.6, 1.6])
def test_a_limb_of_another_size_is_refused(synthetic: Any, earth_scene: Any, factor: float) -> None:
    limb = find_limb(earth_scene.values, 1, (13, 814))
    with pytest.raises(GeometryError, match=r"the limb is a circle of (19|2\d)\.\d degrees radius.*label"):
        target_of(synthetic, earth_scene, limb, factor)


def test_too_few_points_tell_nothing(synthetic: Any, earth_scene: Any) -> None:
    none = np.zeros(2)
    two = LimbPoints(none.astype(np.int64), none.astype(np.int64), none + 300, none + 30, np.zeros((2, 2)))
    assert target_of(synthetic, earth_scene, two) is None


def test_the_roll_is_found_from_the_shading(synthetic: Any, scene: Any) -> None:
    frames, _, lines, samples = scene.values.shape
    frame, line, sample = np.meshgrid(
        np.arange(frames), np.arange(8, lines, 16), np.arange(40, samples - 20, 48), indexing="ij"
    )
    despin = rotation_about("z", synthetic.SPIN_RATE_RAD_S * seconds(scene))
    directions, brightness = [], []
    for index, band in enumerate(scene.label.bands):
        seen = cameras_of(scene.label)[band].directions(sample + 0.5, line + 0.5) @ spacecraft_to_camera()
        directions.append(np.einsum("fij,flsj->flsi", despin, seen).reshape(-1, 3))
        brightness.append(scene.values[frame, index, line, sample].ravel())
    middle = mid_time(scene.label)
    turn = turn_from_shading(
        np.concatenate(brightness).astype(float),
        np.concatenate(directions),
        scene.trajectory.state(middle)[0],
        scene.pointing.sun,
        scene.axis,
        middle,
    )
    # Clouds of 20 % shift the balance of a disc 40 degrees wide; samples stand 3.7 degrees apart.
    assert np.degrees(Rotation.from_matrix(turn @ scene.turn.T).magnitude()) < 3.0
