"""What goes into a mosaic: images, kept outside of memory, and maps."""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt

from perijove.compose.mosaic import SEEN_PART, Layer
from perijove.compose.mosaic_weights import LEAST_VIEW, LIMB_MU, age_weight, border_weight, reduced, view_weight
from perijove.constants import FOCAL_LENGTH_PX, FRAMELET_LINES, FRAMELET_SAMPLES
from perijove.geometry.pointing import Pointing
from perijove.photometry.angles import Angles
from perijove.photometry.photometry import FADE_MU, FADE_MU0
from perijove.pipeline import PLANE_ORDER, Kernel
from perijove.products.map_file import MapFile
from perijove.project.grid import MapGrid
from perijove.project.resample import Framelets, gather
from perijove.shelving import Shelved

Floats = npt.NDArray[np.float64]
Plane = npt.NDArray[np.float32]
Planes = npt.NDArray[np.float32]

#: What is known of a map's image in a mosaic.
_CARRIED: Final = (
    "product",
    "title",
    "credit",
    "licence",
    "processing",
    "inputs",
    "kernels",
    "calibration_set",
    "solved_with",
    "software",
    "start_time_utc",
    "perijove",
)
#: Pixels to a cell, at most; a cell is no larger than this, and there are no more cells than this.
_MOST_STEP, _CELL_KM, _MOST_CELLS = 16, 250.0, 1_500_000
#: Samples to a side of a cell.
_SAMPLES: Final = 2
#: Cosine beyond the last usable one from which even a bad view counts as much as it can.
_REACHED: Final = 0.02
#: Cells that are drawn at a time, in rows.
_BLOCK_ROWS: Final = 128


@dataclass(frozen=True)
class Cells:
    """Coarse cells of a map.

    Attributes
    ----------
    grid : MapGrid
        Its pixels are the cells.
    of : MapGrid
        The map.
    step : int
        Pixels to a cell.
    wraps : bool
        The map's right edge is its left one.
    """

    grid: MapGrid
    of: MapGrid
    step: int
    wraps: bool

    @classmethod
    def over(cls, grid: MapGrid) -> "Cells":
        """The cells of a map."""
        step = 1
        while step < _MOST_STEP and 2 * step * grid.scale_m <= _CELL_KM * 1e3:
            step *= 2
        while grid.width * grid.height > _MOST_CELLS * step**2:
            step *= 2
        wide, high = -(-grid.width // step), -(-grid.height // step)
        cells = replace(grid, scale_m=grid.scale_m * step, width=wide, height=high, seen_from_km=None)
        # A pixel beyond either side is the one at the other.
        inside, beyond = slice(0, 1), slice(grid.width, grid.width + 1)
        first = replace(grid, seen_from_km=None).ground(slice(None, None, 64), inside)
        again = replace(grid, width=grid.width + 1, seen_from_km=None).ground(slice(None, None, 64), beyond)
        wraps = bool(np.nanmax(np.abs(first - again), initial=0.0) < 1e-3) and bool(np.isfinite(again).any())
        return cls(cells, grid, step, wraps)

    def drawn(self, sampled: Any, bands: int) -> tuple[Planes, Plane]:
        """Means over the cells of what a function samples at points, and the part of them that it knows in all bands.

        Where less than ``SEEN_PART`` of a cell is known it is NaN.
        """
        factor = _SAMPLES if self.step > 1 else 1
        fine = replace(
            self.grid, scale_m=self.grid.scale_m / factor, width=self.grid.width * factor,
            height=self.grid.height * factor,
        )  # fmt: skip
        means = np.empty((self.grid.height, self.grid.width, bands), np.float32)
        known = np.empty(means.shape[:2], np.float32)
        for rows in self.grid.blocks(_BLOCK_ROWS):
            values = sampled(fine.ground(slice(rows.start * factor, rows.stop * factor)))
            values = np.where(np.isfinite(values).all(axis=-1, keepdims=True), values, np.float32(np.nan))
            means[rows], part = reduced(np.asarray(values, np.float32), factor)
            known[rows] = part.min(axis=-1)
        means[known < SEEN_PART] = np.nan
        return means, known


@dataclass(frozen=True)
class Patch:
    """A tile of a map: its grid, rows and columns, and the points of its pixels, (row, column, 3), body-fixed."""

    grid: MapGrid
    rows: slice
    columns: slice
    ground_km: Floats


class Input(Protocol):
    """An image, or a map, that is laid into a mosaic."""

    @property
    def bands(self) -> tuple[str, ...]:
        """Its planes."""

    @property
    def sources(self) -> Sequence[Mapping[str, Any]]:
        """The images that it consists of, as data."""

    def layer(self, cells: Cells, photometry: Any) -> Layer:
        """What it shows on the cells of a map."""

    def sampled(self, patch: Patch) -> tuple[Planes, Planes, Any]:
        """Values and weights (row, column, band) of a tile, and numbers of the images, or None if it is one."""


@dataclass(frozen=True)
class Shot:
    """An image that is laid into a mosaic.

    Attributes
    ----------
    image : Shelved
    framelets : Framelets
        Those that see the map.
    kernel : {"bicubic", "bilinear"}
    time : float or None
        To which the wind carries its clouds, TDB seconds past J2000.
    """

    image: Shelved
    framelets: Framelets
    kernel: Kernel
    time: float | None

    @classmethod
    def of(cls, image: Shelved, grid: MapGrid, kernel: Kernel, time: float | None) -> "Shot":
        """Take of an image what a map needs."""
        pointing = image.located.solution.pointing
        whole = Framelets.of(image.calibrated.i_over_f, image.label.bands, pointing)
        frames = _frames_seeing(grid, pointing)
        cut = replace(whole, values=whole.values[frames], cameras=np.ascontiguousarray(whole.cameras[frames]))
        return cls(image, cut, kernel, time)

    @property
    def bands(self) -> tuple[str, ...]:
        """Its bands."""
        return tuple(self.image.label.bands)

    @property
    def sources(self) -> Sequence[Mapping[str, Any]]:
        """The image as data."""
        label, told = self.image.label, self.image.provenance
        return [{**told, "start_time_utc": label.start_time, "bands": list(label.bands), "perijove": label.orbit}]

    @property
    def _age_s(self) -> float:
        return 0.0 if self.time is None else float(self.image.located.solution.pointing.et.mean()) - self.time

    def _where(self, ground_km: Floats) -> Floats:
        """Where clouds were when the image was taken."""
        return ground_km if self.time is None else carried(ground_km, self._age_s)

    def layer(self, cells: Cells, photometry: Any) -> Layer:
        """What it shows on the cells of a map."""
        from perijove.geometry.backplanes import backplanes

        values, known = cells.drawn(lambda g: gather(self._where(g), self.framelets, "bilinear")[0], len(self.bands))
        pointing = self.image.located.solution.pointing
        ground = self._where(cells.grid.ground())
        names = ("incidence_deg", "emission_deg", "phase_deg", "range_km")
        near = border_weight(known >= SEEN_PART, cells.grid.scale_m / 1e3, wraps=cells.wraps)
        at = near > 0
        planes = {n: np.full(at.shape, np.nan, np.float32) for n in names}
        if at.any():
            for name, plane in backplanes(pointing, ground[at], self.bands[:1], names).items():
                planes[name][at] = plane.values
        mu0, mu = (np.cos(np.radians(planes[name])) for name in names[:2])
        summing = next(iter(pointing.cameras.values())).sampling_factor
        weight = view_weight(mu, planes["range_km"], summing / FOCAL_LENGTH_PX, cells.of.scale_m / 1e3)
        weight = weight * np.float32(1.0 if self.time is None else age_weight(self._age_s))
        factor, reach = np.ones_like(values), mu - np.float32(LIMB_MU)
        if photometry is not None:
            factor, trust = photometry.flattened(factor, self.bands, Angles(mu0, mu, planes["phase_deg"]))
            weight = weight * trust
            reach = np.minimum(mu - np.float32(FADE_MU[0]), mu0 - np.float32(FADE_MU0[0]))
        reach = np.nan_to_num(reach, nan=-1.0)
        least = LEAST_VIEW * np.clip(reach / np.float32(_REACHED), 1e-3, 1.0)
        weight = near * np.maximum(weight, least)
        weight[_eroded(reach <= 0)] = 0.0
        values = np.asarray(values * factor, np.float32)
        values[(weight <= 0) | (reach <= 0)] = np.nan
        clipping = self.image.calibrated.saturation_i_over_f
        limits = np.array([clipping[band] for band in self.bands], np.float32)
        factor, weight, reach = (np.asarray(plane, np.float32) for plane in (factor, weight, reach))
        return Layer(self.bands, values, factor, weight, reach, limits)

    def sampled(self, patch: Patch) -> tuple[Planes, Planes, Any]:
        """Values and weights of a tile."""
        return (*gather(self._where(patch.ground_km), self.framelets, self.kernel), None)


def _eroded(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """A mask without the cells at its border: pixels between these and the others are still asked for."""
    import cv2

    return np.asarray(cv2.erode(mask.astype(np.uint8), np.ones((3, 3), np.uint8), borderValue=1) > 0)


def _frames_seeing(grid: MapGrid, pointing: Pointing) -> slice:
    """Frames that see something of a map."""
    sees = np.zeros(pointing.frames, bool)
    for band, camera in pointing.cameras.items():
        samples, lines = FRAMELET_SAMPLES // camera.sampling_factor, FRAMELET_LINES // camera.sampling_factor
        x, y, frame = np.meshgrid(
            np.linspace(26, FRAMELET_SAMPLES - 20, 81) * samples / FRAMELET_SAMPLES,
            np.array([0.03, 0.5, 0.97]) * lines,
            np.arange(pointing.frames),
        )
        frame = frame.ravel().astype(int)
        place = grid.pixel(pointing.ground(band, frame, x.ravel(), y.ravel()))
        with np.errstate(invalid="ignore"):
            on_map = ((place >= 0) & (place <= (grid.width, grid.height))).all(axis=-1)
        sees[frame[on_map]] = True
    at = np.flatnonzero(sees)
    if not len(at):
        return slice(0, 1)
    return slice(max(int(at[0]) - 1, 0), min(int(at[-1]) + 2, pointing.frames))


def carried(ground_km: Floats, seconds: float) -> Floats:
    """Where the zonal wind carries clouds: `perijove.geometry.winds.blown`, from a table over the height."""
    from perijove.constants import JUPITER_RADII_KM
    from perijove.geometry.ellipsoid import to_lat_lon
    from perijove.geometry.winds import drift_deg_s

    a, _, b = JUPITER_RADII_KM
    height = np.linspace(-b, b, 8193)
    meridian = np.stack([a * np.sqrt(1 - (height / b) ** 2), 0 * height, height], axis=-1)
    drift = np.radians(drift_deg_s(to_lat_lon(meridian)[0])) * seconds
    angle = np.interp(ground_km[..., 2], height, drift)
    c, s = np.cos(angle), np.sin(angle)
    x, y = ground_km[..., 0], ground_km[..., 1]
    return np.stack([c * x - s * y, s * x + c * y, ground_km[..., 2]], axis=-1)


@dataclass(frozen=True)
class MapLayer:
    """A map that is laid into a mosaic."""

    file: MapFile

    @property
    def bands(self) -> tuple[str, ...]:
        """Its bands."""
        return self.file.bands

    @functools.cached_property
    def sources(self) -> Sequence[Mapping[str, Any]]:
        """The images that it consists of; one of which nothing but the file itself is known for maps of others."""
        told = self.file.metadata
        if "sources" in told:
            return list(told["sources"])
        kept = {key: told[key] for key in _CARRIED if key in told}
        if "inputs" not in kept:
            kept["inputs"] = [self.file.record]
        return [{"product": self.file.path.stem, **kept, "bands": list(self.bands)}]

    def layer(self, cells: Cells, _photometry: Any) -> Layer:
        """What it shows on the cells of a map."""
        names = (*self.bands, *(("weight",) if "weight" in self.file.planes else ()))
        values, known = cells.drawn(lambda g: self.file.at(g, names, cells.grid.scale_m), len(names))
        weight = border_weight(known >= SEEN_PART, cells.grid.scale_m / 1e3, wraps=cells.wraps)
        count = len(self.bands)
        if len(names) > count:
            quality = values[..., count]
            quality = np.where(np.isfinite(quality), quality, np.nanmin(quality, initial=1.0))
            # Weights of a mosaic fall to its borders already.
            weight = np.where(weight > 0, quality, 0.0) if "source" in self.file.planes else weight * quality
        factor = np.ones((*weight.shape, count), np.float32)
        limits = np.full(count, np.inf, np.float32)
        reach = np.ones_like(weight)
        return Layer(
            self.bands, values[..., :count].copy(), factor, weight.astype(np.float32), reach, limits, len(self.sources)
        )

    def sampled(self, patch: Patch) -> tuple[Planes, Planes, Any]:
        """Values, weights and numbers of the images of a tile."""
        numbered = "source" in self.file.planes
        names = (*self.bands, *(("source",) if numbered else ()))
        shift = _offset(self.file.grid, patch.grid)
        if shift is None:
            read = self.file.at(patch.ground_km, names, patch.grid.scale_m)
        else:
            rows, columns = (
                slice(along.start + more, along.stop + more)
                for along, more in zip((patch.rows, patch.columns), shift, strict=True)
            )
            read = self.file.read(rows, columns, names)
        values = np.ascontiguousarray(read[..., : len(self.bands)])
        framed = np.isfinite(values).astype(np.float32)
        return values, framed, np.ascontiguousarray(read[..., -1]) if numbered else None


@functools.lru_cache(maxsize=8)
def _offset(of: MapGrid, to: MapGrid) -> tuple[int, int] | None:
    """Rows and columns that a pixel of one grid lies further in another; None where they do not fit."""
    if of.latitudes != to.latitudes or not np.isclose(of.scale_m, to.scale_m, rtol=1e-9):
        return None
    points = to.ground(slice(0, None, max(to.height // 8, 1)), slice(0, None, max(to.width // 8, 1)))
    rows, columns = (np.arange(0, n, max(n // 8, 1)) + 0.5 for n in (to.height, to.width))
    place = of.pixel(points)
    shift = place - np.stack(np.meshgrid(columns, rows), axis=-1)
    shift = shift[np.isfinite(shift).all(axis=-1)]
    if not len(shift) or np.ptp(shift, axis=0).max() > 1e-3:
        return None
    mean = shift.mean(axis=0)
    if np.abs(mean - np.rint(mean)).max() > 1e-3:
        return None
    return int(np.rint(mean[1])), int(np.rint(mean[0]))


def bands_of(inputs: Sequence[Input]) -> tuple[str, ...]:
    """Planes of what is made of several: red, green, blue, methane, then others."""
    there = dict.fromkeys(band for each in inputs for band in each.bands)
    return (*(b for b in PLANE_ORDER if b in there), *(b for b in there if b not in PLANE_ORDER))
