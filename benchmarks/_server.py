"""A server that answers batches as HubSpot does and keeps nothing, so that it costs next to nothing.

    python benchmarks/_server.py [--latency SECONDS] [--quota LIMIT/WINDOW]

A reply holds the records in another order than the inputs, each with its properties, three of HubSpot's own,
and the trace id of its input; below /silent it repeats no trace id. A quota is counted as strictly as by
HubSpot: no window, wherever it begins, holds more requests than its limit. GET /told tells what was seen.
"""

import argparse
import asyncio
import json
import subprocess
import sys
import time
import urllib.request
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from typing import NamedTuple

import msgspec

MOMENT = b"2026-09-01T08:15:02.120Z"
WITHOUT_LIMIT = 10**8
# What HubSpot sends with each reply, as far as a client could read it.
HEADERS = (
    b"HTTP/1.1 %s\r\n"
    b"Date: Tue, 01 Sep 2026 08:15:02 GMT\r\n"
    b"Content-Type: application/json;charset=utf-8\r\n"
    b"Content-Length: %d\r\n"
    b"Strict-Transport-Security: max-age=31536000; includeSubDomains; preload\r\n"
    b"Vary: origin, Accept-Encoding\r\n"
    b"X-Content-Type-Options: nosniff\r\n"
    b"X-HubSpot-Correlation-Id: 0199042c-7d1c-7a52-9d0e-3e9f5b0c8a11\r\n"
    b"X-HubSpot-RateLimit-Daily: 1000000\r\n"
    b"X-HubSpot-RateLimit-Daily-Remaining: 900000\r\n"
    b"X-HubSpot-RateLimit-Interval-Milliseconds: %d\r\n"
    b"X-HubSpot-RateLimit-Max: %d\r\n"
    b"Server: cloudflare\r\n\r\n"
)
REFUSAL = (
    b'{"status":"error","message":"You have reached your ten_secondly_rolling limit.",'
    b'"errorType":"RATE_LIMIT","correlationId":"0199042c-7d1c-7a52-9d0e-3e9f5b0c8a11","policyName":"TEN_SECONDLY_ROLLING"}'
)


# What it tells of a record that is read.
PROPERTIES = msgspec.Raw(
    b'{"hs_order_name":"Order 1","hs_external_order_id":"1","hs_currency_code":"USD",'
    b'"hs_total_price":"131251.81","hs_external_created_date":"1996-01-02T00:00:00.000Z",'
    b'"hs_external_order_status":"O"}'
)


class Input(msgspec.Struct, rename="camel"):
    """What the server reads of an input. The properties go back as they came."""

    properties: msgspec.Raw = PROPERTIES
    object_write_trace_id: msgspec.Raw = msgspec.Raw()
    id: str = ""


class Payload(msgspec.Struct):
    """The body of a request."""

    inputs: list[Input]


class Told(NamedTuple):
    """What a server has seen so far.

    Attributes:
        cpu: The processor time that it took, in seconds.
        refused: How many requests were too many for the quota.
        arrivals: When each of the others came, in seconds of a monotonic clock.
    """

    cpu: float
    refused: int
    arrivals: Sequence[float]


class Server(NamedTuple):
    """A server that runs."""

    url: str

    def told(self) -> Told:
        """Ask what it has seen so far."""
        with urllib.request.urlopen(f"{self.url}/told") as reply:  # noqa: S310 - our own
            return Told(*json.load(reply))


@contextmanager
def serving(*, latency: float = 0.0, quota: str = "") -> Iterator[Server]:
    """Run a server in a process of its own."""
    command = [sys.executable, __file__, f"--latency={latency}", f"--quota={quota}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            port = process.stdout.readline().strip() if process.stdout else ""
            yield Server(f"http://127.0.0.1:{port}")
        finally:
            process.terminate()


class Account:
    """What the replies depend on: the quota, and the ids that are given out.

    Args:
        limit: How many requests fit into the window.
        window: Its length in seconds.
    """

    def __init__(self, limit: int = WITHOUT_LIMIT, window: float = 10.0) -> None:
        self.limit, self.window = limit, window
        self.arrivals: list[float] = []
        self.refused = 0
        self._counted: deque[float] = deque()
        self._ids = count(20_000_000_000)
        self._decode = msgspec.json.Decoder(Payload).decode

    def answer(self, path: bytes, body: bytes) -> bytes:
        """Return the reply to a request, head and body."""
        if path == b"/told":
            return self._message(b"200 OK", json.dumps(self._told()).encode())
        if not self._admits(time.monotonic()):
            self.refused += 1
            return self._message(b"429 Too Many Requests", REFUSAL)
        return self._message(b"201 Created", self.written(body, silent=path.startswith(b"/silent")))

    def _told(self) -> Told:
        return Told(time.process_time(), self.refused, self.arrivals)

    def _admits(self, now: float) -> bool:
        while self._counted and self._counted[0] <= now - self.window:
            self._counted.popleft()
        if len(self._counted) >= self.limit:
            return False
        self._counted.append(now)
        self.arrivals.append(now)
        return True

    def written(self, body: bytes, *, silent: bool = False) -> bytes:
        inputs = self._decode(body).inputs
        results = b",".join(self._record(item, silent=silent) for item in inputs[1::2] + inputs[::2])
        return b'{"status":"COMPLETE","results":[%b],"startedAt":"%b","completedAt":"%b"}' % (
            results,
            MOMENT,
            MOMENT,
        )

    def _record(self, item: Input, *, silent: bool) -> bytes:
        # An upsert names a record by a value, a read by its id.
        is_read = item.properties is PROPERTIES
        number, trace = int(item.id) if is_read else next(self._ids), bytes(item.object_write_trace_id)
        echo = b',"objectWriteTraceId":%b' % trace if trace and not silent else b""
        return (
            b'{"id":"%d","properties":{"hs_createdate":"%b","hs_lastmodifieddate":"%b","hs_object_id":"%d",%b,'
            b'"createdAt":"%b","updatedAt":"%b","archived":false%b}'
            % (number, MOMENT, MOMENT, number, bytes(item.properties)[1:], MOMENT, MOMENT, echo)
        )

    def _message(self, status: bytes, body: bytes) -> bytes:
        return HEADERS % (status, len(body), self.window * 1000, self.limit) + body


class Conversation(asyncio.Protocol):
    """One connection.

    Args:
        account: Makes the replies.
        latency: How many seconds each takes.
    """

    def __init__(self, account: Account, latency: float) -> None:
        self._account = account
        self._latency = latency
        self._received = bytearray()
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where to write."""
        if isinstance(transport, asyncio.WriteTransport):
            self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer what is complete."""
        self._received += data
        while request := self._next():
            reply = self._account.answer(*request)
            if self._latency:
                asyncio.get_running_loop().call_later(self._latency, self._write, reply)
            else:
                self._write(reply)

    def _next(self) -> tuple[bytes, bytes] | None:
        """Return path and body of the next request that has come as a whole."""
        end = self._received.find(b"\r\n\r\n")
        if end < 0:
            return None
        head = bytes(self._received[:end])
        length = int(head.lower().partition(b"\r\ncontent-length:")[2].partition(b"\r\n")[0] or 0)
        whole = end + 4 + length
        if len(self._received) < whole:
            return None
        body = bytes(self._received[end + 4 : whole])
        del self._received[:whole]
        return head.split(b" ", 2)[1], body

    def _write(self, reply: bytes) -> None:
        if self._transport and not self._transport.is_closing():
            self._transport.write(reply)


async def serve(account: Account, latency: float) -> None:
    """Print the port, and answer until the process is ended."""
    server = await asyncio.get_running_loop().create_server(
        lambda: Conversation(account, latency), "127.0.0.1", 0
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def main() -> None:
    """Read the options and serve."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--latency", type=float, default=0.0, help="seconds that each reply takes")
    parser.add_argument("--quota", default="", help="LIMIT/WINDOW, 190/10 for example")
    arguments = parser.parse_args()
    limit, _, window = arguments.quota.partition("/")
    account = Account(int(limit), float(window)) if arguments.quota else Account()
    asyncio.run(serve(account, arguments.latency))


if __name__ == "__main__":
    main()
