"""How many requests are in flight at a time. Pure arithmetic.

As many as fill the quota at the measured duration of a request, by Little's law: 19 a second at 1.5 s are 29.
More would only wait in line. After a failure they are halved, and come back one by one.
"""

import math

DEFAULT_CEILING = 40
"""How many requests are in flight at most, unless the caller says otherwise: 19 a second at 2 s.

Each takes three quarters of a MiB (benchmarks/README.md).
"""

_FIRST = 4
_SHARE_OF_NEW = 1 / 8
# So many times the usual deviation a request may take longer before the quota is missed for its sake.
_DEVIATIONS = 2


class Level:
    """The number of requests in flight that the quota and the duration of a request ask for.

    Args:
        ceiling: It is never higher than this.
    """

    def __init__(self, ceiling: int = DEFAULT_CEILING) -> None:
        self._ceiling = ceiling
        self._bearable = ceiling
        self._duration: float | None = None
        self._deviation = 0.0

    def replied(self, duration: float) -> None:
        """Take note of a request that HubSpot answered, and of the seconds that it took."""
        self._bearable = min(self._bearable + 1, self._ceiling)
        if self._duration is None:
            self._duration = duration
            return
        self._deviation += (abs(duration - self._duration) - self._deviation) * _SHARE_OF_NEW
        self._duration += (duration - self._duration) * _SHARE_OF_NEW

    def failed(self) -> None:
        """Take note of a request that HubSpot, or a gateway, failed to answer."""
        self._bearable = max(1, self._bearable // 2)

    def at(self, rate: float) -> int:
        """Return the level for a quota of this many requests a second."""
        if self._duration is None:
            return min(_FIRST, self._bearable)
        wanted = math.ceil(rate * (self._duration + _DEVIATIONS * self._deviation)) + 1
        return min(wanted, self._bearable)
