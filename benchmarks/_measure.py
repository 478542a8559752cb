"""What the benchmarks have in common: candidates that take turns, and tables."""

import json
import os
import platform
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple, Self, TypeAlias

from _environments import HERE, python, variables

Cell: TypeAlias = str | float | None


class Column(NamedTuple):
    """A column of a table: its head, and how its values are written."""

    head: str
    form: str = "{}"


class Table(NamedTuple):
    """What a benchmark found out. Figures stand in it as they are, and are rounded where they are shown.

    Attributes:
        name: What the figures are called where they are kept.
        title: What stands above them.
        columns: What they are.
        rows: The figures; None where there is none.
    """

    name: str
    title: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]

    def markdown(self) -> str:
        """Return it for people."""
        head = [column.head for column in self.columns]
        rule = ["---" if isinstance(cell, str) else "---:" for cell in self.rows[0]]
        body = [
            [
                "" if cell is None else column.form.format(cell)
                for column, cell in zip(self.columns, row, strict=True)
            ]
            for row in self.rows
        ]
        lines = [f"| {' | '.join(cells)} |" for cells in (head, rule, *body)]
        return "\n".join([f"### {self.title}", "", *lines, ""])

    @classmethod
    def kept(cls, fields: Mapping[str, Any]) -> Self:
        """Return the table that was kept as JSON."""
        columns = [Column(*column) for column in fields["columns"]]
        return cls(fields["name"], fields["title"], columns, fields["rows"])

    def records(self) -> list[dict[str, Any]]:
        """Return its rows by the heads of the columns."""
        heads = [column.head for column in self.columns]
        return [dict(zip(heads, row, strict=True)) for row in self.rows]


def show(table: Table) -> None:
    """Print a table, and add it to the file that BENCH_RESULTS names, if it names one, as a line of JSON."""
    print(table.markdown(), flush=True)
    if file := os.environ.get("BENCH_RESULTS"):
        with Path(file).open("a", encoding="utf-8") as lines:
            print(json.dumps(table._asdict()), file=lines)


class Spent(NamedTuple):
    """What a turn took: processor time of the client, and seconds."""

    cpu: float
    seconds: float


class Worker:
    """A candidate in a process of its own.

    Args:
        environment: Whose interpreter runs it.
        client: The module of clients/ that it is.
        face: `sync` or `async`.
        url: The server.
        shape: What it sends.
    """

    def __init__(self, environment: str, client: str, face: str, url: str, shape: str) -> None:
        self._process = subprocess.Popen(
            [python(environment), str(HERE / "_worker.py"), client, face, url, shape],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=variables(),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def send(self, requests: int, in_flight: int = 1) -> Spent:
        """Let it send requests, and return what it took."""
        commands, answers = self._process.stdin, self._process.stdout
        if commands is None or answers is None:
            raise ValueError("the process has no pipes")
        print(requests, in_flight, file=commands, flush=True)
        return Spent(*json.loads(answers.readline()))


def ratio(of: Iterable[float], to: Iterable[float]) -> float:
    """Return the median of the ratios of two candidates within each round: what slows one slows both."""
    return median(one / other for one, other in zip(of, to, strict=True))


def machine() -> Mapping[str, str]:
    """Return what the figures depend on besides the code."""
    return {
        "processor": f"{_processor()}, {os.cpu_count()} cores",
        "system": f"{platform.system()} {platform.machine()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())
