"""`hubspot-batch demo`: a file of orders on its way into a local HubSpot."""

import csv
import io
import lzma
from collections.abc import Iterator, Sequence
from importlib import resources
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

import click
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from hubspot_batch._display import printable
from hubspot_batch.cli._files import read_text
from hubspot_batch.client import HubSpot
from hubspot_batch.contract._inputs import CreateInput
from hubspot_batch.contract._operations import MAX_INPUTS
from hubspot_batch.results import BatchResult, Reason
from hubspot_batch.sandbox import Sandbox

_IDS_SHOWN = 5


class _Batch(NamedTuple):
    """The result of one request, and the number of the row that its first input stands for."""

    first_row: int
    result: BatchResult


def run(path: Path | None) -> None:
    """Push a CSV file of orders, and print what became of each row. Row 1 follows the header.

    Args:
        path: The file; None takes the one that comes with the package.

    Raises:
        ClickException: If the file cannot be read or is no CSV with a header.
    """
    orders = _packaged_orders() if path is None else _read_orders(read_text(path), path)
    began = perf_counter()
    with Sandbox() as box, HubSpot(box.access_token, base_url=box.url) as hub:
        click.echo(f"A local HubSpot runs at {box.url}: nothing leaves this machine.", err=True)
        batches = list(_push(hub, orders))
    _report(len(orders), batches, perf_counter() - began)


def _packaged_orders() -> Sequence[CreateInput]:
    """Return the orders of examples/orders.csv."""
    name = "orders.csv.xz"
    content = resources.files("hubspot_batch.cli").joinpath(name).read_bytes()
    return _read_orders(lzma.decompress(content).decode(), Path(name))


def _read_orders(text: str, path: Path) -> Sequence[CreateInput]:
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    orders: list[CreateInput] = []
    try:
        for row in reader:
            if None in row or None in row.values():
                raise click.ClickException(
                    f"{path}, line {reader.line_num}: as many cells as the header has are needed"
                )
            orders.append({"properties": {name: value for name, value in row.items() if value}})
    except csv.Error as error:
        raise click.ClickException(f"{path}, after line {reader.line_num}: {error}") from error
    if not orders:
        raise click.ClickException(f"{path}: no rows; a header and at least one row are needed")
    return orders


def _push(hub: HubSpot, orders: Sequence[CreateInput]) -> Iterator[_Batch]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("rows"))
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("Pushing orders", total=len(orders))
        for start in range(0, len(orders), MAX_INPUTS):
            inputs = orders[start : start + MAX_INPUTS]
            yield _Batch(start + 1, hub.orders.batch_create(inputs))
            progress.advance(task, len(inputs))


def _report(rows: int, batches: Sequence[_Batch], seconds: float) -> None:
    created = sum(len(batch.result.records) for batch in batches)
    refused = sum(len(batch.result.errors) for batch in batches)
    console = Console()
    console.print(
        f"[bold green]{created} created[/], [bold red]{refused} refused[/] "
        f"of {rows} rows, {len(batches)} requests in {seconds:.1f} s"
    )
    if refused:
        console.print(_refusals(batches))
    console.print(_first_records(batches))


def _refusals(batches: Sequence[_Batch]) -> Table:
    table = _table("Refused", "row", "property", "what HubSpot says")
    for first_row, result in batches:
        for error in result.errors:
            row = "?" if error.index is None else str(first_row + error.index)
            for reason in error.reasons or [Reason(message=error.message)]:
                table.add_row(row, _shown(reason.property), _shown(reason.message))
    return table


def _first_records(batches: Sequence[_Batch]) -> Table:
    table = _table("First records", "row", "record id", "name")
    rows = {
        first_row + record.index: record
        for first_row, result in batches
        for record in result.records
        if record.index is not None
    }
    for row, record in sorted(rows.items())[:_IDS_SHOWN]:
        table.add_row(str(row), _shown(record.id), _shown(record.properties.get("hs_order_name")))
    return table


def _shown(text: str | None) -> str:
    return escape(printable(text or ""))


def _table(title: str, *columns: str) -> Table:
    """Return a table whose last column gives way where the terminal is narrow."""
    table = Table(title=f"\n{title}", title_justify="left", box=None, pad_edge=False, expand=True)
    for column in columns[:-1]:
        table.add_column(column, no_wrap=True)
    table.add_column(columns[-1], no_wrap=True, overflow="ellipsis", ratio=1)
    return table
