"""Files as bytes and text, with errors for people."""

import os
import shutil
import sys
from hashlib import file_digest
from pathlib import Path
from typing import IO

import click

from hubspot_batch.errors import ConfigurationError

STDIN = Path("-")


def read_text(path: Path, shown: Path | None = None) -> str:
    """Return the text of a file, of standard input where the path is `-`.

    Args:
        path: The file.
        shown: What it is called in messages, where not by its path.

    Raises:
        ClickException: If it cannot be read, or is not UTF-8.
    """
    shown = shown or path
    try:
        content = sys.stdin.buffer.read() if path == STDIN else path.read_bytes()
    except OSError as error:
        raise click.ClickException(f"{shown}: {error.strerror}") from error
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise click.ClickException(f"{shown}, line {line}: not UTF-8; save the file as UTF-8") from error


def is_read_once(path: Path) -> bool:
    """Return whether what a path stands for can be read only once: standard input, a pipe, a device."""
    return path == STDIN or (path.exists() and not path.is_file() and not path.is_dir())


def copy_content(path: Path, to: IO[bytes]) -> None:
    """Copy what is in a file, or in standard input where the path is `-`.

    Raises:
        OSError: If it cannot be read, or the copy cannot be written.
    """
    if path == STDIN:
        shutil.copyfileobj(sys.stdin.buffer, to)
        return
    with path.open("rb") as file:
        shutil.copyfileobj(file, to)


def digest_of(path: Path) -> str:
    """Return a digest of what is in a file.

    Raises:
        ConfigurationError: If it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return file_digest(file, "blake2b").hexdigest()
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}; put the file back there") from error


def check_writable(path: Path) -> None:
    """Find out whether a file can be written, and make it where it is missing.

    Raises:
        ConfigurationError: If it cannot.
    """
    try:
        path.open("ab").close()
    except OSError as error:
        raise unwritable(path, error) from error


def unwritable(path: Path, error: OSError) -> ConfigurationError:
    """Return the error for a file that cannot be written, or no further; `-` is standard output."""
    if path == STDIN:
        return ConfigurationError(f"standard output: {error.strerror}; name a file that can be written")
    return ConfigurationError(f"{path}: {error.strerror}; name a file that can be written")


def release_streams() -> None:
    """Let go of standard output and standard error where nothing can be written to them any more.

    Python would complain when it flushes the rest.
    """
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def write_text(path: Path, text: str) -> None:
    """Write a file as UTF-8; to standard output where the path is `-`.

    Raises:
        ConfigurationError: If it cannot be written.
    """
    try:
        if path == STDIN:
            click.echo(text)
        else:
            path.write_text(text, encoding="utf-8")
    except BrokenPipeError:
        raise
    except OSError as error:
        raise unwritable(path, error) from error
