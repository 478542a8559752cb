"""The bytes of a request, and the inputs that they hold.

HubSpot takes more than the document says: numbers and booleans as values, integers as ids, null, keys that
nobody knows (docs/behaviour.md, "Property values", "Bodies without inputs", "Error bodies").
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, TypeAlias, TypeVar

import msgspec
from msgspec import Struct

from hubspot_batch.contract._operations import MAX_INPUTS
from hubspot_batch.sandbox import _bodies
from hubspot_batch.sandbox._bodies import Refusal
from hubspot_batch.sandbox._positions import Path, line_and_column, offset_of

_PLACE = re.compile(r"\.(\w+)|\[(\d+)\]")
_BYTE = re.compile(r"\(byte (\d+)\)")
_MISSING = re.compile(r"Object missing required field `(\w+)`")
_EXPECTED = re.compile(r"Expected `(\w+)")
_JAVA = {"array": "java.util.List", "int": "java.lang.Integer", "str": "java.lang.String"}

Inputs = TypeVar("Inputs")
Wire = TypeVar("Wire")


class Link(Struct, frozen=True):
    """A link from a new record to one that exists.

    Attributes:
        category: Who defined the meaning of the link.
        type_id: The number of the meaning.
        to_id: The other record.
    """

    category: str
    type_id: int
    to_id: str


class CreateInput(Struct, frozen=True):
    """One record to create."""

    properties: Mapping[str, str]
    links: Sequence[Link] = ()
    trace_id: str | None = None


class UpdateInput(Struct, frozen=True):
    """One record to change."""

    id: str
    properties: Mapping[str, str]
    id_property: str | None = None
    trace_id: str | None = None


class _Target(Struct):
    id: Any


class _Kind(Struct, rename="camel"):
    association_category: Literal["HUBSPOT_DEFINED", "INTEGRATOR_DEFINED", "USER_DEFINED", "WORK"]
    association_type_id: int


class _Association(Struct):
    to: _Target
    types: list[_Kind]


class _Create(Struct, rename="camel"):
    properties: dict[str, Any]
    associations: list[_Association] | None = None
    object_write_trace_id: Any = None


class _Update(Struct, rename="camel"):
    id: Any
    properties: dict[str, Any]
    id_property: str | None = None
    object_write_trace_id: Any = None


class _Creates(Struct):
    inputs: list[_Create] | None = None


class _Updates(Struct):
    inputs: list[_Update] | None = None


# Not strictly, for 507.0 and "507" are integers to HubSpot. A number as a value stays as it was written.
_CREATES = msgspec.json.Decoder(_Creates, strict=False, float_hook=str)
_UPDATES = msgspec.json.Decoder(_Updates, strict=False, float_hook=str)
_ANY = msgspec.json.Decoder(float_hook=str)

_Decoder: TypeAlias = msgspec.json.Decoder[_Creates] | msgspec.json.Decoder[_Updates]


class _NoTextError(Exception):
    def __init__(self, path: Path) -> None:
        self.path = path


def read_creates(content: bytes, *, accept_empty: bool = True) -> Sequence[CreateInput] | Refusal:
    """Return the inputs of a create; none where the body is of the silent kind."""
    return _read(content, _CREATES, _create, accept_empty=accept_empty)


def read_updates(content: bytes, *, accept_empty: bool = True) -> Sequence[UpdateInput] | Refusal:
    """Return the inputs of an update; none where the body is of the silent kind."""
    return _read(content, _UPDATES, _update, accept_empty=accept_empty)


def _read(
    content: bytes, decoder: _Decoder, make: Callable[[Any, Path], Inputs], *, accept_empty: bool
) -> Sequence[Inputs] | Refusal:
    """Return what a body holds, checked in HubSpot's order: readable, not too many, of the right form."""
    if not content:
        return _bodies.EMPTY_BODY
    try:
        inputs = decoder.decode(content).inputs
        if inputs is not None and not MAX_INPUTS >= len(inputs) >= (not accept_empty):
            return _bodies.TOO_MANY_INPUTS if inputs else _bodies.NO_INPUTS
        return [make(item, ("inputs", index)) for index, item in enumerate(inputs or ())]
    except _NoTextError as error:
        return _misfit(content, error.path, _cannot_be("java.lang.String"))
    except msgspec.ValidationError as error:
        return _misfitting(content, str(error))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return _unreadable(content, error)


def _create(item: _Create, path: Path) -> CreateInput:
    return CreateInput(
        _texts(item.properties, (*path, "properties")),
        _links(item.associations, path) if item.associations else (),
        _optional(item.object_write_trace_id, (*path, "objectWriteTraceId")),
    )


def _update(item: _Update, path: Path) -> UpdateInput:
    return UpdateInput(
        _text(item.id, (*path, "id")),
        _texts(item.properties, (*path, "properties")),
        item.id_property,
        _optional(item.object_write_trace_id, (*path, "objectWriteTraceId")),
    )


def _links(associations: Sequence[_Association], path: Path) -> tuple[Link, ...]:
    return tuple(
        Link(kind.association_category, kind.association_type_id, target)
        for index, association in enumerate(associations)
        for target in [_text(association.to.id, (*path, "associations", index, "to", "id"))]
        for kind in association.types
    )


def _texts(properties: Mapping[str, Any], path: Path) -> Mapping[str, str]:
    """Return the values as texts, without those that are null: they neither set nor clear."""
    if set(map(type, properties.values())) <= {str}:
        return properties
    return {name: _text(value, (*path, name)) for name, value in properties.items() if value is not None}


def _optional(value: object, path: Path) -> str | None:
    return None if value is None else _text(value, path)


def _text(value: object, path: Path) -> str:
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case _:
            raise _NoTextError(path)


def _misfitting(content: bytes, complaint: str) -> Sequence[Any] | Refusal:
    """Return what a body comes to that is JSON, but not of the form that is expected."""
    try:
        match _ANY.decode(content):
            case {"inputs": [*inputs]} if len(inputs) > MAX_INPUTS:
                return _bodies.TOO_MANY_INPUTS
            case list():
                return []
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return _unreadable(content, error)
    # What stands before the place can hold a text of the request, never what follows it.
    place = complaint.rpartition("`$")[2] if "`$" in complaint else ""
    path = tuple(name or int(index) for name, index in _PLACE.findall(place))
    if missing := _MISSING.match(complaint):
        return _misfit(content, path, f"Some required fields were not set: [{missing[1]}]")
    expected = _EXPECTED.match(complaint)
    return _misfit(content, path, _cannot_be(_JAVA.get(expected[1] if expected else "", "java.lang.Object")))


def _cannot_be(java: str) -> str:
    # Never more of the complaint: it can repeat the value.
    return f"Cannot deserialize value of type `{java}`"


def _misfit(content: bytes, path: Path, reason: str) -> Refusal:
    return _bodies.unreadable(*line_and_column(content, offset_of(content, path)), reason)


def _unreadable(content: bytes, error: Exception) -> Refusal:
    place = _BYTE.search(str(error))
    offset = int(place[1]) if place else len(content)  # where it ends too early
    return _bodies.unreadable(*line_and_column(content, offset), "Cannot read the request body")
