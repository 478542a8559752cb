"""Ctrl-C, SIGTERM and a closed terminal during a push: what is in flight is waited for, the run can go on."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Shell, Write

pytestmark = pytest.mark.posix

STOPPING = "Stopping: waiting for what is in flight. Once more stops at once.\n"


@pytest.fixture
def path(write: "Write") -> Path:
    return write("orders.csv", "hs_order_name\n" + "".join(f"A-{row}\n" for row in range(300)))


@contextmanager
def pushing(
    shell: "Shell", path: Path, slow: str, *more: object, stderr: int = subprocess.PIPE
) -> Iterator["subprocess.Popen[str]"]:
    """Start a push, and yield when its first request is on its way. Its reply comes late."""
    shell.box.faults.next(slow)
    command = ("create", "orders", path, "--base-url", shell.box.url, "--concurrency", "1", *more)
    with shell.start(*command, stderr=stderr) as process:
        try:
            while not shell.box.faults.count:
                assert process.poll() is None
                time.sleep(0.02)
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_it_waits_for_what_is_in_flight(name: str, path: Path, shell: "Shell") -> None:
    with pushing(shell, path, "slow=1") as process:
        process.send_signal(signal.Signals[name])
        out, err = process.communicate(timeout=20)

    assert process.returncode == 5
    assert err == f"\n{STOPPING}Error: interrupted\n"
    assert out.startswith("100 of ")
    assert out.endswith("  the same command again goes on where this stopped\n")

    done = shell.push("create", "orders", path)
    assert done.code == 0
    assert sorted(str(row["hs_order_name"]) for row in shell.sent()) == sorted(
        f"A-{row}" for row in range(300)
    )


def test_two_that_come_as_one_are_one(path: Path, shell: "Shell") -> None:
    with pushing(shell, path, "slow=1") as process:
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=20)

    assert process.returncode == 5
    assert err.count(STOPPING) == 1
    assert out.startswith("100 of ")


def test_a_second_signal_ends_it_at_once(path: Path, shell: "Shell") -> None:
    with pushing(shell, path, "slow=30") as process:
        assert process.stderr
        process.send_signal(signal.SIGINT)
        assert process.stderr.readline() == "\n"
        assert process.stderr.readline() == STOPPING
        time.sleep(0.8)
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=20)

    assert time.monotonic() - began < 10
    assert process.returncode == 5
    assert err == "Error: interrupted\n"
    assert out.startswith("0 of ")

    done = shell.push("create", "orders", path)
    assert done.code == 6
    assert "        100  INTERRUPTED\n" in done.out
    assert len(shell.sent()) == 300


def test_at_the_very_end_it_changes_nothing(write: "Write", shell: "Shell") -> None:
    path = write("few.csv", "hs_order_name\nA-1\n")
    with pushing(shell, path, "slow=1") as process:
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)

    assert (process.returncode, err) == (0, f"\n{STOPPING}")
    assert out.startswith("1 of 1 orders created in ")
    assert shell("runs", "--json").report["state"] == "finished"


def test_the_reader_of_its_output_may_end_by_the_same_signal(path: Path, shell: "Shell") -> None:
    with pushing(shell, path, "slow=1", stderr=subprocess.STDOUT) as process:
        assert process.stdout
        process.stdout.close()
        process.send_signal(signal.SIGINT)
        process.wait(timeout=20)

    assert process.returncode == 5
    assert shell("runs", "--json").report["done"] == 100


def test_a_signal_that_nohup_has_it_ignore(path: Path, shell: "Shell") -> None:
    with ignoring(signal.SIGHUP), pushing(shell, path, "slow=1") as process:
        process.send_signal(signal.SIGHUP)
        out, err = process.communicate(timeout=20)

    assert (process.returncode, err) == (0, "")
    assert out.startswith("300 of 300 orders created in ")


def test_a_terminal_that_is_closed(path: Path, tmp_path: Path, shell: "Shell") -> None:
    ours, theirs = os.openpty()
    with pushing(shell, path, "slow=1", "--results", tmp_path / "results.csv", stderr=theirs) as process:
        os.close(theirs)
        os.close(ours)
        process.send_signal(signal.SIGHUP)
        out, _ = process.communicate(timeout=20)

    assert process.returncode == 5
    assert out.startswith("100 of ")
    assert (tmp_path / "results.csv").read_text().count(",done,") == 100


@pytest.mark.parametrize("command", [("create", "orders", "-"), ("validate", "create", "orders", "-")])
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_while_rows_come_from_a_pipe_it_leaves_no_copy(
    command: tuple[str, ...], name: str, tmp_path: Path, shell: "Shell"
) -> None:
    shell.set("TMPDIR", str(tmp_path))
    with shell.start(*command, stdin=subprocess.PIPE) as process:
        assert process.stdin
        process.stdin.write("hs_order_name\n" + "A\n" * 100_000)
        process.stdin.flush()
        while not any(file.is_file() for file in tmp_path.rglob("*")):
            time.sleep(0.02)
        process.send_signal(signal.Signals[name])
        out, err = process.communicate(timeout=20)

    assert (process.returncode, out, err) == (5, "", "Error: interrupted\n")
    assert not any(file.is_file() for file in tmp_path.rglob("*"))


@contextmanager
def ignoring(number: signal.Signals) -> Iterator[None]:
    """Let processes that are started meanwhile ignore a signal."""
    before = signal.signal(number, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(number, before)
