"""What operators and masks work on: a picture, how far it covers, and what geometry knows of each pixel."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from perijove.compose.illumination import Illumination
from perijove.errors import RecipeError

Planes = npt.NDArray[np.float32]
Plane = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Canvas:
    """A picture in work.

    Attributes
    ----------
    colour : ndarray, (height, width, 3), float32
        Display-referred sRGB or Display P3 on sRGB's curve, 0 to 1; 0 where nothing is known.
    cover : ndarray, (height, width), float32
        1 where the picture is known, 0 where not.
    light : Illumination
        How the light falls; tells ground, sky and night.
    planes : mapping of str to callable
        What else is known of each pixel, made when asked for, (height, width), float32: such as ``longitude``,
        ``phase``, ``confidence``, ``range_km``.
    north_deg : float
        Direction of the planet's north in the picture, degrees clockwise from up.
    """

    colour: Planes
    cover: Plane
    light: Illumination
    planes: Mapping[str, Callable[[], Plane]] = field(default_factory=dict)
    north_deg: float = 0.0

    def __post_init__(self) -> None:
        for name in ("colour", "cover"):
            frozen = np.asarray(getattr(self, name), np.float32).view()
            frozen.flags.writeable = False
            object.__setattr__(self, name, frozen)

    @property
    def side(self) -> int:
        """Pixels of the longer side."""
        return int(max(self.cover.shape))

    def pixels(self, percent: float) -> float:
        """A length given in percent of the longer side, in pixels: so a look is the same at every size."""
        return percent * 0.01 * self.side

    def plane(self, name: str) -> Plane:
        """One of ``planes``.

        Raises
        ------
        RecipeError
            The picture has no such plane.
        """
        if name not in self.planes:
            raise RecipeError(f"this picture has no plane {name!r}; it has {', '.join(self.planes) or 'none'}")
        return self.planes[name]()
