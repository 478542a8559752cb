"""What a journal says about its run, and what a program notes there."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from hubspot_batch import CreateInput, HubSpot
from hubspot_batch.bulk import BulkError, RunInfo, count_done, read_run, write_notes
from hubspot_batch.bulk._journal import Journal
from hubspot_batch.errors import ConfigurationError, JournalError
from hubspot_batch.sandbox import Sandbox

ROWS: list[CreateInput] = [
    {"properties": {"hs_order_name": f"A-{price}", "hs_total_price": price}} for price in ("1", "x", "3")
]


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with Sandbox() as box:
        yield box


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "orders.run"


def push(box: Sandbox, path: Path, account: str | None = None) -> None:
    with HubSpot(box.access_token, base_url=box.url) as hub:
        hub.orders.create_all(iter(ROWS), journal=path, account=account)


def test_a_finished_run(box: Sandbox, path: Path) -> None:
    write_notes(path, {"file": "orders.csv", "seconds": 1.5})
    push(box, path)
    write_notes(path, {"exit_code": 4})

    info = read_run(path)

    assert (info.path, info.operation, info.service) == (path, "create_orders", box.url)
    assert (info.finished, info.rows, info.counts) == (True, 3, {"done": 2, "rejected": 1})
    assert info.notes == {"file": "orders.csv", "seconds": 1.5, "exit_code": 4}
    assert info.belongs_to(access_token=box.access_token)
    assert not info.belongs_to(access_token="another")
    assert not info.belongs_to(account="shop")
    assert box.access_token not in repr(info)


def test_the_account_can_have_a_name(box: Sandbox, path: Path) -> None:
    push(box, path, account="shop")

    assert read_run(path).belongs_to(account="shop")
    assert not read_run(path).belongs_to(access_token=box.access_token)


def test_a_run_that_has_not_begun(path: Path) -> None:
    write_notes(path, {})

    assert read_run(path) == RunInfo(
        path=path,
        operation=None,
        service=None,
        account=None,
        finished=False,
        rows=0,
        counts={},
        notes={},
        _salt=read_run(path)._salt,
    )


def test_a_run_that_fails_is_not_finished(box: Sandbox, path: Path) -> None:
    box.faults.next("429-daily")

    with pytest.raises(BulkError):
        push(box, path)

    assert not read_run(path).finished


def test_rows_that_a_run_has_done_are_counted_wherever_they_stand(box: Sandbox, path: Path) -> None:
    push(box, path)

    assert count_done(path, reversed(ROWS)) == 2
    assert count_done(path, [{"properties": {"hs_order_name": "another"}}]) == 0


def test_what_cannot_be_read_or_written(path: Path) -> None:
    with pytest.raises(ConfigurationError, match="there is no journal"):
        read_run(path)
    with pytest.raises(ConfigurationError, match="the engine itself uses the name 'total'"):
        write_notes(path, {"total": 3})
    for value in (None, b"", float("nan"), 2**63, "\ud800"):
        with pytest.raises(ConfigurationError, match="the note 'file' cannot be kept"):
            write_notes(path, {"file": value})  # type: ignore[dict-item]
    assert not path.exists()


def test_what_sqlite_says_of_a_journal_names_it(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(Journal, "set_meta", full)
    with pytest.raises(JournalError, match=rf"the journal {path} cannot be used: disk I/O error; "):
        write_notes(path, {})
