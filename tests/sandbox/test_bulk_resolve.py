"""Rows that a run has left unknown are looked for later: over a socket, and nothing is written."""

import time
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest

from hubspot_batch import AsyncHubSpot, HubSpot, Quota
from hubspot_batch.bulk import BulkError, Outcome, Report, read_outcomes, read_run
from hubspot_batch.errors import ConfigurationError, JournalError, SourceError
from hubspot_batch.sandbox import Behaviour, Property, Sandbox

NUMBER = "hs_external_order_id"
UNIQUE = {"orders": {NUMBER: Property("text", unique=True)}}
FAST = Quota(100_000, 1.0)
Row = dict[str, Any]


def orders(count: int, prefix: str = "X") -> list[Any]:
    return [{"properties": {"hs_order_name": f"A {row}", NUMBER: f"{prefix}-{row}"}} for row in range(count)]


@pytest.fixture
def box() -> Iterator[Sandbox]:
    with Sandbox(quota="none", properties=UNIQUE) as box:
        yield box


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "orders.run"


def client(box: Sandbox, token: str | None = None) -> HubSpot:
    return HubSpot(token or box.access_token, base_url=box.url, quota=FAST, retries=0)


def pushed(box: Sandbox, rows: Iterable[Any], journal: Path, *faults: str | None) -> Report:
    box.faults.next(*faults)
    with client(box) as hub:
        return hub.orders.create_all(rows, journal=journal, concurrency=1)


def resolved(box: Sandbox, rows: Iterable[Any], journal: Path, **options: Any) -> Report:  # noqa: ANN401
    with client(box) as hub:
        chosen = {"unique_property": NUMBER, "settle_after": 0.0, **options}
        return hub.orders.resolve(rows, journal=journal, **chosen)


def told(outcomes: Iterable[Outcome]) -> Counter[tuple[str, str | None, str | None]]:
    return Counter((outcome.status, outcome.action, outcome.category) for outcome in outcomes)


def operations(box: Sandbox) -> list[str]:
    return [request.path.rpartition("/")[2] for request in box.requests]


@pytest.mark.parametrize("kind", [HubSpot, AsyncHubSpot])
def test_rows_that_are_there_are_done_and_the_others_were_not_written(
    box: Sandbox, journal: Path, kind: type[HubSpot | AsyncHubSpot]
) -> None:
    rows = orders(300)
    first = pushed(box, rows, journal, "504-after", "504-before", None)
    assert (first.unknown, first.done) == (200, 100)
    before = len(box.requests)

    async def resolve() -> Report:
        async with AsyncHubSpot("sandbox-token", base_url=box.url, quota=FAST) as hub:
            return await hub.orders.resolve(rows, journal=journal, unique_property=NUMBER, settle_after=0.0)

    report = anyio.run(resolve) if kind is AsyncHubSpot else resolved(box, rows, journal)

    there = {record.properties[NUMBER]: record.id for record in box.records("orders")}
    assert (report.done, report.rejected, report.unknown, report.looks) == (200, 100, 0, 3)
    outcomes = [*read_outcomes(journal)]
    assert outcomes == [*report.outcomes]
    assert [outcome.id for outcome in outcomes] == [there.get(row["properties"][NUMBER]) for row in rows]
    assert told(outcomes) == {("done", "created", None): 200, ("rejected", None, "NOT_WRITTEN"): 100}
    # What is not there may have been archived since.
    assert operations(box)[before:] == ["orders", "read", "read", "read"]
    assert len(there) == 200


def test_a_record_that_the_run_cannot_have_made_was_there_already(box: Sandbox, journal: Path) -> None:
    with client(box) as hub:
        hub.orders.batch_create([{"properties": {"hs_order_name": "Other", NUMBER: "X-1"}}])
    pushed(box, orders(3), journal, "504-before")

    report = resolved(box, orders(3), journal)

    (there,) = box.records("orders")
    assert told(report.outcomes) == {
        ("rejected", None, "NOT_WRITTEN"): 2,
        ("rejected", None, "CONFLICT"): 1,
    }
    assert [outcome.id for outcome in report.outcomes] == [None, there.id, None]


def test_what_was_there_already_can_be_kept(box: Sandbox, journal: Path) -> None:
    with client(box) as hub:
        hub.orders.batch_create([{"properties": {"hs_order_name": "Other", NUMBER: "X-0"}}])
    pushed(box, orders(1), journal, "504-before")

    report = resolved(box, orders(1), journal, existing="keep")

    assert told(report.outcomes) == {("done", "existing", None): 1}


def test_the_same_values_prove_nothing_of_a_record_that_is_older_than_the_run(
    box: Sandbox, journal: Path
) -> None:
    with client(box) as hub:
        hub.orders.batch_create(orders(1))
    # The tolerance is two seconds, and the server's clock tells whole seconds.
    time.sleep(3.1)
    pushed(box, orders(1), journal, "504-before")

    assert told(resolved(box, orders(1), journal).outcomes) == {("rejected", None, "CONFLICT"): 1}


def test_one_record_is_never_that_of_two_rows(box: Sandbox, journal: Path) -> None:
    rows = [*orders(1), *orders(99, "Y"), *orders(1)]
    pushed(box, rows, journal, "504-after", "504-before")

    report = resolved(box, rows, journal)

    outcomes = [*report.outcomes]
    assert told(outcomes) == {("done", "created", None): 100, ("rejected", None, "CONFLICT"): 1}
    assert outcomes[-1].id == outcomes[0].id


def test_a_row_without_the_property_stays_unknown(box: Sandbox, journal: Path) -> None:
    rows: list[Any] = [*orders(1), {"properties": {"hs_order_name": "Nameless"}}]
    pushed(box, rows, journal, "504-after")

    report = resolved(box, rows, journal)

    assert (report.done, report.unknown) == (1, 1)
    assert [outcome.status for outcome in read_outcomes(journal)] == ["done", "unknown"]


def test_what_hubspot_shows_late_is_waited_for(journal: Path) -> None:
    with Sandbox(quota="none", properties=UNIQUE, behaviour=Behaviour(index_delay=0.6)) as box:
        pushed(box, orders(5), journal, "504-after")
        assert resolved(box, orders(5), journal, settle_after=1.0).done == 5


def test_what_cannot_be_had_changes_nothing_and_the_same_call_goes_on(box: Sandbox, journal: Path) -> None:
    rows = orders(200)
    pushed(box, rows, journal, "504-after", "504-after")

    box.faults.next("503")
    with pytest.raises(BulkError, match="503") as definitions:
        resolved(box, rows, journal)
    box.faults.next(None, "503")
    with pytest.raises(BulkError, match="start it again to go on") as look:
        resolved(box, rows, journal, concurrency=1)

    assert "may have been written" not in f"{definitions.value} {look.value}"
    assert read_run(journal).counts == {"unknown": 200}
    assert resolved(box, rows, journal).done == 200
    assert resolved(box, rows, journal).looks == 0


def test_a_look_that_fails_ends_the_others(box: Sandbox, journal: Path) -> None:
    rows = orders(200)
    pushed(box, rows, journal, "504-after", "504-after")

    box.faults.next(None, "slow=30", "503")
    with pytest.raises(BulkError, match="503"):
        resolved(box, rows, journal)

    assert read_run(journal).counts == {"unknown": 200}


def test_a_property_that_is_not_unique_is_refused(box: Sandbox, journal: Path) -> None:
    pushed(box, orders(1), journal, "504-after")

    for name in ("hs_order_name", "no_such_property"):
        with pytest.raises(ConfigurationError, match=NUMBER):
            resolved(box, orders(1), journal, unique_property=name)
    assert read_run(journal).counts == {"unknown": 1}


def test_rows_that_are_not_those_of_the_run_are_refused(box: Sandbox, journal: Path) -> None:
    pushed(box, orders(3), journal, "504-after")

    for rows in (orders(3, "Z"), orders(2), orders(4)):
        with pytest.raises(SourceError):
            resolved(box, rows, journal)
    assert resolved(box, orders(3), journal).done == 3


def test_journals_of_others_are_refused(box: Sandbox, journal: Path, tmp_path: Path) -> None:
    pushed(box, orders(1), journal, "504-after")

    with client(box, "another") as hub, pytest.raises(JournalError, match="another account"):
        hub.orders.resolve(orders(1), journal=journal, unique_property=NUMBER)
    with client(box) as hub, pytest.raises(JournalError, match="another operation"):
        hub.carts.resolve(orders(1), journal=journal, unique_property=NUMBER)
    with pytest.raises(ConfigurationError, match="there is no journal"):
        resolved(box, orders(1), tmp_path / "missing.run")
    assert not (tmp_path / "missing.run").exists()


@pytest.mark.parametrize("options", [{"journal": None}, {"unique_property": None}, {"unique_property": ""}])
def test_options_that_are_missing_are_named(box: Sandbox, journal: Path, options: Row) -> None:
    pushed(box, orders(1), journal, "504-after")
    chosen = {"journal": journal, "unique_property": NUMBER, **options}

    with client(box) as hub, pytest.raises(ConfigurationError, match=next(iter(options))):
        hub.orders.resolve(orders(1), **chosen)


def test_a_run_that_is_not_finished_goes_on_afterwards(box: Sandbox, journal: Path) -> None:
    rows = orders(300)
    with pytest.raises(BulkError):
        pushed(box, rows, journal, "504-after", None, "429-daily")

    report = resolved(box, rows, journal)

    assert (report.done, report.pending, report.finished) == (200, 100, False)
    assert not read_run(journal).finished
    assert pushed(box, rows, journal).done == 300
    assert len(box.records("orders")) == 300
