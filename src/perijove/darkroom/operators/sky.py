"""The sky behind the planet: real stars, which the camera's short exposures do not show, and invented ones."""

from typing import ClassVar, Final, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from perijove.darkroom.canvas import Canvas
from perijove.darkroom.curve import smoothstep
from perijove.darkroom.operators.base import Domain, Operator, Planes
from perijove.darkroom.operators.neighbourhood import gaussian
from perijove.darkroom.operators.tables import luminance, scaled

Mask = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

#: Colours of stars, linear light, by their colour index B - V: hot, white, cool.
_INDEX: Final = (-0.3, 0.3, 1.5)
_COLOURS: Final = np.array([[0.70, 0.82, 1.0], [1.0, 0.97, 0.93], [1.0, 0.75, 0.50]])
#: Stars per magnitude grow as 10^(0.5 m) towards faint ones; this many magnitudes are drawn.
_STAR_SLOPE: Final = 0.5
_MAGNITUDES: Final = 6.0
#: Colours of hot, white and cool stars, linear light.
_STAR_COLOURS: Final = np.array([[0.70, 0.82, 1.0], [1.0, 0.97, 0.93], [1.0, 0.80, 0.60]])


class StarField(Operator):
    """Bright stars of the catalogue where they stood, in the sky of what the spacecraft saw; in linear light.

    A star of magnitude m is a Gaussian spot of deviation ``size`` percent of the longer side and with a peak of
    ``brightness`` 10^(-0.4 ``contrast`` (m + 1.5)): with a contrast of 1 as bright against the others as they are, with
    less more like each other. They fade at the limb and behind whatever is bright in the sky. Maps and views of the
    globe from elsewhere have no sky. The camera did not record them: its exposures are a thousand times too short.

    Takes the planes ``star_magnitude`` and ``star_colour``: NaN but for the pixels in which stars stand.
    """

    domain: ClassVar[Domain] = "linear"
    artistic: ClassVar[bool] = True

    brightness: float = Field(3.0, gt=0, le=8)
    contrast: float = Field(0.6, ge=0.1, le=1)
    size: float = Field(0.08, gt=0, le=1)
    faintest: float = Field(6.0, ge=-1, le=10)

    def _applied(self, colour: Planes, canvas: Canvas) -> Planes:
        magnitude = canvas.plane("star_magnitude")
        sky = (canvas.cover > 0) & ~canvas.light.on_ground
        rows, columns = np.nonzero(np.nan_to_num(magnitude, nan=99.0) <= self.faintest)
        if not len(rows) or not sky.any():
            return colour
        peaks = self.brightness * 10 ** (-0.4 * self.contrast * (magnitude[rows, columns].astype(float) + 1.5))
        index = canvas.plane("star_colour")[rows, columns]
        tints = np.stack([np.interp(index, _INDEX, column) for column in _COLOURS.T], axis=-1)
        places = np.stack([rows, columns], axis=-1).astype(float)
        return _with_stars(colour, canvas, sky, (places, peaks[:, None] * tints), self.size)


class Stars(Operator):
    """Invented stars behind the planet: Gaussian spots of light, screened over the sky in linear light.

    ``density`` is their number on a square of the picture's longer side; 0, the default, is none. Of magnitude m there
    are as many as 10^(0.5 m), over six magnitudes; the brightest has a peak of ``brightness``. ``size`` is the
    deviation, percent of the longer side; spots smaller than half a pixel get that size, and as much dimmer. ``where``
    is the ``sky`` that the picture shows, what is ``unknown`` (not covered; seen when a layer below covers it) or both.
    They fade towards the ground and behind whatever is bright in the sky. Places depend on ``seed`` alone.
    """

    domain: ClassVar[Domain] = "linear"
    artistic: ClassVar[bool] = True

    density: int = Field(0, ge=0, le=20_000)
    brightness: float = Field(0.9, gt=0, le=4)
    size: float = Field(0.04, gt=0, le=1)
    where: Literal["sky", "unknown", "both"] = "sky"
    seed: int = Field(1, ge=0, le=2**31)

    def _applied(self, colour: Planes, canvas: Canvas) -> Planes:
        if self.density == 0:
            return colour
        ground = canvas.light.on_ground
        known = canvas.cover > 0
        sky = {"sky": known & ~ground, "unknown": ~known, "both": ~(known & ground)}[self.where]
        rng = np.random.default_rng(self.seed)
        places = rng.uniform(0, 1, (self.density, 2))[:, ::-1] * canvas.side - 0.5
        rank = rng.uniform(0, 1, self.density)
        flux = 10 ** (-0.4 * np.maximum(_MAGNITUDES + np.log10(np.maximum(rank, 1e-9)) / _STAR_SLOPE, 0))
        mixed = rng.uniform(0, 2, self.density)
        tints = np.stack([np.interp(mixed, (0, 1, 2), column) for column in _STAR_COLOURS.T], axis=-1)
        return _with_stars(colour, canvas, sky, (places, self.brightness * flux[:, None] * tints), self.size)


def _with_stars(colour: Planes, canvas: Canvas, sky: Mask, stars: tuple[Floats, Floats], size: float) -> Planes:
    """Colours with spots screened over the open sky.

    ``stars`` is rows and columns, and light of the peaks; ``size`` is the deviation, percent of the longer side.
    Spots smaller than half a pixel get that size, and as much dimmer.
    """
    # No star stands on the limb.
    near = gaussian(1 - sky.astype(np.float32), canvas.pixels(0.3))
    open_sky = sky * smoothstep(1 - 2 * near) * smoothstep(1 - 4 * luminance(colour))
    if not open_sky.any():
        return colour
    wanted = canvas.pixels(size)
    sigma = max(wanted, 0.5)
    field: Planes = np.zeros(colour.shape, np.float32)
    for place, light in zip(stars[0], stars[1] * min(wanted / sigma, 1.0) ** 2, strict=True):
        _add_spot(field, (float(place[0]), float(place[1])), sigma, light)
    shown = scaled(np.minimum(field, 1), np.asarray(open_sky, np.float32))
    return colour + shown * np.maximum(1 - colour, 0)


def _add_spot(field: Planes, place: tuple[float, float], sigma: float, light: Floats) -> None:
    """Add a Gaussian spot, in place; only the pixels that it touches."""
    reach = int(np.ceil(4 * sigma))
    top, left = (max(int(at) - reach, 0) for at in place)
    part = field[top : int(place[0]) + reach + 2, left : int(place[1]) + reach + 2]
    down, right = (
        np.exp(-0.5 * np.square((np.arange(part.shape[k]) + first - place[k]) / sigma))
        for k, first in enumerate((top, left))
    )
    part += (down[:, None] * right[None, :])[..., None] * light
