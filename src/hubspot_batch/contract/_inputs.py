"""Inputs of callers, and the payload that they are encoded to.

The mappings here are those of `hubspot_batch_models.inputs` with wider values: where the document says text,
a caller may write any value that `hubspot_batch.contract._values` converts.
"""

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields as fields_of_dataclass
from dataclasses import is_dataclass
from functools import partial
from itertools import islice
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NotRequired, Protocol, TypeAlias

import msgspec

from hubspot_batch._display import RedactedRepr
from hubspot_batch.contract._operations import Operation
from hubspot_batch.contract._validation import (
    JsonCopy,
    Path,
    contradictions,
    fault_at,
    flat_row,
    is_flat,
    is_valid,
    name_of,
    sample_input,
)
from hubspot_batch.contract._values import Problem, PropertyValue, encode_id, encode_value
from hubspot_batch.errors import InputIssue, InvalidInputError

if sys.version_info >= (3, 12):  # pragma: no cover - each Python takes one of the two
    from typing import TypedDict
else:  # pragma: no cover
    from typing_extensions import TypedDict  # pydantic takes no other one

if TYPE_CHECKING:
    from typing_extensions import ReadOnly
else:

    class ReadOnly:
        """A read-only item for type checkers. Libraries like msgspec do not support it at run time."""

        def __class_getitem__(cls, kind: object) -> object:
            return kind


# What holds the ids of other records.
_WITH_IDS = frozenset({"associations", "from", "to", "types"})


class AssociationTarget(TypedDict):
    """The record at an end of an association."""

    id: ReadOnly[str | int]


class AssociationType(TypedDict):
    """The meaning of an association; 507 is order to contact."""

    associationCategory: Literal["HUBSPOT_DEFINED", "INTEGRATOR_DEFINED", "USER_DEFINED", "WORK"]
    associationTypeId: int


class Association(TypedDict):
    """A link from the new record to an existing record."""

    to: ReadOnly[AssociationTarget]
    types: ReadOnly[Sequence[AssociationType]]


class RecordKey(TypedDict):
    """A record named by a unique property in place of its id, where a call for many rows takes it.

    In pairs to link, where the call has said the object types.
    """

    property: str
    value: ReadOnly[PropertyValue]


class TargetKey(RecordKey):
    """A record of any object type named by a unique property: `SO-1` of `orders`, `hs_external_order_id`."""

    type: str


class TypedTarget(AssociationTarget):
    """A record at the end of an association, named by its id, with its object type."""

    type: str


if TYPE_CHECKING:
    AnyTarget: TypeAlias = AssociationTarget | TypedTarget | TargetKey
    AnyEnd: TypeAlias = AssociationTarget | RecordKey
else:
    # Libraries that read types at run time reject unions of typed mappings.
    AnyTarget = AnyEnd = Mapping[str, Any]


class AssociationRow(TypedDict):
    """A link from a record that one of many rows is about.

    Without `types`, which need the object type of the target, it means nothing beyond the link.
    """

    to: ReadOnly[AnyTarget]
    types: NotRequired[ReadOnly[Sequence[AssociationType]]]


class CreateInput(TypedDict):
    """One record to create."""

    properties: ReadOnly[Mapping[str, PropertyValue]]
    associations: NotRequired[ReadOnly[Sequence[Association]]]
    objectWriteTraceId: NotRequired[str]


class CreateRow(TypedDict):
    """One of many records to create. Its links may name their targets by unique properties."""

    properties: ReadOnly[Mapping[str, PropertyValue]]
    associations: NotRequired[ReadOnly[Sequence[AssociationRow]]]
    objectWriteTraceId: NotRequired[str]


class UpdateInput(TypedDict):
    """One record to update: `id` is the record id, or its value of the property `idProperty`."""

    id: ReadOnly[str | int]
    idProperty: NotRequired[str]
    properties: ReadOnly[Mapping[str, PropertyValue]]
    objectWriteTraceId: NotRequired[str]


class UpsertInput(TypedDict):
    """One record to update or to create: `id` is its value of the unique property `idProperty`."""

    id: ReadOnly[str | int]
    idProperty: str
    properties: ReadOnly[Mapping[str, PropertyValue]]
    objectWriteTraceId: NotRequired[str]


class UpsertRow(TypedDict):
    """One of many records to update or to create. Its links are written after it."""

    id: ReadOnly[str | int]
    idProperty: NotRequired[str]
    properties: ReadOnly[Mapping[str, PropertyValue]]
    associations: NotRequired[ReadOnly[Sequence[AssociationRow]]]
    objectWriteTraceId: NotRequired[str]


class RecordId(TypedDict):
    """One record to read or to archive: `id` is the record id, or in a read a unique value."""

    id: ReadOnly[str | int]


# `from` is a keyword, so the keys cannot be written as a class has them.
AssociationInput = TypedDict(
    "AssociationInput",
    {
        "from": ReadOnly[AssociationTarget],
        "to": ReadOnly[AssociationTarget],
        "types": ReadOnly[Sequence[AssociationType]],
    },
)
"""One pair of records to link."""

AssociationPairRow = TypedDict(
    "AssociationPairRow",
    {
        "from": ReadOnly[AnyEnd],
        "to": ReadOnly[AnyEnd],
        "types": ReadOnly[Sequence[AssociationType]],
    },
)
"""One of many pairs of records to link. Unique properties may name them."""


class GeneratedModel(Protocol):
    """A model of `hubspot_batch_api`."""

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON."""
        ...


class PydanticModel(Protocol):
    """A model of pydantic 2."""

    def model_dump(self, *, by_alias: bool | None, exclude_unset: bool) -> dict[str, Any]:
        """Return its fields."""
        ...


class DataclassInstance(Protocol):
    """An instance of a dataclass."""

    __dataclass_fields__: ClassVar[dict[str, Any]]


AnyModel: TypeAlias = GeneratedModel | PydanticModel | DataclassInstance | msgspec.Struct
AnyCreateInput: TypeAlias = CreateInput | AnyModel
AnyUpdateInput: TypeAlias = UpdateInput | AnyModel
AnyUpsertInput: TypeAlias = UpsertInput | AnyModel
AnyAssociationInput: TypeAlias = AssociationInput | AnyModel


class Batch(RedactedRepr, msgspec.Struct, frozen=True, kw_only=True):
    """Inputs that are ready to send.

    Attributes:
        inputs: The encoded inputs, each with its own trace id if it can have one.
        content: The body of the request.
        beside: What stands beside the inputs in the body.
    """

    inputs: Sequence[Mapping[str, Any]]
    content: bytes
    beside: Mapping[str, Any] = {}

    def __repr__(self) -> str:
        return f"Batch({len(self.inputs)} inputs, {len(self.content)} bytes)"


def prepare(
    operation: Operation,
    inputs: Iterable[object],
    unique_property: str | None = None,
    beside: Mapping[str, object] = MappingProxyType({}),
    id_property: str | None = None,
) -> Batch:
    """Encode and validate the inputs of one request, without changing them.

    Args:
        operation: The operation.
        inputs: Mappings or models. At most one more than allowed is read.
        unique_property: A property that must have a different value in each of them.
        beside: The other keys of the body.
        id_property: The `idProperty` of inputs that have none.

    Raises:
        InvalidInputError: With every fault of every input.
    """
    if isinstance(inputs, Mapping | str | bytes) or not isinstance(inputs, Iterable):
        problem = f"{name_of(inputs)} stands where a list of inputs belongs"
        raise InvalidInputError([fault_at(("inputs",), problem, f"write [{sample_input(operation)}]")])
    items = list(islice(inputs, operation.max_inputs + 1))
    if id_property is not None:
        items = [with_id_property(item, id_property) for item in items]
    fast = _fast_batch(operation, items, unique_property, beside)
    return fast or _checked_batch(operation, items, unique_property, beside)


def with_id_property(item: object, id_property: str) -> object:
    """Return an input that names a unique property, if it named none. What is not an input stays as it is."""
    fields = fields_of(item)
    if not isinstance(fields, Mapping) or "properties" not in fields:
        return item
    return {"idProperty": id_property, **fields}


def _fast_batch(
    operation: Operation,
    items: Sequence[object],
    unique_property: str | None,
    beside: Mapping[str, object],
) -> Batch | None:
    """Return a batch of valid plain inputs, else None."""
    wire = encode_valid(operation, items, beside)
    if wire is None or any(_not_unique(wire, unique_property)):
        return None
    payload = {"inputs": _traced(operation, wire), **_in_order(operation, beside)}
    try:
        return Batch(inputs=wire, content=msgspec.json.encode(payload), beside=beside)
    except UnicodeEncodeError:
        return None


def encode_valid(
    operation: Operation, items: Sequence[object], beside: Mapping[str, object] = MappingProxyType({})
) -> list[dict[str, Any]] | None:
    """Encode valid plain mappings; return None if any input is something else.

    A fast path with the results of `encode_input` and `contradictions`. It does not check that text is
    Unicode; the JSON encoder does.
    """
    wires = _plain_copies(operation, items)
    if wires is None:
        return None
    payload = {"inputs": wires, **beside}
    if is_valid(operation, payload) or (_written_out(operation, wires) and is_valid(operation, payload)):
        return wires
    return None


def _plain_copies(operation: Operation, items: Sequence[object]) -> list[dict[str, Any]] | None:
    """Return copies of inputs that are plain mappings with plain properties; None if any is not.

    What a copy shares with its input is not changed, and encoded before the caller can change it.
    """
    copies: list[dict[str, Any]] = []
    has_properties = "properties" in operation.input_keys
    for item in items:
        if type(item) is not dict:
            return None
        copy = {**item}
        if has_properties:
            if type(item.get("properties")) is not dict:
                return None
            copy["properties"] = {**item["properties"]}
        copies.append(copy)
    return copies


def _written_out(operation: Operation, wires: Sequence[dict[str, Any]]) -> bool:
    """Convert ids and property values to text in place, and return whether all could be converted."""
    with_ids = _WITH_IDS & operation.input_keys
    with_properties = "properties" in operation.input_keys
    for wire in wires:
        properties = wire["properties"] if with_properties else {}
        for name, value in properties.items():
            if type(value) is not str:
                properties[name] = text = encode_value(value)
                if type(text) is not str:
                    return False
        for key in with_ids:
            if key in wire:
                wire[key] = _with_text_ids(wire[key])
        if type(wire.get("id", "")) is not str and type(text := encode_id(wire["id"])) is str:
            wire["id"] = text
    return True


def _with_text_ids(node: object) -> object:
    """Return links, or an end of one, with ids as text where that is plain; validation explains the rest."""
    if type(node) is not list:
        return _with_text_id(node)
    return [
        {**link, "to": _with_text_id(end)}
        if type(link) is dict and type(end := link.get("to")) is dict and type(end.get("id")) is not str
        else link
        for link in node
    ]


def _with_text_id(node: object) -> object:
    if type(node) is dict and type(text := encode_id(node.get("id"))) is str:
        return {**node, "id": text}
    return node


def _checked_batch(
    operation: Operation,
    items: Sequence[object],
    unique_property: str | None,
    beside: Mapping[str, object],
) -> Batch:
    """Return a batch of any inputs.

    Raises:
        InvalidInputError: With every fault of every input.
    """
    copy = JsonCopy()
    wire = [encode_input(operation, item, ("inputs", index), copy) for index, item in enumerate(items)]
    rest = {key: copy.of(value, (key,)) for key, value in beside.items()}
    payload = {"inputs": _traced(operation, wire), **_in_order(operation, rest)}
    faults = [
        *copy.faults,
        *contradictions(operation, payload, copy.replaced),
        *_not_unique(wire, unique_property),
    ]
    if faults:
        raise InvalidInputError(sorted(faults, key=_place))
    return Batch(inputs=wire, content=msgspec.json.encode(payload), beside=rest)


def _in_order(operation: Operation, beside: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the keys beside the inputs in the order of the document, which generated models keep, too."""
    return {key: beside[key] for key in (*operation.body_keys, *beside) if key in beside}


def _place(fault: InputIssue) -> int:
    return -1 if fault.index is None else fault.index


def _not_unique(wire: Sequence[Any], unique_property: str | None) -> Iterator[InputIssue]:
    if unique_property is not None:
        yield from lacking(wire, unique_property)
        yield from _repeating(wire, unique_property)


def lacking(wire: Sequence[Any], unique_property: str) -> Iterator[InputIssue]:
    """Yield a fault for each input without a value of the unique property."""
    for index, item in enumerate(wire):
        match item:
            case {"properties": dict(properties)} if properties.get(unique_property, "") == "":
                yield fault_at(
                    ("inputs", index, "properties"),
                    f"the unique property {unique_property!r} is missing or empty",
                    "fill it in, or do not name it as unique_property",
                )


def _repeating(wire: Sequence[Any], unique_property: str) -> Iterator[InputIssue]:
    """Yield a fault for each input that repeats the unique value of an earlier one."""
    owners: dict[str, int] = {}
    for index, item in enumerate(wire):
        match item:
            case {"properties": dict(properties)} if value := properties.get(unique_property):
                if (first := owners.setdefault(value, index)) != index:
                    yield fault_at(
                        ("inputs", index, "properties", unique_property),
                        f"the unique property {unique_property!r} repeats the value of inputs[{first}]",
                        "give each input a value of its own, or do not name it as unique_property",
                    )


def _traced(operation: Operation, wire: Sequence[Any]) -> Sequence[Any]:
    """Add missing trace ids, if the operation has them, and return the inputs.

    Without a trace id on every input, one bad input fails the whole batch (docs/behaviour.md, "Trace ids").
    """
    key = "objectWriteTraceId"
    if key not in operation.input_keys:
        return wire
    without = [(index, item) for index, item in enumerate(wire) if isinstance(item, dict) and key not in item]
    prefix = "input-"
    if without and len(without) < len(wire):
        given = [str(item[key]) for item in wire if isinstance(item, dict) and key in item]
        while any(trace.startswith(prefix) for trace in given):
            prefix = f"{prefix}-"
    for index, item in without:
        item[key] = f"{prefix}{index}"
    return wire


def encode_input(operation: Operation, item: object, path: Path, copy: JsonCopy) -> Any:  # noqa: ANN401 - JSON
    """Encode one input. Anything but an input becomes JSON that validation rejects."""
    fields = fields_of(item)
    if not isinstance(fields, Mapping):
        return copy.of(fields, path)
    if is_flat(operation, fields):
        copy.replace(path, *flat_row(operation))
        return None
    wire: dict[str, Any] = {}
    for key, value in fields.items():
        place = (*path, key)
        if key == "properties":
            wire["properties"] = _texts(value, place, copy)
        elif key == "id" and key in operation.input_keys:
            wire["id"] = _convert(encode_id, value, place, copy)
        elif key in _WITH_IDS:
            wire[str.__str__(key)] = _with_ids(value, place, copy)
        elif copy.takes_key(key, path):
            wire[str.__str__(key)] = copy.of(value, place)
    return wire


def fields_of(item: object) -> object:
    """Return the fields of a model or a row by name; any other value unchanged.

    A model is a generated one, a Struct, a dataclass, or one of attrs or pydantic. Fields that are
    not set, or None by default, are left out. A row is a named tuple, or has `keys` like a row of sqlite3.
    """
    if isinstance(item, type | Mapping | list):
        return item
    try:
        return _fields_of(item)
    except Exception:  # noqa: BLE001 - a model may raise anything for a field of the wrong type
        return item


def _fields_of(item: Any) -> object:  # noqa: ANN401 - what has one of these methods
    if isinstance(item, msgspec.Struct):
        names = zip(item.__struct_encode_fields__, item.__struct_fields__, strict=True)
        fields = ((name, getattr(item, attribute)) for name, attribute in names)
        return {name: value for name, value in fields if value is not msgspec.UNSET}
    if hasattr(item, "to_dict"):
        return item.to_dict()
    if hasattr(item, "model_dump"):
        return item.model_dump(by_alias=True, exclude_unset=True)
    if is_dataclass(item) or hasattr(item, "__attrs_attrs__"):
        known = fields_of_dataclass(item) if is_dataclass(item) else item.__attrs_attrs__
        values = ((field, getattr(item, field.name)) for field in known)
        return {
            field.name: value for field, value in values if value is not None or field.default is not None
        }
    if hasattr(item, "_asdict"):
        return item._asdict()
    if hasattr(item, "keys"):
        return {name: item[name] for name in item.keys()}  # noqa: SIM118 - it is not a mapping
    return item


def _texts(values: object, path: Path, copy: JsonCopy) -> Any:  # noqa: ANN401 - JSON
    """Return properties with their values as text."""
    values = fields_of(values)
    if not isinstance(values, Mapping):
        return copy.of(values, path)
    return {
        str.__str__(name): value
        if type(value) is str and value.isascii()
        else _convert(encode_value, value, (*path, name), copy)
        for name, value in values.items()
        if (type(name) is str and name.isascii()) or copy.takes_key(name, path)
    }


def _with_ids(node: object, path: Path, copy: JsonCopy) -> Any:  # noqa: ANN401 - JSON
    """Copy associations or their ends, with record ids as text."""
    fields = fields_of(node)
    if isinstance(fields, Mapping | list | tuple):
        return copy.inside(fields, path, partial(_container_with_ids, copy=copy))
    return copy.of(fields, path)


def _container_with_ids(node: Mapping[Any, object] | Sequence[object], path: Path, copy: JsonCopy) -> Any:  # noqa: ANN401 - JSON
    if isinstance(node, Mapping):
        return {
            str.__str__(key): _convert(encode_id, value, (*path, key), copy)
            if key == "id"
            else _with_ids(value, (*path, key), copy)
            for key, value in node.items()
            if copy.takes_key(key, path)
        }
    return [_with_ids(value, (*path, index), copy) for index, value in enumerate(node)]


def _convert(
    convert: Callable[[object], str | Problem], value: object, path: Path, copy: JsonCopy
) -> str | None:
    text = convert(value)
    if isinstance(text, Problem):
        copy.replace(path, *text)
        return None
    return text if text.isascii() else copy.of(text, path)
