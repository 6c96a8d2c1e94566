"""What a map consists of, before it becomes a file."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from perijove.project.grid import MapGrid

#: Side of a tile, pixels.
TILE_PX: Final = 512

Tile = tuple[slice, slice, npt.NDArray[np.float32]]


@dataclass(frozen=True)
class Plane:
    """What one plane of a map holds.

    Attributes
    ----------
    name, unit : str
        A unit as UDUNITS has it; 1 where there is none.
    long_name : str
        What it is, in words.
    averaged : bool
        Whether the mean of neighbouring pixels says something, as it does not of longitudes or of numbers of frames.
    """

    name: str
    unit: str
    long_name: str
    averaged: bool = True


@dataclass(frozen=True)
class MapPlanes:
    """A map on its way to a file.

    Attributes
    ----------
    grid : MapGrid
    planes : tuple of Plane
    tiles : iterable of tuple of slice, slice and ndarray
        Rows, columns and their planes, (rows, columns, plane), float32; NaN where nothing is known, as it is where no
        tile comes. Gone through once. Tiles of ``TILE_PX`` from the upper left corner are written fastest.
    metadata : mapping
        What else is known, ready for JSON.
    """

    grid: MapGrid
    planes: tuple[Plane, ...]
    tiles: Iterable[Tile]
    metadata: Mapping[str, Any]
