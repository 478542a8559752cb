"""How much of the quota a run over many rows uses, and how often it is refused, against naive loops.

    python benchmarks/quota.py ours|peers|redis [--latency SECONDS] [--seconds SECONDS]

The server counts as strictly as HubSpot says that it does: no 10 seconds hold more than 190 requests. Each
request holds 100 orders and is answered after a fixed time, the latency. `ours` pushes with the journal on:
over 8 connections, over 40, and by eight processes with a quota file in common. `redis` does so by eight
processes with a Redis in common, and needs redis-server. `peers` are loops as one
writes them first: one request after the other, and forty threads; both leave it to the peer what to do about
a 429. A batch is lost where the peer raises an error.

The share is of the requests in a rolling window, on average over all windows after the first one. What can
be had is the quota, or what the connections carry at that latency. Each case of ours takes a minute.
"""

import argparse
import json
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

from _environments import API_CLIENT, BARE, HERE, REDIS, SDK, python, variables
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
OVER_REDIS = (Case("hubspot-batch, eight processes over Redis", MANY, REDIS, processes=8),)
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
    parser.add_argument("who", choices=["ours", "peers", "redis"])
    parser.add_argument(
        "--latency", type=float, default=0.2, help="seconds that a reply takes; 0.2 by default"
    )
    parser.add_argument("--seconds", type=float, help="how long each case pushes; 60 or 23 by default")
    options = parser.parse_args()
    cases, seconds = {"ours": (OURS, 60.0), "redis": (OVER_REDIS, 60.0), "peers": (PEERS, 23.0)}[options.who]
    rows = [row(case, options.latency, options.seconds or seconds) for case in cases]
    title = f"Share of a quota of {LIMIT} requests in {WINDOW:g} seconds"
    show(Table(f"quota_{options.who}_{options.latency:g}", title, COLUMNS, rows))


def row(case: Case, latency: float, seconds: float) -> Sequence[Cell]:
    """Measure a case and return its line of the table."""
    with (
        tempfile.TemporaryDirectory() as folder,
        redis(case.environment == REDIS) as redis_url,
        serving(latency=latency, quota=f"{LIMIT}/{WINDOW}") as server,
    ):
        is_ours = case.environment in {BARE, REDIS}
        script = HERE / ("_bulk.py" if is_ours else "_loop.py")
        shared = redis_url or (str(Path(folder, "quota")) if case.processes > 1 else "")
        processes = [
            subprocess.Popen(
                [
                    *(python(case.environment), str(script), *case.arguments, str(case.connections)),
                    *(server.url, str(seconds)),
                    *((str(Path(folder, f"{number}.run")), shared) if is_ours else ()),
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


@contextmanager
def redis(is_needed: bool) -> Iterator[str]:  # noqa: FBT001 - of one place
    """Run a Redis, and return its URL, or nothing if it is not needed."""
    if not is_needed:
        yield ""
        return
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        try:
            # While it is new, it holds requests back, because it may have forgotten some.
            time.sleep(WINDOW + 3)
            yield f"redis://127.0.0.1:{port}"
        finally:
            process.terminate()


def in_a_window(times: Sequence[float]) -> float:
    """Return how many times a window holds, on average over all windows between the first and the last."""
    first, last = times[0] + WINDOW, times[-1] - WINDOW
    held = (max(0.0, min(time, last) - max(time - WINDOW, first)) for time in times)
    return sum(held) / (last - first)


if __name__ == "__main__":
    main()
