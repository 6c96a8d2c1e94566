"""Tiles of a map and of its overviews: averaged as they come, compressed, and kept in a scratch file.

An overview has half the pixels of the level below it on a side. Its tiles are put together while the map is drawn, so
that nothing is read twice; those that wait for their other quarters beyond a bound of memory wait in the scratch file.
"""

import os
from collections import OrderedDict, deque
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from typing import BinaryIO, Final, NamedTuple

import numba
import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float32]

#: Bytes of unfinished tiles that are held in memory, and of those that wait to be compressed.
_HELD_BYTES: Final = 256_000_000
#: Tiles that wait to be compressed, to each core.
_QUEUED: Final = 2


class Key(NamedTuple):
    """Which tile: level 0 is the map itself."""

    level: int
    row: int
    column: int


@dataclass
class _Part:
    """A tile that is not whole yet, and how many of its pixels have not come."""

    values: Values
    missing: int


@dataclass
class Pyramid:
    """Compressed tiles of a map and its overviews.

    Attributes
    ----------
    shape : tuple of int
        Height, width and planes of the map.
    side : int
        Pixels to a side of a tile, an even number.
    averaged : tuple of bool
        Whether pixels of an overview are the mean of the four below, for each plane; the first of them that is known
        otherwise.
    encode, decode : callable
        From a tile, (side, side, plane), to bytes, and back.
    scratch : file
        Where tiles are kept.
    workers : Executor
        Compress.
    places : dict of Key to tuple of int
        Where tiles lie in the scratch file, and how long they are. Complete after `finish`.
    """

    shape: tuple[int, int, int]
    side: int
    averaged: tuple[bool, ...]
    encode: Callable[[Values], bytes]
    decode: Callable[[bytes], Values]
    scratch: BinaryIO
    workers: Executor
    places: dict[Key, tuple[int, int]] = field(default_factory=dict)
    _parts: OrderedDict[Key, _Part] = field(default_factory=OrderedDict)
    _spilled: dict[Key, int] = field(default_factory=dict)
    _whole: set[Key] = field(default_factory=set)
    _queue: deque[tuple[Key, "Future[bytes]"]] = field(default_factory=deque)

    @property
    def sizes(self) -> list[tuple[int, int]]:
        """Height and width of the map and of its overviews, down to one that fits into a tile."""
        sizes = [self.shape[:2]]
        while max(sizes[-1]) > self.side:
            height, width = sizes[-1]
            sizes.append((-(-height // 2), -(-width // 2)))
        return sizes

    def add(self, rows: slice, columns: slice, planes: Values) -> None:
        """Take a part of the map, (rows, columns, plane); whole tiles are fastest."""
        side = self.side
        for j in range(rows.start // side, -(-rows.stop // side)):
            for i in range(columns.start // side, -(-columns.stop // side)):
                top, left = max(rows.start, j * side), max(columns.start, i * side)
                bottom, right = min(rows.stop, (j + 1) * side), min(columns.stop, (i + 1) * side)
                piece = planes[top - rows.start : bottom - rows.start, left - columns.start : right - columns.start]
                if np.isfinite(piece).any():
                    self._paste(Key(0, j, i), top - j * side, left - i * side, piece)

    def finish(self) -> None:
        """Complete what was waiting for tiles that never came."""
        for level in range(len(self.sizes)):
            for key in sorted(key for key in (*self._parts, *self._spilled) if key.level == level):
                self._complete(key, self._taken(key).values)
        self._write(0)

    def _paste(self, key: Key, top: int, left: int, values: Values) -> None:
        if values.shape[:2] == (self.side, self.side):
            self._complete(key, values)
            return
        part = self._taken(key)
        part.values[top : top + values.shape[0], left : left + values.shape[1]] = values
        part.missing -= values.shape[0] * values.shape[1]
        if part.missing <= 0:
            self._complete(key, part.values)
            return
        self._parts[key] = part
        if len(self._parts) * part.values.nbytes > _HELD_BYTES:
            oldest, spilled = self._parts.popitem(last=False)
            self._spilled[oldest] = spilled.missing
            self._queue.append((oldest, self.workers.submit(self.encode, spilled.values)))

    def _taken(self, key: Key) -> _Part:
        """A tile as far as it is known, out of memory, the scratch file, or new."""
        if key in self._parts:
            return self._parts.pop(key)
        missing = self._spilled.pop(key, None)
        if missing is None and key not in self._whole:
            height, width = self._extent(key)
            return _Part(np.full((self.side, self.side, self.shape[2]), np.nan, np.float32), height * width)
        self._write(0)
        start, length = self.places[key]
        self.scratch.seek(start)
        return _Part(self.decode(self.scratch.read(length)).copy(), missing or 0)

    def _complete(self, key: Key, values: Values) -> None:
        """Compress a tile, and hand its average to the level above."""
        self._whole.add(key)
        self._queue.append((key, self.workers.submit(self.encode, values)))
        self._write(min(_QUEUED * (os.cpu_count() or 1), _HELD_BYTES // values.nbytes))
        if key.level + 1 < len(self.sizes):
            height, width = self._extent(key)
            half = np.empty((-(-height // 2), -(-width // 2), self.shape[2]), np.float32)
            _halve(values, np.array(self.averaged), half)
            above = Key(key.level + 1, key.row // 2, key.column // 2)
            self._paste(above, key.row % 2 * self.side // 2, key.column % 2 * self.side // 2, half)

    def _write(self, left: int) -> None:
        """Put compressed tiles into the scratch file until so many are left in the queue."""
        while len(self._queue) > left:
            key, future = self._queue.popleft()
            content = future.result()
            self.places[key] = (self.scratch.seek(0, os.SEEK_END), len(content))
            self.scratch.write(content)

    def _extent(self, key: Key) -> tuple[int, int]:
        """Height and width of the part of a tile that lies on the map."""
        height, width = self.sizes[key.level]
        return min(self.side, height - key.row * self.side), min(self.side, width - key.column * self.side)


@numba.njit(cache=True)
def _halve(values, averaged, out):  # type: ignore[no-untyped-def]
    """Mean of the known ones of every four pixels, or the first known; pixels outside the map are NaN."""
    for j in range(out.shape[0]):
        for i in range(out.shape[1]):
            for p in range(out.shape[2]):
                total, count = np.float32(0.0), 0
                for way in range(4):
                    value = values[2 * j + way // 2, 2 * i + way % 2, p]
                    if value == value and (averaged[p] or count == 0):
                        total += value
                        count += 1
                out[j, i, p] = total / np.float32(count) if count else np.nan
