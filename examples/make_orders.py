"""Write the files of this folder: the first 500 orders of TPC-H and what belongs to them.

The header of orders.csv holds HubSpot's internal property names, so that a row is the properties of one
order. Eight of its rows are wrong on purpose: see `FAULTS`. The other files name their columns as a shop
would: shop-orders.csv has the same orders, and what belongs to them names them by the shop's number, for
HubSpot's id is not known before an order is created.

    python examples/make_orders.py [OUTPUT]
"""

import csv
import io
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Collection, Iterable, Iterator
from decimal import Decimal
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import NamedTuple

zstd = import_module("compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd")

OUTPUT = Path(__file__).with_name("orders.csv")
# What `hubspot-batch demo` pushes: the orders without the random texts, which take half of the file.
PACKAGED = Path(__file__).parents[1] / "src" / "hubspot_batch" / "cli" / "orders.csv.zst"
RANDOM_TEXTS = ("hs_order_note", "hs_shipping_address_street")
ROWS = 500
SCALE_FACTOR = "0.001"
TABLES = "orders,lineitem,part,customer,nation"

# An order is O while none of its items has left, P when some have, F when all have. The ids are
# those of Open, Processed and Shipped in the order pipeline that HubSpot sets up.
STAGES = {
    "O": "4b27b500-f031-4927-9811-68a0b525cbae",
    "P": "937ea84d-0a4f-4dcf-9028-3f9c2aafbf03",
    "F": "aa99e8d0-c1d5-4071-b915-d240bbb1aed9",
}


class Fault(NamedTuple):
    """A mistake in one row.

    Attributes:
        row: Row number; 1 is the first row after the header.
        name: The property that is wrong.
        value: What the row says in place of the right value.
        reason: Why HubSpot refuses it.
    """

    row: int
    name: str
    value: str
    reason: str


# Mistakes that shops make and only HubSpot can see: to a client each is a valid string.
# Rows 401 to 500 have none, so that one batch of 100 goes through whole.
FAULTS = (
    Fault(27, "hs_pipeline_stage", "In transit", "the pipeline has no such stage"),
    Fault(60, "hs_currency_code", "EURO", "not an ISO 4217 code, so no currency of the account"),
    Fault(117, "hs_total_price", "216,826.73", "a number has no thousands separator"),
    Fault(200, "hs_order_name", "", "an order needs a name"),
    Fault(228, "hs_total_price", "$120073.51", "a number has no currency sign"),
    Fault(281, "hs_external_created_date", "13/01/1997", "a date is written in ISO 8601"),
    Fault(310, "hs_pipeline_stage", "In transit", "the pipeline has no such stage"),
    Fault(389, "hs_buyer_accepts_marketing", "yes", "a checkbox is true or false"),
)

# What the shop calls the columns of its own export.
SHOP_NAMES = {
    "hs_external_order_id": "order_number",
    "hs_order_name": "title",
    "hs_external_created_date": "placed_at",
    "hs_pipeline_stage": "stage",
    "hs_currency_code": "currency",
    "hs_total_price": "total",
    "hs_buyer_accepts_marketing": "accepts_marketing",
}

Row = dict[str, str]


def find_generator() -> str:
    """Find tpchgen-cli beside this Python, else on PATH.

    Returns:
        Path of the executable.

    Raises:
        FileNotFoundError: It is in neither place.
    """
    folders = (str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath))
    if found := shutil.which("tpchgen-cli", path=os.pathsep.join(folders)):
        return found
    raise FileNotFoundError("tpchgen-cli is not installed; install it with: pip install tpchgen-cli")


def generate(folder: Path) -> None:
    """Have tpchgen-cli write the tables of TPC-H that are needed into a folder, as CSV.

    Raises:
        FileNotFoundError: tpchgen-cli is not installed.
        subprocess.CalledProcessError: tpchgen-cli failed; its own message is on stderr.
    """
    options = ["--scale-factor", SCALE_FACTOR, "--tables", TABLES, "--quiet"]
    subprocess.run([find_generator(), "csv", *options, "--output-dir", str(folder)], check=True)


def read(path: Path) -> Iterator[Row]:
    """Yield the rows of a CSV file."""
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def to_properties(order: Row, customer: Row, nation: Row) -> Row:
    """Say in HubSpot's terms what TPC-H knows of one order."""
    return {
        "hs_order_name": f"Order {order['o_orderkey']}",
        "hs_external_order_id": order["o_orderkey"],
        "hs_currency_code": "USD",
        "hs_total_price": order["o_totalprice"],
        "hs_external_created_date": f"{order['o_orderdate']}T00:00:00.000Z",
        "hs_external_order_status": order["o_orderstatus"],
        "hs_source_store": customer["c_mktsegment"].title(),
        "hs_pipeline_stage": STAGES[order["o_orderstatus"]],
        "hs_order_note": order["o_comment"].strip(),
        "hs_billing_address_name": customer["c_name"],
        "hs_billing_address_phone": customer["c_phone"],
        "hs_billing_address_country": nation["n_name"].title(),
        "hs_shipping_address_street": customer["c_address"].strip(),
        # TPC-H knows no consent: a customer in credit stands for one who gave it.
        "hs_buyer_accepts_marketing": "false" if customer["c_acctbal"].startswith("-") else "true",
    }


def to_line_item(item: Row, part: Row) -> Row:
    """Say as a shop would what TPC-H knows of one line item."""
    return {
        "item_number": f"{item['l_orderkey']}-{item['l_linenumber']}",
        "order_number": item["l_orderkey"],
        "sku": f"P-{part['p_partkey']}",
        "product": part["p_type"].title(),
        "quantity": item["l_quantity"],
        "unit_price": part["p_retailprice"],
        "discount_percent": f"{Decimal(item['l_discount']) * 100:.0f}",
    }


def to_payment(order: Row) -> Row:
    """Say as a shop would that an order was paid, in full: TPC-H knows no payments."""
    return {
        "payment_number": f"PAY-{order['o_orderkey']}",
        "order_number": order["o_orderkey"],
        "amount": order["o_totalprice"],
        "paid_at": f"{order['o_orderdate']}T00:00:00.000Z",
    }


def make_orders(folder: Path, orders: Iterable[Row]) -> Iterator[Row]:
    """Yield the HubSpot properties of orders, faults included."""
    nations = {row["n_nationkey"]: row for row in read(folder / "nation.csv")}
    customers = {row["c_custkey"]: row for row in read(folder / "customer.csv")}
    faults = {fault.row: {fault.name: fault.value} for fault in FAULTS}
    for number, order in enumerate(orders, start=1):
        customer = customers[order["o_custkey"]]
        properties = to_properties(order, customer, nations[customer["c_nationkey"]])
        yield properties | faults.get(number, {})


def to_shop(order: Row) -> Row:
    """Say as a shop would what it knows of one order, faults included."""
    return {column: order[name] for name, column in SHOP_NAMES.items()}


def make_line_items(folder: Path, orders: Iterable[Row]) -> Iterator[Row]:
    """Yield the line items of orders."""
    parts = {row["p_partkey"]: row for row in read(folder / "part.csv")}
    wanted = {order["o_orderkey"] for order in orders}
    for item in read(folder / "lineitem.csv"):
        if item["l_orderkey"] in wanted:
            yield to_line_item(item, parts[item["l_partkey"]])


def make_payments(orders: Iterable[Row]) -> Iterator[Row]:
    """Yield the payments of orders. An order is paid if an item of it has shipped."""
    return (to_payment(order) for order in orders if order["o_orderstatus"] != "O")


def make_rows() -> tuple[list[Row], list[Row], list[Row]]:
    """Make the rows of orders.csv, line-items.csv and payments.csv.

    Raises:
        FileNotFoundError: tpchgen-cli is not installed.
        subprocess.CalledProcessError: tpchgen-cli failed.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        generate(folder)
        orders = list(islice(read(folder / "orders.csv"), ROWS))
        return (
            list(make_orders(folder, orders)),
            list(make_line_items(folder, orders)),
            list(make_payments(orders)),
        )


def as_csv(rows: list[Row], without: Collection[str] = ()) -> bytes:
    """Return rows as CSV: UTF-8, lines that end in a line feed."""
    columns = [name for name in rows[0] if name not in without]
    file = io.StringIO()
    writer = csv.DictWriter(file, columns, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue().encode()


def main(output: Path = OUTPUT) -> None:
    """Write the four files, and the orders that come with the package.

    Args:
        output: The file for the orders; the others are written beside it, and nothing in the package unless
            it is the usual one. Those that exist are replaced.

    Raises:
        SystemExit: tpchgen-cli is not installed, or failed.
    """
    try:
        orders, line_items, payments = make_rows()
    except (FileNotFoundError, subprocess.CalledProcessError) as error:
        sys.exit(f"make_orders: {error}")
    output.write_bytes(as_csv(orders))
    if output == OUTPUT:
        PACKAGED.write_bytes(zstd.compress(as_csv(orders, RANDOM_TEXTS), 19))
    output.with_name("shop-orders.csv").write_bytes(as_csv([to_shop(order) for order in orders]))
    output.with_name("line-items.csv").write_bytes(as_csv(line_items))
    output.with_name("payments.csv").write_bytes(as_csv(payments))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:2]))
