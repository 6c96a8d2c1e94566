"""From an image to a map on disk."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from perijove.constants import FOCAL_LENGTH_PX
from perijove.errors import OptionError
from perijove.pipeline import PLANE_ORDER, Image, Kernel
from perijove.products.map_planes import TILE_PX, MapPlanes, Plane
from perijove.project.grid import GLOBE, Latitudes, MapGrid, Region, map_grid, scale_of

Planes = npt.NDArray[np.float32]

#: Pixels of a map that is drawn as a picture, which is held in memory as a whole.
_MAX_PICTURE_PX: Final = 16384**2


@dataclass(frozen=True)
class MapPlan:
    """What is wanted of a map.

    Attributes
    ----------
    projection : str
        As for `perijove.project.grid.map_grid`.
    region : Region, or None
        Default: what the image sees in daylight.
    scale_km : float or None
        Kilometres to a pixel; default: the camera's at the nearest ground in the image.
    latitudes : {"centric", "graphic"}
    centre : tuple of float, or None
        Latitude and System III west longitude of the middle of the projection, degrees.
    kernel : {"bicubic", "bilinear"}
    """

    projection: str = "equirectangular"
    region: Region | None = None
    scale_km: float | None = None
    latitudes: Latitudes = "centric"
    centre: tuple[float, float] | None = None
    kernel: Kernel = "bicubic"

    def grid(self, image: Image) -> MapGrid:
        """The pixels of the map."""
        from perijove.project.view import seen_ground

        pointing = image.located.solution.pointing
        seen = seen_ground(pointing)
        observer = pointing.position_fixed_km[pointing.mid_frame]
        scale_km = self.scale_km
        if scale_km is None:
            nearest = float(np.linalg.norm(seen - observer, axis=-1).min())
            scale_km = float(f"{nearest * image.label.sampling_factor / FOCAL_LENGTH_PX:.3g}")
        shown = seen if self.region is None else self.region
        grid = map_grid(self.projection, shown, scale_km * 1e3, latitudes=self.latitudes, centre=self.centre)
        return replace(grid, seen_from_km=observer)


def draw_map(image: Image, path: Path, plan: MapPlan) -> dict[str, Any]:
    """Draw a map of one image.

    Parameters
    ----------
    image : Image
    path : Path
        ``.tif``: linear planes, I/F, and their weight, as a cloud-optimised GeoTIFF, drawn tile by tile. ``.png``: the
        natural picture with a world file.
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

    if path.suffix.lower() not in (".tif", ".tiff", ".png"):
        raise OptionError(f"cannot write a map to {path.name}: give a name that ends in .tif or .png")
    check_folder(path.parent)
    grid = plan.grid(image)
    report = {**image.report, "map": map_report(grid)}
    if path.suffix.lower() == ".png":
        files = _write_picture(image, path, grid, plan.kernel)
    else:
        from perijove.products.geotiff import write_geotiff

        image.progress(f"drawing {path.name}")
        write_geotiff(path, map_planes(image, grid, plan))
        files = [path]
    return {**report, "files": [str(file) for file in files]}


def map_report(grid: MapGrid) -> dict[str, Any]:
    """A map's grid as data."""
    return {
        "crs": grid.wkt,
        "latitudes": f"planeto{grid.latitudes}",
        "longitudes": "System III; eastings grow to the east",
        "scale_km_per_px": grid.scale_m / 1e3,
        "transform": list(grid.transform),
        "width": grid.width,
        "height": grid.height,
    }


def map_planes(image: Image, grid: MapGrid, plan: MapPlan) -> MapPlanes:
    """The planes of a map of one image, which are drawn as they are taken."""
    planes = [Plane(band, "1", f"I/F in the {band} filter") for band in _bands(image)]
    planes.append(Plane("weight", "1", "1 where framelets see the ground well, less where the image ends"))
    metadata = {**image.provenance, "map": map_report(grid)}
    return MapPlanes(grid, tuple(planes), _tiles(image, grid, plan.kernel), metadata)


def _bands(image: Image) -> list[str]:
    return [band for band in PLANE_ORDER if band in image.label.bands]


def _tiles(image: Image, grid: MapGrid, kernel: Kernel) -> Iterator[tuple[slice, slice, Planes]]:
    """Planes and weight of all tiles that the image may see."""
    from perijove.project.resample import Framelets, gather
    from perijove.project.view import seen_ground

    pointing = image.located.solution.pointing
    framelets = Framelets.of(image.calibrated.i_over_f, image.label.bands, pointing)
    source = [image.label.bands.index(band) for band in _bands(image)]
    for rows, columns in grid.tiles(TILE_PX, seen_ground(pointing)):
        values, weights = gather(grid.ground(rows, columns), framelets, kernel)
        planes = np.empty((*values.shape[:2], len(source) + 1), np.float32)
        planes[..., :-1] = values[..., source]
        weight = weights.min(axis=-1)
        planes[..., -1] = np.where(weight > 0, weight, np.nan)
        yield rows, columns, planes


def _write_picture(image: Image, path: Path, grid: MapGrid, kernel: Kernel) -> list[Path]:
    from perijove.files import replacing

    if grid.width * grid.height > _MAX_PICTURE_PX:
        raise OptionError(
            f"a picture of {grid.width} x {grid.height} pixels does not fit into memory; "
            "write a .tif, which is drawn tile by tile, or choose a coarser scale"
        )
    image.drawn_on(grid, kernel).save(path)
    a, b, left, d, e, top = grid.transform
    world = path.with_suffix(".pgw")
    with replacing(world) as temporary:
        # Of the middle of the upper left pixel.
        lines = (a, d, b, e, left + a / 2, top + e / 2)
        temporary.write_text("".join(f"{value!r}\n" for value in lines), encoding="ascii")
    return [path, world]


__all__ = ["GLOBE", "MapPlan", "Region", "draw_map", "map_report", "scale_of"]
