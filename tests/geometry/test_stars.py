"""Bright stars against astropy and published places."""

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord

from perijove.geometry.stars import bright_stars
from perijove.geometry.timescale import utc_to_et

#: ICRS at J1991.25, proper motion in milliarcseconds a year (with the cosine), visual magnitude, of the Hipparcos
#: catalogue (ESA 1997, SP-1200).
PUBLISHED = {
    "Sirius": ("06h45m09.25s -16d42m47.3s", -546.0, -1223.1, -1.44),
    "Vega": ("18h36m56.19s +38d46m58.8s", 201.0, 287.5, 0.03),
    "Antares": ("16h29m24.47s -26d25m55.0s", -10.2, -23.2, 1.06),
    "Arcturus": ("14h15m40.35s +19d11m14.2s", -1093.5, -1999.4, -0.05),
}


@pytest.mark.parametrize("name", PUBLISHED)
@pytest.mark.parametrize("year", [2017, 2024])
def test_stars_stand_where_hipparcos_has_them(name: str, year: int) -> None:
    place, right, up, magnitude = PUBLISHED[name]
    stars = bright_stars(utc_to_et(f"{year}-01-01T00:00:00"))
    at = stars.names.index(name)
    x, y, z = stars.directions[at]
    found = SkyCoord(x=x, y=y, z=z, representation_type="cartesian")
    moved = SkyCoord(place).spherical_offsets_by((year - 1991.25) * right * u.mas, (year - 1991.25) * up * u.mas)
    # A pixel of the camera is 139 arcseconds wide.
    assert found.separation(SkyCoord(moved.ra, moved.dec)).arcsec < 2.0
    assert stars.magnitudes[at] == pytest.approx(magnitude, abs=0.1)


def test_each_star_is_there_once() -> None:
    stars = bright_stars(0.0)
    assert len(stars.names) > 100
    apart = np.degrees(np.arccos(np.clip(stars.directions @ stars.directions.T, -1, 1)))
    assert apart[np.triu_indices(len(apart), 1)].min() > 1e-3
    assert (np.diff(stars.magnitudes) >= 0).all()
    np.testing.assert_allclose(np.linalg.norm(stars.directions, axis=1), 1)
    # Betelgeuse is red, Rigel blue.
    assert (
        stars.colour_index[stars.names.index("Betelgeuse")] > 1.4 > 0.0 > stars.colour_index[stars.names.index("Rigel")]
    )
