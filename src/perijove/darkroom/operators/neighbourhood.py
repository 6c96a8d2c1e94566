"""What operators that look around a pixel share: the ground, blurs that know where it ends, change of lightness."""

from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt

from perijove.compose.blocks import by_rows
from perijove.compose.illumination import Illumination
from perijove.compose.smooth import fill_around
from perijove.darkroom.canvas import Canvas
from perijove.darkroom.curve import smoothstep
from perijove.darkroom.operators.tables import luminance, scaled

Plane = npt.NDArray[np.float32]
Planes = npt.NDArray[np.float32]

#: Cosine of emission below which change of detail fades: what is seen there is haze, and the step of the limb itself.
_LIMB: Final = np.float32(0.12)
#: Wider blurs than this, pixels, are made of smaller pictures.
_WIDEST: Final = 3.0
_TINY: Final = np.float32(1e-4)
#: No pixel gets brighter by more than this factor.
_STEEPEST: Final = np.float32(4.0)


def ground_of(canvas: Canvas) -> Plane:
    """How much each pixel is known ground, 0 to 1; what is known at all, in a picture without ground."""

    def known(cover: Plane, mu0: Plane, mu: Plane) -> tuple[Plane]:
        return (cover * Illumination(mu0, mu, mu).on_ground,)

    (ground,) = by_rows(known, canvas.cover, canvas.light.mu0, canvas.light.mu)
    return ground if ground.any() else canvas.cover


def limb_fade(mu: Plane, ground: Plane) -> Plane:
    """1 on the ground, 0 beside it, falling smoothly towards the limb, where cosines of emission are small.

    Ground for which the cosine is not known does not fade: a picture without a planet.
    """
    return np.asarray(ground * smoothstep(np.nan_to_num(mu, nan=1.0) / _LIMB), np.float32)


def soft_limit(change: Plane, limit: float) -> Plane:
    """Change that never exceeds a limit: d / sqrt(1 + (d / limit)^2)."""
    return np.asarray(change / np.sqrt(1 + np.square(change * np.float32(1 / limit))), np.float32)


def relit(colour: Planes, canvas: Canvas, ground: Plane, change: Callable[..., Plane], *planes: Plane) -> Planes:
    """Colours whose luma changes, all channels by one factor, so that hue and saturation stay.

    Parameters
    ----------
    colour : ndarray, (height, width, 3), float32
    canvas : Canvas
    ground : ndarray, (height, width), float32
        As `ground_of` gives it; elsewhere, and at the limb, nothing changes.
    change : callable
        From rows of luma and of ``planes`` to that by which luma changes.
    planes : ndarray, (height, width), float32
    """

    def rows(colour: Planes, ground: Plane, mu: Plane, *planes: Plane) -> tuple[Planes]:
        before = luminance(colour)
        off = change(before, *planes) * limb_fade(mu, ground)
        factor = 1 + off / np.maximum(before, np.float32(1 / 255))
        return (scaled(colour, np.asarray(np.clip(factor, 0, _STEEPEST), np.float32)),)

    return by_rows(rows, colour, ground, canvas.light.mu, *planes)[0]


def filled(values: Plane, weight: Plane) -> Plane:
    """Values continued smoothly into where nothing is known."""
    return fill_around(values, weight) if weight.min() < 1 else values


def blurred(values: Plane, weight: Plane, sigma_px: float) -> Plane:
    """Gaussian mean of what has weight; 0 where none is near.

    Parameters
    ----------
    values, weight : ndarray, (height, width), float32
    sigma_px : float
        A wide one is made of a smaller picture, with a difference below 1 % of the values' spread.

    Returns
    -------
    ndarray, (height, width), float32
    """
    whole = bool(weight.min() >= 1)
    total = gaussian(values if whole else values * weight, sigma_px)
    if whole:
        return total

    def mean(total: Plane, known: Plane) -> tuple[Plane]:
        return (np.where(known > _TINY, total / np.maximum(known, _TINY), np.float32(0)),)

    return by_rows(mean, total, gaussian(weight, sigma_px))[0]


def gaussian(values: Planes, sigma_px: float) -> Planes:
    """Gaussian blur of one or three channels, mirrored at the edges."""
    import cv2

    if sigma_px < 0.2:
        return values
    height, width = values.shape[:2]
    factor = 1
    while sigma_px / factor > _WIDEST and min(height, width) // (2 * factor) >= 8:
        factor *= 2
    small = values
    if factor > 1:
        size = (-(-width // factor), -(-height // factor))
        small = np.asarray(cv2.resize(values, size, interpolation=cv2.INTER_AREA), np.float32)
        # Taking means and interpolating between them blur by themselves.
        sigma_px = float(np.sqrt(sigma_px**2 - (factor**2 - 1) / 12 - factor**2 / 6))
    side = 2 * int(np.ceil(3 * sigma_px / factor)) + 1
    spread = cv2.GaussianBlur(small, (side, side), sigma_px / factor, borderType=cv2.BORDER_REFLECT)
    if factor > 1:
        spread = cv2.resize(spread, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(spread, np.float32)
