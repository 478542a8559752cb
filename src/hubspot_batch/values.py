"""A Python value and the text that HubSpot takes for it.

HubSpot takes every property value as text (docs/behaviour.md, "Property values"). What has one obvious text
is converted; what has none is a problem that says what to write instead.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import NamedTuple, TypeAlias

Scalar: TypeAlias = str | int | float | Decimal | date
PropertyValue: TypeAlias = Scalar | Sequence[Scalar]
"""What a property may be given: text, a number, a bool, a date, an aware datetime, a list of options."""

# A float reaches 1.8e308. A Decimal may reach far beyond and would be written out digit by digit.
_MOST_DIGITS = 400


class Problem(NamedTuple):
    """Why a value cannot be sent, and what to write instead. Neither repeats the value."""

    problem: str
    remedy: str


def wire_text(value: object) -> str | Problem:
    """Return the text that stands for a property value.

    A bool becomes `true` or `false`, a number its digits without an exponent, a date `2026-09-01`, an aware
    datetime UTC with milliseconds, a list or tuple its options joined by `;`. Text stays as it is;
    whether it is Unicode is for `validation.JsonCopy` to say.
    """
    if convert := _EXACTLY.get(type(value)):
        return convert(value)
    for kind, convert in _CONVERSIONS:
        if isinstance(value, kind):
            return convert(value)
    return Problem(
        f"a value of type {type(value).__name__} has no text that HubSpot takes", "write it as text"
    )


def wire_id(value: object) -> str | Problem:
    """Return the text that stands for an id: text as it is, an int in digits."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return Problem(f"{_article(value)} is no id", "write the id as text or as an int")
    return wire_text(value)


def _none(_value: object) -> Problem:
    return Problem("None does not clear a property", 'write "" to clear it, or leave the property out')


def _bool(value: bool) -> str:  # noqa: FBT001 - the value is the subject
    return "true" if value else "false"


def _int(value: int) -> str | Problem:
    # Of an IntEnum, str would give the name.
    return int.__repr__(value) if abs(value) < 10**_MOST_DIGITS else _too_long()


def _float(value: float) -> str | Problem:
    if not math.isfinite(value):
        return _not_finite()
    return format(Decimal(float.__repr__(value)), "f")


def _decimal(value: Decimal) -> str | Problem:
    if not value.is_finite():
        return _not_finite()
    if abs(value.adjusted()) >= _MOST_DIGITS or len(value.as_tuple().digits) > _MOST_DIGITS:
        return _too_long()
    return format(value, "f")


def _datetime(value: datetime) -> str | Problem:
    try:
        if value.utcoffset() is None:
            return Problem(
                "a datetime without a time zone names no instant",
                "give it one: value.replace(tzinfo=...) or datetime.now(UTC)",
            )
        utc = value.astimezone(UTC)
    except (OverflowError, ValueError):  # the latter comes from NaT of pandas
        return Problem("the datetime has no year in UTC", "write it as text")
    return utc.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _options(values: Sequence[object]) -> str | Problem:
    texts = []
    for value in values:
        text = "" if isinstance(value, list | tuple) else wire_text(value)
        if isinstance(text, Problem):
            return text
        if not text or ";" in text:
            return Problem(
                "an option is empty, holds a semicolon or is itself a list",
                "write each option by its internal name",
            )
        texts.append(text)
    return ";".join(texts)


def _not_finite() -> Problem:
    return Problem("NaN and infinity are no numbers to HubSpot", 'leave the property out, or write ""')


def _too_long() -> Problem:
    return Problem(f"the number has more than {_MOST_DIGITS} digits", "write it as text")


def _article(value: object) -> str:
    return "None" if value is None else f"a value of type {type(value).__name__}"


# In this order: a bool is an int, a datetime is a date.
_CONVERSIONS: tuple[tuple[type, Callable[..., str | Problem]], ...] = (
    (str, str.__str__),
    (bool, _bool),
    (int, _int),
    (float, _float),
    (Decimal, _decimal),
    (datetime, _datetime),
    (date, date.isoformat),
    (list, _options),
    (tuple, _options),
    (type(None), _none),
)
# Of a value that is of no subclass, this is known at once.
_EXACTLY: Mapping[type, Callable[..., str | Problem]] = dict(_CONVERSIONS)
