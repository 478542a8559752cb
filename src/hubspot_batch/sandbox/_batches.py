"""What a batch comes to: what is to be written, and what is refused (docs/behaviour.md, "Atomicity")."""

from collections.abc import Callable, Iterator, Sequence

import msgspec
from msgspec import Struct

from hubspot_batch.sandbox import _bodies
from hubspot_batch.sandbox._associations import TARGETS
from hubspot_batch.sandbox._bodies import AssociationFault, Json, Refusal
from hubspot_batch.sandbox._properties import Table
from hubspot_batch.sandbox._requests import CreateInput, UpdateInput
from hubspot_batch.sandbox._rules import PropertyFault, faults_of
from hubspot_batch.sandbox._store import StoredRecord

Exists = Callable[[str, str], bool]
Find = Callable[[UpdateInput], Sequence[StoredRecord]]


class CreatePlan(Struct, frozen=True):
    """The inputs to write, and the errors of the others."""

    inputs: Sequence[CreateInput]
    errors: Sequence[Json]


class Change(Struct, frozen=True):
    """A record, and the properties to set."""

    record: StoredRecord
    properties: dict[str, str]


class UpdatePlan(Struct, frozen=True):
    """The changes to write, and the errors of the other inputs."""

    changes: Sequence[Change]
    errors: Sequence[Json]


class _Faults(Struct, frozen=True):
    properties: Sequence[PropertyFault] = ()
    association: AssociationFault | None = None

    def __bool__(self) -> bool:
        return bool(self.properties or self.association)


def plan_creates(
    object_type: str, table: Table, inputs: Sequence[CreateInput], exists: Exists
) -> CreatePlan | Refusal:
    """Judge a create: partial where each input has a trace id of its own, else all or nothing."""
    judged = [(item, _create_faults(object_type, table, item, exists)) for item in inputs]
    bad = [(item, faults) for item, faults in judged if faults]
    if bad and not _are_traced(inputs):
        return _refusal([faults for _, faults in bad])
    good = [item for item, faults in judged if not faults]
    errors = [_error(item.object_write_trace_id or "", faults) for item, faults in bad]
    return CreatePlan(_merged(good) if table.merges else good, errors)


def plan_updates(table: Table, inputs: Sequence[UpdateInput], find: Find) -> UpdatePlan | Refusal:
    """Judge an update: only ids that are not found leave the other inputs alone."""
    if refusal := _bad_lookup(table, inputs):
        return refusal
    found = [find(item) for item in inputs]
    if refusal := _ambiguous(table, inputs, found) or _repeated(inputs, found):
        return refusal
    if faults := [fault for item in inputs for fault in faults_of(table, item.properties, creating=False)]:
        return _bodies.bad_properties(faults)
    pairs = list(zip(inputs, found, strict=True))
    missing = [item.id for item, records in pairs if not records]
    changes = [Change(records[0], item.properties) for item, records in pairs if records]
    return UpdatePlan(changes, [_bodies.not_found_error(table, missing)] if missing else [])


def _create_faults(object_type: str, table: Table, item: CreateInput, exists: Exists) -> _Faults:
    if faults := tuple(faults_of(table, item.properties, creating=True)):
        return _Faults(properties=faults)
    return _Faults(association=next(_association_faults(object_type, item, exists), None))


def _association_faults(object_type: str, item: CreateInput, exists: Exists) -> Iterator[AssociationFault]:
    for link in item.associations:
        for kind in link.types:
            category, number = kind.association_category, kind.association_type_id
            target = TARGETS[object_type].get(number) if category == "HUBSPOT_DEFINED" else None
            if target is None:
                yield AssociationFault(
                    message="one or more associations are not valid: "
                    f"type {number} of {category} does not start at {object_type}"
                )
            elif not exists(target, link.to.id):
                yield AssociationFault(
                    message="one or more associations are not valid: "
                    f"no record of {target} has the id {link.to.id}",
                    target=link.to.id,
                )


def _are_traced(inputs: Sequence[CreateInput]) -> bool:
    traces = [item.object_write_trace_id for item in inputs]
    return None not in traces and len(set(traces)) == len(traces)


def _refusal(bad: Sequence[_Faults]) -> Refusal:
    if properties := [fault for faults in bad for fault in faults.properties]:
        return _bodies.bad_properties(properties)
    return next(_bodies.bad_association(faults.association) for faults in bad if faults.association)


def _error(trace_id: str, faults: _Faults) -> Json:
    if faults.association:
        return _bodies.association_error(trace_id, faults.association)
    return _bodies.property_error(trace_id, faults.properties)


def _merged(inputs: Sequence[CreateInput]) -> Sequence[CreateInput]:
    # Whether a trace id makes inputs differ is not known: that it does not is the harder case for a client.
    unique = {_identity(item): item for item in reversed(inputs)}
    return list(reversed(unique.values()))


def _identity(item: CreateInput) -> bytes:
    return msgspec.json.encode((item.properties, item.associations), order="sorted")


def _bad_lookup(table: Table, inputs: Sequence[UpdateInput]) -> Refusal | None:
    for item in inputs:
        if item.id_property is not None and item.id_property not in table.lookups:
            return _bodies.not_unique(table, item.id_property)
    return None


def _ambiguous(
    table: Table, inputs: Sequence[UpdateInput], found: Sequence[Sequence[StoredRecord]]
) -> Refusal | None:
    for item, records in zip(inputs, found, strict=True):
        if len(records) > 1:
            return _bodies.not_unique(table, item.id_property or "")
    return None


def _repeated(inputs: Sequence[UpdateInput], found: Sequence[Sequence[StoredRecord]]) -> Refusal | None:
    seen: set[tuple[str | None, str]] = set()
    repeated: dict[str, None] = {}
    for item, records in zip(inputs, found, strict=True):
        key = (None, records[0].id) if records else (item.id_property, item.id)
        if key in seen:
            repeated[item.id] = None
        seen.add(key)
    return _bodies.repeated_ids(list(repeated)) if repeated else None
