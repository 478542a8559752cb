"""How two operations differ: address, access, parameters, request and replies."""

import re
from collections.abc import Iterator
from functools import lru_cache

from _differences import Difference, Direction, Places, Said, Severity, Use, Verdict, judge
from _document import Document, Part, Pointer, at
from _normalization import reader_of
from _operations import Operation
from _schema_diff import DEPRECATED, Comparison
from _security_diff import access
from _shapes import Schema

_NOT_LISTED = Verdict(Direction.WE, Severity.HARMLESS, "they do not list this reply")
_NO_HEADERS = frozenset({"accept", "authorization", "content-type"})
_IN_PATH = r"\{([^}]*)\}"


def compare(ours: Operation, theirs: Operation) -> Iterator[Difference]:
    """Yield how an operation differs, apart from its address."""
    places = Places(theirs.place, ours.place)
    if theirs.content.get("deprecated") is True and ours.content.get("deprecated") is not True:
        yield Difference("deprecated", Said(theirs=True, ours=False), DEPRECATED, places)
    yield from access(ours, theirs)
    yield from _parameters(ours, theirs)
    yield from _request(ours, theirs)
    yield from _replies(ours, theirs)


def _parameters(ours: Operation, theirs: Operation) -> Iterator[Difference]:
    in_path = re.findall(_IN_PATH, ours.path)
    our_parameters, their_parameters = _parameters_of(ours, in_path), _parameters_of(theirs, in_path)
    for name in sorted(their_parameters.keys() - our_parameters.keys()):
        if _is_required(their_parameters[name]):
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


def _parameter(comparison: Comparison, name: str, ours: Part, theirs: Part) -> Iterator[Difference]:
    we, they = _is_required(ours), _is_required(theirs)
    places = Places(theirs.place, ours.place)
    aspect, said = "required" if they else "optional", Said([name], [name])
    yield from _demanded(aspect, said, places, they=we and not they, we=they and not we, field=name)
    yield from comparison.differences(_schema(ours), _schema(theirs), name, name)


def _demanded(
    aspect: str, said: Said, places: Places, *, they: bool, we: bool, field: str = ""
) -> Iterator[Difference]:
    verdict = judge("request", aspect, said, they=they, we=we)
    if verdict is not None:
        yield Difference(aspect, said, verdict, places, "request", field=field)


def _parameters_of(operation: Operation, in_path: list[str]) -> dict[str, Part]:
    """Return what stands beside the body, `query archived` for example.

    Names in a path may differ between versions, so the last one there is the last of `in_path`, and so on.
    One that is not there is filled with the object type.
    """
    source, item = operation.source, operation.place[:-1]
    above = source.part(at(source.content, item), item)
    names = dict(zip(re.findall(_IN_PATH, operation.path)[::-1], in_path[::-1], strict=False))
    found = {}
    for parameter in (*above.listed("parameters"), *operation.listed("parameters")):
        name, where = str(parameter.content.get("name")), str(parameter.content.get("in"))
        if where == "path":
            name = names.get(name, "")
        if name and not (where == "header" and name.lower() in _NO_HEADERS):
            found[f"{where} {name}"] = parameter
    return found


def _request(ours: Operation, theirs: Operation) -> Iterator[Difference]:
    our_body, their_body = ours.part("requestBody"), theirs.part("requestBody")
    we, they = _is_required(our_body), _is_required(their_body)
    if our_body.content:
        places = Places(their_body.place, our_body.place)
        yield from _demanded("requiredBody", Said(they, we), places, they=we and not they, we=they and not we)
    yield from _bodies(_comparison(ours, theirs, "request"), our_body, their_body)


def _replies(ours: Operation, theirs: Operation) -> Iterator[Difference]:
    our_parts, their_parts = _replies_of(ours), _replies_of(theirs)
    for code in sorted(our_parts.keys() - their_parts.keys()):
        places = Places((*theirs.place, "responses"), our_parts[code].place)
        yield Difference("absent", Said(theirs=True, ours=False), _NOT_LISTED, places, "reply", code)
    for code, their_part in their_parts.items():
        reader = _reader(code, our_parts)
        if code not in our_parts:
            place = our_parts[reader].place if reader else (*ours.place, "responses")
            places = Places(their_part.place, place)
            yield Difference("status", Said(code, None), _unlisted(code, reader), places, "reply", code)
        if reader:
            yield from _reply(_comparison(ours, theirs, "reply", code), our_parts[reader], their_part)


def _reply(comparison: Comparison, ours: Part, theirs: Part) -> Iterator[Difference]:
    alike, places = _alike(ours.source, theirs.source), (ours.place, theirs.place)
    if places not in alike:
        found = [*_bodies(comparison, ours, theirs), *_headers(comparison, ours, theirs)]
        yield from found
        if not found:
            alike.add(places)


@lru_cache(maxsize=8)
def _alike(_ours: Document, _theirs: Document) -> set[tuple[Pointer, Pointer]]:
    """Return which replies of two documents are known to be alike: most operations share them."""
    return set()


def _unlisted(code: str, reader: str | None) -> Verdict:
    """Return how bad it is that only they list a code, by what we read it as."""
    if reader is None or (code.startswith("2") and reader == "default"):
        return Verdict(Direction.THEY, Severity.BREAKING, f"they may send {code}, which we cannot read")
    severity = Severity.NOTABLE if code.startswith("2") else Severity.HARMLESS
    return Verdict(Direction.THEY, severity, f"they may send {code}, and we read it as {reader}")


def _headers(comparison: Comparison, ours: Part, theirs: Part) -> Iterator[Difference]:
    our_headers, their_headers = (
        {name.lower(): (name, header) for name, header in side.named("headers").items()}
        for side in (ours, theirs)
    )
    for key in sorted(our_headers.keys() | their_headers.keys()):
        name, one = our_headers.get(key, ("", None))
        their_name, other = their_headers.get(key, ("", None))
        name = name or their_name
        if one and other:
            yield from comparison.differences(
                _schema(one), _schema(other), f"header {name}", f"header {name}"
            )
            continue
        # The place is that of all headers, so that one statement can tell of them.
        places = Places((other or theirs).place, one.place[:-1] if one else ours.place)
        said = Said(name if other else None, None if other else name)
        effect = f"they {'send the header' if other else 'do not name the header'} `{name}`"
        direction = Direction.THEY if other else Direction.WE
        verdict = Verdict(direction, Severity.HARMLESS, effect)
        yield Difference("header", said, verdict, places, "reply", comparison.code, f"header {name}")


def _comparison(ours: Operation, theirs: Operation, use: Use, code: str = "") -> Comparison:
    return Comparison(reader_of(ours.source), reader_of(theirs.source), use, code)


def _reader(code: str, our_parts: dict[str, Part]) -> str | None:
    """Return which of our replies reads a code."""
    candidates = (code, f"{code[:1]}XX", "default")
    return next((candidate for candidate in candidates if candidate in our_parts), None)


def _replies_of(operation: Operation) -> dict[str, Part]:
    replies = operation.named("responses").items()
    return {code if code == "default" else code.upper(): reply for code, reply in replies}


def _bodies(comparison: Comparison, ours: Part, theirs: Part) -> Iterator[Difference]:
    (our_schema, our_types), (their_schema, their_types) = _json(ours), _json(theirs)
    if our_schema and their_schema:
        label = "requestBody" if comparison.use == "request" else comparison.code
        yield from comparison.differences(our_schema, their_schema, label=label)
    elif our_schema or their_schema:
        verdict = _one_body(comparison.use, theirs, ours_is_there=our_schema is not None)
        said, places = Said(their_types, our_types), Places(theirs.place, ours.place)
        yield Difference("body", said, verdict, places, comparison.use, comparison.code)


def _one_body(use: Use, theirs: Part, *, ours_is_there: bool) -> Verdict:
    """Return how bad it is that only one side has a body in JSON."""
    if ours_is_there:
        is_silent = use == "reply" and not theirs.content.get("content")
        severity = Severity.NOTABLE if is_silent else Severity.BREAKING
        return Verdict(Direction.APART, severity, "they say nothing of a body in JSON")
    if use == "reply":
        return Verdict(Direction.THEY, Severity.NOTABLE, "they send a body, which we ignore")
    if _is_required(theirs):
        return Verdict(Direction.WE, Severity.BREAKING, "they now require a body")
    return Verdict(Direction.THEY, Severity.NOTABLE, "they take a body, which we do not send")


def _json(body: Part) -> tuple[Schema | None, list[str]]:
    """Return the schema of a body in JSON, and all media types; `*/*` is what HubSpot writes for JSON."""
    types = sorted(body.part("content").content)
    chosen = next(
        (name for name in sorted(types, key=lambda name: name.startswith("*")) if _is_json(name)), None
    )
    return None if chosen is None else _schema(body.part("content").part(chosen)), types


def _is_json(media_type: str) -> bool:
    name = media_type.partition(";")[0].strip().lower()
    return name in {"*/*", "application/*", "application/json"} or name.endswith("+json")


def _schema(part: Part) -> Schema:
    return Schema(part.content.get("schema") or {}, (*part.place, "schema"))


def _is_required(part: Part) -> bool:
    return part.content.get("required") is True
