"""Fresh tokens for an OAuth app: they live half an hour (docs/behaviour.md, "Tokens and scopes")."""

import time
from copy import copy
from threading import Lock

import httpx
import msgspec
from msgspec import Struct

from hubspot_batch._calls import refusal
from hubspot_batch._discreet import Discreet
from hubspot_batch._driver import insist, send_form
from hubspot_batch._settings import BASE_URL, TIMEOUT, base_url_from, timeout_from
from hubspot_batch.errors import (
    ConfigurationError,
    ConnectionFailedError,
    HubSpotBatchError,
    UnexpectedReplyError,
)
from hubspot_batch.policy import Retries
from hubspot_batch.results import Response

_PATH = "/oauth/v3/token"
_SUCCESS = 200
_OPERATION = "refresh_token"
_REFUSALS = {400, 401, 403, 409, 413, 422}
# A token that is about to end could do so on its way.
_EARLIER = 60.0
# The old token is of no more use, so whoever needs the new one waits for it.
_RETRIES = Retries(limit=4, budget=30.0)


class _Grant(Discreet, Struct, frozen=True):
    access_token: str
    expires_in: float

    def __repr__(self) -> str:
        return "_Grant()"


class RefreshToken:
    """A function that returns an access token, and gets another one before it ends. Safe in several threads.

    Give it to a client: `HubSpot(access_token=RefreshToken(...), ...)`. Where HubSpot cannot give a token at
    once, it asks again, up to four times, and waits for 30 seconds at most between them.

    Args:
        client_id: Of the app.
        client_secret: Likewise.
        refresh_token: Of its installation in the account.
        base_url: Where HubSpot is.

    Raises:
        ConfigurationError: If any of these is empty or cannot be.
    """

    def __init__(
        self, *, client_id: str, client_secret: str, refresh_token: str, base_url: str = BASE_URL
    ) -> None:
        self._form = {
            "grant_type": "refresh_token",
            "client_id": client_id,
            "client_secret": client_secret,
            "refresh_token": refresh_token,
        }
        if missing := [name for name, value in self._form.items() if not value]:
            raise ConfigurationError(f"{', '.join(missing)} is empty; a token needs all three")
        self._url = base_url_from(base_url) + _PATH
        self._token = ""
        self._ends = float("-inf")
        self._failed = float("-inf")
        self._failure: HubSpotBatchError | None = None
        self._lock = Lock()

    def __repr__(self) -> str:
        return "RefreshToken(...)"

    @property
    def is_fresh(self) -> bool:
        """Whether it returns at once, without asking HubSpot."""
        return time.monotonic() < self._ends

    def __call__(self) -> str:
        """Return an access token that lives for another minute at least.

        Raises:
            ConfigurationError: If HubSpot refuses to give one.
            ApiError: If it cannot do so now.
            ConnectionFailedError: If no reply came.
            UnexpectedReplyError: If the reply cannot be read.
        """
        called = time.monotonic()
        with self._lock:
            if not self.is_fresh:
                if self._failure is not None and called < self._failed:
                    # Who has waited while another asked in vain need not do the same.
                    raise copy(self._failure) from self._failure
                self._renew()
            return self._token

    def _renew(self) -> None:
        try:
            grant, asked = insist(self._granted, _RETRIES)
        except HubSpotBatchError as error:
            self._failure, self._failed = error, time.monotonic()
            raise
        self._token, self._ends = grant.access_token, asked + grant.expires_in - _EARLIER

    def _granted(self) -> tuple[_Grant, float]:
        """Return a token, and when it was asked for."""
        asked = time.monotonic()
        try:
            response = send_form(self._url, self._form, timeout_from(TIMEOUT))
        except httpx.HTTPError as error:
            text = f"{_OPERATION}: no reply ({type(error).__name__}); check network and proxy"
            raise ConnectionFailedError(text, attempts=1) from error
        if response.status != _SUCCESS:
            raise _refused(response)
        try:
            return msgspec.json.decode(response.content, type=_Grant), asked
        except (msgspec.DecodeError, UnicodeDecodeError):
            # The body may hold the token after all, so it does not travel with the error.
            empty = Response(status=response.status, headers={}, content=b"")
            failure = UnexpectedReplyError(_OPERATION, empty, "there is no token in it")
            failure.maybe_written = False
            raise failure from None


def _refused(response: Response) -> HubSpotBatchError:
    """Return the error for a refusal. It is not about a batch, for none was sent."""
    error = refusal(_OPERATION, response)
    error.maybe_written = False
    if response.status not in _REFUSALS:
        return error
    # As an ApiError with such a status it would pass for a refusal of what is in a batch.
    denial = ConfigurationError(
        f"{_OPERATION}: HTTP {response.status}: HubSpot gives this app no token; "
        "check its client id, client secret and refresh token"
    )
    denial.__cause__ = error
    return denial
