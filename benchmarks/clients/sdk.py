"""`hubspot-sdk`."""

from collections.abc import Awaitable, Callable, Sequence

from hubspot_sdk import AsyncHubSpot, HubSpot


def sender(url: str, orders: Sequence[dict[str, str]]) -> Callable[[], object]:
    """Return what creates the orders."""
    hub = HubSpot(access_token="token", base_url=url)  # noqa: S106
    return lambda: hub.crm.objects.orders.batch.create(
        inputs=[{"properties": order, "associations": []} for order in orders]
    )


def async_sender(url: str, orders: Sequence[dict[str, str]]) -> Callable[[], Awaitable[object]]:
    """Return what creates the orders, asynchronously."""
    hub = AsyncHubSpot(access_token="token", base_url=url)  # noqa: S106
    return lambda: hub.crm.objects.orders.batch.create(
        inputs=[{"properties": order, "associations": []} for order in orders]
    )
