"""A small map with gaps whose pixels are known."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from perijove.errors import OptionError
from perijove.products.map_planes import TILE_PX, MapPlanes, Plane
from perijove.project.grid import MapGrid, Region, map_grid

GRID = map_grid("equirectangular", Region(-60.0, 60.0, 20.0, 140.0), 200e3)
METADATA = {
    "product": "JNCE_2022229_44C00032_V01",
    "title": "Jupiter's north",
    "credit": "NASA/JPL-Caltech/SwRI/MSSS / Jane Doe",
    "licence": "CC BY 4.0",
    "processing": ["Jane Doe"],
    "software": "perijove 0.1.0",
    "inputs": [{"file": "raw.png", "sha256": "00"}],
    "start_time_utc": "2022-08-17T14:39:58.123",
}
PLANES = (Plane("RED", "1", "I/F in the RED filter"), Plane("range_km", "km", "distance from the camera"))


def value(rows: slice, columns: slice) -> np.ndarray:
    """What pixels of a tile hold: each its own number, but for a hole."""
    row, column = np.mgrid[rows, columns].astype(np.float32)
    red = np.where((row > 300) & (row < 320), np.nan, row * 0.5 + column * 1e-3)
    return np.stack([red, -row - column], axis=-1).astype(np.float32)


def every_tile(grid: MapGrid) -> Iterator[tuple[slice, slice]]:
    """Tiles of the whole map."""
    for top in range(0, grid.height, TILE_PX):
        for left in range(0, grid.width, TILE_PX):
            yield slice(top, min(top + TILE_PX, grid.height)), slice(left, min(left + TILE_PX, grid.width))


def known(grid: MapGrid) -> np.ndarray:
    """The map: its last tile never comes."""
    out = value(slice(0, grid.height), slice(0, grid.width))
    rows, columns = list(every_tile(grid))[-1]
    out[rows, columns] = np.nan
    return out


def planes(grid: MapGrid = GRID) -> MapPlanes:
    """The map on its way to a file, the tiles from the last to the first."""
    tiles = list(every_tile(grid))[:-1]
    return MapPlanes(grid, PLANES, ((*tile, value(*tile)) for tile in reversed(tiles)), METADATA)


def failing(grid: MapGrid = GRID) -> MapPlanes:
    """The same, but drawing fails after the first tile."""

    def tiles() -> Iterator[tuple[slice, slice, np.ndarray]]:
        first = next(every_tile(grid))
        yield (*first, value(*first))
        raise OptionError("no more")

    return replace(planes(grid), tiles=tiles())
