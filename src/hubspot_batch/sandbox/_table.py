"""What a property is, and what the properties of an object type are."""

from collections.abc import Mapping
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Literal

from msgspec import Struct

Kind = Literal["text", "email", "number", "money", "boolean", "date", "datetime", "enumeration", "owner"]


class Property(Struct, frozen=True):
    """What a property takes.

    Attributes:
        kind: The form of its values. An `email` is text that is stored in lower case; `money` is a number
            that is stored with at least two decimals; an `owner` is the id of a user.
        options: The values that an enumeration has.
        required: Whether a record cannot be created without it.
        unique: Whether no two records may have the same value, so that it fits `idProperty`.
        read_only: Whether a write is refused.
        multiple: Whether an enumeration takes several options, joined by `;`.
    """

    kind: Kind = "text"
    options: tuple[str, ...] = ()
    required: bool = False
    unique: bool = False
    read_only: bool = False
    multiple: bool = False


class Table(Struct, frozen=True, kw_only=True, dict=True):
    """The properties of one object type.

    Attributes:
        type_id: HubSpot's number of the object type.
        label: How error texts name one record of it.
        properties: Those that have a name of their own here.
        read_only: Patterns of further ones that cannot be written.
        form: Those that only the create form of the account requires.
        created: The property in which the server keeps the moment of creation.
    """

    type_id: str
    label: str
    properties: Mapping[str, Property]
    read_only: tuple[str, ...]
    form: frozenset[str] = frozenset()
    created: str = "hs_createdate"

    @cached_property
    def lookups(self) -> tuple[str, ...]:
        """The properties whose values are unique."""
        return tuple(name for name, rule in self.properties.items() if rule.unique)

    @cached_property
    def required(self) -> tuple[str, ...]:
        """The properties that a new record needs."""
        return tuple(name for name, rule in self.properties.items() if rule.required)

    @cached_property
    def required_by_hubspot(self) -> tuple[str, ...]:
        """The same without those that only the create form of the account requires."""
        return tuple(name for name in self.required if name not in self.form)

    def is_read_only(self, name: str) -> bool:
        """Whether a property exists but cannot be written."""
        if rule := self.properties.get(name):
            return rule.read_only
        return any(fnmatchcase(name, pattern) for pattern in self.read_only)
