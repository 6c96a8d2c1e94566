"""The Galilean moons as the simulator shows them: plain discs of known size, place and albedo."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np
import numpy.typing as npt

from perijove.constants import AU_KM

_DAY_S: Final = 86400.0
# Mean radii, km (PCK pck00010; Archinal et al. 2018); geometric albedos about 440, 550, 700 nm and at 889 nm, where
# they have no methane (after the spectra in Clark and McCord 1980, Icarus 41:323; V albedos 0.62, 0.68, 0.44, 0.19).
_MOONS: Final = (
    ("Io", "io", 1821.5, (0.38, 0.62, 0.76, 0.78)),
    ("Europa", "europa", 1560.8, (0.56, 0.68, 0.72, 0.70)),
    ("Ganymede", "ganymede", 2631.2, (0.36, 0.44, 0.48, 0.47)),
    ("Callisto", "callisto", 2410.3, (0.15, 0.19, 0.21, 0.21)),
)


@dataclass(frozen=True)
class Moon:
    """A moon at one time.

    Attributes
    ----------
    name : str
    position_km : ndarray, (3,)
        From Jupiter's centre, J2000, geometric.
    radius_km : float
    albedo : mapping of str to float
        Geometric albedo of each band.
    """

    name: str
    position_km: npt.NDArray[np.float64]
    radius_km: float
    albedo: Mapping[str, float]


def moons(et: float) -> list[Moon]:
    """Io, Europa, Ganymede and Callisto.

    Parameters
    ----------
    et : float
        TDB seconds past J2000.

    Notes
    -----
    Theory L1 of Lainey et al. (2004) as astronomy-engine has it, in its frame EQJ, which is J2000.
    """
    import astronomy

    states = astronomy.JupiterMoons(astronomy.Time.FromTerrestrialTime(et / _DAY_S))
    found = []
    for name, key, radius, albedo in _MOONS:
        state = getattr(states, key)
        position = np.array([state.x, state.y, state.z]) * AU_KM
        position.flags.writeable = False
        bands = dict(zip(("BLUE", "GREEN", "RED", "METHANE"), albedo, strict=True))
        found.append(Moon(name, position, radius, MappingProxyType(bands)))
    return found
