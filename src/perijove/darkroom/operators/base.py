"""What all operators are: typed parameters and a pure function."""

from abc import ABC, abstractmethod
from typing import ClassVar, Literal

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict

from perijove.darkroom.canvas import Canvas

Planes = npt.NDArray[np.float32]
Domain = Literal["linear", "display"]


class Operator(BaseModel, ABC):
    """A step of a layer.

    Parameters are fields with bounds; unknown ones are refused. Lengths are in percent of the picture's longer side
    (`Canvas.pixels`), so that a preview looks like the full picture.

    Attributes
    ----------
    domain : {"linear", "display"}
        Whether colours come in linear light, or on sRGB's curve.
    artistic : bool
        Whether it adds what the camera did not see.
    pixelwise : bool
        Whether each pixel's colour depends on its own alone, and on nothing that the canvas knows.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
    domain: ClassVar[Domain] = "display"
    artistic: ClassVar[bool] = False
    pixelwise: ClassVar[bool] = False

    @property
    def by_pixel(self) -> bool:
        """Whether, with these parameters, it may be given any rows of the picture by themselves."""
        return self.pixelwise

    def apply(self, colour: Planes, canvas: Canvas) -> Planes:
        """Colours after the step.

        Parameters
        ----------
        colour : ndarray, (height, width, 3), float32
            In ``domain``, about 0 to 1; not to be written to.
        canvas : Canvas
            Cover, light and planes of the picture; its own colours are those before the layer's first step.

        Returns
        -------
        ndarray, (height, width, 3), float32
            Finite wherever ``colour`` is. May leave 0 to 1; what still does so in the end is clipped.
        """
        return np.asarray(self._applied(colour, canvas), np.float32)

    @abstractmethod
    def _applied(self, colour: Planes, canvas: Canvas) -> Planes:
        """Colours after the step."""
