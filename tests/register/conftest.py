"""What the tests of the room share: the window of summed framelets, and how to compare two pointings."""

from typing import Any

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from perijove.geometry.ephemeris import mid_time


class Compare:
    """A pointing against the truth of its scene."""

    def __init__(self, synthetic: Any) -> None:
        self.synthetic = synthetic

    def target(self, scene: Any) -> np.ndarray:
        """Direction from Juno to the planet's centre at mid-image, J2000."""
        position = scene.trajectory.state(mid_time(scene.label))[0]
        return -position / np.linalg.norm(position)

    def turn(self, scene: Any, pointing: Any) -> np.ndarray:
        """Rotation vector from the true to the solved attitude at mid-image, radians, J2000."""
        middle = pointing.mid_frame
        matrix = pointing.camera_to_j2000[middle] @ scene.pointing.camera_to_j2000[middle].T
        return Rotation.from_matrix(matrix).as_rotvec()

    def roll(self, scene: Any, pointing: Any) -> float:
        """Error of the roll about the direction to the planet, radians."""
        return float(self.turn(scene, pointing) @ self.target(scene))

    def disc(self, scene: Any, pointing: Any) -> np.ndarray:
        """Pixel error of ground points all over the disc, (n, 2)."""
        out = []
        for band in scene.label.bands:
            frame, pixel, ground = self.synthetic.disc_grid(scene, band)
            seen = self.synthetic.project(pointing, band, ground)
            out.append(seen[frame, np.arange(len(frame))] - pixel)
        return np.concatenate(out)

    def without_roll(self, scene: Any, pointing: Any) -> Any:
        """Turn the pointing back about the direction to the planet."""
        from dataclasses import replace

        back = Rotation.from_rotvec(-self.roll(scene, pointing) * self.target(scene)).as_matrix()
        return replace(pointing, camera_to_j2000=back @ pointing.camera_to_j2000)


@pytest.fixture(scope="session")
def compare(synthetic: Any) -> Compare:
    return Compare(synthetic)


@pytest.fixture(params=["earth_scene", "tilted_scene"])
def scene(request: pytest.FixtureRequest) -> Any:
    return request.getfixturevalue(request.param)
