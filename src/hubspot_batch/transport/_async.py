"""The asynchronous half of the only code that sends or sleeps; bulk runs of both clients use it."""

import inspect
import math
import time
from contextlib import AbstractAsyncContextManager, aclosing, nullcontext
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

import anyio
import httpx
from anyio import CancelScope, CapacityLimiter, Event, move_on_after, to_thread

from hubspot_batch.errors import ApiError, ConfigurationError, HubSpotBatchError
from hubspot_batch.results import Response
from hubspot_batch.transport._attempts import (
    NO_REPLY,
    Attempt,
    Attempts,
    Body,
    ClosedEarly,
    Received,
    call_source,
)
from hubspot_batch.transport._calls import Call, has_object, passed_on
from hubspot_batch.transport._connections import (
    MAX_CONNECTIONS,
    AsyncHttpClient,
    HttpClient,
    Pool,
    Redirected,
    RequestBuilder,
)
from hubspot_batch.transport._settings import AsyncTokenSource, CachingTokenSource, Settings
from hubspot_batch.transport._sync import Driver, fetch
from hubspot_batch.transport._tokens import Bearer

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

_T = TypeVar("_T")

# Headers of a request, and of the body of a reply.
_PASSED_ON = ("accept", "content-type")
_OF_THE_BODY = frozenset({"content-encoding", "content-length", "transfer-encoding"})
_STATUSES = frozenset(HTTPStatus)

# Seconds that an attempt gets to time out by itself: its own error says more than a cancellation.
_GRACE = 0.25


class AsyncHttp(RequestBuilder, Protocol):
    """What the asynchronous driver needs of an HTTP client."""

    async def fetch(self, attempt: Attempt) -> Received:
        """Send a request once, and return the reply."""
        ...


class AsyncSource(Protocol):
    """Where the asynchronous driver gets its HTTP client from."""

    @property
    def room(self) -> AbstractAsyncContextManager[object]:
        """Waits until a connection is free, over all clients that share them, and takes it."""
        ...

    def http(self) -> AsyncHttp:
        """Return the HTTP client."""
        ...


class ThreadedPool:
    """The connections of a synchronous client for an asynchronous driver. Each request takes a thread.

    Args:
        pool: The pool of the synchronous client.
    """

    def __init__(self, pool: Pool[HttpClient]) -> None:
        self.room: AbstractAsyncContextManager[object] = nullcontext()
        self._pool = pool
        self._limiter = CapacityLimiter(math.inf)

    def http(self) -> AsyncHttp:
        """Return the HTTP client."""
        return _ThreadedHttp(self._pool.http(), self._limiter)


class _ThreadedHttp:
    def __init__(self, http: HttpClient, limiter: CapacityLimiter) -> None:
        self._http = http
        self._limiter = limiter
        self.build_request = http.build_request

    async def fetch(self, attempt: Attempt) -> Received:
        return await to_thread.run_sync(
            fetch, self._http, attempt, abandon_on_cancel=True, limiter=self._limiter
        )


class AsyncPool:
    """The connections of an asynchronous client.

    Args:
        pool: The pool of the client.
    """

    def __init__(self, pool: Pool[AsyncHttpClient]) -> None:
        if pool.limiter is None:
            pool.limiter = CapacityLimiter(MAX_CONNECTIONS)
        self.room = pool.limiter
        self._pool = pool

    def http(self) -> AsyncHttp:
        """Return the HTTP client."""
        return _AsyncHttp(self._pool.http())


class _AsyncHttp:
    def __init__(self, http: AsyncHttpClient) -> None:
        self._http = http
        self.build_request = http.build_request

    async def fetch(self, attempt: Attempt) -> Received:
        attempt.request.extensions["trace"] = attempt.trace_async
        try:
            reply = await self._http.send(attempt.request, auth=attempt, follow_redirects=False, stream=True)
        except Redirected as redirect:
            return Received.of(redirect.reply, b"")
        except RuntimeError:
            if attempt.begun:
                raise
            raise ClosedEarly from None
        try:
            body = Body(reply, attempt)
            if body.wanted:
                async with aclosing(cast("AsyncGenerator[bytes, None]", reply.aiter_raw())) as parts:
                    async for part in parts:
                        body.add(part)
                        if not body.wanted:
                            break
        finally:
            await reply.aclose()
            attempt.release(reply)
        return Received.of(reply, body.content)


class AttemptHooks(Protocol):
    """Callbacks for the attempts of a call."""

    async def before_send(self) -> None:
        """Run before each attempt. An exception ends the call."""
        ...

    def after_reply(self, error: HubSpotBatchError | None) -> None:
        """Run after each attempt, with its error, or with None if it has a result."""
        ...

    def not_sent(self) -> None:
        """Run after `before_send` if the quota fails, so the attempt does not begin."""
        ...


class _NoHooks:
    async def before_send(self) -> None:
        pass

    def after_reply(self, error: HubSpotBatchError | None) -> None:
        pass

    def not_sent(self) -> None:
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
        self._tokens = _Tokens(settings.token)

    async def send(self, call: Call[_T], hooks: AttemptHooks = _NoHooks()) -> _T:  # noqa: B008 - stateless
        """Send a call until it has a result, or a final error.

        Args:
            call: What to send.
            hooks: Callbacks for its attempts.

        Raises:
            HubSpotBatchError: The error of the last attempt.
        """
        attempts = Attempts(call, self._settings, hooks.after_reply)
        with attempts:
            while True:
                if backoff := attempts.backoff():
                    await anyio.sleep(backoff)
                # Before the send time is reserved: a token function may be slow.
                bearer = await self._tokens.get(attempts.token_since)
                http = self._pool.http()
                await _until_due(attempts)
                async with self._pool.room:
                    await hooks.before_send()
                    # To wait for room takes time, and the hook may, too.
                    try:
                        await _until_due(attempts)
                    except Exception:
                        hooks.not_sent()
                        raise
                    result = await self._result_of(attempts, http, bearer)
                if result is not None:
                    return result

    async def _result_of(self, attempts: Attempts[_T], http: AsyncHttp, bearer: Bearer) -> _T | None:
        """Make an attempt, and return its result; None where another one is to follow."""
        attempt, received = attempts.start(http, bearer), None
        try:
            received = await self._in_time(http, attempt)
            return attempts.on_reply(received, attempt)
        except NO_REPLY as error:
            return attempts.on_error(error, attempt)
        except ClosedEarly:
            attempts.on_closed()
        finally:
            # Shielded: waiting for the file of a quota must not lose a reply.
            with CancelScope(shield=True):
                await self._settings.quota.ended_async(attempts.report(received))

    async def pause(self, seconds: float) -> None:
        """Wait before a call that is of no use earlier."""
        await anyio.sleep(seconds)

    async def _in_time(self, http: AsyncHttp, attempt: Attempt) -> Received:
        with move_on_after(self._settings.attempt_timeout + _GRACE):
            return await http.fetch(attempt)
        raise httpx.ReadTimeout("the attempt is over")


class Carrier(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Carries the requests of `hubspot_batch_api` over the connections of a client, by its rules.

    Args:
        settings: The options of the client.
        driver: What sends for asynchronous code.
        sync_driver: What sends for other code; None where the client is asynchronous.
    """

    def __init__(self, settings: Settings, driver: AsyncDriver, sync_driver: Driver | None = None) -> None:
        self._base_path = _raw_path(httpx.URL(settings.base_url)).rstrip("/")
        self._api_version = settings.api_version
        self._driver = driver
        self._sync_driver = sync_driver

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Return the reply to a request."""
        if self._sync_driver is None:
            raise ConfigurationError(
                "this is the generated client of an AsyncHubSpot; await asyncio or asyncio_detailed"
            )
        request.read()
        try:
            return _reply(self._sync_driver.send(self._call(request)))
        except ApiError as error:
            return _refusal(error)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Return the reply to a request, for asynchronous code."""
        await request.aread()
        try:
            return _reply(await self._driver.send(self._call(request)))
        except ApiError as error:
            return _refusal(error)

    def _call(self, request: httpx.Request) -> Call[Response]:
        path = _raw_path(request.url).removeprefix(self._base_path)
        headers = {name: request.headers[name] for name in _PASSED_ON if name in request.headers}
        return passed_on(request.method, path, headers, request.content, api_version=self._api_version)


def _raw_path(url: httpx.URL) -> str:
    """Return the path of an address with its query, as it is sent."""
    return url.raw_path.decode("ascii")


def _reply(response: Response) -> httpx.Response:
    """Return a reply in the form that the generated code reads. Its body has been decompressed."""
    headers = {name: text for name, text in response.headers.items() if name not in _OF_THE_BODY}
    return httpx.Response(response.status, headers=headers, content=response.content)


def _refusal(error: ApiError) -> httpx.Response:
    """Return a refusal in the form that the generated code reads.

    Raises:
        ApiError: The refusal itself, where the generated code could not read it.
    """
    if error.status not in _STATUSES or not has_object(error.response):
        raise error
    return _reply(error.response)


class _Tokens:
    """The token source. A function of the caller runs in a thread, unless it is async.

    Only one call of it runs at a time, and concurrent attempts share its result. So the function may be slow,
    and need not be thread-safe.
    """

    def __init__(self, source: Bearer | AsyncTokenSource) -> None:
        self._source = source
        self._limiter = CapacityLimiter(math.inf)
        self._under_way: _TokenCall | None = None

    async def get(self, since: float) -> Bearer:
        """Return a bearer from a call of the function that began at a time or later.

        Raises:
            ConfigurationError: If it cannot be a token.
        """
        if isinstance(self._source, Bearer):
            return self._source
        if isinstance(self._source, CachingTokenSource) and (cached := self._source.cached) is not None:
            return Bearer(cached).checked()
        while (call := self._under_way) is not None:
            await call.over.wait()
            if call.began >= since and (bearer := call.result()) is not None:
                return bearer
        return await self._call(self._source)

    async def _call(self, source: AsyncTokenSource) -> Bearer:
        call = self._under_way = _TokenCall()
        try:
            if inspect.iscoroutinefunction(source):
                token = call_source(source)
            else:
                token = await to_thread.run_sync(
                    call_source, source, abandon_on_cancel=True, limiter=self._limiter
                )
            bearer = token if isinstance(token, Bearer) else Bearer(await token)
            call.bearer = bearer.checked()
        except Exception as error:
            call.error = error
            raise
        finally:
            self._under_way = None
            call.over.set()
        return call.bearer


class _TokenCall:
    """One call of a function for tokens."""

    def __init__(self) -> None:
        self.began = time.monotonic()
        self.over = Event()
        self.bearer: Bearer | None = None
        self.error: Exception | None = None

    def result(self) -> Bearer | None:
        """Return the bearer that came; None if the call was cancelled."""
        if self.error is not None:
            raise self.error
        return self.bearer


async def _until_due(attempts: Attempts[Any]) -> None:
    while queue_time := await attempts.queue_time_async():  # noqa: ASYNC110 - no poll: it knows when
        await anyio.sleep(queue_time)
