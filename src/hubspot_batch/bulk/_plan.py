"""Which rows travel together, and how many requests are in flight at a time. Pure.

A batch holds up to 100 rows or 4 MiB, whichever is first. Two line items that are alike never travel in one
request, because HubSpot makes one record of them; nor do two updates of one record, for which it refuses all
(docs/behaviour.md, "Merged line items"; docs/behaviour.md, "Duplicates").

Requests in flight are as many as fill the quota at the measured duration of a request, by Little's law: 19 a
second at 1.5 s are 29. More would only wait in line. After a failure they are halved, and come back one by
one.
"""

import math
from collections.abc import Hashable, Sequence
from collections.abc import Set as AbstractSet

from hubspot_batch.bulk._rows import Row, body_of
from hubspot_batch.contract._operations import MAX_INPUTS

# HubSpot names no limit; gateways before such services let 5 MB and more pass.
_MOST_BYTES = 4 * 2**20
_MOST_OPEN = 8


class PlannedBatch:
    """Rows that travel in one request.

    Attributes:
        number: Batches are numbered in the order in which they are planned.
        rows: The rows.
        after: The numbers of the batches that have to be finished before this one leaves: they are about the
            same records.
    """

    def __init__(self, number: int, most: int = MAX_INPUTS) -> None:
        self.number = number
        self._most = most
        self.rows: list[Row] = []
        self.after: set[int] = set()
        self._size = len(body_of([]))
        self._conflict_keys: set[Hashable] = set()

    def has_room_for(self, row: Row) -> bool:
        """Return whether a row may travel with these."""
        fits = not self.rows or self._size + len(row.content) <= _MOST_BYTES
        return fits and self._conflict_keys.isdisjoint(row.conflict_keys)

    def add(self, row: Row) -> None:
        """Let a row travel with these."""
        self.rows.append(row)
        self._size += len(row.content) + 1
        self._conflict_keys.update(row.conflict_keys)

    @property
    def is_full(self) -> bool:
        """Whether no other row has room."""
        return len(self.rows) == self._most

    def __repr__(self) -> str:
        return f"PlannedBatch({self.number}, {len(self.rows)} rows)"


class Planner:
    """Distributes rows over batches. At most eight batches are open for more rows at a time.

    Args:
        most: How many rows one request takes.
    """

    def __init__(self, most: int = MAX_INPUTS) -> None:
        self._most = most
        self._open: list[PlannedBatch] = []
        self._planned = 0
        self._last: dict[Hashable, int] = {}

    def add(self, row: Row) -> Sequence[PlannedBatch]:
        """Plan a row, and return the batches that are complete now."""
        batch = self._batch_for(row)
        for key in row.order_keys:
            if (earlier := self._last.get(key)) is not None:
                batch.after.add(earlier)
            self._last[key] = batch.number
        batch.add(row)
        if batch.is_full:
            # All that is older, too: no batch may wait for one that leaves later.
            return self._close(self._open.index(batch) + 1)
        return self._close(len(self._open) - _MOST_OPEN) if len(self._open) > _MOST_OPEN else []

    def flush(self) -> Sequence[PlannedBatch]:
        """Return the batches that are still open: no more rows come."""
        return self._close(len(self._open))

    def finished(self, batch: PlannedBatch) -> None:
        """Forget a batch whose rows all have an outcome: nothing needs to wait for it."""
        for row in batch.rows:
            for key in row.order_keys:
                if self._last.get(key) == batch.number:
                    del self._last[key]

    def _batch_for(self, row: Row) -> PlannedBatch:
        earlier = {self._last[key] for key in row.order_keys if key in self._last}
        for batch in self._later_than(earlier) if earlier else self._open:
            if batch.has_room_for(row):
                return batch
        batch = PlannedBatch(self._planned, self._most)
        self._planned += 1
        self._open.append(batch)
        return batch

    def _later_than(self, earlier: AbstractSet[int]) -> Sequence[PlannedBatch]:
        return [batch for batch in self._open if all(batch.number > number for number in earlier)]

    def _close(self, count: int) -> Sequence[PlannedBatch]:
        closed, self._open = self._open[:count], self._open[count:]
        return closed


DEFAULT_CEILING = 40
"""How many requests are in flight at most, unless the caller says otherwise: 19 a second at 2 s.

Each takes 0.4 MiB (benchmarks/README.md).
"""

_FIRST = 4
_SHARE_OF_NEW = 1 / 8
# Headroom above the mean duration, in mean deviations.
_DEVIATIONS = 2


class AdaptiveConcurrency:
    """How many requests to keep in flight, from the quota and the measured duration of a request.

    Args:
        ceiling: The largest number to return.
    """

    def __init__(self, ceiling: int = DEFAULT_CEILING) -> None:
        self._ceiling = ceiling
        self._cap = ceiling
        self._duration: float | None = None
        self._deviation = 0.0

    def on_reply(self, duration: float) -> None:
        """Learn from the seconds that HubSpot took to answer a request."""
        self._cap = min(self._cap + 1, self._ceiling)
        if self._duration is None:
            self._duration = duration
            return
        self._deviation += (abs(duration - self._duration) - self._deviation) * _SHARE_OF_NEW
        self._duration += (duration - self._duration) * _SHARE_OF_NEW

    def on_failure(self) -> None:
        """Halve the cap: HubSpot, or a gateway, failed to answer a request."""
        self._cap = max(1, self._cap // 2)

    def target_for(self, rate: float) -> int:
        """Return how many requests may be in flight under a quota of `rate` requests a second."""
        if self._duration is None:
            return min(_FIRST, self._cap)
        wanted = math.ceil(rate * (self._duration + _DEVIATIONS * self._deviation)) + 1
        return min(wanted, self._cap)
