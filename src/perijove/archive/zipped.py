"""Members of the mission's zip files, read without trusting their headers."""

import struct
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import Final

from perijove.errors import InputError

#: Largest zip that is read, bytes; real ones have 5 to 40 MB.
ZIP_LIMIT_BYTES: Final = 1 << 30
#: PNG hardly shrinks and JSON about threefold; beyond this ratio a member is built to inflate.
_MAX_RATIO: Final = 100
#: Below this size the ratio does not matter.
_RATIO_FREE_BYTES: Final = 1 << 20
#: What ``zipfile`` raises on damaged archives.
_DAMAGE: Final = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    OSError,
    ValueError,
    OverflowError,
    NotImplementedError,
)


def list_members(path: Path, suffix: str, error: type[InputError]) -> list[str]:
    """Names of the members that end in ``suffix``, sorted; folders and macOS shadows are left out.

    Raises
    ------
    InputError
        Of the class ``error``, if the file is not a zip.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except _DAMAGE as problem:
        raise error(f"{path} is not a sound zip file ({problem}); download it again") from problem
    return sorted(
        name
        for name in names
        if name.lower().endswith(suffix)
        and not PurePosixPath(name).name.startswith("._")
        and "__MACOSX" not in PurePosixPath(name).parts
    )


def read_member(path: Path, name: str, limit: int, error: type[InputError]) -> bytes:
    """Bytes of one member.

    Raises
    ------
    InputError
        Of the class ``error``, if the member is damaged, locked, larger than ``limit`` bytes, or packed more
        tightly than a picture or label can be.
    """
    where = f"{path}:{name}"
    try:
        with zipfile.ZipFile(path) as archive:
            info = archive.getinfo(name)
            _check_member(info, where, limit, error)
            with archive.open(info) as member:
                data = member.read(limit + 1)
    except (*_DAMAGE, KeyError) as problem:
        raise error(f"{where} is damaged ({problem}); download it again") from problem
    if len(data) != info.file_size:
        raise error(f"{where} is damaged: {len(data)} of {info.file_size} bytes; download it again")
    if not data:
        raise error(f"{where} is empty; download it again")
    return data


def _check_member(info: zipfile.ZipInfo, where: str, limit: int, error: type[InputError]) -> None:
    if info.flag_bits & 1:
        raise error(f"{where} is locked with a password; unpack it and give the files")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise error(f"{where} is packed by method {info.compress_type}; unpack it and give the files")
    if info.file_size > limit:
        raise error(f"{where} would unpack to {info.file_size} bytes, more than the {limit} it can have")
    if info.file_size > max(_RATIO_FREE_BYTES, _MAX_RATIO * info.compress_size):
        raise error(f"{where} would unpack {info.compress_size} bytes to {info.file_size}; refused")
