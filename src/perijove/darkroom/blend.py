"""How a layer mixes with what lies below it.

Formulas of W3C's Compositing and Blending Level 1; linear light, add and subtract, which it lacks, as photo editors
have them. All work on display-referred colours, 0 to 1, as people expect of these modes.
"""

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Final

import numpy as np
import numpy.typing as npt

from perijove.compose.blocks import by_rows
from perijove.errors import OptionError

Planes = npt.NDArray[np.float32]
Plane = npt.NDArray[np.float32]
Blend = Callable[[Planes, Planes], Planes]

#: Weights of the luminosity that the non-separable modes keep (W3C, 10.2).
_LUMINOSITY: Final = np.array([0.3, 0.59, 0.11], np.float32)
_TINY: Final = np.float32(1e-7)


def _multiply(below: Planes, above: Planes) -> Planes:
    return below * above


def _screen(below: Planes, above: Planes) -> Planes:
    return below + above - below * above


def _hard_light(below: Planes, above: Planes) -> Planes:
    twice = 2 * above
    return np.where(above <= 0.5, below * twice, _screen(below, twice - 1))


def _overlay(below: Planes, above: Planes) -> Planes:
    return _hard_light(above, below)


def _color_dodge(below: Planes, above: Planes) -> Planes:
    brightened = np.minimum(below / np.maximum(1 - above, _TINY), np.float32(1))
    return np.where(below <= 0, np.float32(0), np.where(above >= 1, np.float32(1), brightened))


def _color_burn(below: Planes, above: Planes) -> Planes:
    darkened = 1 - np.minimum((1 - below) / np.maximum(above, _TINY), np.float32(1))
    return np.where(below >= 1, np.float32(1), np.where(above <= 0, np.float32(0), darkened))


def _soft_light(below: Planes, above: Planes) -> Planes:
    curve = np.where(below <= 0.25, ((16 * below - 12) * below + 4) * below, np.sqrt(np.maximum(below, 0)))
    darker = below - (1 - 2 * above) * below * (1 - below)
    return np.where(above <= 0.5, darker, below + (2 * above - 1) * (curve - below))


def _exclusion(below: Planes, above: Planes) -> Planes:
    return below + above - 2 * below * above


def _linear_light(below: Planes, above: Planes) -> Planes:
    return np.asarray(np.clip(below + 2 * above - 1, 0, 1))


def _add(below: Planes, above: Planes) -> Planes:
    return np.asarray(np.minimum(below + above, np.float32(1)))


def _subtract(below: Planes, above: Planes) -> Planes:
    return np.asarray(np.maximum(below - above, np.float32(0)))


def luminosity(colour: Planes) -> Plane:
    """Luminosity of colours, (..., 3) to (...), as the non-separable modes weigh it."""
    red, green, blue = (weight * colour[..., k] for k, weight in enumerate(_LUMINOSITY))
    return np.asarray(red + green + blue)


def saturation(colour: Planes) -> Plane:
    """Largest less smallest channel, (..., 3) to (...)."""
    return _most(colour) - _least(colour)


def _least(colour: Planes) -> Plane:
    """Smallest channel: quicker than numpy finds it along a short last axis."""
    return np.asarray(np.minimum(np.minimum(colour[..., 0], colour[..., 1]), colour[..., 2]))


def _most(colour: Planes) -> Plane:
    return np.asarray(np.maximum(np.maximum(colour[..., 0], colour[..., 1]), colour[..., 2]))


def _thrice(plane: Plane) -> Planes:
    """A plane for each channel: copies, which numpy mixes with colours sooner than it broadcasts them."""
    import cv2

    return np.asarray(cv2.merge([np.ascontiguousarray(plane)] * 3), np.float32).reshape(*plane.shape, 3)


def _with_luminosity(colour: Planes, wanted: Plane) -> Planes:
    """Colours moved to a luminosity, and towards grey as far as it takes to stay within 0 and 1."""
    moved = colour + _thrice(wanted - luminosity(colour))
    low, high = _least(moved), _most(moved)
    outside = np.flatnonzero((low < 0) | (high > 1))
    if len(outside):
        grey, least, most = (plane.reshape(-1)[outside] for plane in (wanted, low, high))
        room = np.where(least < 0, grey / np.maximum(grey - least, _TINY), np.float32(1))
        room *= np.where(most > 1, (1 - grey) / np.maximum(most - grey, _TINY), np.float32(1))
        flat = moved.reshape(-1, 3)
        flat[outside] = grey[:, None] + (flat[outside] - grey[:, None]) * room[:, None]
    return np.asarray(moved, np.float32)


def _with_saturation(colour: Planes, wanted: Plane) -> Planes:
    low = _least(colour)[..., None]
    spread = saturation(colour)[..., None]
    spaced = (colour - low) * (wanted[..., None] / np.maximum(spread, _TINY))
    return np.asarray(np.where(spread > 0, spaced, np.float32(0)), np.float32)


def _hue(below: Planes, above: Planes) -> Planes:
    return _with_luminosity(_with_saturation(above, saturation(below)), luminosity(below))


def _saturation(below: Planes, above: Planes) -> Planes:
    return _with_luminosity(_with_saturation(below, saturation(above)), luminosity(below))


def _color(below: Planes, above: Planes) -> Planes:
    return _with_luminosity(above, luminosity(below))


def _luminosity(below: Planes, above: Planes) -> Planes:
    return _with_luminosity(below, luminosity(above))


#: From what lies below and a layer, (..., 3) each, to their mixture.
MODES: Final[Mapping[str, Blend]] = MappingProxyType(
    {
        "normal": lambda _, above: above,
        "multiply": _multiply,
        "screen": _screen,
        "overlay": _overlay,
        "darken": lambda below, above: np.minimum(below, above),
        "lighten": lambda below, above: np.maximum(below, above),
        "color-dodge": _color_dodge,
        "color-burn": _color_burn,
        "hard-light": _hard_light,
        "soft-light": _soft_light,
        "difference": lambda below, above: np.abs(below - above),
        "exclusion": _exclusion,
        "hue": _hue,
        "saturation": _saturation,
        "color": _color,
        "luminosity": _luminosity,
        "linear-light": _linear_light,
        "add": _add,
        "subtract": _subtract,
    }
)


def blended(mode: str, below: Planes, above: Planes) -> Planes:
    """Mix colours, as if both were opaque.

    Parameters
    ----------
    mode : str
        One of `MODES`.
    below, above : ndarray, (..., 3), float32
        Display-referred, 0 to 1.

    Returns
    -------
    ndarray, (..., 3), float32

    Raises
    ------
    OptionError
        There is no such mode.

    Examples
    --------
    >>> grey = np.full((1, 3), 0.5, np.float32)
    >>> blended("multiply", grey, grey)[0, 0], blended("screen", grey, grey)[0, 0]
    (np.float32(0.25), np.float32(0.75))
    """
    if mode not in MODES:
        raise OptionError(f"there is no blend mode {mode!r}; choose from {', '.join(MODES)}")
    return np.asarray(MODES[mode](below, above), np.float32)


def composite(
    below: tuple[Planes, Plane], above: tuple[Planes, Plane], mode: str = "normal", opacity: float = 1.0,
    first: Callable[[Planes], Planes] | None = None,
) -> tuple[Planes, Plane]:  # fmt: skip
    """Lay one picture over another.

    Parameters
    ----------
    below, above : tuple of ndarray
        Colours, (..., 3), and how far they cover, (...), 0 to 1. Colours are not multiplied by it.
    mode : str
    opacity : float
        Factor of the cover of ``above``.
    first : callable, optional
        What is done to the colours of ``above`` before: steps in which each pixel depends on its own alone.

    Returns
    -------
    tuple of ndarray
        Colours and cover: W3C's simple alpha compositing (source over) of the blended colours. Where nothing covers,
        colours are 0.
    """
    work = partial(_composite, mode, np.float32(opacity), first)
    planes = by_rows(work, below[0], below[1], above[0], above[1])
    return planes[0], planes[1]


def _composite(
    mode: str, opacity: np.float32, first: Callable[[Planes], Planes] | None,
    under: Planes, cover_under: Plane, over: Planes, cover_over: Plane,
) -> tuple[Planes, Plane]:  # fmt: skip
    if first is not None:
        over = first(over)
    cover_over = cover_over * opacity
    mixed = over
    if mode != "normal" and (cover_under > 0).any():
        mixed = over + _thrice(cover_under) * (blended(mode, under, over) - over)
    if not (cover_under < 1).any():
        return under + _thrice(cover_over) * (mixed - under), cover_under
    kept = cover_under * (1 - cover_over)
    cover = cover_over + kept
    colour = (_thrice(cover_over) * mixed + _thrice(kept) * under) / _thrice(np.maximum(cover, _TINY))
    return np.asarray(colour), cover
