"""kill -9 while batches are written: what was acknowledged is in the file."""

import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from hubspot_batch.sandbox import Sandbox

CREATE = "/crm/v3/objects/orders/batch/create"
HEADERS = {"Authorization": "Bearer sandbox-token"}
BATCH = 20

pytestmark = pytest.mark.posix


@contextmanager
def running(store: Path) -> Generator[tuple[subprocess.Popen[str], str], None, None]:
    """Run a sandbox in a process of its own; yield it with its address."""
    command = [sys.executable, "-m", "hubspot_batch", "sandbox"]
    options = ["--port", "0", "--quota", "none", "--store", str(store)]
    with subprocess.Popen([*command, *options], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process, process.stdout.readline().split()[2].rstrip(",")
        finally:
            process.kill()


def push(url: str, worker: str, acknowledged: dict[str, str]) -> None:
    """Send batches until the server is gone; note which order got which id."""
    with httpx.Client(base_url=url, headers=HEADERS) as http:
        for batch in range(100_000):
            names = [f"{worker}-{batch}-{index}" for index in range(BATCH)]
            body = {"inputs": [{"properties": {"hs_order_name": name}} for name in names]}
            try:
                reply = http.post(CREATE, json=body)
            except httpx.TransportError:
                return
            assert reply.status_code == 201
            acknowledged.update(
                (result["id"], result["properties"]["hs_order_name"]) for result in reply.json()["results"]
            )


@pytest.mark.parametrize("round_", [1, 2, 3])
def test_a_kill_loses_no_acknowledged_record(tmp_path: Path, round_: int) -> None:
    store = tmp_path / "box.sqlite"
    acknowledged: dict[str, str] = {}
    dice = random.Random(round_)  # noqa: S311 - it decides on no secret

    for life in range(2):
        with running(store) as (process, url):
            workers = [
                threading.Thread(target=push, args=(url, f"{life}-{number}", acknowledged))
                for number in range(3)
            ]
            for worker in workers:
                worker.start()
            before, deadline = len(acknowledged), time.monotonic() + 10
            while len(acknowledged) == before and time.monotonic() < deadline:
                time.sleep(0.001)
            time.sleep(dice.uniform(0, 0.3))
            process.send_signal(signal.SIGKILL)
            assert process.wait(10) == -signal.SIGKILL
            for worker in workers:
                worker.join(10)
                assert not worker.is_alive()

    with Sandbox(store=store) as box:
        stored = {record.id: record.properties["hs_order_name"] for record in box.records("orders")}
    assert acknowledged
    assert acknowledged.items() <= stored.items()
    assert max(Counter(stored.values()).values()) == 1
    # A batch is there as a whole, or not at all.
    batches = Counter(str(name).rpartition("-")[0] for name in stored.values())
    assert set(batches.values()) == {BATCH}
    # At most one batch of each worker was written and not acknowledged.
    assert len(stored) - len(acknowledged) <= 6 * BATCH
