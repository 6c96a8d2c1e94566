"""Files that were read, and their hashes."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from perijove.errors import InputError


@dataclass(frozen=True)
class InputFile:
    """A file that was read: its path and the SHA-256 of its bytes."""

    path: Path
    sha256: str


def check_file(path: Path, limit: int, error: type[InputError]) -> int:
    """Size in bytes of a file that exists, is a plain file and is not absurdly large.

    Raises
    ------
    InputError
        Of the class ``error``, if there is no such file, it is a folder or larger than ``limit`` bytes.
    """
    try:
        if path.is_dir():
            raise error(f"{path} is a folder; give the file inside it")
        if not path.is_file():
            raise error(f"{path} does not exist; check the path")
        size = path.stat().st_size
    except (OSError, ValueError) as problem:
        raise error(f"{path} cannot be reached: {problem}") from problem
    if size > limit:
        raise error(f"{path} holds {size} bytes, more than the {limit} such a file can have")
    return size


def read_file(path: Path, limit: int, error: type[InputError]) -> tuple[bytes, InputFile]:
    """Bytes of a file with their hash.

    Raises
    ------
    InputError
        Of the class ``error``, if the file cannot be read, is empty or larger than ``limit`` bytes.
    """
    check_file(path, limit, error)
    try:
        data = path.read_bytes()
    except OSError as problem:
        raise error(f"{path} cannot be read: {problem}") from problem
    if not data:
        raise error(f"{path} is empty; download it again")
    return data, InputFile(path, hashlib.sha256(data).hexdigest())


def hash_file(path: Path, limit: int, error: type[InputError]) -> InputFile:
    """SHA-256 of a file without holding it in memory; errors as for ``check_file``."""
    check_file(path, limit, error)
    try:
        with path.open("rb") as stream:
            return InputFile(path, hashlib.file_digest(stream, "sha256").hexdigest())
    except OSError as problem:
        raise error(f"{path} cannot be read: {problem}") from problem
