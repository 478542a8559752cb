"""This library, with values as Python code has them instead of text: they have to be converted first."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from clients import ours

from hubspot_batch.contract._values import PropertyValue


def sender(url: str, orders: Sequence[dict[str, str]]) -> Callable[[], object]:
    """Return what creates the orders."""
    return ours.sender(url, [typed(order) for order in orders])


def async_sender(url: str, orders: Sequence[dict[str, str]]) -> Callable[[], Awaitable[object]]:
    """Return what creates the orders, asynchronously."""
    return ours.async_sender(url, [typed(order) for order in orders])


def typed(order: Mapping[str, str]) -> Mapping[str, PropertyValue]:
    """Return an order with a number, a moment and a bool."""
    return {
        **order,
        "hs_total_price": Decimal(order["hs_total_price"]),
        "hs_external_created_date": datetime.fromisoformat(order["hs_external_created_date"]),
        "hs_buyer_accepts_marketing": order["hs_buyer_accepts_marketing"] == "true",
    }
