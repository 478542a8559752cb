"""How the cells of a column are written, as a sample of them shows. Pure.

What a sample leaves open stays open: 1.234 may be a thousand or a bit more than one, and 01/02/2026 a day in
January or in February.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from msgspec import Struct

from hubspot_batch.cli._cells import CellRule, Kind, convert
from hubspot_batch.cli._dates import DateFormat, date_format
from hubspot_batch.contract import Problem

_MOST_WORDS = 20
_PLACEHOLDERS = frozenset(
    {"-", "--", "\u2013", "null", "none", "nan", "n/a", "#n/a", "#nv", "k.a.", "k. a.", "<na>", "nat"}
)
_AROUND_NUMBER = re.compile(
    r"(?P<before>[^\d+,.-]*+)(?P<number>[-+]?[\d.,'\u2019\u00a0\u202f ]*\d)(?P<behind>\D*)"
)
# A house number or an article number, no unit: 12a, A-1.
_JOINED = re.compile(r"[^\W\d_][+-]?\d|\d[^\W\d_]")
_FORMATS = [
    date_format(f"{day}{time}")
    for day in (
        *("dd.mm.yyyy", "yyyy-mm-dd", "dd/mm/yyyy", "mm/dd/yyyy", "dd-mm-yyyy", "mm-dd-yyyy", "yyyy/mm/dd"),
        *("dd.mm.yy", "dd/mm/yy", "mm/dd/yy"),
    )
    for time in ("", " HH:MM", " HH:MM:SS")
]
_YES = frozenset({"ja", "yes", "oui", "si", "s\u00ed", "true", "wahr", "j", "y", "x"})
_NO = frozenset({"nein", "no", "non", "false", "falsch", "n"})
_FLOAT_OF_WHOLE = re.compile(r"\d+\.0", re.ASCII)


class ColumnSample(Struct, kw_only=True):
    """What the sample of a column shows.

    Attributes:
        name: Its name.
        filled: How many cells are filled.
        placeholders: Texts that seem to mean an empty cell, in the order in which they came.
        kind: What all other cells may be; None if they are texts.
        decimal: What stands before decimals, if all numbers are numbers with it, and some show it.
        is_ambiguous: Whether numbers or dates have two meanings.
        unit: A text beside each number.
        dates: Formats in which all dates are written, each for those that others do not fit.
        has_time: Whether some dates have a time without a zone.
        yes: The words for true.
        no: The words for false.
        words: The different texts, if there are few of them; empty if there are many.
        floats: Whether all cells are whole numbers that became floats.
        has_mail: Whether all cells are e-mail addresses.
    """

    name: str
    filled: int = 0
    placeholders: Sequence[str] = ()
    kind: Kind | None = None
    decimal: str | None = None
    is_ambiguous: bool = False
    unit: str = ""
    dates: Sequence[DateFormat] = ()
    has_time: bool = False
    yes: Sequence[str] = ()
    no: Sequence[str] = ()
    words: Sequence[str] = ()
    floats: bool = False
    has_mail: bool = False


def sample_of(name: str, cells: Iterable[object]) -> ColumnSample:
    """Return what some cells of a column show."""
    told = [text for cell in cells if isinstance(cell, str) and (text := cell.strip())]
    distinct = dict.fromkeys(told)
    placeholders = tuple(text for text in distinct if text.casefold() in _PLACEHOLDERS)
    values = [text for text in distinct if text.casefold() not in _PLACEHOLDERS]
    sample = ColumnSample(name=name, filled=len(told), placeholders=placeholders)
    if not values:
        return sample
    if len(values) <= _MOST_WORDS and len(values) * 2 <= len(told):
        sample.words = values
    sample.has_mail = all("@" in text and " " not in text for text in values)
    sample.floats = all(_FLOAT_OF_WHOLE.fullmatch(value) for value in values)
    looks: tuple[Callable[[ColumnSample, list[str]], bool], ...] = (_is_bool, _is_date, _is_number)
    for look in looks:
        if look(sample, values):
            break
    return sample


def _is_bool(sample: ColumnSample, values: list[str]) -> bool:
    yes = [text for text in values if text.casefold() in _YES]
    no = [text for text in values if text.casefold() in _NO]
    if len(yes) + len(no) < len(values) or not (yes and no):
        return False
    sample.kind, sample.yes, sample.no = "bool", yes, no
    return True


def _is_date(sample: ColumnSample, values: list[str]) -> bool:
    rest, fits = values, 0
    dates: list[DateFormat] = []
    while rest and len(dates) < 3:  # noqa: PLR2004 - days, times to the minute, times to the second
        fitting = [(sum(form.read(text) is not None for text in rest), form) for form in _FORMATS]
        most = max(count for count, _ in fitting)
        if not most:
            return False
        best = [form for count, form in fitting if count == most]
        fits = max(fits, len(best))
        dates.append(best[0])
        rest = [text for text in rest if best[0].read(text) is None]
    if rest:
        return False
    moments = [moment for text in values for form in dates if (moment := form.read(text)) is not None]
    sample.kind = "datetime" if any(isinstance(moment, datetime) for moment in moments) else "date"
    sample.has_time = sample.kind == "datetime"
    sample.dates, sample.is_ambiguous = dates, fits > 1 and _differ(dates, values)
    return True


def _differ(dates: Sequence[DateFormat], values: Sequence[str]) -> bool:
    """Return whether dates mean another day if day and month change places."""
    for form in dates:
        if form.text.startswith("dd.") or form.text.startswith("yyyy"):
            continue
        other = date_format(_swapped(form.text))
        pairs = [(form.read(text), other.read(text)) for text in values if form.read(text) is not None]
        if all(right is not None for _, right in pairs) and any(left != right for left, right in pairs):
            return True
    return False


def _swapped(text: str) -> str:
    first, second = ("dd", "mm") if text.startswith("dd") else ("mm", "dd")
    return second + text[2:3] + first + text[5:]


def _is_number(sample: ColumnSample, values: list[str]) -> bool:
    parts = [None if _JOINED.search(text) else _AROUND_NUMBER.fullmatch(text) for text in values]
    units = {(part["before"].strip(), part["behind"].strip()) if part else None for part in parts}
    if None in units or len(units) > 1:
        return False
    before, behind = next(iter(units)) or ("", "")
    if before and behind:
        return False
    numbers = [part["number"].strip() for part in parts if part]
    fits = {decimal: all(map(_reads_with(decimal), numbers)) for decimal in (",", ".")}
    if not any(fits.values()):
        return False
    sample.kind, sample.unit = "number", before or behind
    if fits[","] != fits["."]:
        sample.decimal = "," if fits[","] else "."
    else:
        # Without a separator, both say the same.
        sample.is_ambiguous = any("," in number or "." in number for number in numbers)
    return True


def _reads_with(decimal: str) -> Callable[[str], bool]:
    rule = CellRule(kind="number", decimal=decimal)
    return lambda text: not isinstance(convert(text, rule), Problem)
