"""How two schemas differ, one of the document and one of HubSpot's, for a request or for a reply."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from _upstream_differences import Difference, Direction, Places, Said, Severity, Verdict, judge
from _upstream_schemas import DEEPEST
from _upstream_shapes import GROUPS, TYPES, Schema

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from _upstream_differences import Use
    from _upstream_schemas import Reader
    from _upstream_shapes import Expression, Shape

MOST_PAIRS = 20_000
_WHOLE_NUMBERS = {"int32": 31, "int64": 63}
_OPENNESS = (False, "a schema", True)
_UNNAMED = Verdict(Direction.THEY, Severity.NOTABLE, "they name a value that we do not")
_NOT_COMPARED = Verdict(Direction.APART, Severity.NOTABLE, "nothing here compares them")
_DEPRECATED = Verdict(Direction.WE, Severity.NOTABLE, "it is to go away")


@dataclass
class Comparison:
    """A body of the document against the same body of HubSpot's.

    Attributes:
        ours: The schemas of the document.
        theirs: The schemas of HubSpot's document.
        use: Whether the body is sent or received.
        code: The status code of a reply.
    """

    ours: Reader
    theirs: Reader
    use: Use
    code: str = ""
    _seen: set[tuple[object, object]] = field(default_factory=set)

    def differences(
        self, ours: Expression, theirs: Expression, path: str = "", depth: int = 0
    ) -> Iterator[Difference]:
        """Yield every difference that matters to a client.

        Raises:
            UnusableError: A schema cannot be read.
        """
        pair = Pair(self, self.ours.shape(ours), self.theirs.shape(theirs), path)
        key = (pair.ours.key, pair.theirs.key)
        if key in self._seen:
            return
        self._seen.add(key)
        if depth > DEEPEST:
            self.theirs.source.fail(pair.theirs.place, f"is nested more than {DEEPEST} deep")
        if len(self._seen) > MOST_PAIRS:
            self.theirs.source.fail(pair.theirs.place, f"is one of more than {MOST_PAIRS} schemas")
        yield from pair.differences()
        for mine, their, name in pair.children():
            yield from self.differences(mine, their, name, depth + 1)


@dataclass(frozen=True)
class Pair:
    """What the document allows at one place, and what HubSpot allows there."""

    comparison: Comparison
    ours: Shape
    theirs: Shape
    path: str

    def differences(self) -> Iterator[Difference]:
        """Yield how the two differ at this level."""
        yield from self._types()
        yield from self._values()
        yield from self._limits()
        if self._both("object"):
            yield from self._required()
            yield from self._fields()
            yield from self._additional()
        yield from self._rest()

    def children(self) -> Iterator[tuple[Expression, Expression, str]]:
        """Yield what lies one level deeper on both sides, with the way to it."""
        if self._both("array") and (self.ours.items or self.theirs.items):
            yield _items(self.ours), _items(self.theirs), f"{self.path}[]"
        if not self._both("object"):
            return
        for name in [*self.ours.properties, *(self.theirs.properties.keys() - self.ours.properties.keys())]:
            ours = self.ours.properties.get(name, self.ours.additional)
            theirs = self.theirs.properties.get(name, self.theirs.additional)
            if not isinstance(ours, bool) and not isinstance(theirs, bool):
                yield ours, theirs, self._below(name)
        if not isinstance(self.ours.additional, bool) and not isinstance(self.theirs.additional, bool):
            yield self.ours.additional, self.theirs.additional, f"{self.path}{{}}"
        if self.ours.names and self.theirs.names:
            yield self.ours.names, self.theirs.names, f"{self.path}{{name}}"

    def _types(self) -> Iterator[Difference]:
        ours, theirs = self.ours.types, self.theirs.types
        yield from self._compared(
            "type", _words(theirs), _words(ours), they=bool(theirs - ours), we=bool(ours - theirs)
        )
        we, they = self.ours.nullable, self.theirs.nullable
        yield from self._compared("nullable", they, we, they=they and not we, we=we and not they)

    def _values(self) -> Iterator[Difference]:
        they = we = False
        for group, (members, _) in GROUPS.items():
            if self.ours.types & members and self.theirs.types & members:
                ours, theirs = self.ours.closed.get(group), self.theirs.closed.get(group)
                they |= ours is not None and (theirs is None or not theirs <= ours)
                we |= theirs is not None and (ours is None or not ours <= theirs)
        said = Said(_values(self.theirs.closed), _values(self.ours.closed))
        yield from self._compared("enum", *said, they=they, we=we)
        unnamed = self.theirs.known - self.ours.known
        if self.ours.known and unnamed and not self.ours.closed:
            said = Said(_listed(unnamed), _listed(self.ours.known))
            yield self._difference("values", said, _UNNAMED)

    def _limits(self) -> Iterator[Difference]:
        for group, (members, keywords) in GROUPS.items():
            if self.ours.types & members and self.theirs.types & members:
                for keyword in keywords:
                    yield from self._limit(group, keyword)

    def _limit(self, group: str, keyword: str) -> Iterator[Difference]:
        ours, theirs = self.ours.limits.get((group, keyword)), self.theirs.limits.get((group, keyword))
        we_limit = _bound(self.ours, group, keyword)
        they_limit = _bound(self.theirs, group, keyword)
        if we_limit == they_limit:
            return
        they, we = _looser(keyword, they_limit, we_limit), _looser(keyword, we_limit, they_limit)
        yield from self._compared(keyword, theirs, ours, they=they, we=we)

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
        if self.comparison.use == "request":
            verdict = Verdict(Direction.THEY, Severity.NOTABLE, "they take a field that we do not know")
        elif reads:
            verdict = Verdict(Direction.THEY, Severity.NOTABLE, "they may send a field that we ignore")
        else:
            verdict = Verdict(Direction.THEY, Severity.BREAKING, "they may send what we cannot read")
        return self._difference("field", Said(name, None), verdict)

    def _our_field(self, name: str) -> Difference:
        if self.comparison.use == "request":
            verdict = Verdict(Direction.WE, Severity.BREAKING, "we allow what they do not say they take")
        elif name in self.ours.required:
            verdict = Verdict(Direction.THEY, Severity.BREAKING, "they may leave out what we require")
        else:
            verdict = Verdict(Direction.WE, Severity.HARMLESS, "we read more than they say they send")
        found = self._difference("absent", Said(theirs=True, ours=False), verdict)
        place = (*self.ours.place, "properties", name)
        return replace(found, field=self._below(name), places=Places(self.theirs.place, place))

    def _additional(self) -> Iterator[Difference]:
        ours, theirs = _openness(self.ours.additional), _openness(self.theirs.additional)
        yield from self._compared(
            "additionalProperties",
            theirs,
            ours,
            they=_OPENNESS.index(theirs) > _OPENNESS.index(ours),
            we=_OPENNESS.index(ours) > _OPENNESS.index(theirs),
        )

    def _rest(self) -> Iterator[Difference]:
        if self._both("object") and (self.ours.names is None) is not (self.theirs.names is None):
            they = self.theirs.names is None
            has = (None, "a schema")
            yield from self._compared("propertyNames", has[not they], has[they], they=they, we=not they)
        if self.theirs.not_compared != self.ours.not_compared:
            said = Said(sorted(self.theirs.not_compared), sorted(self.ours.not_compared))
            yield self._difference("keyword", said, _NOT_COMPARED)
        if self.theirs.deprecated and not self.ours.deprecated:
            yield self._difference("deprecated", Said(theirs=True, ours=False), _DEPRECATED)

    def _only_ours(self) -> set[str]:
        return self.ours.properties.keys() - self.theirs.properties.keys()

    def _both(self, word: str) -> bool:
        return word in self.ours.types and word in self.theirs.types

    def _below(self, name: str) -> str:
        return f"{self.path}.{name}" if self.path else name

    def _compared(
        self, aspect: str, theirs: object, ours: object, *, they: bool, we: bool
    ) -> Iterator[Difference]:
        verdict = judge(self.comparison.use, aspect, they=they, we=we)
        if verdict is not None:
            yield self._difference(aspect, Said(theirs, ours), verdict)

    def _difference(self, aspect: str, said: Said, verdict: Verdict) -> Difference:
        places = Places(self.theirs.place, self.ours.place)
        comparison = self.comparison
        return Difference(aspect, said, verdict, places, comparison.use, comparison.code, self.path)


def _items(shape: Shape) -> Expression:
    return shape.items or Schema(node=True, place=shape.place)


def _openness(additional: Expression | bool) -> object:  # noqa: FBT001
    return additional if isinstance(additional, bool) else "a schema"


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
