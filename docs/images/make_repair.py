"""Draw repair.jpg: a framelet of an aged camera as it came, repaired, without noise, and how far it may be trusted.

Usage: ``python docs/images/make_repair.py``. All of it is simulated.
"""

import sys
from pathlib import Path

import cv2
import numpy as np

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1] / "benchmarks"))

from perijove.calibrate.repair import Repairs  # noqa: E402
from perijove.calibrate.stack import calibrate  # noqa: E402
from repair import NEAR_KM, Trial  # noqa: E402

FRAME, BAND, PART = 20, 1, slice(500, 1300)


def main() -> None:
    """Write the picture."""
    trial = Trial("pj56", 2, NEAR_KM)
    calm = calibrate(trial.stack)
    repaired = calibrate(trial.stack, repairs=Repairs(noise="off"))
    plain = calibrate(trial.stack, repairs=Repairs.none())
    at = FRAME, BAND, slice(None), PART
    truth = trial.truth[at] * trial.exposure.flat[BAND][:, PART]
    low, high = np.percentile(truth, [0.5, 99.5])
    strips = [(stack.i_over_f[at] - low) / (high - low) for stack in (plain, repaired, calm)]
    strips += [(truth - low) / (high - low), calm.confidence[at]]  # type: ignore[index]
    grey = np.concatenate([np.pad(np.nan_to_num(strip), ((0, 6), (0, 0)), constant_values=1.0) for strip in strips])
    cv2.imwrite(str(HERE / "repair.jpg"), np.clip(255 * grey, 0, 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, 88])


if __name__ == "__main__":
    main()
