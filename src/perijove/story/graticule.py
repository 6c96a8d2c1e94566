"""Lines of latitude and longitude over a picture, with their numbers.

No line is traced: a pixel's distance from the nearest line is how far its latitude or longitude is from a multiple of
the step, over how fast it changes from pixel to pixel. That is smooth below a pixel on any map and in any view.
"""

from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt

from perijove.errors import OptionError
from perijove.project.body import JUPITER, Body, Latitudes
from perijove.project.grid import MapGrid
from perijove.story.ink import CASING, CASING_WIDTH, LINE, mix, write
from perijove.story.labels import Label, gradient_of, placed_labels

Floats = npt.NDArray[np.float64]

#: Rows that are drawn at a time.
_BLOCK_ROWS: Final = 256
#: Lines whose spacing is less than the first are not drawn, and fully from the second on; in widths of a line.
_SPACING: Final = (5.0, 10.0)
#: Points whose coordinates over the radii have a larger square lie in the sky.
_ON_GROUND: Final = 1.0 + 1e-9
#: Points along a side at which places of labels are looked for.
_COARSE: Final = 400


class Surface(Protocol):
    """What has ground below its pixels: a view or a map."""

    @property
    def width(self) -> int:
        """Pixels."""

    @property
    def height(self) -> int:
        """Pixels."""

    def ground(self, rows: slice) -> Floats:
        """Body-fixed points of pixels, (rows, width, 3), km."""


@dataclass(frozen=True)
class Graticule:
    """Lines of latitude and longitude.

    Attributes
    ----------
    step_deg : float
        Between lines; a part of 90 degrees.
    latitudes : {"centric", "graphic"}
    """

    step_deg: float
    latitudes: Latitudes = "centric"

    def __post_init__(self) -> None:
        parts = 90.0 / self.step_deg if 0.1 <= self.step_deg <= 90.0 else 0.5
        if abs(parts - round(parts)) > 1e-6:
            raise OptionError(
                f"a graticule of {self.step_deg:g} degrees does not meet the poles; give a part of 90 degrees, like 10"
            )

    def drawn_on(self, pixels: npt.NDArray[Any], surface: Surface) -> npt.NDArray[Any]:
        """The same picture with lines and labels over it.

        Parameters
        ----------
        pixels : ndarray, (height, width) or (height, width, 3), uint8 or uint16
        surface : Surface
            Whose pixels they are.
        """
        out = np.array(pixels)
        size = float(np.clip(np.sqrt(surface.width * surface.height) / 60.0, 10.0, 60.0))
        body = _body(surface)
        told = f"{'System III ' if body == JUPITER else ''}west, planeto{self.latitudes} latitudes"
        legend = Label.in_corner(told, out.shape[:2], 0.8 * size)
        labels = [legend, *placed_labels(*self._coarse(surface), self.step_deg, legend, size)]
        width = max(1.0, size / 14.0)
        for first in range(0, surface.height, _BLOCK_ROWS):
            last = min(first + _BLOCK_ROWS, surface.height)
            above, below = max(first - 1, 0), min(last + 1, surface.height)
            line, casing = self._strength(self._coordinates(surface.ground(slice(above, below)), body), width)
            rows = slice(first - above, last - above)
            clear = _gaps(labels, slice(first, last), surface.width)
            mix(out[first:last], CASING * casing[rows] * clear, 0.0)
            mix(out[first:last], LINE * line[rows] * clear, 1.0)
        for label in labels:
            write(out, label)
        return out

    def _coordinates(self, ground_km: Floats, body: Body) -> tuple[Floats, Floats]:
        """Latitude and west longitude, degrees; NaN off the ground."""
        with np.errstate(invalid="ignore"):
            off = ~(np.einsum("...i,i->...", ground_km * ground_km, body.radii_km**-2) < _ON_GROUND)
        latitude, longitude = body.places(ground_km, self.latitudes)
        return np.where(off, np.nan, latitude), np.where(off, np.nan, -longitude % 360.0)

    def _coarse(self, surface: Surface) -> tuple[Floats, Floats, int]:
        """Latitudes and longitudes of every so many pixels, and how many these are."""
        step = max(1, max(surface.width, surface.height) // _COARSE)
        if isinstance(surface, MapGrid):
            ground = surface.ground(slice(None, None, step), slice(None, None, step))
        else:
            lines = [surface.ground(slice(row, row + 1))[:, ::step] for row in range(0, surface.height, step)]
            ground = np.concatenate(lines)
        return (*self._coordinates(ground, _body(surface)), step)

    def _strength(self, coordinates: tuple[Floats, Floats], width: float) -> tuple[Floats, Floats]:
        """How much of each pixel the lines and their casings cover, 0 to 1."""
        latitude, lon_w = coordinates
        line, casing = np.zeros(latitude.shape), np.zeros(latitude.shape)
        for values, turn in ((latitude, None), (lon_w, 360.0)):
            slope = np.hypot(*gradient_of(values, turn))
            nearest = self.step_deg * np.round(values / self.step_deg)
            with np.errstate(divide="ignore", invalid="ignore"):
                away = np.abs(values - nearest) / slope
                spacing = self.step_deg / slope / width
            fade = np.clip((spacing - _SPACING[0]) / (_SPACING[1] - _SPACING[0]), 0.0, 1.0)
            if values is latitude:
                # The pole itself is no circle.
                fade = np.where(np.abs(nearest) > 90.0 - 1e-6, 0.0, fade)
            for strength, wide in ((line, width), (casing, width * CASING_WIDTH)):
                covered = fade * np.clip(0.5 + wide / 2 - away, 0.0, 1.0)
                np.maximum(strength, np.nan_to_num(covered), out=strength)
        return line, casing


def _body(surface: Surface) -> Body:
    return surface.body if isinstance(surface, MapGrid) else JUPITER


def _gaps(labels: list[Label], rows: slice, width: int) -> Floats:
    """0 where a label stands, 1 elsewhere."""
    clear = np.ones((rows.stop - rows.start, width))
    for label in labels:
        left, top, right, bottom = label.box
        if bottom > rows.start and top < rows.stop:
            clear[max(top - rows.start, 0) : max(bottom - rows.start, 0), max(left, 0) : max(right, 0)] = 0.0
    return clear
