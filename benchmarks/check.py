"""Fails where the client has become slower, on a machine of any speed: it counts instructions.

    python benchmarks/check.py

Valgrind's callgrind counts what a process executes, however busy the machine is. Each work of hot_path.py
runs some times and twice as often; the difference is the work without start and warm-up, and what it takes to
make the replies is subtracted. Its ratio to the floor, counted in the same run, is held against a limit; so
is what importing and constructing costs, against `import httpx`. A limit is what was counted when it was set
and a tenth more. Where the work was made less, lower it. It takes about two minutes.
"""

import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import TypeAlias

from _environments import BARE, HERE, python, variables
from _measure import Column, Table, show

TIMES = 20
SERVER, FLOOR = "server", "floor"
# A work, and the shape of what it sends.
WORKS: Mapping[str, float] = {
    "ours:orders": 2.1,
    "silent:orders": 2.3,
    "ours:orders with trace ids": 2.0,
    "ours:orders without associations": 1.7,
    "ours:line items": 2.1,
    "ours:ids as ints": 2.9,
    "ours:numbers and dates": 2.9,
    "ours:read": 1.6,
    "ours:upsert": 2.3,
    "create_all:orders": 6.0,
}
IMPORT_HTTPX = "import httpx"
STARTS: Mapping[str, float] = {"from hubspot_batch import HubSpot; HubSpot('token')": 1.25}
COLUMNS = (
    Column("what"),
    Column("instructions", "{:,.0f}"),
    Column("ratio", "{:.2f}"),
    Column("limit", "{:.2f}"),
)
Row: TypeAlias = tuple[str, float, float, float | None]


def main() -> None:
    """Count, print a table, and fail where a ratio is above its limit."""
    rows = [*works(), *starts()]
    show(Table("check", "Instructions", COLUMNS, rows))
    if above := [what for what, _, ratio, limit in rows if limit is not None and ratio > limit]:
        raise SystemExit(f"above the limit: {'; '.join(above)}")


def works() -> Iterator[Row]:
    """Yield a line for each work."""
    for name, limit in WORKS.items():
        shape = name.partition(":")[2]
        server = of_work(f"{SERVER}:{shape}")
        floor = of_work(f"{FLOOR}:{shape}") - server
        instructions = of_work(name) - server
        yield name, instructions, instructions / floor, limit


def starts() -> Iterator[Row]:
    """Yield a line for each import, that of httpx first."""
    httpx = of_statement(IMPORT_HTTPX)
    yield IMPORT_HTTPX, httpx, 1.0, None
    for statement, limit in STARTS.items():
        instructions = of_statement(statement)
        yield statement, instructions, instructions / httpx, limit


@cache
def of_work(name: str) -> float:
    """Return how many instructions a work executes each time."""
    once, twice = (counted([str(HERE / "hot_path.py"), name, str(times)]) for times in (TIMES, 2 * TIMES))
    return (twice - once) / TIMES


def of_statement(statement: str) -> int:
    """Return how many instructions a statement executes, without those of the interpreter."""
    return counted(["-c", statement]) - counted(["-c", "pass"])


def counted(arguments: Sequence[str]) -> int:
    """Return how many instructions a process executes whose modules are compiled already."""
    valgrind = shutil.which("valgrind")
    if valgrind is None:
        raise SystemExit("valgrind is missing; install it with the package manager of the system")
    command = [python(BARE), *arguments]
    subprocess.run(command, check=True, env=variables())
    told = subprocess.run(
        [valgrind, "--tool=callgrind", "--callgrind-out-file=/dev/null", *command],
        check=False,
        stderr=subprocess.PIPE,
        text=True,
        env=variables(),
    )
    found = re.search(r"Collected : (\d+)", told.stderr)
    if told.returncode or found is None:
        raise SystemExit(told.stderr)
    return int(found[1])


if __name__ == "__main__":
    main()
