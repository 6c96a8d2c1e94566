"""Operators of colour: white balance, colour matrix, saturation, single hues, fringes, even light, black sky."""

from typing import Annotated, ClassVar, Final

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, model_validator

from perijove.compose.blocks import by_rows
from perijove.compose.illumination import Illumination, LightLaw, fit_light
from perijove.compose.smooth import box_mean, continued
from perijove.compose.spaces import apply_matrix, from_oklab, to_oklab
from perijove.darkroom.canvas import Canvas
from perijove.darkroom.curve import smoothstep, to_linear
from perijove.darkroom.operators.base import Domain, Operator, Planes
from perijove.darkroom.operators.tables import LUMINANCE, Plane, contained, luminance, scaled

Mask = npt.NDArray[np.bool_]
Unit = Annotated[float, Field(ge=0, le=1)]
Entry = Annotated[float, Field(ge=-8, le=8)]
Row = tuple[Entry, Entry, Entry]
Part = Annotated[float, Field(ge=0.02, le=1)]

#: Chroma in Oklab at which vibrance has fallen to 1/e; Jupiter's strongest natural colours have about half of it.
_VIVID: Final = np.float32(0.12)
#: Chroma below which a hue means little, and from which on it is certain.
_GREYISH: Final = np.float32(0.03)
#: Hues of purple and green fringes in Oklab, degrees, and how far from them others are spared.
#: Jupiter's own yellow, about 105, is no fringe.
_PURPLE, _GREEN = (310.0, 60.0), (150.0, 40.0)
#: Sunlight (cosine of incidence) at which evened ground sinks into night.
_DUSK: Final = 0.05
#: Cosine of incidence from which on ground counts as lit.
_LIT: Final = 0.1
#: Side of the picture that the law of the light is fitted on, and the level from which on it may be clipped.
_FIT_SIDE, _FIT_HIGHEST = 192, 0.97
#: Side of the cells on which what lies beyond the limb is continued.
_FILL_SIDE: Final = 400
#: Side of the picture on which distances from the ground are taken.
_AWAY_SIDE: Final = 1400
#: Rows (emission) and columns (incidence) of the table of the light, and the cosines of incidence and emission that it
#: begins with: deeper in the night all is black, and the law knows no smaller cosine of emission.
_TABLE_CELLS = (96, 512)
_TABLE_FROM = (-0.2, 0.1)
_TINY: Final = np.float32(1e-6)


class WhiteBalance(Operator):
    """Gains in linear light at the luminance of white: 2^(temperature/2), 2^-tint, 2^(-temperature/2).

    ``temperature`` above 0 is warmer, ``tint`` above 0 more magenta, both in stops. ``neutral`` is a colour on the
    screen's curve that is to become grey, of its own luminance.
    """

    domain: ClassVar[Domain] = "linear"
    pixelwise: ClassVar[bool] = True

    temperature: float = Field(0.0, ge=-2, le=2)
    tint: float = Field(0.0, ge=-2, le=2)
    neutral: tuple[Part, Part, Part] | None = None

    def _applied(self, colour: Planes, _: Canvas) -> Planes:
        warm = self.temperature / 2
        gains = np.exp2(np.array([warm, -self.tint, -warm]))
        gains /= LUMINANCE[0] @ gains
        if self.neutral is not None:
            cast = to_linear(np.array(self.neutral, np.float32))
            gains *= (LUMINANCE[0] @ cast) / cast
        return apply_matrix(np.diag(gains), colour)


class ColourMatrix(Operator):
    """Linear red, green and blue, each a sum of all three: rows of a 3 x 3 matrix.

    With ``keep_grey`` rows are divided by their sums, so that grey stays grey.
    """

    domain: ClassVar[Domain] = "linear"
    pixelwise: ClassVar[bool] = True

    rows: tuple[Row, Row, Row] = ((1, 0, 0), (0, 1, 0), (0, 0, 1))
    keep_grey: bool = False

    @model_validator(mode="after")
    def _check(self) -> "ColourMatrix":
        if self.keep_grey and any(abs(sum(row)) < 0.05 for row in self.rows):
            raise ValueError("a row that sums to nothing cannot keep grey")
        return self

    def _applied(self, colour: Planes, _: Canvas) -> Planes:
        rows = np.array(self.rows, np.float64)
        return apply_matrix(rows / rows.sum(axis=1, keepdims=True) if self.keep_grey else rows, colour)


class Saturation(Operator):
    """Oklab's chroma C times ``saturation`` (1 + ``vibrance`` exp(-C / 0.12)): vibrance spares what is vivid.

    Lightness and hue stay; what leaves the screen's colours is brought back at its luminance.
    """

    domain: ClassVar[Domain] = "linear"
    pixelwise: ClassVar[bool] = True

    saturation: float = Field(1.0, ge=0, le=4)
    vibrance: float = Field(0.0, ge=-1, le=2)

    def _applied(self, colour: Planes, _: Canvas) -> Planes:
        if self.saturation == 1 and self.vibrance == 0:
            return colour
        lab = to_oklab(colour)
        factor: Plane | np.float32 = np.float32(self.saturation)
        if self.vibrance:
            factor = factor * (1 + np.float32(self.vibrance) * np.exp(-_chroma(lab) / _VIVID))
        for k in (1, 2):
            lab[..., k] *= factor
        return contained(from_oklab(lab), colour)


class HueBand(BaseModel):
    """What happens to the hues about a centre; degrees in Oklab, where red is 29, yellow 110, green 142, blue 264."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    centre: float = Field(ge=-360, le=360)
    width: float = Field(60.0, ge=10, le=360)
    shift: float = Field(0.0, ge=-180, le=180)
    saturation: float = Field(1.0, ge=0, le=4)
    lightness: float = Field(0.0, ge=-0.5, le=0.5)

    def weight(self, hue_deg: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """1 at the centre, 0 from half the width on: a raised cosine."""
        away = np.abs((hue_deg - self.centre + 180) % 360 - 180)
        return np.asarray(0.5 + 0.5 * np.cos(np.pi * np.minimum(away / (self.width / 2), 1)))


class HueSelective(Operator):
    """Turn, strengthen or brighten single hues: hue + w shift, chroma times 1 + w (saturation - 1), w weight of a band.

    Lightness and chroma are multiplied by 1 + w lightness, w falling to 0 for greys, which have no hue.
    """

    domain: ClassVar[Domain] = "linear"
    pixelwise: ClassVar[bool] = True

    bands: tuple[HueBand, ...] = Field((), max_length=16)

    def _applied(self, colour: Planes, _: Canvas) -> Planes:
        import cv2

        hues = np.arange(0.0, 361.0)
        shift, factor, light = np.zeros(361), np.ones(361), np.zeros(361)
        for band in self.bands:
            weight = band.weight(hues)
            shift += weight * band.shift
            factor *= 1 + weight * (band.saturation - 1)
            light += weight * band.lightness
        if not (shift.any() or light.any() or (factor != 1).any()):
            return colour
        lab = to_oklab(colour)
        a, b = (np.ascontiguousarray(lab[..., k]) for k in (1, 2))
        hue = np.asarray(cv2.phase(a, b, angleInDegrees=True), np.float32)
        cosine, sine = (_by_hue(factor * turn(np.radians(shift)), hue) for turn in (np.cos, np.sin))
        lab[..., 1], lab[..., 2] = cosine * a - sine * b, sine * a + cosine * b
        if light.any():
            sure = smoothstep(np.asarray(np.hypot(a, b) / _GREYISH, np.float32))
            lab *= np.maximum(1 + sure * np.asarray(_by_hue(light, hue), np.float32), 0)[..., None]
        return contained(from_oklab(lab), colour)


def _by_hue(table: npt.NDArray[np.float64], hue_deg: Plane) -> Plane:
    """A table over whole degrees 0 to 360, interpolated."""
    row = table.astype(np.float32)
    cell = np.minimum(hue_deg, np.float32(359.999)).astype(np.int32)
    return np.asarray(row.take(cell) + (hue_deg - cell) * np.diff(row).take(cell), np.float32)


def _chroma(lab: Planes) -> Plane:
    return np.asarray(np.hypot(lab[..., 1], lab[..., 2]), np.float32)


class Defringe(Operator):
    """Take purple and green off strong edges: chroma goes to that of the ground around, by amount and nearness.

    An edge is where lightness (Oklab) spans more than ``threshold`` within ``radius``, percent of the longer side. The
    ground around is what is not near an edge within three times the radius; its chroma over lightness is taken.
    ``purple``, ``green`` and ``others`` are the amounts by hue.
    """

    domain: ClassVar[Domain] = "linear"

    purple: Unit = 1.0
    green: Unit = 1.0
    others: Unit = 0.0
    radius: float = Field(0.3, ge=0.05, le=5)
    threshold: float = Field(0.3, ge=0.05, le=0.9)

    def _applied(self, colour: Planes, canvas: Canvas) -> Planes:
        import cv2

        amounts = (self.purple, self.green, self.others)
        if not any(amounts):
            return colour
        lab = to_oklab(colour)
        lightness, a, b = (np.ascontiguousarray(lab[..., k]) for k in range(3))
        edge = self._edges(lightness, canvas)
        hues = np.arange(0.0, 361.0)
        purple, green = (HueBand(centre=at, width=2 * reach).weight(hues) for at, reach in (_PURPLE, _GREEN))
        amount = self.others + (self.purple - self.others) * purple + (self.green - self.others) * green
        share = edge * _by_hue(amount, np.asarray(cv2.phase(a, b, angleInDegrees=True)))
        weight = np.asarray((1 - edge) * (canvas.cover > 0) * np.maximum(lightness, 0), np.float32)
        reach = 3 * self._radius(canvas)
        over = lightness / np.maximum(box_mean(lightness, weight, reach), _TINY)
        for k, plane in ((1, a), (2, b)):
            lab[..., k] = plane + share * (box_mean(plane, weight, reach) * over - plane)
        return contained(from_oklab(lab), colour)

    def _radius(self, canvas: Canvas) -> int:
        return max(1, round(canvas.pixels(self.radius)))

    def _edges(self, lightness: Plane, canvas: Canvas) -> Plane:
        """1 near strong edges, 0 far from them; gaps of the picture are no edges."""
        import cv2

        radius = self._radius(canvas)
        square = np.ones((2 * radius + 1, 2 * radius + 1), np.uint8)
        known = canvas.cover > 0
        highest = cv2.dilate(np.where(known, lightness, np.float32(-9)), square)
        lowest = cv2.erode(np.where(known, lightness, np.float32(9)), square)
        span = np.asarray(highest - lowest, np.float32)
        return np.asarray(smoothstep((span / np.float32(self.threshold) - np.float32(0.8)) * 2.5) * known, np.float32)


class FlattenLight(Operator):
    """Even out how the light falls: linear colour times (B / B0)^-amount t^-tint.

    B and t are brightness and colour of even ground, a law of incidence and emission fitted to the picture
    (`perijove.compose.illumination.fit_light`); B0 is B's median over lit ground, so that the picture stays about as
    bright. Night stays dark: 1 - exp(-(sunlight / 0.05)^2), to the power of the amount, is a factor. No gain exceeds
    2^``most_stops``; beyond the limb that of the limb goes on.
    """

    domain: ClassVar[Domain] = "linear"

    amount: Unit = 0.5
    tint: Unit = 0.0
    most_stops: float = Field(3.0, ge=0.5, le=6)

    def _applied(self, colour: Planes, canvas: Canvas) -> Planes:
        light = canvas.light
        ground = light.on_ground
        if (self.amount == 0 and self.tint == 0) or not ground.any():
            return colour
        at = _places(light)
        logs = self._table(*self._law(colour, canvas))
        return colour * np.exp(np.stack([_continued(_interpolated(row, at), ground) for row in logs], axis=-1))

    def _table(self, law: LightLaw, level: float) -> list[Plane]:
        """Logarithm of the gain of red, green and blue, or of all, over cosines of incidence and emission."""
        lowest, least = _TABLE_FROM
        rows, columns = (np.linspace(0.0, 1.0, n) ** 2 for n in _TABLE_CELLS)
        angles = np.meshgrid(lowest + (1 - lowest) * columns, least + (1 - least) * rows)
        mu0, mu = (np.asarray(plane, np.float32) for plane in angles)
        table = Illumination(mu0, mu, 0 * mu)
        # The law ends with the day; what comes after it is dusk's.
        day = Illumination(np.maximum(mu0, 0), mu, 0 * mu)
        dusk = -np.expm1(-((table.sunlight.astype(np.float64) / _DUSK) ** 2))
        logs = self.amount * (np.log(np.maximum(dusk, 1e-12)) - np.log(law.brightness(day)) + level)
        # A soft limit: no edge shows where it begins.
        logs = -np.logaddexp(-4 * logs, -4 * self.most_stops * np.log(2)) / 4
        if not self.tint:
            return [logs.astype(np.float32)]
        tint = self.tint * np.log(law.tint(day))
        return [(logs - tint[..., k]).astype(np.float32) for k in range(3)]

    def _law(self, colour: Planes, canvas: Canvas) -> tuple[LightLaw, float]:
        """The law of the light by every so many pixels, and the logarithm of its median over lit ground."""
        thin = (slice(None, None, max(1, canvas.side // _FIT_SIDE)),) * 2
        some, whole = colour[thin], canvas.light
        light = Illumination(whole.mu0[thin], whole.mu[thin], whole.latitude_deg[thin])
        known = canvas.cover[thin] >= 1
        law = fit_light(some, luminance(some), light, known & (some.max(axis=-1) < _FIT_HIGHEST))
        lit = known & light.on_ground & (light.mu0 > _LIT)
        return law, float(np.median(np.log(law.brightness(light)[lit]))) if lit.any() else 0.0


class BlackSky(Operator):
    """Sky and night to black: colours times 1 - amount (1 - w).

    In the sky w is 1 up to ``haze`` from the limb (percent of the longer side) and falls to 0 at twice that; on the
    ground it falls from 1 at the terminator to 0 where the Sun is ``twilight_deg`` below the horizon; beyond the limb
    it has the limb's value as a factor. Moons and stars are sky: a mask on the layer spares them.
    """

    amount: Unit = 1.0
    haze: float = Field(0.8, ge=0, le=20)
    twilight_deg: float = Field(8.0, ge=0.5, le=90)

    def _applied(self, colour: Planes, canvas: Canvas) -> Planes:
        if self.amount == 0:
            return colour
        ground = canvas.light.on_ground
        limb = away = np.broadcast_to(np.float32(0), ground.shape)
        if ground.any() and not ground.all():
            limb = _continued(by_rows(lambda mu0: (self._lit(mu0),), canvas.light.mu0)[0], ground)
            away = _away(ground)
        haze = np.float32(max(canvas.pixels(self.haze), 0.5))

        def darkened(colour: Planes, mu0: Plane, limb: Plane, away: Plane, ground: Mask) -> tuple[Planes]:
            keep = np.where(ground, self._lit(mu0), limb) * (1 - smoothstep(away / haze - 1))
            return (scaled(colour, np.asarray(1 - np.float32(self.amount) * (1 - keep), np.float32)),)

        return by_rows(darkened, colour, canvas.light.mu0, limb, away, ground)[0]

    def _lit(self, mu0: Plane) -> Plane:
        """1 by day, falling to 0 in twilight; NaN, which is sky, is 0."""
        night = np.nan_to_num(mu0, nan=-1.0) / np.float32(np.sin(np.radians(self.twilight_deg))) + 1
        return smoothstep(np.asarray(night, np.float32))


def _away(ground: Mask) -> Plane:
    """Distance from the ground, pixels: of a large picture from cells, which is true to half of one."""
    import cv2

    height, width = ground.shape
    cell = max(1, round(max(height, width) / _AWAY_SIDE))
    size = (-(-width // cell), -(-height // cell))
    known = cv2.resize(ground.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0.5
    away = cv2.distanceTransform((~known).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5)
    return np.asarray(cell * cv2.resize(away, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def _places(light: Illumination) -> tuple[Plane, Plane]:
    """Columns and rows of the table of the light, closer where cosines are small."""
    places = []
    for cosine, least, cells in zip((light.mu0, light.mu), _TABLE_FROM, _TABLE_CELLS[::-1], strict=True):
        known = np.where(cosine > least, cosine, np.float32(least))
        places.append(np.sqrt((known - np.float32(least)) / np.float32(1 - least)) * np.float32(cells - 1))
    return places[0], places[1]


def _interpolated(table: Plane, at: tuple[Plane, Plane]) -> Plane:
    import cv2

    return np.asarray(cv2.remap(table, at[0], at[1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32)


def _continued(plane: Plane, ground: npt.NDArray[np.bool_]) -> Plane:
    """A plane with what it has at the limb carried on into the sky."""
    if ground.all():
        return plane
    cell = max(1, round(max(plane.shape) / _FILL_SIDE))
    around = continued(np.where(ground, plane, np.float32(0)), ground.astype(np.float32), cell)
    return np.where(ground, plane, around)
