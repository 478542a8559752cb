"""Which item of a reply belongs to which input. Pure, and never a guess.

HubSpot returns records in any order and need not repeat the trace id (docs/behaviour.md, "Order of
results"), so position proves nothing. A pairing is made only where it is the one that is possible:

1. by the trace id, where the reply repeats it;
2. by the record id of an update, or by the value of a unique property;
3. by the submitted properties, where they leave one input that a record can come from. This rests on two
   assumptions: every record comes from an input of the request, and HubSpot does not turn the value of one
   input into that of another. Into anything else it may turn a value, so one that no input sent rules out no
   input; and it may fill in anything where an input leaves a property out, so no property rules out an input
   that leaves it out. Where records are missing, what the record and its input both tell has to be the same,
   and has to rule out every other input without help;
4. by elimination, where no record is missing: what fits several inputs is not of those that other records
   must come from.

Nothing is paired by 3 or 4 where the reply breaks the first assumption in plain sight: where it has more
records than inputs, or more that fit some of the inputs only than those inputs can have become.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache, cached_property, partial
from itertools import chain
from operator import attrgetter
from typing import Any, NamedTuple, TypeAlias

Input: TypeAlias = Mapping[str, Any]
"""An encoded input."""

_Told: TypeAlias = Mapping[str, str | None]

# A run of digits can match in one way only: an optional point between two runs would take quadratic time.
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d(T[\d:.]+(Z|[+-]\d\d:\d\d))?", re.ASCII)


class Written(NamedTuple):
    """A written record, as the reply has it."""

    id: str
    trace_id: str | None
    properties: Mapping[str, str | None]


def refused_inputs(
    inputs: Sequence[Input], contexts: Sequence[Mapping[str, Sequence[str]]]
) -> list[list[int]]:
    """Return for each error the inputs that its context names, by trace id or by `ids`."""
    if not contexts:
        return []
    traces = _unique((item.get("objectWriteTraceId"), index) for index, item in enumerate(inputs))
    ids = _unique((item.get("id"), index) for index, item in enumerate(inputs))
    return [
        _found(traces, context.get("objectWriteTraceId", ())) or _found(ids, context.get("ids", ()))
        for context in contexts
    ]


class RefusedEnds(NamedTuple):
    """The ids of records at the beginning and at the end of links that an error names."""

    beginnings: Sequence[str]
    ends: Sequence[str]


def refused_pairs(
    pairs: Mapping[tuple[str, str], int], errors: Sequence[RefusedEnds], linked: Iterable[int | None]
) -> list[list[int]]:
    """Return for each error of a batch of links the indexes of the inputs that it names.

    An error names both ends of a link, or one of them, and then all links of that record that were not made.

    Args:
        pairs: The index of the input by the ids of both ends.
        errors: What the errors name.
        linked: Indexes of the inputs that the reply reports as linked.
    """
    open_pairs = {pair: index for pair, index in pairs.items() if index not in {*linked}}
    return [[i for pair, i in open_pairs.items() if _names_pair(error, pair)] for error in errors]


def _names_pair(error: RefusedEnds, pair: tuple[str, str]) -> bool:
    named = [(ids, own) for ids, own in zip(error, pair, strict=True) if ids]
    return bool(named) and all(own in ids for ids, own in named)


def _found(indexes: Mapping[Hashable, int], keys: Iterable[str]) -> list[int]:
    return list(dict.fromkeys(indexes[key] for key in keys if key in indexes))


def untold_inputs(
    count: int, owners: Iterable[int | None], refused: Iterable[Iterable[int]]
) -> Sequence[int]:
    """Return the indexes of the inputs without a record and without an error."""
    told = {*owners, *chain.from_iterable(refused)}
    return [index for index in range(count) if index not in told]


def with_last_input(
    count: int, owners: Sequence[int | None], refused: Sequence[list[int]]
) -> Sequence[list[int]]:
    """Return the inputs of each error, with the one input that is left over for the one that names none.

    Args:
        count: How many inputs the request had.
        owners: The input of each record, as `match_written` returns them.
        refused: The inputs of each error, as `refused_inputs` returns them.
    """
    untold = untold_inputs(count, owners, refused)
    if len(untold) != 1 or None in owners or sum(not indexes for indexes in refused) != 1:
        return refused
    return [indexes or [*untold] for indexes in refused]


def without_repetitions(written: Sequence[Written]) -> Sequence[Written]:
    """Return each record once, with the values that its repetitions in the reply agree on.

    A record comes from one input, even if the reply repeats it.
    """
    records: dict[str, Written] = {}
    for record in written:
        records[record.id] = _in_common(records.get(record.id, record), record)
    return [*records.values()]


def _in_common(one: Written, other: Written) -> Written:
    if one is other:
        return one
    return Written(
        one.id,
        one.trace_id if one.trace_id == other.trace_id else None,
        dict(one.properties.items() & other.properties.items()),
    )


def match_written(
    inputs: Sequence[Input],
    written: Sequence[Written],
    refused: Iterable[int] = (),
    unique_property: str | None = None,
) -> list[int | None]:
    """Return for each record the index of its input; None if it is not certain.

    Args:
        inputs: All inputs of the request.
        written: The records of the reply.
        refused: Indexes of the inputs that an error of the reply names.
        unique_property: A property with a different value in each record.
    """
    pairing = _Pairing(inputs, written, refused)
    pairing.by_key(_trace_id, attrgetter("trace_id"))
    if pairing.complete:
        return pairing.indexes
    if any("id" in item for item in inputs):
        pairing.by_key(_record_id, lambda record: record.id)
    for name in dict.fromkeys(item.get("idProperty", unique_property) for item in inputs):
        if name is not None:
            pairing.by_key(partial(_unique_value, name), partial(_stored_value, name))
    pairing.by_content()
    return pairing.indexes


def match_keyed(inputs: Sequence[Hashable], records: Sequence[Hashable]) -> Sequence[int] | None:
    """Return for each record the index of the input with the same key; None unless that pairs all of them.

    A fast path for the replies that HubSpot sends most. `match_written` finds the same.
    """
    indexes = dict(zip(inputs, range(len(inputs)), strict=True))
    owners = [index for index in map(indexes.get, records) if index is not None]
    return owners if len({*owners}) == len(inputs) == len(records) else None


def match_by_text(
    inputs: Sequence[Input], records: Sequence[_Told], unique_property: str | None
) -> Sequence[int] | None:
    """Return for each record the index of the input with the same text in one property.

    None unless that pairs all of them. A fast path for replies without trace ids. `match_written` finds the
    same.

    Args:
        inputs: All inputs of the request.
        records: The properties of the records of the reply, which has no trace ids and no errors.
        unique_property: A property with a different value in each record.
    """
    names = {item.get("idProperty", unique_property) for item in inputs}
    if len(names) > 1 or any(_record_id(item) is not None for item in inputs):
        return None
    contents = [_known_properties(item) for item in inputs]
    name = names.pop() or _distinct_property(contents)
    if name is None:
        return None
    texts = [told.get(name) for told in contents]
    meanings = {meaning(text) for text in texts}
    if None in meanings or len(meanings) < len(texts):
        return None
    return match_keyed(texts, [record.get(name) for record in records])


def _distinct_property(contents: Sequence[Mapping[str, str]]) -> str | None:
    """Return a property that all inputs have, each with another text; None if there is none."""
    return next((name for name in contents[0] if len(_texts(contents, name)) == len(contents)), None)


def _texts(contents: Iterable[Mapping[str, str]], name: str) -> AbstractSet[str]:
    return {told[name] for told in contents if name in told}


def _trace_id(item: Input) -> Hashable:
    return item.get("objectWriteTraceId")


def _record_id(item: Input) -> Hashable:
    return None if "idProperty" in item else item.get("id")


def _unique_value(name: str, item: Input) -> Hashable:
    """Return the value of a unique property after the write, if it is known."""
    return meaning(_known_properties(item).get(name))


def _stored_value(name: str, record: Written) -> Hashable:
    return meaning(record.properties.get(name))


class _Pairing:
    """The certain pairs so far, and the remaining records and inputs."""

    def __init__(self, inputs: Sequence[Input], written: Sequence[Written], refused: Iterable[int]) -> None:
        self.indexes: list[int | None] = [None] * len(written)
        self._inputs = inputs
        self._written = written
        self._open_inputs = dict.fromkeys(range(len(inputs)))
        for index in refused:
            self._open_inputs.pop(index, None)
        self._open_records = dict.fromkeys(range(len(written)))

    @property
    def complete(self) -> bool:
        """Whether every record has its input."""
        return not self._open_records

    def by_key(
        self,
        key_of_input: Callable[[Input], Hashable],
        key_of_record: Callable[[Written], Hashable],
    ) -> None:
        """Pair an input and a record with the same key, if no others have it."""
        claims = _unique((key_of_record(self._written[r]), r) for r in self._open_records)
        owners = _unique((key_of_input(self._inputs[i]), i) for i in self._open_inputs) if claims else {}
        self._pair({record: owners[key] for key, record in claims.items() if key in owners})

    def by_content(self) -> None:
        """Pair by the submitted properties, then by elimination.

        Inputs with the same meaning cannot be distinguished, so their records stay unpaired.

        Where there are fewer records than inputs, some were merged or are missing: nothing follows from what
        is left over, and a record that only seems to be of a missing input meets no other that claims it.
        So less is taken for certain. Where there are more, some come from no input, and nothing is certain.
        """
        missing = len(self._open_inputs) - len(self._open_records)
        if missing < 0:
            return
        contents = _Contents({i: _known_properties(self._inputs[i]) for i in self._open_inputs})
        records = {r: self._written[r].properties for r in self._open_records}
        self._pair(contents.pairs_of_some(records) if missing else contents.pairs_of_all(records))

    def _pair(self, pairs: Mapping[int, int]) -> None:
        for record, index in pairs.items():
            self.indexes[record] = index
            del self._open_records[record]
            del self._open_inputs[index]


class _Contents:
    """The submitted properties, by which records are assigned to inputs."""

    def __init__(self, contents: Mapping[int, Mapping[str, str]]) -> None:
        self._contents = contents
        self._all = frozenset(contents)
        self._meaning = cache(meaning)
        self._by_meaning = cache(partial(_by_meaning, contents, self._meaning))

    @cached_property
    def _names(self) -> Sequence[str]:
        """Properties that differ between inputs, those with the most values first: one may be enough."""
        names = dict.fromkeys(chain.from_iterable(self._contents.values()))
        counts = {name: len(_texts(self._contents.values(), name)) for name in names}
        return sorted((name for name in names if counts[name] > 1), key=lambda name: -counts[name])

    def pairs_of_all(self, records: Mapping[int, _Told]) -> dict[int, int]:
        """Return the input of each record that has one candidate only, if all inputs became records."""
        if (pairs := self._pairs_by_one_property(records)) is not None:
            return pairs
        doubtful = self._doubtful(records.values())
        candidates = {r: self._fitting(told, self._names, doubtful) for r, told in records.items()}
        while (narrowed := _narrowed(candidates)) != candidates:
            candidates = narrowed
        return _single(candidates)

    def _doubtful(self, records: Iterable[_Told]) -> AbstractSet[tuple[str, Hashable]]:
        """Return the names and values that are in more records than inputs.

        HubSpot has filled in or changed such a value, so it excludes no input.
        """
        stored = Counter((name, self._meaning(told.get(name))) for told in records for name in self._names)
        sent = Counter(
            (name, self._meaning(value)) for told in self._contents.values() for name, value in told.items()
        )
        return {pair for pair, count in stored.items() if count > sent[pair]}

    def _pairs_by_one_property(self, records: Mapping[int, _Told]) -> dict[int, int] | None:
        """Return the pairs if a single property decides them all, else None.

        A fast path: the search finds the same pairs, but takes several times as long.
        """
        count = len(self._contents)
        name = _distinct_property([*self._contents.values()]) if count else None
        if name is None:
            return None
        owners = {self._meaning(told[name]): index for index, told in self._contents.items()}
        pairs = {record: owners.get(self._meaning(told.get(name))) for record, told in records.items()}
        found = {record: index for record, index in pairs.items() if index is not None}
        is_one_to_one = None not in owners and len(set(found.values())) == count
        return found if is_one_to_one else None

    def pairs_of_some(self, records: Mapping[int, _Told]) -> dict[int, int]:
        """Return the input of each record that agrees with exactly that one."""
        candidates = {r: self._fitting(told, self._names) for r, told in records.items()}
        if not _narrowed(candidates):
            return {}
        return {
            record: index
            for record, index in _single(candidates).items()
            if self._agree(index, records[record])
            and len(self._fitting(records[record], self._told_by(index))) == 1
        }

    def _agree(self, index: int, record: _Told) -> bool:
        """Return whether an input and a record agree in each property that both have."""
        both = (
            (self._meaning(value), self._meaning(record.get(name)))
            for name, value in self._contents[index].items()
        )
        return all(sent == stored for sent, stored in both if sent is not None and stored is not None)

    def _told_by(self, index: int) -> Iterable[str]:
        told = self._contents[index]
        return (name for name, value in told.items() if self._meaning(value) is not None)

    def _fitting(
        self,
        told: _Told,
        names: Iterable[str],
        doubtful: AbstractSet[tuple[str, Hashable]] = frozenset(),
    ) -> frozenset[int]:
        """Return the inputs that none of these properties excludes.

        An input is ruled out by a value that others sent while it sent another one. It is not ruled out by a
        value that no input sent, nor where it leaves the property out.
        """
        fitting = self._all
        for name in names:
            if not fitting:
                break
            meaning = self._meaning(told.get(name))
            if meaning is not None and (name, meaning) not in doubtful:
                fitting &= self._by_meaning(name).get(meaning, self._all)
        return fitting


def _narrowed(candidates: Mapping[int, frozenset[int]]) -> dict[int, frozenset[int]]:
    """Return the candidates of each record without those that other records need.

    Empty if some records have fewer candidates than there are records: the reply is inconsistent.
    """
    claims = Counter(candidates.values())
    full = {inputs for inputs, count in claims.items() if inputs and count >= len(inputs)}
    taken = frozenset[int]().union(*full)
    if sum(claims[inputs] for inputs in full) > len(taken):
        return {}
    return {r: inputs if inputs in full else inputs - taken for r, inputs in candidates.items()}


def _single(candidates: Mapping[int, frozenset[int]]) -> dict[int, int]:
    return {record: next(iter(inputs)) for record, inputs in candidates.items() if len(inputs) == 1}


def _unique(items: Iterable[tuple[Hashable, int]]) -> dict[Hashable, int]:
    """Return key to number, without None and repeated keys."""
    found: dict[Hashable, int] = {}
    twice = set()
    for key, number in items:
        if key is not None and found.setdefault(key, number) != number:
            twice.add(key)
    return {key: number for key, number in found.items() if key not in twice} if twice else found


def _known_properties(item: Input) -> Mapping[str, str]:
    """Return the properties whose values after the write are known."""
    properties: Mapping[str, str] = item.get("properties", {})
    return {item["idProperty"]: item["id"], **properties} if "idProperty" in item else properties


def _by_meaning(
    contents: Mapping[int, Mapping[str, str]], meaning_of: Callable[[str | None], Hashable], name: str
) -> Mapping[Hashable, set[int]]:
    """Return the inputs for each meaning of a property. Inputs without the property fit all of them."""
    meanings = {index: meaning_of(told.get(name)) for index, told in contents.items()}
    silent = {index for index, meaning in meanings.items() if meaning is None}
    having: defaultdict[Hashable, set[int]] = defaultdict(silent.copy)
    for index, meaning in meanings.items():
        having[meaning].add(index)
    return having


def meaning(value: str | None) -> Hashable:
    """Return the meaning of a value, which is the same for all forms in which HubSpot may write it.

    None if it cannot be compared: it is empty, or adds to the existing value.
    """
    text = (value or "").strip()
    if not text or text[0] == ";":
        return None
    # Fast path: most texts begin with a letter.
    if not text[0].isalpha():
        if _NUMBER.fullmatch(text):
            return Decimal(text)
        if _DATE.fullmatch(text):
            return _milliseconds(text)
    if ";" in text:
        return tuple(sorted(text.casefold().split(";")))
    return text.casefold()


def _milliseconds(text: str) -> Hashable:
    """Return a date in milliseconds since 1970, another form of HubSpot."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    return Decimal(round(moment.replace(tzinfo=moment.tzinfo or UTC).timestamp() * 1000))
