"""`hubspot-batch validate`."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from hubspot_batch import contract
from hubspot_batch.cli._files import read_text
from hubspot_batch.errors import ConfigurationError
from hubspot_batch.validation import validate

if TYPE_CHECKING:
    from hubspot_batch.contract import OperationId


def run(operation_id: str, path: Path) -> None:
    """Print every fault of a payload, and exit with 1 if there is any.

    Raises:
        UsageError: If there is no such operation.
        ClickException: If the file is no JSON.
    """
    try:
        operation = contract.operation(operation_id)
    except ConfigurationError as error:
        raise click.UsageError(str(error)) from error
    faults = validate(cast("OperationId", operation.id), _parse(read_text(path), path))
    for fault in faults:
        click.echo(fault)
    if faults:
        raise click.ClickException(f"{path}: {len(faults)} fault(s) for {operation.id}")
    click.echo(f"{path}: valid for {operation.id}", err=True)


def _parse(text: str, path: Path) -> object:
    try:
        return json.loads(text, object_pairs_hook=_without_repeats)
    except json.JSONDecodeError as error:
        place = f"{path}, line {error.lineno}, column {error.colno}"
        raise click.ClickException(f"{place}: not JSON: {error.msg}") from error
    except _RepeatedKeyError as error:
        raise click.ClickException(
            f"{path}: the key {error} occurs twice in one mapping; remove one of the two"
        ) from error
    except RecursionError as error:
        raise click.ClickException(f"{path}: nested too deeply") from error


class _RepeatedKeyError(Exception):
    pass


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return a mapping. JSON lets a key occur twice, and all but the last would be lost."""
    mapping = dict(pairs)
    if len(mapping) < len(pairs):
        keys = [key for key, _ in pairs]
        raise _RepeatedKeyError(next(repr(key) for key in keys if keys.count(key) > 1))
    return mapping
