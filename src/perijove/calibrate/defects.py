"""Fixed defects of the detector and radiation hits: found, flagged, repaired.

A push-frame camera sees the scene move by some 115 lines from frame to frame while the detector stays: what
repeats at the same line and sample of a band is the detector's (`fixed_pattern`), an outlier that does not
repeat is a hit (`find_hits`). TDI smears a hot pixel at line ``h`` over the lines ``h .. h + N - 1`` at its
full amplitude, because each packet of charge spends one step of 3.2 ms in it; the pattern of an image is
therefore read from that image.

Everything compares a pixel with the median of its 5 x 5 neighbourhood, which keeps straight edges (limb,
terminator) and lines up to two pixels wide do not bend.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from perijove.calibrate.detector import noise_dn

UInt16 = npt.NDArray[np.uint16]
Float = npt.NDArray[np.float32]
Bool = npt.NDArray[np.bool_]
Index = npt.NDArray[np.intp]

#: Side of the neighbourhood, pixels.
_MEDIAN: Final = 5
#: Side of the box over which the texture of the scene is averaged, and the cap on what one pixel adds to it.
_TEXTURE: Final = 9
_TEXTURE_CAP: Final = 6.0
#: Weight of the variance that texture adds: clouds have heavier tails than noise.
_TEXTURE_WEIGHT: Final = 2.0
#: Texture is at most this part of the local level: what deviates in the dark are hits.
_TEXTURE_CONTRAST: Final = 0.3
#: Mean absolute deviation to standard deviation of a normal distribution.
_MAD_TO_SIGMA: Final = 1.2533
#: Frames needed before anything can be said to repeat.
MIN_FRAMES: Final = 5
#: One frame's share in a pixel's score is at most this many sigma: a hit cannot make a hot pixel.
_SCORE_CAP: Final = 3.0
#: A mean score so far from its surroundings, in its own standard errors and absolutely, is a defect.
_SCORE_ERRORS: Final = 5.5
_SCORE_MIN: Final = 0.8
_SCORE_BOX: Final = 15
#: A hit stands out by this many sigma; pixels beside it belong to it from the lower figure on.
HIT_SIGMA: Final = 5.0
_HIT_FLANK_SIGMA: Final = 2.5
#: A source is extended, no hit, if so many pixels of its 5 x 5 reach this part of its height.
_EXTENDED_COUNT: Final = 9
_EXTENDED_PART: Final = 0.4
#: ... or if the local medians beside it rise by this part of its height.
_EXTENDED_SWELL: Final = 0.15
#: ... and by so many sigma: medians of twilight differ by one or two counts by chance.
_SWELL_SIGMA: Final = 2.0
#: Distance at which the level around a source is looked up, pixels: outside a moon of a dozen pixels.
_RING: Final = 6
#: Good neighbours needed to fill a pixel.
_MIN_NEIGHBOURS: Final = 4

_WINDOW = tuple((i, j) for i in range(-2, 3) for j in range(-2, 3))


@dataclass(frozen=True)
class Detail:
    """How one framelet differs from its own local median.

    Attributes
    ----------
    level : ndarray, (line, sample), uint16
        Median of the 5 x 5 neighbourhood, DN.
    residual : ndarray, (line, sample), float32
        Pixel minus ``level``, DN.
    scale : ndarray, (line, sample), float32
        Noise, and the texture of the scene where it exceeds the noise, DN.
    """

    level: UInt16
    residual: Float
    scale: Float


@dataclass(frozen=True)
class FixedPattern:
    """Defects that repeat in all frames of a band.

    Attributes
    ----------
    excess : ndarray, (line, sample), float32
        What a hot pixel adds, DN; 0 elsewhere.
    cold : ndarray, (line, sample), bool
        Pixels of low response, whose value is of no use without a flat.
    """

    excess: Float
    cold: Bool

    @property
    def hot(self) -> Bool:
        """Where ``excess`` is positive."""
        return self.excess > 0.0


def sigma_table(levels: UInt16, step: UInt16) -> Float:
    """Noise for every count a code can have.

    Parameters
    ----------
    levels, step : ndarray, (codes,)
        Counts of the codes and widths of their intervals, DN.

    Returns
    -------
    ndarray, (highest count + 1,), float32, DN
    """
    dn = np.arange(int(levels[-1]) + 1)
    width = step[np.searchsorted(levels, dn, side="right") - 1]
    return noise_dn(dn.astype(np.float64), width.astype(np.float64))


def detail_of(dn: UInt16, sigma: Float) -> Detail:
    """Compare a framelet with its local median.

    Parameters
    ----------
    dn : ndarray, (line, sample), uint16
        Photoactive part of a framelet, DN.
    sigma : ndarray, float32
        Noise by counts, see `sigma_table`.

    Returns
    -------
    Detail
    """
    import cv2

    level: UInt16 = np.asarray(cv2.medianBlur(np.ascontiguousarray(dn), _MEDIAN), np.uint16)
    residual: Float = np.asarray(cv2.subtract(dn, level, dtype=cv2.CV_32F), np.float32)
    noise: Float = np.take(sigma, level)
    capped = np.minimum(np.abs(residual), noise * np.float32(_TEXTURE_CAP))
    texture = cv2.boxFilter(capped, -1, (_TEXTURE, _TEXTURE), borderType=cv2.BORDER_REFLECT)
    scale = _with_texture(noise, np.asarray(texture, np.float32), level)
    return Detail(level, residual, scale)


def _with_texture(noise: Float, texture: Float, level: UInt16) -> Float:
    """Add to the noise what of the mean deviation is texture of the scene, which needs light."""
    variance = noise * noise
    spread = np.square(texture * np.float32(_MAD_TO_SIGMA))
    excess = np.maximum(np.float32(_TEXTURE_WEIGHT) * (spread - variance), np.float32(0.0))
    scale: Float = np.sqrt(variance + np.minimum(excess, np.square(level * np.float32(_TEXTURE_CONTRAST))))
    return scale


def score_of(detail: Detail) -> Float:
    """Residual in units of its scale, capped, so that many frames can be averaged."""
    score: Float = detail.residual / detail.scale
    np.clip(score, -_SCORE_CAP, _SCORE_CAP, out=score)
    return score


def fixed_pattern(mean_score: Float, details: list[Detail]) -> FixedPattern:
    """Defects from the average score of all frames of a band.

    Parameters
    ----------
    mean_score : ndarray, (line, sample), float32
        Mean of `score_of` over ``details``.
    details : list of Detail
        One per frame.

    Returns
    -------
    FixedPattern
        Empty if there are fewer than 5 frames.
    """
    import cv2

    excess = np.zeros_like(mean_score)
    if len(details) < MIN_FRAMES:
        return FixedPattern(excess, np.zeros(mean_score.shape, np.bool_))
    limit = max(_SCORE_MIN, _SCORE_ERRORS / np.sqrt(len(details)))
    # Counts near zero are cut off at zero, which lifts the mean score of the sky everywhere alike.
    usual = cv2.blur(np.clip(mean_score, -limit, limit), (_SCORE_BOX, _SCORE_BOX))
    score = mean_score - usual
    lines, samples = np.nonzero(score > limit)
    excess[lines, samples] = _excess(details, lines, samples)
    return FixedPattern(excess, score < -limit)


def _excess(details: list[Detail], lines: Index, samples: Index) -> Float:
    """Return what hot pixels add, from the frames in which they stand in the dark."""
    residual = np.stack([detail.residual[lines, samples] for detail in details])
    scale = np.stack([detail.scale[lines, samples] for detail in details])
    quiet = scale <= 1.5 * np.sort(scale, axis=0)[min(MIN_FRAMES, len(details)) - 1]
    centre = np.nanmedian(np.where(quiet, residual, np.nan), axis=0)
    # The mean near the median resolves a fraction of a count, which the median of integers does not.
    near = quiet & (np.abs(residual - centre) <= 3.0 * scale)
    mean = (residual * near).sum(axis=0) / np.maximum(near.sum(axis=0), 1)
    excess: Float = np.maximum(mean, 0.0).astype(np.float32)
    return excess


def find_hits(detail: Detail, pattern: FixedPattern) -> Bool:
    """Radiation hits and other lone outliers of a framelet.

    Parameters
    ----------
    detail : Detail
    pattern : FixedPattern
        Of the same band; what it explains is no hit.

    Returns
    -------
    ndarray, (line, sample), bool
        Cores, and the pixels beside them that share their charge.
    """
    import cv2

    residual = detail.residual - pattern.excess
    hits = np.zeros(residual.shape, np.uint8)
    lines, samples = np.nonzero(residual > HIT_SIGMA * detail.scale)
    if not len(lines):
        return hits.view(np.bool_)
    lone = ~_extended(detail, residual, lines, samples)
    hits[lines[lone], samples[lone]] = 1
    beside = cv2.dilate(hits, np.ones((3, 3), np.uint8)).view(np.bool_)
    return beside & ((residual > _HIT_FLANK_SIGMA * detail.scale) | hits.view(np.bool_))


def _extended(detail: Detail, residual: Float, lines: Index, samples: Index) -> Bool:
    """Which candidates belong to a source wider than a hit: a moon, a cloud, the limb."""
    last_line, last_sample = residual.shape[0] - 1, residual.shape[1] - 1

    def value(source: npt.NDArray[np.float32 | np.uint16], i: int, j: int) -> Float:
        at = np.clip(lines + i, 0, last_line), np.clip(samples + j, 0, last_sample)
        return source[at].astype(np.float32)

    # Means of opposite points follow a slope (terminator); the least of four looks past one side of a source.
    pairs = ((0, _RING), (_RING, 0), (_RING, _RING), (_RING, -_RING))
    around = np.min([0.5 * (value(detail.level, i, j) + value(detail.level, -i, -j)) for i, j in pairs], axis=0)
    height = value(residual, 0, 0) + value(detail.level, 0, 0) - around
    count = np.zeros(len(lines), np.intp)
    highest, lowest = around.copy(), np.full(len(lines), np.inf, np.float32)
    for i, j in _WINDOW:
        level = value(detail.level, i, j)
        count += value(residual, i, j) + level - around > _EXTENDED_PART * height
        highest, lowest = np.maximum(highest, level), np.minimum(lowest, level)
    # A hit leaves the local medians alone; beside a moon, even at its tips, they rise. A slope cancels out.
    swell = 0.5 * (highest + lowest) - around
    needed = np.maximum(_EXTENDED_SWELL * height, _SWELL_SIGMA * value(detail.scale, 0, 0))
    extended: Bool = (count >= _EXTENDED_COUNT) | (swell > needed)
    return extended


def fill(values: Float, bad: Bool) -> tuple[Index, Index, Float]:
    """Values for bad pixels from good neighbours of the same framelet.

    Parameters
    ----------
    values : ndarray, (line, sample), float32
        Any unit; NaN counts as bad.
    bad : ndarray, (line, sample), bool

    Returns
    -------
    lines, samples : ndarray, (n,)
        The bad pixels.
    filled : ndarray, (n,), float32
        Mean of the good pixels of the 5 x 5 neighbourhood, weighted by the inverse square of their distance;
        NaN where there are fewer than 4 of them.
    """
    lines, samples = np.nonzero(bad)
    total = np.zeros(len(lines), np.float32)
    weight = np.zeros(len(lines), np.float32)
    good = np.zeros(len(lines), np.intp)
    for i, j in _WINDOW:
        y, x = lines + i, samples + j
        inside = (y >= 0) & (y < bad.shape[0]) & (x >= 0) & (x < bad.shape[1])
        at = np.where(inside, y, 0), np.where(inside, x, 0)
        neighbour = values[at]
        use = inside & ~bad[at] & ~np.isnan(neighbour)
        share = np.float32(1.0 / max(i * i + j * j, 1))
        total += np.where(use, share * neighbour, np.float32(0.0))
        weight += np.where(use, share, np.float32(0.0))
        good += use
    enough = good >= _MIN_NEIGHBOURS
    filled = np.where(enough, total / np.where(enough, weight, np.float32(1.0)), np.float32(np.nan))
    return lines, samples, filled
