"""From counts to I/F: the counts of a white surface, by band, exposure, solar distance and orbit.

Response: calibration report MSSS-JUNOCAM-DOC-0102 (2010), "CAL". Widths: those ISIS uses. Loss of throughput
with the orbits: EPSC-DPS2025-1226 and ERRATA.TXT of the PDS volumes.
"""

import math
from dataclasses import dataclass
from typing import Final

from perijove.constants import AU_KM
from perijove.errors import LabelError

#: Sun to Jupiter, AU, where a label does not say.
DEFAULT_SOLAR_DISTANCE_AU: Final = 5.2
#: RDR value of a white Lambert surface that faces the Sun (SIS 4.3.1.3).
RDR_WHITE: Final = 10000.0
#: The published lines of throughput are fitted up to orbit 60; none is continued below this.
_THROUGHPUT_FLOOR = 0.2


@dataclass(frozen=True)
class BandResponse:
    """Radiometric numbers of a band.

    Attributes
    ----------
    dn_per_s : float
        Counts per second for an in-band radiance of 1 W m-2 sr-1 (CAL).
    width_nm : float
        Width of the band as ISIS takes it, nm.
    solar_w_m2_nm : float
        Solar irradiance at 1 AU around the centre of the band, W m-2 nm-1.
    throughput : tuple of float
        Relative throughput at orbit 0 and its loss per orbit.
    """

    dn_per_s: float
    width_nm: float
    solar_w_m2_nm: float
    throughput: tuple[float, float]


#: No loss has been published for methane: 1 at all orbits.
RESPONSES: Final = {
    "METHANE": BandResponse(57761.0, 20.0, 0.94, (1.0, 0.0)),
    "BLUE": BandResponse(262186.0, 45.5, 2.04, (1.07, 0.0108)),
    "GREEN": BandResponse(332944.0, 79.3, 1.87, (1.05, 0.00787)),
    "RED": BandResponse(217239.0, 175.4, 1.42, (1.01, 0.00391)),
}


def _response(band: str) -> BandResponse:
    try:
        return RESPONSES[band]
    except KeyError:
        known = ", ".join(RESPONSES)
        message = f"band {band!r} is not one of JunoCam's ({known}): check FILTER_NAME of the label"
        raise LabelError(message) from None


def throughput(band: str, orbit: int) -> float:
    """Throughput of a band at an orbit, relative to the new camera.

    Parameters
    ----------
    band : str
    orbit : int
        Orbit (perijove) number.

    Returns
    -------
    float

    Raises
    ------
    LabelError
        The band is not one of the camera's.

    Examples
    --------
    >>> round(throughput("BLUE", 43), 4)
    0.6056
    """
    start, loss = _response(band).throughput
    return max(start - loss * max(orbit, 0), _THROUGHPUT_FLOOR)


def new_camera_white_dn(band: str, exposure_s: float, solar_distance_km: float) -> float:
    """Compute the counts of a white surface that faces the Sun (I/F = 1) in the camera as launched.

    Parameters
    ----------
    band : str
    exposure_s : float
        EXPOSURE_DURATION: the sum over the TDI stages.
    solar_distance_km : float
        NaN stands for 5.2 AU.

    Returns
    -------
    float
        DN.

    Raises
    ------
    LabelError
        The band is unknown, or exposure or distance is not positive.

    Examples
    --------
    >>> distance = 5.2 * 149597870.7
    >>> [round(new_camera_white_dn(band, 0.0032, distance)) for band in ("BLUE", "GREEN", "RED")]
    [917, 1860, 2038]
    """
    response = _response(band)
    if not exposure_s > 0.0:
        raise LabelError(f"EXPOSURE_DURATION is {exposure_s} s: it must be positive; check the label")
    return response.dn_per_s * exposure_s * white_radiance(band, solar_distance_km)


def white_radiance(band: str, solar_distance_km: float) -> float:
    """Compute the in-band radiance of a white Lambert surface that faces the Sun: radiance is I/F times this.

    Parameters
    ----------
    band : str
    solar_distance_km : float
        NaN stands for 5.2 AU.

    Returns
    -------
    float
        W m-2 sr-1, over the width of the band.

    Raises
    ------
    LabelError
        The band is unknown, or the distance is not positive.

    Examples
    --------
    >>> round(white_radiance("GREEN", 5.2 * 149597870.7), 4)
    1.7457
    """
    response = _response(band)
    if solar_distance_km <= 0.0:
        raise LabelError(f"SOLAR_DISTANCE is {solar_distance_km} km: it must be positive; check the label")
    unknown = math.isnan(solar_distance_km)
    distance_au = DEFAULT_SOLAR_DISTANCE_AU if unknown else solar_distance_km / AU_KM
    return response.solar_w_m2_nm * response.width_nm / (math.pi * distance_au**2)


def rdr_scale(band: str, orbit: int) -> float:
    """Value of I/F = 1 in the mission's calibrated products (RDR), which leave out the loss of throughput.

    Parameters
    ----------
    band : str
    orbit : int

    Returns
    -------
    float
        Divide RDR values by it.

    Raises
    ------
    LabelError
        The band is unknown.

    Examples
    --------
    >>> round(rdr_scale("BLUE", 43))
    6056
    """
    return RDR_WHITE * throughput(band, orbit)


def white_dn(band: str, exposure_s: float, solar_distance_km: float, orbit: int) -> float:
    """Compute the counts of a white Lambert surface that faces the Sun (I/F = 1) at an orbit.

    The ratios of these numbers are the colour weights of an image: they drift with the orbits, because blue
    has lost more than red.

    Parameters
    ----------
    band : str
    exposure_s : float
        EXPOSURE_DURATION: the sum over the TDI stages.
    solar_distance_km : float
        NaN stands for 5.2 AU.
    orbit : int
        Orbit (perijove) number.

    Returns
    -------
    float
        DN.

    Raises
    ------
    LabelError
        The band is unknown, or exposure or distance is not positive.

    Examples
    --------
    >>> round(white_dn("METHANE", 0.001, 5.2 * 149597870.7, 30), 1)
    12.8
    """
    return new_camera_white_dn(band, exposure_s, solar_distance_km) * throughput(band, orbit)
