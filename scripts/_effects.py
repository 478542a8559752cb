"""What a difference does to the values that a place allows: it is widened, narrowed, or changed."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Literal

from _places import steps

if TYPE_CHECKING:
    from collections.abc import Collection
    from collections.abc import Set as AbstractSet

    from _operations import Direction
    from _redocly import Row

Effect = Literal[
    "added",
    "removed",
    "renamed",
    "now required",
    "no longer required",
    "widened",
    "narrowed",
    "changed",
]

_LOWEST = frozenset({"exclusiveMinimum", "minItems", "minLength", "minProperties", "minimum"})
_HIGHEST = frozenset({"exclusiveMaximum", "maxItems", "maxLength", "maxProperties", "maximum"})
_RESTRICTIONS = frozenset({"const", "contentEncoding", "contentMediaType", "format", "multipleOf", "pattern"})
_ALL_TYPES = frozenset({"array", "boolean", "integer", "null", "number", "object", "string"})


def effect_of(row: Row) -> Effect:
    """Return what happened to the thing that a row is about."""
    if row.kind == "modified":
        return "renamed" if row.property == "key" else _effect_of_keyword(row)
    if row.type not in {"AllOf", "AnyOf", "OneOf", "Schema"}:
        return row.kind
    last = steps(row.way)[-1]
    if last.name is not None and last.keyword not in {"allOf", "anyOf", "oneOf"}:
        return row.kind
    # Another alternative allows more; any other keyword that holds a schema allows less.
    is_alternative = last.name is not None and last.keyword != "allOf"
    return "widened" if is_alternative == (row.kind == "added") else "narrowed"


def breaks(effect: Effect, directions: Collection[Direction], keyword: str | None = None) -> bool:
    """Return whether an effect breaks callers, where nothing but it is known.

    Args:
        effect: What happened.
        directions: Whether it happened to what is sent, to what comes back, or to both.
        keyword: Which keyword is another, where one is.
    """
    if effect in {"narrowed", "now required"}:
        return "requests" in directions
    if effect in {"widened", "no longer required"}:
        return "replies" in directions
    if effect == "changed":
        return keyword in _RESTRICTIONS or keyword in {"enum", "type"}
    return effect != "added"


def _effect_of_keyword(row: Row) -> Effect:
    old, new = row.old, row.new
    if row.property == "required":
        return "now required" if new else "no longer required"
    if row.property == "type":
        return _of_sets(_types(old), _types(new))
    if row.property == "enum":
        return _of_sets(_values(old), _values(new))
    if row.property in _LOWEST:
        return _of_numbers(_number(new, -math.inf), _number(old, -math.inf))
    if row.property in _HIGHEST:
        return _of_numbers(_number(old, math.inf), _number(new, math.inf))
    if row.property in _RESTRICTIONS or row.property == "uniqueItems":
        return _of_presence(_is_on(old), _is_on(new))
    return _of_presence(old is False, new is False)


def _of_sets(old: AbstractSet[str] | None, new: AbstractSet[str] | None) -> Effect:
    """Compare what is allowed; None is everything."""
    if old is None or new is None:
        return _of_presence(old is not None, new is not None)
    if old < new:
        return "widened"
    return "narrowed" if new < old else "changed"


def _of_numbers(smaller: float, larger: float) -> Effect:
    return "widened" if smaller < larger else "narrowed"


def _of_presence(old: object, new: object) -> Effect:
    if bool(old) == bool(new):
        return "changed"
    return "narrowed" if new else "widened"


def _is_on(value: object) -> bool:
    return value is not None and value is not False


def _types(value: object) -> frozenset[str]:
    types = frozenset(map(str, value)) if isinstance(value, list) else frozenset({str(value)})
    if value is None:
        return _ALL_TYPES
    return types | {"integer"} if "number" in types else types


def _values(value: object) -> frozenset[str] | None:
    return frozenset(map(json.dumps, value)) if isinstance(value, list) else None


def _number(value: object, otherwise: float) -> float:
    return float(value) if isinstance(value, int | float) else otherwise
