"""What README.md promises beside its examples, which test_pages.py runs."""

import re
from pathlib import Path

from click.testing import CliRunner

from hubspot_batch import CreateInput, HubSpot
from hubspot_batch.cli._commands import commands
from hubspot_batch.sandbox import Sandbox

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_first_example_is_short() -> None:
    (example, *_) = re.findall(r"^```python\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)

    assert len([line for line in example.splitlines() if line.strip()]) <= 16


def test_a_create_of_100_orders_with_one_bad_order_writes_the_other_99() -> None:
    assert "A create of 100 orders with one bad order writes the other 99." in " ".join(README.split())
    orders: list[CreateInput] = [{"properties": {"hs_order_name": f"A-{row}"}} for row in range(99)]
    orders.insert(41, {"properties": {"hs_order_name": "A-bad", "hs_total_price": "12,50"}})
    with Sandbox() as box, HubSpot(box.access_token, base_url=box.url) as hub:
        result = hub.orders.batch_create(orders)

    assert {record.index for record in result.records} == {*range(100)} - {41}
    assert [error.index for error in result.errors] == [41]


def test_the_exit_codes_are_those_of_the_help() -> None:
    page = (ROOT / "docs" / "bulk.md").read_text(encoding="utf-8")
    in_page = re.findall(r"^\| (\d) \|", page, re.MULTILINE)

    help_text = CliRunner().invoke(commands, ["--help"]).output

    assert in_page
    assert re.findall(r"^ +(\d)  \w", help_text, re.MULTILINE) == in_page
