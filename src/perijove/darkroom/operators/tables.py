"""What operators share: tables in place of functions, weighted bases, and the way back into what can be shown."""

from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Plane = npt.NDArray[np.float32]
Planes = npt.NDArray[np.float32]

#: Luminance of linear sRGB (IEC 61966-2-1), and of Display P3 within a few percent.
LUMINANCE: Final = np.array([[0.2126, 0.7152, 0.0722]], np.float32)
#: Intervals of a table; with linear interpolation a smooth curve is true to far less than a 16-bit level.
INTERVALS: Final = 8192
#: Values taken at a time: they and the table stay in the processor's cache.
_BLOCK: Final = 1 << 16
#: A base is found on cells so that its radius is about as many of them.
_CELLS: Final = 5
_TINY: Final = np.float32(1e-6)


def table_of(x: npt.ArrayLike, y: npt.ArrayLike) -> Plane:
    """Monotone cubic through points as a table over 0 to 1; level beyond the first and the last point.

    Notes
    -----
    PCHIP: Fritsch & Butland 1984 (SIAM J. Sci. Stat. Comput. 5:300). It has no overshoot, so that a rising row of
    points never gives a falling curve.
    """
    from scipy.interpolate import PchipInterpolator

    first, last = np.asarray(x, float)[[0, -1]]
    at = np.linspace(0.0, 1.0, INTERVALS + 1)
    return np.asarray(PchipInterpolator(x, y)(np.clip(at, first, last)), np.float32)


def looked_up(table: Plane, values: Plane) -> Plane:
    """Values through a table over 0 to 1, with linear interpolation; what lies beyond stays beyond by as much."""
    steps = np.append(np.diff(table), np.float32(0)).astype(np.float32)
    flat = np.ascontiguousarray(values, np.float32).reshape(-1)
    out = np.empty_like(flat)
    for start in range(0, len(flat), _BLOCK):
        part, block = out[start : start + _BLOCK], flat[start : start + _BLOCK]
        inside = np.clip(block, 0, 1)
        at = inside * np.float32(len(table) - 1)
        cell = at.astype(np.int32)
        at -= cell
        np.take(table, cell, out=part, mode="clip")
        part += at * steps.take(cell, mode="clip")
        part += block - inside
    return out.reshape(values.shape)


def power(values: Plane, exponent: float) -> Plane:
    """Powers of what is not below 0."""
    import cv2

    flat = np.ascontiguousarray(np.maximum(values, 0), np.float32).reshape(-1, 1)
    return np.asarray(cv2.pow(flat, exponent), np.float32).reshape(values.shape)


def luminance(colour: Planes) -> Plane:
    """Luminance of linear colours, luma of others, (height, width)."""
    import cv2

    return np.asarray(cv2.transform(np.ascontiguousarray(colour, np.float32), LUMINANCE), np.float32)


def contained(colour: Planes, before: Planes) -> Planes:
    """Colours with as much less chroma, at their luminance, as it takes not to leave 0 to 1.

    What left it ``before`` may do so as far.
    """
    import cv2

    low, high, _, _ = cv2.minMaxLoc(np.ascontiguousarray(colour, np.float32).reshape(-1, 1))
    if low >= 0 and high <= 1:
        return colour
    outside = cv2.inRange(colour, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)) == 0
    picked, was = colour[outside], before[outside]
    floor = np.minimum(was.min(axis=-1), 0)[:, None]
    ceiling = np.maximum(was.max(axis=-1), 1)[:, None]
    grey = np.clip(picked @ LUMINANCE.T, floor, ceiling)
    down = (grey - floor) / np.maximum(grey - picked.min(axis=-1, keepdims=True), _TINY)
    up = (ceiling - grey) / np.maximum(picked.max(axis=-1, keepdims=True) - grey, _TINY)
    colour = colour.copy()
    colour[outside] = grey + np.clip(np.minimum(down, up), 0, 1) * (picked - grey)
    return colour


def smoothstep(x: Plane) -> Plane:
    """0 below 0, 1 above 1, 3x^2 - 2x^3 between."""
    x = np.clip(x, 0, 1)
    return np.asarray(x * x * (3 - 2 * x), np.float32)


def base_of(plane: Plane, cover: Plane, radius_px: float, edge: float) -> Plane:
    """A plane smoothed where it is smooth, with its edges kept; what is not covered takes no part.

    Parameters
    ----------
    plane, cover : ndarray, (height, width), float32
    radius_px : float
        Half side of the squares.
    edge : float
        Deviations much smaller than this are smoothed, much larger ones are kept.

    Notes
    -----
    Fast guided filter: He & Sun 2015 (arXiv:1505.00996), weighted by the cover.
    """
    import cv2

    from perijove.compose.smooth import box_mean

    height, width = plane.shape
    shrink = max(1, int(radius_px / _CELLS))
    size = (max(1, round(width / shrink)), max(1, round(height / shrink)))
    radius = max(1, round(radius_px / shrink))
    known = np.asarray(cv2.resize(np.ascontiguousarray(cover), size, interpolation=cv2.INTER_AREA), np.float32)
    some = np.maximum(known, _TINY)
    small = np.asarray(cv2.resize(plane * cover, size, interpolation=cv2.INTER_AREA) / some, np.float32)
    mean = box_mean(small, known, radius)
    variance = np.maximum(box_mean(np.asarray(small * small, np.float32), known, radius) - mean * mean, 0)
    slope = np.asarray(variance / (variance + np.float32(edge * edge)), np.float32)
    parts = (box_mean(slope, known, radius), box_mean(np.asarray((1 - slope) * mean, np.float32), known, radius))
    full = (cv2.resize(part, (width, height), interpolation=cv2.INTER_LINEAR) for part in parts)
    slope, offset = (np.asarray(part, np.float32) for part in full)
    return np.asarray(np.where(cover > 0, slope * plane + offset, plane), np.float32)
