"""From linear planes to a picture: exposure, highlights, the sRGB curve.

Planes come in I/F, so white balance is done already: a surface that reflects all bands alike is grey. The picture
differs from the linear planes by one gain, by a shoulder that keeps the brightest clouds from clipping, by the
filling of saturated bands, and by the sRGB curve.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Planes = npt.NDArray[np.float32]

RGB: Final = ("RED", "GREEN", "BLUE")
#: The picture's bright level: this percentile of the brightest channel lands on this linear value.
_BRIGHT_PERCENTILE, _BRIGHT_VALUE = 99.5, 0.80
#: Linear value above which the shoulder begins.
_SHOULDER: Final = 0.72
#: A sample counts as saturated from this part of the band's clipping level on: the well's response bends before it is
#: full, and resampling mixes neighbours.
_SATURATED: Final = 0.92
#: A clipped sample whose other bands promise less than this part of the clipping level holds bloomed charge.
_BLOOM: Final = 0.6
#: Bloomed charge is mixed by resampling and cross-fading into this many pixels.
_BLOOM_REACH_PX: Final = 25
#: Unsaturated lit pixels that are needed to know the planet's colour.
_MIN_GOOD: Final = 100
#: Sky and deep night do not set the exposure: below this part of the brightest values.
_LIT: Final = 0.05
#: Below this part of the bright level there is only sky and night; in single bands, where methane's sky is bright with
#: stray light, below the second.
_DARK, _DARK_GREY = 0.02, 0.12


@dataclass(frozen=True)
class Picture:
    """A display-referred picture.

    Attributes
    ----------
    pixels : ndarray, (height, width, 3) or (height, width), uint16
        sRGB-encoded; 0 where nothing is known.
    gain : float
        Linear value over I/F.
    saturated : mapping of str to float
        Part of the lit picture in which a band was saturated and had to be filled.
    """

    pixels: npt.NDArray[np.uint16]
    gain: float
    saturated: Mapping[str, float]


def natural(values: Planes, bands: Sequence[str], clipping: Mapping[str, float]) -> Picture:
    """The picture as an eye would see it, brightened.

    Parameters
    ----------
    values : ndarray, (height, width, band), float32
        I/F; NaN where nothing is known.
    bands : sequence of str
        Red, green and blue give colour; with any of them missing the mean of what is there gives grey.
    clipping : mapping of str to float
        By band, I/F at which the camera saturated.

    Returns
    -------
    Picture
        A pixel that any of the bands lacks is black, so that no edge is coloured.
    """
    colour = all(band in bands for band in RGB)
    chosen = [bands.index(band) for band in RGB] if colour else list(range(len(bands)))
    planes = values[..., chosen]
    known = np.asarray(np.isfinite(planes).all(axis=-1))
    planes = np.asarray(np.where(known[..., None], planes, 0.0), np.float32)
    saturated: dict[str, float] = {}
    if colour:
        planes, saturated = _fill_saturated(planes, np.array([clipping[band] for band in RGB], np.float32), known)
    else:
        planes = planes.mean(axis=-1, keepdims=True)
    planes = np.asarray(np.maximum(planes - _black(planes, known, _DARK if colour else _DARK_GREY), 0.0), np.float32)
    brightest = planes.max(axis=-1)
    lit = known & (brightest > _LIT * np.percentile(brightest[known], 99.9)) if known.any() else known
    level = float(np.percentile(brightest[lit], _BRIGHT_PERCENTILE)) if lit.any() else 1.0
    gain = _BRIGHT_VALUE / level if level > 0 else 1.0
    pixels = encode_srgb(_shoulder(planes * np.float32(gain), brightest * np.float32(gain)))
    pixels[~known] = 0
    return Picture(pixels if colour else pixels[..., 0], gain, saturated)


def encode_srgb(linear: Planes) -> npt.NDArray[np.uint16]:
    """Linear light in 0..1 to 16-bit sRGB codes (IEC 61966-2-1); values beyond are clipped.

    Examples
    --------
    >>> encode_srgb(np.array([0.0, 0.18, 1.0], np.float32))
    array([    0, 30235, 65535], dtype=uint16)
    """
    x = np.clip(linear, 0.0, 1.0)
    curve = np.where(x <= 0.0031308, 12.92 * x, 1.055 * np.maximum(x, 1e-9) ** np.float32(1 / 2.4) - 0.055)
    return np.asarray(curve * 65535 + 0.5).astype(np.uint16)


def _black(planes: Planes, known: npt.NDArray[np.bool_], part: float) -> Planes:
    """Level of sky and night in each band, (band,): what stray light and the black level leave there."""
    dark = known & (planes.max(axis=-1) < part * np.percentile(planes[known], 99)) if known.any() else known
    if np.count_nonzero(dark) < 0.01 * known.size:
        return np.zeros(planes.shape[-1], np.float32)
    return np.asarray(np.median(planes[dark], axis=0), np.float32)


def _shoulder(planes: Planes, brightest: Planes) -> Planes:
    """Compress highlights towards 1 by the brightest channel, so that hue is kept."""
    over = np.maximum(brightest - _SHOULDER, 0.0) / (1 - _SHOULDER)
    squeezed = np.where(over > 0, _SHOULDER + (1 - _SHOULDER) * (1 - np.exp(-over)), brightest)
    return np.asarray(planes * (squeezed / np.maximum(brightest, 1e-9))[..., None], np.float32)


def _fill_saturated(planes: Planes, clipping: Planes, known: npt.NDArray[np.bool_]) -> tuple[Planes, dict[str, float]]:
    """Estimate saturated red and green from blue by the colour of the brightest unsaturated ground.

    Blue saturates last in front of Jupiter, so it carries the others; where it is saturated, too, nothing is changed.
    """
    import cv2

    clipped = (planes >= _SATURATED * clipping) & known[..., None]
    lit = known & (planes.max(axis=-1) > _LIT * planes.max())
    lit_count = max(int(np.count_nonzero(lit)), 1)
    share = {band: int(np.count_nonzero(clipped[..., k])) / lit_count for k, band in enumerate(RGB)}
    share = {band: part for band, part in share.items() if part > 1e-4}
    reference = planes[..., 2]
    good = lit & ~clipped.any(axis=-1)
    if not share or np.count_nonzero(good) < _MIN_GOOD:
        return planes, share
    bright = good & (reference > np.percentile(reference[good], 80))
    ratio = np.median(planes[bright] / np.maximum(reference[bright], 1e-9)[:, None], axis=0)
    filled = planes.copy()
    for k in (0, 1):
        value, estimate = planes[..., k], ratio[k] * reference
        # The well fills up gradually: the estimate takes over between the onset and the clipping level.
        onset = np.clip((value / clipping[k] - _SATURATED) / (1 - _SATURATED) * 1.25, 0.0, 1.0)
        use = clipped[..., k] & ~clipped[..., 2]
        filled[use, k] = (value + onset * (np.maximum(value, estimate) - value))[use]
        # Far below the clipping level blue says that there is nothing bright: charge bloomed into it, and into what
        # was resampled with it.
        bloom = (use & (estimate < _BLOOM * clipping[k])).astype(np.uint8)
        near = cv2.dilate(bloom, np.ones((_BLOOM_REACH_PX, _BLOOM_REACH_PX), np.uint8)) > 0
        near &= value > 1.2 * estimate
        filled[near, k] = estimate[near]
    return filled, share
