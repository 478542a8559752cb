"""The OpenAPI document at run time: its operations, and validators for what it describes."""

import json
import pkgutil
from collections.abc import Mapping
from functools import cache
from typing import Any, Literal, cast, get_args

from jsonschema_rs import Draft202012Validator
from msgspec import Struct, convert

from hubspot_batch.errors import ConfigurationError

ObjectType = Literal["orders", "line_items", "commerce_payments", "carts"]
Verb = Literal["create", "update"]
OperationId = Literal[
    "create_orders",
    "update_orders",
    "create_line_items",
    "create_commerce_payments",
    "create_carts",
]

# To do these twice is to do them once.
_REPEATABLE: frozenset[Verb] = frozenset({"update"})

MAX_INPUTS = 100
"""How many inputs one request takes (docs/behaviour.md, "Batch size")."""


class Operation(Struct, frozen=True, kw_only=True):
    """One operation of the document.

    Attributes:
        id: Its `operationId`.
        verb: What it does to a record.
        object_type: The records that it is about, which is also its tag.
        method: The HTTP method, in capitals.
        path: The path for API version v3.
        success: The documented status of a full success.
        scopes: A token needs one of these.
        request_schema: The name of the schema of the body.
        input_keys: The keys that an input may have.
        empty_replies: The statuses of the replies that have no body.
    """

    id: str
    verb: Verb
    object_type: str
    method: str
    path: str
    success: int
    scopes: tuple[str, ...]
    request_schema: str
    input_keys: frozenset[str]
    empty_replies: frozenset[int] = frozenset()

    def resendable(self, unique_property: str | None) -> bool:
        """Return whether a batch may be sent again that may have been carried out already.

        Args:
            unique_property: The property by which HubSpot refuses a double, if the caller names one.
        """
        return self.verb in _REPEATABLE or unique_property is not None


class Version(Struct, frozen=True, kw_only=True, rename="camel"):
    """What a version of the API does in its own way (docs/behaviour.md, "Versions").

    Attributes:
        path: What the paths of its operations begin with.
        success: The status of a reply without failures.
        partial: The status of a reply with some; None where they stand in the plain reply.
        enforces_forms: Whether the rules of an administrator hold for writes.
    """

    path: str
    success: Mapping[Verb, int]
    partial: int | None = None
    enforces_forms: bool


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
    """Return the operations of the document by their id, in its order.

    Raises:
        ConfigurationError: If one of them begins with no verb that is known.
    """
    return {
        operation["operationId"]: _operation(path, method, operation)
        for path, item in document()["paths"].items()
        for method, operation in item.items()
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


@cache
def versions() -> Mapping[str, Version]:
    """Return the versions that the document knows, the oldest first."""
    return convert(document()["x-versions"], dict[str, Version])


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


def _operation(path: str, method: str, operation: Mapping[str, Any]) -> Operation:
    verb, _, object_type = operation["operationId"].partition("_")
    body = resolve(operation["requestBody"])
    schema = body["content"]["application/json"]["schema"]
    inputs = resolve(resolve(schema)["properties"]["inputs"]["items"])
    statuses = {
        int(status): resolve(reply) for status, reply in operation["responses"].items() if status.isdigit()
    }
    scopes = (scope for entry in operation["security"] for names in entry.values() for scope in names)
    return Operation(
        id=operation["operationId"],
        verb=_known_verb(verb, operation["operationId"]),
        object_type=object_type,
        method=method.upper(),
        path=path,
        success=min(statuses),
        scopes=tuple(dict.fromkeys(scopes)),
        request_schema=schema["$ref"].rpartition("/")[2],
        input_keys=frozenset(inputs["properties"]),
        empty_replies=frozenset(status for status, reply in statuses.items() if "content" not in reply),
    )


def _known_verb(verb: str, operation_id: str) -> Verb:
    known = get_args(Verb)
    if verb not in known:
        raise ConfigurationError(
            f"the operation {operation_id!r} of the document begins with none of {', '.join(known)}; "
            "tell contract.Verb of it"
        )
    return cast("Verb", verb)
