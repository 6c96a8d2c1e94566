"""A real picture in every format: as large as it should be, and as it looks."""

from pathlib import Path
from typing import Any

import numpy as np
import psd_tools
import pytest
from PIL import Image as Pillow

from perijove.compose.options import LOSSY
from perijove.darkroom.layers import MAIN
from perijove.darkroom.recipe import read_recipe
from perijove.developing import develop
from perijove.finishing import write_layers
from perijove.opening import Opening
from perijove.products.pictures import FORMATS, write_picture

SIZE = 800


@pytest.fixture(scope="module")
def made(real_data: Path) -> Any:
    opening = Opening(real_data / "raw" / "JNCE_2022229_44C00032_V01-raw.png")
    return develop({MAIN: opening.open()}, read_recipe("storm").viewed(size=SIZE))


@pytest.mark.parametrize("suffix", [".jpg", ".webp", ".avif"])
def test_small_files_look_as_the_picture(made: Any, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"picture{suffix}"
    write_picture(path, made.pixels, made.raster.about())
    assert FORMATS[suffix] in LOSSY
    # Below two bits a pixel, of which half are sky.
    assert 20_000 < path.stat().st_size < SIZE * SIZE / 4
    with Pillow.open(path) as picture:
        read = np.asarray(picture).astype(float)
        assert b"A colour picture of Jupiter" in bytes(picture.info["xmp"])
    error = read - made.pixels / 257
    # Sharp clouds with the sensor's grain cost coders about two levels.
    assert np.sqrt(np.mean(error**2)) < 3


def test_layers_are_drawn_as_the_picture_by_another_program(made: Any, tmp_path: Path) -> None:
    path = tmp_path / "picture.psd"
    baked = write_layers(path, made, made.raster.about())
    assert baked
    assert all(name.endswith("(baked: adjustment)") for name in baked)
    document = psd_tools.PSDImage.open(path)
    assert document.depth == 16
    drawn = np.asarray(document.composite(force=True, ignore_preview=True).convert("RGB"))
    assert np.abs(drawn - made.pixels / 257).max() < 2
