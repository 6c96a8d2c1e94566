"""Layers: where their colours come from, what is done to them, and how they lie upon each other."""

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Annotated, Any, Final, Literal, TypeVar

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, field_serializer, field_validator, model_validator

from perijove.compose.blocks import by_rows
from perijove.compose.options import Style as Look
from perijove.darkroom.blend import MODES, composite
from perijove.darkroom.canvas import Canvas
from perijove.darkroom.curve import to_display, to_linear
from perijove.darkroom.masks import Mask, Ramp
from perijove.darkroom.operators import OPERATORS
from perijove.darkroom.operators.base import Domain, Operator
from perijove.errors import OptionError

Planes = npt.NDArray[np.float32]
Plane = npt.NDArray[np.float32]
Sheet = tuple[Planes, Plane]
#: What is remembered: some planes.
Kept = TypeVar("Kept", bound=tuple[Planes, ...])

Channel = Annotated[float, Field(ge=0, le=1)]
Colour = tuple[Channel, Channel, Channel]
#: Name of the image that a recipe is applied to.
MAIN: Final = "main"


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class PictureSource(_Model):
    """A picture of an image, in a style; images beside the main one are laid upon it through geometry."""

    image: Annotated[str, Field(max_length=60)] = MAIN
    style: Literal["natural", "enhanced", "methane-red", "methane-luminance"] = "natural"
    look: Mapping[str, float] = Field(default_factory=dict)

    @field_validator("look")
    @classmethod
    def _check(cls, look: Mapping[str, float]) -> Mapping[str, float]:
        try:
            Look(**look)
        except (TypeError, OptionError) as error:
            raise ValueError(f"no such look: {error}") from error
        return look


class GradientSource(_Model):
    """From one colour to another."""

    ramp: Ramp
    first: Colour
    last: Colour


class Layer(_Model):
    """One layer.

    It shows a picture, a colour, a gradient or a group of layers; with none of them it is an adjustment, which works on
    all that lies below it.
    """

    name: str = Field("", max_length=200)
    picture: PictureSource | None = None
    colour: Colour | None = None
    gradient: GradientSource | None = None
    layers: tuple["Layer", ...] = Field((), max_length=100)
    operators: tuple[Operator, ...] = Field((), max_length=100)
    blend: str = "normal"
    opacity: Annotated[float, Field(ge=0, le=1)] = 1.0
    mask: Mask | None = None
    visible: bool = True

    @field_validator("blend")
    @classmethod
    def _known_mode(cls, blend: str) -> str:
        if blend not in MODES:
            raise ValueError(f"no blend mode; choose from {', '.join(MODES)}")
        return blend

    @field_validator("operators", mode="before")
    @classmethod
    def _read(cls, steps: Any) -> Any:
        if not isinstance(steps, (list, tuple)):
            # Pydantic makes an error of the document of it, not one of ours.
            raise ValueError("operators are a list, such as [{exposure: {stops: 0.5}}]")  # noqa: TRY004
        return tuple(step if isinstance(step, Operator) else _operator(step) for step in steps)

    @field_serializer("operators")
    def _written(self, steps: tuple[Operator, ...]) -> list[dict[str, Any]]:
        return [{name_of(step): step.model_dump(mode="json", exclude_defaults=True)} for step in steps]

    @model_validator(mode="after")
    def _one_source(self) -> "Layer":
        given = [name for name in ("picture", "colour", "gradient", "layers") if getattr(self, name)]
        if len(given) > 1:
            raise ValueError(f"a layer shows one thing, not {' and '.join(given)}")
        return self


def _operator(step: Any) -> Operator:
    if isinstance(step, str):
        step = {step: {}}
    if not (isinstance(step, Mapping) and len(step) == 1):
        raise ValueError("an operator is its name with its parameters, such as exposure: {stops: 0.5}")
    ((name, given),) = step.items()
    if name not in OPERATORS:
        raise ValueError(f"no operator {name!r}; choose from {', '.join(OPERATORS)}")
    return OPERATORS[name].model_validate(given or {})


def name_of(step: Operator) -> str:
    """What recipes call an operator."""
    return next(name for name, kind in OPERATORS.items() if kind is type(step))


@dataclass
class Memory:
    """Results that are kept while a picture is worked on, the oldest forgotten first.

    Attributes
    ----------
    most_bytes : int
    """

    most_bytes: int = 1 << 30
    _kept: "OrderedDict[str, Any]" = field(default_factory=OrderedDict)

    def get(self, key: str, make: Callable[[], Kept]) -> Kept:
        """What is kept under a key, or what ``make`` gives."""
        if key in self._kept:
            self._kept.move_to_end(key)
            kept: Kept = self._kept[key]
            return kept
        made = make()
        for plane in made:
            plane.flags.writeable = False
        self._kept[key] = made
        while len(self._kept) > 1 and sum(p.nbytes for sheet in self._kept.values() for p in sheet) > self.most_bytes:
            self._kept.popitem(last=False)
        return made


@dataclass(frozen=True)
class Easel:
    """Turns layers into a picture.

    Attributes
    ----------
    pictures : callable
        Gives the canvas of a source; asked again for the same one it gives the same.
    memory : Memory, optional
        With one, a change costs only what comes after it.
    """

    pictures: Callable[[PictureSource], Canvas]
    memory: Memory | None = None

    def develop(self, layers: Sequence[Layer]) -> Sheet:
        """All layers, the first one lowest.

        Returns
        -------
        colour : ndarray, (height, width, 3), float32
            Display-referred, 0 to 1.
        cover : ndarray, (height, width), float32
        """
        colour, cover, _ = self._stacked(layers, "")
        return np.clip(colour, 0.0, 1.0, out=colour if colour.flags.writeable else None), cover

    def _stacked(self, layers: Sequence[Layer], where: str) -> tuple[Planes, Plane, str]:
        base = self.pictures(PictureSource())
        nothing = np.broadcast_to(np.float32(0), base.colour.shape)
        below: Sheet = (nothing, nothing[..., 0])
        key = where
        for layer in layers:
            if not layer.visible or layer.opacity == 0:
                continue
            over = f"{key}|{layer.model_dump_json()}"
            below = self._kept(over, partial(self._laid, layer, below, key))
            key = over
        return (*below, key)

    def _laid(self, layer: Layer, below: Sheet, key: str) -> Sheet:
        canvas, where = self._source(layer, below, key)
        work = self._worked(layer.operators, canvas, where)
        cover = canvas.cover
        if layer.mask:
            cover = cover * self._mask(layer.mask, canvas, where)
        if _is_adjustment(layer):
            # What lies below is replaced where the mask shows it, and covers as it did.
            whole = np.broadcast_to(np.float32(1), cover.shape)
            share = cover if layer.mask else whole
            over = (work.colour, share)
            return composite((below[0], whole), over, layer.blend, layer.opacity, work.shown)[0], below[1]
        return composite(
            below, (work.colour, cover), layer.blend, layer.opacity, lambda rows: np.clip(work.shown(rows), 0, 1)
        )

    def _source(self, layer: Layer, below: Sheet, key: str) -> tuple[Canvas, str]:
        """What a layer works on, and the key of it."""
        if layer.picture:
            return self.pictures(layer.picture), layer.picture.model_dump_json()
        base = self.pictures(PictureSource())
        if _is_adjustment(layer):
            return replace(base, colour=below[0], cover=below[1]), key
        if layer.layers:
            colour, cover, where = self._stacked(layer.layers, f"{key}(")
            return replace(base, colour=np.clip(colour, 0, 1), cover=cover), where
        height, width = base.cover.shape
        if layer.colour:
            colour = np.broadcast_to(np.array(layer.colour, np.float32), (height, width, 3))
        else:
            assert layer.gradient is not None
            share = layer.gradient.ramp.weight((height, width))[..., None]
            first, last = (np.array(c, np.float32) for c in (layer.gradient.first, layer.gradient.last))
            colour = first + share * (last - first)
        return replace(base, colour=colour, cover=np.ones_like(base.cover)), layer.model_dump_json(
            include={"colour", "gradient"}
        )

    def _mask(self, mask: Mask, canvas: Canvas, where: str) -> Plane:
        """Weight of a mask; that which the colours do not tell is the same for every source."""
        own = where if mask.luminance or mask.hue else ""
        (weight,) = self._kept(f"{own}#{mask.model_dump_json()}", lambda: (mask.weight(canvas),))
        return weight

    def _worked(self, steps: Sequence[Operator], canvas: Canvas, key: str) -> "_Work":
        """A source after its operators.

        Steps of pixels alone are put off until one needs the whole picture, or the layer is laid on the others, and
        are then done a few rows at a time, one after the other.
        """
        work = _Work(canvas.colour)
        for step in steps:
            key = f"{key}>{name_of(step)}{step.model_dump_json()}"
            work = work.then(step, canvas)
            if not step.by_pixel:
                (colour,) = self._kept(key, partial(work.done, canvas))
                work = _Work(colour, step.domain)
        return work

    def _kept(self, key: str, make: Callable[[], Kept]) -> Kept:
        return make() if self.memory is None else self.memory.get(key, make)


@dataclass(frozen=True)
class _Work:
    """Colours, and the steps that are still to be done to them.

    Attributes
    ----------
    colour : ndarray, (height, width, 3), float32
    domain : {"linear", "display"}
        Of the colours.
    steps : tuple of Operator
    canvas : Canvas, optional
        What the steps are given.
    """

    colour: Planes
    domain: Domain = "display"
    steps: tuple[Operator, ...] = ()
    canvas: Canvas | None = None

    def then(self, step: Operator, canvas: Canvas) -> "_Work":
        """With one step more."""
        return replace(self, steps=(*self.steps, step), canvas=canvas)

    def done(self, canvas: Canvas) -> tuple[Planes]:
        """Colours after all steps, of which the last one needs the whole picture."""
        *before, last = self.steps
        colour = self.colour
        if before or self.domain != last.domain:
            prepared = replace(self, steps=tuple(before))
            colour = by_rows(lambda rows: (prepared.after(rows, last.domain),), colour)[0]
        return (last.apply(colour, canvas),)

    def shown(self, rows: Planes) -> Planes:
        """Rows of the colours after all steps, each of pixels alone, as they are shown."""
        return self.after(rows, "display")

    def after(self, rows: Planes, wanted: Domain) -> Planes:
        """Rows of the colours after all steps, in a domain; light and curve change only where two steps differ."""
        domain = self.domain
        for step in self.steps:
            assert self.canvas is not None
            rows = step.apply(_in_domain(rows, domain, step.domain), self.canvas)
            domain = step.domain
        return _in_domain(rows, domain, wanted)


def _is_adjustment(layer: Layer) -> bool:
    return not (layer.picture or layer.colour or layer.gradient or layer.layers)


def _in_domain(colour: Planes, domain: Domain, wanted: Domain) -> Planes:
    if domain == wanted:
        return colour
    return to_linear(colour) if wanted == "linear" else to_display(colour)
