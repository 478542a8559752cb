"""How much memory a run takes: 100,000 rows against ten times as many.

    python benchmarks/bulk_memory.py [ROWS]

Each run is a process of its own that reads rows from a generator, and its peak is what the system reports of
it. The server is neither HubSpot nor the sandbox, for those keep what they are given: it answers each batch
as HubSpot does, and forgets it. Nothing limits the number of requests. ROWS is 1,000,000 by default; the
eight runs together then take about four minutes, and with 200,000 less than one.
"""

import asyncio
import json
import subprocess
import sys
import tempfile
from itertools import count
from multiprocessing import Process, SimpleQueue
from pathlib import Path
from typing import NamedTuple

import msgspec

FEW = 100_000
NUMBERS = count(20_000_000_000)
MOMENT = "2026-09-01T08:15:02.120Z"

CLIENT = """
import json, resource, sys, time
from hubspot_batch import HubSpot, Quota

url, count, method, journal = sys.argv[1:]
rows = (
    {
        "properties": {
            "hs_order_name": f"A-{row}",
            "hs_external_order_id": f"X-{row}",
            "hs_total_price": f"{row / 4:.2f}",
            "hs_currency_code": "EUR",
            "hs_billing_address_city": "Dublin",
        }
    }
    for row in range(int(count))
)
began = time.monotonic()
with HubSpot("token", base_url=url, quota=Quota(10**9, 1.0)) as hub:
    if method == "create_all":
        done = hub.orders.create_all(rows, journal=journal or None).done
    else:
        done = sum(outcome.ok for outcome in hub.orders.stream_create(rows, journal=journal or None))
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
print(json.dumps({"done": done, "peak": peak, "seconds": time.monotonic() - began}))
"""


class Run(NamedTuple):
    """What was measured.

    Attributes:
        peak: The most memory that the process had, in bytes.
        seconds: How long the run took.
    """

    peak: int
    seconds: float


def main() -> None:
    """Measure and print a table."""
    many = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    ports: SimpleQueue[int] = SimpleQueue()
    server = Process(target=serve, args=(ports,), daemon=True)
    server.start()
    url = f"http://127.0.0.1:{ports.get()}"
    print(f"| method | journal | {FEW:,} rows | {many:,} rows | ratio | rows per second |")
    print("| --- | --- | ---: | ---: | ---: | ---: |")
    for method in ("create_all", "stream_create"):
        for journal in (False, True):
            few, more = (push(url, rows, method, journal=journal) for rows in (FEW, many))
            print(
                f"| {method} | {'yes' if journal else 'no'} | {few.peak / 2**20:.1f} MiB "
                f"| {more.peak / 2**20:.1f} MiB | {more.peak / few.peak:.2f} | {many / more.seconds:,.0f} |",
                flush=True,
            )
    server.terminate()


def push(url: str, rows: int, method: str, *, journal: bool) -> Run:
    """Push rows from a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder, "orders.run")) if journal else ""
        command = [sys.executable, "-c", CLIENT, url, str(rows), method, path]
        told = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    if told["done"] != rows:
        raise SystemExit(f"{told['done']} of {rows} rows are done")
    return Run(told["peak"], told["seconds"])


def serve(ports: "SimpleQueue[int]") -> None:
    """Answer batches until the process is ended."""

    async def run() -> None:
        server = await asyncio.start_server(converse, "127.0.0.1", 0, limit=2**24)
        ports.put(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(run())


async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer the requests of one connection."""
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
            body = reply(await reader.readexactly(length))
            writer.write(b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\n")
            writer.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


def reply(content: bytes) -> bytes:
    """Return what HubSpot says where all inputs are written."""
    results = [
        {
            "id": str(next(NUMBERS)),
            "properties": item["properties"],
            "createdAt": MOMENT,
            "updatedAt": MOMENT,
            "archived": False,
        }
        for item in msgspec.json.decode(content)["inputs"]
    ]
    return msgspec.json.encode(
        {"status": "COMPLETE", "results": results, "startedAt": MOMENT, "completedAt": MOMENT}
    )


if __name__ == "__main__":
    main()
