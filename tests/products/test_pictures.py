"""Pictures of every format, read back by other libraries."""

import io
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms

from perijove.compose.options import FORMATS as OFFERED
from perijove.compose.options import LOSSY
from perijove.errors import OptionError
from perijove.products.about import About
from perijove.products.icc import icc_profile
from perijove.products.pictures import FORMATS, QUALITIES, format_of, suffix_of, write_picture
from perijove.products.xmp import packet

ABOUT = About(
    "Jet N5",
    {
        "credit": "Image data: NASA; Image processing: Seán © CC BY 4.0",
        "processing": ["Seán"],
        "licence": "CC BY 4.0",
        "software": "perijove X",
    },
    "Clouds at 56° north",
    "Swirls",
    "2022-08-17T13:44:59.677",
    "natural",
    {"name": "x"},
)
SUFFIXES = [suffix_of(kind) for kind in OFFERED]


def smooth(height: int = 90, width: int = 120) -> np.ndarray:
    """Soft colours, as pictures have them: what coders are made for."""
    y, x = np.mgrid[:height, :width] / max(height, width)
    planes = [0.5 + 0.4 * np.sin(6 * x + 4 * y), 0.5 + 0.3 * np.cos(5 * y), 0.2 + 0.6 * x]
    return (np.stack(planes, axis=-1) * 65535).astype(np.uint16)


def test_formats_are_those_that_are_offered() -> None:
    assert sorted(set(FORMATS.values())) == sorted(OFFERED)
    assert sorted(QUALITIES) == sorted(LOSSY)
    assert format_of(Path("a.TIFF")) == "tiff"
    with pytest.raises(OptionError, match=r"a\.gif: give a name that ends in \.png, .* or \.avif"):
        format_of(Path("a.gif"))


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("gamut", ["srgb", "p3"])
def test_pixels_and_profile_come_back(tmp_path: Path, suffix: str, gamut: str) -> None:
    path, pixels = tmp_path / f"picture{suffix}", smooth()
    write_picture(path, pixels, ABOUT, gamut)
    if suffix == ".tif":
        with tifffile.TiffFile(path) as file:
            read, profile = file.asarray(), file.pages.first.iccprofile
    else:
        with Image.open(path) as picture:
            read, profile = np.asarray(picture), picture.info["icc_profile"]
    assert profile == icc_profile(gamut)
    wanted = pixels if read.dtype == np.uint16 else np.round(pixels / 257)
    # At their qualities coders err by one or two levels; Pillow reads 16 bits of PNG as the upper 8, not rounded.
    error = np.abs(read.astype(int) - wanted)
    assert error.mean() < 2.5 if suffix in (".jpg", ".webp", ".avif") else error.max() <= (suffix == ".png")
    assert read.dtype == (np.uint16 if suffix == ".tif" else np.uint8)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_xmp_is_where_readers_look_for_it(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"picture{suffix}"
    write_picture(path, smooth(), ABOUT)
    if suffix == ".tif":
        with tifffile.TiffFile(path) as file:
            tags = file.pages.first.tags
            assert bytes(tags[700].value) == packet(ABOUT)
            assert tags["ImageDescription"].value == "Clouds at 56° north"
            assert tags["Software"].value == "perijove X"
            assert "CC BY 4.0" in tags["Copyright"].value
            assert "DateTime" not in tags
        return
    with Image.open(path) as picture:
        found = picture.info["xmp"]
        assert (found if isinstance(found, bytes) else found.encode()) == packet(ABOUT)


@pytest.mark.parametrize("suffix", [".jpg", ".webp", ".avif"])
def test_exif_tells_those_who_read_nothing_else(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"picture{suffix}"
    write_picture(path, smooth(), ABOUT)
    with Image.open(path) as picture:
        exif = picture.getexif()
        # Bytes of UTF-8, which Pillow gives as Latin-1.
        assert exif[0x013B].encode("latin-1").decode() == "Seán"
        assert exif[0x010E].encode("latin-1").decode() == "Clouds at 56° north"
        assert exif[0x0131] == "perijove X"
        more = exif.get_ifd(0x8769)
        assert more[0x9003] == "2022:08:17 13:44:59"
        assert more[0xA001] == 1


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_same_picture_is_the_same_file(tmp_path: Path, suffix: str) -> None:
    for name in ("a", "b"):
        write_picture(tmp_path / f"{name}{suffix}", smooth(300, 400), ABOUT, "p3")
    assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_grey_pictures(tmp_path: Path, suffix: str) -> None:
    path, pixels = tmp_path / f"picture{suffix}", smooth()[..., 0]
    write_picture(path, pixels, ABOUT)
    if suffix == ".tif":
        np.testing.assert_array_equal(tifffile.imread(path), pixels)
        return
    with Image.open(path) as picture:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(picture.info["icc_profile"]))
        # Formats without grey have three channels, and a profile of three.
        assert profile.profile.xcolor_space.strip() == ("RGB" if picture.mode == "RGB" else "GRAY")
        if picture.mode in ("L", "RGB"):
            read = np.asarray(picture.convert("L")).astype(int)
            assert np.abs(read - np.round(pixels / 257)).max() <= 6


@pytest.mark.parametrize("suffix", [".jpg", ".webp", ".avif"])
def test_quality_counts(tmp_path: Path, suffix: str) -> None:
    noise = np.random.default_rng(1).integers(0, 65536, (120, 120, 3), np.uint16)
    sizes = []
    for quality in (20, None, 99):
        write_picture(tmp_path / f"a{suffix}", noise, ABOUT, quality=quality)
        sizes.append((tmp_path / f"a{suffix}").stat().st_size)
    assert sizes[0] < sizes[1] < sizes[2]


def test_what_a_format_cannot_hold_is_told(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="webp holds at most 16383 pixels a side, not 16384; choose png or tiff"):
        write_picture(tmp_path / "a.webp", np.zeros((2, 16384, 3), np.uint8), ABOUT)
    assert not list(tmp_path.iterdir())


def test_a_name_that_is_too_long_for_jpeg(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"a\.jpg cannot be written \(.* too long\); choose png or tiff"):
        write_picture(tmp_path / "a.jpg", smooth(), About("x", {"processing": ["y" * 70_000]}))
    assert not list(tmp_path.iterdir())


def test_a_jpeg_with_a_long_recipe_is_still_one(tmp_path: Path) -> None:
    about = About("x", {}, recipe={"points": list(range(60_000))})
    write_picture(tmp_path / "a.jpg", smooth(), about)
    with Image.open(tmp_path / "a.jpg") as picture:
        picture.load()
        assert b"HasExtendedXMP" in picture.info["xmp"]
