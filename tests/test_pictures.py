"""Styles, gamuts and depths from a raw image to the file, on a planet whose truth is known."""

import io
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image as Pillow
from PIL import ImageCms
from typer.testing import CliRunner

import perijove
from perijove.cli import app
from perijove.compose.options import PictureOptions
from perijove.errors import OptionError
from perijove.pipeline import Raster
from perijove.processing import process


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory, write_set: Any, earth_scene: Any) -> Path:
    return write_set(tmp_path_factory.mktemp("set"), earth_scene)


@pytest.fixture(scope="module")
def raster(raw: Path) -> Raster:
    return perijove.open(raw).view(size=240)


def test_the_light_is_that_of_the_true_sun(raster: Raster, earth_scene: Any, synthetic: Any) -> None:
    ground = raster.view.ground()
    normal = ground / synthetic.RADII**2
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    on = raster.light.on_ground
    assert 0.2 < on.mean() < 0.9
    # The solved pointing is off by a fraction of a pixel, a pixel of this view by a degree at the limb.
    error = raster.light.mu0 - normal @ earth_scene.pointing.sun_fixed
    assert np.median(np.abs(error[on])) < 0.002
    assert np.isnan(raster.light.mu0[~on & ~np.isfinite(raster.light.mu)]).all()


@pytest.mark.parametrize(("depth", "gamut"), [(8, "p3"), (16, "srgb")])
@pytest.mark.parametrize("style", ["natural", "enhanced"])
def test_a_picture_is_kept_as_asked(raster: Raster, tmp_path: Path, style: str, depth: int, gamut: str) -> None:
    options = PictureOptions(style, gamut=gamut, depth=depth)  # type: ignore[arg-type]
    path = raster.save_picture(tmp_path / "picture.png", options)
    read = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert read.dtype == (np.uint8 if depth == 8 else np.uint16)
    assert read.shape == (240, 240, 3)
    assert read.max() < np.iinfo(read.dtype).max
    with Pillow.open(path) as picture:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(picture.info["icc_profile"]))
        assert ("Comment" in picture.info) == (style != "natural")
    assert ImageCms.getProfileDescription(profile).strip() == {"p3": "Display P3", "srgb": "sRGB"}[gamut]


def test_a_picture_as_tiff(raster: Raster, tmp_path: Path) -> None:
    png, tif = (raster.save_picture(tmp_path / name) for name in ("picture.png", "picture.tif"))
    np.testing.assert_array_equal(tifffile.imread(tif), cv2.imread(str(png), cv2.IMREAD_UNCHANGED)[..., ::-1])
    with pytest.raises(OptionError, match=r"give a name that ends in \.png, \.tif, .* or \.avif"):
        raster.save_picture(tmp_path / "picture.gif")


def test_an_image_drawn_on_anothers_view_is_registered(raster: Raster) -> None:
    again = raster.image.drawn_on(raster.view)
    np.testing.assert_array_equal(again.values, raster.values)


def test_process_names_the_picture_after_its_style(raster: Raster, tmp_path: Path) -> None:
    report = process(raster.image, tmp_path, size=64, products=("natural",), picture=PictureOptions("enhanced"))
    assert str(report["files"][0]).endswith("-enhanced.png")


def test_the_command_makes_an_enhanced_picture(raw: Path, tmp_path: Path) -> None:
    arguments = [
        "process",
        raw,
        "-o",
        tmp_path,
        "--size",
        "120",
        "--style",
        "enhanced",
        "--gamut",
        "p3",
        "--depth",
        "8",
    ]
    result = CliRunner().invoke(app, [*map(str, arguments), "--natural", "--look", "saturation=2,detail=1", "--json"])
    assert result.exit_code == 0, result.stderr
    (picture, _) = json.loads(result.stdout)["files"]
    assert cv2.imread(picture, cv2.IMREAD_UNCHANGED).dtype == np.uint8


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--look", "glow=3"], "no parameter of a look"),
        (["--depth", "12"], "8 or 16 bits"),
        (["--style", "methane-red"], "needs a methane image"),
    ],
)
def test_the_command_refuses_what_cannot_be(raw: Path, tmp_path: Path, options: list[str], message: str) -> None:
    result = CliRunner().invoke(app, ["process", str(raw), "-o", str(tmp_path), *options])
    assert result.exit_code == 2
    assert message in result.stderr
    assert not list(tmp_path.iterdir())
