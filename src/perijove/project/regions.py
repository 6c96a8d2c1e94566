"""What maps show: parts of the planet."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from perijove.errors import OptionError

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Region:
    """A part of the planet.

    Attributes
    ----------
    south_deg, north_deg : float
        Latitudes, of the kind that the map has.
    from_w_deg, to_w_deg : float
        System III longitudes of its eastern and western side: it reaches from the first westward to the second.
    """

    south_deg: float
    north_deg: float
    from_w_deg: float
    to_w_deg: float

    def __post_init__(self) -> None:
        if not -90 <= self.south_deg < self.north_deg <= 90:
            raise OptionError(
                f"a region from latitude {self.south_deg:g} to {self.north_deg:g} is none: give south before north"
            )
        if not 0 < self.to_w_deg - self.from_w_deg <= 360:
            raise OptionError(
                f"a region from {self.from_w_deg:g} to {self.to_w_deg:g} degrees west is none: longitudes grow to the "
                "west; across the meridian of 0 go on beyond 360, as in 350,370"
            )

    def points(self, *meridians_deg: float) -> tuple[Floats, Floats]:
        """East longitudes and latitudes of points all over it, degrees; also on either side of some meridians."""
        lon = -np.linspace(self.from_w_deg, self.to_w_deg, 181)
        beside = np.add.outer(np.array(meridians_deg), (-1e-9, 1e-9)).ravel()
        beside = -self.from_w_deg - (-self.from_w_deg - beside) % 360.0
        lon = np.concatenate([lon, beside[beside >= -self.to_w_deg]])
        at = np.meshgrid(lon, np.linspace(self.south_deg, self.north_deg, 91))
        return at[0].ravel(), at[1].ravel()


@dataclass(frozen=True)
class Cutout:
    """A square about the middle of a map.

    Attributes
    ----------
    radius_km : float
        From the middle to the sides, kilometres of the map.
    """

    radius_km: float

    def __post_init__(self) -> None:
        if not (np.isfinite(self.radius_km) and self.radius_km > 0):
            raise OptionError(f"a radius of {self.radius_km:g} km is none; give a positive number")


GLOBE: Final = Region(-90.0, 90.0, 0.0, 360.0)
