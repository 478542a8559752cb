"""How much of the quota a run over many rows uses, and how often it is refused.

    python benchmarks/bulk_quota.py [SECONDS]

The sandbox counts as strictly as HubSpot says that it does: no 10 seconds hold more than 190 requests. It
runs in this process, the client in another one, or two of them with a quota file in common. Each request
holds 100 orders and is answered after a fixed time, the latency; the journal is on. Each line takes SECONDS
(40), the six together about five minutes.

The share is that of the requests in a rolling window, on average over all windows after the first one. What
can be had is the quota, or what the connections carry at that latency where that is less.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from hubspot_batch.sandbox import Sandbox

LIMIT, WINDOW = 190, 10.0
BATCH = 100

CLIENT = """
import asyncio, json, sys, time
from hubspot_batch import AsyncHubSpot, HubSpot, Quota, SharedQuota

face, url, connections, requests, journal, quota_file = sys.argv[1:]
rows = ({"properties": {"hs_order_name": f"A-{row}"}} for row in range(int(requests) * 100))
options = {"journal": journal, "concurrency": int(connections)}
client = {"base_url": url, "quota": SharedQuota(quota_file) if quota_file else Quota()}

async def run():
    async with AsyncHubSpot("sandbox-token", **client) as hub:
        return await hub.orders.create_all(rows, **options)

if face == "AsyncHubSpot":
    report = asyncio.run(run())
else:
    with HubSpot("sandbox-token", **client) as hub:
        report = hub.orders.create_all(rows, **options)
print(json.dumps({"done": report.done, "cpu": time.process_time() / report.requests}))
"""


class Case(NamedTuple):
    """What is measured.

    Attributes:
        face: The client.
        processes: How many of them push at once.
        connections: How many requests each may have in flight.
        latency: How many seconds an answer takes.
    """

    face: str
    processes: int
    connections: int
    latency: float

    @property
    def attainable(self) -> float:
        """How many requests fit into a window."""
        return min(LIMIT, self.processes * self.connections / self.latency * WINDOW)


CASES = (
    Case("HubSpot", 1, 8, 0.2),
    Case("HubSpot", 1, 40, 0.2),
    Case("HubSpot", 1, 8, 1.0),
    Case("HubSpot", 1, 40, 1.0),
    Case("AsyncHubSpot", 1, 40, 0.2),
    Case("HubSpot", 2, 20, 0.2),
)


def main() -> None:
    """Measure each case and print a table."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 40.0
    print("| client | processes | connections | latency | requests | 429s | share | CPU per request |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    for case in CASES:
        print(row(case, seconds), flush=True)


def row(case: Case, seconds: float) -> str:
    """Measure a case and return its line of the table."""
    with (
        tempfile.TemporaryDirectory() as folder,
        Sandbox(quota=f"{LIMIT}/{WINDOW}", faults={f"slow={case.latency}": 1.0}) as box,
    ):
        cpu = push(case, box.url, Path(folder), seconds)
        came = [datetime.fromisoformat(entry.at).timestamp() for entry in box.requests if entry.status != 429]  # noqa: PLR2004
        refused = len(box.requests) - len(came)
    share = in_a_window(sorted(came)) / case.attainable
    return (
        f"| {case.face} | {case.processes} | {case.connections} | {case.latency:g} s "
        f"| {len(came)} | {refused} | {share:.1%} | {cpu * 1000:.1f} ms |"
    )


def push(case: Case, url: str, folder: Path, seconds: float) -> float:
    """Let the clients push for about so many seconds; return the processor time of a request."""
    requests = round(case.attainable * (seconds / WINDOW + 0.5) / case.processes)
    quota = str(folder / "quota.sqlite") if case.processes > 1 else ""
    processes = [
        subprocess.Popen(
            [
                *(sys.executable, "-c", CLIENT, case.face, url, str(case.connections), str(requests)),
                *(str(folder / f"{number}.run"), quota),
            ],
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(case.processes)
    ]
    told = [json.loads(process.communicate()[0]) for process in processes]
    if any(figures["done"] != requests * BATCH for figures in told):
        raise SystemExit(f"not all rows are done: {told}")
    return float(sum(figures["cpu"] for figures in told) / len(told))


def in_a_window(times: Sequence[float]) -> float:
    """Return how many times a window holds, on average over all windows between the first and the last."""
    first, last = times[0] + WINDOW, times[-1] - WINDOW
    held = (max(0.0, min(time, last) - max(time - WINDOW, first)) for time in times)
    return sum(held) / (last - first)


if __name__ == "__main__":
    main()
