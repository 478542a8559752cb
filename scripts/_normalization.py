"""What a schema allows, in one form for OpenAPI 3.0 and 3.1, however it is put together."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import lru_cache, reduce
from typing import Any

from _document import Document, Pointer, kind
from _shapes import ANY, GROUPS, NOTHING, TYPES, Expression, Group, Schema, Shape, intersection, union

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
        join = intersection if expression.every else union
        return reduce(join, [self._shape(part, above) for part in expression.parts])

    def _schema(self, schema: Schema, above: tuple[Pointer, ...]) -> Shape:
        node, place = self.source.follow(schema.node, schema.place)
        if place in above:
            self.source.fail(place, "is part of itself")
        if len(above) > DEEPEST:
            self.source.fail(place, f"is nested more than {DEEPEST} deep")
        if isinstance(node, bool):
            return replace(ANY if node else NOTHING, key=(place,), place=place)
        mapping = self.source.mapping(node, place)
        shape = reduce(intersection, self._parts(mapping, place, (*above, place)))
        nullable = shape.nullable or mapping.get("nullable") is True
        shape = replace(shape, key=(place,), place=place, nullable=nullable)
        siblings = self._siblings(schema.node)
        if not siblings:
            return shape
        beside = self._schema(Schema(siblings, schema.place), (*above, place))
        return replace(intersection(shape, beside), key=(schema.place,))

    def _siblings(self, node: object) -> dict[str, Any]:
        """Return what stands beside a `$ref`, which counts from OpenAPI 3.1 on."""
        if self.source.is_3_0 or not isinstance(node, dict) or node.get("$ref") is None:
            return {}
        return {key: value for key, value in node.items() if key not in _REMARKS}

    def _parts(self, mapping: dict[str, Any], place: Pointer, above: tuple[Pointer, ...]) -> list[Shape]:
        parts = [self._own(mapping, place)]
        for keyword in ("allOf", "anyOf", "oneOf"):
            shapes = [
                self._schema(Schema(node, (*place, keyword, index)), above)
                for index, node in enumerate(self.source.sequence(mapping.get(keyword), (*place, keyword)))
            ]
            if keyword == "allOf":
                parts += shapes
            elif shapes:
                parts.append(reduce(union, shapes))
        return parts

    def _own(self, mapping: dict[str, Any], place: Pointer) -> Shape:
        """Return what the keywords of one schema say, without what it is composed of."""
        values = self._values(mapping, place)
        types, nullable = self._types(mapping, place, values)
        deeper = self._deeper(mapping, place)
        groups = {
            name: Group(
                types=types & members,
                values=values.get(name, frozenset()) if values else None,
                limits=self._limits(mapping, place, keywords),
                **deeper.get(name, {}),
            )
            for name, (members, keywords) in GROUPS.items()
            if types & members
        }
        return Shape(
            key=(place,),
            place=place,
            groups=groups,
            nullable=nullable,
            known=frozenset(value for group in groups.values() for value in group.values or ()),
            not_compared=frozenset(
                (keyword, json.dumps(mapping[keyword], sort_keys=True))
                for keyword in _NOT_COMPARED & mapping.keys()
            ),
            deprecated=mapping.get("deprecated") is True,
            read_only=mapping.get("readOnly") is True,
            write_only=mapping.get("writeOnly") is True,
        )

    def _deeper(self, mapping: dict[str, Any], place: Pointer) -> dict[str, dict[str, Any]]:
        """Return what the parts of lists and objects are."""
        properties = self.source.mapping(mapping.get("properties"), (*place, "properties"))
        additional = mapping.get("additionalProperties")
        fields = {
            "properties": {
                name: Schema(node, (*place, "properties", name)) for name, node in properties.items()
            },
            "required": frozenset(self.source.texts(mapping.get("required"), (*place, "required"))),
            "additional": additional is not False
            and _below("additionalProperties", True if additional == {} else additional, place),
            "names": _below("propertyNames", mapping.get("propertyNames"), place),
        }
        return {"array": {"items": _below("items", mapping.get("items"), place)}, "object": fields}

    def _values(self, mapping: dict[str, Any], place: Pointer) -> dict[str, frozenset[str]]:
        """Return the closed list of values, each as JSON text, by group of types."""
        if mapping.get("const") is not None:
            listed = [mapping["const"]]
        else:
            listed = self.source.sequence(mapping.get("enum"), (*place, "enum"))
        found: dict[str, frozenset[str]] = {}
        for value in listed:
            group = _GROUP_OF_VALUE.get(type(value), "number")
            found[group] = found.get(group, frozenset()) | {json.dumps(value, sort_keys=True)}
        return found

    def _types(
        self, mapping: dict[str, Any], place: Pointer, values: dict[str, frozenset[str]]
    ) -> tuple[frozenset[str], bool]:
        """Return the JSON types apart from null, and whether null is allowed."""
        declared = mapping.get("type")
        listed = [declared] if isinstance(declared, str) else None
        types = set(listed or self.source.texts(declared, (*place, "type")))
        if unknown := types - TYPES - {"null"}:
            self.source.fail((*place, "type"), f"{min(unknown)!r} is not a type of JSON")
        types = types or {*TYPES, "null"}
        if "number" in types:
            types.add("integer")
        if values:
            groups = [members for group, (members, _) in GROUPS.items() if group in values]
            nulls = {"null"} if declared is not None or "null" in values else set()
            types &= nulls.union(*groups)
        return frozenset(types - {"null"}), "null" in types or mapping.get("nullable") is True

    def _limits(self, mapping: dict[str, Any], place: Pointer, keywords: Iterable[str]) -> dict[str, Any]:
        stated = {keyword: value for keyword, value in mapping.items() if value is not None}
        for bound in ("minimum", "maximum"):
            exclusive = f"exclusive{bound.capitalize()}"
            if isinstance(stated.get(exclusive), bool) and stated.pop(exclusive) and bound in stated:
                stated[exclusive] = stated.pop(bound)
        return {
            keyword: self._limit(stated[keyword], (*place, keyword))
            for keyword in keywords
            if keyword in stated and (keyword, stated[keyword]) not in _NO_LIMITS
        }

    def _limit(self, value: object, place: Pointer) -> object:
        keyword = place[-1]
        if keyword in _NUMBERS and (isinstance(value, bool) or not isinstance(value, int | float)):
            self.source.fail(place, f"is {kind(value)} where a number belongs")
        if keyword in {"format", "pattern"} and not isinstance(value, str):
            self.source.fail(place, f"is {kind(value)} where a text belongs")
        return value


@lru_cache(maxsize=8)
def reader_of(source: Document) -> Reader:
    """Return the schemas of a document, which are the same for all its operations."""
    return Reader(source)


def _below(keyword: str, node: object, place: Pointer) -> Schema | bool:
    return True if node is None or node is True else Schema(node, (*place, keyword))
