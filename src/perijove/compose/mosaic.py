"""Many images on one map without a seam.

Everything smooth is known on coarse cells: how each image has to be scaled, what it counts for, its low frequencies.
The low frequencies of all are mixed by their weights over the whole of an overlap; upon these goes the detail of the
image that sees best, pixel by pixel, so that no cloud is blurred or doubled. Both change smoothly: there is no seam to
be found. Tiles need nothing of their neighbours, and join exactly.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from perijove.compose.mosaic_gains import Agreement, agreements, fit_gains, overlaps
from perijove.compose.mosaic_kernel import finish_kernel, lay_kernel
from perijove.compose.smooth import fill_around

Plane = npt.NDArray[np.float32]
Planes = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]

#: Low frequencies are means over a Gaussian of this many cells.
_SIGMA: Final = 2.0
#: Of a cell, what must be known for it to count as seen.
SEEN_PART: Final = 0.5
#: An image is left out of a tile where its weight is everywhere less than this part of the best one's.
_SPARE: Final = 0.3
#: Weights below this are nothing.
_NOTHING: Final = 1e-9


@dataclass(frozen=True)
class Layer:
    """An image on the cells of a map.

    Attributes
    ----------
    bands : tuple of str
    values : ndarray, (rows, columns, band), float32
        As they go into the mosaic but for the gains; NaN where the image shows nothing.
    factor : ndarray, (rows, columns, band), float32
        What has made them of the values that are sampled.
    weight : ndarray, (rows, columns), float32
        What the image counts for, 0 to 1; 0 where it must not be used.
    reach : ndarray, (rows, columns), float32
        Positive where the image may be used, smooth where it crosses 0.
    limits : ndarray, (band,), float32
        Sampled values from which a pixel is clipped.
    images : int
        How many images it consists of: a mosaic has several.
    """

    bands: tuple[str, ...]
    values: Planes
    factor: Planes
    weight: Plane
    reach: Plane
    limits: Plane
    images: int = 1


@dataclass(frozen=True)
class Mosaic:
    """Images matched on the cells of a map, ready to be laid into its tiles.

    Attributes
    ----------
    bands : tuple of str
        Planes of the mosaic.
    gains : ndarray, (image, band)
        What each image is multiplied by; NaN in bands that it lacks.
    agreement : mapping of str to list of Agreement
        By band, how images agree where they overlap.
    step : int
        Pixels to a cell.
    """

    bands: tuple[str, ...]
    gains: Floats
    agreement: dict[str, list[Agreement]]
    step: int
    _layers: tuple["_Ready", ...] = field(repr=False)
    _common: Planes = field(repr=False)

    def touched(self, rows: slice, columns: slice) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Numbers of the images that show something of a tile.

        Returns
        -------
        tuple of int, tuple of int
            Those that matter, and those that do only where the first ones leave a gap: elsewhere their detail counts
            less than ``_SPARE`` to the power of the winner.
        """
        low, high, left, right = _cells(rows, columns, self.step)
        shares = [layer.coarse[low:high, left:right, -3] for layer in self._layers]
        there = [n for n, share in enumerate(shares) if share.any()]
        spare = [n for n in there if (shares[n] < _SPARE).all()]
        return tuple(n for n in there if n not in spare), tuple(spare)

    def tile(self, rows: slice, columns: slice) -> "Tile":
        """An empty tile, into which images can be laid."""
        shape = (rows.stop - rows.start, columns.stop - columns.start)
        total, mass = (np.zeros((*shape, len(self.bands)), np.float32) for _ in range(2))
        return Tile(self, (rows.start, columns.start, self.step), total, mass, np.zeros((*shape, 2), np.float32))


@dataclass(frozen=True)
class Tile:
    """Part of a mosaic that grows image by image; made by `Mosaic.tile`."""

    mosaic: Mosaic
    _place: tuple[int, int, int]
    _total: Planes
    _mass: Planes
    _best: Planes

    def lay(self, number: int, values: Planes, framed: Planes, sources: Plane | None = None) -> None:
        """Lay an image into the tile.

        Parameters
        ----------
        number : int
            Of the image.
        values, framed : ndarray, (rows, columns, band), float32
            What was sampled, NaN where nothing is known, and its weight: 0 where nothing is known.
        sources : ndarray, (rows, columns), float32, optional
            Number that each pixel gets in the mosaic. Default: that of the image, counted from 1.
        """
        ready = self.mosaic._layers[number]
        if sources is None:
            sources = np.full((1, 1), number + 1, np.float32)
        lay_kernel(
            np.ascontiguousarray(values, np.float32),
            np.ascontiguousarray(framed, np.float32),
            np.ascontiguousarray(sources, np.float32),
            ready.coarse,
            ready.planes,
            ready.limits,
            self._place,
            self._total,
            self._mass,
            self._best,
        )

    @property
    def gaps(self) -> bool:
        """Whether pixels lack all bands, or some."""
        return not bool(self._mass.all())

    def planes(self) -> Planes:
        """Bands, weight and source, (rows, columns, band + 2), float32; NaN where no image shows anything."""
        bands = len(self.mosaic.bands)
        out = np.empty((*self._best.shape[:2], bands + 2), np.float32)
        drawn = np.empty_like(self._total)
        finish_kernel(self.mosaic._common, self._place, self._total, self._mass, drawn)
        out[..., :bands] = drawn
        seen = self._best[..., 0] > 0
        out[..., bands] = np.where(seen, self._best[..., 0], np.nan)
        out[..., bands + 1] = np.where(seen, self._best[..., 1], np.nan)
        return out


@dataclass(frozen=True)
class _Ready:
    """What the kernel needs of an image."""

    coarse: Planes
    planes: npt.NDArray[np.int64]
    limits: Plane


def match(layers: Sequence[Layer], bands: tuple[str, ...], step: int, *, wraps: bool = False) -> Mosaic:
    """Match images on the cells of a map.

    Parameters
    ----------
    layers : sequence of Layer
        In the order in which their pixels are numbered.
    bands : tuple of str
        Planes of the mosaic: each in one image at least.
    step : int
        Pixels to a cell.
    wraps : bool
        The right edge of the map is its left one.

    Returns
    -------
    Mosaic
    """
    gains = np.full((len(layers), len(bands)), np.nan)
    agreement = {}
    for k, band in enumerate(bands):
        having = [n for n, layer in enumerate(layers) if band in layer.bands]
        planes = [layers[n].values[..., layers[n].bands.index(band)] for n in having]
        shared = overlaps(planes, [layers[n].weight for n in having])
        gains[having, k] = found = fit_gains([layers[n].images for n in having], shared)
        told = agreements(found, shared)
        agreement[band] = [replace(each, first=having[each.first], second=having[each.second]) for each in told]
    lows = [_low_frequencies(each, _gains_of(each, bands, row), wraps) for each, row in zip(layers, gains, strict=True)]
    best = _best(layers)
    ready = [_ready(*each, bands, best) for each in zip(layers, lows, gains, strict=True)]
    return Mosaic(bands, gains, agreement, step, tuple(ready), _common(layers, lows, bands))


def _best(layers: Sequence[Layer]) -> dict[tuple[str, ...], Plane]:
    """Weight of the best image of each set of bands."""
    out: dict[tuple[str, ...], Plane] = {}
    for layer in layers:
        out[layer.bands] = np.maximum(out.get(layer.bands, np.float32(_NOTHING)), layer.weight)
    return out


def _gains_of(layer: Layer, bands: tuple[str, ...], row: Floats) -> Plane:
    return np.array([row[bands.index(band)] for band in layer.bands], np.float32)


def _low_frequencies(layer: Layer, gains: Plane, wraps: bool) -> Planes:
    """Means about each cell, continued beyond the image, (rows, columns, band)."""
    import cv2

    pad = min(layer.values.shape[1], int(4 * _SIGMA)) if wraps else 0
    out = []
    for k in range(len(layer.bands)):
        plane = np.pad(layer.values[..., k] * gains[k], ((0, 0), (pad, pad)), mode="wrap")
        known = np.isfinite(plane).astype(np.float32)
        total = cv2.GaussianBlur(np.nan_to_num(plane), (0, 0), _SIGMA, borderType=cv2.BORDER_REFLECT_101)
        around = cv2.GaussianBlur(known, (0, 0), _SIGMA, borderType=cv2.BORDER_REFLECT_101)
        mean = np.asarray(total / np.maximum(around, 1e-6) * known, np.float32)
        filled = fill_around(mean, known) if known.any() else mean
        out.append(filled[:, pad : pad + layer.values.shape[1]])
    return np.ascontiguousarray(np.stack(out, axis=-1), np.float32)


def _common(layers: Sequence[Layer], lows: Sequence[Planes], bands: tuple[str, ...]) -> Planes:
    """Low frequencies of the mosaic: those of the images by their weights, (rows, columns, band)."""
    total = np.zeros((*layers[0].weight.shape, len(bands)), np.float64)
    mass = np.zeros_like(total)
    for layer, low in zip(layers, lows, strict=True):
        for k, band in enumerate(layer.bands):
            total[..., bands.index(band)] += layer.weight * low[..., k].astype(float)
            mass[..., bands.index(band)] += layer.weight
    with np.errstate(invalid="ignore", divide="ignore"):
        mixed = (total / mass).astype(np.float32)
    known = (mass > 0).astype(np.float32)
    filled = [fill_around(np.nan_to_num(mixed[..., k]), known[..., k]) for k in range(len(bands))]
    return np.ascontiguousarray(np.where(known > 0, mixed, np.stack(filled, axis=-1)), np.float32)


def _ready(
    layer: Layer, low: Planes, row: Floats, bands: tuple[str, ...], best: Mapping[tuple[str, ...], Plane]
) -> _Ready:
    factor = np.nan_to_num(layer.factor) * _gains_of(layer, bands, row)
    single = [layer.weight / best[layer.bands], layer.weight, np.nan_to_num(layer.reach, nan=-1.0)]
    coarse = np.concatenate([factor, low, np.stack(single, axis=-1)], axis=-1)
    planes = np.array([bands.index(band) for band in layer.bands], np.int64)
    return _Ready(np.ascontiguousarray(coarse, np.float32), planes, np.array(layer.limits, np.float32))


def _cells(rows: slice, columns: slice, step: int) -> tuple[int, int, int, int]:
    """First and last but one cells, down and across, that a tile's pixels lie among."""
    return (
        max(rows.start // step - 1, 0),
        -(-rows.stop // step) + 1,
        max(columns.start // step - 1, 0),
        -(-columns.stop // step) + 1,
    )
