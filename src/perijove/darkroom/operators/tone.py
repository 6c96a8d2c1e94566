"""Operators of brightness: exposure, levels, curves, contrast, gamma, shadows and highlights, tone mapping."""

from itertools import pairwise
from typing import Annotated, ClassVar, Final, Literal

import numpy as np
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from perijove.darkroom.canvas import Canvas
from perijove.darkroom.curve import looked_up, smoothstep
from perijove.darkroom.operators.base import Domain, Operator, Planes
from perijove.darkroom.operators.tables import INTERVALS, Plane, base_of, contained, luminance, power, scaled, table_of

#: Points of a curve are no nearer to each other than this.
_NEAREST: Final = 1 / 1024
#: Deviations of luma that count as edges of the base.
_EDGE: Final = 0.08
#: Most stops, of values on the curve, by which shadows are lifted. Up to 1.6 no shadow gets brighter than what was
#: brighter than it.
_LIFT: Final = 1.2
#: Hable's curve: shoulder strength, linear strength and angle, toe strength, numerator and denominator.
_FILMIC: Final = (0.15, 0.50, 0.10, 0.20, 0.02, 0.30)

Unit = Annotated[float, Field(ge=0, le=1)]


class Exposure(Operator):
    """Brighten or darken: linear light times 2^stops."""

    domain: ClassVar[Domain] = "linear"
    pixelwise: ClassVar[bool] = True

    stops: float = Field(0.0, ge=-8, le=8)

    def _applied(self, colour: Planes, _: Canvas) -> Planes:
        return colour * np.float32(2.0**self.stops)


class ChannelLevels(BaseModel):
    """Levels of a channel: from ``black`` to ``white``, with the middle brighter where gamma is above 1."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    black: float = Field(0.0, ge=-0.5, le=0.99)
    white: float = Field(1.0, ge=0.01, le=4)
    gamma: float = Field(1.0, ge=0.1, le=10)

    @model_validator(mode="after")
    def _check(self) -> "ChannelLevels":
        if self.white - self.black < 0.01:
            raise ValueError("white must be above black by 0.01 at least")
        return self

    def scaled(self, values: Plane) -> Plane:
        """((x - black) / (white - black))^(1 / gamma); what is blacker than black is 0."""
        if (self.black, self.white, self.gamma) == (0.0, 1.0, 1.0):
            return values
        scaled = np.maximum((values - np.float32(self.black)) * np.float32(1 / (self.white - self.black)), 0)
        return scaled if self.gamma == 1 else power(scaled, 1 / self.gamma)


class Levels(ChannelLevels, Operator):
    """Spread values: y = ((x - black) / (white - black))^(1 / gamma), first by channel, then for all."""

    pixelwise: ClassVar[bool] = True

    red: ChannelLevels = ChannelLevels()
    green: ChannelLevels = ChannelLevels()
    blue: ChannelLevels = ChannelLevels()

    def _applied(self, colour: Planes, _: Canvas) -> Planes:
        channels = (self.red, self.green, self.blue)
        if any(channel != ChannelLevels() for channel in channels):
            colour = np.stack([c.scaled(colour[..., k]) for k, c in enumerate(channels)], axis=-1)
        return self.scaled(colour)


def _rising(points: tuple[tuple[float, float], ...]) -> tuple[tuple[float, float], ...]:
    if any(after[0] - before[0] < _NEAREST for before, after in pairwise(points)):
        raise ValueError("points of a curve go from left to right, at least 1/1024 apart")
    return points


Points = Annotated[tuple[tuple[Unit, Unit], ...], Field(min_length=2, max_length=16), AfterValidator(_rising)]
_STRAIGHT: Final = ((0.0, 0.0), (1.0, 1.0))


class Curves(Operator):
    """Tone curves: the monotone cubic (PCHIP, Fritsch & Butland 1984) through given points, level beyond them.

    First ``red``, ``green`` and ``blue``, then ``rgb`` on each channel, then ``luminance`` on the luma, where colours
    are multiplied so that their hue and saturation stay: colour (c(y) - c(0)) / y + c(0).
    """

    pixelwise: ClassVar[bool] = True

    rgb: Points = _STRAIGHT
    red: Points = _STRAIGHT
    green: Points = _STRAIGHT
    blue: Points = _STRAIGHT
    luminance: Points = _STRAIGHT

    def _applied(self, colour: Planes, _: Canvas) -> Planes:
        channels = (self.red, self.green, self.blue)
        if any(points != _STRAIGHT for points in channels):
            colour = np.stack([_curved(colour[..., k], points) for k, points in enumerate(channels)], axis=-1)
        colour = _curved(colour, self.rgb)
        if self.luminance != _STRAIGHT:
            colour = _by_luma(colour, table_of(*zip(*self.luminance, strict=True)))
        return colour


def _curved(values: Planes, points: tuple[tuple[float, float], ...]) -> Planes:
    return values if points == _STRAIGHT else looked_up(table_of(*zip(*points, strict=True)), values)


def _by_luma(colour: Planes, table: Plane) -> Planes:
    """Luma through a table; colours follow with hue and saturation as they are."""
    luma = luminance(colour)
    at = np.arange(INTERVALS + 1) / INTERVALS
    gain = (table[1:] - table[0]) / at[1:]
    gain = np.append(gain[:1], gain).astype(np.float32)
    factor = looked_up(gain, np.clip(luma, 0, 1))
    curved = scaled(colour, factor)
    if table[0]:
        curved += table[0]
    return contained(curved, colour)


class Contrast(Operator):
    """Contrast about a pivot, ends kept: p (x/p)^c below the pivot p, 1 - (1-p) ((1-x)/(1-p))^c above it; c = 2^amount.

    ``channels`` works on red, green and blue by themselves, which strengthens colours as well; otherwise on the luma.
    """

    pixelwise: ClassVar[bool] = True

    amount: float = Field(0.0, ge=-2, le=2)
    pivot: float = Field(0.5, ge=0.05, le=0.95)
    channels: bool = False

    def _applied(self, colour: Planes, _: Canvas) -> Planes:
        if self.amount == 0:
            return colour
        at, c, p = np.linspace(0.0, 1.0, INTERVALS + 1), 2.0**self.amount, self.pivot
        below = p * (np.minimum(at, p) / p) ** c
        above = 1 - (1 - p) * ((1 - np.maximum(at, p)) / (1 - p)) ** c
        table = np.where(at < p, below, above).astype(np.float32)
        return looked_up(table, colour) if self.channels else _by_luma(colour, table)


class Gamma(Operator):
    """Brighten or darken the middle: p (x / p)^(1 / gamma); white stays with the pivot p at 1."""

    pixelwise: ClassVar[bool] = True

    gamma: float = Field(1.0, ge=0.1, le=10)
    pivot: float = Field(1.0, ge=0.05, le=1)

    def _applied(self, colour: Planes, _: Canvas) -> Planes:
        if self.gamma == 1:
            return colour
        return power(colour, 1 / self.gamma) * np.float32(self.pivot ** (1 - 1 / self.gamma))


class ShadowsHighlights(Operator):
    """Lift shadows and hold highlights without flattening what is in them: colour g(b) with b the luma's base.

    g = 2^(1.2 shadows (1 - s(b / w)) + w highlights s((b - 1 + w) / w)), s the smoothstep, w ``shadows_width`` and
    ``highlights_width``. The base is a guided filter (He & Sun 2015) of radius ``radius``, percent of the longer side.
    """

    shadows: float = Field(0.0, ge=-1, le=1)
    highlights: float = Field(0.0, ge=-1, le=1)
    radius: float = Field(2.0, ge=0.2, le=20)
    # With wider ones the two could turn the order of tones round.
    shadows_width: float = Field(0.5, ge=0.2, le=0.6)
    highlights_width: float = Field(0.5, ge=0.2, le=0.6)

    def _applied(self, colour: Planes, canvas: Canvas) -> Planes:
        if self.shadows == 0 and self.highlights == 0:
            return colour
        base = base_of(luminance(colour), canvas.cover, canvas.pixels(self.radius), _EDGE)
        gain = looked_up(self._gain(), np.clip(base, 0, 1))
        return contained(scaled(colour, gain), colour)

    def _gain(self) -> Plane:
        at = np.linspace(0.0, 1.0, INTERVALS + 1, dtype=np.float32)
        dark, bright = np.float32(self.shadows_width), np.float32(self.highlights_width)
        stops = _LIFT * self.shadows * (1 - smoothstep(at / dark))
        stops += bright * self.highlights * smoothstep((at - 1 + bright) / bright)
        return np.asarray(np.exp2(stops), np.float32)


class ToneMapping(Operator):
    """Bring light above 1 into what can be shown: luminance L times 2^stops, through a curve that takes ``white`` to 1.

    ``reinhard``: L (1 + L / white^2) / (1 + L) (Reinhard et al. 2002, ACM TOG 21:267, equation 4), which does nothing
    with white at 1; ``filmic``: f(2 L) / f(2 white), f the curve of Hable 2010 ("Filmic tonemapping operators").
    With ``local`` above 0 the curve is taken at the base of the lightness (guided filter of ``radius``, percent of the
    longer side), and clouds keep their contrast.
    """

    domain: ClassVar[Domain] = "linear"

    curve: Literal["reinhard", "filmic"] = "reinhard"
    stops: float = Field(0.0, ge=-8, le=8)
    white: float = Field(1.0, ge=1, le=100)
    local: Unit = 0.0
    radius: float = Field(3.0, ge=0.2, le=20)

    @property
    def by_pixel(self) -> bool:
        """Whether the curve is taken at each pixel's own light."""
        return self.local == 0

    def _applied(self, colour: Planes, canvas: Canvas) -> Planes:
        if self.stops:
            colour = colour * np.float32(2.0**self.stops)
        if self.curve == "reinhard" and self.white == 1:
            return colour
        light = np.maximum(luminance(colour), 0)
        at = light
        if self.local > 0:
            # Equal ratios of light look about equal in its cube root.
            base = np.maximum(base_of(np.cbrt(light), canvas.cover, canvas.pixels(self.radius), _EDGE), 0) ** 3
            at = light + np.float32(self.local) * (base - light)
        return contained(scaled(colour, self._gain(at)), np.broadcast_to(np.float32(0), colour.shape))

    def _gain(self, light: Plane) -> Plane:
        """The curve over its argument."""
        white = np.float32(self.white)
        if self.curve == "reinhard":
            return np.asarray((1 + light / white**2) / (1 + light), np.float32)
        return 2 * _filmic_slope(2 * light) / (2 * white * _filmic_slope(2 * white))


def _filmic_slope(x: Plane | np.float32) -> Plane:
    """Hable's curve over its argument: without the division, which fails at 0."""
    a, b, c, d, e, f = _FILMIC
    return np.asarray(((f - e) * a * x + b * (f * c - e)) / (f * (x * (a * x + b) + d * f)), np.float32)
