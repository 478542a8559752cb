"""What `x-versions` of our document says of the versions of the service, against what HubSpot publishes."""

from collections.abc import Collection, Iterator
from typing import Any

from _differences import Difference, Direction, Places, Said, Severity, Verdict
from _document import Document, Pointer
from _matching import Match, Wanted, address

_PLACE: Pointer = ("x-versions",)
# The code of a reply with some failures.
_PARTIAL = 207


def stated_versions(ours: Document) -> dict[str, Any]:
    """Return what the document says of each version; nothing where it does not say."""
    return ours.all.part("x-versions").content


def versions_of(one: Wanted) -> set[str]:
    """Return the versions that an operation should have: those whose paths are of its family."""
    return {
        version
        for version, stated in stated_versions(one.operation.source).items()
        if one.address.at(version).startswith(f"{_root(one, version, stated)}/")
    }


def differences(match: Match) -> Iterator[Difference]:
    """Yield what `x-versions` says otherwise than HubSpot's document, for one operation."""
    one, theirs = match.wanted, match.theirs
    if theirs is None or not versions_of(one):
        return
    stated = stated_versions(one.operation.source)
    if match.version not in stated:
        effect = f"they publish the version {match.version}, which x-versions does not name"
        yield _difference("version", Said(match.version, None), effect, theirs.place, _PLACE)
        return
    place, said = (*_PLACE, match.version), stated[match.version]
    found, ours = address(theirs.path), _root(one, match.version, said)
    root = theirs.path.removesuffix("/".join(("", *found.segments[1:]))) if found else ours
    if root != ours:
        below = (*place, "paths", one.address.segments[0])
        yield _difference("path", Said(root, ours), "their path is another", theirs.place, below)
    codes = theirs.part("responses").content
    successes = sorted(int(code) for code in codes if code.isdecimal() and code[0] == "2")
    verb = one.name.partition("_")[0]
    documented = next(code for code in one.operation.content["responses"] if code[0] == "2")
    success = said.get("success", {}).get(verb, int(documented))
    if (published := [code for code in successes if code != _PARTIAL]) != [success]:
        effect = f"a success of {verb} is {' or '.join(map(str, published)) or 'not listed'}"
        below = (*place, "success", verb)
        yield _difference("success", Said(published, success), effect, theirs.place, below)
    partial, has_partial = said.get("partial"), _PARTIAL in successes
    can_be_partial = str(_PARTIAL) in one.operation.content.get("responses", {})
    if can_be_partial and has_partial is not (partial == _PARTIAL):
        effect = f"they {'list' if has_partial else 'do not list'} {_PARTIAL}"
        counted = Said(_PARTIAL if has_partial else None, partial)
        yield _difference("partial", counted, effect, theirs.place, (*place, "partial"))


def missing(one: Wanted, seen: Collection[str]) -> Iterator[tuple[str, Difference]]:
    """Yield the versions of an operation that are not among those that were seen."""
    for version in sorted(versions_of(one) - set(seen)):
        effect = f"they do not publish the version {version} any more"
        place = (*_PLACE, version)
        yield version, _difference("version", Said(None, version), effect, (), place)


def _root(one: Wanted, version: str, stated: object) -> str:
    """Return what the paths of an operation begin with in a version, as our document says."""
    paths = stated.get("paths") if isinstance(stated, dict) else None
    template = paths.get(one.address.segments[0]) if isinstance(paths, dict) else None
    return str(template).replace("{version}", version)


def _difference(aspect: str, said: Said, effect: str, theirs: Pointer, ours: Pointer) -> Difference:
    verdict = Verdict(Direction.APART, Severity.NOTABLE, effect)
    return Difference(aspect, said, verdict, Places(theirs, ours))
