"""The kernel of taking noise out: shrinks the frequencies of every patch of a framelet."""

import functools
from typing import Final

import numba
import numpy as np
import numpy.typing as npt

Float = npt.NDArray[np.float32]

#: Side of a patch, pixels.
SIDE: Final = 8

jit = functools.partial(
    numba.njit, cache=True, nogil=True, error_model="numpy", fastmath={"contract", "reassoc", "nsz"}
)


def _cosines() -> Float:
    """Orthonormal cosine transform, (frequency, place)."""
    k, n = np.mgrid[:SIDE, :SIDE]
    basis = np.sqrt(2.0 / SIDE) * np.cos(np.pi * (n + 0.5) * k / SIDE)
    basis[0] = np.sqrt(1.0 / SIDE)
    return np.asarray(basis, np.float32)


_BASIS: Final = _cosines()
_BASIS_T: Final = np.ascontiguousarray(_BASIS.T)
_ZERO, _ONE = np.float32(0.0), np.float32(1.0)


@jit()
def _product(left, right, out):  # type: ignore[no-untyped-def]
    """Product of two 8 x 8 matrices."""
    for a in range(8):
        for b in range(8):
            out[a, b] = _ZERO
        for i in range(8):
            w = left[a, i]
            for b in range(8):
                out[a, b] += w * right[i, b]


@jit("void(float32[:, ::1], float32[:, ::1], float32[:, ::1], int64, float32, float32[:, :, ::1])")
def shrink(values, pilot, variance, step, threshold, sums):  # type: ignore[no-untyped-def]
    """One pass over all patches of a framelet: sums of weighted values, weights and weighted error variances.

    ``threshold`` above zero drops weak frequencies; zero weighs them by ``pilot``, the result of that.
    """
    lines, samples = values.shape
    patch = np.empty((8, 8), np.float32)
    half = np.empty((8, 8), np.float32)
    own = np.empty((8, 8), np.float32)
    guide = np.empty((8, 8), np.float32)
    last_y, last_x = lines - 8, samples - 8
    for y in range(0, last_y + step, step):
        top = min(y, last_y)
        for x in range(0, last_x + step, step):
            left = min(x, last_x)
            noise = variance[top + 4, left + 4]
            for i in range(8):
                for j in range(8):
                    patch[i, j] = values[top + i, left + j]
            _product(_BASIS, patch, half)
            _product(half, _BASIS_T, own)
            passed, missed = _ZERO, _ZERO
            if threshold > _ZERO:
                limit = threshold * threshold * noise
                mean = own[0, 0]
                for i in range(8):
                    for j in range(8):
                        c = own[i, j]
                        kept = c * c > limit
                        own[i, j] = c if kept else _ZERO
                        passed += _ONE if kept else _ZERO
                if own[0, 0] == _ZERO:
                    own[0, 0] = mean
                    passed += _ONE
                missed = passed
            else:
                for i in range(8):
                    for j in range(8):
                        patch[i, j] = pilot[top + i, left + j]
                _product(_BASIS, patch, half)
                _product(half, _BASIS_T, guide)
                for i in range(8):
                    for j in range(8):
                        power = guide[i, j] * guide[i, j]
                        gain = power / (power + noise)
                        if i + j == 0:
                            gain = _ONE
                        own[i, j] *= gain
                        passed += gain * gain
                        missed += gain
            weight = _ONE / (passed * noise)
            error = missed * noise * np.float32(1.0 / 64.0)
            _product(_BASIS_T, own, half)
            _product(half, _BASIS, patch)
            for i in range(8):
                for j in range(8):
                    sums[0, top + i, left + j] += weight * patch[i, j]
                    sums[1, top + i, left + j] += weight
                    sums[2, top + i, left + j] += weight * error
