"""Colour spaces: sRGB and Display P3, their curve, Oklab, and how a colour is brought into what a screen can show."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from perijove.compose.blocks import by_rows
from perijove.errors import OptionError

Floats = npt.NDArray[np.float64]
Planes = npt.NDArray[np.float32]
Gamut = Literal["srgb", "p3"]

#: Chromaticities of the primaries, red, green, blue (IEC 61966-2-1; SMPTE EG 432-1), and of the white, D65.
PRIMARIES: Final[Mapping[str, tuple[tuple[float, float], ...]]] = MappingProxyType(
    {"srgb": ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06)), "p3": ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060))}
)
WHITE_D65: Final = (0.3127, 0.3290)

#: Linear sRGB to cone responses, and the cube roots of these to Oklab (B. Ottosson 2020, "A perceptual color space for
#: image processing").
_CONES: Final = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_OKLAB: Final = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)
#: Halvings by which chroma is found.
_GAMUT_STEPS: Final = 8


def to_xyz(gamut: str) -> Floats:
    """Matrix from linear RGB of a gamut to CIE XYZ, white (D65) at Y = 1.

    Raises
    ------
    OptionError
        If there is no such gamut.

    Examples
    --------
    >>> to_xyz("srgb").round(4).tolist()[1]
    [0.2126, 0.7152, 0.0722]
    """
    if gamut not in PRIMARIES:
        raise OptionError(f"there is no gamut {gamut!r}; choose from {', '.join(PRIMARIES)}")
    columns = np.array([[x / y, 1.0, (1.0 - x - y) / y] for x, y in PRIMARIES[gamut]]).T
    x, y = WHITE_D65
    return np.asarray(columns * np.linalg.solve(columns, [x / y, 1.0, (1.0 - x - y) / y]))


def apply_matrix(matrix: npt.ArrayLike, planes: Planes) -> Planes:
    """Matrix times vectors on the last axis, (..., 3), float32."""
    import cv2

    matrix = np.asarray(matrix, np.float32)
    shape = planes.shape
    flat = np.ascontiguousarray(planes, np.float32).reshape(-1, 1, 3)
    return np.asarray(cv2.transform(flat, matrix), np.float32).reshape(shape)


def from_srgb(linear: Planes, gamut: str) -> Planes:
    """Linear sRGB, (..., 3), as linear RGB of a gamut."""
    if gamut == "srgb":
        return linear
    return apply_matrix(np.linalg.solve(to_xyz(gamut), to_xyz("srgb")), linear)


def encode_srgb(linear: Planes) -> npt.NDArray[np.uint16]:
    """Linear light in 0..1 to 16-bit codes on the sRGB curve (IEC 61966-2-1); values beyond are clipped.

    Display P3 has the same curve.

    Examples
    --------
    >>> encode_srgb(np.array([0.0, 0.18, 1.0], np.float32))
    array([    0, 30235, 65535], dtype=uint16)
    """
    return by_rows(_encode_srgb, np.asarray(linear, np.float32))[0]


def _encode_srgb(linear: Planes) -> tuple[npt.NDArray[np.uint16]]:
    x = np.clip(linear, 0, 1)
    # Several times as fast as numpy's power.
    curved = np.exp(np.log(np.maximum(x, np.float32(0.003))) * np.float32(1 / 2.4))
    curve = np.where(x <= 0.0031308, np.float32(12.92) * x, np.float32(1.055) * curved - np.float32(0.055))
    return (np.asarray(curve * np.float32(65535) + np.float32(0.5)).astype(np.uint16),)


def to_oklab(linear: Planes) -> Planes:
    """Linear sRGB to Oklab: lightness, green-red, blue-yellow, (..., 3), float32.

    Examples
    --------
    >>> to_oklab(np.ones((1, 3), np.float32)).round(4).tolist()
    [[1.0, 0.0, 0.0]]
    """
    return apply_matrix(_OKLAB, np.cbrt(apply_matrix(_CONES, linear)))


def from_oklab(lab: Planes) -> Planes:
    """Oklab to linear sRGB, (..., 3), float32; beyond 0..1 where sRGB has no such colour."""
    cones = apply_matrix(np.linalg.inv(_OKLAB), lab)
    # Products: a power takes ten times as long.
    return apply_matrix(np.linalg.inv(_CONES), cones * cones * cones)


def within_gamut(lab: Planes, gamut: str, highest: float = 1.0) -> Planes:
    """Oklab colours as linear RGB of a gamut, with as much less chroma as it takes to be inside.

    Lightness and hue are kept; lightness beyond the scale ends at it.

    Parameters
    ----------
    lab : ndarray, (n, 3), float32
    gamut : str
    highest : float
        No channel exceeds this.

    Returns
    -------
    ndarray, (n, 3), float32
    """
    from perijove.compose.gamut_kernel import gamut_kernel

    lab = np.ascontiguousarray(lab, np.float32).copy()
    lab[:, 0] = np.clip(lab[:, 0], 0.0, np.cbrt(highest))
    cones = np.ascontiguousarray(np.linalg.inv(_OKLAB)[:, 1:], np.float32)
    rgb = np.ascontiguousarray(from_srgb(np.linalg.inv(_CONES).T.astype(np.float32), gamut).T)
    linear = np.empty_like(lab)
    gamut_kernel(lab, cones, rgb, highest, _GAMUT_STEPS, linear)
    return linear
