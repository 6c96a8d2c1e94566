"""From images and a recipe to the pixels of a picture."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from perijove.compose.blocks import by_rows
from perijove.compose.options import PictureOptions
from perijove.compose.options import Style as Look
from perijove.darkroom.canvas import Canvas
from perijove.darkroom.fidelity import Fidelity, fidelity_of
from perijove.darkroom.layers import MAIN, Easel, Memory, PictureSource
from perijove.darkroom.operators.tables import scaled
from perijove.darkroom.recipe import Recipe
from perijove.darkroom.views import POLAR, MapView, ViewPlan
from perijove.errors import OptionError, RecipeError
from perijove.geometry.backplanes import backplanes, mid_et
from perijove.mapping import Drawing, MapPlan
from perijove.pipeline import Image, Raster
from perijove.project.grid import GLOBE, JUPITER, Cutout, Latitudes, MapGrid, Region

Planes = npt.NDArray[np.float32]
Points = npt.NDArray[np.float64]

#: As far away as a star, as far as a view can tell, km.
_FAR_KM: Final = 1e15
#: Bands that are refined at a time.
_BANDS_AT_A_TIME: Final = 2
#: Emission up to which ground is seen well.
_SEEN_WELL_DEG: Final = 80.0
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
    refined : bool
        Whether rasters are refined beyond the camera's pixels: see `perijove.project.upscale`.
    """

    raster: Raster
    others: Mapping[str, Image]
    gamut: Any = "srgb"
    refined: bool = False
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

        def shown(pixels: npt.NDArray[np.uint16], weight: Planes, values: Planes) -> tuple[Planes, Planes]:
            colour = pixels if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, axis=-1)
            cover = np.logical_and.reduce(
                [(weight[..., k] > 0) & np.isfinite(values[..., k]) for k in range(weight.shape[-1])]
            )
            if methane is not None:
                # These styles are black where one of the two does not tell.
                cover &= colour.any(axis=-1)
            return colour * np.float32(1 / _WHITE), cover.astype(np.float32)

        colour, cover = by_rows(shown, pixels, raster.weight, raster.values)
        return Canvas(
            colour,
            cover,
            raster.light,
            _planes(raster, self.refined),
            raster.view.north_angle_deg(),
        )

    @cached_property
    def _rasters(self) -> Mapping[str, Raster]:
        others = {name: image.drawn_on(self.raster.view) for name, image in self.others.items()}
        return {MAIN: self.raster, **{name: finer(r) if self.refined else r for name, r in others.items()}}


def _planes(raster: Raster, refined: bool = False) -> Mapping[str, Callable[[], Planes]]:
    """What masks and operators may ask of each pixel. Where it is refined, the camera's pixels leave no blur."""
    pointing = raster.image.located.solution.pointing
    names = {"longitude": "lon_w_sys3_deg", "phase": "phase_deg", "range_km": "range_km"}

    def made(name: str) -> Callable[[], Planes]:
        def plane() -> Planes:
            found = backplanes(pointing, raster.view.ground(), (), (names[name],))
            return np.asarray(found[names[name]].values, np.float32)

        return plane

    def camera_pixel() -> Planes:
        if refined and _above_the_camera(raster):
            return np.zeros(raster.weight.shape[:2], np.float32)
        ground = raster.view.ground()
        found = backplanes(pointing, ground, (), ("pixel_scale_km", "range_km"))
        scale = found["pixel_scale_km"].values
        if isinstance(raster.view, MapGrid):
            # The sides of squares of the same ground.
            return np.asarray(scale / np.sqrt(raster.light.mu * _area_km2(ground)), np.float32)
        # Both as seen across the line of sight, the picture's from where it looks.
        across = raster.view.scale * (1.0 if raster.view.projection == "orthographic" else found["range_km"].values)
        return np.asarray(scale / across, np.float32)

    return {
        "star_magnitude": lambda: _stars(raster)[0],
        "star_colour": lambda: _stars(raster)[1],
        "confidence": lambda: raster.weight.min(axis=-1),
        "camera_pixel": camera_pixel,
        **{name: made(name) for name in names},
    }


def _stars(raster: Raster) -> tuple[Planes, Planes]:
    """Magnitude and colour index of stars in the pixels in which they stand, NaN elsewhere."""
    from perijove.geometry.stars import bright_stars
    from perijove.project.view import View

    view, pointing = raster.view, raster.image.located.solution.pointing
    shape = raster.weight.shape[:2]
    magnitude, colour = (np.full(shape, np.nan, np.float32) for _ in range(2))
    if not isinstance(view, View) or view.projection == "orthographic":
        return magnitude, colour
    stars = bright_stars(mid_et(pointing))
    way = stars.directions @ pointing.jupiter_from_j2000[pointing.mid_frame].T
    place = view.pixel(view.origin_km + _FAR_KM * way)
    inside = np.flatnonzero(((place >= 0) & (place < (view.width, view.height))).all(axis=-1))
    # The brightest of those that share a pixel stays.
    for k in inside[::-1]:
        at = int(place[k, 1]), int(place[k, 0])
        magnitude[at], colour[at] = stars.magnitudes[k], stars.colour_index[k]
    return magnitude, colour


def _area_km2(ground_km: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Area of the ground below each pixel of a map."""
    if min(ground_km.shape[:2]) < 2:
        return np.full(ground_km.shape[:2], np.nan)
    down, right = np.gradient(ground_km, axis=(0, 1))
    return np.asarray(np.linalg.norm(np.cross(right, down), axis=-1))


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
    table : Table
        What its layers show.
    """

    pixels: npt.NDArray[np.uint16]
    raster: Raster
    recipe: Recipe
    fidelity: Fidelity
    table: Table = field(repr=False)


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
    main = images[MAIN]
    raster = drawn(main, recipe.view)
    others = {name: images[name] for name in recipe.images() if name != MAIN}
    table = Table(raster, others, recipe.output.gamut, recipe.view.resampling == "detail")
    colour, cover = Easel(table.canvas, memory).develop(recipe.layers)
    (shown,) = by_rows(lambda colour, cover: (scaled(colour, cover),), colour, cover)
    del colour, cover
    main.progress("judging the picture")
    fidelity = fidelity_of(recipe, shown, table.canvas(PictureSource()))
    (pixels,) = by_rows(lambda rows: ((rows * np.float32(_WHITE) + np.float32(0.5)).astype(np.uint16),), shown)
    return Developed(pixels, raster, recipe, fidelity, table)


def drawn(image: Image, plan: ViewPlan) -> Raster:
    """An image where a recipe looks.

    Raises
    ------
    OptionError
        There is nothing to be seen, or it does not fit into memory.
    """
    if plan.map is not None:
        mapping = map_plan(plan.map, plan.size, image)
        image.progress(f"drawing a map of {image.label.product_id}")
        return Drawing(image, plan.applied(mapping.grid(image)), mapping).raster
    if plan.orthographic is not None:
        looking = image.looking(plan.size, "orthographic", centre=plan.orthographic.centre)
    else:
        looking = image.looking(plan.size, north_up=plan.spacecraft is not None and plan.spacecraft.north_up)
    raster = image.drawn_on(plan.applied(looking))
    return finer(raster) if plan.resampling == "detail" else raster


def finer(raster: Raster) -> Raster:
    """What the spacecraft saw, refined beyond the camera's pixels, if it is drawn larger than these."""
    from perijove.calibrate.repair import Repairs
    from perijove.calibrate.stack import calibrate
    from perijove.project.upscale import measured, refined, zoom_of

    image, view = raster.image, raster.view
    if not _above_the_camera(raster):
        return raster
    image.progress(f"refining {image.label.product_id}")
    pointing = image.located.solution.pointing
    sigma = calibrate(image.stack, image.calibration, Repairs(noise=image.noise_mode), sigma=True).sigma
    assert sigma is not None
    values = np.empty_like(raster.values)
    calibrated = image.calibrated.i_over_f
    zoom = zoom_of(view, image.label.sampling_factor)

    def refine(plane: int) -> None:
        band = raster.bands[plane]
        at = image.label.bands.index(band)
        told = measured(view, pointing, band, calibrated[:, at], sigma[:, at])
        values[..., plane] = refined(raster.values[..., plane], told, zoom)

    with ThreadPoolExecutor(_BANDS_AT_A_TIME) as pool:
        list(pool.map(refine, range(len(raster.bands))))
    return replace(raster, values=values)


def _above_the_camera(raster: Raster) -> bool:
    """Whether it is drawn so much larger than the camera's pixels that something finer can be found."""
    from perijove.project.upscale import LEAST_ZOOM, zoom_of

    return zoom_of(raster.view, raster.image.label.sampling_factor) >= LEAST_ZOOM


def map_plan(asked: MapView, size: int | None, image: Image) -> MapPlan:
    """What a recipe asks of a map, once it is known which image it is of."""
    shown: Region | Cutout | Points | None = None
    projection = asked.projection
    if projection in POLAR:
        pole = _nearer_pole(image) if asked.pole in (None, "nearer") else asked.pole
        projection = f"{pole}-{projection.removeprefix('polar-')}"
    if asked.to_latitude is not None:
        limit = abs(asked.to_latitude)
        south, north = (limit, 90.0) if projection.startswith("north-") else (-90.0, -limit)
        shown = (
            _seen_between(image, (south, north), asked.latitudes) if asked.trim else Region(south, north, 0.0, 360.0)
        )
    elif asked.radius_km is not None:
        shown = Cutout(asked.radius_km)
    elif asked.region != "seen":
        shown = GLOBE if asked.region == "globe" else Region(*asked.region)
    centre = asked.centre or ((0.0, asked.meridian) if asked.meridian else None)
    return MapPlan(projection, shown, asked.scale_km, asked.latitudes, centre, size=size)


def _seen_between(image: Image, limits: tuple[float, float], latitudes: Latitudes) -> Points:
    """What an image sees well, in daylight, between two latitudes."""
    from perijove.photometry.angles import Angles
    from perijove.project.view import seen_ground

    pointing = image.located.solution.pointing
    seen = seen_ground(pointing)
    latitude, _ = JUPITER.places(seen, latitudes)
    observer = pointing.position_fixed_km[pointing.mid_frame]
    well = Angles.of_ground(seen, observer, pointing.sun_fixed).mu > np.cos(np.radians(_SEEN_WELL_DEG))
    found = seen[well & (latitude > limits[0]) & (latitude < limits[1])]
    if not len(found):
        raise OptionError(
            f"the image sees nothing well between latitudes {limits[0]:g} and {limits[1]:g}: leave out trim"
        )
    return np.asarray(found)


def _nearer_pole(image: Image) -> str:
    """The pole in whose hemisphere more of what the image sees in daylight lies."""
    from perijove.project.view import seen_ground

    return "north" if float(np.median(seen_ground(image.located.solution.pointing)[:, 2])) > 0 else "south"
