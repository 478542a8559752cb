"""The single faults in the body of an error, from the two places where HubSpot puts them."""

from collections.abc import Mapping
from typing import Any

import msgspec

from hubspot_batch.results import Reason

# What follows is a JSON list, which can be cut off (docs/behaviour.md, "Partial success").
_PREFIX = "Property values were not valid: "


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
