"""The kernel that lays an image into a tile of a mosaic.

Coarse planes lie on cells of a whole number of pixels to a side and are taken bilinearly between their centres.
"""

import functools
from typing import Final

import numba
import numpy as np

#: The best image gives the detail: images count by this power of their weight, made of three squares.
WINNER_POWER: Final = 8
#: Weights below this part of the best one are taken as this, so that their power is still a number.
LEAST_WEIGHT: Final = 1e-4
#: A clipped pixel counts as if its weight were this part of what it is.
CLIPPED: Final = 0.03

jit = functools.partial(numba.njit, cache=True, fastmath={"contract", "reassoc", "arcp", "nsz"}, error_model="numpy")

_LAY = (
    "void(Array(float32, 3, 'C', readonly=True), Array(float32, 3, 'C', readonly=True), "
    "Array(float32, 2, 'C', readonly=True), Array(float32, 3, 'C', readonly=True), "
    "Array(int64, 1, 'C', readonly=True), Array(float32, 1, 'C', readonly=True), "
    "UniTuple(int64, 3), float32[:, :, ::1], float32[:, :, ::1], float32[:, :, ::1])"
)
_FINISH = (
    "void(Array(float32, 3, 'C', readonly=True), UniTuple(int64, 3), float32[:, :, ::1], float32[:, :, ::1], "
    "float32[:, :, ::1])"
)


@jit()
def _between(at, step, cells):  # type: ignore[no-untyped-def]
    """Lower cell, upper cell and the part of the upper one for the centre of a pixel."""
    place = (at + 0.5) / step - 0.5
    low = int(np.floor(place))
    part = np.float32(place - low)
    return max(min(low, cells - 1), 0), max(min(low + 1, cells - 1), 0), part


@jit()
def _mixed(plane, corner, k):  # type: ignore[no-untyped-def]
    """Bilinear value of one of several planes."""
    j, jj, i, ii, fy, fx = corner
    upper = plane[j, i, k] + fx * (plane[j, ii, k] - plane[j, i, k])
    lower = plane[jj, i, k] + fx * (plane[jj, ii, k] - plane[jj, i, k])
    return upper + fy * (lower - upper)


@jit(_LAY, parallel=True)
def lay_kernel(  # type: ignore[no-untyped-def]
    values, framed, sources, coarse, planes, limits, place, total, mass, best
):
    """Add the detail of an image to that of a tile.

    ``values`` and ``framed`` (row, column, band) are what was sampled, with its weight; ``sources`` (row, column), or
    one for all, is its number; ``coarse`` (cell row, cell column, 2 band + 3) holds the factors of the bands, their
    low frequencies, the weight over the best image's there, the weight, and a margin that is positive where the image
    may be used; ``planes`` tells where the bands go, ``limits`` where they clip;
    ``place`` is the first row and column of the tile, and the pixels to a cell. ``total`` and ``mass`` (row, column,
    plane) grow; ``best`` (row, column, 2) has the weight of the best image so far and its number.
    """
    first, left, step = place
    bands = values.shape[2]
    for count in numba.prange(values.shape[0]):
        # The loop counts in unsigned numbers, in which sums of indices are not typed.
        j = np.int64(count)
        j0, j1, fy = _between(first + j, step, coarse.shape[0])
        row = min(j, sources.shape[0] - 1)
        for i in range(values.shape[1]):
            sure = framed[j, i, 0]
            for b in range(1, bands):
                sure = min(sure, framed[j, i, b])
            if not sure > 0.0:
                continue
            i0, i1, fx = _between(left + i, step, coarse.shape[1])
            corner = (j0, j1, i0, i1, fy, fx)
            weight = _mixed(coarse, corner, 2 * bands + 1) * sure
            if not (weight > 0.0 and _mixed(coarse, corner, 2 * bands + 2) > 0.0):
                continue
            known, clipped = True, np.float32(1.0)
            for b in range(bands):
                value = values[j, i, b]
                if value != value:
                    known = False
                elif value >= limits[b]:
                    clipped = np.float32(CLIPPED)
            if not known:
                continue
            weight *= clipped
            power = max(_mixed(coarse, corner, 2 * bands) * sure * clipped, np.float32(LEAST_WEIGHT))
            power *= power
            power *= power
            power *= power
            for b in range(bands):
                detail = values[j, i, b] * _mixed(coarse, corner, b) - _mixed(coarse, corner, bands + b)
                total[j, i, planes[b]] += power * detail
                mass[j, i, planes[b]] += power
            if weight > best[j, i, 0]:
                best[j, i, 0] = weight
                best[j, i, 1] = sources[row, min(i, sources.shape[1] - 1)]


@jit(_FINISH, parallel=True)
def finish_kernel(common, place, total, mass, out):  # type: ignore[no-untyped-def]
    """Put the detail upon the common low frequencies (cell row, cell column, plane); NaN where no image is."""
    first, left, step = place
    for count in numba.prange(total.shape[0]):
        j = np.int64(count)
        j0, j1, fy = _between(first + j, step, common.shape[0])
        for i in range(total.shape[1]):
            i0, i1, fx = _between(left + i, step, common.shape[1])
            corner = (j0, j1, i0, i1, fy, fx)
            for k in range(total.shape[2]):
                if mass[j, i, k] > 0.0:
                    out[j, i, k] = total[j, i, k] / mass[j, i, k] + _mixed(common, corner, k)
                else:
                    out[j, i, k] = np.nan
