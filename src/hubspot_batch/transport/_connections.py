"""The connection pool that a client and its variants share.

Invalid environment variables for proxies and certificates are reported here.
"""

import os
import ssl
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar
from urllib.request import getproxies

import httpx

from hubspot_batch._version import __version__
from hubspot_batch.errors import ClosedError, ConfigurationError
from hubspot_batch.transport._settings import ForkSafe, is_local

if TYPE_CHECKING:
    from anyio import CapacityLimiter

_HEADERS = {"Accept": "*/*", "Connection": "keep-alive", "User-Agent": f"hubspot-batch/{__version__}"}
# As many as an HTTP client of httpx holds. Its own queue costs the more, the more requests wait in it.
MAX_CONNECTIONS = 100
_PROXIED = ("http", "https", "all")


class RequestBuilder(Protocol):
    """What makes requests: an HTTP client."""

    def build_request(
        self,
        method: str,
        url: httpx.URL,
        *,
        headers: Mapping[str, str],
        content: bytes,
        extensions: dict[str, Any],
    ) -> httpx.Request:
        """Return a request."""
        ...


class HttpClient(RequestBuilder, Protocol):
    """What calls need of an `httpx.Client`."""

    def send(
        self, request: httpx.Request, *, stream: bool, auth: httpx.Auth, follow_redirects: bool
    ) -> httpx.Response:
        """Send a request, and return the reply."""
        ...

    def close(self) -> None:
        """Close the connections."""
        ...


class AsyncHttpClient(RequestBuilder, Protocol):
    """What calls need of an `httpx.AsyncClient`."""

    async def send(
        self, request: httpx.Request, *, stream: bool, auth: httpx.Auth, follow_redirects: bool
    ) -> httpx.Response:
        """Send a request, and return the reply."""
        ...

    async def aclose(self) -> None:
        """Close the connections."""
        ...


_Http = TypeVar("_Http", HttpClient, AsyncHttpClient)


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


def sync_client(base_url: str, transport: httpx.BaseTransport | None = None) -> HttpClient:
    """Return an HTTP client for one service. It uses no proxy where the service is on this machine.

    Args:
        base_url: The address of the service.
        transport: The transport to use instead of a connection pool.

    Raises:
        ConfigurationError: If a variable of the environment cannot be used. The text names it.
    """
    if transport is not None:
        return _DirectClient(transport)
    context = _tls_for(base_url)
    if is_local(base_url) or not getproxies():
        return _DirectClient(httpx.HTTPTransport(verify=context))
    hooks = {"response": [_stop_at_redirect]}
    return _with_proxies(lambda: httpx.Client(verify=context, headers=_HEADERS, event_hooks=hooks))


def async_client(base_url: str, transport: httpx.AsyncBaseTransport | None = None) -> AsyncHttpClient:
    """Return the same for asynchronous code.

    Args:
        base_url: The address of the service.
        transport: The transport to use instead of a connection pool.

    Raises:
        ConfigurationError: If a variable of the environment cannot be used. The text names it.
    """
    if transport is not None:
        return _AsyncDirectClient(transport)
    context = _tls_for(base_url)
    if is_local(base_url) or not getproxies():
        return _AsyncDirectClient(httpx.AsyncHTTPTransport(verify=context))
    hooks = {"response": [_stop_at_redirect_async]}
    return _with_proxies(lambda: httpx.AsyncClient(verify=context, headers=_HEADERS, event_hooks=hooks))


class _Direct:
    """What hands requests to a transport.

    It leaves out what an HTTP client of httpx does for each request and calls do without: cookies, redirects,
    event hooks, the choice of a proxy. For a batch, that takes as long as validating and encoding it.
    """

    closed = False

    def build_request(
        self,
        method: str,
        url: httpx.URL,
        *,
        headers: Mapping[str, str],
        content: bytes,
        extensions: dict[str, Any],
    ) -> httpx.Request:
        """Return a request."""
        return httpx.Request(
            method, url, headers={**_HEADERS, **headers}, content=content, extensions=extensions
        )

    def begin(self, request: httpx.Request, auth: httpx.Auth) -> None:
        """Set the header with the token.

        Raises:
            RuntimeError: If this is closed, as httpx has it.
        """
        if self.closed:
            raise RuntimeError("the HTTP client is closed")
        next(auth.auth_flow(request))


class _DirectClient(_Direct):
    """The same for synchronous code.

    Args:
        transport: The transport.
    """

    def __init__(self, transport: httpx.BaseTransport) -> None:
        self._transport = transport

    def send(
        self,
        request: httpx.Request,
        *,
        stream: bool,  # noqa: ARG002 - it always is
        auth: httpx.Auth,
        follow_redirects: bool,  # noqa: ARG002 - it never does
    ) -> httpx.Response:
        """Send a request, and return the reply without its body."""
        self.begin(request, auth)
        return self._transport.handle_request(request)

    def close(self) -> None:
        """Close the connections."""
        self.closed = True
        self._transport.close()


class _AsyncDirectClient(_Direct):
    """The same for asynchronous code.

    Args:
        transport: The transport.
    """

    def __init__(self, transport: httpx.AsyncBaseTransport) -> None:
        self._transport = transport

    async def send(
        self,
        request: httpx.Request,
        *,
        stream: bool,  # noqa: ARG002 - it always is
        auth: httpx.Auth,
        follow_redirects: bool,  # noqa: ARG002 - it never does
    ) -> httpx.Response:
        """Send a request, and return the reply without its body."""
        self.begin(request, auth)
        return await self._transport.handle_async_request(request)

    async def aclose(self) -> None:
        """Close the connections."""
        self.closed = True
        await self._transport.aclose()


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
