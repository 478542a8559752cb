"""The records of a sandbox, in SQLite."""

import math
import os
import re
import sqlite3
import sys
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import RLock
from typing import Any, Literal

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from hubspot_batch.errors import ConfigurationError
from hubspot_batch.sandbox._schemas import Values

# "HSBX": tells a store of ours from the SQLite file of another program.
_APPLICATION = 0x48534258
_VERSION = 2
# Ids of HubSpot have outgrown 32 bits.
_FIRST_ID = 20_000_000_001
_ID = re.compile(r"[1-9]\d{0,17}", re.ASCII)
# Older builds of SQLite take 999.
_MOST_VALUES = 500
_COLUMNS = "id, object_type, properties, created_at, updated_at, archived_at"
_NOT_ARCHIVED = "archived_at IS NULL"
_SEARCHABLE = f"object_type = ? AND {_NOT_ARCHIVED} AND indexed_at <= ?"

_TABLES = f"""
BEGIN;
CREATE TABLE records (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    object_type TEXT NOT NULL,
    properties TEXT NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    archived_at TEXT,
    indexed_at REAL NOT NULL
);
CREATE INDEX by_object_type ON records (object_type, id);
CREATE TABLE associations (
    from_id INTEGER NOT NULL,
    to_id INTEGER NOT NULL,
    type_id INTEGER NOT NULL,
    category TEXT NOT NULL,
    to_type TEXT NOT NULL,
    PRIMARY KEY (from_id, to_id, type_id, category)
) WITHOUT ROWID;
CREATE TABLE revisions (
    record_id INTEGER NOT NULL,
    properties TEXT NOT NULL,
    written_at TEXT NOT NULL
);
CREATE INDEX by_record ON revisions (record_id);
INSERT INTO sqlite_sequence (name, seq) VALUES ('records', {_FIRST_ID - 1});
PRAGMA application_id = {_APPLICATION};
PRAGMA user_version = {_VERSION};
COMMIT;
"""  # noqa: S608 - constants of this module


class StoredAssociation(Struct, frozen=True, kw_only=True, rename="camel"):
    """An association from a record to another one.

    Attributes:
        to_type: The object type of the other record.
        to_id: Its id.
        category: Who has defined the association type, HUBSPOT_DEFINED.
        type_id: The association type id, 507 for order to contact.
    """

    to_type: str
    to_id: str
    category: str
    type_id: int


class StoredRecord(Struct, frozen=True, kw_only=True, rename="camel"):
    """A record that the sandbox holds.

    Attributes:
        id: The record id, in decimal digits.
        object_type: The plural name of the object type, `orders` for example.
        properties: The values as they are stored; None where a property was cleared.
        associations: The records that it is associated with, from either side.
        created_at: When it was created, in ISO 8601.
        updated_at: When it was last changed, in ISO 8601.
        archived_at: When it was archived, in ISO 8601; None if it was not.
    """

    id: str
    object_type: str
    properties: Values
    associations: Sequence[StoredAssociation] = ()
    created_at: str
    updated_at: str
    archived_at: str | None = None


class Revision(Struct, frozen=True, rename="camel"):
    """The properties of a record as they were from some time on.

    Attributes:
        properties: All its values.
        written_at: The time from which on it had them, in ISO 8601.
    """

    properties: Values
    written_at: str


_PROPERTIES = msgspec.json.Decoder(dict[str, str | None])


class NewRecord(Struct, frozen=True, kw_only=True):
    """A record to insert."""

    object_type: str
    properties: Values


class OneOf(Struct, frozen=True):
    """Records whose property has one of these values.

    Attributes:
        name: The property, a name in letters, digits and underscores.
        values: The values, in small letters.
    """

    name: str
    values: Sequence[str]

    def in_sql(self) -> tuple[str, Sequence[str]]:
        """Return the condition in SQL, and its values."""
        places = ", ".join("?" * len(self.values))
        return f"folded(json_extract(properties, ?)) IN ({places})", (f'$."{self.name}"', *self.values)


class Within(Struct, frozen=True):
    """Records that were created or changed in a period.

    Attributes:
        column: What the period is about.
        first: Its beginning, in ISO 8601.
        last: Its end.
    """

    column: Literal["created_at", "updated_at"]
    first: str = ""
    last: str = "~"

    def in_sql(self) -> tuple[str, Sequence[str]]:
        """Return the condition in SQL, and its values."""
        return f"{self.column} BETWEEN ? AND ?", (self.first, self.last)


def is_record_id(text: str) -> bool:
    """Whether a text can be a record id at all."""
    return bool(_ID.fullmatch(text))


class Store:
    """The records of a sandbox. Any thread may use it; one at a time does.

    Args:
        path: The SQLite file, made where it is missing; None keeps all in memory.
        lookups: The properties by which records are looked for.

    Raises:
        ConfigurationError: If the file cannot be used.
    """

    def __init__(self, path: Path | None, lookups: Iterable[str]) -> None:
        self._lock = RLock()
        self._path = path
        self._db = _connect(path)
        try:
            self.index(lookups)
        except ConfigurationError:
            self._db.close()
            raise

    def index(self, lookups: Iterable[str]) -> None:
        """Make these properties fast to look for.

        Raises:
            ConfigurationError: If the file cannot be written.
        """
        try:
            with self.transaction():
                for name in lookups:
                    self._db.execute(
                        f"CREATE INDEX IF NOT EXISTS by_{name} ON records (object_type, {_value_of(name)})"
                    )
        except sqlite3.Error as error:
            raise _unusable(self._path, error) from error

    def clear(self) -> None:
        """Delete all records. The next new one gets the first id again."""
        with self.transaction():
            for table in ("records", "associations", "revisions"):
                self._db.execute(f"DELETE FROM {table}")  # noqa: S608 - constants
            self._db.execute("UPDATE sqlite_sequence SET seq = ? WHERE name = 'records'", (_FIRST_ID - 1,))

    @contextmanager
    def transaction(self) -> Generator[None, None, None]:
        """Do all that happens inside, or nothing. What was written is on disk when the block ends."""
        with self._lock, self._db:
            self._db.execute("BEGIN IMMEDIATE")
            yield

    def insert(
        self, records: Iterable[NewRecord], moment: str, indexed_at: float = 0.0
    ) -> list[StoredRecord]:
        """Write new records. Their ids rise in the order in which they are given.

        Args:
            records: The records.
            moment: The present time.
            indexed_at: When they can be found by their unique properties, in seconds since 1970.
        """
        stored = [
            _stored(number, record, moment) for number, record in enumerate(records, int(self.next_id()))
        ]
        self._db.executemany(
            "INSERT INTO records VALUES (?, ?, ?, ?, ?, NULL, ?)",
            [(*_row(record), indexed_at) for record in stored],
        )
        return stored

    def next_id(self) -> str:
        """Return the id that the next new record gets."""
        with self._lock:
            ((last,),) = self._db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'records'")
        return str(last + 1)

    def add(self, object_type: str, record_id: str, properties: Values, moment: str) -> bool:
        """Write a record with an id of the caller's choice, unless it exists, and return whether it is new.

        Raises:
            ConfigurationError: If the id belongs to a record of another object type.
        """
        cursor = self._db.execute(
            "INSERT OR IGNORE INTO records VALUES (?, ?, ?, ?, ?, NULL, 0)",
            (int(record_id), object_type, _text(properties), moment, moment),
        )
        query = "SELECT object_type FROM records WHERE id = ?"
        ((found,),) = self._db.execute(query, (int(record_id),))
        if found != object_type:
            raise ConfigurationError(
                f"the id {record_id} belongs to a record of another object type; choose another id"
            )
        return bool(cursor.rowcount)

    def update(self, records: Sequence[StoredRecord], indexed_at: float = 0.0) -> None:
        """Write the properties of records that exist, and keep the earlier ones as revisions."""
        self._db.executemany(
            "INSERT INTO revisions SELECT id, properties, updated_at FROM records WHERE id = ?",
            [(int(record.id),) for record in records],
        )
        self._db.executemany(
            "UPDATE records SET properties = ?, updated_at = ?, indexed_at = ? WHERE id = ?",
            [(_text(record.properties), record.updated_at, indexed_at, int(record.id)) for record in records],
        )

    def archive(self, object_type: str, record_ids: Iterable[str], moment: str) -> int:
        """Archive those of these records that exist, and return how many there were."""
        numbers = [int(record_id) for record_id in self.get(object_type, record_ids)]
        self._db.executemany(
            "UPDATE records SET archived_at = ? WHERE id = ?", [(moment, number) for number in numbers]
        )
        return len(numbers)

    def associate(self, links: Iterable[tuple[str, StoredAssociation]]) -> None:
        """Associate records, each given by its id. What is associated already stays as it is."""
        self._db.executemany(
            "INSERT OR IGNORE INTO associations VALUES (?, ?, ?, ?, ?)",
            [
                (int(from_id), int(link.to_id), link.type_id, link.category, link.to_type)
                for from_id, link in links
            ],
        )

    def get(
        self, object_type: str, record_ids: Iterable[str], *, archived: bool = False
    ) -> dict[str, StoredRecord]:
        """Return the records of these ids by their id, those that exist."""
        numbers = [int(text) for text in record_ids if is_record_id(text)]
        query = f"SELECT {_COLUMNS} FROM records WHERE {_state(archived=archived)} AND id"  # noqa: S608 - constants
        records = map(_record, self._select_in(query, numbers))
        return {record.id: record for record in records if record.object_type == object_type}

    def find(
        self,
        object_type: str,
        name: str,
        values: Iterable[str],
        *,
        archived: bool = False,
        now: float = math.inf,
    ) -> dict[str, StoredRecord]:
        """Return the records that have these values of a unique property, by the value.

        Args:
            object_type: Their object type.
            name: The unique property.
            values: Its values.
            archived: Whether to find archived records instead of the others.
            now: Seconds since 1970: what is indexed later is not found.
        """
        query = (
            f"SELECT {_value_of(name)}, {_COLUMNS} FROM records"  # noqa: S608 - names of the document
            f" WHERE object_type = '{object_type}' AND {_state(archived=archived)}"
            f" AND indexed_at <= {min(now, sys.float_info.max)!r} AND {_value_of(name)}"
        )
        return {value: _record(row) for value, *row in self._select_in(query, values)}

    def existing(self, record_ids: Iterable[str]) -> set[tuple[str, str]]:
        """Return the object type and the id of those records that exist."""
        numbers = [int(text) for text in record_ids if is_record_id(text)]
        query = f"SELECT object_type, id FROM records WHERE {_NOT_ARCHIVED} AND id"  # noqa: S608 - constants
        return {(object_type, str(number)) for object_type, number in self._select_in(query, numbers)}

    def page(
        self, object_type: str, *, after: int = 0, limit: int = -1, archived: bool = False
    ) -> list[StoredRecord]:
        """Return records by rising id, those that follow an id; a limit below 0 means all."""
        state = _state(archived=archived)
        return self._select(
            f"object_type = ? AND id > ? AND {state} ORDER BY id LIMIT ?", object_type, after, limit
        )

    def searchable(
        self, object_type: str, now: float, hints: Sequence["OneOf | Within"] = ()
    ) -> Generator[list[StoredRecord], None, None]:
        """Yield the records that a search can find now, by rising id, some at a time.

        Args:
            object_type: Their object type.
            now: Seconds since 1970: what is indexed later is not found.
            hints: Only records that are as one of them says are found; all of them if there are none.
        """
        after = 0
        clauses, lists = zip(*[hint.in_sql() for hint in hints], strict=True) if hints else (["TRUE"], [])
        condition = f"{_SEARCHABLE} AND ({' OR '.join(clauses)}) AND id > ? ORDER BY id LIMIT ?"
        values = [value for texts in lists for value in texts]
        while True:
            records = self._select(condition, object_type, now, *values, after, _MOST_VALUES)
            yield records
            if len(records) < _MOST_VALUES:
                return
            after = int(records[-1].id)

    def searchable_page(
        self, object_type: str, now: float, order: str, *, after: int, limit: int
    ) -> tuple[int, list[StoredRecord]]:
        """Return how many records a search can find now, and a page of them.

        Args:
            object_type: Their object type.
            now: Seconds since 1970: what is indexed later is not found.
            order: The columns to sort by, in SQL.
            after: How many come before the page.
            limit: How many it has at most.
        """
        with self._lock:
            query = f"SELECT count(*) FROM records WHERE {_SEARCHABLE}"  # noqa: S608 - constants
            ((total,),) = self._db.execute(query, (object_type, now)).fetchall()
            condition = f"{_SEARCHABLE} ORDER BY {order} LIMIT ? OFFSET ?"
            return total, self._select(condition, object_type, now, limit, after)

    def associations(self, record_ids: Iterable[str]) -> dict[str, list[StoredAssociation]]:
        """Return the associations of records by their ids, without those with archived records."""
        query = (
            "SELECT from_id, to_id, type_id, category, to_type FROM associations"  # noqa: S608 - constants
            " LEFT JOIN records ON records.id = to_id"
            f" WHERE {_NOT_ARCHIVED} AND from_id"
        )
        found: dict[str, list[StoredAssociation]] = {}
        for from_id, to_id, type_id, category, to_type in self._select_in(query, map(int, record_ids)):
            link = StoredAssociation(to_type=to_type, to_id=str(to_id), category=category, type_id=type_id)
            found.setdefault(str(from_id), []).append(link)
        return found

    def with_associations(self, records: Sequence[StoredRecord]) -> list[StoredRecord]:
        """Return records with their associations."""
        found = self.associations(record.id for record in records)
        return [replace(record, associations=tuple(found.get(record.id, ()))) for record in records]

    def revisions(self, record_ids: Iterable[str]) -> dict[str, list[Revision]]:
        """Return what records were before, by their ids, the oldest first."""
        query = "SELECT record_id, properties, written_at FROM revisions WHERE record_id"
        found: dict[str, list[Revision]] = {}
        for number, properties, written_at in self._select_in(query, map(int, record_ids)):
            revision = Revision(_PROPERTIES.decode(properties), written_at)
            found.setdefault(str(number), []).append(revision)
        return found

    def count(self, object_type: str) -> int:
        """Return how many records of an object type there are."""
        with self._lock:
            query = f"SELECT count(*) FROM records WHERE object_type = ? AND {_NOT_ARCHIVED}"  # noqa: S608 - constants
            ((number,),) = self._db.execute(query, (object_type,)).fetchall()
        return int(number)

    def latest(self, object_type: str, limit: int) -> list[StoredRecord]:
        """Return the records with the highest ids, the highest one first."""
        condition = f"object_type = ? AND {_NOT_ARCHIVED} ORDER BY id DESC LIMIT ?"
        return self._select(condition, object_type, limit)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    def _select(self, condition: str, *values: str | float) -> list[StoredRecord]:
        with self._lock:
            query = f"SELECT {_COLUMNS} FROM records WHERE {condition}"  # noqa: S608 - written in this class
            return [_record(row) for row in self._db.execute(query, values).fetchall()]

    def _select_in(self, query: str, values: Iterable[str | int]) -> list[tuple[Any, ...]]:
        wanted = list(dict.fromkeys(values))
        rows: list[tuple[Any, ...]] = []
        with self._lock:
            for start in range(0, len(wanted), _MOST_VALUES):
                part = wanted[start : start + _MOST_VALUES]
                rows += self._db.execute(f"{query} IN ({', '.join('?' * len(part))})", part)
        return rows


def _connect(path: Path | None) -> sqlite3.Connection:
    try:
        if path is not None:
            # Records are for none but its owner to read. What SQLite keeps beside it gets the same mode.
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        database = sqlite3.connect(
            ":memory:" if path is None else path.absolute(),
            isolation_level=None,
            check_same_thread=False,
        )
    except (OSError, sqlite3.Error) as error:
        raise _unusable(path, error) from error
    try:
        _prepare(database)
    except sqlite3.Error as error:
        database.close()
        raise _unusable(path, error) from error
    return database


def _folded(text: str | None) -> str | None:
    """Return a text in small letters. SQLite itself knows only those of ASCII."""
    return None if text is None else text.lower()


def _prepare(database: sqlite3.Connection) -> None:
    database.create_function("folded", 1, _folded, deterministic=True)
    (application,) = database.execute("PRAGMA application_id").fetchone()
    (version,) = database.execute("PRAGMA user_version").fetchone()
    (tables,) = database.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if tables and (application, version) != (_APPLICATION, _VERSION):
        raise sqlite3.DatabaseError("another program or another version of this one has made it")
    if tables:
        _check(database)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = FULL")
    if not tables:
        database.executescript(_TABLES)


def _check(database: sqlite3.Connection) -> None:
    """Find damage now, not when a request meets it."""
    for (problem,) in database.execute("PRAGMA quick_check(1)"):
        if problem != "ok":
            raise sqlite3.DatabaseError(f"it is damaged: {problem}")
    for table in ("records", "revisions"):
        query = f"SELECT 1 FROM {table} WHERE NOT json_valid(properties) LIMIT 1"  # noqa: S608 - constants
        if database.execute(query).fetchall():
            raise sqlite3.DatabaseError(f"it is damaged: the properties in {table} are not JSON")


def _unusable(path: Path | None, error: OSError | sqlite3.Error) -> ConfigurationError:
    return ConfigurationError(
        f"the store {path} cannot be used: {error}; "
        "name a new file in a folder that exists, or one that a sandbox has made"
    )


def _value_of(name: str) -> str:
    # The name is one of the lookups of a table, never one that a request has brought. It stands in the text
    # because an index serves only queries that have the very same expression.
    return f"json_extract(properties, '$.{name}')"


def _text(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _state(*, archived: bool) -> str:
    return "archived_at IS NOT NULL" if archived else _NOT_ARCHIVED


def _stored(number: int, record: NewRecord, moment: str) -> StoredRecord:
    return StoredRecord(
        id=str(number),
        object_type=record.object_type,
        properties=record.properties,
        created_at=moment,
        updated_at=moment,
    )


def _row(record: StoredRecord) -> tuple[int, str, str, str, str]:
    return (
        int(record.id),
        record.object_type,
        _text(record.properties),
        record.created_at,
        record.updated_at,
    )


def _record(row: Sequence[Any]) -> StoredRecord:
    number, object_type, properties, created_at, updated_at, archived_at = row
    return StoredRecord(
        id=str(number),
        object_type=object_type,
        properties=_PROPERTIES.decode(properties),
        created_at=created_at,
        updated_at=updated_at,
        archived_at=archived_at,
    )
