"""The sky behind the planet: real stars, which the camera's short exposures do not show."""

from typing import ClassVar, Final

import numpy as np
import numpy.typing as npt
from pydantic import Field

from perijove.darkroom.canvas import Canvas
from perijove.darkroom.curve import smoothstep
from perijove.darkroom.operators.base import Domain, Operator, Planes
from perijove.darkroom.operators.neighbourhood import gaussian
from perijove.darkroom.operators.tables import luminance, scaled

#: Colours of stars, linear light, by their colour index B - V: hot, white, cool.
_INDEX: Final = (-0.3, 0.3, 1.5)
_COLOURS: Final = np.array([[0.70, 0.82, 1.0], [1.0, 0.97, 0.93], [1.0, 0.75, 0.50]])


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
        near = gaussian(1 - sky.astype(np.float32), canvas.pixels(0.3))
        open_sky = sky * smoothstep(1 - 2 * near) * smoothstep(1 - 4 * luminance(colour))
        wanted = canvas.pixels(self.size)
        sigma = max(wanted, 0.5)
        peak = self.brightness * min(wanted / sigma, 1.0) ** 2
        peaks = peak * 10 ** (-0.4 * self.contrast * (magnitude[rows, columns].astype(float) + 1.5))
        index = canvas.plane("star_colour")[rows, columns]
        tints = np.stack([np.interp(index, _INDEX, column) for column in _COLOURS.T], axis=-1)
        field: Planes = np.zeros_like(colour)
        for place, light in zip(zip(rows, columns, strict=True), peaks[:, None] * tints, strict=True):
            _add_spot(field, (int(place[0]), int(place[1])), sigma, light)
        stars = scaled(np.minimum(field, 1), np.asarray(open_sky, np.float32))
        return colour + stars * np.maximum(1 - colour, 0)


def _add_spot(field: Planes, place: tuple[int, int], sigma: float, light: npt.NDArray[np.float64]) -> None:
    """Add a Gaussian spot, in place; only the pixels that it touches."""
    reach = int(np.ceil(4 * sigma))
    top, left = (max(at - reach, 0) for at in place)
    part = field[top : place[0] + reach + 1, left : place[1] + reach + 1]
    down, right = (
        np.exp(-0.5 * np.square((np.arange(part.shape[k]) + first - place[k]) / sigma))
        for k, first in enumerate((top, left))
    )
    part += (down[:, None] * right[None, :])[..., None] * light
