"""This library."""

from collections.abc import Awaitable, Callable
from typing import Any

from _batches import UNIQUE, Shape, names

from hubspot_batch import AsyncHubSpot, HubSpot


def sender(url: str, batch: Shape) -> Callable[[], object]:
    """Return what sends the batch."""
    return sending(HubSpot("token", base_url=url), batch)


def async_sender(url: str, batch: Shape) -> Callable[[], Awaitable[object]]:
    """Return what sends the batch, asynchronously."""
    return sending(AsyncHubSpot("token", base_url=url), batch)


def sending(hub: HubSpot | AsyncHubSpot, batch: Shape) -> Callable[[], Any]:
    """Return what sends the batch with a client."""
    objects: Any = getattr(hub, batch.object_type)
    match batch.verb:
        case "read":
            ids, properties = [item["id"] for item in batch.inputs], names()
            return lambda: objects.batch_read(ids, properties=properties)
        case "upsert":
            return lambda: objects.batch_upsert(batch.inputs, id_property=UNIQUE)
        case _:
            return lambda: objects.batch_create(batch.inputs)
