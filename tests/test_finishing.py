"""Finished pictures of every format, made again from themselves, on a planet whose truth is known."""

import json
import sys
import zipfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import psd_tools
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow
from typer.testing import CliRunner

import perijove
from perijove.cli import app
from perijove.compose.options import FORMATS, PictureOptions, look_of
from perijove.darkroom.layers import MAIN
from perijove.darkroom.recipe import recipe_of
from perijove.errors import MissingExtraError, OptionError, RecipeError
from perijove.finishing import develop_to, kept_as, process_to, recipe_in, rerun
from perijove.opening import Opening
from perijove.products.about import About
from perijove.products.pictures import suffix_of
from perijove.products.xmp import documents_in, packet
from perijove.story.credit import Credit
from perijove.story.licence import parse_licence

CREDIT = Credit().by("Séan & <Doe>", parse_licence("CC BY 4.0"))


def recipe(**given: Any) -> Any:
    layers = [{"picture": {"style": "enhanced"}}]
    return recipe_of({"perijove_recipe": 1, "name": "trial", "view": {"size": 160}, "layers": layers, **given})


@pytest.fixture(scope="module")
def jpeg(opening: Opening, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("jpeg")
    report = develop_to({MAIN: opening}, kept_as(recipe(), "jpeg"), folder, credit=CREDIT)
    return Path(report["files"][0])


@pytest.mark.parametrize("kind", FORMATS)
def test_every_format_is_made_again_byte_for_byte(opening: Opening, tmp_path: Path, kind: str) -> None:
    kept = recipe(output={"format": kind, "gamut": "p3"})
    picture = Path(develop_to({MAIN: opening}, kept, tmp_path, credit=CREDIT)["files"][0])
    assert picture.suffix == suffix_of(kind)
    assert recipe_in(picture).model_copy(update={"made": None}) == kept
    again = rerun(picture, folders=[opening.raw.parent])
    assert again["identical"]
    assert picture.with_name(f"{picture.stem}-rerun{picture.suffix}").read_bytes() == picture.read_bytes()


ADJUSTED = [{"picture": {}}, {"colour": [1, 0.5, 0], "blend": "subtract", "opacity": 0.3}, {"operators": ["gamma"]}]


@pytest.mark.parametrize("kind", ["ora", "psd"])
def test_layers_lie_beside_the_picture_and_are_made_again(opening: Opening, tmp_path: Path, kind: str) -> None:
    kept = recipe(layers=ADJUSTED, output={"format": "tiff", "depth": 8})
    report = develop_to({MAIN: opening}, kept, tmp_path, credit=CREDIT, layers=kind)
    names = [Path(file).name for file in report["files"]]
    stem = "JNCE_2022229_44C00001_V01-trial"
    assert names == [f"{stem}.tif", f"{stem}.{kind}", f"{stem}.report.json"]
    known = {"ora": ["colour (baked: subtract)"], "psd": []}[kind]
    assert report["layers_baked"] == [*known, "gamma (baked: adjustment)"]
    layered = tmp_path / f"{stem}.{kind}"
    flat = tifffile.imread(tmp_path / f"{stem}.tif")
    if kind == "psd":
        document = psd_tools.PSDImage.open(layered)
        drawn = np.asarray(document.composite(force=True, ignore_preview=True).convert("RGB"))
        # Two layers on another, of 8 bits each, and psd-tools cuts off what is left of a code.
        assert np.abs(drawn.astype(int) - flat).max() <= 2
    else:
        with zipfile.ZipFile(layered) as file, file.open("mergedimage.png") as merged, Pillow.open(merged) as picture:
            np.testing.assert_array_equal(np.asarray(picture), flat)
    assert recipe_in(layered).layers == kept.layers
    with pytest.raises(OptionError, match=rf"give a name that ends in \.{kind}"):
        rerun(layered, tmp_path / "x.tif", [opening.raw.parent])
    again = rerun(layered, folders=[opening.raw.parent])
    assert again["identical"]
    assert Path(again["files"][0]).name == f"{stem}-rerun.{kind}"


def test_layers_without_their_library(opening: Opening, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psd_tools.psd", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'perijove\[layers\]'"):
        develop_to({MAIN: opening}, recipe(), tmp_path, layers="psd")
    # Told before anything is drawn.
    assert not list(tmp_path.iterdir())


def test_layers_need_a_recipe(opening: Opening, tmp_path: Path) -> None:
    made = run("process", opening.raw, "-o", tmp_path, "--layers", "ora")
    assert made.exit_code == 2
    assert "add --recipe" in made.stderr
    asked = ["--size", 64, "--pointing", opening.pointing, "--recipe", "storm", "--layers", "ora"]
    made = run("process", opening.raw, "-o", tmp_path, *asked)
    assert made.exit_code == 0, made.stderr
    assert "(baked: adjustment)" in made.stderr
    assert (tmp_path / "JNCE_2022229_44C00001_V01-storm.ora").is_file()


def test_a_picture_tells_who_made_it_from_what(jpeg: Path, opening: Opening) -> None:
    told = json.loads(documents_in(jpeg.read_bytes(), "x")["Provenance"])
    assert told["processing"] == ["Séan & <Doe>"]
    assert {entry["file"] for entry in told["inputs"]} >= {opening.raw.name, Path(str(opening.pointing)).name}
    with Pillow.open(jpeg) as picture:
        assert b"natural" in picture.info["xmp"]
        assert b"https://creativecommons.org/licenses/by/4.0/" in picture.info["xmp"]
        assert b"AltTextAccessibility" in picture.info["xmp"]


def test_a_recipe_is_kept_in_another_format() -> None:
    webp = recipe(output={"format": "webp", "quality": 70, "gamut": "p3"})
    assert kept_as(webp) is webp
    assert kept_as(webp, "jpeg").output.model_dump() == {"gamut": "p3", "depth": 16, "format": "jpeg", "quality": None}
    assert kept_as(webp, quality=50).output.format == "webp"
    with pytest.raises(RecipeError, match="png keeps every pixel and has no quality"):
        kept_as(recipe(), quality=50)
    with pytest.raises(RecipeError, match="from 1 to 100"):
        kept_as(recipe(), "avif", 101)
    with pytest.raises(RecipeError, match=r"output: .* png keeps every pixel"):
        recipe(output={"quality": 9})


def test_a_name_that_does_not_fit_the_format(jpeg: Path, opening: Opening, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"the picture is jpeg; give a name that ends in \.jpg"):
        rerun(jpeg, tmp_path / "x.png", [opening.raw.parent])
    assert not list(tmp_path.iterdir())


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_damaged_pictures_give_clear_errors(jpeg: Path, tmp_path: Path, data: st.DataObject) -> None:
    whole = jpeg.read_bytes()
    at = data.draw(st.integers(0, min(len(whole), 12_000)))
    noise = data.draw(st.binary(min_size=1, max_size=20))
    damaged = whole[:at] + noise + whole[at + len(noise) :]
    path = tmp_path / "damaged.jpg"
    path.write_bytes(damaged if data.draw(st.booleans()) else whole[:at])
    try:
        rerun(path)
    except RecipeError as error:
        # Where the recipe is whole, only its inputs are not found.
        assert "damaged.jpg" in str(error) or "is not in" in str(error)  # noqa: PT017
    except perijove.errors.InputError as error:
        assert str(error)  # noqa: PT017
    else:
        raise AssertionError("no inputs lie here")


def carrying(path: Path, document: Any) -> Path:
    path.write_bytes(packet(About("x", {"a": 1}, recipe=document)))
    return path


def made_of(**changes: Any) -> dict[str, Any]:
    raw = {"file": "a.png", "sha256": "0" * 64}
    made = {"software": "x", "images": {"main": {"product": "x", "raw": raw}}, "credit": CREDIT.report(), **changes}
    return {**recipe().document(), "made": made}


def image_of(name: str) -> dict[str, Any]:
    return {"main": {"product": "x", "raw": {"file": name, "sha256": "0" * 64}}}


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ({"name": "x"}, "is no recipe"),
        (recipe().document(), "does not tell what it was made from"),
        (made_of(images={}), "does not tell what it was made from"),
        (made_of(), "a.png, which the picture was made from, is not in"),
        (made_of(images=image_of("../a.png")), "no name of a file"),
        (made_of(images=image_of("/dev/zero")), "no name of a file"),
        (made_of(images=image_of("..")), "no name of a file"),
        (made_of(credit={}), "chain of credit that is damaged"),
        (made_of(credit={"steps": [3], "source": "", "place": ""}), "chain of credit that is damaged"),
    ],
)
def test_recipes_that_lead_nowhere(tmp_path: Path, document: Any, told: str) -> None:
    with pytest.raises(RecipeError, match=told):
        rerun(carrying(tmp_path / "x.png", document))


def test_recipes_that_are_no_json(tmp_path: Path) -> None:
    whole = packet(About("x", {"a": 1}, recipe={"name": "deep"}))
    path = tmp_path / "x.webp"
    for text in (b"[" * 100_000, b'{"name": ', b"9" * 5000):
        path.write_bytes(whole.replace(b'{"name": "deep"}', text))
        with pytest.raises(RecipeError, match="carries a recipe that is damaged"):
            recipe_in(path)


def test_files_that_are_no_pictures(tmp_path: Path) -> None:
    (tmp_path / "empty.png").touch()
    (tmp_path / "note.png").write_text("no picture")
    for name, told in (("empty.png", "is empty"), ("note.png", "carries no recipe"), ("none.png", "does not exist")):
        with pytest.raises(RecipeError, match=told):
            recipe_in(tmp_path / name)
    with pytest.raises(RecipeError, match="is a folder"):
        recipe_in(tmp_path)
    huge = tmp_path / "huge.png"
    with huge.open("wb") as file:
        file.truncate((1 << 33) + 1)
    with pytest.raises(RecipeError, match="more than"):
        recipe_in(huge)


def run(*arguments: Any) -> Any:
    return CliRunner().invoke(app, [str(a) for a in arguments])


@pytest.mark.parametrize("options", [["--recipe", "enhanced"], ["--style", "enhanced", "--natural"]])
def test_the_command_writes_every_format(opening: Opening, tmp_path: Path, options: list[str]) -> None:
    asked = [*options, "--size", 64, "--pointing", opening.pointing, "-o", tmp_path, "--format", "webp"]
    made = run("process", opening.raw, *asked, "--quality", 70)
    assert made.exit_code == 0, made.stderr
    with Pillow.open(tmp_path / "JNCE_2022229_44C00001_V01-enhanced.webp") as picture:
        assert picture.size == (64, 64)
    if options[0] == "--recipe":
        shown = run("recipe", "show", tmp_path / "JNCE_2022229_44C00001_V01-enhanced.webp")
        assert "quality: 70" in shown.stdout


def test_the_command_refuses_a_quality_of_png(opening: Opening, tmp_path: Path) -> None:
    for options in (["--recipe", "natural"], []):
        made = run("process", opening.raw, "-o", tmp_path, "--quality", 70, *options)
        assert made.exit_code == 2
        assert "has no quality" in made.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "options",
    [
        ["--style", "enhanced", "--look", "saturation=2", "--format", "avif"],
        ["--north-up", "--gamut", "p3", "--depth", 8],
        ["--view", "orthographic", "--centre=30,100", "--format", "tiff"],
    ],
)
def test_pictures_without_a_recipe_are_made_again_too(opening: Opening, tmp_path: Path, options: list[Any]) -> None:
    asked = ["--size", 150, "--pointing", opening.pointing, "-o", tmp_path, "--by", "Jane Doe", "--json"]
    made = run("process", opening.raw, *asked, *options)
    assert made.exit_code == 0, made.stderr
    told = json.loads(made.stdout)
    picture, planes, report = (Path(file) for file in told["files"])
    assert [planes.name, report.name] == [
        "JNCE_2022229_44C00001_V01-linear.tif",
        "JNCE_2022229_44C00001_V01.report.json",
    ]
    assert told["fidelity"]["badge"] == ("enhanced" if "enhanced" in options else "natural")
    assert tifffile.imread(planes).shape == (150, 150, 3)
    assert rerun(picture, folders=[opening.raw.parent])["identical"]


def test_a_style_is_as_its_recipe_has_it(opening: Opening, tmp_path: Path) -> None:
    options = PictureOptions("enhanced", look_of("detail=1"))
    report = process_to({MAIN: opening}, tmp_path, options, size=120, products=("natural",))
    expected = opening.open().view(120).picture(options).pixels
    np.testing.assert_array_equal(cv2.imread(report["files"][0], cv2.IMREAD_UNCHANGED)[..., ::-1], expected)
    assert len(report["files"]) == 2
