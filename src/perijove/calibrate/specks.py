"""Specks: one to a few pixels that take some per cent of the light, told by the frames that light them.

A mote is looked for against surroundings of some 20 pixels, in which clouds scatter by more than a speck takes. Against
the median of 5 x 5 a speck of up to a dozen pixels still stands out, and clouds leave little; each frame counts with
what its own noise and texture allow, so that the few frames that light a pixel are enough.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from perijove.calibrate.defects import Bool, Detail, Float

#: Counts above the dark level in which a frame tells anything, DN, and frames needed.
_LIT_DN: Final = 40.0
_MIN_LIT_FRAMES: Final = 4
#: More frames than these add little.
_MAX_FRAMES: Final = 32
#: A speck is darker by so many standard errors; what touches one, by those. Of 100,000 pixels without one the first is
#: exceeded by less than one, if they scatter normally; in real images 110 are darker and 16 brighter by 5.
_ERRORS: Final = 5.0
_RIM_ERRORS: Final = 3.0
#: ... and by these parts of the light.
_DEPTH: Final = 0.025
_RIM_DEPTH: Final = 0.015
#: One frame's share: sigma, and part of the light. A hit makes no speck, nor does the limb.
_SCORE_CAP: Final = 3.0
_RATIO_CAP: Final = 0.9
#: Side of the box that usual scores are taken from.
_BOX: Final = 15
_USUAL_CAP: Final = 2.0


def speck_response(details: Sequence[Detail], dark_dn: npt.NDArray[np.float64], taken: Bool) -> Float:
    """Relative response of specks of a band.

    Parameters
    ----------
    details : sequence of Detail
        One per frame.
    dark_dn : ndarray, (frame,)
        Dark level of the same frames, DN.
    taken : ndarray, (line, sample), bool
        Pixels that something else explains; nothing is measured in them.

    Returns
    -------
    ndarray, (line, sample), float32
        Below 1 in specks, 1 elsewhere and where fewer than 4 frames are lit.
    """
    import cv2

    response = np.ones(taken.shape, np.float32)
    score, ratio, count = _sums(details, dark_dn, taken.shape)
    known = (count >= _MIN_LIT_FRAMES) & ~taken
    if not known.any():
        return response
    number = np.maximum(count, np.float32(1.0))
    score /= np.sqrt(number)
    ratio /= number
    # Sharp clouds are bright more often than dark, and the other way round in dark bands: alike over many pixels.
    score -= cv2.blur(np.clip(score, -_USUAL_CAP, _USUAL_CAP), (_BOX, _BOX))
    core = known & (score < -_ERRORS) & (ratio < -_DEPTH)
    if not core.any():
        return response
    near = cv2.dilate(core.astype(np.uint8), np.ones((3, 3), np.uint8)).view(np.bool_)
    speck = core | (near & known & (score < -_RIM_ERRORS) & (ratio < -_RIM_DEPTH))
    response[speck] = 1.0 + ratio[speck]
    return response


def _sums(
    details: Sequence[Detail], dark_dn: npt.NDArray[np.float64], shape: tuple[int, ...]
) -> tuple[Float, Float, Float]:
    """Sums over lit frames of what pixels differ by, in sigma and as a part of the light, and their number."""
    step = max(-(-len(details) // _MAX_FRAMES), 1)
    score, ratio, count = (np.zeros(shape, np.float32) for _ in range(3))
    for detail, dark in zip(details[::step], dark_dn[::step], strict=True):
        light = detail.level - np.float32(dark)
        lit = (light > _LIT_DN).astype(np.float32)
        score += lit * np.clip(detail.residual / detail.scale, -_SCORE_CAP, _SCORE_CAP)
        ratio += lit * np.clip(detail.residual / np.maximum(light, np.float32(_LIT_DN)), -_RATIO_CAP, _RATIO_CAP)
        count += lit
    return score, ratio, count
