"""From 8-bit codes to 12-bit detector counts (DN).

The camera compands 12-bit counts to 8-bit codes on board. The rule of the square-root-like mode is a chain of
straight segments (JunoCam SIS, appendix C); the linear modes drop 0, 3 or 4 low bits. A code stands for an
interval of counts: its table value is the lower end, `code_step` the width.
"""

from functools import cache
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from perijove.errors import ImageFileError, LabelError

#: (first code of a segment, counts per code in it); the last segment ends at code 255 (SIS, appendix C).
_SQROOT_SEGMENTS: Final = ((0, 1), (23, 2), (43, 4), (89, 8), (184, 16), (209, 32))
_CODES: Final = 256
_STEPS: Final = {
    "SQROOT": _SQROOT_SEGMENTS,
    "LIN1": ((0, 1),),
    "LIN8": ((0, 8),),
    "LIN16": ((0, 16),),
}


@cache
def code_step(bit_mode: str) -> npt.NDArray[np.uint16]:
    """Width of the interval of counts that each code stands for.

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
    """Return the counts at the lower end of each code's interval.

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
    """Expand an array of codes to counts.

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
    if codes.dtype != np.uint8:
        message = f"on-board codes are 8-bit, these pixels are {codes.dtype}: is this a reflectance (RDR) file?"
        raise ImageFileError(message)
    import cv2

    # Five times as fast as indexing, which first widens the codes to indices.
    flat = cv2.LUT(np.ascontiguousarray(codes).reshape(1, -1), companding_table(bit_mode))
    return np.asarray(flat, np.uint16).reshape(codes.shape)
