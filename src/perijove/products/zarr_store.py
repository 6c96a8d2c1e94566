"""Maps as Zarr 3, folders that xarray opens from disk or from a server, written tile by tile."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np

from perijove.errors import MissingExtraError
from perijove.files import replacing_folder
from perijove.products import cf
from perijove.products.map_planes import MapPlanes

#: What every Zarr 3 folder has in it.
_MARK = "zarr.json"


def write_zarr(path: Path, content: MapPlanes) -> None:
    """Write planes of a map as arrays of a Zarr 3 group, by the CF conventions.

    Parameters
    ----------
    path : Path
        Becomes a folder. One that is there and is a Zarr store is replaced.
    content : MapPlanes
        Its metadata become JSON in the attribute ``perijove``.

    Raises
    ------
    MissingExtraError
        zarr or pyproj is not installed.
    OptionError
        The folder cannot be written, or something else stands there.

    Notes
    -----
    Float32, chunks of a tile, compressed by Zstandard; there are no files for chunks where nothing is known.
    """
    try:
        import zarr
    except ImportError as missing:
        raise MissingExtraError("Zarr needs zarr 3: pip install 'perijove[geo]'") from missing
    with replacing_folder(path, _MARK) as final:
        group = zarr.open_group(final, mode="w", zarr_format=3, attributes={**cf.global_attributes(content)})
        planes = _prepared(group, content)
        for rows, columns, values in content.tiles:
            for plane, array in enumerate(planes):
                part = values[..., plane]
                if np.isfinite(part).any():
                    array[rows, columns] = part
        with warnings.catch_warnings():
            # It is no part of the specification yet, but xarray asks for it.
            warnings.filterwarnings("ignore", message="Consolidated metadata is currently not part")
            zarr.consolidate_metadata(group.store)


def _prepared(group: Any, content: MapPlanes) -> list[Any]:
    """Everything but the pixels; the arrays of the planes."""
    grid = content.grid
    mapping = group.create_array(cf.GRID_MAPPING, shape=(), dtype=np.int32, attributes=cf.grid_mapping(grid))
    mapping[...] = 0
    known = cf.coordinates(grid)
    for name, axis in known.items():
        array = group.create_array(
            name,
            shape=axis.values.shape,
            chunks=axis.values.shape,
            dtype=np.float64,
            fill_value=np.nan,
            dimension_names=(axis.dimension,),
            attributes=axis.attributes,
        )
        array[:] = axis.values
    return [
        group.create_array(
            plane.name,
            shape=(grid.height, grid.width),
            chunks=cf.chunk(grid),
            dtype=np.float32,
            fill_value=np.nan,
            dimension_names=("y", "x"),
            attributes=cf.plane_attributes(plane, known),
        )
        for plane in content.planes
    ]
