"""The asynchronous half of the only code that sends or sleeps; bulk runs of both clients use it."""

import inspect
import math
from functools import partial
from typing import TYPE_CHECKING, Protocol

import anyio
import httpx
from anyio import CancelScope, CapacityLimiter, to_thread

from hubspot_batch._auth import Bearer
from hubspot_batch._exchange import NO_REPLY, Exchange, RequestBuilder, bearer_of, token_of
from hubspot_batch._pool import Pool
from hubspot_batch._settings import Settings, TakesItsTime
from hubspot_batch.errors import HubSpotBatchError
from hubspot_batch.results import BatchResult

if TYPE_CHECKING:
    from hubspot_batch._calls import Call


class AsyncHttp(RequestBuilder, Protocol):
    """What the asynchronous driver needs of an HTTP client."""

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

    async def send(self, call: "Call", watcher: Watcher = _Nobody()) -> BatchResult:  # noqa: B008 - stateless
        """Send a call until it has a result, or a final error.

        Args:
            call: What to send.
            watcher: Who follows its attempts.

        Raises:
            HubSpotBatchError: The error of the last attempt.
        """
        exchange = Exchange(call, self._settings, watcher.returned)
        with exchange:
            while True:
                if pause := exchange.pause():
                    await anyio.sleep(pause)
                # Before the departure is reserved: a function that gets a token may take its time.
                token = await _token(self._settings)
                auth = bearer_of(await token if inspect.isawaitable(token) else token)
                http = self._pool.http()
                await _until_due(exchange)
                await watcher.departing()
                # The watcher may have taken its time, too.
                await _until_due(exchange)
                reply = None
                try:
                    reply = await http.send(exchange.begin(http), auth=auth, follow_redirects=False)
                    result = exchange.replied(reply)
                except NO_REPLY as error:
                    result = exchange.failed(error)
                finally:
                    # Shielded: an answer that came is not lost for a file of the quota that is locked.
                    with CancelScope(shield=True):
                        await self._settings.quota.ended_async(exchange.ended(reply))
                if result is not None:
                    return result


async def _token(settings: Settings) -> object:
    """Return a token, or a promise of it. A function that takes its time does so in a thread."""
    source = settings.token
    if not isinstance(source, Bearer) and isinstance(source, TakesItsTime) and not source.is_fresh:
        return await to_thread.run_sync(source, abandon_on_cancel=True)
    return token_of(settings)


async def _until_due(exchange: Exchange) -> None:
    while delay := await exchange.delay_async():  # noqa: ASYNC110 - no poll: it knows when
        await anyio.sleep(delay)
