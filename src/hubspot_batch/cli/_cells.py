"""What the text of a cell is for HubSpot, by a rule that says how the cells of a column are written. Pure.

A cell has one meaning, or it is refused: nothing is guessed.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from difflib import get_close_matches
from types import MappingProxyType
from typing import Literal, TypeAlias
from zoneinfo import ZoneInfo

from msgspec import Struct

from hubspot_batch.cli._dates import EXAMPLES, DateFormat, read_date
from hubspot_batch.contract import Problem, encode_value

Kind: TypeAlias = Literal["string", "number", "bool", "date", "datetime", "enumeration", "phone_number"]
"""The type of a property, in the words of HubSpot's definitions."""

KINDS: tuple[Kind, ...] = ("string", "number", "bool", "date", "datetime", "enumeration", "phone_number")
DECIMALS = (".", ",")
YES_OF_PROGRAMS = frozenset({"true", "1", "1.0", "wahr", "vrai", "verdadero", "vero"})
NO_OF_PROGRAMS = frozenset({"false", "0", "0.0", "falsch", "faux", "falso"})
"""What spreadsheets and pandas write for a bool."""
YES = YES_OF_PROGRAMS | {"yes", "ja", "oui", "si", "sí"}
NO = NO_OF_PROGRAMS | {"no", "nein", "non"}

_SPACES = " \u00a0\u2007\u2009\u202f"
_THOUSANDS = "'\u2019" + _SPACES
_BLANKS = re.compile(f"[{_SPACES}]+")
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)", re.ASCII)
_SCIENTIFIC = re.compile(r"[+-]?\d(\.\d+)?e[+-]?\d{1,2}", re.ASCII)
_OF_A_SPREADSHEET = re.compile(r"\d([.,]\d+)?E\+\d\d", re.ASCII)
# How exports keep a spreadsheet from reading a text as a number.
_TEXT_FORMULA = re.compile(r'="([^"]*)"')
_WHOLE_FLOAT = re.compile(r"-?(0|[1-9]\d*)\.0", re.ASCII)
_DIGITS = re.compile(r"[+-]?\d+([.,]\d*)?", re.ASCII)
# Invisible: a byte order mark, and a space without width.
_INVISIBLE = "\ufeff\u200b"
_OPTIONS_SHOWN = 10


class Choice(Struct, frozen=True):
    """An option of a property.

    Attributes:
        value: How requests name it.
        label: What people see.
    """

    value: str
    label: str


class CellRule(Struct, frozen=True, kw_only=True):
    """How the cells of a column are written, and what they are for.

    Attributes:
        kind: The type of the property; None if it is not known.
        decimal: What stands before the decimals; None takes the numbers that HubSpot takes.
        thousands: What may stand between groups of three digits. Without it, those that are not the decimal
            separator, where that is told.
        unit: A text before or behind each number, a currency for example.
        dates: How dates are written.
        zone: The time zone of times that name none.
        yes: The words for true, in lower case.
        no: The words for false, in lower case.
        words: Words of the file, each with what HubSpot gets for it.
        choices: The options of the property; empty if they are not known.
        several: Whether a cell may name several options, with semicolons between them.
        null: Texts that mean an empty cell.
        clear: Whether an empty cell clears the property. Otherwise it is left alone.
        trim: Whether blanks around a text are left out. Around other values, they always are.
        checked: Whether what HubSpot would not take is refused here. Otherwise it is sent as it is, unless
            it is a number in a date, which HubSpot would take for milliseconds.
        mends: Whether a text is mended that a spreadsheet has changed: `1001.0` and `="1001"` are `1001`.
    """

    kind: Kind | None = None
    decimal: str | None = None
    thousands: str | None = None
    unit: str = ""
    dates: Sequence[DateFormat] = ()
    zone: ZoneInfo | None = None
    yes: Collection[str] = YES
    no: Collection[str] = NO
    words: Mapping[str, str] = MappingProxyType({})
    choices: Sequence[Choice] = ()
    several: bool = False
    null: Collection[str] = frozenset()
    clear: bool = False
    trim: bool = False
    checked: bool = True
    mends: bool = False


def convert(value: object, rule: CellRule) -> object:
    """Return what HubSpot gets for a cell: a text, a `Problem`, or None to leave the property alone.

    A value that has a type already, from JSON or Parquet, stays as it is if it fits.
    """
    if not isinstance(value, str):
        return _typed(value, rule)
    text = value
    if rule.trim or rule.kind not in _TEXTS:
        text = value.strip()
        if not text.isascii():
            text = text.strip(_INVISIBLE).strip()
    if not text or (rule.null and text.strip() in rule.null):
        return "" if rule.clear else None
    if rule.words:
        word = rule.words.get(text)
        if word is not None:
            return word
        if not rule.choices and rule.kind == "enumeration":
            return Problem(
                "the mapping has no value for this option",
                f"add it to its options, which are {_listed(list(rule.words))}",
            )
    if not rule.checked and rule.kind in _DATES and not _DIGITS.fullmatch(text):
        return text
    result = _BY_KIND[rule.kind](text, rule)
    if isinstance(result, Problem) and not rule.checked and rule.kind not in _DATES:
        return value
    return result


def _typed(value: object, rule: CellRule) -> object:
    if value is None:
        return "" if rule.clear else None
    if rule.kind in _DATES and not isinstance(value, date | bool | list | tuple):
        text = encode_value(value)
        return value if isinstance(text, Problem) else convert(text, rule)
    if isinstance(value, Decimal) and rule.kind in _TEXTS:
        text = encode_value(value)
        return value if isinstance(text, Problem) else _text(text, rule)
    return value


def _any(text: str, _rule: CellRule) -> str:
    return text


def _text(text: str, rule: CellRule) -> str | Problem:
    if not rule.mends:
        return text
    if formula := _TEXT_FORMULA.fullmatch(text):
        return formula[1]
    if _WHOLE_FLOAT.fullmatch(text):
        # A program that had gaps in a column of whole numbers wrote them as floats.
        return text.removesuffix(".0")
    if _OF_A_SPREADSHEET.fullmatch(text):
        return Problem(
            "a spreadsheet has shortened a long number, and its last digits are lost",
            "format the column as text or as a number without decimals there, and save the file again",
        )
    return text


def _number(text: str, rule: CellRule) -> str | Problem:
    plain = text.replace("\u2212", "-")
    if rule.unit:
        plain = plain.removeprefix(rule.unit).removesuffix(rule.unit).strip()
    if plain.endswith("-") and plain[:-1].strip()[-1:].isdigit():
        # As accounting programs write it.
        plain = f"-{plain[:-1].strip()}"
    if rule.decimal is None and rule.thousands is None and _NUMBER.fullmatch(plain):
        return plain
    if _SCIENTIFIC.fullmatch(plain):
        return format(Decimal(plain), "f")
    if _OF_A_SPREADSHEET.fullmatch(plain):
        return Problem(
            "a spreadsheet has shortened a long number, and its last digits are lost",
            "format the column as a number there, and save the file again",
        )
    return _separated(plain, rule)


def _separated(text: str, rule: CellRule) -> str | Problem:
    """Return a number without separators of thousands, and with a decimal point."""
    decimal = rule.decimal or "."
    told = rule.decimal is not None or rule.thousands is not None
    groups = rule.thousands if rule.thousands is not None else _THOUSANDS + (".,".replace(decimal, ""))
    sign, digits = (text[0], text[1:].strip()) if text[:1] in ("+", "-") else ("", text)
    whole, point, fraction = digits.partition(decimal)
    if told and (whole or fraction) and _is_grouped(whole, groups) and _is_digits(fraction):
        plain = "".join(character for character in whole if character.isdigit()) or "0"
        return f"{sign}{plain}{'.' if point and fraction else ''}{fraction}"
    if not told and any(character.isdigit() for character in digits) and set(digits) <= _OF_NUMBERS:
        return Problem(
            "the number has separators that HubSpot does not take",
            "say which one stands before the decimals: --decimal , (or --decimal .)",
        )
    other = "," if decimal == "." else "."
    if told and other in digits and set(digits) <= _OF_NUMBERS:
        return Problem(
            f"the number has a {_name(other)} where no thousands end, and the decimals stand behind a "
            f"{_name(decimal)}",
            "correct the number, or say what separates decimals and thousands in this column",
        )
    return Problem(
        "this is not a number",
        "correct it; where it means that there is no value, say so with --null; "
        "where a unit stands beside each number, name it in a mapping file",
    )


_OF_NUMBERS = frozenset("0123456789.," + _THOUSANDS)


def _name(separator: str) -> str:
    return {",": "comma", ".": "point"}[separator]


def _is_digits(text: str) -> bool:
    return not text or (text.isascii() and text.isdigit())


def _is_grouped(whole: str, separators: str) -> bool:
    """Return whether digits have no separators, or one kind of them after each three."""
    if _is_digits(whole):
        return True
    used = {character for character in whole if character in separators}
    if len(used) != 1:
        return False
    first, *others = whole.split(used.pop())
    parts = (first, *others)
    return (
        all(map(_is_digits, parts))
        and 1 <= len(first) <= 3  # noqa: PLR2004 - thousands
        and not first.startswith("0")
        and all(len(part) == 3 for part in others)  # noqa: PLR2004
    )


def _bool(text: str, rule: CellRule) -> str | Problem:
    word = text.casefold()
    if word in rule.yes or word == "true":
        return "true"
    if word in rule.no or word == "false":
        return "false"
    return Problem(
        "this is neither yes nor no",
        f"write {_listed(sorted(rule.yes))} or {_listed(sorted(rule.no))}, or name the words of the file "
        "under yes and no of a mapping file",
    )


def _date(text: str, rule: CellRule) -> str | Problem:
    moment = _moment(text, rule)
    if isinstance(moment, Problem):
        return moment
    if not isinstance(moment, datetime):
        return moment.isoformat()
    if moment.time() == time.min:
        return moment.date().isoformat()
    return Problem(
        "the property is a day, and this has a time",
        "write the day only, or map the column to a property of type datetime",
    )


def _datetime(text: str, rule: CellRule) -> str | Problem:
    moment = _moment(text, rule)
    if isinstance(moment, Problem):
        return moment
    if not isinstance(moment, datetime):
        if rule.zone is None:
            # HubSpot takes it for midnight in UTC.
            return moment.isoformat()
        # Where the clock skips midnight, the day begins behind that.
        moment = datetime.combine(moment, time.min, rule.zone)
    placed = in_zone(moment, rule.zone)
    if isinstance(placed, Problem):
        return placed
    try:
        utc = placed.astimezone(UTC)
    except OverflowError:
        return Problem("the datetime has no year in UTC", "correct it")
    return f"{utc.replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"


def in_zone(moment: datetime, zone: ZoneInfo | None) -> datetime | Problem:
    """Return a datetime in its time zone, or in this one if it has none."""
    if moment.tzinfo is not None:
        return moment
    if zone is None:
        return _NO_ZONE
    placed = moment.replace(tzinfo=zone)
    try:
        shown = placed.astimezone(UTC).astimezone(zone)
    except OverflowError:
        return placed
    return placed if shown.replace(tzinfo=None) == moment else _SKIPPED


_NO_ZONE = Problem(
    "a datetime without a time zone names no instant", "say which one is meant: --timezone Europe/Berlin"
)
_SKIPPED = Problem(
    "there is no such time in this time zone: the clock skips that hour",
    "correct it, or say in which time zone the file is written: --timezone UTC for example",
)


def _moment(text: str, rule: CellRule) -> date | datetime | Problem:
    found = read_date(_BLANKS.sub(" ", text), rule.dates)
    if len(found) == 1:
        return found[0]
    if found:
        return Problem(
            "the date has more than one meaning in the formats that are told", "leave out one of them"
        )
    if _DIGITS.fullmatch(text):
        return Problem(
            "a number is not a date: HubSpot would count milliseconds from 1970",
            "say what it counts: --date-format excel, seconds or milliseconds, or yyyymmdd for example",
        )
    if rule.dates:
        told = " or ".join(known.text for known in rule.dates)
        return Problem(f"this is not a date that is written {told}", "correct it, or add its format")
    return Problem(
        "this is not a date that HubSpot takes", f"say how dates are written: --date-format {EXAMPLES}"
    )


def _enumeration(text: str, rule: CellRule) -> str | Problem:
    if not rule.choices and not rule.words:
        return text
    if not rule.several:
        return _option(text, rule)
    parts = []
    for part in text.removeprefix(";").split(";"):
        option = _option(part.strip(), rule)
        if isinstance(option, Problem):
            return option
        parts.append(option)
    # One that begins with a semicolon adds to the options that a record has.
    return f"{';' * text.startswith(';')}{';'.join(parts)}"


def _option(text: str, rule: CellRule) -> str | Problem:
    if (word := rule.words.get(text)) is not None:
        return word
    if any(choice.value == text for choice in rule.choices):
        return text
    if _WHOLE_FLOAT.fullmatch(text) and any(choice.value == text[:-2] for choice in rule.choices):
        return text[:-2]
    for same in (str, _folded):
        found = list(
            dict.fromkeys(choice.value for choice in rule.choices if same(choice.label) == same(text))
        )
        if len(found) == 1:
            return found[0]
        if found:
            return Problem(
                f"{len(found)} options have this label", f"write the value that is meant: {_listed(found)}"
            )
    labels = [choice.label for choice in rule.choices]
    close = get_close_matches(text, labels, n=1)
    shown = [choice for choice in rule.choices if choice.label in close] or rule.choices
    told = [
        choice.value if choice.value == choice.label else f"{choice.value} ({choice.label})"
        for choice in shown
    ]
    return Problem(
        "this is not an option of the property",
        f"did you mean {told[0]}?" if close else f"its options are {_listed(told)}",
    )


def _folded(text: str) -> str:
    return " ".join(text.split()).casefold()


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _OPTIONS_SHOWN:,} more" if len(names) > _OPTIONS_SHOWN else ""
    return f"{', '.join(names[:_OPTIONS_SHOWN])}{more}"


# Blanks around these may belong to them.
_TEXTS = (None, "string", "phone_number")
# HubSpot would take digits in them for milliseconds.
_DATES = ("date", "datetime")
_BY_KIND = {
    None: _any,
    "string": _text,
    "phone_number": _text,
    "number": _number,
    "bool": _bool,
    "date": _date,
    "datetime": _datetime,
    "enumeration": _enumeration,
}
