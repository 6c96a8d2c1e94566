"""From a map to pictures of the globe: any place above it, any light."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from perijove import __version__
from perijove.constants import JUPITER_RADII_KM
from perijove.errors import OptionError
from perijove.geometry.ellipsoid import from_lat_lon, lat_centric_deg, to_lat_lon
from perijove.map_pictures import picture_of
from perijove.mosaicking import photometry_from
from perijove.photometry.angles import Angles
from perijove.photometry.photometry import Photometry
from perijove.products.map_file import MapFile, open_map
from perijove.project.view import View, check_size

Floats = npt.NDArray[np.float64]
Planes = npt.NDArray[np.float32]
Projection = Literal["orthographic", "perspective"]

#: Rows that are drawn at a time.
_BLOCK_ROWS: Final = 256
#: Room around the globe, part of its size.
_MARGIN: Final = 0.02
#: Far enough to be endlessly far.
_FAR_KM: Final = 1e9
#: Law by which a map is lit that says nothing of its photometry.
_PLAIN_LAW: Final = ("lambert", ())


@dataclass(frozen=True)
class ViewPlan:
    """What is wanted of a view.

    Attributes
    ----------
    projection : {"orthographic", "perspective"}
        From endlessly far, or from a distance.
    centre : tuple of float or None
        Planetographic latitude and System III west longitude under the observer, degrees; default: the middle of the
        map.
    size : int
        Side of the picture, pixels.
    distance_km : float or None
        Of the observer from the centre of Jupiter, for a perspective view.
    sun : tuple of float or None
        Planetographic latitude and west longitude under the Sun, degrees. Default: lit from above everywhere.
    phase_deg : float or None
        In place of the Sun's place: the angle at which it stands off the observer, to the east.
    style : {"natural", "enhanced"}
    """

    projection: Projection = "orthographic"
    centre: tuple[float, float] | None = None
    size: int = 1600
    distance_km: float | None = None
    sun: tuple[float, float] | None = None
    phase_deg: float | None = None
    style: str = "natural"

    def __post_init__(self) -> None:
        check_size(self.size)
        if self.sun is not None and self.phase_deg is not None:
            raise OptionError("both the Sun's place and a phase angle are told; tell one of them")
        if self.projection not in ("orthographic", "perspective"):
            raise OptionError(f"there is no view {self.projection!r}; choose orthographic or perspective")
        if (self.projection == "perspective") != (self.distance_km is not None):
            raise OptionError("a perspective view needs a distance, and only that has one")
        if self.distance_km is not None and not self.distance_km > 1.02 * JUPITER_RADII_KM[0]:
            raise OptionError(
                f"a distance of {self.distance_km:g} km from Jupiter's centre is too near; give more than "
                f"{1.02 * JUPITER_RADII_KM[0]:.0f}"
            )


def draw_view(source: Path, path: Path, plan: ViewPlan | None = None) -> dict[str, Any]:
    """Draw a view of a map.

    Parameters
    ----------
    source : Path
        A map or mosaic (``.tif``).
    path : Path
        ``.png``: a picture. ``.tif``: the planes, linear.
    plan : ViewPlan, optional

    Returns
    -------
    dict
        The report.

    Raises
    ------
    InputError
        Of the kind that tells what is wrong.
    """
    from perijove.products.about import About
    from perijove.products.pictures import write_picture
    from perijove.products.raster import check_folder, write_tiff
    from perijove.products.report import view_report

    plan = plan or ViewPlan()
    if path.suffix.lower() not in (".tif", ".tiff", ".png"):
        raise OptionError(f"cannot write a view to {path.name}: give a name that ends in .png or .tif")
    check_folder(path.parent)
    file = open_map(source)
    view = view_of(file, plan)
    values, bands = drawn(file, view)
    if plan.sun is not None or plan.phase_deg is not None:
        values = _lit(file, values, view, plan)
    told = {**_of_map(file), "view": view_report(view)}
    if path.suffix.lower() == ".png":
        sky = ~np.isfinite(values).any(axis=-1)
        made = picture_of(values, bands, plan.style, view.ground)
        made.pixels[sky] = 0
        shown = f"View of a map of Jupiter, style {plan.style}"
        write_picture(path, made.pixels, About(str(told.get("title", source.name)), told, shown), made.gamut)
    else:
        write_tiff(path, values, {**told, "bands": list(bands)})
    return {**told, "files": [str(path)]}


def _of_map(file: MapFile) -> dict[str, Any]:
    """What a view of a map has from it: its credit, and its inputs behind the map itself."""
    told = {key: value for key, value in file.metadata.items() if key not in ("map", "sources", "overlaps")}
    return {
        **told,
        "software": f"perijove {__version__}",
        "map_software": told.get("software"),
        "of": file.path.name,
        "inputs": [file.record, *told.get("inputs", ())],
    }


def view_of(file: MapFile, plan: ViewPlan) -> View:
    """The lines of sight of a view."""
    centre = plan.centre
    if centre is None:
        middle = file.grid.ground(*(slice(n // 2, n // 2 + 1) for n in (file.grid.height, file.grid.width)))[0, 0]
        if not np.isfinite(middle).all():
            raise OptionError("the middle of the map is no place on the planet; tell what to look at with --centre")
        centre = float(to_lat_lon(middle)[0]), float(to_lat_lon(middle)[1])
    towards = _direction(*centre)
    up = np.array([0.0, 0.0, 1.0]) if abs(towards[2]) < 0.999999 else np.array([-1.0, 0.0, 0.0])
    right = np.cross(up, towards)
    right /= np.linalg.norm(right)
    axes = np.stack([right, np.cross(-towards, right), -towards])
    radius = JUPITER_RADII_KM[0]
    half = plan.size / 2
    if plan.distance_km is None:
        origin = towards * 10 * radius
        scale = 2 * radius * (1 + 2 * _MARGIN) / plan.size
        seen_from = towards * _FAR_KM
    else:
        origin = seen_from = towards * plan.distance_km
        scale = 2 * float(np.tan(np.arcsin(radius / plan.distance_km))) * (1 + 2 * _MARGIN) / plan.size
    return View(plan.projection, origin, axes, scale, plan.size, plan.size, (half, half), seen_from)


def _direction(lat_graphic_deg: float, lon_w_deg: float) -> Floats:
    """Unit vector from the centre to far above a place."""
    if not (-90 <= lat_graphic_deg <= 90 and np.isfinite(lon_w_deg)):
        raise OptionError(f"latitude {lat_graphic_deg:g}, longitude {lon_w_deg:g} is no place; give degrees")
    far = from_lat_lon(lat_centric_deg(lat_graphic_deg), lon_w_deg, _FAR_KM)
    return np.asarray(far / np.linalg.norm(far))


def drawn(file: MapFile, view: View) -> tuple[Planes, tuple[str, ...]]:
    """The bands of a map in a view, (height, width, band), and their names."""
    bands = file.bands
    values = np.empty((view.height, view.width, len(bands)), np.float32)
    middle = view.ground(slice(view.height // 2, view.height // 2 + 1))[0]
    step = np.linalg.norm(np.diff(middle, axis=0), axis=-1)
    scale_m = 1e3 * (float(np.nanmin(step)) if np.isfinite(step).any() else 1.0)
    for rows in view.blocks(_BLOCK_ROWS):
        values[rows] = file.at(view.ground(rows), bands, scale_m)
    return values, bands


def _lit(file: MapFile, values: Planes, view: View, plan: ViewPlan) -> Planes:
    """The same in the light of a Sun."""
    told = file.photometry
    if file.metadata and not told:
        raise OptionError(f"{file.path} holds I/F in its own light; only a map made with --photometry can be lit again")
    law = photometry_from(told) if told else Photometry(_PLAIN_LAW[0], dict.fromkeys(file.bands, _PLAIN_LAW[1]))
    if plan.sun is not None:
        sun = _direction(*plan.sun)
    else:
        angle = np.radians(float(plan.phase_deg or 0.0))
        sun = np.cos(angle) * -view.axes[2] + np.sin(angle) * view.axes[0]
    assert view.seen_from_km is not None
    out = np.empty_like(values)
    for rows in view.blocks(_BLOCK_ROWS):
        angles = Angles.of_ground(view.ground(rows), view.seen_from_km, sun)
        out[rows] = law.lit(values[rows], file.bands, angles)
    return out
