"""A reply, or that there is none, becomes one outcome for each row: done, rejected or unknown."""

import json
import pickle
from collections.abc import Mapping, Sequence
from itertools import permutations
from typing import Any

import msgspec
import pytest

from hubspot_batch.bulk import Outcome
from hubspot_batch.bulk import _outcomes as subject
from hubspot_batch.bulk._outcomes import Action
from hubspot_batch.bulk._rows import Holder, Row, rows_from
from hubspot_batch.contract import _operations as contract
from hubspot_batch.errors import (
    ApiError,
    BadRequestError,
    ConflictError,
    ConnectionFailedError,
    HubSpotBatchError,
    InputIssue,
    RequestTimeoutError,
    ServerError,
    UnexpectedReplyError,
)
from hubspot_batch.results import (
    AssociatedPair,
    AssociationResult,
    BatchResult,
    ErrorBody,
    Reason,
    Record,
    RecordError,
    Response,
)
from hubspot_batch.sandbox._bodies import TakenValue, taken_value, taken_value_forms
from hubspot_batch.sandbox._object_types import SCHEMAS
from hubspot_batch.transport import _calls

SECRET = "s3cr3t-7261"
REASON = Reason(code="INVALID_OPTION", property="hs_currency_code", message=f"{SECRET} is no option")
TAKEN = Reason(code="CONFLICTING_UNIQUE_VALUE", property="sku", message=SECRET)
OTHER_TAKEN = Reason(code="CONFLICTING_UNIQUE_VALUE", property="order_number", message=SECRET)
REPLY = Response(status=207, headers={}, content=b"{}")


def rows(count: int, *, first: int = 10, maybe_written: bool = False, verb: str = "create") -> list[Row]:
    """Rows whose numbers are not their places in the request."""
    inputs = [{"id": str(n), "properties": {"a": SECRET}} for n in range(count)]
    if verb == "create":
        inputs = [{"properties": item["properties"]} for item in inputs]
    found = rows_from(contract.operation(f"{verb}_orders"), inputs, first, None)
    for row in found:
        row.maybe_written = maybe_written
    return found


def record(index: int | None, name: str) -> Record:
    moment = "2026-09-01T08:15:00Z"
    return Record(
        index=index, id=name, properties={"a": SECRET}, created_at=moment, updated_at=moment, archived=False
    )


def error(index: int | None, category: str | None = "VALIDATION_ERROR", **fields: Any) -> RecordError:  # noqa: ANN401
    return RecordError(index=index, category=category, **fields)


def conflict(index: int | None, *existing: str) -> RecordError:
    return error(index, "CONFLICT", context={"existingId": existing} if existing else {})


def answered(
    sent: Sequence[Row],
    records: Sequence[Record] = (),
    errors: Sequence[RecordError] = (),
    *,
    keep: bool = False,
) -> list[Outcome]:
    return subject.answered(sent, result_of(records, errors), "sku", keep=keep)


def result_of(records: Sequence[Record] = (), errors: Sequence[RecordError] = ()) -> BatchResult:
    return BatchResult(records=records, errors=errors, unaccounted=(), response=REPLY)


def api_error(status: int, kind: type[ApiError] = ApiError, **fields: Any) -> ApiError:  # noqa: ANN401
    return kind(
        "create_orders", Response(status=status, headers={}, content=SECRET.encode()), ErrorBody(**fields)
    )


def done(index: int, name: str | None = None, action: Action = "created") -> Outcome:
    return Outcome(index=index, status="done", id=name, action=action)


def existing(index: int, name: str | None = None) -> Outcome:
    return done(index, name, "existing")


def not_in_reply(index: int) -> Outcome:
    return Outcome(index=index, status="unknown", category="NOT_IN_REPLY")


def statuses(found: Sequence[Outcome]) -> list[str]:
    return [outcome.status for outcome in found]


# From a reply.


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_records_in_any_order_become_outcomes_in_the_order_of_the_rows(order: tuple[int, ...]) -> None:
    records = [record(index, f"4400{index}") for index in order]

    assert answered(rows(3), records) == [done(10, "44000"), done(11, "44001"), done(12, "44002")]


def test_an_error_rejects_its_row_and_no_other() -> None:
    refusal = error(1, message=SECRET, reasons=[REASON], context={"ids": ["1"]})

    assert answered(rows(2), [record(0, "44000")], [refusal]) == [
        done(10, "44000"),
        Outcome(index=11, status="rejected", category="VALIDATION_ERROR", reasons=(REASON,), message=SECRET),
    ]


def test_as_many_records_without_an_input_as_rows_are_left_are_done_without_an_id() -> None:
    records = [record(None, "1"), record(1, "2"), record(None, "3")]

    assert answered(rows(3), records) == [done(10), done(11, "2"), done(12)]


@pytest.mark.parametrize("count", [0, 1, 3])
def test_rows_are_unknown_where_more_or_fewer_records_are_left(count: int) -> None:
    records = [record(None, str(n)) for n in range(count)]

    assert answered(rows(2), records) == [not_in_reply(10), not_in_reply(11)]


def test_a_record_and_an_error_without_an_input_say_nothing_of_either_row() -> None:
    assert answered(rows(2), [record(None, "1")], [error(None)]) == [not_in_reply(10), not_in_reply(11)]


def test_the_one_error_without_an_input_is_about_the_one_row_that_is_left() -> None:
    refusal = error(None, message=SECRET, reasons=[REASON])

    (outcome,) = answered(rows(2), [record(0, "1")], [refusal])[1:]

    assert (outcome.status, outcome.reasons, outcome.message) == ("rejected", (REASON,), SECRET)


@pytest.mark.parametrize(
    ("categories", "expected"),
    [
        (["OBJECT_NOT_FOUND", "OBJECT_NOT_FOUND"], "OBJECT_NOT_FOUND"),
        (["OBJECT_NOT_FOUND", "VALIDATION_ERROR"], None),
        ([None, None], None),
    ],
)
def test_as_many_errors_without_an_input_as_rows_are_left_reject_them_all(
    categories: list[str | None], expected: str | None
) -> None:
    errors = [error(None, category, message=SECRET, reasons=[REASON]) for category in categories]

    assert answered(rows(2), [], errors) == [
        Outcome(index=index, status="rejected", category=expected) for index in (10, 11)
    ]


@pytest.mark.parametrize("count", [1, 3])
def test_rows_are_unknown_where_more_or_fewer_errors_are_left(count: int) -> None:
    assert statuses(answered(rows(2), [], [error(None)] * count)) == ["unknown", "unknown"]


def test_an_empty_reply_says_nothing() -> None:
    assert answered(rows(2)) == [not_in_reply(10), not_in_reply(11)]


# A conflict after a maybe_written attempt.


@pytest.mark.parametrize(
    ("refusal", "expected"),
    [
        (error(0, "CONFLICT", context={"existingId": ["44001", "44002"]}), "44001"),
        (error(0, "CONFLICT", message="Order already exists. Existing ID: 44001"), "44001"),
        (error(0, "CONFLICT", message="Order already exists."), None),
        (error(0, "CONFLICT", context={"existingId": []}), None),
        (error(0, "VALIDATION_ERROR", reasons=[TAKEN]), None),
        (error(0, "VALIDATION_ERROR", reasons=[OTHER_TAKEN, TAKEN]), None),
        (error(0, "VALIDATION_ERROR", reasons=[Reason(code="CONFLICTING_UNIQUE_VALUE")]), None),
    ],
)
def test_a_conflict_after_a_doubtful_attempt_proves_that_there_is_a_record_not_whose(
    refusal: RecordError, expected: str | None
) -> None:
    sent = rows(1, maybe_written=True)

    assert answered(sent, [], [refusal], keep=True) == [existing(10, expected)]
    (outcome,) = answered(sent, [], [refusal])
    assert (outcome.status, outcome.id, outcome.action) == ("unknown", None, None)
    assert outcome.category == refusal.category


def test_a_conflict_of_a_row_that_was_never_in_doubt_rejects_it() -> None:
    (outcome,) = answered(rows(1), [], [conflict(0, "44001")])

    assert (outcome.status, outcome.category, outcome.id) == ("rejected", "CONFLICT", None)


@pytest.mark.parametrize("reasons", [[REASON], [REASON, TAKEN]])
def test_another_error_after_a_doubtful_attempt_rejects_the_row(reasons: list[Reason]) -> None:
    assert statuses(answered(rows(1, maybe_written=True), [], [error(0, reasons=reasons)])) == ["rejected"]


@pytest.mark.parametrize("category", ["CONFLICT", "VALIDATION_ERROR"])
def test_a_conflict_over_another_property_leaves_a_doubtful_row_unknown(category: str) -> None:
    refusal = error(0, category, reasons=[OTHER_TAKEN], message=SECRET)

    assert answered(rows(1, maybe_written=True), [], [refusal], keep=True) == [
        Outcome(index=10, status="unknown", category=category, reasons=(OTHER_TAKEN,), message=SECRET)
    ]
    assert statuses(answered(rows(1), [], [refusal])) == ["rejected"]


def test_a_conflict_over_a_value_that_may_have_come_with_another_row_leaves_a_doubtful_row_unknown() -> None:
    (row,) = rows(1, maybe_written=True)
    for certain, expected in ((False, "unknown"), (True, "rejected")):
        row.holder = Holder(is_certain=certain)
        assert statuses(answered([row], [], [conflict(0, "44001")], keep=True)) == [expected]
    assert answered([row], [record(0, "44001")]) == [done(10, "44001")]


def test_a_refusal_in_words_that_are_not_known_leaves_a_doubtful_row_unknown() -> None:
    invalid = Reason(code="INVALID_VALUE", property="sku")
    for other in (error(0, "VALIDATION_ERROR"), error(0, "NEW"), error(0, reasons=[invalid])):
        assert statuses(answered(rows(1, maybe_written=True), [], [other])) == ["unknown"]
        assert statuses(answered(rows(1), [], [other])) == ["rejected"]
    missing = error(0, "OBJECT_NOT_FOUND")
    assert statuses(answered(rows(1, maybe_written=True), [], [missing])) == ["rejected"]


def test_no_form_of_a_value_that_is_taken_rejects_a_row_that_was_written() -> None:
    account = SCHEMAS["orders"]
    taken = TakenValue(property="sku", value="a}", existing="44001", new="44009")
    for form in taken_value_forms():
        body = taken_value(form, account, taken, 7).body("c0ffee")
        reply = Response(status=form.status, headers={}, content=msgspec.json.encode(body))
        (row, maybe_written) = rows(1) + rows(1, maybe_written=True)
        refused = _calls.refusal("create_orders", reply)
        told = None if form.existing is None else "44001"
        assert subject.refused(maybe_written, refused, "sku", keep=True) == existing(10, told), form.name
        assert subject.refused(maybe_written, refused, "sku").status == "unknown", form.name
        rejected = subject.refused(row, refused, "sku")
        assert rejected.status == "rejected"
        assert subject.taken_of(rejected) is not None
        if "propertyName=" in form.body["message"]:
            assert subject.refused(maybe_written, refused, "other").status == "unknown"


def test_a_conflict_of_an_update_rejects_it_after_any_attempt() -> None:
    (outcome,) = answered(rows(1, maybe_written=True, verb="update"), [], [conflict(0, "44001")])

    assert (outcome.status, outcome.category, outcome.id) == ("rejected", "CONFLICT", None)


def test_conflicts_without_an_input_prove_that_all_doubtful_rows_have_a_record() -> None:
    sent, errors = rows(2, maybe_written=True), [conflict(None, "44001"), conflict(None, "44002")]

    assert answered(sent, [], errors, keep=True) == [existing(10), existing(11)]
    assert answered(sent, [], errors) == [not_in_reply(10), not_in_reply(11)]


def test_a_conflict_and_another_error_without_an_input_leave_doubtful_rows_unknown() -> None:
    sent = rows(3, maybe_written=True)
    sent[2].maybe_written = False

    found = answered(sent, [], [conflict(None, "44001"), error(None), error(None)])

    assert statuses(found) == ["unknown", "unknown", "rejected"]


def test_conflicts_over_another_property_without_an_input_leave_doubtful_rows_unknown() -> None:
    over_another = error(None, reasons=[OTHER_TAKEN])

    found = answered(rows(2, maybe_written=True), [], [over_another, over_another])

    assert found == [not_in_reply(10), not_in_reply(11)]


# From the refusal of a request with one row.


def test_a_refusal_of_one_row_rejects_it_in_its_words() -> None:
    refusal = api_error(400, BadRequestError, category="VALIDATION_ERROR", message=SECRET, reasons=(REASON,))

    (row,) = rows(1)

    assert subject.refused(row, refusal, "sku") == Outcome(
        index=10, status="rejected", category="VALIDATION_ERROR", reasons=(REASON,), message=SECRET
    )


@pytest.mark.parametrize("status", [400, 404, 409, 413, 422])
def test_a_refusal_without_a_category_is_reported_by_its_status(status: int) -> None:
    (row,) = rows(1)

    assert subject.refused(row, api_error(status), None).category == f"HTTP_{status}"


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"category": "CONFLICT", "context": {"existingId": ("7",)}}, existing(10, "7")),
        ({"category": "CONFLICT", "message": "exists. Existing ID: 7."}, existing(10, "7")),
        ({"reasons": (TAKEN,)}, existing(10)),
    ],
)
def test_a_refusal_for_a_conflict_proves_what_an_error_in_a_reply_proves(
    fields: Mapping[str, Any], expected: Outcome
) -> None:
    (row,) = rows(1, maybe_written=True)
    (update,) = rows(1, maybe_written=True, verb="update")

    refusal = api_error(409, ConflictError, **fields)

    assert subject.refused(row, refusal, "sku", keep=True) == expected
    assert subject.refused(row, refusal, "sku").status == "unknown"
    assert subject.refused(update, refusal, "sku", keep=True).status == "rejected"


# Without a reply.


@pytest.mark.parametrize(
    ("cause", "category"),
    [
        (api_error(504, ServerError), "HTTP_504"),
        (api_error(408), "HTTP_408"),
        (RequestTimeoutError("late", attempts=1), "TIMEOUT"),
        (ConnectionFailedError("broken", attempts=1), "NO_REPLY"),
        (UnexpectedReplyError("create_orders", REPLY, "it is none"), "UNREADABLE_REPLY"),
    ],
)
def test_rows_whose_answer_was_lost_are_unknown(cause: HubSpotBatchError, category: str) -> None:
    assert subject.lost(rows(2), cause) == [
        Outcome(index=index, status="unknown", category=category) for index in (10, 11)
    ]


def test_a_row_that_was_on_its_way_when_the_run_stopped_is_unknown() -> None:
    (row,) = rows(1)

    assert subject.interrupted(row) == Outcome(index=10, status="unknown", category="INTERRUPTED")


def test_a_row_with_the_unique_value_of_another_is_rejected() -> None:
    (row,) = rows(1)

    assert subject.taken(row) == Outcome(index=10, status="rejected", category="CONFLICT")


# Rows that are not sent.


@pytest.mark.parametrize(
    ("pointer", "name", "place"),
    [
        ("/inputs/3/properties/hs_tax", "hs_tax", "properties/hs_tax: "),
        ("/inputs/3/properties/a~1b~0c~01d", "a/b~c~1d", "properties/a~1b~0c~01d: "),
        ("/inputs/3/properties", None, "properties: "),
        ("/inputs/3/properties/", None, "properties/: "),
        ("/inputs/3/associations/0/to/id", None, "associations/0/to/id: "),
        ("/inputs/3/id", None, "id: "),
        ("/inputs/3", None, ""),
        ("", None, ""),
    ],
)
def test_a_fault_becomes_a_reason_that_names_the_property(pointer: str, name: str | None, place: str) -> None:
    fault = InputIssue(index=3, pointer=pointer, problem="it is wrong", remedy="write it right")
    (row,) = rows(1)
    row.faults = [fault]

    assert subject.invalid(row) == Outcome(
        index=10,
        status="rejected",
        category="INVALID_INPUT",
        reasons=(Reason(code="INVALID_INPUT", property=name, message=f"{place}it is wrong; write it right"),),
    )


def test_each_fault_of_a_row_is_reported() -> None:
    item = {"properties": {"a": None, "b": float("nan"), "c": SECRET}}
    (row,) = rows_from(contract.operation("create_orders"), [item], 0, None)

    outcome = subject.invalid(row)

    assert {reason.property for reason in outcome.reasons} == {"a", "b"}
    assert all(SECRET not in str(reason.message) for reason in outcome.reasons)


# The outcome itself.

REJECTED = Outcome(index=3, status="rejected", category="X", reasons=(REASON, TAKEN), message=SECRET)
OUTCOMES = [done(1, "44001"), done(2), REJECTED, not_in_reply(4)]


def test_only_what_is_done_is_ok() -> None:
    assert [outcome.ok for outcome in OUTCOMES] == [True, True, False, False]


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (done(1, "44001"), ()),
        (REJECTED, ("hs_currency_code: INVALID_OPTION", "sku: CONFLICTING_UNIQUE_VALUE")),
        (Outcome(index=0, status="rejected", category="X", reasons=(REASON, REASON)), (str(REASON),)),
        (not_in_reply(0), ("NOT_IN_REPLY",)),
        (Outcome(index=0, status="rejected"), ("no reason given",)),
    ],
)
def test_why_a_row_is_not_done_is_reported_without_any_value(
    outcome: Outcome, expected: Sequence[str]
) -> None:
    assert outcome.why == expected


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (done(1, "44001"), ""),
        (REJECTED, f"{SECRET} is no option; {SECRET}"),
        (Outcome(index=0, status="rejected", category="X", message="in words"), "in words"),
        (Outcome(index=0, status="rejected", reasons=(Reason(code="A"), Reason(code="B"))), "A, B"),
        (not_in_reply(0), "NOT_IN_REPLY"),
    ],
)
def test_why_a_row_is_not_done_is_reported_in_words_where_there_are_any(
    outcome: Outcome, expected: str
) -> None:
    assert outcome.text == expected


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_an_outcome_is_json(outcome: Outcome) -> None:
    told = json.loads(json.dumps(outcome.to_dict()))

    assert told == {
        "index": outcome.index,
        "status": outcome.status,
        "id": outcome.id,
        "action": outcome.action,
        "category": outcome.category,
        "reasons": [
            {"code": reason.code, "property": reason.property, "message": reason.message}
            for reason in outcome.reasons
        ],
        "message": outcome.message,
    }


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_an_outcome_pickles_and_can_be_a_member_of_a_set(outcome: Outcome) -> None:
    copy = pickle.loads(pickle.dumps(outcome))  # noqa: S301 - our own bytes

    assert {copy, outcome} == {outcome}


def test_an_outcome_does_not_change() -> None:
    with pytest.raises(AttributeError):
        REJECTED.status = "done"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("outcome", "shown"),
    [
        (done(1, "44001"), "Outcome(index=1, status='done', id='44001', action='created')"),
        (
            REJECTED,
            f"Outcome(index=3, status='rejected', category='X', reasons=[{REASON!r}, {TAKEN!r}])",
        ),
    ],
)
def test_an_outcome_shows_no_value(outcome: Outcome, shown: str) -> None:
    assert repr(outcome) == str(outcome) == shown


# Of the other verbs.


def test_an_upsert_tells_what_it_created_and_what_it_updated() -> None:
    sent = rows(3, verb="update")
    sent[2].maybe_written = True
    records = [msgspec.structs.replace(record(index, str(index)), created=index == 0) for index in range(3)]

    found = subject.answered(sent, result_of(records), None, "upsert")

    # What an earlier attempt may have created is not known to have been there before.
    assert [outcome.action for outcome in found] == ["created", "updated", None]


def test_a_read_tells_the_record_of_its_row_without_showing_it() -> None:
    sent = rows(2, verb="update")
    missing = error(1, "OBJECT_NOT_FOUND")

    found = subject.answered(sent, result_of([record(0, "44001")], [missing]), None, "read")

    assert found[0].record == msgspec.structs.replace(record(0, "44001"), index=10)
    assert found[0].to_dict()["record"]["properties"] == {"a": SECRET}
    assert SECRET not in repr(found)
    assert [(outcome.status, outcome.action) for outcome in found] == [("done", "read"), ("rejected", None)]
    assert found[1].why == ("OBJECT_NOT_FOUND",)


def test_an_answer_without_a_body_is_one_for_all_rows() -> None:
    empty = BatchResult(
        records=(), errors=(), unaccounted=(), response=Response(status=204, headers={}, content=b"")
    )

    found = subject.answered(rows(2, verb="update"), empty, None, "archive")

    assert found == [done(10, "0", "archived"), done(11, "1", "archived")]


def test_links_are_made_refused_or_not_told_of() -> None:
    result = AssociationResult(
        pairs=(
            AssociatedPair(index=0, from_id="1", to_id="2"),
            AssociatedPair(index=None, from_id="", to_id=""),
        ),
        errors=(error(1), error(None)),
        unaccounted=(2,),
        response=REPLY,
    )

    found = subject.answered(rows(3), result, None, "create")

    assert found[0] == done(10)
    assert [outcome.status for outcome in found] == ["done", "rejected", "unknown"]
