"""What a batch comes to: what is to be written, and what is refused (docs/behaviour.md, "Atomicity")."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

import msgspec
from msgspec import Struct

from hubspot_batch.contract._operations import versions
from hubspot_batch.sandbox import _bodies
from hubspot_batch.sandbox._behaviour import Behaviour
from hubspot_batch.sandbox._bodies import (
    AssociationFault,
    Json,
    Refusal,
    TakenValue,
    TakenValueForm,
    taken_value_forms,
)
from hubspot_batch.sandbox._links import link_faults
from hubspot_batch.sandbox._requests import CreateInput, UpdateInput
from hubspot_batch.sandbox._rules import PropertyFault, faults_of
from hubspot_batch.sandbox._store import Store, StoredRecord
from hubspot_batch.sandbox._table import Table
from hubspot_batch.sandbox._values import settled

Input: TypeAlias = CreateInput | UpdateInput
_Faults: TypeAlias = Sequence[PropertyFault] | AssociationFault


class Setting(Struct, frozen=True, kw_only=True):
    """What a batch is judged by.

    Attributes:
        store: The records of the account.
        object_type: What the batch is about.
        table: The properties of that object type.
        behaviour: How the account behaves where facts are missing.
        version: The version of the API.
        portal: The id of the account.
        refusals: How many values were refused so far that another record has.
    """

    store: Store
    object_type: str
    table: Table
    behaviour: Behaviour
    version: str
    portal: int
    refusals: Iterator[int]


class Draft(Struct, frozen=True):
    """An input, the record that it changes, if any, and the properties to write."""

    input: Input
    record: StoredRecord | None
    properties: Mapping[str, str | None]


class Plan(Struct, frozen=True):
    """What is to be written, and the errors of the other inputs."""

    drafts: Sequence[Draft]
    errors: Sequence[Json]


def plan_creates(setting: Setting, inputs: Sequence[CreateInput]) -> Plan | Refusal:
    """Judge a create: partial where each input has a trace id of its own, else all or nothing."""
    bad = _bad_creates(setting, inputs)
    traced = _are_traced(inputs)
    if bad and not traced:
        return _refusal(setting, bad.values())
    good = {index: item for index, item in enumerate(inputs) if index not in bad}
    drafts = {index: _draft(setting, item, None) for index, item in _merged(setting, good).items()}
    errors = {index: _error(setting, inputs[index], faults) for index, faults in bad.items()}
    return _settle_conflicts(setting, drafts, errors, traced=traced)


def plan_updates(setting: Setting, inputs: Sequence[UpdateInput]) -> Plan | Refusal:
    """Judge an update: ids that are not found leave the other inputs alone, bad properties do not."""
    if refusal := _bad_lookup(setting, inputs):
        return refusal
    found = _found(setting, inputs)
    if refusal := _repeated(inputs, found):
        return refusal
    bad = _bad_updates(setting, inputs)
    traced = _are_traced(inputs)
    if bad and not (traced and setting.behaviour.partial_update_with_trace_ids):
        return _refusal(setting, bad.values())
    errors = {index: _error(setting, inputs[index], faults) for index, faults in bad.items()}
    good = {index: item for index, item in enumerate(inputs) if index not in bad}
    if missing := [item.id for index, item in good.items() if _is_missed(setting, item, found[index])]:
        errors[len(inputs)] = _bodies.not_found_error(setting.table, missing)
    drafts = {index: _draft(setting, item, found[index]) for index, item in good.items() if found[index]}
    return _settle_conflicts(setting, drafts, errors, traced=traced)


def _bad_creates(setting: Setting, inputs: Sequence[CreateInput]) -> dict[int, _Faults]:
    table, behaviour = setting.table, setting.behaviour
    form = behaviour.form_in_all_versions or versions()[setting.version].enforces_forms
    needed = table.required if form else table.required_by_hubspot
    bad: dict[int, _Faults] = {
        **link_faults(setting.object_type, inputs, setting.store, check_targets=behaviour.check_targets)
    }
    for index, item in enumerate(inputs):
        if faults := tuple(faults_of(table, item.properties, needed, creating=True)):
            bad[index] = faults
    return dict(sorted(bad.items()))


def _bad_updates(setting: Setting, inputs: Sequence[UpdateInput]) -> dict[int, _Faults]:
    table = setting.table
    needed = table.required_by_hubspot
    judged = (tuple(faults_of(table, item.properties, needed, creating=False)) for item in inputs)
    return {index: faults for index, faults in enumerate(judged) if faults}


def _draft(setting: Setting, item: Input, record: StoredRecord | None) -> Draft:
    before = record.properties if record else {}
    normalise = setting.behaviour.normalise_values
    return Draft(item, record, settled(setting.table, before, item.properties, normalise=normalise))


def _settle_conflicts(
    setting: Setting, drafts: dict[int, Draft], errors: dict[int, Json], *, traced: bool
) -> Plan | Refusal:
    """Leave out the drafts with a value that another record has, which has to be unique."""
    table = setting.table
    conflicts = _conflicts(setting, drafts)
    if conflicts and not traced:
        taken = next(iter(conflicts.values()))
        return _bodies.taken_value(_form(setting, taken), table, taken, setting.portal)
    for index, taken in conflicts.items():
        trace_id = drafts.pop(index).input.trace_id or ""
        form = _form(setting, taken)
        errors[index] = _bodies.taken_value_error(form, table, taken, trace_id, setting.portal)
    return Plan(list(drafts.values()), [errors[index] for index in sorted(errors)])


def _form(setting: Setting, taken: TakenValue) -> TakenValueForm:
    """Return the form in which the next value is refused: it names a record only where there is one."""
    names = setting.behaviour.taken_values
    known = [form for form in taken_value_forms() if form.name in names or not names]
    if taken.existing is None:
        known = [form for form in known if form.existing is None] or [
            form for form in taken_value_forms() if form.existing is None
        ]
    return known[next(setting.refusals) % len(known)]


def _conflicts(setting: Setting, drafts: Mapping[int, Draft]) -> dict[int, TakenValue]:
    """Return the drafts at fault, with what is taken."""
    owners: dict[tuple[str, str], str] = {}
    for name in setting.table.lookups:
        values = [value for draft in drafts.values() if (value := draft.properties.get(name))]
        records = setting.store.find(setting.object_type, name, values)
        owners |= {(name, value): record.id for value, record in records.items()}
    conflicts: dict[int, TakenValue] = {}
    claimed: set[tuple[str, str]] = set()
    for index, draft in drafts.items():
        own = draft.record.id if draft.record else None
        keys = [(name, value) for name in setting.table.lookups if (value := draft.properties.get(name))]
        taken = [key for key in keys if key in claimed or owners.get(key, own) != own]
        if taken:
            name, value = taken[0]
            conflicts[index] = TakenValue(
                property=name,
                value=value,
                existing=owners.get(taken[0]),
                new=own or setting.store.next_id(),
            )
        else:
            claimed.update(keys)
    return conflicts


def _are_traced(inputs: Sequence[Input]) -> bool:
    traces = {item.trace_id for item in inputs}
    return None not in traces and len(traces) == len(inputs)


def _refusal(setting: Setting, bad: Iterable[_Faults]) -> Refusal:
    properties: list[PropertyFault] = []
    associations: list[AssociationFault] = []
    for faults in bad:
        if isinstance(faults, AssociationFault):
            associations.append(faults)
        else:
            properties += faults
    if properties:
        return _bodies.bad_properties(properties, setting.portal)
    return _bodies.bad_association(associations[0])


def _error(setting: Setting, item: Input, faults: _Faults) -> Json:
    trace_id = item.trace_id or ""
    if isinstance(faults, AssociationFault):
        return _bodies.association_error(trace_id, faults)
    return _bodies.property_error(trace_id, faults, setting.portal)


def _merged(setting: Setting, inputs: dict[int, CreateInput]) -> dict[int, CreateInput]:
    if setting.object_type not in setting.behaviour.merge_identical:
        return inputs
    distinct: dict[bytes, int] = {}
    for index, item in inputs.items():
        trace_id = item.trace_id if setting.behaviour.trace_id_distinguishes else None
        identity = msgspec.json.encode((item.properties, item.links, trace_id), order="sorted")
        distinct.setdefault(identity, index)
    return {index: inputs[index] for index in distinct.values()}


def _bad_lookup(setting: Setting, inputs: Sequence[UpdateInput]) -> Refusal | None:
    for item in inputs:
        if item.id_property is not None and item.id_property not in setting.table.lookups:
            return _bodies.not_unique(setting.table, item.id_property, setting.portal)
    return None


def _found(setting: Setting, inputs: Sequence[UpdateInput]) -> list[StoredRecord | None]:
    wanted: dict[str | None, list[str]] = {}
    for item in inputs:
        wanted.setdefault(item.id_property, []).append(item.id)
    found = {
        name: setting.store.get(setting.object_type, ids)
        if name is None
        else setting.store.find(setting.object_type, name, ids)
        for name, ids in wanted.items()
    }
    return [found[item.id_property].get(item.id) for item in inputs]


def _is_missed(setting: Setting, item: UpdateInput, record: StoredRecord | None) -> bool:
    """Whether an input is to be told among those that were not found."""
    if record is not None:
        return False
    is_number = item.id.isascii() and item.id.isdigit()
    return not setting.behaviour.silent_unknown_ids or is_number or item.id_property is not None


def _repeated(inputs: Sequence[UpdateInput], found: Sequence[StoredRecord | None]) -> Refusal | None:
    seen: set[tuple[str | None, str]] = set()
    repeated: dict[str, None] = {}
    for item, record in zip(inputs, found, strict=True):
        key = (None, record.id) if record else (item.id_property, item.id)
        if key in seen:
            repeated[item.id] = None
        seen.add(key)
    return _bodies.repeated_ids(list(repeated)) if repeated else None
