"""The connections that a client and its variants share."""

from collections.abc import Callable
from threading import Lock
from typing import Generic, TypeVar

import httpx

from hubspot_batch.errors import ConfigurationError

_Http = TypeVar("_Http", httpx.Client, httpx.AsyncClient)


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
