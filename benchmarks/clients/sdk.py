"""`hubspot-sdk`."""

from collections.abc import Awaitable, Callable
from typing import Any

from _batches import Shape
from hubspot_sdk import AsyncHubSpot, HubSpot


def sender(url: str, batch: Shape) -> Callable[[], object]:
    """Return what creates the records."""
    return _sender(HubSpot(access_token="token", base_url=url), batch)  # noqa: S106


def async_sender(url: str, batch: Shape) -> Callable[[], Awaitable[object]]:
    """Return what creates the records, asynchronously."""
    return _sender(AsyncHubSpot(access_token="token", base_url=url), batch)  # noqa: S106


def _sender(hub: HubSpot | AsyncHubSpot, batch: Shape) -> Callable[[], Any]:
    batches = getattr(hub.crm.objects, batch.object_type).batch
    # It takes no input without this key.
    return lambda: batches.create(inputs=[{"associations": [], **item} for item in batch.inputs])
