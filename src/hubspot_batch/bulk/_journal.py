"""What is known of each row of a run, in one SQLite file: it survives the process at any instant.

A row is written down as sent before its request leaves, and its outcome before anyone is told. WAL with
`synchronous=FULL` makes each of these durable. The format is version 1; an application id marks the file.

While there is something in the WAL that the main file lacks, the main file says so: a copy without its WAL
would know too little, and rows would be sent twice. `FileLock` keeps the file for one run; nothing here opens
the file of a run that goes on.

A journal is used by any thread, under its lock. In a forked process it is closed.
"""

import ctypes
import os
import sqlite3
import stat
import weakref
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from functools import cache
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from secrets import token_bytes
from shutil import disk_usage
from threading import Lock
from typing import Any, Self, cast, get_args

import msgspec
from msgspec import Struct

from hubspot_batch.bulk._lock import FileLock
from hubspot_batch.bulk._outcomes import Outcome, Status
from hubspot_batch.errors import ConfigurationError, JournalError, JournalInUseError
from hubspot_batch.results import Reason

_FORMAT = 1
_APPLICATION = 0x48534250
_SCHEMA = """
create table meta (name text primary key, value) without rowid;
create table rows (
    number integer primary key, digest blob not null, state text not null, record text, why blob
);
create table reasons (kind blob primary key, why blob not null);
"""
# Made when it is needed first: to keep it costs as much as all the rest.
_INDEXES = "create index if not exists rows_of_record on rows (record);"
_WRITE = "insert or replace into rows values (?, ?, ?, ?, ?)"
_PAGE = """
select number, state, record, why from rows
where number > ? and state not in ('planned', 'sent') order by number limit 100
"""
_TOGETHER = 100
_OBJECTS = "select type, name, tbl_name, sql from sqlite_master"

# HubSpot lists all options of a property to each row whose value is none of them. So one such text is stored
# for each kind of reason, and for the rows what differs from it.
_PACKED = b"\0"
_KIND_SIZE = 8
_SHORT = 64
_LONGEST_WHY = 8 * 2**20
_MOST_MODELS = 256

# Where SQLite's file format has the user version, and the bit of it that says that the WAL is needed.
_HEADER = 100
_MAGIC = b"SQLite format 3\0"
_VERSION_AT = 60
_NEEDS_WAL = 0x10000
_WAL_HEADER = 32
# Bytes: more than the outcomes of all rows in flight need.
_RESERVE = 2**19
# The facts of a run that are no text.
_FACTS = {"salt": bytes, "total": int, "requests": int, "retries": int, "seconds": float, "exit_code": int}
# A sound file needs fewer steps of SQLite than it has bytes for any query here.
_STEPS = 1_000_000

NAME_YOURS = (
    "name the journal of this run; one that has sent nothing yet can begin with a new file, but one that has "
    "would send its rows again"
)
_DAMAGED = (
    "the file is damaged: put back a whole copy of it, with its -wal if it has one, or look up in HubSpot "
    "which rows are there before you push any of them again"
)


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
        lasting: Whether a run will hold it. Others are then refused at once, else after a second.

    Raises:
        JournalError: If the file is no journal, lacks its WAL, is damaged, was written by a newer version,
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
        self._file = _Temporary() if path is None else _File(path, lasting=lasting)
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
            if not isinstance(value, _FACTS.get(name, str)) and not (
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
        with self._lock:
            return dict(self._read("select state, count(*) from rows group by state"))

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
            # That a row is about to leave is no news: it will not.
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
            number: Entry(
                index=number,
                digest=digest,
                sent=state == "sent",
                outcome=(None if state in {"planned", "sent"} else self._outcome(number, state, record, why)),
            )
            for number, digest, state, record, why in found
        }

    def owners(self, records: Iterable[str]) -> dict[str | None, int]:
        """Return the first row that is done as each of these records, where there is one."""
        find = "select min(number) from rows where record = ?"
        with self._lock:
            with suppress(sqlite3.OperationalError), self._transaction() as connection:
                connection.execute(_INDEXES)
            found = {record: self._read(find, (record,))[0][0] for record in records}
            for index, entry in self._unwritten.items():
                if entry.outcome is not None and entry.outcome.id in found:
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
        outcome = entry.outcome
        if outcome is None:
            return entry.index, entry.digest, "sent" if entry.sent else "planned", None, None
        why = None if outcome.ok else self._packed(outcome)
        return entry.index, entry.digest, outcome.status, outcome.id, why

    def _packed(self, outcome: Outcome) -> bytes:
        """Return why a row is not done, in short, within a transaction."""
        known = _Why(category=outcome.category, reasons=tuple(outcome.reasons), message=outcome.message)
        why = msgspec.json.encode(known)
        if len(why) < _SHORT:
            return why
        kind = blake2b(repr((outcome.category, outcome.why)).encode(), digest_size=_KIND_SIZE).digest()
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
        if state not in get_args(Status) or not isinstance(record, str | None):
            raise self._damaged(f"row {number} is of no known kind")
        try:
            known = msgspec.json.decode(why or b"{}", type=_Why)
        except (msgspec.DecodeError, TypeError) as error:
            raise self._damaged(_unreadable(number)) from error
        return Outcome(
            index=number,
            status=cast("Status", state),
            id=record,
            category=known.category,
            reasons=known.reasons,
            message=known.message,
        )

    def _damaged(self, problem: str) -> JournalError:
        return JournalError(_cannot(self.path or Path("of this run"), f"{problem}; {_DAMAGED}"))


def _unreadable(number: int) -> str:
    return f"of row {number} it cannot be read what became of it"


# Those of this process: one that is forked leaves them to its parent.
_OPEN: "weakref.WeakSet[Journal]" = weakref.WeakSet()


def _forget_all() -> None:
    for journal in _OPEN:
        journal.forget()


if hasattr(os, "register_at_fork"):  # pragma: no branch - Windows has none
    os.register_at_fork(after_in_child=_forget_all)


class _Steps:
    """Ends a query that takes more steps of SQLite than a sound file can need.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self.taken = 0
        self._path = path

    def __call__(self) -> bool:
        """Count a million steps, and return whether they are too many."""
        self.taken += 1
        return self.taken > 10 + self._path.stat().st_size // _STEPS


class _Temporary:
    """A file that ends with the process."""

    def __init__(self) -> None:
        self.steps = _Steps(Path())
        self.connection = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self.connection.executescript(f"pragma journal_mode=memory; pragma synchronous=off; {_SCHEMA}")

    def mark(self) -> None:
        """Do nothing: there is no WAL."""

    def make_room(self) -> None:
        """Do nothing: it holds no room back."""

    def close(self) -> None:
        """Close it, which removes it."""
        self.connection.close()

    def forget(self) -> None:
        """Do nothing: it has no name, and closing it harms none."""


class _File:
    """The file of a journal, and the lock that keeps it for one holder.

    Args:
        path: The file.
        lasting: Whether it will be held for long.

    Raises:
        JournalError: If it cannot be used.
    """

    def __init__(self, path: Path, *, lasting: bool) -> None:
        # SQLite follows links, too, for the name of the WAL.
        self._path = Path(os.path.realpath(path))
        self._wal = self._path.with_name(f"{self._path.name}-wal")
        self._reserve = self._path.with_name(f"{self._path.name}-reserve")
        self._lasting = lasting
        self.steps = _Steps(self._path)
        try:
            self._lock = FileLock(self._path.with_name(f"{self._path.name}-lock"), lasting=lasting)
        except BlockingIOError as error:
            raise _in_use(path) from error
        except OSError as error:
            raise self._inaccessible(path, error) from error
        try:
            self._marked = self._examine(path)
            self.connection = self._connect(path)
        except BaseException:
            self._lock.release()
            raise

    def mark(self) -> None:
        """Let the main file say that its WAL is needed, before anything is in the WAL only."""
        if self._lasting:
            self._lasting = False
            self._reserve_room()
        if not self._marked:
            self.connection.execute(f"pragma user_version={_FORMAT | _NEEDS_WAL}")
            self.connection.execute("pragma wal_checkpoint")
            self._marked = True

    def close(self) -> None:
        """Move what is in the WAL into the main file, which removes the WAL, and release the lock."""
        cleared = True
        try:
            if self._marked:
                self.connection.execute(f"pragma user_version={_FORMAT}")
        except sqlite3.Error:
            cleared = False
        self.make_room()
        try:
            self.connection.close()
            if not cleared and not self._wal.exists():
                self._clear()
        finally:
            self._lock.release()

    def make_room(self) -> None:
        """Give the room that was held back to the answers to what was sent already."""
        with suppress(OSError):
            self._reserve.unlink()

    def forget(self) -> None:
        """Leave the file to the parent process."""
        # Closed by whatever process, the connection would remove the WAL of the run that goes on.
        never_end(self.connection)
        self._lock.forget()

    def _reserve_room(self) -> None:
        """Hold room on the disk back, for the answers to what has left when the disk is full."""
        with suppress(OSError):
            size = min(_RESERVE, disk_usage(self._path.parent).free // 2)
            descriptor = os.open(self._reserve, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(bytes(size))

    def _clear(self) -> None:
        """Remove the mark where there is no room for a transaction, but the main file has everything."""
        with self._path.open("r+b") as file:
            file.seek(_VERSION_AT)
            file.write(_FORMAT.to_bytes(4, "big"))
            file.flush()
            os.fsync(file.fileno())

    def _examine(self, path: Path) -> bool:
        """Refuse what must not be opened, and return whether the WAL is needed.

        SQLite removes a WAL whose main file is empty, begins without one that is missing, and waits for ever
        for a named pipe.
        """
        sizes = [_size(file, path) for file in (self._path, self._wal)]
        _size(self._path.with_name(f"{self._path.name}-journal"), path)
        try:
            with self._path.open("rb") as file:
                header = file.read(_HEADER)
        except FileNotFoundError:
            header = b""
        except OSError as error:
            raise self._inaccessible(path, error) from error
        if header and not header.startswith(_MAGIC):
            raise _unusable(path, f"file is not a database; {NAME_YOURS}")
        if not header and sizes[1]:
            raise _unusable(
                path,
                f"it is empty, but {self._wal} is there, which is a part of it; put both back together: "
                "without one of them, rows would be sent again",
            )
        version = int.from_bytes(header[_VERSION_AT : _VERSION_AT + 4], "big")
        needed = version == _FORMAT | _NEEDS_WAL
        if needed and sizes[1] < _WAL_HEADER:
            raise _unusable(
                path,
                f"{self._wal} is missing, which holds the latest of what its run has written down; put it "
                "beside the journal again: without it, rows would be sent again",
            )
        return needed

    def _connect(self, path: Path) -> sqlite3.Connection:
        try:
            # None but its owner may read it: it holds what HubSpot says, which repeats property values.
            os.close(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600))
        except OSError as error:
            raise self._inaccessible(path, error) from error
        connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False, timeout=1)
        connection.set_progress_handler(self.steps, _STEPS)
        try:
            _claim(connection, path)
        except sqlite3.Error as error:
            connection.close()
            if _code(error) in {"BUSY", "LOCKED"}:
                raise _in_use(path) from error
            raise _unusable(path, explained(error)) from error
        except BaseException:
            connection.close()
            raise
        return connection

    def _inaccessible(self, path: Path, error: OSError) -> JournalError:
        if os.path.isfile(self._path):  # noqa: PTH113 - that of a path raises where a name is too long
            return _unusable(path, f"{error.strerror}; let it, and its folder, be written by this user")
        return _unusable(path, f"{error.strerror}; name a file in a folder that can be written")


def never_end(value: object) -> None:
    """Keep a value as long as the process lives, and do nothing at its end.

    For what a forked process has from its parent, and what would harm that if it were closed here.
    """
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(value))


def path_of(name: object) -> Path:
    """Return the path that a caller gives for a journal.

    Raises:
        ConfigurationError: If it is not a path.
    """
    try:
        text = os.fspath(name)  # type: ignore[call-overload]
        os.fsencode(text)
    except (TypeError, UnicodeEncodeError):
        text = None
    if not isinstance(text, str) or not text or "\0" in text:
        raise ConfigurationError('journal is not the path of a file; write journal="orders.run"')
    return Path(text)


def explained(error: sqlite3.Error) -> str:
    """Return what SQLite says of a journal, with what helps. A new journal never does: it doubles rows."""
    match _code(error):
        case "FULL":
            remedy = "make room on the disk of the journal"
        case "READONLY" | "CANTOPEN" | "PERM" | "AUTH":
            remedy = "let the journal, and its folder, be written by this user"
        case "BUSY" | "LOCKED" | "PROTOCOL":
            remedy = "end the other program that uses the journal"
        case "CORRUPT" | "NOTADB" | "ERROR" | "INTERRUPT" | "MISMATCH" | "TOOBIG":
            remedy = _DAMAGED
        case _:
            remedy = "see that the disk of the journal works, and has room"
    return f"{error}; {remedy}"


def helps_to_start_again(error: sqlite3.Error) -> bool:
    """Return whether a run can go on with its journal once the remedy is applied."""
    return not explained(error).endswith(_DAMAGED)


def _code(error: sqlite3.Error) -> str:
    """Return SQLite's primary result code: FULL, IOERR."""
    return getattr(error, "sqlite_errorname", "").removeprefix("SQLITE_").partition("_")[0]


def _size(file: Path, path: Path) -> int:
    """Return the size of a file; 0 if there is none.

    Raises:
        JournalError: If it is not a file, or belongs to somebody else.
    """
    try:
        found = file.stat()
    except FileNotFoundError:
        return 0
    if not stat.S_ISREG(found.st_mode):
        raise _unusable(path, f"{file} is not a file; name a file in a folder that can be written")
    if hasattr(os, "geteuid") and os.geteuid() not in {0, found.st_uid} and found.st_uid != 0:
        raise _unusable(path, f"{file} belongs to another user, who decides what it says; run as that user")
    return found.st_size


@cache
def _objects() -> frozenset[tuple[object, ...]]:
    """Return all that a journal may hold, as SQLite puts it."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(_SCHEMA + _INDEXES)
        return frozenset(connection.execute(_OBJECTS))


def _claim(connection: sqlite3.Connection, path: Path) -> None:
    """Keep other programs away from a file, and make the tables in it if it is empty."""
    connection.execute("pragma trusted_schema=off")
    connection.execute("pragma locking_mode=exclusive")
    connection.execute("begin exclusive")
    (application,) = connection.execute("pragma application_id").fetchone()
    (version,) = connection.execute("pragma user_version").fetchone()
    found = connection.execute(f"{_OBJECTS} limit 10").fetchall()
    if found and application != _APPLICATION:
        raise _unusable(path, f"it is another program's database; {NAME_YOURS}")
    if version & ~_NEEDS_WAL > _FORMAT:
        raise _unusable(path, "a newer version of hubspot-batch has written it; install that version")
    if not found:
        for statement in _SCHEMA.split(";"):
            connection.execute(statement)
        connection.execute(f"pragma application_id={_APPLICATION}")
        connection.execute(f"pragma user_version={_FORMAT}")
        connection.execute("insert into meta values ('salt', ?)", (token_bytes(16),))
    elif not _objects().issuperset(found):
        # A view or a trigger of somebody else's could take any time, and do anything.
        raise _unusable(path, f"its tables are not those of a journal; {_DAMAGED}")
    # A file that is damaged is told of now, not in the middle of a run.
    connection.execute("select max(number), (select value from meta) from rows").fetchone()
    connection.execute("commit")
    connection.execute("pragma journal_mode=wal")
    connection.execute("pragma synchronous=full")


def _in_use(path: Path) -> JournalInUseError:
    return JournalInUseError(_cannot(path, "another run is using it; wait for that to end"))


def _unusable(path: Path, problem: str) -> JournalError:
    return JournalError(_cannot(path, problem))


def _cannot(path: Path, problem: str) -> str:
    return f"the journal {path} cannot be used: {problem}"
