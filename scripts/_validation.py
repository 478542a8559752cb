"""Everything that is wrong with an OpenAPI 3.1 document, each fault with its place."""

import re
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import NoReturn
from urllib.parse import quote

import jsonschema_rs
from _document import (
    Document,
    Fault,
    InvalidFileError,
    Pointer,
    at,
    children,
    format_pointer,
    load,
    walk,
)
from _names import name_faults
from _schemas import all_schemas, keyword_faults, outermost_schemas, outside_schemas, required_faults
from openapi_spec_validator import OpenAPIV31SpecValidator

_URI = "urn:document"
_META_SCHEMA = {"$ref": "https://json-schema.org/draft/2020-12/schema"}
_LONGEST_MESSAGE = 300


def load_valid(path: Path) -> Document:
    """Read an OpenAPI document.

    Raises:
        InvalidFileError: It is not a valid OpenAPI 3.1 document, or one of its examples is not
            what its schema says, or is used nowhere.
    """
    document = load(path)
    if faults := list(_faults(document)):
        raise InvalidFileError(path, faults)
    return document


def _faults(document: Document) -> Iterator[Fault]:
    version = str(document.content.get("openapi", "absent"))
    if not version.startswith("3.1"):
        yield document.fault(("openapi",), f"is {version} where 3.1.0 belongs")
        return
    silent = [*keyword_faults(document), *required_faults(document)]
    located = [
        *_specification_faults(document),
        *_schema_faults(document),
        *silent,
        *_reference_faults(document),
        # Where a schema does not say what it means to, its examples are not to blame.
        *(() if silent else _example_faults(document)),
        *_unused_examples(document),
    ]
    yield from located or [*name_faults(document)] or _remaining_faults(document)


def _specification_faults(document: Document) -> Iterator[Fault]:
    schema = OpenAPIV31SpecValidator.schema_validator
    for error in schema.iter_errors(document.content):
        message = error.message.splitlines()[0]
        pointer = tuple(error.absolute_path)
        if unexpected := re.search(r"\('([^']+)' was unexpected\)", message):
            pointer += (unexpected[1],)
        yield document.fault(pointer, _shorten(message))


def _schema_faults(document: Document) -> Iterator[Fault]:
    meta = jsonschema_rs.Draft202012Validator(_META_SCHEMA, validate_formats=True)
    for pointer in outermost_schemas(document.content):
        for error in meta.iter_errors(at(document.content, pointer)):
            place = (*pointer, *error.instance_path)
            yield document.fault(place, _shorten(error.message))


def _remaining_faults(document: Document) -> Iterator[Fault]:
    """Yield what only the whole of openapi-spec-validator finds; it names few of the places."""
    try:
        for error in OpenAPIV31SpecValidator(document.content).iter_errors():
            message = error.message.splitlines()[0]
            operation = re.search(r"for '(\w+)' operation in '([^']+)'", message)
            pointer = ("paths", operation[2], operation[1]) if operation else ()
            yield document.fault(pointer, _shorten(message))
    except RecursionError:
        yield document.fault((), "a schema is part of itself, without a property in between")


def _reference_faults(document: Document) -> Iterator[Fault]:
    for pointer, mapping in walk(document.content):
        if isinstance(mapping.get("$ref"), str):
            try:
                document.follow(mapping, pointer)
            except InvalidFileError as error:
                yield from error.faults


def _example_faults(document: Document) -> Iterator[Fault]:
    registry = jsonschema_rs.Registry([(_URI, document.content)], draft=jsonschema_rs.Draft202012)
    validator_of = cache(lambda schema: _validator(schema, registry))
    for place, schema in _examples(document):
        if validator := validator_of(schema):
            for error in validator.iter_errors(at(document.content, place)):
                message = f"{_shorten(error.message)} (by {format_pointer(schema)})"
                yield document.fault((*place, *error.instance_path), message)


def _validator(
    schema: Pointer, registry: jsonschema_rs.Registry
) -> jsonschema_rs.Draft202012Validator | None:
    reference = _URI + quote(format_pointer(schema), safe="#/~")
    try:
        return jsonschema_rs.Draft202012Validator(
            {"$ref": reference}, registry=registry, retriever=_retrieve, validate_formats=True
        )
    except (jsonschema_rs.ReferencingError, jsonschema_rs.ValidationError):
        return None  # a fault of the schema, which is reported as such


def _retrieve(uri: str) -> NoReturn:
    raise LookupError(uri)


def _unused_examples(document: Document) -> Iterator[Fault]:
    used = {str(mapping.get("$ref")) for _, mapping in walk(document.content)}
    components = document.content.get("components")
    examples = components.get("examples") if isinstance(components, dict) else None
    for name, _ in children(examples):
        pointer = ("components", "examples", name)
        if format_pointer(pointer) not in used:
            yield document.fault(pointer, "is used nowhere")


def _examples(document: Document) -> Iterator[tuple[Pointer, Pointer]]:
    """Yield the place of each example, and that of its schema."""
    for pointer, mapping in outside_schemas(document.content, ()):
        if "schema" in mapping:
            schema = (*pointer, "schema")
            if "example" in mapping:
                yield (*pointer, "example"), schema
            for name, example in children(mapping.get("examples")):
                # A reference to nowhere is a fault of its own.
                with suppress(InvalidFileError):
                    named, place = document.follow(example, (*pointer, "examples", name))
                    if isinstance(named, dict) and "value" in named:
                        yield (*place, "value"), schema
    for pointer, mapping in all_schemas(document.content):
        for index, _ in children(mapping.get("examples")):
            yield (*pointer, "examples", index), pointer
        for key in {"default", "example"} & mapping.keys():
            yield (*pointer, key), pointer


def _shorten(message: str) -> str:
    return message if len(message) <= _LONGEST_MESSAGE else message[:_LONGEST_MESSAGE] + " ..."
