"""Runs all benchmarks, and writes results.md, results.svg and the figures behind them, results.json.

    python benchmarks/run.py [PART...]

A PART is a script with its arguments, in quotes; all of PARTS by default, which take about a quarter of an
hour. Where only some are run, the other figures stay, unless another machine or Python took them.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from _environments import HERE
from _measure import Table, machine
from _plot import plot

PARTS = (
    "one_request.py",
    "start.py",
    "quota.py ours --latency 0.2",
    "quota.py peers --latency 0.2",
    "quota.py ours --latency 1",
    "quota.py peers --latency 1",
    "csv_to_done.py create_all",
    "csv_to_done.py create_all --journal",
    "csv_to_done.py stream_create",
    "csv_to_done.py command",
    "many_accounts.py",
    "models.py",
    "regeneration.py",
    "sandbox_throughput.py",
)
RESULTS = HERE / "results.json"


def main() -> None:
    """Run and write."""
    tables = kept()
    for part in sys.argv[1:] or PARTS:
        print(f"## {part}", flush=True)
        for table in measured(part):
            tables.pop(table.name, None)
            tables[table.name] = table
        write(tables.values())


def kept() -> dict[str, Table]:
    """Return the tables of earlier runs on this machine."""
    if not RESULTS.exists():
        return {}
    results = json.loads(RESULTS.read_bytes())
    if results["machine"] != machine():
        return {}
    return {fields["name"]: Table.kept(fields) for fields in results["tables"]}


def measured(part: str) -> list[Table]:
    """Run a part and return its tables."""
    script, *arguments = part.split()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "tables")
        subprocess.run(
            [sys.executable, str(HERE / script), *arguments],
            check=True,
            env={**os.environ, "BENCH_RESULTS": str(file)},
        )
        return [Table.kept(json.loads(line)) for line in file.read_text(encoding="utf-8").splitlines()]


def write(tables: Iterable[Table]) -> None:
    """Write the figures, the document and the plot."""
    results = {"machine": machine(), "tables": [table._asdict() for table in tables]}
    RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    together = merged(tables)
    RESULTS.with_suffix(".md").write_text(document(together), encoding="utf-8")
    plot({table.title: table.records() for table in together}, RESULTS.with_suffix(".svg"))


def merged(tables: Iterable[Table]) -> list[Table]:
    """Return the tables, those with one title as one."""
    groups: dict[str, list[Table]] = {}
    for table in tables:
        groups.setdefault(table.title, []).append(table)
    return [each[0]._replace(rows=[row for table in each for row in table.rows]) for each in groups.values()]


def document(tables: Iterable[Table]) -> str:
    """Return all as Markdown."""
    about = "; ".join(machine().values())
    head = [
        "# Results",
        "",
        f"Taken by `nox -s bench` on: {about}. `README.md` says how, and what they do not show.",
    ]
    return "\n".join([*head, "", "![The same as a plot](results.svg)", "", *map(Table.markdown, tables)])


if __name__ == "__main__":
    main()
