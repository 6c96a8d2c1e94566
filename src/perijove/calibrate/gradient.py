"""How the response of a band changes along the lines of its framelets, from ground that two framelets share.

The last lines of a framelet and the first lines of another see the same ground within half a second. What they differ
by is the camera's alone: their response. The logarithm of the response is taken to be linear in the line, with a slope
that may depend on the column and, in long exposures that collect stray light, change along the image; the scene has no
part in it. How much of this is fitted is decided by edges that a fit has not seen.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import MappingProxyType
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
#: A model counts if it predicts the steps of edges that it was not fitted to better than a simpler one, by this part.
_GAIN: Final = 0.1
#: Edges are left out of a fit in so many parts, one after the other.
_FOLDS: Final = 8
#: ... in means of which a step counts for at most so many times the usual one.
_STEP_CAP: Final = 4.0
#: Less than this between the middle and the ends of a framelet is not worth a change: simulated images without any
#: gradient show up to 0.0005.
_MIN_SLOPE: Final = 0.001
#: The mean slope of a band counts by itself if it is this many standard errors from zero.
_ERRORS: Final = 2.0
#: Edges needed before the slope may change along the image, and over how many it is smoothed.
_MANY_EDGES: Final = 10
_EDGE_SIGMA: Final = 1.0
#: Residuals count fully up to so many robust standard deviations.
_HUBER: Final = 1.5
#: Logarithms of a response between the middle and the ends of a framelet beyond this are errors.
MAX_SLOPE: Final = 0.125
_HALF_LINES: Final = FRAMELET_LINES / 2
#: Mean slopes that two images of perijove 44 showed, alike within 0.0015, in the columns 24 to 650 that their light
#: reached (methane: one image, all columns). One of perijove 43, which is clipped nearly everywhere, has steps that
#: they explain and that it could not tell alone.
USUAL_SLOPES: Final = MappingProxyType({"METHANE": 0.043, "BLUE": 0.0055, "GREEN": -0.0022, "RED": -0.0065})


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
    frames : tuple of float
        Where along the image the slope is given, frame numbers, increasing; empty where it does not change.
    changes : tuple of float
        There: what is to be added to the slope.
    """

    columns: tuple[float, ...] = ()
    slopes: tuple[float, ...] = ()
    mean: float = 0.0
    error: float = float("nan")
    pieces: int = 0
    frames: tuple[float, ...] = ()
    changes: tuple[float, ...] = ()

    def plane(
        self,
        lines: int = FRAMELET_LINES,
        samples: int = FRAMELET_SAMPLES,
        sampling_factor: int = 1,
        frame: int | None = None,
    ) -> Plane:
        """Relative response of a frame, or without its change along the image; mean logarithm 0 in each column.

        Examples
        --------
        >>> slope = Gradient((24.0, 1630.0), (0.05, 0.05))
        >>> np.round(slope.plane()[[0, 127], 800], 3)
        array([0.952, 1.051], dtype=float32)
        """
        if not self.columns:
            return np.ones((lines, samples), np.float32)
        slope = np.interp((np.arange(samples) + 0.5) * sampling_factor, self.columns, self.slopes)
        if frame is not None and self.frames:
            slope = slope + float(np.interp(frame, self.frames, self.changes))
        line = ((np.arange(lines) + 0.5) * sampling_factor - _HALF_LINES) / _HALF_LINES
        return np.asarray(np.exp(line[:, None] * slope), np.float32)


@dataclass(frozen=True)
class _Pieces:
    """Steps over pieces of edges.

    Attributes
    ----------
    slope : ndarray, (n,)
        Logarithmic step over lever.
    lever : ndarray, (n,)
        Lines between the two, in half framelets.
    column : ndarray, (n,)
    edge : ndarray, (n,), int
    """

    slope: Floats
    lever: Floats
    column: Floats
    edge: Integers

    def at(self, which: npt.NDArray[np.bool_]) -> "_Pieces":
        return _Pieces(self.slope[which], self.lever[which], self.column[which], self.edge[which])


#: Columns and slopes there, frames and what is added there, of the pieces given.
_Model = Callable[[_Pieces], tuple[Floats, Floats, Floats, Floats]]


def fit_gradient(pairs: Pairs, *, along: bool = False, usual: float = 0.0) -> Gradient:
    """Fit the gradient of a band.

    Parameters
    ----------
    pairs : Pairs
    along : bool
        Whether the pairs are of one image, along which the slope may change.
    usual : float
        Mean slope that other images of the camera showed, see `USUAL_SLOPES`; taken where that explains the steps and
        nothing fitted to them predicts them better.

    Returns
    -------
    Gradient
        Without slopes where pairs are too few, or what they show does not hold for edges that were left out, or is
        larger than any response could be.
    """
    pieces = _pieces(pairs)
    number, edges = len(pieces.slope), np.unique(pieces.edge)
    if number < _MIN_PIECES or len(edges) < _MIN_EDGES:
        return Gradient(pieces=number)
    mean, error = _robust(pieces.slope * pieces.lever, pieces.lever, pieces.edge)
    nothing = Gradient(mean=mean, error=error, pieces=number)

    def as_usual(_: _Pieces) -> tuple[Floats, Floats, Floats, Floats]:
        return np.array([FRAMELET_SAMPLES / 2]), np.array([usual]), np.zeros(0), np.zeros(0)

    models: list[_Model] = [_one_slope, _slopes_by_column]
    if along and len(edges) >= _MANY_EDGES:
        models.append(_slopes_by_column_and_frame)
    models.append(as_usual)
    best: _Model = _no_slope
    least = _left(best, pieces)
    for model in models:
        if model is as_usual and best is not _no_slope:
            break
        left = _left(model, pieces)
        if left < (1.0 - _GAIN) * least:
            best, least = model, left
    columns, slopes, frames, changes = (tuple(part.tolist()) for part in best(pieces))
    largest = max(map(abs, slopes), default=0.0)
    certain = best is not _one_slope or abs(mean) > _ERRORS * error
    if not _MIN_SLOPE <= largest <= MAX_SLOPE or not certain:
        return nothing
    told = usual if best is as_usual else mean
    return Gradient(columns, slopes, told, error, number, frames, changes)


def _left(model: _Model, pieces: _Pieces) -> float:
    """Mean size of the steps that a model leaves of edges that it was not fitted to."""
    left = np.empty_like(pieces.slope)
    edges, number = np.unique(pieces.edge, return_inverse=True)
    for fold in range(min(_FOLDS, len(edges))):
        out = number % _FOLDS == fold
        columns, slopes, frames, changes = model(pieces.at(~out))
        predicted = np.interp(pieces.column[out], columns, slopes) if len(columns) else 0.0
        if len(frames):
            predicted = predicted + np.interp(pieces.edge[out] + 0.5, frames, changes)
        left[out] = np.abs(pieces.slope[out] - predicted)
    return float(np.minimum(left, _STEP_CAP * np.median(np.abs(pieces.slope))).mean())


def _no_slope(_: _Pieces) -> tuple[Floats, Floats, Floats, Floats]:
    none = np.zeros(0)
    return none, none, none, none


def _one_slope(pieces: _Pieces) -> tuple[Floats, Floats, Floats, Floats]:
    mean, _ = _robust(pieces.slope * pieces.lever, pieces.lever, pieces.edge)
    return np.array([FRAMELET_SAMPLES / 2]), np.array([mean]), np.zeros(0), np.zeros(0)


def _slopes_by_column(pieces: _Pieces, width: int = 2 * _PIECE) -> tuple[Floats, Floats, Floats, Floats]:
    mean, _ = _robust(pieces.slope * pieces.lever, pieces.lever, pieces.edge)
    columns, off = _across(pieces.slope - mean, pieces.column, width)
    return columns, mean + off, np.zeros(0), np.zeros(0)


def _slopes_by_column_and_frame(pieces: _Pieces) -> tuple[Floats, Floats, Floats, Floats]:
    columns, slopes, _, _ = _slopes_by_column(pieces, _PIECE)
    off = pieces.slope - np.interp(pieces.column, columns, slopes)
    edges = np.unique(pieces.edge)
    middle = np.array([np.median(off[pieces.edge == one]) for one in edges])
    spread = np.array(
        [1.4826 * np.median(np.abs(off[pieces.edge == one] - m)) for one, m in zip(edges, middle, strict=True)]
    )
    number = np.array([np.count_nonzero(pieces.edge == one) for one in edges])
    variance = np.square(1.2533 * spread) / number
    real = max(float(np.mean(np.square(middle) - variance)), 0.0)
    near = np.exp(-0.5 * np.square((edges[:, None] - edges) / _EDGE_SIGMA)) / (variance + 0.3 * real + 1e-12)
    changes: Floats = (near * middle).sum(axis=1) / near.sum(axis=1)
    # An edge lies between two frames.
    return columns, slopes, np.asarray(edges + 0.5), changes


def _pieces(pairs: Pairs) -> _Pieces:
    """Median logarithmic steps along pieces of edges."""
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
    return _Pieces(table[:, 0] / table[:, 1], table[:, 1], table[:, 2], table[:, 3].astype(np.int64))


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


def _across(off: Floats, column: Floats, width: int) -> tuple[Floats, Floats]:
    """How the slope departs from its mean across the columns, as far as that exceeds what chance would make."""
    place, off_mean, error = [], [], []
    cell = (column // width).astype(np.int64)
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
