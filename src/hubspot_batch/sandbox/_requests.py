"""Reads the inputs out of the body of a request.

HubSpot accepts more than the document says: numbers and booleans as values, integers as ids, null, unknown
keys (docs/behaviour.md, "Property values", "Bodies without inputs", "Error bodies").
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, TypeVar

import msgspec
from msgspec import Struct, field

from hubspot_batch.contract._operations import MAX_INPUTS
from hubspot_batch.sandbox import _bodies
from hubspot_batch.sandbox._associations import Link
from hubspot_batch.sandbox._bodies import Refusal
from hubspot_batch.sandbox._positions import Path, line_and_column, offset_of

_PLACE = re.compile(r"\.(\w+)|\[(\d+)\]")
_BYTE = re.compile(r"\(byte (\d+)\)")
_MISSING = re.compile(r"Object missing required field `(\w+)`")
_EXPECTED = re.compile(r"Expected `(\w+)")
_JAVA = {"array": "java.util.List", "int": "java.lang.Integer", "str": "java.lang.String"}

Item = TypeVar("Item")
Input = TypeVar("Input")
Body = TypeVar("Body", "_Creates", "_Changes", "_Ids", "_Read", "_Pairs")


class WriteInput(Struct, frozen=True):
    """One record to create, update or upsert.

    Attributes:
        properties: The values to write.
        id: The record, or the value of `id_property`; empty for a new record.
        id_property: The unique property that `id` is a value of; None for the record id.
        links: The associations of a new record.
        trace_id: The `objectWriteTraceId`.
        empty: Whether the input has no properties at all, not even one that is null.
    """

    properties: Mapping[str, str]
    id: str = ""
    id_property: str | None = None
    links: Sequence[Link] = ()
    trace_id: str | None = None
    empty: bool = False


class ReadRequest(Struct, frozen=True, kw_only=True):
    """Records to read.

    Attributes:
        ids: Their ids, or values of `id_property`.
        id_property: The unique property that the ids are values of; None for record ids.
        properties: The properties to return.
        history: The properties to return with their earlier values.
    """

    ids: Sequence[str]
    id_property: str | None = None
    properties: Sequence[str] = ()
    history: Sequence[str] = ()


class Pair(Struct, frozen=True):
    """Two records, and the links by which they are to be associated."""

    from_id: str
    to_id: str
    links: Sequence[Link]


class _Id(Struct):
    id: Any


class _Kind(Struct, rename="camel"):
    association_category: Literal["HUBSPOT_DEFINED", "INTEGRATOR_DEFINED", "USER_DEFINED", "WORK"]
    association_type_id: int


class _Association(Struct):
    to: _Id
    types: list[_Kind]


class _Create(Struct, rename="camel"):
    properties: dict[str, Any]
    associations: list[_Association] | None = None
    object_write_trace_id: Any = None


class _Change(Struct, rename="camel"):
    id: Any
    properties: dict[str, Any]
    id_property: str | None = None
    object_write_trace_id: Any = None


class _Patch(Struct):
    properties: dict[str, Any]


class _Pair(Struct):
    from_: _Id = field(name="from")
    to: _Id
    types: list[_Kind]


class _Creates(Struct):
    inputs: list[_Create] | None = None


class _Changes(Struct):
    inputs: list[_Change] | None = None


class _Ids(Struct):
    inputs: list[_Id] | None = None


class _Read(Struct, rename="camel"):
    inputs: list[_Id] | None = None
    properties: list[str] | None = None
    properties_with_history: list[str] | None = None
    id_property: str | None = None


class _Pairs(Struct):
    inputs: list[_Pair] | None = None


# Not strict: 507.0 and "507" are integers to HubSpot. A number as a value stays as it was written.
_CREATES = msgspec.json.Decoder(_Creates, strict=False, float_hook=str)
_CHANGES = msgspec.json.Decoder(_Changes, strict=False, float_hook=str)
_CREATE = msgspec.json.Decoder(_Create, strict=False, float_hook=str)
_PATCH = msgspec.json.Decoder(_Patch, strict=False, float_hook=str)
_IDS = msgspec.json.Decoder(_Ids, strict=False, float_hook=str)
_READ = msgspec.json.Decoder(_Read, strict=False, float_hook=str)
_PAIRS = msgspec.json.Decoder(_Pairs, strict=False, float_hook=str)
_ANY = msgspec.json.Decoder(float_hook=str)


class _NotATextError(Exception):
    def __init__(self, path: Path) -> None:
        self.path = path


def read_creates(content: bytes, *, accept_empty: bool = True) -> Sequence[WriteInput] | Refusal:
    """Return the inputs of a create; none where HubSpot ignores the body without an error."""
    body = _decoded(content, _CREATES, _Creates, accept_empty=accept_empty)
    return body if isinstance(body, Refusal) else _converted(content, body.inputs, _create)


def read_changes(content: bytes, *, accept_empty: bool = True) -> Sequence[WriteInput] | Refusal:
    """Return the inputs of an update or an upsert; none where HubSpot ignores the body without an error."""
    body = _decoded(content, _CHANGES, _Changes, accept_empty=accept_empty)
    return body if isinstance(body, Refusal) else _converted(content, body.inputs, _change)


def read_ids(content: bytes, *, accept_empty: bool = True) -> Sequence[str] | Refusal:
    """Return the record ids of an archive."""
    body = _decoded(content, _IDS, _Ids, accept_empty=accept_empty)
    return body if isinstance(body, Refusal) else _converted(content, body.inputs, _id)


def read_reads(content: bytes, *, accept_empty: bool = True) -> ReadRequest | Refusal:
    """Return what a read asks for."""
    body = _decoded(content, _READ, _Read, accept_empty=accept_empty)
    if isinstance(body, Refusal):
        return body
    ids = _converted(content, body.inputs, _id)
    if isinstance(ids, Refusal):
        return ids
    return ReadRequest(
        ids=ids,
        id_property=body.id_property or None,
        properties=body.properties or (),
        history=body.properties_with_history or (),
    )


def read_pairs(
    content: bytes, *, accept_empty: bool = True, most: int = MAX_INPUTS
) -> Sequence[Pair] | Refusal:
    """Return the pairs of records to associate."""
    body = _decoded(content, _PAIRS, _Pairs, accept_empty=accept_empty, most=most)
    return body if isinstance(body, Refusal) else _converted(content, body.inputs, _pair)


def read_create(content: bytes) -> WriteInput | Refusal:
    """Return the record that a single create names."""
    return _single(content, _CREATE, lambda item: _create(item, ()))


def read_patch(content: bytes, record_id: str, id_property: str | None) -> WriteInput | Refusal:
    """Return the change that a single update names.

    Args:
        content: The body.
        record_id: The record in the path, or a value of `id_property`.
        id_property: The unique property; None for the record id.
    """
    return _single(
        content,
        _PATCH,
        lambda item: WriteInput(
            properties=_texts(item.properties, ("properties",)),
            id=record_id,
            id_property=id_property,
            empty=not item.properties,
        ),
    )


def read_body(content: bytes, decoder: msgspec.json.Decoder[Item]) -> Item | Refusal:
    """Return a body that is a single thing, or why it is refused."""
    if not content:
        return _bodies.EMPTY_BODY
    try:
        return decoder.decode(content)
    except msgspec.ValidationError as error:
        return _misfit_of(content, str(error))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return _unreadable(content, error)


def text_of(value: object) -> str:
    """Return a value of a filter as text: numbers and booleans as HubSpot writes them."""
    return _text(value, ())


def _single(
    content: bytes, decoder: msgspec.json.Decoder[Item], convert: Callable[[Item], Input]
) -> Input | Refusal:
    body = read_body(content, decoder)
    if isinstance(body, Refusal):
        return body
    try:
        return convert(body)
    except _NotATextError as error:
        return _misfit(content, error.path, _cannot_be("java.lang.String"))


def _decoded(
    content: bytes,
    decoder: msgspec.json.Decoder[Body],
    empty: Callable[[], Body],
    *,
    accept_empty: bool,
    most: int = MAX_INPUTS,
) -> Body | Refusal:
    """Return a body, checked in HubSpot's order: readable, not too many inputs, of the right form."""
    if not content:
        return _bodies.EMPTY_BODY
    try:
        body = decoder.decode(content)
    except msgspec.ValidationError as error:
        return _misfitting(content, str(error), most) or empty()
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return _unreadable(content, error)
    inputs = body.inputs
    if inputs is not None and not most >= len(inputs) >= (not accept_empty):
        return _bodies.too_many_inputs(most) if inputs else _bodies.NO_INPUTS
    return body


def _converted(
    content: bytes, items: Sequence[Item] | None, convert: Callable[[Item, Path], Input]
) -> Sequence[Input] | Refusal:
    try:
        return [convert(item, ("inputs", index)) for index, item in enumerate(items or ())]
    except _NotATextError as error:
        return _misfit(content, error.path, _cannot_be("java.lang.String"))


def _create(item: _Create, path: Path) -> WriteInput:
    return WriteInput(
        properties=_texts(item.properties, (*path, "properties")),
        links=_links(item.associations, path) if item.associations else (),
        trace_id=_optional(item.object_write_trace_id, (*path, "objectWriteTraceId")),
    )


def _change(item: _Change, path: Path) -> WriteInput:
    return WriteInput(
        properties=_texts(item.properties, (*path, "properties")),
        id=_text(item.id, (*path, "id")),
        id_property=item.id_property,
        trace_id=_optional(item.object_write_trace_id, (*path, "objectWriteTraceId")),
        empty=not item.properties,
    )


def _id(item: _Id, path: Path) -> str:
    return _text(item.id, (*path, "id"))


def _pair(item: _Pair, path: Path) -> Pair:
    target = _text(item.to.id, (*path, "to", "id"))
    links = [Link(kind.association_category, kind.association_type_id, target) for kind in item.types]
    return Pair(_text(item.from_.id, (*path, "from", "id")), target, links)


def _links(associations: Sequence[_Association], path: Path) -> tuple[Link, ...]:
    return tuple(
        Link(kind.association_category, kind.association_type_id, target)
        for index, association in enumerate(associations)
        for target in [_text(association.to.id, (*path, "associations", index, "to", "id"))]
        for kind in association.types
    )


def _texts(properties: Mapping[str, Any], path: Path) -> Mapping[str, str]:
    """Return the values as text, without nulls: they neither set nor clear."""
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
            raise _NotATextError(path)


def _misfitting(content: bytes, complaint: str, most: int) -> Refusal | None:
    """Return why a body is refused that is JSON, but not of the expected form; None where it is ignored."""
    try:
        match _ANY.decode(content):
            case {"inputs": [*inputs]} if len(inputs) > most:
                return _bodies.too_many_inputs(most)
            case list():
                return None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return _unreadable(content, error)
    return _misfit_of(content, complaint)


def _misfit_of(content: bytes, complaint: str) -> Refusal:
    # Text of the request can stand before the place, never after it.
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
