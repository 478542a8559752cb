"""`hubspot-batch mapping`: what a first mapping file says about the columns of a file."""

import csv
import random
import re
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hubspot_batch.cli._detect import ColumnSample, sample_of
from hubspot_batch.cli._property_types import PROPERTY_TYPES, likely_property
from hubspot_batch.sandbox import Property
from hubspot_batch.sandbox._formats import FORMATS
from hubspot_batch.sandbox._object_types import SCHEMAS

if TYPE_CHECKING:
    from tests.cli.conftest import Shell, Write


def shown(*cells: object) -> dict[str, Any]:
    """Return what a sample shows, without what it does not."""
    sample, empty = sample_of("A", cells), ColumnSample(name="A")
    names = [name for name in sample.__struct_fields__ if name not in ("name", "filled", "words")]
    found = {name: getattr(sample, name) for name in names if getattr(sample, name) != getattr(empty, name)}
    if "dates" in found:
        found["dates"] = [form.text for form in found["dates"]]
    return found


class TestSample:
    def test_numbers(self) -> None:
        assert shown("1.234,50", "12", "3,5") == {"kind": "number", "decimal": ","}
        assert shown("1,234.50", "12") == {"kind": "number", "decimal": "."}
        assert shown("12", "7") == {"kind": "number"}
        assert shown("1.234", "2.500") == {"kind": "number", "is_ambiguous": True}
        assert shown("12,50 €", "3 €") == {"kind": "number", "decimal": ",", "unit": "€"}
        assert shown("€ 12.50") == {"kind": "number", "decimal": ".", "unit": "€"}
        assert shown("1001.0", "1002.0") == {"kind": "number", "decimal": ".", "floats": True}
        for cells in (("12,50 €", "3"), ("12a",), ("a 1 b",), ("1.5", "1,5"), ("A-1",), ("1", "one")):
            assert shown(*cells).get("kind") is None

    def test_dates(self) -> None:
        assert shown("31.12.2026", "1.2.2026") == {"kind": "date", "dates": ["dd.mm.yyyy"]}
        assert shown("31.12.2026", "31.12.2026 14:05", "1.1.2026 1:02:03") == {
            "kind": "datetime",
            "dates": ["dd.mm.yyyy", "dd.mm.yyyy HH:MM", "dd.mm.yyyy HH:MM:SS"],
            "has_time": True,
        }
        assert shown("12/31/2026", "1/2/2026") == {"kind": "date", "dates": ["mm/dd/yyyy"]}
        assert shown("31/12/2026") == {"kind": "date", "dates": ["dd/mm/yyyy"]}
        assert shown("05/05/2026") == {"kind": "date", "dates": ["dd/mm/yyyy"]}
        assert shown("01/02/2026") == {"kind": "date", "dates": ["dd/mm/yyyy"], "is_ambiguous": True}
        assert shown("2026-09-01") == {"kind": "date", "dates": ["yyyy-mm-dd"]}
        assert shown("31.12.2026", "soon") == {}
        assert shown(*("1.1.2026", "1/13/2026", "2026/01/01", "13-1-2026")).get("kind") is None

    def test_words(self) -> None:
        assert shown("Ja", "Nein", "Ja") == {"kind": "bool", "yes": ["Ja"], "no": ["Nein"]}
        assert shown("TRUE", "FALSE") == {"kind": "bool", "yes": ["TRUE"], "no": ["FALSE"]}
        assert shown("Ja", "Ja") == shown("Ja", "Nein", "vielleicht") == {}
        assert sample_of("A", ["neu", "alt"] * 4).words == ["neu", "alt"]
        assert sample_of("A", ["neu", "alt"]).words == ()
        assert shown("a@b.de", "c@d.de") == {"has_mail": True}

    def test_empty_cells(self) -> None:
        assert shown("-", "12,5", "n/a") == {"kind": "number", "decimal": ",", "placeholders": ("-", "n/a")}
        assert shown("", None, 7, "-") == {"placeholders": ("-",)}


def test_hubspots_own_properties_are_those_of_the_sandbox() -> None:
    for name, kinds in PROPERTY_TYPES.items():
        schema = SCHEMAS[name]
        writable = {
            own: FORMATS[rule.kind].type
            for own, rule in schema.properties.items()
            if not rule.read_only and rule.kind != "owner"
        }
        assert kinds == writable
    assert likely_property("orders", "W\u00e4hrung") == "hs_currency_code"
    assert likely_property("orders", "Bestell-Nr.") == "hs_external_order_id"
    assert likely_property("contacts", "Name") is None


def shop(path: Path, rows: int) -> None:
    """Write the export of a German shop."""
    draw = random.Random(7)  # noqa: S311 - a sample, and always the same
    header = "Bestellnr.;Bestelldatum;Kunde;Kunden-E-Mail;Gesamtbetrag;Versandkosten;Währung;Newsletter"
    with path.open("w", encoding="cp1252", newline="") as file:
        writer = csv.writer(file, delimiter=";", lineterminator="\r\n")
        writer.writerow(f"{header};Status;Notiz".split(";"))
        for number in range(rows):
            cents = draw.randrange(100, 600_000)
            total = f"{cents // 100:,}".replace(",", ".") + f",{cents % 100:02}"
            day, month = draw.randrange(1, 29), draw.randrange(1, 13)
            writer.writerow(
                [
                    f"{100_000 + number}",
                    f"{day:02}.{month:02}.2026 {draw.randrange(24):02}:{draw.randrange(60):02}",
                    f"Jörg {draw.choice(['Müller', 'Weiß', 'Özdemir'])}",
                    f"kunde{number % 400}@example.de",
                    total,
                    draw.choice(["4,90", "0,00", "-"]),
                    "EUR",
                    draw.choice(["Ja", "Nein", ""]),
                    draw.choice(["Offen", "Bezahlt", "Versandt"]),
                    draw.choice(["", "schnell, bitte", "\u00a0"]),
                ]
            )


def answered(text: str, answers: Iterable[tuple[str, str]]) -> str:
    """Return a mapping file whose questions a person has answered."""
    for pattern, answer in answers:
        text, count = re.subn(pattern, answer, text, flags=re.MULTILINE)
        assert count
    return text


def test_a_german_shop_gets_from_its_export_to_records(tmp_path: Path, shell: "Shell") -> None:
    export, mapping = tmp_path / "bestellungen.csv", tmp_path / "shop.toml"
    shop(export, 600)

    written = shell("mapping", "orders", export, "--output", mapping, "--base-url", shell.box.url)
    first = mapping.read_text(encoding="utf-8")
    unanswered = shell.push("create", "orders", export, "--mapping", mapping, "--dry-run")
    mapping.write_text(
        answered(
            first,
            [
                (r'^# ("Bestellnr\.") = "(\w+)".*', r'\1 = ["\2", "hs_order_name"]'),
                (r'^# ("Status") = .*', r'\1 = "hs_external_order_status"'),
                (r'^# ("Kunden-E-Mail" = "\w+").*', r"\1"),
                (r'^# ("(?:Bestelld|Kunde"|Gesamt|Versand|W|News|Notiz).*? = "\w+").*', r"\1"),
                (r"^# (timezone|null) =", r"\1 ="),
            ],
        ),
        encoding="utf-8",
    )
    checked = shell.push("create", "orders", export, "--mapping", mapping, "--dry-run")
    done = shell.push("create", "orders", export, "--mapping", mapping)
    nightly = shell.push(
        *("upsert", "orders", export, "--mapping", mapping, "--id-property", "hs_external_order_id")
    )

    assert (written.code, unanswered.code, checked.code, done.code, nightly.code) == (0, 1, 0, 0, 0)
    assert "10 of 10 columns are questions" in written.err
    assert "says nothing about the column 'Bestellnr.'" in unanswered.err
    assert {key: value for key, value in tomllib.loads(first).items() if value} == {
        "object": "orders",
        "file": {"encoding": "cp1252", "delimiter": ";"},
        "values": {"decimal": ",", "date": "dd.mm.yyyy HH:MM", "yes": "Ja", "no": "Nein"},
    }
    sent = {order["hs_external_order_id"]: order for order in shell.sent()}
    assert len(sent) == len(shell.sent()) == 600
    with export.open(encoding="cp1252", newline="") as file:
        row = next(row for row in csv.DictReader(file, delimiter=";") if row["Versandkosten"] == "-")
    order = sent[row["Bestellnr."]]
    assert order["hs_total_price"] == row["Gesamtbetrag"].replace(".", "").replace(",", ".")
    assert "hs_shipping_cost" not in order
    assert order["hs_billing_address_name"] == row["Kunde"]
    assert str(order["hs_external_created_date"]).endswith(":00Z")


def test_definitions_answer_some_questions(write: "Write", shell: "Shell") -> None:
    own = {"rank": Property("number"), "colour": Property("enumeration", ("red", "blue"))}
    box = shell.open(properties={"orders": own})
    path = write(
        "a.csv", "rank,Colour,Hs object id,shelf\n1001.0,RED,1,2\n1002.0,RED,2,3\n1003.0,rot,3,4\n1,rot,1,1\n"
    )

    told = shell("mapping", "orders", path, "--base-url", box.url)
    saved = path.with_name("orders.json")
    assert shell("properties", "orders", "--output", saved, "--base-url", box.url).code == 0
    assert shell("mapping", "orders", path, "--definitions", saved).out == told.out
    shell.box.faults.next("429-daily")
    unknown = shell("mapping", "orders", path, "--base-url", shell.box.url)
    shell.unset("HUBSPOT_ACCESS_TOKEN")
    without = shell("mapping", "orders", path)

    assert '\n"rank" = "rank"\n' in told.out
    assert (
        '\n"Colour" = "colour"\n#     ? add options = { "rot" = "?" }; the values are red, blue\n' in told.out
    )
    assert '\n# "Hs object id" = ' in told.out
    assert (
        '\n# "shelf" = { property = "property", type = "number" }    # ? numbers; which property?\n'
        in told.out
    )
    assert "are not known" not in told.out
    assert unknown.err.startswith("Warning: the properties of the account are not known: ")
    assert '\n# "rank" = { property = "property", type = "number" }' in unknown.out
    assert without.out == unknown.out
    assert "The properties of your account are not known." in without.out


def test_what_is_open_is_a_question(write: "Write", shell: "Shell") -> None:
    shell.unset("HUBSPOT_ACCESS_TOKEN")
    header = "name;a;b;c;d;e;f;g\u2028h;hs_sku;price;quantity"
    row = '"x";"1.234";"01/02/2026";"12,50 €";"12.50";"-";"";"1";1001.0;viel;1'
    lines = write("a.csv", f"{header}\n{row}\n{row}\n")

    out = shell("mapping", "line-items", lines).out
    mixed = shell("mapping", "carts", write("b.csv", "a;b;c\n1,5;1.5;31.12.2026\n2,5;2.5;\n")).out
    whole = shell("mapping", "carts", write("c.jsonl", '{"properties": {"a": "1.234", "b": 1}}\n')).out

    assert '\n"name" = "name"\n' in out
    assert '# "c" = { property = "property", type = "number", unit = "€" }' in out
    assert '# date = "dd/mm/yyyy"    # ? day or month first: b leaves it open\n' in out
    assert '# null = "-"' in out
    assert '"hs_sku" = { property = "hs_sku", type = "string" }\n' in out
    assert '"price" = "price"    # ? not all cells are of type number\n' in out
    assert '# "f" = "property"    # ? no cell is filled; which property?\n' in out
    assert '# "g\\u2028h"' in out or '# "g\u2028h"' in out
    assert '# decimal = ","    # ? so it is in a: say it in each column\n' in mixed
    assert '# decimal = "."    # ? so it is in b: say it in each column\n' in mixed
    assert 'date = "dd.mm.yyyy"    # as in c\n' in mixed
    assert '# hs_currency_code = "EUR"    # ?\n' in mixed
    assert '# decimal = ","    # ? a comma or a point: a leaves it open\n' in whole
    for text in (out, mixed, whole):
        assert tomllib.loads(text)["object"] in ("line_items", "carts")


def test_the_number_of_an_order_may_link_with_it(write: "Write", shell: "Shell") -> None:
    shell.unset("HUBSPOT_ACCESS_TOKEN")
    path = write("a.csv", "Bestell-Nr.;Order Number\nB-1;7\n")
    link = 'associate = "order@property" }    # ? or the order'

    assert shell("mapping", "line-items", path).out.count(link) == 2
    assert link not in shell("mapping", "orders", path).out


def test_what_cannot_be_written_or_read(write: "Write", shell: "Shell", tmp_path: Path) -> None:
    shell.unset("HUBSPOT_ACCESS_TOKEN")
    path, there = write("a.csv", "a\n1\n"), write("there.toml", "# mine\n")
    mac = write("mac.csv", "a;b\nMüller;1\n".encode("mac-roman"))
    cut = write("cut.csv", "a;b\nM\u0081;1\n".encode("latin-1"))

    cases = {
        ("orders", path, "--output", there): "may have been edited",
        ("orders", path, "--output", tmp_path / "no" / "a.toml"): "No such file or directory",
        ("orders", write("b.csv", "a\n")): "has no row that can be read",
        ("orders", mac): "not utf-8",
        ("orders", cut): "not utf-8",
        ("orders", mac, "--encoding", "ascii"): "not ascii",
    }
    for arguments, told in cases.items():
        done = shell("mapping", *arguments)
        assert done.code == 1
        assert told in done.err
    assert there.read_text() == "# mine\n"


@pytest.mark.parametrize("name", ["shop.toml", "-"])
def test_the_command_that_it_tells(name: str, write: "Write", shell: "Shell", tmp_path: Path) -> None:
    shell.unset("HUBSPOT_ACCESS_TOKEN")
    path = write("a b.csv", "hs_order_name\n1\n")

    done = shell("mapping", "orders", path, "--output", tmp_path / name if name != "-" else name)

    assert done.code == 0
    assert f"hubspot-batch create orders '{path}' --mapping " in done.err
    assert done.err.endswith("shop.toml --dry-run\n")
