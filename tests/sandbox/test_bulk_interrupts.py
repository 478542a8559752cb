"""Ctrl-C in the middle of a run: no row is lost, none is doubled, and the run can go on."""

import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hubspot_batch import CreateInput, HubSpot
from hubspot_batch.bulk import Outcome, read_outcomes
from hubspot_batch.bulk._run import FIRST_BATCHES
from hubspot_batch.sandbox import Sandbox

NUMBER = "hs_external_order_id"
AT_ONCE = 4

# A background job ignores Ctrl-C, and so would what it starts.
SYNC = """
import signal, sys
from hubspot_batch import HubSpot, Quota

def rows():
    for row in range(int(sys.argv[3])):
        yield {"properties": {"hs_order_name": f"A-{row}", "hs_external_order_id": f"X-{row}"}}

signal.signal(signal.SIGINT, signal.default_int_handler)
with HubSpot("sandbox-token", base_url=sys.argv[1], quota=Quota(1000, 1.0), timeout=30) as hub:
    hub.orders.create_all(rows(), journal=sys.argv[2], concurrency=4)
"""

ASYNC = """
import asyncio, signal, sys
from hubspot_batch import AsyncHubSpot, Quota

async def rows():
    for row in range(int(sys.argv[3])):
        yield {"properties": {"hs_order_name": f"A-{row}", "hs_external_order_id": f"X-{row}"}}

async def main():
    async with AsyncHubSpot("sandbox-token", base_url=sys.argv[1], quota=Quota(1000, 1.0), timeout=30) as hub:
        await hub.orders.create_all(rows(), journal=sys.argv[2], concurrency=4)

signal.signal(signal.SIGINT, signal.default_int_handler)
asyncio.run(main())
"""

pytestmark = pytest.mark.posix


@contextmanager
def running(
    program: str, box: Sandbox, journal: Path, rows: int
) -> Generator[subprocess.Popen[str], None, None]:
    """Run a program that creates orders."""
    arguments = [box.url, str(journal), str(rows)]
    with subprocess.Popen(
        [sys.executable, "-c", program, *arguments], stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def wait_until(process: subprocess.Popen[str], reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not reached():
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline
        time.sleep(0.002)


def numbers(box: Sandbox) -> dict[str, str | None]:
    """Return which number the order of each record id has."""
    return {record.id: record.properties[NUMBER] for record in box.records("orders")}


def resumed(box: Sandbox, journal: Path, rows: int) -> list[Outcome]:
    """Let the run go on to its end, and return its outcomes."""
    inputs: list[CreateInput] = [
        {"properties": {"hs_order_name": f"A-{row}", NUMBER: f"X-{row}"}} for row in range(rows)
    ]
    with HubSpot(box.access_token, base_url=box.url) as hub:
        report = hub.orders.create_all(inputs, journal=journal)
    assert report.finished
    return list(report.outcomes)


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "orders.run"


@pytest.mark.parametrize("program", [SYNC, ASYNC], ids=["HubSpot", "AsyncHubSpot"])
class TestCtrlC:
    def test_once_waits_for_what_is_in_flight_and_sends_nothing_more(
        self, program: str, journal: Path
    ) -> None:
        with Sandbox(faults={"slow=0.5": 1.0}) as box:
            with running(program, box, journal, 3000) as process:
                wait_until(process, lambda: len(box.requests) >= 6)
                process.send_signal(signal.SIGINT)
                time.sleep(0.2)
                sent = len(box.requests)
                _, errors = process.communicate(timeout=10)
            assert process.returncode == -signal.SIGINT
            assert errors.rstrip().endswith("KeyboardInterrupt")

            assert len(box.requests) == sent < 30
            assert {outcome.id: f"X-{outcome.index}" for outcome in read_outcomes(journal)} == numbers(box)
            box.faults.clear()
            outcomes = resumed(box, journal, 3000)
            assert {outcome.id: f"X-{outcome.index}" for outcome in outcomes} == numbers(box)
            assert len(outcomes) == len(box.records("orders")) == 3000
            assert len(box.requests) == 30

    def test_twice_waits_for_nothing(self, program: str, journal: Path) -> None:
        with Sandbox(faults={"slow=20": 1.0}) as box:
            with running(program, box, journal, 3000) as process:
                # Before the first answer no more are sent.
                wait_until(process, lambda: len(box.requests) == FIRST_BATCHES)
                process.send_signal(signal.SIGINT)
                with pytest.raises(subprocess.TimeoutExpired):
                    process.communicate(timeout=0.7)
                process.send_signal(signal.SIGINT)
                began = time.monotonic()
                _, errors = process.communicate(timeout=30)
                assert time.monotonic() - began < 3
            assert process.returncode == -signal.SIGINT
            assert errors.rstrip().endswith("KeyboardInterrupt")

            box.faults.clear()
            outcomes = resumed(box, journal, 3000)
            assert Counter(outcome.category for outcome in outcomes) == {"INTERRUPTED": 300, None: 2700}
            assert len(box.records("orders")) == 3000

    def test_does_not_wait_for_the_quota(self, program: str, journal: Path) -> None:
        with Sandbox(quota="5/30") as box:
            with running(program, box, journal, 3000) as process:
                wait_until(process, lambda: len(box.records("orders")) == 500)
                time.sleep(0.2)
                process.send_signal(signal.SIGINT)
                process.communicate(timeout=5)
            assert process.returncode == -signal.SIGINT
            assert {outcome.id: f"X-{outcome.index}" for outcome in read_outcomes(journal)} == numbers(box)
