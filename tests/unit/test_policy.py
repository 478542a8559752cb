"""The retry table, row by row: when a call is sent again, and after how many seconds."""

import math

import pytest
from msgspec.structs import replace

from hubspot_batch.errors import (
    ApiError,
    AuthenticationError,
    BadRequestError,
    ConfigurationError,
    ConflictError,
    ConnectionFailedError,
    HubSpotBatchError,
    InputIssue,
    InvalidInputError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    RequestTimeoutError,
    ServerError,
    UnexpectedReplyError,
)
from hubspot_batch.results import ErrorBody, Response
from hubspot_batch.transport._retries import FailedAttempt, Retries, may_be_written, wait_before_retry
from tests.conftest import case

INTERVAL = "x-hubspot-ratelimit-interval-milliseconds"

KINDS: dict[int, type[ApiError]] = {
    400: BadRequestError,
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    409: ConflictError,
    429: RateLimitError,
}


def refusal(status: int, headers: dict[str, str] | None = None, policy: str | None = None) -> ApiError:
    kind = KINDS.get(status, ServerError if status >= 500 else ApiError)
    error = kind(
        "create_orders",
        Response(status=status, headers=headers or {}, content=b""),
        ErrorBody(policy=policy),
    )
    error.maybe_written = may_be_written(status)
    return error


def no_reply(
    *, maybe_written: bool, kind: type[ConnectionFailedError] = ConnectionFailedError
) -> HubSpotBatchError:
    error = kind("no reply", attempts=1)
    error.maybe_written = maybe_written
    return error


def unreadable() -> HubSpotBatchError:
    return UnexpectedReplyError(
        "create_orders", Response(status=201, headers={"retry-after": "7"}, content=b"<"), "it is HTML"
    )


def wait(
    error: HubSpotBatchError, *, resendable: bool = False, attempts: int = 1, jitter: float = 1.0
) -> float | None:
    return wait_before_retry(error, resendable=resendable, attempts=attempts, jitter=jitter)


def waits(error: HubSpotBatchError, *, attempts: int = 1) -> set[float | None]:
    """Return the waits before an attempt that may be made again, and before one that would make a double."""
    return {wait(error, resendable=resendable, attempts=attempts) for resendable in (True, False)}


# 429: the request was turned away before it was processed, so it is always sent again.


def test_after_a_429_it_waits_retry_after_else_by_the_policy_else_the_interval() -> None:
    for headers, policy, seconds in (
        ({}, "TEN_SECONDLY_ROLLING", 10.0),
        ({}, "SECONDLY", 1.0),
        ({}, None, 10.0),
        ({}, "MINUTELY", 10.0),
        ({INTERVAL: "5000"}, None, 5.0),
        ({INTERVAL: "1250"}, "MINUTELY", 1.25),
        ({INTERVAL: "5000"}, "TEN_SECONDLY_ROLLING", 10.0),
        ({INTERVAL: "5000"}, "SECONDLY", 1.0),
        ({INTERVAL: "soon"}, None, 10.0),
        ({INTERVAL: ""}, None, 10.0),
        ({INTERVAL: "-5000"}, None, 10.0),
        ({INTERVAL: "nan"}, None, 10.0),
        ({INTERVAL: "inf"}, None, 10.0),
        ({"retry-after": "3"}, None, 3.0),
        ({"retry-after": "2.5"}, "SECONDLY", 2.5),
        ({"retry-after": "3", INTERVAL: "5000"}, "TEN_SECONDLY_ROLLING", 3.0),
        ({"retry-after": "3600"}, "SECONDLY", 3600.0),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}, "SECONDLY", 1.0),
        ({"retry-after": "soon"}, "TEN_SECONDLY_ROLLING", 10.0),
        ({"retry-after": ""}, "SECONDLY", 1.0),
        ({"retry-after": "-3"}, "SECONDLY", 1.0),
        ({"retry-after": "nan"}, "SECONDLY", 1.0),
        ({"retry-after": "inf"}, "SECONDLY", 1.0),
        ({"retry-after": "1e999"}, "SECONDLY", 1.0),
        ({"retry-after": "soon", INTERVAL: "5000"}, None, 5.0),
    ):
        error = refusal(429, headers, policy)
        with case(headers, policy):
            assert waits(error) == {seconds}
            assert wait(error, attempts=50, jitter=0.0) == seconds


def test_after_a_429_it_waits_at_least_a_second_or_it_would_never_use_up_its_budget() -> None:
    for headers in (
        {"retry-after": "0"},
        {"retry-after": "-0"},
        {"retry-after": "0.25"},
        {INTERVAL: "0"},
        {INTERVAL: "250"},
        {"retry-after": "0", INTERVAL: "5000"},
    ):
        with case(headers):
            assert wait(refusal(429, headers)) == wait(refusal(429, headers, "MINUTELY")) == 1.0


def test_after_a_429_of_the_day_it_is_not_sent_again() -> None:
    for policy in ("DAILY", "daily", "TEN_DAILY_ROLLING"):
        for headers in ({}, {"retry-after": "3"}, {INTERVAL: "5000"}):
            with case(policy, headers):
                assert waits(refusal(429, headers, policy)) == {None}


# 423: a lock that lasts two seconds.


def test_after_a_423_it_waits_at_least_two_seconds() -> None:
    for headers, attempts, seconds in (
        ({}, 1, 2.0),
        ({}, 2, 2.0),
        ({}, 3, 4.0),
        ({}, 9, 16.0),
        ({"retry-after": "0"}, 1, 2.0),
        ({"retry-after": "1"}, 1, 2.0),
        ({"retry-after": "5"}, 1, 5.0),
        ({"retry-after": "5"}, 4, 8.0),
        ({"retry-after": "soon"}, 1, 2.0),
        ({"retry-after": "-9"}, 1, 2.0),
    ):
        with case(headers, attempts):
            assert waits(refusal(423, headers), attempts=attempts) == {seconds}


# 477: the account moves to another data centre, for up to a day.


def test_after_a_477_it_waits_as_told_or_gives_up() -> None:
    expected = {"30": 30.0, "86400": 86400.0, "soon": None, "nan": None, "-1": None}

    for retry_after, seconds in expected.items():
        with case(retry_after):
            assert waits(refusal(477, {"retry-after": retry_after}), attempts=3) == {seconds}
    assert waits(refusal(477), attempts=3) == {None}


# No connection: nothing was sent.


def test_what_never_left_is_sent_again() -> None:
    assert waits(no_reply(maybe_written=False)) == {1.0}
    assert waits(no_reply(maybe_written=False, kind=RequestTimeoutError)) == {1.0}


# A time-out, a reset, a failure of the server, a success that cannot be read: the batch may be written.


def test_what_may_be_written_is_sent_again_only_where_that_makes_no_doubles() -> None:
    for error in (
        no_reply(maybe_written=True, kind=RequestTimeoutError),
        no_reply(maybe_written=True),
        unreadable(),
        *(refusal(status) for status in (100, 199, 408, 499, 500, 502, 503, 504, 520, 524, 599, 999)),
    ):
        with case(repr(error)):
            assert error.maybe_written
            assert wait(error, resendable=True) == 1.0
            assert wait(error, resendable=False) is None


def test_after_a_failure_of_the_server_it_waits_no_less_than_it_is_asked_to() -> None:
    for retry_after, attempts, seconds in (
        *(("5", 1, 5.0), ("5", 4, 8.0), ("0", 1, 1.0)),
        *(("soon", 2, 2.0), ("nan", 2, 2.0), ("-5", 2, 2.0)),
    ):
        error = refusal(503, {"retry-after": retry_after})
        with case(retry_after, attempts):
            assert wait(error, resendable=True, attempts=attempts) == seconds
            assert wait(error, resendable=False, attempts=attempts) is None


# All else would end the same way again.


def test_what_would_be_refused_again_is_not_sent_again() -> None:
    fault = InputIssue(index=0, pointer="/inputs/0", problem="wrong", remedy="mend it")
    final = (300, 302, 400, 401, 403, 404, 405, 409, 410, 413, 414, 415, 418, 422, 451, 476, 478)
    for error in (
        *(refusal(status, {"retry-after": "1"}) for status in final),
        ConfigurationError("wrong"),
        InvalidInputError([fault]),
        HubSpotBatchError("wrong"),
    ):
        with case(repr(error)):
            assert waits(error) == {None}


# How the waits grow.

LASTING = {
    "no connection": no_reply(maybe_written=False),
    "unreadable 2xx": unreadable(),
    "500": refusal(500),
}
each_that_lasts = pytest.mark.parametrize("error", LASTING.values(), ids=LASTING)


@each_that_lasts
def test_waits_double_up_to_16_seconds(error: HubSpotBatchError) -> None:
    expected = {1: 1.0, 2: 2.0, 3: 4.0, 4: 8.0, 5: 16.0, 6: 16.0, 60: 16.0, 5000: 16.0}

    assert {attempts: wait(error, resendable=True, attempts=attempts) for attempts in expected} == expected


@each_that_lasts
def test_callers_are_spread_over_the_second_half_of_the_wait(error: HubSpotBatchError) -> None:
    expected = {(1, 0.0): 0.5, (1, 0.5): 0.75, (3, 0.0): 2.0, (3, 0.5): 3.0, (3, 1.0): 4.0, (9, 0.0): 8.0}

    assert {
        (attempts, jitter): wait(error, resendable=True, attempts=attempts, jitter=jitter)
        for attempts, jitter in expected
    } == expected


def test_a_quota_error_after_thousands_of_attempts_is_still_waited_for() -> None:
    assert wait(refusal(429, policy="SECONDLY"), attempts=5000) == 1.0
    assert wait(refusal(423), attempts=5000) == 16.0


def test_only_refusals_say_that_a_batch_is_not_written() -> None:
    refusals = set(range(300, 500)) - {408, 499}

    assert {status for status in range(100, 1000) if not may_be_written(status)} == refusals


def test_by_default_a_call_is_sent_again_four_times_within_two_minutes() -> None:
    assert Retries() == Retries(limit=4, budget=120.0)
    assert Retries(limit=0) != Retries()


def test_a_call_may_wait_within_limit_and_budget() -> None:
    expected = {
        (1.0, 0.0, 0): True,
        (1.0, 0.0, 1): True,
        (1.0, 0.0, 2): False,
        (4.0, 6.0, 1): True,
        (4.5, 6.0, 1): False,
        (0.0, 10.5, 0): False,
    }
    for (seconds, waited, resent), allowed in expected.items():
        attempt = FailedAttempt(
            error=refusal(503), wait=seconds, attempts=resent + 1, resent=resent, waited=waited
        )
        with case(seconds, waited, resent):
            assert Retries(limit=2, budget=10.0).wait_after(attempt) == (seconds if allowed else None)
            assert Retries().wait_after(replace(attempt, wait=None)) is None


def test_a_429_counts_against_the_budget_only() -> None:
    attempt = FailedAttempt(error=refusal(429), wait=1.0, attempts=6, resent=5, waited=6.0)

    assert Retries(limit=2, budget=10.0).wait_after(attempt) == 1.0
    assert Retries(limit=0).wait_after(attempt) is None
    assert Retries(limit=2, budget=6.5).wait_after(attempt) is None


def test_retries_cannot_be_changed_nor_given_without_a_name() -> None:
    with pytest.raises(AttributeError):
        Retries().limit = 5  # type: ignore[misc]
    with pytest.raises(TypeError):
        Retries(4)  # type: ignore[call-arg]


def test_every_wait_of_the_table_is_finite() -> None:
    garbage = ["", " ", "-0", "1_0", "0x10", "1e308", "9" * 400, "nan", "-inf", "+5", "5s", "\u0665"]
    errors = [refusal(status, {"retry-after": text}) for status in (423, 429, 477, 500) for text in garbage]
    waits = [wait(error, resendable=True) for error in errors]
    assert all(seconds is None or (math.isfinite(seconds) and seconds >= 0) for seconds in waits)
