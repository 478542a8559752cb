"""An operation and its inputs as a request, and its reply as a result: the only importer of generated code.

The document supplies method and path, the generated Structs decode the replies. The generated endpoints send
the same requests, which the tests see to, but take longer to import than all else that a first call needs.
Everything here is data and pure functions.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import cache, partial
from typing import Any, TypeVar

import msgspec
from hubspot_batch_models import structs
from msgspec import UNSET, UnsetType

from hubspot_batch import errors
from hubspot_batch._display import RedactedRepr
from hubspot_batch.contract import _operations as contract
from hubspot_batch.contract._inputs import Batch, prepare
from hubspot_batch.replies import _lenient
from hubspot_batch.replies._matching import (
    Written,
    match_written,
    refused_inputs,
    untold_inputs,
    with_last_input,
    without_repetitions,
)
from hubspot_batch.replies._refusals import reasons_in_message
from hubspot_batch.results import (
    BatchResult,
    ErrorBody,
    PropertyVersion,
    Reason,
    Record,
    RecordError,
    RecordWarning,
    Response,
)
from hubspot_batch.transport._retries import may_be_written

_T = TypeVar("_T")

_HEADERS = {"Content-Type": "application/json"}
_SCOPES = "requiredGranularScopes"
_ERRORS: Mapping[int, type[errors.ApiError]] = {
    400: errors.BadRequestError,
    401: errors.AuthenticationError,
    403: errors.PermissionDeniedError,
    404: errors.NotFoundError,
    409: errors.ConflictError,
    429: errors.RateLimitError,
}
_UNREADABLE = (msgspec.DecodeError, *_lenient.UNREADABLE)
# Which records there are, and which inputs are refused why.
_DECISIVE = frozenset(
    {
        "BatchReply.results",
        "BatchReply.errors",
        "Record.id",
        "BatchError.category",
        "BatchError.context",
        "BatchError.errors",
        "ErrorDetail.code",
        "ErrorDetail.context",
        "objectWriteTraceId",
        "ids",
        "existingId",
    }
)


class Call(RedactedRepr, msgspec.Struct, frozen=True, kw_only=True):
    """A request as data.

    Attributes:
        operation: The id of the operation.
        method: The HTTP method.
        path: The path below the base URL.
        headers: The headers of the operation. The token is not among them.
        content: The body.
        resendable: Whether it may be sent again although the batch may have been written.
        decode: Makes the result of a reply, or raises `ApiError` or `UnexpectedReplyError`.
    """

    operation: str
    method: str
    path: str
    headers: Mapping[str, str]
    content: bytes
    resendable: bool
    decode: Callable[[Response], BatchResult]

    def __repr__(self) -> str:
        return f"Call({self.operation}, {len(self.content)} bytes)"


def build_call(
    operation_id: str,
    inputs: Iterable[object],
    *,
    api_version: str,
    unique_property: str | None = None,
) -> Call:
    """Return the request that an operation and its inputs make.

    Raises:
        InvalidInputError: If any input is not valid.
    """
    operation = contract.operation(operation_id)
    batch = prepare(operation, inputs, unique_property)
    return call_for(operation, batch, api_version=api_version, unique_property=unique_property)


def call_for(
    operation: contract.Operation, batch: Batch, *, api_version: str, unique_property: str | None = None
) -> Call:
    """Return the request that an operation and a batch make, whose inputs have been checked."""
    return Call(
        operation=operation.id,
        method=operation.method,
        path=_versioned(operation.path, api_version),
        headers=_HEADERS,
        content=batch.content,
        resendable=operation.resendable(unique_property),
        decode=partial(_decode, operation, batch, unique_property),
    )


def _versioned(path: str, api_version: str) -> str:
    if api_version == "v3":
        return path
    return path.replace("/crm/v3/objects/", f"/crm/objects/{api_version}/", 1)


@cache
def _reply_decoder() -> msgspec.json.Decoder[structs.BatchReply]:
    return msgspec.json.Decoder(structs.BatchReply)


@cache
def _error_decoder() -> msgspec.json.Decoder[structs.ErrorReply]:
    return msgspec.json.Decoder(structs.ErrorReply)


def _decode(
    operation: contract.Operation, batch: Batch, unique_property: str | None, response: Response
) -> BatchResult:
    if not 200 <= response.status < 300:  # noqa: PLR2004 - the range of HTTP
        raise refusal(operation.id, response)
    if response.status in operation.empty_replies:
        return BatchResult(records=(), errors=(), unaccounted=(), response=response)
    # Any success is read as one that may hold errors: HubSpot has changed its success codes overnight
    # (docs/behaviour.md, "Status codes").
    reply = _read(_reply_decoder(), response.content, _DECISIVE)
    if reply is None:
        raise errors.UnexpectedReplyError(operation.id, response, _problem_of(response))
    return _result(batch.inputs, unique_property, reply, response)


def _problem_of(response: Response) -> str:
    if not response.content:
        return "there is no body"
    if errors.is_web_page(response):
        return "the body is a web page, of a proxy or a login perhaps; check base_url and the proxy"
    return "the body is not what the document describes"


def _read(decoder: msgspec.json.Decoder[_T], content: bytes, decisive: AbstractSet[str]) -> _T | None:
    """Return what the document describes, as strictly as is needed; None where that cannot be read."""
    # The exceptions may repeat what stands in the reply, so none is raised further.
    try:
        return decoder.decode(content)
    except _UNREADABLE:
        pass
    try:
        return _lenient.read(content, decoder.type, decisive)
    except _UNREADABLE:
        return None


def _result(
    inputs: Sequence[Mapping[str, Any]],
    unique_property: str | None,
    reply: structs.BatchReply,
    response: Response,
) -> BatchResult:
    failures = reply.errors or ()
    refused: Sequence[list[int]] = refused_inputs(inputs, [_context(failure.context) for failure in failures])
    told = {index for indexes in refused for index in indexes}
    records: Sequence[structs.Record] = reply.results
    written: Sequence[Written] = [
        Written(record.id, record.object_write_trace_id or None, record.properties) for record in records
    ]
    if len({record.id for record in written}) < len(written):
        written = without_repetitions(written)
        records = [next(record for record in records if record.id == id_) for id_, _, _ in written]
    owners = match_written(inputs, written, told, unique_property)
    if failures:
        refused = with_last_input(len(inputs), owners, refused)
    return BatchResult(
        records=tuple(map(_record, owners, records)),
        errors=tuple(
            _record_error(index, failure)
            for indexes, failure in zip(refused, failures, strict=True)
            for index in (indexes or (None,))
        ),
        unaccounted=_unaccounted(len(inputs), owners, refused),
        response=response,
    )


def _unaccounted(
    count: int, owners: Sequence[int | None], refused: Sequence[Sequence[int]]
) -> tuple[int, ...]:
    untold = untold_inputs(count, owners, refused)
    # Items that name no input account for as many inputs, whichever they are.
    nameless = owners.count(None) + sum(not indexes for indexes in refused)
    return tuple(untold) if len(untold) > nameless else ()


def _record(index: int | None, record: structs.Record) -> Record:
    histories, warnings = record.properties_with_history, record.warnings
    return Record(
        index=index,
        id=record.id,
        properties=record.properties,
        created_at=record.created_at,
        updated_at=record.updated_at,
        archived=record.archived,
        archived_at=record.archived_at or None,
        url=record.url or None,
        trace_id=record.object_write_trace_id or None,
        history=_histories(histories) if histories else {},
        warnings=tuple(map(_warning, warnings)) if warnings else (),
    )


def _record_error(index: int | None, failure: structs.BatchError) -> RecordError:
    message = _known(failure.message)
    return RecordError(
        index=index,
        category=_known(failure.category),
        sub_category=_sub_category(failure.sub_category),
        message=message,
        context=_context(failure.context),
        reasons=_reasons(failure.errors, message),
    )


def refusal(operation_id: str, response: Response) -> errors.ApiError:
    """Return the error for a reply that is not a success."""
    default = errors.ServerError if response.status >= 500 else errors.ApiError  # noqa: PLR2004
    kind = _ERRORS.get(response.status, default)
    error = kind(operation_id, response, _error_body(response.content))
    error.maybe_written = may_be_written(response.status)
    return error


def _error_body(content: bytes) -> ErrorBody:
    """Return what the body of a refusal says; nothing where it is the page of a gateway."""
    reply = _read(_error_decoder(), content, frozenset())
    if reply is None:
        return ErrorBody()
    message = _known(reply.message)
    details = _known(reply.errors) or ()
    context = _context(reply.context)
    # HubSpot names missing scopes in either place (docs/behaviour.md, "Error bodies").
    if scopes := [scope for detail in details for scope in _context(detail.context).get(_SCOPES, ())]:
        context[_SCOPES] = scopes
    return ErrorBody(
        category=_known(reply.category) or _other_category(reply),
        sub_category=_sub_category(reply.sub_category),
        message=message,
        correlation_id=_known(reply.correlation_id),
        context=context,
        reasons=_reasons(reply.errors, message),
        policy=_known(reply.policy_name),
    )


def _other_category(reply: structs.ErrorReply) -> str | None:
    """Return the kind of error where it stands in another field (docs/behaviour.md, "Taken values")."""
    error_type = _known(reply.error_type)
    return None if error_type == "RATE_LIMIT" else error_type


def _reasons(
    details: Sequence[structs.ErrorDetail] | UnsetType | None, message: str | None
) -> Sequence[Reason]:
    """Return the faults from the list of details, or from the message where there is no list."""
    listed = [_reason(detail) for detail in _known(details) or ()]
    return tuple(reason for reason in listed if reason.code) or tuple(reasons_in_message(message))


def _reason(detail: structs.ErrorDetail) -> Reason:
    names = _context(detail.context).get("propertyName")
    return Reason(
        code=_known(detail.code),
        property=names[0] if names else _known(detail.in_),
        message=_known(detail.message),
    )


def _context(context: structs.Context | UnsetType | None) -> dict[str, Sequence[str]]:
    """Return a context with a list of texts for each key."""
    return {
        key: (value,) if isinstance(value, str) else tuple(value or ())
        for key, value in (context or {}).items()
    }


def _histories(
    histories: structs.PropertyHistories,
) -> Mapping[str, Sequence[PropertyVersion]]:
    return {
        name: tuple(
            PropertyVersion(
                value=version.value,
                timestamp=version.timestamp,
                source_type=version.source_type,
                source_id=_known(version.source_id),
                source_label=_known(version.source_label),
                updated_by_user_id=_known(version.updated_by_user_id),
            )
            for version in versions
        )
        for name, versions in histories.items()
    }


def _warning(warning: structs.RecordWarning) -> RecordWarning:
    return RecordWarning(
        category=_known(warning.category),
        message=_known(warning.message),
        context=_context(warning.context),
    )


def _sub_category(value: structs.SubCategory | UnsetType | None) -> str | None:
    return value if isinstance(value, str) else None


def _known(value: _T | UnsetType | None) -> _T | None:
    """Return a field of a reply, None where HubSpot left it out."""
    return None if value is UNSET else value
