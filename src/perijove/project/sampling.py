"""Samples between pixels of one framelet, for the gather kernel: bilinear and bicubic, single precision.

A framelet is named by the index of its first pixel in the flat stack; pixel coordinates have their centres at + 0.5.
"""

import functools
import math
from typing import Final

import numba
import numpy as np

_ONE: Final = np.uint64(1)
# Literals would turn the kernel's single precision into double.
_HALF, _TWO, _THREE, _FOUR, _FIVE = (np.float32(v) for v in (0.5, 2, 3, 4, 5))

# Sums may be re-associated and fused; NaN keeps its meaning. Division by zero gives infinity, as in numpy.
jit = functools.partial(numba.njit, cache=True, fastmath={"contract", "reassoc", "arcp", "nsz"}, error_model="numpy")


@jit()
def bilinear(pixels, framelet, samples, x, y):  # type: ignore[no-untyped-def]
    """Bilinear sample at pixel coordinates at least half a pixel inside a framelet; NaN if a neighbour is."""
    x -= 0.5
    y -= 0.5
    i, j = int(x), int(y)
    fx, fy = np.float32(x - i), np.float32(y - j)
    # Unsigned indices: signed ones would be tested for counting from the end.
    at = np.uint64(framelet + j * samples + i)
    below = at + np.uint64(samples)
    a, b = pixels[at], pixels[at + _ONE]
    c, d = pixels[below], pixels[below + _ONE]
    top = a + fx * (b - a)
    return top + fy * (c + fx * (d - c) - top)


@jit()
def _bilinear_of_the_known(pixels, framelet, samples, x, y):  # type: ignore[no-untyped-def]
    """Bilinear sample of the neighbours that are known, if they carry half of the weight or more, else NaN."""
    i, j = int(x - 0.5), int(y - 0.5)
    fx, fy = x - 0.5 - i, y - 0.5 - j
    at = framelet + j * samples + i
    total, weight = 0.0, 0.0
    for step, w in (
        (0, (1 - fx) * (1 - fy)),
        (1, fx * (1 - fy)),
        (samples, (1 - fx) * fy),
        (samples + 1, fx * fy),
    ):
        value = pixels[at + step]
        if value == value:
            total += w * value
            weight += w
    return np.float32(total / weight) if weight >= 0.5 else np.float32(math.nan)


@jit()
def _cubic_weights(t):  # type: ignore[no-untyped-def]
    """Catmull-Rom weights of the four neighbours at fraction t, single precision (Keys 1981, a = -1/2)."""
    t2 = t * t
    t3 = t2 * t
    return (
        _HALF * (_TWO * t2 - t3 - t),
        _HALF * (_THREE * t3 - _FIVE * t2 + _TWO),
        _HALF * (_FOUR * t2 - _THREE * t3 + t),
        _HALF * (t3 - t2),
    )


@jit()
def bicubic(pixels, framelet, samples, x, y):  # type: ignore[no-untyped-def]
    """Catmull-Rom sample at least two pixels inside a framelet; NaN if a neighbour is."""
    i, j = int(x - 0.5), int(y - 0.5)
    w0, w1, w2, w3 = _cubic_weights(np.float32(x - 0.5 - i))
    at = np.uint64(framelet + (j - 1) * samples + i - 1)
    value = np.float32(0.0)
    for v in _cubic_weights(np.float32(y - 0.5 - j)):
        p, q = pixels[at], pixels[at + _ONE]
        r, s = pixels[at + _ONE + _ONE], pixels[at + _ONE + _ONE + _ONE]
        value += v * (w0 * p + w1 * q + w2 * r + w3 * s)
        at += np.uint64(samples)
    return value


@jit()
def careful(pixels, framelet, samples, x, y, cubic):  # type: ignore[no-untyped-def]
    """Sample that falls back, where neighbours are unknown, from cubic to linear to the known ones."""
    value = bicubic(pixels, framelet, samples, x, y) if cubic else bilinear(pixels, framelet, samples, x, y)
    return value if value == value else _bilinear_of_the_known(pixels, framelet, samples, x, y)
