"""Which kind of file one is, compressed or not, named or piped; and files that cannot be used."""

import gzip
import io
import sys
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from pathlib import Path

import pytest

from hubspot_batch.cli._tables import FORMATS, Format, Row, Table, TableOptions, open_table
from hubspot_batch.errors import ConfigurationError

try:
    import pyarrow as pa
    from pyarrow import parquet
except ModuleNotFoundError:
    pa = None

needs_pyarrow = pytest.mark.skipif(pa is None, reason="pyarrow is an extra")

zstd = import_module("compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd")

Write = Callable[[str, bytes | str], Path]

ROWS = [{"name": "A-1", "total": "9"}, {"name": "A-2", "total": "3"}]
CSV = b"name,total\nA-1,9\nA-2,3\n"
LINES = b'{"name": "A-1", "total": "9"}\n{"name": "A-2", "total": "3"}\n'
LIST = b'[{"name": "A-1", "total": "9"}, {"name": "A-2", "total": "3"}]'
TEXTS = [("csv", CSV), ("jsonl", LINES), ("json", LIST)]


class Pipe(io.RawIOBase):
    """Bytes that come one by one."""

    def __init__(self, content: bytes) -> None:
        super().__init__()
        self._content = io.BytesIO(content)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        return self._content.readinto(buffer[:1])


@pytest.fixture
def pipe(monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes], Path]:
    """Return a function that puts bytes into standard input."""

    def piped(content: bytes) -> Path:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(Pipe(content))))
        return Path("-")

    return piped


def parquet_of(rows: list[dict[str, str]]) -> bytes:
    sink = io.BytesIO()
    parquet.write_table(pa.Table.from_pylist(rows), sink)
    return sink.getvalue()


def values(table: Table) -> list[object]:
    with table:
        return [dict(row.values) for row in table.rows()]


def refusal(path: Path, options: TableOptions | None = None) -> str:
    with pytest.raises(ConfigurationError) as raised:
        values(open_table(path, options))
    assert str(raised.value).startswith(str(path))
    return str(raised.value).removeprefix(str(path))


COMPRESSIONS = pytest.mark.parametrize("compress", [bytes, gzip.compress, zstd.compress])


class TestFormat:
    @pytest.mark.parametrize(
        ("name", "kind"),
        [
            ("orders.csv", "csv"),
            ("orders.CSV", "csv"),
            ("orders.2026.tsv", "csv"),
            ("orders.txt", "csv"),
            ("orders.jsonl", "jsonl"),
            ("orders.ndjson", "jsonl"),
            ("orders.json", "json"),
            ("orders.csv.gz", "csv"),
            ("orders.jsonl.ZST", "jsonl"),
        ],
    )
    def test_the_name_tells_it(self, name: str, kind: str, write: Write) -> None:
        with open_table(write(name, dict(TEXTS)[kind])) as table:
            assert table.format == kind

    @pytest.mark.parametrize(("kind", "content"), TEXTS)
    @pytest.mark.parametrize("name", ["orders", "orders.dat", "orders.v1.gz", ".csv"])
    def test_the_first_character_tells_it_where_the_name_does_not(
        self, name: str, kind: str, content: bytes, write: Write
    ) -> None:
        with open_table(write(name, b"  \n" + content)) as table:
            assert table.format == kind
            assert [row.values for row in table.rows()] == ROWS

    def test_lines_are_called_json_too(self, write: Write) -> None:
        with open_table(write("orders.json", LINES)) as table:
            assert table.format == "jsonl"

    @pytest.mark.parametrize(("kind", "content"), TEXTS)
    def test_it_can_be_named(self, kind: Format, content: bytes, write: Write) -> None:
        assert kind in FORMATS
        with open_table(write("orders.parquet", content), TableOptions(format=kind)) as table:
            assert table.format == kind

    @pytest.mark.parametrize("name", ["orders.csv", "orders.json", "orders.jsonl"])
    def test_parquet_under_another_name(self, name: str, write: Write) -> None:
        assert refusal(write(name, b"PAR1...")) == ": this is a Parquet file; say with --format what it is"

    def test_another_file_under_the_name_of_parquet(self, write: Write) -> None:
        assert (
            refusal(write("orders.parquet", CSV)) == ": this is no Parquet file; say with --format what it is"
        )

    def test_a_workbook(self, write: Write) -> None:
        assert refusal(write("orders.xlsx", b"PK\x03\x04...")) == (
            ": an Excel workbook or ZIP archive; save the sheet as CSV"
        )


class TestCompression:
    @COMPRESSIONS
    @pytest.mark.parametrize(("kind", "content"), TEXTS)
    def test_the_first_bytes_tell_it(
        self, kind: str, content: bytes, compress: Callable[[bytes], bytes], write: Write
    ) -> None:
        assert values(open_table(write(f"orders.{kind}", compress(content)))) == ROWS
        assert values(open_table(write("orders", compress(content)))) == ROWS

    def test_files_that_are_compressed_one_after_the_other(self, write: Write) -> None:
        path = write("orders.csv.gz", gzip.compress(CSV) + gzip.compress(b"A-3,1\n"))

        assert len(values(open_table(path))) == 3

    @pytest.mark.parametrize("compress", [gzip.compress, zstd.compress])
    def test_what_ends_early_is_read_so_far(self, compress: Callable[[bytes], bytes], write: Write) -> None:
        text = b"name\n" + b"".join(b"Order %d\n" % number for number in range(200_000))
        path = write("orders.csv", compress(text)[:-10])
        rows: list[Row] = []

        with open_table(path) as table, pytest.raises(ConfigurationError) as raised:
            rows.extend(table.rows())

        assert 100_000 < len(rows) < 200_000
        assert str(raised.value) == (
            f"{path}, line {len(rows) + 2}: the compressed data ends early; make or fetch it again"
        )

    @pytest.mark.parametrize("compress", [gzip.compress, zstd.compress])
    def test_a_beginning_that_ends_early(self, compress: Callable[[bytes], bytes], write: Write) -> None:
        assert refusal(write("orders.csv", compress(CSV)[:7])) == (
            ": the compressed data ends early; make or fetch it again"
        )

    @pytest.mark.parametrize(
        "damaged",
        [
            gzip.compress(CSV, mtime=0)[:-8] + bytes(8),
            gzip.compress(CSV, mtime=0)[:10] + b"\xff" * 20,
            zstd.compress(CSV) + b"junk",
        ],
    )
    def test_what_is_damaged(self, damaged: bytes, write: Write) -> None:
        assert refusal(write("orders.csv", damaged)).endswith(
            ": the compressed data cannot be read any further; make or fetch it again"
        )

    def test_without_zstd_it_says_what_to_install(
        self, write: Write, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = write("orders.csv", zstd.compress(CSV))
        monkeypatch.setitem(sys.modules, zstd.__name__, None)

        with pytest.raises(ConfigurationError, match=r"pip install 'hubspot-batch\[cli\]'"):
            open_table(path)


class TestStandardInput:
    @COMPRESSIONS
    @pytest.mark.parametrize(("kind", "content"), TEXTS)
    def test_it_is_read_like_a_file_without_a_name(
        self, kind: str, content: bytes, compress: Callable[[bytes], bytes], pipe: Callable[[bytes], Path]
    ) -> None:
        with open_table(pipe(compress(content))) as table:
            assert (table.format, table.name, table.share_read()) == (kind, "-", None)
            assert [row.values for row in table.rows()] == ROWS

        assert not sys.stdin.closed
        assert not sys.stdin.buffer.closed

    def test_the_first_row_does_not_wait_for_the_last(self, monkeypatch: pytest.MonkeyPatch) -> None:
        class Endless(Pipe):
            def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
                return super().readinto(buffer) or pytest.fail("it reads beyond the first line")

        stdin = io.TextIOWrapper(io.BufferedReader(Endless(b"name,total\n"), 1))
        monkeypatch.setattr(sys, "stdin", stdin)

        with open_table(Path("-"), TableOptions(format="csv")) as table:
            assert table.format == "csv"

    def test_errors_name_it(self, pipe: Callable[[bytes], Path]) -> None:
        assert refusal(pipe(b"name\n\xff\n")).startswith(", line 2: not utf-8")
        assert refusal(pipe(b"")) == ": the file is empty; at least one row is needed"


class TestFiles:
    def test_a_missing_file(self, tmp_path: Path) -> None:
        assert refusal(tmp_path / "gone.csv") == ": No such file or directory; name a file that can be read"

    def test_a_folder(self, tmp_path: Path) -> None:
        assert refusal(tmp_path) == ": Is a directory; name a file that can be read"

    def test_a_file_that_may_not_be_read(self, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
        path = write("orders.csv", CSV)

        def refuse(*_: object) -> None:
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(Path, "open", refuse)

        assert refusal(path) == ": Permission denied; name a file that can be read"

    @pytest.mark.parametrize(
        "name", ["orders", "orders.csv", "orders.json", "orders.jsonl", "orders.parquet"]
    )
    def test_an_empty_file(self, name: str, write: Write) -> None:
        assert refusal(write(name, b"")) == ": the file is empty; at least one row is needed"

    def test_a_disk_that_fails(self, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
        path = write("orders.csv", CSV)

        class Failing(Pipe):
            def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
                return super().readinto(buffer) or self._fail()

            def _fail(self) -> int:
                raise OSError(5, "Input/output error")

        monkeypatch.setattr(Path, "open", lambda *_: io.BufferedReader(Failing(CSV)))

        assert refusal(path) == ", line 4: it cannot be read any further; make or fetch it again"

    @pytest.mark.parametrize("content", [CSV, b"a,a\n", b"\xff", b"PAR1"])
    def test_the_file_is_closed(self, content: bytes, write: Write) -> None:
        path = write("orders.csv", content)
        handles: list[io.BufferedReader] = []
        opened = Path.open

        def noting(self: Path, mode: str) -> io.BufferedReader:
            handles.append(opened(self, mode))  # type: ignore[arg-type]
            return handles[-1]

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Path, "open", noting)
            with suppress(ConfigurationError):
                values(open_table(path))

        assert [handle.closed for handle in handles] == [True]

    @pytest.mark.parametrize("compress", [bytes, gzip.compress])
    def test_how_much_has_been_read(self, compress: Callable[[bytes], bytes], write: Write) -> None:
        text = b"name\n" + b"".join(b"Order %d\n" % number for number in range(200_000))
        with open_table(write("orders.csv", compress(text))) as table:
            shares = [table.share_read() for row in table.rows() if row.number % 50_000 == 0]

        assert None not in shares
        assert 0 < (shares[0] or 0) < 0.5
        assert shares == sorted(shares, key=lambda share: share or 0)
        assert shares[-1] == 1


@needs_pyarrow
class TestParquet:
    @COMPRESSIONS
    def test_its_rows(
        self, compress: Callable[[bytes], bytes], write: Write, pipe: Callable[[bytes], Path]
    ) -> None:
        content = compress(parquet_of(ROWS))
        paths: list[Path] = [write("orders.parquet", content), write("orders", content), pipe(content)]
        for path in paths:
            with open_table(path) as table:
                assert (table.format, table.columns, table.total) == ("parquet", ["name", "total"], 2)
                assert table.share_read() == 0
                rows = list(table.rows())
                assert [row.values for row in rows] == ROWS
                assert [(row.number, row.line) for row in rows] == [(1, None), (2, None)]
                assert table.share_read() == 1

    def test_no_rows(self, write: Write) -> None:
        content = parquet_of(ROWS[:1])
        empty = io.BytesIO()
        parquet.write_table(parquet.read_table(io.BytesIO(content)).slice(0, 0), empty)

        with open_table(write("orders.parquet", empty.getvalue())) as table:
            assert (list(table.rows()), table.total, table.share_read()) == ([], 0, None)

    def test_two_columns_of_one_name(self, write: Write) -> None:
        sink = io.BytesIO()
        parquet.write_table(pa.table([["a"], ["b"]], names=["n", "n"]), sink)

        assert (
            refusal(write("orders.parquet", sink.getvalue())) == ": two columns have the name 'n'; rename one"
        )

    def test_a_part_of_a_file(self, write: Write) -> None:
        assert refusal(write("orders.parquet", parquet_of(ROWS)[:-9])) == (
            ": no Parquet file, or a part of one; write it again"
        )

    def test_a_part_of_a_compressed_file(self, write: Write) -> None:
        content = gzip.compress(parquet_of([{"name": f"Order {number}"} for number in range(60_000)]))[:-9]

        assert refusal(write("orders.parquet", content)).endswith(
            "the compressed data ends early; make or fetch it again"
        )

    def test_a_file_that_is_damaged_further_on(self, write: Write) -> None:
        rows = [{"name": f"Order {number}"} for number in range(2048)]
        sink = io.BytesIO()
        parquet.write_table(pa.Table.from_pylist(rows), sink, row_group_size=1024, use_dictionary=False)
        content = bytearray(sink.getvalue())
        for place in range(len(content) // 2, len(content) * 3 // 4):
            content[place] = 7
        found: list[Row] = []

        with (
            open_table(write("orders.parquet", bytes(content))) as table,
            pytest.raises(ConfigurationError) as raised,
        ):
            found.extend(table.rows())

        assert len(found) == 1024
        assert "orders.parquet, row 1025: the file is damaged from there on; write it again" in str(
            raised.value
        )

    def test_without_pyarrow_it_says_what_to_install(
        self, write: Write, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = write("orders.parquet", parquet_of(ROWS))
        monkeypatch.setitem(sys.modules, "pyarrow", None)

        with pytest.raises(ConfigurationError, match=r"pip install 'hubspot-batch\[parquet\]'"):
            open_table(path)
