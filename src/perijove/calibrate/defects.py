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
#: Sides of the boxes over which the texture of the scene is averaged, and caps on what one pixel adds: to the wider
#: one, in units of the noise; to the other one, in units of what was found in the wider one.
_TEXTURE: Final = 9
_TEXTURE_WIDE: Final = 17
_TEXTURE_CAP: Final = 6.0
_OUTLIER_CAP: Final = 2.5
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
#: Good neighbours needed to fill a pixel.
_MIN_NEIGHBOURS: Final = 4

#: Steps to one of two opposite neighbours, and pairs of good ones needed to tell which follow an edge.
_PAIRS: Final = tuple((i, j) for i in range(3) for j in range(-2, 3) if i > 0 or j > 0)
_MIN_PAIRS: Final = 3


@dataclass(frozen=True)
class Detail:
    """How one framelet differs from its own local median.

    Attributes
    ----------
    level : ndarray, (line, sample), uint16
        Median of the 5 x 5 neighbourhood, DN.
    residual : ndarray, (line, sample), float32
        Pixel minus ``level``, DN.
    noise : ndarray, (line, sample), float32
        Noise at ``level``, DN.
    scale : ndarray, (line, sample), float32
        Noise, and the texture of the scene where it exceeds the noise, DN.
    """

    level: UInt16
    residual: Float
    noise: Float
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
    scale = with_texture(noise, np.abs(residual), level)
    return Detail(level, residual, noise, scale)


def with_texture(noise: Float, size: Float, level: UInt16 | Float) -> Float:
    """Add to the noise what of the mean deviation is texture of the scene, which needs light.

    A hit and the trail of one add to the deviations around them: each counts for at most so many sigma of the texture
    of a wider neighbourhood.

    Parameters
    ----------
    noise, size, level : ndarray, (line, sample)
        Noise, deviation from the local median, and that median, DN.

    Returns
    -------
    ndarray, (line, sample), float32, DN
    """
    import cv2

    def mean(values: Float, box: int) -> Float:
        return np.asarray(cv2.boxFilter(values, -1, (box, box), borderType=cv2.BORDER_REFLECT), np.float32)

    wide = mean(np.minimum(size, noise * np.float32(_TEXTURE_CAP)), _TEXTURE_WIDE)
    cap = np.maximum(wide * np.float32(_MAD_TO_SIGMA), noise) * np.float32(_OUTLIER_CAP)
    texture = mean(np.minimum(size, cap), _TEXTURE)
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
        Mean of the good pixels of the 5 x 5 neighbourhood, in pairs of opposite ones where there are such: weighted by
        the inverse square of their distance and, of pairs, by how well they agree, which follows edges. NaN where there
        are fewer than 4 good pixels.
    """
    lines, samples = np.nonzero(bad)
    good = np.zeros(len(lines), np.intp)
    total, weight = np.zeros((2, len(lines)), np.float32)
    means, gaps, shares = (np.zeros((len(_PAIRS), len(lines)), np.float32) for _ in range(3))
    for index, (i, j) in enumerate(_PAIRS):
        (one, use_one), (other, use_other) = (_neighbours(values, bad, lines + s * i, samples + s * j) for s in (1, -1))
        share = np.float32(1.0 / (i * i + j * j))
        total += share * (one + other)
        weight += share * (use_one.astype(np.float32) + use_other)
        good += use_one.astype(np.intp) + use_other
        means[index], gaps[index] = 0.5 * (one + other), np.square(one - other)
        shares[index] = share * (use_one & use_other)
    enough = good >= _MIN_NEIGHBOURS
    plain = np.divide(total, weight, out=np.full_like(total, np.nan), where=enough)
    paired = (shares > 0.0).sum(axis=0) >= _MIN_PAIRS
    if not paired.any():
        return lines, samples, plain
    # What pairs usually differ by is noise; those across an edge differ by more.
    usual = np.sort(np.where(shares > 0.0, gaps, np.float32(np.inf)), axis=0)[_MIN_PAIRS - 1]
    usual = np.where(paired, usual, np.float32(0.0))
    weights = shares * usual / (gaps + usual + np.finfo(np.float32).tiny)
    weights += np.float32(1e-6) * shares
    along = (weights * means).sum(axis=0) / np.maximum(weights.sum(axis=0), np.finfo(np.float32).tiny)
    return lines, samples, np.where(paired & enough, along, plain)


def _neighbours(values: Float, bad: Bool, lines: Index, samples: Index) -> tuple[Float, Bool]:
    """Values of good pixels, 0 elsewhere, and which are good."""
    inside = (lines >= 0) & (lines < bad.shape[0]) & (samples >= 0) & (samples < bad.shape[1])
    at = np.where(inside, lines, 0), np.where(inside, samples, 0)
    found = values[at]
    use = inside & ~bad[at] & ~np.isnan(found)
    return np.where(use, found, np.float32(0.0)), use
