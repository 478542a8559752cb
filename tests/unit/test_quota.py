"""When a request may leave: held against a server that counts strictly, in a window that rolls."""

import heapq
import itertools
import os
import random
import sys
import threading
import warnings
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubspot_batch import SharedQuota
from hubspot_batch.errors import ConfigurationError
from hubspot_batch.transport import _quota as quota_module
from hubspot_batch.transport._quota import (
    SOON,
    AttemptReport,
    Limit,
    Quota,
    QuotaState,
    correction,
    limits_of,
    next_send_time,
    nth_last,
)
from tests.conftest import case

MAX = "x-hubspot-ratelimit-max"
INTERVAL = "x-hubspot-ratelimit-interval-milliseconds"
DAILY = "x-hubspot-ratelimit-daily"
DAILY_REMAINING = "x-hubspot-ratelimit-daily-remaining"


class StrictServer:
    """Counts the requests of a rolling window, at its own clock; written apart from the quota."""

    def __init__(self, limit: int, window: float) -> None:
        self._limit = limit
        self._window = window
        self._taken: deque[float] = deque()

    def takes(self, when: float) -> bool:
        while self._taken and self._taken[0] <= when - self._window:
            self._taken.popleft()
        if len(self._taken) >= self._limit:
            return False
        self._taken.append(when)
        return True


def departures(quota: Quota, count: int, now: float = 0.0) -> list[float]:
    return [quota.reserve(now) for _ in range(count)]


def headers(limit: int, window: float = 10.0) -> dict[str, str]:
    return {MAX: str(limit), INTERVAL: str(round(window * 1000))}


gaps = st.lists(st.floats(0, 30) | st.just(0.0), max_size=200)


@given(st.integers(1, 12), st.floats(0.05, 60), gaps)
def test_a_strict_server_takes_every_request(limit: int, window: float, gaps: list[float]) -> None:
    quota, server, now = Quota(limit, window), StrictServer(limit, window), 1000.0
    for gap in gaps:
        now += gap
        send_time = quota.reserve(now)
        assert send_time >= now
        assert server.takes(send_time)


@given(
    st.integers(1, 12), st.floats(0.05, 60), st.lists(st.tuples(st.floats(0, 5), st.booleans()), max_size=200)
)
def test_a_strict_server_takes_every_request_of_one_who_waits_for_each(
    limit: int, window: float, steps: list[tuple[float, bool]]
) -> None:
    quota, server, now = Quota(limit, window), StrictServer(limit, window), 0.0
    for gap, waits in steps:
        send_time = quota.reserve(now + gap)
        assert server.takes(send_time)
        now = send_time if waits else now + gap


@given(st.integers(1, 12), st.floats(0.05, 60), st.lists(st.floats(0, 100), max_size=100))
def test_callers_whose_clocks_are_read_out_of_order_exceed_nothing(
    limit: int, window: float, moments: list[float]
) -> None:
    quota, server = Quota(limit, window), StrictServer(limit, window)
    for now in moments:
        send_time = quota.reserve(now)
        assert send_time >= now
        assert server.takes(send_time)


@pytest.mark.parametrize(("limit", "window"), [(1, 10.0), (100, 10.0), (190, 10.0), (250, 10.0), (5, 60.0)])
def test_a_saturated_quota_is_used_to_at_least_98_per_cent(limit: int, window: float) -> None:
    windows = 50
    quota = Quota(limit, window)
    sent = sum(send_time < windows * window for send_time in departures(quota, limit * (windows + 1)))
    assert 0.98 * limit * windows <= sent <= limit * windows


def test_as_many_as_fit_leave_at_once_and_the_next_after_the_window_and_its_margin() -> None:
    assert departures(Quota(3, 10.0), 7, now=5.0) == [5.0, 5.0, 5.0, 15.1, 15.1, 15.1, pytest.approx(25.2)]


def test_a_place_in_the_window_comes_free_a_window_after_it_was_taken() -> None:
    quota = Quota(2, 10.0)
    assert [quota.reserve(now) for now in (0.0, 4.0, 5.0, 5.0, 30.0)] == [0.0, 4.0, 10.1, 14.1, 30.0]


def test_what_left_long_ago_is_forgotten() -> None:
    quota = Quota(190, 10.0)
    for now in range(10_000):
        assert quota.reserve(float(now)) == now
    assert len(quota._log.left) < 200


def test_the_older_half_of_a_log_is_forgotten_at_once_where_all_of_it_is_old() -> None:
    for times, before, kept in (
        ([0.0, 1.0, 2.0, 3.0, 4.0], 2.5, [3.0, 4.0]),
        ([0.0, 1.0, 2.0, 3.0, 4.0], 2.0, [0.0, 1.0, 2.0, 3.0, 4.0]),
        ([0.0, 1.0, 2.0, 3.0], 1.5, [2.0, 3.0]),
        ([0.0], 1.0, []),
        ([], 1.0, []),
    ):
        log = quota_module._Log()
        log.waiting, log.left, log.answered = [*times], [*times], [*times]
        log.forget(before)
        assert log.waiting == log.left == log.answered == kept


def test_what_left_within_the_longest_window_is_not_forgotten() -> None:
    quota = Quota(2, 60.0)
    assert [quota.reserve(now) for now in (0.0, 59.0, 59.0)] == [0.0, 59.0, 60.1]


def test_no_more_than_the_latest_500_replies_tell_what_was_overtaken() -> None:
    quota = Quota(1000, 60.0)
    for number in range(501):
        send_time = quota.reserve(0.0)
        quota.ended(AttemptReport(send_time=send_time, sent=number / 100, ended=6.0, headers={}))
    assert len(quota._log._turns) == 500


def test_no_request_overtakes_another() -> None:
    quota = Quota(3, 10.0)
    assert quota.reserve(8.0) == 8.0
    assert quota.reserve(2.0) == 8.0


def test_a_departure_that_is_given_back_takes_no_place() -> None:
    quota = Quota(2, 10.0)
    *_, held = departures(quota, 3)
    assert quota.reserve(12.0, held=held) == 12.0
    assert departures(quota, 2, now=12.0) == [12.0, 22.1]


def test_a_departure_that_is_forgotten_already_is_reserved_anew() -> None:
    quota = Quota(2, 10.0)
    departures(quota, 2)
    assert quota.reserve(0.0, held=-99.0) == 10.1
    quota = Quota(3, 10.0)
    quota.reserve(8.0)
    assert quota.reserve(2.0, held=-99.0) == 8.0


def test_a_departure_that_is_due_but_for_a_rounding_is_now() -> None:
    for later in (SOON / 2, SOON):
        quota = Quota(2, 10.0)
        quota.reserve(later)
        assert quota.reserve(0.0) == 0.0


def test_one_that_waits_keeps_its_distance_from_one_that_has_left_by_a_later_clock() -> None:
    quota = Quota(1, 10.0)
    assert departures(quota, 2) == [0.0, 10.1]
    assert quota.reserve(25.0) == 25.0
    assert quota.reserve(24.0, held=10.1) == 35.1


def test_one_that_waits_for_its_time_leaves_before_those_that_wait_longer() -> None:
    quota = Quota(1, 10.0)
    assert departures(quota, 3) == pytest.approx([0.0, 10.1, 20.2])
    assert quota.reserve(10.1, held=10.1) == 10.1


def test_one_that_left_late_holds_up_the_one_that_follows_it() -> None:
    quota = Quota(1, 10.0)
    first, second = departures(quota, 2)
    quota.ended(AttemptReport(send_time=first, sent=0.7, ended=0.8))
    later = quota.reserve(second, held=second)
    assert later == pytest.approx(10.8)
    assert quota.reserve(later, held=later) == later


def test_many_that_wait_for_one_time_each_get_a_time_of_their_own() -> None:
    quota = Quota(3, 10.0)
    first = [quota.reserve(now) for now in (0.0, 0.0, 0.0)]
    waiting = departures(quota, 3)
    assert waiting == [10.1] * 3
    for send_time, sent in zip(first, (0.1, 0.2, 0.3), strict=True):
        quota.ended(AttemptReport(send_time=send_time, sent=sent, ended=sent))
    later = [quota.reserve(10.1, held=held) for held in waiting]
    assert sorted(later) == pytest.approx([10.2, 10.3, 10.4])
    assert [quota.reserve(time, held=time) for time in sorted(later)] == sorted(later)


def test_without_arguments_it_is_the_smallest_quota_of_any_account() -> None:
    quota = Quota()
    assert (quota.limit, quota.window, quota.margin) == (100, 10.0, 0.1)
    assert departures(quota, 101) == [0.0] * 100 + [10.1]


def test_a_quota_that_makes_no_sense_is_an_error_that_shows_a_right_one() -> None:
    cases: list[tuple[object, object]] = [
        (0, 10.0),
        (-1, 10.0),
        (1.5, 10.0),
        (float("nan"), 10.0),
        (float("inf"), 10.0),
        ("190", 10.0),
        (True, 10.0),
        (10**9 + 1, 10.0),
        (10**30, 10.0),
        (190, 0.0),
        (190, -1.0),
        (190, 60.5),
        (190, float("nan")),
        (190, float("inf")),
        (190, None),
        (190, "10"),
    ]
    for limit, window in cases:
        with (
            case(limit, window),
            pytest.raises(ConfigurationError, match=r"write it like Quota\(190, 10\.0\)$"),
        ):
            Quota(limit, window)  # type: ignore[arg-type]


@pytest.mark.parametrize(("limit", "window"), [(1, 0.001), (1, 60), (250, 60.0), (10**9, 10.0)])
def test_the_bounds_of_a_quota_are_part_of_it(limit: int, window: float) -> None:
    quota = Quota(limit, window)
    assert (quota.limit, quota.window) == (limit, window)


def test_the_repr_of_one_that_is_half_made_does_not_raise() -> None:
    assert repr(Quota.__new__(Quota)) == "<Quota, not initialized>"


def test_its_repr_shows_limit_and_window() -> None:
    assert repr(Quota(190, 10.0)) == "Quota(limit=190, window=10.0)"


def test_after_a_fork_the_locks_are_new() -> None:
    quota = Quota()
    with quota._lock:
        quota_module._after_fork()
        assert quota.reserve(0.0) == 0.0


@pytest.mark.posix
def test_a_process_that_forks_has_locks_of_its_own() -> None:
    quota = Quota()
    with quota._lock, warnings.catch_warnings():
        # Of other threads, which the child does not need.
        warnings.simplefilter("ignore", DeprecationWarning)
        process = os.fork()
        if process == 0:
            os._exit(0 if quota._lock.acquire(blocking=False) else 1)
    assert os.waitpid(process, 0) == (process, 0)


@pytest.mark.anyio
async def test_without_blocking_it_does_the_same() -> None:
    quota = Quota(1, 10.0)
    assert [await quota.reserve_async(0.0) for _ in range(2)] == [0.0, 10.1]
    assert await quota.reserve_async(10.1, held=10.1) == 10.1
    quota = Quota()
    assert [await quota.reserve_async(0.0) for _ in range(101)] == [0.0] * 100 + [10.1]
    assert await quota.reserve_async(0.0, on_guess=False) == 0.25
    await quota.ended_async(AttemptReport(send_time=0.0, sent=0.0, ended=0.1, headers=headers(190)))
    assert quota.limit == 190


def test_figures_cannot_be_changed_so_that_threads_may_read_them() -> None:
    with pytest.raises(AttributeError):
        QuotaState().margin = 1.0  # type: ignore[misc]


def test_each_constant_of_the_arithmetic_is_told_by_its_name() -> None:
    for name, value in quota_module.CONSTANTS.items():
        assert value == getattr(quota_module, name, getattr(quota_module, f"_{name}", None))


# What the headers of a reply say.


def test_it_learns_limit_and_window_from_a_reply() -> None:
    quota = Quota(100, 10.0)
    quota.learn({MAX: "2", INTERVAL: "5000", "content-type": "application/json"})
    assert (quota.limit, quota.window) == (2, 5.0)
    assert departures(quota, 3) == [0.0, 0.0, 5.1]


def test_from_headers_that_make_no_sense_it_learns_nothing() -> None:
    cases: list[dict[str, str]] = [
        {},
        {MAX: "50"},
        {INTERVAL: "5000"},
        {MAX: "0", INTERVAL: "5000"},
        {MAX: "-50", INTERVAL: "5000"},
        {MAX: "50", INTERVAL: "0"},
        {MAX: "50", INTERVAL: "-5000"},
        {MAX: "50", INTERVAL: "60001"},
        {MAX: "50", INTERVAL: "86400000"},
        {MAX: "many", INTERVAL: "5000"},
        {MAX: "50", INTERVAL: "soon"},
        {MAX: "", INTERVAL: ""},
        {MAX: "50.5", INTERVAL: "5000"},
        {MAX: "5e1", INTERVAL: "5000"},
        {MAX: "nan", INTERVAL: "inf"},
        {MAX: "\u0665\u0660", INTERVAL: "5000"},
        {MAX: "5\u00b2", INTERVAL: "5000"},
        {MAX: "1234567890", INTERVAL: "5000"},
        {MAX: "9" * 5000, INTERVAL: "5000"},
        {MAX: "50", INTERVAL: "9" * 5000},
    ]
    for heard in cases:
        with case(heard):
            quota = Quota(190, 10.0)
            quota.learn(heard)
            assert (quota.limit, quota.window) == (190, 10.0)
            without_limit = Quota()
            without_limit.learn(heard)
            assert not without_limit.limit_known


def test_a_window_may_be_shorter_than_a_second() -> None:
    quota = Quota()
    quota.learn({MAX: "2", INTERVAL: "500"})
    assert (quota.limit, quota.window) == (2, 0.5)


def test_the_longest_window_that_it_believes_is_a_minute() -> None:
    quota = Quota(190, 10.0)
    quota.learn({MAX: "100", INTERVAL: "60000"})
    assert (quota.limit, quota.window) == (100, 60.0)


def test_what_it_has_learnt_already_changes_nothing() -> None:
    quota = Quota(3, 10.0)
    first = departures(quota, 2)
    quota.learn(headers(3))
    assert first + departures(quota, 2) == [0.0, 0.0, 0.0, 10.1]


def test_a_lower_limit_counts_what_has_left_already() -> None:
    quota = Quota(5, 10.0)
    assert [quota.reserve(now) for now in (0.0, 1.0, 2.0, 3.0)] == [0.0, 1.0, 2.0, 3.0]
    quota.learn(headers(2))
    assert departures(quota, 3, now=4.0) == [pytest.approx(12.1), pytest.approx(13.1), pytest.approx(22.2)]


def test_without_a_limit_of_the_caller_a_higher_one_counts_what_has_left_already() -> None:
    quota = Quota()
    quota.learn(headers(2))
    assert departures(quota, 2) == [0.0, 0.0]
    quota.learn(headers(5))
    assert departures(quota, 4) == [0.0, 0.0, 0.0, 10.1]


def test_a_limit_that_the_caller_gives_is_lowered_by_replies_and_never_raised() -> None:
    quota = Quota(100, 10.0)
    known = []
    for heard in (headers(190), headers(50), headers(190), headers(1000, 60.0)):
        quota.learn(heard)
        known.append((quota.limit, quota.window))
    assert known == [(100, 10.0), (50, 10.0), (100, 10.0), (100, 10.0)]


def test_a_limit_that_another_implies_is_not_kept_to_as_well() -> None:
    first = Limit(100, 10.0)
    cases: list[tuple[Limit | None, Limit | None, Sequence[Limit]]] = [
        (None, None, [first]),
        (Limit(50, 10.0), None, [Limit(50, 10.0)]),
        (None, Limit(100, 10.0), [first]),
        (Limit(50, 10.0), Limit(100, 10.0), [Limit(50, 10.0)]),
        (Limit(100, 10.0), Limit(50, 10.0), [Limit(50, 10.0)]),
        (Limit(100, 60.0), Limit(100, 10.0), [Limit(100, 60.0)]),
        (Limit(100, 10.0), Limit(100, 60.0), [Limit(100, 60.0)]),
        (Limit(100, 10.0), Limit(150, 60.0), [Limit(150, 60.0), Limit(100, 10.0)]),
        (Limit(150, 60.0), Limit(100, 10.0), [Limit(150, 60.0), Limit(100, 10.0)]),
    ]
    for told, ceiling, kept in cases:
        with case(told, ceiling):
            assert [*limits_of(QuotaState(told=told), first, ceiling)] == kept


def test_limits_of_other_windows_are_both_kept() -> None:
    quota = Quota(4, 60.0)
    quota.learn(headers(3, 10.0))
    assert (quota.limit, quota.window) == (4, 60.0)
    assert departures(quota, 5) == [0.0, 0.0, 0.0, 10.1, 60.1]


def test_a_limit_that_falls_and_rises_again_forgets_nothing_that_has_left() -> None:
    quota, server = Quota(4, 10.0), StrictServer(4, 10.0)
    sent = departures(quota, 4)
    quota.learn(headers(2))
    quota.learn(headers(4))
    sent += departures(quota, 4)
    assert all(server.takes(send_time) for send_time in sent)


@given(
    st.lists(st.tuples(st.integers(1, 8), st.sampled_from([1.0, 10.0, 60.0]), st.integers(0, 12)), max_size=5)
)
def test_after_any_change_no_window_holds_more_than_the_limit_that_is_known_then(
    changes: list[tuple[int, float, int]],
) -> None:
    quota, now = Quota(), 0.0
    sent: list[float] = []
    for limit, window, count in changes:
        quota.learn(headers(limit, window))
        for _ in range(count):
            sent.append(quota.reserve(now))
            assert sent[-1] >= now
            assert sum(sent[-1] - window < send_time for send_time in sent) <= limit
        now = max([now, *sent])


# What they say of the day.


def daily(quota: Quota) -> tuple[int | None, int | None]:
    return quota.daily_limit, quota.daily_remaining


def test_until_a_reply_tells_it_knows_nothing_of_the_day() -> None:
    quota = Quota()
    quota.learn(headers(190))
    assert daily(quota) == (None, None)


def test_it_learns_what_the_latest_reply_that_tells_says_of_the_day() -> None:
    quota = Quota()
    quota.learn({DAILY: "250000", DAILY_REMAINING: "249999"})
    assert daily(quota) == (250_000, 249_999)
    quota.learn({DAILY: "250000", DAILY_REMAINING: "0"})
    assert daily(quota) == (250_000, 0)
    quota.learn(headers(190))
    assert daily(quota) == (250_000, 0)
    assert (quota.limit, quota.window) == (190, 10.0)


def test_the_most_that_it_believes_of_a_day_has_nine_digits() -> None:
    quota = Quota()
    quota.learn({DAILY: "999999999"})
    assert daily(quota) == (999_999_999, None)


def test_limit_and_rest_of_a_day_are_learned_apart() -> None:
    quota = Quota()
    quota.learn({DAILY: "250000"})
    assert daily(quota) == (250_000, None)
    quota.learn({DAILY_REMAINING: "7", DAILY: "many"})
    assert daily(quota) == (250_000, 7)


def test_of_a_day_that_makes_no_sense_it_learns_nothing() -> None:
    for heard in (
        "",
        "-1",
        "soon",
        "1.5",
        "1e5",
        "nan",
        "\u0665",
        "1234567890",
        "9" * 5000,
    ):
        with case(heard):
            quota = Quota()
            quota.learn({DAILY: "250000", DAILY_REMAINING: "5"})
            quota.learn({DAILY: heard, DAILY_REMAINING: heard})
            assert daily(quota) == (250_000, 5)


# When a request arrived.


def after(quota: Quota, sent: float, ended: float) -> float:
    """Return how long after a request was sent its place comes free, if its reply came then."""
    send_time = quota.reserve(sent)
    quota.ended(AttemptReport(send_time=send_time, sent=sent, ended=ended, headers={}))
    free = quota.reserve(sent)
    quota.reserve(free + 1000.0, held=free)
    return free - sent


def test_a_reply_that_took_longer_than_the_fastest_says_that_its_request_may_have_arrived_late() -> None:
    quota = Quota(1, 10.0)
    took = [after(quota, sent, sent + took) for sent, took in ((0.0, 0.3), (2000.0, 0.1), (4000.0, 0.5))]
    assert took == pytest.approx([10.05, 10.05, 10.45], abs=0.001)
    assert after(quota, 6000.0, 6009.0) == pytest.approx(11.05)


def test_a_faster_reply_tells_that_earlier_requests_may_have_arrived_later_than_thought() -> None:
    quota = Quota(3, 10.0)
    sent = departures(quota, 3)
    for send_time, heard in zip(sent, (0.5, 0.49, 0.1), strict=True):
        quota.ended(AttemptReport(send_time=send_time, sent=0.0, ended=heard, headers={}))
    assert departures(quota, 3, now=1.0) == pytest.approx([10.05, 10.44, 10.44], abs=0.001)


def test_what_is_learned_of_replies_says_nothing_of_a_request_that_got_none() -> None:
    quota = Quota(3, 10.0)
    sent = departures(quota, 3)
    told: list[tuple[float, dict[str, str] | None]] = [(0.5, {}), (0.5, None), (0.1, {})]
    for send_time, (ended, heard) in zip(sent, told, strict=True):
        quota.ended(AttemptReport(send_time=send_time, sent=0.0, ended=ended, headers=heard))
    assert departures(quota, 3, now=1.0) == pytest.approx([10.05, 10.1, 10.45], abs=0.001)


def test_a_request_that_a_later_one_has_overtaken_did_not_wait_for_its_turn() -> None:
    quota = Quota(3, 10.0)
    sent = departures(quota, 3)
    for send_time, left, heard in zip(sent, (0.1, 0.0, 0.2), (0.2, 5.0, 5.0), strict=True):
        quota.ended(AttemptReport(send_time=send_time, sent=left, ended=heard, headers={}))
    assert departures(quota, 3, now=5.0) == pytest.approx([10.15, 10.15, 11.25], abs=0.001)


def test_where_replies_take_now_longer_and_now_shorter_little_of_the_quota_is_lost() -> None:
    quota = Quota(1, 10.0)
    late = [after(quota, 2000.0 * number, 2000.0 * number + number % 2) for number in range(200)]
    assert max(late[:20]) == pytest.approx(11.05)
    assert sum(late[-100:]) / 100 == pytest.approx(10.11, abs=0.001)


def test_thirty_seconds_are_saved_to_begin_with() -> None:
    state, arrivals = QuotaState(latency=0.0), []
    attempt = AttemptReport(send_time=0.0, sent=0.0, ended=1.0, headers={})
    for _ in range(40):
        state, arrival = quota_module.ended(state, attempt, 1.0)
        arrivals.append(arrival)
    # Each reply saves six hundredths of a second, and takes one.
    assert arrivals == pytest.approx([0.95] * 31 + [0.06 + 30 - 31 * 0.94 - 0.05] + [0.01] * 8)


def test_a_service_that_becomes_slower_for_good_is_found_out() -> None:
    quota, sent = Quota(1, 10.0), 0.0
    after(quota, sent, 0.1)
    for _ in range(3000):
        sent += 2000.0
        late = after(quota, sent, sent + 1.0)
    assert late == pytest.approx(10.05)


def test_a_429_says_nothing_of_how_long_replies_take() -> None:
    quota = Quota(1, 10.0)
    send_time = quota.reserve(0.0)
    quota.ended(AttemptReport(send_time=send_time, sent=0.0, ended=0.001, headers={}, refused_until=5.0))
    assert quota.paused_until == 5.0
    assert quota.margin == pytest.approx(0.15)
    # A margin that has grown, and a reply that is the fastest so far.
    assert after(quota, 2000.0, 2000.3) == pytest.approx(10.0 + quota.margin - 0.05, abs=0.01)


@given(
    st.lists(st.floats(0, 9) | st.integers(0, 3).map(float)),
    st.lists(st.floats(0, 9) | st.integers(0, 3).map(float)),
    st.integers(1, 9),
)
def test_the_nth_last_of_two_sequences_is_that_of_both_together(
    ones: list[float], others: list[float], n: int
) -> None:
    both = sorted(ones + others)
    expected = both[-n] if n <= len(both) else float("-inf")
    assert nth_last(sorted(ones), sorted(others), n) == expected


def test_the_nth_last_is_found_for_sequences_of_any_two_lengths() -> None:
    for count, other_count, seed in itertools.product(range(9), range(9), range(3)):
        dice = random.Random(seed)  # noqa: S311 - no secret
        ones = sorted(dice.randrange(12) / 2 for _ in range(count))
        others = sorted(dice.randrange(12) / 2 for _ in range(other_count))
        both = sorted(ones + others)
        for n in range(1, len(both) + 1):
            assert nth_last(ones, others, n) == both[-n]
        assert nth_last(ones, others, len(both) + 1) == float("-inf")


def test_a_reply_corrects_what_was_concluded_where_it_is_faster_by_two_hundredths_of_a_second() -> None:
    for before, after, later in (
        (None, None, 0.0),
        (None, 0.5, 0.0),
        (0.5, None, 0.0),
        (0.5, 0.5, 0.0),
        (0.01, 0.0, 0.0),
        (0.02, 0.0, 0.02),
        (0.75, 0.25, 0.5),
        (3.0, 0.5, 1.0),
    ):
        assert correction(QuotaState(latency=before), QuotaState(latency=after)) == later


def test_a_time_within_a_millionth_of_a_second_has_come() -> None:
    def sent_at(oldest: float) -> float:
        return next_send_time(QuotaState(margin=0.0), [Limit(1, 0.0)], 0.0, lambda _limit, _time: oldest)

    assert [sent_at(oldest) for oldest in (SOON / 2, SOON, SOON * 2)] == [0.0, 0.0, SOON * 2]


# After a 429.


def test_after_a_429_nothing_leaves_until_the_pause_is_over() -> None:
    quota = Quota(2, 10.0)
    assert quota.reserve(0.0) == 0.0
    quota.refused(7.5, 0.5)
    assert quota.paused_until == 7.5
    assert quota.reserve(1.0) == 7.5
    assert 10.1 < quota.reserve(9.0) <= 10.15


def test_a_shorter_pause_does_not_end_a_longer_one() -> None:
    quota = Quota(2, 10.0)
    quota.refused(7.5, 0.0)
    quota.refused(3.0, 1.0)
    assert quota.paused_until == 7.5
    assert quota.reserve(0.0) == 7.5


def test_a_pause_that_is_over_changes_nothing() -> None:
    quota = Quota(2, 10.0)
    quota.refused(7.5, 0.0)
    assert quota.reserve(8.0) == 8.0


def test_before_any_429_nothing_is_paused() -> None:
    assert Quota().paused_until == float("-inf")
    assert Quota().reserve(-1000.0) == -1000.0


def test_the_margin_grows_with_each_pause_up_to_two_seconds() -> None:
    quota = Quota(1, 10.0)
    margins = []
    for number in range(10):
        quota.refused(number + 1.0, float(number))
        margins.append(quota.margin)
    grown = [0.15, 0.225, 0.3375, 0.50625, 0.759375, 1.1390625, 1.70859375, 2.0, 2.0, 2.0]
    assert margins == pytest.approx(grown)
    first, second = departures(quota, 2)
    assert second - first == pytest.approx(12.0, abs=0.2)


def test_refusals_that_arrive_during_a_pause_prolong_it_and_leave_the_margin_alone() -> None:
    quota = Quota(100, 10.0)
    for late in range(8):
        quota.refused(10.0 + late, float(late))
    assert quota.margin == pytest.approx(0.15)
    assert quota.paused_until == 17.0
    quota.refused(27.0, 17.0)
    assert quota.margin == pytest.approx(0.225)


@pytest.mark.parametrize(("limit", "window"), [(100, 10.0), (190, 10.0), (250, 10.0), (5, 1.0), (20, 60.0)])
def test_a_minute_at_a_full_quota_undoes_one_growth_of_the_margin(limit: int, window: float) -> None:
    quota = Quota(limit, window)
    quota.refused(0.0, -10.0)
    per_minute = round(limit * 60 / window)

    departures(quota, round(0.9 * per_minute))
    assert 0.1 < quota.margin < 0.15
    departures(quota, round(0.2 * per_minute))
    assert quota.margin == 0.1

    quota.refused(1e6, 1e6)
    quota.refused(2e6, 2e6)
    departures(quota, per_minute)
    assert quota.margin == pytest.approx(0.15)


def test_a_margin_that_no_request_tries_stays() -> None:
    quota = Quota(190, 10.0)
    quota.refused(10.0, 0.0)
    quota.reserve(100_000.0)
    assert quota.margin == pytest.approx(0.15, rel=0.001)


def test_a_burst_of_refusals_costs_less_than_one_per_cent_of_the_next_minute() -> None:
    quota = Quota(190, 10.0)
    departures(quota, 190)
    for _ in range(8):
        quota.refused(20.0, 10.0)
    sent = sum(send_time < 80.0 for send_time in departures(quota, 1500))
    assert sent >= 0.99 * 190 * 6


# Before the first reply.


def test_what_waits_for_a_guessed_limit_asks_again_until_a_reply_tells_it() -> None:
    quota = Quota(window=10.0)
    assert [quota.reserve(0.0, on_guess=False) for _ in range(300)] == [0.0] * 100 + [0.25] * 200
    quota.learn(headers(190))
    left = [quota.reserve(0.25, on_guess=False) for _ in range(200)]
    assert left == pytest.approx([0.25] * 90 + [10.1] * 100 + [10.35] * 10)


def test_a_pause_before_the_first_reply_is_kept_to() -> None:
    quota = Quota()
    quota.refused(7.0, 0.0)
    assert [quota.reserve(0.0, on_guess=False) for _ in range(200)] == [7.0] * 200


def test_a_limit_that_the_caller_gives_is_not_a_guess() -> None:
    quota = Quota(1, 10.0)
    assert [quota.reserve(0.0, on_guess=False) for _ in range(2)] == [0.0, 10.1]


# Eight clients of one quota, in simulated time.


class Simulation:
    """A service that counts strictly, and clients who are late in all the ways in which clients are.

    Connections are made for the first requests, which takes time; the processor is busy, so that clients
    wake, send and hear late; and the service looks at one request at a time, and stops for a moment now and
    then.
    """

    def __init__(self, quotas: Sequence[Quota], seed: int, stalls: float) -> None:
        self.refused = 0
        self.arrivals: list[float] = []
        self._quotas = quotas
        self._dice = random.Random(seed)  # noqa: S311 - no secret
        self._stalls = stalls
        self._server = StrictServer(190, 10.0)
        self._idle_from = 0.0
        self._order = itertools.count()
        self._events: list[tuple[float, int, Callable[..., None], tuple[Any, ...]]] = []

    def run(self, in_flight: int, seconds: float) -> None:
        for number in range(in_flight * len(self._quotas)):
            start = self._dice.uniform(0.0, 0.1)
            self._at(start, self._ask, self._quotas[number % len(self._quotas)], None, 0)
        while self._events and self._events[0][0] < seconds:
            now, _, action, given = heapq.heappop(self._events)
            action(now, *given)

    def _at(self, time: float, action: Callable[..., None], *given: object) -> None:
        heapq.heappush(self._events, (time, next(self._order), action, given))

    def _ask(self, now: float, quota: Quota, held: float | None, sent: int) -> None:
        send_time = quota.reserve(now, held=held, on_guess=False)
        if send_time > now:
            kept = send_time if quota.limit_known else None
            self._at(send_time + self._dice.expovariate(1 / 0.003), self._ask, quota, kept, sent)
        else:
            connecting = 0.0 if sent else self._dice.uniform(0.0, 0.4)
            self._at(now + connecting + self._busy(), self._send, quota, send_time, sent)

    def _send(self, now: float, quota: Quota, send_time: float, sent: int) -> None:
        arrival = max(now + self._dice.uniform(0.0, 0.01), self._idle_from)
        stalled = self._dice.uniform(0.1, 0.5) if self._dice.random() < self._stalls else 0.0
        self._idle_from = arrival + 0.002 + stalled
        self._at(arrival, self._arrive, quota, send_time, now, sent)

    def _arrive(self, now: float, quota: Quota, send_time: float, left: float, sent: int) -> None:
        taken = self._server.takes(now)
        self.refused += not taken
        if taken:
            self.arrivals.append(now)
        latency = 0.1 if taken else 0.0
        self._at(now + latency + self._busy(), self._hear, quota, send_time, left, sent, taken)

    def _hear(self, now: float, quota: Quota, send_time: float, left: float, sent: int, taken: bool) -> None:  # noqa: FBT001
        until = None if taken else now + 10.0
        told = headers(190)
        quota.ended(
            AttemptReport(send_time=send_time, sent=left, ended=now, headers=told, refused_until=until)
        )
        self._at(now, self._ask, quota, None, sent + 1)

    def _busy(self) -> float:
        # A hundredth waits for a slice of the processor.
        return self._dice.uniform(0.02, 0.1) if self._dice.random() < 0.01 else self._dice.uniform(0.0, 0.01)


@pytest.mark.parametrize("in_flight", [4, 40])
@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize(("seed", "stalls"), [(0, 0.0), (1, 0.001), (2, 0.002)])
def test_eight_clients_fill_a_strict_quota_and_are_never_refused(
    tmp_path: Path, in_flight: int, seed: int, stalls: float, *, shared: bool
) -> None:
    with ExitStack() as stack:
        quotas: list[Quota] = [Quota()] * 8
        if shared:
            quotas = [stack.enter_context(SharedQuota(tmp_path / "quota.sqlite")) for _ in range(8)]
        simulation = Simulation(quotas, seed, stalls)
        simulation.run(in_flight, 70.0)

    arrivals = simulation.arrivals
    assert simulation.refused == 0
    # From the first request on, and over any later minute.
    assert sum(arrival < arrivals[0] + 60.0 for arrival in arrivals) >= 0.985 * 190 * 6
    cycles = [later - earlier for earlier, later in zip(arrivals, arrivals[190:], strict=False)]
    assert sum(cycles) / len(cycles) <= 10.0 / 0.98
    assert stalls or sum(cycles) / len(cycles) <= 10.0 / 0.985


# Many threads.


@pytest.fixture
def hasty_threads() -> Iterator[None]:
    """Let threads take turns as often as Python can, so that a missing lock shows."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def in_threads(work: Callable[[list[float]], None], count: int) -> list[list[float]]:
    """Do the work in this many threads at once. Each fills a list of its own."""
    start = threading.Barrier(count)
    lists: list[list[float]] = [[] for _ in range(count)]

    def begin(mine: list[float]) -> None:
        start.wait()
        work(mine)

    threads = [threading.Thread(target=begin, args=(mine,)) for mine in lists]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return lists


@pytest.mark.usefixtures("hasty_threads")
def test_many_threads_get_what_one_would_get() -> None:
    quota = Quota(19, 10.0)

    def work(mine: list[float]) -> None:
        mine.extend(quota.reserve(0.0) for _ in range(500))

    lists = in_threads(work, 8)
    assert sorted(itertools.chain.from_iterable(lists)) == departures(Quota(19, 10.0), 4000)
    assert all(mine == sorted(mine) for mine in lists)


@pytest.mark.usefixtures("hasty_threads")
def test_replies_and_refusals_on_other_threads_disturb_no_reservation() -> None:
    quota, server = Quota(8, 10.0), StrictServer(8, 10.0)

    def work(mine: list[float]) -> None:
        for number in range(100):
            mine.append(quota.reserve(float(number)))
            quota.learn(headers(8))
        quota.refused(100.0, 99.0)

    lists = in_threads(work, 6)
    assert all(server.takes(send_time) for send_time in sorted(itertools.chain.from_iterable(lists)))
    assert 0.1 <= quota.margin <= 0.1 * 1.5
    assert quota.paused_until == 100.0
