"""The batches that all candidates send: what people send, in several shapes.

The main shape is an order with 6 properties and one association, to its contact.
"""

import csv
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

BATCH = 100
FILE = Path(__file__).resolve().parents[1] / "examples" / "orders.csv"
MAIN = "orders"
PROPERTIES = 6
UNIQUE = "hs_external_order_id"
# The column of a file that names the contact of an order.
CONTACT = "contact_id"
NOTE = "Bitte klingeln, Hof links. " * 1500
Input: TypeAlias = dict[str, Any]


class Shape(NamedTuple):
    """A batch.

    Attributes:
        inputs: What a caller hands over.
        wire: The same as JSON with text only, as it is sent.
        verb: What the batch does.
        object_type: The type of its records.
    """

    inputs: Sequence[Input]
    wire: Sequence[Input]
    verb: str = "create"
    object_type: str = "orders"

    @property
    def path(self) -> str:
        """The path of the request."""
        return f"/crm/v3/objects/{self.object_type}/batch/{self.verb}"

    @property
    def payload(self) -> Mapping[str, Any]:
        """The body of the request. The trace ids are as long as those that a client makes."""
        if self.verb == "read":
            return {"inputs": self.wire, "properties": names(), "propertiesWithHistory": []}
        return {
            "inputs": [
                {"objectWriteTraceId": f"input-{number}", **item} for number, item in enumerate(self.wire)
            ]
        }


def shape(name: str) -> Shape:
    """Return a batch by the name of its shape."""
    return SHAPES[name]()


def orders() -> list[dict[str, str]]:
    """Return the orders of the example, each with 14 properties."""
    with FILE.open(encoding="utf-8", newline="") as file:
        return list(islice(csv.DictReader(file), BATCH))


def names() -> list[str]:
    """Return the properties of the main shape."""
    return list(orders()[0])[:PROPERTIES]


def short_orders() -> list[dict[str, str]]:
    """Return the orders with the properties of the main shape."""
    return [dict(islice(order.items(), PROPERTIES)) for order in orders()]


def linked(properties: Mapping[str, Any], type_id: int, target: object) -> Any:  # noqa: ANN401 - an input
    """Return an input with one association."""
    types = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": type_id}]
    return {"properties": properties, "associations": [{"to": {"id": target}, "types": types}]}


def _all_linked(
    rows: Sequence[Mapping[str, object]], type_id: int, target: Callable[[str], object] = str
) -> list[Input]:
    return [linked(row, type_id, target(str(20_000_000_000 + number))) for number, row in enumerate(rows)]


def _sent(inputs: Sequence[Input], wire: Sequence[Input] | None = None, **fields: str) -> Shape:
    return Shape(inputs, inputs if wire is None else wire, **fields)


def _order_to_contact() -> list[Input]:
    return _all_linked(short_orders(), 507)


def _traced() -> list[Input]:
    return [
        {**item, "objectWriteTraceId": f"order-{number}"} for number, item in enumerate(_order_to_contact())
    ]


def _line_items() -> list[Input]:
    items = [
        {
            "name": order["hs_order_note"],
            "hs_sku": f"SKU-{number}",
            "quantity": str(number),
            "price": order["hs_total_price"],
            "hs_line_item_currency_code": order["hs_currency_code"],
            "hs_external_id": f"{number}-1",
        }
        for number, order in enumerate(orders())
    ]
    return _all_linked(items, 514)


def _typed() -> Shape:
    rows = [
        {
            **order,
            "hs_total_price": Decimal(order["hs_total_price"]),
            "hs_external_created_date": datetime.fromisoformat(order["hs_external_created_date"]),
            "hs_buyer_accepts_marketing": order["hs_buyer_accepts_marketing"] == "true",
        }
        for order in orders()
    ]
    return _sent(_all_linked(rows, 507), _all_linked(orders(), 507))


def _read() -> Shape:
    return _sent([{"id": str(20_000_000_000 + number)} for number in range(BATCH)], verb="read")


def _upsert() -> Shape:
    inputs = [{"id": order[UNIQUE], "idProperty": UNIQUE, "properties": order} for order in short_orders()]
    return _sent(inputs, verb="upsert")


SHAPES: Mapping[str, Callable[[], Shape]] = {
    MAIN: lambda: _sent(_order_to_contact()),
    "orders with trace ids": lambda: _sent(_traced()),
    "orders without associations": lambda: _sent([{"properties": order} for order in short_orders()]),
    "orders of 14 properties": lambda: _sent(_all_linked(orders(), 507)),
    "orders of 40 KiB": lambda: _sent(
        _all_linked([{**row, "hs_order_note": NOTE} for row in short_orders()], 507)
    ),
    "line items": lambda: _sent(_line_items(), object_type="line_items"),
    "ids as ints": lambda: _sent(_all_linked(short_orders(), 507, int), _order_to_contact()),
    "numbers and dates": _typed,
    "read": _read,
    "upsert": _upsert,
}
