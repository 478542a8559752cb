"""What was last sent of each record, so that a later run sends only rows that differ: digests, and no values.

A record is forgotten before a row about it leaves, and remembered once that row is done. So a row that is
refused, in doubt or interrupted is sent again, and what is known is never older than what was sent.
"""

import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from decimal import Decimal
from functools import cache
from hashlib import blake2b
from os import PathLike
from pathlib import Path
from secrets import token_bytes
from threading import Lock
from typing import cast

from anyio import CapacityLimiter, to_thread
from msgspec import Struct

from hubspot_batch.bulk._journal_file import path_of
from hubspot_batch.bulk._lock import FileLock
from hubspot_batch.bulk._outcomes import Outcome
from hubspot_batch.bulk._rows import Row, compared
from hubspot_batch.errors import ConfigurationError, JournalError, JournalInUseError

_FORMAT = 1
_APPLICATION = 0x48534253
_SCHEMA = """
create table meta (name text primary key, value) without rowid;
create table sent (record integer primary key, digest blob not null, id text);
"""
_OBJECTS = "select type, name, tbl_name, sql from sqlite_master"
_REMEDY = "delete it (`hubspot-batch runs --delete`), and the next run sends all rows once more"


@cache
def _objects() -> frozenset[tuple[object, ...]]:
    """Return all that such a file holds, as SQLite puts it."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(_SCHEMA)
        return frozenset(connection.execute(_OBJECTS))


class SentInfo(Struct, frozen=True, kw_only=True):
    """What a file says that keeps what was last sent.

    Attributes:
        path: The file.
        service: The address of HubSpot.
        object_type: The object type of the records.
        id_property: The property that names them; `id` if that is the record id.
        rows: How many records there are.
    """

    path: Path
    service: str
    object_type: str
    id_property: str
    rows: int


def read_sent(path: str | PathLike[str]) -> SentInfo:
    """Return what a file says that `changed_only` names.

    Raises:
        ConfigurationError: If there is no such file.
        JournalError: If it cannot be read, or a run is using it.
    """
    file = path_of(path, "changed_only")
    if not os.path.isfile(file):  # noqa: PTH113 - that of a path raises where a name is too long
        raise ConfigurationError(f"there is no file {file}; name one that changed_only has made")
    sent = SentRows(file)
    try:
        return sent.info()
    finally:
        sent.close()


class SentRows:
    """A file that keeps what was last sent, open for one run.

    Args:
        path: The file; made if it is missing.
        everything: Whether to send rows that have not changed as well.

    Raises:
        JournalError: If it is not such a file, is damaged, was written by a newer version, is in use, or
            cannot be made.
    """

    def __init__(self, path: Path, *, everything: bool = False) -> None:
        self._path = path
        self._everything = everything
        self._turn = Lock()
        self._is_keyed = False
        self._thread = CapacityLimiter(1)
        real = Path(os.path.realpath(path))
        self._is_new = not real.exists()
        try:
            self._lock = FileLock(real.with_name(f"{real.name}-lock"), lasting=True)
        except BlockingIOError as error:
            raise JournalInUseError(
                f"{path}, which keeps what was last sent, is in use by another run; wait for that to end"
            ) from error
        except OSError as error:
            raise self._unusable(f"{error.strerror}; let this user write there") from error
        try:
            with self._working():
                self._connection = self._connected(real)
            self._salt = cast("bytes", self._meta()["salt"])
        except BaseException:
            self._lock.release()
            raise

    @property
    def salt(self) -> bytes:
        """What keeps a digest in this file from being the same in another one."""
        return self._salt

    def identify(self, identity: Mapping[str, str]) -> None:
        """Write down what the file is about, or compare it with what it says.

        Raises:
            JournalError: If it is about another account, service or object type.
        """
        known = self._meta()
        for name, value in identity.items():
            if known.get(name, value) != value:
                raise JournalError(
                    f"{self._path} keeps what was last sent to another {name}; name another file"
                )
        with self._working():
            self._note(identity)
            self._commit()

    def info(self) -> SentInfo:
        """Return what the file says.

        Raises:
            JournalError: If it cannot be read.
        """
        known = self._meta()
        with self._working():
            ((rows,),) = self._connection.execute("select count(*) from sent")
        return SentInfo(
            path=self._path,
            service=str(known.get("service", "")),
            object_type=str(known.get("object type", "")),
            id_property=str(known.get("key property", "id")),
            rows=rows,
        )

    async def sift(
        self, rows: Sequence[Row], id_property: str | None
    ) -> tuple[Sequence[tuple[Row, str | None]], Sequence[Row]]:
        """Return the rows that are as they were last sent, with their record ids, and those that are not.

        What is known of the latter is forgotten, durably: they may leave.

        Args:
            rows: Rows, in the order of the source.
            id_property: What names the record of a row that does not say so itself.

        Raises:
            JournalError: If the file cannot be used.
        """
        return await to_thread.run_sync(self._sift, rows, id_property, limiter=self._thread)

    async def remember(self, settled: Sequence[tuple[Row, Outcome]], id_property: str | None) -> None:
        """Remember the rows that are done.

        Raises:
            JournalError: If the file cannot be used.
        """
        await to_thread.run_sync(self._remember, settled, id_property, limiter=self._thread)

    def close(self) -> None:
        """Write what was remembered, and close the file. One that was made for nothing is removed."""
        with self._turn:
            try:
                with self._working():
                    self._commit()
                    found = self._connection.execute("select 1 from sent limit 1").fetchall()
                    self._connection.close()
                if self._is_new and not found:
                    self._path.unlink(missing_ok=True)
            finally:
                self._connection.close()
                self._lock.release()

    def _sift(
        self, rows: Sequence[Row], id_property: str | None
    ) -> tuple[Sequence[tuple[Row, str | None]], Sequence[Row]]:
        unchanged, changed = [], []
        with self._turn, self._working():
            self._note_key(rows, id_property)
            for row in rows:
                if row.faults:
                    changed.append(row)
                    continue
                record = self._record_of(row, id_property)
                found = self._connection.execute("select digest, id from sent where record = ?", (record,))
                known = found.fetchone()
                is_fresh = not (row.maybe_written or row.written or self._everything)
                if known is not None and is_fresh and known[0] == self._digest(row.digest, 16):
                    unchanged.append((row, known[1]))
                    continue
                changed.append(row)
                if known is not None:
                    self._begin()
                    self._connection.execute("delete from sent where record = ?", (record,))
            self._commit()
        return unchanged, changed

    def _remember(self, settled: Sequence[tuple[Row, Outcome]], id_property: str | None) -> None:
        done = [(row, outcome) for row, outcome in settled if outcome.ok and outcome.action != "unchanged"]
        with self._turn, self._working():
            for row, outcome in done:
                self._begin()
                self._connection.execute(
                    "insert or replace into sent values (?, ?, ?)",
                    (self._record_of(row, id_property), self._digest(row.digest, 16), outcome.id),
                )

    def _record_of(self, row: Row, id_property: str | None) -> int:
        """Return a digest of what names the record of a row, as HubSpot compares it."""
        name, value = row.wire.get("idProperty", id_property), row.wire["id"]
        if name is not None:
            value = compared(value)
        if isinstance(value, Decimal):
            value = format(value.normalize(), "E")
        digest = self._digest(repr((name, value)).encode("utf-8", "surrogatepass"), 8)
        return int.from_bytes(digest, "big", signed=True)

    def _digest(self, content: bytes, size: int) -> bytes:
        return blake2b(content, key=self._salt, digest_size=size).digest()

    def _begin(self) -> None:
        if not self._connection.in_transaction:
            self._connection.execute("begin")

    def _commit(self) -> None:
        if self._connection.in_transaction:
            self._connection.execute("commit")

    def _note(self, facts: Mapping[str, str]) -> None:
        self._begin()
        self._connection.executemany("insert or replace into meta values (?, ?)", facts.items())

    def _note_key(self, rows: Sequence[Row], id_property: str | None) -> None:
        """Note once what names the records, for those who list such files."""
        names = (row.wire.get("idProperty", id_property) or "id" for row in rows if not row.faults)
        if not self._is_keyed and (name := next(names, None)) is not None:
            self._note({"key property": name})
            self._is_keyed = True

    def _meta(self) -> Mapping[str, object]:
        with self._working():
            return dict(self._connection.execute("select name, value from meta"))

    def _connected(self, real: Path) -> sqlite3.Connection:
        # Readable by its owner only, as a journal is.
        os.close(os.open(real, os.O_RDWR | os.O_CREAT, 0o600))
        connection = sqlite3.connect(real, isolation_level=None, check_same_thread=False, timeout=1)
        try:
            self._claim(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _claim(self, connection: sqlite3.Connection) -> None:
        connection.execute("pragma trusted_schema=off")
        (application,) = connection.execute("pragma application_id").fetchone()
        (version,) = connection.execute("pragma user_version").fetchone()
        tables = {*connection.execute(f"{_OBJECTS} limit 10")}
        if not tables and not application:
            connection.execute("begin exclusive")
            for statement in _SCHEMA.split(";"):
                connection.execute(statement)
            connection.execute("insert into meta values ('salt', ?)", (token_bytes(16),))
            connection.execute(f"pragma application_id={_APPLICATION}")
            connection.execute(f"pragma user_version={_FORMAT}")
            connection.execute("commit")
        elif application != _APPLICATION:
            raise self._unusable("it is another program's database; name another file")
        elif version > _FORMAT:
            raise self._unusable(
                f"a newer version of hubspot-batch has written it; install that, or {_REMEDY}"
            )
        else:
            problems = connection.execute("pragma quick_check(1)").fetchall()
            salt = connection.execute("select value from meta where name = 'salt'").fetchall()
            if problems != [("ok",)] or tables != _objects() or not isinstance(salt[0][0], bytes):
                raise self._unusable(f"it is damaged; {_REMEDY}")
        connection.execute("pragma journal_mode=wal")
        connection.execute("pragma synchronous=full")

    @contextmanager
    def _working(self) -> Iterator[None]:
        """Put errors of SQLite and of the system into words."""
        try:
            yield
        except sqlite3.Error as error:
            name = getattr(error, "sqlite_errorname", "")
            remedy = _REMEDY
            if "FULL" in name or "IOERR" in name:
                remedy = "make room on its disk"
            elif "BUSY" in name or "LOCKED" in name:
                remedy = "end the other program that uses it"
            elif "READONLY" in name or "CANTOPEN" in name:
                remedy = "let it, and its folder, be written by this user"
            raise self._unusable(f"{error}; {remedy}") from error
        except OSError as error:
            raise self._unusable(
                f"{error.strerror}; let it, and its folder, be written by this user"
            ) from error

    def _unusable(self, problem: str) -> JournalError:
        return JournalError(f"{self._path}, which keeps what was last sent, cannot be used: {problem}")
