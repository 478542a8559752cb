"""Which property values of an input are refused, and what a record stores of the others."""

from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from hubspot_batch.sandbox._formats import FORMATS
from hubspot_batch.sandbox._schemas import ObjectSchema, Property, Values


class PropertyError(Struct, frozen=True):
    """A property that is refused.

    Attributes:
        name: The property.
        code: HubSpot's code.
        message: HubSpot's words, with the value.
    """

    name: str
    code: str
    message: str


def property_errors(
    schema: ObjectSchema, properties: Mapping[str, str], required: Sequence[str], *, creating: bool
) -> Iterator[PropertyError]:
    """Yield what is wrong with the properties of one input.

    Args:
        schema: The object type.
        properties: Those of the input.
        required: Those that a record cannot be without.
        creating: Whether the record is new, so that it has no other properties.
    """
    rules = schema.properties
    for name, value in properties.items():
        rule = rules.get(name)
        if rule is None or rule.read_only:
            yield _unwritable(schema, name)
        elif value and (problem := FORMATS[rule.kind].problem(value, rule)):
            yield PropertyError(name, *problem)
    for name in required:
        if not properties.get(name, "" if creating else "kept"):
            yield PropertyError(name, "MISSING_REQUIRED_PROPERTY", f'Property "{name}" is required')


def bad_values(schema: ObjectSchema, properties: Mapping[str, str]) -> Mapping[str, str]:
    """Return HubSpot's code for each property whose value is none of its kind."""
    rules = {name: rule for name in properties if (rule := schema.properties.get(name))}
    found = {name: FORMATS[rule.kind].problem(properties[name], rule) for name, rule in rules.items()}
    return {name: problem[0] for name, problem in found.items() if problem and properties[name]}


def _unwritable(schema: ObjectSchema, name: str) -> PropertyError:
    if schema.is_read_only(name):
        message = f'"{name}" is a read only property; its value cannot be set.'
        return PropertyError(name, "READ_ONLY_VALUE", message)
    return PropertyError(name, "PROPERTY_DOESNT_EXIST", f'Property "{name}" does not exist')


def stored_values(
    schema: ObjectSchema, before: Values, submitted: Mapping[str, str], *, normalise: bool
) -> dict[str, str | None]:
    """Return what a record stores of the properties that are submitted.

    Args:
        schema: The object type.
        before: The properties of the record, empty for a new one.
        submitted: Those to write, all of them valid.
        normalise: Whether values are stored in HubSpot's form.
    """
    rules = schema.properties
    return {
        name: _stored(rules[name], before.get(name), value, normalise=normalise) if value else None
        for name, value in submitted.items()
    }


def lookup_value(schema: ObjectSchema, name: str, value: str, *, normalise: bool) -> str:
    """Return the form in which a record would store a value by which it is looked for."""
    rule = schema.properties[name]
    valid = FORMATS[rule.kind].problem(value, rule) is None
    return _stored(rule, None, value, normalise=normalise) if valid else value


def _stored(rule: Property, before: str | None, value: str, *, normalise: bool) -> str:
    if rule.multiple:
        return _chosen(rule, before, value, in_order=normalise)
    return FORMATS[rule.kind].write(value) if normalise else value


def _chosen(rule: Property, before: str | None, value: str, *, in_order: bool) -> str:
    """Return several options; a leading `;` appends to those that the record has."""
    chosen = value.removeprefix(";").split(";")
    if value.startswith(";") and before:
        kept = [option for option in before.split(";") if option in rule.options]
        chosen = kept + [option for option in chosen if option not in kept]
    return ";".join(sorted(chosen, key=rule.options.index) if in_order else chosen)
