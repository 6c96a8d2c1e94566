"""Pointing: what the gather kernel eats, frame by frame."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from perijove.constants import LIGHT_SPEED_KM_S
from perijove.geometry.camera import Camera
from perijove.geometry.ellipsoid import intersect
from perijove.geometry.orientation import SPIN_RATE_RAD_S, j2000_to_jupiter

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Pointing:
    """Where the camera was and how it was turned, for each frame of an image.

    Attributes
    ----------
    et : ndarray, (frames,)
        Effective time of each frame, TDB seconds past J2000.
    camera_to_j2000 : ndarray, (frames, 3, 3)
    position_km, velocity_km_s : ndarray, (frames, 3)
        Geometric state of Juno relative to Jupiter's centre, J2000.
    sun, earth : ndarray, (3,)
        Unit vectors from Jupiter, J2000.
    cameras : mapping of str to Camera
        By band.
    """

    et: Floats
    camera_to_j2000: Floats
    position_km: Floats
    velocity_km_s: Floats
    sun: Floats
    earth: Floats
    cameras: Mapping[str, Camera]

    def __post_init__(self) -> None:
        for name in ("et", "camera_to_j2000", "position_km", "velocity_km_s", "sun", "earth"):
            frozen = np.array(getattr(self, name), float)
            frozen.flags.writeable = False
            object.__setattr__(self, name, frozen)

    @property
    def frames(self) -> int:
        """Number of frames."""
        return len(self.et)

    @property
    def mid_frame(self) -> int:
        """Index of the frame at, or just after, the middle of the image."""
        return self.frames // 2

    @cached_property
    def jupiter_from_j2000(self) -> Floats:
        """Matrices to the body-fixed frame at each frame's time, (frames, 3, 3)."""
        return j2000_to_jupiter(self.et)

    @cached_property
    def camera_from_jupiter(self) -> Floats:
        """Matrices from the body-fixed frame to the camera, (frames, 3, 3)."""
        j2000_from_jupiter = np.swapaxes(self.jupiter_from_j2000, -1, -2)
        return np.asarray(np.swapaxes(self.camera_to_j2000, -1, -2) @ j2000_from_jupiter)

    @cached_property
    def position_fixed_km(self) -> Floats:
        """Juno in the body-fixed frame at each frame's time, (frames, 3), km."""
        return np.asarray(np.einsum("nij,nj->ni", self.jupiter_from_j2000, self.position_km))

    @cached_property
    def aberration_fixed(self) -> Floats:
        """Juno's inertial velocity over the speed of light, in the body-fixed frame, (frames, 3)."""
        beta = self.velocity_km_s / LIGHT_SPEED_KM_S
        return np.asarray(np.einsum("nij,nj->ni", self.jupiter_from_j2000, beta))

    @cached_property
    def sun_fixed(self) -> Floats:
        """Direction of the Sun in the body-fixed frame at the middle frame, (3,)."""
        return np.asarray(self.jupiter_from_j2000[self.mid_frame] @ self.sun)

    def rays(self, band: str, frame: npt.ArrayLike, x: npt.ArrayLike, y: npt.ArrayLike) -> Floats:
        """Look along pixels: true directions in the body-fixed frame.

        Parameters
        ----------
        band : str
        frame : array_like of int, (...)
        x, y : array_like, (...)
            Pixel coordinates, centres at + 0.5.

        Returns
        -------
        ndarray, (..., 3)
            Unit vectors, stellar aberration removed.
        """
        frame = np.asarray(frame)
        seen = self.cameras[band].directions(x, y)
        fixed = np.einsum("...ji,...j->...i", self.camera_from_jupiter[frame], seen)
        true = fixed - self.aberration_fixed[frame]
        return np.asarray(true / np.linalg.norm(true, axis=-1, keepdims=True))

    def ground(self, band: str, frame: npt.ArrayLike, x: npt.ArrayLike, y: npt.ArrayLike) -> Floats:
        """Points of the ellipsoid that pixels saw, corrected for light time and aberration.

        Returns
        -------
        ndarray, (..., 3)
            Body-fixed, km, as the ground lay when the light left it; NaN for sky.
        """
        frame = np.asarray(frame)
        rays = self.rays(band, frame, x, y)
        apparent = intersect(self.position_fixed_km[frame], rays)
        return ground_from_apparent(apparent, self.position_fixed_km[frame])

    def pixels(self, band: str, frame: npt.ArrayLike, ground_km: npt.ArrayLike) -> tuple[Floats, Floats]:
        """Pixel coordinates at which framelets see ground points; the inverse of :meth:`ground`.

        Parameters
        ----------
        band : str
        frame : array_like of int, (...)
        ground_km : array_like, (..., 3)
            Body-fixed. What the planet hides is not noticed.

        Returns
        -------
        x, y : ndarray, (...)
            May lie outside the framelet; NaN behind the camera.
        """
        frame = np.asarray(frame)
        observer = self.position_fixed_km[frame]
        apparent = turned_by_light_time(np.asarray(ground_km, float), observer, -1.0)
        true = apparent - observer
        seen = true / np.linalg.norm(true, axis=-1, keepdims=True) + self.aberration_fixed[frame]
        return self.cameras[band].pixels(np.einsum("...ij,...j->...i", self.camera_from_jupiter[frame], seen))


def ground_from_apparent(apparent_km: Floats, observer_km: Floats) -> Floats:
    """Undo Jupiter's rotation during the light time.

    Parameters
    ----------
    apparent_km : ndarray, (..., 3)
        Where the ray meets the ellipsoid as it stands at reception.
    observer_km : ndarray, (..., 3)

    Returns
    -------
    ndarray, (..., 3)
        The same inertial point in body-fixed coordinates of the moment of emission.
    """
    return turned_by_light_time(apparent_km, observer_km, 1.0)


def turned_by_light_time(point_km: Floats, observer_km: Floats, sense: float) -> Floats:
    """Points turned about the pole by what the planet turns in the light time to the observer, times ``sense``."""
    light_time = np.linalg.norm(point_km - observer_km, axis=-1) / LIGHT_SPEED_KM_S
    angle = sense * SPIN_RATE_RAD_S * light_time
    c, s = np.cos(angle), np.sin(angle)
    x, y = point_km[..., 0], point_km[..., 1]
    return np.stack([c * x - s * y, s * x + c * y, point_km[..., 2]], axis=-1)
