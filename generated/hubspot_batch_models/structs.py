# Generated from hubspot-batch.yaml by `python scripts/regenerate.py`: do not edit.
# datamodel-code-generator==0.89.0, ruff==0.17.6

from __future__ import annotations

from typing import Literal, TypeAlias

from msgspec import UNSET, Struct, UnsetType, field


class RecordId(Struct, frozen=True, kw_only=True):
    """One record to read or to archive."""

    id: str
    """The record id; in a read that names `idProperty`, the record's value of that property."""


ObjectType: TypeAlias = Literal[
    "orders",
    "line_items",
    "commerce_payments",
    "carts",
    "contacts",
    "companies",
    "deals",
    "products",
]
"""An object type that this document is about, by the name that stands in paths."""


TargetType: TypeAlias = Literal["contacts", "companies", "deals", "products"]
"""An object type that records are linked with, and that is read only here."""


DataSensitivity: TypeAlias = Literal["highly_sensitive", "non_sensitive", "sensitive"]
"""How sensitive the values of a property are."""


PropertyValues: TypeAlias = dict["PropertyName", str]
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


class AssociationTarget(Struct, frozen=True, kw_only=True):
    """The record at an end of an association."""

    id: str
    """The record id."""


AssociationCategory: TypeAlias = Literal[
    "HUBSPOT_DEFINED", "INTEGRATOR_DEFINED", "USER_DEFINED", "WORK"
]
"""Who defined the meaning of an association."""


KnownBatchStatus: TypeAlias = Literal["CANCELED", "COMPLETE", "PENDING", "PROCESSING"]
"""The values that HubSpot lists."""


RecordProperties: TypeAlias = dict[str, str | None]
"""
Property names and values. Values come back as HubSpot stores them, not as they were sent: 9 may
be 9.00.

"""


class PropertyVersion(Struct, frozen=True, kw_only=True):
    """One value that a property has had."""

    value: str | None
    """The value."""

    timestamp: str
    """When it was set."""

    source_type: str = field(name="sourceType")
    """What kind of thing set it."""

    source_id: str | None | UnsetType = field(name="sourceId", default=UNSET)
    """Which one of that kind."""

    source_label: str | None | UnsetType = field(name="sourceLabel", default=UNSET)
    """The same for people to read."""

    updated_by_user_id: int | None | UnsetType = field(name="updatedByUserId", default=UNSET)
    """The user who set it."""


class PropertyOption(Struct, frozen=True, kw_only=True):
    """One value that an enumeration takes."""

    value: str
    """The internal value, which requests use."""

    label: str
    """The value for people to read."""

    description: str | None | UnsetType = UNSET
    """What it means."""

    display_order: int | None | UnsetType = field(name="displayOrder", default=UNSET)
    """Its place among the others; -1 comes last."""

    hidden: bool | None | UnsetType = UNSET
    """Whether people cannot choose it."""


class ModificationMetadata(Struct, frozen=True, kw_only=True):
    """What of a property cannot be changed. Any field may be absent."""

    archivable: bool | None | UnsetType = UNSET
    """Whether the property can be archived."""

    read_only_definition: bool | None | UnsetType = field(name="readOnlyDefinition", default=UNSET)
    """Whether its definition cannot be changed."""

    read_only_options: bool | None | UnsetType = field(name="readOnlyOptions", default=UNSET)
    """Whether its options cannot be changed."""

    read_only_value: bool | None | UnsetType = field(name="readOnlyValue", default=UNSET)
    """Whether its values cannot be written."""


class AssociatedPair(Struct, frozen=True, kw_only=True):
    """Two records that are linked."""

    from_object_id: str = field(name="fromObjectId")
    """The id of the first record."""

    to_object_id: str = field(name="toObjectId")
    """The id of the second record."""

    from_object_type_id: str | None | UnsetType = field(name="fromObjectTypeId", default=UNSET)
    """The id of the object type of the first record, 0-8 for example."""

    to_object_type_id: str | None | UnsetType = field(name="toObjectTypeId", default=UNSET)
    """The id of the object type of the second record."""

    labels: list[str] | None | UnsetType = UNSET
    """The labels of the link that a person has defined."""


class SubCategoryObject(Struct, frozen=True, kw_only=True):
    """The published form of a finer kind of error. It has no known fields."""


ContextValues: TypeAlias = list[str]
"""Several texts."""


Links: TypeAlias = dict[str, str]
"""Names and addresses of further reading."""


class BatchReadRequest(Struct, frozen=True, kw_only=True):
    """The body of every read operation."""

    inputs: list[RecordId]
    """
    The records to read, at most 50 where `propertiesWithHistory` names any. No two may name the same
    record.

    """

    properties: list[PropertyName] | UnsetType = UNSET
    """The properties to return, by their internal names. A few of each type where none is named."""

    properties_with_history: list[PropertyName] | UnsetType = field(
        name="propertiesWithHistory", default=UNSET
    )
    """The properties to return with the values that they have had."""

    id_property: str | UnsetType = field(name="idProperty", default=UNSET)
    """
    The name of a property whose values are unique, where each `id` is such a value. Leave it out when
    they are record ids.

    """


class BatchArchiveRequest(Struct, frozen=True, kw_only=True):
    """The body of every archive operation."""

    inputs: list[RecordId]
    """The records to archive. No two may name the same record."""


class UpdateInput(Struct, frozen=True, kw_only=True):
    """One record to change."""

    id: str
    """The record id, or the record's value of the property that `idProperty` names."""

    properties: PropertyValues
    id_property: str | UnsetType = field(name="idProperty", default=UNSET)
    """
    The name of a property whose values are unique. Leave it out when `id` is the record id;
    naming `hs_object_id` is refused.

    """

    object_write_trace_id: TraceId | UnsetType = field(name="objectWriteTraceId", default=UNSET)


class UpsertInput(Struct, frozen=True, kw_only=True):
    """One record to update, or to create where there is none."""

    id: str
    """The record's value of the property that `idProperty` names."""

    id_property: str = field(name="idProperty")
    """The name of a property whose values are unique; not `hs_object_id`."""

    properties: PropertyValues
    object_write_trace_id: TraceId | UnsetType = field(name="objectWriteTraceId", default=UNSET)


class AssociationType(Struct, frozen=True, kw_only=True):
    """The meaning of a link, which also fixes its direction."""

    association_category: AssociationCategory = field(name="associationCategory")
    association_type_id: int = field(name="associationTypeId")
    """The number of the meaning, 507 for order to contact."""


BatchStatus: TypeAlias = KnownBatchStatus | str
"""How far the processing of the batch is. Only COMPLETE has been seen."""


PropertyHistory: TypeAlias = list[PropertyVersion]
"""The values that one property has had."""


class PropertyDefinition(Struct, frozen=True, kw_only=True):
    """What a property is. All but its names and types may be absent."""

    name: str
    """The internal name, which requests use."""

    label: str
    """The name for people to read."""

    type: str
    """The type of its values, such as string, number, bool, date, datetime or enumeration."""

    field_type: str = field(name="fieldType")
    """How it is shown in HubSpot, as text, select or checkbox for example."""

    group_name: str | None | UnsetType = field(name="groupName", default=UNSET)
    """The group of properties that it belongs to."""

    description: str | None | UnsetType = UNSET
    """What it is for."""

    options: list[PropertyOption] | None | UnsetType = UNSET
    """The values that an enumeration takes. Empty for other types."""

    display_order: int | None | UnsetType = field(name="displayOrder", default=UNSET)
    """Its place among the others; small numbers come first."""

    has_unique_value: bool | None | UnsetType = field(name="hasUniqueValue", default=UNSET)
    """Whether no two records may have the same value."""

    hidden: bool | None | UnsetType = UNSET
    """Whether people do not see it in HubSpot."""

    hubspot_defined: bool | None | UnsetType = field(name="hubspotDefined", default=UNSET)
    """Whether HubSpot has made it, not this account."""

    calculated: bool | None | UnsetType = UNSET
    """Whether HubSpot works out its values."""

    calculation_formula: str | None | UnsetType = field(name="calculationFormula", default=UNSET)
    """How they are worked out."""

    external_options: bool | None | UnsetType = field(name="externalOptions", default=UNSET)
    """Whether its options are kept elsewhere, as those of owners are."""

    referenced_object_type: str | None | UnsetType = field(
        name="referencedObjectType", default=UNSET
    )
    """The kind of thing that its values name."""

    form_field: bool | None | UnsetType = field(name="formField", default=UNSET)
    """Whether forms can use it."""

    data_sensitivity: str | None | UnsetType = field(name="dataSensitivity", default=UNSET)
    """How sensitive its values are."""

    sensitive_data_categories: list[str] | None | UnsetType = field(
        name="sensitiveDataCategories", default=UNSET
    )
    """What kinds of sensitive data it holds."""

    currency_property_name: str | None | UnsetType = field(
        name="currencyPropertyName", default=UNSET
    )
    """The property that holds the currency of its values."""

    show_currency_symbol: bool | None | UnsetType = field(name="showCurrencySymbol", default=UNSET)
    """Whether they are shown with the symbol of the account's currency."""

    date_display_hint: str | None | UnsetType = field(name="dateDisplayHint", default=UNSET)
    """How dates are shown."""

    number_display_hint: str | None | UnsetType = field(name="numberDisplayHint", default=UNSET)
    """How numbers are shown."""

    text_display_hint: str | None | UnsetType = field(name="textDisplayHint", default=UNSET)
    """How text is shown."""

    modification_metadata: ModificationMetadata | None | UnsetType = field(
        name="modificationMetadata", default=UNSET
    )
    archived: bool | None | UnsetType = UNSET
    """Whether the property is archived."""

    archived_at: str | None | UnsetType = field(name="archivedAt", default=UNSET)
    """When it was archived."""

    created_at: str | None | UnsetType = field(name="createdAt", default=UNSET)
    """When it was created."""

    updated_at: str | None | UnsetType = field(name="updatedAt", default=UNSET)
    """When it was last changed."""

    created_user_id: str | None | UnsetType = field(name="createdUserId", default=UNSET)
    """The user who created it."""

    updated_user_id: str | None | UnsetType = field(name="updatedUserId", default=UNSET)
    """The user who changed it last."""


SubCategory: TypeAlias = str | SubCategoryObject
"""A finer kind of error. A text wherever it was seen; published as an object, too."""


ContextValue: TypeAlias = ContextValues | str | None
"""A list of texts in errors, one text in warnings."""


class BatchUpdateRequest(Struct, frozen=True, kw_only=True):
    """The body of every update operation."""

    inputs: list[UpdateInput]
    """The records to change. No two may name the same record."""


class BatchUpsertRequest(Struct, frozen=True, kw_only=True):
    """The body of every upsert operation."""

    inputs: list[UpsertInput]
    """The records to update or to create. No two may name the same record."""


class AssociationInput(Struct, frozen=True, kw_only=True):
    """One pair of records to link."""

    from_: AssociationTarget = field(name="from")
    to: AssociationTarget
    types: list[AssociationType]
    """What the link means, in one or more ways."""


class Association(Struct, frozen=True, kw_only=True):
    """A link from the new record to one existing record."""

    to: AssociationTarget
    types: list[AssociationType]
    """What the link means, in one or more ways."""


PropertyHistories: TypeAlias = dict[str, PropertyHistory]
"""Property names and the values that each has had."""


class PropertyDefinitions(Struct, frozen=True, kw_only=True):
    """The properties that an object type has."""

    results: list[PropertyDefinition]
    """The definitions, in any order."""


Context: TypeAlias = dict[str, ContextValue]
"""
What the error is about, `objectWriteTraceId`, `ids`, `propertyName` or
`requiredGranularScopes` for example.

"""


class BatchAssociationRequest(Struct, frozen=True, kw_only=True):
    """The body of the operation that links records."""

    inputs: list[AssociationInput]
    """The pairs to link. No pair may occur twice."""


class CreateInput(Struct, frozen=True, kw_only=True):
    """One record to create."""

    properties: PropertyValues
    associations: list[Association] | UnsetType = UNSET
    """The existing records to link the new one with."""

    object_write_trace_id: TraceId | UnsetType = field(name="objectWriteTraceId", default=UNSET)


class RecordWarning(Struct, frozen=True, kw_only=True):
    """A remark on a record that was written."""

    category: str | None | UnsetType = UNSET
    """What kind of remark it is."""

    message: str | None | UnsetType = UNSET
    """The remark for people to read."""

    context: Context | None | UnsetType = UNSET


class ErrorDetail(Struct, frozen=True, kw_only=True):
    """One part of the reason. Any field may be absent."""

    message: str | None | UnsetType = UNSET
    """The part for people to read."""

    code: str | None | UnsetType = UNSET
    """The part for programs to read, PROPERTY_DOESNT_EXIST for example."""

    in_: str | None | UnsetType = field(name="in", default=UNSET)
    """The field or parameter that is at fault."""

    sub_category: SubCategory | None | UnsetType = field(name="subCategory", default=UNSET)
    context: Context | None | UnsetType = UNSET


class BatchCreateRequest(Struct, frozen=True, kw_only=True):
    """The body of every create operation."""

    inputs: list[CreateInput]
    """The records to create."""


class Record(Struct, frozen=True, kw_only=True):
    """A record as it stands, after the write where there was one."""

    id: str
    """The record id."""

    properties: RecordProperties
    created_at: str = field(name="createdAt")
    """When the record was created."""

    updated_at: str = field(name="updatedAt")
    """When it was last changed."""

    archived: bool
    """Whether the record is in the recycle bin."""

    properties_with_history: PropertyHistories | None | UnsetType = field(
        name="propertiesWithHistory", default=UNSET
    )
    new: bool | None | UnsetType = UNSET
    """Whether an upsert has created the record. Other operations do not send it."""

    archived_at: str | None | UnsetType = field(name="archivedAt", default=UNSET)
    """When it was put there."""

    url: str | None | UnsetType = UNSET
    """Where a person can look at the record."""

    object_write_trace_id: str | None | UnsetType = field(name="objectWriteTraceId", default=UNSET)
    """The trace id of the input. Replies have been seen without it."""

    warnings: list[RecordWarning] | None | UnsetType = UNSET
    """What HubSpot wants to say of a write that it accepted."""


class BatchError(Struct, frozen=True, kw_only=True):
    """Why one input, or several, were refused. Any field may be absent."""

    status: str | None | UnsetType = UNSET
    """The text error."""

    id: str | None | UnsetType = UNSET
    """An id of this occurrence."""

    category: str | None | UnsetType = UNSET
    """The kind of error, VALIDATION_ERROR for example."""

    sub_category: SubCategory | None | UnsetType = field(name="subCategory", default=UNSET)
    message: str | None | UnsetType = UNSET
    """
    The reason for people to read. For invalid properties it ends in a JSON list of the faults.

    """

    context: Context | None | UnsetType = UNSET
    errors: list[ErrorDetail] | None | UnsetType = UNSET
    """The reason in parts."""

    links: Links | None | UnsetType = UNSET


class ErrorReply(Struct, frozen=True, kw_only=True):
    """Why a whole request was refused. Any field may be absent."""

    status: str | None | UnsetType = UNSET
    """The text error."""

    category: str | None | UnsetType = UNSET
    """The kind of error. Absent where a quota is used up."""

    sub_category: SubCategory | None | UnsetType = field(name="subCategory", default=UNSET)
    message: str | None | UnsetType = UNSET
    """The reason for people to read."""

    correlation_id: str | None | UnsetType = field(name="correlationId", default=UNSET)
    """The id of this occurrence, to give to HubSpot's support."""

    context: Context | None | UnsetType = UNSET
    errors: list[ErrorDetail] | None | UnsetType = UNSET
    """The reason in parts."""

    links: Links | None | UnsetType = UNSET
    error_type: str | None | UnsetType = field(name="errorType", default=UNSET)
    """RATE_LIMIT where a quota is used up."""

    policy_name: str | None | UnsetType = field(name="policyName", default=UNSET)
    """The quota that is used up, TEN_SECONDLY_ROLLING, SECONDLY or DAILY."""

    group_name: str | None | UnsetType = field(name="groupName", default=UNSET)
    """Who shares that quota."""

    request_id: str | None | UnsetType = field(name="requestId", default=UNSET)
    """Another id of this occurrence."""


class BatchReply(Struct, frozen=True, kw_only=True):
    """The result of a batch."""

    status: BatchStatus
    results: list[Record]
    """The records as written or read, in any order. Empty where every input was refused."""

    started_at: str = field(name="startedAt")
    """When the processing of the batch began."""

    completed_at: str = field(name="completedAt")
    """When it ended."""

    errors: list[BatchError] | None | UnsetType = UNSET
    """Why inputs were refused. Absent or empty where none was."""

    num_errors: int | None | UnsetType = field(name="numErrors", default=UNSET)
    """How many errors there are."""

    requested_at: str | None | UnsetType = field(name="requestedAt", default=UNSET)
    """When the batch was asked for."""

    links: Links | None | UnsetType = UNSET


class AssociationReply(Struct, frozen=True, kw_only=True):
    """The result of a batch of links."""

    status: BatchStatus
    results: list[AssociatedPair]
    """The pairs that are linked, in any order."""

    started_at: str = field(name="startedAt")
    """When the processing of the batch began."""

    completed_at: str = field(name="completedAt")
    """When it ended."""

    errors: list[BatchError] | None | UnsetType = UNSET
    """Why pairs were refused. Absent or empty where none was."""

    num_errors: int | None | UnsetType = field(name="numErrors", default=UNSET)
    """How many errors there are."""

    requested_at: str | None | UnsetType = field(name="requestedAt", default=UNSET)
    """When the batch was asked for."""

    links: Links | None | UnsetType = UNSET
