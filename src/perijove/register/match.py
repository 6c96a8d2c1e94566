"""The matching kernel: where the patch around a pixel of one framelet is seen in another, to a fraction of a pixel.

Both framelets are blurred a little, which stills the noise and makes interpolation harmless, and read on one grid: that
of the first, carried into the second by a quadratic map. Mean and trends over the patch are taken out of both. The
best whole step of the grid is where the normalised correlation peaks; from there Gauss and Newton's least squares with
free gain and offset find the rest (Lucas and Kanade 1981; inverse composition after Baker and Matthews 2004), since a
parabola through the correlation's peak is drawn to whole pixels.
"""

import functools
import math
from typing import Final

import numba
import numpy as np

jit = functools.partial(
    numba.njit, cache=True, nogil=True, fastmath={"contract", "reassoc", "arcp", "nsz"}, error_model="numpy"
)

_ONE: Final = np.uint64(1)
#: Columns of what comes out: where it was found, the three elements of the covariance (per unit of noise), and the
#: correlation there.
FOUND_COLUMNS: Final = 6
#: Blurs reach this many standard deviations.
_REACH: Final = 3.0
#: Share of the pixels under a patch that may be unknown, and how far away their stand-ins may be.
_MAX_UNKNOWN: Final = 0.06
_STAND_IN_PX: Final = 2
#: Every so manieth row and column is enough to find the best whole step.
_STRIDE: Final = 2
_MAX_ROUNDS: Final = 12
#: Steps below which the place has been found, grid steps, and how far it may be from the best whole step.
_AT_REST: Final = 0.01
_MAX_WALK: Final = 1.2
#: A second peak so many steps away must be worse than the best one by this share of what the best lacks to one.
_RIVAL_STEPS: Final = 3
_RIVAL_MARGIN: Final = 0.3
#: Correlation below which a whole step is not worth refining.
_LEAST_SCORE: Final = 0.3

# What the kernel takes. With its types said it is compiled, or fetched from the disk, when the module is imported.
_FRAMELETS: Final = "Array(float32, 4, 'C', readonly=True)"
_TYPES: Final = (
    f"void({_FRAMELETS}, {_FRAMELETS}, int64[:, ::1], int64[:, ::1], float64[:, ::1], float64[:, :, ::1], "
    "float64[::1], float64[:, ::1], int64, UniTuple(float32[:, ::1], 5), float32[:, :, ::1], float64[:, ::1])"
)


@jit()
def _reach(sigma):  # type: ignore[no-untyped-def]
    """Pixels to either side that a blur takes in."""
    return math.ceil(_REACH * sigma)


@jit()
def _stand_in(box, row, column):  # type: ignore[no-untyped-def]
    """Mean of the known pixels around an unknown one; NaN if there are none."""
    total, count = 0.0, 0
    for j in range(max(row - _STAND_IN_PX, 0), min(row + _STAND_IN_PX + 1, box.shape[0])):
        for i in range(max(column - _STAND_IN_PX, 0), min(column + _STAND_IN_PX + 1, box.shape[1])):
            value = box[j, i]
            if value == value:
                total += value
                count += 1
    return total / count if count else math.nan


@jit()
def _filled(box):  # type: ignore[no-untyped-def]
    """Put stand-ins for unknown pixels; False where too many are unknown."""
    unknown = 0
    for value in box.flat:
        if value != value:
            unknown += 1
    if unknown == 0:
        return True
    if unknown > _MAX_UNKNOWN * box.size:
        return False
    known = box.copy()
    for row in range(box.shape[0]):
        for column in range(box.shape[1]):
            if known[row, column] != known[row, column]:
                box[row, column] = _stand_in(known, row, column)
                if box[row, column] != box[row, column]:
                    return False
    return True


@jit()
def _blurred(box, sigma):  # type: ignore[no-untyped-def]
    """Blur by a Gaussian; the result is smaller by its reach on every side."""
    reach = _reach(sigma)
    weights = np.empty(2 * reach + 1, np.float32)
    total = 0.0
    for k in range(2 * reach + 1):
        weights[k] = math.exp(-0.5 * ((k - reach) / sigma) ** 2)
        total += weights[k]
    for k in range(2 * reach + 1):
        weights[k] /= total
    rows, columns = box.shape[0], box.shape[1] - 2 * reach
    across = np.zeros((rows, columns), np.float32)
    out = np.zeros((rows - 2 * reach, columns), np.float32)
    for row in range(rows):
        for k in range(2 * reach + 1):
            weight = weights[k]
            for column in range(columns):
                across[row, column] += weight * box[row, column + k]
    for row in range(rows - 2 * reach):
        for k in range(2 * reach + 1):
            weight = weights[k]
            for column in range(columns):
                out[row, column] += weight * across[row + k, column]
    return out


@jit()
def _smooth_box(plane, low, high, sigma, window):  # type: ignore[no-untyped-def]
    """Blurred pixels of a framelet between two corners (x, y), as far as they are usable, and where they begin.

    An empty box where too much is unknown.
    """
    reach = _reach(sigma)
    left = max(math.floor(low[0]) - 1 - reach, window[0])
    right = min(math.floor(high[0]) + 3 + reach, window[1])
    top = max(math.floor(low[1]) - 1 - reach, window[2])
    bottom = min(math.floor(high[1]) + 3 + reach, window[3])
    if right - left < 2 * reach + 4 or bottom - top < 2 * reach + 4:
        return np.zeros((0, 0), np.float32), 0, 0
    box = plane[top:bottom, left:right].copy()
    if not _filled(box):
        return np.zeros((0, 0), np.float32), 0, 0
    return _blurred(box, sigma), left + reach, top + reach


@jit()
def _cubic(box, x, y):  # type: ignore[no-untyped-def]
    """Catmull-Rom sample (Keys 1981, a = -1/2) at array coordinates; NaN nearer than a pixel to the rim."""
    if not (x >= 1.0 and y >= 1.0 and x < box.shape[1] - 2 and y < box.shape[0] - 2):
        return np.float32(math.nan)
    i, j = int(x), int(y)
    s, t = np.float32(x - i), np.float32(y - j)
    half, two, three = np.float32(0.5), np.float32(2), np.float32(3)
    four, five, one = np.float32(4), np.float32(5), np.float32(1)
    w0 = half * s * (two * s - s * s - one)
    w1 = half * (s * s * (three * s - five) + two)
    w2 = half * s * (four * s - three * s * s + one)
    w3 = half * s * s * (s - one)
    value = np.float32(0.0)
    # Unsigned indices: signed ones would be tested for counting from the end.
    row, left = np.uint64(j - 1), np.uint64(i - 1)
    for weight in (
        half * t * (two * t - t * t - one),
        half * (t * t * (three * t - five) + two),
        half * t * (four * t - three * t * t + one),
        half * t * t * (t - one),
    ):
        p, q = box[row, left], box[row, left + _ONE]
        c, d = box[row, left + _ONE + _ONE], box[row, left + _ONE + _ONE + _ONE]
        value += weight * (w0 * p + w1 * q + w2 * c + w3 * d)
        row += _ONE
    return value


@jit()
def _carried(chart, u, v):  # type: ignore[no-untyped-def]
    """Pixel coordinates in the second framelet of an offset from the tie, pixels of the first."""
    x = chart[0, 0] + u * (chart[0, 1] + u * chart[0, 3] + v * chart[0, 4]) + v * (chart[0, 2] + v * chart[0, 5])
    y = chart[1, 0] + u * (chart[1, 1] + u * chart[1, 3] + v * chart[1, 4]) + v * (chart[1, 2] + v * chart[1, 5])
    return x, y


@jit()
def _template(plane, x, y, step, half, sigma, window):  # type: ignore[no-untyped-def]
    """The patch of the first framelet on its grid, with a rim of one; an empty array where it is not known."""
    far_u, far_v = (half[0] + 1) * step, (half[1] + 1) * step
    low, high = (x - 0.5 - far_u, y - 0.5 - far_v), (x - 0.5 + far_u, y - 0.5 + far_v)
    box, left, top = _smooth_box(plane, low, high, sigma, window)
    if box.size == 0:
        return np.zeros((0, 0), np.float32)
    out = np.empty((2 * half[1] + 3, 2 * half[0] + 3), np.float32)
    for row in range(out.shape[0]):
        for column in range(out.shape[1]):
            u, v = (column - half[0] - 1) * step, (row - half[1] - 1) * step
            out[row, column] = _cubic(box, x - 0.5 + u - left, y - 0.5 + v - top)
    return out


@jit()
def _read(box, left, top, chart, step, first, out):  # type: ignore[no-untyped-def]
    """Fill a grid, whose first point is ``first`` (u, v) steps from the tie, from the second framelet."""
    for row in range(out.shape[0]):
        for column in range(out.shape[1]):
            x, y = _carried(chart, (column + first[0]) * step, (row + first[1]) * step)
            out[row, column] = _cubic(box, x - 0.5 - left, y - 0.5 - top)


@jit()
def _dot(a, b):  # type: ignore[no-untyped-def]
    total = np.float32(0.0)
    for i in range(a.size):
        total += a[i] * b[i]
    return total


@jit()
def _without(vector, plain, dual):  # type: ignore[no-untyped-def]
    """Take out of a vector what is spanned by the rows of ``plain``, whose products are told by ``dual``."""
    for k in range(plain.shape[0]):
        part = _dot(vector, dual[k])
        for i in range(vector.size):
            vector[i] -= part * plain[k, i]


@jit()
def _whitened(vector, metric):  # type: ignore[no-untyped-def]
    """The metric times a vector: what ``L' W L`` makes of it, where L takes out the surroundings' mean."""
    weights, across, down, across_back, down_back = metric
    x = vector.reshape(weights.shape)
    return _less_surroundings(weights * _less_surroundings(x, across, down), across_back, down_back).ravel()


@jit()
def _less_surroundings(x, across, down):  # type: ignore[no-untyped-def]
    """Take the weighed mean of their surroundings out of the points of a patch."""
    rows, columns = x.shape
    reach = across.shape[0] // 2
    # With a rim of nothing, so that indices need no test.
    line = np.zeros(columns + 2 * reach, np.float32)
    middle = np.zeros((rows + 2 * reach, columns), np.float32)
    out = np.empty((rows, columns), np.float32)
    for i in range(rows):
        for j in range(columns):
            line[j + reach] = x[i, j]
        for k in range(2 * reach + 1):
            for j in range(columns):
                middle[i + reach, j] += across[k, j] * line[j + k]
    for i in range(rows):
        for j in range(columns):
            out[i, j] = x[i, j]
        for k in range(2 * reach + 1):
            weight = down[k, i]
            for j in range(columns):
                out[i, j] -= weight * middle[i + k, j]
    return out


@jit()
def _thinned(template, half):  # type: ignore[no-untyped-def]
    """Every other row and column of the patch, its plane taken out and scaled to length one."""
    rows, columns = half[1] + 1, half[0] + 1
    out = np.empty((rows, columns), np.float32)
    mean, across, down, uu, vv = 0.0, 0.0, 0.0, 0.0, 0.0
    for row in range(rows):
        for column in range(columns):
            value = template[_STRIDE * row + 1, _STRIDE * column + 1]
            u, v = column - 0.5 * half[0], row - 0.5 * half[1]
            mean += value
            across += u * value
            down += v * value
            uu += u * u
            vv += v * v
    mean /= rows * columns
    total = 0.0
    for row in range(rows):
        for column in range(columns):
            u, v = column - 0.5 * half[0], row - 0.5 * half[1]
            value = template[_STRIDE * row + 1, _STRIDE * column + 1]
            out[row, column] = value - mean - across * u / uu - down * v / vv
            total += out[row, column] ** 2
    return out / np.float32(math.sqrt(total))


@jit()
def _score(thinned, grid, row0, column0):  # type: ignore[no-untyped-def]
    """Normalised correlation at a whole step, planes taken out; -1 where the second patch is not known."""
    rows, columns = thinned.shape
    one, bb, ab = np.float32(0), np.float32(0), np.float32(0)
    across, down, uu, vv = np.float32(0), np.float32(0), np.float32(0), np.float32(0)
    # Against the middle of the patch: single precision.
    zero = grid[row0 + rows - 1, column0 + columns - 1]
    for row in range(rows):
        v = np.float32(row - 0.5 * (rows - 1))
        for column in range(columns):
            u = np.float32(column - 0.5 * (columns - 1))
            b = grid[row0 + _STRIDE * row, column0 + _STRIDE * column] - zero
            one += b
            bb += b * b
            ab += thinned[row, column] * b
            across += u * b
            down += v * b
            uu += u * u
            vv += v * v
    rest = bb - one * one / (rows * columns) - across * across / uu - down * down / vv
    return ab / math.sqrt(rest) if rest > 0 else -1.0


@jit()
def _best_step(template, grid, half, search):  # type: ignore[no-untyped-def]
    """Whole step of the best correlation, u and v, and whether it is a peak with known and lower surroundings."""
    thinned = _thinned(template, half)
    scores = np.empty((2 * search + 1, 2 * search + 1))
    best, at_row, at_column = -1.0, 0, 0
    for row in range(2 * search + 1):
        for column in range(2 * search + 1):
            score = _score(thinned, grid, row, column)
            scores[row, column] = score
            if score > best:
                best, at_row, at_column = score, row, column
    inside = 0 < at_row < 2 * search and 0 < at_column < 2 * search
    good = inside and best >= _LEAST_SCORE
    if good:
        for row in range(at_row - 1, at_row + 2):
            for column in range(at_column - 1, at_column + 2):
                good = good and scores[row, column] > -1.0
    if good:
        for row in range(2 * search + 1):
            for column in range(2 * search + 1):
                far = max(abs(row - at_row), abs(column - at_column)) > _RIVAL_STEPS
                if far and scores[row, column] > best - _RIVAL_MARGIN * (1.0 - best):
                    good = False
    return at_column - search, at_row - search, good


@jit()
def _refine(template, box, corner, chart, step, start, metric, trends, half, out):  # type: ignore[no-untyped-def]
    """Least squares from a whole step; fills ``out`` with u, v, the covariance and the correlation, or leaves it."""
    inner = np.ascontiguousarray(template[1:-1, 1:-1]).ravel()
    by_u = np.ascontiguousarray(np.float32(0.5) * (template[1:-1, 2:] - template[1:-1, :-2])).ravel()
    by_v = np.ascontiguousarray(np.float32(0.5) * (template[2:, 1:-1] - template[:-2, 1:-1])).ravel()
    inner -= inner[inner.size // 2]
    _without(inner, trends[0], trends[1])
    own = _whitened(inner, metric)
    power = _dot(inner, own)
    for gradient in (by_u, by_v):
        _without(gradient, trends[0], trends[1])
        gradient -= _dot(gradient, own) / power * inner
    pull_u, pull_v = _whitened(by_u, metric), _whitened(by_v, metric)
    uu, uv, vv = _dot(by_u, pull_u), _dot(by_u, pull_v), _dot(by_v, pull_v)
    determinant = uu * vv - uv * uv
    if not determinant > 0.0:
        return
    grid = np.empty((2 * half[1] + 1, 2 * half[0] + 1), np.float32)
    seen = grid.ravel()
    u, v = float(start[0]), float(start[1])
    found, gain = False, np.float32(1.0)
    for _ in range(_MAX_ROUNDS):
        _read(box, corner[0], corner[1], chart, step, (u - half[0], v - half[1]), grid)
        seen -= seen[seen.size // 2]
        gain = _dot(own, seen) / power
        if not gain > 0.0:
            return
        pu, pv = _dot(pull_u, seen) / gain, _dot(pull_v, seen) / gain
        du, dv = (vv * pu - uv * pv) / determinant, (uu * pv - uv * pu) / determinant
        u, v = u - du, v - dv
        if not max(abs(u - start[0]), abs(v - start[1])) < _MAX_WALK:
            return
        if max(abs(du), abs(dv)) < _AT_REST:
            found = True
            break
    if not found:
        return
    _without(seen, trends[0], trends[1])
    seen -= gain * inner
    high = _less_surroundings(seen.reshape(grid.shape), metric[1], metric[2])
    rest = _dot((metric[0] * high).ravel(), high.ravel()) / (gain * gain)
    variance = rest / metric[0].sum()
    out[0], out[1] = u, v
    out[2], out[3], out[4] = variance * vv / determinant, -variance * uv / determinant, variance * uu / determinant
    out[5] = 1.0 / math.sqrt(1.0 + rest / power)


@jit(_TYPES)
def match_kernel(  # type: ignore[no-untyped-def]
    first, second, windows, index, at, charts, steps, blurs, search, metric, trends, out
):
    """Match many patches, one after the other.

    Parameters
    ----------
    first, second : ndarray, (frame, band, line, sample), float32
    windows : ndarray of int, (2, 4)
        Usable pixels of a framelet of either: columns from, to; lines from, to.
    index : ndarray of int, (n, 4)
        Frame and band in the first, frame and band in the second.
    at : ndarray, (n, 2)
        Where the patch is in the first, pixel coordinates.
    charts : ndarray, (n, 2, 6)
        Predicted coordinates in the second as polynomials of the offset (u, v) from ``at`` in pixels: coefficients of
        1, u, v, u u, u v, v v.
    steps : ndarray, (n,)
        Spacing of the grid in pixels of the first.
    blurs : ndarray, (n, 2)
        Standard deviations of the blurs, pixels of either.
    search : int
        Whole grid steps to look at in each direction.
    metric : tuple of ndarray, float32
        What residuals are weighed by: weights of the patch's grid points, (rows, columns); weights of the surroundings
        of each column, (surroundings, columns), and of each row; and the same of the transposed means.
    trends : ndarray, (2, k, rows * columns), float32
        What is taken out of the patches, orthonormal under the metric, and the metric's product with each.
    out : ndarray, (n, FOUND_COLUMNS)
        Filled with the displacement (u, v), grid steps, its covariance (uu, uv, vv) as if the residuals of grid points
        were independent, and the correlation. Left alone where the patch could not be matched.
    """
    half = (metric[0].shape[1] // 2, metric[0].shape[0] // 2)
    for k in range(len(index)):
        chart, step = charts[k], steps[k]
        template = _template(first[index[k, 0], index[k, 1]], at[k, 0], at[k, 1], step, half, blurs[k, 0], windows[0])
        if template.size == 0 or math.isnan(template.sum()):
            continue
        reach_u, reach_v = (half[0] + search) * step, (half[1] + search) * step
        low_x, high_x, low_y, high_y = math.inf, -math.inf, math.inf, -math.inf
        for u in (-reach_u, reach_u):
            for v in (-reach_v, reach_v):
                x, y = _carried(chart, u, v)
                low_x, high_x = min(low_x, x - 0.5), max(high_x, x - 0.5)
                low_y, high_y = min(low_y, y - 0.5), max(high_y, y - 0.5)
        low, high = (low_x, low_y), (high_x, high_y)
        box, left, top = _smooth_box(second[index[k, 2], index[k, 3]], low, high, blurs[k, 1], windows[1])
        if box.size == 0:
            continue
        grid = np.empty((2 * (half[1] + search) + 1, 2 * (half[0] + search) + 1), np.float32)
        _read(box, left, top, chart, step, (float(-half[0] - search), float(-half[1] - search)), grid)
        u, v, good = _best_step(template, grid, half, search)
        if good:
            _refine(template, box, (left, top), chart, step, (u, v), metric, trends, half, out[k])
