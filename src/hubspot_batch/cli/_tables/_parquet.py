"""Parquet files, read batch by batch."""

from __future__ import annotations

from collections import Counter
from itertools import chain
from typing import TYPE_CHECKING, ClassVar

from hubspot_batch.bulk._arrow import column_names, import_pyarrow, rows_of
from hubspot_batch.cli._tables._row import Row
from hubspot_batch.cli._tables._table import Format, Table
from hubspot_batch.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

    from hubspot_batch.cli._tables._content import Content

_BATCH_SIZE = 1024
_BUFFER_SIZE = 1024 * 1024


class ParquetTable(Table):
    """A Parquet file. One that is piped, or compressed as a whole, is copied to a temporary file first."""

    format: ClassVar[Format] = "parquet"

    def __init__(self, content: Content) -> None:
        """Read what the file says of itself.

        Args:
            content: The file.

        Raises:
            ConfigurationError: If pyarrow is missing, or this is no Parquet file whose columns can be told
                apart.
        """
        super().__init__(content)
        self._number = 0
        self._damage = (import_pyarrow().ArrowException, OSError)
        with self._explaining():
            source = content.random_access()
        try:
            self._file = import_pyarrow("pyarrow.parquet").ParquetFile(source, buffer_size=_BUFFER_SIZE)
        except self._damage as error:
            raise ConfigurationError(
                f"{self.name}: no Parquet file, or a part of one; write it again"
            ) from error
        self.columns = column_names(self._file.schema_arrow)
        self.total = self._file.metadata.num_rows
        if twice := [name for name, times in Counter(self.columns).items() if times > 1]:
            raise ConfigurationError(f"{self.name}: two columns have the name {twice[0]!r}; rename one")

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()

    def share_read(self) -> float | None:
        """Return which part of the rows has been read, from 0 to 1."""
        return self._number / self.total if self.total else None

    def _place(self) -> str:
        return f"{self.name}, row {self._number + 1}"

    def _rows(self) -> Iterator[Row]:
        for values in chain.from_iterable(chain.from_iterable(map(_lists, self._batches()))):
            self._number += 1
            yield Row(self._number, values)

    def _batches(self) -> Iterator[pa.RecordBatch]:
        try:
            yield from self._file.iter_batches(_BATCH_SIZE)
        except self._damage as error:
            raise ConfigurationError(
                f"{self._place()}: the file is damaged from there on; write it again"
            ) from error


def _lists(batch: pa.RecordBatch) -> Iterator[list[dict[str, object]]]:
    return rows_of(batch, _BATCH_SIZE)
