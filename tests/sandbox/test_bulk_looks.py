"""Rows in doubt are looked for: over a socket, in the sandbox and in a service whose clock is off."""

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

import anyio
import pytest

from hubspot_batch import AsyncHubSpot, HubSpot, Quota
from hubspot_batch.bulk import BulkError, Outcome, Report, _inquiry
from hubspot_batch.errors import ConfigurationError
from hubspot_batch.sandbox import Behaviour, Property, Sandbox
from hubspot_batch.transport import _retries

NUMBER = "hs_external_order_id"
UNIQUE = {"orders": {NUMBER: Property("text", unique=True)}}
LOOKING: dict[str, Any] = {"unique_property": NUMBER, "assume_unique": True, "settle_after": 0}
FAST = Quota(100_000, 1.0)
Row = dict[str, Any]


def orders(count: int, prefix: str = "X") -> list[Any]:
    return [{"properties": {"hs_order_name": f"A {row}", NUMBER: f"{prefix}-{row}"}} for row in range(count)]


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let what is sent again be sent at once."""
    monkeypatch.setattr(_retries, "_FIRST_BACKOFF", 0.01)


@pytest.fixture
def box() -> Iterator[Sandbox]:
    with Sandbox(quota="none", properties=UNIQUE) as box:
        yield box


def pushed(box: "Sandbox | Shop", rows: Iterable[Any], **options: Any) -> Report:  # noqa: ANN401
    """Return what a run comes to that looks at once."""
    with HubSpot("sandbox-token", base_url=box.url, quota=FAST) as hub:
        return hub.orders.create_all(rows, **{**LOOKING, **options})


def ids_of(box: Sandbox, rows: int) -> list[str]:
    """Return the ids of the records of the first rows."""
    known = ids(box)
    return [known[f"X-{row}"] for row in range(rows)]


def ids(box: Sandbox) -> dict[str | None, str]:
    """Return the ids of the records by their number; there is one of each."""
    records = box.records("orders")
    found = {record.properties[NUMBER]: record.id for record in records}
    assert len(found) == len(records)
    return found


def told(outcomes: Iterable[Outcome]) -> list[tuple[str, str | None, str | None]]:
    return [(outcome.status, outcome.action, outcome.id) for outcome in outcomes]


def paths(box: Sandbox) -> list[str]:
    return [request.path.rpartition("/")[2] for request in box.requests]


# Lost answers.


@pytest.mark.parametrize("kind", [HubSpot, AsyncHubSpot])
def test_rows_whose_answer_is_lost_are_looked_for_and_sent_again_only_if_they_are_not_there(
    box: Sandbox, kind: type[HubSpot | AsyncHubSpot]
) -> None:
    box.faults.next("504-after", None, "504-before", None)
    rows = orders(200)

    async def push() -> Report:
        async with AsyncHubSpot("sandbox-token", base_url=box.url, quota=FAST) as hub:
            return await hub.orders.create_all(rows, **LOOKING, concurrency=1)

    report = pushed(box, rows, concurrency=1) if kind is HubSpot else anyio.run(push)

    assert told(report.outcomes) == [("done", "created", id_) for id_ in ids_of(box, 200)]
    assert paths(box) == ["create", "read", "create", "read", "create"]
    assert (report.requests, report.looks, report.retries) == (3, 2, 1)


@pytest.mark.parametrize("fault", ["504-after", "504-before"])
def test_a_lost_answer_in_a_hundred_costs_two_requests_in_a_hundred_at_most(box: Sandbox, fault: str) -> None:
    box.faults.next(*[None] * 60, fault)
    report = pushed(box, orders(10_000))
    assert (report.ok, report.actions) == (True, {"created": 10_000})
    assert report.looks == 1
    assert report.requests + report.looks <= 102
    assert pushed(box, orders(300, "Y")).looks == 0


def test_a_record_that_is_found_late_is_neither_doubled_nor_rejected() -> None:
    with Sandbox(quota="none", properties=UNIQUE, behaviour=Behaviour(index_delay=1.0)) as box:
        box.faults.next("504-after")
        report = pushed(box, orders(100))
        assert told(report.outcomes) == [("done", "created", id_) for id_ in ids_of(box, 100)]


def test_odd_keys_are_looked_for_as_any_other(box: Sandbox) -> None:
    keys = [
        '"quoted"',
        "a;b",
        ";c",
        "it's",
        " blanks ",
        "x" * 65_536,
        "9",
        "9.00",
        "caf\u00e9",
        "CASE",
        "case",
        "\\",
        "%",
    ]
    rows = [{"properties": {NUMBER: key, "hs_order_name": str(index)}} for index, key in enumerate(keys)]
    box.faults.next("504-after")

    report = pushed(box, rows)

    assert Counter(outcome.status for outcome in report.outcomes) == {"done": len(keys)}
    names = {record.id: record.properties["hs_order_name"] for record in box.records("orders")}
    assert [names[id_] for _, id_ in report.ids] == [str(index) for index in range(len(keys))]


def test_a_token_that_may_not_read_leaves_rows_to_what_refusals_say() -> None:
    with Sandbox(quota="none", properties=UNIQUE, scopes=["crm.objects.orders.write"]) as box:
        box.faults.next("504-after")
        kept = pushed(box, orders(100), existing="keep")
        assert (kept.done, kept.actions, kept.looks) == (100, {"existing": 100}, 1)
        # An older record can have the value, and be somebody else's.
        box.faults.next("504-before")
        doubtful = pushed(box, orders(100))
        assert (doubtful.unknown, doubtful.looks) == (100, 1)
        assert {outcome.category for outcome in doubtful.outcomes} <= {"CONFLICT", "VALIDATION_ERROR"}
        assert all("could not be looked for" in str(outcome.message) for outcome in doubtful.outcomes)
        box.faults.next(*["504-before"] * 6)
        unknown = pushed(box, orders(1, "new"))
        (outcome,) = unknown.outcomes
        assert (outcome.status, outcome.category) == ("unknown", "HTTP_504")
        assert "could not be looked for: read_orders: HTTP 403 MISSING_SCOPES" in outcome.text


@pytest.mark.parametrize(
    ("form", "is_certain"),
    [
        ("coordinates", True),
        ("error type", True),
        ("code", True),
        ("conflict", False),
        ("conflict with id", False),
    ],
)
def test_a_token_that_may_not_read_keeps_rows_whose_refusal_names_the_property(
    form: str, *, is_certain: bool
) -> None:
    with Sandbox(
        quota="none",
        properties=UNIQUE,
        scopes=["crm.objects.orders.write"],
        behaviour=Behaviour(taken_values=(form,)),
    ) as box:
        assert pushed(box, orders(100)).ok
        known = ids(box)
        for rows in (orders(1), orders(100)):
            report = pushed(box, rows, existing="keep")
            assert report.looks == 1
            for outcome in report.outcomes:
                if is_certain:
                    id_ = None if form == "code" else known[f"X-{outcome.index}"]
                    assert told([outcome]) == [("done", "existing", id_)]
                else:
                    assert outcome.status == "rejected"
                    assert "could not be looked for" in outcome.text
                    assert "crm.objects.orders.read" in outcome.text
        # Two rows never become one record.
        twice = [*pushed(box, [*orders(1), *orders(1)], existing="keep").outcomes]
        assert twice[1].status == "rejected"
        (outcome,) = pushed(box, orders(1)).outcomes
        assert outcome.status == "rejected"
        assert "could not be looked for" in outcome.text


def test_a_look_that_fails_each_time_leaves_rows_to_what_refusals_say(
    box: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_inquiry, "_LEAST_WAIT", 0.01)
    for existing in ("keep", "reject"):
        box.faults.next("504-after", *["504-before"] * 25)
        report = pushed(box, orders(100, existing), existing=existing)
        found = report.done if existing == "keep" else report.unknown
        assert (found, report.looks, report.requests) == (100, 25, 2)


def test_a_look_that_fails_for_a_while_is_made_again(box: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_inquiry, "_LEAST_WAIT", 0.01)
    box.faults.next("504-after", *["504-before"] * 5)
    report = pushed(box, orders(100))
    assert (report.actions, report.looks, report.requests) == ({"created": 100}, 6, 1)


def test_a_service_that_is_down_stops_a_run_that_can_go_on(box: Sandbox, tmp_path: Path) -> None:
    box.faults.next(*["504-before"] * 1000)
    with pytest.raises(BulkError) as caught:
        pushed(box, orders(3000), journal=tmp_path / "orders.run")
    assert not caught.value.report.finished
    box.faults.clear()
    report = pushed(box, orders(3000), journal=tmp_path / "orders.run")
    assert report.done + report.unknown == 3000
    assert report.done == len(ids(box))


# Records that are there already.


def test_what_exists_is_rejected_with_its_id_or_kept_at_two_requests_for_a_hundred_rows(box: Sandbox) -> None:
    assert pushed(box, orders(300)).ok
    known = ids_of(box, 300)

    rejected, kept = pushed(box, orders(300)), pushed(box, orders(300), existing="keep")

    assert told(rejected.outcomes) == [("rejected", None, id_) for id_ in known]
    assert rejected.reasons == {"CONFLICT": 300}
    assert told(kept.outcomes) == [("done", "existing", id_) for id_ in known]
    assert (kept.ok, kept.actions) == (True, {"existing": 300})
    for report in (rejected, kept):
        assert report.requests + report.looks <= 6
    assert len(ids(box)) == 300


def test_among_new_rows_those_that_exist_are_told_apart(box: Sandbox) -> None:
    pushed(box, orders(50))

    report = pushed(box, orders(100), existing="keep")

    assert report.actions == {"existing": 50, "created": 50}
    assert dict(report.ids) == dict(enumerate(ids_of(box, 100)))


def test_the_others_of_a_batch_that_is_refused_are_sent_again_in_one_request() -> None:
    with Shop() as shop:
        rows = orders(100)
        for row in rows[::2]:
            shop.add(row["properties"])
        report = pushed(shop, rows, existing="keep")
        assert report.actions == {"existing": 50, "created": 50}
        assert (report.requests, report.looks) == (2, 1)
        assert dict(report.ids) == {row: shop.records[f"X-{row}"]["id"] for row in range(100)}


def test_a_run_that_breaks_off_can_begin_again_without_a_journal(box: Sandbox) -> None:
    def broken() -> Iterator[Row]:
        yield from orders(1000)[:777]
        raise LookupError

    box.faults.next(None, "504-after")
    with pytest.raises(BulkError):
        pushed(box, broken(), existing="keep")
    first = pushed(box, orders(1000), existing="keep")
    second = pushed(box, orders(1000), existing="keep")

    assert first.ok
    assert second.actions == {"existing": 1000}
    assert dict(first.ids) == dict(second.ids) == dict(enumerate(ids_of(box, 1000)))


def test_two_rows_with_one_key_are_never_one_record(box: Sandbox) -> None:
    rows = [*orders(3), *orders(3)]
    box.faults.next("504-after")
    for _ in range(2):
        report = pushed(box, rows, existing="keep")
        assert [outcome.status for outcome in report.outcomes] == ["done"] * 3 + ["rejected"] * 3
        assert [outcome.id for outcome in report.outcomes] == ids_of(box, 3) * 2


def test_runs_over_the_same_keys_at_once_double_nothing(box: Sandbox) -> None:
    for _ in range(3):
        box.faults.next(*["504-after", "504-before", None] * 3)
        with ThreadPoolExecutor() as pool:
            both = [*pool.map(lambda _: pushed(box, orders(500), existing="keep"), range(2))]
        for report in both:
            assert dict(report.ids) == dict(enumerate(ids_of(box, 500)))


def test_waiting_ends_when_something_ends_the_run(box: Sandbox) -> None:
    def broken() -> Iterator[Row]:
        yield from orders(100)
        while not box.requests:
            time.sleep(0.01)
        raise LookupError

    box.faults.next("504-before")
    with pytest.raises(BulkError) as caught:
        pushed(box, broken(), settle_after=600)
    assert (caught.value.report.pending, caught.value.report.unanswered) == (100, 100)


def test_waiting_ends_with_the_run(box: Sandbox) -> None:
    box.faults.next("504-before")
    began = time.monotonic()
    with (
        HubSpot("sandbox-token", base_url=box.url, quota=FAST) as hub,
        hub.orders.stream_create(orders(200), **{**LOOKING, "settle_after": 600}) as stream,
    ):
        next(stream)
    assert time.monotonic() - began < 60


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"existing": "skip"}, 'existing must be "reject" or "keep"'),
        ({"existing": "keep", "unique_property": None}, "needs a property by which a record is found"),
        ({"settle_after": -1}, "settle_after must be a number of seconds"),
        ({"settle_after": True}, "settle_after must be a number of seconds"),
    ],
)
def test_options_that_make_no_sense(box: Sandbox, options: dict[str, Any], problem: str) -> None:
    with pytest.raises(ConfigurationError, match=problem):
        pushed(box, [], **options)


# Whose record it is.


class Shop:
    """A service on a socket whose clock is off, and that loses answers of creates, by their number.

    Args:
        ahead: How many seconds its clock is ahead.
        dated: Whether its replies say what time it is.
        gateway_ahead: How many seconds more the clock is ahead that its replies tell.
    """

    def __init__(self, *, ahead: float = 0.0, dated: bool = True, gateway_ahead: float = 0.0) -> None:
        self.records: dict[str, Row] = {}
        self.creates = 0
        self.lost: dict[int, Callable[[], object]] = {}
        self.readable = True
        self.archived: dict[str, Row] = {}
        self.names_existing = True
        self.nameless = False
        self.reads: dict[str, int] = {}
        self.twice = self.silent = False
        self.ahead, self.dated, self.gateway_ahead = ahead, dated, gateway_ahead
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler_of(self))
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=[0.01]).start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def now(self) -> float:
        return time.time() + self.ahead

    def add(self, properties: Row, created: float | None = None) -> Row:
        """Keep a record that was made now, or at some time."""
        moment = datetime.fromtimestamp(self.now if created is None else created, UTC).isoformat()
        record = {
            "id": str(900 + len(self.records)),
            "properties": dict(properties),
            "createdAt": moment,
            "updatedAt": moment,
            "archived": False,
        }
        return self.records.setdefault(properties[NUMBER], record)

    def _found(self, records: dict[str, Row], values: Sequence[str]) -> tuple[int, Row]:
        kind = "live" if records is self.records else "archived"
        if not self.readable or kind in self.reads:
            return self.reads.get(kind, 401), {"status": "error", "message": "No."}
        found = [records[value] for value in values if value in records]
        missing = [value for value in values if value not in records]
        error = {
            "status": "error",
            "category": "OBJECT_NOT_FOUND",
            "message": "No.",
            "context": {"ids": missing},
        }
        twice = [record | {"id": "901"} for record in found if self.twice]
        return (207, _reply(found) | {"errors": [error]}) if missing else (200, _reply(found + twice))

    def answer(self, path: str, body: Row) -> tuple[int, Row] | None:
        path, _, query = path.partition("?")
        if path.endswith("/read"):
            return self._found(
                self.archived if query else self.records, [item["id"] for item in body["inputs"]]
            )
        self.creates += 1
        rows = [item["properties"] for item in body["inputs"]]
        if self.silent:
            return 201, _reply([])
        if any(row[NUMBER] in self.records or row["hs_order_name"] == "bad" for row in rows):
            return 400, {"status": "error", "category": "VALIDATION_ERROR", "message": "That does not work."}
        if (taken := next((row[NUMBER] for row in rows if row[NUMBER] in self.archived), None)) is not None:
            message = f"Cannot set PropertyValueCoordinates{{propertyName={NUMBER}, value={taken}}} on 1. "
            message += f"{self.archived[taken]['id']} already has that value."
            named = message if self.names_existing else "Taken."
            return 400, {"status": "error", "category": "VALIDATION_ERROR", "message": named}
        if self.creates in self.lost:
            self.lost[self.creates]()
            return None
        records = [self.add(row) for row in rows]
        return 201, _reply([record | {"properties": {}} for record in records] if self.nameless else records)


def _reply(results: Sequence[Row]) -> Row:
    moment = "2026-01-01T00:00:00Z"
    return {"status": "COMPLETE", "results": results, "startedAt": moment, "completedAt": moment}


def _handler_of(shop: Shop) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            answer = shop.answer(self.path, body)
            if answer is None:
                self.close_connection = True
                return
            content = json.dumps(answer[1]).encode()
            self.send_response_only(answer[0])
            if shop.dated:
                self.send_header("Date", formatdate(shop.now + shop.gateway_ahead, usegmt=True))
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_words: object) -> None:
            """Say nothing."""

    return Handler


ORDER = {"hs_order_name": "A", "hs_total_price": "9", NUMBER: "X"}


@pytest.mark.parametrize("ahead", [-20_000.0, 0.0, 20_000.0])
@pytest.mark.parametrize("dated", [True, False])
def test_the_record_of_a_lost_attempt_is_that_of_its_row_whatever_the_clocks_say(
    *, ahead: float, dated: bool
) -> None:
    with Shop(ahead=ahead, dated=dated) as shop:
        shop.lost[1] = lambda: shop.add({**ORDER, "hs_total_price": "9.00", "hs_order_name": "a "})
        assert told(pushed(shop, [{"properties": ORDER}]).outcomes) == [("done", "created", "900")]
        assert shop.creates == 1


def test_the_records_of_a_run_show_that_the_clock_of_a_gateway_is_wrong() -> None:
    rows = orders(200)
    with Shop(gateway_ahead=7_200.0) as shop:
        shop.lost[2] = lambda: [shop.add(row["properties"]) for row in rows[100:]]
        assert pushed(shop, rows, concurrency=1).actions == {"created": 200}
        assert shop.creates == 2


@pytest.mark.parametrize("ahead", [-20_000.0, 0.0, 20_000.0])
@pytest.mark.parametrize(
    ("properties", "seconds"),
    [
        # Somebody has changed it, or made it before.
        ({**ORDER, "hs_total_price": "10"}, 0),
        (ORDER, -60),
    ],
)
def test_a_record_that_the_attempt_cannot_have_made_is_not_claimed(
    ahead: float, properties: Row, seconds: int
) -> None:
    with Shop(ahead=ahead) as shop:
        shop.lost[1] = lambda: shop.add(properties, shop.now + seconds)
        report = pushed(shop, [{"properties": ORDER}])
        assert told(report.outcomes) == [("rejected", None, "900")]
        kept = pushed(shop, [{"properties": ORDER}], existing="keep")
        assert told(kept.outcomes) == [("done", "existing", "900")]


def test_a_record_that_is_gone_meanwhile_is_made_again() -> None:
    with Shop() as shop:
        shop.lost[1] = shop.records.clear
        assert told(pushed(shop, [{"properties": ORDER}]).outcomes) == [("done", "created", "900")]
        assert shop.creates == 2


@pytest.mark.parametrize("existing", ["keep", "reject"])
@pytest.mark.parametrize("is_lost", [True, False])
def test_a_value_that_an_archived_record_has_is_told_at_once(existing: str, *, is_lost: bool) -> None:
    rows = orders(100)
    with Shop() as shop:
        archived = {"X-7": {**shop.add(rows[7]["properties"]), "archived": True}}
        shop.records.clear()
        if is_lost:
            shop.lost[1] = lambda: shop.archived.update(archived)
        else:
            shop.archived.update(archived)
        began = time.monotonic()
        report = pushed(shop, rows, existing=existing, settle_after=2.0)
        # Where no refusal names a record, that is believed after 30 seconds.
        assert time.monotonic() - began < 30
        outcomes = [*report.outcomes]
        assert (report.done, report.rejected, len(shop.records)) == (99, 1, 99)
        assert (outcomes[7].id, outcomes[7].category) == ("900", "CONFLICT")
        assert (
            "an archived record has this value of hs_external_order_id: 900; restore it" in outcomes[7].text
        )


def test_an_archived_record_that_no_refusal_names_is_believed_in_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(_inquiry, "_LEAST_WAIT", 0.01)
    with Shop() as shop:
        archived = {"X": {**shop.add(ORDER), "archived": True}}
        shop.records.clear()
        shop.names_existing = False
        shop.lost[1] = lambda: shop.archived.update(archived)
        (outcome,) = pushed(shop, [{"properties": ORDER}]).outcomes
        assert told([outcome]) == [("rejected", None, "900")]
        assert "an archived record has this value" in outcome.text
        # A row that was never in doubt is what its refusal says.
        (outcome,) = pushed(shop, [{"properties": ORDER}]).outcomes
        assert (outcome.status, outcome.text) == ("rejected", "Taken.")


@pytest.mark.parametrize(("status", "problem"), [(403, "HTTP 403"), (401, None)])
def test_where_archived_records_cannot_be_read_a_row_remains_unknown(
    monkeypatch: pytest.MonkeyPatch, status: int, problem: str | None
) -> None:
    monkeypatch.setattr(_inquiry, "_LEAST_WAIT", 0.01)
    with Shop() as shop:
        archived = {"X": {**shop.add(ORDER), "archived": True}}
        shop.records.clear()
        shop.reads["archived"] = status
        shop.lost[1] = lambda: shop.archived.update(archived)
        if problem is None:
            with pytest.raises(BulkError, match="HTTP 401"):
                pushed(shop, [{"properties": ORDER}])
        else:
            (outcome,) = pushed(shop, [{"properties": ORDER}]).outcomes
            assert outcome.status == "unknown"
            assert problem in outcome.text


def test_a_record_that_is_archived_is_not_what_a_row_has_become() -> None:
    with Shop() as shop:
        shop.lost[1] = lambda: shop.add(ORDER).update(archived=True)
        assert told(pushed(shop, [{"properties": ORDER}]).outcomes) == [("rejected", None, "900")]


@pytest.mark.parametrize("ahead", [0.0, 7_200.0])
def test_what_a_reply_reports_without_saying_whose_it_is_is_found_whatever_the_clocks_say(
    ahead: float,
) -> None:
    rows = orders(100)
    with Shop(gateway_ahead=ahead) as shop:
        shop.nameless = True
        report = pushed(shop, rows)
        assert report.actions == {"created": 100}
        assert dict(report.ids) == {row: shop.records[f"X-{row}"]["id"] for row in range(100)}
        assert shop.creates == 1


def test_what_a_reply_reports_is_not_sent_again_where_it_cannot_be_looked_for() -> None:
    with Shop() as shop:
        shop.nameless = True
        shop.reads["live"] = 403
        report = pushed(shop, orders(100))
        assert {*told(report.outcomes)} == {("done", "created", None)}
        assert shop.creates == 1


@pytest.mark.parametrize(("status", "looks"), [(403, 1), (405, 5)])
def test_where_nothing_can_be_read_a_batch_that_is_refused_is_left_to_what_refusals_say(
    monkeypatch: pytest.MonkeyPatch, status: int, looks: int
) -> None:
    monkeypatch.setattr(_inquiry, "_LEAST_WAIT", 0.01)
    rows = orders(200)
    with Shop() as shop:
        shop.archived["X-7"] = {"id": "5"}
        shop.archived["X-107"] = {"id": "6"}
        shop.reads["live"] = status
        kept = pushed(shop, rows, existing="keep", concurrency=1)
        assert (kept.actions, kept.looks) == ({"created": 198, "existing": 2}, looks)
        assert (kept.requests, len(shop.records)) == (4, 198)


def test_two_records_with_one_key_end_a_run() -> None:
    with Shop() as shop:
        shop.lost[1] = lambda: shop.add(ORDER)
        shop.twice = True
        with pytest.raises(BulkError, match="the records 900 and 901 have one value"):
            pushed(shop, [{"properties": ORDER}])


def test_a_row_that_is_refused_for_something_else_costs_one_look() -> None:
    with Shop() as shop:
        rows = orders(100)
        rows[42]["properties"]["hs_order_name"] = "bad"
        report = pushed(shop, rows)
        assert (report.done, report.rejected, report.looks) == (99, 1, 1)
        assert report.reasons == {"VALIDATION_ERROR": 1}


def test_a_row_that_no_answer_tells_of_is_looked_for_and_remains_unknown() -> None:
    with Shop() as shop:
        shop.silent = True
        (outcome,) = pushed(shop, [{"properties": ORDER}]).outcomes
        assert (outcome.status, outcome.category, shop.creates) == ("unknown", "NOT_IN_REPLY", 5)


def test_a_row_that_is_never_found_and_never_answered_for_remains_unknown() -> None:
    with Shop() as shop:
        shop.lost = dict.fromkeys(range(1, 6), lambda: None)
        (outcome,) = pushed(shop, [{"properties": ORDER}]).outcomes
        assert (outcome.status, outcome.category, shop.creates) == ("unknown", "NO_REPLY", 5)


def test_a_row_that_is_taken_by_what_is_never_found_remains_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_inquiry, "_LEAST_WAIT", 0.01)
    with Sandbox(quota="none", properties=UNIQUE, behaviour=Behaviour(index_delay=86_400.0)) as box:
        box.faults.next("504-after")
        assert [outcome.status for outcome in pushed(box, orders(1)).outcomes] == ["unknown"]
        # Another run has never sent it.
        assert [outcome.status for outcome in pushed(box, orders(1)).outcomes] == ["rejected"]


@pytest.mark.parametrize(("seconds", "expected"), [(0, "done"), (-60, "rejected")])
def test_a_run_that_goes_on_knows_when_its_rows_have_left(
    tmp_path: Path, seconds: int, expected: str
) -> None:
    rows, journal = orders(101), tmp_path / "orders.run"
    with Shop(ahead=-20_000.0) as shop:
        shop.lost[2] = lambda: shop.add(rows[100]["properties"], shop.now + seconds)
        shop.readable = False
        with pytest.raises(BulkError):
            pushed(shop, rows, journal=journal, concurrency=1)
        shop.readable = True
        outcomes = [*pushed(shop, rows, journal=journal).outcomes]
        assert [outcome.status for outcome in outcomes] == ["done"] * 100 + [expected]
        assert outcomes[100].id == shop.records["X-100"]["id"]
