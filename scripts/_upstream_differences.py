"""One difference between the document and what HubSpot publishes, and how bad it is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from _document import Pointer

Use = Literal["operation", "request", "reply"]

# What a difference can be about. The value that HubSpot publishes for it is what explains it.
ASPECTS = {
    "absent": "the operation, the reply or the field is not published",
    "additionalProperties": "whether fields without a name are allowed",
    "address": "method and path of the operation",
    "body": "the media types of the body",
    "deprecated": "the operation or the field is to go away",
    "enum": "the closed list of values",
    "exclusiveMaximum": "the largest value, not itself allowed",
    "exclusiveMinimum": "the smallest value, not itself allowed",
    "field": "the name of a field that the document has not",
    "format": "the format of a text or a number",
    "keyword": "keywords of a schema that are not compared",
    "maxItems": "the most items of a list",
    "maxLength": "the longest text",
    "maxProperties": "the most fields",
    "maximum": "the largest value",
    "minItems": "the fewest items of a list",
    "minLength": "the shortest text",
    "minProperties": "the fewest fields",
    "minimum": "the smallest value",
    "moreScopes": "sets of scopes that are accepted, too",
    "multipleOf": "what a number is a multiple of",
    "nullable": "whether null is allowed",
    "optional": "fields that may be left out, and that the document requires",
    "parameter": "a parameter beside the body",
    "pattern": "the pattern of a text",
    "propertyNames": "what names of fields must be",
    "required": "fields that are required, and that the document does not require",
    "requiredBody": "whether the request needs a body",
    "schemes": "how a token travels",
    "scopes": "the sets of scopes, where one of the document is not enough",
    "servers": "the hosts",
    "status": "a status code that the document does not list",
    "type": "the JSON types apart from null",
    "uniqueItems": "whether the items of a list differ",
    "values": "values of an open list that only HubSpot names",
}

# Where the document refuses what nobody would send.
_MINOR = frozenset(
    {
        *("additionalProperties", "exclusiveMaximum", "exclusiveMinimum", "maxItems", "maxLength"),
        *("maxProperties", "maximum", "minItems", "minLength", "minProperties", "minimum", "multipleOf"),
        *("pattern", "propertyNames", "requiredBody", "uniqueItems"),
    }
)


class Direction(StrEnum):
    """Which side allows more."""

    THEY = "they are wider"
    WE = "we are wider"
    APART = "each allows what the other does not"


class Severity(StrEnum):
    """What a difference does to a client, the worst first."""

    BREAKING = "breaking"
    NOTABLE = "notable"
    HARMLESS = "harmless"


class Verdict(NamedTuple):
    """How bad a difference is.

    Attributes:
        direction: Which side allows more.
        severity: What it does to a client.
        effect: The same in words.
    """

    direction: Direction
    severity: Severity
    effect: str


class Said(NamedTuple):
    """What stands in the two documents, as JSON data."""

    theirs: object
    ours: object


class Places(NamedTuple):
    """Where it stands in the two documents."""

    theirs: Pointer
    ours: Pointer


@dataclass(frozen=True)
class Difference:
    """One difference.

    Attributes:
        aspect: What it is about, one of ASPECTS.
        said: What stands in the two documents.
        verdict: How bad it is.
        places: Where it stands.
        use: What it matters for.
        code: The status code of a reply.
        field: The way through the body, `results[].url` for example; empty for the whole.
    """

    aspect: str
    said: Said
    verdict: Verdict
    places: Places
    use: Use = "operation"
    code: str = ""
    field: str = ""


def judge(use: Use, aspect: str, *, they: bool, we: bool) -> Verdict | None:
    """Return how bad it is that a side allows what the other does not; None where neither does."""
    if not they and not we:
        return None
    direction = Direction.APART if they and we else Direction.THEY if they else Direction.WE
    if use == "reply":
        if they:
            return Verdict(direction, Severity.BREAKING, "they may send what we cannot read")
        return Verdict(direction, Severity.HARMLESS, "we read more than they say they send")
    if we:
        return Verdict(direction, Severity.BREAKING, "we allow what they do not say they take")
    severity = Severity.HARMLESS if aspect in _MINOR else Severity.NOTABLE
    return Verdict(direction, severity, "we refuse what they take")


def rank(difference: Difference) -> tuple[object, ...]:
    """Return a key that sorts the worst first, a reply that cannot be read before a request."""
    uses = ("reply", "request", "operation")
    return (
        list(Severity).index(difference.verdict.severity),
        uses.index(difference.use),
        difference.field,
        difference.aspect,
        [str(token) for token in difference.places.ours],
        str(difference.said.theirs),
    )
