"""Time against SPICE with the published leap seconds."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perijove.geometry.timescale import et_to_utc, utc_to_et

INSTANTS = st.datetimes(dt.datetime(2011, 8, 5), dt.datetime(2030, 1, 1))


@given(INSTANTS)
def test_round_trip(instant: dt.datetime) -> None:
    utc = instant.isoformat(timespec="milliseconds")
    assert et_to_utc(utc_to_et(utc)) == utc


@given(INSTANTS, st.floats(0.01, 1e6))
def test_time_runs_forward(instant: dt.datetime, seconds: float) -> None:
    later = instant + dt.timedelta(seconds=seconds)
    gap = utc_to_et(later.isoformat()) - utc_to_et(instant.isoformat())
    # Three leap seconds since 2012, a relativistic term of 1.7 ms, a microsecond of rounding.
    assert -0.004 < gap - seconds < 3.004


def test_j2000() -> None:
    # Noon UTC of 1 January 2000, counted with the leap seconds of 2009, for earlier ones are not kept.
    assert utc_to_et("2000-01-01T12:00:00") == pytest.approx(34 + 32.184, abs=0.002)


def test_leap_second_of_2016() -> None:
    before, after = utc_to_et("2016-12-31T23:59:59.500"), utc_to_et("2017-01-01T00:00:00.500")
    assert after - before == pytest.approx(2.0, abs=1e-6)
    assert et_to_utc(before) == "2016-12-31T23:59:59.500"
    assert et_to_utc(after) == "2017-01-01T00:00:00.500"
    # Within the leap second, for which datetime has no room, the first second of the new year is written.
    assert et_to_utc(before + 1.0) == "2017-01-01T00:00:00.500"


def test_rounding_carries() -> None:
    assert et_to_utc(utc_to_et("2022-12-31T23:59:59.9996")) == "2023-01-01T00:00:00.000"


@pytest.mark.parametrize("year", range(2011, 2026))
def test_against_spice(year: int, tmp_path: Path, spice: Any, clock_writer: Callable[[Path], None]) -> None:
    clock_writer(tmp_path)
    spice.furnsh(str(tmp_path / "made.tls"))
    for utc in (f"{year}-08-06T01:02:03.456", f"{year}-12-31T23:59:59.999", f"{year}-09-01T00:00:00"):
        # A double holds these seconds to 1e-7.
        assert utc_to_et(utc) == pytest.approx(spice.str2et(utc), abs=2e-7)
