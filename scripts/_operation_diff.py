"""How two operations differ: address, access, parameters, request and replies."""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from _differences import Difference, Direction, Places, Said, Severity, Use, Verdict, judge
from _document import Document, Pointer, at
from _normalization import reader_of
from _operations import Operation
from _schema_diff import Comparison
from _security_diff import access
from _shapes import Schema

_DEPRECATED = Verdict(Direction.WE, Severity.NOTABLE, "it is to go away")
_NOT_LISTED = Verdict(Direction.WE, Severity.HARMLESS, "they do not list this reply")
_NO_HEADERS = frozenset({"accept", "authorization", "content-type"})
_IN_PATH = r"\{([^}]*)\}"

Part = tuple[dict[str, Any], "Pointer"]


class Parameter(NamedTuple):
    """What is sent beside the body."""

    required: bool  # whether it has to be sent
    schema: Schema  # what it may be
    place: Pointer  # where it stands


def compare(ours: Operation, theirs: Operation) -> Iterator[Difference]:
    """Yield how an operation differs, apart from its address."""
    places = Places(theirs.place, ours.place)
    if theirs.content.get("deprecated") is True and ours.content.get("deprecated") is not True:
        yield Difference("deprecated", Said(theirs=True, ours=False), _DEPRECATED, places)
    yield from access(ours, theirs)
    yield from _parameters(ours, theirs)
    yield from _request(ours, theirs)
    yield from _replies(ours, theirs)


def _parameters(ours: Operation, theirs: Operation) -> Iterator[Difference]:
    in_path = re.findall(_IN_PATH, ours.path)
    our_parameters, their_parameters = _parameters_of(ours, in_path), _parameters_of(theirs, in_path)
    for name in sorted(their_parameters.keys() - our_parameters.keys()):
        if their_parameters[name].required:
            verdict = Verdict(Direction.WE, Severity.BREAKING, f"they now require the parameter `{name}`")
        else:
            verdict = Verdict(Direction.THEY, Severity.HARMLESS, f"they take the parameter `{name}`, too")
        yield Difference("parameter", Said(name, None), verdict, Places(theirs.place, ours.place), "request")
    for name, parameter in our_parameters.items():
        if name in their_parameters:
            comparison = _comparison(ours, theirs, "request")
            yield from _parameter(comparison, name, parameter, their_parameters[name])
        else:
            verdict = Verdict(Direction.WE, Severity.BREAKING, f"they do not take the parameter `{name}`")
            places = Places(theirs.place, parameter.place)
            yield Difference("parameter", Said(None, name), verdict, places, "request")


def _parameter(comparison: Comparison, name: str, ours: Parameter, theirs: Parameter) -> Iterator[Difference]:
    if theirs.required is not ours.required:
        aspect, said = "required" if theirs.required else "optional", Said([name], [name])
        verdict = judge("request", aspect, said, they=ours.required, we=theirs.required)
        if verdict is not None:
            places = Places(theirs.place, ours.place)
            yield Difference(aspect, said, verdict, places, "request", field=name)
    yield from comparison.differences(ours.schema, theirs.schema, name, name)


def _parameters_of(operation: Operation, in_path: list[str]) -> dict[str, Parameter]:
    """Return what stands beside the body, `query archived` for example.

    Names in a path may differ between versions, so the last one there is the last of `in_path`, and so on.
    One that is not there is filled with the object type.
    """
    source, item = operation.source, operation.place[:-1]
    above = source.mapping(at(source.content, item), item)
    names = dict(zip(re.findall(_IN_PATH, operation.path)[::-1], in_path[::-1], strict=False))
    found = {}
    for content, place in ((above, item), (operation.content, operation.place)):
        nodes = source.sequence(content.get("parameters"), (*place, "parameters"))
        for index, node in enumerate(nodes):
            target, found_at = source.follow(node, (*place, "parameters", index))
            parameter = source.mapping(target, found_at)
            name, where = str(parameter.get("name")), str(parameter.get("in"))
            if where == "path":
                name = names.get(name, "")
            if name and not (where == "header" and name.lower() in _NO_HEADERS):
                schema = Schema(parameter.get("schema") or {}, (*found_at, "schema"))
                found[f"{where} {name}"] = Parameter(parameter.get("required") is True, schema, found_at)
    return found


def _request(ours: Operation, theirs: Operation) -> Iterator[Difference]:
    our_part, their_part = _part(ours, "requestBody"), _part(theirs, "requestBody")
    we_must, they_must = (part[0].get("required") is True for part in (our_part, their_part))
    if our_part[0]:
        said = Said(they_must, we_must)
        verdict = judge(
            "request", "requiredBody", said, they=we_must and not they_must, we=they_must and not we_must
        )
        if verdict is not None:
            yield Difference("requiredBody", said, verdict, Places(their_part[1], our_part[1]), "request")
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
            comparison = _comparison(ours, theirs, "reply", code)
            yield from _bodies(comparison, our_parts[reader], their_part)
            yield from _headers(comparison, our_parts[reader], their_part)


def _unlisted(code: str, reader: str | None) -> Verdict:
    """Return how bad it is that only they list a code, by what we read it as."""
    if reader is None or (code.startswith("2") and reader == "default"):
        return Verdict(Direction.THEY, Severity.BREAKING, f"they may send {code}, which we cannot read")
    severity = Severity.NOTABLE if code.startswith("2") else Severity.HARMLESS
    return Verdict(Direction.THEY, severity, f"they may send {code}, and we read it as {reader}")


def _headers(comparison: Comparison, ours: Part, theirs: Part) -> Iterator[Difference]:
    our_headers = _headers_of(comparison.ours.source, *ours)
    their_headers = _headers_of(comparison.theirs.source, *theirs)
    for key in sorted(our_headers.keys() | their_headers.keys()):
        one, other = our_headers.get(key), their_headers.get(key)
        name = next(each[2] for each in (one, other) if each)
        if one and other:
            yield from comparison.differences(one[0], other[0], f"header {name}", f"header {name}")
            continue
        # The place is that of all headers, so that one statement can tell of them.
        places = Places(other[1] if other else theirs[1], one[1][:-1] if one else ours[1])
        said = Said(name if other else None, None if other else name)
        effect = f"they {'send the header' if other else 'do not name the header'} `{name}`"
        direction = Direction.THEY if other else Direction.WE
        verdict = Verdict(direction, Severity.HARMLESS, effect)
        yield Difference("header", said, verdict, places, "reply", comparison.code, f"header {name}")


def _headers_of(
    source: Document, reply: dict[str, Any], place: Pointer
) -> dict[str, tuple[Schema, Pointer, str]]:
    found = {}
    for name, node in source.mapping(reply.get("headers"), (*place, "headers")).items():
        header, found_at = source.follow(node, (*place, "headers", name))
        schema = source.mapping(header, found_at).get("schema") or {}
        found[name.lower()] = Schema(schema, (*found_at, "schema")), found_at, name
    return found


def _comparison(ours: Operation, theirs: Operation, use: Use, code: str = "") -> Comparison:
    return Comparison(reader_of(ours.source), reader_of(theirs.source), use, code)


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
    if our_schema and their_schema:
        label = "requestBody" if comparison.use == "request" else comparison.code
        yield from comparison.differences(our_schema, their_schema, label=label)
    elif our_schema or their_schema:
        verdict = _one_body(comparison.use, theirs, ours_is_there=our_schema is not None)
        said, places = Said(their_types, our_types), Places(theirs[1], ours[1])
        yield Difference("body", said, verdict, places, comparison.use, comparison.code)


def _one_body(use: Use, theirs: Part, *, ours_is_there: bool) -> Verdict:
    """Return how bad it is that only one side has a body in JSON."""
    their_body = theirs[0]
    if ours_is_there:
        is_silent = use == "reply" and not their_body.get("content")
        severity = Severity.NOTABLE if is_silent else Severity.BREAKING
        return Verdict(Direction.APART, severity, "they say nothing of a body in JSON")
    if use == "reply":
        return Verdict(Direction.THEY, Severity.NOTABLE, "they send a body, which we ignore")
    if their_body.get("required") is True:
        return Verdict(Direction.WE, Severity.BREAKING, "they now require a body")
    return Verdict(Direction.THEY, Severity.NOTABLE, "they take a body, which we do not send")


def _json(source: Document, body: dict[str, Any], place: Pointer) -> tuple[Schema | None, list[str]]:
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
