"""Which kind of file one is, compressed or not, named or piped; and files that cannot be used."""

import bz2
import gzip
import io
import lzma
import random
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from pathlib import Path

import pytest

from hubspot_batch.cli._tables import FORMATS, FileRow, ReadOptions, RowReader, _content, open_reader
from hubspot_batch.errors import ConfigurationError, SourceError

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


def values(table: RowReader) -> list[object]:
    with table:
        return [dict(row.values) for row in table.rows()]


def refusal(path: Path, options: ReadOptions | None = None) -> str:
    with pytest.raises(SourceError) as raised:
        values(open_reader(path, options))
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
        with open_reader(write(name, dict(TEXTS)[kind])) as table:
            assert table.format == kind

    @pytest.mark.parametrize(("kind", "content"), TEXTS)
    @pytest.mark.parametrize("name", ["orders", "orders.dat", "orders.v1.gz", ".csv"])
    def test_the_first_character_tells_it_where_the_name_does_not(
        self, name: str, kind: str, content: bytes, write: Write
    ) -> None:
        with open_reader(write(name, b"  \n" + content)) as table:
            assert table.format == kind
            assert [row.values for row in table.rows()] == ROWS

    def test_lines_are_called_json_too(self, write: Write) -> None:
        with open_reader(write("orders.json", LINES)) as table:
            assert table.format == "jsonl"

    @pytest.mark.parametrize(("kind", "content"), TEXTS)
    def test_it_can_be_named(self, kind: str, content: bytes, write: Write) -> None:
        assert kind in FORMATS
        with open_reader(write("orders.parquet", content), ReadOptions(format=kind)) as table:
            assert table.format == kind

    @pytest.mark.parametrize("name", ["orders.csv", "orders.json", "orders.jsonl"])
    def test_parquet_under_another_name(self, name: str, write: Write) -> None:
        assert refusal(write(name, b"PAR1...")) == ": this is a Parquet file; say with --format what it is"

    def test_another_file_under_the_name_of_parquet(self, write: Write) -> None:
        assert (
            refusal(write("orders.parquet", CSV))
            == ": this is not a Parquet file; say with --format what it is"
        )

    @pytest.mark.parametrize(
        ("content", "what"),
        [
            (b"PK\x03\x04...", "an Excel workbook or ZIP archive; save the sheet as CSV"),
            (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an Excel workbook of the old kind; save the sheet as CSV"),
            (bz2.compress(CSV), "compressed with bzip2; unpack it, or compress it with gzip or zstd"),
            (lzma.compress(CSV), "compressed with xz; unpack it, or compress it with gzip or zstd"),
            (b"SQLite format 3\0", "a database of SQLite; write its rows as CSV"),
            (b" \n\t\r\n ", "the file is empty; at least one row is needed"),
        ],
    )
    @pytest.mark.parametrize("name", ["orders.csv", "orders.json", "orders"])
    def test_a_file_that_is_not_read_says_what_it_is(
        self, content: bytes, what: str, name: str, write: Write
    ) -> None:
        assert refusal(write(name, content)) == f": {what}"


class TestCompression:
    @COMPRESSIONS
    @pytest.mark.parametrize(("kind", "content"), TEXTS)
    def test_the_first_bytes_tell_it(
        self, kind: str, content: bytes, compress: Callable[[bytes], bytes], write: Write
    ) -> None:
        assert values(open_reader(write(f"orders.{kind}", compress(content)))) == ROWS
        assert values(open_reader(write("orders", compress(content)))) == ROWS

    def test_files_that_are_compressed_one_after_the_other(self, write: Write) -> None:
        path = write("orders.csv.gz", gzip.compress(CSV) + gzip.compress(b"A-3,1\n"))

        assert len(values(open_reader(path))) == 3

    @pytest.mark.parametrize("compress", [gzip.compress, zstd.compress])
    def test_what_ends_early_is_read_so_far(self, compress: Callable[[bytes], bytes], write: Write) -> None:
        text = b"name\n" + b"".join(b"Order %d\n" % number for number in range(20_000))
        path = write("orders.csv", compress(text)[:-10])
        rows: list[FileRow] = []

        with open_reader(path) as table, pytest.raises(SourceError) as raised:
            rows.extend(table.rows())

        assert 1_000 < len(rows) < 20_000
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

        with pytest.raises(ConfigurationError, match=r'pip install "hubspot-batch\[cli\]"'):
            open_reader(path)


class TestStandardInput:
    @COMPRESSIONS
    @pytest.mark.parametrize(("kind", "content"), TEXTS)
    def test_it_is_read_like_a_file_without_a_name(
        self, kind: str, content: bytes, compress: Callable[[bytes], bytes], pipe: Callable[[bytes], Path]
    ) -> None:
        with open_reader(pipe(compress(content))) as table:
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

        with open_reader(Path("-"), ReadOptions(format="csv")) as table:
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
            with suppress(SourceError):
                values(open_reader(path))

        assert [handle.closed for handle in handles] == [True]

    @pytest.mark.parametrize("compress", [bytes, gzip.compress])
    def test_how_much_has_been_read(self, compress: Callable[[bytes], bytes], write: Write) -> None:
        text = b"name\n" + b"".join(b"Order %d\n" % number for number in range(200_000))
        with open_reader(write("orders.csv", compress(text))) as table:
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
            with open_reader(path) as table:
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

        with open_reader(write("orders.parquet", empty.getvalue())) as table:
            assert (list(table.rows()), table.total, table.share_read()) == ([], 0, None)

    def test_two_columns_of_one_name(self, write: Write) -> None:
        sink = io.BytesIO()
        parquet.write_table(pa.table([["a"], ["b"]], names=["n", "n"]), sink)

        assert (
            refusal(write("orders.parquet", sink.getvalue())) == ": two columns have the name 'n'; rename one"
        )

    def test_columns_whose_times_name_no_zone(self, write: Write) -> None:
        sink = io.BytesIO()
        times = {"here": pa.array([0], pa.timestamp("ms")), "there": pa.array([0], pa.timestamp("ms", "UTC"))}
        parquet.write_table(pa.table(times), sink)

        with open_reader(write("orders.parquet", sink.getvalue())) as table:
            assert table.zoneless == ["here"]

    @pytest.mark.parametrize(
        ("column", "problem"),
        [
            (
                lambda: pa.repeat("x" * 2_000_000, 1),
                "there are more than 1,048,576 characters in one row; ",
            ),
            (
                lambda: pa.ListArray.from_arrays([0, 10_000_000], pa.repeat("x", 10_000_000)),
                "a row takes more than 33,554,432 bytes; ",
            ),
        ],
    )
    def test_a_row_that_memory_should_not_hold(
        self, column: Callable[[], object], problem: str, write: Write
    ) -> None:
        sink = io.BytesIO()
        parquet.write_table(pa.table({"n": column()}), sink, compression="zstd")

        assert problem in refusal(write("orders.parquet", sink.getvalue()))

    def test_a_compressed_file_that_becomes_a_very_large_one(
        self, write: Write, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(_content, "LARGEST_COPY", 1000)
        content = parquet_of([{"name": f"Order {number}"} for number in range(6_000)])

        assert refusal(write("orders.parquet", gzip.compress(content))).endswith(
            "unpacked, it has more than 1,000 bytes; unpack it and name the unpacked file"
        )

    def test_a_part_of_a_file(self, write: Write) -> None:
        assert refusal(write("orders.parquet", parquet_of(ROWS)[:-9])) == (
            ": not a Parquet file, or part of one; write it again"
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
        found: list[FileRow] = []

        with (
            open_reader(write("orders.parquet", bytes(content))) as table,
            pytest.raises(SourceError) as raised,
        ):
            found.extend(table.rows())

        assert raised.value.row == 1024

        assert len(found) == 1024
        assert "orders.parquet, row 1025: the file is damaged from there on; write it again" in str(
            raised.value
        )

    def test_without_pyarrow_it_says_what_to_install(
        self, write: Write, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = write("orders.parquet", parquet_of(ROWS))
        monkeypatch.setitem(sys.modules, "pyarrow", None)

        with pytest.raises(ConfigurationError, match=r'pip install "hubspot-batch\[parquet\]"'):
            open_reader(path)


BOMBS = """
import re, sys
from pathlib import Path
from hubspot_batch.cli._tables import open_reader
from hubspot_batch.errors import SourceError

for name in sys.argv[1:]:
    try:
        with open_reader(Path(name)) as table:
            for _ in table.rows():
                pass
    except SourceError as error:
        assert "more than" in str(error), error
    else:
        assert name.endswith(".parquet"), name
# What getrusage tells counts the process that started this one, too.
print(int(re.search(r"VmHWM:\\s*(\\d+) kB", Path("/proc/self/status").read_text())[1]) // 1024)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="Linux tells the peak of a process")
def test_a_small_file_of_huge_rows_takes_less_than_256_megabytes(tmp_path: Path) -> None:
    begins = {
        "a.csv": b"a,b\n",
        "b.jsonl": b'{"a": "',
        "c.json": b'[{"a": "',
        "d.json": b'{"inputs": [{"a": "',
    }
    for name, begin in begins.items():
        with zstd.open(tmp_path / name, "wb") as file:
            file.write(begin)
            for _ in range(300):
                file.write(b"x" * 1_000_000)
    if pa is not None:
        long = pa.DictionaryArray.from_arrays(pa.array([0] * 1000, pa.int32()), pa.array(["x" * 1_000_000]))
        parquet.write_table(
            pa.table({"n": long}), tmp_path / "e.parquet", compression="zstd", store_schema=False
        )
    paths = sorted(tmp_path.iterdir())
    assert max(path.stat().st_size for path in paths) < 50_000

    done = subprocess.run(
        [sys.executable, "-c", BOMBS, *map(str, paths)], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 256


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("compress", [bytes, gzip.compress, zstd.compress])
def test_a_damaged_file_is_rows_faults_or_an_error_that_names_it(
    kind: str, compress: Callable[[bytes], bytes], write: Write
) -> None:
    if kind == "parquet":
        pytest.importorskip("pyarrow")
    rows = [{"name": f"A-{number}", "total": str(number)} for number in range(30)]
    content = dict(TEXTS)[kind] * 5 if kind != "parquet" else parquet_of(rows)
    chance = random.Random(f"{kind} {compress.__name__}")  # noqa: S311 - it draws damage
    for _ in range(150):
        damaged = bytearray(compress(content))
        for _ in range(chance.randint(1, 4)):
            place = chance.randrange(len(damaged))
            match chance.randrange(3):
                case 0:
                    damaged[place] = chance.randrange(256)
                case 1:
                    del damaged[place : place + chance.randint(1, 20)]
                case _:
                    damaged[place:place] = chance.randbytes(chance.randint(1, 20))
        path = write(f"orders.{kind}", bytes(damaged))
        try:
            with open_reader(path) as table:
                assert all(row.fault or row.values is not None for row in table.rows())
        except SourceError as error:
            assert str(error).startswith(str(path))  # noqa: PT017 - most files are read
