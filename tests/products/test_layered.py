"""OpenRaster and PSD, read back by other readers and laid upon each other by them."""

import io
import json
import sys
import xml.etree.ElementTree as ET
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import psd_tools
import pytest
from PIL import Image
from psd_tools.constants import Resource

from perijove.darkroom import blend
from perijove.darkroom.unstacked import Sheet
from perijove.errors import MissingExtraError, OptionError
from perijove.products import openraster, photoshop
from perijove.products.about import About
from perijove.products.icc import icc_profile
from perijove.products.xmp import documents_in, packet

ABOUT = About("Jet N5", {"credit": "NASA", "software": "perijove X"}, "a caption", recipe={"name": "x"})
HEIGHT, WIDTH = 40, 600


def noise(seed: int, kind: type, cover: float | None = None) -> np.ndarray:
    """Colours of noise; they cover everything, or as noise does, or evenly."""
    most = np.iinfo(kind).max
    pixels = np.random.default_rng(seed).integers(0, most, (HEIGHT, WIDTH, 4), kind, True)
    if cover is not None:
        pixels[..., 3] = round(cover * most)
    return pixels


def sheets_of(kind: type, mode: str) -> tuple[Sheet, ...]:
    empty = np.empty((0, 0, 4), np.uint8)
    inside = (Sheet("one", "normal", 1.0, noise(3, kind)), Sheet("two", mode, 0.6, noise(4, kind, 0.7)))
    return (
        Sheet("below", "normal", 1.0, noise(1, kind)),
        Sheet("above Ω <&>", mode, 0.8, noise(2, kind)),
        Sheet("group", mode, 0.4, empty, inside),
    )


def picture(kind: type) -> np.ndarray:
    return noise(9, kind)[..., :3]


def opened(file: zipfile.ZipFile, name: str) -> np.ndarray:
    """An image of OpenRaster by another library, 0 to 1."""
    import cv2

    read = cv2.imdecode(np.frombuffer(file.read(name), np.uint8), cv2.IMREAD_UNCHANGED)
    return read[..., [2, 1, 0, 3][: read.shape[2]]] / np.iinfo(read.dtype).max


FORMULAS = {
    "svg:src-over": lambda _, s: s,
    "svg:screen": lambda b, s: b + s - b * s,
    "svg:difference": lambda b, s: abs(b - s),
}


def laid(stack: ET.Element, file: zipfile.ZipFile) -> tuple[np.ndarray, np.ndarray]:
    """Layers of OpenRaster, the last one lowest, by the formulas of the W3C."""
    light, cover = np.zeros((HEIGHT, WIDTH, 3)), np.zeros((HEIGHT, WIDTH))
    for each in reversed(stack):
        if each.tag == "stack":
            assert each.get("isolation") == "isolate"
            colour, share = laid(each, file)
            colour = colour / np.maximum(share, 1e-9)[..., None]
        else:
            read = opened(file, each.attrib["src"])
            colour, share = read[..., :3], read[..., 3]
        share = share * float(each.get("opacity", "1"))
        below = light / np.maximum(cover, 1e-9)[..., None]
        mixed = FORMULAS[each.get("composite-op", "svg:src-over")](below, colour)
        over = share[..., None] * ((1 - cover)[..., None] * colour + cover[..., None] * mixed)
        light, cover = over + (1 - share)[..., None] * light, share + (1 - share) * cover
    return light, cover


def expected(sheets: tuple[Sheet, ...]) -> np.ndarray:
    from perijove.darkroom.unstacked import merged

    colour, cover = merged(sheets, (HEIGHT, WIDTH))
    return colour * cover[..., None]


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
@pytest.mark.parametrize("mode", ["normal", "screen", "difference"])
def test_openraster_is_laid_as_it_was_meant(tmp_path: Path, kind: type, mode: str) -> None:
    path, sheets = tmp_path / "a.ora", sheets_of(kind, mode)
    openraster.write(path, sheets, picture(kind), ABOUT)
    with zipfile.ZipFile(path) as file:
        light, cover = laid(ET.fromstring(file.read("stack.xml"))[0], file)
        np.testing.assert_array_equal(np.round(opened(file, "mergedimage.png") * np.iinfo(kind).max), picture(kind))
    assert (cover == 1).all()
    np.testing.assert_allclose(light, expected(sheets), atol=1e-4)


def test_openraster_is_as_its_standard_wants_it(tmp_path: Path) -> None:
    path = tmp_path / "a.ora"
    openraster.write(path, sheets_of(np.uint8, "multiply"), picture(np.uint8), ABOUT, "p3")
    data = path.read_bytes()
    # The type stands, as it is, behind the first entry's header of 30 bytes and its name.
    assert data[30:54] == b"mimetypeimage/openraster"
    with zipfile.ZipFile(path) as file:
        assert file.testzip() is None
        assert file.infolist()[0].filename == "mimetype"
        assert {entry.compress_type for entry in file.infolist()} == {zipfile.ZIP_STORED}
        root = ET.fromstring(file.read("stack.xml"))
        assert (root.tag, root.get("w"), root.get("h")) == ("image", str(WIDTH), str(HEIGHT))
        named = [each.get("name") for each in root.iter() if each.get("name")]
        assert named == ["Jet N5", "group", "two", "one", "above Ω <&>", "below", "sky"]
        assert [each.get("composite-op") for each in root.iter("layer")][2] == "svg:multiply"
        with Image.open(io.BytesIO(file.read("Thumbnails/thumbnail.png"))) as small:
            assert small.size == (256, 17)
        with Image.open(io.BytesIO(file.read("mergedimage.png"))) as whole:
            assert whole.info["icc_profile"] == icc_profile("p3")
            assert whole.info["xmp"] == packet(ABOUT)
    assert json.loads(documents_in(data, "x")["Recipe"]) == {"name": "x"}


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
@pytest.mark.parametrize("mode", sorted(photoshop.MODES))
def test_psd_is_laid_as_it_was_meant(tmp_path: Path, kind: type, mode: str) -> None:
    path, sheets = tmp_path / "a.psd", sheets_of(kind, mode)
    photoshop.write(path, sheets, picture(kind), ABOUT)
    document = psd_tools.PSDImage.open(path)
    assert (document.depth, document.size) == (8 * np.dtype(kind).itemsize, (WIDTH, HEIGHT))
    # What lies in the file, not what was merged before.
    drawn = np.asarray(document.composite(force=True, ignore_preview=True).convert("RGB")).astype(float)
    off = np.abs(drawn - 255 * expected(sheets))
    # Opacities of 8 bits, rounding per layer; hues of dark noise hang on a single code.
    assert np.percentile(off, 99) < 2.5
    assert off.mean() < 0.6
    most = np.iinfo(kind).max
    np.testing.assert_array_equal(np.round(document.numpy() * most)[..., :3], picture(kind))


def test_psd_keeps_layers_names_and_what_is_told(tmp_path: Path) -> None:
    path, sheets = tmp_path / "a.psd", sheets_of(np.uint16, "overlay")
    photoshop.write(path, sheets, picture(np.uint16), ABOUT, "p3")
    document = psd_tools.PSDImage.open(path)
    sky, whole = document
    assert (sky.name, whole.name, whole.kind, whole.blend_mode.name) == ("sky", "Jet N5", "group", "NORMAL")
    below, above, group = whole
    assert [layer.name for layer in (below, above, group, *group)] == ["below", "above Ω <&>", "group", "one", "two"]
    assert (above.blend_mode.name, above.opacity, group.opacity, group.blend_mode.name) == (
        "OVERLAY",
        204,
        102,
        "OVERLAY",
    )
    np.testing.assert_array_equal(np.round(above.numpy() * 65535), sheets[1].pixels)
    resources = document.image_resources
    assert resources.get_data(Resource.ICC_PROFILE) == icc_profile("p3")
    assert json.loads(documents_in(path.read_bytes(), "x")["Recipe"]) == {"name": "x"}


def test_modes_are_those_of_the_darkroom() -> None:
    assert set(photoshop.MODES) == set(blend.MODES)
    assert set(blend.MODES) - set(openraster.MODES) == {"add", "exclusion", "linear-light", "subtract"}


@pytest.mark.parametrize("write", [openraster.write, photoshop.write])
def test_the_same_layers_are_the_same_file(tmp_path: Path, write: Any) -> None:
    for name in ("a", "b"):
        write(tmp_path / name, sheets_of(np.uint16, "screen"), picture(np.uint16), ABOUT)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_what_psd_cannot_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wide = np.zeros((1, 30001, 3), np.uint8)
    with pytest.raises(OptionError, match="at most 30000 pixels a side"):
        photoshop.write(tmp_path / "a.psd", (), wide, ABOUT)
    monkeypatch.setattr(photoshop, "_MOST_BYTES", 1000)
    with pytest.raises(OptionError, match="GiB and PSD holds 2; choose ora"):
        photoshop.write(tmp_path / "a.psd", sheets_of(np.uint8, "normal"), picture(np.uint8), ABOUT)
    assert not list(tmp_path.iterdir())


def test_without_psd_tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psd_tools.psd", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'perijove\[layers\]'"):
        photoshop.write(tmp_path / "a.psd", (), picture(np.uint8), ABOUT)
