"""Links whose ends are named by a unique property: the ids are read before the rows are planned.

Rows with such links wait in groups until the ids of their targets are known, and leave in the order in which
they came. One request reads 100 ids. Several groups are looked up at a time, while others are
sent. What was read is kept for later rows, in memory that does not grow.
"""

from collections import Counter, deque
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from hashlib import blake2b
from typing import NamedTuple, TypeAlias

import anyio
from anyio import move_on_after

from hubspot_batch.bulk._rows import Kind, Row, seal
from hubspot_batch.contract._keys import Key
from hubspot_batch.contract._operations import MAX_INPUTS

Find: TypeAlias = Callable[[str, str, Sequence[str]], Awaitable[Mapping[str, str] | None]]
"""Returns the id of each value of a property that a record has; None if the run has ended."""

# What waits for an id: no more than this in a group, in that many groups.
_MOST_ROWS = 500
_MOST_BYTES = 4 * 2**20
_MOST_GROUPS = 8
# Rows that are held back.
_MOST_LATE = 5_000
# About 160 bytes each.
_IDS_KEPT = 2**16


class Group:
    """Rows that wait for the ids of the same request.

    Attributes:
        rows: The rows.
        ids: The ids of their targets, as far as they are known; empty for a target that is not there.
        missing: The keys that are to be looked up.
        asked_before: The keys that an earlier group looks up.
        is_late: Whether its keys were not found once.
    """

    def __init__(self, *, is_late: bool = False) -> None:
        self.is_late = is_late
        self.rows: list[Row] = []
        self.ids: dict[Key, str] = {}
        self.missing: dict[Key, None] = {}
        self.asked_before: dict[Key, Group] = {}
        self._counts: dict[tuple[str, str], int] = {}
        self._size = 0
        self._closed = anyio.Event()
        self._over = anyio.Event()

    def add(self, row: Row) -> None:
        """Let a row wait here."""
        self.rows.append(row)
        self._size += len(row.content)

    def ask(self, key: Key) -> None:
        """Look a key up."""
        if key in self.missing:
            return
        self.missing[key] = None
        kind = key.object_type, key.property
        self._counts[kind] = self._counts.get(kind, 0) + 1

    @property
    def is_full(self) -> bool:
        """Whether no other row has room."""
        return (
            len(self.rows) >= _MOST_ROWS
            or self._size >= _MOST_BYTES
            or any(count >= MAX_INPUTS for count in self._counts.values())
        )

    @property
    def is_closed(self) -> bool:
        """Whether it takes no more rows."""
        return self._closed.is_set()

    def close(self) -> None:
        """Take no more rows."""
        self._closed.set()

    async def wait_until_closed(self, seconds: float) -> None:
        """Wait until it takes no more rows, but no longer than that, and close it then."""
        with move_on_after(seconds):
            await self._closed.wait()
        self.close()

    @property
    def is_over(self) -> bool:
        """Whether all ids are known, or the run has ended."""
        return self._over.is_set()

    def end(self) -> None:
        """Wake what waits for the ids."""
        self.close()
        self._over.set()

    async def wait(self) -> None:
        """Wait for the ids."""
        await self._over.wait()


class Complete(NamedTuple):
    """Rows that have waited.

    Attributes:
        rows: Those that can be sent.
        lacking: Those whose targets are not there, with these.
    """

    rows: list[Row]
    lacking: list[tuple[Row, Sequence[Key]]]


class Links:
    """Fills in the ids that rows lack.

    A target that is not found is looked for again some seconds later: HubSpot may show late what was written
    shortly before. Its rows are held back so long, and with them later rows that must not overtake them.

    Args:
        kind: What the rows have in common.
        find: Reads ids.
        start: Starts looking up a group, with `look`.
        patience: How many seconds later.
    """

    def __init__(self, kind: Kind, find: Find, start: Callable[[Group], object], patience: float) -> None:
        self._kind = kind
        self._find = find
        self._start = start
        self._patience = patience
        self._groups: deque[Group] = deque()
        self._late: deque[Group] = deque()
        self._held_keys: Counter[Hashable] = Counter()
        self._asked: dict[Key, Group] = {}
        self._known = _Known()
        self._stopped = False
        self._pauses: set[anyio.Event] = set()

    @property
    def are_awaited(self) -> bool:
        """Whether any row waits."""
        return bool(self._groups or self._late)

    def add(self, row: Row) -> None:
        """Let a row wait for its ids, and for the rows before it."""
        if not self._groups or self._groups[-1].is_closed:
            self._groups.append(Group())
        group = self._groups[-1]
        group.add(row)
        for _, key in row.links:
            if key in group.ids or key in group.missing:
                continue
            if (earlier := self._asked.get(key)) is not None:
                group.asked_before[key] = earlier
            elif (known := self._known.get(key)) is not None:
                group.ids[key] = known
            else:
                group.ask(key)
                self._asked[key] = group
        if group.is_full:
            self._close(group)

    async def next(self, *, last: bool) -> Complete | None:
        """Return the next rows that are complete, and wait for them where too many wait; None if none are.

        Args:
            last: Whether no more rows come.
        """
        if self._stopped:
            return None
        if self._groups and not self._groups[0].is_closed and (last or not self._groups[0].missing):
            self._close(self._groups[0])
        if self._late and (self._late[0].is_over or sum(len(one.rows) for one in self._late) > _MOST_LATE):
            return await self._taken(self._late)
        if self._groups and (self._groups[0].is_over or last or len(self._groups) > _MOST_GROUPS):
            return await self._taken(self._groups)
        return await self._taken(self._late) if last and self._late else None

    async def look(self, group: Group) -> None:
        """Look up what a group lacks.

        Raises:
            HubSpotBatchError: If that fails for good.
        """
        try:
            if group.is_late:
                await group.wait_until_closed(self._patience)
                await self._pause()
            absent = await self._look(group)
        except BaseException:
            self.stop()
            raise
        group.ids.update(dict.fromkeys(absent, ""))
        group.end()

    def stop(self) -> None:
        """Complete no more rows."""
        self._stopped = True
        for pause in self._pauses:
            pause.set()
        for group in (*self._groups, *self._late):
            group.end()

    async def _pause(self) -> None:
        stopped = anyio.Event()
        self._pauses.add(stopped)
        with move_on_after(self._patience):
            await stopped.wait()
        self._pauses.discard(stopped)

    def _close(self, group: Group) -> None:
        group.close()
        if group.missing:
            self._start(group)
        else:
            group.end()

    async def _look(self, group: Group) -> list[Key]:
        """Look up what a group lacks, and return the keys that no record has."""
        values: dict[tuple[str, str], list[str]] = {}
        for object_type, name, value in group.missing:
            values.setdefault((object_type, name), []).append(value)
        absent = []
        for (object_type, name), some in values.items():
            found = None if self._stopped else await self._find(object_type, name, some)
            if found is None:
                self.stop()
                return []
            for value in some:
                key = Key(object_type, name, value)
                if value in found:
                    group.ids[key] = found[value]
                else:
                    absent.append(key)
        return absent

    async def _taken(self, groups: deque[Group]) -> Complete | None:
        group = groups[0]
        if group.is_late:
            group.close()
        await group.wait()
        if self._stopped:
            return None
        groups.popleft()
        ids = group.ids
        for key in group.missing:
            if group.is_late or ids[key]:
                self._known.keep(key, ids[key])
            if self._asked.get(key) is group:
                del self._asked[key]
        ids.update((key, earlier.ids[key]) for key, earlier in group.asked_before.items())
        if group.is_late:
            self._held_keys.subtract(key for row in group.rows for key in row.order_keys)
            self._held_keys += Counter()
            return self._filled(group)
        if "" in ids.values():
            self._hold_back(group)
        return self._filled(group)

    def _hold_back(self, group: Group) -> None:
        """Take the rows out of a group whose targets were not found, to look for these again."""
        ready = []
        for row in group.rows:
            absent = [key for _, key in row.links if not group.ids[key] and self._known.get(key) is None]
            if not absent and self._held_keys.keys().isdisjoint(row.order_keys):
                ready.append(row)
                continue
            late = self._open_late()
            late.add(row)
            late.ids.update((key, group.ids[key]) for _, key in row.links if key not in absent)
            for key in absent:
                late.ask(key)
            self._held_keys.update(row.order_keys)
            if late.is_full:
                late.close()
        group.rows = ready

    def _open_late(self) -> Group:
        if not self._late or self._late[-1].is_closed:
            self._late.append(Group(is_late=True))
            self._start(self._late[-1])
        return self._late[-1]

    def _filled(self, group: Group) -> Complete:
        complete = Complete([], [])
        for row in group.rows:
            if absent := [key for _, key in row.links if not group.ids[key]]:
                complete.lacking.append((row, absent))
                continue
            if row.links:
                for end, key in row.links:
                    end["id"] = group.ids[key]
                seal(row, self._kind)
            complete.rows.append(row)
        return complete


class _Known:
    """The ids that were read: those that were used last, and about as many before them."""

    def __init__(self) -> None:
        self._young: dict[bytes, str] = {}
        self._old: dict[bytes, str] = {}

    def get(self, key: Key) -> str | None:
        """Return the id of a key; empty where no record has it, and None where nothing is known."""
        digest = _digest(key)
        if (known := self._young.get(digest)) is None and (known := self._old.get(digest)) is not None:
            self._add(digest, known)
        return known

    def keep(self, key: Key, known: str) -> None:
        """Keep the id of a key."""
        self._add(_digest(key), known)

    def _add(self, digest: bytes, known: str) -> None:
        if len(self._young) >= _IDS_KEPT // 2:
            self._old, self._young = self._young, {}
        self._young[digest] = known


def _digest(key: Key) -> bytes:
    """Return what stands for a key in memory: no two keys have the same."""
    return blake2b("\0".join(key).encode(), digest_size=16).digest()
