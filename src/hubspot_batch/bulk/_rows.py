"""A row of the source, checked and in its wire form, on its way into a batch."""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct

from hubspot_batch._display import RedactedRepr
from hubspot_batch.contract._inputs import encode_input, encode_valid, lacking
from hubspot_batch.contract._operations import Operation
from hubspot_batch.contract._validation import JsonCopy, input_faults
from hubspot_batch.errors import InputIssue
from hubspot_batch.replies._matching import meaning

_DIGEST_SIZE = 16
_NOT_READ: Mapping[str, Any] = {"properties": {}}


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
        wire: The input in its wire form, with a trace id.
        content: The same as JSON.
        digest: Of all that the caller has written, without the trace id: it tells a changed source.
        faults: Why it cannot be sent.
        apart: No two rows of one request share one of these.
        in_order: Rows that share one of these reach HubSpot one after the other, in the order of the source.
        doubtful: Whether HubSpot may have written it already.
        repeats: Whether an earlier row has the same unique value, as far as HubSpot compares them.
        holder: What such a row has made of that value, or may have.
    """

    index: int
    wire: Mapping[str, Any]
    content: bytes
    digest: bytes
    faults: Sequence[InputIssue] = ()
    apart: Sequence[Hashable] = ()
    in_order: Sequence[Hashable] = ()
    doubtful: bool = False
    repeats: bool = False
    holder: Holder | None = None

    def unique_value(self, name: str) -> str | None:
        """Return the value of the unique property; None for a row that cannot be sent."""
        value: str | None = self.wire.get("properties", _NOT_READ).get(name)
        return value

    def __repr__(self) -> str:
        return f"Row({self.index}, {len(self.content)} bytes, {len(self.faults)} faults)"


def rows_from(
    operation: Operation, inputs: Sequence[object], first: int, unique_property: str | None
) -> list[Row]:
    """Return up to 100 inputs as rows.

    Args:
        operation: What they are for.
        inputs: Mappings or generated models. A `InputIssue` stands for a row that could not be read.
        first: The index of the first of them.
        unique_property: A property of which each record has another value.
    """
    return _flawless_rows(operation, inputs, first, unique_property) or _checked_rows(
        operation, inputs, first, unique_property
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
    operation: Operation, inputs: Sequence[object], first: int, unique_property: str | None
) -> list[Row]:
    copy = JsonCopy()
    wires = [
        _NOT_READ if isinstance(item, InputIssue) else encode_input(operation, item, ("inputs", number), copy)
        for number, item in enumerate(inputs)
    ]
    faults: list[list[InputIssue]] = [[item] if isinstance(item, InputIssue) else [] for item in inputs]
    found = [*copy.faults, *input_faults(operation, {"inputs": wires}, copy.replaced)]
    if unique_property is not None:
        found += lacking(wires, unique_property)
    for fault in found:
        if fault.index is not None and not isinstance(inputs[fault.index], InputIssue):
            faults[fault.index].append(fault)
    return [
        _row(operation, first + number, wire, faults[number], unique_property)
        for number, wire in enumerate(wires)
    ]


def compared(value: str) -> Hashable:
    """Return what HubSpot may compare of a unique value: it takes `A@B` for `a@b`, and 9 for 9.00."""
    return meaning(value) or value


def body_of(rows: Sequence[Row]) -> bytes:
    """Return the body of the request that holds these rows."""
    return b'{"inputs":[' + b",".join(row.content for row in rows) + b"]}"


def _row(
    operation: Operation,
    index: int,
    wire: Mapping[str, Any],
    faults: Sequence[InputIssue],
    unique_property: str | None,
) -> Row:
    if faults:
        # Without the place among the rows that were read together: that may differ the next time.
        texts = [str(fault).removeprefix(f"/inputs/{fault.index}") for fault in faults]
        return Row(
            index=index, wire={}, content=b"", digest=_digest(msgspec.json.encode(texts)), faults=faults
        )
    trace = wire.get("objectWriteTraceId", f"row-{index}")
    fields = {key: value for key, value in wire.items() if key != "objectWriteTraceId"}
    # To HubSpot, and in a source that is read again, the order of the keys means nothing.
    text = msgspec.json.encode(fields, order="sorted")
    digest = _digest(text)
    in_order = tuple(_one_record(wire, unique_property))
    # HubSpot merges line items that are alike (docs/behaviour.md, "Merged line items").
    apart = (digest,) if operation.object_type == "line_items" else ()
    return Row(
        index=index,
        wire={**wire, "objectWriteTraceId": trace},
        content=b'{"objectWriteTraceId":' + msgspec.json.encode(trace) + b"," + text[1:],
        digest=digest,
        apart=(trace, *apart, *in_order),
        in_order=in_order,
    )


def _one_record(wire: Mapping[str, Any], unique_property: str | None) -> Iterator[Hashable]:
    """Yield what names the record that an input writes to: for the same, the order matters."""
    if "id" in wire:
        name, value = wire.get("idProperty"), wire["id"]
        yield "id", name, value if name is None else compared(value)
    elif unique_property is not None:
        yield "unique", compared(wire["properties"][unique_property])


def _digest(text: bytes) -> bytes:
    return blake2b(text, digest_size=_DIGEST_SIZE).digest()
