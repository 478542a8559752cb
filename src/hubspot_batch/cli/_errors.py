"""What ends a command: a message and an exit code, never a traceback for what a user can correct."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import click

from hubspot_batch import printable
from hubspot_batch.cli._console import is_unread, release_streams
from hubspot_batch.errors import HubSpotBatchError


class UnfinishedError(click.ClickException):
    """The command has not done all its work. The same command again goes on."""

    exit_code = 5


@contextmanager
def explained(*, as_json: bool = False) -> Iterator[None]:
    """Turn errors into messages.

    Args:
        as_json: Whether to print an error as JSON, too.
    """
    try:
        with _as_click_errors():
            yield
    except click.ClickException as error:
        if not as_json:
            raise
        facts = {"run": None, "exit_code": error.exit_code, "problem": error.format_message()}
        with _as_click_errors():
            click.echo(json.dumps(facts))
        raise click.exceptions.Exit(error.exit_code) from error


@contextmanager
def _as_click_errors() -> Iterator[None]:
    try:
        yield
    except click.ClickException as error:
        if type(error) is click.ClickException:
            # It names a file.
            raise click.ClickException(printable(error.message)) from error
        raise
    except (HubSpotBatchError, ModuleNotFoundError) as error:
        release_streams()
        raise click.ClickException(printable(str(error))) from error
    except KeyboardInterrupt as error:
        release_streams()
        raise UnfinishedError("interrupted") from error
    except OSError as error:
        release_streams()
        if is_unread(error):
            # The reader of our output has enough of it.
            raise click.exceptions.Exit(1) from None
        place = error.filename or "standard output"
        raise click.ClickException(printable(f"{place}: {error.strerror or error}")) from error
