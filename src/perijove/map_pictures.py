"""Pictures of maps that show reflectances, as if lit from above."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from perijove.errors import OptionError
from perijove.geometry.ellipsoid import to_lat_lon

Floats = npt.NDArray[np.float64]
Planes = npt.NDArray[np.float32]

#: Rows whose points are known at a time.
_BLOCK_ROWS: Final = 256


def picture_of(
    values: Planes, bands: Sequence[str], style: str, ground: Callable[[slice], Floats] | None = None
) -> Any:
    """A picture of reflectances (`perijove.compose.colour.Picture`).

    Parameters
    ----------
    values : ndarray, (height, width, band), float32
    bands : sequence of str
    style : {"natural", "enhanced"}
    ground : callable, optional
        Points of a slice of rows, for styles that need latitudes.

    Raises
    ------
    OptionError
        There is no such style, or it needs other bands.
    """
    from perijove.compose.colour import RGB, natural

    clipping: Mapping[str, float] = dict.fromkeys(bands, float("inf"))
    colours = [bands.index(band) for band in RGB] if set(RGB) <= set(bands) else [0]
    shown, names = np.ascontiguousarray(values[..., colours]), [bands[k] for k in colours]
    if style == "natural":
        return natural(shown, names, clipping)
    if style != "enhanced":
        raise OptionError(f"there is no style {style!r} of maps; choose natural or enhanced")
    from perijove.compose.enhance import enhanced

    assert ground is not None
    return enhanced(shown, names, clipping, _light(values, ground))


def _light(values: Planes, ground: Callable[[slice], Floats]) -> Any:
    """Light from above everywhere."""
    from perijove.compose.illumination import Illumination

    high = values.shape[0]
    parts = []
    for first in range(0, high, _BLOCK_ROWS):
        points = ground(slice(first, min(first + _BLOCK_ROWS, high)))
        latitude = to_lat_lon(points)[0].astype(np.float32)
        one = np.where(np.isfinite(latitude), np.float32(1.0), np.float32(np.nan))
        parts.append(Illumination(one, one, latitude))
    return Illumination.joined(parts)
