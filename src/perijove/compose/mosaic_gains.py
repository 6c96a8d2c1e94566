"""Gains of images that show the same ground: one factor an image and band, so that overlaps agree."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Plane = npt.NDArray[np.float32]

#: Gains are expected to lie within this about 1 (natural logarithm): the calibration's own scatter.
EXPECTED_SIGMA: Final = 0.05
#: Scatter of the logarithm of a ratio in one cell, at least: the fit does not believe in more than this.
_LEAST_SCATTER: Final = 0.005
#: Cells that are neighbours see the same clouds: so many of them count as one.
_CELLS_ALIKE: Final = 16.0
_ROUNDS: Final = 8


@dataclass(frozen=True)
class Overlap:
    """The same ground in two images, in one band.

    Attributes
    ----------
    first, second : int
        Numbers of the images.
    log_ratio : ndarray, (n,)
        Of the values of the first over those of the second.
    weight : ndarray, (n,)
    """

    first: int
    second: int
    log_ratio: Floats
    weight: Floats


@dataclass(frozen=True)
class Agreement:
    """How two images agree where they show the same ground, in one band.

    Attributes
    ----------
    first, second : int
    cells : int
    before, after : float
        Median ratio of the first over the second, without and with the gains.
    scatter : float
        Of the ratio about its median: 1.4826 times the median deviation.
    """

    first: int
    second: int
    cells: int
    before: float
    after: float
    scatter: float


def overlaps(planes: Sequence[Plane], weights: Sequence[Plane]) -> list[Overlap]:
    """Find the ground that images share.

    Parameters
    ----------
    planes : sequence of ndarray, (height, width), float32
        One band of each image on one grid; NaN, or not positive, where nothing is known.
    weights : sequence of ndarray, (height, width), float32
        A ratio counts by the lesser weight of the two.

    Returns
    -------
    list of Overlap
        Of all pairs that share ground.
    """
    found = []
    with np.errstate(invalid="ignore", divide="ignore"):
        logs = [np.log(np.where(plane > 0, plane, np.nan)) for plane in planes]
    for first in range(len(planes)):
        for second in range(first + 1, len(planes)):
            weight = np.minimum(weights[first], weights[second])
            ratio = logs[first] - logs[second]
            at = (weight > 0) & np.isfinite(ratio)
            if at.any():
                found.append(Overlap(first, second, ratio[at].astype(float), weight[at].astype(float)))
    return found


def fit_gains(images: Sequence[float], shared: Sequence[Overlap]) -> Floats:
    """Gains that make images agree.

    Parameters
    ----------
    images : sequence of float
        Of each image, how much it counts in the mean: a mosaic counts as often as it has images.
    shared : sequence of Overlap
        Of one band.

    Returns
    -------
    ndarray, (image,)
        What each image is multiplied by; their geometric mean, by how much they count, is 1. An image that shares no
        ground has 1.

    Notes
    -----
    Least squares of the logarithms over all cells at once, with Cauchy weights against clouds that moved and a pull
    towards no gain of ``EXPECTED_SIGMA``.
    """
    count = np.asarray(images, float)
    logs: Floats = np.zeros(len(count))
    if not shared:
        return np.ones(len(count))
    scatter = max(float(np.median(np.concatenate([np.abs(s.log_ratio) for s in shared]))), _LEAST_SCATTER)
    for _ in range(_ROUNDS):
        normal = np.diag(count) / EXPECTED_SIGMA**2
        right = np.zeros(len(count))
        residuals = []
        for s in shared:
            off = s.log_ratio + logs[s.first] - logs[s.second]
            residuals.append(np.abs(off))
            weight = s.weight / s.weight.max() / (1.0 + (off / (2.0 * scatter)) ** 2)
            precision = weight.sum() / _CELLS_ALIKE / scatter**2
            mean = float((weight * s.log_ratio).sum() / weight.sum())
            for this, other, sense in ((s.first, s.second, -1.0), (s.second, s.first, 1.0)):
                normal[this, this] += precision
                normal[this, other] -= precision
                right[this] += sense * precision * mean
        logs = np.asarray(np.linalg.solve(normal, right), float)
        scatter = max(1.4826 * float(np.median(np.concatenate(residuals))), _LEAST_SCATTER)
    return np.asarray(np.exp(logs - _mean_of_linked(logs, count, shared)))


def _mean_of_linked(logs: Floats, count: Floats, shared: Sequence[Overlap]) -> Floats:
    """Mean over the images that overlaps connect with each one."""
    group = np.arange(len(logs))
    for _ in logs:
        for s in shared:
            group[[s.first, s.second]] = min(group[s.first], group[s.second])
    total = np.bincount(group, count, len(logs))
    return np.asarray((np.bincount(group, count * logs, len(logs)) / np.maximum(total, 1e-12))[group])


def agreements(gains: Floats, shared: Sequence[Overlap]) -> list[Agreement]:
    """How images agree, without and with their gains."""
    out = []
    for s in shared:
        middle = _weighted_median(s.log_ratio, s.weight)
        scatter = 1.4826 * _weighted_median(np.abs(s.log_ratio - middle), s.weight)
        after = np.exp(middle) * gains[s.first] / gains[s.second]
        out.append(Agreement(s.first, s.second, len(s.weight), float(np.exp(middle)), float(after), scatter))
    return out


def _weighted_median(values: Floats, weight: Floats) -> float:
    order = np.argsort(values)
    below = np.cumsum(weight[order])
    return float(values[order][np.searchsorted(below, below[-1] / 2)])
