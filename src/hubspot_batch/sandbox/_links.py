"""Which associations of new records are refused (docs/behaviour.md, "Associations")."""

from collections.abc import Collection, Mapping, Sequence

from hubspot_batch.contract._associations import TARGETS
from hubspot_batch.sandbox._bodies import AssociationFault
from hubspot_batch.sandbox._requests import CreateInput, Link
from hubspot_batch.sandbox._store import Store

_PREFIX = "one or more associations are not valid: "


def link_faults(
    object_type: str, inputs: Sequence[CreateInput], store: Store, *, check_targets: bool
) -> Mapping[int, AssociationFault]:
    """Return the first fault of each input that has one, by its index."""
    linked = {index: item.links for index, item in enumerate(inputs) if item.links}
    if not linked:
        return {}
    targets = [link.to_id for links in linked.values() for link in links]
    existing = store.existing(targets) if check_targets else None
    faults = {index: _first(object_type, links, existing) for index, links in linked.items()}
    return {index: fault for index, fault in faults.items() if fault}


def target_of(object_type: str, link: Link) -> str | None:
    """Return the object type that a link leads to; None where it cannot start at this one."""
    return TARGETS[object_type].get(link.type_id) if link.category == "HUBSPOT_DEFINED" else None


def _first(
    object_type: str, links: Sequence[Link], existing: Collection[tuple[str, str]] | None
) -> AssociationFault | None:
    for link in links:
        target = target_of(object_type, link)
        if target is None:
            return AssociationFault(
                message=f"{_PREFIX}type {link.type_id} of {link.category} does not start at {object_type}"
            )
        if existing is not None and (target, link.to_id) not in existing:
            return AssociationFault(
                message=f"{_PREFIX}no record of {target} has the id {link.to_id}", target=link.to_id
            )
    return None
