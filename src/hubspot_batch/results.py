"""The result of a request: records, errors, inputs that the reply does not mention, definitions."""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from hubspot_batch._display import RedactedRepr, printable

__all__ = [
    "AssociatedPair",
    "AssociationResult",
    "BatchResult",
    "ErrorBody",
    "PropertyDefinition",
    "PropertyOption",
    "PropertyVersion",
    "Reason",
    "Record",
    "RecordError",
    "RecordWarning",
    "Response",
]


class Response(RedactedRepr, Struct, frozen=True, kw_only=True):
    """An HTTP reply.

    Attributes:
        status: The status code.
        headers: Header names in lower case, and their values.
        content: The decompressed body.
        seconds: The duration of the attempt.
        attempts: The number of attempts of the call, including this one.
    """

    status: int
    headers: Mapping[str, str]
    content: bytes
    seconds: float = 0.0
    attempts: int = 1

    @property
    def correlation_id(self) -> str | None:
        """The id that HubSpot's support asks for; None if the headers do not have it."""
        return self.headers.get("x-hubspot-correlation-id")

    def __repr__(self) -> str:
        return f"Response(status={self.status}, {len(self.content)} bytes, attempts={self.attempts})"


class Reason(RedactedRepr, Struct, frozen=True, kw_only=True):
    """One problem that HubSpot found in an input.

    Attributes:
        code: The kind of problem, PROPERTY_DOESNT_EXIST for example; None if HubSpot gave no code.
        property: The property; None if the problem is not about a single one.
        message: HubSpot's message. It may repeat the value that was sent.
    """

    code: str | None = None
    property: str | None = None
    message: str | None = None

    def __repr__(self) -> str:
        return f"Reason(code={self.code!r}, property={self.property!r})"

    def __str__(self) -> str:
        """The property and the code, without any value."""
        return printable(": ".join(part for part in (self.property, self.code) if part)) or "no code given"


class RecordWarning(RedactedRepr, Struct, frozen=True, kw_only=True):
    """A warning of HubSpot about a record that it wrote.

    Attributes:
        category: The kind of warning.
        message: HubSpot's message.
        context: Details, by name.
    """

    category: str | None = None
    message: str | None = None
    context: Mapping[str, Sequence[str]] = {}

    def __repr__(self) -> str:
        return f"RecordWarning(category={self.category!r})"


class PropertyVersion(RedactedRepr, Struct, frozen=True, kw_only=True):
    """A past or present value of a property.

    Attributes:
        value: The value; None if the property was empty.
        timestamp: When it was set, in ISO 8601.
        source_type: The kind of source that set it.
        source_id: The id of the source.
        source_label: The name of the source.
        updated_by_user_id: The user who set it.
    """

    value: str | None
    timestamp: str
    source_type: str
    source_id: str | None = None
    source_label: str | None = None
    updated_by_user_id: int | None = None

    def __repr__(self) -> str:
        return f"PropertyVersion(timestamp={self.timestamp!r}, source_type={self.source_type!r})"


class Record(RedactedRepr, Struct, frozen=True, kw_only=True):
    """A record that HubSpot reports as written or found.

    Attributes:
        index: The index of its input; None if it is not certain.
        id: The record id.
        properties: Property names and values as HubSpot stores them: 9 may have become 9.00.
        created_at: When the record was created, in ISO 8601 as received; empty if the reply does not say.
        updated_at: When it was last changed, in the same format.
        archived: Whether it is in the recycle bin.
        created: Whether an upsert created it; None if the reply does not say.
        archived_at: When it was archived.
        url: Its address in the web interface.
        trace_id: The trace id of the input, if HubSpot repeats it.
        history: The history of its properties, if HubSpot sends it.
        warnings: Warnings about the write.
    """

    index: int | None
    id: str
    properties: Mapping[str, str | None]
    created_at: str
    updated_at: str
    archived: bool
    created: bool | None = None
    archived_at: str | None = None
    url: str | None = None
    trace_id: str | None = None
    history: Mapping[str, Sequence[PropertyVersion]] = {}
    warnings: Sequence[RecordWarning] = ()

    def __repr__(self) -> str:
        return f"Record(index={self.index}, id={self.id!r}, {len(self.properties)} properties)"


class RecordError(RedactedRepr, Struct, frozen=True, kw_only=True):
    """Why HubSpot refused an input.

    Attributes:
        index: The index of the input; None if the reply does not say which it is.
        category: The kind of error, VALIDATION_ERROR for example.
        sub_category: A more specific kind.
        message: HubSpot's message. It may repeat values that were sent.
        context: Details, `ids` or `existingId` for example.
        reasons: The single problems, if HubSpot lists them.
    """

    index: int | None
    category: str | None = None
    sub_category: str | None = None
    message: str | None = None
    context: Mapping[str, Sequence[str]] = {}
    reasons: Sequence[Reason] = ()

    def __repr__(self) -> str:
        return f"RecordError(index={self.index}, category={self.category!r}, reasons={list(self.reasons)})"


class ErrorBody(RedactedRepr, Struct, frozen=True, kw_only=True):
    """The body of an error reply. Every field may be absent (docs/behaviour.md, "Error bodies").

    Attributes:
        category: The kind of error; absent on 429.
        sub_category: A more specific kind.
        message: HubSpot's message. It may repeat values that were sent.
        correlation_id: The id that HubSpot's support asks for.
        context: Details, `ids` for example.
        reasons: The single problems. They do not say which input they are about.
        policy: The quota that is used up, TEN_SECONDLY_ROLLING, SECONDLY or DAILY.
    """

    category: str | None = None
    sub_category: str | None = None
    message: str | None = None
    correlation_id: str | None = None
    context: Mapping[str, Sequence[str]] = {}
    reasons: Sequence[Reason] = ()
    policy: str | None = None

    def __repr__(self) -> str:
        return f"ErrorBody(category={self.category!r}, reasons={list(self.reasons)})"


class BatchResult(RedactedRepr, Struct, frozen=True, kw_only=True):
    """The result of one batch.

    Attributes:
        records: The records that HubSpot reports as written or found, in the arbitrary order of the reply. A
            record that the reply repeats is listed once. Empty for an archive: its reply has no body.
        errors: The refused inputs.
        unaccounted: Indexes of inputs that the reply does not mention. If it is uncertain which inputs are
            missing, all candidates are listed.
        response: The reply itself.
    """

    records: Sequence[Record]
    errors: Sequence[RecordError]
    unaccounted: Sequence[int]
    response: Response

    @property
    def ok(self) -> bool:
        """Whether HubSpot refused no input and told of each, or had nothing to tell."""
        return not self.errors and not self.unaccounted

    def __repr__(self) -> str:
        return (
            f"BatchResult({len(self.records)} records, {len(self.errors)} errors, "
            f"{len(self.unaccounted)} unaccounted, status={self.response.status})"
        )


class AssociatedPair(RedactedRepr, Struct, frozen=True, kw_only=True):
    """Two records that HubSpot reports as linked.

    Attributes:
        index: The index of the input, or None where no input names this pair.
        from_id: The id of the record that the link begins at.
        to_id: The id of the record that it leads to.
        from_type: The id of the object type of the first, 0-8 for example, where HubSpot tells.
        to_type: The same of the second.
        labels: The labels that people have given to the link.
    """

    index: int | None
    from_id: str
    to_id: str
    from_type: str | None = None
    to_type: str | None = None
    labels: Sequence[str] = ()

    def __repr__(self) -> str:
        return f"AssociatedPair(index={self.index}, from_id={self.from_id!r}, to_id={self.to_id!r})"


class AssociationResult(RedactedRepr, Struct, frozen=True, kw_only=True):
    """What became of one batch of links.

    Attributes:
        pairs: What HubSpot reports as linked, each pair once.
        errors: What it refused.
        unaccounted: Indexes of inputs that the reply says nothing about. Where it cannot be known which are
            missing, all that come into question are listed.
        response: The reply itself.
    """

    pairs: Sequence[AssociatedPair]
    errors: Sequence[RecordError]
    unaccounted: Sequence[int]
    response: Response

    @property
    def ok(self) -> bool:
        """Whether every pair is linked."""
        return not self.errors and not self.unaccounted

    def __repr__(self) -> str:
        return (
            f"AssociationResult({len(self.pairs)} pairs, {len(self.errors)} errors, "
            f"{len(self.unaccounted)} unaccounted, status={self.response.status})"
        )


class PropertyOption(Struct, frozen=True, kw_only=True):
    """One value that an enumeration takes.

    Attributes:
        value: The value, as requests hold it.
        label: What people see.
        description: What it means.
        display_order: Its place among the others; -1 comes last.
        hidden: Whether people cannot choose it.
    """

    value: str
    label: str
    description: str | None = None
    display_order: int | None = None
    hidden: bool = False


class PropertyDefinition(Struct, frozen=True, kw_only=True):
    """What a property of an object type is. What HubSpot leaves out counts as not so.

    Attributes:
        name: The internal name, as requests hold it.
        label: What people see.
        type: The type of its values: string, number, bool, date, datetime, enumeration or phone_number.
        field_type: How it is shown, text or select for example.
        options: The values that an enumeration takes.
        has_unique_value: Whether no two records may have the same value.
        read_only: Whether its values cannot be written.
        calculated: Whether HubSpot works out its values.
        hidden: Whether people do not see it.
        hubspot_defined: Whether HubSpot has made it, not this account.
        external_options: Whether its options are kept elsewhere, as those of owners are.
        archived: Whether it is archived.
        group_name: The group of properties that it belongs to.
        description: What it is for.
        referenced_object_type: The kind of thing that its values name.
    """

    name: str
    label: str
    type: str
    field_type: str
    options: Sequence[PropertyOption] = ()
    has_unique_value: bool = False
    read_only: bool = False
    calculated: bool = False
    hidden: bool = False
    hubspot_defined: bool = False
    external_options: bool = False
    archived: bool = False
    group_name: str | None = None
    description: str | None = None
    referenced_object_type: str | None = None
