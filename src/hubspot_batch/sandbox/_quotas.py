"""How many requests pass: a rolling window per token, a day per account (docs/behaviour.md, "Rate limits").

Pure arithmetic without a clock, and not thread-safe: hold one lock around reading the clock and asking, so
that times do not go back.
"""

import math
import re
from collections import deque
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Annotated, Literal, TypeAlias

from msgspec import Meta, Struct

from hubspot_batch.errors import ConfigurationError

Policy: TypeAlias = Literal["TEN_SECONDLY_ROLLING", "SECONDLY", "DAILY"]

_QUOTA = re.compile(r"(\d{1,9})/(\d{1,9}(?:\.\d{1,9})?)(?:,(?:(\d{1,12})|none))?", re.ASCII)
_GROUPS: Mapping[Policy, str] = {
    "TEN_SECONDLY_ROLLING": "ten-secondly",
    "SECONDLY": "secondly",
    "DAILY": "daily",
}
_SHORTEST_WINDOW = 0.001
_PREFIX = "X-HubSpot-RateLimit"


class QuotaLimit(Struct, frozen=True):
    """How many requests one token may send.

    Attributes:
        limit: How many requests fit into a window; None for any number.
        window: The length of the window in seconds.
        daily: How many requests the account has a day; None for any number, 0 for a day that is used up.

    Raises:
        ConfigurationError: If one of them is invalid.
    """

    limit: int | None = 190
    window: float = 10.0
    daily: int | None = 1_000_000

    def __post_init__(self) -> None:
        if self.limit is not None and self.limit < 1:
            raise ConfigurationError(
                f"a quota of {self.limit} requests admits nothing; choose at least 1, or None for no limit"
            )
        if not _SHORTEST_WINDOW <= self.window < math.inf:
            raise ConfigurationError(
                f"a quota cannot have a window of {self.window} seconds; choose at least {_SHORTEST_WINDOW}"
            )
        if self.daily is not None and self.daily < 0:
            raise ConfigurationError(
                f"there cannot be {self.daily} requests a day; choose at least 0, or None for no limit"
            )


def parse_quota(text: str) -> QuotaLimit:
    """Read a quota from the command line.

    Args:
        text: Requests and seconds, `190/10`; with a comma the requests of a day, `190/10,625000` or
            `190/10,none`; or `none` for no limit at all.

    Raises:
        ConfigurationError: If the text is not a quota.
    """
    if text == "none":
        return QuotaLimit(limit=None, daily=None)
    match = _QUOTA.fullmatch(text)
    if match is None:
        raise ConfigurationError(
            f"{text!r} is not a quota; write requests and seconds like 190/10, with the requests of a day "
            "like 190/10,1000000, or none for no limit"
        )
    limit, window = int(match[1]), float(match[2])
    if "," not in text:
        return QuotaLimit(limit, window)
    return QuotaLimit(limit, window, None if match[3] is None else int(match[3]))


QuotaText: TypeAlias = Annotated[str, Meta(extra={"check": parse_quota})]
"""A quota as text; options outside of Python are checked by it."""


def quota_of(quota: QuotaLimit | str) -> QuotaLimit:
    """Return a quota that may be given as text.

    Raises:
        ConfigurationError: If the text is not a quota.
    """
    return parse_quota(quota) if isinstance(quota, str) else quota


class Admission(Struct, frozen=True, kw_only=True):
    """The decision on a request.

    Attributes:
        allowed: Whether it is admitted.
        policy: The limit that it met; None if it is admitted.
        remaining: How many more this window would admit; None without a limit.
        daily_remaining: How many more this day would admit; None without a limit.
        wait: Seconds until one would be admitted if no other came first; 0 if this one is.
    """

    allowed: bool
    policy: Policy | None
    remaining: int | None
    daily_remaining: int | None
    wait: float


class Day:
    """The requests of a day. The tokens of an account share one.

    Times are in the account's time zone, because the day ends at midnight there.

    Args:
        limit: How many requests a day allows; None for any number.
    """

    def __init__(self, limit: int | None) -> None:
        self._limit = limit
        self._date: date | None = None
        self._count = 0

    def used(self, moment: datetime) -> int:
        """Return how many requests were admitted on a day."""
        if moment.date() != self._date:
            self._date, self._count = moment.date(), 0
        return self._count

    def remaining(self, moment: datetime) -> int | None:
        """Return how many requests are left; None without a limit."""
        return None if self._limit is None else self._limit - self.used(moment)

    def wait(self, moment: datetime) -> float:
        """Return the seconds until a request would be admitted: 0, or those until midnight."""
        return _until_midnight(moment) if self.remaining(moment) == 0 else 0.0

    def count(self, moment: datetime) -> None:
        """Count a request that is admitted."""
        self._count = self.used(moment) + 1


class Window:
    """A rolling window: admits at most `limit` requests of one token in any `window` seconds.

    A refused request is not counted, neither here nor for the day; whether HubSpot counts it is not known.

    Args:
        quota: The limit and the window.
        day: The day that the token counts towards. An OAuth token has none: `Day(None)`.
    """

    def __init__(self, quota: QuotaLimit, day: Day) -> None:
        self.quota = quota
        self._day = day
        # Times outside the window are dropped, so there are never more than the limit.
        self._times: deque[float] = deque()

    def admit(self, now: float, moment: datetime) -> Admission:
        """Decide on a request, and count it if it passes.

        Args:
            now: Seconds of a monotonic clock.
            moment: The same instant as date and time of the account's time zone.
        """
        wait, daily_wait = self._wait(now), self._day.wait(moment)
        if daily_wait:
            return self._admission("DAILY", max(wait, daily_wait), moment)
        if wait:
            return self._admission("TEN_SECONDLY_ROLLING", wait, moment)
        if self.quota.limit is not None:
            self._times.append(now)
        self._day.count(moment)
        return self._admission(None, 0.0, moment)

    def used(self, now: float) -> int:
        """Return how many requests the window holds; 0 without a limit, because none is kept then."""
        while self._times and self._times[0] + self.quota.window <= now:
            self._times.popleft()
        return len(self._times)

    def _wait(self, now: float) -> float:
        return self._times[0] + self.quota.window - now if self.used(now) == self.quota.limit else 0.0

    def _admission(self, policy: Policy | None, wait: float, moment: datetime) -> Admission:
        limit = self.quota.limit
        return Admission(
            allowed=policy is None,
            policy=policy,
            remaining=None if limit is None else limit - len(self._times),
            daily_remaining=self._day.remaining(moment),
            wait=wait,
        )


def quota_headers(
    quota: QuotaLimit, admission: Admission, *, oauth: bool, retry_after: bool
) -> dict[str, str]:
    """Return HubSpot's headers on a quota (docs/behaviour.md, "Rate limit headers").

    Args:
        quota: The quota of the token. Without a limit there are no headers on it.
        admission: The decision on the request.
        oauth: Whether it is an OAuth token, which gets no daily headers.
        retry_after: Whether a 429 has the header `Retry-After`; HubSpot does not document it.
    """
    headers = _window_headers(quota, admission)
    if not oauth and quota.daily is not None:
        headers[f"{_PREFIX}-Daily"] = str(quota.daily)
        headers[f"{_PREFIX}-Daily-Remaining"] = str(admission.daily_remaining)
    if retry_after and not admission.allowed:
        headers["Retry-After"] = str(math.ceil(admission.wait))
    return headers


def rate_limit_body(
    policy: Policy, *, account: int, correlation_id: str, request_id: str | None = None
) -> dict[str, str]:
    """Return the body of a 429, which has no category (docs/behaviour.md, "Rate limit replies").

    Args:
        policy: The limit that was met.
        account: The id of the account.
        correlation_id: The id that HubSpot's support asks for.
        request_id: HubSpot sends it only sometimes.
    """
    body = {
        "status": "error",
        "message": f"You have reached your {policy.lower()} limit.",
        "errorType": "RATE_LIMIT",
        "correlationId": correlation_id,
        "policyName": policy,
        "groupName": f"publicapi:private_app-api-calls-{_GROUPS[policy]}:{account}",
    }
    return body if request_id is None else {**body, "requestId": request_id}


def _window_headers(quota: QuotaLimit, admission: Admission) -> dict[str, str]:
    if quota.limit is None or admission.remaining is None:
        return {}
    # Recorded: 100 in ten seconds come with 10 in one, and this request has used one of these.
    secondly = math.ceil(quota.limit / quota.window)
    return {
        f"{_PREFIX}-Max": str(quota.limit),
        f"{_PREFIX}-Remaining": str(admission.remaining),
        f"{_PREFIX}-Interval-Milliseconds": str(round(quota.window * 1000)),
        f"{_PREFIX}-Secondly": str(secondly),
        f"{_PREFIX}-Secondly-Remaining": str(min(secondly - 1, admission.remaining)),
    }


def _until_midnight(moment: datetime) -> float:
    midnight = datetime.combine(moment.date() + timedelta(days=1), time(), moment.tzinfo)
    # By timestamps: within one time zone Python subtracts clock readings, and some days have 23 hours.
    return midnight.timestamp() - moment.timestamp()
