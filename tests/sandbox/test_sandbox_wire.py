"""What a fault looks like to a client, over a real socket: raw, and through httpx."""

import asyncio
import gzip
import json
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from functools import partial
from threading import Event
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from hubspot_batch.contract import _operations as contract
from hubspot_batch.sandbox import _server
from hubspot_batch.sandbox._faults import FAULTS, apply_fault, fault_named
from hubspot_batch.sandbox._wire import WireReply, abort_connection, json_reply, send_reply

QUOTA = {"X-HubSpot-RateLimit-Max": "190", "X-HubSpot-RateLimit-Remaining": "60"}
BODY = {
    "status": "COMPLETE",
    "results": [
        {
            "id": "44003",
            "properties": {"hs_order_name": "A-1003"},
            "createdAt": "2026-09-01T08:20:00.000Z",
            "updatedAt": "2026-09-01T08:20:00.000Z",
            "archived": False,
        }
    ],
    "startedAt": "2026-09-01T08:19:59.900Z",
    "completedAt": "2026-09-01T08:20:00.010Z",
}
CREATED = json_reply(201, BODY, QUOTA)
REFUSED = json_reply(400, {"status": "error", "message": "no", "correlationId": "c-0"})

BY_HUBSPOT = ["429-ten-secondly", "429-secondly", "429-daily", "423", "477", "500", "500-before", "503"]
BY_A_GATEWAY = ["502", "502-before", "504-before", "504-after", "520", "520-before", "524", "524-before"]
ALTERED = [name for name, fault in FAULTS.items() if fault.phase == "reply"]
BROKEN = ["reset-before", "reset-after", "never-before", "never-after"]


def struck(name: str, reply: WireReply | None = CREATED, headers: Mapping[str, str] = QUOTA) -> WireReply:
    return apply_fault(fault_named(name), reply, headers=headers, account=77, correlation_id="c-1")


class _Reachable(_server._Server):
    """A server whose applications can reset a connection."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self.lifespan.state["hang_up"] = partial(abort_connection, self)
        await super().startup(sockets)


class Host:
    """An application that answers every request with one reply, and the address of its server."""

    def __init__(self) -> None:
        self.reply = CREATED
        self.url = ""
        self.came = Event()
        self.ended = Event()
        self.stop: Callable[[], None] = lambda: None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await Request(scope, receive).body()
        self.came.set()
        await send_reply(self.reply, scope, receive, send, scope["state"]["hang_up"])
        self.ended.set()

    def connect(self) -> socket.socket:
        url = httpx.URL(self.url)
        return socket.create_connection((url.host, url.port or 0), timeout=5)

    def ask(self, connection: socket.socket) -> None:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}")

    def post(self, timeout: float = 5.0) -> httpx.Response:
        return httpx.post(self.url, json={"inputs": []}, timeout=timeout)


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Iterator[Host]:
    monkeypatch.setattr(_server, "_Server", _Reachable)
    host = Host()
    with ExitStack() as stack:
        listener = stack.enter_context(_server.listen("127.0.0.1", 0))
        host.url = _server.address_of(listener)
        stack.enter_context(_server.serving(Starlette(routes=[Route("/", host)]), listener))
        host.stop = stack.close
        yield host
    # uvicorn would complain here of an application that says nothing.
    assert capfd.readouterr() == ("", "")


def read_to_the_end(connection: socket.socket) -> tuple[bytes, type[Exception] | None]:
    """Return what comes, and how it ends: None for an orderly end."""
    received = b""
    try:
        while chunk := connection.recv(65_536):
            received += chunk
    except OSError as error:
        return received, type(error)
    return received, None


def received_by(host: Host) -> tuple[bytes, type[Exception] | None]:
    with host.connect() as connection:
        host.ask(connection)
        return read_to_the_end(connection)


def abort_nothing(scope: Scope) -> None:
    raise AssertionError(scope)


def split(message: bytes) -> tuple[dict[str, str], bytes]:
    head, _, body = message.partition(b"\r\n\r\n")
    lines = [line.partition(": ") for line in head.decode().split("\r\n")[1:]]
    return {name.lower(): value for name, _, value in lines}, body


def test_every_fault_is_tested_here() -> None:
    assert {*BY_HUBSPOT, *BY_A_GATEWAY, *ALTERED, *BROKEN} == set(FAULTS)


@pytest.mark.parametrize("name", BY_HUBSPOT)
def test_a_refusal_of_hubspot_is_json_with_its_headers(host: Host, name: str) -> None:
    host.reply = struck(name, None)
    reply = host.post()
    assert reply.status_code == FAULTS[name].status
    assert reply.headers["content-type"] == "application/json;charset=utf-8"
    assert reply.headers["x-hubspot-ratelimit-max"] == "190"
    body = reply.json()
    assert body["status"] == "error"
    assert body["correlationId"] == "c-1"
    assert "category" not in body
    contract.validator("ErrorReply").validate(body)


@pytest.mark.parametrize("name", BY_A_GATEWAY)
def test_a_gateway_says_nothing_of_hubspot(host: Host, name: str) -> None:
    host.reply = struck(name)
    reply = host.post()
    assert reply.status_code == FAULTS[name].status
    assert reply.headers["content-type"] == "text/html; charset=UTF-8"
    assert not [header for header in reply.headers if "hubspot" in header or "correlation" in header]
    assert "c-1" not in reply.text
    assert reply.text.startswith("<!DOCTYPE html>") == bool(reply.content)
    with pytest.raises(json.JSONDecodeError):
        reply.json()


@pytest.mark.parametrize("name", ["520", "520-before"])
def test_a_520_is_empty(name: str) -> None:
    assert struck(name).body == b""


@pytest.mark.parametrize("name", ["502", "502-before", "504-before", "504-after", "524", "524-before"])
def test_the_other_pages_of_a_gateway_say_which(name: str) -> None:
    assert f"Error code {FAULTS[name].status}".encode() in struck(name).body


@pytest.mark.parametrize(
    ("name", "policy", "used_up"),
    [
        ("429-ten-secondly", "TEN_SECONDLY_ROLLING", "X-HubSpot-RateLimit-Remaining"),
        ("429-secondly", "SECONDLY", "X-HubSpot-RateLimit-Secondly-Remaining"),
        ("429-daily", "DAILY", "X-HubSpot-RateLimit-Daily-Remaining"),
    ],
)
def test_a_429_names_its_policy_and_its_headers_agree(name: str, policy: str, used_up: str) -> None:
    reply = struck(name, None, {**QUOTA, used_up: "60"})
    assert json.loads(reply.body)["policyName"] == policy
    assert json.loads(reply.body)["groupName"].endswith(":77")
    assert reply.headers[used_up] == "0"


def test_a_429_on_the_day_does_not_tell_a_token_of_oauth_of_the_day() -> None:
    assert not [name for name in struck("429-daily", None).headers if "Daily" in name]


@pytest.mark.parametrize(
    ("name", "seconds"),
    [
        ("429-ten-secondly", None),
        ("429-ten-secondly=10", "10"),
        ("429-daily=0.5", "1"),
        ("423", None),
        ("423=2", "2"),
        ("477", "86400"),
        ("477=60", "60"),
        ("503", None),
    ],
)
def test_retry_after_is_in_whole_seconds(name: str, seconds: str | None) -> None:
    assert struck(name, None).headers.get("Retry-After") == seconds


@pytest.mark.parametrize("name", ["reset-before", "reset-after"])
def test_a_reset_is_one(host: Host, name: str) -> None:
    host.reply = struck(name)
    assert received_by(host) == (b"", ConnectionResetError)
    with pytest.raises(httpx.ReadError):
        host.post()


def test_a_reset_in_the_middle_leaves_half_of_the_body(host: Host) -> None:
    host.reply = struck("reset-middle")
    message, error = received_by(host)
    headers, body = split(message)
    assert message.startswith(b"HTTP/1.1 201 ")
    assert int(headers["content-length"]) == len(CREATED.body)
    assert body == CREATED.body[: len(CREATED.body) // 2]
    assert error is ConnectionResetError
    with pytest.raises(httpx.ReadError):
        host.post()


def test_a_client_that_streams_sees_the_status_before_the_reset(host: Host) -> None:
    host.reply = struck("reset-middle")
    with httpx.stream("POST", host.url, json={}) as reply:
        assert reply.status_code == 201
        with pytest.raises(httpx.ReadError):
            reply.read()


def test_half_of_a_large_body_is_never_more(host: Host) -> None:
    large = json_reply(201, {"results": ["x" * 100] * 80_000})
    host.reply = struck("reset-middle", large)
    message, error = received_by(host)
    assert 0 < len(split(message)[1]) <= len(large.body) // 2
    assert error is ConnectionResetError


def test_only_the_connection_that_is_meant_is_reset(host: Host) -> None:
    with host.connect() as idle, httpx.Client() as other:
        assert other.post(host.url, json={}).status_code == 201
        host.reply = struck("reset-before")
        assert received_by(host) == (b"", ConnectionResetError)
        host.reply = CREATED
        assert other.post(host.url, json={}).status_code == 201
        host.ask(idle)
        assert idle.recv(100).startswith(b"HTTP/1.1 201 ")


@pytest.mark.parametrize("name", ["never-before", "never-after"])
def test_a_reply_that_never_comes_runs_into_the_time_out(host: Host, name: str) -> None:
    host.reply = struck(name)
    with pytest.raises(httpx.ReadTimeout):
        host.post(timeout=0.1)
    # It is held open for the client, not after it.
    assert host.ended.wait(5)
    host.reply = CREATED
    assert host.post().status_code == 201


def test_a_connection_on_which_nothing_comes_stays_open(host: Host) -> None:
    host.reply = struck("never-after")
    with host.connect() as connection:
        host.ask(connection)
        connection.settimeout(0.2)
        assert read_to_the_end(connection) == (b"", TimeoutError)
        assert not host.ended.is_set()


def test_what_a_client_still_sends_is_no_sign_that_it_has_gone() -> None:
    messages = [{"type": "http.request"}, {"type": "http.request"}, {"type": "http.disconnect"}]

    async def receive() -> dict[str, str]:
        return messages.pop(0)

    async def send(message: object) -> None:
        raise AssertionError(message)

    asyncio.run(send_reply(struck("never-after"), {}, receive, send, abort_nothing))
    assert messages == []


@pytest.mark.parametrize("name", ["never-after", "slow=3600", "slow-tail=100"])
def test_what_is_held_open_does_not_hold_up_the_end(host: Host, name: str) -> None:
    host.reply = struck(name)
    with host.connect() as connection:
        host.ask(connection)
        assert host.came.wait(5)
        start = time.monotonic()
        host.stop()
        # 0.4 s here, as without a request. The bound is wide, for it is to tell a wait that has no end.
        assert time.monotonic() - start < 5
        assert host.ended.is_set()


@pytest.mark.parametrize("name", ["slow=0.15", "slow-tail=0.15"])
def test_a_slow_reply_comes_whole_and_leaves_the_connection_in_use(host: Host, name: str) -> None:
    with httpx.Client() as client:
        client.post(host.url, json={})
        host.reply = struck(name)
        start = time.monotonic()
        reply = client.post(host.url, json={})
        assert time.monotonic() - start >= 0.15
        assert (reply.status_code, reply.json()) == (201, BODY)
        host.reply = struck("slow=0")
        again = client.post(host.url, json={})
        streams = [item.extensions["network_stream"] for item in (reply, again)]
        assert streams[0].get_extra_info("client_addr") == streams[1].get_extra_info("client_addr")


def test_a_client_that_does_not_wait_for_a_slow_reply_ends_it(host: Host) -> None:
    host.reply = struck("slow=3600")
    with pytest.raises(httpx.ReadTimeout):
        host.post(timeout=0.1)
    assert host.ended.wait(5)


def test_truncated_json_is_a_complete_message(host: Host) -> None:
    host.reply = struck("truncated")
    reply = host.post()
    assert reply.status_code == 201
    assert len(reply.content) == int(reply.headers["content-length"]) == len(CREATED.body) // 2
    with pytest.raises(json.JSONDecodeError):
        reply.json()


def test_invalid_utf8_is_json_but_for_its_encoding(host: Host) -> None:
    host.reply = struck("invalid-utf8")
    reply = host.post()
    assert reply.status_code == 201
    with pytest.raises(UnicodeDecodeError):
        reply.json()
    assert json.loads(reply.content.replace(b"\xff", b"")) == BODY


def test_invalid_utf8_needs_no_text() -> None:
    assert struck("invalid-utf8", WireReply(status=200)).body == b"\xff"


def test_a_gzip_reply_comes_asked_for_or_not(host: Host) -> None:
    host.reply = struck("gzip")
    reply = host.post()
    assert reply.headers["content-encoding"] == "gzip"
    assert reply.headers["x-hubspot-ratelimit-remaining"] == "60"
    assert reply.json() == BODY
    with httpx.stream("POST", host.url, headers={"Accept-Encoding": "identity"}) as plain:
        raw = b"".join(plain.iter_raw())
    assert json.loads(gzip.decompress(raw)) == BODY
    assert int(plain.headers["content-length"]) == len(raw)


def test_a_create_can_answer_200(host: Host) -> None:
    host.reply = struck("200")
    reply = host.post()
    assert (reply.status_code, reply.json()) == (200, BODY)


@pytest.mark.parametrize("status", [200, 207])
def test_no_other_success_becomes_200(status: int) -> None:
    reply = json_reply(status, BODY)
    assert struck("200", reply) == reply


@pytest.mark.parametrize(
    ("name", "changes"),
    [("requested-at-null", {"requestedAt": None}), ("unknown-status", {"status": "COMPLETED"})],
)
def test_single_values_of_a_reply_can_be_changed(host: Host, name: str, changes: dict[str, Any]) -> None:
    host.reply = struck(name)
    reply = host.post()
    assert (reply.status_code, reply.json()) == (201, BODY | changes)
    assert reply.headers["x-hubspot-ratelimit-remaining"] == "60"
    contract.validator("BatchReply").validate(reply.json())


@pytest.mark.parametrize("name", ["200", "requested-at-null", "unknown-status"])
def test_what_a_refusal_does_not_have_is_not_changed_in_it(name: str) -> None:
    assert struck(name, REFUSED) == REFUSED


@pytest.mark.parametrize("name", ALTERED)
def test_what_changes_a_reply_needs_one(name: str) -> None:
    with pytest.raises(ValueError, match=f"the fault {name} changes a reply, and there is none"):
        struck(name, None)


@pytest.mark.parametrize("name", BROKEN)
def test_where_nothing_is_sent_there_is_no_status(name: str) -> None:
    assert struck(name).status == 0


def test_a_plain_reply_goes_out_as_it_is(host: Host) -> None:
    reply = host.post()
    assert (reply.status_code, reply.json()) == (201, BODY)
    assert reply.headers["content-type"] == "application/json;charset=utf-8"
    host.reply = REFUSED
    assert host.post().json() == {"status": "error", "message": "no", "correlationId": "c-0"}
