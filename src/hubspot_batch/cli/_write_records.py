"""The records that `hubspot-batch read` has found, as CSV, JSON Lines or Parquet."""

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from hubspot_batch.bulk import arrow, read_outcomes
from hubspot_batch.cli._console import is_unread, say
from hubspot_batch.cli._files import STDIN, check_writable, open_private, unwritable
from hubspot_batch.cli._tables import CR_LF, FORMATS, Lines, close_text, open_text
from hubspot_batch.errors import ConfigurationError
from hubspot_batch.results import Record

_SUFFIXES = {".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet", ".pq": "parquet"}
# The rows of a Parquet file that are in memory together.
_ROW_GROUP = 10_000


class RecordsFile(Struct, frozen=True, kw_only=True):
    """A file of records.

    Attributes:
        path: The file; `-` for standard output.
        properties: The properties that were asked for. HubSpot has chosen them if there are none.
        has_history: Whether former values were asked for.
    """

    path: Path
    properties: Sequence[str]
    has_history: bool

    def check(self) -> None:
        """Refuse a file that could not be written.

        Raises:
            ConfigurationError: If its format is not known, cannot hold what was asked for, or needs pyarrow.
        """
        if self.path == STDIN:
            return
        form = _SUFFIXES.get(self.path.suffix.lower())
        if form is None:
            raise ConfigurationError(
                f"{self.path}: the name does not tell a format; let it end in .csv, .jsonl or .parquet"
            )
        if self.has_history and form != "jsonl":
            raise ConfigurationError(
                f"{self.path}: only JSON Lines hold a history; let the name end in .jsonl"
            )
        if form == "parquet":
            arrow.import_pyarrow("pyarrow.parquet")
        check_writable(self.path)

    def write(self, journal: Path, form_of_rows: str) -> None:
        """Write the records that the journal of a run holds, in the order of its rows.

        Args:
            journal: The journal.
            form_of_rows: The name of the format in which the rows came, which is that of standard output.

        Raises:
            ConfigurationError: If the file cannot be written.
            OSError: If standard output has no reader any more.
        """
        sent: set[str] = set()

        def records() -> Iterator[Record]:
            for outcome in read_outcomes(journal):
                if outcome.record is not None:
                    sent.update(outcome.record.properties)
                    yield outcome.record

        try:
            if self.path != STDIN:
                form = _SUFFIXES[self.path.suffix.lower()]
            else:
                form = "jsonl" if self.has_history else FORMATS[form_of_rows].results
            if form == "jsonl":
                _write_json_lines(self.path, records())
            else:
                # The first line of a table names all columns, so the records are read twice.
                names = self.properties or list(
                    dict.fromkeys(name for record in records() for name in record.properties)
                )
                (_write_csv if form == "csv" else _write_parquet)(self.path, records(), names)
        except OSError as error:
            if is_unread(error):
                raise
            raise unwritable(self.path, error) from error
        # A property that the account has comes even where it is empty.
        for name in self.properties:
            if sent and name not in sent:
                say(
                    f"Warning: HubSpot has sent no property {name!r}; look whether its name is right",
                    err=True,
                )


def _write_csv(path: Path, records: Iterator[Record], names: Sequence[str]) -> None:
    file = open_text(path, "utf-8")
    try:
        writer = csv.writer(Lines(file, "\n"), lineterminator=CR_LF)
        writer.writerow(arrow.columns_of((), names))
        for record in records:
            writer.writerow([_cell(values[0]) for values in arrow.columns_of((record,), names).values()])
    finally:
        close_text(file)


def _cell(value: object) -> object:
    return str(value).lower() if isinstance(value, bool) else value


def _write_json_lines(path: Path, records: Iterator[Record]) -> None:
    file = open_text(path, "utf-8")
    try:
        for record in records:
            file.write(f"{json.dumps(_facts(record), ensure_ascii=False)}\n")
    finally:
        close_text(file)


def _facts(record: Record) -> Mapping[str, Any]:
    facts: dict[str, Any] = {
        "id": record.id,
        "created_at": record.created_at,
        "updated_at": record.updated_at,
        "archived": record.archived,
        "properties": record.properties,
    }
    return {**facts, "history": msgspec.to_builtins(record.history)} if record.history else facts


def _write_parquet(path: Path, records: Iterator[Record], names: Sequence[str]) -> None:
    parquet = arrow.import_pyarrow("pyarrow.parquet")
    table = arrow.table_of((), names)
    with open_private(path) as file, parquet.ParquetWriter(file.buffer, table.schema) as writer:
        while group := list(islice(records, _ROW_GROUP)):
            writer.write_table(arrow.table_of(group, names))
