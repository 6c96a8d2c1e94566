"""From linear planes to a natural picture: the eye's colours, exposure, highlights, the sRGB curve.

Planes come in I/F as the camera was calibrated. They become true reflectances, these colours for an eye that is adapted
to sunlight, so that a white cloud is white. The rest is one gain, a shoulder that keeps the brightest clouds from
clipping, the filling of saturated bands, and the curve.
"""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np
import numpy.typing as npt

from perijove.compose.blocks import by_rows, sampled
from perijove.compose.darkness import above_black, quieted, steady_twilight
from perijove.compose.illumination import Illumination
from perijove.compose.saturation import RGB, fill_saturated, highest
from perijove.compose.spaces import Gamut, apply_matrix, encode_srgb, from_srgb

__all__ = [
    "BAND_SCALE",
    "EYE_FROM_BANDS",
    "RGB",
    "Picture",
    "encode_srgb",
    "natural",
    "reflectance",
    "shoulder",
    "single_band",
    "to_eye",
]

Planes = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

#: True reflectance over the I/F of the calibration: with it Jupiter has its published colour at perijove 44. The report
#: of the ground calibration has predicted and measured response 7 to 12 % apart. docs/decisions/colour.md.
BAND_SCALE: Final[Mapping[str, float]] = MappingProxyType({"RED": 0.88, "GREEN": 1.00, "BLUE": 1.01})
#: Linear sRGB (red, green, blue) of what the bands (red, green, blue) see, fitted to spectra like those of Jupiter's
#: clouds in sunlight by docs/decisions/colour.py. Rows sum to one: what is grey is grey.
EYE_FROM_BANDS: Final = np.array([[0.506, 0.887, -0.393], [-0.036, 1.074, -0.038], [0.023, -0.530, 1.507]])
EYE_FROM_BANDS.flags.writeable = False

#: The picture's bright level: this percentile of the brightest channel lands on this linear value.
_BRIGHT_PERCENTILE, _BRIGHT_VALUE = 99.5, 0.80
#: Pixels that tell it.
_SAMPLE: Final = 1_000_000
#: Linear value above which the shoulder begins.
_SHOULDER: Final = 0.72
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
        Encoded on the sRGB curve; 0 where nothing is known.
    gain : float
        Linear value over reflectance.
    saturated : mapping of str to float
        Part of the lit picture in which a band was saturated and had to be filled.
    gamut : {"srgb", "p3"}
        Primaries of the channels.
    """

    pixels: npt.NDArray[np.uint16]
    gain: float
    saturated: Mapping[str, float]
    gamut: Gamut = "srgb"


def natural(
    values: Planes,
    bands: Sequence[str],
    clipping: Mapping[str, float],
    *,
    gamut: Gamut = "srgb",
    light: Illumination | None = None,
) -> Picture:
    """The picture as an eye would see it, brightened.

    Parameters
    ----------
    values : ndarray, (height, width, band), float32
        I/F; NaN where nothing is known.
    bands : sequence of str
        Red, green and blue give colour; with any of them missing the mean of what is there gives grey.
    clipping : mapping of str to float
        By band, I/F at which the camera saturated.
    gamut : {"srgb", "p3"}
    light : Illumination, optional
        Tells where there is night, whose level is black, and latitude: clouds of one latitude have one colour, which
        helps to fill what is saturated.

    Returns
    -------
    Picture
        A pixel that any of the bands lacks is black, so that no edge is coloured.
    """
    if set(RGB) <= set(bands):
        planes, known, saturated = reflectance(values, bands, clipping, light, quiet=True)
        planes = planes if light is None else steady_twilight(planes, known, known & light.on_ground)
        planes = from_srgb(to_eye(planes), gamut)
    else:
        planes, known = single_band(values, light, quiet=True)
        saturated = {}
    level = _bright_level(planes, known)
    gain = np.float32(_BRIGHT_VALUE / level if level > 0 else 1.0)

    def codes(planes: Planes, known: Mask) -> tuple[npt.NDArray[np.uint16]]:
        planes = planes * gain
        pixels = encode_srgb(shoulder(planes, highest(planes)))
        pixels[~known] = 0
        return (pixels,)

    (pixels,) = by_rows(codes, planes, known)
    return Picture(pixels if planes.shape[-1] == 3 else pixels[..., 0], float(gain), saturated, gamut)


def _bright_level(planes: Planes, known: Mask) -> float:
    """A high percentile of what is lit, 1 where nothing is."""
    brightest = highest(sampled(planes, known, _SAMPLE))
    lit = brightest[brightest > _LIT * np.percentile(brightest, 99.9)] if len(brightest) else brightest
    return float(np.percentile(lit, _BRIGHT_PERCENTILE)) if len(lit) else 1.0


def reflectance(
    values: Planes,
    bands: Sequence[str],
    clipping: Mapping[str, float],
    light: Illumination | None = None,
    *,
    quiet: bool = False,
) -> tuple[Planes, Mask, dict[str, float]]:
    """True reflectance of red, green and blue: saturated bands filled, stray light of the sky taken off, scaled.

    Parameters
    ----------
    values, bands, clipping, light
        As for `natural`; the bands hold red, green and blue.
    quiet : bool
        Whether what drowns in noise is smoothed; needs light.

    Returns
    -------
    planes : ndarray, (height, width, 3), float32
        0 where any band is unknown.
    known : ndarray, (height, width), bool
    saturated : dict of str to float
        Part of the lit picture in which each band was saturated.
    """
    order = [bands.index(band) for band in RGB]
    planes, known = by_rows(lambda rows: _known(rows[..., order]), values)
    limits = np.array([clipping[band] for band in RGB], np.float32)
    planes, saturated = fill_saturated(planes, limits, known, None if light is None else light.latitude_deg)
    planes = _above_black(planes, known, _DARK, light, quiet)
    planes *= np.array([BAND_SCALE[band] for band in RGB], np.float32)
    return planes, known, saturated


def single_band(values: Planes, light: Illumination | None = None, *, quiet: bool = False) -> tuple[Planes, Mask]:
    """Mean of the bands where all are known, freed of stray light, (height, width, 1), and where that is."""
    planes, known = _known(values)
    return _above_black(planes.mean(axis=-1, keepdims=True), known, _DARK_GREY, light, quiet), known


def _known(values: Planes) -> tuple[Planes, Mask]:
    """Values with 0 for what is not known in all bands, and where they are known."""
    known = np.asarray(functools.reduce(np.logical_and, np.moveaxis(np.isfinite(values), -1, 0)))
    return np.where(known[..., None], values, np.float32(0)), known


def to_eye(planes: Planes) -> Planes:
    """Linear sRGB of reflectances in red, green and blue, (..., 3), under sunlight; never negative.

    Examples
    --------
    >>> print(to_eye(np.array([[0.5, 0.5, 0.5], [0.476, 0.503, 0.443]], np.float32)).round(2))
    [[0.5  0.5  0.5 ]
     [0.51 0.51 0.41]]
    """
    return np.maximum(apply_matrix(EYE_FROM_BANDS, planes), np.float32(0.0))


def _above_black(planes: Planes, known: Mask, part: float, light: Illumination | None, quiet: bool) -> Planes:
    planes = above_black(planes, known, part, light)
    if light is not None and quiet:
        planes = quieted(planes, known, light)
    return np.maximum(planes, np.float32(0.0), out=planes)


def shoulder(planes: Planes, brightest: Planes) -> Planes:
    """Compress highlights towards 1 by the brightest channel, so that hue is kept."""
    knee, room = np.float32(_SHOULDER), np.float32(1 - _SHOULDER)
    over = np.maximum(brightest - knee, 0) / room
    squeezed = np.minimum(brightest, knee) + room * (1 - np.exp(-over))
    return np.asarray(planes * (squeezed / np.maximum(brightest, np.float32(1e-9)))[..., None], np.float32)
