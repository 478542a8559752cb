"""The same command again: what goes on, what begins anew, what is refused; and the list of all runs."""

import json
import os
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hubspot_batch import HubSpot
from hubspot_batch.bulk import write_notes
from hubspot_batch.bulk._journal import Journal
from hubspot_batch.sandbox import SandboxAccount

if TYPE_CHECKING:
    from hubspot_batch.contract._inputs import CreateInput
    from tests.cli.conftest import Shell, Write

TOKEN = "pat-eu1-0b1f7c52"
NUMBER = "hs_external_order_id"
CSV = f"hs_order_name,{NUMBER}\nA-1,X-1\nA-2,X-2\n"
HALF = f"hs_order_name,{NUMBER}\n" + "".join(f"A-{row},X-{row}\n" for row in range(150))


def names(shell: "Shell") -> list[str | None]:
    return [row["hs_order_name"] for row in shell.sent()]


def listed(shell: "Shell") -> list[dict[str, object]]:
    return [json.loads(line) for line in shell("runs", "--json").out.splitlines()]


@pytest.fixture
def half(write: "Write", shell: "Shell") -> Path:
    """Return a file of 150 rows. A push has sent the first 100."""
    path = write("orders.csv", HALF)
    shell.box.faults.next(None, "429-daily")
    assert shell.push("create", "orders", path, "--concurrency", "1").code == 5
    assert len(shell.sent()) == 100
    return path


def held(shell: "Shell", path: Path, *options: str) -> subprocess.Popen[str]:
    """Start a push in a process of its own whose reply does not come for half a minute."""
    # The definitions come at once.
    shell.box.faults.next(*[None] * ("--unique-property" in options), "slow=30")
    process = shell.start("create", "orders", path, "--base-url", shell.box.url, *options)
    for _ in range(600):
        if shell.box.faults.count > ("--unique-property" in options):
            return process
        time.sleep(0.02)
    pytest.fail("nothing is sent")


class TestTheSameCommandAgain:
    def test_sends_nothing_where_it_was_finished(self, write: "Write", shell: "Shell") -> None:
        path = write("orders.csv", CSV)
        shell.push("create", "orders", path)

        done = shell.push("create", "orders", path)

        assert (done.code, done.err) == (0, "")
        assert done.out.splitlines()[0].startswith("2 of 2 orders created in 0.")
        assert ": 0 requests, " in done.out
        assert done.out.splitlines()[1] == (
            "nothing was sent: an earlier run has sent all rows; with --new, all of them are sent again"
        )
        assert len(shell.box.requests) == 1
        assert len(listed(shell)) == 1

    def test_says_again_what_was_refused(self, write: "Write", shell: "Shell") -> None:
        path = write("orders.csv", "hs_order_name,hs_total_price\nA-1,1\nA-2,nine\n")
        first = shell.push("create", "orders", path)
        requests = len(shell.box.requests)

        done = shell.push("create", "orders", path)

        assert (first.code, done.code) == (4, 4)
        assert "          1  hs_total_price: INVALID_LONG\n" in done.out
        assert len(shell.box.requests) == requests

    def test_goes_on_where_it_stopped(self, half: Path, shell: "Shell") -> None:
        done = shell.push("create", "orders", half)

        assert done.code == 0
        assert done.out.startswith("150 of 150 orders created in ")
        assert sorted(map(str, names(shell))) == sorted(f"A-{row}" for row in range(150))
        (run,) = listed(shell)
        assert (run["done"], run["exit_code"], run["requests"]) == (150, 0, 3)

    def test_from_another_folder_is_the_same(
        self, write: "Write", shell: "Shell", monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = write("orders.csv", CSV)
        shell.push("create", "orders", path)
        monkeypatch.chdir(path.parent)

        assert shell.push("create", "orders", "orders.csv").code == 0
        assert len(shell.sent()) == 2

    def test_of_standard_input_goes_by_what_is_in_it(self, shell: "Shell") -> None:
        for content in (CSV, CSV, CSV.replace("A-", "B-").replace("X-", "Y-")):
            assert shell.push("create", "orders", "-", stdin=content.encode()).code == 0

        assert sorted(map(str, names(shell))) == ["A-1", "A-2", "B-1", "B-2"]

    def test_new_begins_from_the_first_row(self, write: "Write", shell: "Shell") -> None:
        path = write("orders.csv", "hs_order_name\nA-1\n")
        for _ in range(3):
            assert shell.push("create", "orders", path, "--new").code == 0

        assert names(shell) == ["A-1"] * 3
        assert len(listed(shell)) == 3

    def test_a_killed_run_says_what_is_in_doubt(self, write: "Write", shell: "Shell") -> None:
        path = write("orders.csv", CSV)
        with held(shell, path) as process:
            process.kill()
            process.communicate(timeout=10)
        assert [run["state"] for run in listed(shell)] == ["unfinished"]

        done = shell.push("create", "orders", path)

        assert done.code == 6
        assert "          2  INTERRUPTED\n" in done.out
        assert len(shell.sent()) == 2

    def test_a_killed_run_goes_on_with_a_unique_property(self, write: "Write", shell: "Shell") -> None:
        path = write("orders.csv", CSV)
        with held(shell, path, "--unique-property", NUMBER) as process:
            process.kill()
            process.communicate(timeout=10)

        done = shell.push("create", "orders", path, "--unique-property", NUMBER)

        assert done.code == 0
        assert sorted(map(str, names(shell))) == ["A-1", "A-2"]


class TestAChangedFile:
    CHANGED = HALF.replace("A-7,", "B-7,")

    def test_of_a_finished_run_is_a_new_run(self, write: "Write", shell: "Shell") -> None:
        path = write("orders.csv", "hs_order_name\nA-1\n")
        shell.push("create", "orders", path)
        write("orders.csv", "hs_order_name\nB-1\n")

        assert shell.push("create", "orders", path).code == 0
        assert names(shell) == ["A-1", "B-1"]
        assert len(listed(shell)) == 2

    @pytest.mark.parametrize("change", ["file", "options"])
    def test_of_an_unfinished_run_is_refused(
        self, change: str, half: Path, write: "Write", shell: "Shell"
    ) -> None:
        (run,) = listed(shell)
        options = ["--drop", NUMBER] if change == "options" else []
        if change == "file":
            write("orders.csv", self.CHANGED.replace("X-", "Y-"))

        done = shell.push("create", "orders", half, *options)

        assert (done.code, done.out) == (1, "")
        assert done.err == (
            f"Error: run {run['run']} over this file stopped before its end, and the file or the options "
            "that say how to read it have changed since; take both as they were: with --new, all that it has "
            "done is done again; if no row that it has read has changed, it goes on with "
            f"--journal {shell.runs / str(run['run'])}.run\n"
        )
        assert len(shell.sent()) == 100
        assert shell.push("create", "orders", half, *options, "--new").code == 0
        assert len(shell.sent()) == 250

    def test_of_a_run_that_has_sent_nothing_is_a_new_run(self, write: "Write", shell: "Shell") -> None:
        path = write("orders.csv", CSV)
        shell.box.faults.next("429-daily")
        assert shell.push("create", "orders", path).code == 5
        write("orders.csv", "hs_order_name\nB-1\n")

        assert shell.push("create", "orders", path).code == 0
        assert names(shell) == ["B-1"]

    def test_goes_on_with_its_journal_if_only_later_rows_have_changed(
        self, write: "Write", shell: "Shell"
    ) -> None:
        rows = "".join(f"A-{row},X-{row}\n" for row in range(2000))
        content = f"hs_order_name,{NUMBER}\n{rows}"
        path = write("orders.csv", content.encode() + b"A-\xff,X\n")
        first = shell.push("create", "orders", path)
        assert first.code == 5
        assert "orders.csv, line 2002: not utf-8; save the file as UTF-8, or name its encoding" in first.err
        sent = len(shell.sent())
        assert 0 < sent < 2000
        write("orders.csv", f"{content}A-2000,X\n")
        (run,) = listed(shell)

        done = shell.push("create", "orders", path, "--journal", shell.runs / f"{run['run']}.run")

        assert done.code == 0
        assert sorted(map(str, names(shell))) == sorted(f"A-{row}" for row in range(2001))
        assert shell("results", run["run"]).out.count("\n") == 2002

    def test_is_refused_with_its_journal_if_a_row_that_was_read_has(
        self, half: Path, write: "Write", shell: "Shell"
    ) -> None:
        (run,) = listed(shell)
        write("orders.csv", self.CHANGED)

        done = shell.push("create", "orders", half, "--journal", shell.runs / f"{run['run']}.run")

        assert (done.code, done.out) == (1, "")
        assert (
            "row 7 of the source is not what it was; start it over the same source: with another journal, "
            in done.err
        )
        assert len(shell.sent()) == 100


class TestJournal:
    def test_a_journal_that_is_named(self, tmp_path: Path, write: "Write", shell: "Shell") -> None:
        path, journal = write("orders.csv", CSV), tmp_path / "logs of today" / "orders.run"

        for _ in range(2):
            done = shell.push("create", "orders", path, "--journal", journal)
            assert done.code == 0
            assert f"Run {journal}\n" in done.out

        assert len(shell.sent()) == 2
        assert listed(shell) == []
        assert shell("results", journal).out.count("\n") == 3

    def test_a_command_to_copy_is_quoted(self, tmp_path: Path, write: "Write", shell: "Shell") -> None:
        path = write("orders.csv", "hs_order_name,hs_total_price\nA-1,nine\n")

        done = shell.push("create", "orders", path, "--journal", tmp_path / "my run")

        assert f"  hubspot-batch results '{tmp_path}/my run' --rejected --output " in done.out

    def test_new_with_a_journal_that_holds_a_run(
        self, tmp_path: Path, write: "Write", shell: "Shell"
    ) -> None:
        path, journal = write("orders.csv", CSV), tmp_path / "orders.run"
        assert shell.push("create", "orders", path, "--journal", journal, "--new").code == 0

        done = shell.push("create", "orders", path, "--journal", journal, "--new")

        assert (done.code, done.out) == (1, "")
        assert done.err == (
            f"Error: the journal {journal} holds a run; leave out --new to go on with it: "
            "a new run would send its rows again\n"
        )

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (
                b"hs_order_name\nA-1\n" * 100,
                "cannot be used: file is not a database; name the journal of this run",
            ),
            (None, "cannot be used: "),
        ],
    )
    def test_a_file_that_is_not_a_journal(
        self, content: bytes | None, message: str, tmp_path: Path, write: "Write", shell: "Shell"
    ) -> None:
        journal = tmp_path / "folder" if content is None else write("notes.txt", content)
        if content is None:
            journal.mkdir()

        done = shell.push("create", "orders", write("orders.csv", CSV), "--journal", journal)

        assert (done.code, done.out) == (1, "")
        assert f"Error: the journal {journal} {message}" in done.err
        assert shell.sent() == []

    def test_a_journal_of_another_operation(self, tmp_path: Path, write: "Write", shell: "Shell") -> None:
        journal = tmp_path / "one.run"
        shell.push("create", "orders", write("orders.csv", CSV), "--journal", journal)

        done = shell.push("create", "carts", write("carts.csv", "hs_cart_name\nC\n"), "--journal", journal)

        assert (done.code, done.out) == (1, "")
        assert f"the journal {journal} belongs to another operation; name the journal of this run" in done.err

    def test_a_journal_of_the_library(self, tmp_path: Path, write: "Write", shell: "Shell") -> None:
        journal = tmp_path / "library.run"
        rows: list[CreateInput] = [
            {"properties": {"hs_order_name": f"A-{row}", NUMBER: f"X-{row}"}} for row in (1, 2)
        ]
        with HubSpot(TOKEN, base_url=shell.box.url) as hub:
            hub.orders.create_all(rows, journal=journal)

        done = shell("results", journal)
        assert done.code == 1
        assert "was not started by this command line, and its file is not known" in done.err

        done = shell.push("create", "orders", write("orders.csv", CSV), "--journal", journal)
        assert done.code == 0
        assert len(shell.box.requests) == 1
        assert shell("results", journal).out.count("\n") == 3

    @pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="nothing is read-only here")
    def test_a_runs_folder_that_is_read_only(self, write: "Write", shell: "Shell") -> None:
        shell.runs.mkdir(mode=0o500)

        done = shell.push("create", "orders", write("orders.csv", CSV))

        assert (done.code, done.out) == (1, "")
        assert "Permission denied" in done.err

    def test_a_runs_folder_that_is_a_file(self, write: "Write", shell: "Shell") -> None:
        shell.runs.write_text("")

        done = shell.push("create", "orders", write("orders.csv", CSV))

        assert (done.code, done.out) == (1, "")
        assert done.err == (
            f"Error: {shell.runs}: File exists; let this user write there: the journals in it tell what was "
            "sent, and a run with another folder (HUBSPOT_BATCH_RUNS) or journal (--journal) sends it again\n"
        )


class TestAccounts:
    def test_two_accounts_are_two_runs(self, write: "Write", shell: "Shell") -> None:
        other = "pat-eu1-other"
        shell.box = shell.open(accounts=[SandboxAccount(access_token=other, number=100_000_002)])
        path = write("orders.csv", CSV)
        for token in (TOKEN, other, TOKEN, other):
            shell.set("HUBSPOT_ACCESS_TOKEN", token)
            done = shell.push("create", "orders", path)
            assert (done.code, done.err) == (0, "")

        assert len(shell.box.records("orders")) == 2
        assert len(shell.box.records("orders", access_token=other)) == 2
        assert len(listed(shell)) == 2

    def test_an_unfinished_run_of_another_token_is_reported(self, half: Path, shell: "Shell") -> None:
        (run,) = listed(shell)
        shell.set("HUBSPOT_ACCESS_TOKEN", "pat-eu1-other")

        done = shell.push("create", "orders", half)

        assert done.code == 1
        assert done.err.startswith(
            f"Warning: run {run['run']} over this file, with another token, is not finished; "
            "this run does not continue it\n"
        )

    def test_two_services_are_two_runs(self, write: "Write", shell: "Shell") -> None:
        path = write("orders.csv", CSV)
        for _ in range(2):
            assert shell("create", "orders", path, "--sandbox").code == 0

        assert len({run["service"] for run in listed(shell)}) == 2


class TestARunThatIsGoingOn:
    def test_is_refused_a_second_time_and_listed(self, write: "Write", shell: "Shell") -> None:
        path = write("orders.csv", CSV)
        with held(shell, path) as process:
            again = shell.push("create", "orders", path, "--new")
            table = shell("runs").out
            results = shell("results", "latest")
            process.kill()
            process.communicate(timeout=10)

        (journal,) = shell.runs.glob("*.run")
        assert again == (1, "", f"Error: run {journal.stem} over this file is going on; wait for its end\n")
        assert results == (1, "", f"Error: run {journal.stem} is going on; wait for its end\n")
        assert table == f"{journal.stem}  going on\n"


class TestList:
    def test_none(self, shell: "Shell") -> None:
        done = shell("runs")

        assert (done.code, done.out) == (0, "")
        assert done.err == f"No runs yet; their journals will be in {shell.runs}\n"
        assert shell("runs", "--json") == (0, "", "")

    def test_the_folder_of_the_user(
        self, shell: "Shell", tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        shell.unset("HUBSPOT_BATCH_RUNS")
        shell.set("HOME", str(tmp_path))
        shell.set("XDG_CONFIG_HOME", str(tmp_path / "config"))

        shell.set("XDG_DATA_HOME", "relative")
        assert str(tmp_path / ".local/share/hubspot-batch/runs") in shell("runs").err
        shell.set("XDG_DATA_HOME", str(tmp_path / "data"))
        assert str(tmp_path / "data/hubspot-batch/runs") in shell("runs").err
        monkeypatch.setattr(sys, "platform", "darwin")
        assert "hubspot-batch/runs" in shell("runs").err

    def test_those_of_an_earlier_version_are_found(
        self, write: "Write", shell: "Shell", tmp_path: Path
    ) -> None:
        old, new = tmp_path / "config/hubspot-batch/runs", tmp_path / "data/hubspot-batch/runs"
        path = write("orders.csv", "hs_order_name\nA-1\n")
        shell.set("HUBSPOT_BATCH_RUNS", str(old))
        assert shell.push("create", "orders", path).code == 0

        shell.unset("HUBSPOT_BATCH_RUNS")
        shell.set("XDG_CONFIG_HOME", str(tmp_path / "config"))
        shell.set("XDG_DATA_HOME", str(tmp_path / "data"))
        again = shell.push("create", "orders", path)
        other = shell.push("create", "orders", write("b.csv", "hs_order_name\nB-1\n"))
        told = shell("runs")

        assert "nothing was sent" in again.out
        assert "1 of 1 orders created" in other.out
        assert len(list(old.glob("*.run"))) == len(list(new.glob("*.run"))) == 1
        assert told.out.count("finished") == 2
        assert f"Some are in {old}, from an earlier version; new ones are in {new}" in told.err
        assert shell("runs", "--delete", next(old.glob("*.run")).stem).code == 0

    def test_a_name(self, write: "Write", shell: "Shell") -> None:
        for number in range(2):
            path = write(f"{number}.csv", f"hs_order_name\nA-{number}\n")
            assert shell.push("create", "orders", path, "--name", "nightly").code == 0

        assert shell("runs").out.count("finished  nightly\n") == 2
        assert '"name": "nightly"' in shell("runs", "--json").out
        assert ",A-1\n" in shell("results", "nightly").out
        for name in ("latest", "-x", " ", "a\nb"):
            assert shell("create", "orders", "a.csv", f"--name={name}").code == 2

    def test_finished_and_unfinished(self, write: "Write", shell: "Shell") -> None:
        path = write("orders.csv", "hs_order_name,hs_total_price\nA-1,1\nA-2,nine\n")
        other = write("carts.csv", "hs_cart_name\nC-1\n")
        shell.push("create", "orders", path)
        (journal,) = shell.runs.glob("*.run")
        journal.rename(shell.runs / "20200101-000000-create-orders-0a1b2c3d.run")
        shell.box.faults.next("429-daily")
        shell.push("create", "carts", other)

        done = shell("runs")
        carts, orders = listed(shell)

        assert done.code == 0
        assert done.out.splitlines() == [
            f"{carts['run']}  unfinished",
            f"  1 or more left, from {other}",
            f"{orders['run']}  finished",
            f"  1 done, 1 rejected, from {path}",
        ]
        assert (carts["operation"], carts["state"], carts["left"], carts["exit_code"]) == (
            "create_carts",
            "unfinished",
            1,
            5,
        )
        assert (orders["state"], orders["exit_code"], orders["service"]) == ("finished", 4, shell.box.url)
        assert str(orders["started"]).endswith("Z")

    def test_a_file_that_is_not_a_journal_keeps_no_other_from_being_listed(
        self, write: "Write", shell: "Shell"
    ) -> None:
        path = write("orders.csv", CSV)
        shell.push("create", "orders", path)
        (journal,) = shell.runs.glob("*.run")
        name = journal.name.replace("-create-", "-update-")
        (shell.runs / name).write_text("no journal" * 100)

        assert sorted(str(run["state"]) for run in listed(shell)) == ["finished", "unreadable"]
        assert "unreadable" in shell("runs").out
        done = shell("results", name.removesuffix(".run"))
        assert (done.code, done.out) == (1, "")
        assert f"the journal {shell.runs / name} cannot be used: file is not a database" in done.err

    def test_a_broken_journal_of_the_same_command(self, write: "Write", shell: "Shell") -> None:
        path = write("orders.csv", "hs_order_name\nA-1\n")
        shell.push("create", "orders", path)
        (journal,) = shell.runs.glob("*.run")
        journal.write_text("no journal" * 100)

        done = shell.push("create", "orders", path)

        assert (done.code, done.out) == (1, "")
        assert done.err.endswith("; with --new, all that it has done is done again\n")
        assert shell.push("create", "orders", path, "--new").code == 0

    def test_a_journal_that_is_damaged_inside(self, write: "Write", shell: "Shell") -> None:
        shell.push("create", "orders", write("orders.csv", CSV))
        (journal,) = shell.runs.glob("*.run")
        with sqlite3.connect(journal) as database:
            database.execute("drop table rows")
        database.close()

        done = shell("results", "latest")

        assert (done.code, done.out) == (1, "")
        assert done.err.startswith(f"Error: the journal {journal} cannot be used: no such table: rows; ")

    def test_the_journal_is_released(self, write: "Write", shell: "Shell") -> None:
        shell.push("create", "orders", write("orders.csv", CSV))
        (path,) = shell.runs.glob("*.run")

        with Journal(path) as journal:
            assert json.loads(str(journal.meta()["command"]))[:2] == ["create", "orders"]


class TestRowsThatAreDoneAlready:
    ROWS = "".join(f"A-{row},{row}\n" for row in range(120))

    @pytest.fixture
    def done(self, write: "Write", shell: "Shell") -> Path:
        """Return a file. A push has done all its rows but the second."""
        path = write("orders.csv", f"hs_order_name,hs_total_price\n{self.ROWS}".replace("A-1,1", "A-1,one"))
        assert shell.push("create", "orders", path).code == 4
        assert len(shell.sent()) == 119
        return path

    def test_the_mended_file_as_a_whole_is_refused(self, done: Path, write: "Write", shell: "Shell") -> None:
        (run,) = listed(shell)
        write("orders.csv", f"hs_order_name,hs_total_price\n{self.ROWS}")

        again = shell.push("create", "orders", done)

        assert (again.code, again.out) == (1, "")
        assert again.err == (
            f"Error: run {run['run']} has done 99 of the first rows of this file already, and they would be "
            f"there twice; push what `hubspot-batch results {run['run']} --rejected` gives, name a "
            "--unique-property, or, if all of them are to be there twice, say --new\n"
        )
        assert len(shell.sent()) == 119

    @pytest.mark.parametrize("options", ["--new", "--unique-property=hs_order_name --assume-unique"])
    def test_unless_that_is_what_is_wanted(
        self, options: str, done: Path, write: "Write", shell: "Shell"
    ) -> None:
        write("orders.csv", f"hs_order_name,hs_total_price\n{self.ROWS}")

        assert shell.push("create", "orders", done, *options.split()).code == 0
        assert len(shell.sent()) == 239

    def test_an_update_can_be_made_again(self, done: Path, write: "Write", shell: "Shell") -> None:
        number = shell.box.records("orders")[0].id
        for name in ("B", "C"):
            path = write("changes.csv", f"id,hs_order_name\n{number},{name}\n{number},D\n")
            assert shell.push("update", "orders", path).code == 0
        assert done.exists()


class TestDeleting:
    def test_a_finished_run(self, write: "Write", shell: "Shell") -> None:
        path = write("orders.csv", CSV)
        shell.push("create", "orders", path)
        (run,) = listed(shell)

        done = shell("runs", "--delete", run["run"])

        assert done == (0, f"Deleted run {run['run']}\n", "")
        assert list(shell.runs.iterdir()) == []
        assert path.read_text() == CSV
        assert shell("runs", "--delete", run["run"]).code == 1

    def test_an_unfinished_run_only_by_force(self, half: Path, shell: "Shell") -> None:
        (run,) = listed(shell)

        done = shell("runs", "--delete", "latest")

        assert (done.code, done.out) == (1, "")
        assert done.err == (
            f"Error: run {run['run']} is not finished: 100 rows are written, 0 more may be; without the run, "
            "the same command would push them again and make doubles. Finish it with the same command, or "
            "delete it with --force\n"
        )
        assert len(listed(shell)) == 1
        assert shell("runs", "--delete", "latest", "--force").code == 0
        assert listed(shell) == []
        assert half.exists()

    def test_one_that_cannot_be_deleted_keeps_all(self, half: Path, write: "Write", shell: "Shell") -> None:
        shell.push("create", "carts", write("carts.csv", "hs_cart_name\nC-1\n"))
        names = [str(run["run"]) for run in listed(shell)]

        assert shell("runs", *(word for name in names for word in ("--delete", name))).code == 1

        assert len(listed(shell)) == 2
        assert half.exists()

    def test_finished_runs_that_are_old(self, half: Path, write: "Write", shell: "Shell") -> None:
        shell.push("create", "carts", write("carts.csv", "hs_cart_name\nC-1\n"))
        for journal in shell.runs.glob("*.run"):
            with Journal(journal) as opened:
                opened.set_meta({"started": "2020-01-01T00:00:00Z"})
        copies = [shell.runs / name for name in ("stdin-of-a-killed-command", "stdin-of-one-that-reads")]
        for copy in copies:
            copy.write_text(CSV)
        os.utime(copies[0], (0, 0))
        shell.push("create", "line-items", write("items.csv", "name\nwool\n"))
        names = {run["operation"]: run["run"] for run in listed(shell)}

        done = shell("runs", "--older-than", "30d")

        assert done == (
            0,
            (f"Deleted run {names['create_carts']}\nDeleted {copies[0]}, which no run needs\n"),
            f"Kept run {names['create_orders']}: it is not finished\n",
        )
        assert {run["operation"] for run in listed(shell)} == {"create_orders", "create_line_items"}
        assert [copy.exists() for copy in copies] == [False, True]
        assert half.exists()
        assert shell("runs", "--older-than", "9999d") == (0, "", "No finished run is that old\n")

    def test_old_runs_are_shown_and_asked_about_first(
        self, half: Path, write: "Write", shell: "Shell", monkeypatch: pytest.MonkeyPatch
    ) -> None:
        done = write("a.csv", "hs_order_name\nA-1\n")
        assert shell.push("create", "orders", done).code == 0
        for run in shell.runs.glob("*.run"):
            write_notes(run, {"started": "2020-01-01T00:00:00Z"})
        copy = shell.runs / "stdin-left"
        copy.write_text("a")
        os.utime(copy, (0, 0))

        shown = shell("runs", "--older-than", "30d", "--dry-run")
        monkeypatch.setattr("hubspot_batch.cli._list_runs._can_answer", lambda: True)
        refused = shell("runs", "--older-than", "30d", stdin=b"n\n")
        assert len(list(shell.runs.glob("*.run"))) == 2
        agreed = shell("runs", "--older-than", "30d", stdin=b"y\n")

        assert (shown.code, refused.code, agreed.code) == (0, 1, 0)
        assert f": 1 done, from {done}\n" in shown.out
        assert f"Would delete {copy}" in shown.out
        assert "is not finished" in shown.err
        assert "would push their rows again. Delete them? [y/N]" in refused.out
        assert "Deleted run " in agreed.out
        assert [run["state"] for run in listed(shell)] == ["unfinished"]
        assert half.exists()
        assert "go with --delete" in shell("runs", "--yes").err

    def test_the_copy_of_a_pipe_goes_with_its_run(self, shell: "Shell") -> None:
        shell.box.faults.next("429-daily")
        assert shell.push("create", "orders", "-", stdin=CSV.encode()).code == 5

        assert shell("runs", "--delete", "latest", "--force").code == 0

        assert list(shell.runs.iterdir()) == []

    def test_a_file_that_is_not_a_journal(self, write: "Write", shell: "Shell") -> None:
        shell.push("create", "orders", write("orders.csv", CSV))
        (journal,) = shell.runs.glob("*.run")
        journal.write_text("no journal" * 100)
        notes = write("notes.txt", "my notes" * 100)

        done = shell("runs", "--delete", notes, "--force")
        assert (done.code, notes.exists()) == (1, True)
        done = shell("runs", "--delete", journal.stem)
        assert (done.code, journal.exists()) == (1, True)
        assert "what it has written is not known and may double" in done.err
        assert shell("runs", "--delete", journal.stem, "--force").code == 0
        assert not journal.exists()

    def test_a_run_that_is_going_on(self, write: "Write", shell: "Shell") -> None:
        with held(shell, write("orders.csv", CSV)) as process:
            done = shell("runs", "--delete", "latest", "--force")
            process.kill()
            process.communicate(timeout=10)

        assert (done.code, len(listed(shell))) == (1, 1)


class TestWhatIsKept:
    @pytest.mark.posix
    def test_is_for_its_owner_only(self, tmp_path: Path, write: "Write", shell: "Shell") -> None:
        before = os.umask(0)
        try:
            done = shell.push(
                *("create", "orders", write("orders.csv", CSV), "--results", tmp_path / "results.csv"),
                *("--report", tmp_path / "page.html"),
            )
            shell("results", "latest", "--output", tmp_path / "again.csv")
        finally:
            os.umask(before)

        assert done.code == 0
        assert shell.runs.stat().st_mode & 0o777 == 0o700
        files = [
            *shell.runs.iterdir(),
            *(tmp_path / name for name in ("results.csv", "page.html", "again.csv")),
        ]
        assert {file.stat().st_mode & 0o777 for file in files} == {0o600}

        (tmp_path / "page.html").chmod(0o644)
        shell.push("create", "orders", tmp_path / "orders.csv", "--report", tmp_path / "page.html")
        assert (tmp_path / "page.html").stat().st_mode & 0o777 == 0o644

    @pytest.mark.parametrize("options", [("--set", f"hs_tags={TOKEN}"), (f"--set=hs_tags={TOKEN}",)])
    def test_holds_no_value_of_an_option(
        self, options: tuple[str, ...], write: "Write", shell: "Shell"
    ) -> None:
        path = write("orders.csv", "hs_order_name\nA-1\n")
        assert shell.push("create", "orders", path, *options).code == 0

        (journal,) = shell.runs.glob("*.run")
        assert TOKEN.encode() not in journal.read_bytes()
        with Journal(journal) as opened:
            command = json.loads(str(opened.meta()["command"]))
        assert command[3 : 3 + len(options)] == [option.replace(TOKEN, "...") for option in options]
        assert shell("results", "latest").out.count("\n") == 2
        # It tells one value from another all the same.
        assert shell.push("create", "orders", path, *options).code == 0
        assert len(shell.sent()) == 1
        assert shell.push("create", "orders", path, "--set", "hs_tags=else").code == 0
        assert len(shell.sent()) == 2
