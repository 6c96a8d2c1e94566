"""Files of pictures and planes, read back by other libraries."""

import io
import json
import stat
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from perijove.errors import OptionError
from perijove.products.raster import to_depth, write_json, write_png, write_tiff

TEXT = {"Title": "Jet N5, 56° north", "Source": "NASA/JPL-Caltech/SwRI/MSSS", "Software": "perijove"}


def pixels(shape: tuple[int, ...]) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 65536, shape, dtype=np.uint16)


def chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    """Names and contents of a PNG's chunks, their checksums verified."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    out, at = [], 8
    while at < len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        name, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        assert struct.unpack(">I", data[at + 8 + length : at + 12 + length])[0] == zlib.crc32(name + body)
        out.append((name, body))
        at += 12 + length
    return out


@pytest.mark.parametrize("shape", [(37, 53, 3), (37, 53), (1, 1, 3), (300, 2, 3)])
def test_a_png_is_read_back_alike(tmp_path: Path, shape: tuple[int, ...]) -> None:
    import cv2

    path = tmp_path / "picture.png"
    written = pixels(shape)
    write_png(path, written, TEXT)
    read = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert read.dtype == np.uint16
    np.testing.assert_array_equal(read[..., ::-1] if len(shape) == 3 else read, written)


def profile_of(path: Path) -> ImageCms.ImageCmsProfile:
    with Image.open(path) as image:
        image.load()
        return ImageCms.ImageCmsProfile(io.BytesIO(image.info["icc_profile"]))


@pytest.mark.parametrize(("gamut", "name"), [("srgb", "sRGB"), ("p3", "Display P3")])
def test_a_png_tells_its_colour_space_and_its_source(tmp_path: Path, gamut: str, name: str) -> None:
    path = tmp_path / "picture.png"
    write_png(path, pixels((8, 9, 3)), TEXT, gamut)
    with Image.open(path) as image:
        image.load()
        assert image.size == (9, 8)
        assert image.info["gamma"] == pytest.approx(0.45455)
        assert {key: str(image.info[key]) for key in TEXT} == TEXT
    assert ImageCms.getProfileDescription(profile_of(path)).strip() == name
    names = [name for name, _ in chunks(path.read_bytes())]
    assert names[0] == b"IHDR"
    assert names[-1] == b"IEND"
    # What tells how to read pixels stands before them; of sRGB and iCCP only one may (PNG specification, 5.6, 11.3.2).
    assert max(names.index(b"iCCP"), names.index(b"gAMA")) < names.index(b"IDAT")
    assert b"sRGB" not in names


def test_a_grey_png_has_a_grey_profile(tmp_path: Path) -> None:
    write_png(tmp_path / "grey.png", pixels((8, 9)), {})
    assert profile_of(tmp_path / "grey.png").profile.xcolor_space.strip() == "GRAY"


@pytest.mark.parametrize("shape", [(20, 30, 3), (20, 30)])
def test_eight_bits_are_read_back_alike(tmp_path: Path, shape: tuple[int, ...]) -> None:
    deep = pixels(shape)
    write_png(tmp_path / "picture.png", to_depth(deep, 8), {})
    with Image.open(tmp_path / "picture.png") as image:
        read = np.asarray(image)
    assert read.dtype == np.uint8
    # Half a code of 255.
    assert np.abs(read * 257.0 - deep).max() <= 128.5


def test_other_depths_are_refused() -> None:
    with pytest.raises(OptionError, match="8 or 16 bits"):
        to_depth(pixels((2, 2)), 12)  # type: ignore[arg-type]


def test_a_strided_picture_is_written_as_it_looks(tmp_path: Path) -> None:
    import cv2

    whole = pixels((20, 30, 3))
    write_png(tmp_path / "turned.png", whole[::-1, ::2], {})
    read = cv2.imread(str(tmp_path / "turned.png"), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(read[..., ::-1], whole[::-1, ::2])


@pytest.mark.parametrize("bands", [1, 2, 3, 4])
def test_a_tiff_is_read_back_with_its_unknown_pixels(tmp_path: Path, bands: int) -> None:
    import tifffile

    values = np.random.default_rng(2).normal(size=(31, 47, bands)).astype(np.float32)
    values[3:9, 5:11] = np.nan
    metadata = {"product": "X", "bands": ["B"] * bands, "nested": {"scale": 0.5}, "title": "56° north"}
    path = tmp_path / "planes.tif"
    write_tiff(path, values, metadata)
    with tifffile.TiffFile(path) as file:
        assert len(file.pages) == 1
        page = file.pages[0]
        read = page.asarray()
        assert json.loads(page.description) == metadata
        assert page.photometric.name == ("RGB" if bands == 3 else "MINISBLACK")
        assert page.samplesperpixel == bands
    assert read.dtype == np.float32
    np.testing.assert_array_equal(read.reshape(values.shape), values)


def test_a_tiff_is_read_by_another_library(tmp_path: Path) -> None:
    import cv2

    values = np.random.default_rng(3).random((20, 30, 3), np.float32)
    write_tiff(tmp_path / "planes.tif", values, {})
    read = cv2.imread(str(tmp_path / "planes.tif"), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(read[..., ::-1], values)


def strict(text: str) -> object:
    def refuse(constant: str) -> None:
        raise ValueError(f"{constant} is not JSON")

    return json.loads(text, parse_constant=refuse)


def test_metadata_of_a_tiff_is_strict_json(tmp_path: Path) -> None:
    import tifffile

    path = tmp_path / "planes.tif"
    write_tiff(path, np.zeros((4, 4, 1), np.float32), {"nan": float("nan"), "n": np.float32(0.5), "a": np.arange(2)})
    with tifffile.TiffFile(path) as file:
        assert strict(file.pages[0].description) == {"nan": None, "n": 0.5, "a": [0, 1]}


def test_json_is_strict_and_plain(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    content = {
        "nan": float("nan"),
        "inf": np.inf,
        "numpy": [np.float32(0.5), np.int64(3), np.array([1.0, np.nan]), np.bool_(True)],
        "tuple": (1, "x", None, True),
        "path": Path("a") / "b.png",
        5: "key",
    }
    write_json(path, content)
    text = path.read_text(encoding="utf-8")
    assert text.endswith("}\n")
    assert strict(text) == {
        "nan": None,
        "inf": None,
        "numpy": [0.5, 3, [1.0, None], True],
        "tuple": [1, "x", None, True],
        "path": str(Path("a") / "b.png"),
        "5": "key",
    }


# Files


def test_a_product_is_as_readable_as_other_files(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_bytes(b"")
    write_json(tmp_path / "report.json", {})
    assert stat.S_IMODE((tmp_path / "report.json").stat().st_mode) == stat.S_IMODE(other.stat().st_mode)


def test_a_place_that_cannot_be_written_to_is_an_option_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    for path in (tmp_path / "file" / "picture.png", Path("/proc/perijove/picture.png")):
        with pytest.raises(OptionError, match=r"cannot write to .*; choose another place with -o"):
            write_png(path, pixels((2, 2, 3)), {})


def test_a_folder_of_the_products_name_is_an_option_error(tmp_path: Path) -> None:
    (tmp_path / "picture.png").mkdir()
    with pytest.raises(OptionError, match=r"cannot write .*picture\.png"):
        write_png(tmp_path / "picture.png", pixels((2, 2, 3)), {})
    assert [path.name for path in tmp_path.iterdir()] == ["picture.png"]
