"""Colour spaces against published numbers, and back and forth."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perijove.compose.spaces import from_oklab, from_srgb, to_oklab, to_xyz, within_gamut
from perijove.errors import OptionError


def test_the_matrices_are_the_published_ones() -> None:
    # IEC 61966-2-1, to its four digits; SMPTE EG 432-1 for D65.
    srgb = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    p3 = [[0.4866, 0.2657, 0.1982], [0.2290, 0.6917, 0.0793], [0.0, 0.0451, 1.0439]]
    np.testing.assert_allclose(to_xyz("srgb"), srgb, atol=1e-4)
    np.testing.assert_allclose(to_xyz("p3"), p3, atol=1e-4)


def test_oklab_is_ottossons() -> None:
    # Lightness, a and b of sRGB's primaries as published with the space (CSS Color 4 gives the same).
    known = {
        (1.0, 0.0, 0.0): (0.6280, 0.2249, 0.1258),
        (0.0, 1.0, 0.0): (0.8664, -0.2339, 0.1795),
        (0.0, 0.0, 1.0): (0.4520, -0.0325, -0.3115),
    }
    for rgb, lab in known.items():
        np.testing.assert_allclose(to_oklab(np.array([rgb], np.float32))[0], lab, atol=2e-4)


@given(st.lists(st.floats(0.0, 1.0, width=32), min_size=3, max_size=3))
def test_oklab_and_back(rgb: list[float]) -> None:
    planes = np.array([rgb], np.float32)
    # Cubes of single-precision cube roots.
    np.testing.assert_allclose(from_oklab(to_oklab(planes)), planes, atol=2e-5)


def test_white_is_white_in_every_gamut_and_green_is_less_of_a_green() -> None:
    assert from_srgb(np.ones((1, 3), np.float32), "p3")[0] == pytest.approx([1, 1, 1], abs=1e-5)
    red, green, blue = from_srgb(np.array([[0.0, 1.0, 0.0]], np.float32), "p3")[0]
    # CSS Color 4: sRGB's green is 0.178, 0.967, 0.072 in linear Display P3.
    assert (red, green, blue) == pytest.approx((0.1775, 0.9668, 0.0724), abs=2e-3)


def test_an_unknown_gamut_is_refused() -> None:
    with pytest.raises(OptionError, match="choose from srgb, p3"):
        to_xyz("adobe")


def test_colours_outside_lose_chroma_only() -> None:
    rng = np.random.default_rng(2)
    angle = rng.uniform(0, 2 * np.pi, 500)
    chroma = rng.uniform(0.1, 0.5, 500)
    lab = np.stack([rng.uniform(0.3, 0.9, 500), chroma * np.cos(angle), chroma * np.sin(angle)], 1).astype(np.float32)
    linear = within_gamut(lab, "srgb", 0.98)
    assert linear.min() >= 0
    assert linear.max() <= 0.98
    back = to_oklab(linear)
    np.testing.assert_allclose(back[:, 0], lab[:, 0], atol=0.01)
    kept = np.hypot(back[:, 1], back[:, 2])
    assert (kept < chroma + 1e-3).all()
    turned = (np.arctan2(back[:, 2], back[:, 1]) - angle + np.pi) % (2 * np.pi) - np.pi
    # Clipping what float rounding leaves beyond the edge turns the palest by a degree or two.
    assert np.abs(turned[kept > 0.05]).max() < 0.05
    # As much chroma is kept as fits: the next tenth would be outside.
    more = lab.copy()
    more[:, 1:] *= np.minimum(1.0, 1.1 * kept / chroma)[:, None]
    out = from_oklab(more)
    tight = kept < 0.9 * chroma
    assert tight.sum() > 100
    assert ((out[tight] < 0) | (out[tight] > 0.98)).any(axis=1).mean() > 0.98


def test_colours_inside_are_left_alone() -> None:
    planes = np.random.default_rng(4).uniform(0.1, 0.9, (100, 3)).astype(np.float32)
    np.testing.assert_allclose(within_gamut(to_oklab(planes), "srgb"), planes, atol=2e-5)
