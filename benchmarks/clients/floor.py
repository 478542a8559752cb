"""The least that a client can do: httpx posts bytes that are encoded already, orjson reads the reply."""

from collections.abc import Awaitable, Callable, Sequence

import httpx
import orjson

PATH = "/crm/v3/objects/orders/batch/create"
HEADERS = {"Authorization": "Bearer token", "Content-Type": "application/json"}


def sender(url: str, orders: Sequence[dict[str, str]]) -> Callable[[], object]:
    """Return what creates the orders."""
    http, content = httpx.Client(base_url=url, headers=HEADERS), encoded(orders)

    def send() -> object:
        return orjson.loads(http.post(PATH, content=content).raise_for_status().content)

    return send


def async_sender(url: str, orders: Sequence[dict[str, str]]) -> Callable[[], Awaitable[object]]:
    """Return what creates the orders, asynchronously."""
    http, content = httpx.AsyncClient(base_url=url, headers=HEADERS), encoded(orders)

    async def send() -> object:
        reply = await http.post(PATH, content=content)
        return orjson.loads(reply.raise_for_status().content)

    return send


def encoded(orders: Sequence[dict[str, str]]) -> bytes:
    """Return the body of the request. The trace ids are as long as those that a client makes."""
    inputs = [
        {"properties": order, "objectWriteTraceId": f"input-{number}"} for number, order in enumerate(orders)
    ]
    return bytes(orjson.dumps({"inputs": inputs}))
