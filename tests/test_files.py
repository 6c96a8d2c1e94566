"""Files that are written whole or not at all."""

from pathlib import Path

import pytest

from perijove.files import replacing


class BrokenError(Exception):
    """What goes wrong in the middle of writing."""


def test_an_interrupted_write_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "picture.png"

    def interrupted() -> None:
        with replacing(path) as temporary:
            temporary.write_bytes(b"half")
            raise BrokenError

    with pytest.raises(BrokenError):
        interrupted()
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_write_keeps_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    path.write_bytes(b"old")

    def interrupted() -> None:
        with replacing(path) as temporary:
            temporary.write_bytes(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_finished_write_takes_the_place(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "picture.png"
    for content in (b"first", b"second"):
        with replacing(path) as temporary:
            assert temporary.parent == path.parent
            assert temporary.suffix == ".png"
            temporary.write_bytes(content)
        assert path.read_bytes() == content
        assert list(path.parent.iterdir()) == [path]
