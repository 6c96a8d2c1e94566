"""Any equirectangular picture as the planet's surface."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from perijove.errors import ImageFileError


def read_texture(path: Path) -> npt.NDArray[np.float32]:
    """Read an equirectangular picture: north up, east to the right, System III longitude 360 at the left edge.

    Parameters
    ----------
    path : Path
        Anything that Pillow reads; sRGB values are made linear.

    Returns
    -------
    ndarray, (height, width) or (height, width, 3), float32
        0 to 1, linear.

    Raises
    ------
    ImageFileError
        If it cannot be read or is not twice as wide as high.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as picture:
            kind = "L" if picture.mode in ("L", "LA", "1") else "RGB"
            pixels = np.asarray(picture.convert(kind), np.float32) / 255.0
    except FileNotFoundError as error:
        raise ImageFileError(f"there is no texture {path}") from error
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise ImageFileError(f"{path} is no picture that can be read: {error}") from error
    height, width = pixels.shape[:2]
    if abs(width - 2 * height) > 0.01 * width:
        raise ImageFileError(f"{path} is {width} x {height} pixels; an equirectangular map is twice as wide as high")
    linear = np.where(pixels <= 0.04045, pixels / 12.92, ((pixels + 0.055) / 1.055) ** 2.4)
    return linear.astype(np.float32)
