"""The command itself: its root, and how it ends when something goes wrong."""

import os
import sys
import traceback
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from perijove import __version__
from perijove.console import console
from perijove.errors import PerijoveError

app = typer.Typer(
    name="perijove",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


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


def warn(warnings: Iterable[str]) -> None:
    """Print warnings."""
    for warning in warnings:
        console(stderr=True).print(f"perijove: warning: {warning}", style="bold yellow")


def echo_written(report: Mapping[str, Any]) -> None:
    """Print the report as it lies on disk, where every number is one that JSON knows."""
    typer.echo(Path(report["files"][-1]).read_text(encoding="utf-8"), nl=False)


@contextmanager
def failures_told(verbose: bool) -> Iterator[None]:
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
