"""How two operations differ: address, access, parameters, request and replies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from _document import at
from _upstream_access import access
from _upstream_comparison import Comparison
from _upstream_differences import Difference, Direction, Places, Said, Severity, Verdict, judge
from _upstream_schemas import Reader
from _upstream_shapes import Schema

if TYPE_CHECKING:
    from collections.abc import Iterator

    from _document import Pointer
    from _upstream_differences import Use
    from _upstream_operations import Match, Operation
    from _upstream_sources import Source

_MISSING = Verdict(Direction.WE, Severity.BREAKING, "it is gone, or stands elsewhere")
_MOVED = Verdict(Direction.APART, Severity.BREAKING, "it stands where we do not send")
_DEPRECATED = Verdict(Direction.WE, Severity.NOTABLE, "it is to go away")
_NOT_LISTED = Verdict(Direction.WE, Severity.HARMLESS, "we read more than they say they send")
_NO_HEADERS = frozenset({"accept", "authorization", "content-type"})

Part = tuple[dict[str, Any], "Pointer"]


def compare(match: Match) -> Iterator[Difference]:
    """Yield how an operation differs.

    Raises:
        UnusableError: A part of a document cannot be read.
    """
    ours, theirs = match.wanted.operation, match.theirs
    if theirs is None:
        absent = Said(theirs=True, ours=False)
        yield Difference("absent", absent, _MISSING, Places(("paths",), ours.place))
        return
    places = Places(theirs.place, ours.place)
    if match.moved:
        said = Said(theirs.address, match.wanted.address(match.version))
        yield Difference("address", said, _MOVED, places)
    if theirs.content.get("deprecated") is True and ours.content.get("deprecated") is not True:
        yield Difference("deprecated", Said(theirs=True, ours=False), _DEPRECATED, places)
    yield from access(ours, theirs)
    yield from _parameters(ours, theirs)
    yield from _request(ours, theirs)
    yield from _replies(ours, theirs)


def _parameters(ours: Operation, theirs: Operation) -> Iterator[Difference]:
    known = {name for name, _ in _parameters_of(ours)}
    for name, required in _parameters_of(theirs):
        if required:
            effect = "they require a parameter that we do not send"
            verdict = Verdict(Direction.WE, Severity.BREAKING, effect)
        else:
            effect = "they take a parameter that we do not know"
            verdict = Verdict(Direction.THEY, Severity.HARMLESS, effect)
        if name not in known:
            yield Difference("parameter", Said(name, None), verdict, Places(theirs.place, ours.place))


def _parameters_of(operation: Operation) -> Iterator[tuple[str, bool]]:
    """Yield what stands beside path and body; a parameter of the path is filled with the object type."""
    source, item = operation.source, operation.place[:-1]
    above = source.mapping(at(source.content, item), item)
    for content, place in ((above, item), (operation.content, operation.place)):
        parameters = source.sequence(content.get("parameters"), (*place, "parameters"))
        for index, node in enumerate(parameters):
            found, found_at = source.follow(node, (*place, "parameters", index))
            parameter = source.mapping(found, found_at)
            name, where = str(parameter.get("name")), str(parameter.get("in"))
            if where != "path" and not (where == "header" and name.lower() in _NO_HEADERS):
                yield f"{where} {name}", parameter.get("required") is True


def _request(ours: Operation, theirs: Operation) -> Iterator[Difference]:
    our_part, their_part = _part(ours, "requestBody"), _part(theirs, "requestBody")
    optional = our_part[0].get("required") is True and their_part[0].get("required") is not True
    verdict = judge("request", "requiredBody", they=optional, we=False)
    if verdict is not None:
        places = Places(their_part[1], our_part[1])
        yield Difference("requiredBody", Said(theirs=False, ours=True), verdict, places, "request")
    yield from _bodies(_comparison(ours, theirs, "request"), our_part, their_part)


def _replies(ours: Operation, theirs: Operation) -> Iterator[Difference]:
    our_parts, their_parts = _replies_of(ours), _replies_of(theirs)
    for code in sorted(our_parts.keys() - their_parts.keys()):
        places = Places((*theirs.place, "responses"), our_parts[code][1])
        yield Difference("absent", Said(theirs=True, ours=False), _NOT_LISTED, places, "reply", code)
    for code, their_part in their_parts.items():
        reader = _reader(code, our_parts)
        if code not in our_parts:
            place = our_parts[reader][1] if reader else (*ours.place, "responses")
            places = Places(their_part[1], place)
            yield Difference("status", Said(code, None), _unlisted(code, reader), places, "reply", code)
        if reader:
            yield from _bodies(_comparison(ours, theirs, "reply", code), our_parts[reader], their_part)


def _unlisted(code: str, reader: str | None) -> Verdict:
    """Return how bad it is that only HubSpot lists a code, by what we read it as."""
    if reader is None or (code.startswith("2") and reader == "default"):
        return Verdict(Direction.THEY, Severity.BREAKING, "they may send what we cannot read")
    severity = Severity.NOTABLE if code.startswith("2") else Severity.HARMLESS
    return Verdict(Direction.THEY, severity, f"they may send it, and we read it as {reader}")


def _comparison(ours: Operation, theirs: Operation, use: Use, code: str = "") -> Comparison:
    return Comparison(Reader(ours.source), Reader(theirs.source), use, code)


def _reader(code: str, our_parts: dict[str, Part]) -> str | None:
    """Return which of our replies reads a code."""
    candidates = (code, f"{code[:1]}XX", "default")
    return next((candidate for candidate in candidates if candidate in our_parts), None)


def _replies_of(operation: Operation) -> dict[str, Part]:
    source, place = operation.source, (*operation.place, "responses")
    found = {}
    for code, node in source.mapping(operation.content.get("responses"), place).items():
        reply, reply_place = source.follow(node, (*place, code))
        found[code if code == "default" else code.upper()] = source.mapping(reply, reply_place), reply_place
    return found


def _bodies(comparison: Comparison, ours: Part, theirs: Part) -> Iterator[Difference]:
    our_schema, our_types = _json(comparison.ours.source, *ours)
    their_schema, their_types = _json(comparison.theirs.source, *theirs)
    if our_schema is None:
        return
    if their_schema is not None:
        yield from comparison.differences(our_schema, their_schema)
        return
    is_silent = comparison.use == "reply" and not their_types
    severity = Severity.NOTABLE if is_silent else Severity.BREAKING
    verdict = Verdict(Direction.APART, severity, "they say nothing of a body in JSON")
    places = Places(theirs[1], ours[1])
    yield Difference("body", Said(their_types, our_types), verdict, places, comparison.use, comparison.code)


def _json(source: Source, body: dict[str, Any], place: Pointer) -> tuple[Schema | None, list[str]]:
    """Return the schema of a body in JSON, and all media types; `*/*` is what HubSpot writes for JSON."""
    content = source.mapping(body.get("content"), (*place, "content"))
    for media_type in sorted(content, key=lambda name: name.startswith("*")):
        if _is_json(media_type):
            below = (*place, "content", media_type)
            node = source.mapping(content[media_type], below)
            return Schema(node.get("schema") or {}, (*below, "schema")), sorted(content)
    return None, sorted(content)


def _is_json(media_type: str) -> bool:
    name = media_type.partition(";")[0].strip().lower()
    return name in {"*/*", "application/*", "application/json"} or name.endswith("+json")


def _part(operation: Operation, key: str) -> Part:
    node, place = operation.source.follow(operation.content.get(key), (*operation.place, key))
    return operation.source.mapping(node, place), place
