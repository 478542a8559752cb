"""Errors of HubSpot: their single reasons, and conflicts of unique values."""

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

# HubSpot refuses a unique value that another record has in many forms (docs/behaviour.md, "Taken values").
# There may be more: an unknown form proves nothing.
_TAKEN_CATEGORIES = {"CONFLICT", "UNIQUE_VALUE_CONFLICT"}
_TAKEN_CODES = {"CONFLICTING_UNIQUE_VALUE"}
_COORDINATES = re.compile(
    r"propertyName=([^,{}]+), value=(.*)\} on \d+\. (\d+) already has that value", re.DOTALL
)
_EXISTING = re.compile(r"Existing ID: (\d+)")

# These are problems of the row itself, independent of other records.
_ABSOLUTE_CODES = {"PROPERTY_DOESNT_EXIST", "READ_ONLY_VALUE"}
_FAULT_PREFIXES = ("INVALID_", "MISSING_")


Refusal: TypeAlias = RecordError | ApiError
"""An error of a reply, or one that is raised."""


class TakenValue(RedactedRepr, Struct, frozen=True, kw_only=True):
    """A unique value that another record has. Each attribute is None if HubSpot does not name it.

    Attributes:
        property: The property.
        value: The value, as HubSpot writes it.
        existing: The record that has the value.
    """

    property: str | None = None
    value: str | None = None
    existing: str | None = None

    def __repr__(self) -> str:
        return f"TakenValue(property={self.property!r}, existing={self.existing!r})"


def taken_value(refusal: Refusal) -> TakenValue | None:
    """Return the taken value, if a refusal is about that and nothing else."""
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
    """Return whether a refusal of one input is certainly not about a taken value.

    Args:
        refusal: The refusal.
        unique_property: The unique property.
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
    """Return the reasons from the JSON at the end of a message; none if it cannot be read."""
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
