"""Maps as netCDF 4, which xarray and GIS programs open, written tile by tile."""

from pathlib import Path
from typing import Any, Final

import numpy as np

from perijove.errors import MissingExtraError
from perijove.files import replacing
from perijove.products import cf
from perijove.products.map_planes import MapPlanes

#: Higher levels of deflate make noise of the detector no smaller.
_LEVEL: Final = 1


def write_netcdf(path: Path, content: MapPlanes) -> None:
    """Write planes of a map as variables of a netCDF 4 file, by the CF conventions.

    Parameters
    ----------
    path : Path
    content : MapPlanes
        Its metadata become JSON in the attribute ``perijove``.

    Raises
    ------
    MissingExtraError
        h5netcdf or pyproj is not installed.
    OptionError
        The file cannot be written.

    Notes
    -----
    Float32, chunks of a tile, shuffled and deflated; chunks where nothing is known take no room and read as NaN.
    """
    try:
        import h5netcdf
    except ImportError as missing:
        raise MissingExtraError("netCDF needs h5netcdf: pip install 'perijove[geo]'") from missing
    with replacing(path) as final, h5netcdf.File(final, "w") as file:
        planes = _prepared(file, content)
        for rows, columns, values in content.tiles:
            for plane, variable in enumerate(planes):
                part = values[..., plane]
                if np.isfinite(part).any():
                    variable[rows, columns] = part


def _prepared(file: Any, content: MapPlanes) -> list[Any]:
    """Everything but the pixels; the variables of the planes."""
    grid = content.grid
    file.dimensions = {"y": grid.height, "x": grid.width}
    file.attrs.update(cf.global_attributes(content))
    mapping = file.create_variable(cf.GRID_MAPPING, (), np.int32, data=0)
    mapping.attrs.update(cf.grid_mapping(grid))
    known = cf.coordinates(grid)
    for name, axis in known.items():
        variable = file.create_variable(name, (axis.dimension,), np.float64, data=axis.values)
        variable.attrs.update(axis.attributes)
    planes = []
    for plane in content.planes:
        variable = file.create_variable(
            plane.name,
            ("y", "x"),
            np.float32,
            fillvalue=np.float32("nan"),
            chunks=cf.chunk(grid),
            compression="gzip",
            compression_opts=_LEVEL,
            shuffle=True,
        )
        variable.attrs.update(cf.plane_attributes(plane, known))
        planes.append(variable)
    return planes
