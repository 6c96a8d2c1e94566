"""Finished pictures: written with their recipe, and made again from it."""

import json
import mmap
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from pydantic import ValidationError

from perijove import __version__
from perijove.annotating import AnnotationPlan, annotate
from perijove.archive.framelets import read_label
from perijove.compose.options import PictureOptions
from perijove.compose.saturation import RGB
from perijove.darkroom.layers import MAIN, Easel, Memory
from perijove.darkroom.recipe import Input, Made, Output, Recipe, recipe_of
from perijove.darkroom.versions import KEY, VERSION
from perijove.developing import Developed, develop
from perijove.errors import OptionError, RecipeError
from perijove.mapping import write_world_file
from perijove.opening import Opening
from perijove.pipeline import Image
from perijove.processing import Product, process
from perijove.products.about import About
from perijove.products.pictures import format_of, suffix_of, write_picture
from perijove.products.raster import check_folder, to_depth, write_json
from perijove.products.report import view_report
from perijove.project.grid import MapGrid
from perijove.project.view import check_size
from perijove.solving import Progress, silent
from perijove.story.credit import Credit

#: Writers of files with layers, by the ends of their names.
LAYERED: Final = {".ora": "openraster", ".psd": "photoshop"}
#: No picture is larger, bytes.
_LIMIT: Final = 1 << 33


def develop_to(
    openings: Mapping[str, Opening], recipe: Recipe, folder: Path, *, credit: Credit | None = None,
    progress: Progress = silent, path: Path | None = None, annotation: AnnotationPlan | None = None,
    layers: str | None = None, planes: Sequence[str] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Make the picture of a recipe and write it with its report.

    Parameters
    ----------
    openings : mapping of str to Opening
        How ``main`` and the other images are opened.
    recipe : Recipe
    folder : Path
    credit : Credit, optional
        Who makes it.
    progress : callable, optional
    path : Path, optional
        Default: the product's id with the recipe's name, in ``folder``. Its end has to be that of the recipe's format,
        or of one with layers, which then is all that is written.
    annotation : AnnotationPlan, optional
        What is drawn over another copy of the picture.
    layers : {"ora", "psd"}, optional
        Another file with the layers of the picture, for other programs.
    planes : sequence of {"linear", "backplanes"}, optional
        What else is written of the main image; the report then has the name of the image.

    Returns
    -------
    dict
        The report; its ``files`` are the picture and the report itself. The picture carries the recipe with the hashes
        of everything that it was made from: `rerun` makes it again.
    """
    check_folder(folder)
    output = recipe.output
    if path is not None and path.suffix not in LAYERED and format_of(path) != output.format:
        raise OptionError(f"the picture is {output.format}; give a name that ends in {suffix_of(output.format)}")
    credit = credit or Credit()
    layered = f".{layers}" if layers else path.suffix if path and path.suffix in LAYERED else None
    if layered:
        _writer(layered)
    images = {name: opening.open(progress, credit) for name, opening in openings.items() if name in recipe.images()}
    # Steps that layers need again are not made again.
    memory = Memory() if layered else None
    made = develop(images, recipe, memory)
    main = images[MAIN]
    full = recipe.model_copy(update={"made": _made(openings, images, credit)})
    path = path or folder / f"{main.label.product_id}-{recipe.name}{suffix_of(output.format)}"
    progress(f"writing {path.stem}")
    about = made.raster.about(note=made.fidelity.line, recipe=full.document())
    files, baked = [path], []
    if path.suffix not in LAYERED:
        write_picture(path, to_depth(made.pixels, output.depth), about, output.gamut, output.quality)
    if layered:
        files = list(dict.fromkeys([path, path.with_suffix(layered)]))
        baked = write_layers(files[-1], made, about, memory)
    files += _beside(made, path, annotation)
    files += _planes(made, folder, planes or ())
    named = path if planes is None else folder / f"{main.label.product_id}.picture"
    files.append(named.with_suffix(".report.json"))
    caption = made.raster.caption
    report = {
        **main.report,
        "view": view_report(made.raster.view),
        "caption": {"short": caption.short, "long": caption.long, "alt": caption.alt},
        "fidelity": made.fidelity.report(),
        "recipe": full.document(),
        **({"layers_baked": baked} if layered else {}),
        "files": [str(file) for file in files],
    }
    write_json(files[-1], report)
    return report


def _beside(made: Developed, path: Path, annotation: AnnotationPlan | None) -> list[Path]:
    """What stands beside a picture: a copy with its annotation, and where a map lies."""
    files = []
    if annotation is not None:
        files += annotate(path, made.pixels, made.raster, annotation, made.recipe.output.gamut)
    if isinstance(made.raster.view, MapGrid) and path.suffix not in LAYERED:
        files.append(write_world_file(path, made.raster.view))
    return files


def _planes(made: Developed, folder: Path, kinds: Sequence[str]) -> list[Path]:
    """What the picture was made from, as numbers."""
    files = []
    for kind in kinds:
        name = f"{made.raster.image.label.product_id}-{kind}"
        made.raster.image.progress(f"writing {name}")
        save = made.raster.save_backplanes if kind == "backplanes" else made.raster.save
        files.append(save(folder / f"{name}.tif"))
    return files


def _writer(suffix: str) -> ModuleType:
    """The module that writes layers of a kind, once all that it needs is installed."""
    writer = import_module(f"perijove.products.{LAYERED[suffix]}")
    writer.check_installed()
    return writer


def write_layers(path: Path, made: Developed, about: About, memory: Memory | None = None) -> list[str]:
    """Write the layers of a picture for other programs.

    Parameters
    ----------
    path : Path
        ``.ora``: OpenRaster, for GIMP and Krita. ``.psd``: for Photoshop and most others.
    made : Developed
    about : About
    memory : Memory, optional
        What was kept when it was made.

    Returns
    -------
    list of str
        Names of layers that hold more than their own pixels, since the program has nothing like them.

    Raises
    ------
    OptionError
        The format cannot hold so much.
    MissingExtraError
        A library is not installed.
    """
    from perijove.darkroom.unstacked import unstacked

    writer = _writer(path.suffix)
    output = made.recipe.output
    picture = to_depth(made.pixels, output.depth)
    sheets = unstacked(Easel(made.table.canvas, memory or Memory()), made.recipe.layers, picture, writer.MODES)
    writer.write(path, sheets, picture, about, output.gamut)
    return [inner.name for sheet in sheets for inner in sheet.walk() if inner.baked]


def process_to(
    openings: Mapping[str, Opening], folder: Path, picture: PictureOptions, *, credit: Credit | None = None,
    progress: Progress = silent, products: Sequence[Product] = ("natural", "linear"),
    annotation: AnnotationPlan | None = None, **view: Any,
) -> dict[str, Any]:  # fmt: skip
    """Make products in one of the styles; the picture of a colour image carries a recipe, too.

    Parameters
    ----------
    openings : mapping of str to Opening
        ``main``, and ``methane`` where the style needs it.
    folder : Path
    picture : PictureOptions
    credit : Credit, optional
    progress : callable, optional
    products, annotation, view
        As for `perijove.processing.process`.

    Returns
    -------
    dict
        The report.
    """
    check_folder(folder)
    if view.get("size") is not None:
        check_size(view["size"])
    if "natural" in products and set(RGB) <= set(read_label(openings[MAIN].raw, openings[MAIN].metadata).bands):
        planes = [product for product in products if product != "natural"]
        return develop_to(
            openings,
            plain_recipe(picture, **view),
            folder,
            credit=credit,
            progress=progress,
            annotation=annotation,
            planes=planes,
        )
    image = openings[MAIN].open(progress, credit)
    return process(image, folder, products=products, picture=picture, annotation=annotation, **view)


def plain_recipe(picture: PictureOptions, **view: Any) -> Recipe:
    """The recipe of a picture in one of the styles, seen as by `view_changes`: its pixels are the same."""
    kept = {name: getattr(picture, name) for name in ("gamut", "depth", "format", "quality")}
    source = {"style": picture.style, "look": {} if picture.look is None else asdict(picture.look)}
    plain = {KEY: VERSION, "name": picture.style, "layers": [{"picture": source}], "output": kept}
    return recipe_of(plain).viewed(**view_changes(**view))


def view_changes(
    view: str = "spacecraft",
    size: int | None = None,
    north_up: bool = False,
    centre: tuple[float, float] | None = None,
) -> dict[str, Any]:
    """What `Recipe.viewed` takes, from what `perijove process` is asked for."""
    changes: dict[str, Any] = {}
    if view == "orthographic":
        changes[view] = {} if centre is None else {"centre": centre}
    elif north_up:
        changes["spacecraft"] = {"north_up": True}
    if size is not None:
        changes["size"] = size
    return changes


def kept_as(recipe: Recipe, kind: str | None = None, quality: int | None = None) -> Recipe:
    """A recipe whose picture is kept in another format; its quality is the new format's own unless told.

    Raises
    ------
    RecipeError
        There is no such format, or it has no such quality.
    """
    if kind is None and quality is None:
        return recipe
    changes = {"format": kind or recipe.output.format, "quality": quality}
    try:
        output = Output.model_validate({**recipe.output.model_dump(), **changes})
    except ValidationError as error:
        told = error.errors(include_url=False, include_input=False)[0]["msg"]
        raise RecipeError(f"a picture cannot be kept so: {told.removeprefix('Value error, ')}") from error
    return recipe.model_copy(update={"output": output})


def _made(openings: Mapping[str, Opening], images: Mapping[str, Image], credit: Credit) -> Made:
    """What is needed to make it again."""
    records = {name: openings[name].record(image) for name, image in images.items()}
    return Made(software=f"perijove {__version__}", images=records, credit=credit.report())


def recipe_in(path: Path) -> Recipe:
    """The recipe that a picture carries, of any format.

    Raises
    ------
    RecipeError
        It carries none, or one that is damaged.
    """
    from perijove.archive.inputs import check_file
    from perijove.products.xmp import documents_in

    if not check_file(path, _LIMIT, RecipeError):
        raise RecipeError(f"{path} is empty")
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            found = documents_in(data, str(path))
    except OSError as error:
        raise RecipeError(f"{path} cannot be read: {error.strerror}") from error
    if "Recipe" not in found:
        raise RecipeError(f"{path} carries no recipe; only colour pictures of `perijove process` can be made again")
    try:
        data = json.loads(found["Recipe"])
    except (ValueError, RecursionError) as error:
        raise RecipeError(f"{path} carries a recipe that is damaged: {error}") from error
    return recipe_of(data, f"the recipe in {path}")


def _told(recipe: Recipe, path: Path) -> tuple[Made, Credit]:
    """What a picture was made with, and by whom."""
    made = recipe.made
    if made is None or MAIN not in made.images:
        raise RecipeError(f"{path} does not tell what it was made from")
    for record in made.images.values():
        given = [getattr(record, name) for name in type(record).model_fields]
        for entry in (*given, *record.with_others):
            # A name is looked for in folders, and must not lead out of them.
            if isinstance(entry, Input) and (Path(entry.file).name != entry.file or entry.file == ".."):
                raise RecipeError(f"{path} tells of {entry.file!r}, which is no name of a file")
    try:
        return made, Credit.of(made.credit)
    except (KeyError, TypeError, AttributeError) as error:
        raise RecipeError(f"{path} carries a chain of credit that is damaged: {error!r}") from error


def rerun(
    path: Path, output: Path | None = None, folders: Sequence[Path] = (), progress: Progress = silent
) -> dict[str, Any]:
    """Make a finished picture again.

    Parameters
    ----------
    path : Path
        A picture that carries its recipe.
    output : Path, optional
        Default: beside it, its name with ``-rerun``.
    folders : sequence of Path
        Where its inputs lie; the picture's folder and the current one are looked in, too.
    progress : callable, optional

    Returns
    -------
    dict
        The report, with ``identical``: whether the file is the same, byte for byte.

    Raises
    ------
    RecipeError
        The picture carries no recipe, or an input is missing or changed.
    """
    recipe = recipe_in(path)
    made, credit = _told(recipe, path)
    where = [*folders, path.parent, Path()]
    openings = {name: Opening.again(record, where) for name, record in made.images.items()}
    suffix = path.suffix.lower()
    output = output or path.with_name(
        f"{path.stem}-rerun{suffix if suffix in LAYERED else suffix_of(recipe.output.format)}"
    )
    if (output.suffix in LAYERED or suffix in LAYERED) and output.suffix != suffix:
        raise OptionError(f"{path} is made again as it is; give a name that ends in {suffix}")
    report = develop_to(
        openings,
        recipe.model_copy(update={"made": None}),
        output.parent,
        credit=credit,
        progress=progress,
        path=output,
    )
    same = output.read_bytes() == path.read_bytes()
    software = f"perijove {__version__}"
    return {**report, "identical": same, "made_with": made.software, "made_again_with": software}
