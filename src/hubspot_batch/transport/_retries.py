"""The retry table, as pure functions.

Everything depends on one question: may the batch have been written? HubSpot has no idempotency key, so a
create that may have been written is not retried, unless a unique property makes the server refuse doubles
(docs/behaviour.md, "After a time-out").
"""

import math
from collections.abc import Mapping
from typing import Protocol, runtime_checkable

from msgspec import Struct

from hubspot_batch.errors import (
    ApiError,
    ConnectionFailedError,
    HubSpotBatchError,
    RateLimitError,
    UnexpectedReplyError,
)

_LOCK_SECONDS = 2.0
_POLICY_SECONDS = {"TEN_SECONDLY_ROLLING": 10.0, "SECONDLY": 1.0}
_WINDOW_SECONDS = 10.0
# A 429 counts against the budget only, so without a least wait it would be retried forever.
_LEAST_SECONDS = 1.0
_FIRST_BACKOFF = 1.0
_MOST_DOUBLINGS = 4

# One side gave up waiting. The request may still be processed.
_UNSURE_REFUSALS = {408, 499}


class FailedAttempt(Struct, frozen=True, kw_only=True):
    """An attempt that failed, and could be made again without a double.

    Attributes:
        error: How it failed.
        wait: The seconds to wait before the next attempt, from `Retry-After` or a backoff with jitter; None
            if the same request would fail again.
        attempts: How many attempts of the call were made, this one included.
        resent: How many of them were retries. A retry after a 429 is not counted.
        waited: The seconds that the call has waited between its attempts.
    """

    error: HubSpotBatchError
    wait: float | None
    attempts: int
    resent: int
    waited: float


@runtime_checkable
class RetryPolicy(Protocol):
    """What decides whether a call is sent again. `Retries` is one.

    It is never asked about an attempt that may have written records which a retry could double.
    """

    def wait_after(self, attempt: FailedAttempt) -> float | None:
        """Return the seconds to wait before the next attempt, or None to raise the error of this one.

        It must not block, and may be called from several threads.
        """
        ...


class Retries(Struct, frozen=True, kw_only=True):
    """The default retry policy: a limit and a budget.

    A 429 counts against the budget only: nothing was processed, so waiting is enough.

    Attributes:
        limit: How many times a call is retried. 0 means a single attempt.
        budget: The most seconds that a call may wait between its attempts, in total.
    """

    limit: int = 4
    budget: float = 120.0

    def wait_after(self, attempt: FailedAttempt) -> float | None:
        """Return the seconds to wait before the next attempt, or None if limit or budget are used up."""
        if attempt.wait is None or attempt.waited + attempt.wait > self.budget:
            return None
        resent = 0 if isinstance(attempt.error, RateLimitError) else attempt.resent
        return attempt.wait if self.limit > resent else None


def may_be_written(status: int) -> bool:
    """Return whether the batch may have been written, given the status of the reply."""
    refused = 300 <= status < 500  # noqa: PLR2004 - the ranges of HTTP
    return not refused or status in _UNSURE_REFUSALS


def wait_before_retry(
    error: HubSpotBatchError, *, resendable: bool, attempts: int, jitter: float
) -> float | None:
    """Return the seconds to wait before the next attempt, or None if the call must not be retried.

    Args:
        error: The error of the attempt.
        resendable: Whether the batch may be retried although it may have been written.
        attempts: How many attempts were made.
        jitter: A number from 0 to 1 that spreads the callers of one server.
    """
    backoff = _FIRST_BACKOFF * 2.0 ** min(attempts - 1, _MOST_DOUBLINGS) * (0.5 + jitter / 2)
    match error:
        case RateLimitError():
            return None if error.daily else max(_rate_limit_wait(error), _LEAST_SECONDS)
        case ApiError(status=423):
            return max(_LOCK_SECONDS, backoff, asked_wait(error) or 0.0)
        case ApiError(status=477):
            return asked_wait(error)
        case ApiError() if resendable and may_be_written(error.status):
            return max(backoff, asked_wait(error) or 0.0)
        case UnexpectedReplyError() if resendable:
            return backoff
        case ConnectionFailedError() if resendable or not error.maybe_written:
            return backoff
        case _:
            return None


def _rate_limit_wait(error: RateLimitError) -> float:
    if (asked := asked_wait(error)) is not None:
        return asked
    if error.policy in _POLICY_SECONDS:
        return _POLICY_SECONDS[error.policy]
    window = _seconds(error.response.headers, "x-hubspot-ratelimit-interval-milliseconds")
    return _WINDOW_SECONDS if window is None else window / 1000


def asked_wait(error: ApiError) -> float | None:
    """Return the seconds that a refusal asks to wait; None if it does not."""
    return _seconds(error.response.headers, "retry-after")


def _seconds(headers: Mapping[str, str], name: str) -> float | None:
    try:
        seconds = float(headers[name])
    except (KeyError, ValueError):
        return None
    return seconds if math.isfinite(seconds) and seconds >= 0 else None
