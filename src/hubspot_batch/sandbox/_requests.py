"""The bytes of a request, and the inputs that they hold."""

from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from msgspec import Struct

from hubspot_batch.contract import MAX_INPUTS, validator
from hubspot_batch.sandbox import _bodies
from hubspot_batch.sandbox._bodies import Refusal

if TYPE_CHECKING:
    from jsonschema_rs import ValidationError

_PLACES_SHOWN = 10


class Target(Struct, frozen=True):
    """The record at the other end of an association."""

    id: str


class AssociationType(Struct, frozen=True, rename="camel"):
    """What an association means."""

    association_category: str
    association_type_id: int


class Association(Struct, frozen=True):
    """A link from a new record to one that exists."""

    to: Target
    types: tuple[AssociationType, ...]


class CreateInput(Struct, frozen=True, rename="camel"):
    """One record to create."""

    properties: dict[str, str]
    associations: tuple[Association, ...] = ()
    object_write_trace_id: str | None = None


class UpdateInput(Struct, frozen=True, rename="camel"):
    """One record to change."""

    id: str
    properties: dict[str, str]
    id_property: str | None = None
    object_write_trace_id: str | None = None


class CreateBatch(Struct, frozen=True):
    """The body of a create."""

    inputs: tuple[CreateInput, ...] = ()


class UpdateBatch(Struct, frozen=True):
    """The body of an update."""

    inputs: tuple[UpdateInput, ...] = ()


Batch = TypeVar("Batch", CreateBatch, UpdateBatch)


def read(content: bytes, schema: str, kind: type[Batch]) -> Batch | Refusal:
    """Return what a body holds; no inputs where it is of the silent kind.

    The checks come in HubSpot's order: readable, not too many, of the right form. A body without the key
    `inputs`, and a bare list, is no error (docs/behaviour.md, "Bodies without inputs").
    """
    if not content:
        return _bodies.EMPTY_BODY
    try:
        body: Any = msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _bodies.UNREADABLE_BODY
    match body:
        case {"inputs": [*inputs]} if len(inputs) > MAX_INPUTS:
            return _bodies.TOO_MANY_INPUTS
        case list():
            return kind()
        case dict() if "inputs" not in body:
            return kind()
        case _:
            # Not strictly, for 507.0 is an integer to JSON Schema, and so to the document.
            return _contradiction(body, schema) or msgspec.convert(body, kind, strict=False)


def _contradiction(body: object, schema: str) -> Refusal | None:
    checker = validator(schema)
    if checker.is_valid(body):
        return None
    try:
        places = [_place(error) for error in checker.iter_errors(body)]
    except ValueError:  # nested more deeply than the validator walks
        return _bodies.UNREADABLE_BODY
    return _bodies.contradiction(places[:_PLACES_SHOWN])


def _place(error: "ValidationError") -> str:
    # Never `error.message`: it repeats the value.
    return f"/{'/'.join(map(str, error.instance_path))} ({error.kind.name})"
