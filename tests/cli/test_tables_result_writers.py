"""Files of results: each row as it was read, behind what became of it."""

import csv
import io
import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hubspot_batch.bulk import Outcome
from hubspot_batch.cli._tables import open_reader, open_result_writer
from hubspot_batch.errors import ConfigurationError
from hubspot_batch.results import Reason

if TYPE_CHECKING:
    from tests.cli.conftest import Write


def told(source: Path, folder: Path) -> list[str]:
    """Write all rows of a file as done, and return the lines."""
    path = folder / "results"
    with open_reader(source) as table, open_result_writer(path, table) as results:
        for row in table.rows():
            results.write(row, Outcome(index=row.number - 1, status="done", id="7"))
    return path.read_text(encoding="utf-8").splitlines()


def test_rows_of_parquet_become_csv(tmp_path: Path) -> None:
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "rows.parquet"
    parquet.write_table(arrow.table({"a": [1.5, None], "b": [True, False], "c": [b"x", b"y"]}), path)

    assert told(path, tmp_path) == [
        "_row,_outcome,_id,_code,_message,_action,_key,a,b,c",
        "1,done,7,,,,,1.5,true,b'x'",
        "2,done,7,,,,,,false,b'y'",
    ]


def test_a_row_that_cannot_be_read_stands_as_its_text(tmp_path: Path, write: "Write") -> None:
    path = write("rows.jsonl", '{"a": 1}\n{"a": \n')

    _, unreadable = told(path, tmp_path)

    assert json.loads(unreadable)["_text"] == '{"a": '


def test_a_row_with_a_name_of_ours_stands_as_its_text(tmp_path: Path, write: "Write") -> None:
    path = write("rows.jsonl", '{"a": 1, "_id": "8"}\n')

    (line,) = told(path, tmp_path)

    assert json.loads(line) == {
        "_row": 1,
        "_outcome": "done",
        "_id": "7",
        "_code": None,
        "_message": None,
        "_action": None,
        "_key": None,
        "_text": '{"a": 1, "_id": "8"}',
    }


@pytest.mark.parametrize("number", ["1.10", "0.1", "12345678901234567890.5", "7"])
def test_a_number_keeps_its_digits(number: str, tmp_path: Path, write: "Write") -> None:
    path = write("rows.jsonl", f'{{"a": {number}}}\n')

    (line,) = told(path, tmp_path)

    assert str(json.loads(line)["a"]) == number


def test_the_file_of_the_rows_is_not_overwritten(write: "Write") -> None:
    path = write("rows.csv", "a\n1\n")

    with (
        open_reader(path) as table,
        pytest.raises(ConfigurationError, match="name another file for the results"),
    ):
        open_result_writer(path, table)

    assert path.read_text(encoding="utf-8") == "a\n1\n"


@pytest.mark.parametrize("begin", [*"=+-@\t\r\n", "\uff1d"])
def test_no_cell_of_ours_is_a_formula_and_those_of_the_user_stay_as_they_are(
    begin: str, tmp_path: Path, write: "Write"
) -> None:
    source, path = write("rows.csv", 'a,=b\n"=1+\r1",-2\n'), tmp_path / "results.csv"
    reasons = [Reason(code=f"{begin}CODE", message=f"{begin}1")]
    with open_reader(source) as table, open_result_writer(path, table) as results:
        for row in table.rows():
            results.write(row, Outcome(index=0, status="rejected", reasons=reasons), f"{begin}K")

    _, cells = csv.reader(io.StringIO(path.read_bytes().decode(), newline=""))
    assert cells == ["1", "rejected", "", f"'{begin}CODE", f"'{begin}1", "", f"'{begin}K", "=1+\r1", "-2"]
    with open_reader(path) as table:
        assert [row.values for row in table.rows()] == [{"a": "=1+\r1", "=b": "-2"}]
