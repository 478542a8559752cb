"""The engine: rows go in, outcomes come out. It exists once, asynchronous, for both clients."""

import os
import sqlite3
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Self

import anyio
from anyio import CancelScope, CapacityLimiter

from hubspot_batch._display import printable
from hubspot_batch.bulk import _outcomes as outcomes
from hubspot_batch.bulk._delivery import BatchSender
from hubspot_batch.bulk._journal import Journal, Writer
from hubspot_batch.bulk._journal_file import explained, helps_to_start_again
from hubspot_batch.bulk._links import Complete, Group, Links
from hubspot_batch.bulk._lookup import Lookup
from hubspot_batch.bulk._options import Resumption, Settlement, Task
from hubspot_batch.bulk._outcomes import Outcome
from hubspot_batch.bulk._plan import AdaptiveConcurrency, PlannedBatch, Planner
from hubspot_batch.bulk._report import BulkError, Progress, Report, Tally, outcomes_of
from hubspot_batch.bulk._rows import Kind, Row, rows_from
from hubspot_batch.bulk._sent import SentRows
from hubspot_batch.bulk._unique import UniqueNames
from hubspot_batch.errors import ConfigurationError, HubSpotBatchError, JournalError, SourceError
from hubspot_batch.transport._async import AsyncDriver
from hubspot_batch.transport._definitions import Definitions
from hubspot_batch.transport._settings import Settings

# If every row of these batches is refused for one reason, so are the others.
FIRST_BATCHES = 3


class Trial:
    """Whether all rows of the first batches have one mistake.

    Taken values are none: tomorrow's file may hold nothing but rows that were written today.

    Attributes:
        is_over: Whether this is known.
        shared_reason: What all of them are refused for.
    """

    def __init__(self, task: Task) -> None:
        # What is not there may be what a read, or a look, is to find out.
        self.is_over = task.keep_going or task.operation.verb == "read" or task.resolves
        self.shared_reason: str | None = None
        self._seen: tuple[str, str | None] | None = None
        self._finished = 0

    def add(self, settled: Iterable[Outcome]) -> None:
        """Compare outcomes with those before."""
        for outcome in settled:
            if outcome.category == "INVALID_INPUT" or outcome.action == "unchanged":
                continue
            # Without a named fault, only the text distinguishes one refusal from another.
            reason = ", ".join(outcome.why), None if outcome.reasons else outcome.message
            if (
                outcome.status != "rejected"
                or outcomes.taken_of(outcome) is not None
                or (self._seen or reason) != reason
            ):
                self.is_over = True
                return
            self._seen = reason

    def finished_batch(self) -> None:
        """Count a batch whose rows all have an outcome."""
        self._finished += 1
        if self._finished == FIRST_BATCHES and not self.is_over:
            self.is_over = True
            self.shared_reason = None if self._seen is None else self._seen[0]


def _one_mistake(reason: str) -> HubSpotBatchError:
    return HubSpotBatchError(
        f"every row of the first {FIRST_BATCHES} batches was refused for one reason: {reason}; mend that in "
        "the account, or let the run go on all the same with keep_going=True (--keep-going)"
    )


class Run:
    """A run over any number of rows, in the event loop in which it was entered.

    Args:
        task: The operation and its options.
        settings: The options of the client.
        driver: Sends the requests.
        journal: Where the run is written down. It belongs to the caller.
        sent: Keeps what was last sent, where only rows that have changed are to be sent. It belongs to the
            caller, too.

    Attributes:
        failure: What has stopped the run.
        was_refused: Whether it cannot begin as its options are.
    """

    def __init__(
        self,
        task: Task,
        settings: Settings,
        driver: AsyncDriver,
        journal: Journal,
        sent: SentRows | None = None,
    ) -> None:
        self.failure: Exception | None = None
        self.was_refused = False
        self._task = task
        self._quota = settings.quota
        self._journal = journal
        self._sent = sent
        self._planner = Planner(task.most_inputs)
        self._resumption = (
            Settlement(journal, task.unique_property or "") if task.resolves else Resumption(journal, task)
        )
        self._concurrency = AdaptiveConcurrency(task.ceiling)
        self._sender = BatchSender(
            task,
            settings,
            driver,
            Writer(journal),
            self._concurrency,
            self._on_outcomes,
            remember=None if sent is None else self._remember,
        )
        self._unique_names = UniqueNames(task, Definitions(driver, settings))
        self._looking_up: CancelScope | None = None
        self._counts = self._sender.counts
        self._lookup = Lookup(driver, settings.api_version, self._counts)
        self._links = Links(
            Kind(task.operation, task.unique_property, task.beside),
            self._find,
            lambda group: self._tasks.start_soon(self._look, group),
            task.settle_after,
        )
        self._tally = Tally()
        self._trial = Trial(task)
        self._settled: list[Outcome] = []
        self._working: dict[int, anyio.Event] = {}
        self._ended = False
        self._began = time.monotonic()
        self._over: float | None = None

    async def __aenter__(self) -> Self:
        self._slots = CapacityLimiter(self._wanted)
        self._progressed = anyio.Event()
        self._tried = anyio.Event()
        self._tasks = anyio.create_task_group()
        await self._tasks.__aenter__()
        return self

    async def __aexit__(self, *_error: object) -> None:
        self._tasks.cancel_scope.cancel()
        # Without the error: a task group would wrap it, and none of its tasks lets one out.
        await self._tasks.__aexit__(None, None, None)
        self._over = time.monotonic()

    async def put(self, inputs: Sequence[object]) -> Sequence[Outcome]:
        """Take up to 100 rows, and return the outcomes that have come in since the last time.

        It returns when there is room for more rows, or when the run has failed.

        Raises:
            ConfigurationError: If a property that is to name records cannot do so, and no row has left.
            SourceError: If a row is not the one that an earlier run over the same journal knew.
        """
        task = self._task
        with self._failing():
            # Rows without the property by which others are looked for are what they were all the same.
            unique_property = None if task.resolves else task.unique_property
            rows = rows_from(
                task.operation, inputs, self._counts.read, unique_property, task.beside, task.arguments
            )
            if not await self._can_be_named(rows):
                return self._take()
            self._sender.claims.mark(rows)
            known, rows = self._resumption.sift(rows)
            self._counts.read += len(inputs)
            try:
                await self._sender.tell_known(known)
            except (ConfigurationError, JournalError) as error:
                self.fail(error)
            else:
                await self._plan(rows)
        return self._take()

    async def finish(self) -> None:
        """Send what is left: there are no more rows. Do nothing if the run has failed.

        Raises:
            SourceError: If there are fewer than an earlier run over the same journal knew.
        """
        if self.failure is not None:
            return
        with self._failing():
            await self._plan(self._resumption.finish(self._counts.read), last=True)
            for batch in self._planner.flush():
                await self._launch(batch)
            self._ended = True

    def fail(self, error: Exception) -> None:
        """Stop sending, for this reason."""
        self.failure = self.failure or error
        self._withdraw()

    async def stop(self, error: Exception) -> None:
        """Do the same in the event loop, for another thread."""
        self.fail(error)

    async def next(self) -> Sequence[Outcome]:
        """Wait for more outcomes; empty when nothing is in flight any more."""
        while not self._settled and self._working:
            await self._progressed.wait()
        return self._take()

    async def drain(self) -> None:
        """Stop sending, and wait for the requests in flight."""
        self._withdraw()
        if self._looking_up is not None:
            self._looking_up.cancel()
        while self._working:
            await self._progressed.wait()
        if self.report().finished:
            # It was interrupted after its last row.
            self._note_end()

    def _withdraw(self) -> None:
        self._sender.withdraw()
        self._lookup.withdraw()
        self._links.stop()
        self._tried.set()

    def progress(self) -> Progress:
        """Return how far the run has come."""
        return Progress(**self._figures(self._tally.by_status))

    def report(self) -> Report:
        """Return what has become of the rows."""
        by_status = self._tally.by_status
        figures = self._figures(by_status)
        return Report(
            **figures,
            operation=self._task.operation.id,
            outcomes=outcomes_of(self._journal),
            reasons=self._tally.by_reason,
            actions=self._tally.by_action,
            finished=self._ended and by_status.total() == figures["read"],
            journal=None if self._journal.path is None else str(self._journal.path),
        )

    def close(self) -> None:
        """End the run.

        Raises:
            BulkError: If something has stopped it.
        """
        if self.failure is None:
            self._note_end()
        if (cause := self.failure) is not None:
            raise BulkError(f"the run stopped: {self._told(cause)}", report=self.report()) from cause

    def _note_end(self) -> None:
        """Write down that each row has an outcome."""
        if self._task.resolves:
            return
        with self._failing():
            self._journal.set_meta({"total": self._counts.read})

    def _told(self, cause: Exception) -> str:
        """Return what has stopped the run, and what to do."""
        if isinstance(cause, sqlite3.Error) and self._journal.durable:
            return f"{explained(cause)}{', then start it again to go on' * helps_to_start_again(cause)}"
        if not self._journal.durable:
            return f"{_reason(cause)}; without a journal it cannot go on"
        if isinstance(cause, ConfigurationError | JournalError | SourceError):
            return f"{_reason(cause)}; once that is corrected, the same run goes on"
        return f"{_reason(cause)}; start it again to go on"

    async def _can_be_named(self, rows: Sequence[Row]) -> bool:
        """Look up the properties that name the records of rows, and return whether they may be sent."""
        if self._resumption.is_finished:
            return True
        with CancelScope() as self._looking_up:
            try:
                problem = await self._unique_names.problem(rows)
            except Exception as error:  # noqa: BLE001 - it is raised where the caller waits for the run
                self.fail(error)
                return False
            if problem is None:
                return True
            if not self._counts.read:
                self.was_refused = True
                raise problem
            self.fail(problem)
        return False

    @property
    def _rate(self) -> float:
        return self._quota.limit / self._quota.window

    @property
    def _wanted(self) -> int:
        return self._concurrency.target_for(self._rate)

    def _figures(self, tally: Counter[str]) -> dict[str, Any]:
        seconds = (self._over or time.monotonic()) - self._began
        allowed = self._quota.limit * max(1.0, seconds / self._quota.window)
        counts, late = self._counts, self._sender.late_links.counts
        requests = counts.requests + late.requests
        return {
            "total": self._task.total,
            "read": counts.read,
            "done": tally["done"],
            "rejected": tally["rejected"],
            "unknown": tally["unknown"],
            "unanswered": len(counts.sent) + self._resumption.in_doubt,
            "requests": requests,
            "looks": counts.looks,
            "retries": counts.retries + late.retries,
            "rate_limited": counts.rate_limited + late.rate_limited,
            "in_flight": counts.in_flight + late.in_flight,
            "seconds": seconds,
            "quota_share": min(1.0, (requests + counts.looks) / allowed),
            "rate_limit": self._rate,
            "daily_remaining": self._quota.daily_remaining,
        }

    async def _plan(self, rows: Iterable[Row], *, last: bool = False) -> None:
        settled = []
        for row in await self._changed(rows):
            if row.maybe_written:
                self._counts.sent.add(row.index)
            if row.faults:
                settled.append((row, outcomes.invalid(row)))
            elif row.maybe_written and not self._task.resendable:
                settled.append((row, outcomes.interrupted(row)))
            elif row.links or self._links.are_awaited:
                self._links.add(row)
            else:
                for batch in self._planner.add(row):
                    await self._launch(batch)
        if settled:
            await self._sender.record(settled)
        while (complete := await self._links.next(last=last)) is not None:
            await self._plan_complete(complete)

    async def _changed(self, rows: Iterable[Row]) -> Iterable[Row]:
        """Settle the rows that are as they were last sent, and return the others."""
        if self._sent is None:
            return rows
        try:
            unchanged, changed = await self._sent.sift([*rows], self._id_property)
        except JournalError as error:
            self.fail(error)
            return []
        await self._sender.record([(row, outcomes.unchanged(row, record)) for row, record in unchanged])
        return changed

    async def _remember(self, settled: Sequence[tuple[Row, Outcome]]) -> None:
        if self._sent is not None:  # pragma: no branch - else this is not called
            await self._sent.remember(settled, self._id_property)

    @property
    def _id_property(self) -> str | None:
        """What names the record of a row that does not say so itself."""
        name: str | None = self._task.beside.get("idProperty", self._task.id_property)
        return name

    async def _plan_complete(self, complete: Complete) -> None:
        """Plan rows whose targets are known, and settle those whose targets are not there."""
        if complete.lacking:
            await self._sender.record(
                [(row, outcomes.without_target(row, keys)) for row, keys in complete.lacking]
            )
            if not complete.rows:
                self._trial.finished_batch()
                self._stop_for_one_mistake()
        for row in complete.rows:
            for batch in self._planner.add(row):
                await self._launch(batch)

    async def _look(self, group: Group) -> None:
        try:
            await self._links.look(group)
        except Exception as error:  # noqa: BLE001 - it is raised where the caller waits for the run
            self.fail(error)

    async def _find(self, object_type: str, name: str, values: Sequence[str]) -> Mapping[str, str] | None:
        """Return the ids of the records that have these values; None if the run has ended."""
        look = object()
        await self._slots.acquire_on_behalf_of(look)
        try:
            found = await self._lookup.find(object_type, name, values)
        finally:
            self._slots.release_on_behalf_of(look)
        return None if found is None else {value: record.id for value, record in found.items()}

    def _stop_for_one_mistake(self) -> None:
        if (reason := self._trial.shared_reason) is not None:
            self.fail(_one_mistake(reason))

    async def _launch(self, batch: PlannedBatch) -> None:
        """Start a batch as soon as there is a slot for it."""
        if batch.number >= FIRST_BATCHES:
            await self._tried.wait()
            self._stop_for_one_mistake()
        await self._slots.acquire_on_behalf_of(batch)
        if self._sender.withdrawn:
            self._slots.release_on_behalf_of(batch)
            return
        self._working[batch.number] = anyio.Event()
        self._tasks.start_soon(self._work, batch)

    async def _work(self, batch: PlannedBatch) -> None:
        try:
            for number in batch.after:
                if (earlier := self._working.get(number)) is not None:
                    await earlier.wait()
            await self._sender.send(batch.rows)
            self._trial.finished_batch()
        except Exception as error:  # noqa: BLE001 - it is raised where the caller waits for the run
            self.fail(error)
        finally:
            if self._trial.is_over:
                self._tried.set()
            self._planner.finished(batch)
            self._working.pop(batch.number).set()
            self._slots.total_tokens = self._wanted
            self._slots.release_on_behalf_of(batch)
            self._wake()

    @contextmanager
    def _failing(self) -> Iterator[None]:
        """Make a journal that cannot be written the end of the run."""
        try:
            yield
        except sqlite3.Error as error:
            self.fail(error)

    def _take(self) -> Sequence[Outcome]:
        settled, self._settled = self._settled, []
        return settled

    def _on_outcomes(self, settled: Sequence[Outcome]) -> None:
        self._tally.add(settled)
        if not self._trial.is_over:
            self._trial.add(settled)
            if self._trial.is_over:
                self._tried.set()
        self._settled.extend(settled)
        self._wake()

    def _wake(self) -> None:
        """Wake all that wait for progress: one task for outcomes, and another that ends the run."""
        self._progressed.set()
        self._progressed = anyio.Event()


def _reason(cause: Exception) -> str:
    """Return what stopped a run, without any value of a property: of a foreign exception only its type."""
    if isinstance(cause, HubSpotBatchError | sqlite3.Error):
        return str(cause)
    # The operating system's own words. An OSError of other code may hold anything.
    if isinstance(cause, OSError) and type(cause).__module__ == "builtins" and cause.errno is not None:
        has_name = isinstance(cause.filename, str | bytes)
        place = f"{os.fsdecode(cause.filename)}: " if has_name else ""
        return printable(f"{place}{os.strerror(cause.errno)}")
    return f"{type(cause).__name__} was raised"
