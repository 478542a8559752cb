"""What differs between two OpenAPI documents: operations and models, by their names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from _document import resolve
from _operations import operations
from _source import Source

if TYPE_CHECKING:
    from collections.abc import Iterator


class Difference(NamedTuple):
    """An operation or a model that one of the documents lacks, or that is another in each."""

    kind: Literal["operation", "model"]
    change: Literal["added", "removed", "changed"]
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.change}: {self.name}"


def describe(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Return one line for each operation and each model that was added, removed or changed."""
    return [str(difference) for difference in differences(before, after)]


def differences(before: dict[str, Any], after: dict[str, Any]) -> Iterator[Difference]:
    """Yield each operation and each model that was added, removed or changed."""
    yield from _compare("operation", _operations(before), _operations(after))
    yield from _compare("model", _models(before), _models(after))


def _compare(
    kind: Literal["operation", "model"], before: dict[str, Any], after: dict[str, Any]
) -> Iterator[Difference]:
    for name in sorted(before.keys() | after.keys()):
        if name not in before:
            yield Difference(kind, "added", name)
        elif name not in after:
            yield Difference(kind, "removed", name)
        elif before[name] != after[name]:
            yield Difference(kind, "changed", name)


def _operations(document: dict[str, Any]) -> dict[str, Any]:
    return {
        operation.name: (
            operation.path,
            operation.method,
            _inline(document, operation.content),
        )
        for operation in operations(Source("", "", document))
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
