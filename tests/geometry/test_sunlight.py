import dataclasses

import numpy as np
import pytest
import spiceypy

from perijove.errors import OptionError
from perijove.geometry.ephemeris import direction_from_jupiter
from perijove.geometry.sunlight import Sunlight, aberrated, sunlight_at

ET_2022 = 7.14e8


def test_the_suns_light_left_it_before() -> None:
    light = sunlight_at(ET_2022)
    true = direction_from_jupiter("Sun", ET_2022)
    distance = np.linalg.norm(light.sun_km)
    # Jupiter was 4.95 to 5.46 au from the Sun, its speed 12.4 to 13.7 km/s.
    assert 4.95 < distance / 149597870.7 < 5.46
    assert 12.4 < np.linalg.norm(light.jupiter_velocity_km_s) < 13.7
    # In 41 minutes the Sun moves by 13 m/s * 2470 s = 32 km about the barycentre: 4e-8 rad.
    assert 0 < np.linalg.norm(light.sun_km / distance - true) < 8e-8


def test_jupiter_moves_on() -> None:
    now, later = sunlight_at(ET_2022), sunlight_at(ET_2022 + 60.0)
    # In a minute the Sun moves 0.8 km, and Jupiter's way bends by less than a kilometre.
    assert now.sun_from_jupiter(ET_2022 + 60.0) == pytest.approx(later.sun_km, abs=2.0)
    assert np.linalg.norm(now.sun_km - later.sun_km) > 700.0
    assert now.sun_from_jupiter([ET_2022, ET_2022 + 60.0]).shape == (2, 3)


def test_aberration_as_in_spice() -> None:
    rng = np.random.default_rng(0)
    true = rng.normal(size=(3, 50))
    true /= np.linalg.norm(true, axis=0)
    velocity = rng.normal(0.0, 40.0, (3, 50))
    expected = np.array([spiceypy.stelab(u, v) for u, v in zip(true.T.tolist(), velocity.T.tolist(), strict=True)]).T
    # Rounding of unit vectors.
    np.testing.assert_allclose(aberrated(true, velocity / 299792.458), expected, rtol=0, atol=1e-15)


def test_vectors_are_checked_and_frozen() -> None:
    light = Sunlight(0.0, np.array([7e8, 0.0, 0.0]), np.array([0.0, 13.0, 0.0]))
    with pytest.raises(ValueError, match="read-only"):
        light.sun_km[0] = 1.0
    with pytest.raises(OptionError, match="sun_km"):
        dataclasses.replace(light, sun_km=np.array([1.0, 2.0]))
    with pytest.raises(OptionError, match="jupiter_velocity_km_s"):
        dataclasses.replace(light, jupiter_velocity_km_s=np.array([np.nan, 0.0, 0.0]))
