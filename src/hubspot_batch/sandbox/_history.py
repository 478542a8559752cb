"""The requests that a sandbox has answered."""

from collections import Counter, deque
from collections.abc import Sequence
from threading import Lock

from hubspot_batch.sandbox._page import RequestEntry, SecondEntry

_KEPT = 10_000
_SECONDS = 60


class History:
    """The last 10,000 requests of the API. Any thread may use it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._requests: deque[RequestEntry] = deque(maxlen=_KEPT)
        self._admitted: Counter[int] = Counter()
        self._refused: Counter[int] = Counter()

    def add(self, entry: RequestEntry) -> None:
        """Keep a request that was answered."""
        with self._lock:
            self._requests.append(entry)

    def count(self, now: float, *, admitted: bool) -> None:
        """Count a request in its second, as admitted or refused by the quota."""
        with self._lock:
            counter = self._admitted if admitted else self._refused
            counter[int(now)] += 1
            for second in [second for second in counter if second <= int(now) - _SECONDS]:
                del counter[second]

    def requests(self) -> Sequence[RequestEntry]:
        """Return the requests, the oldest first."""
        with self._lock:
            return tuple(self._requests)

    def seconds(self, now: float) -> Sequence[SecondEntry]:
        """Return the last 60 seconds, the oldest first."""
        with self._lock:
            return [
                SecondEntry(
                    second=age,
                    admitted=self._admitted[int(now) - age],
                    refused=self._refused[int(now) - age],
                )
                for age in range(_SECONDS - 1, -1, -1)
            ]
