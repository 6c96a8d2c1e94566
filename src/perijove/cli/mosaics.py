"""Commands that join images into mosaics, and look at them from anywhere."""

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

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
    region_of,
    scale_of,
)
from perijove.cli.options import (
    ByOption,
    CalibrationOption,
    JsonOption,
    KernelsOption,
    LicenceOption,
    NoiseMode,
    NoiseModeOption,
    PointingOption,
    QuietOption,
    SelfCalibrationOption,
    VerboseOption,
    credit_of,
)
from perijove.console import print_rows, progress


class ViewKind(StrEnum):
    """Views of a map."""

    orthographic = "orthographic"
    perspective = "perspective"


@app.command()
def mosaic(  # one parameter per option is typer's way
    inputs: Annotated[
        list[Path], typer.Argument(metavar="RAW_OR_MAP...", help="Images as for process, and maps or mosaics (.tif).")
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="GeoTIFF (.tif) or picture (.png).", dir_okay=False)
    ],
    projection: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="As for map. Default: that of the first map, or equirectangular."),
    ] = None,
    region: RegionOption = "seen",
    pixels_per_degree: PixelsPerDegreeOption = None,
    scale: Annotated[
        float | None, typer.Option(metavar="KM", help="Kilometres to a pixel. Default: the images' median.")
    ] = None,
    centre: CentreOption = None,
    latitudes: LatitudesOption = LatitudeKind.centric,
    photometry: Annotated[
        str | None,
        typer.Option(metavar="MODEL|FILE|none", help="Law by which the light is taken out, fitted to the images."),
    ] = None,
    winds: Annotated[bool, typer.Option("--winds", help="Carry clouds by the zonal wind to one time.")] = False,
    time: Annotated[str | None, typer.Option(metavar="UTC", help="That time. Default: the images' middle.")] = None,
    style: MapStyleOption = MapStyle.natural,
    stac: StacOption = True,
    kernels: KernelsOption = None,
    calibration: CalibrationOption = None,
    labels: Annotated[
        list[Path] | None,
        typer.Option("--label", metavar="LABEL", help="Label of another image of the perijove. May be repeated."),
    ] = None,
    pointing: PointingOption = None,
    self_calibration: SelfCalibrationOption = True,
    noise_mode: NoiseModeOption = NoiseMode.auto,
    by: ByOption = None,
    licence: LicenceOption = None,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
    as_json: JsonOption = False,
) -> None:
    """Join images and maps into one map without seams."""
    with failures_told(verbose):
        from perijove import mapping, mosaicking
        from perijove.photometry.models import DEFAULT_MODEL
        from perijove.products.map_file import is_map
        from perijove.products.raster import plain
        from perijove.shelving import Given

        scale_km = scale_of(pixels_per_degree, scale)
        wanted = mapping.MapPlan(
            projection or "equirectangular",
            region_of(region),
            scale_km,
            latitudes.value,
            place_of("--centre", centre),
        )
        free = projection is None and region == "seen" and scale_km is None and centre is None
        plan = mosaicking.MosaicPlan(
            wanted,
            free and is_map(inputs[0]),
            photometry or DEFAULT_MODEL,
            winds,
            time,
            credit_of(by, licence),
            stac,
        )
        with progress(quiet) as told:
            given = Given(kernels, calibration, pointing, tuple(labels or ()), self_calibration, noise_mode.value, told)
            report = mosaicking.draw_mosaic(inputs, output, plan, given, style.value)
        warn(report["warnings"])
        if as_json:
            typer.echo(json.dumps(plain(report), indent=2, allow_nan=False))
        elif not quiet:
            _print_mosaic(report, verbose)


@app.command()
def view(
    source: Annotated[Path, typer.Argument(metavar="MAP", help="A map or mosaic (.tif).")],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="Picture (.png) or planes (.tif).", dir_okay=False)
    ],
    projection: Annotated[
        ViewKind, typer.Option(help="From endlessly far, or from a --distance.")
    ] = ViewKind.orthographic,
    centre: Annotated[
        str | None, typer.Option(metavar="LAT,LON", help="Place under the observer: graphic latitude, west longitude.")
    ] = None,
    size: Annotated[int, typer.Option(metavar="N", help="Side of the picture, pixels.")] = 1600,
    distance: Annotated[
        float | None, typer.Option(metavar="KM", help="From Jupiter's centre, for a perspective view.")
    ] = None,
    sun: Annotated[
        str | None, typer.Option(metavar="LAT,LON", help="Place under the Sun. Default: light from above everywhere.")
    ] = None,
    phase: Annotated[
        float | None, typer.Option(metavar="DEG", help="In its place: how far the Sun stands off, to the right.")
    ] = None,
    style: MapStyleOption = MapStyle.natural,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
    as_json: JsonOption = False,
) -> None:
    """Look at a map from anywhere, in any light."""
    with failures_told(verbose):
        from perijove import viewing
        from perijove.products.raster import plain

        place, light = place_of("--centre", centre), place_of("--sun", sun)
        plan = viewing.ViewPlan(projection.value, place, size, distance, light, phase, style.value)
        report = viewing.draw_view(source, output, plan)
        if as_json:
            typer.echo(json.dumps(plain(report), indent=2, allow_nan=False))
        elif not quiet:
            print_rows(source.name, {"written": "\n".join(report["files"])})


def _print_mosaic(report: dict[str, Any], verbose: bool) -> None:
    grid = report["map"]
    rows: dict[str, Any] = {
        "map": f"{grid['width']} x {grid['height']} pixels of {grid['scale_km_per_px']:.4g} km",
        "holds": f"{report['unit']} in {', '.join(report['bands'])}",
        "photometry": report["photometry"]["model"] if report["photometry"] else "none",
    }
    for source in report["sources"]:
        gains = ", ".join(f"{band} {gain:.3f}" for band, gain in source["gains"].items())
        rows[source["product"]] = f"gains {gains}"
    if verbose:
        rows["overlaps"] = "\n".join(
            f"{band}: {each['first']} / {each['second']} {each['before']:.3f}, with gains {each['after']:.3f}, "
            f"scatter {100 * each['scatter']:.1f} %"
            for band, found in report["overlaps"].items()
            for each in found
        )
    print_rows(report["title"], {**rows, "written": "\n".join(report["files"])})
