"""Where a layer shows: drawn masks, and masks on what geometry and the picture know of each pixel."""

from typing import Annotated, Final

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, model_validator

from perijove.compose.blocks import by_rows
from perijove.compose.spaces import to_oklab
from perijove.darkroom.canvas import Canvas
from perijove.darkroom.curve import smoothstep, to_linear

Plane = npt.NDArray[np.float32]

#: Part of the width (x) and height (y) of the picture, from its upper left corner.
Place = tuple[Annotated[float, Field(ge=-2, le=3)], Annotated[float, Field(ge=-2, le=3)]]
Percent = Annotated[float, Field(ge=0, le=100)]

#: Subpixel bits of drawn polygons and strokes.
_SHIFT: Final = 4


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Range(_Model):
    """Values between two limits, each fading over ``feather``, centred on the limit."""

    above: float | None = None
    below: float | None = None
    feather: float = Field(0.0, ge=0)

    @model_validator(mode="after")
    def _check(self) -> "Range":
        if self.above is None and self.below is None:
            raise ValueError("a range needs above or below")
        return self

    def weight(self, values: Plane) -> Plane:
        """1 inside, 0 outside and where a value is not known."""
        weight = np.isfinite(values).astype(np.float32)
        known = np.nan_to_num(values)
        if self.above is not None:
            weight *= _step(known - self.above, self.feather)
        if self.below is not None:
            weight *= _step(self.below - known, self.feather)
        return weight


class Arc(_Model):
    """Angles within ``width`` about ``centre``, degrees, around the circle."""

    centre: float
    width: float = Field(gt=0, le=360)
    feather: float = Field(0.0, ge=0)

    def weight(self, angles: Plane) -> Plane:
        """1 inside, 0 outside and where an angle is not known."""
        away = np.abs((np.nan_to_num(angles) - self.centre + 180.0) % 360.0 - 180.0)
        return np.isfinite(angles) * _step((self.width / 2 - away).astype(np.float32), self.feather)


class Polygon(_Model):
    """A closed line, filled."""

    points: tuple[Place, ...] = Field(min_length=3, max_length=10_000)
    feather: Percent = 0.0

    def weight(self, canvas: Canvas) -> Plane:
        """1 inside, 0 outside."""
        import cv2

        drawn = np.zeros(canvas.cover.shape, np.uint8)
        cv2.fillPoly(drawn, [_drawn(self.points, canvas)], 255, cv2.LINE_AA, _SHIFT)
        return _feathered(drawn, canvas.pixels(self.feather))


class Stroke(_Model):
    """A line drawn with a brush."""

    points: tuple[Place, ...] = Field(min_length=1, max_length=10_000)
    width: Percent = 2.0

    def draw(self, drawn: npt.NDArray[np.uint8], canvas: Canvas) -> None:
        """Draw it."""
        import cv2

        # OpenCV's soft edge adds about a pixel.
        width = max(round(canvas.pixels(self.width)) - 1, 1)
        line = _drawn(self.points, canvas)
        # A line of one point is a dot.
        line = np.concatenate([line, line[-1:]])
        cv2.polylines(drawn, [line], False, 255, min(width, 32767), cv2.LINE_AA, _SHIFT)


class Brush(_Model):
    """Strokes of a brush, with a soft edge."""

    strokes: tuple[Stroke, ...] = Field(min_length=1, max_length=10_000)
    feather: Percent = 0.5

    def weight(self, canvas: Canvas) -> Plane:
        """1 under a stroke, 0 elsewhere."""
        drawn = np.zeros(canvas.cover.shape, np.uint8)
        for stroke in self.strokes:
            stroke.draw(drawn, canvas)
        return _feathered(drawn, canvas.pixels(self.feather))


class Ramp(_Model):
    """A gradient: 0 at one place, 1 at another, level across the line between them."""

    start: Place
    end: Place

    @model_validator(mode="after")
    def _check(self) -> "Ramp":
        if self.start == self.end:
            raise ValueError("a gradient needs two different places")
        return self

    def weight(self, shape: tuple[int, int]) -> Plane:
        """0 before the start, 1 beyond the end, smooth between them."""
        height, width = shape
        x, y = (np.arange(width, dtype=np.float32) + 0.5), (np.arange(height, dtype=np.float32) + 0.5)
        size = np.array([width, height])
        start, way = np.array(self.start) * size, (np.array(self.end) - self.start) * size
        along = ((x - start[0]) * way[0])[None, :] + ((y - start[1]) * way[1])[:, None]
        return smoothstep((along / float(way @ way)).astype(np.float32))


class Mask(_Model):
    """Everything that is given has to hold: weights are multiplied.

    Latitude is planetographic, longitude System III west, incidence, emission and phase are in degrees, luminance is
    Oklab's lightness, hue its angle in degrees (red about 30, yellow 110, green 140, blue 265), confidence is the
    weight of the pixel, 0 to 1.
    """

    latitude: Range | None = None
    longitude: Arc | None = None
    incidence: Range | None = None
    emission: Range | None = None
    phase: Range | None = None
    confidence: Range | None = None
    luminance: Range | None = None
    hue: Arc | None = None
    polygon: Polygon | None = None
    brush: Brush | None = None
    gradient: Ramp | None = None
    invert: bool = False

    def weight(self, canvas: Canvas) -> Plane:
        """How much of a layer shows, (height, width), 0 to 1."""
        weight = np.ones(canvas.cover.shape, np.float32)
        for part in self._parts(canvas):
            weight *= part
        return 1 - weight if self.invert else weight

    def _parts(self, canvas: Canvas) -> list[Plane]:
        light = canvas.light
        parts = []
        if self.latitude:
            parts.append(self.latitude.weight(light.latitude_deg))
        if self.incidence:
            parts.append(_of_angle(self.incidence, light.mu0))
        if self.emission:
            parts.append(_of_angle(self.emission, light.mu))
        for name, chosen in (("longitude", self.longitude), ("phase", self.phase), ("confidence", self.confidence)):
            if chosen:
                parts.append(chosen.weight(canvas.plane(name)))
        if self.luminance or self.hue:
            lab = to_oklab(to_linear(canvas.colour))
            if self.luminance:
                parts.append(self.luminance.weight(lab[..., 0]))
            if self.hue:
                parts.append(self.hue.weight(np.degrees(np.arctan2(lab[..., 2], lab[..., 1]))))
        parts += [drawn.weight(canvas) for drawn in (self.polygon, self.brush) if drawn]
        if self.gradient:
            height, width = canvas.cover.shape
            parts.append(self.gradient.weight((height, width)))
        return parts


def _step(over: Plane, feather: float) -> Plane:
    """1 above 0, 0 below, smooth over ``feather`` about it."""
    if feather == 0:
        return np.asarray(over >= 0, np.float32)
    return smoothstep(over / np.float32(feather) + np.float32(0.5))


def _of_angle(chosen: Range, cosine: Plane) -> Plane:
    """Weight of an angle whose cosine is known."""

    def weight(rows: Plane) -> tuple[Plane]:
        return (chosen.weight(np.degrees(np.arccos(np.clip(rows, -1, 1)))),)

    return by_rows(weight, cosine)[0]


def _drawn(points: tuple[Place, ...], canvas: Canvas) -> npt.NDArray[np.int32]:
    """Places as OpenCV draws them, whose pixel centres are whole numbers."""
    height, width = canvas.cover.shape
    at = np.array(points) * (width, height) - 0.5
    return np.round(at * 2**_SHIFT).astype(np.int32)


def _feathered(drawn: npt.NDArray[np.uint8], feather_px: float) -> Plane:
    """A drawing with its edges softened over about so many pixels."""
    import cv2

    weight = np.asarray(drawn.astype(np.float32) * np.float32(1 / 255))
    if feather_px < 0.5:
        return weight
    return np.asarray(cv2.GaussianBlur(weight, (0, 0), feather_px / 2, borderType=cv2.BORDER_REPLICATE))
