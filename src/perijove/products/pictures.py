"""Finished pictures on disk, in every format that people ask for, with colour profile and what they tell of themselves.

The same pixels give the same bytes: encoders work on one thread and write no times of day.
"""

import struct
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import numpy as np

from perijove.errors import OptionError
from perijove.files import replacing
from perijove.products.about import About
from perijove.products.icc import icc_profile
from perijove.products.raster import Pixels, colour_space, to_depth, write_png
from perijove.products.xmp import packet, split_packet

#: Formats by the ends of their files' names; the first of a format is the one that is given.
FORMATS: Final[Mapping[str, str]] = MappingProxyType(
    {
        ".png": "png",
        ".tif": "tiff",
        ".tiff": "tiff",
        ".jpg": "jpeg",
        ".jpeg": "jpeg",
        ".webp": "webp",
        ".avif": "avif",
    }
)
#: Quality of formats that are not exact, where none is asked for: errors of 1 in 255 (RMS) on an enhanced picture.
QUALITIES: Final[Mapping[str, int]] = MappingProxyType({"jpeg": 92, "webp": 92, "avif": 85})
#: Longest side that a format can hold, pixels (libjpeg; WebP's container; AVIF of one tile of libavif's encoder).
_LONGEST: Final = {"jpeg": 65500, "webp": 16383, "avif": 65536}
#: Tags of TIFF and of EXIF.
_ARTIST, _COPYRIGHT, _XMP = 315, 33432, 700
_DESCRIPTION, _SOFTWARE, _EXIF, _TAKEN, _TAKEN_OFFSET = 270, 305, 34665, 36867, 36881
_EXIF_VERSION, _COLOUR_SPACE, _SRGB, _OTHER_COLOURS = 36864, 40961, 1, 65535


def suffix_of(kind: str) -> str:
    """End of the name of a format's files."""
    return next(suffix for suffix, name in FORMATS.items() if name == kind)


def format_of(path: Path) -> str:
    """Format of a picture, by its name.

    Raises
    ------
    OptionError
        There is none of this name.

    Examples
    --------
    >>> format_of(Path("jupiter.JPG"))
    'jpeg'
    """
    kind = FORMATS.get(path.suffix.lower())
    if kind is None:
        raise OptionError(f"cannot write a picture to {path.name}: give a name that ends in {_told_suffixes()}")
    return kind


def write_picture(path: Path, pixels: Pixels, about: About, gamut: str = "srgb", quality: int | None = None) -> None:
    """Write a picture in the format of its name.

    Parameters
    ----------
    path : Path
    pixels : ndarray, (height, width, 3) or (height, width), uint16 or uint8
        On the sRGB curve. JPEG, WebP and AVIF get 8 bits a channel.
    about : About
        Goes into all formats as XMP, and into PNG's texts, TIFF's tags and EXIF.
    gamut : {"srgb", "p3"}
        Whose ICC profile is embedded.
    quality : int, optional
        Of JPEG, WebP and AVIF, 1 to 100. Default: `QUALITIES`.

    Raises
    ------
    OptionError
        The format cannot hold the picture, or the place cannot be written to.
    """
    kind = format_of(path)
    longest = max(pixels.shape[:2])
    if longest > _LONGEST.get(kind, longest):
        raise OptionError(
            f"{path.name}: {kind} holds at most {_LONGEST[kind]} pixels a side, not {longest}; choose png or tiff"
        )
    if kind == "png":
        write_png(path, pixels, about.text(), gamut, packet(about))
    elif kind == "tiff":
        _write_tiff(path, pixels, about, gamut)
    else:
        _WRITERS[kind](path, to_depth(pixels, 8), about, gamut, quality or QUALITIES[kind])


def _told_suffixes() -> str:
    *most, last = FORMATS
    return f"{', '.join(most)} or {last}"


def _write_tiff(path: Path, pixels: Pixels, about: About, gamut: str) -> None:
    import tifffile

    texts = {_ARTIST: ", ".join(about.creators), _COPYRIGHT: about.credit}
    tags = [(code, 2, None, text.encode() + b"\0", True) for code, text in texts.items() if text]
    with replacing(path) as temporary:
        tifffile.imwrite(
            temporary,
            pixels,
            photometric="rgb" if pixels.ndim == 3 else "minisblack",
            compression="zlib",
            predictor=True,
            iccprofile=icc_profile(colour_space(pixels, gamut)),
            description=(about.caption or about.title).encode(),
            software=about.software,
            metadata=None,
            extratags=[*tags, (_XMP, 1, None, packet(about), True)],
        )


def _write_jpeg(path: Path, pixels: Pixels, about: About, gamut: str, quality: int) -> None:
    whole, parts = split_packet(about)
    _save(
        path,
        pixels,
        format="JPEG",
        quality=quality,
        subsampling="4:4:4",
        optimize=True,
        progressive=True,
        icc_profile=icc_profile(colour_space(pixels, gamut)),
        exif=_exif(about, gamut),
        xmp=whole,
        extra=b"".join(b"\xff\xe1" + struct.pack(">H", len(part) + 2) + part for part in parts),
    )


def _write_webp(path: Path, pixels: Pixels, about: About, gamut: str, quality: int) -> None:
    about_it = {"icc_profile": _colour_profile(pixels, gamut), "exif": _exif(about, gamut), "xmp": packet(about)}
    _save(path, _coloured(pixels), format="WEBP", quality=quality, method=4, **about_it)


def _write_avif(path: Path, pixels: Pixels, about: About, gamut: str, quality: int) -> None:
    about_it = {"icc_profile": _colour_profile(pixels, gamut), "exif": _exif(about, gamut), "xmp": packet(about)}
    # How many threads there are decides how a picture is cut into tiles: one gives the same file everywhere.
    how = {"subsampling": "4:4:4", "speed": 6, "max_threads": 1, "autotiling": False}
    _save(path, _coloured(pixels), format="AVIF", quality=quality, **how, **about_it)


_WRITERS: Final[Mapping[str, Callable[[Path, Pixels, About, str, int], None]]] = {
    "jpeg": _write_jpeg,
    "webp": _write_webp,
    "avif": _write_avif,
}


def _coloured(pixels: Any) -> Any:
    """Three channels, for formats that have no grey, or whose readers have none."""
    return pixels if pixels.ndim == 3 else np.stack([pixels] * 3, axis=-1)


def _colour_profile(pixels: Pixels, gamut: str) -> bytes:
    return icc_profile(gamut if pixels.ndim == 3 else "srgb")


def _exif(about: About, gamut: str) -> Any:
    """What programs read that know no XMP; UTF-8, as the Metadata Working Group wants it."""
    from PIL import Image as Pictures

    exif = Pictures.Exif()
    texts = {
        _DESCRIPTION: about.caption or about.title,
        _SOFTWARE: about.software,
        _ARTIST: ", ".join(about.creators),
        _COPYRIGHT: about.credit,
    }
    for code, text in texts.items():
        if text:
            exif[code] = text.encode()
    more: dict[int, Any] = {_EXIF_VERSION: b"0232", _COLOUR_SPACE: _SRGB if gamut == "srgb" else _OTHER_COLOURS}
    if about.taken_utc:
        taken = datetime.fromisoformat(about.taken_utc.removesuffix("Z"))
        more |= {_TAKEN: f"{taken:%Y:%m:%d %H:%M:%S}", _TAKEN_OFFSET: "+00:00"}
    exif[_EXIF] = more
    return exif


def _save(path: Path, pixels: Pixels, **options: Any) -> None:
    from PIL import Image as Pictures

    with replacing(path) as temporary:
        try:
            Pictures.fromarray(np.ascontiguousarray(pixels)).save(temporary, **options)
        except ValueError as error:
            # Such as names and captions that are longer than a segment of JPEG.
            raise OptionError(f"{path.name} cannot be written ({error}); choose png or tiff") from error
