"""Operators of brightness: exposure, levels, curves, shadows and highlights, tone mapping."""

from typing import ClassVar

import numpy as np
from pydantic import Field

from perijove.darkroom.canvas import Canvas
from perijove.darkroom.operators.base import Domain, Operator, Planes


class Exposure(Operator):
    """Brighten or darken: linear light times 2^stops."""

    domain: ClassVar[Domain] = "linear"

    stops: float = Field(0.0, ge=-8, le=8)

    def _applied(self, colour: Planes, _: Canvas) -> Planes:
        return colour * np.float32(2.0**self.stops)
