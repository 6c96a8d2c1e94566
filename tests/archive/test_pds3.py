import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from perijove.archive.framelets import read_framelets, read_label
from perijove.errors import ImageFileError, LabelError

ID = "JNCE_2022229_44M00040_V01"
Make = Callable[..., dict[str, Any]]


def label_text(words: dict[str, Any], image: str | None = None) -> str:
    """PDS3 text of mission keywords, those of the pixels inside OBJECT = IMAGE."""
    pixels = {"LINES", "LINE_SAMPLES", "SAMPLE_TYPE", "SAMPLE_BITS", "MD5_CHECKSUM"}
    pixels |= {"LINE_PREFIX_BYTES", "LINE_SUFFIX_BYTES"}

    def spell(value: object) -> str:
        if isinstance(value, list):
            return "(" + ", ".join(f"'{item}'" for item in value) + ")"
        bare = isinstance(value, (int, float)) or "<" in str(value) or "T" in str(value)[10:11]
        return str(value) if bare else f'"{value}"'

    lines = ["PDS_VERSION_ID = PDS3", f"^IMAGE = {spell(image or words['PRODUCT_ID'] + '.IMG')}"]
    lines += [f"{key} = {spell(value)}" for key, value in words.items() if key not in pixels]
    lines += ["OBJECT = IMAGE"]
    lines += [f"  {key} = {spell(value)}" for key, value in words.items() if key in pixels]
    return "\r\n".join([*lines, "END_OBJECT = IMAGE", "END", ""])


def write(folder: Path, words: dict[str, Any], data: bytes, image: str | None = None) -> tuple[Path, Path]:
    label = folder / f"{words['PRODUCT_ID']}.LBL"
    label.write_text(label_text(words, image), newline="")
    path = folder / f"{words['PRODUCT_ID']}.IMG"
    path.write_bytes(data)
    return label, path


@pytest.mark.parametrize("ending", [0, 1])
def test_edr_codes(tmp_path: Path, keywords: Make, codes: np.ndarray, ending: int) -> None:
    words = keywords(FILE_NAME=f"{ID}.IMG", MD5_CHECKSUM=hashlib.md5(codes.tobytes()).hexdigest())
    files = write(tmp_path, words, codes.tobytes())
    stack = read_framelets(files[ending])
    assert stack.label.pixel_scale == "codes"
    assert stack.label.start_time == "2022-08-17T14:25:22.116"
    assert stack.dn.dtype == np.uint8
    assert np.array_equal(stack.dn[0, 0], codes)
    assert not stack.dn.flags.writeable
    assert [file.path.name for file in stack.inputs] == [f"{ID}.IMG", f"{ID}.LBL"]
    assert stack.inputs[0].sha256 == hashlib.sha256(codes.tobytes()).hexdigest()
    assert read_label(files[ending]) == stack.label


@pytest.mark.parametrize(
    ("kind", "order"),
    [("UNSIGNED_INTEGER", ">"), ("MSB_UNSIGNED_INTEGER", ">"), ("LSB_UNSIGNED_INTEGER", "<")],
)
def test_rdr_reflectance(tmp_path: Path, keywords: Make, codes: np.ndarray, kind: str, order: str) -> None:
    product = ID.replace("JNCE", "JNCR")
    values = codes.astype(np.uint16) * 257 + 3
    words = keywords(product, FILE_NAME=f"{product}.IMG", SAMPLE_BITS=16, SAMPLE_TYPE=kind, MD5_CHECKSUM="N/A")
    label, _ = write(tmp_path, words, values.astype(f"{order}u2").tobytes())
    stack = read_framelets(label)
    assert stack.label.pixel_scale == "reflectance"
    assert stack.dn.dtype == np.dtype("=u2")
    assert np.array_equal(stack.dn[0, 0], values)


def test_summed_image_with_padded_lines(tmp_path: Path, keywords: Make, codes: np.ndarray) -> None:
    words = keywords(
        LINES=128,
        SAMPLING_FACTOR=2,
        LINE_SAMPLES=816,
        LINE_PREFIX_BYTES=7,
        LINE_SUFFIX_BYTES=3,
        FILE_NAME=None,
    )
    rows = np.full((128, 826), 255, np.uint8)
    rows[:, 7:823] = codes[:, :816]
    label, _ = write(tmp_path, words, rows.tobytes())
    stack = read_framelets(label)
    assert np.array_equal(stack.dn, codes[:, :816].reshape(2, 1, 64, 816))


def test_padding_around_16_bit_lines(tmp_path: Path, keywords: Make, codes: np.ndarray) -> None:
    product = ID.replace("JNCE", "JNCR")
    rows = np.full((128, 5 + 2 * 1648), 255, np.uint8)
    rows[:, 5:] = codes.astype(">u2").view(np.uint8)
    label, _ = write(tmp_path, keywords(product, FILE_NAME=None, SAMPLE_BITS=16, LINE_PREFIX_BYTES=5), rows.tobytes())
    assert np.array_equal(read_framelets(label).dn[0, 0], codes)


def test_names_in_another_case(tmp_path: Path, keywords: Make, codes: np.ndarray) -> None:
    label, image = write(tmp_path, keywords(FILE_NAME=None), codes.tobytes())
    image = image.rename(tmp_path / f"{ID.lower()}.img")
    assert np.array_equal(read_framelets(label).dn[0, 0], codes)
    label.rename(tmp_path / f"{ID.lower()}.lbl")
    assert np.array_equal(read_framelets(image).dn[0, 0], codes)


def test_label_given_for_an_image_elsewhere(tmp_path: Path, keywords: Make, codes: np.ndarray) -> None:
    label, image = write(tmp_path, keywords(FILE_NAME=None), codes.tobytes())
    (tmp_path / "labels").mkdir()
    label = label.rename(tmp_path / "labels" / label.name)
    with pytest.raises(LabelError, match=r"has no label .*LBL beside it"):
        read_framelets(image)
    assert np.array_equal(read_framelets(image, label).dn[0, 0], codes)
    with pytest.raises(ImageFileError, match="which is not beside it"):
        read_framelets(label)
    with pytest.raises(LabelError, match="is a label already"):
        read_framelets(label, label)


@pytest.mark.parametrize("size", [0, 1000, 128 * 1648 - 1, 128 * 1648 + 1])
def test_other_size(tmp_path: Path, keywords: Make, size: int) -> None:
    label, _ = write(tmp_path, keywords(FILE_NAME=None), bytes(size))
    with pytest.raises(ImageFileError, match=f"holds {size} bytes, its label promises 210944: 128 lines"):
        read_framelets(label)


def test_other_md5(tmp_path: Path, keywords: Make, codes: np.ndarray) -> None:
    words = keywords(FILE_NAME=None, MD5_CHECKSUM=hashlib.md5(b"other").hexdigest())
    label, _ = write(tmp_path, words, codes.tobytes())
    with pytest.raises(ImageFileError, match=r"has MD5 .* it is damaged"):
        read_framelets(label)


def test_without_content(tmp_path: Path, keywords: Make) -> None:
    label, _ = write(tmp_path, keywords(FILE_NAME=None), bytes(128 * 1648))
    with pytest.raises(ImageFileError, match="no content"):
        read_framelets(label)


@pytest.mark.parametrize("image", ["../secret.IMG", "/etc/passwd", "a\\\\b.IMG"])
def test_pointer_out_of_the_folder(tmp_path: Path, keywords: Make, image: str) -> None:
    label, _ = write(tmp_path, keywords(FILE_NAME=None), b"x", image)
    with pytest.raises(LabelError, match="not the name of an IMG beside the label"):
        read_framelets(label)


def test_pointer_with_a_record(tmp_path: Path, keywords: Make, codes: np.ndarray) -> None:
    label, _ = write(tmp_path, keywords(FILE_NAME=None), codes.tobytes())
    text = label.read_text()
    label.write_text(text.replace(f'"{ID}.IMG"', f'("{ID}.IMG", 1)'))
    assert np.array_equal(read_framelets(label).dn[0, 0], codes)
    label.write_text(text.replace(f'"{ID}.IMG"', f'("{ID}.IMG", 3)'))
    with pytest.raises(LabelError, match="not the name of an IMG"):
        read_framelets(label)


def test_label_of_another_product(tmp_path: Path, keywords: Make, codes: np.ndarray) -> None:
    other = "JNCE_2022229_44M00044_V01"
    label, image = write(tmp_path, keywords(other, FILE_NAME=None), codes.tobytes(), f"{ID}.IMG")
    image = image.rename(tmp_path / f"{ID}.IMG")
    with pytest.raises(LabelError, match=f"is the label of {other}, the file name says {ID}"):
        read_framelets(image, label)
    label, _ = write(tmp_path, keywords(other, FILE_NAME=None), codes.tobytes())
    with pytest.raises(LabelError, match=f"describes {other}.IMG, not {ID}.IMG"):
        read_framelets(image, label)


def test_edr_label_serves_the_raw_picture_too(
    image_set: tuple[Path, Path], tmp_path: Path, keywords: Make, codes: np.ndarray
) -> None:
    label, _ = write(tmp_path, keywords(FILE_NAME=None), codes.tobytes())
    assert np.array_equal(read_framelets(image_set[0], label).dn[0, 0], codes)


def test_rdr_label_does_not_serve_a_picture(
    image_set: tuple[Path, Path], tmp_path: Path, keywords: Make, codes: np.ndarray
) -> None:
    product = ID.replace("JNCE", "JNCR")
    label, _ = write(tmp_path, keywords(product, FILE_NAME=None, SAMPLE_BITS=16), b"x")
    picture = image_set[0].rename(tmp_path / "pancake.png")
    with pytest.raises(LabelError, match="a raw PNG has an EDR label"):
        read_framelets(picture, label)
