"""The methods of the namespaces beyond create and update, and the generated client over our connections."""

from __future__ import annotations

import gzip
import json
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any

import anyio
import httpx
import pytest
from hubspot_batch_api import AuthenticatedClient, models
from hubspot_batch_api.api.orders import archive_orders, create_orders, read_orders

from hubspot_batch import (
    AsyncHubSpot,
    ConfigurationError,
    ConnectionFailedError,
    HubSpot,
    InvalidInputError,
    ServerError,
    UnexpectedReplyError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.conftest import Clock, Face

MOMENT = "2026-09-01T08:15:02.120Z"


def batch(*records: dict[str, Any], errors: list[dict[str, Any]] | None = None) -> httpx.Response:
    results = [
        {"properties": {}, "createdAt": MOMENT, "updatedAt": MOMENT, "archived": False} | record
        for record in records
    ]
    body: dict[str, Any] = {
        "status": "COMPLETE",
        "results": results,
        "startedAt": MOMENT,
        "completedAt": MOMENT,
    }
    if errors is not None:
        body |= {"numErrors": len(errors), "errors": errors}
    return httpx.Response(200 if errors is None else 207, json=body)


def not_found(*ids: str) -> dict[str, Any]:
    return {
        "status": "error",
        "category": "OBJECT_NOT_FOUND",
        "message": "Could not get some objects",
        "context": {"ids": [*ids]},
    }


def test_a_read_accounts_for_every_id(face: Face) -> None:
    wire = face.wire(batch({"id": "3"}, {"id": "1"}, errors=[not_found("2", "4")]))

    result = face.finish(face.connect(wire).line_items.batch_read([1, "2", 3, 4]))

    assert [(record.index, record.id) for record in result.records] == [(2, "3"), (0, "1")]
    assert [(error.index, error.category) for error in result.errors] == [
        (1, "OBJECT_NOT_FOUND"),
        (3, "OBJECT_NOT_FOUND"),
    ]
    assert (result.ok, result.unaccounted) == (False, ())


def test_a_read_that_says_nothing_of_an_id_says_so(face: Face) -> None:
    result = face.finish(face.connect(face.wire(batch({"id": "1"}))).orders.batch_read(["1", "2"]))

    assert (result.ok, result.unaccounted) == (False, (1,))


def test_a_read_by_a_unique_property_asks_for_it_and_matches_by_it(face: Face) -> None:
    found = [
        {"id": "71", "properties": {"shop_number": "B", "hs_order_name": "b"}},
        {"id": "70", "properties": {"shop_number": "A", "hs_order_name": "a"}},
    ]
    wire = face.wire(batch(*found))

    result = face.finish(
        face.connect(wire).orders.batch_read(
            iter(["A", "B"]), properties=("hs_order_name",), id_property="shop_number"
        )
    )

    assert json.loads(wire.requests[0].content) == {
        "inputs": [{"id": "A"}, {"id": "B"}],
        "properties": ["hs_order_name", "shop_number"],
        "propertiesWithHistory": [],
        "idProperty": "shop_number",
    }
    assert [(record.index, record.id) for record in result.records] == [(1, "71"), (0, "70")]


def test_an_upsert_tells_what_it_created(face: Face) -> None:
    wire = face.wire(
        batch(
            {"id": "71", "properties": {"shop_number": "B"}, "new": False},
            {"id": "70", "properties": {"shop_number": "A"}, "new": True},
        )
    )
    inputs: list[Any] = [
        {"id": "A", "properties": {"hs_order_name": "a"}},
        {"id": "B", "idProperty": "shop_number", "properties": {"hs_order_name": "b"}},
    ]

    result = face.finish(face.connect(wire).orders.batch_upsert(inputs, id_property="shop_number"))

    assert [item["idProperty"] for item in json.loads(wire.requests[0].content)["inputs"]] == [
        "shop_number",
        "shop_number",
    ]
    assert [(record.index, record.id, record.created) for record in result.records] == [
        (1, "71", False),
        (0, "70", True),
    ]
    assert result.ok
    assert "idProperty" not in inputs[0]


def test_the_conflicts_of_an_upsert_belong_to_their_inputs(face: Face) -> None:
    conflict = {"status": "error", "category": "CONFLICT", "context": {"objectWriteTraceId": ["input-1"]}}
    wire = face.wire(batch({"id": "70", "objectWriteTraceId": "input-0", "new": True}, errors=[conflict]))
    inputs: list[Any] = [{"id": name, "properties": {"a": name}} for name in ("A", "B")]

    result = face.finish(face.connect(wire).carts.batch_upsert(inputs, id_property="shop_number"))

    assert [(error.index, error.category) for error in result.errors] == [(1, "CONFLICT")]
    assert [(record.index, record.created) for record in result.records] == [(0, True)]


def test_an_archive_says_only_that_it_was_taken(face: Face) -> None:
    wire = face.wire(httpx.Response(204))

    result = face.finish(face.connect(wire).commerce_payments.batch_archive([1, "2"]))

    assert json.loads(wire.requests[0].content) == {"inputs": [{"id": "1"}, {"id": "2"}]}
    assert (result.ok, result.records, result.errors, result.unaccounted) == (True, (), (), ())


def test_definitions_tell_what_a_property_is(face: Face) -> None:
    definition = {
        "name": "shop_number",
        "label": "Shop number",
        "type": "string",
        "fieldType": "text",
        "groupName": "order",
        "description": "",
        "options": [],
        "hasUniqueValue": True,
        "modificationMetadata": {"readOnlyValue": True, "archivable": True, "readOnlyDefinition": False},
    }
    wire = face.wire(httpx.Response(200, json={"results": [definition]}))

    (found,) = face.finish(face.connect(wire).carts.properties())

    assert wire.requests[0].url.path == "/crm/v3/properties/carts"
    assert (found.name, found.has_unique_value, found.read_only) == ("shop_number", True, True)


def test_definitions_that_are_cut_off_are_an_error(face: Face) -> None:
    wire = face.wire(httpx.Response(200, content=b'{"results": [{"name": "shop_numb'))

    with pytest.raises(UnexpectedReplyError):
        face.finish(face.connect(wire, retries=0).orders.properties())


def test_links_are_named_by_object_types_or_by_inputs_with_types(face: Face) -> None:
    pair = {"fromObjectId": 11, "toObjectId": 21, "fromObjectTypeId": "0-123", "toObjectTypeId": "0-1"}
    wire = face.wire(httpx.Response(201, json={"status": "COMPLETE", "results": [pair], **DATES}))
    hub = face.connect(wire)
    label = {"associationCategory": "USER_DEFINED", "associationTypeId": 7}

    result = face.finish(hub.associations.batch_create("order", "0-1", [(11, "21")]))
    face.finish(hub.associations.batch_create("orders", "contact", [(11, 21)], type_id=7))
    face.finish(
        hub.associations.batch_create(
            "contacts",
            "deals",
            [{"from": {"id": 1}, "to": {"id": 2}, "types": [label]}],  # type: ignore[list-item]
        )
    )

    plain = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 507}
    paths = [request.url.path.partition("2026-09")[2] for request in wire.requests]
    assert paths == ["/orders/contacts/batch/create"] * 2 + ["/contacts/deals/batch/create"]
    assert [json.loads(request.content)["inputs"][0]["types"] for request in wire.requests] == [
        [plain],
        [label],
        [label],
    ]
    assert [(one.index, one.from_id, one.to_id) for one in result.pairs] == [(0, "11", "21")]
    assert result.ok


DATES = {"startedAt": MOMENT, "completedAt": MOMENT}
ONE = [{"id": "A", "properties": {"a": "b"}}]
NOTHING_SENT: dict[str, tuple[Callable[[Any], object], str, str]] = {
    "no ids": (lambda hub: hub.orders.batch_read([]), "/inputs", "at least 1"),
    "101 ids": (lambda hub: hub.orders.batch_archive(range(101)), "/inputs", "at most 100"),
    "51 with history": (lambda hub: hub.carts.batch_read(range(51), history=["a"]), "/inputs", "no history"),
    "a repeated id": (lambda hub: hub.orders.batch_read([1, "1"]), "/inputs/1/id", "once"),
    "a repeated upsert": (
        lambda hub: hub.orders.batch_upsert(ONE * 2, id_property="shop_number"),
        "/inputs/1/id",
        "two requests",
    ),
    "no id": (lambda hub: hub.orders.batch_archive([4.5]), "/inputs/0/id", "as text or as an int"),
    "no record id": (lambda hub: hub.orders.batch_read(["A-1"]), "/inputs/0/id", "as idProperty"),
    "a text of ids": (lambda hub: hub.orders.batch_read("44001"), "/inputs", "write a list"),
    "a text of names": (lambda hub: hub.orders.batch_read([1], properties="a"), "/properties", "a list"),
    "an empty name": (lambda hub: hub.orders.batch_read([1], properties=[""]), "/properties/0", "fill it in"),
    "two names in one": (
        lambda hub: hub.orders.batch_read([1], history=["a,b"]),
        "/propertiesWithHistory/0",
        "by itself",
    ),
    "no unique property": (lambda hub: hub.orders.batch_upsert(ONE), "/inputs/0", "id_property"),
    "an upsert of 5": (
        lambda hub: hub.orders.batch_upsert([5], id_property="a"),
        "/inputs/0",
        "write",
    ),
    "a flat row": (
        lambda hub: hub.orders.batch_upsert([{"a": 1}], id_property="a"),
        "/inputs/0",
        "inputs_from",
    ),
    "the record id": (
        lambda hub: hub.orders.batch_upsert(ONE, id_property="hs_object_id"),
        "/inputs/0/idProperty",
        "unique",
    ),
    "archived by name": (lambda hub: hub.orders.properties(archived="yes"), "/archived", "true or false"),
    "an unknown type": (lambda hub: link(hub, "ordrs", "contacts"), "/fromObjectType", "orders"),
    "a type that is none": (lambda hub: link(hub, "orders", None), "/toObjectType", "contacts"),
    "types without link": (lambda hub: link(hub, "carts", "products"), "/toObjectType", "there are"),
    "the wrong end first": (lambda hub: link(hub, "contacts", "orders"), "/toObjectType", "from orders to"),
    "unknown ids of types": (lambda hub: link(hub, "deals", "companies"), "/toObjectType", "give inputs"),
    "three ends": (lambda hub: link(hub, "orders", "contacts", [(1, 2, 3)]), "/inputs/0", "write {"),
    "no pairs": (lambda hub: link(hub, "orders", "contacts", 5), "/inputs", "(from_id, to_id)"),
    "a repeated pair": (lambda hub: link(hub, "orders", "contacts", [(1, 2)] * 2), "/inputs/1", "one input"),
}


def link(hub: Any, from_type: object, to_type: object, pairs: object = ((1, 2),)) -> object:  # noqa: ANN401
    return hub.associations.batch_create(from_type, to_type, pairs)


@pytest.mark.parametrize(("call", "pointer", "remedy"), NOTHING_SENT.values(), ids=NOTHING_SENT)
def test_invalid_arguments_are_refused_with_place_and_remedy_before_anything_is_sent(
    face: Face, call: Callable[[Any], Any], pointer: str, remedy: str
) -> None:
    wire = face.wire()

    with pytest.raises(InvalidInputError) as caught:
        face.finish(call(face.connect(wire)))

    assert caught.value.faults[0].pointer == pointer
    assert remedy in caught.value.faults[0].remedy
    assert wire.requests == []


def test_all_but_a_create_is_sent_again_after_a_lost_answer(face: Face, clock: Clock) -> None:
    assert clock
    wire = face.wire(
        *(httpx.ReadTimeout("lost"), batch({"id": "1"})),
        *(httpx.Response(502), batch({"id": "1", "new": True})),
        *(httpx.ReadTimeout("lost"), httpx.Response(204)),
        *(httpx.Response(200, content=b"<html>"), httpx.Response(200, json={"results": []})),
        *(httpx.Response(504), httpx.Response(201, json={"status": "COMPLETE", "results": [], **DATES})),
    )
    hub = face.connect(wire)

    for call in (
        lambda: hub.orders.batch_read([1]),
        lambda: hub.orders.batch_upsert([{"id": "A", "properties": {"a": "b"}}], id_property="shop_number"),
        lambda: hub.orders.batch_archive([1]),
        hub.orders.properties,
        lambda: hub.associations.batch_create("orders", "contacts", [(1, 2)]),
    ):
        face.finish(call())

    assert len(wire.requests) == 10


class Server(BaseHTTPRequestHandler):
    """Answers each path as the test says."""

    protocol_version = "HTTP/1.1"
    answers: dict[str, list[tuple[int, dict[str, str], bytes]]] = {}  # noqa: RUF012 - set anew by each test
    tokens: list[str | None] = []  # noqa: RUF012

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.tokens.append(self.headers["Authorization"])
        answers = self.answers[self.path]
        status, headers, body = answers.pop(0) if len(answers) > 1 else answers[0]
        self.send_response(status)
        for name, text in headers.items():
            self.send_header(name, text)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def url() -> Iterator[str]:
    Server.answers, Server.tokens = {}, []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/hub"
    server.shutdown()
    server.server_close()


READ = "/hub/crm/v3/objects/orders/batch/read"
ARCHIVE = "/hub/crm/v3/objects/orders/batch/archive"
CREATE = "/hub/crm/v3/objects/orders/batch/create"
LIMITED = json.dumps({"status": "error", "message": "slow down", "policyName": "DAILY"}).encode()
BODY = models.BatchReadRequest(inputs=[models.RecordId(id="1")])


def test_the_generated_client_goes_over_the_connections_of_this_one(face: Face, url: str) -> None:
    found = gzip.compress(batch({"id": "1"}).content)
    Server.answers = {
        READ: [(503, {"Retry-After": "0"}, b"<html>"), (200, {"Content-Encoding": "gzip"}, found)],
        ARCHIVE: [(204, {}, b"")],
    }
    tokens = iter(f"token-{number}" for number in range(9))
    hub = face.kind(lambda: next(tokens), base_url=url)
    archived = models.BatchArchiveRequest(inputs=[models.RecordId(id="1")])

    if isinstance(hub, HubSpot):
        reply: object
        with hub:
            reply = read_orders.sync(client=hub.generated, body=BODY)
            read_orders.sync(client=hub.generated.with_headers({"X-Trace": "1"}), body=BODY)
            status = int(archive_orders.sync_detailed(client=hub.generated, body=archived).status_code)
            # An event loop beside may use it, too.
            anyio.run(partial(read_orders.asyncio, client=hub.generated, body=BODY))
    else:

        async def main() -> tuple[object, int]:
            async with hub:
                reply = await read_orders.asyncio(client=hub.generated, body=BODY)
                await read_orders.asyncio(client=hub.generated.with_headers({"X-Trace": "1"}), body=BODY)
                await read_orders.asyncio(client=hub.generated, body=BODY)
                detailed = await archive_orders.asyncio_detailed(client=hub.generated, body=archived)
                return reply, int(detailed.status_code)

        reply, status = anyio.run(main)

    assert isinstance(reply, models.BatchReply)
    assert reply.results[0].id == "1"
    assert status == 204
    # A fresh token for each attempt, and for none that of the generated client.
    assert Server.tokens == [f"Bearer token-{number}" for number in range(5)]
    assert "token-" not in repr(hub.generated)
    assert hub.generated is hub.generated


def ask(face: Face, endpoint: Any, hub: HubSpot | AsyncHubSpot, body: object) -> object:  # noqa: ANN401
    if face.kind is HubSpot:
        return endpoint.sync(client=hub.generated, body=body)
    return anyio.run(partial(endpoint.asyncio, client=hub.generated, body=body))


def test_the_generated_client_asks_the_api_version_of_this_one(face: Face, url: str) -> None:
    dated = "/hub/crm/objects/2026-09/orders/batch/read"
    Server.answers = {dated: [(200, {}, batch({"id": "1"}).content)]}

    hub = face.kind("token-1", base_url=url, api_version="2026-09")
    reply: object

    if isinstance(hub, HubSpot):
        with hub:
            reply = read_orders.sync(client=hub.generated, body=BODY)
    else:

        async def main() -> object:
            async with hub:
                return await read_orders.asyncio(client=hub.generated, body=BODY)

        reply = anyio.run(main)

    assert isinstance(reply, models.BatchReply)
    assert Server.tokens == ["Bearer token-1"]


def test_refusals_come_as_the_generated_code_has_them_or_as_errors_where_it_cannot_read_them(
    face: Face,
) -> None:
    refusal = httpx.Response(429, json=json.loads(LIMITED))
    unreadable = (httpx.Response(477, json={}), httpx.Response(502, html="<p>"), httpx.Response(200))
    wire = face.wire(refusal, *unreadable)
    hub = face.connect(wire, retries=0)

    reply = ask(face, read_orders, hub, BODY)
    assert isinstance(reply, models.ErrorReply)
    assert reply.message == "slow down"
    for kind in (Exception, ServerError, UnexpectedReplyError):
        with pytest.raises(kind) as caught:
            ask(face, read_orders, hub, BODY)
        assert caught.type.__module__ == "hubspot_batch.errors"


def test_a_generated_client_of_the_user_has_the_traps_that_the_readme_names() -> None:
    replies = [httpx.Response(502, html="<p>"), httpx.Response(477, json={}), httpx.Response(429, json={})]
    answers = iter(replies)
    client = AuthenticatedClient(
        base_url="https://api.hubapi.com",
        token="token-1",
        httpx_args={"transport": httpx.MockTransport(lambda _: next(answers))},
    )

    assert client.get_httpx_client().timeout == httpx.Timeout(None)
    assert "token-1" in repr(client)
    with pytest.raises(json.JSONDecodeError):
        read_orders.sync(client=client, body=BODY)
    with pytest.raises(ValueError, match="477 is not a valid HTTPStatus"):
        read_orders.sync(client=client, body=BODY)
    assert isinstance(read_orders.sync(client=client, body=BODY), models.ErrorReply)


def test_a_create_of_the_generated_client_is_not_sent_again(face: Face, clock: Clock) -> None:
    assert clock
    wire = face.wire(httpx.ReadTimeout("lost"))
    hub = face.connect(wire)
    body = models.BatchCreateRequest(inputs=[models.CreateInput(properties=models.PropertyValues())])

    with pytest.raises(ConnectionFailedError) as caught:
        ask(face, create_orders, hub, body)

    assert caught.value.maybe_written
    assert len(wire.requests) == 1


def test_what_the_document_does_not_know_can_be_asked_for_but_not_twice(face: Face) -> None:
    wire = face.wire(httpx.Response(503, json={}), httpx.Response(200, json={"portalId": 7}))
    hub = face.connect(wire)

    def get() -> httpx.Response:
        place = "/account-info/v3/details?x=%2F"
        if face.kind is HubSpot:
            return hub.generated.get_httpx_client().get(place)
        return anyio.run(hub.generated.get_async_httpx_client().get, place)

    assert get().status_code == 503
    assert get().json() == {"portalId": 7}
    assert str(wire.requests[0].url) == "https://api.hubapi.com/account-info/v3/details?x=%2F"


def test_the_generated_client_of_an_async_one_is_for_asynchronous_code() -> None:
    with pytest.raises(ConfigurationError, match="await asyncio"):
        read_orders.sync(client=AsyncHubSpot("t").generated, body=BODY)
