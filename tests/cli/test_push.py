"""Files of rows on their way into HubSpot: what arrives, what is printed, what the exit code says."""

import csv
import gzip
import io
import json
import os
import re
import sys
from contextlib import chdir
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hubspot_batch.cli import _files
from hubspot_batch.errors import ConfigurationError, SourceError

if TYPE_CHECKING:
    from tests.cli.conftest import Shell, Write

zstd = import_module("compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd")

NUMBER = "hs_external_order_id"
ROWS = [{"hs_order_name": "A-1", NUMBER: "X-1"}, {"hs_order_name": "Ä-2", NUMBER: "X-2"}]
CSV = f"hs_order_name,{NUMBER}\nA-1,X-1\nÄ-2,X-2\n"
TABLE = "name,number,note,contact_id\nA-1,X-1,,301\nA-2,X-2,soon,302;303\n"


def lines(rows: list[Any]) -> str:
    return "".join(f"{json.dumps(row)}\n" for row in rows)


def parquet(path: Path) -> Path:
    pq.write_table(pa.Table.from_pylist(ROWS), path)
    return path


class TestForms:
    @pytest.mark.parametrize(
        ("name", "content"),
        [
            ("orders.csv", CSV),
            ("orders.tsv", CSV.replace(",", "\t")),
            ("orders", "\N{BYTE ORDER MARK}" + CSV.replace(",", ";")),
            ("orders.csv", CSV.encode("utf-16")),
            ("orders.jsonl", lines(ROWS)),
            ("orders.json", json.dumps(ROWS)),
            ("whole.jsonl", lines([{"properties": row} for row in ROWS])),
            (
                "whole.json",
                json.dumps([{"properties": row, "objectWriteTraceId": row[NUMBER]} for row in ROWS]),
            ),
            ("orders.csv.gz", gzip.compress(CSV.encode(), mtime=0)),
            ("orders.jsonl.zst", zstd.compress(lines(ROWS).encode())),
        ],
    )
    def test_each_form_of_a_file_arrives(
        self, name: str, content: bytes | str, write: "Write", shell: "Shell"
    ) -> None:
        done = shell.push("create", "orders", write(name, content))

        assert (done.code, done.err) == (0, "")
        assert done.out.startswith("2 of 2 orders created in 0.")
        assert shell.sent() == ROWS

    def test_parquet(self, tmp_path: Path, shell: "Shell") -> None:
        assert shell.push("create", "orders", parquet(tmp_path / "orders.parquet")).code == 0
        assert shell.sent() == ROWS

    @pytest.mark.parametrize("content", [CSV.encode(), gzip.compress(lines(ROWS).encode(), mtime=0)])
    def test_standard_input(self, content: bytes, shell: "Shell") -> None:
        assert shell.push("create", "orders", "-", stdin=content).code == 0
        assert shell.sent() == ROWS

    def test_an_encoding_and_a_delimiter(self, write: "Write", shell: "Shell") -> None:
        path = write("orders.txt", CSV.replace(",", "!").encode("cp1252"))

        done = shell.push(
            "create", "orders", path, "--format", "csv", "--encoding", "cp1252", "--delimiter", "!"
        )

        assert done.code == 0
        assert shell.sent() == ROWS

    @pytest.mark.parametrize(
        ("name", "spelling"),
        [
            ("line_items", "line-items"),
            ("line_items", "line_items"),
            ("commerce_payments", "commerce-payments"),
            ("carts", "carts"),
        ],
    )
    def test_each_object_type(self, name: str, spelling: str, write: "Write", shell: "Shell") -> None:
        row = {
            "line_items": {"name": "Wool", "quantity": "2"},
            "commerce_payments": {
                "hs_initial_amount": "9.50",
                "hs_initiated_date": "2026-09-01T08:15:02.120Z",
            },
            "carts": {"hs_cart_name": "C-1"},
        }[name]

        done = shell.push("create", spelling, write("rows.jsonl", lines([row])))

        assert done.code == 0
        assert done.out.startswith(f"1 of 1 {name.replace('_', ' ')} created in 0.")
        assert shell.sent(name) == [row]


class TestColumns:
    @pytest.mark.parametrize(
        ("options", "expected"),
        [
            (
                ["--map", "hs_order_name=name", "--map", f"{NUMBER}=number", "--drop", "note,contact_id"],
                [{"hs_order_name": "A-1", NUMBER: "X-1"}, {"hs_order_name": "A-2", NUMBER: "X-2"}],
            ),
            (
                ["--map", "hs_order_name=name", "--map", "hs_order_note=note", "--only", "name"],
                [{"hs_order_name": "A-1"}, {"hs_order_name": "A-2", "hs_order_note": "soon"}],
            ),
            (
                ["--map=hs_order_name=name", "--map=hs_order_note=note", "--only=name", "--clear-empty"],
                [
                    {"hs_order_name": "A-1", "hs_order_note": None},
                    {"hs_order_name": "A-2", "hs_order_note": "soon"},
                ],
            ),
            (
                [
                    "--drop",
                    "name, number,note",
                    "--drop",
                    "contact_id",
                    "--set",
                    "hs_order_name=N = 1",
                    "--set",
                    "hs_tags=",
                ],
                [{"hs_order_name": "N = 1", "hs_tags": None}] * 2,
            ),
        ],
    )
    def test_columns_become_properties(
        self, options: list[str], expected: list[dict[str, str]], write: "Write", shell: "Shell"
    ) -> None:
        assert shell.push("create", "orders", write("orders.csv", TABLE), *options).code == 0
        assert shell.sent() == expected

    def test_columns_of_keys_become_associations(self, write: "Write", shell: "Shell") -> None:
        shell.box.add("contacts", 301, {"email": "ada@example.com"})
        path = write("orders.csv", "hs_order_name,mail\nA-1,ada@example.com\nA-2,\nA-3,no@one.com\n")

        strict = shell.push("create", "orders", path, "--associate", "contact=mail@email", "--json")
        loose = shell.push("create", "orders", path, "--associate", "contact=mail@email?", "--dry-run")
        wrong = shell.push("create", "orders", path, "--associate", "contact=mail@emial")

        assert (strict.code, json.loads(strict.out)["looks"]) == (4, 2)
        assert json.loads(strict.out)["reasons"] == {
            "INVALID_INPUT": 1,
            "contacts.email: TARGET_NOT_FOUND": 1,
        }
        (record,) = shell.box.records("orders")
        assert [(link.to_type, link.to_id) for link in record.associations] == [("contacts", "301")]
        results = shell("results", "latest", "--rejected")
        assert "the column 'mail' is empty; fill it in, or end the option with a question mark" in results.out
        assert "no record of type contacts has the email 'no@one.com'" in results.out
        assert (loose.code, "3 rows, 0 of them not valid" in loose.out) == (0, True)
        assert wrong.code == 1
        assert "contacts have no property 'emial' in this account; did you mean 'email'?" in wrong.err

    def test_columns_become_associations(self, write: "Write", shell: "Shell") -> None:
        for number in (301, 302, 303):
            shell.box.add("contacts", number)
        shell.box.add("companies", 401)
        path = write("orders.csv", "hs_order_name,contacts,firm\nA-1,301,401\nA-2,302;303,\n")

        done = shell.push(
            *("create", "orders", path, "--associate", "contact=contacts", "--associate", "company=firm:509?")
        )

        assert done.code == 0
        links = [
            {(link.to_type, link.to_id, link.type_id) for link in record.associations}
            for record in shell.box.records("orders")
        ]
        assert links == [
            {("contacts", "301", 507), ("companies", "401", 509)},
            {("contacts", "302", 507), ("contacts", "303", 507)},
        ]

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            (["--map", "hs_order_name=nam"], "Error: there is no column 'nam'; did you mean 'name'?\n"),
            (
                ["--only", "name,stock"],
                "Error: there is no column 'stock'; the columns are 'name', 'number', ",
            ),
            (["--drop", "note", "--map", "a=note"], "Error: --drop leaves out the column 'note', which "),
            (["--associate", "contakt=contact_id"], "contakt"),
        ],
    )
    def test_an_option_that_does_not_fit_leaves_no_run_behind(
        self, options: list[str], message: str, write: "Write", shell: "Shell"
    ) -> None:
        done = shell.push("create", "orders", write("orders.csv", TABLE), *options)

        assert (done.code, done.out) == (1, "")
        assert message in done.err
        assert shell("runs").out == ""

    def test_a_column_that_no_row_has_is_reported(self, write: "Write", shell: "Shell") -> None:
        done = shell.push("create", "orders", write("orders.jsonl", lines(ROWS)), "--drop", "nott")

        assert done.code == 0
        assert done.err == "Warning: no row has the column 'nott' that an option names\n"


class TestUpdates:
    @pytest.fixture
    def ids(self, write: "Write", shell: "Shell") -> list[str]:
        """Create two orders, and return their record ids."""
        assert shell.push("create", "orders", write("new.csv", CSV)).code == 0
        return [record.id for record in shell.box.records("orders")]

    def test_the_column_id_names_the_record(self, ids: list[str], write: "Write", shell: "Shell") -> None:
        path = write("changes.csv", f"id,hs_order_name\n{ids[1]},B-2\n{ids[0]},B-1\n")

        done = shell.push("update", "orders", path)

        assert (done.code, done.err) == (0, "")
        assert done.out.startswith("2 of 2 orders updated in ")
        assert [row["hs_order_name"] for row in shell.sent()] == ["B-1", "B-2"]

    def test_another_column_does_with_a_map(self, ids: list[str], write: "Write", shell: "Shell") -> None:
        path = write("changes.csv", f"key,hs_order_name\n{ids[1]},B-2\n")

        assert shell.push("update", "orders", path, "--map", "id=key").code == 0
        assert [row["hs_order_name"] for row in shell.sent()] == ["A-1", "B-2"]

    @pytest.mark.parametrize("form", ["csv", "jsonl", "whole"])
    def test_a_unique_property_names_the_record(
        self, form: str, ids: list[str], write: "Write", shell: "Shell"
    ) -> None:
        row = {NUMBER: "X-2", "hs_order_name": "B-2"}
        content = {
            "csv": f"{NUMBER},hs_order_name\nX-2,B-2\n",
            "jsonl": lines([row]),
            "whole": lines([{"id": row.pop(NUMBER), "properties": row}]) if form == "whole" else "",
        }[form]
        suffix = "csv" if form == "csv" else "jsonl"

        done = shell.push("update", "orders", write(f"changes.{suffix}", content), "--id-property", NUMBER)

        assert done.code == 0
        assert [row["hs_order_name"] for row in shell.sent()] == ["A-1", "B-2"]
        assert len(ids) == 2

    @pytest.mark.parametrize(("options", "number"), [([], "X-1"), (["--clear-empty"], None)])
    def test_an_empty_cell(
        self, options: list[str], number: str | None, ids: list[str], write: "Write", shell: "Shell"
    ) -> None:
        path = write("changes.csv", f"id,{NUMBER},hs_tags\n{ids[0]},,new\n")

        assert shell.push("update", "orders", path, *options).code == 0
        assert (shell.sent()[0][NUMBER], shell.sent()[0]["hs_tags"]) == (number, "new")

    def test_without_a_column_that_names_the_record(self, write: "Write", shell: "Shell") -> None:
        done = shell.push("update", "orders", write("changes.csv", CSV))

        assert (done.code, done.out) == (1, "")
        assert done.err == (
            "Error: an update needs a column 'id' that names the record; "
            f"where another one does, say --map id=COLUMN; the columns are 'hs_order_name', '{NUMBER}'\n"
        )

    def test_without_a_column_that_fills_the_unique_property(self, write: "Write", shell: "Shell") -> None:
        path, named = write("orders.csv", "nr,hs_order_name\n1,A\n"), ("--unique-property", NUMBER)

        for options in ((), ("--dry-run",)):
            done = shell.push("create", "orders", path, *named, *options)

            assert done.code == 1
            assert done.err == (
                f"Error: no column fills the unique property '{NUMBER}'; where one has its values, say "
                f"--map {NUMBER}=COLUMN; the columns are 'nr', 'hs_order_name'\n"
            )
        assert not shell.box.records("orders")

    def test_a_row_that_names_no_record_is_told_by_the_column_of_the_file(
        self, write: "Write", shell: "Shell"
    ) -> None:
        path = write("orders.csv", "nr,hs_order_name\n,A\n7,B\n")

        done = shell.push("upsert", "orders", path, "--id-property", NUMBER, "--map", f"{NUMBER}=nr")

        assert (done.code, len(shell.sent())) == (4, 1)
        assert "row 1: there is no value in the column 'nr', which names the record; fill it in" in done.out

    def test_rows_of_inputs_fill_the_unique_property_themselves(self, write: "Write", shell: "Shell") -> None:
        path = write("orders.jsonl", f'{{"properties": {{"{NUMBER}": "1", "hs_order_name": "A"}}}}\n')

        assert shell.push("create", "orders", path, "--unique-property", NUMBER).code == 0


class TestExitCodes:
    def test_4_some_are_rejected(self, write: "Write", shell: "Shell") -> None:
        path = write("orders.csv", "hs_order_name,hs_total_price\nA-1,9\nA-2,nine\nA-3,10\n,11\n")

        done = shell.push("create", "orders", path)

        assert done.code == 4
        told = done.out.splitlines()
        assert told[1] == "2 rejected: not written, for the reasons below"
        assert sorted(told[2:6:2]) == [
            "          1  hs_order_name: MISSING_REQUIRED_PROPERTY",
            "          1  hs_total_price: INVALID_LONG",
        ]
        run = shell("runs", "--json").report["run"]
        assert told[7:] == [
            f"  hubspot-batch results {run} --rejected --output orders-rejected.csv",
            "  then correct orders-rejected.csv and push it",
            "  (--drop or --map: for columns that HubSpot does not know)",
        ]
        assert [row["hs_order_name"] for row in shell.sent()] == ["A-1", "A-3"]

    def test_4_a_row_that_cannot_be_read_is_rejected_alone(self, write: "Write", shell: "Shell") -> None:
        path = write("orders.csv", "hs_order_name\nA-1\nA-2,extra\nA-3\n")

        done = shell.push("create", "orders", path)

        assert done.code == 4
        assert "          1  INVALID_INPUT\n" in done.out
        assert [row["hs_order_name"] for row in shell.sent()] == ["A-1", "A-3"]

    def test_6_some_are_unknown(self, write: "Write", shell: "Shell") -> None:
        shell.box.faults.next("504-after")

        done = shell.push("create", "orders", write("orders.csv", CSV))

        assert done.code == 6
        assert "2 unknown: sent, but their answer was lost; look before you push them again\n" in done.out
        assert "          2  HTTP_504\n" in done.out
        show, look = done.out.splitlines()[-2:]
        assert show.endswith(" --unknown")
        assert look.endswith(" --resolve --unique-property PROPERTY  (looks for them)")
        assert len(shell.sent()) == 2

    def test_0_a_unique_property_lets_rows_be_sent_again(self, write: "Write", shell: "Shell") -> None:
        shell.box.faults.next("504-after")

        done = shell.push("create", "orders", write("orders.csv", CSV), "--unique-property", NUMBER)

        assert done.code == 0
        assert len(shell.sent()) == 2

    def test_4_or_0_rows_exist_already(self, write: "Write", shell: "Shell") -> None:
        push = ["create", "orders", write("orders.csv", CSV), "--unique-property", NUMBER, "--new"]
        told = []
        for options, code in (([], 0), ([], 4), (["--existing", "keep"], 0)):
            assert shell.push(*push, *options).code == code
            rows = csv.DictReader(io.StringIO(shell("results", "latest").out))
            told.append([(row["_outcome"], row["_id"]) for row in rows])

        ids = [id_ for _, id_ in told[0]]
        assert told == [[(status, id_) for id_ in ids] for status in ("done", "rejected", "done")]
        assert len(shell.sent()) == len(ids) == 2

    def test_1_no_number_of_seconds_after_which_a_record_is_looked_for(
        self, write: "Write", shell: "Shell"
    ) -> None:
        orders, pairs = write("orders.csv", CSV), write("pairs.csv", "from,to\n1,2\n")
        for command in (
            ("create", "orders", orders),
            ("upsert", "orders", orders, "--id-property", NUMBER),
            ("associate", "line-items", "orders", pairs),
        ):
            done = shell.push(*command, "--settle-after", "inf")

            assert (done.code, done.out) == (1, "")
            assert "settle_after must be a number of seconds" in done.err
            assert shell.push(*command, "--settle-after", "-1").code == 2

    def test_1_a_property_that_is_not_unique(self, write: "Write", shell: "Shell") -> None:
        path = write("orders.csv", CSV)
        journal = path.parent / "orders.run"

        for journaled in ([], ["--journal", str(journal)]):
            done = shell.push("create", "orders", path, "--unique-property", "hs_order_name", *journaled)

            assert (done.code, done.out) == (1, "")
            assert "the account does not hold hs_order_name unique" in done.err
            assert f"unique properties of orders: {NUMBER}" in done.err
            assert not shell.sent()
            assert [*shell.runs.glob("*")] == []
            assert not journal.exists()

    def test_5_the_definitions_cannot_be_had_for_now(self, write: "Write", shell: "Shell") -> None:
        path = write("orders.csv", CSV)
        shell.box.faults.next("429-daily")

        done = shell.push("create", "orders", path, "--unique-property", NUMBER)

        assert done.code == 5
        assert not shell.sent()
        shell.box.faults.next(None, "429-daily")
        assert shell.push("create", "orders", path, "--unique-property", NUMBER).code == 5
        # A run that knows rows is kept where its options are wrong.
        assert shell.push("create", "orders", path, "--unique-property", "hs_order_name").code == 1
        assert len([*shell.runs.glob("*.run")]) == 1
        assert shell.push("create", "orders", path, "--unique-property", NUMBER).code == 0
        assert len([*shell.runs.glob("*.run")]) == 1

    def test_5_the_requests_of_the_day_are_used_up(self, write: "Write", shell: "Shell") -> None:
        shell.box.faults.next("429-daily")

        done = shell.push("create", "orders", write("orders.csv", CSV))

        assert done.code == 5
        assert "the account's requests of the day are used up; they are reset at midnight" in done.err
        assert "2 pending: read, not sent\n" in done.out
        assert done.out.endswith("  the same command again goes on where this stopped\n")

    def test_5_all_rows_have_one_mistake_unless_the_run_is_to_go_on(
        self, write: "Write", shell: "Shell"
    ) -> None:
        path = write("orders.csv", "hs_order_name,colour\n" + "A,red\n" * 450)

        done = shell.push("create", "orders", path)
        assert done.code == 5
        assert "for one reason: colour: PROPERTY_DOESNT_EXIST" in done.err
        assert "--keep-going" in done.err
        assert "300 rejected" in done.out

        done = shell.push("create", "orders", path, "--keep-going")
        assert done.code == 4
        assert "450 rejected" in done.out

    def test_1_the_account_does_not_let_the_token_in(self, write: "Write", shell: "Shell") -> None:
        shell.set("HUBSPOT_ACCESS_TOKEN", "pat-eu1-expired")

        done = shell.push("create", "orders", write("orders.csv", CSV))

        assert done.code == 1
        assert done.err.startswith("Error: the run stopped: create_orders: HTTP 401 ")
        assert done.out.endswith("  nothing was written; correct what the error names, then push the file\n")

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["create", "orders"], "Missing argument 'FILE'"),
            (["create", "contacts", "-"], "'contacts' is not one of 'orders', 'line-items', "),
            (["update", "contacts", "-"], "'contacts' is not one of 'orders', 'line-items', "),
            (["create", "orders", "-", "--format", "xlsx"], "'xlsx' is not one of 'csv', "),
            (["create", "orders", "-", "--concurrency", "0"], "0 is not in the range x>=1"),
            (["create", "orders", "-", "--id-property", "x"], "No such option"),
            (["update", "orders", "-", "--associate", "contact=x"], "No such option"),
            (["push", "orders", "-"], "No such command 'push'"),
            (["create", "orders", "-", "--set", "x"], "Invalid value for '--set': write PROPERTY=VALUE\n"),
            (["create", "orders", "-", "--set", "=x"], "Invalid value for '--set': write PROPERTY=VALUE\n"),
            (["validate", "create", "orders", "-", "--map", "a="], "'--map': write PROPERTY=COLUMN\n"),
            (
                ["create", "orders", "-", "--associate", "contact"],
                "write OBJECT=COLUMN[@PROPERTY][:TYPE][?]\n",
            ),
            (["create", "orders", "-", "--encoding", "utf-42"], "there is no text encoding 'utf-42'; write "),
            (["create", "orders", "-", "--delimiter", "ab"], "write tab for a tab"),
            (["runs", "--older-than", "30"], "'30' is not a number of days; write it like 30d"),
            (["runs", "--force"], "--force goes with --delete"),
        ],
    )
    def test_2_a_usage_error(self, arguments: list[str], message: str, shell: "Shell") -> None:
        done = shell(*arguments)

        assert (done.code, done.out) == (2, "")
        assert message in done.err

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            (["--base-url", "hubapi"], "base_url must be the URL of a service"),
            (["--api-version", "v4"], "there is no API version 'v4'"),
            (["--unique-property", ""], "unique_property is empty; name a property, or leave it out"),
        ],
    )
    def test_1_an_invalid_option(
        self, options: list[str], message: str, write: "Write", shell: "Shell"
    ) -> None:
        done = shell("create", "orders", write("orders.csv", CSV), *options)

        assert (done.code, done.out) == (1, "")
        assert message in done.err


class TestOptions:
    def test_json_is_one_object_and_nothing_else(self, write: "Write", shell: "Shell") -> None:
        path = write("orders.csv", "hs_order_name,hs_total_price\nA-1,9\nA-2,nine\n")

        done = shell.push("create", "orders", path, "--json")

        assert (done.code, done.err, done.out.count("\n")) == (4, "", 1)
        facts = {
            name: done.report[name]
            for name in ("operation", "read", "done", "rejected", "unknown", "pending", "ok", "finished")
        }
        assert facts == {
            "operation": "create_orders",
            "read": 2,
            "done": 1,
            "rejected": 1,
            "unknown": 0,
            "pending": 0,
            "ok": False,
            "finished": True,
        }
        assert done.report["exit_code"] == 4
        assert done.report["problem"] is None
        assert done.report["reasons"] == {"hs_total_price: INVALID_LONG": 1}
        assert done.report["journal"] == str(shell.runs / f"{done.report['run']}.run")

    def test_json_names_the_problem(self, write: "Write", shell: "Shell") -> None:
        shell.box.faults.next("429-daily")

        done = shell.push("create", "orders", write("orders.csv", CSV), "--json")

        assert (done.code, done.report["exit_code"]) == (5, 5)
        assert done.report["problem"].startswith("the run stopped: create_orders: HTTP 429")
        assert done.err == ""

    @pytest.mark.parametrize(
        ("arguments", "code", "problem"),
        [
            (
                ["create", "orders", "gone.csv"],
                1,
                "gone.csv: No such file or directory; name a file that can be ",
            ),
            (["create", "orders", "gone.csv", "--dry-run"], 1, "gone.csv: No such file or directory"),
            (["create", "orders", "gone.csv", "--token-file", "gone"], 1, "gone: No such file or directory"),
            (
                ["create", "orders", "gone.csv", "--set", "x"],
                2,
                "Invalid value for '--set': write PROPERTY=VALUE",
            ),
            (["create", "orders"], 2, "Missing argument 'FILE'."),
            (["runs", "--delete", "x"], 2, "--json lists runs, and deletes none"),
            (
                ["create", "orders", "x.csv", "--results", "-"],
                1,
                "--results and --json both go to standard output; name a file for --results",
            ),
        ],
    )
    def test_json_tells_why_nothing_was_done(
        self, arguments: list[str], code: int, problem: str, shell: "Shell"
    ) -> None:
        done = shell(*arguments, "--json")

        assert (done.code, done.err) == (code, "")
        assert (done.report["run"], done.report["exit_code"]) == (None, code)
        assert done.report["problem"].startswith(problem)

    def test_results_are_written(self, tmp_path: Path, write: "Write", shell: "Shell") -> None:
        results = tmp_path / "results.csv"

        done = shell.push("create", "orders", write("orders.csv", CSV), "--results", results)

        assert done.code == 0
        ids = [record.id for record in shell.box.records("orders")]
        assert results.read_text(encoding="utf-8").splitlines() == [
            f"_row,_outcome,_id,_code,_message,_action,_key,hs_order_name,{NUMBER}",
            f"1,done,{ids[0]},,,created,,A-1,X-1",
            f"2,done,{ids[1]},,,created,,Ä-2,X-2",
        ]

    def test_the_report_is_written(self, tmp_path: Path, write: "Write", shell: "Shell") -> None:
        page = tmp_path / "run.html"

        assert shell.push("create", "orders", write("orders.csv", CSV), "--report", page).code == 0
        assert "<h1>create orders from orders.csv</h1>" in page.read_text(encoding="utf-8")

    def test_the_report_goes_to_standard_output(self, write: "Write", shell: "Shell") -> None:
        done = shell.push("create", "orders", write("orders.csv", CSV), "--report", "-")

        assert done.code == 0
        assert "<!doctype html>" in done.out

    @pytest.mark.parametrize("option", ["--results", "--report"])
    @pytest.mark.parametrize(
        ("name", "message"),
        [
            ("gone/file", "No such file or directory; name a file that can be written"),
            ("", "Is a directory; name a file that can be written"),
            ("orders.csv", "the rows are read from there; name another file"),
        ],
    )
    def test_a_file_that_cannot_be_written_is_reported_before_anything_is_sent(
        self, option: str, name: str, message: str, tmp_path: Path, write: "Write", shell: "Shell"
    ) -> None:
        path = write("orders.csv", CSV)

        done = shell.push("create", "orders", path, option, tmp_path / name)

        assert (done.code, done.out) == (1, "")
        assert done.err == f"Error: {tmp_path / name}: {message}\n"
        assert shell.sent() == []
        assert shell("runs").out == ""
        assert path.read_text(encoding="utf-8") == CSV

    @pytest.mark.parametrize(
        "wrong", [("--set", "hs_tags"), ("--api-version", "v4"), ("--unique-property", "")]
    )
    def test_nothing_is_made_before_the_run_begins(
        self, wrong: tuple[str, str], tmp_path: Path, write: "Write", shell: "Shell"
    ) -> None:
        write("orders.csv", CSV)
        outputs = (
            "--results",
            "results.csv",
            "--report",
            "page.html",
            "--journal",
            "a.run",
            "--share-quota",
            "q",
        )
        shell.box  # noqa: B018 - it is started

        with chdir(tmp_path):
            assert shell.push("create", "orders", "orders.csv", *outputs, *wrong).code in {1, 2}
        assert {path.name for path in tmp_path.iterdir()} <= {"orders.csv", "q"}
        assert (tmp_path / "q").exists() == (wrong[0] == "--unique-property")

    def test_a_sandbox_of_its_own(self, write: "Write", shell: "Shell") -> None:
        shell.unset("HUBSPOT_ACCESS_TOKEN")

        done = shell("create", "orders", write("orders.csv", CSV), "--sandbox", "--concurrency", "1")

        assert done.code == 0
        assert re.fullmatch(
            r"A local HubSpot runs at http://127\.0\.0\.1:\d+: nothing leaves this machine\n", done.err
        )
        assert shell.sent() == []

    @pytest.mark.parametrize(
        ("options", "code", "said"),
        [
            (
                ("--unique-property", "shop_number", "--map", "shop_number=hs_order_name"),
                0,
                "shop_number as a",
            ),
            (
                ("--unique-property", "Shop", "--map", "Shop=hs_order_name"),
                1,
                "'Shop' is not a property name",
            ),
            # One that HubSpot sets up is as HubSpot has it.
            (
                ("--unique-property", "hs_tags", "--map", "hs_tags=hs_order_name"),
                1,
                "does not hold hs_tags un",
            ),
        ],
    )
    def test_a_sandbox_has_the_unique_property_that_the_command_names(
        self, write: "Write", shell: "Shell", options: tuple[str, ...], code: int, said: str
    ) -> None:
        file = write("orders.csv", "hs_order_name\nA-1\n")

        done = shell("create", "orders", file, "--sandbox", *options, "--map", "hs_order_name=hs_order_name")

        assert done.code == code
        assert said in done.err
        assert ("your account needs it, too" in done.err) == (code == 0)
        tried = shell("create", "orders", file, "--sandbox", "--dry-run", *options)
        assert ("a local HubSpot, which has the unique properties" in tried.out) == (code == 0)

    def test_a_dated_version(self, write: "Write", shell: "Shell") -> None:
        done = shell.push("create", "orders", write("orders.csv", CSV), "--api-version", "2026-09")

        assert done.code == 0
        assert [entry.path for entry in shell.box.requests] == ["/crm/objects/2026-09/orders/batch/create"]

    def test_a_shared_quota(self, tmp_path: Path, write: "Write", shell: "Shell") -> None:
        path = write("orders.csv", CSV)

        assert shell.push("create", "orders", path, "--share-quota", tmp_path / "quota").code == 0
        assert (tmp_path / "quota").stat().st_size > 0
        done = shell.push("create", "orders", path, "--new", "--share-quota", tmp_path / "gone" / "quota")
        assert done.code == 1
        assert "cannot be used" in done.err


class TestOneFileForTwoThings:
    @pytest.mark.posix
    @pytest.mark.parametrize(
        ("options", "message"),
        [
            (["--results", "a", "--report", "a"], "--results and --report name the same file"),
            (["--results", "a", "--report", "./b/../a"], "--results and --report name the same file"),
            (["--results", "-", "--report", "-"], "--results and --report both go to standard output"),
            (["--journal", "a.run", "--results", "a.run"], "--results and --journal name the same file"),
            (["--journal", "a.run", "--report", "a.run-wal"], "--report and --journal name the same file"),
            (
                ["--journal", "a.run", "--report", "a.run-reserve"],
                "--report and --journal name the same file",
            ),
            (["--journal", "q", "--share-quota", "q"], "--journal and --share-quota name the same file"),
            (["--results", "q-shm", "--share-quota", "q"], "--results and --share-quota name the same file"),
            (
                ["--token-file", "token", "--results", "token"],
                "--token-file and --results name the same file",
            ),
            (["--journal", "orders.csv"], "the rows are read from there; name another file"),
            (["--results", "hard.csv"], "the rows are read from there; name another file"),
            (["--report", "soft.csv"], "the rows are read from there; name another file"),
            (["--results", "box.sqlite"], "this is a database, a journal perhaps; name another file"),
        ],
    )
    def test_is_refused_and_nothing_changes(
        self, options: list[str], message: str, tmp_path: Path, write: "Write", shell: "Shell"
    ) -> None:
        path = write("orders.csv", CSV)
        write("token", "pat-eu1-0b1f7c52")
        write("box.sqlite", b"SQLite format 3\0and more")
        (tmp_path / "b").mkdir()
        (tmp_path / "hard.csv").hardlink_to(path)
        (tmp_path / "soft.csv").symlink_to(path)
        before = {file: file.read_bytes() for file in tmp_path.iterdir() if file.is_file()}

        with chdir(tmp_path):
            done = shell.push("create", "orders", "orders.csv", *options)

        assert (done.code, done.out) == (1, "")
        assert message in done.err
        assert {file: file.read_bytes() for file in tmp_path.iterdir() if file.is_file()} == before

    def test_where_case_is_ignored_a_name_in_another_case_is_the_same(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        names = {"--results": tmp_path / "Ergebnis-\u00c4.csv", "--report": tmp_path / "ERGEBNIS-a\u0308.CSV"}
        _files.check_distinct(names, {})
        monkeypatch.setattr(_files, "_ignores_case", lambda _: True)

        with pytest.raises(ConfigurationError, match="--results and --report name the same file"):
            _files.check_distinct(names, {})

    @pytest.mark.posix
    def test_whether_case_is_ignored_is_tried(self, tmp_path: Path) -> None:
        folder = tmp_path / "folder"
        folder.mkdir()
        assert not _files._ignores_case(folder)
        (tmp_path / "FOLDER").symlink_to(folder)
        assert _files._ignores_case(folder)
        assert not _files._ignores_case(Path(folder.anchor))

    def test_a_folder_that_takes_no_file(
        self, tmp_path: Path, write: "Write", monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with pytest.raises(ConfigurationError, match="Not a directory; name a file"):
            _files.check_writable(write("file", "") / "inner")
        monkeypatch.setattr(os, "access", lambda *_: False)
        with pytest.raises(ConfigurationError, match="Permission denied; name a file"):
            _files.check_writable(tmp_path / "new")

    def test_a_source_that_goes_away(self, tmp_path: Path) -> None:
        with pytest.raises(SourceError, match="gone: No such file or directory; put the file back"):
            _files.digest_of(tmp_path / "gone")

    def test_devices_are_no_files(self) -> None:
        _files.check_distinct({"--results": Path(os.devnull), "--report": Path(os.devnull)}, {})


@pytest.mark.skipif(os.name == "nt", reason="no such names there")
def test_names_of_others_cannot_steer_the_terminal(write: "Write", shell: "Shell") -> None:
    header, row = "hs_order_name,a\x1b[2Jb\x9b", '{"hs_order_name": "A-1", "a\\u001b[2Jb\\u009b": "1"}'
    path = write("o\x1b[2J\nRun.jsonl", f"{row}\n{row}\n")
    refused = write("o\x1b[2J\nRun.csv", f"{header}\nA-1,1\n")

    texts = [
        shell.push("create", "orders", path),
        shell.push("create", "orders", refused),
        shell("runs"),
        shell("results", "x\x1b"),
    ]

    assert [done.code for done in texts[:2]] == [4, 1]
    assert all(line.isprintable() for done in texts for line in (done.out + done.err).split("\n"))
