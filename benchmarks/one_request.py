"""What one request of 100 orders costs a client: synchronous and asynchronous, 1 and 8 in flight.

    python benchmarks/one_request.py

The candidates take turns, each in a process and an environment of its own, against one server. The measure is
the processor time of the client; the ratio is to the floor, httpx posting bytes that are encoded already and
orjson reading the reply, within the same round. It takes about a minute.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from statistics import median
from typing import NamedTuple

from _environments import API_CLIENT, BARE, SDK
from _measure import Column, Spent, Table, Worker, ratio, show
from _orders import BATCH
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


CANDIDATES = (
    Candidate("httpx, orjson", BARE, "floor"),
    Candidate("hubspot-batch", BARE, "ours"),
    Candidate("hubspot-batch, reply without trace ids", BARE, "ours", path="/silent"),
    Candidate("hubspot-batch, numbers and dates", BARE, "ours_typed"),
    Candidate("hubspot-api-client", API_CLIENT, "api_client", ("sync",), requests=8),
    Candidate("hubspot-sdk", SDK, "sdk", requests=8),
)
COLUMNS = (
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
        for face in ("sync", "async"):
            for in_flight in (1, 8):
                rows += measured(server, face, in_flight)
    show(Table("one_request", "One request of 100 orders", COLUMNS, rows))


def measured(server: Server, face: str, in_flight: int) -> list[Sequence[str | float | None]]:
    """Return the lines of all candidates that have this face."""
    candidates = [candidate for candidate in CANDIDATES if face in candidate.faces]
    with ExitStack() as stack:
        workers = [
            stack.enter_context(Worker(one.environment, one.client, face, server.url + one.path))
            for one in candidates
        ]
        for worker, candidate in zip(workers, candidates, strict=True):
            worker.send(candidate.requests, in_flight)
        rounds = [
            [
                turn(server, worker, one.requests, in_flight)
                for worker, one in zip(workers, candidates, strict=True)
            ]
            for _ in range(ROUNDS)
        ]
    turns = dict(zip(candidates, zip(*rounds, strict=True), strict=True))
    return [row(one, turns, face, in_flight) for one in candidates]


def turn(server: Server, worker: Worker, requests: int, in_flight: int) -> Turn:
    """Let a candidate send its requests."""
    before = server.told().cpu
    spent = worker.send(requests, in_flight)
    return Turn(spent, server.told().cpu - before)


def row(
    candidate: Candidate, turns: dict[Candidate, tuple[Turn, ...]], face: str, in_flight: int
) -> Sequence[str | float | None]:
    """Return the line of a candidate."""
    own = turns[candidate]
    floor, ours, *_ = turns
    cpu = {one: [each.client.cpu / one.requests for each in turns[one]] for one in (floor, ours, candidate)}
    return (
        candidate.name,
        face,
        in_flight,
        median(cpu[candidate]) / BATCH * THOUSAND * 1000,
        ratio(cpu[candidate], cpu[floor]),
        ratio(cpu[candidate], cpu[ours]) if candidate.environment != BARE else None,
        median(candidate.requests / each.client.seconds for each in own),
        median(each.server_cpu / each.client.seconds for each in own),
    )


if __name__ == "__main__":
    main()
