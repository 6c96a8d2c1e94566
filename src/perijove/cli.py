"""The command: parses, calls the library, prints.

Nothing heavy is imported before a command needs it: ``perijove --help`` answers at once.
"""

import json
import os
import sys
import traceback
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from perijove import __version__
from perijove.console import console, print_rows, print_solution, print_summary, progress
from perijove.errors import OptionError, PerijoveError

app = typer.Typer(
    name="perijove",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


class Projection(StrEnum):
    """Views that can be drawn."""

    spacecraft = "spacecraft"
    orthographic = "orthographic"


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"perijove {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """From JunoCam's raw framelets to registered, calibrated pictures of Jupiter."""


RawArgument = Annotated[
    Path, typer.Argument(metavar="RAW", help="<id>-raw.png, NNNNN-ImageSet.zip, <id>.LBL or <id>.IMG")
]
LabelArgument = Annotated[
    Path, typer.Argument(metavar="RAW_OR_LABEL", help="An image as for process, or NNNNN-Metadata.json")
]
MetadataOption = Annotated[
    Path | None,
    typer.Option("--metadata", metavar="FILE", help="Its label, where it is not beside the image."),
]
CalibrationOption = Annotated[Path | None, typer.Option(metavar="DIR", help="Darks and flats.")]
OutputOption = Annotated[
    Path, typer.Option("--output", "-o", metavar="DIR", file_okay=False, help="Where the files go.")
]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="Print warnings and errors only.")]
VerboseOption = Annotated[bool, typer.Option("--verbose", "-v", help="Tell more, and show tracebacks of errors.")]


@app.command()
def process(  # one parameter per option is typer's way
    raw: RawArgument,
    metadata: MetadataOption = None,
    kernels: Annotated[
        Path | None, typer.Option(metavar="DIR", help="SPICE kernels, used where they cover the image.")
    ] = None,
    calibration: CalibrationOption = None,
    with_others: Annotated[
        list[Path] | None,
        typer.Option("--with", metavar="RAW_OR_LABEL", help="Another image or label of the perijove. May be repeated."),
    ] = None,
    pointing: Annotated[
        Path | None,
        typer.Option(metavar="PATH", help="Use what `perijove solve` wrote, a file or a folder, and solve nothing."),
    ] = None,
    view: Annotated[Projection, typer.Option(help="What the spacecraft saw, or the globe from far away.")] = (
        Projection.spacecraft
    ),
    centre: Annotated[
        str | None,
        typer.Option(
            metavar="LAT,LON",
            help="Centre of an orthographic view: planetographic latitude, System III west longitude.",
        ),
    ] = None,
    north_up: Annotated[
        bool, typer.Option("--north-up", help="Turn the picture so that Jupiter's north is up.")
    ] = False,
    size: Annotated[
        int | None, typer.Option(metavar="N", help="Side of a square picture, pixels. Default: native scale.")
    ] = None,
    natural: Annotated[bool, typer.Option("--natural", help="Only the picture (16-bit sRGB PNG).")] = False,
    linear: Annotated[bool, typer.Option("--linear", help="Only the planes (float32 TIFF, I/F).")] = False,
    backplanes: Annotated[
        bool, typer.Option("--backplanes", help="Also longitude, latitude, angles and more of every pixel (TIFF).")
    ] = False,
    output: OutputOption = Path(),
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Turn an image into a picture, linear planes and a report."""
    with _failures_told(verbose):
        point = _centre(centre, view)
        products = [name for name, chosen in (("natural", natural), ("linear", linear)) if chosen]
        products = [*(products or ("natural", "linear")), *(["backplanes"] if backplanes else [])]
        from perijove import pipeline

        with progress(quiet) as told:
            image = pipeline.open_image(
                raw,
                metadata,
                kernels=kernels,
                calibration=calibration,
                with_others=with_others or (),
                pointing=pointing,
                progress=told,
            )
            report = pipeline.process(
                image,
                output,
                view=view.value,
                size=size,
                north_up=north_up,
                centre=point,
                products=products,  # type: ignore[arg-type]
            )
        _warn(report["geometry"]["warnings"])
        if as_json:
            _echo_written(report)
        elif not quiet:
            print_summary(report, verbose)


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
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Solve the pointing of images of a perijove together; write it for process, and as SPICE kernels."""
    with _failures_told(verbose):
        from perijove import solving

        with progress(quiet) as told:
            report = solving.solve(
                raws, output, kernels=kernels, calibration=calibration, labels=labels or (), progress=told
            )
        _warn([f"{image['product']}: {warning}" for image in report["images"] for warning in image["warnings"]])
        if as_json:
            _echo_written(report)
        elif not quiet:
            print_solution(report, verbose)


@app.command()
def info(
    source: LabelArgument,
    metadata: MetadataOption = None,
    verbose: VerboseOption = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Show the label of an image, and what it tells of the geometry."""
    with _failures_told(verbose):
        from perijove.archive.framelets import read_label
        from perijove.products.summary import label_report

        report = label_report(read_label(source, metadata))
        if as_json:
            typer.echo(json.dumps(report, indent=2, allow_nan=False))
        else:
            print_rows("Label", report["label"])
            print_rows("Geometry, from the label", report["geometry"])


class Era(StrEnum):
    """Ages of the camera."""

    clean = "clean"
    pj30 = "pj30"
    pj56 = "pj56"


class FileFormat(StrEnum):
    """Forms in which images come."""

    png = "png"
    pds3 = "pds3"
    rdr = "rdr"


@app.command()
def simulate(
    output: OutputOption = Path("perijove-flyby"),
    perijove: Annotated[int, typer.Option(metavar="N", help="Perijove, 1 to 60: its date and orbit.")] = 44,
    images: Annotated[int, typer.Option(metavar="K", help="Number of images.")] = 12,
    seed: Annotated[int, typer.Option(metavar="S", help="All that is drawn follows from it.")] = 0,
    era: Annotated[Era, typer.Option(help="Age of the camera.")] = Era.pj30,
    file_format: Annotated[
        FileFormat, typer.Option("--format", help="Raw PNG with JSON, PDS3 EDR, or PDS3 RDR.")
    ] = FileFormat.png,
    tilt: Annotated[float | None, typer.Option(metavar="DEG", help="Spin axis off the Earth.")] = None,
    texture: Annotated[
        Path | None, typer.Option(metavar="FILE", help="An equirectangular picture instead of the procedural planet.")
    ] = None,
    filters: Annotated[
        str,
        typer.Option(
            metavar="LETTERS", help="Filters of the images in turn: A, B, C, G, M, R or T, as in product ids."
        ),
    ] = "CCCMC",
    summed: Annotated[bool, typer.Option("--summed", help="Sum pixels 2 x 2 on board.")] = False,
    backplanes: Annotated[bool, typer.Option("--backplanes", help="Write the true backplanes as well.")] = False,
    predicted_offset: Annotated[
        float, typer.Option(metavar="S", help="Write the kernels of a prediction that is so many seconds late.")
    ] = 0.0,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the paths as JSON.")] = False,
) -> None:
    """Simulate a flyby: raw images with labels and kernels, and the truth beside them."""
    with _failures_told(verbose):
        from perijove.simulate.flyby import Programme, plan_flyby
        from perijove.simulate.planet import Planet
        from perijove.simulate.texture import read_texture
        from perijove.simulate.write import simulate_flyby

        with progress(quiet) as told:
            written = simulate_flyby(
                output,
                seed=seed,
                era=era.value,
                format={"png": "mission", "pds3": "edr", "rdr": "rdr"}[file_format.value],  # type: ignore[arg-type]
                planet=None if texture is None else Planet(seed, read_texture(texture)),
                flyby=plan_flyby(perijove, images, seed, tilt, programme=Programme(filters, 2 if summed else 1)),
                backplanes=backplanes,
                predicted_offset_s=predicted_offset,
                progress=told,
            )
        paths = [str(p) for p in (*written["images"], *written["kernels"], written["truth"])]
        if as_json:
            typer.echo(json.dumps(paths, indent=2))
        elif not quiet:
            print_rows(f"Simulated perijove {perijove}", {"written": "\n".join(paths)})


@app.command()
def demo(
    output: OutputOption = Path("perijove-demo"),
    size: Annotated[
        int | None, typer.Option(metavar="N", help="Side of a square picture, pixels. Default: native scale.")
    ] = None,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Process a simulated image, without network or kernels, and compare with the truth."""
    with _failures_told(verbose):
        from perijove.demo import demo as run

        with progress(quiet) as told:
            report = run(output, size, told)
        if not quiet:
            truth = report["truth"]
            print_summary(report, verbose)
            median, most = truth["ground_error_median_px"], truth["ground_error_p99_px"]
            found = f"median {median:.2f} px, 99 % within {most:.2f} px"
            print_rows("Against the truth", {"ground": found, "raw image": truth["raw"]})


def _warn(warnings: Iterable[str]) -> None:
    for warning in warnings:
        console(stderr=True).print(f"perijove: warning: {warning}", style="bold yellow")


def _echo_written(report: Mapping[str, Any]) -> None:
    """Print the report as it lies on disk, where every number is one that JSON knows."""
    typer.echo(Path(report["files"][-1]).read_text(encoding="utf-8"), nl=False)


def _centre(text: str | None, view: Projection) -> tuple[float, float] | None:
    if text is None:
        return None
    if view is not Projection.orthographic:
        raise OptionError("--centre needs --view orthographic; the spacecraft's view has its own centre")
    try:
        latitude, longitude = (float(part) for part in text.split(","))
    except ValueError as error:
        raise OptionError(f"--centre {text!r} is not LAT,LON in degrees; give it like --centre=-22,60") from error
    return latitude, longitude


@contextmanager
def _failures_told(verbose: bool) -> Iterator[None]:
    """Turn what goes wrong into one line on stderr and an exit code."""
    try:
        yield
        sys.stdout.flush()
    except PerijoveError as error:
        _tell(str(error), error, verbose)
        raise typer.Exit(error.exit_code) from error
    except typer.Exit:
        raise
    except KeyboardInterrupt as interrupt:
        raise typer.Exit(130) from interrupt
    except BrokenPipeError as error:
        # The reader has left (`| head`): what is buffered must not break the interpreter's own farewell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(1) from error
    except MemoryError as error:
        _tell("there is not enough memory for a picture of this size; give a smaller --size", error, verbose)
        raise typer.Exit(1) from error
    except Exception as error:
        # The last resort, and the only one of its kind: a user must not be met by a bare traceback.
        kind = type(error).__name__
        _tell(f"{kind}: {error} (a fault of perijove, not yours; run with -v and report it)", error, verbose)
        raise typer.Exit(1) from error


def _tell(message: str, error: Exception, verbose: bool) -> None:
    out = console(stderr=True)
    if verbose:
        out.print("".join(traceback.format_exception(error)), end="")
    out.print(f"perijove: error: {' '.join(message.split())}", style="red")


def main() -> None:
    """Run the command."""
    app(prog_name="perijove")
