"""Options that the commands about maps share."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from perijove.cli.options import degrees
from perijove.errors import OptionError

if TYPE_CHECKING:
    from perijove.project.grid import Cutout, Region


class LatitudeKind(StrEnum):
    """What the latitudes of a map are."""

    centric = "centric"
    graphic = "graphic"


class MapStyle(StrEnum):
    """Styles of a map's picture."""

    natural = "natural"
    enhanced = "enhanced"


RegionOption = Annotated[
    str, typer.Option(metavar="S,N,W,W", help="Two latitudes and two west longitudes, or globe, or seen.")
]
PixelsPerDegreeOption = Annotated[
    float | None, typer.Option("--ppd", metavar="N", help="Pixels to a degree of the equator.")
]
CentreOption = Annotated[
    str | None, typer.Option(metavar="LAT,LON", help="Middle of the projection: latitude, west longitude.")
]
LatitudesOption = Annotated[LatitudeKind, typer.Option(help="What latitudes of the map are.")]
MapStyleOption = Annotated[MapStyle, typer.Option(help="Of a picture.")]
StacOption = Annotated[
    bool, typer.Option("--stac/--no-stac", help="Describe the map for catalogues: an item of STAC beside it.")
]


def scale_of(pixels_per_degree: float | None, scale_km: float | None) -> float | None:
    """Kilometres to a pixel, as one of two options tells it.

    Raises
    ------
    OptionError
        Both do.
    """
    if pixels_per_degree is None:
        return scale_km
    if scale_km is not None:
        raise OptionError("--ppd and --scale both tell the size of a pixel; give one of them")
    from perijove.project.grid import scale_of as metres

    return metres(pixels_per_degree) / 1e3


def place_of(option: str, text: str | None) -> tuple[float, float] | None:
    """Latitude and west longitude of an option."""
    if text is None:
        return None
    latitude, longitude = degrees(option, text, "LAT,LON", "41,150")
    return latitude, longitude


def region_of(text: str) -> "Region | None":
    """The region that a map shows; None for all that was seen."""
    from perijove.project.grid import GLOBE, Region

    if text in ("seen", "globe"):
        return None if text == "seen" else GLOBE
    return Region(*degrees("--region", text, "S,N,W,W", "30,90,0,360"))


def shown_of(region: str, radius: float | None) -> "Region | Cutout | None":
    """The same, or a square about the centre of the map.

    Raises
    ------
    OptionError
        Both are told.
    """
    from perijove.project.grid import Cutout

    if radius is None:
        return region_of(region)
    if region != "seen":
        raise OptionError("--region and --radius both tell what the map shows; give one of them")
    return Cutout(radius)
