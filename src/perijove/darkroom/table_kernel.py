"""Tables in place of functions, compiled."""

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

Plane = npt.NDArray[np.float32]


@njit(cache=True, nogil=True, error_model="numpy")
def table_kernel(table: Plane, values: Plane, slope: np.float32, out: Plane) -> Any:
    """Values through a table over 0 to 1, with linear interpolation.

    Parameters
    ----------
    table : ndarray, (intervals + 1,), float32
    values : ndarray, (n,), float32
    slope : float32
        Of what lies beyond 0 to 1, from the end of the table on.
    out : ndarray, (n,), float32
        Written.
    """
    intervals = table.shape[0] - 1
    for i in range(values.shape[0]):
        value = values[i]
        inside = min(max(value, np.float32(0.0)), np.float32(1.0))
        at = inside * np.float32(intervals)
        cell = min(np.int32(at), np.int32(intervals - 1))
        low = table[cell]
        out[i] = low + (at - np.float32(cell)) * (table[cell + 1] - low) + slope * (value - inside)
