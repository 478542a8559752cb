"""Judges a batch: what is written, and what is refused (docs/behaviour.md, "Atomicity")."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

import msgspec
from msgspec import Struct

from hubspot_batch.contract._operations import versions
from hubspot_batch.sandbox import _bodies
from hubspot_batch.sandbox._associations import AssociationError, link_errors
from hubspot_batch.sandbox._behaviour import Behaviour
from hubspot_batch.sandbox._bodies import Json, Refusal, TakenValue, TakenValueForm, taken_value_forms
from hubspot_batch.sandbox._requests import WriteInput
from hubspot_batch.sandbox._schemas import ObjectSchema, Values
from hubspot_batch.sandbox._store import Store, StoredRecord
from hubspot_batch.sandbox._values import PropertyError, lookup_value, property_errors, stored_values

_Errors: TypeAlias = Sequence[PropertyError] | AssociationError


class BatchContext(Struct, frozen=True, kw_only=True):
    """What a batch is judged by.

    Attributes:
        store: The records of the account.
        schema: The object type of the batch.
        behaviour: How the account behaves where facts are missing.
        version: The version of the API.
        portal: The id of the account.
        refusals: A counter of the values that were refused because another record has them.
        now: Seconds since 1970.
    """

    store: Store
    schema: ObjectSchema
    behaviour: Behaviour
    version: str
    portal: int
    refusals: Iterator[int]
    now: float

    def find(
        self, id_property: str | None, ids: Iterable[str], *, archived: bool = False, now: float = math.inf
    ) -> dict[str, StoredRecord]:
        """Return the records of these ids, or values of a unique property, by the id or value."""
        name = self.schema.name
        if id_property is None:
            return self.store.get(name, ids, archived=archived)
        normalise = self.behaviour.normalise_values
        forms = {text: lookup_value(self.schema, id_property, text, normalise=normalise) for text in ids}
        found = self.store.find(name, id_property, forms.values(), archived=archived, now=now)
        return {text: found[form] for text, form in forms.items() if form in found}

    def bad_lookup(self, id_property: str | None, act: str) -> Refusal | None:
        """Return why records cannot be found by a property, or None."""
        if id_property is None or id_property in self.schema.unique:
            return None
        return _bodies.not_unique(self.schema, id_property, self.portal, act)


class Draft(Struct, frozen=True):
    """An input, the record that it changes (None for a new one), and the properties to write."""

    input: WriteInput
    record: StoredRecord | None
    properties: Values


class Plan(Struct, frozen=True):
    """What is to be written, and the errors of the other inputs."""

    drafts: Sequence[Draft]
    errors: Sequence[Json]


def plan_creates(context: BatchContext, inputs: Sequence[WriteInput]) -> Plan | Refusal:
    """Judge a create: partial where each input has a trace id of its own, else all or nothing."""
    bad = _bad_creates(context, inputs)
    traced = _are_traced(inputs)
    if bad and not traced:
        return _refusal(context, bad.values())
    good = {index: item for index, item in enumerate(inputs) if index not in bad}
    drafts = {index: _draft(context, item, None) for index, item in _merged(context, good).items()}
    errors = {index: _error(context, inputs[index], found) for index, found in bad.items()}
    return _without_conflicts(context, drafts, errors, traced=traced)


def plan_updates(context: BatchContext, inputs: Sequence[WriteInput]) -> Plan | Refusal:
    """Judge an update: an id that is not found leaves the other inputs alone, a bad property does not."""
    if refusal := _bad_lookup(context, inputs):
        return refusal
    found = _found(context, inputs, now=context.now)
    if refusal := _repeated(inputs, found) or _without_properties(inputs):
        return refusal
    bad = _bad_changes(context, inputs, found)
    traced = _are_traced(inputs)
    if bad and not (traced and context.behaviour.partial_update_with_trace_ids):
        return _refusal(context, bad.values())
    errors = {index: _error(context, inputs[index], problems) for index, problems in bad.items()}
    good = {index: item for index, item in enumerate(inputs) if index not in bad}
    if missing := [item.id for index, item in good.items() if _is_missed(context, item, found[index])]:
        errors[len(inputs)] = _bodies.not_found_error(context.schema, missing)
    drafts = {index: _draft(context, item, found[index]) for index, item in good.items() if found[index]}
    return _without_conflicts(context, drafts, errors, traced=traced)


def plan_upserts(context: BatchContext, inputs: Sequence[WriteInput]) -> Plan | Refusal:
    """Judge an upsert: partial where each input has a trace id of its own, else all or nothing."""
    if refusal := _bad_lookup(context, inputs, default="hs_object_id"):
        return refusal
    keyed = [
        msgspec.structs.replace(item, properties={str(item.id_property): item.id, **item.properties})
        for item in inputs
    ]
    found = _found(context, inputs)
    if refusal := _repeated(inputs, found):
        return refusal
    bad = _bad_changes(context, keyed, found, upsert=True)
    bad |= {index: _no_key(item) for index, item in enumerate(inputs) if not item.id}
    traced = _are_traced(inputs)
    if bad and not traced:
        return _refusal(context, bad.values())
    errors = {index: _error(context, inputs[index], problems) for index, problems in bad.items()}
    drafts = {
        index: _draft(context, item, found[index]) for index, item in enumerate(keyed) if index not in bad
    }
    return _without_conflicts(context, drafts, errors, traced=traced)


def _bad_creates(context: BatchContext, inputs: Sequence[WriteInput]) -> dict[int, _Errors]:
    schema, links = context.schema, {index: item.links for index, item in enumerate(inputs)}
    bad: dict[int, _Errors] = {
        **link_errors(schema.name, links, context.store, check_targets=context.behaviour.check_targets)
    }
    needed = _required(context, creating=True)
    for index, item in enumerate(inputs):
        if errors := tuple(property_errors(schema, item.properties, needed, creating=True)):
            bad[index] = errors
    return dict(sorted(bad.items()))


def _bad_changes(
    context: BatchContext,
    inputs: Sequence[WriteInput],
    found: Sequence[StoredRecord | None],
    *,
    upsert: bool = False,
) -> dict[int, _Errors]:
    """Return the errors of inputs that change a record, or create one in an upsert."""
    bad: dict[int, _Errors] = {}
    for index, (item, record) in enumerate(zip(inputs, found, strict=True)):
        creating = upsert and record is None
        needed = _required(context, creating=creating)
        if errors := tuple(property_errors(context.schema, item.properties, needed, creating=creating)):
            bad[index] = errors
    return bad


def _required(context: BatchContext, *, creating: bool) -> Sequence[str]:
    """Return the properties that a record cannot be without; a create form holds for new records only."""
    behaviour, schema = context.behaviour, context.schema
    form = behaviour.form_in_all_versions or versions()[context.version].enforces_forms
    return schema.required if creating and form else schema.required_by_hubspot


def _no_key(item: WriteInput) -> Sequence[PropertyError]:
    name = item.id_property or ""
    return [PropertyError(name, "MISSING_REQUIRED_PROPERTY", f'Property "{name}" is required')]


def _draft(context: BatchContext, item: WriteInput, record: StoredRecord | None) -> Draft:
    before = record.properties if record else {}
    normalise = context.behaviour.normalise_values
    return Draft(item, record, stored_values(context.schema, before, item.properties, normalise=normalise))


def _without_conflicts(
    context: BatchContext, drafts: dict[int, Draft], errors: dict[int, Json], *, traced: bool
) -> Plan | Refusal:
    """Leave out the drafts with a unique value that another record has."""
    schema = context.schema
    conflicts = _conflicts(context, drafts)
    if conflicts and not traced:
        taken = next(iter(conflicts.values()))
        return _bodies.taken_value(_form(context, taken), schema, taken, context.portal)
    for index, taken in conflicts.items():
        trace_id = drafts.pop(index).input.trace_id or ""
        form = _form(context, taken)
        errors[index] = _bodies.taken_value_error(form, schema, taken, trace_id, context.portal)
    return Plan(list(drafts.values()), [errors[index] for index in sorted(errors)])


def _form(context: BatchContext, taken: TakenValue) -> TakenValueForm:
    """Return the form in which the next value is refused: it names a record only where there is one."""
    names = context.behaviour.taken_values
    if not names and (context.schema.name, taken.property) == ("contacts", "email"):
        # The one form on record for them.
        names = ("conflict with id",)
    known = [form for form in taken_value_forms() if form.name in names or not names]
    if taken.existing is None:
        known = [form for form in known if form.existing is None] or [
            form for form in taken_value_forms() if form.existing is None
        ]
    return known[next(context.refusals) % len(known)]


def _conflicts(context: BatchContext, drafts: Mapping[int, Draft]) -> dict[int, TakenValue]:
    """Return the drafts at fault, with what is taken."""
    owners: dict[tuple[str, str], str] = {}
    for name in context.schema.unique:
        values = [value for draft in drafts.values() if (value := draft.properties.get(name))]
        records = context.store.find(context.schema.name, name, values)
        owners |= {(name, value): record.id for value, record in records.items()}
    conflicts: dict[int, TakenValue] = {}
    claimed: set[tuple[str, str]] = set()
    for index, draft in drafts.items():
        own = draft.record.id if draft.record else None
        keys = [(name, value) for name in context.schema.unique if (value := draft.properties.get(name))]
        taken = [key for key in keys if key in claimed or owners.get(key, own) != own]
        if taken:
            name, value = taken[0]
            conflicts[index] = TakenValue(
                property=name,
                value=value,
                existing=owners.get(taken[0]),
                new=own or context.store.next_id(),
            )
        else:
            claimed.update(keys)
    return conflicts


def _are_traced(inputs: Sequence[WriteInput]) -> bool:
    traces = {item.trace_id for item in inputs}
    return None not in traces and len(traces) == len(inputs)


def _refusal(context: BatchContext, bad: Iterable[_Errors]) -> Refusal:
    properties: list[PropertyError] = []
    associations: list[AssociationError] = []
    for errors in bad:
        if isinstance(errors, AssociationError):
            associations.append(errors)
        else:
            properties += errors
    if properties:
        return _bodies.bad_properties(properties, context.portal)
    return _bodies.bad_association(associations[0])


def _error(context: BatchContext, item: WriteInput, errors: _Errors) -> Json:
    trace_id = item.trace_id or ""
    if isinstance(errors, AssociationError):
        return _bodies.association_error(trace_id, errors)
    return _bodies.property_error(trace_id, errors, context.portal)


def _merged(context: BatchContext, inputs: dict[int, WriteInput]) -> dict[int, WriteInput]:
    if context.schema.name not in context.behaviour.merge_identical:
        return inputs
    distinct: dict[bytes, int] = {}
    for index, item in inputs.items():
        trace_id = item.trace_id if context.behaviour.trace_id_distinguishes else None
        identity = msgspec.json.encode((item.properties, item.links, trace_id), order="sorted")
        distinct.setdefault(identity, index)
    return {index: inputs[index] for index in distinct.values()}


def _without_properties(inputs: Sequence[WriteInput]) -> Refusal | None:
    return _bodies.NO_PROPERTIES if any(item.empty for item in inputs) else None


def _bad_lookup(
    context: BatchContext, inputs: Sequence[WriteInput], default: str | None = None
) -> Refusal | None:
    names = (default if item.id_property is None else item.id_property for item in inputs)
    refusals = (context.bad_lookup(name, "update/upsert") for name in names)
    return next(filter(None, refusals), None)


def _found(
    context: BatchContext, inputs: Sequence[WriteInput], *, now: float = math.inf
) -> list[StoredRecord | None]:
    wanted: dict[str | None, list[str]] = {}
    for item in inputs:
        wanted.setdefault(item.id_property, []).append(item.id)
    found = {name: context.find(name, ids, now=now) for name, ids in wanted.items()}
    return [found[item.id_property].get(item.id) for item in inputs]


def _is_missed(context: BatchContext, item: WriteInput, record: StoredRecord | None) -> bool:
    """Return whether an input belongs among those that were not found."""
    if record is not None:
        return False
    is_number = item.id.isascii() and item.id.isdigit()
    return not context.behaviour.silent_unknown_ids or is_number or item.id_property is not None


def _repeated(inputs: Sequence[WriteInput], found: Sequence[StoredRecord | None]) -> Refusal | None:
    seen: set[tuple[str | None, str]] = set()
    repeated: dict[str, None] = {}
    for item, record in zip(inputs, found, strict=True):
        key = (None, record.id) if record else (item.id_property, item.id)
        if key in seen:
            repeated[item.id] = None
        seen.add(key)
    return _bodies.repeated_ids(list(repeated)) if repeated else None
