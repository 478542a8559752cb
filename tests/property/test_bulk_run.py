"""Whole runs against a service that shuffles, rewrites, refuses and loses, stopped and started again at will.

The service is the account of the sandbox, behind a network that breaks as told. Batches are of a few rows,
and nothing waits: neither for a quota nor for a disk.
"""

import os
import random
import shutil
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any, Literal

import anyio
import anyio.lowlevel
import httpx
import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from hubspot_batch import AsyncHubSpot, Quota, Retries
from hubspot_batch.bulk import BulkError, Outcome, Report, read_outcomes
from hubspot_batch.bulk import _journal as writer
from hubspot_batch.bulk import _options as options
from hubspot_batch.bulk import _streams as streams
from hubspot_batch.bulk._plan import AdaptiveConcurrency
from hubspot_batch.bulk._sources import async_chunks
from hubspot_batch.contract import _operations as contract
from hubspot_batch.sandbox import Behaviour
from hubspot_batch.sandbox._account import Account, Call
from hubspot_batch.sandbox._bodies import taken_value_forms
from hubspot_batch.sandbox._object_types import schemas_with
from hubspot_batch.sandbox._operations import Target, target_of
from hubspot_batch.sandbox._schemas import Property
from hubspot_batch.sandbox._store import NewRecord, Store, StoredRecord
from hubspot_batch.transport import _async as _async_driver
from hubspot_batch.transport import _attempts as _exchange

NUMBER = "shop_number"
# HubSpot compares it without regard to case.
CUSTOM = {"orders": {NUMBER: Property("email", unique=True)}}

Kind = Literal["orders", "numbered orders", "line items", "updates"]
OPERATIONS: Mapping[Kind, contract.OperationId] = {
    "orders": "create_orders",
    "numbered orders": "create_orders",
    "line items": "create_line_items",
    "updates": "update_orders",
}
MOMENT = "2026-09-01T08:15:02.120Z"

# What may become of a request: what the network does, and whether HubSpot has processed the batch before.
CALM = ["fine", "fine", "without trace ids", "429", "unreachable", "401"]
DOUBTFUL = ["lost", "lost before", "504", "504 before", "unreadable", "broken", "killed before"]
KILLED = ["killed", "killed", "killed"]


class Scene(msgspec.Struct, frozen=True):
    """A source, and how the service behaves to which it goes."""

    kind: Kind
    rows: Sequence[Any]
    behaviour: Behaviour
    seed: int
    batch: int
    concurrency: int
    journaled: bool
    calm: bool
    keep_going: bool


COUNTS = st.sampled_from([0, 5, 10])
TAKEN_VALUES = st.sampled_from([form.name for form in taken_value_forms()])


def prices() -> st.SearchStrategy[str]:
    return st.sampled_from(["9", "9.0", "9.00", "10", "10.5"])


@st.composite
def creates(draw: st.DrawFn, kind: Kind) -> list[dict[str, Any]]:
    """Rows with few different contents. HubSpot or the client refuses some of them."""
    name, price = ("name", "price") if kind == "line items" else ("hs_order_name", "hs_total_price")
    good = st.fixed_dictionaries({name: st.sampled_from("AB"), price: prices()})
    bad = st.just({name: "A", price: "much"}) | st.just({name: None, price: "9"})
    drawn = draw(st.lists(good | good | good | bad, min_size=draw(COUNTS), max_size=14))
    if kind != "numbered orders":
        return [{"properties": properties} for properties in drawn]
    numbers = st.integers(0, draw(st.sampled_from([4, 10**6])))
    texts = st.builds("{}-{}".format, st.sampled_from(["X", "X", "x", " X"]), numbers)
    taken = draw(st.lists(texts, min_size=len(drawn), max_size=len(drawn)))
    return [
        {"properties": {**properties, NUMBER: number}}
        for properties, number in zip(drawn, taken, strict=True)
    ]


@st.composite
def updates(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Rows about few records, by id or by number; some about none that there is. No two set the same."""
    by_id = st.builds(lambda n: {"id": str(20_000_000_001 + n)}, st.integers(0, 3))
    by_number = st.builds(lambda n: {"id": f"X-{n}", "idProperty": NUMBER}, st.integers(2, 4))
    missing = st.sampled_from([{"id": "99"}, {"id": "none"}])
    drawn = draw(st.lists(by_id | by_id | by_number | missing, min_size=draw(COUNTS), max_size=14))
    bad = draw(st.sets(st.integers(0, 13), max_size=3))
    return [
        {**item, "properties": {"hs_order_note": f"{row}", "hs_tax": "much" if row in bad else "9"}}
        for row, item in enumerate(drawn)
    ]


@st.composite
def scenes(draw: st.DrawFn) -> Scene:
    kind: Kind = draw(st.sampled_from([*OPERATIONS]))
    rows = draw(updates() if kind == "updates" else creates(kind))
    behaviour = Behaviour(
        echo_trace_ids=draw(st.booleans()),
        normalise_values=draw(st.booleans()),
        trace_id_distinguishes=draw(st.booleans()),
        partial_update_with_trace_ids=draw(st.booleans()),
        silent_unknown_ids=draw(st.booleans()),
        taken_values=draw(st.just(()) | TAKEN_VALUES.map(lambda name: (name,))),
    )
    return Scene(
        kind,
        rows,
        behaviour,
        seed=draw(st.integers(0, 2**16)),
        batch=draw(st.integers(1, 5)),
        concurrency=draw(st.integers(1, 4)),
        journaled=draw(st.sampled_from([True, True, True, False])),
        calm=draw(st.sampled_from([True, False, False])),
        keep_going=draw(st.booleans()),
    )


DEFINITION = {
    "name": NUMBER,
    "label": "Number",
    "type": "string",
    "fieldType": "text",
    "hasUniqueValue": True,
}


class Service(httpx.AsyncBaseTransport):
    """HubSpot, as it answers one scene, and the network before it.

    Attributes:
        to_come: What becomes of the next requests.
        requests: How many have come.
        changes: The values of `hs_order_note` that were written, in order.
        killed: Whether the client is dead: nothing that it sends arrives any more.
        on_kill: Is called at the instant of its death.
    """

    def __init__(self, scene: Scene) -> None:
        schemas = schemas_with(CUSTOM)
        self.to_come: deque[str] = deque()
        self.requests = 0
        self.changes: list[int] = []
        self.killed = False
        self.on_kill: Callable[[], None] = lambda: None
        self._operation = contract.operation(OPERATIONS[scene.kind])
        self._store = Store(None, [NUMBER])
        target = target_of("POST", self._operation.path)
        assert isinstance(target, Target)
        self._target = target
        self._account = Account(self._store, schemas, scene.seed, behaviour=scene.behaviour)
        self._random = random.Random(scene.seed)  # noqa: S311 - no secret
        if scene.kind == "updates":
            # The account finds a number in the form in which it would have stored it.
            letter = "x" if scene.behaviour.normalise_values else "X"
            records = [
                NewRecord(object_type="orders", properties={"hs_order_name": "A", NUMBER: f"{letter}-{n}"})
                for n in range(4)
            ]
            self._store.insert(records, MOMENT)

    def records(self) -> Sequence[StoredRecord]:
        return self._store.page(self._operation.object_type)

    def close(self) -> None:
        self._store.close()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            return httpx.Response(200, json={"results": [DEFINITION]})
        await self._some_time()
        self.requests += 1
        fate = self.to_come.popleft() if self.to_come else "fine"
        if self.killed or fate == "unreachable":
            raise httpx.ConnectError(fate)
        if fate in {"429", "401"}:
            return httpx.Response(int(fate), json={})
        reply = None if fate.endswith("before") else self._processed(request.content, fate)
        if fate.startswith("killed"):
            self.killed = True
            self.on_kill()
        await self._some_time()
        return _told(fate, reply)

    async def _some_time(self) -> None:
        for _ in range(self._random.randint(0, 6)):
            await anyio.lowlevel.checkpoint()

    def _processed(self, content: bytes, fate: str) -> httpx.Response:
        if fate == "without trace ids":
            body = msgspec.json.decode(content)
            for item in body["inputs"]:
                # A look has none.
                item.pop("objectWriteTraceId", None)
            content = msgspec.json.encode(body)
        before = {record.properties.get("hs_order_note") for record in self.records()}
        reply = self._account.run(Call(target=self._target, content=content))
        after = (record.properties.get("hs_order_note") for record in self.records())
        self.changes += [int(note) for note in after if note and note not in before]
        return httpx.Response(reply.status, content=msgspec.json.encode(reply.body))


def _told(fate: str, reply: httpx.Response | None) -> httpx.Response:
    match fate.removesuffix(" before"):
        case "lost" | "killed":
            raise httpx.ReadError(fate)
        case "broken":
            raise RuntimeError(fate)
        case "504":
            return httpx.Response(504)
        case "unreadable":
            return httpx.Response(201, content=b"<html>")
    assert reply is not None
    return reply


class Clock:
    """A time that goes on where someone sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

    async def sleep(self, delay: float) -> None:
        self.now += delay
        await anyio.lowlevel.checkpoint()


async def at_once(function: Callable[..., object], *arguments: object, limiter: object) -> object:
    """Stand in for a thread."""
    assert limiter is not None
    await anyio.lowlevel.checkpoint()
    return function(*arguments)


def stand_ins(patch: pytest.MonkeyPatch, scene: Scene) -> None:
    clock = Clock()
    patch.setattr(_exchange, "time", clock)
    patch.setattr(_async_driver, "anyio", SimpleNamespace(sleep=clock.sleep))
    patch.setattr(_exchange, "random", SimpleNamespace(random=lambda: 1.0))
    patch.setattr(writer, "to_thread", SimpleNamespace(run_sync=at_once))
    patch.setattr(options, "MAX_INPUTS", scene.batch)
    patch.setattr(streams, "async_chunks", partial(async_chunks, size=4))
    patch.setattr(AdaptiveConcurrency, "target_for", lambda _self, _rate: scene.concurrency)


class Runs(RuleBasedStateMachine):
    """Runs over one source and one journal, until one of them comes to its end."""

    def __init__(self) -> None:
        super().__init__()
        self.patch = pytest.MonkeyPatch()
        self.folder = TemporaryDirectory()
        self.journals = 0
        self.runs = 0
        self.known: dict[int, Outcome] = {}
        self.sound = False
        self.keep_going = False

    @initialize(scene=scenes())
    def begin(self, scene: Scene) -> None:
        self.scene = scene
        self.service = Service(scene)
        self.keep_going = scene.keep_going
        stand_ins(self.patch, scene)
        self.sound = True

    @rule(
        fates=st.lists(st.sampled_from([*CALM, *DOUBTFUL, *KILLED]), max_size=8),
        left_after=st.none() | st.none() | st.integers(0, 10),
    )
    def run(self, fates: list[str], left_after: int | None) -> None:
        if self.over:
            return
        self.sound = False
        self.service.to_come = deque(fate for fate in fates if fate in CALM or not self.scene.calm)
        before = self.journal
        report, told = anyio.run(self.go, left_after)
        self.check_told(report, told)
        if self.scene.journaled:
            self.check_journal(told, killed=self.journal != before)
        else:
            self.known = {outcome.index: outcome for outcome in report.outcomes}
            self.check_outcomes(list(report.outcomes))
        self.runs += 1
        self.sound = True

    @property
    def over(self) -> bool:
        """Whether nothing can go on: there is no journal."""
        return self.runs > 0 and not self.scene.journaled

    @property
    def journal(self) -> Path | None:
        return Path(self.folder.name, f"{self.journals}.run") if self.scene.journaled else None

    def killed(self, told: list[Outcome]) -> None:
        """Keep what would be on the disk now, and what has been told by now."""
        self.told_before_death = list(told)
        if self.journal is not None:
            for suffix in ("", "-wal"):
                new = Path(self.folder.name, f"{self.journals + 1}.run{suffix}")
                shutil.copy(f"{self.journal}{suffix}", new)
            self.journals += 1

    async def go(self, left_after: int | None) -> tuple[Report, list[Outcome]]:
        told: list[Outcome] = []
        self.service.killed = False
        self.service.on_kill = partial(self.killed, told)
        hub = AsyncHubSpot("token-1", transport=self.service, retries=Retries(limit=2), quota=Quota())
        options: dict[str, Any] = {
            "journal": self.journal,
            "concurrency": self.scene.concurrency,
            "keep_going": self.keep_going,
        }
        if self.scene.kind == "updates":
            stream = hub.orders.stream_update(self.scene.rows, **options)
        elif self.scene.kind == "line items":
            stream = hub.line_items.stream_create(self.scene.rows, **options)
        else:
            unique = NUMBER if self.scene.kind == "numbered orders" else None
            stream = hub.orders.stream_create(self.scene.rows, unique_property=unique, **options)
        try:
            async with stream:
                while len(told) != left_after:
                    told.append(await anext(stream))
        except StopAsyncIteration:
            assert stream.report.finished
        except BulkError as error:
            return error.report, told
        return stream.report, told

    def check_told(self, report: Report, told: list[Outcome]) -> None:
        assert len({outcome.index for outcome in told}) == len(told)
        counts = Counter(outcome.status for outcome in told)
        assert counts <= Counter(done=report.done, rejected=report.rejected, unknown=report.unknown)
        assert report.in_flight == 0
        assert report.pending >= 0
        if report.finished:
            assert report.read == len(self.scene.rows) == report.done + report.rejected + report.unknown

    def check_journal(self, told: list[Outcome], *, killed: bool) -> None:
        assert self.journal is not None
        outcomes = list(read_outcomes(self.journal))
        in_journal = {outcome.index: outcome for outcome in outcomes}
        durable = self.told_before_death if killed else told
        assert all(in_journal[outcome.index] == outcome for outcome in durable)
        assert self.known.items() <= in_journal.items()
        self.known = in_journal
        self.check_outcomes(outcomes)

    def check_outcomes(self, outcomes: list[Outcome]) -> None:
        indexes = [outcome.index for outcome in outcomes]
        assert indexes == sorted(set(indexes))
        assert all(index < len(self.scene.rows) for index in indexes)
        untold = [self.scene.rows[found.index] for found in outcomes if found.category == "NOT_IN_REPLY"]
        assert all(self.expected(row) == "unknown" for row in untold)
        if self.scene.kind == "updates":
            self.check_updates(outcomes)
        else:
            self.check_creates(outcomes)

    def check_creates(self, outcomes: list[Outcome]) -> None:
        rows = [content(row["properties"]) for row in self.scene.rows]
        stored = {record.id: content(record.properties) for record in self.service.records()}
        named = [outcome for outcome in outcomes if outcome.id is not None]
        assert len({outcome.id for outcome in named}) == len(named)
        assert all(stored[str(outcome.id)] == rows[outcome.index] for outcome in named)
        statuses: defaultdict[object, Counter[str]] = defaultdict(Counter)
        for outcome in outcomes:
            statuses[rows[outcome.index]][outcome.status] += 1
        written, all_rows = Counter(stored.values()), Counter(rows)
        assert written.keys() <= all_rows.keys()
        for key, count in all_rows.items():
            assert statuses[key]["done"] <= written[key] <= count - statuses[key]["rejected"]

    def check_updates(self, outcomes: list[Outcome]) -> None:
        rows, changes = self.scene.rows, self.service.changes
        for outcome in outcomes:
            if outcome.ok:
                assert outcome.index in changes
                assert outcome.id in self.records_of(rows[outcome.index])
            if outcome.status == "rejected":
                assert outcome.index not in changes
        for key in {address(row) for row in rows}:
            in_order = [index for index in changes if address(rows[index]) == key]
            assert in_order == sorted(in_order)

    def records_of(self, row: Mapping[str, Any]) -> set[str]:
        by_number = "idProperty" in row
        found = row["id"].lower() if by_number and self.scene.behaviour.normalise_values else row["id"]
        return {
            record.id
            for record in self.service.records()
            if found == (record.properties[NUMBER] if by_number else record.id)
        }

    def teardown(self) -> None:
        try:
            if self.sound and not self.over:
                self.keep_going = True
                self.run(fates=[], left_after=None)
                self.check_end()
        finally:
            self.patch.undo()
            self.folder.cleanup()
            if hasattr(self, "service"):
                self.service.close()

    def check_end(self) -> None:
        """Every row has an outcome; where nothing could get lost, it is that of the row alone."""
        assert list(self.known) == list(range(len(self.scene.rows)))
        requests = self.service.requests
        self.run(fates=[], left_after=None)
        assert self.service.requests == requests
        if not self.scene.calm:
            return
        seen: set[str] = set()
        for index, row in enumerate(self.scene.rows):
            number = row["properties"].get(NUMBER)
            if number is not None and self.scene.behaviour.normalise_values:
                number = number.lower()
            expected = "rejected" if number in seen else self.expected(row)
            assert self.known[index].status == expected
            if expected == "done" and number is not None:
                seen.add(number)

    def expected(self, row: Mapping[str, Any]) -> str:
        if {"much", None} & set(row["properties"].values()):
            return "rejected"
        return "done" if self.scene.kind != "updates" or self.records_of(row) else "rejected"


def content(properties: Mapping[str, str | None]) -> tuple[object, ...]:
    """Return what a record tells, however it is written."""
    price = properties.get("price") or properties.get("hs_total_price")
    name = properties.get("name") or properties.get("hs_order_name")
    number = (properties.get(NUMBER) or "").lower() or None
    return name, number, price if price in {None, "much"} else Decimal(str(price))


def address(row: Mapping[str, Any]) -> tuple[str, str | None]:
    return row["id"], row.get("idProperty")


# FUZZ_TIMES=5 looks for five times as long.
Runs.TestCase.settings = settings(
    max_examples=100 * int(os.environ.get("FUZZ_TIMES", "1")), stateful_step_count=4
)
TestRuns = Runs.TestCase
