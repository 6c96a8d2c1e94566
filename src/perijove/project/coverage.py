"""Which tiles of a map an image sees."""

from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt

from perijove.project.grid import MapGrid
from perijove.project.resample import Framelets, gather

#: Points of a map that are tried, and pixels between them at most.
_SAMPLES: Final = 2**18
_MAX_STEP_PX: Final = 64
#: Rows of points that are tried at a time, which bounds memory.
_BLOCK_ROWS: Final = 128


def tiles_seen(
    grid: MapGrid, framelets: Framelets, also_km: npt.NDArray[np.float64], side: int
) -> Iterator[tuple[slice, slice]]:
    """Tiles (rows, columns) of a map in which framelets see ground, row by row.

    Parameters
    ----------
    grid : MapGrid
    framelets : Framelets
    also_km : ndarray, (n, 3)
        Points, body-fixed, that are seen for certain: they find what is smaller than the distance of points tried.
    side : int
        Pixels to a side of a tile.
    """
    step = int(np.clip(np.ceil(np.sqrt(grid.width * grid.height / _SAMPLES)), 1, _MAX_STEP_PX))
    found = [also_km]
    for first in range(0, grid.height, step * _BLOCK_ROWS):
        rows = slice(first, min(first + step * _BLOCK_ROWS, grid.height), step)
        ground = grid.ground(rows, slice(0, None, step))
        _, weights = gather(ground, framelets)
        found.append(ground[weights.any(axis=-1)])
    yield from grid.tiles(side, np.concatenate(found), reach_px=step)
