"""Maps on disk, in the format that the name of the file asks for."""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from perijove.errors import OptionError
from perijove.products.fits import write_fits
from perijove.products.geotiff import write_geotiff
from perijove.products.isis import write_isis
from perijove.products.map_planes import MapPlanes
from perijove.products.netcdf import write_netcdf
from perijove.products.picture_geotiff import write_picture_geotiff
from perijove.products.zarr_store import write_zarr

Writer = Callable[[Path, MapPlanes], None]

#: Who writes a map, by the end of the file's name.
WRITERS: Final[Mapping[str, Writer]] = MappingProxyType(
    {
        ".tif": write_geotiff,
        ".tiff": write_geotiff,
        ".nc": write_netcdf,
        ".zarr": write_zarr,
        ".fits": write_fits,
        ".cub": write_isis,
    }
)


def check_suffix(path: Path) -> None:
    """Refuse a name whose end is of no known format.

    Raises
    ------
    OptionError

    Examples
    --------
    >>> check_suffix(Path("north.nc"))
    """
    if path.suffix.lower() not in WRITERS:
        raise OptionError(f"cannot write a map to {path.name}: give a name that ends in {', '.join(WRITERS)}")


def write_map(path: Path, content: MapPlanes) -> None:
    """Write planes of a map in the format that the end of the name asks for.

    Parameters
    ----------
    path : Path
    content : MapPlanes

    Raises
    ------
    OptionError
        The end of the name is of no known format, or the file cannot be written.
    MissingExtraError
        A library that the format needs is not installed.
    """
    check_suffix(path)
    WRITERS[path.suffix.lower()](path, content)


__all__ = ["WRITERS", "Writer", "check_suffix", "write_map", "write_picture_geotiff"]
