"""Styles of pictures by name, and what they are made from."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np
import numpy.typing as npt

from perijove.compose.colour import RGB, Picture, natural, reflectance
from perijove.compose.enhance import enhanced
from perijove.compose.illumination import Illumination
from perijove.compose.options import PictureOptions, Style
from perijove.compose.pairs import methane_luminance, methane_red
from perijove.compose.spaces import Gamut
from perijove.errors import OptionError

Planes = npt.NDArray[np.float32]

_PAIRED: Final[Mapping[str, Callable[..., Picture]]] = MappingProxyType(
    {"methane-red": methane_red, "methane-luminance": methane_luminance}
)


@dataclass(frozen=True)
class Scene:
    """Planes of a view and the light in it.

    Attributes
    ----------
    values : ndarray, (height, width, band), float32
        I/F; NaN where nothing is known.
    bands : tuple of str
    clipping : mapping of str to float
        By band, I/F at which the camera saturated.
    light : Illumination
    """

    values: Planes
    bands: Sequence[str]
    clipping: Mapping[str, float]
    light: Illumination


def picture(
    style: str, scene: Scene, methane: Scene | None = None, look: Style | None = None, gamut: Gamut = "srgb"
) -> Picture:
    """Make a picture in a style.

    Parameters
    ----------
    style : {"natural", "enhanced", "methane-red", "methane-luminance"}
    scene : Scene
    methane : Scene, optional
        The same view of a methane image, for the last two.
    look : Style, optional
        Parameters of all but the first.
    gamut : {"srgb", "p3"}

    Returns
    -------
    Picture

    Raises
    ------
    OptionError
        If there is no such style, or the images lack what it needs.
    """
    PictureOptions(style, look, gamut, methane=methane)
    if style == "natural":
        return natural(scene.values, scene.bands, scene.clipping, gamut=gamut, light=scene.light)
    if style == "enhanced":
        return enhanced(scene.values, scene.bands, scene.clipping, scene.light, look, gamut=gamut)
    assert methane is not None
    if "METHANE" not in methane.bands:
        raise OptionError(f"the style {style} needs a methane image; the one given has {', '.join(methane.bands)}")
    if not set(RGB) <= set(scene.bands):
        raise OptionError(f"the style {style} needs an image with RED, GREEN and BLUE; this has {list(scene.bands)}")
    colour, known, _ = reflectance(scene.values, scene.bands, scene.clipping, scene.light)
    colour = np.where(known[..., None], colour, np.float32(np.nan))
    dark = methane.values[..., methane.bands.index("METHANE")]
    return _PAIRED[style](colour, dark, (scene.light, methane.light), look, gamut=gamut)
