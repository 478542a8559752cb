"""Which rows travel together. Pure: rows go in, batches come out.

A batch holds up to 100 rows or 4 MiB, whichever is first. Two line items that are alike never travel in one
request, for HubSpot makes one record of them; nor do two updates of one record, for which it refuses all
(docs/behaviour.md, "Merged line items"; docs/behaviour.md, "Duplicates").
"""

from collections.abc import Hashable, Sequence
from collections.abc import Set as AbstractSet

from hubspot_batch.bulk._rows import Row, body_of
from hubspot_batch.contract._operations import MAX_INPUTS

# HubSpot names no limit; gateways before such services let 5 MB and more pass.
_MOST_BYTES = 4 * 2**20
_MOST_OPEN = 8


class Batch:
    """Rows that travel in one request.

    Attributes:
        number: Batches are numbered in the order in which they are planned.
        rows: The rows.
        after: The numbers of the batches that have to be finished before this one leaves: they are about the
            same records.
    """

    def __init__(self, number: int) -> None:
        self.number = number
        self.rows: list[Row] = []
        self.after: set[int] = set()
        self._size = len(body_of([]))
        self._apart: set[Hashable] = set()

    def has_room_for(self, row: Row) -> bool:
        """Return whether a row may travel with these."""
        fits = not self.rows or self._size + len(row.content) <= _MOST_BYTES
        return fits and self._apart.isdisjoint(row.apart)

    def add(self, row: Row) -> None:
        """Let a row travel with these."""
        self.rows.append(row)
        self._size += len(row.content) + 1
        self._apart.update(row.apart)

    @property
    def is_full(self) -> bool:
        """Whether no other row has room."""
        return len(self.rows) == MAX_INPUTS

    def __repr__(self) -> str:
        return f"Batch({self.number}, {len(self.rows)} rows)"


class Planner:
    """Distributes rows over batches. At most eight batches are open for more rows at a time."""

    def __init__(self) -> None:
        self._open: list[Batch] = []
        self._planned = 0
        self._last: dict[Hashable, int] = {}

    def add(self, row: Row) -> Sequence[Batch]:
        """Take a row, and return the batches that are complete now."""
        batch = self._batch_for(row)
        for key in row.in_order:
            if (earlier := self._last.get(key)) is not None:
                batch.after.add(earlier)
            self._last[key] = batch.number
        batch.add(row)
        if batch.is_full:
            # All that is older, too: no batch may wait for one that leaves later.
            return self._close(self._open.index(batch) + 1)
        return self._close(len(self._open) - _MOST_OPEN)

    def flush(self) -> Sequence[Batch]:
        """Return the batches that are still open: no more rows come."""
        return self._close(len(self._open))

    def finished(self, batch: Batch) -> None:
        """Take note that all rows of a batch have an outcome."""
        for row in batch.rows:
            for key in row.in_order:
                if self._last.get(key) == batch.number:
                    del self._last[key]

    def _batch_for(self, row: Row) -> Batch:
        earlier = {self._last[key] for key in row.in_order if key in self._last}
        for batch in self._later_than(earlier):
            if batch.has_room_for(row):
                return batch
        batch = Batch(self._planned)
        self._planned += 1
        self._open.append(batch)
        return batch

    def _later_than(self, earlier: AbstractSet[int]) -> Sequence[Batch]:
        return [batch for batch in self._open if all(batch.number > number for number in earlier)]

    def _close(self, count: int) -> Sequence[Batch]:
        closed, self._open = self._open[: max(0, count)], self._open[max(0, count) :]
        return closed
