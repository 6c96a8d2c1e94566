"""Commands about recipes: which there are, what they say, and pictures made again from themselves."""

import json
from pathlib import Path
from typing import Annotated

import typer

from perijove.cli.app import app, failures_told, warn
from perijove.cli.options import JsonOption, QuietOption, VerboseOption
from perijove.console import print_rows, progress

recipes = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Recipes: how pictures are made, as data.")
app.add_typer(recipes, name="recipe")

NameArgument = Annotated[
    str, typer.Argument(metavar="NAME_OR_FILE", help="A recipe of `perijove recipe list`, or a file.")
]


@recipes.command(name="list")
def list_recipes(verbose: VerboseOption = False) -> None:
    """Name the recipes that come along."""
    with failures_told(verbose):
        from perijove.darkroom.recipe import presets, read_recipe

        print_rows("Recipes", {name: read_recipe(name).about for name in presets()})


@recipes.command()
def show(name: NameArgument, verbose: VerboseOption = False) -> None:
    """Print a recipe, or that of a picture which carries one."""
    with failures_told(verbose):
        from perijove.darkroom.recipe import read_recipe, write_yaml
        from perijove.products.pictures import FORMATS

        if Path(name).suffix.lower() in (*FORMATS, ".ora", ".psd"):
            from perijove.finishing import recipe_in

            recipe = recipe_in(Path(name))
        else:
            recipe = read_recipe(name)
        typer.echo(write_yaml(recipe), nl=False)


@recipes.command()
def new(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="Where the new recipe goes.", dir_okay=False)],
    like: Annotated[str, typer.Option(metavar="NAME_OR_FILE", help="The recipe to begin with.")] = "natural",
    verbose: VerboseOption = False,
) -> None:
    """Begin a recipe of one's own."""
    with failures_told(verbose):
        from perijove.darkroom.recipe import new_recipe

        new_recipe(path, like)
        typer.echo(str(path))


@recipes.command()
def check(name: NameArgument, verbose: VerboseOption = False) -> None:
    """Tell whether a recipe can be followed, and what it needs."""
    with failures_told(verbose):
        from perijove.darkroom.recipe import read_recipe

        recipe = read_recipe(name)
        steps = sum(len(layer.operators) for layer in recipe.all_layers())
        layers = sum(1 for _ in recipe.all_layers())
        print_rows(recipe.name, {"layers": str(layers), "operators": str(steps), "images": ", ".join(recipe.images())})


@app.command()
def rerun(
    picture: Annotated[Path, typer.Argument(metavar="PICTURE", help="A picture that `perijove process` made.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Default: beside it, with -rerun.")
    ] = None,
    folders: Annotated[
        list[Path] | None, typer.Option("--in", metavar="DIR", help="Where its inputs lie. May be repeated.")
    ] = None,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
    as_json: JsonOption = False,
) -> None:
    """Make a picture again from the recipe that it carries."""
    with failures_told(verbose):
        from perijove.finishing import rerun as run
        from perijove.products.raster import plain

        with progress(quiet) as told:
            report = run(picture, output, folders or (), told)
        if not report["identical"]:
            warn([f"the new picture differs: made with {report['made_with']}, again with {report['made_again_with']}"])
        if as_json:
            typer.echo(json.dumps(plain(report), indent=2, allow_nan=False))
        elif not quiet:
            identical = "yes, byte for byte" if report["identical"] else "no"
            print_rows(report["product"], {"identical": identical, "written": "\n".join(report["files"])})
