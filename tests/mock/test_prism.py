"""Both clients against Prism, which answers from the document alone and refuses what that does not allow.

`nox -s mock` installs it. A `Prefer` header chooses the reply, which is then an example of the document.
A header of its own, `sl-violations`, tells what is wrong with a request.
"""

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import anyio
import httpx
import pytest
import yaml

from hubspot_batch import (
    ApiError,
    AsyncHubSpot,
    AuthenticationError,
    BadRequestError,
    BatchResult,
    ConflictError,
    HubSpot,
    NotFoundError,
    PermissionDeniedError,
    Quota,
    RateLimitError,
)
from hubspot_batch.bulk import Outcome
from hubspot_batch.contract import _operations as contract
from hubspot_batch.transport._async import AsyncDriver, AsyncPool
from hubspot_batch.transport._calls import build_call
from hubspot_batch.transport._sync import Driver

PRISM = shutil.which("prism")
if PRISM is None and os.environ.get("NOX_CURRENT_SESSION") != "mock":
    pytest.skip("`nox -s mock` installs Prism", allow_module_level=True)

PATH = Path(__file__).resolve().parents[2] / "openapi" / "hubspot-batch.yaml"
DOCUMENT: dict[str, Any] = yaml.safe_load(PATH.read_text(encoding="utf-8"))
COMPONENTS = DOCUMENT["components"]
STARTING = 30.0

# Under which status each example of a refusal is asked for, and what it is for a caller.
REFUSALS: dict[str, tuple[int, type[ApiError]]] = {
    "ten_seconds": (429, RateLimitError),
    "daily": (429, RateLimitError),
    "invalid_properties": (400, BadRequestError),
    "duplicate_ids": (400, BadRequestError),
    "unreadable_body": (400, BadRequestError),
    "expired_token": (401, AuthenticationError),
    "missing_scopes": (403, PermissionDeniedError),
    "conflict": (409, ConflictError),
}

Ask = Callable[[Callable[[Any], Any], str], Any]

ARGUMENTS: dict[str, dict[str, Any]] = {
    "list_properties": {"objectType": "orders", "archived": False, "dataSensitivity": "non_sensitive"},
    "read_objects": {"objectType": "contacts", "archived": True},
    "create_associations": {"fromObjectType": "line_items", "toObjectType": "orders"},
}


class Request(NamedTuple):
    """A request example of the document."""

    operation: str
    name: str
    body: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.operation}-{self.name}"

    @property
    def inputs(self) -> list[dict[str, Any]]:
        """The inputs."""
        inputs: list[dict[str, Any]] = self.body.get("inputs", [])
        return inputs


class Reply(NamedTuple):
    """A reply example of the document, and the status under which Prism is asked for it."""

    operation: str
    name: str
    status: int
    body: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.operation}-{self.status}-{self.name}"


def component(reference: dict[str, str]) -> dict[str, Any]:
    _, _, kind, name = reference["$ref"].split("/")
    found: dict[str, Any] = COMPONENTS[kind][name]
    return found


def operations() -> Iterator[dict[str, Any]]:
    for path in DOCUMENT["paths"].values():
        yield from path.values()


def requests() -> Iterator[Request]:
    for operation in operations():
        name = operation["operationId"]
        if "requestBody" not in operation:
            yield Request(name, "no_body", {})
            continue
        body = component(operation["requestBody"])["content"]["application/json"]
        for key, example in body["examples"].items():
            yield Request(name, key, component(example)["value"])


def replies() -> Iterator[Reply]:
    kinds = {"orders", "line_items", "commerce_payments", "carts"}
    for operation in operations():
        verb, _, object_type = operation["operationId"].partition("_")
        for key, reference in operation["responses"].items():
            examples = component(reference).get("content", {}).get("application/json", {}).get("examples", {})
            for name, example in examples.items():
                if verb == "create" and name in kinds - {object_type}:
                    continue  # the reply to the create of another type
                refused = key in {"429", "default"}
                status = REFUSALS[name][0] if refused else int(key.replace("2XX", "202"))
                yield Reply(operation["operationId"], name, status, component(example)["value"])


REQUESTS = list(requests())
REPLIES = list(replies())
BODIES = {request.operation: request.body for request in reversed(REQUESTS)}
PATHS = {next(iter(path.values()))["operationId"]: url for url, path in DOCUMENT["paths"].items()}
OF_RECORDS = contract.operations().keys() - {"list_properties", "create_associations"}
ROWS = {name: BODIES[name]["inputs"] for name in BODIES if name.partition("_")[0] in {"create", "update"}}
del ROWS["create_associations"]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start Prism and return where it is."""
    assert PRISM
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = tmp_path_factory.mktemp("prism") / "log"
    command = [PRISM, "mock", "--host=127.0.0.1", f"--port={port}", str(PATH)]
    with log.open("w") as output, subprocess.Popen(command, stdout=output, stderr=output) as prism:
        try:
            wait_for(port, prism, log)
            yield f"http://127.0.0.1:{port}"
        finally:
            prism.terminate()


def wait_for(port: int, prism: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + STARTING
    while time.monotonic() < deadline and prism.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise AssertionError(log.read_text())


@pytest.fixture(params=["sync", "async"])
def ask(request: pytest.FixtureRequest, url: str) -> Ask:
    """Return a function that hands another one a client whose requests prefer a certain reply."""
    options: dict[str, Any] = {"base_url": url, "retries": 0}

    def check(response: httpx.Response) -> None:
        assert violations(response) == []

    async def check_async(response: httpx.Response) -> None:
        check(response)

    def ask_sync(use: Callable[[Any], Any], prefer: str) -> Any:  # noqa: ANN401 - what the caller's function returns
        http = httpx.Client(headers={"Prefer": prefer}, event_hooks={"response": [check]})
        with http, HubSpot("token-1", http_client=http, quota=Quota(), **options) as hub:
            return use(hub)

    def ask_async(use: Callable[[Any], Any], prefer: str) -> Any:  # noqa: ANN401 - what the caller's function returns
        async def main() -> Any:  # noqa: ANN401 - what the caller's function returns
            http = httpx.AsyncClient(headers={"Prefer": prefer}, event_hooks={"response": [check_async]})
            async with http, AsyncHubSpot("token-1", http_client=http, quota=Quota(), **options) as hub:
                return await use(hub)

        return anyio.run(main)

    return ask_sync if request.param == "sync" else ask_async


def violations(response: httpx.Response) -> list[dict[str, Any]]:
    """Return what Prism finds wrong with the request, and with its own reply."""
    found: list[dict[str, Any]] = json.loads(response.headers.get("sl-violations", "[]"))
    return found


def call(ask: Ask, operation: str, body: dict[str, Any], prefer: str) -> Any:  # noqa: ANN401 - its result
    beside = {key: value for key, value in body.items() if key != "inputs"}
    arguments = ARGUMENTS.get(operation, {})
    request = build_call(
        operation, body.get("inputs", ()), api_version="v3", arguments=arguments, beside=beside
    )

    def use(hub: Any) -> Any:  # noqa: ANN401 - a client, and what it returns or gives to await
        if isinstance(hub, HubSpot):
            return Driver(hub._pool, hub._settings).send(request)
        return AsyncDriver(AsyncPool(hub._pool), hub._settings).send(request)

    return ask(use, prefer)


def run(ask: Ask, operation: str, rows: list[dict[str, Any]], prefer: str) -> list[Outcome]:
    verb, _, object_type = operation.partition("_")
    report = ask(lambda hub: getattr(getattr(hub, object_type), f"{verb}_all")(rows), prefer)
    return list(report.outcomes)


def preferred(reply: Reply) -> str:
    return f"code={reply.status}, example={reply.name}"


def success_of(operation: str) -> str:
    """What to prefer for a full success; the document has one example of a create for each type."""
    status = contract.operation(operation).success
    verb, _, object_type = operation.partition("_")
    is_create = verb == "create" and object_type != "associations"
    return f"code={status}, example={object_type}" if is_create else f"code={status}"


def test_every_operation_is_asked_for_every_reply() -> None:
    refusals = {status for status, _ in REFUSALS.values()}
    for operation in contract.operations().values():
        statuses = {reply.status for reply in REPLIES if reply.operation == operation.id}
        partly = {207} if operation.verb not in {"archive", "list"} else set()
        assert statuses == {202} | partly | refusals | ({operation.success} - operation.empty_replies)


@pytest.mark.parametrize("request_", REQUESTS, ids=str)
def test_a_request_is_one_that_the_document_allows(ask: Ask, request_: Request) -> None:
    result = call(ask, request_.operation, request_.body, success_of(request_.operation))

    if request_.operation == "list_properties":
        assert [definition.name for definition in result][-1] == "shop_order_number"
    else:
        assert result.response.status == contract.operation(request_.operation).success
        assert result.ok is not bool(result.unaccounted)


@pytest.mark.parametrize(
    "reply", [reply for reply in REPLIES if reply.status < 300 and reply.operation in OF_RECORDS], ids=str
)
def test_a_success_is_a_result(ask: Ask, reply: Reply) -> None:
    result: BatchResult = call(ask, reply.operation, BODIES[reply.operation], preferred(reply))

    assert (result.response.status, json.loads(result.response.content)) == (reply.status, reply.body)
    assert [(record.id, dict(record.properties)) for record in result.records] == [
        (record["id"], record["properties"]) for record in reply.body["results"]
    ]
    refused = reply.body.get("errors") or []
    assert {error.category for error in result.errors} == {error["category"] for error in refused}
    assert result.ok is not bool(refused or result.unaccounted)


@pytest.mark.parametrize("reply", [reply for reply in REPLIES if reply.status >= 300], ids=str)
def test_a_refusal_is_an_error(ask: Ask, reply: Reply) -> None:
    with pytest.raises(ApiError) as caught:
        call(ask, reply.operation, BODIES[reply.operation], preferred(reply))

    assert type(caught.value) is REFUSALS[reply.name][1]
    assert (caught.value.status, caught.value.maybe_written) == (reply.status, False)
    assert json.loads(caught.value.response.content) == reply.body
    assert (caught.value.category, caught.value.message) == (
        reply.body.get("category"),
        reply.body["message"],
    )


@pytest.mark.parametrize("operation", ROWS)
def test_all_rows_are_done(ask: Ask, operation: str) -> None:
    updates = operation.startswith("update")
    rows = [row | {"id": "44001"} for row in ROWS[operation]] if updates else ROWS[operation]

    outcomes = run(ask, operation, rows, success_of(operation))

    status = contract.operation(operation).success
    (body,) = (r.body for r in REPLIES if (r.operation, r.status) == (operation, status))
    assert [(outcome.index, outcome.status) for outcome in outcomes] == [
        (i, "done") for i in range(len(rows))
    ]
    assert {outcome.id for outcome in outcomes} == {record["id"] for record in body["results"]}


@pytest.mark.parametrize("operation", ROWS)
def test_a_row_is_rejected(ask: Ask, operation: str) -> None:
    row = ROWS[operation][0] | {"objectWriteTraceId": "row-1"}

    (outcome,) = run(ask, operation, [row], "code=207, example=nothing_written")

    assert (outcome.index, outcome.status, outcome.category) == (0, "rejected", "CONFLICT")


def spoil(**changes: object) -> list[dict[str, Any]]:
    return [{"properties": {"hs_order_name": "A-1001"}} | changes]


FAULTS: dict[str, tuple[str, list[Any]]] = {
    "no inputs": ("create_orders", []),
    "101 inputs": ("create_orders", spoil() * 101),
    "number as a value": ("create_orders", spoil(properties={"hs_total_price": 9})),
    "null as a value": ("create_orders", spoil(properties={"hs_total_price": None})),
    "no properties": ("create_carts", [{}]),
    "unknown key": ("create_line_items", spoil(colour="red")),
    "empty trace id": ("create_commerce_payments", spoil(objectWriteTraceId="")),
    "unknown category of an association": (
        "create_orders",
        spoil(
            associations=[
                {
                    "to": {"id": "301"},
                    "types": [{"associationCategory": "OURS", "associationTypeId": 507}],
                }
            ]
        ),
    ),
    "association in an update": ("update_orders", spoil(id="44001", associations=[])),
    "update without an id": ("update_orders", spoil()),
    "upsert without a property": ("upsert_carts", spoil(id="7")),
    "properties in an archive": ("archive_orders", spoil(id="7")),
    "link without a type": ("create_associations", [{"from": {"id": "1"}, "to": {"id": "2"}, "types": []}]),
}


def test_a_hundred_inputs_are_allowed(ask: Ask) -> None:
    assert call(ask, "create_orders", {"inputs": spoil() * 100}, "code=201").response.status == 201


@pytest.mark.parametrize("prefer", ["", "code=200"])
@pytest.mark.parametrize(("operation", "inputs"), FAULTS.values(), ids=FAULTS)
def test_what_the_document_does_not_allow_is_refused(
    url: str, operation: str, inputs: list[Any], prefer: str
) -> None:
    """Without this, the tests above would pass with any request."""
    headers = {"Authorization": "Bearer token-1", "Prefer": prefer}

    path = PATHS[operation].format(**ARGUMENTS.get(operation, {}))
    reply = httpx.post(url + path, json={"inputs": inputs}, headers=headers)

    assert {(fault["severity"], *fault["location"][:3]) for fault in violations(reply)} == {
        ("Error", "request", "body", "inputs")
    }
    assert reply.status_code == 422, reply.status_code


def test_a_request_without_a_token_is_refused(url: str) -> None:
    reply = httpx.post(url + PATHS["create_orders"], json={"inputs": spoil()})

    assert reply.status_code == 401
    assert [fault["message"] for fault in violations(reply)] == ["Invalid security scheme used"]


class Spoiling(httpx.HTTPTransport):
    """Sends something else than it is given."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        content = request.content.replace(b'"A-1001"', b"1001")
        headers = dict(request.headers) | {"content-length": str(len(content))}
        spoilt = httpx.Request(request.method, request.url, headers=headers, content=content)
        return super().handle_request(spoilt)


def test_a_refusal_of_prism_is_an_error_of_the_client(url: str) -> None:
    with (
        HubSpot("token-1", base_url=url, transport=Spoiling(), quota=Quota()) as hub,
        pytest.raises(ApiError) as caught,
    ):
        hub.orders.batch_create([{"properties": {"hs_order_name": "A-1001"}}])

    assert caught.value.status == 422
    assert "properties.hs_order_name must be string" in caught.value.response.headers["sl-violations"]


def test_what_the_document_does_not_describe_is_not_found(url: str) -> None:
    with (
        HubSpot("token-1", base_url=url, api_version="2026-09", quota=Quota()) as hub,
        pytest.raises(NotFoundError),
    ):
        hub.orders.batch_create([{"properties": {"hs_order_name": "A-1001"}}])
