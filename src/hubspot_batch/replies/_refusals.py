"""What the body of an error says: its single faults, and whether it is about a value that is taken."""

import re
from collections.abc import Mapping
from typing import Any, TypeAlias

import msgspec
from msgspec import Struct

from hubspot_batch._display import RedactedRepr
from hubspot_batch.errors import ApiError
from hubspot_batch.results import Reason, RecordError

# What follows is a JSON list, which can be cut off (docs/behaviour.md, "Partial success").
_PREFIX = "Property values were not valid: "

# HubSpot refuses a value that has to be unique and that another record has in many words (docs/behaviour.md,
# "Taken values"). More may exist: what is not known here says nothing either way.
_TAKEN_CATEGORIES = {"CONFLICT", "UNIQUE_VALUE_CONFLICT"}
_TAKEN_CODES = {"CONFLICTING_UNIQUE_VALUE"}
_COORDINATES = re.compile(
    r"propertyName=([^,{}]+), value=(.*)\} on \d+\. (\d+) already has that value", re.DOTALL
)
_EXISTING = re.compile(r"Existing ID: (\d+)")

# What these say of a property is true of the row, whichever records there are.
_ABSOLUTE_CODES = {"PROPERTY_DOESNT_EXIST", "READ_ONLY_VALUE"}
_FAULT_PREFIXES = ("INVALID_", "MISSING_")


Refusal: TypeAlias = RecordError | ApiError
"""What the errors of a reply and those that are raised have in common."""


class TakenValue(RedactedRepr, Struct, frozen=True, kw_only=True):
    """A value that has to be unique and that another record has.

    Attributes:
        property: The property; None where the refusal does not name it.
        value: The value, as HubSpot writes it; None likewise.
        existing: The record that has the value; None likewise.
    """

    property: str | None = None
    value: str | None = None
    existing: str | None = None

    def __repr__(self) -> str:
        return f"TakenValue(property={self.property!r}, existing={self.existing!r})"


def taken_value(refusal: Refusal) -> TakenValue | None:
    """Return what is taken, if a refusal is known to be about that and nothing else."""
    if found := _COORDINATES.search(refusal.message or ""):
        return TakenValue(property=found[1], value=found[2], existing=found[3])
    codes = {reason.code for reason in refusal.reasons}
    if not (codes <= _TAKEN_CODES if codes else refusal.category in _TAKEN_CATEGORIES):
        return None
    named = {reason.property for reason in refusal.reasons if reason.property}
    return TakenValue(property=named.pop() if len(named) == 1 else None, existing=_existing_id(refusal))


def _existing_id(refusal: Refusal) -> str | None:
    if ids := refusal.context.get("existingId"):
        return ids[0]
    found = _EXISTING.search(refusal.message or "")
    return found[1] if found else None


def is_no_taken_value(refusal: Refusal, unique_property: str | None) -> bool:
    """Return whether a refusal of one input is certain to be about something else than a value that is taken.

    Args:
        refusal: The refusal.
        unique_property: The property whose value may be taken.
    """
    if refusal.category == "OBJECT_NOT_FOUND":
        return True
    return any(
        reason.code in _ABSOLUTE_CODES
        or (
            (reason.code or "").startswith(_FAULT_PREFIXES) and reason.property not in {None, unique_property}
        )
        for reason in refusal.reasons
    )


def reasons_in_message(message: str | None) -> list[Reason]:
    """Return the faults that stand as JSON at the end of a message; none where it cannot be read."""
    _, found, text = (message or "").partition(_PREFIX)
    if not found:
        return []
    try:
        faults = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
        return []
    items = faults if isinstance(faults, list) else []
    return [_reason(item) for item in items if isinstance(item, dict)]


def _reason(fault: Mapping[str, Any]) -> Reason:
    return Reason(
        code=_text(fault.get("error")),
        property=_text(fault.get("name")),
        message=_text(fault.get("message")),
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
