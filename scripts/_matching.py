"""Finds our operations in HubSpot's documents, in any version and form of the path."""

import re
from dataclasses import dataclass

from _document import Document
from _operations import Operation, operations

VERSION = re.compile(r"v\d+|\d{4}-\d{2}(-beta)?")
_PATH = re.compile(
    r"/crm/(?:(?P<number>v\d+)/(?P<family>[^/]+)|(?P<dated>[^/]+)/(?P<date>\d{4}-\d{2}(?:-beta)?))(?P<rest>/.*)?"
)
_IS_PARAMETER = re.compile(r"\{[^}]*\}")

Segments = tuple[str, ...]


@dataclass(frozen=True)
class Address:
    """A path of the CRM API."""

    version: str  # the version of the service
    # What is the same in every version: the family, `objects` for example, and what follows.
    segments: Segments

    @property
    def subject(self) -> Segments:
        """What the path is about, without the action on it: `objects`, `orders`."""
        return self.segments[: self.segments.index("batch")] if "batch" in self.segments else self.segments

    def at(self, version: str) -> str:
        """Return the path in a version."""
        family, *rest = self.segments
        root = (version, family) if version.startswith("v") else (family, version)
        return "/".join(("/crm", *root, *rest))


@dataclass(frozen=True)
class Wanted:
    """One operation of our document."""

    name: str  # its operationId
    operation: Operation
    address: Address  # where it stands
    # What its object type can be, where that is a parameter and each has a document.
    object_types: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Match:
    """One operation of ours, and what HubSpot's document has for it."""

    wanted: Wanted  # the operation of ours
    version: str  # the version of the service
    theirs: Operation | None  # the operation in HubSpot's document; None where it is missing

    @property
    def usual(self) -> str:
        """Method and path where clients look for it."""
        return f"{self.wanted.operation.method.upper()} {self.wanted.address.at(self.version)}"

    @property
    def moved(self) -> bool:
        """Whether the operation stands where no client looks for it."""
        if self.theirs is None:
            return False
        found, ours = address(self.theirs.path), self.wanted
        in_place = found is not None and _alike(ours, ours.address.segments, found.segments, named=True)
        return not in_place or self.theirs.method != ours.operation.method


def address(path: str) -> Address | None:
    """Return the parts of a path; None where it is not one of a version of the CRM API."""
    parts = _PATH.fullmatch(path)
    if parts is None:
        return None
    rest = (parts["rest"] or "").split("/")[1:]
    return Address(parts["number"] or parts["date"], (parts["family"] or parts["dated"], *rest))


def wanted(ours: Document) -> list[Wanted]:
    """Return the operations of our document."""
    found = []
    for operation in operations(ours):
        place = address(operation.path)
        if place is None:
            ours.fail(operation.place, "has a path without a version of the CRM API")
        found.append(Wanted(operation.name, operation, place, _object_types(operation, place)))
    return found


def _object_types(operation: Operation, place: Address) -> frozenset[str]:
    """Return the values of the parameter that stands for the object type of records."""
    family, segment, *_ = place.segments
    if family != "objects" or not _is_parameter(segment):
        return frozenset()
    for parameter in operation.listed("parameters"):
        if segment == f"{{{parameter.content.get('name')}}}":
            return frozenset(map(str, parameter.part("schema").content.get("enum", ())))
    return frozenset()


def matches(theirs: Document, all_wanted: list[Wanted]) -> list[Match]:
    """Return what a document has for our operations; nothing where it is about something else."""
    published = list(operations(theirs))
    placed = [(operation, place) for operation in published if (place := address(operation.path))]
    found = []
    for one in all_wanted:
        named = _is_named(theirs, one)
        subject, segments = one.address.subject, one.address.segments
        versions = {
            place.version
            for _, place in placed
            if _alike(one, subject, place.segments[: len(subject)], named=named)
        }
        elsewhere = [operation for operation in published if _stands_elsewhere(one, operation, named=named)]
        if named and elsewhere and not versions:
            versions = {str(theirs.all.part("info").content.get("version") or "of no version")}
        for version in sorted(versions):
            usual = [
                operation
                for operation, place in placed
                if place.version == version and _alike(one, segments, place.segments, named=named)
            ]
            method = one.operation.method
            best = min(usual or elsewhere, key=lambda operation: operation.method != method, default=None)
            found.append(Match(one, version, best))
    return found


def _alike(wanted: Wanted, ours: Segments, theirs: Segments, *, named: bool) -> bool:
    """Whether two paths are the same; `named` is whether a parameter of theirs stands for our object type."""

    def fits(one: str, other: str) -> bool:
        if _is_parameter(other):
            return named or (_is_parameter(one) and not wanted.object_types)
        return one == other or (_is_parameter(one) and other in wanted.object_types)

    return len(ours) == len(theirs) and all(map(fits, ours, theirs))


def _stands_elsewhere(one: Wanted, operation: Operation, *, named: bool) -> bool:
    """Whether an operation is ours under an address that is not the usual one of any version."""
    place, tail = address(operation.path), one.address.segments[1:]
    if place and _alike(one, one.address.segments, place.segments, named=True):
        return False
    theirs = tuple(operation.path.split("/")[-len(tail) :])
    has_a_name = any(not _is_parameter(segment) for segment in tail)
    return has_a_name and _alike(one, tail, theirs, named=named)


def _is_parameter(segment: str) -> bool:
    return _IS_PARAMETER.fullmatch(segment) is not None


def _is_named(source: Document, one: Wanted) -> bool:
    """Whether title or file name say that a document is about an object type, or about the whole family."""
    subject = (*one.address.subject, *one.object_types)
    info = source.all.part("info").content
    file_name = re.split(r"[/\\]", source.name)[-1].rpartition(".")[0]
    family, *types = (segment.replace("_", " ") for segment in subject if not _is_parameter(segment))
    for name in (str(info.get("title") or ""), file_name):
        words = _words(name)
        if any(f" {object_type} " in words for object_type in types):
            return True
        if words.removeprefix(" crm").strip() in {family, family.removesuffix("s")}:
            return True
    return False


def _words(name: str) -> str:
    """Return the words of a name in small letters, `commercePayments` being two."""
    return f" {' '.join(re.findall('[A-Z]?[a-z]+|[A-Z]+(?![a-z])', name)).lower()} "
