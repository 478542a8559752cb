"""Where rows come from: anything that holds records becomes small lists of inputs, read as they are needed.

A source is one of these:

- an iterable or an asynchronous iterable of inputs;
- a DB-API 2.0 cursor after its SELECT, or its asynchronous form (psycopg's `AsyncCursor`);
- an object with `__arrow_c_stream__`: a table of pyarrow, a data frame of polars, a relation of duckdb.

The rows of the latter two are flat: a column is a property, NULL leaves the property out, and for all but a
create one column names the record. A read or an archive takes plain ids, too.
"""

import inspect
from collections import Counter
from collections.abc import (
    AsyncIterable,
    AsyncIterator,
    Callable,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
    Sized,
)
from typing import Any, Protocol, TypeAlias, cast, runtime_checkable

from hubspot_batch.bulk import arrow
from hubspot_batch.contract._inputs import (
    AnyModel,
    AnyUpdateInput,
    AssociationPairRow,
    CreateRow,
    RecordKey,
    UpdateInput,
    UpsertRow,
    fields_of,
)
from hubspot_batch.contract._operations import MAX_INPUTS, Verb
from hubspot_batch.contract._validation import name_of
from hubspot_batch.contract._values import shortest_float
from hubspot_batch.errors import ConfigurationError, InputIssue, SourceError

# What takes nothing but an id.
_BY_ID = frozenset({"read", "archive"})


@runtime_checkable
class ArrowTable(Protocol):
    """What can be read as Arrow data."""

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """Return a capsule with a stream of record batches."""
        ...


class Cursor(Protocol):
    """A DB-API 2.0 cursor whose result set is to be read."""

    @property
    def description(self) -> Sequence[Sequence[object]] | None:
        """The columns, their names first."""
        ...

    def fetchmany(self, size: int, /) -> Sequence[object]:
        """Return the next rows; none at the end."""
        ...


class KeyedRow(Protocol):
    """A row that knows its columns and is not a mapping, like those of sqlite3."""

    def keys(self) -> Iterable[str]:
        """Return the columns."""
        ...

    def __getitem__(self, column: str, /) -> object:
        """Return the value of a column."""
        ...


class AsyncCursor(Protocol):
    """A cursor like `Cursor` whose `fetchmany` is waited for."""

    @property
    def description(self) -> Sequence[Sequence[object]] | None:
        """The columns, their names first."""
        ...

    async def fetchmany(self, size: int, /) -> Sequence[object]:
        """Return the next rows; none at the end."""
        ...


FlatRow: TypeAlias = Mapping[str, Any] | tuple[object, ...] | AnyModel | KeyedRow
CreateSource: TypeAlias = Iterable[CreateRow | AnyModel] | Cursor | ArrowTable
UpdateSource: TypeAlias = Iterable[AnyUpdateInput] | Cursor | ArrowTable
UpsertSource: TypeAlias = Iterable[UpsertRow | UpdateInput | AnyModel] | Cursor | ArrowTable
IdSource: TypeAlias = Iterable[str | int | Mapping[str, Any] | AnyModel] | Cursor | ArrowTable
PairEnd: TypeAlias = str | int | RecordKey
PairSource: TypeAlias = Iterable[tuple[PairEnd, PairEnd] | AssociationPairRow | AnyModel]
AsyncCreateSource: TypeAlias = CreateSource | AsyncIterable[CreateRow | AnyModel] | AsyncCursor
AsyncUpdateSource: TypeAlias = UpdateSource | AsyncIterable[AnyUpdateInput] | AsyncCursor
AsyncIdSource: TypeAlias = IdSource | AsyncIterable[str | int | Mapping[str, Any] | AnyModel] | AsyncCursor
AsyncPairSource: TypeAlias = (
    PairSource | AsyncIterable[tuple[PairEnd, PairEnd] | AssociationPairRow | AnyModel]
)
AsyncUpsertSource: TypeAlias = UpsertSource | AsyncIterable[UpsertRow | UpdateInput | AnyModel] | AsyncCursor


def flat_input(row: FlatRow, *, verb: Verb, id_property: str | None = None) -> dict[str, object]:
    """Return the input that a flat row stands for. It is not checked.

    Args:
        row: Column to value, as a mapping, a named tuple, a dataclass, a model of attrs or pydantic, or a row
            of sqlite3 or SQLAlchemy; None leaves a property out.
        verb: What is to become of the record.
        id_property: The column of a unique property that names the record, for all but a create. By default
            the column `id` holds the record id.

    Raises:
        SourceError: If the row has no names.
    """
    fields = fields_of(row)
    if not isinstance(fields, Mapping):
        raise SourceError(
            f"{name_of(row)} stands where a row belongs; give rows that know their columns, as mappings do"
        )
    properties = {name: value for name, value in fields.items() if value is not None}
    return input_with(properties, verb=verb, id_property=id_property)


def input_with(
    properties: dict[str, object], *, verb: Verb, id_property: str | None = None
) -> dict[str, object]:
    """Return the input that has these properties; that which names the record is taken out."""
    item: dict[str, object] = {"properties": properties}
    if verb == "create":
        return item
    if verb in _BY_ID:
        # Other columns are not about the call.
        return {"id": properties[column]} if (column := id_property or "id") in properties else {}
    if (column := id_property or "id") in properties:
        item["id"] = properties.pop(column)
    if id_property is not None:
        item["idProperty"] = id_property
    return item


def inputs_from(
    rows: Iterable[FlatRow], *, verb: Verb, id_property: str | None = None
) -> Iterator[dict[str, object]]:
    """Yield the inputs that flat rows stand for, those of `csv.DictReader` for example; see `flat_input`."""
    return (flat_input(row, verb=verb, id_property=id_property) for row in rows)


def check_id_property(verb: Verb, id_property: str | None) -> None:
    """Refuse what cannot name the records of an operation.

    Raises:
        ConfigurationError: If it is given for a create or an archive, or HubSpot does not take it.
    """
    if verb == "create" and id_property is not None:
        raise ConfigurationError("id_property is for updates and upserts; leave it out of a create")
    if verb == "archive" and id_property is not None:
        raise ConfigurationError(
            "HubSpot archives records by their ids only; read the ids first, with id_property in read_all"
        )
    if id_property == "hs_object_id":
        remedy = "name a property whose values are unique"
        if verb == "update":
            remedy = "give the record ids in a column 'id' instead"
        raise ConfigurationError(f"HubSpot refuses hs_object_id as id_property; {remedy}")


def is_async(source: object) -> bool:
    """Return whether only asynchronous code can read a source."""
    if _is_cursor(source):
        fetchmany = cast("Cursor", source).fetchmany
        return isinstance(source, AsyncIterable) or inspect.iscoroutinefunction(fetchmany)
    return isinstance(source, AsyncIterable) and not isinstance(source, Iterable | ArrowTable)


def length(source: object) -> int | None:
    """Return how many rows there are, where the source knows without reading them; it is for display only."""
    if isinstance(source, ArrowTable):
        # What has a stream may have to run a query to count its rows. Tables in memory know their number.
        counts = (getattr(source, name, None) for name in ("num_rows", "height"))
        return next((count for count in counts if isinstance(count, int)), None)
    try:
        return len(source) if isinstance(source, Sized) else None
    except Exception:  # noqa: BLE001 - a progress bar around a generator raises TypeError, others what they like
        return None


def chunks(
    source: object, *, verb: Verb, id_property: str | None = None, size: int = MAX_INPUTS
) -> Iterator[list[object]]:
    """Return the inputs of a source in lists of at most `size`, none of them empty.

    The rows are read as the lists are asked for, in the thread that asks. An exception of the source comes
    after the list of what was read before it.

    Args:
        source: One of the kinds that this module lists.
        verb: What is to become of the records.
        id_property: The unique property that names the records: the column of flat rows, and what the `id`
            of other inputs is a value of.
        size: No more rows than this are read ahead.

    Raises:
        ConfigurationError: At once, with nothing read: if this is not a source of rows, is asynchronous, or
            does not fit the other arguments.
    """
    _check(source, verb, id_property)
    if is_async(source):
        raise ConfigurationError("rows that come asynchronously need AsyncHubSpot")
    if isinstance(source, ArrowTable):
        reader = arrow.open_stream(source)
        flat = _Flat(arrow.column_names(reader.schema), verb, id_property)
        return (flat.inputs(rows) for batch in reader for rows in arrow.rows_of(batch, size))
    if _is_cursor(source):
        return _fetched(cast("Cursor", source), _flat(source, verb, id_property), size)
    return _lists(cast("Iterable[object]", source), size, _conversion(verb, id_property))


def async_chunks(
    source: object, *, verb: Verb, id_property: str | None = None, size: int = MAX_INPUTS
) -> AsyncIterator[list[object]]:
    """Return what `chunks` returns, of asynchronous sources too. Others are read in place.

    Raises:
        ConfigurationError: At once, with nothing read: if this is not a source of rows, or does not fit the
            other arguments.
    """
    _check(source, verb, id_property)
    if not is_async(source):
        return _in_place(chunks(source, verb=verb, id_property=id_property, size=size))
    if _is_cursor(source):
        return _async_fetched(cast("AsyncCursor", source), _flat(source, verb, id_property), size)
    return _async_lists(cast("AsyncIterable[object]", source), size, _conversion(verb, id_property))


class _Flat:
    """Flat rows of known columns, and the inputs that they stand for."""

    def __init__(
        self, columns: Sequence[str], verb: Verb, id_property: str | None, single: Sequence[str] = ()
    ) -> None:
        self._columns = columns
        # Columns of 32-bit floats, which come as floats of 64 bits with digits that they do not have.
        self._single = single
        self._verb: Verb = verb
        self._id_property = id_property
        if verb == "upsert" and id_property is None:
            raise ConfigurationError(
                "an upsert of flat rows needs id_property; name the column of a unique property"
            )
        _check_columns(columns, verb, None if verb == "create" else id_property or "id")

    def inputs(self, rows: Iterable[object] | None) -> list[object]:
        """Return the inputs of some rows, each of them a mapping or as long as there are columns."""
        named = map(self._named, () if rows is None else rows)
        return list(inputs_from(named, verb=self._verb, id_property=self._id_property))

    def _named(self, row: object) -> Mapping[str, object]:
        if isinstance(row, Mapping):
            return row
        if isinstance(row, str | bytes) or not isinstance(row, Iterable):
            raise SourceError(
                f"the cursor gives {name_of(row)} as a row; take a cursor whose rows are tuples or mappings"
            )
        named = dict(zip(self._columns, row, strict=True))
        for column in self._single:
            named[column] = shortest_float(named[column], "f")
        return named


def _check_columns(columns: Sequence[str], verb: Verb, needed: str | None) -> None:
    if twice := [name for name, count in Counter(columns).items() if count > 1]:
        raise SourceError(
            f"two columns have the name {twice[0]!r}; give one of them another name, with AS in SQL"
        )
    if needed is not None and needed not in columns:
        raise SourceError(
            f"{'a' if verb == 'read' else 'an'} {verb} needs a column {needed!r} that names the record; "
            f"the columns are {', '.join(map(repr, columns))}"
        )


def _flat(cursor: object, verb: Verb, id_property: str | None) -> _Flat:
    description = cast("Cursor", cursor).description
    if description is None:
        raise ConfigurationError("the cursor has no result set; execute a SELECT with it first")
    columns = [str(column[0]) for column in description]
    # The type as duckdb names it. Numbers stand for types elsewhere, and no other driver widens floats.
    single = [str(column[0]) for column in description if str(column[1:2]) == "(FLOAT,)"]
    return _Flat(columns, verb, id_property, single)


def _is_cursor(source: object) -> bool:
    return hasattr(source, "description") and callable(getattr(source, "fetchmany", None))


def _check(source: object, verb: Verb, id_property: str | None) -> None:
    """Reject bad arguments that need no column names."""
    check_id_property(verb, id_property)
    is_flat = isinstance(source, ArrowTable) or _is_cursor(source)
    refused = isinstance(source, type | str | bytes | bytearray | Mapping)
    if refused or not (is_flat or isinstance(source, Iterable | AsyncIterable)):
        kind = f"the class {source.__name__}" if isinstance(source, type) else name_of(source)
        raise ConfigurationError(
            f"{kind} stands where rows belong; "
            "give a list or generator of inputs, a database cursor or an Arrow table"
        )


def _fetched(cursor: Cursor, flat: _Flat, size: int) -> Iterator[list[object]]:
    while inputs := flat.inputs(cursor.fetchmany(size)):
        yield inputs


async def _async_fetched(cursor: AsyncCursor, flat: _Flat, size: int) -> AsyncIterator[list[object]]:
    while inputs := flat.inputs(await cursor.fetchmany(size)):
        yield inputs


def _conversion(verb: Verb, id_property: str | None) -> Callable[[list[object]], list[object]]:
    """Return what makes inputs of the items of an iterable."""
    if verb in _BY_ID:
        return lambda items: [_id_input(item, id_property) for item in items]
    if id_property is not None:
        return lambda items: [_named_input(item, verb, id_property) for item in items]
    return lambda items: items


def _fields_of(item: object) -> object:
    # What could not be read is told of as it is.
    return item if isinstance(item, InputIssue) else fields_of(item)


def _id_input(item: object, id_property: str | None) -> object:
    """Return the input for an id, or for a record or a row that has one."""
    fields = _fields_of(item)
    if isinstance(fields, InputIssue):
        return item
    if not isinstance(fields, Mapping):
        return {"id": item}
    properties = fields.get("properties")
    for place in (fields, properties if isinstance(properties, Mapping) else {}):
        if id_property in place:
            return {"id": place[id_property]}
    # Without an id, the document says what is wrong.
    return {"id": fields["id"]} if "id" in fields else fields


def _named_input(item: object, verb: Verb, id_property: str) -> object:
    """Return an input whose record a unique property names: from an input, or from a flat row."""
    fields = _fields_of(item)
    if not isinstance(fields, Mapping):
        return item
    if "id" in fields or "properties" in fields:
        return {"idProperty": id_property, **_with_id(fields, id_property)}
    return flat_input(fields, verb=verb, id_property=id_property) if id_property in fields else item


def _with_id(fields: Mapping[str, object], id_property: str) -> Mapping[str, object]:
    """Return an input whose `id` is, where it has none, the value of the unique property."""
    properties = fields.get("properties")
    if "id" in fields or not isinstance(properties, Mapping) or id_property not in properties:
        return fields
    return {**fields, "id": properties[id_property]}


def _lists(
    rows: Iterable[object], size: int, convert: Callable[[list[object]], list[object]]
) -> Iterator[list[object]]:
    rest: list[object] = []
    try:
        for row in rows:
            rest.append(row)
            if len(rest) == size:
                full, rest = rest, []
                yield convert(full)
    except Exception:
        # What was read before must not be lost with the exception.
        if rest:
            yield convert(rest)
        raise
    if rest:
        yield convert(rest)


async def _async_lists(
    rows: AsyncIterable[object], size: int, convert: Callable[[list[object]], list[object]]
) -> AsyncIterator[list[object]]:
    rest: list[object] = []
    try:
        async for row in rows:
            rest.append(row)
            if len(rest) == size:
                full, rest = rest, []
                yield convert(full)
    except Exception:
        if rest:
            yield convert(rest)
        raise
    if rest:
        yield convert(rest)


async def _in_place(lists: Iterator[list[object]]) -> AsyncIterator[list[object]]:
    for inputs in lists:
        yield inputs
