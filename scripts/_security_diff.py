"""How the access to two operations differs: hosts, kinds of token, scopes, and where tokens come from."""

from collections.abc import Iterable, Iterator

from _differences import Difference, Direction, Places, Said, Severity, Verdict, listed
from _document import Part
from _operations import Operation

Scopes = frozenset[str]
# The ways in which tokens may travel, each with sets of scopes. One scope of each set is enough.
Alternatives = dict[str, set[Scopes]]

_ADDRESSES = ("authorizationUrl", "refreshUrl", "tokenUrl")
_OTHER_HOST = Verdict(Direction.APART, Severity.BREAKING, "they do not name the host that we send to")


def access(ours: Operation, theirs: Operation) -> Iterator[Difference]:
    """Yield how the access differs."""
    our_hosts, their_hosts = _hosts(ours), _hosts(theirs)
    if not our_hosts <= their_hosts:
        said = Said(sorted(their_hosts), sorted(our_hosts))
        yield Difference("servers", said, _OTHER_HOST, Places(("servers",), ("servers",)))
    places = Places((*theirs.place, "security"), (*ours.place, "security"))
    our_ways, their_ways = _alternatives(ours), _alternatives(theirs)
    yield from _schemes(our_ways.keys(), their_ways.keys(), places)
    for way in sorted(our_ways.keys() & their_ways.keys()):
        yield from _scopes(our_ways[way], their_ways[way], places)
    yield from _flows(ours, theirs)


def _schemes(ours: Iterable[str], theirs: Iterable[str], places: Places) -> Iterator[Difference]:
    said = Said(sorted(theirs), sorted(ours))
    gone, more = (sorted({*a} - {*b}) for a, b in ((ours, theirs), (theirs, ours)))
    if gone:
        effect = f"they do not take {listed(gone)}{f', but {listed(more)}' if more else ''}"
        direction = Direction.APART if more else Direction.WE
        yield Difference("schemes", said, Verdict(direction, Severity.BREAKING, effect), places)
    elif more:
        verdict = Verdict(Direction.THEY, Severity.NOTABLE, f"they take {listed(more)}, too")
        yield Difference("schemes", said, verdict, places)


def _scopes(ours: set[Scopes], theirs: set[Scopes], places: Places) -> Iterator[Difference]:
    said = Said(_listed(theirs), _listed(ours))
    if any(not any(their <= our for their in theirs) for our in ours):
        effect = f"they now require {' or '.join(' and '.join(scopes) for scopes in _listed(theirs))}"
        yield Difference("scopes", said, Verdict(Direction.WE, Severity.BREAKING, effect), places)
    more = _listed(their for their in theirs if not any(our <= their for our in ours))
    if more:
        verdict = Verdict(Direction.THEY, Severity.HARMLESS, "they take other scopes, too")
        yield Difference("moreScopes", Said(more, _listed(ours)), verdict, places)


def _flows(ours: Operation, theirs: Operation) -> Iterator[Difference]:
    """Yield where tokens come from elsewhere, for the flows of OAuth that both have."""
    our_flows, their_flows = _flows_of(ours), _flows_of(theirs)
    for name in sorted(our_flows.keys() & their_flows.keys()):
        one, other = our_flows[name], their_flows[name]
        for key in _ADDRESSES:
            said = Said(other.content.get(key), one.content.get(key))
            if said.theirs != said.ours:
                effect = f"their {key} is {listed(said.theirs)}" if said.theirs else f"they name no {key}"
                verdict = Verdict(Direction.APART, Severity.NOTABLE, effect)
                yield Difference(key, said, verdict, Places((*other.place, key), (*one.place, key)))


def _hosts(operation: Operation) -> set[str]:
    return {str(server.content.get("url")).rstrip("/") for server in operation.source.all.listed("servers")}


def _alternatives(operation: Operation) -> Alternatives:
    found: Alternatives = {}
    for requirement in _security(operation):
        way = "+".join(sorted({_kind(operation, name) for name in requirement})) or "no token"
        scopes = frozenset(scope for each in requirement.values() for scope in each)
        found.setdefault(way, set()).add(scopes)
    return found or {"no token": {frozenset()}}


def _kind(operation: Operation, name: str) -> str:
    """Return how a token travels: `oauth2`, `bearer`, or the name of a header or a parameter."""
    scheme = _scheme(operation, name).content
    word = {"apiKey": "name", "http": "scheme"}.get(str(scheme.get("type")), "type")
    return str(scheme.get(word) or name)


def _flows_of(operation: Operation) -> dict[str, Part]:
    names = sorted({name for requirement in _security(operation) for name in requirement})
    return {flow: part for name in names for flow, part in _scheme(operation, name).named("flows").items()}


def _scheme(operation: Operation, name: str) -> Part:
    return operation.source.all.part("components").part("securitySchemes").part(name)


def _security(operation: Operation) -> Iterator[dict[str, list[str]]]:
    """Yield the alternatives of an operation, or those of its document: scopes by name of a scheme."""
    stated = operation.content.get("security") is not None
    for each in (operation if stated else operation.source.all).listed("security"):
        yield {name: each.texts(name) for name in each.content}


def _listed(alternatives: Iterable[Scopes]) -> list[list[str]]:
    return sorted(sorted(scopes) for scopes in alternatives)
