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

from perijove.compose.blocks import by_rows, sampled
from perijove.compose.colour import Picture, reflectance, shoulder, single_band
from perijove.compose.darkness import dark_noise, noise_of
from perijove.compose.illumination import Illumination, LightLaw, fit_light
from perijove.compose.options import Style
from perijove.compose.saturation import RGB, highest
from perijove.compose.smooth import Guide, Means, box_mean, coarse_mean, continued, for_each, guided
from perijove.compose.spaces import Gamut, encode_srgb, to_oklab, within_gamut

Plane = npt.NDArray[np.float32]
Planes = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

#: Luminance of linear sRGB (IEC 61966-2-1).
_LUMINANCE: Final = np.array([0.2126, 0.7152, 0.0722], np.float32)
#: Radii of the scales of lightness, in pixels and as parts of the picture's side.
_FINE_PX, _MIDDLE, _COARSE = 2, 1 / 110, 1 / 22
_COLOUR_PX, _CALM_PX, _CALM_FAR_PX = 6, 2, 6
#: Rows beyond a block that its pixels depend on.
_HALO: Final = 16
#: Side of the picture on which what lies beyond the limb is continued, pixels.
_FILL_SIDE: Final = 500
#: Side of the cells on which colour runs on into twilight and limb, pixels.
_FILL_CELL: Final = 4
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
#: So many times that signal, detail from pixel to pixel is more than grain.
_GRAIN_SIGNAL: Final = 2.5
#: Oklab's a and b of the disc by its published albedo, beside a white of daylight (D65), which is bluer than sunlight:
#: linear sRGB by docs/decisions/colour.py.
_CREAM: Final = to_oklab(np.array([[0.566, 0.494, 0.374]], np.float32))[0, 1:]
#: Greenest a and bluest b that spreading may give, as distances from the middle colour.
_COLD_MOST: Final = (0.012, 0.055)
#: Lightness from which on clouds turn white, and where they are; the part of these distances that is left there.
_WHITE, _COLD_WHITE = (0.68, 0.92), 0.55
#: Pixels that tell percentiles of the ground.
_SAMPLE: Final = 1_000_000
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
    colour = set(RGB) <= set(bands)
    if colour:
        planes, known, saturated = reflectance(values, bands, clipping, light)
    else:
        (grey, known), saturated = single_band(values, light), {}
        planes = grey.repeat(3, axis=-1)
    # Handed over, not kept: they are large.
    held = [planes]
    del planes
    pixels, gain = render(held.pop(), known, light, style or Style(), gamut)
    return Picture(pixels if colour else pixels[..., 1], gain, saturated, gamut)


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
    told = ground & (light.mu0 > 0.1)
    planes, trust, told_colour = _calmed(planes, known, light)
    trust *= ground
    told_colour *= ground
    luminance = by_rows(lambda rows: (_luminance(np.maximum(rows, 0)),), planes)[0]
    even, brightness = _even(planes, fit_light(planes, luminance, light, ground), light, ground)
    shading = _shading(brightness, light, luminance, known, style)
    del planes, luminance, brightness
    middle = np.median(sampled(even, told, _SAMPLE), axis=0) if np.count_nonzero(told) >= _LEAST_GROUND else np.zeros(3)
    if not middle.all():
        return np.zeros(even.shape, np.uint16), 1.0
    gain = 0.35 / float(middle @ _LUMINANCE)
    # Each band is a channel, white where the ground has its middle colour: what bands tell apart stays apart.
    white = (np.float32(gain) * (middle @ _LUMINANCE) / middle).astype(np.float32)
    lightness, a, b = by_rows(lambda rows: _split(to_oklab(rows * white)), even)
    del even
    fine, a, b = _chroma((lightness, a, b), told_colour, ground, light, style)
    tones = _tone_scale(lightness, told, _TONES if cold else _FALSE_TONES)
    lightness = _lightness((lightness, fine), (trust, ground), tones, style)
    del fine, trust, told_colour

    def mixed(lightness: Plane, a: Plane, b: Plane, shading: Plane) -> tuple[Planes]:
        if cold:
            a, b = _warmed(lightness, a, b)
        cream = np.float32(style.warmth) * _CREAM
        lab = np.stack([lightness, a + cream[0], b + cream[1]], axis=-1)
        linear = within_gamut(lab.reshape(-1, 3), gamut, _HIGHEST).reshape(lab.shape)
        linear *= shading[..., None]
        return (linear,)

    pixels = _exposed(by_rows(mixed, lightness, a, b, shading)[0], told)
    pixels[~known] = 0
    return pixels, gain


def _split(planes: Planes) -> list[Plane]:
    return [planes[..., k] for k in range(3)]


def _exposed(linear: Planes, told: Mask) -> npt.NDArray[np.uint16]:
    """With the brightest ground bright: what is left of the shading darkens all of a picture of oblique light."""
    level = float(np.percentile(highest(sampled(linear, told, _SAMPLE)), _TONE_PERCENTILES[2]))
    gain = np.float32(np.clip(_BRIGHT / max(level, 1e-3), 1.0, _MOST_GAIN))

    def codes(planes: Planes) -> tuple[npt.NDArray[np.uint16]]:
        planes = planes * gain
        return (encode_srgb(np.minimum(shoulder(planes, highest(planes)), np.float32(_HIGHEST))),)

    return by_rows(codes, linear)[0]


def _even(planes: Planes, law: LightLaw, light: Illumination, ground: Mask) -> tuple[Planes, Plane]:
    """The planes in even, colourless light, the haze beyond the limb in that of the limb; and the brightness."""
    logs = law.logs(light)
    weight = ground.astype(np.float32)
    cell = max(1, round(max(ground.shape) / _FILL_SIDE))
    for colour in logs[1:]:
        colour += logs[0]
        # What lies beyond the limb has the gain of the limb.
        np.copyto(colour, continued(colour, weight, cell), where=~ground)

    def evened(planes: Planes, *colours: Plane) -> tuple[Planes]:
        return (planes * np.exp(-np.stack(colours, axis=-1)),)

    (even,) = by_rows(evened, planes, *logs[1:])
    return even, np.exp(logs[0], out=logs[0])


def _calmed(planes: Planes, known: Mask, light: Illumination) -> tuple[Planes, Plane, Plane]:
    """Planes freed of what is noise, and how far they can be trusted.

    Returns
    -------
    planes : ndarray, (height, width, 3), float32
        Where noise shows means of the neighbourhood, the wider the less is trusted; ground and haze keep apart.
    trust, told_colour : ndarray, (height, width), float32
        1 where the light is far above its noise, 0 where it drowns: of the luminance, and of the noisiest channel.
    """
    least = dark_noise(planes, known, light, _channels)

    def calm(planes: Planes, known: Mask, mu0: Plane, mu: Plane) -> tuple[Planes, Plane, Plane]:
        light = Illumination(mu0, mu, mu)
        channels = _channels(planes)
        over = coarse_mean(channels, known.astype(np.float32), _QUIET_PX) / noise_of(channels, known, light, least)
        over = np.maximum(over, 0) * np.float32(1 / _NOISE_SIGNAL)
        trust, colour = (1 - np.exp(-(x**2)) for x in (over[..., 0], _least(over[..., 1:])))
        out = planes
        for area in (known & light.on_ground, known & ~light.on_ground):
            shows = area & (trust < _TRUSTED)
            if not shows.any():
                continue
            weight = area.astype(np.float32)
            near, far = box_mean(planes, weight, _CALM_PX), coarse_mean(planes, weight, _CALM_FAR_PX)
            mean = far + for_each(np.sqrt(np.sqrt(trust)), (3,)) * (near - far)
            mean += for_each(np.square(trust * trust), (3,)) * (planes - mean)
            out = np.where(for_each(shows.astype(np.float32), (3,)) > 0, mean, out)
        return out, trust, colour

    made = by_rows(calm, planes, known, light.mu0, light.mu, halo=_HALO)
    return made[0], made[1], made[2]


def _least(planes: Planes) -> Plane:
    """Lowest of several planes, (height, width)."""
    return np.asarray(functools.reduce(np.minimum, np.moveaxis(planes, -1, 0)))


def _channels(planes: Planes) -> Planes:
    """Luminance, red, green, blue."""
    import cv2

    return np.asarray(cv2.merge((_luminance(planes), *cv2.split(planes))), np.float32)


def _luminance(planes: Planes) -> Plane:
    import cv2

    return np.asarray(cv2.transform(np.ascontiguousarray(planes), _LUMINANCE[None]), np.float32)


def _lightness(
    whole: tuple[Plane, Plane], sure: tuple[Plane, Mask], scale: Callable[[Plane], Plane], style: Style
) -> Plane:
    """Lightness with its tones spread and its contrasts raised, (height, width).

    ``whole`` is lightness and its fine base, ``sure`` is trust and where there is ground.
    """
    lightness, (trust, ground) = whole[0], sure
    side, weight = max(lightness.shape), ground.astype(np.float32)
    middle, coarse = (
        guided(lightness, weight, max(least, side * part), edge)
        for least, part, edge in ((3.0, _MIDDLE, _EDGES[1]), (6.0, _COARSE, _EDGES[2]))
    )
    del weight

    def raised(light: Plane, fine: Plane, middle: Plane, coarse: Plane, trust: Plane, ground: Mask) -> tuple[Plane]:
        # In twilight the finest scale is noise, and the next is half of it.
        contrast = np.float32(style.contrast) * (np.float32(0.2) + np.float32(0.8) * trust) * (middle - coarse)
        contrast += np.float32(0.5 * (style.contrast + style.detail)) * trust * (fine - middle)
        # From pixel to pixel noise shows long before it drowns the light.
        clean = 1 - (1 - trust) ** np.float32(1 / _GRAIN_SIGNAL**2)
        contrast += np.float32(style.detail) * clean * (light - fine)
        return (np.where(ground, scale(coarse) + _softened(contrast), scale(light)),)

    return by_rows(raised, *whole, middle, coarse, trust, ground)[0]


def _softened(contrast: Plane, most: float = 0.28) -> Plane:
    """Contrast that never exceeds a limit: no cloud turns black or blind."""
    return np.asarray(most * np.tanh(contrast / most), np.float32)


def _tone_scale(base: Plane, told: Mask, tones: tuple[float, float, float]) -> Callable[[Plane], Plane]:
    """Function that spreads the tones of the ground over those of the picture."""
    low, middle, high = np.percentile(sampled(base, told, _SAMPLE), _TONE_PERCENTILES)
    # Even ground is not spread at will: contrast of the tones at most triples.
    low, high = min(low, middle - 0.05), max(high, middle + 0.05)

    def scale(lightness: Plane) -> Plane:
        ends = [0.0, low, middle, high, high + 0.4]
        return np.asarray(np.interp(lightness, ends, [0.0, *tones, tones[2] + 0.05]), np.float32)

    return scale


def _chroma(
    lab: tuple[Plane, ...], trust: Plane, ground: Mask, light: Illumination, style: Style
) -> tuple[Plane, Plane, Plane]:
    """The fine base of lightness, and Oklab's a and b about the middle colour, spread, (height, width) each."""

    def near(lightness: Plane, a: Plane, b: Plane, trust: Plane, ground: Mask) -> list[Plane]:
        # Colour noise is worse than that of lightness, and the eye sees colour less sharply.
        fine = guided(lightness, ground.astype(np.float32), _FINE_PX, _EDGES[0])
        weight = ground * (np.float32(0.02) + trust)
        smooth, mean = Guide(fine, weight, _COLOUR_PX, _EDGES[0]), Means(weight, 1)
        return [fine, weight, smooth(a), smooth(b), np.abs(a - mean(a)), np.abs(b - mean(b))]

    fine, weight, *found = by_rows(near, *lab, trust, ground, halo=_HALO)
    far = Guide(fine, weight, _MOTTLE_PX, _EDGES[0])
    # Twilight and limb have the colour of the haze: the ground's runs on into them.
    (told,) = by_rows(_day, light.mu0, light.mu, ground)

    def mixed(calm: Plane, wide: Plane, trust: Plane) -> tuple[Plane]:
        return (wide + np.square(trust) * (calm - wide),)

    def filled(mixed: Plane, around: Plane, told: Plane, ground: Mask) -> tuple[Plane]:
        return (np.float32(style.saturation) * ground * (around + told * (mixed - around)),)

    def spread(plane: Plane, smooth: Plane, off: Plane) -> Plane:
        calm = _without_mottle(smooth, far(plane), coarse_mean(off, weight, _MOTTLE_PX), weight)
        wide = coarse_mean(plane, weight, max(6, round(max(ground.shape) * _COARSE)))
        (known,) = by_rows(mixed, calm, wide, trust)
        return by_rows(filled, known, continued(known, told, _FILL_CELL), told, ground)[0]

    # Taken, not kept: they are large.
    return fine, spread(lab[1], found.pop(0), found.pop(1)), spread(lab[2], *found)


def _day(mu0: Plane, mu: Plane, ground: Mask) -> tuple[Plane]:
    """1 on ground that is neither twilight nor limb, 0 in their midst."""
    return (_between(mu0, _TWILIGHT_MU0) * _between(mu, _LIMB_MU) * ground,)


def _between(cosine: Plane, ends: tuple[float, float]) -> Plane:
    """0 below the first end, 1 above the second."""
    return np.asarray(np.clip((np.nan_to_num(cosine) - ends[0]) / (ends[1] - ends[0]), 0.0, 1.0), np.float32)


def _without_mottle(near: Plane, far: Plane, noise: Plane, weight: Plane) -> Plane:
    """A channel of colour, smoothed over near and over far squares, without blotches that only noise has.

    From pixel to pixel colour is ``noise``, and the camera's compression spreads it over its blocks: a blotch that does
    not rise above a part of that is not believed.
    """
    energy = coarse_mean(by_rows(lambda near, far: ((near - far) ** 2,), near, far)[0], weight, _MOTTLE_PX // 2)

    def believed(near: Plane, far: Plane, energy: Plane, noise: Plane) -> tuple[Plane]:
        share = np.maximum(energy - (np.float32(_MOTTLE) * noise) ** 2, 0) / np.maximum(energy, np.float32(1e-12))
        return (np.asarray(far + (near - far) * share, np.float32),)

    return by_rows(believed, near, far, energy, noise)[0]


def _warmed(lightness: Plane, a: Plane, b: Plane) -> tuple[Plane, Plane]:
    """Chroma with green and blue held back: beside browns a grey looks blue already, and no cloud is green.

    Least of it is left in the brightest clouds, which are white: a blue zone at the limb looks like a seam.
    """
    low, high = _WHITE
    white = np.clip((lightness - np.float32(low)) * np.float32(1 / (high - low)), 0, 1)
    share = 1 - np.float32(1 - _COLD_WHITE) * white

    def held(chroma: Plane, most: float) -> Plane:
        limit = np.float32(most) * share
        return np.asarray(limit * np.tanh(np.minimum(chroma, 0) / limit) + np.maximum(chroma, 0), np.float32)

    return held(a, _COLD_MOST[0]), held(b, _COLD_MOST[1])


def _shading(brightness: Plane, light: Illumination, luminance: Plane, known: Mask, style: Style) -> Plane:
    """What is left of the shading, with the dusk and the haze beyond the limb, (height, width), 0 to 1."""

    def of_ground(brightness: Plane, mu0: Plane, mu: Plane, known: Mask) -> tuple[Plane, Plane]:
        light = Illumination(mu0, mu, mu)
        left = np.minimum(brightness, 1) ** np.float32(1.0 - style.flatten)
        dusk = 1 - np.exp(-((np.maximum(light.sunlight, 0) / np.float32(_DUSK)) ** 2))
        limb = (np.maximum(np.nan_to_num(mu), 0) + np.float32(0.03)) ** np.float32(0.12)
        ground = (known & light.on_ground).astype(np.float32)
        return np.where(ground > 0, left * dusk * limb, np.float32(0)), ground

    shade, weight = by_rows(of_ground, brightness, light.mu0, light.mu, known)
    if light.on_ground.all():
        return shade
    cell = max(1, round(max(weight.shape) / _FILL_SIDE))
    around, edge = (continued(plane, weight, cell) for plane in (shade, luminance))

    def with_haze(shade: Plane, mu0: Plane, mu: Plane, known: Mask, *haze: Plane) -> tuple[Plane]:
        around, edge, luminance = haze
        fading = np.clip(luminance / np.maximum(edge, np.float32(1e-6)), 0, 1)
        beyond = known & ~Illumination(mu0, mu, mu).on_ground
        return (np.where(beyond, around * fading * fading, shade),)

    return by_rows(with_haze, shade, light.mu0, light.mu, known, around, edge, luminance)[0]
