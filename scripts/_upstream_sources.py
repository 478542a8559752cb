"""HubSpot's published documents: read them from files, folders and addresses, and name the places in them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import httpx
import yaml
from _document import Document, Pointer, at, format_pointer, parse_reference
from _upstream_yaml import finite, parse_yaml

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

LARGEST = 32 * 1024 * 1024
_SUFFIXES = frozenset({".json", ".yaml", ".yml"})
_TIMEOUT = 30.0


class UnusableError(Exception):
    """A document cannot be used; the text says which, where in it, and why."""

    def __init__(self, name: str, message: str, line: int = 1, pointer: Pointer = ()) -> None:
        super().__init__(f"{name}:{line}: {format_pointer(pointer)}: {message}")


class ForeignError(Exception):
    """A file is sound, but it is no OpenAPI 3 document."""


@dataclass(frozen=True)
class Source:
    """An OpenAPI document.

    Attributes:
        name: Where it came from.
        text: What it holds, as written.
        content: The same as JSON data.
    """

    name: str
    text: str = field(repr=False)
    content: dict[str, Any] = field(repr=False)

    @property
    def is_3_0(self) -> bool:
        """Whether the rules of OpenAPI 3.0 hold, by which nothing beside a `$ref` counts."""
        return str(self.content["openapi"]).startswith("3.0")

    def fail(self, pointer: Pointer, message: str) -> NoReturn:
        """Raise an error that names a place by its line and its pointer.

        Raises:
            UnusableError: Always.
        """
        raise UnusableError(self.name, message, self._line(pointer), pointer)

    def mapping(self, value: object, pointer: Pointer) -> dict[str, Any]:
        """Return a mapping; an empty one for null, which HubSpot writes for what is absent."""
        if value is None:
            return {}
        if not isinstance(value, dict):
            self.fail(pointer, f"is {kind(value)} where a mapping belongs")
        return value

    def sequence(self, value: object, pointer: Pointer) -> list[Any]:
        """Return a list; an empty one for null."""
        if value is None:
            return []
        if not isinstance(value, list):
            self.fail(pointer, f"is {kind(value)} where a list belongs")
        return value

    def texts(self, value: object, pointer: Pointer) -> list[str]:
        """Return a list of texts; an empty one for null."""
        found = self.sequence(value, pointer)
        for index, item in enumerate(found):
            if not isinstance(item, str):
                self.fail((*pointer, index), f"is {kind(item)} where a text belongs")
        return found

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

    def _line(self, pointer: Pointer) -> int:
        if self._root is None:
            return 1
        return Document(Path(self.name), "", self.content, self._root).fault(pointer, "").line

    @cached_property
    def _root(self) -> yaml.MappingNode | None:
        """The places of the document; None where it is JSON in a form that is no YAML."""
        try:
            root = yaml.compose(self.text, Loader=yaml.SafeLoader)
        except (yaml.YAMLError, RecursionError):
            return None
        return root if isinstance(root, yaml.MappingNode) else None


@dataclass
class Reading:
    """What was found at the arguments of the command line.

    Attributes:
        sources: The OpenAPI documents, each with the argument that named it.
        notes: What was passed over.
        errors: What cannot be used.
    """

    sources: list[tuple[str, Source]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


def read_all(arguments: Iterable[str]) -> Reading:
    """Read files, folders and addresses. In folders, what is no OpenAPI document is passed over."""
    reading = Reading()
    for argument in arguments:
        is_folder = not _is_address(argument) and Path(argument).is_dir()
        names = _files(Path(argument)) if is_folder else [argument]
        for name in names:
            _read_one(reading, argument, name, is_folder=is_folder)
    return reading


def parse(name: str, raw: bytes) -> Source:
    """Return the OpenAPI document that some bytes are.

    Raises:
        ForeignError: They are no OpenAPI 3 document.
        UnusableError: They are neither JSON nor YAML.
    """
    if b"openapi" not in raw:
        raise ForeignError("is no OpenAPI document")
    if len(raw) > LARGEST:
        raise UnusableError(name, f"is larger than {LARGEST} bytes")
    text, content = _parsed(name, raw)
    if not isinstance(content, dict) or "openapi" not in content:
        raise ForeignError("is no OpenAPI document")
    if not str(content["openapi"]).startswith("3."):
        raise ForeignError(f"is OpenAPI {content['openapi']!r} where 3.0 or 3.1 belongs")
    return Source(name, text, content)


def kind(value: object) -> str:
    """Return what JSON calls a value, with its article."""
    names = {dict: "a mapping", list: "a list", str: "a text", bool: "a boolean", type(None): "null"}
    return names.get(type(value), "a number")


def _read_one(reading: Reading, argument: str, name: str, *, is_folder: bool) -> None:
    try:
        reading.sources.append((argument, parse(name, _bytes(name))))
    except UnusableError as error:
        reading.errors.append(str(error))
    except ForeignError as error:
        where, message = (reading.notes, "passed over") if is_folder else (reading.errors, "cannot be used")
        where.append(f"{name}:1: {message}: {error}")


def _is_address(argument: str) -> bool:
    return argument.startswith(("http://", "https://"))


def _files(folder: Path) -> Iterator[str]:
    for path in sorted(folder.rglob("*")):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if path.suffix.lower() in _SUFFIXES and not hidden and path.is_file():
            yield str(path)


def _bytes(name: str) -> bytes:
    if _is_address(name):
        return _fetch(name)
    try:
        return Path(name).read_bytes()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise UnusableError(name, f"cannot be read: {reason}") from None


def _fetch(url: str) -> bytes:
    try:
        with httpx.stream("GET", url, follow_redirects=True, timeout=_TIMEOUT) as response:
            if not response.is_success:
                raise UnusableError(url, f"cannot be fetched: HTTP {response.status_code}")
            raw = bytearray()
            for chunk in response.iter_bytes():
                raw += chunk
                if len(raw) > LARGEST:
                    break
            return bytes(raw)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        reason = str(error) or type(error).__name__
        raise UnusableError(url, f"cannot be fetched: {reason}") from None


def _parsed(name: str, raw: bytes) -> tuple[str, object]:
    try:
        text = raw.decode("utf-8-sig")
        is_yaml = name.lower().endswith((".yaml", ".yml")) or not text.lstrip().startswith(("{", "["))
        return text, parse_yaml(text) if is_yaml else _json(text)
    except RecursionError:
        raise UnusableError(name, "is nested too deep") from None
    except json.JSONDecodeError as error:
        raise UnusableError(name, f"is not JSON: {error.msg}", error.lineno) from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        problem = ", ".join(filter(None, (error.context, error.problem)))
        raise UnusableError(name, f"is not YAML: {problem}", line) from None
    except (yaml.YAMLError, ValueError) as error:
        raise UnusableError(name, f"is neither JSON nor YAML: {str(error).splitlines()[0]}") from None


def _json(text: str) -> object:
    content: object = json.loads(text, parse_constant=finite, parse_float=finite)
    return content
