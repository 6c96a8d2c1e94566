"""Where Juno was: altitude, speed, light time, the time to perijove."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from perijove.constants import AU_KM, FOCAL_LENGTH_PX, JUPITER_GM_KM3_S2, LIGHT_SPEED_KM_S
from perijove.geometry.ellipsoid import above
from perijove.geometry.orientation import j2000_to_jupiter
from perijove.geometry.sunlight import barycentric, sunlight_at

Floats = npt.NDArray[np.float64]

KM_PER_MILE: Final = 1.609344
_HOUR_S: Final = 3600.0


@dataclass(frozen=True)
class Position:
    """Juno at one time.

    Attributes
    ----------
    et : float
        TDB seconds past J2000.
    altitude_km, distance_km : float
        Above the 1-bar ellipsoid, and from Jupiter's centre.
    lat_graphic_deg, lon_w_sys3_deg : float
        Below Juno.
    speed_km_s : float
        Against Jupiter's centre, not turning with the planet.
    since_perijove_s : float
        Time since the nearest point of the Kepler orbit through this state, negative before it: good to a minute or so
        within hours of perijove.
    light_time_s : float
        One way to the Earth.
    solar_distance_km : float
        Of Jupiter's centre.
    """

    et: float
    altitude_km: float
    distance_km: float
    lat_graphic_deg: float
    lon_w_sys3_deg: float
    speed_km_s: float
    since_perijove_s: float
    light_time_s: float
    solar_distance_km: float

    @classmethod
    def of_state(cls, et: float, position_km: Floats, velocity_km_s: Floats) -> "Position":
        """From the state of Juno against Jupiter's centre, J2000, km and km/s, (3,) each."""
        lat, lon, altitude = above(j2000_to_jupiter(et) @ position_km)
        return cls(
            et,
            float(altitude),
            float(np.linalg.norm(position_km)),
            float(lat),
            float(lon),
            float(np.linalg.norm(velocity_km_s)),
            since_perijove_s(position_km, velocity_km_s),
            _light_time_s(et, position_km),
            float(np.linalg.norm(sunlight_at(et).sun_km)),
        )

    @property
    def nadir_scale_km(self) -> float:
        """Kilometres to a pixel of the camera straight below."""
        return scale_km(self.altitude_km)

    @property
    def speed_km_h(self) -> float:
        """Speed in kilometres per hour."""
        return self.speed_km_s * _HOUR_S

    @property
    def solar_distance_au(self) -> float:
        """Distance of the Sun in astronomical units."""
        return self.solar_distance_km / AU_KM


def scale_km(distance_km: float, sampling_factor: int = 1) -> float:
    """Kilometres to a pixel of the camera, across the line of sight.

    Examples
    --------
    >>> round(scale_km(104446.0), 1)
    70.5
    """
    return distance_km * sampling_factor / FOCAL_LENGTH_PX


def speed_km_s(distance_km: float, semi_major_km: float) -> float:
    """Speed on an orbit at a distance from Jupiter's centre: vis-viva.

    Examples
    --------
    >>> from perijove.geometry.orbit import Orbit
    >>> round(speed_km_s(75_000.0, Orbit.of(44).semi_major_km), 1)
    57.8
    """
    return float(np.sqrt(JUPITER_GM_KM3_S2 * (2 / distance_km - 1 / semi_major_km)))


def since_perijove_s(position_km: Floats, velocity_km_s: Floats) -> float:
    """Seconds since the nearest point of the Kepler orbit through a state, negative before it; NaN if unbound."""
    r = float(np.linalg.norm(position_km))
    semi_major = 1.0 / (2.0 / r - float(velocity_km_s @ velocity_km_s) / JUPITER_GM_KM3_S2)
    if not semi_major > 0:
        return float("nan")
    radial = float(position_km @ velocity_km_s) / np.sqrt(JUPITER_GM_KM3_S2 * semi_major)
    anomaly = np.arctan2(radial, 1.0 - r / semi_major)
    return float((anomaly - radial) * np.sqrt(semi_major**3 / JUPITER_GM_KM3_S2))


def _light_time_s(et: float, position_km: Floats) -> float:
    """Time that radio needs from Juno to the Earth, seconds."""
    juno = barycentric("Jupiter", et)[0] + position_km
    reached = 0.0
    # The Earth moves on by 30 km/s meanwhile: two rounds leave microseconds.
    for _ in range(2):
        reached = float(np.linalg.norm(barycentric("Earth", et + reached)[0] - juno)) / LIGHT_SPEED_KM_S
    return reached
