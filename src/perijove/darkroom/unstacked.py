"""The layers of a recipe as other programs know them: each with its own pixels, mode and opacity."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import numpy as np
import numpy.typing as npt

from perijove.darkroom.blend import blended, composite
from perijove.darkroom.layers import Easel, Layer, PictureSource, name_of

Planes = npt.NDArray[np.float32]
Plane = npt.NDArray[np.float32]
Codes = npt.NDArray[np.uint16] | npt.NDArray[np.uint8]
Drawn = tuple[Planes, Plane]

#: How far layers may give other colours than the picture before one is laid over them that sets it right, of 1.
_TOLERANCE: Final = 1.25 / 255
#: Operators that a name tells before it breaks off.
_TOLD_STEPS: Final = 3


@dataclass(frozen=True)
class Sheet:
    """One layer on its way to another program.

    Attributes
    ----------
    name : str
    blend : str
        One of `perijove.darkroom.blend.MODES`.
    opacity : float
    pixels : ndarray, (height, width, 4), uint8 or uint16
        Colours, not multiplied by the last channel, which tells how far they cover; empty for a group.
    inside : tuple of Sheet
        Layers of a group, the lowest first, which are mixed with each other before they are laid on what is below.
    baked : str
        What the program has nothing like, so that its pixels hold what came of it; empty for other layers.
    """

    name: str
    blend: str
    opacity: float
    pixels: Codes
    inside: tuple["Sheet", ...] = ()
    baked: str = ""

    @property
    def is_group(self) -> bool:
        """Whether it has layers in place of pixels."""
        return self.pixels.size == 0

    def walk(self) -> Iterator["Sheet"]:
        """Itself and everything inside."""
        yield self
        for sheet in self.inside:
            yield from sheet.walk()


def unstacked(easel: Easel, layers: Sequence[Layer], picture: Codes, modes: Collection[str]) -> tuple[Sheet, ...]:
    """Layers as another program has them.

    Parameters
    ----------
    easel : Easel
        One that remembers saves work.
    layers : sequence of Layer
        Of a recipe, the first one lowest. Hidden ones are left out.
    picture : ndarray, (height, width, 3), uint8 or uint16
        What they give; its type is that of the sheets.
    modes : collection of str
        Blend modes that the program knows.

    Returns
    -------
    tuple of Sheet
        The lowest first. Operators are applied, masks are part of the cover. What the program does not know is baked:
        adjustments, other modes, groups with operators or masks. Laid upon each other over black they give the
        picture; should they not, by more than about a level of 8 bits, a last sheet sets it right.
    """
    sheets = _sheets(easel, layers, picture.dtype, modes)
    colour, cover = merged(sheets, picture.shape[:2])
    most = np.float32(np.iinfo(picture.dtype).max)
    wanted = np.asarray(picture.astype(np.float32) / most, np.float32)
    off = np.asarray((np.abs(colour * cover[..., None] - wanted) > _TOLERANCE).any(axis=-1))
    if not off.any():
        return sheets
    part = f"{100 * float(off.mean()):.2g} % of the picture"
    rest = _coded((wanted, off.astype(np.float32)), picture.dtype)
    return (*sheets, Sheet(f"what remains (baked: {part})", "normal", 1.0, rest, baked=part))


def merged(sheets: Sequence[Sheet], shape: tuple[int, ...]) -> Drawn:
    """Sheets upon each other.

    Returns
    -------
    tuple of ndarray
        Colours, (height, width, 3), and cover, (height, width), 0 to 1.
    """
    below: Drawn = (np.zeros((*shape, 3), np.float32), np.zeros(shape, np.float32))
    for sheet in sheets:
        if sheet.is_group:
            above = merged(sheet.inside, shape)
        else:
            pixels = sheet.pixels.astype(np.float32) / np.float32(np.iinfo(sheet.pixels.dtype).max)
            above = (pixels[..., :3], pixels[..., 3])
        below = composite(below, above, sheet.blend, sheet.opacity)
    return below


def _sheets(easel: Easel, layers: Sequence[Layer], kind: npt.DTypeLike, modes: Collection[str]) -> tuple[Sheet, ...]:
    shown = [layer for layer in layers if layer.visible and layer.opacity > 0]
    return tuple(_sheet(easel, shown[:k], layer, kind, modes) for k, layer in enumerate(shown))


def _sheet(easel: Easel, below: list[Layer], layer: Layer, kind: npt.DTypeLike, modes: Collection[str]) -> Sheet:
    name = layer.name or _described(layer)
    draw: Callable[[], Drawn] = partial(_alone, easel, layer)
    blend, baked = layer.blend, ""
    if _is_adjustment(layer):
        draw, blend = partial(_adjusted, easel, below, layer), "normal"
        baked = "adjustment"
    elif layer.layers and not (layer.operators or layer.mask) and layer.blend in modes:
        inside = _sheets(easel, layer.layers, kind, modes)
        return Sheet(name, layer.blend, layer.opacity, np.empty((0, 0, 4), np.uint8), inside)
    elif layer.blend not in modes:
        draw, blend = partial(_mixed, easel, below, layer), "normal"
        baked = layer.blend
    elif layer.layers:
        baked = "group"
    shown_name = f"{name} (baked: {baked})" if baked else name
    return Sheet(shown_name, blend, layer.opacity, _coded(draw(), kind), baked=baked)


def _alone(easel: Easel, layer: Layer) -> Drawn:
    """A layer after its operators, and where it shows."""
    return easel.develop([layer.model_copy(update={"blend": "normal", "opacity": 1.0})])


def _mixed(easel: Easel, below: list[Layer], layer: Layer) -> Drawn:
    """A layer whose colours are mixed with those below it already."""
    (under, under_cover), (over, cover) = easel.develop(below), _alone(easel, layer)
    return over + under_cover[..., None] * (blended(layer.blend, under, over) - over), cover


def _adjusted(easel: Easel, below: list[Layer], layer: Layer) -> Drawn:
    """What lies below an adjustment, as it is after it, where it works."""
    under, under_cover = easel.develop(below)
    after, _ = easel.develop([*below, layer.model_copy(update={"mask": None, "opacity": 1.0})])
    cover = np.asarray(under_cover > 0, np.float32)
    if layer.mask:
        cover = under_cover * layer.mask.weight(
            replace(easel.pictures(PictureSource()), colour=under, cover=under_cover)
        )
    # An adjustment covers no more than what lies below it: over black, thinner colours are darker ones.
    return np.asarray(after * under_cover[..., None]), cover


def _coded(drawn: Drawn, kind: npt.DTypeLike) -> Codes:
    """Colours and cover as codes; colours that nobody sees are 0, which packs well."""
    colour, cover = drawn
    most = np.float32(np.iinfo(kind).max)
    shown = np.where(cover[..., None] > 0, np.clip(colour, 0, 1), np.float32(0))
    joined = np.concatenate([shown, cover[..., None]], axis=-1)
    return (joined * most + np.float32(0.5)).astype(kind)


def _is_adjustment(layer: Layer) -> bool:
    return not (layer.picture or layer.colour or layer.gradient or layer.layers)


def _described(layer: Layer) -> str:
    """A name for a layer without one."""
    steps = [name_of(step) for step in layer.operators]
    told = ", ".join(steps[:_TOLD_STEPS]) + (" and more" if len(steps) > _TOLD_STEPS else "")
    source = ""
    if layer.picture:
        source = (
            layer.picture.style if layer.picture.image == "main" else f"{layer.picture.image}, {layer.picture.style}"
        )
    elif layer.colour or layer.gradient:
        source = "colour" if layer.colour else "gradient"
    elif layer.layers:
        source = "group"
    return ": ".join(part for part in (source, told) if part) or "adjustment"
