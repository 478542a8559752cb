"""The synchronous half of the only code that sends or sleeps; the other is `_async_driver`."""

import random
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeVar

import httpx

from hubspot_batch._exchange import NO_REPLY, Exchange, bearer_of, response_of, token_of
from hubspot_batch._pool import Pool
from hubspot_batch._settings import Settings
from hubspot_batch.errors import HubSpotBatchError
from hubspot_batch.policy import Retries, may_wait, wait_before_retry
from hubspot_batch.results import BatchResult, Response

if TYPE_CHECKING:
    from hubspot_batch._calls import Call

_T = TypeVar("_T")


class Driver:
    """Sends calls, one after the other.

    Args:
        pool: Where the HTTP client comes from.
        settings: The options of the client.
    """

    def __init__(self, pool: Pool[httpx.Client], settings: Settings) -> None:
        self._pool = pool
        self._settings = settings

    def send(self, call: "Call") -> BatchResult:
        """Send a call until it has a result, or a final error.

        Raises:
            HubSpotBatchError: The error of the last attempt.
        """
        exchange = Exchange(call, self._settings)
        with exchange:
            while True:
                if pause := exchange.pause():
                    time.sleep(pause)
                # Before the departure is reserved: a function that gets a token may take its time.
                auth = bearer_of(token_of(self._settings))
                http = self._pool.http()
                while delay := exchange.delay():
                    time.sleep(delay)
                reply = None
                try:
                    reply = http.send(exchange.begin(http), auth=auth, follow_redirects=False)
                    result = exchange.replied(reply)
                except NO_REPLY as error:
                    result = exchange.failed(error)
                finally:
                    self._settings.quota.ended(exchange.ended(reply))
                if result is not None:
                    return result


def insist(attempt: Callable[[], _T], retries: Retries) -> _T:
    """Return what a function returns, which is called again after a failure that may pass.

    Args:
        attempt: What to call. It must do no harm to call it twice.
        retries: How persistent to be.

    Raises:
        HubSpotBatchError: The error of the last call.
    """
    made, waited = 0, 0.0
    while True:
        made += 1
        try:
            return attempt()
        except HubSpotBatchError as error:
            jitter = random.random()  # noqa: S311 - no secret
            wait = wait_before_retry(error, resendable=True, attempts=made, jitter=jitter)
            if wait is None or not may_wait(retries, wait, waited=waited, resent=made - 1):
                raise
        waited += wait
        time.sleep(wait)


def send_form(url: str, form: Mapping[str, str], timeout: httpx.Timeout) -> Response:
    """Send a form once, and return the reply.

    Raises:
        httpx.HTTPError: If none comes.
    """
    began = time.monotonic()
    reply = httpx.post(url, data=dict(form), timeout=timeout)
    return response_of(reply, time.monotonic() - began)
