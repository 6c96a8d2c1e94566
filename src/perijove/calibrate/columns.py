"""What is left of the detector's columns: offsets of a tenth of a count, and gains, of an image told by itself.

The scene moves on from frame to frame, columns stay. Means over some lines of each framelet, less those of the columns
around, are gathered by how bright it is there: in sky and night they tell what a column adds, in daylight, that taken
off, by what it multiplies. Both count only as far as they exceed what chance makes of them.
"""

from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt

from perijove.calibrate.quality import FrameletLayout
from perijove.calibrate.radiance import white_dn
from perijove.calibrate.stack import CalibratedStack

Float = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]

#: Lines of a framelet that are averaged, full resolution, and columns around, whose mean is the scene's.
_LINES: Final = 31
_AROUND: Final = 33
#: Below this it is night or sky, above it day, DN; and the part of what clips that day may reach.
_DARK_DN: Final = 3.0
_LIT_DN: Final = 4.0
_UNCLIPPED: Final = 0.8
#: Over so many columns daylight may change by this part: beside limb and terminator no gain is told.
_CALM_COLUMNS: Final = 16
_CALM_PART: Final = 0.15
#: Means that a column needs, and frames that these must be of.
_LEAST_MEANS, _LEAST_FRAMES = 12, 8
#: Texture of the scene, part of the light, over so many lines.
_TEXTURE: Final = 0.02
#: Noise: read noise and electrons a count of the new camera, DN (CAL).
_READ_DN: Final = 1.04
_ELECTRONS: Final = 16.0
#: A mean counts in full up to so many robust deviations.
_HUBER: Final = 1.5
_ROUNDS: Final = 5
#: Gains are taken off if they vary by so many times their errors. What clouds leave is no chance of columns alone: in
#: colour images it is 1, and half of an image does not make the other half evener; in a methane image it is 3.
_LEAST_SIGNAL: Final = 2.0
#: Square of the median deviation of a normal law, in squares of its standard deviation.
_MEDIAN_SQUARE: Final = 0.455


def even_columns(calibrated: CalibratedStack) -> CalibratedStack:
    """Take off what single columns add to their neighbours, and by what they exceed them.

    Parameters
    ----------
    calibrated : CalibratedStack

    Returns
    -------
    CalibratedStack
        The same one if nothing stands out of chance. Otherwise its notes say what did.
    """
    label = calibrated.label
    lines, samples = calibrated.i_over_f.shape[2:]
    layout = FrameletLayout.of(lines, samples, label.sampling_factor)
    values, told = None, []
    for index, band in enumerate(label.bands):
        white = white_dn(band, label.exposure_s, label.solar_distance_km, label.orbit)
        seen = calibrated.i_over_f[:, index, layout.kept_lines, layout.active]
        means, around = _means(seen, label.sampling_factor)
        clipping = calibrated.saturation_i_over_f[band] * white
        per_frame = len(means) // len(seen)
        offset, gain = column_response(means * white, around * white, _UNCLIPPED * clipping, per_frame)
        if not (offset.any() or gain.any()):
            continue
        values = calibrated.i_over_f.copy() if values is None else values
        lit = values[:, index, :, layout.active]
        lit -= (offset / white).astype(np.float32)
        lit /= (1.0 + gain).astype(np.float32)
        known = offset != 0.0
        text = f"{band} {np.sqrt(np.mean(np.square(offset[known]))) if known.any() else 0.0:.2f} DN"
        told.append(text + (f" and {100 * np.sqrt(np.mean(np.square(gain[gain != 0.0]))):.2f} %" if gain.any() else ""))
    if values is None:
        return calibrated
    values.flags.writeable = False
    note = (
        f"by what single columns differ from those around, measured on this image, taken off (RMS): {', '.join(told)}"
    )
    return replace(calibrated, i_over_f=values, notes=(*calibrated.notes, note))


def _means(seen: Float, sampling_factor: int) -> tuple[Floats, Floats]:
    """Means over lines less those of the columns around, and the latter, (frame and lines, sample); NaN: unknown."""
    import cv2

    frames, lines, samples = seen.shape
    groups = max(lines * sampling_factor // _LINES, 1)
    size = lines // groups
    blocks = seen[:, : groups * size].reshape(frames * groups, size, samples)
    # A column with unknown pixels is left out: NaN goes through the mean.
    mean = blocks.mean(axis=1, dtype=np.float32)
    known = np.isfinite(mean).astype(np.float32)
    box = (_AROUND, 1)
    total = cv2.blur(np.where(known > 0, mean, np.float32(0.0)), box, borderType=cv2.BORDER_REFLECT)
    share = cv2.blur(known, box, borderType=cv2.BORDER_REFLECT)
    around = np.where(share > 0.5, total / np.maximum(share, np.float32(0.1)), np.nan)
    return np.asarray(mean - around, np.float64), np.asarray(around, np.float64)


def column_response(off_dn: Floats, around_dn: Floats, highest_dn: float, per_frame: int = 1) -> tuple[Floats, Floats]:
    """Offset and gain of each column.

    Parameters
    ----------
    off_dn : ndarray, (n, sample), DN
        Means of pixels of a column less those of the columns around; NaN where unknown.
    around_dn : ndarray, (n, sample), DN
        Means of the columns around, above dark.
    highest_dn : float
        Brighter ones are left out.
    per_frame : int
        So many means are of one frame and may err together: a cloud stands over all of its lines.

    Returns
    -------
    offset : ndarray, (sample,), DN
    gain : ndarray, (sample,)
        Less 1. Both are 0 where nothing is known, or nothing exceeds chance.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> true = rng.normal(0.0, 0.1, 1600)
    >>> offset, gain = column_response(true + rng.normal(0.0, 0.2, (99, 1600)), np.ones((99, 1600)), 1000.0)
    >>> print(f"{np.std(offset - true):.2f} DN left of {np.std(true):.2f}", gain.any())
    0.02 DN left of 0.10 False
    """
    known = np.isfinite(off_dn) & np.isfinite(around_dn)
    off, level = np.where(known, off_dn, 0.0), np.where(known, around_dn, 1.0)
    offset, _ = _beyond_chance(off, (known & (level < _DARK_DN)).astype(float), per_frame)
    lit = known & (level > _LIT_DN) & (level < highest_dn) & _calm(level)
    level = np.where(lit, level, 1.0)
    noise = (_READ_DN**2 + level / _ELECTRONS) / (_LINES * level**2) + _TEXTURE**2
    gain, signal = _beyond_chance((off - offset) / level, np.where(lit, 1.0 / noise, 0.0), per_frame)
    return offset, gain if signal > _LEAST_SIGNAL else np.zeros_like(gain)


def _calm(level: Floats) -> Bool:
    """Where light changes little from column to column."""
    near = np.pad(level, ((0, 0), (_CALM_COLUMNS, _CALM_COLUMNS)), mode="edge")
    calm: Bool = np.abs(near[:, 2 * _CALM_COLUMNS :] - near[:, : -2 * _CALM_COLUMNS]) < _CALM_PART * level
    return calm


def _beyond_chance(values: Floats, weight: Floats, per_frame: int) -> tuple[Floats, float]:
    """Robust mean of each column, reduced by the part that is chance; and how much exceeds that, in its errors."""
    frames = (weight > 0.0).reshape(-1, per_frame, weight.shape[1]).any(axis=1).sum(axis=0)
    known = (np.count_nonzero(weight, axis=0) >= _LEAST_MEANS) & (frames >= _LEAST_FRAMES)
    nothing = np.zeros(values.shape[1]), 0.0
    if np.count_nonzero(known) < _AROUND:
        return nothing
    w = weight[:, known]
    v, prior = values[:, known], np.sqrt(w)
    for _ in range(_ROUNDS):
        total = w.sum(axis=0)
        mean = (w * v).sum(axis=0) / total
        left = np.abs(v - mean) * prior
        usual = 1.4826 * float(np.median(left[prior > 0.0]))
        w = prior**2 * np.minimum(_HUBER * max(usual, 1e-12) / np.maximum(left, 1e-12), 1.0)
    error = np.square((w * (v - mean)).reshape(-1, per_frame, w.shape[1]).sum(axis=1)).sum(axis=0) / w.sum(axis=0) ** 2
    # Of all columns alike: of few means the scatter is itself uncertain.
    error = np.maximum(error, 0.5 * float(np.median(error)))
    real = float(np.median(np.square(mean))) / _MEDIAN_SQUARE - float(np.median(error))
    if real <= 0.0:
        return nothing
    out = nothing[0]
    out[known] = mean * real / (real + error)
    return out, float(np.sqrt(real / np.median(error)))
