"""What a record says of a row that may have created it, by the server's clock."""

from email.utils import formatdate
from typing import Any

import pytest

from hubspot_batch.bulk import _outcomes as outcomes
from hubspot_batch.bulk._doubt import Doubts, ServerClock, finding
from hubspot_batch.bulk._rows import Row, rows_from
from hubspot_batch.contract import _operations as contract
from hubspot_batch.results import Reason, Record, RecordError

KEY = "hs_external_order_id"
SENT = {KEY: "X-1", "hs_order_name": "Tea", "hs_total_price": "9", "hs_tags": "b;a"}
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


def test_what_the_attempt_cannot_have_created_exists() -> None:
    for found in (
        record("2026-09-01T07:59:57.900Z"),
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
    # A row that says when its record was created may say so of any time.
    dated = row(hs_createdate="2020-01-01")
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
    clock.learn({"date": "Tue, 01 Sep 2026 08:00:00 -0000"}, 100.0)
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
        (Reason(code="SOMETHING", property=None), True),
    ):
        error = RecordError(index=0, category="VALIDATION_ERROR", message="", reasons=(reason,))
        doubts = Doubts(KEY)
        rejected = outcomes.mistaken(fresh, error, None)
        certain = doubts.sift([(fresh, rejected)], {fresh.index: error})
        assert (bool(doubts), bool(certain)) == (looks, not looks)
