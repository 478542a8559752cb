"""`--dry-run` and `validate`: every row is checked, and nothing is sent."""

import gzip
import json
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hubspot_batch.cli import _validate

if TYPE_CHECKING:
    from tests.cli.conftest import Shell, Write

FAULTY = 'hs_order_name,hs_tags\nA-1,x\n"A\n-2",y\n\nA-3\nA-4,z,1\n'
FORM_ONLY = (
    "Only the form of the rows was checked: there is no access token to read the properties of the account "
    "with; name one, or a file of them with --definitions"
)


@pytest.fixture(autouse=True)
def _no_token(shell: "Shell") -> None:
    shell.unset("HUBSPOT_ACCESS_TOKEN")


class TestDryRun:
    def test_says_what_would_happen(self, write: "Write", shell: "Shell") -> None:
        path = write("orders.csv", "hs_order_name\n" + "A\n" * 25_001)

        done = shell("create", "orders", path, "--dry-run")

        assert done == (
            0,
            (
                'For example, line 2 is sent as {"properties": {"hs_order_name": "A"}}\n'
                "25,001 rows, 0 of them not valid, make 251 requests\n"
                "account           at least  of the day\n"
                "Free, Starter         25 s        0.1%\n"
                "Professional          13 s        0.0%\n"
                "Enterprise            13 s        0.0%\n"
                f"{FORM_ONLY}\n"
                "Nothing was sent\n"
            ),
            "",
        )
        assert not shell.runs.exists()

    def test_names_the_places_of_what_is_not_valid(self, write: "Write", shell: "Shell") -> None:
        done = shell("create", "orders", write("orders.csv", FAULTY), "--dry-run")

        assert done.code == 1
        remedy = "write as many cells as the header has, and quotes around one that holds the delimiter"
        assert done.out.splitlines()[:4] == [
            f"1 row: 1 cells where the header has 2; {remedy} (line 6)",
            f"1 row: 3 cells where the header has 2; {remedy} (line 7)",
            'For example, line 2 is sent as {"properties": {"hs_order_name": "A-1", "hs_tags": "x"}}',
            "4 rows, 2 of them not valid, make 1 request",
        ]

    def test_counts_line_items_that_do_not_travel_together(self, write: "Write", shell: "Shell") -> None:
        path = write("items.csv", "name,quantity\nwool,1\nwool,1\nsilk,1\n")

        done = shell("create", "line-items", path, "--dry-run")

        assert "\n3 rows, 0 of them not valid, make 2 requests\n" in done.out

    def test_a_unique_property_that_rows_lack(self, write: "Write", shell: "Shell") -> None:
        path = write("orders.csv", "hs_order_name,number\nA-1,1\nA-2,\n")

        done = shell("create", "orders", path, "--dry-run", "--unique-property", "number")

        assert done.code == 1
        assert done.out.startswith("1 row: properties: the unique property 'number' is missing or empty; ")
        assert " (line 3)\n" in done.out

    def test_shows_the_first_rows_of_each_fault(self, write: "Write", shell: "Shell") -> None:
        path = write("orders.jsonl", '{"hs_order_name": {}}\n' * 300)

        done = shell("create", "orders", path, "--dry-run")

        lines = done.out.splitlines()
        assert lines[0].startswith("300 rows: properties/hs_order_name: ")
        assert lines[0].endswith(" (lines 1, 2, 3, 4, 5 and more)")
        assert lines[1] == "300 rows, 300 of them not valid, make 0 requests"

    def test_shows_a_thousand_kinds_of_faults(self, write: "Write", shell: "Shell") -> None:
        path = write("orders.jsonl", "".join(f'{{"column_{row}": {{}}}}\n' for row in range(1_010)))

        done = shell("create", "orders", path, "--dry-run")

        assert done.out.count("1 row: properties/column_") == 1_000
        assert "and 10 faults of other kinds\n" in done.out

    def test_json(self, write: "Write", shell: "Shell") -> None:
        done = shell("create", "orders", write("orders.csv", FAULTY), "--dry-run", "--json")

        assert (done.code, done.err, done.out.count("\n")) == (1, "", 1)
        accounts, faults = done.report["accounts"], done.report["faults"]
        assert [fault["rows"] for fault in faults] == [[{"row": 3, "line": 6}], [{"row": 4, "line": 7}]]
        assert {name: value for name, value in done.report.items() if name not in {"accounts", "faults"}} == {
            "operation": "create_orders",
            "rows": 4,
            "invalid": 2,
            "requests": 1,
            "compared": False,
            "existing": None,
            "new": None,
            "unread": [],
        }
        assert accounts[0] == {"name": "Free, Starter", "seconds": 0.1, "share_of_day": 1 / 250_000}

    def test_an_update(self, write: "Write", shell: "Shell") -> None:
        path = write("changes.csv", "id,hs_order_name\n1,A\n1,B\n,C\n")

        done = shell("update", "orders", path, "--dry-run")

        assert done.code == 1
        lines = done.out.splitlines()
        assert lines[0] == (
            "1 row: there is no value in the column 'id', which names the record; fill it in, or remove the "
            "row (line 4)"
        )
        assert lines[2] == "3 rows, 1 of them not valid, make 2 requests"

    def test_a_column_that_no_row_has(self, write: "Write", shell: "Shell") -> None:
        path = write("orders.jsonl", '{"hs_order_name": "A"}\n')

        done = shell("create", "orders", path, "--dry-run", "--only", "hs_order_name,hs_tags")

        assert done.code == 0
        assert done.err == "Warning: no row has the column 'hs_tags' that an option names\n"

    def test_what_cannot_be_read(self, tmp_path: Path, shell: "Shell") -> None:
        done = shell("create", "orders", tmp_path / "gone.csv", "--dry-run")

        assert (done.code, done.out) == (1, "")
        assert done.err == (
            f"Error: {tmp_path / 'gone.csv'}: No such file or directory; name a file that can be read\n"
        )

    def test_standard_input(self, shell: "Shell") -> None:
        done = shell("create", "orders", "-", "--dry-run", stdin=b"hs_order_name\nA-1\n")

        assert "\n1 rows, 0 of them not valid, make 1 request\n" in done.out
        assert not shell.runs.exists()


class TestValidate:
    def test_rows_without_a_fault(self, write: "Write", shell: "Shell") -> None:
        path = write("orders.csv", "hs_order_name\nA-1\nA-2\n")

        assert shell("validate", "create", "orders", path) == (
            0,
            "",
            f"{path}: 0 fault(s) in 2 rows for create_orders\n",
        )

    def test_each_fault_is_a_line_on_stdout(self, write: "Write", shell: "Shell") -> None:
        rows = [
            {"properties": {"hs_order_name": "A-1"}},
            {"propertis": {}},
            {"properties": {"hs_order_name": None, "": "x"}, "id": "7"},
            [1],
        ]
        path = write("orders.jsonl", "".join(f"{json.dumps(row)}\n" for row in rows))

        done = shell("validate", "create", "orders", path)

        assert done.code == 1
        assert done.out.splitlines() == [
            (
                "row 2, line 2: properties/propertis: a value of type dict has no text that HubSpot takes; "
                "write it as text"
            ),
            (
                "row 3, line 3: properties/hs_order_name: None does not clear a property; "
                'write "" to clear it, or leave the property out'
            ),
            "row 3, line 3: properties: a property has an empty name; name the property",
            (
                "row 3, line 3: id: the document knows no such key; "
                "create does not take it, only archive, read, update, upsert do; leave it out"
            ),
            "row 4, line 4: a list stands where a mapping belongs; write one mapping in JSON",
        ]
        assert done.err == f"{path}: 5 fault(s) in 4 rows for create_orders\n"

    def test_all_of_many(self, write: "Write", shell: "Shell") -> None:
        path = write("orders.csv", "hs_order_name\n" + "A,B\n" * 250)

        assert shell("validate", "create", "orders", path).out.count("\n") == 250

    def test_rows_that_have_no_lines(self, tmp_path: Path, write: "Write", shell: "Shell") -> None:
        listed = write("orders.json", '[{"hs_order_name": "A"}, 7, {"hs_order_name": {}}]')
        table = tmp_path / "orders.parquet"
        pq.write_table(pa.table({"hs_order_name": ["A", "B"], "hs_tax": [1.0, float("nan")]}), table)

        assert shell("validate", "create", "orders", listed).out.splitlines() == [
            "row 2: a number stands where a mapping belongs; write one mapping in JSON",
            (
                "row 3: properties/hs_order_name: a value of type dict has no text that HubSpot takes; "
                "write it as text"
            ),
        ]
        assert shell("validate", "create", "orders", table).out.startswith(
            "row 2: properties/hs_tax: HubSpot takes neither NaN "
        )

    @pytest.mark.parametrize(
        "content", [b"hs_order_name\nA,B\n", gzip.compress(b"hs_order_name\nA,B\n", mtime=0)]
    )
    def test_standard_input(self, content: bytes, shell: "Shell") -> None:
        done = shell("validate", "create", "orders", "-", stdin=content)

        assert done.code == 1
        assert done.out.startswith("row 1, line 2: 2 cells where the header has 1; ")
        assert done.err == "-: 1 fault(s) in 1 rows for create_orders\n"

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (b"", "Error: -: the file is empty; at least one row is needed\n"),
            (b"[1", "Error: -, line 1, column 3: the list ends early; make or fetch the file again\n"),
        ],
    )
    def test_standard_input_that_cannot_be_read(self, content: bytes, message: str, shell: "Shell") -> None:
        done = shell("validate", "create", "orders", "-", stdin=content)

        assert (done.code, done.err) == (1, message)

    def test_standard_input_that_finds_no_room(self, shell: "Shell", monkeypatch: pytest.MonkeyPatch) -> None:
        def full(*_: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(_validate, "copy_content", full)

        done = shell("validate", "create", "orders", "-", stdin=b"hs_order_name\nA\n")

        assert done == (1, "", "Error: -: No space left on device; write it into a file first\n")

    @pytest.mark.posix
    def test_a_pipe(self, tmp_path: Path, shell: "Shell") -> None:
        pipe = tmp_path / "pipe"
        os.mkfifo(pipe)
        writer = threading.Thread(target=pipe.write_text, args=('{"inputs": [{"properties": {"a": 1}}]}',))
        writer.start()

        done = shell("validate", "create", "orders", pipe)
        writer.join()

        assert done.code == 1
        assert done.out.startswith("/inputs/0/properties/a: a number stands where text belongs")

    def test_a_column_that_no_row_has(self, write: "Write", shell: "Shell") -> None:
        path = write("orders.jsonl", '{"hs_order_name": "A"}\n')

        done = shell("validate", "create", "orders", path, "--drop", "x")

        assert done.code == 0
        assert done.err.startswith("Warning: no row has the column 'x' that an option names\n")

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            (["--map", "hs_order_name=nam"], "there is no column 'nam'; did you mean 'name'?"),
            (["--id-property", "x"], "id_property is for updates and upserts; leave it out of a create"),
        ],
    )
    def test_an_option_that_does_not_fit(
        self, options: list[str], message: str, write: "Write", shell: "Shell"
    ) -> None:
        done = shell("validate", "create", "orders", write("o.csv", "name,b\nA,1\n"), *options)

        assert (done.code, done.out) == (1, "")
        assert done.err == f"Error: {message}\n"


@pytest.mark.skipif(os.name == "nt", reason="no such names there")
@pytest.mark.parametrize(
    "command", ["validate create orders", "create orders --dry-run", "create orders", "demo"]
)
def test_names_of_others_cannot_steer_the_terminal(command: str, write: "Write", shell: "Shell") -> None:
    path = write("o\x1b[2J\nrow 9.csv", "hs_order_name,a\x1b[2Jb\x9b\nA-1,1\n,2,3\n")

    done = shell(*command.split(), path)

    assert all(line.isprintable() for line in (done.out + done.err).split("\n"))
    assert not any(line.startswith("row 9") for line in (done.out + done.err).split("\n"))
