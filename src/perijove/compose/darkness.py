"""What is dark: the level of night and sky, the noise in them, and the colour of what is hardly lit."""

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from perijove.compose.blocks import by_rows, sampled
from perijove.compose.illumination import Illumination
from perijove.compose.saturation import highest
from perijove.compose.smooth import box_mean, coarse_mean, continued, fill_around, for_each

__all__ = ["above_black", "black_level", "dark_noise", "noise_of", "quieted", "steady_twilight"]

Plane = npt.NDArray[np.float32]
Planes = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

#: Cosine of incidence below which it is night, and the percentage of its pixels that is left out at either end.
_NIGHT_MU0, _TRIMMED = -0.12, 1.0
#: Pixels that are enough to tell a level.
_SAMPLE: Final = 100_000
#: Where so many times more pixels are given, every second, third and so on row and column is looked at.
_DENSITY: Final = 16
#: Part of the picture that the sky must fill to have a level of its own, and the night: a mean of few pixels is good
#: enough, and the sky of a methane picture, bright with stray light, is no substitute.
_LEAST_DARK, _LEAST_NIGHT = 0.01, 0.001
#: As parts of the picture's side: the sky that may hold haze, and squares (half side) over which stray light is even.
_HAZE, _STRAY = 1 / 40, 1 / 100
_COARSER: Final = 4
#: A cell of so many pixels tells its level if this part of it is sky.
_HALF_CLEAR: Final = 0.5
#: Of the bright level: in light as dim as this, half of the colour is that of brighter ground, because an error of the
#: black level of a fraction of a count shows as colour. Means are over squares of this half side; with fewer pixels
#: than the last there is no ground.
_DIM, _TWILIGHT_PX, _LEAST_GROUND = 0.03, 4, 100
#: Percentile of the ground that is the bright level.
_BRIGHT_PERCENTILE: Final = 99.5
#: Signals over noise at which detail is given up for means over squares of these half sides, pixels, and at which these
#: sink into black: below it hot pixels and the steps between framelets are all there is.
_QUIET: Final = ((6.0, 2), (2.0, 8))
_NOTHING: Final = 0.35
#: ... as the mean over the neighbourhood tells, as a part of the picture's side: of fewer pixels it would be blotchy.
_FADE: Final = 1 / 40
#: So many times the first of these, no pixel is touched.
_SURE: Final = 2.5
#: Rows beyond a block that its pixels may depend on.
_HALO: Final = 16
#: Noise of the dark is told by stripes of so many rows, the next one so many rows on.
_STRIPES: Final = (16, 48)
#: Of a normal distribution, from the mean distance; the distance from a mean of nine holds eight ninths of it.
_DEVIATION: Final = np.float32(1.2533 * 1.06)
#: Half side of the squares whose scatter tells the noise of lit ground, pixels.
_NOISE_PX: Final = 8


def black_level(planes: Planes, known: Mask, part: float, light: Illumination | None) -> Planes:
    """Level of night and sky in each band: stray light and what is left of the dark.

    Parameters
    ----------
    planes : ndarray, (height, width, band), float32
        0 where unknown.
    known : ndarray, (height, width), bool
    part : float
        Of the bright level; what is darker is night or sky.
    light : Illumination, optional

    Returns
    -------
    ndarray, (band,) or (height, width, band), float32
        One level without light. With it, ground has that of the night beside the terminator, which is what twilight
        lies upon, and the sky has its own from place to place: the lens casts patches of light there, other ones in
        each band. Haze beyond the limb has the level of the sky above it.
    """
    night, beyond = _levels(planes, known, part, light)
    return night if light is None else np.where(light.on_ground[..., None], night, beyond)


def above_black(planes: Planes, known: Mask, part: float, light: Illumination | None) -> Planes:
    """Planes less their black level; parameters are those of `black_level`."""
    night, beyond = _levels(planes, known, part, light)
    if light is None:
        return planes - night

    def less(planes: Planes, beyond: Planes, ground: Mask) -> tuple[Planes]:
        return (planes - np.where(ground[..., None], night, beyond),)

    return by_rows(less, planes, beyond, light.on_ground)[0]


def _levels(planes: Planes, known: Mask, part: float, light: Illumination | None) -> tuple[Plane, Planes]:
    """Level of the ground, (band,), and of the sky, (height, width, band)."""
    bright = _some(planes, known)
    limit = part * np.percentile(bright, 99) if len(bright) else 0.0
    ground = np.zeros(known.shape, bool) if light is None else light.on_ground

    def dark(planes: Planes, known: Mask, ground: Mask) -> tuple[Mask]:
        return (known & ~ground & (highest(planes) < limit),)

    (sky,) = by_rows(dark, planes, known, ground)
    level = np.zeros(planes.shape[-1], np.float32)
    if np.count_nonzero(sky) >= _LEAST_DARK * known.size:
        level = np.asarray(np.median(_some(planes, sky), axis=0), np.float32)
    if light is None:
        return level, np.broadcast_to(level, planes.shape)
    beyond = _sky_level(planes, sky, ground, level)
    at_night = known & ground & (light.mu0 < _NIGHT_MU0)
    if np.count_nonzero(at_night) < _LEAST_NIGHT * known.size:
        return level, beyond
    night = _some(planes, at_night)
    # A mean, because counts are few; without what radiation left.
    low, high = np.percentile(night, (_TRIMMED, 100 - _TRIMMED), axis=0)
    kept = np.where((night >= low) & (night <= high), night, np.nan)
    return np.asarray(np.nanmean(kept, axis=0), np.float32), beyond


def _sky_level(planes: Planes, sky: Mask, ground: Mask, level: Planes) -> Planes:
    """Stray light of the sky from place to place, (height, width, band)."""
    import cv2

    side, bands = max(ground.shape), planes.shape[2:]
    # It is smooth: a quarter of the resolution does.
    size = tuple(-(-n // _COARSER) for n in ground.shape[::-1])
    reach = 2 * max(1, round(side * _HAZE / _COARSER)) + 1
    near = cv2.resize(ground.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0
    clear = cv2.dilate(near.astype(np.uint8), np.ones((reach, reach), np.uint8)) == 0
    weight = cv2.resize(sky.astype(np.float32), size, interpolation=cv2.INTER_AREA) * clear
    if weight.sum() < _LEAST_DARK * clear.size:
        return np.broadcast_to(level, planes.shape)
    (light,) = by_rows(lambda rows, sky: (rows * for_each(sky.astype(np.float32), bands),), planes, sky)
    total = cv2.resize(light, size, interpolation=cv2.INTER_AREA).reshape(*clear.shape, *bands)
    del light
    radius = max(1, round(side * _STRAY / _COARSER))
    smooth = []
    for k in range(bands[0]):
        known = np.asarray(np.where(clear, total[..., k], 0) / np.maximum(weight, 1e-3), np.float32)
        mean = box_mean(known, weight, radius)
        # From framelet to framelet it goes in steps, which stay sharp in a median.
        own = np.where(weight > _HALF_CLEAR, known, mean)
        smooth.append(cv2.medianBlur(np.ascontiguousarray(fill_around(own, weight)), 5))
    whole = cv2.resize(cv2.merge(smooth), ground.shape[::-1], interpolation=cv2.INTER_LINEAR)
    return np.asarray(whole, np.float32).reshape(planes.shape)


def quieted(planes: Planes, known: Mask, light: Illumination) -> Planes:
    """Planes in which what drowns in noise is a mean of its neighbourhood: twilight, night and sky.

    Parameters
    ----------
    planes : ndarray, (height, width, band), float32
        Freed of their black level, so that noise is about 0.
    known : ndarray, (height, width), bool
    light : Illumination

    Returns
    -------
    ndarray, (height, width, band), float32
        Ground takes no part in the sky, nor the sky in the ground. Pixels far above the noise are not changed.
    """
    ground = light.on_ground
    areas = [(area, dark_noise(planes, area, light, _mean)) for area in (known & ground, known & ~ground)]
    fades = [_fading(planes, area, least) for area, least in areas]

    def quiet(planes: Planes, mu0: Plane, mu: Plane, *more: npt.NDArray[Any]) -> tuple[Planes]:
        bands = planes.shape[2:]
        out = planes.copy()
        luminance = _mean(planes)
        for (_, least), area, fade in zip(areas, more[:2], more[2:], strict=True):
            noise = noise_of(luminance, area, Illumination(mu0, mu, mu), least)
            # What is bright takes no part, so that a limb does not spread into the sky.
            dim = area & (luminance < _SURE * _QUIET[0][0] * noise)
            if not dim.any():
                continue
            weight = dim.astype(np.float32)
            (_, near_px), (_, far_px) = _QUIET
            narrow, broad = box_mean(planes, weight, near_px), coarse_mean(planes, weight, far_px)
            near = np.maximum(_mean(narrow), 0) / noise
            fine, some = (1 - np.exp(-((near / np.float32(least)) ** 2)) for least, _ in _QUIET)
            broad *= for_each(fade, bands)
            mean = broad + for_each(some, bands) * (narrow - broad)
            out = np.where(for_each(weight, bands) > 0, mean + for_each(fine, bands) * (planes - mean), out)
        return (out,)

    return by_rows(quiet, planes, light.mu0, light.mu, *(area for area, _ in areas), *fades, halo=_HALO)[0]


def _fading(planes: Planes, area: Mask, least: Plane) -> Plane:
    """How much is left of what drowns in noise, 0 to 1, (height, width)."""

    def dim(planes: Planes, area: Mask) -> tuple[Plane, Plane]:
        luminance = _mean(planes)
        return luminance, (area & (luminance < _SURE * _QUIET[0][0] * least)).astype(np.float32)

    luminance, weight = by_rows(dim, planes, area)
    mean = coarse_mean(luminance, weight, max(_QUIET[1][1], round(_FADE * max(area.shape))))
    return by_rows(lambda mean: (1 - np.exp(-np.square(np.maximum(mean, 0) / (_NOTHING * least))),), mean)[0]


def dark_noise(plane: Plane, area: Mask, light: Illumination, part: Callable[[Planes], Plane] | None = None) -> Plane:
    """Standard deviation of the noise of night and sky.

    Parameters
    ----------
    plane : ndarray, (height, width) or (height, width, band), float32
    area : ndarray, (height, width), bool
    light : Illumination
    part : callable, optional
        From planes to what of them is looked at.

    Returns
    -------
    ndarray, (1,) or (band,), float32
        Told by stripes of rows; 1e-9 where there are neither.
    """
    dark = area & ~(light.mu0 > _NIGHT_MU0)
    off = []
    bands = 1
    for first in range(0, len(plane), _STRIPES[1]):
        rows = slice(first, first + _STRIPES[0])
        some = plane[rows] if part is None else part(plane[rows])
        bands = some.shape[2] if some.ndim == 3 else 1
        if dark[rows].any():
            inside = np.abs(some - box_mean(some, area[rows].astype(np.float32), 1))[1:-1]
            off.append(inside[dark[rows][1:-1]].reshape(-1, bands))
    least: Plane = np.zeros(bands, np.float32)
    if sum(map(len, off)):
        found = np.concatenate(off)
        kept = np.where(found <= np.percentile(found, 99.0, axis=0), found, np.float32(np.nan))
        least = np.asarray(_DEVIATION * np.nanmean(kept, axis=0, dtype=np.float64), np.float32)
    return np.asarray(np.maximum(least, 1e-9), np.float32)


def noise_of(plane: Plane, area: Mask, light: Illumination, least: Plane | None = None) -> Plane:
    """Standard deviation of the noise: that of the dark, or that of the neighbourhood where it is larger.

    Parameters
    ----------
    plane : ndarray, (height, width) or (height, width, band), float32
    area : ndarray, (height, width), bool
        What is looked at: ground, sky, or what is known.
    light : Illumination
    least : ndarray, optional
        That of the dark, if it is known already.

    Returns
    -------
    ndarray, of the shape of the plane, float32
        Clouds as fine as a pixel count as noise; from pixel to pixel they are faint.
    """
    if least is None:
        least = dark_noise(plane, area, light)
    ground = (light.on_ground & area).astype(np.float32)
    if not ground.any():
        return np.broadcast_to(least, plane.shape)
    off = np.abs(plane - box_mean(plane, area.astype(np.float32), 1))
    return np.asarray(np.maximum(least, _DEVIATION * coarse_mean(off, ground, _NOISE_PX)), np.float32)


def steady_twilight(planes: Planes, known: Mask, ground: Mask) -> Planes:
    """What is so dark that the rest of the black level would colour it, in the colour of the ground next to it.

    Parameters
    ----------
    planes : ndarray, (height, width, 3), float32
    known, ground : ndarray, (height, width), bool

    Returns
    -------
    ndarray, (height, width, 3), float32
    """
    some = _some(planes, ground)
    if len(some) < _LEAST_GROUND:
        return planes
    dim = np.float32(_DIM * np.percentile(some.mean(axis=-1), _BRIGHT_PERCENTILE))

    def levels(planes: Planes, known: Mask, ground: Mask) -> tuple[Plane, Plane, Planes]:
        means = box_mean(planes, known.astype(np.float32), _TWILIGHT_PX)
        level = _mean(means)
        told = ground * np.clip(level / np.maximum(dim, np.float32(1e-9)) - 1, 0, 1)
        ratio = np.asarray(means / np.maximum(level, np.float32(1e-6))[..., None], np.float32)
        return level, np.asarray(told, np.float32), ratio

    level, told, ratio = by_rows(levels, planes, known, ground, halo=2 * _TWILIGHT_PX)
    colour = [continued(np.ascontiguousarray(ratio[..., k]), told, _COARSER) for k in range(3)]

    def steadied(planes: Planes, known: Mask, level: Plane, *colour: Plane) -> tuple[Planes]:
        own = level**2 / np.maximum(level**2 + dim**2, np.float32(1e-12))
        lent = np.where(known, (1 - own) * _mean(planes), np.float32(0))
        out = planes * np.where(known, own, np.float32(1))[..., None]
        for k in range(3):
            out[..., k] += lent * colour[k]
        return (out,)

    return by_rows(steadied, planes, known, level, *colour)[0]


def _mean(planes: Planes) -> Plane:
    """Mean of the bands, (height, width): quicker than numpy finds it along a short last axis."""
    if planes.shape[-1] == 1:
        return planes[..., 0]
    import cv2

    bands = planes.shape[-1]
    share = np.full((1, bands), 1 / bands, np.float32)
    return np.asarray(cv2.transform(np.ascontiguousarray(planes), share), np.float32)


def _some(planes: Planes, where: Mask) -> Planes:
    """Enough of the pixels of a mask to tell a level, (n, ...)."""
    found = sampled(planes, where, _DENSITY * _SAMPLE)
    return found[:: max(1, len(found) // _SAMPLE)]
