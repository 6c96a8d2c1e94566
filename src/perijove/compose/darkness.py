"""What is dark: the level of night and sky, the noise in them, and the colour of what is hardly lit."""

from concurrent.futures import ThreadPoolExecutor
from typing import Final

import numpy as np
import numpy.typing as npt

from perijove.compose.illumination import Illumination
from perijove.compose.saturation import highest
from perijove.compose.smooth import box_mean, coarse_mean, fill_around

__all__ = ["black_level", "noise_of", "quieted", "steady_twilight"]

Plane = npt.NDArray[np.float32]
Planes = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

#: Cosine of incidence below which it is night, and the percentage of its pixels that is left out at either end.
_NIGHT_MU0, _TRIMMED = -0.12, 1.0
#: Pixels that are enough to tell a level.
_SAMPLE: Final = 100_000
#: Part of the picture that night or sky must fill to have a level of its own.
_LEAST_DARK: Final = 0.01
#: As parts of the picture's side: the sky that may hold haze, and squares (half side) over which stray light is even.
_HAZE, _STRAY = 1 / 40, 1 / 100
_COARSER: Final = 4
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
#: So many times the first of these, no pixel is touched.
_SURE: Final = 2.5
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
    dark = known & (highest(planes) < part * np.percentile(_some(planes, known), 99)) if known.any() else known
    sky = dark if light is None else dark & ~light.on_ground
    level = np.zeros(planes.shape[-1], np.float32)
    if np.count_nonzero(sky) >= _LEAST_DARK * known.size:
        level = np.asarray(np.median(_some(planes, sky), axis=0), np.float32)
    if light is None:
        return level
    beyond = _sky_level(planes, sky, light.on_ground, level)
    at_night = known & light.on_ground & (light.mu0 < _NIGHT_MU0)
    if np.count_nonzero(at_night) < _LEAST_DARK * known.size:
        return np.where(light.on_ground[..., None], level, beyond)
    night = _some(planes, at_night)
    # A mean, because counts are few; without what radiation left.
    low, high = np.percentile(night, (_TRIMMED, 100 - _TRIMMED), axis=0)
    kept = np.where((night >= low) & (night <= high), night, np.nan)
    return np.where(light.on_ground[..., None], np.nanmean(kept, axis=0), beyond).astype(np.float32)


def _sky_level(planes: Planes, sky: Mask, ground: Mask, level: Planes) -> Planes:
    """Stray light of the sky from place to place, (height, width, band)."""
    import cv2

    side = max(ground.shape)
    reach = 2 * max(2, round(side * _HAZE)) + 1
    clear = sky & (cv2.dilate(ground.astype(np.uint8), np.ones((reach, reach), np.uint8)) == 0)
    if np.count_nonzero(clear) < _LEAST_DARK * ground.size:
        return np.broadcast_to(level, planes.shape)
    # It is smooth: a quarter of the resolution does.
    size = tuple(-(-n // _COARSER) for n in ground.shape[::-1])
    weight = cv2.resize(clear.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    radius = max(1, round(side * _STRAY / _COARSER))
    filled = []
    for plane in np.moveaxis(planes, -1, 0):
        total = cv2.resize(np.where(clear, plane, np.float32(0.0)), size, interpolation=cv2.INTER_AREA)
        mean = box_mean(np.asarray(total / np.maximum(weight, 1e-3), np.float32), weight, radius)
        smooth = fill_around(mean, weight)
        filled.append(cv2.resize(smooth, ground.shape[::-1], interpolation=cv2.INTER_LINEAR))
    return np.stack(filled, axis=-1)


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
    luminance = _mean(planes)
    bands = planes.shape[-1]
    out = planes.reshape(-1, bands).copy()

    def quiet(area: Mask) -> None:
        noise = noise_of(luminance, area, light)
        # What is bright takes no part, so that a limb does not spread into the sky.
        dim = area & (luminance < _SURE * _QUIET[0][0] * noise)
        weight = dim.astype(np.float32)
        (_, near_px), (_, far_px) = _QUIET
        at = np.flatnonzero(dim)
        means = box_mean(planes, weight, near_px), coarse_mean(planes, weight, far_px)
        narrow, broad, own = (plane.reshape(-1, bands)[at] for plane in (*means, planes))
        near, far = (np.maximum(_mean(mean), 0.0) / noise.ravel()[at] for mean in (narrow, broad))
        fine, some, wide = (
            (1.0 - np.exp(-((over / np.float32(least)) ** 2)))[:, None]
            for over, least in ((near, _QUIET[0][0]), (near, _QUIET[1][0]), (far, _NOTHING))
        )
        out[at] = fine * own + (1 - fine) * (some * narrow + (1 - some) * wide * broad)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(quiet, (known & light.on_ground, known & ~light.on_ground)))
    return out.reshape(planes.shape)


def noise_of(plane: Plane, area: Mask, light: Illumination) -> Plane:
    """Standard deviation of the noise: that of the dark, or that of the neighbourhood where it is larger.

    Parameters
    ----------
    plane : ndarray, (height, width), float32
    area : ndarray, (height, width), bool
        What is looked at: ground, sky, or what is known.
    light : Illumination

    Returns
    -------
    ndarray, (height, width), float32
        Clouds as fine as a pixel count as noise; from pixel to pixel they are faint.
    """
    weight = area.astype(np.float32)
    off = np.abs(plane - box_mean(plane, weight, 1))
    dark = off[area & ~(light.mu0 > _NIGHT_MU0)]
    # Of a normal distribution, from the mean distance; the distance from a mean of nine holds eight ninths of it.
    factor = np.float32(1.2533 * 1.06)
    least = factor * float(dark[dark <= np.percentile(dark, 99.0)].mean()) if len(dark) else 0.0
    least = np.float32(max(least, 1e-9))
    ground = (light.on_ground & area).astype(np.float32)
    if not ground.any():
        return np.full_like(plane, least)
    return np.asarray(np.maximum(least, factor * coarse_mean(off, ground, _NOISE_PX)), np.float32)


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
    luminance = _mean(planes)
    if np.count_nonzero(ground) < _LEAST_GROUND:
        return planes
    dim = np.float32(_DIM * np.percentile(_some(luminance, ground), _BRIGHT_PERCENTILE))
    weight = known.astype(np.float32)
    means = box_mean(planes, weight, _TWILIGHT_PX)
    level = _mean(means)
    told = np.where(ground, np.clip(level / np.maximum(dim, 1e-9) - 1.0, 0.0, 1.0), 0.0).astype(np.float32)
    own = level**2 / np.maximum(level**2 + dim**2, 1e-12)
    out = planes.copy()
    for k in range(3):
        ratio = means[..., k] / np.maximum(level, 1e-6)
        steady = own * planes[..., k] + (1 - own) * luminance * fill_around(np.asarray(ratio, np.float32), told)
        out[..., k] = np.where(known, steady, planes[..., k])
    return out


def _mean(planes: Planes) -> Plane:
    """Mean of the bands, (...): quicker than numpy finds it along a short last axis."""
    bands = planes.shape[-1]
    return np.asarray(planes @ np.full(bands, 1.0 / bands, np.float32), np.float32)


def _some(planes: Planes, where: Mask) -> Planes:
    """Enough of the pixels of a mask to tell a level, (n, ...)."""
    at = np.flatnonzero(where)
    return planes.reshape(-1, *planes.shape[2:])[at[:: max(1, len(at) // _SAMPLE)]]
