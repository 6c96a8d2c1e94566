"""Commands that make pictures: process and demo."""

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

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

if TYPE_CHECKING:
    from perijove.annotating import AnnotationPlan
    from perijove.opening import Opening
    from perijove.solving import Progress
    from perijove.story.credit import Credit


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


class PictureFormat(StrEnum):
    """Formats of pictures."""

    png = "png"
    tiff = "tiff"
    jpeg = "jpeg"
    webp = "webp"
    avif = "avif"


class LayeredFormat(StrEnum):
    """Formats of files with layers."""

    ora = "ora"
    psd = "psd"


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
    kind: Annotated[
        PictureFormat | None,
        typer.Option("--format", help="Of the picture; some have 8 bits only. Default: PNG, or the recipe's."),
    ] = None,
    quality: Annotated[
        int | None, typer.Option(metavar="1-100", help="Of JPEG, WebP and AVIF. Default: 92, 92 and 85.")
    ] = None,
    recipe: Annotated[
        str | None,
        typer.Option(metavar="NAME_OR_FILE", help="Make the picture of a recipe instead; see `perijove recipe list`."),
    ] = None,
    others: Annotated[
        list[str] | None,
        typer.Option("--image", metavar="NAME=RAW", help="Another image that the recipe names. May be repeated."),
    ] = None,
    layers: Annotated[
        LayeredFormat | None,
        typer.Option(help="With a recipe: its layers, too, for GIMP and Krita (ora) or Photoshop (psd)."),
    ] = None,
    annotation: Annotated[
        str | None,
        typer.Option(
            "--annotate", metavar="PARTS", help="Another copy with limb,terminator,scale,north,moons,strip, or all."
        ),
    ] = None,
    graticule: Annotated[
        float | None, typer.Option(metavar="DEG", help="That copy with lines of latitude and longitude.")
    ] = None,
    natural: Annotated[bool, typer.Option("--natural", help="Only the picture.")] = False,
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
        from perijove.annotating import AnnotationPlan
        from perijove.opening import Opening

        over = AnnotationPlan.of(annotation, graticule)
        credit = credit_of(by, licence)
        # What was not solved before is solved together.
        beside = {"methane": methane, **_named(others)} if methane else _named(others)
        together = [raw, *beside.values()] if pointing is None else []
        openings = {
            name: Opening(
                path,
                metadata if path == raw else None,
                kernels,
                calibration,
                pointing,
                (*(with_others or ()), *(other for other in together if other != path)),
                noise_mode.value,
                self_calibration,
            )
            for name, path in {"main": raw, **beside}.items()
        }
        with progress(quiet) as told:
            if recipe is not None:
                if style != PictureStyle.natural or look or linear or backplanes:
                    raise OptionError(
                        "a recipe says what picture is made: leave out --style, --look, and other products"
                    )
                made = (recipe, kind.value if kind else None, quality, layers.value if layers else None)
                report = _developed(made, openings, output, credit, (view, size, north_up, point), over, told)
            elif layers is not None:
                raise OptionError("layers are those of a recipe: add --recipe; see `perijove recipe list`")
            else:
                report = _written(
                    openings,
                    output,
                    credit,
                    {
                        "view": view.value,
                        "size": size,
                        "north_up": north_up,
                        "centre": point,
                        "products": products,
                        "annotation": over,
                    },
                    (style.value, look, gamut.value, depth, kind.value if kind else "png", quality),
                    told,
                )
        warn(report["geometry"]["warnings"])
        baked = report.get("layers_baked", ())
        warn([f"{layers} has nothing like it, so it is kept as pixels: {name}" for name in baked])
        if as_json:
            echo_written(report)
        elif not quiet:
            print_summary(report, verbose)


def _written(
    openings: "Mapping[str, Opening]",
    folder: Path,
    credit: "Credit",
    asked: dict[str, Any],
    picture: tuple[str, str | None, str, int, str, int | None],
    told: "Progress",
) -> dict[str, Any]:
    """Products in one of the styles."""
    from perijove.compose.options import PictureOptions, look_of
    from perijove.finishing import process_to

    style, look, gamut, depth, kind, quality = picture
    methane = openings["methane"].open(told, credit) if "methane" in openings else None
    # Any gamut and depth may be asked for; the options refuse what is none.
    chosen = look_of(look) if look else None
    options = PictureOptions(style, chosen, gamut, depth, methane, kind, quality)  # type: ignore[arg-type]
    return process_to(openings, folder, options, credit=credit, progress=told, **asked)


def _developed(
    made: tuple[str, str | None, int | None, str | None],
    openings: "Mapping[str, Opening]",
    folder: Path,
    credit: "Credit",
    asked: tuple[Projection, int | None, bool, tuple[float, float] | None],
    over: "AnnotationPlan | None",
    told: "Progress",
) -> dict[str, Any]:
    """The picture of a recipe; a view and a format that are asked for take the place of the recipe's own."""
    from perijove.darkroom.recipe import read_recipe
    from perijove.finishing import develop_to, kept_as, view_changes

    name, kind, quality, layers = made
    recipe = kept_as(read_recipe(name), kind, quality)
    view, size, north_up, centre = asked
    recipe = recipe.viewed(**view_changes(view.value, size, north_up, centre))
    return develop_to(openings, recipe, folder, credit=credit, progress=told, annotation=over, layers=layers)


def _named(given: list[str] | None) -> dict[str, Path]:
    """Images by the names that a recipe has for them."""
    found = {}
    for text in given or ():
        name, _, path = text.partition("=")
        if not (name and path) or name == "main":
            raise OptionError(f"--image {text!r} is not NAME=RAW; give it like --image methane=JNCE_...-raw.png")
        found[name] = Path(path)
    return found


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
