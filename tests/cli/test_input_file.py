"""Files of every kind as the commands meet them: pipes, copies, and files without rows."""

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hubspot_batch.cli import _input_file

if TYPE_CHECKING:
    from tests.cli.conftest import Shell, Write

CSV = "hs_order_name\nA-1\nA-2\n"


@pytest.fixture
def pipe(tmp_path: Path) -> Callable[[], Path]:
    """Return a function that returns a pipe through which the rows come."""
    path = tmp_path / "pipe"
    os.mkfifo(path)

    def fed() -> Path:
        threading.Thread(target=path.write_text, args=(CSV,)).start()
        return path

    return fed


class TestWhatIsReadOnce:
    @pytest.mark.posix
    def test_a_pipe_is_kept_so_that_the_run_can_go_on(self, pipe: Callable[[], Path], shell: "Shell") -> None:
        shell.box.faults.next("429-daily")
        assert shell.push("create", "orders", pipe()).code == 5

        assert shell.push("create", "orders", pipe()).code == 0
        assert sorted(str(row["hs_order_name"]) for row in shell.sent()) == ["A-1", "A-2"]
        assert shell("results", "latest").out.count("\n") == 3
        assert shell("runs").out.splitlines()[1:] == ["  2 done, from a pipe"]

    @pytest.mark.posix
    def test_only_its_owner_can_read_the_copy_which_ends_with_the_run(self, shell: "Shell") -> None:
        shell.box.faults.next("429-daily")
        shell.push("create", "orders", "-", stdin=CSV.encode())

        (copy,) = shell.runs.glob("stdin-*")
        assert copy.read_text() == CSV
        assert copy.stat().st_mode & 0o077 == 0
        assert shell("results", "latest").out.splitlines()[1] == "1,pending,,,,,,A-1"

        results = copy.with_name("results.csv")
        assert shell.push("create", "orders", "-", "--results", results, stdin=CSV.encode()).code == 0
        assert not copy.exists()
        assert results.read_text().splitlines()[1].endswith(",,,created,,A-1")
        done = shell("results", "latest")
        assert done.out.splitlines()[1].startswith("1,done,")
        assert done.err == (
            "Warning: the rows came from a pipe and are not kept, so the results are without its columns\n"
        )

    @pytest.mark.parametrize("options", [("--sandbox",), ("--api-version", "v4")])
    def test_no_copy_is_kept_where_no_run_goes_on_with_it(
        self, options: tuple[str, ...], shell: "Shell"
    ) -> None:
        assert shell("create", "orders", "-", *options, stdin=CSV.encode()).code in {0, 1}

        assert list(shell.runs.glob("stdin-*")) == []

    def test_rejected_rows_of_a_pipe(self, shell: "Shell") -> None:
        done = shell.push("create", "orders", "-", stdin=b"hs_order_name,hs_tax\nA-1,x\n")

        assert done.code == 4
        assert done.out.splitlines()[-2].endswith(" --rejected")
        assert done.out.splitlines()[-1].startswith("  rows from a pipe are not kept; --results FILE ")

    @pytest.mark.posix
    def test_it_can_be_checked_before_it_is_pushed(self, pipe: Callable[[], Path], shell: "Shell") -> None:
        done = shell("create", "orders", pipe(), "--dry-run", "--base-url", shell.box.url)
        assert "2 rows, 0 of them not valid" in done.out
        assert shell("validate", "create", "orders", pipe()).err.endswith(
            "0 fault(s) in 2 rows for create_orders\n"
        )

    def test_a_copy_that_cannot_be_made_leaves_nothing(
        self, shell: "Shell", monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(*_: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(_input_file, "copy_content", full)

        done = shell.push("create", "orders", "-", stdin=CSV.encode())

        assert done == (
            1,
            "",
            (
                f"Error: {shell.runs}: No space left on device; what is read from - is kept there: make "
                "room, or write it into a file and push that\n"
            ),
        )
        assert list(shell.runs.iterdir()) == []

    def test_nothing_comes(self, shell: "Shell") -> None:
        done = shell.push("create", "orders", "-")

        assert (done.code, done.out) == (1, "")
        assert "the file is empty; at least one row is needed" in done.err
        assert shell("runs").out == ""


class TestWhatIsNoFileOfRows:
    @pytest.mark.parametrize(
        ("name", "content", "message"),
        [
            ("o.csv", "", "o.csv: the file is empty; at least one row is needed"),
            ("o.csv", "a,b,a\n1,2,3\n", "o.csv, line 1: two columns have the name 'a'; rename or remove one"),
            ("o.csv", "a,,b\n1,2,3\n", "o.csv, line 1: column 2 has no name; give it one, or remove it"),
            ("o.xlsx", b"PK\x03\x04rest", "o.xlsx: an Excel workbook or ZIP archive; save the sheet as CSV"),
            ("o.csv", b"name\nM\xfcller\n", "o.csv, line 2: not utf-8; save the file as UTF-8, or name its "),
            ("o.json", '{\n"a": 1}', "o.json: one mapping over several lines; write a list [...], or one "),
            (
                "o.csv.gz",
                b"\x1f\x8b\x08rest",
                "o.csv.gz: the compressed data ends early; make or fetch it again",
            ),
        ],
    )
    def test_it_is_reported_with_its_place(
        self, name: str, content: str | bytes, message: str, write: "Write", shell: "Shell"
    ) -> None:
        done = shell.push("create", "orders", write(name, content))

        assert (done.code, done.out) == (1, "")
        assert done.err.startswith("Error: ")
        assert message in done.err
        assert shell("runs").out == ""

    def test_a_file_that_is_missing_or_a_folder(self, tmp_path: Path, shell: "Shell") -> None:
        for path, problem in (
            (tmp_path / "gone.csv", "No such file or directory"),
            (tmp_path, "Is a directory"),
        ):
            assert shell.push("create", "orders", path) == (
                1,
                "",
                f"Error: {path}: {problem}; name a file that can be read\n",
            )

    def test_a_list_that_breaks_off(self, write: "Write", shell: "Shell") -> None:
        path = write("orders.json", '[{"hs_order_name": "A-1"}, {"hs_order_name":')

        done = shell.push("create", "orders", path)

        assert done.code == 1
        assert "orders.json, line 1, column 45: the list ends early; make or fetch the file again" in done.err
        assert shell.sent() == []

        write("orders.json", '[{"hs_order_name": "A-1"}]')
        assert shell.push("create", "orders", path).code == 0

    @pytest.mark.posix
    def test_a_name_that_is_not_text(self, tmp_path: Path, shell: "Shell") -> None:
        path = os.fsencode(tmp_path) + b"/orders-\xff.csv"
        Path(os.fsdecode(path)).write_text(CSV)

        done = shell.push("create", "orders", os.fsdecode(path))

        assert (done.code, done.out) == (1, "")
        assert done.err == (
            f"Error: '{tmp_path}/orders-\\udcff.csv': the name is not Unicode text; rename the file\n"
        )


def test_mixed_line_ends(write: "Write", shell: "Shell") -> None:
    path = write("orders.csv", b'hs_order_name,hs_order_note\r\nA-1,x\nA-2,"y\r\nz"\rA-3,\r\n')

    assert shell.push("create", "orders", path).code == 0
    assert {row["hs_order_name"]: row.get("hs_order_note") for row in shell.sent()} == {
        "A-1": "x",
        "A-2": "y\r\nz",
        "A-3": None,
    }


class TestNothingToSend:
    @pytest.mark.parametrize(
        ("name", "content", "told"),
        [
            ("a.csv", "a;b\n", "the file has a header, and no row; "),
            ("a.csv", "a;b\n;\n \t;\u00a0\n;;\n", "nothing but 3 rows of empty cells (lines 2, 3 and 4); "),
            ("a.csv", "a;b\n;\n", "nothing but 1 row of empty cells (line 2); "),
            ("a.csv", "a;b\n" + ";\n" * 7, "7 rows of empty cells (lines 2, 3, 4, 5, 6 and 2 more); "),
            ("a.json", "[]", "the file has no row; "),
            ("a.csv", "\ufeff\n<!DOCTYPE html>\n<html>", "a web page, not a table; "),
            ("a.csv", "<HTML><body>".encode("utf-16"), "a web page, not a table; "),
            ("a.txt", "<table><tr>", "a web page, not a table; "),
            ("a.csv", '<?xml version="1.0"?><rows/>', "XML, not a table; "),
        ],
    )
    def test_a_file_without_a_row_is_not_a_success(
        self, name: str, content: bytes | str, told: str, write: "Write", shell: "Shell"
    ) -> None:
        path = write(name, content)

        for command in (["validate", "create"], ["create"]):
            done = shell(*command, "orders", path, *(["--base-url", shell.box.url] * (len(command) == 1)))

            assert done.code == 1
            assert f"{path}: " in done.err
            assert told in done.err
        assert not shell.runs.exists() or not list(shell.runs.glob("*.run"))

    def test_rows_of_empty_cells_are_counted(self, write: "Write", shell: "Shell") -> None:
        path = write("a.csv", "hs_order_name;hs_tags\n;\nA;\n ;\n\n")

        done = shell.push("create", "orders", path)

        assert done.code == 0
        assert done.out.startswith("1 of 1 orders created")
        assert "Warning: left out 2 rows of empty cells (lines 2 and 4)\n" in done.err

    def test_a_row_without_a_value_makes_no_record(self, write: "Write", shell: "Shell") -> None:
        path = write("a.jsonl", '{}\n{"hs_cart_name": null}\n{"hs_cart_name": "A"}\n')

        done = shell.push("create", "carts", path, "--set", "hs_currency_code=EUR")

        assert done.code == 4
        told = shell("results", "latest", "--rejected").out
        assert told.count("the row has no value in any column that becomes a property") == 2
        assert [cart["hs_cart_name"] for cart in shell.sent("carts")] == ["A"]


class TestColumnsThatAreNoProperties:
    @pytest.mark.parametrize(
        ("header", "options", "told"),
        [
            ("a;b", ["--delimiter", ","], "say --delimiter ';'"),
            ("a;b,c;d", ["--delimiter", ","], "say --delimiter ';'"),
            ("a\tb", ["--delimiter", ";"], "say --delimiter tab"),
            ("a,b", ["--delimiter", ";"], "say --delimiter ,"),
            ("a^b", [], "say --delimiter '^'"),
            ("a;b", ["--delimiter", ",", "--map", "hs_tags=a"], "say --delimiter ';'"),
            (
                "Order No,b",
                [],
                "the column 'Order No' cannot become a property of that name; say which one it",
            ),
            ("a,b", ["--map", "a=hs_tags"], "write the property first: --map hs_tags=a"),
            ("a,b", ["--map", "hs_tags=aa"], "there is no column 'aa'; did you mean 'a'?"),
        ],
    )
    def test_the_remedy(
        self, header: str, options: list[str], told: str, write: "Write", shell: "Shell"
    ) -> None:
        done = shell.push("create", "orders", write("a.csv", f"{header}\n1,2\n"), "--dry-run", *options)

        assert done.code == 1
        assert told in done.err
