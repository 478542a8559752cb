"""Which rows are bad in a batch that HubSpot refused as a whole. Pure: it says what to send next.

Such a refusal (400, 409) has written nothing and need not say which input it is about (docs/behaviour.md,
"Atomicity"), so the rows are halved until the bad ones stand alone. For k bad rows of n this takes at most
2 k (log2(n / k) + 1) more requests.
"""

from collections.abc import Generator, Sequence
from typing import TypeVar

_T = TypeVar("_T")


def isolate(rows: Sequence[_T]) -> Generator[Sequence[_T], bool, None]:
    """Yield the rows to send in one request, and expect to be told whether they were refused as a whole.

    Every row is part of a request that was not refused, or was refused alone.
    """
    if (yield rows):
        yield from _halves(rows)


def _halves(rows: Sequence[_T]) -> Generator[Sequence[_T], bool, None]:
    middle = len(rows) // 2
    first, second = rows[:middle], rows[middle:]
    if not first:
        return
    first_refused = yield first
    if first_refused:
        yield from _halves(first)
    # Where the first half is not at fault, the second is: several rows need not be sent to know that.
    if (not first_refused and len(second) > 1) or (yield second):
        yield from _halves(second)
