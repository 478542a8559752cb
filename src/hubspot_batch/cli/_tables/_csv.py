"""CSV files."""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from typing import ClassVar

from msgspec import Struct

from hubspot_batch.cli._tables._json import first_repeated
from hubspot_batch.cli._tables._reader import TextReader
from hubspot_batch.cli._tables._row import MARKS_OF_RESULTS, RESULT_COLUMNS, FileRow, row_fault
from hubspot_batch.cli._tables._text import Text, error_at
from hubspot_batch.errors import ConfigurationError, InputIssue, SourceError

_SEP = re.compile(r'"?sep=(.)"?(\r\n|\r|\n)', re.IGNORECASE)
_DELIMITERS = (",", ";", "\t", "|")


class Dialect(Struct, frozen=True):
    """How a CSV file is written.

    Attributes:
        delimiter: What stands between two cells.
        quote: What stands around a cell that holds a delimiter or a line end.
        skip_space: Whether a space follows each delimiter.
    """

    delimiter: str = ","
    quote: str = '"'
    skip_space: bool = False


class CsvReader(TextReader):
    """A CSV file whose first line names the columns.

    Attributes:
        dialect: How it is written.
    """

    format: ClassVar[str] = "csv"

    def __init__(self, text: Text, delimiter: str | None = None) -> None:
        """Read the header.

        Args:
            text: The file.
            delimiter: What stands between two cells, `tab` for a tab. None takes what fits the first lines.

        Raises:
            ConfigurationError: If the delimiter cannot be used.
            SourceError: If the header cannot be used.
        """
        super().__init__(text)
        # Excel writes and reads such a line before the header.
        named = _SEP.match(text.sample)
        sample = text.sample[named.end() :] if named else text.sample
        self.dialect = _dialect(sample, named[1] if named and delimiter is None else delimiter)
        self._reader = csv.reader(
            text.lines(),
            delimiter=self.dialect.delimiter,
            quotechar=self.dialect.quote,
            skipinitialspace=self.dialect.skip_space,
            strict=True,
        )
        self._records = self._read()
        with self._explaining():
            if named:
                next(self._records)
            line, header = next(self._records, (0, []))
        if not any(name.strip() for name in header):
            raise SourceError(
                f"{self.name}: the file is empty; a line with the names of the columns and one for each row "
                "are needed"
            )
        self._results = _positions_of_results(header)
        self.columns = _named([name.strip() for name in self._own(header)])
        _check_header(self.name, line, self.columns)

    def _lines_read(self) -> int:
        return self._reader.line_num

    def _rows(self) -> Iterator[FileRow]:
        columns = self.columns or ()
        for number, (line, record) in enumerate(self._records, 1):
            cells = self._own(record) if self._results else record
            if len(cells) > len(columns) and not any(cells[len(columns) :]):
                # Columns without a name: a delimiter too many stands at the end.
                cells = cells[: len(columns)]
            # A NUL is looked for where one was seen: it costs as much as all else.
            if len(cells) != len(columns) or (self._content.has_nul and "\0" in "".join(cells)):
                yield FileRow(number, {}, line, self._fault(cells, line), cells)
            else:
                yield FileRow(number, dict(zip(columns, cells, strict=True)), line, None, cells)

    def _read(self) -> Iterator[tuple[int, list[str]]]:
        """Yield the lines that hold anything, each with its number. Count the rows of empty cells."""
        line = 1
        try:
            for cells in self._reader:
                self.text.held = 0
                first = cells[0] if cells else ""
                if (first and not first.isspace()) or any(map(str.strip, cells)):
                    yield line, cells
                elif len(cells) > 1:
                    self.empty.add(line)
                line = self._reader.line_num + 1
        except csv.Error as error:
            raise error_at(self.name, line, _explain(error)) from error

    def _own(self, cells: Sequence[str]) -> list[str]:
        """Return the cells without those of results."""
        return [cell for position, cell in enumerate(cells) if position not in self._results]

    def _fault(self, cells: Sequence[str], line: int) -> InputIssue:
        last = self._reader.line_num
        place = f"line {line}" if line == last else f"lines {line} to {last}"
        if (columns := len(self.columns or ())) == len(cells):
            return row_fault(f"{place}: a NUL character", "remove it")
        return row_fault(
            f"{place}: {len(cells)} cells where the header has {columns}",
            "write as many cells as the header has, and quotes around one that holds the delimiter",
        )


def _positions_of_results(header: Sequence[str]) -> frozenset[int]:
    """Return the positions of the columns of results: the first ones of their names."""
    if not set(header).issuperset(MARKS_OF_RESULTS):
        return frozenset()
    positions = [header.index(name) for name in MARKS_OF_RESULTS]
    for name in RESULT_COLUMNS[len(MARKS_OF_RESULTS) :]:
        # Elsewhere, it is a column of the row.
        if (after := positions[-1] + 1) < len(header) and header[after] == name:
            positions.append(after)
    return frozenset(positions)


def _named(columns: Sequence[str]) -> list[str]:
    """Return the columns without nameless ones at the end."""
    last = max((number for number, name in enumerate(columns, 1) if name), default=0)
    return list(columns[:last])


def _check_header(name: str, line: int, columns: Sequence[str]) -> None:
    if any("\0" in column for column in columns):
        raise error_at(name, line, "NUL characters; name the encoding with --encoding, utf-16-le for example")
    if "" in columns:
        number = columns.index("") + 1
        raise error_at(name, line, f"column {number} has no name; give it one, or remove it")
    if twice := first_repeated(columns):
        raise error_at(name, line, f"two columns have the name {twice!r}; rename or remove one")


def _explain(error: csv.Error) -> str:
    if "field limit" in str(error):
        return (
            f"a cell has more than {csv.field_size_limit():,} characters; "
            "look for a quote that is opened there and never closed"
        )
    return f"{error}; close each quote that is opened, and write two for one that belongs to the text"


def _dialect(sample: str, delimiter: str | None) -> Dialect:
    quote = "'" if sample.startswith("'") else '"'
    if delimiter is None:
        fitting = max(_DELIMITERS, key=lambda candidate: _fit(sample, candidate, quote))
    else:
        fitting = known_delimiter(delimiter)
    header = next(csv.reader(io.StringIO(sample, newline=""), delimiter=fitting, quotechar=quote), [])
    return Dialect(fitting, quote, len(header) > 1 and all(cell.startswith(" ") for cell in header[1:]))


def _fit(sample: str, delimiter: str, quote: str) -> tuple[float, int]:
    """Return how well a delimiter fits: the share of lines as long as the header, and that length."""
    reader = csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter, quotechar=quote)
    widths = [len(cells) for cells in reader if cells]
    if not widths or widths[0] == 1:
        return 0, 0
    # The last line may be cut off where the sample ends.
    complete = widths if sample.endswith(("\n", "\r")) else widths[:-1] or widths
    return complete.count(widths[0]) / len(complete), widths[0]


def known_delimiter(delimiter: str) -> str:
    """Return the character that a text names.

    Raises:
        ConfigurationError: If there can be no such delimiter.
    """
    delimiter = {"tab": "\t", "\\t": "\t"}.get(delimiter, delimiter)
    if len(delimiter) != 1 or delimiter in "\"'\r\n ":
        raise ConfigurationError("a delimiter is one character, no quote or space; write tab for a tab")
    return delimiter
