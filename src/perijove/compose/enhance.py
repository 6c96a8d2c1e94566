"""The enhanced picture: even light, richer colour, crisper clouds; what is known of the light decides how far.

Brightness and colour of the light are divided out by a law fitted to the image. Lightness is then split into scales by
edge-preserving filters that know where there is ground, and colour is spread about its mean in Oklab. Both are
given up towards the terminator as noise takes over.
"""

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from perijove.compose.colour import Picture, reflectance, shoulder, single_band
from perijove.compose.darkness import noise_of
from perijove.compose.illumination import Illumination, LightLaw, fit_light
from perijove.compose.options import Style
from perijove.compose.saturation import RGB, highest
from perijove.compose.smooth import box_mean, fill_around, guided
from perijove.compose.spaces import Gamut, encode_srgb, to_oklab, within_gamut

Plane = npt.NDArray[np.float32]
Planes = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

#: Luminance of linear sRGB (IEC 61966-2-1).
_LUMINANCE: Final = np.array([0.2126, 0.7152, 0.0722], np.float32)
#: Radii of the scales of lightness, in pixels and as parts of the picture's side.
_FINE_PX, _MIDDLE, _COARSE = 2, 1 / 110, 1 / 22
_COLOUR_PX, _CALM_PX, _CALM_FAR_PX = 6, 2, 6
#: From this trust on a pixel is taken as it is.
_TRUSTED: Final = 0.995
#: Radius of blotches of colour, in pixels, and the part of the noise from pixel to pixel that they must exceed.
_MOTTLE_PX, _MOTTLE = 24, 0.35
#: Deviations of lightness that count as edges, by scale.
_EDGES: Final = (0.010, 0.020, 0.040)
#: Lightness that the darkest, middle and brightest ground gets, before shading.
_TONES: Final = (0.42, 0.73, 0.95)
#: The same for strong colours, which have no room near white.
_FALSE_TONES: Final = (0.38, 0.60, 0.78)
_TONE_PERCENTILES: Final = (1.0, 50.0, 99.0)
#: No channel exceeds this: room is left above the brightest cloud.
_HIGHEST: Final = 0.985
#: Linear value of the brightest ground, and by how much all may be brightened for it.
_BRIGHT, _MOST_GAIN = 0.84, 2.5
#: Noise is followed up to this part of the signal; beyond it the picture is smooth.
_NOISE_SIGNAL, _QUIET_PX = 20.0, 4
#: Oklab's a and b of the disc by its published albedo, beside a white of daylight (D65), which is bluer than sunlight:
#: linear sRGB by docs/decisions/colour.py.
_CREAM: Final = to_oklab(np.array([[0.566, 0.494, 0.374]], np.float32))[0, 1:]
#: Greenest a and bluest b that spreading may give, as distances from the middle colour.
_COLD_MOST: Final = (0.012, 0.055)
#: Lightness from which on clouds turn white, and where they are; the part of these distances that is left there.
_WHITE, _COLD_WHITE = (0.68, 0.92), 0.55
#: Sunlit pixels that make a picture.
_LEAST_GROUND: Final = 100
#: Cosines of incidence between which the colour of the ground takes over from that of twilight.
_TWILIGHT_MU0: Final = (0.04, 0.14)
#: Cosines of emission between which it takes over from that of the limb.
_LIMB_MU: Final = (0.12, 0.32)
#: Cosines of incidence over which the ground sinks into night.
_DUSK: Final = 0.05


def enhanced(
    values: Planes,
    bands: Sequence[str],
    clipping: Mapping[str, float],
    light: Illumination,
    style: Style | None = None,
    *,
    gamut: Gamut = "srgb",
) -> Picture:
    """The picture with even light, richer colour and crisper clouds.

    Parameters
    ----------
    values : ndarray, (height, width, band), float32
        I/F; NaN where nothing is known.
    bands : sequence of str
        Red, green and blue give colour; with any of them missing the mean of what is there gives grey.
    clipping : mapping of str to float
        By band, I/F at which the camera saturated.
    light : Illumination
    style : Style, optional
    gamut : {"srgb", "p3"}

    Returns
    -------
    Picture
        Black where any band is unknown. No channel is clipped; ``gain`` is that of evenly lit ground.
    """
    style = style or Style()
    if set(RGB) <= set(bands):
        planes, known, saturated = reflectance(values, bands, clipping, light)
    else:
        (grey, known), saturated = single_band(values, light), {}
        planes = grey.repeat(3, axis=-1)
    pixels, gain = render(planes, known, light, style, gamut)
    return Picture(pixels if set(RGB) <= set(bands) else pixels[..., 1], gain, saturated, gamut)


def render(
    planes: Planes, known: Mask, light: Illumination, style: Style, gamut: Gamut, *, cold: bool = True
) -> tuple[npt.NDArray[np.uint16], float]:
    """Three planes as the channels of an enhanced picture.

    Parameters
    ----------
    planes : ndarray, (height, width, 3), float32
        Linear, 0 where unknown.
    known : ndarray, (height, width), bool
    light, style, gamut
        As for `enhanced`.
    cold : bool
        Hold back green and blue, as suits Jupiter's own colours.

    Returns
    -------
    pixels : ndarray, (height, width, 3), uint16
    gain : float
        Linear value over evenly lit planes.
    """
    ground = known & light.on_ground
    trust, told_colour = _trust(planes, known, light)
    planes = _calmed(planes, trust, (ground, known & ~ground))
    trust, told_colour = trust * ground, told_colour * ground
    luminance = np.maximum(planes, 0.0) @ _LUMINANCE
    law = fit_light(planes, luminance, light, ground)
    brightness = law.brightness(light)
    even = _even(planes, brightness, law, light, ground)
    weight = ground.astype(np.float32)
    told = ground & (light.mu0 > 0.1)
    middle = np.median(even[told], axis=0) if np.count_nonzero(told) >= _LEAST_GROUND else np.zeros(3)
    if not middle.all():
        return np.zeros(planes.shape, np.uint16), 1.0
    gain = 0.35 / float(middle @ _LUMINANCE)
    # Each band is a channel, white where the ground has its middle colour: what bands tell apart stays apart.
    lab = to_oklab(even * (np.float32(gain) * (middle @ _LUMINANCE) / middle).astype(np.float32))
    lab[..., 1:] = _chroma(lab, told_colour, ground, light, style)
    tones = _TONES if cold else _FALSE_TONES
    lab[..., 0] = _lightness(lab[..., 0], (trust, weight), _tone_scale(lab[..., 0], told, tones), style)
    if cold:
        lab[..., 1:] = _warmed(lab)
    lab[..., 1:] += np.float32(style.warmth) * _CREAM
    linear = np.zeros_like(lab)
    linear[known] = within_gamut(lab[known], gamut, _HIGHEST)
    linear *= _shading(brightness, light, luminance, ground, style)[..., None]
    pixels = encode_srgb(_exposed(linear, told))
    pixels[~known] = 0
    return pixels, gain


def _exposed(linear: Planes, told: Mask) -> Planes:
    """With the brightest ground bright: what is left of the shading darkens all of a picture of oblique light."""
    brightest = highest(linear)
    level = float(np.percentile(brightest[told], _TONE_PERCENTILES[2]))
    gain = np.float32(np.clip(_BRIGHT / max(level, 1e-3), 1.0, _MOST_GAIN))
    return np.minimum(shoulder(linear * gain, brightest * gain), np.float32(_HIGHEST))


def _even(planes: Planes, brightness: Plane, law: LightLaw, light: Illumination, ground: Mask) -> Planes:
    """The planes in even, colourless light; the haze beyond the limb in that of the limb."""
    weight = ground.astype(np.float32)
    gain = fill_around(-np.log(brightness) * weight, weight)
    tint = law.tint(light)
    colour = [fill_around(-np.log(tint[..., k]) * weight, weight) for k in range(3)]
    return np.stack([planes[..., k] * np.exp(gain + colour[k]) for k in range(3)], axis=-1)


def _trust(planes: Planes, known: Mask, light: Illumination) -> tuple[Plane, Plane]:
    """1 where the light is far above its noise, 0 where it drowns: of the luminance, and of the noisiest channel."""
    weight = known.astype(np.float32)
    channels = [planes @ _LUMINANCE, *np.moveaxis(planes, -1, 0)]
    over = [
        box_mean(plane, weight, _QUIET_PX) / (np.float32(_NOISE_SIGNAL) * noise_of(plane, known, light))
        for plane in channels
    ]
    least = functools.reduce(np.minimum, over[1:])
    lightness, colour = (np.asarray(1.0 - np.exp(-(np.maximum(x, 0.0) ** 2)), np.float32) for x in (over[0], least))
    return lightness, colour


def _calmed(planes: Planes, trust: Plane, areas: tuple[Mask, Mask]) -> Planes:
    """Where noise shows a mean of its neighbourhood, the wider the less it is trusted; ground and haze keep apart."""
    out = planes.copy()
    for area in areas:
        shows = area & (trust < _TRUSTED)
        weight, own, some = area.astype(np.float32), trust[shows] ** 4, trust[shows] ** 0.25
        for k in range(3):
            near, far = (box_mean(planes[..., k], weight, radius)[shows] for radius in (_CALM_PX, _CALM_FAR_PX))
            out[shows, k] = own * planes[shows, k] + (1 - own) * (some * near + (1 - some) * far)
    return out


def _lightness(lightness: Plane, sure: tuple[Plane, Plane], scale: Callable[[Plane], Plane], style: Style) -> Plane:
    """Lightness with its tones spread and its contrasts raised, (height, width); ``sure`` is trust and weight."""
    trust, weight = sure
    side = max(lightness.shape)
    radii = (_FINE_PX, max(3, round(side * _MIDDLE)), max(6, round(side * _COARSE)))
    fine, middle, coarse = (guided(lightness, weight, radius, edge) for radius, edge in zip(radii, _EDGES, strict=True))
    # In twilight the finest scale is noise, and the next is half of it.
    contrast = style.contrast * (0.2 + 0.8 * trust) * (middle - coarse)
    contrast += 0.5 * (style.contrast + style.detail) * trust * (fine - middle)
    contrast += style.detail * trust * (lightness - fine)
    return np.asarray(np.where(weight > 0, scale(coarse) + _softened(contrast), scale(lightness)), np.float32)


def _softened(contrast: Plane, most: float = 0.28) -> Plane:
    """Contrast that never exceeds a limit: no cloud turns black or blind."""
    return np.asarray(most * np.tanh(contrast / most), np.float32)


def _tone_scale(base: Plane, told: Mask, tones: tuple[float, float, float]) -> Callable[[Plane], Plane]:
    """Function that spreads the tones of the ground over those of the picture."""
    low, middle, high = np.percentile(base[told], _TONE_PERCENTILES)
    # Even ground is not spread at will: contrast of the tones at most triples.
    low, high = min(low, middle - 0.05), max(high, middle + 0.05)

    def scale(lightness: Plane) -> Plane:
        ends = [0.0, low, middle, high, high + 0.4]
        return np.asarray(np.interp(lightness, ends, [0.0, *tones, tones[2] + 0.05]), np.float32)

    return scale


def _chroma(lab: Planes, trust: Plane, ground: Mask, light: Illumination, style: Style) -> Planes:
    """Oklab's a and b about the middle colour, spread, (height, width, 2)."""
    side = max(ground.shape)
    weight = ground.astype(np.float32)
    # Colour noise is worse than that of lightness, and the eye sees colour less sharply.
    guide = guided(lab[..., 0], weight, _FINE_PX, _EDGES[0])
    sure = trust**2
    # Twilight and limb have the colour of the haze: the ground's runs on into them.
    told = _between(light.mu0, _TWILIGHT_MU0) * _between(light.mu, _LIMB_MU) * weight
    out: list[Plane] = []
    for k in (1, 2):
        plane = lab[..., k]
        calm = _without_mottle(plane, weight * (np.float32(0.02) + trust), guide)
        wide = box_mean(plane, weight * (0.02 + trust), max(6, round(side * _COARSE)))
        mixed = (sure * calm + (1 - sure) * wide).astype(np.float32)
        out.append(np.asarray(style.saturation * fill_around(mixed, told) * weight, np.float32))
    return np.stack(out, axis=-1)


def _between(cosine: Plane, ends: tuple[float, float]) -> Plane:
    """0 below the first end, 1 above the second."""
    return np.asarray(np.clip((np.nan_to_num(cosine) - ends[0]) / (ends[1] - ends[0]), 0.0, 1.0), np.float32)


def _without_mottle(plane: Plane, weight: Plane, guide: Plane) -> Plane:
    """A channel of colour, smoothed along the edges of lightness, without blotches that only noise has."""
    near, far = (guided(plane, weight, radius, _EDGES[0], guide) for radius in (_COLOUR_PX, _MOTTLE_PX))
    # From pixel to pixel colour is noise, and the camera's compression spreads it over its blocks: a blotch that does
    # not rise above a part of that is not believed.
    noise = box_mean(np.abs(plane - box_mean(plane, weight, 1)), weight, _MOTTLE_PX)
    blotch = near - far
    energy = box_mean(blotch * blotch, weight, _MOTTLE_PX // 2)
    least = (np.float32(_MOTTLE) * noise) ** 2
    return np.asarray(far + blotch * np.maximum(energy - least, 0.0) / np.maximum(energy, 1e-12), np.float32)


def _warmed(lab: Planes) -> Planes:
    """Chroma with green and blue held back: beside browns a grey looks blue already, and no cloud is green.

    Least of it is left in the brightest clouds, which are white: a blue zone at the limb looks like a seam.
    """
    low, high = _WHITE
    white = np.clip((lab[..., :1] - low) / (high - low), 0.0, 1.0)
    most = np.array(_COLD_MOST, np.float32) * (1.0 - np.float32(1.0 - _COLD_WHITE) * white)
    chroma = lab[..., 1:]
    return np.asarray(np.where(chroma < 0, most * np.tanh(chroma / most), chroma), np.float32)


def _shading(brightness: Plane, light: Illumination, luminance: Plane, ground: Mask, style: Style) -> Plane:
    """What is left of the shading, with the dusk and the haze beyond the limb, (height, width), 0 to 1."""
    left = np.minimum(brightness, 1.0) ** np.float32(1.0 - style.flatten)
    dusk = 1.0 - np.exp(-((np.maximum(light.sunlight, 0.0) / _DUSK) ** 2))
    limb = (np.maximum(np.nan_to_num(light.mu), 0.0) + 0.03) ** np.float32(0.12)
    shade = np.where(ground, left * dusk * limb, 0.0).astype(np.float32)
    weight = ground.astype(np.float32)
    beyond = ~light.on_ground
    around = fill_around(shade, weight)
    edge = fill_around(luminance * weight, weight)
    fading = np.clip(luminance / np.maximum(edge, 1e-6), 0.0, 1.0)
    return np.asarray(np.where(beyond, around * fading**2, shade), np.float32)
