"""Jupiter's pole and System III prime meridian."""

from typing import Final

import numpy as np
import numpy.typing as npt

from perijove.geometry.rotation import rotation_about

Floats = npt.NDArray[np.float64]

_DAY_S: Final = 86400.0
_CENTURY_S: Final = 36525 * _DAY_S
#: Rotation rate of System III, rad/s (PCK: 870.536 degrees a day).
SPIN_RATE_RAD_S: Final = float(np.radians(870.5360000) / _DAY_S)

# PCK pck00010: Ja .. Je in degrees and degrees a century, with amplitudes in right ascension (times sine)
# and declination (times cosine), degrees.
_ANGLES: Final = np.array(
    [
        (99.360714, 4850.4046, 0.000117, 0.000050),
        (175.895369, 1191.9605, 0.000938, 0.000404),
        (300.323162, 262.5475, 0.001432, 0.000617),
        (114.012305, 6070.2476, 0.000030, -0.000013),
        (49.511251, 64.3000, 0.002150, 0.000926),
    ]
)


def pole_j2000(et: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Right ascension and declination of Jupiter's north pole, radians (PCK)."""
    centuries = np.asarray(et, float)[..., None] / _CENTURY_S
    angle = np.radians(_ANGLES[:, 0] + _ANGLES[:, 1] * centuries)
    t = centuries[..., 0]
    ra = 268.056595 - 0.006499 * t + np.sum(_ANGLES[:, 2] * np.sin(angle), axis=-1)
    dec = 64.495303 + 0.002413 * t + np.sum(_ANGLES[:, 3] * np.cos(angle), axis=-1)
    return np.radians(ra), np.radians(dec)


def j2000_to_jupiter(et: npt.ArrayLike) -> Floats:
    """Matrices that take J2000 vectors to the body-fixed frame IAU_JUPITER.

    Parameters
    ----------
    et : array_like, (...)
        TDB seconds past J2000.

    Returns
    -------
    ndarray, (..., 3, 3)
    """
    et = np.asarray(et, float)
    ra, dec = pole_j2000(et)
    meridian = np.radians((284.95 + 870.5360000 * (et / _DAY_S)) % 360.0)
    return (
        rotation_about("z", -meridian) @ rotation_about("x", dec - np.pi / 2) @ rotation_about("z", -(ra + np.pi / 2))
    )
