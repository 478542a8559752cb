"""The operations of the sandbox, and which of them a request means (docs/behaviour.md, "Operations").

They come from the document. Beside them are HubSpot's calls for single records, lists and searches, which
most programs of others make.
"""

import re
from collections.abc import Mapping, Sequence
from functools import cache

from msgspec import Struct

from hubspot_batch.contract import _operations as contract
from hubspot_batch.contract._operations import Operation
from hubspot_batch.sandbox._object_types import OBJECT_TYPES, SCHEMAS

_PATH = re.compile(
    r"/crm/(?:(?P<number>v\d)/(?P<area>\w+)|(?P<dated>\w+)/(?P<date>\d{4}-\d\d))/(?P<rest>[^/].*)"
)
_NUMBERS = {"objects": "v3", "properties": "v3", "associations": "v4"}
"""The version of each part of the API that has no date."""

_TYPE = "{objectType}"


def _made(operation_id: str, method: str, path: str) -> Operation:
    verb, _, subject = operation_id.partition("_")
    return Operation(
        id=operation_id,
        verb=verb,  # type: ignore[arg-type]
        object_type=subject,
        method=method,
        path=path,
        success=200,
        scopes=(),
        repeatable=True,
    )


_LIST = "/crm/v3/objects/{objectType}"
_ITEM = "/crm/v3/objects/{objectType}/{objectId}"
_OTHERS = (
    _made("list_objects", "GET", _LIST),
    _made("make_object", "POST", _LIST),
    _made("search_objects", "POST", f"{_LIST}/search"),
    _made("get_object", "GET", _ITEM),
    _made("change_object", "PATCH", _ITEM),
    _made("delete_object", "DELETE", _ITEM),
    _made("read_associations", "POST", "/crm/v4/associations/{fromObjectType}/{toObjectType}/batch/read"),
)
_WRITING = {"create", "update", "upsert", "archive", "make", "change", "delete"}
_NUMBER = re.compile(r"\d+", re.ASCII)


class Route(Struct, frozen=True, kw_only=True):
    """Where an operation is found.

    Attributes:
        operation: The operation.
        area: The part of the API: `objects`, `properties` or `associations`.
        segments: The path after the version, with `{objectType}` for each object type.
        object_types: The object types that the path names itself; a path parameter allows any.
    """

    operation: Operation
    area: str
    segments: tuple[str, ...]
    object_types: tuple[str, ...]

    @property
    def verb(self) -> str:
        """What the operation does."""
        return self.operation.verb

    @property
    def title(self) -> str:
        """Its method and path, for people."""
        return f"{self.operation.method} /crm/{self.area}/{{version}}/{'/'.join(self.segments)}"

    @property
    def writes(self) -> bool:
        """Whether the operation changes records."""
        return self.verb in _WRITING

    @property
    def single(self) -> bool:
        """Whether the operation is about one record."""
        return self.segments[-1] == "{objectId}" or self.verb == "make"


class Target(Struct, frozen=True, kw_only=True):
    """What a request names.

    Attributes:
        route: The operation and where it was found.
        object_types: The plural names of the object types in the path.
        object_id: The record in the path; empty without one.
        version: The version of the API.
    """

    route: Route
    object_types: tuple[str, ...]
    object_id: str = ""
    version: str

    @property
    def scopes(self) -> tuple[str, ...]:
        """The scopes that open it, any one of them; without those of other object types."""
        names = {SCHEMAS[name].scope if name in SCHEMAS else name for name in self.object_types}
        if not self.route.operation.scopes:
            act = "write" if self.route.writes else "read"
            return tuple(f"crm.objects.{name}.{act}" for name in sorted(names))
        if self.route.area != "objects":
            return self.route.operation.scopes
        return tuple(
            scope
            for scope in self.route.operation.scopes
            if not scope.startswith("crm.objects.") or scope.split(".")[2] in names
        )


class Unserved(Struct, frozen=True, kw_only=True):
    """Why a request names no operation.

    Attributes:
        allowed: The methods of the path, if HubSpot has only these; empty if the sandbox lacks the path.
        object_type: The name in the path that is not an object type; empty if each is.
    """

    allowed: tuple[str, ...] = ()
    object_type: str = ""


def target_of(method: str, path: str) -> Target | Unserved:
    """Return what a request names."""
    area, version, segments = _parts(path)
    shaped = [route for route in routes() if route.area == area and _fits(route.segments, segments)]
    # What is written out comes before what a record may be called: `search` is not an id.
    written = [route for route in shaped if "{objectId}" not in route.segments]
    shaped = written or shaped
    fitting = [route for route in shaped if route.operation.method == method]
    if not fitting:
        closed = [route for route in shaped if _is_closed(route, method, segments)]
        methods = dict.fromkeys(route.operation.method for route in closed)
        return Unserved(allowed=tuple(methods))
    names = [text for part, text in zip(fitting[0].segments, segments, strict=True) if part == _TYPE]
    unknown = next((name for name in names if name not in _names()), None)
    if unknown is not None:
        return Unserved(object_type=unknown)
    object_types = tuple(_names()[name] for name in names)
    route = next((route for route in fitting if _serves(route, object_types)), None)
    if route is None:
        return Unserved()
    object_id = segments[-1] if "{objectId}" in route.segments else ""
    return Target(route=route, object_types=object_types, object_id=object_id, version=version)


def _is_closed(route: Route, method: str, segments: Sequence[str]) -> bool:
    """Return whether HubSpot, too, has no other method for a path.

    Beside the records of a type it has actions, `POST /crm/v3/objects/contacts/merge`, and it creates
    property definitions. The sandbox lacks them.
    """
    if route.area == "objects":
        return method != "POST" or "{objectId}" not in route.segments or bool(_NUMBER.fullmatch(segments[-1]))
    return "batch" in route.segments or method != "POST"


def _serves(route: Route, object_types: tuple[str, ...]) -> bool:
    if route.object_types:
        return route.object_types == object_types
    return (route.verb in {"get", "list"} and "batch" not in route.segments) or all(
        name in SCHEMAS for name in object_types
    )


def _parts(path: str) -> tuple[str, str, Sequence[str]]:
    """Return the part of the API that a path belongs to, its version, and the segments that follow."""
    match = _PATH.fullmatch(path)
    if match is None:
        return "", "", ()
    area, number = match["area"] or match["dated"], match["number"]
    known = match["date"] in contract.versions() if number is None else number == _NUMBERS.get(area)
    if not known:
        return "", "", ()
    return area, match["date"] or "v3", match["rest"].split("/")


def _fits(parts: Sequence[str], segments: Sequence[str]) -> bool:
    return len(parts) == len(segments) and all(
        part == text or (part.startswith("{") and bool(text))
        for part, text in zip(parts, segments, strict=True)
    )


@cache
def _names() -> Mapping[str, str]:
    """Return the plural names of the object types by each of their names."""
    names = {name: name for name in OBJECT_TYPES}
    for schema in SCHEMAS.values():
        names |= dict.fromkeys((schema.name, schema.singular, schema.type_id), schema.name)
    return names


def plural_of(name: str) -> str | None:
    """Return the plural name of an object type that is written in any way; None if there is none."""
    return _names().get(name)


@cache
def routes() -> Sequence[Route]:
    """Return the routes, those of the document first."""
    return [_route(operation) for operation in (*contract.operations().values(), *_OTHERS)]


def _route(operation: Operation) -> Route:
    area, _, segments = _parts(operation.path)
    return Route(
        operation=operation,
        area=area,
        segments=tuple(
            _TYPE if part in SCHEMAS or part.lower().endswith("objecttype}") else part for part in segments
        ),
        object_types=tuple(part for part in segments if part in SCHEMAS),
    )


def served() -> Sequence[str]:
    """Return the methods and paths that the sandbox serves, for people."""
    return list(dict.fromkeys(route.title for route in routes()))
