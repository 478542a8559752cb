"""A quota for any number of machines, with its log in Redis. It needs the extra `redis`, imported when used.

The arithmetic of `transport/_quota.py` is in `redis_quota.lua` a second time, because it has to run where the
log is: each call is one script, which Redis runs as a whole. This module calls it and handles failures.
"""

import hashlib
import math
import re
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import cache, partial
from importlib.resources import files
from secrets import token_hex
from threading import Event
from types import TracebackType
from typing import Self
from weakref import WeakValueDictionary

from hubspot_batch.errors import (
    ClosedError,
    ConfigurationError,
    HubSpotBatchError,
    QuotaUnavailableError,
)
from hubspot_batch.transport._quota import (
    CONSTANTS,
    FIRST_MARGIN,
    NEVER,
    AttemptReport,
    Limit,
    Quota,
    QuotaState,
    is_number,
    learned,
)
from hubspot_batch.transport._shared_quota import Threads

__all__ = ["RedisQuota"]

_VERSION = "1"
_OLDEST_REDIS = 6
_MOST_PATIENCE = 600.0
# Seconds to wait for an answer, at least and at most.
_LEAST_ANSWER, _MOST_ANSWER = 0.5, 2.0
# Seconds between two tries, and between two when patience is over.
_BETWEEN, _BETWEEN_LATE = 0.1, 1.0
# Seconds by which the clock of Redis may go ahead of ours from one call to the next.
_LEAP = 1.0
# Calls of one event loop at the same time. Redis runs them one after the other.
_THREADS = 8
_SCHEMES = ("redis://", "rediss://", "unix://")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@-]{0,99}")
_URL_ADVICE = (
    "the URL of Redis cannot be used; write it like redis://:PASSWORD@HOST:6379/0, rediss:// for TLS, "
    "and percent-encode special characters of the password"
)
_NOT_ACCEPTED = "it does not accept the user or the password of the URL"
_TAKEN = "another program uses keys of this name; choose another name"
# What an error of Redis or of the script says, and what it means.
_REFUSALS = {
    "HUBSPOT-BATCH OLD": f"it is too old; use Redis {_OLDEST_REDIS} or later",
    "HUBSPOT-BATCH VERSION": "another version of hubspot-batch uses this name; choose another name",
    "HUBSPOT-BATCH FOREIGN": _TAKEN,
    "WRONGTYPE": _TAKEN,
    "read only replica": "it is a read-only replica; name the primary in the URL",
}


class RedisQuota(Quota):
    """A quota that processes on any number of machines share, for one token.

    Each process makes one with the same Redis and the same name. Redis holds the log and all that replies
    have told, so that each process learns from the replies to the others. It holds no token. The keys begin
    with `hubspot-batch:{NAME}:`, and expire an hour after their last use.

    All times are seconds of `time.monotonic()`. They are converted from the clock of Redis with each call, so
    the clocks of the machines need not agree. Quotas of a process with the same URL share connections. The
    first request connects, not the constructor. Asynchronous clients wait for Redis in a thread. Safe to use
    from several threads and after a fork.

    If Redis is away, requests wait for it for as long as `patience` says. Then they raise a
    `QuotaUnavailableError`: nothing is sent unpaced. If Redis comes back without the log, no process sends
    anything for one window, because requests that Redis has forgotten still count for HubSpot.

    Args:
        url: `redis://[[USER]:PASSWORD@]HOST[:PORT][/DATABASE]`, `rediss://...` for TLS, or
            `unix://[[USER]:PASSWORD@]/PATH[?db=DATABASE]`. The password is shown nowhere.
        name: A name for the account, the same in each process: letters, digits and `._:@-`. Not the token.
        limit: How many requests fit into the window at most, for the requests of this process. Replies may
            lower it, and never raise it. Without a limit it is what the replies to any process tell.
        window: The length of the window in seconds.
        patience: For how many seconds Redis may be away, at most 600.

    Raises:
        ConfigurationError: If redis is not installed, or an argument cannot be used.

    Example:
        ::

            quota = RedisQuota("rediss://:PASSWORD@redis.example.com", name="portal-1", limit=190)
            with HubSpot(quota=quota) as hub:
                hub.orders.create_all(rows)
    """

    def __init__(
        self,
        url: str,
        *,
        name: str,
        limit: int | None = None,
        window: float = 10.0,
        patience: float = 5.0,
    ) -> None:
        _check(url, name, patience)
        super().__init__(limit, window)
        self._name = name
        self._keys = [f"hubspot-batch:{{{name}}}:{part}" for part in ("state", "waiting", "gone", "turns")]
        self._server = _server_of(url, patience)
        self._closed = Event()
        # The log that this process knows, and when it used it last.
        self._epoch, self._contact = "", NEVER
        # The clock of Redis is ahead of ours by this at most.
        self._ahead = math.inf

    @property
    def paused_until(self) -> float:
        """No request of any process may be sent before this time, as of the latest call."""
        return self._state.paused_until

    def reserve(self, now: float, *, held: float | None = None, on_guess: bool = True) -> float:
        """Reserve and return the time at which a request may be sent.

        If it is in the future, wait until then and call again: by then another request may have been refused,
        or sent late.

        Args:
            now: The current time.
            held: The time that was reserved for this request before, the same object. It is released.
            on_guess: Whether to reserve a later time although `limit_known` is false. Without it, call again
                at the time that is returned, without `held`: the limit may be known then.

        Raises:
            ClosedError: If the quota is closed.
            ConfigurationError: If Redis refuses the first call.
            QuotaUnavailableError: If Redis is away for longer than `patience`, or refuses a later call.
        """
        # A call is repeated if its answer is lost. Its request keeps its name, so it is logged once.
        member = held.member if isinstance(held, _SendTime) else token_hex(8)
        send_time = self._ask("reserve", member, on_guess)
        return _SendTime(now if send_time == NEVER else send_time, member)

    async def reserve_async(self, now: float, *, held: float | None = None, on_guess: bool = True) -> float:
        """Do the same as `reserve`, in a thread, so the event loop does not wait for Redis."""
        # If the request is cancelled meanwhile, its reservation wastes one place in one window.
        call = partial(self.reserve, now, held=held, on_guess=on_guess)
        return await self._server.threads.run(call, abandon=True)

    def ended(self, attempt: AttemptReport) -> None:
        """Learn from a finished attempt: limits, a refusal, and when the request arrived."""
        send_time, headers = attempt.send_time, attempt.headers
        member = send_time.member if isinstance(send_time, _SendTime) else ""
        times = (float(send_time), attempt.sent, attempt.ended, attempt.refused_until)
        # The reply matters more. If Redis has failed, the next reservation raises.
        with suppress(HubSpotBatchError):
            self._ask("ended", member, *times, headers is not None, *_told(headers or {}))

    async def ended_async(self, attempt: AttemptReport) -> None:
        """Do the same as `ended`, in a thread, so the event loop does not wait for Redis."""
        await self._server.threads.run(partial(self.ended, attempt), abandon=False)

    def learn(self, headers: Mapping[str, str]) -> None:
        """Learn the limits of window and day from the headers of a reply."""
        with suppress(HubSpotBatchError):
            self._ask("learn", *_told(headers))

    def refused(self, until: float, now: float) -> None:
        """Send nothing before `until`, after a 429. The first 429 of a pause makes the margin grow."""
        with suppress(HubSpotBatchError):
            self._ask("refused", until, now)

    def close(self) -> None:
        """Close the connections to Redis that are idle. Further reservations raise a `ClosedError`."""
        self._closed.set()
        self._server.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    _now = staticmethod(time.monotonic)

    def _shown(self) -> str:
        return f"{self._server.place!r}, name={self._name!r}, {super()._shown()}"

    def _ask(self, operation: str, *arguments: object) -> float:
        """Run the script and keep the state; return the send time, NEVER for one that is due."""
        while True:
            answer = self._server.call(
                self._keys, partial(self._arguments, operation, arguments), self._closed, is_new=self._is_new
            )
            try:
                epoch, *figures = answer
                now, ahead, send_time, *state = map(_number, figures)
                self._state = _state_of(state)
            except (ArithmeticError, TypeError, ValueError):
                raise QuotaUnavailableError(
                    f"Redis at {self._server.place} answers as no Redis does; check the URL"
                ) from None
            self._contact = self._now()
            # Redis read its clock before this answer came, so it is at least so far ahead of ours.
            leapt = (now or 0.0) - self._contact > self._ahead + _LEAP
            self._epoch, self._ahead = "unknown" if leapt else epoch.decode(), ahead or 0.0
            if not leapt:
                return NEVER if send_time is None else send_time

    @property
    def _is_new(self) -> bool:
        return self._contact == NEVER

    def _arguments(self, operation: str, arguments: Sequence[object]) -> list[str]:
        """Return the arguments of the script. Those of the moment come first."""
        known = ("", "") if self._is_new else (self._epoch, self._contact)
        longest = max(limit.seconds for limit in self._limits)
        limits = (longest, *self._first, self._ceiling is not None)
        return [_text(one) for one in (self._now(), *known, token_hex(8), *limits, operation, *arguments)]

    def _forked(self) -> None:
        super()._forked()
        # A thread of the parent may hold their locks.
        was_closed, self._closed = self._closed.is_set(), Event()
        if was_closed:
            self._closed.set()
        self._server.connect()


class _SendTime(float):
    """A send time that knows the name of its request in the log."""

    __slots__ = ("member",)
    member: str

    def __new__(cls, value: float, member: str) -> Self:
        self = super().__new__(cls, value)
        self.member = member
        return self


class _Server:
    """The connections of this process to one Redis.

    Args:
        url: The URL of Redis.
        patience: For how many seconds it may be away.

    Raises:
        ConfigurationError: If redis is not installed, or the URL cannot be used.
    """

    def __init__(self, url: str, patience: float) -> None:
        try:
            import redis  # noqa: PLC0415 - the extra
            from redis.backoff import NoBackoff  # noqa: PLC0415 - see above
            from redis.retry import Retry  # noqa: PLC0415 - see above
        except ImportError:
            raise ConfigurationError(
                'RedisQuota needs redis; install it with: pip install "hubspot-batch[redis]"'
            ) from None
        timeout = max(_LEAST_ANSWER, min(patience, _MOST_ANSWER))
        try:
            self._pool = redis.ConnectionPool.from_url(
                url,
                protocol=2,
                retry=Retry(NoBackoff(), 0),
                socket_connect_timeout=timeout,
                socket_timeout=timeout,
            )
            options = self._pool.connection_kwargs
            # Refuses an unknown option now, not when it connects.
            self._pool.connection_class(**options)
            host = str(options.get("host", "localhost"))
            host.encode("idna")
        except (TypeError, ValueError):
            # Their texts may hold the password.
            raise ConfigurationError(_URL_ADVICE) from None
        self.place = str(options.get("path") or f"{host}:{options.get('port', 6379)}")
        self._redis = redis
        self._patience = patience
        self._away_since, self._failed_at, self._failure = math.inf, NEVER, ""
        self.connect()

    def connect(self) -> None:
        """Begin with new connections. A child process must not use those of its parent."""
        pool = self._redis.ConnectionPool(self._pool.connection_class, **self._pool.connection_kwargs)
        self._pool = pool
        self._client = self._redis.Redis(connection_pool=pool)
        self._script = self._client.register_script(_script())
        self.threads = Threads(_THREADS)

    def close(self) -> None:
        """Close the idle connections. Another quota opens them again."""
        self._pool.disconnect(inuse_connections=False)

    def call(
        self, keys: Sequence[str], arguments: Callable[[], list[str]], closed: Event, *, is_new: bool
    ) -> list[bytes]:
        """Run the script, and repeat that while Redis is away.

        Args:
            keys: The keys of a quota.
            arguments: Returns the arguments of the script, at each try.
            closed: Whether the quota is closed.
            is_new: Whether no call of the quota has succeeded yet.

        Raises:
            ClosedError: If the quota is closed.
            ConfigurationError: If Redis refuses the first call.
            QuotaUnavailableError: If Redis is away for longer than the patience, or refuses a later call.
        """
        while True:
            if closed.is_set():
                raise ClosedError("the quota is closed; make another one")
            began = time.monotonic()
            if self._is_given_up(began):
                raise self._unavailable()
            try:
                if is_new:
                    # Without a password, Redis hangs up on a command as long as the script's.
                    self._client.ping()
                answer: list[bytes] = self._script(keys, arguments())
            except self._redis.RedisError as error:
                if not self._may_pass(error, is_new=is_new):
                    kind = ConfigurationError if is_new else QuotaUnavailableError
                    raise kind(f"Redis at {self.place} refuses the quota: {self._reason(error)}") from error
                self._failed(error, began)
                if self._failed_at - self._away_since >= self._patience:
                    raise self._unavailable() from error
            else:
                self._away_since = math.inf
                return answer
            closed.wait(_BETWEEN)

    def _failed(self, error: Exception, began: float) -> None:
        now = time.monotonic()
        # A failure of long ago says nothing about the time since.
        if now - self._failed_at > max(self._patience, _BETWEEN_LATE):
            self._away_since = math.inf
        self._away_since = min(self._away_since, began)
        self._failed_at, self._failure = now, str(error)

    def _is_given_up(self, now: float) -> bool:
        """Whether patience is over and the latest try is recent: many requests do not wait in turn."""
        is_over = self._failed_at - self._away_since >= self._patience
        return is_over and now - self._failed_at < _BETWEEN_LATE

    def _unavailable(self) -> QuotaUnavailableError:
        seconds = self._failed_at - self._away_since
        return QuotaUnavailableError(
            f"Redis at {self.place} has been away for {seconds:.1f} seconds ({self._failure}), so nothing is "
            "sent: there is no other pace; start it, and try again"
        )

    def _may_pass(self, error: Exception, *, is_new: bool) -> bool:
        """Whether time may help: Redis is away, loads, changes its primary or has no memory left."""
        from redis import exceptions as errors  # noqa: PLC0415 - the extra

        if isinstance(error, errors.AuthenticationError | errors.AuthorizationError):
            return False
        if isinstance(error, errors.ReadOnlyError) or "read only replica" in str(error):
            # A primary becomes a replica during a failover; one that always was stays one.
            return not is_new
        passing = (errors.ConnectionError, errors.TimeoutError, errors.OutOfMemoryError)
        return isinstance(error, (*passing, errors.ClusterDownError, errors.TryAgainError))

    def _reason(self, error: Exception) -> str:
        from redis import exceptions as errors  # noqa: PLC0415 - the extra

        if isinstance(error, errors.AuthenticationError | errors.AuthorizationError):
            return _NOT_ACCEPTED
        if isinstance(error, errors.NoPermissionError):
            return "its user may not do that; allow it ~hubspot-batch:* and +@all -@dangerous"
        if isinstance(error, errors.MovedError):
            return f"it is a node of a cluster, and the name is on another; name {error.host}:{error.port}"
        return next((meaning for words, meaning in _REFUSALS.items() if words in str(error)), str(error))


_servers: WeakValueDictionary[bytes, _Server] = WeakValueDictionary()


def _server_of(url: str, patience: float) -> _Server:
    """Return the connections to a Redis, one set for all quotas of this process."""
    # The password stays in one place.
    key = hashlib.sha256(f"{patience} {url}".encode()).digest()
    return _servers.get(key) or _servers.setdefault(key, _Server(url, patience))


def _check(url: object, name: object, patience: float) -> None:
    if not isinstance(url, str) or not url.isascii() or not url.startswith(_SCHEMES):
        raise ConfigurationError(_URL_ADVICE)
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ConfigurationError(
            "the name of a quota has 1 to 100 letters, digits and ._:@-, and begins with a letter or digit; "
            'write it like name="portal-1"'
        )
    if name.startswith("pat-"):
        raise ConfigurationError(
            "the name of a quota must not be a token: Redis would show it; name the account"
        )
    if not is_number(patience, int | float) or not 0 <= patience <= _MOST_PATIENCE:
        raise ConfigurationError(f"patience is 0 to {_MOST_PATIENCE:.0f} seconds; write it like patience=5.0")


@cache
def _script() -> str:
    """Return the Lua script, with the constants of the arithmetic."""
    constants: dict[str, object] = {
        **CONSTANTS,
        "KEPT_SECONDS": 3600.0,
        "LONGEST_PAUSE": 86_400.0,
        "OLDEST_REDIS": _OLDEST_REDIS,
        # Seconds by which no request that has left can be ahead of the clock.
        "SKEW": 2.0,
        "VERSION": _VERSION,
    }
    declared = "".join(f"local {name} = {value!r}\n" for name, value in constants.items())
    return declared + files("hubspot_batch").joinpath("redis_quota.lua").read_text(encoding="utf-8")


def _told(headers: Mapping[str, str]) -> tuple[object, ...]:
    """Return the limits and the figures of the day that headers have."""
    state = learned(QuotaState(), headers)
    return (*(state.told or (None, None)), state.daily_limit, state.daily_remaining)


def _text(value: object) -> str:
    return "" if value is None else str(int(value)) if isinstance(value, bool) else str(value)


def _number(text: bytes) -> float | None:
    return float(text) if text else None


def _state_of(figures: Sequence[float | None]) -> QuotaState:
    requests, seconds, margin, paused_until, latency, saved, daily_limit, daily_remaining = figures
    return QuotaState(
        told=None if requests is None or seconds is None else Limit(int(requests), seconds),
        margin=margin or FIRST_MARGIN,
        paused_until=NEVER if paused_until is None else paused_until,
        latency=latency,
        saved=saved or 0.0,
        daily_limit=None if daily_limit is None else int(daily_limit),
        daily_remaining=None if daily_remaining is None else int(daily_remaining),
    )
