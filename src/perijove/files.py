"""Files that are written whole or not at all."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from perijove.errors import OptionError


@contextmanager
def replacing(path: Path, *, kept: bool = True) -> Iterator[Path]:
    """A temporary path beside ``path`` that takes its place when the block ends well, and vanishes otherwise.

    Raises
    ------
    OptionError
        If the folder cannot be written to.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=path.suffix, dir=path.parent)
        os.close(handle)
    except OSError as error:
        raise OptionError(f"cannot write to {path.parent}: {error.strerror}; choose another place with -o") from error
    temporary = Path(name)
    try:
        yield temporary
        # mkstemp makes private files; a product is as readable as any other file of the user.
        mask = os.umask(0)
        os.umask(mask)
        temporary.chmod(0o666 & ~mask)
        if kept:
            temporary.replace(path)
    except OSError as error:
        raise OptionError(f"cannot write {path}: {error.strerror}; choose another place with -o") from error
    finally:
        temporary.unlink(missing_ok=True)
