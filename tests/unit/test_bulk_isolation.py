"""Bad rows are found in few requests, and no good row is lost for them."""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubspot_batch.bulk.isolation import isolate

Sent = list[tuple[list[int], bool]]


def play(rows: Sequence[int], is_refused: Callable[[Sequence[int]], bool]) -> Sent:
    """Return all requests that are asked for, and whether each was refused."""
    sent: Sent = []
    parts = isolate(rows)
    with suppress(StopIteration):
        part = next(parts)
        while True:
            refused = is_refused(part)
            sent.append((list(part), refused))
            part = parts.send(refused)
    return sent


def with_bad(rows: Sequence[int], bad: set[int]) -> Sent:
    return play(rows, lambda part: not bad.isdisjoint(part))


@pytest.mark.parametrize("count", [1, 2, 100])
def test_rows_that_are_not_refused_are_sent_once(count: int) -> None:
    assert with_bad(range(count), set()) == [(list(range(count)), False)]


def test_a_row_that_is_refused_alone_is_not_sent_again() -> None:
    assert with_bad([7], {7}) == [([7], True)]


def test_rows_that_are_refused_are_halved() -> None:
    assert with_bad(range(4), {0}) == [
        ([0, 1, 2, 3], True),
        ([0, 1], True),
        ([0], True),
        ([1], False),
        ([2, 3], False),
    ]


def test_where_the_first_half_is_not_at_fault_the_second_is_not_tried_as_a_whole() -> None:
    assert with_bad(range(4), {3}) == [([0, 1, 2, 3], True), ([0, 1], False), ([2], False), ([3], True)]


def test_one_bad_row_of_a_hundred_takes_at_most_thirteen_more_requests() -> None:
    assert max(len(with_bad(range(100), {bad})) for bad in range(100)) == 1 + 13


@pytest.mark.parametrize("count", [2, 3, 5, 100])
def test_rows_that_are_refused_only_together_all_arrive(count: int) -> None:
    sent = play(range(count), lambda part: {0, count - 1} <= set(part))

    assert sorted(row for part, refused in sent if not refused for row in part) == list(range(count))


@st.composite
def bad_rows(draw: st.DrawFn) -> tuple[int, set[int]]:
    count = draw(st.integers(1, 100))
    return count, draw(st.sets(st.integers(0, count - 1), min_size=1))


@given(bad_rows())
@settings(deadline=None, max_examples=300)
def test_good_rows_are_accepted_once_and_bad_ones_refused_alone(
    case: tuple[int, set[int]],
) -> None:
    count, bad = case

    sent = with_bad(range(count), bad)

    accepted = Counter(row for part, refused in sent if not refused for row in part)
    assert accepted == Counter(set(range(count)) - bad)
    assert sorted(part[0] for part, refused in sent if refused and len(part) == 1) == sorted(bad)
    assert len(sent) - 1 <= 2 * len(bad) * (math.log2(count / len(bad)) + 1)
