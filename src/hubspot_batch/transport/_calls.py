"""An operation and its inputs as a request, and its reply as a result: the only importer of generated code.

The document supplies method and path, the generated Structs decode the replies. The generated endpoints send
the same requests, which the tests see to, but take longer to import than all else that a first call needs.
Everything here is data and pure functions.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import cache, partial
from types import MappingProxyType
from typing import Any, Generic, TypeVar
from urllib.parse import quote, urlencode

import msgspec
from hubspot_batch_models import structs
from msgspec import UNSET, UnsetType

from hubspot_batch import errors
from hubspot_batch._display import RedactedRepr
from hubspot_batch.contract import _operations as contract
from hubspot_batch.contract._inputs import Batch, prepare
from hubspot_batch.contract._validation import argument_faults
from hubspot_batch.replies import _lenient
from hubspot_batch.replies._matching import (
    RefusedEnds,
    Written,
    match_by_text,
    match_keyed,
    match_written,
    refused_inputs,
    refused_pairs,
    untold_inputs,
    with_last_input,
    without_repetitions,
)
from hubspot_batch.replies._refusals import reasons_in_message
from hubspot_batch.results import (
    AssociatedPair,
    AssociationResult,
    BatchResult,
    ErrorBody,
    PropertyDefinition,
    PropertyOption,
    PropertyVersion,
    Reason,
    Record,
    RecordError,
    RecordWarning,
    Response,
)
from hubspot_batch.transport._retries import may_be_written

_T = TypeVar("_T")
_R = TypeVar("_R")

_HEADERS = {"Content-Type": "application/json"}
_NO_BODY = Batch(inputs=(), content=b"")
_NOTHING: Mapping[str, Any] = MappingProxyType({})
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
# Which records, pairs or properties there are, and which inputs are refused why.
_DECISIVE = frozenset(
    {
        "BatchReply.results",
        "BatchReply.errors",
        "AssociationReply.results",
        "AssociationReply.errors",
        "AssociatedPair.fromObjectId",
        "AssociatedPair.toObjectId",
        "PropertyDefinitions.results",
        "PropertyDefinition.name",
        "PropertyDefinition.hasUniqueValue",
        "PropertyDefinition.options",
        "PropertyOption.value",
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


class Call(RedactedRepr, msgspec.Struct, Generic[_R], frozen=True, kw_only=True):
    """A request as data.

    Attributes:
        operation: The id of the operation.
        method: The HTTP method.
        path: The path below the base URL, with the query.
        headers: The headers of the operation. The token is not among them.
        content: The body; empty where the operation has none.
        resendable: Whether it may be sent again although the batch may have been written.
        writes: Whether it changes anything in HubSpot.
        decode: Makes the result of a reply, or raises `ApiError` or `UnexpectedReplyError`.
    """

    operation: str
    method: str
    path: str
    headers: Mapping[str, str]
    content: bytes
    resendable: bool
    writes: bool
    decode: Callable[[Response], _R]

    def __repr__(self) -> str:
        return f"Call({self.operation}, {len(self.content)} bytes)"


def build_call(
    operation_id: str,
    inputs: Iterable[object] = (),
    *,
    api_version: str,
    unique_property: str | None = None,
    id_property: str | None = None,
    arguments: Mapping[str, object] = _NOTHING,
    beside: Mapping[str, object] = _NOTHING,
) -> Call[Any]:
    """Return the request that an operation and its inputs make.

    Its result is a `BatchResult`, for `create_associations` an `AssociationResult`, and for `list_properties`
    a tuple of `PropertyDefinition`.

    Args:
        operation_id: The id of the operation.
        inputs: What the batch is about; nothing where the operation has no body.
        api_version: The version of the API.
        unique_property: A property by which HubSpot refuses a double.
        id_property: A unique property whose values the inputs have as ids, once for all of them.
        arguments: The parameters of the path and the query, by their names in the document.
        beside: What stands beside the inputs in the body, by its names in the document.

    Raises:
        InvalidInputError: If any input or parameter is not valid.
        ConfigurationError: If there is no such operation, or none whose reply can be read.
    """
    operation = contract.operation(operation_id)
    read = _reader(operation)
    # Before the inputs, which may depend on the object types in the path.
    path = _path(operation, api_version, arguments)
    batch = _NO_BODY
    if operation.request_schema is not None:
        if id_property is not None and "idProperty" in operation.body_keys:
            beside, id_property = {**beside, "idProperty": id_property}, None
        batch = prepare(operation, inputs, unique_property, with_its_property(beside), id_property)
    return _call(operation, read, batch, path, unique_property)


def call_for(
    operation: contract.Operation,
    batch: Batch,
    *,
    api_version: str,
    unique_property: str | None = None,
    looks: bool = False,
    arguments: Mapping[str, object] = _NOTHING,
) -> Call[Any]:
    """Return the request that an operation and a batch make, whose inputs have been checked.

    Args:
        operation: The operation.
        batch: The inputs.
        api_version: The version of the API.
        unique_property: A property by which HubSpot refuses a double.
        looks: Whether the caller looks for the records before it sends a batch again that may have been
            written. Then the call does not do so.
        arguments: The parameters of the path and the query, by their names in the document.

    Raises:
        InvalidInputError: If any parameter is not valid.
        ConfigurationError: If the reply of the operation cannot be read.
    """
    path = _path(operation, api_version, arguments)
    call = _call(operation, _reader(operation), batch, path, unique_property)
    return msgspec.structs.replace(call, resendable=operation.repeatable) if looks else call


def _reader(operation: contract.Operation) -> "_Reader":
    read = _READERS.get(operation.reply_schema or "")
    if read is None:
        raise errors.ConfigurationError(
            f"the reply of {operation.id} cannot be read here; call it through hubspot_batch_api"
        )
    return read


def _call(
    operation: contract.Operation, read: "_Reader", batch: Batch, path: str, unique_property: str | None
) -> Call[Any]:
    return Call(
        operation=operation.id,
        method=operation.method,
        path=path,
        headers=_NOTHING if operation.request_schema is None else _HEADERS,
        content=batch.content,
        resendable=operation.resendable(unique_property),
        writes=operation.writes,
        decode=partial(_decode, operation, batch, unique_property, read),
    )


def passed_on(
    method: str, path: str, headers: Mapping[str, str], content: bytes, *, api_version: str = "v3"
) -> Call[Response]:
    """Return a request of `hubspot_batch_api` as a call, whose result is the reply as it came.

    Its path is that of v3, as the document has it, and becomes that of the API version. It is repeated by the
    rules of its operation. A success that the generated code could not read, as the page of a login, is an
    error.
    """
    operation = contract.operation_at(method, path.partition("?")[0])
    name = method if operation is None else operation.id
    return Call(
        operation=name,
        method=method,
        path=contract.path_in(path, api_version),
        headers=headers,
        content=content,
        resendable=operation is not None and operation.repeatable,
        writes=operation is None or operation.writes,
        decode=partial(_as_it_came, name, operation),
    )


def _as_it_came(name: str, operation: contract.Operation | None, response: Response) -> Response:
    if not 200 <= response.status < 300:  # noqa: PLR2004 - the range of HTTP
        raise refusal(name, response)
    is_empty = operation is not None and response.status in operation.empty_replies
    if not is_empty and not has_object(response):
        raise errors.UnexpectedReplyError(name, response, _problem_of(response))
    return response


def has_object(response: Response) -> bool:
    """Return whether the body of a reply is a JSON object."""
    try:
        return isinstance(msgspec.json.decode(response.content), dict)
    except _UNREADABLE:
        return False


def with_its_property(beside: Mapping[str, object]) -> Mapping[str, object]:
    """Return what stands beside the inputs of a read, and ask for the property that names the records, too.

    Without its value no record of the reply could be told from another.
    """
    match beside:
        case {"idProperty": str(name), "properties": [*names]} if name not in names:
            return {**beside, "properties": [*names, name]}
    return beside


def _path(operation: contract.Operation, api_version: str, arguments: Mapping[str, object]) -> str:
    if not arguments and not operation.path_parameters:
        return operation.path_in(api_version)
    if faults := argument_faults(operation, arguments):
        raise errors.InvalidInputError(faults)
    texts = {name: _text(value) for name, value in arguments.items()}
    path = operation.path_in(api_version).format(
        **{name: quote(texts[name], safe="") for name in operation.path_parameters}
    )
    query = urlencode([(name, texts[name]) for name in operation.query_parameters if name in texts])
    return f"{path}?{query}" if query else path


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


@cache
def _reply_decoder(schema: str) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(getattr(structs, schema))


@cache
def _error_decoder() -> msgspec.json.Decoder[structs.ErrorReply]:
    return msgspec.json.Decoder(structs.ErrorReply)


def _decode(
    operation: contract.Operation,
    batch: Batch,
    unique_property: str | None,
    read: "_Reader",
    response: Response,
) -> Any:  # noqa: ANN401 - what the reader makes of it
    if not 200 <= response.status < 300:  # noqa: PLR2004 - the range of HTTP
        raise refusal(operation.id, response)
    answers_nothing = operation.success in operation.empty_replies and not response.content
    if response.status in operation.empty_replies or answers_nothing:
        return BatchResult(records=(), errors=(), unaccounted=(), response=response)
    # Any success is read as one that may hold errors: HubSpot has changed its success codes overnight
    # (docs/behaviour.md, "Status codes").
    reply = _read(_reply_decoder(operation.reply_schema or ""), response.content, _DECISIVE)
    if reply is None:
        raise errors.UnexpectedReplyError(operation.id, response, _problem_of(response))
    return read(batch, unique_property, reply, response)


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


def _batch_result(
    batch: Batch, unique_property: str | None, reply: structs.BatchReply, response: Response
) -> BatchResult:
    failures = reply.errors or ()
    inputs = _inputs_of(batch)
    if not failures and (certain := _certain_owners(inputs, reply.results, unique_property)) is not None:
        certain_records = tuple(map(_record, certain, reply.results))
        return BatchResult(records=certain_records, errors=(), unaccounted=(), response=response)
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


def _certain_owners(
    inputs: Sequence[Mapping[str, Any]], records: Sequence[structs.Record], unique_property: str | None
) -> Sequence[int] | None:
    """Return the input of each record where one key of each tells that of all; else None."""
    if len({record.id for record in records}) < len(records):
        return None
    first, traces = inputs[0], [record.object_write_trace_id for record in records]
    if "objectWriteTraceId" in first and any(traces):
        return match_keyed([item["objectWriteTraceId"] for item in inputs], traces)
    if "id" in first and not {"idProperty", "properties"} & first.keys():
        return match_keyed([item["id"] for item in inputs], [record.id for record in records])
    if "properties" in first and not any(traces):
        return match_by_text(inputs, [record.properties for record in records], unique_property)
    return None


def _inputs_of(batch: Batch) -> Sequence[Mapping[str, Any]]:
    """Return the inputs, each with the property that names its record, which a read has beside them."""
    if "idProperty" not in batch.beside:
        return batch.inputs
    return [{**item, "idProperty": batch.beside["idProperty"]} for item in batch.inputs]


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
        created=_known(record.new),
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


def _association_result(
    batch: Batch, _unique_property: str | None, reply: structs.AssociationReply, response: Response
) -> AssociationResult:
    failures = reply.errors or ()
    indexes = {(item["from"]["id"], item["to"]["id"]): index for index, item in enumerate(batch.inputs)}
    linked = {(pair.from_object_id, pair.to_object_id): pair for pair in reply.results}
    owners = [indexes.get(ends) for ends in linked]
    refused: Sequence[list[int]] = refused_pairs(indexes, [*map(_refused_ends, failures)], owners)
    refused = with_last_input(len(batch.inputs), owners, refused)
    return AssociationResult(
        pairs=tuple(map(_pair, owners, linked.values())),
        errors=tuple(
            _record_error(index, failure)
            for owned, failure in zip(refused, failures, strict=True)
            for index in (owned or (None,))
        ),
        unaccounted=_unaccounted(len(batch.inputs), owners, refused),
        response=response,
    )


def _refused_ends(failure: structs.BatchError) -> RefusedEnds:
    context, kind = _context(failure.context), _sub_category(failure.sub_category) or ""
    ids = context.get("id", ())
    return RefusedEnds(
        beginnings=context.get("fromObjectId", ids if ".FROM_OBJECT" in kind else ()),
        ends=context.get("toObjectId", ids if ".TO_OBJECT" in kind else ()),
    )


def _pair(index: int | None, pair: structs.AssociatedPair) -> AssociatedPair:
    return AssociatedPair(
        index=index,
        from_id=pair.from_object_id,
        to_id=pair.to_object_id,
        from_type=_known(pair.from_object_type_id),
        to_type=_known(pair.to_object_type_id),
        labels=tuple(pair.labels or ()),
    )


def _definitions(
    _batch: Batch, _unique_property: str | None, reply: structs.PropertyDefinitions, _response: Response
) -> tuple[PropertyDefinition, ...]:
    return tuple(map(_definition, reply.results))


def _definition(definition: structs.PropertyDefinition) -> PropertyDefinition:
    changes = _known(definition.modification_metadata)
    return PropertyDefinition(
        name=definition.name,
        label=definition.label,
        type=definition.type,
        field_type=definition.field_type,
        options=tuple(map(_option, definition.options or ())),
        has_unique_value=bool(definition.has_unique_value),
        read_only=changes is not None and bool(changes.read_only_value),
        calculated=bool(definition.calculated),
        hidden=bool(definition.hidden),
        hubspot_defined=bool(definition.hubspot_defined),
        external_options=bool(definition.external_options),
        archived=bool(definition.archived),
        group_name=_known(definition.group_name),
        description=_known(definition.description),
        referenced_object_type=_known(definition.referenced_object_type),
    )


def _option(option: structs.PropertyOption) -> PropertyOption:
    return PropertyOption(
        value=option.value,
        label=option.label,
        description=_known(option.description),
        display_order=_known(option.display_order),
        hidden=bool(option.hidden),
    )


_Reader = Callable[[Batch, str | None, Any, Response], Any]
# What makes the result of a reply, by the name of its schema.
_READERS: Mapping[str, _Reader] = {
    "BatchReply": _batch_result,
    "AssociationReply": _association_result,
    "PropertyDefinitions": _definitions,
}


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
