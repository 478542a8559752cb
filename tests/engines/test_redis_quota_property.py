"""The arithmetic in Lua, on a real Redis, says the same as the arithmetic in Python."""

import random
from collections.abc import Callable, Iterator
from itertools import count
from typing import TYPE_CHECKING, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hubspot_batch import Quota, redis_quota
from hubspot_batch.redis_quota import RedisQuota
from hubspot_batch.types import AttemptReport

if TYPE_CHECKING:
    from tests.engines.conftest import RedisServer

pytestmark = pytest.mark.usefixtures("redis_package")

REAL_SCRIPT = redis_quota._script()
TEST_CLOCK = "now, info = caller_now, ''"

NAMES = map("account-{}".format, count())


class Event(NamedTuple):
    """What happens to a quota.

    Attributes:
        gap: Seconds since the event before.
        action: The method, or what becomes of a request.
        place: Which of the requests that are waiting or under way.
        seconds: A time for the action: of a pause, or of a request under way.
        headers: What a reply says.
    """

    gap: float
    action: str
    place: int
    seconds: float
    headers: dict[str, str]


def headers(limit: object, window: float, daily: str) -> dict[str, str]:
    return {
        "x-hubspot-ratelimit-max": str(limit),
        "x-hubspot-ratelimit-interval-milliseconds": str(round(window * 1000)),
        "x-hubspot-ratelimit-daily": daily,
        "x-hubspot-ratelimit-daily-remaining": daily,
    }


limits = st.integers(1, 8)
windows = st.sampled_from([0.05, 1.0, 10.0, 60.0])
gaps = st.just(0.0) | st.floats(0.0, 2.0) | st.floats(0.0, 100.0)
values = st.sampled_from(["", "0", "-1", "many", "9999999999", "250000"])
actions = ["reserve", "reserve", "reserve", "guess", "ask", "ask", "answer", "answer", "fail", "refuse"]
events = st.builds(
    Event,
    gaps,
    st.sampled_from([*actions, "learn", "pause"]),
    st.integers(0, 20),
    st.sampled_from([0.0, 0.01, 0.2]) | st.floats(0.0, 5.0),
    st.just({}) | st.builds(headers, limits | values, windows, values),
)


def story(quota: Quota, told: list[Event], clock: list[float]) -> Iterator[tuple[object, ...]]:
    """Do what is told, and yield what the quota says after each event."""
    waiting: list[float] = []
    under_way: list[tuple[float, float]] = []
    for event in told:
        clock[0] = now = clock[0] + event.gap
        # Python forgets what is older than a minute later than Lua does.
        waiting = [each for each in waiting if each > now - 60]
        under_way = [each for each in under_way if each[0] > now - 60]
        answer: float | None = None
        if event.action in {"reserve", "guess"}:
            answer = quota.reserve(now, on_guess=event.action == "reserve")
            kept = answer <= now or event.action == "reserve" or quota.limit_known
            if kept and answer > now:
                waiting.append(answer)
            elif kept:
                under_way.append((answer, now))
        elif event.action == "ask" and waiting:
            answer = quota.reserve(now, held=waiting.pop(event.place % len(waiting)))
            if answer > now:
                waiting.append(answer)
            else:
                under_way.append((answer, now))
        elif event.action in {"answer", "fail", "refuse"} and under_way:
            send_time, left = under_way.pop(event.place % len(under_way))
            quota.ended(
                AttemptReport(
                    send_time=send_time,
                    sent=min(left + event.seconds / 2, now),
                    ended=now,
                    headers=None if event.action == "fail" else event.headers,
                    refused_until=now + 2 * event.seconds if event.action == "refuse" else None,
                )
            )
        elif event.action == "learn":
            quota.learn(event.headers)
        elif event.action == "pause":
            quota.refused(now + event.seconds, now)
        yield answer and float(answer), quota._state


@pytest.fixture(scope="module", autouse=True)
def _told_time() -> Iterator[None]:
    """Have the script go by the caller's clock."""
    with pytest.MonkeyPatch.context() as patch:
        script = REAL_SCRIPT.replace("--[[TEST CLOCK]]", TEST_CLOCK)
        assert script != REAL_SCRIPT
        patch.setattr(redis_quota, "_script", lambda: script)
        yield


@pytest.fixture
def agree(redis_server: "RedisServer") -> Callable[[int | None, float, list[Event]], None]:
    """Tell both the same, and compare all that they say."""

    def compare(limit: int | None, window: float, told: list[Event]) -> None:
        clock = [1000.0]
        url, name = redis_server.url, next(NAMES)
        with RedisQuota(url, name=name, limit=limit, window=window, patience=7.25) as quota:
            quota._now = lambda: clock[0]
            by_lua = list(story(quota, told, clock))
        clock[0] = 1000.0
        by_python = list(story(Quota(limit, window), told, clock))
        assert by_lua == by_python

    return compare


Agree = Callable[[int | None, float, list[Event]], None]


# The fixture keeps nothing of an example.
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.none() | limits, windows, st.lists(events, max_size=120))
def test_lua_says_what_python_says(agree: Agree, limit: int | None, window: float, told: list[Event]) -> None:
    agree(limit, window, told)


def test_lua_corrects_its_log_as_python_does_when_a_reply_is_much_faster(agree: Agree) -> None:
    slow = [("reserve", 0.0), ("answer", 0.9), ("reserve", 0.0), ("answer", 0.9)]
    fast = [("reserve", 0.0), ("answer", 0.1)]

    agree(3, 10.0, [Event(gap, action, 0, 0.0, {}) for action, gap in [*slow, *fast, ("reserve", 0.0)]])


@pytest.mark.parametrize("seed", range(6))
def test_lua_says_what_python_says_of_a_busy_account(agree: Agree, seed: int) -> None:
    draw = random.Random(seed)  # noqa: S311 - no secret
    busy = ["reserve", "reserve", "ask", "ask", "ask", "answer", "answer", "answer"]
    told = [
        Event(
            gap=draw.choice([0.0, 0.01, draw.random() / 3]),
            action=draw.choice(busy if draw.random() < 0.98 else ["refuse", "fail", "learn", "guess"]),
            place=draw.randrange(20),
            seconds=draw.random() ** 4,
            headers=headers(draw.randint(20, 40), draw.choice([1.0, 3.0]), "")
            if draw.random() < 0.02
            else {},
        )
        for _ in range(2000)
    ]

    agree(30, 3.0, told)
