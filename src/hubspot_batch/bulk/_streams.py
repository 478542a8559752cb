"""The two faces of a run: one outcome after the other, for synchronous and for asynchronous code.

The source is always read by the caller: a cursor of sqlite3, for one, is of use in its own thread only. The
engine runs in an event loop beside: in a thread of its own, or in a task.
"""

import asyncio
import logging
import sys
import time
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator, Sequence
from contextlib import aclosing
from typing import Self, cast

import anyio
from anyio import CancelScope
from anyio.from_thread import BlockingPortal, start_blocking_portal

from hubspot_batch.bulk._options import Options, journal_from, task_from
from hubspot_batch.bulk._outcomes import Outcome
from hubspot_batch.bulk._report import Report
from hubspot_batch.bulk._run import Run
from hubspot_batch.bulk._sources import async_chunks, chunks, length
from hubspot_batch.contract import _operations as contract
from hubspot_batch.transport._async import AsyncDriver
from hubspot_batch.transport._settings import Settings

_logger = logging.getLogger("hubspot_batch")

_SECONDS_BETWEEN_LINES = 10.0


class _Job:
    """A run that is ready to start, and what its faces have in common."""

    def __init__(
        self, operation_id: str, rows: object, options: Options, settings: Settings, driver: AsyncDriver
    ) -> None:
        task = task_from(operation_id, options, length(rows))
        self._journal = journal_from(task, options, settings)
        self.run = Run(task, settings, driver, self._journal)
        self._on_progress = options["on_progress"]
        self._logged = time.monotonic()

    def tell(self) -> None:
        """Tell how far the run has come: the caller at once, the log every ten seconds."""
        if self._on_progress is not None:
            self._on_progress(self.run.progress())
        if time.monotonic() - self._logged >= _SECONDS_BETWEEN_LINES:
            self._logged = time.monotonic()
            _logger.info("%s", self.run.report())

    def end(self) -> None:
        """Let go of a journal that has a file. The other is needed for the outcomes."""
        if self._journal.durable:
            self._journal.close()


class Stream(Iterator[Outcome]):
    """The outcomes of a run in the order in which they come in, exactly one for each row.

    It reads and sends as outcomes are asked for. Left early, with `close` or at the end of its `with` block,
    it lets nothing more leave and waits for what is in flight.

    Raises:
        BulkError: After the last outcome, if the run could not be finished.
    """

    def __init__(
        self, operation_id: str, rows: object, options: Options, settings: Settings, driver: AsyncDriver
    ) -> None:
        verb = contract.operation(operation_id).verb
        source = chunks(rows, verb=verb, id_property=options["id_property"])
        self._job = _Job(operation_id, rows, options, settings, driver)
        self._outcomes = self._run(source)

    @property
    def report(self) -> Report:
        """What has become of the rows so far."""
        return self._job.run.report()

    def complete(self) -> Report:
        """Go to the end of the run, and return what has become of the rows.

        Raises:
            BulkError: If the run could not be finished.
        """
        with self:
            deque(self, maxlen=0)
            return self.report

    def close(self) -> None:
        """End the run. What is in flight is waited for."""
        self._outcomes.close()
        self._job.end()

    def __next__(self) -> Outcome:
        return next(self._outcomes)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def _run(self, source: Iterator[Sequence[object]]) -> Generator[Outcome, None, None]:
        run = self._job.run
        try:
            with start_blocking_portal() as portal, portal.wrap_async_context_manager(run):
                try:
                    yield from self._pump(portal, source)
                except BaseException:
                    portal.call(run.drain)
                    raise
            run.close()
        finally:
            self._job.end()

    def _pump(
        self, portal: BlockingPortal, source: Iterator[Sequence[object]]
    ) -> Generator[Outcome, None, None]:
        run = self._job.run
        while run.failure is None and (inputs := self._read(portal, source)):
            yield from portal.call(run.put, inputs)
            self._job.tell()
        portal.call(run.finish)
        while settled := portal.call(run.next):
            yield from settled
            self._job.tell()

    def _read(self, portal: BlockingPortal, source: Iterator[Sequence[object]]) -> Sequence[object]:
        try:
            return next(source, ())
        except Exception as error:  # noqa: BLE001 - the source is the caller's
            portal.call(self._job.run.fail, error)
            return ()


class AsyncStream(AsyncIterator[Outcome]):
    """The same for asynchronous code.

    Raises:
        BulkError: After the last outcome, if the run could not be finished.
    """

    def __init__(
        self, operation_id: str, rows: object, options: Options, settings: Settings, driver: AsyncDriver
    ) -> None:
        verb = contract.operation(operation_id).verb
        source = async_chunks(rows, verb=verb, id_property=options["id_property"])
        self._job = _Job(operation_id, rows, options, settings, driver)
        self._outcomes = self._run(cast("AsyncGenerator[Sequence[object], None]", source))

    @property
    def report(self) -> Report:
        """What has become of the rows so far."""
        return self._job.run.report()

    async def complete(self) -> Report:
        """Go to the end of the run, and return what has become of the rows.

        Raises:
            BulkError: If the run could not be finished.
        """
        async with self:
            async for _ in self:
                pass
            return self.report

    async def aclose(self) -> None:
        """End the run. What is in flight is waited for."""
        await self._outcomes.aclose()
        self._job.end()

    async def __anext__(self) -> Outcome:
        return await anext(self._outcomes)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.aclose()

    async def _run(self, source: AsyncGenerator[Sequence[object], None]) -> AsyncGenerator[Outcome, None]:
        run = self._job.run
        try:
            async with aclosing(source), _InBackground(run):
                try:
                    async with aclosing(self._pump(source)) as outcomes:
                        async for outcome in outcomes:
                            yield outcome
                except BaseException:
                    with CancelScope(shield=True):
                        await run.drain()
                    raise
            run.close()
        finally:
            self._job.end()

    async def _pump(self, source: AsyncIterator[Sequence[object]]) -> AsyncGenerator[Outcome, None]:
        run = self._job.run
        while run.failure is None and (inputs := await self._read(source)):
            for outcome in await run.put(inputs):
                yield outcome
            self._job.tell()
        await run.finish()
        while settled := await run.next():
            for outcome in settled:
                yield outcome
            self._job.tell()

    async def _read(self, source: AsyncIterator[Sequence[object]]) -> Sequence[object]:
        try:
            # Not with a default: CPython 3.11 stumbles over that where the source waits.
            return await anext(source)
        except StopAsyncIteration:
            return ()
        except Exception as error:  # noqa: BLE001 - the source is the caller's
            self._job.run.fail(error)
            return ()


class _InBackground:
    """Keeps a run open in a task of its own, so that an iterator over it can be left in any task.

    A task group ends in the task in which it began. An asynchronous generator may not: whoever forgets it
    leaves it to the event loop.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._open = anyio.Event()
        self._left = anyio.Event()
        self._closed = anyio.Event()

    async def __aenter__(self) -> None:
        trio = sys.modules.get("trio")
        if trio is not None and trio.lowlevel.in_trio_run():
            trio.lowlevel.spawn_system_task(self._live)
        else:
            # The event loop holds tasks weakly.
            self._task = asyncio.create_task(self._live())
        await self._open.wait()

    async def __aexit__(self, *_error: object) -> None:
        self._left.set()
        with CancelScope(shield=True):
            await self._closed.wait()

    async def _live(self) -> None:
        try:
            async with self._run:
                self._open.set()
                await self._left.wait()
        finally:
            self._closed.set()
