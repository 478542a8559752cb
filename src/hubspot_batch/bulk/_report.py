"""What is known of a run, while it goes on and when it is over."""

import heapq
import os
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import groupby
from operator import attrgetter
from os import PathLike
from pathlib import Path
from threading import Lock
from typing import Any

import msgspec
from msgspec import Struct, field

from hubspot_batch.bulk._journal import Journal
from hubspot_batch.bulk._journal_file import explained, path_of
from hubspot_batch.bulk._outcomes import Outcome
from hubspot_batch.bulk.arrow import table_of
from hubspot_batch.errors import HubSpotBatchError, JournalError
from hubspot_batch.results import Record


class Outcomes:
    """The outcomes of a run in the order of its rows, read from the journal when they are asked for.

    They can be read any number of times. While the run goes on, they are the outcomes so far.
    """

    def __init__(
        self,
        read: Callable[[], Iterator[Outcome]],
        path: Path | None = None,
        unwritten: Callable[[], Mapping[int, Outcome]] = dict,
    ) -> None:
        self._read = read
        self._path = path
        self._unwritten = unwritten

    def __iter__(self) -> Iterator[Outcome]:
        # What the journal did not take is later than what is in it.
        both = heapq.merge(self._unwritten().values(), self._read(), key=attrgetter("index"))
        return (next(same) for _, same in groupby(both, key=attrgetter("index")))

    def __reduce__(self) -> tuple[Any, ...]:
        # A journal without a file does not travel, so its outcomes do.
        if self._path is None:
            return Outcomes, (partial(iter, tuple(self)),)
        unwritten: partial[dict[int, Outcome]] = partial(dict, self._unwritten())
        return Outcomes, (partial(read_outcomes, self._path), self._path, unwritten)

    def __repr__(self) -> str:
        return "Outcomes(...)"


def outcomes_of(journal: Journal) -> Outcomes:
    """Return the outcomes in a journal."""
    return Outcomes(partial(_read, journal), journal.path, lambda: journal.unwritten)


def _read(journal: Journal) -> Iterator[Outcome]:
    """Yield the outcomes in a journal. Once it is closed, it is opened anew for them."""
    last = -1
    for outcome in journal.outcomes():
        yield outcome
        last = outcome.index
    if journal.path is not None and journal.closed:
        yield from (outcome for outcome in read_outcomes(journal.path) if outcome.index > last)


def read_outcomes(path: str | PathLike[str]) -> Iterator[Outcome]:
    """Yield the outcomes in the journal of a run that is over, in the order of its rows.

    Raises:
        JournalError: If it is not a journal, or in use.
        ConfigurationError: If the path is not a path.
    """
    file = path_of(path)
    if not os.path.isfile(file):  # noqa: PTH113 - that of a path raises where a name is too long
        raise JournalError(f"there is no journal {file}; name the file of a run")
    try:
        with Journal(file) as journal:
            yield from journal.outcomes()
    except sqlite3.Error as error:
        raise JournalError(f"the journal {file} cannot be used: {explained(error)}") from error


class Progress(Struct, frozen=True, kw_only=True):
    """How far a run has come.

    Attributes:
        total: How many rows there are; None where the source does not know.
        read: How many rows were taken from the source.
        done: How many of them HubSpot reports as written, those of earlier runs over the same journal
            among them; the same goes for the next two.
        rejected: How many of them are certain not to be.
        unknown: How many of them were sent without a trustworthy answer.
        unanswered: How many of them were sent, by this run or an earlier one, and have no outcome: they are
            on their way, or the run has ended before their answer came.
        requests: How many requests this run has sent for its rows.
        looks: How many requests it has sent beside them, to look up which records there are.
        retries: How many of the requests were sent again, after a 429 or a failure.
        rate_limited: How many requests and looks HubSpot refused with 429.
        in_flight: How many requests and looks wait for their answer.
        seconds: How long this run has taken.
        quota_share: The requests and looks of this run against the requests that the quota allows in that
            time, 0 to 1.
        rate_limit: How many requests a second the quota allows.
        daily_remaining: How many requests the account has left today; None where HubSpot does not tell.
    """

    total: int | None = None
    read: int = 0
    done: int = 0
    rejected: int = 0
    unknown: int = 0
    unanswered: int = 0
    requests: int = 0
    looks: int = 0
    retries: int = 0
    rate_limited: int = 0
    in_flight: int = 0
    seconds: float = 0.0
    quota_share: float = 0.0
    rate_limit: float = 0.0
    daily_remaining: int | None = None

    @property
    def pending(self) -> int:
        """How many rows were read and have no outcome yet."""
        return self.read - self.done - self.rejected - self.unknown


class Report(Progress, frozen=True, kw_only=True):
    """What became of a run.

    Attributes:
        operation: The operation that it was about.
        reasons: How many rows were not done for which reason, `hs_currency_code: INVALID_OPTION` for
            example.
        actions: How many rows were created, updated, archived and so on; see `Outcome.action`.
        finished: Whether each row of the source has an outcome.
        outcomes: All outcomes in the order of the rows, read when they are asked for.
        journal: The file from which the run can be resumed, if there is one.
        records: The records that `read_all` has found, in the order of the ids.
    """

    operation: str
    outcomes: Outcomes
    reasons: Mapping[str, int] = {}
    actions: Mapping[str, int] = {}
    finished: bool = True
    journal: str | None = None
    records: Sequence[Record] = ()

    @property
    def ok(self) -> bool:
        """Whether each row of the source is done."""
        return self.finished and self.done == self.read

    @property
    def ids(self) -> Iterator[tuple[int, str]]:
        """The indexes of the rows that are done, with their record ids where those are known."""
        return ((outcome.index, outcome.id) for outcome in self.outcomes if outcome.ok and outcome.id)

    def to_arrow(self) -> Any:  # noqa: ANN401 - a pyarrow.Table, where that is installed
        """Return the records as a `pyarrow.Table`.

        Its columns are `id`, `created_at`, `updated_at`, `archived` and the properties. These are text, as
        HubSpot stores them, and null where a record has no value.

        Raises:
            ConfigurationError: If pyarrow is not installed; it comes with the extra `parquet`.
        """
        return table_of(self.records)

    def raise_for_errors(self) -> None:
        """Do nothing if each row is done.

        Raises:
            BulkError: If one is not. Its `report` is this one.
        """
        if not self.ok:
            raise BulkError(str(self), report=self)

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON, without the outcomes and the records: outcomes have a `to_dict` of their own."""
        names = [name for name in self.__struct_fields__ if name not in {"outcomes", "records"}]
        return {name: msgspec.to_builtins(getattr(self, name)) for name in names} | {
            "pending": self.pending,
            "ok": self.ok,
        }

    def __str__(self) -> str:
        counts = f"{self.done} done, {self.rejected} rejected, {self.unknown} unknown"
        if self.pending:
            counts += f", {self.pending} pending"
        if self.unanswered:
            counts += f" ({self.unanswered} of them sent)"
        text = f"{self.operation}: {self.read} rows: {counts}"
        if self.reasons:
            text += f" ({', '.join(f'{count} x {reason}' for reason, count in self.reasons.items())})"
        return text

    def __repr__(self) -> str:
        return f"<Report {self}>"


class Tally:
    """Counts outcomes, by status and by reason: in one thread, while others look."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._by_action: Counter[tuple[str, str | None]] = Counter()
        self._by_reason: Counter[str] = Counter()

    def add(self, outcomes: Sequence[Outcome]) -> None:
        """Count outcomes."""
        with self._lock:
            self._by_action.update((outcome.status, outcome.action) for outcome in outcomes)
            self._by_reason.update(why for outcome in outcomes if not outcome.ok for why in outcome.why)

    @property
    def by_status(self) -> Counter[str]:
        """How many outcomes there are of each status."""
        counts: Counter[str] = Counter()
        for (status, _), count in self._counted():
            counts[status] += count
        return counts

    @property
    def by_action(self) -> dict[str, int]:
        """How many rows were created, updated and so on."""
        return {action: count for (_, action), count in self._counted() if action is not None}

    @property
    def by_reason(self) -> dict[str, int]:
        """How many rows were not done for which reason, the most common first."""
        with self._lock:
            return dict(self._by_reason.most_common())

    def _counted(self) -> list[tuple[tuple[str, str | None], int]]:
        with self._lock:
            return list(self._by_action.items())


class BulkError(HubSpotBatchError):
    """A run over many rows could not be finished, or not all of its rows are done.

    What stopped a run is its `__cause__`. Nothing is lost: `report.outcomes` tells what became of each row
    so far, and a run with a journal goes on where it stopped when it is started again.

    Attributes:
        report: What became of the rows. `maybe_written` is true where any of them was sent.
    """

    def __init__(self, text: str, *, report: Report) -> None:
        self.report = report
        self.maybe_written = bool(report.requests or report.done or report.unknown)
        super().__init__(text)

    def __str__(self) -> str:
        # The report says more than that "the batch" may have been written.
        return Exception.__str__(self)


class Counts(Struct, eq=False, kw_only=True):
    """What a run has counted so far; the attributes are those of `Progress`, but for one.

    Attributes:
        sent: The indexes of the rows that were sent and have no outcome.
    """

    read: int = 0
    requests: int = 0
    looks: int = 0
    retries: int = 0
    rate_limited: int = 0
    in_flight: int = 0
    sent: set[int] = field(default_factory=set)
