"""A YAML file as JSON data that knows its lines: load it, walk it, follow its references."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import unquote

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

Pointer = tuple[str | int, ...]

# The same in C, where PyYAML has it.
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TAG = "tag:yaml.org,2002:"
_JSON_SCALARS = frozenset(_TAG + name for name in ("bool", "float", "int", "null", "str"))
_NOT_FINITE = frozenset({".nan", ".inf", "+.inf", "-.inf"})


@dataclass(frozen=True, order=True)
class Fault:
    """One thing that is wrong with a file, and where.

    Attributes:
        line: The line, counted from 1.
        pointer: The way from the root of the file to the place.
        message: What is wrong.
    """

    line: int
    pointer: Pointer
    message: str


class InvalidFileError(Exception):
    """A file cannot be used.

    Attributes:
        path: The file.
        faults: Everything that is wrong with it, in the order of its lines, none twice. What stands in
            several places by way of an alias is told once.
    """

    def __init__(self, path: Path, faults: Iterable[Fault]) -> None:
        self.path = path
        first = {(fault.line, fault.message): fault for fault in reversed([*faults])}
        self.faults = tuple(first[key] for key in sorted(first))
        super().__init__("\n".join(self._lines()))

    def _lines(self) -> Iterator[str]:
        for fault in self.faults:
            yield f"{self.path}:{fault.line}: {format_pointer(fault.pointer)}: {fault.message}"


@dataclass(frozen=True)
class Document:
    """A YAML file whose root is a mapping and which holds nothing that JSON has not.

    Attributes:
        path: Where it was read.
        text: What it holds, as written.
        content: What it holds, in the order of the file.
        root: The same with its places.
    """

    path: Path
    text: str
    content: dict[str, Any]
    root: yaml.MappingNode

    @property
    def digest(self) -> str:
        """The SHA-256 of the file, in hexadecimal digits."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    def fault(self, pointer: Pointer, message: str) -> Fault:
        """Return a fault at the line of `pointer`, or of the last part of it that exists."""
        line, node = 1, cast("yaml.Node", self.root)
        for token in pointer:
            found = _child(node, token)
            if found is None:
                break
            line, node = found
        return Fault(line, pointer, message)


def load(path: Path) -> Document:
    """Read a YAML file.

    Raises:
        InvalidFileError: It cannot be read, is not YAML, its root is not a mapping, or it holds
            duplicate keys or values that JSON has not.
    """
    text = _read(path)
    root = _compose(path, text)
    if not isinstance(root, yaml.MappingNode):
        raise InvalidFileError(path, [Fault(1, (), f"is {_kind(root)} where a mapping belongs")])
    if faults := list(_node_faults(root, (), ())):
        raise InvalidFileError(path, faults)
    content = yaml.SafeLoader("").construct_document(root)
    return Document(path, text, content, root)


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


def resolve(content: object, reference: str) -> object:
    """Return what a reference such as `#/components/schemas/Order` names.

    Raises:
        LookupError: It names nothing in `content`.
    """
    return at(content, parse_reference(reference))


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


def _read(path: Path) -> str:
    try:
        return path.read_bytes().decode()
    except OSError as error:
        raise InvalidFileError(path, [Fault(1, (), f"cannot be read: {error.strerror}")]) from None
    except UnicodeDecodeError as error:
        raise InvalidFileError(path, [Fault(1, (), f"is not YAML: {error}")]) from None


def _compose(path: Path, text: str) -> yaml.Node | None:
    try:
        return yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        message = "is not YAML: " + ", ".join(filter(None, (error.context, error.problem)))
        raise InvalidFileError(path, [Fault(line, (), message)]) from None
    except yaml.YAMLError as error:
        message = f"is not YAML: {str(error).splitlines()[0]}"
        raise InvalidFileError(path, [Fault(1, (), message)]) from None


def _kind(root: yaml.Node | None) -> str:
    if root is None:
        return "empty"
    return "a list" if isinstance(root, yaml.SequenceNode) else "one plain value"


def _child(node: yaml.Node, token: str | int) -> tuple[int, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == token:
                return key.start_mark.line + 1, value
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            if str(index) == str(token):
                return item.start_mark.line + 1, item
    return None


def _node_faults(node: yaml.Node, pointer: Pointer, above: tuple[yaml.Node, ...]) -> Iterator[Fault]:
    line = node.start_mark.line + 1
    if node in above:
        yield Fault(line, pointer, "an alias leads back to where it stands")
    elif isinstance(node, yaml.MappingNode):
        yield from _key_faults(node, pointer)
        for key, value in node.value:
            yield from _node_faults(value, (*pointer, key.value), (*above, node))
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield from _node_faults(item, (*pointer, index), (*above, node))
    elif node.tag not in _JSON_SCALARS or (node.tag == _TAG + "float" and node.value.lower() in _NOT_FINITE):
        yield Fault(line, pointer, f"{node.value!r} is not JSON: put it in quotes")


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
