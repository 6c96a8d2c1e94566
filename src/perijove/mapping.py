"""From an image to a map on disk."""

import functools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from perijove.compose.options import PictureOptions
from perijove.constants import FOCAL_LENGTH_PX
from perijove.errors import OptionError
from perijove.geometry.backplanes import backplanes, mid_et, plane_names
from perijove.geometry.ellipsoid import from_lat_lon, lat_graphic_deg, normals
from perijove.photometry.angles import Angles
from perijove.pipeline import PLANE_ORDER, Image, Kernel, Raster
from perijove.products.about import About
from perijove.products.map_files import WRITERS, write_map, write_picture_geotiff
from perijove.products.map_planes import TILE_PX, MapPlanes, Plane
from perijove.products.report import map_report
from perijove.project.grid import GLOBE, Cutout, Latitudes, MapGrid, Region, map_grid, scale_of

Planes = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]

#: Ends of the names of pictures.
_PICTURES: Final = (".png", ".tif", ".tiff")
#: Pixels of a map that is drawn as a picture, which is held in memory as a whole.
_MAX_PICTURE_PX: Final = 16384**2
#: What world files of pictures are called; of others, as any may be.
_WORLD_FILES: Final = {".png": ".pgw", ".jpg": ".jgw", ".jpeg": ".jgw", ".tif": ".tfw", ".tiff": ".tfw"}
#: Cells along the longer side of a map on which the ground that is seen is outlined.
_OUTLINE_CELLS: Final = 500
#: A backplane that the fit of the pointing tells.
_POSITION_ERROR: Final = "position_error_km"
#: Beginnings of the names of planes whose neighbours have no mean: what goes round, and numbers of things.
_NOT_AVERAGED: Final = ("lon_", "local_time_", "frame_", "time_")


@dataclass(frozen=True)
class MapPlan:
    """What is wanted of a map.

    Attributes
    ----------
    projection : str
        As for `perijove.project.grid.map_grid`.
    region : Region, Cutout, ndarray, (n, 3), or None
        Also points of the ground, body-fixed, that it has to hold. Default: what the image sees in daylight.
    scale_km : float or None
        Kilometres to a pixel; default: the camera's at the nearest ground in the image.
    latitudes : {"centric", "graphic"}
    centre : tuple of float, or None
        Latitude and System III west longitude of the middle of the projection, degrees.
    kernel : {"bicubic", "bilinear"}
    photometry : str or None
        A photometric model, fitted to the image, or a file of a fitted one: the map shows reflectances as if lit and
        seen from above. Default: I/F as it is.
    relight : tuple of float, or None
        Latitude and west longitude, degrees, of a Sun that lights these reflectances.
    backplanes : tuple of str
        Names of further planes, or "all".
    picture : PictureOptions or None
        A picture instead of planes; files that hold nothing else have the default one.
    graticule_deg : float or None
        Degrees between lines of latitude and longitude over a picture.
    size : int or None
        In place of the scale: pixels of the longer side.
    stac : bool
        Whether an item of STAC is written beside the map, and the collection of those in its folder.
    """

    projection: str = "equirectangular"
    region: Region | Cutout | Floats | None = None
    scale_km: float | None = None
    latitudes: Latitudes = "centric"
    centre: tuple[float, float] | None = None
    kernel: Kernel = "bicubic"
    photometry: str | None = None
    relight: tuple[float, float] | None = None
    backplanes: tuple[str, ...] = ()
    picture: PictureOptions | None = None
    graticule_deg: float | None = None
    stac: bool = False
    size: int | None = None

    def __post_init__(self) -> None:
        if self.relight is not None and self.photometry is None:
            raise OptionError("--relight lights what --photometry has freed from its light: give both")

    def grid(self, image: Image) -> MapGrid:
        """The pixels of the map."""
        from perijove.project.view import seen_ground

        pointing = image.located.solution.pointing
        seen = seen_ground(pointing)
        observer = pointing.position_fixed_km[pointing.mid_frame]
        scale_km = self.scale_km
        if scale_km is None and self.size is None:
            nearest = float(np.linalg.norm(seen - observer, axis=-1).min())
            scale_km = float(f"{nearest * image.label.sampling_factor / FOCAL_LENGTH_PX:.3g}")
        shown = seen if self.region is None else self.region
        scale_m = None if scale_km is None else scale_km * 1e3
        grid = map_grid(self.projection, shown, scale_m, latitudes=self.latitudes, centre=self.centre, size=self.size)
        return replace(grid, seen_from_km=observer)


def draw_map(image: Image, path: Path, plan: MapPlan) -> dict[str, Any]:
    """Draw a map of one image.

    Parameters
    ----------
    image : Image
    path : Path
        ``.tif``: linear planes, I/F, and their weight, as a cloud-optimised GeoTIFF, drawn tile by tile; ``.nc``,
        ``.zarr``, ``.fits`` and ``.cub`` likewise. ``.png``: the picture with a world file; with ``plan.picture`` also
        ``.tif``, as GeoTIFF.
    plan : MapPlan

    Returns
    -------
    dict
        The report of the image, with ``map`` and ``files``.

    Raises
    ------
    InputError
        Of the kind that tells what is wrong.
    """
    from perijove.products.raster import check_folder

    suffix = path.suffix.lower()
    pictured = suffix == ".png" or plan.picture is not None
    if suffix not in (_PICTURES if pictured else WRITERS):
        known = " or ".join(_PICTURES[:2]) if pictured else ", ".join((*WRITERS, ".png"))
        raise OptionError(f"cannot write a map to {path.name}: give a name that ends in {known}")
    if plan.graticule_deg is not None and not pictured:
        raise OptionError(
            f"a graticule is drawn over pictures, not over the planes of {path.name}: "
            "give a name that ends in .png, or --picture"
        )
    if plan.backplanes and pictured:
        raise OptionError(f"{path.name} is a picture and has no room for backplanes; give a name that ends in .tif")
    check_folder(path.parent)
    grid = plan.grid(image)
    drawing = Drawing(image, grid, plan)
    image.progress(f"drawing {path.name}")
    if pictured:
        files = _write_picture(path, drawing)
        content = MapPlanes(grid, (), (), drawing.metadata)
    else:
        content = drawing.planes
        write_map(path, content)
        files = [path]
    if plan.stac:
        from perijove.products.stac import write_stac

        files += write_stac(path, content, drawing.footprint)
    return {**image.report, "map": drawing.report, "files": [str(file) for file in files]}


@dataclass(frozen=True)
class Drawing:
    """A map of one image, which is drawn when its tiles are taken.

    Attributes
    ----------
    image : Image
    grid : MapGrid
    plan : MapPlan
    """

    image: Image
    grid: MapGrid
    plan: MapPlan

    @cached_property
    def bands(self) -> tuple[str, ...]:
        """Red, green, blue, methane, as far as the image has them."""
        return tuple(band for band in PLANE_ORDER if band in self.image.label.bands)

    @cached_property
    def law(self) -> Any:
        """How brightness depends on the light (`Photometry`), or None."""
        if self.plan.photometry is None:
            return None
        from perijove.fitting import photometry_of

        return photometry_of(self.plan.photometry, [self.image])

    @property
    def report(self) -> dict[str, Any]:
        """Where the map's pixels lie, and what has been done to the light, as data."""
        told = map_report(self.grid)
        if self.law is not None:
            told["photometry"] = {
                "model": self.law.model,
                "parameters": {band: list(numbers) for band, numbers in self.law.parameters.items()},
                "shown": "reflectance, lit and seen from above"
                if self.plan.relight is None
                else "relit, seen from above",
                "sun_lat_lon_w_deg": self.plan.relight,
            }
        return told

    @property
    def metadata(self) -> dict[str, Any]:
        """What goes into the file."""
        return {**self.image.provenance, "start_time_utc": self.image.label.start_time, "map": self.report}

    @property
    def planes(self) -> MapPlanes:
        """The planes of the map: bands, weight, backplanes."""
        what = "I/F" if self.law is None else "reflectance as if lit and seen from above"
        if self.plan.relight is not None:
            what = "I/F seen from above under a Sun over {:g}, {:g} W".format(*self.plan.relight)
        by = "" if self.law is None else f", by the law {self.law.model}"
        planes = [Plane(band, "1", f"{what} in the {band} filter{by}") for band in self.bands]
        planes.append(
            Plane(
                "weight",
                "1",
                "1 where framelets see the ground well, less where the image ends"
                + ("" if self.law is None else " or where the law is not to be trusted"),
            )
        )
        return MapPlanes(self.grid, (*planes, *self._backplanes), self.tiles(), self.metadata)

    @property
    def footprint(self) -> list[Any]:
        """Outlines of the ground that the image sees, as `perijove.compose.mosaic_footprint.footprint` gives them."""
        from perijove.compose.mosaic_footprint import footprint
        from perijove.project.resample import Framelets, gather

        grid = self.grid
        step = -(-max(grid.width, grid.height) // _OUTLINE_CELLS)
        coarse = replace(
            grid, scale_m=grid.scale_m * step, width=-(-grid.width // step), height=-(-grid.height // step)
        )
        pointing = self.image.located.solution.pointing
        framelets = Framelets.of(self.image.calibrated.i_over_f, self.image.label.bands, pointing)
        _, weight = gather(coarse.ground(), framelets)
        return footprint(weight.min(axis=-1) > 0, coarse)

    def tiles(self) -> Iterator[tuple[slice, slice, Planes]]:
        """Bands, weight and backplanes of all tiles that the image sees."""
        from perijove.project.coverage import tiles_seen
        from perijove.project.resample import Framelets, gather
        from perijove.project.view import seen_ground

        pointing = self.image.located.solution.pointing
        framelets = Framelets.of(self.image.calibrated.i_over_f, self.image.label.bands, pointing)
        for rows, columns in tiles_seen(self.grid, framelets, seen_ground(pointing), TILE_PX):
            ground = self.grid.ground(rows, columns)
            yield rows, columns, self._joined(ground, *gather(ground, framelets, self.plan.kernel))

    def _joined(self, ground: Floats, values: Planes, weights: Planes) -> Planes:
        """Planes of a tile from what was gathered for it."""
        count = len(self.bands)
        out = np.empty((*values.shape[:2], count + 1 + len(self._backplanes)), np.float32)
        source = [self.image.label.bands.index(band) for band in self.bands]
        for plane, band in enumerate(source):
            out[..., plane] = values[..., band]
        weight = functools.reduce(np.minimum, (weights[..., band] for band in source))
        if self.law is not None:
            out[..., :count], trust = self._flattened(out[..., :count], ground)
            weight = weight * trust
            out[weight <= 0, :count] = np.nan
        out[..., count] = np.where(weight > 0, weight, np.nan)
        if self._backplanes:
            self._add_backplanes(np.where(weight[..., None] > 0, ground, np.nan), out[..., count + 1 :])
        return out

    def _flattened(self, values: Planes, ground: Floats) -> tuple[Planes, Planes]:
        """Reflectances, or the same under another Sun, and how far they are to be trusted."""
        pointing = self.image.located.solution.pointing
        observer = pointing.position_fixed_km[pointing.mid_frame]
        angles = Angles.of_ground(ground, observer, pointing.sun_fixed)
        flat, trust = self.law.flattened(values, self.bands, angles, image=str(self.image.label.product_id))
        if self.plan.relight is not None:
            flat = self.law.lit(flat, self.bands, self._angles_from_above(ground))
        return flat, trust

    def _angles_from_above(self, ground: Floats) -> Angles:
        """Angles under the plan's Sun, seen from above everywhere."""
        assert self.plan.relight is not None
        lat, lon_w = self.plan.relight
        lat = float(lat_graphic_deg(lat)) if self.grid.latitudes == "centric" else lat
        mu0 = normals(ground) @ normals(from_lat_lon(lat, lon_w))
        one = np.where(np.isfinite(mu0), 1.0, np.nan)
        return Angles(*(np.asarray(v, np.float32) for v in (mu0, one, np.degrees(np.arccos(np.clip(mu0, -1.0, 1.0))))))

    @cached_property
    def _names(self) -> tuple[str, ...]:
        """Backplanes that are wanted."""
        known = (*plane_names(self.bands), _POSITION_ERROR)
        if self.plan.backplanes == ("all",):
            return known
        for name in self.plan.backplanes:
            if name not in known:
                raise OptionError(f"there is no backplane {name!r}; choose from all, {', '.join(known)}")
        return tuple(dict.fromkeys(self.plan.backplanes))

    @cached_property
    def _backplanes(self) -> tuple[Plane, ...]:
        known = {_POSITION_ERROR: ("km", "standard error of the position on the ground, by the fit of the pointing")}
        names = [name for name in self._names if name != _POSITION_ERROR]
        if names:
            nowhere = np.full((1, 3), np.nan)
            for name, made in backplanes(self.image.located.solution.pointing, nowhere, self.bands, names).items():
                known[name] = (made.unit, made.long_name)
        return tuple(Plane(name, *known[name], averaged=not name.startswith(_NOT_AVERAGED)) for name in self._names)

    def _add_backplanes(self, ground: Floats, out: Planes) -> None:
        from perijove.register.position_error import position_error_km

        solution = self.image.located.solution
        names = [name for name in self._names if name != _POSITION_ERROR]
        made = backplanes(solution.pointing, ground, self.bands, names, sunlight=self._sunlight) if names else {}
        for plane, name in enumerate(self._names):
            out[..., plane] = position_error_km(solution, ground) if name == _POSITION_ERROR else made[name].values

    @cached_property
    def _sunlight(self) -> Any:
        from perijove.geometry.sunlight import sunlight_at

        return sunlight_at(mid_et(self.image.located.solution.pointing))

    @property
    def raster(self) -> Raster:
        """All bands of the map in I/F, held in memory.

        Raises
        ------
        OptionError
            It does not fit.
        """
        if self.grid.width * self.grid.height > _MAX_PICTURE_PX:
            raise OptionError(
                f"a picture of {self.grid.width} x {self.grid.height} pixels does not fit into memory; "
                "write planes to a .tif, which are drawn tile by tile, or choose a coarser scale"
            )
        count = len(self.bands)
        values = np.full((self.grid.height, self.grid.width, count), np.nan, np.float32)
        weight = np.zeros_like(values)
        plain = replace(self, plan=replace(self.plan, photometry=None, relight=None, backplanes=()))
        for rows, columns, planes in plain.tiles():
            values[rows, columns] = planes[..., :count]
            weight[rows, columns] = np.nan_to_num(planes[..., count : count + 1])
        return Raster(values, weight, self.bands, self.grid, self.image)

    def picture(self, options: PictureOptions) -> Any:
        """The map as a picture (`perijove.compose.colour.Picture`)."""
        from perijove.compose.styles import Scene, picture

        raster = self.raster
        if self.law is None:
            return raster.picture(options)
        # What is lit from above has no shading to be evened, and nothing of it is saturated any more.
        above = np.where(np.isfinite(raster.light.mu0), np.float32(1.0), np.float32(np.nan))
        light = replace(raster.light, mu0=above, mu=above)
        unbounded = dict.fromkeys(self.bands, float("inf"))
        scene = Scene(self._reflectances(raster), self.bands, unbounded, light)
        return picture(options.style, scene, None, options.look, options.gamut)

    def _reflectances(self, raster: Raster) -> Planes:
        """Reflectances of a whole map, which fade where the law is not to be trusted; saturated bands are filled."""
        from perijove.compose.saturation import RGB, fill_saturated

        values = np.array(raster.values)
        if set(RGB) <= set(self.bands):
            colours = [self.bands.index(band) for band in RGB]
            limits = np.array([self.image.calibrated.saturation_i_over_f[band] for band in RGB], np.float32)
            known = np.asarray(np.isfinite(values).all(axis=-1))
            planes = np.where(known[..., None], values[..., colours], np.float32(0.0))
            filled = fill_saturated(planes, limits, known, raster.light.latitude_deg)[0]
            values[..., colours] = np.where(known[..., None], filled, np.float32(np.nan))
        for rows in self.grid.blocks(TILE_PX):
            flat, trust = self._flattened(values[rows], self.grid.ground(rows))
            values[rows] = np.where(trust[..., None] > 0, flat * trust[..., None], np.float32(np.nan))
        return np.asarray(values * raster.weight, np.float32)


def _write_picture(path: Path, drawing: Drawing) -> list[Path]:
    from perijove.products.pictures import write_picture
    from perijove.products.raster import to_depth

    grid, plan = drawing.grid, drawing.plan
    options = plan.picture or PictureOptions()
    made = drawing.picture(options)
    pixels = to_depth(made.pixels, options.depth)
    if plan.graticule_deg is not None:
        from perijove.story.graticule import Graticule

        # Lines go on where the image ends.
        pixels = Graticule(plan.graticule_deg, grid.latitudes).drawn_on(pixels, replace(grid, seen_from_km=None))
    source = {**drawing.metadata, "style": options.style}
    if path.suffix.lower() != ".png":
        write_picture_geotiff(path, grid, pixels, source, made.gamut)
        return [path]
    shown = f"Map of Jupiter, style {options.style}"
    write_picture(path, pixels, About.of_image(drawing.image.label, source, caption=shown), made.gamut)
    return [path, write_world_file(path, grid)]


def write_world_file(picture: Path, grid: MapGrid) -> Path:
    """Write beside a picture of a map where its pixels lie, as GIS programs look for it; the file's path."""
    from perijove.files import replacing

    path = picture.with_suffix(_WORLD_FILES.get(picture.suffix.lower(), ".wld"))
    a, b, left, d, e, top = grid.transform
    # Of the middle of the upper left pixel.
    lines = (a, d, b, e, left + a / 2, top + e / 2)
    with replacing(path) as temporary:
        temporary.write_text("".join(f"{value!r}\n" for value in lines), encoding="ascii")
    return path


__all__ = ["GLOBE", "Cutout", "Drawing", "MapPlan", "Region", "draw_map", "map_report", "scale_of", "write_world_file"]
