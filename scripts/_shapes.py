"""What schemas allow, as a value. Several can be joined: a value has to match all of them, or one."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from _document import Pointer

TYPES = frozenset({"array", "boolean", "integer", "number", "object", "string"})

# Groups of types, and the keywords that limit their values.
GROUPS: dict[str, tuple[frozenset[str], tuple[str, ...]]] = {
    "array": (frozenset({"array"}), ("maxItems", "minItems", "uniqueItems")),
    "boolean": (frozenset({"boolean"}), ()),
    "number": (
        frozenset({"integer", "number"}),
        ("exclusiveMaximum", "exclusiveMinimum", "format", "maximum", "minimum", "multipleOf"),
    ),
    "object": (frozenset({"object"}), ("maxProperties", "minProperties")),
    "string": (frozenset({"string"}), ("format", "maxLength", "minLength", "pattern")),
}


@dataclass(frozen=True)
class Schema:
    """A schema as it is written, and where; its place tells it from others."""

    node: object = field(compare=False, repr=False)
    place: Pointer


@dataclass(frozen=True)
class Every:
    """Schemas that all hold."""

    parts: tuple["Expression", ...]


@dataclass(frozen=True)
class Either:
    """Schemas. A value has to match one of them."""

    parts: tuple["Expression", ...]


Expression: TypeAlias = Schema | Every | Either


@dataclass(frozen=True)
class Shape:
    """What a schema allows at one level; what lies deeper is left as schemas."""

    key: tuple[object, ...] = ()  # what tells this shape from others of the same document
    place: Pointer = ()  # where it stands, references followed
    types: frozenset[str] = TYPES  # the JSON types apart from null. A number includes an integer
    nullable: bool = True  # whether null is allowed
    # The values, as JSON texts, by group of types; a group is not there where any value will do.
    closed: Mapping[str, frozenset[str]] = field(default_factory=dict)
    known: frozenset[str] = frozenset()  # the values that are named, whether or not others will do
    # Bounds, formats and patterns by group of types and keyword.
    limits: Mapping[tuple[str, str], Any] = field(default_factory=dict)
    items: Expression | None = None  # what the items of a list are; None for anything
    properties: Mapping[str, Expression] = field(default_factory=dict)  # what the named fields are
    required: frozenset[str] = frozenset()  # the fields that must be there
    additional: Expression | bool = True  # what fields without a name are, or whether they are allowed
    names: Expression | None = None  # what the names of fields must be; None for anything
    # Keywords that nothing here understands, and their values as JSON texts.
    not_compared: frozenset[tuple[str, str]] = frozenset()
    deprecated: bool = False  # whether it is to go away
    read_only: bool = False  # whether it is not to be sent
    write_only: bool = False  # whether it does not come back
    core: Pointer = ()  # where the only part stands that allows more than null, if there is one


ANY = Shape()
NOTHING = Shape(types=frozenset(), nullable=False)


def intersection(a: Shape, b: Shape) -> Shape:
    """Return what both allow."""
    both = {group: a.closed[group] & b.closed[group] for group in a.closed.keys() & b.closed.keys()}
    closed = {**a.closed, **b.closed, **both}
    return Shape(
        key=("every", a.key, b.key),
        place=a.place or b.place,
        types=a.types & b.types,
        nullable=a.nullable and b.nullable,
        closed=closed,
        known=a.known | b.known,
        limits={**a.limits, **b.limits, **_limits(a, b, tighter=True)},
        items=_joined(a.items, b.items, _every),
        properties=_narrowed(a, b),
        required=a.required | b.required,
        additional=_additional(a, b, closes=False, join=_every),
        names=_joined(a.names, b.names, _every),
        not_compared=a.not_compared | b.not_compared,
        deprecated=a.deprecated or b.deprecated,
        read_only=a.read_only or b.read_only,
        write_only=a.write_only or b.write_only,
        core=a.core or b.core,
    )


def union(a: Shape, b: Shape) -> Shape:
    """Return what one or the other allows.

    Where both limit the same type in ways of their own it is slightly more, which `not_compared` tells.
    """
    joined = replace(
        _either_object(a, b),
        key=("either", a.key, b.key),
        place=a.place or b.place,
        types=a.types | b.types,
        nullable=a.nullable or b.nullable,
        closed=_closed(a, b),
        known=a.known | b.known,
        limits=_loosest(a, b),
        not_compared=a.not_compared | b.not_compared | _inexact(a, b),
        deprecated=a.deprecated and b.deprecated,
        read_only=a.read_only and b.read_only,
        write_only=a.write_only and b.write_only,
        core=_core(a, b),
    )
    if {"array"} <= a.types & b.types:
        items = None if a.items is None or b.items is None else _either(a.items, b.items)
        return replace(joined, items=items)
    return replace(joined, items=a.items if "array" in a.types else b.items)


def _core(a: Shape, b: Shape) -> Pointer:
    """Return where the one of two shapes stands that allows more than null."""
    if bool(a.types) is bool(b.types):
        return ()
    shape = a if a.types else b
    return shape.core or shape.place


def _inexact(a: Shape, b: Shape) -> frozenset[tuple[str, str]]:
    """Return the keyword that is not understood where the union of two shapes is more than they allow."""
    if a.key == b.key:
        return frozenset()
    for group, (members, _) in GROUPS.items():
        sides = _side(a, group), _side(b, group)
        if a.types & members and b.types & members and sides[0] != sides[1]:
            everything = [shape for shape in (a, b) if _side(shape, group) == _side(ANY, group)]
            if not any(members & (a.types | b.types) <= shape.types for shape in everything):
                return frozenset({("anyOf", "")})
    return frozenset()


def _side(shape: Shape, group: str) -> tuple[object, ...]:
    """Return all that limits a group of types, apart from closed lists of the same limits, which add up."""
    limits = {key: value for key, value in shape.limits.items() if key[0] == group}
    types = shape.types & GROUPS[group][0] if limits else None
    deeper: tuple[object, ...] = ()
    if group == "array":
        deeper = (shape.items,)
    if group == "object":
        deeper = (shape.properties, shape.required, shape.additional, shape.names)
    return (limits, types, group in shape.closed, *deeper)


def _either_object(a: Shape, b: Shape) -> Shape:
    """Return the fields that one or the other has."""
    if "object" not in a.types & b.types:
        return a if "object" in a.types else b
    return Shape(
        properties=_widened(a, b),
        required=a.required & b.required,
        additional=_additional(a, b, closes=True, join=_either),
        names=None if a.names is None or b.names is None else _either(a.names, b.names),
    )


def _closed(a: Shape, b: Shape) -> dict[str, frozenset[str]]:
    closed = {}
    for group, (members, _) in GROUPS.items():
        lists = [shape.closed.get(group) for shape in (a, b) if shape.types & members]
        if lists and None not in lists:
            closed[group] = frozenset(value for values in lists for value in values or ())
    return closed


def _loosest(a: Shape, b: Shape) -> dict[tuple[str, str], Any]:
    both = _limits(a, b, tighter=False)
    for group, (members, _) in GROUPS.items():
        alone = [shape for shape in (a, b) if shape.types & members]
        if len(alone) == 1:
            both |= {key: value for key, value in alone[0].limits.items() if key[0] == group}
    return both


def _limits(a: Shape, b: Shape, *, tighter: bool) -> dict[tuple[str, str], Any]:
    """Return the limits that both have; if two differ and are not bounds, the first or none."""
    joined = {}
    for key in a.limits.keys() & b.limits.keys():
        ours, theirs, keyword = a.limits[key], b.limits[key], key[1].lower()
        if "min" in keyword or "max" in keyword:
            joined[key] = (max if ("min" in keyword) is tighter else min)(ours, theirs)
        elif tighter or ours == theirs:
            joined[key] = ours
    return joined


def _narrowed(a: Shape, b: Shape) -> dict[str, Expression]:
    """Return the named fields of both; one without a name on the other side is there what such fields are."""
    found = {}
    for name in dict.fromkeys((*a.properties, *b.properties)):
        ours, theirs = a.properties.get(name, a.additional), b.properties.get(name, b.additional)
        sides = [side for side in (ours, theirs) if not isinstance(side, bool)]
        if False not in (ours, theirs):
            found[name] = sides[0] if len(sides) == 1 else _every(*sides)
    return found


def _widened(a: Shape, b: Shape) -> dict[str, Expression]:
    """Return the named fields of one side or the other."""
    shared = a.properties.keys() & b.properties.keys()
    both = {name: _either(a.properties[name], b.properties[name]) for name in shared}
    return {**a.properties, **b.properties, **both}


def _additional(
    a: Shape, b: Shape, *, closes: bool, join: Callable[[Expression, Expression], Expression]
) -> Expression | bool:
    """Join what fields without a name are; `closes` is the answer that the other side cannot change."""
    if closes in (a.additional, b.additional):
        return closes
    if isinstance(a.additional, bool):
        return b.additional
    return a.additional if isinstance(b.additional, bool) else join(a.additional, b.additional)


def _joined(
    a: Expression | None, b: Expression | None, join: Callable[[Expression, Expression], Expression]
) -> Expression | None:
    if a is None or b is None:
        return b if a is None else a
    return join(a, b)


def _every(a: Expression, b: Expression) -> Expression:
    return a if a == b else Every(_flat(Every, a, b))


def _either(a: Expression, b: Expression) -> Expression:
    return a if a == b else Either(_flat(Either, a, b))


def _flat(join: type[Every | Either], *parts: Expression) -> tuple[Expression, ...]:
    """Return parts of parts, none twice, so that a chain of joins does not grow for ever."""
    flat: list[Expression] = []
    for part in parts:
        inner = part.parts if isinstance(part, Every | Either) and isinstance(part, join) else (part,)
        flat += [expression for expression in inner if expression not in flat]
    return tuple(flat)
