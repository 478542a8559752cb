"""The time of a sandbox."""

import time
from datetime import UTC, datetime
from threading import Lock

from hubspot_batch.errors import ConfigurationError
from hubspot_batch.sandbox._formats import write_moment


class Clock:
    """The time of a sandbox: that of this machine, or ahead of or behind it. Any thread may use it.

    Quotas, tokens, times of creation and delays go by it. It never stands still.

    Args:
        start: The time that it begins with, `2026-09-01T08:00:00Z` or as a `datetime` with a time zone; None
            for the time of this machine.

    Raises:
        ConfigurationError: If the time is invalid.
    """

    def __init__(self, start: datetime | str | None = None) -> None:
        self._lock = Lock()
        self._ahead = 0.0
        self.restart(start)

    def restart(self, start: datetime | str | None = None) -> None:
        """Begin again with a time, which may be earlier. It is for a sandbox that begins again, too.

        Raises:
            ConfigurationError: If the time is invalid.
        """
        ahead = 0.0 if start is None else _seconds_of(start) - time.time()
        with self._lock:
            self._ahead = ahead

    def advance(self, seconds: float) -> None:
        """Move it forward.

        Raises:
            ConfigurationError: If the seconds are not a number from 0 up.
        """
        if not 0 <= seconds <= _LONGEST:
            raise ConfigurationError(
                f"the clock cannot be moved by {seconds:g} seconds; it only goes forward, at most a century"
            )
        with self._lock:
            self._ahead += seconds

    def set(self, moment: datetime | str) -> None:
        """Move it forward to a time, `2026-09-01T08:00:00Z` or a `datetime` with a time zone.

        Raises:
            ConfigurationError: If the time is invalid or past.
        """
        self.advance(_seconds_of(moment) - self.time())

    def now(self) -> datetime:
        """Return the time, in UTC."""
        return datetime.fromtimestamp(self.time(), UTC)

    def time(self) -> float:
        """Return the time in seconds since 1970."""
        return time.time() + self._ahead

    def monotonic(self) -> float:
        """Return seconds that nothing but `restart` sets back."""
        return time.monotonic() + self._ahead

    def moment(self) -> str:
        """Return the time as HubSpot writes it."""
        return write_moment(self.now())


_LONGEST = 3_155_760_000.0


def check_moment(text: str) -> None:
    """Refuse a text that is not a time.

    Raises:
        ConfigurationError: If it is not.
    """
    _seconds_of(text)


def _seconds_of(moment: datetime | str) -> float:
    try:
        found = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
        if found.tzinfo is not None:
            return found.timestamp()
    except (ValueError, OverflowError):
        pass
    raise ConfigurationError(f"{str(moment)!r} is not a time with a zone; write it like 2026-09-01T08:00:00Z")
