# Generated from hubspot-batch.yaml by `python scripts/regenerate.py`: do not edit.
# datamodel-code-generator==0.89.0, ruff==0.17.6

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NotRequired, TypeAlias, TypedDict


class RecordId(TypedDict):
    """One record to read or to archive."""

    id: str
    """The record id; in a read that names `idProperty`, the record's value of that property."""


PropertyValues: TypeAlias = Mapping["PropertyName", str]
"""
Internal property names and the values to write. Every value is text: numbers in digits with at
most one period, `true` or `false`, dates in ISO 8601, several options joined by `;`. An empty
text clears the property.

"""


PropertyName: TypeAlias = str
"""The internal name of a property."""


TraceId: TypeAlias = str
"""
Any text that no other input of the request carries. It names the input in the `context` of an
error.

"""


class AssociationTarget(TypedDict):
    """The record at an end of an association."""

    id: str
    """The record id."""


AssociationCategory: TypeAlias = Literal[
    "HUBSPOT_DEFINED", "INTEGRATOR_DEFINED", "USER_DEFINED", "WORK"
]
"""Who defined the meaning of an association."""


class BatchReadRequest(TypedDict):
    """The body of every read operation."""

    inputs: Sequence[RecordId]
    """
    The records to read, at most 50 where `propertiesWithHistory` names any. No two may name the same
    record.

    """

    properties: NotRequired[Sequence[PropertyName]]
    """The properties to return, by their internal names. A few of each type where none is named."""

    propertiesWithHistory: NotRequired[Sequence[PropertyName]]
    """The properties to return with the values that they have had."""

    idProperty: NotRequired[str]
    """
    The name of a property whose values are unique, where each `id` is such a value. Leave it out when
    they are record ids.

    """


class BatchArchiveRequest(TypedDict):
    """The body of every archive operation."""

    inputs: Sequence[RecordId]
    """The records to archive. No two may name the same record."""


class UpdateInput(TypedDict):
    """One record to change."""

    id: str
    """The record id, or the record's value of the property that `idProperty` names."""

    idProperty: NotRequired[str]
    """
    The name of a property whose values are unique. Leave it out when `id` is the record id;
    naming `hs_object_id` is refused.

    """

    properties: PropertyValues
    objectWriteTraceId: NotRequired[TraceId]


class UpsertInput(TypedDict):
    """One record to update, or to create where there is none."""

    id: str
    """The record's value of the property that `idProperty` names."""

    idProperty: str
    """The name of a property whose values are unique; not `hs_object_id`."""

    properties: PropertyValues
    objectWriteTraceId: NotRequired[TraceId]


class AssociationType(TypedDict):
    """The meaning of a link, which also fixes its direction."""

    associationCategory: AssociationCategory
    associationTypeId: int
    """The number of the meaning, 507 for order to contact."""


class BatchUpdateRequest(TypedDict):
    """The body of every update operation."""

    inputs: Sequence[UpdateInput]
    """The records to change. No two may name the same record."""


class BatchUpsertRequest(TypedDict):
    """The body of every upsert operation."""

    inputs: Sequence[UpsertInput]
    """The records to update or to create. No two may name the same record."""


AssociationInput = TypedDict(
    "AssociationInput",
    {
        "from": AssociationTarget,
        "to": AssociationTarget,
        "types": Sequence[AssociationType],
    },
)


class Association(TypedDict):
    """A link from the new record to one existing record."""

    to: AssociationTarget
    types: Sequence[AssociationType]
    """What the link means, in one or more ways."""


class BatchAssociationRequest(TypedDict):
    """The body of the operation that links records."""

    inputs: Sequence[AssociationInput]
    """The pairs to link. No pair may occur twice."""


class CreateInput(TypedDict):
    """One record to create."""

    properties: PropertyValues
    associations: NotRequired[Sequence[Association]]
    """The existing records to link the new one with."""

    objectWriteTraceId: NotRequired[TraceId]


class BatchCreateRequest(TypedDict):
    """The body of every create operation."""

    inputs: Sequence[CreateInput]
    """The records to create."""
