"""What the differences of two documents of ours mean for those who call the operations.

The older document is ours, the newer one is theirs: what a client of the older one cannot send or read any
more breaks callers. So does what breaks those who import the generated code: other names of operations,
modules and models, and what is gone from a reply.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

from _differences import Difference, Direction, Severity
from _document import Document
from _normalization import reader_of
from _operation_diff import compare
from _operations import Operation, inlined, operations, users
from _schema_diff import ANY_SCHEMA, Comparison
from _shapes import Schema

Effect = Literal[
    "added", "changed", "narrowed", "no longer required", "now required", "removed", "renamed", "widened"
]
_DIRECTIONS = {"operation": None, "reply": "replies", "request": "requests"}
_EFFECTS: dict[Direction, Effect] = {
    Direction.APART: "changed",
    Direction.THEY: "widened",
    Direction.WE: "narrowed",
}
_KINDS = {"header": "Response header ", "parameter": "Parameter ", "status": "Response "}
_MODELS = ("components", "schemas")
_OF_DOCUMENT = frozenset({"authorizationUrl", "refreshUrl", "servers", "tokenUrl"})
# What only people read, and what is compared.
_WORDS = frozenset({"description", "example", "examples", "externalDocs", "summary"})
_COMPARED = frozenset({"deprecated", "operationId", "schema", "security", "tags"})


class Use(NamedTuple):
    """That an operation sends something or gets it back."""

    operation: str
    direction: str | None


@dataclass(frozen=True)
class Change:
    """One thing that is another for callers."""

    effect: Effect  # what happened to it
    subject: str  # what it is called: a field with its model, an operation, a status
    text: str  # a sentence without full stop
    uses: frozenset[Use]  # the operations that it belongs to
    breaks: bool  # whether code that worked may no longer

    @property
    def operations(self) -> list[str]:
        """The names of the operations that it belongs to."""
        return sorted({use.operation for use in self.uses})

    @property
    def directions(self) -> list[str]:
        """Whether it belongs to what is sent, to what comes back, or to both."""
        return sorted({use.direction for use in self.uses if use.direction}, reverse=True)


def changes(before: Document, after: Document) -> list[Change]:
    """Return what is another for callers, what breaks them first."""
    old, new = list(operations(before)), list(operations(after))
    pairs = [(one, _successor(one, new)) for one in old]
    kept = [successor for _, successor in pairs]
    found = [change for one, successor in pairs for change in _of_operation(one, successor)]
    found += [_told("added", one.name, breaks=False) for one in new if one not in kept]
    found += _of_models(before, after)
    return sorted(_merged(found), key=lambda change: not change.breaks)


def _successor(one: Operation, new: list[Operation]) -> Operation | None:
    """Return what became of an operation: the one of its name, or the one in its place with a new name."""
    named = [other for other in new if other.name == one.name]
    placed = [other for other in new if other.address == one.address]
    return next(iter(named or placed), None)


def _told(effect: Effect, subject: str, text: str = "", *, breaks: bool = True) -> Change:
    text = text or f"`{subject}` was {effect}"
    return Change(effect, subject, text, frozenset({Use(subject, None)}), breaks)


def _of_operation(one: Operation, other: Operation | None) -> Iterator[Change]:
    if other is None:
        yield _told("removed", one.name)
        return
    if other.name != one.name:
        yield _told("renamed", one.name, f"`{one.name}` was renamed to `{other.name}`")
    elif other.address != one.address:
        text = f"the path of `{one.name}` is `{other.address}`, was `{one.address}`"
        yield _told("changed", one.name, text)
    yield from _of_tags(one, other)
    found = list(compare(one, other))
    renamed = dict(_renamed_fields(one.source, other.source, found))
    for difference in found:
        yield from _of_difference(one, difference, renamed)
    yield from _untold(one, other, {_DIRECTIONS[difference.use] for difference in found})


def _of_tags(one: Operation, other: Operation) -> Iterator[Change]:
    old, new = ([str(tag) for tag in each.content.get("tags") or []] for each in (one, other))
    if set(old) != set(new) or old[:1] != new[:1]:
        # The first tag is the name of its module in hubspot_batch_api.
        text = f"`{one.name}` was changed: `tags` {_moves(old, new)}"
        yield _told("changed", one.name, text, breaks=old[:1] != new[:1])


def _of_difference(one: Operation, difference: Difference, renamed: dict[str, str]) -> Iterator[Change]:
    label = difference.label or difference.field or difference.code or one.name
    # What is not compared has not been judged.
    breaks = difference.verdict.severity is Severity.BREAKING or difference.aspect == "keyword"
    uses = frozenset({Use(one.name, _DIRECTIONS[difference.use])})
    match difference.aspect:
        case "required" | "optional":
            effect: Effect = "now required" if difference.aspect == "required" else "no longer required"
            for name in _listed(difference.said.theirs):
                subject = label if name == label else f"{label}.{name}"
                yield Change(effect, subject, f"`{subject}` is {effect}", uses, breaks)
        case "absent" if label in renamed:
            new = renamed[label].rpartition(".")[2]
            yield Change("renamed", label, f"`{label}` was renamed to `{new}`", uses, breaks=True)
        case "absent" | "field" | "header" | "parameter" | "status":
            subject, text = _name(difference, label)
            effect = "removed" if difference.aspect == "absent" or difference.said.theirs is None else "added"
            if subject not in renamed.values():
                # What is gone from a reply, somebody may have read.
                yield Change(effect, subject, f"{text} was {effect}", uses, breaks or effect == "removed")
        case aspect:
            effect = _EFFECTS[difference.verdict.direction]
            subject = aspect if aspect in _OF_DOCUMENT else label
            yield Change(effect, subject, _sentence(difference, subject, effect), uses, breaks)


def _name(difference: Difference, label: str) -> tuple[str, str]:
    """Return what a thing is called that is there in one document only, alone and in a sentence."""
    name, kind = str(difference.said.theirs or difference.said.ours), difference.aspect
    if kind == "absent":
        name, kind = label, "field" if difference.field else "status"
    elif kind == "field":
        name = f"{label}.{name}"
    return name, f"{_KINDS.get(kind, '')}`{name}`"


def _sentence(difference: Difference, subject: str, effect: Effect) -> str:
    if difference.aspect == "deprecated":
        return f"`{subject}` is deprecated"
    if difference.aspect in {"moreScopes", "schemes", "scopes"}:
        return f"`{subject}` {_access(difference)}"
    return f"`{subject}` was {effect}: {_detail(difference.aspect, *difference.said)}"


def _access(difference: Difference) -> str:
    said = difference.said
    if difference.aspect == "schemes":
        return f"takes other tokens: `security` {_moves(_listed(said.ours), _listed(said.theirs))}"
    verb = "accepts other scopes, too" if difference.aspect == "moreScopes" else "requires other scopes"
    alternatives = (" and ".join(map(str, _listed(scopes))) for scopes in _listed(said.theirs))
    return f"{verb}: {' or '.join(alternatives)}"


def _listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _detail(aspect: str, new: object, old: object) -> str:
    if aspect == "nullable":
        return "it may be null now" if new else "it is never null now"
    keyword = "enum" if aspect == "values" else aspect
    if isinstance(old, list) and isinstance(new, list):
        return f"`{keyword}` {_moves(old, new)}"
    return f"`{keyword}` is {_shown(new)}, was {_shown(old)}"


def _moves(old: list[Any], new: list[Any]) -> str:
    moves = [f"gained {_shown(value)}" for value in new if value not in old]
    moves += [f"lost {_shown(value)}" for value in old if value not in new]
    return ", ".join(moves) or "has another order"


def _shown(value: object) -> str:
    if value is None:
        return "absent"
    return ANY_SCHEMA if value == ANY_SCHEMA else f"`{json.dumps(value, ensure_ascii=False)}`"


def _renamed_fields(before: Document, after: Document, found: list[Difference]) -> Iterator[tuple[str, str]]:
    """Yield the old and the new label of fields that were given another name, and are what they were."""
    added = [difference for difference in found if difference.aspect == "field"]
    for gone in found:
        if gone.aspect == "absent" and gone.field:
            for come in added:
                model, _, _ = gone.label.rpartition(".")
                place = (*come.places.theirs, "properties", str(come.said.theirs))
                same_model = model == come.label and come.places.ours == come.places.theirs
                if (
                    same_model
                    and gone.use == come.use
                    and _is_same_schema(before, gone.places.ours, after, place)
                ):
                    yield gone.label, f"{model}.{come.said.theirs}"
                    added.remove(come)
                    break


def _is_same_schema(
    before: Document, ours: tuple[str | int, ...], after: Document, theirs: tuple[str | int, ...]
) -> bool:
    schemas = Schema(before.at(ours), ours), Schema(after.at(theirs), theirs)
    return not list(Comparison(reader_of(before), reader_of(after), "reply").differences(*schemas))


def _of_models(before: Document, after: Document) -> Iterator[Change]:
    """Yield the models that came, went, or have another name: classes of the generated code."""
    old, new = (_models(source) for source in (before, after))
    used = {place[2]: names for place, names in users(before).items() if place[:2] == _MODELS}
    gone, come = sorted(old.keys() - new.keys()), sorted(new.keys() - old.keys())
    for name in gone:
        uses = frozenset(Use(user, None) for user in used.get(name, ()))
        same = (other for other in come if _is_renamed(before, name, after, other))
        if successor := next(same, None):
            come.remove(successor)
            text = f"the model `{name}` was renamed to `{successor}`"
            yield Change("renamed", name, text, uses, breaks=True)
        else:
            yield Change("removed", name, f"the model `{name}` was removed", uses, breaks=True)
    for name in come:
        yield Change("added", name, f"the model `{name}` was added", frozenset(), breaks=False)
    for name in sorted(old.keys() & new.keys()):
        if not used.get(name) and old[name] != new[name]:
            text = f"the model `{name}`, which no operation uses, was changed"
            yield Change("changed", name, text, frozenset(), breaks=False)


def _is_renamed(before: Document, old: str, after: Document, new: str) -> bool:
    one, other = _models(before)[old], _models(after)[new]
    same_words = one.get("description") == other.get("description")
    return same_words and _is_same_schema(before, (*_MODELS, old), after, (*_MODELS, new))


def _models(source: Document) -> dict[str, Any]:
    return source.all.part("components").part("schemas").content


def _untold(one: Operation, other: Operation, told: set[str | None]) -> Iterator[Change]:
    """Yield a change for each part of an operation that differs in a way that nothing here compares."""
    parts = {"parameters": "requests", "requestBody": "requests", "responses": "replies"}
    for name in sorted((one.content.keys() | other.content.keys()) - _WORDS - _COMPARED):
        old, new = (inlined(each.source, each.content.get(name), _WORDS | _COMPARED) for each in (one, other))
        if old != new and parts.get(name) not in told:
            text = f"`{one.name}` was changed in a way that is not compared: see `{name}`"
            # It has not been judged.
            yield Change("changed", one.name, text, frozenset({Use(one.name, parts.get(name))}), breaks=True)


def _merged(found: Iterable[Change]) -> Iterator[Change]:
    """Yield each change once, with all operations that it belongs to."""
    merged: dict[tuple[str, ...], Change] = {}
    for change in found:
        key = (change.effect, change.subject, change.text)
        other = merged.get(key, change)
        breaks = change.breaks or other.breaks
        merged[key] = replace(change, breaks=breaks, uses=change.uses | other.uses)
    yield from merged.values()
