"""What schemas allow, as a value. Several can be joined: a value has to match all of them, or one."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from operator import and_, or_
from typing import Any, TypeAlias

from _document import Pointer

TYPES = frozenset({"array", "boolean", "integer", "number", "object", "string"})

# It is to go away, is not to be sent, does not come back.
MARKS = frozenset({"deprecated", "readOnly", "writeOnly"})

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
    marks: frozenset[str] = frozenset()  # those of MARKS that it has
    core: Pointer = ()  # where the only part stands that allows more than null, if there is one

    @property
    def types(self) -> frozenset[str]:
        """The JSON types apart from null."""
        return frozenset[str]().union(*(group.types for group in self.groups.values()))


ANY = Shape(groups={name: Group(members) for name, (members, _) in GROUPS.items()}, nullable=True)
NOTHING = Shape()


def join(a: Shape, b: Shape, *, every: bool) -> Shape:
    """Return what both allow, or what one or the other does.

    Where both limit the same type in ways of their own, the latter is slightly more, which `not_compared`
    tells.
    """
    narrow, widen = (and_, or_) if every else (or_, and_)
    names = narrow(a.groups.keys(), b.groups.keys())
    shared = {name: (a.groups[name], b.groups[name]) for name in a.groups.keys() & b.groups.keys()}
    groups = {**a.groups, **b.groups, **{name: _group(*sides, every=every) for name, sides in shared.items()}}
    is_inexact = not every and a.key != b.key and any(_is_inexact(*sides) for sides in shared.values())
    return Shape(
        key=(every, a.key, b.key),
        place=a.place or b.place,
        groups={name: groups[name] for name in GROUPS if name in names},
        nullable=narrow(a.nullable, b.nullable),
        known=a.known | b.known,
        not_compared=a.not_compared | b.not_compared | ({("anyOf", "")} if is_inexact else set()),
        marks=widen(a.marks, b.marks),
        core=a.core or b.core if every else _core(a, b),
    )


def _core(a: Shape, b: Shape) -> Pointer:
    """Return where the one of two shapes stands that allows more than null."""
    if bool(a.groups) is bool(b.groups):
        return ()
    shape = a if a.groups else b
    return shape.core or shape.place


def _group(a: Group, b: Group, *, every: bool) -> Group:
    narrow, widen = (and_, or_) if every else (or_, and_)
    return Group(
        types=narrow(a.types, b.types),
        values=_values(a.values, b.values, every=every),
        limits=_limits(a.limits, b.limits, every=every),
        items=_below(a.items, b.items, every=every),
        properties=_properties(a, b, every=every),
        required=widen(a.required, b.required),
        additional=_below(a.additional, b.additional, every=every),
        names=_below(a.names, b.names, every=every),
    )


def _is_inexact(a: Group, b: Group) -> bool:
    """Whether two groups, each with limits of its own, allow less than what is joined of them."""
    if _limited(a) == _limited(b):
        return False
    free = [group for group in (a, b) if group == Group(group.types)]
    return not any(a.types | b.types <= group.types for group in free)


def _limited(group: Group) -> Group:
    """Return all that limits a group, apart from closed lists of the same limits, which add up."""
    types = group.types if group.limits else frozenset[str]()
    return replace(group, types=types, values=None if group.values is None else frozenset())


def _values(a: frozenset[str] | None, b: frozenset[str] | None, *, every: bool) -> frozenset[str] | None:
    if a is None or b is None:
        return (b if a is None else a) if every else None
    return a & b if every else a | b


def _limits(a: Mapping[str, Any], b: Mapping[str, Any], *, every: bool) -> dict[str, Any]:
    """Return all limits, or those that both have; if two differ and are not bounds, the first or none."""
    found = {**a, **b} if every else {}
    for keyword in a.keys() & b.keys():
        name = keyword.lower()
        if "min" in name or "max" in name:
            found[keyword] = (max if ("min" in name) is every else min)(a[keyword], b[keyword])
        elif every or a[keyword] == b[keyword]:
            found[keyword] = a[keyword]
    return found


def _properties(a: Group, b: Group, *, every: bool) -> dict[str, Expression]:
    """Join the named fields. If every side counts, a field is what fields without a name are on the other."""
    found = {}
    for name in dict.fromkeys((*a.properties, *b.properties)):
        sides = [
            side.properties.get(name, side.additional) for side in (a, b) if every or name in side.properties
        ]
        joined = _below(sides[0], sides[-1], every=every)
        if not isinstance(joined, bool):
            found[name] = joined
    return found


def _below(a: Expression | bool, b: Expression | bool, *, every: bool) -> Expression | bool:  # noqa: FBT001
    """Join two schemas. Parts of parts are parts, none twice, so that a chain of joins does not grow."""
    decisive = not every
    if decisive in (a, b):
        return decisive
    if isinstance(a, bool) or isinstance(b, bool):
        return b if isinstance(a, bool) else a
    parts: list[Expression] = []
    for side in (a, b):
        inner = side.parts if isinstance(side, Joined) and side.every is every else (side,)
        parts += [part for part in inner if part not in parts]
    return parts[0] if len(parts) == 1 else Joined(every, tuple(parts))
