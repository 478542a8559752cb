"""What an account's property definitions say of the properties of an input. Pure.

What HubSpot is known to refuse is a fault. Where its rules are not known, nothing is said: a check never
refuses what HubSpot takes (docs/behaviour.md, "Property values").
"""

import difflib
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import TypeAlias

from hubspot_batch.contract._values import Problem
from hubspot_batch.results import PropertyDefinition

LONGEST_TEXT = 65_536
# Of a new record (docs/behaviour.md, "Orders" and "Commerce payments").
_REQUIRED: Mapping[str, tuple[str, ...]] = {
    "orders": ("hs_order_name",),
    "commerce_payments": ("hs_initial_amount", "hs_initiated_date"),
}
_NUMBER = re.compile(r"\s*[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?\s*")
_WHOLE = re.compile(r"\s*[+-]?\d+\s*")
_DAY = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})($|[T ])", re.ASCII)
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)", re.ASCII)
_MILLISECONDS_OF_A_DAY = 86_400_000
_LONGEST_WHOLE = 40
_OPTIONS_SHOWN = 10

_Rule: TypeAlias = Callable[[str], Problem | None]


class AccountRules:
    """The rules of one object type of an account.

    Args:
        object_type: The object type.
        definitions: Its property definitions, by name.
    """

    def __init__(self, object_type: str, definitions: Mapping[str, PropertyDefinition]) -> None:
        self._required = _REQUIRED.get(object_type, ())
        self._definitions = {
            name: definition for name, definition in definitions.items() if not definition.archived
        }
        self._rules: dict[str, _Rule] = {}

    @cached_property
    def unique(self) -> frozenset[str]:
        """The properties whose values are unique and can be written."""
        return frozenset(
            name
            for name, definition in self._definitions.items()
            if definition.has_unique_value and not definition.read_only
        )

    def faults(self, properties: Mapping[str, str], *, creates: bool) -> Iterator[tuple[str, Problem]]:
        """Yield what HubSpot refuses of the properties of an input, each with the name of the property.

        Args:
            properties: Names and values, all of them text.
            creates: Whether the record is new, so that it has no other properties.
        """
        for name, value in properties.items():
            rule = self._rules.get(name)
            if rule is None:
                rule = self._rules[name] = self._rule_for(name)
            if (problem := rule(value)) is not None:
                yield name, problem
        if creates:
            for name in self._required:
                if not properties.get(name):
                    yield name, Problem("a new record needs this property", "give it a value")

    def _rule_for(self, name: str) -> _Rule:
        definition = self._definitions.get(name)
        if definition is None:
            problem = None if name.lower() in self._definitions else self._unknown(name)
        elif definition.read_only:
            problem = Problem("the account does not let this property be written", "leave it out")
        else:
            return _rule_of(definition)
        return lambda _value: problem

    def _unknown(self, name: str) -> Problem:
        labels = {definition.label.casefold(): known for known, definition in self._definitions.items()}
        near = labels.get(name.casefold()) or _closest(name, self._definitions)
        remedy = "leave it out, or make it in HubSpot" if near is None else f"did you mean {near!r}?"
        return Problem("the account has no property of this name", remedy)


def _rule_of(definition: PropertyDefinition) -> _Rule:
    """Return what says what is wrong with a value of a property. An empty one clears it."""
    rule = _special_rule_of(definition)

    def check(value: str) -> Problem | None:
        if not value:
            return None
        if len(value) > LONGEST_TEXT:
            return Problem(
                f"the value has {len(value):,} characters", f"shorten it to {LONGEST_TEXT:,} characters"
            )
        return None if rule is None else rule(value)

    return check


def _special_rule_of(definition: PropertyDefinition) -> _Rule | None:
    match definition.type:
        case "number":
            return _number
        case "bool":
            return _bool
        case "date":
            return _date
        case "datetime":
            return _datetime
        case "enumeration" if (
            definition.options and not definition.external_options and not definition.referenced_object_type
        ):
            return _Options(definition)
    return None


def _number(value: str) -> Problem | None:
    if _NUMBER.fullmatch(value):
        return None
    remedy = "write digits, with a point before the decimals"
    return Problem(
        "the value is not a number", f"{remedy} and without separators" if "," in value else remedy
    )


def _bool(value: str) -> Problem | None:
    if value.strip().lower() in {"true", "false"}:
        return None
    return Problem("the value is neither true nor false", "write true or false")


def _date(value: str) -> Problem | None:
    if (problem := _datetime(value)) is not None:
        return problem
    if _is_midnight(value):
        return None
    return Problem("the value is a time of day, not a date", "write the date alone, like 2026-09-01")


def _is_midnight(value: str) -> bool:
    """Return whether a time is midnight in UTC, or may be."""
    if _WHOLE.fullmatch(value):
        return int(value) % _MILLISECONDS_OF_A_DAY == 0
    if not _MOMENT.fullmatch(value):
        return True
    try:
        moment = datetime.fromisoformat(value)
        return (moment - datetime(1970, 1, 1, tzinfo=UTC)) % timedelta(days=1) == timedelta()
    except ValueError:
        return True


def _datetime(value: str) -> Problem | None:
    if _WHOLE.fullmatch(value) and len(value) <= _LONGEST_WHOLE:
        return None
    return _no_day(value)


def _no_day(value: str) -> Problem | None:
    """Return why a text does not begin with a date that exists."""
    found = _DAY.match(value.strip())
    if found is None:
        return Problem(
            "the value is not a date that HubSpot reads",
            "write it like 2026-09-01 or 2026-09-01T08:15:00Z, or in milliseconds since 1970",
        )
    year, month, day = int(found[1]), int(found[2]), int(found[3])
    try:
        date(year, month, day)
    except ValueError:
        return Problem("there is no such day", "correct it")
    return None


class _Options:
    """The rule of a property with options."""

    def __init__(self, definition: PropertyDefinition) -> None:
        self._takes_several = definition.field_type not in {"select", "radio", "booleancheckbox"}
        self._values = frozenset(option.value for option in definition.options)
        self._labels = {option.label.casefold(): option.value for option in definition.options}

    def __call__(self, value: str) -> Problem | None:
        if value in self._values:
            return None
        chosen = [part.strip() for part in value.split(";")] if self._takes_several else [value]
        wrong = [part for part in chosen if part and part not in self._values]
        if not wrong:
            return None
        problem = "the value is not one of the options"
        near = self._labels.get(wrong[0].strip().casefold())
        if near is not None:
            return Problem(problem, f"write {near!r}, which is the value of the option with this label")
        if not self._takes_several and all(part.strip() in self._values for part in value.split(";") if part):
            return Problem("the property takes one option only", "choose one of them")
        if (close := _closest(wrong[0], self._values)) is not None:
            return Problem(problem, f"did you mean {close!r}?")
        return Problem(problem, f"write {_listed(sorted(self._values))}")


def _closest(name: str, known: Mapping[str, object] | frozenset[str]) -> str | None:
    # A long text is near none, and takes long to compare.
    close = difflib.get_close_matches(name[:100], known, n=1)
    return close[0] if close else None


def _listed(values: list[str]) -> str:
    shown = [repr(value) for value in values[:_OPTIONS_SHOWN]]
    rest = len(values) - len(shown)
    if rest:
        return f"{', '.join(shown)}, or one of {rest} more"
    return " or ".join(part for part in (", ".join(shown[:-1]), shown[-1]) if part)
