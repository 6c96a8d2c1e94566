"""A picture as the sum of its detail, scale by scale: the a-trous transform with the B3 spline."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Plane = npt.NDArray[np.float32]

_B3: Final = np.array([1, 4, 6, 4, 1], np.float32) / 16
#: Median of the absolute value of a normal variable of deviation 1.
_MAD: Final = 0.6745


@dataclass(frozen=True)
class Scale:
    """Detail of one scale.

    Attributes
    ----------
    detail : ndarray, float32
        What is lost from one smoothing to the next, on a grid ``step`` times coarser.
    spacing : int
        Distance of the smoothing's taps, pixels of the picture: 1, 2, 4 and so on.
    step : int
        Pixels of the picture on one of this grid.
    """

    detail: Plane
    spacing: int
    step: int

    def noise(self, weight: Plane) -> float:
        """Deviation of the noise, as the median of the absolute values tells it, over pixels of weight."""
        import cv2

        height, width = self.detail.shape
        inside = cv2.resize(weight, (width, height), interpolation=cv2.INTER_AREA) > 0.99
        values = np.abs(self.detail[inside])
        return float(np.median(values[:: max(1, len(values) // 60_000)])) / _MAD if len(values) else 0.0


def scales_of(values: Plane, count: int) -> list[Scale]:
    """Detail, finest scale first.

    Parameters
    ----------
    values : ndarray, (height, width), float32
        Known everywhere.
    count : int
        Scales; fewer where the picture is too small for them.

    Notes
    -----
    c(0) is the picture, c(j + 1) is c(j) smoothed by (1, 4, 6, 4, 1) / 16 with taps 2^j pixels apart, detail is
    w(j) = c(j) - c(j + 1) (Starck & Murtagh, "Astronomical Image and Data Analysis", 2006). From the third scale on,
    c(j) is so smooth that a grid of half the pixels holds it, which spares most of the time.
    """
    import cv2

    scales = []
    step = 1
    for scale in range(count):
        spacing = 1 << scale
        if 4 * spacing > min(values.shape) * step:
            break
        if spacing // step > 2:
            size = tuple((n + 1) // 2 for n in values.shape[::-1])
            values = np.asarray(cv2.resize(values, size, interpolation=cv2.INTER_AREA), np.float32)
            step *= 2
        taps = np.zeros(4 * (spacing // step) + 1, np.float32)
        taps[:: spacing // step] = _B3
        smoother = np.asarray(cv2.sepFilter2D(values, -1, taps, taps, borderType=cv2.BORDER_REFLECT), np.float32)
        scales.append(Scale(values - smoother, spacing, step))
        values = smoother
    return scales


def summed(scales: Sequence[Scale], change: Callable[[Scale], Plane | None], shape: tuple[int, int]) -> Plane:
    """Sum of the change of each scale's detail, on the picture's grid; None is none."""
    import cv2

    total: Plane | None = None
    for at in range(len(scales) - 1, -1, -1):
        part = change(scales[at])
        if total is not None and total.shape != scales[at].detail.shape:
            size = scales[at].detail.shape[::-1]
            total = np.asarray(cv2.resize(total, size, interpolation=cv2.INTER_LINEAR), np.float32)
        if part is not None:
            total = part if total is None else total + part
    return np.zeros(shape, np.float32) if total is None else total
