"""Which item of a reply belongs to which input. Pure, and never a guess.

HubSpot returns records in any order and need not repeat the trace id (docs/behaviour.md, "Order of
results"), so position proves nothing. A pairing is made only where it is the one that is possible:

1. by the trace id, where the reply repeats it;
2. by the record id of an update, or by the value of a unique property;
3. by the submitted properties, where they leave one input that a record can come from. This rests on one
   assumption: HubSpot changes how a value is written, not what it means;
4. by elimination.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Any, NamedTuple, TypeAlias

Input: TypeAlias = Mapping[str, Any]
"""An input in its wire form."""

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d(T[\d:.]+(Z|[+-]\d\d:\d\d))?", re.ASCII)


class Written(NamedTuple):
    """What a reply says of one record that was written."""

    id: str
    trace_id: str | None
    properties: Mapping[str, str | None]


def refused_inputs(
    inputs: Sequence[Input], contexts: Iterable[Mapping[str, Sequence[str]]]
) -> list[list[int]]:
    """Return for each error the indexes of the inputs that its context names, by trace id or by `ids`."""
    traces = _unique((item["objectWriteTraceId"], index) for index, item in enumerate(inputs))
    ids = _unique((item.get("id"), index) for index, item in enumerate(inputs))
    return [
        _found(traces, context.get("objectWriteTraceId", ())) or _found(ids, context.get("ids", ()))
        for context in contexts
    ]


def _found(indexes: Mapping[Hashable, int], keys: Iterable[str]) -> list[int]:
    return list(dict.fromkeys(indexes[key] for key in keys if key in indexes))


def match_written(
    inputs: Sequence[Input],
    written: Sequence[Written],
    refused: Iterable[int] = (),
    unique_property: str | None = None,
) -> list[int | None]:
    """Return for each record the index of its input, or None where that is not certain.

    Args:
        inputs: All inputs of the request.
        written: The records of the reply.
        refused: Indexes of the inputs that an error of the reply names.
        unique_property: A property of which no two records have the same value.
    """
    pairing = _Pairing(inputs, written, refused)
    pairing.by_key(lambda item: item["objectWriteTraceId"], lambda record: record.trace_id)
    pairing.by_key(lambda item: None if "idProperty" in item else item.get("id"), lambda record: record.id)
    for name in dict.fromkeys(item.get("idProperty", unique_property) for item in inputs):
        if name is not None:
            pairing.by_key(partial(_unique_value, name), partial(_stored_value, name))
    pairing.by_content()
    return pairing.indexes


def _unique_value(name: str, item: Input) -> Hashable:
    """Return the value of a unique property that the record has after the write, where that is known."""
    known = item["id"] if item.get("idProperty") == name else None
    return _meaning(item["properties"].get(name, known))


def _stored_value(name: str, record: Written) -> Hashable:
    return _meaning(record.properties.get(name))


class _Pairing:
    """The pairs that are certain so far, and what is left to pair."""

    def __init__(self, inputs: Sequence[Input], written: Sequence[Written], refused: Iterable[int]) -> None:
        self.indexes: list[int | None] = [None] * len(written)
        self._inputs = inputs
        self._written = written
        self._open_inputs = dict.fromkeys(range(len(inputs)))
        for index in refused:
            self._open_inputs.pop(index, None)
        self._open_records = dict.fromkeys(range(len(written)))

    def by_key(
        self,
        key_of_input: Callable[[Input], Hashable],
        key_of_record: Callable[[Written], Hashable],
    ) -> None:
        """Pair what has the same key, where no other input and no other record has it."""
        owners = _unique((key_of_input(self._inputs[i]), i) for i in self._open_inputs)
        claims = _unique((key_of_record(self._written[r]), r) for r in self._open_records)
        for key, record in claims.items():
            if key in owners:
                self._pair(record, owners[key])

    def by_content(self) -> None:
        """Pair by the submitted properties, then by elimination.

        Inputs of the same content cannot be told apart. Where the reply holds as many records as there are
        contents, they may have been merged, or others be missing: nothing follows from what is left over.
        Where it holds yet another number, something is missing, and nothing is certain at all.
        """
        contents = defaultdict(list)
        for index in self._open_inputs:
            contents[_content(self._inputs[index])].append(index)
        groups = list(contents.values())
        complete = len(self._open_records) == len(self._open_inputs)
        if not complete and len(self._open_records) != len(groups):
            return
        for record, group in self._assign(groups, eliminate=complete).items():
            if len(groups[group]) == 1:
                self._pair(record, groups[group][0])
        if complete and len(self._open_inputs) == 1:
            self._pair(*self._open_records, *self._open_inputs)

    def _assign(self, groups: Sequence[Sequence[int]], *, eliminate: bool) -> dict[int, int]:
        """Return the group of each record that can come from one only, while the groups fill up."""
        candidates = self._candidates([self._inputs[group[0]]["properties"] for group in groups])
        room = [len(group) for group in groups]
        assigned: dict[int, int] = {}
        while claims := {r: next(iter(c)) for r, c in candidates.items() if len(c) == 1}:
            taken = Counter(claims.values())
            for group, count in taken.items():
                room[group] -= count
            if min(room) < 0:
                return {}  # more records than inputs: they are not what they seem to be
            assigned |= claims
            full = {group for group in taken if eliminate and not room[group]}
            candidates = {r: c - full for r, c in candidates.items() if r not in claims}
        return assigned

    def _candidates(self, contents: Sequence[Mapping[str, str]]) -> dict[int, AbstractSet[int]]:
        """Return for each open record the contents that no property of it contradicts."""
        candidates: dict[int, AbstractSet[int]]
        candidates = dict.fromkeys(self._open_records, frozenset(range(len(contents))))
        values = defaultdict(list)
        for properties in contents:
            for name, value in properties.items():
                values[name].append(value)
        # The property with the most different values first: mostly it decides alone.
        for name in sorted(values, key=lambda name: -len(set(values[name]))):
            undecided = [record for record, left in candidates.items() if len(left) > 1]
            if not undecided:
                break
            having, silent = _by_meaning(name, contents)
            for record in undecided:
                if (meaning := _meaning(self._written[record].properties.get(name))) is not None:
                    candidates[record] &= having.get(meaning, silent)
        return candidates

    def _pair(self, record: int, index: int) -> None:
        self.indexes[record] = index
        del self._open_records[record]
        del self._open_inputs[index]


def _unique(items: Iterable[tuple[Hashable, int]]) -> dict[Hashable, int]:
    """Return key to number, without None and without the keys that occur twice."""
    found: dict[Hashable, int] = {}
    twice = set()
    for key, number in items:
        if found.setdefault(key, number) != number:
            twice.add(key)
    return {key: number for key, number in found.items() if key is not None and key not in twice}


def _content(item: Input) -> Hashable:
    return frozenset(item["properties"].items()), repr(item.get("associations"))


def _by_meaning(
    name: str, contents: Sequence[Mapping[str, str]]
) -> tuple[Mapping[Hashable, set[int]], set[int]]:
    """Return the contents that fit each meaning of a property, and those that say nothing of it.

    The latter fit all meanings.
    """
    meanings = [_meaning(properties.get(name)) for properties in contents]
    silent = {number for number, meaning in enumerate(meanings) if meaning is None}
    having: defaultdict[Hashable, set[int]] = defaultdict(silent.copy)
    for number, meaning in enumerate(meanings):
        having[meaning].add(number)
    return having, silent


def _meaning(value: str | None) -> Hashable:
    """Return what a value means, the same for all ways in which HubSpot may write it.

    None where it means nothing that could be compared: it is empty, or adds to what is there.
    """
    text = (value or "").strip()
    if not text or text.startswith(";"):
        return None
    if _NUMBER.fullmatch(text):
        return Decimal(text)
    if _DATE.fullmatch(text):
        return _milliseconds(text)
    if ";" in text:
        return tuple(sorted(text.casefold().split(";")))
    return text.casefold()


def _milliseconds(text: str) -> Hashable:
    """Return a date as HubSpot also writes it, in milliseconds since 1970."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    return Decimal(round(moment.replace(tzinfo=moment.tzinfo or UTC).timestamp() * 1000))
