"""How the response of a band changes along the lines of its framelets, from ground that two framelets share.

The last lines of a framelet and the first lines of another see the same ground within half a second. What they differ
by is the camera's alone: their response. The logarithm of the response is taken to be linear in the line, with a slope
that may depend on the column; the scene has no part in it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from perijove.constants import FRAMELET_LINES, FRAMELET_SAMPLES

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Plane = npt.NDArray[np.float32]

#: Columns of a piece along an edge, and pairs that a piece needs.
_PIECE: Final = 64
_PIECE_PAIRS: Final = 6
#: Pieces and edges that a gradient needs.
_MIN_PIECES: Final = 6
_MIN_EDGES: Final = 3
#: The mean slope counts if it is this many standard errors from zero.
_ERRORS: Final = 4.0
#: Less than this between the middle and the ends of a framelet is not worth a change: simulated images without any
#: gradient show up to 0.0005.
_MIN_SLOPE: Final = 0.001
#: Residuals count fully up to so many robust standard deviations.
_HUBER: Final = 1.5
#: Logarithms of a response between the middle and the ends of a framelet beyond this are errors.
MAX_SLOPE: Final = 0.125
_HALF_LINES: Final = FRAMELET_LINES / 2


@dataclass(frozen=True)
class Pairs:
    """Ground that two framelets of one band share.

    Attributes
    ----------
    edge : ndarray, (n,), int
        Which two framelets; pairs of one edge may err together.
    sample : ndarray, (n,)
        Column, full resolution.
    line_a, line_b : ndarray, (n,)
        Lines at which the two see it, full resolution.
    value_a, value_b : ndarray, (n,)
        What they see, above dark, any unit; positive.
    """

    edge: Integers
    sample: Floats
    line_a: Floats
    line_b: Floats
    value_a: Floats
    value_b: Floats

    def __post_init__(self) -> None:
        for array in vars(self).values():
            array.flags.writeable = False

    @classmethod
    def joined(cls, parts: Sequence["Pairs"]) -> Self:
        """Pairs of several images of a band, whose edges stay apart."""
        edges, first = [], 0
        for part in parts:
            edges.append(part.edge + first)
            first += int(part.edge.max(initial=0)) + 1
        names = ("sample", "line_a", "line_b", "value_a", "value_b")
        columns = {name: np.concatenate([[], *(getattr(part, name) for part in parts)]) for name in names}
        return cls(np.concatenate([np.zeros(0, np.int64), *edges]), **columns)


@dataclass(frozen=True)
class Gradient:
    """Change of the response along the lines of a band.

    Attributes
    ----------
    columns : tuple of float
        Where the slope is given, increasing; linear between, constant outside. Empty where nothing is significant.
    slopes : tuple of float
        There: half the change of the logarithm of the response from the first to the last line.
    mean : float
        The mean slope.
    error : float
        Its standard error.
    pieces : int
        Pieces of edges that it was fitted to.
    """

    columns: tuple[float, ...] = ()
    slopes: tuple[float, ...] = ()
    mean: float = 0.0
    error: float = float("nan")
    pieces: int = 0

    def plane(self, lines: int = FRAMELET_LINES, samples: int = FRAMELET_SAMPLES, sampling_factor: int = 1) -> Plane:
        """Relative response, mean logarithm 0 in each column, (line, sample).

        Examples
        --------
        >>> slope = Gradient((24.0, 1630.0), (0.05, 0.05))
        >>> np.round(slope.plane()[[0, 127], 800], 3)
        array([0.952, 1.051], dtype=float32)
        """
        if not self.columns:
            return np.ones((lines, samples), np.float32)
        slope = np.interp((np.arange(samples) + 0.5) * sampling_factor, self.columns, self.slopes)
        line = ((np.arange(lines) + 0.5) * sampling_factor - _HALF_LINES) / _HALF_LINES
        return np.asarray(np.exp(line[:, None] * slope), np.float32)


def fit_gradient(pairs: Pairs) -> Gradient:
    """Fit the gradient of a band.

    Parameters
    ----------
    pairs : Pairs

    Returns
    -------
    Gradient
        Without slopes where pairs are too few, or what they show is not significant (4 standard errors) or larger than
        any response could be.
    """
    step, lever, column, edge = _pieces(pairs)
    if len(step) < _MIN_PIECES or len(np.unique(edge)) < _MIN_EDGES:
        return Gradient(pieces=len(step))
    mean, error = _robust(step, lever, edge)
    nothing = Gradient(mean=mean, error=error, pieces=len(step))
    if abs(mean) <= max(_ERRORS * error, _MIN_SLOPE):
        return nothing
    columns, off = _across(step / lever - mean, column)
    slopes = mean + off
    if np.abs(slopes).max() > MAX_SLOPE:
        return nothing
    return Gradient(tuple(columns.tolist()), tuple(slopes.tolist()), mean, error, len(step))


def _pieces(pairs: Pairs) -> tuple[Floats, Floats, Floats, Integers]:
    """Median logarithmic steps along pieces of edges, their levers in half framelets, columns and edges."""
    key = pairs.edge * 64 + (pairs.sample // _PIECE).astype(np.int64)
    order = np.argsort(key, kind="stable")
    cuts = np.flatnonzero(np.diff(key[order])) + 1
    rows = []
    for group in np.split(order, cuts):
        if len(group) >= _PIECE_PAIRS:
            lever = pairs.line_b[group] - pairs.line_a[group]
            ratio = np.log(pairs.value_b[group] / pairs.value_a[group])
            column = pairs.sample[group].mean()
            rows.append((np.median(ratio), lever.mean() / _HALF_LINES, column, float(pairs.edge[group[0]])))
    table = np.array(rows, float).reshape(-1, 4)
    return table[:, 0], table[:, 1], table[:, 2], table[:, 3].astype(np.int64)


def _robust(step: Floats, lever: Floats, edge: Integers) -> tuple[float, float]:
    """Mean slope by Huber's weights, and its standard error where all pieces of an edge may err together."""
    weight = np.ones_like(step)
    for _ in range(8):
        mean = float((weight * lever * step).sum() / (weight * lever**2).sum())
        left = step - lever * mean
        spread = max(1.4826 * float(np.median(np.abs(left))), 1e-9)
        weight = np.minimum(_HUBER * spread / np.maximum(np.abs(left), 1e-12), 1.0)
    normal = float((weight * lever**2).sum())
    by_edge = np.array([(weight * lever * left)[edge == one].sum() for one in np.unique(edge)])
    together = float(np.sqrt((by_edge**2).sum() * len(by_edge) / (len(by_edge) - 1))) / normal
    # A handful of edges may agree by chance: never below what independent pieces would give.
    return mean, max(together, spread / float(np.sqrt(normal)))


def _across(off: Floats, column: Floats) -> tuple[Floats, Floats]:
    """How the slope departs from its mean across the columns, as far as that exceeds what chance would make."""
    place, off_mean, error = [], [], []
    cell = (column // (2 * _PIECE)).astype(np.int64)
    for one in np.unique(cell):
        part = off[cell == one]
        if len(part) >= _MIN_EDGES:
            middle = float(np.median(part))
            place.append(float(column[cell == one].mean()))
            off_mean.append(middle)
            error.append(1.2533 * 1.4826 * float(np.median(np.abs(part - middle))) / np.sqrt(len(part)))
    if len(place) < _MIN_EDGES:
        return np.array([FRAMELET_SAMPLES / 2]), np.zeros(1)
    values, variance = np.array(off_mean), np.maximum(np.array(error), 1e-9) ** 2
    real = max(float(np.mean(values**2 - variance)), 0.0)
    return np.array(place), values * real / (real + variance)
