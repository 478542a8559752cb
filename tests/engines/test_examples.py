"""The examples that need programs of others: dlt, OpenTelemetry, polars. And two that need none."""

import csv
import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from hubspot_batch import BulkError, HubSpot
from hubspot_batch.sandbox import Property, Sandbox
from tests.engines.conftest import Gate

EXAMPLES = Path(__file__).parents[2] / "examples"
UNIQUE = {"orders": {"shop_number": Property("text", unique=True)}}


def example(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def box(gate: Gate) -> Iterator[Sandbox]:  # noqa: ARG001 - the gate is there when the sandbox starts
    with Sandbox(properties=UNIQUE, quota="1000/1") as box:
        yield box


def names(box: Sandbox) -> list[str]:
    return sorted(record.properties["shop_number"] or "" for record in box.records("orders"))


LOAD = """
import sys
from pathlib import Path
import dlt
sys.path.insert(0, sys.argv[1])
from dlt_destination import hubspot, outcomes
from hubspot_batch import HubSpot
_, _, url, token, folder, fault = sys.argv
connects = []
def connect():
    connects.append(None)
    left = iter([token] * 3 if fault == "raises" and len(connects) == 1 else [token] * 99)
    return HubSpot(lambda: next(left), base_url=url)
destination = hubspot("orders", Path(folder), unique_property="shop_number", connect=connect)
pipeline = dlt.pipeline("orders", destination=destination, pipelines_dir=folder)
rows = ({"shop_number": f"A-{n:04}", "hs_order_name": f"A-{n}"} for n in range(600))
sys.stdin.readline()
pipeline.run(rows, table_name="orders") if not pipeline.has_pending_data else pipeline.load()
print(len(connects), sum(row["status"] == "done" for row in outcomes(Path(folder))))
"""


@pytest.mark.posix
@pytest.mark.parametrize("fault", ["raises", "killed"])
def test_a_load_of_dlt_that_failed_goes_on(box: Sandbox, gate: Gate, tmp_path: Path, fault: str) -> None:
    pytest.importorskip("dlt")
    command = [sys.executable, "-c", LOAD, str(EXAMPLES), box.url, box.access_token, str(tmp_path), fault]
    environment = {**os.environ, "RUNTIME__DLTHUB_TELEMETRY": "false", "DLT_DATA_DIR": str(tmp_path)}
    if fault == "killed":
        gate.hold(3, lambda: first.kill())  # noqa: PLW0108 - the program is not there yet
        # It waits for a line, so the program is known before its first request.
        first = subprocess.Popen(command, env=environment, cwd=tmp_path, stdin=subprocess.PIPE)
        first.communicate(b"\n", timeout=120)
        assert first.returncode == -9
        assert len(box.records("orders")) >= 300
    last = subprocess.run(
        command, env=environment, cwd=tmp_path, check=True, capture_output=True, text=True, timeout=120,
        input="\n",
    )  # fmt: skip
    connects, done = last.stdout.split()[-2:]
    assert (int(connects), int(done)) == (2 if fault == "raises" else 1, 600)
    assert names(box) == [f"A-{number:04}" for number in range(600)]


def test_a_consumer_that_dies_before_it_commits(box: Sandbox) -> None:
    module = example("consumer")
    sent = [{"shop_number": f"A-{n:04}", "hs_order_name": "x" * (n != 7)} for n in range(250)]

    class Queue:
        """Messages of a partition, from the last commit on."""

        def __init__(self, committed: int = 0, *, dies: bool) -> None:
            self.place = self.committed = committed
            self.dies = dies

        def consume(self, count: int, timeout: float) -> Sequence[Mapping[str, str]]:  # noqa: ARG002
            messages = sent[self.place : self.place + count]
            self.place += len(messages)
            return messages

        def commit(self) -> None:
            if self.dies:
                raise ConnectionError
            self.committed = self.place

    rejected: list[Any] = []
    with HubSpot(box.access_token, base_url=box.url) as hub:
        options: Any = {"unique_property": "shop_number", "reject": lambda *told: rejected.append(told)}
        with pytest.raises(ConnectionError):
            module.consume(hub, Queue(dies=True), most=100, **options)
        queue = Queue(dies=False)
        done = module.consume(hub, queue, most=100, **options)
    assert queue.committed == 250
    assert done == len({*names(box)}) == len(names(box))
    assert done + len({message["shop_number"] for message, _ in rejected}) == 250


def test_a_task_of_airflow_is_tried_again(box: Sandbox, tmp_path: Path) -> None:
    push_orders = example("airflow_orders").push_orders
    file = tmp_path / "orders.csv"
    with file.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["shop_number", "hs_order_name"])
        writer.writerows([f"A-{n:04}", f"Order {n}"] for n in range(300))
    tokens = iter([box.access_token] * 2)

    def failing() -> HubSpot:
        return HubSpot(lambda: next(tokens), base_url=box.url)

    options: Any = {"unique_property": "shop_number"}
    with pytest.raises((BulkError, RuntimeError)):
        push_orders(file, connect=failing, **options)
    told = push_orders(file, connect=lambda: HubSpot(box.access_token, base_url=box.url), **options)
    assert told == {"done": 300, "rejected": 0, "unknown": 0}
    assert names(box) == [f"A-{number:04}" for number in range(300)]


def test_tables_with_spans_that_hold_no_token(box: Sandbox) -> None:
    for needed in ("polars", "opentelemetry.sdk", "opentelemetry.instrumentation.httpx"):
        pytest.importorskip(needed)
    import duckdb  # noqa: PLC0415 - with the others
    import polars as pl  # noqa: PLC0415 - it is not everywhere
    from opentelemetry import trace  # noqa: PLC0415 - it is not everywhere
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415 - it is not everywhere
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor  # noqa: PLC0415 - it is not everywhere
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import (  # noqa: PLC0415 - it is not everywhere
        InMemorySpanExporter,
    )

    module = example("tables_and_traces")
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    module.instrument()
    try:
        with HubSpot(box.access_token, base_url=box.url) as hub:
            relation = duckdb.sql(
                "SELECT 'A-' || i AS hs_order_name, i / 4 AS hs_total_price FROM range(150) t(i)"
            )
            assert module.push(hub, relation).done == 150
            assert module.push(hub, pl.DataFrame({"hs_order_name": ["B-1", "B-2"]})).done == 2
    finally:
        module.HTTPXClientInstrumentor().uninstrument()
    spans = exporter.get_finished_spans()
    pushes = {span.context.span_id for span in spans if span.name == "push orders"}
    requests = [span for span in spans if span.name != "push orders"]
    assert len(pushes) == 2
    assert len(requests) == 3
    assert {span.parent.span_id for span in requests if span.parent} == pushes
    assert not any(text in span.to_json() for span in spans for text in (box.access_token, "B-1"))
