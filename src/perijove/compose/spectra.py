"""Spectra that the colours of Jupiter follow from: its albedo, sunlight, the camera's bands, the eye.

All tables and curves are sampled every 10 nm between 380 and 900 nm (`WAVELENGTH_NM`).
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def _frozen(values: npt.ArrayLike) -> Floats:
    array = np.array(values, float)
    array.flags.writeable = False
    return array


#: Centres of the samples, nm.
WAVELENGTH_NM: Final = _frozen(np.arange(380.0, 901.0, 10.0))

#: Full-disc albedo of Jupiter, phase 6.8 degrees, means over 10 nm (Karkoschka 1994, Icarus 111:174; 1995 data).
JUPITER_ALBEDO: Final = _frozen(
    [
        0.323, 0.336, 0.348, 0.362, 0.380, 0.395, 0.407, 0.421, 0.433, 0.444, 0.453, 0.464, 0.475, 0.482, 0.492, 0.498,
        0.490, 0.503, 0.517, 0.518, 0.520, 0.521, 0.520, 0.510, 0.452, 0.516, 0.510, 0.496, 0.509, 0.511, 0.525, 0.519,
        0.481, 0.488, 0.371, 0.276, 0.470, 0.503, 0.467, 0.454, 0.402, 0.337, 0.364, 0.429, 0.464, 0.477, 0.401, 0.419,
        0.239, 0.264, 0.180, 0.042, 0.101,
    ]
)  # fmt: skip

#: Passbands, nm (calibration report MSSS-JUNOCAM-DOC-0102, "CAL").
PASSBANDS_NM: Final[Mapping[str, tuple[float, float]]] = MappingProxyType(
    {"BLUE": (420.0, 520.0), "GREEN": (500.0, 600.0), "RED": (600.0, 800.0)}
)
#: Quantum efficiency of the detector: 0.56 at its peak near 460 nm (CAL), falling off as interline detectors of its
#: family do. Only its slope within a band counts; docs/decisions/colour.md says what an error of it does.
_EFFICIENCY: Final = (
    (380.0, 400.0, 430.0, 460.0, 500.0, 550.0, 600.0, 650.0, 700.0, 750.0, 800.0, 850.0, 900.0),
    (0.40, 0.46, 0.54, 0.56, 0.54, 0.47, 0.38, 0.30, 0.22, 0.155, 0.105, 0.07, 0.045),
)
#: Effective temperature of the Sun, K (IAU 2015 resolution B3).
_SUN_K: Final = 5772.0
#: Second radiation constant, nm K (CODATA 2018).
_RADIATION_NM_K: Final = 1.438776877e7

#: CIE 1931 observer as sums of two-sided Gaussians: height, centre (nm), and inverse widths below and above it
#: (Wyman, Sloan & Shirley 2013, JCGT 2(2):1, table 1 of the multi-lobe fit).
_LOBES: Final = (
    ((0.362, 442.0, 0.0624, 0.0374), (1.056, 599.8, 0.0264, 0.0323), (-0.065, 501.1, 0.0490, 0.0382)),
    ((0.821, 568.8, 0.0213, 0.0247), (0.286, 530.9, 0.0613, 0.0322)),
    ((1.217, 437.0, 0.0845, 0.0278), (0.681, 459.0, 0.0385, 0.0725)),
)


def planck(temperature_k: float) -> Floats:
    """Spectrum of a black body, energy, any unit, (wavelength,)."""
    power = np.expm1(_RADIATION_NM_K / (WAVELENGTH_NM * temperature_k))
    return np.asarray((WAVELENGTH_NM / 500.0) ** -5 / power)


def sunlight() -> Floats:
    """Spectrum of the Sun as a black body of its effective temperature, energy, any unit, (wavelength,)."""
    return planck(_SUN_K)


def observer() -> Floats:
    """Colour matching functions of the CIE 1931 observer, (3, wavelength).

    Examples
    --------
    >>> x, y, z = observer()
    >>> float(WAVELENGTH_NM[y.argmax()])
    550.0
    """
    curves = []
    for lobes in _LOBES:
        curve = np.zeros_like(WAVELENGTH_NM)
        for height, centre, below, above in lobes:
            off = WAVELENGTH_NM - centre
            curve += height * np.exp(-0.5 * (off * np.where(off < 0, below, above)) ** 2)
        curves.append(curve)
    return np.array(curves)


def response(band: str) -> Floats:
    """Counts per energy at the detector, any unit, (wavelength,): photons times efficiency within the passband."""
    low, high = PASSBANDS_NM[band]
    inside = np.clip(np.minimum(WAVELENGTH_NM - low, high - WAVELENGTH_NM) / 10.0 + 0.5, 0.0, 1.0)
    return np.asarray(inside * WAVELENGTH_NM * np.interp(WAVELENGTH_NM, *_EFFICIENCY))


def band_reflectance(band: str, reflectance: npt.ArrayLike) -> Floats:
    """Reflectance that a band sees in sunlight, (...), of spectra (..., wavelength).

    Examples
    --------
    >>> [round(float(band_reflectance(band, JUPITER_ALBEDO)), 3) for band in ("RED", "GREEN", "BLUE")]
    [0.476, 0.503, 0.443]
    """
    weight = sunlight() * response(band)
    return np.asarray(np.asarray(reflectance, float) @ weight / weight.sum())


def published_ratios() -> tuple[float, float]:
    """Red over green and blue over green of the whole disc, from the published albedo."""
    red, green, blue = (float(band_reflectance(band, JUPITER_ALBEDO)) for band in ("RED", "GREEN", "BLUE"))
    return red / green, blue / green
