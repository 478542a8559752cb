"""When a request may leave: a sliding log of reservations. Pure arithmetic, no clock and no sleep.

HubSpot counts requests in a rolling window (docs/behaviour.md, "Rate limits"). A caller reserves a departure
time before each attempt and waits until then; the N-th reservation before it is then at least one window and
a margin ago, whatever the other callers do.
"""

from collections import deque
from collections.abc import Mapping
from threading import Lock
from types import UnionType

from hubspot_batch.errors import ConfigurationError

# The smallest quota of any account, until the first reply tells the real one.
_FIRST_LIMIT = 100
_FIRST_WINDOW = 10.0
# A window that is longer than this would stop everything on the word of one header.
_MOST_WINDOW = 60.0
# The server's window is measured at its own clock, after a way of varying length.
_FIRST_MARGIN = 0.1
_MARGIN_GROWTH = 1.5
_MOST_MARGIN = 2.0
_MOST_REQUESTS = 10**9
_ADVICE = "a quota is at least one request in at most 60 seconds; write it like Quota(190, 10.0)"


class Quota:
    """The quota of one account. Clients that write to the same account share one.

    All times are seconds of one monotonic clock, the caller's. Safe to use from several threads.

    Args:
        limit: How many requests fit into the window. The headers of each reply correct it.
        window: The length of the window in seconds. Likewise.

    Attributes:
        limit: As above.
        window: As above.
        margin: Seconds that are kept free after each window. It grows with each 429.
        paused_until: No request leaves before this time.

    Raises:
        ConfigurationError: If limit or window are out of range.
    """

    def __init__(self, limit: int = _FIRST_LIMIT, window: float = _FIRST_WINDOW) -> None:
        if not is_number(limit, int) or not is_number(window, int | float):
            raise ConfigurationError(_ADVICE)
        if not 0 < limit <= _MOST_REQUESTS or not 0 < window <= _MOST_WINDOW:
            raise ConfigurationError(_ADVICE)
        self.limit = limit
        self.window = window
        self.margin = _FIRST_MARGIN
        self.paused_until = float("-inf")
        self._departures: deque[float] = deque()
        self._lock = Lock()

    def __repr__(self) -> str:
        return f"Quota(limit={self.limit}, window={self.window})"

    def reserve(self, now: float) -> float:
        """Return the time at which a request may leave, at the earliest now, and count it."""
        with self._lock:
            departure = max(now, self.paused_until)
            if self._departures:
                departure = max(departure, self._departures[-1])
            if len(self._departures) >= self.limit:
                departure = max(departure, self._departures[-self.limit] + self.window + self.margin)
            self._departures.append(departure)
            self._forget(departure - _MOST_WINDOW - _MOST_MARGIN)
            return departure

    def learn(self, headers: Mapping[str, str]) -> None:
        """Take limit and window from the headers of a reply, where it has them."""
        limit = _number(headers.get("x-hubspot-ratelimit-max"))
        window = _number(headers.get("x-hubspot-ratelimit-interval-milliseconds")) / 1000
        if not limit or not 0 < window <= _MOST_WINDOW:
            return
        with self._lock:
            self.limit = limit
            self.window = window

    def refused(self, until: float) -> None:
        """Let nothing leave before `until`, and keep more of a margin from now on: a 429 came."""
        with self._lock:
            self.paused_until = max(self.paused_until, until)
            self.margin = min(self.margin * _MARGIN_GROWTH, _MOST_MARGIN)

    def _forget(self, before: float) -> None:
        """Drop what has left too long ago to matter, whatever limit and window become."""
        while self._departures[0] < before:
            self._departures.popleft()


def is_number(value: object, kind: type | UnionType) -> bool:
    """Return whether a value is a number of this kind; to Python, a bool is an int."""
    return isinstance(value, kind) and not isinstance(value, bool)


def _number(text: str | None) -> int:
    """Return the number that a header holds, 0 where it holds none or a senseless one."""
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < 10 else 0  # noqa: PLR2004
