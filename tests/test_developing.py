"""Recipes from raw images to files and back, on a planet whose truth is known."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from perijove.cli import app
from perijove.darkroom.layers import MAIN, Memory
from perijove.darkroom.operators import OPERATORS
from perijove.darkroom.recipe import presets, read_recipe, recipe_of, write_yaml
from perijove.developing import develop
from perijove.errors import RecipeError
from perijove.finishing import develop_to, recipe_in, rerun
from perijove.opening import Opening
from perijove.story.credit import Credit

VIEW = {"size": 160}


def recipe(*layers: dict[str, Any], name: str = "trial", **given: Any) -> Any:
    return recipe_of({"perijove_recipe": 2, "name": name, "view": VIEW, "layers": list(layers), **given})


@pytest.fixture(scope="module")
def image(opening: Opening) -> Any:
    return opening.open()


def test_the_natural_recipe_is_the_natural_picture(image: Any) -> None:
    made = develop({MAIN: image}, recipe({"picture": {}}))
    expected = image.view(160).picture().pixels
    assert np.abs(made.pixels.astype(int) - expected).max() <= 1
    assert made.fidelity.badge == "natural"


def test_layers_and_masks_reach_the_picture(image: Any) -> None:
    layers = [{"picture": {}}, {"colour": [1, 0, 0], "mask": {"latitude": {"above": 40}}}]
    made = develop({MAIN: image}, recipe(*layers))
    north = made.raster.light.on_ground & (made.raster.light.latitude_deg > 40)
    known = made.raster.weight.min(axis=-1) > 0
    assert (made.pixels[north & known] == (65535, 0, 0)).all()
    assert made.fidelity.badge == "artistic"
    on_planes = recipe({"picture": {}, "mask": {"longitude": {"centre": 100, "width": 90}, "phase": {"below": 180}}})
    assert 0 < np.count_nonzero(develop({MAIN: image}, on_planes).pixels) < np.count_nonzero(made.pixels)


RECIPES = {
    **{f"with-{name}": [{"picture": {}, "operators": [name]}] for name in OPERATORS},
    "a-group": [{"layers": [{"picture": {}}, {"colour": [0.3, 0.2, 0.1], "blend": "overlay"}], "opacity": 0.8}],
    "masks": [{"picture": {}}, {"picture": {"style": "enhanced"}, "mask": {"incidence": {"below": 60, "feather": 20}}}],
}


@pytest.mark.parametrize("name", RECIPES)
def test_pictures_are_made_again_byte_for_byte(opening: Opening, tmp_path: Path, name: str) -> None:
    report = develop_to({MAIN: opening}, recipe(*RECIPES[name], name=name), tmp_path, credit=Credit().by("Jane Doe"))
    picture = Path(report["files"][0])
    again = rerun(picture, tmp_path / "again.png", [opening.raw.parent])
    assert again["identical"]
    assert (tmp_path / "again.png").read_bytes() == picture.read_bytes()
    assert np.ptp(cv2.imread(str(picture), cv2.IMREAD_UNCHANGED)) > 1000


def test_a_picture_tells_of_itself(opening: Opening, tmp_path: Path) -> None:
    from PIL import Image as Pillow

    kept = recipe({"picture": {}}, name="plain", output={"depth": 8})
    report = develop_to({MAIN: opening}, kept, tmp_path, credit=Credit().by("Jane Doe"))
    assert [Path(file).name for file in report["files"]] == [
        "JNCE_2022229_44C00001_V01-plain.png",
        "JNCE_2022229_44C00001_V01-plain.report.json",
    ]
    carried = recipe_in(Path(report["files"][0]))
    assert carried.model_copy(update={"made": None}) == kept
    assert carried.made is not None
    record = carried.made.images[MAIN]
    assert record.product == "JNCE_2022229_44C00001_V01"
    assert record.metadata is not None
    assert record.pointing is not None
    with Pillow.open(report["files"][0]) as picture:
        assert picture.info["Author"] == "Jane Doe"
        assert picture.info["Comment"].startswith("natural; CIEDE2000")
        assert "perijove 44" in picture.info["Description"]
    told = json.loads(Path(report["files"][1]).read_text())
    assert told["fidelity"]["badge"] == "natural"


def test_what_is_missing_or_changed_is_told(opening: Opening, tmp_path: Path) -> None:
    report = develop_to({MAIN: opening}, recipe({"picture": {}}), tmp_path)
    picture = Path(report["files"][0])
    with pytest.raises(RecipeError, match=r"44C00001_V01-raw.png, which the picture was made from, is not in"):
        rerun(picture)
    other = tmp_path / "other"
    other.mkdir()
    for path in (opening.raw, opening.raw.parent / "10001-Metadata.json", opening.pointing):
        assert path is not None
        (other / path.name).write_bytes(path.read_bytes())
    label = other / "10001-Metadata.json"
    label.write_text(label.read_text() + " ")
    with pytest.raises(RecipeError, match=r"10001-Metadata.json is not the file .* SHA-256"):
        rerun(picture, folders=[other])
    assert not list(tmp_path.glob("*rerun*"))


def test_pictures_without_a_recipe(opening: Opening, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="carries no recipe"):
        recipe_in(opening.raw)
    (tmp_path / "note.png").write_text("no picture")
    with pytest.raises(RecipeError, match="carries no recipe"):
        recipe_in(tmp_path / "note.png")
    with pytest.raises(RecipeError, match="does not exist"):
        recipe_in(tmp_path / "nothing.png")


def test_images_that_are_not_given(image: Any) -> None:
    with pytest.raises(RecipeError, match="--image other=RAW"):
        develop({MAIN: image}, recipe({"picture": {"image": "other"}}))


def test_another_image_is_laid_upon_the_first(image: Any) -> None:
    made = develop(
        {MAIN: image, "other": image}, recipe({"picture": {}}, {"picture": {"image": "other"}, "blend": "difference"})
    )
    # The same image of the same ground: nothing is left.
    assert made.pixels.max() <= 2


def test_a_view_is_turned_cropped_and_zoomed_in_one_step(image: Any) -> None:
    plan = {"size": 160, "rotate_deg": 90, "crop": [0.25, 0.25, 0.75, 0.75], "zoom": 2}
    made = develop({MAIN: image}, recipe({"picture": {}}).viewed(**plan))
    assert made.pixels.shape == (160, 160, 3)
    plain = np.rot90(develop({MAIN: image}, recipe({"picture": {}})).pixels, -1)[40:120, 40:120].astype(float)
    shrunk = cv2.resize(made.pixels.astype(np.float32), (80, 80), interpolation=cv2.INTER_AREA)
    # Exposure follows what is shown, and fine pixels sharpen clouds: alike but for one factor and a little noise.
    assert np.corrcoef(shrunk.ravel(), plain.ravel())[0, 1] > 0.99


def test_one_change_of_many_is_cheap(image: Any) -> None:
    memory = Memory()
    layers = [{"picture": {}, "operators": [{"exposure": {"stops": 0.1 * k}} for k in range(4)]}]
    first = develop({MAIN: image}, recipe(*layers), memory)
    again = develop({MAIN: image}, recipe(*layers), memory)
    np.testing.assert_array_equal(first.pixels, again.pixels)


def run(*arguments: Any) -> Any:
    return CliRunner().invoke(app, [str(a) for a in arguments])


def test_the_commands(opening: Opening, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    assert run("recipe", "new", path).exit_code == 0
    assert read_recipe(str(path)).name == "mine"
    assert run("recipe", "new", path).exit_code == 2
    result = run("recipe", "check", path)
    assert "main" in result.stdout
    for name in presets():
        assert name in run("recipe", "list").stdout
    made = run("process", opening.raw, "--recipe", path, "--size", 120, "--pointing", opening.pointing, "-o", tmp_path)
    assert made.exit_code == 0, made.stderr
    picture = tmp_path / "JNCE_2022229_44C00001_V01-mine.png"
    assert cv2.imread(str(picture)).shape == (120, 120, 3)
    assert write_yaml(recipe_in(picture)) == run("recipe", "show", picture).stdout
    result = run("rerun", picture, "--in", opening.raw.parent, "--json")
    assert json.loads(result.stdout)["identical"] is True


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--recipe", "nothing"], "there is no recipe"),
        (["--recipe", "natural", "--style", "enhanced"], "leave out --style"),
        (["--recipe", "natural", "--size", "3"], "no such view"),
        (["--recipe", "natural", "--image", "methane"], "NAME=RAW"),
    ],
)
def test_what_cannot_be_asked_of_a_recipe(opening: Opening, tmp_path: Path, options: list[str], told: str) -> None:
    result = run("process", opening.raw, "-o", tmp_path, *options)
    assert result.exit_code == 2
    assert told in result.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("options", [["--style", "enhanced"], ["--recipe", "natural"]])
def test_an_annotated_copy_lies_beside_the_picture(opening: Opening, tmp_path: Path, options: list[str]) -> None:
    asked = ["--size", 300, "--pointing", opening.pointing, "--annotate", "all", "--graticule", 15, "--by", "Jane Doe"]
    made = run("process", opening.raw, "-o", tmp_path, *asked, *options)
    assert made.exit_code == 0, made.stderr
    stem = f"JNCE_2022229_44C00001_V01-{options[1]}"
    plain, drawn = (cv2.imread(str(tmp_path / f"{stem}{end}.png")) for end in ("", "-annotated"))
    assert drawn.shape[0] > plain.shape[0]
    changed = (drawn[:300] != plain).any(axis=-1).mean()
    assert 0.02 < changed < 0.5
    assert "Jane Doe" in (tmp_path / f"{stem}-annotation.svg").read_text()


def test_stars_of_the_catalogue_stand_where_moons_and_planets_are_seen_from(image: Any) -> None:
    """A star is drawn at the pixel along whose true line of sight it stands."""
    from perijove.darkroom.layers import PictureSource
    from perijove.developing import Table
    from perijove.geometry.stars import bright_stars

    raster = image.view(400)
    plane = Table(raster, {}).canvas(PictureSource()).plane("star_magnitude")
    pointing, view = image.located.solution.pointing, raster.view
    turn = pointing.jupiter_from_j2000[pointing.mid_frame]
    stars = bright_stars(float(pointing.et.mean()))
    ways = stars.directions @ turn.T
    rows, columns = np.nonzero(np.isfinite(plane))
    assert len(rows) > 0
    for row, column in zip(rows, columns, strict=True):
        # The ray of the pixel, from the definition of a perspective or equidistant view.
        right, down = (np.array([column, row]) + 0.5 - view.centre) * view.scale
        far = np.hypot(right, down)
        angle = far if view.projection == "equidistant" else np.arctan(far)
        ray = np.array([right / far * np.sin(angle), down / far * np.sin(angle), np.cos(angle)]) @ view.axes
        near = np.arccos(np.clip(ways @ ray, -1, 1))
        assert near.min() < view.scale
        assert stars.magnitudes[near < view.scale].min() == pytest.approx(float(plane[row, column]), abs=1e-5)


def test_a_star_field_is_artistic_and_none_on_a_globe_from_afar(image: Any) -> None:
    layers = {"picture": {}, "operators": ["star-field"]}
    made = develop({MAIN: image}, recipe(layers))
    assert made.fidelity.badge == "artistic"
    globe = {"orthographic": {}, "size": 160}
    plain = develop(
        {MAIN: image},
        recipe({"picture": {}}).model_copy(update={"view": recipe({"picture": {}}).view.changed(**globe)}),
    )
    drawn = develop({MAIN: image}, recipe(layers).model_copy(update={"view": recipe(layers).view.changed(**globe)}))
    np.testing.assert_array_equal(plain.pixels, drawn.pixels)


def test_a_refined_view_lies_where_the_other_does_and_leaves_small_ones(image: Any) -> None:
    # The camera's scale is about 420 pixels here.
    view = {"size": 1200, "crop": [0.3, 0.3, 0.6, 0.6]}
    cubic, detail = (
        develop({MAIN: image}, recipe({"picture": {}}).viewed(**view, resampling=how)).raster
        for how in ("cubic", "detail")
    )
    both = np.isfinite(cubic.values).all(axis=-1) & np.isfinite(detail.values).all(axis=-1)
    np.testing.assert_array_equal(np.isnan(cubic.values), np.isnan(detail.values))
    off = (detail.values - cubic.values)[both]
    assert 0 < np.abs(off).mean() < 0.01
    shift, _ = cv2.phaseCorrelate(*(np.nan_to_num(r.values[..., 0]).astype(float) for r in (cubic, detail)))
    assert np.hypot(*shift) < 0.1
    small = {"size": 160}
    pair = [
        develop({MAIN: image}, recipe({"picture": {}}).viewed(**small, resampling=how)).pixels
        for how in ("cubic", "detail")
    ]
    np.testing.assert_array_equal(*pair)


def test_what_is_refined_is_not_deconvolved_again(image: Any) -> None:
    view = {"size": 1200, "crop": [0.4, 0.4, 0.5, 0.5], "resampling": "detail"}
    plain, again = (
        develop({MAIN: image}, recipe({"picture": {}, "operators": steps}).viewed(**view)).pixels
        for steps in ([], ["deconvolve"])
    )
    # Through linear light and back: a level of 65,535 or two.
    assert np.abs(plain.astype(int) - again).max() <= 2
