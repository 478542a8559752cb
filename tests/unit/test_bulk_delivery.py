"""Batches on their way: refused as a whole, lost, withdrawn. No row is lost, doubled or told wrongly."""

import errno
import gc
import json
import logging
import os
import pickle
import re
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from threading import Lock
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import anyio
import httpx
import pytest

from hubspot_batch import AsyncHubSpot, HubSpot, Quota
from hubspot_batch.bulk import BulkError, Outcome, Report, read_outcomes
from hubspot_batch.bulk._journal import Entry, Journal
from hubspot_batch.errors import (
    AuthenticationError,
    BadRequestError,
    ConfigurationError,
    ConnectionFailedError,
    HubSpotBatchError,
    NotFoundError,
    QuotaUnavailableError,
    RateLimitError,
    ServerError,
    UnexpectedReplyError,
)
from hubspot_batch.results import ErrorBody, Response
from hubspot_batch.transport import _async as _async_driver

if TYPE_CHECKING:
    from tests.conftest import Clock, Face

pytestmark = pytest.mark.usefixtures("clock")

SECRET = "s3cr3t-7261"
Reply = httpx.Response | Exception | None
Answer = Callable[[list[int]], Reply]


DEFINITIONS = {
    "results": [
        {"name": name, "label": name, "type": "string", "fieldType": "text", "hasUniqueValue": True}
        for name in ("n", "sku")
    ]
}


class Shop:
    """A HubSpot that keeps what it has written; each record has the number of its row in its id.

    It writes all of a request, but what `answer` says otherwise. `answer` may call `write` before it lets the
    reply get lost. The token may write, but not read.
    """

    def __init__(self, answer: Answer | None = None, *, unique: bool = False) -> None:
        self.answer = answer or (lambda _numbers: None)
        self.requests: list[list[int]] = []
        self.inputs: list[dict[str, Any]] = []
        self.written: Counter[int] = Counter()
        self._unique = unique
        self._one_at_a_time = Lock()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            return httpx.Response(200, json=DEFINITIONS)
        with self._one_at_a_time:
            return self._reply(request)

    def _reply(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/batch/read"):
            return httpx.Response(403, json={"category": "MISSING_SCOPES", "message": SECRET})
        self.inputs = json.loads(request.content)["inputs"]
        numbers = [int(item["properties"]["n"]) for item in self.inputs]
        self.requests.append(numbers)
        reply = self.answer(numbers)
        if isinstance(reply, Exception):
            raise reply
        if reply is None:
            return self.write()
        return httpx.Response(reply.status_code, headers=reply.headers, content=reply.content)

    def write(self) -> httpx.Response:
        moment = "2026-09-01T08:15:02.120Z"
        results, errors = [], []
        for item in self.inputs:
            number = int(item["properties"]["n"])
            if self._unique and self.written[number]:
                context = {
                    "objectWriteTraceId": [item["objectWriteTraceId"]],
                    "existingId": [f"44{number}"],
                }
                errors.append({"category": "CONFLICT", "message": SECRET, "context": context})
                continue
            self.written[number] += 1
            results.append(
                {
                    "id": f"44{number}",
                    "properties": {"n": str(number)},
                    "createdAt": moment,
                    "updatedAt": moment,
                    "archived": False,
                }
            )
        body = {"status": "COMPLETE", "results": results[::-1], "errors": errors}
        return httpx.Response(207, json=body | {"startedAt": moment, "completedAt": moment})


def refuses(bad: Iterable[int], status: int = 400, **body: object) -> Answer:
    """Refuse as a whole each request that holds one of these rows."""
    known = {"category": "VALIDATION_ERROR", "message": SECRET} | body
    return lambda numbers: None if set(bad).isdisjoint(numbers) else httpx.Response(status, json=known)


def script(*replies: Reply | Callable[[], Reply]) -> Answer:
    """Answer the requests one by one; what comes after them is written."""
    left = list(replies)

    def answer(_numbers: list[int]) -> Reply:
        reply = left.pop(0) if left else None
        return reply() if callable(reply) else reply

    return answer


def orders(count: int, **properties: str) -> list[Any]:
    return [{"properties": {"n": str(number), "secret": SECRET, **properties}} for number in range(count)]


def changes(count: int) -> list[Any]:
    return [{"id": f"44{number}", **order} for number, order in enumerate(orders(count))]


def run(face: "Face", shop: Shop, rows: Sequence[Any], client: Any = None, **options: Any) -> Report:  # noqa: ANN401
    """Return the report of a run, which updates where the rows have ids."""
    hub = face.connect(face.wire(shop), **client or {})
    method = hub.orders.update_all if rows and "id" in rows[0] else hub.orders.create_all
    return face.finish(method(rows, **options))


def stopped(
    face: "Face",
    shop: Shop,
    rows: Sequence[Any],
    client: Any = None,  # noqa: ANN401
    **options: Any,  # noqa: ANN401
) -> BulkError:
    with pytest.raises(BulkError) as caught:
        run(face, shop, rows, client, **options)
    return caught.value


def told(outcomes: Iterable[Outcome]) -> dict[str, list[int]]:
    """Return the rows of each status."""
    found: dict[str, list[int]] = {}
    for outcome in outcomes:
        if outcome.ok:
            assert outcome.id == f"44{outcome.index}"
        found.setdefault(outcome.status, []).append(outcome.index)
    return found


def states(path: Path) -> dict[int, str]:
    """Return what the journal of a run that is over says of each row."""
    with Journal(path) as journal:
        entries = journal.entries(0, 10**6).values()
    return {entry.index: state(entry) for entry in entries}


def state(entry: Entry) -> str:
    if entry.outcome is not None:
        return entry.outcome.status
    return "sent" if entry.sent else "planned"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "orders.run"


def test_a_reply_is_not_held_while_its_outcomes_are_written_down(
    face: "Face", path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def replies() -> int:
        return [type(one) for one in gc.get_objects()].count(Response)

    def write(journal: Journal, entries: Iterable[Entry]) -> None:
        written = list(entries)
        if any(entry.outcome for entry in written):
            held.append(replies() - before)
        keep(journal, written)

    keep, held = Journal.write, list[int]()
    monkeypatch.setattr(Journal, "write", write)
    gc.collect()
    before = replies()

    assert run(face, Shop(), orders(5), journal=path).ok
    assert held == [0]


# Refused as a whole.


@pytest.mark.parametrize("status", [400, 409, 413, 422])
def test_the_rows_for_which_a_batch_is_refused_are_found_and_the_others_arrive(
    face: "Face", status: int
) -> None:
    bad = [3, 50, 51, 199, 249]
    shop = Shop(refuses(bad, status))

    report = run(face, shop, orders(250))

    good = [number for number in range(250) if number not in bad]
    assert told(report.outcomes) == {"done": good, "rejected": bad}
    assert shop.written == Counter(good)
    assert len(shop.requests) <= 3 + 2 * 5 * 8
    assert report.reasons == {"VALIDATION_ERROR": 5}
    assert report.requests == len(shop.requests)


def test_a_row_that_is_refused_alone_has_the_words_of_the_refusal(face: "Face") -> None:
    reasons = [{"message": SECRET, "code": "INVALID_OPTION", "context": {"propertyName": ["hs_tax"]}}]
    shop = Shop(refuses([1], errors=reasons))

    (outcome,) = list(run(face, shop, orders(2)).outcomes)[1:]

    assert outcome.why == ("hs_tax: INVALID_OPTION",)
    assert (outcome.category, outcome.message) == ("VALIDATION_ERROR", SECRET)


def test_a_row_whose_association_leads_nowhere_costs_only_itself(face: "Face") -> None:
    shop = Shop(refuses([7], 404, subCategory="crm.associations.TO_OBJECT_NOT_FOUND"))

    report = run(face, shop, orders(100))

    assert told(report.outcomes)["rejected"] == [7]
    assert report.done == 99


@pytest.mark.parametrize("body", [{}, {"subCategory": "crm.OBJECT_TYPE_NOT_FOUND"}])
def test_a_path_that_does_not_exist_stops_the_run(face: "Face", path: Path, body: dict[str, str]) -> None:
    shop = Shop(refuses(range(100), 404, **body))

    error = stopped(face, shop, orders(3), journal=path)

    assert isinstance(error.__cause__, NotFoundError)
    assert (error.report.pending, error.report.finished, len(shop.requests)) == (3, False, 1)
    assert states(path) == dict.fromkeys(range(3), "planned")


# No answer.


@pytest.mark.parametrize(
    ("lost", "category"),
    [
        (httpx.Response(504), "HTTP_504"),
        (httpx.Response(408), "HTTP_408"),
        (httpx.ReadError("reset"), "NO_REPLY"),
        (httpx.ReadTimeout("late"), "TIMEOUT"),
        (httpx.Response(201, content=b"<html>"), "UNREADABLE_REPLY"),
    ],
)
def test_a_create_whose_answer_is_lost_is_unknown_and_never_sent_again(
    face: "Face", path: Path, lost: httpx.Response | Exception, category: str
) -> None:
    shop = Shop(lambda numbers: lost if 0 in numbers else None)

    report = run(face, shop, orders(250), journal=path)

    assert told(report.outcomes) == {"unknown": [*range(100)], "done": [*range(100, 250)]}
    assert report.reasons == {category: 100}
    assert (report.finished, report.ok, report.retries) == (True, False, 0)
    assert run(face, shop, orders(250), journal=path).unknown == 100
    assert len(shop.requests) == 3


def test_an_update_whose_answer_is_lost_is_sent_again(face: "Face") -> None:
    shop = Shop(script(httpx.Response(504), httpx.ReadError("reset"), httpx.Response(200)))

    report = run(face, shop, changes(3))

    assert told(report.outcomes) == {"done": [0, 1, 2]}
    assert (report.requests, report.retries, report.ok) == (4, 3, True)


def test_a_conflict_after_a_lost_answer_counts_as_done_where_what_exists_is_kept(face: "Face") -> None:
    for existing, status in (("keep", "done"), ("reject", "unknown")):
        shop = Shop(unique=True)
        shop.answer = script(lambda: (shop.write(), httpx.Response(504))[1])  # noqa: B023 - called within the loop

        report = run(face, shop, orders(3), unique_property="n", existing=existing)

        # The record can be an older one of somebody else, and the token may not look.
        assert told(report.outcomes) == {status: [0, 1, 2]}
        assert shop.written == Counter(range(3))


@pytest.mark.parametrize("body", [{"context": {"existingId": ["441"]}}, {"message": "Existing ID: 441"}])
def test_a_refusal_for_a_conflict_after_a_lost_answer_counts_as_done_where_what_exists_is_kept(
    face: "Face", body: dict[str, object]
) -> None:
    shop = Shop(unique=True)
    conflict = refuses([1], 409, **{"category": "CONFLICT"} | body)
    first = script(lambda: (shop.write(), httpx.Response(504))[1])
    shop.answer = lambda numbers: first(numbers) or conflict(numbers)

    report = run(face, shop, orders(3), unique_property="n", existing="keep")

    assert told(report.outcomes) == {"done": [0, 1, 2]}
    assert shop.requests == [[0, 1, 2], [0, 1, 2], [0], [1], [2]]


def test_a_conflict_that_names_the_record_of_another_row_proves_nothing(face: "Face") -> None:
    rows = [*orders(1), *orders(1, secret="other")]
    shop = Shop(script(None, httpx.Response(504)), unique=True)

    report = run(face, shop, rows, unique_property="n")

    assert [(outcome.status, outcome.category) for outcome in report.outcomes] == [
        ("done", None),
        ("rejected", "CONFLICT"),
    ]
    assert shop.requests == [[0]] * 3
    assert shop.written == {0: 1}


def test_a_refusal_that_names_the_record_of_another_row_proves_nothing(face: "Face") -> None:
    rows = [*orders(1), *orders(1, secret="other")]
    conflict = {"category": "CONFLICT", "context": {"existingId": ["440"]}}
    shop = Shop(script(None, httpx.Response(504), httpx.Response(409, json=conflict)))

    report = run(face, shop, rows, unique_property="n")

    assert [(outcome.status, outcome.id) for outcome in report.outcomes] == [
        ("done", "440"),
        ("rejected", None),
    ]


@pytest.mark.parametrize("interrupted", [False, True])
def test_a_conflict_over_a_value_of_a_row_that_is_unknown_proves_nothing(
    face: "Face", path: Path, *, interrupted: bool
) -> None:
    rows = [*orders(1), *orders(1, secret="other")]
    options: dict[str, Any] = {"unique_property": "n", "journal": path, "client": {"retries": 1}}
    lost = httpx.Response(504)
    shop = Shop(unique=True)
    stop = [httpx.Response(401)] if interrupted else []
    shop.answer = script(lambda: (shop.write(), lost)[1], lost, lost, lost, *stop)
    if interrupted:
        stopped(face, shop, rows, **options)

    report = run(face, shop, rows, **options)

    assert [(outcome.status, outcome.category) for outcome in report.outcomes] == [
        ("unknown", "HTTP_504"),
        ("unknown", "CONFLICT"),
    ]
    assert shop.written == {0: 1}


def test_a_row_with_the_value_of_one_that_was_never_written_is_done_by_its_own_record(face: "Face") -> None:
    rows = [
        row | {"properties": row["properties"] | {"sku": sku}}
        for row, sku in zip(orders(2), "xX", strict=True)
    ]
    errors = [{"code": "INVALID_OPTION", "context": {"propertyName": ["n"]}}]
    bad = httpx.Response(400, json={"category": "VALIDATION_ERROR", "errors": errors})
    taken = httpx.Response(409, json={"category": "CONFLICT", "context": {"existingId": ["441"]}})
    shop = Shop(script(bad, httpx.Response(504), taken))

    report = run(face, shop, rows, unique_property="sku", existing="keep")

    assert told(report.outcomes) == {"rejected": [0], "done": [1]}


def misspelt(numbers: list[int]) -> Reply:
    errors = [{"message": SECRET, "code": "PROPERTY_DOESNT_EXIST", "context": {"propertyName": ["secret"]}}]
    body = {"category": "VALIDATION_ERROR", "message": SECRET, "errors": errors}
    return httpx.Response(400, json=body) if numbers else None


def test_one_mistake_of_all_rows_stops_a_run_after_three_batches_and_it_goes_on(
    face: "Face", path: Path
) -> None:
    shop = Shop(misspelt)
    error = stopped(face, shop, changes(1000), journal=path)

    assert len(shop.requests) <= 3
    assert told(error.report.outcomes) == {"rejected": list(range(300))}
    assert (
        "every row of the first 3 batches was refused for one reason: secret: PROPERTY_DOESNT_EXIST"
        in str(error)
    )
    assert "keep_going=True" in str(error)
    mended = Shop()
    report = run(face, mended, changes(1000), journal=path)
    assert (report.done, report.rejected) == (700, 300)


def test_one_mistake_of_all_rows_ends_a_run_of_three_batches(face: "Face") -> None:
    shop = Shop(misspelt)
    report = run(face, shop, changes(300))

    assert (report.finished, report.rejected) == (True, 300)
    assert len(shop.requests) <= 3


def test_a_run_may_go_on_though_all_rows_have_one_mistake(face: "Face") -> None:
    shop = Shop(misspelt)
    report = run(face, shop, changes(1000), keep_going=True)

    assert (report.finished, report.rejected) == (True, 1000)


@pytest.mark.parametrize("refusal", [{"category": "CONFLICT"}, {"category": "VALIDATION_ERROR"}])
def test_values_that_are_taken_and_reasons_that_differ_stop_no_run(
    face: "Face", refusal: dict[str, str]
) -> None:
    shop = Shop()

    def refuse(_numbers: list[int]) -> Reply:
        errors = [
            {
                "message": item["properties"]["n"],
                "context": {"objectWriteTraceId": [item["objectWriteTraceId"]]},
            }
            | refusal
            for item in shop.inputs
        ]
        times = {"startedAt": "2026-09-01T08:15:02Z", "completedAt": "2026-09-01T08:15:02Z"}
        return httpx.Response(207, json={"status": "COMPLETE", "results": [], "errors": errors} | times)

    shop.answer = refuse
    report = run(face, shop, orders(500), unique_property="n")

    assert (report.finished, report.rejected) == (True, 500)


def test_an_id_property_that_is_not_unique_stops_a_run_with_a_remedy(face: "Face", path: Path) -> None:
    message = "Unable to perform update/upsert by non-unique 0-123 property sku in portal ID 7"
    rows = [row | {"idProperty": "sku"} for row in changes(200)]
    answer = refuses(range(200), message=message)
    error = stopped(face, Shop(answer), rows, journal=path)

    assert "the account does not hold sku unique" in str(error)
    assert SECRET not in str(error)
    assert error.report.pending == error.report.read > 0
    kept = run(face, Shop(answer), rows, journal=path, keep_going=True)
    assert (kept.finished, kept.rejected) == (True, 200)
    mixed = [*rows[:50], *changes(100)[50:]]
    report = run(face, Shop(refuses(range(50), message=message)), mixed)
    assert (report.done, report.rejected, report.requests) == (50, 50, 2)


@pytest.mark.parametrize("resumed", [False, True])
def test_two_records_with_one_value_stop_a_run(face: "Face", path: Path, *, resumed: bool) -> None:
    rows = orders(151)
    for number, row in enumerate(rows):
        row["properties"]["sku"] = str(number % 150)
    options: dict[str, Any] = {"unique_property": "sku", "journal": path}
    error = stopped(face, Shop(), rows, **options)
    if resumed:
        shop = Shop()
        error = stopped(face, shop, rows, **options)
        assert shop.requests == []

    assert "rows 0 and 150 have one value of sku" in str(error)
    assert isinstance(error.__cause__, ConfigurationError)
    assert told(error.report.outcomes) == {"done": list(range(151))}


def test_two_records_of_one_reply_with_one_value_stop_a_run(face: "Face") -> None:
    reply = conflicts(record="7", row_0="8", row_1="9")
    body = json.loads(reply.content)
    for result in body["results"]:
        result["properties"] = {"n": "0"}
    shop = Shop(script(httpx.Response(201, json=body)))

    error = stopped(face, shop, orders(2), unique_property="n")

    assert "the records 8 and 9 have one value of n" in str(error)


def conflicts(*rows: int, record: str, **written: str) -> httpx.Response:
    """A reply in which rows are in conflict with a record, and others were written as records."""
    moment = "2026-09-01T08:15:02.120Z"
    errors = [
        {"category": "CONFLICT", "context": {"objectWriteTraceId": [f"row-{row}"], "existingId": [record]}}
        for row in rows
    ]
    results = [
        {"id": name, "properties": {}, "objectWriteTraceId": trace.replace("_", "-")}
        | {"createdAt": moment, "updatedAt": moment, "archived": False}
        for trace, name in written.items()
    ]
    body = {"status": "COMPLETE", "results": results, "errors": errors}
    return httpx.Response(207, json=body | {"startedAt": moment, "completedAt": moment})


def test_two_rows_of_one_batch_are_not_both_the_record_that_a_conflict_names(face: "Face") -> None:
    shop = Shop(script(httpx.Response(504), conflicts(0, 1, record="7")))

    report = run(face, shop, orders(2), unique_property="n", existing="keep")

    assert [(outcome.status, outcome.id) for outcome in report.outcomes] == [
        ("done", "7"),
        ("rejected", None),
    ]


def test_a_record_that_a_row_has_just_become_is_not_that_of_a_row_in_doubt(face: "Face", path: Path) -> None:
    stop = Shop(script(httpx.Response(504), httpx.Response(401)))
    stopped(face, stop, orders(1), unique_property="n", journal=path)
    shop = Shop(script(conflicts(0, record="7", row_1="7")))

    report = run(face, shop, orders(2), unique_property="n", existing="keep", journal=path)

    assert [(outcome.status, outcome.id) for outcome in report.outcomes] == [
        ("rejected", None),
        ("done", "7"),
    ]


def test_the_refusal_of_an_update_after_a_lost_answer_is_isolated(face: "Face", path: Path) -> None:
    bad = refuses([1])
    first = script(httpx.Response(504))
    shop = Shop(lambda numbers: first(numbers) or bad(numbers))

    report = run(face, shop, changes(3), journal=path)

    assert told(report.outcomes) == {"done": [0, 2], "rejected": [1]}
    assert shop.requests == [[0, 1, 2], [0, 1, 2], [0], [1], [2]]


def test_rows_that_may_be_written_remain_sent_though_they_are_refused_with_others(
    face: "Face", path: Path
) -> None:
    shop = Shop(script(httpx.Response(504), httpx.Response(400), httpx.Response(401)))

    error = stopped(face, shop, changes(4), journal=path)

    assert isinstance(error.__cause__, AuthenticationError)
    assert states(path) == dict.fromkeys(range(4), "sent")
    assert run(face, shop, changes(4), journal=path).ok


def test_rows_that_may_be_written_remain_sent_though_the_token_is_refused_then(
    face: "Face", path: Path
) -> None:
    shop = Shop(unique=True)
    shop.answer = script(lambda: (shop.write(), httpx.Response(504))[1], httpx.Response(401))

    error = stopped(face, shop, orders(3), journal=path, unique_property="n")

    assert isinstance(error.__cause__, AuthenticationError)
    assert error.__cause__.maybe_written
    assert states(path) == dict.fromkeys(range(3), "sent")
    assert run(face, shop, orders(3), journal=path, unique_property="n", existing="keep").ok
    assert shop.written == Counter(range(3))


def test_rows_that_may_be_written_are_unknown_where_nothing_keeps_hubspot_from_a_double(
    face: "Face", path: Path
) -> None:
    shop = Shop(script(httpx.Response(504), httpx.Response(401)))
    stopped(face, shop, orders(3), journal=path, unique_property="n")

    report = run(face, shop, orders(5), journal=path)

    assert told(report.outcomes) == {"unknown": [0, 1, 2], "done": [3, 4]}
    assert report.reasons == {"INTERRUPTED": 3}


@pytest.mark.parametrize("failure", [httpx.Response(504), httpx.ReadError("reset")])
def test_ten_failures_in_a_row_stop_the_run(face: "Face", path: Path, failure: Reply) -> None:
    shop = Shop(lambda _numbers: failure)
    read: list[int] = []

    def rows() -> Iterable[Any]:
        for number, order in enumerate(orders(5000)):
            read.append(number)
            yield order

    hub = face.connect(face.wire(shop))
    with pytest.raises(BulkError) as caught:
        face.finish(hub.orders.create_all(rows(), journal=path, concurrency=1))

    assert isinstance(caught.value.__cause__, ServerError | ConnectionFailedError)
    assert len(shop.requests) == 10
    assert told(caught.value.report.outcomes) == {"unknown": [*range(1000)]}
    assert len(read) <= 1200


@pytest.mark.parametrize("between", [None, httpx.Response(400)])
def test_failures_with_an_answer_between_them_do_not_stop_the_run(face: "Face", between: Reply) -> None:
    failures = [httpx.Response(504)] * 9
    shop = Shop(script(*failures, between, *failures))

    report = run(face, shop, orders(2000), concurrency=1)

    assert report.finished
    assert len(shop.requests) > 19


# Something stops the run.


def test_the_daily_quota_stops_the_run_and_the_next_day_it_goes_on(face: "Face", path: Path) -> None:
    shop = Shop(script(None, httpx.Response(429, json={"policyName": "DAILY"})))

    error = stopped(face, shop, orders(250), journal=path, concurrency=1)

    assert isinstance(error.__cause__, RateLimitError)
    assert (error.report.done, error.report.rate_limited) == (100, 1)
    assert str(error).startswith("the run stopped: create_orders: HTTP 429")
    assert str(error).endswith("; start it again to go on")
    assert run(face, shop, orders(250), journal=path).ok
    assert shop.written == Counter(range(250))


def test_a_quota_that_can_be_waited_for_costs_no_row(face: "Face", clock: "Clock") -> None:
    limit = httpx.Response(429, json={"policyName": "TEN_SECONDLY_ROLLING"})
    shop = Shop(script(limit, limit))

    report = run(face, shop, orders(100))

    assert report.ok
    assert (report.requests, report.retries, report.rate_limited, report.in_flight) == (3, 2, 2, 0)
    assert clock.sleeps[:2] == [10.0, 10.0]


def test_a_server_that_cannot_be_reached_stops_the_run_and_nothing_is_in_doubt(
    face: "Face", path: Path
) -> None:
    def unreachable(_numbers: list[int]) -> Reply:
        return httpx.ConnectError("refused")

    shop = Shop(unreachable)
    error = stopped(face, shop, orders(3), journal=path)

    assert isinstance(error.__cause__, ConnectionFailedError)
    assert states(path) == dict.fromkeys(range(3), "planned")
    shop.answer = lambda _numbers: None
    assert run(face, shop, orders(3), journal=path).ok


@pytest.mark.parametrize(
    ("cause", "text"),
    [
        (OSError(errno.ENOENT, SECRET, "token\n.txt"), rf"token\n.txt: {os.strerror(errno.ENOENT)}"),
        (OSError(errno.EIO, SECRET, 7), os.strerror(errno.EIO)),
        (OSError(SECRET), "OSError was raised"),
        (type("TheirError", (OSError,), {})(errno.EIO, SECRET), "TheirError was raised"),
    ],
)
def test_only_the_system_is_quoted(face: "Face", cause: Exception, text: str) -> None:
    def token() -> str:
        raise cause

    error = stopped(face, Shop(), orders(3), {"access_token": token})

    assert str(error) == f"the run stopped: {text}; without a journal it cannot go on"


def test_a_token_function_that_fails_stops_the_run_before_anything_leaves(face: "Face", path: Path) -> None:
    def token() -> str:
        raise LookupError(SECRET)

    shop = Shop()
    options = {"journal": path, "account": "shop"}
    error = stopped(face, shop, orders(3), {"access_token": token}, **options)

    assert isinstance(error.__cause__, LookupError)
    assert str(error) == "the run stopped: LookupError was raised; start it again to go on"
    assert (shop.requests, error.report.in_flight, error.report.requests) == ([], 0, 0)
    assert run(face, shop, orders(3), {"access_token": lambda: "token-1"}, **options).ok


def test_a_refusal_that_the_token_function_met_rejects_no_row(face: "Face", path: Path) -> None:
    def token() -> str:
        raise BadRequestError("refresh_token", Response(status=400, headers={}, content=b""), ErrorBody())

    shop = Shop()
    options = {"journal": path, "account": "shop"}
    error = stopped(face, shop, orders(3), {"access_token": token}, **options)

    assert (shop.requests, error.report.rejected, error.report.pending) == ([], 0, 3)
    assert run(face, shop, orders(3), {"access_token": lambda: "token-1"}, **options).ok


def test_a_token_that_is_none_stops_the_run_in_its_own_words(face: "Face") -> None:
    error = stopped(face, Shop(), orders(3), {"access_token": lambda: ""})

    assert str(error) == (
        "the run stopped: the access token is empty; give access_token, or set HUBSPOT_ACCESS_TOKEN; "
        "without a journal it cannot go on"
    )
    assert error.report.pending == 3


@pytest.mark.parametrize("unique_property", [None, "n"])
def test_an_error_while_rows_are_on_their_way_leaves_them_in_doubt(
    face: "Face", path: Path, unique_property: str | None
) -> None:
    shop = Shop(unique=unique_property is not None)
    shop.answer = script(lambda: (shop.write(), RuntimeError(SECRET))[1])
    options: dict[str, Any] = {"journal": path, "unique_property": unique_property}

    error = stopped(face, shop, orders(3), **options)

    assert isinstance(error.__cause__, RuntimeError)
    assert (error.report.in_flight, error.report.pending) == (0, 3)
    assert states(path) == dict.fromkeys(range(3), "sent")
    existing = "reject" if unique_property is None else "keep"
    report = run(face, shop, orders(3), existing=existing, **options)
    assert told(report.outcomes) == {"unknown" if unique_property is None else "done": [0, 1, 2]}
    assert shop.written == Counter(range(3))


def test_a_source_that_fails_stops_the_run_after_what_was_read(face: "Face") -> None:
    def rows() -> Iterable[Any]:
        yield from orders(150)
        raise LookupError(SECRET)

    hub = face.connect(face.wire(Shop()))
    with pytest.raises(BulkError) as caught:
        face.finish(hub.orders.create_all(rows()))

    assert isinstance(caught.value.__cause__, LookupError)
    assert caught.value.report.read == 150
    assert SECRET not in str(caught.value)


# The journal cannot be written.


def test_a_disk_that_is_full_stops_the_run_before_anything_leaves(face: "Face", path: Path) -> None:
    shop = Shop()
    hub = face.connect(face.wire(shop))
    stream = hub.orders.stream_create(orders(5000), journal=path)
    connection = stream._session._job._journal._connection
    (pages,) = connection.execute("pragma page_count").fetchone()
    connection.execute(f"pragma max_page_count = {pages}")

    with pytest.raises(BulkError) as caught:
        face.finish(stream.complete())

    assert isinstance(caught.value.__cause__, sqlite3.OperationalError)
    assert "full" in str(caught.value)
    assert caught.value.report.done < 5000
    # Each answer is told, but there is not room for all of them.
    assert told(caught.value.report.outcomes) == {"done": sorted(shop.written)}
    assert set(told(read_outcomes(path))["done"]) <= shop.written.keys()
    report = run(face, shop, orders(5000), journal=path)
    assert report.done + report.unknown == 5000
    assert set(shop.written.values()) == {1}


def test_an_answer_that_cannot_be_written_down_is_reported_and_tried_again(
    face: "Face", path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = Journal.write

    def full(journal: Journal, entries: Iterable[Entry]) -> None:
        entries = list(entries)
        if any(entry.outcome is not None for entry in entries):
            raise sqlite3.OperationalError("database or disk is full")
        write(journal, entries)

    shop = Shop()
    with monkeypatch.context() as patch:
        patch.setattr(Journal, "write", full)
        error = stopped(face, shop, orders(3), journal=path)

    assert str(error).endswith("has room, then start it again to go on")
    assert (error.report.done, error.report.pending, error.report.unanswered) == (3, 0, 0)
    assert told(error.report.outcomes) == {"done": [0, 1, 2]}
    assert states(path) == dict.fromkeys(range(3), "done")
    assert told(run(face, shop, orders(3), journal=path).outcomes) == {"done": [0, 1, 2]}
    assert shop.written == Counter(range(3))


def test_an_answer_that_is_never_written_down_is_reported_anyway(
    face: "Face", path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = Journal.write

    def full(journal: Journal, entries: Iterable[Entry]) -> None:
        entries = list(entries)
        if any(entry.outcome is not None for entry in entries):
            raise sqlite3.OperationalError("database or disk is full")
        write(journal, entries)

    def still_full(_: Journal) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    shop = Shop()
    with monkeypatch.context() as patch:
        patch.setattr(Journal, "write", full)
        patch.setattr(Journal, "_retry", still_full)
        error = stopped(face, shop, orders(3), journal=path)

    assert (error.report.done, error.report.pending, error.report.unanswered) == (3, 0, 0)
    for report in (error.report, pickle.loads(pickle.dumps(error.report))):  # noqa: S301 - our own bytes
        assert [outcome.id for outcome in report.outcomes] == ["440", "441", "442"]
    assert states(path) == dict.fromkeys(range(3), "sent")
    assert told(run(face, shop, orders(3), journal=path).outcomes) == {"unknown": [0, 1, 2]}
    assert shop.written == Counter(range(3))


@pytest.mark.parametrize("journaled", [True, False])
def test_rows_that_are_not_valid_stop_the_run_where_they_cannot_be_written_down(
    face: "Face", path: Path, monkeypatch: pytest.MonkeyPatch, *, journaled: bool
) -> None:
    def full(*_arguments: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(Journal, "write", full)

    error = stopped(face, Shop(), [{"properties": {"a": None}}], journal=path if journaled else None)

    assert isinstance(error.__cause__, sqlite3.OperationalError)
    assert (error.report.rejected, error.report.requests) == (1, 0)
    assert [outcome.category for outcome in error.report.outcomes] == ["INVALID_INPUT"]


def test_an_end_that_cannot_be_written_down_is_an_error(
    face: "Face", path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_meta = Journal.set_meta

    def full(journal: Journal, values: Any) -> None:  # noqa: ANN401
        if "total" in values:
            raise sqlite3.OperationalError("database or disk is full")
        set_meta(journal, values)

    monkeypatch.setattr(Journal, "set_meta", full)

    error = stopped(face, Shop(), orders(3), journal=path)

    assert error.report.done == 3
    assert error.report.ok


# Withdrawn.


class Held(httpx.AsyncBaseTransport):
    """A transport that holds the first request back until another waits for the quota."""

    def __init__(self, shop: Shop) -> None:
        self.waiting = anyio.Event()
        self._shop = shop

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await self.waiting.wait()
        return self._shop(request)

    async def sleep(self, _delay: float) -> None:
        self.waiting.set()
        await anyio.sleep_forever()


def test_what_waits_for_the_quota_is_withdrawn_when_the_run_stops(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = Shop(script(httpx.Response(401)))

    async def run() -> BulkError:
        transport = Held(shop)
        monkeypatch.setattr(_async_driver, "anyio", SimpleNamespace(sleep=transport.sleep))
        hub = AsyncHubSpot("token-1", transport=transport, quota=Quota(1, 10.0))
        with pytest.raises(BulkError) as caught:
            await hub.orders.create_all(orders(250), journal=path)
        return caught.value

    error = anyio.run(run)

    assert isinstance(error.__cause__, AuthenticationError)
    assert (len(shop.requests), error.report.requests, error.report.in_flight) == (1, 1, 0)
    assert set(states(path).values()) == {"planned"}


def test_what_waits_for_the_quota_is_withdrawn_when_the_stream_is_left(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = Shop()

    async def run() -> None:
        transport = Held(shop)
        monkeypatch.setattr(_async_driver, "anyio", SimpleNamespace(sleep=transport.sleep))
        hub = AsyncHubSpot("token-1", transport=transport, quota=Quota(1, 10.0))
        async with hub.orders.stream_create(orders(250), journal=path) as stream:
            await anext(stream)
            report = stream.report
        assert (report.in_flight, report.done, report.finished) == (0, 100, False)

    anyio.run(run)

    assert len(shop.requests) <= 3
    assert Counter(states(path).values()) == {"done": 100, "planned": 150}


def test_what_waits_to_be_sent_again_is_withdrawn_when_the_run_stops(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    busy = httpx.Response(504)
    shop = Shop(lambda numbers: busy if 0 in numbers else httpx.Response(401))

    class Late(httpx.AsyncBaseTransport):
        """Refuses the second batch when the first waits to be sent again."""

        def __init__(self) -> None:
            self.waiting = anyio.Event()

        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            reply = shop(request)
            if reply.status_code == 401:
                await self.waiting.wait()
            return reply

        async def sleep(self, _delay: float) -> None:
            self.waiting.set()
            await anyio.sleep_forever()

    async def run() -> BulkError:
        transport = Late()
        monkeypatch.setattr(_async_driver, "anyio", SimpleNamespace(sleep=transport.sleep))
        hub = AsyncHubSpot("token-1", transport=transport)
        with pytest.raises(BulkError) as caught:
            await hub.orders.create_all(orders(200), journal=path, unique_property="n")
        return caught.value

    error = anyio.run(run)

    assert isinstance(error.__cause__, AuthenticationError)
    assert states(path) == {number: "sent" if number < 100 else "planned" for number in range(200)}


def test_an_answer_that_comes_after_the_run_has_stopped_is_reported(path: Path) -> None:
    shop = Shop(lambda numbers: None if 0 in numbers else httpx.Response(401))

    class Late(httpx.AsyncBaseTransport):
        """Answers the first batch when the second has stopped the run."""

        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            reply = shop(request)
            if reply.status_code != 401:
                await anyio.wait_all_tasks_blocked()
            return reply

    async def run() -> BulkError:
        hub = AsyncHubSpot("token-1", transport=Late())
        with pytest.raises(BulkError) as caught:
            await hub.orders.create_all(orders(200), journal=path)
        return caught.value

    error = anyio.run(run)

    assert isinstance(error.__cause__, AuthenticationError)
    assert told(error.report.outcomes) == {"done": [*range(100)]}
    assert Counter(states(path).values()) == {"done": 100, "planned": 100}


def test_a_batch_does_not_leave_that_was_withdrawn_while_it_was_written_down(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = Shop()
    write = Journal.write

    def withdrawing(journal: Journal, entries: Iterable[Entry]) -> None:
        entries = list(entries)
        if any(entry.sent for entry in entries):
            anyio.from_thread.run_sync(lambda: streams[0]._job.run.fail(LookupError()))
        write(journal, entries)

    monkeypatch.setattr(Journal, "write", withdrawing)
    streams: list[Any] = []

    async def run() -> BulkError:
        hub = AsyncHubSpot("token-1", transport=httpx.MockTransport(shop))
        streams.append(hub.orders.stream_create(orders(3), journal=path))
        with pytest.raises(BulkError) as caught:
            await streams[0].complete()
        return caught.value

    error = anyio.run(run)

    assert shop.requests == []
    assert (error.report.requests, error.report.in_flight) == (0, 0)
    assert states(path) == dict.fromkeys(range(3), "planned")


def test_the_search_for_bad_rows_ends_with_the_run_and_goes_on_with_the_next(
    face: "Face", path: Path
) -> None:
    bad = refuses([1])
    stop = script(None, None, None, httpx.Response(401))
    shop = Shop(lambda numbers: stop(numbers) or bad(numbers))

    error = stopped(face, shop, orders(8), journal=path)

    assert shop.requests == [[*range(8)], [0, 1, 2, 3], [0, 1], [0]]
    assert isinstance(error.__cause__, AuthenticationError)
    assert states(path) == dict.fromkeys(range(8), "planned")
    report = run(face, shop, orders(8), journal=path)
    assert told(report.outcomes) == {"done": [0, 2, 3, 4, 5, 6, 7], "rejected": [1]}
    assert shop.written == Counter({0, 2, 3, 4, 5, 6, 7})


# In order, and only once.


def test_updates_of_one_record_arrive_in_their_order(face: "Face") -> None:
    rows = [{"id": "7", "properties": {"n": str(number)}} for number in range(30)]
    shop = Shop()
    shop.answer = lambda numbers: httpx.Response(400) if numbers == [4] else None

    report = run(face, shop, rows)

    assert shop.requests == [[number] for number in range(30)]
    assert (report.rejected, report.read) == (1, 30)


def test_rows_that_are_not_valid_are_not_sent_and_the_others_are(face: "Face") -> None:
    rows = orders(150)
    rows[20] = {"propertis": {}}
    rows[120] = {"properties": {"n": None}}
    shop = Shop()

    report = run(face, shop, rows)

    assert told(report.outcomes)["rejected"] == [20, 120]
    assert report.done == 148
    assert len(shop.requests) == 2


def test_rows_without_any_that_is_valid_cost_no_request(face: "Face") -> None:
    shop = Shop()

    report = run(face, shop, [{"properties": {"n": None}}] * 250)

    assert (report.rejected, report.finished, shop.requests) == (250, True, [])


def test_a_run_that_is_finished_sends_nothing_again(face: "Face", path: Path) -> None:
    shop = Shop(refuses([2]))
    first = run(face, shop, orders(250), journal=path)
    count = len(shop.requests)

    second = run(face, shop, orders(250), journal=path)

    assert len(shop.requests) == count
    assert list(second.outcomes) == list(first.outcomes)
    assert (second.done, second.rejected, second.requests, second.total) == (249, 1, 0, 250)


def test_a_dated_version_has_a_path_of_its_own(face: "Face") -> None:
    wire = face.wire(Shop())
    hub = face.connect(wire, api_version="2026-09")

    assert face.finish(hub.orders.create_all(orders(1))).ok
    assert [request.url.path for request in wire.requests] == ["/crm/objects/2026-09/orders/batch/create"]


# What travels, and what shows.


@pytest.mark.parametrize("journaled", [True, False])
def test_the_error_of_a_run_pickles_with_its_cause_and_what_became_of_the_rows(
    face: "Face", path: Path, *, journaled: bool
) -> None:
    shop = Shop(script(None, httpx.Response(401)))
    error = stopped(face, shop, orders(250), journal=path if journaled else None, concurrency=1)

    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes

    assert str(again) == str(error)
    assert json.dumps(again.report.to_dict()) == json.dumps(error.report.to_dict())
    assert told(again.report.outcomes) == {"done": [*range(100)]}


@pytest.mark.parametrize(
    ("replies", "ended_in"),
    [
        ([httpx.Response(400, json={"category": "VALIDATION_ERROR", "message": SECRET})] * 9, None),
        ([httpx.Response(504, content=SECRET), httpx.Response(401, json={"message": SECRET})], BulkError),
        ([httpx.Response(201, content=SECRET)], None),
        ([RuntimeError(SECRET)], BulkError),
    ],
)
def test_no_value_and_no_token_is_shown_or_logged(
    face: "Face",
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    replies: list[Reply],
    ended_in: type[BulkError] | None,
) -> None:
    monkeypatch.setattr("hubspot_batch.bulk._streams._SECONDS_BETWEEN_LINES", 0.0)
    caplog.set_level(logging.DEBUG)
    shop = Shop(script(*replies))
    hub = face.connect(face.wire(shop), access_token=f"token-{SECRET}")
    # One after another, so that each of the replies comes before the run ends.
    stream = hub.orders.stream_create(orders(200), concurrency=1)
    error: HubSpotBatchError | None = None
    try:
        face.finish(stream.complete())
    except BulkError as stop:
        error = stop

    shown = [error, stream, stream.report, stream.report.outcomes, *stream.report.outcomes]
    assert (error and type(error), len(shop.requests) >= len(replies)) == (ended_in, True)
    assert stream.report.done < 200
    assert re.search(r"create_orders: \d+ rows", caplog.text)
    assert SECRET not in caplog.text
    assert SECRET not in "".join(f"{thing} {thing!r}" for thing in shown)


def test_nothing_is_known_of_rows_before_they_are_read(face: "Face") -> None:
    stream = face.connect(face.wire(Shop())).orders.stream_create(orders(250))

    assert (stream.report.read, stream.report.total, stream.report.finished) == (0, 250, False)


def test_a_stream_that_goes_on_tells_what_there_is_so_far(path: Path) -> None:
    hub = HubSpot("token-1", transport=httpx.MockTransport(Shop()), quota=Quota())
    with hub.orders.stream_create(orders(250), journal=path, concurrency=1) as stream:
        first = next(stream)
        so_far = list(stream.report.outcomes)

    assert first in so_far
    assert len(so_far) < 250
    ended = stream.report
    assert stream.report.seconds == ended.seconds
    assert set(map(repr, so_far)) <= set(map(repr, ended.outcomes))


def test_an_answer_that_says_nothing_of_a_row_leaves_it_unknown(face: "Face") -> None:
    moment = "2026-09-01T08:15:02.120Z"
    body = {"status": "COMPLETE", "results": [], "startedAt": moment, "completedAt": moment}
    report = run(face, Shop(script(httpx.Response(201, json=body))), orders(2))

    assert report.reasons == {"NOT_IN_REPLY": 2}
    assert (report.unknown, report.finished) == (2, True)


def test_the_cause_of_a_lost_answer_is_kept_where_it_stops_the_run(face: "Face") -> None:
    shop = Shop(lambda _numbers: httpx.Response(201, content=b"<html>"))

    error = stopped(face, shop, orders(2000), concurrency=1)

    assert isinstance(error.__cause__, UnexpectedReplyError)
    assert error.report.unknown == 1000


class FailingQuota(Quota):
    """A quota over the network, which fails when it is asked for the n-th time."""

    def __init__(self, fails_at: int) -> None:
        super().__init__(10**6)
        self._left = fails_at

    async def reserve_async(self, now: float, *, held: float | None = None, on_guess: bool = True) -> float:
        self._left -= 1
        if self._left == 0:
            raise QuotaUnavailableError("the quota is away")
        return await super().reserve_async(now, held=held, on_guess=on_guess)


# An attempt asks before its rows are written down as sent, and once more before it leaves.
def test_rows_are_not_sent_where_the_quota_fails_before_they_leave(face: "Face", tmp_path: Path) -> None:
    shop = Shop()
    journal = tmp_path / "orders.run"

    error = stopped(face, shop, orders(3), {"quota": FailingQuota(2)}, journal=journal, account="a")

    assert "the quota is away" in str(error)
    assert (error.report.requests, error.report.in_flight, error.report.unanswered) == (0, 0, 0)
    assert shop.requests == []
    assert states(journal) == dict.fromkeys(range(3), "planned")


def test_a_look_is_not_in_flight_where_the_quota_fails_before_it_leaves(face: "Face") -> None:
    shop = Shop(script(httpx.ReadError("lost")))
    options: dict[str, Any] = {"unique_property": "n", "assume_unique": True, "settle_after": 0.0}

    error = stopped(face, shop, orders(3), {"quota": FailingQuota(4)}, **options)

    assert "the quota is away" in str(error)
    assert (error.report.in_flight, error.report.unanswered) == (0, 3)


def test_a_single_request_is_not_sent_where_the_quota_fails(face: "Face") -> None:
    shop = Shop()

    async def send() -> None:
        async with AsyncHubSpot("token-1", transport=face.wire(shop), quota=FailingQuota(2)) as hub:
            await hub.orders.batch_create(orders(1))

    with pytest.raises(QuotaUnavailableError):
        anyio.run(send)
    assert shop.requests == []
