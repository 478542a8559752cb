"""Ctrl-C and kill -9 in the middle of a run: no row is lost, none is doubled, and the run can go on.

`nox -s torture` runs the same test of kill -9 with more rows and more kills, set by environment variables.
"""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hubspot_batch import CreateInput, HubSpot
from hubspot_batch.bulk import Outcome, read_outcomes
from hubspot_batch.sandbox import Property, Sandbox

NUMBER = "hs_external_order_id"
ROWS = int(os.environ.get("TORTURE_ROWS", "4000"))
KILLS = int(os.environ.get("TORTURE_KILLS", "3"))
AT_ONCE = 4

SYNC = """
import sys
from hubspot_batch import HubSpot, Quota

def rows():
    for row in range(int(sys.argv[3])):
        yield {"properties": {"hs_order_name": f"A-{row}", "hs_external_order_id": f"X-{row}"}}

with HubSpot("sandbox-token", base_url=sys.argv[1], quota=Quota(1000, 1.0), timeout=30) as hub:
    hub.orders.create_all(rows(), journal=sys.argv[2], unique_property=sys.argv[4] or None, concurrency=4)
"""

ASYNC = """
import asyncio, sys
from hubspot_batch import AsyncHubSpot, Quota

async def rows():
    for row in range(int(sys.argv[3])):
        yield {"properties": {"hs_order_name": f"A-{row}", "hs_external_order_id": f"X-{row}"}}

async def main():
    async with AsyncHubSpot("sandbox-token", base_url=sys.argv[1], quota=Quota(1000, 1.0), timeout=30) as hub:
        await hub.orders.create_all(
            rows(), journal=sys.argv[2], unique_property=sys.argv[4] or None, concurrency=4
        )

asyncio.run(main())
"""

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has neither of these signals")


@contextmanager
def running(
    program: str, box: Sandbox, journal: Path, rows: int, unique_property: str = ""
) -> Generator[subprocess.Popen[str], None, None]:
    """Run a program that creates orders."""
    arguments = [box.url, str(journal), str(rows), unique_property]
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


def resumed(box: Sandbox, journal: Path, rows: int, unique_property: str | None = None) -> list[Outcome]:
    """Let the run go on to its end, and return its outcomes."""
    inputs: list[CreateInput] = [
        {"properties": {"hs_order_name": f"A-{row}", NUMBER: f"X-{row}"}} for row in range(rows)
    ]
    with HubSpot(box.access_token, base_url=box.url) as hub:
        report = hub.orders.create_all(inputs, journal=journal, unique_property=unique_property)
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
                wait_until(process, lambda: len(box.requests) == AT_ONCE)
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
            assert Counter(outcome.category for outcome in outcomes) == {"INTERRUPTED": 400, None: 2600}
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


class TestKill:
    """What the sandbox has received is what it has written, for all its faults here strike after that, or
    (429) are answered by the client with another attempt. `Sandbox.records` therefore tells it.
    """

    @pytest.fixture(params=["", NUMBER], ids=["without a unique property", "with one"])
    def unique_property(self, request: pytest.FixtureRequest) -> str:
        return str(request.param)

    @pytest.fixture
    def box(self, unique_property: str) -> Iterator[Sandbox]:
        with Sandbox(
            quota="100/1",
            properties={"orders": {NUMBER: Property("text", unique=bool(unique_property))}},
            faults={
                "502": 0.02,
                "504-after": 0.03,
                "reset-after": 0.03,
                "429-secondly=1": 0.02,
                "slow=0.1": 0.3,
            },
            seed=ROWS,
        ) as box:
            yield box

    def test_loses_and_doubles_nothing(self, box: Sandbox, journal: Path, unique_property: str) -> None:
        dice = random.Random(1)  # noqa: S311 - it decides on no secret
        for _ in range(KILLS):
            with running(SYNC, box, journal, ROWS, unique_property) as process:
                enough = box.faults.count + dice.randint(1, ROWS // 200 // (KILLS + 1))
                wait_until(process, lambda: box.faults.count >= enough)  # noqa: B023 - used at once
                time.sleep(dice.uniform(0, 0.03))
                assert process.poll() is None
                process.send_signal(signal.SIGKILL)
                assert process.wait(10) == -signal.SIGKILL
        with running(SYNC, box, journal, ROWS, unique_property) as process:
            _, errors = process.communicate(timeout=600)
        assert (process.returncode, errors) == (0, "")

        outcomes = list(read_outcomes(journal))
        assert [outcome.index for outcome in outcomes] == list(range(ROWS))
        self.assert_right(outcomes, box)
        if unique_property:
            assert {outcome.status for outcome in outcomes} == {"done"}
            assert len(box.records("orders")) == ROWS

    @staticmethod
    def assert_right(outcomes: list[Outcome], box: Sandbox) -> None:
        received = numbers(box)
        assert set(Counter(received.values()).values()) == {1}

        done = [outcome for outcome in outcomes if outcome.ok]
        assert all(outcome.id and received[outcome.id] == f"X-{outcome.index}" for outcome in done)

        lost = {
            f"X-{outcome.index}"
            for outcome in outcomes
            if outcome.category in {"HTTP_502", "HTTP_504", "NO_REPLY"}
        }
        interrupted = {f"X-{outcome.index}" for outcome in outcomes if outcome.category == "INTERRUPTED"}
        assert len(done) + len(lost) + len(interrupted) == len(outcomes)
        assert lost <= set(received.values())
        # Written down before it leaves, so some of it may not have left.
        assert set(received.values()) - interrupted == {f"X-{outcome.index}" for outcome in done} | lost
        assert len(interrupted) <= KILLS * AT_ONCE * 100
