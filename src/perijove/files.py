"""Files and folders that are written whole or not at all."""

import os
import shutil
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


@contextmanager
def replacing_folder(path: Path, mark: str) -> Iterator[Path]:
    """A temporary folder beside ``path`` that takes its place when the block ends well, and vanishes otherwise.

    Parameters
    ----------
    path : Path
    mark : str
        Name of a file that folders of this kind have in them: a folder without it is not replaced.

    Raises
    ------
    OptionError
        If the folder above cannot be written to, or what stands at ``path`` is something else.
    """
    if path.exists() and not (path / mark).is_file():
        raise OptionError(f"{path} exists and would be lost, though it is of another kind; choose another name with -o")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{path.name}.", suffix=path.suffix, dir=path.parent))
    except OSError as error:
        raise OptionError(f"cannot write to {path.parent}: {error.strerror}; choose another place with -o") from error
    try:
        yield temporary
        mask = os.umask(0)
        os.umask(mask)
        temporary.chmod(0o777 & ~mask)
        if path.exists():
            # A folder that is not empty cannot be replaced in one step: the old one leaves with the temporary name.
            older = temporary.with_name(f"{temporary.name}.older")
            path.replace(older)
            temporary.replace(path)
            shutil.rmtree(older)
        else:
            temporary.replace(path)
    except OSError as error:
        raise OptionError(f"cannot write {path}: {error.strerror}; choose another place with -o") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
