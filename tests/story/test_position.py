"""Altitude, speed and scale, against published captions and an integrated orbit."""

import numpy as np
import pytest

from perijove.constants import JUPITER_RADII_KM
from perijove.geometry.orbit import Orbit, propagate
from perijove.geometry.timescale import utc_to_et
from perijove.story.position import KM_PER_MILE, Position, scale_km, since_perijove_s, speed_km_s


@pytest.mark.parametrize(
    ("altitude_km", "scale", "within"),
    # Captions of 16 December 2017 (8,292 miles, 5.8 miles per pixel) and of an image from 104,446 km.
    [(8292 * KM_PER_MILE, 5.8 * KM_PER_MILE, 0.05), (104446.0, 70.2, 0.01)],
)
def test_published_scales(altitude_km: float, scale: float, within: float) -> None:
    assert scale_km(altitude_km) == pytest.approx(scale, rel=within)


@pytest.mark.parametrize("radius_km", [JUPITER_RADII_KM[0], JUPITER_RADII_KM[2]])
def test_a_published_speed(radius_km: float) -> None:
    # 29 November 2021, perijove 38: about 123,000 mph at 8,700 miles; the caption does not tell the latitude.
    speed = speed_km_s(radius_km + 8700 * KM_PER_MILE, Orbit.of(38).semi_major_km)
    assert speed * 3600 / KM_PER_MILE == pytest.approx(123_000, rel=0.02)


@pytest.mark.parametrize("hours", [-3.0, -0.5, 0.4, 5.0])
def test_time_to_perijove_in_the_oblate_field(hours: float) -> None:
    et = utc_to_et("2022-08-17T14:45:39")
    position, velocity = Orbit.of(44).perijove_state(et)
    way = np.sign(hours)
    where, how = propagate(position, way * velocity, np.array([0.0, abs(hours) * 3600.0]))
    # The planet's flattening shifts a Kepler perijove by less than a minute.
    assert since_perijove_s(where[1], way * how[1]) == pytest.approx(hours * 3600.0, abs=60.0)


def test_an_unbound_path_has_no_perijove() -> None:
    assert np.isnan(since_perijove_s(np.array([1e5, 0.0, 0.0]), np.array([0.0, 80.0, 0.0])))


def test_the_light_needs_as_long_as_the_earth_is_away() -> None:
    et = utc_to_et("2022-09-26T12:00:00")
    position, velocity = Orbit.of(44).perijove_state(et)
    place = Position.of_state(et, position, velocity)
    # The opposition of 26 September 2022: Jupiter at 3.953 au, nearer than ever since 1963.
    assert place.light_time_s == pytest.approx(3.953 * 149597870.7 / 299792.458, rel=5e-4)
    assert place.solar_distance_au == pytest.approx(4.955, abs=0.005)
    assert place.speed_km_s == pytest.approx(np.linalg.norm(velocity))
