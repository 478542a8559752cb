"""Any number of rows into a sandbox: over a real socket, through both clients."""

import asyncio
import gc
import logging
import math
import os
import random
import re
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from itertools import chain, islice, pairwise, repeat
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar

import anyio
import httpx
import pytest

from hubspot_batch import AsyncHubSpot, CreateInput, HubSpot, Quota
from hubspot_batch.bulk import BulkError, Outcome, Progress, Report, read_outcomes
from hubspot_batch.bulk import _journal as writer
from hubspot_batch.bulk import _streams as streams
from hubspot_batch.bulk._journal import Entry, Journal
from hubspot_batch.bulk._rows import Row
from hubspot_batch.errors import (
    AuthenticationError,
    ConfigurationError,
    ConnectionFailedError,
    JournalError,
    JournalInUseError,
    PermissionDeniedError,
    RateLimitError,
    ServerError,
    SourceError,
)
from hubspot_batch.sandbox import Behaviour, Property, Sandbox
from hubspot_batch.transport import _retries as policy

T = TypeVar("T")
Act = Callable[[Any], Any]

NUMBER = "hs_external_order_id"
UNIQUE = {"orders": {NUMBER: Property("text", unique=True)}}


class Client:
    """One of the two clients. It is opened for one run and closed after it."""

    def __init__(self, kind: type[HubSpot | AsyncHubSpot], backend: str = "asyncio") -> None:
        self.kind = kind
        self.backend = backend

    def report(self, box: Sandbox | str, act: Act, **options: Any) -> Report:  # noqa: ANN401
        """Return what `create_all` or `update_all` comes to."""
        report = self._run(box, act, options)
        assert isinstance(report, Report)
        return report

    def outcomes(self, box: Sandbox | str, act: Act, **options: Any) -> list[Outcome]:  # noqa: ANN401
        """Return all that a stream yields."""
        found = self._run(box, lambda hub: _listed(act(hub)), options)
        assert isinstance(found, list)
        return found

    def stopped(self, box: Sandbox | str, act: Act, **options: Any) -> BulkError:  # noqa: ANN401
        """Return the error with which a run ends."""
        with pytest.raises(BulkError) as caught:
            self._run(box, act, options)
        return caught.value

    def _run(self, box: Sandbox | str, act: Act, options: dict[str, Any]) -> object:
        url = box if isinstance(box, str) else box.url
        settings: dict[str, Any] = {"access_token": "sandbox-token", "base_url": url} | options
        if self.kind is HubSpot:
            with HubSpot(**settings) as hub:
                return act(hub)

        async def run() -> object:
            async with AsyncHubSpot(**settings) as hub:
                return await act(hub)

        return anyio.run(run, backend=self.backend)


def _listed(stream: Iterable[Outcome] | AsyncIterator[Outcome]) -> list[Outcome] | Awaitable[list[Outcome]]:
    if isinstance(stream, Iterable):
        return list(stream)

    async def collect() -> list[Outcome]:
        return [outcome async for outcome in stream]

    return collect()


@pytest.fixture(params=[HubSpot, AsyncHubSpot])
def client(request: pytest.FixtureRequest) -> Client:
    return Client(request.param)


@pytest.fixture
def one_client() -> Client:
    """For what the engine does, which both have in common."""
    return Client(HubSpot)


@pytest.fixture(params=[(HubSpot, "asyncio"), (AsyncHubSpot, "asyncio"), (AsyncHubSpot, "trio")])
def any_client(request: pytest.FixtureRequest) -> Client:
    return Client(*request.param)


@pytest.fixture
def unique_box() -> Iterator[Sandbox]:
    """A sandbox in which no two orders have the same number."""
    with Sandbox(properties=UNIQUE) as box:
        yield box


def orders(count: int, **properties: str) -> list[dict[str, Any]]:
    return [
        {"properties": {"hs_order_name": f"A-{row}", NUMBER: f"X-{row}", **properties}}
        for row in range(count)
    ]


def numbers(box: Sandbox) -> dict[str, str | None]:
    """Return which number the order of each record id has."""
    return {record.id: record.properties[NUMBER] for record in box.records("orders")}


def created(box: Sandbox, count: int) -> list[str]:
    """Create orders, and return their record ids."""
    ids = dict(Client(HubSpot).report(box, lambda hub: hub.orders.create_all(orders(count))).ids)
    return [ids[row] for row in range(count)]


def assert_right(outcomes: Iterable[Outcome], box: Sandbox) -> None:
    """Check that each row that is done has its own record, and that there is no other."""
    done = {outcome.index: outcome.id for outcome in outcomes if outcome.ok}
    assert {id_: f"X-{row}" for row, id_ in done.items()} == numbers(box)
    assert len(box.records("orders")) == len(done)


class TestRows:
    def test_a_thousand_are_done_and_told_in_their_order(self, any_client: Client, box: Sandbox) -> None:
        report = any_client.report(box, lambda hub: hub.orders.create_all(orders(1000)))

        outcomes = list(report.outcomes)
        assert [outcome.index for outcome in outcomes] == list(range(1000))
        assert_right(outcomes, box)
        assert report.ok
        assert (report.total, report.read, report.done, report.pending) == (1000, 1000, 1000, 0)
        assert (report.requests, report.retries, report.rate_limited) == (10, 0, 0)
        assert [entry.inputs for entry in box.requests] == [100] * 10
        assert str(report) == "create_orders: 1000 rows: 1000 done, 0 rejected, 0 unknown"

    def test_a_stream_yields_each_of_them_once(self, any_client: Client, box: Sandbox) -> None:
        rows = (row for row in orders(1000))
        outcomes = any_client.outcomes(box, lambda hub: hub.orders.stream_create(rows))
        assert sorted(outcome.index for outcome in outcomes) == list(range(1000))
        assert_right(outcomes, box)

    def test_no_row_that_is_done_waits_for_the_garbage_collector(
        self, any_client: Client, box: Sandbox
    ) -> None:
        def alive() -> Counter[type]:
            return Counter(kind for kind in map(type, gc.get_objects()) if kind in {Row, httpx.Request})

        gc.collect()
        before = alive()
        gc.disable()
        try:
            any_client.report(box, lambda hub: hub.orders.create_all(orders(300)))
            deadline = time.monotonic() + 10
            # A thread that has sent a request may be about to forget it.
            while (left := alive() - before) and time.monotonic() < deadline:
                time.sleep(0.01)
        finally:
            gc.enable()
        assert not left

    def test_no_rows_are_no_requests(self, client: Client, box: Sandbox) -> None:
        report = client.report(box, lambda hub: hub.orders.create_all([]))
        assert report.ok
        assert list(report.outcomes) == []
        assert not box.requests

    def test_updates_name_their_records_by_id(self, client: Client, box: Sandbox) -> None:
        ids = created(box, 250)
        rows = [{"id": id_, "properties": {"hs_order_note": id_}} for id_ in ids]
        report = client.report(box, lambda hub: hub.orders.update_all(rows))
        assert dict(report.ids) == dict(enumerate(ids))
        assert all(record.properties["hs_order_note"] == record.id for record in box.records("orders"))

    def test_updates_name_their_records_by_a_unique_property(
        self, client: Client, unique_box: Sandbox
    ) -> None:
        ids = created(unique_box, 250)
        rows = [
            {"id": f"X-{row}", "idProperty": NUMBER, "properties": {"hs_order_note": str(row)}}
            for row in reversed(range(250))
        ]
        outcomes = client.outcomes(unique_box, lambda hub: hub.orders.stream_update(rows))
        assert {outcome.index: outcome.id for outcome in outcomes} == dict(enumerate(reversed(ids)))
        for record in unique_box.records("orders"):
            assert record.properties[NUMBER] == f"X-{record.properties['hs_order_note']}"

    def test_upserts_create_what_there_is_not_and_change_what_there_is(self, client: Client) -> None:
        rows = [{"id": f"A-{n % 120}", "properties": {"hs_order_name": f"name {n}"}} for n in range(150)]

        with Sandbox(properties=UNIQUE) as box:
            for _ in range(2):
                report = client.report(box, lambda hub: hub.orders.upsert_all(rows, id_property=NUMBER))
                assert (report.done, report.rejected, report.unknown) == (150, 0, 0)
            records = {record.properties[NUMBER]: record for record in box.records("orders")}

        # Of two rows with one id, the last is what stays.
        assert {number: record.properties["hs_order_name"] for number, record in records.items()} == {
            row["id"]: row["properties"]["hs_order_name"]  # type: ignore[index]
            for row in rows
        }
        ids = {outcome.index: outcome.id for outcome in report.outcomes}
        assert ids == {n: records[f"A-{n % 120}"].id for n in range(150)}

    def test_upserts_whose_answers_are_lost_are_sent_again(self, client: Client) -> None:
        rows = [
            {"id": f"A-{n}", "idProperty": NUMBER, "properties": {"hs_order_name": "a"}} for n in range(500)
        ]

        with Sandbox(properties=UNIQUE, faults={"504-after": 0.5}, seed=3) as box:
            report = client.report(box, lambda hub: hub.orders.upsert_all(rows))
            count = len(box.records("orders"))

        assert (report.done, report.rejected, report.unknown, count) == (500, 0, 0, 500)

    def test_the_last_of_several_updates_of_one_record_is_what_stays(
        self, client: Client, box: Sandbox
    ) -> None:
        ids = created(box, 3)
        rows = [
            {"id": ids[row % 3], "properties": {"hs_order_note": f"{row}"}}
            for row in range(30)  # ten for each record
        ]
        box.faults.set("slow-tail=0.005", 1.0)
        report = client.report(box, lambda hub: hub.orders.update_all(rows))
        assert report.ok
        notes = {record.id: record.properties["hs_order_note"] for record in box.records("orders")}
        assert [notes[id_] for id_ in ids] == ["27", "28", "29"]

    def test_line_items_that_are_alike_become_as_many_records_as_there_are_rows(
        self, client: Client, box: Sandbox
    ) -> None:
        rows = [{"properties": {"name": f"item {row % 50}", "price": "1.50"}} for row in range(250)]
        report = client.report(box, lambda hub: hub.line_items.create_all(rows))
        assert report.ok
        names = {record.id: record.properties["name"] for record in box.records("line_items")}
        assert Counter(names.values()) == Counter(row["properties"]["name"] for row in rows)
        assert {row: names[id_] for row, id_ in report.ids} == {
            index: row["properties"]["name"] for index, row in enumerate(rows)
        }

    @pytest.mark.parametrize(
        ("object_type", "properties"),
        [
            ("carts", {"hs_cart_name": "cart {}"}),
            (
                "commerce_payments",
                {
                    "hs_initial_amount": "{}.50",
                    "hs_currency_code": "USD",
                    "hs_initiated_date": "2026-09-01T08:15:00Z",
                },
            ),
        ],
    )
    def test_the_other_object_types_can_be_created(
        self, client: Client, box: Sandbox, object_type: str, properties: dict[str, str]
    ) -> None:
        rows = [
            {"properties": {name: value.format(row) for name, value in properties.items()}}
            for row in range(250)
        ]
        report = client.report(box, lambda hub: getattr(hub, object_type).create_all(rows))
        stored = {record.id: record.properties for record in box.records(object_type)}
        assert report.ok
        assert len(stored) == 250
        assert {row: stored[id_] for row, id_ in report.ids} == {
            index: row["properties"] for index, row in enumerate(rows)
        }


BAD = {
    "hs_total_price": ("nix", "INVALID_LONG"),
    "hs_currency_code": ("nix", "INVALID_OPTION"),
    "hs_buyer_accepts_marketing": ("nix", "INVALID_OPTION"),
    "hs_external_created_date": ("nix", "INVALID_LONG"),
    "hubspot_owner_id": ("nix", "INVALID_INTEGER"),
    "hs_createdate": ("2026-09-01T08:15:00Z", "READ_ONLY_VALUE"),
    "nix": ("nix", "PROPERTY_DOESNT_EXIST"),
}


def spoil(rows: Sequence[dict[str, Any]], count: int, seed: int) -> dict[int, tuple[str, str]]:
    """Give some rows a bad property each, and return the row, the property and the reason of each."""
    chosen = random.Random(seed).sample(range(len(rows)), count)  # noqa: S311 - no secret
    for row, (name, (value, _)) in zip(chosen, BAD.items(), strict=False):
        rows[row]["properties"][name] = value
    return {row: (name, code) for row, (name, (_, code)) in zip(chosen, BAD.items(), strict=False)}


def rejected(report: Report) -> dict[int, tuple[str | None, str | None]]:
    found = [outcome for outcome in report.outcomes if outcome.status == "rejected"]
    return {outcome.index: (reason.property, reason.code) for outcome in found for reason in outcome.reasons}


class TestBadRows:
    @pytest.mark.parametrize("count", [1, 7])
    def test_of_a_create_are_named_by_one_request(self, client: Client, box: Sandbox, count: int) -> None:
        rows = orders(100)
        bad = spoil(rows, count, seed=1)
        report = client.report(box, lambda hub: hub.orders.create_all(rows))
        assert rejected(report) == bad
        assert report.requests == len(box.requests) == 1
        assert report.done == 100 - count
        assert_right(report.outcomes, box)

    @pytest.mark.parametrize("seed", range(3))
    @pytest.mark.parametrize("count", [1, 7])
    def test_are_found_where_hubspot_refuses_the_whole_request(
        self, one_client: Client, box: Sandbox, count: int, seed: int
    ) -> None:
        rows: list[dict[str, Any]] = [
            {"id": id_, "properties": {"hs_order_note": id_}} for id_ in created(box, 100)
        ]
        sent = len(box.requests)
        bad = spoil(rows, count, seed)
        report = one_client.report(box, lambda hub: hub.orders.update_all(rows))

        assert rejected(report) == bad
        assert report.done == 100 - count
        stored = {record.id: record.properties.get("hs_order_note") for record in box.records("orders")}
        assert [index for index, row in enumerate(rows) if stored[row["id"]] is None] == sorted(bad)
        isolating = len(box.requests) - sent - 1
        assert report.requests == isolating + 1
        assert isolating <= 2 * count * (math.log2(100 / count) + 1)

    def test_of_an_update_are_named_by_one_request_where_trace_ids_make_it_partial(
        self, one_client: Client
    ) -> None:
        with Sandbox(behaviour=Behaviour(partial_update_with_trace_ids=True)) as box:
            rows = [{"id": id_, "properties": {"hs_order_note": id_}} for id_ in created(box, 100)]
            bad = spoil(rows, 7, seed=1)
            report = one_client.report(box, lambda hub: hub.orders.update_all(rows))
        assert rejected(report) == bad
        assert (report.done, report.requests) == (93, 1)

    def test_that_are_not_found_are_told_from_those_that_are(self, one_client: Client, box: Sandbox) -> None:
        ids = created(box, 100)
        ids[3], ids[50] = "1", "2"
        rows = [{"id": id_, "properties": {"hs_order_note": id_}} for id_ in ids]
        report = one_client.report(box, lambda hub: hub.orders.update_all(rows))
        bad = {
            outcome.index: (outcome.status, outcome.category) for outcome in report.outcomes if not outcome.ok
        }
        assert bad == dict.fromkeys([3, 50], ("rejected", "OBJECT_NOT_FOUND"))
        assert report.requests == 1

    def test_that_cannot_be_sent_cost_no_request(self, client: Client, box: Sandbox) -> None:
        rows: list[object] = [*orders(10)]
        rows[2] = {"properties": {"hs_order_name": None}}
        rows[5] = "a row"
        report = client.report(box, lambda hub: hub.orders.create_all(rows))
        assert [outcome.index for outcome in report.outcomes if outcome.category == "INVALID_INPUT"] == [2, 5]
        assert (report.done, report.rejected, report.requests) == (8, 2, 1)

    def test_with_the_number_of_an_earlier_row_are_rejected_and_do_not_take_its_record(
        self, one_client: Client, unique_box: Sandbox
    ) -> None:
        rows = [*orders(3), *orders(3)]
        report = one_client.report(
            unique_box, lambda hub: hub.orders.create_all(rows, unique_property=NUMBER)
        )
        assert [outcome.status for outcome in report.outcomes] == ["done"] * 3 + ["rejected"] * 3
        assert_right(report.outcomes, unique_box)


class TestSharedMistakes:
    @pytest.mark.parametrize(
        "mistake",
        [
            {"hs_order_noet": "x"},
            {"hs_object_id": "1"},
            {"hs_currency_code": "EURO"},
            {"hs_tax": "12,50"},
            {"hubspot_owner_id": "me"},
            {"hs_order_noet": "x", "hs_currency_code": "EURO"},
        ],
    )
    @pytest.mark.parametrize("every", [1, 2, 50])
    def test_cost_few_requests_and_the_other_rows_arrive(
        self, one_client: Client, box: Sandbox, mistake: dict[str, str], every: int
    ) -> None:
        rows = [
            {
                "id": id_,
                "properties": {"hs_currency_code": "EUR", "hs_tax": "9"} | ({} if row % every else mistake),
            }
            for row, id_ in enumerate(created(box, 100))
        ]
        report = one_client.report(box, lambda hub: hub.orders.update_all(rows))
        assert [outcome.ok for outcome in report.outcomes] == [bool(row % every) for row in range(100)]
        assert not report.unknown
        assert report.requests <= 4
        reasons = {outcome.why for outcome in report.outcomes if not outcome.ok}
        assert {reason.partition(":")[0] for why in reasons for reason in why} == set(mistake)

    def test_of_an_update_by_a_property_that_is_not_unique_stop_the_run(
        self, client: Client, box: Sandbox
    ) -> None:
        rows = [{"id": str(row), "idProperty": "hs_order_note", "properties": {}} for row in range(300)]
        with pytest.raises(ConfigurationError, match="the account does not hold hs_order_note unique"):
            client.report(box, lambda hub: hub.orders.update_all(rows))
        stopped = client.stopped(box, lambda hub: hub.orders.update_all(rows, assume_unique=True))
        assert "the account does not hold hs_order_note unique" in str(stopped)
        assert stopped.report.requests <= 3
        assert not stopped.report.rejected

    def test_stop_a_create_of_many_rows(self, client: Client, box: Sandbox) -> None:
        rows = [{"properties": {"hs_order_name": "A", "colour": str(row)}} for row in range(2000)]
        with pytest.raises(BulkError, match="colour: PROPERTY_DOESNT_EXIST") as caught:
            client.report(box, lambda hub: hub.orders.create_all(rows))
        assert caught.value.report.requests == 3
        report = client.report(box, lambda hub: hub.orders.create_all(rows, keep_going=True))
        assert report.finished
        assert report.rejected == 2000


class TestMatching:
    @pytest.mark.parametrize("echo", [False, True])
    def test_records_find_their_rows_by_values_that_hubspot_writes_in_another_way(
        self, one_client: Client, *, echo: bool
    ) -> None:
        rows = [
            {"properties": {"hs_order_name": "A", "hs_total_price": f"{row}"}}
            for row in random.Random(1).sample(range(1000), 300)  # noqa: S311 - no secret
        ]
        with Sandbox(behaviour=Behaviour(echo_trace_ids=echo)) as box:
            report = one_client.report(box, lambda hub: hub.orders.create_all(rows))
            prices = {record.id: record.properties["hs_total_price"] for record in box.records("orders")}
        assert {row: prices[id_] for row, id_ in report.ids} == {
            index: f"{row['properties']['hs_total_price']}.00" for index, row in enumerate(rows)
        }

    def test_rows_that_cannot_be_told_apart_are_done_without_an_id(
        self, one_client: Client, box: Sandbox
    ) -> None:
        rows = orders(100)
        for row in range(10, 50):
            rows[row] = {"properties": {"hs_order_name": "same", "hs_total_price": "9" if row % 2 else "9.0"}}
        report = one_client.report(box, lambda hub: hub.orders.create_all(rows))
        assert report.done == len(box.records("orders")) == 100
        assert [outcome.index for outcome in report.outcomes if outcome.id is None] == list(range(10, 50))
        stored = {record.id: record.properties.get(NUMBER) for record in box.records("orders")}
        assert all(stored[id_] == f"X-{row}" for row, id_ in report.ids)

    def test_they_have_their_ids_where_hubspot_repeats_the_trace_id(self, one_client: Client) -> None:
        rows = [{"properties": {"hs_order_name": "same"}}] * 100
        with Sandbox(behaviour=Behaviour(echo_trace_ids=True)) as box:
            report = one_client.report(box, lambda hub: hub.orders.create_all(rows))
            assert {id_ for _, id_ in report.ids} == {record.id for record in box.records("orders")}
        assert len(dict(report.ids)) == 100

    def test_trace_ids_of_the_caller_are_sent_as_they_are(self, one_client: Client, box: Sandbox) -> None:
        rows = [{**row, "objectWriteTraceId": "mine"} for row in orders(3)]
        rows[1]["properties"]["hs_tax"] = "nix"
        report = one_client.report(box, lambda hub: hub.orders.create_all(rows))
        assert rejected(report) == {1: ("hs_tax", "INVALID_LONG")}
        assert [entry.inputs for entry in box.requests] == [1, 1, 1]


LOST = {
    "500": "HTTP_500",
    "504-after": "HTTP_504",
    "reset-after": "NO_REPLY",
    "reset-middle": "NO_REPLY",
    "never-after": "TIMEOUT",
    "truncated": "UNREADABLE_REPLY",
    "503": "HTTP_503",
}
# Only what never comes is waited for.
TIMEOUTS = dict.fromkeys(LOST, 60.0) | {"never-after": 2.0}


@pytest.fixture
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy, "_FIRST_BACKOFF", 0.02)


@pytest.mark.usefixtures("_impatient")
@pytest.mark.parametrize("fault", LOST)
class TestLostAnswers:
    def test_leave_rows_unknown_that_could_be_doubled(self, client: Client, box: Sandbox, fault: str) -> None:
        box.faults.next(None, fault)
        report = client.report(
            box, lambda hub: hub.orders.create_all(orders(300), concurrency=1), timeout=TIMEOUTS[fault]
        )
        unknown = [outcome for outcome in report.outcomes if outcome.status == "unknown"]
        assert {(outcome.index, outcome.category) for outcome in unknown} == {
            (row, LOST[fault]) for row in range(100, 200)
        }
        assert (report.done, report.requests, report.retries) == (200, 3, 0)
        assert report.finished
        assert not report.ok
        doubled = [number for number, count in Counter(numbers(box).values()).items() if count > 1]
        assert doubled == []

    def test_are_looked_for_by_a_unique_property(
        self, client: Client, unique_box: Sandbox, fault: str
    ) -> None:
        unique_box.faults.next(None, fault)
        report = client.report(
            unique_box,
            lambda hub: hub.orders.create_all(orders(300), unique_property=NUMBER, settle_after=0),
            timeout=TIMEOUTS[fault],
        )
        assert (report.ok, report.actions) == (True, {"created": 300})
        resent = fault == "503"
        assert (report.requests, report.retries, report.looks) == (3 + resent, resent, 1)
        assert {id_: f"X-{row}" for row, id_ in report.ids} == numbers(unique_box)

    def test_to_updates_are_asked_for_again(self, one_client: Client, box: Sandbox, fault: str) -> None:
        rows = [{"id": id_, "properties": {"hs_order_note": id_}} for id_ in created(box, 150)]
        box.faults.next(fault)
        report = one_client.report(box, lambda hub: hub.orders.update_all(rows), timeout=TIMEOUTS[fault])
        assert report.ok
        assert (report.requests, report.retries) == (3, 1)
        assert dict(report.ids) == {index: row["id"] for index, row in enumerate(rows)}
        assert all(record.properties["hs_order_note"] == record.id for record in box.records("orders"))


@pytest.mark.usefixtures("_impatient")
@pytest.mark.parametrize("fault", ["504-after", "504-before"])
def test_a_row_sent_again_does_not_take_the_record_of_a_row_with_the_same_number(
    client: Client, unique_box: Sandbox, fault: str
) -> None:
    unique_box.faults.next(None, fault)
    rows = [*orders(3), *orders(3)]
    report = client.report(unique_box, lambda hub: hub.orders.create_all(rows, unique_property=NUMBER))
    assert [outcome.status for outcome in report.outcomes] == ["done"] * 3 + ["rejected"] * 3
    ids = {id_: f"X-{row}" for row, id_ in report.ids}
    assert ids.items() <= numbers(unique_box).items()
    assert len(numbers(unique_box)) == 3


def test_waiting_for_the_quota_costs_no_row(client: Client, unique_box: Sandbox) -> None:
    unique_box.faults.next("429-ten-secondly=1", None, "423=0.1")
    report = client.report(unique_box, lambda hub: hub.orders.create_all(orders(500)))
    assert report.ok
    assert (report.rate_limited, report.retries, report.requests) == (1, 2, 7)
    assert_right(report.outcomes, unique_box)


class Day:
    """A sandbox that can be ended and begun again: its address and its records stay."""

    def __init__(self, folder: Path) -> None:
        self._store = folder / "box.sqlite"
        self._port = 0

    @contextmanager
    def begin(self, **options: Any) -> Generator[Sandbox, None, None]:  # noqa: ANN401
        with Sandbox(port=self._port, store=self._store, **options) as box:
            self._port = int(box.url.rpartition(":")[2])
            yield box


@pytest.fixture
def day(tmp_path: Path) -> Day:
    return Day(tmp_path)


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "orders.run"


def assert_finishes(client: Client, box: Sandbox, rows: Sequence[object], **options: Any) -> Report:  # noqa: ANN401
    """Check that the run can be started again and then does what was left."""
    report = client.report(box, lambda hub: hub.orders.create_all(rows, **options))
    assert report.ok
    assert report.done == len(rows)
    assert_right(report.outcomes, box)
    return report


class TestWhatStopsARun:
    def test_the_end_of_the_daily_requests(self, client: Client, day: Day, journal: Path) -> None:
        rows = orders(1000)
        with day.begin(quota="190/10,3") as box:
            error = client.stopped(box, lambda hub: hub.orders.create_all(rows, journal=journal))
            assert len(box.records("orders")) == 300

        assert isinstance(error.__cause__, RateLimitError)
        assert error.__cause__.daily
        assert "reset at midnight in the account's time zone" in str(error)
        assert str(error).endswith("; start it again to go on")
        report = error.report
        assert (report.done, report.rejected, report.unknown) == (300, 0, 0)
        assert report.pending == report.read - 300
        assert not report.finished
        with day.begin() as box:
            rest = assert_finishes(client, box, rows, journal=journal)
        assert rest.requests == 7

    def test_a_token_that_is_not_accepted(self, client: Client, box: Sandbox, journal: Path) -> None:
        rows = orders(500)
        options = {"journal": journal, "account": "shop"}
        error = client.stopped(box, lambda hub: hub.orders.create_all(rows, **options), access_token="nix")
        assert isinstance(error.__cause__, AuthenticationError)
        assert "HTTP 401" in str(error)
        self._assert_nothing_happened(error, box)
        assert_finishes(client, box, rows, **options)

    def test_a_scope_that_is_missing(self, client: Client, day: Day, journal: Path) -> None:
        rows = orders(500)
        with day.begin(scopes=[]) as box:
            error = client.stopped(box, lambda hub: hub.orders.create_all(rows, journal=journal))
            self._assert_nothing_happened(error, box)
        assert isinstance(error.__cause__, PermissionDeniedError)
        assert "crm.objects.orders.write" in str(error)
        with day.begin() as box:
            assert_finishes(client, box, rows, journal=journal)

    @staticmethod
    def _assert_nothing_happened(error: BulkError, box: Sandbox) -> None:
        """Check that no more has left than at once, and that no row is judged by the answer."""
        assert 1 <= len(box.requests) <= 4
        assert box.records("orders") == []
        assert list(error.report.outcomes) == []
        assert error.report.pending == error.report.read > 0

    def test_a_server_that_cannot_be_reached(self, client: Client, day: Day, journal: Path) -> None:
        rows = orders(500)
        with day.begin() as box:
            url = box.url
        error = client.stopped(url, lambda hub: hub.orders.create_all(rows, journal=journal), retries=0)
        assert isinstance(error.__cause__, ConnectionFailedError)
        assert not error.__cause__.maybe_written
        assert "check base_url, network and proxy" in str(error)
        assert list(error.report.outcomes) == []
        with day.begin() as box:
            assert_finishes(client, box, rows, journal=journal)

    def test_ten_failures_in_a_row(self, client: Client, box: Sandbox, journal: Path) -> None:
        box.faults.set("503", 1.0)
        error = client.stopped(
            box, lambda hub: hub.orders.create_all(orders(5000), journal=journal, concurrency=1)
        )
        assert isinstance(error.__cause__, ServerError)
        assert "HTTP 503" in str(error)
        assert error.report.requests == len(box.requests) == 10
        assert (error.report.done, error.report.rejected, error.report.unknown) == (0, 0, 1000)

        box.faults.clear()
        report = client.report(box, lambda hub: hub.orders.create_all(orders(5000), journal=journal))
        assert (report.done, report.unknown) == (4000, 1000)
        assert report.reasons == {"HTTP_503": 1000}

    def test_nothing_but_failures_in_a_row(self, client: Client, box: Sandbox) -> None:
        box.faults.next(*(["503"] * 9 + [None]) * 2)
        report = client.report(box, lambda hub: hub.orders.create_all(orders(2500), concurrency=1))
        assert (report.done, report.unknown) == (700, 1800)

    def test_a_source_that_fails(self, client: Client, box: Sandbox, journal: Path) -> None:
        rows = orders(1000)

        def failing() -> Iterator[dict[str, Any]]:
            yield from rows[:250]
            raise ValueError("secret")

        error = client.stopped(box, lambda hub: hub.orders.create_all(failing(), journal=journal))
        assert isinstance(error.__cause__, ValueError)
        assert str(error) == "the run stopped: ValueError was raised; start it again to go on"
        report = error.report
        assert report.read == 250
        assert report.done == 100 * len(box.requests)
        assert (report.rejected, report.unknown) == (0, 0)
        assert_right(report.outcomes, box)
        assert_finishes(client, box, rows, journal=journal)

    def test_it_says_that_it_cannot_go_on_without_a_journal(self, client: Client, box: Sandbox) -> None:
        box.faults.set("429-daily", 1.0)
        error = client.stopped(box, lambda hub: hub.orders.create_all(orders(100)))
        assert str(error).endswith("; without a journal it cannot go on")


def endless() -> Iterator[CreateInput]:
    """Yield more rows than any test takes."""
    for row in range(1_000_000):
        yield {"properties": {"hs_order_name": f"A-{row}", NUMBER: f"X-{row}"}}


def wait_for_requests(box: Sandbox, count: int) -> None:
    deadline = time.monotonic() + 10
    while len(box.requests) < count:
        assert time.monotonic() < deadline
        time.sleep(0.001)


def wait_until_free(journal: Path) -> None:
    deadline = time.monotonic() + 10
    while True:
        try:
            list(read_outcomes(journal))
        except JournalInUseError:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        else:
            return


class TestLeavingAStream:
    """What was in flight is written down, nothing leaves after, and the run can go on."""

    @pytest.fixture
    def box(self) -> Iterator[Sandbox]:
        with Sandbox(faults={"slow=0.1": 1.0}) as box:
            yield box

    @staticmethod
    def assert_left(box: Sandbox, journal: Path) -> None:
        sent = len(box.requests)
        time.sleep(0.25)
        assert len(box.requests) == sent
        outcomes = list(read_outcomes(journal))
        assert len(outcomes) == 100 * sent > 0
        assert_right(outcomes, box)
        box.faults.clear()
        rows = orders(3000)
        report = assert_finishes(Client(HubSpot), box, rows, journal=journal)
        assert report.requests == 30 - sent

    def test_with_close(self, box: Sandbox, journal: Path) -> None:
        with HubSpot(box.access_token, base_url=box.url) as hub:
            stream = hub.orders.stream_create(endless(), journal=journal)
            for _ in stream:
                break
            stream.close()
            assert list(stream) == []
            self.assert_left(box, journal)

    def test_at_the_end_of_its_block(self, box: Sandbox, journal: Path) -> None:
        with HubSpot(box.access_token, base_url=box.url) as hub:
            with hub.orders.stream_create(endless(), journal=journal) as stream:
                for outcome in stream:
                    if outcome.index > 200:
                        break
            assert stream.report.read > stream.report.done > 200
            self.assert_left(box, journal)

    def test_with_an_exception(self, box: Sandbox, journal: Path) -> None:
        def leave(hub: HubSpot) -> None:
            with hub.orders.stream_create(endless(), journal=journal) as stream:
                for outcome in stream:
                    outcome.index / 0

        with HubSpot(box.access_token, base_url=box.url) as hub:
            with pytest.raises(ZeroDivisionError):
                leave(hub)
            self.assert_left(box, journal)

    def test_and_forgetting_it(self, box: Sandbox, journal: Path) -> None:
        with HubSpot(box.access_token, base_url=box.url) as hub:
            for _ in hub.orders.stream_create(endless(), journal=journal):
                break
            self.assert_left(box, journal)

    def test_with_an_exception_without_a_block(self, box: Sandbox, journal: Path) -> None:
        with HubSpot(box.access_token, base_url=box.url) as hub:
            with suppress(ZeroDivisionError):
                for outcome in hub.orders.stream_create(endless(), journal=journal):
                    outcome.index / 0
            self.assert_left(box, journal)

    def test_when_the_garbage_collector_finds_it_in_another_thread(self, box: Sandbox, journal: Path) -> None:
        with HubSpot(box.access_token, base_url=box.url) as hub:
            held = [hub.orders.stream_create(endless(), journal=journal)]
            next(held[0])
            thread = threading.Thread(target=held.clear)
            thread.start()
            thread.join()
            # The collector waits for nothing: another thread may need what this one holds.
            wait_until_free(journal)
            self.assert_left(box, journal)

    @pytest.mark.parametrize("count", [300, 1_000_000], ids=["in its source", "in flight"])
    def test_with_close_in_another_thread(self, box: Sandbox, journal: Path, count: int) -> None:
        go_on = threading.Event()

        def rows() -> Iterator[CreateInput]:
            yield from islice(endless(), count)
            go_on.wait()
            yield from endless()

        with HubSpot(box.access_token, base_url=box.url) as hub, ThreadPoolExecutor() as threads:
            stream = hub.orders.stream_create(rows(), journal=journal, concurrency=2)
            reader = threads.submit(list, stream)
            wait_for_requests(box, 3)
            stream.close()
            # The reader is not waited for: its source may never come back.
            self.assert_left(box, journal)
            go_on.set()
            assert len(reader.result(10)) % 100 == 0
            assert list(stream) == []

    def test_with_close_by_its_own_source(self, box: Sandbox, journal: Path) -> None:
        def rows() -> Iterator[CreateInput]:
            yield from islice(endless(), 250)
            wait_for_requests(box, 1)
            held[0].close()
            yield from endless()

        with HubSpot(box.access_token, base_url=box.url) as hub:
            held = [hub.orders.stream_create(rows(), journal=journal)]
            assert len(list(held[0])) <= 200
            self.assert_left(box, journal)

    @pytest.mark.parametrize("count", [150, 250, 350, 450, 550])
    def test_while_others_wait_for_the_disk(
        self, journal: Path, monkeypatch: pytest.MonkeyPatch, count: int
    ) -> None:
        async def run_sync(*args: Any, **options: Any) -> None:  # noqa: ANN401
            await anyio.sleep(0.02)
            await anyio.to_thread.run_sync(*args, **options)

        monkeypatch.setattr(writer, "to_thread", SimpleNamespace(run_sync=run_sync))
        with (
            Sandbox(quota="none", faults={"slow=0.02": 1.0}) as box,
            HubSpot(box.access_token, base_url=box.url, quota=Quota(10_000, 1.0)) as hub,
            hub.orders.stream_create(endless(), journal=journal) as stream,
        ):
            for _ in islice(stream, count):
                pass
            stream.close()
            assert_right(read_outcomes(journal), box)

    def test_before_it_began(self, box: Sandbox, journal: Path) -> None:
        with HubSpot(box.access_token, base_url=box.url) as hub:
            hub.orders.stream_create(endless(), journal=journal).close()
            with hub.orders.stream_create(endless(), journal=journal):
                pass
            hub.orders.stream_create(endless(), journal=journal)
            gc.collect()
            assert not box.requests
            assert_finishes(Client(HubSpot), box, orders(10), journal=journal)


LEFT_OPEN = """
import os, sys
from hubspot_batch import HubSpot
from hubspot_batch.errors import ConfigurationError

hub = HubSpot("sandbox-token", base_url=sys.argv[1])
rows = ({"properties": {"hs_order_name": f"A-{row}"}} for row in range(1_000_000))
stream = hub.orders.stream_create(rows, journal=sys.argv[2])
next(stream)
if sys.argv[3] == "fork":
    if os.fork() == 0:
        stream.close()
        try:
            for _ in stream:
                pass
        except ConfigurationError as error:
            print(error)
        del stream
        sys.exit()
    os.wait()
    next(stream)
    print(stream.report.done)
"""


class TestAProcessThatEndsOrForks:
    @pytest.fixture
    def box(self) -> Iterator[Sandbox]:
        with Sandbox(faults={"slow=0.1": 1.0}) as box:
            yield box

    @staticmethod
    def run(box: Sandbox, journal: Path, how: str) -> list[str]:
        program = [sys.executable, "-c", LEFT_OPEN, box.url, str(journal), how]
        done = subprocess.run(program, capture_output=True, text=True, timeout=60, check=True)
        assert done.stderr == ""
        return done.stdout.splitlines()

    def test_a_process_ends_with_a_stream_that_nobody_has_closed(self, box: Sandbox, journal: Path) -> None:
        assert self.run(box, journal, "end") == []
        assert len(list(read_outcomes(journal))) == 100 * len(box.requests) > 0

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
    @pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
    def test_a_forked_process_has_no_part_in_the_run(self, box: Sandbox, journal: Path) -> None:
        refusal, done = self.run(box, journal, "fork")
        assert refusal.startswith("the run belongs to the process that began it, and this one was forked")
        assert int(done) >= 100
        assert len(list(read_outcomes(journal))) == 100 * len(box.requests) > 0


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
class TestLeavingAnAsyncStream:
    @pytest.fixture
    def box(self) -> Iterator[Sandbox]:
        with Sandbox(faults={"slow=0.1": 1.0}) as box:
            yield box

    @staticmethod
    def run(box: Sandbox, backend: str, journal: Path, leave: Callable[[Any], Awaitable[object]]) -> None:
        """Leave a stream in one way, and check what has become of it while its event loop still runs."""

        async def main() -> None:
            async with AsyncHubSpot(box.access_token, base_url=box.url) as hub:
                await leave(hub.orders)
                await anyio.to_thread.run_sync(TestLeavingAStream.assert_left, box, journal)

        anyio.run(main, backend=backend)

    def test_with_close(self, box: Sandbox, journal: Path, backend: str) -> None:
        async def leave(orders: Any) -> None:  # noqa: ANN401
            stream = orders.stream_create(endless(), journal=journal)
            async for _ in stream:
                break
            await stream.close()
            assert [outcome async for outcome in stream] == []

        self.run(box, backend, journal, leave)

    def test_at_the_end_of_its_block(self, box: Sandbox, journal: Path, backend: str) -> None:
        async def leave(orders: Any) -> None:  # noqa: ANN401
            async with orders.stream_create(endless(), journal=journal) as stream:
                async for outcome in stream:
                    if outcome.index > 200:
                        break

        self.run(box, backend, journal, leave)

    def test_with_an_exception(self, box: Sandbox, journal: Path, backend: str) -> None:
        async def fail(orders: Any) -> None:  # noqa: ANN401
            async with orders.stream_create(endless(), journal=journal) as stream:
                async for outcome in stream:
                    outcome.index / 0

        async def leave(orders: Any) -> None:  # noqa: ANN401
            with pytest.raises(ZeroDivisionError):
                await fail(orders)

        self.run(box, backend, journal, leave)

    @pytest.mark.parametrize("count", [1, 6])
    def test_by_being_cancelled(self, box: Sandbox, journal: Path, backend: str, count: int) -> None:
        async def leave(orders: Any) -> None:  # noqa: ANN401
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(partial(orders.create_all, endless(), journal=journal))
                with anyio.fail_after(10):
                    while len(box.requests) < count:  # noqa: ASYNC110 - the sandbox has no event
                        await anyio.sleep(0.001)
                tasks.cancel_scope.cancel()

        self.run(box, backend, journal, leave)

    @pytest.mark.filterwarnings("ignore:Async generator:ResourceWarning")
    def test_and_forgetting_it(self, box: Sandbox, journal: Path, backend: str) -> None:
        async def leave(orders: Any) -> None:  # noqa: ANN401
            async for _ in orders.stream_create(endless(), journal=journal):
                break
            await anyio.to_thread.run_sync(wait_until_free, journal)

        self.run(box, backend, journal, leave)

    @pytest.mark.filterwarnings("ignore:Async generator:ResourceWarning")
    def test_and_forgetting_it_in_another_thread(self, box: Sandbox, journal: Path, backend: str) -> None:
        async def leave(orders: Any) -> None:  # noqa: ANN401
            held = [orders.stream_create(endless(), journal=journal)]
            await anext(held[0])
            await anyio.to_thread.run_sync(held.clear)
            await anyio.to_thread.run_sync(wait_until_free, journal)

        self.run(box, backend, journal, leave)

    @pytest.mark.filterwarnings("ignore:Async generator:ResourceWarning")
    @pytest.mark.parametrize("count", [300, 1_000_000], ids=["in its source", "in flight"])
    def test_with_close_in_another_task(self, box: Sandbox, journal: Path, backend: str, count: int) -> None:
        async def leave(orders: Any) -> None:  # noqa: ANN401
            go_on = anyio.Event()

            async def rows() -> AsyncIterator[CreateInput]:
                for row in islice(endless(), count):
                    yield row
                await go_on.wait()
                yield {"properties": {"hs_order_name": "late"}}

            told: list[Outcome] = []

            async def read() -> None:
                told.extend([outcome async for outcome in stream])

            stream = orders.stream_create(rows(), journal=journal, concurrency=2)
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(read)
                await anyio.to_thread.run_sync(wait_for_requests, box, 3)
                await stream.close()
                assert box.faults.count == len(box.requests)
                go_on.set()
            assert len(told) % 100 == 0
            assert [outcome async for outcome in stream] == []

        self.run(box, backend, journal, leave)

    def test_two_tasks_may_share_it(self, box: Sandbox, journal: Path, backend: str) -> None:
        async def main() -> None:
            indexes: list[int] = []

            async def read() -> None:
                indexes.extend([outcome.index async for outcome in stream])

            async with AsyncHubSpot(box.access_token, base_url=box.url) as hub:
                stream = hub.orders.stream_create(islice(endless(), 1000), journal=journal)
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(read)
                    tasks.start_soon(read)
            assert sorted(indexes) == list(range(1000))

        anyio.run(main, backend=backend)

    def test_before_it_began(self, box: Sandbox, journal: Path, backend: str) -> None:
        async def main() -> None:
            async with AsyncHubSpot(box.access_token, base_url=box.url) as hub:
                await hub.orders.stream_create(endless(), journal=journal).close()
                async with hub.orders.stream_create(endless(), journal=journal):
                    pass
                hub.orders.stream_create(endless(), journal=journal)
                gc.collect()

        anyio.run(main, backend=backend)
        assert not box.requests
        assert_finishes(Client(HubSpot), box, orders(10), journal=journal)


class TestSources:
    def test_a_cursor_of_sqlite3(self, client: Client, box: Sandbox) -> None:
        with closing(sqlite3.connect(":memory:")) as shop:
            shop.execute("create table orders (hs_order_name text, hs_external_order_id text, hs_tax real)")
            rows = [(f"A-{row}", f"X-{row}", row / 4 if row % 2 else None) for row in range(250)]
            shop.executemany("insert into orders values (?, ?, ?)", rows)
            report = client.report(
                box, lambda hub: hub.orders.create_all(shop.execute("select * from orders order by rowid"))
            )
        assert report.ok
        assert report.total is None
        assert_right(report.outcomes, box)
        taxes = {
            record.properties[NUMBER]: record.properties.get("hs_tax") for record in box.records("orders")
        }
        assert taxes == {f"X-{row}": f"{row / 4:.2f}" if row % 2 else None for row in range(250)}

    def test_a_cursor_of_sqlite3_whose_column_names_the_records(
        self, client: Client, unique_box: Sandbox
    ) -> None:
        created(unique_box, 150)
        with closing(sqlite3.connect(":memory:")) as shop:
            shop.execute("create table orders (hs_external_order_id text, hs_order_note text)")
            shop.executemany(
                "insert into orders values (?, ?)", [(f"X-{row}", f"{row}") for row in range(150)]
            )
            report = client.report(
                unique_box,
                lambda hub: hub.orders.update_all(shop.execute("select * from orders"), id_property=NUMBER),
            )
        assert report.ok
        for record in unique_box.records("orders"):
            assert record.properties[NUMBER] == f"X-{record.properties['hs_order_note']}"

    def test_a_table_of_pyarrow(self, client: Client, box: Sandbox) -> None:
        pa = pytest.importorskip("pyarrow")
        table = pa.table(
            {
                "hs_order_name": [f"A-{row}" for row in range(250)],
                NUMBER: [f"X-{row}" for row in range(250)],
                "hs_total_price": [None if row % 2 else Decimal(row) / 4 for row in range(250)],
                "hs_external_created_date": [datetime(2026, 9, 1, 8, 15, tzinfo=UTC)] * 250,
            }
        )
        report = client.report(box, lambda hub: hub.orders.create_all(table))
        assert report.ok
        assert report.total == 250
        assert_right(report.outcomes, box)
        stored = {record.properties[NUMBER]: record.properties for record in box.records("orders")}
        assert stored["X-10"]["hs_total_price"] == "2.50"
        assert "hs_total_price" not in stored["X-11"]
        assert stored["X-11"]["hs_external_created_date"] == "2026-09-01T08:15:00Z"

    @pytest.mark.parametrize("backend", ["asyncio", "trio"])
    def test_an_asynchronous_generator(self, box: Sandbox, backend: str) -> None:
        async def rows() -> AsyncIterator[dict[str, Any]]:
            for row in orders(250):
                await anyio.lowlevel.checkpoint()
                yield row

        report = Client(AsyncHubSpot, backend).report(box, lambda hub: hub.orders.create_all(rows()))
        assert report.ok
        assert_right(report.outcomes, box)

    def test_an_asynchronous_one_is_refused_by_the_synchronous_client(self, box: Sandbox) -> None:
        async def rows() -> AsyncIterator[dict[str, Any]]:
            yield {}

        with pytest.raises(ConfigurationError, match="rows that come asynchronously need AsyncHubSpot"):
            Client(HubSpot).report(box, lambda hub: hub.orders.create_all(rows()))
        assert not box.requests

    def test_no_more_is_read_than_is_in_flight(self, client: Client, box: Sandbox) -> None:
        box.faults.set("slow=0.1", 1.0)
        most = 0

        def watch(progress: Progress) -> None:
            nonlocal most
            most = max(most, progress.pending)

        report = client.report(
            box, lambda hub: hub.orders.create_all(iter(orders(3000)), concurrency=2, on_progress=watch)
        )
        assert report.ok
        # Two on their way, one that waits for either of them, and one that was just read.
        assert 200 <= most <= 400

    def test_the_synchronous_client_works_where_an_event_loop_runs(self, box: Sandbox) -> None:
        async def cell() -> Report:
            return Client(HubSpot).report(box, lambda hub: hub.orders.create_all(orders(250)))

        report = asyncio.run(cell())
        assert report.ok
        assert_right(report.outcomes, box)


class TestQuota:
    """What is refused for the quota is not lost, but each time costs a pause."""

    @staticmethod
    def assert_kept(quota: str, push: Callable[[Sandbox], Sequence[Report]]) -> None:
        """Check that no request is refused. A machine that is busy elsewhere gets four more attempts."""
        for _ in range(5):
            with Sandbox(quota=quota) as box:
                reports = push(box)
                came = Counter(entry.status for entry in box.requests)
            assert all(report.ok for report in reports)
            if came[429] == sum(report.rate_limited for report in reports) == 0:
                return
        pytest.fail(f"{came[429]} requests were refused")

    def test_a_run_keeps_to_it(self, client: Client) -> None:
        self.assert_kept(
            "20/1", lambda box: [client.report(box, lambda hub: hub.carts.create_all(carts(60)))]
        )

    def test_a_token_that_comes_late_costs_nothing(self, client: Client) -> None:
        def push(box: Sandbox) -> list[Report]:
            delays = chain([0.4], repeat(0.0))

            def token() -> str:
                time.sleep(next(delays))
                return "sandbox-token"

            rows = carts(60)
            return [
                client.report(box, lambda hub: hub.carts.create_all(rows, concurrency=1), access_token=token)
            ]

        self.assert_kept("20/1", push)

    def test_a_disk_that_hesitates_costs_nothing(
        self, client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write = Journal.write

        def push(box: Sandbox) -> list[Report]:
            delays = chain([0.4], repeat(0.0))

            def hesitate(self: Journal, entries: Iterable[Entry]) -> None:
                time.sleep(next(delays))
                write(self, entries)

            monkeypatch.setattr(Journal, "write", hesitate)
            rows, journal = carts(60), tmp_path / box.url.rpartition(":")[2]
            return [
                client.report(box, lambda hub: hub.carts.create_all(rows, concurrency=1, journal=journal))
            ]

        self.assert_kept("20/1", push)

    def test_two_clients_with_the_same_token_keep_to_it_together(self) -> None:
        def push(box: Sandbox) -> list[Report]:
            with ThreadPoolExecutor(2) as threads:
                return list(
                    threads.map(
                        lambda client: client.report(box, lambda hub: hub.carts.create_all(carts(30))),
                        [Client(HubSpot), Client(AsyncHubSpot)],
                    )
                )

        self.assert_kept("20/1", push)


def carts(requests: int) -> list[dict[str, Any]]:
    """Return rows that fill this many requests."""
    return [{"properties": {"hs_cart_name": f"{row}"}} for row in range(requests * 100)]


class TestResuming:
    @pytest.fixture
    def done(self, box: Sandbox, journal: Path) -> Report:
        """A run that has ended."""
        return Client(HubSpot).report(box, lambda hub: hub.orders.create_all(orders(250), journal=journal))

    @pytest.fixture
    def halted(self, journal: Path, box: Sandbox) -> Report:
        """A run whose first 100 rows are done."""
        box.faults.next(None, "429-daily")
        return (
            Client(HubSpot)
            .stopped(box, lambda hub: hub.orders.create_all(orders(250), journal=journal, concurrency=1))
            .report
        )

    def test_a_run_that_has_ended_sends_nothing(
        self, client: Client, box: Sandbox, journal: Path, done: Report
    ) -> None:
        sent = len(box.requests)
        again = client.report(box, lambda hub: hub.orders.create_all(orders(250), journal=journal))
        assert len(box.requests) == sent
        assert again.requests == 0
        assert again.ok
        assert list(again.outcomes) == list(done.outcomes) == list(read_outcomes(journal))

    def test_a_stream_yields_what_was_done_before(
        self, client: Client, box: Sandbox, journal: Path, halted: Report
    ) -> None:
        assert halted.done == 100
        outcomes = client.outcomes(box, lambda hub: hub.orders.stream_create(orders(250), journal=journal))
        assert sorted(outcome.index for outcome in outcomes) == list(range(250))
        assert_right(outcomes, box)

    @pytest.mark.usefixtures("halted")
    def test_a_run_may_go_on_over_a_source_that_has_grown(
        self, client: Client, box: Sandbox, journal: Path
    ) -> None:
        assert_finishes(client, box, orders(400), journal=journal)

    @pytest.mark.usefixtures("halted")
    @pytest.mark.parametrize("row", [0, 99, 150])
    def test_a_row_that_has_changed_is_refused_before_anything_is_sent(
        self, one_client: Client, box: Sandbox, journal: Path, row: int
    ) -> None:
        rows = orders(250)
        rows[row]["properties"]["hs_tax"] = "1"
        known = {outcome.index for outcome in read_outcomes(journal)}
        assert known == set(range(100))
        message = f"row {row} of the source is not what it was; start it over the same source"
        self._assert_refused(one_client, box, rows, message, journal=journal)

    @pytest.mark.usefixtures("halted")
    def test_a_source_with_fewer_rows_is_refused(
        self, one_client: Client, box: Sandbox, journal: Path
    ) -> None:
        message = "the source ends after 60 rows, but the journal knows 200"
        self._assert_refused(one_client, box, orders(60), message, journal=journal)

    @pytest.mark.usefixtures("done")
    @pytest.mark.parametrize("count", [251, 400])
    def test_a_source_with_more_rows_than_a_run_that_has_ended_is_refused(
        self, one_client: Client, box: Sandbox, journal: Path, count: int
    ) -> None:
        message = "the source has more than the 250 rows of the finished run"
        self._assert_refused(one_client, box, orders(count), message, journal=journal)

    @pytest.mark.usefixtures("halted")
    def test_another_account_is_refused(self, one_client: Client, box: Sandbox, journal: Path) -> None:
        message = "belongs to another account; if it is the same one with a new token, say account="
        self._assert_refused(one_client, box, orders(250), message, journal=journal, account="mine")
        sent = len(box.requests)
        with pytest.raises(JournalError, match="belongs to another account"):
            one_client.report(
                box, lambda hub: hub.orders.create_all(orders(250), journal=journal), access_token="nix"
            )
        assert len(box.requests) == sent

    @pytest.mark.usefixtures("halted")
    def test_another_service_is_refused(self, one_client: Client, journal: Path) -> None:
        with Sandbox() as other:
            message = "belongs to another service; take the base_url with which its run began"
            self._assert_refused(one_client, other, orders(250), message, journal=journal)

    @pytest.mark.usefixtures("halted")
    def test_another_operation_is_refused(self, one_client: Client, box: Sandbox, journal: Path) -> None:
        sent = len(box.requests)
        rows = [{"id": "1", "properties": {"hs_tax": "1"}}]
        with pytest.raises(JournalError, match="belongs to another operation; name the journal of this run"):
            one_client.report(box, lambda hub: hub.orders.update_all(rows, journal=journal))
        assert len(box.requests) == sent

    @staticmethod
    def _assert_refused(
        client: Client,
        box: Sandbox,
        rows: Sequence[object],
        message: str,
        **options: Any,  # noqa: ANN401
    ) -> None:
        sent, before = len(box.requests), box.records("orders")
        with pytest.raises((JournalError, SourceError), match=re.escape(message)):
            client.report(box, lambda hub: hub.orders.create_all(rows, **options))
        assert len(box.requests) == sent
        assert box.records("orders") == before

    def test_a_token_from_a_function_needs_a_name_for_the_account(
        self, one_client: Client, box: Sandbox, journal: Path
    ) -> None:
        with pytest.raises(ConfigurationError, match=r"name it with account=\.\.\."):
            one_client.report(
                box,
                lambda hub: hub.orders.create_all(orders(5), journal=journal),
                access_token=lambda: "sandbox-token",
            )

    def test_a_journal_serves_one_run_at_a_time(self, box: Sandbox, journal: Path) -> None:
        with (
            HubSpot(box.access_token, base_url=box.url) as hub,
            hub.orders.stream_create(endless(), journal=journal) as stream,
        ):
            next(stream)
            with pytest.raises(JournalInUseError, match="another run is using it"):
                hub.orders.create_all(endless(), journal=journal)

    def test_the_token_is_not_written_down(self, box: Sandbox, journal: Path, done: Report) -> None:
        assert done.ok
        assert box.access_token.encode() not in journal.read_bytes()


class TestProgress:
    def test_it_adds_up_all_the_way(self, client: Client, box: Sandbox) -> None:
        rows: list[object] = [*orders(1000)]
        spoil(rows, 7, seed=1)  # type: ignore[arg-type]
        rows[500] = "a row"
        box.faults.next(None, None, "504-after")
        told: list[Progress] = []
        report = client.report(box, lambda hub: hub.orders.create_all(rows, on_progress=told.append))

        assert len(told) >= 10
        for before, after in pairwise([Progress(total=1000), *told]):
            assert after.total == 1000
            assert after.pending >= 0
            assert after.done + after.rejected + after.unknown + after.pending == after.read
            for name in ("read", "done", "rejected", "unknown", "requests", "seconds"):
                assert getattr(after, name) >= getattr(before, name)
        last = told[-1]
        assert (last.read, last.pending, last.in_flight) == (1000, 0, 0)
        assert (last.unknown, last.requests) == (100, 10)
        assert last.done + last.rejected == 900
        for name in (
            "read",
            "done",
            "rejected",
            "unknown",
            "requests",
            "retries",
            "rate_limited",
            "in_flight",
        ):
            assert getattr(report, name) == getattr(last, name)
        assert sum(report.reasons.values()) == report.rejected + report.unknown
        assert Counter(outcome.status for outcome in report.outcomes) == Counter(
            {"done": report.done, "rejected": report.rejected, "unknown": report.unknown}
        )

    def test_the_log_tells_of_it_every_ten_seconds(
        self,
        client: Client,
        box: Sandbox,
        caplog: pytest.LogCaptureFixture,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        assert streams._SECONDS_BETWEEN_LINES == 10
        monkeypatch.setattr(streams, "_SECONDS_BETWEEN_LINES", 0.2)
        box.faults.set("slow=0.1", 1.0)
        with caplog.at_level(logging.INFO, "hubspot_batch"):
            report = client.report(box, lambda hub: hub.orders.create_all(orders(1000), concurrency=1))
        lines = [
            record.getMessage()
            for record in caplog.records
            if record.levelno == logging.INFO and record.name == "hubspot_batch"
        ]
        assert 3 <= len(lines) <= report.seconds / 0.2
        for line in lines:
            assert re.fullmatch(
                r"create_orders: \d+ rows: \d+ done, 0 rejected, 0 unknown"
                r"(, \d+ pending)?( \(\d+ of them sent\))?",
                line,
            )
