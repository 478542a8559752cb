"""Bodies of replies, as recorded of HubSpot (docs/behaviour.md, "Error bodies", "Partial success")."""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import msgspec
from msgspec import Struct

from hubspot_batch.sandbox._associations import AssociationError
from hubspot_batch.sandbox._formats import BOOLEANS, FORMATS
from hubspot_batch.sandbox._schemas import ObjectSchema
from hubspot_batch.sandbox._values import PropertyError

Json: TypeAlias = dict[str, Any]

_PLACEHOLDER = re.compile("<([a-z]+)>")

_VALIDATION = "VALIDATION_ERROR"
_NOT_FOUND = "OBJECT_NOT_FOUND"


class Refusal(Struct, frozen=True, kw_only=True):
    """Why a whole request is refused.

    Attributes:
        status: The HTTP status.
        message: The reason for people.
        category: The kind of error; some replies of HubSpot have none.
        sub_category: A finer kind.
        context: What the error is about.
        errors: The reason in parts.
        others: Further fields of the body.
    """

    status: int
    message: str
    category: str | None = None
    sub_category: str | None = None
    context: Mapping[str, Sequence[str]] | None = None
    errors: Sequence[Json] | None = None
    others: Mapping[str, Any] = {}

    def body(self, correlation_id: str) -> Json:
        """Return the body of the reply, without the fields that have no value."""
        fields = {
            "status": "error",
            "message": self.message,
            "correlationId": correlation_id,
            "context": self.context,
            "errors": self.errors,
            "category": self.category,
            "subCategory": self.sub_category,
            **self.others,
        }
        return {name: value for name, value in fields.items() if value is not None}


class TakenValue(Struct, frozen=True, kw_only=True):
    """A unique value that another record has.

    Attributes:
        property: The property.
        value: The value.
        existing: The record that has it; None if that is in the same batch.
        new: The record that was to have it.
    """

    property: str
    value: str
    existing: str | None
    new: str


class TakenValueForm(Struct, frozen=True, kw_only=True):
    """One of the forms in which HubSpot refuses a unique value that is taken.

    Attributes:
        name: Its name.
        status: The status where a whole batch is refused.
        existing: Where the body names the record that has the value: `message`, `context` or `errorTokens`;
            None if it does not.
        body: The fields of the body, with placeholders.
    """

    name: str
    status: int
    existing: str | None
    body: Json


@cache
def taken_value_forms() -> tuple[TakenValueForm, ...]:
    """Return all known forms, the one that is hardest on a client first."""
    content = Path(__file__).with_name("taken_values.json").read_bytes()
    return msgspec.json.decode(content, type=tuple[TakenValueForm, ...])


NO_CREDENTIALS = Refusal(
    status=401,
    message=(
        "Authentication credentials not found. This API supports OAuth 2.0 authentication and you can find "
        "more details at https://developers.hubspot.com/docs/methods/auth/oauth-overview"
    ),
    category="INVALID_AUTHENTICATION",
)
EMPTY_BODY = Refusal(
    status=400,
    message="Invalid JSON input: a request body was expected, but none found",
    category=_VALIDATION,
)
TOO_LARGE = Refusal(status=413, message="The request body is too large")
NO_INPUTS = Refusal(status=400, message="No inputs were given", category=_VALIDATION)
NO_PROPERTIES = Refusal(status=400, message="No properties found to update", category=_VALIDATION)
UNKNOWN_HOST = Refusal(
    status=400,
    message=(
        "The header Host names another machine. Use the address that the sandbox has printed; if others are "
        "to reach it, start it with --expose"
    ),
)
UNKNOWN_CONTROL = Refusal(
    status=404, message="The control of the sandbox does not have this path; see /_sandbox/openapi.json"
)
METHOD_NOT_ALLOWED = Refusal(status=405, message="Method not allowed")
FAILURE = Refusal(status=500, message="internal error")


def too_many_inputs(most: int) -> Refusal:
    """A batch has more inputs than a request takes."""
    message = (
        f"The maximum number of inputs supported in a batch is {most}. "
        "Please reduce the number of items and try again"
    )
    return Refusal(status=400, message=message, category=_VALIDATION)


def not_served(method: str, path: str, served: Sequence[str]) -> Refusal:
    """The sandbox does not have this path; HubSpot may have it."""
    return Refusal(
        status=501,
        message=f"The sandbox does not have {method} {path}. It has: {', '.join(served)}",
        context={"operations": served},
    )


def unknown_object_type(name: str) -> Refusal:
    """The path has a name that is not an object type."""
    return Refusal(status=400, message=f"Unable to infer object type from: {name}")


def bad_parameter(name: str) -> Refusal:
    """A query parameter has an invalid value."""
    return Refusal(status=400, message=f"Invalid value for parameter {name}", category=_VALIDATION)


def unreadable(line: int, column: int, reason: str) -> Refusal:
    """The body is not JSON, or not JSON of the expected form."""
    return Refusal(status=400, message=f"Invalid input JSON on line {line}, column {column}: {reason}")


def repeated_ids(ids: Sequence[str]) -> Refusal:
    """An update names a record twice."""
    return Refusal(
        status=400,
        message=f"Duplicate IDs found in batch input: [{', '.join(ids)}]. IDs must be unique",
        category=_VALIDATION,
        context={"ids": ids},
    )


def not_unique(schema: ObjectSchema, name: str, portal: int, act: str) -> Refusal:
    """A request names a property in `idProperty` whose values are not unique."""
    message = f"Unable to perform {act} by non-unique {schema.type_id} property {name} in portal ID {portal}"
    return Refusal(status=400, message=message, category=_VALIDATION)


def bad_properties(problems: Sequence[PropertyError], portal: int) -> Refusal:
    """A whole batch is refused for its properties; the body does not say which input it is."""
    # An error that two inputs share stands twice in the text, but once in `errors`, as recorded.
    errors = [
        {"message": error.message, "code": error.code, "context": {"propertyName": [error.name]}}
        for error in dict.fromkeys(problems)
    ]
    message = _property_text(problems, portal)
    return Refusal(status=400, message=message, errors=errors, category=_VALIDATION)


def taken_value(form: TakenValueForm, schema: ObjectSchema, taken: TakenValue, portal: int) -> Refusal:
    """A whole batch is refused for a value that another record has."""
    body = dict(_filled(form.body, _placeholders(schema, taken, portal)))
    known = {name: body.pop(name, None) for name in ("message", "category", "context", "errors")}
    return Refusal(status=form.status, others=body, **known)


def bad_association(error: AssociationError) -> Refusal:
    """A whole batch is refused for an association."""
    missing = error.record is not None
    return Refusal(
        status=400,
        message=error.message,
        category=_NOT_FOUND if missing else _VALIDATION,
        sub_category=f"crm.associations.{error.side}_OBJECT_NOT_FOUND" if missing else None,
        context={"id": [error.record]} if error.record is not None else None,
    )


def property_error(trace_id: str, problems: Sequence[PropertyError], portal: int) -> Json:
    """Return the item of a 207 for an input with bad properties."""
    return {
        "status": "error",
        "category": _VALIDATION,
        "message": _property_text(problems, portal),
        "context": {"objectWriteTraceId": [trace_id]},
    }


def taken_value_error(
    form: TakenValueForm, schema: ObjectSchema, taken: TakenValue, trace_id: str, portal: int
) -> Json:
    """Return the item of a 207 for an input with a value that another record has."""
    body: Json = _filled(form.body, _placeholders(schema, taken, portal))
    context = {**body.get("context", {}), "objectWriteTraceId": [trace_id]}
    return {"status": "error", **body, "context": context}


def association_error(trace_id: str | None, error: AssociationError) -> Json:
    """Return the item of a 207 for an input with a bad association."""
    refusal = bad_association(error)
    item: Json = {"status": "error", "category": refusal.category}
    if refusal.sub_category is not None:
        item["subCategory"] = refusal.sub_category
    trace = {} if trace_id is None else {"objectWriteTraceId": [trace_id]}
    return {**item, "message": error.message, "context": {**trace, **(refusal.context or {})}}


def not_found_error(schema: ObjectSchema, ids: Sequence[str]) -> Json:
    """Return the item of a 207 for all ids that belong to no record."""
    message = (
        f"Could not get some {schema.label} objects, they may be deleted or not exist. "
        "Check that ids are valid."
    )
    return {"status": "error", "category": _NOT_FOUND, "message": message, "context": {"ids": ids}}


def record_not_found() -> Refusal:
    """The path names a record that does not exist."""
    return Refusal(status=404, message="resource not found", category=_NOT_FOUND)


def bad_search(message: str) -> Refusal:
    """A search asks for too much, or for what there is not; HubSpot's words are not known."""
    return Refusal(status=400, message=message, category=_VALIDATION)


def bad_filter(problem: str) -> Refusal:
    """A filter of a search lacks what its operator needs."""
    kind = "com.hubspot.inbounddb.publicobject.core.v3.search.Filter"
    return unreadable(1, 1, f"Cannot construct instance of `{kind}`, problem: {problem}")


def too_many_with_history(most: int) -> Refusal:
    """A read asks for earlier values of too many records."""
    message = f"The maximum number of inputs supported with propertiesWithHistory is {most}."
    return Refusal(status=400, message=message, category=_VALIDATION)


def association(from_type: str, from_id: str, to_type: str, to_id: str) -> Json:
    """Return the result for two records that are associated."""
    return {
        "fromObjectTypeId": from_type,
        "fromObjectId": from_id,
        "toObjectTypeId": to_type,
        "toObjectId": to_id,
        "labels": [],
    }


def definition(schema: ObjectSchema, name: str, moment: str) -> Json:
    """Return the definition of a property.

    Args:
        schema: The object type.
        name: The property.
        moment: When it was defined.
    """
    rule = schema.properties[name]
    known = FORMATS[rule.kind]
    by_hubspot = name not in schema.custom
    options = BOOLEANS if rule.kind == "boolean" else rule.options
    owner: Json = {"referencedObjectType": "OWNER"} if rule.kind == "owner" else {}
    return {
        "name": name,
        "label": name.removeprefix("hs_").replace("_", " ").capitalize(),
        "type": known.type,
        "fieldType": "checkbox" if rule.multiple else known.field_type,
        "groupName": f"{schema.singular}information",
        "description": "",
        "options": [
            {"label": label, "value": option, "displayOrder": index, "hidden": False}
            for index, (option, label) in enumerate(zip(options, rule.labels or options, strict=True))
        ],
        "displayOrder": -1,
        "hasUniqueValue": rule.unique,
        "hidden": False,
        "hubspotDefined": by_hubspot,
        "calculated": False,
        "externalOptions": rule.kind == "owner",
        "formField": not rule.read_only,
        "archived": False,
        "dataSensitivity": "non_sensitive",
        "createdAt": moment,
        "updatedAt": moment,
        **owner,
        "modificationMetadata": {
            "archivable": not by_hubspot,
            "readOnlyDefinition": by_hubspot,
            "readOnlyOptions": by_hubspot,
            "readOnlyValue": rule.read_only,
        },
    }


def batch(results: Sequence[Json], errors: Sequence[Json], started: str, completed: str) -> Json:
    """Return the body of a batch that was processed."""
    failed = {"numErrors": len(errors), "errors": errors} if errors else {}
    return {
        "status": "COMPLETE",
        "results": results,
        **failed,
        "startedAt": started,
        "completedAt": completed,
    }


def _placeholders(schema: ObjectSchema, taken: TakenValue, portal: int) -> Mapping[str, str]:
    return {
        "portal": str(portal),
        "type": schema.type_id,
        "label": schema.label,
        "name": schema.label.replace("_", " ").capitalize(),
        "property": taken.property,
        "value": taken.value,
        "existing": taken.existing or "",
        "new": taken.new,
    }


def _filled(template: Any, values: Mapping[str, str]) -> Any:  # noqa: ANN401 - JSON
    """Return a template with its placeholders filled in."""
    match template:
        case str():
            return _PLACEHOLDER.sub(lambda place: values[place[1]], template)
        case list():
            return [_filled(item, values) for item in template]
        case _:
            return {name: _filled(item, values) for name, item in template.items()}


def _property_text(problems: Sequence[PropertyError], portal: int) -> str:
    details = [
        {
            "isValid": False,
            "message": problem.message,
            "error": problem.code,
            "name": problem.name,
            "localizedErrorMessage": problem.message,
            "portalId": portal,
        }
        for problem in problems
    ]
    return f"Property values were not valid: {msgspec.json.encode(details).decode()}"
