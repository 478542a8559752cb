"""Requests that are wrong before their inputs are looked at."""

import json
import re
import socket
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from hubspot_batch.contract import _operations as contract
from hubspot_batch.sandbox import Sandbox

Send = Callable[[str, list[dict[str, Any]]], httpx.Response]

CREATE = "/crm/v3/objects/orders/batch/create"
UPDATE = "/crm/v3/objects/orders/batch/update"
GOOD = {"inputs": [{"properties": {"hs_order_name": "A"}}]}
TOKEN = "Bearer sandbox-token"
UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    """One for all: most requests here change nothing."""
    with Sandbox() as box:
        yield box


@pytest.fixture(scope="module")
def http(box: Sandbox) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=box.url, headers={"Authorization": TOKEN}) as client:
        yield client


@pytest.fixture
def nothing_written(box: Sandbox) -> Iterator[None]:
    before = box.records("orders")
    yield
    assert box.records("orders") == before


def raw(box: Sandbox, head: str, body: bytes = b"") -> bytes:
    """Send what no HTTP client would."""
    with connection(box) as line:
        line.sendall(head.replace("\n", "\r\n").encode() + b"\r\n\r\n" + body)
        line.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: line.recv(65536), b""))


def connection(box: Sandbox) -> socket.socket:
    host, _, port = box.url.removeprefix("http://").partition(":")
    return socket.create_connection((host, int(port)), timeout=10)


def refused(reply: httpx.Response, status: int, category: str | None) -> str:
    assert reply.status_code == status
    assert reply.headers["content-type"] == "application/json;charset=utf-8"
    body = reply.json()
    contract.validator("ErrorReply").validate(body)
    assert body["status"] == "error"
    assert re.fullmatch(UUID, body["correlationId"])
    assert body.get("category") == category
    message: str = body["message"]
    return message


@pytest.mark.usefixtures("nothing_written")
@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("Authorization", "")],
        [("Authorization", "Bearer")],
        [("Authorization", "sandbox-token")],
        [("Authorization", "Basic sandbox-token")],
        [("private-app", "sandbox-token")],
        [("Authorization", TOKEN), ("Authorization", TOKEN)],
        [("Authorization", TOKEN), ("Authorization", "Bearer other")],
    ],
)
def test_a_token_must_be_there(box: Sandbox, headers: list[tuple[str, str]]) -> None:
    for operation in contract.operations().values():
        path = re.sub(r"\{\w+\}", "contacts", operation.path)
        reply = httpx.request(operation.method, box.url + path, json=GOOD, headers=headers)
        message = refused(reply, 401, "INVALID_AUTHENTICATION")
        assert message.startswith("Authentication credentials not found. This API supports OAuth 2.0 ")
        assert list(reply.json()) == ["status", "message", "correlationId", "category"]


@pytest.mark.usefixtures("nothing_written")
def test_a_scheme_without_a_token_is_no_credential(box: Sandbox) -> None:
    body = json.dumps(GOOD).encode()
    head = f"POST {CREATE} HTTP/1.1\nHost: 127.0.0.1\nAuthorization: Bearer \t \nContent-Length: {len(body)}"
    reply = raw(box, head, body)
    assert b" 401 " in reply
    assert b"INVALID_AUTHENTICATION" in reply


@pytest.mark.usefixtures("nothing_written")
@pytest.mark.parametrize("token", ["sandbox-toke", "sandbox-token2", "SANDBOX-TOKEN", "x y", "tökén"])
def test_a_wrong_token_counts_as_one_that_expired_in_1970(box: Sandbox, token: str) -> None:
    headers = {b"Authorization": f"Bearer {token}".encode()}
    reply = httpx.post(box.url + CREATE, json=GOOD, headers=headers)
    message = refused(reply, 401, "EXPIRED_AUTHENTICATION")
    assert re.fullmatch(r"The OAuth token used to make this call expired \d{5} day\(s\) ago\.", message)
    assert reply.json()["context"] == {"expire time": ["1970-01-01T00:00:00Z"]}
    assert token not in reply.text


@pytest.mark.parametrize("value", ["bearer sandbox-token", "BEARER sandbox-token", "Bearer  sandbox-token"])
def test_the_scheme_may_be_in_any_letters(box: Sandbox, value: str) -> None:
    assert httpx.post(box.url + CREATE, json=GOOD, headers={"Authorization": value}).status_code == 201


def test_the_token_can_be_chosen() -> None:
    with Sandbox(access_token="pat-na1-1") as box:
        assert box.access_token == "pat-na1-1"
        headers = {"Authorization": "Bearer pat-na1-1"}
        assert httpx.post(box.url + CREATE, json=GOOD, headers=headers).status_code == 201
        assert httpx.post(box.url + CREATE, json=GOOD, headers={"Authorization": TOKEN}).status_code == 401


@pytest.mark.usefixtures("nothing_written")
def test_the_token_is_judged_before_the_body(box: Sandbox) -> None:
    refused(httpx.post(box.url + CREATE, content=b"{"), 401, "INVALID_AUTHENTICATION")


@pytest.mark.usefixtures("nothing_written")
@pytest.mark.parametrize(
    "content",
    [
        b"{",
        b"orders",
        b'{"inputs": [}',
        b'{"inputs": []} x',
        b"\xff\xfe",
        b'{"inputs": [{"properties": {"hs_order_name": "\xff"}}]}',
        b'\xef\xbb\xbf{"inputs": []}',
        b'{"inputs": [{"properties": {"hs_total_price": NaN}}]}',
        b'{"inputs": [{"properties": {"hs_total_price": Infinity}}]}',
        b'{"inputs": [{"properties": {"hs_order_name": "\\ud800"}}]}',
        b'{"inputs": [{"properties": {"hs_order_name": "\\udc00x"}}]}',
        b'{"inputs": [{"properties": {"hs_order_name": "a\nb"}}]}',
        b"[" * 100_000,
        b'{"inputs": ' + b"[" * 500 + b"]" * 500 + b"}",
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        b"\x1f\x8b\x08\x00\x00\x00\x00\x00",
    ],
)
@pytest.mark.parametrize("path", [CREATE, UPDATE])
def test_what_is_no_json_is_refused_without_a_category(http: httpx.Client, path: str, content: bytes) -> None:
    reply = http.post(path, content=content)
    assert refused(reply, 400, None).startswith("Invalid input JSON on line ")
    assert list(reply.json()) == ["status", "message", "correlationId"]


@pytest.mark.usefixtures("nothing_written")
def test_an_empty_body_is_refused(http: httpx.Client) -> None:
    message = refused(http.post(CREATE), 400, "VALIDATION_ERROR")
    assert message == "Invalid JSON input: a request body was expected, but none found"


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "", None])
def test_json_is_taken_whatever_it_is_called(http: httpx.Client, content_type: str | None) -> None:
    headers = {} if content_type is None else {"Content-Type": content_type}
    assert http.post(CREATE, content=json.dumps(GOOD), headers=headers).status_code == 201


@pytest.mark.usefixtures("nothing_written")
@pytest.mark.parametrize(
    "body",
    [
        {},
        {"input": GOOD["inputs"]},
        {"properties": {"hs_order_name": "A"}},
        GOOD["inputs"],
        [],
        {"inputs": None},
        {"inputs": []},
    ],
)
@pytest.mark.parametrize(("path", "status"), [(CREATE, 201), (UPDATE, 200)])
def test_a_body_without_inputs_is_a_silent_success(
    http: httpx.Client, path: str, status: int, body: object
) -> None:
    reply = http.post(path, json=body)
    assert reply.status_code == status
    assert reply.json()["results"] == []
    assert "errors" not in reply.json()


@pytest.mark.usefixtures("nothing_written")
@pytest.mark.parametrize("element", [{"properties": {"hs_order_name": "A"}}, 1, {}])
def test_101_inputs_are_refused_whatever_they_are(http: httpx.Client, element: object) -> None:
    reply = http.post(CREATE, json={"inputs": [element] * 101})
    message = refused(reply, 400, "VALIDATION_ERROR")
    assert message.startswith("The maximum number of inputs supported in a batch is 100. ")


def test_100_inputs_are_taken(send: Send) -> None:
    reply = send("create_orders", [{"properties": {"hs_order_name": "A"}}] * 100)
    assert reply.status_code == 201
    assert len(reply.json()["results"]) == 100


SECRET = "do-not-repeat"


@pytest.mark.usefixtures("nothing_written")
@pytest.mark.parametrize(
    ("body", "column", "reason"),
    [
        ({"inputs": SECRET}, 12, "value of type `java.util.List`"),
        ({"inputs": {"0": SECRET}}, 12, "value of type `java.util.List`"),
        (SECRET, 1, "value of type `java.lang.Object`"),
        (None, 1, "value of type `java.lang.Object`"),
        (7, 1, "value of type `java.lang.Object`"),
        ({"inputs": [SECRET]}, 13, "value of type `java.lang.Object`"),
        ({"inputs": [{}]}, 13, "Some required fields were not set: [properties]"),
        ({"inputs": [{"properties": [SECRET]}]}, 28, "value of type `java.lang.Object`"),
        ({"inputs": [{"properties": {"hs_tax": [SECRET]}}]}, 39, "value of type `java.lang.String`"),
        ({"inputs": [{"properties": {"hs_tax": {"a": SECRET}}}]}, 39, "value of type `java.lang.String`"),
        (
            {"inputs": [{"properties": {}, "objectWriteTraceId": [SECRET]}]},
            54,
            "value of type `java.lang.String`",
        ),
        (
            {"inputs": [{"properties": {}, "associations": [{"to": {"id": SECRET}}]}]},
            49,
            "Some required fields were not set: [types]",
        ),
        (
            {"inputs": [{"properties": {}, "associations": [{"to": {"id": {}}, "types": []}]}]},
            63,
            "value of type `java.lang.String`",
        ),
    ],
)
def test_what_is_of_the_wrong_type_is_unreadable_and_its_values_are_not_repeated(
    http: httpx.Client, body: object, column: int, reason: str
) -> None:
    reply = http.post(CREATE, content=json.dumps(body))
    message = refused(reply, 400, None)
    assert message.startswith(f"Invalid input JSON on line 1, column {column}: ")
    assert message.endswith(reason)
    assert list(reply.json()) == ["status", "message", "correlationId"]
    assert SECRET not in reply.text


@pytest.mark.usefixtures("nothing_written")
def test_the_line_is_told(http: httpx.Client) -> None:
    reply = http.post(CREATE, content=json.dumps({"inputs": [{"properties": {"hs_tax": []}}]}, indent=1))
    assert refused(reply, 400, None).startswith("Invalid input JSON on line 5, column 15: ")


@pytest.mark.usefixtures("nothing_written")
def test_one_wrong_type_refuses_the_whole_batch_in_spite_of_trace_ids(http: httpx.Client) -> None:
    inputs = [{"properties": {"hs_order_name": name}, "objectWriteTraceId": name} for name in "AB"]
    wrong: dict[str, Any] = {"properties": {"hs_order_name": []}, "objectWriteTraceId": "C"}
    refused(http.post(CREATE, json={"inputs": [*inputs, wrong]}), 400, None)


@pytest.mark.usefixtures("nothing_written")
def test_an_update_needs_an_id(http: httpx.Client) -> None:
    message = refused(http.post(UPDATE, json=GOOD), 400, None)
    assert message.endswith("Some required fields were not set: [id]")


def test_more_is_taken_than_the_document_says(http: httpx.Client, box: Sandbox) -> None:
    box.add("contacts", 301)
    kind = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 507.0}
    values = {"hs_order_name": 7, "hs_tax": 9.5, "hs_buyer_accepts_marketing": True, "hs_order_note": None}
    item = {
        "properties": values,
        "associations": [{"to": {"id": 301, "unknown": 1}, "types": [kind]}],
        "objectWriteTraceId": 1,
        "unknown": {},
    }
    reply = http.post(CREATE, json={"inputs": [item], "unknown": []})
    assert reply.status_code == 201
    record = box.records("orders")[-1]
    assert record.id == reply.json()["results"][0]["id"]
    assert record.properties == {
        "hs_order_name": "7",
        "hs_tax": "9.50",
        "hs_buyer_accepts_marketing": "true",
    }
    assert record.associations[0].to_id == "301"
    change = {"id": int(record.id), "properties": {"hs_order_note": "x"}}
    assert http.post(UPDATE, json={"inputs": [change]}).status_code == 200


@pytest.mark.parametrize("text", ["\x00", "a\x00b", "\U0001f6d2", "a" * 65_536, "'; DROP TABLE records"])
def test_any_text_is_kept_as_it_is(send: Send, box: Sandbox, text: str) -> None:
    (result,) = send("create_orders", [{"properties": {"hs_order_name": text}}]).json()["results"]
    assert result["properties"]["hs_order_name"] == text
    assert box.records("orders")[-1].properties["hs_order_name"] == text


def test_a_huge_body_is_refused_and_the_connection_goes_on(http: httpx.Client) -> None:
    reply = http.post(CREATE, content=iter([b" " * 1_000_000] * 40))
    refused(reply, 413, None)
    assert http.post(CREATE, json=GOOD).status_code == 201


def test_a_large_body_is_taken(http: httpx.Client) -> None:
    inputs = [{"properties": {"hs_order_name": "A", "hs_order_note": "x" * 65_536}}] * 100
    assert http.post(CREATE, json={"inputs": inputs}).status_code == 201


@pytest.mark.usefixtures("nothing_written")
@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_another_method_is_refused(http: httpx.Client, method: str) -> None:
    reply = http.request(method, CREATE)
    refused(reply, 405, None)
    assert reply.headers["allow"] == "POST"


@pytest.mark.usefixtures("nothing_written")
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/crm/v3/objects/contacts/merge"),
        ("PUT", "/crm/v3/objects/orders/44001/associations/contacts/301/507"),
        ("POST", "/crm/v3/objects/tickets/search"),
        ("GET", "/crm/v3/objects"),
        ("GET", "/crm/v3/objects/orders/"),
        ("POST", CREATE + "/"),
        ("POST", "/crm/v3/objects/contacts/batch/create"),
        ("GET", "/oauth/v1/access-tokens/x"),
    ],
)
def test_what_the_sandbox_does_not_have_is_a_501_with_what_it_has(
    http: httpx.Client, method: str, path: str
) -> None:
    reply = http.request(method, path)
    message = refused(reply, 501, None)
    assert message.startswith(f"The sandbox does not have {method} {path}. It has: ")
    assert "POST /crm/objects/{version}/{objectType}/batch/upsert" in reply.json()["context"]["operations"]


def test_a_request_that_is_no_http_ends_nothing(box: Sandbox, http: httpx.Client) -> None:
    assert b" 400 " in raw(box, "NONSENSE")
    assert http.post(CREATE, json=GOOD).status_code == 201


def test_a_client_that_goes_away_within_its_body_writes_nothing(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with Sandbox() as box:
        with connection(box) as line:
            head = f"POST {CREATE} HTTP/1.1\nHost: 127.0.0.1\nAuthorization: {TOKEN}\nContent-Length: 100\n\n"
            line.sendall(head.replace("\n", "\r\n").encode() + json.dumps(GOOD).encode())
        assert httpx.post(box.url + CREATE, json=GOOD, headers={"Authorization": TOKEN}).status_code == 201
        assert len(box.records("orders")) == 1
    assert capfd.readouterr() == ("", "")


def test_a_fault_of_the_sandbox_itself_is_a_500_in_json(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "box.sqlite"
    with Sandbox(store=path) as box, sqlite3.connect(path) as other:
        other.execute("DROP TABLE records")
        other.commit()
        reply = httpx.post(box.url + CREATE, json=GOOD, headers={"Authorization": TOKEN})
        refused(reply, 500, None)
        assert reply.json()["message"] == "internal error"
        # The reply is sent before the fault is told.
        while not caplog.records:
            time.sleep(0.01)
    other.close()
    assert "Exception in ASGI application" in caplog.text
