"""A YAML or JSON file as JSON data that knows its lines: load it, walk it, follow its references."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NoReturn, TypeVar
from urllib.parse import unquote

import yaml

Pointer = tuple[str | int, ...]
Form = TypeVar("Form", dict[str, Any], list[Any])

# The same in C, where PyYAML has it.
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TAG = "tag:yaml.org,2002:"
_JSON_SCALARS = frozenset(_TAG + name for name in ("bool", "float", "int", "null", "str"))
_NOT_FINITE = frozenset({".nan", ".inf", "+.inf", "-.inf"})


@dataclass(frozen=True, order=True)
class Fault:
    """One thing that is wrong with a file, and where."""

    line: int  # counted from 1
    pointer: Pointer
    message: str


class InvalidFileError(Exception):
    """A file cannot be used.

    Attributes:
        faults: Everything that is wrong with it, in the order of its lines, none twice. What stands in
            several places by way of an alias is told once.
    """

    def __init__(self, name: object, faults: Iterable[Fault]) -> None:
        first = {(fault.line, fault.message): fault for fault in reversed([*faults])}
        self.faults = tuple(first[key] for key in sorted(first))
        lines = (f"{name}:{one.line}: {format_pointer(one.pointer)}: {one.message}" for one in self.faults)
        super().__init__("\n".join(lines))


def unusable(name: object, message: str, line: int = 1) -> InvalidFileError:
    """Return the error of a file with one fault."""
    return InvalidFileError(name, [Fault(line, (), message)])


def not_yaml(name: object, error: yaml.MarkedYAMLError) -> InvalidFileError:
    """Return the error of a file that is not YAML."""
    line = error.problem_mark.line + 1 if error.problem_mark else 1
    problem = ", ".join(filter(None, (error.context, error.problem)))
    return unusable(name, f"is not YAML: {problem}", line)


@dataclass(frozen=True, eq=False)
class Document:
    """A file whose root is a mapping, as JSON data. What reads a part of it raises InvalidFileError."""

    name: str  # where it came from
    text: str = field(repr=False)  # as written
    content: dict[str, Any] = field(repr=False)  # in the order of the file

    @property
    def digest(self) -> str:
        """The SHA-256 of the file, in hexadecimal digits."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def is_3_0(self) -> bool:
        """Whether the rules of OpenAPI 3.0 hold, by which nothing beside a `$ref` counts."""
        return str(self.content["openapi"]).startswith("3.0")

    @cached_property
    def root(self) -> yaml.Node | None:
        """The content with its places; None if it is JSON in a form that YAML does not have."""
        try:
            return yaml.compose(self.text, Loader=yaml.SafeLoader)
        except (yaml.YAMLError, RecursionError):
            return None

    @property
    def all(self) -> "Part":
        """The whole of it."""
        return Part(self, self.content, ())

    def fault(self, pointer: Pointer, message: str) -> Fault:
        """Return a fault at the line of `pointer`, or of the last part of it that exists."""
        line, node = 1, self.root
        for token in pointer:
            found = [each for each in _below(node) if str(each[0]) == str(token)]
            if not found:
                break
            _, line, node = found[0]
        return Fault(line, pointer, message)

    def fail(self, pointer: Pointer, message: str) -> NoReturn:
        """Raise the error of one fault."""
        raise InvalidFileError(self.name, [self.fault(pointer, message)])

    def form(self, form: type[Form], value: object, pointer: Pointer) -> Form:
        """Return a mapping or a list; an empty one for null, which HubSpot writes for what is absent."""
        if value is None:
            return form()
        if not isinstance(value, form):
            self.fail(pointer, f"is {kind(value)} where {kind(form())} belongs")
        return value

    def part(self, value: object, pointer: Pointer) -> "Part":
        """Return a mapping with its place."""
        return Part(self, self.form(dict, value, pointer), pointer)

    def at(self, pointer: Pointer) -> object:
        """Return what stands at a place, references on the way followed."""
        value, place = self.follow(self.content, ())
        for token in pointer:
            value, place = self.follow(value, place)
            value, place = at(value, (token,)), (*place, token)
        return value

    def follow(self, value: object, pointer: Pointer) -> tuple[object, Pointer]:
        """Return what a chain of references ends at, with its place, or the value itself."""
        seen: set[Pointer] = set()
        while isinstance(value, dict) and value.get("$ref") is not None:
            if pointer in seen:
                self.fail((*pointer, "$ref"), "leads back to itself")
            seen.add(pointer)
            value, pointer = self._target(value["$ref"], (*pointer, "$ref"))
        return value, pointer

    def _target(self, reference: object, pointer: Pointer) -> tuple[object, Pointer]:
        if not isinstance(reference, str):
            self.fail(pointer, f"is {kind(reference)} where a text belongs")
        try:
            target = parse_reference(reference)
            return at(self.content, target), target
        except LookupError:
            self.fail(pointer, f"{reference!r} names nothing in this file")


@dataclass(frozen=True, eq=False)
class Part:
    """A mapping in a document, and where it stands, references followed."""

    source: Document
    content: dict[str, Any]
    place: Pointer

    def part(self, key: str) -> "Part":
        """Return the mapping below a key; an empty one where there is none."""
        return self.source.part(*self.source.follow(self.content.get(key), (*self.place, key)))

    def named(self, key: str) -> dict[str, "Part"]:
        """Return the mappings below a key by their names."""
        names = self.source.part(self.mapping(key), (*self.place, key))
        return {name: names.part(name) for name in names.content}

    def mapping(self, key: str) -> dict[str, Any]:
        """Return the mapping below a key, references not followed."""
        return self.source.form(dict, self.content.get(key), (*self.place, key))

    def sequence(self, key: str) -> list[Any]:
        """Return the list below a key."""
        return self.source.form(list, self.content.get(key), (*self.place, key))

    def texts(self, key: str) -> list[str]:
        """Return the list of texts below a key."""
        found = self.sequence(key)
        for index, item in enumerate(found):
            if not isinstance(item, str):
                self.source.fail((*self.place, key, index), f"is {kind(item)} where a text belongs")
        return found

    @property
    def line(self) -> int:
        """Where it stands in the file."""
        return self.source.fault(self.place, "").line

    def listed(self, key: str) -> list["Part"]:
        """Return the mappings in the list below a key."""
        source, place = self.source, (*self.place, key)
        return [
            source.part(*source.follow(node, (*place, index)))
            for index, node in enumerate(self.sequence(key))
        ]


def load(path: Path) -> Document:
    """Read a YAML file.

    Raises:
        InvalidFileError: It cannot be read, is not YAML, its root is not a mapping, or it holds
            duplicate keys or values that JSON has not.
    """
    try:
        return parse(str(path), path.read_bytes().decode())
    except OSError as error:
        raise unusable(path, f"cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise unusable(path, f"is not YAML: {error}") from None


def parse(name: str, text: str) -> Document:
    """Read YAML.

    Raises:
        InvalidFileError: As for `load`.
    """
    root = _compose(name, text)
    if root is None:
        raise unusable(name, "is empty where a mapping belongs")
    if faults := list(_node_faults(root, (), ())):
        raise InvalidFileError(name, faults)
    content = yaml.SafeLoader("").construct_document(root)
    if not isinstance(content, dict):
        raise unusable(name, f"is {kind(content)} where a mapping belongs")
    document = Document(name, text, content)
    vars(document)["root"] = root  # composed already
    return document


def kind(value: object) -> str:
    """Return what JSON calls a value, with its article."""
    names = {dict: "a mapping", list: "a list", str: "a text", bool: "a boolean", type(None): "null"}
    return names.get(type(value), "a number")


def walk(value: object, pointer: Pointer = ()) -> Iterator[tuple[Pointer, dict[str, Any]]]:
    """Yield every mapping in `value` with its place."""
    if isinstance(value, dict):
        yield pointer, value
    for key, child in children(value):
        yield from walk(child, (*pointer, key))


def children(value: object) -> Iterable[tuple[str | int, Any]]:
    """Return what a mapping or a list holds, with its keys or indexes."""
    if isinstance(value, dict):
        return value.items()
    return enumerate(value) if isinstance(value, list) else ()


def at(content: object, pointer: Pointer) -> object:
    """Return what stands at a place.

    Raises:
        LookupError: The place does not exist.
    """
    for token in pointer:
        content = {str(key): child for key, child in children(content)}[str(token)]
    return content


def parse_reference(reference: str) -> tuple[str, ...]:
    """Return the parts of a reference such as `#/components/schemas/Order`.

    Raises:
        LookupError: It leads out of the document.
    """
    if not reference.startswith("#/"):
        raise LookupError(reference)
    parts = unquote(reference).split("/")[1:]
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in parts)


def format_pointer(pointer: Pointer) -> str:
    """Return a place the way references are written."""
    return "/".join(("#", *(str(part).replace("~", "~0").replace("/", "~1") for part in pointer)))


def _compose(name: str, text: str) -> yaml.Node | None:
    try:
        return yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        raise not_yaml(name, error) from None
    except yaml.YAMLError as error:
        raise unusable(name, f"is not YAML: {str(error).splitlines()[0]}") from None


def _below(node: yaml.Node | None) -> Iterator[tuple[str | int, int, yaml.Node]]:
    """Yield what a mapping or a list holds: its key or index, its line, and the node."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield key.value, key.start_mark.line + 1, value
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield index, item.start_mark.line + 1, item


def _node_faults(node: yaml.Node, pointer: Pointer, above: tuple[yaml.Node, ...]) -> Iterator[Fault]:
    line = node.start_mark.line + 1
    if node in above:
        yield Fault(line, pointer, "an alias leads back to where it stands")
        return
    if isinstance(node, yaml.MappingNode):
        yield from _key_faults(node, pointer)
    elif isinstance(node, yaml.ScalarNode):
        is_finite = node.tag != _TAG + "float" or node.value.lower() not in _NOT_FINITE
        if node.tag not in _JSON_SCALARS or not is_finite:
            yield Fault(line, pointer, f"{node.value!r} is not JSON: put it in quotes")
    for token, _, child in _below(node):
        yield from _node_faults(child, (*pointer, token), (*above, node))


def _key_faults(node: yaml.MappingNode, pointer: Pointer) -> Iterator[Fault]:
    first: dict[str, int] = {}
    for key, _ in node.value:
        line = key.start_mark.line + 1
        if key.tag != _TAG + "str":
            yield Fault(line, pointer, f"the key {key.value!r} is not text: put it in quotes")
        elif key.value in first:
            message = f"the key {key.value!r} stands at line {first[key.value]} already"
            yield Fault(line, (*pointer, key.value), message)
        else:
            first[key.value] = line
