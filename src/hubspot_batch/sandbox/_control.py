"""Control of a sandbox over HTTP while it runs, for programs in any language.

`OPERATIONS` is the table of what can be done: the paths, the checks of bodies and the document at
`/_sandbox/openapi.json` come from it.
"""

import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, Union

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from hubspot_batch._version import __version__
from hubspot_batch.errors import ConfigurationError
from hubspot_batch.sandbox._accounts import FirstRecords
from hubspot_batch.sandbox._bodies import Json, Refusal
from hubspot_batch.sandbox._options import OptionError, read, read_fields
from hubspot_batch.sandbox._page import FaultChange, RequestEntry, RequestSummary, State
from hubspot_batch.sandbox._seeds import SeedAssociation
from hubspot_batch.sandbox._store import Revision, StoredRecord

if TYPE_CHECKING:
    from hubspot_batch.sandbox._sandbox import Sandbox

PREFIX = "/_sandbox"
_MOST_REQUESTS = 1_000

_ANYTHING: Json = {"description": "A value of a record"}

_OFF = Refusal(
    status=403,
    message="Others can reach this sandbox, so it is not controlled over HTTP; start it with a control key",
)
_NO_KEY = Refusal(
    status=401, message="Send the control key of this sandbox in the header Authorization: Bearer KEY"
)
_FOREIGN = Refusal(status=403, message="A page of another site has sent this request (header Origin)")
_NOT_JSON = Refusal(status=415, message="Send JSON, with its content type")


class Nothing(Struct, frozen=True):
    """The reply of an operation that has nothing to tell.

    Attributes:
        status: Always `ok`.
    """

    status: str = "ok"


class AccountQuery(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Which account is meant.

    Attributes:
        access_token: Its static token; without it, the first account.
    """

    access_token: str | None = None


class RecordsQuery(AccountQuery, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Which records are meant.

    Attributes:
        access_token: The static token of the account; without it, the first account.
        archived: Whether to return the archived records instead of the others.
    """

    archived: bool = False


class RequestsQuery(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Which requests are meant.

    Attributes:
        after: The number of the request that the first one follows.
        limit: How many to return at most.
    """

    after: int = 0
    limit: int = _MOST_REQUESTS


class NewRecords(Struct, frozen=True, kw_only=True, rename="camel"):
    """Records to add.

    Attributes:
        records: By object type: a list of ids, of rows of properties with an `id`, or of inputs with `id`
            and `properties`; or a table of rows by id. A record without an id gets one. `associations` are as
            in an input of a create, with records that are given, too, or exist.
        access_token: The static token of the account; without it, the first account.
    """

    records: FirstRecords
    access_token: str | None = None


class Records(Struct, frozen=True):
    """Records as they are stored, with their associations."""

    results: Sequence[StoredRecord]


class Revisions(Struct, frozen=True):
    """What a record was and is, the oldest first."""

    results: Sequence[Revision]


class Request(RequestSummary, frozen=True, kw_only=True, rename="camel"):
    """A request with all that was said: JSON as it is, anything else as text.

    Attributes:
        query: The query, without its question mark.
        body: What the client sent; null if that was nothing, or is not kept any more.
        reply: The body of the reply, whether or not the client got it.
    """

    query: str
    body: Any
    reply: Any


class Requests(Struct, frozen=True):
    """Requests, the oldest first."""

    results: Sequence[Request]


class Faults(Struct, frozen=True):
    """The faults in force.

    Attributes:
        rates: The share of requests that each fault meets.
        count: How many requests there were.
    """

    rates: Mapping[str, float]
    count: int


class NextFaults(Struct, frozen=True):
    """Faults for the next requests.

    Attributes:
        names: One for each request, `504-after` or `slow=0.5`; null for a request without one.
    """

    names: Sequence[str | None]


class FaultAt(Struct, frozen=True):
    """A fault for one request.

    Attributes:
        number: Which request, counted from 1 since the start or the last reset.
        name: The fault; null for none.
    """

    number: int
    name: str | None


class Time(Struct, frozen=True):
    """The time of the sandbox.

    Attributes:
        now: In ISO 8601.
    """

    now: str


class TimeChange(Struct, frozen=True):
    """A change of the time, which only goes forward.

    Attributes:
        now: The time to set, in ISO 8601.
        advance: Or the seconds to move on.
    """

    now: str | None = None
    advance: float | None = None


class ControlCall(Struct, frozen=True, kw_only=True):
    """A request for an operation: what its path, its query and its body say."""

    path: Mapping[str, str]
    query: Any
    body: Any


_Handler: TypeAlias = Callable[["Sandbox", ControlCall], object]


class ControlOperation(Struct, frozen=True, kw_only=True):
    """Something that can be done with a sandbox while it runs.

    Attributes:
        id: Its `operationId`.
        method: The HTTP method.
        path: The path after the prefix.
        summary: What it does, for people.
        python: The members of `Sandbox` that do the same.
        call: Does it. What it returns becomes the reply.
        query: The parameters of the query.
        body: The JSON body; the options of `Sandbox` if it is `dict`.
        reply: The JSON of the reply.
    """

    id: str
    method: str
    path: str
    summary: str
    python: tuple[str, ...]
    call: _Handler
    query: type[Struct] | None = None
    body: type | None = None
    reply: type[Struct] = Nothing


def _records(box: "Sandbox", call: ControlCall) -> Records:
    query = call.query
    return Records(
        box.records(call.path["objectType"], archived=query.archived, access_token=query.access_token)
    )


def _record(box: "Sandbox", call: ControlCall) -> StoredRecord:
    token = call.query.access_token
    return box.record(call.path["objectType"], call.path["recordId"], access_token=token)


def _history(box: "Sandbox", call: ControlCall) -> Revisions:
    token = call.query.access_token
    return Revisions(box.history(call.path["objectType"], call.path["recordId"], access_token=token))


def _requests(box: "Sandbox", call: ControlCall) -> Requests:
    after, limit = call.query.after, call.query.limit
    found = [_shown(entry) for entry in box.requests if entry.number > after]
    return Requests(found[: max(limit, 0)])


def _shown(entry: RequestEntry) -> Request:
    summary = msgspec.structs.asdict(entry.summary())
    return Request(**summary, query=entry.query, body=_said(entry.body), reply=_said(entry.reply))


def _said(content: bytes | None) -> object:
    if not content:
        return None
    try:
        msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return content.decode(errors="replace")
    return Raw(content)


def _move(box: "Sandbox", change: TimeChange) -> Time:
    if (change.now is None) == (change.advance is None):
        raise ConfigurationError('write either {"now": "2026-09-01T08:00:00Z"} or {"advance": 60}')
    if change.now is not None:
        box.clock.set(change.now)
    else:
        box.clock.advance(change.advance or 0.0)
    return Time(box.clock.moment())


OPERATIONS: Sequence[ControlOperation] = (
    ControlOperation(
        id="reset",
        method="POST",
        path="/reset",
        summary="Begin again, with the options of the start or with others in their place",
        python=("reset",),
        call=lambda box, call: box.reset(**call.body),
        body=dict,
    ),
    ControlOperation(
        id="seed_records",
        method="POST",
        path="/records",
        summary="Add records",
        python=("seed", "add"),
        call=lambda box, call: Records(box.seed(call.body.records, access_token=call.body.access_token)),
        body=NewRecords,
        reply=Records,
    ),
    ControlOperation(
        id="list_records",
        method="GET",
        path="/records/{objectType}",
        summary="Return all records of an object type, with their associations",
        python=("records",),
        call=_records,
        query=RecordsQuery,
        reply=Records,
    ),
    ControlOperation(
        id="get_record",
        method="GET",
        path="/records/{objectType}/{recordId}",
        summary="Return a record, archived or not, with its associations",
        python=("record",),
        call=_record,
        query=AccountQuery,
        reply=StoredRecord,
    ),
    ControlOperation(
        id="get_history",
        method="GET",
        path="/records/{objectType}/{recordId}/history",
        summary="Return what a record was and is",
        python=("history",),
        call=_history,
        query=AccountQuery,
        reply=Revisions,
    ),
    ControlOperation(
        id="list_requests",
        method="GET",
        path="/requests",
        summary="Return the requests of the API, with their bodies and replies",
        python=("requests",),
        call=_requests,
        query=RequestsQuery,
        reply=Requests,
    ),
    ControlOperation(
        id="get_faults",
        method="GET",
        path="/faults",
        summary="Return the rates of faults, and how many requests there were",
        python=("faults.rates", "faults.count"),
        call=lambda box, _: Faults(box.faults.rates, box.faults.count),
        reply=Faults,
    ),
    ControlOperation(
        id="set_fault",
        method="POST",
        path="/faults",
        summary="Let a fault occur at a rate; 0 takes it away",
        python=("faults.set",),
        call=lambda box, call: box.faults.set(call.body.name, call.body.rate),
        body=FaultChange,
    ),
    ControlOperation(
        id="clear_faults",
        method="DELETE",
        path="/faults",
        summary="Let no fault occur any more",
        python=("faults.clear",),
        call=lambda box, _: box.faults.clear(),
    ),
    ControlOperation(
        id="script_faults",
        method="POST",
        path="/faults/next",
        summary="Let the next requests meet faults, one each",
        python=("faults.next",),
        call=lambda box, call: box.faults.next(*call.body.names),
        body=NextFaults,
    ),
    ControlOperation(
        id="script_fault",
        method="POST",
        path="/faults/at",
        summary="Let one request meet a fault",
        python=("faults.at",),
        call=lambda box, call: box.faults.at(call.body.number, call.body.name),
        body=FaultAt,
    ),
    ControlOperation(
        id="get_clock",
        method="GET",
        path="/clock",
        summary="Return the time of the sandbox",
        python=("clock.now",),
        call=lambda box, _: Time(box.clock.moment()),
        reply=Time,
    ),
    ControlOperation(
        id="move_clock",
        method="POST",
        path="/clock",
        summary="Move the time of the sandbox forward",
        python=("clock.set", "clock.advance"),
        call=lambda box, call: _move(box, call.body),
        body=TimeChange,
        reply=Time,
    ),
)


class Control:
    """Control of a sandbox over HTTP.

    Args:
        box: The sandbox.
        options: The annotations of the options that a reset can replace.
        key: The key that requests must have; None if they need none.
        exposed: Whether others can reach the sandbox. Without a key, it is not controlled then.
    """

    def __init__(self, box: "Sandbox", options: Mapping[str, Any], *, key: str | None, exposed: bool) -> None:
        self._box = box
        self._options = options
        self._key = key
        self._exposed = exposed

    def state(self) -> State:
        """Return what the page shows."""
        return self._box._state()  # noqa: SLF001 - the page is a part of the sandbox

    def document(self) -> Json:
        """Return the OpenAPI document of the control."""
        return document(self._options)

    def refusal(self, headers: Mapping[str, str]) -> Refusal | None:
        """Return why a request may not control the sandbox, or None."""
        origin = headers.get("origin")
        if origin is not None and origin.partition("://")[2] != headers.get("host"):
            return _FOREIGN
        if self._key is None:
            return _OFF if self._exposed else None
        given = headers.get("authorization", "").removeprefix("Bearer ")
        same = secrets.compare_digest(given.encode(), self._key.encode())
        return None if same else _NO_KEY

    def run(
        self,
        operation: ControlOperation,
        path: Mapping[str, str],
        query: Mapping[str, str],
        content: bytes,
        content_type: str,
    ) -> bytes | Refusal:
        """Carry out a request, and return the JSON of its reply.

        Args:
            operation: What to do.
            path: The parameters of the path.
            query: The parameters of the query.
            content: The body.
            content_type: Its content type.
        """
        # A page of another site can send a form here, but a form cannot have this content type.
        if content and content_type.partition(";")[0].strip().lower() != "application/json":
            return _NOT_JSON
        try:
            call = ControlCall(
                path=path,
                query=msgspec.convert(query, operation.query or _NoQuery, strict=False),
                body=self._body(operation, content),
            )
            result = operation.call(self._box, call)
        except (ConfigurationError, OptionError, msgspec.DecodeError, UnicodeError, RecursionError) as error:
            return Refusal(status=400, message=str(error), category="VALIDATION_ERROR")
        return msgspec.json.encode(Nothing() if result is None else result)

    def _body(self, operation: ControlOperation, content: bytes) -> Any:  # noqa: ANN401 - of its annotation
        if operation.body is None:
            return None
        if operation.body is dict:
            return read_fields(msgspec.json.decode(content) if content else {}, self._options)
        if not content:
            raise OptionError((), "a JSON body is missing")
        return read(msgspec.json.decode(content), operation.body)


class _NoQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """An operation without parameters in its query."""


def document(options: Mapping[str, Any]) -> Json:
    """Return the OpenAPI document of the control.

    Args:
        options: The annotations of the options that a reset can replace.
    """
    settings = msgspec.defstruct(
        "Options",
        [(name, Union[annotation, UnsetType], UNSET) for name, annotation in options.items()],  # noqa: UP007
        kw_only=True,
        forbid_unknown_fields=True,
        namespace={"__doc__": "The options of `Sandbox` that a reset can replace, spelled as in Python."},
    )
    bodies = [settings if found.body is dict else found.body for found in OPERATIONS if found.body]
    replies = [found.reply for found in OPERATIONS]
    kinds = list(dict.fromkeys([*bodies, *replies, Problem, SeedAssociation]))
    references, components = msgspec.json.schema_components(
        kinds, ref_template="#/components/schemas/{name}", schema_hook=lambda _: _ANYTHING
    )
    schemas = dict(zip(kinds, references, strict=True))
    paths: dict[str, Json] = {}
    for found in OPERATIONS:
        body = settings if found.body is dict else found.body
        paths.setdefault(PREFIX + found.path, {})[found.method.lower()] = {
            "operationId": found.id,
            "summary": found.summary,
            **({"parameters": parameters} if (parameters := _parameters(found)) else {}),
            **(
                {"requestBody": {"required": body is not settings, "content": _json(schemas[body])}}
                if body is not None
                else {}
            ),
            "responses": {
                "200": {"description": "Done", "content": _json(schemas[found.reply])},
                "default": {"description": "Refused, and nothing done", "content": _json(schemas[Problem])},
            },
        }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Control of the sandbox",
            "version": __version__,
            "description": "What a test in any language does with a sandbox of hubspot-batch while it runs.",
        },
        "security": [{}, {"controlKey": []}],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"controlKey": {"type": "http", "scheme": "bearer"}},
        },
    }


class Problem(Struct, frozen=True):
    """Why a request is refused.

    Attributes:
        message: The reason and the remedy, for people.
    """

    message: str


def _parameters(operation: ControlOperation) -> list[Json]:
    names = [part.strip("{}") for part in operation.path.split("/") if part.startswith("{")]
    in_path: list[Json] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names
    ]
    if operation.query is None:
        return in_path
    fields = msgspec.json.schema_components([operation.query])[1][operation.query.__name__]["properties"]
    return in_path + [{"name": name, "in": "query", "schema": schema} for name, schema in fields.items()]


def _json(schema: Json) -> Json:
    return {"application/json": {"schema": schema}}
