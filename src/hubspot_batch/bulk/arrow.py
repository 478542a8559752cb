"""Rows of Arrow data as plain Python values. It needs the extra `parquet`, which is imported when used."""

from __future__ import annotations

import re
from importlib import import_module
from itertools import product
from typing import TYPE_CHECKING

from hubspot_batch.contract._values import Problem, Unreadable, shortest_float
from hubspot_batch.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import ModuleType

    import pyarrow as pa

    from hubspot_batch.results import Record

__all__ = [
    "column_names",
    "columns_of",
    "import_pyarrow",
    "open_stream",
    "rows_of",
    "table_of",
    "zoneless_columns",
]

# The name that pandas gives to an unnamed row index.
_INDEX_OF_PANDAS = re.compile(r"__index_level_\d+__")
# What making a Python value raises: UnicodeDecodeError and what pyarrow raises are ValueErrors.
_NOT_FOR_PYTHON = (ValueError, OverflowError, ArithmeticError)


def import_pyarrow(module: str = "pyarrow") -> ModuleType:
    """Return pyarrow, or a module of it.

    Raises:
        ConfigurationError: If it is not installed.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            'Arrow and Parquet need pyarrow; install it with: pip install "hubspot-batch[parquet]"'
        ) from error


def open_stream(source: object) -> pa.RecordBatchReader:
    """Return a reader of what has `__arrow_c_stream__`. No row is read yet.

    Raises:
        ConfigurationError: If pyarrow is not installed, or the source is not a table with columns.
    """
    lib = import_pyarrow()
    try:
        try:
            return lib.RecordBatchReader.from_stream(source)
        except AssertionError:
            # A frame of pyspark with a TIMESTAMP column does not find the time zone of its session.
            collect = getattr(source, "toArrow", None)
            if collect is None:
                raise
            return lib.RecordBatchReader.from_stream(collect())
    except (lib.ArrowInvalid, lib.ArrowTypeError) as error:
        raise ConfigurationError(
            f"a value of type {type(source).__name__} is not a table; give one whose columns are properties"
        ) from error


def column_names(schema: pa.Schema) -> list[str]:
    """Return the names of the columns, without that of an unnamed row index of pandas."""
    return [name for name in schema.names if not _INDEX_OF_PANDAS.fullmatch(name)]


def zoneless_columns(schema: pa.Schema) -> list[str]:
    """Return the names of the columns of timestamps without a time zone."""
    is_timestamp = import_pyarrow().types.is_timestamp
    return [field.name for field in schema if is_timestamp(field.type) and field.type.tz is None]


def rows_of(batch: pa.RecordBatch, size: int) -> Iterator[list[dict[str, object]]]:
    """Yield the rows of a batch, at most `size` at once; only these are Python values at one time.

    A value that Python cannot hold, such as text that is not UTF-8 or a date after the year 9999, is an
    `Unreadable` value of its row.
    """
    plain = _plain(batch.select(column_names(batch.schema)))
    halves = [field.name for field in batch.schema if import_pyarrow().types.is_float16(field.type)]
    for start in range(0, plain.num_rows, size):
        rows = _values(plain.slice(start, size))
        for row, name in product(rows, halves):
            row[name] = shortest_float(row[name], "e")
        yield rows


def _values(batch: pa.RecordBatch) -> list[dict[str, object]]:
    try:
        return batch.to_pylist()  # type: ignore[no-any-return]
    except _NOT_FOR_PYTHON:
        return [
            {
                name: _value(column[row])
                for name, column in zip(batch.schema.names, batch.columns, strict=True)
            }
            for row in range(batch.num_rows)
        ]


def _value(cell: pa.Scalar) -> object:
    try:
        return cell.as_py()
    except UnicodeDecodeError:
        return Unreadable(Problem("the text is not UTF-8", "write the file again, with the text as UTF-8"))
    except _NOT_FOR_PYTHON:
        return Unreadable(
            Problem(
                "the value is beyond what Python can hold", "write a date of the years 1 to 9999, or text"
            )
        )


def _plain(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return a batch whose values Python shows as they are meant.

    No time is finer than a microsecond, and each is in a zone that Python knows. A 32-bit float becomes the
    float of its shortest text: 19.99, not 19.989999771118164.
    """
    lib = import_pyarrow()
    columns = [_plain_column(column) for column in batch.columns]
    return lib.RecordBatch.from_arrays(columns, names=batch.schema.names)


def _plain_column(column: pa.Array) -> pa.Array:
    lib = import_pyarrow()
    if lib.types.is_run_end_encoded(column.type):
        column = import_pyarrow("pyarrow.compute").run_end_decode(column)
    kind = column.type
    for single in (lib.string(), lib.float64()):
        plain = _plain_type(kind, single)
        if plain != column.type:
            column = column.cast(plain, safe=False)
    return column


def _plain_type(kind: pa.DataType, single: pa.DataType) -> pa.DataType:
    """Return the type that a column is to have, with another one for 32-bit floats."""
    lib = import_pyarrow()
    types = lib.types
    if types.is_float32(kind):
        return single
    if types.is_timestamp(kind):
        return lib.timestamp(_plain_unit(kind.unit), None if kind.tz is None else "UTC")
    if types.is_time64(kind):
        return lib.time64("us")
    if types.is_duration(kind):
        return lib.duration(_plain_unit(kind.unit))
    if types.is_dictionary(kind):
        inner = _plain_type(kind.value_type, single)
        return kind if inner == kind.value_type else inner
    if types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
        inner = kind.value_field.with_type(_plain_type(kind.value_type, single))
        return kind if inner == kind.value_field else lib.large_list(inner)
    if types.is_struct(kind):
        return lib.struct([field.with_type(_plain_type(field.type, single)) for field in kind])
    return kind


def _plain_unit(unit: str) -> str:
    return "us" if unit == "ns" else unit


def columns_of(records: Sequence[Record], names: Sequence[str]) -> dict[str, list[object]]:
    """Return records as columns: `id`, `created_at`, `updated_at`, `archived`, and these properties."""
    facts: dict[str, list[object]] = {
        "id": [record.id for record in records],
        "created_at": [record.created_at for record in records],
        "updated_at": [record.updated_at for record in records],
        "archived": [record.archived for record in records],
    }
    # A property can have the name of one of these, which come first.
    for name in names:
        facts.setdefault(name, [record.properties.get(name) for record in records])
    return facts


def table_of(records: Sequence[Record], names: Sequence[str] | None = None) -> pa.Table:
    """Return records as a table of text, with a column for each property.

    Args:
        records: The records.
        names: The properties; by default all that any of the records has.
    """
    lib = import_pyarrow()
    if names is None:
        names = [*dict.fromkeys(name for record in records for name in record.properties)]
    return lib.table(
        {
            name: lib.array(values, lib.bool_() if name == "archived" else lib.string())
            for name, values in columns_of(records, names).items()
        }
    )
