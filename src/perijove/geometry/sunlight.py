"""Where the Sun stands for a point of Jupiter: at its distance, with its light time and aberration."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from perijove.constants import AU_KM, LIGHT_SPEED_KM_S
from perijove.errors import OptionError

Floats = npt.NDArray[np.float64]

_DAY_S: Final = 86400.0


@dataclass(frozen=True)
class Sunlight:
    """The Sun and Jupiter's own motion around the time of an image.

    Attributes
    ----------
    et : float
        TDB seconds past J2000.
    sun_km : ndarray, (3,)
        From Jupiter's centre at ``et`` to where the Sun was when the light left it that arrives then, J2000.
    jupiter_velocity_km_s : ndarray, (3,)
        Of Jupiter's centre against the barycentre of the solar system, J2000.
    """

    et: float
    sun_km: Floats
    jupiter_velocity_km_s: Floats

    def __post_init__(self) -> None:
        for name in ("sun_km", "jupiter_velocity_km_s"):
            frozen = np.array(getattr(self, name), float)
            if frozen.shape != (3,) or not np.all(np.isfinite(frozen)):
                raise OptionError(f"{name} is {getattr(self, name)!r}; give three finite numbers")
            frozen.flags.writeable = False
            object.__setattr__(self, name, frozen)

    def sun_from_jupiter(self, et: npt.ArrayLike) -> Floats:
        """From Jupiter's centre to the Sun as in ``sun_km``, at times within minutes of ``et``, (..., 3), km.

        Jupiter moves on; the Sun's own 13 m/s do not count.
        """
        later = np.asarray(et, float)[..., None] - self.et
        return np.asarray(self.sun_km - later * self.jupiter_velocity_km_s)


def sunlight_at(et: float) -> Sunlight:
    """Sun and Jupiter from the analytic ephemeris of astronomy-engine (VSOP87, truncated).

    Parameters
    ----------
    et : float
        TDB seconds past J2000.

    Returns
    -------
    Sunlight
        Against JPL's ephemeris (kernels of 2017 and 2022) the direction is off by up to 0.0017 degrees and the
        distance by 1.4e-5. From Jupiter the Sun's disc measures 0.1 degrees.

    Examples
    --------
    >>> import numpy as np
    >>> light = sunlight_at(0.0)
    >>> print(np.linalg.norm(light.sun_km).round(-6), np.linalg.norm(light.jupiter_velocity_km_s).round(1))
    743000000.0 13.7
    """
    jupiter, velocity = barycentric("Jupiter", et)
    sun, sun_velocity = barycentric("Sun", et)
    light_time = 0.0
    # The Sun moves by 13 m/s: the second round is already exact.
    for _ in range(2):
        seen = sun - light_time * sun_velocity - jupiter
        light_time = float(np.linalg.norm(seen)) / LIGHT_SPEED_KM_S
    return Sunlight(et, seen, velocity)


def aberrated(direction: Floats, beta: Floats) -> Floats:
    """Where a source appears to a moving observer.

    Parameters
    ----------
    direction : ndarray, (3, ...)
        True unit vectors to the source; components on the first axis.
    beta : ndarray, (3, ...)
        Velocity of the observer over the speed of light.

    Returns
    -------
    ndarray, (3, ...)
        Unit vectors, turned towards the velocity by the angle whose sine is the part of ``beta`` across the
        direction (as SPICE's STELAB has it).
    """
    along = np.einsum("i...,i...->...", direction, beta)
    across2 = np.einsum("i...,i...->...", beta, beta) - along * along
    return np.asarray(direction * (np.sqrt(1.0 - across2) - along) + beta)


def barycentric(body: str, et: float) -> tuple[Floats, Floats]:
    """Position and velocity of a planet or the Sun against the barycentre of the solar system, J2000, km and km/s."""
    import astronomy

    state = astronomy.BaryState(astronomy.Body[body], astronomy.Time.FromTerrestrialTime(et / _DAY_S))
    position = np.array([state.x, state.y, state.z]) * AU_KM
    return position, np.array([state.vx, state.vy, state.vz]) * (AU_KM / _DAY_S)
