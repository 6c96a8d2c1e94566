"""Hot pixels of long exposures: charge that passes a hot pixel on its way takes the same amount along as all others.

An exposure of N stages drags a hot pixel of row h over the lines h to h + N - 1, at one amplitude. The mean over
the frames of a moving scene shows the sum of such streaks; a streak is told from it by all of its lines together, far
below what one pixel would need. Rows above the framelet, which are not sent, drag their streaks into it, too.

A hole in a filter lets light of all colours in and leaves a streak, too, which is in proportion to the light around.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from perijove.calibrate.defects import MIN_FRAMES, Detail, Float

Floats = npt.NDArray[np.float64]

#: Fewer stages do not make a streak.
MIN_STAGES: Final = 8
#: Surroundings are medians of 5 x 5 of every fourth pixel: wider than a streak by far.
_EVERY: Final = 4
_MEDIAN: Final = 5
#: One frame's share is at most so many sigma: neither limb nor hit makes a streak.
_CAP: Final = 2.5
#: A mean over so many columns is the scene's.
_BOX: Final = 31
#: A streak exceeds so many standard errors, and so many counts: gains of columns are below.
_ERRORS: Final = 5.0
_MIN_DN: Final = 0.2
#: Least number of lines of one that is told, as far as it lies within the framelet.
_MIN_LINES: Final = 6
#: Lines that tell together how an excess goes with the light, and the least part of it that is told.
_LEAK_LINES: Final = 9
_LEAK_PART: Final = 0.08
#: Lines on either side of a pixel whose median stands for it.
_HALF_SPAN: Final = 2
#: Streaks of one column at most, and how often each is looked for again.
_MOST: Final = 8
_SWEEPS: Final = 3
#: Frames whose median tells roughly what a pixel adds.
_FRAMES: Final = 9


def find_streaks(details: Sequence[Detail], dark_dn: Floats, stages: int) -> tuple[Float, Float]:
    """What hot pixels of a long exposure add to each pixel, and by how much more light holes let in.

    Parameters
    ----------
    details : sequence of Detail
        One per frame.
    dark_dn : ndarray, (frame,)
        Dark level of the same frames, DN.
    stages : int
        TDI stages, in lines as they were read.

    Returns
    -------
    added : ndarray, (line, sample), float32, DN
        0 where nothing is added, everywhere if there are fewer than 8 stages or 5 frames.
    response : ndarray, (line, sample), float32
        Relative response, above 1 behind holes of the filter.
    """
    shape = details[0].residual.shape if details else (0, 0)
    if len(details) < MIN_FRAMES or stages < MIN_STAGES:
        return np.zeros(shape, np.float32), np.ones(shape, np.float32)
    sums = _sums(details, dark_dn)
    mean, error = _mean_excess(sums)
    added = _streaks(mean, error, stages)
    leak, rest = _leaks(sums)
    return np.where(leak > 0.0, rest, added).astype(np.float32), 1.0 + leak


def _streaks(mean: Float, error: float, stages: int) -> Float:
    """Sum of the streaks of each column."""
    # Lone pixels, such as defects of the read-out, are no streaks; medians of lines keep the ends of these.
    lines = np.pad(mean, ((_HALF_SPAN, _HALF_SPAN), (0, 0)), mode="reflect")
    span = np.lib.stride_tricks.sliding_window_view(lines, 2 * _HALF_SPAN + 1, axis=0)
    left: Floats = np.median(span, axis=-1).astype(np.float64)
    columns = np.flatnonzero(_strongest(left, error, stages)[0])
    part = left[:, columns]
    found = []
    for _ in range(_MOST):
        found.append(_strongest(part, error, stages))
        part -= _drawn(found[-1], part.shape[0], stages)
    # Of streaks that overlap, the first one found lies between them: each is looked for again without the others.
    for _ in range(_SWEEPS):
        for index, one in enumerate(found):
            part += _drawn(one, part.shape[0], stages)
            found[index] = _strongest(part, error, stages)
            part -= _drawn(found[index], part.shape[0], stages)
    added = np.zeros(mean.shape, np.float32)
    # Where streaks do not explain what is seen, it is taken as it is seen.
    unlike = np.abs(part) > _ERRORS * error
    added[:, columns] = np.maximum(left[:, columns] - np.where(unlike, 0.0, part), 0.0)
    return added


def _sums(details: Sequence[Detail], dark_dn: Floats) -> Float:
    """Sums over the frames of the products of 1, light around x and excess y: 1, x, xx, y, xy; dim frames first."""
    sums = np.zeros((5, *details[0].residual.shape), np.float32)
    every = -(-len(details) // _FRAMES)
    centre = np.median([_excess(detail)[0] for detail in details[::every]], axis=0).astype(np.float32)
    for detail, dark in zip(details, dark_dn, strict=True):
        excess, around = _excess(detail)
        limit = np.float32(_CAP) * detail.scale
        excess = centre + np.clip(excess - centre, -limit, limit)
        light = around - np.float32(dark)
        share = 1.0 / np.square(detail.scale)
        for index, product in enumerate((1.0, light, light * light, excess, light * excess)):
            sums[index] += share * product
    return sums


def _mean_excess(sums: Float) -> tuple[Float, float]:
    """Mean over the frames of what pixels stand out of their surroundings, and its usual error."""
    import cv2

    mean: Float = sums[3] / sums[0]
    limit = 3.0 * np.median(np.abs(mean))
    # Counts cut off at zero lift the mean of all dark columns alike; what the scene leaves is wide.
    mean -= cv2.blur(np.clip(mean, -limit, limit), (_BOX, 1))
    error = 1.4826 * float(np.median(np.abs(np.diff(mean, axis=0)))) / np.sqrt(2.0)
    return mean, error


def _leaks(sums: Float) -> tuple[Float, Float]:
    """Excess per light where that is much, 0 elsewhere; and the excess without light."""
    import cv2

    one, x, xx, y, xy = (cv2.blur(part, (1, _LEAK_LINES)) for part in sums)
    spread = np.maximum(xx - x * x / one, np.finfo(np.float32).tiny)
    part = (xy - x * y / one) / spread
    # The sums are means of so many lines, each with the noise of one.
    error = 1.0 / np.sqrt(spread * _LEAK_LINES)
    leak = np.where((part > _LEAK_PART) & (part > _ERRORS * error), part, np.float32(0.0)).astype(np.float32)
    return leak, np.maximum((y - leak * x) / one, 0.0).astype(np.float32)


def _excess(detail: Detail) -> tuple[Float, Float]:
    """Pixels minus the level of what is some 20 pixels wide, and that level, DN."""
    import cv2

    half = _EVERY // 2
    coarse = np.ascontiguousarray(detail.level[half::_EVERY, half::_EVERY])
    around = cv2.medianBlur(coarse, _MEDIAN).astype(np.float32)
    lines, samples = detail.level.shape
    wide = np.asarray(cv2.resize(around, (samples, lines), interpolation=cv2.INTER_LINEAR), np.float32)
    return np.asarray(detail.level + detail.residual - wide, np.float32), wide


def _strongest(left: Floats, error: float, stages: int) -> tuple[Floats, npt.NDArray[np.intp]]:
    """Amplitude and first row of the streak of each column that explains most; amplitude 0 where none is told."""
    lines, samples = left.shape
    rows = np.arange(_MIN_LINES - stages, lines - _MIN_LINES + 1)
    first, last = np.maximum(rows, 0), np.minimum(rows + stages, lines)
    total = np.concatenate([np.zeros((1, samples)), np.cumsum(left, axis=0)])
    count = (last - first)[:, None]
    # Sum over root of the number: its square is by how much the sum of squares falls.
    told = (total[last] - total[first]) / np.sqrt(count)
    best = told.argmax(axis=0)
    at = best, np.arange(samples)
    amplitude = told[at] / np.sqrt(count[best, 0])
    enough = (told[at] > _ERRORS * error) & (amplitude > _MIN_DN)
    return np.where(enough, amplitude, 0.0), rows[best]


def _drawn(streak: tuple[Floats, npt.NDArray[np.intp]], lines: int, stages: int) -> Floats:
    """One streak in each column, (line, column)."""
    amplitude, row = streak
    line = np.arange(lines)[:, None]
    return np.where((line >= row) & (line < row + stages), amplitude, 0.0)
