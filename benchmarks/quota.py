"""How much of the quota a run over many rows uses, and how often it is refused, against naive loops.

    python benchmarks/quota.py ours|peers [--latency SECONDS] [--seconds SECONDS]

The server counts as strictly as HubSpot says that it does: no 10 seconds hold more than 190 requests. Each
request holds 100 orders and is answered after a fixed time, the latency. `ours` pushes with the journal on:
over 8 connections, over 40, and by eight processes with a quota file in common. `peers` are loops as one
writes them first: one request after the other, and forty threads; both leave it to the peer what to do about
a 429. A batch is lost where the peer raises an error.

The share is of the requests in a rolling window, on average over all windows after the first one. What can
be had is the quota, or what the connections carry at that latency. Each case of ours takes a minute.
"""

import argparse
import json
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from _environments import API_CLIENT, BARE, HERE, SDK, python, variables
from _measure import Cell, Column, Table, show
from _server import serving

LIMIT, WINDOW = 190, 10.0
FEW, MANY = 8, 40
COLUMNS = (
    Column("client"),
    Column("connections", "{:d}"),
    Column("latency", "{:g} s"),
    Column("answered", "{:d}"),
    Column("429s", "{:d}"),
    Column("batches lost", "{:d}"),
    Column("share of the quota", "{:.1%}"),
    Column("of what can be had", "{:.1%}"),
    Column("CPU per request", "{:.1f} ms"),
    Column("CPU of the server", "{:.1%}"),
)


class Case(NamedTuple):
    """Who pushes, and how.

    Attributes:
        client: Who.
        connections: How many requests may be under way, in each process.
        environment: Where it is installed.
        arguments: What `_bulk.py` or `_loop.py` is told.
        processes: How many of them push at once.
    """

    client: str
    connections: int
    environment: str
    arguments: Sequence[str] = ()
    processes: int = 1

    def most(self, latency: float) -> float:
        """Return how many requests a window can hold at this latency."""
        return min(LIMIT, self.processes * self.connections / latency * WINDOW)


OURS = (
    Case("hubspot-batch", FEW, BARE),
    Case("hubspot-batch", MANY, BARE),
    Case("hubspot-batch, eight processes", MANY, BARE, processes=8),
)
PEERS = (
    Case("hubspot-api-client", 1, API_CLIENT, ["api_client"]),
    Case("hubspot-api-client", MANY, API_CLIENT, ["api_client"]),
    Case("hubspot-sdk", 1, SDK, ["sdk"]),
    Case("hubspot-sdk", MANY, SDK, ["sdk"]),
)


class Push(NamedTuple):
    """What a process told of its requests: batches that it lost, and its processor time."""

    lost: int
    cpu: float


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("who", choices=["ours", "peers"])
    parser.add_argument(
        "--latency", type=float, default=0.2, help="seconds that a reply takes; 0.2 by default"
    )
    parser.add_argument("--seconds", type=float, help="how long each case pushes; 60 or 23 by default")
    options = parser.parse_args()
    cases, seconds = (OURS, 60.0) if options.who == "ours" else (PEERS, 23.0)
    rows = [row(case, options.latency, options.seconds or seconds) for case in cases]
    title = f"Share of a quota of {LIMIT} requests in {WINDOW:g} seconds"
    show(Table(f"quota_{options.who}_{options.latency:g}", title, COLUMNS, rows))


def row(case: Case, latency: float, seconds: float) -> Sequence[Cell]:
    """Measure a case and return its line of the table."""
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(latency=latency, quota=f"{LIMIT}/{WINDOW}") as server,
    ):
        script = HERE / ("_bulk.py" if case.environment == BARE else "_loop.py")
        quota_file = str(Path(folder, "quota")) if case.processes > 1 else ""
        processes = [
            subprocess.Popen(
                [
                    *(python(case.environment), str(script), *case.arguments, str(case.connections)),
                    *(server.url, str(seconds)),
                    *((str(Path(folder, f"{number}.run")), quota_file) if case.environment == BARE else ()),
                ],
                stdout=subprocess.PIPE,
                text=True,
                env=variables(),
            )
            for number in range(case.processes)
        ]
        pushes = [Push(*json.loads(each.communicate()[0])) for each in processes]
        told = server.told()
    answered, held = len(told.arrivals), in_a_window(told.arrivals)
    return (
        case.client,
        case.connections,
        latency,
        answered,
        told.refused,
        sum(push.lost for push in pushes),
        held / LIMIT,
        held / case.most(latency),
        sum(push.cpu for push in pushes) / (answered + told.refused) * 1000,
        told.cpu / (told.arrivals[-1] - told.arrivals[0]),
    )


def in_a_window(times: Sequence[float]) -> float:
    """Return how many times a window holds, on average over all windows between the first and the last."""
    first, last = times[0] + WINDOW, times[-1] - WINDOW
    held = (max(0.0, min(time, last) - max(time - WINDOW, first)) for time in times)
    return sum(held) / (last - first)


if __name__ == "__main__":
    main()
