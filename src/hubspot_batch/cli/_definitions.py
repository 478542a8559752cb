"""`hubspot-batch properties`: the property definitions of an account, as a table or in a file for later."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import click
import msgspec
from msgspec import Struct

from hubspot_batch import printable
from hubspot_batch.cli._connection import ConnectionOptions, connect, definitions_of
from hubspot_batch.cli._console import say
from hubspot_batch.cli._errors import UnfinishedError
from hubspot_batch.cli._files import STDIN, check_writable, write_text
from hubspot_batch.errors import (
    AuthenticationError,
    ConfigurationError,
    HubSpotBatchError,
    PermissionDeniedError,
)
from hubspot_batch.results import PropertyDefinition


class _Saved(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The content of a file of definitions."""

    format: Literal[1] = 1
    object: str
    properties: tuple[PropertyDefinition, ...]


def print_definitions(
    object_type: str, connection: ConnectionOptions, output: Path | None, *, as_json: bool
) -> None:
    """Print the properties of an object type, or save them in a file.

    Raises:
        ConfigurationError: If the file cannot be written, or the token may not read them.
        UnfinishedError: If they cannot be had for now.
    """
    if output is not None and output != STDIN:
        check_writable(output)
    definitions = sorted(read_definitions(object_type, connection), key=lambda one: one.name)
    if output is not None:
        saved = _Saved(object=object_type, properties=tuple(definitions))
        content = msgspec.json.format(msgspec.json.encode(saved), indent=1).decode()
        write_text(output, f"{content}\n")
    elif as_json:
        for one in definitions:
            click.echo(json.dumps(msgspec.to_builtins(one)))
    else:
        _print_table(definitions)


def read_definitions(object_type: str, options: ConnectionOptions) -> Sequence[PropertyDefinition]:
    """Read the property definitions of an object type from the account.

    Raises:
        ConfigurationError: If there is no token, it is not accepted, or may not read them.
        UnfinishedError: If they cannot be had for now.
    """
    with connect(options) as connection:
        try:
            return [*definitions_of(connection.client(), object_type).values()]
        except AuthenticationError as error:
            text = str(error).replace(error.remedy, connection.token_remedy)
            raise ConfigurationError(text) from error
        except PermissionDeniedError:
            raise
        except HubSpotBatchError as error:
            raise UnfinishedError(
                printable(f"the properties of the account cannot be had for now: {error}")
            ) from error


def saved_definitions(path: Path, object_type: str) -> Sequence[PropertyDefinition]:
    """Return the definitions of an object type from a file that `properties --output` has written.

    Raises:
        ConfigurationError: If it is not such a file, or is about another object type.
    """
    make = f"make one with `hubspot-batch properties {object_type.replace('_', '-')} --output FILE`"
    try:
        saved = msgspec.json.decode(path.read_bytes(), type=_Saved)
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}; {make}") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ConfigurationError(f"{path}: this is not a file of definitions ({error}); {make}") from error
    if saved.object != object_type:
        raise ConfigurationError(f"{path} holds the properties of {saved.object}; {make}")
    if not saved.properties:
        raise ConfigurationError(f"{path} holds no properties; {make}")
    return saved.properties


def _print_table(definitions: Sequence[PropertyDefinition]) -> None:
    rows = [("name", "label", "type", "", "options")]
    rows += [
        (
            one.name,
            one.label,
            one.type,
            ", ".join(("unique",) * one.has_unique_value + ("read-only",) * one.read_only),
            "elsewhere" if one.external_options else str(len(one.options) or ""),
        )
        for one in definitions
    ]
    widths = [max(len(row[place]) for row in rows) for place in range(4)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=False))
        say("  ".join((*cells, row[4])).rstrip())
