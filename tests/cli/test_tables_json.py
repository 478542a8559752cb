"""JSON Lines, and JSON lists of any length; what is wrong is named with its place."""

import json
import tracemalloc
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubspot_batch.cli._tables import FileRow, ReadOptions, _content, _json_list, _text, open_reader
from hubspot_batch.errors import SourceError

Write = Callable[[str, bytes | str], Path]
Read = Callable[..., list[FileRow]]

SECRET = "s3cr3t-7261"
ORDERS = [{"name": "A-1", "total": 9}, {"properties": {"name": "Müller"}, "associations": []}, {}]
MAPPINGS = st.dictionaries(st.text(), st.text() | st.integers() | st.none() | st.lists(st.booleans()))


@pytest.fixture(params=["orders.jsonl", "orders.json"])
def name(request: pytest.FixtureRequest) -> str:
    result: str = request.param
    return result


def text_of(name: str, rows: list[Any], **options: Any) -> str:  # noqa: ANN401
    if name.endswith(".json"):
        return json.dumps(rows, **options)
    return "".join(json.dumps(row) + "\n" for row in rows)


def read(path: Path, **options: Any) -> list[FileRow]:  # noqa: ANN401
    with open_reader(path, ReadOptions(**options)) as table:
        assert table.columns is None
        return list(table.rows())


def fault(row: FileRow) -> str:
    assert row.fault is not None
    assert row.values == {}
    text = f"{row.fault.problem}; {row.fault.remedy}"
    assert SECRET not in text
    return text


def refusal(path: Path, **options: Any) -> str:  # noqa: ANN401
    with pytest.raises(SourceError) as raised:
        read(path, **options)
    text = str(raised.value)
    assert text.startswith(str(path))
    assert SECRET not in text
    return text.removeprefix(str(path))


class TestBoth:
    def test_each_mapping_is_a_row(self, name: str, write: Write) -> None:
        rows = read(write(name, text_of(name, ORDERS)))

        assert [row.values for row in rows] == ORDERS
        assert [row.number for row in rows] == [1, 2, 3]
        assert [row.line for row in rows] == ([1, 2, 3] if name.endswith("l") else [None] * 3)

    @pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
    def test_a_byte_order_mark(self, encoding: str, name: str, write: Write) -> None:
        assert [row.values for row in read(write(name, text_of(name, ORDERS).encode(encoding)))] == ORDERS

    def test_another_encoding(self, name: str, write: Write) -> None:
        path = write(
            name,
            json.dumps(ORDERS[1:2] if name == "orders.json" else ORDERS[1], ensure_ascii=False).encode(
                "cp1252"
            ),
        )

        assert [row.values for row in read(path, encoding="cp1252")] == ORDERS[1:2]
        assert refusal(path) == (
            ", line 1: not utf-8; save the file as UTF-8, or name its encoding with --encoding: "
            "cp1252 for example, which Excel writes in western Europe"
        )

    def test_numbers_keep_their_digits(self, name: str, write: Write) -> None:
        row = '{"a": 19.90, "b": 12345678901234567.89, "c": 7, "d": 1e400}'

        (found,) = read(write(name, f"[{row}]" if name == "orders.json" else row))

        assert found.values == {
            "a": Decimal("19.90"),
            "b": Decimal("12345678901234567.89"),
            "c": 7,
            "d": Decimal("1e400"),
        }
        assert str(found.values["a"]) == "19.90"

    @pytest.mark.parametrize(
        ("row", "kind"),
        [("7", "a number"), ('"x"', "text"), ("[1]", "a list"), ("null", "null"), ("true", "a bool")],
    )
    def test_what_is_not_a_mapping(self, row: str, kind: str, name: str, write: Write) -> None:
        content = f'[{row}, {{"a": 1}}]' if name == "orders.json" else f'{row}\n{{"a": 1}}\n'

        first, second = read(write(name, content))

        place = "row 1" if name == "orders.json" else "line 1"
        assert fault(first) == f"{place}: {kind} stands where a mapping belongs; write one mapping in JSON"
        assert first.original == row
        assert second.values == {"a": 1}

    def test_a_key_that_occurs_twice(self, name: str, write: Write) -> None:
        row = f'{{"properties": {{"a": "{SECRET}", "b": 2, "a": 3}}}}'
        content = f'[{row}, {{"a": 1}}]' if name == "orders.json" else f'{row}\n{{"a": 1}}\n'

        first, second = read(write(name, content))

        place = "row 1" if name == "orders.json" else "line 1"
        assert fault(first) == f"{place}: the key 'a' occurs twice in one mapping; remove one of the two"
        assert first.original == row
        assert second.values == {"a": 1}

    def test_what_tells_of_outcomes_is_left_out(self, name: str, write: Write) -> None:
        told = {"_row": 1, "_outcome": "rejected", "_id": None, "_code": "X", "_message": "m"}

        rows = read(
            write(name, text_of(name, [{**told, "a": 1}, {**told, "_text": '{"_id": 7}'}, {"_id": 7}]))
        )

        assert [row.values for row in rows] == [{"a": 1}, {"_id": 7}, {"_id": 7}]
        later = [{**told, "_action": "created", "a": 1}, {**told, "a": 1, "_action": "x"}]
        (row, own) = read(write(name, text_of(name, later)))
        assert (row.values, own.values) == ({"a": 1}, {"a": 1, "_action": "x"})

    def test_a_row_that_could_not_be_read_is_read_again(self, name: str, write: Write) -> None:
        told = {"_row": 1, "_outcome": "rejected", "_id": None, "_code": "X", "_message": "m"}

        (row,) = read(write(name, text_of(name, [{**told, "_text": f'{{"a": {SECRET}'}])))

        assert "column 7: not JSON: Expecting value" in fault(row)
        assert row.original == f'{{"a": {SECRET}'


TOO_LONG = (
    "there are more than 30 characters in one row; "
    "shorten it, or look for a quote or bracket that is never closed"
)


class TestLines:
    def test_lines_without_content_are_no_rows_and_ends_may_differ(self, write: Write) -> None:
        rows = read(write("orders.ndjson", '\n{"a": 1}\r\n  \n {"a": 2} \r{"a": 3}'))

        assert [(row.values["a"], row.number, row.line) for row in rows] == [(1, 1, 2), (2, 2, 4), (3, 3, 5)]

    @pytest.mark.parametrize(
        ("line", "problem"),
        [
            (f'{{"a": "{SECRET}"', "line 1, column 20: not JSON: Expecting ',' delimiter"),
            (f'  {{"a": {SECRET}}}', "line 1, column 9: not JSON: Expecting value"),
            (f'{{"a": 1}} {SECRET}', "line 1, column 10: not JSON: more follows"),
            (f'{{"a": 1{"0" * 5000}}}', "line 1: a number has too many digits"),
            ('{"a": 1.5e99999999999999999999}', "line 1: a number has too many digits"),
            ('{"a": ' + "[" * 100_000, "line 1: nested too deeply"),
            ("name,total", "line 1, column 1: not JSON: Expecting value"),
        ],
    )
    def test_a_line_that_is_not_json_is_refused_and_the_others_are_read(
        self, line: str, problem: str, write: Write
    ) -> None:
        first, second = read(write("orders.jsonl", f'{line}\n{{"a": 1}}\n'))

        assert fault(first) == f"{problem}; write one mapping in JSON"
        assert first.original == line
        assert second.values == {"a": 1}

    @pytest.mark.parametrize("name", ["orders.jsonl", "orders.json", "orders"])
    def test_a_mapping_over_several_lines(self, name: str, write: Write) -> None:
        assert refusal(write(name, json.dumps(ORDERS[0], indent=2))) == (
            ": one mapping over several lines; write a list [...], or one mapping on each line"
        )

    def test_a_key_that_is_repeated_among_many_is_found_in_linear_time(self, write: Write) -> None:
        keys = ", ".join(f'"k{number}": 1' for number in range(200_000))

        (row,) = read(write("orders.jsonl", f'{{{keys[:900_000].rpartition(",")[0]}, "k9": 2}}\n'))

        assert fault(row).startswith("line 1: the key 'k9' occurs twice in one mapping; ")

    def test_lines_that_hold_nothing(self, write: Write) -> None:
        assert refusal(write("orders.jsonl", "\n \n")).startswith(": the file is empty; ")

    def test_a_line_that_memory_should_not_hold(self, monkeypatch: pytest.MonkeyPatch, write: Write) -> None:
        monkeypatch.setattr(_text, "LONGEST_ROW", 30)
        path = write("orders.jsonl", '{"a": 1}\n' + f'{{"a": "{SECRET * 9}"}}\n')

        assert refusal(path) == f", line 2: {TOO_LONG}"


class TestList:
    @given(rows=st.lists(MAPPINGS), size=st.integers(1, 40), indent=st.sampled_from([None, 0, 3]))
    @settings(deadline=None)
    def test_blocks_of_any_size_give_the_same_rows(
        self, rows: list[Any], size: int, indent: int | None, tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        path = tmp_path_factory.mktemp("list") / "orders.json"
        path.write_text(json.dumps(rows, indent=indent), encoding="utf-8")

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(_json_list, "_BLOCK_SIZE", size)
            assert [row.values for row in read(path)] == rows

    @pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 100])
    def test_no_token_is_cut(self, size: int, monkeypatch: pytest.MonkeyPatch, write: Write) -> None:
        monkeypatch.setattr(_json_list, "_BLOCK_SIZE", size)
        text = (
            r' [ {"a" : "\ud83d\ude00\u00e4\\\"" , "b":-1.25e+3 ,"c":true,"d":null, "e":{ } }, 123, -7.5 ] '
        )

        first, *others = read(write("orders.json", text))

        assert first.values == {"a": '😀ä\\"', "b": Decimal(-1250), "c": True, "d": None, "e": {}}
        assert [row.original for row in others] == ["123", "-7.5"]

    @pytest.mark.parametrize("text", ["[]", " [ \n] \n"])
    def test_no_rows(self, text: str, write: Write) -> None:
        assert read(write("orders.json", text)) == []

    @pytest.mark.parametrize(
        ("text", "rows", "problem"),
        [
            ("[", 0, "line 1, column 2: the list ends early; make or fetch the file again"),
            ('[\n{"a": 1}', 1, "line 2, column 9: the list ends early; make or fetch the file again"),
            ('[{"a": 1},\n', 1, "line 2, column 1: the list ends early; make or fetch the file again"),
            (f'[{{"a": 1}},\n{{"a": "{SECRET}', 1, "line 2, column 19: the list ends early; make or fetch"),
            ('[{"a": 1},\n{"a": ', 1, "line 2, column 7: the list ends early; make or fetch"),
            ('[{"a": 1},]', 1, "line 1, column 11: not JSON: Expecting value"),
            ('[{"a": 1}\n {"a": 2}]', 1, "line 2, column 2: not JSON: Expecting ','"),
            (f'[{{"a": 1}}, {{"a": {SECRET}}}]', 1, "line 1, column 18: not JSON: Expecting value"),
            ('[{"a": 1}] ]', 1, "line 1, column 12: more follows the list; remove it, or say --format jsonl"),
            ('[{"a": 1}]\n[{"a": 1}]', 1, "line 2, column 1: more follows the list"),
            (
                f'[{{"a": 1{"0" * 5000}}}]',
                0,
                "line 1, column 2: a number has too many digits; correct or remove it",
            ),
            ('[{"a": ' + "[" * 100_000, 0, "line 1, column 2: nested too deeply; correct or remove it"),
        ],
    )
    @pytest.mark.parametrize("size", [4, 100_000])
    def test_where_nothing_can_be_read_any_more(
        self, text: str, rows: int, problem: str, size: int, monkeypatch: pytest.MonkeyPatch, write: Write
    ) -> None:
        monkeypatch.setattr(_json_list, "_BLOCK_SIZE", size)
        path = write("orders.json", text)
        found: list[FileRow] = []

        with open_reader(path) as table, pytest.raises(SourceError) as raised:
            found.extend(table.rows())

        assert [row.values for row in found] == [{"a": 1}] * rows
        assert str(raised.value).startswith(f"{path}, {problem}")

    def test_a_value_that_is_not_a_list(self, write: Write) -> None:
        assert refusal(write("orders.json", "name,total\n")) == (
            ": a list in JSON begins with [; name what this is with --format"
        )

    def test_foreign_bytes_are_named_with_their_line(self, write: Write) -> None:
        text = "[" + '{"name": "A"},\n' * 30_000 + '{"name": "Müller"}]'

        assert refusal(write("orders.json", text.encode("cp1252"))).startswith(", line 30001: not utf-8; ")

    def test_an_encoding_that_ends_within_a_character(self, write: Write) -> None:
        assert refusal(write("orders.json", b'["M\xc3')).startswith(", line 1: not utf-8; ")

    def test_a_row_that_memory_should_not_hold(self, monkeypatch: pytest.MonkeyPatch, write: Write) -> None:
        monkeypatch.setattr(_json_list, "_BLOCK_SIZE", 8)
        monkeypatch.setattr(_text, "LONGEST_ROW", 30)
        path = write("orders.json", f'[{{"a": 1}}, {{"a": "{SECRET * 20}"}}]')

        assert refusal(path) == f", line 1, column 12: {TOO_LONG}"

    @pytest.mark.parametrize("name", ["payload.json", "payload", "payload.jsonl"])
    def test_the_body_of_a_request_holds_its_inputs(self, name: str, write: Write) -> None:
        path = write(name, json.dumps({"inputs": ORDERS}, indent=2))
        options = {"format": "json"} if name.endswith("l") else {}

        assert [row.values for row in read(path, **options)] == ORDERS

    def test_the_body_of_a_request_that_is_not_whole_or_not_alone(self, write: Write) -> None:
        assert refusal(write("a.json", '{"inputs": [{"a": 1}], "b": 2}')).endswith("Expecting '}'")
        assert refusal(write("b.json", '{"inputs": 5}')).endswith("Expecting '['")
        assert refusal(write("c.json", '{"inputs": [{"a": 1}]')).endswith(
            "the list ends early; make or fetch the file again"
        )
        (row, _) = read(
            write("d.jsonl", f'{{"inputs": [{{"a": "{SECRET}"}}]}}\n{{"a": 1}}\n'), format="jsonl"
        )
        assert fault(row) == (
            "line 1: the body of a request stands where a row belongs; write each of its inputs by itself"
        )

    def test_an_error_at_the_beginning_does_not_read_the_file(self, write: Write) -> None:
        path = write("orders.json", '[{"a": nonsense}, ' + '{"a": 1}, ' * 500_000)

        with open_reader(path) as table:
            with pytest.raises(SourceError, match="column 8: not JSON"):
                list(table.rows())
            assert (table.share_read() or 1) < 0.2


@pytest.mark.parametrize("line_end", ["\n", ""])
def test_memory_does_not_grow_with_the_file(
    line_end: str, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Small blocks, so that small files have many of them.
    for module in (_content, _json_list):
        monkeypatch.setattr(module, "_BLOCK_SIZE", 16 * 1024)

    def peak(rows: int, name: str) -> int:
        row = '{"name": "A long name of an order", "total": 9.90}'
        separator = f",{line_end}" if name == "orders.json" else "\n"
        text = separator.join([row] * rows)
        path = write(name, f"[{text}]" if name == "orders.json" else text)
        with open_reader(path) as table:
            tracemalloc.start()
            assert sum(1 for _ in table.rows()) == rows
            _, most = tracemalloc.get_traced_memory()
            tracemalloc.stop()
        return most

    for name in ("orders.json", "orders.jsonl"):
        # Other work of the process is counted as well, so one of three has to be right.
        assert any(peak(16_000, name) < peak(4_000, name) + 100_000 for _ in range(3))
