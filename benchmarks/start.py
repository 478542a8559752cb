"""What it takes to start: import and construct, the time to the first reply, the memory by then; commands.

    python benchmarks/start.py

Each figure is of a new process. The ratio is to `import httpx` in the same environment, within the same
round, and that of the first reply to the floor's; in the environment with the extra `cli`, httpx finds click
and rich and imports them, too. It takes about half a minute.
"""

import json
import resource
import subprocess
import time
from collections.abc import Sequence
from statistics import median
from typing import NamedTuple

from _environments import API_CLIENT, BARE, CLI, SDK, python, variables
from _measure import Column, Table, ratio, show
from _server import serving

ROUNDS = 15
IMPORT_HTTPX = "import httpx"
OURS = "from hubspot_batch import HubSpot; HubSpot('token')"

PROGRAM = """
import time
cpu, began = time.process_time(), time.perf_counter()
{statement}
seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
import json, sys
from _memory import peak
from _batches import MAIN, shape
from importlib import import_module
url, client = sys.argv[1:]
replied = None
if client:
    import_module("clients." + client).sender(url, shape(MAIN))()
    replied = time.monotonic()
print(json.dumps([cpu, seconds, replied, peak()]))
"""


class Candidate(NamedTuple):
    """Who starts.

    Attributes:
        name: What it is called in the table.
        environment: Where it is installed.
        statement: What imports and constructs it.
        client: The module of clients/ that sends a first request; empty where none is sent.
    """

    name: str
    environment: str
    statement: str
    client: str = ""


CANDIDATES = (
    Candidate("import httpx", BARE, IMPORT_HTTPX, "floor"),
    Candidate("hubspot-batch", BARE, OURS, "ours"),
    Candidate("import httpx", CLI, IMPORT_HTTPX),
    Candidate("hubspot-batch", CLI, OURS, "ours"),
    Candidate(
        "hubspot-api-client",
        API_CLIENT,
        "from hubspot import HubSpot; HubSpot(access_token='token')",
        "api_client",
    ),
    Candidate("hubspot-sdk", SDK, "from hubspot_sdk import HubSpot; HubSpot(access_token='token')", "sdk"),
)
COLUMNS = (
    Column("what"),
    Column("environment"),
    Column("import and construct", "{:.0f} ms"),
    Column("CPU of it", "{:.0f} ms"),
    Column("ratio to import httpx", "{:.2f}"),
    Column("first reply after", "{:.0f} ms"),
    Column("ratio to the floor's", "{:.2f}"),
    Column("memory at start", "{:.1f} MiB"),
    Column("memory after the reply", "{:.1f} MiB"),
)

COMMANDS = (["--version"], ["--help"], ["create", "--help"], ["completion", "bash"])
COMMAND_COLUMNS = (Column("command"), Column("CPU", "{:.0f} ms"), Column("answers after", "{:.0f} ms"))


class Start(NamedTuple):
    """What a process told of its start; None where it sent no request."""

    cpu: float
    seconds: float
    replied: float | None
    peak: int


def main() -> None:
    """Measure and print a table."""
    with serving() as server:
        for candidate in CANDIDATES:
            start(candidate, server.url)
        rounds = [[(start(one, ""), start(one, server.url)) for one in CANDIDATES] for _ in range(ROUNDS)]
    starts = dict(zip(CANDIDATES, zip(*rounds, strict=True), strict=True))
    rows = [row(candidate, starts) for candidate in CANDIDATES]
    show(Table("start", "From nothing to the first reply", COLUMNS, rows))
    commands = [(f"hubspot-batch {' '.join(words)}", *command(words)) for words in COMMANDS]
    show(Table("start_commands", "What a command takes that answers by itself", COMMAND_COLUMNS, commands))


def start(candidate: Candidate, url: str) -> Start:
    """Start a candidate in a new process, and let it send one request if there is a URL."""
    client = candidate.client if url else ""
    program = PROGRAM.format(statement=candidate.statement)
    began = time.monotonic()
    told = subprocess.run(
        [python(candidate.environment), "-c", program, url, client],
        check=True,
        stdout=subprocess.PIPE,
        env=variables(),
    )
    cpu, seconds, replied, peak = json.loads(told.stdout)
    return Start(cpu, seconds, replied and replied - began, peak)


def command(words: Sequence[str]) -> tuple[float, float]:
    """Return the processor time of a command, that of the interpreter with it, and how long it takes."""
    took = []
    for _ in range(1 + ROUNDS):
        before, began = spent_by_children(), time.perf_counter()
        subprocess.run(
            [python(CLI), "-m", "hubspot_batch", *words],
            check=True,
            stdout=subprocess.DEVNULL,
            env=variables(),
        )
        seconds = time.perf_counter() - began
        took.append(((spent_by_children() - before) * 1000, seconds * 1000))
    # The first compiles.
    cpus, times = zip(*took[1:], strict=True)
    return median(cpus), median(times)


def spent_by_children() -> float:
    """Return the processor time of all processes that have ended, in seconds."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def row(
    candidate: Candidate, starts: dict[Candidate, tuple[tuple[Start, Start], ...]]
) -> tuple[str | float | None, ...]:
    """Return the line of a candidate."""
    own = starts[candidate]
    base = next(
        (starts[one] for one in CANDIDATES if one[1:3] == (candidate.environment, IMPORT_HTTPX)), None
    )
    replies = [reply for _, reply in own if reply.replied is not None]
    floor = [reply for _, reply in base or () if reply.replied is not None]
    return (
        candidate.name,
        candidate.environment,
        median(plain.seconds for plain, _ in own) * 1000,
        median(plain.cpu for plain, _ in own) * 1000,
        ratio((one.cpu for one, _ in own), (one.cpu for one, _ in base)) if base else None,
        median(reply.replied or 0.0 for reply in replies) * 1000 if replies else None,
        ratio((one.replied or 0.0 for one in replies), (one.replied or 0.0 for one in floor))
        if floor
        else None,
        median(plain.peak for plain, _ in own) / 2**20,
        median(reply.peak for reply in replies) / 2**20 if replies else None,
    )


if __name__ == "__main__":
    main()
