"""Sources of any kind become small lists of inputs, and are read no further than asked for."""

import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from operator import length_hint
from types import SimpleNamespace
from typing import Any, NamedTuple

import anyio
import numpy as np
import pytest

from hubspot_batch.bulk._sources import async_chunks, chunks, flat_input, inputs_from, is_async, length
from hubspot_batch.contract import _operations as contract
from hubspot_batch.contract._inputs import prepare
from hubspot_batch.contract._operations import Verb
from hubspot_batch.contract._values import encode_value
from hubspot_batch.errors import ConfigurationError, InputIssue, InvalidInputError, SourceError

try:
    import pyarrow as pa
except ModuleNotFoundError:
    pa = None

needs_pyarrow = pytest.mark.skipif(pa is None, reason="pyarrow is an extra")

Read = Callable[..., list[list[Any]]]


def read_async(source: object, **options: Any) -> list[list[Any]]:  # noqa: ANN401
    async def collect() -> list[list[Any]]:
        return [chunk async for chunk in async_chunks(source, **options)]

    return anyio.run(collect)


def read_sync(source: object, **options: Any) -> list[list[Any]]:  # noqa: ANN401
    return list(chunks(source, **options))


@pytest.fixture(params=[read_sync, read_async])
def read(request: pytest.FixtureRequest) -> Read:
    """Return a function that reads all of a source, at once or asynchronously."""
    function: Read = request.param
    return function


def orders(count: int) -> list[dict[str, Any]]:
    return [{"properties": {"n": str(number)}} for number in range(count)]


async def arriving(inputs: Sequence[object], failure: Exception | None = None) -> AsyncIterator[object]:
    for item in inputs:
        await anyio.lowlevel.checkpoint()
        yield item
    if failure is not None:
        raise failure


def breaking(inputs: Sequence[object], failure: Exception) -> Iterator[object]:
    yield from inputs
    raise failure


@pytest.fixture
def database() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:")) as connection:
        yield connection


class AsyncCursor:
    """What psycopg's cursor has of what is used here."""

    def __init__(self, cursor: sqlite3.Cursor) -> None:
        self.description = cursor.description
        self._cursor = cursor

    async def fetchmany(self, size: int) -> list[Any]:
        await anyio.lowlevel.checkpoint()
        return self._cursor.fetchmany(size)


class FutureCursor(AsyncCursor):
    """A cursor whose `fetchmany` is not a coroutine function, but returns an awaitable."""

    def __aiter__(self) -> AsyncIterator[Any]:
        raise NotImplementedError

    def fetchmany(self, size: int) -> Any:  # noqa: ANN401
        return super().fetchmany(size)


class TestIterables:
    @pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 5])
    @pytest.mark.parametrize("kind", [list, tuple, iter])
    def test_all_inputs_come_in_order_in_lists_of_the_size(
        self, kind: Callable[[object], object], count: int, read: Read
    ) -> None:
        inputs = orders(count)

        found = read(kind(inputs), verb="create", size=2)

        assert [item for chunk in found for item in chunk] == inputs
        assert [len(chunk) for chunk in found] == [2] * (count // 2) + [1] * (count % 2)

    @pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 5])
    def test_an_asynchronous_iterable(self, count: int) -> None:
        found = read_async(arriving(orders(count)), verb="create", size=2)

        assert [item for chunk in found for item in chunk] == orders(count)
        assert [len(chunk) for chunk in found] == [2] * (count // 2) + [1] * (count % 2)

    def test_inputs_are_passed_on_as_they_are(self, read: Read) -> None:
        inputs = [{"id": "1", "idProperty": "sku", "properties": {"a": None}}, "no input", None]

        assert read(inputs, verb="update") == [inputs]

    def test_a_request_is_full_by_default(self, read: Read) -> None:
        assert [len(chunk) for chunk in read(orders(250), verb="create")] == [100, 100, 50]

    def test_no_more_is_read_than_was_asked_for(self) -> None:
        source = iter(orders(100))

        lists = chunks(source, verb="create", size=10)
        assert length_hint(source) == 100
        next(lists)

        assert length_hint(source) == 90

    def test_no_more_of_an_asynchronous_source_is_read_than_was_asked_for(self) -> None:
        async def first() -> int:
            source = arriving(orders(100))
            await anext(async_chunks(source, verb="create", size=10))
            rest = [item async for item in source]
            return len(rest)

        assert anyio.run(first) == 90

    @pytest.mark.parametrize("count", [0, 3, 4, 5])
    def test_what_was_read_before_a_failure_is_not_lost(self, count: int) -> None:
        failure = OSError("the disk is gone")
        lists = chunks(breaking(orders(count), failure), verb="create", size=4)
        found: list[object] = []

        with pytest.raises(OSError, match="the disk is gone") as raised:
            found.extend(item for chunk in lists for item in chunk)

        assert raised.value is failure
        assert found == orders(count)
        assert list(lists) == []

    @pytest.mark.parametrize("count", [0, 3, 4, 5])
    def test_what_came_before_an_asynchronous_failure_is_not_lost(self, count: int) -> None:
        failure = OSError("the connection is gone")
        found: list[object] = []

        async def collect() -> None:
            async for chunk in async_chunks(arriving(orders(count), failure), verb="create", size=4):
                found.extend(chunk)

        with pytest.raises(OSError, match="the connection is gone") as raised:
            anyio.run(collect)

        assert raised.value is failure
        assert found == orders(count)

    def test_an_interrupt_comes_at_once(self) -> None:
        def interrupted() -> Iterator[object]:
            yield from orders(3)
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            next(chunks(interrupted(), verb="create", size=10))


class TestCursors:
    SELECT = "SELECT 7 AS id, 'A-1' AS name, 9.5 AS total, NULL AS note UNION ALL SELECT 8, 'A-2', NULL, NULL"

    def test_columns_are_properties_and_null_is_left_out(
        self, database: sqlite3.Connection, read: Read
    ) -> None:
        cursor = database.execute("SELECT 'A-1' AS name, 9.5 AS total UNION ALL SELECT 'A-2', NULL")

        assert read(cursor, verb="create") == [
            [{"properties": {"name": "A-1", "total": 9.5}}, {"properties": {"name": "A-2"}}]
        ]

    @pytest.mark.parametrize("kind", [AsyncCursor, FutureCursor])
    def test_an_asynchronous_cursor(self, kind: type[AsyncCursor], database: sqlite3.Connection) -> None:
        cursor = kind(database.execute("SELECT 1 AS n UNION ALL SELECT 2 UNION ALL SELECT 3"))

        assert read_async(cursor, verb="create", size=2) == [
            [{"properties": {"n": 1}}, {"properties": {"n": 2}}],
            [{"properties": {"n": 3}}],
        ]

    def test_the_column_id_names_the_record_of_an_update(
        self, database: sqlite3.Connection, read: Read
    ) -> None:
        assert read(database.execute(self.SELECT), verb="update") == [
            [
                {"id": 7, "properties": {"name": "A-1", "total": 9.5}},
                {"id": 8, "properties": {"name": "A-2"}},
            ]
        ]

    def test_a_unique_property_names_it_where_that_is_wanted(
        self, database: sqlite3.Connection, read: Read
    ) -> None:
        (chunk,) = read(database.execute(self.SELECT), verb="update", id_property="name")

        assert chunk[1] == {"id": "A-2", "idProperty": "name", "properties": {"id": 8}}

    def test_no_more_is_fetched_than_was_asked_for(self, database: sqlite3.Connection) -> None:
        cursor = database.execute("SELECT 1 AS n UNION ALL SELECT 2 UNION ALL SELECT 3")

        next(chunks(cursor, verb="create", size=2))

        assert cursor.fetchall() == [(3,)]

    @pytest.mark.parametrize(
        "row_factory",
        [sqlite3.Row, lambda cursor, row: {c[0]: v for c, v in zip(cursor.description, row, strict=True)}],
    )
    def test_rows_that_are_no_tuples(
        self, row_factory: Callable[..., Any], database: sqlite3.Connection, read: Read
    ) -> None:
        database.row_factory = row_factory

        assert read(database.execute("SELECT 1 AS n"), verb="create") == [[{"properties": {"n": 1}}]]

    @pytest.mark.parametrize("row", ["ab", 7, None])
    def test_rows_that_have_no_columns(self, row: object, read: Read) -> None:
        cursor = SimpleNamespace(description=[("a",), ("b",)], fetchmany=lambda _: [row])

        with pytest.raises(SourceError, match="take a cursor whose rows are tuples or mappings"):
            read(cursor, verb="create")

    def test_a_failure_comes_after_what_was_fetched(self) -> None:
        answers = iter([[(1,), (2,)], OSError("gone")])

        def fetchmany(_: int) -> object:
            if isinstance(answer := next(answers), Exception):
                raise answer
            return answer

        lists = chunks(SimpleNamespace(description=[("n",)], fetchmany=fetchmany), verb="create", size=2)

        assert next(lists) == [{"properties": {"n": 1}}, {"properties": {"n": 2}}]
        with pytest.raises(OSError, match="gone"):
            next(lists)

    @pytest.mark.parametrize("sql", ["SELECT 1 AS n, 2 AS n", "SELECT 1 AS n, 2 AS id, 3 AS n"])
    def test_two_columns_of_one_name(self, sql: str, database: sqlite3.Connection) -> None:
        with pytest.raises(SourceError, match="two columns have the name 'n'; give one of them another"):
            chunks(database.execute(sql), verb="create")

    def test_a_cursor_without_a_result_set(self, database: sqlite3.Connection) -> None:
        with pytest.raises(ConfigurationError, match="execute a SELECT with it first"):
            chunks(database.cursor(), verb="create")
        with pytest.raises(ConfigurationError, match="execute a SELECT with it first"):
            async_chunks(AsyncCursor(database.cursor()), verb="create")

    @pytest.mark.parametrize(("id_property", "missing"), [(None, "id"), ("sku", "sku")])
    def test_an_update_without_the_column_that_names_the_record(
        self, id_property: str | None, missing: str, database: sqlite3.Connection
    ) -> None:
        cursor = database.execute("SELECT 1 AS name, 2 AS total")

        with pytest.raises(
            SourceError, match=f"needs a column '{missing}' .*; the columns are 'name', 'total'"
        ):
            chunks(cursor, verb="update", id_property=id_property)

        assert cursor.fetchall() == [(1, 2)]

    def test_a_row_without_an_id_is_left_to_validation(
        self, database: sqlite3.Connection, read: Read
    ) -> None:
        cursor = database.execute("SELECT NULL AS id, 'A-1' AS name UNION ALL SELECT 8, 'A-2'")
        (chunk,) = read(cursor, verb="update")

        with pytest.raises(InvalidInputError) as raised:
            prepare(contract.operation("update_orders"), chunk)

        assert [str(fault) for fault in raised.value.faults] == ["/inputs/0: 'id' is missing; add it"]


@needs_pyarrow
class TestArrow:
    def test_values_are_those_of_python(self, read: Read) -> None:
        berlin = pa.timestamp("us", "Europe/Berlin")
        table = pa.table(
            {
                "text": pa.array(["a", None], pa.large_string()),
                "option": pa.array(["new", "new"]).dictionary_encode(),
                "options": pa.array([["a", "b"], None], pa.large_list(pa.string())),
                "count": pa.array([2**63, 1], pa.uint64()),
                "share": pa.array([0.5, None], pa.float32()),
                "price": pa.array([Decimal("9.90"), None], pa.decimal256(50, 2)),
                "paid": [True, None],
                "day": pa.array([date(2026, 9, 1), None], pa.date64()),
                "when": pa.array([datetime(2026, 9, 1, 8, 15, tzinfo=UTC), None], berlin),
            }
        )

        assert read(table, verb="create") == [
            [
                {
                    "properties": {
                        "text": "a",
                        "option": "new",
                        "options": ["a", "b"],
                        "count": 2**63,
                        "share": 0.5,
                        "price": Decimal("9.90"),
                        "paid": True,
                        "day": date(2026, 9, 1),
                        "when": datetime(2026, 9, 1, 8, 15, tzinfo=UTC),
                    }
                },
                {"properties": {"option": "new", "count": 1}},
            ]
        ]

    @pytest.mark.parametrize("zone", ["Europe/Berlin", "+02:00", "Nowhere/Atlantis"])
    def test_an_instant_needs_neither_its_nanoseconds_nor_a_known_zone(self, zone: str) -> None:
        instants = pa.array([1_788_250_502_120_000_001], pa.timestamp("ns", zone))

        ((item,),) = read_sync(pa.table({"when": instants}), verb="create")

        batch = prepare(contract.operation("create_orders"), [item])
        assert batch.inputs[0]["properties"] == {"when": "2026-09-01T08:15:02.120Z"}

    def test_a_float_has_the_shortest_text_of_its_own_size(self, read: Read) -> None:
        single = pa.array([19.99, 1e16, float("nan"), None], pa.float32())
        half = pa.array([*map(np.float16, (0.1, 1e-7, float("inf"))), None], pa.float16())
        table = pa.record_batch(
            {
                "plain": single,
                "dictionary": single.dictionary_encode(),
                "runs": pa.RunEndEncodedArray.from_arrays([1, 2, 3, 4], single),
                "list": pa.array([[19.99], [1e16], [], None], pa.list_(pa.float32())),
                "pair": pa.array([[19.99], [1e16], [1.5], None], pa.list_(pa.float32(), 1)),
                "inner": pa.array([{"a": 19.99}, {"a": None}, None, None], pa.struct([("a", pa.float32())])),
                "half": half,
            }
        )

        (first, second, third, last) = [item["properties"] for item in read(table, verb="create")[0]]

        assert first == dict.fromkeys(("plain", "dictionary", "runs"), 19.99) | {
            "list": [19.99],
            "pair": [19.99],
            "inner": {"a": 19.99},
            "half": 0.1,
        }
        assert [second[name] for name in ("plain", "dictionary", "runs")] == [1e16] * 3
        assert encode_value(second["half"]) == "0.0000001"
        assert [encode_value(third[name])[0][:7] for name in ("plain", "half")] == ["HubSpot"] * 2
        assert last == {}

    def test_a_value_that_python_cannot_hold_is_a_fault_of_its_row(self, read: Read) -> None:
        zero = b"\0\0\0\0"
        buffers = [None, pa.py_buffer(zero + b"\1\0\0\0" + b"\2\0\0\0"), pa.py_buffer(b"\xffA")]
        table = pa.record_batch(
            {
                "text": pa.Array.from_buffers(pa.string(), 2, buffers),
                "day": pa.array([2**30, 0], pa.date32()),
                "time": pa.array([1_001, None], pa.time64("ns")),
                "span": pa.array([1_001, None], pa.duration("ns")),
            }
        )

        bad, good = read(table, verb="create")[0]

        assert good == {"properties": {"text": "A", "day": date(1970, 1, 1)}}
        with pytest.raises(InvalidInputError) as raised:
            prepare(contract.operation("create_orders"), [bad])
        assert [fault.problem for fault in raised.value.faults] == [
            "the text is not UTF-8",
            "the value is beyond what Python can hold",
            "a value of type time has no text that HubSpot takes",
            "a value of type timedelta has no text that HubSpot takes",
        ]

    def test_a_table_is_not_asked_for_its_length_while_its_stream_is_open(self, read: Read) -> None:
        class Relation:
            def __arrow_c_stream__(self, requested_schema: object = None) -> object:
                return pa.table({"n": ["0"]}).__arrow_c_stream__(requested_schema)

            def __len__(self) -> int:
                raise RuntimeError("the connection has an open result")

        assert length(Relation()) is None
        assert length(pa.table({"n": ["0"]})) == 1
        assert read(Relation(), verb="create") == [orders(1)]

    def test_a_relation_and_a_query_of_duckdb(self, read: Read) -> None:
        duckdb = pytest.importorskip("duckdb")
        query = "SELECT CAST(i AS VARCHAR) AS n, CAST(19.99 AS FLOAT) AS price FROM range(150) AS t(i)"
        with duckdb.connect() as connection:
            sources = [connection.sql(query), connection.cursor().execute(query)]
            found = [
                (length(source), [item for inputs in read(source, verb="create") for item in inputs])
                for source in sources
            ]

        for known, inputs in found:
            assert known is None
            assert [item["properties"]["n"] for item in inputs] == [str(number) for number in range(150)]
            assert inputs[0]["properties"]["price"] == 19.99

    @pytest.mark.parametrize("unit", ["s", "ns"])
    def test_a_timestamp_without_a_zone_is_left_to_validation(self, unit: str) -> None:
        ((item,),) = read_sync(pa.table({"when": pa.array([0], pa.timestamp(unit))}), verb="create")

        with pytest.raises(InvalidInputError, match="a datetime without a time zone names no instant"):
            prepare(contract.operation("create_orders"), [item])

    def test_batches_are_cut_to_the_size(self, read: Read) -> None:
        table = pa.Table.from_batches([pa.record_batch({"n": range(5)}), pa.record_batch({"n": range(3)})])

        assert [len(chunk) for chunk in read(table, verb="create", size=2)] == [2, 2, 1, 2, 1]

    def test_batches_are_read_as_they_are_asked_for_and_a_failure_comes_after_them(self) -> None:
        def batches() -> Iterator[pa.RecordBatch]:
            yield pa.record_batch({"n": [1, 2]})
            raise OSError("gone")

        stream = pa.RecordBatchReader.from_batches(pa.schema({"n": pa.int64()}), batches())
        lists = chunks(stream, verb="create")

        assert next(lists) == [{"properties": {"n": 1}}, {"properties": {"n": 2}}]
        with pytest.raises(OSError, match="gone"):
            next(lists)

    def test_an_update_by_a_unique_property(self, read: Read) -> None:
        table = pa.table({"sku": ["S-1", None], "n": [1, 2]})

        assert read(table, verb="update", id_property="sku") == [
            [
                {"id": "S-1", "idProperty": "sku", "properties": {"n": 1}},
                {"idProperty": "sku", "properties": {"n": 2}},
            ]
        ]

    def test_the_nameless_index_of_a_data_frame_is_not_a_property(self) -> None:
        table = pa.table({"n": [1], "__index_level_0__": [7]})

        assert read_sync(table, verb="create") == [[{"properties": {"n": 1}}]]

    def test_two_columns_of_one_name(self) -> None:
        table = pa.table([[1], [2]], names=["n", "n"])

        with pytest.raises(SourceError, match="two columns have the name 'n'"):
            chunks(table, verb="create")

    def test_an_update_without_the_column_that_names_the_record(self) -> None:
        with pytest.raises(SourceError, match="needs a column 'id'"):
            async_chunks(pa.table({"n": [1]}), verb="update")

    def test_a_column_alone_is_not_a_table(self) -> None:
        with pytest.raises(ConfigurationError, match="a value of type ChunkedArray is not a table"):
            chunks(pa.table({"n": [1]})["n"], verb="create")

    def test_a_frame_of_pyspark_whose_stream_fails_for_its_timestamps(self) -> None:
        class Frame:
            def __arrow_c_stream__(self, requested_schema: object = None) -> object:
                raise AssertionError

        class SparkFrame(Frame):
            def toArrow(self) -> object:  # noqa: N802 - as pyspark names it
                return pa.table({"n": [datetime(2026, 1, 1, tzinfo=UTC)]})

        assert read_sync(SparkFrame(), verb="create") == [
            [{"properties": {"n": datetime(2026, 1, 1, tzinfo=UTC)}}]
        ]
        with pytest.raises(AssertionError):
            chunks(Frame(), verb="create")


def test_without_pyarrow_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    class Frame:
        def __arrow_c_stream__(self, requested_schema: object = None) -> object:
            raise NotImplementedError

    monkeypatch.setitem(sys.modules, "pyarrow", None)

    with pytest.raises(ConfigurationError, match=r'pip install "hubspot-batch\[parquet\]"'):
        chunks(Frame(), verb="create")


def test_pyarrow_is_imported_for_tables_only() -> None:
    code = (
        "import sys; from hubspot_batch.bulk._sources import chunks; list(chunks([{}], verb='create'));"
        "assert 'pyarrow' not in sys.modules"
    )

    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("function", [chunks, async_chunks])
@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ({"properties": {}}, "a mapping"),
        ("orders.csv", "text"),
        (b"orders", "a value of type bytes"),
        (None, "null"),
        (7, "a number"),
        (sqlite3.Cursor, "the class Cursor"),
        (AsyncCursor, "the class AsyncCursor"),
        (arriving, "a value of type function"),
    ],
)
def test_what_holds_no_rows(function: Callable[..., object], source: object, kind: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        function(source, verb="create")

    assert str(raised.value) == (
        f"{kind} stands where rows belong; "
        "give a list or generator of inputs, a database cursor or an Arrow table"
    )


def test_an_asynchronous_source_needs_the_other_client(database: sqlite3.Connection) -> None:
    sources: list[object] = [arriving([]), AsyncCursor(database.execute("SELECT 1 AS n"))]
    for source in sources:
        with pytest.raises(ConfigurationError, match="need AsyncHubSpot"):
            chunks(source, verb="create")


@pytest.mark.parametrize("function", [chunks, async_chunks])
@pytest.mark.parametrize(
    ("verb", "id_property", "message"),
    [
        ("create", "sku", "id_property is for updates and upserts; leave it out of a create"),
        ("update", "hs_object_id", "give the record ids in a column 'id' instead"),
        ("upsert", "hs_object_id", "name a property whose values are unique"),
        ("archive", "sku", "archives records by their ids only"),
    ],
)
def test_an_id_property_that_has_no_place(
    function: Callable[..., object], verb: str, id_property: str, message: str
) -> None:
    sources: list[object] = [[], arriving([])] if function is async_chunks else [[]]
    for source in sources:
        with pytest.raises(ConfigurationError, match=message):
            function(source, verb=verb, id_property=id_property)


def test_an_upsert_of_flat_rows_names_its_unique_property(database: sqlite3.Connection) -> None:
    select = "SELECT 'A' AS sku, 'x' AS name"
    with pytest.raises(ConfigurationError, match="needs id_property"):
        chunks(database.execute(select), verb="upsert")
    with pytest.raises(SourceError, match="an upsert needs a column 'number'"):
        chunks(database.execute(select), verb="upsert", id_property="number")

    assert list(chunks(database.execute(select), verb="upsert", id_property="sku")) == [
        [{"id": "A", "idProperty": "sku", "properties": {"name": "x"}}]
    ]


def test_inputs_get_the_unique_property_that_they_do_not_name() -> None:
    inputs: list[Any] = [
        {"id": "1", "properties": {}},
        {"id": "2", "idProperty": "own", "properties": {}},
        {"a": "b"},
        5,
    ]

    async def read(failure: Exception | None) -> AsyncIterator[object]:
        source = arriving(inputs, failure)
        async for found in async_chunks(source, verb="upsert", id_property="sku", size=3):
            yield found

    async def collected() -> list[object]:
        found = [inputs async for inputs in read(None)]
        with pytest.raises(ZeroDivisionError):
            found.extend([inputs async for inputs in read(ZeroDivisionError())])
        return found

    named = [{"id": "1", "idProperty": "sku", "properties": {}}, *inputs[1:]]
    assert list(chunks(inputs, verb="upsert", id_property="sku", size=3)) == [named[:3], named[3:]]
    assert anyio.run(collected) == [named[:3], named[3:]]
    assert "idProperty" not in inputs[0]


def test_which_sources_are_asynchronous(database: sqlite3.Connection) -> None:
    cursor = database.execute("SELECT 1 AS n")
    here: list[object] = [[], iter([]), cursor, None]
    elsewhere: list[object] = [arriving([]), AsyncCursor(cursor), FutureCursor(cursor)]

    assert [is_async(source) for source in (*here, *elsewhere)] == [False] * 4 + [True] * 3


def test_which_sources_know_their_length(database: sqlite3.Connection) -> None:
    sources: list[object] = [[1, 2], (), {1}, iter([]), arriving([]), database.cursor()]

    assert [length(source) for source in sources] == [2, 0, 1, None, None, None]


@pytest.mark.parametrize("failure", [TypeError, NotImplementedError, ValueError, OverflowError, RuntimeError])
def test_a_source_whose_length_fails_is_read_anyway(failure: type[Exception], read: Read) -> None:
    class Bar:
        def __iter__(self) -> Iterator[object]:
            return iter(orders(3))

        def __len__(self) -> int:
            raise failure("no length")

    class Fetched(list[object]):
        def __len__(self) -> int:
            raise failure("no length")

    class Rows:
        description = (("n",),)

        def __init__(self) -> None:
            self._left = [None, Fetched([("1",)]), Fetched([("0",)])]

        def fetchmany(self, size: int, /) -> Any:  # noqa: ANN401, ARG002
            return self._left.pop()

    assert length(Bar()) is None
    assert read(Bar(), verb="create", size=2) == [orders(2), orders(3)[2:]]
    assert read(Rows(), verb="create") == [[order] for order in orders(2)]


def test_the_length_that_a_source_claims_decides_nothing(read: Read) -> None:
    class Liar(list[object]):
        def __len__(self) -> int:
            return 1

    assert read(Liar(orders(3)), verb="create", size=2) == [orders(2), orders(3)[2:]]


def test_flat_rows_that_come_from_elsewhere() -> None:
    rows: list[dict[str, object]] = [{"id": "7", "name": "A-1", "note": None}, {"name": "A-2"}]

    assert list(inputs_from(rows, verb="update")) == [
        {"id": "7", "properties": {"name": "A-1"}},
        {"properties": {"name": "A-2"}},
    ]
    assert flat_input(rows[0], verb="create") == {"properties": {"id": "7", "name": "A-1"}}
    assert rows[0] == {"id": "7", "name": "A-1", "note": None}


def test_flat_rows_that_are_not_mappings(database: sqlite3.Connection) -> None:
    class Named(NamedTuple):
        name: str
        note: str | None = None

    @dataclass
    class Model:
        name: str
        note: str | None = None

    database.row_factory = sqlite3.Row
    rows = [Named("A"), Model("A"), *database.execute("SELECT 'A' AS name, NULL AS note")]

    assert list(inputs_from(rows, verb="create")) == [{"properties": {"name": "A"}}] * 3
    with pytest.raises(SourceError, match="a list stands where a row belongs; give rows that know"):
        flat_input(("A",), verb="create")


def test_what_has_an_id_is_read_or_archived_by_it() -> None:
    issue = InputIssue(index=None, pointer="", problem="not JSON", remedy="write JSON")
    items = ["1", 2, {"id": "3", "name": "x"}, {"name": "x"}, issue]

    (inputs,) = chunks(items, verb="archive")

    assert inputs == [{"id": "1"}, {"id": 2}, {"id": "3"}, {"name": "x"}, issue]


def test_what_has_a_unique_value_is_read_by_it() -> None:
    items = ["A", {"sku": "B"}, {"properties": {"sku": "C"}}, {"id": "D", "properties": {}}]

    (inputs,) = chunks(items, verb="read", id_property="sku")

    assert inputs == [{"id": "A"}, {"id": "B"}, {"id": "C"}, {"id": "D"}]


@pytest.mark.parametrize("verb", ["read", "archive"])
def test_of_flat_rows_a_read_and_an_archive_take_the_id_only(verb: Verb) -> None:
    assert list(chunks(pa.table({"id": ["1"], "name": ["x"]}), verb=verb)) == [[{"id": "1"}]]
    assert flat_input({"name": "x"}, verb=verb) == {}


def test_a_unique_property_names_the_records_of_any_iterable() -> None:
    issue = InputIssue(index=None, pointer="", problem="not JSON", remedy="write JSON")
    items: list[object] = [
        {"id": "A", "properties": {"name": "x"}},
        {"properties": {"sku": "B", "name": "x"}},
        {"properties": {"name": "x"}},
        {"sku": "C", "name": "x"},
        {"name": "x"},
        issue,
    ]

    (inputs,) = chunks(items, verb="upsert", id_property="sku")

    assert inputs == [
        {"id": "A", "idProperty": "sku", "properties": {"name": "x"}},
        {"id": "B", "idProperty": "sku", "properties": {"sku": "B", "name": "x"}},
        {"idProperty": "sku", "properties": {"name": "x"}},
        {"id": "C", "idProperty": "sku", "properties": {"name": "x"}},
        {"name": "x"},
        issue,
    ]
