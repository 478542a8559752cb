"""The two faces of a run: one outcome after the other, for synchronous and for asynchronous code.

The source is always read by the caller: a cursor of sqlite3, for one, is of use in its own thread only. The
engine runs in an event loop beside: in a thread of its own, or in a task.

A stream holds its session and not the other way round, so a stream that is left ends its run at once. Any
thread, or task, may close it. A process that was forked in the middle of a run has no part in it.
"""

import asyncio
import atexit
import logging
import os
import sys
import threading
import time
import weakref
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import ExitStack, suppress
from typing import Any, Self, TypeVar, cast

import anyio
import msgspec
from anyio import CancelScope
from anyio.from_thread import BlockingPortal, start_blocking_portal

from hubspot_batch.bulk._journal_file import never_end
from hubspot_batch.bulk._options import Options, journal_from, sent_from, task_from
from hubspot_batch.bulk._outcomes import Outcome
from hubspot_batch.bulk._report import Report
from hubspot_batch.bulk._run import Run
from hubspot_batch.bulk._sources import async_chunks, chunks, length
from hubspot_batch.contract import _operations as contract
from hubspot_batch.errors import ConfigurationError
from hubspot_batch.results import Record
from hubspot_batch.transport._async import AsyncDriver
from hubspot_batch.transport._settings import Settings

_logger = logging.getLogger("hubspot_batch")

_SECONDS_BETWEEN_LINES = 10.0
_GLANCE = 0.5


_T = TypeVar("_T")


class _Job:
    """A run that is ready to start, and what its faces have in common."""

    def __init__(
        self, operation_id: str, rows: object, options: Options, settings: Settings, driver: AsyncDriver
    ) -> None:
        task = task_from(operation_id, options, length(rows))
        self._sent = sent_from(task, options, settings)
        try:
            self._journal = journal_from(task, options, settings)
        except BaseException:
            self._end_memory()
            raise
        self.run = Run(task, settings, driver, self._journal, self._sent)
        self._on_progress = options["on_progress"]
        self._logged = time.monotonic()
        self._process = os.getpid()

    @property
    def is_ours(self) -> bool:
        """Whether this process has begun it."""
        return os.getpid() == self._process

    def check(self) -> None:
        """Refuse to go on in another process.

        Raises:
            ConfigurationError: If this process was forked in the middle of the run.
        """
        if not self.is_ours:
            raise ConfigurationError(
                "the run belongs to the process that began it, and this one was forked from that; "
                "go on with the run there"
            )

    def tell(self) -> None:
        """Report progress: to the caller at once, to the log every ten seconds."""
        if self._on_progress is not None:
            self._on_progress(self.run.progress())
        if time.monotonic() - self._logged >= _SECONDS_BETWEEN_LINES:
            self._logged = time.monotonic()
            _logger.info("%s", self.run.report())

    def end(self) -> None:
        """Close a journal that has a file. The other is needed for the outcomes."""
        if self._journal.durable:
            (self._journal.discard if self.run.was_refused else self._journal.close)()
        self._end_memory()

    def _end_memory(self) -> None:
        sent, self._sent = self._sent, None
        if sent is not None:
            sent.close()


class _Records:
    """The records that a read has found so far."""

    def __init__(self) -> None:
        self._found: dict[int, Record] = {}

    def take(self, settled: deque[Outcome]) -> None:
        """Take the records of outcomes, and drop the outcomes."""
        while settled:
            outcome = settled.popleft()
            if outcome.record is not None:
                self._found[outcome.index] = outcome.record

    def added_to(self, report: Report) -> Report:
        """Return a report with the records, in the order of the source."""
        records = tuple(record for _, record in sorted(self._found.items()))
        return msgspec.structs.replace(report, records=records) if records else report


class Stream(Iterator[Outcome]):
    """The outcomes of a run in the order in which they come in, exactly one for each row.

    It reads and sends as outcomes are asked for. Left early, it stops sending and waits for the requests in
    flight: with `close`, which any thread may call, at the end of its `with` block, or, as any generator,
    when the loop over it is left and nothing else holds it.

    Raises:
        BulkError: After the last outcome, if the run could not be finished.
    """

    def __init__(
        self, operation_id: str, rows: object, options: Options, settings: Settings, driver: AsyncDriver
    ) -> None:
        verb = contract.operation(operation_id).verb
        source = chunks(rows, verb=verb, id_property=options.get("id_property"))
        self._session = _Session(_Job(operation_id, rows, options, settings, driver), source)
        weakref.finalize(self, self._session.forget).atexit = False

    @property
    def report(self) -> Report:
        """What has become of the rows so far."""
        return self._session.run.report()

    def complete(self) -> Report:
        """Go to the end of the run, and return what has become of the rows.

        Raises:
            BulkError: If the run could not be finished.
        """
        records = _Records()
        with self:
            while self._session.advance():
                records.take(self._session.settled)
            return records.added_to(self.report)

    def close(self) -> None:
        """End the run. What is in flight is waited for."""
        self._session.close()

    def __next__(self) -> Outcome:
        settled = self._session.settled
        while True:
            # Not asked before: another thread may take the last one.
            with suppress(IndexError):
                return settled.popleft()
            if not self._session.advance():
                raise StopIteration

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()


class _Session:
    """A run of synchronous code, whose event loop has a thread of its own.

    Args:
        job: The run.
        source: Its rows.

    Attributes:
        run: The run.
        settled: The outcomes that have come in and were not asked for yet.
    """

    def __init__(self, job: _Job, source: Iterator[Sequence[object]]) -> None:
        self.run = job.run
        self.settled: deque[Outcome] = deque()
        self._job = job
        self._source = source
        self._reading = True
        self._reader = 0
        # One thread at a time waits for outcomes, and one at a time ends the run.
        self._turn = threading.RLock()
        self._ending = threading.RLock()
        # Guards the next two: nothing is begun once the run was left.
        self._gate = threading.Lock()
        self._left = False
        self._portal: BlockingPortal | None = None
        self._stack = ExitStack()
        _SESSIONS.add(self)

    def advance(self) -> bool:
        """Wait for more outcomes, and return whether there may be more.

        Raises:
            BulkError: After the last outcome, if the run could not be finished.
        """
        self._job.check()
        with self._turn:
            self._reader = threading.get_ident()
            if self._left:
                return False
            try:
                more = self._more()
                if not more:
                    self.run.close()
            except _LeftError:
                return False
            except BaseException:
                self.close()
                raise
            if not more:
                self.close()
            return more

    def close(self) -> None:
        """Stop sending, wait for the requests in flight, and end the event loop."""
        if not self._job.is_ours:
            return
        with self._ending:
            with self._gate:
                self._left = True
                portal, self._portal = self._portal, None
            try:
                if portal is not None:
                    with self._stack:
                        _result_of(portal.start_task_soon(self.run.drain))
            finally:
                self._source = iter(())
                self.settled.clear()
                self._job.end()

    def forget(self) -> None:
        """End the run because nothing holds its stream any more."""
        # The garbage collector may come in any thread, even in one that the run waits for.
        if self._portal is None or threading.get_ident() == self._reader:
            self.close()
        else:
            threading.Thread(target=self.close).start()

    def _more(self) -> bool:
        if self._reading:
            inputs = self._read() if self.run.failure is None else ()
            if inputs:
                self.settled.extend(self._call(self.run.put, inputs))
                self._job.tell()
                return True
            self._reading = False
            self._call(self.run.finish)
        settled = self._call(self.run.next)
        if settled:
            self.settled.extend(settled)
            self._job.tell()
        return bool(settled)

    def _read(self) -> Sequence[object]:
        try:
            return next(self._source, ())
        except Exception as error:  # noqa: BLE001 - the source is the caller's
            self._call(self.run.stop, error)
            return ()

    def _call(self, function: Callable[..., Awaitable[_T]], *arguments: object) -> _T:
        with self._gate:
            if self._left:
                raise _LeftError
            if self._portal is None:
                self._portal = self._stack.enter_context(start_blocking_portal())
                self._stack.enter_context(self._portal.wrap_async_context_manager(self.run))
            future = self._portal.start_task_soon(function, *arguments)
        return _result_of(future)


def _result_of(future: Future[_T]) -> _T:
    """Wait for a result a little at a time: on Windows, Ctrl-C does not interrupt a wait without a limit."""
    while True:
        try:
            return future.result(_GLANCE)
        except TimeoutError:
            # The call itself may have raised it.
            if future.done():
                return future.result()


class _LeftError(Exception):
    """The run was left by another thread or task."""


_SESSIONS: "weakref.WeakSet[_Session]" = weakref.WeakSet()


def _close_all() -> None:
    for session in list(_SESSIONS):
        session.close()


def _leave_all() -> None:
    # Their event loops are in the parent, and would be waited for.
    for session in _SESSIONS:
        never_end(session)


if hasattr(os, "register_at_fork"):  # pragma: no branch - Windows has none
    os.register_at_fork(after_in_child=_leave_all)
# Before the interpreter waits for all threads: those of an event loop end with it only.
getattr(threading, "_register_atexit", atexit.register)(_close_all)


class AsyncStream(AsyncIterator[Outcome]):
    """The same for asynchronous code, with `close` to await. A loop that is left ends the run soon after.

    Raises:
        BulkError: After the last outcome, if the run could not be finished.
    """

    def __init__(
        self, operation_id: str, rows: object, options: Options, settings: Settings, driver: AsyncDriver
    ) -> None:
        verb = contract.operation(operation_id).verb
        source = async_chunks(rows, verb=verb, id_property=options.get("id_property"))
        self._session = _AsyncSession(
            _Job(operation_id, rows, options, settings, driver),
            cast("AsyncGenerator[Sequence[object], None]", source),
        )
        weakref.finalize(self, self._session.forget).atexit = False

    @property
    def report(self) -> Report:
        """What has become of the rows so far."""
        return self._session.run.report()

    async def complete(self) -> Report:
        """Go to the end of the run, and return what has become of the rows.

        Raises:
            BulkError: If the run could not be finished.
        """
        records = _Records()
        async with self:
            while await self._session.advance():
                records.take(self._session.settled)
            return records.added_to(self.report)

    async def close(self) -> None:
        """End the run. What is in flight is waited for."""
        await self._session.close()

    async def __anext__(self) -> Outcome:
        settled = self._session.settled
        while not settled:
            if not await self._session.advance():
                raise StopAsyncIteration
        return settled.popleft()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.close()


class _AsyncSession:
    """A run of asynchronous code, open in a task of its own.

    A task group ends in the task in which it began. The stream over it may be left in any task.

    Args:
        job: The run.
        source: Its rows.

    Attributes:
        run: The run.
        settled: The outcomes that have come in and were not asked for yet.
    """

    def __init__(self, job: _Job, source: AsyncGenerator[Sequence[object], None]) -> None:
        self.run = job.run
        self.settled: deque[Outcome] = deque()
        self._job = job
        self._source = source
        self._reading = True
        self._in_source = False
        # One task at a time waits for outcomes.
        self._turn = anyio.Lock(fast_acquire=True)
        self._left = False
        self._leave: Callable[[], object] | None = None

    async def advance(self) -> bool:
        """Wait for more outcomes, and return whether there may be more.

        Raises:
            BulkError: After the last outcome, if the run could not be finished.
        """
        self._job.check()
        async with self._turn:
            if self._left:
                return False
            try:
                more = await self._more()
                if not (more or self._left):
                    self.run.close()
            except BaseException:
                await self.close()
                raise
            if self._left or not more:
                await self.close()
            return more and not self._left

    async def close(self) -> None:
        """Stop sending, and wait for the requests in flight."""
        self._left = True
        self.settled.clear()
        with CancelScope(shield=True):
            if self._leave is None:
                self._job.end()
            else:
                self._leave()
                await self._closed.wait()
            if not self._in_source:
                await self._source.aclose()

    def forget(self) -> None:
        """End the run because nothing holds its stream any more, in whichever thread."""
        if self._leave is None:
            self._job.end()
        else:
            # An event loop that has ended has ended its tasks, too.
            with suppress(RuntimeError):
                self._soon(self._leave)

    async def _more(self) -> bool:
        if self._leave is None:
            await self._begin()
        if self._reading:
            inputs = await self._read() if self.run.failure is None else ()
            if self._left:
                return False
            if inputs:
                self.settled.extend(await self.run.put(inputs))
                self._job.tell()
                return True
            self._reading = False
            await self.run.finish()
        settled = await self.run.next()
        if settled:
            self.settled.extend(settled)
            self._job.tell()
        return bool(settled)

    async def _read(self) -> Sequence[object]:
        self._in_source = True
        try:
            # Not with a default: CPython 3.11 stumbles over that where the source waits.
            return await anext(self._source)
        except StopAsyncIteration:
            return ()
        except Exception as error:  # noqa: BLE001 - the source is the caller's
            self.run.fail(error)
            return ()
        finally:
            self._in_source = False

    async def _begin(self) -> None:
        opened, left, self._closed = anyio.Event(), anyio.Event(), anyio.Event()
        self._leave = left.set
        trio = sys.modules.get("trio")
        if trio is not None and trio.lowlevel.in_trio_run():
            self._soon: Callable[..., object] = trio.lowlevel.current_trio_token().run_sync_soon
            trio.lowlevel.spawn_system_task(self._live, opened, left)
        else:
            self._soon = asyncio.get_running_loop().call_soon_threadsafe
            task = asyncio.create_task(self._live(opened, left))
            # The event loop holds tasks weakly.
            _TASKS.add(task)
            task.add_done_callback(_TASKS.discard)
        await opened.wait()

    async def _live(self, opened: anyio.Event, left: anyio.Event) -> None:
        try:
            async with self.run as run:
                opened.set()
                await left.wait()
                await run.drain()
        finally:
            self._job.end()
            self._closed.set()


_TASKS: set[asyncio.Task[Any]] = set()
