"""Our operations in HubSpot's documents, whatever the version and the form of the path."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from _document import Pointer
    from _upstream_sources import Source

METHODS = ("delete", "get", "head", "options", "patch", "post", "put", "trace")
VERSION = re.compile(r"v\d+|\d{4}-\d{2}(-beta)?")
_ROOT = re.compile(
    r"/crm/(?:(?P<number>v\d+)/objects|objects/(?P<date>\d{4}-\d{2}(?:-beta)?))/(?P<type>[^/]+)(?P<rest>/.*)?"
)
_NAME_OF_ANY = re.compile(r" (crm )?objects? ")


@dataclass(frozen=True)
class Operation:
    """One operation of a document.

    Attributes:
        source: The document.
        method: Its method in capitals.
        path: Its path, as written.
        place: Where it stands.
        content: What it says.
    """

    source: Source
    method: str
    path: str
    place: Pointer
    content: dict[str, Any]

    @property
    def address(self) -> str:
        """Method and path."""
        return f"{self.method} {self.path}"


@dataclass(frozen=True)
class Wanted:
    """One operation of our document, and what of its path is the same in every version.

    Attributes:
        name: Its operationId.
        object_type: The object type in the path.
        action: What stands after the object type.
        operation: The operation.
    """

    name: str
    object_type: str
    action: str
    operation: Operation

    def address(self, version: str) -> str:
        """Return method and path in a version."""
        root = f"/crm/{version}/objects" if version.startswith("v") else f"/crm/objects/{version}"
        return f"{self.operation.method} {root}/{self.object_type}{self.action}"


@dataclass(frozen=True)
class Match:
    """One operation of ours, and what HubSpot's document has for it.

    Attributes:
        wanted: The operation of ours.
        version: The version of the service.
        theirs: The operation in HubSpot's document; None where it is missing.
    """

    wanted: Wanted
    version: str
    theirs: Operation | None

    @property
    def moved(self) -> bool:
        """Whether the operation stands where no client looks for it."""
        if self.theirs is None:
            return False
        root = _ROOT.fullmatch(self.theirs.path)
        return root is None or self.theirs.method != self.wanted.operation.method


def wanted(ours: Source) -> list[Wanted]:
    """Return the operations of our document."""
    found = []
    for operation in operations(ours):
        root = _ROOT.fullmatch(operation.path)
        if root is None:
            ours.fail(operation.place, "has a path without a version and an object type")
        name = str(operation.content.get("operationId"))
        found.append(Wanted(name, root["type"], root["rest"] or "", operation))
    return found


def matches(theirs: Source, all_wanted: list[Wanted]) -> list[Match]:
    """Return what a document has for our operations; nothing where it is about other objects."""
    published = list(operations(theirs))
    found = []
    for one in all_wanted:
        versions = _versions(theirs, one, published)
        found += [Match(one, version, _find(theirs, one, version, published)) for version in versions]
    return found


def operations(source: Source) -> Iterator[Operation]:
    """Yield every operation of a document."""
    paths = source.mapping(source.content.get("paths"), ("paths",))
    for path, node in paths.items():
        item, place = source.follow(node, ("paths", path))
        for method, content in source.mapping(item, place).items():
            if method in METHODS:
                below = (*place, method)
                yield Operation(source, method.upper(), path, below, source.mapping(content, below))


def _versions(source: Source, one: Wanted, published: list[Operation]) -> list[str]:
    """Return the versions in which a document is about the object type of an operation."""
    named = _is_named(source, one.object_type)
    versions = []
    for operation in published:
        root = _ROOT.fullmatch(operation.path)
        if root and (root["type"] == one.object_type or (named and _is_parameter(root["type"]))):
            versions.append(root["number"] or root["date"])
    if not versions and named and any(operation.path.endswith(one.action) for operation in published):
        versions.append(_version_of_info(source))
    return sorted(set(versions))


def _find(source: Source, one: Wanted, version: str, published: list[Operation]) -> Operation | None:
    """Return the operation at its usual address, else one that looks like it."""
    alike = [operation for operation in published if operation.path.endswith(one.action)]
    usual = [operation for operation in alike if _is_usual(one, version, operation)]
    elsewhere = [operation for operation in alike if _looks_like(source, one, operation)]
    candidates = usual or elsewhere
    ranked = sorted(candidates, key=lambda operation: operation.method != one.operation.method)
    return ranked[0] if ranked else None


def _is_usual(one: Wanted, version: str, operation: Operation) -> bool:
    root = _ROOT.fullmatch(operation.path)
    if root is None or root["rest"] != one.action or version not in (root["number"], root["date"]):
        return False
    return root["type"] == one.object_type or _is_parameter(root["type"])


def _looks_like(source: Source, one: Wanted, operation: Operation) -> bool:
    """Whether an operation is ours under an address that is no usual one of any version."""
    segment = operation.path.removesuffix(one.action).rpartition("/")[2]
    if _ROOT.fullmatch(operation.path):
        return False
    return segment == one.object_type or (_is_parameter(segment) and _is_named(source, one.object_type))


def _is_parameter(segment: str) -> bool:
    return segment.startswith("{") and segment.endswith("}")


def _is_named(source: Source, object_type: str) -> bool:
    """Whether title or file name say that a document is about an object type, or about all of them."""
    info = source.mapping(source.content.get("info"), ("info",))
    file_name = re.split(r"[/\\]", source.name)[-1].rpartition(".")[0]
    for name in (str(info.get("title") or ""), file_name):
        words = _words(name)
        if f" {object_type.replace('_', ' ')} " in words:
            return True
        if _NAME_OF_ANY.fullmatch(words):
            return True
    return False


def _words(name: str) -> str:
    """Return the words of a name in small letters, `commercePayments` being two."""
    return f" {' '.join(re.findall('[A-Z]?[a-z]+|[A-Z]+(?![a-z])', name)).lower()} "


def _version_of_info(source: Source) -> str:
    info = source.mapping(source.content.get("info"), ("info",))
    return str(info.get("version") or "of no version")
