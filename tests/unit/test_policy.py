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
    Fault,
    HubSpotBatchError,
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


# 429: the request was turned away before it was processed, so it is always sent again.


@pytest.mark.parametrize("resendable", [True, False])
@pytest.mark.parametrize(
    ("headers", "policy", "seconds"),
    [
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
    ],
)
def test_after_a_429_it_waits_retry_after_else_by_the_policy_else_the_interval(
    headers: dict[str, str], policy: str | None, seconds: float, *, resendable: bool
) -> None:
    error = refusal(429, headers, policy)
    assert wait(error, resendable=resendable) == seconds
    assert wait(error, resendable=resendable, attempts=50, jitter=0.0) == seconds


@pytest.mark.parametrize(
    "headers",
    [
        {"retry-after": "0"},
        {"retry-after": "-0"},
        {"retry-after": "0.25"},
        {INTERVAL: "0"},
        {INTERVAL: "250"},
        {"retry-after": "0", INTERVAL: "5000"},
    ],
)
@pytest.mark.parametrize("policy", [None, "MINUTELY"])
def test_after_a_429_it_waits_at_least_a_second_or_it_would_never_use_up_its_budget(
    headers: dict[str, str], policy: str | None
) -> None:
    assert wait(refusal(429, headers, policy)) == 1.0


@pytest.mark.parametrize("policy", ["DAILY", "daily", "TEN_DAILY_ROLLING"])
@pytest.mark.parametrize("headers", [{}, {"retry-after": "3"}, {INTERVAL: "5000"}])
@pytest.mark.parametrize("resendable", [True, False])
def test_after_a_429_of_the_day_it_is_not_sent_again(
    headers: dict[str, str], policy: str, *, resendable: bool
) -> None:
    assert wait(refusal(429, headers, policy), resendable=resendable) is None


# 423: a lock that lasts two seconds.


@pytest.mark.parametrize("resendable", [True, False])
@pytest.mark.parametrize(
    ("headers", "attempts", "seconds"),
    [
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
    ],
)
def test_after_a_423_it_waits_at_least_two_seconds(
    headers: dict[str, str], attempts: int, seconds: float, *, resendable: bool
) -> None:
    assert wait(refusal(423, headers), resendable=resendable, attempts=attempts) == seconds


# 477: the account moves to another data centre, for up to a day.


@pytest.mark.parametrize("resendable", [True, False])
@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "30"}, 30.0),
        ({"retry-after": "86400"}, 86400.0),
        ({}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "-1"}, None),
    ],
)
def test_after_a_477_it_waits_as_told_or_gives_up(
    headers: dict[str, str], seconds: float | None, *, resendable: bool
) -> None:
    assert wait(refusal(477, headers), resendable=resendable, attempts=3) == seconds


# No connection: nothing was sent.


@pytest.mark.parametrize("kind", [ConnectionFailedError, RequestTimeoutError])
@pytest.mark.parametrize("resendable", [True, False])
def test_what_never_left_is_sent_again(kind: type[ConnectionFailedError], *, resendable: bool) -> None:
    assert wait(no_reply(maybe_written=False, kind=kind), resendable=resendable) == 1.0


# A time-out, a reset, a failure of the server, a success that cannot be read: the batch may be written.


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(no_reply(maybe_written=True, kind=RequestTimeoutError), id="time-out"),
        pytest.param(no_reply(maybe_written=True), id="reset"),
        pytest.param(unreadable(), id="unreadable 2xx"),
        *(
            pytest.param(refusal(status), id=str(status))
            for status in (500, 502, 503, 504, 520, 524, 599, 999)
        ),
        *(pytest.param(refusal(status), id=str(status)) for status in (100, 199, 408, 499)),
    ],
)
def test_what_may_be_written_is_sent_again_only_where_that_makes_no_doubles(error: HubSpotBatchError) -> None:
    assert error.maybe_written
    assert wait(error, resendable=True) == 1.0
    assert wait(error, resendable=False) is None


@pytest.mark.parametrize(
    ("retry_after", "attempts", "seconds"),
    [("5", 1, 5.0), ("5", 4, 8.0), ("0", 1, 1.0), ("soon", 2, 2.0), ("nan", 2, 2.0), ("-5", 2, 2.0)],
)
def test_after_a_failure_of_the_server_it_waits_no_less_than_it_is_asked_to(
    retry_after: str, attempts: int, seconds: float
) -> None:
    error = refusal(503, {"retry-after": retry_after})
    assert wait(error, resendable=True, attempts=attempts) == seconds
    assert wait(error, resendable=False, attempts=attempts) is None


# All else would end the same way again.


@pytest.mark.parametrize("resendable", [True, False])
@pytest.mark.parametrize(
    "error",
    [
        pytest.param(refusal(status, {"retry-after": "1"}), id=str(status))
        for status in (300, 302, 400, 401, 403, 404, 405, 409, 410, 413, 414, 415, 418, 422, 451, 476, 478)
    ]
    + [
        pytest.param(ConfigurationError("wrong"), id="ConfigurationError"),
        pytest.param(
            InvalidInputError([Fault(index=0, pointer="/inputs/0", problem="wrong", remedy="mend it")]),
            id="InvalidInputError",
        ),
        pytest.param(HubSpotBatchError("wrong"), id="HubSpotBatchError"),
    ],
)
def test_what_would_be_refused_again_is_not_sent_again(error: HubSpotBatchError, *, resendable: bool) -> None:
    assert wait(error, resendable=resendable) is None


# How the waits grow.

LONG_LASTING = [
    pytest.param(no_reply(maybe_written=False), id="no connection"),
    pytest.param(unreadable(), id="unreadable 2xx"),
    pytest.param(refusal(500), id="500"),
]


@pytest.mark.parametrize("error", LONG_LASTING)
@pytest.mark.parametrize(
    ("attempts", "seconds"),
    [(1, 1.0), (2, 2.0), (3, 4.0), (4, 8.0), (5, 16.0), (6, 16.0), (60, 16.0), (5000, 16.0)],
)
def test_waits_double_up_to_16_seconds(error: HubSpotBatchError, attempts: int, seconds: float) -> None:
    assert wait(error, resendable=True, attempts=attempts) == seconds


@pytest.mark.parametrize("error", LONG_LASTING)
@pytest.mark.parametrize(
    ("attempts", "jitter", "seconds"),
    [(1, 0.0, 0.5), (1, 0.5, 0.75), (3, 0.0, 2.0), (3, 0.5, 3.0), (3, 1.0, 4.0), (9, 0.0, 8.0)],
)
def test_callers_are_spread_over_the_second_half_of_the_wait(
    error: HubSpotBatchError, attempts: int, jitter: float, seconds: float
) -> None:
    assert wait(error, resendable=True, attempts=attempts, jitter=jitter) == seconds


def test_a_quota_error_after_thousands_of_attempts_is_still_waited_for() -> None:
    assert wait(refusal(429, policy="SECONDLY"), attempts=5000) == 1.0
    assert wait(refusal(423), attempts=5000) == 16.0


@pytest.mark.parametrize("status", [*range(100, 300), 408, 499, *range(500, 1000)])
def test_a_batch_may_be_written_although_the_status_is(status: int) -> None:
    assert may_be_written(status)


@pytest.mark.parametrize("status", [status for status in range(300, 500) if status not in {408, 499}])
def test_a_batch_is_not_written_where_the_status_is(status: int) -> None:
    assert not may_be_written(status)


def test_by_default_a_call_is_sent_again_four_times_within_two_minutes() -> None:
    assert Retries() == Retries(limit=4, budget=120.0)
    assert Retries(limit=0) != Retries()


@pytest.mark.parametrize(
    ("wait", "waited", "resent", "expected"),
    [
        (1.0, 0.0, 0, True),
        (1.0, 0.0, 1, True),
        (1.0, 0.0, 2, False),
        (4.0, 6.0, 1, True),
        (4.5, 6.0, 1, False),
        (0.0, 10.5, 0, False),
    ],
)
def test_a_call_may_wait_within_limit_and_budget(
    wait: float, waited: float, resent: int, *, expected: bool
) -> None:
    attempt = FailedAttempt(error=refusal(503), wait=wait, attempts=resent + 1, resent=resent, waited=waited)

    assert Retries(limit=2, budget=10.0).wait_after(attempt) == (wait if expected else None)
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
