"""Commands that make pictures: process and demo."""

from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from perijove.cli.app import app, echo_written, failures_told, warn
from perijove.cli.options import (
    ByOption,
    CalibrationOption,
    JsonOption,
    KernelsOption,
    LicenceOption,
    MetadataOption,
    NoiseMode,
    NoiseModeOption,
    OutputOption,
    PointingOption,
    QuietOption,
    RawArgument,
    SelfCalibrationOption,
    VerboseOption,
    WithOption,
    credit_of,
    degrees,
)
from perijove.console import print_rows, print_summary, progress
from perijove.errors import OptionError


class PictureStyle(StrEnum):
    """Styles of the picture."""

    natural = "natural"
    enhanced = "enhanced"
    methane_red = "methane-red"
    methane_luminance = "methane-luminance"


class Gamut(StrEnum):
    """Colours that a picture can hold."""

    srgb = "srgb"
    p3 = "p3"


class Projection(StrEnum):
    """Views that can be drawn."""

    spacecraft = "spacecraft"
    orthographic = "orthographic"


@app.command()
def process(  # one parameter per option is typer's way
    raw: RawArgument,
    metadata: MetadataOption = None,
    kernels: KernelsOption = None,
    calibration: CalibrationOption = None,
    self_calibration: SelfCalibrationOption = True,
    noise_mode: NoiseModeOption = NoiseMode.auto,
    by: ByOption = None,
    licence: LicenceOption = None,
    with_others: WithOption = None,
    pointing: PointingOption = None,
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
    style: Annotated[
        PictureStyle, typer.Option(help="As the eye would see it, with even light and rich colour, or with methane.")
    ] = PictureStyle.natural,
    look: Annotated[
        str | None,
        typer.Option(metavar="NAME=X,...", help="Of other styles: flatten, saturation, warmth, contrast, detail."),
    ] = None,
    methane: Annotated[
        Path | None, typer.Option(metavar="RAW", help="Methane image of the perijove, for the methane styles.")
    ] = None,
    gamut: Annotated[Gamut, typer.Option(help="Colours that the picture can hold: sRGB or Display P3.")] = Gamut.srgb,
    depth: Annotated[int, typer.Option(metavar="8|16", help="Bits a channel of the picture.")] = 16,
    natural: Annotated[bool, typer.Option("--natural", help="Only the picture (PNG).")] = False,
    linear: Annotated[bool, typer.Option("--linear", help="Only the planes (float32 TIFF, I/F).")] = False,
    backplanes: Annotated[
        bool, typer.Option("--backplanes", help="Also longitude, latitude, angles and more of every pixel (TIFF).")
    ] = False,
    output: OutputOption = Path(),
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
    as_json: JsonOption = False,
) -> None:
    """Turn an image into a picture, linear planes and a report."""
    with failures_told(verbose):
        point = _centre(centre, view)
        products = [name for name, chosen in (("natural", natural), ("linear", linear)) if chosen]
        products = [*(products or ("natural", "linear")), *(["backplanes"] if backplanes else [])]
        from perijove import pipeline
        from perijove.compose.options import PictureOptions, look_of
        from perijove.processing import process as write_products

        with progress(quiet) as told:
            given = {
                "kernels": kernels,
                "calibration": calibration,
                "pointing": pointing,
                "noise_mode": noise_mode.value,
                "self_calibration": self_calibration,
                "credit": credit_of(by, licence),
                "progress": told,
            }

            def opened(path: Path, label: Path | None, others: Iterable[Path]) -> pipeline.Image:
                return pipeline.open_image(path, label, with_others=tuple(others), **given)  # type: ignore[arg-type]

            others = list(with_others or ())
            # What was not solved before is solved together.
            pair = [path for path in (raw, methane) if path is not None and pointing is None]
            image = opened(raw, metadata, [*others, *pair[1:]])
            partner = None if methane is None else opened(methane, None, [*others, *pair[:1]])
            picture = PictureOptions(
                style.value,
                look_of(look) if look else None,
                gamut.value,
                depth,  # type: ignore[arg-type]
                partner,
            )
            report = write_products(
                image,
                output,
                view=view.value,
                size=size,
                north_up=north_up,
                centre=point,
                products=products,  # type: ignore[arg-type]
                picture=picture,
            )
        warn(report["geometry"]["warnings"])
        if as_json:
            echo_written(report)
        elif not quiet:
            print_summary(report, verbose)


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
    with failures_told(verbose):
        from perijove.demo import demo as run

        with progress(quiet) as told:
            report = run(output, size, told)
        if not quiet:
            truth = report["truth"]
            print_summary(report, verbose)
            median, most = truth["ground_error_median_px"], truth["ground_error_p99_px"]
            found = f"median {median:.2f} px, 99 % within {most:.2f} px"
            print_rows("Against the truth", {"ground": found, "raw image": truth["raw"]})


def _centre(text: str | None, view: Projection) -> tuple[float, float] | None:
    if text is None:
        return None
    if view is not Projection.orthographic:
        raise OptionError("--centre needs --view orthographic; the spacecraft's view has its own centre")
    latitude, longitude = degrees("--centre", text, "LAT,LON", "-22,60")
    return latitude, longitude
