"""The example for many accounts: each has its own, and what stops one does not stop the others."""

import subprocess
import sys
from pathlib import Path

import pytest

from hubspot_batch.bulk import read_outcomes
from hubspot_batch.sandbox import Property, Sandbox, SandboxAccount

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "many_accounts.py"
UNIQUE = {"orders": {"shop_number": Property("text", unique=True)}}


def account(number: int, quota: str = "100/10") -> SandboxAccount:
    return SandboxAccount(access_token=f"token-{number}", number=number, properties=UNIQUE, quota=quota)


def folder(parent: Path, name: str, token: str, rows: int = 150) -> None:
    (parent / name).mkdir(parents=True)
    (parent / name / "token").write_text(f"{token}\n", encoding="utf-8")
    lines = ["hs_order_name,shop_number", *(f"A-{number},S-{number}" for number in range(rows))]
    (parent / name / "orders.csv").write_text("\n".join(lines), encoding="utf-8")


def push(parent: Path, sandbox: Sandbox, *options: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, str(EXAMPLE), str(parent), "--base-url", sandbox.url, *options]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_what_stops_an_account_stops_no_other(tmp_path: Path) -> None:
    accounts = [account(1), account(2, quota="100/10,3"), account(3)]
    folder(tmp_path, "day-is-over", "token-2", rows=900)
    folder(tmp_path, "dead", "token-of-nothing")
    folder(tmp_path, "first", "token-1")
    folder(tmp_path, "no-token", "")
    (tmp_path / "no-token" / "token").unlink()
    folder(tmp_path, "third", "token-3")
    folder(tmp_path, "wrong", "token-3")
    (tmp_path / "wrong" / "orders.csv").write_text("hs_order_name,no_such\nA-1,1", encoding="utf-8")

    with Sandbox(accounts=accounts) as sandbox:
        done = push(tmp_path, sandbox, "--unique-property", "shop_number")
        records = [len(sandbox.records("orders", access_token=f"token-{number}")) for number in (1, 2, 3)]
        # The same command does nothing twice.
        (tmp_path / "dead" / "token").write_text("token-1", encoding="utf-8")
        again = push(tmp_path, sandbox, "--unique-property", "shop_number")

        assert len(sandbox.records("orders", access_token="token-1")) == 150

    said = dict(each.split(": ", 1) for each in sorted(done.stdout.splitlines()))
    assert done.stderr == ""
    assert done.returncode == 5
    assert said["first"] == said["third"] == "150 done, 0 rejected, 0 unknown"
    assert all("STOPPED" in said[name] for name in ("day-is-over", "dead", "no-token"))
    assert "of the day" in said["day-is-over"]
    assert records[0] == records[2] == 150
    assert 0 < records[1] < 900
    assert "dead: 150 done, 0 rejected, 0 unknown" in again.stdout
    outcomes = list(read_outcomes(tmp_path / "first" / "orders.run"))
    assert {outcome.status for outcome in outcomes} == {"done"}


@pytest.mark.parametrize(("rows", "code"), [(3, 0), (None, 1)])
def test_the_exit_code_says_how_it_went(tmp_path: Path, rows: int | None, code: int) -> None:
    if rows is not None:
        folder(tmp_path, "first", "token-1", rows)
    with Sandbox(accounts=[account(1)]) as sandbox:
        assert push(tmp_path, sandbox).returncode == code


def test_a_large_account_holds_up_no_small_one(tmp_path: Path) -> None:
    folder(tmp_path, "a-large", "token-1", rows=1500)
    folder(tmp_path, "b-small", "token-2", rows=10)
    with Sandbox(accounts=[account(1, quota="5/1"), account(2)]) as sandbox:
        done = push(tmp_path, sandbox)

    assert [line.split(":")[0] for line in done.stdout.splitlines()] == ["b-small", "a-large"]
