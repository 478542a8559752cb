"""Fresh tokens for an OAuth app: they live half an hour (docs/behaviour.md, "Tokens and scopes")."""

import time
from threading import Lock

import httpx
import msgspec
from msgspec import Struct

from hubspot_batch._calls import refusal
from hubspot_batch._discreet import Discreet
from hubspot_batch._driver import send_form
from hubspot_batch._settings import BASE_URL, TIMEOUT, base_url_from, timeout_from
from hubspot_batch.errors import (
    ConfigurationError,
    ConnectionFailedError,
    HubSpotBatchError,
    UnexpectedReplyError,
)
from hubspot_batch.results import Response

_PATH = "/oauth/v3/token"
_SUCCESS = 200
_OPERATION = "refresh_token"
_REFUSALS = {400, 401, 403, 409, 413, 422}
# A token that is about to end could do so on its way.
_EARLIER = 60.0


class _Grant(Discreet, Struct, frozen=True):
    access_token: str
    expires_in: float

    def __repr__(self) -> str:
        return "_Grant()"


class RefreshToken:
    """A function that returns an access token, and gets another one before it ends. Safe in several threads.

    Give it to a client: `HubSpot(access_token=RefreshToken(...), ...)`.

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
        self._lock = Lock()

    def __repr__(self) -> str:
        return "RefreshToken(...)"

    def __call__(self) -> str:
        """Return an access token that lives for another minute at least.

        Raises:
            ConfigurationError: If HubSpot refuses to give one.
            ApiError: If it cannot do so now.
            ConnectionFailedError: If no reply came.
            UnexpectedReplyError: If the reply cannot be read.
        """
        with self._lock:
            if time.monotonic() >= self._ends:
                asked = time.monotonic()
                grant = self._granted()
                self._token, self._ends = grant.access_token, asked + grant.expires_in - _EARLIER
            return self._token

    def _granted(self) -> _Grant:
        try:
            response = send_form(self._url, self._form, timeout_from(TIMEOUT))
        except httpx.HTTPError as error:
            text = f"{_OPERATION}: no reply ({type(error).__name__}); check network and proxy"
            raise ConnectionFailedError(text, attempts=1) from error
        if response.status != _SUCCESS:
            raise _refused(response)
        try:
            return msgspec.json.decode(response.content, type=_Grant)
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
