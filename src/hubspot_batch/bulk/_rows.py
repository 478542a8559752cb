"""The rows of a source, checked and in their wire form, and which of them have one unique value.

The earlier of two such rows has the record, or may have it, so what HubSpot says of the later one can be its
doing. `Repeats` knows them in memory that does not grow. A run that goes on reads its source from the first
row again, so this need not outlive the process.
"""

import sqlite3
import weakref
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct

from hubspot_batch._display import RedactedRepr
from hubspot_batch.contract._inputs import encode_input, encode_valid, lacking
from hubspot_batch.contract._operations import MAX_INPUTS, Operation
from hubspot_batch.contract._validation import JsonCopy, input_faults
from hubspot_batch.errors import InputIssue
from hubspot_batch.replies._matching import meaning

_DIGEST_SIZE = 16
_TRACE_ID = "objectWriteTraceId"
_NOT_READ: Mapping[str, Any] = {"properties": {}}
_NOTHING: Mapping[str, Any] = {}


class Holder(NamedTuple):
    """What is known of the record that has the unique value of a row, from before the row was sent first.

    Attributes:
        is_certain: Whether there is such a record, or only may be.
        done: The number of the row that has become that record, where it is one of the source.
    """

    is_certain: bool
    done: int | None = None


class Row(RedactedRepr, Struct, eq=False, kw_only=True):
    """One row.

    Attributes:
        index: Its number in the source, from 0.
        wire: The input as it is sent, with a trace id.
        content: The same as JSON.
        digest: A hash of the input without its trace id. A changed source has another one.
        faults: Why it cannot be sent.
        conflict_keys: No two rows of one request share one of these.
        order_keys: Rows that share one of these are sent one after the other, in the order of the source.
        maybe_written: Whether HubSpot may have written it already.
        repeats: Whether an earlier row has the same unique value, as far as HubSpot compares them.
        holder: What such a row has made of that value, or may have.
    """

    index: int
    wire: Mapping[str, Any]
    content: bytes
    digest: bytes
    faults: Sequence[InputIssue] = ()
    conflict_keys: Sequence[Hashable] = ()
    order_keys: Sequence[Hashable] = ()
    maybe_written: bool = False
    repeats: bool = False
    holder: Holder | None = None

    @property
    def properties(self) -> Mapping[str, str]:
        """The properties of the input; empty where it has none."""
        return self.wire.get("properties", _NOTHING)  # type: ignore[no-any-return]

    def unique_value(self, name: str) -> str | None:
        """Return the value of the unique property; None for a row that cannot be sent."""
        return self.properties.get(name)

    def __repr__(self) -> str:
        return f"Row({self.index}, {len(self.content)} bytes, {len(self.faults)} faults)"


def rows_from(
    operation: Operation,
    inputs: Sequence[object],
    first: int,
    unique_property: str | None,
    beside: Mapping[str, Any] = _NOTHING,
) -> list[Row]:
    """Return up to 100 inputs as rows.

    Args:
        operation: What they are for.
        inputs: Mappings or generated models. A `InputIssue` stands for a row that could not be read.
        first: The index of the first of them.
        unique_property: A property with another value for each record.
        beside: What the body of each request has beside its inputs.
    """
    return _flawless_rows(operation, inputs, first, unique_property) or _checked_rows(
        operation, inputs, first, unique_property, beside
    )


def _flawless_rows(
    operation: Operation, inputs: Sequence[object], first: int, unique_property: str | None
) -> list[Row] | None:
    """Return rows of plain inputs, or None if there is anything to say of them."""
    wires = encode_valid(operation, inputs)
    if wires is None:
        return None
    if unique_property is not None and any(lacking(wires, unique_property)):
        return None
    try:
        return [
            _row(operation, first + number, wire, (), unique_property) for number, wire in enumerate(wires)
        ]
    except UnicodeEncodeError:
        return None


def _checked_rows(
    operation: Operation,
    inputs: Sequence[object],
    first: int,
    unique_property: str | None,
    beside: Mapping[str, Any],
) -> list[Row]:
    copy = JsonCopy()
    wires = [
        _NOT_READ if isinstance(item, InputIssue) else encode_input(operation, item, ("inputs", number), copy)
        for number, item in enumerate(inputs)
    ]
    faults: list[list[InputIssue]] = [[item] if isinstance(item, InputIssue) else [] for item in inputs]
    found = [*copy.faults, *input_faults(operation, {"inputs": wires, **beside}, copy.replaced)]
    if unique_property is not None:
        found += lacking(wires, unique_property)
    for fault in found:
        if fault.index is not None and not isinstance(inputs[fault.index], InputIssue):
            faults[fault.index].append(fault)
    return [
        _row(operation, first + number, wire, faults[number], unique_property, beside.get("idProperty"))
        for number, wire in enumerate(wires)
    ]


def compared(value: str) -> Hashable:
    """Return what HubSpot may compare of a unique value: it takes `A@B` for `a@b`, and 9 for 9.00."""
    return meaning(value) or value


def body_of(rows: Sequence[Row], beside: Mapping[str, Any] = _NOTHING) -> bytes:
    """Return the body of the request that holds these rows, and other keys beside them."""
    rest = b"," + msgspec.json.encode(beside)[1:] if beside else b"}"
    return b'{"inputs":[' + b",".join(row.content for row in rows) + b"]" + rest


def _row(
    operation: Operation,
    index: int,
    wire: Mapping[str, Any],
    faults: Sequence[InputIssue],
    unique_property: str | None,
    id_property: str | None = None,
) -> Row:
    if faults:
        # Without the place among the rows that were read together: that may differ the next time.
        texts = [str(fault).removeprefix(f"/inputs/{fault.index}") for fault in faults]
        return Row(
            index=index, wire={}, content=b"", digest=_digest(msgspec.json.encode(texts)), faults=faults
        )
    fields = dict(wire)
    trace = fields.pop(_TRACE_ID, f"row-{index}")
    # To HubSpot, and in a source that is read again, the order of the keys means nothing.
    content = text = msgspec.json.encode(fields, order="sorted")
    digest = _digest(text)
    traces: tuple[str, ...] = ()
    if _TRACE_ID in operation.input_keys:
        traces = (trace,)
        fields[_TRACE_ID] = trace
        content = b'{"%b":%b,%b' % (_TRACE_ID.encode(), msgspec.json.encode(trace), text[1:])
    order_keys = tuple(_one_record(wire, unique_property, id_property))
    # HubSpot merges line items that are alike (docs/behaviour.md, "Merged line items").
    alike = (digest,) if operation.object_type == "line_items" else ()
    return Row(
        index=index,
        wire=fields,
        content=content,
        digest=digest,
        conflict_keys=(*traces, *alike, *order_keys),
        order_keys=order_keys,
    )


def _one_record(
    wire: Mapping[str, Any], unique_property: str | None, id_property: str | None
) -> Iterator[Hashable]:
    """Yield what names the record, or the link, that an input is about: for the same, the order matters."""
    if "id" in wire:
        name, value = wire.get("idProperty", id_property), wire["id"]
        yield "id", name, value if name is None else compared(value)
    elif "from" in wire:
        yield "link", wire["from"]["id"], wire["to"]["id"]
    elif unique_property is not None:
        yield "unique", compared(wire["properties"][unique_property])


def _digest(text: bytes) -> bytes:
    return blake2b(text, digest_size=_DIGEST_SIZE).digest()


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
