"""Parquet files, read batch by batch."""

from __future__ import annotations

from collections import Counter
from itertools import chain
from typing import TYPE_CHECKING, ClassVar

from hubspot_batch.bulk.arrow import column_names, import_pyarrow, rows_of, zoneless_columns
from hubspot_batch.cli._tables import _text
from hubspot_batch.cli._tables._reader import RowReader
from hubspot_batch.cli._tables._row import FileRow
from hubspot_batch.cli._tables._text import check_length
from hubspot_batch.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pyarrow as pa
    import pyarrow.parquet as pq

    from hubspot_batch.cli._tables._content import Content

_BATCH_SIZE = 1024
_BUFFER_SIZE = 1024 * 1024
_MOST_HELD = 32 * 1024 * 1024
_BYTES_OF_VALUE = 8
_KINDS_OF_TEXT = frozenset({"STRING", "JSON", "ENUM", "NONE"})


class ParquetReader(RowReader):
    """A Parquet file. One that is piped, or compressed as a whole, is copied to a temporary file first."""

    format: ClassVar[str] = "parquet"

    def __init__(self, content: Content) -> None:
        """Read what the file says of itself.

        Args:
            content: The file.

        Raises:
            ConfigurationError: If pyarrow is missing.
            SourceError: If this is not a Parquet file, or two of its columns have one name.
        """
        super().__init__(content)
        self._number = 0
        # What pyarrow raises for a damaged file: its own errors, and those of Python for names and types.
        self._damage = (import_pyarrow().ArrowException, OSError, ValueError, LookupError, TypeError)
        with self._explaining():
            source = content.random_access()
        module = import_pyarrow("pyarrow.parquet")
        try:
            columns = list(module.read_metadata(source).schema)
            texts = _texts(columns)
            self._file = module.ParquetFile(source, buffer_size=_BUFFER_SIZE, read_dictionary=texts)
            self.columns = column_names(self._file.schema_arrow)
            self.zoneless = zoneless_columns(self._file.schema_arrow)
            self.total = self._file.metadata.num_rows
            self._bytes_in_row = _bytes_in_row(self._file, columns)
        except self._damage as error:
            raise SourceError(f"{self.name}: not a Parquet file, or part of one; write it again") from error
        if self._bytes_in_row > _MOST_HELD:
            raise SourceError(
                f"{self.name}: a row takes more than {_MOST_HELD:,} bytes; leave out what is that long"
            )
        if twice := [name for name, times in Counter(self.columns).items() if times > 1]:
            raise SourceError(f"{self.name}: two columns have the name {twice[0]!r}; rename one")

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()

    def share_read(self) -> float | None:
        """Return the share of the rows that was read, from 0 to 1."""
        return self._number / self.total if self.total else None

    def _error(self, problem: str) -> SourceError:
        return SourceError(f"{self.name}, row {self._number + 1}: {problem}", row=self._number)

    def _rows(self) -> Iterator[FileRow]:
        for values in chain.from_iterable(self._lists()):
            self._number += 1
            yield FileRow(self._number, values)

    def _lists(self) -> Iterator[list[dict[str, object]]]:
        """Yield the rows in lists that stay small even if the file is highly compressed."""
        size = max(1, min(_BATCH_SIZE, _MOST_HELD // self._bytes_in_row))
        try:
            for batch in self._file.iter_batches(size):
                longest = sum(map(_longest_text, batch.columns))
                check_length(longest, _text.LONGEST_ROW)
                step = max(1, _MOST_HELD // (longest or 1))
                for start in range(0, batch.num_rows, step):
                    yield from rows_of(_decoded(batch.slice(start, step)), _BATCH_SIZE)
        except self._damage as error:
            raise self._error("the file is damaged from there on; write it again") from error


def _texts(columns: Sequence[pq.ColumnSchema]) -> list[str]:
    """Return the columns of texts, to be read as dictionaries: a small file may often repeat a long text."""
    return [
        column.path
        for column in columns
        if column.physical_type == "BYTE_ARRAY"
        and column.logical_type.type in _KINDS_OF_TEXT
        and not column.max_repetition_level
    ]


def _bytes_in_row(file: pq.ParquetFile, columns: Sequence[pq.ColumnSchema]) -> int:
    """Return how many bytes a row takes at least, in the row group where they are longest."""
    metadata = file.metadata
    groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
    lists = [number for number, column in enumerate(columns) if column.max_repetition_level]
    if lists:
        # Equal values of a list take no place in the file, but some in memory. pyarrow tells how many there
        # are, but ends the process where their description is damaged. This finds such damage first.
        file.scan_contents()
    return (
        max((_bytes_in_group(group, lists) // int(group.num_rows or 1) for group in groups), default=0) or 1
    )


def _bytes_in_group(group: pq.RowGroupMetaData, lists: Sequence[int]) -> int:
    values = sum(int(group.column(number).num_values) for number in lists)
    return max(int(group.total_byte_size), values * _BYTES_OF_VALUE)


def _longest_text(column: pa.Array) -> int:
    """Return how many bytes the longest text of a column has."""
    types, compute = import_pyarrow().types, import_pyarrow("pyarrow.compute")
    texts = column.dictionary if types.is_dictionary(column.type) else column
    kind = texts.type
    if types.is_string(kind) or types.is_large_string(kind) or types.is_binary(kind):
        return int(compute.max(compute.binary_length(texts)).as_py() or 0)
    return 0


def _decoded(batch: pa.RecordBatch) -> pa.RecordBatch:
    is_dictionary = import_pyarrow().types.is_dictionary
    columns = [
        column.dictionary_decode() if is_dictionary(column.type) else column for column in batch.columns
    ]
    return import_pyarrow().RecordBatch.from_arrays(columns, names=batch.schema.names)
