"""Names of the document that the generated Python code cannot carry: they collide, or hide another name."""

from collections.abc import Callable, Iterable, Iterator

from _document import Document, Fault, Pointer, children, format_pointer
from _operations import operations
from _schemas import all_schemas
from openapi_python_client.strings import ClassName, PythonIdentifier

# What the generated classes and functions call something of their own.
_OF_FIELDS = frozenset(
    {"additional_keys", "additional_properties", "cast", "cls", "d", "field_dict", "from_dict", "to_dict"}
)
_OF_CLASSES = frozenset(
    {
        *("Annotated", "Any", "AuthenticatedClient", "BinaryIO", "Client", "File", "FileTypes", "Generator"),
        *("HTTPStatus", "HTTPStatusError", "Literal", "Mapping", "Meta", "MutableMapping", "NotRequired"),
        *("Optional", "RequestFiles", "Response", "Sequence", "Struct", "T", "TextIO", "TypeAlias"),
        *("TypeVar", "TypedDict", "UnexpectedStatus", "Union", "Unset", "UnsetType"),
    }
)
_OF_PARAMETERS = frozenset({"body", "client", "cookies", "headers", "kwargs", "params", "response"})
_PREFIX = "field_"


def name_faults(document: Document) -> Iterator[Fault]:
    """Yield each name that the generated code would confuse with another."""
    components = document.content.get("components")
    named = components.get("schemas") if isinstance(components, dict) else None
    models = [(("components", "schemas", name), name) for name, _ in children(named)]
    yield from _faults(document, models, _class, _OF_CLASSES)
    for pointer, schema in all_schemas(document.content):
        fields = [((*pointer, "properties", name), name) for name, _ in children(schema.get("properties"))]
        yield from _faults(document, fields, _field, _OF_FIELDS)
    yield from _operation_faults(document)


def _operation_faults(document: Document) -> Iterator[Fault]:
    names: list[tuple[Pointer, str]] = []
    for operation in operations(document):
        place = ("paths", operation.path, operation.method)
        if isinstance(operation.content.get("operationId"), str):
            names.append(((*place, "operationId"), operation.name))
        parameters = [
            ((*place, "parameters", index, "name"), parameter["name"])
            for index, parameter in children(operation.content.get("parameters"))
            if isinstance(parameter, dict) and isinstance(parameter.get("name"), str)
        ]
        yield from _faults(document, parameters, _field, _OF_PARAMETERS)
    yield from _faults(document, names, _field, frozenset())


def _faults(
    document: Document,
    names: Iterable[tuple[Pointer, str | int]],
    python_name: Callable[[str], str],
    reserved: frozenset[str],
) -> Iterator[Fault]:
    first: dict[str, Pointer] = {}
    for pointer, name in names:
        python = python_name(str(name))
        if python in reserved:
            message = f"is {python!r} in Python, which the generated code uses itself: give it another name"
            yield document.fault(pointer, message)
        elif first.setdefault(python, pointer) != pointer:
            message = f"is {python!r} in Python, as {format_pointer(first[python])} is: give it another name"
            yield document.fault(pointer, message)


def _class(name: str) -> str:
    return ClassName(name, _PREFIX)


def _field(name: str) -> str:
    return PythonIdentifier(name, _PREFIX)
