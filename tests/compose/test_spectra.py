"""Spectra against what is published of them, and the eye's matrix against integration over wavelengths."""

import numpy as np
import pytest

from perijove.compose.colour import EYE_FROM_BANDS
from perijove.compose.spaces import to_xyz
from perijove.compose.spectra import (
    JUPITER_ALBEDO,
    WAVELENGTH_NM,
    band_reflectance,
    observer,
    planck,
    published_ratios,
    sunlight,
)

BANDS = ("RED", "GREEN", "BLUE")


def test_the_observer_is_cies() -> None:
    # CIE 1931, 2 degrees, at 450, 550 and 600 nm; the analytic fit is good to 0.02 (Wyman et al., table 2).
    known = {
        450.0: (0.3362, 0.0380, 1.7721),
        550.0: (0.4334, 0.9950, 0.0087),
        600.0: (1.0622, 0.6310, 0.0008),
    }
    for wavelength, values in known.items():
        at = int(np.flatnonzero(wavelength == WAVELENGTH_NM)[0])
        np.testing.assert_allclose(observer()[:, at], values, atol=0.025)


def test_an_even_spectrum_is_white_e() -> None:
    x, y, z = observer().sum(axis=1)
    # Equal areas under the three curves; those of the fit differ by 1 %.
    assert x / y == pytest.approx(1.0, abs=0.01)
    assert z / y == pytest.approx(1.0, abs=0.01)


def test_the_suns_colour_is_known() -> None:
    xyz = observer() @ sunlight()
    # A black body of 5772 K lies at (0.3263, 0.3363) on Planck's locus (Kim et al. 2002).
    assert xyz[:2] / xyz.sum() == pytest.approx([0.3263, 0.3363], abs=0.002)
    assert WAVELENGTH_NM[planck(5772.0).argmax()] == pytest.approx(2.897771955e6 / 5772, abs=6)


def test_a_grey_ground_is_grey_in_every_band_and_to_the_eye() -> None:
    grey = np.full(WAVELENGTH_NM.shape, 0.3)
    assert [float(band_reflectance(band, grey)) for band in BANDS] == pytest.approx([0.3] * 3)
    np.testing.assert_allclose(EYE_FROM_BANDS.sum(axis=1), 1.0, atol=1e-9)


def test_the_published_disc() -> None:
    # Means over the bands with a response that does not slope: 0.467 in red, 0.507 in green, 0.454 in blue; ours is
    # weighted by sunlight and efficiency, which moves red by 2 % and blue by 2 %.
    red, blue = published_ratios()
    assert red == pytest.approx(0.467 / 0.507, rel=0.03)
    assert blue == pytest.approx(0.454 / 0.507, rel=0.03)


def clouds(count: int, seed: int) -> np.ndarray:
    """Smooth spectra of another make than those of the fit: Jupiter's to a power, with a broad absorption in blue."""
    rng = np.random.default_rng(seed)
    edge = 1 / (1 + np.exp(-(WAVELENGTH_NM - rng.uniform(430, 480, (count, 1))) / 30.0))
    depth = rng.uniform(0.0, 0.35, (count, 1))
    return (
        rng.uniform(0.6, 1.3, (count, 1))
        * JUPITER_ALBEDO ** rng.uniform(0.8, 1.2, (count, 1))
        * (1 - depth + depth * edge)
    )


def test_the_matrix_gives_what_an_eye_sees() -> None:
    spectra = clouds(200, seed=7)
    bands = np.stack([band_reflectance(band, spectra) for band in BANDS], axis=-1)
    light = observer() * sunlight()
    # Adaptation by von Kries in XYZ's own axes suffices here: sunlight is close to D65.
    white = to_xyz("srgb").sum(axis=1)
    seen = np.linalg.solve(to_xyz("srgb"), white[:, None] * (spectra @ (light / light.sum(axis=1)[:, None]).T).T).T
    error = (bands @ EYE_FROM_BANDS.T - seen) / seen[:, 1:2]
    plain = (bands - seen) / seen[:, 1:2]
    # Spectra that the fit has not seen: 2 % of red, 1 % of green, 2 % of blue; bands as they are miss by up to 9 %.
    assert (np.sqrt((error**2).mean(axis=0)) < [0.02, 0.01, 0.02]).all()
    assert np.sqrt((plain**2).mean(axis=0)).max() > 0.05
