"""What the facade sends is what the generated endpoints send, byte for byte."""

import json
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import httpx
import hubspot_batch_models
import msgspec
import pytest
import yaml
from hubspot_batch_api import AuthenticatedClient, models

from hubspot_batch import HubSpot
from tests.conftest import case

if TYPE_CHECKING:
    from tests.conftest import Face

ROOT = Path(__file__).parents[2]
DOCUMENT = yaml.safe_load((ROOT / "openapi" / "hubspot-batch.yaml").read_text(encoding="utf-8"))

URLS = {
    "create_orders": "https://api.hubapi.com/crm/v3/objects/orders/batch/create",
    "update_orders": "https://api.hubapi.com/crm/v3/objects/orders/batch/update",
    "create_line_items": "https://api.hubapi.com/crm/v3/objects/line_items/batch/create",
    "create_commerce_payments": "https://api.hubapi.com/crm/v3/objects/commerce_payments/batch/create",
    "create_carts": "https://api.hubapi.com/crm/v3/objects/carts/batch/create",
}
REPLY = httpx.Response(201, json={"status": "COMPLETE", "results": [], "startedAt": "", "completedAt": ""})
GENERATED_REPLY = httpx.Response(
    201,
    json={
        "status": "COMPLETE",
        "results": [],
        "startedAt": "2026-09-01T08:15:02Z",
        "completedAt": "2026-09-01T08:15:02Z",
    },
)
# Text that one encoder could write otherwise than another.
HARD_TEXT = (
    'Gr\u00fc\u00dfe, "\u5317\u4eac" \\ / \U0001f6d2 <&> \b\f\n\r\t\x00\x1f\x7f\x85\u2028\u2029\ufeff\uffff'
)

Input = dict[str, Any]


class Example(NamedTuple):
    """A request example of the document."""

    operation: str
    name: str
    inputs: list[Input]

    def __str__(self) -> str:
        return f"{self.operation}-{self.name}"


def examples() -> Iterator[Example]:
    components = DOCUMENT["components"]
    for path in DOCUMENT["paths"].values():
        operation = path["post"]
        body = components["requestBodies"][operation["requestBody"]["$ref"].rpartition("/")[2]]
        for name, reference in body["content"]["application/json"]["examples"].items():
            example = components["examples"][reference["$ref"].rpartition("/")[2]]
            yield Example(operation["operationId"], name, example["value"]["inputs"])
    for operation in URLS:
        record = {"id": HARD_TEXT, "idProperty": "shop_key"} if operation == "update_orders" else {}
        hard: Input = record | {
            "properties": {"hs_order_name": HARD_TEXT, HARD_TEXT: ""},
            "objectWriteTraceId": HARD_TEXT,
        }
        yield Example(operation, "hard_text", [hard])


EXAMPLES = list(examples())


def attrs_model(operation: str, item: Input) -> models.CreateInput | models.UpdateInput:
    return (models.UpdateInput if operation == "update_orders" else models.CreateInput).from_dict(item)


def struct(operation: str, item: Input) -> msgspec.Struct:
    kind = "UpdateInput" if operation == "update_orders" else "CreateInput"
    model: msgspec.Struct = msgspec.convert(item, getattr(hubspot_batch_models, kind))
    return model


def in_order_of_the_document(operation: str, item: Input) -> Input:
    return attrs_model(operation, item).to_dict()


FORMS: list[Callable[[str, Input], object]] = [in_order_of_the_document, attrs_model, struct]


def completed(inputs: list[Input]) -> list[Input]:
    """The inputs with the trace ids that the facade gives to those that have none."""
    return [{"objectWriteTraceId": f"input-{index}"} | item for index, item in enumerate(inputs)]


def seen(request: httpx.Request) -> tuple[str, str, dict[str, str], bytes]:
    headers = {name: value for name, value in request.headers.items() if name != "user-agent"}
    return request.method, str(request.url), headers, request.content


def sent_by_endpoint(face: "Face", example: Example) -> httpx.Request:
    """What `sync_detailed` or `asyncio_detailed` of the generated endpoint sends, whichever fits the face."""
    _, _, object_type = example.operation.partition("_")
    endpoint = import_module(f"hubspot_batch_api.api.{object_type}.{example.operation}")
    kind = models.BatchUpdateRequest if example.operation == "update_orders" else models.BatchCreateRequest
    body = kind.from_dict({"inputs": completed(example.inputs)})
    wire = face.wire(GENERATED_REPLY)
    client = AuthenticatedClient(
        base_url="https://api.hubapi.com", token="token-1", httpx_args={"transport": wire}
    )
    if face.kind is HubSpot:
        endpoint.sync_detailed(client=client, body=body)
    else:
        face.finish(endpoint.asyncio_detailed(client=client, body=body))
    (request,) = wire.requests
    return request


def sent_by_facade(face: "Face", operation: str, inputs: list[Any], **options: object) -> httpx.Request:
    wire = face.wire(REPLY)
    verb, _, object_type = operation.partition("_")
    namespace = getattr(face.connect(wire, **options), object_type)
    face.finish(getattr(namespace, f"batch_{verb}")(inputs))
    (request,) = wire.requests
    return request


def test_the_document_has_an_example_for_each_operation() -> None:
    assert [(example.operation, example.name) for example in EXAMPLES if example.name != "hard_text"] == [
        ("create_orders", "create_orders"),
        ("update_orders", "by_record_id"),
        ("update_orders", "by_unique_property"),
        ("create_line_items", "create_line_items"),
        ("create_commerce_payments", "create_commerce_payments"),
        ("create_carts", "create_carts"),
    ]


@pytest.mark.parametrize("form", FORMS)
def test_sends_what_the_generated_endpoint_sends(face: "Face", form: Callable[[str, Input], object]) -> None:
    for example in EXAMPLES:
        with case(example):
            inputs = [form(example.operation, item) for item in example.inputs]

            ours = sent_by_facade(face, example.operation, inputs)

            assert seen(ours) == seen(sent_by_endpoint(face, example))


def test_plain_dicts_keep_the_order_of_their_keys(face: "Face") -> None:
    for example in EXAMPLES:
        with case(example):
            ours = sent_by_facade(face, example.operation, example.inputs)

            theirs = json.loads(sent_by_endpoint(face, example).content)
            assert json.loads(ours.content) == theirs
            assert [list(item) for item in json.loads(ours.content)["inputs"]] == [
                list(item | {"objectWriteTraceId": ""}) for item in example.inputs
            ]


def test_method_url_and_headers_are_those_of_the_document(face: "Face") -> None:
    for example in EXAMPLES:
        with case(example):
            request = sent_by_facade(face, example.operation, example.inputs)

            assert request.method == "POST"
            assert str(request.url) == URLS[example.operation]
            assert request.headers["Authorization"] == "Bearer token-1"
            assert request.headers["Content-Type"] == "application/json"
            assert request.headers["Content-Length"] == str(len(request.content))


def test_inputs_without_a_trace_id_get_one_by_their_index(face: "Face") -> None:
    inputs = [
        {"properties": {"a": "1"}},
        {"properties": {"a": "2"}, "objectWriteTraceId": "row-2"},
        {"properties": {"a": "3"}},
    ]

    request = sent_by_facade(face, "create_carts", inputs)

    assert json.loads(request.content) == {
        "inputs": [
            {"properties": {"a": "1"}, "objectWriteTraceId": "input-0"},
            {"properties": {"a": "2"}, "objectWriteTraceId": "row-2"},
            {"properties": {"a": "3"}, "objectWriteTraceId": "input-2"},
        ]
    }


def test_a_dated_version_changes_the_path_and_nothing_else(face: "Face") -> None:
    cases: list[tuple[str, str]] = [
        ("create_orders", "orders/batch/create"),
        ("update_orders", "orders/batch/update"),
        ("create_line_items", "line_items/batch/create"),
        ("create_commerce_payments", "commerce_payments/batch/create"),
        ("create_carts", "carts/batch/create"),
    ]
    for version in ("2025-09", "2026-03", "2026-09", "2027-03", "2031-09"):
        for operation, end in cases:
            with case(version, operation, end):
                example = next(example for example in EXAMPLES if example.operation == operation)

                dated = sent_by_facade(face, operation, example.inputs, api_version=version)

                plain = sent_by_facade(face, operation, example.inputs)
                assert str(dated.url) == f"https://api.hubapi.com/crm/objects/{version}/{end}"
                assert (dated.method, dated.headers, dated.content) == (
                    plain.method,
                    plain.headers,
                    plain.content,
                )


def test_requests_go_to_the_base_url(face: "Face") -> None:
    cases: list[tuple[str, str]] = [
        ("https://api.example.com", "https://api.example.com/crm/v3/objects/carts/batch/create"),
        ("https://api.example.com/", "https://api.example.com/crm/v3/objects/carts/batch/create"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080/crm/v3/objects/carts/batch/create"),
        ("http://[::1]:8080", "http://[::1]:8080/crm/v3/objects/carts/batch/create"),
        ("https://example.com/hub/", "https://example.com/hub/crm/v3/objects/carts/batch/create"),
    ]
    for base_url, url in cases:
        with case(base_url, url):
            request = sent_by_facade(face, "create_carts", [{"properties": {}}], base_url=base_url)

            assert str(request.url) == url


def test_the_inputs_are_not_changed(face: "Face") -> None:
    for example in EXAMPLES:
        before = json.dumps(example.inputs)

        sent_by_facade(face, example.operation, example.inputs)

        assert json.dumps(example.inputs) == before
