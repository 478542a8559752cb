"""How many requests the sandbox lets pass, and what it tells of it."""

import math
import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubspot_batch.contract import _operations as contract
from hubspot_batch.errors import ConfigurationError
from hubspot_batch.sandbox._quotas import (
    Admission,
    Day,
    Policy,
    QuotaLimit,
    Window,
    parse_quota,
    quota_headers,
    rate_limit_body,
)

NOON = datetime(2026, 9, 1, 12, tzinfo=UTC)

# Fractions that floats hold exactly, so that the model below computes the same.
eighths = st.integers(0, 40).map(lambda number: number / 8)
windows = st.integers(1, 24).map(lambda number: number / 8)


def window(limit: int | None = 2, seconds: float = 10.0, daily: int | None = None) -> Window:
    quota = QuotaLimit(limit, seconds, daily)
    return Window(quota, Day(daily))


def test_the_quota_of_an_enterprise_account_is_the_default() -> None:
    assert QuotaLimit() == QuotaLimit(limit=190, window=10.0, daily=1_000_000)


@pytest.mark.parametrize(
    ("text", "quota"),
    [
        ("190/10", QuotaLimit(190, 10.0, 1_000_000)),
        ("100/10", QuotaLimit(100, 10.0, 1_000_000)),
        ("190/10,1000000", QuotaLimit(190, 10.0, 1_000_000)),
        ("100/10,250000", QuotaLimit(100, 10.0, 250_000)),
        ("190/10,0", QuotaLimit(190, 10.0, 0)),
        ("110/10,none", QuotaLimit(110, 10.0, None)),
        ("5/0.25", QuotaLimit(5, 0.25, 1_000_000)),
        ("none", QuotaLimit(limit=None, daily=None)),
    ],
)
def test_a_quota_is_read(text: str, quota: QuotaLimit) -> None:
    assert parse_quota(text) == quota


@pytest.mark.parametrize(
    "text",
    [
        "",
        "190",
        "190/",
        "/10",
        "190/10,",
        "190/10,x",
        "190/10s",
        "190/10/1",
        "-1/10",
        "190/-1",
        "190/1e1",
        "190/nan",
        "190 / 10",
        "none,5",
        "1.5/10",
        "190/10,1.5",
        "190/10\n",
        "٣/10",
        "9" * 5_000 + "/10",
    ],
)
def test_what_is_not_a_quota_is_refused_with_the_remedy(text: str) -> None:
    with pytest.raises(ConfigurationError, match="is not a quota; write requests and seconds like 190/10"):
        parse_quota(text)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("0/10", "admits nothing; choose at least 1"),
        ("190/0", r"window of 0.0 seconds; choose at least 0\.001"),
    ],
)
def test_an_invalid_quota_is_refused_with_the_remedy(text: str, problem: str) -> None:
    with pytest.raises(ConfigurationError, match=problem):
        parse_quota(text)


@pytest.mark.parametrize("seconds", [-1.0, math.inf, math.nan])
def test_an_invalid_window_is_refused(seconds: float) -> None:
    with pytest.raises(ConfigurationError, match="cannot have a window"):
        QuotaLimit(190, seconds)


def test_an_invalid_day_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="cannot be -1 requests a day; choose at least 0"):
        QuotaLimit(daily=-1)


def test_the_window_rolls() -> None:
    counter = window(limit=2, seconds=10.0)
    assert counter.admit(0.0, NOON) == Admission(
        allowed=True, policy=None, remaining=1, daily_remaining=None, wait=0.0
    )
    assert counter.admit(4.0, NOON).remaining == 0
    assert counter.admit(5.0, NOON) == Admission(
        allowed=False, policy="TEN_SECONDLY_ROLLING", remaining=0, daily_remaining=None, wait=5.0
    )
    assert counter.admit(9.5, NOON).wait == 0.5
    assert counter.admit(10.0, NOON).allowed
    assert counter.admit(10.0, NOON).wait == 4.0


@given(st.integers(1, 6), windows, st.lists(eighths, max_size=60))
def test_not_one_request_above_the_limit_passes_in_any_window(
    limit: int, seconds: float, gaps: list[float]
) -> None:
    counter = window(limit, seconds)
    passed: list[float] = []
    now = 0.0
    for gap in gaps:
        now += gap
        recent = [time for time in passed if time > now - seconds]
        admission = counter.admit(now, NOON)
        assert admission.allowed == (len(recent) < limit)
        passed += [now] if admission.allowed else []
        assert admission.remaining == limit - len(recent) - admission.allowed
        assert admission.wait == (0.0 if admission.allowed else recent[0] + seconds - now)
        assert admission.policy == (None if admission.allowed else "TEN_SECONDLY_ROLLING")
    for start in passed:
        assert sum(start <= time < start + seconds for time in passed) <= limit


@given(st.lists(st.floats(0, 3), max_size=60), st.integers(1, 4), st.floats(0.001, 3))
def test_times_that_no_fraction_holds_break_nothing(gaps: list[float], limit: int, seconds: float) -> None:
    counter = window(limit, seconds)
    passed: list[float] = []
    now = 0.0
    for gap in gaps:
        now += gap
        admission = counter.admit(now, NOON)
        assert admission.allowed == (admission.wait == 0.0)
        passed += [now] if admission.allowed else []
    for start in passed:
        assert sum(start <= time < start + seconds for time in passed) <= limit


@given(windows, st.lists(eighths, max_size=30))
def test_who_waits_as_told_passes(seconds: float, gaps: list[float]) -> None:
    counter = window(1, seconds)
    now = 0.0
    for gap in gaps:
        now += gap
        admission = counter.admit(now, NOON)
        now += admission.wait
        assert admission.allowed or counter.admit(now, NOON).allowed


def test_its_memory_is_bounded_by_the_limit() -> None:
    counter = window(limit=3, seconds=1.0)
    for number in range(1_000):
        counter.admit(number / 100, NOON)
    assert len(counter._times) <= 3
    unlimited = window(limit=None)
    assert all(unlimited.admit(0.0, NOON).allowed for _ in range(1_000))
    assert unlimited.used(0.0) == 0


def test_without_a_limit_nothing_is_counted_down() -> None:
    assert window(limit=None).admit(0.0, NOON) == Admission(
        allowed=True, policy=None, remaining=None, daily_remaining=None, wait=0.0
    )


def test_the_day_is_shared_by_the_tokens_of_an_account() -> None:
    day = Day(3)
    first, second = Window(QuotaLimit(190, 10.0, 3), day), Window(QuotaLimit(190, 10.0, 3), day)
    assert [first.admit(0.0, NOON).daily_remaining, second.admit(0.0, NOON).daily_remaining] == [2, 1]
    assert first.admit(0.0, NOON).allowed
    refused = second.admit(0.0, NOON)
    assert (refused.allowed, refused.policy) == (False, "DAILY")
    assert (refused.remaining, refused.daily_remaining) == (189, 0)
    assert refused.wait == 12 * 3600


def test_the_day_ends_at_midnight() -> None:
    counter = window(limit=None, daily=1)
    evening = datetime(2026, 9, 1, 23, 59, 59, 500_000, tzinfo=UTC)
    assert counter.admit(0.0, evening).allowed
    assert counter.admit(0.0, evening).wait == 0.5
    assert counter.admit(0.5, evening + timedelta(seconds=0.5)).allowed


def test_the_day_is_that_of_the_time_zone_of_the_account() -> None:
    counter = window(limit=None, daily=1)
    there = timezone(timedelta(hours=-4))
    before = datetime(2026, 9, 1, 23, 30, tzinfo=there)
    assert counter.admit(0.0, before).allowed
    assert counter.admit(0.0, before.astimezone(UTC).astimezone(there)).wait == 1800.0


class SpringForward(tzinfo):
    """An hour is skipped in the night to 2 September."""

    def utcoffset(self, moment: datetime | None) -> timedelta:
        assert moment is not None
        return timedelta(hours=1 if (moment.day, moment.hour) >= (1, 3) else 0)

    def dst(self, moment: datetime | None) -> timedelta:
        return self.utcoffset(moment)

    def tzname(self, _moment: datetime | None) -> str:
        return "there"


def test_a_day_may_have_23_hours() -> None:
    counter = window(limit=None, daily=0)
    assert counter.admit(0.0, datetime(2026, 9, 1, 1, tzinfo=SpringForward())).wait == 22 * 3600


def test_a_day_that_is_used_up_comes_before_a_window_that_is() -> None:
    counter = window(limit=1, seconds=10.0, daily=1)
    assert counter.admit(0.0, NOON).allowed
    last = NOON.replace(hour=23, minute=59, second=59)
    assert counter.admit(1.0, last) == Admission(
        allowed=False, policy="DAILY", remaining=0, daily_remaining=0, wait=9.0
    )


def test_what_is_refused_counts_neither_for_the_window_nor_for_the_day() -> None:
    counter = window(limit=1, seconds=10.0, daily=5)
    assert counter.admit(0.0, NOON).daily_remaining == 4
    assert [counter.admit(9.0, NOON).daily_remaining for _ in range(3)] == [4, 4, 4]
    assert counter.admit(10.0, NOON).allowed
    used_up = window(limit=1, seconds=10.0, daily=0)
    assert used_up.admit(0.0, NOON).remaining == 1


@given(st.integers(0, 8), st.lists(st.tuples(st.booleans(), st.integers(0, 2)), max_size=40))
def test_a_day_is_counted_over_all_tokens(daily: int, requests: list[tuple[bool, int]]) -> None:
    day = Day(daily)
    tokens = {
        True: Window(QuotaLimit(None, 1.0, daily), day),
        False: Window(QuotaLimit(None, 1.0, daily), day),
    }
    passed: dict[int, int] = {}
    date = 1
    for token, days in requests:
        date = min(date + days, 28)
        allowed = tokens[token].admit(0.0, NOON.replace(day=date)).allowed
        assert allowed == (passed.get(date, 0) < daily)
        passed[date] = passed.get(date, 0) + allowed


def test_what_is_used_can_be_seen_without_using_it() -> None:
    day = Day(None)
    counter = Window(QuotaLimit(5, 10.0, None), day)
    counter.admit(0.0, NOON)
    counter.admit(4.0, NOON)
    assert [counter.used(now) for now in (4.0, 9.5, 10.0, 14.0)] == [2, 2, 1, 0]
    assert [day.used(NOON), day.used(NOON + timedelta(days=1))] == [2, 0]


def test_a_day_counts_without_being_asked_before() -> None:
    day = Day(2)
    day.count(NOON)
    assert (day.used(NOON), day.remaining(NOON)) == (1, 1)


def test_the_headers_are_spelt_as_hubspot_spells_them() -> None:
    quota = QuotaLimit(100, 10.0, 250_000)
    counter = Window(quota, Day(quota.daily))
    admission = [counter.admit(0.0, NOON) for _ in range(8)][-1]
    # But for the figures of the day, the headers of a recorded reply.
    assert quota_headers(quota, admission, oauth=False, retry_after=True) == {
        "X-HubSpot-RateLimit-Max": "100",
        "X-HubSpot-RateLimit-Remaining": "92",
        "X-HubSpot-RateLimit-Interval-Milliseconds": "10000",
        "X-HubSpot-RateLimit-Secondly": "10",
        "X-HubSpot-RateLimit-Secondly-Remaining": "9",
        "X-HubSpot-RateLimit-Daily": "250000",
        "X-HubSpot-RateLimit-Daily-Remaining": "249992",
    }


def test_a_token_of_oauth_is_not_told_of_the_day() -> None:
    quota = QuotaLimit(110, 10.0)
    headers = quota_headers(quota, Window(quota, Day(None)).admit(0.0, NOON), oauth=True, retry_after=False)
    assert headers["X-HubSpot-RateLimit-Max"] == "110"
    assert not [name for name in headers if "Daily" in name]


@pytest.mark.parametrize(
    ("quota", "names"),
    [
        (QuotaLimit(limit=None, daily=None), set()),
        (
            QuotaLimit(limit=None, daily=9),
            {"X-HubSpot-RateLimit-Daily", "X-HubSpot-RateLimit-Daily-Remaining"},
        ),
    ],
)
def test_without_a_limit_there_are_no_headers_on_it(quota: QuotaLimit, names: set[str]) -> None:
    admission = Window(quota, Day(quota.daily)).admit(0.0, NOON)
    assert set(quota_headers(quota, admission, oauth=False, retry_after=True)) == names


def test_a_429_can_say_when_to_try_again_in_whole_seconds() -> None:
    quota = QuotaLimit(1, 10.0, None)
    counter = Window(quota, Day(None))
    counter.admit(0.0, NOON)
    refused = counter.admit(0.75, NOON)
    assert quota_headers(quota, refused, oauth=False, retry_after=True)["Retry-After"] == "10"
    silent = quota_headers(quota, refused, oauth=False, retry_after=False)
    assert "Retry-After" not in silent
    assert silent["X-HubSpot-RateLimit-Secondly-Remaining"] == "0"


def test_a_wait_is_never_rounded_down_to_nothing() -> None:
    quota = QuotaLimit(1, 10.0, None)
    counter = Window(quota, Day(None))
    counter.admit(0.0, NOON)
    refused = counter.admit(9.999, NOON)
    assert quota_headers(quota, refused, oauth=False, retry_after=True)["Retry-After"] == "1"


@pytest.mark.parametrize(
    ("policy", "message", "group"),
    [
        ("TEN_SECONDLY_ROLLING", "You have reached your ten_secondly_rolling limit.", "ten-secondly"),
        ("SECONDLY", "You have reached your secondly limit.", "secondly"),
        ("DAILY", "You have reached your daily limit.", "daily"),
    ],
)
def test_the_body_of_a_429_has_no_category(policy: Policy, message: str, group: str) -> None:
    body = rate_limit_body(policy, account=77, correlation_id="c-1", request_id="r-1")
    assert body == {
        "status": "error",
        "message": message,
        "errorType": "RATE_LIMIT",
        "correlationId": "c-1",
        "policyName": policy,
        "groupName": f"publicapi:private_app-api-calls-{group}:77",
        "requestId": "r-1",
    }
    contract.validator("ErrorReply").validate(body)


def test_the_id_of_the_request_is_there_only_at_times() -> None:
    assert "requestId" not in rate_limit_body("DAILY", account=77, correlation_id="c-1")


def test_a_quota_in_words_names_what_to_write() -> None:
    with pytest.raises(ConfigurationError, match=re.escape("190/10,1000000, or none for no limit")):
        parse_quota("fast")
