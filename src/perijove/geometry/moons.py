"""The Galilean moons: where they are and how large."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from perijove.constants import AU_KM

Floats = npt.NDArray[np.float64]

_DAY_S: Final = 86400.0
#: Mean radii, km (PCK pck00010; Archinal et al. 2018, Celest. Mech. Dyn. Astron. 130:22).
MOON_RADII_KM: Final[Mapping[str, float]] = {"Io": 1821.5, "Europa": 1560.8, "Ganymede": 2631.2, "Callisto": 2410.3}


@dataclass(frozen=True)
class MoonState:
    """A moon at one time.

    Attributes
    ----------
    name : str
    position_km : ndarray, (3,)
        From Jupiter's centre, J2000, geometric.
    radius_km : float
    """

    name: str
    position_km: Floats
    radius_km: float

    def __post_init__(self) -> None:
        frozen = np.array(self.position_km, float)
        frozen.flags.writeable = False
        object.__setattr__(self, "position_km", frozen)


def galilean_moons(et: float) -> list[MoonState]:
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
    for name, radius in MOON_RADII_KM.items():
        state = getattr(states, name.lower())
        found.append(MoonState(name, np.array([state.x, state.y, state.z]) * AU_KM, radius))
    return found
