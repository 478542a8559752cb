"""What a fault looks like to a client, and how it is sent (docs/behaviour.md, "Status codes")."""

import asyncio
import gzip
import math
import socket
import struct
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from http import HTTPStatus
from typing import Any, Literal, TypeAlias

import msgspec
import uvicorn
from msgspec import Struct
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from hubspot_batch.sandbox._bodies import Json, Refusal
from hubspot_batch.sandbox._faults import Fault
from hubspot_batch.sandbox._quotas import Policy, rate_limit_body

Ending: TypeAlias = Literal["complete", "reset", "reset-middle", "never"]

_POLICIES: Mapping[str, Policy] = {
    "429-ten-secondly": "TEN_SECONDLY_ROLLING",
    "429-secondly": "SECONDLY",
    "429-daily": "DAILY",
}
# What a client that reads the headers of a 429 expects there.
_USED_UP: Mapping[str, str] = {
    "429-ten-secondly": "X-HubSpot-RateLimit-Remaining",
    "429-secondly": "X-HubSpot-RateLimit-Secondly-Remaining",
    "429-daily": "X-HubSpot-RateLimit-Daily-Remaining",
}
_ENDINGS: Mapping[str, Ending] = {
    "reset-before": "reset",
    "reset-after": "reset",
    "never-before": "never",
    "never-after": "never",
}
# HubSpot's own words on these are not known, but for those of a 500.
_MESSAGES = {
    423: "Too many writes in a short time have locked this resource, please try again in 2 seconds",
    477: "This account is being migrated between data centers",
    500: "internal error",
    503: "HubSpot is temporarily unavailable",
}
# Without a title there is no page.
_GATEWAY_TITLES = {502: "Bad gateway", 504: "Gateway time-out", 520: "", 524: "A timeout occurred"}
_UNKNOWN_STATUS = "COMPLETED"
# Switched on, with no time to linger: two integers, on Windows short ones.
_NO_LINGER = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)


class WireReply(Struct, frozen=True, kw_only=True):
    """What a client sees of a reply.

    Attributes:
        status: The HTTP status; 0 where none is ever sent.
        headers: The headers; the length of the body is added.
        body: The body.
        delay: Seconds to wait before anything is sent.
        ending: How it ends. `complete`: as it should. `reset`: the connection is reset before anything is
            sent. `reset-middle`: it is reset after half of the body. `never`: nothing is ever sent.
    """

    status: int
    headers: Mapping[str, str] = {}
    body: bytes = b""
    delay: float = 0.0
    ending: Ending = "complete"


def json_reply(status: int, body: Json, headers: Mapping[str, str] | None = None) -> WireReply:
    """Return a reply with a JSON body.

    Args:
        status: The HTTP status.
        body: The body.
        headers: Further headers.
    """
    kind = {"Content-Type": "application/json;charset=utf-8"}
    return WireReply(status=status, headers={**kind, **(headers or {})}, body=msgspec.json.encode(body))


def apply_fault(
    fault: Fault,
    reply: WireReply | None,
    *,
    headers: Mapping[str, str],
    account: int,
    correlation_id: str,
) -> WireReply:
    """Return what the client sees of a request that meets a fault.

    Args:
        fault: The fault.
        reply: What the batch came to; None where it was not processed, or where its reply is lost.
        headers: What HubSpot adds to each reply of its own, which is not what a gateway says.
        account: The id of the account.
        correlation_id: What HubSpot's support asks for; a gateway sends none.

    Raises:
        ValueError: If the fault changes a reply and there is none.
    """
    if fault.phase == "reply":
        if reply is None:
            raise ValueError(f"the fault {fault} changes a reply, and there is none")
        return _altered(fault, reply)
    if fault.status is None:
        return WireReply(status=0, ending=_ENDINGS[fault.name])
    if fault.status in _GATEWAY_TITLES:
        return _from_gateway(fault.status)
    return _from_hubspot(fault, fault.status, headers, account, correlation_id)


async def send_reply(
    reply: WireReply, scope: Scope, receive: Receive, send: Send, hang_up: Callable[[Scope], None]
) -> None:
    """Send a reply over ASGI, late or broken as it is to be.

    The request must have been read to its end, or a client meets the reset while it sends and may then see
    an orderly end. It returns early when the client goes away or the server hangs up, so nothing outlasts the
    server.

    Args:
        reply: The reply.
        scope: Of ASGI.
        receive: Of ASGI.
        send: Of ASGI.
        hang_up: Resets the connection of a scope.
    """
    if reply.delay and await _gone_within(reply.delay, receive):
        return
    if reply.ending in {"complete", "reset-middle"}:
        await _send(reply, send)
    if reply.ending in {"reset", "reset-middle"}:
        hang_up(scope)
    if reply.ending != "complete":
        # An application that returns before its connection is gone would be answered for, with 500.
        await _gone(receive)


def abort_connection(server: uvicorn.Server, scope: Scope) -> None:
    """Reset the connection of a request: the client sees ECONNRESET, not an orderly end.

    The server must not take the address of a client from `X-Forwarded-For` (`proxy_headers=False`), or the
    connection is not found.

    Args:
        server: The server that has the connection.
        scope: Of ASGI.
    """
    for connection in list(server.server_state.connections):
        if isinstance(connection, H11Protocol) and connection.client == scope["client"]:
            connection.transport.get_extra_info("socket").setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER
            )
            connection.transport.abort()


def _from_hubspot(
    fault: Fault, status: int, headers: Mapping[str, str], account: int, correlation_id: str
) -> WireReply:
    if fault.seconds is not None:
        headers = {**headers, "Retry-After": str(math.ceil(fault.seconds))}
    if policy := _POLICIES.get(fault.name):
        body: Json = {**rate_limit_body(policy, account=account, correlation_id=correlation_id)}
        used_up = _USED_UP[fault.name]
        return json_reply(status, body, {**headers, used_up: "0"} if used_up in headers else headers)
    refusal = Refusal(status=status, message=_MESSAGES[status])
    return json_reply(status, refusal.body(correlation_id), headers)


def _from_gateway(status: int) -> WireReply:
    title = _GATEWAY_TITLES[status]
    head = f"<head><title>api.hubapi.com | {status}: {title}</title></head>"
    text = f"<h1>{title} <span>Error code {status}</span></h1><p>cloudflare</p>"
    page = f"<!DOCTYPE html>\n<html>{head}<body>{text}</body></html>\n" if title else ""
    return WireReply(status=status, headers={"Content-Type": "text/html; charset=UTF-8"}, body=page.encode())


def _altered(fault: Fault, reply: WireReply) -> WireReply:
    change = msgspec.structs.replace
    match fault.name:
        case "slow" | "slow-tail":
            return change(reply, delay=fault.seconds or 0.0)
        case "reset-middle":
            return change(reply, ending="reset-middle")
        case "truncated":
            return change(reply, body=reply.body[: len(reply.body) // 2])
        case "invalid-utf8":
            return change(reply, body=_invalid(reply.body))
        case "gzip":
            compressed = {**reply.headers, "Content-Encoding": "gzip"}
            return change(reply, headers=compressed, body=gzip.compress(reply.body, mtime=0))
        case _:
            return _reworded(fault, reply)


def _invalid(body: bytes) -> bytes:
    # Inside a text, so that nothing but the encoding is at fault.
    before, quote, after = body.rpartition(b'"')
    return before + b"\xff" + quote + after


def _reworded(fault: Fault, reply: WireReply) -> WireReply:
    """Change what only the reply of a batch has; a refusal stays as it is."""
    if not 200 <= reply.status < 300:  # noqa: PLR2004 - the range of HTTP
        return reply
    if fault.status is not None:
        # 207 says that inputs failed, and no change of HubSpot's has taken that away.
        status = fault.status if reply.status == HTTPStatus.CREATED else reply.status
        return msgspec.structs.replace(reply, status=status)
    body: dict[str, Any] = msgspec.json.decode(reply.body)
    changes = {"requestedAt": None} if fault.name == "requested-at-null" else {"status": _UNKNOWN_STATUS}
    return msgspec.structs.replace(reply, body=msgspec.json.encode({**body, **changes}))


async def _send(reply: WireReply, send: Send) -> None:
    whole = reply.ending == "complete"
    headers = [(name.lower().encode(), value.encode()) for name, value in reply.headers.items()]
    length = (b"content-length", str(len(reply.body)).encode())
    await send({"type": "http.response.start", "status": reply.status, "headers": [*headers, length]})
    body = reply.body if whole else reply.body[: len(reply.body) // 2]
    await send({"type": "http.response.body", "body": body, "more_body": not whole})


async def _gone_within(seconds: float, receive: Receive) -> bool:
    """Wait, and return whether the client has gone meanwhile."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await _gone(receive)
            return True
    return False


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
