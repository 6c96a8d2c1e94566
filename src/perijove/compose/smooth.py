"""Smoothing that knows where there is something: normalised means, the guided filter, filling from around."""

import numpy as np
import numpy.typing as npt

Plane = npt.NDArray[np.float32]

#: Below this weight there is nothing to take a mean of.
_LEAST = np.float32(1e-4)
#: Pixels that one of the coarse resolution has on a side.
_COARSER = 4


def box_mean(values: Plane, weight: Plane, radius: int) -> Plane:
    """Weighted mean over squares of side 2 radius + 1; 0 where there is no weight.

    Parameters
    ----------
    values : ndarray, (height, width) or (height, width, n), float32
    weight : ndarray, (height, width), float32
    radius : int

    Returns
    -------
    ndarray, of the shape of the values, float32
    """
    import cv2

    if values.ndim == 3 and values.shape[-1] == 1:
        return box_mean(values[..., 0], weight, radius)[..., None]
    size = (2 * radius + 1, 2 * radius + 1)
    known = cv2.boxFilter(weight, cv2.CV_32F, size, normalize=True, borderType=cv2.BORDER_CONSTANT)
    weighed = values * (weight if values.ndim == 2 else cv2.merge((weight,) * values.shape[-1]))
    total = cv2.boxFilter(weighed, cv2.CV_32F, size, normalize=True, borderType=cv2.BORDER_CONSTANT)
    gain = np.divide(1.0, known, out=np.zeros_like(known), where=known > _LEAST)
    return np.asarray(total * gain if values.ndim == 2 else total * gain[..., None], np.float32)


def coarse_mean(values: Plane, weight: Plane, radius: int) -> Plane:
    """`box_mean` from a quarter of the resolution: nearly the same where the radius is 8 pixels or more, and quicker.

    Where a neighbourhood has no weight, that of its neighbours fades in.
    """
    import cv2

    if values.ndim == 3 and values.shape[-1] == 1:
        return coarse_mean(values[..., 0], weight, radius)[..., None]
    shape = weight.shape
    size = tuple(-(-n // _COARSER) for n in shape[::-1])
    weighed = values * (weight if values.ndim == 2 else cv2.merge((weight,) * values.shape[-1]))
    total = cv2.resize(weighed, size, interpolation=cv2.INTER_AREA)
    known = np.asarray(cv2.resize(weight, size, interpolation=cv2.INTER_AREA), np.float32)
    inside = np.maximum(known, np.float32(1e-3))
    mean = np.asarray(total / (inside if values.ndim == 2 else inside[..., None]), np.float32)
    mean = box_mean(mean, known, max(1, round(radius / _COARSER)))
    return np.asarray(cv2.resize(mean, shape[::-1], interpolation=cv2.INTER_LINEAR), np.float32)


def guided(values: Plane, weight: Plane, radius: int, edge: float, guide: Plane | None = None) -> Plane:
    """Guided filter with weights: smooth where the guide is, sharp where it has edges.

    Parameters
    ----------
    values, weight : ndarray, (height, width), float32
        What has no weight takes no part, so that nothing leaks over a limb or a gap.
    radius : int
        Half side of the squares, pixels.
    edge : float
        Deviations of the guide much smaller than this are smoothed, much larger ones are kept.
    guide : ndarray, optional
        Default: the values themselves.

    Returns
    -------
    ndarray, (height, width), float32

    Notes
    -----
    He, Sun & Tang 2013 (IEEE TPAMI 35:1397), with normalised convolution in place of means.
    """
    guide = values if guide is None else guide
    mean_g = box_mean(guide, weight, radius)
    mean_v = mean_g if guide is values else box_mean(values, weight, radius)
    variance = np.maximum(box_mean(guide * guide, weight, radius) - mean_g * mean_g, 0.0)
    covariance = variance if guide is values else box_mean(guide * values, weight, radius) - mean_g * mean_v
    slope = np.asarray(covariance / (variance + np.float32(edge * edge)), np.float32)
    offset = mean_v - slope * mean_g
    return np.asarray(box_mean(slope, weight, radius) * guide + box_mean(offset, weight, radius), np.float32)


def fill_around(values: Plane, weight: Plane) -> Plane:
    """Continue values smoothly into where they have no weight.

    Parameters
    ----------
    values : ndarray, (height, width), float32
    weight : ndarray, (height, width), float32
        0 to 1.

    Returns
    -------
    ndarray, (height, width), float32
        The values where the weight is 1; elsewhere means of what is known nearby, over the smaller distances the
        nearer it is. 0 where nothing is known anywhere.

    Notes
    -----
    A pyramid of weighted means is built and, from the top, each level's gaps are filled from the one above.
    """
    import cv2

    levels = [(np.asarray(values * weight, np.float32), np.asarray(weight, np.float32))]
    while min(levels[-1][1].shape) > 1 and levels[-1][1].min() < 1:
        size = tuple((n + 1) // 2 for n in levels[-1][1].shape[::-1])
        total, known = (
            np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_AREA), np.float32) for plane in levels[-1]
        )
        # A cell is known as soon as one of its four is.
        boost = np.minimum(4.0 * known, 1.0) / np.maximum(known, _LEAST)
        levels.append((np.asarray(total * boost, np.float32), np.asarray(known * boost, np.float32)))
    total, known = levels[-1]
    filled = np.full_like(total, total.sum() / max(float(known.sum()), 1e-9)) if known.any() else np.zeros_like(total)
    for total, known in reversed(levels):
        if filled.shape != total.shape:
            filled = np.asarray(cv2.resize(filled, total.shape[::-1], interpolation=cv2.INTER_LINEAR), np.float32)
        filled = np.asarray(total + (1 - known) * filled, np.float32)
    return filled
