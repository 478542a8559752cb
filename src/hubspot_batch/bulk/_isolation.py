"""Which rows are bad in a batch that HubSpot refused as a whole. Pure: it says what to send next.

Such a refusal (400, 409) has written nothing. It need not say which rows it is about, and may name some of
its faults only (docs/behaviour.md, "Atomicity" and "Error bodies"). What it names is used first, and holds
for later requests, too: a property that does not exist, a value that a property does not take, a record that
is not there. Rows with a mistake that is known by now are left out. Rows that are only mentioned are tried
apart from the others: an error text may repeat a value of a good row. Else the rows are halved until the bad
ones stand alone. For k bad rows of n that nothing is said of, this takes at most 2 k (log2(n / k) + 1) more
requests.
"""

import re
from collections.abc import Generator, Hashable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple, TypeAlias, TypeVar

import msgspec

from hubspot_batch.bulk._rows import Row, compared
from hubspot_batch.errors import ApiError
from hubspot_batch.replies._refusals import taken_value
from hubspot_batch.results import Reason, RecordError

_Value: TypeAlias = str | tuple[str, str] | None

# These are about the property itself, not its value.
_OF_A_PROPERTY = {"PROPERTY_DOESNT_EXIST", "READ_ONLY_VALUE"}
_MISSING = "MISSING_REQUIRED_PROPERTY"
# What one of these allows depends on the other.
_DEPENDS_ON = {"hs_pipeline_stage": "hs_pipeline"}
# How the messages begin in which HubSpot names a value (docs/behaviour.md, "Error bodies").
_AFTER_A_VALUE = (
    " was not a valid long.",
    " was not a valid integer",
    " was not one of the allowed options: [",
)
_QUOTED = re.compile(r'[Pp]roperty "([^"]+)"')
_NOT_UNIQUE = re.compile(r"by non-unique \S+ property (\S+)")
_NO_TARGET = "crm.associations."
# Of each kind. A value can have 65,536 characters.
_MOST_VALUES = 500


_Key = TypeVar("_Key", bound=Hashable)


class _Link(NamedTuple):
    id: str
    category: str
    type_id: int


class Mistakes:
    """The mistakes that refusals have named so far.

    Args:
        creating: Whether rows are new records, which need all that is required.
    """

    def __init__(self, *, creating: bool) -> None:
        self._creating = creating
        self._properties: dict[str, RecordError] = {}
        self._missing: dict[str, RecordError] = {}
        self._values: dict[tuple[str, _Value], RecordError] = {}
        self._ids: dict[tuple[str | None, str | None], RecordError] = {}
        self._targets: dict[_Link, RecordError] = {}
        self._taken: dict[tuple[str, str], RecordError] = {}
        self._id_properties: dict[str, RecordError] = {}

    def learn(self, rows: Sequence[Row], refusal: ApiError) -> None:
        """Keep what a refusal names of the rows of its request."""
        for reason in refusal.reasons:
            if (name := _property_of(reason)) is not None:
                self._learn_property(rows, name, reason, _error(refusal, (reason,)))
        error = _error(refusal, ())
        if (name := not_unique_property(refusal)) is not None:
            self._id_properties[name] = error
        self._learn_ids(rows, refusal, error)
        self._learn_taken(rows, refusal, error)
        _drop_oldest(self._values)
        _drop_oldest(self._ids)
        _drop_oldest(self._targets)
        _drop_oldest(self._taken)

    @property
    def are_known(self) -> bool:
        """Whether there is any."""
        return any(
            (
                self._properties,
                self._missing,
                self._values,
                self._ids,
                self._targets,
                self._taken,
                self._id_properties,
            )
        )

    def of(self, row: Row) -> RecordError | None:
        """Return what a row is refused for, with every mistake that is known; None where there is none."""
        found = [*self._found(row)]
        if not found:
            return None
        reasons = tuple(reason for error in found for reason in error.reasons)
        messages = {error.message for error in found}
        return RecordError(
            index=None,
            category=found[0].category,
            sub_category=found[0].sub_category,
            message=messages.pop() if len(messages) == 1 else None,
            reasons=reasons,
        )

    def _learn_property(self, rows: Sequence[Row], name: str, reason: Reason, error: RecordError) -> None:
        having = [row for row in rows if name in row.properties]
        if reason.code in _OF_A_PROPERTY and having:
            self._properties[name] = error
        elif reason.code == _MISSING and any(self._lacks(row, name) for row in rows):
            self._missing[name] = error
        elif (reason.code or "").startswith("INVALID_") and (
            value := _bad_value(having, name, reason.message or "")
        ) is not None:
            self._values[name, value] = error

    def _learn_ids(self, rows: Sequence[Row], refusal: ApiError, error: RecordError) -> None:
        if (refusal.sub_category or "").startswith(_NO_TARGET):
            for id_ in refusal.context.get("id", ()):
                links = {link for row in rows for link in _links(row) if link.id == id_}
                # Records of two types can have one id.
                if len(links) == 1:
                    self._targets[links.pop()] = error
        elif refusal.category == "OBJECT_NOT_FOUND":
            named = {*refusal.context.get("ids", ())}
            self._ids |= {_address(row): error for row in rows if row.wire.get("id") in named}
        for place in refusal.context.get("missingObjectPropertyValueCoordinates", ()):
            _, _, coordinates = place.partition(":")
            name, _, value = coordinates.partition(":")
            self._ids[name, value] = error

    def _learn_taken(self, rows: Sequence[Row], refusal: ApiError, error: RecordError) -> None:
        taken = taken_value(refusal)
        if taken is not None and taken.property is not None and taken.value is not None:
            values = [row.properties.get(taken.property) for row in rows]
            # Of several rows with the value, one could be written.
            if values.count(taken.value) == 1:
                self._taken[taken.property, taken.value] = error

    def _found(self, row: Row) -> Iterator[RecordError]:
        properties = row.properties
        for name in self._properties.keys() & properties.keys():
            yield self._properties[name]
        for name, error in self._missing.items():
            if self._lacks(row, name):
                yield error
        if self._values or self._taken:
            for name, value in properties.items():
                yield from _known(self._values, (name, _value_of(row, name)))
                yield from _known(self._taken, (name, value))
        yield from _known(self._id_properties, row.wire.get("idProperty"))
        yield from _known(self._ids, _address(row))
        for link in _links(row) if self._targets else ():
            yield from _known(self._targets, link)

    def _lacks(self, row: Row, name: str) -> bool:
        return not row.properties.get(name, "" if self._creating else "kept")


def _known(mistakes: Mapping[Any, RecordError], key: Hashable) -> Iterator[RecordError]:
    if (error := mistakes.get(key)) is not None:
        yield error


def not_unique_property(refusal: ApiError) -> str | None:
    """Return the `idProperty` that is refused because the account does not hold it unique."""
    found = _NOT_UNIQUE.search(refusal.message or "")
    return found[1] if found else None


def split(rows: Sequence[Row], refusal: ApiError) -> tuple[Sequence[Row], Sequence[Row]]:
    """Return rows in two parts: those that a refusal seems to be about first, else halves.

    Rows with one value of a property that is refused stay together, so that the value is soon alone.
    """
    if 0 < len(named := [row for row in rows if _is_mentioned(row, refusal)]) < len(rows):
        indexes = {row.index for row in named}
        return named, [row for row in rows if row.index not in indexes]
    for reason in refusal.reasons:
        name = _property_of(reason)
        groups: dict[str | None, list[Row]] = {}
        for row in rows:
            groups.setdefault(_text_of(row, name), []).append(row)
        if 1 < len(groups) < len(rows):
            return _halves_of(list(groups.values()))
    middle = len(rows) // 2
    return rows[:middle], rows[middle:]


def _halves_of(groups: Sequence[Sequence[Row]]) -> tuple[Sequence[Row], Sequence[Row]]:
    """Return groups of rows in two parts that are about as large as one another."""
    first: list[Row] = []
    second: list[Row] = []
    for group in sorted(groups, key=len, reverse=True):
        (first if len(first) <= len(second) else second).extend(group)
    return first, second


def _is_mentioned(row: Row, refusal: ApiError) -> bool:
    context = refusal.context
    if row.wire.get("objectWriteTraceId") in context.get("objectWriteTraceId", ()):
        return True
    if row.wire.get("id") in context.get("ids", ()):
        return True
    if any(link.id in context.get("id", ()) for link in _links(row)):
        return True
    if taken := taken_value(refusal):
        value = _text_of(row, taken.property)
        return bool(value and taken.value and compared(value) == compared(taken.value))
    return any(_is_in(_text_of(row, _property_of(reason)), reason) for reason in refusal.reasons)


def _text_of(row: Row, name: str | None) -> str | None:
    return None if name is None else row.properties.get(name)


def _is_in(value: str | None, reason: Reason) -> bool:
    """Return whether a value stands in the words of a reason, and not as a part of a longer word."""
    if not value or not reason.message:
        return False
    pieces = reason.message.split(value)
    return any(not (_ends_in_word(before) or _begins_with_word(after)) for before, after in pairwise(pieces))


def _ends_in_word(text: str) -> bool:
    return text[-1:].isalnum() or text.endswith("_")


def _begins_with_word(text: str) -> bool:
    return text[:1].isalnum() or text.startswith("_")


def _property_of(reason: Reason) -> str | None:
    if reason.property is not None:
        return reason.property
    found = _QUOTED.search(reason.message or "")
    return found[1] if found else None


def _bad_value(rows: Sequence[Row], name: str, message: str) -> _Value:
    """Return the value of a property, which the rows have, that is refused; None where that is not certain.

    It is certain where the rows have no other value, or where the message names it as HubSpot does.
    """
    values = {_value_of(row, name) for row in rows}
    if len(values) != 1:
        texts = {row.properties[name] for row in rows}
        named = [text for text in texts if _names(message, text)]
        if len(named) != 1:
            return None
        values = {_value_of(row, name) for row in rows if row.properties[name] == named[0]}
    return values.pop() if len(values) == 1 else None


def _names(message: str, value: str) -> bool:
    rest = message.removeprefix(value)
    if not value or len(rest) == len(message) or not rest.startswith(_AFTER_A_VALUE):
        return False
    # A value that is allowed is not at fault, even if the text begins with it.
    _, _, options = rest.partition("[")
    return value not in options.removesuffix("]").split(", ")


def _value_of(row: Row, name: str) -> _Value:
    """Return a value, with all that decides whether it is allowed; None where the row does not tell that."""
    properties = row.properties
    if name not in _DEPENDS_ON:
        return properties.get(name)
    other = properties.get(_DEPENDS_ON[name])
    return None if other is None else (properties[name], other)


def _error(refusal: ApiError, reasons: Sequence[Reason]) -> RecordError:
    return RecordError(
        index=None,
        category=refusal.category or f"HTTP_{refusal.status}",
        sub_category=refusal.sub_category,
        # The whole text is about other rows, too.
        message=None if reasons else refusal.message,
        reasons=reasons,
    )


def _address(row: Row) -> tuple[str | None, str | None]:
    return row.wire.get("idProperty"), row.wire.get("id")


def _drop_oldest(mistakes: dict[_Key, RecordError]) -> None:
    for oldest in [*mistakes][:-_MOST_VALUES]:
        del mistakes[oldest]


def _links(row: Row) -> Iterator[_Link]:
    if "associations" not in row.wire:
        return
    # As they were sent: the caller may have changed those that the row shares with its input.
    for association in msgspec.json.decode(row.content)["associations"]:
        for kind in association["types"]:
            yield _Link(association["to"]["id"], kind["associationCategory"], kind["associationTypeId"])


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
