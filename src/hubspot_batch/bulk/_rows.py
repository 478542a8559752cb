"""The rows of a source, checked and in their wire form, and which of them have one unique value.

The earlier of two such rows has the record, or may have it, so what HubSpot says of the later one can be its
doing. `Repeats` knows them in memory that does not grow. A run that goes on reads its source from the first
row again, so this need not outlive the process.
"""

import sqlite3
import weakref
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from msgspec import Struct

from hubspot_batch._display import RedactedRepr
from hubspot_batch.contract import _operations as contract
from hubspot_batch.contract._inputs import encode_input, encode_valid, lacking
from hubspot_batch.contract._keys import Key, TakenLinks, linkable_types, take_links, target_of
from hubspot_batch.contract._operations import MAX_INPUTS, Operation
from hubspot_batch.contract._validation import JsonCopy, Path, fault_at, input_faults
from hubspot_batch.errors import InputIssue
from hubspot_batch.replies._matching import meaning

if TYPE_CHECKING:
    from hubspot_batch.bulk._outcomes import Outcome

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
        left: When the first attempt of this process left that may have written it, by `time.monotonic`.
        departed: When that of an earlier process left, by the server's clock.
        repeats: Whether an earlier row has the same unique value, as far as HubSpot compares them.
        holder: What such a row has made of that value, or may have.
        links: The ends of links that are named by a property, each with what names it. Their ids are filled
            in before the row is planned.
        later: The associations of an upsert, which are written after its record, each with the object type
            that it leads to.
        written: What becomes of the row once these are written, where an earlier run has written its record.
    """

    index: int
    wire: Mapping[str, Any]
    content: bytes
    digest: bytes
    faults: Sequence[InputIssue] = ()
    conflict_keys: Sequence[Hashable] = ()
    order_keys: Sequence[Hashable] = ()
    maybe_written: bool = False
    left: float | None = None
    departed: float | None = None
    repeats: bool = False
    holder: Holder | None = None
    links: Sequence[tuple[dict[str, str], Key]] = ()
    later: Sequence[tuple[str, Mapping[str, Any]]] = ()
    written: "Outcome | None" = None

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
    arguments: Mapping[str, object] = _NOTHING,
) -> list[Row]:
    """Return up to 100 inputs as rows.

    Args:
        operation: What they are for.
        inputs: Mappings or generated models. A `InputIssue` stands for a row that could not be read.
        first: The index of the first of them.
        unique_property: A property with another value for each record.
        beside: What the body of each request has beside its inputs.
        arguments: The parameters of the path.
    """
    kind = Kind(operation, unique_property, beside)
    if (rows := _flawless_rows(kind, inputs, first)) is not None:
        return rows
    taken = [take_links(operation, item, number, arguments) for number, item in enumerate(inputs)]
    if all(one.item is item for one, item in zip(taken, inputs, strict=True)):
        return _checked_rows(kind, inputs, first)
    if operation.verb == "upsert":
        taken = _with_later(operation, taken)
    plain = [one.item for one in taken]
    if not any(one.faults for one in taken) and (rows := _flawless_rows(kind, plain, first, taken)):
        return rows
    return _checked_rows(kind, plain, first, taken)


class Kind(NamedTuple):
    """What the rows of a run have in common; `rows_from` explains each."""

    operation: Operation
    unique_property: str | None
    beside: Mapping[str, Any]


_NO_LINKS = TakenLinks(None)


def _flawless_rows(
    kind: Kind, inputs: Sequence[object], first: int, taken: Sequence[TakenLinks] = ()
) -> list[Row] | None:
    """Return rows of plain inputs, or None if there is anything to say of them."""
    wires = encode_valid(kind.operation, inputs)
    if wires is None:
        return None
    if kind.unique_property is not None and any(lacking(wires, kind.unique_property)):
        return None
    try:
        if taken:
            return [_row(kind, first + number, wire, (), taken[number]) for number, wire in enumerate(wires)]
        return [_row(kind, first + number, wire, ()) for number, wire in enumerate(wires)]
    except UnicodeEncodeError:
        return None


def _with_later(operation: Operation, taken: Sequence[TakenLinks]) -> list[TakenLinks]:
    """Return what was taken out of upserts, with the associations checked and encoded."""
    # Those of a new record have the same form.
    creating = contract.operation(f"create_{operation.object_type}")
    copy = JsonCopy()
    wires = [
        encode_input(
            creating,
            {"properties": {}} if one.later is None else {"properties": {}, "associations": one.later},
            ("inputs", number),
            copy,
        )
        for number, one in enumerate(taken)
    ]
    found = [*copy.faults, *input_faults(creating, {"inputs": wires}, copy.replaced)]
    faults = [
        [*one.faults, *(fault for fault in found if fault.index == number)]
        for number, one in enumerate(taken)
    ]
    return [
        _later(operation, one, wire.get("associations", ()), number, faults[number])
        for number, (one, wire) in enumerate(zip(taken, wires, strict=True))
    ]


def _later(
    operation: Operation, taken: TakenLinks, links: Sequence[Any], number: int, faults: list[InputIssue]
) -> TakenLinks:
    """Return what was taken out of an upsert, with its links, each with the object type that it leads to."""
    if faults or not links:
        return taken._replace(later=None, faults=faults)
    pairs = []
    for place, (link, named) in enumerate(zip(links, taken.targets, strict=True)):
        target = named or target_of(operation.object_type, link["types"])
        if target not in linkable_types():
            faults.append(
                fault_at(
                    ("inputs", number, "associations", place),
                    f"an upsert links with {', '.join(linkable_types())} only, and this leads elsewhere"
                    if target
                    else "the type ids do not tell the object type of the target",
                    "leave it out" if target else 'name it: {"to": {"type": "contacts", "id": ...}, ...}',
                )
            )
        pairs.append((target, link))
    return taken._replace(later=pairs, faults=faults)


def _checked_rows(
    kind: Kind,
    inputs: Sequence[object],
    first: int,
    taken: Sequence[TakenLinks] = (),
) -> list[Row]:
    operation, unique_property = kind.operation, kind.unique_property
    copy = JsonCopy()
    wires = [
        _NOT_READ if isinstance(item, InputIssue) else encode_input(operation, item, ("inputs", number), copy)
        for number, item in enumerate(inputs)
    ]
    faults: list[list[InputIssue]] = [[item] if isinstance(item, InputIssue) else [] for item in inputs]
    found = [*copy.faults, *input_faults(operation, {"inputs": wires, **kind.beside}, copy.replaced)]
    if unique_property is not None:
        found += lacking(wires, unique_property)
    found += [fault for one in taken for fault in one.faults]
    for fault in found:
        if fault.index is not None and not isinstance(inputs[fault.index], InputIssue):
            faults[fault.index].append(fault)
    return [
        _row(kind, first + number, wire, faults[number], taken[number] if taken else _NO_LINKS)
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
    kind: Kind,
    index: int,
    wire: Mapping[str, Any],
    faults: Sequence[InputIssue],
    taken: TakenLinks = _NO_LINKS,
) -> Row:
    if faults:
        # Without the place among the rows that were read together: that may differ the next time.
        texts = [str(fault).removeprefix(f"/inputs/{fault.index}") for fault in faults]
        return Row(
            index=index, wire={}, content=b"", digest=_digest(msgspec.json.encode(texts)), faults=faults
        )
    if taken is not _NO_LINKS:
        return _linked_row(kind, index, wire, taken)
    fields = dict(wire)
    trace = fields.pop(_TRACE_ID, f"row-{index}")
    content = text = _encoded(fields)
    digest = _digest(text)
    traces: tuple[str, ...] = ()
    if _TRACE_ID in kind.operation.input_keys:
        traces = (trace,)
        fields[_TRACE_ID] = trace
        content = _with_trace(trace, text)
    order_keys = _order_keys(kind, wire)
    return Row(
        index=index,
        wire=fields,
        content=content,
        digest=digest,
        conflict_keys=(*traces, *_alike(kind, digest), *order_keys),
        order_keys=order_keys,
    )


def _linked_row(kind: Kind, index: int, wire: Mapping[str, Any], taken: TakenLinks) -> Row:
    """Return a row whose links lack ids, or are written later."""
    later = taken.later or ()
    fields = dict(wire)
    trace = fields.pop(_TRACE_ID, f"row-{index}")
    text = _encoded(fields)
    # It is encoded once more when its ids are known: the caller may have changed its links by then.
    fields = msgspec.json.decode(text)
    if _TRACE_ID in kind.operation.input_keys:
        fields[_TRACE_ID] = trace
    place: Any = [link for _, link in later] or fields
    row = Row(
        index=index,
        wire=fields,
        content=text,
        # What the caller gave: the ids are read again by the next run over the same source.
        digest=_digest(text + msgspec.json.encode([taken.keys, later], order="sorted"))
        if taken.keys or later
        else _digest(text),
        links=[(_end_at(place, path), key) for path, key in taken.keys],
        later=later,
        # Known before the ids are: while a row waits for those, no later row of its record may overtake it.
        order_keys=() if "from" in wire else _order_keys(kind, wire),
    )
    if not row.links:
        seal(row, kind)
    return row


def _end_at(place: Any, path: Path) -> dict[str, str]:  # noqa: ANN401 - JSON
    for part in path:
        place = place[part]
    return place  # type: ignore[no-any-return]


def seal(row: Row, kind: Kind) -> None:
    """Complete a row whose links have their ids."""
    fields = dict(row.wire)
    traces = (fields.pop(_TRACE_ID),) if _TRACE_ID in fields else ()
    text = _encoded(fields)
    row.content = _with_trace(traces[0], text) if traces else text
    row.order_keys = _order_keys(kind, fields)
    row.conflict_keys = (*traces, *_alike(kind, _digest(text)), *row.order_keys)


def _encoded(fields: Mapping[str, Any]) -> bytes:
    # To HubSpot, and in a source that is read again, the order of the keys means nothing.
    return msgspec.json.encode(fields, order="sorted")


def _with_trace(trace: str, text: bytes) -> bytes:
    return b'{"%b":%b,%b' % (_TRACE_ID.encode(), msgspec.json.encode(trace), text[1:])


def _alike(kind: Kind, digest: bytes) -> tuple[bytes, ...]:
    # HubSpot merges line items that are alike (docs/behaviour.md, "Merged line items").
    return (digest,) if kind.operation.object_type == "line_items" else ()


def _order_keys(kind: Kind, wire: Mapping[str, Any]) -> tuple[Hashable, ...]:
    """Return what names the record, or the link, that an input is about: for the same, the order matters."""
    return tuple(_one_record(wire, kind.unique_property, kind.beside.get("idProperty")))


def _one_record(
    wire: Mapping[str, Any], unique_property: str | None, id_property: str | None
) -> Iterator[Hashable]:
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
