"""What the facade reads is what the generated models read, for every reply example of the document."""

import itertools
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import attrs
import httpx
import hubspot_batch_models as structs
import msgspec
import pytest
import yaml
from hubspot_batch_api import models
from hubspot_batch_api.types import Unset

from hubspot_batch import ApiError, ServerError
from hubspot_batch.contract import _operations as contract
from hubspot_batch.results import AssociationResult, PropertyDefinition
from tests.conftest import case

if TYPE_CHECKING:
    from tests.conftest import Face

ROOT = Path(__file__).parents[2]
DOCUMENT = yaml.safe_load((ROOT / "openapi" / "hubspot-batch.yaml").read_text(encoding="utf-8"))
COMPONENTS = DOCUMENT["components"]

# Under which status each example of the default reply is met.
STATUSES = {
    "invalid_properties": 400,
    "duplicate_ids": 400,
    "unreadable_body": 400,
    "expired_token": 401,
    "missing_scopes": 403,
    "conflict": 409,
}
ARGUMENTS = {
    "list_properties": {"objectType": "orders"},
    "read_objects": {"objectType": "contacts"},
    "create_associations": {"fromObjectType": "line_items", "toObjectType": "orders"},
}
# One operation for each way to reply, and the create of each type, whose examples differ.
OPERATIONS = [
    *("create_orders", "read_orders", "update_orders", "upsert_orders", "archive_orders"),
    *("create_line_items", "create_commerce_payments", "create_carts"),
    *("list_properties", "create_associations"),
]


def bodies() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the first request example of each operation."""
    for item in DOCUMENT["paths"].values():
        (operation,) = item.values()
        if "requestBody" in operation:
            body = COMPONENTS["requestBodies"][operation["requestBody"]["$ref"].rpartition("/")[2]]
            first = next(iter(body["content"]["application/json"]["examples"].values()))
            yield operation["operationId"], COMPONENTS["examples"][first["$ref"].rpartition("/")[2]]["value"]


BODIES = dict(bodies())

TIMES = {"created_at", "updated_at", "archived_at", "timestamp", "started_at", "completed_at"}
IN_MESSAGE = "Property values were not valid: "

Fields = dict[str, Any]
Reader = Callable[["Example"], Fields]


class Example(NamedTuple):
    """A reply example of the document, under a status that it fits."""

    operation: str
    name: str
    status: int
    body: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.operation}-{self.status}-{self.name}"


def examples() -> Iterator[Example]:
    for path in DOCUMENT["paths"].values():
        (operation,) = path.values()
        name = operation["operationId"]
        if name not in OPERATIONS:
            continue
        for key, reference in operation["responses"].items():
            response = COMPONENTS["responses"][reference["$ref"].rpartition("/")[2]]
            for example in response.get("content", {}).get("application/json", {"examples": {}})["examples"]:
                # The examples of a create are those of all types.
                if name.startswith("create_") and example in BODIES_OF_CREATES - {name.partition("_")[2]}:
                    continue
                node = response["content"]["application/json"]["examples"][example]
                body = COMPONENTS["examples"][node["$ref"].rpartition("/")[2]]["value"]
                for status in statuses_of(key, example):
                    yield Example(name, example, status, body)


BODIES_OF_CREATES = {"orders", "line_items", "commerce_payments", "carts"}


def statuses_of(key: str, name: str) -> list[int]:
    if key == "default":
        return [STATUSES[name]]
    return [200, 202, 299] if key == "2XX" else [int(key)]


EXAMPLES = list(examples())
SUCCESSES = [example for example in EXAMPLES if example.status < 300]
OF_RECORDS = [example for example in SUCCESSES if "results" in example.body and "status" in example.body]
OF_RECORDS = [example for example in OF_RECORDS if example.operation != "create_associations"]
REFUSALS = [example for example in EXAMPLES if example.status >= 300]


def result_of(face: "Face", example: Example) -> Any:  # noqa: ANN401 - what the operation has for a result
    hub = face.connect(face.wire(httpx.Response(example.status, json=example.body)), retries=0)
    return send(face, hub, example.operation)


def send(face: "Face", hub: Any, operation: str) -> Any:  # noqa: ANN401 - a client, and what it returns
    body = dict(BODIES.get(operation, {"inputs": ()}))
    inputs = body.pop("inputs")
    return face.call(hub, operation, inputs, beside=body, arguments=ARGUMENTS.get(operation, {}))


def error_of(face: "Face", example: Example) -> ApiError:
    with pytest.raises(ApiError) as caught:
        result_of(face, example)
    return caught.value


def plain(value: object, name: str = "") -> object:
    """A value without what is particular to its model; what is unset is None, a time is a datetime."""
    if isinstance(value, Unset) or value is msgspec.UNSET:
        return None
    if isinstance(value, models.SubCategoryObject | structs.SubCategoryObject):
        return None  # it has no fields, so there is nothing to tell
    if isinstance(value, str) and name in TIMES:
        return datetime.fromisoformat(value)
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    fields = fields_of(value)
    return value if fields is None else {key: plain(item, key) for key, item in fields.items()}


def fields_of(value: object) -> Mapping[str, object] | None:
    if isinstance(value, msgspec.Struct):
        return msgspec.structs.asdict(value)
    if attrs.has(type(value)):
        fields = attrs.asdict(cast("attrs.AttrsInstance", value), recurse=False)
        extra: dict[str, object] = fields.pop("additional_properties")
        return fields | extra
    return value if isinstance(value, dict) else None


def schema_of(example: Example) -> str:
    """The name of the schema of a reply."""
    if example.status >= 300:
        return "ErrorReply"
    return contract.operation(example.operation).reply_schema or ""


def read_by_attrs(example: Example) -> Fields:
    fields: Any = plain(getattr(models, schema_of(example)).from_dict(example.body))
    return dict(fields)


def read_by_msgspec(example: Example) -> Fields:
    kind = getattr(structs, schema_of(example))
    fields: Any = plain(msgspec.json.decode(json.dumps(example.body), type=kind))
    return dict(fields)


each_reader = pytest.mark.parametrize("read", [read_by_attrs, read_by_msgspec])


def record_of(read: Fields) -> Fields:
    """A generated record under the names of the facade. A field that it has no name for stays over."""
    left = dict(read)
    return {
        "trace_id": left.pop("object_write_trace_id"),
        "created": left.pop("new"),
        "history": left.pop("properties_with_history") or {},
        "warnings": [
            warning | {"context": context_of(warning["context"])} for warning in left.pop("warnings") or []
        ],
    } | left


def record_error_of(read: Fields) -> Fields:
    """A generated item of `errors` under the names of the facade, which drops three fields."""
    left = dict(read)
    for name in ("status", "id", "links"):
        left.pop(name)
    return {
        "context": context_of(left.pop("context")),
        "reasons": reasons_of(left.pop("errors"), left["message"]),
    } | left


def error_body_of(read: Fields) -> Fields:
    """A generated body of a refusal under the names of the facade, which drops five fields."""
    left = dict(read)
    for name in ("status", "links", "error_type", "group_name", "request_id"):
        left.pop(name)
    details = left.pop("errors")
    scopes = [scope for detail in details or [] for scope in scopes_of(detail)]
    context = context_of(left.pop("context"))
    return {
        "context": context | ({"requiredGranularScopes": scopes} if scopes else {}),
        "reasons": reasons_of(details, left["message"]),
        "policy": left.pop("policy_name"),
    } | left


def context_of(read: Fields | None) -> Fields:
    return {name: [value] if isinstance(value, str) else value for name, value in (read or {}).items()}


def scopes_of(detail: Fields) -> Sequence[str]:
    scopes: Sequence[str] = (detail["context"] or {}).get("requiredGranularScopes", [])
    return scopes


def reasons_of(details: list[Fields] | None, message: str) -> list[Fields]:
    coded = [detail for detail in details or [] if detail["code"] is not None]
    if coded:
        return [
            {
                "code": detail["code"],
                "property": (detail["context"] or {}).get("propertyName", [detail["in_"]])[0],
                "message": detail["message"],
            }
            for detail in coded
        ]
    return [
        {"code": fault["error"], "property": fault["name"], "message": fault["message"]}
        for fault in json.loads(message.partition(IN_MESSAGE)[2] or "[]")
    ]


def without_index(items: Sequence[msgspec.Struct]) -> list[Fields]:
    return [{k: v for k, v in plain_fields(item).items() if k != "index"} for item in items]


def plain_fields(item: object) -> Fields:
    fields: Any = plain(item)
    return dict(fields)


def test_each_operation_has_an_example_of_every_status() -> None:
    refusals = {429, *STATUSES.values()}
    for operation in OPERATIONS:
        known = contract.operation(operation)
        success = {known.success} - known.empty_replies
        partly = {207} if operation not in {"archive_orders", "list_properties"} else set()
        assert {example.status for example in EXAMPLES if example.operation == operation} == {
            *({200, 202, 299} | success | partly | refusals)
        }


@each_reader
def test_records_are_those_of_the_generated_models(face: "Face", read: Reader) -> None:
    found = {str(each): without_index(result_of(face, each).records) for each in OF_RECORDS}

    assert found == {
        str(each): [record_of(record) for record in read(each)["results"]] for each in OF_RECORDS
    }


@each_reader
def test_errors_are_those_of_the_generated_models(face: "Face", read: Reader) -> None:
    for example in (each for each in SUCCESSES if each.operation != "list_properties"):
        result = result_of(face, example)

        told = {msgspec.json.encode(item): item for item in without_index(result.errors)}
        assert list(told.values()) == [record_error_of(item) for item in read(example)["errors"] or []]


@each_reader
def test_links_are_those_of_the_generated_models(face: "Face", read: Reader) -> None:
    for example in (e for e in SUCCESSES if e.operation == "create_associations"):
        result: AssociationResult = result_of(face, example)

        assert without_index(result.pairs) == [
            {
                "from_id": pair["from_object_id"],
                "to_id": pair["to_object_id"],
                "from_type": pair["from_object_type_id"],
                "to_type": pair["to_object_type_id"],
                "labels": pair["labels"] or [],
            }
            for pair in read(example)["results"]
        ]
        assert {0, 1} == {
            *(pair.index for pair in result.pairs),
            *(error.index for error in result.errors),
            *result.unaccounted,
        }


@each_reader
def test_definitions_are_those_of_the_generated_models(face: "Face", read: Reader) -> None:
    for example in (e for e in SUCCESSES if e.operation == "list_properties"):
        found: tuple[PropertyDefinition, ...] = result_of(face, example)

        assert [plain(each) for each in found] == [definition_of(each) for each in read(example)["results"]]


def definition_of(read: Fields) -> Fields:
    """A generated definition under the names of the facade, for which what is absent is not so."""
    same = ("name", "label", "type", "field_type", "group_name", "description", "referenced_object_type")
    read = {name.rstrip("_"): value for name, value in read.items()}  # `type_`, for one
    flags = (
        *("has_unique_value", "calculated", "hidden", "hubspot_defined", "external_options"),
        "archived",
    )
    return {
        **{name: read[name] for name in same},
        **{name: bool(read[name]) for name in flags},
        "options": [option | {"hidden": bool(option["hidden"])} for option in read["options"] or []],
        "read_only": bool((read["modification_metadata"] or {}).get("read_only_value")),
    }


@each_reader
def test_refusals_are_those_of_the_generated_models(face: "Face", read: Reader) -> None:
    for example in REFUSALS:
        error = error_of(face, example)

        assert {
            "category": error.category,
            "sub_category": error.sub_category,
            "message": error.message,
            "correlation_id": error.correlation_id,
            "context": plain(error.context),
            "reasons": plain(error.reasons),
            "policy": error.policy,
        } == error_body_of(read(example))


def test_the_reply_is_kept_as_it_came(face: "Face") -> None:
    for example in (each for each in EXAMPLES if each.status >= 300 or each.operation != "list_properties"):
        response = (result_of if example.status < 300 else error_of)(face, example).response

        assert response.status == example.status
        assert json.loads(response.content) == example.body
        assert response.headers["content-type"] == "application/json"
        assert response.attempts == 1


def test_records_and_errors_are_tied_to_their_inputs(face: "Face") -> None:
    # The operation, the example and its status; then the records, the inputs refused and those left over.
    cases: dict[tuple[str, str, int], tuple[list[tuple[int, str]], list[int], tuple[int, ...]]] = {
        ("create_orders", "orders", 201): ([(1, "44002"), (0, "44001")], [], ()),
        ("update_orders", "orders", 200): ([(0, "44001")], [], ()),
        ("create_line_items", "line_items", 201): ([(0, "71001")], [], ()),
        ("create_commerce_payments", "commerce_payments", 201): ([(0, "82001")], [], ()),
        ("create_carts", "carts", 201): ([(0, "93001")], [], ()),
        ("read_orders", "records", 200): ([(1, "44002"), (0, "44001")], [], ()),
        ("read_orders", "record_not_found", 207): ([(0, "44001")], [1], ()),
        ("upsert_orders", "records", 200): ([(1, "44005"), (0, "44001")], [], ()),
        ("create_orders", "invalid_property", 207): ([(0, "44003")], [1], ()),
        ("create_orders", "nothing_written", 207): ([], [0], (1,)),
    }
    for key, (records, refused, unaccounted) in cases.items():
        with case(*key):
            (example,) = (e for e in EXAMPLES if (e.operation, e.name, e.status) == key)

            result = result_of(face, example)

            assert [(record.index, record.id) for record in result.records] == records
            assert [error.index for error in result.errors] == refused
            assert result.unaccounted == unaccounted
            assert result.ok is not bool(refused)


def test_ids_that_are_not_found_are_tied_to_the_updates_that_name_them(face: "Face") -> None:
    body = COMPONENTS["examples"]["RecordNotFoundReply"]["value"]
    hub = face.connect(face.wire(httpx.Response(207, json=body)))

    result = face.update(hub, [{"id": record, "properties": {"a": "b"}} for record in ("2", "44001", 1)])

    assert [(record.index, record.id) for record in result.records] == [(1, "44001")]
    assert [error.index for error in result.errors] == [2, 0]
    assert result.unaccounted == ()


def test_what_the_generated_client_cannot_read_is_an_error_of_ours(face: "Face") -> None:
    bodies = (b"<html>busy</html>", b"", b"[]", b"null", b"\xff")
    for status, body, operation in itertools.product((477, 520, 999), bodies, OPERATIONS):
        hub = face.connect(face.wire(httpx.Response(status, content=body)), retries=0)
        with case(status, body, operation):
            with pytest.raises(ServerError if status >= 500 else ApiError) as caught:
                send(face, hub, operation)

            assert (caught.value.status, caught.value.response.content) == (status, body)
            assert (caught.value.message, caught.value.reasons, caught.value.context) == (None, (), {})
