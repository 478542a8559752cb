"""What differs between two OpenAPI documents, in words: operations and models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from _document import resolve

if TYPE_CHECKING:
    from collections.abc import Iterator

_METHODS = frozenset({"delete", "get", "head", "options", "patch", "post", "put", "trace"})


def describe(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Return one line for each operation and each model that was added, removed or changed."""
    return [
        *_differences("operation", _operations(before), _operations(after)),
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


def _operations(document: dict[str, Any]) -> dict[str, Any]:
    return {
        operation.get("operationId", f"{method} {path}"): (
            path,
            method,
            _inline(document, operation),
        )
        for path, item in document.get("paths", {}).items()
        for method, operation in item.items()
        if method in _METHODS
    }


def _models(document: dict[str, Any]) -> dict[str, Any]:
    models: dict[str, Any] = document.get("components", {}).get("schemas", {})
    return models


def _inline(document: dict[str, Any], value: object) -> object:
    """Replace references by what they name, except to models, which are told of by themselves."""
    if isinstance(value, list):
        return [_inline(document, item) for item in value]
    if not isinstance(value, dict):
        return value
    reference = value.get("$ref")
    if isinstance(reference, str) and not reference.startswith("#/components/schemas/"):
        return _inline(document, resolve(document, reference))
    return {key: _inline(document, child) for key, child in value.items()}
