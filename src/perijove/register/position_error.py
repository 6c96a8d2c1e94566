"""What the uncertainty of a solved pointing means on the ground: for an image as a whole, and for pixels of a view."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from perijove.constants import ACTIVE_SAMPLES, FRAMELET_LINES
from perijove.geometry.ellipsoid import RADII_KM, normals
from perijove.geometry.pointing import Pointing
from perijove.geometry.sighting import Sightings
from perijove.register.solve import Solution
from perijove.register.uncertainty import ground_sigma_km, likely_pointings, pixel_sigma

Floats = npt.NDArray[np.float64]

#: Pixels of a framelet between those at which an image's error is asked for: along rows and columns.
_GRID: Final = (32, 48)
#: The error of the line of sight, which changes slowly, is asked for at pixels of a view that lie so far apart at most,
#: and so many times along it.
_STEP_PX: Final = 16
_STEPS: Final = 64
#: The bands of an image see the ground alike: one stands for all.
_BANDS: Final = ("GREEN", "RED", "BLUE", "METHANE")
#: Points whose coordinates over the radii have a larger square lie beside the ellipsoid.
_ON_GROUND: Final = 1.0 + 1e-9


@dataclass(frozen=True)
class PositionError:
    """Expected standard error of the ground that an image's pixels see.

    Attributes
    ----------
    median_km, p95_km : float
        Along the ground, both directions together.
    median_px : float
        In pixels of the image.
    """

    median_km: float
    p95_km: float
    median_px: float


def position_error(solution: Solution) -> PositionError | None:
    """Expected error over an image's pixels that see ground; None where none does, or where it is not known."""
    if not np.isfinite(solution.covariance).all():
        return None
    band, (frame, x, y) = _band(solution.pointing), _pixels(solution.pointing)
    ground = solution.pointing.ground(band, frame, x, y)
    seen = np.isfinite(ground[:, 0])
    if not seen.any():
        return None
    frame, x, y = frame[seen], x[seen], y[seen]
    km = ground_sigma_km(solution, band, frame, x, y)
    px = np.linalg.norm(pixel_sigma(solution, band, frame, ground[seen]), axis=-1)
    # At the limb a likely pointing may see the sky: there is no number then.
    km, px = km[np.isfinite(km)], px[np.isfinite(px)]
    if not (km.size and px.size):
        return None
    return PositionError(float(np.median(km)), float(np.percentile(km, 95)), float(np.median(px)))


def position_error_km(solution: Solution, ground_km: Floats) -> npt.NDArray[np.float32]:
    """Standard error of the position of the ground that the pixels of a view show.

    Parameters
    ----------
    solution : Solution
    ground_km : ndarray, (height, width, 3)
        Body-fixed, as `perijove.project.view.View.ground` gives them.

    Returns
    -------
    ndarray, (height, width), float32
        Root of the variance along the ground, both directions together, km; NaN in the sky.

    Notes
    -----
    The covariance of the lines of sight, which changes slowly, is interpolated; the slant of the ground is that of
    each pixel: a displacement d across the line of sight u moves the ground by d + s u, in the plane with the normal n.
    """
    step = int(np.clip(max(ground_km.shape[:2]) // _STEPS, 1, _STEP_PX))
    places = [_places(size, step) for size in ground_km.shape[:2]]
    coarse = _line_of_sight_errors(solution, ground_km[np.ix_(*places)])
    by_row, by_column = (_hat(at, size) for at, size in zip(places, ground_km.shape[:2], strict=True))
    fine = np.einsum("ri,ijk,cj->rck", by_row, coarse, by_column, optimize=True)
    matrix, sight = fine[..., :9].reshape(*fine.shape[:2], 3, 3), ground_km - fine[..., 9:]
    range2 = np.einsum("...i,...i->...", sight, sight)
    up = normals(ground_km)
    along2 = np.einsum("...i,...i->...", sight, up) ** 2 / range2
    with np.errstate(divide="ignore", invalid="ignore"):
        slant = np.einsum("...i,...ij,...j->...", up, matrix, up, optimize=True) / along2
        variance = range2 * (np.trace(matrix, axis1=-2, axis2=-1) + slant)
        scaled = ground_km / RADII_KM
        on_ground = np.einsum("...i,...i->...", scaled, scaled) < _ON_GROUND
    return np.sqrt(np.where(on_ground, variance, np.nan)).astype(np.float32)


def _band(pointing: Pointing) -> str:
    return next(band for band in _BANDS if band in pointing.cameras)


def _pixels(pointing: Pointing) -> list[npt.NDArray[Any]]:
    """Frames, columns and rows of a coarse grid of an image's pixels."""
    summing = next(iter(pointing.cameras.values())).sampling_factor
    y, x = (
        np.arange(first + step / 2, last, step) / summing
        for (first, last), step in zip(((0, FRAMELET_LINES), ACTIVE_SAMPLES), _GRID, strict=True)
    )
    grid = np.meshgrid(np.arange(pointing.frames), x, y, indexing="ij")
    return [axis.ravel() for axis in grid]


def _places(size: int, step: int) -> npt.NDArray[np.int64]:
    """Pixels of a side of a view from the first to the last, about so many apart."""
    return np.rint(np.linspace(0, size - 1, 2 + size // step)).astype(np.int64)


def _hat(places: npt.NDArray[np.int64], size: int) -> Floats:
    """What linear interpolation takes from values at places for each pixel, (size, places)."""
    return np.stack([np.interp(np.arange(size), places, one) for one in np.eye(len(places))], axis=1)


def _line_of_sight_errors(solution: Solution, ground_km: Floats) -> Floats:
    """Covariance of where the lines of sight to points pass, over the distance squared, and where they come from.

    Returns
    -------
    ndarray, (..., 12)
        The 3 x 3 matrix, body-fixed, then Juno, km. Points without any have those of the nearest that has.
    """
    shape, points = ground_km.shape[:-1], ground_km.reshape(-1, 3)
    out = np.full((len(points), 12), np.nan)
    known = np.isfinite(points[:, 0])
    if known.any():
        pointing, points = solution.pointing, points[known]
        band = _band(pointing)
        frame = Sightings(pointing, points).nearest_frame(band)[0]
        x, y = pointing.pixels(band, frame, points)
        rays, observer = pointing.rays(band, frame, x, y), pointing.position_fixed_km[frame]
        distance = np.linalg.norm(points - observer, axis=-1, keepdims=True)
        covariance = np.zeros((len(points), 3, 3))
        for likely in likely_pointings(solution):
            off = likely.rays(band, frame, x, y) - rays + (likely.position_fixed_km[frame] - observer) / distance
            off -= np.einsum("ni,ni->n", off, rays)[:, None] * rays
            covariance += off[:, :, None] * off[:, None, :]
        out[known] = np.hstack([covariance.reshape(-1, 9), observer])
    return _filled(out.reshape(*shape, 12))


def _filled(planes: Floats) -> Floats:
    """Planes, (height, width, n), with what is NaN taken from the nearest that is not."""
    missing = np.isnan(planes).any(axis=-1)
    if not missing.any() or missing.all():
        return planes
    from scipy.ndimage import distance_transform_edt

    nearest = distance_transform_edt(missing, return_distances=False, return_indices=True)
    return np.asarray(planes[tuple(nearest)])
