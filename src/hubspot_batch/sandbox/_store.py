"""The records of a sandbox, in SQLite."""

import os
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
# Older builds of SQLite take 999.
_MOST_VALUES = 500
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
"""  # noqa: S608 - constants of this module


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
        properties: What was submitted, as it is stored; None where a property was cleared.
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


_PROPERTIES = msgspec.json.Decoder(dict[str, str | None])
_ASSOCIATIONS = msgspec.json.Decoder(tuple[StoredAssociation, ...])


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
        stored = [
            _stored(number, record, moment) for number, record in enumerate(records, int(self.next_id()))
        ]
        self._db.executemany("INSERT INTO records VALUES (?, ?, ?, ?, ?, ?)", map(_row, stored))
        return stored

    def next_id(self) -> str:
        """Return the id that the next new record gets."""
        with self._lock:
            ((last,),) = self._db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'records'")
        return str(last + 1)

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
            if (object_type, record_id) not in self.existing([record_id]):
                raise ConfigurationError(
                    f"the id {record_id} belongs to a record of another object type; choose another id"
                )

    def update(self, records: Iterable[StoredRecord]) -> None:
        """Write the properties of records that exist."""
        self._db.executemany(
            "UPDATE records SET properties = ?, updated_at = ? WHERE id = ?",
            [(_text(record.properties), record.updated_at, int(record.id)) for record in records],
        )

    def get(self, object_type: str, record_ids: Iterable[str]) -> dict[str, StoredRecord]:
        """Return the records of these ids by their id, those that exist."""
        numbers = [int(text) for text in record_ids if is_record_id(text)]
        found = self._select_in(f"SELECT {_COLUMNS} FROM records WHERE id", numbers)  # noqa: S608 - constant
        records = map(_record, found)
        return {record.id: record for record in records if record.object_type == object_type}

    def find(self, object_type: str, name: str, values: Iterable[str]) -> dict[str, StoredRecord]:
        """Return the records that have these values of one of the lookups, by the value."""
        query = (
            f"SELECT {_value_of(name)}, {_COLUMNS} FROM records"  # noqa: S608 - names of the document
            f" WHERE object_type = '{object_type}' AND {_value_of(name)}"
        )
        return {value: _record(row) for value, *row in self._select_in(query, values)}

    def existing(self, record_ids: Iterable[str]) -> set[tuple[str, str]]:
        """Return the object type and the id of those records that exist."""
        numbers = [int(text) for text in record_ids if is_record_id(text)]
        found = self._select_in("SELECT object_type, id FROM records WHERE id", numbers)
        return {(object_type, str(number)) for object_type, number in found}

    def page(self, object_type: str, *, after: int = 0, limit: int = -1) -> list[StoredRecord]:
        """Return records by rising id, those that follow an id; a limit below 0 means all."""
        return self._select("object_type = ? AND id > ? ORDER BY id LIMIT ?", object_type, after, limit)

    def count(self, object_type: str) -> int:
        """Return how many records of an object type there are."""
        with self._lock:
            query = "SELECT count(*) FROM records WHERE object_type = ?"
            ((number,),) = self._db.execute(query, (object_type,)).fetchall()
        return int(number)

    def latest(self, object_type: str, limit: int) -> list[StoredRecord]:
        """Return the records with the highest ids, the highest one first."""
        return self._select("object_type = ? ORDER BY id DESC LIMIT ?", object_type, limit)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    def _select(self, condition: str, *values: str | int) -> list[StoredRecord]:
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


def _connect(path: Path | None, lookups: Iterable[str]) -> sqlite3.Connection:
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


def _stored(number: int, record: NewRecord, moment: str) -> StoredRecord:
    return StoredRecord(
        id=str(number),
        object_type=record.object_type,
        properties=record.properties,
        associations=record.associations,
        created_at=moment,
        updated_at=moment,
    )


def _row(record: StoredRecord) -> tuple[int, str, str, str, str, str]:
    return (
        int(record.id),
        record.object_type,
        _text(record.properties),
        _text(record.associations) if record.associations else "[]",
        record.created_at,
        record.updated_at,
    )


def _record(row: Sequence[Any]) -> StoredRecord:
    number, object_type, properties, associations, created_at, updated_at = row
    return StoredRecord(
        id=str(number),
        object_type=object_type,
        properties=_PROPERTIES.decode(properties),
        associations=_ASSOCIATIONS.decode(associations),
        created_at=created_at,
        updated_at=updated_at,
    )
