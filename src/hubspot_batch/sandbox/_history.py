"""The requests that a sandbox has answered."""

from collections import Counter, deque
from collections.abc import Sequence
from threading import Lock

from msgspec.structs import force_setattr, replace

from hubspot_batch.sandbox._page import RequestEntry, SecondEntry

_KEPT = 10_000
_KEPT_BYTES = 64 * 1024 * 1024
_SECONDS = 60


class History:
    """The last 10,000 requests of the API, with the last 64 MiB of what was said. Any thread may use it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._requests: deque[RequestEntry] = deque(maxlen=_KEPT)
        self._with_bodies: deque[RequestEntry] = deque()
        self._count = self._bytes = 0
        self._admitted: Counter[int] = Counter()
        self._refused: Counter[int] = Counter()

    def clear(self) -> None:
        """Forget all requests."""
        with self._lock:
            self._requests.clear()
            self._with_bodies.clear()
            self._count = self._bytes = 0
            self._admitted.clear()
            self._refused.clear()

    def add(self, entry: RequestEntry) -> None:
        """Keep a request that was answered, and number it."""
        with self._lock:
            self._count += 1
            numbered = replace(entry, number=self._count)
            self._requests.append(numbered)
            self._with_bodies.append(numbered)
            self._bytes += _size(numbered)
            while self._bytes > _KEPT_BYTES or len(self._with_bodies) > _KEPT:
                oldest = self._with_bodies.popleft()
                self._bytes -= _size(oldest)
                # The entry stands in the list of requests, too.
                force_setattr(oldest, "body", None)
                force_setattr(oldest, "reply", None)

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


def _size(entry: RequestEntry) -> int:
    return len(entry.body or b"") + len(entry.reply or b"")
