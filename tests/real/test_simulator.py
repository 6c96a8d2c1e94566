"""The simulator's ground points and kernels against SPICE with the mission's frames, instrument and planet kernels."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from perijove.simulate.flyby import Flyby, Mounting, plan_flyby
from perijove.simulate.kernels import write_kernels


@pytest.fixture
def flyby() -> Flyby:
    """A camera that is exactly that of the kernels."""
    return plan_flyby(44, 6, seed=1, mounting=Mounting(0.0, 0.0, 0.0))


@pytest.fixture
def spice(flyby: Flyby, real_data: Path, tmp_path: Path) -> Iterator[Any]:
    import spiceypy

    spiceypy.kclear()
    folder = real_data / "spice"
    mission = [folder / name for name in ("pck00010.tpc", "juno_v12.tf", "juno_junocam_v03.ti")]
    spiceypy.furnsh([str(path) for path in (*mission, *write_kernels(tmp_path, flyby))])
    yield spiceypy
    spiceypy.kclear()


@pytest.mark.parametrize("index", range(6))
def test_ground_against_sincpt(index: int, flyby: Flyby, spice: Any) -> None:
    image = flyby.images[index]
    pointing = image.pointing
    rng = np.random.default_rng(index)
    errors = []
    for band in image.label.bands:
        frame = rng.integers(0, pointing.frames, 120)
        x, y = rng.uniform(25, 1629, 120), rng.uniform(1, 127, 120)
        ground = pointing.ground(band, frame, x, y)
        seen = pointing.cameras[band].directions(x, y)
        for i in np.flatnonzero(np.isfinite(ground[:, 0])):
            et = float(pointing.et[frame[i]])
            try:
                # The surface point and the vector to it from the spacecraft, light time and aberration included.
                point, _, sight = spice.sincpt(
                    "ELLIPSOID", "JUPITER", et, "IAU_JUPITER", "CN+S", "JUNO", "JUNO_JUNOCAM", seen[i]
                )
            except spice.exceptions.NotFoundError:
                continue
            normal = point / np.array([71492.0, 71492.0, 66854.0]) ** 2
            if -normal @ sight / np.linalg.norm(normal) / np.linalg.norm(sight) < 0.1:
                continue
            # What stands across the line of sight, in pixels.
            way = np.linalg.norm(sight)
            errors.append(np.linalg.norm(np.cross(ground[i] - point, sight / way)) / way * 1480.59)
    assert len(errors) > 20
    # CN+S to second order in 1e-4, cubic polynomials for the trajectory, a CK with knots a second apart.
    assert max(errors) < 0.01
