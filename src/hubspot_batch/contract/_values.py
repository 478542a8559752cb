"""Conversion of Python values to the text that HubSpot expects.

HubSpot expects every property value as text (docs/behaviour.md, "Property values"). A value with one obvious
text is converted; any other is a problem that says what to write instead.
"""

import math
import struct
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias, TypeGuard

import msgspec

if TYPE_CHECKING:
    Scalar: TypeAlias = str | int | float | Decimal | date
    PropertyValue: TypeAlias = Scalar | Sequence[Scalar]
else:
    # Libraries that read types at run time reject the union: its members look the same in JSON.
    PropertyValue = Any
"""A property value: text, a number, a bool, a date, an aware datetime, or a list of options."""

# A float has at most 309 digits before the point. A Decimal, written without an exponent, can have many more.
_MOST_DIGITS = 400
_TOO_LARGE = 10**_MOST_DIGITS


class Problem(NamedTuple):
    """Why a value cannot be sent, and what to write instead. It does not repeat the value."""

    problem: str
    remedy: str


class Unreadable(NamedTuple):
    """A value that could not be read from its source."""

    problem: Problem


def encode_value(value: object) -> str | Problem:
    """Return a property value as text.

    A bool becomes `true` or `false`, a number its digits without an exponent, a whole float those of a whole
    number, a date `2026-09-01`, an aware datetime UTC with milliseconds, a list or tuple its options joined
    by `;`. An enum member is what it holds, if its class is also one of these, and a scalar of numpy the
    value that it shows. Text stays as it is; whether it is Unicode is for `validation.JsonCopy` to say.
    """
    if convert := _EXACTLY.get(type(value)):
        return convert(value)
    for kind, convert in _CONVERSIONS:
        if isinstance(value, kind):
            return convert(value)
    return _numpy_text(value) if _is_numpy_scalar(value) else _no_text(value)


def encode_id(value: object) -> str | Problem:
    """Return an id as text."""
    if type(value) is int and 0 <= value < _TOO_LARGE:
        return repr(value)
    if isinstance(value, Unreadable):
        return value.problem
    if _is_numpy_scalar(value) and value.dtype.kind in "iu":
        value = value.item()
    if isinstance(value, bool) or not isinstance(value, str | int):
        return Problem(f"{_article(value)} is not an id", "write the id as text or as an int")
    return encode_value(value)


def shortest_float(value: object, size: Literal["e", "f"]) -> object:
    """Return a float of 16 ("e") or 32 ("f") bits as the float with the shortest equal text.

    Any value but a finite float is returned unchanged.
    """
    if not isinstance(value, float) or not math.isfinite(value):
        return value
    candidates = (float(f"{value:.{digits}g}") for digits in range(1, 10))
    return next((short for short in candidates if _stored(short, size) == value), value)


def _stored(value: float, size: str) -> float:
    try:
        (stored,) = struct.unpack(size, struct.pack(size, value))
    except OverflowError:
        return math.inf
    return stored  # type: ignore[no-any-return]


def _none(_value: object) -> Problem:
    return Problem("None does not clear a property", 'write "" to clear it, or leave the property out')


def _bool(value: bool) -> str:  # noqa: FBT001 - the value is the subject
    return "true" if value else "false"


# A subclass may have its own format, as enums do, so the methods of the base class are called.


def _int(value: int) -> str | Problem:
    return int.__repr__(value) if -_TOO_LARGE < value < _TOO_LARGE else _too_long()


def _float(value: float) -> str | Problem:
    if not math.isfinite(value):
        return _not_finite()
    text = float.__repr__(value)
    return _without_point(format(Decimal(text), "f") if "e" in text else text)


def _without_point(text: str) -> str:
    """Return the digits of a float, without the decimal point if it is a whole number."""
    text = text.removesuffix(".0")
    return "0" if text == "-0" else text


def _decimal(value: Decimal) -> str | Problem:
    if not Decimal.is_finite(value):
        return _not_finite()
    text = Decimal.__str__(value)
    if "E" in text:
        if abs(Decimal.adjusted(value)) >= _MOST_DIGITS:
            return _too_long()
        text = Decimal.__format__(value, "f")
    if len(text) > _MOST_DIGITS and len(Decimal.as_tuple(value).digits) > _MOST_DIGITS:
        return _too_long()
    return text


def _datetime(value: datetime) -> str | Problem:
    if type(value) is datetime and value.tzinfo is UTC:
        # A fifth of the time that isoformat takes.
        text = msgspec.json.encode(value).decode()
        return f"{text[1:24]}Z" if value.microsecond else f"{text[1:20]}.000Z"
    if value != value:  # noqa: PLR0124 - NaT of pandas is a datetime
        return _missing("NaT")
    try:
        offset = value.utcoffset()
        if offset is None:
            return _no_instant("value.replace(tzinfo=...) or datetime.now(UTC)")
        utc = datetime.combine(value.date(), value.time()) - offset
    except (OverflowError, ValueError):
        return Problem("the datetime has no year in UTC", "write it as text")
    return f"{utc.isoformat(timespec='milliseconds')}Z"


def _options(values: Sequence[object]) -> str | Problem:
    if hasattr(values, "_fields") or hasattr(values, "n_fields"):
        # A named tuple is not a list of options: an interval of Arrow for example.
        return _no_text(values)
    texts = []
    for value in values:
        text = "" if isinstance(value, list | tuple) else encode_value(value)
        if isinstance(text, Problem):
            return text
        if not text or ";" in text:
            return Problem(
                "an option is empty, holds a semicolon or is itself a list",
                "write each option by its internal name",
            )
        texts.append(text)
    return ";".join(texts)


def _is_numpy_scalar(value: Any) -> TypeGuard[Any]:  # noqa: ANN401 - numpy is not imported for this
    return type(value).__module__ == "numpy" and getattr(value, "shape", None) == ()


def _numpy_text(value: Any) -> str | Problem:  # noqa: ANN401 - a scalar of numpy
    match value.dtype.kind:
        case "b" | "i" | "u":
            return encode_value(value.item())
        case "f":
            # str() of a numpy float is the shortest text for its size.
            text = _decimal(Decimal(str(value)))
            return text if isinstance(text, Problem) else _without_point(text)
        case "M" | "m" if value != value:  # noqa: PLR0124 - NaT
            return _missing("NaT")
        case "M" if str(value.dtype) == "datetime64[D]":
            return str(value)
        case "M":
            return _no_instant('pandas.Timestamp(value, tz="UTC")')
        case _:
            return _no_text(value)


def _no_text(value: object) -> Problem:
    if type(value).__name__ == "NAType":  # of pandas
        return _missing("NA")
    if isinstance(value, Enum):
        remedy = "write its value: member.value"
    elif isinstance(value, bytes | bytearray):
        remedy = "make text of it: value.decode()"
    elif isinstance(value, AbstractSet):
        remedy = "write a list"
    elif getattr(value, "shape", ()) and callable(getattr(value, "tolist", None)):
        remedy = "write a list: value.tolist()"
    else:
        remedy = "write it as text"
    return Problem(f"{_article(value)} has no text that HubSpot takes", remedy)


def _no_instant(remedy: str) -> Problem:
    return Problem("a datetime without a time zone names no instant", f"give it one: {remedy}")


def _missing(name: str) -> Problem:
    return Problem(f"{name} says that there is no value", 'leave the property out, or write "" to clear it')


def _not_finite() -> Problem:
    return Problem(
        "HubSpot takes neither NaN nor infinity as a number", 'leave the property out, or write ""'
    )


def _too_long() -> Problem:
    return Problem(f"the number has more than {_MOST_DIGITS} digits", "write it as text")


def _article(value: object) -> str:
    if value is None:
        return "None"
    kind = type(value)
    # numpy calls its types bool and str_.
    return f"a value of type {'numpy.' if kind.__module__ == 'numpy' else ''}{kind.__name__}"


# In this order: a bool is an int, a datetime is a date.
_CONVERSIONS: tuple[tuple[type, Callable[..., str | Problem]], ...] = (
    (str, str.__str__),
    (bool, _bool),
    (int, _int),
    (float, _float),
    (Decimal, _decimal),
    (datetime, _datetime),
    (date, date.isoformat),
    (Unreadable, attrgetter("problem")),
    (list, _options),
    (tuple, _options),
    (type(None), _none),
)
# Fast path for exact types.
_EXACTLY: Mapping[type, Callable[..., str | Problem]] = dict(_CONVERSIONS)
