"""Where two OpenAPI documents differ although nobody told of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from _changes import differences
from _document import resolve

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Set as AbstractSet

_WORDS = frozenset({"$comment", "description", "example", "examples", "externalDocs", "summary", "title"})
# Below these stand names, among which `description` is one like any other.
_NAMES = frozenset({"content", "headers", "patternProperties", "properties", "responses"})
# In these lists the order means nothing.
_SETS = frozenset({"enum", "required", "tags", "type"})


def passed_over(
    before: dict[str, Any], after: dict[str, Any], told: AbstractSet[str]
) -> Iterator[tuple[str, str]]:
    """Yield each operation that differs in more than words, and a sentence on it.

    Args:
        before: The old document.
        after: The new one.
        told: The operations of which some difference is known.
    """
    for difference in differences(_spelt_out(before), _spelt_out(after)):
        if difference.kind == "operation" and difference.name not in told:
            yield (
                difference.name,
                f"`{difference.name}` was {difference.change} in a way that Redocly does not report",
            )


def _spelt_out(document: dict[str, Any]) -> dict[str, Any]:
    return {"paths": _without_words(document, document.get("paths", {}), named=True, inside=())}


def _without_words(document: object, value: object, *, named: bool, inside: tuple[str, ...]) -> Any:  # noqa: ANN401 - JSON
    """Put what is referred to in the place of the reference, and leave out what only people read."""
    if isinstance(value, list):
        return [_without_words(document, item, named=False, inside=inside) for item in value]
    if not isinstance(value, dict):
        return value
    reference = value.get("$ref")
    if isinstance(reference, str) and reference not in inside:
        target = resolve(document, reference)
        return _without_words(document, target, named=False, inside=(*inside, reference))
    return {
        key: sorted(child, key=str)
        if key in _SETS and isinstance(child, list)
        else _without_words(document, child, named=not named and key in _NAMES, inside=inside)
        for key, child in value.items()
        if named or key not in _WORDS
    }
