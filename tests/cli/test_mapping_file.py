"""Mapping files: what they say about the columns of a file, and what is refused."""

import csv
import io
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hubspot_batch.cli._columns import ColumnOptions, Columns
from hubspot_batch.cli._mapping_file import read_mapping
from hubspot_batch.contract import _operations as contract
from hubspot_batch.contract._inputs import prepare
from hubspot_batch.errors import ConfigurationError, InvalidInputError
from hubspot_batch.results import PropertyDefinition, PropertyOption
from hubspot_batch.sandbox import Property

if TYPE_CHECKING:
    from tests.cli.conftest import Shell, Write

CREATE = contract.operation("create_orders")
OPEN = "4b27b500-f031-4927-9811-68a0b525cbae"
SHOP = """
object = "order"

[file]
encoding = "cp1252"

[values]
decimal = ","
date = ["dd.mm.yyyy", "dd.mm.yyyy HH:MM"]
timezone = "Europe/Berlin"
yes = "Ja"
no = ["Nein", "-"]
null = "k. A."

[columns]
"Bestellnr." = { property = "hs_external_order_id", type = "string" }
Datum = "hs_external_created_date"
Betrag = ["hs_total_price", { property = "net", type = "number", unit = "EUR" }]
Newsletter = "hs_buyer_accepts_marketing"
Status = { property = "hs_pipeline_stage", options = { "Neu" = "s1" } }
Notiz = { property = "note", empty = "clear", trim = false }
Code = { property = "code", as_is = true }
Intern = false

[constants]
hs_source_store = "Laden"
rank = 7
"""
ROW = {
    "Bestellnr.": " 1001.0",
    "Datum": "01.09.2026 14:05",
    "Betrag": "1.234,50",
    "Newsletter": "ja",
    "Status": "Neu",
    "Notiz": "",
    "Code": " 1.0 ",
    "Intern": "x",
}
STAGES = PropertyDefinition(
    name="hs_pipeline_stage",
    label="Stage",
    type="enumeration",
    field_type="select",
    options=[PropertyOption(value="s1", label="New"), PropertyOption(value="s2", label="Paid")],
)


def properties_of(
    path: Path,
    row: Mapping[str, object],
    *,
    definitions: Mapping[str, PropertyDefinition] | None = None,
    is_text: bool = True,
    **options: Any,  # noqa: ANN401
) -> dict[str, Any]:
    """Return the properties that a row gets."""
    columns = Columns(
        CREATE,
        ColumnOptions(**options),
        list(row) if is_text else None,
        is_text=is_text,
        mapping=read_mapping(path),
        definitions=definitions,
    )
    item: Any = columns.input_of(row)
    properties: dict[str, Any] = item["properties"]
    return properties


def faults_of(path: Path, row: Mapping[str, object], **more: Any) -> str:  # noqa: ANN401
    with pytest.raises(InvalidInputError) as raised:
        prepare(CREATE, [{"properties": properties_of(path, row, **more)}])
    return str(raised.value)


class TestConversion:
    def test_a_row_of_a_german_shop(self, write: "Write") -> None:
        path = write("shop.toml", SHOP.replace("\n", "\r\n"))

        assert properties_of(path, ROW) == {
            "hs_external_order_id": "1001",
            "hs_external_created_date": "2026-09-01T12:05:00.000Z",
            "hs_total_price": "1234.50",
            "net": "1234.50",
            "hs_buyer_accepts_marketing": "true",
            "hs_pipeline_stage": "s1",
            "note": "",
            "code": " 1.0 ",
            "hs_source_store": "Laden",
            "rank": "7",
        }

    def test_a_fault_names_the_column(self, write: "Write") -> None:
        path = write("shop.toml", SHOP)

        told = faults_of(path, {**ROW, "Betrag": "1.23"})

        assert "hs_total_price: column 'Betrag': the number has a point where no thousands end" in told

    def test_definitions_tell_labels(self, write: "Write") -> None:
        path = write("shop.toml", SHOP)
        known = {STAGES.name: STAGES}

        assert properties_of(path, {**ROW, "Status": "paid"}, definitions=known)[STAGES.name] == "s2"
        assert "its options are s1 (New), s2 (Paid)" in faults_of(
            path, {**ROW, "Status": "x"}, definitions=known
        )

    def test_options_of_the_command_have_precedence(self, write: "Write") -> None:
        path = write("shop.toml", SHOP)

        found = properties_of(
            path,
            {**ROW, "Betrag": "1,234.50", "Neu": "x"},
            decimal=".",
            map=["code=Neu"],
            set=["rank=8"],
            drop=["Newsletter"],
        )

        assert (found["hs_total_price"], found["code"], found["rank"]) == ("1234.50", "x", "8")
        assert "hs_buyer_accepts_marketing" not in found

    def test_null_and_empty_cells(self, write: "Write") -> None:
        path = write("shop.toml", SHOP)

        found = properties_of(path, {**ROW, "Betrag": "k. A.", "Notiz": "k. A.", "Newsletter": "\u00a0"})

        assert found["note"] == ""
        assert not {"hs_total_price", "net", "hs_buyer_accepts_marketing"} & found.keys()

    def test_columns_that_it_does_not_name(self, write: "Write") -> None:
        path = write("shop.toml", SHOP)
        row = {**ROW, "Neu": "x"}

        with pytest.raises(ConfigurationError, match=r"says nothing about the column 'Neu'; add it"):
            properties_of(path, row)
        assert "says nothing about it" in faults_of(path, row, is_text=False)
        assert properties_of(path, row, only=["Neu"])["Neu"] == "x"
        skipping = write("skip.toml", f'other_columns = "skip"\n{SHOP}')
        assert "Neu" not in properties_of(skipping, row)

    def test_a_column_that_the_file_does_not_have(self, write: "Write") -> None:
        path = write("shop.toml", SHOP)

        with pytest.raises(ConfigurationError, match="there is no column 'Datum'; did you mean 'Datun'"):
            properties_of(path, {"Datun" if name == "Datum" else name: cell for name, cell in ROW.items()})

    def test_whole_inputs(self, write: "Write") -> None:
        path = write("shop.toml", SHOP)

        found = properties_of(path, {"properties": {**ROW, "Notiz": "", "Neu": 1}}, is_text=False)

        assert (found["hs_total_price"], found["note"]) == ("1234.50", "")
        assert "Neu" in found

    def test_a_link(self, write: "Write") -> None:
        path = write("shop.toml", '[columns]\nKunde = { associate = "contact" }\n')
        columns = Columns(CREATE, ColumnOptions(), ["Kunde"], is_text=True, mapping=read_mapping(path))

        item: Any = columns.input_of({"Kunde": "301"})

        assert item["associations"][0]["to"] == {"id": "301"}

    def test_links_by_own_keys(self, write: "Write") -> None:
        text = (
            '[columns]\n"Kunde?" = { associate = "contact@email" }\n"a:5" = { associate = "company:509?" }\n'
        )
        path = write("shop.toml", text)
        columns = Columns(
            CREATE, ColumnOptions(), ["Kunde?", "a:5"], is_text=True, mapping=read_mapping(path)
        )

        item: Any = columns.input_of({"Kunde?": "ada@example.com", "a:5": ""})

        targets = [one["to"] for one in item["associations"]]
        assert targets == [{"type": "contacts", "property": "email", "value": "ada@example.com"}]


class TestRefused:
    @pytest.mark.parametrize(
        ("text", "told"),
        [
            (
                "[values]\n\ndecimall = 1",
                "line 3: values.decimall: this key is not known; did you mean decimal?",
            ),
            ("[value]", "line 1: value: this key is not known; did you mean values?"),
            ("mapping = 1", "line 1: mapping: this key is not known; did you mean columns?"),
            ("qqq = 1", "write object, other_columns, file, values, columns or constants, or remove it"),
            ('[values]\ndecimal = ";"', "line 2: values.decimal: ';' is not known; write . or ,"),
            ('[values]\ndecimal = ","\nthousands = ",."', "line 3: values.thousands: decimals and thousands"),
            ("[values]\ntrim = 1", "a number stands where true or false belongs; write true or false"),
            ('[values]\nempty = "remove"', "'remove' is not known; write leave or clear"),
            ('[values]\ndate = ["dd.mm"]', "line 2: values.date: the date format 'dd.mm' has no year"),
            ("[values]\ntrim = ''", "a text stands where true or false belongs"),
            ("[values]\ndate = 2026-09-01", "line 2: values.date: a date stands where a text belongs"),
            ('[values]\ntimezone = "Berlin"', "line 2: values.timezone: there is no time zone 'Berlin'"),
            ("[values]\ntimezone = false", "values.timezone: true or false stands where a text belongs"),
            ("[values]\nyes = [[1]]", "values.yes: a list stands where a text belongs"),
            ('[values]\nthousands = ""', "values.thousands: it is empty"),
            ("values = 1", "line 1: values: a number stands where a table belongs"),
            ('object = "cats"', "line 1: object: this is not an object type"),
            ('other_columns = "drop"', "write refuse or skip"),
            ('[file]\nencoding = { a = "b" }', "line 2: file.encoding: a table stands where a text belongs"),
            ("[columns]\n\n'A=B' = 1", "line 3: columns.A=B: a number stands where a property belongs"),
            ("[columns]\nA = true", "columns.A: true or false stands where a property belongs"),
            ("[columns]\nA = []", "columns.A: it is empty; write false"),
            ("[columns]\nA = [false]", "columns.A: a list holds properties only"),
            ('[columns]\nA = { type = "text" }', "columns.A: it needs either property or associate"),
            (
                '[columns]\nA = { property = "a", type = "text" }',
                "line 2: columns.A.type: 'text' is not known; did you mean string?",
            ),
            (
                '[columns.A]\nproperty = "a"\ntyp = "number"',
                "line 3: columns.A.typ: this key is not known; did you mean type?",
            ),
            ('[columns]\nA = { property = "a", as_is = true, unit = "x" }', "unit does not go with as_is"),
            ('[columns]\nA = { associate = "contact", trim = true }', "trim does not go with associate"),
            ('[columns]\nA = { property = "a", options = 1 }', "a number stands where a table belongs"),
            (
                '[columns]\nA = { property = "a", options = { x = 1 } }',
                "columns.A.options.x: a number stands",
            ),
            (
                '[columns]\nA = "a"\nB = "a"',
                "line 3: columns.B: the property 'a' is filled by the column 'A'",
            ),
            ('[columns]\nB = "a"\n[constants]\na = 1', "the property 'a' is filled by a constant already"),
            ("[constants]\na = nan", "line 2: constants.a: HubSpot takes neither NaN nor infinity"),
            ("[constants]\na = { b = 1 }", "constants.a"),
            (
                "[columns]\nA = \n",
                "not TOML: Invalid value (at line 2, column 5); write texts in double quotes",
            ),
            ("[columns]\nÄ = 1", 'line 2, column 1); write "name" = "value": a name with blanks'),
            ('[columns]\nA = "a"\nA = "b"', "stands there twice; remove one of the two"),
            ('a = """\n' + "=" * 30 + '\n"""', "line 1: a: this key is not known"),
            ("a = " + "[" * 9000, "not TOML: it holds what cannot be read"),
        ],
    )
    def test_what_is_not_valid(self, text: str, told: str, write: "Write") -> None:
        path = write("m.toml", text)

        with pytest.raises(ConfigurationError) as raised:
            read_mapping(path)

        assert str(raised.value).startswith(str(path))
        assert told in str(raised.value)
        assert re.search(r"; \S", str(raised.value))

    def test_a_file_that_cannot_be_read(self, write: "Write", tmp_path: Path) -> None:
        cases = {
            tmp_path: "name a mapping file",
            tmp_path / "gone.toml": "No such file",
            write("a.toml", "Ä = 1".encode("cp1252")): "not UTF-8 text",
            write("b.toml", b"#" * 1024**2 + b"#"): "larger than any mapping file",
        }
        for path, told in cases.items():
            with pytest.raises(ConfigurationError, match=told):
                read_mapping(path)

    def test_another_object_type(self, write: "Write", shell: "Shell") -> None:
        path, file = write("shop.toml", SHOP), write("a.csv", "a\n1\n")

        done = shell.push("create", "carts", file, "--mapping", path, "--dry-run")

        assert done.code == 1
        assert "this mapping is for orders, not for carts" in done.err


class TestPush:
    def test_a_shop_without_a_program(self, write: "Write", shell: "Shell") -> None:
        path = write(
            "shop.toml", SHOP.replace('"Neu" = "s1"', '"Neu" = "4b27b500-f031-4927-9811-68a0b525cbae"')
        )
        rows = [
            ";".join(ROW),
            *(";".join({**ROW, "Bestellnr.": str(number)}.values()) for number in range(3)),
        ]
        file = write("bestellungen.csv", "\r\n".join(rows).encode("cp1252"))
        fixed = write(
            "fixed.toml", path.read_text().replace("[constants]", '[constants]\nhs_order_name = "A"')
        )
        names = ("net", "note", "code", "rank")
        box = shell.open(
            properties={"orders": {"net": Property("number"), **{n: Property() for n in names[1:]}}}
        )

        checked = shell("create", "orders", file, "--mapping", fixed, "--dry-run", "--base-url", box.url)
        done = shell("create", "orders", file, "--mapping", fixed, "--base-url", box.url)
        again = shell("create", "orders", file, "--mapping", fixed, "--base-url", box.url)
        fixed.write_text(fixed.read_text().replace("Laden", "Lager"))
        changed = shell("create", "orders", file, "--mapping", fixed, "--base-url", box.url)

        assert (checked.code, done.code, again.code, changed.code) == (0, 0, 0, 0)
        created = [record.properties["hs_external_order_id"] for record in box.records("orders")]
        assert sorted(created, key=str) == ["0", "0", "1", "1", "2", "2"]
        assert "nothing was sent" in again.out

    def test_options_for_short_commands(self, write: "Write", shell: "Shell") -> None:
        file = write(
            "a.csv", "hs_order_name;hs_total_price;hs_external_created_date\nA;1.234,5;01.09.2026\nB;-;\n"
        )

        done = shell.push(
            *("create", "orders", file, "--decimal", ",", "--date-format", "dd.mm.yyyy"),
            *("--null", "-", "--timezone", "Europe/Berlin"),
        )

        assert done.code == 0
        sent = {order["hs_order_name"]: order for order in shell.sent()}
        assert sent["A"]["hs_total_price"] == "1234.50"
        assert sent["A"]["hs_external_created_date"] == "2026-08-31T22:00:00Z"
        assert "hs_total_price" not in sent["B"]

    def test_definitions_that_cannot_be_had(self, write: "Write", shell: "Shell") -> None:
        file, mapping = write("a.csv", "A\nx\n"), write("a.toml", '[columns]\nA = "hs_order_name"\n')
        command = ("create", "orders", file, "--mapping", mapping)
        shell.box.faults.next("429-daily")

        later = shell.push(*command)
        without = shell(*command, "--base-url", shell.open(scopes=["crm.objects.carts.write"]).url)
        shell.set("HUBSPOT_ACCESS_TOKEN", "wrong")
        refused = shell.push(*command)

        assert (later.code, without.code, refused.code) == (5, 1, 1)
        assert "Error: the properties of the account are not known: " in later.err
        assert "Warning: the token may not read what the properties of the account are: " in without.err
        assert "check HUBSPOT_ACCESS_TOKEN" in refused.err

    def test_a_stage_by_its_label(self, write: "Write", shell: "Shell") -> None:
        file = write("a.csv", f"hs_order_name,hs_pipeline_stage\nA,{OPEN}\n")

        # What cannot be known without a mapping file is left to HubSpot.
        shell.box.faults.next("503")
        assert shell.push("create", "orders", file).code == 0

    def test_labels_become_values_as_rows_are_sent(self, write: "Write", shell: "Shell") -> None:
        mapping = write(
            "a.toml",
            '[columns]\nName = "hs_order_name"\nStand = "hs_pipeline_stage"\nFarben = "colours"\n',
        )
        file = write("a.csv", f"Name,Stand,Farben\nA,offen,Rot; Blau\nB,{OPEN},b\nC,Neu,\nD,Zu,Rot\n")
        stages = Property("enumeration", (OPEN, "s2", "s3"), labels=("Offen", "Neu", "Neu"))
        colours = Property("enumeration", ("r", "b"), multiple=True, labels=("Rot", "Blau"))
        box = shell.open(properties={"orders": {"hs_pipeline_stage": stages, "colours": colours}})

        done = shell("create", "orders", file, "--mapping", mapping, "--base-url", box.url)

        assert done.code == 4
        sent = {record.properties["hs_order_name"]: record.properties for record in box.records("orders")}
        assert {name: (order["hs_pipeline_stage"], order.get("colours")) for name, order in sent.items()} == {
            "A": (OPEN, "r;b"),
            "B": (OPEN, "b"),
        }
        ambiguous, unknown = csv.DictReader(io.StringIO(shell("results", "latest", "--rejected").out))
        assert "2 options have this label; write the value that is meant: s2, s3" in ambiguous["_message"]
        assert "its options are" in unknown["_message"]

    def test_a_stage_of_the_pipeline_is_written_by_its_label(self, write: "Write", shell: "Shell") -> None:
        file = write("a.csv", f"hs_order_name,hs_pipeline_stage\nA,open\nB,{OPEN}\nC,Shipped\n")

        assert shell.push("create", "orders", file).code == 0

        stages = [record.properties["hs_pipeline_stage"] for record in shell.box.records("orders")]
        assert sorted(map(str, stages)) == [OPEN, OPEN, "aa99e8d0-c1d5-4071-b915-d240bbb1aed9"]

    def test_a_date_format_that_is_none(self, write: "Write", shell: "Shell") -> None:
        done = shell("validate", "create", "orders", write("a.csv", "a\n1\n"), "--date-format", "dd.mm")

        assert done.code == 2
        assert "has no year" in done.err

    def test_a_link_by_a_key(self, write: "Write") -> None:
        path = write(
            "a.toml", '[values]\nnull = "-"\n[columns]\nK = { associate = "contact@email?" }\nA = "a"\n'
        )
        columns = Columns(CREATE, ColumnOptions(), ["K", "A"], is_text=True, mapping=read_mapping(path))

        linked: Any = columns.input_of({"K": " a@b.de\u00a0", "A": "1"})
        alone: Any = columns.input_of({"K": " - ", "A": "1"})

        assert linked["associations"][0]["to"]["value"] == "a@b.de"
        assert "associations" not in alone
