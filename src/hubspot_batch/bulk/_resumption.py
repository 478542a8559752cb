"""How a run goes on where an earlier one over the same journal stopped.

Every row that the earlier run knew is read again and compared. Nothing is sent before all of them are known
to be the same, so a changed source changes nothing in HubSpot.
"""

from collections.abc import Mapping, Sequence

from hubspot_batch.bulk._journal import NAME_YOURS, Journal
from hubspot_batch.bulk._outcomes import Outcome
from hubspot_batch.bulk._rows import Row
from hubspot_batch.errors import JournalError, SourceError

_REMEDY = (
    "start it over the same source: with another journal, rows that are written would be written again; "
    "rows that are new go into a source and a journal of their own"
)
_REMEDIES = {
    "operation": NAME_YOURS,
    "service": "take the base_url with which its run began; a run over another service has its own journal",
    "account": (
        "if it is the same one with a new token, say account={!a}; "
        "a run over another account has its own journal"
    ),
}


class Resumption:
    """Compares the rows of the source with those of the journal.

    Args:
        journal: The journal.
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._known = journal.length
        self._total = journal.meta().get("total")
        self._held: list[Row] = []

    @property
    def in_doubt(self) -> int:
        """How many of the rows that are held back an earlier run has sent."""
        return sum(row.doubtful for row in self._held)

    def sift(self, rows: Sequence[Row]) -> tuple[list[tuple[Row, Outcome]], list[Row]]:
        """Return the rows that have an outcome already, with that, and the rows that are to be sent.

        Rows without an outcome are held back until the last known row has been compared.

        Raises:
            SourceError: If a row is not what it was.
        """
        if not rows or (rows[0].index >= self._known and self._total is None):
            return [], [*self._released(), *rows]
        settled = []
        entries = self._journal.entries(rows[0].index, rows[-1].index)
        for row in rows:
            self._check(row, None if (entry := entries.get(row.index)) is None else entry.digest)
            if entry is not None and entry.outcome is not None:
                settled.append((row, entry.outcome))
                continue
            row.doubtful = entry is not None and entry.sent
            self._held.append(row)
        return settled, self._released() if rows[-1].index + 1 >= self._known else []

    def finish(self, count: int) -> list[Row]:
        """Take note that the source has no more rows, and return those that were held back.

        Raises:
            SourceError: If it has fewer than it had.
        """
        if count < self._known:
            raise SourceError(
                f"the source ends after {count} rows, but the journal knows {self._known}; {_REMEDY}",
                row=count,
            )
        return self._released()

    def _released(self) -> list[Row]:
        held, self._held = self._held, []
        return held

    def _check(self, row: Row, digest: bytes | None) -> None:
        if isinstance(self._total, int) and row.index >= self._total:
            raise SourceError(
                f"the source has more than the {self._total} rows of the finished run; {_REMEDY}",
                row=row.index,
            )
        if digest is not None and digest != row.digest:
            raise SourceError(f"row {row.index} of the source is not what it was; {_REMEDY}", row=row.index)


def identify(journal: Journal, identity: Mapping[str, str]) -> None:
    """Write down what a run is, or compare it with what the journal says.

    Raises:
        JournalError: If the journal belongs to another operation, service or account.
    """
    known = journal.meta()
    for name, value in identity.items():
        if known.get(name, value) != value:
            raise JournalError(
                f"the journal {journal.path} belongs to another {name}; {_REMEDIES[name].format(known[name])}"
            )
    journal.set_meta(identity)
