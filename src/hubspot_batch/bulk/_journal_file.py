"""The file of a journal: SQLite with its WAL, held by one run, and what can be wrong with it.

WAL with `synchronous=FULL` makes each transaction durable. The format is version 1; an application id marks
the file. While there is something in the WAL that the main file lacks, the main file says so: a copy without
its WAL would know too little, and rows would be sent twice. `FileLock` keeps the file for one run; nothing
here opens the file of a run that goes on.
"""

import ctypes
import os
import sqlite3
import stat
from contextlib import closing, suppress
from functools import cache
from pathlib import Path
from secrets import token_bytes
from shutil import disk_usage

from hubspot_batch.bulk._lock import FileLock
from hubspot_batch.errors import ConfigurationError, JournalError, JournalInUseError

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
INDEXES = "create index if not exists rows_of_record on rows (record);"
_OBJECTS = "select type, name, tbl_name, sql from sqlite_master"

# Where SQLite's file format has the user version, and the bit of it that says that the WAL is needed.
_HEADER = 100
_MAGIC = b"SQLite format 3\0"
_VERSION_AT = 60
_NEEDS_WAL = 0x10000
_WAL_HEADER = 32
# Bytes: more than the outcomes of all rows in flight need.
_RESERVE = 2**19
# A sound file needs fewer steps of SQLite than it has bytes for any query here.
_STEPS = 1_000_000

NAME_YOURS = (
    "name the journal of this run; one that has sent nothing yet can begin with a new file, but one that has "
    "would send its rows again"
)
DAMAGED = (
    "the file is damaged: put back a whole copy of it, with its -wal if it has one, or look up in HubSpot "
    "which rows are there before you push any of them again"
)


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


class TemporaryFile:
    """A file that ends with the process."""

    def __init__(self) -> None:
        self.steps = _Steps(Path())
        self.connection = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self.connection.executescript(f"pragma journal_mode=memory; pragma synchronous=off; {_SCHEMA}")

    def mark(self) -> None:
        """Do nothing: there is no WAL."""

    def make_room(self) -> None:
        """Do nothing: it holds no room back."""

    def discard(self) -> None:
        """Do nothing: it ends in any case."""

    def close(self) -> None:
        """Close it, which removes it."""
        self.connection.close()

    def forget(self) -> None:
        """Do nothing: it has no name, and closing it harms none."""


class JournalFile:
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
        self._made_here = False
        self._discarded = False
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
            if self._discarded:
                # While the lock is held: afterwards it may be the file of another run.
                self._path.unlink(missing_ok=True)
        finally:
            self._lock.release()

    def discard(self) -> None:
        """Let `close` remove the file, if it was made here."""
        self._discarded = self._made_here

    def make_room(self) -> None:
        """Give the room that was held back to the answers to what was sent already."""
        with suppress(OSError):
            self._reserve.unlink()

    def forget(self) -> None:
        """Leave the file to the parent process."""
        # Closed in any process, the connection would remove the WAL of the run that goes on.
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
            self._made_here = True
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
            # Readable by its owner only: HubSpot's messages repeat property values.
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


def path_of(name: object, option: str = "journal") -> Path:
    """Return the path that a caller gives for a journal, or as another option.

    Raises:
        ConfigurationError: If it is not a path.
    """
    try:
        text = os.fspath(name)  # type: ignore[call-overload]
        os.fsencode(text)
    except (TypeError, UnicodeEncodeError):
        text = None
    if not isinstance(text, str) or not text or "\0" in text:
        raise ConfigurationError(
            f'{option} is not the path of a file; write {option}="orders.run" for example'
        )
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
            remedy = DAMAGED
        case _:
            remedy = "see that the disk of the journal works, and has room"
    return f"{error}; {remedy}"


def helps_to_start_again(error: sqlite3.Error) -> bool:
    """Return whether a run can go on with its journal once the remedy is applied."""
    return not explained(error).endswith(DAMAGED)


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
        connection.executescript(_SCHEMA + INDEXES)
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
        raise _unusable(path, f"its tables are not those of a journal; {DAMAGED}")
    # Find damage now, not in the middle of a run.
    connection.execute("select max(number), (select value from meta) from rows").fetchone()
    connection.execute("commit")
    connection.execute("pragma journal_mode=wal")
    connection.execute("pragma synchronous=full")


def _in_use(path: Path) -> JournalInUseError:
    return JournalInUseError(problem_with(path, "another run is using it; wait for that to end"))


def _unusable(path: Path, problem: str) -> JournalError:
    return JournalError(problem_with(path, problem))


def problem_with(path: Path, problem: str) -> str:
    return f"the journal {path} cannot be used: {problem}"
