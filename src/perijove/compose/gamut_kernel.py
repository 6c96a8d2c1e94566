"""Colours brought into what a screen can show, compiled."""

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

Planes = npt.NDArray[np.float32]


@njit(cache=True, nogil=True)
def gamut_kernel(lab: Planes, cones: Planes, rgb: Planes, highest: float, steps: int, out: Planes) -> Any:
    """Oklab as linear RGB, with as much less chroma as it takes for no channel to leave 0 to ``highest``.

    Parameters
    ----------
    lab : ndarray, (n, 3), float32
        Lightness within 0 and the cube root of ``highest``.
    cones : ndarray, (3, 2), float32
        Cube roots of the cone responses by a and b; by lightness they are 1.
    rgb : ndarray, (3, 3), float32
        From cone responses to linear RGB.
    highest : float
    steps : int
        Halvings by which chroma is found.
    out : ndarray, (n, 3), float32
        Written.
    """
    slack = np.float32(1e-6)
    limit = np.float32(highest) + slack
    for i in range(lab.shape[0]):
        light, a, b = lab[i, 0], lab[i, 1], lab[i, 2]
        first = cones[0, 0] * a + cones[0, 1] * b
        second = cones[1, 0] * a + cones[1, 1] * b
        third = cones[2, 0] * a + cones[2, 1] * b
        low, high, part = np.float32(0.0), np.float32(1.0), np.float32(1.0)
        for step in range(steps + 2):
            x, y, z = light + part * first, light + part * second, light + part * third
            x, y, z = x * x * x, y * y * y, z * z * z
            red = rgb[0, 0] * x + rgb[0, 1] * y + rgb[0, 2] * z
            green = rgb[1, 0] * x + rgb[1, 1] * y + rgb[1, 2] * z
            blue = rgb[2, 0] * x + rgb[2, 1] * y + rgb[2, 2] * z
            if step == steps + 1:
                break
            inside = min(red, green, blue) >= -slack and max(red, green, blue) <= limit
            if inside and step == 0:
                break
            if step > 0:
                if inside:
                    low = part
                else:
                    high = part
            # The last time round it is the chroma that was found inside.
            part = low if step == steps else (low + high) * np.float32(0.5)
        out[i, 0] = min(max(red, np.float32(0.0)), np.float32(highest))
        out[i, 1] = min(max(green, np.float32(0.0)), np.float32(highest))
        out[i, 2] = min(max(blue, np.float32(0.0)), np.float32(highest))
