"""CSV in the dialects that shops and spreadsheets write; what is wrong is named with its line."""

import csv
import tracemalloc
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from hubspot_batch.cli._tables import FileRow, ReadOptions, open_reader
from hubspot_batch.errors import ConfigurationError, SourceError

Write = Callable[[str, bytes | str], Path]

SECRET = "s3cr3t-7261"


@pytest.fixture
def rows_of(write: Write) -> Callable[..., list[FileRow]]:
    """Return a function that reads a CSV file of this content."""

    def read(content: bytes | str, **options: Any) -> list[FileRow]:  # noqa: ANN401
        with open_reader(write("orders.csv", content), ReadOptions(**options)) as table:
            assert table.format == "csv"
            return list(table.rows())

    return read


Read = Callable[..., list[FileRow]]


def values(rows: Sequence[FileRow]) -> list[list[object]]:
    assert [row.fault for row in rows] == [None] * len(rows)
    return [list(row.values.values()) for row in rows]


def fault(row: FileRow) -> str:
    assert row.fault is not None
    assert row.values == {}
    return f"{row.fault.problem}; {row.fault.remedy}"


def refusal(read: Read, content: bytes | str, **options: Any) -> str:  # noqa: ANN401
    with pytest.raises(SourceError) as raised:
        read(content, **options)
    text = str(raised.value)
    assert (raised.value.line is None) == (", line " not in text)
    assert raised.value.line is None or f", line {raised.value.line}: " in text
    assert "orders.csv" in text
    assert SECRET not in text
    return text.partition("orders.csv")[2]


class TestDialects:
    @pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
    @pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
    def test_the_delimiter_is_the_one_that_fits(self, delimiter: str, line_end: str, rows_of: Read) -> None:
        lines = [["name", "total"], ["A-1", "9"], ["A-2, late; or | never", "10"], ["", "3"]]
        text = "".join(
            delimiter.join(f'"{cell}"' if " " in cell else cell for cell in line) + line_end for line in lines
        )

        assert [row.values for row in rows_of(text)] == [
            {"name": "A-1", "total": "9"},
            {"name": "A-2, late; or | never", "total": "10"},
            {"name": "", "total": "3"},
        ]

    def test_commas_within_the_cells_are_no_delimiter(self, rows_of: Read) -> None:
        assert values(rows_of("name;note\nA;a, b, c\nB;a, b, c\n")) == [["A", "a, b, c"], ["B", "a, b, c"]]

    def test_a_header_with_two_candidates_is_decided_by_the_rows(self, rows_of: Read) -> None:
        rows = rows_of("name, first;total, net\nA;1\nB;2\n")

        assert rows[0].values == {"name, first": "A", "total, net": "1"}

    def test_a_last_line_that_the_sample_cuts_decides_nothing(self, rows_of: Read) -> None:
        assert len(rows_of("a;b\n" + f"{'x' * 40_000};1\n" * 3)) == 3

    def test_delimiters_within_a_quoted_name_do_not_count_in_a_file_of_one_row(self, rows_of: Read) -> None:
        assert [row.values for row in rows_of('number,"a;b;c"\nA-1,x\n')] == [{"number": "A-1", "a;b;c": "x"}]

    @pytest.mark.parametrize("delimiter", ["#", "tab", "\\t"])
    def test_a_delimiter_can_be_named(self, delimiter: str, rows_of: Read) -> None:
        sign = "#" if delimiter == "#" else "\t"

        assert values(rows_of(f"a,b{sign}c\n1,2{sign}3\n", delimiter=delimiter)) == [["1,2", "3"]]

    @pytest.mark.parametrize("delimiter", ["", "ab", '"', "\n", " "])
    def test_an_invalid_delimiter(self, delimiter: str, write: Write) -> None:
        with pytest.raises(ConfigurationError, match="a delimiter is one character, no quote or space"):
            open_reader(write("orders.csv", "a,b\n"), ReadOptions(delimiter=delimiter))

    def test_one_column(self, rows_of: Read) -> None:
        assert values(rows_of("name\nA-1\nA-2\n")) == [["A-1"], ["A-2"]]

    def test_quotes(self, rows_of: Read) -> None:
        rows = rows_of('name,note\n"A, ""1""","two\nlines"\nB,"\r\n"\n')

        assert values(rows) == [['A, "1"', "two\nlines"], ["B", "\r\n"]]
        assert [row.line for row in rows] == [2, 4]

    def test_apostrophes_are_text(self, rows_of: Read) -> None:
        assert values(rows_of("name,note\nJoe's,'tis 'so'\n")) == [["Joe's", "'tis 'so'"]]

    def test_a_header_in_apostrophes_says_that_they_are_quotes(self, rows_of: Read) -> None:
        assert values(rows_of("'name','note'\n'A, 1','Joe''s'\n")) == [["A, 1", "Joe's"]]

    def test_spaces_behind_each_delimiter(self, rows_of: Read) -> None:
        (row,) = rows_of('name, note\nA, "x, y"\n')

        assert row.values == {"name": "A", "note": "x, y"}

    def test_mixed_line_ends(self, rows_of: Read) -> None:
        rows = rows_of("a,b\r\n1,2\n3,4\r5,6")

        assert values(rows) == [["1", "2"], ["3", "4"], ["5", "6"]]
        assert [row.line for row in rows] == [2, 3, 4]

    def test_lines_without_content_are_no_rows(self, rows_of: Read) -> None:
        rows = rows_of("\n  \na,b\n\n1,2\n,\n,,,\n \t\n3,4\n\n")

        assert values(rows) == [["1", "2"], ["3", "4"]]
        assert [(row.number, row.line) for row in rows] == [(1, 5), (2, 9)]

    def test_names_without_the_space_around_them(self, rows_of: Read) -> None:
        assert rows_of("a ,  b\n1,2\n")[0].values == {"a": "1", "b": "2"}

    @pytest.mark.parametrize("delimiter", [";", ",", "\t", "|", "^"])
    @pytest.mark.parametrize("line", ["sep={}\r\n", '"sep={}"\n', "\ufeffSEP={}\n"])
    def test_a_line_before_the_header_names_the_delimiter(
        self, line: str, delimiter: str, rows_of: Read
    ) -> None:
        text = line.format(delimiter) + "a,b;c\n1,2;3\n".replace(";", "\0").replace(",", delimiter)

        (row,) = rows_of(text.replace("\0", ";" if delimiter == "," else ","))

        assert [len(row.values), row.line] == [2, 3]

    def test_a_delimiter_that_is_named_overrides_that_line(self, rows_of: Read) -> None:
        assert values(rows_of("sep=;\na|b;c\n1|2;3\n", delimiter="|")) == [["1", "2;3"]]

    def test_only_a_header(self, write: Write) -> None:
        with open_reader(write("orders.csv", "a,b\n")) as table:
            assert (table.columns, list(table.rows()), table.total) == (["a", "b"], [], None)


class TestEncodings:
    @pytest.mark.parametrize(
        ("encoding", "option"),
        [
            ("utf-8", None),
            ("utf-8-sig", None),
            ("utf-8-sig", "utf-8"),
            ("utf-8-sig", "UTF8"),
            ("utf-16", None),
            ("utf-16", "utf-16"),
            ("utf-16-le", "utf-16-le"),
            ("cp1252", "cp1252"),
        ],
    )
    def test_text_in_its_encoding(self, encoding: str, option: str | None, write: Write) -> None:
        path = write("orders.csv", "näme,total\nMüller,9 €\n".encode(encoding))

        with open_reader(path, ReadOptions(encoding=option)) as table:
            assert [row.values for row in table.rows()] == [{"näme": "Müller", "total": "9 €"}]

    @pytest.mark.parametrize("encoding", ["utf-9", "hex"])
    def test_an_unknown_encoding(self, encoding: str, write: Write) -> None:
        with pytest.raises(ConfigurationError, match=f"there is no text encoding '{encoding}'; write utf-8"):
            open_reader(write("orders.csv", "a\n1\n"), ReadOptions(encoding=encoding))

    @pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
    @pytest.mark.parametrize("before", [0, 1, 7, 5000])
    def test_bytes_of_another_encoding_are_named_with_their_line(
        self, before: int, line_end: str, rows_of: Read
    ) -> None:
        text = line_end.join(["name,total", *["Order,9"] * before, f"{SECRET} Müller,9", "Order,9"])

        assert refusal(rows_of, text.encode("cp1252")) == (
            f", line {before + 2}: not utf-8; save the file as UTF-8, or name its encoding with --encoding: "
            "cp1252 for example, which Excel writes in western Europe"
        )

    def test_a_header_of_another_encoding(self, rows_of: Read) -> None:
        assert refusal(rows_of, "näme\n".encode("cp1252")).startswith(", line 1: not utf-8; ")

    def test_what_comes_before_foreign_bytes_is_read(self, write: Write) -> None:
        path = write("orders.csv", b"name\n" + b"Order\n" * 50_000 + b"\xff\n")
        rows: list[FileRow] = []

        with open_reader(path) as table, pytest.raises(SourceError, match="line 50002: not utf-8"):
            rows.extend(table.rows())

        assert len(rows) > 40_000

    def test_utf_16_without_a_mark(self, rows_of: Read) -> None:
        assert refusal(rows_of, "name,total\nA,1\n".encode("utf-16-le")) == (
            ", line 1: NUL characters; name the encoding with --encoding, utf-16-le for example"
        )


class TestHeader:
    def test_two_columns_of_one_name(self, rows_of: Read) -> None:
        assert refusal(rows_of, "\na,b, a\n1,2,3\n") == (
            ", line 2: two columns have the name 'a'; rename or remove one"
        )

    @pytest.mark.parametrize("header", ["a,,c", "a, ,c"])
    def test_a_column_without_a_name(self, header: str, rows_of: Read) -> None:
        assert refusal(rows_of, f"{header}\n1,2,3\n") == (
            ", line 1: column 2 has no name; give it one, or remove it"
        )

    def test_columns_at_the_end_that_have_neither_name_nor_values_are_none(self, rows_of: Read) -> None:
        rows = rows_of(f"a,b,, \n1,2,,\n3,4\n5,6,\n7,8,,,\n9,10,{SECRET},\n")

        assert values(rows[:-1]) == [["1", "2"], ["3", "4"], ["5", "6"], ["7", "8"]]
        assert [row.original for row in rows[:2]] == [["1", "2"], ["3", "4"]]
        assert fault(rows[-1]).startswith("line 6: 4 cells where the header has 2; ")

    def test_a_header_of_many_columns_is_read_in_linear_time(self, rows_of: Read) -> None:
        names = [f"c{number}" for number in range(100_000)]

        assert len(values(rows_of(f"{','.join(names)}\n{','.join(names)}\n"))[0]) == 100_000
        assert "two columns have the name 'c7'" in refusal(rows_of, f"{','.join(names)},c7\n")

    @pytest.mark.parametrize("content", ["\n", "\n\n\n", ",,\n"])
    def test_lines_that_hold_nothing(self, content: str, rows_of: Read) -> None:
        assert refusal(rows_of, content).startswith(": the file is empty; ")


class TestFaults:
    def test_a_row_of_another_width_is_refused_and_the_others_are_read(self, rows_of: Read) -> None:
        rows = rows_of(f'a,b\n{SECRET}\n1,2\n3,4,{SECRET}\n"5\n6"\n7,8\n')

        assert [row.values for row in rows] == [{}, {"a": "1", "b": "2"}, {}, {}, {"a": "7", "b": "8"}]
        remedy = "write as many cells as the header has, and quotes around one that holds the delimiter"
        assert [fault(row) for row in rows if row.fault] == [
            f"line 2: 1 cells where the header has 2; {remedy}",
            f"line 4: 3 cells where the header has 2; {remedy}",
            f"lines 5 to 6: 1 cells where the header has 2; {remedy}",
        ]
        assert [row.original for row in rows if row.fault] == [[SECRET], ["3", "4", SECRET], ["5\n6"]]
        assert [row.number for row in rows] == [1, 2, 3, 4, 5]

    def test_a_nul_character(self, rows_of: Read) -> None:
        first, second, third = rows_of(f"a,b\n1,2\n{SECRET}\0,2\n3,4\n")

        assert values([first, third]) == [["1", "2"], ["3", "4"]]
        assert fault(second) == "line 3: a NUL character; remove it"

    def test_no_row_shows_what_it_holds(self, rows_of: Read) -> None:
        assert SECRET not in repr(rows_of(f"a,b\n{SECRET},1\n{SECRET}\n"))

    def test_text_behind_a_quote(self, rows_of: Read) -> None:
        assert refusal(rows_of, f'a,b\n1,2\n"{SECRET}" x,2\n') == (
            ", line 3: ',' expected after '\"'; "
            "close each quote that is opened, and write two for one that belongs to the text"
        )

    def test_a_quote_that_is_never_closed(self, rows_of: Read) -> None:
        assert refusal(rows_of, f'a,b\n1,2\n3,"{SECRET}\n4,5\n').startswith(
            ", line 3: unexpected end of data; "
        )

    def test_a_cell_beyond_the_limit(self, rows_of: Read) -> None:
        text = f'a,b\n1,2\n3,"{SECRET}\n' + "4,5\n" * csv.field_size_limit()

        assert refusal(rows_of, text) == (
            ", line 3: a cell has more than 131,072 characters; "
            "look for a quote that is opened there and never closed"
        )

    @pytest.mark.parametrize("unit", ["x", '"x\n",', ","])
    def test_a_row_that_memory_should_not_hold(self, unit: str, rows_of: Read) -> None:
        text = "a,b\n" + unit * (2_000_000 // len(unit))

        assert refusal(rows_of, text).endswith(
            ": there are more than 1,048,576 characters in one row; "
            "shorten it, or look for a quote or bracket that is never closed"
        )

    def test_rows_before_a_broken_one_are_read(self, write: Write) -> None:
        with open_reader(write("orders.csv", 'a\n1\n"2" x\n')) as table:
            rows = table.rows()
            assert next(rows).values == {"a": "1"}
            with pytest.raises(SourceError):
                next(rows)


class TestResults:
    HEADER = "_row,_outcome,_id,_code,_message"

    def test_what_tells_of_outcomes_is_left_out(self, rows_of: Read) -> None:
        rows = rows_of(f'{self.HEADER},name,_id\n1,rejected,,X,"a, b",A-1,7\n2,done,9,,,A-2,8\n')

        assert [row.values for row in rows] == [{"name": "A-1", "_id": "7"}, {"name": "A-2", "_id": "8"}]
        assert rows[0].original == ["A-1", "7"]

    def test_so_is_what_was_done_where_it_stands_behind_the_rest(self, rows_of: Read) -> None:
        (row,) = rows_of(f"{self.HEADER},_action,name,_action\n1,done,9,,,created,A-1,7\n")
        (other,) = rows_of(f"{self.HEADER},name,_action\n1,done,9,,,A-1,7\n")

        assert row.values == other.values == {"name": "A-1", "_action": "7"}

    def test_where_it_stands_makes_no_difference(self, rows_of: Read) -> None:
        rows = rows_of(f"name,{self.HEADER}\nA-1,1,rejected,,X,m\n")

        assert [row.values for row in rows] == [{"name": "A-1"}]

    @pytest.mark.parametrize("cells", ["A-1", "A-1,2,3"])
    def test_a_row_of_another_width_stays_one(self, cells: str, rows_of: Read) -> None:
        (row,) = rows_of(f"{self.HEADER},name,total\n1,rejected,,X,m,{cells}\n")

        assert row.original == cells.split(",")
        assert "where the header has 2" in fault(row)

    def test_fewer_of_these_columns_are_columns_like_others(self, rows_of: Read) -> None:
        assert rows_of("_id,_row\n1,2\n")[0].values == {"_id": "1", "_row": "2"}


def test_memory_does_not_grow_with_the_file(write: Write) -> None:
    def peak(lines: int) -> int:
        path = write("orders.csv", "name,total\n" + "A long name of an order,9.90\n" * lines)
        with open_reader(path) as table:
            tracemalloc.start()
            for _ in table.rows():
                pass
            _, most = tracemalloc.get_traced_memory()
            tracemalloc.stop()
        return most

    # Other work of the process is counted as well, so one of three has to be right.
    assert any(peak(100_000) < peak(5_000) + 100_000 for _ in range(3))
