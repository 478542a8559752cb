"""The attempts of a call: requests, waiting times, and the meaning of replies. Sends nothing itself."""

import inspect
import logging
import random
import time
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator, Mapping
from functools import cache, lru_cache
from typing import (
    TYPE_CHECKING,
    Any,
    Generic,
    Literal,
    NamedTuple,
    NoReturn,
    Protocol,
    Self,
    TypeAlias,
    TypeVar,
)

import httpx

from hubspot_batch.errors import (
    AuthenticationError,
    ConfigurationError,
    ConnectionFailedError,
    HubSpotBatchError,
    RateLimitError,
    RequestTimeoutError,
    UnexpectedReplyError,
)
from hubspot_batch.results import Response
from hubspot_batch.transport._connections import RequestBuilder, closed
from hubspot_batch.transport._quota import AttemptReport
from hubspot_batch.transport._retries import FailedAttempt, Retries, may_be_written, wait_before_retry
from hubspot_batch.transport._settings import AsyncTokenSource, CachingTokenSource, Settings
from hubspot_batch.transport._tokens import Bearer

if TYPE_CHECKING:
    from hubspot_batch.transport._calls import Call

_ResultT = TypeVar("_ResultT")

_logger = logging.getLogger("hubspot_batch")

# The last two come from an invalid address of a proxy or a redirect.
NO_REPLY = (httpx.HTTPError, httpx.InvalidURL, UnicodeError)
"""Exceptions that mean no reply arrived."""

# What httpx raises before the first byte of a request has left.
_NOT_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
)


# The encodings that `Body` can decompress as a stream, up to a limit. By default, httpx asks for more.
_ENCODING = {"Accept-Encoding": "gzip, deflate"}
_GZIP_OR_ZLIB = zlib.MAX_WBITS | 32
_PLAIN = {"", "identity"}
_COMPRESSED = {"gzip", "x-gzip", "deflate"}
# Bytes of a request to write between two looks at the remaining time.
_PIECE = 64 * 1024


@lru_cache(maxsize=64)
def _url(text: str) -> httpx.URL:
    """Parse an address once for all requests to it."""
    return httpx.URL(text)


def call_source(source: AsyncTokenSource) -> Bearer | Awaitable[str]:
    """Return the unvalidated bearer from a token source, or an awaitable of a token."""
    token = source()
    return token if inspect.isawaitable(token) else Bearer(token)


def bearer_of(source: Bearer | AsyncTokenSource) -> Bearer:
    """Return a bearer, for synchronous code.

    Raises:
        ConfigurationError: If the function is async, or does not return a valid token.
    """
    if isinstance(source, Bearer):
        return source
    token = call_source(source)
    if inspect.iscoroutine(token):
        token.close()
        raise ConfigurationError("access_token is an async function; use AsyncHubSpot")
    return token.checked() if isinstance(token, Bearer) else Bearer(token).checked()


class Limit(float):
    """The time limit of one step of an attempt, which also ends with the attempt.

    httpcore passes it unchanged to each read and write of a connection.
    """

    ends: float

    @classmethod
    def of(cls, step: float | None, whole: float, ends: float) -> Self:
        """Return the limit of a step.

        Args:
            step: Seconds that it may take; None for any number.
            whole: Seconds that the attempt may take.
            ends: When the attempt ends.
        """
        limit = cls(whole if step is None else min(step, whole))
        limit.ends = ends
        return limit

    def left(self) -> float:
        """Return the seconds that are left now.

        Raises:
            httpx.TimeoutException: If no time is left.
        """
        left = self.ends - time.monotonic()
        if left <= 0:
            raise httpx.ReadTimeout("the attempt is over")
        return min(self, left)


def _keep_to_limits(stream: Any) -> None:  # noqa: ANN401 - a NetworkStream of httpcore
    """Make a synchronous connection respect the time limit of its whole attempt.

    A socket timeout restarts with each byte, so a server that sends bytes slowly could block the attempt
    forever. Asynchronous code does not need this: the attempt is cancelled.
    """
    read, write = stream.read, stream.write

    def read_in_time(max_bytes: int, timeout: float | None = None) -> bytes:
        data: bytes = read(max_bytes, timeout=_left(timeout))
        return data

    def write_in_time(buffer: bytes, timeout: float | None = None) -> None:
        view = memoryview(buffer)
        for start in range(0, len(view), _PIECE):
            write(view[start : start + _PIECE], timeout=_left(timeout))

    stream.read, stream.write = read_in_time, write_in_time


def _left(timeout: float | None) -> float | None:
    # The caller may use the same connection for other requests.
    return timeout.left() if isinstance(timeout, Limit) else timeout


class Limits(Protocol):
    """The limits of an attempt."""

    @property
    def timeout(self) -> httpx.Timeout:
        """The limits of its steps."""
        ...

    @property
    def attempt_timeout(self) -> float:
        """Seconds that the whole of it may take."""
        ...

    @property
    def max_reply_bytes(self) -> int:
        """The largest reply."""
        ...


class Attempt(httpx.Auth):
    """One attempt under way: its request, its end, and what is known of it so far.

    Attributes:
        request: What is sent.
        bearer: The token that it is sent with, if it needs one.
        begun: Whether the HTTP client has accepted the request. A closed one does not.
        status: The status of the reply, as soon as it is known.
    """

    def __init__(
        self, request: httpx.Request, bearer: Bearer | None, ends: float, max_reply_bytes: int
    ) -> None:
        self.request = request
        self.bearer = bearer
        self.begun = False
        self.status: int | None = None
        self.max_reply_bytes = max_reply_bytes
        self._ends = ends
        self._connects = False
        self._leaves = False

    def release(self, reply: httpx.Response) -> None:
        """Break the cycles of a closed reply: it has a stream that has it, and its request has this attempt.

        Else each request, and the rows in it, would stay in memory until the garbage collector comes.
        """
        reply.stream = httpx.ByteStream(b"")
        self.request.extensions.pop("trace", None)

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Set the header with the token."""
        self.begun = True
        if self.bearer is not None:
            self.bearer.authorize(request)
        yield request

    @property
    def expired(self) -> bool:
        """Whether its time limit has passed."""
        return time.monotonic() >= self._ends

    @property
    def never_left(self) -> bool:
        """Whether it failed before the first byte of the request was sent."""
        return self._connects and not self._leaves

    @property
    def refused(self) -> bool:
        """Whether a reply has started whose status means that nothing was written."""
        return self.status is not None and not may_be_written(self.status)

    def trace(self, event: str, info: Mapping[str, Any]) -> None:
        """Handle a connection event: the `trace` extension of httpx."""
        if self._note(event, info) == "connected":
            _keep_to_limits(info["return_value"])

    async def trace_async(self, event: str, info: Mapping[str, Any]) -> None:
        """Handle a connection event in asynchronous code."""
        self._note(event, info)

    def _note(self, event: str, info: Mapping[str, Any]) -> "_Step | None":
        self._connects = True
        step = _step_of(event)
        # CONNECT is the request that opens a tunnel through a proxy.
        if step == "leaves" and info["request"].method != b"CONNECT":
            self._leaves = True
        elif step == "answered" and self._leaves:
            self.status = info["return_value"][1]
        return step


_Step: TypeAlias = Literal["connected", "leaves", "answered"]
_STEPS: Mapping[str, _Step] = {
    "connect_tcp.complete": "connected",
    "connect_unix_socket.complete": "connected",
    "start_tls.complete": "connected",
    "send_request_headers.started": "leaves",
    "http11.receive_response_headers.complete": "answered",
}


@cache
def _step_of(event: str) -> _Step | None:
    """Return the step of an attempt that a connection event is; None if it does not matter here."""
    return next((step for name, step in _STEPS.items() if event.endswith(name)), None)


class Body:
    """The body of a reply, decompressed as a stream, up to the largest size allowed.

    Attributes:
        wanted: Whether to read more of it.
    """

    def __init__(self, reply: httpx.Response, attempt: Attempt) -> None:
        attempt.status = reply.status_code
        self.wanted = True
        self._attempt = attempt
        self._room = attempt.max_reply_bytes
        self._parts: list[bytes] = []
        self._inflate: Any = None
        self._bare: Any = None
        encoding = reply.headers.get("content-encoding", "").strip().lower()
        if reply.is_stream_consumed:
            # A mock transport has returned the whole reply, decompressed.
            self._keep(reply.content)
            self.wanted = False
        elif encoding in _COMPRESSED:
            self._inflate = zlib.decompressobj(_GZIP_OR_ZLIB)
            self._bare = zlib.decompressobj(-zlib.MAX_WBITS) if encoding == "deflate" else None
        elif encoding not in _PLAIN:
            raise httpx.DecodingError("the reply has an encoding that was not asked for")

    @property
    def content(self) -> bytes | None:
        """All of it; None if it is larger than allowed."""
        return None if self._room < 0 else b"".join(self._parts)

    def add(self, part: bytes) -> None:
        """Add the next part, as received.

        Raises:
            httpx.HTTPError: If it cannot be decompressed, or the attempt has timed out.
        """
        if self._attempt.expired:
            raise httpx.ReadTimeout("the attempt is over")
        if self._inflate is not None:
            part = self._inflated(part)
        self._keep(part)

    def _inflated(self, part: bytes) -> bytes:
        # One byte more than allowed shows that the body is too large.
        most = self._room + 1
        try:
            return self._inflate.decompress(part, most)  # type: ignore[no-any-return]
        except zlib.error:
            if self._parts or self._bare is None:
                raise httpx.DecodingError("the reply is not what its content-encoding says") from None
        # Some servers send deflate without the header of zlib.
        self._inflate, self._bare = self._bare, None
        return self._inflated(part)

    def _keep(self, part: bytes) -> None:
        self._room -= len(part)
        self.wanted = self._room >= 0
        if self.wanted:
            self._parts.append(part)
        else:
            self._parts.clear()


class ClosedEarly(Exception):  # noqa: N818 - never leaves this package
    """The HTTP client was closed before it took the request."""


class Received(NamedTuple):
    """A reply.

    Attributes:
        status: The status code.
        headers: Header names in lower case, and their values.
        content: Its decompressed body; None if it is larger than allowed.
    """

    status: int
    headers: Mapping[str, str]
    content: bytes | None

    @classmethod
    def of(cls, reply: httpx.Response, content: bytes | None) -> Self:
        """Return a reply of httpx and its body."""
        # By items: httpx searches all headers for each look-up.
        return cls(reply.status_code, dict(reply.headers.items()), content)

    def response(self, seconds: float, attempts: int = 1) -> Response:
        """Return it as data.

        Args:
            seconds: The duration of the attempt.
            attempts: The number of attempts, including this one.
        """
        return Response(
            status=self.status,
            headers=self.headers,
            content=self.content or b"",
            seconds=seconds,
            attempts=attempts,
        )


def attempt_of(
    http: RequestBuilder,
    method: str,
    url: str,
    *,
    headers: Mapping[str, str],
    content: bytes,
    bearer: Bearer | None,
    limits: Limits,
) -> Attempt:
    """Return an attempt that begins now."""
    ends = time.monotonic() + limits.attempt_timeout
    steps = {
        name: Limit.of(step, limits.attempt_timeout, ends) for name, step in limits.timeout.as_dict().items()
    }
    request = http.build_request(
        method, _url(url), headers={**headers, **_ENCODING}, content=content, extensions={"timeout": steps}
    )
    return Attempt(request, bearer, ends, limits.max_reply_bytes)


def without_frames(error: BaseException) -> BaseException:
    """Return an exception of the HTTP client without its traceback, cause and context.

    The frames of httpx and httpcore hold headers and body of the request, with tokens, secrets and property
    values.
    """
    error.__cause__ = error.__context__ = None
    return error.with_traceback(None)


class _RequestBody(httpx.SyncByteStream, httpx.AsyncByteStream):
    """The body of a request, with a callback that runs when its last byte has been sent."""

    def __init__(self, content: bytes, sent: Callable[[], None]) -> None:
        self._content = content
        self._sent = sent

    def __iter__(self) -> Iterator[bytes]:
        yield self._content
        self._sent()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._content
        self._sent()


class Attempts(Generic[_ResultT]):
    """The attempts of one call: when to start the next, and what the last one means.

    Reads the clock, but neither sends nor sleeps.
    """

    def __init__(
        self,
        call: "Call[_ResultT]",
        settings: Settings,
        after_reply: Callable[[HubSpotBatchError | None], None] = lambda _: None,
    ) -> None:
        self._call = call
        self._settings = settings
        self._after_reply = after_reply
        self._attempts = 0
        self._resent = 0
        self._waited = 0.0
        self._maybe_written = False
        self._send_time: float | None = None
        self._sent = 0.0
        self._refused_until: float | None = None
        self._not_before = float("-inf")
        self._began = 0.0
        self._token_since = float("-inf")
        self._asked_again = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> None:
        """Carry `maybe_written` over from earlier attempts. What reads writes nothing."""
        if isinstance(error, HubSpotBatchError):
            error.maybe_written = self._call.writes and (error.maybe_written or self._maybe_written)

    def backoff(self) -> float:
        """Return the seconds to wait before the next attempt, by the retry policy."""
        # No send time is reserved for its end: later calls would have to wait for it, too.
        return max(0.0, self._not_before - time.monotonic())

    def queue_time(self) -> float:
        """Return the seconds to wait for the quota; 0 when the attempt may be sent.

        Call it again after each sleep: another call may have hit the quota.
        """
        quota, now = self._settings.quota, time.monotonic()
        return self._until(quota.reserve(now, held=self._send_time, on_guess=False), now)

    async def queue_time_async(self) -> float:
        """Do the same as `queue_time`, without blocking the event loop."""
        quota, now = self._settings.quota, time.monotonic()
        return self._until(await quota.reserve_async(now, held=self._send_time, on_guess=False), now)

    def _until(self, send_time: float, now: float) -> float:
        kept = send_time <= now or self._settings.quota.limit_known
        self._send_time = send_time if kept else None
        return max(0.0, send_time - now)

    @property
    def token_since(self) -> float:
        """The next attempt needs a token from a call of the token function that began no earlier."""
        return self._token_since

    def start(self, http: RequestBuilder, bearer: Bearer) -> Attempt:
        """Return the next attempt, to be sent now."""
        self._attempts += 1
        self._began = self._sent = time.monotonic()
        self._refused_until = None
        attempt = attempt_of(
            http,
            self._call.method,
            self._settings.base_url + self._call.path,
            headers=self._call.headers,
            content=self._call.content,
            bearer=bearer,
            limits=self._settings,
        )
        attempt.request.stream = _RequestBody(self._call.content, self._has_left)
        return attempt

    def report(self, received: Received | None = None) -> AttemptReport:
        """Return the report on an attempt for the quota."""
        send_time, self._send_time = self._send_time, None
        return AttemptReport(
            send_time=self._began if send_time is None else send_time,
            sent=self._sent,
            ended=time.monotonic(),
            headers=None if received is None else received.headers,
            refused_until=self._refused_until,
        )

    def on_closed(self) -> NoReturn:
        """End the call: the client was closed before the attempt could be sent.

        Raises:
            ClosedError: Always.
        """
        error = closed()
        self._after_reply(error)
        raise error

    def on_reply(self, received: Received, attempt: Attempt) -> _ResultT | None:
        """Handle a reply: return its result, or None to make another attempt, else raise."""
        response = received.response(time.monotonic() - self._began, attempts=self._attempts)
        try:
            if received.content is None and 200 <= received.status < 300:  # noqa: PLR2004 - the range of HTTP
                raise UnexpectedReplyError(
                    self._call.operation,
                    response,
                    f"the body is larger than the {self._settings.max_reply_bytes} bytes of max_reply_bytes",
                )
            result = self._call.decode(response)
        except HubSpotBatchError as error:
            in_body = getattr(error, "correlation_id", None)
            self._log(f"HTTP {response.status}", in_body or response.correlation_id)
            self._again_or_raise(error, attempt)
            return None
        self._log(f"HTTP {response.status}", response.correlation_id)
        self._after_reply(None)
        return result

    def on_error(self, cause: Exception, attempt: Attempt) -> _ResultT | None:
        """Handle an attempt without a reply: return None to make another one, else raise."""
        name, not_sent = type(cause).__name__, attempt.never_left or isinstance(cause, _NOT_SENT)
        kind, problem = ConnectionFailedError, "the connection broke before the reply was complete"
        if isinstance(cause, httpx.TimeoutException):
            kind, problem = RequestTimeoutError, "no reply came in time; timeout sets how long to wait"
            if attempt.expired:
                problem = "the reply was not complete in time; attempt_timeout sets how long to wait for it"
        if isinstance(cause, httpx.PoolTimeout):
            problem = (
                "no connection became free in time; let the HTTP client have more, or send less at a time"
            )
        elif not_sent:
            problem = f"no connection to {self._settings.base_url}; check base_url, network and proxy"
        self._log(f"no reply ({name})", None)
        error = kind(f"{self._call.operation}: {problem} ({name})", attempts=self._attempts)
        # After the request was sent, only the address of a redirect is parsed.
        is_redirect = isinstance(cause, httpx.InvalidURL)
        error.maybe_written = not (not_sent or is_redirect or attempt.refused)
        error.__cause__ = without_frames(cause)
        self._again_or_raise(error, attempt)
        return None

    def _has_left(self) -> None:
        self._sent = time.monotonic()

    def _again_or_raise(self, error: HubSpotBatchError, attempt: Attempt) -> None:
        self._after_reply(error)
        wait = wait_before_retry(
            error,
            resendable=self._call.resendable,
            attempts=self._attempts,
            jitter=random.random(),  # noqa: S311 - no secret
        )
        if isinstance(error, AuthenticationError) and not isinstance(self._settings.token, Bearer):
            wait = self._wait_for_token(error, attempt, self._settings.token)
        chosen = self._chosen_wait(error, wait)
        if isinstance(error, RateLimitError) and wait is not None and self._is_patient(wait, chosen):
            self._refused_until = time.monotonic() + wait
        if chosen is None:
            raise error
        self._maybe_written = self._maybe_written or error.maybe_written
        self._waited += chosen
        self._resent += not isinstance(error, RateLimitError)
        self._not_before = time.monotonic() + chosen

    def _chosen_wait(self, error: HubSpotBatchError, wait: float | None) -> float | None:
        """Return the seconds that the retry policy waits; None ends the call."""
        if error.maybe_written and not self._call.resendable:
            return None
        return self._settings.retries.wait_after(
            FailedAttempt(
                error=error,
                wait=wait,
                attempts=self._attempts,
                resent=self._resent,
                waited=self._waited,
            )
        )

    def _is_patient(self, wait: float, chosen: float | None) -> bool:
        """Return whether other calls are to wait as long as a 429 asks: one of a day would stop them all."""
        retries = self._settings.retries
        return wait <= retries.budget if isinstance(retries, Retries) else chosen is not None

    def _wait_for_token(
        self, error: AuthenticationError, attempt: Attempt, source: AsyncTokenSource
    ) -> float | None:
        """Return 0 if the token function can be called once more for a fresh token, else None."""
        error.blame_function()
        if not error.expired or self._asked_again:
            return None
        self._asked_again = True
        self._token_since = time.monotonic()
        if isinstance(source, CachingTokenSource) and attempt.bearer is not None:
            source.discard(attempt.bearer)
        return 0.0

    def _log(self, outcome: str, correlation_id: str | None) -> None:
        _logger.debug(
            "%s: attempt %d: %s after %.3f s, correlation id %r",
            self._call.operation,
            self._attempts,
            outcome,
            time.monotonic() - self._began,
            correlation_id,
        )
