"""The files of a German shop become linked records, night after night, without a program."""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hubspot_batch.sandbox import Property, Sandbox, StoredRecord

if TYPE_CHECKING:
    from tests.cli.conftest import Done, Shell, Write

ORDERS, ITEMS, CUSTOMERS = 150, 300, 40
STAGES = {"Offen": "s-open", "Versandt": "s-shipped", "Storniert": "s-cancelled"}
# What a person writes in place of the questions of the first mapping file.
ANSWERS: Mapping[str, Mapping[str, str]] = {
    "orders": {
        "timezone": '"Europe/Berlin"',
        '"Bestellnr."': '["hs_order_name", "shop_number"]',
        '"E-Mail"': '{ associate = "contact@email" }',
        "hs_currency_code": '"EUR"',
    },
    "line-items": {
        '"Positionsnr."': '"hs_external_id"',
        '"Bestellnr."': '{ associate = "order@shop_number" }',
    },
}
_QUESTION = re.compile(r"# (?P<key>[^ ]+) = (?P<proposal>.+?)    # \?")


def exported(rows: Sequence[Sequence[str]]) -> bytes:
    return "".join(f"{';'.join(row)}\r\n" for row in rows).encode("cp1252")


def order(number: int) -> list[str]:
    return [
        f"B-{number:04}",
        f"{number % 28 + 1:02}.07.2026 14:05",
        f"1.{number:03},50",
        ("Nein", "Ja")[number % 2],
        list(STAGES)[number % 3],
        f"Kunde{number % CUSTOMERS}@beispiel.de",
        "Jürgen Groß",
    ]


def item(number: int) -> list[str]:
    return [f"P-{number:04}", f"B-{number % ORDERS:04}", "Kettenöl", "2", "12,50"]


ORDER_COLUMNS = ["Bestellnr.", "Bestelldatum", "Gesamtbetrag", "Newsletter", "Status", "E-Mail", "Name"]
ITEM_COLUMNS = ["Positionsnr.", "Bestellnr.", "Artikel", "Menge", "Einzelpreis"]


def answered(path: Path, answers: Mapping[str, str]) -> None:
    """Answer the questions of a first mapping file; what has no answer is right as it is proposed."""
    lines: dict[str, str] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        question = _QUESTION.match(line)
        if question is None:
            lines[line] = line
        elif (key := question["key"]) not in lines and key != "empty":
            lines[key] = f"{key} = {answers.get(key, question['proposal'])}"
    path.write_text("\n".join(lines.values()), encoding="utf-8")


def contacts_of(record: StoredRecord) -> list[str]:
    return [link.to_id for link in record.associations if link.to_type == "contacts"]


class Shop:
    """The commands that a person types, and the account that they are about."""

    def __init__(self, shell: "Shell", folder: Path) -> None:
        unique = Property("text", unique=True)
        stages = Property("enumeration", tuple(STAGES.values()), labels=tuple(STAGES))
        self.box: Sandbox = shell.open(
            properties={"orders": {"shop_number": unique, "hs_pipeline_stage": stages}},
            records={
                "contacts": [
                    {"id": str(500 + number), "email": f"kunde{number}@beispiel.de"}
                    for number in range(CUSTOMERS)
                ]
            },
        )
        self._shell = shell
        self._folder = folder

    def map(self, name: str, file: Path) -> None:
        """Write a first mapping file, and answer its questions."""
        mapping = self._folder / f"{name}.toml"
        done = self._shell("mapping", name, file, "--output", mapping, "--base-url", self.box.url)
        assert done.code == 0, done.err
        answered(mapping, ANSWERS[name])

    def upsert(self, name: str, file: Path, key: str, *options: object) -> "Done":
        """Create and update what a file holds."""
        return self._shell(
            *("upsert", name, file, "--mapping", self._folder / f"{name}.toml", "--id-property", key),
            *("--base-url", self.box.url, *options),
        )


def test_from_the_files_to_linked_records_and_the_next_night(
    tmp_path: Path, write: "Write", shell: "Shell"
) -> None:
    shop = Shop(shell, tmp_path)
    orders = write("bestellungen.csv", exported([ORDER_COLUMNS, *map(order, range(ORDERS))]))
    items = write("positionen.csv", exported([ITEM_COLUMNS, *map(item, range(ITEMS))]))

    shop.map("orders", orders)
    shop.map("line-items", items)
    checked = shop.upsert("orders", orders, "shop_number", "--dry-run", "--look")
    first = [shop.upsert("orders", orders, "shop_number"), shop.upsert("line-items", items, "hs_external_id")]

    assert (checked.code, checked.err) == (0, "")
    assert f"0 are about records that exist, {ORDERS} about new ones" in checked.out
    assert [done.code for done in first] == [0, 0], first
    stored = {record.properties["shop_number"]: record for record in shop.box.records("orders")}
    assert len(stored) == ORDERS
    assert (
        stored["B-0007"].properties.items()
        >= {
            "hs_order_name": "B-0007",
            "hs_external_created_date": "2026-07-08T12:05:00Z",
            "hs_total_price": "1007.50",
            "hs_buyer_accepts_marketing": "true",
            "hs_pipeline_stage": "s-shipped",
            "hs_billing_address_name": "Jürgen Groß",
            "hs_currency_code": "EUR",
        }.items()
    )
    assert contacts_of(stored["B-0007"]) == ["507"]
    for record in shop.box.records("line_items"):
        number = int(str(record.properties["hs_external_id"]).removeprefix("P-"))
        assert (record.properties["name"], record.properties["price"]) == ("Kettenöl", "12.50")
        assert [link.to_id for link in record.associations] == [stored[f"B-{number % ORDERS:04}"].id]

    changed = [order(number) for number in range(ORDERS + 1)]
    changed[0][4], changed[1][5], changed[2][1] = "Versandt", "niemand@beispiel.de", "31.02.2026 10:00"
    orders.write_bytes(exported([ORDER_COLUMNS, *changed]))
    items.write_bytes(exported([ITEM_COLUMNS, item(0), ["P-9999", "B-0150", "Glühbirne", "1", "0,99"]]))
    results = tmp_path / "ergebnis.csv"
    second = [
        shop.upsert("orders", orders, "shop_number", "--results", results),
        shop.upsert("line-items", items, "hs_external_id"),
    ]

    assert [done.code for done in second] == [4, 0], second
    assert f"updated {ORDERS - 2}, created 1" in second[0].out
    told = list(csv.DictReader(io.StringIO(results.read_text(encoding="cp1252")), delimiter=";"))
    assert [(row["_key"], row["_code"]) for row in told if row["_outcome"] == "rejected"] == [
        ("B-0001", "TARGET_NOT_FOUND"),
        ("B-0002", "INVALID_INPUT"),
    ]
    stored = {record.properties["shop_number"]: record for record in shop.box.records("orders")}
    assert stored["B-0000"].properties["hs_pipeline_stage"] == "s-shipped"
    assert [link.to_type for link in stored["B-0150"].associations if link.to_type != "line_items"] == [
        "contacts"
    ]
    assert {row["_key"]: row["_id"] for row in told if row["_id"]} == {
        number: record.id for number, record in stored.items() if number not in ("B-0001", "B-0002")
    }
    assert len(shop.box.records("line_items")) == ITEMS + 1
