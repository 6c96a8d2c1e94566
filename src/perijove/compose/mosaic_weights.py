"""What an image counts for in a mosaic, cell by cell: how it sees the ground, and how far its border is."""

from typing import Final

import numpy as np
import numpy.typing as npt

Plane = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

#: Cosines of emission between which an image comes to count: nearer to the limb it is haze.
LIMB_MU: Final = 0.06
_WELL_MU: Final = 0.35
#: A border fades over this many km, or over this part of the image's greatest distance from it if that is less.
_FADE_KM: Final = 5000.0
_FADE_PART: Final = 0.6
#: Clouds shear and turn: an image counts half when it is so old, seconds, where clouds are followed.
_HALF_AGE_S: Final = 3 * 3600.0
#: Cells around a footprint in which the image still counts a little, because its last pixels lie there.
_MARGIN: Final = 2
_LEAST: Final = 1e-6
#: However badly an image sees the ground, it counts so much: more than what another one does at its border.
LEAST_VIEW: Final = 2e-3


def view_weight(mu: Plane, range_km: Plane, pixel_rad: float, scale_km: float) -> Plane:
    """Weight by how well the ground is seen.

    Parameters
    ----------
    mu, range_km : ndarray, (height, width), float32
        Cosine of emission, negative beyond the horizon; distance of the spacecraft.
    pixel_rad : float
        Angle of a pixel of the image.
    scale_km : float
        Pixel of the map: an image need not be finer.

    Returns
    -------
    ndarray, (height, width), float32
        0 to 1: for pixels, foreshortened, much larger than the map's in inverse proportion to their size.

    Examples
    --------
    >>> import numpy as np
    >>> view_weight(np.ones(2, np.float32), np.array([1000.0, 3000.0], np.float32), 0.001, 1.0).round(2)
    array([0.71, 0.32], dtype=float32)
    """
    pixel_km = range_km * np.float32(pixel_rad) / np.maximum(mu, np.float32(LIMB_MU))
    fine = scale_km / np.hypot(np.float32(scale_km), pixel_km)
    return np.asarray(np.nan_to_num(_smooth(mu, LIMB_MU, _WELL_MU) * fine), np.float32)


def age_weight(seconds: float) -> float:
    """Weight by how far in time an image is from what the mosaic shows.

    Examples
    --------
    >>> age_weight(0.0), age_weight(-3 * 3600.0)
    (1.0, 0.5)
    """
    return 1.0 / (1.0 + (seconds / _HALF_AGE_S) ** 2)


def border_weight(footprint: Mask, cell_km: float, *, wraps: bool = False) -> Plane:
    """Weight that falls smoothly to the border of what an image shows.

    Parameters
    ----------
    footprint : ndarray, (height, width), bool
    cell_km : float
    wraps : bool
        The right edge of the map is its left one.

    Returns
    -------
    ndarray, (height, width), float32
        1 well inside, near 0 at the border, very little within two cells around it, and 0 beyond. The map's own edge
        is no border.
    """
    import cv2

    pad = min(footprint.shape[1], int(_FADE_KM / cell_km) + _MARGIN + 1) if wraps else 0
    inside = np.pad(footprint, ((0, 0), (pad, pad)), mode="wrap").astype(np.uint8)
    if not inside.any():
        return np.zeros(footprint.shape, np.float32)
    if inside.all():
        return np.ones(footprint.shape, np.float32)
    far = cv2.distanceTransform(inside, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    near = cv2.dilate(inside, np.ones((2 * _MARGIN + 1,) * 2, np.uint8)) > 0
    fade = max(min(_FADE_KM / cell_km, _FADE_PART * float(far.max())), 1.0)
    weight = np.where(near, np.maximum(_smooth(far - 0.5, 0.0, fade), np.float32(_LEAST)), 0.0)
    return np.ascontiguousarray(weight[:, pad : pad + footprint.shape[1]], np.float32)


def reduced(values: Plane, factor: int) -> tuple[Plane, Plane]:
    """Means over squares of ``factor`` pixels of what is known there, and the part that is known.

    Parameters
    ----------
    values : ndarray, (height, width, ...), float32
        NaN where nothing is known; both sides are multiples of the factor.
    factor : int

    Returns
    -------
    means, known : ndarray, (height / factor, width / factor, ...), float32
        NaN where nothing is known; 0 to 1.
    """
    shape = (values.shape[0] // factor, factor, values.shape[1] // factor, factor, *values.shape[2:])
    blocks = values.reshape(shape)
    finite = np.isfinite(blocks)
    known = finite.mean(axis=(1, 3), dtype=np.float32)
    total = np.where(finite, blocks, np.float32(0.0)).mean(axis=(1, 3), dtype=np.float32)
    with np.errstate(invalid="ignore"):
        return np.asarray(total / known, np.float32), known


def _smooth(at: Plane, low: float, high: float) -> Plane:
    """0 below, 1 above, with no edge at either."""
    t = np.clip((at - np.float32(low)) / np.float32(high - low), 0.0, 1.0)
    return np.asarray(t * t * (3.0 - 2.0 * t), np.float32)
