"""Add to rows that name an order by the shop's number the record id that HubSpot gave it.

    python add_order_ids.py ORDERS_DONE ROWS LINKED WAITING

ORDERS_DONE is what `hubspot-batch create orders --results` has written. LINKED gets those rows of ROWS whose
order has a record id, with that id in the column order_id. WAITING gets the others as they are.
"""

import csv
import sys
from pathlib import Path


def main(orders_done: Path, rows: Path, linked: Path, waiting: Path) -> None:
    """Read the first two files and write the other two."""
    with orders_done.open(encoding="utf-8", newline="") as file:
        ids = {order["hs_external_order_id"]: order["_id"] for order in csv.DictReader(file)}

    with (
        rows.open(encoding="utf-8", newline="") as source,
        linked.open("w", encoding="utf-8", newline="") as with_id,
        waiting.open("w", encoding="utf-8", newline="") as without_id,
    ):
        reader = csv.DictReader(source)
        columns = reader.fieldnames or []
        to_push = csv.DictWriter(with_id, [*columns, "order_id"])
        to_keep = csv.DictWriter(without_id, columns)
        to_push.writeheader()
        to_keep.writeheader()
        for row in reader:
            if order_id := ids.get(row["order_number"]):
                to_push.writerow({**row, "order_id": order_id})
            else:
                to_keep.writerow(row)


if __name__ == "__main__":
    if len(sys.argv) != 5:  # noqa: PLR2004 - the program and the four files
        sys.exit(__doc__)
    main(*map(Path, sys.argv[1:]))
