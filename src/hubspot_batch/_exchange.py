"""One call over all its attempts: what leaves, when it may, and what a reply means. Nothing is sent here."""

import inspect
import logging
import random
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol, Self

import httpx

from hubspot_batch._auth import Bearer
from hubspot_batch._settings import Settings
from hubspot_batch.errors import (
    ConfigurationError,
    ConnectionFailedError,
    HubSpotBatchError,
    RateLimitError,
    RequestTimeoutError,
)
from hubspot_batch.policy import may_wait, wait_before_retry
from hubspot_batch.quota import AttemptReport
from hubspot_batch.results import BatchResult, Response

if TYPE_CHECKING:
    from hubspot_batch._calls import Call

_logger = logging.getLogger("hubspot_batch")

# The last two come from the address in a redirect, which httpx reads even where it does not follow it.
NO_REPLY = (httpx.HTTPError, httpx.InvalidURL, UnicodeError)
"""What says that no reply came."""

# What httpx raises before the first byte of a request has left.
_NOT_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
)


class RequestBuilder(Protocol):
    """What an exchange needs of an HTTP client."""

    def build_request(
        self,
        method: str,
        url: httpx.URL,
        *,
        headers: Mapping[str, str],
        content: bytes,
        timeout: httpx.Timeout,
    ) -> httpx.Request:
        """Return a request of this client."""
        ...


@lru_cache(maxsize=64)
def _url(text: str) -> httpx.URL:
    """Return an address that is parsed once, for all the requests that go there."""
    return httpx.URL(text)


def response_of(reply: httpx.Response, seconds: float, attempts: int = 1) -> Response:
    """Return a reply as data.

    Args:
        reply: What came.
        seconds: How long it took.
        attempts: How many it took, this one included.
    """
    return Response(
        status=reply.status_code,
        # By items: a look-up goes through all headers, and a mapping is copied by look-ups.
        headers=dict(reply.headers.items()),
        content=reply.content,
        seconds=seconds,
        attempts=attempts,
    )


def token_of(settings: Settings) -> object:
    """Return the bearer, or whatever the caller's function returns: nobody has looked at it yet."""
    return settings.token if isinstance(settings.token, Bearer) else settings.token()


def bearer_of(token: object) -> Bearer:
    """Return the bearer of a token that has come.

    Raises:
        ConfigurationError: If it is none.
    """
    if inspect.iscoroutine(token):
        token.close()
        raise ConfigurationError("access_token is an async function; use AsyncHubSpot")
    return token if isinstance(token, Bearer) else Bearer(token)


class _Body(httpx.SyncByteStream, httpx.AsyncByteStream):
    """The body of a request, which tells when its last byte was sent: the connection asks for more then."""

    def __init__(self, content: bytes, sent: Callable[[], None]) -> None:
        self._content = content
        self._sent = sent

    def __iter__(self) -> Iterator[bytes]:
        yield self._content
        self._sent()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._content
        self._sent()


class Exchange:
    """One call over all its attempts: when the next may leave, and what the last one means.

    It reads the clock but neither sends nor sleeps.
    """

    def __init__(
        self,
        call: "Call",
        settings: Settings,
        returned: Callable[[HubSpotBatchError | None], None] = lambda _: None,
    ) -> None:
        self._call = call
        self._settings = settings
        self._returned = returned
        self._attempts = 0
        self._resent = 0
        self._waited = 0.0
        self._maybe_written = False
        self._departure: float | None = None
        self._sent = 0.0
        self._refused_until: float | None = None
        self._not_before = float("-inf")
        self._began = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> None:
        """Whatever ends the call, an earlier attempt may have written the batch."""
        if isinstance(error, HubSpotBatchError) and self._maybe_written:
            error.maybe_written = True

    def pause(self) -> float:
        """Return how many seconds the policy asks to wait before the next attempt."""
        # Nothing is reserved for its end: whoever comes after would wait for it, too.
        return max(0.0, self._not_before - time.monotonic())

    def delay(self) -> float:
        """Return how many seconds remain until the next attempt may leave; 0 once it may.

        Another call may run into the quota while this one waits, so ask again after each sleep.
        """
        quota, now = self._settings.quota, time.monotonic()
        return self._until(quota.reserve(now, held=self._departure, on_guess=False), now)

    async def delay_async(self) -> float:
        """Return the same, without blocking the event loop."""
        quota, now = self._settings.quota, time.monotonic()
        return self._until(await quota.reserve_async(now, held=self._departure, on_guess=False), now)

    def _until(self, departure: float, now: float) -> float:
        kept = departure <= now or self._settings.quota.limit_known
        self._departure = departure if kept else None
        return max(0.0, departure - now)

    def begin(self, http: RequestBuilder) -> httpx.Request:
        """Return the request of the next attempt, which leaves now."""
        self._attempts += 1
        self._began = self._sent = time.monotonic()
        self._refused_until = None
        request = http.build_request(
            self._call.method,
            _url(self._settings.base_url + self._call.path),
            headers=self._call.headers,
            content=self._call.content,
            timeout=self._settings.timeout,
        )
        request.stream = _Body(self._call.content, self._has_left)
        return request

    def ended(self, reply: httpx.Response | None = None) -> AttemptReport:
        """Return what the quota is to know of an attempt that is over."""
        departure, self._departure = self._departure, None
        return AttemptReport(
            departure=self._began if departure is None else departure,
            sent=self._sent,
            ended=time.monotonic(),
            headers=None if reply is None else reply.headers,
            refused_until=self._refused_until,
        )

    def replied(self, reply: httpx.Response) -> BatchResult | None:
        """Return the result of a reply, or None if another attempt is due."""
        response = response_of(reply, time.monotonic() - self._began, attempts=self._attempts)
        try:
            result = self._call.decode(response)
        except HubSpotBatchError as error:
            in_body = getattr(error, "correlation_id", None)
            self._log(f"HTTP {response.status}", in_body or response.correlation_id)
            self._again_or_raise(error)
            return None
        self._log(f"HTTP {response.status}", response.correlation_id)
        self._returned(None)
        return result

    def failed(self, cause: Exception) -> BatchResult | None:
        """Return None, for another attempt is due: that no reply came is no result."""
        name = type(cause).__name__
        kind, problem = ConnectionFailedError, "the connection broke before the reply was complete"
        if isinstance(cause, httpx.TimeoutException):
            kind, problem = (
                RequestTimeoutError,
                "no reply came in time; timeout sets how long to wait",
            )
        if isinstance(cause, _NOT_SENT):
            problem = f"no connection to {self._settings.base_url}; check base_url, network and proxy"
        self._log(f"no reply ({name})", None)
        error = kind(f"{self._call.operation}: {problem} ({name})", attempts=self._attempts)
        error.maybe_written = not isinstance(cause, _NOT_SENT)
        error.__cause__ = cause
        self._again_or_raise(error)
        return None

    def _has_left(self) -> None:
        self._sent = time.monotonic()

    def _again_or_raise(self, error: HubSpotBatchError) -> None:
        self._returned(error)
        wait = wait_before_retry(
            error,
            resendable=self._call.resendable,
            attempts=self._attempts,
            jitter=random.random(),  # noqa: S311 - no secret
        )
        limited, retries = isinstance(error, RateLimitError), self._settings.retries
        if limited and wait is not None and wait <= retries.budget:
            self._refused_until = time.monotonic() + wait
        resent = 0 if limited else self._resent
        if wait is None or not may_wait(retries, wait, waited=self._waited, resent=resent):
            raise error
        self._maybe_written = self._maybe_written or error.maybe_written
        self._waited += wait
        self._resent += not limited
        self._not_before = time.monotonic() + wait

    def _log(self, outcome: str, correlation_id: str | None) -> None:
        _logger.debug(
            "%s: attempt %d: %s after %.3f s, correlation id %r",
            self._call.operation,
            self._attempts,
            outcome,
            time.monotonic() - self._began,
            correlation_id,
        )
