"""Files: whether they can be read and written, which of them are the same, and what is in them."""

import errno
import os
import shutil
import sys
import unicodedata
from collections.abc import Hashable, Mapping
from hashlib import file_digest
from io import TextIOWrapper
from pathlib import Path
from typing import IO, BinaryIO

import click

from hubspot_batch.cli._console import is_unread
from hubspot_batch.errors import ConfigurationError, SourceError

STDIN = Path("-")


_DATABASE = b"SQLite format 3\0"
# What SQLite keeps beside a database, and the lock of a journal.
_BESIDE_A_DATABASE = ("-wal", "-shm", "-journal", "-lock", "-reserve")


def standard_input() -> BinaryIO:
    """Return standard input as bytes.

    Raises:
        OSError: If the command was started without it, as by `<&-`.
    """
    if sys.stdin is None:
        raise OSError(errno.EBADF, "standard input is closed")
    return sys.stdin.buffer


def is_read_once(path: Path) -> bool:
    """Return whether a path can be read only once: standard input, a pipe or a device."""
    return path == STDIN or (path.exists() and not path.is_file() and not path.is_dir())


def copy_content(path: Path, to: IO[bytes]) -> None:
    """Copy the content of a file, or of standard input if the path is `-`.

    Raises:
        OSError: If it cannot be read, or the copy cannot be written.
    """
    if path == STDIN:
        shutil.copyfileobj(standard_input(), to)
        return
    with path.open("rb") as file:
        shutil.copyfileobj(file, to)


def digest_of(path: Path) -> str:
    """Return a digest of the content of a file.

    Raises:
        SourceError: If it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return file_digest(file, "blake2b").hexdigest()
    except OSError as error:
        raise SourceError(f"{path}: {error.strerror}; put the file back there") from error


def open_private(path: Path, encoding: str = "utf-8", errors: str = "strict") -> TextIOWrapper:
    """Open a file to write text, line ends as they are. A new one can be read by its owner only.

    It holds rows, or HubSpot's words about them. A file that is there already keeps its mode.

    Raises:
        OSError: If it cannot be opened.
    """
    return open(path, "w", encoding=encoding, errors=errors, newline="", opener=_for_the_owner)


def _for_the_owner(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def make_private_folder(folder: Path) -> None:
    """Make a folder that only its owner can look into, unless it exists.

    Raises:
        OSError: If it cannot be made.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def check_writable(path: Path) -> None:
    """Check that a file can be written, without making or changing it.

    Raises:
        ConfigurationError: If it cannot be written, or is a database: that of a journal or a quota.
    """
    try:
        if path.is_file():
            _check_file(path)
        elif not path.exists():
            _check_folder(path.resolve().parent)
        elif path.is_dir():
            raise _os_error(errno.EISDIR)
    except OSError as error:
        raise unwritable(path, error) from error


def _check_file(path: Path) -> None:
    with path.open("r+b") as file:
        if file.read(len(_DATABASE)) == _DATABASE:
            raise ConfigurationError(f"{path}: this is a database, a journal perhaps; name another file")


def _check_folder(folder: Path) -> None:
    if not folder.exists():
        raise _os_error(errno.ENOENT)
    if not folder.is_dir():
        raise _os_error(errno.ENOTDIR)
    if not os.access(folder, os.W_OK | os.X_OK):
        raise _os_error(errno.EACCES)


def _os_error(number: int) -> OSError:
    return OSError(number, os.strerror(number))


def check_distinct(files: Mapping[str, Path | None], databases: Mapping[str, Path | None]) -> None:
    """Refuse a command that names one file twice, even under two names.

    Args:
        files: The files of the command by the option that names each; None if it is not given.
        databases: The same for SQLite databases, which have other files beside them.

    Raises:
        ConfigurationError: If two are the same.
    """
    named = [(option, path) for option, path in files.items() if path is not None]
    for option, path in databases.items():
        if path is not None:
            named += [(option, file) for file in files_of_database(path)]
    owners: dict[Hashable, str] = {}
    for option, path in named:
        identity = _identity(path)
        if identity is None or (other := owners.setdefault(identity, option)) == option:
            continue
        if other == "FILE":
            raise ConfigurationError(f"{path}: the rows are read from there; name another file")
        if path == STDIN:
            raise ConfigurationError(
                f"{other} and {option} both go to standard output; name a file for {other}"
            )
        raise ConfigurationError(f"{path}: {other} and {option} name the same file; name two files")


def files_of_database(path: Path) -> list[Path]:
    """Return an SQLite database and what is kept beside it."""
    return [path.with_name(path.name + end) for end in ("", *_BESIDE_A_DATABASE)]


def _identity(path: Path) -> Hashable:
    """Return a value that all names of one file share; None for a device or a pipe."""
    if path == STDIN:
        return "standard output"
    if path.exists() and not path.is_file():
        return None
    resolved = path.resolve()
    there = next(folder for folder in (resolved, *resolved.parents) if folder.exists() or not folder.name)
    status = there.stat()
    rest = resolved.relative_to(there).parts
    if _ignores_case(there):
        rest = tuple(unicodedata.normalize("NFC", part).casefold() for part in rest)
    return status.st_dev, status.st_ino, rest


def _ignores_case(path: Path) -> bool:
    """Return whether names of files ignore case, as on macOS and Windows."""
    other = path.with_name(path.name.swapcase()) if path.name else path
    return other != path and other.exists() and other.samefile(path)


def unwritable(path: Path, error: OSError) -> ConfigurationError:
    """Return the error for a file that cannot be written, or not to its end; `-` is standard output."""
    if path == STDIN:
        return ConfigurationError(f"standard output: {error.strerror}; name a file that can be written")
    return ConfigurationError(f"{path}: {error.strerror}; name a file that can be written")


def write_text(path: Path, text: str) -> None:
    """Write a file as UTF-8, or to standard output if the path is `-`.

    Raises:
        ConfigurationError: If it cannot be written.
        OSError: If standard output has no reader any more.
    """
    try:
        if path == STDIN:
            click.echo(text)
        else:
            with open_private(path) as file:
                file.write(text)
    except OSError as error:
        if is_unread(error):
            raise
        raise unwritable(path, error) from error
