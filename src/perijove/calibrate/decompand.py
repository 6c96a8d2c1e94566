"""From 8-bit codes to 12-bit detector counts (DN).

The camera compands 12-bit counts to 8-bit codes on board. The rule of the square-root-like mode is a chain of
straight segments (JunoCam SIS, appendix C); the linear modes drop 0, 3 or 4 low bits.

A code stands for a range of counts (`code_range`). Which one the specification does not say; histograms of four real
images do (``docs/decisions/companding.md``). A table value is the upper end of its range: of a losslessly compressed
image code 23 is as frequent as code 22, and code 24 twice as frequent. And codes that went through the integer cosine
transform come back 0.75 % too high (`code_gain`): corners of the table show at codes that are higher by that.
"""

from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from perijove.errors import ImageFileError, LabelError

#: (first code of a segment, counts per code in it); the last segment ends at code 255 (SIS, appendix C).
_SQROOT_SEGMENTS: Final = ((0, 1), (23, 2), (43, 4), (89, 8), (184, 16), (209, 32))
_CODES: Final = 256
#: What lossy compression makes of codes: the corners of the table, as histograms of three images of perijoves 43 and 44
#: show them, lie at 1.0075 +- 0.0003 times the codes that the specification has (docs/decisions/companding.md).
LOSSY_GAIN: Final = 1.0075
#: COMPRESSION_TYPE of images to which it applies (SIS).
_LOSSY: Final = "INTEGER COSINE TRANSFORM"
_STEPS: Final = {
    "SQROOT": _SQROOT_SEGMENTS,
    "LIN1": ((0, 1),),
    "LIN8": ((0, 8),),
    "LIN16": ((0, 16),),
}


def code_gain(compression: str) -> float:
    """Factor by which codes came back from compression.

    Parameters
    ----------
    compression : str
        COMPRESSION_TYPE of the label.

    Returns
    -------
    float
        1 of images that were compressed without loss, or of which nothing is said.

    Examples
    --------
    >>> code_gain("INTEGER COSINE TRANSFORM"), code_gain("HUFFMAN")
    (1.0075, 1.0)
    """
    return LOSSY_GAIN if compression.upper() == _LOSSY else 1.0


@cache
def code_range(bit_mode: str, gain: float = 1.0) -> npt.NDArray[np.float32]:
    """Range of counts that each code stands for.

    Parameters
    ----------
    bit_mode : str
        SQROOT, LIN1, LIN8 or LIN16.
    gain : float
        See `code_gain`.

    Returns
    -------
    ndarray, (256, 2), float32, DN, read-only
        From and to; a whole count n covers n - 0.5 to n + 0.5, so that ranges join without gaps. Of the linear modes no
        image has been seen: rounding is taken for them. All that is brighter is in the last code that is used, too.

    Raises
    ------
    LabelError
        The mode is none of the four.

    Examples
    --------
    >>> code_range("SQROOT")[[22, 23, 24, 100]].tolist()
    [[21.5, 22.5], [22.5, 23.5], [23.5, 25.5], [327.5, 335.5]]
    """
    levels = companding_table(bit_mode).astype(np.float64)
    if bit_mode == "SQROOT":
        upper = levels + 0.5
    else:
        between = np.ceil(0.5 * (levels[1:] + levels[:-1])) - 0.5
        upper = np.append(between, between[-1] + (levels[-1] - levels[-2]))
    ends = np.arange(_CODES + 1) - 0.5
    dn = np.interp(ends / gain, ends, np.append(-0.5, upper))
    ranges = np.stack([dn[:-1], dn[1:]], axis=1).astype(np.float32)
    ranges.flags.writeable = False
    return ranges


@cache
def expected_dn(bit_mode: str, gain: float = 1.0) -> npt.NDArray[np.float32]:
    """Mean of the counts that each code stands for.

    Parameters
    ----------
    bit_mode : str
        SQROOT, LIN1, LIN8 or LIN16.
    gain : float
        See `code_gain`.

    Returns
    -------
    ndarray, (256,), float32, DN, read-only

    Raises
    ------
    LabelError
        The mode is none of the four.

    Examples
    --------
    >>> expected_dn("SQROOT")[[22, 24, 100, 209]].tolist()
    [22.0, 24.5, 331.5, 1399.5]
    """
    mean: npt.NDArray[np.float32] = code_range(bit_mode, gain).mean(axis=1)
    mean.flags.writeable = False
    return mean


def expand(
    codes: npt.NDArray[np.uint8],
    bit_mode: str,
    dither_seed: int | Sequence[int] | None = None,
    gain: float = 1.0,
) -> npt.NDArray[np.float32]:
    """Expand codes to the counts that they stand for, as they are to be expected.

    Parameters
    ----------
    codes : ndarray, any shape, uint8
    bit_mode : str
        SQROOT, LIN1, LIN8 or LIN16.
    dither_seed : int or sequence of int, optional
        Spread the counts of each code evenly over its range, so that strongly stretched pictures show no steps. The
        same seed gives the same counts. It adds the noise of one more rounding: not for measurements.
    gain : float
        See `code_gain`.

    Returns
    -------
    ndarray, same shape, float32, DN

    Raises
    ------
    ImageFileError
        The pixels are not 8-bit.
    LabelError
        The mode is none of the four.

    Examples
    --------
    >>> expand(np.array([22, 100], np.uint8), "SQROOT").tolist()
    [22.0, 331.5]
    """
    _check_codes(codes)
    if dither_seed is None:
        return _looked_up(codes, expected_dn(bit_mode, gain))
    low, high = np.ascontiguousarray(code_range(bit_mode, gain).T)
    within = np.random.default_rng(dither_seed).random(codes.shape, dtype=np.float32)
    spread: npt.NDArray[np.float32] = _looked_up(codes, low) + within * _looked_up(codes, high - low)
    return spread


def _check_codes(codes: npt.NDArray[np.uint8]) -> None:
    if codes.dtype != np.uint8:
        message = f"on-board codes are 8-bit, these pixels are {codes.dtype}: is this a reflectance (RDR) file?"
        raise ImageFileError(message)


def _looked_up(codes: npt.NDArray[np.uint8], table: npt.NDArray[Any]) -> npt.NDArray[Any]:
    import cv2

    # Five times as fast as indexing, which first widens the codes to indices.
    flat = cv2.LUT(np.ascontiguousarray(codes).reshape(1, -1), np.ascontiguousarray(table))
    return np.asarray(flat, table.dtype).reshape(codes.shape)


@cache
def code_step(bit_mode: str) -> npt.NDArray[np.uint16]:
    """Step from the table value of each code to the next.

    Parameters
    ----------
    bit_mode : str
        SAMPLE_BIT_MODE_ID of the label: SQROOT, LIN1, LIN8 or LIN16.

    Returns
    -------
    ndarray, (256,), uint16, DN, read-only

    Raises
    ------
    LabelError
        The mode is none of the four.

    Examples
    --------
    >>> code_step("SQROOT")[[0, 22, 23, 42, 43, 255]].tolist()
    [1, 1, 2, 2, 4, 32]
    """
    try:
        segments = _STEPS[bit_mode]
    except KeyError:
        known = ", ".join(_STEPS)
        message = f"SAMPLE_BIT_MODE_ID {bit_mode!r} is not known; the camera has {known}: check the label"
        raise LabelError(message) from None
    step = np.empty(_CODES, np.uint16)
    for (first, width), (end, _) in pairwise((*segments, (_CODES, 0))):
        step[first:end] = width
    step.flags.writeable = False
    return step


@cache
def companding_table(bit_mode: str) -> npt.NDArray[np.uint16]:
    """Return the table value of each code.

    Parameters
    ----------
    bit_mode : str
        SQROOT, LIN1, LIN8 or LIN16.

    Returns
    -------
    ndarray, (256,), uint16, DN, read-only

    Raises
    ------
    LabelError
        The mode is none of the four.

    Examples
    --------
    >>> companding_table("SQROOT")[[23, 43, 89, 184, 209, 255]].tolist()
    [23, 63, 247, 1007, 1407, 2879]
    """
    table = np.zeros(_CODES, np.uint16)
    np.cumsum(code_step(bit_mode)[:-1], out=table[1:])
    table.flags.writeable = False
    return table


def decompand(codes: npt.NDArray[np.uint8], bit_mode: str) -> npt.NDArray[np.uint16]:
    """Expand an array of codes to the table values; see `expand` for what they stand for.

    Parameters
    ----------
    codes : ndarray, any shape, uint8
    bit_mode : str
        SQROOT, LIN1, LIN8 or LIN16.

    Returns
    -------
    ndarray, same shape, uint16, DN

    Raises
    ------
    ImageFileError
        The pixels are not 8-bit.
    LabelError
        The mode is none of the four.

    Examples
    --------
    >>> decompand(np.array([0, 30, 200], np.uint8), "LIN8").tolist()
    [0, 240, 1600]
    """
    _check_codes(codes)
    return _looked_up(codes, companding_table(bit_mode))
