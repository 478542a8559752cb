"""Rows are distributed over batches: what must not travel together does not, what has an order keeps it."""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubspot_batch.bulk._plan import DEFAULT_CEILING, AdaptiveConcurrency, PlannedBatch, Planner
from hubspot_batch.bulk._rows import Row, body_of, rows_from
from hubspot_batch.contract import _operations as contract

MOST_BYTES = 4 * 2**20
MOST_OPEN = 8


def row(
    index: int, *, size: int = 10, conflict_keys: Sequence[Hashable] = (), order_keys: Sequence[Hashable] = ()
) -> Row:
    return Row(
        index=index,
        wire={},
        content=bytes(size),
        digest=b"",
        conflict_keys=(*conflict_keys, *order_keys),
        order_keys=order_keys,
    )


def planned(rows: Iterable[Row], planner: Planner | None = None) -> list[PlannedBatch]:
    planner = planner or Planner()
    batches = [batch for row in rows for batch in planner.add(row)]
    return [*batches, *planner.flush()]


def indexes(batches: Iterable[PlannedBatch]) -> list[list[int]]:
    return [[row.index for row in batch.rows] for batch in batches]


def test_no_rows_make_no_batch() -> None:
    assert planned([]) == []


@pytest.mark.parametrize(("count", "sizes"), [(1, [1]), (99, [99]), (100, [100]), (250, [100, 100, 50])])
def test_a_hundred_rows_travel_together(count: int, sizes: list[int]) -> None:
    batches = planned(row(index) for index in range(count))

    assert [len(batch.rows) for batch in batches] == sizes
    assert [index for batch in indexes(batches) for index in batch] == list(range(count))
    assert [batch.number for batch in batches] == list(range(len(sizes)))


def test_a_batch_leaves_as_soon_as_it_is_full() -> None:
    planner = Planner()
    for index in range(99):
        assert planner.add(row(index)) == []

    (batch,) = planner.add(row(99))

    assert batch.is_full
    assert planner.flush() == []


def test_a_batch_has_no_more_bytes_than_the_limit() -> None:
    half = MOST_BYTES // 2
    rest = MOST_BYTES - len(body_of([row(0, size=half), row(1, size=0)]))

    (full,) = planned([row(0, size=half), row(1, size=rest)])

    assert len(body_of(full.rows)) == MOST_BYTES
    assert indexes(planned([row(0, size=half), row(1, size=rest + 1)])) == [[0], [1]]


def test_a_row_that_is_larger_than_the_limit_travels_alone() -> None:
    assert indexes(planned([row(0), row(1, size=2 * MOST_BYTES), row(2)])) == [[0, 2], [1]]


def test_a_small_row_finds_its_place_beside_one_that_waits_for_room() -> None:
    sizes = [MOST_BYTES // 2 + 1, MOST_BYTES // 2 + 1, 10]

    assert indexes(planned(row(index, size=size) for index, size in enumerate(sizes))) == [[0, 2], [1]]


def test_rows_that_must_not_travel_together_do_not() -> None:
    rows = [
        row(0, conflict_keys=["a"]),
        row(1, conflict_keys=["a"]),
        row(2),
        row(3, conflict_keys=["b", "a"]),
        row(4, conflict_keys=["b"]),
    ]

    assert indexes(planned(rows)) == [[0, 2, 4], [1], [3]]


def test_rows_that_only_must_not_travel_together_need_not_wait_for_each_other() -> None:
    batches = planned([row(0, conflict_keys=["a"]), row(1, conflict_keys=["a"])])

    assert [batch.after for batch in batches] == [set(), set()]


def test_a_row_waits_for_the_batch_of_the_one_before_it() -> None:
    batches = planned(row(index, order_keys=["record"]) for index in range(3))

    assert indexes(batches) == [[0], [1], [2]]
    assert [batch.after for batch in batches] == [set(), {0}, {1}]


def test_a_row_of_several_records_waits_for_all_of_them() -> None:
    rows = [
        row(0, order_keys=["a"]),
        row(1, conflict_keys=["a"], order_keys=["b"]),
        row(2, order_keys=["a", "b"]),
    ]

    batches = planned(rows)

    assert indexes(batches) == [[0], [1], [2]]
    assert batches[2].after == {0, 1}


def test_a_row_does_not_overtake_into_an_older_batch() -> None:
    rows = [
        row(0, conflict_keys=["x"]),
        row(1, conflict_keys=["x"], order_keys=["record"]),
        row(2, order_keys=["record"]),
    ]

    assert indexes(planned(rows)) == [[0], [1], [2]]


def test_a_batch_that_is_full_takes_the_older_ones_with_it() -> None:
    planner = Planner()
    waiting = [row(0, size=MOST_BYTES), row(1, size=MOST_BYTES)]
    early = [batch for item in waiting for batch in planner.add(item)]
    full = [batch for index in range(2, 102) for batch in planner.add(row(index, size=20))]

    assert early == []
    assert [len(batch.rows) for batch in full] == [1, 1, 100]


def test_a_batch_that_is_full_leaves_the_younger_ones_open() -> None:
    planner = Planner()
    rows = [row(0, conflict_keys=["a"]), row(1, conflict_keys=["a"]), *map(row, range(2, 101))]

    assert indexes(batch for item in rows for batch in planner.add(item)) == [[0, *range(2, 101)]]
    assert indexes(planner.flush()) == [[1]]


def test_a_ninth_batch_sends_the_oldest_off() -> None:
    planner = Planner()
    for index in range(MOST_OPEN):
        assert planner.add(row(index, conflict_keys=["a"])) == []

    assert indexes(planner.add(row(MOST_OPEN, conflict_keys=["a"]))) == [[0]]
    assert len(planner.flush()) == MOST_OPEN


def test_what_is_finished_is_waited_for_no_more() -> None:
    planner = Planner()
    planner.add(row(0, order_keys=["record"]))
    (first,) = planner.flush()
    planner.finished(first)

    planner.add(row(1, order_keys=["record"]))

    assert [batch.after for batch in planner.flush()] == [set()]


def test_the_end_of_an_older_batch_does_not_hide_a_newer_one() -> None:
    planner = Planner()
    planner.add(row(0, order_keys=["record"]))
    planner.add(row(1, order_keys=["record"]))
    older, newer = planner.flush()
    planner.finished(older)

    planner.add(row(2, order_keys=["record"]))

    assert [batch.after for batch in planner.flush()] == [{newer.number}]


def test_nothing_is_remembered_of_batches_that_are_finished() -> None:
    planner = Planner()
    for index in range(1000):
        for batch in planner.add(row(index, order_keys=[index])):
            planner.finished(batch)

    assert planner._last == {}


def test_ten_thousand_line_items_that_are_alike_travel_alone() -> None:
    planner = Planner()
    sent = 0
    for first in range(0, 10_000, 100):
        items = [{"properties": {"name": "Frame", "quantity": "1"}}] * 100
        for item in rows_from(contract.operation("create_line_items"), items, first, None):
            batches = planner.add(item)
            assert [len(batch.rows) for batch in batches] == [1] * len(batches)
            sent += len(batches)
            assert item.index + 1 - sent <= MOST_OPEN

    assert sent + len(planner.flush()) == 10_000


def test_a_batch_shows_no_rows() -> None:
    batch = PlannedBatch(3)
    batch.add(row(0, conflict_keys=["secret"]))

    assert repr(batch) == "PlannedBatch(3, 1 rows)"


class Step(NamedTuple):
    """A row to add, and how many of the batches that have left are finished after it."""

    row: Row
    finished: int


@st.composite
def steps(draw: st.DrawFn) -> list[Step]:
    """Rows that meet in few keys; with few of them a batch gets full, with many of them it does not."""
    keys = st.lists(st.integers(0, draw(st.sampled_from([0, 3, 300]))), max_size=2, unique=True)
    sizes = st.sampled_from(draw(st.sampled_from([[10], [10, MOST_BYTES // 3, 2 * MOST_BYTES]])))
    drawn = draw(st.lists(st.tuples(keys, keys, sizes, st.integers(0, 3)), max_size=40))
    repeated = drawn * draw(st.sampled_from([1, 1, 20]))
    return [
        Step(
            row(
                n,
                size=size,
                conflict_keys=[f"conflict_keys-{key}" for key in conflict_keys],
                order_keys=order_keys,
            ),
            finished,
        )
        for n, (conflict_keys, order_keys, size, finished) in enumerate(repeated)
    ]


class Departures:
    """All batches that have left, and when they were finished, counted in rows."""

    def __init__(self) -> None:
        self.planner = Planner()
        self.batches: list[PlannedBatch] = []
        self.finished_at: dict[int, int] = {}

    def run(self, plan: Sequence[Step]) -> None:
        for number, step in enumerate(plan):
            self.batches += self.planner.add(step.row)
            assert len(self.planner._open) <= MOST_OPEN
            for _ in range(step.finished):
                self.finish_one(number + 1)
        self.batches += self.planner.flush()

    def finish_one(self, now: int) -> None:
        for batch in self.batches:
            if batch.number not in self.finished_at and batch.after <= self.finished_at.keys():
                self.finished_at[batch.number] = now
                self.planner.finished(batch)
                return


@given(steps())
@settings(deadline=None, max_examples=200)
def test_any_rows_travel_once_apart_in_order_and_within_the_limits(plan: list[Step]) -> None:
    departures = Departures()
    departures.run(plan)

    batches = departures.batches
    assert [batch.number for batch in batches] == list(range(len(batches)))
    assert sorted(index for batch in indexes(batches) for index in batch) == list(range(len(plan)))
    for batch in batches:
        keys = [key for row in batch.rows for key in row.conflict_keys]
        assert len(keys) == len(set(keys))
        assert 1 <= len(batch.rows) <= 100
        assert len(batch.rows) == 1 or len(body_of(batch.rows)) <= MOST_BYTES
        assert [row.index for row in batch.rows] == sorted(row.index for row in batch.rows)
        assert all(number < batch.number for number in batch.after)

    home = {row.index: batch for batch in batches for row in batch.rows}
    having: defaultdict[Hashable, list[int]] = defaultdict(list)
    for step in plan:
        for key in step.row.order_keys:
            having[key].append(step.row.index)
    for chain in having.values():
        for one, next_one in pairwise(chain):
            earlier, later = home[one].number, home[next_one].number
            assert earlier < later
            assert (
                earlier in home[next_one].after or departures.finished_at.get(earlier, len(plan)) <= next_one
            )


FAST = 1e9


def concurrency_at(duration: float, *, ceiling: int = DEFAULT_CEILING) -> AdaptiveConcurrency:
    concurrency = AdaptiveConcurrency(ceiling)
    for _ in range(100):
        concurrency.on_reply(duration)
    return concurrency


@pytest.mark.parametrize(("ceiling", "expected"), [(50, 4), (4, 4), (3, 3), (1, 1)])
def test_a_few_requests_begin(ceiling: int, expected: int) -> None:
    assert AdaptiveConcurrency(ceiling).target_for(FAST) == expected


def test_a_ceiling_is_optional() -> None:
    assert (
        concurrency_at(1.0, ceiling=DEFAULT_CEILING).target_for(FAST)
        == concurrency_at(1.0).target_for(FAST)
        == 40
    )


@pytest.mark.parametrize(
    ("rate", "duration", "expected"), [(19.0, 1.5, 30), (19.0, 0.1, 3), (19.0, 0.0, 1), (10.0, 0.25, 4)]
)
def test_as_many_as_a_duration_needs_to_fill_the_quota_and_one_more(
    rate: float, duration: float, expected: int
) -> None:
    assert concurrency_at(duration).target_for(rate) == expected


def test_the_first_reply_tells_the_duration() -> None:
    concurrency = AdaptiveConcurrency()
    concurrency.on_reply(2.0)

    assert concurrency.target_for(10.0) == 21


def test_it_is_never_above_the_ceiling() -> None:
    assert concurrency_at(3600.0, ceiling=7).target_for(100.0) == 7


def test_it_follows_a_duration_that_changes() -> None:
    concurrency = concurrency_at(0.1)
    for _ in range(100):
        concurrency.on_reply(1.0)

    assert concurrency.target_for(10.0) == pytest.approx(11, abs=1)


def test_durations_that_vary_ask_for_more_than_their_mean() -> None:
    steady, varying = concurrency_at(1.0), AdaptiveConcurrency()
    for _ in range(100):
        varying.on_reply(0.5)
        varying.on_reply(1.5)

    assert varying.target_for(10.0) > steady.target_for(10.0) + 5


def test_a_failure_halves_it_and_each_reply_brings_one_back() -> None:
    concurrency = concurrency_at(3600.0, ceiling=20)

    levels = []
    for _ in range(3):
        concurrency.on_failure()
        levels.append(concurrency.target_for(FAST))
    for _ in range(20):
        concurrency.on_reply(3600.0)
        levels.append(concurrency.target_for(FAST))

    assert levels == [10, 5, 2, *range(3, 21), 20, 20]


def test_one_request_is_left_after_any_failure() -> None:
    concurrency = AdaptiveConcurrency(4)
    for _ in range(10):
        concurrency.on_failure()

    assert concurrency.target_for(FAST) == 1
