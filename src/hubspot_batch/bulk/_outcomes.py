"""What became of each row: done, rejected or unknown. Pure, and never a guess.

`done` means that HubSpot reports the record as written, `rejected` that it is certain not to be.
Everything between is `unknown`.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, TypeAlias

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from hubspot_batch._display import RedactedRepr, printable
from hubspot_batch.bulk._rows import Row
from hubspot_batch.contract._keys import Key
from hubspot_batch.contract._operations import Verb
from hubspot_batch.errors import (
    ApiError,
    ConnectionFailedError,
    HubSpotBatchError,
    InputIssue,
    RequestTimeoutError,
)
from hubspot_batch.replies._refusals import TakenValue, is_no_taken_value, taken_value
from hubspot_batch.results import AssociationResult, BatchResult, Reason, Record, RecordError

Status: TypeAlias = Literal["done", "rejected", "unknown"]
Action: TypeAlias = Literal["created", "updated", "unchanged", "existing", "archived", "read"]

_ACTIONS: Mapping[Verb, Action] = {
    "create": "created",
    "read": "read",
    "update": "updated",
    "archive": "archived",
}

_CONFLICT = "CONFLICT"
_TAKEN = "CONFLICTING_UNIQUE_VALUE"
_NO_TARGET = "TARGET_NOT_FOUND"
_NOT_LINKED = "NOT_LINKED"
_SHOWN = 60


class Outcome(RedactedRepr, Struct, frozen=True, kw_only=True):
    """What became of one row.

    Attributes:
        index: The number of the row in its source, from 0.
        status: `done`, `rejected`, or `unknown` where it was sent and no trustworthy answer came.
        id: The record id of a row that is done, or None where it cannot be known for certain which it is. A
            row that is NOT_LINKED has one, too; of a CONFLICT it is the record that has the unique value of
            the row, if it was found.
        action: What was done: the record was `created`, `updated`, `archived` or `read`; or nothing was sent
            because the row is as it was last sent (`unchanged`), or because the record was there already
            (`existing`), which counts as done with `existing="keep"`. HubSpot does not say whether a record
            that it is to archive was there. None where the row is not done, and where an upsert was sent
            twice, so that the record it has found may be its own.
        record: The record, in the outcomes that a read streams, and in the journal of a read.
        category: Why it is not done. HubSpot's own categories, VALIDATION_ERROR for example, and
            INVALID_INPUT: it was never sent;
            TARGET_NOT_FOUND: nor was it, because no record has the value that a link names;
            NOT_WRITTEN: it was unknown, and `resolve` has found no record of it;
            NOT_LINKED: its record was written by an upsert, and has the `id`, but a link of it was not;
            CONFLICT: another record has its unique value;
            NO_REPLY, TIMEOUT, HTTP_504 and the like: its answer was lost;
            NOT_IN_REPLY: the answer says nothing about it;
            INTERRUPTED: the run was, while it was on its way.
        reasons: The single faults, where they are known.
        message: HubSpot's own words, which may repeat values that were sent. Else what was found where a row
            was looked for, or why that failed.
    """

    index: int
    status: Status
    id: str | None = None
    action: Action | None = None
    record: Record | None = None
    category: str | None = None
    reasons: Sequence[Reason] = ()
    message: str | None = None

    @property
    def ok(self) -> bool:
        """Whether the row is done."""
        return self.status == "done"

    @property
    def why(self) -> Sequence[str]:
        """Why the row is not done, without any value: `hs_currency_code: INVALID_OPTION`. Empty if it is."""
        if self.ok:
            return ()
        named = tuple(dict.fromkeys(map(str, self.reasons)))
        return named or (printable(self.category or "no reason given"),)

    @property
    def text(self) -> str:
        """Why the row is not done, in HubSpot's own words where there are any. They may repeat values."""
        words = [reason.message for reason in self.reasons if reason.message]
        return "; ".join(words) or self.message or ", ".join(self.why)

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON."""
        fields: dict[str, Any] = msgspec.to_builtins(self)
        if self.record is None:
            # Only a read has records.
            del fields["record"]
        return fields

    def __repr__(self) -> str:
        if self.ok:
            return f"Outcome(index={self.index}, status='done', id={self.id!r}, action={self.action!r})"
        return (
            f"Outcome(index={self.index}, status={self.status!r}, category={self.category!r}, "
            f"reasons={list(self.reasons)})"
        )


def invalid(row: Row) -> Outcome:
    """Return the outcome of a row that is not sent because it is invalid."""
    return Outcome(
        index=row.index,
        status="rejected",
        category="INVALID_INPUT",
        reasons=tuple(_reason_of(fault) for fault in row.faults),
    )


def _reason_of(fault: InputIssue) -> Reason:
    place = fault.pointer.split("/")
    # "/inputs/0/properties/NAME"; other faults are about the input as a whole.
    name = "/".join(place[4:]) if place[3:4] == ["properties"] else ""
    return Reason(
        code="INVALID_INPUT",
        property=name.replace("~1", "/").replace("~0", "~") or None,
        message=f"{'/'.join(place[3:])}: {fault.problem}; {fault.remedy}".removeprefix(": "),
    )


def interrupted(row: Row) -> Outcome:
    """Return the outcome of a row that was on its way when an earlier run was interrupted."""
    return Outcome(index=row.index, status="unknown", category="INTERRUPTED")


def without_target(row: Row, absent: Sequence[Key]) -> Outcome:
    """Return the outcome of a row that links to records that are not there."""
    return Outcome(
        index=row.index,
        # One that may have been written before its target went is not certain not to be.
        status="unknown" if row.maybe_written else "rejected",
        category=_NO_TARGET,
        reasons=tuple(
            Reason(
                code=_NO_TARGET,
                property=f"{key.object_type}.{key.property}",
                message=f"no record of type {key.object_type} has the {key.property} {shown(key.value)}",
            )
            for key in dict.fromkeys(absent)
        ),
    )


def linked(written: Outcome, links: Sequence[tuple[str, Outcome]]) -> Outcome:
    """Return the outcome of a row whose record is written, from those of its links.

    Args:
        written: What becomes of the row if all links are written.
        links: Their outcomes, with the object types that they lead to.
    """
    failed = {target: link for target, link in links if not link.ok}
    if not failed:
        return written
    return Outcome(
        index=written.index,
        status="rejected" if all(link.status == "rejected" for link in failed.values()) else "unknown",
        id=written.id,
        category=_NOT_LINKED,
        reasons=tuple(
            Reason(
                code=_NOT_LINKED,
                property=target,
                message=f"the record {written.id} was written, and not linked with {target}: {link.text}",
            )
            for target, link in failed.items()
        ),
    )


def not_linked(row: Row) -> Outcome:
    """Return the outcome of a row whose record is written, and cannot be linked: its id is not known."""
    return Outcome(
        index=row.index,
        status="unknown",
        category=_NOT_LINKED,
        message="the record was written, and not linked: the reply does not tell its id",
    )


def shown(value: str) -> str:
    """Return a value for a message, cut where it is long."""
    return repr(value if len(value) <= _SHOWN else f"{value[:_SHOWN]}...")


def lost(rows: Sequence[Row], error: HubSpotBatchError) -> list[Outcome]:
    """Return the outcomes of rows that may be written: their answer was lost."""
    match error:
        case ApiError():
            category = f"HTTP_{error.status}"
        case RequestTimeoutError():
            category = "TIMEOUT"
        case ConnectionFailedError():
            category = "NO_REPLY"
        case _:
            category = "UNREADABLE_REPLY"
    return [Outcome(index=row.index, status="unknown", category=category) for row in rows]


def refused(row: Row, error: ApiError, unique_property: str | None, *, keep: bool = False) -> Outcome:
    """Return the outcome of a row that was refused as the only one of its request."""
    answer = RecordError(
        index=0,
        category=error.category or f"HTTP_{error.status}",
        sub_category=error.sub_category,
        message=error.message,
        context=error.context,
        reasons=error.reasons,
    )
    return _refused(row, answer, unique_property, keep=keep)


def mistaken(row: Row, error: RecordError, unique_property: str | None, *, keep: bool = False) -> Outcome:
    """Return the outcome of a row that is not sent because an earlier refusal names its mistake."""
    return _refused(row, error, unique_property, keep=keep)


def taken(row: Row) -> Outcome:
    """Return the outcome of a row whose unique value an earlier row of the same run has."""
    return Outcome(index=row.index, status="rejected", category=_CONFLICT)


def created(row: Row, record: Record) -> Outcome:
    """Return the outcome of a row whose record was found."""
    return _done(row, "create", id=record.id)


def existing(row: Row, record: Record, unique_property: str, *, owner: int | None, keep: bool) -> Outcome:
    """Return the outcome of a row whose unique value a record has that the row has not created.

    Args:
        row: The row.
        record: The record.
        unique_property: The unique property.
        owner: The other row that has become this record. One record is never that of two rows.
        keep: Whether the row is done where no other row has become it.
    """
    if keep and owner is None:
        return Outcome(index=row.index, status="done", id=record.id, action="existing")
    by = "" if owner is None else f", which row {owner} has become"
    message = f"another record has this value of {unique_property} already: {record.id}{by}"
    return Outcome(index=row.index, status="rejected", id=record.id, category=_CONFLICT, message=message)


def in_recycle_bin(row: Row, record: Record, unique_property: str) -> Outcome:
    """Return the outcome of a row whose unique value an archived record has."""
    message = (
        f"an archived record has this value of {unique_property}: {record.id}; restore it in HubSpot, or "
        "give the row another value"
    )
    return Outcome(index=row.index, status="rejected", id=record.id, category=_CONFLICT, message=message)


def unchanged(row: Row, id: str | None) -> Outcome:  # noqa: A002 - the attribute
    """Return the outcome of a row that is as it was last sent, to this record."""
    return Outcome(index=row.index, status="done", id=id, action="unchanged")


def not_written(row: Row, unique_property: str) -> Outcome:
    """Return the outcome of a row that was sent, and whose record is certainly not there."""
    return Outcome(
        index=row.index,
        status="rejected",
        category="NOT_WRITTEN",
        message=f"it was sent, and no record has its {unique_property}: it was not written; send it again",
    )


def nameless(outcome: Outcome, unique_property: str) -> Outcome:
    """Return the outcome of a row that stays unknown because it cannot be looked for."""
    return replace(outcome, message=f"it has no {unique_property}, so it could not be looked for")


def unseen(row: Row, outcome: Outcome) -> Outcome:
    """Return the outcome of a row that is refused, and of whose unique value no record was found.

    What may have been written and is refused for its unique value must be somewhere.
    """
    if row.maybe_written and taken_of(outcome) is not None:
        return replace(outcome, status="unknown")
    return outcome


def unlooked(outcome: Outcome, error: HubSpotBatchError) -> Outcome:
    """Return an outcome that is as it is because its record could not be looked for, with the reason."""
    if outcome.status != "unknown" and (taken_of(outcome) is None or outcome.id is not None):
        return outcome
    words = f"it could not be looked for: {Exception.__str__(error)}"
    return replace(
        outcome,
        message="; ".join(filter(None, (outcome.message, words))),
        # Where there are reasons, those are what people see.
        reasons=(*outcome.reasons[:-1], *(_with_words(reason, words) for reason in outcome.reasons[-1:])),
    )


def _with_words(reason: Reason, words: str) -> Reason:
    return replace(reason, message="; ".join(filter(None, (reason.message, words))))


def answered(
    rows: Sequence[Row],
    result: BatchResult | AssociationResult,
    unique_property: str | None,
    verb: Verb = "create",
    *,
    keep: bool = False,
) -> list[Outcome]:
    """Return the outcomes of the rows of one request, in their order, from its reply.

    Args:
        rows: The rows.
        result: The reply.
        unique_property: The property whose conflicts decide what became of a row that is not looked for.
        verb: What the operation does.
        keep: Whether a row is done whose unique value any record has.
    """
    if isinstance(result, AssociationResult):
        return _linked(rows, result, verb)
    if not result.response.content:
        # A success without a body is one of all rows.
        return [_done(row, verb, id=row.wire.get("id")) for row in rows]
    told: dict[int, Outcome] = {}
    for record in result.records:
        if record.index is not None:
            told[record.index] = _written(rows[record.index], record, verb)
    for error in result.errors:
        if error.index is not None:
            told[error.index] = _refused(rows[error.index], error, unique_property, keep=keep)
    rest = [index for index in range(len(rows)) if index not in told]
    untold = _untold([rows[index] for index in rest], result, unique_property, verb, keep=keep)
    told.update(zip(rest, untold, strict=True))
    return [told[index] for index in range(len(rows))]


def _linked(rows: Sequence[Row], result: AssociationResult, verb: Verb) -> list[Outcome]:
    told = {
        error.index: _refused(rows[error.index], error, None, keep=False)
        for error in result.errors
        if error.index is not None
    }
    told |= {pair.index: _done(rows[pair.index], verb) for pair in result.pairs if pair.index is not None}
    return [told.get(index) or _not_in_reply(row) for index, row in enumerate(rows)]


def _done(row: Row, verb: Verb, id: str | None = None) -> Outcome:  # noqa: A002 - the attribute
    return Outcome(index=row.index, status="done", id=id, action=_ACTIONS.get(verb))


def _written(row: Row, record: Record, verb: Verb) -> Outcome:
    action = _ACTIONS.get(verb)
    if record.created:
        action = "created"
    elif record.created is False and not row.maybe_written:
        action = "updated"
    return Outcome(
        index=row.index,
        status="done",
        id=record.id,
        action=action,
        record=replace(record, index=row.index) if verb == "read" else None,
    )


def _untold(
    rows: Sequence[Row], result: BatchResult, unique_property: str | None, verb: Verb, *, keep: bool
) -> Iterator[Outcome]:
    """Yield the outcomes of rows that no item of the reply names; there may be items that name no row."""
    records = [record for record in result.records if record.index is None]
    errors = [error for error in result.errors if error.index is None]
    for row in rows:
        if len(rows) == len(records) and not errors:
            yield _done(row, verb)
        elif len(rows) == len(errors) and not records:
            yield _refused_by_one(row, errors, unique_property, keep=keep)
        else:
            yield _not_in_reply(row)


def _not_in_reply(row: Row) -> Outcome:
    return Outcome(index=row.index, status="unknown", category="NOT_IN_REPLY")


def _refused_by_one(
    row: Row, errors: Sequence[RecordError], unique_property: str | None, *, keep: bool
) -> Outcome:
    """Return the outcome of a row that one of these errors is about."""
    if len(errors) == 1:
        return _refused(row, errors[0], unique_property, keep=keep)
    verdicts = {_verdict(row, error, unique_property, keep=keep) for error in errors}
    if len(verdicts) > 1 or "unknown" in verdicts:
        return _not_in_reply(row)
    if "done" in verdicts:
        return Outcome(index=row.index, status="done", action="existing")
    categories = {error.category for error in errors}
    category = categories.pop() if len(categories) == 1 else None
    return Outcome(index=row.index, status="rejected", category=category)


def _refused(row: Row, error: RecordError, unique_property: str | None, *, keep: bool) -> Outcome:
    verdict = _verdict(row, error, unique_property, keep=keep)
    taken = taken_value(error)
    if verdict == "done":
        return _kept(row, taken)
    category, reasons = error.category, tuple(error.reasons)
    if taken is not None:
        # Several forms say it in the message only.
        category = category or _CONFLICT
        if taken.property is not None and not reasons:
            reasons = (Reason(code=_TAKEN, property=taken.property, message=error.message),)
    return Outcome(index=row.index, status=verdict, category=category, reasons=reasons, message=error.message)


def judged(row: Row, outcome: Outcome, unique_property: str, *, keep: bool) -> Outcome:
    """Return what becomes of a row that was refused, was never in doubt, and cannot be looked for."""
    taken = taken_of(outcome)
    return _kept(row, taken) if keep and _is_there(row, taken, unique_property) else outcome


def _kept(row: Row, taken: TakenValue | None) -> Outcome:
    existing = None if taken is None else taken.existing
    return Outcome(index=row.index, status="done", id=existing, action="existing")


def _is_there(row: Row, taken: TakenValue | None, unique_property: str) -> bool:
    """Return whether a refusal proves that a record has the unique value of a row that was never in doubt.

    It has to name the property, and no earlier row of the run may have that value.
    """
    return taken is not None and taken.property == unique_property and row.holder is None


def _verdict(row: Row, error: RecordError, unique_property: str | None, *, keep: bool) -> Status:
    """Return what a refusal says of a row that is not looked for.

    A retried create is refused as a double if an earlier attempt has made the record, in words
    that need not be known. But an older record can have the value, too, and be that of somebody else. So
    without a look it is certain only that there is one, which is enough for a row that is to be kept. A
    repeated update is not a double: the value belongs to another record. Nor is a create that is refused for
    something else as well: its earlier attempt was refused, too. Without a unique property no create is
    retried, unless its rows are looked for.
    """
    if unique_property is None or "id" in row.wire or is_no_taken_value(error, unique_property):
        return "rejected"
    taken = taken_value(error)
    if not row.maybe_written:
        return "done" if keep and _is_there(row, taken, unique_property) else "rejected"
    if taken is None:
        return "unknown"
    if row.holder is not None and row.holder.is_certain:
        return "rejected"
    # HubSpot tells the first conflict only (docs/behaviour.md, "Error bodies"), so one over another property
    # proves neither. Nor does one over a value that may have come with another row.
    is_over_another = taken.property not in {unique_property, None}
    return "done" if keep and not is_over_another and row.holder is None else "unknown"


def taken_of(outcome: Outcome) -> TakenValue | None:
    """Return the value for which a row was rejected because another record has it."""
    error = RecordError(
        index=None, category=outcome.category, message=outcome.message, reasons=outcome.reasons
    )
    return taken_value(error) if outcome.status == "rejected" else None
