"""What comes back from one batch: records, errors, and the inputs that the reply says nothing about."""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from hubspot_batch._display import RedactedRepr, printable

__all__ = [
    "BatchResult",
    "ErrorBody",
    "PropertyVersion",
    "Reason",
    "Record",
    "RecordError",
    "RecordWarning",
    "Response",
]


class Response(RedactedRepr, Struct, frozen=True, kw_only=True):
    """One HTTP reply, as it was received.

    Attributes:
        status: The status code.
        headers: Header names in lower case, and their values.
        content: The body, decompressed.
        seconds: How long the attempt took that brought this reply.
        attempts: How many attempts the call has taken, this one included.
    """

    status: int
    headers: Mapping[str, str]
    content: bytes
    seconds: float = 0.0
    attempts: int = 1

    @property
    def correlation_id(self) -> str | None:
        """What HubSpot's support asks for, where the headers tell it."""
        return self.headers.get("x-hubspot-correlation-id")

    def __repr__(self) -> str:
        return f"Response(status={self.status}, {len(self.content)} bytes, attempts={self.attempts})"


class Reason(RedactedRepr, Struct, frozen=True, kw_only=True):
    """One fault that HubSpot found in an input.

    Attributes:
        code: What is wrong, PROPERTY_DOESNT_EXIST for example; None where HubSpot gave no code.
        property: The property that is at fault; None where it is not about one.
        message: HubSpot's own words. They may repeat the value that was sent.
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
    """A remark of HubSpot on a record that it wrote.

    Attributes:
        category: What kind of remark it is.
        message: HubSpot's own words.
        context: What it is about.
    """

    category: str | None = None
    message: str | None = None
    context: Mapping[str, Sequence[str]] = {}

    def __repr__(self) -> str:
        return f"RecordWarning(category={self.category!r})"


class PropertyVersion(RedactedRepr, Struct, frozen=True, kw_only=True):
    """One value that a property has had.

    Attributes:
        value: The value; None where the property was empty.
        timestamp: When it was set, in ISO 8601.
        source_type: What kind of thing set it.
        source_id: Which one of that kind.
        source_label: The same for people to read.
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
    """A record that HubSpot reports as written.

    Attributes:
        index: The index of its input, or None where that cannot be known for certain.
        id: The record id.
        properties: Property names and values as HubSpot stores them: 9 may have become 9.00.
        created_at: When the record was created, in ISO 8601 as sent; empty where the reply does not tell.
        updated_at: When it was last changed, in the same form.
        archived: Whether it is in the recycle bin.
        archived_at: When it was put there.
        url: Where a person can look at it.
        trace_id: The trace id of the input, where HubSpot repeats it.
        history: The values that properties have had, where HubSpot tells.
        warnings: Remarks on the write.
    """

    index: int | None
    id: str
    properties: Mapping[str, str | None]
    created_at: str
    updated_at: str
    archived: bool
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
        index: The index of the input, or None where the reply does not say which it is.
        category: The kind of error, VALIDATION_ERROR for example.
        sub_category: A finer kind.
        message: HubSpot's own words. They may repeat values that were sent.
        context: What the error is about, `ids` or `existingId` for example.
        reasons: The single faults, where HubSpot lists them.
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
    """What the body of a refusal says. Every field may be absent (docs/behaviour.md, "Error bodies").

    Attributes:
        category: The kind of error; absent on 429.
        sub_category: A finer kind.
        message: HubSpot's own words. They may repeat values that were sent.
        correlation_id: What HubSpot's support asks for.
        context: What the error is about, `ids` for example.
        reasons: The single faults. They do not say which input they are about.
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
    """What became of one batch.

    Attributes:
        records: What HubSpot reports as written, in the order of the reply, which is no particular one. Each
            record once, also where the reply repeats it: it belongs to one input.
        errors: What it refused.
        unaccounted: Indexes of inputs that the reply says nothing about. Where the reply holds fewer items
            than inputs and it cannot be known which are missing, all that come into question are listed.
        response: The reply itself.
    """

    records: Sequence[Record]
    errors: Sequence[RecordError]
    unaccounted: Sequence[int]
    response: Response

    @property
    def ok(self) -> bool:
        """Whether every input was written."""
        return not self.errors and not self.unaccounted

    def __repr__(self) -> str:
        return (
            f"BatchResult({len(self.records)} records, {len(self.errors)} errors, "
            f"{len(self.unaccounted)} unaccounted, status={self.response.status})"
        )
