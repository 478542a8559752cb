"""A batch on its way: written down, sent, isolated where it was refused, and answered for."""

import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import TypeGuard

from anyio import CancelScope
from anyio.lowlevel import checkpoint_if_cancelled

from hubspot_batch.bulk import _outcomes as outcomes
from hubspot_batch.bulk._isolation import Mistakes, isolate, not_unique_property
from hubspot_batch.bulk._journal import Entry, Writer
from hubspot_batch.bulk._late_links import LateLinks, NoJournal
from hubspot_batch.bulk._options import Task
from hubspot_batch.bulk._outcomes import Outcome
from hubspot_batch.bulk._plan import AdaptiveConcurrency
from hubspot_batch.bulk._report import Counts
from hubspot_batch.bulk._rows import Holder, Repeats, Row, body_of
from hubspot_batch.contract import _operations as contract
from hubspot_batch.contract._inputs import Batch
from hubspot_batch.errors import (
    ApiError,
    ConfigurationError,
    HubSpotBatchError,
    NotFoundError,
    RateLimitError,
)
from hubspot_batch.results import AssociationResult, BatchResult, Record
from hubspot_batch.transport._async import AsyncDriver
from hubspot_batch.transport._calls import call_for
from hubspot_batch.transport._settings import Settings

# Statuses that refuse a request for its content. Nothing was written (docs/behaviour.md, "Status codes").
_FOR_ITS_CONTENT = {400, 409, 413, 422}
# Keys in the context of a 404 that names records.
_RECORDS = {"ids", "missingObjectPropertyValueCoordinates"}
# After this many failures in a row the service is down: to go on would make every row unknown.
_MOST_FAILURES = 10


class BatchSender:
    """Sends batches, any number at a time.

    Args:
        task: The operation and its options.
        settings: The options of the client.
        driver: Sends the requests.
        writer: Where rows and outcomes are written down.
        concurrency: Is told how long each request took, and of each that failed.
        on_outcomes: Is called with outcomes as they become known.
        counts: Where requests are counted, if not here.

    Attributes:
        counts: What was counted.
        withdrawn: Whether nothing more is sent.
        late_links: Writes the links that go with no record.
    """

    def __init__(
        self,
        task: Task,
        settings: Settings,
        driver: AsyncDriver,
        writer: Writer | NoJournal,
        concurrency: AdaptiveConcurrency,
        on_outcomes: Callable[[Sequence[Outcome]], None],
        counts: Counts | None = None,
    ) -> None:
        self.counts = counts or Counts()
        self.late_links = LateLinks(self._sender_of_links)
        self.withdrawn = False
        self._task = task
        self._settings = settings
        self._driver = driver
        self._writer = writer
        self._concurrency = concurrency
        self._on_outcomes = on_outcomes
        self._attempts: set[_Attempt] = set()
        self._failures = 0
        self._mistakes = Mistakes(creating=task.operation.verb == "create")
        self._repeats = None if task.unique_property is None else Repeats(task.unique_property)

    def withdraw(self) -> None:
        """Send nothing more. Requests in flight finish."""
        self.withdrawn = True
        for attempt in self._attempts:
            attempt.withdraw()
        self.late_links.withdraw()

    async def send(self, rows: Sequence[Row]) -> None:
        """Send rows in one request, or in several where HubSpot refuses them as a whole.

        Raises:
            Exception: If the run has to end. No row is lost: the state of those without an outcome is in
                the journal.
        """
        if written := [(row, row.written) for row in rows if row.written is not None]:
            await self._link(written)
            rows = [row for row in rows if row.written is None]
            if not rows:
                return
        for row in rows:
            if row.repeats:
                row.holder = await self._holder(row)
        parts = isolate(rows, self._mistakes)
        with suppress(StopIteration):
            part = next(parts)
            while not self.withdrawn:
                await self._reject(part.bad)
                part = parts.send(await self._refusal_of(part.rows) if part.rows else None)

    async def record(self, settled: Sequence[tuple[Row, Outcome]]) -> None:
        """Write outcomes down, then report them, even those that cannot be written."""
        try:
            await self._write(
                Entry(index=row.index, digest=row.digest, outcome=outcome) for row, outcome in settled
            )
        finally:
            self.tell(settled)

    def tell(self, settled: Iterable[tuple[Row, Outcome]]) -> None:
        """Report outcomes that are written down."""
        told = [outcome for _, outcome in settled]
        self.counts.sent.difference_update(outcome.index for outcome in told)
        self._on_outcomes(told)

    def mark_repeats(self, rows: Iterable[Row]) -> None:
        """Mark rows that were read, and have the unique value of an earlier one."""
        if self._repeats is not None:
            self._repeats.mark(rows)

    async def tell_known(self, known: Sequence[tuple[Row, Outcome]]) -> None:
        """Report outcomes of an earlier run.

        Raises:
            ConfigurationError: If they show that the unique property is not unique.
        """
        self.tell(known)
        for row, outcome in known:
            if row.repeats and outcome.ok:
                row.holder = await self._holder(row)
        self._check_unique(known)

    async def mark_sent(self, rows: Iterable[Row]) -> None:
        """Write down that rows are about to leave, for a process that goes on with the run."""
        if self._writer.durable:
            await self._write(Entry(index=row.index, digest=row.digest, sent=True) for row in rows)

    async def _reject(self, rows: Sequence[Row]) -> None:
        """Settle rows that have a mistake which is known to be refused. They are not sent."""
        answers = [
            outcomes.mistaken(row, error, self._task.unique_property)
            for row in rows
            if (error := self._mistakes.of(row)) is not None
        ]
        if answers:
            await self.record(await self._without_doubles(rows, answers))

    async def _refusal_of(self, rows: Sequence[Row]) -> ApiError | None:
        """Send rows in one request, and return how HubSpot refused them for what is in them, if it did."""
        attempt = _Attempt(self, rows)
        try:
            result = await self._send(attempt)
        except Exception as error:
            if not isinstance(error, HubSpotBatchError) or error is not attempt.error:
                # Not about the request: the function that gets the token failed, for example.
                attempt.broke_off()
                await self._unsend(rows)
                raise
            if not _is_for_content(error):
                await self._failed(attempt, error)
                return None
            await self._refused(rows, error)
            return error
        if result is None:
            await self._unsend(rows)
        else:
            await self._answered(attempt, result)
        return None

    async def _send(self, attempt: "_Attempt") -> BatchResult | AssociationResult | None:
        """Return the answer, or None if the request was withdrawn."""
        rows = attempt.rows
        call = call_for(
            self._task.operation,
            Batch(
                inputs=[row.wire for row in rows],
                content=body_of(rows, self._task.beside),
                beside=self._task.beside,
            ),
            api_version=self._settings.api_version,
            unique_property=self._task.unique_property,
            arguments=self._task.arguments,
        )
        self._attempts.add(attempt)
        try:
            with attempt.scope:
                return await self._driver.send(call, attempt)
        finally:
            self._attempts.discard(attempt)
        return None

    async def _answered(self, attempt: "_Attempt", result: BatchResult | AssociationResult) -> None:
        answers = outcomes.answered(
            attempt.rows, result, self._task.unique_property, self._task.operation.verb
        )
        settled = await self._without_doubles(attempt.rows, answers)
        unlinked = [(row, outcome) for row, outcome in settled if row.later and outcome.ok]
        if unlinked:
            await self._mark_written(unlinked)
            await self.record([(row, outcome) for row, outcome in settled if not (row.later and outcome.ok)])
        else:
            await self.record(settled)
        self._failures = 0
        self._concurrency.on_reply(attempt.seconds)
        self._check_unique(settled)
        if self._task.unique_property is not None and isinstance(result, BatchResult):
            self._check_stored(self._task.unique_property, result.records)
        await self._link(unlinked)

    async def _mark_written(self, unlinked: Sequence[tuple[Row, Outcome]]) -> None:
        """Write down that records are written, and their links are not."""
        await self._write(
            Entry(index=row.index, digest=row.digest, written=outcome) for row, outcome in unlinked
        )

    async def _link(self, unlinked: Sequence[tuple[Row, Outcome]]) -> None:
        """Write the links of records, and then what became of their rows."""
        with_id = [(row, outcome) for row, outcome in unlinked if outcome.id is not None]
        links = await self.late_links.write(with_id)
        settled = [
            (row, outcomes.linked(outcome, links[row.index]))
            for row, outcome in with_id
            if row.index in links
        ]
        nameless = [(row, outcomes.not_linked(row)) for row, outcome in unlinked if outcome.id is None]
        if settled or nameless:
            await self.record([*settled, *nameless])

    def _sender_of_links(
        self, target: str, on_outcomes: Callable[[Sequence[Outcome]], None], counts: Counts
    ) -> "BatchSender":
        task = Task(
            operation=contract.operation("create_associations"),
            unique_property=None,
            ceiling=self._task.ceiling,
            total=None,
            keep_going=True,
            arguments={"fromObjectType": self._task.operation.object_type, "toObjectType": target},
        )
        return BatchSender(
            task, self._settings, self._driver, NoJournal(), self._concurrency, on_outcomes, counts
        )

    async def _holder(self, row: Row) -> Holder | None:
        """Return what earlier rows made of the unique value of a row; None where none of them wrote it."""
        assert self._repeats is not None  # noqa: S101 - no row repeats a value without a unique property
        holder = None
        for earlier in self._repeats.earlier(row):
            outcome = await self._writer.outcome(earlier.number)
            if outcome is not None and outcome.status == "rejected" and not outcomes.was_taken(outcome):
                continue
            if earlier.is_same and outcome is not None and outcome.status != "unknown":
                return Holder(is_certain=True, done=earlier.number if outcome.ok else None)
            holder = Holder(is_certain=False)
        return holder

    def _check_unique(self, settled: Iterable[tuple[Row, Outcome]]) -> None:
        for row, outcome in settled:
            if outcome.ok and row.holder is not None and row.holder.done is not None:
                raise _not_unique(
                    f"rows {row.holder.done} and {row.index} have one value", self._task.unique_property
                )

    def _check_stored(self, unique_property: str, records: Sequence[Record]) -> None:
        ids: dict[str, str] = {}
        for record in records:
            value = record.properties.get(unique_property)
            if value and ids.setdefault(value, record.id) != record.id:
                raise _not_unique(f"the records {ids[value]} and {record.id} have one value", unique_property)

    async def _without_doubles(
        self, rows: Sequence[Row], answers: Sequence[Outcome]
    ) -> list[tuple[Row, Outcome]]:
        """Reject maybe-written rows whose record belongs to another row: that conflict proves nothing."""
        settled = list(zip(rows, answers, strict=True))
        if self._task.operation.verb != "create" or not any(row.maybe_written for row in rows):
            return settled
        maybe_written = [answer.id for row, answer in settled if row.maybe_written and answer.id]
        owners = {**_first_claims(settled), **await self._writer.owners(maybe_written)}
        return [
            (
                row,
                outcomes.taken(row)
                if row.maybe_written and owners.get(answer.id, row.index) != row.index
                else answer,
            )
            for row, answer in settled
        ]

    async def _refused(self, rows: Sequence[Row], error: ApiError) -> None:
        self._failures = 0
        name = None if self._task.keep_going else not_unique_property(error)
        named = self._task.beside.get("idProperty")
        if name is not None and all(row.wire.get("idProperty", named) == name for row in rows):
            await self._unsend(rows)
            raise ConfigurationError(
                f"the account does not hold {name} unique, so it cannot name a record; "
                "name a property that is unique, or the record by its id"
            ) from error
        if len(rows) > 1:
            await self._unsend(rows)
            return
        answers = [outcomes.refused(rows[0], error, self._task.unique_property)]
        await self.record(await self._without_doubles(rows, answers))

    async def _failed(self, attempt: "_Attempt", error: HubSpotBatchError) -> None:
        if not attempt.ended_in_doubt:
            await self._unsend(attempt.rows)
            raise error
        self._concurrency.on_failure()
        self._failures += 1
        await self.record(list(zip(attempt.rows, outcomes.lost(attempt.rows, error), strict=True)))
        if self._failures >= _MOST_FAILURES:
            raise error

    async def _unsend(self, rows: Sequence[Row]) -> None:
        """Write down that rows wait to be sent again; those that may have been written remain sent."""
        self.counts.sent.difference_update(row.index for row in rows if not row.maybe_written)
        await self._write(Entry(index=row.index, digest=row.digest, sent=row.maybe_written) for row in rows)

    async def _write(self, entries: Iterable[Entry]) -> None:
        # Other tasks may wait for this one to write their entries.
        with CancelScope(shield=True):
            await self._writer.write(entries)


class _Attempt:
    """The attempts of one request, as the driver makes them."""

    def __init__(self, sender: BatchSender, rows: Sequence[Row]) -> None:
        self.rows = rows
        self.scope = CancelScope()
        self.error: HubSpotBatchError | None = None
        self.ended_in_doubt = False
        self._sender = sender
        self._counts = sender.counts
        self._made = 0
        self._in_flight = False
        self._began = 0.0

    @property
    def seconds(self) -> float:
        """How long ago the last attempt began."""
        return time.monotonic() - self._began

    def withdraw(self) -> None:
        """Stop waiting to leave."""
        if not self._in_flight:
            self.scope.cancel()

    def broke_off(self) -> None:
        """Mark the rows maybe-written if a request is in flight: its answer will not be read."""
        if self._in_flight:
            self._counts.in_flight -= 1
            for row in self.rows:
                row.maybe_written = True

    async def before_send(self) -> None:
        """Write the rows down as sent before they leave for the first time."""
        self._began = time.monotonic()
        if not self._made:
            await self._sender.mark_sent(self.rows)
            # The run may have ended meanwhile. From here on the request is in flight.
            await checkpoint_if_cancelled()
            self._counts.sent.update(row.index for row in self.rows)
        self._counts.retries += self._made > 0
        self._made += 1
        self._counts.requests += 1
        self._counts.in_flight += 1
        self._in_flight = True

    def after_reply(self, error: HubSpotBatchError | None) -> None:
        """Mark the rows maybe-written if the attempt leaves that open."""
        self._counts.in_flight -= 1
        self._in_flight = False
        self._counts.rate_limited += isinstance(error, RateLimitError)
        self.error = error
        self.ended_in_doubt = error is not None and error.maybe_written
        for row in self.rows:
            row.maybe_written = row.maybe_written or self.ended_in_doubt
        if self._sender.withdrawn:
            self.scope.cancel()


def _not_unique(problem: str, unique_property: str | None) -> ConfigurationError:
    return ConfigurationError(
        f"{problem} of {unique_property}, and both were created: the account does not hold that property "
        "unique, so a row that is sent again can be doubled; leave out unique_property, or name a property "
        "that is unique"
    )


def _first_claims(settled: Iterable[tuple[Row, Outcome]]) -> dict[str | None, int]:
    """Return the first row with each record id. A maybe-written row gives way."""
    in_doubt_last = sorted(settled, key=lambda pair: pair[0].maybe_written)
    return {answer.id: row.index for row, answer in reversed(in_doubt_last) if answer.id is not None}


def _is_for_content(error: HubSpotBatchError) -> TypeGuard[ApiError]:
    if not isinstance(error, ApiError):
        return False
    if isinstance(error, NotFoundError):
        # A record was not found, not the path.
        is_target = (error.sub_category or "").startswith("crm.associations.")
        return is_target or not _RECORDS.isdisjoint(error.context)
    return error.status in _FOR_ITS_CONTENT
