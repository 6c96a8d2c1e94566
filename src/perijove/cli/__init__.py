"""The command: parses, calls the library, prints.

Nothing heavy is imported before a command needs it: ``perijove --help`` answers at once.
"""

from importlib import import_module

from perijove.cli.app import app

__all__ = ["app", "main"]

# In the order in which the help names their commands.
for _name in ("pictures", "passes", "maps", "mosaics", "photometry", "stories", "recipes", "flights"):
    import_module(f"perijove.cli.{_name}")


def main() -> None:
    """Run the command."""
    app(prog_name="perijove")
