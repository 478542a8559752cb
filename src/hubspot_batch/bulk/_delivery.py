"""A batch on its way: written down, sent, isolated where it was refused, and answered for."""

import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple, TypeGuard

from anyio import CancelScope
from anyio.lowlevel import checkpoint_if_cancelled

from hubspot_batch.bulk import _outcomes as outcomes
from hubspot_batch.bulk._claims import Claims
from hubspot_batch.bulk._doubt import Doubts, ServerClock
from hubspot_batch.bulk._inquiry import Inquiry, without
from hubspot_batch.bulk._isolation import Mistakes, isolate, not_unique_property
from hubspot_batch.bulk._journal import Entry, Writer
from hubspot_batch.bulk._late_links import LateLinks, NoJournal
from hubspot_batch.bulk._lookup import Lookup
from hubspot_batch.bulk._options import Task
from hubspot_batch.bulk._outcomes import Outcome
from hubspot_batch.bulk._plan import AdaptiveConcurrency
from hubspot_batch.bulk._report import Counts
from hubspot_batch.bulk._rows import Row, body_of
from hubspot_batch.contract import _operations as contract
from hubspot_batch.contract._inputs import Batch
from hubspot_batch.errors import (
    ApiError,
    ConfigurationError,
    HubSpotBatchError,
    NotFoundError,
    RateLimitError,
)
from hubspot_batch.replies._refusals import Refusal, taken_value
from hubspot_batch.results import AssociationResult, BatchResult, Record, Response
from hubspot_batch.transport._async import AsyncDriver
from hubspot_batch.transport._calls import call_for
from hubspot_batch.transport._retries import Retries, asked_wait
from hubspot_batch.transport._settings import Settings

# Statuses that refuse a request for its content. Nothing was written (docs/behaviour.md, "Status codes").
_FOR_ITS_CONTENT = {400, 409, 413, 422}
# Keys in the context of a 404 that names records.
_RECORDS = {"ids", "missingObjectPropertyValueCoordinates"}
# After this many failures in a row the service is down: to go on would make every row unknown.
_MOST_FAILURES = 10
# How many times a row is sent whose answer is lost, and that is not found, unless more retries are allowed.
_LEAST_SENDS = 5
# The most seconds to wait because a lost answer asks for it.
_MOST_ASKED = 60.0


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
        remember: Is told of outcomes that are written down.

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
        remember: Callable[[Sequence[tuple[Row, Outcome]]], Awaitable[None]] | None = None,
    ) -> None:
        self.counts = counts or Counts()
        self._remember = remember
        self.claims = Claims(task, writer)
        self.late_links = LateLinks(self._sender_of_links)
        self.withdrawn = False
        self._task = task
        self._settings = settings
        self._driver = driver
        self._writer = writer
        self._concurrency = concurrency
        self._on_outcomes = on_outcomes
        self._clock = ServerClock()
        self._lookup = Lookup(driver, settings.api_version, self.counts, self._learn)
        self._inquiry = Inquiry(task, self._lookup, writer, self._clock, self.record, self._count_failure)
        # What an earlier run has sent has arrived by now.
        self._began = time.monotonic()
        retries = settings.retries
        self._keep = task.existing == "keep"
        self._most_sends = max(_LEAST_SENDS, retries.limit + 1 if isinstance(retries, Retries) else 0)
        self._attempts: set[_Attempt] = set()
        self._failures = 0
        self._mistakes = Mistakes(creating=task.operation.verb == "create")

    def withdraw(self) -> None:
        """Send nothing more. Requests in flight finish."""
        self.withdrawn = True
        self._lookup.withdraw()
        for attempt in self._attempts:
            attempt.withdraw()
        self.late_links.withdraw()

    async def send(self, rows: Sequence[Row]) -> None:
        """Send rows in one request, or in several where HubSpot refuses them as a whole.

        Raises:
            Exception: If the run has to end. No row is lost: the state of those without an outcome is in
                the journal.
        """
        if self._task.resolves:
            await self._resolve(rows)
            return
        if written := [(row, row.written) for row in rows if row.written is not None]:
            await self._link(written)
            rows = [row for row in rows if row.written is None]
            if not rows:
                return
        await self.claims.find_holders(rows)
        doubts = self._doubts()
        if doubts is not None:
            interrupted = [(row, outcomes.interrupted(row)) for row in rows if row.maybe_written]
            doubts.sift(interrupted, settled_at=self._began + self._task.settle_after)
            rows = [row for row in rows if not row.maybe_written]
        sends = 0
        while True:
            if doubts:
                missing, doubts = await self._resolved(doubts, is_last=sends == self._most_sends)
                self.counts.retries += bool(missing)
                rows = [*rows, *missing]
            if not rows:
                return
            await self._isolate(rows, doubts)
            rows = []
            sends += 1

    async def _resolve(self, rows: Sequence[Row]) -> None:
        """Look for rows that an earlier run has left unknown. What that has sent has arrived by now.

        Raises:
            HubSpotBatchError: If they cannot be looked for. They stay as they are.
        """
        await self._lookup.wait(self._began + self._task.settle_after - time.monotonic())
        settled = await self._inquiry.found(rows)
        if missing := without(rows, settled):
            settled = [*settled, *await self._inquiry.found(missing, archived=True)]
        # Once looks are withdrawn, nothing is known of the others.
        missing = [] if self._lookup.withdrawn else without(rows, settled)
        name = self._task.unique_property or ""
        await self.record([*settled, *((row, outcomes.not_written(row, name)) for row in missing)])

    async def _isolate(self, rows: Sequence[Row], doubts: Doubts | None) -> None:
        """Send rows in one request, or in several where HubSpot refuses them as a whole.

        Where rows can be looked for, `doubts` has afterwards those whose outcome is not certain.
        """
        parts = isolate(rows, self._mistakes)
        with suppress(StopIteration):
            part = next(parts)
            while not self.withdrawn:
                await self._reject(part.bad, doubts)
                part = parts.send(await self._refusal_of(part.rows, doubts) if part.rows else None)

    async def _resolved(self, doubts: Doubts, *, is_last: bool) -> tuple[Sequence[Row], Doubts | None]:
        """Look for rows, and return those that are to be sent again; without doubts where looks fail."""
        if doubts.lost:
            await self._lookup.wait(doubts.settled_at - time.monotonic())
        missing = await self._inquiry.look_for(doubts.rows, doubts, doubts.must_be_there, doubts.named)
        return await self._judged(doubts, missing, is_last=is_last)

    async def _judged(
        self, doubts: Doubts, missing: Sequence[Row], *, is_last: bool
    ) -> tuple[Sequence[Row], Doubts | None]:
        """Settle what can be settled of rows that were not found, and return the others."""
        indexes = {row.index for row in missing}
        left = [pair for pair in doubts.lost if pair[0].index in indexes]
        refused = [pair for pair in doubts.contested if pair[0].index in indexes]
        # These are written, and only their ids are not known.
        await self.record([pair for pair in left if pair[1].ok])
        lost = [pair for pair in left if not pair[1].ok]
        if self.withdrawn:
            await self._unsend([row for row, _ in refused])
            return [], None
        if doubts.blind:
            # What a refusal says of a row that may have been written is judged by its words.
            again = [row for row, _ in (*lost, *refused) if row.maybe_written]
            name = self._task.unique_property or ""
            judged = [
                (row, outcomes.judged(row, outcome, name, keep=self._keep))
                for row, outcome in refused
                if not row.maybe_written
            ]
            await self.record(await self.claims.without_doubles(judged))
            return again, None
        await self.record([(row, outcomes.unseen(row, outcome)) for row, outcome in refused])
        if lost and is_last:
            await self._give_up(lost, doubts.cause)
            lost = []
        return [row for row, _ in lost], self._doubts()

    def _doubts(self) -> Doubts | None:
        """Return what is to hold the doubts of a batch; None where rows cannot be looked for."""
        name = self._task.unique_property
        return Doubts(name) if name is not None and self._inquiry.goes_on else None

    async def _give_up(self, lost: Sequence[tuple[Row, Outcome]], cause: HubSpotBatchError | None) -> None:
        """Leave rows unknown whose answer was lost each time, and that are not found."""
        self._concurrency.on_failure()
        await self.record(lost)
        if cause is not None:
            self._count_failure(cause)

    def _count_failure(self, error: HubSpotBatchError) -> None:
        """Count a failure of the service.

        Raises:
            HubSpotBatchError: The error itself, if there were too many in a row.
        """
        self._failures += 1
        if self._failures >= _MOST_FAILURES:
            raise error

    def _learn(self, response: Response) -> None:
        self._clock.learn(response.headers, time.monotonic())

    def _judging(self, doubts: Doubts | None) -> str | None:
        """Return the property whose conflicts decide what became of a row: where rows are not looked for."""
        return self._task.unique_property if doubts is None else None

    async def record(self, settled: Sequence[tuple[Row, Outcome]]) -> None:
        """Write outcomes down, then report them, even those that cannot be written."""
        if not settled:
            return
        if (failure := self._inquiry.failure) is not None:
            settled = [(row, outcomes.unlooked(outcome, failure)) for row, outcome in settled]
        try:
            await self._write(
                Entry(
                    index=row.index,
                    digest=row.digest,
                    departed=self._clock.departure_of(row) if outcome.status == "unknown" else None,
                    outcome=outcome,
                )
                for row, outcome in settled
            )
            if self._remember is not None:
                await self._remember(settled)
        finally:
            self.tell(settled)

    def tell(self, settled: Iterable[tuple[Row, Outcome]]) -> None:
        """Report outcomes that are written down."""
        told = [outcome for _, outcome in settled]
        self.counts.sent.difference_update(outcome.index for outcome in told)
        self._on_outcomes(told)

    async def tell_known(self, known: Sequence[tuple[Row, Outcome]]) -> None:
        """Report outcomes of an earlier run.

        Raises:
            ConfigurationError: If they show that the unique property is not unique.
        """
        self.tell(known)
        await self.claims.find_holders(row for row, outcome in known if outcome.ok)
        self.claims.check(known)

    async def mark_sent(self, rows: Sequence[Row]) -> None:
        """Write down that rows are about to leave, for a process that goes on with the run."""
        if self._inquiry.goes_on or (self._writer.durable and self._task.operation.verb == "create"):
            now = time.monotonic()
            for row in rows:
                row.left = row.left if row.maybe_written else now
        if self._writer.durable:
            await self._write(self._entry(row, sent=True) for row in rows)

    def _entry(self, row: Row, *, sent: bool) -> Entry:
        departed = self._clock.departure_of(row) if sent else None
        return Entry(index=row.index, digest=row.digest, sent=sent, departed=departed)

    async def _reject(self, rows: Sequence[Row], doubts: Doubts | None) -> None:
        """Settle rows that have a mistake which is known to be refused. They are not sent."""
        errors = {row.index: error for row in rows if (error := self._mistakes.of(row)) is not None}
        if errors:
            answers = [
                outcomes.mistaken(row, errors[row.index], self._judging(doubts), keep=self._keep)
                for row in rows
            ]
            await self.record(await self._certain(rows, answers, doubts, errors))

    async def _certain(
        self,
        rows: Sequence[Row],
        answers: Sequence[Outcome],
        doubts: Doubts | None,
        refusals: Mapping[int, Refusal],
    ) -> Sequence[tuple[Row, Outcome]]:
        """Return what is certain by what HubSpot says, and keep the rest in `doubts`."""
        settled: Sequence[tuple[Row, Outcome]] = list(zip(rows, answers, strict=True))
        if doubts is None:
            return await self.claims.without_doubles(settled)
        if any(answer.id is None for answer in answers):
            return doubts.sift(settled, refusals, time.monotonic() + self._task.settle_after)
        return settled

    async def _refusal_of(self, rows: Sequence[Row], doubts: Doubts | None) -> ApiError | None:
        """Send rows in one request, and return how HubSpot refused them for what is in them, if it did."""
        attempt = _Attempt(self, rows)
        try:
            result = await self._send(attempt, looks=doubts is not None)
        except Exception as error:
            if not isinstance(error, HubSpotBatchError) or error is not attempt.error:
                # Not about the request: the function that gets the token failed, for example.
                attempt.broke_off()
                await self._unsend(rows)
                raise
            if isinstance(error, ApiError):
                self._learn(error.response)
            if not _is_for_content(error):
                await self._failed(attempt, error, doubts)
                return None
            return await self._refused(rows, error, doubts)
        if result is None:
            await self._unsend(rows)
            return None
        answer = self._answer_of(rows, result, doubts)
        # A reply is as large as its request, and would be held until the outcomes are written down.
        del result
        await self._answered(attempt, answer, doubts)
        return None

    async def _send(self, attempt: "_Attempt", *, looks: bool) -> BatchResult | AssociationResult | None:
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
            looks=looks,
            arguments=self._task.arguments,
        )
        self._attempts.add(attempt)
        try:
            with attempt.scope:
                return await self._driver.send(call, attempt)
        finally:
            self._attempts.discard(attempt)
        return None

    def _answer_of(
        self, rows: Sequence[Row], result: BatchResult | AssociationResult, doubts: Doubts | None
    ) -> "_Answer":
        self._learn(result.response)
        records = result.records if isinstance(result, BatchResult) else ()
        return _Answer(
            outcomes=outcomes.answered(
                rows, result, self._judging(doubts), self._task.operation.verb, keep=self._keep
            ),
            refusals={rows[error.index].index: error for error in result.errors if error.index is not None},
            first=records[:1],
            nameless=[record.id for record in records if record.index is None],
            problem=self.claims.problem_with(records),
        )

    async def _answered(self, attempt: "_Attempt", answer: "_Answer", doubts: Doubts | None) -> None:
        if doubts is not None:
            doubts.reported.update(answer.nameless)
        settled = await self._certain(attempt.rows, answer.outcomes, doubts, answer.refusals)
        unlinked = [(row, outcome) for row, outcome in settled if row.later and outcome.ok]
        if unlinked:
            await self._mark_written(unlinked)
            await self.record([(row, outcome) for row, outcome in settled if not (row.later and outcome.ok)])
        else:
            await self.record(settled)
        self._failures = 0
        self._concurrency.on_reply(attempt.seconds)
        self.claims.check(settled)
        if answer.problem is not None:
            raise answer.problem
        if self._inquiry.goes_on:
            self._clock.learn_from(answer.first, attempt.began)
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

    async def _refused(self, rows: Sequence[Row], error: ApiError, doubts: Doubts | None) -> ApiError | None:
        """Handle a refusal of a whole request: return it, or None if nothing is left to find in it."""
        self._failures = 0
        name = None if self._task.keep_going else not_unique_property(error)
        named = self._task.beside.get("idProperty")
        if name is not None and all(row.wire.get("idProperty", named) == name for row in rows):
            await self._unsend(rows)
            raise ConfigurationError(
                f"the account does not hold {name} unique, so it cannot name a record; "
                "name a property that is unique, or the record by its id"
            ) from error
        if doubts is not None and doubts.may_be_taken(rows, error):
            missing = await self._without_found(rows, error, doubts)
            if len(missing) < len(rows):
                await self._unsend(missing)
                await self._isolate(missing, doubts)
                return None
        if len(rows) > 1:
            await self._unsend(rows)
        else:
            answers = [outcomes.refused(rows[0], error, self._judging(doubts), keep=self._keep)]
            refusals = {rows[0].index: error}
            await self.record(await self._certain(rows, answers, doubts, refusals))
        return error

    async def _without_found(self, rows: Sequence[Row], error: ApiError, doubts: Doubts) -> Sequence[Row]:
        """Look for rows that were refused together, once, and return those that are not found."""
        fresh = [row for row in rows if row.index not in doubts.looked]
        doubts.looked.update(row.index for row in fresh)
        if not fresh:
            return rows
        taken = taken_value(error)
        missing = await self._inquiry.look_for(
            fresh,
            doubts,
            lambda missing: taken is not None and len(missing) == len(fresh),
            set() if taken is None else {taken.existing},
        )
        found = {row.index for row in fresh} - {row.index for row in missing}
        return [row for row in rows if row.index not in found]

    async def _failed(self, attempt: "_Attempt", error: HubSpotBatchError, doubts: Doubts | None) -> None:
        if not attempt.ended_in_doubt:
            await self._unsend(attempt.rows)
            error.maybe_written = any(row.maybe_written for row in attempt.rows)
            raise error
        settled = list(zip(attempt.rows, outcomes.lost(attempt.rows, error), strict=True))
        if doubts is None:
            await self._give_up(settled, error)
            return
        asked = asked_wait(error) if isinstance(error, ApiError) else None
        wait = max(self._task.settle_after, min(asked or 0.0, _MOST_ASKED))
        doubts.cause = error
        doubts.sift(settled, settled_at=time.monotonic() + wait)

    async def _unsend(self, rows: Sequence[Row]) -> None:
        """Write down that rows wait to be sent again; those that may have been written remain sent."""
        self.counts.sent.difference_update(row.index for row in rows if not row.maybe_written)
        await self._write(self._entry(row, sent=row.maybe_written) for row in rows)

    async def _write(self, entries: Iterable[Entry]) -> None:
        # Other tasks may wait for this one to write their entries.
        with CancelScope(shield=True):
            await self._writer.write(entries)


class _Answer(NamedTuple):
    """What a reply says.

    Attributes:
        outcomes: What became of each row of the request.
        refusals: What it says of the rows that were refused, by their numbers.
        first: Its first record, if it has one.
        nameless: The records that it does not say the row of.
        problem: Why the records show that the unique property is not unique.
    """

    outcomes: Sequence[Outcome]
    refusals: Mapping[int, Refusal]
    first: Sequence[Record]
    nameless: Sequence[str]
    problem: ConfigurationError | None


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
        self.began = 0.0

    @property
    def seconds(self) -> float:
        """How long ago the last attempt began."""
        return time.monotonic() - self.began

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
        self.began = time.monotonic()
        if not self._made:
            await self._sender.mark_sent(self.rows)
        # The run may have ended meanwhile. From here on the request is in flight.
        await checkpoint_if_cancelled()
        if not self._made:
            self._counts.sent.update(row.index for row in self.rows)
        self._counts.retries += self._made > 0
        self._made += 1
        self._counts.requests += 1
        self._counts.in_flight += 1
        self._in_flight = True

    def not_sent(self) -> None:
        """Have nothing in flight: the quota failed before the attempt began."""
        self._counts.in_flight -= 1
        self._counts.requests -= 1
        self._in_flight = False

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


def _is_for_content(error: HubSpotBatchError) -> TypeGuard[ApiError]:
    if not isinstance(error, ApiError):
        return False
    if isinstance(error, NotFoundError):
        # A record was not found, not the path.
        is_target = (error.sub_category or "").startswith("crm.associations.")
        return is_target or not _RECORDS.isdisjoint(error.context)
    return error.status in _FOR_ITS_CONTENT
