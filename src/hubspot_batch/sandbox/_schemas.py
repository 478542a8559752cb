"""Properties, and the object types that have them."""

from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Literal, TypeAlias

from msgspec import Struct

Kind = Literal["text", "email", "number", "money", "boolean", "date", "datetime", "enumeration", "owner"]
Values: TypeAlias = Mapping[str, str | None]
"""What a record stores: a value by property, None where the property was cleared."""


class Property(Struct, frozen=True):
    """The values that a property accepts.

    Attributes:
        kind: The format of its values. An `email` is text that is stored in lower case; `money` is a number
            that is stored with at least two decimals; an `owner` is the id of a user.
        options: The values of an enumeration.
        required: Whether a record cannot be created without it.
        unique: Whether each value belongs to one record at most, so that it fits `idProperty`.
        read_only: Whether a write is refused.
        multiple: Whether an enumeration accepts several options, joined by `;`.
        minimum: The smallest number; None for any.
        labels: What people call the options, in their order; empty if that is their values.
    """

    kind: Kind = "text"
    options: tuple[str, ...] = ()
    required: bool = False
    unique: bool = False
    read_only: bool = False
    multiple: bool = False
    minimum: int | None = None
    labels: tuple[str, ...] = ()


def _nothing(_stored: Values) -> Values:
    return {}


class ObjectSchema(Struct, frozen=True, kw_only=True, dict=True):
    """One object type.

    Attributes:
        name: Its plural name, `orders`.
        singular: Its singular name, which paths may use, too.
        type_id: Its object type id, which paths may use, too.
        scope: Its part of a scope: `crm.objects.{scope}.read`.
        title: The property that names a record.
        properties: Its properties by name.
        read_only: Patterns of further properties that cannot be written.
        custom: The names of the properties that the account has defined.
        form: Those that only the create form of the account requires.
        defaults: The properties that are returned where none are named, beside the id and the times.
        created: The property in which the server keeps the time of creation.
        modified: The property in which it keeps the time of the last change.
        compute: Returns the properties that the server computes from those that are stored.
    """

    name: str
    singular: str
    type_id: str
    scope: str
    title: str
    properties: Mapping[str, Property]
    read_only: tuple[str, ...] = ()
    custom: frozenset[str] = frozenset()
    form: frozenset[str] = frozenset()
    defaults: tuple[str, ...] = ()
    created: str = "hs_createdate"
    modified: str = "hs_lastmodifieddate"
    compute: Callable[[Values], Values] = _nothing

    @property
    def label(self) -> str:
        """How error messages name a record of this type."""
        return self.singular.upper()

    @cached_property
    def unique(self) -> tuple[str, ...]:
        """The properties whose values are unique."""
        return tuple(name for name, rule in self.properties.items() if rule.unique)

    @cached_property
    def required(self) -> tuple[str, ...]:
        """The properties that a new record needs."""
        return tuple(name for name, rule in self.properties.items() if rule.required)

    @cached_property
    def required_by_hubspot(self) -> tuple[str, ...]:
        """The properties that a new record needs in every account."""
        return tuple(name for name in self.required if name not in self.form)

    def is_read_only(self, name: str) -> bool:
        """Return whether a property exists but cannot be written."""
        if rule := self.properties.get(name):
            return rule.read_only
        return any(fnmatchcase(name, pattern) for pattern in self.read_only)

    def computed(self, stored: Values) -> dict[str, str | None]:
        """Return the properties that the server computes, unless the record stores them."""
        return {name: stored.get(name) or value for name, value in self.compute(stored).items()}
