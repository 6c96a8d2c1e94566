"""How far a solved pointing is from the true one."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from perijove.constants import FRAMELET_LINES, FRAMELET_SAMPLES
from perijove.geometry.pointing import Pointing

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

#: Columns and rows of the grid on which pointings are compared in each framelet.
_COLUMNS, _ROWS = 33, 5
_EDGE_PX: Final = 26


@dataclass(frozen=True)
class Samples:
    """Pixels of one band that see the planet, and the true ground there.

    Attributes
    ----------
    band : str
    frame : ndarray of int, (n,)
    xy : ndarray, (n, 2)
        Pixel coordinates.
    ground_km : ndarray, (n, 3)
        Body-fixed.
    """

    band: str
    frame: Integers
    xy: Floats
    ground_km: Floats

    def offsets_px(self, solved: Pointing) -> Floats:
        """Where a solved pointing puts the ground, less where it was seen, (n, 2); NaN where it puts it nowhere."""
        seen = np.stack(solved.pixels(self.band, self.frame, self.ground_km), axis=-1)
        return np.asarray(seen - self.xy)


def samples(true: Pointing) -> Iterator[Samples]:
    """Sample all framelets on a grid, band by band.

    Parameters
    ----------
    true : Pointing

    Yields
    ------
    Samples
    """
    for band, camera in true.cameras.items():
        across, down = FRAMELET_SAMPLES / camera.sampling_factor, FRAMELET_LINES / camera.sampling_factor
        x, y, frame = np.meshgrid(
            np.linspace(_EDGE_PX, across - _EDGE_PX, _COLUMNS),
            np.linspace(1.0, down - 1.0, _ROWS),
            np.arange(true.frames),
        )
        ground = true.ground(band, frame, x, y)
        hit = np.isfinite(ground[..., 0])
        yield Samples(band, frame[hit], np.stack([x[hit], y[hit]], axis=-1), ground[hit])


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
    distances = np.concatenate([np.linalg.norm(part.offsets_px(solved), axis=-1) for part in samples(true)])
    return np.asarray(distances[np.isfinite(distances)])
