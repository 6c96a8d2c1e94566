import hashlib
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from perijove.archive.framelets import read_framelets, read_label
from perijove.errors import ImageFileError, LabelError

ID = "JNCE_2022229_44M00040_V01"
OTHER = "JNCE_2022229_44M00044_V01"
Png = Callable[..., bytes]
Make = Callable[..., dict[str, Any]]


def pack(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as stream:
        for name, data in members.items():
            stream.writestr(name, data)
    return path


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_picture_and_label_beside_it(image_set: tuple[Path, Path], codes: np.ndarray) -> None:
    stack = read_framelets(image_set[0])
    assert stack.dn.shape == (1, 1, 128, 1648)
    assert stack.dn.dtype == np.uint8
    assert np.array_equal(stack.dn[0, 0], codes)
    assert stack.bands == ("METHANE",)
    assert [(file.path.name, file.sha256) for file in stack.inputs] == [(p.name, sha256(p)) for p in image_set]
    assert read_label(image_set[0]) == stack.label == read_label(image_set[1])


def test_framelets_are_read_only(image_set: tuple[Path, Path]) -> None:
    stack = read_framelets(image_set[0])
    with pytest.raises(ValueError, match="read-only"):
        stack.dn[0, 0, 0, 0] = 1
    with pytest.raises(ValueError, match="WRITEABLE"):
        stack.dn.flags.writeable = True


def test_order_of_framelets(tmp_path: Path, make_png: Png, keywords: Make) -> None:
    product = "JNCE_2022229_44C00032_V01"
    noise = np.random.default_rng(1).integers(0, 50, (768, 1648), dtype=np.uint8)
    noise[:, 100] = np.repeat([11, 12, 13, 21, 22, 23], 128)
    path = tmp_path / f"{product}-raw.png"
    path.write_bytes(make_png(noise))
    (tmp_path / "1-Metadata.json").write_text(json.dumps(keywords(product, frames=2)))
    stack = read_framelets(path)
    assert stack.bands == ("BLUE", "GREEN", "RED")
    assert stack.dn[:, :, 64, 100].tolist() == [[11, 12, 13], [21, 22, 23]]


@pytest.mark.parametrize(
    ("picture", "label"),
    [
        (f"{ID}-raw.png", "DataSet/1-Metadata.json"),
        (f"ImageSet/{ID}-raw.png", "DataSet/1-Metadata.json"),
        (f"ImageSet/{ID}-raw.png", "ImageSet/renamed.json"),
    ],
)
def test_places_where_a_label_is_found(image_set: tuple[Path, Path], tmp_path: Path, picture: str, label: str) -> None:
    folder = tmp_path / "set"
    for name in (picture, label):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
    image_set[0].rename(folder / picture)
    image_set[1].rename(folder / label)
    assert str(read_framelets(folder / picture).label.product_id) == ID


def test_label_is_found_by_id_among_others(image_set: tuple[Path, Path], tmp_path: Path, keywords: Make) -> None:
    (tmp_path / "00001-Metadata.json").write_text(json.dumps(keywords(OTHER)))
    (tmp_path / "00002-broken.json").write_text('{"made of": "' + ID)
    (tmp_path / "00003-sidecar.json").write_text(json.dumps({"made of": ID, "PRODUCT_ID": None}))
    (tmp_path / "00004.zip").write_bytes(b"no zip")
    assert read_framelets(image_set[0]).inputs[1].path.name == "13552-Metadata.json"


def test_equal_copies_of_a_label_are_one(image_set: tuple[Path, Path], tmp_path: Path) -> None:
    (tmp_path / "1-Metadata.json").write_bytes(image_set[1].read_bytes())
    assert read_framelets(image_set[0]).label == read_label(image_set[1])


def test_labels_that_differ(image_set: tuple[Path, Path], tmp_path: Path, keywords: Make) -> None:
    (tmp_path / "1-Metadata.json").write_text(json.dumps(keywords(EXPOSURE_DURATION="204.8 <ms>")))
    with pytest.raises(LabelError, match="several labels differ"):
        read_framelets(image_set[0])
    assert read_framelets(image_set[0], image_set[1]).label.exposure_s == 0.1024


def test_no_label(image_set: tuple[Path, Path], tmp_path: Path, keywords: Make) -> None:
    image_set[1].unlink()
    (tmp_path / "1-Metadata.json").write_text(json.dumps(keywords(ID.replace("V01", "V02"))))
    (tmp_path / "bad.zip").write_bytes(b"no zip")
    with pytest.raises(LabelError, match=f"no label of {ID}") as caught:
        read_framelets(image_set[0])
    message = str(caught.value)
    for part in (str(tmp_path), str(tmp_path / "DataSet"), str(tmp_path.parent / "DataSet")):
        assert part in message
    assert "Other products of the image" in message
    assert "1-Metadata.json" in message
    assert "Damaged" in message
    assert "bad.zip" in message


def test_label_of_another_product(image_set: tuple[Path, Path], tmp_path: Path, keywords: Make) -> None:
    other = tmp_path / "other.json"
    other.write_text(json.dumps(keywords(OTHER)))
    for read in (read_framelets, read_label):
        with pytest.raises(LabelError, match=f"is the label of {OTHER}, the file name says {ID}"):
            read(image_set[0], other)


def test_picture_without_an_id_needs_its_label(image_set: tuple[Path, Path], tmp_path: Path) -> None:
    renamed = image_set[0].rename(tmp_path / "pancake.png")
    with pytest.raises(LabelError, match="holds no product id"):
        read_framelets(renamed)
    assert str(read_framelets(renamed, image_set[1]).label.product_id) == ID


def test_zips_as_downloaded(image_set: tuple[Path, Path], tmp_path: Path, codes: np.ndarray) -> None:
    folder = tmp_path / "zips"
    folder.mkdir()
    picture = pack(folder / "13552-ImageSet.zip", {f"ImageSet/{ID}-raw.png": image_set[0].read_bytes()})
    label = pack(folder / "13552-Data.zip", {"DataSet/13415-Metadata.json": image_set[1].read_bytes()})
    stack = read_framelets(picture)
    assert np.array_equal(stack.dn[0, 0], codes)
    assert [(file.path.name, file.sha256) for file in stack.inputs] == [(p.name, sha256(p)) for p in (picture, label)]
    assert read_label(picture) == read_label(label) == stack.label
    elsewhere = label.rename(tmp_path / "elsewhere.zip")
    assert read_framelets(picture, elsewhere).label == stack.label
    assert read_framelets(image_set[0], elsewhere).label == stack.label


def test_one_zip_with_both(image_set: tuple[Path, Path], tmp_path: Path) -> None:
    path = pack(tmp_path / "both.zip", {path.name: path.read_bytes() for path in image_set})
    for file in image_set:
        file.unlink()
    assert str(read_framelets(path).label.product_id) == ID


def test_data_zip_with_several_labels(image_set: tuple[Path, Path], tmp_path: Path, keywords: Make) -> None:
    members = {
        "1-Metadata.json": image_set[1].read_bytes(),
        "2-Metadata.json": json.dumps(keywords(OTHER)).encode(),
    }
    path = pack(tmp_path / "many.zip", members)
    assert read_framelets(image_set[0], path).label == read_label(image_set[1])
    with pytest.raises(LabelError, match=f"several labels differ.*{OTHER}"):
        read_label(path)


def test_zips_without_what_is_needed(image_set: tuple[Path, Path], tmp_path: Path) -> None:
    empty = pack(tmp_path / "empty.zip", {"readme.txt": b"nothing"})
    with pytest.raises(ImageFileError, match=r"holds no <id>-raw\.png"):
        read_framelets(empty)
    with pytest.raises(LabelError, match="holds no label"):
        read_label(empty)
    with pytest.raises(LabelError, match="holds no label"):
        read_framelets(image_set[0], empty)
    two = pack(tmp_path / "two.zip", {f"{ID}-raw.png": b"1", f"{OTHER}-raw.png": b"2"})
    with pytest.raises(ImageFileError, match="holds 2 raw images"):
        read_framelets(two)


def test_unusual_names_of_files(image_set: tuple[Path, Path], tmp_path: Path) -> None:
    for name, fragment in (
        (f"{ID}-mapprojected.png", f"made of the framelets .mapprojected.; give {ID}-raw.png"),
        (f"{ID}-red.png", f"give {ID}-raw.png"),
        ("picture.jpg", "not an image of framelets; give"),
        ("13552-Metadata.json", "not an image of framelets"),
    ):
        path = tmp_path / name
        path.write_bytes(b"x")
        with pytest.raises(ImageFileError, match=fragment):
            read_framelets(path)
    with pytest.raises(LabelError, match="neither a label nor an image"):
        read_label(tmp_path / "picture.jpg")
    with pytest.raises(LabelError, match="is no label"):
        read_framelets(image_set[0], tmp_path / "picture.jpg")


@pytest.mark.parametrize("read", [read_framelets, read_label])
def test_files_that_are_not_there(read: Callable[..., object], image_set: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(ImageFileError, match="does not exist"):
        read(tmp_path / "none.png")
    with pytest.raises(LabelError, match="does not exist"):
        read(image_set[0], tmp_path / "none.json")
    with pytest.raises(LabelError, match="does not exist"):
        read(image_set[0], tmp_path / "none.zip")
    with pytest.raises(LabelError, match="does not exist"):
        read_label(tmp_path / "none.json")
    folder = tmp_path / "folder.png"
    folder.mkdir()
    with pytest.raises(ImageFileError, match="is a folder"):
        read(folder)
    for name in ("a" * 300 + ".png", "\0.png"):
        with pytest.raises(ImageFileError, match=r"cannot be reached|does not exist"):
            read(name)


def test_empty_picture(image_set: tuple[Path, Path]) -> None:
    image_set[0].write_bytes(b"")
    with pytest.raises(ImageFileError, match="is empty"):
        read_framelets(image_set[0])


def test_height_must_be_that_of_the_label(image_set: tuple[Path, Path], keywords: Make) -> None:
    image_set[1].write_text(json.dumps(keywords(frames=2)))
    with pytest.raises(ImageFileError, match="128 pixels high, its label promises 256 lines"):
        read_framelets(image_set[0])


@pytest.mark.parametrize(
    ("changes", "fragment"),
    [
        ({"LINE_SAMPLES": 1600}, "LINE_SAMPLES is 1600; with SAMPLING_FACTOR 1 it must be 1648"),
        ({"LINE_SAMPLES": None}, "keyword LINE_SAMPLES is missing"),
        ({"SAMPLE_TYPE": "IEEE_REAL"}, "SAMPLE_TYPE is 'IEEE_REAL'"),
        ({"MD5_CHECKSUM": "abc"}, "not 32 hexadecimal digits"),
        ({"LINE_PREFIX_BYTES": -1}, "LINE_PREFIX_BYTES is -1"),
        ({"SAMPLING_FACTOR": 2}, "with SAMPLING_FACTOR 2 it must be 816 or 824"),
    ],
)
def test_layouts_that_cannot_be(
    image_set: tuple[Path, Path], keywords: Make, changes: dict[str, Any], fragment: str
) -> None:
    image_set[1].write_text(json.dumps(keywords(**changes)))
    with pytest.raises(LabelError, match=fragment):
        read_framelets(image_set[0])


@pytest.mark.parametrize("samples", [816, 824])
def test_summed_picture(
    image_set: tuple[Path, Path], keywords: Make, make_png: Png, codes: np.ndarray, samples: int
) -> None:
    image_set[0].write_bytes(make_png(codes[:, :samples]))
    image_set[1].write_text(json.dumps(keywords(SAMPLING_FACTOR=2, LINE_SAMPLES=samples)))
    assert read_framelets(image_set[0]).dn.shape == (2, 1, 64, samples)


def _stripes(vertical: bool) -> np.ndarray:
    values = np.arange(1648 if vertical else 128, dtype=np.uint8)
    return np.broadcast_to(values if vertical else values[:, None], (128, 1648)).copy()


def _nearly_constant() -> np.ndarray:
    return np.random.default_rng(0).integers(3, 6, (128, 1648), dtype=np.uint8)


def _noise_outside_the_photoactive_columns() -> np.ndarray:
    pixels = np.zeros((128, 1648), np.uint8)
    pixels[:, :23] = np.arange(23)
    pixels[:, 1631:] = np.arange(17)
    return pixels


@pytest.mark.parametrize(
    ("pixels", "fragment"),
    [
        (np.zeros((128, 1648), np.uint8), "holds only 1 different values"),
        (np.full((128, 1648), 255, np.uint8), "holds only 1 different values"),
        (_nearly_constant(), "holds only 3 different values"),
        (_noise_outside_the_photoactive_columns(), "holds only 1 different values"),
        (_stripes(vertical=False), "made of constant rows"),
        (_stripes(vertical=True), "repeats one row"),
    ],
)
def test_without_content(image_set: tuple[Path, Path], make_png: Png, pixels: np.ndarray, fragment: str) -> None:
    image_set[0].write_bytes(make_png(pixels))
    with pytest.raises(ImageFileError, match=f"{fragment}.*no content"):
        read_framelets(image_set[0])


def test_dark_sky_with_noise_and_lost_blocks_is_content(
    image_set: tuple[Path, Path], make_png: Png, codes: np.ndarray
) -> None:
    # 24C00039 kept 672 good lines, 2 % of the longest image; on them, the noise of a dark sky.
    pixels = np.zeros((128, 1648), np.uint8)
    pixels[40:43] = codes[40:43] // 16
    image_set[0].write_bytes(make_png(pixels))
    assert np.array_equal(read_framelets(image_set[0]).dn[0, 0], pixels)
