"""Standard output and standard error: lines for people, and commands that they can copy into their shell."""

import errno
import os
import re
import shlex
import shutil
import sys
import textwrap
from pathlib import Path

import click

from hubspot_batch import printable

_NARROWEST = 24
# What cmd.exe and PowerShell take as it is. A quoted name must not end in a backslash.
_PLAIN_ON_WINDOWS = re.compile(r"[\w.:/\\+=@-]+")


def say(text: str, *, err: bool = False) -> None:
    """Print a line. Text of others in it, HubSpot's words for example, cannot steer the terminal.

    Args:
        text: The line.
        err: Whether it goes to standard error. It is not an error if nothing reads that any more.
    """
    try:
        click.echo(printable(text), err=err)
    except OSError as error:
        if not (err and is_unread(error)):
            raise


def wrapped(text: str, indent: str) -> list[str]:
    """Return a text as lines that fit a terminal; as one line if standard output is not one.

    Words are not cut: one that is too long stands by itself.
    """
    if sys.stdout is None or not sys.stdout.isatty():
        return [f"{indent}{text}"]
    width = shutil.get_terminal_size().columns
    if width < len(indent) + _NARROWEST:
        indent = "  "
    lines = textwrap.wrap(text, max(width - len(indent), 1), break_long_words=False, break_on_hyphens=False)
    return [f"{indent}{line}" for line in lines]


def quoted(argument: str) -> str:
    """Return an argument as it can be typed into the shell of this system."""
    if os.name != "nt":
        return shlex.quote(argument)
    # No name of a file holds a double quote there, and cmd.exe knows no single quotes.
    return argument if _PLAIN_ON_WINDOWS.fullmatch(argument) else f'"{argument}"'


def quoted_path(path: Path) -> str:
    """Return a path as it can be typed, even if its name begins like an option."""
    text = str(path)
    return quoted(f"./{text}" if text.startswith("-") and text != "-" else text)


def is_unread(error: OSError) -> bool:
    """Return whether an error says that a stream has no reader any more.

    A pipe says EPIPE, or EINVAL on Windows; a terminal that was closed says EIO.
    """
    numbers = {errno.EPIPE, errno.ESHUTDOWN, errno.EIO, *([errno.EINVAL] if os.name == "nt" else [])}
    return isinstance(error, BrokenPipeError) or (error.errno in numbers and error.filename is None)


def release_streams() -> None:
    """Send standard output and standard error to the null device if nothing can be written to them any more.

    Python would complain when it flushes the rest.
    """
    for stream in filter(None, (sys.stdout, sys.stderr)):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
