"""Searches: what one asks for, and which records it finds (docs/behaviour.md, "Search")."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from fnmatch import fnmatchcase
from typing import Any, Literal, TypeAlias

import msgspec
from msgspec import Struct

from hubspot_batch.sandbox import _bodies
from hubspot_batch.sandbox._bodies import Refusal
from hubspot_batch.sandbox._formats import moment_of, write_moment
from hubspot_batch.sandbox._requests import read_body, text_of
from hubspot_batch.sandbox._schemas import ObjectSchema, Values
from hubspot_batch.sandbox._store import OneOf, Within

_MOST_GROUPS = 5
_MOST_IN_A_GROUP = 6
_MOST_FILTERS = 18
_MOST_SORTS = 1
_LONGEST_QUERY = 3_000
_LARGEST_PAGE = 200
_MOST_RESULTS = 10_000
_MOST_SURE = 500
"""How many values a store looks for; beyond that, it is as fast to look at each record."""

_LINKED = "associations."
_NUMBER = re.compile(r"\d{1,9}", re.ASCII)
_SPACED = re.compile(r"[^\s,;]+")
_WORD = re.compile(r"\w+")

Operator: TypeAlias = Literal[
    "EQ",
    "NEQ",
    "LT",
    "LTE",
    "GT",
    "GTE",
    "BETWEEN",
    "IN",
    "NOT_IN",
    "HAS_PROPERTY",
    "NOT_HAS_PROPERTY",
    "CONTAINS_TOKEN",
    "NOT_CONTAINS_TOKEN",
]
_NEEDED: Mapping[str, Sequence[str]] = {
    "BETWEEN": ("value", "highValue"),
    "IN": ("values",),
    "NOT_IN": ("values",),
    "HAS_PROPERTY": (),
    "NOT_HAS_PROPERTY": (),
}
"""The fields that an operator needs beside `propertyName`; `value` where it is not here."""
_COMPARED: Mapping[str, Callable[[Any, Any], bool]] = {
    "EQ": lambda value, other: bool(value == other),
    "NEQ": lambda value, other: bool(value != other),
    "LT": lambda value, other: bool(value < other),
    "LTE": lambda value, other: bool(value <= other),
    "GT": lambda value, other: bool(value > other),
    "GTE": lambda value, other: bool(value >= other),
}


class _Filter(Struct, rename="camel"):
    property_name: str
    operator: Operator
    value: Any = None
    high_value: Any = None
    values: list[Any] | None = None


class _Group(Struct, rename="camel"):
    filters: list[_Filter] = []


class _Sort(Struct, rename="camel"):
    property_name: str
    direction: Literal["ASCENDING", "DESCENDING"] = "ASCENDING"


class _Search(Struct, rename="camel"):
    filter_groups: list[_Group] | None = None
    filters: list[_Filter] | None = None
    sorts: list[_Sort | str] | None = None
    query: str | None = None
    properties: list[str] | None = None
    limit: int = 10
    after: Any = None


_SEARCH = msgspec.json.Decoder(_Search, strict=False, float_hook=str)


class Filter(Struct, frozen=True, kw_only=True):
    """A condition on a property of a record, or on the records that it is associated with.

    Attributes:
        name: The property, or `associations.` and an object type.
        operator: How the property is compared.
        values: What it is compared with: none, one, the two ends of a range, or a list.
    """

    name: str
    operator: Operator
    values: tuple[str, ...]


class SearchRequest(Struct, frozen=True, kw_only=True):
    """What a search asks for.

    Attributes:
        groups: A record has to fulfil all filters of one of them.
        words: The words of the query, in small letters.
        sort: The property to sort by; None for the time of creation.
        descending: Whether the largest value comes first.
        properties: The properties to return; None for those that HubSpot always returns.
        limit: How many records a page has.
        after: How many come before it.
        finds_empty: Whether `NEQ` and `NOT_IN` find records without a value.
    """

    groups: Sequence[Sequence[Filter]]
    words: Sequence[str]
    sort: str | None
    descending: bool
    properties: Sequence[str] | None
    limit: int
    after: int
    finds_empty: bool

    @property
    def finds_all(self) -> bool:
        """Whether it finds every record."""
        return not self.groups and not self.words

    @property
    def names(self) -> Collection[str]:
        """The properties that it looks at, and `associations.` with an object type."""
        names = {entry.name for group in self.groups for entry in group}
        return names if self.sort is None else names | {self.sort}


Linked: TypeAlias = Mapping[str, Collection[str]]
"""The ids of the records that one is associated with, by object type as a filter has written it."""
Condition: TypeAlias = Callable[[Values, Linked], bool]
"""Tells of a record, given all its properties and its associations, whether a search finds it."""


def read_search(content: bytes, schema: ObjectSchema, *, finds_empty: bool) -> SearchRequest | Refusal:
    """Return what a search asks for, or why it is refused.

    Args:
        content: The body.
        schema: The object type that is searched.
        finds_empty: Whether `NEQ` and `NOT_IN` find records without a value.
    """
    body = read_body(content, _SEARCH)
    if isinstance(body, Refusal):
        return body
    groups = [group.filters for group in body.filter_groups or ()]
    groups += [body.filters] if body.filters else []
    sorts = [_sort(entry) for entry in body.sorts or ()]
    after = "0" if body.after is None else str(body.after) or "0"
    problem = (
        _too_much(groups, sorts, body.query or "")
        or _bad_page(body.limit, after)
        or _bad_filters(groups, schema)
        or _bad_names([sort.property_name for sort in sorts], schema)
    )
    if problem:
        return problem
    sort = sorts[0] if sorts else None
    return SearchRequest(
        groups=[[_filter(entry) for entry in group] for group in groups],
        words=(body.query or "").lower().split(),
        sort=sort.property_name if sort else None,
        descending=sort is not None and sort.direction == "DESCENDING",
        properties=body.properties or None,
        limit=body.limit,
        after=int(after),
        finds_empty=finds_empty,
    )


def condition_of(request: SearchRequest, schema: ObjectSchema) -> Condition:
    """Return what tells of a record whether a search finds it.

    What the search compares with is worked out here, once, and not again for each record.

    Args:
        request: The search.
        schema: The object type of the records.
    """
    groups = [
        [_condition(entry, schema, empty=request.finds_empty) for entry in group] for group in request.groups
    ]

    def finds(properties: Values, linked: Linked) -> bool:
        if not _has_words(request.words, schema, properties):
            return False
        return not groups or any(all(meets(properties, linked) for meets in group) for group in groups)

    return finds


def hints_of(request: SearchRequest, schema: ObjectSchema) -> Sequence[OneOf | Within]:
    """Return what a store can look for: each record that a search finds is as one of these says.

    Args:
        request: The search.
        schema: The object type of the records.

    Returns:
        A hint for each group of filters; none at all if some group gives none.
    """
    hints = [[hint for entry in group if (hint := _hint(entry, schema))] for group in request.groups]
    found = [of_group[0] for of_group in hints if of_group]
    values = sum(len(hint.values) for hint in found if isinstance(hint, OneOf))
    return found if len(found) == len(hints) and values <= _MOST_SURE else ()


def _hint(entry: Filter, schema: ObjectSchema) -> OneOf | Within | None:
    if entry.name in {schema.created, schema.modified}:
        return _period(entry, created=entry.name == schema.created)
    rule = schema.properties.get(entry.name)
    if (
        entry.operator not in {"EQ", "IN"}
        or rule is None
        or rule.read_only
        or rule.kind not in {"text", "email", "enumeration", "boolean"}
        or entry.name in schema.computed({})
        or not (entry.name.isascii() and entry.name.isidentifier())
    ):
        return None
    fold = entry.operator == "EQ"
    return OneOf(entry.name, tuple(value.lower() if fold else value for value in entry.values))


def _period(entry: Filter, *, created: bool) -> Within | None:
    """Return the period in which a record was created or changed that meets a filter."""
    ends = [write_moment(found) for value in entry.values if (found := moment_of(value))]
    if not ends or len(ends) < len(entry.values):
        return None
    column: Literal["created_at", "updated_at"] = "created_at" if created else "updated_at"
    match entry.operator:
        case "EQ" | "BETWEEN":
            return Within(column, ends[0], ends[-1])
        case "GT" | "GTE":
            return Within(column, first=ends[0])
        case "LT" | "LTE":
            return Within(column, last=ends[0])
        case _:
            return None


def in_order(
    request: SearchRequest, schema: ObjectSchema, found: Iterable[tuple[str | None, str, int]]
) -> list[int]:
    """Return the ids of records in the order in which a search returns them; those without a value come last.

    Args:
        request: The search.
        schema: The object type of the records.
        found: Of each record: the value to sort by, the time of creation, and the id.
    """
    oldest_first = sorted(found, key=lambda entry: entry[1:])
    if request.sort is None:
        return [number for _, _, number in oldest_first]
    name = request.sort
    keyed = [(_sort_key(schema, name, value), number) for value, _, number in oldest_first if value]
    keyed.sort(key=lambda entry: entry[0], reverse=request.descending)
    return [number for _, number in keyed] + [number for value, _, number in oldest_first if not value]


def linked_type(name: str) -> str | None:
    """Return the object type of a filter that asks for associations, as it is written; None for others."""
    return name.removeprefix(_LINKED) if name.startswith(_LINKED) else None


def _sort(entry: "_Sort | str") -> _Sort:
    if isinstance(entry, _Sort):
        return entry
    name = entry.removeprefix("-")
    return _Sort(name, "ASCENDING" if name == entry else "DESCENDING")


def _filter(entry: _Filter) -> Filter:
    match entry.operator:
        case "BETWEEN":
            values: Sequence[Any] = (entry.value, entry.high_value)
        case "IN" | "NOT_IN":
            values = entry.values or ()
        case "HAS_PROPERTY" | "NOT_HAS_PROPERTY":
            values = ()
        case _:
            values = (entry.value,)
    return Filter(
        name=entry.property_name, operator=entry.operator, values=tuple(text_of(value) for value in values)
    )


def _too_much(groups: Sequence[Sequence[_Filter]], sorts: Sequence[_Sort], query: str) -> Refusal | None:
    for what, found, most in (
        ("filter groups", len(groups), _MOST_GROUPS),
        ("filters in a group", max(map(len, groups), default=0), _MOST_IN_A_GROUP),
        ("filters", sum(map(len, groups)), _MOST_FILTERS),
        ("sorts", len(sorts), _MOST_SORTS),
        ("characters in the query", len(query), _LONGEST_QUERY),
    ):
        if found > most:
            return _bodies.bad_search(f"The request has {found} {what}; the maximum is {most}.")
    return None


def _bad_page(limit: int, after: str) -> Refusal | None:
    if not 1 <= limit <= _LARGEST_PAGE:
        return _bodies.bad_search(f"limit must be from 1 to {_LARGEST_PAGE}.")
    if not _NUMBER.fullmatch(after):
        return _bodies.bad_search("after is not a number of records.")
    if int(after) + limit > _MOST_RESULTS:
        return _bodies.bad_search(f"A search returns at most {_MOST_RESULTS} results in all its pages.")
    return None


def _bad_filters(groups: Sequence[Sequence[_Filter]], schema: ObjectSchema) -> Refusal | None:
    for entry in (entry for group in groups for entry in group):
        given = {"value": entry.value, "highValue": entry.high_value, "values": entry.values}
        for name in _NEEDED.get(entry.operator, ("value",)):
            if given[name] is None:
                return _bodies.bad_filter(f"operator {entry.operator} requires a {name}")
        values = [value for value in (entry.value, entry.high_value) if value is not None]
        if any(isinstance(value, list | dict | None) for value in (*values, *(entry.values or ()))):
            return _bodies.bad_filter("a value is neither a text nor a number")
        if linked_type(entry.property_name) is None and (
            refusal := _bad_names([entry.property_name], schema)
        ):
            return refusal
    return None


def _bad_names(names: Sequence[str], schema: ObjectSchema) -> Refusal | None:
    known = {*schema.properties, schema.created, schema.modified}
    unknown = next((name for name in names if name not in known and not schema.is_read_only(name)), None)
    return None if unknown is None else _bodies.bad_search(f'Property "{unknown}" does not exist')


def _has_words(words: Sequence[str], schema: ObjectSchema, properties: Mapping[str, str | None]) -> bool:
    """Return whether each word begins a word of a text property."""
    if not words:
        return True
    rules = schema.properties
    texts = [
        value.lower()
        for name, value in properties.items()
        if value and name in rules and rules[name].kind in {"text", "email"} and not rules[name].read_only
    ]
    if not all(any(word in text for text in texts) for word in words):
        return False  # without the words of all texts, which take long to find
    found = {word for text in texts for word in (*_WORD.findall(text), *_SPACED.findall(text))}
    return all(any(known.startswith(word) for known in found) for word in words)


def _condition(entry: Filter, schema: ObjectSchema, *, empty: bool) -> Condition:
    """Return what tells of a record whether it meets a filter."""
    name, operator = entry.name, entry.operator
    object_type = linked_type(name)
    if object_type is not None:
        wanted = set(entry.values)
        return lambda _, linked: _is_linked(operator, wanted, linked.get(object_type, ()))
    if operator == "NOT_HAS_PROPERTY":
        return lambda properties, _: not properties.get(name)
    # Whether a record without a value meets it.
    absent = operator == "NOT_CONTAINS_TOKEN" or (empty and operator in {"NEQ", "NOT_IN"})
    agrees = _agreement(entry, schema)

    def meets(properties: Values, _: Linked) -> bool:
        value = properties.get(name)
        return agrees(value) if value else absent

    return meets


def _agreement(entry: Filter, schema: ObjectSchema) -> Callable[[str], bool]:
    """Return what tells of a value whether it is as a filter says."""
    name, operator = entry.name, entry.operator
    if operator == "HAS_PROPERTY":
        return lambda _: True
    if operator.endswith("CONTAINS_TOKEN"):
        contains = _contains(entry.values[0])
        return lambda value: contains(value.lower()) == (operator == "CONTAINS_TOKEN")
    # In a list, a text has to be given in small letters.
    listed = operator.endswith("IN")
    others = [_comparable(schema, name, other, fold=not listed) for other in entry.values]
    if listed:
        chosen = set(others)
        return lambda value: (_comparable(schema, name, value) in chosen) == (operator == "IN")

    def agrees(value: str) -> bool:
        own = _comparable(schema, name, value)
        if any(type(other) is not type(own) for other in others):
            return operator == "NEQ"
        if operator == "BETWEEN":
            return _COMPARED["GTE"](own, others[0]) and _COMPARED["LTE"](own, others[1])
        return _COMPARED[operator](own, others[0])

    return agrees


def _is_linked(operator: Operator, wanted: Collection[str], ids: Collection[str]) -> bool:
    """Return whether the records that one is associated with are as a filter says."""
    if operator.endswith("HAS_PROPERTY"):
        return bool(ids) == (operator == "HAS_PROPERTY")
    return any(text in wanted for text in ids) == (operator in {"EQ", "IN"})


def _comparable(
    schema: ObjectSchema, name: str, value: str, *, fold: bool = True
) -> Decimal | datetime | str:
    """Return a value in a form that can be compared: as a number, a time, or a text in small letters."""
    rule = schema.properties.get(name)
    kind = rule.kind if rule else "text"
    if kind in {"number", "money", "owner"}:
        try:
            number = Decimal(value)
        except InvalidOperation:
            return value
        # NaN cannot be compared.
        return number if number.is_finite() else value
    if kind in {"date", "datetime"}:
        return moment_of(value) or value
    return value.lower() if fold else value


def _sort_key(schema: ObjectSchema, name: str, value: str) -> tuple[str, Any]:
    comparable = _comparable(schema, name, value)
    return type(comparable).__name__, comparable


def _contains(pattern: str) -> Callable[[str], bool]:
    """Return what tells of a text whether it has all words of a pattern, in which `*` stands for anything."""
    parts = pattern.lower().split()
    certain = [max(part.split("*"), key=len) for part in parts]
    # Only `*` is special, not the other characters that fnmatch knows.
    patterns = [re.sub(r"([\[?])", r"[\1]", part) for part in parts]

    def contains(text: str) -> bool:
        if not all(letters in text for letters in certain):
            return False  # without the words of the text, which take long to find
        words = {text, *_SPACED.findall(text), *_WORD.findall(text)}
        return all(any(fnmatchcase(word, part) for word in words) for part in patterns)

    return contains
