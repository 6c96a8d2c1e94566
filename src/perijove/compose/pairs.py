"""Colour and methane of one ground: false colour, and 889 nm as the lightness of a colour picture.

Methane absorbs light on its way down: at 889 nm high hazes and clouds are bright, deep ones dark.
"""

from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt

from perijove.compose.colour import Picture
from perijove.compose.darkness import noise_of
from perijove.compose.enhance import render
from perijove.compose.illumination import Illumination, fit_light
from perijove.compose.options import Style
from perijove.compose.smooth import box_mean, guided
from perijove.compose.spaces import Gamut
from perijove.errors import OptionError

Plane = npt.NDArray[np.float32]
Planes = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

#: Ground that either image sees or has lit more obliquely is left out.
_LEAST_MU, _LEAST_MU0 = 0.09, 0.03
#: Pixels that a pair must share.
_MIN_SHARED: Final = 500
#: In false colour the differences are large already.
_FALSE_SATURATION: Final = 1.4
#: Limits of methane's evenly lit I/F over its middle: beyond is noise or a moon.
_RANGE: Final = (0.05, 6.0)
#: Of colours that methane's lightness is laid upon: clouds of two depths are rarely of one hue.
_LAID_SATURATION: Final = 2.6
#: Smoothing of methane, whose noise is larger than the colours': pixels, and contrasts that are kept over the noise.
_METHANE_PX, _METHANE_EDGE = 4, 0.6


def methane_red(
    colour: Planes,
    methane: Plane,
    lights: tuple[Illumination, Illumination],
    style: Style | None = None,
    *,
    gamut: Gamut = "srgb",
) -> Picture:
    """False colour: methane in red, green and blue as they are.

    Parameters
    ----------
    colour : ndarray, (height, width, 3), float32
        Reflectance of red, green and blue; NaN where unknown.
    methane : ndarray, (height, width), float32
        I/F at 889 nm on the same view; NaN where unknown.
    lights : tuple of Illumination
        Of the colour and of the methane image.
    style : Style, optional
    gamut : {"srgb", "p3"}

    Returns
    -------
    Picture
        Black where either image lacks the ground.

    Raises
    ------
    OptionError
        If the images share no sunlit ground.
    """
    style = style or replace(Style(), saturation=_FALSE_SATURATION, warmth=0.0)
    planes, known = _paired(colour, methane, lights)
    shown = np.stack([planes[..., 3], planes[..., 1], planes[..., 2]], axis=-1)
    pixels, gain = render(shown, known, lights[0], style, gamut, cold=False)
    return Picture(pixels, gain, {}, gamut)


def methane_luminance(
    colour: Planes,
    methane: Plane,
    lights: tuple[Illumination, Illumination],
    style: Style | None = None,
    *,
    gamut: Gamut = "srgb",
) -> Picture:
    """Jupiter's colours with the lightness of methane.

    Parameters, returns and errors are those of `methane_red`.
    """
    planes, known = _paired(colour, methane, lights)
    luminance = np.maximum(planes[..., :3].mean(axis=-1), 1e-6)
    shown = planes[..., :3] * (planes[..., 3] / luminance)[..., None]
    pixels, gain = render(shown, known, lights[0], style or replace(Style(), saturation=_LAID_SATURATION), gamut)
    return Picture(pixels, gain, {}, gamut)


def _paired(colour: Planes, methane: Plane, lights: tuple[Illumination, Illumination]) -> tuple[Planes, Mask]:
    """Red, green, blue and methane in the light of the colour image, and where both are known."""
    with np.errstate(invalid="ignore"):
        known = np.isfinite(colour).all(axis=-1) & np.isfinite(methane)
        for light in lights:
            known &= light.on_ground & (light.mu > _LEAST_MU) & (light.mu0 > _LEAST_MU0)
    if np.count_nonzero(known) < _MIN_SHARED:
        raise OptionError(
            f"the colour and the methane image share {np.count_nonzero(known)} pixels of sunlit ground in this view; "
            "take images that overlap, or a view centred on what both see"
        )
    planes = np.where(known[..., None], colour, np.float32(0.0))
    weight = known.astype(np.float32)
    dark = np.where(known, methane, np.float32(0.0))
    noise = float(np.median(noise_of(dark, known, lights[1])[known]))
    dark = guided(box_mean(dark, weight, 1), weight, _METHANE_PX, _METHANE_EDGE * noise)
    brightness = []
    for plane, light in ((planes[..., 1], lights[0]), (dark, lights[1])):
        law = fit_light(np.maximum(plane, 1e-6)[..., None].repeat(3, axis=-1), plane, light, known)
        brightness.append(law.brightness(light))
    even = dark / brightness[1]
    middle = float(np.median(even[known]))
    if middle <= 0:
        raise OptionError("the methane image is dark where the colour image sees sunlit ground; take another")
    level = float(np.median((planes[..., 1] / brightness[0])[known])) / middle
    even = np.clip(even, _RANGE[0] * middle, _RANGE[1] * middle)
    lit = np.where(known, even * brightness[0] * np.float32(level), np.float32(0.0))
    return np.concatenate([planes, lit[..., None]], axis=-1).astype(np.float32), known
