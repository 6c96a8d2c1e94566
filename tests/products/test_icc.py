"""Profiles, read and used by LittleCMS."""

import io

import numpy as np
import pytest
from PIL import Image, ImageCms

from perijove.errors import OptionError
from perijove.products.icc import icc_profile


def through(codes: np.ndarray, source: bytes, target: ImageCms.ImageCmsProfile, mode: str = "RGB") -> np.ndarray:
    """8-bit codes taken from one profile to another by LittleCMS."""
    profile = ImageCms.ImageCmsProfile(io.BytesIO(source))
    image = ImageCms.profileToProfile(Image.fromarray(codes), profile, target, outputMode=mode)
    assert image is not None
    return np.asarray(image).astype(int)


def colours() -> np.ndarray:
    return np.random.default_rng(3).integers(0, 256, (40, 40, 3), dtype=np.uint8)


def test_srgb_is_little_cms_own_srgb() -> None:
    given = colours()
    # Two roundings to 8 bits.
    assert np.abs(through(given, icc_profile("srgb"), ImageCms.createProfile("sRGB")) - given).max() <= 1


def test_grey_is_srgbs_grey() -> None:
    ramp = np.arange(256, dtype=np.uint8)[None].repeat(3, axis=0)
    shown = through(ramp, icc_profile("grey"), ImageCms.createProfile("sRGB"))
    assert np.abs(shown - ramp[..., None]).max() <= 1


def test_display_p3_is_wider_than_srgb() -> None:
    def srgb_of(colour: tuple[int, int, int]) -> list[int]:
        codes = np.full((1, 1, 3), colour, np.uint8)
        return through(codes, icc_profile("p3"), ImageCms.createProfile("sRGB"))[0, 0].tolist()

    # Whites and greys agree; sRGB's red in P3 is (234, 51, 35) (CSS Color 4, section 10.4: 0.9175 0.2003 0.1386).
    assert srgb_of((255, 255, 255)) == pytest.approx([255, 255, 255], abs=1)
    assert srgb_of((128, 128, 128)) == pytest.approx([128, 128, 128], abs=1)
    assert srgb_of((234, 51, 35)) == pytest.approx([255, 0, 0], abs=5)


def test_a_profile_is_whole() -> None:
    for space in ("srgb", "p3", "grey"):
        profile = icc_profile(space)
        assert int.from_bytes(profile[:4], "big") == len(profile)
        count = int.from_bytes(profile[128:132], "big")
        for at in range(132, 132 + 12 * count, 12):
            start, size = (int.from_bytes(profile[at + k : at + k + 4], "big") for k in (4, 8))
            assert start % 4 == 0
            assert 132 + 12 * count <= start
            assert start + size <= len(profile)


def test_another_space_is_refused() -> None:
    with pytest.raises(OptionError, match="no gamut 'rec2020'"):
        icc_profile("rec2020")
