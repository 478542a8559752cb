"""So many requests are in flight as fill the quota, fewer after failures."""

import pytest

from hubspot_batch.bulk._concurrency import DEFAULT_CEILING, Level

FAST = 1e9


def level_at(duration: float, *, ceiling: int = DEFAULT_CEILING) -> Level:
    level = Level(ceiling)
    for _ in range(100):
        level.replied(duration)
    return level


@pytest.mark.parametrize(("ceiling", "expected"), [(50, 4), (4, 4), (3, 3), (1, 1)])
def test_a_few_requests_begin(ceiling: int, expected: int) -> None:
    assert Level(ceiling).at(FAST) == expected


def test_nobody_has_to_name_a_ceiling() -> None:
    assert level_at(1.0, ceiling=DEFAULT_CEILING).at(FAST) == level_at(1.0).at(FAST) == 40


@pytest.mark.parametrize(
    ("rate", "duration", "expected"), [(19.0, 1.5, 30), (19.0, 0.1, 3), (19.0, 0.0, 1), (10.0, 0.25, 4)]
)
def test_as_many_as_a_duration_needs_to_fill_the_quota_and_one_more(
    rate: float, duration: float, expected: int
) -> None:
    assert level_at(duration).at(rate) == expected


def test_the_first_reply_tells_the_duration() -> None:
    level = Level()
    level.replied(2.0)

    assert level.at(10.0) == 21


def test_it_is_never_above_the_ceiling() -> None:
    assert level_at(3600.0, ceiling=7).at(100.0) == 7


def test_it_follows_a_duration_that_changes() -> None:
    level = level_at(0.1)
    for _ in range(100):
        level.replied(1.0)

    assert level.at(10.0) == pytest.approx(11, abs=1)


def test_durations_that_vary_ask_for_more_than_their_mean() -> None:
    steady, varying = level_at(1.0), Level()
    for _ in range(100):
        varying.replied(0.5)
        varying.replied(1.5)

    assert varying.at(10.0) > steady.at(10.0) + 5


def test_a_failure_halves_it_and_each_reply_brings_one_back() -> None:
    level = level_at(3600.0, ceiling=20)

    levels = []
    for _ in range(3):
        level.failed()
        levels.append(level.at(FAST))
    for _ in range(20):
        level.replied(3600.0)
        levels.append(level.at(FAST))

    assert levels == [10, 5, 2, *range(3, 21), 20, 20]


def test_one_request_is_left_whatever_fails() -> None:
    level = Level(4)
    for _ in range(10):
        level.failed()

    assert level.at(FAST) == 1
