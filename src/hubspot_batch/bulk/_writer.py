"""The journal as the event loop sees it: what waits to be written goes into one transaction."""

from collections.abc import Iterable, Mapping, Sequence
from types import TracebackType

import anyio
from anyio import CapacityLimiter, to_thread

from hubspot_batch.bulk._journal import Entry, Journal
from hubspot_batch.bulk._outcomes import Outcome


class Writer:
    """Writes into a journal without holding up the event loop.

    A transaction ends with a wait for the disk. What comes in meanwhile shares the next one.

    Args:
        journal: The journal.
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._waiting: list[Entry] = []
        self._turn = 0
        self._failure: Exception | None = None
        self._traceback: TracebackType | None = None
        self._writing = anyio.Lock()
        self._thread = CapacityLimiter(1)

    async def write(self, entries: Iterable[Entry]) -> None:
        """Write entries down. They are durable when this returns.

        Raises:
            sqlite3.Error: If the disk is full, for example. From then on no row may leave, and what is said
                of those that have left is kept for the end.
        """
        if not self._journal.durable:
            self._put(list(entries))
            return
        self._waiting.extend(entries)
        turn = self._turn
        async with self._writing:
            if self._turn == turn:
                self._turn += 1
                waiting, self._waiting = self._waiting, []
                await self._write(waiting)
        if self._failure is not None:
            # From where it happened: each raise would make the traceback of the others longer.
            raise self._failure.with_traceback(self._traceback)

    async def owners(self, records: Sequence[str]) -> Mapping[str | None, int]:
        """Return the row that is done as each of these records, where there is one."""
        return await to_thread.run_sync(self._journal.owners, records, limiter=self._thread)

    async def outcome(self, number: int) -> Outcome | None:
        """Return what became of a row; None where that is not known yet."""
        entries = await to_thread.run_sync(self._journal.entries, number, number, limiter=self._thread)
        return entries[number].outcome if number in entries else None

    async def _write(self, entries: Sequence[Entry]) -> None:
        if self._failure is not None:
            self._journal.keep(entries)
            return
        try:
            await to_thread.run_sync(self._put, entries, limiter=self._thread)
        except Exception as error:  # noqa: BLE001 - all that wait for this transaction must hear of it
            self._failure, self._traceback = error, error.__traceback__

    def _put(self, entries: Sequence[Entry]) -> None:
        try:
            self._journal.write(entries)
        except Exception:
            self._journal.keep(entries)
            raise
