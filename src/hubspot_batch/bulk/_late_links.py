"""The links of upserts, which HubSpot does not take with the records: written as soon as these are."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import count
from typing import Any, Protocol

import msgspec

from hubspot_batch.bulk._journal import Entry
from hubspot_batch.bulk._outcomes import Outcome
from hubspot_batch.bulk._report import Counts
from hubspot_batch.bulk._rows import Row
from hubspot_batch.contract._operations import MAX_INPUTS


class Sender(Protocol):
    """What sends links: any number of batches at a time, and tells what became of each link."""

    async def send(self, rows: Sequence[Row]) -> None:
        """Send links in one request, or in several where HubSpot refuses them as a whole."""
        ...

    def withdraw(self) -> None:
        """Send nothing more."""
        ...


class NoJournal:
    """Keeps nothing: what the journal says of a record is that its links are not written."""

    durable = False

    async def write(self, _entries: Iterable[Entry]) -> None:
        """Do nothing."""

    async def owners(self, _records: Sequence[str]) -> Mapping[str | None, int]:
        """Return nothing."""
        return {}

    async def outcome(self, _number: int) -> Outcome | None:
        """Return nothing."""
        return None


class LateLinks:
    """Writes the links of records that were written before, 100 in a request.

    Args:
        sender: Makes what sends the links to records of one object type. It is told the type, what to call
            with outcomes, and where to count requests.

    Attributes:
        counts: The requests.
    """

    def __init__(self, sender: Callable[[str, Callable[[Sequence[Outcome]], None], Counts], Sender]) -> None:
        self.counts = Counts()
        self._new_sender = sender
        self._senders: dict[str, Sender] = {}
        self._numbers = count()
        self._told: dict[int, Outcome] = {}

    async def write(self, written: Sequence[tuple[Row, Outcome]]) -> dict[int, list[tuple[str, Outcome]]]:
        """Write the links of records.

        Returns:
            What became of the links of each row, with the object types that they lead to. Rows are missing
            whose links were not all sent.

        Raises:
            Exception: If the run has to end.
        """
        links: dict[str, dict[tuple[str, str], Row]] = {}
        of_rows: dict[int, dict[int, str]] = {}
        for row, outcome in written:
            for target, link in row.later:
                pair = str(outcome.id), link["to"]["id"]
                known = links.setdefault(target, {}).get(pair) or _row(next(self._numbers), pair)
                links[target][pair] = known
                known.wire["types"].extend(one for one in link["types"] if one not in known.wire["types"])
                of_rows.setdefault(row.index, {})[known.index] = target
        try:
            for target, rows in links.items():
                for part in _parts([*rows.values()]):
                    await self._sender(target).send(part)
            return {
                index: [(target, self._told[number]) for number, target in own.items()]
                for index, own in of_rows.items()
                if own.keys() <= self._told.keys()
            }
        finally:
            for rows in links.values():
                for row in rows.values():
                    self._told.pop(row.index, None)

    def withdraw(self) -> None:
        """Send nothing more. Requests in flight finish."""
        for sender in self._senders.values():
            sender.withdraw()

    def _sender(self, target: str) -> Sender:
        if target not in self._senders:
            self._senders[target] = self._new_sender(target, self._take, self.counts)
        return self._senders[target]

    def _take(self, settled: Sequence[Outcome]) -> None:
        self._told.update((outcome.index, outcome) for outcome in settled)


def _row(number: int, pair: tuple[str, str]) -> Row:
    wire: dict[str, Any] = {"from": {"id": pair[0]}, "to": {"id": pair[1]}, "types": []}
    return Row(index=number, wire=wire, content=b"", digest=b"")


def _parts(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    for row in rows:
        row.content = msgspec.json.encode(row.wire)
    for first in range(0, len(rows), MAX_INPUTS):
        yield rows[first : first + MAX_INPUTS]
