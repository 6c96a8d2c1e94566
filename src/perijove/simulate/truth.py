"""How far a solved pointing is from the true one."""

from typing import Final

import numpy as np
import numpy.typing as npt

from perijove.constants import FRAMELET_LINES, FRAMELET_SAMPLES
from perijove.geometry.pointing import Pointing

Floats = npt.NDArray[np.float64]

#: Columns and rows of the grid on which pointings are compared in each framelet.
_COLUMNS, _ROWS = 33, 5
_EDGE_PX: Final = 26


def ground_error_px(solved: Pointing, true: Pointing) -> Floats:
    """Where solved pointings put the true ground of sampled pixels, against where these pixels are.

    Parameters
    ----------
    solved, true : Pointing
        Of the same image.

    Returns
    -------
    ndarray, (n,)
        Distances in pixels of all bands' and frames' samples that see the planet.
    """
    errors = []
    for band, camera in true.cameras.items():
        samples, lines = FRAMELET_SAMPLES / camera.sampling_factor, FRAMELET_LINES / camera.sampling_factor
        x, y, frame = np.meshgrid(
            np.linspace(_EDGE_PX, samples - _EDGE_PX, _COLUMNS),
            np.linspace(1.0, lines - 1.0, _ROWS),
            np.arange(true.frames),
        )
        frame = frame.astype(int)
        ground = true.ground(band, frame, x, y)
        seen_x, seen_y = solved.pixels(band, frame, ground)
        distance = np.hypot(seen_x - x, seen_y - y)
        errors.append(distance[np.isfinite(distance)])
    return np.concatenate(errors)
