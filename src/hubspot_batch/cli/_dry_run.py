"""`--dry-run`: check all rows and say how long a push would take, without sending anything."""

import json
from collections.abc import Sequence
from typing import Any

import click
from msgspec import Struct

from hubspot_batch import contract
from hubspot_batch.bulk import Check
from hubspot_batch.cli._console import say
from hubspot_batch.cli._input_file import InputFile
from hubspot_batch.cli._progress import duration
from hubspot_batch.cli._summary import warn
from hubspot_batch.cli._tables import FileRow
from hubspot_batch.cli._validate import checked_rows, line_about
from hubspot_batch.errors import InputIssue
from hubspot_batch.types import OperationId

_MOST_ROWS_SHOWN = 20


class _Edition(Struct, frozen=True):
    """How many requests an account may send (docs/behaviour.md, "Rate limits")."""

    name: str
    per_second: float
    per_day: int


_EDITIONS = (
    _Edition("Free, Starter", 10.0, 250_000),
    _Edition("Professional", 19.0, 625_000),
    _Edition("Enterprise", 19.0, 1_000_000),
)


def dry_run(
    operation_id: OperationId, file: InputFile, unique_property: str | None, *, as_json: bool = False
) -> bool:
    """Print what a push would do, and return whether all rows are valid.

    Args:
        operation_id: The operation that the rows are for.
        file: The file.
        unique_property: The property by which HubSpot refuses doubles.
        as_json: Whether to print JSON.

    Raises:
        SourceError: If the file cannot be read.
        ConfigurationError: If an option does not fit it.
    """
    with file.open(contract.operation(operation_id)) as rows:
        pairs, checked = checked_rows(operation_id, rows, unique_property=unique_property)
        for row, faults in pairs:
            if faults and not as_json:
                _show(row, faults, checked.invalid)
        warn(rows.warnings)
    if as_json:
        click.echo(json.dumps(_facts(operation_id, checked)))
    else:
        _print(checked)
    return not checked.invalid


def _show(row: FileRow, faults: Sequence[InputIssue], number: int) -> None:
    if number <= _MOST_ROWS_SHOWN:
        for fault in faults:
            say(line_about(row, fault))
    elif number == _MOST_ROWS_SHOWN + 1:
        click.echo("and more; `hubspot-batch validate` shows them all")


def _facts(operation_id: OperationId, checked: Check) -> dict[str, Any]:
    return {
        "operation": operation_id,
        "rows": checked.rows,
        "invalid": checked.invalid,
        "requests": checked.requests,
        "accounts": [
            {
                "name": edition.name,
                "seconds": checked.requests / edition.per_second,
                "share_of_day": checked.requests / edition.per_day,
            }
            for edition in _EDITIONS
        ],
    }


def _print(checked: Check) -> None:
    rows = f"{checked.rows:,} rows, {checked.invalid:,} of them not valid"
    click.echo(f"{rows}, make {checked.requests:,} request{'s' * (checked.requests != 1)}")
    click.echo(f"{'account':<16}{'at least':>10}{'of the day':>12}")
    for edition in _EDITIONS:
        seconds, share = checked.requests / edition.per_second, checked.requests / edition.per_day
        click.echo(f"{edition.name:<16}{duration(seconds):>10}{share:>12.1%}")
    click.echo("Nothing was sent")
