"""From a CSV file to an outcome for each row, with no quota: rows per second, and memory as the rows grow.

    python benchmarks/csv_to_done.py [METHOD...] [--journal] [--rows ROWS...]

METHOD is create_all, stream_create or command, the command line. Each run is a process of its own, after one
of the floor: httpx and orjson in asynchronous code with as many requests in flight. The fewest rows go first,
and the growth is from them to the most. The rows are orders with 6 properties and the id of their contact.
The journal syncs to the disk before each batch. One method over 10,000, 100,000 and 1,000,000 rows takes
about two minutes.
"""

import argparse
import csv
import io
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Sequence
from itertools import cycle, islice
from pathlib import Path
from statistics import median
from typing import NamedTuple

from _batches import BATCH, CONTACT, short_orders
from _environments import BARE, CLI, HERE, python, variables
from _measure import Cell, Column, Table, show
from _server import Server, serving

ROWS = (10_000, 100_000, 1_000_000)
METHODS = ("create_all", "stream_create", "command")
# About as many bytes as the journal writes of a batch.
SYNCS, SYNCED = 200, 8192
COLUMNS = (
    Column("method"),
    Column("journal"),
    Column("rows", "{:,d}"),
    Column("rows per second", "{:,.0f}"),
    Column("CPU per 1,000 rows", "{:.1f} ms"),
    Column("ratio to the floor", "{:.2f}"),
    Column("peak memory", "{:.1f} MiB"),
    Column("ratio to the fewest rows", "{:.2f}"),
    Column("CPU of the server", "{:.0%}"),
)


class Run(NamedTuple):
    """What a run took.

    Attributes:
        done: How many rows were written.
        cpu: The processor time of the client, in seconds.
        seconds: How long it took.
        peak: The most memory that the client had, in bytes.
    """

    done: int
    cpu: float
    seconds: float
    peak: int


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "methods", nargs="*", metavar="METHOD", help=f"one of {', '.join(METHODS)}; all by default"
    )
    parser.add_argument("--journal", action="store_true", help="keep a journal")
    parser.add_argument("--rows", type=int, nargs="+", default=ROWS, help="how many rows, the fewest first")
    options = parser.parse_args()
    rows: list[Sequence[Cell]] = []
    with tempfile.TemporaryDirectory() as folder, serving() as server:
        files = {count: write(Path(folder, f"{count}.csv"), count) for count in options.rows}
        if options.journal:
            rows.append(limit(Path(folder)))
        for method in options.methods or METHODS:
            rows += measured(server, method, files, journal=options.journal or method == "command")
    name = "_".join(["csv_to_done", *options.methods, *(["journal"] if options.journal else [])])
    show(Table(name, "From a CSV file to an outcome for each row", COLUMNS, rows))


def write(path: Path, count: int) -> Path:
    """Write a file of orders like those of the example, each with a name, an id and a contact of its own."""
    some = short_orders()
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerow([*some[0], CONTACT])
        name, external, *rest = zip(*(order.values() for order in some), strict=True)
        del name, external
        others = cycle([",".join(quoted(cells)) for cells in zip(*rest, strict=True)])
        file.writelines(
            f"Order {row},{row},{cells},{20_000_000_000 + row}\r\n"
            for row, cells in enumerate(islice(others, count))
        )
    return path


def quoted(cells: Sequence[str]) -> list[str]:
    """Return cells as they stand in CSV."""
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(cells)
    return [line.getvalue()]


def limit(folder: Path) -> Sequence[Cell]:
    """Return the line of a disk that does nothing but sync once for each batch."""
    took = []
    with Path(folder, "synced").open("wb") as file:
        for _ in range(SYNCS):
            file.write(bytes(SYNCED))
            began = time.perf_counter()
            file.flush()
            os.fsync(file.fileno())
            took.append(time.perf_counter() - began)
    return "one sync of the disk per batch", "yes", None, BATCH / median(took), None, None, None, None, None


def measured(server: Server, method: str, files: dict[int, Path], *, journal: bool) -> list[Sequence[Cell]]:
    """Return the lines of a method."""
    rows: list[Sequence[Cell]] = []
    fewest: Run | None = None
    for count, file in files.items():
        floor = push(server, "floor", file, journal=False)
        before = server.told().cpu
        run = push(server, method, file, journal=journal)
        served = server.told().cpu - before
        if run.done != count:
            raise SystemExit(f"{method}: {run.done} of {count} rows are done")
        fewest = fewest or run
        rows.append(
            (
                method,
                "yes" if journal else "no",
                count,
                count / run.seconds,
                run.cpu / count * 1000 * 1000,
                run.cpu / floor.cpu,
                run.peak / 2**20,
                run.peak / fewest.peak,
                served / run.seconds,
            )
        )
    return rows


def push(server: Server, method: str, file: Path, *, journal: bool) -> Run:
    """Push a file from a process of its own."""
    environment = CLI if method == "command" else BARE
    with tempfile.TemporaryDirectory() as folder:
        kept = str(Path(folder, "orders.run")) if journal else ""
        told = subprocess.run(
            [python(environment), str(HERE / "_push.py"), method, server.url, str(file), kept],
            check=True,
            stdout=subprocess.PIPE,
            env=variables(),
        )
    return Run(*json.loads(told.stdout))


if __name__ == "__main__":
    main()
