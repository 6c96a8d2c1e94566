"""Large pictures a few rows at a time: what is at hand stays in the cache, and all cores help."""

import math
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Final, TypeVar

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Item = TypeVar("Item")
Made = TypeVar("Made")

#: Pixels of a block.
_BLOCK_PX: Final = 131_072
#: Rows of a block, as so many times the rows that are seen beyond it.
_ROWS_OVER_HALO: Final = 8
#: Set in threads that work on a block: what they call does not share its own work out again.
_within = threading.local()


def by_rows(work: Callable[..., Sequence[Array]], *planes: Array, halo: int = 0) -> tuple[Array, ...]:
    """Apply a function of pixels to blocks of rows.

    Parameters
    ----------
    work : callable
        From blocks of the planes to a sequence of planes of as many rows.
    planes : ndarray, (height, width, ...)
    halo : int
        Each pixel depends on no others than those up to so many rows away. Blocks begin at multiples of it.

    Returns
    -------
    tuple of ndarray
        Of the types that ``work`` gives.

    Examples
    --------
    >>> by_rows(lambda a: (2 * a,), np.ones((3, 2), np.float32))[0].tolist()
    [[2.0, 2.0], [2.0, 2.0], [2.0, 2.0]]
    """
    height = len(planes[0])
    rows = max(_BLOCK_PX // max(math.prod(planes[0].shape[1:2]), 1), _ROWS_OVER_HALO * halo, 1)
    rows -= rows % halo if halo else 0
    if height < 2 * rows or getattr(_within, "work", False):
        return tuple(work(*planes))
    out: list[Array] = []

    def part(first: int) -> None:
        last = min(first + rows, height)
        begin, end = max(first - halo, 0), min(last + halo, height)
        _within.work = True
        try:
            made = work(*(plane[begin:end] for plane in planes))
        finally:
            _within.work = False
        if not out:
            out.extend(np.empty((height, *plane.shape[1:]), plane.dtype) for plane in made)
        for whole, plane in zip(out, made, strict=True):
            whole[first:last] = plane[first - begin : last - begin]

    part(0)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(part, range(rows, height, rows)))
    return tuple(out)


def thinned(size: int, pixels: int) -> tuple[slice, slice]:
    """Every second, third or so on row and column: of so many pixels no more than about four times ``pixels``.

    Examples
    --------
    >>> np.arange(16).reshape(4, 4)[thinned(16, 4)].tolist()
    [[0, 2], [8, 10]]
    """
    step = slice(None, None, max(1, math.isqrt(size // pixels)))
    return step, step


def sampled(planes: Array, where: npt.NDArray[np.bool_], pixels: int) -> Array:
    """Enough of the pixels of a mask to tell a level, (n, ...): `thinned`, unless that leaves none.

    Examples
    --------
    >>> sampled(np.arange(16).reshape(4, 4), np.arange(16).reshape(4, 4) == 5, 4)
    array([5])
    """
    thin = thinned(where.size, pixels)
    found = planes[thin][where[thin]]
    return found if len(found) else planes[where]


def ahead(work: Callable[[Item], Made], items: Iterable[Item]) -> Iterator[tuple[Item, Made]]:
    """Items and what is made of each, while that of the next one is being made.

    Examples
    --------
    >>> list(ahead(lambda n: 2 * n, [1, 2, 3]))
    [(1, 2), (2, 4), (3, 6)]
    """
    with ThreadPoolExecutor(1) as pool:
        begun: tuple[Item, Future[Made]] | None = None
        for item in items:
            after = (item, pool.submit(work, item))
            if begun:
                yield begun[0], begun[1].result()
            begun = after
        if begun:
            yield begun[0], begun[1].result()


def at_once(work: Callable[[Item], Made], items: Iterable[Item]) -> list[Made]:
    """What is made of each item, as many at once as there are cores."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(work, items))
