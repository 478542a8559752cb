"""How two schemas differ, one of the document and one of HubSpot's, for a request or for a reply."""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from _differences import Difference, Direction, Places, Said, Severity, Use, Verdict, judge, listed
from _document import Pointer
from _normalization import DEEPEST, Reader
from _shapes import GROUPS, TYPES, Expression, Group, Schema, Shape

MOST_PAIRS = 20_000
_WHOLE_NUMBERS = {"int32": 31, "int64": 63}
ANY_SCHEMA = "a schema"
_OPENNESS = (False, ANY_SCHEMA, True)
_NOT_COMPARED = Verdict(Direction.APART, Severity.NOTABLE, "nothing here compares them")
DEPRECATED = Verdict(Direction.WE, Severity.NOTABLE, "it is to go away")


@dataclass
class Comparison:
    """A body of the document against the same body of HubSpot's."""

    ours: Reader  # the schemas of the document
    theirs: Reader  # the schemas of HubSpot's document
    use: Use  # whether the body is sent or received
    code: str = ""  # the status code of a reply
    _seen: set[tuple[object, object]] = field(default_factory=set)

    def differences(
        self, ours: Expression, theirs: Expression, path: str = "", label: str = "", depth: int = 0
    ) -> Iterator[Difference]:
        """Yield every difference that matters to a client."""
        shapes = self.ours.shape(ours), self.theirs.shape(theirs)
        pair = Pair(self, *shapes, path, _label(*(shape.place for shape in shapes)) or label)
        key = (pair.ours.key, pair.theirs.key)
        if key in self._seen:
            return
        self._seen.add(key)
        if depth > DEEPEST:
            self.theirs.source.fail(pair.theirs.place, f"is nested more than {DEEPEST} deep")
        if len(self._seen) > MOST_PAIRS:
            self.theirs.source.fail(pair.theirs.place, f"is one of more than {MOST_PAIRS} schemas")
        yield from pair.differences()
        for mine, their, step in pair.children():
            yield from self.differences(
                mine, their, (path + step).removeprefix("."), pair.label + step, depth + 1
            )


@dataclass(frozen=True)
class Pair:
    """What the document allows at one place, and what HubSpot allows there."""

    comparison: Comparison
    ours: Shape
    theirs: Shape
    path: str
    label: str

    def differences(self) -> Iterator[Difference]:
        """Yield how the two differ at this level."""
        yield from self._types()
        yield from self._values()
        for name, sides in self._shared.items():
            for keyword in GROUPS[name][1]:
                yield from self._limit(keyword, *sides)
        for theirs, ours in self._objects:
            yield from self._required(theirs, ours)
            yield from self._fields(theirs, ours)
            yield from self._openness(theirs, ours)
        yield from self._rest()

    def children(self) -> Iterator[tuple[Expression, Expression, str]]:
        """Yield what lies one level deeper on both sides, with the step to it."""
        if any(side.items is not True for side in self._shared.get("array", ())):
            yield _items(self.ours), _items(self.theirs), "[]"
        for theirs, ours in self._objects:
            names = [*ours.properties, *(theirs.properties.keys() - ours.properties.keys())]
            steps = [(_field(ours, name), _field(theirs, name), f".{name}") for name in names]
            steps += [(ours.additional, theirs.additional, "{}"), (ours.names, theirs.names, "{name}")]
            for mine, their, step in steps:
                if not isinstance(mine, bool) and not isinstance(their, bool):
                    yield mine, their, step

    @cached_property
    def _shared(self) -> dict[str, tuple[Group, Group]]:
        """What both allow of each group of types that both allow, theirs first."""
        theirs = self.theirs.groups
        return {name: (theirs[name], ours) for name, ours in self.ours.groups.items() if name in theirs}

    @property
    def _objects(self) -> list[tuple[Group, Group]]:
        """What both allow of objects, if both do."""
        return [sides for name, sides in self._shared.items() if name == "object"]

    def _types(self) -> Iterator[Difference]:
        ours, theirs = self.ours.types, self.theirs.types
        yield from self._compared(
            "type", _words(theirs), _words(ours), they=bool(theirs - ours), we=bool(ours - theirs)
        )
        yield from self._wider("nullable", self.theirs.nullable, self.ours.nullable)

    def _values(self) -> Iterator[Difference]:
        pairs = [(theirs.values, ours.values) for theirs, ours in self._shared.values()]
        they = any(ours is not None and (theirs is None or not theirs <= ours) for theirs, ours in pairs)
        we = any(theirs is not None and (ours is None or not ours <= theirs) for theirs, ours in pairs)
        said = Said(_closed(self.theirs), _closed(self.ours))
        yield from self._compared("enum", *said, they=they, we=we)
        if self.ours.known and self.theirs.known and said.ours is None:
            yield from self._named(self.theirs.known, self.ours.known)

    def _named(self, theirs: frozenset[str], ours: frozenset[str]) -> Iterator[Difference]:
        """Tell of the values that an open list names, which forbid nothing."""
        said = Said(_listed(theirs), _listed(ours))
        if more := _listed(theirs - ours):
            verdict = Verdict(Direction.THEY, Severity.NOTABLE, f"they also name {listed(more)}")
            yield self._difference("values", said, verdict)
        elif fewer := _listed(ours - theirs):
            verdict = Verdict(Direction.WE, Severity.HARMLESS, f"they do not name {listed(fewer)}")
            yield self._difference("values", said, verdict)

    def _limit(self, keyword: str, theirs: Group, ours: Group) -> Iterator[Difference]:
        bounds = _bound(theirs, keyword), _bound(ours, keyword)
        if bounds[0] != bounds[1]:
            they, we = _looser(keyword, *bounds), _looser(keyword, *bounds[::-1])
            stated = theirs.limits.get(keyword), ours.limits.get(keyword)
            yield from self._compared(keyword, *stated, they=they, we=we)

    def _required(self, theirs: Group, ours: Group) -> Iterator[Difference]:
        if names := sorted(theirs.required - ours.required):
            yield from self._compared("required", names, sorted(ours.required), they=False, we=True)
        absent = _only(ours, theirs) if isinstance(theirs.additional, bool) else set()
        if names := sorted(ours.required - theirs.required - absent):
            yield from self._compared("optional", names, sorted(ours.required), they=True, we=False)

    def _fields(self, theirs: Group, ours: Group) -> Iterator[Difference]:
        if isinstance(ours.additional, bool):
            for name in sorted(_only(theirs, ours)):
                yield self._their_field(name, reads=ours.additional)
        if isinstance(theirs.additional, bool):
            for name in sorted(_only(ours, theirs)):
                yield self._our_field(name, required=name in ours.required)

    def _their_field(self, name: str, *, reads: bool) -> Difference:
        severity, verb, reason = Severity.NOTABLE, "may send", "we ignore" if reads else "we cannot read"
        if self.comparison.use == "request":
            verb, reason = "take", "we do not know"
        elif not reads:
            severity = Severity.BREAKING
        verdict = Verdict(Direction.THEY, severity, f"they {verb} `{name}`, which {reason}")
        return self._difference("field", Said(name, None), verdict)

    def _our_field(self, name: str, *, required: bool) -> Difference:
        if self.comparison.use == "request":
            verdict = Verdict(Direction.WE, Severity.BREAKING, f"they do not take `{name}`")
        elif required:
            effect = f"they may leave out `{name}`, which we require"
            verdict = Verdict(Direction.THEY, Severity.BREAKING, effect)
        else:
            verdict = Verdict(Direction.WE, Severity.HARMLESS, f"they do not send `{name}`")
        found = self._difference("absent", Said(theirs=True, ours=False), verdict)
        places = Places(self.theirs.place, (*self.ours.place, "properties", name))
        field, label = (f"{way}.{name}".removeprefix(".") for way in (self.path, self.label))
        return replace(found, field=field, label=label, places=places)

    def _openness(self, theirs: Group, ours: Group) -> Iterator[Difference]:
        others = _written(theirs.additional), _written(ours.additional)
        yield from self._wider("additionalProperties", *others, rank=_OPENNESS.index)
        they, we = theirs.names is True, ours.names is True
        names = None if they else ANY_SCHEMA, None if we else ANY_SCHEMA
        yield from self._compared("propertyNames", *names, they=they and not we, we=we and not they)

    def _rest(self) -> Iterator[Difference]:
        theirs, ours = self.theirs, self.ours
        if theirs.not_compared != ours.not_compared:
            keywords = [sorted({word for word, _ in side.not_compared}) for side in (theirs, ours)]
            yield self._difference("keyword", Said(*keywords), _NOT_COMPARED)
        if "deprecated" in theirs.marks - ours.marks:
            yield self._difference("deprecated", Said(theirs=True, ours=False), DEPRECATED)
        if self.comparison.use == "request":
            marked = "readOnly" in theirs.marks, "readOnly" in ours.marks
            yield from self._wider("readOnly", *marked, rank=lambda is_on: not is_on)
        else:
            marked = "writeOnly" in theirs.marks, "writeOnly" in ours.marks
            yield from self._wider("writeOnly", *marked)

    def _compared(
        self, aspect: str, theirs: object, ours: object, *, they: bool, we: bool
    ) -> Iterator[Difference]:
        said = Said(theirs, ours)
        verdict = judge(self.comparison.use, aspect, said, they=they, we=we)
        if verdict is not None:
            yield self._difference(aspect, said, verdict)

    def _wider(
        self, aspect: str, theirs: object, ours: object, rank: Callable[[Any], int] = int
    ) -> Iterator[Difference]:
        """Report two values that differ. The one of a higher rank allows more."""
        they, we = rank(theirs), rank(ours)
        yield from self._compared(aspect, theirs, ours, they=they > we, we=we > they)

    def _difference(self, aspect: str, said: Said, verdict: Verdict) -> Difference:
        places = Places(self.theirs.place, self.ours.place)
        core = _label(self.ours.core, self.theirs.core) if aspect != "nullable" else ""
        use, code = self.comparison.use, self.comparison.code
        return Difference(aspect, said, verdict, places, use, code, self.path, core or self.label)


def _label(ours: Pointer, theirs: Pointer) -> str:
    """Return what a place in a model is called; empty where it is not the same place on both sides."""
    if ours != theirs or ours[:2] != ("components", "schemas"):
        return ""
    label, tokens = str(ours[2]), iter(ours[3:])
    for token in tokens:
        if token in {"allOf", "anyOf", "oneOf"}:
            next(tokens, None)
        else:
            steps = {"items": "[]", "additionalProperties": "{}", "propertyNames": "{name}"}
            label += steps.get(str(token)) or f".{next(tokens, token)}"
    return label


def _items(shape: Shape) -> Expression:
    items = shape.groups["array"].items
    return Schema(items, shape.place) if isinstance(items, bool) else items


def _field(group: Group, name: str) -> Expression | bool:
    return group.properties.get(name, group.additional)


def _only(one: Group, other: Group) -> set[str]:
    """Return the fields that have a name on the first side only."""
    return one.properties.keys() - other.properties.keys()


def _written(additional: Expression | bool) -> object:  # noqa: FBT001
    return additional if isinstance(additional, bool) else ANY_SCHEMA


def _words(types: frozenset[str]) -> object:
    """Return types the way a document writes them."""
    words = sorted(types - {"integer"} if "number" in types else types)
    if types == TYPES:
        return "anything"
    return words[0] if len(words) == 1 else words


def _closed(shape: Shape) -> list[object] | None:
    """Return all values of closed lists; None where there is no such list."""
    lists = [group.values for group in shape.groups.values() if group.values is not None]
    return _listed(frozenset[str]().union(*lists)) if lists else None


def _listed(values: Iterable[str]) -> list[object]:
    return [json.loads(value) for value in sorted(values)]


def _bound(group: Group, keyword: str) -> Any:  # noqa: ANN401
    """Return a limit; a whole number that states no bound has that of its format."""
    stated = group.limits.get(keyword)
    bits = _WHOLE_NUMBERS.get(str(group.limits.get("format")))
    if stated is not None or bits is None or keyword not in {"maximum", "minimum"}:
        return stated
    return 2**bits - 1 if keyword == "maximum" else -(2**bits)


def _looser(keyword: str, one: Any, other: Any) -> bool:  # noqa: ANN401
    """Whether one limit allows what the other does not."""
    if one is None or other is None:
        return one is None
    name = keyword.lower()
    if "min" in name:
        return bool(one < other)
    if "max" in name:
        return bool(one > other)
    if keyword == "format" and one in _WHOLE_NUMBERS and other in _WHOLE_NUMBERS:
        return _WHOLE_NUMBERS[one] > _WHOLE_NUMBERS[other]
    return True
