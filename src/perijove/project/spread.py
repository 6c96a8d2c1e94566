"""Points of the ellipsoid between points of a grid: Lagrange's cubic, and back onto the ellipsoid."""

import math

import numba
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def between(coarse: Floats, at: Floats, shape: tuple[int, int], radii_km: Floats) -> Floats:
    """Points between points.

    Parameters
    ----------
    coarse : ndarray, (rows, columns, 3)
        On the ellipsoid, body-fixed, km; there is a row above, a column before, and two of each after what is wanted.
    at : ndarray, (n,)
        Places between one point and the next, 0 to 1, the same in both directions.
    shape : tuple of int
        Rows and columns of what is wanted, n to a point.
    radii_km : ndarray, (3,)
        Of the ellipsoid.

    Returns
    -------
    ndarray, (*shape, 3)
    """
    t = at[:, None]
    weights = np.hstack(
        [
            -t * (t - 1) * (t - 2) / 6,
            (t + 1) * (t - 1) * (t - 2) / 2,
            -(t + 1) * t * (t - 2) / 2,
            (t + 1) * t * (t - 1) / 6,
        ]
    )
    out = np.empty((*shape, 3))
    _fill_between(coarse, weights, 1.0 / radii_km**2, out)
    return out


@numba.njit(cache=True, parallel=True)
def _fill_between(coarse, weights, metric, out):  # type: ignore[no-untyped-def]
    """Interpolate points on the ellipsoid; their second row and column are the first of ``out``."""
    step = len(weights)
    for j in numba.prange(out.shape[0]):
        row, down = j // step, weights[j % step]
        line = np.zeros((coarse.shape[1], 3))
        for k in range(4):
            for i in range(coarse.shape[1]):
                for c in range(3):
                    line[i, c] += down[k] * coarse[row + k, i, c]
        for i in range(out.shape[1]):
            column, across, above = i // step, weights[i % step], 0.0
            for c in range(3):
                value = 0.0
                for k in range(4):
                    value += across[k] * line[column + k, c]
                out[j, i, c] = value
                above += metric[c] * value * value
            out[j, i] /= math.sqrt(above)
