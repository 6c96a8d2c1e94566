"""What is wrong with the framelets of a band, put right: each repair can be switched off, and all are flagged."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from perijove.calibrate import defects, motes, specks
from perijove.calibrate.defects import Bool, Detail, FixedPattern, Float
from perijove.calibrate.hits import find_hits, find_holes
from perijove.calibrate.quality import Quality
from perijove.calibrate.streaks import find_streaks
from perijove.errors import OptionError

NoiseMode = Literal["auto", "off", "heavy"]
NOISE_MODES: Final = ("auto", "off", "heavy")

#: A hot pixel that leaves the range of its neighbours by this many sigma, once corrected, is filled: lossy compression
#: takes lone excesses away.
_DOUBT_SIGMA: Final = 1.5
#: A pixel of a streak that adds this much more than the streak is hot on its own, DN.
_OWN_DN: Final = 1.5


@dataclass(frozen=True)
class Repairs:
    """What `calibrate` repairs.

    Attributes
    ----------
    stripes : bool
        Subtract what columns stand off the dark level, where they are striped.
    hot : bool
        Subtract what hot pixels add; fill those of low response.
    dust : bool
        Divide by the response of motes and specks that no flat field knows.
    hits : bool
        Fill radiation hits and other lone outliers.
    blocks : bool
        Take lost compression blocks and wrapped counts for unknown.
    noise : {"auto", "off", "heavy"}
        Take noise out; by itself where the image has the noise of an aged camera.

    Raises
    ------
    OptionError
        The noise mode is none of the three.

    Examples
    --------
    >>> Repairs.none().hits
    False
    """

    stripes: bool = True
    hot: bool = True
    dust: bool = True
    hits: bool = True
    blocks: bool = True
    noise: NoiseMode = "auto"

    def __post_init__(self) -> None:
        if self.noise not in NOISE_MODES:
            raise OptionError(f"there is no noise mode {self.noise!r}; choose one of {', '.join(NOISE_MODES)}")

    @classmethod
    def none(cls) -> "Repairs":
        """No repair: what the camera sent, in other units."""
        return cls(stripes=False, hot=False, dust=False, hits=False, blocks=False, noise="off")


@dataclass(frozen=True)
class FixedDefects:
    """Defects that repeat in all frames of a band.

    Attributes
    ----------
    pattern : FixedPattern
        Hot pixels and those of low response.
    response : ndarray, (line, sample), float32
        Relative response of motes and specks, and behind holes of the filter; 1 elsewhere.
    unknown : ndarray, (line, sample), bool
        Pixels without a usable response.
    """

    pattern: FixedPattern
    response: Float
    unknown: Bool

    @property
    def touched(self) -> Bool:
        """Where any of them changes a value."""
        touched: Bool = self.pattern.hot | self.unknown | (self.response != 1.0)
        return touched


def find_fixed(
    details: Sequence[Detail],
    mean_score: Float,
    dark_dn: npt.NDArray[np.float64],
    known: tuple[Bool | np.bool_, Bool],
    repairs: Repairs,
    *,
    stages: int = 1,
) -> FixedDefects:
    """Find the defects that repeat.

    Parameters
    ----------
    details : sequence of Detail
        One per frame.
    mean_score : ndarray, (line, sample), float32
        Mean of `defects.score_of` over ``details``.
    dark_dn : ndarray, (frame,)
        Dark level of the same frames, DN.
    known : tuple of ndarray, (line, sample), bool
        Where a flat field tells that a pixel responds less; and pixels that a calibration set calls bad.
    repairs : Repairs
    stages : int
        TDI stages, in lines as they were read.

    Returns
    -------
    FixedDefects
    """
    by_flat, bad = known
    added, leak = find_streaks(details, dark_dn, stages)
    pattern = _with_streaks(defects.fixed_pattern(mean_score, list(details)), added, leak)
    if not repairs.hot:
        pattern = FixedPattern(np.zeros_like(mean_score), np.zeros(mean_score.shape, np.bool_))
    response = np.ones_like(mean_score)
    if repairs.dust:
        response = motes.dust_response(details, dark_dn, pattern.hot)
        taken = pattern.hot | (response < 1.0)
        response = np.minimum(response, specks.speck_response(details, dark_dn, taken))
        response[np.broadcast_to(by_flat, response.shape) | (leak > 1.0)] = 1.0
    measured = (response < 1.0) & (response >= motes.MIN_RESPONSE)
    unknown = bad | (pattern.cold & ~by_flat & ~measured) | (response < motes.MIN_RESPONSE)
    if not repairs.hot:
        leak = np.ones_like(leak)
    return FixedDefects(pattern, np.where(measured, response, leak), unknown)


def _with_streaks(pattern: FixedPattern, added: Float, leak: Float) -> FixedPattern:
    """Streaks tell better what their pixels add than these do, unless a pixel adds more on its own."""
    streak = (added > 0.0) | (leak > 1.0)
    own = (pattern.excess > added + np.float32(_OWN_DN)) & (leak <= 1.0)
    # Beside a streak that is wide the local median is part of it, and its flank seems dull.
    return FixedPattern(np.where(streak & ~own, added, pattern.excess), pattern.cold & ~streak)


def to_fill(detail: Detail, fixed: FixedDefects, repairs: Repairs) -> tuple[Bool, Bool]:
    """Pixels of a framelet whose own value is of no use.

    Parameters
    ----------
    detail : Detail
    fixed : FixedDefects
    repairs : Repairs

    Returns
    -------
    hits, bad : ndarray, (line, sample), bool
        Radiation hits; all that is to be filled, these included.
    """
    pattern = fixed.pattern
    doubtful = _doubtful(detail, pattern)
    if not repairs.hits:
        return np.zeros_like(doubtful), doubtful | fixed.unknown
    hits = find_hits(detail, pattern) | find_holes(detail, pattern)
    return hits, hits | doubtful | fixed.unknown


def _doubtful(detail: Detail, pattern: FixedPattern) -> Bool:
    """Hot pixels that lie outside all their neighbours once their excess is subtracted."""
    doubtful = np.zeros(pattern.excess.shape, np.bool_)
    lines, samples = np.nonzero(pattern.hot)
    if not len(lines):
        return doubtful

    last_line, last_sample = (n - 1 for n in detail.level.shape)

    def value(i: int, j: int) -> Float:
        at = np.clip(lines + i, 0, last_line), np.clip(samples + j, 0, last_sample)
        corrected: Float = detail.level[at] + detail.residual[at] - pattern.excess[at]
        return corrected

    beside = np.stack([value(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1) if i or j])
    margin = _DOUBT_SIGMA * detail.noise[lines, samples]
    own = value(0, 0)
    doubtful[lines, samples] = (own < beside.min(axis=0) - margin) | (own > beside.max(axis=0) + margin)
    return doubtful


def mend(values: Float, flags: npt.NDArray[np.uint8], bad: tuple[Bool, Bool], fixed: FixedDefects) -> None:
    """Fill and flag a framelet in place.

    Parameters
    ----------
    values : ndarray, (line, sample), float32
        Photoactive part, fixed defects taken out; NaN where lost.
    flags : ndarray, (line, sample), uint8
    bad : tuple of ndarray, (line, sample), bool
        Hits, and all that is to be filled; see `to_fill`.
    fixed : FixedDefects
    """
    hits, unusable = bad
    lines, samples, filled = defects.fill(values, unusable)
    values[lines, samples] = filled
    flags[fixed.touched] |= np.uint8(Quality.HOT)
    flags[hits] |= np.uint8(Quality.COSMIC)
    flags[fixed.touched | unusable] |= np.uint8(Quality.REPAIRED)


def saturated(dn: npt.NDArray[np.uint16], clipped_dn: int) -> Bool:
    """Pixels that are clipped, and those above and below into which their charge spilled.

    Parameters
    ----------
    dn : ndarray, (line, sample), DN
    clipped_dn : int
        Counts from which a pixel is clipped.

    Returns
    -------
    ndarray, (line, sample), bool
    """
    full: Bool = dn >= clipped_dn
    if not full.any():
        return full
    spilled = full.copy()
    spilled[1:] |= full[:-1]
    spilled[:-1] |= full[1:]
    return spilled
