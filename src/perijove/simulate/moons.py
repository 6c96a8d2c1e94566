"""The Galilean moons as the simulator shows them: plain discs of known size, place and albedo."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from perijove.geometry.moons import MoonState, galilean_moons

# Geometric albedos about 440, 550, 700 nm and at 889 nm, where they have no methane (after the spectra in Clark and
# McCord 1980, Icarus 41:323; V albedos 0.62, 0.68, 0.44, 0.19).
_ALBEDOS: Final = {
    "Io": (0.38, 0.62, 0.76, 0.78),
    "Europa": (0.56, 0.68, 0.72, 0.70),
    "Ganymede": (0.36, 0.44, 0.48, 0.47),
    "Callisto": (0.15, 0.19, 0.21, 0.21),
}


@dataclass(frozen=True)
class Moon(MoonState):
    """A moon at one time, and how bright it is.

    Attributes
    ----------
    albedo : mapping of str to float
        Geometric albedo of each band.
    """

    albedo: Mapping[str, float]


def moons(et: float) -> list[Moon]:
    """Io, Europa, Ganymede and Callisto.

    Parameters
    ----------
    et : float
        TDB seconds past J2000.
    """
    found = []
    for moon in galilean_moons(et):
        bands = dict(zip(("BLUE", "GREEN", "RED", "METHANE"), _ALBEDOS[moon.name], strict=True))
        found.append(Moon(moon.name, moon.position_km, moon.radius_km, MappingProxyType(bands)))
    return found
