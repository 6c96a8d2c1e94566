"""What the detector adds, loses and cannot hold: dark level, noise, saturation, lost data.

Gain, read noise and full well are those of the calibration report MSSS-JUNOCAM-DOC-0102 (2010), "CAL".
"""

from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from perijove.calibrate.quality import FrameletLayout
from perijove.errors import OptionError

BlackLevel = Literal["framelet", "image", "off"]
BLACK_LEVELS: Final = ("framelet", "image", "off")

#: Electrons per count (CAL: 16.3 nominal, 15.0 by photon transfer).
GAIN_E_PER_DN: Final = 16.0
#: Read noise, electrons (CAL).
READ_NOISE_E: Final = 16.6
#: Nominal full well, counts (CAL: 30,500 electrons).
FULL_WELL_DN: Final = 1872
#: Where green and red clip in an over-exposed image of perijove 43: their histograms, flat up to here, rise
#: tenfold within the next 150 counts. Signals between the nominal full well and this level are real.
CLIP_DN: Final = 2399

#: Part of the dark pixels dropped at either end of their distribution.
_TRIM = 0.1
#: A histogram piles up where a code holds this many times the pixels of a typical code below it.
_PILE_FACTOR = 3.0
_PILE_FOOT_FACTOR = 1.5
#: Codes below the pile that tell what is typical, and the least count that means anything.
_PLATEAU_CODES = 16
_PLATEAU_MIN = 20
#: Side of the compression blocks (SIS, integer cosine transform).
_BLOCK = 16
#: Counts that wrapped lie below, and beside clipped ones above, these parts of the codes; of their 5 x 5 so many are
#: clipped, and none lies between. They are at least this part of the rim of what is dark.
_WRAP_PARTS: Final = (0.16, 0.94)
_WRAP_BOX: Final = 5
_WRAP_TOP: Final = 4.0
_WRAP_PART: Final = 0.3
#: What is as dark as this in the mean is sky, DN.
_WRAP_SKY_DN: Final = 8.0
#: A constant block was lost if a neighbour is brighter by this much, DN: noise and slope never leave a block
#: constant next to such a step. None of 13,000 constant blocks in three real images is flagged by it.
_BLOCK_CONTRAST_DN = 20.0


def noise_dn(dn: npt.NDArray[np.float64], step: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    """Compute the standard deviation of a pixel: read noise, shot noise and the width of its code.

    Parameters
    ----------
    dn : ndarray
        Signal, DN.
    step : ndarray, broadcastable
        Width of the code, DN.

    Returns
    -------
    ndarray, float32, DN

    Examples
    --------
    >>> noise_dn(np.array([0.0, 1000.0]), np.array([1.0, 8.0])).round(2)
    array([1.08, 8.3 ], dtype=float32)
    """
    shot = np.maximum(dn, 0.0) / GAIN_E_PER_DN
    return np.sqrt((READ_NOISE_E / GAIN_E_PER_DN) ** 2 + shot + step**2 / 12.0).astype(np.float32)


def dark_level(
    dn: npt.NDArray[np.uint16], layout: FrameletLayout, black: BlackLevel = "framelet"
) -> npt.NDArray[np.float64]:
    """Dark level of each framelet from its dark columns.

    A trimmed mean: counts there are 0, 1 or 2, so that a median would be 0, and hits would spoil a plain
    mean.

    Parameters
    ----------
    dn : ndarray, (frame, band, line, sample), DN
    layout : FrameletLayout
    black : {"framelet", "image", "off"}
        Of each framelet; the median over all framelets of the band; or 0.

    Returns
    -------
    ndarray, (frame, band), DN

    Raises
    ------
    OptionError
        If ``black`` is none of the three.
    """
    if black not in BLACK_LEVELS:
        raise OptionError(f"there is no black level {black!r}; choose one of {', '.join(BLACK_LEVELS)}")
    if black == "off":
        return np.zeros(dn.shape[:2])
    columns = np.concatenate([dn[..., part] for part in layout.dark], axis=-1)
    ordered = np.sort(columns.reshape(*dn.shape[:2], -1), axis=-1)
    cut = int(_TRIM * ordered.shape[-1])
    trimmed: npt.NDArray[np.float64] = ordered[..., cut : ordered.shape[-1] - cut].mean(axis=-1)
    return trimmed if black == "framelet" else np.broadcast_to(np.median(trimmed, axis=0), trimmed.shape)


def saturation_level(histogram: npt.NDArray[np.int64], levels: npt.NDArray[np.uint16]) -> int:
    """Find the counts at and above which a band is clipped.

    Bands clip a little differently, and well above the nominal full well, so the level is read from the
    image: the foot of the pile at the upper end of the histogram. An image without a pile is not clipped, or
    hardly; then the level seen in over-exposed images is taken.

    Parameters
    ----------
    histogram : ndarray, (256,)
        Pixels per code.
    levels : ndarray, (256,)
        Counts of each code.

    Returns
    -------
    int
        DN.
    """
    highest = int(levels[-1])
    first = int(np.searchsorted(levels, min(FULL_WELL_DN, highest)))
    if first >= len(levels) - 1:
        return min(CLIP_DN, highest)
    peak = first + int(np.argmax(histogram[first:]))
    plateau = np.median(histogram[max(0, first - _PLATEAU_CODES) : first])
    typical = max(float(plateau), _PLATEAU_MIN)
    if histogram[peak] < _PILE_FACTOR * typical:
        return min(CLIP_DN, highest)
    foot = peak
    while foot > first and histogram[foot - 1] > _PILE_FOOT_FACTOR * typical:
        foot -= 1
    return int(levels[foot])


def lost_blocks(dn: npt.NDArray[np.uint16], layout: FrameletLayout) -> npt.NDArray[np.bool_]:
    """Compression blocks without content in one framelet.

    Parameters
    ----------
    dn : ndarray, (line, sample), DN
    layout : FrameletLayout

    Returns
    -------
    ndarray, (line, sample), bool
        True in constant 16 x 16 blocks that lie next to much brighter ones.
    """
    lost = np.zeros(dn.shape, np.bool_)
    rows, columns = dn.shape[0] // _BLOCK, dn.shape[1] // _BLOCK
    if not rows or not columns:
        return lost
    blocks = dn[: rows * _BLOCK, : columns * _BLOCK].reshape(rows, _BLOCK, columns, _BLOCK)
    by_row = blocks.max(axis=1)
    if not (by_row == blocks.min(axis=1)).all(axis=-1).any():
        return lost
    constant = by_row.max(axis=-1) == blocks.min(axis=(1, 3))
    level = blocks.mean(axis=(1, 3))
    level[:, : -(-layout.active.start // _BLOCK)] = -1.0
    level[:, layout.active.stop // _BLOCK :] = -1.0
    around = np.pad(level, 1, constant_values=-1.0)
    brightest = np.max([around[i : i + rows, j : j + columns] for i in range(3) for j in range(3)], axis=0)
    dull = constant & (level >= 0.0) & (level < FULL_WELL_DN) & (brightest - level > _BLOCK_CONTRAST_DN)
    lost[: rows * _BLOCK, : columns * _BLOCK] = np.kron(dull, np.ones((_BLOCK, _BLOCK), np.bool_))
    return lost


def wrapped(dn: npt.NDArray[np.uint16], levels: npt.NDArray[np.uint16]) -> npt.NDArray[np.bool_]:
    """Pixels of one framelet whose counts ran over the upper end of the codes and began again at the lower end.

    Beside clipped pixels they are dark, and nothing lies between: the optics draw no edge so sharp, that of a limb
    least of all. What connects to such pixels and is as dark wrapped, too.

    Parameters
    ----------
    dn : ndarray, (line, sample), DN
        Photoactive part.
    levels : ndarray, (256,)
        Counts of each code.

    Returns
    -------
    ndarray, (line, sample), bool
    """
    highest, lowest = (levels[int(part * (len(levels) - 1))] for part in _WRAP_PARTS[::-1])
    top, low = dn >= highest, dn <= lowest
    if not (top.any() and low.any()):
        return np.zeros(dn.shape, np.bool_)
    import cv2

    def count(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.float32]:
        box = (_WRAP_BOX, _WRAP_BOX)
        return np.asarray(cv2.boxFilter(mask.astype(np.float32), -1, box, normalize=False), np.float32)

    seeds = low & (count(top) >= _WRAP_TOP) & (count(~top & ~low) < 0.5)
    if not seeds.any():
        return np.zeros(dn.shape, np.bool_)
    _, names = cv2.connectedComponents(low.astype(np.uint8), connectivity=8)
    rim = low & (cv2.erode(low.astype(np.uint8), np.ones((3, 3), np.uint8)) == 0)
    number = np.bincount(names[rim], minlength=int(names.max()) + 1)
    told = np.bincount(names[rim & seeds], minlength=len(number))
    # The sky did not wrap, though a limb may be as sharp in places.
    mean = np.bincount(names.ravel(), dn.ravel()) / np.bincount(names.ravel())
    over = (told >= np.maximum(_WRAP_PART * number, 1.0)) & (mean > _WRAP_SKY_DN)
    found: npt.NDArray[np.bool_] = over[names] & low
    return found


def missing_framelets(dn: npt.NDArray[np.uint16], layout: FrameletLayout) -> npt.NDArray[np.bool_]:
    """Framelets whose photoactive pixels all hold one value: nothing was received.

    Parameters
    ----------
    dn : ndarray, (frame, band, line, sample), DN
    layout : FrameletLayout

    Returns
    -------
    ndarray, (frame, band), bool
    """
    active = dn[..., layout.active]
    # Most framelets differ in their first line already: look at the rest only of those that do not.
    suspect = (active[:, :, 0] == active[:, :, 0, :1]).all(axis=-1)
    missing = np.zeros(dn.shape[:2], np.bool_)
    for frame, band in np.argwhere(suspect):
        framelet = active[frame, band]
        missing[frame, band] = framelet.min() == framelet.max()
    return missing
