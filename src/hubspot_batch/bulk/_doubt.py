"""Rows that HubSpot may have made a record of: their answer was lost, or they may be refused as taken. Pure.

No words decide what became of them. The record that has the unique value of a row is read, and says it:

| the record with the row's unique value | the row |
| --- | --- |
| there is none | is `missing`, and may be sent again |
| another row of the run has become it | `existing` |
| a reply to a request of the row reports it as written | `own` |
| the row has not left, or all of its attempts were refused | `existing` |
| its values are not those of the row, as far as HubSpot keeps them | `existing` |
| it was created more than two seconds before the first attempt of the row left | `existing` |
| anything else | `own`: that attempt has created it |

Times are those of the server's clock, which its replies tell. Where they tell none, the values decide. A
`Date` can be that of a gateway whose clock is wrong. But no record of the run was created before its request
left.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Literal, TypeAlias

from hubspot_batch.bulk._outcomes import Outcome, taken_of
from hubspot_batch.bulk._rows import Row
from hubspot_batch.errors import HubSpotBatchError
from hubspot_batch.replies._matching import meaning
from hubspot_batch.replies._refusals import Refusal, is_no_taken_value, taken_value
from hubspot_batch.results import Record

Finding: TypeAlias = Literal["missing", "existing", "own"]

_NO_REFUSALS: Mapping[int, Refusal] = {}

# In favour of the row: a `Date` has whole seconds, and the machines of HubSpot are not all in step.
_TOLERANCE = 2.0
# A row that says when its record was created may say so of any time.
_SAY_WHEN = frozenset({"createdate", "hs_createdate"})


def finding(
    row: Row,
    record: Record | None,
    *,
    owner: int | None,
    departed: float | None,
    reported: AbstractSet[str] = frozenset(),
) -> Finding:
    """Return what a record is to a row, by the table above.

    Args:
        row: The row.
        record: The record that has its unique value.
        owner: The row that is done as this record.
        departed: When the first attempt of the row left, by the server's clock.
        reported: The records that replies to requests of the row report as written.
    """
    if record is None:
        return "missing"
    if owner not in {None, row.index} or not row.maybe_written:
        return "existing"
    if record.id in reported:
        return "own"
    created = None if _SAY_WHEN & row.properties.keys() else _seconds(record.created_at)
    if created is None or departed is None:
        return "own" if _agree(row, record, is_timed=False) else "existing"
    is_ours = created >= departed - _TOLERANCE and _agree(row, record, is_timed=True)
    return "own" if is_ours else "existing"


def _agree(row: Row, record: Record, *, is_timed: bool) -> bool:
    """Return whether a record has the values of a row, as far as HubSpot tells them.

    It may keep no value of a property. Where nothing else tells that the record is that of the row, only a
    value proves it.
    """
    both = (
        (meaning(value), meaning(record.properties[name]))
        for name, value in row.properties.items()
        if name in record.properties
    )
    return all(sent in {None, stored} or (stored is None and is_timed) for sent, stored in both)


def _seconds(moment: str) -> float | None:
    try:
        told = datetime.fromisoformat(moment)
    except ValueError:
        return None
    return told.replace(tzinfo=told.tzinfo or UTC).timestamp()


class ServerClock:
    """The server's clock, as its last reply has told it. The clock of this machine may be wrong."""

    def __init__(self) -> None:
        self._ahead: float | None = None
        self._most_ahead = math.inf

    def learn(self, headers: Mapping[str, str], now: float) -> None:
        """Read the `Date` of a reply that came now, in the seconds of `time.monotonic`."""
        try:
            told = parsedate_to_datetime(headers["date"])
        except (KeyError, ValueError, OverflowError):
            return
        self._ahead = told.replace(tzinfo=told.tzinfo or UTC).timestamp() - now

    def learn_from(self, records: Sequence[Record], left: float) -> None:
        """Read when a record was created whose request left then, in the seconds of `time.monotonic`."""
        if records and (created := _seconds(records[0].created_at)) is not None:
            self._most_ahead = min(self._most_ahead, created - left)

    def departure_of(self, row: Row) -> float | None:
        """Return when the first attempt of a row left, in seconds since 1970, if that is known."""
        if row.departed is not None or row.left is None or self._ahead is None:
            return row.departed
        return row.left + min(self._ahead, self._most_ahead)


class Doubts:
    """What is not yet certain of the rows of a batch.

    Args:
        unique_property: The property by which rows are looked for.

    Attributes:
        lost: Rows that may have been written, or were without a word of the record, with their outcome if
            that stays so.
        contested: Rows that are refused, with their outcome if no record has their unique value.
        looked: The indexes of the rows that were looked for after a refusal.
        settled_at: When a lost row that is not found was not written, by `time.monotonic`.
        cause: How the last answer was lost.
        blind: Whether the last look has failed.
        reported: The records that replies report as written, without a word of whose they are.
    """

    def __init__(self, unique_property: str) -> None:
        self.lost: list[tuple[Row, Outcome]] = []
        self.contested: list[tuple[Row, Outcome]] = []
        self.looked: set[int] = set()
        self.settled_at = 0.0
        self.cause: HubSpotBatchError | None = None
        self.blind = False
        self.reported: set[str] = set()
        self._property = unique_property

    def __bool__(self) -> bool:
        return bool(self.lost or self.contested)

    @property
    def rows(self) -> list[Row]:
        """The rows to look for."""
        return [row for row, _ in (*self.lost, *self.contested)]

    def sift(
        self,
        settled: Iterable[tuple[Row, Outcome]],
        refusals: Mapping[int, Refusal] = _NO_REFUSALS,
        settled_at: float = 0.0,
    ) -> list[tuple[Row, Outcome]]:
        """Return the outcomes that are certain, and keep the others.

        Args:
            settled: Outcomes, by what HubSpot says.
            refusals: The errors of rows that are refused, as far as they are known.
            settled_at: When those are settled that may have been written.
        """
        certain = []
        for row, outcome in settled:
            if outcome.status == "unknown" or (outcome.ok and outcome.id is None):
                row.maybe_written = True
                self.lost.append((row, outcome))
                self.settled_at = max(self.settled_at, settled_at)
            elif outcome.status == "rejected" and self._is_open(row, outcome, refusals.get(row.index)):
                self.contested.append((row, outcome))
            else:
                certain.append((row, outcome))
        return certain

    def may_be_taken(self, rows: Iterable[Row], refusal: Refusal) -> bool:
        """Return whether rows may be refused because a record has the unique value of one."""
        return not all(self._is_clear(row, refusal) for row in rows)

    def surely_taken(self, rows: Iterable[Row]) -> set[int]:
        """Return the indexes of the contested rows for which there must be a record, found or not."""
        indexes = {row.index for row in rows}
        return indexes & {row.index for row, outcome in self.contested if self._is_surely_taken(row, outcome)}

    def must_be_there(self, rows: Sequence[Row]) -> bool:
        """Return whether there must be a record for some of these rows, found or not."""
        indexes = {row.index for row in rows}
        is_written = any(outcome.ok and row.index in indexes for row, outcome in self.lost)
        return is_written or bool(self.surely_taken(rows))

    @property
    def named(self) -> set[str | None]:
        """The records that refusals of contested rows name."""
        return {taken.existing for _, outcome in self.contested if (taken := taken_of(outcome)) is not None}

    def _is_open(self, row: Row, outcome: Outcome, refusal: Refusal | None) -> bool:
        if refusal is not None and self._is_clear(row, refusal):
            return False
        return row.index not in self.looked or self._is_surely_taken(row, outcome)

    def _is_clear(self, row: Row, refusal: Refusal) -> bool:
        """Return whether a row is certainly not refused because a record has its unique value."""
        taken = taken_value(refusal)
        if taken is None:
            return is_no_taken_value(refusal, self._property)
        # A row that was written before is refused over its other unique values, too.
        return taken.property not in {None, self._property} and not row.maybe_written

    def _is_surely_taken(self, row: Row, outcome: Outcome) -> bool:
        taken = taken_of(outcome)
        return row.maybe_written or (taken is not None and taken.property in {None, self._property})
