"""What the sandbox says, as recorded of HubSpot (docs/behaviour.md, "Error bodies", "Partial success")."""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import msgspec
from msgspec import Struct

from hubspot_batch.contract._operations import MAX_INPUTS
from hubspot_batch.sandbox._rules import PropertyFault
from hubspot_batch.sandbox._table import Table

Json: TypeAlias = dict[str, Any]

_PLACE = re.compile("<([a-z]+)>")

_VALIDATION = "VALIDATION_ERROR"
_NOT_FOUND = "OBJECT_NOT_FOUND"


class Refusal(Struct, frozen=True, kw_only=True):
    """Why a whole request is refused.

    Attributes:
        status: The HTTP status.
        message: The reason for people.
        category: The kind of error; several replies of HubSpot have none.
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
    """A value that has to be unique and that another record has.

    Attributes:
        property: The property.
        value: The value.
        existing: The record that has it; None where that is of the same batch.
        new: The record that cannot have it.
    """

    property: str
    value: str
    existing: str | None
    new: str


class TakenValueForm(Struct, frozen=True, kw_only=True):
    """One of the ways in which HubSpot refuses a value that is taken.

    Attributes:
        name: What the form is called.
        status: The status where a whole batch is refused.
        existing: Where the body tells the record that has the value: `message`, `context` or `errorTokens`;
            None where it does not.
        body: The fields of the body, with places for the particulars.
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


class AssociationFault(Struct, frozen=True, kw_only=True):
    """Why an association is refused.

    Attributes:
        message: The reason for people.
        target: The record that does not exist; None where the association type is at fault.
    """

    message: str
    target: str | None = None


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
TOO_MANY_INPUTS = Refusal(
    status=400,
    message=(
        f"The maximum number of inputs supported in a batch is {MAX_INPUTS}. "
        "Please reduce the number of items and try again"
    ),
    category=_VALIDATION,
)
NO_INPUTS = Refusal(status=400, message="No inputs were given", category=_VALIDATION)
FAILURE = Refusal(status=500, message="internal error")


def no_such_path(status: int) -> Refusal:
    """There is nothing here (404), or nothing with this method (405)."""
    words = {404: "Resource not found", 405: "Method not allowed"}
    return Refusal(status=status, message=words.get(status, "The request cannot be processed"))


def unknown_object_type(name: str) -> Refusal:
    """The path names no object type."""
    return Refusal(status=400, message=f"Unable to infer object type from: {name}")


def bad_parameter(name: str) -> Refusal:
    """A parameter of the query has a value that it cannot have."""
    return Refusal(status=400, message=f"Invalid value for parameter {name}", category=_VALIDATION)


def unreadable(line: int, column: int, reason: str) -> Refusal:
    """The body is no JSON, or JSON of another form."""
    return Refusal(status=400, message=f"Invalid input JSON on line {line}, column {column}: {reason}")


def repeated_ids(ids: Sequence[str]) -> Refusal:
    """An update names a record twice."""
    return Refusal(
        status=400,
        message=f"Duplicate IDs found in batch input: [{', '.join(ids)}]. IDs must be unique",
        category=_VALIDATION,
        context={"ids": ids},
    )


def not_unique(table: Table, name: str, portal: int) -> Refusal:
    """An update names a property in `idProperty` whose values are not unique."""
    message = (
        f"Unable to perform update/upsert by non-unique {table.type_id} property {name} in portal ID {portal}"
    )
    return Refusal(status=400, message=message, category=_VALIDATION)


def bad_properties(faults: Sequence[PropertyFault], portal: int) -> Refusal:
    """A whole batch is refused for its properties, without a word on which input it is."""
    # A fault that two inputs share stands twice in the text, but once in `errors`, as recorded.
    errors = [
        {"message": fault.message, "code": fault.code, "context": {"propertyName": [fault.name]}}
        for fault in dict.fromkeys(faults)
    ]
    message = _property_text(faults, portal)
    return Refusal(status=400, message=message, errors=errors, category=_VALIDATION)


def taken_value(form: TakenValueForm, table: Table, taken: TakenValue, portal: int) -> Refusal:
    """A whole batch is refused for a value that another record has."""
    body = dict(_filled(form.body, _particulars(table, taken, portal)))
    known = {name: body.pop(name, None) for name in ("message", "category", "context", "errors")}
    return Refusal(status=form.status, others=body, **known)


def bad_association(fault: AssociationFault) -> Refusal:
    """A whole batch is refused for an association."""
    return Refusal(
        status=400,
        message=fault.message,
        category=_VALIDATION if fault.target is None else _NOT_FOUND,
        sub_category=None if fault.target is None else "crm.associations.TO_OBJECT_NOT_FOUND",
        context=None if fault.target is None else {"id": [fault.target]},
    )


def property_error(trace_id: str, faults: Sequence[PropertyFault], portal: int) -> Json:
    """Return the item of a 207 for an input with bad properties."""
    return {
        "status": "error",
        "category": _VALIDATION,
        "message": _property_text(faults, portal),
        "context": {"objectWriteTraceId": [trace_id]},
    }


def taken_value_error(
    form: TakenValueForm, table: Table, taken: TakenValue, trace_id: str, portal: int
) -> Json:
    """Return the item of a 207 for an input with a value that another record has."""
    body: Json = _filled(form.body, _particulars(table, taken, portal))
    context = {**body.get("context", {}), "objectWriteTraceId": [trace_id]}
    return {"status": "error", **body, "context": context}


def association_error(trace_id: str, fault: AssociationFault) -> Json:
    """Return the item of a 207 for an input with a bad association."""
    refusal = bad_association(fault)
    item: Json = {"status": "error", "category": refusal.category}
    if refusal.sub_category is not None:
        item["subCategory"] = refusal.sub_category
    context = {"objectWriteTraceId": [trace_id], **(refusal.context or {})}
    return {**item, "message": fault.message, "context": context}


def not_found_error(table: Table, ids: Sequence[str]) -> Json:
    """Return the item of a 207 for all ids of an update that belong to no record."""
    message = (
        f"Could not get some {table.label} objects, they may be deleted or not exist. "
        "Check that ids are valid."
    )
    return {"status": "error", "category": _NOT_FOUND, "message": message, "context": {"ids": ids}}


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


def _particulars(table: Table, taken: TakenValue, portal: int) -> Mapping[str, str]:
    return {
        "portal": str(portal),
        "type": table.type_id,
        "label": table.label,
        "name": table.label.replace("_", " ").capitalize(),
        "property": taken.property,
        "value": taken.value,
        "existing": taken.existing or "",
        "new": taken.new,
    }


def _filled(template: Any, particulars: Mapping[str, str]) -> Any:  # noqa: ANN401 - JSON
    """Return a template with the particulars in their places."""
    match template:
        case str():
            return _PLACE.sub(lambda place: particulars[place[1]], template)
        case list():
            return [_filled(item, particulars) for item in template]
        case _:
            return {name: _filled(item, particulars) for name, item in template.items()}


def _property_text(faults: Sequence[PropertyFault], portal: int) -> str:
    details = [
        {
            "isValid": False,
            "message": fault.message,
            "error": fault.code,
            "name": fault.name,
            "localizedErrorMessage": fault.message,
            "portalId": portal,
        }
        for fault in faults
    ]
    return f"Property values were not valid: {msgspec.json.encode(details).decode()}"
