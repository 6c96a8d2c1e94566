import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perijove.archive.zipped import list_members, read_member
from perijove.errors import ImageFileError, LabelError


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("zip") / "1-ImageSet.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as stream:
        stream.writestr("ImageSet/", "")
        stream.writestr("ImageSet/a-raw.PNG", b"pixels" * 50)
        stream.writestr("__MACOSX/ImageSet/a-raw.png", b"shadow")
        stream.writestr("ImageSet/._a-raw.png", b"shadow")
        stream.writestr("ImageSet/a-map.png", b"map")
        stream.writestr("empty.json", b"")
    return path


def test_members_by_ending(archive: Path) -> None:
    assert list_members(archive, "-raw.png", ImageFileError) == ["ImageSet/a-raw.PNG"]


def test_bytes_of_a_member(archive: Path) -> None:
    assert read_member(archive, "ImageSet/a-raw.PNG", 1000, ImageFileError) == b"pixels" * 50


def test_larger_than_its_limit(archive: Path) -> None:
    with pytest.raises(ImageFileError, match="would unpack to 300 bytes, more than the 100"):
        read_member(archive, "ImageSet/a-raw.PNG", 100, ImageFileError)


def test_empty_member(archive: Path) -> None:
    with pytest.raises(LabelError, match=r"zip:empty\.json is empty"):
        read_member(archive, "empty.json", 100, LabelError)


def test_missing_member(archive: Path) -> None:
    with pytest.raises(LabelError, match="is damaged"):
        read_member(archive, "none.json", 100, LabelError)


def test_bomb_is_refused_before_it_inflates(tmp_path: Path) -> None:
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as stream:
        stream.writestr("a-raw.png", bytes(5 << 20))
    with pytest.raises(ImageFileError, match=r"would unpack 51.. bytes to 5242880; refused"):
        read_member(path, "a-raw.png", 1 << 28, ImageFileError)


def test_understated_size_is_refused(archive: Path, tmp_path: Path) -> None:
    # 300 bytes claimed as 299, in the local and the central header.
    data = archive.read_bytes().replace((300).to_bytes(4, "little"), (299).to_bytes(4, "little"))
    path = tmp_path / "lying.zip"
    path.write_bytes(data)
    with pytest.raises(ImageFileError, match="is damaged"):
        read_member(path, "ImageSet/a-raw.PNG", 1000, ImageFileError)


def test_other_packing(tmp_path: Path) -> None:
    path = tmp_path / "lzma.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as stream:
        stream.writestr("a-raw.png", b"pixels")
    with pytest.raises(ImageFileError, match="packed by method 14"):
        read_member(path, "a-raw.png", 100, ImageFileError)


def test_locked(archive: Path, tmp_path: Path) -> None:
    data = archive.read_bytes()
    path = tmp_path / "locked.zip"
    central = data.index(b"PK\x01\x02", data.index(b"PK\x01\x02") + 1)
    path.write_bytes(data[: central + 8] + b"\x01" + data[central + 9 :])
    with pytest.raises(ImageFileError, match="password"):
        read_member(path, "ImageSet/a-raw.PNG", 1000, ImageFileError)


def test_not_a_zip(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    path.write_bytes(b"PK nothing of the kind")
    with pytest.raises(ImageFileError, match="not a sound zip file"):
        list_members(path, ".png", ImageFileError)


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_damage_is_refused_or_harmless(archive: Path, data: st.DataObject) -> None:
    text = np.frombuffer(archive.read_bytes(), np.uint8).copy()
    for _ in range(data.draw(st.integers(1, 3))):
        text[data.draw(st.integers(0, text.size - 1))] = data.draw(st.integers(0, 255))
    path = archive.with_name("damaged.zip")
    path.write_bytes(text[: data.draw(st.integers(0, text.size))].tobytes())
    try:
        names = list_members(path, "-raw.png", ImageFileError)
        found = {read_member(path, name, 1000, ImageFileError) for name in names}
    except ImageFileError:
        return
    assert found <= {b"pixels" * 50, b"shadow"}
