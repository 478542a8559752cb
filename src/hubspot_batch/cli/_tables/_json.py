"""Rows of JSON: numbers keep their digits, and no key is lost."""

import json
import re
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from hubspot_batch.cli._tables._row import MARKS_OF_RESULTS, RESULT_COLUMNS, FileRow, row_fault
from hubspot_batch.contract import name_of

TEXT_KEY = "_text"
"""The key of the text of a row that could not be read, in a file of results."""

DECODE_ERRORS = (ValueError, ArithmeticError, RecursionError)
"""What decoding raises for text that is not JSON, or that Python cannot hold."""

_REMEDY = "write one mapping in JSON"
_MARKS = frozenset(MARKS_OF_RESULTS)
_SPACE = re.compile(r"[ \t\r\n]*")


class Decoded(NamedTuple):
    """A value, the place after it, and a key that occurs twice in one mapping of it."""

    value: Any
    end: int
    repeated: str | None


class RowDecoder:
    """Decodes JSON into rows."""

    def __init__(self) -> None:
        self._repeated: list[str] = []
        # A float would round a number of many digits.
        self._decoder = json.JSONDecoder(object_pairs_hook=self._mapping, parse_float=Decimal)

    def decode(self, text: str, start: int) -> Decoded:
        """Decode the value that begins at a place; one of `DECODE_ERRORS` if none does."""
        self._repeated.clear()
        value, end = self._decoder.raw_decode(text, start)
        return Decoded(value, end, self._repeated[0] if self._repeated else None)

    def row_of(self, decoded: Decoded, text: str, number: int, line: int | None = None) -> FileRow:
        """Return the row that a value is. It has an issue if it is not a mapping, or has a key twice.

        Args:
            decoded: The value.
            text: Its text.
            number: The number of the row.
            line: Its line, where lines count.
        """
        value = decoded.value
        if not isinstance(value, dict):
            problem = f"{name_of(value)} stands where a mapping belongs"
            return _refused(": " + problem, _REMEDY, text, number, line)
        if decoded.repeated is not None:
            problem = f"the key {decoded.repeated!r} occurs twice in one mapping"
            return _refused(": " + problem, "remove one of the two", text, number, line)
        if value.keys() == {"inputs"} and isinstance(value["inputs"], list):
            problem = "the body of a request stands where a row belongs"
            return _refused(": " + problem, "write each of its inputs by itself", text, number, line)
        if not value.keys() >= _MARKS:
            return FileRow(number, value, line)
        # Elsewhere, a key that was added later is a key of the row.
        told = _MARKS.union(name for name, key in zip(RESULT_COLUMNS, value, strict=False) if name == key)
        own = {key: item for key, item in value.items() if key not in told}
        match own:
            case {"_text": str(original)} if len(own) == 1:
                return self.row_of_text(original, number, line)
        return FileRow(number, own, line)

    def row_of_text(self, text: str, number: int, line: int | None) -> FileRow:
        """Return the row of a text. It has a fault if it is not one mapping in JSON."""
        try:
            decoded = self.decode(text, skip_space(text, 0))
        except DECODE_ERRORS as error:
            column = f", column {error.pos + 1}" if isinstance(error, json.JSONDecodeError) else ""
            return _refused(f"{column}: {explain(error)}", _REMEDY, text, number, line)
        if (after := skip_space(text, decoded.end)) < len(text):
            return _refused(f", column {after + 1}: not JSON: more follows", _REMEDY, text, number, line)
        return self.row_of(decoded, text, number, line)

    def _mapping(self, pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
        mapping = dict(pairs)
        if len(mapping) < len(pairs):
            self._repeated.append(first_repeated([key for key, _ in pairs]))
        return mapping


def first_repeated(names: Iterable[str]) -> str:
    """Return the first name that occurs a second time, or an empty one."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return ""


def skip_space(text: str, start: int) -> int:
    """Return the position of the first character from there that is not white space."""
    # It matches the empty text, too.
    return _SPACE.match(text, start).end()  # type: ignore[union-attr]


def explain(error: Exception) -> str:
    """Return what is wrong, without the text itself."""
    match error:
        case json.JSONDecodeError():
            return f"not JSON: {error.msg}"
        case RecursionError():
            return "nested too deeply"
        case _:
            return "a number has too many digits"


def _refused(problem: str, remedy: str, text: str, number: int, line: int | None) -> FileRow:
    place = f"row {number}" if line is None else f"line {line}"
    return FileRow(number, {}, line, row_fault(f"{place}{problem}", remedy), text)
