"""Files as bytes and text, with errors for people."""

import sys
from pathlib import Path

import click

STDIN = Path("-")


def read_text(path: Path) -> str:
    """Return the text of a file, of standard input where the path is `-`.

    Raises:
        ClickException: If it cannot be read, or is not UTF-8.
    """
    try:
        content = sys.stdin.buffer.read() if path == STDIN else path.read_bytes()
    except OSError as error:
        raise click.ClickException(f"{path}: {error.strerror}") from error
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise click.ClickException(f"{path}, line {line}: not UTF-8; save the file as UTF-8") from error
