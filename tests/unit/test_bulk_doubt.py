"""What a record says of a row that may have created it, by the server's clock."""

from collections.abc import Sequence
from email.utils import formatdate
from typing import Any, TypeAlias

import pytest

from hubspot_batch.bulk import _outcomes as outcomes
from hubspot_batch.bulk._doubt import Doubts, ServerClock, finding
from hubspot_batch.bulk._outcomes import Outcome
from hubspot_batch.bulk._rows import Row, rows_from
from hubspot_batch.contract import _operations as contract
from hubspot_batch.results import Reason, Record, RecordError

KEY = "hs_external_order_id"
SENT = {KEY: "X-1", "hs_order_name": "Tea", "hs_total_price": "9", "hs_tags": "b;a"}
Pair: TypeAlias = tuple[Row, Outcome]
# 2026-09-01T08:00:00Z
LEFT = 1_788_249_600.0


def row(**fields: Any) -> Row:  # noqa: ANN401
    (made,) = rows_from(contract.operation("create_orders"), [{"properties": SENT | fields}], 7, KEY)
    made.maybe_written = True
    return made


def record(created_at: str = "2026-09-01T08:00:00.100Z", **properties: str | None) -> Record:
    return Record(
        index=None,
        id="44",
        properties=SENT | properties,
        created_at=created_at,
        updated_at=created_at,
        archived=False,
    )


@pytest.mark.parametrize(
    "found",
    [
        record(),
        record("2026-09-01T07:59:58.000Z"),
        record("2026-09-01T10:00:00+02:00"),
        record(hs_total_price="9.00", hs_order_name=" tea ", hs_tags="a;b"),
        # HubSpot keeps no value.
        record(hs_tags=None),
        # It does not say when.
        record(""),
    ],
)
def test_a_record_that_an_attempt_can_have_created_is_that_of_its_row(found: Record) -> None:
    assert finding(row(), found, owner=None, departed=LEFT) == "own"
    assert finding(row(), found, owner=7, departed=LEFT) == "own"
    assert finding(row(), found, owner=3, departed=LEFT) == "existing"


def test_a_record_that_a_reply_to_the_row_reports_as_written_is_that_of_the_row() -> None:
    another = record("2020-01-01T00:00:00Z", hs_order_name="Te")
    for reported, owner, found in (
        ({"44"}, None, "own"),
        ({"45"}, None, "existing"),
        ({"44"}, 3, "existing"),
    ):
        assert finding(row(), another, owner=owner, departed=LEFT, reported=reported) == found


def test_what_the_attempt_cannot_have_created_exists() -> None:
    for found in (
        record("2026-09-01T07:59:57.900Z"),
        record("2026-09-01T08:00:00+02:00"),
        record(hs_total_price="9.01"),
        record(hs_order_name="Te"),
    ):
        assert finding(row(), found, owner=None, departed=LEFT) == "existing"
    unsent = row()
    unsent.maybe_written = False
    assert finding(unsent, record(), owner=None, departed=LEFT) == "existing"
    assert finding(row(), None, owner=None, departed=LEFT) == "missing"


def test_without_a_time_each_value_has_to_agree() -> None:
    assert finding(row(), record("2020-01-01T00:00:00Z"), owner=None, departed=None) == "own"
    assert finding(row(), record(hs_tags=None), owner=None, departed=None) == "existing"
    # What a row clears says nothing of what HubSpot stores, nor does what the record does not tell.
    assert finding(row(hs_tags="", untold="x"), record(), owner=None, departed=None) == "own"
    # A row that says when its record was created may say so of any time.
    for name in ("createdate", "hs_createdate"):
        dated = row(**{name: "2020-01-01"})
        assert finding(dated, record("2020-01-01T00:00:00Z"), owner=None, departed=LEFT) == "own"


def test_the_clock_of_the_server_is_read_from_its_replies() -> None:
    clock, waiting = ServerClock(), row()
    waiting.left = 90.0
    # What no clock says: a text, and a time zone that is further away than any.
    for text in (None, "soon", "", "Mon, 01 Jan 2024 00:00:00 +99999999999999"):
        headers = {} if text is None else {"date": text}
        clock.learn(headers, 100.0)
        assert clock.departure_of(waiting) is None
    clock.learn({"date": formatdate(LEFT, usegmt=True)}, 100.0)
    assert clock.departure_of(waiting) == LEFT - 10
    # As some proxies write it.
    for text in ("Tue, 01 Sep 2026 10:00:00 +0200", "Tue, 01 Sep 2026 08:00:00 -0000"):
        clock.learn({"date": text}, 100.0)
        assert clock.departure_of(waiting) == LEFT - 10
    # No record of a run was created before its request left, so a clock that says so is wrong.
    for created_at in ("", "2026-09-01T08:00:05Z", "2026-09-01T07:00:00Z"):
        clock.learn_from([record(created_at)], 100.0)
    clock.learn_from([], 100.0)
    assert clock.departure_of(waiting) == LEFT - 3_610
    waiting.departed = 5.0
    assert clock.departure_of(waiting) == 5.0


def test_only_what_may_be_a_taken_key_is_looked_for() -> None:
    fresh = row()
    fresh.maybe_written = False
    for reason, looks in (
        (Reason(code="INVALID_OPTION", property="hs_tags"), False),
        (Reason(code="CONFLICTING_UNIQUE_VALUE", property="sku"), False),
        (Reason(code="CONFLICTING_UNIQUE_VALUE", property=KEY), True),
        (Reason(code="CONFLICTING_UNIQUE_VALUE", property=None), True),
        (Reason(code="INVALID_OPTION", property=KEY), True),
        (Reason(code="SOMETHING", property=None), True),
    ):
        error = RecordError(index=0, category="VALIDATION_ERROR", message="", reasons=(reason,))
        doubts = Doubts(KEY)
        rejected = outcomes.mistaken(fresh, error, None)
        certain = doubts.sift([(fresh, rejected)], {fresh.index: error})
        assert (bool(doubts), bool(certain)) == (looks, not looks)
        assert doubts.may_be_taken([fresh], error) is looks
        # One that was written before is refused over its other unique values, too.
        written = row()
        assert doubts.may_be_taken([fresh, written], error) is (looks or reason.property == "sku")


def settled_as(
    *statuses: str, ids: Sequence[str | None] = (), category: str = "NEW", message: str | None = None
) -> list[Pair]:
    rows = rows_from(contract.operation("create_orders"), [{"properties": SENT}] * len(statuses), 0, KEY)
    given: Any = zip(rows, statuses, ids or [None] * len(statuses), strict=True)
    return [
        (row, Outcome(index=row.index, status=status, id=record_id, category=category, message=message))
        for row, status, record_id in given
    ]


def test_what_is_certain_of_a_row_is_returned_and_the_rest_is_kept() -> None:
    doubts = Doubts(KEY)
    settled = settled_as("unknown", "done", "done", "rejected", ids=[None, None, "44", None])
    assert not doubts
    assert (doubts.cause, doubts.blind, doubts.reported) == (None, False, set())

    assert doubts.sift(settled, settled_at=9.0) == [settled[2]]
    assert doubts.lost == settled[:2]
    assert doubts.contested == settled[3:]
    assert [row.maybe_written for row, _ in settled] == [True, True, False, False]
    assert doubts.rows == [settled[0][0], settled[1][0], settled[3][0]]
    # Only what a reply reports as written must be there.
    assert [doubts.must_be_there([row]) for row, _ in settled] == [False, True, False, False]
    # What was lost first is settled by then, too.
    assert doubts.settled_at == 9.0
    doubts.sift(settled_as("unknown"), settled_at=4.0)
    assert doubts.settled_at == 9.0


def test_each_of_both_kinds_is_a_doubt() -> None:
    for status in ("unknown", "rejected"):
        doubts = Doubts(KEY)
        doubts.sift(settled_as(status))
        assert doubts
        assert doubts.settled_at == 0.0


def test_a_refused_row_that_was_looked_for_is_contested_where_its_value_is_surely_taken() -> None:
    fresh = settled_as("rejected", "rejected")
    written = settled_as("rejected", "rejected")
    written[1][0].maybe_written = True
    conflict = settled_as("rejected", "rejected", category="CONFLICT")
    for settled, is_contested in (
        (fresh, [False, False]),
        (written, [False, True]),
        (conflict, [True, True]),
    ):
        doubts = Doubts(KEY)
        doubts.looked = {0, 1}
        certain = doubts.sift(settled)
        assert [pair in doubts.contested for pair in settled] == is_contested
        assert [pair in certain for pair in settled] == [not contested for contested in is_contested]
        # Only these have a record for sure.
        rows = [row for row, _ in settled]
        assert doubts.surely_taken(rows) == {row.index for row in rows if is_contested[row.index]}
        assert doubts.must_be_there(rows[1:]) is is_contested[1]
        assert not doubts.must_be_there([])


def test_the_records_that_refusals_name_are_known() -> None:
    doubts = Doubts(KEY)
    for category, message in (
        ("CONFLICT", "Existing ID: 45"),
        ("CONFLICT", "Existing ID: 46"),
        ("NEW", "Existing ID: 47"),
    ):
        doubts.contested += settled_as("rejected", category=category, message=message)
    assert doubts.named == {"45", "46"}
