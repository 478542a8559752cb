"""Which rows are bad in a batch that HubSpot refused as a whole. Pure: it says what to send next.

Such a refusal (400, 409) has written nothing and need not say which input it is about (docs/behaviour.md,
"Atomicity"). What it names is used first: rows with a mistake that is known by now are left out, and those
that it mentions are tried apart from the others. Else the rows are halved until the bad ones stand alone. For
k bad rows of n that nothing is said of, this takes at most 2 k (log2(n / k) + 1) more requests.
"""

from collections.abc import Generator, Sequence
from typing import NamedTuple, TypeAlias

from hubspot_batch.bulk._mistakes import Mistakes, split
from hubspot_batch.bulk._rows import Row
from hubspot_batch.errors import ApiError


class Part(NamedTuple):
    """What to do next.

    Attributes:
        rows: The rows to send in one request; none where there is nothing to send.
        bad: The rows that are certain to be refused. They are not sent any more.
    """

    rows: Sequence[Row]
    bad: Sequence[Row] = ()


Parts: TypeAlias = Generator[Part, ApiError | None, bool]


def isolate(rows: Sequence[Row], mistakes: Mistakes) -> Parts:
    """Yield what to do next, and expect to be sent the refusal of the rows as a whole, if there was one.

    Every row is among the bad ones, part of a request that was not refused, or was refused alone.

    Returns:
        Whether any row is bad.
    """
    part = _sifted(rows, mistakes)
    refusal = yield part
    if refusal is not None:
        mistakes.learn(part.rows, refusal)
        yield from _search(part.rows, refusal, mistakes)
    return refusal is not None or bool(part.bad)


def _search(rows: Sequence[Row], refusal: ApiError, mistakes: Mistakes) -> Generator[Part, ApiError | None]:
    """Find the bad ones among rows that were refused together."""
    if len(rows) == 1:
        return
    if _sifted(rows, mistakes).bad:
        yield from isolate(rows, mistakes)
        return
    first, second = split(rows, refusal)
    # Where the first part is not at fault, the second is: several rows need not be sent to know that.
    if (yield from isolate(first, mistakes)) or len(second) == 1:
        yield from isolate(second, mistakes)
    else:
        yield from _search(second, refusal, mistakes)


def _sifted(rows: Sequence[Row], mistakes: Mistakes) -> Part:
    if not mistakes.are_known:
        return Part(rows)
    bad = [row for row in rows if mistakes.of(row) is not None]
    indexes = {row.index for row in bad}
    return Part([row for row in rows if row.index not in indexes], bad)
