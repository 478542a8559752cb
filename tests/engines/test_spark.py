"""Frames of a real Spark into the sandbox, over a real socket. Tasks fail, and nothing is doubled."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import date
from decimal import Decimal
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from hubspot_batch import ConfigurationError, HubSpot, Quota, SharedQuota
from hubspot_batch.bulk import Outcome
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

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

UNIQUE = {
    "orders": {"shop_number": Property("text", unique=True), "hs_tags": Property("text")},
    "line_items": {"item_number": Property("text", unique=True)},
}
ROWS = 6000


def start_spark() -> "SparkSession":
    """Start Spark, on this machine alone and without its pages."""
    from pyspark.sql import SparkSession  # noqa: PLC0415 - it is not everywhere

    os.environ["PYSPARK_PYTHON"] = sys.executable
    builder = SparkSession.builder.master("local[2,4]")
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
    from tests.engines.conftest import missing  # noqa: PLC0415 - the driver that is killed needs none

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
def box() -> Iterator[Sandbox]:
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
                yield (outcome if number < 600 else fail() for number, outcome in enumerate(stream))  # type: ignore[func-returns-value, misc]

        return start


@contextmanager
def struck(box: Sandbox, pid: Path, number: int) -> Iterator[None]:
    """Send a signal to the worker whose process id is there, in the middle of its rows."""

    def strike() -> None:
        while not over.wait(0.005):
            if pid.exists() and len(box.records("orders")) >= 500:
                os.kill(int(pid.read_text()), number)
                return

    over = threading.Event()
    thread = threading.Thread(target=strike)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def counts(results: "DataFrame", *columns: str) -> Mapping[Any, int]:
    """Return how many rows have which values."""
    rows = results.groupBy(*(columns or ("_status",))).count().collect()
    return {(row[0] if len(row) == 2 else tuple(row[:-1])): row[-1] for row in rows}


def doubled(box: Sandbox, name: str = "hs_order_name") -> int:
    values = Counter(record.properties[name] for record in box.records("orders"))
    return sum(count - 1 for count in values.values())


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
@pytest.mark.parametrize("key", ["none", "unique", "upsert"])
@pytest.mark.parametrize("fault", ["raises", "killed"])
def test_a_second_attempt_doubles_nothing(
    spark: "SparkSession", box: Sandbox, tmp_path: Path, key: str, fault: str
) -> None:
    connect = connection(box, tmp_path / "pid", raises=fault == "raises")
    options: Any = {"results": tmp_path / "results", "connect": connect, "concurrency": 2}
    with struck(box, tmp_path / "pid", signal.SIGKILL) if fault == "killed" else nullcontext():
        if key == "upsert":
            results = push_upsert(orders(spark), "orders", id_property="shop_number", **options)
        else:
            unique_property = "shop_number" if key == "unique" else None
            results = push_create(orders(spark), "orders", unique_property=unique_property, **options)
    assert doubled(box) == 0
    assert results.select("shop_number").distinct().count() == ROWS
    if key == "none":
        assert counts(results, "_status", "_code") == {("unknown", "EARLIER_ATTEMPT"): ROWS}
        assert 500 <= len(box.records("orders")) < ROWS
    else:
        assert counts(results) == {"done": ROWS}
        assert {row["_id"] for row in results.collect()} == {record.id for record in box.records("orders")}
        if key == "unique":
            assert counts(results, "_action")["existing"] >= 500


def test_a_frame_that_recomputes_differently_is_computed_once(
    spark: "SparkSession", box: Sandbox, tmp_path: Path
) -> None:
    df = orders(spark).selectExpr("uuid() shop_number", "hs_order_name")
    with struck(box, tmp_path / "pid", signal.SIGKILL):
        results = push_create(
            df, "orders", results=tmp_path / "results", unique_property="shop_number",
            connect=connection(box, tmp_path / "pid"), concurrency=2,
        )  # fmt: skip
    assert counts(results) == {"done": ROWS}
    assert len(box.records("orders")) == ROWS


def test_a_driver_that_was_killed_is_started_again(
    spark: "SparkSession", box: Sandbox, tmp_path: Path
) -> None:
    options = {"base_url": box.url, "access_token": box.access_token, "folder": str(tmp_path)}
    program = [sys.executable, __file__, *options.values()]
    driver = subprocess.Popen(program, start_new_session=True)
    try:
        deadline = time.monotonic() + 120
        while len(box.records("orders")) < 500 or len(box.records("carts")) < 500:
            assert driver.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.01)
    finally:
        os.killpg(driver.pid, signal.SIGKILL)
        driver.wait()
    carts = orders(spark).selectExpr("hs_order_name hs_cart_name")
    with pytest.raises(ConfigurationError, match="carts exist, so nothing was sent; name others"):
        push_create(carts, "carts", results=tmp_path / "carts", connect=connection(box))
    results = push_create(
        orders(spark), "orders", results=tmp_path / "orders", unique_property="shop_number",
        connect=connection(box),
    )  # fmt: skip
    assert counts(results) == {"done": ROWS}
    assert len(box.records("orders")) == ROWS


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

    with pytest.raises(PushStoppedError) as stopped:
        push_create(orders(spark), "orders", results=tmp_path / "results", connect=connect)
    results = counts(stopped.value.results, "_status", "_code")
    assert results.keys() <= {("done", None), ("rejected", "NOT_SENT"), ("unknown", "INTERRUPTED")}
    assert results["done", None] == len(box.records("orders")) > 0
    assert sum(results.values()) == ROWS


def test_a_batch_of_a_stream_is_pushed_again(spark: "SparkSession", box: Sandbox, tmp_path: Path) -> None:
    connect, source = connection(box), tmp_path / "source"
    orders(spark, 300).write.parquet(str(source))
    failures = [RuntimeError("the driver failed after the push")]

    def push(batch: "DataFrame", number: int) -> None:
        push_create(
            batch, "orders", results=tmp_path / f"results/batch={number}", unique_property="shop_number",
            connect=connect, overwrite=True,
        )  # fmt: skip
        if failures:
            raise failures.pop()

    def run() -> None:
        stream = spark.readStream.schema("shop_number string, hs_order_name string").parquet(str(source))
        writer = stream.writeStream.foreachBatch(push).option("checkpointLocation", str(tmp_path / "state"))
        writer.trigger(availableNow=True).start().awaitTermination()

    with pytest.raises(Exception, match="the driver failed after the push"):
        run()
    run()
    assert counts(spark.read.parquet(str(tmp_path / "results")), "batch", "_action") == {(0, "existing"): 300}
    assert len(box.records("orders")) == 300


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


def _push_two(base_url: str, access_token: str, folder: str) -> None:
    """Push orders by a key and carts without one, as a driver that will be killed."""
    spark = start_spark()

    def connect() -> HubSpot:
        return HubSpot(access_token, base_url=base_url, quota=Quota(10, 1.0))

    carts = orders(spark).selectExpr("hs_order_name hs_cart_name")
    other = threading.Thread(
        target=push_create, args=(carts, "carts"), kwargs={"results": f"{folder}/carts", "connect": connect}
    )
    other.start()
    push_create(
        orders(spark), "orders", results=f"{folder}/orders", unique_property="shop_number", connect=connect
    )


if __name__ == "__main__":
    _push_two(*sys.argv[1:])
