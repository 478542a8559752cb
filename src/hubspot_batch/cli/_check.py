"""`hubspot-batch validate FILE`, and `--dry-run`: all rows are checked, nothing is sent."""

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import click
from msgspec import Struct

from hubspot_batch._display import printable
from hubspot_batch.bulk._plan import Planner
from hubspot_batch.bulk._rows import Row as CheckedRow
from hubspot_batch.bulk._rows import rows_from
from hubspot_batch.cli._files import say
from hubspot_batch.cli._progress import duration
from hubspot_batch.cli._reading import OpenReading, Reading
from hubspot_batch.cli._summary import warn_of_unseen
from hubspot_batch.cli._tables import Row
from hubspot_batch.contract import _operations as contract
from hubspot_batch.contract._operations import MAX_INPUTS, Operation
from hubspot_batch.errors import InputIssue

_FAULTS_SHOWN = 20


class _Edition(Struct, frozen=True):
    """What an account may ask of HubSpot (docs/behaviour.md, "Rate limits")."""

    name: str
    rate: float
    day: int


_EDITIONS = (
    _Edition("Free, Starter", 10.0, 250_000),
    _Edition("Professional", 19.0, 625_000),
    _Edition("Enterprise", 19.0, 1_000_000),
)


def validate_rows(operation_id: str, reading: Reading, *, shown: Path) -> bool:
    """Print every fault of every row, and return whether there is none.

    Args:
        operation_id: What the rows are for.
        reading: The file.
        shown: What the file is called.

    Raises:
        SourceError: If the file cannot be read.
        ConfigurationError: If an option does not fit it.
    """
    operation = contract.operation(operation_id)
    rows = faults = 0
    with reading.open(operation) as opened:
        for row, checked in _checked(operation, opened, None):
            rows += 1
            for fault in checked.faults:
                faults += 1
                say(_line(row, fault))
        warn_of_unseen(opened.unseen)
    say(f"{shown}: {faults:,} fault(s) in {rows:,} rows for {operation.id}", err=True)
    return not faults


def dry_run(
    operation_id: str, reading: Reading, unique_property: str | None, *, as_json: bool = False
) -> bool:
    """Print what a push would do, and return whether all rows are valid.

    Args:
        operation_id: What the rows are for.
        reading: The file.
        unique_property: The property that keeps HubSpot from making doubles.
        as_json: Whether for a program, not for people.

    Raises:
        SourceError: If the file cannot be read.
        ConfigurationError: If an option does not fit it.
    """
    operation = contract.operation(operation_id)
    planner = Planner()
    rows = invalid = batches = 0
    with reading.open(operation) as opened:
        for row, checked in _checked(operation, opened, unique_property):
            rows += 1
            if checked.faults:
                invalid += 1
                if not as_json:
                    _show(row, checked, invalid)
                continue
            for batch in planner.add(checked):
                planner.finished(batch)
                batches += 1
        warn_of_unseen(opened.unseen)
    batches += len(planner.flush())
    if as_json:
        click.echo(json.dumps(_facts(operation, rows, invalid, batches)))
    else:
        _tell(rows, invalid, batches)
    return not invalid


def _checked(
    operation: Operation, opened: OpenReading, unique_property: str | None
) -> Iterator[tuple[Row, CheckedRow]]:
    """Yield each row with what it is to the engine."""
    pairs = opened.rows()
    first = 0
    while chunk := list(islice(pairs, MAX_INPUTS)):
        checked = rows_from(operation, [item for _, item in chunk], first, unique_property)
        yield from zip((row for row, _ in chunk), checked, strict=True)
        first += len(chunk)


def _show(row: Row, checked: CheckedRow, number: int) -> None:
    if number <= _FAULTS_SHOWN:
        for fault in checked.faults:
            say(_line(row, fault))
    elif number == _FAULTS_SHOWN + 1:
        click.echo("and more; `hubspot-batch validate` shows them all")


def _line(row: Row, fault: InputIssue) -> str:
    text = f"{fault.problem}; {fault.remedy}"
    if fault is row.fault:
        # It names its lines, or its row where there are no lines.
        return printable(text if row.line is None else f"row {row.number}, {text}")
    place = f"row {row.number}" if row.line is None else f"row {row.number}, line {row.line}"
    # Without the place of the input in a request.
    inner = "/".join(fault.pointer.split("/")[3:])
    return printable(": ".join(part for part in (place, inner, text) if part))


def _facts(operation: Operation, rows: int, invalid: int, batches: int) -> dict[str, Any]:
    return {
        "operation": operation.id,
        "rows": rows,
        "invalid": invalid,
        "requests": batches,
        "accounts": [
            {
                "name": edition.name,
                "seconds": batches / edition.rate,
                "share_of_day": batches / edition.day,
            }
            for edition in _EDITIONS
        ],
    }


def _tell(rows: int, invalid: int, batches: int) -> None:
    click.echo(f"{rows:,} rows, {invalid:,} of them not valid, make {batches:,} requests")
    click.echo(f"{'account':<16}{'at least':>14}{'of the day':>14}")
    for edition in _EDITIONS:
        share = batches / edition.day
        click.echo(f"{edition.name:<16}{duration(batches / edition.rate):>14}{share:>14.1%}")
    click.echo("Nothing was sent")
