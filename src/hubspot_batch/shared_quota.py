"""A quota for several processes of one machine: its log stands in an SQLite file.

The arithmetic is that of `quota`. What stands here is where the figures and the log are kept, and what
happens where they cannot be.
"""

import os
import sqlite3
import time
import weakref
from collections.abc import Generator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from msgspec.structs import astuple

from hubspot_batch.errors import ConfigurationError, HubSpotBatchError
from hubspot_batch.quota import (
    FIRST_LIMIT,
    FIRST_WINDOW,
    MEMORY,
    NEVER,
    Figures,
    Quota,
    departure_after,
    learned,
    refused,
    reserved,
)

_APPLICATION = 0x48534251
_VERSION = 1
# Seconds to wait for another process, whose transaction takes a fraction of a millisecond.
_PATIENCE = 5.0
# The clock of the wall is set now and then, by less than this. A machine that restarts within it has a log as
# short.
_SAME_BOOT = 60.0

_COLUMNS = '"limit", "window", margin, paused_until, daily_limit, daily_remaining'
_TABLES = (
    """
    CREATE TABLE figures (
        epoch REAL NOT NULL,
        "limit" INTEGER NOT NULL,
        "window" REAL NOT NULL,
        margin REAL NOT NULL,
        paused_until REAL NOT NULL,
        daily_limit INTEGER,
        daily_remaining INTEGER
    )
    """,
    # Numbered without gaps, so that the N-th last is found by its number.
    "CREATE TABLE departures (number INTEGER PRIMARY KEY, at REAL NOT NULL)",
    f"PRAGMA application_id = {_APPLICATION}",
    f"PRAGMA user_version = {_VERSION}",
)
_NUMBERED = "SELECT at FROM departures WHERE number = ?"
_NEWEST = "SELECT number, at FROM departures ORDER BY number DESC LIMIT 1"
# Two for each that is added, so that the log becomes as short as it can without one call paying for all.
_FORGET = """
DELETE FROM departures WHERE number IN (SELECT number FROM departures ORDER BY number LIMIT 2) AND at < ?
"""


class SharedQuota(Quota):
    """A quota that all processes of one machine keep to that push with the same token.

    Each process makes one with the same path. The file holds the log and all that replies have told, so that
    each process learns from the replies to the others. It holds no token.

    All times are seconds of `time.monotonic()`, which is one clock for all processes of a machine until it
    restarts; the log begins anew then. Safe to use from several threads. A process that forks makes it, or
    uses it first, after the fork.

    Args:
        path: The SQLite file, made where it is missing, readable by its owner only. It lies on a disk of this
            machine, and stays while any process uses it.
        limit: How many requests fit into the window, until a reply to any of the processes tells.
        window: The length of the window in seconds. Likewise.

    Raises:
        ConfigurationError: If limit or window are out of range, or the file cannot be used.
    """

    def __init__(
        self, path: str | os.PathLike[str], limit: int = FIRST_LIMIT, window: float = FIRST_WINDOW
    ) -> None:
        super().__init__(limit, window)
        self._path = _absolute(path)
        self._first = self._figures
        self._database: sqlite3.Connection | None = None
        self._process = 0
        self._closed = False
        # Opened to find out early whether it can be, and closed because no connection survives a fork.
        with closing(_open(self._path, self._first)) as database:
            self._figures = _figures(database)

    def __repr__(self) -> str:
        return f"SharedQuota({str(self._path)!r}, limit={self.limit}, window={self.window})"

    @property
    def paused_until(self) -> float:
        """No request leaves before this time, whichever process was refused."""
        with suppress(HubSpotBatchError), self._access() as database:
            self._figures = _figures(database)
        return self._figures.paused_until

    def reserve(self, now: float, *, missed: float | None = None) -> float:  # noqa: ARG002
        """Return the time at which a request may leave, at the earliest now, and count it.

        A departure that was missed stays counted: others may have reserved by its number.

        Raises:
            ConfigurationError: If the quota is closed, or was used before the process forked.
            HubSpotBatchError: If the file cannot be written, or another program holds it for 5 seconds.
        """
        with self._transaction() as database:
            figures = _figures(database)
            number, last = database.execute(_NEWEST).fetchone() or (0, NEVER)
            (leaver,) = database.execute(_NUMBERED, (number + 1 - figures.limit,)).fetchone() or (NEVER,)
            departure = departure_after(figures, now, last=last, leaver=leaver)
            database.execute("INSERT INTO departures VALUES (?, ?)", (number + 1, departure))
            database.execute(_FORGET, (departure - MEMORY,))
            self._keep(database, figures, reserved(figures))
            return departure

    def learn(self, headers: Mapping[str, str]) -> None:
        """Take the limits of window and day from the headers of a reply, where it has them."""
        # The reply is worth more than what it tells of the quota. A file that fails stops the next request.
        with suppress(HubSpotBatchError), self._transaction() as database:
            figures = _figures(database)
            self._keep(database, figures, learned(figures, headers))

    def refused(self, until: float, now: float) -> None:
        """Let nothing leave before `until`: a 429 came. The first of a pause makes the margin grow."""
        with suppress(HubSpotBatchError), self._transaction() as database:
            figures = _figures(database)
            self._keep(database, figures, refused(figures, until, now))

    def close(self) -> None:
        """Close the file. Nothing is reserved any more."""
        with self._lock:
            self._closed = True
            if self._database is not None:
                self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _keep(self, database: sqlite3.Connection, before: Figures, after: Figures) -> None:
        if after != before:
            _write(database, after)
        self._figures = after

    @contextmanager
    def _transaction(self) -> Generator[sqlite3.Connection, None, None]:
        """Do all that happens inside, or nothing, while no other process does."""
        with self._access() as database, database:
            database.execute("BEGIN IMMEDIATE")
            yield database

    @contextmanager
    def _access(self) -> Generator[sqlite3.Connection, None, None]:
        if self._process not in {0, os.getpid()}:
            raise ConfigurationError(
                "the quota was used before this process was forked; make a SharedQuota in each process"
            )
        with self._lock:
            try:
                yield self._opened()
            except sqlite3.Error as error:
                raise HubSpotBatchError(
                    f"the quota file {self._path} cannot be used any more: {error}; "
                    "make room on its disk, end what holds it, or name another file"
                ) from error

    def _opened(self) -> sqlite3.Connection:
        if self._closed:
            raise ConfigurationError("the quota is closed; make another one")
        if self._database is None:
            self._database = _open(self._path, self._first)
            self._process = os.getpid()
            weakref.finalize(self, self._database.close)
        return self._database


def _absolute(path: str | os.PathLike[str]) -> Path:
    try:
        return Path(path).absolute()
    except TypeError:
        raise ConfigurationError('the path of a quota is none; write SharedQuota("quota.sqlite")') from None


def _open(path: Path, first: Figures) -> sqlite3.Connection:
    try:
        _make(path)
        database = sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None, check_same_thread=False)
    except (OSError, ValueError, sqlite3.Error) as error:
        raise _unusable(path, error) from error
    try:
        _prepare(database, path, first)
    except (OSError, sqlite3.Error) as error:
        database.close()
        raise _unusable(path, error) from error
    return database


def _make(path: Path) -> None:
    # Never opens a file that exists: closing it would end the locks of this process on it.
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def _prepare(database: sqlite3.Connection, path: Path, first: Figures) -> None:
    # Whoever loses power loses a log that the restart makes worthless anyway.
    database.execute("PRAGMA synchronous = OFF")
    epoch = time.time() - time.monotonic()
    with database:
        database.execute("BEGIN IMMEDIATE")
        if path.stat().st_size == 0:
            for statement in _TABLES:
                database.execute(statement)
        else:
            _check(database)
        (known,) = database.execute("SELECT epoch FROM figures").fetchone() or (NEVER,)
        if abs(known - epoch) > _SAME_BOOT:
            _begin_anew(database, first)
        # Also finds out whether the file can be written.
        database.execute("UPDATE figures SET epoch = ?", (epoch,))
    # Last, so that the marks by which a file is known never stand in a WAL only.
    database.execute("PRAGMA journal_mode = WAL")


def _check(database: sqlite3.Connection) -> None:
    (application,) = database.execute("PRAGMA application_id").fetchone()
    (version,) = database.execute("PRAGMA user_version").fetchone()
    if application != _APPLICATION:
        raise sqlite3.DatabaseError("another program has made it")
    if version != _VERSION:
        raise sqlite3.DatabaseError("another version of hubspot-batch has made it")


def _begin_anew(database: sqlite3.Connection, first: Figures) -> None:
    database.execute("DELETE FROM departures")
    database.execute("DELETE FROM figures")
    database.execute("INSERT INTO figures VALUES (0, ?, ?, ?, ?, ?, ?)", astuple(first))


def _figures(database: sqlite3.Connection) -> Figures:
    return Figures(*database.execute(f"SELECT {_COLUMNS} FROM figures").fetchone())  # noqa: S608 - constant


def _write(database: sqlite3.Connection, figures: Figures) -> None:
    update = f"UPDATE figures SET ({_COLUMNS}) = (?, ?, ?, ?, ?, ?)"  # noqa: S608 - constant
    database.execute(update, astuple(figures))


def _unusable(path: Path, error: Exception) -> ConfigurationError:
    return ConfigurationError(
        f"the quota file {path} cannot be used: {error}; "
        "name a new file in a folder that exists and can be written, or one that a SharedQuota has made"
    )
