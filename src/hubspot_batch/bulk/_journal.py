"""What is known of each row of a run. It survives the process at any instant.

A row is written down as sent before its request leaves, and its outcome before anyone is told.

A journal is used by any thread, under its lock. In a forked process it is closed. `Writer` is the journal as
the event loop sees it: what waits to be written goes into one transaction.
"""

import os
import sqlite3
import weakref
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Any, Self, cast, get_args

import anyio
import msgspec
from anyio import CapacityLimiter, to_thread
from msgspec import Struct

from hubspot_batch.bulk._journal_file import DAMAGED, INDEXES, JournalFile, TemporaryFile, problem_with
from hubspot_batch.bulk._outcomes import Action, Outcome, Status
from hubspot_batch.errors import JournalError
from hubspot_batch.results import Reason, Record

_WRITE = "insert or replace into rows values (?, ?, ?, ?, ?)"
_PAGE = """
select number, state, record, why from rows
where number > ? and state not in ('planned', 'sent') and state not like 'written%' order by number limit 100
"""
# Of a record that is written, and whose links are not yet; then comes what was done.
_WRITTEN = "written "
_TOGETHER = 100
# HubSpot lists all options of a property to each row whose value is none of them. So one such text is stored
# for each kind of reason, and for the rows what differs from it.
_ACTIONS = frozenset(get_args(Action))
_PACKED = b"\0"
_KIND_SIZE = 8
# Records that were read differ little from one another, too.
_KIND_OF_RECORDS = b"records "
_SHORT = 64
_LONGEST_WHY = 8 * 2**20
_MOST_MODELS = 256

# The types of facts. A fact of another name is a note of the program that has started the run.
_FACTS = {
    "salt": bytes,
    "operation": str,
    "service": str,
    "account": str,
    "pair of object types": str,
    "request": str,
    "total": int,
    "requests": int,
    "retries": int,
    "seconds": float,
    "exit_code": int,
}
_NOTE = str | int | float


class Entry(Struct, frozen=True, kw_only=True):
    """What is known of a row.

    Attributes:
        index: The number of the row.
        digest: What the row was.
        sent: Whether it is on its way. A row that neither is sent nor has an outcome was refused together
            with others and is to be sent again.
        departed: When its first attempt left that may have written it, by the server's clock, if known: of
            a row that is on its way, or unknown.
        outcome: What became of it.
        written: What will become of it once its links are written: its record is.
    """

    index: int
    digest: bytes
    sent: bool = False
    departed: float | None = None
    outcome: Outcome | None = None
    written: Outcome | None = None


class _Why(Struct, frozen=True, kw_only=True, omit_defaults=True):
    category: str | None = None
    reasons: tuple[Reason, ...] = ()
    message: str | None = None
    departed: float | None = None


class Journal:
    """The journal of a run, open for it alone.

    Args:
        path: The file; made if it is missing. None keeps the journal in a file that ends with the process.
        lasting: Whether a run will hold it. Others are then refused at once, else after a second.

    Raises:
        JournalError: If the file is not a journal, lacks its WAL, is damaged, was written by a newer version,
            is in use, or cannot be made.

    Attributes:
        path: The file.
        durable: Whether there is one.
    """

    def __init__(self, path: Path | None, *, lasting: bool = False) -> None:
        self.path = path
        self.durable = path is not None
        self._lock = Lock()
        self._unwritten: dict[int, Entry] = {}
        self._models: dict[bytes, bytes] = {}
        self._file = TemporaryFile() if path is None else JournalFile(path, lasting=lasting)
        self._connection = self._file.connection
        self._end = weakref.finalize(self, self._file.close)
        _OPEN.add(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file, after a last attempt to write what it did not take before."""
        with self._lock:
            if self._unwritten and not self.closed:
                self._file.make_room()
                with suppress(sqlite3.Error):
                    self._retry()
            self._end()

    def discard(self) -> None:
        """Close the file, and remove it if it was made for this journal and knows no row."""
        if not self.closed and not self.length:
            self._file.discard()
        self.close()

    @property
    def closed(self) -> bool:
        """Whether the file is closed."""
        return not self._end.alive

    def forget(self) -> None:
        """Leave the file to the parent process: this one has been forked."""
        self._lock = Lock()
        if self.durable and not self.closed:
            self._end.detach()
            self._file.forget()
            self._connection = sqlite3.connect(":memory:", check_same_thread=False)
            self._connection.close()

    def meta(self) -> Mapping[str, object]:
        """Return what is known of the run as a whole.

        Raises:
            JournalError: If the file is damaged.
        """
        with self._lock:
            known = dict(self._read("select name, value from meta"))
        for name, value in known.items():
            if not isinstance(value, _FACTS.get(name, _NOTE)) and not (
                name == "seconds" and isinstance(value, int)
            ):
                raise self._damaged(f"{name!a} is of type {type(value).__name__}")
        return known

    @property
    def salt(self) -> bytes:
        """What keeps a fingerprint in this journal from being the same in another one."""
        return cast("bytes", self.meta()["salt"])

    def set_meta(self, values: Mapping[str, object]) -> None:
        """Write down what is known of the run as a whole.

        Raises:
            sqlite3.Error: If the disk is full, for example.
        """
        with self._lock, self._transaction() as connection:
            connection.executemany("insert or replace into meta values (?, ?)", values.items())

    @property
    def length(self) -> int:
        """How many rows are known, with those before the last one that is."""
        with self._lock:
            ((last,),) = self._read("select max(number) from rows")
        return 0 if last is None else last + 1

    def counts(self) -> dict[str, int]:
        """Return how many rows are done, rejected, unknown, sent without an outcome, or planned."""
        counts: Counter[str] = Counter()
        with self._lock:
            for state, count in self._read("select state, count(*) from rows group by state"):
                counts[_counted_as(state)] += count
        return counts

    def write(self, entries: Iterable[Entry]) -> None:
        """Write down what is known of some rows, all or none.

        Raises:
            sqlite3.Error: If the disk is full, for example. `keep` is for what is lost otherwise.
        """
        with self._lock, self._transaction() as connection:
            connection.executemany(_WRITE, [self._columns(entry) for entry in entries])

    def keep(self, entries: Iterable[Entry]) -> None:
        """Keep what `write` has failed to write in memory. `close` tries again.

        All of it is then one transaction: it needs least room.
        """
        with self._lock:
            # A row that was about to leave will not leave.
            self._unwritten.update((entry.index, entry) for entry in entries if not entry.sent)

    @property
    def unwritten(self) -> Mapping[int, Outcome]:
        """The outcomes that the file does not take."""
        with self._lock:
            kept = sorted(self._unwritten.items())
        return {index: entry.outcome for index, entry in kept if entry.outcome is not None}

    def entries(self, first: int, last: int) -> dict[int, Entry]:
        """Return what is known of the rows from the first to the last.

        Raises:
            JournalError: If the file is damaged.
        """
        select = "select number, digest, state, record, why from rows where number between ? and ?"
        with self._lock:
            found = [
                (*columns, self._unpacked(columns[0], why))
                for *columns, why in self._read(select, (first, last))
            ]
        return {
            number: self._entry(number, digest, state, record, why)
            for number, digest, state, record, why in found
        }

    def _entry(self, number: int, digest: bytes, state: str, record: str | None, why: bytes | None) -> Entry:
        if state in {"planned", "sent"}:
            departed = self._departure(number, why) if state == "sent" else None
            return Entry(index=number, digest=digest, sent=state == "sent", departed=departed)
        outcome = self._outcome(number, state.removeprefix(_WRITTEN), record, why)
        if state.startswith(_WRITTEN):
            return Entry(index=number, digest=digest, written=outcome)
        departed = self._why(number, why).departed if outcome.status == "unknown" else None
        return Entry(index=number, digest=digest, departed=departed, outcome=outcome)

    def _why(self, number: int, text: bytes | None) -> _Why:
        try:
            return msgspec.json.decode(text or b"{}", type=_Why)
        except (msgspec.DecodeError, TypeError) as error:
            raise self._damaged(_unreadable(number)) from error

    def _departure(self, number: int, text: bytes | None) -> float | None:
        try:
            return None if text is None else float(text)
        except (TypeError, ValueError) as error:
            raise self._damaged(_unreadable(number)) from error

    def owners(self, records: Iterable[str]) -> dict[str | None, int]:
        """Return the first row that is done as each of these records, where there is one."""
        find = "select min(number) from rows where record = ? and state != 'rejected'"
        with self._lock:
            with suppress(sqlite3.OperationalError), self._transaction() as connection:
                connection.execute(INDEXES)
            found = {record: self._read(find, (record,))[0][0] for record in records}
            for index, entry in self._unwritten.items():
                if entry.outcome is not None and entry.outcome.ok and entry.outcome.id in found:
                    known = found[entry.outcome.id]
                    found[entry.outcome.id] = index if known is None else min(index, known)
        return {record: number for record, number in found.items() if number is not None}

    def outcomes(self) -> Iterator[Outcome]:
        """Yield all outcomes in the order of the rows, a hundred at a time, until its file is closed.

        Raises:
            JournalError: If the file is damaged.
        """
        last = -1
        while page := self._page(last):
            for columns in page:
                if columns[0] <= last:
                    raise self._damaged("its rows are in no order")
                yield self._outcome(*columns)
                last = columns[0]

    def _page(self, last: int) -> Sequence[tuple[int, str, str | None, bytes | None]]:
        with self._lock:
            if self.closed and self.durable:
                return []
            return [
                (number, state, record, self._unpacked(number, why))
                for number, state, record, why in self._read(_PAGE, (last,))
            ]

    def _read(self, query: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        self._file.steps.taken = 0
        return self._connection.execute(query, values).fetchall()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        self._file.steps.taken = 0
        self._file.mark()
        try:
            with self._connection:
                self._connection.execute("begin")
                yield self._connection
        except BaseException:
            # Some of them may not be in the file after all.
            self._models.clear()
            raise

    def _retry(self) -> None:
        """Write what the file did not take: in one transaction, or as much of it as there is room for."""
        count = len(self._unwritten)
        while self._unwritten:
            try:
                self._write_kept(count)
            except sqlite3.Error:
                if count <= _TOGETHER:
                    raise
                count //= 2
                # Room in the WAL, where the main file has some.
                with suppress(sqlite3.Error):
                    self._connection.execute("pragma wal_checkpoint")

    def _write_kept(self, count: int) -> None:
        part = list(islice(self._unwritten.values(), count))
        with self._transaction() as connection:
            connection.executemany(_WRITE, [self._columns(entry) for entry in part])
        for entry in part:
            del self._unwritten[entry.index]

    def _columns(self, entry: Entry) -> tuple[int, bytes, str, str | None, bytes | None]:
        outcome = entry.outcome or entry.written
        if outcome is None:
            departed = None if entry.departed is None else repr(entry.departed).encode()
            return entry.index, entry.digest, "sent" if entry.sent else "planned", None, departed
        state = f"{'' if entry.outcome else _WRITTEN}{outcome.action or outcome.status}"
        return entry.index, entry.digest, state, outcome.id, self._rest_of(outcome, entry.departed)

    def _rest_of(self, outcome: Outcome, departed: float | None) -> bytes | None:
        """Return why a row is not done, or the record that was read, where it is to outlive the process."""
        if outcome.record is not None and self.durable:
            return self._packed(msgspec.json.encode(outcome.record), _KIND_OF_RECORDS)
        if outcome.ok:
            return None
        known = _Why(
            category=outcome.category,
            reasons=tuple(outcome.reasons),
            message=outcome.message,
            departed=departed,
        )
        kind = blake2b(repr((outcome.category, outcome.why)).encode(), digest_size=_KIND_SIZE).digest()
        return self._packed(msgspec.json.encode(known), kind)

    def _packed(self, why: bytes, kind: bytes) -> bytes:
        """Return a text in short, within a transaction: what differs from the first one of its kind."""
        if not _SHORT <= len(why) <= _LONGEST_WHY:
            return why
        model = self._model(kind)
        if model is None:
            self._connection.execute("insert into reasons values (?, ?)", (kind, why))
            self._models[kind] = model = why
        packer = zlib.compressobj(zdict=model)
        return _PACKED + kind + packer.compress(why) + packer.flush()

    def _unpacked(self, number: int, why: object) -> bytes | None:
        if why is None or (isinstance(why, bytes) and not why.startswith(_PACKED)):
            return why
        try:
            content = memoryview(cast("bytes", why))[len(_PACKED) :]
            model = self._model(bytes(content[:_KIND_SIZE]))
            if model is not None:
                unpacker = zlib.decompressobj(zdict=model)
                text = unpacker.decompress(content[_KIND_SIZE:], _LONGEST_WHY)
                if unpacker.eof:
                    return text
        except (TypeError, zlib.error):
            pass
        raise self._damaged(_unreadable(number))

    def _model(self, kind: bytes) -> bytes | None:
        """Return the text that is stored for a kind of reason."""
        if kind not in self._models:
            if len(self._models) == _MOST_MODELS:
                self._models.clear()
            found = self._read("select why from reasons where kind = ?", (kind,))
            if not found:
                return None
            ((self._models[kind],),) = found
        return self._models[kind]

    def _outcome(self, number: int, state: str, record: str | None, why: bytes | None) -> Outcome:
        action = cast("Action", state) if state in _ACTIONS else None
        if (action is None and state not in get_args(Status)) or not isinstance(record, str | None):
            raise self._damaged(f"row {number} is of no known kind")
        is_record = action == "read" and why is not None
        known = _Why() if is_record else self._why(number, why)
        try:
            found = msgspec.json.decode(why or b"", type=Record) if is_record else None
        except (msgspec.DecodeError, TypeError) as error:
            raise self._damaged(_unreadable(number)) from error
        return Outcome(
            index=number,
            status=cast("Status", state) if action is None else "done",
            id=record,
            action=action,
            record=found,
            category=known.category,
            reasons=known.reasons,
            message=known.message,
        )

    def _damaged(self, problem: str) -> JournalError:
        return JournalError(problem_with(self.path or Path("of this run"), f"{problem}; {DAMAGED}"))


def _counted_as(state: str) -> str:
    if state in _ACTIONS:
        return "done"
    return "sent" if state.startswith(_WRITTEN) else state


def _unreadable(number: int) -> str:
    return f"of row {number} it cannot be read what became of it"


# Those of this process: one that is forked leaves them to its parent.
_OPEN: "weakref.WeakSet[Journal]" = weakref.WeakSet()


def _forget_all() -> None:
    for journal in _OPEN:
        journal.forget()


if hasattr(os, "register_at_fork"):  # pragma: no branch - Windows has none
    os.register_at_fork(after_in_child=_forget_all)


class Writer:
    """Writes into a journal without holding up the event loop.

    A transaction ends with a wait for the disk. What comes in meanwhile shares the next one.

    Args:
        journal: The journal.

    Attributes:
        durable: Whether the journal outlives this process.
    """

    def __init__(self, journal: Journal) -> None:
        self.durable = journal.durable
        self._journal = journal
        self._waiting: list[Entry] = []
        self._turn = 0
        self._failure: Exception | None = None
        self._traceback: TracebackType | None = None
        self._writing = anyio.Lock()
        self._thread = CapacityLimiter(1)

    async def write(self, entries: Iterable[Entry]) -> None:
        """Write entries down. They are durable when this returns.

        Raises:
            sqlite3.Error: If the disk is full, for example. From then on no row may leave, and what is said
                of those that have left is kept for the end.
        """
        if not self.durable:
            self._put(list(entries))
            return
        self._waiting.extend(entries)
        turn = self._turn
        async with self._writing:
            if self._turn == turn:
                self._turn += 1
                waiting, self._waiting = self._waiting, []
                await self._write(waiting)
        if self._failure is not None:
            # From where it happened: each raise would make the traceback of the others longer.
            raise self._failure.with_traceback(self._traceback)

    async def owners(self, records: Sequence[str]) -> Mapping[str | None, int]:
        """Return the row that is done as each of these records, where there is one."""
        return await to_thread.run_sync(self._journal.owners, records, limiter=self._thread)

    async def outcome(self, number: int) -> Outcome | None:
        """Return what became of a row; None where that is not known yet."""
        entries = await to_thread.run_sync(self._journal.entries, number, number, limiter=self._thread)
        return entries[number].outcome if number in entries else None

    async def _write(self, entries: Sequence[Entry]) -> None:
        if self._failure is not None:
            self._journal.keep(entries)
            return
        try:
            await to_thread.run_sync(self._put, entries, limiter=self._thread)
        except Exception as error:  # noqa: BLE001 - all that wait for this transaction must hear of it
            self._failure, self._traceback = error, error.__traceback__

    def _put(self, entries: Sequence[Entry]) -> None:
        try:
            self._journal.write(entries)
        except Exception:
            self._journal.keep(entries)
            raise
