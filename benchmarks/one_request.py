"""What one request of 100 records costs a client, in the shapes that people send.

    python benchmarks/one_request.py [SHAPE...]

The candidates take turns, each in a process and an environment of its own, against one server. The measure is
the processor time of the client; the ratio is to the floor, httpx posting bytes that are encoded already and
orjson reading the reply, within the same round and in the same shape. The main shape, orders with one
association each, goes out synchronously and asynchronously, with 1 and 8 in flight; the others with one.
It takes about two minutes.
"""

import sys
from collections.abc import Sequence
from contextlib import ExitStack
from statistics import median
from typing import NamedTuple

from _batches import BATCH, MAIN, SHAPES
from _environments import API_CLIENT, BARE, S6R, SDK
from _measure import Column, Spent, Table, Worker, ratio, show
from _server import Server, serving

ROUNDS = 9
THOUSAND = 1000


class Candidate(NamedTuple):
    """Who is measured.

    Attributes:
        name: What it is called in the table.
        environment: Where it is installed.
        client: The module of clients/ that it is.
        faces: Which faces it has.
        requests: How many it sends in a turn, so that all take about as long.
        path: What its URL ends with.
    """

    name: str
    environment: str
    client: str
    faces: Sequence[str] = ("sync", "async")
    requests: int = 80
    path: str = ""


FLOOR = Candidate("httpx, orjson", BARE, "floor")
OURS = Candidate("hubspot-batch", BARE, "ours")
SILENT = Candidate("hubspot-batch, reply without trace ids", BARE, "ours", path="/silent")
OTHERS = (
    SILENT,
    Candidate("http.client, msgspec", BARE, "lower_floor", ("sync",)),
    Candidate("s6r-hubspot", S6R, "s6r", ("sync",), requests=32),
    Candidate("hubspot-api-client", API_CLIENT, "api_client", ("sync",), requests=8),
    Candidate("hubspot-sdk", SDK, "sdk", requests=8),
)
COLUMNS = (
    Column("shape"),
    Column("client"),
    Column("face"),
    Column("in flight", "{:d}"),
    Column("CPU per 1,000 records", "{:.1f} ms"),
    Column("ratio to the floor", "{:.2f}"),
    Column("times ours", "{:.1f}"),
    Column("requests per second", "{:.0f}"),
    Column("CPU of the server", "{:.0%}"),
)


class Turn(NamedTuple):
    """What one turn of a candidate took: of the client, and of the server."""

    client: Spent
    server_cpu: float


def main() -> None:
    """Measure and print a table."""
    rows: list[Sequence[str | float | None]] = []
    with serving() as server:
        for shape in sys.argv[1:] or SHAPES:
            candidates = (FLOOR, OURS, *(OTHERS if shape == MAIN else ()))
            for face in ("sync", "async") if shape == MAIN else ("sync",):
                for in_flight in (1, 8) if shape == MAIN else (1,):
                    rows += measured(server, shape, candidates, face, in_flight)
    show(Table("one_request", "One request of 100 records", COLUMNS, rows))


def measured(
    server: Server, shape: str, candidates: Sequence[Candidate], face: str, in_flight: int
) -> list[Sequence[str | float | None]]:
    """Return the lines of the candidates that have this face."""
    able = [candidate for candidate in candidates if face in candidate.faces]
    with ExitStack() as stack:
        workers = [
            stack.enter_context(Worker(one.environment, one.client, face, server.url + one.path, shape))
            for one in able
        ]
        for worker, candidate in zip(workers, able, strict=True):
            worker.send(candidate.requests, in_flight)
        rounds = [
            [turn(server, worker, one.requests, in_flight) for worker, one in zip(workers, able, strict=True)]
            for _ in range(ROUNDS)
        ]
    turns = dict(zip(able, zip(*rounds, strict=True), strict=True))
    return [row(shape, one, turns, face, in_flight) for one in able]


def turn(server: Server, worker: Worker, requests: int, in_flight: int) -> Turn:
    """Let a candidate send its requests."""
    before = server.told().cpu
    spent = worker.send(requests, in_flight)
    return Turn(spent, server.told().cpu - before)


def row(
    shape: str, candidate: Candidate, turns: dict[Candidate, tuple[Turn, ...]], face: str, in_flight: int
) -> Sequence[str | float | None]:
    """Return the line of a candidate."""
    own = turns[candidate]
    cpu = {one: [each.client.cpu / one.requests for each in turns[one]] for one in (FLOOR, OURS, candidate)}
    return (
        shape,
        candidate.name,
        face,
        in_flight,
        median(cpu[candidate]) / BATCH * THOUSAND * 1000,
        ratio(cpu[candidate], cpu[FLOOR]),
        ratio(cpu[candidate], cpu[OURS]) if candidate.environment != BARE else None,
        median(candidate.requests / each.client.seconds for each in own),
        median(each.server_cpu / each.client.seconds for each in own),
    )


if __name__ == "__main__":
    main()
