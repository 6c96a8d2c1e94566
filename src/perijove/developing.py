"""From images and a recipe to a finished picture, and from a finished picture back to itself."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from perijove import __version__
from perijove.annotating import AnnotationPlan, annotate
from perijove.compose.options import PictureOptions
from perijove.compose.options import Style as Look
from perijove.darkroom.canvas import Canvas
from perijove.darkroom.fidelity import Fidelity, fidelity_of
from perijove.darkroom.layers import MAIN, Easel, Memory, PictureSource
from perijove.darkroom.recipe import Made, Recipe, recipe_of
from perijove.errors import RecipeError
from perijove.geometry.backplanes import backplanes
from perijove.opening import Opening
from perijove.pipeline import Image, Raster
from perijove.products.raster import check_folder, plain, to_depth, write_json, write_png
from perijove.products.report import picture_text, view_report
from perijove.solving import Progress, silent
from perijove.story.credit import Credit

Planes = npt.NDArray[np.float32]

#: Keyword of the text in a PNG that holds the recipe.
RECIPE_KEY: Final = "Recipe"
_WHITE: Final = 65535.0


@dataclass(frozen=True)
class Table:
    """The images of a recipe, drawn on one view, as canvases.

    Attributes
    ----------
    raster : Raster
        The main image, drawn.
    others : mapping of str to Image
        Images beside it by the names that the recipe has for them.
    gamut : {"srgb", "p3"}
    """

    raster: Raster
    others: Mapping[str, Image]
    gamut: Any = "srgb"
    _made: dict[str, Canvas] = field(default_factory=dict)

    def canvas(self, source: PictureSource) -> Canvas:
        """The picture of a source, made when first asked for."""
        key = source.model_dump_json()
        if key not in self._made:
            self._made[key] = self._developed(source)
        return self._made[key]

    def _developed(self, source: PictureSource) -> Canvas:
        raster = self._rasters[source.image]
        methane = self.others.get("methane") if source.style.startswith("methane") else None
        options = PictureOptions(source.style, Look(**source.look), self.gamut, methane=methane)
        pixels = raster.picture(options).pixels
        colour = pixels if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, axis=-1)
        cover = (raster.weight.min(axis=-1) > 0) & np.isfinite(raster.values).all(axis=-1)
        return Canvas(
            colour.astype(np.float32) / np.float32(_WHITE),
            cover.astype(np.float32),
            raster.light,
            _planes(raster),
            raster.view.north_angle_deg(),
        )

    @cached_property
    def _rasters(self) -> Mapping[str, Raster]:
        return {MAIN: self.raster, **{name: image.drawn_on(self.raster.view) for name, image in self.others.items()}}


def _planes(raster: Raster) -> Mapping[str, Callable[[], Planes]]:
    """What masks and operators may ask of each pixel."""
    pointing = raster.image.located.solution.pointing
    names = {"longitude": "lon_w_sys3_deg", "phase": "phase_deg", "range_km": "range_km"}

    def made(name: str) -> Callable[[], Planes]:
        def plane() -> Planes:
            found = backplanes(pointing, raster.view.ground(), (), (names[name],))
            return np.asarray(found[names[name]].values, np.float32)

        return plane

    def camera_pixel() -> Planes:
        found = backplanes(pointing, raster.view.ground(), (), ("pixel_scale_km", "range_km"))
        scale = found["pixel_scale_km"].values
        # Both as seen across the line of sight, the picture's from where it looks.
        across = raster.view.scale * (1.0 if raster.view.projection == "orthographic" else found["range_km"].values)
        return np.asarray(scale / across, np.float32)

    return {
        "confidence": lambda: raster.weight.min(axis=-1),
        "camera_pixel": camera_pixel,
        **{name: made(name) for name in names},
    }


@dataclass(frozen=True)
class Developed:
    """A finished picture.

    Attributes
    ----------
    pixels : ndarray, (height, width, 3), uint16
    raster : Raster
        The main image as it was drawn.
    recipe : Recipe
    fidelity : Fidelity
    """

    pixels: npt.NDArray[np.uint16]
    raster: Raster
    recipe: Recipe
    fidelity: Fidelity


def develop(images: Mapping[str, Image], recipe: Recipe, memory: Memory | None = None) -> Developed:
    """Make the picture of a recipe.

    Parameters
    ----------
    images : mapping of str to Image
        ``main``, and those beside it that the recipe names.
    recipe : Recipe
    memory : Memory, optional
        Kept between calls for the same images and view, only what has changed is made anew.

    Raises
    ------
    RecipeError
        An image that the recipe needs is not there.
    """
    missing = [name for name in recipe.images() if name not in images]
    if missing:
        raise RecipeError(
            f"the recipe {recipe.name} needs an image {missing[0]!r}: give it with --image {missing[0]}=RAW"
        )
    plan = recipe.view
    main = images[MAIN]
    looking = main.looking(plan.size, plan.projection, north_up=plan.north_up, centre=plan.centre)
    raster = main.drawn_on(plan.applied(looking))
    table = Table(raster, {name: images[name] for name in recipe.images() if name != MAIN}, recipe.output.gamut)
    colour, cover = Easel(table.canvas, memory).develop(recipe.layers)
    shown = colour * cover[..., None]
    main.progress("judging the picture")
    fidelity = fidelity_of(recipe, shown, table.canvas(PictureSource()))
    pixels = (shown * np.float32(_WHITE) + np.float32(0.5)).astype(np.uint16)
    return Developed(pixels, raster, recipe, fidelity)


def develop_to(
    openings: Mapping[str, Opening], recipe: Recipe, folder: Path, *, credit: Credit | None = None,
    progress: Progress = silent, path: Path | None = None, annotation: AnnotationPlan | None = None,
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
        Default: the product's id with the recipe's name, in ``folder``.
    annotation : AnnotationPlan, optional
        What is drawn over another copy of the picture.

    Returns
    -------
    dict
        The report; its ``files`` are the picture and the report itself. The picture carries the recipe with the hashes
        of everything that it was made from: `rerun` makes it again.
    """
    check_folder(folder)
    credit = credit or Credit()
    images = {name: opening.open(progress, credit) for name, opening in openings.items() if name in recipe.images()}
    made = develop(images, recipe)
    main = images[MAIN]
    product = str(main.label.product_id)
    records = {name: openings[name].record(image) for name, image in images.items()}
    software = f"perijove {__version__}"
    full = recipe.model_copy(update={"made": Made(software=software, images=records, credit=credit.report())})
    path = path or folder / f"{product}-{recipe.name}.png"
    progress(f"writing {path.stem}")
    caption = made.raster.caption
    text = {
        **picture_text(main.label, main.provenance),
        "Description": caption.short,
        "Comment": f"{made.fidelity.badge}; CIEDE2000 from the natural picture {made.fidelity.distance:.1f}",
        RECIPE_KEY: json.dumps(plain(full.document()), ensure_ascii=False, allow_nan=False),
    }
    write_png(path, to_depth(made.pixels, recipe.output.depth), text, recipe.output.gamut)
    drawn = annotate(path, made.raster, annotation, recipe.output.gamut) if annotation is not None else []
    report_path = path.with_suffix(".report.json")
    report = {
        **main.report,
        "view": view_report(made.raster.view),
        "caption": {"short": caption.short, "long": caption.long, "alt": caption.alt},
        "fidelity": made.fidelity.report(),
        "recipe": full.document(),
        "files": [str(file) for file in (path, *drawn, report_path)],
    }
    write_json(report_path, report)
    return report


def recipe_in(path: Path) -> Recipe:
    """The recipe that a picture carries.

    Raises
    ------
    RecipeError
        It carries none.
    """
    from PIL import Image as Pictures
    from PIL import UnidentifiedImageError

    from perijove.archive.inputs import check_file

    check_file(path, 1 << 32, RecipeError)
    try:
        with Pictures.open(path) as picture:
            text = getattr(picture, "text", {})
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        raise RecipeError(f"{path} is no picture that can be read: {error}") from error
    if RECIPE_KEY not in text:
        raise RecipeError(f"{path} carries no recipe; only pictures that `process --recipe` made can be made again")
    try:
        data = json.loads(text[RECIPE_KEY])
    except ValueError as error:
        raise RecipeError(f"{path} carries a recipe that is damaged: {error}") from error
    return recipe_of(data, str(path))


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
    made = recipe.made
    if made is None:
        raise RecipeError(f"{path} does not tell what it was made from")
    where = [*folders, path.parent, Path()]
    openings = {name: Opening.again(record, where) for name, record in made.images.items()}
    output = output or path.with_name(f"{path.stem}-rerun.png")
    report = develop_to(
        openings,
        recipe.model_copy(update={"made": None}),
        output.parent,
        credit=Credit.of(made.credit),
        progress=progress,
        path=output,
    )
    same = output.read_bytes() == path.read_bytes()
    software = f"perijove {__version__}"
    return {**report, "identical": same, "made_with": made.software, "made_again_with": software}
