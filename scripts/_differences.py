"""One difference between two documents, ours and theirs, and what it does to a client of ours."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, NamedTuple

from _document import Pointer

Use = Literal["operation", "request", "reply"]

# Where the document refuses what hardly anyone would send.
_MINOR = frozenset(
    {
        *("additionalProperties", "exclusiveMaximum", "exclusiveMinimum", "maxItems", "maxLength"),
        *("maxProperties", "maximum", "minItems", "minLength", "minProperties", "minimum", "multipleOf"),
        *("pattern", "propertyNames", "requiredBody", "uniqueItems"),
    }
)
# What a difference can be about: a keyword of a schema, or one of these.
ASPECTS = _MINOR | {
    "absent",  # the operation, the reply or the field is not there
    "address",  # method and path of the operation
    "authorizationUrl",  # where a user lets an app in
    "body",  # the media types of the body
    "deprecated",  # the operation or the field is to go away
    "enum",  # the closed list of values
    "field",  # the name of a field that the document lacks
    "format",  # the format of a text or a number
    "header",  # the name of a header of a reply
    "keyword",  # keywords of a schema that are not compared
    "moreScopes",  # sets of scopes that are accepted, too
    "nullable",  # whether null is allowed
    "optional",  # names that may be left out, and that the document requires
    "parameter",  # a parameter beside the body
    "partial",  # the code of a reply with failures, by x-versions
    "path",  # what the paths of a version begin with, by x-versions
    "readOnly",  # the field is not sent
    "refreshUrl",  # where a token is refreshed
    "required",  # names that are required, and that the document does not require
    "schemes",  # how a token travels
    "scopes",  # the sets of scopes, where one of the document is not enough
    "servers",  # the hosts
    "status",  # a status code that the document does not list
    "success",  # the codes of success, by x-versions
    "tokenUrl",  # where a token comes from
    "type",  # the JSON types apart from null
    "values",  # the values that an open list names
    "version",  # a version of the service, by x-versions
    "writeOnly",  # the field does not come back
}


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
    """How bad a difference is."""

    direction: Direction  # which side allows more
    severity: Severity  # what it does to a client
    effect: str  # the same in words


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
    """One difference."""

    aspect: str  # what it is about, one of ASPECTS
    said: Said  # what stands in the two documents
    verdict: Verdict  # how bad it is
    places: Places  # where it stands
    use: Use = "operation"  # what it matters for
    code: str = ""  # the status code of a reply
    field: str = ""  # the way through the body, `results[].url` for example; empty for the whole
    label: str = ""  # the same, from the model that both documents have in common: `Record.url`


_GENERAL = {
    ("request", Direction.WE): "they take less than we allow",
    ("request", Direction.THEY): "they take more than we allow",
    ("request", Direction.APART): "they take other values than we allow",
    ("reply", Direction.WE): "they send less than we read",
    ("reply", Direction.THEY): "they may send what we cannot read",
    ("reply", Direction.APART): "they may send other values than we read",
}
_EFFECTS = {
    ("nullable", "request", Direction.WE): "they do not take null",
    ("nullable", "request", Direction.THEY): "they take null, too",
    ("nullable", "reply", Direction.WE): "they never send null",
    ("nullable", "reply", Direction.THEY): "they may send null",
    ("optional", "request", Direction.THEY): "they do not require {}",
    ("optional", "reply", Direction.THEY): "they may leave out {}",
    ("readOnly", "request", Direction.WE): "they do not take it: it is read-only",
    ("readOnly", "request", Direction.THEY): "they take it, and for us it is read-only",
    ("required", "request", Direction.WE): "they now require {}",
    ("required", "reply", Direction.WE): "they always send {}",
    ("requiredBody", "request", Direction.THEY): "they do not require a body",
    ("requiredBody", "request", Direction.WE): "they now require a body",
    ("writeOnly", "reply", Direction.THEY): "they do not send it: it is write-only",
}


def judge(use: Use, aspect: str, said: Said, *, they: bool, we: bool) -> Verdict | None:
    """Return how bad it is that a side allows what the other does not; None where neither does."""
    if not they and not we:
        return None
    direction = Direction.APART if they and we else Direction.THEY if they else Direction.WE
    words = _EFFECTS.get((aspect, use, direction))
    effect = words.format(listed(said.theirs)) if words else _effect(use, aspect, said, direction)
    return Verdict(direction, _severity(use, aspect, direction), effect)


def _severity(use: Use, aspect: str, direction: Direction) -> Severity:
    harmful = Direction.THEY if use == "reply" else Direction.WE
    if direction in (harmful, Direction.APART):
        return Severity.BREAKING
    if use == "reply" or aspect in _MINOR:
        return Severity.HARMLESS
    return Severity.NOTABLE


def _effect(use: Use, aspect: str, said: Said, direction: Direction) -> str:
    """Return which values are more or fewer, where both sides list them; the usual words elsewhere."""
    if aspect == "enum" and isinstance(said.ours, list) and isinstance(said.theirs, list):
        more = [value for value in said.theirs if value not in said.ours]
        fewer = [value for value in said.ours if value not in said.theirs]
        if more and (use == "reply" or not fewer):
            return f"they {'may send' if use == 'reply' else 'also take'} {listed(more)}"
        if fewer:
            return f"they {'never send' if use == 'reply' else 'do not take'} {listed(fewer)}"
    return _GENERAL["reply" if use == "reply" else "request", direction]


def listed(values: object) -> str:
    """Return one value or several as they stand in a sentence."""
    return ", ".join(f"`{value}`" for value in (values if isinstance(values, list) else [values]))


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
