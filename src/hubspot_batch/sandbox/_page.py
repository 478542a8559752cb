"""The page at `/` of the sandbox, and the JSON that it shows.

The page asks `GET /_sandbox/state` for a `State` once a second, and sends a `FaultChange` to
`POST /_sandbox/faults` when a person moves a switch. Records and requests it reads as any program does
(`_control`). It names no other host.
"""

from collections import Counter
from collections.abc import Sequence
from importlib.resources import files
from typing import Annotated

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import force_setattr

_MULTI_STATUS = 207
_MOST_REASONS = 3

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; "
        "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""What to send with the page."""

Rate = Annotated[float, Meta(ge=0, le=1)]
"""The share of requests that a fault meets, from 0 (none) to 1 (all)."""


class RecordEntry(Struct, frozen=True, kw_only=True, rename="camel"):
    """A record that the sandbox holds.

    Attributes:
        id: The record id.
        name: The value of its name property; None without one.
        associations: How many associations it has.
    """

    id: str
    name: str | None
    associations: int


class ObjectTypeEntry(Struct, frozen=True, kw_only=True, rename="camel"):
    """What is stored of one object type.

    Attributes:
        object_type: Its plural name, `orders` for example.
        count: How many records there are.
        latest: The last few, the newest first.
    """

    object_type: str
    count: int
    latest: Sequence[RecordEntry]


class QuotaState(Struct, frozen=True, kw_only=True, rename="camel"):
    """How much of the quota is used up.

    Attributes:
        limit: How many requests a window allows; None for any number.
        window: The length of the rolling window in seconds.
        used: How many requests the window holds now.
        daily: How many requests a day allows; None for any number.
        daily_used: How many requests the day holds so far.
    """

    limit: int | None
    window: float
    used: int
    daily: int | None
    daily_used: int


class SecondEntry(Struct, frozen=True, kw_only=True, rename="camel"):
    """The requests of one second.

    Attributes:
        second: How many seconds ago it was: 59 to 0, which is the present one.
        admitted: How many requests the quota admitted, with a success or not.
        refused: How many it refused.
    """

    second: int
    admitted: int
    refused: int


class RequestSummary(Struct, frozen=True, kw_only=True, rename="camel"):
    """A request that was answered, or left without an answer by a fault.

    Attributes:
        number: Which one it was, counted from 1.
        at: When it came, in ISO 8601 with a time zone.
        method: The HTTP method.
        path: The path, without the query.
        operation: The `operationId`; None if the request means no operation.
        status: The HTTP status; 0 if no reply was sent.
        inputs: How many inputs it had.
        written: How many of them were written.
        refused: How many of them were neither written nor found.
        fault: The name of the fault that it met, or None.
        milliseconds: How long the answer took.
        reasons: Why it or some of its inputs were refused, the commonest first.
    """

    number: int = 0
    at: str
    method: str
    path: str
    operation: str | None
    status: int
    inputs: int
    written: int
    refused: int
    fault: str | None
    milliseconds: float
    reasons: Sequence[str] = ()


class RequestEntry(RequestSummary, frozen=True, kw_only=True, rename="camel"):
    """A request with all that was said.

    Attributes:
        number: Which one it was, counted from 1.
        at: When it came, in ISO 8601 with a time zone.
        method: The HTTP method.
        path: The path, without the query.
        query: The query, without its question mark.
        operation: The `operationId`; None if the request means no operation.
        body: What the client sent; None where it was so much that it is not kept any more.
        reply: The body of the reply, whether or not the client got it; None as for `body`.
        status: The HTTP status; 0 if no reply was sent.
        inputs: How many inputs it had.
        written: How many of them were written.
        refused: How many of them were neither written nor found.
        fault: The name of the fault that it met, or None.
        milliseconds: How long the answer took.
    """

    query: str = ""
    body: bytes | None = b""
    reply: bytes | None = b""

    def summary(self) -> RequestSummary:
        """Return the same without what was said, but with the reasons for what was refused."""
        if not self.reasons and self.reply:
            # Found out where a person looks, and kept: most requests are never looked at.
            force_setattr(self, "reasons", reasons_of(self.status, self.reply))
        return RequestSummary(**{name: getattr(self, name) for name in RequestSummary.__struct_fields__})


def reasons_of(status: int, reply: bytes) -> Sequence[str]:
    """Return why a request or some of its inputs were refused, the commonest reason first.

    Args:
        status: The status of the reply.
        reply: Its body.
    """
    if status < _MULTI_STATUS:
        return ()
    try:
        body = msgspec.json.decode(reply, type=_Errors)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ()
    messages = [error.message for error in body.errors] if status == _MULTI_STATUS else [body.message]
    counts = Counter(reason for message in messages for reason in _parts(message) if reason)
    return [
        f"{reason} ({number} times)" if number > 1 else reason
        for reason, number in counts.most_common(_MOST_REASONS)
    ]


def _parts(message: str) -> Sequence[str]:
    """Return the reasons that stand in a message, for each property one."""
    _, _, details = message.partition(": [")
    try:
        problems = msgspec.json.decode(f"[{details}", type=list[_Problem])
    except msgspec.DecodeError:
        return (message,)
    return [f"{problem.name}: {problem.message}" for problem in problems]


class _Error(Struct):
    message: str = ""


class _Errors(Struct):
    message: str = ""
    errors: Sequence[_Error] = ()


class _Problem(Struct):
    name: str
    message: str


class FaultState(Struct, frozen=True, kw_only=True, rename="camel"):
    """A fault that the sandbox knows, in force or not.

    Attributes:
        name: `504-after` for example.
        description: What it does, in a sentence.
        rate: The share of requests that meet it; 0 if it is not in force.
    """

    name: str
    description: str
    rate: Rate


class FaultChange(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """What the page sends to set a fault.

    Attributes:
        name: The fault.
        rate: The share of requests that are to meet it; 0 clears it.
    """

    name: str
    rate: Rate


class State(Struct, frozen=True, kw_only=True, rename="camel"):
    """All that the page shows.

    Attributes:
        url: The base URL of the sandbox.
        access_token: A token that it accepts. It opens nothing but the sandbox.
        version: The version of this package.
        up_seconds: How long it has been running.
        records: What is stored, an entry for each object type to be shown.
        quota: How much of the quota is used up.
        per_second: The last 60 seconds.
        requests: The last 50 requests, the newest first.
        faults: All faults that the sandbox knows, in an order that does not change.
    """

    url: str
    access_token: str
    version: str
    up_seconds: float
    records: Sequence[ObjectTypeEntry]
    quota: QuotaState
    per_second: Sequence[SecondEntry]
    requests: Sequence[RequestSummary]
    faults: Sequence[FaultState]


def page() -> str:
    """Return the page, which is the same for every sandbox."""
    return files("hubspot_batch.sandbox").joinpath("page.html").read_text(encoding="utf-8")
