"""The connection pool that a client and its variants share.

Invalid environment variables for proxies and certificates are reported here.
"""

import os
import ssl
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Generic, TypeVar
from urllib.request import getproxies

import httpx

from hubspot_batch._version import __version__
from hubspot_batch.errors import ClosedError, ConfigurationError
from hubspot_batch.transport._settings import ForkSafe, is_local

if TYPE_CHECKING:
    from anyio import CapacityLimiter

_HEADERS = {"User-Agent": f"hubspot-batch/{__version__}"}
# As many as an HTTP client of httpx holds. Its own queue costs the more, the more requests wait in it.
MAX_CONNECTIONS = 100
_PROXIED = ("http", "https", "all")

_Http = TypeVar("_Http", httpx.Client, httpx.AsyncClient)


class Redirected(Exception):  # noqa: N818 - not an error: an answer
    """A redirect. It is not followed, so its address is not parsed.

    Attributes:
        reply: The redirect, without its body.
    """

    def __init__(self, reply: httpx.Response) -> None:
        self.reply = reply
        super().__init__()


class Pool(ForkSafe, Generic[_Http]):
    """The connection pool that a client and its variants share, made when the first call needs it.

    Making it is slow, because it loads the certificates. A child process makes its own: two processes on one
    connection would mix up their replies.

    Args:
        make: Makes the HTTP client.
        owned: Whether `close` closes it. If not, it belongs to the caller.

    Attributes:
        limiter: Where asynchronous requests wait for a connection; made with the first driver.
    """

    limiter: "CapacityLimiter | None" = None

    def __init__(self, make: Callable[[], _Http], *, owned: bool) -> None:
        super().__init__()
        self._make: Callable[[], _Http] = make
        self._owned = owned
        self._http: _Http | None = None
        self._inherited: _Http | None = None
        self._closed = False

    def http(self) -> _Http:
        """Return the HTTP client.

        Raises:
            ClosedError: If it is closed.
            ConfigurationError: If a variable of the environment cannot be used.
        """
        with self._lock:
            if self._closed:
                raise closed()
            if self._http is None:
                self._http = self._make()
            return self._http

    def release(self) -> _Http | None:
        """Refuse further calls, and return the HTTP client if it has to be closed."""
        with self._lock:
            self._closed = True
            return self._http if self._owned else None

    def after_fork(self) -> None:
        """Leave the connections to the parent process."""
        super().after_fork()
        # Keep a reference: collecting the client would close the connections of the parent.
        self._http, self._inherited, self.limiter = None, self._http, None


def closed() -> ClosedError:
    """Return the error for a call on a closed client."""
    return ClosedError("the client is closed; make another one")


def sync_client(base_url: str, transport: httpx.BaseTransport | None = None) -> httpx.Client:
    """Return an HTTP client for one service. It uses no proxy where the service is on this machine.

    Args:
        base_url: The address of the service.
        transport: The transport to use instead of a connection pool.

    Raises:
        ConfigurationError: If a variable of the environment cannot be used. The text names it.
    """
    hooks = {"response": [_stop_at_redirect]}
    if transport is None:
        context = _tls_for(base_url)
        if not is_local(base_url):
            return _with_proxies(lambda: httpx.Client(verify=context, headers=_HEADERS, event_hooks=hooks))
        transport = httpx.HTTPTransport(verify=context)
    return httpx.Client(transport=transport, headers=_HEADERS, event_hooks=hooks)


def async_client(base_url: str, transport: httpx.AsyncBaseTransport | None = None) -> httpx.AsyncClient:
    """Return the same for asynchronous code.

    Args:
        base_url: The address of the service.
        transport: The transport to use instead of a connection pool.

    Raises:
        ConfigurationError: If a variable of the environment cannot be used. The text names it.
    """
    hooks = {"response": [_stop_at_redirect_async]}
    if transport is None:
        context = _tls_for(base_url)
        if not is_local(base_url):
            return _with_proxies(
                lambda: httpx.AsyncClient(verify=context, headers=_HEADERS, event_hooks=hooks)
            )
        transport = httpx.AsyncHTTPTransport(verify=context)
    return httpx.AsyncClient(transport=transport, headers=_HEADERS, event_hooks=hooks)


def _stop_at_redirect(reply: httpx.Response) -> None:
    if reply.has_redirect_location:
        raise Redirected(reply)


async def _stop_at_redirect_async(reply: httpx.Response) -> None:
    _stop_at_redirect(reply)


def _tls_for(base_url: str) -> ssl.SSLContext:
    """Return the TLS configuration for a service."""
    if base_url.startswith("http:"):
        # Unused; creating a context without certificates is fast.
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    folder = None if os.environ.get("SSL_CERT_FILE") else os.environ.get("SSL_CERT_DIR")
    if folder and not os.path.isdir(folder):  # noqa: PTH112 - a path of OpenSSL's
        raise _unusable("SSL_CERT_DIR", "it does not name a folder")
    try:
        return httpx.create_ssl_context()
    except OSError as error:  # those of OpenSSL are among them
        is_file = bool(os.environ.get("SSL_CERT_FILE")) and not _has_certificates(os.environ["SSL_CERT_FILE"])
        problem = "it names a file that holds no certificates"
        if not isinstance(error, ssl.SSLError):
            problem = f"the file that it names cannot be opened: {error.strerror}"
    raise _unusable("SSL_CERT_FILE" if is_file else "SSLKEYLOGFILE", problem)


def _has_certificates(path: str) -> bool:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)
    except OSError:
        return False
    return True


def _with_proxies(make: Callable[[], _Http]) -> _Http:
    """Return an HTTP client that uses the proxies of the environment."""
    try:
        return make()
    except Exception:  # noqa: BLE001 - only the environment can cause it
        error = _unusable(*next(_unusable_proxies()))
    # Raised here, without the original as context: that may hold the password of a proxy.
    raise error


def _unusable_proxies() -> Iterator[tuple[str, str]]:
    """Yield the variables that do not name a usable proxy, each with the problem."""
    proxies = getproxies()
    for scheme in filter(proxies.get, _PROXIED):
        address = proxies[scheme] if "://" in proxies[scheme] else f"http://{proxies[scheme]}"
        try:
            httpx.HTTPTransport(
                proxy=httpx.Proxy(address), verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            ).close()
        except ImportError:
            yield _variable(scheme), "a SOCKS proxy needs another package: pip install 'httpx[socks]'"
        except Exception:  # noqa: BLE001 - as above
            yield (
                _variable(scheme),
                "it is not the URL of a proxy; write it like http://proxy.example.com:8080",
            )
    yield _variable("no"), "an entry of it is not a host; write it like localhost,.example.com"


def _variable(scheme: str) -> str:
    """Return the name of the variable that sets a proxy. The lower-case one takes precedence."""
    lower = f"{scheme}_proxy"
    return lower if os.environ.get(lower) else lower.upper()


def _unusable(variable: str, problem: str) -> ConfigurationError:
    return ConfigurationError(
        f"the environment variable {variable} cannot be used: {problem}; correct it, or unset it"
    )
