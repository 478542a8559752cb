"""Secrets, and the header that carries a token."""

from hashlib import blake2b, sha256
from typing import NoReturn, Self

import httpx

from hubspot_batch.errors import ConfigurationError


class Secret:
    """A value that does not appear in a repr, a pickle or a traceback with local variables.

    A constructor wraps its secrets before any of its code can fail.
    """

    __slots__ = ("_value",)

    def __init__(self, value: object) -> None:
        self._value = value

    def __repr__(self) -> str:
        return "Secret(...)"

    def __bool__(self) -> bool:
        return bool(self._value)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret cannot be pickled; make it anew where it is needed")

    def reveal(self) -> str:
        """Return the text. Do not keep it in a local variable of code that can fail."""
        return str(self._value)

    @property
    def problem(self) -> str | None:
        """Why the value is not a valid access token; None if it is."""
        token = self._value
        if not isinstance(token, str):
            return (
                f"access_token is of type {type(token).__name__}; "
                "give a string, or a function that returns one"
            )
        if not token:
            return "the access token is empty; give access_token, or set HUBSPOT_ACCESS_TOKEN"
        if not (token.isascii() and token.isprintable()) or " " in token:
            return (
                "the access token holds a blank, a line end or another character that no token has; "
                "check what it was copied or read from"
            )
        return None


class Bearer:
    """Adds `Authorization: Bearer ...` to a request. Making one never fails; `checked` does.

    Args:
        token: The token, or a `Secret` that holds it.
    """

    def __init__(self, token: object) -> None:
        self._token = token if isinstance(token, Secret) else Secret(token)

    def __repr__(self) -> str:
        return "Bearer(...)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a token cannot be pickled; make the client anew where it is needed")

    def checked(self) -> Self:
        """Return this.

        Raises:
            ConfigurationError: If the token is not a text, is empty, or holds what no header may hold.
        """
        if problem := self._token.problem:
            raise ConfigurationError(problem)
        return self

    def equals(self, token: str) -> bool:
        """Return whether this is the bearer of a token."""
        return self._token.reveal() == token

    def digest(self, base_url: str) -> bytes:
        """Return the key for the quota of this token."""
        return sha256(f"{base_url} {self._token.reveal()}".encode()).digest()

    def fingerprint(self, salt: bytes) -> str:
        """Return a salted hash by which the token can be recognised."""
        return blake2b(f"Bearer {self._token.reveal()}".encode(), key=salt, digest_size=16).hexdigest()

    def authorize(self, request: httpx.Request) -> None:
        """Set the header of a request."""
        request.headers["Authorization"] = f"Bearer {self._token.reveal()}"
