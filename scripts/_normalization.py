"""What a schema allows, in one form for OpenAPI 3.0 and 3.1, however it is put together."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial, reduce
from typing import Any

from _document import Document, Part, Pointer, kind
from _shapes import ANY, GROUPS, MARKS, NOTHING, TYPES, Expression, Group, Schema, Shape, join

DEEPEST = 60
_NUMBERS = frozenset(
    {
        *("exclusiveMaximum", "exclusiveMinimum", "maxItems", "maxLength", "maxProperties", "maximum"),
        *("minItems", "minLength", "minProperties", "minimum", "multipleOf"),
    }
)
_NOT_COMPARED = frozenset(
    {
        *("contains", "contentEncoding", "contentMediaType", "contentSchema", "dependencies"),
        *("dependentRequired", "dependentSchemas", "discriminator", "else", "if", "maxContains"),
        *("minContains", "not", "patternProperties", "prefixItems", "then", "unevaluatedItems"),
        "unevaluatedProperties",
    }
)
_NO_LIMITS = [("minItems", 0), ("minLength", 0), ("minProperties", 0), ("uniqueItems", False)]
_REMARKS = frozenset({"$ref", "description", "example", "examples", "summary", "title"})
_GROUP_OF_VALUE = {dict: "object", list: "array", str: "string", bool: "boolean", type(None): "null"}


@dataclass(frozen=True)
class Reader:
    """The schemas of one document."""

    source: Document
    _known: dict[tuple[Pointer, bool], Shape] = field(default_factory=dict)

    def shape(self, expression: Expression) -> Shape:
        """Return what a schema, or several together, allow."""
        if not isinstance(expression, Schema):
            return self._shape(expression, ())
        # That anything may be an item of a list has no place of its own.
        key = (expression.place, expression.node is True)
        if key not in self._known:
            self._known[key] = self._schema(expression, ())
        return self._known[key]

    def _shape(self, expression: Expression, above: tuple[Pointer, ...]) -> Shape:
        if isinstance(expression, Schema):
            return self._schema(expression, above)
        return _join([self._shape(part, above) for part in expression.parts], every=expression.every)

    def _schema(self, schema: Schema, above: tuple[Pointer, ...]) -> Shape:
        node, place = self.source.follow(schema.node, schema.place)
        if place in above:
            self.source.fail(place, "is part of itself")
        if len(above) > DEEPEST:
            self.source.fail(place, f"is nested more than {DEEPEST} deep")
        if isinstance(node, bool):
            return replace(ANY if node else NOTHING, key=(place,), place=place)
        part = self.source.part(node, place)
        shape = _join(self._parts(part, (*above, place)), every=True)
        nullable = shape.nullable or part.content.get("nullable") is True
        shape = replace(shape, key=(place,), place=place, nullable=nullable)
        siblings = self._siblings(schema.node)
        if not siblings:
            return shape
        beside = self._schema(Schema(siblings, schema.place), (*above, place))
        return replace(join(shape, beside, every=True), key=(schema.place,))

    def _siblings(self, node: object) -> dict[str, Any]:
        """Return what stands beside a `$ref`, which counts from OpenAPI 3.1 on."""
        if self.source.is_3_0 or not isinstance(node, dict) or node.get("$ref") is None:
            return {}
        return {key: value for key, value in node.items() if key not in _REMARKS}

    def _parts(self, part: Part, above: tuple[Pointer, ...]) -> list[Shape]:
        found = [_own(part)]
        for keyword in ("allOf", "anyOf", "oneOf"):
            shapes = [
                self._schema(Schema(node, (*part.place, keyword, index)), above)
                for index, node in enumerate(part.sequence(keyword))
            ]
            if keyword == "allOf":
                found += shapes
            elif shapes:
                found.append(_join(shapes, every=False))
        return found


@lru_cache(maxsize=8)
def reader_of(source: Document) -> Reader:
    """Return the schemas of a document, which are the same for all its operations."""
    return Reader(source)


def _join(shapes: Iterable[Shape], *, every: bool) -> Shape:
    return reduce(partial(join, every=every), shapes)


def _own(part: Part) -> Shape:
    """Return what the keywords of one schema say, without what it is composed of."""
    content = part.content
    values = _values(part)
    types, nullable = _types(part, values)
    deeper = _deeper(part)
    groups = {
        name: Group(
            types=types & members,
            values=values.get(name, frozenset()) if values else None,
            limits=_limits(part, keywords),
            **deeper.get(name, {}),
        )
        for name, (members, keywords) in GROUPS.items()
        if types & members
    }
    return Shape(
        key=(part.place,),
        place=part.place,
        groups=groups,
        nullable=nullable,
        known=frozenset(value for group in groups.values() for value in group.values or ()),
        not_compared=frozenset(
            (keyword, json.dumps(content[keyword], sort_keys=True))
            for keyword in _NOT_COMPARED & content.keys()
        ),
        marks=frozenset(mark for mark in MARKS if content.get(mark) is True),
    )


def _values(part: Part) -> dict[str, frozenset[str]]:
    """Return the closed list of values, each as JSON text, by group of types."""
    constant = part.content.get("const")
    found: dict[str, frozenset[str]] = {}
    for value in part.sequence("enum") if constant is None else [constant]:
        group = _GROUP_OF_VALUE.get(type(value), "number")
        found[group] = found.get(group, frozenset()) | {json.dumps(value, sort_keys=True)}
    return found


def _types(part: Part, values: dict[str, frozenset[str]]) -> tuple[frozenset[str], bool]:
    """Return the JSON types apart from null, and whether null is allowed."""
    declared = part.content.get("type")
    types = {declared} if isinstance(declared, str) else set(part.texts("type"))
    if unknown := types - TYPES - {"null"}:
        part.source.fail((*part.place, "type"), f"{min(unknown)!r} is not a type of JSON")
    types = types or {*TYPES, "null"}
    if "number" in types:
        types.add("integer")
    if values:
        groups = [members for group, (members, _) in GROUPS.items() if group in values]
        nulls = {"null"} if declared is not None or "null" in values else set()
        types &= nulls.union(*groups)
    return frozenset(types - {"null"}), "null" in types or part.content.get("nullable") is True


def _limits(part: Part, keywords: Iterable[str]) -> dict[str, Any]:
    stated = {keyword: value for keyword, value in part.content.items() if value is not None}
    for bound in ("minimum", "maximum"):
        exclusive = f"exclusive{bound.capitalize()}"
        if isinstance(stated.get(exclusive), bool) and stated.pop(exclusive) and bound in stated:
            stated[exclusive] = stated.pop(bound)
    for keyword in {*keywords} & stated.keys():
        value = stated[keyword]
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if keyword in _NUMBERS and not is_number:
            part.source.fail((*part.place, keyword), f"is {kind(value)} where a number belongs")
        if keyword in {"format", "pattern"} and not isinstance(value, str):
            part.source.fail((*part.place, keyword), f"is {kind(value)} where a text belongs")
    return {
        keyword: stated[keyword]
        for keyword in keywords
        if keyword in stated and (keyword, stated[keyword]) not in _NO_LIMITS
    }


def _deeper(part: Part) -> dict[str, dict[str, Any]]:
    """Return what the parts of lists and objects are."""
    additional = part.content.get("additionalProperties")
    fields = {
        "properties": {
            name: Schema(node, (*part.place, "properties", name))
            for name, node in part.mapping("properties").items()
        },
        "required": frozenset(part.texts("required")),
        "additional": additional == {} or (additional is not False and _below(part, "additionalProperties")),
        "names": _below(part, "propertyNames"),
    }
    return {"array": {"items": _below(part, "items")}, "object": fields}


def _below(part: Part, keyword: str) -> Schema | bool:
    node = part.content.get(keyword)
    return True if node is None or node is True else Schema(node, (*part.place, keyword))
