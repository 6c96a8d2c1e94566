"""Bodies that maps are of: Jupiter, and its large moons as spheres."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from perijove.constants import JUPITER_RADII_KM

Floats = npt.NDArray[np.float64]
Latitudes = Literal["centric", "graphic"]


@dataclass(frozen=True)
class Body:
    """A spheroid with the numbers under which the IAU has it.

    Attributes
    ----------
    name : str
    code : int
        Of NAIF; the codes of its reference systems in IAU_2015 begin with it.
    equator_km, pole_km : float
        Radii.
    """

    name: str
    code: int
    equator_km: float
    pole_km: float

    @property
    def radii_km(self) -> Floats:
        """Along the axes of the body-fixed frame, (3,)."""
        return np.array([self.equator_km, self.equator_km, self.pole_km])

    def points(self, lat_deg: npt.ArrayLike, lon_east_deg: npt.ArrayLike, latitudes: Latitudes) -> Floats:
        """Points of the surface, body-fixed, (..., 3), km.

        Examples
        --------
        >>> BODIES["Europa"].points(0.0, 90.0, "centric").round(6)
        array([   0. , 1560.8,    0. ])
        """
        lat, lon = np.radians(lat_deg), np.radians(lon_east_deg)
        way = np.stack(np.broadcast_arrays(np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)), axis=-1)
        if latitudes == "centric":
            return np.asarray(way / np.linalg.norm(way / self.radii_km, axis=-1, keepdims=True))
        return np.asarray(way * self.radii_km**2 / np.linalg.norm(way * self.radii_km, axis=-1, keepdims=True))

    def places(self, points_km: Floats, latitudes: Latitudes) -> tuple[Floats, Floats]:
        """Latitude and east longitude, -180 to 180, of points of the surface, degrees."""
        x, y, z = np.moveaxis(np.asarray(points_km, float), -1, 0)
        steeper = 1.0 if latitudes == "centric" else (self.equator_km / self.pole_km) ** 2
        return np.degrees(np.arctan2(z * steeper, np.hypot(x, y))), np.degrees(np.arctan2(y, x))


JUPITER: Final = Body("Jupiter", 599, JUPITER_RADII_KM[0], JUPITER_RADII_KM[2])
#: Mean radii of the moons as IAU_2015 has them (Archinal et al. 2018, Celest. Mech. Dyn. Astron. 130:22).
BODIES: Final[Mapping[str, Body]] = MappingProxyType(
    {
        body.name: body
        for body in (
            JUPITER,
            Body("Io", 501, 1821.49, 1821.49),
            Body("Europa", 502, 1560.8, 1560.8),
            Body("Ganymede", 503, 2631.2, 2631.2),
            Body("Callisto", 504, 2410.3, 2410.3),
        )
    }
)
