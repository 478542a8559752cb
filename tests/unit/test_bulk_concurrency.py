"""So many requests are in flight as fill the quota, fewer after failures."""

import pytest

from hubspot_batch.bulk._plan import DEFAULT_CEILING, AdaptiveConcurrency

FAST = 1e9


def concurrency_at(duration: float, *, ceiling: int = DEFAULT_CEILING) -> AdaptiveConcurrency:
    concurrency = AdaptiveConcurrency(ceiling)
    for _ in range(100):
        concurrency.on_reply(duration)
    return concurrency


@pytest.mark.parametrize(("ceiling", "expected"), [(50, 4), (4, 4), (3, 3), (1, 1)])
def test_a_few_requests_begin(ceiling: int, expected: int) -> None:
    assert AdaptiveConcurrency(ceiling).target_for(FAST) == expected


def test_nobody_has_to_name_a_ceiling() -> None:
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


def test_one_request_is_left_whatever_fails() -> None:
    concurrency = AdaptiveConcurrency(4)
    for _ in range(10):
        concurrency.on_failure()

    assert concurrency.target_for(FAST) == 1
