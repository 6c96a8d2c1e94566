"""Lines and text over pixels: bright, with a dark casing that sets them off from bright clouds."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from perijove.story.labels import Label, text_mask

Floats = npt.NDArray[np.float64]
Pixels = npt.NDArray[Any]

#: Strength of lines and of their casings, of text and of its rim, and how much wider a casing is.
LINE, CASING, CASING_WIDTH = 0.75, 0.35, 2.6
_TEXT, _RIM = 0.95, 0.6
#: Subpixel bits of drawn lines.
_SHIFT: Final = 4


def mix(pixels: Pixels, strength: Floats, value: float) -> None:
    """Mix a grey, 0 to 1, into a part of a picture, in place.

    Parameters
    ----------
    pixels : ndarray, (height, width) or (height, width, 3), uint8 or uint16
    strength : ndarray, (height, width)
        0 to 1.
    value : float
    """
    touched = strength > 0
    if not touched.any():
        return
    most = np.iinfo(pixels.dtype).max
    part = strength[touched] if pixels.ndim == 2 else strength[touched][:, None]
    pixels[touched] = np.round(pixels[touched] * (1.0 - part) + value * most * part).astype(pixels.dtype)


def write(pixels: Pixels, label: Label) -> None:
    """Draw a label, with a dark rim; one that is not wholly inside the picture is left out."""
    height, width = pixels.shape[:2]
    left, top, right, bottom = label.box
    if left < 0 or top < 0 or right > width or bottom > height:
        return
    for rim, value in ((True, 0.0), (False, 1.0)):
        mix(pixels[top:bottom, left:right], (_RIM if rim else _TEXT) * text_mask(label, rim), value)


def draw(pixels: Pixels, lines: list[Floats], width: float) -> None:
    """Draw lines, with a dark casing.

    Parameters
    ----------
    pixels : ndarray
    lines : list of ndarray, (n, 2)
        Pixel coordinates x, y of points, centres at + 0.5.
    width : float
        Pixels.
    """
    import cv2

    for wide, strength, value in ((width * CASING_WIDTH, CASING, 0.0), (width, LINE, 1.0)):
        drawn = np.zeros(pixels.shape[:2], np.uint8)
        at = [np.round((line - 0.5) * 2**_SHIFT).astype(np.int32) for line in lines]
        cv2.polylines(drawn, at, False, 255, max(round(wide), 1), cv2.LINE_AA, _SHIFT)
        mix(pixels, drawn.astype(float) * (strength / 255.0), value)
