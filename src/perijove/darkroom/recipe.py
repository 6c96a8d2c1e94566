"""Recipes: documents that say how a picture is made, and nothing else."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from perijove.compose.options import check_quality
from perijove.darkroom.layers import MAIN, Layer, PictureSource
from perijove.darkroom.versions import KEY, VERSION, brought_up
from perijove.darkroom.views import ViewPlan
from perijove.errors import OptionError, RecipeError

_MOST_BYTES: Final = 1_000_000
_MOST_DEPTH: Final = 60
#: So many of a document's faults are told at once.
_TOLD_FAULTS: Final = 3


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Output(_Model):
    """How the picture is kept; JPEG, WebP and AVIF have 8 bits whatever the depth, and a quality."""

    gamut: Literal["srgb", "p3"] = "srgb"
    depth: Literal[8, 16] = 16
    format: Literal["png", "tiff", "jpeg", "webp", "avif"] = "png"
    quality: int | None = None

    @model_validator(mode="after")
    def _check(self) -> "Output":
        try:
            check_quality(self.format, self.quality)
        except OptionError as error:
            raise ValueError(str(error)) from error
        return self


class Input(_Model):
    """A file or a folder that a picture was made from, by its name."""

    file: str
    sha256: str = Field(pattern="^[0-9a-f]{64}$")


class ImageRecord(_Model):
    """An image that a picture was made from, and how it was opened."""

    product: str
    raw: Input
    metadata: Input | None = None
    kernels: Input | None = None
    calibration: Input | None = None
    pointing: Input | None = None
    with_others: tuple[Input, ...] = ()
    noise_mode: Literal["auto", "off", "heavy"] = "auto"
    self_calibration: bool = True


class Made(_Model):
    """What a picture was made with: enough to make it again."""

    software: str
    images: Mapping[str, ImageRecord]
    credit: Mapping[str, Any]


class Recipe(_Model):
    """How a picture is made.

    Layers are told from the lowest to the highest. ``made`` stands in finished pictures only.
    """

    perijove_recipe: Literal[2]
    name: str = Field(pattern="^[a-z0-9][a-z0-9-]{0,59}$")
    about: str = Field("", max_length=4000)
    view: ViewPlan = ViewPlan()
    layers: tuple[Layer, ...] = Field(max_length=100)
    output: Output = Output()
    made: Made | None = None

    @model_validator(mode="after")
    def _check(self) -> "Recipe":
        if not self.layers:
            raise ValueError("a recipe needs a layer")
        return self

    def all_layers(self) -> Iterator[Layer]:
        """Every visible layer, those of groups included."""
        waiting = list(self.layers)
        while waiting:
            layer = waiting.pop(0)
            if layer.visible:
                yield layer
                waiting[:0] = layer.layers

    def images(self) -> tuple[str, ...]:
        """Names of the images that it needs, the main one first."""
        sources = [layer.picture for layer in self.all_layers() if layer.picture]
        names = [name for source in sources for name in images_of(source)]
        return tuple(dict.fromkeys((MAIN, *names)))

    def viewed(self, **changes: Any) -> "Recipe":
        """The same with another view: what kind it is takes the place of the former kind, the rest is changed.

        Raises
        ------
        RecipeError
            There is no such view.
        """
        try:
            view = self.view.changed(**changes)
        except ValidationError as error:
            raise RecipeError(f"no such view: {_told(error)}") from error
        return self.model_copy(update={"view": view})

    def document(self) -> dict[str, Any]:
        """Itself as plain data, without what is as it would be anyway."""
        told = self.model_dump(mode="json", exclude_defaults=True)
        return {KEY: VERSION, **told, "layers": [_without_empty(layer) for layer in told["layers"]]}


def _without_empty(layer: dict[str, Any]) -> dict[str, Any]:
    """A layer without an empty list of operators, and so the layers in it."""
    told = {key: value for key, value in layer.items() if key != "operators" or value}
    if "layers" in told:
        told["layers"] = [_without_empty(inner) for inner in told["layers"]]
    return told


def images_of(source: PictureSource) -> tuple[str, ...]:
    """Names of the images that a picture needs."""
    return (source.image, "methane") if source.style.startswith("methane") else (source.image,)


def parse_recipe(text: str, where: str = "the recipe") -> Recipe:
    """Read a recipe, YAML or JSON.

    Parameters
    ----------
    text : str
    where : str
        What it is called in errors.

    Returns
    -------
    Recipe

    Raises
    ------
    RecipeError
        It is no document, has keys that are not known, or values that cannot be; the message tells where.
    """
    if len(text.encode(errors="replace")) > _MOST_BYTES:
        raise RecipeError(f"{where} is longer than {_MOST_BYTES:,} bytes: that is no recipe")
    return recipe_of(_loaded(text, where), where)


def recipe_of(data: Any, where: str = "the recipe") -> Recipe:
    """A recipe from plain data, of this or an older version.

    Raises
    ------
    RecipeError
    """
    data = brought_up(data, where)
    try:
        return Recipe.model_validate(data)
    except ValidationError as error:
        raise RecipeError(f"{where} cannot be followed: {_told(error)}") from error


def _told(error: ValidationError) -> str:
    """The first faults of a document, in one line."""
    faults = error.errors(include_url=False, include_input=False)
    told = "; ".join(f"{'.'.join(map(str, f['loc'])) or 'document'}: {f['msg']}" for f in faults[:_TOLD_FAULTS])
    more = f" (and {len(faults) - _TOLD_FAULTS} more)" if len(faults) > _TOLD_FAULTS else ""
    return f"{told}{more}".replace("\n", " ")


def read_recipe(name_or_path: str) -> Recipe:
    """A recipe by its name, of those that come along, or from a file.

    Raises
    ------
    RecipeError
        There is no such recipe, or it is none.
    """
    if name_or_path in presets():
        return parse_recipe(_preset_text(name_or_path), f"the recipe {name_or_path}")
    path = Path(name_or_path)
    if not path.is_file():
        known = ", ".join(presets())
        raise RecipeError(f"there is no recipe {name_or_path!r}: give a file, or one of {known}")
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path} cannot be read as text ({error}); a recipe is YAML or JSON") from error
    return parse_recipe(text, str(path))


def presets() -> tuple[str, ...]:
    """Names of the recipes that come along."""
    from importlib.resources import files

    found = (entry.name for entry in (files("perijove.darkroom") / "presets").iterdir())
    return tuple(sorted(name.removesuffix(".yaml") for name in found if name.endswith(".yaml")))


def _preset_text(name: str) -> str:
    from importlib.resources import files

    return (files("perijove.darkroom") / "presets" / f"{name}.yaml").read_text(encoding="utf-8")


def new_recipe(path: Path, like: str = "natural") -> None:
    """Write a copy of a recipe, called as its file is.

    Raises
    ------
    RecipeError
        There is no such recipe, or the file exists, or its name cannot be a recipe's.
    """
    from perijove.files import replacing

    if path.exists():
        raise RecipeError(f"{path} exists; choose another name")
    recipe = recipe_of({**read_recipe(like).document(), "name": path.stem.lower()}, str(path))
    with replacing(path) as temporary:
        temporary.write_text(write_yaml(recipe), encoding="utf-8")


def write_yaml(recipe: Recipe) -> str:
    """A recipe as YAML."""
    from io import StringIO

    from ruamel.yaml import YAML

    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = None
    # Its types know None alone.
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    yaml.width = 110
    text = StringIO()
    yaml.dump(recipe.document(), text)
    return text.getvalue()


def _loaded(text: str, where: str) -> Any:
    """The document as plain data: no references, no tags, not too deep."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError
    from ruamel.yaml.events import AliasEvent, CollectionEndEvent, CollectionStartEvent

    try:
        depth = 0
        for event in YAML(typ="safe", pure=True).parse(text):
            depth += isinstance(event, CollectionStartEvent) - isinstance(event, CollectionEndEvent)
            if isinstance(event, AliasEvent) or depth > _MOST_DEPTH:
                raise RecipeError(f"{where} has references, or is nested more than {_MOST_DEPTH} deep: write it out")
        return YAML(typ="safe", pure=True).load(text)
    # Numbers and dates that are none come as ValueError and its like out of the reader of YAML.
    except (YAMLError, ValueError, OverflowError, TypeError, AttributeError, KeyError, IndexError) as error:
        told = " ".join(str(error).split())[:300]
        raise RecipeError(f"{where} is neither YAML nor JSON: {told}") from error
