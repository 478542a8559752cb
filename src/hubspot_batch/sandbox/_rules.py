"""Which property values HubSpot refuses, and in which words (docs/behaviour.md, "Error bodies")."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from msgspec import Struct

from hubspot_batch.sandbox._table import Property, Table

# Stricter than is proven in what the sources leave open: no exponent, no blanks, and a moment needs seconds
# and a time zone. What passes here passes at HubSpot.
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)", re.ASCII)
_WHOLE = re.compile(r"[+-]?\d{1,15}", re.ASCII)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT([01]\d|2[0-3]):\d\d:\d\d(\.\d{1,3})?(Z|[+-]\d\d:\d\d)", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LARGEST_OWNER = 2**31 - 1


class PropertyFault(Struct, frozen=True):
    """One property that is refused.

    Attributes:
        name: The property.
        code: HubSpot's code.
        message: HubSpot's words, with the value.
    """

    name: str
    code: str
    message: str


def faults_of(
    table: Table, properties: Mapping[str, str], needed: Sequence[str], *, creating: bool
) -> Iterator[PropertyFault]:
    """Yield what is wrong with the properties of one input.

    Args:
        table: The properties of the object type.
        properties: Those of the input.
        needed: Those that a record cannot be without.
        creating: Whether it is a new record, which has no others.
    """
    rules = table.properties
    for name, value in properties.items():
        rule = rules.get(name)
        if rule is None or rule.read_only:
            yield _unwritable(table, name)
        elif value and rule.kind != "text" and (fault := _value_fault(name, value, rule)):
            yield fault
    for name in needed:
        if not properties.get(name, "" if creating else "kept"):
            yield PropertyFault(name, "MISSING_REQUIRED_PROPERTY", f'Property "{name}" is required')


def _unwritable(table: Table, name: str) -> PropertyFault:
    if table.is_read_only(name):
        message = f'"{name}" is a read only property; its value cannot be set.'
        return PropertyFault(name, "READ_ONLY_VALUE", message)
    return PropertyFault(name, "PROPERTY_DOESNT_EXIST", f'Property "{name}" does not exist')


def _value_fault(name: str, value: str, rule: Property) -> PropertyFault | None:
    match rule.kind:
        case "number" | "money" if not _NUMBER.fullmatch(value):
            return PropertyFault(name, "INVALID_LONG", f"{value} was not a valid long.")
        case "owner" if not _is_owner(value):
            message = f"{value} was not a valid integer (for owner ID)."
            return PropertyFault(name, "INVALID_INTEGER", message)
        case "datetime" if moment_of(value) is None:
            return PropertyFault(name, "INVALID_LONG", f"{value} was not a valid long.")
        case "date":
            return _date_fault(name, value)
        case "boolean":
            return _option_fault(name, value, [value], ("true", "false"))
        case "enumeration":
            chosen = value.removeprefix(";").split(";") if rule.multiple else [value]
            return _option_fault(name, value, chosen, rule.options)
        case _:
            return None


def _option_fault(
    name: str, value: str, chosen: Sequence[str], options: Sequence[str]
) -> PropertyFault | None:
    if all(option in options for option in chosen):
        return None
    message = f"{value} was not one of the allowed options: [{', '.join(options)}]"
    return PropertyFault(name, "INVALID_OPTION", message)


def _is_owner(value: str) -> bool:
    return bool(_WHOLE.fullmatch(value)) and 0 < int(value) <= _LARGEST_OWNER


def _date_fault(name: str, value: str) -> PropertyFault | None:
    moment = moment_of(value)
    if moment is None:
        return PropertyFault(name, "INVALID_LONG", f"{value} was not a valid long.")
    if (moment - _EPOCH) % timedelta(days=1):
        time = f"{moment.hour}:{moment.minute}:{moment.second}.{moment.microsecond // 1000}"
        return PropertyFault(name, "INVALID_DATE", f"{value} is at {time} UTC, not midnight!")
    return None


def moment_of(value: str) -> datetime | None:
    """Return what a date means, None if it is none: a day, ISO 8601, or milliseconds since 1970."""
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
