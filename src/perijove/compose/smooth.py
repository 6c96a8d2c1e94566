"""Smoothing that knows where there is something: normalised means, the guided filter, filling from around."""

from typing import Final

import numpy as np
import numpy.typing as npt

Plane = npt.NDArray[np.float32]

#: Below this weight there is nothing to take a mean of.
_LEAST: Final = np.float32(1e-4)
#: Pixels that one of the coarse resolution has on a side.
_COARSER: Final = 4
#: A cell counts in full from the inverse of this on.
_FULL: Final = 4
#: Wide squares are summed over cells so that their radius is about as many of them.
_CELLS: Final = 5


class Means:
    """Weighted means over squares, for one weight and one size.

    Parameters
    ----------
    weight : ndarray, (height, width), float32
    radius : int
        Squares have a side of 2 radius + 1.
    """

    def __init__(self, weight: Plane, radius: int) -> None:
        self._weight, self._size = weight, (2 * radius + 1, 2 * radius + 1)
        self._known = self._mean(weight)
        np.maximum(self._known, _LEAST, out=self._known)

    def __call__(self, values: Plane) -> Plane:
        """Means of values, (height, width) or (height, width, n), float32; 0 where there is no weight."""
        bands = values.shape[2:]
        total = self._mean(values * for_each(self._weight, bands)).reshape(values.shape)
        total /= for_each(self._known, bands)
        return total

    def _mean(self, values: Plane) -> Plane:
        import cv2

        mean = cv2.boxFilter(values, cv2.CV_32F, self._size, normalize=True, borderType=cv2.BORDER_CONSTANT)
        return np.asarray(mean, np.float32)


def for_each(plane: Plane, bands: tuple[int, ...]) -> Plane:
    """A plane for each of several bands: copies, which numpy multiplies sooner than it broadcasts them.

    Parameters
    ----------
    plane : ndarray, (height, width), float32
    bands : tuple of int
        The number of them, or nothing.

    Returns
    -------
    ndarray, (height, width, *bands), float32
    """
    import cv2

    if not bands:
        return plane
    return np.asarray(cv2.merge((np.ascontiguousarray(plane),) * bands[0]), np.float32).reshape(*plane.shape, *bands)


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
    return Means(weight, radius)(values)


def coarse_mean(values: Plane, weight: Plane, radius: int) -> Plane:
    """`box_mean` from a quarter of the resolution: nearly the same where the radius is 8 pixels or more, and quicker.

    Where a neighbourhood has no weight, that of its neighbours fades in.
    """
    import cv2

    if values.ndim == 3 and values.shape[-1] == 1:
        return coarse_mean(values[..., 0], weight, radius)[..., None]
    shape = weight.shape
    size = tuple(-(-n // _COARSER) for n in shape[::-1])
    bands = values.shape[2:]
    total = cv2.resize(values * for_each(weight, bands), size, interpolation=cv2.INTER_AREA)
    known = np.asarray(cv2.resize(weight, size, interpolation=cv2.INTER_AREA), np.float32)
    mean = np.asarray(total / for_each(np.maximum(known, np.float32(1e-3)), bands), np.float32)
    mean = box_mean(mean, known, max(1, round(radius / _COARSER)))
    return np.asarray(cv2.resize(mean, shape[::-1], interpolation=cv2.INTER_LINEAR), np.float32)


class Guide:
    """Guided filter with weights: smooth where a guide is, sharp where it has edges.

    Parameters
    ----------
    guide, weight : ndarray, (height, width), float32
        What has no weight takes no part, so that nothing leaks over a limb or a gap.
    radius : float
        Half side of the squares, pixels.
    edge : float
        Deviations of the guide much smaller than this are smoothed, much larger ones are kept.

    Notes
    -----
    He, Sun & Tang 2013 (IEEE TPAMI 35:1397), with normalised convolution in place of means. Wide squares are summed
    over cells (He & Sun 2015, arXiv:1505.00996), here over means of squares, too, so that no variance is lost.
    """

    def __init__(self, guide: Plane, weight: Plane, radius: float, edge: float) -> None:
        self._guide, self._weight = guide, weight
        cell = max(1, int(radius / _CELLS))
        height, width = guide.shape
        self._small = (max(1, round(width / cell)), max(1, round(height / cell)))
        known = self._cells(weight)
        self._some = np.maximum(known, np.float32(1e-6))
        self._means = Means(known, max(1, round(radius / cell)))
        self._mean = self._means(self._weighed(guide))
        self._variance = np.maximum(self._means(self._weighed(guide * guide)) - self._mean * self._mean, 0)
        self._edge = np.float32(edge * edge)

    def __call__(self, values: Plane) -> Plane:
        """Values, (height, width), float32, smoothed."""
        if values is self._guide:
            mean, covariance = self._mean, self._variance
        else:
            mean = self._means(self._weighed(values))
            covariance = self._means(self._weighed(self._guide * values)) - self._mean * mean
        slope = np.asarray(covariance / (self._variance + self._edge), np.float32)
        offset = mean - slope * self._mean
        smooth = self._grown(self._means(slope)) * self._guide
        smooth += self._grown(self._means(offset))
        return np.asarray(smooth, np.float32)

    def _weighed(self, values: Plane) -> Plane:
        """Means over cells of what has weight."""
        if self._small == self._guide.shape[::-1]:
            return values
        return np.asarray(self._cells(values * self._weight) / self._some, np.float32)

    def _cells(self, plane: Plane) -> Plane:
        import cv2

        if self._small == plane.shape[::-1]:
            return plane
        return np.asarray(cv2.resize(plane, self._small, interpolation=cv2.INTER_AREA), np.float32)

    def _grown(self, plane: Plane) -> Plane:
        import cv2

        shape = self._guide.shape
        if plane.shape == shape:
            return plane
        return np.asarray(cv2.resize(plane, shape[::-1], interpolation=cv2.INTER_LINEAR), np.float32)


def guided(values: Plane, weight: Plane, radius: float, edge: float) -> Plane:
    """Values smoothed where they are smooth and left where they have edges: `Guide` by themselves."""
    return Guide(values, weight, radius, edge)(values)


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


def continued(values: Plane, weight: Plane, cell: int) -> Plane:
    """`fill_around` from means over cells: nearly the same of what is smooth, and quicker.

    Parameters
    ----------
    values, weight : ndarray, (height, width), float32
    cell : int
        Pixels on a side of a cell.

    Returns
    -------
    ndarray, (height, width), float32
    """
    import cv2

    size = tuple(max(1, -(-n // cell)) for n in weight.shape[::-1])
    known = np.asarray(cv2.resize(weight, size, interpolation=cv2.INTER_AREA), np.float32)
    total = cv2.resize(values * weight, size, interpolation=cv2.INTER_AREA)
    full = np.asarray(np.minimum(known * np.float32(_FULL), 1), np.float32)
    around = fill_around(np.asarray(total / np.maximum(known, _LEAST), np.float32), full)
    return np.asarray(cv2.resize(around, weight.shape[::-1], interpolation=cv2.INTER_LINEAR), np.float32)
