"""What `openapi/deviations.yaml` explains: a place, and what HubSpot says of it, word for word."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from _differences import ASPECTS, Difference
from _document import Part, Pointer, format_pointer, load

CONDITIONS = ("fields", "replies", "versions")
ANYTHING = "any"
# Where the keyword of a difference stands, if not under its own name.
_KEYWORDS = {"absent": "type", "nullable": "type", "optional": "required", "values": "enum"}


@dataclass(frozen=True, eq=False)
class Statement:
    """One thing that HubSpot is known to say."""

    pointer: str  # the place in our document, as the entry writes it
    # The versions, codes of replies and fields for which it holds; all where not named.
    conditions: dict[str, list[str]]
    says: dict[str, Any]  # the value by aspect
    line: int = 1  # where it stands in the file

    def explains(self, difference: Difference, version: str) -> bool:
        """Whether this is what a difference in a document of some version shows."""
        if difference.aspect not in self.says or self.pointer not in _pointers(
            difference.places.ours, difference.aspect
        ):
            return False
        actual = _actual(difference, version)
        holds = all(actual[name] in allowed for name, allowed in self.conditions.items())
        return holds and _is_same(self.says[difference.aspect], difference.said.theirs)

    def stale(self, explained: list[tuple[Difference, str]]) -> Iterator[str]:
        """Yield what explains nothing: the whole, or some of its aspects and conditions."""
        if not explained:
            yield ", ".join(self.says)
            return
        met = {difference.aspect for difference, _ in explained}
        yield from (aspect for aspect in self.says if aspect not in met)
        for name, allowed in self.conditions.items():
            actual = {_actual(*each)[name] for each in explained}
            yield from (f"{name} {value}" for value in allowed if value not in actual)


def read_statements(path: Path) -> list[Statement]:
    """Return all that the entries of a file of deviations say of HubSpot's documents.

    Raises:
        InvalidFileError: The file cannot be read, or an entry is malformed.
    """
    entries = load(path).all.listed("deviations")
    return [_statement(entry, said) for entry in entries for said in entry.listed("upstream")]


def explanation(statements: list[Statement], difference: Difference, version: str) -> str | None:
    """Return the pointer of the entry that explains a difference; None where none does."""
    found = (statement.pointer for statement in statements if statement.explains(difference, version))
    return next(found, None)


def stale(
    statements: Iterable[Statement], differences: Iterable[tuple[Difference, str]]
) -> Iterator[tuple[Statement, str]]:
    """Yield the statements that explain none of some differences, each with its version, and which part."""
    by_pointer: dict[str, list[tuple[Difference, str]]] = defaultdict(list)
    for difference, version in differences:
        for pointer in _pointers(difference.places.ours, difference.aspect):
            by_pointer[pointer].append((difference, version))
    for statement in statements:
        explained = [each for each in by_pointer[statement.pointer] if statement.explains(*each)]
        yield from ((statement, part) for part in statement.stale(explained))


def _actual(difference: Difference, version: str) -> dict[str, str]:
    return {"fields": difference.field, "replies": difference.code, "versions": version}


def _is_same(said: object, theirs: object) -> bool:
    """Whether two values are the same as JSON, where 1 is not true."""
    return said == ANYTHING or json.dumps(said, sort_keys=True) == json.dumps(theirs, sort_keys=True)


@cache
def _pointers(place: Pointer, aspect: str) -> frozenset[str]:
    """Return how an entry may name the place of a difference: the schema, or the keyword in it."""
    schema = format_pointer(place).removeprefix("#")
    return frozenset({schema, f"{schema}/{_KEYWORDS.get(aspect, aspect)}"})


def _statement(entry: Part, said: Part) -> Statement:
    pointer = entry.content.get("pointer")
    if not isinstance(pointer, str):
        entry.source.fail(entry.place, "has no pointer")
    says = {key: value for key, value in said.content.items() if key not in CONDITIONS}
    if not says:
        said.source.fail(said.place, "says nothing")
    for key in says.keys() - ASPECTS:
        said.source.fail((*said.place, key), "is nothing that is compared")
    conditions = {key: said.texts(key) for key in CONDITIONS if key in said.content}
    return Statement(pointer, conditions, says, said.line)
