"""All writes that wait go into one transaction, and are durable when their writers go on."""

import sqlite3
import threading
from collections.abc import Awaitable, Callable, Iterable, Iterator
from pathlib import Path

import anyio
import pytest

from hubspot_batch.bulk._journal import Entry, Journal, Writer
from hubspot_batch.bulk._outcomes import Outcome


class Slow(Journal):
    """A journal whose first transaction takes until it is let go; it notes what each of them holds."""

    def __init__(self, path: Path | None) -> None:
        super().__init__(path)
        self.transactions: list[list[int]] = []
        self.threads: set[int] = set()
        self.began = threading.Event()
        self.go_on = threading.Event()
        self.error: Exception | None = None

    def write(self, entries: Iterable[Entry]) -> None:
        entries = list(entries)
        self.transactions.append([entry.index for entry in entries])
        self.threads.add(threading.get_ident())
        self.began.set()
        assert self.go_on.wait(10)
        if self.error is not None:
            raise self.error
        super().write(entries)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Slow]:
    with Slow(tmp_path / "orders.run") as journal:
        yield journal


def entry(index: int) -> Entry:
    return Entry(index=index, digest=b"d", sent=True)


def together(journal: Slow, *writes: Callable[[Writer], Awaitable[None]]) -> list[Exception | None]:
    """Begin writes while a first one is under way, and return how each of them ended."""
    ended: list[Exception | None] = []

    async def attempt(writer: Writer, write: Callable[[Writer], Awaitable[None]]) -> None:
        try:
            await write(writer)
        except sqlite3.Error as error:
            ended.append(error)
        else:
            ended.append(None)

    async def run() -> None:
        writer = Writer(journal)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(attempt, writer, lambda writer: writer.write([entry(0)]))
            await anyio.to_thread.run_sync(journal.began.wait)
            for write in writes:
                tasks.start_soon(attempt, writer, write)
            await anyio.wait_all_tasks_blocked()
            journal.go_on.set()

    anyio.run(run)
    return ended


def writing(*indexes: int) -> Callable[[Writer], Awaitable[None]]:
    return lambda writer: writer.write(map(entry, indexes))


def test_what_is_written_is_in_the_journal_when_it_returns(journal: Slow) -> None:
    journal.go_on.set()

    async def run() -> None:
        writer = Writer(journal)
        await writer.write([entry(0), entry(1)])
        assert list(journal.entries(0, 9)) == [0, 1]
        await writer.write([entry(2)])
        assert list(journal.entries(0, 9)) == [0, 1, 2]

    anyio.run(run)
    assert journal.transactions == [[0, 1], [2]]


def test_what_comes_while_a_transaction_is_under_way_shares_the_next_one(journal: Slow) -> None:
    assert together(journal, writing(1, 2), writing(3), writing()) == [None] * 4

    assert journal.transactions == [[0], [1, 2, 3]]
    assert list(journal.entries(0, 9)) == [0, 1, 2, 3]


def test_the_event_loop_does_not_wait_for_the_disk(journal: Slow) -> None:
    together(journal, writing(1))

    assert threading.get_ident() not in journal.threads


def test_all_that_share_a_transaction_hear_of_its_failure(journal: Slow) -> None:
    journal.error = sqlite3.OperationalError("disk full")

    assert together(journal, writing(1), writing(2)) == [journal.error] * 3


def test_after_a_failure_no_row_may_leave_and_answers_are_written_at_the_end(journal: Slow) -> None:
    journal.go_on.set()
    journal.error = sqlite3.OperationalError("disk full")
    answer = Entry(index=2, digest=b"d", outcome=Outcome(index=2, status="done", id="44002"))

    async def run() -> None:
        writer = Writer(journal)
        for written in ([entry(0)], [entry(1), answer], [entry(1)]):
            with pytest.raises(sqlite3.OperationalError, match="disk full"):
                await writer.write(written)
            journal.error = None

    anyio.run(run)
    assert journal.transactions == [[0]]
    assert journal.unwritten == {2: answer.outcome}
    journal.close()
    with Journal(journal.path) as again:
        assert again.entries(0, 9) == {2: answer}


def test_a_full_disk_is_the_failure_of_sqlite(tmp_path: Path) -> None:
    async def run() -> None:
        with Journal(tmp_path / "orders.run") as journal:
            (pages,) = journal._connection.execute("pragma page_count").fetchone()
            journal._connection.execute(f"pragma max_page_count = {pages}")
            with pytest.raises(sqlite3.OperationalError, match="full"):
                await Writer(journal).write(map(entry, range(1000)))

    anyio.run(run)


def test_an_entry_whose_wait_is_cancelled_is_written_with_the_next(journal: Slow) -> None:
    async def run() -> None:
        writer = Writer(journal)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(writer.write, [entry(0)])
            await anyio.to_thread.run_sync(journal.began.wait)
            with anyio.CancelScope() as scope:
                scope.cancel()
                await writer.write([entry(1)])
            journal.go_on.set()
            await writer.write([entry(2)])

    anyio.run(run)
    assert journal.transactions == [[0], [1, 2]]


def test_a_journal_without_a_file_is_written_at_once() -> None:
    async def run() -> None:
        with Slow(None) as journal:
            journal.go_on.set()
            await Writer(journal).write([entry(0)])

            assert journal.threads == {threading.get_ident()}
            assert list(journal.entries(0, 9)) == [0]

    anyio.run(run)


@pytest.mark.parametrize("kind", ["a file", "no file"])
def test_the_owners_of_records_are_reported(tmp_path: Path, kind: str) -> None:
    async def run() -> None:
        with Journal(tmp_path / "orders.run" if kind == "a file" else None) as journal:
            outcome = Outcome(index=7, status="done", id="44001")
            writer = Writer(journal)
            await writer.write([Entry(index=7, digest=b"d", outcome=outcome)])

            assert await writer.owners(["44001", "44002"]) == {"44001": 7}

    anyio.run(run)
