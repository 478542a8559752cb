"""Rows of Arrow data as plain Python values. It needs the extra `parquet`, which is imported when used."""

from __future__ import annotations

import re
from importlib import import_module
from typing import TYPE_CHECKING

from hubspot_batch.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    import pyarrow as pa

# pandas gives a row index that has no name such a one.
_INDEX_OF_PANDAS = re.compile(r"__index_level_\d+__")


def import_pyarrow(module: str = "pyarrow") -> ModuleType:
    """Return pyarrow, or a module of it.

    Raises:
        ConfigurationError: If it is not installed.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            "Arrow and Parquet need pyarrow; install it with: pip install 'hubspot-batch[parquet]'"
        ) from error


def open_stream(source: object) -> pa.RecordBatchReader:
    """Return a reader of what has `__arrow_c_stream__`. Of its rows none is read yet.

    Raises:
        ConfigurationError: If pyarrow is not installed, or the source is no table with columns.
    """
    lib = import_pyarrow()
    try:
        return lib.RecordBatchReader.from_stream(source)
    except (lib.ArrowInvalid, lib.ArrowTypeError) as error:
        raise ConfigurationError(
            f"a value of type {type(source).__name__} is no table; give a table whose columns are properties"
        ) from error


def column_names(schema: pa.Schema) -> list[str]:
    """Return the names of the columns, without that of an unnamed row index of pandas."""
    return [name for name in schema.names if not _INDEX_OF_PANDAS.fullmatch(name)]


def rows_of(batch: pa.RecordBatch, size: int) -> Iterator[list[dict[str, object]]]:
    """Yield the rows of a batch, at most `size` at once; only these are Python values at one time."""
    plain = _plain(batch.select(column_names(batch.schema)))
    for start in range(0, plain.num_rows, size):
        yield plain.slice(start, size).to_pylist()


def _plain(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return a batch whose timestamps Python can hold: no finer than a microsecond, in a zone it knows."""
    lib = import_pyarrow()
    fields = [
        field.with_type(_plain_timestamp(field.type)) if lib.types.is_timestamp(field.type) else field
        for field in batch.schema
    ]
    return batch.cast(lib.schema(fields), safe=False)


def _plain_timestamp(kind: pa.TimestampType) -> pa.TimestampType:
    unit = "us" if kind.unit == "ns" else kind.unit
    return import_pyarrow().timestamp(unit, None if kind.tz is None else "UTC")
