"""This library."""

from collections.abc import Awaitable, Callable, Mapping, Sequence

from hubspot_batch import AsyncHubSpot, HubSpot
from hubspot_batch.contract._values import PropertyValue

Orders = Sequence[Mapping[str, PropertyValue]]


def sender(url: str, orders: Orders) -> Callable[[], object]:
    """Return what creates the orders."""
    hub = HubSpot("token", base_url=url)
    return lambda: hub.orders.batch_create({"properties": order} for order in orders)


def async_sender(url: str, orders: Orders) -> Callable[[], Awaitable[object]]:
    """Return what creates the orders, asynchronously."""
    hub = AsyncHubSpot("token", base_url=url)
    return lambda: hub.orders.batch_create({"properties": order} for order in orders)
