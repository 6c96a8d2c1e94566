"""From images and maps to a mosaic on disk."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final, cast

import numpy as np
import numpy.typing as npt

from perijove import __version__
from perijove.compose.mosaic import Layer, Mosaic, Tile, match
from perijove.constants import FOCAL_LENGTH_PX
from perijove.errors import OptionError
from perijove.map_pictures import picture_of
from perijove.mapping import MapPlan, map_report
from perijove.mosaic_inputs import Cells, Input, MapLayer, Patch, Shot, bands_of
from perijove.photometry.models import DEFAULT_MODEL
from perijove.photometry.photometry import Photometry
from perijove.products.map_file import MapFile, is_map, open_map
from perijove.products.map_planes import TILE_PX, MapPlanes, Plane
from perijove.project.grid import MapGrid, map_grid
from perijove.shelving import Given, Shelf, Shelved, shelve
from perijove.story.credit import Credit, joined, parse_credit

Floats = npt.NDArray[np.float64]
Planes = npt.NDArray[np.float32]

#: Pixels of a mosaic that is drawn as a picture, which is held in memory as a whole.
_MAX_PICTURE_PX: Final = 12_000**2
#: Memory that GDAL may keep of files, MB.
_GDAL_CACHE_MB: Final = 128
#: Text of `MosaicPlan.photometry` for I/F as it was seen.
AS_SEEN: Final = "none"


@dataclass(frozen=True)
class MosaicPlan:
    """What is wanted of a mosaic.

    Attributes
    ----------
    map : MapPlan
        Projection, region and scale. Where neither region nor scale are given and the first input is a map, the mosaic
        has its pixels; otherwise it holds all that the images see, at their median scale.
    like_first : bool
        The mosaic has the pixels of the first input, which is a map.
    photometry : str
        Model, or a file of fitted parameters, as for `perijove.fitting.photometry_of`; ``none``: I/F as it was seen.
    winds : bool
        Clouds are carried by the zonal wind to one time.
    time_utc : str or None
        That time; default: the middle of the images'.
    credit : Credit
        Who makes the mosaic; what was made before goes before it.
    stac : bool
        Describe it for catalogues, too: an item of STAC and its collection beside it.
    """

    map: MapPlan = field(default_factory=MapPlan)
    like_first: bool = False
    photometry: str = DEFAULT_MODEL
    winds: bool = False
    time_utc: str | None = None
    credit: Credit = field(default_factory=Credit)
    stac: bool = False


def draw_mosaic(
    inputs: Sequence[Path],
    path: Path,
    plan: MosaicPlan | None = None,
    given: Given | None = None,
    style: str = "natural",
) -> dict[str, Any]:
    """Draw a mosaic.

    Parameters
    ----------
    inputs : sequence of Path
        Raw images of one or several perijoves, and maps or mosaics (``.tif``).
    path : Path
        ``.tif``: planes, as a cloud-optimised GeoTIFF, drawn tile by tile; ``.nc``, ``.zarr``, ``.fits`` and ``.cub``
        likewise. ``.png``: a picture with a world file.
    plan : MosaicPlan, optional
    given : Given, optional
        What images are opened with.
    style : {"natural", "enhanced"}
        Of a picture.

    Returns
    -------
    dict
        The report.

    Raises
    ------
    InputError
        Of the kind that tells what is wrong.
    GeometryError
        If the pointing of an image cannot be found.
    """
    from perijove.products.map_files import check_suffix, write_map
    from perijove.products.raster import check_folder

    plan, given = plan or MosaicPlan(), given or Given()
    if path.suffix.lower() != ".png":
        check_suffix(path)
    _check(inputs, path)
    check_folder(path.parent)
    shelf = Shelf()
    maps = {each: open_map(each) for each in inputs if is_map(each)}
    raws = [each for each in inputs if not is_map(each)]
    images = dict(zip(raws, shelve(raws, shelf, given), strict=True))
    drawing = _drawing([maps.get(each) or images[each] for each in inputs], plan, given)
    report = drawing.metadata()
    given.progress(f"drawing {path.name}")
    content = drawing.planes(report, shelf)
    if path.suffix.lower() == ".png":
        files = _write_picture(drawing, path, style, report)
    else:
        import rasterio

        with rasterio.Env(GDAL_CACHEMAX=_GDAL_CACHE_MB):
            write_map(path, content)
        files = [path]
    if plan.stac:
        from perijove.products.stac import write_stac

        files += write_stac(path, content, [polygon for outline in drawing.outlines for polygon in outline])
    return {**report, "files": [str(file) for file in files]}


def _check(inputs: Sequence[Path], path: Path) -> None:
    if not inputs:
        raise OptionError("a mosaic needs images or maps: give some")
    for number, each in enumerate(inputs):
        if each.resolve() in [other.resolve() for other in inputs[:number]]:
            raise OptionError(f"{each} is given twice; give it once")
        if each.resolve() == path.resolve():
            raise OptionError(f"{path} is an input, too; choose another name with -o")


@dataclass(frozen=True)
class Drawing:
    """A mosaic that is ready to be drawn."""

    inputs: tuple[Input, ...]
    cells: Cells
    matched: Mosaic
    outlines: tuple[Any, ...]
    photometry: Photometry | None
    plan: MosaicPlan
    time: float | None
    credit: Credit

    def planes(self, metadata: Mapping[str, Any], shelf: Shelf | None = None) -> MapPlanes:
        """The planes, which are drawn as they are taken."""
        what = "reflectance as if lit from above" if self.photometry is not None else "I/F"
        planes = [Plane(band, "1", f"{what} in the {band} filter") for band in self.matched.bands]
        planes.append(Plane("weight", "1", "how well the best image sees the ground, 0 to 1"))
        planes.append(Plane("source", "1", "number of the image that counts most, from 1", averaged=False))
        return MapPlanes(self.cells.of, tuple(planes), self._tiles(shelf), metadata)

    def _tiles(self, shelf: Shelf | None) -> Iterator[tuple[slice, slice, Planes]]:
        grid = self.cells.of
        for rows in grid.blocks(TILE_PX):
            for left in range(0, grid.width, TILE_PX):
                columns = slice(left, min(left + TILE_PX, grid.width))
                if any(self.matched.touched(rows, columns)):
                    yield rows, columns, self.tile(rows, columns)
            if shelf is not None:
                shelf.let_go()

    def tile(self, rows: slice, columns: slice) -> Planes:
        """The planes of a tile."""
        patch = Patch(self.cells.of, rows, columns, self.cells.of.ground(rows, columns))
        tile = self.matched.tile(rows, columns)
        needed, spare = self.matched.touched(rows, columns)
        for number in needed:
            self._lay(tile, number, patch)
        if spare and tile.gaps:
            for number in spare:
                self._lay(tile, number, patch)
        return tile.planes()

    def _lay(self, tile: Tile, number: int, patch: Patch) -> None:
        """Lay an input into a tile."""
        values, framed, sources = self.inputs[number].sampled(patch)
        first = 1 + sum(len(each.sources) for each in self.inputs[:number])
        numbers = np.full((1, 1), first, np.float32) if sources is None else sources + np.float32(first - 1)
        tile.lay(number, values, framed, numbers)

    def metadata(self) -> dict[str, Any]:
        """What is known of the mosaic, ready for JSON."""
        from perijove.geometry.timescale import et_to_utc

        sources = [source for number in range(len(self.inputs)) for source in self._sources(number)]
        names = [self._name(number) for number in range(len(self.inputs))]
        return {
            "product": "mosaic",
            "title": f"Mosaic of {len(sources)} images",
            "unit": "reflectance" if self.photometry is not None else "I/F",
            "credit": self.credit.line(),
            "licence": str(self.credit.licence),
            "processing": [step.processor for step in self.credit.steps],
            "software": f"perijove {__version__}",
            "inputs": [entry for source in sources for entry in source.get("inputs", ())],
            "map": map_report(self.cells.of),
            "bands": list(self.matched.bands),
            "photometry": None if self.photometry is None else photometry_report(self.photometry),
            "winds_followed_to_utc": None if self.time is None else et_to_utc(self.time),
            "warnings": [],
            "sources": [{"number": n, **source} for n, source in enumerate(sources, 1)],
            "overlaps": {
                band: [{**asdict(each), "first": names[each.first], "second": names[each.second]} for each in found]
                for band, found in self.matched.agreement.items()
            },
        }

    def _name(self, number: int) -> str:
        each = self.inputs[number]
        return each.file.path.name if isinstance(each, MapLayer) else str(each.sources[0]["product"])

    def _sources(self, number: int) -> Iterator[dict[str, Any]]:
        """Images of an input as data, with gains and footprint."""
        each = self.inputs[number]
        gains = {b: g for b, g in zip(self.matched.bands, self.matched.gains[number].tolist(), strict=True) if g == g}
        for source in each.sources:
            before = source.get("gains", {})
            told = {key: value for key, value in source.items() if key != "number"}
            told["gains"] = {band: gain * before.get(band, 1.0) for band, gain in gains.items()}
            # An image that was in a mosaic before keeps its outline.
            told.setdefault("footprint", self.outlines[number])
            yield told


def _drawing(inputs: Sequence[MapFile | Shelved], plan: MosaicPlan, given: Given) -> Drawing:
    """Match the inputs on the cells of the map."""
    from perijove.compose.mosaic_footprint import footprint

    images = [each for each in inputs if isinstance(each, Shelved)]
    grid = _grid(inputs, plan)
    time = _common_time(images, plan)
    photometry = _photometry(inputs, images, plan, given)
    cells = Cells.over(grid)
    laid: list[Input] = [
        MapLayer(each) if isinstance(each, MapFile) else Shot.of(each, grid, plan.map.kernel, time) for each in inputs
    ]
    layers: list[Layer] = []
    for each in laid:
        given.progress(f"matching {each.sources[0]['product']}")
        layers.append(each.layer(cells, photometry))
    if not any(layer.weight.any() for layer in layers):
        raise OptionError("nothing of the images lies on the map; choose another region")
    outlines = tuple(footprint(np.asarray(np.isfinite(layer.values).all(axis=-1)), cells.grid) for layer in layers)
    matched = match(layers, bands_of(laid), cells.step, wraps=cells.wraps)
    made = [each.credit if isinstance(each, Shelved) else _credit_of(each) for each in inputs]
    credit = joined([*made, plan.credit])
    return Drawing(tuple(laid), cells, matched, outlines, photometry, plan, time, credit)


def _credit_of(file: MapFile) -> Credit:
    return parse_credit(str(file.metadata["credit"])) if file.metadata.get("credit") else Credit()


def _grid(inputs: Sequence[MapFile | Shelved], plan: MosaicPlan) -> MapGrid:
    """The pixels of the mosaic."""
    from perijove.project.view import seen_ground

    first = inputs[0]
    if plan.like_first:
        if not isinstance(first, MapFile):
            raise OptionError("the first input is no map; give a projection, or begin with a map")
        return first.grid
    wanted = plan.map
    seen, scales = [], []
    for each in inputs:
        if isinstance(each, MapFile):
            every = max(each.grid.width, each.grid.height) // 200 + 1
            ground = each.grid.ground(slice(None, None, every), slice(None, None, every)).reshape(-1, 3)
            seen.append(ground[np.isfinite(ground).all(axis=-1)])
            scales.append(each.grid.scale_m / 1e3)
        else:
            pointing = each.located.solution.pointing
            seen.append(seen_ground(pointing))
            nearest = np.linalg.norm(seen[-1] - pointing.position_fixed_km[pointing.mid_frame], axis=-1).min()
            scales.append(float(nearest) * each.label.sampling_factor / FOCAL_LENGTH_PX)
    scale_km = wanted.scale_km if wanted.scale_km is not None else float(f"{np.median(scales):.3g}")
    shown = np.concatenate(seen) if wanted.region is None else wanted.region
    return map_grid(wanted.projection, shown, scale_km * 1e3, latitudes=wanted.latitudes, centre=wanted.centre)


def _common_time(images: Sequence[Shelved], plan: MosaicPlan) -> float | None:
    """The time that the mosaic shows, TDB seconds past J2000; None where clouds are left where they are."""
    from perijove.geometry.timescale import utc_to_et

    if not plan.winds:
        if plan.time_utc is not None:
            raise OptionError("a time is told but clouds are not followed; ask for the winds, too")
        return None
    if plan.time_utc is not None:
        return float(utc_to_et(plan.time_utc))
    return float(np.mean([image.located.solution.pointing.et.mean() for image in images])) if images else None


def _photometry(
    inputs: Sequence[MapFile | Shelved], images: Sequence[Shelved], plan: MosaicPlan, given: Given
) -> Photometry | None:
    """The photometry of the mosaic; None where it is of I/F."""
    maps = [each for each in inputs if isinstance(each, MapFile)]
    told = [each.photometry for each in maps if each.metadata]
    if len({bool(each) for each in told}) > 1:
        raise OptionError("some maps hold I/F and others reflectances; make them alike with --photometry")
    if told and told[0]:
        return photometry_from(told[0])
    if plan.photometry == AS_SEEN:
        return None
    if not images:
        return None
    if told:
        raise OptionError(
            f"{maps[0].path} holds I/F as it was seen; give --photometry none, or make it again with --photometry"
        )
    from perijove.fitting import photometry_of

    given.progress("fitting the photometry")
    # What is fitted needs of an image what is on the shelf.
    return photometry_of(plan.photometry, cast(Any, images))


def photometry_report(photometry: Photometry) -> dict[str, Any]:
    """A photometry as data, which `photometry_from` reads."""
    table = {band: list(numbers) for band, numbers in photometry.parameters.items()}
    return {"model": photometry.model, "parameters": table, "report": dict(photometry.report)}


def photometry_from(report: Mapping[str, Any]) -> Photometry:
    """The photometry that data of a map tell.

    Raises
    ------
    OptionError
        They tell none.
    """
    try:
        table = {band: tuple(numbers) for band, numbers in report["parameters"].items()}
        return Photometry(str(report["model"]), table, report.get("report", {}))
    except (KeyError, TypeError, AttributeError) as error:
        raise OptionError("a map says nothing usable of its photometry; make it again") from error


def _write_picture(drawing: Drawing, path: Path, style: str, report: Mapping[str, Any]) -> list[Path]:
    from perijove.files import replacing
    from perijove.products.about import About
    from perijove.products.pictures import write_picture

    grid = drawing.cells.of
    if grid.width * grid.height > _MAX_PICTURE_PX:
        raise OptionError(
            f"a picture of {grid.width} x {grid.height} pixels does not fit into memory; "
            "write a .tif, which is drawn tile by tile, or choose a coarser scale"
        )
    bands = drawing.matched.bands
    values = np.full((grid.height, grid.width, len(bands)), np.nan, np.float32)
    for rows, columns, planes in drawing.planes(report).tiles:
        values[rows, columns] = planes[..., : len(bands)]
    made = picture_of(values, bands, style, grid.ground if style != "natural" else None)
    # Outlines and overlaps are long, and follow from the rest.
    sources = [{key: told for key, told in each.items() if key != "footprint"} for each in report["sources"]]
    carried = {**report, "sources": sources, "overlaps": None, "style": style}
    about = About(str(report["title"]), carried, caption=f"Map of Jupiter, style {style}")
    write_picture(path, made.pixels, about, made.gamut)
    world = path.with_suffix(".pgw")
    a, b, left, d, e, top = grid.transform
    with replacing(world) as temporary:
        # Of the middle of the upper left pixel.
        lines = (a, d, b, e, left + a / 2, top + e / 2)
        temporary.write_text("".join(f"{value!r}\n" for value in lines), encoding="ascii")
    return [path, world]
