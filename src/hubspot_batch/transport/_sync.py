"""The synchronous half of the only code that sends or sleeps; the other is `_async`."""

import random
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlencode

from hubspot_batch.errors import HubSpotBatchError
from hubspot_batch.results import Response
from hubspot_batch.transport._attempts import (
    NO_REPLY,
    Attempt,
    Attempts,
    Body,
    ClosedEarly,
    Limits,
    Received,
    attempt_of,
    bearer_of,
)
from hubspot_batch.transport._connections import HttpClient, Pool, Redirected, sync_client
from hubspot_batch.transport._retries import FailedAttempt, RetryPolicy, wait_before_retry
from hubspot_batch.transport._settings import Settings
from hubspot_batch.transport._tokens import Secret

if TYPE_CHECKING:
    from hubspot_batch.transport._calls import Call

_T = TypeVar("_T")


class Driver:
    """Sends calls, one after the other.

    Args:
        pool: Where the HTTP client comes from.
        settings: The options of the client.
    """

    def __init__(self, pool: Pool[HttpClient], settings: Settings) -> None:
        self._pool = pool
        self._settings = settings

    def send(self, call: "Call[_T]") -> _T:
        """Send a call until it has a result, or a final error.

        Raises:
            HubSpotBatchError: The error of the last attempt.
        """
        attempts = Attempts(call, self._settings)
        with attempts:
            while True:
                if backoff := attempts.backoff():
                    time.sleep(backoff)
                # Before the send time is reserved: a token function may be slow.
                bearer = bearer_of(self._settings.token)
                http = self._pool.http()
                while queue_time := attempts.queue_time():
                    time.sleep(queue_time)
                attempt, received = attempts.start(http, bearer), None
                try:
                    received = fetch(http, attempt)
                    result = attempts.on_reply(received, attempt)
                except NO_REPLY as error:
                    result = attempts.on_error(error, attempt)
                except ClosedEarly:
                    attempts.on_closed()
                finally:
                    self._settings.quota.ended(attempts.report(received))
                if result is not None:
                    return result


def retry_call(attempt: Callable[[], _T], retries: RetryPolicy) -> _T:
    """Call a function, and retry after transient errors.

    Args:
        attempt: The function. It must be idempotent.
        retries: The retry policy.

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
            chosen = retries.wait_after(
                FailedAttempt(error=error, wait=wait, attempts=made, resent=made - 1, waited=waited)
            )
            if chosen is None:
                raise
        waited += chosen
        time.sleep(chosen)


def fetch(http: HttpClient, attempt: Attempt) -> Received:
    """Send a request once, and return the reply.

    Raises:
        ClosedEarly: If the HTTP client is closed.
        httpx.HTTPError: If no reply comes, or not all of it in time.
    """
    attempt.request.extensions["trace"] = attempt.trace
    try:
        reply = http.send(attempt.request, auth=attempt, follow_redirects=False, stream=True)
    except Redirected as redirect:
        return Received.of(redirect.reply, b"")
    except RuntimeError:
        if attempt.begun:
            raise
        raise ClosedEarly from None
    try:
        body = Body(reply, attempt)
        if body.wanted:
            for part in reply.iter_raw():
                body.add(part)
                if not body.wanted:
                    break
    finally:
        reply.close()
        attempt.release(reply)
    return Received.of(reply, body.content)


def send_form(url: str, form: Mapping[str, Secret], limits: Limits) -> Response:
    """Send a form once, and return the reply.

    Raises:
        httpx.HTTPError: If none comes.
    """
    began = time.monotonic()
    with closing(sync_client(url)) as http:
        attempt = attempt_of(
            http,
            "POST",
            url,
            headers={"Content-Type": "application/x-www-form-urlencoded"},
            content=urlencode({name: value.reveal() for name, value in form.items()}).encode(),
            bearer=None,
            limits=limits,
        )
        return fetch(http, attempt).response(time.monotonic() - began)
