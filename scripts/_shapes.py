"""What schemas allow, as a value. Several can be joined: a value has to match all of them, or one."""

from collections.abc import Mapping
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
class Joined:
    """Schemas. A value has to match every one of them, or any."""

    every: bool
    parts: tuple["Expression", ...]


Expression: TypeAlias = Schema | Joined


@dataclass(frozen=True)
class Group:
    """What is allowed of a group of types. What lies deeper is schemas, True for anything, or False."""

    types: frozenset[str]  # those of the group that are allowed. A number includes an integer
    values: frozenset[str] | None = None  # the closed list of values, as JSON texts; None for any
    limits: Mapping[str, Any] = field(default_factory=dict)  # bounds, formats and patterns by keyword
    items: Expression | bool = True  # what the items of a list are
    properties: Mapping[str, Expression] = field(default_factory=dict)  # what the named fields are
    required: frozenset[str] = frozenset()  # the fields that must be there
    additional: Expression | bool = True  # what fields without a name are
    names: Expression | bool = True  # what the names of fields must be


@dataclass(frozen=True)
class Shape:
    """What a schema allows at one level."""

    key: tuple[object, ...] = ()  # what tells this shape from others of the same document
    place: Pointer = ()  # where it stands, references followed
    groups: Mapping[str, Group] = field(default_factory=dict)  # in the order of GROUPS
    nullable: bool = False  # whether null is allowed
    known: frozenset[str] = frozenset()  # the values that are named, whether or not others will do
    # Keywords that nothing here understands, and their values as JSON texts.
    not_compared: frozenset[tuple[str, str]] = frozenset()
    deprecated: bool = False  # whether it is to go away
    read_only: bool = False  # whether it is not to be sent
    write_only: bool = False  # whether it does not come back
    core: Pointer = ()  # where the only part stands that allows more than null, if there is one

    @property
    def types(self) -> frozenset[str]:
        """The JSON types apart from null."""
        return frozenset[str]().union(*(group.types for group in self.groups.values()))


ANY = Shape(groups={name: Group(members) for name, (members, _) in GROUPS.items()}, nullable=True)
NOTHING = Shape()


def intersection(a: Shape, b: Shape) -> Shape:
    """Return what both allow."""
    return Shape(
        key=("every", a.key, b.key),
        place=a.place or b.place,
        groups={
            name: _narrower(group, b.groups[name]) for name, group in a.groups.items() if name in b.groups
        },
        nullable=a.nullable and b.nullable,
        known=a.known | b.known,
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
    shared = a.groups.keys() & b.groups.keys()
    both = {name: _wider(a.groups[name], b.groups[name]) for name in shared}
    groups = {**a.groups, **b.groups, **both}
    inexact = a.key != b.key and any(_is_inexact(a.groups[name], b.groups[name]) for name in shared)
    return Shape(
        key=("either", a.key, b.key),
        place=a.place or b.place,
        groups={name: groups[name] for name in GROUPS if name in groups},
        nullable=a.nullable or b.nullable,
        known=a.known | b.known,
        not_compared=a.not_compared | b.not_compared | ({("anyOf", "")} if inexact else set()),
        deprecated=a.deprecated and b.deprecated,
        read_only=a.read_only and b.read_only,
        write_only=a.write_only and b.write_only,
        core=_core(a, b),
    )


def _core(a: Shape, b: Shape) -> Pointer:
    """Return where the one of two shapes stands that allows more than null."""
    if bool(a.groups) is bool(b.groups):
        return ()
    shape = a if a.groups else b
    return shape.core or shape.place


def _narrower(a: Group, b: Group) -> Group:
    """Return what both allow. A field with a name on one side only is what such fields are there."""
    named = {
        name: _join(a.properties.get(name, a.additional), b.properties.get(name, b.additional), every=True)
        for name in (*a.properties, *b.properties)
    }
    return Group(
        types=a.types & b.types,
        values=b.values if a.values is None else a.values if b.values is None else a.values & b.values,
        limits={**a.limits, **b.limits, **_limits(a, b, every=True)},
        items=_join(a.items, b.items, every=True),
        properties={name: value for name, value in named.items() if not isinstance(value, bool)},
        required=a.required | b.required,
        additional=_join(a.additional, b.additional, every=True),
        names=_join(a.names, b.names, every=True),
    )


def _wider(a: Group, b: Group) -> Group:
    """Return what one or the other allows, and sometimes slightly more."""
    shared = a.properties.keys() & b.properties.keys()
    both = {name: _joined(a.properties[name], b.properties[name], every=False) for name in shared}
    return Group(
        types=a.types | b.types,
        values=None if a.values is None or b.values is None else a.values | b.values,
        limits=_limits(a, b, every=False),
        items=_join(a.items, b.items, every=False),
        properties={**a.properties, **b.properties, **both},
        required=a.required & b.required,
        additional=_join(a.additional, b.additional, every=False),
        names=_join(a.names, b.names, every=False),
    )


def _is_inexact(a: Group, b: Group) -> bool:
    """Whether the wider of two groups allows more than one and the other."""
    if _limited(a) == _limited(b):
        return False
    free = [group for group in (a, b) if group == Group(group.types)]
    return not any(a.types | b.types <= group.types for group in free)


def _limited(group: Group) -> Group:
    """Return all that limits a group, apart from closed lists of the same limits, which add up."""
    types = group.types if group.limits else frozenset[str]()
    return replace(group, types=types, values=None if group.values is None else frozenset())


def _limits(a: Group, b: Group, *, every: bool) -> dict[str, Any]:
    """Return the limits that both have; if two differ and are not bounds, the first or none."""
    found = {}
    for keyword in a.limits.keys() & b.limits.keys():
        ours, theirs, name = a.limits[keyword], b.limits[keyword], keyword.lower()
        if "min" in name or "max" in name:
            found[keyword] = (max if ("min" in name) is every else min)(ours, theirs)
        elif every or ours == theirs:
            found[keyword] = ours
    return found


def _join(a: Expression | bool, b: Expression | bool, *, every: bool) -> Expression | bool:  # noqa: FBT001
    """Join two schemas, or what stands for anything and for nothing."""
    decisive = not every
    if decisive in (a, b):
        return decisive
    if isinstance(a, bool) or isinstance(b, bool):
        return b if isinstance(a, bool) else a
    return _joined(a, b, every=every)


def _joined(a: Expression, b: Expression, *, every: bool) -> Expression:
    """Join two schemas. Parts of parts are parts, none twice, so that a chain of joins does not grow."""
    parts: list[Expression] = []
    for side in (a, b):
        inner = side.parts if isinstance(side, Joined) and side.every is every else (side,)
        parts += [part for part in inner if part not in parts]
    return parts[0] if len(parts) == 1 else Joined(every, tuple(parts))
