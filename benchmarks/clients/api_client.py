"""`hubspot-api-client`. It has no asynchronous client."""

from collections.abc import Callable, Sequence

from hubspot import HubSpot
from hubspot.crm.objects import (
    BatchInputSimplePublicObjectBatchInputForCreate,
    SimplePublicObjectBatchInputForCreate,
)


def sender(url: str, orders: Sequence[dict[str, str]]) -> Callable[[], object]:
    """Return what creates the orders."""
    batches = HubSpot(access_token="token", host=url).crm.objects.batch_api  # noqa: S106

    def send() -> object:
        inputs = [
            SimplePublicObjectBatchInputForCreate(properties=order, associations=[]) for order in orders
        ]
        return batches.create("orders", BatchInputSimplePublicObjectBatchInputForCreate(inputs=inputs))

    return send
