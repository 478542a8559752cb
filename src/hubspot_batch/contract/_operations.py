"""The OpenAPI document at run time: its operations, and validators for what it describes."""

import json
import pkgutil
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from types import MappingProxyType
from typing import Any, Literal, cast

from jsonschema_rs import Draft202012Validator
from msgspec import Struct, convert
from msgspec.structs import replace

from hubspot_batch.errors import ConfigurationError

ObjectType = Literal["orders", "line_items", "commerce_payments", "carts"]
Verb = Literal["create", "read", "update", "upsert", "archive"]
OperationId = Literal[
    "create_orders",
    "read_orders",
    "update_orders",
    "upsert_orders",
    "archive_orders",
    "create_line_items",
    "read_line_items",
    "update_line_items",
    "upsert_line_items",
    "archive_line_items",
    "create_commerce_payments",
    "read_commerce_payments",
    "update_commerce_payments",
    "upsert_commerce_payments",
    "archive_commerce_payments",
    "create_carts",
    "read_carts",
    "update_carts",
    "upsert_carts",
    "archive_carts",
    "list_properties",
    "read_objects",
    "create_associations",
]

MAX_INPUTS = 100
"""How many inputs one request takes (docs/behaviour.md, "Batch size")."""

_METHODS = frozenset({"delete", "get", "head", "options", "patch", "post", "put", "trace"})
_NOTHING: Mapping[str, Any] = MappingProxyType({})


class Operation(Struct, frozen=True, kw_only=True):
    """One operation of the document.

    Attributes:
        id: Its `operationId`.
        verb: What it does, the first word of its id.
        object_type: What it is about, the rest of its id; also its tag.
        method: The HTTP method, in capitals.
        path: The path for API version v3, with the names of its parameters in braces.
        path_parameters: The schemas of the parameters of the path, by name.
        query_parameters: The schemas of the parameters of the query, by name. All can be left out.
        success: The documented status of a full success.
        scopes: A token needs one of these.
        repeatable: Whether to do it twice is to do it once.
        request_schema: The name of the schema of the body; None where there is no body.
        input_keys: The keys that an input may have.
        body_keys: The keys that the body may have beside `inputs`.
        max_inputs: How many inputs one request takes.
        reply_schema: The name of the schema of a success; None where none has a body.
        empty_replies: The statuses of the replies that have no body.
    """

    id: str
    verb: Verb
    object_type: str
    method: str
    path: str
    path_parameters: Mapping[str, Mapping[str, Any]] = _NOTHING
    query_parameters: Mapping[str, Mapping[str, Any]] = _NOTHING
    success: int
    scopes: tuple[str, ...]
    repeatable: bool = False
    request_schema: str | None = None
    input_keys: frozenset[str] = frozenset()
    body_keys: tuple[str, ...] = ()
    max_inputs: int = MAX_INPUTS
    reply_schema: str | None = None
    empty_replies: frozenset[int] = frozenset()

    @property
    def writes(self) -> bool:
        """Whether it changes anything in HubSpot."""
        return self.verb not in {"read", "list"}

    def resendable(self, unique_property: str | None) -> bool:
        """Return whether a batch may be sent again that may have been carried out already.

        Args:
            unique_property: The property by which HubSpot refuses a double, if the caller names one.
        """
        return self.repeatable or unique_property is not None

    def is_at(self, method: str, path: str) -> bool:
        """Return whether a request with this method and path is one of this operation."""
        named, asked = self.path.split("/"), path.split("/")
        return (method, len(asked)) == (self.method, len(named)) and all(
            part != "" if name.startswith("{") else part == name
            for name, part in zip(named, asked, strict=True)
        )

    def choices(self, parameter: str) -> Sequence[str]:
        """Return the values that a parameter of the path takes; none where it takes any."""
        return resolve(self.path_parameters[parameter]).get("enum", ())  # type: ignore[no-any-return]

    def path_in(self, api_version: str) -> str:
        """Return the path in a version of the API; its parameters are still names."""
        return path_in(self.path, api_version)


class Version(Struct, frozen=True, kw_only=True, rename="camel"):
    """What a version of the API does in its own way (docs/behaviour.md, "Versions").

    Attributes:
        paths: What the paths begin with that are about objects, properties and associations.
        success: The status of a reply without failures, for the verbs for which it is not the documented one.
        partial: The status of a reply with some; None where they stand in the plain reply.
        enforces_forms: Whether the rules of an administrator hold for writes.
    """

    paths: Mapping[str, str]
    success: Mapping[str, int] = _NOTHING
    partial: int | None = None
    enforces_forms: bool

    def status_of(self, operation: Operation, *, failed: bool = False) -> int:
        """Return the status of a reply to an operation, with or without failures in it."""
        if failed and self.partial is not None:
            return self.partial
        return self.success.get(operation.verb, operation.success)


@cache
def document() -> dict[str, Any]:
    """Return the document as JSON. It is shared: do not change it."""
    try:
        content = pkgutil.get_data("hubspot_batch_models", "document.json")
    except OSError:
        content = None
    if content is None:
        raise ConfigurationError(
            "the package hubspot_batch_models lacks document.json; install hubspot-batch again"
        )
    return json.loads(content)  # type: ignore[no-any-return]


@cache
def operations() -> Mapping[str, Operation]:
    """Return the operations of the document by their id, in its order."""
    return {
        operation["operationId"]: _operation(path, method, operation, item.get("parameters", ()))
        for path, item in document()["paths"].items()
        for method, operation in item.items()
        if method in _METHODS
    }


def operation(name: str) -> Operation:
    """Return the operation of this id.

    Raises:
        ConfigurationError: If the document has no such operation.
    """
    try:
        return operations()[name]
    except KeyError:
        known = ", ".join(operations())
        raise ConfigurationError(f"there is no operation {name!r}; there are: {known}") from None


def operation_at(method: str, path: str) -> Operation | None:
    """Return the operation of a request, by its path for API version v3; None if there is none."""
    return next((known for known in operations().values() if known.is_at(method, path)), None)


@cache
def versions() -> Mapping[str, Version]:
    """Return the versions that the document knows, the oldest first."""
    known = convert(document()["x-versions"], dict[str, Version])
    return {name: replace(version, paths=_named(version.paths, name)) for name, version in known.items()}


@cache
def version(name: str) -> Version:
    """Return a version of the API. One that the document does not know is as the last that it knows."""
    if name in versions():
        return versions()[name]
    newest = convert([*document()["x-versions"].values()][-1], Version)
    return replace(newest, paths=_named(newest.paths, name))


def _named(paths: Mapping[str, str], name: str) -> Mapping[str, str]:
    """Return templates of paths with the name of the version filled in."""
    return {family: template.format(version=name) for family, template in paths.items()}


@lru_cache
def path_in(path: str, api_version: str) -> str:
    """Return a path for v3 as it is in a version of the API."""
    here, there = versions()["v3"].paths, version(api_version).paths
    for family, beginning in here.items():
        if path.startswith(f"{beginning}/"):
            return there[family] + path.removeprefix(beginning)
    return path


def schema(name: str) -> Mapping[str, Any]:
    """Return a named schema of the document. It is shared: do not change it."""
    return document()["components"]["schemas"][name]  # type: ignore[no-any-return]


def resolve(node: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what a node of the document refers to; the node itself where it is not a reference."""
    if "$ref" not in node:
        return node
    found: Any = document()
    for key in node["$ref"].removeprefix("#/").split("/"):
        found = found[key]
    return found  # type: ignore[no-any-return]


@cache
def validator(schema: str) -> Draft202012Validator:
    """Return a validator for a named schema of the document. It is compiled once."""
    return _compiled(schema, document()["components"]["schemas"])


@cache
def parameter_validator(operation_id: str) -> Draft202012Validator:
    """Return a validator for the parameters of an operation, as one mapping. It is compiled once."""
    known = operation(operation_id)
    return Draft202012Validator(
        {
            "type": "object",
            "properties": {**known.path_parameters, **known.query_parameters},
            "required": [*known.path_parameters],
            "additionalProperties": False,
            "components": document()["components"],
        }
    )


@cache
def quick_validator(schema: str) -> Draft202012Validator:
    """Return a validator that finds valid what `validator` does, in a third of the time.

    jsonschema-rs takes long for `propertyNames`. Where that forbids an empty name only, it is put in other
    words, so the errors would be told in others, too.
    """
    schemas: Mapping[str, Any] = document()["components"]["schemas"]
    return _compiled(schema, {name: _without_property_names(known) for name, known in schemas.items()})


def _compiled(schema: str, schemas: Mapping[str, Any]) -> Draft202012Validator:
    root = {"$ref": f"#/components/schemas/{schema}", "components": {"schemas": schemas}}
    return Draft202012Validator(root)


def _without_property_names(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    names = dict(resolve(schema.get("propertyNames", {})))
    names.pop("description", None)
    if names != {"type": "string", "minLength": 1}:
        return schema
    rest = {key: value for key, value in schema.items() if key != "propertyNames"}
    return {**rest, "properties": {**rest.get("properties", {}), "": False}}


def _operation(
    path: str, method: str, operation: Mapping[str, Any], shared: Sequence[Mapping[str, Any]] = ()
) -> Operation:
    """Return what is known of an operation of any form: one that the facade does not call does no harm."""
    verb, _, object_type = operation["operationId"].partition("_")
    request_schema = _schema_of(operation.get("requestBody", {}))
    body = schema(request_schema).get("properties", {}) if request_schema else {}
    inputs = body.get("inputs", {})
    replies = {status: resolve(reply) for status, reply in operation["responses"].items() if status[0] == "2"}
    statuses = {int(status): reply for status, reply in replies.items() if status.isdigit()}
    scopes = (scope for entry in operation.get("security", ()) for names in entry.values() for scope in names)
    parameters = [resolve(parameter) for parameter in (*shared, *operation.get("parameters", ()))]
    return Operation(
        id=operation["operationId"],
        # One that the facade does not know is text like any other.
        verb=cast("Verb", verb),
        object_type=object_type,
        method=method.upper(),
        path=path,
        path_parameters={one["name"]: one["schema"] for one in parameters if one["in"] == "path"},
        query_parameters={one["name"]: one["schema"] for one in parameters if one["in"] == "query"},
        success=min(statuses, default=200),
        scopes=tuple(dict.fromkeys(scopes)),
        repeatable=operation.get("x-repeatable", False),
        request_schema=request_schema,
        input_keys=frozenset(resolve(inputs.get("items", {})).get("properties", ())),
        body_keys=tuple(key for key in body if key != "inputs"),
        max_inputs=inputs.get("maxItems", MAX_INPUTS),
        reply_schema=next(filter(None, map(_schema_of, replies.values())), None),
        empty_replies=frozenset(status for status, reply in statuses.items() if "content" not in reply),
    )


def _schema_of(body: Mapping[str, Any]) -> str | None:
    """Return the name of the schema of a request or a reply; None where that has no body in JSON."""
    content = resolve(body).get("content", {}).get("application/json", {})
    return content.get("schema", {}).get("$ref", "").rpartition("/")[2] or None
