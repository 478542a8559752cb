"""Formats of dates and times: how they are written, and what a text in them means. Pure.

A format is written with letters, `dd.mm.yyyy HH:MM`, or as Python has it, `%d.%m.%Y %H:%M`. Behind an
hour or before a second, `m` is the minute, as in a spreadsheet. `excel`, `seconds` and `milliseconds` are
formats, too.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from itertools import pairwise
from typing import NamedTuple, TypeAlias

from msgspec import Struct

from hubspot_batch.errors import ConfigurationError

Moment: TypeAlias = date | datetime
"""A day, or a day with a time, which may have a time zone."""

EXAMPLES = "dd.mm.yyyy, dd.mm.yyyy HH:MM, mm/dd/yyyy or %d.%m.%Y"

_TOKEN = re.compile(
    r"(?P<python>%[A-Za-z%])|(?P<half>am/pm|tt|a(?![a-z]))|(?P<letters>d+|m+|y+|h+|s+|f+|z+)"
    r"|'(?P<quoted>[^']*)'|(?P<literal>[^a-z%']|t(?=h|%))",
    re.IGNORECASE,
)
_PYTHON = {
    "%d": "day",
    "%m": "month",
    "%Y": "year",
    "%y": "short_year",
    "%H": "hour",
    "%I": "half_hour",
    "%M": "minute",
    "%S": "second",
    "%f": "fraction",
    "%p": "half",
    "%z": "zone",
    "%b": "month_name",
    "%B": "month_name",
}
_LETTERS = {
    "d": "day",
    "dd": "day",
    "m": "month",
    "mm": "month",
    "mmm": "month_name",
    "mmmm": "month_name",
    "yy": "short_year",
    "yyyy": "year",
    "h": "hour",
    "hh": "hour",
    "s": "second",
    "ss": "second",
}
_PATTERNS = {
    "day": r"(?P<day>\d{1,2})",
    "month": r"(?P<month>\d{1,2})",
    "month_name": r"(?P<month_name>[^\W\d_]+)\.?",
    "year": r"(?P<year>\d{4})",
    "short_year": r"(?P<short_year>\d\d)",
    "hour": r"(?P<hour>\d{1,2})",
    "half_hour": r"(?P<hour>\d{1,2})",
    "minute": r"(?P<minute>\d{1,2})",
    "second": r"(?P<second>\d{1,2})",
    "fraction": r"(?P<fraction>\d{1,9})",
    "half": r"(?P<half>[AaPp])\.?[Mm]\.?",
    "zone": r"(?P<zone>Z|[+-]\d\d:?\d\d)",
}
_MONTHS = (
    *(("jan", "january", "januar", "jänner"), ("feb", "february", "februar")),
    *(("mar", "march", "mär", "märz", "mrz"), ("apr", "april"), ("may", "mai"), ("jun", "june", "juni")),
    *(("jul", "july", "juli"), ("aug", "august"), ("sep", "sept", "september")),
    *(("oct", "october", "okt", "oktober"), ("nov", "november"), ("dec", "december", "dez", "dezember")),
)
_MONTH_OF = {name: number for number, names in enumerate(_MONTHS, 1) for name in names}

_ISO_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_ISO_MOMENT = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d([.,]\d{1,9})?)?( ?(Z|[+-]\d\d:?\d\d))?", re.ASCII
)
_COUNT = re.compile(r"\d+([.,]\d*)?", re.ASCII)
# Day 0 of Excel, which believes that 1900 was a leap year: before March, it counts otherwise.
_EXCEL = date(1899, 12, 30)
_FIRST_OF_EXCEL = date(1900, 3, 1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY_SECONDS = 24 * 60 * 60
# Those from 2000 to 2050: none of them can be taken for another.
_SURE_DAYS = tuple((date(year, 1, 1) - _EXCEL).days for year in (2000, 2051))
_SURE_SECONDS = tuple((datetime(year, 1, 1, tzinfo=UTC) - _EPOCH).total_seconds() for year in (2000, 2051))
_DIGITS_OF_MILLISECONDS = 12
_FIRST_SHORT_YEAR_OF_1900 = 69


class _Field(NamedTuple):
    """A part of a format: a field with its name, or literal text."""

    name: str | None
    text: str = ""


# Before the first part of a format, and behind the last.
_EDGE = _Field(None)


class DateFormat(Struct, frozen=True, kw_only=True):
    """A format of dates.

    Attributes:
        text: How it is written in options and mapping files.
        pattern: What a text in this format looks like; None for a number of days or seconds.
        has_time: Whether it has a time.
        begins_with_year: Whether the year comes first.
    """

    text: str
    pattern: re.Pattern[str] | None = None
    has_time: bool
    begins_with_year: bool = False

    def read(self, text: str) -> Moment | None:
        """Return what a text means in this format; None if it is not written in it, or does not exist."""
        if self.pattern is None:
            return _COUNTS[self.text](text)
        if not (found := self.pattern.fullmatch(text)):
            return None
        try:
            return _moment({name: part for name, part in found.groupdict().items() if part is not None})
        except (ValueError, LookupError):
            return None


def date_format(text: str) -> DateFormat:
    """Return the format that a text describes.

    Raises:
        ConfigurationError: If it is not a format of dates.
    """
    if text in _COUNTS:
        return DateFormat(text=text, has_time=text != "excel")
    fields = list(_fields(text))
    names = [name for name, _ in fields if name]
    plain = [name.removeprefix("short_").removesuffix("_name") for name in names]
    for needed in ("day", "month", "year"):
        if plain.count(needed) != 1:
            what = "no" if needed not in plain else "more than one"
            raise ConfigurationError(
                f"the date format {text!r} has {what} {needed}; write {EXAMPLES} for example"
            )
    if len({*plain}) < len(plain):
        raise ConfigurationError(f"the date format {text!r} has a part twice; write {EXAMPLES} for example")
    if "half" in names and "half_hour" not in names and "hour" not in names:
        raise ConfigurationError(f"the date format {text!r} has no hour; write it before am/pm")
    pattern = "".join(_patterns(fields))
    return DateFormat(
        text=text,
        pattern=re.compile(pattern, re.ASCII if "month_name" not in names else 0),
        has_time="hour" in plain or "half_hour" in plain,
        begins_with_year=plain[0] == "year",
    )


def _patterns(fields: Sequence[_Field]) -> Iterator[str]:
    """Yield what each part of a format looks like. Digits that nothing separates have a fixed number."""
    around = [_EDGE, *fields, _EDGE]
    for before, field, after in zip(around, fields, around[2:], strict=False):
        if field.name is None:
            yield _literal(field.text)
        elif (before.name or after.name) and "half" not in (before.name, after.name):
            yield _PATTERNS[field.name].replace("{1,2}", "{2}")
        else:
            yield _PATTERNS[field.name]


def _literal(text: str) -> str:
    return r"\s+" if text.isspace() else re.escape(text)


def _fields(text: str) -> Iterator[_Field]:
    parts: list[_Field] = []
    end = 0
    for found in _TOKEN.finditer(text):
        if found.start() != end:
            break
        end = found.end()
        parts.append(_field(found, text))
    if end != len(text):
        raise ConfigurationError(
            f"{text[end:]!r} in the date format {text!r} has no meaning; write {EXAMPLES} for example, "
            "and other words in single quotes"
        )
    named = [_EDGE, *(part for part in parts if part.name), _EDGE]
    minutes = {
        id(part)
        for (before, part), (_, after) in zip(pairwise(named), pairwise(named[1:]), strict=False)
        if part.name == "month" and (before.name in ("hour", "half_hour") or after.name == "second")
    }
    return (_Field("minute") if id(part) in minutes else part for part in parts)


def _field(found: re.Match[str], text: str) -> _Field:
    token = found[0]
    if found["python"]:
        if token == "%%":  # noqa: S105 - a percent sign
            return _Field(None, "%")
        if token in _PYTHON:
            return _Field(_PYTHON[token])
    elif found["half"]:
        return _Field("half")
    elif found["letters"]:
        letters = token.lower()
        if letters[0] in "fz":
            return _Field("fraction" if letters[0] == "f" else "zone")
        if letters in _LETTERS:
            return _Field(_LETTERS[letters])
    else:
        return _Field(None, token if found["quoted"] is None else found["quoted"])
    raise ConfigurationError(
        f"{token!r} in the date format {text!r} has no meaning; write {EXAMPLES} for example"
    )


def _moment(parts: dict[str, str]) -> Moment:
    year = int(parts["year"]) if "year" in parts else _full_year(int(parts["short_year"]))
    month = _MONTH_OF[parts["month_name"].lower()] if "month_name" in parts else int(parts["month"])
    day = date(year, month, int(parts["day"]))
    if "hour" not in parts:
        return day
    moment = datetime(  # noqa: DTZ001 - where it has a zone, that follows
        day.year,
        day.month,
        day.day,
        _hour(int(parts["hour"]), parts.get("half")),
        int(parts.get("minute", 0)),
        int(parts.get("second", 0)),
        int(parts.get("fraction", "0")[:6].ljust(6, "0")),
    )
    return moment.replace(tzinfo=_offset(parts["zone"])) if "zone" in parts else moment


def _full_year(year: int) -> int:
    """Return the year that two digits mean, as POSIX has it."""
    return 1900 + year if year >= _FIRST_SHORT_YEAR_OF_1900 else 2000 + year


def _hour(hour: int, half: str | None) -> int:
    if half is None:
        return hour
    if not 1 <= hour <= 12:  # noqa: PLR2004 - hours on a dial
        raise ValueError
    return hour % 12 + (12 if half in "Pp" else 0)


def _offset(text: str) -> timezone:
    if text == "Z":
        return UTC
    hours, minutes = int(text[1:3]), int(text[-2:])
    delta = timedelta(hours=hours, minutes=minutes)
    return timezone(-delta if text[0] == "-" else delta)


def _of_excel(text: str) -> Moment | None:
    """Return the day, with its time if there is one, that a spreadsheet counts from 1900."""
    if not _COUNT.fullmatch(text):
        return None
    whole, _, fraction = text.replace(",", ".").partition(".")
    try:
        day = _EXCEL + timedelta(days=int(whole))
    except OverflowError:
        return None
    if day < _FIRST_OF_EXCEL:
        return None
    if not fraction.strip("0"):
        return day
    # A spreadsheet shows seconds, and holds fractions of days that miss them by a little.
    seconds = round(float(f"0.{fraction}") * _DAY_SECONDS)
    return datetime(day.year, day.month, day.day) + timedelta(seconds=seconds)  # noqa: DTZ001 - it has no zone


def _of_seconds(text: str) -> Moment | None:
    return _since_1970(text, 1)


def _of_milliseconds(text: str) -> Moment | None:
    return _since_1970(text, 1000)


def _since_1970(text: str, in_second: int) -> Moment | None:
    if not _COUNT.fullmatch(text):
        return None
    try:
        return _EPOCH + timedelta(seconds=float(text.replace(",", ".")) / in_second)
    except OverflowError:
        return None


_COUNTS = {"excel": _of_excel, "seconds": _of_seconds, "milliseconds": _of_milliseconds}


def read_iso(text: str) -> Moment | None:
    """Return the day or the moment that a text has in the form of ISO 8601; None if it is another one."""
    try:
        if _ISO_DAY.fullmatch(text):
            return date.fromisoformat(text)
        if _ISO_MOMENT.fullmatch(text):
            return datetime.fromisoformat(text.replace(" +", "+").replace(" -", "-").replace(" Z", "Z"))
    except ValueError:
        pass
    return None


def read_count(text: str) -> Moment | None:
    """Return what a number surely means: days of a spreadsheet, seconds or milliseconds; else None.

    Days and seconds are those from 2000 to 2050. Milliseconds have 12 digits or more, as since 1973.
    """
    if not _COUNT.fullmatch(text):
        return None
    whole = re.split("[.,]", text)[0]
    if len(whole) >= _DIGITS_OF_MILLISECONDS:
        return _of_milliseconds(text)
    number = int(whole)
    if _SURE_DAYS[0] <= number < _SURE_DAYS[1]:
        return _of_excel(text)
    return _of_seconds(text) if _SURE_SECONDS[0] <= number < _SURE_SECONDS[1] else None


def read_date(text: str, formats: Sequence[DateFormat]) -> list[Moment]:
    """Return all that a text can mean: nothing if it is not a date, more than one if it is ambiguous.

    The formats decide. Beside them, or without any, the form of ISO 8601 is read, unless one begins with the
    year, too. Without any, a number is read where it is clear what it counts.
    """
    told = [moment for known in formats if (moment := known.read(text)) is not None]
    if told:
        return list({moment.isoformat(): moment for moment in told}.values())
    iso = None if any(known.begins_with_year for known in formats) else read_iso(text)
    other = iso if iso is not None or formats else read_count(text)
    return [] if other is None else [other]
