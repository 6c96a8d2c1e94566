"""Maps as cubes of ISIS 3, by GDAL, in the projections that both know."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from perijove.errors import MissingExtraError, OptionError
from perijove.files import replacing
from perijove.products.map_planes import MapPlanes
from perijove.project.crs import to_map
from perijove.project.grid import MapGrid

#: Special pixel NULL of real cubes (ISIS, "Special Pixels": 0xFF7FFFFB).
_NULL: Final = np.array([0xFF7FFFFB], np.uint32).view(np.float32)[0]
#: Bytes that GDAL keeps for the label.
_LABEL_BYTES: Final = 65536


def write_isis(path: Path, content: MapPlanes) -> None:
    """Write planes of a map as bands of an ISIS 3 cube.

    Parameters
    ----------
    path : Path
    content : MapPlanes
        Of its metadata, product, credit and licence go to the group Archive.

    Raises
    ------
    OptionError
        ISIS has no such projection, or the file cannot be written.
    MissingExtraError
        rasterio is not installed.

    Notes
    -----
    Real pixels in tiles, uncompressed; NULL where nothing is known.
    """
    try:
        import rasterio
        from rasterio.windows import Window
    except ImportError as missing:
        raise MissingExtraError("ISIS cubes need rasterio: pip install 'perijove[geo]'") from missing
    grid = content.grid
    kinds = {"centric": "Planetocentric", "graphic": "Planetographic"}
    profile = {
        "driver": "ISIS3",
        "width": grid.width,
        "height": grid.height,
        "count": len(content.planes),
        "dtype": "float32",
        "crs": rasterio.crs.CRS.from_wkt(grid.wkt),
        "transform": rasterio.Affine(*grid.transform),
        "TILED": "YES",
        "TARGET_NAME": grid.body.name,
        "LATITUDE_TYPE": kinds[grid.latitudes],
        # It would tell the name of the computer.
        "ADD_GDAL_HISTORY": "NO",
    }
    _check(profile, grid, path)
    with replacing(path) as final:
        with rasterio.open(final, "w", **profile) as file:
            for rows, columns, values in content.tiles:
                known = np.where(np.isfinite(values), values, _NULL)
                file.write(np.moveaxis(known, -1, 0), window=Window.from_slices(rows, columns))
        _add_to_label(final, _groups(content))


def _check(profile: Mapping[str, Any], grid: MapGrid, path: Path) -> None:
    """Refuse maps whose label would not lead back to where they came from."""
    import pyproj
    import rasterio
    from rasterio.io import MemoryFile

    with MemoryFile(ext=".cub") as memory:
        with memory.open(**{**profile, "width": 1, "height": 1, "count": 1}):
            pass
        with memory.open() as file:
            told, same_place = file.crs, file.transform.almost_equals(rasterio.Affine(*grid.transform), 1e-6)
    if told is not None and same_place:
        x, y = np.meshgrid(
            grid.left_m + np.linspace(0, grid.width, 17) * grid.scale_m,
            grid.top_m - np.linspace(0, grid.height, 17) * grid.scale_m,
        )
        degrees = grid.lon_lat(x, y)
        crs = pyproj.CRS(told.to_wkt())
        again = pyproj.Transformer.from_crs(crs.geodetic_crs, crs, always_xy=True).transform(*degrees)
        meant = to_map(grid.wkt).transform(*degrees)
        # Off the world some projections go on with longitudes of other places, which lead to both alike.
        off = np.hypot(again[0] - meant[0], again[1] - meant[1])[np.isfinite(meant[0])]
        if off.size and off.max() < 0.01 * grid.scale_m:
            return
    raise OptionError(
        f"cannot write {path.name}: ISIS cubes have no such projection; take equirectangular, mercator, "
        "north-stereographic, south-stereographic or orthographic, or another format"
    )


def _groups(content: MapPlanes) -> str:
    """Groups of the label that GDAL does not write."""
    names = ", ".join(_quoted(plane.name) for plane in content.planes)
    units = ", ".join(_quoted(plane.unit) for plane in content.planes)
    archive = {
        "ProductId": content.metadata.get("product"),
        "Credit": content.metadata.get("credit"),
        "Licence": content.metadata.get("licence"),
        "Software": content.metadata.get("software"),
    }
    lines = ["Group = BandBin", f"  FilterName = ({names})", f"  Unit = ({units})", "End_Group", "Group = Archive"]
    lines += [f"  {key} = {_quoted(str(value))}" for key, value in archive.items() if value]
    return "".join(f"  {line}\n" for line in (*lines, "End_Group"))


def _quoted(text: str) -> str:
    plain = text.encode("ascii", "replace").decode("ascii").replace('"', "'")
    return '"' + " ".join(plain.split()) + '"'


def _add_to_label(path: Path, groups: str) -> None:
    with path.open("r+b") as file:
        label = file.read(_LABEL_BYTES)
        # The object IsisCube ends before the object that tells of the label itself.
        head, end, tail = label.partition(b"End_Object\n\nObject = Label")
        if not end:
            head, end, tail = label.partition(b"End_Object\nObject = Label")
        longer = head + groups.encode("ascii") + end + tail.rstrip(b"\0")
        if not end or len(longer) > _LABEL_BYTES:
            raise OptionError(f"cannot write {path.name}: its label does not fit; choose another format")
        file.seek(0)
        file.write(longer.ljust(_LABEL_BYTES, b"\0"))
