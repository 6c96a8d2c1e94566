"""ICC profiles of the pictures' colour spaces, built from their primaries and curve (ICC.1:2010, version 4.3)."""

import struct
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

from perijove.compose.spaces import WHITE_D65, to_xyz

#: Illuminant of the profile connection space, D50 (ICC.1:2010, 7.2.16).
_D50: Final = (0.9642, 1.0, 0.8249)
#: Bradford's cone responses (ICC.1:2010, annex E.3).
_BRADFORD: Final = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
#: Parameters g, a, b, c, d of the curve: ((a x + b)**g from d on, c x below it (IEC 61966-2-1).
_CURVE: Final = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
_NAMES: Final = {"srgb": "sRGB", "p3": "Display P3", "grey": "Grey, sRGB curve"}


@lru_cache(maxsize=4)
def icc_profile(space: str) -> bytes:
    """The ICC profile of a colour space.

    Parameters
    ----------
    space : {"srgb", "p3", "grey"}
        Grey has the curve and the white of sRGB.

    Returns
    -------
    bytes

    Raises
    ------
    OptionError
        If there is no such space.

    Examples
    --------
    >>> profile = icc_profile("p3")
    >>> profile[36:40], int.from_bytes(profile[:4], "big") == len(profile)
    (b'acsp', True)
    """
    grey = space == "grey"
    primaries = to_xyz("srgb" if grey else space)
    adaptation = _adaptation()
    tags = {
        b"desc": _text(_NAMES[space]),
        b"cprt": _text("No copyright, use freely"),
        b"wtpt": _xyz(_D50),
        b"chad": b"sf32" + bytes(4) + b"".join(_fixed(value) for value in adaptation.ravel()),
    }
    curve = b"para" + bytes(4) + struct.pack(">HH", 3, 0) + b"".join(_fixed(value) for value in _CURVE)
    if grey:
        tags[b"kTRC"] = curve
    else:
        for letter, column in zip((b"r", b"g", b"b"), (adaptation @ primaries).T, strict=True):
            tags[letter + b"XYZ"] = _xyz(column)
        tags |= {letter + b"TRC": curve for letter in (b"r", b"g", b"b")}
    return _assembled(tags, b"GRAY" if grey else b"RGB ")


def _assembled(tags: dict[bytes, bytes], space: bytes) -> bytes:
    """Header, table of tags, and their data, each kind of data once."""
    start = 128 + 4 + 12 * len(tags)
    table, data = struct.pack(">I", len(tags)), b""
    places: dict[bytes, int] = {}
    for name, content in tags.items():
        if content not in places:
            places[content] = start + len(data)
            data += content + bytes(-len(content) % 4)
        table += name + struct.pack(">II", places[content], len(content))
    header = struct.pack(">I4sI4s4s4s", start + len(data), bytes(4), 0x04300000, b"mntr", space, b"XYZ ")
    header += struct.pack(">6H4s", 2022, 1, 1, 0, 0, 0, b"acsp") + bytes(28)
    header += b"".join(_fixed(value) for value in _D50)
    return header + bytes(128 - len(header)) + table + data


def _adaptation() -> npt.NDArray[np.float64]:
    """Matrix from colours under D65 to those that look alike under D50."""
    x, y = WHITE_D65
    cones = _BRADFORD @ np.array([_D50, (x / y, 1.0, (1.0 - x - y) / y)]).T
    return np.asarray(np.linalg.solve(_BRADFORD, np.diag(cones[:, 0] / cones[:, 1]) @ _BRADFORD))


def _fixed(value: float) -> bytes:
    return struct.pack(">i", round(float(value) * 65536))


def _xyz(values: npt.ArrayLike) -> bytes:
    return b"XYZ " + bytes(4) + b"".join(_fixed(value) for value in np.asarray(values, float))


def _text(text: str) -> bytes:
    encoded = text.encode("utf-16-be")
    return b"mluc" + struct.pack(">IIIHHII", 0, 1, 12, 0x656E, 0x5553, len(encoded), 28) + encoded
