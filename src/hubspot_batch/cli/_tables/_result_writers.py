"""Files of results: rows in the format in which they came, each with its outcome."""

import csv
import json
import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from io import TextIOWrapper
from pathlib import Path
from typing import Self

from hubspot_batch.bulk import Outcome
from hubspot_batch.cli._console import release_streams
from hubspot_batch.cli._files import STDIN, check_writable, open_private
from hubspot_batch.cli._tables._csv import CsvReader, Dialect
from hubspot_batch.cli._tables._formats import FORMATS
from hubspot_batch.cli._tables._json import TEXT_KEY
from hubspot_batch.cli._tables._reader import RowReader
from hubspot_batch.cli._tables._row import RESULT_COLUMNS, FileRow
from hubspot_batch.cli._words import WORDS
from hubspot_batch.contract import Problem, Unreadable, encode_value
from hubspot_batch.errors import ConfigurationError
from hubspot_batch.results import Reason

# Before Python 3.13, csv puts quotes only around those line ends with which it ends its own lines.
CR_LF = "\r\n"
# The wide ones are the same to a spreadsheet in Japanese.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_OURS = frozenset((*RESULT_COLUMNS, TEXT_KEY))


class ResultWriter(ABC):
    """An open file of results, and a context manager that closes it.

    The columns `_row`, `_outcome`, `_id`, `_code`, `_message`, `_action` and `_key` stand before those of the
    row. A reader of the file leaves them out again.
    """

    def __init__(self, file: TextIOWrapper) -> None:
        self._file = file

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        close_text(self._file)

    @abstractmethod
    def write(self, row: FileRow, outcome: Outcome | None, key: str | None = None) -> None:
        """Write a row with its outcome; without one, it is pending.

        Its key is the value that names its record.
        """


class CsvResultWriter(ResultWriter):
    """Results as CSV, for rows of CSV and Parquet."""

    def __init__(self, file: TextIOWrapper, columns: Sequence[str], dialect: Dialect, line_end: str) -> None:
        super().__init__(file)
        self._columns = columns
        self._writer = csv.writer(
            Lines(file, line_end),
            delimiter=dialect.delimiter,
            quotechar=dialect.quote,
            lineterminator=CR_LF,
        )
        self._writer.writerow([*RESULT_COLUMNS, *columns])

    def write(self, row: FileRow, outcome: Outcome | None, key: str | None = None) -> None:
        """Write a row with its outcome; without one, it is pending.

        Its key is the value that names its record.
        """
        own = row.original or [_cell(row.values[column]) for column in self._columns]
        self._writer.writerow([*map(_inert, _results(row, outcome, key).values()), *own])


class Lines:
    """Ends each line as the file does."""

    def __init__(self, file: TextIOWrapper, line_end: str) -> None:
        self._file = file
        self._line_end = line_end

    def write(self, line: str) -> None:
        """Write a line that csv has ended in its own way."""
        self._file.write(line.removesuffix(CR_LF) + self._line_end)


class JsonResultWriter(ResultWriter):
    """Results as JSON Lines, for rows of JSON."""

    def write(self, row: FileRow, outcome: Outcome | None, key: str | None = None) -> None:
        """Write a row with its outcome; without one, it is pending.

        Its key is the value that names its record.
        """
        own = row.values
        if row.fault:
            own = {TEXT_KEY: row.original}
        elif not _OURS.isdisjoint(own):
            own = {TEXT_KEY: _json(own)}
        self._file.write(f"{_json({**_results(row, outcome, key), **own})}\n")


def open_result_writer(path: Path, reader: RowReader) -> ResultWriter:
    """Open a file, or standard output if the path is `-`, for the rows of a reader with their outcomes.

    CSV has the dialect and the encoding of the rows; what the encoding lacks in a message is escaped. The
    former content of the file is lost.

    Raises:
        ConfigurationError: If the file cannot be written, or the rows are read from it.
    """
    if path != STDIN and path.resolve() == Path(reader.name).resolve():
        raise ConfigurationError(f"{path}: the rows are read from there; name another file for the results")
    if isinstance(reader, CsvReader):
        file = open_text(path, reader.text.encoding_to_write())
        return CsvResultWriter(file, reader.columns or (), reader.dialect, reader.text.line_end)
    return _writer(path, reader.format, reader.columns or ())


def open_bare_result_writer(path: Path, form: str) -> ResultWriter:
    """Open a file, or standard output if the path is `-`, for outcomes without the columns of their rows.

    Args:
        path: The file.
        form: The name of the format in which the rows came.

    Raises:
        ConfigurationError: If the file cannot be written.
    """
    return _writer(path, form, ())


def _writer(path: Path, form: str, columns: Sequence[str]) -> ResultWriter:
    file = open_text(path, "utf-8")
    if FORMATS[form].results == "csv":
        return CsvResultWriter(file, columns, Dialect(), "\n")
    return JsonResultWriter(file)


def open_text(path: Path, encoding: str) -> TextIOWrapper:
    """Open a file, or standard output if the path is `-`, to write text. `close_text` closes it.

    Raises:
        ConfigurationError: If it cannot be written.
    """
    # What this handler writes for a lone surrogate is what JSON says for it.
    errors = "backslashreplace"
    if path == STDIN and sys.stdout is None:
        raise ConfigurationError("standard output is closed; name a file that can be written")
    if path == STDIN:
        return TextIOWrapper(sys.stdout.buffer, encoding, errors, newline="")
    check_writable(path)
    return open_private(path, encoding, errors)


def close_text(file: TextIOWrapper) -> None:
    """Close a file that `open_text` has opened. Standard output stays open."""
    if sys.stdout is None or file.buffer is not sys.stdout.buffer:
        file.close()
        return
    try:
        file.detach()
    except OSError:
        # It would close standard output once nothing holds it.
        release_streams()
        file.detach()
        raise


def _results(row: FileRow, outcome: Outcome | None, key: str | None) -> dict[str, object]:
    if outcome is None:
        told: tuple[object, ...] = (row.number, "pending", None, None, None, None, key)
    else:
        code = next((reason.code for reason in outcome.reasons if reason.code), outcome.category)
        told = (row.number, outcome.status, outcome.id, code, _message(outcome), outcome.action, key)
    return dict(zip(RESULT_COLUMNS, told, strict=True))


def _inert(cell: object) -> object:
    """Return a cell of ours so that a spreadsheet shows it: what begins like a formula gets a quote."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell


def _message(outcome: Outcome) -> str | None:
    texts = [_text_of(reason) for reason in outcome.reasons if reason.message]
    code = next((reason.code for reason in outcome.reasons if reason.code), outcome.category)
    return "; ".join(texts) or outcome.message or WORDS.get(code or "")


def _text_of(reason: Reason) -> str:
    named = not reason.property or reason.property in (reason.message or "")
    return f"{'' if named else f'{reason.property}: '}{reason.message}"


def _cell(value: object) -> str:
    if value is None or isinstance(value, Unreadable):
        return ""
    text = encode_value(value)
    return str(value) if isinstance(text, Problem) else text


def _json(value: Mapping[str, object]) -> str:
    return json.dumps(value, ensure_ascii=False, default=_number)


def _number(value: object) -> float | str:
    """Return a decimal as a number, or as text where a number would not keep its digits."""
    text = _cell(value)
    number = float(text)
    return number if repr(number) == text else text
