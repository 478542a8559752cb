"""Access tokens for an OAuth app. They expire after half an hour (docs/behaviour.md, "Tokens and scopes")."""

import time
from copy import copy
from typing import NoReturn

import httpx
import msgspec
from msgspec import Struct

from hubspot_batch._display import RedactedRepr
from hubspot_batch.errors import (
    ConfigurationError,
    ConnectionFailedError,
    HubSpotBatchError,
    RequestTimeoutError,
    UnexpectedReplyError,
)
from hubspot_batch.results import Response
from hubspot_batch.transport._attempts import NO_REPLY, without_frames
from hubspot_batch.transport._calls import refusal
from hubspot_batch.transport._retries import Retries
from hubspot_batch.transport._settings import (
    BASE_URL,
    MAX_REPLY_BYTES,
    TIMEOUT,
    CachingTokenSource,
    attempt_timeout_from,
    base_url_from,
    max_reply_bytes_from,
    timeout_from,
)
from hubspot_batch.transport._sync import retry_call, send_form
from hubspot_batch.transport._tokens import Bearer, Secret

__all__ = ["RefreshToken"]

_PATH = "/oauth/v3/token"
_SUCCESS = 200
_OPERATION = "refresh_token"
_REFUSALS = {400, 401, 403, 409, 413, 422}
# Seconds. A token could expire on its way.
_EARLIER = 60.0
# Requests need the new token, so they wait for it.
_RETRIES = Retries(limit=4, budget=30.0)


class _Grant(RedactedRepr, Struct, frozen=True):
    access_token: str
    expires_in: float

    def __repr__(self) -> str:
        return "_Grant()"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a token cannot be pickled")


class _Limits(Struct, frozen=True):
    timeout: httpx.Timeout
    attempt_timeout: float
    max_reply_bytes: int


class RefreshToken(CachingTokenSource):
    """A token source that gets a new access token before the old one expires. Thread-safe.

    Pass it to a client: `HubSpot(access_token=RefreshToken(...), ...)`. After a transient error it tries
    again, up to four times, and waits at most 30 seconds in total.

    Args:
        client_id: The client id of the app.
        client_secret: The client secret of the app.
        refresh_token: The refresh token of its installation in the account.
        base_url: The address of HubSpot.
        allow_http: Whether `base_url` may be an http:// address of another machine, where anybody on the way
            can read the secrets.
        timeout: As for the client.
        attempt_timeout: As for the client.
        max_reply_bytes: As for the client.

    Raises:
        ConfigurationError: If any of these is empty or not valid.
    """

    def __init__(
        self,
        *,
        client_id: str,
        client_secret: str,
        refresh_token: str,
        base_url: str = BASE_URL,
        allow_http: bool = False,
        timeout: float | httpx.Timeout = TIMEOUT,
        attempt_timeout: float | None = None,
        max_reply_bytes: int = MAX_REPLY_BYTES,
    ) -> None:
        self._form = {
            "grant_type": Secret("refresh_token"),
            "client_id": Secret(client_id),
            "client_secret": Secret(client_secret),
            "refresh_token": Secret(refresh_token),
        }
        del client_id, client_secret, refresh_token
        super().__init__()
        if missing := [name for name, value in self._form.items() if not value]:
            raise ConfigurationError(f"{', '.join(missing)} is empty; a token needs all three")
        self._url = base_url_from(base_url, allow_http=allow_http) + _PATH
        steps = timeout_from(timeout)
        self._limits = _Limits(
            timeout=steps,
            attempt_timeout=attempt_timeout_from(attempt_timeout, steps),
            max_reply_bytes=max_reply_bytes_from(max_reply_bytes),
        )
        # The token and its expiry are one value, so it can be read without the lock.
        self._kept: tuple[str, float] = ("", float("-inf"))
        self._failed = float("-inf")
        self._failure: HubSpotBatchError | None = None

    def __repr__(self) -> str:
        return "RefreshToken(...)"

    @property
    def cached(self) -> str | None:
        """The cached token; None if it has expired."""
        token, ends = self._kept
        return token if time.monotonic() < ends else None

    def discard(self, token: Bearer) -> None:
        """Drop this token, which HubSpot refused as expired."""
        with self._lock:
            if token.equals(self._kept[0]):
                self._kept = ("", float("-inf"))

    def __call__(self) -> str:
        """Return an access token that is valid for at least another minute.

        Raises:
            ConfigurationError: If HubSpot refuses the app or its refresh token.
            ApiError: If HubSpot fails.
            ConnectionFailedError: If no reply came.
            UnexpectedReplyError: If the reply cannot be read.
        """
        called = time.monotonic()
        with self._lock:
            if (token := self.cached) is not None:
                return token
            if self._failure is not None and called < self._failed:
                # Another thread failed while this one waited: raise its error.
                raise copy(self._failure) from self._failure
            return self._renewed()

    def _renewed(self) -> str:
        try:
            grant, asked = retry_call(self._granted, _RETRIES)
        except HubSpotBatchError as error:
            self._failure, self._failed = error, time.monotonic()
            raise
        self._kept = (grant.access_token, asked + grant.expires_in - _EARLIER)
        return grant.access_token

    def _granted(self) -> tuple[_Grant, float]:
        """Return a token, and when it was requested."""
        asked = time.monotonic()
        try:
            response = send_form(self._url, self._form, self._limits)
        except NO_REPLY as error:
            kind = RequestTimeoutError if isinstance(error, httpx.TimeoutException) else ConnectionFailedError
            text = f"{_OPERATION}: no reply ({type(error).__name__}); check network and proxy"
            failure = kind(text, attempts=1)
            failure.__cause__ = without_frames(error)
        else:
            return self._read(response), asked
        raise failure

    def _read(self, response: Response) -> _Grant:
        if response.status != _SUCCESS:
            raise _refused(response)
        try:
            return msgspec.json.decode(response.content, type=_Grant)
        except (msgspec.DecodeError, UnicodeDecodeError):
            # The body may hold a token, so the error does not carry it.
            empty = Response(status=response.status, headers={}, content=b"")
            failure = UnexpectedReplyError(_OPERATION, empty, "there is no token in it")
            failure.maybe_written = False
            raise failure from None


def _refused(response: Response) -> HubSpotBatchError:
    """Return the error for a refused token request."""
    error = refusal(_OPERATION, response)
    error.maybe_written = False
    if response.status not in _REFUSALS:
        return error
    # An ApiError with such a status would look like the refusal of a batch.
    denial = ConfigurationError(
        f"{_OPERATION}: HTTP {response.status}: HubSpot gives this app no token; "
        "check its client id, client secret and refresh token"
    )
    denial.__cause__ = error
    return denial
