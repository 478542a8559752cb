"""Looks for the records of rows in doubt, and says what became of those whose record is found."""

from collections.abc import Awaitable, Callable, Sequence
from collections.abc import Set as AbstractSet
from itertools import chain
from typing import TypeAlias

from hubspot_batch.bulk import _outcomes as outcomes
from hubspot_batch.bulk._doubt import Doubts, ServerClock, finding
from hubspot_batch.bulk._journal import Writer
from hubspot_batch.bulk._late_links import NoJournal
from hubspot_batch.bulk._lookup import Lookup
from hubspot_batch.bulk._options import Task
from hubspot_batch.bulk._outcomes import Outcome
from hubspot_batch.bulk._rows import Row
from hubspot_batch.errors import (
    ApiError,
    AuthenticationError,
    ConnectionFailedError,
    HubSpotBatchError,
    PermissionDeniedError,
    RateLimitError,
    UnexpectedReplyError,
)
from hubspot_batch.transport._retries import may_be_written

Settled: TypeAlias = Sequence[tuple[Row, Outcome]]

# Waits between looks where a record must be there, in multiples of the first one.
_WAITS = (1, 2, 4, 8)
_LEAST_WAIT = 0.25


class Inquiry:
    """Looks for the records of rows that are to be created.

    Args:
        task: The operation and its options.
        lookup: Reads the records.
        writer: Knows which row has become which record.
        clock: Knows when a row has left.
        record: Records outcomes.
        on_failure: Is called where a look fails for a reason that may pass.

    Attributes:
        goes_on: Whether rows can be looked for.
        failure: Why the last look failed that did.
    """

    def __init__(
        self,
        task: Task,
        lookup: Lookup,
        writer: Writer | NoJournal,
        clock: ServerClock,
        record: Callable[[Settled], Awaitable[None]],
        on_failure: Callable[[HubSpotBatchError], None],
    ) -> None:
        self.goes_on = task.operation.verb == "create" and task.unique_property is not None
        self.failure: HubSpotBatchError | None = None
        self._task = task
        self._lookup = lookup
        self._writer = writer
        self._clock = clock
        self._record = record
        self._on_failure = on_failure

    async def look_for(
        self,
        rows: Sequence[Row],
        doubts: Doubts,
        must_be_there: Callable[[Sequence[Row]], bool],
        named: AbstractSet[str | None],
    ) -> Sequence[Row]:
        """Record what became of the rows whose record is found, and return the others.

        `doubts.blind` says afterwards whether the last look has failed: nothing is known of the others then.
        Where there must be a record, and there is none, an archived one can have the value. A new record can
        be found late, so that is believed at once only of a record that a refusal names.

        Args:
            rows: The rows.
            doubts: What is not certain of the batch.
            must_be_there: Whether there must be a record of the rows that are left, so that it is worth
                looking again.
            named: The records that refusals of these rows name.

        Raises:
            ConfigurationError: If two records have one value.
            HubSpotBatchError: If nothing more can be sent.
        """
        if doubts.blind:
            return rows
        for wait in (0, *_WAITS):
            await self._lookup.wait(wait * max(self._task.settle_after, _LEAST_WAIT))
            if self._lookup.withdrawn or not self.goes_on:
                break
            try:
                settled = await self.found(rows, reported=doubts.reported)
            except HubSpotBatchError as error:
                self._failed(error)
                doubts.blind = True
                continue
            self.failure, doubts.blind = None, False
            await self._record(settled)
            rows = without(rows, settled)
            if must_be_there(rows):
                taken = doubts.surely_taken(rows) if wait == _WAITS[-1] else set()
                settled = await self._archived(rows, named, taken)
                await self._record(settled)
                rows = without(rows, settled)
            if not must_be_there(rows):
                break
        if doubts.blind and _is_refusal(self.failure):
            # Each time: it will be refused later, too.
            self.goes_on = False
        return rows

    async def _archived(
        self, rows: Sequence[Row], named: AbstractSet[str | None], taken: AbstractSet[int]
    ) -> Settled:
        """Return the rows whose value an archived record has that is named, or that are certainly taken."""
        try:
            settled = await self.found(rows, archived=True) if taken or named - {None} else ()
        except (ApiError, ConnectionFailedError, UnexpectedReplyError) as error:
            if isinstance(error, AuthenticationError | RateLimitError):
                raise
            self.failure = error
            return []
        return [(row, outcome) for row, outcome in settled if outcome.id in named or row.index in taken]

    async def found(
        self, rows: Sequence[Row], *, archived: bool = False, reported: AbstractSet[str] = frozenset()
    ) -> Settled:
        """Return the rows that have a record, with their outcomes.

        Args:
            rows: The rows.
            archived: Whether to look for archived records, and no others.
            reported: The records that replies to requests of these rows report as written.

        Raises:
            ConfigurationError: If two records have one value.
            HubSpotBatchError: If a look fails for good.
        """
        name = self._task.unique_property or ""
        values = [row.properties[name] for row in rows]
        properties = chain.from_iterable(row.properties for row in rows)
        object_type = self._task.operation.object_type
        found = await self._lookup.find(object_type, name, values, properties, archived=archived)
        if not found:
            return []
        owners = await self._writer.owners([record.id for record in found.values()])
        settled = []
        for row, value in zip(rows, values, strict=True):
            if (record := found.get(value)) is not None:
                other = owners.get(record.id)
                other = None if other == row.index else other
                if archived or record.archived:
                    outcome = outcomes.in_recycle_bin(row, record, name)
                else:
                    departed = self._clock.departure_of(row)
                    whose = finding(row, record, owner=other, departed=departed, reported=reported)
                    keep = self._task.existing == "keep"
                    outcome = (
                        outcomes.created(row, record)
                        if whose == "own"
                        else outcomes.existing(row, record, name, owner=other, keep=keep)
                    )
                settled.append((row, outcome))
        return settled

    def _failed(self, error: HubSpotBatchError) -> None:
        """Handle a look that has failed for good.

        Raises:
            HubSpotBatchError: The error itself, where writing would fail, too.
        """
        match error:
            case AuthenticationError() | RateLimitError():
                raise error
            case PermissionDeniedError():
                # A token that may write and not read.
                self.goes_on = False
            case ApiError() if _is_refusal(error):
                pass
            case ApiError() | ConnectionFailedError() | UnexpectedReplyError():
                self._on_failure(error)
            case _:
                raise error
        self.failure = error


def _is_refusal(error: HubSpotBatchError | None) -> bool:
    return isinstance(error, ApiError) and not may_be_written(error.status)


def without(rows: Sequence[Row], settled: Settled) -> list[Row]:
    """Return the rows that have no outcome yet."""
    known = {row.index for row, _ in settled}
    return [row for row in rows if row.index not in known]
