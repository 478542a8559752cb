"""A file that tells what became of rows, and holds them in the form in which they came."""

import csv
import json
import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from io import TextIOWrapper
from pathlib import Path
from typing import Self

from hubspot_batch.bulk.outcomes import Outcome
from hubspot_batch.cli._files import STDIN
from hubspot_batch.cli._tables._csv import CsvTable, Dialect
from hubspot_batch.cli._tables._json import TEXT_KEY
from hubspot_batch.cli._tables._parquet import ParquetTable
from hubspot_batch.cli._tables._row import RESULT_COLUMNS, Row
from hubspot_batch.cli._tables._table import Table
from hubspot_batch.errors import ConfigurationError
from hubspot_batch.results import Reason
from hubspot_batch.values import Problem, Unreadable, wire_text

_OURS = frozenset((*RESULT_COLUMNS, TEXT_KEY))


class Results(ABC):
    """An open file of results, a context manager that closes it.

    Each row stands there as it was read, behind `_row`, `_outcome`, `_id`, `_code` and `_message`. Read as a
    table again, the file has the columns of the first one.
    """

    def __init__(self, file: TextIOWrapper) -> None:
        self._file = file

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file.buffer is sys.stdout.buffer:
            self._file.detach()
        else:
            self._file.close()

    @abstractmethod
    def write(self, row: Row, outcome: Outcome | None) -> None:
        """Write a row and what became of it; it is pending where nothing has."""


class CsvResults(Results):
    """Results as CSV, for rows of CSV and Parquet."""

    def __init__(self, file: TextIOWrapper, columns: Sequence[str], dialect: Dialect, line_end: str) -> None:
        super().__init__(file)
        self._columns = columns
        self._writer = csv.writer(
            file, delimiter=dialect.delimiter, quotechar=dialect.quote, lineterminator=line_end
        )
        self._writer.writerow([*RESULT_COLUMNS, *columns])

    def write(self, row: Row, outcome: Outcome | None) -> None:
        """Write a row and what became of it; it is pending where nothing has."""
        own = row.original or [_cell(row.values[column]) for column in self._columns]
        self._writer.writerow([*_results(row, outcome).values(), *own])


class JsonResults(Results):
    """Results as JSON Lines, for rows of JSON."""

    def write(self, row: Row, outcome: Outcome | None) -> None:
        """Write a row and what became of it; it is pending where nothing has."""
        own = row.values
        if row.fault:
            own = {TEXT_KEY: row.original}
        elif not _OURS.isdisjoint(own):
            own = {TEXT_KEY: _json(own)}
        self._file.write(f"{_json({**_results(row, outcome), **own})}\n")


def open_results(path: Path, table: Table) -> Results:
    """Open a file, or standard output where the path is `-`, for the results of the rows of a table.

    Rows of CSV and Parquet become CSV, those of JSON become JSON Lines. CSV has the dialect and the encoding
    of the table; what the encoding lacks in a message is escaped. What the file held is gone.

    Raises:
        ConfigurationError: If the file cannot be written, or is that of the table.
    """
    if path != STDIN and path.resolve() == Path(table.name).resolve():
        raise ConfigurationError(f"{path}: the rows are read from there; name another file for the results")
    file = _opened(path, table.text.encoding_to_write() if isinstance(table, CsvTable) else "utf-8")
    if isinstance(table, CsvTable):
        return CsvResults(file, table.columns or (), table.dialect, table.text.line_end)
    if isinstance(table, ParquetTable):
        return CsvResults(file, table.columns or (), Dialect(), "\n")
    return JsonResults(file)


def _opened(path: Path, encoding: str) -> TextIOWrapper:
    # What this handler writes for a lone surrogate is what JSON says for it.
    errors = "backslashreplace"
    if path == STDIN:
        return TextIOWrapper(sys.stdout.buffer, encoding, errors, newline="")
    try:
        return path.open("w", encoding=encoding, errors=errors, newline="")
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}; name a file that can be written") from error


def _results(row: Row, outcome: Outcome | None) -> dict[str, object]:
    if outcome is None:
        told: tuple[object, ...] = (row.number, "pending", None, None, None)
    else:
        code = next((reason.code for reason in outcome.reasons if reason.code), outcome.category)
        told = (row.number, outcome.status, outcome.id, code, _message(outcome))
    return dict(zip(RESULT_COLUMNS, told, strict=True))


def _message(outcome: Outcome) -> str | None:
    texts = [_text_of(reason) for reason in outcome.reasons if reason.message]
    return "; ".join(texts) or outcome.message


def _text_of(reason: Reason) -> str:
    named = not reason.property or reason.property in (reason.message or "")
    return f"{'' if named else f'{reason.property}: '}{reason.message}"


def _cell(value: object) -> str:
    if value is None or isinstance(value, Unreadable):
        return ""
    text = wire_text(value)
    return str(value) if isinstance(text, Problem) else text


def _json(value: Mapping[str, object]) -> str:
    return json.dumps(value, ensure_ascii=False, default=_number)


def _number(value: object) -> float | str:
    """Return a decimal as a number, or as text where a number would not keep its digits."""
    text = _cell(value)
    number = float(text)
    return number if repr(number) == text else text
