"""From files to images, views and pictures: the only place that knows the whole way."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from perijove.archive.framelets import FrameletStack, InputFile, read_framelets, read_label
from perijove.archive.label import ImageLabel
from perijove.calibrate.repair import NoiseMode, Repairs
from perijove.compose.options import PictureOptions
from perijove.errors import OptionError
from perijove.geometry.kernels import KernelFolder
from perijove.products.report import beside, geometry_report, provenance, view_report
from perijove.solving import Progress, RawFile, Source, silent, solve_pass
from perijove.story.caption import Caption, caption_of
from perijove.story.credit import Credit

Planes = npt.NDArray[np.float32]
Kernel = Literal["bilinear", "bicubic"]

#: Order of planes in products.
PLANE_ORDER: Final = ("RED", "GREEN", "BLUE", "METHANE")
#: Nobody has worked on what comes from the archive.
_UNCREDITED: Final = Credit()
#: Rows gathered at a time: keeps the ground points of large views out of memory.
_BLOCK_ROWS: Final = 256


@dataclass(frozen=True)
class Raster:
    """Bands of one view, with where it looks and where it came from.

    Attributes
    ----------
    values : ndarray, (height, width, band), float32
        I/F, linear; NaN where nothing is known.
    weight : ndarray, (height, width, band), float32
        0 where nothing is known, 1 well inside a framelet.
    bands : tuple of str
        Red, green, blue, methane, as far as the image has them.
    view : View
    image : Image
    """

    values: Planes
    weight: Planes
    bands: tuple[str, ...]
    view: Any
    image: "Image"

    def save(self, path: str | Path) -> Path:
        """Write the natural picture (``.png``) or the linear planes (``.tif``); other pictures: `save_picture`.

        Raises
        ------
        OptionError
            For other suffixes, or when the place cannot be written to.
        """
        path = Path(path)
        suffix = path.suffix.lower()
        if suffix == ".png":
            self.save_picture(path)
        elif suffix in (".tif", ".tiff"):
            from perijove.products.raster import write_tiff

            write_tiff(path, self.values, self.metadata())
        else:
            raise OptionError(f"cannot write {path.name}: give a name that ends in .png or .tif")
        return path

    def backplanes(self) -> Iterator[dict[str, Any]]:
        """Backplanes of the view (`Backplane` by name), block by block of rows, with the position's standard error."""
        from perijove.geometry.backplanes import Backplane, backplanes, mid_et
        from perijove.geometry.sunlight import sunlight_at
        from perijove.register.position_error import position_error_km

        solution = self.image.located.solution
        sunlight = sunlight_at(mid_et(solution.pointing))
        for rows in self.view.blocks(_BLOCK_ROWS):
            ground = self.view.ground(rows)
            planes: dict[str, Any] = backplanes(solution.pointing, ground, self.bands, sunlight=sunlight)
            error = position_error_km(solution, ground)
            about = "standard error of the position on the ground, by the fit of the pointing"
            yield {**planes, "position_error_km": Backplane("position_error_km", "km", about, error)}

    def save_backplanes(self, path: str | Path) -> Path:
        """Write the backplanes of the view (``.tif``), a page a plane.

        Raises
        ------
        OptionError
            For other suffixes, or when the place cannot be written to.
        """
        from perijove.products.backplanes import write_backplanes

        path = Path(path)
        if path.suffix.lower() not in (".tif", ".tiff"):
            raise OptionError(f"cannot write {path.name}: give a name that ends in .tif")
        write_backplanes(path, self.backplanes(), {**self.image.provenance, "view": view_report(self.view)})
        return path

    def metadata(self) -> dict[str, Any]:
        """Provenance, bands and view, as they go into the linear file."""
        return {
            **self.image.provenance,
            "unit": "I/F",
            "bands": list(self.bands),
            "view": view_report(self.view),
        }

    @cached_property
    def caption(self) -> Caption:
        """What the view shows, in words."""
        return caption_of(self.image.label, self.image.located.solution.pointing, self.view)

    @cached_property
    def light(self) -> Any:
        """How the light falls on the view (`perijove.compose.illumination.Illumination`)."""
        from perijove.compose.blocks import at_once
        from perijove.compose.illumination import Illumination

        pointing = self.image.located.solution.pointing
        lit_from = (pointing.position_fixed_km[pointing.mid_frame], pointing.sun_fixed)
        blocks = self.view.blocks(_BLOCK_ROWS)
        parts = at_once(lambda rows: Illumination.of_ground(self.view.ground(rows), *lit_from), blocks)
        return Illumination.joined(parts)

    def picture(self, options: PictureOptions | None = None) -> Any:
        """Make a picture of the view (`perijove.compose.colour.Picture`).

        Raises
        ------
        OptionError
            If the image, or the methane image beside it, lacks what the style needs.
        """
        from perijove.compose.styles import Scene, picture

        options = options or PictureOptions()
        rasters = [self]
        if options.methane is not None:
            rasters.append(options.methane.drawn_on(self.view))
        scenes = [Scene(r.values, r.bands, r.image.calibrated.saturation_i_over_f, r.light) for r in rasters]
        return picture(options.style, scenes[0], scenes[1] if len(scenes) > 1 else None, options.look, options.gamut)

    def save_picture(self, path: str | Path, options: PictureOptions | None = None) -> Path:
        """Write a picture of the view, in the format of the name: `perijove.products.pictures.FORMATS`.

        Raises
        ------
        OptionError
            For other suffixes, or when the place cannot be written to.
        """
        from perijove.products.pictures import format_of

        format_of(Path(path))
        options = options or PictureOptions()
        return self.keep_picture(path, self.picture(options), options)

    def keep_picture(self, path: str | Path, made: Any, options: PictureOptions) -> Path:
        """Write a picture that `picture` made with these options; errors as for `save_picture`."""
        from perijove.products.pictures import write_picture
        from perijove.products.raster import to_depth

        path = Path(path)
        note = "" if options.style == "natural" else f"style {options.style}: not as the eye would see it"
        about = self.about(note=note)
        write_picture(path, to_depth(made.pixels, options.depth), about, made.gamut, options.quality)
        return path

    def about(self, **more: Any) -> Any:
        """What a picture of the view tells of itself (`perijove.products.about.About`)."""
        from perijove.products.about import About

        return About.of_image(self.image.label, self.image.provenance, self.caption, **more)


@dataclass(frozen=True)
class Image:
    """One JunoCam image on its way: read, and calibrated and located when first asked.

    Made by :func:`open_image`.

    Attributes
    ----------
    stack : FrameletStack
    kernels : KernelFolder or None
    calibration : CalibrationSet or None
    labels : tuple of ImageLabel
        Of other images of the perijove.
    neighbours : tuple of RawFile
        Other images of the perijove that it is solved with.
    pointing : tuple of Located and InputFile, or None
        Pointing that was solved before, and the file that it was read from.
    progress : callable
        Told the name of each stage as it begins.
    self_calibration : bool
        Whether what flat fields leave along the lines is levelled by the ground that framelets share.
    noise_mode : {"auto", "off", "heavy"}
        Whether noise is taken out: see `perijove.calibrate.repair.Repairs`.
    credit : Credit
        Who made what is made of the image.
    """

    stack: FrameletStack
    kernels: KernelFolder | None = None
    calibration: Any = None
    labels: tuple[ImageLabel, ...] = ()
    neighbours: tuple[RawFile, ...] = ()
    pointing: tuple[Any, InputFile] | None = None
    progress: Progress = silent
    self_calibration: bool = True
    noise_mode: NoiseMode = "auto"
    credit: Credit = _UNCREDITED

    @property
    def label(self) -> ImageLabel:
        """What the label says."""
        return self.stack.label

    @property
    def provenance(self) -> dict[str, Any]:
        """Product, credit, software, inputs with hashes."""
        more = (self.pointing[1],) if self.pointing else ()
        return {**provenance(self.label, (*self.stack.inputs, *more), self.credit), **self._beside}

    @cached_property
    def _beside(self) -> dict[str, Any]:
        others = [entry for neighbour in self.neighbours for entry in neighbour.inputs]
        return beside(self.kernels, self.calibration, others)

    @cached_property
    def unlevelled(self) -> Any:
        """The framelets in I/F as `calibrate` makes them, before their overlaps correct them (`CalibratedStack`)."""
        from perijove.calibrate.stack import calibrate

        self.progress(f"calibrating {self.label.product_id}")
        return calibrate(self.stack, self.calibration, Repairs(noise=self.noise_mode))

    @cached_property
    def calibrated(self) -> Any:
        """The framelets in I/F, with quality flags (`CalibratedStack`); needs the pointing unless told not to level."""
        from perijove.calibrate.columns import even_columns
        from perijove.calibrate.faint import quieted_if_faint
        from perijove.project.faint_hits import without_faint_hits
        from perijove.project.overlap import levelled

        made = self.unlevelled
        if self.self_calibration:
            pointing = self.located.solution.pointing
            made = levelled(even_columns(without_faint_hits(made, pointing)), pointing, self.label.bands)
        return quieted_if_faint(made) if self.noise_mode == "auto" else made

    @cached_property
    def located(self) -> Any:
        """The pointing and how good it is (`Located`)."""
        if self.pointing is not None:
            return self.pointing[0]
        sources = [Source(self.label, lambda: self.unlevelled)]
        sources += [Source(neighbour.label, neighbour.calibrated) for neighbour in self.neighbours]
        return solve_pass(sources, self.kernels, self.labels, self.progress)[0]

    @property
    def report(self) -> dict[str, Any]:
        """Everything that is known of the image and of how good its geometry is, ready for JSON."""
        return {
            **self.provenance,
            "start_time_utc": self.label.start_time,
            "bands": list(self.label.bands),
            "calibration": list(self.calibrated.notes),
            "geometry": geometry_report(self.label, self.located),
        }

    def view(
        self,
        size: int | None = None,
        projection: Literal["spacecraft", "orthographic"] = "spacecraft",
        *,
        north_up: bool = False,
        centre: tuple[float, float] | None = None,
        kernel: Kernel = "bicubic",
    ) -> Raster:
        """Draw the image.

        Parameters
        ----------
        size : int, optional
            Side of a square picture, pixels. Default: native scale.
        projection : {"spacecraft", "orthographic"}
            What the spacecraft saw at mid-image, or the globe from far above a point.
        north_up : bool
            Turn the spacecraft's view so that north is up; orthographic views always have it so.
        centre : tuple of float, optional
            Planetographic latitude and System III west longitude, degrees, under an orthographic view.
        kernel : {"bicubic", "bilinear"}

        Returns
        -------
        Raster
        """
        return self.drawn_on(self.looking(size, projection, north_up=north_up, centre=centre), kernel)

    def looking(
        self,
        size: int | None = None,
        projection: Literal["spacecraft", "orthographic"] = "spacecraft",
        *,
        north_up: bool = False,
        centre: tuple[float, float] | None = None,
    ) -> Any:
        """Where `view` would draw (`View`), before it does."""
        from perijove.project.view import orthographic_view, spacecraft_view

        pointing = self.located.solution.pointing
        if projection == "spacecraft":
            return spacecraft_view(pointing, size, north_up)
        if projection == "orthographic":
            lat, lon = centre or (None, None)
            return orthographic_view(pointing, lat, lon, size)
        raise OptionError(f"there is no view '{projection}'; choose spacecraft or orthographic")

    def drawn_on(self, view: Any, kernel: Kernel = "bicubic") -> Raster:
        """Draw the image on a view, which may be that of another image of the perijove.

        Ground is met where it lies on the planet, and left out beyond this image's own horizon; clouds that moved
        between two images are not followed.
        """
        from perijove.compose.blocks import ahead
        from perijove.project.resample import Framelets, gather
        from perijove.project.view import ground_seen

        self.progress(f"drawing {self.label.product_id}")
        pointing = self.located.solution.pointing
        framelets = Framelets.of(self.calibrated.i_over_f, self.label.bands, pointing)
        observer = pointing.position_fixed_km[pointing.mid_frame]
        if view.seen_from_km is not None:
            view = replace(view, seen_from_km=observer)
        order = [band for band in PLANE_ORDER if band in self.label.bands]
        source = [self.label.bands.index(band) for band in order]
        values = np.empty((view.height, view.width, len(order)), np.float32)
        weight = np.empty_like(values)
        for rows, ground in ahead(lambda rows: ground_seen(view, observer, rows), view.blocks(_BLOCK_ROWS)):
            drawn, weighed = gather(ground, framelets, kernel)
            for plane, band in enumerate(source):
                values[rows, :, plane], weight[rows, :, plane] = drawn[..., band], weighed[..., band]
        return Raster(values, weight, tuple(order), view, self)


def open_image(
    path: str | Path,
    metadata: str | Path | None = None,
    *,
    kernels: str | Path | None = None,
    calibration: str | Path | None = None,
    with_others: Sequence[str | Path] = (),
    pointing: str | Path | None = None,
    progress: Progress = silent,
    self_calibration: bool = True,
    noise_mode: NoiseMode = "auto",
    credit: Credit | None = None,
) -> Image:
    """Open a JunoCam image.

    Parameters
    ----------
    path : path
        ``<id>-raw.png``, ``NNNNN-ImageSet.zip``, ``<id>.LBL`` or ``<id>.IMG``.
    metadata : path, optional
        Its label, where it does not lie beside the image.
    kernels : path, optional
        Folder of SPICE kernels, used where they cover the image.
    calibration : path, optional
        Folder of darks and flats.
    with_others : sequence of path
        Raw images or labels of the same perijove: labels refine the velocity, and with images all are solved together.
    pointing : path, optional
        A file of pointing that was solved before, or the folder that holds it: nothing is solved then.
    progress : callable, optional
        Told the name of each stage as it begins.
    self_calibration : bool
        Whether what flat fields leave along the lines is levelled by the ground that framelets share.
    noise_mode : {"auto", "off", "heavy"}
        Whether noise is taken out: by itself where the image has that of an aged camera or is faint, never, or always.
    credit : Credit, optional
        Who makes something of it, under which licence. Default: the image data's own.

    Returns
    -------
    Image

    Raises
    ------
    InputError
        Of the kind that tells what is wrong.
    """
    if pointing is not None and (kernels is not None or with_others):
        raise OptionError("--pointing holds all that was solved: leave out --kernels and --with, or solve again")
    progress(f"reading {Path(path).name}")
    stack = read_framelets(path, metadata)
    folder = KernelFolder.find(Path(kernels)) if kernels is not None else None
    calibration_set = None
    if calibration is not None:
        from perijove.calibrate.calibration_set import load_calibration

        calibration_set = load_calibration(Path(calibration))
    labels, neighbours = _others(stack.label, [Path(other) for other in with_others], calibration_set)
    solved = None
    if pointing is not None:
        from perijove.register.pointing_file import pointing_of

        solved = pointing_of(Path(pointing), stack.label, stack.inputs[0])
    return Image(
        stack,
        folder,
        calibration_set,
        labels,
        neighbours,
        solved,
        progress,
        self_calibration,
        noise_mode,
        credit or _UNCREDITED,
    )


def _others(
    label: ImageLabel, paths: Sequence[Path], calibration: Any
) -> tuple[tuple[ImageLabel, ...], tuple[RawFile, ...]]:
    """Labels of all other images of the perijove, and those that have pixels."""
    labels: dict[str, ImageLabel] = {}
    raws: dict[str, RawFile] = {}
    for path in paths:
        other = read_label(path)
        key = other.product_id.image_key
        if key == label.product_id.image_key:
            continue
        if other.orbit != label.orbit:
            raise OptionError(
                f"{path} is of orbit {other.orbit}, the image of orbit {label.orbit}; "
                "--with takes images and labels of the same perijove"
            )
        labels[key] = other
        if path.suffix.lower() not in (".json", ".lbl") and key not in raws:
            raws[key] = RawFile.read(path, calibration)
    return tuple(labels.values()), tuple(raws.values())
