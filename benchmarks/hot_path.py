"""The work of a client alone, for a profiler or an instruction counter: no socket, no second process.

    python benchmarks/hot_path.py NAME TIMES

NAME is `server`, `floor` or `ours` with a shape of _batches.py after a colon, `silent`, which is `ours` where
the reply repeats no trace id, or `create_all`. Each time, 100 records go out over a transport that answers at
once. What it takes to make the answers is part of that, and by itself is `server`.
"""

import sys
from collections.abc import Callable, Iterator
from itertools import repeat
from typing import Any

import httpx
import orjson
from _batches import MAIN, Shape, shape
from _server import Account
from clients.floor import HEADERS, encoded
from clients.ours import sending

from hubspot_batch import HubSpot, Quota

URL = "http://127.0.0.1"
REPLY_HEADERS = {
    "Content-Type": "application/json;charset=utf-8",
    "X-HubSpot-Correlation-Id": "0199042c-7d1c-7a52-9d0e-3e9f5b0c8a11",
    "X-HubSpot-RateLimit-Daily": "1000000",
    "X-HubSpot-RateLimit-Daily-Remaining": "900000",
    "X-HubSpot-RateLimit-Interval-Milliseconds": "10000",
    "X-HubSpot-RateLimit-Max": "100000000",
}
Work = Callable[[int], None]


class Transport(httpx.BaseTransport):
    """Answers in place of the server.

    Args:
        silent: Whether it repeats no trace ids.
    """

    def __init__(self, *, silent: bool = False) -> None:
        self._silent = silent
        self._account = Account()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer."""
        content = self._account.written(request.read(), silent=self._silent)
        return httpx.Response(201, headers=REPLY_HEADERS, content=content)


def server(batch: Shape) -> Work:
    """Return the work that makes the replies. It is subtracted from the other works."""
    account, content = Account(), encoded(batch)

    def work(times: int) -> None:
        for _ in range(times):
            account.written(content)

    return work


def floor(batch: Shape) -> Work:
    """Return what posts bytes that are encoded already, and reads the reply."""
    http, content = httpx.Client(base_url=URL, headers=HEADERS, transport=Transport()), encoded(batch)

    def work(times: int) -> None:
        for _ in range(times):
            orjson.loads(http.post(batch.path, content=content).raise_for_status().content)

    return work


def ours(batch: Shape, *, silent: bool = False) -> Work:
    """Return what sends the batch, and sees to it that each record is matched."""
    send = sending(HubSpot("token", base_url=URL, transport=Transport(silent=silent)), batch)

    def work(times: int) -> None:
        for _ in range(times):
            if any(record.index is None for record in send().records):
                raise SystemExit("a record was not matched")

    return work


def create_all(batch: Shape) -> Work:
    """Return what creates the records by a run over many rows."""
    hub = HubSpot("token", base_url=URL, transport=Transport(), quota=Quota(10**8))

    def inputs(times: int) -> Iterator[Any]:
        for rows in repeat(batch.inputs, times):
            yield from rows

    def work(times: int) -> None:
        report = hub.orders.create_all(inputs(times), concurrency=1)
        if report.done != times * len(batch.inputs):
            raise SystemExit(f"{report.done} of {times * len(batch.inputs)} rows are done")

    return work


WORKS = {
    "server": server,
    "floor": floor,
    "ours": ours,
    "silent": lambda batch: ours(batch, silent=True),
    "create_all": create_all,
}


def main() -> None:
    """Work as often as the arguments say."""
    what, times = sys.argv[1:]
    name, _, of = what.partition(":")
    WORKS[name](shape(of or MAIN))(int(times))


if __name__ == "__main__":
    main()
