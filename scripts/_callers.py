"""What the difference of two OpenAPI documents means for those who call the operations.

Redocly finds what differs and knows most of what breaks a caller. Added here: which operations are concerned,
and whether it is what they send or what they get; what happens to the values that are allowed; and what
breaks those who import the generated code, of which Redocly knows nothing.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from _document import format_pointer, walk
from _effects import breaks, effect_of
from _operations import Use, direction_of, operations, uses
from _places import Places, steps
from _silence import passed_over

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from _document import Pointer
    from _effects import Effect
    from _operations import Direction, Operation
    from _places import Place
    from _redocly import Row

_WORDS = frozenset({"$comment", "description", "example", "examples", "externalDocs", "summary", "title"})
_WORDING = frozenset({"Contact", "Example", "ExamplesMap", "ExternalDocs", "Info", "License", "Tag"})


@dataclass(frozen=True)
class Change:
    """One thing that is another for callers.

    Attributes:
        effect: What happened to it.
        subject: What it is called: a field with its schema, an operation, a status.
        text: A sentence without full stop.
        breaks: Whether code that worked may no longer.
        uses: The operations that it belongs to.
    """

    effect: Effect
    subject: str
    text: str
    breaks: bool
    uses: frozenset[Use]

    @property
    def operations(self) -> list[str]:
        """The names of the operations that it belongs to."""
        return sorted({use.operation for use in self.uses})

    @property
    def directions(self) -> list[Direction]:
        """Whether it belongs to what is sent, to what comes back, or to both."""
        return _directions(self.uses)


def sort(before: dict[str, Any], after: dict[str, Any], rows: Iterable[Row]) -> list[Change]:
    """Return what is another for callers, what breaks them first.

    Args:
        before: The old document.
        after: The new one.
        rows: What Redocly found.
    """
    rows = _joined(rows)
    sorter = _Sorter(before, after, rows)
    found = [change for row in rows for change in sorter.sort(row)]
    told = {name for change in found for name in (change.subject, *change.operations)}
    for name, text in passed_over(before, after, told):
        # Nobody has judged it.
        found.append(Change("changed", name, text, breaks=True, uses=frozenset({Use(name, None)})))
    return sorted(_merged(found), key=lambda change: not change.breaks)


class _Sorter:
    def __init__(self, before: dict[str, Any], after: dict[str, Any], rows: list[Row]) -> None:
        self._documents = (before, after)
        self._uses = (uses(before), uses(after))
        self._places = Places(before, after, _renamed(rows))

    def sort(self, row: Row) -> Iterator[Change]:
        if row.type in _WORDING or row.property in _WORDS:
            return
        place = self._places.find(row.way, inside=row.kind == "modified" and row.property != "key")
        if place.replacement:
            yield self._replaced(place, row)
        elif row.type in {"PathItem", "Operation"}:
            yield from self._operations(row)
        elif row.type == "Schema" and row.property == "required":
            yield from self._required(place, row)
        elif row.type == "Schema":
            yield self._schema(place, row)
        else:
            yield self._other(place, row)

    def _replaced(self, place: Place, row: Row) -> Change:
        assert place.replacement  # noqa: S101 - for the type checker
        effect, old, new = place.replacement
        concerned = self._uses_of(place)
        bad = bool(row.messages) if effect == "changed" else breaks(effect, _directions(concerned))
        text = f"`{place.name}` was {effect}: it is {new}, was {old}"
        return Change(effect, place.name, text, bad, concerned)

    def _operations(self, row: Row) -> Iterator[Change]:
        path, methods = row.way[1], row.way[2:3]
        for operation in operations(self._documents[row.kind != "removed"]):
            if operation.path == path and operation.method in (methods or operation.method):
                yield _of_operation(operation, row)

    def _required(self, place: Place, row: Row) -> Iterator[Change]:
        old, new = set(row.old or ()), set(row.new or ())
        concerned = self._uses_of(place)
        effects: list[tuple[Effect, set[str], str]] = [
            ("now required", new - old, "required-properties-added"),
            ("no longer required", old - new, "required-properties-removed"),
        ]
        for effect, names, rule in effects:
            for name in sorted(names):
                subject = f"{place.name}.{name}"
                bad = _is_bad(row, effect, concerned, rule)
                yield Change(effect, subject, f"`{subject}` is {effect}", bad, concerned)

    def _schema(self, place: Place, row: Row) -> Change:
        effect, subject, concerned = effect_of(row), place.name, self._uses_of(place)
        if effect == "renamed":
            subject = subject.removesuffix(row.new) + row.old
        text = f"`{subject}` was {effect}{_detail(row)}"
        if row.way[:-1] == ("components", "schemas") and effect in {"added", "removed", "renamed"}:
            # Who imports the class that generators make of it is left without.
            return Change(effect, subject, f"the model {text}", effect != "added", concerned)
        bad = _is_bad(row, effect, concerned) and not (row.property == "enum" and self._is_open(place))
        return Change(effect, subject, text, bad, concerned)

    def _other(self, place: Place, row: Row) -> Change:
        effect, concerned = effect_of(row), self._uses_of(place)
        verb = "is" if effect.endswith("required") else "was"
        text = next(iter(row.messages.values()), f"`{place.name}` {verb} {effect}{_detail(row)}")
        named = re.search(r"`([^`]+)`", text)
        subject = named[1] if named else place.name
        return Change(effect, subject, text, _is_bad(row, effect, concerned), concerned)

    def _uses_of(self, place: Place) -> frozenset[Use]:
        if place.component:
            found = [each.get(place.component, set()) for each in self._uses]
        else:
            found = [set(_uses_at(document, place.home)) for document in self._documents]
        return frozenset.union(*map(frozenset, found))

    def _is_open(self, place: Place) -> bool:
        """Whether any other text may stand where a value of the enum does."""
        return all(_stands_beside_any_text(document, place.home) for document in self._documents)


def _is_bad(row: Row, effect: Effect, concerned: Iterable[Use], rule: str | None = None) -> bool:
    """Return what Redocly says, or one of its rules; of what no operation leads to, it says nothing."""
    if row.way[0] == "components":
        return breaks(effect, _directions(concerned), row.property)
    return rule in row.messages if rule else bool(row.messages)


def _directions(concerned: Iterable[Use]) -> list[Direction]:
    return sorted({use.direction for use in concerned if use.direction}, reverse=True)


def _of_operation(operation: Operation, row: Row) -> Change:
    name, effect, bad = operation.name, effect_of(row), bool(row.messages)
    subject, text = name, f"`{name}` was {effect}"
    if row.property == "key":
        text = f"the path of `{name}` is `{row.new}`, was `{row.old}`"
    elif row.property == "operationId":
        effect, subject, text = "renamed", str(row.old), f"`{row.old}` was renamed to `{name}`"
    elif row.kind == "modified":
        text = f"`{name}` was {effect}{_detail(row)}"
        # The first tag is the name of its module in hubspot_batch_api.
        bad = bad or (row.property == "tags" and (row.old or [])[:1] != (row.new or [])[:1])
    return Change(effect, subject, text, bad, frozenset({Use(name, None)}))


def _detail(row: Row) -> str:
    """Return what a keyword is and was, to be put behind a sentence."""
    last = steps(row.way)[-1]
    if row.kind != "modified":
        return f": `{last.keyword}` was {row.kind}" if row.type == "Schema" and last.name is None else ""
    if row.property == "required":
        return ""
    if row.property == "key":
        return f" to `{row.new}`"
    if isinstance(row.old, list) and isinstance(row.new, list):
        moves = [f"gained {_shown(value)}" for value in row.new if value not in row.old]
        moves += [f"lost {_shown(value)}" for value in row.old if value not in row.new]
        return f": `{row.property}` {', '.join(moves)}"
    return f": `{row.property}` is {_shown(row.new)}, was {_shown(row.old)}"


def _shown(value: object) -> str:
    return "absent" if value is None else f"`{json.dumps(value, ensure_ascii=False)}`"


def _joined(rows: Iterable[Row]) -> list[Row]:
    """Return the rows; a keyword that was false and is a schema, or the reverse, has one instead of two."""
    rows = list(rows)
    schemas = {row.way: row for row in rows if row.kind != "modified"}
    keywords = {(*row.way, row.property) for row in rows if row.property}
    return [
        _with_schema(row, schemas.get((*row.way, row.property or "")))
        for row in rows
        if row.way not in keywords
    ]


def _with_schema(row: Row, schema: Row | None) -> Row:
    if schema is None:
        return row
    return row._replace(new=schema.new) if schema.kind == "added" else row._replace(old=schema.old)


def _renamed(rows: Iterable[Row]) -> dict[str, str]:
    """Return the components that have another name: their new pointers by the old ones."""
    return {
        format_pointer((*row.way[:-1], row.old)): format_pointer(row.way)
        for row in rows
        if row.property == "key" and row.way[0] == "components"
    }


def _uses_at(document: dict[str, Any], home: Pointer) -> Iterator[Use]:
    """Yield the operations that a place outside of the components belongs to: its own, or all."""
    path, method, part = (*map(str, home[1:4]), "", "", "")[:3] if home[0] == "paths" else ("", "", "")
    for operation in operations(document):
        if operation.path == (path or operation.path) and operation.method == (method or operation.method):
            yield Use(operation.name, direction_of(part))


def _stands_beside_any_text(document: dict[str, Any], home: Pointer) -> bool:
    reference = {"$ref": format_pointer(home)}
    anywhere = [mapping for _, mapping in walk(document) if mapping.get("$ref") == reference["$ref"]]
    beside_text = [
        choices
        for _, mapping in walk(document)
        if isinstance(choices := mapping.get("anyOf"), list)
        and reference in choices
        and any(choice.get("type") == "string" and "enum" not in choice for choice in choices)
    ]
    return len(anywhere) == len(beside_text) > 0


def _merged(found: Iterable[Change]) -> Iterator[Change]:
    """Yield each change once, with all operations that it belongs to."""
    merged: dict[tuple[str, ...], Change] = {}
    for change in found:
        key = (change.effect, change.subject, change.text)
        other = merged.get(key, change)
        bad = change.breaks or other.breaks
        merged[key] = replace(change, breaks=bad, uses=change.uses | other.uses)
    yield from merged.values()
