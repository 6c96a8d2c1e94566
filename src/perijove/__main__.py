"""``python -m perijove``: the command."""

from perijove.cli import main

if __name__ == "__main__":
    main()
