"""What a client sends is what the generated endpoints send, byte for byte, for every operation."""

import json
import re
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
from hubspot_batch.contract import _operations as contract
from tests.conftest import case

if TYPE_CHECKING:
    from tests.conftest import Face

ROOT = Path(__file__).parents[2]
DOCUMENT = yaml.safe_load((ROOT / "openapi" / "hubspot-batch.yaml").read_text(encoding="utf-8"))

ROOT_URL = "https://api.hubapi.com"
MOMENT = "2026-09-01T08:15:02Z"
BATCH = {"status": "COMPLETE", "results": [], "startedAt": MOMENT, "completedAt": MOMENT}
PARAMETERS: dict[str, dict[str, Any]] = {
    "list_properties": {
        "objectType": "orders",
        "archived": True,
        "locale": "e n",
        "properties": "a,/\u00e4",
    },
    "read_objects": {"objectType": "contacts", "archived": False},
    "create_associations": {"fromObjectType": "line_items", "toObjectType": "orders"},
}
# Text that one encoder could write otherwise than another.
HARD_TEXT = (
    'Gr\u00fc\u00dfe, "\u5317\u4eac" \\ / \U0001f6d2 <&> \b\f\n\r\t\x00\x1f\x7f\x85\u2028\u2029\ufeff\uffff'
)
# Nor would one with a space in it be the name of a property.
HARD_NAME = re.sub(r"[\s,;]", "", HARD_TEXT)

Input = dict[str, Any]
READS = {"read_orders", "read_line_items", "read_commerce_payments", "read_carts"}
# They have parameters that no method takes, or no method.
THROUGH_CALLS = {"list_properties", "read_objects"}


class Example(NamedTuple):
    """A request example of the document, or one of hard text."""

    operation: str
    name: str
    body: Input

    def __str__(self) -> str:
        return f"{self.operation}-{self.name}"

    @property
    def inputs(self) -> list[Input]:
        """The inputs."""
        inputs: list[Input] = self.body.get("inputs", [])
        return inputs

    @property
    def beside(self) -> Input:
        """What stands beside them."""
        return {key: value for key, value in self.body.items() if key != "inputs"}

    @property
    def arguments(self) -> Input:
        """The parameters of the path and the query."""
        return PARAMETERS.get(self.operation, {})

    @property
    def known(self) -> contract.Operation:
        """The operation."""
        return contract.operation(self.operation)


HARD_INPUTS: dict[str, Input] = {
    "BatchCreateRequest": {"properties": {"hs_order_name": HARD_TEXT, HARD_TEXT: ""}},
    "BatchReadRequest": {"id": HARD_TEXT},
    "BatchUpdateRequest": {"id": HARD_TEXT, "idProperty": HARD_TEXT, "properties": {HARD_TEXT: HARD_TEXT}},
    "BatchUpsertRequest": {"id": HARD_TEXT, "idProperty": HARD_TEXT, "properties": {HARD_TEXT: HARD_TEXT}},
}


def examples() -> Iterator[Example]:
    components = DOCUMENT["components"]
    for path in DOCUMENT["paths"].values():
        ((_, operation),) = path.items()
        name = operation["operationId"]
        if "requestBody" not in operation:
            yield Example(name, "no_body", {})
            continue
        body = components["requestBodies"][operation["requestBody"]["$ref"].rpartition("/")[2]]
        content = body["content"]["application/json"]
        for key, reference in content["examples"].items():
            example = components["examples"][reference["$ref"].rpartition("/")[2]]
            yield Example(name, key, example["value"])
        schema = content["schema"]["$ref"].rpartition("/")[2]
        if schema in HARD_INPUTS:
            hard = HARD_INPUTS[schema] | (
                {} if schema == "BatchReadRequest" else {"objectWriteTraceId": HARD_TEXT}
            )
            beside = {"properties": [HARD_NAME], "idProperty": HARD_NAME} if "Read" in schema else {}
            yield Example(name, "hard_text", {"inputs": [hard], **beside})


EXAMPLES = list(examples())


def model_of(example: Example) -> str:
    """The name of the model of an input."""
    schema = DOCUMENT["components"]["schemas"][example.known.request_schema]
    name: str = schema["properties"]["inputs"]["items"]["$ref"].rpartition("/")[2]
    return name


def attrs_model(example: Example, item: Input) -> Any:  # noqa: ANN401 - one of the generated models
    return getattr(models, model_of(example)).from_dict(item)


def struct(example: Example, item: Input) -> object:
    return msgspec.convert(item, getattr(hubspot_batch_models, model_of(example)))


def in_order_of_the_document(example: Example, item: Input) -> object:
    return attrs_model(example, item).to_dict()


FORMS: list[Callable[[Example, Input], object]] = [in_order_of_the_document, attrs_model, struct]


def completed(example: Example) -> Input:
    """The body with what the facade adds: trace ids where there are none, and both lists to a read."""
    if example.operation in READS:
        named = [example.body["idProperty"]] if "idProperty" in example.body else []
        asked = example.body.get("properties", [])
        return {
            **example.body,
            "properties": [*asked, *(name for name in named if name not in asked)],
            "propertiesWithHistory": example.body.get("propertiesWithHistory", []),
        }
    if "objectWriteTraceId" not in example.known.input_keys:
        return example.body
    traced = [{"objectWriteTraceId": f"input-{index}"} | item for index, item in enumerate(example.inputs)]
    return {**example.body, "inputs": traced}


def snake_case(name: str) -> str:
    return re.sub("([A-Z])", r"_\1", name).lower()


def seen(request: httpx.Request) -> tuple[str, str, dict[str, str], bytes]:
    headers = {name: value for name, value in request.headers.items() if name != "user-agent"}
    return request.method, str(request.url), headers, request.content


def reply_to(operation: str) -> httpx.Response:
    found = contract.operation(operation)
    if found.success in found.empty_replies:
        return httpx.Response(found.success)
    return httpx.Response(found.success, json=BATCH)


def call_endpoint(face: "Face", client: AuthenticatedClient, example: Example) -> None:
    """Call `sync_detailed` or `asyncio_detailed` of the generated endpoint, whichever fits the face."""
    known = example.known
    endpoint = import_module(f"hubspot_batch_api.api.{known.object_type}.{known.id}")
    arguments: dict[str, Any] = {snake_case(n): value for n, value in example.arguments.items()}
    if known.request_schema:
        arguments["body"] = getattr(models, known.request_schema).from_dict(completed(example))
    if face.kind is HubSpot:
        endpoint.sync_detailed(client=client, **arguments)
    else:
        face.finish(endpoint.asyncio_detailed(client=client, **arguments))


def sent_by_endpoint(face: "Face", example: Example) -> httpx.Request:
    """What the generated endpoint sends by itself."""
    wire = face.wire(reply_to(example.operation))
    call_endpoint(
        face,
        AuthenticatedClient(base_url=ROOT_URL, token="token-1", httpx_args={"transport": wire}),
        example,
    )
    (request,) = wire.requests
    return request


def call_method(hub: Any, example: Example, inputs: list[Any]) -> Any:  # noqa: ANN401 - either client
    known, ids = example.known, [item["id"] for item in example.inputs if "id" in item]
    namespace = getattr(hub, known.object_type)
    method = getattr(namespace, f"batch_{known.verb}")
    match known.verb:
        case "read":
            return method(
                ids,
                properties=example.body.get("properties", []),
                history=example.body.get("propertiesWithHistory", []),
                id_property=example.body.get("idProperty"),
            )
        case "archive":
            return method(ids)
        case _ if known.object_type == "associations":
            return method(*example.arguments.values(), inputs)
    return method(inputs)


def sent_by_client(
    face: "Face", example: Example, inputs: list[Any] | None = None, **options: object
) -> httpx.Request:
    """What a client sends: by its method, where it has one that takes all of the example."""
    wire = face.wire(reply_to(example.operation))
    hub = face.connect(wire, **options)
    given = example.inputs if inputs is None else inputs
    if example.operation in THROUGH_CALLS:
        face.call(hub, example.operation, given, arguments=example.arguments, beside=example.beside)
    else:
        face.finish(call_method(hub, example, given))
    (request,) = wire.requests
    return request


def example_of(operation: str) -> Example:
    return next(example for example in EXAMPLES if example.operation == operation)


def test_the_document_has_an_example_for_each_operation() -> None:
    assert {example.operation for example in EXAMPLES if example.name != "hard_text"} == set(
        contract.operations()
    )


@pytest.mark.parametrize("form", FORMS)
def test_sends_what_the_generated_endpoint_sends(
    face: "Face", form: Callable[[Example, Input], object]
) -> None:
    for example in EXAMPLES:
        with case(example):
            inputs = [form(example, item) for item in example.inputs]

            ours = sent_by_client(face, example, inputs)

            assert seen(ours) == seen(sent_by_endpoint(face, example))


@pytest.mark.parametrize("base_url", [ROOT_URL, "https://EXAMPLE.com:443/hub"])
def test_the_generated_client_over_this_one_sends_what_it_sends_by_itself(
    face: "Face", base_url: str
) -> None:
    for example in EXAMPLES:
        with case(example):
            wire = face.wire(reply_to(example.operation))

            call_endpoint(face, face.connect(wire, base_url=base_url).generated, example)

            (ours,), theirs = wire.requests, sent_by_endpoint(face, example)
            assert (ours.method, ours.content) == (theirs.method, theirs.content)
            assert ours.url.raw_path == httpx.URL(base_url).raw_path.rstrip(b"/") + theirs.url.raw_path
            assert ours.headers["Authorization"] == "Bearer token-1"
            assert ours.headers.get("Content-Type") == theirs.headers.get("Content-Type")


@pytest.mark.parametrize("operation", ["list_properties", "read_carts"])
def test_what_is_archived_is_asked_for_as_the_generated_endpoint_does(face: "Face", operation: str) -> None:
    ours, theirs = face.wire(reply_to(operation)), face.wire(reply_to(operation))
    hub = face.connect(ours)
    client = AuthenticatedClient(base_url=ROOT_URL, token="token-1", httpx_args={"transport": theirs})
    arguments: dict[str, Any] = {"object_type": "carts", "archived": True}

    if operation == "list_properties":
        face.finish(hub.carts.properties(archived=True))
    else:
        face.finish(hub.carts.batch_read(["1"], archived=True))
        body = {"inputs": [{"id": "1"}], "properties": [], "propertiesWithHistory": []}
        arguments = {"archived": True, "body": models.BatchReadRequest.from_dict(body)}

    endpoint = import_module(f"hubspot_batch_api.api.{operation.partition('_')[2]}.{operation}")
    if face.kind is HubSpot:
        endpoint.sync_detailed(client=client, **arguments)
    else:
        face.finish(endpoint.asyncio_detailed(client=client, **arguments))
    assert seen(ours.requests[0]) == seen(theirs.requests[0])


def test_plain_dicts_keep_the_order_of_their_keys(face: "Face") -> None:
    for example in EXAMPLES:
        with case(example):
            assert_same_order(face, example)


def assert_same_order(face: "Face", example: Example) -> None:
    ours = sent_by_client(face, example)

    theirs = sent_by_endpoint(face, example)
    traced = {"objectWriteTraceId": ""} if "objectWriteTraceId" in example.known.input_keys else {}
    assert json.loads(ours.content or "{}") == json.loads(theirs.content or "{}")
    assert [list(item) for item in json.loads(ours.content or "{}").get("inputs", [])] == [
        list(item | traced) for item in example.inputs
    ]


def test_method_url_and_headers_are_those_of_the_document(face: "Face") -> None:
    for example in EXAMPLES:
        with case(example):
            assert_of_the_document(face, example)


def assert_of_the_document(face: "Face", example: Example) -> None:
    request = sent_by_client(face, example)

    ((path, item),) = (
        each
        for each in DOCUMENT["paths"].items()
        if next(iter(each[1].values()))["operationId"] == example.operation
    )
    assert request.method.lower() in item
    assert str(request.url.copy_with(query=None)) == ROOT_URL + path.format(**example.arguments)
    in_query = {name: value for name, value in example.arguments.items() if f"{{{name}}}" not in path}
    assert dict(request.url.params) == {
        name: str(value).lower() if isinstance(value, bool) else value for name, value in in_query.items()
    }
    assert request.headers["Authorization"] == "Bearer token-1"
    assert request.headers.get("Content-Type") == ("application/json" if example.body else None)
    assert request.headers.get("Content-Length") == (str(len(request.content)) if example.body else None)


def test_inputs_without_a_trace_id_get_one_by_their_index(face: "Face") -> None:
    inputs = [
        {"properties": {"a": "1"}},
        {"properties": {"a": "2"}, "objectWriteTraceId": "row-2"},
        {"properties": {"a": "3"}},
    ]

    request = sent_by_client(face, example_of("create_carts"), inputs)

    assert json.loads(request.content) == {
        "inputs": [
            {"properties": {"a": "1"}, "objectWriteTraceId": "input-0"},
            {"properties": {"a": "2"}, "objectWriteTraceId": "row-2"},
            {"properties": {"a": "3"}, "objectWriteTraceId": "input-2"},
        ]
    }


def test_a_dated_version_changes_the_path_and_nothing_else(face: "Face") -> None:
    for version in ("2025-09", "2026-03", "2026-09", "2027-03", "2031-09"):
        for operation in contract.operations():
            with case(version, operation):
                example = example_of(operation)

                dated = sent_by_client(face, example, api_version=version)

                plain = sent_by_client(face, example)
                path = str(plain.url).replace("/associations/2026-09/", f"/associations/{version}/")
                for family in ("objects", "properties"):
                    path = path.replace(f"/crm/v3/{family}/", f"/crm/{family}/{version}/")
                assert str(dated.url) == path
                assert dated.method == plain.method
                assert (dated.headers, dated.content) == (plain.headers, plain.content)


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
            request = sent_by_client(face, example_of("create_carts"), base_url=base_url)

            assert str(request.url) == url


def test_the_inputs_are_not_changed(face: "Face") -> None:
    for example in EXAMPLES:
        before = json.dumps([example.body, example.arguments])

        sent_by_client(face, example)

        assert json.dumps([example.body, example.arguments]) == before
