"""The command that simulates a flyby."""

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from perijove.cli.app import app, failures_told
from perijove.cli.options import OutputOption, QuietOption, VerboseOption
from perijove.console import print_rows, progress


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
    with failures_told(verbose):
        from perijove.simulate.flyby import Programme, plan_flyby
        from perijove.simulate.planet import Planet
        from perijove.simulate.texture import read_texture
        from perijove.simulate.write import simulate_flyby

        with progress(quiet) as told:
            written = simulate_flyby(
                output,
                seed=seed,
                era=era.value,
                # A dictionary's values are plain strings to the checker.
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
