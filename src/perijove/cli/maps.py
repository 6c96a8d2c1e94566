"""The command that draws maps."""

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from perijove.cli.app import app, failures_told, warn
from perijove.cli.options import (
    CalibrationOption,
    JsonOption,
    KernelsOption,
    MetadataOption,
    NoiseMode,
    NoiseModeOption,
    PointingOption,
    QuietOption,
    RawArgument,
    SelfCalibrationOption,
    VerboseOption,
    WithOption,
    degrees,
)
from perijove.console import print_summary, progress
from perijove.errors import OptionError

if TYPE_CHECKING:
    from perijove.project.grid import Region


class LatitudeKind(StrEnum):
    """What the latitudes of a map are."""

    centric = "centric"
    graphic = "graphic"


@app.command(name="map")
def draw_map(
    raw: RawArgument,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="GeoTIFF (.tif) or picture (.png).", dir_okay=False)
    ],
    projection: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="equirectangular, mercator, north-stereographic, south-stereographic, north-equidistant, "
            "south-equidistant, orthographic, equal-area, or a PROJ string.",
        ),
    ] = "equirectangular",
    region: Annotated[
        str, typer.Option(metavar="S,N,W,W", help="Two latitudes and two west longitudes, or globe, or seen.")
    ] = "seen",
    pixels_per_degree: Annotated[
        float | None, typer.Option("--ppd", metavar="N", help="Pixels to a degree of the equator.")
    ] = None,
    scale: Annotated[float | None, typer.Option(metavar="KM", help="Kilometres to a pixel. Default: native.")] = None,
    centre: Annotated[
        str | None, typer.Option(metavar="LAT,LON", help="Middle of the projection: latitude, west longitude.")
    ] = None,
    latitudes: Annotated[LatitudeKind, typer.Option(help="What latitudes of the map are.")] = LatitudeKind.centric,
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
        if pixels_per_degree is not None and scale is not None:
            raise OptionError("--ppd and --scale both tell the size of a pixel; give one of them")
        from perijove import mapping, pipeline
        from perijove.products.raster import plain

        scale_km = mapping.scale_of(pixels_per_degree) / 1e3 if pixels_per_degree else scale
        middle = degrees("--centre", centre, "LAT,LON", "41,150") if centre else None
        plan = mapping.MapPlan(projection, _region(region), scale_km, latitudes.value, middle)  # type: ignore[arg-type]
        with progress(quiet) as told:
            image = pipeline.open_image(
                raw,
                metadata,
                kernels=kernels,
                calibration=calibration,
                with_others=with_others or (),
                pointing=pointing,
                self_calibration=self_calibration,
                noise_mode=noise_mode.value,
                progress=told,
            )
            report = mapping.draw_map(image, output, plan)
        warn(report["geometry"]["warnings"])
        if as_json:
            typer.echo(json.dumps(plain(report), indent=2, allow_nan=False))
        elif not quiet:
            print_summary(report, verbose)


def _region(text: str) -> "Region | None":
    from perijove.project.grid import GLOBE, Region

    if text in ("seen", "globe"):
        return None if text == "seen" else GLOBE
    return Region(*degrees("--region", text, "S,N,W,W", "30,90,0,360"))
