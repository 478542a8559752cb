"""`--changed-only`: what was last sent is not sent again, also if the export has another name."""

import csv
import json
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hubspot_batch.sandbox import Property, SandboxAccount

if TYPE_CHECKING:
    from tests.cli.conftest import Done, Shell, Write

NUMBER = "hs_external_order_id"
OTHER = "pat-eu1-another-0b1f"
KEY = ("--id-property", NUMBER)


def export(*rows: tuple[str, str], column: str = "hs_order_name") -> str:
    return "".join(f"{','.join(row)}\n" for row in [(NUMBER, column), *rows])


FIRST = export(*((f"X-{row}", f"A {row}") for row in range(300)))
NIGHT = FIRST.replace("A 7\n", "A seven\n") + "X-300,A 300\n"


def upsert(shell: "Shell", path: Path, *options: object) -> "Done":
    return shell.push("upsert", "orders", path, *KEY, "--changed-only", *options)


def actions(done: "Done") -> dict[str, int]:
    told: dict[str, int] = done.report["actions"]
    return told


def sent_files(shell: "Shell") -> Sequence[Path]:
    return sorted(shell.runs.glob("*.sent"))


def test_only_rows_that_are_new_or_differ_are_sent(write: "Write", shell: "Shell", tmp_path: Path) -> None:
    assert upsert(shell, write("monday.csv", FIRST)).code == 0

    done = upsert(shell, write("tuesday.csv", NIGHT), "--results", tmp_path / "results.csv")

    assert done.code == 0
    lines = done.out.splitlines()
    assert lines[0].startswith("2 of 301 orders upserted in ")
    assert sorted(lines[1].split(", ")) == ["created 1", "unchanged 299", "updated 1"]
    assert lines[2] == "2 sent, 299 unchanged: --all sends those, too"
    assert {row[NUMBER]: row["hs_order_name"] for row in shell.sent()}["X-7"] == "A seven"
    with (tmp_path / "results.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    ids = {one.properties[NUMBER]: one.id for one in shell.box.records("orders")}
    assert {row[NUMBER]: row["_id"] for row in rows} == ids
    assert {row["_outcome"] for row in rows} == {"done"}


def test_nothing_new(write: "Write", shell: "Shell") -> None:
    path = write("orders.csv", FIRST)
    upsert(shell, path)
    requests = len(shell.box.requests)

    done = upsert(shell, path)

    assert done.code == 0
    assert "0 sent, 300 unchanged" in done.out
    assert "nothing was sent" not in done.out
    # The definitions.
    assert len(shell.box.requests) == requests + 1


def test_the_same_file_again_sends_what_was_refused(write: "Write", shell: "Shell") -> None:
    path = write("orders.csv", f"{NUMBER},hs_order_name,hs_total_price\nX-1,A,1\nX-2,A,nine\n")

    assert [upsert(shell, path).code for _ in range(2)] == [4, 4]
    assert "1 sent, 1 unchanged" in upsert(shell, path).out


def test_rows_that_cannot_be_sent_are_not_called_sent(write: "Write", shell: "Shell") -> None:
    path = write("orders.csv", f"{NUMBER},hs_order_name\nX-1,A\n,B\n")
    upsert(shell, path)

    done = upsert(shell, path)

    assert done.code == 4
    assert "1 new or changed, 1 unchanged" in done.out


def test_all_sends_all_and_remembers_them(write: "Write", shell: "Shell") -> None:
    path = write("orders.csv", FIRST)
    upsert(shell, path)

    for options in (["--all"], ["--all", "--changed-only"]):
        done = shell.push("upsert", "orders", path, *KEY, *options, "--json")
        assert actions(done) == {"updated": 300}
    assert actions(upsert(shell, path, "--json")) == {"unchanged": 300}


def test_a_push_without_the_option_is_remembered_too(write: "Write", shell: "Shell") -> None:
    first, night = write("first.csv", FIRST), write("night.csv", NIGHT)
    upsert(shell, first)
    shell.push("upsert", "orders", night, *KEY)

    assert actions(upsert(shell, first, "--json")) == {"unchanged": 299, "updated": 1}
    names = {row[NUMBER]: row["hs_order_name"] for row in shell.sent()}
    assert names["X-7"] == "A 7"


def test_a_push_without_the_option_remembers_nothing_of_itself(write: "Write", shell: "Shell") -> None:
    shell.push("upsert", "orders", write("orders.csv", FIRST), *KEY)
    assert not sent_files(shell)


def test_updates_and_upserts_with_one_key_share_what_was_sent(write: "Write", shell: "Shell") -> None:
    path = write("orders.csv", FIRST)
    upsert(shell, path)
    done = shell.push("update", "orders", path, *KEY, "--changed-only", "--json")
    assert actions(done) == {"unchanged": 300}
    assert len(sent_files(shell)) == 1


def test_another_key_and_another_type_have_their_own(write: "Write", shell: "Shell") -> None:
    upsert(shell, write("orders.csv", FIRST))
    ids = "".join(f"{one.id},x\n" for one in shell.box.records("orders"))
    shell.push("update", "orders", write("ids.csv", f"id,hs_order_note\n{ids}"), "--changed-only")
    items = write("items.csv", "hs_external_id,name\nI-1,Chain\n")
    shell.push("upsert", "line-items", items, "--id-property", "hs_external_id", "--changed-only")

    assert len(sent_files(shell)) == 3


def test_another_mapping_is_another_row(write: "Write", shell: "Shell") -> None:
    path = write("orders.csv", FIRST)
    upsert(shell, path)
    done = upsert(shell, path, "--set", "hs_currency_code=EUR", "--json")
    assert actions(done) == {"updated": 300}


def test_another_account_sends_all(write: "Write", shell: "Shell") -> None:
    path = write("orders.csv", FIRST)
    unique = {"orders": {NUMBER: Property("text", unique=True)}}
    shell.box = shell.open(
        accounts=[SandboxAccount(access_token=OTHER, number=100_000_002, properties=unique)],
        properties=unique,
    )
    upsert(shell, path)
    shell.set("HUBSPOT_ACCESS_TOKEN", OTHER)

    assert actions(upsert(shell, path, "--json")) == {"created": 300}
    assert len(sent_files(shell)) == 2
    assert not any(OTHER.encode() in file.read_bytes() for file in sent_files(shell))


def test_an_interrupted_run_goes_on(write: "Write", shell: "Shell") -> None:
    path = write("orders.csv", FIRST)
    shell.box.faults.next(None, None, "429-daily")
    assert upsert(shell, path, "--concurrency", "1").code == 5
    (facts,) = (json.loads(line) for line in shell("runs", "--json").out.splitlines() if '"sent"' in line)
    assert facts["rows"] == 100

    # The next night's export has taken its place.
    done = upsert(shell, write("orders.csv", NIGHT), "--json")
    assert (done.code, actions(done)["unchanged"]) == (0, 99)
    assert len(shell.sent()) == 301


def test_they_are_listed_and_deleted_with_the_runs(write: "Write", shell: "Shell") -> None:
    path = write("orders.csv", FIRST)
    upsert(shell, path)
    (file,) = sent_files(shell)

    listed = shell("runs")
    told = f"{file.name}  what was last sent: 300 orders by {NUMBER}, to {shell.box.url}"
    assert listed.out.splitlines()[-1] == told
    assert shell("runs", "--delete", file.name, "--dry-run").out == f"Would delete {told}\n"
    deleted = shell("runs", "--delete", file.name)
    assert deleted.out == f"Deleted {file.name}: --changed-only sends all rows once more\n"
    assert not sent_files(shell)
    assert actions(upsert(shell, path, "--json")) == {"updated": 300}


def test_those_that_are_not_used_grow_old(write: "Write", shell: "Shell") -> None:
    upsert(shell, write("orders.csv", FIRST))
    (file,) = sent_files(shell)
    shell("runs", "--older-than", "1d", "--yes")
    assert sent_files(shell) == [file]

    old = time.time() - 3 * 86_400
    os.utime(file, (old, old))
    shell("runs")
    assert file.name in shell("runs", "--older-than", "1d", "--yes").out
    assert not sent_files(shell)


def test_one_that_is_damaged_stops_before_anything_is_sent(write: "Write", shell: "Shell") -> None:
    path = write("orders.csv", FIRST)
    upsert(shell, path)
    (file,) = sent_files(shell)
    file.write_bytes(b"x" * 8192)
    requests = len(shell.box.requests)

    for options in ([*KEY, "--changed-only"], [*KEY, "--all"], [*KEY, "--new"]):
        done = shell.push("upsert", "orders", path, *options)
        assert (done.code, done.out) == (1, "")
        assert "runs --delete" in done.err
    assert len(shell.box.requests) == requests
    assert f"{file.name}  unreadable" in shell("runs").out
    assert len(list(shell.runs.glob("*.run"))) == 1
    shell("runs", "--delete", file.name)
    assert upsert(shell, path).code == 0


def test_two_runs_at_once_are_refused(write: "Write", shell: "Shell") -> None:
    shell.box.faults.next(None, "slow=30")
    first = shell.start(
        *("upsert", "orders", write("a.csv", FIRST), *KEY, "--changed-only", "--base-url", shell.box.url)
    )
    try:
        for _ in range(600):
            if shell.box.faults.count > 1:
                break
            time.sleep(0.02)
        second = upsert(shell, write("b.csv", NIGHT))
        assert second.code == 1
        assert "in use by another run" in second.err
        (file,) = sent_files(shell)
        assert f"{file.name}  in use" in shell("runs").out
        assert "wait for its end" in shell("runs", "--delete", file.name).err
    finally:
        first.kill()
        first.communicate()
    assert upsert(shell, write("b.csv", NIGHT)).code == 0


@pytest.mark.parametrize("option", ["--changed-only", "--all"])
def test_a_local_hubspot_that_ends_has_no_past(write: "Write", shell: "Shell", option: str) -> None:
    done = shell("upsert", "orders", write("orders.csv", FIRST), *KEY, option, "--sandbox")
    assert done.code == 2


def test_a_dry_run_checks_all_rows(write: "Write", shell: "Shell") -> None:
    done = upsert(shell, write("orders.csv", FIRST), "--dry-run")
    assert done.code == 0
    assert "All rows are checked" in done.err
    assert not sent_files(shell)
