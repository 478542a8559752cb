"""Files whose rows are upserted, read, archived and linked: what arrives, what is printed, the exit code."""

import csv
import io
import json
import os
import re
import signal
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hubspot_batch.bulk import read_outcomes
from hubspot_batch.sandbox import Property
from tests.conftest import case

if TYPE_CHECKING:
    from tests.cli.conftest import Done, Shell, Write

NUMBER = "hs_external_order_id"
ORDERS = f"hs_order_name,{NUMBER},hs_total_price\nOne,A-1,10\nTwo,A-2,20\nThree,A-3,30\n"
KEYS = f"{NUMBER},note\nA-3,z\nA-9,y\nA-1,x\n"
KEYED = ("--id-property", NUMBER)


def upserted(shell: "Shell", write: "Write", text: str = ORDERS) -> list[str]:
    """Upsert orders, and return their ids in the order of the rows."""
    path = write("orders.csv", text)
    assert shell.push("upsert", "orders", path, *KEYED).code == 0
    (journal,) = shell.runs.glob("*upsert-orders*.run")
    return [str(outcome.id) for outcome in read_outcomes(journal)]


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def first_line(done: "Done") -> str:
    return done.out.partition(" in ")[0]


class TestUpsert:
    def test_what_is_there_is_updated_and_the_rest_created(self, write: "Write", shell: "Shell") -> None:
        upserted(shell, write)
        path = write("orders.csv", f"{ORDERS}Four,A-4,40\nBad,A-5,x\n")

        done = shell.push("upsert", "orders", path, *KEYED, "--results", "-")

        assert done.code == 4
        summary = done.err.splitlines()
        assert summary[0].startswith("4 of 5 orders upserted in ")
        assert summary[1:4] == [
            "updated 3, created 1",
            "1 rejected: not written, for the reasons below",
            "          1  hs_total_price: INVALID_LONG",
        ]
        ids = {row[NUMBER]: row["_id"] for row in table(done.out)}
        assert ids == {**{r.properties[NUMBER]: r.id for r in shell.box.records("orders")}, "A-5": ""}

    def test_the_report_for_programs_tells_what_was_done(self, write: "Write", shell: "Shell") -> None:
        upserted(shell, write, ORDERS[: ORDERS.index("Three")])

        done = shell.push("upsert", "orders", write("more.csv", ORDERS), *KEYED, "--json")

        assert done.report["actions"] == {"updated": 2, "created": 1}

    @pytest.mark.parametrize("verb", ["upsert", "update"])
    def test_whole_inputs_hold_the_key_among_their_properties(
        self, verb: str, write: "Write", shell: "Shell"
    ) -> None:
        upserted(shell, write)
        rows = [
            {"properties": {NUMBER: "A-1", "hs_order_name": "Uno"}},
            {"id": "A-2", "properties": {"hs_order_name": "Due"}},
        ]

        done = shell.push(verb, "orders", write("rows.json", json.dumps(rows)), *KEYED)

        assert (done.code, first_line(done)) == (0, f"2 of 2 orders {verb.rstrip('e')}ed")
        assert {row["hs_order_name"] for row in shell.sent()} == {"Uno", "Due", "Three"}

    @pytest.mark.parametrize("object_type", ["orders", "line-items", "commerce-payments", "carts"])
    def test_each_object_type_is_written_and_archived(
        self, object_type: str, write: "Write", shell: "Shell"
    ) -> None:
        name = object_type.replace("-", "_")
        properties = {
            "orders": "hs_order_name",
            "line_items": "name",
            "commerce_payments": "hs_currency_code",
            "carts": "hs_cart_name",
        }
        box = shell.open(properties={name: {"shop_key": Property("text", unique=True)}})
        value = {"commerce_payments": "EUR"}.get(name, "first")
        more = {
            "commerce_payments": (",hs_initial_amount,hs_initiated_date", ",9.5,2026-09-01T08:15:02.120Z"),
            "line_items": (",quantity", ",1"),
        }.get(name, ("", ""))
        path = write("rows.csv", f"shop_key,{properties[name]}{more[0]}\nK-1,{value}{more[1]}\n")
        there, keyed = ("--base-url", box.url), ("--id-property", "shop_key")

        codes = [
            shell("upsert", object_type, path, *keyed, *there).code,
            shell("update", object_type, path, *keyed, *there).code,
        ]
        done = shell("read", object_type, path, *keyed, "--properties", properties[name], *there)
        (record,) = table(done.out)
        codes.append(shell("archive", object_type, write("ids.csv", f"id\n{record['id']}\n"), *there).code)

        assert codes == [0, 0, 0]
        assert record["shop_key"] == "K-1"
        assert record[properties[name]] == value
        assert not [each for each in box.records(name) if each.archived_at is None]

    def test_tonights_file_is_sent_whatever_became_of_last_nights(
        self, write: "Write", shell: "Shell"
    ) -> None:
        header, *_ = ORDERS.splitlines()
        last_night = write("orders.csv", "\n".join([header, *(f"N,B-{number},1" for number in range(150))]))
        shell.box.faults.next("none", "429-daily")
        stopped = shell.push("upsert", "orders", last_night, *KEYED, "--assume-unique", "--concurrency", "1")
        assert (stopped.code, first_line(stopped)) == (5, "100 of 150 orders upserted")

        tonight = write("orders.csv", ORDERS)
        done = shell.push("upsert", "orders", tonight, *KEYED)
        same = shell.push("upsert", "orders", tonight, *KEYED)
        # What was written last is not what the first run has written.
        back = shell.push("upsert", "orders", write("orders.csv", ORDERS.replace("One", "Uno")), *KEYED)
        again = shell.push("upsert", "orders", write("orders.csv", ORDERS), *KEYED)

        assert (done.code, first_line(done)) == (0, "3 of 3 orders upserted")
        assert re.match(
            r"Warning: run \S+-upsert-orders-\w+ over this file stopped before its end, and the file",
            done.err,
        )
        assert "nothing was sent" in same.out
        assert (back.err, back.out.splitlines()[1]) == ("", "updated 3")
        assert (again.err, again.out.splitlines()[1]) == ("", "updated 3")


class TestRead:
    def test_records_come_in_the_order_of_the_rows(self, write: "Write", shell: "Shell") -> None:
        ids = upserted(shell, write)

        done = shell.push("read", "orders", write("keys.csv", KEYS), *KEYED, "--properties", "hs_total_price")

        assert done.code == 4
        rows = table(done.out)
        assert [*rows[0]] == ["id", "created_at", "updated_at", "archived", NUMBER, "hs_total_price"]
        assert [(row["id"], row[NUMBER], row["hs_total_price"], row["archived"]) for row in rows] == [
            (ids[2], "A-3", "30.00", "false"),
            (ids[0], "A-1", "10.00", "false"),
        ]
        assert done.err.splitlines()[0].startswith("2 of 3 orders read in ")
        assert "          1  OBJECT_NOT_FOUND" in done.err
        rejected = table(shell("results", "latest", "--rejected").out)
        assert [(row[NUMBER], row["_code"]) for row in rejected] == [("A-9", "OBJECT_NOT_FOUND")]

    def test_each_format_holds_the_same(self, write: "Write", shell: "Shell", tmp_path: Path) -> None:
        upserted(shell, write, f'{ORDERS}"Vier, ""4""\r\n",A-4,\n')
        keys = write("keys.jsonl", "".join(f'{{"{NUMBER}": "A-{number}"}}\n' for number in (4, 1)))
        asked = ("read", "orders", keys, *KEYED, "--properties", f"{NUMBER},hs_order_name, hs_total_price")

        for name in ("records.csv", "records.jsonl", "records.parquet"):
            done = shell.push(*asked, "--output", tmp_path / name)
            assert (done.code, first_line(done), done.err) == (0, "2 of 2 orders read", "")
        printed = shell.push(*asked)

        rows = pq.read_table(tmp_path / "records.parquet").to_pylist()
        assert [
            (row[NUMBER], row["hs_order_name"], row["hs_total_price"], row["archived"]) for row in rows
        ] == [
            ("A-4", 'Vier, "4"\r\n', None, False),
            ("A-1", "One", "10.00", False),
        ]
        in_csv = table((tmp_path / "records.csv").read_bytes().decode())
        assert in_csv == [
            {
                name: "" if value is None else str(value)
                for name, value in {**row, "archived": "false"}.items()
            }
            for row in rows
        ]
        # Rows of JSON give records of JSON.
        assert printed.out == (tmp_path / "records.jsonl").read_text(encoding="utf-8")
        in_json = [json.loads(line) for line in printed.out.splitlines()]
        assert [row["properties"]["hs_order_name"] for row in in_json] == ['Vier, "4"\r\n', "One"]
        if os.name != "nt":
            assert {
                (tmp_path / f"records.{end}").stat().st_mode & 0o777 for end in ("csv", "jsonl", "parquet")
            } == {0o600}

    def test_what_hubspot_chooses_a_history_and_archived_records(
        self, write: "Write", shell: "Shell", tmp_path: Path
    ) -> None:
        ids = write("ids.csv", "\n".join(["id", *upserted(shell, write)]))

        chosen = table(shell.push("read", "orders", ids).out)
        former = shell.push("read", "orders", ids, "--history", "hs_order_name")
        assert shell.push("archive", "orders", ids).code == 0
        gone = shell.push("read", "orders", ids)
        output = tmp_path / "archived.csv"
        archived = shell.push("read", "orders", ids, "--archived", "--output", output)

        assert {"hs_object_id", "hs_createdate"} < chosen[0].keys()
        versions = [json.loads(line)["history"]["hs_order_name"] for line in former.out.splitlines()]
        assert [version["value"] for (version,) in versions] == ["One", "Two", "Three"]
        assert (gone.code, gone.out) == (4, "id,created_at,updated_at,archived\n")
        assert archived.code == 0
        assert [row["archived"] for row in table(output.read_text())] == ["true"] * 3

    def test_customers_by_their_address_from_a_pipe(self, shell: "Shell") -> None:
        box = shell.open(records={"contacts": [{"id": "301", "email": "ada@example.com"}]})

        done = shell(
            *("read", "contacts", "-", "--id-property", "email", "--base-url", box.url),
            stdin=b"email\nada@example.com\n",
        )

        assert done.code == 0
        assert table(done.out)[0]["id"] == "301"

    def test_the_same_command_goes_on_and_later_reads_anew(self, write: "Write", shell: "Shell") -> None:
        upserted(shell, write, "\n".join([f"{NUMBER},hs_order_name", *(f"A-{n},x" for n in range(250))]))
        keys = write("keys.csv", "\n".join([NUMBER, *(f"A-{n}" for n in range(250))]))
        ask = (
            "read",
            "orders",
            keys,
            *KEYED,
            "--properties",
            "hs_order_name",
            "--assume-unique",
            "--concurrency",
            "1",
        )
        shell.box.faults.next("none", "429-daily")
        stopped = shell.push(*ask)
        assert (stopped.code, stopped.out) == (5, "")
        before = len(shell.box.requests)

        done = shell.push(*ask)

        assert done.code == 0
        assert len(table(done.out)) == 250
        assert len(shell.box.requests) - before == 2
        assert (
            shell.push("update", "orders", write("u.csv", f"{NUMBER},hs_order_name\nA-7,y\n"), *KEYED).code
            == 0
        )
        again = shell.push(*ask)
        assert [row["hs_order_name"] for row in table(again.out)].count("y") == 1

    @pytest.mark.parametrize(
        ("options", "problem"),
        [
            (["--output", "records.xlsx"], "let it end in .csv, .jsonl or .parquet"),
            (["--output", "records.csv", "--history", "a"], "only JSON Lines hold a history"),
            (["--output", "no/such/records.csv"], "No such file or directory"),
            (["--output", "keys.csv"], "the rows are read from there"),
            (["--output", "a.csv", "--results", "a.csv"], "--results and --output name the same file"),
            (["--json"], "--output and --json both go to standard output; name a file for --output"),
            (["--id-property", "hs_object_id"], "HubSpot refuses hs_object_id"),
            (["--properties", "two words"], "properties/0"),
        ],
    )
    def test_what_cannot_be_is_refused_before_anything_is_sent(
        self,
        options: list[str],
        problem: str,
        write: "Write",
        shell: "Shell",
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.chdir(write("keys.csv", f"id,{NUMBER}\n1,A-1\n").parent)
        sandbox = shell.box

        done = shell.push("read", "orders", "keys.csv", *options)

        assert (done.code, problem in done.out + done.err) == (1, True), done
        assert not sandbox.requests
        assert not [*shell.runs.glob("*.run")]

    def test_a_property_that_hubspot_does_not_send_is_told(self, write: "Write", shell: "Shell") -> None:
        upserted(shell, write, f"{ORDERS}Four,A-4,\n")
        keys = write("keys.csv", f"{NUMBER}\nA-4\n")

        done = shell.push("read", "orders", keys, *KEYED, "--properties", "hs_total_price,hs_totl_price")

        assert done.code == 0
        (row,) = table(done.out)
        assert (row["hs_total_price"], row["hs_totl_price"]) == ("", "")
        assert [line for line in done.err.splitlines() if "Warning" in line] == [
            "Warning: HubSpot has sent no property 'hs_totl_price'; look whether its name is right"
        ]

    @pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no full device")  # noqa: PTH110
    def test_a_disk_that_is_full_is_told_and_the_same_command_writes_the_rest(
        self, write: "Write", shell: "Shell", tmp_path: Path
    ) -> None:
        ids = write("ids.csv", "\n".join(["id", *upserted(shell, write)]))
        for name in ("full.csv", "full.jsonl", "full.parquet"):
            (tmp_path / name).symlink_to("/dev/full")
            with case(name):
                done = shell.push("read", "orders", ids, "--output", tmp_path / name)
                assert (done.code, first_line(done)) == (5, "3 of 3 orders read")
                assert "No space left on device; name a file that can be written" in done.err

        output = tmp_path / "records.csv"
        assert shell.push("read", "orders", ids, "--output", output).code == 0
        assert len(table(output.read_text(encoding="utf-8"))) == 3

    def test_a_list_without_a_header_is_not_read_as_one(self, write: "Write", shell: "Shell") -> None:
        done = shell.push("read", "orders", write("ids.txt", "44001\n44002\n"))

        assert (done.code, done.err) == (
            1,
            "Error: the first line holds numbers where the names of the columns belong; write id above\n",
        )


class TestArchive:
    def test_it_says_what_it_does_and_asks_for_nothing(self, write: "Write", shell: "Shell") -> None:
        ids = upserted(shell, write)
        # A table of other columns, an id that no record has, one twice, and two that HubSpot never gave.
        path = write("ids.csv", "\n".join(["name,id", f"a,{ids[0]}", f"b,{ids[0]}", "c,999", "d,x-1", "e,"]))

        dry = shell.push("archive", "orders", path, "--dry-run")
        assert (dry.code, len(shell.box.records("orders"))) == (1, 3)
        assert re.search(r"^1 row: id: .*\(line 5\)$", dry.out, re.MULTILINE)
        done = shell.push("archive", "orders", path)

        assert (done.code, first_line(done)) == (4, "3 of 5 orders archived")
        assert done.err == (
            "The orders go into the recycle bin of HubSpot, which does not tell of ids that no record has\n"
        )
        assert "2 rejected: not archived, for the reasons below" in done.out
        left = [record.id for record in shell.box.records("orders") if record.archived_at is None]
        assert sorted(left) == sorted(ids[1:])
        assert shell.push("archive", "orders", write("i.csv", f"id\n{ids[1]}\n"), "--json").err == ""

    def test_rows_that_are_whole_inputs_or_records(
        self, write: "Write", shell: "Shell", tmp_path: Path
    ) -> None:
        ids = write("ids.csv", "\n".join(["id", *upserted(shell, write)]))
        assert shell.push("read", "orders", ids, "--output", tmp_path / "records.jsonl").code == 0

        done = shell.push("archive", "orders", tmp_path / "records.jsonl")

        assert (done.code, first_line(done)) == (0, "3 of 3 orders archived")

    def test_the_same_command_again_sends_nothing(self, write: "Write", shell: "Shell") -> None:
        ids = write("ids.csv", "\n".join(["id", *upserted(shell, write)]))
        assert shell.push("archive", "orders", ids).code == 0
        sent = len(shell.box.requests)

        done = shell.push("archive", "orders", ids)

        assert (done.code, len(shell.box.requests)) == (0, sent)
        assert "nothing was sent: an earlier run has sent all rows" in done.out


class TestAssociate:
    def linked(self, write: "Write", shell: "Shell") -> tuple[list[str], Path]:
        """Create orders and line items, and write the pairs of their ids."""
        ids = upserted(shell, write)
        items = write("items.csv", "name,quantity\na,1\nb,2\n")
        assert shell.push("create", "line-items", items).code == 0
        pairs = [f"{item.id},{ids[0]}" for item in shell.box.records("line_items")]
        return ids, write("pairs.csv", "\n".join(["from,to", *pairs]))

    def test_pairs_are_linked(self, write: "Write", shell: "Shell") -> None:
        ids, path = self.linked(write, shell)
        path.write_text(f"{path.read_text()}\n999,{ids[0]}\n{ids[0]},\n", encoding="utf-8")

        dry = shell.push("associate", "line_items", "orders", path, "--dry-run")
        done = shell.push("associate", "line_items", "orders", path)

        assert re.match(r"1 row: to/id: .*\(line 5\)\n", dry.out)
        assert (done.code, first_line(done)) == (4, "2 of 4 pairs of line items and orders linked")
        assert "2 rejected: not linked, for the reasons below" in done.out
        (run,) = (line for line in shell("runs").out.splitlines() if "associate-line-items-orders" in line)
        assert run.endswith("finished")
        links = [link for item in shell.box.records("line_items") for link in item.associations]
        assert [(link.to_id, link.type_id) for link in links] == [(ids[0], 514)] * 2
        rejected = table(shell("results", "latest", "--rejected").out)
        assert [row["from"] for row in rejected] == ["999", ids[0]]

    @pytest.mark.parametrize("kind", ["primary company", "order_to_primary_company", "509"])
    def test_columns_and_a_type_by_name_or_id(self, kind: str, write: "Write", shell: "Shell") -> None:
        shell.__dict__["box"] = shell.open(
            properties={"orders": {NUMBER: Property("text", unique=True)}},
            records={"companies": [{"id": "401", "name": "Ada"}]},
        )
        order = upserted(shell, write)[0]
        path = write("pairs.csv", f"order,company\n{order},401\n")

        done = shell.push(
            *("associate", "orders", "companies", path, "--from", "order", "--to", "company", "--type", kind)
        )

        assert done.code == 0
        record = next(record for record in shell.box.records("orders") if record.id == order)
        assert [link.type_id for link in record.associations] == [509]

    def test_rows_of_json_may_name_their_own_types(self, write: "Write", shell: "Shell") -> None:
        _, path = self.linked(write, shell)
        pairs = table(path.read_text())
        own = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 514}
        rows: list[Any] = [
            {"from": {"id": pairs[0]["from"]}, "to": {"id": pairs[0]["to"]}, "types": [own]},
            {"from": {"id": pairs[1]["from"]}, "to": {"id": pairs[1]["to"]}},
            {"to": "1"},
        ]

        done = shell.push("associate", "line-items", "orders", write("pairs.json", json.dumps(rows)))

        assert (done.code, first_line(done)) == (4, "2 of 3 pairs of line items and orders linked")

    @pytest.mark.parametrize(
        ("arguments", "code", "problem"),
        [
            (("orders", "unicorns"), 2, "'unicorns' is not one of 'orders', 'line-items'"),
            (("orders", "products"), 1, "there is no association from orders to 'products'"),
            (("contacts", "orders"), 1, "link the other way round, from orders to contacts"),
            (("orders", "contacts", "--type", "best"), 1, "there is no association type 'best'"),
            (("orders", "contacts", "--type", "509"), 1, "leads from orders to companies, not to contacts"),
            (("orders", "contacts", "--from", "order"), 1, "a link needs a column 'order'"),
        ],
    )
    def test_what_cannot_be_linked(
        self, arguments: tuple[str, ...], code: int, problem: str, write: "Write", shell: "Shell"
    ) -> None:
        sandbox = shell.box
        path = write("pairs.csv", "from,to\n1,2\n")

        done = shell.push("associate", *arguments[:2], path, *arguments[2:])

        assert (done.code, problem in done.err) == (code, True), done
        assert not sandbox.requests


COMMANDS = (
    ("upsert", "orders", "--id-property", NUMBER),
    ("update", "orders"),
    ("read", "orders"),
    ("archive", "orders"),
    ("associate", "orders", "contacts"),
)


def test_a_file_that_is_not_one_is_refused_by_each_command(write: "Write", shell: "Shell") -> None:
    """Nothing is sent, and no run begins."""
    sandbox = shell.box
    files = {
        "missing.csv": None,
        "empty.csv": b"",
        "orders.xlsx": b"PK\x03\x04",
        "orders.jsonl": b"[1]",
        "cut.csv.gz": b"\x1f\x8b\x08",
        "columns.csv": b"who,what\n1,2\n",
    }
    for command, (name, content) in ((command, file) for command in COMMANDS for file in files.items()):
        path = write(name, content) if content is not None else Path(name)
        with case(f"{command} {name}"):
            verb, *rest = command
            types = rest[: 2 if verb == "associate" else 1]
            done = shell.push(verb, *types, path, *rest[len(types) :])
            if name != "orders.jsonl":
                assert (done.code, done.out) == (1, "")
                assert done.err.startswith("Error: ")
            else:
                assert done.code == 4
    assert not sandbox.requests


def test_a_header_without_rows_is_an_error(write: "Write", shell: "Shell") -> None:
    path = write("none.csv", f"id,{NUMBER},from,to\n")
    for verb, *rest in COMMANDS:
        with case(verb):
            types = rest[: 2 if verb == "associate" else 1]
            done = shell.push(verb, *types, path, *rest[len(types) :])
            assert done.code == 1
            assert "a header, and no row" in done.err


def test_rows_for_each_verb_are_validated(write: "Write", shell: "Shell") -> None:
    ids = write("ids.csv", f"id,{NUMBER}\n7,A-1\nx,A-2\n")
    lines = write("ids.jsonl", '{"id": "7"}\n{"ID": "8"}\n')

    assert shell("validate", "read", "contacts", ids).out.startswith("row 2, line 3: id: ")
    assert shell("validate", "read", "orders", ids, *KEYED).code == 0
    assert shell("validate", "archive", "carts", lines).out.startswith("row 2, line 2: ")
    assert shell("validate", "upsert", "orders", ids, *KEYED, "--drop", "id").code == 0
    assert "name it with --id-property" in shell("validate", "upsert", "orders", ids).err
    body = write("body.json", '{"properties": ["a"], "inputs": [{"id": "7"}]}')
    assert shell("validate", "read", "orders", body).err == f"{body}: valid for read_orders\n"


@pytest.mark.skipif(os.name == "nt", reason="Windows sends Ctrl-C to all processes of a console")
def test_ctrl_c_ends_a_read_and_the_same_command_goes_on(
    write: "Write", shell: "Shell", tmp_path: Path
) -> None:
    box = shell.open(quota="4/1", properties={"orders": {NUMBER: Property("text", unique=True)}})
    path = write("ids.csv", "\n".join(["id", *map(str, range(1, 2001))]))
    output = tmp_path / "records.csv"
    command = ("read", "orders", path, "--base-url", box.url, "--output", output)
    process = shell.start(*command)
    while len(box.requests) < 2:
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)

    assert process.returncode == 5, err
    assert not output.exists()
    asked = len(box.requests)
    assert shell(*command).code == 4
    assert len(box.requests) - asked < 20
    assert output.read_text(encoding="utf-8") == "id,created_at,updated_at,archived\n"


@pytest.mark.skipif(os.name == "nt", reason="a closed pipe is another error there")
def test_a_reader_that_has_enough_ends_the_command_without_a_traceback(
    write: "Write", shell: "Shell"
) -> None:
    ids = write("ids.csv", "\n".join(["id", *upserted(shell, write)]))
    process = shell.start("read", "orders", ids, "--base-url", shell.box.url)
    assert process.stdout is not None
    process.stdout.close()
    _, err = subprocess.Popen.communicate(process, timeout=60)

    assert process.returncode == 1
    assert "Traceback" not in err


def test_parquet_of_keys_with_times_beside_them(write: "Write", shell: "Shell", tmp_path: Path) -> None:
    upserted(shell, write)
    path = tmp_path / "keys.parquet"
    moments = pa.array([0, 1], pa.timestamp("s"))
    pq.write_table(pa.table({NUMBER: ["A-1", "A-2"], "when": moments}), path)

    done = shell.push("read", "orders", path, *KEYED)

    assert done.code == 0
    assert len(table(done.out)) == 2
