import struct
import tracemalloc
import zlib
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perijove.archive.png import decode_codes, read_header
from perijove.errors import ImageFileError

Make = Callable[..., bytes]
SHAPE = (128, 1648)


def test_codes_survive(make_png: Make, codes: np.ndarray) -> None:
    data = make_png(codes)
    assert np.array_equal(decode_codes(data, SHAPE, "x.png"), codes)
    assert (read_header(data, "x.png").height, read_header(data, "x.png").width) == SHAPE


def test_not_a_png() -> None:
    with pytest.raises(ImageFileError, match=r"x\.png is not a PNG file"):
        decode_codes(b"\xff\xd8\xff\xe0 a JPEG", SHAPE, "x.png")


def test_header_cut_off(make_png: Make, codes: np.ndarray) -> None:
    with pytest.raises(ImageFileError, match="no whole header"):
        decode_codes(make_png(codes)[:30], SHAPE, "x.png")


@pytest.mark.parametrize("keep", [40, 5000, -1, -12, -13])
def test_truncated(make_png: Make, codes: np.ndarray, keep: int) -> None:
    with pytest.raises(ImageFileError, match="is truncated at byte"):
        decode_codes(make_png(codes)[:keep], SHAPE, "x.png")


@pytest.mark.parametrize("position", [20, 41, 5000, -20, -2])
def test_flipped_byte(make_png: Make, codes: np.ndarray, position: int) -> None:
    data = bytearray(make_png(codes))
    data[position] ^= 0x10
    with pytest.raises(ImageFileError):
        decode_codes(bytes(data), SHAPE, "x.png")


def test_a_flipped_pixel_names_its_chunk(make_png: Make, codes: np.ndarray) -> None:
    data = bytearray(make_png(codes))
    data[5000] ^= 1
    with pytest.raises(ImageFileError, match="chunk b'IDAT' at byte 33 fails its checksum"):
        decode_codes(bytes(data), SHAPE, "x.png")


@pytest.mark.parametrize("rows", [0, 1, 127])
def test_sound_checksums_around_too_few_rows(make_png: Make, codes: np.ndarray, rows: int) -> None:
    packed = zlib.compress(b"\0" + codes.tobytes()[: rows * 1649])
    with pytest.raises(ImageFileError, match="is damaged"):
        decode_codes(make_png(codes, packed=packed), SHAPE, "x.png")


def test_sound_checksums_around_a_broken_stream(make_png: Make, codes: np.ndarray) -> None:
    with pytest.raises(ImageFileError, match=r"is damaged \("):
        decode_codes(make_png(codes, packed=b"no deflate stream" * 1000), SHAPE, "x.png")


@pytest.mark.parametrize(
    ("shape", "fragment"),
    [((128, 1600), "1600 pixels wide, raw framelets of its label 1648"), ((127, 1648), "127 pixels high")],
)
def test_other_size(make_png: Make, shape: tuple[int, int], fragment: str) -> None:
    with pytest.raises(ImageFileError, match=fragment):
        decode_codes(make_png(np.ones(shape, np.uint8)), SHAPE, "x.png")


@pytest.mark.parametrize(
    ("depth", "colour", "fragment"),
    [(16, 0, "16-bit grey"), (8, 2, "8-bit RGB"), (8, 3, "palette"), (8, 9, "type 9")],
)
def test_other_pixels(make_png: Make, codes: np.ndarray, depth: int, colour: int, fragment: str) -> None:
    with pytest.raises(ImageFileError, match=f"{fragment}.*raw.png"):
        decode_codes(make_png(codes, depth=depth, colour=colour), SHAPE, "x.png")


def test_absurd_header_allocates_nothing(make_png: Make, codes: np.ndarray) -> None:
    data = make_png(codes[:1], size=(100_000, 100_000))
    tracemalloc.start()
    try:
        with pytest.raises(ImageFileError, match="100000 pixels wide"):
            decode_codes(data, SHAPE, "x.png")
        with pytest.raises(ImageFileError, match="packed bytes cannot hold 100000 lines"):
            decode_codes(data, (100_000, 100_000), "x.png")
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


def test_absurd_chunk_length(make_png: Make, codes: np.ndarray) -> None:
    data = make_png(codes)
    with pytest.raises(ImageFileError, match="is truncated"):
        decode_codes(data[:33] + struct.pack(">I", 0xFFFFFFFF) + data[37:], SHAPE, "x.png")


@given(st.data())
@settings(max_examples=100, deadline=None)
def test_damage_is_refused_or_harmless(make_png: Make, codes: np.ndarray, data: st.DataObject) -> None:
    text = bytearray(make_png(codes[:, :]))
    for _ in range(data.draw(st.integers(1, 3))):
        text[data.draw(st.integers(0, len(text) - 1))] = data.draw(st.integers(0, 255))
    try:
        found = decode_codes(bytes(text), SHAPE, "x.png")
    except ImageFileError:
        return
    assert np.array_equal(found, codes)
