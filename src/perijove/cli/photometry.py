"""The commands of photometry."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from perijove.cli.app import app, failures_told
from perijove.cli.options import (
    CalibrationOption,
    JsonOption,
    KernelsOption,
    NoiseMode,
    NoiseModeOption,
    PointingOption,
    QuietOption,
    SelfCalibrationOption,
    VerboseOption,
)
from perijove.console import console, progress

if TYPE_CHECKING:
    from perijove.photometry.photometry import Photometry

photometry = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Learn how brightness depends on the angles of the light."
)
app.add_typer(photometry, name="photometry")

#: What the report tells of a band.
_TOLD: Final = {
    "scatter_percent": "scatter in belts, %",
    "overlap_scatter_percent": "in overlaps, %",
    "pieces": "pieces of ground",
    "pieces_seen_twice": "seen twice",
}
_COUNTS: Final = ("pieces", "pieces_seen_twice")


@photometry.callback()
def _root() -> None:
    """Learn how brightness depends on the angles of the light."""


@photometry.command()
def fit(
    raws: Annotated[list[Path], typer.Argument(metavar="RAW...", help="Images of one perijove, as for process.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="Where the law goes (.json).", dir_okay=False)
    ],
    model: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="lambert, lommel-seeliger, lunar-lambert, minnaert, hapke or polynomial, the default.",
        ),
    ] = None,
    kernels: KernelsOption = None,
    calibration: CalibrationOption = None,
    pointing: PointingOption = None,
    self_calibration: SelfCalibrationOption = True,
    noise_mode: NoiseModeOption = NoiseMode.auto,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
    as_json: JsonOption = False,
) -> None:
    """Fit a law to images of one perijove, for map and mosaic --photometry."""
    with failures_told(verbose):
        from perijove.fitting import fit_files

        with progress(quiet) as told:
            found = fit_files(
                raws,
                output,
                model,
                kernels=kernels,
                calibration=calibration,
                pointing=pointing,
                self_calibration=self_calibration,
                noise_mode=noise_mode.value,
                progress=told,
            )
        if as_json:
            typer.echo(json.dumps(found.content, indent=2, allow_nan=False))
        elif not quiet:
            _print(found)
            typer.echo(f"written  {output}")


def _print(found: "Photometry") -> None:
    """Parameters by band with their standard errors, and what is left."""
    from rich.table import Table

    from perijove.photometry.models import model_named

    law = model_named(found.model)
    table = Table(title=f"{law.name}: {law.about}", title_justify="left", title_style="bold", box=None)
    table.add_column("")
    for band in found.parameters:
        table.add_column(band, justify="right")
    told = [found.report["bands"][band] for band in found.parameters]
    for index, name in enumerate(law.parameters):
        values = [numbers[index] for numbers in found.parameters.values()]
        errors = [report["uncertainty"][name] for report in told]
        table.add_row(name, *(f"{value:.3f} +- {error:.3f}" for value, error in zip(values, errors, strict=True)))
    for image in found.report["images"]:  # how bright each is against the others
        gains = [found.gains[band].get(image) for band in found.parameters]
        if any(gains):
            table.add_row(f"gain {image.split('_')[2]}", *(f"{gain:.3f}" if gain else "-" for gain in gains))
    for name, about in _TOLD.items():
        table.add_row(
            about,
            *("-" if report[name] is None else f"{report[name]:.{0 if name in _COUNTS else 1}f}" for report in told),
        )
    console().print(table)
