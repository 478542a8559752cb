"""The schemas of a document: where they are, and mistakes in them that JSON Schema lets pass."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from difflib import get_close_matches
from functools import cache
from typing import Any

from _document import Document, Fault, InvalidFileError, Pointer, at, children
from _normalization import Reader
from _shapes import Group, Schema
from jsonschema_specifications import REGISTRY

_MAPS_OF_SCHEMAS = frozenset({"$defs", "dependentSchemas", "patternProperties", "properties"})
_NAMED = _MAPS_OF_SCHEMAS | {"schemas"}
_KEYWORDS_OF_OPENAPI = frozenset({"discriminator", "example", "externalDocs", "xml"})
_DATA = _KEYWORDS_OF_OPENAPI | {"const", "default", "enum", "examples"}
_DRAFT = "https://json-schema.org/draft/2020-12/"
_FORMATS = frozenset(
    {
        *("binary", "byte", "date", "date-time", "double", "duration", "email", "float", "hostname"),
        *("idn-email", "idn-hostname", "int32", "int64", "ipv4", "ipv6", "iri", "iri-reference"),
        *("json-pointer", "password", "regex", "relative-json-pointer", "time", "uri", "uri-reference"),
        *("uri-template", "uuid"),
    }
)
_OTHERWISE = {
    "nullable": "'nullable' in OpenAPI 3.1: write type: [string, 'null'], or anyOf with type: 'null'"
}
# In these, a schema adds to the one in which it stands.
_BESIDE = frozenset({"allOf", "anyOf", "oneOf", "not", "if", "then", "else"})


def keyword_faults(document: Document) -> Iterator[Fault]:
    """Yield each keyword and each format that JSON Schema lets pass, since it does not know it."""
    for pointer, schema in all_schemas(document.content):
        for keyword in schema:
            if keyword not in _keywords() and not keyword.startswith("x-"):
                known = _OTHERWISE.get(keyword) or hint(keyword, _keywords())
                yield document.fault((*pointer, keyword), f"there is no keyword {known}")
        name = schema.get("format")
        if isinstance(name, str) and name not in _FORMATS:
            yield document.fault((*pointer, "format"), f"there is no format {hint(name, _FORMATS)}")


@cache
def _keywords() -> frozenset[str]:
    meta_schemas = [REGISTRY.contents(uri) for uri in REGISTRY if uri.startswith(_DRAFT)]
    return _KEYWORDS_OF_OPENAPI.union(*(meta["properties"] for meta in meta_schemas))


def required_faults(document: Document) -> Iterator[Fault]:
    """Yield each name in `required` that the schema gives no property for."""
    reader = Reader(document)
    for pointer, schema in all_schemas(document.content):
        # What cannot be read is a fault of its own.
        with suppress(InvalidFileError):
            known = _properties(reader, pointer) if "required" in schema else None
            for index, name in children(schema.get("required")):
                if known is not None and name not in known:
                    place = (*pointer, "required", index)
                    yield document.fault(place, f"there is no property {hint(str(name), known)}")


def _properties(reader: Reader, pointer: Pointer) -> frozenset[str] | None:
    """Return the properties that a schema names, alone or with those beside it; None if it may name any."""
    shape = reader.shape(Schema(at(reader.source.content, pointer), pointer))
    objects = shape.groups.get("object", Group(frozenset()))
    outside = _outside(pointer)
    beside = _properties(reader, outside) if outside else frozenset[str]()
    has_patterns = any(keyword == "patternProperties" for keyword, _ in shape.not_compared)
    if beside is None or has_patterns or objects.names is not True:
        return None
    return beside | objects.properties.keys()


def _outside(pointer: Pointer) -> Pointer | None:
    """Return the schema that this one adds to, if there is one."""
    *_, above, last = pointer
    if last in _BESIDE and above not in _NAMED:
        return pointer[:-1]
    return pointer[:-2] if isinstance(last, int) and above in _BESIDE else None


def hint(name: str, known: Iterable[str]) -> str:
    """Return a name that is not known, and what was meant perhaps."""
    close = get_close_matches(name, sorted(known), n=1)
    return f"{name!r}, {close[0]!r} perhaps" if close else repr(name)


def outermost_schemas(content: dict[str, Any]) -> Iterator[Pointer]:
    """Yield the places of all outermost schemas: components and inline ones."""
    for pointer, mapping in outside_schemas(content, ()):
        if "schema" in mapping:
            yield (*pointer, "schema")
        if pointer == ("components",):
            for name, _ in children(mapping.get("schemas")):
                yield ("components", "schemas", name)


def all_schemas(content: dict[str, Any]) -> Iterator[tuple[Pointer, dict[str, Any]]]:
    """Yield all schemas, those inside others among them, with their places."""
    for root in outermost_schemas(content):
        yield from _subschemas(at(content, root), root)


def outside_schemas(value: object, pointer: Pointer) -> Iterator[tuple[Pointer, dict[str, Any]]]:
    """Yield every mapping that is outside of schemas and examples, with its place."""
    if isinstance(value, dict):
        yield pointer, value
    for key, child in children(value):
        if key not in {"schema", "schemas", "example", "examples"}:
            yield from outside_schemas(child, (*pointer, key))


def _subschemas(value: object, pointer: Pointer) -> Iterator[tuple[Pointer, dict[str, Any]]]:
    if isinstance(value, dict):
        yield pointer, value
    for key, child in children(value):
        if key in _MAPS_OF_SCHEMAS:
            for name, schema in children(child):
                yield from _subschemas(schema, (*pointer, key, name))
        elif key not in _DATA and not str(key).startswith("x-"):
            yield from _subschemas(child, (*pointer, key))
