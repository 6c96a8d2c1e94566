"""Between linear light and the screen's curve, in floating point."""

import numpy as np
import numpy.typing as npt

from perijove.darkroom.blocks import by_rows

Planes = npt.NDArray[np.float32]


def to_linear(display: Planes) -> Planes:
    """Colours on sRGB's curve (IEC 61966-2-1) as linear light; below 0 is 0, above 1 goes on.

    Examples
    --------
    >>> print(to_linear(np.array([0.0, 0.04, 0.5, 1.0], np.float32)).round(4))
    [0. 0.0031 0.214 1. ]
    """
    return by_rows(_to_linear, np.asarray(display, np.float32))[0]


def to_display(linear: Planes) -> Planes:
    """Linear light on sRGB's curve; the inverse of `to_linear`."""
    return by_rows(_to_display, np.asarray(linear, np.float32))[0]


def _to_linear(display: Planes) -> tuple[Planes]:
    display = np.maximum(np.ascontiguousarray(display), 0)
    curved = _power((display + np.float32(0.055)) * np.float32(1 / 1.055), 2.4)
    return (np.where(display <= 0.04045, display * np.float32(1 / 12.92), curved),)


def _to_display(linear: Planes) -> tuple[Planes]:
    linear = np.maximum(np.ascontiguousarray(linear), 0)
    curved = np.float32(1.055) * _power(linear, 1 / 2.4) - np.float32(0.055)
    return (np.where(linear <= 0.0031308, linear * np.float32(12.92), curved),)


def _power(values: Planes, exponent: float) -> Planes:
    import cv2

    # Several times as fast as numpy's.
    return np.asarray(cv2.pow(values.reshape(-1, 1), exponent), np.float32).reshape(values.shape)
