"""Push the orders of a shop into a local HubSpot, then their line items and payments, linked with them.

    python examples/push_shop.py [STORE]

STORE is an SQLite file that keeps the records of the local HubSpot; without it they end with this program.

For HubSpot itself, write `with HubSpot() as hub:` and put your token into HUBSPOT_ACCESS_TOKEN. Give each
`create_all` a `journal` then: the same program again goes on where it stopped.
"""

import csv
import sys
from collections.abc import Mapping
from pathlib import Path

from hubspot_batch import Association, CreateInput, HubSpot
from hubspot_batch.bulk import Report
from hubspot_batch.sandbox import Sandbox

# What HubSpot calls these two links (docs/behaviour.md, "Associations").
LINE_ITEM_TO_ORDER = 514
PAYMENT_TO_ORDER = 524

Row = dict[str, str]


def main(store: str | None = None) -> None:
    """Start a local HubSpot and push."""
    with Sandbox(store=store) as box, HubSpot(box.access_token, base_url=box.url) as hub:
        push(hub)


def push(hub: HubSpot) -> None:
    """Push the three files. Rows whose order was refused are left out: there is nothing to link them with."""
    orders = read("orders.csv")
    report = hub.orders.create_all([order_input(row) for row in orders])
    tell(report)
    ids = {orders[index]["hs_external_order_id"]: record_id for index, record_id in report.ids}

    line_items = with_order("line-items.csv", ids)
    inputs = [line_item_input(row, ids[row["order_number"]]) for row in line_items]
    tell(hub.line_items.create_all(inputs, unique_property="hs_external_id"))

    payments = with_order("payments.csv", ids)
    inputs = [payment_input(row, ids[row["order_number"]]) for row in payments]
    tell(hub.commerce_payments.create_all(inputs))


def read(name: str) -> list[Row]:
    """Return the rows of a CSV file that lies beside this program."""
    with Path(__file__).with_name(name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def with_order(name: str, ids: Mapping[str, str]) -> list[Row]:
    """Return the rows of a CSV file whose order has a record id, and say how many have to wait for theirs."""
    rows = read(name)
    found = [row for row in rows if row["order_number"] in ids]
    print(f"{name}: {len(rows) - len(found)} of {len(rows)} rows wait for their order")
    return found


def order_input(row: Row) -> CreateInput:
    """Return an order; the columns are HubSpot's properties, and an empty cell is none."""
    return {"properties": {name: value for name, value in row.items() if value}}


def line_item_input(row: Row, order_id: str) -> CreateInput:
    """Return a line item that is linked with its order."""
    return {
        "properties": {
            "hs_external_id": row["item_number"],
            "hs_sku": row["sku"],
            "name": row["product"],
            "quantity": row["quantity"],
            "price": row["unit_price"],
            "hs_discount_percentage": row["discount_percent"],
        },
        "associations": [link(order_id, LINE_ITEM_TO_ORDER)],
    }


def payment_input(row: Row, order_id: str) -> CreateInput:
    """Return a payment that is linked with its order. It records what was paid elsewhere."""
    return {
        "properties": {
            "hs_reference_number": row["payment_number"],
            "hs_initial_amount": row["amount"],
            "hs_initiated_date": row["paid_at"],
            "hs_currency_code": "USD",
            "hs_latest_status": "succeeded",
        },
        "associations": [link(order_id, PAYMENT_TO_ORDER)],
    }


def link(record_id: str, type_id: int) -> Association:
    """Return a link with a record, of a type that HubSpot has defined."""
    return {
        "to": {"id": record_id},
        "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": type_id}],
    }


def tell(report: Report) -> None:
    """Print what became of a run, and why of each row that is not done."""
    print(f"{report.operation}: {report.done} of {report.read} rows are done")
    for outcome in report.outcomes:
        if not outcome.ok:
            print(f"  row {outcome.index + 1} is {outcome.status}:", *outcome.why)


if __name__ == "__main__":
    main(*sys.argv[1:])
