"""Which rows of a source have the unique value of an earlier row, in memory that does not grow.

The earlier row has the record, or may have it, so what HubSpot says of the later one can be its doing. A run
that goes on reads its source from the first row again, so nothing of this has to outlive the process.
"""

import sqlite3
import weakref
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from hubspot_batch.bulk._rows import Row, compared
from hubspot_batch.contract._operations import MAX_INPUTS

# `value` is the hash of the text, `meaning` that of all texts that HubSpot may hold equal.
_TABLES = """
create table latest (meaning integer primary key, number integer not null, value integer not null);
create table repeats (number integer primary key, earlier integer not null, value integer not null);
"""
_PARAMETERS = ", ".join("?" * MAX_INPUTS)


class Earlier(NamedTuple):
    """An earlier row with the same unique value.

    Attributes:
        number: Its number in the source.
        is_same: Whether its value is the same text, not only one that HubSpot may hold equal.
    """

    number: int
    is_same: bool


class Repeats:
    """The unique values of the rows that were read so far.

    Args:
        unique_property: The property that has them.
    """

    def __init__(self, unique_property: str) -> None:
        self._property = unique_property
        # A file without a name that ends with the process. SQLite keeps 2 MiB of it in memory.
        self._database = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        weakref.finalize(self, self._database.close)
        self._database.executescript(f"pragma journal_mode=off; pragma synchronous=off; {_TABLES}")

    def mark(self, rows: Iterable[Row]) -> None:
        """Mark the rows whose value an earlier one has, among at most 100 that were read after all others."""
        values = [
            (row, hash(compared(text)), hash(text))
            for row in rows
            if (text := row.unique_value(self._property)) is not None
        ]
        latest = self._latest([key for _, key, _ in values])
        repeats = []
        for row, key, value in values:
            if (earlier := latest.get(key)) is not None:
                row.repeats = True
                repeats.append((row.index, *earlier))
            latest[key] = row.index, value
        self._database.execute("begin")
        self._database.executemany(
            "insert or replace into latest values (?, ?, ?)",
            ((key, number, value) for key, (number, value) in sorted(latest.items())),
        )
        self._database.executemany("insert or replace into repeats values (?, ?, ?)", repeats)
        self._database.execute("commit")

    def earlier(self, row: Row) -> Iterator[Earlier]:
        """Yield the earlier rows with the value of a row, the last of them first."""
        own = hash(row.unique_value(self._property))
        number = row.index
        find = "select earlier, value from repeats where number = ?"
        while found := self._database.execute(find, (number,)).fetchone():
            number, value = found
            yield Earlier(number, value == own)

    def _latest(self, keys: list[int]) -> dict[int, tuple[int, int]]:
        padded = keys + keys[:1] * (MAX_INPUTS - len(keys)) if keys else [0] * MAX_INPUTS
        select = f"select meaning, number, value from latest where meaning in ({_PARAMETERS})"  # noqa: S608 - only placeholders
        return {key: (number, value) for key, number, value in self._database.execute(select, padded)}
