"""How the procedural Jupiter scatters light: limb darkening, haze above the limb, a soft terminator."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from perijove.errors import OptionError

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class BandPhotometry:
    """Scattering in one band.

    Attributes
    ----------
    minnaert_k : float
        I/F = albedo mu0^k mu^(k - 1).
    haze_scale_km : float
        Scale height of the haze.
    haze_top_km : float
        Altitude at which a ray that passes the limb meets an optical depth of one.
    twilight_width : float
        Over this range of mu0 about zero the light of the terminator fades.
    """

    minnaert_k: float
    haze_scale_km: float
    haze_top_km: float
    twilight_width: float

    @property
    def half_light_km(self) -> float:
        """Altitude of the limb that one sees: where half of its brightness is left."""
        return self.haze_top_km - self.haze_scale_km * float(np.log(np.log(2.0)))

    def haze(self, altitude_km: npt.ArrayLike) -> Floats:
        """Part of the limb's brightness that is left on rays that pass it at these altitudes, (...).

        Notes
        -----
        1 - exp(-tau), tau = exp((top - altitude) / scale): opaque below the top, thin above it.

        Examples
        --------
        >>> red = photometry("RED")
        >>> round(float(red.haze(red.half_light_km)), 6)
        0.5
        """
        with np.errstate(over="ignore"):
            tau = np.exp((self.haze_top_km - np.asarray(altitude_km, float)) / self.haze_scale_km)
        return np.asarray(-np.expm1(-tau))


# Minnaert's k of Jupiter near full phase lies between 0.8 and 1, larger in red than in blue, where the haze scatters
# (Mendikoa et al. 2017, A&A 607:A72); in methane the limb darkens least. Haze: about 25 km to a scale height; the
# limb of JunoCam's colour images stands 130 to 190 km above 1 bar, 9 km higher in blue and lower in red than in green,
# that of its methane images higher (this project's fits of perijoves 43 and 44).
_PHOTOMETRY: Final = {
    "BLUE": BandPhotometry(0.88, 26.0, 140.0, 0.030),
    "GREEN": BandPhotometry(0.94, 26.0, 131.0, 0.026),
    "RED": BandPhotometry(0.97, 25.0, 122.0, 0.024),
    "METHANE": BandPhotometry(0.80, 30.0, 190.0, 0.035),
}


def photometry(band: str) -> BandPhotometry:
    """Scattering of a band.

    Raises
    ------
    OptionError
        If there is no such band.
    """
    if band not in _PHOTOMETRY:
        raise OptionError(f"no band is called {band!r}; choose one of {', '.join(_PHOTOMETRY)}")
    return _PHOTOMETRY[band]
