"""Angles of the light: where the Sun and the observer stand above each point of the ground."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from perijove.geometry.ellipsoid import RADII_KM

Points = npt.NDArray[np.float64]
Plane = npt.NDArray[np.float32]

#: Points whose coordinates over the radii have a larger square belong to a line of sight that misses the ellipsoid.
_ON_GROUND = 1.0 + 1e-9


@dataclass(frozen=True)
class Angles:
    """Angles of the light at points of the ground; read-only.

    Attributes
    ----------
    mu0 : ndarray, (...), float32
        Cosine of incidence, negative at night; NaN in the sky.
    mu : ndarray, (...), float32
        Cosine of emission, negative beyond the horizon; NaN in the sky.
    phase_deg : ndarray, (...), float32
        Between Sun and observer; NaN in the sky.
    """

    mu0: Plane
    mu: Plane
    phase_deg: Plane

    def __post_init__(self) -> None:
        for name in ("mu0", "mu", "phase_deg"):
            frozen = np.asarray(getattr(self, name), np.float32).view()
            frozen.flags.writeable = False
            object.__setattr__(self, name, frozen)

    @classmethod
    def of_ground(cls, ground_km: Points, observer_km: npt.ArrayLike, sun: npt.ArrayLike) -> "Angles":
        """Angles at points that an observer sees.

        Parameters
        ----------
        ground_km : ndarray, (..., 3)
            Body-fixed; NaN, or beside the ellipsoid, is sky.
        observer_km : array_like, (3,)
            Body-fixed.
        sun : array_like, (3,)
            Unit vector, body-fixed.

        Returns
        -------
        Angles
            Of an image good to 0.05 degrees, where the observer is the spacecraft at mid-image: its way during the
            image and the aberration are left out. Backplanes have them exactly.

        Examples
        --------
        The Sun overhead on the equator, the observer far above the pole:

        >>> angles = Angles.of_ground(np.array([71492.0, 0.0, 0.0]), (0.0, 0.0, 1e9), (1.0, 0.0, 0.0))
        >>> float(angles.mu0), round(float(angles.phase_deg), 1)
        (1.0, 90.0)
        """
        ground = np.asarray(ground_km, float)
        with np.errstate(invalid="ignore"):
            sky = ~((ground * ground) @ RADII_KM**-2 < _ON_GROUND)
        up = (ground / RADII_KM**2).astype(np.float32)
        up /= np.sqrt(np.einsum("...i,...i->...", up, up))[..., None]
        look = (np.asarray(observer_km, float) - ground).astype(np.float32)
        look /= np.sqrt(np.einsum("...i,...i->...", look, look))[..., None]
        sunward = np.asarray(sun, np.float32)
        phase = np.degrees(np.arccos(np.clip(look @ sunward, -1.0, 1.0)))
        planes = (up @ sunward, np.einsum("...i,...i->...", up, look), phase)
        return cls(*(np.where(sky, np.float32(np.nan), plane) for plane in planes))

    @classmethod
    def from_above(cls, shape: tuple[int, ...] = ()) -> "Angles":
        """Sun and observer overhead everywhere: where every law is 1."""
        one, zero = np.ones(shape, np.float32), np.zeros(shape, np.float32)
        return cls(one, one, zero)


__all__ = ["Angles"]
