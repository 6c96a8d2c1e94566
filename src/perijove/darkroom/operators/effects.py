"""Operators that add what the camera did not see: lens flare, grain."""

from typing import ClassVar, Final

import numpy as np
import numpy.typing as npt
from pydantic import Field

from perijove.darkroom.canvas import Canvas
from perijove.darkroom.curve import smoothstep
from perijove.darkroom.operators.base import Domain, Operator, Planes
from perijove.darkroom.operators.lens import Where
from perijove.darkroom.operators.neighbourhood import Plane
from perijove.darkroom.operators.tables import luminance, scaled

#: Side of the picture that a flare is drawn on; all of it is soft.
_FLARE_SIDE: Final = 720
#: Relative sizes of the ghosts in red, green and blue: glass refracts blue more.
_DISPERSION: Final = np.array([1.0, 0.0, -1.0])
#: Cells of grain on the longer side, at most.
_MOST_CELLS: Final = 2048


class LensFlare(Operator):
    """Light from a source scattered in a lens: a glow and a streak at the source, ghosts beyond the centre.

    At the place ``light``, p, the glow is exp(-r / 2 %) and the streak exp(-|x| / 15 % - (y / 0.15 %)^2), turned by
    ``streak_deg``. Ghosts are discs with soft, brighter rims on the line from p through the picture's centre c, at
    c + t (p - c) with t from 0.6 to -1.4, of radii from 1 to 6 %; ``dispersion`` makes red ones larger and farther out
    than blue ones. Everything is screened, in linear light, over what is known. Places and sizes depend on ``seed``.
    """

    domain: ClassVar[Domain] = "linear"
    artistic: ClassVar[bool] = True

    light: Where = (0.15, 0.15)
    strength: float = Field(0.4, ge=0, le=2)
    ghosts: int = Field(6, ge=0, le=16)
    streak: float = Field(0.5, ge=0, le=1)
    streak_deg: float = Field(0.0, ge=-180, le=180)
    dispersion: float = Field(0.03, ge=0, le=0.3)
    seed: int = Field(1, ge=0, le=2**31)

    def _applied(self, colour: Planes, canvas: Canvas) -> Planes:
        import cv2

        if self.strength == 0:
            return colour
        height, width = canvas.cover.shape
        small = min(1.0, _FLARE_SIDE / canvas.side)
        drawn = self._drawn(max(round(height * small), 1), max(round(width * small), 1))
        flare = np.asarray(cv2.resize(drawn, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)
        flare = scaled(np.minimum(np.float32(self.strength) * flare, 1), canvas.cover)
        return colour + flare * np.maximum(1 - colour, 0)

    def _drawn(self, height: int, width: int) -> Planes:
        """The flare at strength 1; lengths are parts of the longer side."""
        side = max(height, width)
        x = ((np.arange(width) + 0.5) / side).astype(np.float32)[None, :]
        y = ((np.arange(height) + 0.5) / side).astype(np.float32)[:, None]
        centre = np.array([width, height]) / (2 * side)
        source = np.array(self.light) * (width, height) / side
        dx, dy = x - np.float32(source[0]), y - np.float32(source[1])
        away = np.sqrt(dx * dx + dy * dy)
        turn = np.radians(self.streak_deg)
        along = np.float32(np.cos(turn)) * dx + np.float32(np.sin(turn)) * dy
        across = np.float32(np.cos(turn)) * dy - np.float32(np.sin(turn)) * dx
        glow = np.exp(-away / np.float32(0.02))
        streak = np.float32(self.streak) * np.exp(-np.abs(along) / np.float32(0.15) - np.square(across / 0.0015))
        drawn = np.stack([glow + part * streak for part in (0.55, 0.75, 1.0)], axis=-1).astype(np.float32)
        rng = np.random.default_rng(self.seed)
        for _ in range(self.ghosts):
            place, radius, shine = rng.uniform(-1.4, 0.6), rng.uniform(0.01, 0.06), rng.uniform(0.015, 0.06)
            tint = rng.uniform(0.5, 1.0, 3)
            for k in range(3):
                wider = 1 + self.dispersion * _DISPERSION[k]
                at = centre + place * wider * (source - centre)
                _add_ghost(drawn[..., k], (at * side, radius * wider * side), shine * tint[k])
        return drawn


def _add_ghost(plane: Plane, disc: tuple[npt.NDArray[np.float64], float], shine: float) -> None:
    """Draw a disc, its rim brighter and both edges soft, in place; only the pixels that it touches."""
    (cx, cy), radius = disc
    height, width = plane.shape
    left, right = (int(np.clip(cx + sign * 1.2 * radius, 0, width)) for sign in (-1, 1))
    top, bottom = (int(np.clip(cy + sign * 1.2 * radius, 0, height)) for sign in (-1, 1))
    y, x = np.ogrid[top:bottom, left:right]
    away = (np.hypot(x + 0.5 - cx, y + 0.5 - cy) / radius).astype(np.float32)
    inside = 1 - smoothstep((away - np.float32(0.9)) / np.float32(0.2))
    plane[top:bottom, left:right] += np.float32(shine) * inside * (np.float32(0.5) + np.float32(0.5) * away**4)


class Grain(Operator):
    """Film grain: c + strength n 4 Y (1 - Y), so that blacks and whites have none.

    n is normal noise of deviation about 1 on cells of ``size`` percent of the longer side, the same for every size of
    the picture (a preview of few pixels shows the mean of many grains, and so less of them); ``colour`` 0 has the same
    in all channels, 1 one of its own in each.
    """

    artistic: ClassVar[bool] = True

    strength: float = Field(0.012, ge=0, le=0.5)
    size: float = Field(0.12, ge=0.05, le=2)
    colour: float = Field(0.0, ge=0, le=1)
    seed: int = Field(1, ge=0, le=2**31)

    def _applied(self, colour: Planes, canvas: Canvas) -> Planes:
        if self.strength == 0:
            return colour
        grey = np.clip(luminance(colour), 0, 1)
        weight = np.asarray(4 * np.float32(self.strength) * grey * (1 - grey) * canvas.cover, np.float32)
        rng = np.random.default_rng(self.seed)
        shared = self._noise(canvas, rng) * weight
        if not self.colour:
            return colour + shared[..., None]
        own = np.stack([self._noise(canvas, rng) * weight for _ in range(3)], axis=-1)
        return np.asarray(colour + shared[..., None] + np.float32(self.colour) * (own - shared[..., None]), np.float32)

    def _noise(self, canvas: Canvas, rng: np.random.Generator) -> Plane:
        import cv2

        height, width = canvas.cover.shape
        cells = min(100 / self.size, _MOST_CELLS)
        size = tuple(max(round(cells * n / canvas.side), 2) for n in (width, height))
        noise = rng.standard_normal(size[::-1], np.float32)
        way = cv2.INTER_AREA if size[0] > width else cv2.INTER_CUBIC
        return np.asarray(cv2.resize(noise, (width, height), interpolation=way), np.float32)
