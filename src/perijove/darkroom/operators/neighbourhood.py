"""What operators that look around a pixel share: the ground, blurs that know where it ends, change of lightness."""

from typing import Final

import numpy as np
import numpy.typing as npt

from perijove.compose.smooth import fill_around
from perijove.darkroom.canvas import Canvas

Plane = npt.NDArray[np.float32]
Planes = npt.NDArray[np.float32]

#: Weights of red, green and blue in the luma of display-referred colours (ITU-R BT.709).
_LUMA: Final = np.array([[0.2126, 0.7152, 0.0722]], np.float32)
#: Cosine of emission below which change of detail fades: what is seen there is haze, and the step of the limb itself.
_LIMB: Final = np.float32(0.12)
#: Wider blurs than this, pixels, are made of smaller pictures.
_WIDEST: Final = 3.0
_TINY: Final = np.float32(1e-4)
#: No pixel gets brighter by more than this factor.
_STEEPEST: Final = np.float32(4.0)


def ground_of(canvas: Canvas) -> Plane:
    """How much each pixel is known ground, 0 to 1; what is known at all, in a picture without ground."""
    ground = canvas.cover * canvas.light.on_ground
    return np.asarray(ground if ground.any() else canvas.cover, np.float32)


def limb_fade(canvas: Canvas, ground: Plane) -> Plane:
    """1 on the ground, 0 beside it, falling smoothly towards the limb."""
    if not canvas.light.on_ground.any():
        return ground
    return np.asarray(ground * smooth_step(np.nan_to_num(canvas.light.mu) / _LIMB), np.float32)


def smooth_step(x: Plane) -> Plane:
    """0 below 0, 1 above 1, x^2 (3 - 2 x) between."""
    x = np.clip(x, 0, 1)
    return np.asarray(x * x * (3 - 2 * x), np.float32)


def soft_limit(change: Plane, limit: float) -> Plane:
    """Change that never exceeds a limit: d / sqrt(1 + (d / limit)^2)."""
    return np.asarray(change / np.sqrt(1 + np.square(change * np.float32(1 / limit))), np.float32)


def luma(colour: Planes) -> Plane:
    """Weighted sum of the channels (ITU-R BT.709), (height, width)."""
    import cv2

    return np.asarray(cv2.transform(np.ascontiguousarray(colour, np.float32), _LUMA), np.float32).reshape(
        colour.shape[:2]
    )


def scaled(colour: Planes, factor: Plane) -> Planes:
    """Colours times a factor of each pixel."""
    import cv2

    return np.asarray(cv2.multiply(np.ascontiguousarray(colour), cv2.merge([factor] * 3)), np.float32)


def relit(colour: Planes, before: Plane, change: Plane) -> Planes:
    """Colours whose lightness changes, all channels by one factor, so that hue and saturation stay."""
    factor = 1 + change / np.maximum(before, np.float32(1 / 255))
    return scaled(colour, np.asarray(np.clip(factor, 0, _STEEPEST), np.float32))


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
    known = gaussian(weight, sigma_px)
    return np.asarray(np.where(known > _TINY, total / np.maximum(known, _TINY), 0), np.float32)


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
