"""UTC, and the seconds of TDB past J2000 that all geometry runs on."""

import datetime as dt
from typing import Final

import numpy as np

#: (first UTC day, TAI - UTC in seconds) since Juno's launch year (IERS Bulletin C; LSK naif0012.tls).
LEAP_SECONDS: Final = (
    (dt.datetime(2009, 1, 1), 34),
    (dt.datetime(2012, 7, 1), 35),
    (dt.datetime(2015, 7, 1), 36),
    (dt.datetime(2017, 1, 1), 37),
)
#: TT - TAI, seconds.
TT_MINUS_TAI_S: Final = 32.184
_J2000: Final = dt.datetime(2000, 1, 1, 12)


def _tdb_minus_tt(tt_s: float) -> float:
    """Periodic term of the LSK, seconds: K sin(M + EB sin M)."""
    mean_anomaly = 6.239996 + 1.99096871e-7 * tt_s
    return float(1.657e-3 * np.sin(mean_anomaly + 1.671e-2 * np.sin(mean_anomaly)))


def _tai_minus_utc(utc: dt.datetime) -> int:
    value = LEAP_SECONDS[0][1]
    for since, seconds in LEAP_SECONDS:
        if utc >= since:
            value = seconds
    return value


def utc_to_et(utc: str) -> float:
    """Seconds of TDB past J2000 of a UTC ISO 8601 string.

    Examples
    --------
    >>> round(utc_to_et("2016-08-27T12:50:44"), 3)
    525574312.183
    """
    when = dt.datetime.fromisoformat(utc)
    tt = (when - _J2000).total_seconds() + _tai_minus_utc(when) + TT_MINUS_TAI_S
    return tt + _tdb_minus_tt(tt)


def et_to_utc(et: float) -> str:
    """UTC as ISO 8601 to the millisecond, of seconds of TDB past J2000.

    Examples
    --------
    >>> et_to_utc(utc_to_et("2022-08-17T13:44:55.688"))
    '2022-08-17T13:44:55.688'
    """
    tai = _J2000 + dt.timedelta(seconds=et - _tdb_minus_tt(et) - TT_MINUS_TAI_S)
    utc = tai - dt.timedelta(seconds=_tai_minus_utc(tai))
    # A second pass settles instants within the leap second itself.
    utc = tai - dt.timedelta(seconds=_tai_minus_utc(utc))
    return (utc + dt.timedelta(microseconds=500)).isoformat(timespec="milliseconds")
