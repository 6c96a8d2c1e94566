"""I/F and its stated uncertainty against scenes that the simulated camera of each era exposed."""

from dataclasses import replace

import numpy as np
import pytest

from perijove.archive.framelets import FrameletStack
from perijove.calibrate.repair import Repairs
from perijove.calibrate.stack import CalibratedStack, calibrate
from perijove.constants import FRAMELET_LINES, FRAMELET_SAMPLES
from perijove.simulate.detector import expose
from perijove.simulate.era import era
from perijove.simulate.flyby import plan_flyby

FRAMES, STEP_LINES = 14, 115
#: Levels of I/F at which figures are taken, from and to.
LEVELS = ((0.02, 0.06), (0.06, 0.15), (0.15, 0.3), (0.3, 0.5))


def rolling_clouds(bands: int) -> np.ndarray:
    """Framelets of sky, terminator and smooth clouds that move on by 115 lines, (frame, band, line, sample)."""
    y = np.arange(FRAMES * STEP_LINES + FRAMELET_LINES)
    x = np.arange(FRAMELET_SAMPLES)
    height = y[-1]
    level = np.interp(y, np.array([0.0, 0.15, 0.3, 0.8, 0.9, 1.0]) * height, [0.0, 0.0, 0.04, 0.45, 0.02, 0.0])
    texture = 1.0 + 0.1 * np.sin(y[:, None] / 37 + x / 53) + 0.05 * np.sin(x / 19 - y[:, None] / 23)
    scene = level[:, None] * texture
    frames = [scene[STEP_LINES * i : STEP_LINES * i + FRAMELET_LINES] for i in range(FRAMES)]
    shades = (0.9, 1.0, 0.92)[:bands] if bands > 1 else (0.15,)
    return np.stack([[shade * frame for shade in shades] for frame in frames]).astype(np.float32)


def seen(age: str, letter: str) -> tuple[np.ndarray, CalibratedStack]:
    """Truth behind the camera's own response, and what was made of the image; noise is left in."""
    flyby = plan_flyby(30, 5, 3)
    image = next(i for i in flyby.images if i.label.product_id.filter_letter == letter)
    label = replace(image.label, frames=FRAMES)
    truth = rolling_clouds(len(label.bands))
    exposure = expose(truth, label, flyby.spin.rate_rad_s, era(age), 3)
    calibrated = calibrate(FrameletStack(label, exposure.codes, ()), repairs=Repairs(noise="off"), sigma=True)
    # Response is a matter of flat fields: here it is known.
    return truth * exposure.flat, calibrated


@pytest.mark.parametrize("age", ["clean", "pj30"])
def test_bias_and_scatter(age: str) -> None:
    truth, calibrated = seen(age, "C")
    for band in range(3):
        good = (calibrated.quality[:, band] == 0) & np.isfinite(calibrated.i_over_f[:, band])
        for low, high in LEVELS:
            at = good & (truth[:, band] >= low) & (truth[:, band] < high)
            assert np.count_nonzero(at) > 10_000
            error = calibrated.i_over_f[:, band][at] / truth[:, band][at] - 1.0
            # The figures of the project: 0.5 % and 2 %; shot noise alone is more than 2 % below an I/F of 0.3 in blue.
            assert abs(float(error.mean())) < 0.005
            if low >= 0.3:
                assert float(error.std()) < 0.02


@pytest.mark.parametrize("letter", ["C", "M"])
@pytest.mark.parametrize("age", ["clean", "pj30", "pj56"])
def test_stated_uncertainty_is_that_of_the_residuals(age: str, letter: str) -> None:
    truth, calibrated = seen(age, letter)
    assert calibrated.sigma is not None
    lowest = 0.02 if letter == "C" else 0.005
    for band in range(truth.shape[1]):
        good = (calibrated.quality[:, band] == 0) & np.isfinite(calibrated.sigma[:, band]) & (truth[:, band] > lowest)
        residual = (calibrated.i_over_f[:, band] - truth[:, band])[good] / calibrated.sigma[:, band][good]
        low, high = np.percentile(residual, [15.87, 84.13])
        assert 0.9 < (high - low) / 2 < 1.1
