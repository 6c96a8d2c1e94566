"""The command that draws maps."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from perijove.cli.app import app, failures_told, warn
from perijove.cli.map_options import (
    CentreOption,
    LatitudeKind,
    LatitudesOption,
    MapStyle,
    MapStyleOption,
    PixelsPerDegreeOption,
    RegionOption,
    StacOption,
    place_of,
    scale_of,
    shown_of,
)
from perijove.cli.options import (
    ByOption,
    CalibrationOption,
    JsonOption,
    KernelsOption,
    LicenceOption,
    MetadataOption,
    NoiseMode,
    NoiseModeOption,
    PointingOption,
    QuietOption,
    RawArgument,
    SelfCalibrationOption,
    VerboseOption,
    WithOption,
    credit_of,
)
from perijove.console import print_summary, progress
from perijove.errors import OptionError

if TYPE_CHECKING:
    from perijove.compose.options import PictureOptions


@app.command(name="map")
def draw_map(  # one parameter per option is typer's way
    raw: RawArgument,
    output: Annotated[
        Path,
        typer.Option(
            "--output", "-o", metavar="FILE", help="Planes (.tif, .nc, .zarr, .fits, .cub) or picture (.png)."
        ),
    ],
    projection: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="equirectangular, mercator, north-stereographic, south-stereographic, north-equidistant, "
            "south-equidistant, orthographic, stereographic, equal-area, or a PROJ string.",
        ),
    ] = "equirectangular",
    region: RegionOption = "seen",
    pixels_per_degree: PixelsPerDegreeOption = None,
    scale: Annotated[float | None, typer.Option(metavar="KM", help="Kilometres to a pixel. Default: native.")] = None,
    centre: CentreOption = None,
    radius: Annotated[
        float | None, typer.Option(metavar="KM", help="Cut out a square, so far from the centre to its sides.")
    ] = None,
    latitudes: LatitudesOption = LatitudeKind.centric,
    photometry: Annotated[
        str | None,
        typer.Option(metavar="MODEL|FILE", help="Show reflectances as if lit from above, by a law of limb darkening."),
    ] = None,
    relight: Annotated[
        str | None, typer.Option(metavar="LAT,LON", help="Light these from a Sun over that latitude, west longitude.")
    ] = None,
    backplanes: Annotated[
        str | None, typer.Option(metavar="NAME,...", help="Further planes: names of backplanes, or all.")
    ] = None,
    picture: Annotated[bool, typer.Option("--picture", help="A picture, also in a .tif.")] = False,
    style: MapStyleOption = MapStyle.natural,
    look: Annotated[
        str | None, typer.Option(metavar="NAME=X,...", help="Of the enhanced style: flatten, saturation, contrast, ...")
    ] = None,
    depth: Annotated[int, typer.Option(metavar="8|16", help="Bits a channel of a picture.")] = 16,
    graticule: Annotated[
        float | None, typer.Option(metavar="DEG", help="Lines of latitude and longitude over a picture.")
    ] = None,
    stac: StacOption = True,
    by: ByOption = None,
    licence: LicenceOption = None,
    metadata: MetadataOption = None,
    kernels: KernelsOption = None,
    calibration: CalibrationOption = None,
    with_others: WithOption = None,
    pointing: PointingOption = None,
    self_calibration: SelfCalibrationOption = True,
    noise_mode: NoiseModeOption = NoiseMode.auto,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
    as_json: JsonOption = False,
) -> None:
    """Draw a map that GIS programs open."""
    with failures_told(verbose):
        from perijove import mapping
        from perijove.opening import Opening
        from perijove.products.raster import plain

        drawn = _picture(picture or output.suffix.lower() == ".png", style.value, look, depth)
        plan = mapping.MapPlan(
            projection,
            shown_of(region, radius),
            scale_of(pixels_per_degree, scale),
            latitudes.value,
            place_of("--centre", centre),
            photometry=photometry,
            relight=place_of("--relight", relight),
            backplanes=tuple(backplanes.split(",")) if backplanes else (),
            picture=drawn,
            graticule_deg=graticule,
            stac=stac,
        )
        opening = Opening(
            raw,
            metadata,
            kernels,
            calibration,
            pointing,
            tuple(with_others or ()),
            noise_mode.value,
            self_calibration,
        )
        with progress(quiet) as told:
            report = mapping.draw_map(opening.open(told, credit_of(by, licence)), output, plan)
        warn(report["geometry"]["warnings"])
        if as_json:
            typer.echo(json.dumps(plain(report), indent=2, allow_nan=False))
        elif not quiet:
            print_summary(report, verbose)


def _picture(wanted: bool, style: str, look: str | None, depth: int) -> "PictureOptions | None":
    """How a picture is made; None where planes are wanted."""
    from perijove.compose.options import PictureOptions, look_of

    if wanted:
        # Any depth may be asked for; the options refuse what is none.
        return PictureOptions(style, look_of(look) if look else None, depth=depth)  # type: ignore[arg-type]
    if style != "natural" or look is not None:
        raise OptionError("--style and --look are of pictures: give a name that ends in .png, or --picture")
    return None
