"""The operations of an OpenAPI document, and which of them use a component."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from _document import Document, Part, Pointer, at, parse_reference, walk

_METHODS = frozenset({"delete", "get", "head", "options", "patch", "post", "put", "trace"})

# Below these stand names.
_NAMES = frozenset({"content", "headers", "links", "responses"})


@dataclass(frozen=True, eq=False)
class Operation(Part):
    """One operation."""

    method: str  # in small letters
    path: str

    @property
    def name(self) -> str:
        """Its id, or method and path where it has none."""
        return str(self.content.get("operationId") or f"{self.method} {self.path}")

    @property
    def address(self) -> str:
        """Method and path."""
        return f"{self.method.upper()} {self.path}"


def operations(source: Document) -> Iterator[Operation]:
    """Yield the operations in the order of the document."""
    for path, item in source.all.named("paths").items():
        for method in item.content:
            if method in _METHODS:
                place = (*item.place, method)
                yield Operation(source, item.mapping(method), place, method, path)


def users(source: Document) -> dict[Pointer, set[str]]:
    """Return the names of the operations that use a component, or stand at a path, by its place."""
    found: dict[Pointer, set[str]] = defaultdict(set)
    for operation in operations(source):
        for place in (operation.place[:2], *components_of(source, operation.content)):
            found[place].add(operation.name)
    return found


def components_of(source: Document, value: object) -> set[Pointer]:
    """Return the places of the components that a value refers to, by way of others, too."""
    found: set[Pointer] = set()
    waiting = [value]
    while waiting:
        for _, mapping in walk(waiting.pop()):
            reference = mapping.get("$ref")
            if isinstance(reference, str):
                place = parse_reference(reference)[:3]
                if place not in found:
                    found.add(place)
                    waiting.append(at(source.content, place))
    return found


def inlined(
    source: Document,
    value: object,
    without: frozenset[str] = frozenset(),
    *,
    inside: tuple[str, ...] = (),
    named: bool = False,
) -> object:
    """Put what is referred to in the place of the reference, except models.

    Args:
        source: The document.
        value: What stands somewhere in it.
        without: Keys to leave out.
        inside: References that are being followed.
        named: Whether the keys of `value` are names, `description` among them.
    """
    if isinstance(value, list):
        return [inlined(source, item, without, inside=inside) for item in value]
    if not isinstance(value, dict):
        return value
    reference = value.get("$ref")
    if isinstance(reference, str) and not reference.startswith("#/components/schemas/"):
        if reference in inside:
            return None
        return inlined(source, source.follow(value, ())[0], without, inside=(*inside, reference))
    return {
        key: inlined(source, child, without, inside=inside, named=not named and key in _NAMES)
        for key, child in value.items()
        if named or key not in without
    }
