"""How frames of an image see points of the ground: angles, distance and local time, as SPICE defines them.

Light time and stellar aberration are those of SPICE's CN+S: `sincpt`, `ilumin` and `et2lst` give the same numbers for
one point at a time. docs/backplanes.md has the equations.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from perijove.constants import FOCAL_LENGTH_PX, LIGHT_SPEED_KM_S
from perijove.geometry.ellipsoid import lat_centric_deg, normals, to_lat_lon
from perijove.geometry.orientation import SPIN_RATE_RAD_S
from perijove.geometry.pointing import Pointing
from perijove.geometry.sunlight import Sunlight, aberrated

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Sight:
    """Points of the ground as frames of an image see them, in double precision.

    Attributes
    ----------
    pointing : Pointing
    ground_km : ndarray, (n, 3)
        Points of the ellipsoid, body-fixed.
    frame : ndarray, (n,), int
    sunlight : Sunlight
    """

    pointing: Pointing
    ground_km: Floats
    frame: Ints
    sunlight: Sunlight

    # Vectors in here have their components first, and lie in the body-fixed frame of the moment the light left.

    @cached_property
    def _point(self) -> Floats:
        return np.ascontiguousarray(self.ground_km.T)

    @cached_property
    def _light_time(self) -> Floats:
        at = self.pointing
        reach = self._point - at.position_fixed_km.T[:, self.frame]
        # While the light is on its way Jupiter moves on and turns.
        drift = at.jupiter_from_j2000 @ self.sunlight.jupiter_velocity_km_s
        drift += np.cross([0.0, 0.0, SPIN_RATE_RAD_S], at.position_fixed_km)
        first = _length(reach) / LIGHT_SPEED_KM_S
        return _length(reach - drift.T[:, self.frame] * first) / LIGHT_SPEED_KM_S

    def _as_it_left(self, of_frames: Floats) -> Floats:
        """Vectors of frames, J2000, (frames, 3), in the body-fixed frame of when the light left, (3, n)."""
        fixed = np.einsum("nij,nj->in", self.pointing.jupiter_from_j2000, of_frames)
        x, y, z = fixed[:, self.frame]
        angle = SPIN_RATE_RAD_S * self._light_time
        # Of the cosine two terms: the angle is below 1e-3.
        c = 1.0 - 0.5 * angle * angle
        return np.stack([c * x - angle * y, angle * x + c * y, z])

    @cached_property
    def _jupiter_velocity(self) -> Floats:
        frames = self.pointing.frames
        return self._as_it_left(np.broadcast_to(self.sunlight.jupiter_velocity_km_s, (frames, 3)))

    @cached_property
    def _line_of_sight(self) -> Floats:
        """From the spacecraft to where the point was, in the frame of the solar system's barycentre."""
        observer = self._as_it_left(self.pointing.position_km)
        return self._point - observer - self._jupiter_velocity * self._light_time

    @cached_property
    def _towards_spacecraft(self) -> Floats:
        """Unit vectors to the apparent spacecraft."""
        velocity = self._as_it_left(self.pointing.velocity_km_s) + self._jupiter_velocity
        return -aberrated(self._line_of_sight / self.range_km, velocity / LIGHT_SPEED_KM_S)

    @cached_property
    def _sun(self) -> Floats:
        """From Jupiter's centre to the Sun."""
        return self._as_it_left(self.sunlight.sun_from_jupiter(self.pointing.et))

    @cached_property
    def _towards_sun(self) -> Floats:
        """Unit vectors to the apparent Sun."""
        true = self._sun + self._jupiter_velocity * self._light_time - self._point
        velocity = self._jupiter_velocity.copy()
        # The ground itself moves as Jupiter turns, by up to 12.6 km/s.
        velocity[0] -= SPIN_RATE_RAD_S * self._point[1]
        velocity[1] += SPIN_RATE_RAD_S * self._point[0]
        return aberrated(true / _length(true), velocity / LIGHT_SPEED_KM_S)

    @cached_property
    def _normal(self) -> Floats:
        return normals(self.ground_km).T

    @cached_property
    def _lat_lon(self) -> tuple[Floats, Floats]:
        return to_lat_lon(self.ground_km)

    @property
    def lat_graphic_deg(self) -> Floats:
        """Planetographic latitude, (n,)."""
        return self._lat_lon[0]

    @property
    def lat_centric_deg(self) -> Floats:
        """Planetocentric latitude, (n,)."""
        return lat_centric_deg(self.lat_graphic_deg)

    @property
    def lon_w_sys3_deg(self) -> Floats:
        """System III west longitude, (n,)."""
        return self._lat_lon[1]

    @cached_property
    def range_km(self) -> Floats:
        """Distance that the light has gone, (n,)."""
        return _length(self._line_of_sight)

    @cached_property
    def emission_deg(self) -> Floats:
        """Between the normal and the apparent spacecraft, (n,); beyond 90 the planet hides the point."""
        return _angle_deg(self._normal, self._towards_spacecraft)

    @property
    def incidence_deg(self) -> Floats:
        """Between the normal and the apparent Sun, (n,); beyond 90 it is night."""
        return _angle_deg(self._normal, self._towards_sun)

    @property
    def phase_deg(self) -> Floats:
        """Between the apparent Sun and the apparent spacecraft, (n,)."""
        return _angle_deg(self._towards_sun, self._towards_spacecraft)

    @property
    def pixel_scale_km(self) -> Floats:
        """Range over focal length: of a pixel on the optical axis, across the line of sight, (n,)."""
        camera = next(iter(self.pointing.cameras.values()))
        return self.range_km * (camera.sampling_factor / FOCAL_LENGTH_PX)

    @property
    def pixel_scale_slant_km(self) -> Floats:
        """The same on the ground, in the direction in which it recedes, (n,); NaN where the planet hides it."""
        cosine = np.cos(np.radians(self.emission_deg))
        return self.pixel_scale_km / np.where(cosine > 0, cosine, np.nan)

    @property
    def local_time_h(self) -> Floats:
        """Hours since midnight: one for every 15 degrees from the meridian of the apparent Sun, (n,)."""
        at = self.pointing
        true = np.einsum("nij,nj->in", at.jupiter_from_j2000, self.sunlight.sun_from_jupiter(at.et))
        velocity = at.jupiter_from_j2000 @ self.sunlight.jupiter_velocity_km_s
        sun = aberrated(true / _length(true), velocity.T / LIGHT_SPEED_KM_S)
        east = np.arctan2(sun[1], sun[0])[self.frame] + SPIN_RATE_RAD_S * self._light_time
        hours = (12.0 - (self.lon_w_sys3_deg + np.degrees(east)) / 15.0) % 24.0
        # The remainder of a tiny negative number rounds up to 24.
        return np.where(hours == 24.0, 0.0, hours)


def _length(vectors: Floats) -> Floats:
    return np.asarray(np.sqrt(np.einsum("i...,i...->...", vectors, vectors)))


def _angle_deg(a: Floats, b: Floats) -> Floats:
    """Angle between unit vectors, components first; exact for small ones, too (Kahan 2006)."""
    return np.degrees(2.0 * np.arctan2(_length(a - b), _length(a + b)))
