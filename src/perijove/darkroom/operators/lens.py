"""Operators of the lens: glow, vignette, blur of depth."""

from typing import Annotated, ClassVar, Final, Literal

import numpy as np
from pydantic import Field, model_validator

from perijove.compose.blocks import by_rows
from perijove.darkroom.canvas import Canvas
from perijove.darkroom.curve import smoothstep
from perijove.darkroom.masks import Ramp
from perijove.darkroom.operators.base import Domain, Operator, Planes
from perijove.darkroom.operators.neighbourhood import Plane, filled, gaussian
from perijove.darkroom.operators.tables import luminance, scaled

#: A coordinate of a place, as a part of the picture's width or height.
Part = Annotated[float, Field(ge=-2, le=3)]
Where = tuple[Part, Part]
#: Blurs of the stack that a blur of depth is mixed from, as parts of the widest.
_BLURS: Final = (0.0, 0.25, 0.5, 1.0)


class Glow(Operator):
    """Bright places shine over their surroundings: 1 - (1 - c) (1 - strength B), in linear light.

    B is the Gaussian mean, of deviation ``radius``, of c times a smooth step of its luminance from half of
    ``threshold`` to ``threshold``; a threshold of 0 takes all light, which is a soft focus. Light falls into the sky as
    in a lens; what is not known neither shines nor darkens. The mean is screened over the picture, so nothing exceeds
    white.
    """

    domain: ClassVar[Domain] = "linear"

    strength: float = Field(0.15, ge=0, le=1)
    radius: float = Field(2.0, gt=0, le=20)
    threshold: float = Field(0.4, ge=0, le=1)

    def _applied(self, colour: Planes, canvas: Canvas) -> Planes:
        if self.strength == 0:
            return colour
        share = canvas.cover
        if self.threshold:
            share = share * smoothstep(luminance(colour) * np.float32(2 / self.threshold) - 1)
        shine = _spread(scaled(colour, np.asarray(share, np.float32)), canvas.cover, canvas.pixels(self.radius))
        shine = scaled(shine, np.asarray(np.float32(self.strength) * canvas.cover, np.float32))
        return colour + shine * np.maximum(1 - colour, 0)


class Vignette(Operator):
    """Darken (or, below 0, brighten) towards the corners: linear light times 2^(-stops s).

    s is a smooth step of the distance from ``centre`` over half the diagonal, from ``start`` to 1.
    """

    domain: ClassVar[Domain] = "linear"

    stops: float = Field(0.0, ge=-4, le=4)
    start: float = Field(0.3, ge=0, le=0.95)
    centre: Where = (0.5, 0.5)

    def _applied(self, colour: Planes, canvas: Canvas) -> Planes:
        if self.stops == 0:
            return colour
        height, width = canvas.cover.shape
        x = np.arange(width, dtype=np.float32) + np.float32(0.5 - self.centre[0] * width)
        y = np.arange(height, dtype=np.float32) + np.float32(0.5 - self.centre[1] * height)
        half = np.float32(np.hypot(width, height) / 2)

        def darkened(colour: Planes, y: Plane) -> tuple[Planes]:
            away = np.sqrt(np.square(y) + np.square(x)) / half
            step = smoothstep((away - np.float32(self.start)) / np.float32(1 - self.start))
            return (scaled(colour, np.exp2(np.float32(-self.stops) * step)),)

        return by_rows(darkened, colour, y[:, None])[0]


class DepthBlur(Operator):
    """Blur that grows with distance from a focus, in linear light. The camera had all of the planet in focus.

    The deviation of the blur is ``radius`` min(|z - focus| / reach, 1) percent of the longer side, with z from 0 to 1:
    the logarithm of the range, from the nearest to the farthest ground (by ``range``, of the plane ``range_km``), the
    emission over 90 degrees (by ``emission``), or the way along a ``line``. The sky takes part as black, as far away as
    the limb beside it, so that a blurred limb is soft; what is not known does not. Blurs of four widths are mixed.
    """

    domain: ClassVar[Domain] = "linear"
    artistic: ClassVar[bool] = True

    radius: float = Field(0.5, ge=0, le=5)
    focus: float = Field(0.0, ge=0, le=1)
    reach: float = Field(1.0, ge=0.05, le=2)
    by: Literal["range", "emission", "line"] = "emission"
    line: Ramp | None = None

    @model_validator(mode="after")
    def _check(self) -> "DepthBlur":
        if (self.by == "line") != (self.line is not None):
            raise ValueError("a line is given with by: line, and only with it")
        return self

    def _applied(self, colour: Planes, canvas: Canvas) -> Planes:
        widest = canvas.pixels(self.radius)
        if widest < 0.2:
            return colour
        off = np.minimum(np.abs(self._depth(canvas) - np.float32(self.focus)) / np.float32(self.reach), 1)
        blurs = [colour if part == 0 else _spread(colour, canvas.cover, part * widest) for part in _BLURS]
        mixed = colour
        for k in range(len(_BLURS) - 1):
            share = np.clip((off - _BLURS[k]) / np.float32(_BLURS[k + 1] - _BLURS[k]), 0, 1)
            mixed = mixed + scaled(blurs[k + 1] - blurs[k], np.asarray(share * canvas.cover, np.float32))
        return np.asarray(mixed, np.float32)

    def _depth(self, canvas: Canvas) -> Plane:
        """0 nearest to 1 farthest, known everywhere."""
        if self.line is not None:
            height, width = canvas.cover.shape
            return self.line.weight((height, width))
        if self.by == "range":
            depth = np.log(canvas.plane("range_km"))
        else:
            depth = np.arccos(np.clip(canvas.light.mu, 0, 1)) * np.float32(2 / np.pi)
        # The sky has a distance of its own in some planes; it is to have the limb's.
        known = np.isfinite(depth) & canvas.light.on_ground
        if not known.any():
            return np.zeros_like(canvas.cover)
        if self.by == "range":
            low, high = float(depth[known].min()), float(depth[known].max())
            depth = (depth - np.float32(low)) / np.float32(max(high - low, 1e-6))
        return filled(np.where(known, depth, np.float32(0)).astype(np.float32), known.astype(np.float32))


def _spread(colour: Planes, cover: Plane, sigma_px: float) -> Planes:
    """Gaussian mean of three channels over what is known."""
    if cover.min() >= 1:
        return gaussian(colour, sigma_px)
    known = np.maximum(gaussian(cover, sigma_px), np.float32(1e-3))
    return scaled(gaussian(scaled(colour, cover), sigma_px), np.asarray(1 / known, np.float32))
