"""How two schemas differ, one of the document and one of HubSpot's, for a request or for a reply."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from _differences import Difference, Direction, Places, Said, Severity, Use, Verdict, judge, listed
from _document import Pointer
from _normalization import DEEPEST, Reader
from _shapes import GROUPS, TYPES, Expression, Schema, Shape

MOST_PAIRS = 20_000
_WHOLE_NUMBERS = {"int32": 31, "int64": 63}
ANY_SCHEMA = "a schema"
_OPENNESS = (False, ANY_SCHEMA, True)
_NOT_COMPARED = Verdict(Direction.APART, Severity.NOTABLE, "nothing here compares them")
_DEPRECATED = Verdict(Direction.WE, Severity.NOTABLE, "it is to go away")


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
        yield from self._limits()
        if self._both("object"):
            yield from self._required()
            yield from self._fields()
        yield from self._rest()

    def children(self) -> Iterator[tuple[Expression, Expression, str]]:
        """Yield what lies one level deeper on both sides, with the step to it."""
        if self._both("array") and (self.ours.items or self.theirs.items):
            yield _items(self.ours), _items(self.theirs), "[]"
        if not self._both("object"):
            return
        for name in [*self.ours.properties, *(self.theirs.properties.keys() - self.ours.properties.keys())]:
            ours = self.ours.properties.get(name, self.ours.additional)
            theirs = self.theirs.properties.get(name, self.theirs.additional)
            if not isinstance(ours, bool) and not isinstance(theirs, bool):
                yield ours, theirs, f".{name}"
        if not isinstance(self.ours.additional, bool) and not isinstance(self.theirs.additional, bool):
            yield self.ours.additional, self.theirs.additional, "{}"
        if self.ours.names and self.theirs.names:
            yield self.ours.names, self.theirs.names, "{name}"

    def _types(self) -> Iterator[Difference]:
        ours, theirs = self.ours.types, self.theirs.types
        yield from self._compared(
            "type", _words(theirs), _words(ours), they=bool(theirs - ours), we=bool(ours - theirs)
        )
        yield from self._wider("nullable", self.theirs.nullable, self.ours.nullable)

    def _values(self) -> Iterator[Difference]:
        they = we = False
        for group, (members, _) in GROUPS.items():
            if self.ours.types & members and self.theirs.types & members:
                ours, theirs = self.ours.closed.get(group), self.theirs.closed.get(group)
                they |= ours is not None and (theirs is None or not theirs <= ours)
                we |= theirs is not None and (ours is None or not ours <= theirs)
        said = Said(_values(self.theirs.closed), _values(self.ours.closed))
        yield from self._compared("enum", *said, they=they, we=we)
        if self.ours.known and self.theirs.known and not self.ours.closed:
            yield from self._named()

    def _named(self) -> Iterator[Difference]:
        """Tell of the values that an open list names, which forbid nothing."""
        more, fewer = (_listed(a.known - b.known) for a, b in (self._sides, self._sides[::-1]))
        said = Said(_listed(self.theirs.known), _listed(self.ours.known))
        if more:
            verdict = Verdict(Direction.THEY, Severity.NOTABLE, f"they also name {listed(more)}")
            yield self._difference("values", said, verdict)
        elif fewer:
            verdict = Verdict(Direction.WE, Severity.HARMLESS, f"they do not name {listed(fewer)}")
            yield self._difference("values", said, verdict)

    def _limits(self) -> Iterator[Difference]:
        for group, (members, keywords) in GROUPS.items():
            if self.ours.types & members and self.theirs.types & members:
                for keyword in keywords:
                    yield from self._limit(group, keyword)

    def _limit(self, group: str, keyword: str) -> Iterator[Difference]:
        theirs, ours = (_bound(side, group, keyword) for side in self._sides)
        if theirs != ours:
            they, we = _looser(keyword, theirs, ours), _looser(keyword, ours, theirs)
            stated = (side.limits.get((group, keyword)) for side in self._sides)
            yield from self._compared(keyword, *stated, they=they, we=we)

    def _required(self) -> Iterator[Difference]:
        ours, theirs = self.ours.required, self.theirs.required
        if names := sorted(theirs - ours):
            yield from self._compared("required", names, sorted(ours), they=False, we=True)
        absent = self._only_ours() if isinstance(self.theirs.additional, bool) else set()
        if names := sorted(ours - theirs - absent):
            yield from self._compared("optional", names, sorted(ours), they=True, we=False)

    def _fields(self) -> Iterator[Difference]:
        for name in sorted(self.theirs.properties.keys() - self.ours.properties.keys()):
            if isinstance(self.ours.additional, bool):
                yield self._their_field(name, reads=self.ours.additional)
        for name in sorted(self._only_ours()):
            if isinstance(self.theirs.additional, bool):
                yield self._our_field(name)

    def _their_field(self, name: str, *, reads: bool) -> Difference:
        severity, verb, reason = Severity.NOTABLE, "may send", "we ignore" if reads else "we cannot read"
        if self.comparison.use == "request":
            verb, reason = "take", "we do not know"
        elif not reads:
            severity = Severity.BREAKING
        verdict = Verdict(Direction.THEY, severity, f"they {verb} `{name}`, which {reason}")
        return self._difference("field", Said(name, None), verdict)

    def _our_field(self, name: str) -> Difference:
        if self.comparison.use == "request":
            verdict = Verdict(Direction.WE, Severity.BREAKING, f"they do not take `{name}`")
        elif name in self.ours.required:
            effect = f"they may leave out `{name}`, which we require"
            verdict = Verdict(Direction.THEY, Severity.BREAKING, effect)
        else:
            verdict = Verdict(Direction.WE, Severity.HARMLESS, f"they do not send `{name}`")
        found = self._difference("absent", Said(theirs=True, ours=False), verdict)
        places = Places(self.theirs.place, (*self.ours.place, "properties", name))
        field, label = (f"{way}.{name}".removeprefix(".") for way in (self.path, self.label))
        return replace(found, field=field, label=label, places=places)

    def _rest(self) -> Iterator[Difference]:
        theirs, ours = self._sides
        if self._both("object"):
            openness = _openness(theirs.additional), _openness(ours.additional)
            yield from self._wider("additionalProperties", *openness, rank=_OPENNESS.index)
            if not (theirs.names and ours.names):
                names = theirs.names and ANY_SCHEMA, ours.names and ANY_SCHEMA
                yield from self._wider("propertyNames", *names, rank=lambda name: name is None)
        if theirs.not_compared != ours.not_compared:
            keywords = [sorted({word for word, _ in side.not_compared}) for side in self._sides]
            yield self._difference("keyword", Said(*keywords), _NOT_COMPARED)
        if theirs.deprecated and not ours.deprecated:
            yield self._difference("deprecated", Said(theirs=True, ours=False), _DEPRECATED)
        if self.comparison.use == "request":
            yield from self._wider("readOnly", theirs.read_only, ours.read_only, rank=lambda is_on: not is_on)
        else:
            yield from self._wider("writeOnly", theirs.write_only, ours.write_only)

    @property
    def _sides(self) -> tuple[Shape, Shape]:
        return self.theirs, self.ours

    def _only_ours(self) -> set[str]:
        return self.ours.properties.keys() - self.theirs.properties.keys()

    def _both(self, word: str) -> bool:
        return word in self.ours.types and word in self.theirs.types

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
    return shape.items or Schema(node=True, place=shape.place)


def _openness(additional: Expression | bool) -> object:  # noqa: FBT001
    return additional if isinstance(additional, bool) else ANY_SCHEMA


def _words(types: frozenset[str]) -> object:
    """Return types the way a document writes them."""
    words = sorted(types - {"integer"} if "number" in types else types)
    if types == TYPES:
        return "anything"
    return words[0] if len(words) == 1 else words


def _values(closed: Mapping[str, frozenset[str]]) -> list[object] | None:
    """Return all values of closed lists; None where there is no such list."""
    return _listed(value for values in closed.values() for value in values) if closed else None


def _listed(values: Iterable[str]) -> list[object]:
    return [json.loads(value) for value in sorted(values)]


def _bound(shape: Shape, group: str, keyword: str) -> Any:  # noqa: ANN401
    """Return a limit; a whole number that states no bound has that of its format."""
    stated = shape.limits.get((group, keyword))
    bits = _WHOLE_NUMBERS.get(str(shape.limits.get((group, "format"))))
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
