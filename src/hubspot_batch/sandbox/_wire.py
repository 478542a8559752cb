"""Replies, and how they are sent: late, broken, or not at all."""

import asyncio
import socket
import struct
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from http import HTTPStatus
from typing import Literal, TypeAlias

import msgspec
import uvicorn
from msgspec import Struct
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from hubspot_batch.sandbox._bodies import Json

Ending: TypeAlias = Literal["complete", "reset", "reset-middle", "never"]

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


def json_reply(status: int, body: Json | None, headers: Mapping[str, str] | None = None) -> WireReply:
    """Return a reply with a JSON body.

    Args:
        status: The HTTP status.
        body: The body; None for a reply without one.
        headers: Further headers.
    """
    if body is None:
        return WireReply(status=status, headers=headers or {})
    kind = {"Content-Type": "application/json;charset=utf-8"}
    return WireReply(status=status, headers={**kind, **(headers or {})}, body=msgspec.json.encode(body))


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


def open_connections(server: uvicorn.Server) -> list[H11Protocol]:
    """Return the connections of a server."""
    # It is told to speak h11, and no other protocol.
    return [found for found in list(server.server_state.connections) if isinstance(found, H11Protocol)]


def abort_connection(server: uvicorn.Server, scope: Scope) -> None:
    """Reset the connection of a request: the client sees ECONNRESET, not an orderly end.

    The server must not take the address of a client from `X-Forwarded-For` (`proxy_headers=False`), or the
    connection is not found.

    Args:
        server: The server that has the connection.
        scope: Of ASGI.
    """
    for connection in open_connections(server):
        if connection.client == scope["client"]:
            connection.transport.get_extra_info("socket").setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER
            )
            connection.transport.abort()


async def _send(reply: WireReply, send: Send) -> None:
    whole = reply.ending == "complete"
    headers = [(name.lower().encode(), value.encode()) for name, value in reply.headers.items()]
    if reply.status != HTTPStatus.NO_CONTENT:
        headers.append((b"content-length", str(len(reply.body)).encode()))
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
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
