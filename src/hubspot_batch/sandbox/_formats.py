"""The formats of property values: what HubSpot refuses, how it writes a value, how a definition names it.

A value changes its form, never its meaning (docs/behaviour.md, "Property values").
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache, partial
from typing import TypeAlias

from msgspec import Struct

from hubspot_batch.sandbox._schemas import Kind, Property

LONGEST_TEXT = 65_536

# Stricter than is proven where the sources leave it open: no exponent, no blanks, and a time needs seconds
# and a time zone. What passes here passes at HubSpot.
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)", re.ASCII)
_LONGEST_NUMBER = 1_000
_WHOLE = re.compile(r"[+-]?\d{1,15}", re.ASCII)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT([01]\d|2[0-3]):\d\d:\d\d(\.\d{1,3})?(Z|[+-]\d\d:\d\d)", re.ASCII)
_LONGEST_MOMENT = len("2026-09-01T08:00:00.000+00:00")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LARGEST_OWNER = 2**31 - 1
BOOLEANS = ("true", "false")

Problem: TypeAlias = tuple[str, str]
"""HubSpot's code and message."""


class Format(Struct, frozen=True, kw_only=True):
    """One format of property values.

    Attributes:
        type: The type that a property definition names.
        field_type: The field type that it names.
        problem: Returns why HubSpot refuses a value, or None.
        write: Returns a valid value in the form in which HubSpot stores it.
    """

    type: str
    field_type: str
    problem: Callable[[str, Property], Problem | None]
    write: Callable[[str], str] = str


def moment_of(value: str) -> datetime | None:
    """Return the time that a value means: a day, ISO 8601, or milliseconds since 1970; None if invalid."""
    return _moment_of(value) if len(value) <= _LONGEST_MOMENT else None


@lru_cache(maxsize=10_000)  # a search looks at the same times again and again
def _moment_of(value: str) -> datetime | None:
    try:
        if _WHOLE.fullmatch(value):
            return _EPOCH + timedelta(milliseconds=int(value))
        if _DAY.fullmatch(value):
            return datetime.fromisoformat(value).replace(tzinfo=UTC)
        if _MOMENT.fullmatch(value):
            return datetime.fromisoformat(value).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return None


def write_moment(moment: datetime) -> str:
    """Return a time as HubSpot writes those of creation and change; it has milliseconds."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def write_number(value: str, decimals: int) -> str:
    """Return a number with at least `decimals` decimals and without redundant zeros."""
    whole, _, fraction = value.lstrip("+-").partition(".")
    fraction = fraction.rstrip("0").ljust(decimals, "0")
    digits = f"{whole.lstrip('0') or '0'}{'.' if fraction else ''}{fraction}"
    return f"-{digits}" if value.startswith("-") and digits.strip("0.") else digits


def _not_a_long(value: str) -> Problem:
    return "INVALID_LONG", f"{value} was not a valid long."


def _text_problem(value: str, _rule: Property) -> Problem | None:
    if len(value) <= LONGEST_TEXT:
        return None
    # HubSpot's words are not known.
    return "INVALID_MAX_LENGTH", f"The value has {len(value)} characters; the maximum is {LONGEST_TEXT}."


def _number_problem(value: str, rule: Property) -> Problem | None:
    if len(value) > _LONGEST_NUMBER or not _NUMBER.fullmatch(value):
        return _not_a_long(value)
    if rule.minimum is not None and Decimal(value) < rule.minimum:
        # HubSpot's words are not known.
        return "INVALID_MIN_NUMBER", f"{value} is less than the minimum of {rule.minimum}."
    return None


def _owner_problem(value: str, _rule: Property) -> Problem | None:
    if _WHOLE.fullmatch(value) and 0 < int(value) <= _LARGEST_OWNER:
        return None
    return "INVALID_INTEGER", f"{value} was not a valid integer (for owner ID)."


def _datetime_problem(value: str, _rule: Property) -> Problem | None:
    return _not_a_long(value) if moment_of(value) is None else None


def _date_problem(value: str, _rule: Property) -> Problem | None:
    moment = moment_of(value)
    if moment is None:
        return _not_a_long(value)
    if (moment - _EPOCH) % timedelta(days=1):
        time = f"{moment.hour}:{moment.minute}:{moment.second}.{moment.microsecond // 1000}"
        return "INVALID_DATE", f"{value} is at {time} UTC, not midnight!"
    return None


def _boolean_problem(value: str, _rule: Property) -> Problem | None:
    return _option_problem(value, [value], BOOLEANS)


def _enumeration_problem(value: str, rule: Property) -> Problem | None:
    chosen = value.removeprefix(";").split(";") if rule.multiple else [value]
    return _option_problem(value, chosen, rule.options)


def _option_problem(value: str, chosen: Sequence[str], options: Sequence[str]) -> Problem | None:
    if all(option in options for option in chosen):
        return None
    return "INVALID_OPTION", f"{value} was not one of the allowed options: [{', '.join(options)}]"


def _write_datetime(value: str) -> str:
    moment = _valid(value)
    precision = "milliseconds" if moment.microsecond else "seconds"
    return moment.isoformat(timespec=precision).replace("+00:00", "Z")


def _write_date(value: str) -> str:
    return _valid(value).date().isoformat()


def _valid(value: str) -> datetime:
    moment = moment_of(value)
    assert moment is not None  # noqa: S101 - for the type checkers: only valid values are written
    return moment


FORMATS: Mapping[Kind, Format] = {
    "text": Format(type="string", field_type="text", problem=_text_problem),
    "email": Format(type="string", field_type="text", problem=_text_problem, write=str.lower),
    "number": Format(
        type="number", field_type="number", problem=_number_problem, write=partial(write_number, decimals=0)
    ),
    "money": Format(
        type="number", field_type="number", problem=_number_problem, write=partial(write_number, decimals=2)
    ),
    "boolean": Format(type="bool", field_type="booleancheckbox", problem=_boolean_problem),
    "date": Format(type="date", field_type="date", problem=_date_problem, write=_write_date),
    "datetime": Format(type="datetime", field_type="date", problem=_datetime_problem, write=_write_datetime),
    "enumeration": Format(type="enumeration", field_type="select", problem=_enumeration_problem),
    "owner": Format(type="enumeration", field_type="select", problem=_owner_problem),
}
"""Every format: what a value of this kind may be, and what HubSpot makes of it."""
