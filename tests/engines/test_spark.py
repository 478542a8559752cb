"""Frames of a real Spark into the sandbox, over a real socket. Tasks fail, and nothing is doubled."""

import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import date
from decimal import Decimal
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from msgspec.structs import replace

from hubspot_batch import ConfigurationError, HubSpot, SharedQuota
from hubspot_batch.bulk import Outcome
from hubspot_batch.redis_quota import RedisQuota
from hubspot_batch.sandbox import Property, Sandbox
from hubspot_batch.spark import (
    RESULT_COLUMNS,
    PushStoppedError,
    _links,
    _Plan,
    push_create,
    push_update,
    push_upsert,
)
from hubspot_batch.types import Objects
from tests.engines.conftest import Gate, RedisServer, doubled, missing

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

UNIQUE = {
    "orders": {"shop_number": Property("text", unique=True), "hs_tags": Property("text")},
    "carts": {"label": Property("text")},
    "line_items": {"item_number": Property("text", unique=True), "label": Property("text")},
    "commerce_payments": {"shop_number": Property("text", unique=True), "label": Property("text")},
}
ROWS = 600
KEYS = ["none", "unique", "upsert", "update"]


def start_spark() -> "SparkSession":
    """Start Spark, on this machine alone and without its pages."""
    from pyspark.sql import SparkSession  # noqa: PLC0415 - it is not everywhere

    os.environ["PYSPARK_PYTHON"] = sys.executable
    builder = SparkSession.builder.master("local[4,4]")
    settings = {
        "spark.ui.enabled": "false",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.memory": "1g",
        "spark.log.level": "OFF",
        "spark.sql.session.timeZone": "America/New_York",
        "spark.sql.shuffle.partitions": "4",
        "spark.ui.showConsoleProgress": "false",
    }
    for name, value in settings.items():
        builder = builder.config(name, value)
    return builder.getOrCreate()


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator["SparkSession"]:
    for module in ("pyspark", "pandas", "pyarrow"):
        if find_spec(module) is None:
            missing(f"the package {module}")
    if shutil.which("java") is None:
        missing("java on PATH")
    from pyspark import cloudpickle  # noqa: PLC0415 - it is not everywhere

    before = Path.cwd()
    # The tables of Spark's own catalog go into the current folder.
    os.chdir(tmp_path_factory.mktemp("spark"))
    session = start_spark()
    # The workers do not know the modules of the tests.
    cloudpickle.register_pickle_by_value(sys.modules[__name__])
    try:
        yield session
    finally:
        session.stop()
        os.chdir(before)


@pytest.fixture
def box(gate: Gate) -> Iterator[Sandbox]:  # noqa: ARG001 - the gate is there when the sandbox starts
    with Sandbox(properties=UNIQUE, quota="2000/1") as box:
        yield box


def orders(spark: "SparkSession", count: int = ROWS) -> "DataFrame":
    return spark.range(count).selectExpr("concat('A-', id) shop_number", "concat('Order ', id) hs_order_name")


def connection(box: Sandbox, pid: Path | None = None, *, raises: bool = False) -> Callable[..., HubSpot]:
    """Return a function that makes a client in a worker. The first one writes its process down, or fails."""
    url, token = box.url, box.access_token

    def connect(*_account: object) -> HubSpot:
        hub = HubSpot(token, base_url=url)
        if pid is not None and not pid.exists():
            pid.with_suffix(".new").write_text(str(os.getpid()))
            pid.with_suffix(".new").rename(pid)
            if raises:
                hub.orders = Failing(hub.orders)  # type: ignore[assignment]
        return hub

    return connect


def fail() -> None:
    raise RuntimeError("the task failed")


class Failing:
    """The orders of an account. A task that takes the outcomes of a run raises in the middle."""

    def __init__(self, orders: Objects) -> None:
        self._orders = orders

    def __getattr__(self, name: str) -> Callable[..., AbstractContextManager[Iterator[Outcome]]]:
        @contextmanager
        def start(rows: object, **options: object) -> Iterator[Iterator[Outcome]]:
            with getattr(self._orders, name)(rows, **options) as stream:
                yield (outcome if number < 250 else fail() for number, outcome in enumerate(stream))  # type: ignore[func-returns-value, misc]

        return start


def kill_at_third_write(gate: Gate, pid: Path) -> None:
    """Let the worker whose process id is there be killed when its third request is written."""
    gate.hold(3, lambda: os.kill(int(pid.read_text()), signal.SIGKILL))


def push_by(key: str, df: "DataFrame", **options: Any) -> "DataFrame":  # noqa: ANN401 - of all kinds
    """Push orders as the columns of the table in docs/scale.md say."""
    if key == "upsert":
        return push_upsert(df, "orders", id_property="shop_number", **options)
    if key == "update":
        return push_update(df, "orders", id_property="shop_number", **options)
    return push_create(df, "orders", unique_property="shop_number" if key == "unique" else None, **options)


def seed_orders(box: Sandbox, key: str, count: int = ROWS) -> None:
    """Give an update what it updates."""
    if key == "update":
        box.seed({"orders": [{"shop_number": f"A-{n}", "hs_order_name": f"old {n}"} for n in range(count)]})


def counts(results: "DataFrame", *columns: str) -> Mapping[Any, int]:
    """Return how many rows have which values."""
    rows = results.groupBy(*(columns or ("_status",))).count().collect()
    return {(row[0] if len(row) == 2 else tuple(row[:-1])): row[-1] for row in rows}


def test_columns_become_properties_and_links(spark: "SparkSession", box: Sandbox, tmp_path: Path) -> None:
    from pyspark.sql import functions as F  # noqa: N812, PLC0415 - it is not everywhere

    df = orders(spark, 3).select(
        "*",
        F.lit(Decimal("19.90")).alias("hs_total_price"),
        F.lit("2026-01-31 20:00:00").cast("timestamp").alias("hs_external_created_date"),
        F.lit(col=True).alias("hs_buyer_accepts_marketing"),
        F.array(F.lit("a"), F.lit("b")).alias("hs_tags"),
        F.lit(None).cast("string").alias("hs_order_note"),
        F.lit(date(2026, 1, 2)).alias("internal_day"),
    )
    created = push_create(
        df,
        "orders",
        results=tmp_path / "orders",
        connect=connection(box),
        unique_property="shop_number",
        properties=[name for name in df.columns if name != "internal_day"],
    )
    assert created.columns == [*df.columns, "_status", "_id", "_action", "_code", "_message"]
    assert counts(created, "_status", "_action", "internal_day") == {("done", "created", date(2026, 1, 2)): 3}
    stored = next(r for r in box.records("orders") if r.properties["shop_number"] == "A-1")
    expected = {
        "hs_total_price": "19.90",
        "hs_external_created_date": "2026-02-01T01:00:00Z",
        "hs_buyer_accepts_marketing": "true",
        "hs_tags": "a;b",
    }
    assert expected.items() <= stored.properties.items()
    assert "hs_order_note" not in stored.properties

    items = created.selectExpr(
        "concat('I-', shop_number) item_number",
        "shop_number name",
        "if(shop_number = 'A-1', null, _id) order_id",
        "if(shop_number = 'A-2', 'A-99', shop_number) order_number",
        "cast(null as string) cart_id",
    )
    linked = push_create(
        items,
        "line_items",
        results=tmp_path / "items",
        connect=connection(box),
        links={"order_id": "orders", "order_number": "orders.shop_number", "cart_id": "carts?"},
    )
    assert counts(linked, "item_number", "_code") == {
        ("I-A-0", None): 1,
        ("I-A-1", "INVALID_INPUT"): 1,
        ("I-A-2", "TARGET_NOT_FOUND"): 1,
    }
    assert "order_id" in linked.where("item_number = 'I-A-1'").head()["_message"]

    # What was rejected is corrected and pushed again, with its old outcomes still in it.
    again = push_create(
        linked.where("_status = 'rejected'"), "line_items", results="items_again", connect=connection(box),
        properties=["name"],
    )  # fmt: skip
    assert counts(again) == {"done": 2}
    assert again.columns == linked.columns


def test_updates_and_upserts(spark: "SparkSession", box: Sandbox, tmp_path: Path) -> None:
    connect = connection(box)
    first = push_upsert(
        orders(spark, 150), "orders", results=tmp_path / "1", id_property="shop_number", connect=connect
    )
    assert counts(first, "_status", "_action") == {("done", "created"): 150}
    changes = first.selectExpr("cast(_id as long) id", "'new' hs_order_name")
    assert counts(push_update(changes, "orders", results=tmp_path / "2", connect=connect)) == {"done": 150}
    by_key = orders(spark, 151).selectExpr("shop_number", "'newer' hs_order_name")
    updated = push_update(
        by_key, "orders", results=tmp_path / "3", id_property="shop_number", connect=connect, keep_going=True
    )
    assert counts(updated) == {"done": 150, "rejected": 1}
    assert {record.properties["hs_order_name"] for record in box.records("orders")} == {"newer"}


@pytest.mark.posix
@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("fault", ["raises", "killed"])
def test_a_second_attempt_doubles_nothing(
    spark: "SparkSession", box: Sandbox, gate: Gate, tmp_path: Path, key: str, fault: str
) -> None:
    seed_orders(box, key)
    connect = connection(box, tmp_path / "pid", raises=fault == "raises")
    if fault == "killed":
        kill_at_third_write(gate, tmp_path / "pid")
    results = push_by(key, orders(spark), results=tmp_path / "results", connect=connect, concurrency=2)
    assert (tmp_path / "pid").exists()
    assert doubled(box) == 0
    assert results.select("shop_number").distinct().count() == results.count() == ROWS
    if key == "none":
        assert counts(results, "_status", "_code") == {("unknown", "EARLIER_ATTEMPT"): ROWS}
        assert len(box.records("orders")) >= 250
        assert fault == "raises" or len(box.records("orders")) < ROWS
    else:
        assert counts(results) == {"done": ROWS}
        assert {row["_id"] for row in results.collect()} == {record.id for record in box.records("orders")}
        if key == "unique":
            assert counts(results, "_action")["existing"] >= 250


@pytest.mark.posix
def test_a_frame_that_recomputes_differently_is_computed_once(
    spark: "SparkSession", box: Sandbox, gate: Gate, tmp_path: Path
) -> None:
    df = orders(spark).selectExpr("uuid() shop_number", "hs_order_name")
    kill_at_third_write(gate, tmp_path / "pid")
    results = push_create(
        df, "orders", results=tmp_path / "results", unique_property="shop_number",
        connect=connection(box, tmp_path / "pid"), concurrency=2,
    )  # fmt: skip
    assert counts(results, "_action")["existing"] >= 300
    assert counts(results) == {"done": ROWS}
    assert len(box.records("orders")) == ROWS


@pytest.mark.posix
def test_a_driver_that_was_killed_is_started_again(
    spark: "SparkSession", box: Sandbox, gate: Gate, tmp_path: Path
) -> None:
    box.seed({"commerce_payments": [{"shop_number": f"A-{n}", "label": "old"} for n in range(ROWS)]})

    def strike() -> None:
        os.killpg(driver.pid, signal.SIGKILL)
        # The workers of Spark are a process group of their own.
        for file in tmp_path.glob("*.pid"):
            os.kill(int(file.stem), signal.SIGKILL)

    # Each of the four pushes has written 300 rows when the machine dies.
    gate.hold(3, strike, held=4)
    program = [sys.executable, __file__, box.url, box.access_token, str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    driver = subprocess.Popen(program, env=environment, start_new_session=True)
    try:
        assert driver.wait(120) == -signal.SIGKILL
    finally:
        with suppress(ProcessLookupError):
            os.killpg(driver.pid, signal.SIGKILL)
    kinds = ["orders", "carts", "line_items", "commerce_payments"]
    assert [len(box.records(kind)) for kind in kinds] == [300, 300, 300, ROWS]
    with pytest.raises(ConfigurationError, match="carts exist, so nothing was sent; name others"):
        push_kind(spark, "carts", tmp_path, connection(box))
    assert len(box.records("carts")) == 300
    for kind in ("orders", "line_items", "commerce_payments"):
        assert counts(push_kind(spark, kind, tmp_path, connection(box))) == {"done": ROWS}
        assert len(box.records(kind)) == ROWS


def test_each_account_has_a_task_and_a_failure_of_its_own(
    spark: "SparkSession", box: Sandbox, tmp_path: Path
) -> None:
    connect = connection(box)

    def account_of(portal: int) -> HubSpot:
        if portal == 1:
            raise RuntimeError("token-of-1")
        return connect(portal)

    df = orders(spark, 1000).selectExpr("*", "if(shop_number like '%9', null, hash(shop_number) % 3) portal")
    df = df.selectExpr("shop_number", "hs_order_name", "abs(portal) portal")
    with pytest.raises(PushStoppedError, match="NOT_SENT in") as stopped:
        push_create(
            df, "orders", results=tmp_path / "results", account="portal", connect=account_of,
            unique_property="shop_number",
        )  # fmt: skip
    results = stopped.value.results
    told = {(row["portal"], row["_status"], row["_code"], row["_message"]) for row in results.collect()}
    assert told == {
        (None, "rejected", "NOT_SENT", "the row names no account"),
        (0, "done", None, None),
        (1, "rejected", "NOT_SENT", "connect raised RuntimeError"),
        (2, "done", None, None),
    }
    assert len(box.records("orders")) == counts(results)["done"]
    assert results.count() == 1000


def test_a_run_that_stops_tells_what_was_sent(spark: "SparkSession", box: Sandbox, tmp_path: Path) -> None:
    url, token = box.url, box.access_token

    def connect() -> HubSpot:
        tokens = iter([token] * 4)
        return HubSpot(lambda: next(tokens, "") or fail(), base_url=url)  # type: ignore[arg-type, return-value, func-returns-value]

    # One after the other: requests in flight share a token.
    with pytest.raises(PushStoppedError) as stopped:
        push_create(orders(spark), "orders", results=tmp_path / "results", connect=connect, concurrency=1)
    results = counts(stopped.value.results, "_status", "_code")
    assert results.keys() <= {("done", None), ("rejected", "NOT_SENT"), ("unknown", "INTERRUPTED")}
    assert results["done", None] == len(box.records("orders")) > 0
    assert sum(results.values()) == ROWS


@pytest.mark.parametrize("key", KEYS)
def test_a_batch_of_a_stream_is_pushed_again(
    spark: "SparkSession", box: Sandbox, tmp_path: Path, key: str
) -> None:
    seed_orders(box, key, 150)
    connect, source = connection(box), tmp_path / "source"
    orders(spark, 150).coalesce(1).write.parquet(str(source))
    failures = [RuntimeError("the driver failed after the push")]

    def push(batch: "DataFrame", number: int) -> None:
        folder = tmp_path / f"results/batch={number}"
        # Without a key, a push with overwrite=True does not begin, so the first one goes without it.
        push_by(key, batch, results=folder, connect=connect, overwrite=key != "none" or not failures)
        if failures:
            raise failures.pop()

    def run() -> None:
        stream = spark.readStream.schema("shop_number string, hs_order_name string").parquet(str(source))
        writer = stream.writeStream.foreachBatch(push).option("checkpointLocation", str(tmp_path / "state"))
        writer.trigger(availableNow=True).start().awaitTermination()

    with pytest.raises(Exception, match="the driver failed after the push"):
        run()
    if key == "none":
        with pytest.raises(Exception, match="overwrite=True pushes rows again"):
            run()
    else:
        run()
    results = spark.read.parquet(str(tmp_path / "results"))
    assert counts(results, "batch", "_status") == {(0, "done"): 150}
    assert key != "unique" or counts(results, "_action") == {"existing": 150}
    assert len(box.records("orders")) == 150


def test_an_empty_frame_has_results_without_rows(spark: "SparkSession", box: Sandbox, tmp_path: Path) -> None:
    results = push_create(orders(spark, 0), "orders", results=tmp_path / "results", connect=connection(box))
    assert results.columns == [
        "shop_number",
        "hs_order_name",
        "_status",
        "_id",
        "_action",
        "_code",
        "_message",
    ]
    assert results.count() == 0


def test_what_cannot_be_pushed_is_refused_before_anything_is_sent(
    spark: "SparkSession", box: Sandbox, tmp_path: Path
) -> None:
    from pyspark.errors import AnalysisException  # noqa: PLC0415 - it is not everywhere

    df, kept = orders(spark, 300), tmp_path / "kept"
    kept.mkdir()
    (kept / "notes.txt").write_text("mine")
    unique: Any = {"unique_property": "shop_number"}
    cases: list[tuple[str, dict[str, Any]]] = [
        ("kept exist, so nothing was sent; name others, or say overwrite=True", {"results": kept, **unique}),
        ("overwrite=True pushes rows again", {"overwrite": True}),
        ("no column 'portal'", {"account": "portal"}),
        ("no column 'contact_id'", {"links": {"contact_id": "contacts"}}),
        ("no column 'a'", {"properties": ["a"]}),
        ("connect must be a function", {"connect": "token"}),
        ("partitions must be a positive number", {"partitions": 0}),
        ("times without a zone", {"df": df.selectExpr("*", "timestamp_ntz'2026-01-01' hs_paid")}),
        ("object_type must be one of", {"object_type": "order"}),
        ("a Spark data frame belongs", {"df": [{"hs_order_name": "A-1"}]}),
    ]  # fmt: skip
    for text, changed in cases:
        given: dict[str, Any] = {"df": df, "object_type": "orders", "results": tmp_path / "new"}
        with pytest.raises(ConfigurationError, match=text):
            push_create(**given | {"connect": connection(box)} | changed)
    with pytest.raises(AnalysisException, match="SCHEMA_NOT_FOUND"):
        push_create(df, "orders", results="nowhere.orders", connect=connection(box))
    with pytest.raises(TypeError, match="'token' is not an option"):
        push_create(df, "orders", results=tmp_path / "new", token="t")  # type: ignore[call-arg]
    assert (kept / "notes.txt").read_text() == "mine"
    assert not box.records("orders")

    with pytest.raises(PushStoppedError, match="each has a quota of its own"):
        push_create(df, "orders", results=tmp_path / "several", partitions=2, connect=connection(box))
    assert not box.records("orders")


def test_tasks_that_share_a_quota_push_together(spark: "SparkSession", box: Sandbox, tmp_path: Path) -> None:
    url, token, log = box.url, box.access_token, str(tmp_path / "quota")

    def connect() -> HubSpot:
        return HubSpot(token, base_url=url, quota=SharedQuota(log))

    results = push_create(
        orders(spark, 1000), "orders", results=tmp_path / "results", partitions=2, connect=connect
    )
    assert counts(results) == {"done": 1000}
    assert results.rdd.getNumPartitions() == 2


def test_speculation_needs_a_unique_property(spark: "SparkSession", box: Sandbox, tmp_path: Path) -> None:
    class Speculative:
        def get(self, name: str, default: str | None = None) -> str | None:
            return "true" if name == "spark.speculation" else spark.conf.get(name, default)

    df = orders(spark, 10)
    session: Any = type("Session", (), {"conf": Speculative()})()
    df.__dict__["_session"] = session
    with pytest.raises(ConfigurationError, match="begins tasks twice"):
        push_create(df, "orders", results=tmp_path / "results", connect=connection(box))


@pytest.mark.parametrize("key", ["unique", "upsert", "update"])
def test_two_attempts_at_once_double_nothing(box: Sandbox, gate: Gate, key: str) -> None:
    """As with `spark.speculation`, which Spark does on several machines only."""
    pytest.importorskip("pyspark")
    seed_orders(box, key)
    # No attempt has a reply before both have written.
    gate.hold(1, dict, held=2)
    if key == "unique":
        options: dict[str, object] = {"unique_property": "shop_number", "existing": "keep"}
        plan = _Plan(verb="create", object_type="orders", unique="shop_number")
    else:
        options = {"id_property": "shop_number"}
        plan = _Plan(verb="upsert" if key == "upsert" else "update", object_type="orders", key="shop_number")
    plan = replace(
        plan, properties=("shop_number", "hs_order_name"), connect=connection(box),
        options={**options, "concurrency": 1},
    )  # fmt: skip
    numbers = [f"A-{number}" for number in range(ROWS)]
    rows = pa.record_batch({"shop_number": numbers, "hs_order_name": numbers})

    def attempt(_number: int) -> Counter[str]:
        return Counter(row["_status"] for told in plan.run(iter([rows])) for row in told.to_pylist())

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(attempt, range(2))) == [{"done": ROWS}] * 2
    assert len(box.records("orders")) == ROWS
    assert doubled(box) == 0


def test_two_pushes_share_a_quota_over_redis(
    spark: "SparkSession",
    redis_package: None,  # noqa: ARG001 - it skips
    redis_server: RedisServer,
    tmp_path: Path,
) -> None:
    with Sandbox(properties=UNIQUE, quota="10/1") as box:
        url, token, redis = box.url, box.access_token, redis_server.url

        def connect() -> HubSpot:
            quota = RedisQuota(redis, name="spark", limit=10, window=1.0)
            return HubSpot(token, base_url=url, quota=quota)

        def push(name: str) -> Mapping[Any, int]:
            df = orders(spark).selectExpr(f"concat('{name}-', shop_number) shop_number", "hs_order_name")
            options: Any = {"connect": connect, "partitions": 3, "unique_property": "shop_number"}
            return counts(push_create(df, "orders", results=tmp_path / name, **options))

        with ThreadPoolExecutor(2) as pool:
            assert list(pool.map(push, ["a", "b"])) == [{"done": ROWS}] * 2
        assert len(box.records("orders")) == 2 * ROWS
        assert not [request for request in box.requests if request.status == 429]


def test_create_all_takes_a_frame(spark: "SparkSession", box: Sandbox) -> None:
    df = orders(spark, 300).selectExpr("*", "timestamp'2026-01-31 20:00:00' hs_external_created_date")
    with connection(box)() as hub:
        assert hub.orders.create_all(df).done == 300
        assert hub.orders.create_all(df.drop("hs_external_created_date", "shop_number")).done == 300
    moments = {r.properties.get("hs_external_created_date") for r in box.records("orders")}
    assert moments == {"2026-02-01T01:00:00Z", None}


def test_what_a_task_does(box: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same as above, in this process, where what it covers is seen."""
    taskcontext = pytest.importorskip("pyspark.taskcontext")

    def batches(count: int, size: int = 30) -> Iterator[Any]:
        for first in range(0, count, size):
            names = [f"A-{number}" for number in range(first, first + size)]
            yield pa.record_batch(
                {
                    "hs_order_name": names,
                    "contact_id": [None] * size,
                    "number": ["B-1"] * size,
                    "portal": pa.array([None, 1, 1, 2, 2, *[3] * (size - 5)], pa.int32()),
                    "_STATUS": ["rejected"] * size,
                }
            )

    def pushed(plan: _Plan, rows: Iterator[Any]) -> Counter[Any]:
        told = [row for batch in plan.run(rows) for row in batch.to_pylist()]
        assert all(list(row)[-5:] == [*RESULT_COLUMNS] and "_STATUS" not in row for row in told)
        return Counter((row["_status"], row["_code"], row["_message"]) for row in told)

    def plan(connect: Any, **changed: Any) -> _Plan:  # noqa: ANN401 - of all kinds
        return _Plan(
            verb="create", object_type="orders", properties=("hs_order_name",), connect=connect,
            options={"concurrency": 1, "keep_going": False}, **changed,
        )  # fmt: skip

    connect = connection(box)
    assert pushed(plan(connect), batches(300)) == {("done", None, None): 300}
    assert pushed(plan(connect, links=_links({"contact_id": "contacts?"})), batches(30)) == {
        ("done", None, None): 30
    }
    linked = pushed(plan(connect, links=_links({"contact_id": "contacts", "number": "carts.n"})), batches(30))
    assert {(status, code) for status, code, _ in linked} == {("rejected", "INVALID_INPUT")}

    with monkeypatch.context() as patch:
        patch.setattr(taskcontext.TaskContext, "get", lambda: SimpleNamespace(attemptNumber=lambda: 1))
        [[status, code, _]] = pushed(plan(connect), batches(60))
        assert (status, code) == ("unknown", "EARLIER_ATTEMPT")
        assert pushed(plan(connect, unique="hs_order_name"), batches(60)) == {("done", None, None): 60}

    def account_of(portal: int) -> HubSpot:
        return connect() if portal == 1 else fail()  # type: ignore[func-returns-value, return-value]

    assert pushed(plan(account_of, account="portal"), batches(60)) == {
        ("rejected", "NOT_SENT", "the row names no account"): 2,
        ("done", None, None): 4,
        ("rejected", "NOT_SENT", "connect raised RuntimeError"): 54,
    }
    [[_, code, message]] = pushed(plan(connect, partitions=2), batches(60))
    assert code == "NOT_SENT"
    assert "each has a quota of its own" in message

    def stopping() -> HubSpot:
        tokens = iter([box.access_token])
        return HubSpot(lambda: next(tokens, "") or fail(), base_url=box.url)  # type: ignore[arg-type, return-value, func-returns-value]

    stopped = pushed(plan(stopping), batches(900))
    assert stopped.total() == 900
    assert stopped["done", None, None] == 100
    assert not any("the task failed" in (message or "") for _, _, message in stopped)

    def failing() -> Iterator[Any]:
        yield from batches(60)
        fail()

    with pytest.raises(RuntimeError, match="the task failed"):
        pushed(plan(connect), failing())


def test_it_imports_without_spark_and_a_call_says_what_is_missing() -> None:
    program = """if True:
        import sys
        sys.modules["pyspark"] = None
        from hubspot_batch import ConfigurationError, spark
        try:
            spark.push_create([], "orders", results="orders")
        except ConfigurationError as error:
            print(error)
    """
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert 'pip install "pyspark>=4"' in done.stdout


def push_kind(spark: "SparkSession", kind: str, folder: Path, connect: Callable[..., HubSpot]) -> "DataFrame":
    """Push orders by a key, carts without one, line items as upserts, and payments as updates."""
    options: Any = {"results": folder / kind, "connect": connect, "concurrency": 1}
    df = orders(spark)
    match kind:
        case "orders":
            return push_create(df, "orders", unique_property="shop_number", **options)
        case "carts":
            return push_create(df.selectExpr("hs_order_name label"), "carts", **options)
        case "line_items":
            items = df.selectExpr("shop_number item_number", "hs_order_name label")
            return push_upsert(items, "line_items", id_property="item_number", **options)
        case _:
            payments = df.selectExpr("shop_number", "hs_order_name label")
            return push_update(payments, "commerce_payments", id_property="shop_number", **options)


def _push_all(base_url: str, access_token: str, folder: str) -> None:
    """Push four kinds at once, as a driver that will be killed."""
    spark = start_spark()

    def connect() -> HubSpot:
        Path(folder, f"{os.getpid()}.pid").touch()
        return HubSpot(access_token, base_url=base_url)

    with ThreadPoolExecutor(4) as pool:
        list(
            pool.map(
                lambda kind: push_kind(spark, kind, Path(folder), connect),
                ["orders", "carts", "line_items", "commerce_payments"],
            )
        )


if __name__ == "__main__":
    _push_all(*sys.argv[1:])
