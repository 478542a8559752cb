"""The work of a client alone, for a profiler or an instruction counter: no socket, no second process.

    python benchmarks/hot_path.py NAME TIMES

NAME is `floor`; `batch_create`; `silent` or `typed`, which are batch_create where the reply repeats no trace
id and where values have to be converted; or `create_all`. Each time, 100 orders go out over a transport that
answers at once. What it takes to make the answers is part of that, and by itself is `server`.
"""

import sys
from collections.abc import Callable, Iterator, Mapping

import httpx
import orjson
from _orders import orders
from _server import Account
from clients.floor import HEADERS, PATH, encoded
from clients.ours import Orders
from clients.ours_typed import typed

from hubspot_batch import CreateInput, HubSpot, Quota

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


def server() -> Work:
    """Return the work that makes the replies. It is subtracted from the other works."""
    account, content = Account(), encoded(orders())

    def work(times: int) -> None:
        for _ in range(times):
            account.written(content)

    return work


def floor() -> Work:
    """Return what posts bytes that are encoded already, and reads the reply."""
    http, content = httpx.Client(base_url=URL, headers=HEADERS, transport=Transport()), encoded(orders())

    def work(times: int) -> None:
        for _ in range(times):
            orjson.loads(http.post(PATH, content=content).raise_for_status().content)

    return work


def batch_create(rows: Orders, *, silent: bool = False) -> Work:
    """Return what creates the orders, and sees to it that each record is matched."""
    hub = HubSpot("token", base_url=URL, transport=Transport(silent=silent))

    def work(times: int) -> None:
        for _ in range(times):
            result = hub.orders.batch_create({"properties": row} for row in rows)
            if any(record.index is None for record in result.records):
                raise SystemExit("a record was not matched")

    return work


def create_all() -> Work:
    """Return what creates the orders by a run over many rows."""
    hub = HubSpot("token", base_url=URL, transport=Transport(), quota=Quota(10**8))
    rows = orders()

    def inputs(times: int) -> Iterator[CreateInput]:
        for _ in range(times):
            for row in rows:
                yield {"properties": row}

    def work(times: int) -> None:
        report = hub.orders.create_all(inputs(times), concurrency=1)
        if report.done != times * len(rows):
            raise SystemExit(f"{report.done} of {times * len(rows)} rows are done")

    return work


WORKS: Mapping[str, Callable[[], Work]] = {
    "server": server,
    "floor": floor,
    "batch_create": lambda: batch_create(orders()),
    "silent": lambda: batch_create(orders(), silent=True),
    "typed": lambda: batch_create([typed(order) for order in orders()]),
    "create_all": create_all,
}


def main() -> None:
    """Work as often as the arguments say."""
    name, times = sys.argv[1:]
    WORKS[name]()(int(times))


if __name__ == "__main__":
    main()
