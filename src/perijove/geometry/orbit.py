"""Juno's orbit about Jupiter: how it lies at each perijove, and how it is flown in the oblate field."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from perijove.constants import JUPITER_GM_KM3_S2, JUPITER_RADII_KM, JUPITER_ZONALS
from perijove.geometry.orientation import pole_j2000

Floats = npt.NDArray[np.float64]

_DAY_S: Final = 86400.0

# Orbit at perijove, osculating, against the equator and pole of Jupiter: orbit number, inclination and
# ascending node (degrees, node from the ascending node of the equator on the J2000 equator), perijove
# distance (km). From NAIF SPKs juno_rec_170106_170228_170307 and spk_pre_220614_221109_220810_jm0450.
_ORBITS: Final = np.array(
    [
        (4, 90.57, 270.97, 75400.0),
        (43, 96.90, 284.60, 73200.0),
        (44, 96.58, 285.03, 73350.0),
        (45, 97.21, 285.49, 73600.0),
        (46, 96.90, 285.95, 72900.0),
    ]
)
#: How far the perijove distance (relative) and the argument of perijove are from the values interpolated
#: between these orbits.
PERIJOVE_SPREAD: Final = 0.003
ARGUMENT_SPREAD_RAD: Final = 0.009
#: First orbit of each period in days (NASA mission plan: 53, then 43 after Ganymede, 38 after Europa, 33
#: after Io).
_PERIODS_DAYS: Final = ((0, 53.0), (34, 43.0), (45, 38.0), (57, 33.0))
# Juno passes perijove from north to south, at an argument that wanders north by about 0.85 degrees an orbit
# (3.8 degrees north of the equator at the first): orbit numbers and degrees.
_ARGUMENTS: Final = ((1, 4, 33, 34, 46), (176.2, 173.2, 147.0, 151.0, 141.5))


@dataclass(frozen=True)
class Orbit:
    """Osculating orbit at perijove.

    Attributes
    ----------
    inclination_rad, node_rad, argument_rad : float
        Against Jupiter's equator; the node from the equator's ascending node on the J2000 equator.
    perijove_km, semi_major_km : float
    """

    inclination_rad: float
    node_rad: float
    argument_rad: float
    perijove_km: float
    semi_major_km: float

    @classmethod
    def of(cls, number: int) -> "Orbit":
        """Orbit of a perijove number, interpolated between those that are known.

        Examples
        --------
        >>> orbit = Orbit.of(44)
        >>> round(orbit.perijove_km), round(orbit.semi_major_km, -3)
        (73350, 3538000.0)
        """
        inclination, node, perijove_km = (float(np.interp(number, _ORBITS[:, 0], _ORBITS[:, k])) for k in (1, 2, 3))
        days = [d for first, d in _PERIODS_DAYS if number >= first][-1]
        semi_major = (JUPITER_GM_KM3_S2 * (days * _DAY_S / (2 * np.pi)) ** 2) ** (1 / 3)
        argument = float(np.interp(number, *_ARGUMENTS))
        inclination, node, argument = (float(np.radians(angle)) for angle in (inclination, node, argument))
        return cls(inclination, node, argument, perijove_km, float(semi_major))

    @property
    def eccentricity(self) -> float:
        """Eccentricity."""
        return 1 - self.perijove_km / self.semi_major_km

    def normal(self, et: float) -> Floats:
        """Direction of the orbital angular momentum, J2000, (3,)."""
        pole = pole_vector(et)
        x = _equator_node(pole)
        y = np.cross(pole, x)
        sine, cosine = np.sin(self.inclination_rad), np.cos(self.inclination_rad)
        return np.asarray(sine * (np.sin(self.node_rad) * x - np.cos(self.node_rad) * y) + cosine * pole)

    def perijove_state(self, et: float) -> tuple[Floats, Floats]:
        """Position and velocity at perijove, relative to Jupiter's centre, J2000, km and km/s, (3,) each."""
        normal = self.normal(et)
        ascending = np.cross(pole_vector(et), normal)
        ascending /= np.linalg.norm(ascending)
        ahead = np.cross(normal, ascending)
        c, s = np.cos(self.argument_rad), np.sin(self.argument_rad)
        speed = np.sqrt(JUPITER_GM_KM3_S2 * (2 / self.perijove_km - 1 / self.semi_major_km))
        return self.perijove_km * (c * ascending + s * ahead), speed * (c * ahead - s * ascending)


def pole_vector(et: float) -> Floats:
    """Jupiter's north pole, J2000, (3,)."""
    ra, dec = pole_j2000(et)
    return np.array([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)])


def _equator_node(pole: Floats) -> Floats:
    x = np.cross([0.0, 0.0, 1.0], pole)
    return np.asarray(x / np.linalg.norm(x))


def propagate(position: Floats, velocity: Floats, times: Floats) -> tuple[Floats, Floats]:
    """States of a free fall in Jupiter's oblate field.

    Parameters
    ----------
    position, velocity : ndarray, (3,)
        Relative to Jupiter's centre, J2000, km and km/s.
    times : ndarray, (n,)
        Seconds after that state, ascending from zero.

    Returns
    -------
    position, velocity : ndarray, (n, 3)
    """
    from scipy.integrate import solve_ivp

    pole = pole_vector(0.0)
    solution = solve_ivp(
        lambda _, s: np.concatenate([s[3:], _gravity(s[:3], pole)]),
        (0.0, float(times[-1])),
        np.concatenate([position, velocity]),
        method="DOP853",
        t_eval=times,
        rtol=1e-10,
        atol=1e-6,
    )
    return solution.y[:3].T, solution.y[3:].T


def _gravity(position: Floats, pole: Floats) -> Floats:
    """Acceleration by Jupiter with its even zonal harmonics, km/s**2."""
    # Trial orbits of a fit may fall into the planet: the pull is capped there, so that they come out again.
    r = max(float(np.linalg.norm(position)), 0.5 * JUPITER_RADII_KM[2])
    radial = position / r
    sine = float(radial @ pole)
    # The gradient of P_n(sine) / r**(n + 1), term by term: along the radius, and towards the pole.
    outward, poleward = 1.0, 0.0
    for degree, strength in JUPITER_ZONALS.items():
        legendre, slope = _legendre(degree, sine)
        part = strength * (JUPITER_RADII_KM[0] / r) ** degree
        outward -= part * ((degree + 1) * legendre + slope * sine)
        poleward += part * slope
    return np.asarray(-JUPITER_GM_KM3_S2 / r**2 * (outward * radial + poleward * pole))


def _legendre(degree: int, x: float) -> tuple[float, float]:
    """Legendre polynomial and its derivative, by Bonnet's recursion."""
    before, value, slope_before, slope = 1.0, x, 0.0, 1.0
    for n in range(1, degree):
        following = ((2 * n + 1) * x * value - n * before) / (n + 1)
        slope_before, slope = slope, slope_before + (2 * n + 1) * value
        before, value = value, following
    return value, slope
