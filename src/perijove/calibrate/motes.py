"""Dust and dull pixels, measured on the image itself where no flat field tells.

A mote darkens the same few pixels in every frame by the same part, while the scene moves past: the mean over the frames
of each pixel's ratio to its surroundings keeps the mote and averages the scene away.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from perijove.calibrate.defects import Bool, Detail, Float

#: Surroundings are the median of 5 x 5 of every fourth pixel: some 20 pixels, twice the largest mote.
_EVERY: Final = 4
_MEDIAN: Final = 5
#: Counts of surroundings that are bright enough, DN, and frames needed.
_LIT_DN: Final = 40.0
MIN_LIT_FRAMES: Final = 5
#: More frames than these add little.
_MAX_FRAMES: Final = 24
#: A mote is darker than its surroundings by this many standard errors, and at least by this part; its rim by that part.
_ERRORS: Final = 7.0
_DEPTH: Final = 0.06
_RIM_DEPTH: Final = 0.02
_RIM_ERRORS: Final = 3.0
#: A pixel that keeps less than this part of the light tells nothing.
MIN_RESPONSE: Final = 0.25
#: What one frame may add, as a part of the surroundings: hits do not count.
_RATIO_CAP: Final = 0.9
_BOX: Final = 31


def dust_response(details: Sequence[Detail], dark_dn: npt.NDArray[np.float64], hot: Bool) -> Float:
    """Relative response of motes and dull pixels of a band.

    Parameters
    ----------
    details : sequence of Detail
        One per frame.
    dark_dn : ndarray, (frame,)
        Dark level of the same frames, DN.
    hot : ndarray, (line, sample), bool
        Pixels with an excess, in which nothing is measured.

    Returns
    -------
    ndarray, (line, sample), float32
        Below 1 in motes, 1 elsewhere and where fewer than 5 frames are lit.
    """
    import cv2

    shape = details[0].residual.shape if details else hot.shape
    response = np.ones(shape, np.float32)
    step = -(-len(details) // _MAX_FRAMES) if details else 1
    total, square, count = (np.zeros(shape, np.float32) for _ in range(3))
    for detail, dark in zip(details[::step], dark_dn[::step], strict=True):
        off, lit = _relative(detail, float(dark))
        total += off
        square += off * off
        count += lit
    if not (count >= MIN_LIT_FRAMES).any():
        return response
    known = (count >= MIN_LIT_FRAMES) & ~hot
    number = np.maximum(count, 1.0)
    mean = total / number
    error = np.sqrt(np.maximum(square / number - mean * mean, 1e-6) / number)
    # Vignetting and what the scene leaves: slow over the size of a mote.
    mean -= cv2.blur(np.clip(mean, -_RIM_DEPTH, _RIM_DEPTH), (_BOX, _BOX))
    core = known & (mean < -_DEPTH) & (mean < -_ERRORS * error)
    if not core.any():
        return response
    near = cv2.dilate(core.astype(np.uint8), np.ones((5, 5), np.uint8)).view(np.bool_)
    mote = core | (near & known & (mean < -_RIM_DEPTH) & (mean < -_RIM_ERRORS * error))
    response[mote] = 1.0 + mean[mote]
    return response


def _relative(detail: Detail, dark_dn: float) -> tuple[Float, Float]:
    """How far pixels are from their surroundings, as a part of these, and where these are lit; 0 elsewhere."""
    import cv2

    half = _EVERY // 2
    coarse = np.ascontiguousarray(detail.level[half::_EVERY, half::_EVERY])
    around = cv2.medianBlur(coarse, _MEDIAN).astype(np.float32) - np.float32(dark_dn)
    lines, samples = detail.level.shape
    wide = cv2.resize(around, (samples, lines), interpolation=cv2.INTER_LINEAR)
    lit = wide > _LIT_DN
    off = (detail.level + detail.residual - np.float32(dark_dn)) / np.maximum(wide, _LIT_DN) - np.float32(1.0)
    # A limb or a terminator is no mote: where the surroundings themselves differ, the frame is not asked.
    lit &= np.abs(off) < _RATIO_CAP
    return np.where(lit, off, np.float32(0.0)), lit.astype(np.float32)
