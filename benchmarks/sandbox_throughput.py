"""How many batches of 100 orders a second the sandbox serves on one core.

    python benchmarks/sandbox_throughput.py [SECONDS]

The sandbox runs in a process of its own that is held to one core where the system can do that, and this
process sends it batches that are encoded beforehand, over a few connections, from another core. Each order
has the 14 properties of examples/orders.csv; the orders that are refused are left out. The measure to compare
with is five times the quota of an account, 950 batches in ten seconds.
"""

import csv
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import cycle, islice
from pathlib import Path
from typing import NamedTuple

from _measure import Cell, Column, Table, show

from hubspot_batch import HubSpot
from hubspot_batch.sandbox import Sandbox

ORDERS = Path(__file__).parents[1] / "examples" / "orders.csv"
PATH = "/crm/v3/objects/orders/batch/create"
TARGET = 95.0
BATCH = 100
CONNECTIONS = 4
WARM_UP = 1.0
COLUMNS = (
    Column("store"),
    Column("batches per second", "{:.0f}"),
    Column("ratio to 95 per second", "{:.2f}"),
    Column("server CPU per batch", "{:.1f} ms"),
    Column("of the core", "{:.0%}"),
)


class Run(NamedTuple):
    """What was measured.

    Attributes:
        requests: How many batches were answered.
        seconds: In which time.
        cpu: How much processor time the server took for them.
    """

    requests: int
    seconds: float
    cpu: float


def main() -> None:
    """Measure in memory and with a file, and print a table."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 10.0
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    if len(cores) > 1:
        os.sched_setaffinity(0, cores[1:])
    bodies = requests()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name, store in (("memory", None), ("file", Path(folder) / "box.sqlite")):
            with server(store, cores[:1] if len(cores) > 1 else []) as (pid, port):
                load(pid, port, bodies, WARM_UP)
                rows.append(row(name, load(pid, port, bodies, seconds)))
    show(Table("sandbox", f"The sandbox on one core, {CONNECTIONS} connections", COLUMNS, rows))


def row(name: str, run: Run) -> Sequence[Cell]:
    """Return a line of the table; what the system does not tell of the server is left out of it."""
    rate = run.requests / run.seconds
    per_batch, share = (run.cpu / run.requests * 1000, run.cpu / run.seconds) if run.cpu else (None, None)
    return name, rate, rate / TARGET, per_batch, share


def requests() -> list[bytes]:
    """Return whole requests, header and body, that create the orders of the example."""
    with ORDERS.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    good = list(islice(cycle(accepted(rows)), BATCH * 10))
    return [request(good[first : first + BATCH]) for first in range(0, len(good), BATCH)]


def accepted(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    """Return the orders that are not refused: one that is would refuse its whole batch."""
    good: list[dict[str, str]] = []
    with Sandbox(quota="none") as box, HubSpot(box.access_token, base_url=box.url) as hub:
        for first in range(0, len(rows), BATCH):
            batch = rows[first : first + BATCH]
            result = hub.orders.batch_create([{"properties": row} for row in batch])
            good += [batch[record.index] for record in result.records if record.index is not None]
    return good


def request(rows: list[dict[str, str]]) -> bytes:
    """Return one request."""
    body = json.dumps({"inputs": [{"properties": row} for row in rows]}).encode()
    header = (
        f"POST {PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer sandbox-token\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return header.encode() + body


@contextmanager
def server(store: Path | None, cores: list[int]) -> Generator[tuple[int, int], None, None]:
    """Run a sandbox; yield the id of its process and its port."""
    command = [sys.executable, "-m", "hubspot_batch", "sandbox", "--port", "0", "--quota", "none"]
    if store is not None:
        command += ["--store", str(store)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            if cores:
                os.sched_setaffinity(process.pid, cores)
            line = process.stdout.readline() if process.stdout else ""
            match = re.search(r"http://127\.0\.0\.1:(\d+)", line)
            if match is None:
                raise SystemExit(f"the sandbox did not start: {line}")
            yield process.pid, int(match[1])
        finally:
            process.terminate()


def load(pid: int, port: int, bodies: list[bytes], seconds: float) -> Run:
    """Send batches for a while, each connection as fast as it gets replies."""
    counts = [0] * CONNECTIONS
    cpu, start = cpu_time(pid), time.perf_counter()

    def work(index: int) -> None:
        with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
            for body in cycle(bodies):
                if time.perf_counter() - start >= seconds:
                    return
                connection.sendall(body)
                status = read_reply(connection)
                if status != 201:  # noqa: PLR2004
                    raise SystemExit(f"a batch was answered with {status}")
                counts[index] += 1

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        for done in [pool.submit(work, index) for index in range(CONNECTIONS)]:
            done.result()
    return Run(sum(counts), time.perf_counter() - start, cpu_time(pid) - cpu)


def read_reply(connection: socket.socket) -> int:
    """Read a reply to its end; return its status."""
    head = b""
    while b"\r\n\r\n" not in head:
        head += receive(connection)
    head, _, rest = head.partition(b"\r\n\r\n")
    match = re.search(rb"(?i)\r\ncontent-length: (\d+)", head)
    missing = int(match[1]) - len(rest) if match else 0
    while missing > 0:
        missing -= len(receive(connection))
    return int(head.split(b" ", 2)[1])


def receive(connection: socket.socket) -> bytes:
    """Read what has come."""
    chunk = connection.recv(1 << 20)
    if not chunk:
        raise SystemExit("the sandbox closed a connection")
    return chunk


def cpu_time(pid: int) -> float:
    """Return the processor seconds of a process, 0 where the system does not tell."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
