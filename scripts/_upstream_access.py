"""How the access to two operations differs: hosts, kinds of token and scopes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from _upstream_differences import Difference, Direction, Places, Said, Severity, Verdict, judge

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from _upstream_operations import Operation

Scopes = frozenset[str]

_OTHER_HOST = Verdict(Direction.APART, Severity.BREAKING, "they do not name the host that we send to")
_OTHER_SCOPES = Verdict(Direction.THEY, Severity.HARMLESS, "they take other scopes, too")


def access(ours: Operation, theirs: Operation) -> Iterator[Difference]:
    """Yield how the access differs.

    Raises:
        UnusableError: A part of a document cannot be read.
    """
    our_hosts, their_hosts = _hosts(ours), _hosts(theirs)
    if not our_hosts <= their_hosts:
        said = Said(sorted(their_hosts), sorted(our_hosts))
        yield Difference("servers", said, _OTHER_HOST, Places(("servers",), ("servers",)))
    places = Places((*theirs.place, "security"), (*ours.place, "security"))
    yield from _schemes(_schemes_of(ours), _schemes_of(theirs), places)
    yield from _scopes(_scopes_of(ours), _scopes_of(theirs), places)


def _schemes(ours: set[str], theirs: set[str], places: Places) -> Iterator[Difference]:
    verdict = judge("operation", "schemes", they=bool(theirs - ours), we=bool(ours - theirs))
    if verdict is not None:
        yield Difference("schemes", Said(sorted(theirs), sorted(ours)), verdict, places)


def _scopes(ours: set[Scopes], theirs: set[Scopes], places: Places) -> Iterator[Difference]:
    refused = any(not any(their <= our for their in theirs) for our in ours)
    verdict = judge("operation", "scopes", they=False, we=refused)
    if verdict is not None:
        yield Difference("scopes", Said(_listed(theirs), _listed(ours)), verdict, places)
    more = {their for their in theirs if not any(our <= their for our in ours)}
    if more:
        yield Difference("moreScopes", Said(_listed(more), _listed(ours)), _OTHER_SCOPES, places)


def _hosts(operation: Operation) -> set[str]:
    source = operation.source
    servers = source.sequence(source.content.get("servers"), ("servers",))
    mappings = [source.mapping(server, ("servers", index)) for index, server in enumerate(servers)]
    return {str(mapping.get("url")).rstrip("/") for mapping in mappings}


def _scopes_of(operation: Operation) -> set[Scopes]:
    """Return the sets of scopes of which one is enough."""
    alternatives = {
        frozenset(scope for scopes in requirement.values() for scope in scopes)
        for requirement in _security(operation)
    }
    return alternatives or {frozenset()}


def _schemes_of(operation: Operation) -> set[str]:
    """Return how a token may travel: `oauth2`, `bearer`, or the name of a header or a parameter."""
    source, place = operation.source, ("components", "securitySchemes")
    components = source.mapping(source.content.get("components"), ("components",))
    schemes = source.mapping(components.get("securitySchemes"), place)
    found = set()
    for name in {name for requirement in _security(operation) for name in requirement}:
        node, node_place = source.follow(schemes.get(name), (*place, name))
        scheme = source.mapping(node, node_place)
        word = {"apiKey": "name", "http": "scheme"}.get(str(scheme.get("type")), "type")
        found.add(str(scheme.get(word) or name))
    return found


def _security(operation: Operation) -> Iterator[dict[str, list[str]]]:
    """Yield the alternatives of an operation, or those of its document: scopes by name of a scheme."""
    source, place = operation.source, (*operation.place, "security")
    stated = operation.content.get("security")
    if stated is None:
        stated, place = source.content.get("security"), ("security",)
    for index, node in enumerate(source.sequence(stated, place)):
        requirement = source.mapping(node, (*place, index))
        yield {name: source.texts(scopes, (*place, index, name)) for name, scopes in requirement.items()}


def _listed(alternatives: Iterable[Scopes]) -> list[list[str]]:
    return sorted(sorted(scopes) for scopes in alternatives)
