"""Kernels of a simulated flyby, read as any others."""

from pathlib import Path

import numpy as np
import pytest

from perijove.geometry.attitude import attitude_from_kernels
from perijove.geometry.ephemeris import trajectory_from_kernels
from perijove.geometry.kernels import KernelFolder, read_attitude, read_states
from perijove.simulate.flyby import Flyby
from perijove.simulate.kernels import write_kernels


def test_round_trip(flyby: Flyby, tmp_path: Path) -> None:
    written = write_kernels(tmp_path / "kernels", flyby)
    assert [path.suffix for path in written] == [".tls", ".tsc", ".bsp", ".bsp", ".bc"]
    folder = KernelFolder.find(tmp_path / "kernels")
    for image in flyby.images:
        et = image.pointing.et
        states, attitude = read_states(folder, et), read_attitude(folder, et)
        assert states is not None
        assert attitude is not None
        # Polynomials through knots ten seconds apart, against cubic ones through the same: below a metre.
        np.testing.assert_allclose(states[0], image.pointing.position_km, rtol=0, atol=1e-5)
        np.testing.assert_allclose(states[1], image.pointing.velocity_km_s, rtol=0, atol=1e-6)
        # A constant rate between knots a second apart, while the axis nutates by 1e-5 rad.
        np.testing.assert_allclose(attitude[0], image.spacecraft_to_j2000, rtol=0, atol=1e-6)
        np.testing.assert_allclose(attitude[1], flyby.spin.attitude(et)[1], rtol=0, atol=1e-6)
    # Between images there is no attitude.
    gap = (flyby.images[0].pointing.et[-1] + flyby.images[1].pointing.et[0]) / 2
    assert read_attitude(folder, np.array([gap])) is None


@pytest.mark.parametrize("late", [6.0, -2.5])
def test_a_prediction_is_late_along_its_track(late: float, flyby: Flyby, tmp_path: Path) -> None:
    written = write_kernels(tmp_path, flyby, predicted_offset_s=late)
    assert not [path for path in written if path.suffix == ".bc"]
    folder = KernelFolder.find(tmp_path)
    for image in flyby.images[2:10:3]:
        label, et = image.label, image.pointing.et
        assert attitude_from_kernels(folder, et) is None
        trajectory = trajectory_from_kernels(label, folder)
        assert trajectory is not None
        # The label's rounding, 0.2 km, over 20 to 58 km/s.
        assert trajectory.label_offset_s == pytest.approx(late, abs=0.02)
        assert np.linalg.norm(trajectory.state(et)[0] - image.pointing.position_km, axis=1).max() < 1.0
