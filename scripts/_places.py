"""Where two OpenAPI documents differ: what stands at a place in each, and what the place is called."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from _document import children, parse_reference, resolve

if TYPE_CHECKING:
    from collections.abc import Mapping

    from _document import Pointer

# Below these stand names or numbers; below everything else, keywords.
_CONTAINERS = frozenset(
    {"$defs", "allOf", "anyOf", "callbacks", "content", "dependentSchemas", "examples", "headers", "links"}
    | {"oneOf", "parameters", "paths", "patternProperties", "prefixItems", "properties", "requestBodies"}
    | {"responses", "schemas", "security", "securitySchemes", "servers", "tags"}
)


class Step(NamedTuple):
    """One step of a way: a keyword, and the name or number below it where there is one."""

    keyword: str
    name: str | None


def steps(way: Pointer) -> list[Step]:
    """Return the steps of a way; a property that is called like a keyword is not taken for one."""
    tokens = iter(map(str, way))
    return [Step(token, next(tokens, None) if token in _CONTAINERS else None) for token in tokens]


class Replacement(NamedTuple):
    """That a place refers to something else than before, or to more or fewer things."""

    effect: Literal["widened", "narrowed", "changed"]
    before: str
    after: str


class Place(NamedTuple):
    """A place in the documents.

    Attributes:
        home: The way to it from the component that it belongs to, or from the path.
        replacement: What happened to the references there. Then what Redocly reports below the place
            compares one component with another.
    """

    home: Pointer
    replacement: Replacement | None

    @property
    def name(self) -> str:
        """What it is called: `Record.warnings[]`, `207`, or `CartsCreated.links`."""
        way = steps(self.home)
        if self.home[:2] == ("components", "schemas"):
            return "".join(map(_part, way[1:]))
        owners = [step.name for step in way if step.name and step.keyword != "paths"]
        last = way[-1]
        return last.name or ".".join([*owners[-1:], last.keyword or "document"])

    @property
    def component(self) -> tuple[str, ...]:
        """The component that it belongs to; empty in a path."""
        return tuple(map(str, self.home[1:3])) if self.home[:1] == ("components",) else ()


class Places:
    """Finds places in two documents at once.

    Args:
        before: The old document.
        after: The new one.
        renamed: The components that have another name, by their old pointers.
    """

    def __init__(self, before: dict[str, Any], after: dict[str, Any], renamed: Mapping[str, str]) -> None:
        self._before = before
        self._after = after
        self._renamed = renamed

    def find(self, way: Pointer, *, inside: bool) -> Place:
        """Return the place where a way ends, or where what is referred to was replaced on the way.

        Args:
            way: The way, without regard to references.
            inside: Whether, where it ends in a reference, the place is what is referred to.
        """
        old, new = _Cursor(self._before), _Cursor(self._after)
        for token in way:
            old, new = old.step(token), new.step(token)
            if replacement := self._replacement(old.raw, new.raw):
                return Place(new.outside, replacement)
            if replacement := self._replacement(old.value, new.value):
                return Place(new.home, replacement)
        end = new if new.there else old
        return Place(end.home if inside else end.outside, None)

    def _replacement(self, old: object, new: object) -> Replacement | None:
        before, after = self._choices(old), _choices(new)
        gone, come = before.keys() - after.keys(), after.keys() - before.keys()
        if not before or not after or not (gone or come):
            return None
        effect = _effect(gone, come)
        return effect and Replacement(effect, _listed(before), _listed(after))

    def _choices(self, value: object) -> dict[str, str]:
        return {self._renamed.get(choice, choice): name for choice, name in _choices(value).items()}


class _Cursor:
    """A place in one document, while a way is followed."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document
        self.raw: object = document
        self.value: object = document
        self.outside: Pointer = ()
        self.home: Pointer = ()

    @property
    def there(self) -> bool:
        return self.value is not None

    def step(self, token: str | int) -> _Cursor:
        cursor = _Cursor(self._document)
        cursor.raw = {str(key): child for key, child in children(self.value)}.get(str(token))
        cursor.outside = cursor.home = (*self.home, token)
        cursor.value = cursor.raw
        while isinstance(cursor.value, dict) and isinstance(reference := cursor.value.get("$ref"), str):
            cursor.home = parse_reference(reference)
            cursor.value = resolve(self._document, reference)
        return cursor


def _choices(value: object) -> dict[str, str]:
    """Return what a value may be, with a name for each: itself, or the alternatives of `anyOf`."""
    if not isinstance(value, dict):
        return {}
    found = value["anyOf"] if isinstance(value.get("anyOf"), list) else [value]
    return {_key(choice): _name(choice) for choice in found if isinstance(choice, dict)}


def _key(choice: dict[str, Any]) -> str:
    if "$ref" in choice:
        return str(choice["$ref"])
    return json.dumps({k: v for k, v in choice.items() if k != "description"}, sort_keys=True)


def _name(choice: dict[str, Any]) -> str:
    if "$ref" in choice:
        return str(choice["$ref"]).rpartition("/")[2]
    return str(choice.get("type", "something without a name"))


def _listed(choices: Mapping[str, str]) -> str:
    return " or ".join(f"`{name}`" for name in choices.values())


def _effect(gone: set[str], come: set[str]) -> Literal["widened", "narrowed", "changed"] | None:
    if not gone:
        return "widened"
    if not come:
        return "narrowed"
    # What is spelt out, Redocly compares; what is referred to, it compares without saying so.
    both_refer = any(key.startswith("#") for key in gone) and any(key.startswith("#") for key in come)
    return "changed" if both_refer else None


def _part(step: Step) -> str:
    """Return what a step adds to the name of a place in a schema."""
    if step.keyword in {"properties", "patternProperties"}:
        return f".{step.name}"
    if step.keyword == "schemas":
        return str(step.name)
    return {"items": "[]", "additionalProperties": ".*"}.get(step.keyword, "")
