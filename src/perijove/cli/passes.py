"""Commands about images as they are, alone and together: solve, calibrate, info."""

import json
from pathlib import Path
from typing import Annotated

import typer

from perijove.cli.app import app, echo_written, failures_told, warn
from perijove.cli.options import (
    CalibrationOption,
    JsonOption,
    LabelArgument,
    MetadataOption,
    OutputOption,
    QuietOption,
    VerboseOption,
)
from perijove.console import print_rows, print_solution, progress


@app.command()
def solve(
    raws: Annotated[list[Path], typer.Argument(metavar="RAW...", help="Images of one perijove, as for process.")],
    kernels: Annotated[
        Path | None, typer.Option(metavar="DIR", help="SPICE kernels to begin with, where they cover the images.")
    ] = None,
    calibration: CalibrationOption = None,
    labels: Annotated[
        list[Path] | None,
        typer.Option("--label", metavar="LABEL", help="Label of another image of the perijove. May be repeated."),
    ] = None,
    output: OutputOption = Path(),
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
    as_json: JsonOption = False,
) -> None:
    """Solve the pointing of images of a perijove together; write it for process, and as SPICE kernels."""
    with failures_told(verbose):
        from perijove import solving

        with progress(quiet) as told:
            report = solving.solve(
                raws, output, kernels=kernels, calibration=calibration, labels=labels or (), progress=told
            )
        warn([f"{image['product']}: {warning}" for image in report["images"] for warning in image["warnings"]])
        if as_json:
            echo_written(report)
        elif not quiet:
            print_solution(report, verbose)


@app.command()
def calibrate(
    raws: Annotated[list[Path], typer.Argument(metavar="RAW...", help="Images of one or several perijoves.")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="SET", file_okay=False, help="Folder of the set.")],
    pointing: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Use what `perijove solve` wrote; other images are solved.")
    ] = None,
    orbits: Annotated[
        str | None, typer.Option(metavar="FIRST,LAST", help="For which the set holds. Default: those of the images.")
    ] = None,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
    as_json: JsonOption = False,
) -> None:
    """Make flats, darks and bad pixels of images, for process --calibration."""
    with failures_told(verbose):
        from perijove.calibrating import calibrate_set, orbits_of
        from perijove.console import print_set

        with progress(quiet) as told:
            report = calibrate_set(raws, output, pointing=pointing, orbits=orbits_of(orbits), progress=told)
        warn(report["left_out"])
        if as_json:
            echo_written(report)
        elif not quiet:
            print_set(report)


@app.command()
def info(
    source: LabelArgument,
    metadata: MetadataOption = None,
    verbose: VerboseOption = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Show the label of an image, and what it tells of the geometry."""
    with failures_told(verbose):
        from perijove.archive.framelets import read_label
        from perijove.products.summary import label_report

        report = label_report(read_label(source, metadata))
        if as_json:
            typer.echo(json.dumps(report, indent=2, allow_nan=False))
        else:
            print_rows("Label", report["label"])
            print_rows("Geometry, from the label", report["geometry"])
