"""The command that tells what an image shows."""

import json
from typing import Annotated

import typer

from perijove.cli.app import app, failures_told, warn
from perijove.cli.options import (
    JsonOption,
    KernelsOption,
    MetadataOption,
    PointingOption,
    QuietOption,
    RawArgument,
    VerboseOption,
    WithOption,
)
from perijove.console import progress


@app.command()
def caption(
    raw: RawArgument,
    timezone: Annotated[
        str | None, typer.Option(metavar="NAME", help="Also tell local time, as of America/Los_Angeles.")
    ] = None,
    metadata: MetadataOption = None,
    kernels: KernelsOption = None,
    with_others: WithOption = None,
    pointing: PointingOption = None,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
    as_json: JsonOption = False,
) -> None:
    """Write a caption: what an image shows, from where, with which credit."""
    with failures_told(verbose):
        from perijove.opening import Opening
        from perijove.products.raster import plain
        from perijove.project.view import spacecraft_view
        from perijove.story.caption import caption_of

        with progress(quiet) as told:
            opening = Opening(raw, metadata, kernels, pointing=pointing, with_others=tuple(with_others or ()))
            image = opening.open(told)
            solved = image.located.solution.pointing
            found = caption_of(image.label, solved, spacecraft_view(solved), timezone)
        warn(image.located.warnings)
        if as_json:
            text = {"short": found.short, "long": found.long, "alt": found.alt, "credit": image.provenance["credit"]}
            typer.echo(json.dumps(plain({**text, "facts": found.facts}), indent=2, allow_nan=False))
        else:
            typer.echo("\n\n".join((found.short, found.long, found.alt, image.provenance["credit"])))
