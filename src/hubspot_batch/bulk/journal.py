"""What is known of each row of a run, in one SQLite file: it survives the process at any instant.

A row is written down as sent before its request leaves, and its outcome before anyone is told. WAL with
`synchronous=FULL` makes each of these durable. The format is version 1; an application id marks the file.
"""

import os
import sqlite3
import weakref
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from secrets import token_bytes
from threading import Lock
from typing import Self, cast

import msgspec
from msgspec import Struct

from hubspot_batch.bulk.outcomes import Outcome, Status
from hubspot_batch.errors import ConfigurationError
from hubspot_batch.results import Reason

_FORMAT = 1
_APPLICATION = 0x48534250
_SCHEMA = """
create table meta (name text primary key, value) without rowid;
create table rows (
    number integer primary key, digest blob not null, state text not null, record text, why blob
);
"""
_WRITE = "insert or replace into rows values (?, ?, ?, ?, ?)"
_PAGE = """
select number, state, record, why from rows
where number > ? and state not in ('planned', 'sent') order by number limit 100
"""


class JournalInUseError(ConfigurationError):
    """Another run is using the journal."""


class Entry(Struct, frozen=True, kw_only=True):
    """What is known of a row.

    Attributes:
        index: The number of the row.
        digest: What the row was.
        sent: Whether it is on its way. A row that neither is sent nor has an outcome was refused together
            with others and is to be sent again.
        outcome: What became of it.
    """

    index: int
    digest: bytes
    sent: bool = False
    outcome: Outcome | None = None


class _Why(Struct, frozen=True, kw_only=True, omit_defaults=True):
    category: str | None = None
    reasons: tuple[Reason, ...] = ()
    message: str | None = None


class Journal:
    """The journal of a run, open for it alone.

    Args:
        path: The file; made if there is none. None keeps the journal in a file that ends with the process.

    Raises:
        ConfigurationError: If the file is no journal, was written by a newer version, is in use by another
            run, or cannot be made.

    Attributes:
        path: The file.
        durable: Whether there is one.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.durable = path is not None
        self._lock = Lock()
        self._connection = _temporary() if path is None else _opened(path)
        self._end = weakref.finalize(self, self._connection.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._end()

    @property
    def closed(self) -> bool:
        """Whether the file was let go of."""
        return not self._end.alive

    def meta(self) -> Mapping[str, object]:
        """Return what is known of the run as a whole."""
        with self._lock:
            return dict(self._connection.execute("select name, value from meta"))

    @property
    def salt(self) -> bytes:
        """What keeps a fingerprint in this journal from being the same in another one."""
        return cast("bytes", self.meta()["salt"])

    def set_meta(self, values: Mapping[str, object]) -> None:
        """Write down what is known of the run as a whole."""
        with self._lock, self._connection:
            self._connection.executemany("insert or replace into meta values (?, ?)", values.items())

    @property
    def length(self) -> int:
        """How many rows are known, with those before the last one that is."""
        with self._lock:
            (last,) = self._connection.execute("select max(number) from rows").fetchone()
        return 0 if last is None else last + 1

    def counts(self) -> dict[str, int]:
        """Return how many rows are done, rejected, unknown, sent without an outcome, or planned."""
        with self._lock:
            return dict(self._connection.execute("select state, count(*) from rows group by state"))

    def write(self, entries: Iterable[Entry]) -> None:
        """Write down what is known of some rows, all or none.

        Raises:
            sqlite3.Error: If the disk is full, for example.
        """
        with self._lock, self._connection:
            self._connection.execute("begin")
            self._connection.executemany(_WRITE, map(_columns, entries))

    def entries(self, first: int, last: int) -> dict[int, Entry]:
        """Return what is known of the rows from the first to the last."""
        select = "select number, digest, state, record, why from rows where number between ? and ?"
        with self._lock:
            found = self._connection.execute(select, (first, last)).fetchall()
        return {
            number: Entry(
                index=number,
                digest=digest,
                sent=state == "sent",
                outcome=None if state in {"planned", "sent"} else _outcome(number, state, record, why),
            )
            for number, digest, state, record, why in found
        }

    def owners(self, records: Iterable[str]) -> dict[str | None, int]:
        """Return the first row that is done as each of these records, where there is one."""
        find = "select min(number) from rows where record = ?"
        with self._lock:
            # Made when it is needed first: to keep it costs as much as all the rest.
            self._connection.execute("create index if not exists rows_of_record on rows (record)")
            found = {record: self._connection.execute(find, (record,)).fetchone()[0] for record in records}
        return {record: number for record, number in found.items() if number is not None}

    def outcomes(self) -> Iterator[Outcome]:
        """Yield all outcomes in the order of the rows, a hundred at a time, until its file is let go of."""
        last = -1
        while page := self._page(last):
            yield from (_outcome(*columns) for columns in page)
            last = page[-1][0]

    def _page(self, last: int) -> Sequence[tuple[int, str, str | None, bytes | None]]:
        with self._lock:
            if self.closed and self.durable:
                return []
            return self._connection.execute(_PAGE, (last,)).fetchall()


def _columns(entry: Entry) -> tuple[int, bytes, str, str | None, bytes | None]:
    outcome = entry.outcome
    if outcome is None:
        return entry.index, entry.digest, "sent" if entry.sent else "planned", None, None
    if outcome.ok:
        return entry.index, entry.digest, outcome.status, outcome.id, None
    why = _Why(category=outcome.category, reasons=tuple(outcome.reasons), message=outcome.message)
    return entry.index, entry.digest, outcome.status, outcome.id, msgspec.json.encode(why)


def _outcome(number: int, state: str, record: str | None, why: bytes | None) -> Outcome:
    known = msgspec.json.decode(why or b"{}", type=_Why)
    return Outcome(
        index=number,
        status=cast("Status", state),
        id=record,
        category=known.category,
        reasons=known.reasons,
        message=known.message,
    )


def _temporary() -> sqlite3.Connection:
    connection = sqlite3.connect("", isolation_level=None, check_same_thread=False)
    connection.executescript(f"pragma journal_mode=off; pragma synchronous=off; {_SCHEMA}")
    return connection


def _opened(path: Path) -> sqlite3.Connection:
    try:
        # None but its owner may read it: it holds what HubSpot says, which repeats property values.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=1)
    except (OSError, sqlite3.Error) as error:
        raise _unusable(path, f"{error}; name a file in a folder that can be written") from error
    try:
        _claim(connection, path)
    except sqlite3.Error as error:
        connection.close()
        if getattr(error, "sqlite_errorname", "").startswith("SQLITE_BUSY"):
            raise JournalInUseError(_cannot(path, "another run is using it; wait for that to end")) from error
        raise _unusable(path, f"{error}; name another file") from error
    except ConfigurationError:
        connection.close()
        raise
    return connection


def _claim(connection: sqlite3.Connection, path: Path) -> None:
    """Take a file for this run alone, and make the tables in it if it is empty."""
    connection.execute("pragma locking_mode=exclusive")
    connection.execute("begin exclusive")
    (application,) = connection.execute("pragma application_id").fetchone()
    (version,) = connection.execute("pragma user_version").fetchone()
    (tables,) = connection.execute("select count(*) from sqlite_master").fetchone()
    if tables and application != _APPLICATION:
        raise _unusable(path, "it is another program's database; name another file")
    if version > _FORMAT:
        raise _unusable(path, "a newer version of hubspot-batch has written it; install that version")
    if not tables:
        for statement in _SCHEMA.split(";"):
            connection.execute(statement)
        connection.execute(f"pragma application_id={_APPLICATION}")
        connection.execute(f"pragma user_version={_FORMAT}")
        connection.execute("insert into meta values ('salt', ?)", (token_bytes(16),))
    # A file that is damaged is told of now, not in the middle of a run.
    connection.execute("select max(number) from rows").fetchone()
    connection.execute("commit")
    connection.execute("pragma journal_mode=wal")
    connection.execute("pragma synchronous=full")


def _unusable(path: Path, problem: str) -> ConfigurationError:
    return ConfigurationError(_cannot(path, problem))


def _cannot(path: Path, problem: str) -> str:
    return f"the journal {path} cannot be used: {problem}"
