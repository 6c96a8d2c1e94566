"""Recipes: read, written, and refused in words."""

import random
import string
from typing import Any

import pytest

from perijove.darkroom.recipe import Recipe, parse_recipe, presets, read_recipe, recipe_of, write_yaml
from perijove.darkroom.versions import CHANGES, VERSION
from perijove.darkroom.views import ViewPlan
from perijove.errors import RecipeError

FULL = """
perijove_recipe: 2
name: all-of-it
about: Everything a recipe may hold.
view: {orthographic: {centre: [60, 120.5]}, size: 900}
layers:
  - picture: {style: natural}
    operators:
      - exposure: {stops: 0.25}
  - name: clouds
    picture: {style: enhanced, look: {saturation: 2}}
    blend: luminosity
    opacity: 0.5
    mask:
      latitude: {above: 30, feather: 5}
      brush: {strokes: [{points: [[0.1, 0.2], [0.3, 0.4]], width: 3}]}
      invert: true
  - layers:
      - colour: [0.1, 0.2, 0.3]
      - picture: {style: methane-red}
        visible: false
    opacity: 0.1
  - picture: {image: other}
    opacity: 0.2
output: {gamut: p3, depth: 8}
"""


def test_everything_comes_back() -> None:
    recipe = parse_recipe(FULL)
    assert recipe.layers[1].mask is not None
    assert recipe.layers[1].mask.latitude is not None
    assert recipe.images() == ("main", "other")
    assert parse_recipe(write_yaml(recipe)) == recipe
    assert recipe_of(recipe.document()) == recipe


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("perijove_recipe: 2", "perijove_recipe: 3"), "version 3, .* upgrade with pip install"),
        (("perijove_recipe: 2", "perijove_recipe: true"), "version True"),
        (("perijove_recipe: 2", "perijove_recipe: 0"), "version 0, which never was"),
        (("perijove_recipe: 2", "perijove_recipe: 2.0"), "version 2.0, which never was"),
        (("perijove_recipe: 2", "version: 2"), "no perijove_recipe"),
        (("name: all-of-it", "name: All Of It"), "name: String should match"),
        (("size: 900", "size: 9"), "view.size"),
        (("orthographic: {", "spacecraft: {"), "view.spacecraft.centre: Extra"),
        (("orthographic: {", "map: {}, orthographic: {"), "not orthographic and map"),
        (("orthographic: {centre: [60, 120.5]}", "map: {projection: '+proj=moll'}"), "view.map: .*no projection"),
        (("orthographic: {centre: [60, 120.5]}", "map: {pole: north}"), "a pole needs one of polar-"),
        (("orthographic: {centre: [60, 120.5]}", "map: {to_latitude: 60}"), "maps about a pole"),
        (("orthographic: {centre: [60, 120.5]}", "map: {centre: [1, 2]}"), "no centre: give the meridian"),
        (("orthographic: {centre: [60, 120.5]}", "map: {projection: equal-area, meridian: 9}"), "no meridian"),
        (("orthographic: {centre: [60, 120.5]}", "map: {projection: equal-area, radius_km: 9}"), "needs a centre"),
        (("orthographic: {centre: [60, 120.5]}", "map: {scale_km: 20}"), "size and scale_km both"),
        (("orthographic: {centre: [60, 120.5]}", "map: , rotate_deg: 20"), "turned by its meridian"),
        (
            (
                "orthographic: {centre: [60, 120.5]}",
                "map: {projection: polar-equidistant, to_latitude: 9, region: globe}",
            ),
            "give one of them",
        ),
        (("stops: 0.25", "stops: .nan"), "layers.0.operators"),
        (("blend: luminosity", "blend: dissolve"), "layers.1.blend"),
        (("about:", "aboot:"), "aboot"),
        (("saturation: 2", "saturation: 20"), "saturation is 20"),
        ((FULL[FULL.index("layers:") :], "layers: []"), "needs a layer"),
        (("- exposure: {stops: 0.25}", "- *x"), "references"),
        (("name: all-of-it", "name: &a all-of-it\nabout: *a"), "references"),
        (("name: all-of-it", "name: !!python/object/apply:os.system [ls]"), "neither YAML"),
        (("name: all-of-it", "name: all-of-it\nname: twice"), "neither YAML"),
    ],
)
def test_what_is_wrong_is_told(change: tuple[str, str], told: str) -> None:
    with pytest.raises(RecipeError, match=told) as caught:
        parse_recipe(FULL.replace(*change), "my.yaml")
    assert str(caught.value).startswith("my.yaml ")
    assert "\n" not in str(caught.value)


def test_nesting_and_size_have_limits() -> None:
    with pytest.raises(RecipeError, match="nested"):
        parse_recipe("perijove_recipe: 2\nlayers: " + "[" * 500 + "]" * 500)
    with pytest.raises(RecipeError, match="longer"):
        parse_recipe("# " + "x" * 1_000_001)


def as_first_version(view: str) -> Recipe:
    return parse_recipe(f"{{perijove_recipe: 1, name: old, view: {view}, layers: [{{picture: {{}}}}]}}")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("{}", {}),
        ("{size: 300, zoom: 2, crop: [0, 0, 0.5, 1]}", {"size": 300, "zoom": 2, "crop": (0, 0, 0.5, 1)}),
        ("{north_up: true, rotate_deg: 5}", {"spacecraft": {"north_up": True}, "rotate_deg": 5}),
        ("{projection: spacecraft, size: 99}", {"spacecraft": {}, "size": 99}),
        ("{projection: orthographic, centre: [60, 120.5]}", {"orthographic": {"centre": (60, 120.5)}}),
        # Such views always had north up.
        ("{projection: orthographic, north_up: true}", {"orthographic": {}}),
    ],
)
def test_the_first_version_is_still_read(old: str, new: dict[str, Any]) -> None:
    recipe = as_first_version(old)
    assert recipe.view == ViewPlan.model_validate(new)
    assert recipe.document()["perijove_recipe"] == 2
    assert recipe_of(recipe.document()) == recipe


@pytest.mark.parametrize(
    ("old", "told"),
    [
        ("{centre: [1, 2]}", "view.spacecraft.centre"),
        ("{projection: [1]}", "view.projection"),
        ("{projection: map}", "view.projection"),
        ("7", "view: Input"),
        ("{map: {}, north_up: true}", "not spacecraft and map"),
    ],
)
def test_what_was_wrong_in_the_first_version_is_wrong_still(old: str, told: str) -> None:
    with pytest.raises(RecipeError, match=told):
        as_first_version(old)


def test_there_is_a_way_up_from_every_version() -> None:
    assert sorted(CHANGES) == list(range(1, VERSION))


def test_documents_are_not_changed_in_place() -> None:
    view = {"projection": "orthographic", "size": 99}
    document = {"perijove_recipe": 1, "name": "old", "view": view, "layers": [{"picture": {}}]}
    recipe_of(document)
    assert document["perijove_recipe"] == 1
    assert view == {"projection": "orthographic", "size": 99}


def test_another_kind_of_view_takes_the_place_of_the_former() -> None:
    recipe = parse_recipe(FULL)
    changed = recipe.viewed(map={"projection": "mercator"}, zoom=2).view
    assert changed == ViewPlan.model_validate({"map": {"projection": "mercator"}, "size": 900, "zoom": 2})
    scaled = recipe.viewed(map={"scale_km": 30}, size=None)
    assert scaled.viewed(size=500).view == ViewPlan.model_validate({"map": {}, "size": 500})


def mutated(text: str, rng: random.Random) -> str:
    """A document with a few of its characters or lines changed."""
    for _ in range(rng.randint(1, 6)):
        at = rng.randrange(len(text) + 1)
        match rng.randrange(6):
            case 0:
                text = text[:at] + rng.choice(string.printable) + text[at:]
            case 1:
                text = text[:at] + text[at + rng.randint(1, 8) :]
            case 2:
                text = (
                    text[:at]
                    + rng.choice(["!!", "&a ", "*a", "{", "}", "[", "]", "- ", ": ", "1e999", "-.inf", "~", "\x00"])
                    + text[at:]
                )
            case 3:
                lines = text.split("\n")
                rng.shuffle(lines)
                text = "\n".join(lines)
            case 4:
                lines = text.split("\n")
                lines.insert(rng.randrange(len(lines)), rng.choice(lines))
                text = "\n".join(lines)
            case _:
                text = text.replace(rng.choice("0123456789"), rng.choice(["9" * 30, "0x", "2001-99-99", "é", "1:2:3"]))
    return text


def survivors(documents: int, seed: int) -> int:
    """How many of so many mutated documents are still recipes; all others have to be refused in one line."""
    rng = random.Random(seed)
    read = 0
    for _ in range(documents):
        text = mutated(FULL, rng)
        try:
            parse_recipe(text)
        except RecipeError as error:
            told = str(error)
        else:
            told = ""
            read += 1
        assert "\n" not in told
    return read


def test_mutated_documents_only_give_clear_errors() -> None:
    # Some changes do no harm, most do.
    assert 0 < survivors(1000, 1) < 500


@pytest.mark.slow
def test_ten_thousand_mutated_documents() -> None:
    assert 0 < survivors(10_000, 99) < 5000


@pytest.mark.parametrize("name", presets())
def test_what_comes_along_can_be_read(name: str) -> None:
    recipe = read_recipe(name)
    assert recipe.name == name
    assert len(recipe.about) > 40


def test_a_recipe_that_is_not_there(tmp_path: object) -> None:
    with pytest.raises(RecipeError, match="natural"):
        read_recipe("no-such-recipe")
