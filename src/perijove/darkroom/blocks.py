"""Work on each pixel alone, a few rows at a time: what is at hand stays in the cache, and all cores help."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Planes = npt.NDArray[np.float32]

#: Pixels of a block.
_BLOCK_PX: Final = 32_768


def by_rows(work: Callable[..., tuple[Planes, ...]], *planes: Planes) -> tuple[Planes, ...]:
    """Apply a function of pixels to blocks of rows.

    Parameters
    ----------
    work : callable
        From blocks of the planes to a tuple of planes of as many rows, in which each pixel depends on its own alone.
    planes : ndarray, (height, ...), float32

    Returns
    -------
    tuple of ndarray, float32

    Examples
    --------
    >>> by_rows(lambda a: (2 * a,), np.ones((3, 2), np.float32))[0].tolist()
    [[2.0, 2.0], [2.0, 2.0], [2.0, 2.0]]
    """
    height = len(planes[0])
    if planes[0].ndim < 2 or planes[0].size < 2 * _BLOCK_PX:
        return tuple(np.asarray(made, np.float32) for made in work(*planes))
    rows = max(_BLOCK_PX // planes[0].shape[1], 1)
    blocks = [slice(first, min(first + rows, height)) for first in range(0, height, rows)]
    first = work(*(plane[blocks[0]] for plane in planes))
    out = tuple(np.empty((height, *made.shape[1:]), np.float32) for made in first)

    def keep(block: slice, made: tuple[Any, ...]) -> None:
        for whole, part in zip(out, made, strict=True):
            whole[block] = part

    keep(blocks[0], first)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(lambda block: keep(block, work(*(plane[block] for plane in planes))), blocks[1:]))
    return out
