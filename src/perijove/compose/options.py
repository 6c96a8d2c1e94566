"""What can be chosen about a picture."""

from dataclasses import dataclass, field, fields
from typing import Any, Final, Literal

from perijove.errors import OptionError

STYLES: Final = ("natural", "enhanced", "methane-red", "methane-luminance")
GAMUTS: Final = ("srgb", "p3")
FORMATS: Final = ("png", "tiff", "jpeg", "webp", "avif")
#: Formats that leave out what is hardly seen, as far as their quality says.
LOSSY: Final = ("jpeg", "webp", "avif")


@dataclass(frozen=True)
class Style:
    """How far an enhanced picture goes.

    Attributes
    ----------
    flatten : float
        Part of the shading that is taken out, 0 to 1.
    saturation : float
        Differences of colour are spread by this factor, 0 to 10; the mean colour keeps its own.
    warmth : float
        Chroma of the mean colour over that of the disc beside white daylight, 0 to 3.
    contrast : float
        Factor of middle-sized contrast of lightness, 0 to 5.
    detail : float
        Factor of the finest contrast of lightness, 0 to 5.
    """

    flatten: float = 0.78
    saturation: float = 3.9
    warmth: float = 0.75
    contrast: float = 2.3
    detail: float = 2.6

    def __post_init__(self) -> None:
        limits = {"flatten": 1.0, "saturation": 10.0, "warmth": 3.0, "contrast": 5.0, "detail": 5.0}
        for name, most in limits.items():
            if not 0.0 <= getattr(self, name) <= most:
                raise OptionError(f"{name} is {getattr(self, name)}; give a number from 0 to {most:g}")


@dataclass(frozen=True)
class PictureOptions:
    """How a picture is made and kept.

    Attributes
    ----------
    style : str
        One of `perijove.compose.styles.STYLES`.
    look : Style or None
        Parameters of the enhanced and the methane styles.
    gamut : {"srgb", "p3"}
        Primaries; their ICC profile goes into the file.
    depth : {8, 16}
        Bits a channel.
    methane : Image or None
        Methane image of the same perijove, for the styles that need one.
    format : str
        One of `FORMATS`, where it is not told by a file's name; JPEG, WebP and AVIF have 8 bits whatever the depth.
    quality : int or None
        Of JPEG, WebP and AVIF, 1 to 100. Default: good enough for large prints.
    """

    style: str = "natural"
    look: Style | None = None
    gamut: Literal["srgb", "p3"] = "srgb"
    depth: Literal[8, 16] = 16
    methane: Any = field(default=None, repr=False)
    format: str = "png"
    quality: int | None = None

    def __post_init__(self) -> None:
        for name, known in (("style", STYLES), ("gamut", GAMUTS), ("format", FORMATS)):
            if getattr(self, name) not in known:
                raise OptionError(f"there is no {name} {getattr(self, name)!r}; choose from {', '.join(known)}")
        if self.depth not in (8, 16):
            raise OptionError(f"pictures have 8 or 16 bits a channel, not {self.depth}")
        check_quality(self.format, self.quality)
        if self.style.startswith("methane") and self.methane is None:
            raise OptionError(
                f"the style {self.style} needs a methane image of the same perijove: give it with --methane"
            )


def check_quality(kind: str, quality: int | None) -> None:
    """Refuse a quality that a format does not have.

    Raises
    ------
    OptionError
    """
    if quality is None:
        return
    if kind not in LOSSY:
        raise OptionError(f"{kind} keeps every pixel and has no quality; it is of {', '.join(LOSSY)}")
    if not 1 <= quality <= 100:
        raise OptionError(f"a quality of {quality} is none; give a number from 1 to 100")


def look_of(text: str) -> Style:
    """Parameters of a style from text like ``saturation=4,contrast=1.5``.

    Raises
    ------
    OptionError
        If the text is of another form, or a parameter is unknown or out of range.

    Examples
    --------
    >>> look_of("saturation=4, contrast=1.5").saturation
    4.0
    """
    known = [field.name for field in fields(Style)]
    chosen: dict[str, float] = {}
    for part in text.split(","):
        name, _, value = part.partition("=")
        if name.strip() not in known:
            raise OptionError(f"{part.strip()!r} is no parameter of a look; give {', '.join(known)} like saturation=4")
        try:
            chosen[name.strip()] = float(value)
        except ValueError as error:
            raise OptionError(f"{part.strip()!r} has no number; give it like saturation=4") from error
    return Style(**chosen)
