"""Curves that all share: between linear light and the screen's, tables in place of functions, the smooth step."""

from collections.abc import Callable
from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt

from perijove.compose.blocks import by_rows

Plane = npt.NDArray[np.float32]
Planes = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]

#: Intervals of the tables of the curve: a quarter of a level of 16 bits is the most that they are off.
_INTERVALS: Final = 1 << 14


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


def looked_up(table: Plane, values: Planes, slope: float = 1.0) -> Planes:
    """Values through a table over 0 to 1, with linear interpolation.

    Parameters
    ----------
    table : ndarray, (n,), float32
    values : ndarray, float32
        Finite.
    slope : float
        Of what lies beyond 0 to 1, from the end of the table on.

    Returns
    -------
    ndarray, of the shape of the values, float32
    """
    from perijove.darkroom.table_kernel import table_kernel

    flat = np.ascontiguousarray(values, np.float32).reshape(-1)
    out = np.empty_like(flat)
    table_kernel(table, flat, np.float32(slope), out)
    return out.reshape(values.shape)


def smoothstep(x: Plane) -> Plane:
    """0 below 0, 1 above 1, 3x^2 - 2x^3 between."""
    x = np.clip(x, 0, 1)
    return np.asarray(x * x * (3 - 2 * x), np.float32)


def _to_linear(display: Planes) -> tuple[Planes]:
    linear, _ = _tables()
    return (_with_highlights(display, looked_up(linear, display, 0.0), _linear),)


def _to_display(linear: Planes) -> tuple[Planes]:
    _, display = _tables()
    return (_with_highlights(linear, looked_up(display, linear, 0.0), _display),)


def _with_highlights(values: Planes, curved: Planes, curve: Callable[[Floats], Floats]) -> Planes:
    """What is above 1, which the table does not know, by the curve itself."""
    above = values > 1
    if above.any():
        curved[above] = curve(values[above].astype(np.float64))
    return curved


@cache
def _tables() -> tuple[Plane, Plane]:
    """Linear light over the curve, and the curve over linear light."""
    at = np.linspace(0.0, 1.0, _INTERVALS + 1)
    return _linear(at).astype(np.float32), _display(at).astype(np.float32)


def _linear(display: Floats) -> Floats:
    return np.where(display <= 0.04045, display / 12.92, ((display + 0.055) / 1.055) ** 2.4)


def _display(linear: Floats) -> Floats:
    return np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
