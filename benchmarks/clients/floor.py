"""The least that a client over httpx can do: post encoded bytes, and read the reply with orjson."""

from collections.abc import Awaitable, Callable

import httpx
import orjson
from _batches import Shape

HEADERS = {"Authorization": "Bearer token", "Content-Type": "application/json"}


def sender(url: str, batch: Shape) -> Callable[[], object]:
    """Return what sends the batch."""
    http, path, content = httpx.Client(base_url=url, headers=HEADERS), batch.path, encoded(batch)

    def send() -> object:
        return orjson.loads(http.post(path, content=content).raise_for_status().content)

    return send


def async_sender(url: str, batch: Shape) -> Callable[[], Awaitable[object]]:
    """Return what sends the batch, asynchronously."""
    http, path, content = httpx.AsyncClient(base_url=url, headers=HEADERS), batch.path, encoded(batch)

    async def send() -> object:
        reply = await http.post(path, content=content)
        return orjson.loads(reply.raise_for_status().content)

    return send


def encoded(batch: Shape) -> bytes:
    """Return the body of the request."""
    return bytes(orjson.dumps(batch.payload))
