"""The only code that sends or sleeps: a call goes out, and again where the policy says so."""

import inspect
import logging
import math
import random
import time
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from threading import Lock
from typing import Generic, Protocol, Self, TypeVar

import anyio
import httpx
from anyio import CapacityLimiter, to_thread

from hubspot_batch._auth import Bearer
from hubspot_batch._calls import Call
from hubspot_batch._settings import Settings
from hubspot_batch.errors import (
    ConfigurationError,
    ConnectionFailedError,
    HubSpotBatchError,
    RateLimitError,
    RequestTimeoutError,
)
from hubspot_batch.policy import wait_before_retry
from hubspot_batch.results import BatchResult, Response

_Http = TypeVar("_Http", httpx.Client, httpx.AsyncClient)

_logger = logging.getLogger("hubspot_batch")

# Seconds. Who leaves later than that has to reserve again: the margin of a quota covers no more.
_LATE = 0.05

# The last two come from the address in a redirect, which httpx reads even where it does not follow it.
_NO_REPLY = (httpx.HTTPError, httpx.InvalidURL, UnicodeError)
# What httpx raises before the first byte of a request has left.
_NOT_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
)


class Pool(Generic[_Http]):
    """The connection pool that a client and its variants share, made when the first call needs it.

    Making it takes longer than all else that a client does before its first call: it reads the certificates.

    Args:
        make: Makes the HTTP client.
        owned: Whether it is closed with the client, or belongs to the caller.
    """

    def __init__(self, make: Callable[[], _Http], *, owned: bool) -> None:
        self._make: Callable[[], _Http] = make
        self._owned = owned
        self._http: _Http | None = None
        self._closed = False
        self._lock = Lock()

    def http(self) -> _Http:
        """Return the HTTP client.

        Raises:
            ConfigurationError: If it is closed.
        """
        with self._lock:
            if self._closed:
                raise ConfigurationError("the client is closed; make another one")
            if self._http is None:
                self._http = self._make()
            return self._http

    def release(self) -> _Http | None:
        """Let no more calls go out, and return the HTTP client if there is one to close."""
        with self._lock:
            self._closed = True
            return self._http if self._owned else None


class Driver:
    """Sends calls, one after the other.

    Args:
        pool: Where the HTTP client comes from.
        settings: The options of the client.
    """

    def __init__(self, pool: Pool[httpx.Client], settings: Settings) -> None:
        self._pool = pool
        self._settings = settings

    def send(self, call: Call) -> BatchResult:
        """Send a call until it has a result, or a final error.

        Raises:
            HubSpotBatchError: The error of the last attempt.
        """
        exchange = _Exchange(call, self._settings)
        with exchange:
            while True:
                if pause := exchange.pause(time.monotonic()):
                    time.sleep(pause)
                # Before the departure is reserved: a function that gets a token may take its time.
                auth = _bearer(_token(self._settings))
                http = self._pool.http()
                while delay := exchange.delay(time.monotonic()):
                    time.sleep(delay)
                try:
                    reply = http.send(exchange.begin(http), auth=auth, follow_redirects=False)
                except _NO_REPLY as error:
                    result = exchange.failed(error)
                else:
                    result = exchange.replied(reply)
                if result is not None:
                    return result


class AsyncHttp(Protocol):
    """What the asynchronous driver needs of an HTTP client."""

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

    async def send(
        self, request: httpx.Request, *, auth: httpx.Auth, follow_redirects: bool
    ) -> httpx.Response:
        """Send a request."""
        ...


class AsyncSource(Protocol):
    """Where the asynchronous driver gets its HTTP client from."""

    def http(self) -> AsyncHttp:
        """Return the HTTP client."""
        ...


class ThreadedPool:
    """The connections of a synchronous client for an asynchronous driver: each exchange takes a thread.

    Args:
        pool: The pool of the synchronous client.
    """

    def __init__(self, pool: Pool[httpx.Client]) -> None:
        self._pool = pool
        self._limiter = CapacityLimiter(math.inf)

    def http(self) -> AsyncHttp:
        """Return the HTTP client."""
        return _ThreadedHttp(self._pool.http(), self._limiter)


class _ThreadedHttp:
    def __init__(self, http: httpx.Client, limiter: CapacityLimiter) -> None:
        self._http = http
        self._limiter = limiter
        self.build_request = http.build_request

    async def send(
        self, request: httpx.Request, *, auth: httpx.Auth, follow_redirects: bool
    ) -> httpx.Response:
        send = partial(self._http.send, request, auth=auth, follow_redirects=follow_redirects)
        return await to_thread.run_sync(send, abandon_on_cancel=True, limiter=self._limiter)


class Watcher(Protocol):
    """Whoever follows the attempts of a call."""

    async def departing(self) -> None:
        """An attempt leaves as soon as this returns. What this raises ends the call."""
        ...

    def returned(self, error: HubSpotBatchError | None) -> None:
        """The attempt is over: with this error, or with a result."""
        ...


class _Nobody:
    async def departing(self) -> None:
        pass

    def returned(self, error: HubSpotBatchError | None) -> None:
        pass


class AsyncDriver:
    """Sends calls, any number at a time.

    Args:
        pool: Where the HTTP client comes from.
        settings: The options of the client.
    """

    def __init__(self, pool: AsyncSource, settings: Settings) -> None:
        self._pool = pool
        self._settings = settings

    async def send(self, call: Call, watcher: Watcher = _Nobody()) -> BatchResult:  # noqa: B008 - stateless
        """Send a call until it has a result, or a final error.

        Args:
            call: What to send.
            watcher: Who follows its attempts.

        Raises:
            HubSpotBatchError: The error of the last attempt.
        """
        exchange = _Exchange(call, self._settings, watcher.returned)
        with exchange:
            while True:
                if pause := exchange.pause(time.monotonic()):
                    await anyio.sleep(pause)
                # Before the departure is reserved: a function that gets a token may take its time.
                token = _token(self._settings)
                auth = _bearer(await token if inspect.isawaitable(token) else token)
                http = self._pool.http()
                await _until_due(exchange)
                await watcher.departing()
                # The watcher may have taken its time, too.
                await _until_due(exchange)
                try:
                    reply = await http.send(exchange.begin(http), auth=auth, follow_redirects=False)
                except _NO_REPLY as error:
                    result = exchange.failed(error)
                else:
                    result = exchange.replied(reply)
                if result is not None:
                    return result


async def _until_due(exchange: "_Exchange") -> None:
    while delay := exchange.delay(time.monotonic()):  # noqa: ASYNC110 - no poll: it knows when
        await anyio.sleep(delay)


def send_form(url: str, form: Mapping[str, str], timeout: httpx.Timeout) -> Response:
    """Send a form once, and return the reply.

    Raises:
        httpx.HTTPError: If none comes.
    """
    began = time.monotonic()
    reply = httpx.post(url, data=dict(form), timeout=timeout)
    return Response(
        status=reply.status_code,
        headers=dict(reply.headers.items()),
        content=reply.content,
        seconds=time.monotonic() - began,
    )


@lru_cache(maxsize=64)
def _url(text: str) -> httpx.URL:
    """Return an address that is parsed once, for all the requests that go there."""
    return httpx.URL(text)


def _token(settings: Settings) -> object:
    """Return the bearer, or whatever the caller's function returns: nobody has looked at it yet."""
    return settings.token if isinstance(settings.token, Bearer) else settings.token()


def _bearer(token: object) -> Bearer:
    if inspect.iscoroutine(token):
        token.close()
        raise ConfigurationError("access_token is an async function; use AsyncHubSpot")
    return token if isinstance(token, Bearer) else Bearer(token)


class _Exchange:
    """One call over all its attempts: when the next may leave, and what the last one means.

    It reads the clock but neither sends nor sleeps.
    """

    def __init__(
        self,
        call: Call,
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
        self._not_before = float("-inf")
        self._began = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> None:
        """Whatever ends the call, an earlier attempt may have written the batch."""
        if isinstance(error, HubSpotBatchError) and self._maybe_written:
            error.maybe_written = True

    def pause(self, now: float) -> float:
        """Return how many seconds the policy asks to wait before the next attempt."""
        # Nothing is reserved for its end: whoever comes after would wait for it, too.
        return max(0.0, self._not_before - now)

    def delay(self, now: float) -> float:
        """Return how many seconds remain until the next attempt may leave; 0 once it may.

        Another call may run into the quota while this one waits, so ask again after each sleep.
        """
        quota = self._settings.quota
        if self._departure is None or self._departure < max(quota.paused_until, now - _LATE):
            self._departure = quota.reserve(now, missed=self._departure)
        return max(0.0, self._departure - now)

    def begin(self, http: httpx.Client | AsyncHttp) -> httpx.Request:
        """Return the request of the next attempt, which leaves now."""
        self._attempts += 1
        self._departure = None
        self._began = time.monotonic()
        return http.build_request(
            self._call.method,
            _url(self._settings.base_url + self._call.path),
            headers=self._call.headers,
            content=self._call.content,
            timeout=self._settings.timeout,
        )

    def replied(self, reply: httpx.Response) -> BatchResult | None:
        """Return the result of a reply, or None if another attempt is due."""
        response = Response(
            status=reply.status_code,
            # By items: a look-up goes through all headers, and a mapping is copied by look-ups.
            headers=dict(reply.headers.items()),
            content=reply.content,
            seconds=time.monotonic() - self._began,
            attempts=self._attempts,
        )
        self._settings.quota.learn(response.headers)
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

    def _again_or_raise(self, error: HubSpotBatchError) -> None:
        self._returned(error)
        wait = wait_before_retry(
            error,
            resendable=self._call.resendable,
            attempts=self._attempts,
            jitter=random.random(),  # noqa: S311 - no secret
        )
        limited = isinstance(error, RateLimitError)
        if limited and wait is not None and wait <= self._settings.retries.budget:
            self._settings.quota.refused(time.monotonic() + wait, time.monotonic())
        if wait is None or not self._may_wait(wait, limited=limited):
            raise error
        self._maybe_written = self._maybe_written or error.maybe_written
        self._waited += wait
        self._resent += not limited
        self._not_before = time.monotonic() + wait

    def _may_wait(self, wait: float, *, limited: bool) -> bool:
        retries = self._settings.retries
        attempts_left = retries.limit > (0 if limited else self._resent)
        return attempts_left and self._waited + wait <= retries.budget

    def _log(self, outcome: str, correlation_id: str | None) -> None:
        _logger.debug(
            "%s: attempt %d: %s after %.3f s, correlation id %r",
            self._call.operation,
            self._attempts,
            outcome,
            time.monotonic() - self._began,
            correlation_id,
        )
