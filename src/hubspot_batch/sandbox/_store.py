"""The records of a sandbox, in SQLite."""

import re
import sqlite3
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import RLock
from typing import Any

import msgspec
from msgspec import Struct

from hubspot_batch.errors import ConfigurationError

# "HSBX": tells a store of ours from the SQLite file of another program.
_APPLICATION = 0x48534258
_VERSION = 1
# Ids of HubSpot have outgrown 32 bits.
_FIRST_ID = 20_000_000_001
_ID = re.compile(r"[1-9]\d{0,17}", re.ASCII)
_COLUMNS = "id, object_type, properties, associations, created_at, updated_at"

_TABLES = f"""
BEGIN;
CREATE TABLE records (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    object_type TEXT NOT NULL,
    properties TEXT NOT NULL,
    associations TEXT NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
);
CREATE INDEX by_object_type ON records (object_type, id);
INSERT INTO sqlite_sequence (name, seq) VALUES ('records', {_FIRST_ID - 1});
PRAGMA application_id = {_APPLICATION};
PRAGMA user_version = {_VERSION};
COMMIT;
"""  # noqa: S608


class StoredAssociation(Struct, frozen=True, kw_only=True):
    """A link from a record to another one.

    Attributes:
        to_type: The object type of the other record.
        to_id: Its id.
        category: Who defined the meaning of the link, HUBSPOT_DEFINED.
        type_id: The number of the meaning, 507 for order to contact.
    """

    to_type: str
    to_id: str
    category: str
    type_id: int


class StoredRecord(Struct, frozen=True, kw_only=True):
    """A record that the sandbox holds.

    Attributes:
        id: The record id, in decimal digits.
        object_type: The plural name of the object type, `orders` for example.
        properties: What was submitted; None where a property was cleared.
        associations: The records that it is linked with.
        created_at: When it was created, in ISO 8601.
        updated_at: When it was last changed, likewise.
    """

    id: str
    object_type: str
    properties: Mapping[str, str | None]
    associations: Sequence[StoredAssociation]
    created_at: str
    updated_at: str


class NewRecord(Struct, frozen=True, kw_only=True):
    """A record to insert."""

    object_type: str
    properties: Mapping[str, str | None]
    associations: Sequence[StoredAssociation] = ()


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
        self._db = _connect(path, lookups)

    @contextmanager
    def transaction(self) -> Generator[None, None, None]:
        """Do all that happens inside, or nothing. What was written is on disk when the block ends."""
        with self._lock, self._db:
            self._db.execute("BEGIN IMMEDIATE")
            yield

    def insert(self, records: Iterable[NewRecord], moment: str) -> list[StoredRecord]:
        """Write new records. Their ids rise in the order in which they are given."""
        return [self._insert(record, moment) for record in records]

    def add(self, object_type: str, record_id: str, moment: str) -> None:
        """Write a record with an id of the caller's choice, unless it exists.

        Raises:
            ConfigurationError: If the id belongs to a record of another object type.
        """
        with self.transaction():
            self._db.execute(
                "INSERT OR IGNORE INTO records VALUES (?, ?, '{}', '[]', ?, ?)",
                (int(record_id), object_type, moment, moment),
            )
            if not self.exists(object_type, record_id):
                raise ConfigurationError(
                    f"the id {record_id} belongs to a record of another object type; choose another id"
                )

    def update(self, record: StoredRecord) -> None:
        """Write the properties of a record that exists."""
        self._db.execute(
            "UPDATE records SET properties = ?, updated_at = ? WHERE id = ?",
            (_text(record.properties), record.updated_at, int(record.id)),
        )

    def get(self, object_type: str, record_id: str) -> list[StoredRecord]:
        """Return the record of this id, or nothing."""
        if not is_record_id(record_id):
            return []
        return self._select("object_type = ? AND id = ?", object_type, int(record_id))

    def find(self, object_type: str, name: str, value: str) -> list[StoredRecord]:
        """Return the records that have this value of one of the lookups."""
        return self._select(f"object_type = ? AND {_value_of(name)} = ?", object_type, value)

    def page(self, object_type: str, *, after: int = 0, limit: int = -1) -> list[StoredRecord]:
        """Return records by rising id, those that follow an id; a limit below 0 means all."""
        return self._select("object_type = ? AND id > ? ORDER BY id LIMIT ?", object_type, after, limit)

    def exists(self, object_type: str, record_id: str) -> bool:
        """Whether there is such a record."""
        return bool(self.get(object_type, record_id))

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    def _insert(self, record: NewRecord, moment: str) -> StoredRecord:
        cursor = self._db.execute(
            "INSERT INTO records (object_type, properties, associations, created_at, updated_at)"
            " VALUES (?, ?, ?, ?, ?)",
            (
                record.object_type,
                _text(record.properties),
                _text(record.associations),
                moment,
                moment,
            ),
        )
        return StoredRecord(
            id=str(cursor.lastrowid),
            object_type=record.object_type,
            properties=record.properties,
            associations=record.associations,
            created_at=moment,
            updated_at=moment,
        )

    def _select(self, condition: str, *values: str | int) -> list[StoredRecord]:
        with self._lock:
            # The condition is written in this class; only values come from outside.
            query = f"SELECT {_COLUMNS} FROM records WHERE {condition}"  # noqa: S608
            return [_record(row) for row in self._db.execute(query, values).fetchall()]


def _connect(path: Path | None, lookups: Iterable[str]) -> sqlite3.Connection:
    try:
        database = sqlite3.connect(
            ":memory:" if path is None else path.absolute(),
            isolation_level=None,
            check_same_thread=False,
        )
    except sqlite3.Error as error:
        raise _unusable(path, error) from error
    try:
        _prepare(database, lookups)
    except sqlite3.Error as error:
        database.close()
        raise _unusable(path, error) from error
    return database


def _prepare(database: sqlite3.Connection, lookups: Iterable[str]) -> None:
    (application,) = database.execute("PRAGMA application_id").fetchone()
    (version,) = database.execute("PRAGMA user_version").fetchone()
    (tables,) = database.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if tables and (application, version) != (_APPLICATION, _VERSION):
        raise sqlite3.DatabaseError("another program or another version of this one has made it")
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = FULL")
    if not tables:
        database.executescript(_TABLES)
    with database:
        # Also finds out whether the file can be written.
        database.execute("BEGIN IMMEDIATE")
        for name in lookups:
            database.execute(
                f"CREATE INDEX IF NOT EXISTS by_{name} ON records (object_type, {_value_of(name)})"
            )


def _unusable(path: Path | None, error: sqlite3.Error) -> ConfigurationError:
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


def _record(row: tuple[Any, ...]) -> StoredRecord:
    number, object_type, properties, associations, created_at, updated_at = row
    return StoredRecord(
        id=str(number),
        object_type=object_type,
        properties=msgspec.json.decode(properties, type=dict[str, str | None]),
        associations=msgspec.json.decode(associations, type=tuple[StoredAssociation, ...]),
        created_at=created_at,
        updated_at=updated_at,
    )
