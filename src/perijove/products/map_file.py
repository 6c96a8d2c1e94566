"""Maps read back from GeoTIFF: those of perijove, and any other of Jupiter as far as it says where its pixels lie."""

import json
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from perijove.archive.inputs import hash_file
from perijove.constants import JUPITER_RADII_KM
from perijove.errors import ImageFileError, MissingExtraError
from perijove.project.body import Latitudes
from perijove.project.grid import MapGrid

Planes = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]

#: How far a foreign map's ellipsoid may be from Jupiter's: published radii differ by the height they are meant for.
_RADIUS_TOLERANCE: Final = 3e-3
#: Planes of a map without names.
_UNNAMED: Final[Mapping[int, tuple[str, ...]]] = {
    1: ("GREY",),
    2: ("GREY", "alpha"),
    3: ("RED", "GREEN", "BLUE"),
    4: ("RED", "GREEN", "BLUE", "alpha"),
}
#: Planes that hold names of things, which have no mean.
_NUMBERS: Final = frozenset({"source", "frame"})
#: No map is larger, bytes.
_LIMIT: Final = 1 << 40
#: Largest window that is read at a time, pixels.
_WINDOW_PX: Final = 4_000_000


@dataclass(frozen=True)
class MapFile:
    """A map on disk; made by `open_map`.

    Attributes
    ----------
    path : Path
    grid : MapGrid
    planes : tuple of str
        Names of its planes.
    metadata : mapping
        What perijove wrote into it; empty for maps of others.
    factor : int
        Pixels of the file to a side of one that is read.
    """

    path: Path
    grid: MapGrid
    planes: tuple[str, ...]
    metadata: Mapping[str, Any] = field(repr=False)
    factor: int = 1
    _file: Any = field(default=None, repr=False, compare=False)

    @cached_property
    def record(self) -> dict[str, str]:
        """The file's name and the SHA-256 of its bytes."""
        return {"file": self.path.name, "sha256": hash_file(self.path, _LIMIT, ImageFileError).sha256}

    @property
    def photometry(self) -> Mapping[str, Any] | None:
        """Model and parameters of the law that was taken out of it; None where it is not as if lit from above."""
        told = self.metadata.get("photometry") or self.metadata.get("map", {}).get("photometry")
        return None if not told or told.get("sun_lat_lon_w_deg") is not None else dict(told)

    @property
    def bands(self) -> tuple[str, ...]:
        """Planes that hold light."""
        return tuple(name for name in self.planes if name.isupper())

    def read(self, rows: slice, columns: slice, planes: tuple[str, ...] | None = None) -> Planes:
        """Read a part.

        Parameters
        ----------
        rows, columns : slice
            With start and stop; what lies beyond the map is NaN.
        planes : tuple of str, optional
            Default: all.

        Returns
        -------
        ndarray, (rows, columns, plane), float32
            NaN where nothing is known. Planes that hold numbers of things are read without means.

        Raises
        ------
        ImageFileError
            If the file is damaged.
        """
        names = self.planes if planes is None else planes
        out = np.full((rows.stop - rows.start, columns.stop - columns.start, len(names)), np.nan, np.float32)
        top, left = max(rows.start, 0), max(columns.start, 0)
        bottom, right = min(rows.stop, self.grid.height), min(columns.stop, self.grid.width)
        if top >= bottom or left >= right:
            return out
        inside = out[top - rows.start : bottom - rows.start, left - columns.start : right - columns.start]
        for smooth in (True, False):
            chosen = [k for k, name in enumerate(names) if (name not in _NUMBERS) == smooth]
            if chosen:
                bands = [self.planes.index(names[k]) + 1 for k in chosen]
                inside[..., chosen] = self._window((top, bottom), (left, right), bands, smooth)
        return out

    def _window(self, rows: tuple[int, int], columns: tuple[int, int], bands: list[int], smooth: bool) -> Planes:
        from rasterio.enums import Resampling
        from rasterio.errors import RasterioError
        from rasterio.windows import Window

        scale = self.factor
        bottom, right = min(rows[1] * scale, self._file.height), min(columns[1] * scale, self._file.width)
        window = Window.from_slices((rows[0] * scale, bottom), (columns[0] * scale, right))
        shape = (len(bands), rows[1] - rows[0], columns[1] - columns[0])
        how = Resampling.average if smooth and scale > 1 else Resampling.nearest
        try:
            read = self._file.read(bands, window=window, out_shape=shape, resampling=how, masked=True)
        except RasterioError as error:
            raise ImageFileError(f"{self.path} cannot be read: {error}; it may be damaged: make it again") from error
        return np.moveaxis(_in_reflectance(read), 0, -1)

    def at(self, ground_km: Floats, planes: tuple[str, ...], scale_m: float) -> Planes:
        """Sample planes at points of the ground.

        Parameters
        ----------
        ground_km : ndarray, (height, width, 3)
            Body-fixed; NaN where nothing is wanted.
        planes : tuple of str
        scale_m : float
            How far points lie from each other: an overview of about this scale is read.

        Returns
        -------
        ndarray, (height, width, plane), float32
            Bilinear, numbers of things from the nearest pixel; NaN where the map knows nothing.
        """
        factor = 1 << max(int(np.log2(max(scale_m / self.grid.scale_m, 1.0)) + 0.01), 0)
        level = self.reduced(factor) if factor > 1 else self
        return _remapped(level, planes, level.grid.pixel(ground_km))

    def reduced(self, factor: int) -> "MapFile":
        """The same map with larger pixels, read from its overviews where it has them.

        Parameters
        ----------
        factor : int
            Pixels to a side of a new one; at the right and lower edge they may be partly beyond the map.
        """
        grid = self.grid
        wide, high = -(-grid.width // factor), -(-grid.height // factor)
        coarse = replace(grid, scale_m=grid.scale_m * factor, width=wide, height=high)
        return replace(self, grid=coarse, factor=self.factor * factor)


def open_map(path: Path) -> MapFile:
    """Open a map.

    Parameters
    ----------
    path : Path
        GeoTIFF: one of perijove, or another of Jupiter in a projection that PROJ knows, with square pixels.

    Returns
    -------
    MapFile

    Raises
    ------
    ImageFileError
        If it is no map of Jupiter, or one that cannot be used.
    MissingExtraError
        rasterio or pyproj is not installed.
    """
    try:
        import rasterio
        from rasterio.errors import NotGeoreferencedWarning, RasterioError
    except ImportError as missing:
        raise MissingExtraError("maps need rasterio: pip install 'perijove[geo]'") from missing
    if not path.is_file():
        raise ImageFileError(f"{path} does not exist; check the path")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            file = rasterio.open(path)
    except RasterioError as error:
        raise ImageFileError(f"{path} is no GeoTIFF: {error}; give a map that `perijove map` wrote") from error
    tags = file.tags()
    grid = _grid(path, file, tags)
    names = tuple(name or "" for name in file.descriptions)
    if not all(names):
        names = _UNNAMED.get(file.count, tuple(f"PLANE{n + 1}" for n in range(file.count)))
    return MapFile(path, grid, names, _metadata(path, tags), 1, file)


def _metadata(path: Path, tags: Mapping[str, str]) -> dict[str, Any]:
    try:
        content = json.loads(tags.get("PERIJOVE", "{}"))
    except json.JSONDecodeError as error:
        raise ImageFileError(f"{path}: its item PERIJOVE is no JSON ({error}); make the map again") from error
    return content if isinstance(content, dict) else {}


def _grid(path: Path, file: Any, tags: Mapping[str, str]) -> MapGrid:
    """Where the pixels of a file lie."""
    try:
        import pyproj
    except ImportError as missing:
        raise MissingExtraError("maps need pyproj: pip install 'perijove[geo]'") from missing
    if file.crs is None:
        raise ImageFileError(f"{path} does not say where its pixels lie (no CRS); give a map that `perijove map` wrote")
    wkt = file.crs.to_wkt()
    try:
        crs = pyproj.CRS(wkt)
    except pyproj.exceptions.CRSError as error:
        raise ImageFileError(f"{path}: PROJ does not know its CRS ({error})") from error
    transform = file.transform
    body = crs.ellipsoid
    if not crs.is_projected or body is None:
        raise ImageFileError(f"{path} is not in a projection; warp it with gdalwarp -t_srs IAU_2015:59910")
    if not abs(body.semi_major_metre / (JUPITER_RADII_KM[0] * 1e3) - 1.0) < _RADIUS_TOLERANCE:
        raise ImageFileError(f"{path} is a map of a body of {body.semi_major_metre / 1e3:.0f} km, not of Jupiter")
    if transform.b or transform.d or transform.a <= 0 or not np.isclose(transform.a, -transform.e, rtol=1e-6):
        raise ImageFileError(f"{path} has turned or oblong pixels; warp it to square ones with gdalwarp -tr")
    return MapGrid(wkt, _latitudes(body, tags), transform.a, transform.c, transform.f, file.width, file.height)


def _latitudes(body: Any, tags: Mapping[str, str]) -> Latitudes:
    told = tags.get("LATITUDES", "")
    if told.startswith("planetographic"):
        return "graphic"
    if told.startswith("planetocentric"):
        return "centric"
    return "centric" if body.semi_major_metre == body.semi_minor_metre else "graphic"


def _in_reflectance(read: Any) -> Planes:
    """Floats as they are, NaN where masked; codes of a picture as parts of the largest one, off the sRGB curve."""
    values = np.asarray(read.data)
    if values.dtype.kind in "ui":
        code = values / np.float32(np.iinfo(values.dtype).max)
        values = np.where(code <= 0.04045, code / 12.92, ((code + 0.055) / 1.055) ** np.float32(2.4))
    return np.where(np.ma.getmaskarray(read), np.float32(np.nan), values.astype(np.float32))


def _remapped(file: MapFile, names: tuple[str, ...], place: Floats) -> Planes:
    import cv2

    out = np.full((*place.shape[:2], len(names)), np.nan, np.float32)
    size = np.array([file.grid.width, file.grid.height], float)
    with np.errstate(invalid="ignore"):
        on_map = np.asarray(((place >= 0) & (place <= size)).all(axis=-1))
    if not on_map.any():
        return out
    place = np.where(on_map[..., None], np.clip(place, 0.5, size - 0.5), np.nan)
    low = np.maximum(np.floor(np.nanmin(place, axis=(0, 1)) - 0.5), 0).astype(int)
    high = np.minimum(np.ceil(np.nanmax(place, axis=(0, 1)) + 0.5) + 1, size).astype(int)
    if int(np.prod(high - low)) > _WINDOW_PX and max(place.shape[:2]) > 1:
        # Across a cut of the map neighbours lie far apart.
        along = int(place.shape[1] > place.shape[0])
        halves = np.array_split(place, 2, axis=along)
        return np.concatenate([_remapped(file, names, half) for half in halves], axis=along)
    read = file.read(slice(low[1], high[1]), slice(low[0], high[0]), names)
    x, y = (np.nan_to_num(place[..., k] - low[k] - 0.5).astype(np.float32) for k in (0, 1))
    for k, name in enumerate(names):
        how = cv2.INTER_NEAREST if name in _NUMBERS else cv2.INTER_LINEAR
        plane = np.ascontiguousarray(read[..., k])
        drawn = cv2.remap(plane, x, y, how, borderMode=cv2.BORDER_REPLICATE)
        out[..., k] = np.where(on_map, drawn, np.float32(np.nan))
    return out


def is_map(path: Path) -> bool:
    """Whether a path has the name of a map."""
    return path.suffix.lower() in (".tif", ".tiff")
