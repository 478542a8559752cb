"""The command line. It reads arguments and files, draws progress and sets exit codes; the library sends.

`_commands` has one function for each command, and imports the module that does its work when it runs.
"""

import sys
from io import TextIOWrapper

from hubspot_batch import __version__


def main() -> None:
    """Run the command line, the entry point of `hubspot-batch`."""
    _write_any_text()
    if sys.argv[1:] == ["--version"] and _printed(f"hubspot-batch {__version__}"):
        return
    try:
        from hubspot_batch.cli._commands import commands  # noqa: PLC0415 - it needs the extra `cli`
        from hubspot_batch.cli._console import release_streams  # noqa: PLC0415
    except ModuleNotFoundError as error:
        sys.exit(f'hubspot-batch: {error.name} is missing; install it with: pip install "hubspot-batch[cli]"')
    try:
        commands(prog_name="hubspot-batch")
    finally:
        release_streams()


def _printed(line: str) -> bool:
    """Print a line without click, which takes most of the time that a short answer takes.

    If that fails, click fails in the same way, and says why.
    """
    try:
        print(line, flush=True)  # noqa: T201 - the answer
    except OSError:
        return False
    return True


def _write_any_text() -> None:
    """Let standard output and standard error take any text: what their encoding lacks is escaped.

    Redirected on Windows, they are cp1252, and a file name in another script would end the command.
    """
    for stream in (sys.stdout, sys.stderr):
        # It is None where the command was started without it.
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
