"""The token on its way into a request, and nowhere else."""

from collections.abc import Generator
from hashlib import blake2b

import httpx

from hubspot_batch.errors import ConfigurationError


class Bearer(httpx.Auth):
    """Adds `Authorization: Bearer ...` to a request. Its repr does not show the token.

    Raises:
        ConfigurationError: If the token is no text, is empty, or holds what no header may hold.
    """

    def __init__(self, token: object) -> None:
        if not isinstance(token, str):
            raise ConfigurationError(
                f"access_token is of type {type(token).__name__}; "
                "give a string, or a function that returns one"
            )
        if not token:
            raise ConfigurationError(
                "the access token is empty; give access_token, or set HUBSPOT_ACCESS_TOKEN"
            )
        if not (token.isascii() and token.isprintable()) or " " in token:
            raise ConfigurationError(
                "the access token holds a blank, a line end or another character that no token has; "
                "check what it was copied or read from"
            )
        self._header = f"Bearer {token}"

    def __repr__(self) -> str:
        return "Bearer(...)"

    def fingerprint(self, salt: bytes) -> str:
        """Return a text by which the token is known again, and from which it cannot be found out."""
        return blake2b(self._header.encode(), key=salt, digest_size=16).hexdigest()

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Set the header."""
        request.headers["Authorization"] = self._header
        yield request
