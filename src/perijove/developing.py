"""From images and a recipe to the pixels of a picture."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from perijove.compose.options import PictureOptions
from perijove.compose.options import Style as Look
from perijove.darkroom.canvas import Canvas
from perijove.darkroom.fidelity import Fidelity, fidelity_of
from perijove.darkroom.layers import MAIN, Easel, Memory, PictureSource
from perijove.darkroom.recipe import Recipe
from perijove.errors import RecipeError
from perijove.geometry.backplanes import backplanes
from perijove.pipeline import Image, Raster

Planes = npt.NDArray[np.float32]

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
