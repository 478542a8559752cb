"""Association types, and which associations are refused (docs/behaviour.md, "Associations")."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from types import MappingProxyType

from msgspec import Struct

from hubspot_batch.contract._associations import TARGETS
from hubspot_batch.sandbox._store import Store, StoredAssociation

_PREFIX = "one or more associations are not valid: "
_BY_HUBSPOT = "HUBSPOT_DEFINED"

_FROM_TARGETS: Mapping[str, Mapping[int, str]] = {
    "contacts": {
        508: "orders",
        587: "carts",
        388: "commerce_payments",
        279: "companies",
        1: "companies",
        4: "deals",
    },
    "companies": {935: "orders", 510: "orders", 390: "commerce_payments", 280: "contacts", 342: "deals"},
    "deals": {
        511: "orders",
        19: "line_items",
        392: "commerce_payments",
        1346: "carts",
        3: "contacts",
        341: "companies",
    },
}
ASSOCIATION_TYPES: Mapping[str, Mapping[int, str]] = MappingProxyType({**TARGETS, **_FROM_TARGETS})
"""For each object type: the association types that HubSpot defines, and where each leads to."""

_PAIRS = (
    *((507, 508), (934, 935), (509, 510), (512, 511), (513, 514), (593, 592), (523, 524)),
    *((586, 587), (1347, 1346), (590, 591)),
    *((387, 388), (389, 390), (391, 392), (395, 396)),
    *((20, 19), (279, 280), (4, 3), (342, 341)),
)
_INVERSES: Mapping[int, int] = {**dict(_PAIRS), **{second: first for first, second in _PAIRS}}


class Link(Struct, frozen=True):
    """An association that an input asks for.

    Attributes:
        category: Who has defined the association type.
        type_id: The association type id.
        to_id: The record that it leads to.
    """

    category: str
    type_id: int
    to_id: str


class AssociationError(Struct, frozen=True, kw_only=True):
    """Why an association is refused.

    Attributes:
        message: The reason for people.
        record: The id of the record that does not exist; None if the association type is wrong.
        side: Which of the two records that is.
    """

    message: str
    record: str | None = None
    side: str = "TO"


def target_of(object_type: str, link: Link) -> str | None:
    """Return the object type that a link leads to; None if it cannot start at this object type."""
    return ASSOCIATION_TYPES.get(object_type, {}).get(link.type_id) if link.category == _BY_HUBSPOT else None


def link_errors(
    object_type: str, inputs: Mapping[int, Sequence[Link]], store: Store, *, check_targets: bool
) -> Mapping[int, AssociationError]:
    """Return the first error of each input that has one, by its index.

    Args:
        object_type: The object type of the new records.
        inputs: The links of each input.
        store: The records of the account.
        check_targets: Whether a target that does not exist is an error.
    """
    linked = {index: links for index, links in inputs.items() if links}
    if not linked:
        return {}
    targets = [link.to_id for links in linked.values() for link in links]
    existing = store.existing(targets) if check_targets else None
    errors = {index: _first(object_type, links, existing) for index, links in linked.items()}
    return {index: error for index, error in errors.items() if error}


def association_of(object_type: str, link: Link) -> StoredAssociation:
    """Return a valid link as it is stored."""
    return StoredAssociation(
        to_type=target_of(object_type, link) or "",
        to_id=link.to_id,
        category=link.category,
        type_id=link.type_id,
    )


def both_sides(
    object_type: str, record_id: str, links: Iterable[Link]
) -> Iterable[tuple[str, StoredAssociation]]:
    """Yield the valid links of a record as they are stored: of either record, with its id."""
    for link in links:
        association = association_of(object_type, link)
        yield record_id, association
        type_id = _INVERSES.get(association.type_id)
        # It is not known of each association type what it is called on the other side.
        if type_id is not None and association.category == _BY_HUBSPOT:
            yield (
                association.to_id,
                StoredAssociation(
                    to_type=object_type, to_id=record_id, category=association.category, type_id=type_id
                ),
            )


def wrong_type(object_type: str, link: Link) -> AssociationError:
    """Return the error of a link whose type does not lead from here to where it should."""
    message = f"{_PREFIX}type {link.type_id} of {link.category} does not start at {object_type}"
    return AssociationError(message=message)


def no_record(object_type: str, record_id: str, side: str = "TO") -> AssociationError:
    """Return the error of a link whose record does not exist."""
    message = f"{_PREFIX}no record of {object_type} has the id {record_id}"
    return AssociationError(message=message, record=record_id, side=side)


def _first(
    object_type: str, links: Sequence[Link], existing: Collection[tuple[str, str]] | None
) -> AssociationError | None:
    for link in links:
        target = target_of(object_type, link)
        if target is None:
            return wrong_type(object_type, link)
        if existing is not None and (target, link.to_id) not in existing:
            return no_record(target, link.to_id)
    return None
