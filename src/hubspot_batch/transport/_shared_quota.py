"""A quota for several processes of one machine, with its log in an SQLite file.

The arithmetic is in `_quota`. This module stores state and log, and handles failures. Other processes write
the file, so its content is validated.
"""

import ctypes
import math
import os
import sqlite3
import stat
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import closing, contextmanager, suppress
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeVar
from weakref import finalize

from hubspot_batch.errors import (
    ClosedError,
    ConfigurationError,
    HubSpotBatchError,
    QuotaUnavailableError,
)
from hubspot_batch.transport._quota import (
    FIRST_MARGIN,
    MEMORY,
    MOST_MARGIN,
    MOST_REQUESTS,
    MOST_SAVED,
    MOST_WINDOW,
    NEVER,
    SOON,
    AttemptReport,
    Limit,
    Quota,
    QuotaState,
    ask_again,
    correction,
    ended,
    learned,
    next_send_time,
    refused,
    reserved,
)

if TYPE_CHECKING:
    from anyio import CapacityLimiter
    from anyio.lowlevel import RunVar

_T = TypeVar("_T")

_APPLICATION = 0x48534251
_VERSION = 2
# Seconds to wait for the transaction of another process, which takes a fraction of a millisecond.
_PATIENCE = 5.0
# Seconds by which the clock of another processor core may be ahead.
_SKEW = 1.0
# Seconds. A 429 never asks for a longer pause.
_LONGEST_PAUSE = 86_400.0

_COLUMNS = '"limit", "window", margin, paused_until, latency, saved, daily_limit, daily_remaining'
_TABLES = (
    """
    CREATE TABLE figures (
        boot TEXT NOT NULL,
        "limit" INTEGER,
        "window" REAL,
        margin REAL NOT NULL,
        paused_until REAL NOT NULL,
        latency REAL,
        saved REAL NOT NULL,
        daily_limit INTEGER,
        daily_remaining INTEGER
    )
    """,
    """
    CREATE TABLE departures (
        number INTEGER PRIMARY KEY,
        at REAL NOT NULL,
        waits INTEGER NOT NULL,
        sent REAL,
        ended REAL
    )
    """,
    "CREATE INDEX by_time ON departures (at)",
    "CREATE INDEX by_sending ON departures (sent, ended)",
)
_SCHEMA = [statement.strip() for statement in _TABLES]
_MARKS = (f"PRAGMA application_id = {_APPLICATION}", f"PRAGMA user_version = {_VERSION}")
# There are no NULLs, and text sorts before all numbers, so the first row shows invalid text.
_LAST = "SELECT at FROM departures ORDER BY at DESC LIMIT 1"
_LAST_LEFT = "SELECT at FROM departures WHERE NOT waits ORDER BY at DESC LIMIT 1"
_OLDEST = "SELECT at FROM departures WHERE NOT waits OR at <= ? ORDER BY at DESC LIMIT 1 OFFSET ?"
_ADD = "INSERT INTO departures (at, waits) VALUES (?, ?)"
_ADD_ENDED = "INSERT INTO departures (at, waits, sent, ended) VALUES (?, FALSE, ?, ?)"
_CORRECT = "UPDATE departures SET at = at + ? WHERE ended IS NOT NULL"
_HEARD = "SELECT MIN(ended) FROM departures WHERE sent >= ?"
_REMOVE = """
DELETE FROM departures WHERE number = (SELECT number FROM departures WHERE at = ? ORDER BY waits DESC LIMIT 1)
"""
# Two for each row that is added, so the log shrinks without one slow call.
_FORGET = "DELETE FROM departures WHERE number IN (SELECT number FROM departures WHERE at < ? LIMIT 2)"


class Threads:
    """The threads in which a quota waits for its log, so that no event loop does.

    Args:
        most: How many each event loop has at a time.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._limiters: RunVar[CapacityLimiter] | None = None

    async def run(self, work: Callable[[], _T], *, abandon: bool) -> _T:
        """Return what a function returns. If it is cancelled, `abandon` lets the function end by itself."""
        from anyio import CapacityLimiter, to_thread  # noqa: PLC0415 - only asynchronous clients need it
        from anyio.lowlevel import RunVar  # noqa: PLC0415 - see above

        if self._limiters is None:
            self._limiters = RunVar("limiters")
        if (limiter := self._limiters.get(None)) is None:
            limiter = CapacityLimiter(self._most)
            self._limiters.set(limiter)
        return await to_thread.run_sync(work, abandon_on_cancel=abandon, limiter=limiter)


class SharedQuota(Quota):
    """A quota that several processes of one machine share, for one token.

    Each process makes one with the same path. The file holds the log and all that replies have told, so that
    each process learns from the replies to the others. It holds no token.

    All times are seconds of `time.monotonic()`, which is one clock for all processes of a machine until it
    restarts, and which setting the time does not move; after a restart the log begins anew. Safe to use from
    several threads. A process that forks has its own connection to the file from then on. The file is opened
    at once; after that, asynchronous clients read and write it in a thread.

    Args:
        path: The SQLite file. It is created if it is missing, for its owner only (on Windows, the permissions
            of the folder apply). It must be on a disk of this machine, belong to the user who runs the
            process, and stay while any process uses it.
        limit: How many requests fit into the window at most, for the requests of this process. Replies may
            lower it, and never raise it. Without a limit it is what the replies to any process tell.
        window: The length of the window in seconds.

    Raises:
        ConfigurationError: If limit or window are out of range, or the file cannot be used.
    """

    def __init__(self, path: str | os.PathLike[str], limit: int | None = None, window: float = 10.0) -> None:
        super().__init__(limit, window)
        self._path = _absolute(path)
        self._database: sqlite3.Connection | None = None
        self._closed = False
        # More in one event loop would only wait for each other.
        self._threads = Threads(1)
        # Fail early if the file cannot be opened.
        with closing(_open(self._path)) as database:
            self._state = _state(database)

    @property
    def paused_until(self) -> float:
        """No request of any process may be sent before this time. Reads the file."""
        with suppress(HubSpotBatchError), self._access() as database:
            self._state = _state(database)
        return self._state.paused_until

    def reserve(self, now: float, *, held: float | None = None, on_guess: bool = True) -> float:
        """Reserve and return the time at which a request may be sent.

        If it is in the future, wait until then and call again: by then another request may have been refused,
        or sent late.

        Args:
            now: The current time.
            held: The time that was reserved for this request before. It is released.
            on_guess: Whether to reserve a later time although `limit_known` is false. Without it, call again
                at the time that is returned, without `held`: the limit may be known then.

        Raises:
            ClosedError: If the quota is closed.
            QuotaUnavailableError: If the file cannot be used any more, or another program holds it for 5
                seconds.
        """
        with self._transaction() as database:
            state = _state(database, now)
            self._state = state
            limits = self._limits
            last = _believable_last(database, max(now, state.paused_until))
            if held is not None and not database.execute(_REMOVE, (held,)).rowcount:
                held = None

            def oldest(limit: Limit, send_time: float) -> float:
                return _first_of(database.execute(_OLDEST, (send_time, limit.requests - 1)))

            start = now if held is not None else max(now, last)
            send_time = next_send_time(state, limits, start, oldest)
            send_time = now if send_time <= now + SOON else send_time
            if send_time > now and not on_guess and not self.limit_known:
                return ask_again(state, send_time, now)
            database.execute(_ADD, (send_time, send_time > now))
            database.execute(_FORGET, (now - MEMORY,))
            if held is None:
                self._keep(database, reserved(state, limits[0]))
            return send_time

    async def reserve_async(self, now: float, *, held: float | None = None, on_guess: bool = True) -> float:
        """Do the same as `reserve`, in a thread, so the event loop does not wait for the file."""
        # If the request is cancelled meanwhile, its reservation wastes one place in one window.
        return await self._threads.run(partial(self.reserve, now, held=held, on_guess=on_guess), abandon=True)

    def ended(self, attempt: AttemptReport) -> None:
        """Learn from a finished attempt: limits, a refusal, and when the request arrived."""
        # The reply matters more. If the file has failed, the next reservation raises.
        with suppress(HubSpotBatchError), self._transaction() as database:
            (heard,) = database.execute(_HEARD, (attempt.sent,)).fetchone()
            heard = min(heard, attempt.ended) if isinstance(heard, float) else attempt.ended
            before = _state(database)
            state, send_time = ended(before, attempt, heard)
            if later := correction(before, state):
                database.execute(_CORRECT, (later,))
            if database.execute(_REMOVE, (attempt.send_time,)).rowcount:
                answered = None if attempt.headers is None else attempt.ended
                database.execute(_ADD_ENDED, (send_time, attempt.sent, answered))
            self._keep(database, state)

    async def ended_async(self, attempt: AttemptReport) -> None:
        """Do the same as `ended`, in a thread, so the event loop does not wait for the file."""
        await self._threads.run(partial(self.ended, attempt), abandon=False)

    def learn(self, headers: Mapping[str, str]) -> None:
        """Learn the limits of window and day from the headers of a reply."""
        with suppress(HubSpotBatchError), self._transaction() as database:
            self._keep(database, learned(_state(database), headers))

    def refused(self, until: float, now: float) -> None:
        """Send nothing before `until`, after a 429. The first 429 of a pause makes the margin grow."""
        with suppress(HubSpotBatchError), self._transaction() as database:
            self._keep(database, refused(_state(database), until, now))

    def close(self) -> None:
        """Close the file. Further reservations raise a `ClosedError`."""
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

    def _shown(self) -> str:
        return f"{str(self._path)!r}, {super()._shown()}"

    def _keep(self, database: sqlite3.Connection, state: QuotaState) -> None:
        _write(database, state)
        self._state = state

    @contextmanager
    def _transaction(self) -> Generator[sqlite3.Connection, None, None]:
        """Run a block as one exclusive transaction."""
        with self._access() as database, database:
            database.execute("BEGIN IMMEDIATE")
            yield database

    @contextmanager
    def _access(self) -> Generator[sqlite3.Connection, None, None]:
        with self._lock:
            try:
                yield self._opened()
            except sqlite3.Error as error:
                raise QuotaUnavailableError(
                    f"the quota file {self._path} cannot be used any more: {error}; "
                    "make room on its disk, end what holds it, or name another file"
                ) from error

    def _opened(self) -> sqlite3.Connection:
        if self._closed:
            raise ClosedError("the quota is closed; make another one")
        if self._database is None:
            self._database = _open(self._path)
            finalize(self, _close, self._database, os.getpid())
        return self._database

    def _forked(self) -> None:
        super()._forked()
        self._threads = Threads(1)
        if self._database is not None:
            # A child must neither use nor close an SQLite connection of its parent, so it is leaked.
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(self._database))
            self._database = None


def _close(database: sqlite3.Connection, process: int) -> None:
    if os.getpid() == process:
        database.close()


def _absolute(path: str | os.PathLike[str]) -> Path:
    try:
        return Path(path).absolute()
    except TypeError:
        raise ConfigurationError(
            'the path of a quota must be the path of a file; write SharedQuota("quota.sqlite")'
        ) from None


def _open(path: Path) -> sqlite3.Connection:
    try:
        _check_files(path)
        _make(path)
        database = sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None, check_same_thread=False)
    except (OSError, ValueError, sqlite3.Error) as error:
        raise _unusable(path, error) from error
    try:
        _prepare(database, path)
        _check_files(path)
    except (OSError, sqlite3.Error) as error:
        database.close()
        raise _unusable(path, error) from error
    return database


def _check_files(path: Path) -> None:
    """Check that the file, its links and the files of SQLite beside it belong to this user.

    Raises:
        OSError: If one is not.
    """
    target = os.path.realpath(path)
    beside = [f"{target}-{kind}" for kind in ("journal", "wal", "shm")]
    for name in (str(path), target, *beside):
        try:
            status = os.lstat(name)
        except FileNotFoundError:
            continue
        # The path may be a link; the files that SQLite makes must not be.
        link_allowed = name != target and name not in beside
        if not stat.S_ISREG(status.st_mode) and not link_allowed:
            raise OSError(f"{name} is not a regular file")
        # Files of root are accepted. Any other user could block this process forever.
        if hasattr(os, "geteuid") and status.st_uid not in {os.geteuid(), 0}:
            raise OSError(f"{name} belongs to another user")


def _make(path: Path) -> None:
    # Never open an existing file: closing it would release the locks of this process on it.
    with suppress(FileExistsError):
        os.close(os.open(os.path.realpath(path), os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def _prepare(database: sqlite3.Connection, path: Path) -> None:
    # After a power failure the machine reboots, which voids the log anyway.
    database.execute("PRAGMA synchronous = OFF")
    boot = _boot_id()
    with database:
        database.execute("BEGIN IMMEDIATE")
        if path.stat().st_size == 0:
            for statement in (*_TABLES, *_MARKS):
                database.execute(statement)
            _begin_anew(database)
        _check(database)
        (known,) = database.execute("SELECT boot FROM figures").fetchone() or ("",)
        # Without a boot id, a clock that went back means a reboot. If the machine has run longer than before,
        # the old log costs at most one window.
        ahead = _first_of(database.execute(_LAST_LEFT)) > time.monotonic() + _SKEW
        if known != boot or ahead:
            _begin_anew(database)
        # Also fails if the file is read-only.
        database.execute("UPDATE figures SET boot = ?", (boot,))
        _state(database)
    # Last, so that application id and version are never in a WAL only.
    try:
        database.execute("PRAGMA journal_mode = WAL")
    except sqlite3.OperationalError as error:
        # SQLite does not wait here for another process that begins, too. That one, or the next, chooses WAL.
        if error.sqlite_errorname != "SQLITE_BUSY":
            raise


def _check(database: sqlite3.Connection) -> None:
    (application,) = database.execute("PRAGMA application_id").fetchone()
    (version,) = database.execute("PRAGMA user_version").fetchone()
    if application != _APPLICATION:
        raise sqlite3.DatabaseError("another program has made it")
    if version != _VERSION:
        raise sqlite3.DatabaseError("another version of hubspot-batch has made it")
    # Nothing else is allowed: views and triggers would run code of another user.
    found = database.execute("SELECT sql FROM sqlite_master LIMIT ?", (len(_SCHEMA) + 1,))
    if sorted(str(statement) for (statement,) in found) != sorted(_SCHEMA):
        raise _damage()


def _begin_anew(database: sqlite3.Connection) -> None:
    database.execute("DELETE FROM departures")
    database.execute("DELETE FROM figures")
    database.execute(
        "INSERT INTO figures (boot, margin, paused_until, saved) VALUES ('', ?, ?, ?)",
        (FIRST_MARGIN, NEVER, MOST_SAVED),
    )


def _state(database: sqlite3.Connection, now: float = math.inf) -> QuotaState:
    """Return the state from the file. An impossibly long pause is dropped."""
    row = database.execute(f"SELECT {_COLUMNS} FROM figures").fetchone()  # noqa: S608 - constant
    if row is None:
        raise _damage()
    limit, window, margin, paused_until, latency, saved, daily_limit, daily_remaining = row
    told = (limit, window) != (None, None)
    counts = [count for count in (daily_limit, daily_remaining) if count is not None]
    believable = (
        (not told or (_within(limit, int, 1, MOST_REQUESTS) and _within(window, float, SOON, MOST_WINDOW)))
        and _within(margin, float, FIRST_MARGIN, MOST_MARGIN)
        and isinstance(paused_until, float)
        and (latency is None or _within(latency, float, 0, math.inf))
        and _within(saved, float, 0, MOST_SAVED)
        and all(_within(count, int, 0, MOST_REQUESTS) for count in counts)
    )
    if not believable:
        raise _damage()
    return QuotaState(
        told=Limit(limit, window) if told else None,
        margin=margin,
        paused_until=paused_until if paused_until <= now + _LONGEST_PAUSE else NEVER,
        latency=latency,
        saved=saved,
        daily_limit=daily_limit,
        daily_remaining=daily_remaining,
    )


def _within(value: object, kind: type[float], least: float, most: float) -> bool:
    return isinstance(value, kind) and least <= value <= most


def _write(database: sqlite3.Connection, state: QuotaState) -> None:
    limit, window = state.told or (None, None)
    values = (
        *(limit, window, state.margin, state.paused_until, state.latency, state.saved),
        *(state.daily_limit, state.daily_remaining),
    )
    update = f"UPDATE figures SET ({_COLUMNS}) = (?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608 - constant
    database.execute(update, values)


def _believable_last(database: sqlite3.Connection, start: float) -> float:
    """Return the last send time, after removing those that no queue can explain."""
    last = _first_of(database.execute(_LAST))
    if last > start + MEMORY:
        # Each waiting request is at most a window and a margin later than the one before it.
        (queue,) = database.execute("SELECT count(*) FROM departures WHERE at > ?", (start,)).fetchone()
        database.execute("DELETE FROM departures WHERE at > ?", (start + queue * MEMORY,))
        last = _first_of(database.execute(_LAST))
    return last


def _first_of(departures: sqlite3.Cursor) -> float:
    (send_time,) = departures.fetchone() or (NEVER,)
    if not isinstance(send_time, float):
        raise _damage()
    return send_time


def _damage() -> sqlite3.DatabaseError:
    return sqlite3.DatabaseError("it holds what no SharedQuota writes")


def _boot_id() -> str:
    """Return the boot id of the machine, or "" if the system has none.

    The time of the boot is not one: it changes when the clock is set.
    """
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""


def _unusable(path: Path, error: Exception) -> ConfigurationError:
    return ConfigurationError(
        f"the quota file {path} cannot be used: {error}; "
        "name a new file in a folder that exists and can be written, or one that a SharedQuota has made"
    )
