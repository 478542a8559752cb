"""A Python client that OpenAPI Generator makes of the document: it compiles, and carries the examples.

`nox -s generators` installs the generator, which needs Java. What it does in its own way:

- A field that may be null and is absent from a reply is written as null. The document allows that.
- A moment is written with other digits.
- A key that a request does not know is dropped, and names of properties are not looked at. The document
  forbids both; the generator makes nothing of `additionalProperties: false` and of `propertyNames`.
- A 204 is documented without a body, and read as a 2XX all the same, which has one: that fails. An archive
  has to be called by the method that leaves the body alone.
- mypy has to be spared union-attr: the generated code reads a value of a map twice, the first time to see
  whether it is null, and mypy does not connect the two.
"""

import importlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from itertools import zip_longest
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import jsonschema_rs
import pytest

from hubspot_batch.contract import _operations as contract
from hubspot_batch.sandbox import Sandbox

if TYPE_CHECKING:
    from tests.generators.conftest import Example

GENERATOR = shutil.which("openapi-generator-cli")
if GENERATOR is None and os.environ.get("NOX_CURRENT_SESSION") != "generators":
    pytest.skip("`nox -s generators` installs the generator", allow_module_level=True)

PACKAGE = "foreign_client"
MOMENTS = {"startedAt", "completedAt", "requestedAt", "createdAt", "updatedAt", "archivedAt", "timestamp"}

KINDS = ["orders", "line_items", "commerce_payments", "carts"]
# The request examples in an order in which they succeed, and how many records each reply has.
REQUESTS = {
    "CreateOrdersRequest": ("create_orders", 2),
    "UpdateOrdersByRecordIdRequest": ("update_orders", 1),
    "UpdateOrdersByUniquePropertyRequest": ("update_orders", 1),
    "CreateLineItemsRequest": ("create_line_items", 1),
    "UpdateLineItemsByRecordIdRequest": ("update_line_items", 1),
    "CreateCommercePaymentsRequest": ("create_commerce_payments", 1),
    "UpdateCommercePaymentsByRecordIdRequest": ("update_commerce_payments", 1),
    "CreateCartsRequest": ("create_carts", 1),
    "UpdateCartsByRecordIdRequest": ("update_carts", 1),
    "UpsertOrdersRequest": ("upsert_orders", 2),
    "UpsertCommercePaymentsRequest": ("upsert_commerce_payments", 1),
    "UpsertCartsRequest": ("upsert_carts", 1),
    "ReadByRecordIdRequest": ("read_orders", 1),
    "ReadByUniquePropertyRequest": ("read_orders", 0),
    "ReadWithHistoryRequest": ("read_orders", 1),
    "CreateAssociationsRequest": ("create_associations", 2),
}
ENDS = ("line_items", "orders")

Body = dict[str, Any]
Generated = Any


@pytest.fixture(scope="module")
def folder(path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Generate the client and return the folder that holds its package."""
    assert GENERATOR
    folder = tmp_path_factory.mktemp("python")
    command = [GENERATOR, "generate", "--generator-name=python", f"--input-spec={path}"]
    command += [f"--output={folder}", f"--package-name={PACKAGE}"]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="module")
def client(folder: Path) -> Iterator[ModuleType]:
    sys.path.insert(0, str(folder))
    yield importlib.import_module(PACKAGE)
    sys.path.remove(str(folder))


def run(*arguments: str, cwd: Path) -> None:
    done = subprocess.run(
        [sys.executable, *arguments], cwd=cwd, capture_output=True, encoding="utf-8", timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_it_compiles(folder: Path) -> None:
    run("-W", "error", "-m", "compileall", "-q", "-f", PACKAGE, cwd=folder)


def test_each_of_its_modules_can_be_imported(folder: Path) -> None:
    files = (folder / PACKAGE).rglob("*.py")
    names = [".".join(path.relative_to(folder).with_suffix("").parts) for path in files]
    modules = [name.removesuffix(".__init__") for name in names]

    assert len(modules) > 20
    run("-W", "error", "-c", f"import {', '.join(modules)}", cwd=folder)


def test_its_types_fit_each_other(folder: Path) -> None:
    run("-m", "mypy", "--disable-error-code=union-attr", PACKAGE, cwd=folder)


def as_written(body: object, example: object, name: str = "") -> object:
    """Return a body without the nulls that its example lacks, and with the moments of its example."""
    if isinstance(body, dict) and isinstance(example, dict):
        kept = {key: child for key, child in body.items() if child is not None or key in example}
        return {key: as_written(child, example.get(key), key) for key, child in kept.items()}
    if isinstance(body, list) and isinstance(example, list):
        return [as_written(*pair) for pair in zip_longest(body, example)]
    if name in MOMENTS and isinstance(body, str) and isinstance(example, str):
        same = datetime.fromisoformat(body) == datetime.fromisoformat(example)
        return example if same else body
    return body


def test_an_example_comes_back_as_it_was(client: ModuleType, document: Body, example: "Example") -> None:
    model = getattr(client, example.schema).from_json(json.dumps(example.body))
    body = json.loads(model.to_json())

    # Nothing is added to a request.
    expected = body if example.schema.endswith("Request") else as_written(body, example.body)
    assert expected == example.body
    jsonschema_rs.validate({**document, "$ref": f"#/components/schemas/{example.schema}"}, body)


def inputs(**changes: object) -> Body:
    return {"inputs": [{"properties": {"hs_order_name": "A-1001"}} | changes]}


def linked(category: str, number: int) -> Body:
    types = [{"associationCategory": category, "associationTypeId": number}]
    return inputs(associations=[{"to": {"id": "301"}, "types": types}])


WRONG: dict[str, tuple[str, Body]] = {
    "no inputs": ("BatchCreateRequest", {"inputs": []}),
    "101 inputs": ("BatchCreateRequest", {"inputs": inputs()["inputs"] * 101}),
    "inputs absent": ("BatchCreateRequest", {}),
    "number as a value": ("BatchCreateRequest", inputs(properties={"hs_total_price": 9})),
    "null as a value": ("BatchCreateRequest", inputs(properties={"hs_total_price": None})),
    "properties absent": ("BatchCreateRequest", {"inputs": [{}]}),
    "empty trace id": ("BatchCreateRequest", inputs(objectWriteTraceId="")),
    "unknown category of an association": ("BatchCreateRequest", linked("OURS", 507)),
    "association type 0": ("BatchCreateRequest", linked("WORK", 0)),
    "id absent": ("BatchUpdateRequest", inputs()),
    "results absent": ("BatchReply", {"status": "COMPLETE"}),
    "text for a boolean": (
        "Record",
        {"id": "1", "properties": {}, "createdAt": 0, "updatedAt": 0, "archived": "no"},
    ),
}


@pytest.mark.parametrize(("schema", "body"), WRONG.values(), ids=WRONG)
def test_what_the_document_does_not_allow_is_no_model(client: ModuleType, schema: str, body: Body) -> None:
    with pytest.raises(ValueError, match="validation error"):
        getattr(client, schema).from_json(json.dumps(body))


@pytest.fixture
def api(client: ModuleType, box: Sandbox) -> Iterator[Generated]:
    options = client.Configuration(host=box.url, access_token=box.access_token)
    with client.ApiClient(options) as api:
        yield api
        api.rest_client.pool_manager.clear()


def call(client: ModuleType, api: Generated, operation: str, body: Body) -> Generated:
    known = contract.operation(operation)
    owner = getattr(client, f"{known.object_type.title().replace('_', '')}Api")(api)
    kind = getattr(client, known.request_schema or "")
    ends = ENDS if known.path_parameters else ()
    return getattr(owner, f"{operation}_with_http_info")(*ends, kind.from_dict(body))


def test_it_goes_through_the_family(
    client: ModuleType,
    api: Generated,
    box: Sandbox,
    examples: "dict[str, Example]",
) -> None:
    numbered = inputs(properties={"hs_order_name": "A-1002", "shop_order_number": "shop-1002"})
    assert call(client, api, "create_orders", numbered).status_code == 201

    for name, (operation, count) in REQUESTS.items():
        reply = call(client, api, operation, examples[name].body)
        complete = count == len(examples[name].body["inputs"])
        assert reply.status_code == (contract.operation(operation).success if complete else 207)
        assert reply.data.status.to_dict() == "COMPLETE"
        assert len(reply.data.results) == count
        if operation == "upsert_orders":
            assert [record.new for record in reply.data.results] == [True, True]

    stored = {kind: [record.properties for record in box.records(kind)] for kind in KINDS}
    assert {kind: len(records) for kind, records in stored.items()} == {
        "orders": 6,
        "line_items": 3,
        "commerce_payments": 3,
        "carts": 3,
    }
    listed = client.PropertiesApi(api).list_properties_with_http_info("orders")
    assert {definition.name for definition in listed.data.results} >= {"hs_order_name", "shop_number"}
    body = client.BatchArchiveRequest.from_dict(examples["ArchiveRecordsRequest"].body)
    archive = client.OrdersApi(api).archive_orders_without_preload_content(body)
    assert (archive.status, archive.data, len(box.records("orders"))) == (204, b"", 5)
    assert stored["orders"][0]["hs_shipping_tracking_number"] == "TRACK-77"
    assert stored["orders"][1]["hs_fulfillment_status"] == "Shipped"


def test_a_207_is_a_reply_like_others(client: ModuleType, api: Generated) -> None:
    good, bad = (
        inputs(objectWriteTraceId="row-1"),
        inputs(objectWriteTraceId="row-2", properties={"colour": "red"}),
    )

    reply = call(client, api, "create_orders", {"inputs": [*good["inputs"], *bad["inputs"]]})

    assert (reply.status_code, reply.data.num_errors, len(reply.data.results)) == (207, 1, 1)
    assert reply.data.errors[0].context["objectWriteTraceId"].to_dict() == ["row-2"]


def test_a_refusal_is_an_exception_with_a_body(client: ModuleType, api: Generated) -> None:
    with pytest.raises(client.exceptions.BadRequestException) as caught:
        call(client, api, "create_orders", inputs(properties={"colour": "red"}))

    assert caught.value.data.category == "VALIDATION_ERROR"


def test_an_undocumented_success_is_read_alike(client: ModuleType) -> None:
    with Sandbox(quota="none", faults={"200": 1.0}) as box:
        options = client.Configuration(host=box.url, access_token=box.access_token)
        with client.ApiClient(options) as api:
            reply = call(client, api, "create_orders", inputs())

    assert (reply.status_code, len(reply.data.results)) == (200, 1)
