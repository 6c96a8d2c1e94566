"""Jupiter's 1-bar ellipsoid: rays, normals, latitudes and longitudes.

Vectors are in the body-fixed, right-handed frame IAU_JUPITER, km. Longitudes that leave are System III west.
"""

import numpy as np
import numpy.typing as npt

from perijove.constants import JUPITER_RADII_KM

Floats = npt.NDArray[np.float64]

RADII_KM: Floats = np.array(JUPITER_RADII_KM)
RADII_KM.flags.writeable = False
_GRAPHIC_OVER_CENTRIC = (JUPITER_RADII_KM[0] / JUPITER_RADII_KM[2]) ** 2


def intersect(origin_km: npt.ArrayLike, direction: npt.ArrayLike) -> Floats:
    """First point where rays meet the ellipsoid.

    Parameters
    ----------
    origin_km, direction : array_like, (..., 3), broadcastable
        Start of the ray, outside the ellipsoid, and its direction, of any length.

    Returns
    -------
    ndarray, (..., 3)
        NaN where the ray misses or the ellipsoid lies behind.
    """
    o = np.asarray(origin_km, float)
    d = np.asarray(direction, float)
    so, sd = o / RADII_KM, d / RADII_KM
    a = np.sum(sd * sd, axis=-1)
    b = np.sum(so * sd, axis=-1)
    c = np.sum(so * so, axis=-1) - 1.0
    disc = b * b - a * c
    with np.errstate(invalid="ignore"):
        t = (-b - np.sqrt(np.where(disc >= 0, disc, np.nan))) / a
    t = np.where(t > 0, t, np.nan)
    return np.asarray(o + t[..., None] * d)


def limb_altitude_km(origin_km: npt.ArrayLike, direction: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Altitude at which rays pass the ellipsoid, and the range of that point.

    Parameters
    ----------
    origin_km, direction : array_like, (..., 3), broadcastable

    Returns
    -------
    altitude_km : ndarray, (...)
        Measured along the normal; negative where the ray enters. Exact to first order: the error is below
        1 m at 100 km.
    range_km : ndarray, (...)
        Distance from the origin to the point of closest approach.
    """
    o = np.asarray(origin_km, float)
    d = np.asarray(direction, float)
    d = d / np.linalg.norm(d, axis=-1, keepdims=True)
    so, sd = o / RADII_KM, d / RADII_KM
    t = -np.sum(so * sd, axis=-1) / np.sum(sd * sd, axis=-1)
    point = o + t[..., None] * d
    scaled = np.linalg.norm(point / RADII_KM, axis=-1)
    # Distance along the normal, not along the radius: gradient of the scaled norm.
    gradient = np.linalg.norm(point / RADII_KM**2, axis=-1) / scaled
    return (scaled - 1.0) / gradient, t


def normals(point_km: npt.ArrayLike) -> Floats:
    """Outward unit normals at points of the ellipsoid, (..., 3)."""
    n = np.asarray(point_km, float) / RADII_KM**2
    return np.asarray(n / np.linalg.norm(n, axis=-1, keepdims=True))


def to_lat_lon(point_km: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Planetographic latitude and System III west longitude of surface points.

    Parameters
    ----------
    point_km : array_like, (..., 3)

    Returns
    -------
    lat_graphic_deg, lon_w_sys3_deg : ndarray, (...)
        Longitude in [0, 360). NaN in, NaN out.
    """
    p = np.asarray(point_km, float)
    lat = np.degrees(np.arctan2(p[..., 2] * _GRAPHIC_OVER_CENTRIC, np.hypot(p[..., 0], p[..., 1])))
    lon = np.degrees(-np.arctan2(p[..., 1], p[..., 0])) % 360.0
    # The remainder of a tiny negative angle rounds up to 360.
    return lat, np.where(lon == 360.0, 0.0, lon)


def from_lat_lon(
    lat_graphic_deg: npt.ArrayLike, lon_w_sys3_deg: npt.ArrayLike, altitude_km: npt.ArrayLike = 0.0
) -> Floats:
    """Points from planetographic latitude, System III west longitude and altitude along the normal.

    Returns
    -------
    ndarray, (..., 3)

    Examples
    --------
    >>> from_lat_lon(0.0, 90.0, 100.0).round(6)
    array([     0., -71592.,      0.])
    """
    lat, lon = np.radians(lat_graphic_deg), -np.radians(lon_w_sys3_deg)
    n = np.stack(np.broadcast_arrays(np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)), -1)
    foot = n * RADII_KM**2 / np.linalg.norm(n * RADII_KM, axis=-1, keepdims=True)
    return np.asarray(foot + np.asarray(altitude_km, float)[..., None] * n)


def above(position_km: npt.ArrayLike) -> tuple[Floats, Floats, Floats]:
    """Where an observer stands: the nearest point of the ellipsoid and the height above it.

    Parameters
    ----------
    position_km : array_like, (..., 3)
        Body-fixed, outside the ellipsoid.

    Returns
    -------
    lat_graphic_deg, lon_w_sys3_deg, altitude_km : ndarray, (...)

    Examples
    --------
    >>> lat, lon, altitude = above(from_lat_lon(51.6238, 301.5612, 85911.5))
    >>> round(float(lat), 4), round(float(lon), 4), round(float(altitude), 1)
    (51.6238, 301.5612, 85911.5)
    """
    p = np.asarray(position_km, float)
    a, b = JUPITER_RADII_KM[0], JUPITER_RADII_KM[2]
    eccentricity2 = 1 - (b / a) ** 2
    rho, z = np.hypot(p[..., 0], p[..., 1]), p[..., 2]
    lat = np.arctan2(z, rho * (1 - eccentricity2))
    # The latitude at which the normal meets the observer; each round gains three digits.
    for _ in range(8):
        normal = a / np.sqrt(1 - eccentricity2 * np.sin(lat) ** 2)
        lat = np.arctan2(z + eccentricity2 * normal * np.sin(lat), rho)
    normal = a / np.sqrt(1 - eccentricity2 * np.sin(lat) ** 2)
    altitude = rho * np.cos(lat) + z * np.sin(lat) - a * a / normal
    return np.degrees(lat), np.degrees(-np.arctan2(p[..., 1], p[..., 0])) % 360.0, altitude


def lat_centric_deg(lat_graphic_deg: npt.ArrayLike) -> Floats:
    """Planetocentric latitude of a surface point from its planetographic latitude."""
    return np.asarray(np.degrees(np.arctan(np.tan(np.radians(lat_graphic_deg)) / _GRAPHIC_OVER_CENTRIC)))


def lat_graphic_deg(lat_centric_deg: npt.ArrayLike) -> Floats:
    """Planetographic latitude of a surface point from its planetocentric latitude.

    Examples
    --------
    >>> lat_graphic_deg([0.0, 45.0, 90.0]).round(3)
    array([ 0.   , 48.832, 90.   ])
    """
    return np.asarray(np.degrees(np.arctan(np.tan(np.radians(lat_centric_deg)) * _GRAPHIC_OVER_CENTRIC)))
