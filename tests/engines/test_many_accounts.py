"""Two processes serve the same accounts, and keep to one quota for each."""

import subprocess
import sys
from collections import Counter
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hubspot_batch.sandbox import Sandbox, SandboxAccount

if TYPE_CHECKING:
    from tests.engines.conftest import RedisServer

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "many_accounts.py"
PROCESSES, ACCOUNTS, BATCHES = 2, 4, 12
NUMBERS = count(1)


@pytest.mark.usefixtures("redis_package")
def test_two_processes_serve_the_same_accounts_without_a_refusal(
    redis_server: "RedisServer", tmp_path: Path
) -> None:
    accounts = [
        SandboxAccount(access_token=f"token-{number}", number=number, quota="10/2")
        for number in range(1, ACCOUNTS + 1)
    ]
    run = next(NUMBERS)
    for process in range(PROCESSES):
        for number in range(1, ACCOUNTS + 1):
            folder = tmp_path / str(process) / f"run-{run}-account-{number}"
            folder.mkdir(parents=True)
            (folder / "token").write_text(f"token-{number}", encoding="utf-8")
            names = [f"P{process}-{row}" for row in range(100 * BATCHES)]
            (folder / "orders.csv").write_text("\n".join(["hs_order_name", *names]), encoding="utf-8")

    with Sandbox(accounts=accounts) as sandbox:
        options = ("--base-url", sandbox.url, "--redis", redis_server.url)
        processes = [
            subprocess.Popen([sys.executable, str(EXAMPLE), str(tmp_path / str(process)), *options])
            for process in range(PROCESSES)
        ]
        codes = [process.wait() for process in processes]
        statuses = Counter(request.status for request in sandbox.requests)
        records = [
            len(sandbox.records("orders", access_token=f"token-{number}"))
            for number in range(1, ACCOUNTS + 1)
        ]

    assert codes == [0] * PROCESSES
    assert records == [100 * BATCHES * PROCESSES] * ACCOUNTS
    assert statuses == {201: BATCHES * PROCESSES * ACCOUNTS}
