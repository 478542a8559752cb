"""Disks that are full or read-only, and readers that have had enough: a message and a code, no traceback."""

import errno
import subprocess
import sys
from collections import deque
from collections.abc import Iterator
from itertools import repeat
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from hubspot_batch.cli import _console, _files

if TYPE_CHECKING:
    from tests.cli.conftest import Shell, Write

ROWS = 4000
FULL = Path("/dev/full")
pytestmark = pytest.mark.posix
needs_full = pytest.mark.skipif(not FULL.exists(), reason="there is no /dev/full")


@pytest.fixture
def path(write: "Write") -> Path:
    return write("orders.csv", "hs_order_name\n" + "".join(f"A-{row}\n" for row in range(ROWS)))


@pytest.fixture
def few(write: "Write") -> Path:
    return write("few.csv", "hs_order_name\nA-1\nA-2\n")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """Return a disk of two megabytes."""
    path = tmp_path / "disk"
    path.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "none", str(path)]
    try:
        subprocess.run(mount, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("nothing can be mounted")
    try:
        yield path
    finally:
        subprocess.run(["umount", "--lazy", str(path)], check=True)


def piped(command: str, *arguments: object) -> "subprocess.CompletedProcess[str]":
    """Run a command whose standard output goes somewhere: `| head -1`, `> /dev/full`."""
    words = f'"{sys.executable}" -m hubspot_batch "$@" {command}'
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", words, "bash", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


class TestTheJournal:
    def test_a_disk_that_becomes_full(self, disk: Path, path: Path, shell: "Shell") -> None:
        shell.box = shell.open(quota="none")
        shell.set("HUBSPOT_BATCH_RUNS", str(disk))
        ballast = disk / "ballast"
        ballast.write_bytes(bytes(1_900_000))

        done = shell.push("create", "orders", path)
        assert done.code == 5
        assert (
            "Error: the run stopped: database or disk is full; make room on the disk of the journal, "
            "then start it again to go on\n"
        ) in done.err
        assert "  the same command again goes on where this stopped\n" in done.out
        # The answers are told although the journal does not take them.
        assert f"{len(shell.sent()):,} of " in done.out
        assert 0 < len(shell.sent()) < ROWS

        ballast.unlink()
        again = shell.push("create", "orders", path)
        # Room was held back for the answers to what had left.
        assert again.code == 0
        names = [row["hs_order_name"] for row in shell.sent()]
        assert len(set(names)) == len(names) == ROWS

    def test_a_file_that_cannot_grow(self, path: Path, shell: "Shell") -> None:
        shell.box = shell.open(quota="none")
        # What measures coverage would write files of its own.
        limited = (
            f'unset COVERAGE_PROCESS_CONFIG; ulimit -f 160; exec "{sys.executable}" -m hubspot_batch "$@"'
        )
        arguments = ("create", "orders", str(path), "--base-url", shell.box.url)

        done = subprocess.run(
            ["bash", "-c", limited, "bash", *arguments],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 5
        assert (
            "Error: the run stopped: disk I/O error; see that the disk of the journal works, and has room, "
            "then start it again to go on\n"
        ) in done.stderr
        assert "Traceback" not in done.stderr
        # The answers are told although the journal does not take them.
        assert f"{len(shell.sent()):,} of " in done.stdout
        assert 0 < len(shell.sent()) < ROWS

        again = shell.push("create", "orders", path)
        assert again.code in {0, 6}
        names = [row["hs_order_name"] for row in shell.sent()]
        assert len(set(names)) == len(names) == ROWS

    def test_a_disk_that_is_full_from_the_start(self, disk: Path, few: Path, shell: "Shell") -> None:
        shell.set("HUBSPOT_BATCH_RUNS", str(disk))
        with (disk / "ballast").open("wb", buffering=0) as file, pytest.raises(OSError, match="No space"):
            deque(map(file.write, repeat(bytes(4096))), maxlen=0)

        for arguments, stdin in (
            (("create", "orders", few), b""),
            (("create", "orders", "-"), b"hs_order_name\nA\n"),
        ):
            done = shell.push(*arguments, stdin=stdin)
            assert (done.code, done.out) == (1, "")
            assert done.err.startswith("Error: ")
            assert "full" in done.err or "No space left on device" in done.err
        assert shell.sent() == []
        assert shell("runs").code == 0

    def test_a_disk_that_is_read_only(self, disk: Path, few: Path, shell: "Shell") -> None:
        shell.set("HUBSPOT_BATCH_RUNS", str(disk / "runs"))
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)

        for source, stdin in ((few, b""), ("-", b"hs_order_name\nA\n")):
            done = shell.push("create", "orders", source, stdin=stdin)
            assert (done.code, done.out) == (1, "")
            assert done.err.startswith(f"Error: {disk / 'runs'}: Read-only file system; ")
        assert shell.sent() == []

        done = shell.push("create", "orders", few, "--journal", disk / "orders.run")
        assert (done.code, done.out) == (1, "")
        assert "Read-only file system" in done.err


@needs_full
class TestOutputs:
    @pytest.mark.parametrize("option", ["--results", "--report"])
    def test_of_a_push(self, option: str, few: Path, shell: "Shell") -> None:
        done = shell.push("create", "orders", few, option, FULL)

        # All is sent. The same command with another file would send nothing, and write that.
        assert done.code == 5
        assert done.out.startswith("2 of 2 orders created in ")
        assert done.err == "Error: /dev/full: No space left on device; name a file that can be written\n"
        assert len(shell.sent()) == 2

    def test_of_the_summary(self, few: Path, tmp_path: Path, shell: "Shell") -> None:
        results = tmp_path / "results.csv"

        done = piped(
            "> /dev/full", *("create", "orders", few, "--base-url", shell.box.url, "--results", results)
        )

        assert (done.returncode, done.stderr) == (5, "Error: standard output: No space left on device\n")
        assert results.read_text().count("\n") == 3

    def test_of_results(self, few: Path, shell: "Shell") -> None:
        shell.push("create", "orders", few)

        assert shell("results", "latest", "--output", FULL) == (
            1,
            "",
            "Error: /dev/full: No space left on device; name a file that can be written\n",
        )

    @pytest.mark.parametrize(
        "command", ["results latest", "runs", "document", "version", "--version", "--help"]
    )
    def test_standard_output(self, command: str, few: Path, shell: "Shell") -> None:
        shell.push("create", "orders", few)

        done = piped("> /dev/full", *command.split())

        assert done.returncode == 1
        assert done.stderr.startswith("Error: standard output: No space left on device")
        assert done.stderr.count("\n") == 1


@pytest.mark.usefixtures("shell")
class TestReadersThatHaveEnough:
    def test_of_results(self, path: Path, shell: "Shell") -> None:
        shell.box = shell.open(quota="none")
        shell.push("create", "orders", path)

        done = piped("| head -1", "results", "latest")

        assert (done.stdout, done.stderr) == (
            "_row,_outcome,_id,_code,_message,_action,_key,hs_order_name\n",
            "",
        )
        assert done.returncode == 1

    def test_of_the_document(self) -> None:
        done = piped("| head -1", "document")

        assert (done.stdout, done.stderr) == ("{\n", "")

    def test_of_a_text(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def closed(_: str) -> None:
            raise BrokenPipeError

        monkeypatch.setattr(_files, "click", SimpleNamespace(echo=closed))
        with pytest.raises(BrokenPipeError):
            _files.write_text(_files.STDIN, "<!doctype html>")

    def test_on_windows_it_is_another_error(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(_console, "os", SimpleNamespace(name="nt"))

        assert _console.is_unread(OSError(errno.EINVAL, "Invalid argument"))
        assert not _console.is_unread(OSError(errno.EINVAL, "Invalid argument", "a<b.csv"))
        monkeypatch.undo()
        assert not _console.is_unread(OSError(errno.EINVAL, "Invalid argument"))

    @pytest.mark.parametrize("streams", ["| true", "2>&1 | true"])
    def test_of_a_push(self, streams: str, few: Path, tmp_path: Path, shell: "Shell") -> None:
        shell.box.faults.next("slow=0.5")
        page = tmp_path / "run.html"

        done = piped(streams, "create", "orders", few, "--base-url", shell.box.url, "--report", page)

        assert (done.returncode, done.stderr) == (0, "")
        assert page.stat().st_size > 1000
        assert shell("runs", "--json").report["exit_code"] == 0

    def test_of_faults(self, write: "Write") -> None:
        path = write("orders.csv", "hs_order_name\n" + "A,B\n" * 5000)

        done = piped("| head -1", "validate", "create", "orders", path)

        assert done.stdout.startswith("row 1, line 2: ")
        assert done.stderr == ""


class TestStreamsThatAreMissingOrPoor:
    @pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
    def test_a_name_that_the_console_lacks_ends_nothing(
        self, encoding: str, write: "Write", tmp_path: Path, shell: "Shell"
    ) -> None:
        path = write("東京.jsonl", '{"hs_order_name": "A-1"}\n{"hs_order_name": "A-2", "東京": "x"}\n')
        shell.set("PYTHONIOENCODING", encoding)
        outputs = [tmp_path / "results.jsonl", tmp_path / "page.html"]

        done = piped(
            "",
            *("create", "orders", path, "--base-url", shell.box.url),
            *("--results", outputs[0], "--report", outputs[1]),
        )

        assert (done.returncode, done.stderr) == (4, "")
        # click writes UTF-8 where it is told ASCII.
        name = "\\u6771\\u4eac" if encoding == "cp1252" else "東京"
        assert f"{name}-rejected.jsonl" in done.stdout
        assert outputs[0].read_text(encoding="utf-8").count("\n") == 2
        assert "東京" in outputs[1].read_text(encoding="utf-8")
        for command in ("runs", "results latest"):
            done = piped("", *command.split())
            assert (done.returncode, done.stderr) == (0, "")
        done = piped("", *("create", "orders", path, "--base-url", shell.box.url, "--report", "-"))
        assert (done.returncode, done.stdout[:15]) == (4, "<!doctype html>")

    @pytest.mark.usefixtures("shell")
    def test_the_demo(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PYTHONIOENCODING", "ascii")

        assert piped("", "demo").returncode == 0

    @pytest.mark.usefixtures("shell")
    @pytest.mark.parametrize(
        "command", ["create orders -", "create orders - --dry-run", "validate create orders -"]
    )
    def test_without_standard_input(self, command: str) -> None:
        done = piped("<&-", *command.split())

        assert done.returncode == 1
        assert "standard input is closed" in done.stderr
        assert done.stderr.count("\n") == 1

    def test_without_standard_output(self, few: Path, tmp_path: Path, shell: "Shell") -> None:
        results = tmp_path / "results.csv"

        done = piped(">&-", *("create", "orders", few, "--base-url", shell.box.url, "--results", results))
        assert (done.returncode, done.stderr) == (0, "")
        assert results.read_text().count("\n") == 3

        done = piped(">&-", "results", "latest")
        assert (done.returncode, done.stderr.count("\n")) == (1, 1)
        assert "standard output is closed" in done.stderr
        assert piped("2>&-", "results", "no-such-run").returncode == 1
