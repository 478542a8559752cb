"""Programs without an engine: a run with a journal fails, and the same program is started again."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hubspot_batch import BulkError, HubSpot
from hubspot_batch.bulk import read_outcomes
from hubspot_batch.sandbox import Property, Sandbox
from tests.engines.conftest import Gate, doubled

UNIQUE = {"orders": {"shop_number": Property("text", unique=True)}}
ROOT = Path(__file__).parents[2]
ROWS = 600


@pytest.fixture
def box(gate: Gate) -> Iterator[Sandbox]:  # noqa: ARG001 - the gate is there when the sandbox starts
    with Sandbox(properties=UNIQUE, quota="1000/1") as box:
        yield box


def push(url: str, token: str, journal: str, key: str, *, fails_at: int = ROWS) -> None:
    """Push orders with a journal. The source fails at a row, if there is one of that number."""

    def rows() -> Iterator[Any]:
        for number in range(ROWS):
            if number == fails_at:
                raise RuntimeError("the source failed")
            properties = {"shop_number": f"A-{number}", "hs_order_name": f"Order {number}"}
            if key == "upsert":
                yield {"id": f"A-{number}", "idProperty": "shop_number", "properties": properties}
            else:
                yield {"properties": properties}

    options: dict[str, Any] = {"journal": journal, "account": "sandbox", "concurrency": 1}
    with HubSpot(token, base_url=url) as hub:
        if key == "upsert":
            hub.orders.upsert_all(rows(), **options)
        elif key == "unique":
            hub.orders.create_all(rows(), unique_property="shop_number", existing="keep", **options)
        else:
            hub.orders.create_all(rows(), **options)


@pytest.mark.posix
@pytest.mark.parametrize("key", ["none", "unique", "upsert"])
@pytest.mark.parametrize("fault", ["raises", "killed"])
def test_a_program_is_started_again(box: Sandbox, gate: Gate, tmp_path: Path, key: str, fault: str) -> None:
    journal = str(tmp_path / "orders.run")
    if fault == "killed":
        gate.hold(3, lambda: program.kill())  # noqa: PLW0108 - the program is not there yet
        command = [sys.executable, "-m", __name__, box.url, box.access_token, journal, key]
        # It waits for a line, so the program is known before its first request.
        program = subprocess.Popen(command, stdin=subprocess.PIPE, cwd=ROOT)
        program.communicate(b"\n", timeout=60)
        assert program.returncode == -9
        assert len(box.records("orders")) == 300
    else:
        with pytest.raises(BulkError, match="RuntimeError was raised"):
            push(box.url, box.access_token, journal, key, fails_at=350)
        assert 0 < len(box.records("orders")) < ROWS
    push(box.url, box.access_token, journal, key)
    unknown = [outcome.index for outcome in read_outcomes(journal) if outcome.status == "unknown"]
    assert sum(outcome.ok for outcome in read_outcomes(journal)) == ROWS - len(unknown)
    assert doubled(box) == 0
    assert len(box.records("orders")) == ROWS
    # Without a key, the request that had no reply stays in doubt. It is the third.
    assert unknown == ([*range(200, 300)] if (key, fault) == ("none", "killed") else [])


if __name__ == "__main__":
    sys.stdin.readline()
    push(*sys.argv[1:5])
