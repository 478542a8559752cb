"""An OpenAPI document from any source: looks up places in it, with errors that name them."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NoReturn

import yaml
from _document import Document, Pointer, at, format_pointer, parse_reference


class UnusableError(Exception):
    """A document cannot be used; the text says which, where in it, and why."""

    def __init__(self, name: str, message: str, line: int = 1, pointer: Pointer = ()) -> None:
        super().__init__(f"{name}:{line}: {format_pointer(pointer)}: {message}")


@dataclass(frozen=True, eq=False)
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

    @classmethod
    def of(cls, document: Document) -> Source:
        """Return a document that was loaded with all its checks."""
        return cls(str(document.path), document.text, document.content)

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

    def _line(self, pointer: Pointer) -> int:
        if self._root is None:
            return 1
        return Document(Path(self.name), "", self.content, self._root).fault(pointer, "").line

    @cached_property
    def _root(self) -> yaml.MappingNode | None:
        """The places of the document; None if it is JSON in a form that YAML does not have."""
        try:
            root = yaml.compose(self.text, Loader=yaml.SafeLoader)
        except (yaml.YAMLError, RecursionError):
            return None
        return root if isinstance(root, yaml.MappingNode) else None


def kind(value: object) -> str:
    """Return what JSON calls a value, with its article."""
    names = {dict: "a mapping", list: "a list", str: "a text", bool: "a boolean", type(None): "null"}
    return names.get(type(value), "a number")
