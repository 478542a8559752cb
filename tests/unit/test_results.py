"""What comes back: values that cannot be changed, and whose repr shows no property value."""

import copy
import itertools
import pickle
from typing import Any

import msgspec
import pytest

from hubspot_batch.results import (
    BatchResult,
    ErrorBody,
    PropertyVersion,
    Reason,
    Record,
    RecordError,
    RecordWarning,
    Response,
)
from tests.conftest import case

SECRET = "s3cr3t-7261"

RESPONSE = Response(
    status=207,
    headers={"x-hubspot-correlation-id": "c-1", "x-secret": SECRET},
    content=SECRET.encode(),
    attempts=3,
)
REASON = Reason(code="INVALID_LONG", property="hs_tax", message=f"{SECRET} was not a valid long.")
WARNING = RecordWarning(category="TRIMMED", message=SECRET, context={"value": (SECRET,)})
VERSION = PropertyVersion(
    value=SECRET, timestamp="2026-09-01T08:15:00Z", source_type="API", source_id=SECRET, source_label=SECRET
)
RECORD = Record(
    index=4,
    id="44001",
    properties={"hs_order_name": SECRET, "hs_tax": None},
    created_at="2026-09-01T08:15:00Z",
    updated_at="2026-09-01T08:15:01Z",
    archived=False,
    history={"hs_order_name": (VERSION,)},
    warnings=(WARNING,),
)
ERROR = RecordError(
    index=5, category="VALIDATION_ERROR", message=SECRET, context={"value": (SECRET,)}, reasons=(REASON,)
)
BODY = ErrorBody(
    category="CONFLICT", message=SECRET, correlation_id="c-1", context={"value": (SECRET,)}, reasons=(REASON,)
)
RESULT = BatchResult(records=(RECORD, RECORD), errors=(ERROR,), unaccounted=(6, 7, 8), response=RESPONSE)


def test_the_repr_shows_what_it_is_and_no_value() -> None:
    cases: list[tuple[msgspec.Struct, str]] = [
        (RESPONSE, "Response(status=207, 11 bytes, attempts=3)"),
        (REASON, "Reason(code='INVALID_LONG', property='hs_tax')"),
        (WARNING, "RecordWarning(category='TRIMMED')"),
        (VERSION, "PropertyVersion(timestamp='2026-09-01T08:15:00Z', source_type='API')"),
        (RECORD, "Record(index=4, id='44001', 2 properties)"),
        (
            ERROR,
            (
                "RecordError(index=5, category='VALIDATION_ERROR', "
                "reasons=[Reason(code='INVALID_LONG', property='hs_tax')])"
            ),
        ),
        (BODY, "ErrorBody(category='CONFLICT', reasons=[Reason(code='INVALID_LONG', property='hs_tax')])"),
        (RESULT, "BatchResult(2 records, 1 errors, 3 unaccounted, status=207)"),
    ]
    for value, shown in cases:
        with case(shown):
            assert repr(value) == shown
            assert SECRET not in f"{value} {value!r} {[value]} {(value,)}"


EVERY: list[Any] = [RESPONSE, REASON, WARNING, VERSION, RECORD, ERROR, BODY, RESULT]


def test_it_cannot_be_changed() -> None:
    for value in EVERY:
        with case(type(value)):
            for name in value.__struct_fields__:
                with pytest.raises(AttributeError):
                    setattr(value, name, None)


def test_its_fields_are_given_by_name() -> None:
    for value in EVERY:
        with case(type(value)):
            fields = msgspec.structs.asdict(value)
            assert type(value)(**fields) == value
            with pytest.raises(TypeError):
                type(value)(*fields.values())


def test_it_pickles_and_copies() -> None:
    for value in EVERY:
        with case(type(value)):
            assert pickle.loads(pickle.dumps(value)) == value  # noqa: S301 - our own bytes
            assert copy.deepcopy(value) == value


def test_a_result_is_ok_where_no_input_is_refused_or_unaccounted() -> None:
    def is_ok(records: int, errors: int, unaccounted: int) -> bool:
        return BatchResult(
            records=(RECORD,) * records,
            errors=(ERROR,) * errors,
            unaccounted=(0,) * unaccounted,
            response=RESPONSE,
        ).ok

    counts = list(itertools.product((0, 1), repeat=3))

    assert [some for some in counts if is_ok(*some)] == [(0, 0, 0), (1, 0, 0)]


def test_the_correlation_id_of_a_reply_is_in_its_headers() -> None:
    assert RESPONSE.correlation_id == "c-1"
    assert Response(status=200, headers={}, content=b"").correlation_id is None


def test_the_text_of_a_reason_is_property_and_code() -> None:
    cases: list[tuple[Reason, str]] = [
        (REASON, "hs_tax: INVALID_LONG"),
        (Reason(code="INVALID_LONG"), "INVALID_LONG"),
        (Reason(property="hs_tax"), "hs_tax"),
        (Reason(message=SECRET), "no code given"),
        (Reason(), "no code given"),
    ]
    for reason, text in cases:
        with case(text):
            assert str(reason) == text


def test_what_hubspot_left_out_is_none_or_empty() -> None:
    record = Record(index=None, id="1", properties={}, created_at="", updated_at="", archived=True)
    assert (record.archived_at, record.url, record.trace_id) == (None, None, None)
    assert (record.history, record.warnings) == ({}, ())
    error = RecordError(index=None)
    assert (error.category, error.sub_category, error.message) == (None, None, None)
    assert (error.context, error.reasons) == ({}, ())
    body = ErrorBody()
    assert (body.category, body.message, body.correlation_id, body.policy) == (None, None, None, None)
    assert (body.context, body.reasons) == ({}, ())
    response = Response(status=200, headers={}, content=b"")
    assert (response.seconds, response.attempts) == (0.0, 1)


def test_two_that_say_nothing_share_nothing() -> None:
    assert RecordError(index=0).context is not RecordError(index=0).context
    assert ErrorBody().context is not ErrorBody().context
    assert RecordWarning().context is not RecordWarning().context
