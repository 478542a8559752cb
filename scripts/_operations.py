"""The operations of an OpenAPI document, and what each of them sends and gets back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from _document import parse_reference, resolve, walk

if TYPE_CHECKING:
    from collections.abc import Iterator

Direction = Literal["requests", "replies"]

_METHODS = frozenset({"delete", "get", "head", "options", "patch", "post", "put", "trace"})
_DIRECTIONS: dict[str, Direction] = {
    "parameters": "requests",
    "requestBody": "requests",
    "responses": "replies",
}


class Operation(NamedTuple):
    """One operation.

    Attributes:
        path: Its path.
        method: Its method in small letters.
        content: What the document says of it.
    """

    path: str
    method: str
    content: dict[str, Any]

    @property
    def name(self) -> str:
        """Its id, or method and path where it has none."""
        return str(self.content.get("operationId", f"{self.method} {self.path}"))


class Use(NamedTuple):
    """That an operation sends something or gets it back."""

    operation: str
    direction: Direction | None


def operations(document: dict[str, Any]) -> Iterator[Operation]:
    """Yield the operations in the order of the document."""
    for path, item in document.get("paths", {}).items():
        for method, content in item.items():
            if method in _METHODS:
                yield Operation(path, method, content)


def direction_of(part: str) -> Direction | None:
    """Return whether a part of an operation, such as `requestBody`, is sent or comes back."""
    return _DIRECTIONS.get(part)


def uses(document: dict[str, Any]) -> dict[tuple[str, ...], set[Use]]:
    """Return which operations use which component; `("schemas", "Record")` is the key of a component."""
    found: dict[tuple[str, ...], set[Use]] = {}
    for operation in operations(document):
        for part, content in operation.content.items():
            for component in _components(document, content):
                use = Use(operation.name, direction_of(part))
                found.setdefault(component, set()).add(use)
    return found


def _components(document: dict[str, Any], value: object) -> set[tuple[str, ...]]:
    """Return what is referred to, directly and indirectly."""
    found: set[tuple[str, ...]] = set()
    waiting = [value]
    while waiting:
        for reference in _references(waiting.pop()):
            component = parse_reference(reference)[1:3]
            if component not in found:
                found.add(component)
                waiting.append(resolve(document, reference))
    return found


def _references(value: object) -> Iterator[str]:
    for _, mapping in walk(value):
        if isinstance(reference := mapping.get("$ref"), str):
            yield reference
