"""Which row has which record: one record is that of one row, and a unique value that of one record."""

from collections.abc import Iterable, Sequence

from hubspot_batch.bulk import _outcomes as outcomes
from hubspot_batch.bulk._journal import Writer
from hubspot_batch.bulk._late_links import NoJournal
from hubspot_batch.bulk._lookup import not_unique
from hubspot_batch.bulk._options import Task
from hubspot_batch.bulk._outcomes import Outcome
from hubspot_batch.bulk._rows import Holder, Repeats, Row
from hubspot_batch.errors import ConfigurationError
from hubspot_batch.results import Record


class Claims:
    """Knows the unique values and the records of the rows of a run.

    Args:
        task: The operation and its options.
        writer: Knows which row has become which record.
    """

    def __init__(self, task: Task, writer: Writer | NoJournal) -> None:
        self._task = task
        self._writer = writer
        self._repeats = None if task.unique_property is None else Repeats(task.unique_property)

    def mark(self, rows: Iterable[Row]) -> None:
        """Mark rows that were read, and have the unique value of an earlier one."""
        if self._repeats is not None:
            self._repeats.mark(rows)

    async def find_holders(self, rows: Iterable[Row]) -> None:
        """Find what earlier rows have made of the unique values of rows that repeat them."""
        for row in rows:
            if row.repeats:
                row.holder = await self._holder(row)

    async def _holder(self, row: Row) -> Holder | None:
        """Return what earlier rows made of the unique value of a row; None where none of them wrote it."""
        assert self._repeats is not None  # noqa: S101 - no row repeats a value without a unique property
        holder = None
        for earlier in self._repeats.earlier(row):
            outcome = await self._writer.outcome(earlier.number)
            if outcome is not None and outcome.status == "rejected" and outcomes.taken_of(outcome) is None:
                continue
            if earlier.is_same and outcome is not None and outcome.status != "unknown":
                return Holder(is_certain=True, done=earlier.number if outcome.ok else None)
            holder = Holder(is_certain=False)
        return holder

    def check(self, settled: Iterable[tuple[Row, Outcome]]) -> None:
        """Compare outcomes with those of earlier rows.

        Raises:
            ConfigurationError: If the unique property is not unique.
        """
        for row, outcome in settled:
            if outcome.ok and row.holder is not None and row.holder.done is not None:
                raise not_unique(
                    self._task.unique_property or "",
                    f"rows {row.holder.done} and {row.index} have one value",
                )

    def problem_with(self, records: Iterable[Record]) -> ConfigurationError | None:
        """Compare the records of a reply, and return why they show that the unique property is not unique."""
        if (unique_property := self._task.unique_property) is None:
            return None
        ids: dict[str, str] = {}
        for record in records:
            value = record.properties.get(unique_property)
            if value and ids.setdefault(value, record.id) != record.id:
                return not_unique(unique_property, f"the records {ids[value]} and {record.id} have one value")
        return None

    async def without_doubles(self, settled: Sequence[tuple[Row, Outcome]]) -> Sequence[tuple[Row, Outcome]]:
        """Reject rows whose record belongs to another row: that conflict proves nothing.

        Only rows that have just made their record cannot be among them.
        """
        told = [answer.id for row, answer in settled if _only_told(row, answer) and answer.id]
        if self._task.operation.verb != "create" or not told:
            return settled
        owners = {**_first_claims(settled), **await self._writer.owners(told)}
        return [
            (
                row,
                outcomes.taken(row)
                if _only_told(row, answer) and owners.get(answer.id, row.index) != row.index
                else answer,
            )
            for row, answer in settled
        ]


def _only_told(row: Row, answer: Outcome) -> bool:
    """Return whether a row is done as a record that another one may have made."""
    return answer.ok and (row.maybe_written or answer.action == "existing")


def _first_claims(settled: Iterable[tuple[Row, Outcome]]) -> dict[str | None, int]:
    """Return the first row that is done as each record. One that may not have made it gives way."""
    told_last = sorted(settled, key=lambda pair: _only_told(*pair))
    return {
        answer.id: row.index for row, answer in reversed(told_last) if answer.ok and answer.id is not None
    }
