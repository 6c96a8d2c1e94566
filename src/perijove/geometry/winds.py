"""Jupiter's zonal wind: a compact profile of the cloud-top jets, and what it carries along."""

from typing import Final

import numpy as np
import numpy.typing as npt

from perijove.constants import JUPITER_RADII_KM
from perijove.geometry.ellipsoid import to_lat_lon

Floats = npt.NDArray[np.float64]

#: Planetographic latitude, degrees, and eastward speed in System III, m/s. Rounded from the profile that Hubble saw on
#: 2016-12-11 and 2017-02-01 (Tollefson et al. 2017, Icarus 296:163), poleward of 67 N together with Cassini's of
#: 2000 (Porco et al. 2003, Science 299:1541). The cubic through these lies within 7 m/s of it. Poleward of 70
#: there is no profile; the wind is let die out towards 76.
JETS: Final = (
    (-90, 0), (-76, 0), (-70, 0), (-68.5, 6), (-67, 33), (-64.5, 7), (-62.5, 9), (-61.5, 20), (-59.5, 1), (-56, -9),
    (-52.5, 37), (-51, 9), (-47.5, -18), (-46, 17), (-44.5, 28), (-43.5, 39), (-41.5, 12), (-39, -5), (-37, 41),
    (-36, 49), (-34.5, 15), (-32.5, -15), (-29.5, 19), (-25.5, 36), (-24, 10), (-22, -22), (-20, -54), (-15, 17),
    (-12, 42), (-10, 53), (-9, 82), (-8, 133), (-7, 145), (-4.5, 97), (-1.5, 71), (1.5, 74), (6, 107), (9, 98),
    (12.5, 36), (17.5, -21), (20.5, 23), (22, 87), (24, 141), (26.5, 59), (29, 16), (31, -27), (35.5, 35),
    (36.5, 31), (37.5, 4), (39, -19), (41.5, 5), (42.5, 20), (44.5, 1), (47, 16), (49, 1), (52.5, -6), (56, 22),
    (57.5, 2), (60.5, -6), (64, 15), (66.5, 8), (68.5, 25), (70, 8), (76, 0), (90, 0),
)  # fmt: skip
_JETS: Final = np.array(JETS, float)


def wind_m_s(lat_graphic_deg: npt.ArrayLike) -> Floats:
    """Eastward zonal wind in System III, m/s, at planetographic latitudes.

    Parameters
    ----------
    lat_graphic_deg : array_like, (...)

    Returns
    -------
    ndarray, (...)
        NaN in, NaN out.

    Examples
    --------
    >>> wind_m_s([-7.0, 24.0, 31.0])
    array([145., 141., -27.])
    """
    from scipy.interpolate import PchipInterpolator

    return np.asarray(PchipInterpolator(_JETS[:, 0], _JETS[:, 1])(np.asarray(lat_graphic_deg, float)))


def metres_per_degree(lat_graphic_deg: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Length of a degree of longitude and of planetographic latitude on the 1-bar ellipsoid, metres."""
    a, _, b = JUPITER_RADII_KM
    lat = np.radians(np.asarray(lat_graphic_deg, float))
    # Radii of curvature of an ellipse, in the prime vertical and in the meridian.
    w2 = np.cos(lat) ** 2 + (b / a * np.sin(lat)) ** 2
    prime, meridian = a / np.sqrt(w2), b * b / a / w2**1.5
    to_metres = 1e3 * np.pi / 180.0
    return np.asarray(prime * np.cos(lat) * to_metres), np.asarray(meridian * to_metres)


def drift_deg_s(lat_graphic_deg: npt.ArrayLike) -> Floats:
    """Eastward angular speed of the clouds in System III, degrees per second; 0 at the poles."""
    lat = np.asarray(lat_graphic_deg, float)
    along, _ = metres_per_degree(lat)
    return np.asarray(np.where(np.abs(lat) < 76.0, wind_m_s(lat) / np.maximum(along, 1.0), 0.0))


def blown(ground_km: Floats, seconds: float) -> Floats:
    """Where the zonal wind carries clouds.

    Parameters
    ----------
    ground_km : ndarray, (..., 3)
        Body-fixed; NaN in, NaN out.
    seconds : float

    Returns
    -------
    ndarray, (..., 3)
    """
    angle = np.radians(drift_deg_s(to_lat_lon(ground_km)[0])) * seconds
    c, s = np.cos(angle), np.sin(angle)
    x, y, z = np.moveaxis(np.asarray(ground_km, float), -1, 0)
    return np.stack([c * x - s * y, s * x + c * y, z], axis=-1)
