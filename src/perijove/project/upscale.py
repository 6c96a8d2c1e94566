"""Finer than the camera's pixels: the smoothest picture that, seen through the camera, gives what it measured.

Interpolation above the camera's scale rings (Lanczos) or blurs (linear), and always keeps the camera's own blur. Here
the picture u is found for which

    sum over pixels of ((H u)(x) - d)^2 / (2 sigma^2)  +  sum over the picture of (kappa / s) phi(D u)

is least: d are the pixels of all framelets where they lie, so that what framelets share is told twice, at two phases; H
is the blur of optics and pixel, a Gaussian; sigma the standard error of d and s the same in the picture; D are the
second differences along and across, and phi(w) = sqrt(w^2 + (epsilon s)^2) lets a ridge be sharp and keeps noise flat.
Nothing leaves the range of what the pixels around it measured, so that no edge rings. Nothing but the counts and
smoothness goes in, so that no texture is made up. The least is found by accelerated gradient descent with projection
(Beck & Teboulle 2009, SIAM J. Imaging Sci. 2:183) in the metric of the row sums, which bound the curvature.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import cv2
import numba
import numpy as np
import numpy.typing as npt

from perijove.constants import FOCAL_LENGTH_PX
from perijove.geometry.pointing import Pointing
from perijove.project.resample import EDGE_ROWS, USED_SAMPLES
from perijove.project.view import View

Plane = npt.NDArray[np.float32]
Planes = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]

#: Deviation of the Gaussian whose transfer at the Nyquist frequency is that of optics and pixel, 0.47 (CAL), pixels.
BLUR_PX: Final = 0.391
#: Weight of smoothness, and what counts as flat, both by the noise: found on simulated clouds (benchmarks/upscale.py).
_KAPPA: Final = 0.12
_EPSILON: Final = 0.4
_ITERATIONS: Final = 40
#: Nothing leaves the range of what is measured within so many of the camera's pixels.
_AROUND: Final = 1.6
#: Views with fewer pixels to one of the camera hold nothing that could be found.
LEAST_ZOOM: Final = 1.3
#: Framelet pixels between those that are followed to the ground.
_STEP: Final = 16
#: The square of the norm of the second differences: 16 along, 16 across, 4 of both.
_CURVATURE: Final = 36.0
#: More than any I/F.
_MOST: Final = 1e6
#: Where fewer pixels than this part of the usual tell, the picture stays as it was.
_LEAST_COVER: Final = 0.5


@dataclass(frozen=True)
class Measured:
    """What the camera measured in one band, where it lies in a view.

    Attributes
    ----------
    x, y : ndarray, (n,), float64
        Pixel coordinates of the view.
    values, sigma : ndarray, (n,), float32
        I/F and its standard error.
    """

    x: Floats
    y: Floats
    values: Plane
    sigma: Plane


def zoom_of(view: View, sampling_factor: int) -> float:
    """Pixels of a spacecraft's view on one of the camera."""
    return sampling_factor / FOCAL_LENGTH_PX / view.scale


def measured(view: View, pointing: Pointing, band: str, values: Planes, sigma: Planes) -> Measured:
    """Framelet pixels of a band that see ground in a view.

    Parameters
    ----------
    view : View
    pointing : Pointing
    band : str
    values, sigma : ndarray, (frame, line, sample), float32
        Of the band; NaN where nothing is known.
    """
    parts = list(_found(view, pointing, band, values, sigma))
    if not parts:
        nothing = np.empty(0, np.float32)
        return Measured(np.empty(0), np.empty(0), nothing, nothing)
    x, y, counts, errors = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Measured(x, y, counts, errors)


def _found(
    view: View, pointing: Pointing, band: str, values: Planes, sigma: Planes
) -> Iterator[tuple[Floats, Floats, Plane, Plane]]:
    lines, samples = values.shape[1:]
    summing = pointing.cameras[band].sampling_factor
    nodes = [np.linspace(0.0, n, n // _STEP + 1) for n in (lines, samples)]
    at_y, at_x = np.meshgrid(*nodes, indexing="ij")
    # Places between nodes, of pixel centres, as OpenCV counts them.
    to_x, to_y = np.meshgrid(*((np.arange(n, dtype=np.float32) + 0.5) / _STEP for n in (samples, lines)))
    usable = np.zeros((lines, samples), bool)
    edge, used = EDGE_ROWS // summing, [n // summing for n in USED_SAMPLES]
    usable[edge : lines - edge, used[0] : used[1]] = True
    for frame in range(pointing.frames):
        place = view.pixel(pointing.ground(band, np.full(at_y.shape, frame), at_x, at_y))
        if not ((place > -_STEP) & (place < (view.width + _STEP, view.height + _STEP))).all(axis=-1).any():
            continue
        x, y = (np.asarray(cv2.remap(place[..., k], to_x, to_y, cv2.INTER_LINEAR)) for k in (0, 1))
        inside = (x > 1) & (x < view.width - 1) & (y > 1) & (y < view.height - 1)
        kept = inside & usable & np.isfinite(values[frame]) & np.isfinite(sigma[frame]) & (sigma[frame] > 0)
        yield x[kept], y[kept], values[frame][kept], sigma[frame][kept]


def refined(plane: Plane, told: Measured, zoom: float) -> Plane:
    """A band of a view as the pixels of the camera and smoothness have it.

    Parameters
    ----------
    plane : ndarray, (height, width), float32
        As it was interpolated; NaN where nothing is known.
    told : Measured
    zoom : float
        Pixels of the view on one of the camera.

    Returns
    -------
    ndarray, (height, width), float32
        Unchanged where too few pixels tell, as beyond the limb; NaN where ``plane`` is.
    """
    known = np.isfinite(plane)
    if zoom < LEAST_ZOOM or not len(told.x) or min(plane.shape) < 8:
        return plane
    # Taking samples by linear interpolation blurs, too: by a variance of 1/6.
    problem = _Problem.of(told, plane.shape, float(np.sqrt(max((BLUR_PX * zoom) ** 2 - 1 / 6, 0.05))), zoom)
    start = _filled(plane, known)
    found = problem.solved(start)
    usual = np.float32(_LEAST_COVER / zoom**2)
    share = _smooth(_blurred(problem.cover, zoom) / usual - 1)
    return np.where(known, start + share * (found - start), np.float32(np.nan)).astype(np.float32)


@dataclass(frozen=True)
class _Problem:
    """What is to be least.

    Attributes
    ----------
    told : Measured
    blur_px : float
    cover : ndarray, (height, width), float32
        Framelet pixels to a pixel of the view.
    noise : ndarray, (height, width), float32
        Their standard error, smooth.
    low, high : ndarray, (height, width), float32
        Least and most that the pixels around measured.
    """

    told: Measured
    blur_px: float
    cover: Plane
    noise: Plane
    low: Plane
    high: Plane

    @classmethod
    def of(cls, told: Measured, shape: tuple[int, ...], blur_px: float, zoom: float) -> "_Problem":
        cover, errors = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
        _spread(np.ones_like(told.values), told.x, told.y, cover)
        _spread(told.sigma, told.x, told.y, errors)
        usual = np.float32(np.median(told.sigma))
        few = np.float32(1e-3)
        wide = 8 * blur_px
        noise = (_blurred(errors, wide) + few * usual) / (_blurred(cover, wide) + few)
        low, high = np.full(shape, np.inf, np.float32), np.full(shape, -np.inf, np.float32)
        _ranged(told.values, told.x, told.y, low, high)
        around = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * int(np.ceil(_AROUND * zoom)) + 1,) * 2)
        low = np.asarray(cv2.erode(low, around), np.float32)
        high = np.asarray(cv2.dilate(high, around), np.float32)
        some = low <= high
        low, high = np.where(some, low, np.float32(-_MOST)), np.where(some, high, np.float32(_MOST))
        return cls(told, blur_px, cover, np.asarray(noise, np.float32), low, high)

    def solved(self, start: Plane) -> Plane:
        """The least, from a start."""
        told = self.told
        weight = 1 / np.square(told.sigma)
        seen = np.empty_like(told.values)
        rows = np.zeros_like(start)
        _spread(weight, told.x, told.y, rows)
        # Smoothness at each place: kappa / s over epsilon s, at most, in its neighbours, too.
        bend = np.float32(_KAPPA / _EPSILON) / np.square(cv2.erode(self.noise, np.ones((3, 3), np.uint8)))
        step = 1 / (_blurred(rows, self.blur_px) + np.float32(_CURVATURE) * bend)
        now, ahead, pace = start, start, 1.0
        slope, bent = np.empty_like(start), np.empty((3, *start.shape), np.float32)
        for _ in range(_ITERATIONS):
            _sampled(_blurred(ahead, self.blur_px), told.x, told.y, seen)
            rows[:] = 0
            _spread((seen - told.values) * weight, told.x, told.y, rows)
            _bend(ahead, self.noise, np.float32(_KAPPA), np.float32(_EPSILON), bent)
            _straighten(bent, slope)
            new = np.asarray(ahead - step * (_blurred(rows, self.blur_px) + slope), np.float32)
            new = np.minimum(np.maximum(new, self.low), self.high)
            faster = (1 + np.sqrt(1 + 4 * pace * pace)) / 2
            ahead = np.asarray(new + np.float32((pace - 1) / faster) * (new - now), np.float32)
            now, pace = new, faster
        return now


def _blurred(plane: Plane, sigma_px: float) -> Plane:
    return np.asarray(cv2.GaussianBlur(plane, (0, 0), sigma_px, borderType=cv2.BORDER_REFLECT), np.float32)


def _smooth(x: Plane) -> Plane:
    x = np.clip(x, 0, 1)
    return np.asarray(x * x * (3 - 2 * x), np.float32)


def _filled(plane: Plane, known: npt.NDArray[np.bool_]) -> Plane:
    """A plane continued into where nothing is known, ever more smoothly."""
    out = np.where(known, plane, np.float32(0))
    left = ~known
    for sigma_px in (2.0, 8.0, 32.0):
        if not left.any():
            break
        weight = _blurred(known.astype(np.float32), sigma_px)
        mean = _blurred(np.where(known, plane, np.float32(0)).astype(np.float32), sigma_px)
        near = left & (weight > 1e-3)
        out[near] = mean[near] / weight[near]
        left &= ~near
    return np.asarray(out, np.float32)


@numba.njit(cache=True, nogil=True)
def _sampled(plane, x, y, out):  # type: ignore[no-untyped-def]
    """Linear interpolation at places that lie a pixel within."""
    for k in range(x.size):
        u, v = x[k] - 0.5, y[k] - 0.5
        i, j = int(u), int(v)
        a, b = np.float32(u - i), np.float32(v - j)
        top = plane[j, i] + a * (plane[j, i + 1] - plane[j, i])
        below = plane[j + 1, i] + a * (plane[j + 1, i + 1] - plane[j + 1, i])
        out[k] = top + b * (below - top)


@numba.njit(cache=True, nogil=True)
def _spread(values, x, y, out):  # type: ignore[no-untyped-def]
    """The transpose of `_sampled`: adds to ``out``, always in the same order."""
    for k in range(x.size):
        u, v = x[k] - 0.5, y[k] - 0.5
        i, j = int(u), int(v)
        a, b = np.float32(u - i), np.float32(v - j)
        top, below = (1 - b) * values[k], b * values[k]
        out[j, i] += (1 - a) * top
        out[j, i + 1] += a * top
        out[j + 1, i] += (1 - a) * below
        out[j + 1, i + 1] += a * below


@numba.njit(cache=True, nogil=True)
def _ranged(values, x, y, low, high):  # type: ignore[no-untyped-def]
    """The least and the most of the values in each pixel."""
    for k in range(x.size):
        i, j = int(x[k]), int(y[k])
        low[j, i] = min(low[j, i], values[k])
        high[j, i] = max(high[j, i], values[k])


@numba.njit(cache=True, nogil=True)
def _bend(plane, noise, kappa, epsilon, out):  # type: ignore[no-untyped-def]
    """Slope of phi at the second differences of each place; 0 along the edges."""
    height, width = plane.shape
    for j in range(height):
        for i in range(width):
            out[0, j, i] = out[1, j, i] = out[2, j, i] = 0.0
            flat = epsilon * noise[j, i]
            force = kappa / noise[j, i]
            if 0 < i < width - 1:
                w = plane[j, i - 1] - 2 * plane[j, i] + plane[j, i + 1]
                out[0, j, i] = force * w / np.sqrt(w * w + flat * flat)
            if 0 < j < height - 1:
                w = plane[j - 1, i] - 2 * plane[j, i] + plane[j + 1, i]
                out[1, j, i] = force * w / np.sqrt(w * w + flat * flat)
            if 0 < i < width - 1 and 0 < j < height - 1:
                w = plane[j - 1, i - 1] - plane[j - 1, i + 1] - plane[j + 1, i - 1] + plane[j + 1, i + 1]
                w *= np.float32(0.35355339)
                out[2, j, i] = np.float32(0.35355339) * force * w / np.sqrt(w * w + flat * flat)


@numba.njit(cache=True, nogil=True)
def _straighten(bent, out):  # type: ignore[no-untyped-def]
    """The transpose of the differences in `_bend`."""
    height, width = out.shape
    for j in range(height):
        for i in range(width):
            total = -2 * (bent[0, j, i] + bent[1, j, i])
            if i > 0:
                total += bent[0, j, i - 1]
            if i < width - 1:
                total += bent[0, j, i + 1]
            if j > 0:
                total += bent[1, j - 1, i]
            if j < height - 1:
                total += bent[1, j + 1, i]
            for dj in (-1, 1):
                for di in (-1, 1):
                    if 0 <= j + dj < height and 0 <= i + di < width:
                        total += dj * di * bent[2, j + dj, i + di]
            out[j, i] = total
