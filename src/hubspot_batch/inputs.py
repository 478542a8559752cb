"""What a caller hands over, and the payload that is made of it.

The mappings here are those of `hubspot_batch_models.inputs` with wider values: where the document says text,
a caller may write whatever `hubspot_batch.values` converts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal, NotRequired, Protocol, TypeAlias, TypedDict

import msgspec

from hubspot_batch.contract import MAX_INPUTS
from hubspot_batch.errors import Fault, InvalidInputError
from hubspot_batch.validation import fault_at, faults_of, name_of, unsendable
from hubspot_batch.values import Problem, PropertyValue, wire_id, wire_text

if TYPE_CHECKING:
    from typing_extensions import ReadOnly

    from hubspot_batch.contract import Operation
    from hubspot_batch.validation import Path


class AssociationTarget(TypedDict):
    """The record at the other end of an association."""

    id: ReadOnly[str | int]


class AssociationType(TypedDict):
    """The meaning of an association; 507 is order to contact."""

    associationCategory: Literal["HUBSPOT_DEFINED", "INTEGRATOR_DEFINED", "USER_DEFINED", "WORK"]
    associationTypeId: int


class Association(TypedDict):
    """A link from the new record to one existing record."""

    to: ReadOnly[AssociationTarget]
    types: ReadOnly[Sequence[AssociationType]]


class CreateInput(TypedDict):
    """One record to create."""

    properties: ReadOnly[Mapping[str, PropertyValue]]
    associations: NotRequired[ReadOnly[Sequence[Association]]]
    objectWriteTraceId: NotRequired[str]


class UpdateInput(TypedDict):
    """One record to change: `id` is the record id, or its value of the property `idProperty`."""

    id: ReadOnly[str | int]
    idProperty: NotRequired[str]
    properties: ReadOnly[Mapping[str, PropertyValue]]
    objectWriteTraceId: NotRequired[str]


class GeneratedModel(Protocol):
    """A model of `hubspot_batch_api`."""

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON."""
        ...


AnyCreateInput: TypeAlias = CreateInput | GeneratedModel | msgspec.Struct
AnyUpdateInput: TypeAlias = UpdateInput | GeneratedModel | msgspec.Struct


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """Inputs that are ready to be sent.

    Attributes:
        inputs: The inputs in their wire form, each with a trace id of its own.
        content: The body of the request.
    """

    inputs: Sequence[Mapping[str, Any]]
    content: bytes

    def __repr__(self) -> str:
        return f"Batch({len(self.inputs)} inputs, {len(self.content)} bytes)"


def prepare(operation: Operation, inputs: Iterable[object], unique_property: str | None = None) -> Batch:
    """Convert and check the inputs of one request. They are not changed.

    Args:
        operation: What they are for.
        inputs: Mappings or generated models. No more are taken of them than one too many.
        unique_property: A property that each of them must have.

    Raises:
        InvalidInputError: With every fault of every input.
    """
    if isinstance(inputs, Mapping | str | bytes) or not isinstance(inputs, Iterable):
        problem = f"{name_of(inputs)} stands where a list of inputs belongs"
        raise InvalidInputError([fault_at(("inputs",), problem, 'write [{"properties": {...}}]')])
    faults: list[Fault] = []
    wire = [_wire(item, index, faults) for index, item in enumerate(islice(inputs, MAX_INPUTS + 1))]
    payload: dict[str, Any] = {"inputs": wire}
    faults += faults_of(operation, payload)
    if unique_property is not None:
        faults += _lacking(wire, unique_property)
    if faults:
        raise InvalidInputError(sorted(faults, key=_place))
    try:
        return Batch(inputs=wire, content=msgspec.json.encode(payload))
    except UnicodeEncodeError:
        raise InvalidInputError(list(unsendable(payload))) from None


def _lacking(wire: Sequence[Any], unique_property: str) -> Iterator[Fault]:
    for index, item in enumerate(wire):
        match item:
            case {"properties": Mapping() as properties} if not properties.get(unique_property):
                yield fault_at(
                    ("inputs", index, "properties"),
                    f"the unique property {unique_property!r} is missing or empty",
                    "fill it in, or do not name it as unique_property",
                )


def _place(fault: Fault) -> int:
    return -1 if fault.index is None else fault.index


def _wire(item: object, index: int, faults: list[Fault]) -> Any:  # noqa: ANN401 - JSON
    """Return one input in its wire form, or as it is where it is none: the document tells why."""
    item = _mapping_of(item)
    if not isinstance(item, Mapping):
        return item
    path = ("inputs", index)
    wire = dict(item)
    if isinstance(properties := wire.get("properties"), Mapping):
        wire["properties"] = _texts(properties, (*path, "properties"), faults)
    if "id" in wire:
        wire["id"] = _convert(wire_id, wire["id"], (*path, "id"), faults)
    if "associations" in wire:
        wire["associations"] = _plain(wire["associations"], (*path, "associations"), faults)
    # Without a trace id on each input, one bad input costs all (docs/behaviour.md, "Trace ids").
    wire.setdefault("objectWriteTraceId", f"input-{index}")
    return wire


def _mapping_of(item: object) -> object:
    if isinstance(item, msgspec.Struct):
        return msgspec.to_builtins(item)
    to_dict = getattr(item, "to_dict", None)
    return to_dict() if callable(to_dict) else item


def _texts(values: Mapping[Any, object], path: Path, faults: list[Fault]) -> dict[Any, str]:
    return {
        name: value if type(value) is str else _convert(wire_text, value, (*path, name), faults)
        for name, value in values.items()
    }


def _convert(
    convert: Callable[[object], str | Problem], value: object, path: Path, faults: list[Fault]
) -> str:
    text = convert(value)
    if isinstance(text, Problem):
        faults.append(fault_at(path, *text))
        return "-"  # valid, so that the place is not reported twice
    return text


def _plain(node: object, path: Path, faults: list[Fault], depth: int = 4) -> object:
    """Copy associations into plain mappings and lists, with the ids of their targets as text."""
    if isinstance(node, Mapping) and depth:
        return {
            key: _convert(wire_id, value, (*path, key), faults)
            if key == "id"
            else _plain(value, (*path, key), faults, depth - 1)
            for key, value in node.items()
        }
    if isinstance(node, list | tuple) and depth:
        return [_plain(value, (*path, index), faults, depth - 1) for index, value in enumerate(node)]
    return node
