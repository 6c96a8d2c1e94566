"""From files to finished products: the only place that knows the whole way."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from perijove.archive.framelets import FrameletStack, read_framelets, read_label
from perijove.archive.label import ImageLabel
from perijove.errors import OptionError
from perijove.geometry.kernels import KernelFolder
from perijove.products.report import geometry_report, picture_text, provenance, view_report

Planes = npt.NDArray[np.float32]
Kernel = Literal["bilinear", "bicubic"]
Progress = Callable[[str], None]

#: Order of planes in products.
PLANE_ORDER: Final = ("RED", "GREEN", "BLUE", "METHANE")
#: Rows gathered at a time: keeps the ground points of large views out of memory.
_BLOCK_ROWS: Final = 256


def _silent(_: str) -> None:
    """Report no progress."""


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
        """Write the natural picture (``.png``) or the linear planes (``.tif``).

        Raises
        ------
        OptionError
            For other suffixes, or when the place cannot be written to.
        """
        path = Path(path)
        suffix = path.suffix.lower()
        if suffix == ".png":
            self._save_picture(path)
        elif suffix in (".tif", ".tiff"):
            from perijove.products.raster import write_tiff

            write_tiff(path, self.values, self.metadata())
        else:
            raise OptionError(f"cannot write {path.name}: give a name that ends in .png or .tif")
        return path

    def metadata(self) -> dict[str, Any]:
        """Provenance, bands and view, as they go into the linear file."""
        return {
            **self.image.provenance,
            "unit": "I/F",
            "bands": list(self.bands),
            "view": view_report(self.view),
        }

    def _save_picture(self, path: Path) -> None:
        from perijove.compose.colour import natural
        from perijove.products.raster import write_png

        picture = natural(self.values, self.bands, self.image.calibrated.saturation_i_over_f)
        write_png(path, picture.pixels, picture_text(self.image.label, self.image.provenance))


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
    neighbours : tuple of Image
        Other images of the perijove with their pixels.
    progress : callable
        Told the name of each stage as it begins.
    """

    stack: FrameletStack
    kernels: KernelFolder | None = None
    calibration: Any = None
    labels: tuple[ImageLabel, ...] = ()
    neighbours: tuple["Image", ...] = ()
    progress: Progress = _silent

    @property
    def label(self) -> ImageLabel:
        """What the label says."""
        return self.stack.label

    @property
    def provenance(self) -> dict[str, Any]:
        """Product, credit, software, inputs with hashes."""
        return provenance(self.label, self.stack.inputs)

    @cached_property
    def calibrated(self) -> Any:
        """The framelets in I/F, with quality flags (`CalibratedStack`)."""
        from perijove.calibrate.stack import calibrate

        self.progress(f"calibrating {self.label.product_id}")
        return calibrate(self.stack, self.calibration)

    @cached_property
    def located(self) -> Any:
        """The pointing and how good it is (`Located`)."""
        from perijove.calibrate.quality import Quality
        from perijove.register.locate import Knowledge, locate

        neighbours = tuple(image.located.solution for image in self.neighbours)
        values = self.calibrated.i_over_f
        self.progress(f"locating {self.label.product_id}")
        saturated = (self.calibrated.quality & np.uint8(Quality.SATURATED)) > 0
        if saturated.any():
            # Where the disc is clipped its edge moves outward, and bloomed charge makes edges of its own.
            values = np.where(saturated, np.float32(np.nan), values)
        return locate(self.label, values, Knowledge(self.kernels, self.labels, neighbours))

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
        from perijove.project.view import orthographic_view, spacecraft_view

        pointing = self.located.solution.pointing
        if projection == "spacecraft":
            view = spacecraft_view(pointing, size, north_up)
        elif projection == "orthographic":
            lat, lon = centre or (None, None)
            view = orthographic_view(pointing, lat, lon, size)
        else:
            raise OptionError(f"there is no view '{projection}'; choose spacecraft or orthographic")
        return self._drawn(view, kernel)

    def _drawn(self, view: Any, kernel: Kernel) -> Raster:
        from perijove.project.resample import Framelets, gather

        self.progress(f"drawing {self.label.product_id}")
        framelets = Framelets.of(self.calibrated.i_over_f, self.label.bands, self.located.solution.pointing)
        order = [band for band in PLANE_ORDER if band in self.label.bands]
        source = [self.label.bands.index(band) for band in order]
        values = np.empty((view.height, view.width, len(order)), np.float32)
        weight = np.empty_like(values)
        for rows in view.blocks(_BLOCK_ROWS):
            drawn, weighed = gather(view.ground(rows), framelets, kernel)
            values[rows], weight[rows] = drawn[..., source], weighed[..., source]
        return Raster(values, weight, tuple(order), view, self)


def open_image(
    path: str | Path,
    metadata: str | Path | None = None,
    *,
    kernels: str | Path | None = None,
    calibration: str | Path | None = None,
    with_others: Sequence[str | Path] = (),
    progress: Progress = _silent,
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
        Raw images or labels of the same perijove: labels refine the velocity, images the spin axis as well.
    progress : callable, optional
        Told the name of each stage as it begins.

    Returns
    -------
    Image

    Raises
    ------
    InputError
        Of the kind that tells what is wrong.
    """
    progress(f"reading {Path(path).name}")
    stack = read_framelets(path, metadata)
    folder = KernelFolder.find(Path(kernels)) if kernels is not None else None
    calibration_set = None
    if calibration is not None:
        from perijove.calibrate.calibration_set import load_calibration

        calibration_set = load_calibration(Path(calibration))
    labels, raws = [], []
    for other in (Path(p) for p in with_others):
        label = read_label(other)
        if label.product_id.image_key == stack.label.product_id.image_key:
            continue
        if label.orbit != stack.label.orbit:
            raise OptionError(
                f"{other} is of orbit {label.orbit}, the image of orbit {stack.label.orbit}; "
                "--with takes images and labels of the same perijove"
            )
        labels.append(label)
        if other.suffix.lower() not in (".json", ".lbl"):
            raws.append(other)
    image = Image(stack, folder, calibration_set, tuple(labels), (), progress)
    neighbours = [
        Image(read_framelets(raw), folder, calibration_set, (*labels, stack.label), (), progress) for raw in raws
    ]
    return replace(image, neighbours=tuple(neighbours))


def process(
    image: Image,
    folder: Path,
    *,
    view: Literal["spacecraft", "orthographic"] = "spacecraft",
    size: int | None = None,
    north_up: bool = False,
    centre: tuple[float, float] | None = None,
    products: Sequence[Literal["natural", "linear"]] = ("natural", "linear"),
) -> dict[str, Any]:
    """Draw an image and write its products and its report.

    Parameters
    ----------
    image : Image
    folder : Path
        Made if it does not exist.
    view, size, north_up, centre
        As for :meth:`Image.view`.
    products : sequence of {"natural", "linear"}

    Returns
    -------
    dict
        The report; its ``files`` are the paths written, the report's own last.
    """
    from perijove.products.raster import check_folder, write_json
    from perijove.project.view import check_size

    # Refuse at once what could only fail after the work is done.
    check_folder(folder)
    if size is not None:
        check_size(size)
    raster = image.view(size, view, north_up=north_up, centre=centre)
    name = str(image.label.product_id)
    files = []
    for product in products:
        image.progress(f"writing {name}-{product}")
        files.append(raster.save(folder / f"{name}-{product}.{'png' if product == 'natural' else 'tif'}"))
    path = folder / f"{name}.report.json"
    report = {**image.report, "view": view_report(raster.view), "files": [str(p) for p in (*files, path)]}
    write_json(path, report)
    return report
