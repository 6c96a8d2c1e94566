"""Saturated bands: what they would have shown, from a band that is not saturated and the colour of the ground."""

import functools
from typing import Final

import numpy as np
import numpy.typing as npt

from perijove.compose.blocks import by_rows
from perijove.compose.smooth import box_mean, fill_around

Planes = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

RGB: Final = ("RED", "GREEN", "BLUE")
#: A sample counts as saturated from this part of the band's clipping level on: response is linear up to here (43C00078,
#: where red over blue is even to 2 % up to the level itself), and resampling mixes neighbours.
_SATURATED: Final = 0.95
#: From here on nothing of a sample is believed.
_CLIPPED: Final = 1.0
#: A clipped sample whose other bands promise less than this part of the clipping level holds bloomed charge.
_BLOOM: Final = 0.6
#: Bloomed charge is mixed by resampling and cross-fading into this many pixels.
_BLOOM_REACH_PX: Final = 25
#: A saturated limb is mixed into this many pixels of sky.
_EDGE_REACH_PX: Final = 9
#: Unsaturated lit pixels that are needed to know the planet's colour.
_MIN_GOOD: Final = 100
#: Sky and deep night tell no colour: below this part of the brightest values.
_LIT: Final = 0.05
#: Colour is taken over squares of this half side, so that noise is not continued.
_COLOUR_RADIUS_PX: Final = 4
#: Unsaturated ground narrower than this tells no colour, pixels.
_ISLAND_PX: Final = 9
#: Largest difference of the logarithm of a ratio from that of its latitude.
_MOST_OFF: Final = 0.2
#: Width of the limb whose colour is not the clouds', pixels.
_RIM_PX: Final = 5
#: Width of the latitudes that share a colour, degrees.
_LATITUDE_BIN_DEG: Final = 2.0


def highest(planes: Planes) -> Planes:
    """Highest band of each pixel: quicker than numpy finds it along a short last axis."""
    return np.asarray(functools.reduce(np.maximum, np.moveaxis(planes, -1, 0)))


def fill_saturated(
    planes: Planes, clipping: Planes, known: Mask, latitude_deg: Planes | None = None
) -> tuple[Planes, dict[str, float]]:
    """Estimate saturated red and green.

    Green follows blue, which saturates last in front of Jupiter, and red follows green, each by their ratio:
    that of the latitude, where the unsaturated ground tells it, and what the nearest unsaturated ground differs from
    it, so that hue runs on across the edge of saturation. Where blue is saturated, too, nothing is changed.

    Parameters
    ----------
    planes : ndarray, (height, width, 3), float32
        I/F of red, green, blue.
    clipping : ndarray, (3,)
        I/F at which they saturate.
    known : ndarray, (height, width), bool
    latitude_deg : ndarray, (height, width), optional
        NaN in the sky.

    Returns
    -------
    planes : ndarray, (height, width, 3), float32
    saturated : dict of str to float
        Part of the lit picture in which each band was saturated.
    """

    def levels(planes: Planes, known: Mask) -> tuple[Mask, Planes]:
        return (planes >= _SATURATED * clipping) & known[..., None], highest(planes)

    clipped, brightest = by_rows(levels, planes, known)
    lit = known & (brightest > _LIT * brightest.max())
    lit_count = max(int(np.count_nonzero(lit)), 1)
    share = {band: int(np.count_nonzero(clipped[..., k])) / lit_count for k, band in enumerate(RGB)}
    share = {band: part for band, part in share.items() if part > 1e-4}
    if not share or np.count_nonzero(lit & ~clipped.any(axis=-1)) < _MIN_GOOD:
        return planes, share
    # Where blue is dark there is sky with charge that bloomed into it.
    inside = _eroded(known & (planes[..., 2] > _LIT * planes[..., 2].max()))
    if latitude_deg is not None:
        inside &= np.isfinite(latitude_deg)
    filled = planes.copy()
    for band, carrier in ((1, 2), (0, 1)):
        use = clipped[..., band] & ~clipped[..., 2]
        good = _opened(inside & ~clipped[..., band] & ~clipped[..., carrier])
        if not use.any() or np.count_nonzero(good) < _MIN_GOOD:
            continue
        ratio = _continued_ratio(planes[..., band], planes[..., carrier], good, latitude_deg)
        filled[..., band] = _filled(planes[..., band], ratio * filled[..., carrier], use, float(clipping[band]))
    return filled, share


def _eroded(lit: Mask) -> Mask:
    """The lit ground without its rim: haze at the limb has a colour of its own, and pixels are mixed there."""
    import cv2

    # Bridged first, so that dark spots make no rims.
    disc = np.ones((2 * _RIM_PX + 1, 2 * _RIM_PX + 1), np.uint8)
    closed = cv2.morphologyEx(lit.astype(np.uint8), cv2.MORPH_CLOSE, disc)
    return np.asarray(lit & (cv2.erode(closed, disc, borderType=cv2.BORDER_CONSTANT, borderValue=1) > 0))


def _opened(good: Mask) -> Mask:
    """Without islands: a few unsaturated pixels amid saturated ones are dust on the detector."""
    import cv2

    square = np.ones((_ISLAND_PX, _ISLAND_PX), np.uint8)
    return np.asarray(good & (cv2.morphologyEx(good.astype(np.uint8), cv2.MORPH_OPEN, square) > 0))


def _filled(value: Planes, estimate: Planes, use: Mask, clipping: float) -> Planes:
    """A band with the estimate where it is saturated, and where charge bloomed into it."""
    import cv2

    out = value.copy()
    # The estimate takes over between the onset and the clipping level.
    onset = np.clip((value / clipping - _SATURATED) / (_CLIPPED - _SATURATED), 0.0, 1.0)
    out[use] = (value + onset * (np.maximum(value, estimate) - value))[use]
    # Where the other bands promise something far below the clipping level, charge bloomed into this one, and into
    # what was resampled with it: a bicubic kernel undershoots beside its edge, and beside a saturated limb.
    dark = estimate < _BLOOM * clipping
    bloom = (use & dark).astype(np.uint8)
    near = cv2.dilate(bloom, np.ones((_BLOOM_REACH_PX, _BLOOM_REACH_PX), np.uint8)) > 0
    near |= dark & (cv2.dilate(use.astype(np.uint8), np.ones((_EDGE_REACH_PX, _EDGE_REACH_PX), np.uint8)) > 0)
    near &= np.abs(value - estimate) > 0.2 * estimate
    out[near] = estimate[near]
    return out


def _continued_ratio(band: Planes, carrier: Planes, good: Mask, latitude_deg: Planes | None) -> Planes:
    """Ratio of two bands everywhere, known where it is good, (height, width)."""
    # Bright ground tells the ratio best: noise and the black level weigh on the dark, and twilight has its own colour.
    weight = np.where(good, carrier, 0.0) ** 2
    mean_band = box_mean(band, weight.astype(np.float32), _COLOUR_RADIUS_PX)
    mean_carrier = box_mean(carrier, weight.astype(np.float32), _COLOUR_RADIUS_PX)
    good = good & (mean_carrier > 0) & (mean_band > 0)
    ratio = np.zeros_like(band)
    ratio[good] = np.log(mean_band[good] / mean_carrier[good])
    trend = _latitude_trend(ratio, weight, good, latitude_deg)
    off = np.clip(ratio - trend, -_MOST_OFF, _MOST_OFF).astype(np.float32)
    return np.asarray(np.exp(trend + fill_around(off, good.astype(np.float32))), np.float32)


def _latitude_trend(ratio: Planes, weight: Planes, good: Mask, latitude_deg: Planes | None) -> Planes:
    """Mean of the good values over latitude; between and beyond known latitudes that of the nearest."""
    told = good if latitude_deg is None else good & np.isfinite(latitude_deg)
    if latitude_deg is None or np.count_nonzero(told) < _MIN_GOOD:
        return np.full_like(ratio, np.average(ratio[good], weights=weight[good]) if good.any() else 0.0)
    edges = np.arange(-90.0, 90.0 + _LATITUDE_BIN_DEG, _LATITUDE_BIN_DEG)
    at = np.digitize(latitude_deg[told], edges) - 1
    count = np.bincount(at, minlength=len(edges))
    total = np.bincount(at, weight[told], len(edges))
    mean = np.bincount(at, (weight * ratio)[told], len(edges)) / np.maximum(total, 1e-12)
    sure = (count >= _MIN_GOOD) & (total > 0)
    if not sure.any():
        return np.full_like(ratio, np.average(ratio[told], weights=weight[told]))
    trend = np.interp(np.nan_to_num(latitude_deg), edges[sure] + _LATITUDE_BIN_DEG / 2, mean[sure])
    overall = np.average(mean[sure], weights=total[sure])
    return np.where(np.isfinite(latitude_deg), trend, overall).astype(np.float32)
