"""What commands do with the rows of a file: one table of verbs, and one `Job` for each command."""

from collections.abc import Mapping, Sequence
from typing import cast

import msgspec
from msgspec import Struct

from hubspot_batch import contract
from hubspot_batch.contract import Operation
from hubspot_batch.types import OperationId

# Object types whose records are read by one operation, and not written.
_READ_ONLY: OperationId = "read_objects"
_LINKS: OperationId = "create_associations"


class _Verb(Struct, frozen=True, kw_only=True):
    """How a verb is put into words.

    Attributes:
        done: What became of the rows that are done.
        not_done: What did not become of the others.
        action: What outcomes call it; None if a row can end in more than one way.
        notice: What to say before it begins; `{}` are the records.
        has_properties: Whether the columns of a row become properties.
    """

    done: str
    not_done: str
    action: str | None = None
    notice: str | None = None
    has_properties: bool = False

    @property
    def actions(self) -> frozenset[str]:
        """The actions of outcomes that `done` describes."""
        return frozenset({"created", "updated"} if self.action is None else {self.action})


_VERBS: Mapping[str, _Verb] = {
    "create": _Verb(done="created", not_done="written", action="created", has_properties=True),
    "update": _Verb(done="updated", not_done="written", action="updated", has_properties=True),
    "upsert": _Verb(done="upserted", not_done="written", has_properties=True),
    "read": _Verb(done="read", not_done="read", action="read"),
    "archive": _Verb(
        done="archived",
        not_done="archived",
        action="archived",
        notice="The {} go into the recycle bin of HubSpot, which does not tell of ids that no record has",
    ),
    "associate": _Verb(done="linked", not_done="linked", action="created"),
}


class Job(Struct, frozen=True, kw_only=True):
    """What a command does with each row of its file.

    Attributes:
        verb: The name of the command.
        object_types: The object type, or the two that are linked.
        request: Keywords of the method that does it, beside those of every run.
        compares: Whether rows are compared with what was last sent, whichever file they came from.
    """

    verb: str
    object_types: tuple[str, ...]
    request: Mapping[str, object] = {}
    compares: bool = False

    @property
    def operation_id(self) -> OperationId:
        """The id of the operation that takes the rows."""
        return _LINKS if self.verb == "associate" else operation_id(self.verb, self.object_types[0])

    @property
    def operation(self) -> Operation:
        """The operation that takes the rows."""
        return contract.operation(self.operation_id)

    @property
    def words(self) -> _Verb:
        """How its verb is put into words."""
        return _VERBS[self.verb]

    @property
    def place(self) -> tuple[str, str, Sequence[object]]:
        """The namespace of a client, the method, and the arguments that come before the rows."""
        if self.verb == "associate":
            return "associations", "stream_create", self.object_types
        return self.object_types[0], f"stream_{self.verb}", ()

    @property
    def rows(self) -> str:
        """What the rows are about: `line items`, `pairs of line items and orders`."""
        names = [name.replace("_", " ") for name in self.object_types]
        return names[0] if len(names) == 1 else f"pairs of {' and '.join(names)}"

    @property
    def title(self) -> str:
        """What it does: `create line items`, `associate line items with orders`."""
        return f"{self.verb} {' with '.join(self.object_types)}".replace("_", " ")

    @property
    def name(self) -> str:
        """Its name within those of its runs."""
        return "-".join([self.verb, *self.object_types]).replace("_", "-")

    @property
    def identity(self) -> str:
        """What it asks for as text: a run with another one is not continued."""
        return msgspec.json.encode(self.request, order="deterministic").decode() if self.request else ""

    @property
    def notice(self) -> str | None:
        """What to say before it begins."""
        notice = self.words.notice
        return None if notice is None else notice.format(self.rows)

    @property
    def starts_afresh(self) -> bool:
        """Whether it begins anew once it is finished: what is read, or was sent, may have changed."""
        return self.verb == "read" or self.compares


def operation_id(verb: str, object_type: str) -> OperationId:
    """Return the id of the operation that does something with the records of an object type."""
    if verb == "read" and object_type in read_only_types():
        return _READ_ONLY
    # What is not an operation is refused where it is looked up.
    return cast("OperationId", f"{verb}_{object_type}")


def read_only_types() -> Sequence[str]:
    """Return the object types that can be read only."""
    return contract.operation(_READ_ONLY).choices("objectType")


def object_types(verb: str | None = None) -> Sequence[str]:
    """Return the object types for which there is a command; without a verb, what operations are about."""
    if verb == "associate":
        return contract.operation(_LINKS).choices("fromObjectType")
    known = contract.operations().values()
    if verb is None:
        return list(dict.fromkeys([*(each.object_type for each in known), *read_only_types()]))
    written = [each.object_type for each in known if each.verb == verb and not each.path_parameters]
    return [*written, *read_only_types()] if verb == "read" else written
