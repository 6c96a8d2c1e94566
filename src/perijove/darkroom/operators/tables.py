"""What operators share: tables in place of functions, weighted bases, and the way back into what can be shown."""

from typing import Final

import numpy as np
import numpy.typing as npt

from perijove.compose.smooth import guided

Floats = npt.NDArray[np.float64]
Plane = npt.NDArray[np.float32]
Planes = npt.NDArray[np.float32]

#: Luminance of linear sRGB (IEC 61966-2-1), and of Display P3 within a few percent.
LUMINANCE: Final = np.array([[0.2126, 0.7152, 0.0722]], np.float32)
#: Intervals of a table; with linear interpolation a smooth curve is true to far less than a 16-bit level.
INTERVALS: Final = 8192
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


def power(values: Plane, exponent: float) -> Plane:
    """Powers of what is not below 0; what is, is 0."""
    # Several times as fast as numpy's power, and as true: to a part in a million.
    grown = np.exp(np.log(np.maximum(values, np.float32(1e-30))) * np.float32(exponent))
    return np.where(values > 0, grown, np.float32(0))


def scaled(colour: Planes, factor: Plane) -> Planes:
    """Colours times a factor of each pixel."""
    import cv2

    # Copies of the factor, which are multiplied sooner than numpy broadcasts them along a short last axis.
    return np.asarray(cv2.multiply(np.ascontiguousarray(colour), cv2.merge([factor] * 3)), np.float32)


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


def base_of(plane: Plane, cover: Plane, radius_px: float, edge: float) -> Plane:
    """A plane smoothed where it is smooth, with its edges kept (`perijove.compose.smooth.Guide`).

    What is not covered takes no part and stays.
    """
    return np.where(cover > 0, guided(plane, np.ascontiguousarray(cover), radius_px, edge), plane)
