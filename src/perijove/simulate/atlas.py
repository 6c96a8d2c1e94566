"""Albedo maps of what a camera sees, each part as fine as its pixels: an atlas of tiles."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt

from perijove.constants import FOCAL_LENGTH_PX
from perijove.geometry.ellipsoid import from_lat_lon, normals
from perijove.geometry.pointing import Pointing

Floats = npt.NDArray[np.float64]

#: Cells of the index: rows, columns and size in degrees.
CELL_ROWS, CELL_COLUMNS = 256, 512
CELL_DEG: Final = 180.0 / CELL_ROWS
#: Length of a degree of latitude, km (mean of equator and pole).
_KM_PER_DEG: Final = 1300.0
#: Map samples per pixel of the camera seen straight down.
_OVERSAMPLING: Final = 1.1
#: Tiles are not divided below so many samples a side, nor left whole above; and merged where that costs no more.
_SMALL, _LARGE = 256.0, 1536.0
_MERGE_COST: Final = 1.4
#: Samples of all tiles of a band at most: finer ones are coarsened alike.
_BUDGET: Final = 12e6
#: Scale of the map behind all tiles, for what falls between them.
_BASE_PPD: Final = 2.0
_PAD: Final = 2
#: Sine of the angle from the middle column to the edge of the detector, with a margin for the mounting.
_HALF_FIELD: Final = 0.53
#: Night side of this cosine of incidence needs no detail.
_NIGHT: Final = -0.2


@dataclass(frozen=True)
class Atlas:
    """Tiles of albedo maps and where they lie.

    Attributes
    ----------
    index : ndarray, (CELL_ROWS, CELL_COLUMNS), int32
        Tile of each cell, cells counted from 90 N and 360 W; 0 is the coarse map of the whole planet.
    places : ndarray, (tile, 3), float64
        Latitude of the upper and west longitude of the left edge, degrees; samples per degree.
    sizes : ndarray, (tile, 3), int64
        Rows, columns, and first sample in ``pixels``.
    pixels : ndarray, float32
        Tiles one after another, each (band, row, column).
    """

    index: npt.NDArray[np.int32]
    places: Floats
    sizes: npt.NDArray[np.int64]
    pixels: npt.NDArray[np.float32]


class Mapped(Protocol):
    """A planet with maps of its albedo."""

    def albedo_map(
        self, bands: Sequence[str], et: float, pixels_per_degree: float, region: Any = None
    ) -> npt.NDArray[np.float32]:
        """Albedo as `perijove.simulate.planet.Planet.albedo_map` gives it."""


def make_atlas(planet: Mapped, pointing: Pointing, bands: Sequence[str], sampling_factor: int = 1) -> Atlas:
    """Maps of all that an image sees.

    Parameters
    ----------
    planet : Mapped
    pointing : Pointing
    bands : sequence of str
    sampling_factor : int
        Of the framelets.
    """
    from perijove.simulate.planet import Region

    et = float(pointing.et[pointing.mid_frame])
    base = np.asarray(planet.albedo_map(bands, et, _BASE_PPD, Region()), np.float32)
    base = np.pad(base, ((0, 0), (0, 0), (_PAD, _PAD)), mode="wrap")
    maps, places = [base], [(90.0, 360.0 + _PAD / _BASE_PPD, _BASE_PPD)]
    index = np.zeros((CELL_ROWS, CELL_COLUMNS), np.int32)
    for row, column, size, ppd in _tiles(_affordable(needed_scale(pointing, sampling_factor))):
        index[row : row + size, column : column + size] = len(maps)
        region = _padded(Region, row, column, size, ppd)
        places.append((region.north, region.west, ppd))
        maps.append(np.asarray(planet.albedo_map(bands, et, ppd, region), np.float32))
    firsts = np.cumsum([0] + [m.size for m in maps])
    sizes = np.array([(*m.shape[1:], first) for m, first in zip(maps, firsts, strict=False)], np.int64)
    return Atlas(index, np.array(places), sizes, np.concatenate([m.ravel() for m in maps]))


def needed_scale(pointing: Pointing, sampling_factor: int = 1) -> Floats:
    """Samples per degree that the camera resolves in each cell; 0 where it sees nothing, (CELL_ROWS, CELL_COLUMNS)."""
    lat = 90.0 - (np.arange(CELL_ROWS) + 0.5) * CELL_DEG
    lon = 360.0 - (np.arange(CELL_COLUMNS) + 0.5) * CELL_DEG
    point = from_lat_lon(lat[:, None], lon)
    normal = normals(point)
    across = pointing.camera_from_jupiter[pointing.mid_frame][0]
    lit = normal @ pointing.sun_fixed > _NIGHT
    needed = np.zeros(lit.shape)
    for frame in (0, pointing.mid_frame, pointing.frames - 1):
        sight = pointing.position_fixed_km[frame] - point
        distance = np.linalg.norm(sight, axis=-1)
        slack = CELL_DEG * _KM_PER_DEG / distance
        mu = np.einsum("...i,...i", sight, normal) / distance
        seen = (mu > -0.02) & (np.abs(sight @ across) / distance < _HALF_FIELD + slack) & lit
        pixel_km = distance * sampling_factor / FOCAL_LENGTH_PX
        # Foreshortening stretches pixels one way only: between the two scales.
        scale = _OVERSAMPLING * _KM_PER_DEG / pixel_km * np.sqrt(np.clip(mu, 0.15, 1.0))
        needed = np.maximum(needed, np.where(seen, scale, 0.0))
    return needed


def _affordable(needed: Floats) -> Floats:
    """Coarsen all alike where the tiles would hold more samples than the budget."""
    total = sum((size * CELL_DEG * ppd) ** 2 for _, _, size, ppd in _tiles(needed))
    return np.asarray(needed * min(1.0, np.sqrt(_BUDGET / max(total, 1.0))))


def _tiles(needed: Floats) -> Iterator[tuple[int, int, int, float]]:
    """Square tiles of cells with one scale each: row, column, size in cells, samples per degree."""
    stack = [(0, 0, CELL_ROWS), (0, CELL_ROWS, CELL_ROWS)]
    while stack:
        row, column, size = stack.pop()
        part = needed[row : row + size, column : column + size]
        # Whole samples in a cell, so that tiles end where cells do.
        ppd = float(np.ceil(part.max() * CELL_DEG) / CELL_DEG)
        if ppd == 0.0:
            continue
        side = size * CELL_DEG * ppd
        apart = float(np.sum((part * CELL_DEG) ** 2))
        if size == 1 or side < _SMALL or (side < _LARGE and side**2 < _MERGE_COST * apart):
            yield row, column, size, ppd
            continue
        half = size // 2
        stack += [(row + i, column + j, half) for i in (0, half) for j in (0, half)]


def _padded(region: Any, row: int, column: int, size: int, ppd: float) -> Any:
    """Region of a tile with some samples more on each side, where the planet goes on."""
    pad = _PAD / ppd
    north, west = 90.0 - row * CELL_DEG, 360.0 - column * CELL_DEG
    south, east = north - size * CELL_DEG, west - size * CELL_DEG
    return region(min(north + pad, 90.0), max(south - pad, -90.0), west + pad, east - pad)
