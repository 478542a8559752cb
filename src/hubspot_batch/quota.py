"""When a request may leave: a sliding log of reservations. Pure arithmetic, no clock and no sleep.

HubSpot counts requests in a rolling window (docs/behaviour.md, "Rate limits"). A caller reserves a departure
time before each attempt and waits until then; the N-th reservation before it is then at least one window and
a margin ago, whatever the other callers do.
"""

from collections import deque
from collections.abc import Mapping
from threading import Lock
from types import UnionType

from msgspec import Struct
from msgspec.structs import replace

from hubspot_batch.errors import ConfigurationError

# The smallest quota of any account, until the first reply tells the real one.
FIRST_LIMIT = 100
FIRST_WINDOW = 10.0
NEVER = float("-inf")

# A window that is longer than this would stop everything on the word of one header.
_MOST_WINDOW = 60.0
# The server's window is measured at its own clock, after a way of varying length.
_FIRST_MARGIN = 0.1
_MARGIN_GROWTH = 1.5
_MOST_MARGIN = 2.0
# A pause costs more than a margin does, so a margin goes more slowly than it has come: a full quota takes so
# many seconds to undo one growth.
_MARGIN_RECOVERY = 60.0
_MOST_REQUESTS = 10**9
_MOST_DIGITS = 9
_ADVICE = "a quota is at least one request in at most 60 seconds; write it like Quota(190, 10.0)"

# After so many seconds a departure matters no more, whatever limit and window become.
MEMORY = _MOST_WINDOW + _MOST_MARGIN


class Figures(Struct, frozen=True):
    """What is known of a quota, apart from its log. All times are seconds.

    Attributes:
        limit: How many requests fit into the window.
        window: The length of the window.
        margin: How long is kept free after each window.
        paused_until: No request leaves before this time.
        daily_limit: How many requests fit into a day; None until a reply tells.
        daily_remaining: How many of these the latest reply that tells has left; None until then.
    """

    limit: int
    window: float
    margin: float = _FIRST_MARGIN
    paused_until: float = NEVER
    daily_limit: int | None = None
    daily_remaining: int | None = None


def departure_after(figures: Figures, now: float, *, last: float, leaver: float) -> float:
    """Return when a request may leave.

    Args:
        figures: What is known of the quota.
        now: The present time.
        last: The last departure, or NEVER.
        leaver: The departure whose place in the window comes free for this one, the limit-th last, or NEVER.
    """
    return max(now, figures.paused_until, last, leaver + figures.window + figures.margin)


def reserved(figures: Figures) -> Figures:
    """Return the figures after a reservation: a margin that has grown shrinks a little."""
    if figures.margin <= _FIRST_MARGIN:
        return figures
    # It shrinks by reservations and not by time: a quota that nobody uses does not show that less suffices.
    kept = _MARGIN_GROWTH ** (-figures.window / (figures.limit * _MARGIN_RECOVERY))
    return replace(figures, margin=max(figures.margin * kept, _FIRST_MARGIN))


def learned(figures: Figures, headers: Mapping[str, str]) -> Figures:
    """Return the figures with what the headers of a reply tell; what makes no sense tells nothing."""
    limit = _count(headers, "x-hubspot-ratelimit-max")
    window = (_count(headers, "x-hubspot-ratelimit-interval-milliseconds") or 0) / 1000
    if not limit or not 0 < window <= _MOST_WINDOW:
        limit, window = figures.limit, figures.window
    daily_limit = _count(headers, "x-hubspot-ratelimit-daily")
    daily_remaining = _count(headers, "x-hubspot-ratelimit-daily-remaining")
    return replace(
        figures,
        limit=limit,
        window=window,
        daily_limit=figures.daily_limit if daily_limit is None else daily_limit,
        daily_remaining=figures.daily_remaining if daily_remaining is None else daily_remaining,
    )


def refused(figures: Figures, until: float, now: float) -> Figures:
    """Return the figures after a 429: a pause, and more of a margin unless a pause is running already."""
    # All that was under way when the first was refused is refused, too. That is one lesson, not many.
    growth = 1.0 if now < figures.paused_until else _MARGIN_GROWTH
    return replace(
        figures,
        paused_until=max(figures.paused_until, until),
        margin=min(figures.margin * growth, _MOST_MARGIN),
    )


class Quota:
    """The quota of one token. Clients that push with the same token share one.

    It counts for one process; `SharedQuota` counts for several. All times are seconds of one monotonic clock,
    the caller's. Safe to use from several threads.

    Args:
        limit: How many requests fit into the window. The headers of each reply correct it.
        window: The length of the window in seconds. Likewise.

    Raises:
        ConfigurationError: If limit or window are out of range.
    """

    def __init__(self, limit: int = FIRST_LIMIT, window: float = FIRST_WINDOW) -> None:
        if not is_number(limit, int) or not is_number(window, int | float):
            raise ConfigurationError(_ADVICE)
        if not 0 < limit <= _MOST_REQUESTS or not 0 < window <= _MOST_WINDOW:
            raise ConfigurationError(_ADVICE)
        self._figures = Figures(limit, window)
        self._departures: deque[float] = deque()
        self._lock = Lock()

    def __repr__(self) -> str:
        return f"Quota(limit={self.limit}, window={self.window})"

    @property
    def limit(self) -> int:
        """How many requests fit into the window."""
        return self._figures.limit

    @property
    def window(self) -> float:
        """The length of the window in seconds."""
        return self._figures.window

    @property
    def margin(self) -> float:
        """Seconds that are kept free after each window. A 429 makes them more, requests less again."""
        return self._figures.margin

    @property
    def paused_until(self) -> float:
        """No request leaves before this time."""
        return self._figures.paused_until

    @property
    def daily_limit(self) -> int | None:
        """How many requests fit into a day; None until a reply tells, which replies to OAuth never do."""
        return self._figures.daily_limit

    @property
    def daily_remaining(self) -> int | None:
        """How many of these were left, by the latest reply that tells. All apps of the account use them."""
        return self._figures.daily_remaining

    def reserve(self, now: float, *, missed: float | None = None) -> float:
        """Return the time at which a request may leave, at the earliest now, and count it.

        Args:
            now: The present time.
            missed: A departure that was reserved before, and at which nothing left.
        """
        with self._lock:
            if missed is not None and missed in self._departures:
                self._departures.remove(missed)
            log, limit = self._departures, self._figures.limit
            departure = departure_after(
                self._figures,
                now,
                last=log[-1] if log else NEVER,
                leaver=log[-limit] if len(log) >= limit else NEVER,
            )
            log.append(departure)
            while log[0] < departure - MEMORY:
                log.popleft()
            self._figures = reserved(self._figures)
            return departure

    def learn(self, headers: Mapping[str, str]) -> None:
        """Take the limits of window and day from the headers of a reply, where it has them."""
        with self._lock:
            self._figures = learned(self._figures, headers)

    def refused(self, until: float, now: float) -> None:
        """Let nothing leave before `until`: a 429 came. The first of a pause makes the margin grow."""
        with self._lock:
            self._figures = refused(self._figures, until, now)


def is_number(value: object, kind: type | UnionType) -> bool:
    """Return whether a value is a number of this kind; to Python, a bool is an int."""
    return isinstance(value, kind) and not isinstance(value, bool)


def _count(headers: Mapping[str, str], name: str) -> int | None:
    """Return the number that a header holds, None where it holds none or a senseless one."""
    text = headers.get(name, "")
    plain = text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS
    return int(text) if plain else None
