"""Which operations and models differ between two documents of ours, by their names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from _operations import inlined, operations
from _source import Source

if TYPE_CHECKING:
    from collections.abc import Iterator


def describe(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Return one line for each operation and each model that was added, removed or changed."""
    old, new = Source("before", "", before), Source("after", "", after)
    return [
        *_differences("operation", _operations(old), _operations(new)),
        *_differences("model", _models(before), _models(after)),
    ]


def _differences(kind: str, before: dict[str, Any], after: dict[str, Any]) -> Iterator[str]:
    for name in sorted(before.keys() | after.keys()):
        if name not in before:
            yield f"{kind} added: {name}"
        elif name not in after:
            yield f"{kind} removed: {name}"
        elif before[name] != after[name]:
            yield f"{kind} changed: {name}"


def _operations(source: Source) -> dict[str, Any]:
    return {each.name: (each.address, inlined(source, each.content)) for each in operations(source)}


def _models(document: dict[str, Any]) -> dict[str, Any]:
    models: dict[str, Any] = document.get("components", {}).get("schemas", {})
    return models
