"""Options that several commands share."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from perijove.errors import OptionError

if TYPE_CHECKING:
    from perijove.story.credit import Credit


class NoiseMode(StrEnum):
    """Whether noise is taken out."""

    auto = "auto"
    off = "off"
    heavy = "heavy"


RawArgument = Annotated[
    Path, typer.Argument(metavar="RAW", help="<id>-raw.png, NNNNN-ImageSet.zip, <id>.LBL or <id>.IMG")
]
LabelArgument = Annotated[
    Path, typer.Argument(metavar="RAW_OR_LABEL", help="An image as for process, or NNNNN-Metadata.json")
]
KernelsOption = Annotated[
    Path | None, typer.Option(metavar="DIR", help="SPICE kernels, used where they cover the image.")
]
WithOption = Annotated[
    list[Path] | None,
    typer.Option("--with", metavar="RAW_OR_LABEL", help="Another image or label of the perijove. May be repeated."),
]
PointingOption = Annotated[
    Path | None,
    typer.Option(metavar="PATH", help="Use what `perijove solve` wrote, a file or a folder, and solve nothing."),
]
MetadataOption = Annotated[
    Path | None,
    typer.Option("--metadata", metavar="FILE", help="Its label, where it is not beside the image."),
]
CalibrationOption = Annotated[
    Path | None, typer.Option(metavar="DIR", help="A set that `perijove calibrate` made, or published flats.")
]
SelfCalibrationOption = Annotated[
    bool,
    typer.Option(
        "--self-calibration/--no-self-calibration",
        help="Level framelets by the ground that they share, also after a flat.",
    ),
]
NoiseModeOption = Annotated[
    NoiseMode,
    typer.Option(help="Take noise out: by itself if the camera is aged or the image faint, never, or always."),
]
ByOption = Annotated[
    list[str] | None, typer.Option("--by", metavar="NAME", help="Who made it, for the credit. May be repeated.")
]
LicenceOption = Annotated[
    str | None, typer.Option(metavar="LICENCE", help="Of what is made, with --by. Default: CC BY.")
]
OutputOption = Annotated[
    Path, typer.Option("--output", "-o", metavar="DIR", file_okay=False, help="Where the files go.")
]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="Print warnings and errors only.")]
VerboseOption = Annotated[bool, typer.Option("--verbose", "-v", help="Tell more, and show tracebacks of errors.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the report as JSON.")]


def degrees(option: str, text: str, form: str, example: str) -> tuple[float, ...]:
    """Numbers of an option, between commas, as many as its form has.

    Raises
    ------
    OptionError
        If they are not so many numbers.
    """
    try:
        numbers = tuple(float(part) for part in text.split(","))
    except ValueError:
        numbers = ()
    if len(numbers) != form.count(",") + 1:
        raise OptionError(f"{option} {text!r} is not {form} in degrees; give it like {option}={example}")
    return numbers


def credit_of(names: list[str] | None, licence: str | None) -> "Credit":
    """Credit of what some people make of an image.

    Raises
    ------
    OptionError
        A licence without the name of who gives it.
    LicenceError
        There is no such licence.
    """
    from perijove.story.credit import Credit
    from perijove.story.licence import parse_licence

    if licence and not names:
        raise OptionError("--licence needs the name of who gives it: add --by NAME")
    credit = Credit()
    for name in names or ():
        credit = credit.by(name, parse_licence(licence or "CC BY"))
    return credit
