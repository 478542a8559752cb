"""A sliding window log of requests. Pure arithmetic: no clock and no sleep.

HubSpot counts requests in a rolling window (docs/behaviour.md, "Rate limits"). A caller reserves a send time
before each attempt, waits until then, and asks again whether it may leave. The N-th last request has then
arrived at least one window ago. When a request arrived is not known exactly: it is sent later than reserved,
because a connection is made or the processor is busy, and it travels for some time. So the log is corrected
with the time at which the request was sent, and with how much longer than others its reply took.
"""

import os
from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Mapping, Sequence
from threading import Lock
from types import UnionType
from typing import NamedTuple, Protocol, runtime_checkable
from weakref import WeakSet

from msgspec import Struct
from msgspec.structs import replace

from hubspot_batch.errors import ConfigurationError

NEVER = float("-inf")
SOON = 1e-6
"""Seconds. A send time within this is due: sums of floats are not exact."""

_GUESS_SECONDS = 0.25
"""Seconds until a send time from a guessed limit is computed again: the first reply gives the real limit."""

# The smallest quota of any account. The first reply gives the real one.
_FIRST_REQUESTS = 100
_FIRST_WINDOW = 10.0
# A header with a longer window is ignored: it would stop everything.
MOST_WINDOW = 60.0
# Seconds from its send time to the arrival of a request, as a first guess.
FIRST_MARGIN = 0.1
MOST_MARGIN = 2.0
# The same for a request that was answered, counted from when it was sent. A reply that took longer than the
# fastest adds as much, at most a second.
_LEAST_WAY = 0.05
_MOST_WAIT = 1.0
# Some services take now longer, now shorter, and the time that this adds would be lost. So each reply adds at
# most this, apart from what is saved: seconds that earlier replies did not add, and those to begin with.
_MEAN_WAIT = 0.06
# The fastest of the first replies may have been slow, while everything started. A reply that is faster
# by this much corrects what was concluded from those before it.
_FASTER = 0.02
MOST_SAVED = 30.0
# Replies become slower, too: the fastest is forgotten by a thousandth with each reply.
_LATENCY_GROWTH = 1.001
_MARGIN_GROWTH = 1.5
# A pause costs more than a margin, so a margin shrinks more slowly than it grows: seconds at full load to
# undo one growth.
_MARGIN_RECOVERY = 60.0
MOST_REQUESTS = 10**9
_MOST_DIGITS = 9
_ADVICE = "a quota is at least one request in at most 60 seconds; write it like Quota(190, 10.0)"

# The number of latest requests that are searched for overtaken ones.
_TURNS = 500

MEMORY = MOST_WINDOW + MOST_MARGIN
"""Send times older than these seconds are irrelevant for any limit and window."""

CONSTANTS: Mapping[str, float] = {
    "FASTER": _FASTER,
    "FIRST_MARGIN": FIRST_MARGIN,
    "GUESS_SECONDS": _GUESS_SECONDS,
    "LATENCY_GROWTH": _LATENCY_GROWTH,
    "LEAST_WAY": _LEAST_WAY,
    "MARGIN_GROWTH": _MARGIN_GROWTH,
    "MARGIN_RECOVERY": _MARGIN_RECOVERY,
    "MEAN_WAIT": _MEAN_WAIT,
    "MEMORY": MEMORY,
    "MOST_MARGIN": MOST_MARGIN,
    "MOST_REQUESTS": MOST_REQUESTS,
    "MOST_SAVED": MOST_SAVED,
    "MOST_WAIT": _MOST_WAIT,
    "MOST_WINDOW": MOST_WINDOW,
    "SOON": SOON,
    "TURNS": _TURNS,
}
"""For the same arithmetic in another language."""


class Limit(NamedTuple):
    """A limit of requests in any window of a length.

    Attributes:
        requests: How many.
        seconds: The length of the window.
    """

    requests: int
    seconds: float

    def implies(self, other: "Limit") -> bool:
        """Return whether requests within this limit are always within the other."""
        return self.requests <= other.requests and self.seconds >= other.seconds


class QuotaState(Struct, frozen=True):
    """The state of a quota without its log. All times are in seconds.

    Attributes:
        told: The limit by the headers of the latest reply; None until a reply has them.
        margin: The longest time from the send time of a request to its arrival.
        paused_until: No request may be sent before this time.
        latency: The duration of the fastest reply; None until the first.
        saved: How many seconds replies may add to the log beyond the mean.
        daily_limit: The requests per day; None until a reply has the header.
        daily_remaining: The requests left today, by the latest reply with the header; None until then.
    """

    told: Limit | None = None
    margin: float = FIRST_MARGIN
    paused_until: float = NEVER
    latency: float | None = None
    saved: float = MOST_SAVED
    daily_limit: int | None = None
    daily_remaining: int | None = None


class AttemptReport(Struct, frozen=True, kw_only=True):
    """A finished attempt. All times are in seconds of `time.monotonic()`.

    Attributes:
        send_time: The send time that was reserved for it.
        sent: When its last byte was sent, if known, else when it started.
        ended: When the reply came, or the attempt failed.
        headers: The headers of the reply, with names in lower case; None if no reply came.
        refused_until: After a 429, when the next request may be sent.
    """

    send_time: float
    sent: float
    ended: float
    headers: Mapping[str, str] | None = None
    refused_until: float | None = None


@runtime_checkable
class Pacer(Protocol):
    """A rate limiter for the requests of a client. `Quota` and `SharedQuota` are two.

    The synchronous methods may block; the asynchronous ones must not block the event loop. `now` is the
    current time, in seconds of `time.monotonic()`.
    """

    @property
    def limit(self) -> int:
        """The requests that fit into the window. Never blocks."""
        ...

    @property
    def window(self) -> float:
        """The length of the window in seconds. Never blocks."""
        ...

    @property
    def limit_known(self) -> bool:
        """Whether the limit is known, not guessed. Never blocks."""
        ...

    @property
    def daily_remaining(self) -> int | None:
        """The requests left today; None if unknown. Never blocks."""
        ...

    def reserve(self, now: float, *, held: float | None = None, on_guess: bool = True) -> float:
        """Return the time at which a request may be sent.

        The caller sends it if that time has come. If not, it calls again at that time, and passes the time as
        `held`. Without `on_guess`, a later time is not reserved while `limit_known` is false, and the caller
        passes no `held`.
        """
        ...

    async def reserve_async(self, now: float, *, held: float | None = None, on_guess: bool = True) -> float:
        """Do the same as `reserve`."""
        ...

    def ended(self, attempt: AttemptReport) -> None:
        """Learn from a finished attempt: limits, a refusal, the time of arrival. Must not raise."""
        ...

    async def ended_async(self, attempt: AttemptReport) -> None:
        """Do the same as `ended`."""
        ...


def limits_of(state: QuotaState, first: Limit, ceiling: Limit | None) -> Sequence[Limit]:
    """Return all limits that apply, the one with the lowest rate first.

    Args:
        state: The state of the quota.
        first: The limit until a reply has one.
        ceiling: The limit of the caller.
    """
    told = state.told or first
    if ceiling is None or told.implies(ceiling):
        return (told,)
    if ceiling.implies(told):
        return (ceiling,)
    return sorted((told, ceiling), key=lambda limit: limit.requests / limit.seconds)


def next_send_time(
    state: QuotaState, limits: Sequence[Limit], start: float, oldest: Callable[[Limit, float], float]
) -> float:
    """Return the time at which a request may be sent.

    Args:
        state: The state of the quota.
        limits: The limits to keep to.
        start: The earliest time.
        oldest: For a limit and a send time, the send time of the request `limit.requests` requests before
            that one, which must have left the window; NEVER if there is none.
    """
    send_time = max(start, state.paused_until)
    while True:
        # At a later time, more waiting requests come first, so it may have to be later still.
        free = max(oldest(limit, send_time) + limit.seconds + state.margin for limit in limits)
        if free <= send_time + SOON:
            return send_time
        send_time = free


def ask_again(state: QuotaState, send_time: float, now: float) -> float:
    """Return when to compute a send time again that depends on a guessed limit."""
    return max(state.paused_until, min(send_time, now + _GUESS_SECONDS))


def reserved(state: QuotaState, limit: Limit) -> QuotaState:
    """Return the state after a reservation, with a slightly smaller margin."""
    if state.margin <= FIRST_MARGIN:
        return state
    # It shrinks with each reservation, not with time: an idle quota does not show that less is enough.
    kept = _MARGIN_GROWTH ** (-limit.seconds / (limit.requests * _MARGIN_RECOVERY))
    return replace(state, margin=max(state.margin * kept, FIRST_MARGIN))


def learned(state: QuotaState, headers: Mapping[str, str]) -> QuotaState:
    """Return the state with the limits from the headers of a reply. Invalid values are ignored."""
    requests = _count(headers, "x-hubspot-ratelimit-max")
    seconds = (_count(headers, "x-hubspot-ratelimit-interval-milliseconds") or 0) / 1000
    told = Limit(requests, seconds) if requests and 0 < seconds <= MOST_WINDOW else state.told
    daily_limit = _count(headers, "x-hubspot-ratelimit-daily")
    daily_remaining = _count(headers, "x-hubspot-ratelimit-daily-remaining")
    return replace(
        state,
        told=told,
        daily_limit=state.daily_limit if daily_limit is None else daily_limit,
        daily_remaining=state.daily_remaining if daily_remaining is None else daily_remaining,
    )


def refused(state: QuotaState, until: float, now: float) -> QuotaState:
    """Return the state after a 429: a pause, and a larger margin unless already paused."""
    # All requests in flight at the first refusal are refused, too. They count as one.
    growth = 1.0 if now < state.paused_until else _MARGIN_GROWTH
    return replace(
        state,
        paused_until=max(state.paused_until, until),
        margin=min(state.margin * growth, MOST_MARGIN),
    )


def ended(state: QuotaState, attempt: AttemptReport, heard: float) -> tuple[QuotaState, float]:
    """Return the state after an attempt, and the corrected send time for the log.

    A margin after that send time the request has arrived. If its reply took longer than the fastest, it may
    have waited for its turn, here or at the server. If a request that was sent later is answered already, it
    did not: they take their turns in the order in which they were sent.

    Args:
        state: The state of the quota.
        attempt: The attempt.
        heard: When the first reply came to this request, or to one that was sent no earlier.
    """
    if attempt.headers is None:
        return state, max(attempt.send_time, attempt.sent)
    state = learned(state, attempt.headers)
    if attempt.refused_until is not None:
        state = refused(state, attempt.refused_until, attempt.ended)
        return state, max(attempt.send_time, attempt.sent)
    took = max(attempt.ended - attempt.sent, 0.0)
    latency = took if state.latency is None else min(took, state.latency * _LATENCY_GROWTH)
    allowed = _MEAN_WAIT + state.saved
    waited = max(0.0, min(heard - attempt.sent - latency, allowed, _MOST_WAIT))
    state = replace(state, latency=latency, saved=min(allowed - waited, MOST_SAVED))
    return state, attempt.sent + waited + _LEAST_WAY - FIRST_MARGIN


def correction(before: QuotaState, after: QuotaState) -> float:
    """Return the seconds by which answered requests arrived later than logged, after a much faster reply."""
    if before.latency is None or after.latency is None or before.latency - after.latency < _FASTER:
        return 0.0
    return min(before.latency - after.latency, _MOST_WAIT)


def nth_last(ones: Sequence[float], others: Sequence[float], n: int) -> float:
    """Return the n-th last of two sorted sequences together, or NEVER if there are fewer."""
    if len(ones) + len(others) < n:
        return NEVER
    # How many of the others are among the last n: at least `low`, at most `high`.
    low, high = max(0, n - len(ones)), min(n, len(others))
    while low < high:
        some = (low + high) // 2
        if others[-1 - some] > ones[some - n]:
            low = some + 1
        else:
            high = some
    return min(others[-low] if low else float("inf"), ones[low - n] if low < n else float("inf"))


class _Log:
    """The send times of the last minute: of waiting requests, requests in flight, and answered ones."""

    def __init__(self) -> None:
        self.waiting: list[float] = []
        self.left: list[float] = []
        self.answered: list[float] = []
        # Send and reply times of requests that no later request has overtaken, in order.
        self._turns: list[tuple[float, float]] = []

    @property
    def last(self) -> float:
        """The last send time, or NEVER."""
        return max((times[-1] for times in (self.waiting, self.left, self.answered) if times), default=NEVER)

    def oldest(self, limit: Limit, send_time: float) -> float:
        """Return the send time that must have left the window at another. Later requests do not count."""
        others = sorted(self.left + self.waiting[: bisect_right(self.waiting, send_time)])
        return nth_last(self.answered, others, limit.requests)

    def remove(self, send_time: float) -> bool:
        return _removed(self.waiting, send_time) or _removed(self.left, send_time)

    def correct(self, later: float) -> None:
        if later:
            self.answered = [time + later for time in self.answered]

    def heard(self, attempt: AttemptReport) -> float:
        """Return when the first reply came to a request that was sent no earlier than this one."""
        place = bisect_left(self._turns, (attempt.sent, NEVER))
        if place < len(self._turns):
            return min(self._turns[place][1], attempt.ended)
        if attempt.headers is not None:
            self._turns.append((attempt.sent, attempt.ended))
            del self._turns[:-_TURNS]
        return attempt.ended

    def forget(self, before: float) -> None:
        for times in (self.waiting, self.left, self.answered):
            # Half of them at once: a removal at the start moves all others.
            half = (len(times) + 1) // 2
            if half and times[half - 1] < before:
                del times[:half]


def _removed(times: list[float], time: float) -> bool:
    place = bisect_right(times, time) - 1
    found = place >= 0 and times[place] == time
    if found:
        del times[place]
    return found


class Quota:
    """The quota of one token. Clients with the same token share one.

    It counts for one process; `SharedQuota` counts for several. All times are seconds of one monotonic clock,
    the caller's. Safe to use from several threads. A process that forks has a quota of its own from then on.

    Args:
        limit: How many requests fit into the window at most. The headers of replies may lower it, and never
            raise it: what they allow beyond may belong to another program. Without a limit it is what the
            replies tell, and 100 until the first.
        window: The length of the window in seconds.

    Raises:
        ConfigurationError: If limit or window are out of range.
    """

    def __init__(self, limit: int | None = None, window: float = _FIRST_WINDOW) -> None:
        self._first, self._ceiling = _first_and_ceiling(limit, window)
        self._state = QuotaState()
        self._log = _Log()
        self._lock = Lock()
        _quotas.add(self)

    def __repr__(self) -> str:
        try:
            return f"{type(self).__name__}({self._shown()})"
        except AttributeError:
            return f"<{type(self).__name__}, not initialized>"

    @property
    def limit(self) -> int:
        """The requests that fit into the window."""
        return self._limits[0].requests

    @property
    def window(self) -> float:
        """The length of the window in seconds."""
        return self._limits[0].seconds

    @property
    def limit_known(self) -> bool:
        """Whether the limit comes from the caller or a reply. Until then it is a guess."""
        return self._ceiling is not None or self._state.told is not None

    @property
    def margin(self) -> float:
        """Seconds that are kept free after each window. They grow with a 429, and shrink with requests."""
        return self._state.margin

    @property
    def paused_until(self) -> float:
        """No request may be sent before this time."""
        return self._state.paused_until

    @property
    def daily_limit(self) -> int | None:
        """The requests per day; None until a reply has the header, and for OAuth apps."""
        return self._state.daily_limit

    @property
    def daily_remaining(self) -> int | None:
        """The requests left today, by the latest reply. All apps of an account share them."""
        return self._state.daily_remaining

    def reserve(self, now: float, *, held: float | None = None, on_guess: bool = True) -> float:
        """Reserve and return the time at which a request may be sent.

        If it is in the future, wait until then and call again: by then another request may have been refused,
        or sent late.

        Args:
            now: The current time.
            held: The time that was reserved for this request before. It is released.
            on_guess: Whether to reserve a later time although `limit_known` is false. Without it, call again
                at the time that is returned, without `held`: the limit may be known then.
        """
        with self._lock:
            log, limits = self._log, self._limits
            if held is not None and not log.remove(held):
                held = None
            start = now if held is not None else max(now, log.last)
            send_time = next_send_time(self._state, limits, start, log.oldest)
            send_time = now if send_time <= now + SOON else send_time
            if send_time > now and not on_guess and not self.limit_known:
                return ask_again(self._state, send_time, now)
            insort(log.waiting if send_time > now else log.left, send_time)
            log.forget(now - MEMORY)
            self._state = reserved(self._state, limits[0]) if held is None else self._state
            return send_time

    async def reserve_async(self, now: float, *, held: float | None = None, on_guess: bool = True) -> float:
        """Do the same as `reserve`, without blocking the event loop."""
        return self.reserve(now, held=held, on_guess=on_guess)

    def ended(self, attempt: AttemptReport) -> None:
        """Learn from a finished attempt: limits, a refusal, and when the request arrived."""
        with self._lock:
            log, before = self._log, self._state
            self._state, send_time = ended(before, attempt, log.heard(attempt))
            log.correct(correction(before, self._state))
            if log.remove(attempt.send_time):
                insort(log.left if attempt.headers is None else log.answered, send_time)

    async def ended_async(self, attempt: AttemptReport) -> None:
        """Do the same as `ended`, without blocking the event loop."""
        self.ended(attempt)

    def learn(self, headers: Mapping[str, str]) -> None:
        """Learn the limits of window and day from the headers of a reply."""
        with self._lock:
            self._state = learned(self._state, headers)

    def refused(self, until: float, now: float) -> None:
        """Send nothing before `until`, after a 429. The first 429 of a pause makes the margin grow."""
        with self._lock:
            self._state = refused(self._state, until, now)

    @property
    def _limits(self) -> Sequence[Limit]:
        return limits_of(self._state, self._first, self._ceiling)

    def _shown(self) -> str:
        return f"limit={self.limit}, window={self.window}"

    def _forked(self) -> None:
        """Make the quota independent in a child process."""
        # A thread of the parent may hold the lock. It does not exist here.
        self._lock = Lock()


_quotas: WeakSet[Quota] = WeakSet()


def _after_fork() -> None:
    for quota in _quotas:
        quota._forked()  # noqa: SLF001 - of this module


if hasattr(os, "register_at_fork"):  # pragma: no branch - not on Windows
    os.register_at_fork(after_in_child=_after_fork)


def _first_and_ceiling(limit: int | None, window: float) -> tuple[Limit, Limit | None]:
    if not (limit is None or is_number(limit, int)) or not is_number(window, int | float):
        raise ConfigurationError(_ADVICE)
    first = Limit(_FIRST_REQUESTS if limit is None else limit, window)
    if not 0 < first.requests <= MOST_REQUESTS or not 0 < window <= MOST_WINDOW:
        raise ConfigurationError(_ADVICE)
    return first, None if limit is None else first


def is_number(value: object, kind: type | UnionType) -> bool:
    """Return whether a value is a number of this kind; to Python, a bool is an int."""
    return isinstance(value, kind) and not isinstance(value, bool)


def _count(headers: Mapping[str, str], name: str) -> int | None:
    """Return the number in a header; None if there is none, or it is invalid."""
    text = headers.get(name, "")
    plain = text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS
    return int(text) if plain else None
