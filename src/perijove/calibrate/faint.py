"""Images so faint that grain hides the clouds: noise is taken out of what is shown of them, columns first.

Methane images collect some twenty counts where they are lit, with a noise of 7 %. An aged camera has noise taken out as
it is calibrated; here that of a sound one is, after everything that repeats in all framelets.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt

from perijove.calibrate.decompand import code_step, companding_table
from perijove.calibrate.denoise import calm
from perijove.calibrate.quality import FrameletLayout
from perijove.calibrate.radiance import white_dn
from perijove.calibrate.stack import CalibratedStack

Float = npt.NDArray[np.float32]

#: Noise over signal, where an image is lit, from which it is faint: colour images have 1 to 3 %.
FAINT_NOISE: Final = 0.05
#: Counts from which ground counts as lit, and the part of the pixels that must be.
_LIT_DN: Final = 8.0
_LIT_PART: Final = 0.02
#: Every so many pixels are asked.
_SAMPLED: Final = 7
#: Read noise, DN, and electrons a count of the new camera (CAL).
_READ_DN: Final = 1.04
_ELECTRONS: Final = 16.0
#: Between these levels noise is taken out more and more, DN: night keeps its own, by which pictures tell what is black.
_NIGHT_DN: Final = (0.8, 2.2)
#: Confidence of what is left as the camera sent it, see `perijove.calibrate.denoise.calm`.
_AS_IT_IS: Final = np.float32(0.5)
#: Noise follows the mean over squares of this side, pixels.
_BOX: Final = 9
_THREADS: Final = 4


def noise_of_lit(calibrated: CalibratedStack) -> float:
    """Noise over signal of the sound camera where an image is lit, least of its bands; 0 where little of it is."""
    parts = []
    for index, band in enumerate(calibrated.label.bands):
        dn = calibrated.i_over_f[:, index, ::_SAMPLED, ::_SAMPLED] * np.float32(_white(calibrated, band))
        lit = dn[dn > _LIT_DN]
        level = float(np.median(lit)) if lit.size > _LIT_PART * dn.size else np.inf
        parts.append(float(np.sqrt(_READ_DN**2 + level / _ELECTRONS) / level) if np.isfinite(level) else 0.0)
    return min(parts)


def quieted_if_faint(calibrated: CalibratedStack) -> CalibratedStack:
    """Take the noise out of an image that is faint.

    Parameters
    ----------
    calibrated : CalibratedStack

    Returns
    -------
    CalibratedStack
        The same one if it is not, or if its noise was taken out already. Otherwise with confidence, and a note.
    """
    noise = noise_of_lit(calibrated)
    if calibrated.confidence is not None or noise < FAINT_NOISE:
        return calibrated
    label = calibrated.label
    values, confidence = calibrated.i_over_f.copy(), np.zeros(calibrated.i_over_f.shape, np.float32)
    lines, samples = values.shape[2:]
    layout = FrameletLayout.of(lines, samples, label.sampling_factor)
    whites = [np.float32(_white(calibrated, band)) for band in label.bands]

    def job(frame: int, index: int) -> None:
        seen = values[frame, index, :, layout.active]
        level = _level(seen * whites[index])
        spread = _noise_dn(level, label.bit_mode) / whites[index]
        calmed = seen.copy()
        sure = calm(calmed, spread, spread, np.zeros_like(spread))
        share = np.clip((level - _NIGHT_DN[0]) / (_NIGHT_DN[1] - _NIGHT_DN[0]), 0.0, 1.0)
        seen += share * (calmed - seen)
        confidence[frame, index, :, layout.active] = share * sure + (1.0 - share) * _AS_IT_IS

    there = [pair for pair in np.ndindex(*values.shape[:2]) if np.isfinite(values[pair][:, layout.active]).any()]
    with ThreadPoolExecutor(_THREADS) as pool:
        list(pool.map(lambda pair: job(*pair), there))
    for array in (values, confidence):
        array.flags.writeable = False
    note = f"faint: noise is {100 * noise:.0f} % of the light, and was taken out (--noise-mode off leaves it in)"
    return replace(calibrated, i_over_f=values, confidence=confidence, notes=(*calibrated.notes, note))


def _white(calibrated: CalibratedStack, band: str) -> float:
    label = calibrated.label
    return white_dn(band, label.exposure_s, label.solar_distance_km, label.orbit)


def _level(dn: Float) -> Float:
    """Mean of what is around, not below 0."""
    import cv2

    known = np.isfinite(dn).astype(np.float32)
    total = cv2.blur(np.where(known > 0, dn, np.float32(0.0)), (_BOX, _BOX))
    return np.asarray(np.maximum(total / np.maximum(cv2.blur(known, (_BOX, _BOX)), np.float32(0.01)), 0.0), np.float32)


def _noise_dn(level: Float, bit_mode: str) -> Float:
    """Standard deviation of the noise by the level, DN."""
    width = np.interp(level, companding_table(bit_mode), code_step(bit_mode))
    return np.asarray(np.sqrt(_READ_DN**2 + level / _ELECTRONS + width**2 / 12.0), np.float32)
